#include "mint/response.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/buffer.h"
#include "core/text.h"
#include "core/token.h"
#include "json.h"
#include "mint/quote.h"
#include "mint/transfer.h"

enum {
	HTTP_OK = 200,
	HTTP_REDIRECT = 300,
	HTTP_CLIENT_ERROR = 400,
	LIFETIME_MAX_S = 1 << 30,
	CODE_MAX_BYTES = 60,
	TYPE_MAX_BYTES = 40,
	SCOPE_MAX_BYTES = 32 * 1024,
};

void grant_release(struct grant *grant)
{
	buffer_free_text(grant->token);
	buffer_free_text(grant->scope);
	*grant = (struct grant)GRANT_INIT;
}

/* ---- refusals ---- */

/* "HTTP status 429, Retry-After 30 s" */
static void describe_reply(const struct response *response, struct failure *description)
{
	if (response->retry_after_s > 0)
		status_fail(description, STATUS_OK, "HTTP status %ld, Retry-After %ld s",
			response->http_status, response->retry_after_s);
	else
		status_fail(description, STATUS_OK, "HTTP status %ld", response->http_status);
}

/* What a person may do about an error code of RFC 6749 or RFC 8707. */
static const char *advice_on(const struct response *response, const char *code)
{
	static const struct {
		const char *code;
		const char *advice;
	} rows[] = {
		{"invalid_client", "; check the client secret and auth_method"},
		{"unauthorized_client", "; is this client allowed to use client_credentials?"},
		{"invalid_scope", "; correct scope in the profile"},
		{"invalid_target", "; correct resource or audience in the profile"},
	};

	if (*response->advice != '\0' && strcmp(code, "invalid_client") == 0)
		return response->advice;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(code, rows[i].code) == 0)
			return rows[i].advice;
	}
	return "";
}

/* Name the endpoint, the reason in our own words, and the HTTP status. */
static enum status refuse(
	const struct response *response, const char *reason, struct failure *failure)
{
	struct failure reply;

	describe_reply(response, &reply);
	return status_fail(failure, STATUS_REFUSED, TRANSFER_URL ": %s (%s)", response->url, reason,
		reply.reason);
}

/*
 * The error code of RFC 6749, 5.2, and then error_description. The description is cut first,
 * because the status and the advice help more.
 */
static enum status refuse_in_words(const struct response *response, const char *error,
	const char *description, struct failure *failure)
{
	struct quote code = quote_text(error, CODE_MAX_BYTES, response->secrets);
	struct failure frame;
	struct failure reply;
	struct quote words;
	size_t taken;

	describe_reply(response, &reply);
	status_fail(&frame, STATUS_OK, TRANSFER_URL ": %s:  (%s)%s", response->url, code.text,
		reply.reason, advice_on(response, error));
	taken = strlen(frame.reason) + 1;
	words = quote_text(description, FAILURE_MAX_BYTES - taken, response->secrets);
	return status_fail(failure, STATUS_REFUSED, TRANSFER_URL ": %s%s%s (%s)%s", response->url,
		code.text, words.text[0] != '\0' ? ": " : "", words.text, reply.reason,
		advice_on(response, error));
}

static enum status read_refusal(
	const struct response *response, const struct json *object, struct failure *failure)
{
	const char *error = json_text(json_member(object, "error"));
	const char *description = json_text(json_member(object, "error_description"));
	struct failure reply;

	if (error && *error != '\0')
		return refuse_in_words(response, error, description, failure);
	if (response->http_status == HTTP_OK && object)
		return refuse(response, "an error that is no text", failure);
	describe_reply(response, &reply);
	if (response->http_status == HTTP_OK)
		return status_fail(failure, STATUS_UNREACHABLE,
			TRANSFER_URL ": the answer is not a JSON object (%s)", response->url,
			reply.reason);
	return status_fail(failure, STATUS_REFUSED, TRANSFER_URL ": %s%s", response->url,
		reply.reason,
		response->http_status >= HTTP_REDIRECT && response->http_status < HTTP_CLIENT_ERROR
			? ": redirects are not followed with a secret"
			: "");
}

/* ---- grants ---- */

