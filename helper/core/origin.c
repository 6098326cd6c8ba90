#include "core/origin.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PORT_HTTP = 80, PORT_HTTPS = 443, PORT_MAX = 65535 };

static unsigned short default_port(bool secure)
{
	return secure ? PORT_HTTPS : PORT_HTTP;
}

static bool scheme_is(const char *scheme, size_t length, const char *name)
{
	return length == strlen(name) && strncasecmp(scheme, name, length) == 0;
}

static bool set_scheme(struct origin *origin, const char *scheme, size_t length)
{
	origin->secure = scheme_is(scheme, length, "https");
	return origin->secure || scheme_is(scheme, length, "http");
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Compare ranges: with a large config, isalnum() for each character would cost the most time. */
static bool is_of_name(char c)
{
	return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_' || c == '.';
}

static bool is_of_address(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
}

/*
 * Accept a name, an IPv4 address, or an IPv6 address in brackets without zone identifier. Nothing
 * is decoded or normalised but the case: a host that two parsers could read differently is refused.
 */
static bool set_host(struct origin *origin, const char *host, size_t length)
{
	bool bracketed = length > 2 && host[0] == '[' && host[length - 1] == ']';
	size_t first = bracketed ? 1 : 0;
	size_t last = length - first;

	if (length == 0 || length > ORIGIN_HOST_MAX)
		return false;
	for (size_t i = 0; i < length; i++) {
		char c = host[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (i >= first && i < last && !(bracketed ? is_of_address(c) : is_of_name(c)))
			return false;
		origin->host[i] = c;
	}
	origin->host[length] = '\0';
	return true;
}

/* Accept digits only. An empty port, as in "host:", means the scheme's default. */
static bool set_port(struct origin *origin, const char *port, size_t length)
{
	unsigned long number = 0;

	origin->port = default_port(origin->secure);
	if (length == 0)
		return true;
	for (size_t i = 0; i < length; i++) {
		if (!is_digit(port[i]))
			return false;
		number = number * 10 + (unsigned long)(port[i] - '0');
		if (number > PORT_MAX)
			return false;
	}
	origin->port = (unsigned short)number;
	return number > 0;
}

/* A ":" within the brackets of an IPv6 address is not the one before the port. */
static bool set_authority(struct origin *origin, const char *authority, size_t length)
{
	const char *bracket =
		length > 0 && authority[0] == '[' ? memchr(authority, ']', length) : NULL;
	size_t host_start = bracket ? (size_t)(bracket - authority) : 0;
	const char *colon = memchr(authority + host_start, ':', length - host_start);
	size_t host_length = colon ? (size_t)(colon - authority) : length;
	const char *port = colon ? colon + 1 : authority + length;

	return set_host(origin, authority, host_length) &&
	       set_port(origin, port, (size_t)(authority + length - port));
}

bool origin_from_url(struct origin *origin, const char *url)
{
	const char *separator = strstr(url, "://");
	const char *authority;

	/* userinfo is refused by set_host(), as "@" is no character of a name */
	if (!separator || !set_scheme(origin, url, (size_t)(separator - url)))
		return false;
	authority = separator + 3;
	return set_authority(origin, authority, strcspn(authority, "/?#"));
}

bool origin_from_protocol(struct origin *origin, const char *protocol, const char *host)
{
	return set_scheme(origin, protocol, strlen(protocol)) &&
	       set_authority(origin, host, strlen(host));
}

bool origin_equal(const struct origin *one, const struct origin *other)
{
	return one->secure == other->secure && one->port == other->port &&
	       strcmp(one->host, other->host) == 0;
}

/*
 * 127.a.b.c with each part 0..255 in plain decimal, as inet_pton(3) takes it. Other spellings, such
 * as 127.1 or 0177.0.0.1, mean different hosts to different programs.
 */
static bool is_loopback_address(const char *host)
{
	int parts = 0;

	for (const char *p = host; parts < 4; p++) {
		size_t digits = strspn(p, "0123456789");
		long part = strtol(p, NULL, 10);

		if (digits == 0 || digits > 3 || part > 255 || (digits > 1 && *p == '0'))
			return false;
		if (parts == 0 && part != 127)
			return false;
		parts++;
		p += digits;
		if (*p != (parts < 4 ? '.' : '\0'))
			return false;
	}
	return true;
}

bool origin_is_loopback(const struct origin *origin)
{
	return strcmp(origin->host, "localhost") == 0 || strcmp(origin->host, "[::1]") == 0 ||
	       is_loopback_address(origin->host);
}

/* Not a name that resolves to loopback: a DNS server could make it resolve to another host. */
bool origin_may_carry(const struct origin *origin)
{
	return origin->secure || origin_is_loopback(origin);
}

enum status origin_write(const struct origin *origin, struct buffer *out)
{
	const char *scheme = origin->secure ? "https" : "http";

	if (origin->port == default_port(origin->secure))
		return buffer_printf(out, "%s://%s", scheme, origin->host);
	return buffer_printf(out, "%s://%s:%hu", scheme, origin->host, origin->port);
}
