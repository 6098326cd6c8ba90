/*
 * sypht-fleet: uses the store that the members of a fleet share. It reads one question from stdin
 * and writes one answer to stdout, both as key=value lines. The question has a verb, and then the
 * lines that sypht-mint reads, from which the encryption key is derived.
 *
 *	look      One of four answers. The stored token: credential, granted_scope, obtained,
 *	          expires, serial. The right to mint the next one: owner, serial. The endpoint must
 *	          not be asked: rest (seconds), reason. Or nothing: the time is over.
 *	hold      Run sypht-mint and extend the lock meanwhile. Its answer is ours.
 *	put       Store a token and release the lock: done=1
 *	release   Release the lock: done=1
 *	drop      Remove this token if it still is the stored one; without a token, remove any:
 *	          done=1
 *	ping      Check that the store can do all of the above.
 *
 * After a failure the answer is status and error. Only this program links hiredis and libsodium.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "core/attributes.h"
#include "fleet/heartbeat.h"
#include "fleet/lookup.h"
#include "fleet/request.h"
#include "libexec.h"
#include "process.h"

/* ---- hold ---- */

enum { REST_LEAST_S = 5, REST_MOST_S = 300 };

/* Everything but the store's URL, which may hold a password that sypht-mint does not need. */
static enum status write_mint_request(const struct request *request, struct buffer *out)
{
	const char *value;
	enum status status = STATUS_OK;

	for (const char *key = NULL;
		!status && (key = attributes_each(request->asked, key, &value));) {
		if (strcmp(key, "store") != 0)
			status = attributes_add(out, key, value);
	}
	return status ? status : buffer_append_text(out, "\n");
}

static enum status copy_answer(const struct request *request, const struct attributes *answer)
{
	const char *value;
	enum status status = STATUS_OK;

	for (const char *key = NULL; !status && (key = attributes_each(answer, key, &value));)
		status = attributes_add(request->answer, key, value);
	return status;
}

/*
 * How many seconds the endpoint wants no request, because of Retry-After or status 429. That holds
 * for every member of the fleet. The limit keeps a wrong header from stopping the fleet for long.
 */
static long read_rest(const struct attributes *answer)
{
	long long seconds = attributes_number(answer, "retry_after");

	if (seconds == 0 && attributes_number(answer, "http_status") == 429)
		seconds = REST_LEAST_S;
	return seconds < REST_MOST_S ? (long)seconds : REST_MOST_S;
}

/* What the other members should know about the mint that has just ended. */
static struct notice make_notice(const struct request *request, const struct attributes *answer)
{
	const char *error = attributes_get(answer, "error");
	struct notice notice = {.at_ms = notice_now_ms()};
	long rest_s = read_rest(answer);

	if (attributes_get(answer, "credential"))
		notice.took_ms = process_milliseconds() - request->started;
	if (error && rest_s > 0) {
		notice.until = notice.at_ms / 1000 + rest_s;
		status_fail(&notice.reason, STATUS_OK, "%s", error);
	}
	return notice;
}

static enum status hold_lock(struct request *request, struct failure *failure)
{
	const struct redis_lock lock = request_lock(request, request_text(request, "owner"));
	struct buffer mint_request = BUFFER_INIT(ATTRIBUTES_MAX_BYTES);
	struct attributes answer = ATTRIBUTES_INIT;
	enum status status = write_mint_request(request, &mint_request);
	const struct heartbeat heartbeat = heartbeat_start(request, &lock);
	struct notice last;

	if (!status)
		status = libexec_ask("sypht-mint", &mint_request,
			(long)request_number(request, "timeout_ms"), &answer, failure);
	last = make_notice(request, &answer);
	heartbeat_end(&heartbeat, &last);
	if (!status)
		status = copy_answer(request, &answer);
	attributes_release(&answer);
	buffer_release(&mint_request);
	return status;
}

/* ---- put, release, drop, ping ---- */

static enum status answer_done(const struct request *request, bool well)
{
	return well ? attributes_add_number(request->answer, "done", 1) : STATUS_OK;
}

static enum status put_token(struct request *request, struct failure *failure)
{
	const struct redis_lock lock = request_lock(request, request_text(request, "owner"));
	struct buffer sealed = BUFFER_INIT(SEAL_MAX_BYTES);
	struct entry entry = {.serial = request_number(request, "serial")};
	bool readable = token_read(&entry.token, request->asked);
	long long life_ms = (long long)(entry.token.expires - request_now(request)) * 1000;
	bool well = false;
	enum status status = request_reach(request, failure);

