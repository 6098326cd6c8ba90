/*
 * sypht-fleet: what a member of a fleet has to do with the store it shares. One question on stdin,
 * one answer on stdout, as for sypht-mint, whose request it takes behind rows of its own:
 *
 *	look      the token that lies there: credential, granted_scope, obtained, expires, serial;
 *	          else owner and serial, the right to mint the next; else, after wait_ms, neither
 *	hold      sypht-mint's answer, with the lock kept meanwhile
 *	put       a token there, and release the lock: done=1
 *	release   the lock alone: done=1
 *	drop      this token, if it still is there: done=1
 *	ping
 *
 * What cannot be done is status and error. It owns hiredis and libsodium.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "attributes.h"
#include "keeper.h"
#include "part.h"
#include "process.h"
#include "seal.h"
#include "store.h"
#include "storeurl.h"

enum {
	NAME_MAX_BYTES = 64,
	PAUSE_LEAST_MS = 10,
	PAUSE_MOST_MS = 500,
	PAUSE_PART = 4,   /* a wait grows by a quarter at most through the pauses in it */
	PAUSE_LOOKS = 16, /* what a look takes, so that no fleet is a burden to its store */
};

struct session {
	const struct attributes *asked;
	struct buffer *answer;
	long long started; /* on the clock of process_milliseconds() */
	struct seal seal;
	char entry_name[NAME_MAX_BYTES];
	char lock_name[NAME_MAX_BYTES];
	struct storeurl url;
	struct store_place place;
	struct store *store; /* NULL until it is needed */
};

/* ---- what was asked ---- */

static long long number(const struct session *session, const char *key)
{
	const char *text = attributes_get(session->asked, key);

	return text ? strtoll(text, NULL, 10) : 0;
}

static const char *text(const struct session *session, const char *key)
{
	const char *value = attributes_get(session->asked, key);

	return value ? value : "";
}

/* Whoever asks says what time it is; from there on it passes. */
static time_t now(const struct session *session)
{
	long long passed_ms = process_milliseconds() - session->started;

	return (time_t)(number(session, "now") + passed_ms / 1000);
}

static struct store_lock lock_of(const struct session *session, const char *owner)
{
	return (struct store_lock){
		.name = session->lock_name,
		.owner = owner,
		.life_ms = (long)number(session, "lock_ms"),
	};
}

/*
 * Nothing bounds a resolver, so whoever would wait too long for it ends, by SIGALRM; that is no
 * answer, which is what he would have had to say.
 */
static enum status reach(struct session *session, struct failure *failure)
{
	const struct itimerval off = {0};
	struct itimerval limit = {
		.it_value.tv_sec = session->place.answer_ms * 2 / 1000,
		.it_value.tv_usec = session->place.answer_ms * 2 % 1000 * 1000,
	};
	enum status status;

	setitimer(ITIMER_REAL, &limit, NULL);
	status = store_open(&session->place, &session->store, failure);
	setitimer(ITIMER_REAL, &off, NULL);
	return status;
}

static enum status done(const struct session *session, bool well)
{
	return well ? attributes_add_number(session->answer, "done", 1) : STATUS_OK;
}

/* ---- look ---- */

