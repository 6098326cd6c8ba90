#ifndef ASSERTION_H
#define ASSERTION_H

#include <time.h>

#include "core/buffer.h"

struct keypair;

/*
 * The JWT with which a client proves that it holds a private key (RFC 7523, 2.2). It is valid for a
 * few minutes, and each has a jti of its own.
 */
struct assertion {
	const struct keypair
		*keypair;      /* "x5t" and "x5t#S256" name its certificate, if it has one */
	const char *algorithm; /* RS256, PS256, ES256 or EdDSA; NULL: as suits the key */
	const char *key_id;    /* "kid"; NULL: none */
	const char *client_id;
	const char *audience;
	time_t issued_at;
};

/*
 * Append it in compact form. STATUS_NO_SECRET: the key is too weak, or not for this algorithm.
 */
enum status assertion_sign(
	const struct assertion *assertion, struct buffer *out, struct failure *failure) MUST_CHECK;

#endif
