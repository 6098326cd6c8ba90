/*
 * sypht-mint: one token request. It reads what to ask on stdin and answers on stdout, both in
 * key=value lines: credential, expires_in and scope, or status and error; and trace[] for the
 * story. It owns libcurl and cJSON, so that the programs which wait for it start without them.
 */
#include <curl/curl.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attributes.h"
#include "endpoint.h"
#include "process.h"
#include "response.h"
#include "settings.h"

static bool is(const struct attributes *asked, const char *key, const char *value)
{
	const char *found = attributes_get(asked, key);

	return found && strcmp(found, value) == 0;
}

static enum status read_request(
	const struct attributes *asked, struct endpoint_request *request, struct failure *failure)
{
	const char *timeout_ms = attributes_get(asked, "timeout_ms");

	*request = (struct endpoint_request){
		.token_url = attributes_get(asked, "token_url"),
		.client_id = attributes_get(asked, "client_id"),
		.client_secret = attributes_get(asked, "client_secret"),
		.scope = attributes_get(asked, "scope"),
		.audience = attributes_get(asked, "audience"),
		.resources = asked,
		.auth_method =
			is(asked, "auth_method", "post") ? PROFILE_AUTH_POST : PROFILE_AUTH_BASIC,
		.basic_raw = is(asked, "basic_encoding", "raw"),
		.cainfo = attributes_get(asked, "cainfo"),
		.timeout_ms = timeout_ms ? strtol(timeout_ms, NULL, 10)
					 : SETTINGS_TIMEOUT_DEFAULT_S * 1000L,
	};
	if (!request->token_url || !request->client_id || !request->client_secret)
		return status_fail(failure, STATUS_MALFORMED,
			"sypht-mint needs token_url, client_id and client_secret on stdin");
	return STATUS_OK;
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

int main(void)
{
	struct attributes asked = ATTRIBUTES_INIT;
	struct buffer answer = BUFFER_INIT(ATTRIBUTES_MAX_BYTES);
	struct endpoint_request request;
	struct grant grant = GRANT_INIT;
	struct failure failure = {""};
	enum status status;

	process_harden();
	curl_global_init(CURL_GLOBAL_DEFAULT);
	status = attributes_read(&asked, STDIN_FILENO, &failure);
	if (!status)
		status = read_request(&asked, &request, &failure);
	if (!status)
		status = endpoint_mint(&request, &grant, &answer, &failure);
	if (!status && write_grant(&grant, &answer))
		status = status_fail(&failure, STATUS_NO_MEMORY, "out of memory");
	if (status && (attributes_add_number(&answer, "status", status) ||
			      attributes_add(&answer, "error", failure.reason)))
		buffer_clear(&answer);
	if (buffer_append_text(&answer, "\n") || buffer_write(&answer, STDOUT_FILENO))
		status = STATUS_SYSTEM;

	grant_release(&grant);
	buffer_release(&answer);
	attributes_release(&asked);
	curl_global_cleanup();
	return status_exit_code(status);
}
