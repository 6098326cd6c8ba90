#include "server.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "callbacks.h"
#include "handles.h"

enum { REQUESTS_MAX = 16, ATTEMPTS_MAX = 2, HELD_MAX = 256 * 1024 };

struct request {
	struct fake_place at;
	char authorization[SERVER_AUTHORIZATION_MAX];
};

/* What became of a transfer in the run with the plugin. */
struct account {
	unsigned doomed; /* on which of its connections, counted from 1; 0: on none */
	unsigned attempts;
	unsigned counts[ATTEMPTS_MAX];
	struct request requests[ATTEMPTS_MAX][REQUESTS_MAX];
};

static struct account tape[SERVER_TRANSFERS_MAX];
static unsigned transfers;

static bool plugin;
static bool diverged;
static bool distrusted; /* a socket of the application's own may be anything, for ever */
static unsigned generations[SERVER_REALMS];
static unsigned failures, failures_before; /* of the supplier, and those before the transfer */
static unsigned interim[SERVER_TRANSFERS_MAX];
static const struct fake_easy *expected;
static const struct fake_easy *calling;

void server_finding(const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "finding %s the plugin: ", plugin ? "with" : "without");
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	abort();
}

void server_reset(bool with_plugin)
{
	plugin = with_plugin;
	distrusted = false;
	if (plugin) {
		memset(tape, 0, sizeof(*tape) * transfers);
		diverged = false;
		failures = 0;
	}
	memset(interim, 0, sizeof(*interim) * transfers);
	transfers = 0;
	for (unsigned i = 0; i < SERVER_REALMS; i++)
		generations[i] = 1;
	failures_before = failures;
	expected = calling = NULL;
}

bool server_has_plugin(void)
{
	return plugin;
}

void server_expect(const struct fake_easy *easy)
{
	expected = easy;
	if (easy)
		failures_before = failures;
}

void server_disturb(struct fake_easy *easy)
{
	easy->transfer.disturbed = true;
}

void server_distrust(void)
{
	distrusted = true;
}

void server_diverge(const char *why)
{
	app_note("the runs diverge", why);
	diverged = true;
}

bool server_diverged(void)
{
	return diverged;
}

const struct fake_easy *server_calls(const struct fake_easy *easy)
{
	const struct fake_easy *outer = calling;

	calling = easy;
	return outer;
}

const struct fake_easy *server_calling(void)
{
	return calling;
}

bool server_is_full(void)
{
	return transfers > SERVER_TRANSFERS_MAX - 32;
}

bool server_sent_twice(unsigned serial)
{
	return tape[serial].attempts > 1;
}

void server_revoke(unsigned realm)
{
	generations[realm]++;
}

unsigned server_generation(unsigned realm)
{
	return generations[realm];
}

void server_count_failure(void)
{
	failures++;
}

/* Tokens ----------------------------------------------------------------------------------- */

/* "Bearer tok-A-7" is the seventh token of realm 0. */
static bool is_token(const char *authorization)
{
	return strncmp(authorization, "Bearer tok-", 11) == 0;
}

static unsigned token_realm(const char *authorization)
{
	return (unsigned)authorization[11] - 'A';
}

static bool is_valid(const char *authorization)
{
	return strtoul(authorization + 13, NULL, 10) == generations[token_realm(authorization)];
}

/* The realm of an origin, SERVER_REALMS where it is in no profile. */
static unsigned realm_at(const struct fake_place *at)
{
	if (strcmp(at->scheme, "https") == 0 && strcmp(at->host, "api.example") == 0 &&
		at->port == 443)
		return 0;
	if (strcmp(at->scheme, "http") == 0 && strcmp(at->host, "127.0.0.1") == 0 &&
		at->port == 8080)
		return 1;
	return SERVER_REALMS;
}

/* Whatever the application does, a token never goes anywhere else. */
static void check_token(const struct fake_easy *easy, const char *authorization)
{
	const struct fake_transfer *transfer = &easy->transfer;
	const struct fake_place *at = &transfer->at;
	bool secure = strcmp(at->scheme, "https") == 0;

	if (token_realm(authorization) != realm_at(at))
		server_finding("%s went to %s://%s:%ld%s", authorization, at->scheme, at->host,
			at->port, at->path);
	if (!secure && (transfer->proxied || transfer->diverted))
		server_finding("%s went over something else to %s", authorization, at->host);
	if (secure && !transfer->verified)
		server_finding("%s went to %s without a check of its certificate", authorization,
			at->host);
}

