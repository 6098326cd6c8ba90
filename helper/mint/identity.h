#ifndef IDENTITY_H
#define IDENTITY_H

#include <stdbool.h>
#include <time.h>

#include "core/buffer.h"

struct keypair;

/* What proves who the client is, where that says so itself: an assertion, or a certificate. */
struct identity {
	const char *assertion;         /* NULL: the certificate of keypair, if it has one */
	const struct keypair *keypair; /* NULL: none */
	const char *source;            /* the config key that it comes from, for reasons */
	time_t now;
};

/*
 * Check it before it is sent. STATUS_NO_SECRET: it is not a JWT, or has expired, and failure says
 * what to do.
 */
enum status identity_check(const struct identity *identity, struct failure *failure) MUST_CHECK;

/*
 * Append subject, issuer and expires as attributes, if they are known, and warn_from, when it is
 * time to replace a certificate. Times are seconds since the epoch.
 */
enum status identity_describe(const struct identity *identity, struct buffer *out) MUST_CHECK;

/* What to look at if the endpoint does not know the client; "" if nothing is known. */
void identity_advise(const struct identity *identity, struct failure *advice);

#endif
