#include "fleet/redis.h"

#include <hiredis/hiredis.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#include "core/storeurl.h"
#include "fleet/redisrefusal.h"
#include "process.h"

#ifdef SYPHT_STORE_TLS
#include "fleet/redistls.h"
#endif

enum { REPLY_MAX_BYTES = 256 * 1024, NUMBER_MAX_BYTES = 24, ARGUMENTS_MAX = 8 };

struct redis {
	redisContext *context;
	long answer_ms;
	long long limit; /* no call lasts beyond it */
};

/* ---- commands and replies ---- */

struct word {
	const char *bytes;
	size_t length;
};

static struct word word_of_text(const char *text)
{
	return (struct word){text, strlen(text)};
}

static struct word word_of_number(long long value, char buffer[NUMBER_MAX_BYTES])
{
	snprintf(buffer, NUMBER_MAX_BYTES, "%lld", value);
	return word_of_text(buffer);
}

static enum status append_command(
	struct redis *store, const struct word *words, struct failure *failure)
{
	const char *argv[ARGUMENTS_MAX];
	size_t lengths[ARGUMENTS_MAX];
	int count = 0;

	for (; words[count].bytes; count++) {
		argv[count] = words[count].bytes;
		lengths[count] = words[count].length;
	}
	if (redisAppendCommandArgv(store->context, count, argv, lengths) == REDIS_OK)
		return STATUS_OK;
	return status_no_memory(failure);
}

#define APPEND(store, failure, ...) \
	append_command(store, (const struct word[]){__VA_ARGS__, {NULL, 0}}, failure)

/*
 * hiredis has a timeout for each read or write, none for a whole command. So set it to the time
 * that is left before each of them: a server that sends a byte a second must not hold us up.
 */
static bool bound_time(struct redis *store, long long deadline)
{
	long long left_ms = deadline - process_milliseconds();
	struct timeval limit = {
		.tv_sec = (time_t)(left_ms / 1000),
		.tv_usec = (suseconds_t)(left_ms % 1000 * 1000),
	};

	return left_ms > 0 && redisSetTimeout(store->context, limit) == REDIS_OK;
}

static bool write_all(struct redis *store, long long deadline)
{
	int done = 0;

	while (!done) {
		if (!bound_time(store, deadline) ||
			redisBufferWrite(store->context, &done) != REDIS_OK)
			return false;
	}
	return true;
}

/*
 * The first byte is the type of the reply, and none that we expect is a list. hiredis would
 * allocate as many elements as a list announces: "*1073741824" takes a gigabyte.
 */
static bool is_expected(const redisReader *reader)
{
	return reader->len == reader->pos || strchr("+-:$", reader->buf[reader->pos]);
}

/*
 * Read one reply; NULL: none came in time, or it is malformed. hiredis parses what has arrived and
 * keeps the rest, so count the bytes here: a server may send without end. Reject replies longer
 * than the largest value we ever store.
 */
static redisReply *read_reply(struct redis *store, long long deadline)
{
	redisReader *reader = store->context->reader;
	size_t total = 0;
	void *reply = NULL;

	while (is_expected(reader) && redisReaderGetReply(reader, &reply) == REDIS_OK && !reply) {
		size_t before = reader->len;

		if (total > REPLY_MAX_BYTES || !bound_time(store, deadline) ||
			redisBufferRead(store->context) != REDIS_OK)
			return NULL;
		total += reader->len - before;
	}
	return reply;
}

/* The reply to the oldest command without one. *reply is NULL after a failure. */
static enum status read_answer(
	struct redis *store, long long deadline, redisReply **reply, struct failure *failure)
{
	enum status status;

	*reply = read_reply(store, deadline);
	if (!*reply)
		return status_fail(failure, STATUS_UNREACHABLE, "%s",
			process_milliseconds() >= deadline ? "no answer in time"
							   : "the answer is not valid");
	if ((*reply)->type != REDIS_REPLY_ERROR)
		return STATUS_OK;
	status = status_fail(failure, STATUS_REFUSED, "%s", redisrefusal_explain((*reply)->str));
	freeReplyObject(*reply);
	*reply = NULL;
	return status;
}

static enum status send_commands(struct redis *store, long long *deadline, struct failure *failure)
{
	/* one deadline for all commands that are sent together, and for their answers */
	*deadline = process_milliseconds() + store->answer_ms;
	if (*deadline > store->limit)
		*deadline = store->limit;
	if (write_all(store, *deadline))
		return STATUS_OK;
	return status_fail(failure, STATUS_UNREACHABLE, "%s",
		process_milliseconds() >= *deadline ? "no answer in time" : "the connection broke");
}

static enum status exchange_command(
	struct redis *store, redisReply **reply, struct failure *failure)
{
	long long deadline;
	enum status status = send_commands(store, &deadline, failure);

	*reply = NULL;
	return status ? status : read_answer(store, deadline, reply, failure);
}

/* hiredis does not wipe, and the reply may be a sealed token. */
static void free_reply(redisReply *reply)
{
	if (reply && reply->str)
		explicit_bzero(reply->str, reply->len);
	if (reply)
		freeReplyObject(reply);
}

