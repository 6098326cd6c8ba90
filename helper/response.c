#include "response.h"

#include <cjson/cJSON.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buffer.h"
#include "token.h"

enum { HTTP_OK = 200, HTTP_REDIRECT = 300, HTTP_CLIENT_ERROR = 400, LIFETIME_MAX_S = 1 << 30 };

void grant_release(struct grant *grant)
{
	buffer_free_text(grant->token);
	buffer_free_text(grant->scope);
	*grant = (struct grant)GRANT_INIT;
}

/* A NUL, raw or escaped, would cut a string short: what is left could pass for a token. */
static bool holds_nul(const char *body, size_t length)
{
	static const char escaped[] = "\\u0000";

	return memchr(body, '\0', length) || memmem(body, length, escaped, strlen(escaped));
}

/* One JSON object with nothing but white space behind it, or NULL. */
static cJSON *parse(const char *body, size_t length)
{
	const char *end = NULL;
	cJSON *object;

	if (length == 0 || holds_nul(body, length))
		return NULL;
	object = cJSON_ParseWithLengthOpts(body, length, &end, false);
	while (object && end < body + length && strchr(" \t\r\n", *end))
		end++;
	if (!object || end != body + length || !cJSON_IsObject(object)) {
		cJSON_Delete(object);
		return NULL;
	}
	return object;
}

static const char *get_text(const cJSON *object, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static void wipe_text(const cJSON *object, const char *name)
{
	char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	if (text)
		explicit_bzero(text, strlen(text));
}

/* A number, or, as some servers send it, a string of digits. Fractions are cut off. */
static enum status read_lifetime(const cJSON *object, long *lifetime, struct failure *failure)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, "expires_in");
	const char *text = cJSON_GetStringValue(item);
	double seconds;

	*lifetime = RESPONSE_LIFETIME_UNKNOWN;
	if (!item || cJSON_IsNull(item))
		return STATUS_OK;
	if (cJSON_IsNumber(item))
		seconds = item->valuedouble;
	else if (text && *text != '\0' && text[strspn(text, "0123456789")] == '\0')
		seconds = strtod(text, NULL);
	else
		return status_fail(failure, STATUS_REFUSED, "expires_in is not a number");
	if (!(seconds >= 1))
		return status_fail(failure, STATUS_REFUSED,
			"the token has no life left: expires_in is below 1");
	*lifetime = seconds < LIFETIME_MAX_S ? (long)seconds : LIFETIME_MAX_S;
	return STATUS_OK;
}

static enum status read_grant(const cJSON *object, struct grant *grant, struct failure *failure)
{
	const cJSON *type = cJSON_GetObjectItemCaseSensitive(object, "token_type");
	const char *token = get_text(object, "access_token");
	const char *scope = get_text(object, "scope");
	enum status status;

	if (!token)
		return status_fail(
			failure, STATUS_REFUSED, "the answer has no access_token that is a string");
	if (!token_is_b64token(token))
		return status_fail(failure, STATUS_REFUSED,
			"access_token holds characters that no bearer token may have, or is too "
			"long");
	if (type && (!cJSON_IsString(type) || strcasecmp(type->valuestring, "bearer") != 0))
		return status_fail(failure, STATUS_REFUSED, "token_type is %.40s, not bearer",
			cJSON_IsString(type) ? type->valuestring : "no string");
	status = read_lifetime(object, &grant->expires_in, failure);
	if (status)
		return status;

	grant->token = buffer_duplicate(token);
	/* a scope that could not be written down tells nothing we could use */
	grant->scope = scope && !strpbrk(scope, "\r\n") ? buffer_duplicate(scope) : NULL;
	return grant->token ? STATUS_OK : status_fail(failure, STATUS_NO_MEMORY, "out of memory");
}

/* RFC 6749, 5.2: the code first, then what the server adds for people. */
static enum status read_refusal(const cJSON *object, long http_status, struct failure *failure)
{
	const char *error = get_text(object, "error");
	const char *description = get_text(object, "error_description");

	if (error && *error == '\0')
		error = NULL;
	if (error && description && *description != '\0')
		return status_fail(failure, STATUS_REFUSED, "%.60s: %.100s", error, description);
	if (error)
		return status_fail(failure, STATUS_REFUSED, "%.100s", error);
	if (http_status == HTTP_OK && object)
		return status_fail(failure, STATUS_REFUSED, "an error that is no text");
	if (http_status == HTTP_OK)
		return status_fail(failure, STATUS_UNREACHABLE, "the answer is not a JSON object");
	if (http_status >= HTTP_REDIRECT && http_status < HTTP_CLIENT_ERROR)
		return status_fail(failure, STATUS_REFUSED,
			"HTTP status %ld: redirects are not followed with a secret", http_status);
	return status_fail(failure, STATUS_REFUSED, "HTTP status %ld", http_status);
}

enum status response_read(long http_status, const char *body, size_t length, struct grant *grant,
	struct failure *failure)
{
	cJSON *object = parse(body, length);
	enum status status;

	*grant = (struct grant)GRANT_INIT;
	if (object && http_status == HTTP_OK && !cJSON_GetObjectItemCaseSensitive(object, "error"))
		status = read_grant(object, grant, failure);
	else
		status = read_refusal(object, http_status, failure);
	if (status)
		grant_release(grant);
	wipe_text(object, "access_token");
	wipe_text(object, "refresh_token");
	cJSON_Delete(object);
	return status;
}
