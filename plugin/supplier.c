#include "supplier.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "buffer.h"
#include "cache.h"
#include "claim.h"
#include "errand.h"
#include "origin.h"
#include "profile.h"
#include "settings.h"

enum {
	SLOT_COUNT = 4,
	WRITER = 1 << 30, /* added to a slot's readers while it is written */
	LOOK_S = 1,       /* in the renewal window the cache is looked at so often */
	ASK_S = 5,        /* and the helper asked so often */
};

/*
 * Readers take a slot by counting themselves in, then make sure that it still is the current one;
 * a writer takes one that nobody reads. So reading never waits.
 */
struct slot {
	_Alignas(64) atomic_int readers;
	char *value;
	time_t obtained;
	time_t renew_from;
	time_t usable_until;
	char fingerprint[TOKEN_FINGERPRINT_BYTES];
};

struct supplier {
	struct slot slots[SLOT_COUNT];
	const struct settings *settings;
	struct profile *profile;
	_Atomic(struct slot *) current;
	atomic_long next_look;
	atomic_long probation_until; /* a refused token is not replaced before; 0: it is */

	struct claim claim; /* of whoever fetches a token, to everything below */
	time_t next_ask;
	time_t failed_at;
	enum status failed;
	struct failure reason;
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

/* The child is a single thread: whoever fetched a token or read a slot is not in it. */
void supplier_after_fork(struct supplier *supplier)
{
	if (atomic_exchange(&supplier->claim.holder, 0))
		supplier->failed = STATUS_OK; /* the reason may be half written */
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

/* The current slot, counted in; NULL where there is none. */
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

/* Make token the current one; it becomes empty. False where every slot is being read. */
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

/* Whether the cache has a usable token; it is then published. */
static bool look_in_cache(struct supplier *supplier, time_t now)
{
	struct cache cache = CACHE_INIT;
	struct token token = TOKEN_INIT;
	struct failure failure;
	char *path = settings_cache_path(supplier->settings);
	bool found = false;

	if (!cache_open(&cache, path, supplier->profile, false, &failure))
		found = cache_get(&cache, now, &token) && token_usable(&token, now) &&
			publish(supplier, &token);
	cache_close(&cache);
	token_release(&token);
	buffer_free_text(path);
	return found;
}

/*
 * The helper puts what it mints into the cache, with its exact times. Where no cache can be had
 * its answer is all there is.
 */
static enum status ask_helper(
	struct supplier *supplier, const struct origin *origin, struct failure *failure)
{
	struct token token = TOKEN_INIT;
	enum status status;
	time_t now;

	status = errand_get(supplier->settings, origin, clock_now(), &token, failure);
	now = clock_now();
	if (!status && !look_in_cache(supplier, now) && !publish(supplier, &token))
		status = status_fail(failure, STATUS_SYSTEM, "too many threads in the way");
	token_release(&token);
	return status;
}

/* With the claim: the outcome of a fetch, or of one that failed just now. */
static enum status fetch(
	struct supplier *supplier, const struct origin *origin, struct failure *failure)
{
	time_t now = clock_now();
	enum status status;

	if (supplier->failed && now >= supplier->failed_at &&
		now < supplier->failed_at + SUPPLIER_FAILURE_S) {
		*failure = supplier->reason;
		return supplier->failed;
	}
	supplier->failed = STATUS_OK;
	if (look_in_cache(supplier, now))
		return STATUS_OK;
	status = ask_helper(supplier, origin, failure);
	if (status && status != STATUS_NO_MEMORY) {
		supplier->failed = status;
		supplier->reason = *failure;
		supplier->failed_at = clock_now();
	}
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
	leave(slot); /* who jumps away, or is cancelled with the claim, would read it for ever */
	if (!usable)
		status = fetch(supplier, origin, failure);
	claim_release(&hold);
	if (status)
		return status;
	slot = enter(supplier);
	if (!slot)
		return status_fail(failure, STATUS_SYSTEM, "the token is gone");
	return lease_slot(lease, slot);
}

/* One thread at a time, and not too often; a failure to renew is none while the token lives. */
static void see_to_renewal(struct supplier *supplier, const struct origin *origin, time_t now)
{
	struct failure failure;
	struct hold hold;
	struct slot *slot;

	if (now < atomic_load(&supplier->next_look) || !claim_try(&supplier->claim, &hold))
		return;
	atomic_store(&supplier->next_look, now + LOOK_S);
	if (look_in_cache(supplier, now))
		supplier->failed = STATUS_OK;
	slot = atomic_load(&supplier->current);
	if (slot && now >= slot->renew_from && now >= supplier->next_ask) {
		supplier->next_ask = now + ASK_S;
		if (ask_helper(supplier, origin, &failure))
			supplier->next_ask = clock_now() + ASK_S;
	}
	claim_release(&hold);
}

/* With the claim: take the token of that fingerprint out of memory. NULL where it is not there. */
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

void supplier_drop(struct supplier *supplier, const struct origin *origin, const char *fingerprint)
{
	char *refused = NULL;
	struct hold hold;

	take_claim(supplier, &hold);
	if (!supplier_on_probation(supplier))
		refused = forget(supplier, fingerprint);
	if (refused) {
		errand_erase(supplier->settings, origin, refused);
		atomic_store(&supplier->probation_until, clock_now() + SUPPLIER_PROBATION_S);
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
	return status_fail(failure, STATUS_REFUSED, "fresh tokens are refused too");
}

bool supplier_on_probation(const struct supplier *supplier)
{
	long until = atomic_load_explicit(&supplier->probation_until, memory_order_relaxed);

	return until && clock_now() < until;
}

void supplier_approve(struct supplier *supplier)
{
	atomic_store(&supplier->probation_until, 0);
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
