#ifndef ENDPOINT_H
#define ENDPOINT_H

#include <stdbool.h>
#include <time.h>

#include "core/authmethod.h"
#include "core/status.h"
#include "mint/transfer.h"

struct attributes;
struct buffer;
struct grant;
struct identity;
struct keypair;

/*
 * The token request of RFC 6749, 4.4. The client authenticates with its secret, in a Basic header
 * or in the body; with an assertion that it signs anew for each try, or that somebody else signed
 * (RFC 7521 and 7523); or with a certificate (RFC 8705).
 */
struct endpoint_request {
	const char *token_url;
	const char *client_id;
	const char *client_secret; /* for basic and post */
	const char *scope;         /* NULL: not sent; the same for the next one */
	const char *audience;
	const struct attributes *resources; /* its resource[] */
	enum authmethod auth_method;
	bool basic_raw; /* the two halves of Basic as they are, not form-encoded first */

	const struct keypair *keypair; /* for private_key_jwt and TLS */
	const char *private_key_id;
	const char *assertion_audience;  /* NULL: token_url */
	const char *assertion_algorithm; /* NULL: as suits the key */
	const struct identity *identity; /* the assertion or certificate that is sent, if any */
	const char *assertion_type;      /* NULL: jwt-bearer */
	struct transfer_client tls;
	time_t (*clock)(void);

	const char *cainfo; /* as in struct transfer; the same for the next one */
	long long deadline;
};

struct endpoint_reply {
	long http_status;   /* 0: nothing came */
	long retry_after_s; /* how long the endpoint must not be asked; 0: it did not say */
};

/*
 * On success the caller owns grant, for grant_release(). story: as in struct transfer.
 * STATUS_REFUSED, STATUS_UNREACHABLE, STATUS_TIMEOUT: failure names the endpoint and its reason.
 * last describes the last reply, whether or not it was a token.
 */
enum status endpoint_mint(const struct endpoint_request *request, struct grant *grant,
	struct buffer *story, struct endpoint_reply *last, struct failure *failure) MUST_CHECK;

#endif