/* For commands of which only the success matters. */
static enum status run_command(struct redis *store, struct failure *failure)
{
	redisReply *reply;
	enum status status = exchange_command(store, &reply, failure);

	free_reply(reply);
	return status;
}

/* For scripts, which answer 1 or 0. */
static enum status run_script(struct redis *store, bool *yes, struct failure *failure)
{
	redisReply *reply;
	enum status status = exchange_command(store, &reply, failure);

	*yes = reply && reply->type == REDIS_REPLY_INTEGER && reply->integer == 1;
	free_reply(reply);
	return status;
}

static enum status take_value(
	const redisReply *reply, struct buffer *value, struct failure *failure)
{
	buffer_clear(value);
	if (!reply || reply->type == REDIS_REPLY_NIL)
		return STATUS_OK;
	if (reply->type != REDIS_REPLY_STRING)
		return status_fail(failure, STATUS_UNREACHABLE, "the answer is not valid");
	/* a value that is too long for the buffer is not ours, so it counts as absent */
	return buffer_append(value, reply->str, reply->len) == STATUS_NO_MEMORY
		       ? status_no_memory(failure)
		       : STATUS_OK;
}

/* ---- connections ---- */

/* The limit is for the connection alone. request_reach() bounds the look-up of the host's name. */
static enum status connect_to(
	struct redis *store, const struct storeurl *url, struct failure *failure)
{
	struct timeval limit = {
		.tv_sec = store->answer_ms / 1000,
		.tv_usec = store->answer_ms % 1000 * 1000,
	};

	if (url->kind == STOREURL_UNIX)
		store->context = redisConnectUnixWithTimeout(url->place, limit);
	else
		store->context = redisConnectWithTimeout(url->place, url->port, limit);
	if (!store->context)
		return status_no_memory(failure);
	if (store->context->err)
		return status_fail(failure, STATUS_UNREACHABLE, "%s", store->context->errstr);
	return STATUS_OK;
}

static enum status secure_connection(
	struct redis *store, const struct redis_place *place, struct failure *failure)
{
	if (place->url->kind != STOREURL_TLS)
		return STATUS_OK;
#ifdef SYPHT_STORE_TLS
	return redistls_start(store->context, place->url->place, place->cainfo, failure);
#else
	(void)store;
	return status_fail(failure, STATUS_CONFIG, "hiredis was built without TLS");
#endif
}

/* AUTH with two words came with the users of Redis 6; older servers know only the password. */
static enum status log_in(struct redis *store, const struct storeurl *url, struct failure *failure)
{
	char database[NUMBER_MAX_BYTES];
	enum status status = STATUS_OK;

	if (url->password[0] != '\0' && url->user[0] != '\0')
		status = APPEND(store, failure, word_of_text("AUTH"), word_of_text(url->user),
			word_of_text(url->password));
	else if (url->password[0] != '\0')
		status = APPEND(store, failure, word_of_text("AUTH"), word_of_text(url->password));
	if (!status && url->password[0] != '\0')
		status = run_command(store, failure);
	if (!status && url->database != 0)
		status = APPEND(store, failure, word_of_text("SELECT"),
			word_of_number(url->database, database));
	if (!status && url->database != 0)
		status = run_command(store, failure);
	return status;
}

enum status redis_open(const struct redis_place *place, struct redis **out, struct failure *failure)
{
	struct redis *store = calloc(1, sizeof(*store));
	enum status status;

	*out = NULL;
	if (!store)
		return status_no_memory(failure);
	store->answer_ms = place->answer_ms;
	store->limit = LLONG_MAX;
	status = connect_to(store, place->url, failure);
	if (!status && !bound_time(store, process_milliseconds() + place->answer_ms))
		status = status_fail(
			failure, STATUS_SYSTEM, "no time limit can be set on the connection");
	if (!status)
		status = secure_connection(store, place, failure);
	if (!status)
		status = log_in(store, place->url, failure);
	if (status)
		redis_close(store);
	else
		*out = store;
	return status;
}

void redis_close(struct redis *store)
{
	if (store && store->context)
		redisFree(store->context);
	free(store);
}

void redis_limit(struct redis *store, long long deadline)
{
	store->limit = deadline;
}

/* ---- entries and locks ---- */

/*
 * Only the owner may change its lock. The script compares and changes in one step, between which no
 * other client's command can run.
 */
static const char KEEP[] = "if redis.call('get', KEYS[1]) == ARGV[1] then "
			   "return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0";

/*
 * If the lock has expired and no other member has one, the token is stored all the same, unless
 * another member stored one meanwhile: a token that was minted should serve somebody.
 */
static const char PUT[] = "local owner = redis.call('get', KEYS[1]) "
			  "if owner ~= ARGV[1] and "
			  "(owner or redis.call('exists', KEYS[2]) == 1) then return 0 end "
			  "redis.call('set', KEYS[2], ARGV[2], 'px', ARGV[3]) "
			  "redis.call('del', KEYS[1]) return 1";