void server_greets(const struct fake_easy *easy)
{
	const char *bearer = fake_pointer(easy, FAKE_XOAUTH2_BEARER);

	if (plugin && bearer && strncmp(bearer, "tok-", 4) == 0)
		server_finding("%s went to %s by %s", bearer, easy->transfer.at.host,
			easy->transfer.at.scheme);
	if (!plugin && realm_at(&easy->transfer.first) < SERVER_REALMS)
		server_diverge("with a token, no redirect leads to such a protocol");
}

void server_check_idle(const struct fake_easy *easy)
{
	const char *bearer = fake_pointer(easy, FAKE_XOAUTH2_BEARER);

	if (bearer && strncmp(bearer, "tok-", 4) == 0)
		server_finding("%s stays on an idle handle", bearer);
	if (fake_long(easy, FAKE_PROTOCOLS) == 0)
		server_finding("an idle handle stays doomed");
}

/* What should be --------------------------------------------------------------------------- */

enum duty { NEVER, MAY, MUST };

/* Any proxy for any scheme is reason enough to be careful. */
static bool may_be_proxied(const struct fake_easy *easy)
{
	return easy->transfer.proxied || fake_pointer(easy, FAKE_PROXY) || getenv("http_proxy") ||
	       getenv("https_proxy") || getenv("HTTPS_PROXY") || getenv("all_proxy");
}

/* By the application's own options, which are all there are where no token is carried. */
static enum duty duty(const struct fake_easy *easy)
{
	const struct fake_transfer *transfer = &easy->transfer;
	bool secure = strcmp(transfer->at.scheme, "https") == 0;

	if (fake_pointer(easy, FAKE_XOAUTH2_BEARER) || fake_pointer(easy, FAKE_USERNAME) ||
		fake_pointer(easy, FAKE_PASSWORD) || fake_pointer(easy, FAKE_AWS_SIGV4) ||
		fake_long(easy, FAKE_NETRC) == CURL_NETRC_REQUIRED ||
		transfer_own_authorization(easy) || transfer->first.user ||
		realm_at(&transfer->at) == SERVER_REALMS ||
		realm_at(&transfer->first) != realm_at(&transfer->at))
		return transfer->disturbed ? MAY : NEVER;
	/* which URL counts after one that came from a CURLU is not known to the plugin */
	if (easy->url_replaced && !fake_pointer(easy, FAKE_CURLU))
		return MAY;
	if (transfer->hop > 0 || transfer->disturbed || failures != transfer->failures ||
		!transfer->verified ||
		(!secure && (may_be_proxied(easy) || transfer->diverted || distrusted)))
		return MAY;
	return MUST;
}

static bool same_request(const struct fake_place *one, const struct fake_place *other)
{
	return strcmp(one->scheme, other->scheme) == 0 && strcmp(one->host, other->host) == 0 &&
	       one->port == other->port && strcmp(one->path, other->path) == 0;
}

static void check_request(
	const struct fake_easy *easy, const struct request *request, const char *own)
{
	const struct fake_place *at = &easy->transfer.at;
	bool token = is_token(request->authorization);
	/* A bearer without a token makes a real libcurl forget the token it still holds. */
	bool blank = strcmp(request->authorization, "Bearer ") == 0;

	if (!same_request(at, &request->at)) {
		if (!easy->transfer.disturbed)
			server_finding("%s://%s:%ld%s was asked, not %s://%s:%ld%s",
				request->at.scheme, request->at.host, request->at.port,
				request->at.path, at->scheme, at->host, at->port, at->path);
		server_diverge("a URL was changed during the transfer");
		return;
	}
	if (token && duty(easy) == NEVER)
		server_finding(
			"a token went to %s%s against the application's will", at->host, at->path);
	/* a redirected transfer that began with a token does not look into .netrc */
	if (!token && !easy->transfer.disturbed && easy->transfer.hop == 0 && !blank &&
		strcmp(own, request->authorization) != 0)
		server_finding("'%s' was sent instead of '%s'", request->authorization, own);
}

