/*
 * sypht-fleet: what a member of a fleet has to do with the store it shares. One question on stdin,
 * one answer on stdout, as for sypht-mint, whose request it takes behind rows of its own:
 *
 *	look      the token that lies there: credential, granted_scope, obtained, expires, serial;
 *	          else owner and serial, the right to mint the next; else rest and reason, the
 *	          seconds for which the endpoint must not be asked; else, in the end, nothing
 *	hold      sypht-mint's answer, with the lock kept meanwhile
 *	put       a token there, and release the lock: done=1
 *	release   the lock alone: done=1
 *	drop      this token, if it still is there, or without one whichever is: done=1
 *	ping      whether the store does all that the others take
 *
 * What cannot be done is status and error. It owns hiredis and libsodium.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/attributes.h"
#include "fleet/heartbeat.h"
#include "fleet/lookup.h"
#include "fleet/request.h"
#include "libexec.h"
#include "process.h"

/* ---- hold ---- */

enum { REST_LEAST_S = 5, REST_MOST_S = 300 };

/* The request without what is the store's alone. */
static enum status write_request(const struct request *session, struct buffer *request)
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

static enum status pass_on(const struct request *session, const struct attributes *answer)
{
	const char *value;
	enum status status = STATUS_OK;

	for (const char *key = NULL; !status && (key = attributes_each(answer, key, &value));)
		status = attributes_add(session->answer, key, value);
	return status;
}

/* An endpoint that asks to be left alone means all of us, for no longer than we believe it. */
static long rest_of(const struct attributes *answer)
{
	const char *retry_after = attributes_get(answer, "retry_after");
	const char *http_status = attributes_get(answer, "http_status");
	long seconds = retry_after ? strtol(retry_after, NULL, 10) : 0;

	if (seconds <= 0 && http_status && strcmp(http_status, "429") == 0)
		seconds = REST_LEAST_S;
	return seconds < REST_MOST_S ? seconds : REST_MOST_S;
}

/* What the other members are to know of the mint that has just ended. */
static struct notice notice_of(const struct request *session, const struct attributes *answer)
{
	const char *error = attributes_get(answer, "error");
	struct notice notice = {.at_ms = notice_now_ms()};
	long rest_s = rest_of(answer);

	if (attributes_get(answer, "credential"))
		notice.took_ms = process_milliseconds() - session->started;
	if (error && rest_s > 0) {
		notice.until = notice.at_ms / 1000 + rest_s;
		status_fail(&notice.reason, STATUS_OK, "%s", error);
	}
	return notice;
}

static enum status hold(struct request *session, struct failure *failure)
{
	const struct redis_lock lock = request_lock(session, request_text(session, "owner"));
	struct buffer request = BUFFER_INIT(ATTRIBUTES_MAX_BYTES);
	struct attributes answer = ATTRIBUTES_INIT;
	enum status status = write_request(session, &request);
	const struct heartbeat keeper = heartbeat_start(session, &lock);
	struct notice last;

	if (!status)
		status = libexec_ask("sypht-mint", &request,
			(long)request_number(session, "timeout_ms"), &answer, failure);
	last = notice_of(session, &answer);
	heartbeat_end(&keeper, &last);
	if (!status)
		status = pass_on(session, &answer);
	attributes_release(&answer);
	buffer_release(&request);
	return status;
}

/* ---- put, release, drop, ping ---- */

static enum status done(const struct request *session, bool well)
{
	return well ? attributes_add_number(session->answer, "done", 1) : STATUS_OK;
}

static enum status put(struct request *session, struct failure *failure)
{
	const struct redis_lock lock = request_lock(session, request_text(session, "owner"));
	struct buffer sealed = BUFFER_INIT(SEAL_MAX_BYTES);
	struct entry entry = {
		.token.value = buffer_duplicate(attributes_get(session->asked, "credential")),
		.token.scope = buffer_duplicate(attributes_get(session->asked, "granted_scope")),
		.token.obtained = (time_t)request_number(session, "obtained"),
		.token.expires = (time_t)request_number(session, "expires"),
		.serial = request_number(session, "serial"),
	};
	long long life_ms = (long long)(entry.token.expires - request_now(session)) * 1000;
	bool well = false;
	enum status status = request_reach(session, failure);

