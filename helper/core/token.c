#include "core/token.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/attributes.h"
#include "core/buffer.h"

/* A request takes time, and the API's clock may be ahead. A short token needs a smaller margin. */
enum { MARGIN_MAX_S = 60, MARGIN_PART = 10, WINDOW_MAX_S = 300, WINDOW_PART = 5 };
enum { CLOCK_SLACK_S = 2 }; /* coarse clocks lag, and NTP slews clocks */

bool token_is_b64token(const char *text)
{
	size_t length = strspn(
		text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/");
	size_t padding = strspn(text + length, "=");

	return length > 0 && text[length + padding] == '\0' && length + padding <= TOKEN_MAX_BYTES;
}

static long smaller(long one, long other)
{
	return one < other ? one : other;
}

long token_lifetime(const struct token *token)
{
	return (long)(token->expires - token->obtained);
}

time_t token_usable_until(const struct token *token)
{
	if (token->to_the_end)
		return token->expires;
	return token->expires - smaller(MARGIN_MAX_S, token_lifetime(token) / MARGIN_PART);
}

/* So early that a renewal in the background is over before anybody would have to wait for one. */
time_t token_renew_from(const struct token *token)
{
	return token_usable_until(token) -
	       smaller(WINDOW_MAX_S, token_lifetime(token) / WINDOW_PART);
}

/* A clock that was set back makes the remaining time longer than it is, so do not trust it. */
bool token_usable(const struct token *token, time_t now)
{
	return token->value && token->obtained <= now + CLOCK_SLACK_S &&
	       now < token_usable_until(token);
}

bool token_wants_renewal(const struct token *token, time_t now)
{
	return token->value && now >= token_renew_from(token);
}

/* An expiry too far ahead would keep a dead token in use, long after the API has refused it. */
bool token_is_believable(const struct token *token, long max_lifetime, time_t now)
{
	return token->obtained < token->expires && token_lifetime(token) <= max_lifetime &&
	       token->expires <= now + max_lifetime + CLOCK_SLACK_S;
}

static bool is_among(const char *word, size_t length, const char *list)
{
	for (list += strspn(list, " "); *list != '\0'; list += strspn(list, " ")) {
		size_t found = strcspn(list, " ");

		if (found == length && strncmp(list, word, length) == 0)
			return true;
		list += found;
	}
	return false;
}

/* Scopes are a set: their order carries no meaning, and a server may grant more (RFC 6749, 3.3). */
bool token_grants(const char *asked, const char *granted)
{
	if (!asked || !granted)
		return true;
	for (asked += strspn(asked, " "); *asked != '\0'; asked += strspn(asked, " ")) {
		size_t length = strcspn(asked, " ");

		if (!is_among(asked, length, granted))
			return false;
		asked += length;
	}
	return true;
}

/* FNV-1a, 32 bits: enough to tell tokens apart, far too few to recover one. */
void token_fingerprint(const char *value, char out[TOKEN_FINGERPRINT_BYTES])
{
	uint32_t hash = 2166136261U;

	for (; *value != '\0'; value++)
		hash = (hash ^ (unsigned char)*value) * 16777619U;
	snprintf(out, TOKEN_FINGERPRINT_BYTES, "%08x", (unsigned)hash);
}

enum status token_write(const struct token *token, struct buffer *out)
{
	const struct attributes_row rows[] = {
		{"obtained", NULL, (long long)token->obtained},
		{"expires", NULL, (long long)token->expires},
		{"granted_scope", token->scope, 0},
		{"credential", token->value, 0},
		{0},
	};

	return attributes_add_rows(out, rows);
}

bool token_read(struct token *token, const struct attributes *lines)
{
	const char *value = attributes_get(lines, "credential");

	*token = (struct token){
		.obtained = (time_t)attributes_number(lines, "obtained"),
		.expires = (time_t)attributes_number(lines, "expires"),
	};
	/* it goes into a header, where other bytes could forge another header */
	if (!value || !token_is_b64token(value))
		return false;
	token->value = buffer_duplicate(value);
	token->scope = buffer_duplicate(attributes_get(lines, "granted_scope"));
	return token->value != NULL;
}

void token_release(struct token *token)
{
	buffer_free_text(token->value);
	buffer_free_text(token->scope);
	*token = (struct token)TOKEN_INIT;
}
