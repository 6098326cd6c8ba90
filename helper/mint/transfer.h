#ifndef TRANSFER_H
#define TRANSFER_H

#include <stdbool.h>

#include "core/buffer.h"

struct quote_secrets;

/* The certificate to show to the server, in PEM. */
struct transfer_client {
	const char *certificate; /* NULL: none is shown; then those of CAs may follow */
	const char *private_key; /* or "pkcs11:" and where the key is */
	const char *password;    /* of private_key; NULL: none */
};

/*
 * HTTP with a server that is told secrets. Only this file uses libcurl. TLS is verified and at
 * least 1.2, no redirect is followed, and the size of the reply is bounded. After a network fault,
 * 429 or 5xx the request is repeated up to three times, with growing pauses or as Retry-After says,
 * until the deadline. After a 200 that is not sound it is repeated once.
 */
struct transfer {
	const char *url;
	const char *cainfo;   /* CA bundle; NULL: libcurl's own */
	const char *username; /* for Basic, as it is to be sent; NULL: no such header */
	const char *password;
	struct transfer_client client;
	long long deadline; /* on the clock of process_milliseconds() */

	/* Whether the body of a 200 can be an answer at all; NULL: any can. */
	bool (*is_sound)(const struct buffer *reply);

	/* Compose the body to POST, anew for each try; NULL: a GET without a body. */
	enum status (*write_body)(void *context, struct buffer *body, struct failure *failure);
	void *context;

	const struct quote_secrets *secrets; /* what the server is told; NULL: nothing */

	struct buffer *reply; /* set: the body of the last reply, and its status */
	long http_status;
	long retry_after_s;   /* what that reply's Retry-After says; 0: nothing */
	struct buffer *story; /* gets a "trace[]" line for each try: what was asked, what came
				 back, how long it took */
};

/*
 * STATUS_OK: there is a reply, whatever its status. STATUS_UNREACHABLE, STATUS_TIMEOUT: there is
 * none; failure names the URL. What write_body() fails with comes back as it is.
 */
enum status transfer_run(struct transfer *transfer, struct failure *failure) MUST_CHECK;

/* How reasons begin; a URL may be longer than a reason, and must leave room for it. */
#define TRANSFER_URL "%.100s"

/* Append text as application/x-www-form-urlencoded has it. */
enum status transfer_form_encode(struct buffer *out, const char *text) MUST_CHECK;

#endif
