/* What a transfer does, a step at a time, as lib/multi.c and lib/http.c of libcurl do it. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "app.h"
#include "fake.h"
#include "place.h"
#include "server.h"

enum { REDIRECTS_MAX = 5, PIECE_MAX = 16384 };

static bool finish(struct fake_easy *easy, CURLcode result)
{
	easy->transfer.result = result;
	easy->transfer.stage = FAKE_DONE;
	return true;
}

/* While the application's code runs, the multi handle takes no other call. */
#define CALLING(easy, call) \
	do { \
		struct fake_multi *multi = (easy)->multi; \
		const struct fake_easy *outer = server_calls(easy); \
\
		multi->busy = true; \
		call; \
		multi->busy = false; \
		server_calls(outer); \
	} while (0)

void transfer_start(struct fake_easy *easy)
{
	struct fake_transfer *transfer = &easy->transfer;
	const struct fake_transfer before = *transfer;

	*transfer = (struct fake_transfer){.stage = FAKE_START,
		.serial = before.serial,
		.attempt = before.attempt,
		.failures = before.failures,
		.disturbed = before.disturbed};
	server_begin(easy, before.requests > 0);
}

/* Connecting ------------------------------------------------------------------------------- */

static void open_socket(struct fake_easy *easy)
{
	curl_opensocket_callback open =
		(curl_opensocket_callback)fake_pointer(easy, FAKE_OPENSOCKETFUNCTION);
	struct curl_sockaddr address = {.family = 0};

	if (open)
		CALLING(easy, open(fake_pointer(easy, FAKE_OPENSOCKETDATA), CURLSOCKTYPE_IPCXN,
				      &address));
}

static bool step_connect(struct fake_easy *easy)
{
	struct fake_transfer *transfer = &easy->transfer;
	bool follows = transfer->hop > 0;
	CURLU *set = fake_pointer(easy, FAKE_CURLU);
	CURLU *url = set && !follows ? curl_url_dup(set) : place_parse(easy);
	bool read = url && place_read(url, &transfer->at);
	long allowed = fake_long(easy, FAKE_PROTOCOLS);

	curl_url_cleanup(url);
	if (!read)
		return finish(easy, CURLE_URL_MALFORMAT);
	if (fake_long(easy, FAKE_PORT) && !follows)
		transfer->at.port = fake_long(easy, FAKE_PORT);
	if (follows)
		allowed &= fake_long(easy, FAKE_REDIR_PROTOCOLS);
	else
		transfer->first = transfer->at;
	if (server_dooms(easy))
		return finish(easy, CURLE_LOGIN_DENIED);
	if (!(place_protocol(&transfer->at) & allowed))
		return finish(easy, CURLE_UNSUPPORTED_PROTOCOL);
	transfer->proxied = place_is_proxied(easy, &transfer->at);
	transfer->diverted = place_is_diverted(easy);
	transfer->verified =
		fake_long(easy, FAKE_SSL_VERIFYPEER) && fake_long(easy, FAKE_SSL_VERIFYHOST);
	transfer->netrc = fake_long(easy, FAKE_NETRC) != CURL_NETRC_IGNORED &&
			  strcmp(transfer->at.host, SERVER_ELSEWHERE) == 0;
	open_socket(easy);
	transfer->stage = FAKE_SEND;
	return false;
}

static bool step_start(struct fake_easy *easy)
{
	struct fake_transfer *transfer = &easy->transfer;
	CURLcode code = place_choose(easy);

	easy->response = easy->redirects = easy->request_size = 0;
	if (code != CURLE_OK)
		return finish(easy, code);
	transfer->method = easy->method;
	transfer->read = (curl_read_callback)fake_pointer(easy, FAKE_READFUNCTION);
	transfer->read_data = fake_pointer(easy, FAKE_READDATA);
	/* the plugin's own data is no stream */
	if (!server_has_plugin())
		transfer->read_from = app_position(transfer->read_data);
	return step_connect(easy);
}

/* Sending ---------------------------------------------------------------------------------- */

const char *transfer_own_authorization(const struct fake_easy *easy)
{
	const struct curl_slist *line = fake_pointer(easy, FAKE_HTTPHEADER);
	static const char name[] = "Authorization";

	for (; line; line = line->next)
		if (strncasecmp(line->data, name, strlen(name)) == 0)
			return line->data + strlen(name);
	return NULL;
}

/* Whether credentials may go where the transfer is by now. */
static bool may_authorize(const struct fake_easy *easy)
{
	const struct fake_transfer *transfer = &easy->transfer;

	return transfer->hop == 0 || fake_long(easy, FAKE_UNRESTRICTED_AUTH) ||
	       place_equal(&transfer->first, &transfer->at);
}

