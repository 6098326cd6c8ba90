#include "fleet/lookup.h"

#include <string.h>
#include <time.h>

#include "core/attributes.h"
#include "fleet/notice.h"
#include "fleet/request.h"
#include "process.h"

enum {
	CLOCKS_DIFFER_S = 60, /* the most by which the clocks of two members may differ */
	PAUSE_LEAST_MS = 10,
	PAUSE_MOST_MS = 500,
	PAUSE_PART = 4,   /* a pause is at most a quarter of the time waited so far */
	PAUSE_LOOKS = 16, /* and at least 16 times what a look takes, to spare a busy store */
	SILENCES = 2,     /* a holder that is silent for two lives of its lock is dead */
	RESERVE_PART = 10,
	LAST_LOOK_MS = 700,
	REST_MOST_S = 300,
};

/*
 * Whether this member may use the token. It has rejected some, either by their value or, through
 * the serial, by their age. A store that was restored from a backup may hold those again.
 */
static bool is_wanted(const struct request *request, const struct entry *entry)
{
	const struct token *token = &entry->token;
	const char *rejected = attributes_get(request->asked, "rejected");
	char fingerprint[TOKEN_FINGERPRINT_BYTES];
	time_t time_now = request_now(request);

	token_fingerprint(token->value, fingerprint);
	return entry->serial >= request_number(request, "serial") &&
	       token_usable(token, time_now) &&
	       token_is_believable(
		       token, (long)request_number(request, "max_lifetime"), time_now) &&
	       token->expires - time_now >= request_number(request, "min_valid") &&
	       !(rejected && strcmp(rejected, fingerprint) == 0) &&
	       !(request_number(request, "fresh") && token_wants_renewal(token, time_now));
}

static enum status answer_entry(const struct request *request, const struct entry *entry)
{
	enum status status = token_write(&entry->token, request->answer);

	return status ? status : attributes_add_number(request->answer, "serial", entry->serial);
}

/*
 * If the token was minted in our future, the clock of its writer is ahead of ours. Then the token
 * also expires sooner by our clock: move both times back by the difference. A larger difference
 * than clocks have is a lie, and is left for token_usable() to reject.
 */
static void correct_times(const struct request *request, struct token *token)
{
	time_t ahead = token->obtained - request_now(request);

	if (ahead > 0 && ahead <= CLOCKS_DIFFER_S) {
		token->obtained -= ahead;
		token->expires -= ahead;
	}
}

/*
 * Answer with the stored token if it can be used. Anything else that is stored counts as a miss.
 * *last becomes the highest serial seen.
 */
static bool accept_entry(const struct request *request, const struct buffer *sealed,
	long long *last, enum status *status)
{
	struct entry entry;
	bool wanted = false;

	if (sealed->length > 0 && seal_open(&request->seal, sealed, &entry)) {
		*last = entry.serial > *last ? entry.serial : *last;
		correct_times(request, &entry.token);
		wanted = is_wanted(request, &entry);
		if (wanted)
			*status = answer_entry(request, &entry);
		token_release(&entry.token);
	}
	return wanted;
}

static enum status answer_turn(const struct request *request, const char *owner, long long last)
{
	long long serial = notice_now_ms(); /* a later token has a higher serial, from any member */
	enum status status = attributes_add(request->answer, "owner", owner);

	if (serial < request_number(request, "serial"))
		serial = request_number(request, "serial");
	if (serial <= last)
		serial = last + 1;
	return status ? status : attributes_add_number(request->answer, "serial", serial);
}

static long long clamp_number(long long least, long long number, long long most)
{
	if (number < least)
		return least;
	return number < most ? number : most;
}

/*
 * Pause before the next look, the longer the more has been waited. The random part keeps the
 * members from asking the store all at the same time. look_ms is what the last look took.
 */
static void pause_after(long long look_ms, long long waited_ms, long long left_ms)
{
	long long least = clamp_number(PAUSE_LEAST_MS, look_ms * PAUSE_LOOKS, PAUSE_MOST_MS);
	long long most = clamp_number(least, waited_ms / PAUSE_PART, PAUSE_MOST_MS);
	long long milliseconds =
		clamp_number(0, most / 2 + seal_random_below((unsigned)most), left_ms);
	struct timespec pause = {
		.tv_sec = (time_t)(milliseconds / 1000),
		.tv_nsec = (long)(milliseconds % 1000 * 1000000),
	};

	nanosleep(&pause, NULL);
}

/* ---- waiting for another member's token ---- */

struct wait {
	struct request *request;
	char owner[SEAL_OWNER_BYTES];
	struct redis_lock lock;
	struct buffer sealed; /* the stored entry and notice */
	struct buffer sealed_notice;
	struct notice notice;  /* the last one read */
	long long last_serial; /* the highest seen */
	long long alive_at;    /* when the holder of the lock last gave a sign of life */
	bool seen_alive;       /* it gave one, so the store does pass notices on */
};

/*
 * Read the notice. It is a sign of life if it is newer than the last one, and of our time: a store
 * that puts an old notice back must not make a dead holder seem alive.
 */
static void read_notice(struct wait *wait)
{
	const struct request *request = wait->request;
	long long now_ms = (long long)request_now(request) * 1000;
	struct notice notice;

	if (!notice_open(&request->seal, &wait->sealed_notice, &notice))
		return;
	if (notice.minting && notice.at_ms > wait->notice.at_ms &&
		notice.at_ms > now_ms - CLOCKS_DIFFER_S * 1000LL &&
		notice.at_ms < now_ms + CLOCKS_DIFFER_S * 1000LL) {
		wait->seen_alive = true;
		wait->alive_at = process_milliseconds();
	}
	wait->notice = notice;
}

