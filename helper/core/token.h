#ifndef TOKEN_H
#define TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "core/status.h"

struct attributes;
struct buffer;

/*
 * A bearer token and its lifetime. Times are wall-clock seconds since the epoch.
 *
 *	obtained ........ renew_from ........ usable_until .. expires
 *	          serve              serve and        absent
 *	                             renew
 *
 * margin = min(60 s, lifetime / 10) before expires: the token counts as absent.
 * renewal window = min(300 s, lifetime / 5) before the margin: the token is
 * served at once while another process renews it.
 */
enum {
	TOKEN_MAX_BYTES = 60 * 1024,
	TOKEN_FINGERPRINT_BYTES = 9, /* 8 hex digits and the NUL */
};

struct token {
	char *value; /* b64token of RFC 6750, 2.1 */
	char *scope; /* as granted; NULL: the endpoint did not say */
	time_t obtained;
	time_t expires;
	bool cached;     /* it was read from the cache, not just fetched */
	bool to_the_end; /* no newer one can be had: usable until it expires, without margin */
};

#define TOKEN_INIT \
	{ \
		.value = NULL \
	}

/* Whether text may follow "Bearer ": 1*(ALPHA DIGIT - . _ ~ + /) *"=", TOKEN_MAX_BYTES at most. */
bool token_is_b64token(const char *text);

long token_lifetime(const struct token *token);
time_t token_usable_until(const struct token *token);
time_t token_renew_from(const struct token *token);

/*
 * Whether the token may be sent at now. A token that was obtained in the future
 * must not be: the clock was set back, so its expiry is unreliable.
 */
bool token_usable(const struct token *token, time_t now);
bool token_wants_renewal(const struct token *token, time_t now);

/*
 * Whether the token's times are possible at now for a lifetime of at most max_lifetime seconds. A
 * forged token, or one stored under another clock, may have impossible times.
 */
bool token_is_believable(const struct token *token, long max_lifetime, time_t now);

/* Whether every scope asked for is granted. True if either is NULL: none asked, or not stated. */
bool token_grants(const char *asked, const char *granted);

/* Eight hex digits that identify a token in traces without revealing it. */
void token_fingerprint(const char *value, char out[TOKEN_FINGERPRINT_BYTES]);

/*
 * The lines of a token in the cache, in a fleet's store and between our programs: obtained,
 * expires, granted_scope, credential. token_read() gives false if the value is missing or no
 * b64token, or if memory is short. Missing times are 0, which token_is_believable() rejects. Call
 * token_release() in any case.
 */
enum status token_write(const struct token *token, struct buffer *out) MUST_CHECK;
bool token_read(struct token *token, const struct attributes *lines) MUST_CHECK;

/* Wipe and free the contents; usable again. */
void token_release(struct token *token);

#endif
