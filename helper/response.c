#include "response.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buffer.h"
#include "json.h"
#include "token.h"

enum { HTTP_OK = 200, HTTP_REDIRECT = 300, HTTP_CLIENT_ERROR = 400, LIFETIME_MAX_S = 1 << 30 };

void grant_release(struct grant *grant)
{
	buffer_free_text(grant->token);
	buffer_free_text(grant->scope);
	*grant = (struct grant)GRANT_INIT;
}

/* A number, or, as some servers send it, a string of digits. Fractions are cut off. */
static enum status read_lifetime(const struct json *object, long *lifetime, struct failure *failure)
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
		return status_fail(failure, STATUS_REFUSED, "expires_in is not a number");
	if (!(seconds >= 1))
		return status_fail(failure, STATUS_REFUSED,
			"the token has no life left: expires_in is below 1");
	*lifetime = seconds < LIFETIME_MAX_S ? (long)seconds : LIFETIME_MAX_S;
	return STATUS_OK;
}

/* Some servers tell what they were sent. */
static void censor(char *text, const char *secret)
{
	size_t length = secret ? strlen(secret) : 0;

	for (char *p = text; p && length > 0 && (p = strstr(p, secret)); p += length)
		memset(p, '*', length);
}

static enum status refuse_type(const char *name, const char *secret, struct failure *failure)
{
	char *told = buffer_duplicate(name);

	censor(told, secret);
	status_fail(failure, STATUS_REFUSED, "token_type is %.40s, not bearer",
		told ? told : "no string");
	buffer_free_text(told);
	return STATUS_REFUSED;
}

static enum status read_grant(
	const struct json *object, const char *secret, struct grant *grant, struct failure *failure)
{
	const struct json *type = json_member(object, "token_type");
	const char *type_name = json_text(type);
	const char *token = json_text(json_member(object, "access_token"));
	const char *scope = json_text(json_member(object, "scope"));
	enum status status;

	if (!token)
		return status_fail(
			failure, STATUS_REFUSED, "the answer has no access_token that is a string");
	if (!token_is_b64token(token))
		return status_fail(failure, STATUS_REFUSED,
			"access_token holds characters that no bearer token may have, or is too "
			"long");
	if (type && (!type_name || strcasecmp(type_name, "bearer") != 0))
		return refuse_type(type_name, secret, failure);
	status = read_lifetime(object, &grant->expires_in, failure);
	if (status)
		return status;

	grant->token = buffer_duplicate(token);
	/* a scope that could not be written down tells nothing we could use */
	grant->scope = scope && !strpbrk(scope, "\r\n") ? buffer_duplicate(scope) : NULL;
	return grant->token ? STATUS_OK : status_fail(failure, STATUS_NO_MEMORY, "out of memory");
}

/* RFC 6749, 5.2: the code first, then what the server adds for people. */
static enum status quote(
	const char *error, const char *description, const char *secret, struct failure *failure)
{
	char *code = buffer_duplicate(error);
	char *more = buffer_duplicate(description ? description : "");

	censor(code, secret);
	censor(more, secret);
	if (code && more)
		status_fail(failure, STATUS_REFUSED, "%.60s%s%.100s", code,
			*more != '\0' ? ": " : "", more);
	else
		status_fail(failure, STATUS_REFUSED, "an error");
	buffer_free_text(code);
	buffer_free_text(more);
	return STATUS_REFUSED;
}

static enum status read_refusal(
	const struct json *object, long http_status, const char *secret, struct failure *failure)
{
	const char *error = json_text(json_member(object, "error"));
	const char *description = json_text(json_member(object, "error_description"));

	if (error && *error != '\0')
		return quote(error, description, secret, failure);
	if (http_status == HTTP_OK && object)
		return status_fail(failure, STATUS_REFUSED, "an error that is no text");
	if (http_status == HTTP_OK)
		return status_fail(failure, STATUS_UNREACHABLE, "the answer is not a JSON object");
	if (http_status >= HTTP_REDIRECT && http_status < HTTP_CLIENT_ERROR)
		return status_fail(failure, STATUS_REFUSED,
			"HTTP status %ld: redirects are not followed with a secret", http_status);
	return status_fail(failure, STATUS_REFUSED, "HTTP status %ld", http_status);
}

enum status response_read(long http_status, const char *body, size_t length, const char *secret,
	struct grant *grant, struct failure *failure)
{
	struct json *object = json_read(body, length);
	enum status status;

	*grant = (struct grant)GRANT_INIT;
	if (object && http_status == HTTP_OK && !json_member(object, "error"))
		status = read_grant(object, secret, grant, failure);
	else
		status = read_refusal(object, http_status, secret, failure);
	if (status)
		grant_release(grant);
	json_free(object);
	return status;
}
