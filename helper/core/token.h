#ifndef TOKEN_H
#define TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "core/status.h"

/*
 * A bearer token and its life. Times are wall-clock seconds since the epoch.
 *
 *	obtained ........ renew_from ........ usable_until .. expires
 *	          serve              serve and        absent
 *	                             renew
 *
 * margin = min(60 s, lifetime / 10) before expires: the token counts as absent.
 * renewal window = min(300 s, lifetime / 5) before that: it is served at once
 * while somebody mints the next.
 */
enum {
	TOKEN_MAX_BYTES = 60 * 1024,
	TOKEN_FINGERPRINT_BYTES = 9, /* 8 hex digits and the NUL */
};

struct token {
	char *value; /* b64token of RFC 6750, 2.1 */
	char *scope; /* as granted; NULL where the endpoint did not say */
	time_t obtained;
	time_t expires;
	bool cached;     /* it was in the cache before it was asked for */
	bool to_the_end; /* no other can be had: usable until it expires, without the margin */
};

#define TOKEN_INIT \
	{ \
		.value = NULL \
	}

/* Whether text may stand behind "Bearer ": 1*(ALPHA DIGIT - . _ ~ + /) *"=", not too long. */
bool token_is_b64token(const char *text);

long token_lifetime(const struct token *token);
time_t token_usable_until(const struct token *token);
time_t token_renew_from(const struct token *token);

/*
 * Whether the token may be sent at now. A token from the future (the clock was
 * set back) counts as absent too: its expiry cannot be believed.
 */
bool token_usable(const struct token *token, time_t now);
bool token_wants_renewal(const struct token *token, time_t now);

/*
 * Whether these can be the times of a token of ours that lives max_lifetime seconds at most; those
 * of one that somebody made up, or under another clock, cannot.
 */
bool token_is_believable(const struct token *token, long max_lifetime, time_t now);

/* Whether every scope asked for is among those granted; NULL: none asked, or nothing was said. */
bool token_grants(const char *asked, const char *granted);

/* Eight hex digits by which traces tell tokens apart without telling them. */
void token_fingerprint(const char *value, char out[TOKEN_FINGERPRINT_BYTES]);

/* Wipe and free what the token holds; usable again. */
void token_release(struct token *token);

#endif
