#ifndef NOTICE_H
#define NOTICE_H

#include <stdbool.h>

#include "core/status.h"

struct buffer;
struct seal;

/*
 * What the members of a fleet tell each other beside the token: that one of them is minting right
 * now, how long that takes, or that the endpoint does not want to be asked. It is sealed, so that
 * whoever runs the store can neither make one up nor read it; the time in it tells a new one from
 * an old one that is put back.
 */
struct notice {
	long long at_ms;       /* when it was written, since the epoch, by its writer's clock */
	bool minting;          /* its writer holds the lock, and is alive */
	long long elapsed_ms;  /* while minting: for how long */
	long long took_ms;     /* how long the last mint took; 0: nobody knows */
	long long until;       /* the endpoint must not be asked before; seconds, 0: it may be */
	struct failure reason; /* why not */
};

enum { NOTICE_MAX_BYTES = 2048 };

/* Now, as written into notices. */
long long notice_now_ms(void);

enum status notice_close(
	const struct seal *seal, const struct notice *notice, struct buffer *out) MUST_CHECK;

/* False, and *notice all zero: there is none, or it is not by a member of this fleet. */
bool notice_open(
	const struct seal *seal, const struct buffer *sealed, struct notice *notice) MUST_CHECK;

#endif
