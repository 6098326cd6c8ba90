#ifndef DISCOVERY_H
#define DISCOVERY_H

#include "core/buffer.h"

/*
 * Where an issuer's token endpoint is, by its metadata: where RFC 8414 puts them, else, if there
 * are none or they are another issuer's, where OpenID Connect does. An endpoint that is neither
 * https nor on this machine is refused.
 */
struct discovery {
	const char *issuer;
	const char *cainfo; /* as in struct transfer; the same for the next two */
	long long deadline;
	struct buffer *story;
};

/* Append the endpoint's URL to token_url. failure names the place that was asked. */
enum status discovery_find(const struct discovery *discovery, struct buffer *token_url,
	struct failure *failure) MUST_CHECK;

#endif
