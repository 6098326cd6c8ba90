#ifndef RESPONSE_H
#define RESPONSE_H

#include <stddef.h>

#include "status.h"

/*
 * The token endpoint's answer (RFC 6749, 5.1 and 5.2), which is not to be trusted: what comes out
 * is a token that may be sent, or a refusal in one line.
 */
enum { RESPONSE_MAX_BYTES = 1 << 20 };

enum { RESPONSE_LIFETIME_UNKNOWN = -1 };

struct grant {
	char *token;     /* b64token of RFC 6750 */
	char *scope;     /* NULL where the endpoint did not say */
	long expires_in; /* seconds, at least 1; or RESPONSE_LIFETIME_UNKNOWN */
};

#define GRANT_INIT \
	{ \
		.expires_in = RESPONSE_LIFETIME_UNKNOWN \
	}

/*
 * body has length bytes and need not end in NUL. An "error" member decides, whatever the status.
 * secret is what the endpoint was told and no reason may repeat; NULL: nothing.
 * STATUS_REFUSED: the endpoint said no; STATUS_UNREACHABLE: it said nothing that makes sense.
 */
enum status response_read(long http_status, const char *body, size_t length, const char *secret,
	struct grant *grant, struct failure *failure) MUST_CHECK;

/* Wipe and free. */
void grant_release(struct grant *grant);

#endif
