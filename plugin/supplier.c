#include "supplier.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "claim.h"
#include "core/buffer.h"
#include "core/cache.h"
#include "core/origin.h"
#include "core/profile.h"
#include "core/settings.h"
#include "core/source.h"
#include "core/state.h"
#include "helper.h"

enum {
	SLOT_COUNT = 4,
	WRITER = 1 << 30, /* added to a slot's readers while it is written */
	LOOK_S = 1,       /* how often to look at the cache in the renewal window */
	ASK_S = 5,        /* how often to ask the helper */
};

/*
 * A reader adds itself to the readers of the current slot, then checks that the slot is still
 * current. A writer takes a slot without readers. So readers never wait.
 */
struct slot {
	_Alignas(64) atomic_int readers;
	char *value;
	time_t obtained;
	time_t renew_from;
	time_t usable_until;
	time_t expires;
	char fingerprint[TOKEN_FINGERPRINT_BYTES];
};

struct supplier {
	struct slot slots[SLOT_COUNT];
	const struct settings *settings;
	struct profile *profile;
	_Atomic(struct slot *) current;
	atomic_long next_look;
	atomic_bool on_probation; /* the token replaced one that the API rejected */

	struct claim claim; /* held while a token is fetched; protects what follows */
	time_t next_ask;
	time_t replace_from; /* do not replace a rejected token earlier; used if the cache cannot
				tell */
	struct state_failure failure; /* of the last fetch */
};

static time_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return now.tv_sec;
}

struct supplier *supplier_new(const struct settings *settings, struct profile *profile)
{
	struct supplier *supplier = aligned_alloc(_Alignof(struct supplier), sizeof(*supplier));

	if (!supplier)
		return NULL;
	memset(supplier, 0, sizeof(*supplier));
	supplier->settings = settings;
	supplier->profile = profile;
	return supplier;
}

void supplier_free(struct supplier *supplier)
{
	if (supplier)
		profile_free(supplier->profile);
	free(supplier);
}

/* The child has a single thread: those that fetched a token or read a slot do not exist in it. */
void supplier_after_fork(struct supplier *supplier)
{
	if (atomic_exchange(&supplier->claim.holder, 0))
		supplier->failure.status = STATUS_OK; /* may be half written */
	for (size_t i = 0; i < SLOT_COUNT; i++) {
		struct slot *slot = &supplier->slots[i];

		if (atomic_load(&slot->readers) >= WRITER / 2)
			slot->value = NULL;
		atomic_store(&slot->readers, 0);
	}
}

const char *supplier_profile(const struct supplier *supplier)
{
	return supplier->profile->name;
}

/* Enter the current slot as a reader. NULL if there is none. */
static struct slot *enter(struct supplier *supplier)
{
	struct slot *slot;

	while ((slot = atomic_load(&supplier->current))) {
		atomic_fetch_add(&slot->readers, 1);
		if (atomic_load(&supplier->current) == slot)
			break;
		atomic_fetch_sub(&slot->readers, 1);
	}
	return slot;
}

static void leave(struct slot *slot)
{
	if (slot)
		atomic_fetch_sub(&slot->readers, 1);
}

static bool slot_usable(const struct slot *slot, time_t now)
{
	return slot && now >= slot->obtained && now < slot->usable_until;
}

static bool take_to_write(struct slot *slot)
{
	int nobody = 0;

	return atomic_compare_exchange_strong(&slot->readers, &nobody, WRITER);
}

static void give_to_read(struct slot *slot)
{
	atomic_fetch_sub(&slot->readers, WRITER);
}

static void wipe(struct slot *slot)
{
	buffer_free_text(slot->value);
	slot->value = NULL;
}

/* Make token the current one, and empty it. False if all slots have readers. */
static bool publish(struct supplier *supplier, struct token *token)
{
	struct slot *old = atomic_load(&supplier->current), *slot = NULL;

	for (size_t i = 0; i < SLOT_COUNT && !slot; i++)
		if (&supplier->slots[i] != old && take_to_write(&supplier->slots[i]))
			slot = &supplier->slots[i];
	if (!slot)
		return false;
	wipe(slot);
	slot->value = token->value;
	slot->obtained = token->obtained;
	slot->renew_from = token_renew_from(token);
	slot->usable_until = token_usable_until(token);
	slot->expires = token->expires;
	token_fingerprint(token->value, slot->fingerprint);
	token->value = NULL;
	token_release(token);
	give_to_read(slot);
	atomic_store(&supplier->current, slot);

	if (old && take_to_write(old)) {
		wipe(old);
		give_to_read(old);
	}
	return true;
}

/* A usable token from the cache, other than the one with the unwanted fingerprint. */
static bool read_cache(const struct supplier *supplier, time_t now, const char *unwanted,
	struct token *token, struct state *state)
{
	struct cache cache = CACHE_INIT;
	char fingerprint[TOKEN_FINGERPRINT_BYTES];
	struct failure failure;
	bool found = false;

