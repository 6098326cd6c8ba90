#ifndef ENDPOINT_H
#define ENDPOINT_H

#include <stdbool.h>

#include "profile.h"

struct buffer;
struct grant;

/*
 * The token request of RFC 6749, 4.4: the only file that drives libcurl. TLS is verified and at
 * least 1.2, no redirect is followed, the reply is bounded. Network faults, 429 and 5xx are tried
 * again three times, with growing pauses or as Retry-After says, all inside timeout_ms.
 */
struct endpoint_request {
	const char *token_url;
	const char *client_id;
	const char *client_secret;
	const char *scope; /* NULL: not sent; the same for the next two */
	const char *audience;
	const struct attributes *resources; /* its resource[] */
	enum profile_auth_method auth_method;
	bool basic_raw;     /* the two halves of Basic as they are, not form-encoded first */
	const char *cainfo; /* CA bundle; NULL: libcurl's own */
	long timeout_ms;
};

/*
 * On success grant is the caller's, for grant_release(). story gets a "trace[]" line for each
 * attempt: what was asked, what came back, how long it took. STATUS_REFUSED, STATUS_UNREACHABLE,
 * STATUS_TIMEOUT: failure names the endpoint and its reason.
 */
enum status endpoint_mint(const struct endpoint_request *request, struct grant *grant,
	struct buffer *story, struct failure *failure) MUST_CHECK;

#endif