static void authorize(const struct fake_easy *easy, char *out, size_t size)
{
	const char *own = transfer_own_authorization(easy);
	const char *bearer = fake_pointer(easy, FAKE_XOAUTH2_BEARER);
	unsigned long auth = (unsigned long)fake_long(easy, FAKE_HTTPAUTH);

	*out = '\0';
	if (own && may_authorize(easy))
		snprintf(out, size, "%s", strcmp(own, ":") == 0 ? "" : own);
	if (own || !(may_authorize(easy) || easy->transfer.netrc))
		return;
	if (bearer && auth == CURLAUTH_BEARER)
		snprintf(out, size, "Bearer %s", bearer);
	else if (auth == CURLAUTH_BASIC && (fake_pointer(easy, FAKE_USERNAME) ||
						   easy->transfer.netrc || easy->transfer.at.user))
		snprintf(out, size, "Basic");
}

/* The stream the body is read from: that of the form, or CURLOPT_READDATA; NULL if it is not. */
static void *body_stream(const struct fake_easy *easy)
{
	const struct fake_transfer *transfer = &easy->transfer;
	const struct curl_httppost *form = fake_pointer(easy, FAKE_HTTPPOST);

	if (transfer->method == FAKE_FORM)
		return form ? form->userp : NULL;
	if (transfer->method == FAKE_PUT ||
		(transfer->method == FAKE_POST && !fake_pointer(easy, FAKE_POSTFIELDS)))
		return transfer->read_data;
	return NULL;
}

/* Read the body to its end. False where the application pauses or ends it. */
static bool read_body(struct fake_easy *easy)
{
	struct fake_transfer *transfer = &easy->transfer;
	void *stream = body_stream(easy);
	size_t got = 1;

	while (stream && got > 0 && transfer->length < FAKE_BODY_MAX) {
		CALLING(easy, got = transfer->read(transfer->body + transfer->length, 1,
				      FAKE_BODY_MAX - transfer->length, stream));
		transfer->has_read = true;
		if (got == CURL_READFUNC_ABORT)
			transfer->result = CURLE_ABORTED_BY_CALLBACK;
		if (got == CURL_READFUNC_PAUSE)
			transfer->paused_to_read = true;
		if (got > FAKE_BODY_MAX)
			return false;
		transfer->length += got;
	}
	if (!stream && transfer->method == FAKE_POST)
		snprintf(transfer->body, sizeof(transfer->body), "%s",
			(char *)fake_pointer(easy, FAKE_POSTFIELDS));
	else
		transfer->body[transfer->length] = '\0';
	transfer->length = 0;
	return true;
}

static bool prepare(struct fake_easy *easy)
{
	curl_prereq_callback ready = (curl_prereq_callback)fake_pointer(easy, FAKE_PREREQFUNCTION);
	int code = CURL_PREREQFUNC_OK;

	if (ready)
		CALLING(easy, code = ready(fake_pointer(easy, FAKE_PREREQDATA), NULL, NULL, 0, 0));
	return code == CURL_PREREQFUNC_OK;
}

static bool step_send(struct fake_easy *easy)
{
	struct fake_transfer *transfer = &easy->transfer;
	char authorization[SERVER_AUTHORIZATION_MAX];

	if (place_protocol(&transfer->at) & ~(CURLPROTO_HTTP | CURLPROTO_HTTPS)) {
		server_greets(easy);
		return finish(easy, CURLE_OK);
	}
	if (fake_long(easy, FAKE_CONNECT_ONLY))
		return finish(easy, CURLE_OK);
	if (!transfer->prepared && !prepare(easy))
		return finish(easy, CURLE_ABORTED_BY_CALLBACK);
	transfer->prepared = true;
	authorize(easy, authorization, sizeof(authorization));
	if (!read_body(easy))
		return transfer->paused_to_read ? false : finish(easy, transfer->result);
	easy->request_size += (long)(100 + strlen(authorization));
	transfer->answer = server_answer(easy, authorization);
	transfer->prepared = false;
	transfer->line = transfer->announced = transfer->piece = 0;
	transfer->stage = FAKE_HEAD_COMES;
	if (transfer->answer.pushes)
		push_response(easy);
	if (transfer->answer.dies && !transfer->died && !transfer->has_read) {
		transfer->died = true;
		transfer->stage = FAKE_CONNECT;
	}
	return false;
}

/* Receiving -------------------------------------------------------------------------------- */

/* True: taken. Otherwise it is paused, or over with an error. */
static bool deliver(struct fake_easy *easy, enum fake_option function, enum fake_option data,
	char *bytes, size_t length)
{
	curl_write_callback write = (curl_write_callback)fake_pointer(easy, function);
	size_t taken = length;

	CALLING(easy, taken = write(bytes, 1, length, fake_pointer(easy, data)));
	if (taken == length)
		return true;
	if (taken == CURL_WRITEFUNC_PAUSE)
		easy->transfer.paused_to_write = true;
	else
		finish(easy, CURLE_WRITE_ERROR);
	return false;
}

static bool deliver_header(struct fake_easy *easy, char *line)
{
	size_t length = strlen(line);

	if (fake_long(easy, FAKE_HEADER) &&
		!deliver(easy, FAKE_WRITEFUNCTION, FAKE_WRITEDATA, line, length))
		return false;
	if (fake_pointer(easy, FAKE_HEADERFUNCTION))
		return deliver(easy, FAKE_HEADERFUNCTION, FAKE_HEADERDATA, line, length);
	return !fake_pointer(easy, FAKE_HEADERDATA) ||
	       deliver(easy, FAKE_WRITEFUNCTION, FAKE_HEADERDATA, line, length);
}