	*state = (struct state)STATE_INIT;
	if (!cache_open(&cache, supplier->settings, supplier->profile, false, &failure)) {
		found = cache_get(&cache, now, token) && token_usable(token, now);
		cache_get_state(&cache, now, state);
	}
	if (found && unwanted) {
		token_fingerprint(token->value, fingerprint);
		found = strcmp(fingerprint, unwanted) != 0;
	}
	cache_close(&cache);
	return found;
}

/*
 * Publish the token of the cache if that is usable. If it has just replaced a rejected one, in
 * whichever process, it is on probation.
 */
static bool look_in_cache(struct supplier *supplier, time_t now, struct state *state)
{
	struct token token = TOKEN_INIT;
	bool found = read_cache(supplier, now, NULL, &token, state) && publish(supplier, &token);

	if (found && state->refusal.in_a_row > 0 && state_pause(state, now) > 0)
		atomic_store(&supplier->on_probation, true);
	token_release(&token);
	return found;
}

/*
 * The helper writes a new token to the cache, with its exact times, so read it there. If there is
 * no cache, use the answer itself.
 */
static enum status ask_helper(struct supplier *supplier, const struct origin *origin,
	long min_valid_s, struct failure *failure)
{
	struct token token = TOKEN_INIT;
	struct state state;
	enum status status;
	time_t now;

	status = helper_get(supplier->settings, origin, clock_now(), min_valid_s, &token, failure);
	now = clock_now();
	if (!status && !look_in_cache(supplier, now, &state) && !publish(supplier, &token))
		status = status_fail(failure, STATUS_SYSTEM, "too many threads wait for tokens");
	token_release(&token);
	return status;
}

static void remember(
	struct supplier *supplier, enum status status, const struct failure *reason, time_t now)
{
	struct state_failure *failure = &supplier->failure;

	failure->status = status;
	failure->reason = *reason;
	failure->at = now;
	failure->retry_from = now + SUPPLIER_FAILURE_S;
}

/* With the claim: fetch a token, unless that failed a moment ago. */
static enum status fetch(
	struct supplier *supplier, const struct origin *origin, struct failure *failure)
{
	struct state_failure *last = &supplier->failure;
	time_t now = clock_now();
	struct state state;
	enum status status;

	if (now >= last->at && state_is_still(last, supplier->settings, supplier->profile, now)) {
		*failure = last->reason;
		return last->status;
	}
	last->status = STATUS_OK;
	if (look_in_cache(supplier, now, &state))
		return STATUS_OK;
	source_mark_all(supplier->settings, supplier->profile, last->marks);
	status = ask_helper(supplier, origin, 0, failure);
	if (status && status != STATUS_NO_MEMORY)
		remember(supplier, status, failure, clock_now());
	return status;
}

static enum status lease_slot(struct lease *lease, struct slot *slot)
{
	*lease = (struct lease){
		.token = slot->value, .fingerprint = slot->fingerprint, .slot = slot};
	return STATUS_OK;
}

static void take_claim(struct supplier *supplier, struct hold *hold)
{
	claim_take(&supplier->claim, hold, settings_timeout_s(supplier->settings));
}

/* Whether no other process is renewing the token, and no recent failure forbids it. */
static bool is_to_be_renewed(const struct supplier *supplier, const struct state *state, time_t now)
{
	return now >= supplier->next_ask && now >= state->renewing_until &&
	       state_pause(state, now) == 0 &&
	       !state_is_still(&state->failure, supplier->settings, supplier->profile, now);
}

/*
 * As PID 1 of a container, or as a subreaper, the host inherits orphans: it would see a child that
 * it has not started, and keep it as a zombie.
 */
static bool inherits_orphans(void)
{
	int subreaper = 0;

	return getpid() == 1 ||
	       (prctl(PR_GET_CHILD_SUBREAPER, &subreaper, 0, 0, 0) == 0 && subreaper);
}

/*
 * The helper renews in the background, as an orphan. If the host would inherit it, let one request
 * wait for the renewal: ask for a token that outlives this one.
 */
static enum status ask_for_renewal(
	struct supplier *supplier, const struct origin *origin, const struct slot *slot, time_t now)
{
	long min_valid_s = inherits_orphans() ? (long)(slot->expires - now) + 1 : 0;
	struct failure failure;

	return ask_helper(supplier, origin, min_valid_s, &failure);
}

/* One thread at a time, and not too often. While the token lives, a failed renewal is no error. */
static void see_to_renewal(struct supplier *supplier, const struct origin *origin, time_t now)
{
	struct state state;
	struct hold hold;
	struct slot *slot;

	if (now < atomic_load(&supplier->next_look) || !claim_try(&supplier->claim, &hold))
		return;
	atomic_store(&supplier->next_look, now + LOOK_S);
	if (look_in_cache(supplier, now, &state))
		supplier->failure.status = STATUS_OK;
	slot = atomic_load(&supplier->current);
	if (slot && now >= slot->renew_from && is_to_be_renewed(supplier, &state, now)) {
		supplier->next_ask = now + ASK_S;
		if (ask_for_renewal(supplier, origin, slot, now))
			supplier->next_ask = clock_now() + ASK_S;
	}
	claim_release(&hold);
}

