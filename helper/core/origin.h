#ifndef ORIGIN_H
#define ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buffer.h"

/*
 * scheme + host + port, the unit in which trust is given (RFC 6454). Only http
 * and https exist here. The host is ASCII and lower case, IPv6 stands in its
 * brackets, the port is always filled in. Two origins are equal if all three
 * are; nothing fuzzier.
 */
enum { ORIGIN_HOST_MAX = 255 };

struct origin {
	bool secure; /* https */
	unsigned short port;
	char host[ORIGIN_HOST_MAX + 1];
};

/*
 * From a URL "scheme://host[:port][/...]"; what follows the authority is not
 * looked at. False for anything else: another scheme, userinfo, a host with
 * characters outside letters, digits, "-", "_" and ".", a port that is no
 * number in 1..65535.
 */
bool origin_from_url(struct origin *origin, const char *url) MUST_CHECK;

/* From git's "protocol" and "host" attributes; host may carry ":port". */
bool origin_from_protocol(struct origin *origin, const char *protocol, const char *host) MUST_CHECK;

bool origin_equal(const struct origin *one, const struct origin *other);

/* localhost, 127.0.0.0/8 in dotted decimal, [::1]: bytes that cannot leave this machine. */
bool origin_is_loopback(const struct origin *origin);

/* https, or http to a loopback host. */
bool origin_may_carry(const struct origin *origin);

/* "https://host" with ":port" where it is not the scheme's own. */
enum status origin_write(const struct origin *origin, struct buffer *out) MUST_CHECK;

#endif
