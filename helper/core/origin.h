#ifndef ORIGIN_H
#define ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buffer.h"

/*
 * scheme + host + port, the unit of trust (RFC 6454). The scheme is http or
 * https. The host is ASCII and lower case, an IPv6 address keeps its brackets,
 * and the port is always set. Two origins are equal if all three are equal.
 */
enum { ORIGIN_HOST_MAX = 255 };

struct origin {
	bool secure; /* https */
	unsigned short port;
	char host[ORIGIN_HOST_MAX + 1];
};

/*
 * Parse a URL "scheme://host[:port][/...]"; ignore what follows the authority.
 * An empty port means the scheme's default. False for anything else: another
 * scheme, userinfo, a name with characters outside letters, digits, "-", "_"
 * and ".", an IPv6 zone identifier, a port outside 1..65535.
 */
bool origin_from_url(struct origin *origin, const char *url) MUST_CHECK;

/* Parse git's "protocol" and "host" attributes; host may include ":port". */
bool origin_from_protocol(struct origin *origin, const char *protocol, const char *host) MUST_CHECK;

bool origin_equal(const struct origin *one, const struct origin *other);

/* localhost, 127.0.0.0/8 in dotted decimal, [::1]: traffic that never leaves this machine. */
bool origin_is_loopback(const struct origin *origin);

/* Whether tokens may be sent there: https, or http to a loopback host. */
bool origin_may_carry(const struct origin *origin);

/* Append "https://host", with ":port" if it is not the scheme's default. */
enum status origin_write(const struct origin *origin, struct buffer *out) MUST_CHECK;

#endif