/* Answers ---------------------------------------------------------------------------------- */

static const struct row {
	const char *path;
	struct fake_answer answer;
} rows[] = {
	{"/ok", {.status = 200, .pieces = 1, .piece_bytes = 6}},
	{"/long", {.status = 200, .pieces = 4, .piece_bytes = 9}},
	{"/empty", {.status = 204}},
	{"/error", {.status = 500, .pieces = 1, .piece_bytes = 5}},
	{"/refuse", {.status = 401, .pieces = 2, .piece_bytes = 7}},
	{"/big", {.status = 401, .pieces = 20, .piece_bytes = 16384}},
	{"/continue", {.status = 200, .interim = 100, .pieces = 1, .piece_bytes = 4}},
	{"/push", {.status = 200, .pieces = 1, .piece_bytes = 2, .pushes = true}},
	{"/dies", {.status = 200, .pieces = 1, .piece_bytes = 3, .dies = true}},
	{"/bounce", {.status = 302, .location = "https://api.example/ok"}},
	{"/back", {.status = 302, .location = "https://elsewhere.example/bounce"}},
	{"/host", {.status = 302, .location = "https://elsewhere.example/ok"}},
	{"/host307", {.status = 307, .location = "http://127.0.0.1:9090/ok"}},
	{"/port", {.status = 302, .location = "https://api.example:444/ok"}},
	{"/scheme", {.status = 302, .location = "http://api.example/ok"}},
	{"/imap", {.status = 302, .location = "imap://elsewhere.example/"}},
	{"/same", {.status = 302, .location = "https://api.example/ok"}},
	{"/local", {.status = 307, .location = "http://127.0.0.1:8080/long"}},
	{"/same307", {.status = 307, .location = "https://api.example/long"}},
};

static struct fake_answer answer_at(const struct fake_place *at, const char *authorization)
{
	static const struct fake_answer refusal = {.status = 401, .pieces = 1, .piece_bytes = 8};
	bool token = is_token(authorization);

	if (realm_at(at) < SERVER_REALMS && (token ? !is_valid(authorization) : !*authorization))
		return refusal;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(rows[i].path, at->path) == 0)
			return rows[i].answer;
	return rows[0].answer;
}

/* This request on the tape, NULL where none was made. */
static struct request *request_of(const struct fake_easy *easy)
{
	const struct fake_transfer *transfer = &easy->transfer;
	struct account *account = &tape[transfer->serial];

	if (transfer->requests >= account->counts[transfer->attempt])
		return NULL;
	return &account->requests[transfer->attempt][transfer->requests];
}

static void record(const struct fake_easy *easy, const char *authorization)
{
	const struct fake_transfer *transfer = &easy->transfer;
	struct account *account = &tape[transfer->serial];
	struct request *request;

	assert(transfer->requests < REQUESTS_MAX);
	account->counts[transfer->attempt]++;
	request = request_of(easy);
	request->at = transfer->at;
	snprintf(request->authorization, sizeof(request->authorization), "%s", authorization);
	if (is_token(authorization))
		check_token(easy, authorization);
	else if (duty(easy) == MUST)
		server_finding("no token went to %s%s", transfer->at.host, transfer->at.path);
}

struct fake_answer server_answer(struct fake_easy *easy, const char *authorization)
{
	struct fake_transfer *transfer = &easy->transfer;
	const struct request *request;

	if (plugin)
		record(easy, authorization);
	request = request_of(easy);
	if (!plugin && !request && !diverged)
		server_finding(
			"a request to %s%s was not made", transfer->at.host, transfer->at.path);
	if (!plugin && !diverged)
		check_request(easy, request, authorization);
	if (!plugin && !diverged)
		authorization = request->authorization;
	app_trace(APP_WIRE, transfer->serial, transfer->attempt, transfer->body);
	transfer->requests++;
	return answer_at(&transfer->at, authorization);
}

/* Once more -------------------------------------------------------------------------------- */

