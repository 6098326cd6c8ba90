#include "fleet/lookup.h"

#include <string.h>
#include <time.h>

#include "core/attributes.h"
#include "fleet/request.h"
#include "process.h"

enum {
	CLOCKS_DIFFER_S = 60,
	PAUSE_LEAST_MS = 10,
	PAUSE_MOST_MS = 500,
	PAUSE_PART = 4, /* a wait grows by a quarter at most through the pauses in it */
	SILENCES = 2,   /* lives of a lock, after which its holder must be dead */
	RESERVE_PART = 10,
	LAST_LOOK_MS = 700,
	REST_MOST_S = 300,
	PAUSE_LOOKS = 16, /* what a look takes, so that no fleet is a burden to its store */
};

/* Whether the token is one that may be served: none of those that were seen off already. */
static bool is_wanted(const struct request *session, const struct entry *entry)
{
	const struct token *token = &entry->token;
	const char *rejected = attributes_get(session->asked, "rejected");
	char fingerprint[TOKEN_FINGERPRINT_BYTES];
	time_t time_now = request_now(session);

	token_fingerprint(token->value, fingerprint);
	return entry->serial >= request_number(session, "serial") &&
	       token_usable(token, time_now) &&
	       token_is_believable(
		       token, (long)request_number(session, "max_lifetime"), time_now) &&
	       token->expires - time_now >= request_number(session, "min_valid") &&
	       !(rejected && strcmp(rejected, fingerprint) == 0) &&
	       !(request_number(session, "fresh") && token_wants_renewal(token, time_now));
}

static enum status answer_entry(const struct request *session, const struct entry *entry)
{
	struct buffer *answer = session->answer;
	enum status status = attributes_add(answer, "credential", entry->token.value);

	if (!status)
		status = attributes_add(answer, "granted_scope", entry->token.scope);
	if (!status)
		status =
			attributes_add_number(answer, "obtained", (long long)entry->token.obtained);
	if (!status)
		status = attributes_add_number(answer, "expires", (long long)entry->token.expires);
	return status ? status : attributes_add_number(answer, "serial", entry->serial);
}

/*
 * A token from the future was minted under a clock that is ahead of ours by so much at least; where
 * that is no more than clocks differ by, it ends so much sooner by ours.
 */
static void settle_times(const struct request *session, struct token *token)
{
	time_t ahead = token->obtained - request_now(session);

	if (ahead > 0 && ahead <= CLOCKS_DIFFER_S) {
		token->obtained -= ahead;
		token->expires -= ahead;
	}
}

/* Whatever else lies there is a miss; *last is the highest serial seen. */
static bool accept(const struct request *session, const struct buffer *sealed, long long *last,
	enum status *status)
{
	struct entry entry;
	bool wanted = false;

	if (sealed->length > 0 && seal_open(&session->seal, sealed, &entry)) {
		*last = entry.serial > *last ? entry.serial : *last;
		settle_times(session, &entry.token);
		wanted = is_wanted(session, &entry);
		if (wanted)
			*status = answer_entry(session, &entry);
		token_release(&entry.token);
	}
	return wanted;
}

/* Of this machine's own clock: what was minted later has the higher serial, be it by a member who
 * never saw what came before. */
static long long new_serial(void)
{
	struct timespec time_now;

	clock_gettime(CLOCK_REALTIME, &time_now);
	return (long long)time_now.tv_sec * 1000 + time_now.tv_nsec / 1000000;
}

static enum status answer_turn(const struct request *session, const char *owner, long long last)
{
	long long serial = new_serial();
	enum status status = attributes_add(session->answer, "owner", owner);

	if (serial < request_number(session, "serial"))
		serial = request_number(session, "serial");
	if (serial <= last)
		serial = last + 1;
	return status ? status : attributes_add_number(session->answer, "serial", serial);
}

static long long within(long long least, long long number, long long most)
{
	if (number < least)
		return least;
	return number < most ? number : most;
}

/* Longer and longer, and never all members in step; look_ms is what the last look took. */
static void pause_after(long long look_ms, long long waited_ms, long long left_ms)
{
	long long least = within(PAUSE_LEAST_MS, look_ms * PAUSE_LOOKS, PAUSE_MOST_MS);
	long long most = within(least, waited_ms / PAUSE_PART, PAUSE_MOST_MS);
	long long milliseconds = within(0, most / 2 + seal_random_below((unsigned)most), left_ms);
	struct timespec pause = {
		.tv_sec = (time_t)(milliseconds / 1000),
		.tv_nsec = (long)(milliseconds % 1000 * 1000000),
	};

	nanosleep(&pause, NULL);
}

/* ---- waiting for another member's token ---- */

struct wait {
	struct request *session;
	char owner[SEAL_OWNER_BYTES];
	struct redis_lock lock;
	struct buffer sealed; /* the entry, as it lies there, and the notice */
	struct buffer sealed_notice;
	struct notice notice;  /* the last one */
	long long last_serial; /* the highest seen */
	long long alive_at;    /* when the holder of the lock was last seen to live */
	bool seen_alive;       /* so the store carries what members say */
};

