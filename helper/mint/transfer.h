#ifndef TRANSFER_H
#define TRANSFER_H

#include "core/buffer.h"

struct quote_secrets;

/*
 * HTTP with a server that is told secrets: the only file that drives libcurl. TLS is verified and
 * at least 1.2, no redirect is followed, the reply is bounded. Network faults, 429 and 5xx are
 * tried again three times, with growing pauses or as Retry-After says, all before the deadline.
 */
struct transfer {
	const char *url;
	const char *cainfo;   /* CA bundle; NULL: libcurl's own */
	const char *username; /* for Basic, as it is to be sent; NULL: no such header */
	const char *password;
	long long deadline; /* on the clock of process_milliseconds() */

	/* Compose the body to POST, for each try anew; NULL: a GET without. */
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
