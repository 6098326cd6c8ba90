#ifndef ASSERTION_H
#define ASSERTION_H

#include <time.h>

#include "core/buffer.h"

/*
 * The JWT by which a client without a secret proves who it is (RFC 7523, 2.2), signed by RS256 or
 * ES256 as its key is RSA or EC P-256. It lives for a few minutes, and no two have the same jti.
 */
struct assertion {
	const char *private_key;      /* PEM, without a passphrase */
	const char *key_id;           /* "kid"; NULL: none */
	const char *certificate_path; /* PEM; "x5t" and "x5t#S256" name it; NULL: none */
	const char *client_id;
	const char *audience;
	time_t issued_at;
};

/*
 * Append it in compact form. STATUS_NO_SECRET: the key is none, or none for these two ways, or the
 * certificate is not of this key.
 */
enum status assertion_sign(
	const struct assertion *assertion, struct buffer *out, struct failure *failure) MUST_CHECK;

#endif