void server_begin(struct fake_easy *easy, bool has_sent)
{
	struct fake_transfer *transfer = &easy->transfer;
	struct account *account;

	if (easy == expected) {
		expected = NULL;
		transfer->serial = transfers++;
		transfer->attempt = 0;
		transfer->failures = failures_before;
		transfer->disturbed = false;
		assert(transfers < SERVER_TRANSFERS_MAX);
	} else if (has_sent) {
		transfer->attempt++;
	}
	if (transfer->attempt >= ATTEMPTS_MAX)
		server_finding("a transfer was sent more than twice");
	account = &tape[transfer->serial];
	if (plugin)
		account->attempts = transfer->attempt + 1;
}

bool server_dooms(const struct fake_easy *easy)
{
	struct account *account = &tape[easy->transfer.serial];
	unsigned connection = 1 + 2 * easy->transfer.hop + easy->transfer.died;
	bool doomed = account->doomed == connection;

	if (plugin) {
		account->doomed = fake_long(easy, FAKE_PROTOCOLS) == 0 ? connection : 0;
		return false;
	}
	if (doomed && !diverged &&
		(duty(easy) == NEVER || (failures == 0 && !easy->transfer.disturbed)))
		server_finding("a transfer to %s was doomed", easy->transfer.at.host);
	return doomed;
}

/* Redirects and 1xx before a 401 are shown the first time, everything else the second. */
bool server_hides(const struct fake_easy *easy)
{
	const struct fake_transfer *transfer = &easy->transfer;
	bool passing = easy->response < 200 || (easy->response >= 300 && easy->response < 400);
	unsigned *shown = &interim[transfer->serial];

	if (plugin || tape[transfer->serial].attempts < 2)
		return false;
	if (transfer->attempt == 0)
		*shown += passing;
	else if (passing && *shown > 0)
		return (*shown)--;
	return transfer->attempt == 0 && !passing;
}

/* What was held back of a 401 is lost, or late, where its handle is freed or changed. */
void server_ends(const struct fake_easy *easy)
{
	const struct fake_transfer *transfer = &easy->transfer;

	if (plugin && transfer->answer.status == 401 && transfer->stage != FAKE_DONE)
		server_diverge("a transfer ends in a 401 that may be held back");
}

/* A 401 on a token that nothing keeps from being mended. */
static bool should_be_mended(const struct fake_easy *easy)
{
	const struct fake_transfer *transfer = &easy->transfer;
	const struct account *account = &tape[transfer->serial];
	const struct request *last = &account->requests[0][transfer->requests - 1];

	return transfer->answer.status == 401 && transfer->attempt == 0 && transfer->hop == 0 &&
	       transfer->result == CURLE_OK && is_token(last->authorization) &&
	       transfer->method == FAKE_GET && !fake_long(easy, FAKE_HEADER) &&
	       transfer->answer.pieces < 20 && !transfer->disturbed && failures == 0;
}

static void rewind_body(const struct fake_easy *easy)
{
	const struct fake_transfer *transfer = &easy->transfer;

	if (!transfer->has_read)
		return;
	if (handles_share(callbacks_file_id(transfer->read_data)))
		server_diverge("a stream that another handle may read is rewound");
	if (fake_pointer(easy, FAKE_SEEKFUNCTION))
		app_rewind(fake_pointer(easy, FAKE_SEEKDATA));
	else if (fake_pointer(easy, FAKE_IOCTLFUNCTION))
		app_rewind(fake_pointer(easy, FAKE_IOCTLDATA));
	else
		app_move(transfer->read_data, transfer->read_from);
}

bool server_restarts(struct fake_easy *easy)
{
	const struct fake_transfer *transfer = &easy->transfer;
	const struct account *account = &tape[transfer->serial];

	if (plugin || diverged)
		return false;
	if (account->attempts > transfer->attempt + 1) {
		if (transfer->answer.status != 401)
			server_finding(
				"a transfer was sent twice after %ld", transfer->answer.status);
		rewind_body(easy);
		return true;
	}
	if (transfer->requests > 0 && should_be_mended(easy))
		server_finding("a 401 from %s%s stood", transfer->at.host, transfer->at.path);
	return false;
}
