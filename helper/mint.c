/*
 * sypht-mint: makes one token request. It reads the question from stdin and writes the answer to
 * stdout, both as key=value lines. The answer is credential, expires_in and scope, or status, error
 * and retry_after. Before either stand trace[] lines, and after a failure http_status. Only this
 * program links libcurl, so that the programs that wait for it start fast.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/attributes.h"
#include "core/settings.h"
#include "libexec.h"
#include "mint/discovery.h"
#include "mint/endpoint.h"
#include "mint/response.h"
#include "process.h"

enum {
	KEY_MAX_BYTES = 64 * 1024,
	URL_MAX_BYTES = 8 * 1024,
};

/* The parts of the request that are put together first. */
struct parts {
	struct buffer token_url;   /* from the issuer's metadata; empty if the question has it */
	struct buffer private_key; /* PEM */
};

static time_t read_clock(void)
{
	return time(NULL);
}

/* A value cannot hold a line break, so each line of the PEM file is a value of its own. */
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

static enum status discover_endpoint(const struct attributes *asked,
	struct endpoint_request *request, struct buffer *token_url, struct buffer *story,
	struct failure *failure)
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

static enum status answer_request(const struct attributes *asked, struct buffer *story,
	struct buffer *answer, struct failure *failure)
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
		status = discover_endpoint(asked, &request, &parts.token_url, story, failure);
	if (!status)
		status = endpoint_mint(&request, &grant, story, &last, failure);
	if (!status && write_grant(&grant, answer))
		status = status_no_memory(failure);
	if (status)
		failure->retry_after_s = last.retry_after_s;
	if (status && last.http_status > 0 &&
		attributes_add_number(story, "http_status", last.http_status))
		status = status_no_memory(failure);
	grant_release(&grant);
	buffer_release(&parts.token_url);
	buffer_release(&parts.private_key);
	return status;
}

int main(void)
{
	return libexec_main(answer_request);
}
