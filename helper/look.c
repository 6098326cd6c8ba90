#include "look.h"

#include <string.h>
#include <time.h>

#include "attributes.h"
#include "process.h"
#include "session.h"

enum {
	CLOCKS_DIFFER_S = 60,
	PAUSE_LEAST_MS = 10,
	PAUSE_MOST_MS = 500,
	PAUSE_PART = 4,   /* a wait grows by a quarter at most through the pauses in it */
	PAUSE_LOOKS = 16, /* what a look takes, so that no fleet is a burden to its store */
};

/* Whether the token is one that may be served: none of those that were seen off already. */
static bool is_wanted(const struct session *session, const struct entry *entry)
{
	const struct token *token = &entry->token;
	const char *rejected = attributes_get(session->asked, "rejected");
	char fingerprint[TOKEN_FINGERPRINT_BYTES];
	time_t time_now = session_now(session);

	token_fingerprint(token->value, fingerprint);
	return entry->serial >= session_number(session, "serial") &&
	       token_usable(token, time_now) &&
	       token_is_believable(
		       token, (long)session_number(session, "max_lifetime"), time_now) &&
	       token->expires - time_now >= session_number(session, "min_valid") &&
	       !(rejected && strcmp(rejected, fingerprint) == 0) &&
	       !(session_number(session, "fresh") && token_wants_renewal(token, time_now));
}

static enum status answer_entry(const struct session *session, const struct entry *entry)
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
static void settle_times(const struct session *session, struct token *token)
{
	time_t ahead = token->obtained - session_now(session);

	if (ahead > 0 && ahead <= CLOCKS_DIFFER_S) {
		token->obtained -= ahead;
		token->expires -= ahead;
	}
}

/* Whatever else lies there is a miss; *last is the highest serial seen. */
static bool accept(const struct session *session, const struct buffer *sealed, long long *last,
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

static enum status answer_turn(const struct session *session, const char *owner, long long last)
{
	long long serial = new_serial();
	enum status status = attributes_add(session->answer, "owner", owner);

	if (serial < session_number(session, "serial"))
		serial = session_number(session, "serial");
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

static enum status wait_for_turn(
	struct session *session, struct buffer *sealed, long long last, struct failure *failure)
{
	char owner[SEAL_OWNER_BYTES];
	const struct store_lock lock = session_lock(session, owner);
	const long long deadline = session->started + session_number(session, "wait_ms");
	enum status status = STATUS_OK;
	bool mine = false;

	seal_make_owner(owner);
	for (;;) {
		long long before = process_milliseconds();
		long long after;

		status = store_lock(
			session->store, &lock, session->entry_name, &mine, sealed, failure);
		if (status || accept(session, sealed, &last, &status))
			break;
		if (mine)
			return answer_turn(session, owner, last);
		after = process_milliseconds();
		if (after >= deadline)
			break;
		pause_after(after - before, after - session->started, deadline - after);
	}
	if (mine)
		session_give_up(session, &lock);
	return status;
}

enum status look_for_token(struct session *session, struct failure *failure)
{
	struct buffer sealed = BUFFER_INIT(SEAL_MAX_BYTES);
	long long last = 0;
	enum status status = session_reach(session, failure);

	if (!status)
		status = store_get(session->store, session->entry_name, &sealed, failure);
	if (!status && !accept(session, &sealed, &last, &status))
		status = wait_for_turn(session, &sealed, last, failure);
	buffer_release(&sealed);
	return status;
}
