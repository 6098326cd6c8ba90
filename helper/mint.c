/*
 * sypht-mint: one token request. It reads what to ask on stdin and answers on stdout, both in
 * key=value lines: credential, expires_in and scope, or status, error, http_status and retry_after;
 * and trace[] for the story, before either. It owns libcurl, cJSON and libcrypto, so that the
 * programs which wait for it start without them.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/attributes.h"
#include "core/settings.h"
#include "mint/discovery.h"
#include "mint/endpoint.h"
#include "mint/response.h"
#include "process.h"

enum {
	KEY_MAX_BYTES = 64 * 1024,
	URL_MAX_BYTES = 8 * 1024,
	ANSWER_MAX_BYTES = ATTRIBUTES_MAX_BYTES / 2, /* the other half is for the story */
};

/* What the request holds that has to be put together first. */
struct parts {
	struct buffer token_url;   /* as the issuer says; empty where the request says */
	struct buffer private_key; /* PEM */
};

static time_t read_clock(void)
{
	return time(NULL);
}

/* The lines of the PEM file, which no single value could hold. */
static enum status join_private_key(
	const struct attributes *asked, struct buffer *pem, struct failure *failure)
{
	enum status status = STATUS_OK;

	for (const char *line = NULL;
		!status && (line = attributes_next(asked, "private_key[]", line));)
		status = buffer_printf(pem, "%s\n", line);
	return status ? status_fail(failure, status, "the private key is too long") : STATUS_OK;
}

static enum status read_request(const struct attributes *asked, const struct buffer *private_key,
	struct endpoint_request *request, struct failure *failure)
{
	const char *timeout_ms = attributes_get(asked, "timeout_ms");
	long left_ms =
		timeout_ms ? strtol(timeout_ms, NULL, 10) : SETTINGS_TIMEOUT_DEFAULT_S * 1000L;
	enum authmethod method = authmethod_find(attributes_get(asked, "auth_method"));
	bool proven;

	*request = (struct endpoint_request){
		.token_url = attributes_get(asked, "token_url"),
		.client_id = attributes_get(asked, "client_id"),
		.client_secret = attributes_get(asked, "client_secret"),
		.scope = attributes_get(asked, "scope"),
		.audience = attributes_get(asked, "audience"),
		.resources = asked,
		.auth_method = method ? method : AUTHMETHOD_BASIC,
		.basic_raw = attributes_contains(asked, "basic_encoding", "raw"),
		.private_key = private_key->data,
		.private_key_id = attributes_get(asked, "private_key_id"),
		.certificate_path = attributes_get(asked, "private_key_certificate"),
		.assertion_audience = attributes_get(asked, "assertion_audience"),
		.clock = read_clock,
		.cainfo = attributes_get(asked, "cainfo"),
		.deadline = process_milliseconds() + left_ms,
	};
	proven = request->auth_method == AUTHMETHOD_PRIVATE_KEY_JWT
			 ? request->private_key != NULL
			 : request->client_secret != NULL;
	if ((!request->token_url && !attributes_get(asked, "issuer")) || !request->client_id ||
		!proven)
		return status_fail(failure, STATUS_MALFORMED,
			"sypht-mint needs token_url or issuer, client_id, and client_secret or "
			"private_key[] on stdin");
	return STATUS_OK;
}

static enum status discover(const struct attributes *asked, struct endpoint_request *request,
	struct buffer *token_url, struct buffer *story, struct failure *failure)
{
	struct discovery discovery = {
		.issuer = attributes_get(asked, "issuer"),
		.cainfo = request->cainfo,
		.deadline = request->deadline,
		.story = story,
	};
	enum status status = discovery_find(&discovery, token_url, failure);

	request->token_url = token_url->data;
	return status;
}

static enum status write_grant(const struct grant *grant, struct buffer *answer)
{
	enum status status = attributes_add(answer, "credential", grant->token);

	if (!status && grant->expires_in != RESPONSE_LIFETIME_UNKNOWN)
		status = attributes_add_number(answer, "expires_in", grant->expires_in);
	if (!status)
		status = attributes_add(answer, "scope", grant->scope);
	return status;
}

/* In place of whatever stands in the answer: it is either a token or an error. */
static void write_refusal(enum status status, const struct endpoint_reply *last,
	const struct failure *failure, struct buffer *answer)
{
	buffer_clear(answer);
	if (attributes_add_number(answer, "status", status) ||
		attributes_add(answer, "error", failure->reason) ||
		(last->http_status > 0 &&
			attributes_add_number(answer, "http_status", last->http_status)) ||
		(last->retry_after_s > 0 &&
			attributes_add_number(answer, "retry_after", last->retry_after_s)))
		buffer_clear(answer);
}

static enum status answer_request(const struct attributes *asked, struct buffer *answer,
	struct buffer *story, struct failure *failure)
{
	struct parts parts = {
		.token_url = BUFFER_INIT(URL_MAX_BYTES),
		.private_key = BUFFER_INIT(KEY_MAX_BYTES),
	};
	struct endpoint_request request;
	struct grant grant = GRANT_INIT;
	struct endpoint_reply last = {0};
	enum status status = join_private_key(asked, &parts.private_key, failure);

	if (!status)
		status = read_request(asked, &parts.private_key, &request, failure);
	if (!status && !request.token_url)
		status = discover(asked, &request, &parts.token_url, story, failure);
	if (!status)
		status = endpoint_mint(&request, &grant, story, &last, failure);
	if (!status && write_grant(&grant, answer))
		status = status_no_memory(failure);
	if (status)
		write_refusal(status, &last, failure, answer);
	grant_release(&grant);
	buffer_release(&parts.token_url);
	buffer_release(&parts.private_key);
	return status;
}

int main(void)
{
	struct attributes asked = ATTRIBUTES_INIT;
	struct buffer answer = BUFFER_INIT(ANSWER_MAX_BYTES);
	struct buffer story = BUFFER_INIT(ATTRIBUTES_MAX_BYTES - ANSWER_MAX_BYTES);
	const struct endpoint_reply nothing = {0};
	struct failure failure = {.reason = ""};
	enum status status;

	process_harden();
	status = attributes_read(&asked, STDIN_FILENO, &failure);
	if (status)
		write_refusal(status, &nothing, &failure, &answer);
	else
		status = answer_request(&asked, &answer, &story, &failure);
	if (buffer_append_text(&answer, "\n") || buffer_write(&story, STDOUT_FILENO) ||
		buffer_write(&answer, STDOUT_FILENO))
		status = STATUS_SYSTEM;

	buffer_release(&answer);
	buffer_release(&story);
	attributes_release(&asked);
	return status_exit_code(status);
}