/* The lines of the head: perhaps an interim response, then the response. NULL after the last. */
static const char *head_line(struct fake_easy *easy, unsigned index, char *out, size_t size)
{
	const struct fake_answer *answer = &easy->transfer.answer;
	unsigned at = answer->interim ? index : index + 2;

	if (at == 0 || at == 2) {
		easy->response = at == 0 ? answer->interim : answer->status;
		snprintf(out, size, "HTTP/1.1 %ld Said\r\n", easy->response);
	} else if (at == 3) {
		snprintf(out, size, "X-Path: %s\r\n", easy->transfer.at.path);
	} else {
		snprintf(out, size, "\r\n");
	}
	return at > 4 ? NULL : out;
}

/* For a request that is sent again with its body. */
static bool rewind_body(struct fake_easy *easy)
{
	struct fake_transfer *transfer = &easy->transfer;
	curl_seek_callback seek = (curl_seek_callback)fake_pointer(easy, FAKE_SEEKFUNCTION);
	curl_ioctl_callback ioctl = (curl_ioctl_callback)fake_pointer(easy, FAKE_IOCTLFUNCTION);
	int code = 1;

	if (!transfer->has_read)
		return true;
	if (seek)
		CALLING(easy, code = seek(fake_pointer(easy, FAKE_SEEKDATA), 0, SEEK_SET));
	else if (ioctl)
		CALLING(easy, code = (int)ioctl(easy, CURLIOCMD_RESTARTREAD,
				      fake_pointer(easy, FAKE_IOCTLDATA)));
	else if (transfer->read == (curl_read_callback)fread)
		code = fseek(transfer->read_data, 0, SEEK_SET);
	transfer->has_read = false;
	return code == 0;
}

static bool redirect(struct fake_easy *easy)
{
	struct fake_transfer *transfer = &easy->transfer;

	if (easy->redirects++ == REDIRECTS_MAX)
		return finish(easy, CURLE_TOO_MANY_REDIRECTS);
	free(easy->url);
	easy->url = strdup(transfer->answer.location);
	easy->url_parsed = true;
	transfer->hop++;
	if (transfer->answer.status == 302 && transfer->method != FAKE_HEAD)
		transfer->method = FAKE_GET;
	if (body_stream(easy) && !rewind_body(easy))
		return finish(easy, CURLE_SEND_FAIL_REWIND);
	transfer->stage = FAKE_CONNECT;
	return false;
}

static bool step_head(struct fake_easy *easy)
{
	struct fake_transfer *transfer = &easy->transfer;
	char line[80];

	for (; head_line(easy, transfer->line, line, sizeof(line)); transfer->line++) {
		if (*line == 'H' && transfer->announced <= transfer->line) {
			transfer->announced = transfer->line + 1;
			transfer->hidden = server_hides(easy);
		}
		if (!transfer->hidden && !deliver_header(easy, line))
			return transfer->stage == FAKE_DONE;
	}
	if (*transfer->answer.location && fake_long(easy, FAKE_FOLLOWLOCATION))
		return redirect(easy);
	if (fake_long(easy, FAKE_FAILONERROR) && transfer->answer.status >= 400)
		return finish(easy, CURLE_HTTP_RETURNED_ERROR);
	transfer->stage = FAKE_BODY_COMES;
	return false;
}

static bool step_body(struct fake_easy *easy)
{
	static char bytes[PIECE_MAX];
	struct fake_transfer *transfer = &easy->transfer;

	if (transfer->method == FAKE_HEAD || transfer->piece == transfer->answer.pieces)
		return finish(easy, CURLE_OK);
	memset(bytes, 'a' + (int)(transfer->piece % 26), transfer->answer.piece_bytes);
	if (!transfer->hidden && !deliver(easy, FAKE_WRITEFUNCTION, FAKE_WRITEDATA, bytes,
					 transfer->answer.piece_bytes))
		return transfer->stage == FAKE_DONE;
	transfer->piece++;
	return false;
}

static bool goes_on(struct fake_easy *easy)
{
	curl_xferinfo_callback progress =
		(curl_xferinfo_callback)fake_pointer(easy, FAKE_XFERINFOFUNCTION);
	int code = 0;

	if (progress && !fake_long(easy, FAKE_NOPROGRESS))
		CALLING(easy, code = progress(fake_pointer(easy, FAKE_XFERINFODATA), 0, 0, 0, 0));
	return code == 0;
}

bool transfer_step(struct fake_easy *easy)
{
	static bool (*const steps[])(struct fake_easy *) = {
		[FAKE_START] = step_start,
		[FAKE_CONNECT] = step_connect,
		[FAKE_SEND] = step_send,
		[FAKE_HEAD_COMES] = step_head,
		[FAKE_BODY_COMES] = step_body,
	};
	const struct fake_transfer *transfer = &easy->transfer;

	if (!goes_on(easy))
		return finish(easy, CURLE_ABORTED_BY_CALLBACK);
	if (transfer->paused_to_read || transfer->paused_to_write)
		return false;
	return steps[transfer->stage](easy);
}
