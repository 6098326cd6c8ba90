#include "core/storeurl.h"

#include <stdlib.h>
#include <string.h>

#include "core/text.h"

enum { PORT_MAX = 65535 };

static const struct {
	const char *prefix;
	enum storeurl_kind kind;
} SCHEMES[] = {
	{"redis://", STOREURL_TCP},
	{"rediss://", STOREURL_TLS},
	{"redis+unix://", STOREURL_UNIX},
};

enum { SCHEME_COUNT = sizeof(SCHEMES) / sizeof(SCHEMES[0]) };

static const char *take_scheme(struct storeurl *out, const char *url)
{
	for (size_t i = 0; i < SCHEME_COUNT; i++) {
		size_t length = strlen(SCHEMES[i].prefix);

		if (strncmp(url, SCHEMES[i].prefix, length) == 0) {
			out->kind = SCHEMES[i].kind;
			return url + length;
		}
	}
	return NULL;
}

static bool copy_text(char out[STOREURL_TEXT_MAX], const char *text, size_t length)
{
	if (length >= STOREURL_TEXT_MAX)
		return false;
	memcpy(out, text, length);
	out[length] = '\0';
	return true;
}

/*
 * Reject control characters and NUL in the decoded text. An escape cannot reach beyond the text:
 * the
 * ":" or "@" behind it is no hex digit.
 */
static bool decode_text(char out[STOREURL_TEXT_MAX], const char *text, size_t length)
{
	const char *end = text + length;
	size_t used = 0;

	while (text < end && used + 1 < STOREURL_TEXT_MAX) {
		bool escape = *text == '%';
		int byte = escape ? text_hex_byte(text + 1) : (unsigned char)*text;

		if (byte < 0x20 || byte == 0x7f)
			return false;
		out[used++] = (char)byte;
		text += escape ? strlen("%41") : 1;
	}
	out[used] = '\0';
	return text == end;
}

/* "user:password", the text before the last "@"; the password must not be empty. */
static bool take_account(struct storeurl *out, const char *text, size_t length)
{
	const char *colon = memchr(text, ':', length);
	size_t user_length = colon ? (size_t)(colon - text) : 0;

	return colon && decode_text(out->user, text, user_length) &&
	       decode_text(out->password, colon + 1, length - user_length - 1) &&
	       out->password[0] != '\0';
}

/* The whole text must be a number of at most max. */
static bool take_number(int *out, const char *text, size_t length, int max)
{
	enum { DIGITS_MAX = 5 };
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits != length || digits > DIGITS_MAX)
		return false;
	*out = (int)strtol(text, NULL, 10);
	return *out <= max;
}

/* The host goes to the resolver and into messages, so no other characters are accepted. */
static bool is_host(const char *text)
{
	return *text != '\0' &&
	       text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				 ".-_:%")] == '\0';
}

/* "host", "host:port", "[address]:port" */
static bool take_host(struct storeurl *out, const char *text, size_t length)
{
	const char *end = text + length;
	bool bracketed = length > 0 && *text == '[';
	const char *host_end;

	text += bracketed;
	host_end = memchr(text, bracketed ? ']' : ':', (size_t)(end - text));
	if (bracketed && !host_end)
		return false;
	host_end = host_end ? host_end : end;
	if (!copy_text(out->place, text, (size_t)(host_end - text)) || !is_host(out->place))
		return false;
	host_end += bracketed;
	if (host_end == end)
		return true;
	return *host_end == ':' &&
	       take_number(&out->port, host_end + 1, (size_t)(end - host_end - 1), PORT_MAX) &&
	       out->port > 0;
}

bool storeurl_parse(struct storeurl *out, const char *url)
{
	const char *rest;
	const char *path;
	const char *at = NULL;

	*out = (struct storeurl){.port = STOREURL_PORT_DEFAULT};
	/* blanks and control characters would tear the lines that the URL is passed on in */
	for (const char *p = url; *p != '\0'; p++) {
		if ((unsigned char)*p <= 0x20 || *p == 0x7f)
			return false;
	}
	rest = take_scheme(out, url);
	if (!rest)
		return false;

	/* the last "@": a password may hold one */
	path = rest + strcspn(rest, "/");
	for (const char *p = rest; p < path; p++)
		at = *p == '@' ? p : at;
	if (at && !take_account(out, rest, (size_t)(at - rest)))
		return false;
	rest = at ? at + 1 : rest;

	if (out->kind == STOREURL_UNIX)
		return rest == path && path[0] == '/' && path[1] != '\0' &&
		       copy_text(out->place, path, strlen(path));
	return take_host(out, rest, (size_t)(path - rest)) &&
	       (path[0] == '\0' || path[1] == '\0' ||
		       take_number(
			       &out->database, path + 1, strlen(path + 1), STOREURL_DATABASE_MAX));
}

bool storeurl_has_password(const char *url)
{
	struct storeurl parsed;
	bool has = storeurl_parse(&parsed, url) && parsed.password[0] != '\0';

	storeurl_clear(&parsed);
	return has;
}

static const char *scheme_of(const struct storeurl *url)
{
	size_t i = 0;

	while (SCHEMES[i].kind != url->kind)
		i++;
	return SCHEMES[i].prefix;
}

enum status storeurl_show(const char *url, struct buffer *out)
{
	struct storeurl parsed;
	enum status status = STATUS_MALFORMED;

	if (!storeurl_parse(&parsed, url))
		goto done;
	if (parsed.kind == STOREURL_UNIX)
		status = buffer_printf(out, "%s%s", scheme_of(&parsed), parsed.place);
	else
		status = buffer_printf(out,
			strchr(parsed.place, ':') ? "%s[%s]:%d/%d" : "%s%s:%d/%d",
			scheme_of(&parsed), parsed.place, parsed.port, parsed.database);
done:
	storeurl_clear(&parsed);
	return status;
}

/* The password lies in the struct itself. */
void storeurl_clear(struct storeurl *url)
{
	explicit_bzero(url, sizeof(*url));
}