/* Whether the token is one that may be served: none of those that were seen off already. */
static bool is_wanted(const struct session *session, const struct entry *entry)
{
	const struct token *token = &entry->token;
	const char *rejected = attributes_get(session->asked, "rejected");
	char fingerprint[TOKEN_FINGERPRINT_BYTES];
	time_t time_now = now(session);

	token_fingerprint(token->value, fingerprint);
	return entry->serial >= number(session, "serial") && token_usable(token, time_now) &&
	       token_is_believable(token, (long)number(session, "max_lifetime"), time_now) &&
	       token->expires - time_now >= number(session, "min_valid") &&
	       !(rejected && strcmp(rejected, fingerprint) == 0) &&
	       !(number(session, "fresh") && token_wants_renewal(token, time_now));
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

/* Whatever else lies there is a miss; *last is the highest serial seen. */
static bool accept(const struct session *session, const struct buffer *sealed, long long *last,
	enum status *status)
{
	struct entry entry;
	bool wanted = false;

	if (sealed->length > 0 && seal_open(&session->seal, sealed, &entry)) {
		*last = entry.serial > *last ? entry.serial : *last;
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

	if (serial < number(session, "serial"))
		serial = number(session, "serial");
	if (serial <= last)
		serial = last + 1;
	return status ? status : attributes_add_number(session->answer, "serial", serial);
}

/* What cannot be released ends by itself. */
static void give_up(const struct session *session, const struct store_lock *lock)
{
	struct failure unheard;

	if (store_release(session->store, lock, &unheard))
		return;
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
	const struct store_lock lock = lock_of(session, owner);
	const long long deadline = session->started + number(session, "wait_ms");
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
		give_up(session, &lock);
	return status;
}

static enum status look(struct session *session, struct failure *failure)
{
	struct buffer sealed = BUFFER_INIT(SEAL_MAX_BYTES);
	long long last = 0;
	enum status status = reach(session, failure);

	if (!status)
		status = store_get(session->store, session->entry_name, &sealed, failure);
	if (!status && !accept(session, &sealed, &last, &status))
		status = wait_for_turn(session, &sealed, last, failure);
	buffer_release(&sealed);
	return status;
}

/* ---- hold ---- */

/* The request without what is the store's alone. */
static enum status write_request(const struct session *session, struct buffer *request)
{
	const char *value;
	enum status status = STATUS_OK;

	for (const char *key = NULL;
		!status && (key = attributes_each(session->asked, key, &value));) {
		if (strcmp(key, "store") != 0)
			status = attributes_add(request, key, value);
	}
	return status ? status : buffer_append_text(request, "\n");
}

static enum status pass_on(const struct session *session, const struct attributes *answer)
{
	const char *value;
	enum status status = STATUS_OK;

	for (const char *key = NULL; !status && (key = attributes_each(answer, key, &value));)
		status = attributes_add(session->answer, key, value);
	return status;
}

static enum status hold(struct session *session, struct failure *failure)
{
	const struct store_lock lock = lock_of(session, text(session, "owner"));
	struct buffer request = BUFFER_INIT(ATTRIBUTES_MAX_BYTES);
	struct attributes answer = ATTRIBUTES_INIT;
	enum status status = write_request(session, &request);
	pid_t keeper = keeper_start(&session->place, &lock);

	if (!status)
		status = part_ask("sypht-mint", &request, (long)number(session, "timeout_ms"),
			&answer, failure);
	keeper_end(keeper);
	if (!status)
		status = pass_on(session, &answer);
	attributes_release(&answer);
	buffer_release(&request);
	return status;
}

/* ---- put, release, drop, ping ---- */

static enum status put(struct session *session, struct failure *failure)
{
	const struct store_lock lock = lock_of(session, text(session, "owner"));
	struct buffer sealed = BUFFER_INIT(SEAL_MAX_BYTES);
	struct entry entry = {
		.token.value = buffer_duplicate(attributes_get(session->asked, "credential")),
		.token.scope = buffer_duplicate(attributes_get(session->asked, "granted_scope")),
		.token.obtained = (time_t)number(session, "obtained"),
		.token.expires = (time_t)number(session, "expires"),
		.serial = number(session, "serial"),
	};
	long long life_ms = (long long)(entry.token.expires - now(session)) * 1000;
	bool well = false;
	enum status status = reach(session, failure);

	if (!status && (!entry.token.value || seal_close(&session->seal, &entry, &sealed)))
		status = status_fail(failure, STATUS_NO_MEMORY, "the token cannot be sealed");
	if (!status && life_ms > 0)
		status = store_put(session->store, &lock, session->entry_name, &sealed, life_ms,
			&well, failure);
	if (status == STATUS_REFUSED)
		give_up(session, &lock);
	token_release(&entry.token);
	buffer_release(&sealed);
	return status ? status : done(session, well);
}

static enum status release(struct session *session, struct failure *failure)
{
	const struct store_lock lock = lock_of(session, text(session, "owner"));
	enum status status = reach(session, failure);

	if (!status)
		status = store_release(session->store, &lock, failure);
	return status ? status : done(session, true);
}

static enum status drop(struct session *session, struct failure *failure)
{
	struct buffer sealed = BUFFER_INIT(SEAL_MAX_BYTES);
	struct entry entry = ENTRY_INIT;
	bool well = false;
	enum status status = reach(session, failure);

	if (!status)
		status = store_get(session->store, session->entry_name, &sealed, failure);
	if (!status && seal_open(&session->seal, &sealed, &entry) &&
		strcmp(entry.token.value, text(session, "credential")) == 0)
		status = store_drop(session->store, session->entry_name, &sealed, &well, failure);
	token_release(&entry.token);
	buffer_release(&sealed);
	return status ? status : done(session, well);
}

static enum status ping(struct session *session, struct failure *failure)
{
	enum status status = reach(session, failure);

	return status ? status : store_ping(session->store, failure);
}

/* ---- one question, one answer ---- */

static const struct verb {
	const char *name;
	enum status (*run)(struct session *session, struct failure *failure);
	bool sealed; /* it has to do with an entry */
} VERBS[] = {
	{"look", look, true},
	{"hold", hold, true},
	{"put", put, true},
	{"release", release, true},
	{"drop", drop, true},
	{"ping", ping, false},
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof(VERBS) / sizeof(VERBS[0]); i++) {
		if (strcmp(VERBS[i].name, name) == 0)
			return &VERBS[i];
	}
	return NULL;
}

/* Braces, so that a cluster keeps both in one place, as what is done to them at once demands. */
static enum status name_places(struct session *session, struct failure *failure)
{
	enum status status = seal_derive(&session->seal, session->asked, failure);

	snprintf(session->entry_name, NAME_MAX_BYTES, "sypht:{%s}:token", session->seal.name);
	snprintf(session->lock_name, NAME_MAX_BYTES, "sypht:{%s}:lock", session->seal.name);
	return status;
}

static enum status answer_question(
	const struct attributes *asked, struct buffer *answer, struct failure *failure)
{
	struct session session = {
		.asked = asked,
		.answer = answer,
		.started = process_milliseconds(),
	};
	const struct verb *verb = find_verb(text(&session, "verb"));
	enum status status = STATUS_OK;

	session.place = (struct store_place){
		.url = &session.url,
		.cainfo = attributes_get(asked, "cainfo"),
		.answer_ms = (long)number(&session, "answer_ms"),
	};
	if (!verb || !storeurl_parse(&session.url, text(&session, "store")) ||
		session.place.answer_ms < 1)
		status = status_fail(failure, STATUS_MALFORMED,
			"sypht-fleet needs verb, store and answer_ms on stdin");
	if (verb && verb->sealed && !status)
		status = name_places(&session, failure);
	if (verb && !status)
		status = verb->run(&session, failure);
	store_close(session.store);
	seal_clear(&session.seal);
	storeurl_clear(&session.url);
	return status;
}

int main(void)
{
	struct attributes asked = ATTRIBUTES_INIT;
	struct buffer answer = BUFFER_INIT(ATTRIBUTES_MAX_BYTES);
	struct failure failure = {""};
	enum status status;

	process_harden();
	signal(SIGPIPE, SIG_IGN); /* a store that hangs up is a failed write */
	status = attributes_read(&asked, STDIN_FILENO, &failure);
	if (!status)
		status = answer_question(&asked, &answer, &failure);
	if (status) {
		buffer_clear(&answer);
		if (attributes_add_number(&answer, "status", status) ||
			attributes_add(&answer, "error", failure.reason))
			buffer_clear(&answer);
	}
	if (buffer_append_text(&answer, "\n") || buffer_write(&answer, STDOUT_FILENO))
		status = STATUS_SYSTEM;

	buffer_release(&answer);
	attributes_release(&asked);
	return status_exit_code(status);
}