static const char DROP[] = "if redis.call('get', KEYS[1]) == ARGV[1] then "
			   "return redis.call('del', KEYS[1]) end return 0";

/* Every command that the fleet uses, so that a permission that is missing shows before a mint. */
static const char PROBE[] = "redis.call('set', KEYS[1], '1', 'px', 1000) "
			    "redis.call('pexpire', KEYS[1], 1000) redis.call('get', KEYS[1]) "
			    "redis.call('exists', KEYS[1]) return redis.call('del', KEYS[1])";

enum status redis_probe(struct redis *store, const char *name, struct failure *failure)
{
	enum status status = APPEND(store, failure, word_of_text("EVAL"), word_of_text(PROBE),
		word_of_text("1"), word_of_text(name));
	bool done = false;

	if (!status)
		status = run_script(store, &done, failure);
	if (!status && !done)
		status = status_fail(failure, STATUS_UNREACHABLE, "the answer is not valid");
	return status;
}

enum status redis_get(
	struct redis *store, const char *name, struct buffer *value, struct failure *failure)
{
	redisReply *reply = NULL;
	enum status status = APPEND(store, failure, word_of_text("GET"), word_of_text(name));

	if (!status)
		status = exchange_command(store, &reply, failure);
	if (reply)
		status = take_value(reply, value, failure);
	free_reply(reply);
	return status;
}

enum status redis_set(struct redis *store, const char *name, const struct buffer *value,
	long long life_ms, struct failure *failure)
{
	const struct word bytes = {value->data, value->length};
	char life[NUMBER_MAX_BYTES];
	enum status status = APPEND(store, failure, word_of_text("SET"), word_of_text(name), bytes,
		word_of_text("PX"), word_of_number(life_ms, life));

	return status ? status : run_command(store, failure);
}

/* The reply to a GET, where several commands were sent at once. */
static enum status hear_value(
	struct redis *store, long long deadline, struct buffer *value, struct failure *failure)
{
	redisReply *reply = NULL;
	enum status status = read_answer(store, deadline, &reply, failure);

	if (!status)
		status = take_value(reply, value, failure);
	free_reply(reply);
	return status;
}

/* All three commands in one round trip, as members that wait repeat this several times a second. */
enum status redis_lock(struct redis *store, const struct redis_lock *lock,
	const char *const names[2], bool *mine, struct buffer *const values[2],
	struct failure *failure)
{
	char life[NUMBER_MAX_BYTES];
	redisReply *locked = NULL;
	long long deadline = 0;
	enum status status = APPEND(store, failure, word_of_text("SET"), word_of_text(lock->name),
		word_of_text(lock->owner), word_of_text("NX"), word_of_text("PX"),
		word_of_number(lock->life_ms, life));

	*mine = false;
	for (int i = 0; i < 2 && !status; i++)
		status = APPEND(store, failure, word_of_text("GET"), word_of_text(names[i]));
	if (!status)
		status = send_commands(store, &deadline, failure);
	if (!status)
		status = read_answer(store, deadline, &locked, failure);
	if (!status)
		*mine = locked && locked->type == REDIS_REPLY_STATUS;
	for (int i = 0; i < 2 && !status; i++)
		status = hear_value(store, deadline, values[i], failure);
	free_reply(locked);
	return status;
}

enum status redis_keep(
	struct redis *store, const struct redis_lock *lock, bool *mine, struct failure *failure)
{
	char life[NUMBER_MAX_BYTES];
	enum status status = APPEND(store, failure, word_of_text("EVAL"), word_of_text(KEEP),
		word_of_text("1"), word_of_text(lock->name), word_of_text(lock->owner),
		word_of_number(lock->life_ms, life));

	*mine = false;
	return status ? status : run_script(store, mine, failure);
}

enum status redis_put(struct redis *store, const struct redis_lock *lock, const char *name,
	const struct buffer *value, long long life_ms, bool *done, struct failure *failure)
{
	const struct word sealed = {value->data, value->length};
	char life[NUMBER_MAX_BYTES];
	enum status status = APPEND(store, failure, word_of_text("EVAL"), word_of_text(PUT),
		word_of_text("2"), word_of_text(lock->name), word_of_text(name),
		word_of_text(lock->owner), sealed, word_of_number(life_ms, life));

	*done = false;
	return status ? status : run_script(store, done, failure);
}

enum status redis_release(
	struct redis *store, const struct redis_lock *lock, struct failure *failure)
{
	enum status status = APPEND(store, failure, word_of_text("EVAL"), word_of_text(DROP),
		word_of_text("1"), word_of_text(lock->name), word_of_text(lock->owner));

	return status ? status : run_command(store, failure);
}

enum status redis_drop(struct redis *store, const char *name, const struct buffer *value,
	bool *done, struct failure *failure)
{
	const struct word sealed = {value->data, value->length};
	enum status status = APPEND(store, failure, word_of_text("EVAL"), word_of_text(DROP),
		word_of_text("1"), word_of_text(name), sealed);

	*done = false;
	return status ? status : run_script(store, done, failure);
}