/* A number, or, as some servers send it, a string of digits. Fractions are cut off. */
static enum status read_lifetime(const struct response *response, const struct json *object,
	long *lifetime, struct failure *failure)
{
	const struct json *item = json_member(object, "expires_in");
	const char *text = json_text(item);
	double seconds;

	*lifetime = RESPONSE_LIFETIME_UNKNOWN;
	if (!item || json_is_null(item))
		return STATUS_OK;
	if (text && *text != '\0' && text[strspn(text, "0123456789")] == '\0')
		seconds = strtod(text, NULL);
	else if (!json_number(item, &seconds))
		return refuse(response, "expires_in is not a number", failure);
	if (!(seconds >= 1))
		return refuse(
			response, "the token has no life left: expires_in is below 1", failure);
	*lifetime = seconds < LIFETIME_MAX_S ? (long)seconds : LIFETIME_MAX_S;
	return STATUS_OK;
}

/* RFC 6749, 7.1: a client must not use a token whose type it does not know. */
static enum status refuse_type(
	const struct response *response, const char *name, struct failure *failure)
{
	struct quote type =
		quote_text(name ? name : "no string", TYPE_MAX_BYTES, response->secrets);
	struct failure reason;

	status_fail(&reason, STATUS_OK, "token_type is %s, not bearer", type.text);
	return refuse(response, reason.reason, failure);
}

/* NULL: the endpoint did not say, or its answer is too long to pass on. */
static char *read_scope(const struct response *response, const struct json *object)
{
	const char *scope = json_text(json_member(object, "scope"));
	struct buffer clean = BUFFER_INIT(SCOPE_MAX_BYTES);
	char *copy = NULL;

	if (scope && quote_append(&clean, scope, response->secrets) == STATUS_OK)
		copy = buffer_duplicate(clean.data);
	buffer_release(&clean);
	return copy;
}

/* If the endpoint returned our secret as the token, it would be sent to the API, and cached. */
static bool is_secret(const struct response *response, const char *token)
{
	for (size_t i = 0; response->secrets && i < QUOTE_SECRETS_MAX; i++) {
		const char *told = response->secrets->told[i];

		if (told && strcmp(told, token) == 0)
			return true;
	}
	return false;
}

/* Check the token before anything else: it becomes part of a header. */
static enum status read_grant(const struct response *response, const struct json *object,
	struct grant *grant, struct failure *failure)
{
	const struct json *type = json_member(object, "token_type");
	const char *type_name = json_text(type);
	const char *token = json_text(json_member(object, "access_token"));
	enum status status;

	if (!token)
		return refuse(response, "the answer has no access_token that is a string", failure);
	if (!token_is_b64token(token))
		return refuse(response,
			"access_token holds characters that no bearer token may have, or is too "
			"long",
			failure);
	if (is_secret(response, token))
		return refuse(response, "access_token is the client's own secret", failure);
	if (type && (!type_name || strcasecmp(type_name, "bearer") != 0))
		return refuse_type(response, type_name, failure);
	status = read_lifetime(response, object, &grant->expires_in, failure);
	if (status)
		return status;

	grant->token = buffer_duplicate(token);
	grant->scope = read_scope(response, object);
	return grant->token ? STATUS_OK : status_no_memory(failure);
}

/* What is not JSON came from something in between, or was cut short: see transfer.h. */
bool response_is_object(const struct buffer *body)
{
	struct json *object = json_read(buffer_text(body), body->length);

	json_free(object);
	return object != NULL;
}

/* Some servers send "error": null, or "", with a token. */
static bool tells_of_error(const struct json *object)
{
	const struct json *error = json_member(object, "error");
	const char *text = json_text(error);

	return error && !json_is_null(error) && !(text && *text == '\0');
}

/* An error is an error even beside a token, and whatever the HTTP status. */
enum status response_read(
	const struct response *response, struct grant *grant, struct failure *failure)
{
	struct json *object = json_read(response->body, response->length);
	enum status status;

	*grant = (struct grant)GRANT_INIT;
	if (object && response->http_status == HTTP_OK && !tells_of_error(object))
		status = read_grant(response, object, grant, failure);
	else
		status = read_refusal(response, object, failure);
	if (status)
		grant_release(grant);
	json_free(object);
	return status;
}
