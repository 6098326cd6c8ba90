#ifndef DISCOVERY_H
#define DISCOVERY_H

#include <stdbool.h>

#include "core/buffer.h"

/*
 * Find an issuer's token endpoint in its metadata, at the place of RFC 8414. If there are none, or
 * they are another issuer's, at the place of OpenID Connect. An endpoint that is neither https nor
 * on this machine is refused.
 */
struct discovery {
	const char *issuer;
	bool mutual_tls;    /* prefer the endpoint in mtls_endpoint_aliases (RFC 8705, 5) */
	const char *cainfo; /* as in struct transfer; the same for the next two */
	long long deadline;
	struct buffer *story;
};

/* Append the endpoint's URL to token_url. failure names the place that was asked. */
enum status discovery_find(const struct discovery *discovery, struct buffer *token_url,
	struct failure *failure) MUST_CHECK;

#endif