/* One that is put back is none: its time is that of the last one, or long past. */
static void heed_notice(struct wait *wait)
{
	const struct request *session = wait->session;
	long long now_ms = (long long)request_now(session) * 1000;
	struct notice notice;

	if (!notice_open(&session->seal, &wait->sealed_notice, &notice))
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
 * A lock that nobody is seen to keep may be a lie, and costs little. Once the store has shown that
 * it carries what members say, silence means that the holder is dead, and its lock about to end.
 */
static long long patience_ms(const struct wait *wait)
{
	long long least = request_number(wait->session, "patience_ms");
	long long silence = SILENCES * (long long)wait->lock.life_ms;

	return wait->seen_alive && silence > least ? silence : least;
}

static bool is_silent(const struct wait *wait)
{
	return process_milliseconds() - wait->alive_at >= patience_ms(wait);
}

/*
 * What has to be left of the time for a mint of one's own. A holder that does not take longer than
 * the last one will be done before us: for him we wait until the end. So do we for one that is done
 * and about to put the token there.
 */
static long long reserve_ms(const struct wait *wait)
{
	long long whole_ms = request_number(wait->session, "wait_ms");
	long long least_ms = within(0, LAST_LOOK_MS, whole_ms / 4);
	long long took_ms = wait->notice.took_ms;
	bool overdue = wait->notice.minting && wait->notice.elapsed_ms > took_ms * 3 / 2;

	if (took_ms == 0)
		return within(least_ms, whole_ms / RESERVE_PART, whole_ms);
	if (!overdue)
		return least_ms;
	return within(least_ms, took_ms * 3 / 2 + LAST_LOOK_MS, whole_ms / 2);
}

static bool has_rest(const struct wait *wait)
{
	long long now = request_now(wait->session);

	return wait->notice.until > now && wait->notice.until <= now + REST_MOST_S;
}

static enum status answer_rest(const struct wait *wait)
{
	struct buffer *answer = wait->session->answer;
	enum status status = attributes_add_number(
		answer, "rest", wait->notice.until - request_now(wait->session));

	return status ? status : attributes_add(answer, "reason", wait->notice.reason.reason);
}

/* From here on the others see that somebody is at it. */
static enum status take_turn(struct wait *wait)
{
	struct notice notice = {
		.at_ms = notice_now_ms(),
		.minting = true,
		.took_ms = wait->notice.took_ms,
	};
	enum status status = answer_turn(wait->session, wait->owner, wait->last_serial);

	if (!status)
		request_tell(wait->session, wait->session->store, &notice);
	return status;
}

/* One look at the lock and what lies there; *over: the answer is written. */
static enum status look_again(struct wait *wait, bool *mine, bool *over, struct failure *failure)
{
	const struct request *session = wait->session;
	const char *const names[] = {session->entry_name, session->notice_name};
	struct buffer *const values[] = {&wait->sealed, &wait->sealed_notice};
	enum status status = redis_lock(session->store, &wait->lock, names, mine, values, failure);

	*over = true;
	if (status || accept(session, &wait->sealed, &wait->last_serial, &status))
		return status;
	heed_notice(wait);
	if (has_rest(wait))
		return answer_rest(wait);
	if (*mine) {
		*mine = false;
		return take_turn(wait);
	}
	*over = false;
	return STATUS_OK;
}

static enum status wait_for_turn(struct wait *wait, struct failure *failure)
{
	const struct request *session = wait->session;
	const long long end = session->started + request_number(session, "wait_ms");
	enum status status = STATUS_OK;
	bool mine = false;
	bool over = false;

	while (!over) {
		long long before = process_milliseconds();
		long long left_ms;

		if (is_silent(wait))
			return status_fail(failure, STATUS_TIMEOUT,
				"its lock is held, but nobody is seen to keep it");
		redis_limit(session->store, wait->alive_at + patience_ms(wait));
		status = look_again(wait, &mine, &over, failure);
		left_ms = end - reserve_ms(wait) - process_milliseconds();
		if (over || left_ms <= 0)
			break;
		pause_after(process_milliseconds() - before, before - session->started, left_ms);
	}
	if (mine)
		request_give_up(session, &wait->lock);
	return status;
}

static enum status look_first(struct wait *wait, bool *over, struct failure *failure)
{
	struct request *session = wait->session;
	enum status status = redis_get(session->store, session->entry_name, &wait->sealed, failure);

	*over = !status && accept(session, &wait->sealed, &wait->last_serial, &status);
	return status;
}

/* Before anything is locked: a store that refuses a part of it is no use at all. */
static enum status take_or_wait(struct wait *wait, struct failure *failure)
{
	const struct request *session = wait->session;
	enum status status = redis_probe(session->store, session->probe_name, failure);

	return status ? status : wait_for_turn(wait, failure);
}

enum status look_for_token(struct request *session, struct failure *failure)
{
	struct wait wait = {
		.session = session,
		.sealed = BUFFER_INIT(SEAL_MAX_BYTES),
		.sealed_notice = BUFFER_INIT(NOTICE_MAX_BYTES),
		.alive_at = session->started,
	};
	bool over = false;
	enum status status = request_reach(session, failure);

	seal_make_owner(wait.owner);
	wait.lock = request_lock(session, wait.owner);
	if (!status)
		status = look_first(&wait, &over, failure);
	if (!status && !over && request_number(session, "wait_ms") > 0)
		status = take_or_wait(&wait, failure);
	buffer_release(&wait.sealed);
	buffer_release(&wait.sealed_notice);
	return status;
}