static enum status lease_fetched(struct supplier *supplier, const struct origin *origin,
	struct lease *lease, struct failure *failure)
{
	enum status status = STATUS_OK;
	struct hold hold;
	struct slot *slot;
	bool usable;

	take_claim(supplier, &hold);
	slot = enter(supplier);
	usable = slot_usable(slot, clock_now());
	leave(slot); /* a thread that jumps away while it waits would stay a reader for ever */
	if (!usable)
		status = fetch(supplier, origin, failure);
	claim_release(&hold);
	if (status)
		return status;
	slot = enter(supplier);
	if (slot && clock_now() >= slot->renew_from) {
		leave(slot);
		see_to_renewal(supplier, origin, clock_now());
		slot = enter(supplier);
	}
	if (!slot)
		return status_fail(failure, STATUS_SYSTEM, "the cached token has been removed");
	return lease_slot(lease, slot);
}

static bool is_current(struct supplier *supplier, const char *fingerprint)
{
	struct slot *slot = enter(supplier);
	bool same = slot && strcmp(slot->fingerprint, fingerprint) == 0;

	leave(slot);
	return same;
}

/* With the claim: take the token of that fingerprint out of memory. NULL if it is not there. */
static char *forget(struct supplier *supplier, const char *fingerprint)
{
	struct slot *slot = enter(supplier);
	char *value = NULL;

	if (slot && strcmp(slot->fingerprint, fingerprint) == 0)
		value = buffer_duplicate(slot->value);
	leave(slot);
	if (!value)
		return NULL;
	atomic_store(&supplier->current, NULL);
	if (take_to_write(slot)) {
		wipe(slot);
		give_to_read(slot);
	}
	return value;
}

/*
 * With the claim: use the token by which another process has replaced the rejected one. False if
 * the rejected one must not be replaced yet.
 */
static bool may_replace(struct supplier *supplier, const char *fingerprint)
{
	struct token token = TOKEN_INIT;
	time_t now = clock_now();
	struct state state;
	bool replaced =
		read_cache(supplier, now, fingerprint, &token, &state) && publish(supplier, &token);

	token_release(&token);
	return replaced || (state_pause(&state, now) == 0 && now >= supplier->replace_from);
}

void supplier_drop(struct supplier *supplier, const struct origin *origin, const char *fingerprint)
{
	char *refused = NULL;
	struct hold hold;

	take_claim(supplier, &hold);
	if (is_current(supplier, fingerprint) && may_replace(supplier, fingerprint))
		refused = forget(supplier, fingerprint);
	if (refused) {
		helper_erase(supplier->settings, origin, refused);
		supplier->replace_from = clock_now() + STATE_PAUSE_S;
		atomic_store(&supplier->on_probation, true);
	}
	claim_release(&hold);
	buffer_free_text(refused);
}

enum status supplier_replace(struct supplier *supplier, const struct origin *origin,
	const char *fingerprint, struct lease *lease, struct failure *failure)
{
	enum status status;

	supplier_drop(supplier, origin, fingerprint);
	status = supplier_lease(supplier, origin, lease, failure);
	if (status || strcmp(lease->fingerprint, fingerprint) != 0)
		return status;
	supplier_return(lease);
	return status_fail(failure, STATUS_REFUSED, "new tokens are rejected too");
}

bool supplier_on_probation(const struct supplier *supplier)
{
	return atomic_load_explicit(&supplier->on_probation, memory_order_relaxed);
}

void supplier_judge(struct supplier *supplier, const struct origin *origin, bool taken)
{
	struct slot *slot;
	char *value;

	if (!atomic_exchange(&supplier->on_probation, false) || !taken)
		return;
	slot = enter(supplier);
	value = slot ? buffer_duplicate(slot->value) : NULL;
	leave(slot);
	supplier->replace_from = 0;
	if (value)
		helper_approve(supplier->settings, origin, value);
	buffer_free_text(value);
}

enum status supplier_lease(struct supplier *supplier, const struct origin *origin,
	struct lease *lease, struct failure *failure)
{
	time_t now = clock_now();
	struct slot *slot = enter(supplier);

	if (slot_usable(slot, now)) {
		if (now < slot->renew_from)
			return lease_slot(lease, slot);
		leave(slot);
		see_to_renewal(supplier, origin, now);
		slot = enter(supplier);
		if (slot_usable(slot, clock_now()))
			return lease_slot(lease, slot);
	}
	leave(slot);
	return lease_fetched(supplier, origin, lease, failure);
}

void supplier_return(struct lease *lease)
{
	leave(lease->slot);
	lease->slot = NULL;
}