/*
 * How long to wait for a sign of life. Before the first one the lock may be a lie of the store, so
 * wait only for the short patience_ms. After one, silence means that the holder has died. Then its
 * lock is about to expire, which is worth waiting for.
 */
static long long patience_ms(const struct wait *wait)
{
	long long least = request_number(wait->request, "patience_ms");
	long long silence = SILENCES * (long long)wait->lock.life_ms;

	return wait->seen_alive && silence > least ? silence : least;
}

static bool is_silent(const struct wait *wait)
{
	return process_milliseconds() - wait->alive_at >= patience_ms(wait);
}

/*
 * How much time to keep for minting the token ourselves. As long as the holder takes no longer than
 * the last mint did (and half as much again), it will be done before we could be, so keep only the
 * time for a last look. If it is overdue, keep the time of a mint, but no more than half of all.
 * Without any earlier mint to compare with, keep a tenth.
 */
static long long reserve_ms(const struct wait *wait)
{
	long long whole_ms = request_number(wait->request, "wait_ms");
	long long least_ms = clamp_number(0, LAST_LOOK_MS, whole_ms / 4);
	long long took_ms = wait->notice.took_ms;
	bool overdue = wait->notice.minting && wait->notice.elapsed_ms > took_ms * 3 / 2;

	if (took_ms == 0)
		return clamp_number(least_ms, whole_ms / RESERVE_PART, whole_ms);
	if (!overdue)
		return least_ms;
	return clamp_number(least_ms, took_ms * 3 / 2 + LAST_LOOK_MS, whole_ms / 2);
}

/* Obey "do not ask the endpoint" for a limited time only: the store may pass on a wrong one. */
static bool has_rest(const struct wait *wait)
{
	long long now = request_now(wait->request);

	return wait->notice.until > now && wait->notice.until <= now + REST_MOST_S;
}

static enum status answer_rest(const struct wait *wait)
{
	struct buffer *answer = wait->request->answer;
	enum status status = attributes_add_number(
		answer, "rest", wait->notice.until - request_now(wait->request));

	return status ? status : attributes_add(answer, "reason", wait->notice.reason.reason);
}

/* We have the lock. Tell the others at once, as the heartbeat starts only with "hold". */
static enum status take_turn(struct wait *wait)
{
	struct notice notice = {
		.at_ms = notice_now_ms(),
		.minting = true,
		.took_ms = wait->notice.took_ms,
	};
	enum status status = answer_turn(wait->request, wait->owner, wait->last_serial);

	if (!status)
		request_tell(wait->request, wait->request->store, &notice);
	return status;
}

/* Try to take the lock and read what is stored. *over: the answer is written. */
static enum status look_again(struct wait *wait, bool *mine, bool *over, struct failure *failure)
{
	const struct request *request = wait->request;
	const char *const names[] = {request->entry_name, request->notice_name};
	struct buffer *const values[] = {&wait->sealed, &wait->sealed_notice};
	enum status status = redis_lock(request->store, &wait->lock, names, mine, values, failure);

	*over = true;
	if (status || accept_entry(request, &wait->sealed, &wait->last_serial, &status))
		return status;
	read_notice(wait);
	if (has_rest(wait))
		return answer_rest(wait);
	if (*mine) {
		*mine = false; /* the caller of sypht-fleet releases it */
		return take_turn(wait);
	}
	*over = false;
	return STATUS_OK;
}

static enum status wait_for_turn(struct wait *wait, struct failure *failure)
{
	const struct request *request = wait->request;
	const long long end = request->started + request_number(request, "wait_ms");
	enum status status = STATUS_OK;
	bool mine = false;
	bool over = false;

	while (!over) {
		long long before = process_milliseconds();
		long long left_ms;

		if (is_silent(wait))
			return status_fail(failure, STATUS_TIMEOUT,
				"a machine holds the lock, but no longer renews it");
		redis_limit(request->store, wait->alive_at + patience_ms(wait));
		status = look_again(wait, &mine, &over, failure);
		left_ms = end - reserve_ms(wait) - process_milliseconds();
		if (over || left_ms <= 0)
			break;
		pause_after(process_milliseconds() - before, before - request->started, left_ms);
	}
	if (mine)
		request_give_up(request, &wait->lock);
	return status;
}

static enum status look_first(struct wait *wait, bool *over, struct failure *failure)
{
	struct request *request = wait->request;
	enum status status = redis_get(request->store, request->entry_name, &wait->sealed, failure);

	*over = !status && accept_entry(request, &wait->sealed, &wait->last_serial, &status);
	return status;
}

/* Probe before locking: a store that refuses one of the commands could leave the lock behind. */
static enum status take_or_wait(struct wait *wait, struct failure *failure)
{
	const struct request *request = wait->request;
	enum status status = redis_probe(request->store, request->probe_name, failure);

	return status ? status : wait_for_turn(wait, failure);
}

enum status lookup_token(struct request *request, struct failure *failure)
{
	struct wait wait = {
		.request = request,
		.sealed = BUFFER_INIT(SEAL_MAX_BYTES),
		.sealed_notice = BUFFER_INIT(NOTICE_MAX_BYTES),
		.alive_at = request->started,
	};
	bool over = false;
	enum status status = request_reach(request, failure);

	seal_make_owner(wait.owner);
	wait.lock = request_lock(request, wait.owner);
	if (!status)
		status = look_first(&wait, &over, failure);
	if (!status && !over && request_number(request, "wait_ms") > 0)
		status = take_or_wait(&wait, failure);
	buffer_release(&wait.sealed);
	buffer_release(&wait.sealed_notice);
	return status;
}
