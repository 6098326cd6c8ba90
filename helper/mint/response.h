#ifndef RESPONSE_H
#define RESPONSE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"

struct buffer;
struct quote_secrets;

/*
 * The token endpoint's answer (RFC 6749, 5.1 and 5.2). It is not trusted. The result is a token
 * that may be sent, or a refusal in one line.
 */
enum { RESPONSE_MAX_BYTES = 1 << 20 };

enum { RESPONSE_LIFETIME_UNKNOWN = -1 };

struct grant {
	char *token;     /* b64token of RFC 6750 */
	char *scope;     /* as a quote (quote.h); NULL: the endpoint did not say */
	long expires_in; /* seconds, at least 1; or RESPONSE_LIFETIME_UNKNOWN */
};

#define GRANT_INIT \
	{ \
		.expires_in = RESPONSE_LIFETIME_UNKNOWN \
	}

struct response {
	const char *url; /* of the endpoint, for reasons */
	long http_status;
	long retry_after_s; /* 0: the endpoint did not say */
	const char *body;   /* need not end in NUL */
	size_t length;
	const struct quote_secrets *secrets; /* what the endpoint was told; NULL: nothing */
	const char *advice; /* what to look at if the client is refused; "": the secret */
};

/* Whether the body is a JSON object, so that response_read() can find a token or an error in it. */
bool response_is_object(const struct buffer *body);

/*
 * If there is an "error" member that is neither null nor "", the answer is a refusal, whatever the
 * status. failure names the endpoint, the HTTP status and Retry-After. STATUS_REFUSED: the endpoint
 * refused. STATUS_UNREACHABLE: its answer makes no sense.
 */
enum status response_read(
	const struct response *response, struct grant *grant, struct failure *failure) MUST_CHECK;

/* Wipe and free. */
void grant_release(struct grant *grant);

#endif