	if (!status && (!readable || seal_close(&request->seal, &entry, &sealed)))
		status = status_fail(failure, STATUS_NO_MEMORY, "the token cannot be encrypted");
	if (!status && life_ms > 0)
		status = redis_put(request->store, &lock, request->entry_name, &sealed, life_ms,
			&well, failure);
	if (status == STATUS_REFUSED)
		request_give_up(request, &lock);
	token_release(&entry.token);
	buffer_release(&sealed);
	return status ? status : answer_done(request, well);
}

static enum status release_lock(struct request *request, struct failure *failure)
{
	const struct redis_lock lock = request_lock(request, request_text(request, "owner"));
	enum status status = request_reach(request, failure);

	if (!status)
		status = redis_release(request->store, &lock, failure);
	return status ? status : answer_done(request, true);
}

static enum status drop_token(struct request *request, struct failure *failure)
{
	const char *value = attributes_get(request->asked, "credential");
	struct buffer sealed = BUFFER_INIT(SEAL_MAX_BYTES);
	struct entry entry = ENTRY_INIT;
	bool well = false;
	enum status status = request_reach(request, failure);

	if (!status)
		status = redis_get(request->store, request->entry_name, &sealed, failure);
	if (!status && seal_open(&request->seal, &sealed, &entry) &&
		(!value || strcmp(entry.token.value, value) == 0))
		status = redis_drop(request->store, request->entry_name, &sealed, &well, failure);
	token_release(&entry.token);
	buffer_release(&sealed);
	return status ? status : answer_done(request, well);
}

static enum status ping_store(struct request *request, struct failure *failure)
{
	enum status status = request_reach(request, failure);

	return status ? status : redis_probe(request->store, request->probe_name, failure);
}

/* ---- one question, one answer ---- */

static const struct verb {
	const char *name;
	enum status (*run)(struct request *request, struct failure *failure);
	bool sealed; /* it needs the encryption key, so the question must have the secret */
} VERBS[] = {
	{"look", lookup_token, true},
	{"hold", hold_lock, true},
	{"put", put_token, true},
	{"release", release_lock, true},
	{"drop", drop_token, true},
	{"ping", ping_store, false},
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof(VERBS) / sizeof(VERBS[0]); i++) {
		if (strcmp(VERBS[i].name, name) == 0)
			return &VERBS[i];
	}
	return NULL;
}

/*
 * A Redis cluster places keys by the text in braces. The same text puts all of ours on one node,
 * and a script can only use keys of one node.
 */
static void name_place(const struct request *request, const char *suffix, char *name)
{
	snprintf(name, REQUEST_NAME_BYTES, "sypht:{%s}:%s", request->seal.name, suffix);
}

/* A ping without a secret has no key to derive names from. It probes names that no fleet uses. */
static enum status name_places(struct request *request, bool sealed, struct failure *failure)
{
	enum status status = STATUS_OK;

	if (sealed || attributes_get(request->asked, "client_id"))
		status = seal_derive(&request->seal, request->asked, failure);
	name_place(request, "token", request->entry_name);
	name_place(request, "lock", request->lock_name);
	name_place(request, "notice", request->notice_name);
	name_place(request, "probe", request->probe_name);
	return status;
}

static enum status answer_question(const struct attributes *asked, struct buffer *story,
	struct buffer *answer, struct failure *failure)
{
	struct request request = {
		.asked = asked,
		.answer = answer,
		.started = process_milliseconds(),
	};
	const struct verb *verb = find_verb(request_text(&request, "verb"));
	enum status status = STATUS_OK;

	(void)story;
	request.place = (struct redis_place){
		.url = &request.url,
		.cainfo = attributes_get(asked, "cainfo"),
		.answer_ms = (long)request_number(&request, "answer_ms"),
	};
	if (!verb || !storeurl_parse(&request.url, request_text(&request, "store")) ||
		request.place.answer_ms < 1)
		status = status_fail(failure, STATUS_MALFORMED,
			"sypht-fleet needs verb, store and answer_ms on stdin");
	if (verb && !status)
		status = name_places(&request, verb->sealed, failure);
	if (verb && !status)
		status = verb->run(&request, failure);
	redis_close(request.store);
	seal_clear(&request.seal);
	storeurl_clear(&request.url);
	return status;
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN); /* writing to a store that hangs up fails with EPIPE instead */
	return libexec_main(answer_question);
}