	if (!status && (!entry.token.value || seal_close(&session->seal, &entry, &sealed)))
		status = status_fail(failure, STATUS_NO_MEMORY, "the token cannot be sealed");
	if (!status && life_ms > 0)
		status = redis_put(session->store, &lock, session->entry_name, &sealed, life_ms,
			&well, failure);
	if (status == STATUS_REFUSED)
		request_give_up(session, &lock);
	token_release(&entry.token);
	buffer_release(&sealed);
	return status ? status : done(session, well);
}

static enum status release(struct request *session, struct failure *failure)
{
	const struct redis_lock lock = request_lock(session, request_text(session, "owner"));
	enum status status = request_reach(session, failure);

	if (!status)
		status = redis_release(session->store, &lock, failure);
	return status ? status : done(session, true);
}

static enum status drop(struct request *session, struct failure *failure)
{
	const char *value = attributes_get(session->asked, "credential");
	struct buffer sealed = BUFFER_INIT(SEAL_MAX_BYTES);
	struct entry entry = ENTRY_INIT;
	bool well = false;
	enum status status = request_reach(session, failure);

	if (!status)
		status = redis_get(session->store, session->entry_name, &sealed, failure);
	if (!status && seal_open(&session->seal, &sealed, &entry) &&
		(!value || strcmp(entry.token.value, value) == 0))
		status = redis_drop(session->store, session->entry_name, &sealed, &well, failure);
	token_release(&entry.token);
	buffer_release(&sealed);
	return status ? status : done(session, well);
}

static enum status ping(struct request *session, struct failure *failure)
{
	enum status status = request_reach(session, failure);

	return status ? status : redis_probe(session->store, session->probe_name, failure);
}

/* ---- one question, one answer ---- */

static const struct verb {
	const char *name;
	enum status (*run)(struct request *session, struct failure *failure);
	bool sealed; /* it has to do with an entry */
} VERBS[] = {
	{"look", look_for_token, true},
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

/* Braces, so that a cluster keeps all of them in one place, as scripts demand. */
static void name_place(const struct request *session, const char *suffix, char *name)
{
	snprintf(name, REQUEST_NAME_BYTES, "sypht:{%s}:%s", session->seal.name, suffix);
}

/* A ping by whoever has no secret is about a place of nobody's. */
static enum status name_places(struct request *session, bool sealed, struct failure *failure)
{
	enum status status = STATUS_OK;

	if (sealed || attributes_get(session->asked, "client_id"))
		status = seal_derive(&session->seal, session->asked, failure);
	name_place(session, "token", session->entry_name);
	name_place(session, "lock", session->lock_name);
	name_place(session, "notice", session->notice_name);
	name_place(session, "probe", session->probe_name);
	return status;
}

static enum status answer_question(
	const struct attributes *asked, struct buffer *answer, struct failure *failure)
{
	struct request session = {
		.asked = asked,
		.answer = answer,
		.started = process_milliseconds(),
	};
	const struct verb *verb = find_verb(request_text(&session, "verb"));
	enum status status = STATUS_OK;

	session.place = (struct redis_place){
		.url = &session.url,
		.cainfo = attributes_get(asked, "cainfo"),
		.answer_ms = (long)request_number(&session, "answer_ms"),
	};
	if (!verb || !storeurl_parse(&session.url, request_text(&session, "store")) ||
		session.place.answer_ms < 1)
		status = status_fail(failure, STATUS_MALFORMED,
			"sypht-fleet needs verb, store and answer_ms on stdin");
	if (verb && !status)
		status = name_places(&session, verb->sealed, failure);
	if (verb && !status)
		status = verb->run(&session, failure);
	redis_close(session.store);
	seal_clear(&session.seal);
	storeurl_clear(&session.url);
	return status;
}

int main(void)
{
	struct attributes asked = ATTRIBUTES_INIT;
	struct buffer answer = BUFFER_INIT(ATTRIBUTES_MAX_BYTES);
	struct failure failure = {.reason = ""};
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
