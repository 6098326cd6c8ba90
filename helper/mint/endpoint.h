#ifndef ENDPOINT_H
#define ENDPOINT_H

#include <stdbool.h>
#include <time.h>

#include "core/authmethod.h"
#include "core/status.h"

struct attributes;
struct buffer;
struct grant;

/*
 * The token request of RFC 6749, 4.4, and how the client proves itself in it: by its secret in a
 * Basic header or in the body, or by an assertion it signs (RFC 7523), a fresh one for each try.
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

	const char *private_key; /* for private_key_jwt: PEM */
	const char *private_key_id;
	const char *certificate_path;   /* of the key; NULL: none is named */
	const char *assertion_audience; /* NULL: token_url */
	time_t (*clock)(void);

	const char *cainfo; /* as in struct transfer; the same for the next one */
	long long deadline;
};

struct endpoint_reply {
	long http_status;   /* 0: nothing came */
	long retry_after_s; /* how long the endpoint asks to be left alone; 0: it does not */
};

/*
 * On success grant is the caller's, for grant_release(). story: as in struct transfer.
 * STATUS_REFUSED, STATUS_UNREACHABLE, STATUS_TIMEOUT: failure names the endpoint and its reason.
 * last is set to what came back last, whether or not it was a token.
 */
enum status endpoint_mint(const struct endpoint_request *request, struct grant *grant,
	struct buffer *story, struct endpoint_reply *last, struct failure *failure) MUST_CHECK;

#endif
