#ifndef NOTICE_H
#define NOTICE_H

#include <stdbool.h>

#include "core/status.h"

struct buffer;
struct seal;

/*
 * What the members of a fleet tell each other besides the token: that one of them is minting, for
 * how long, or that the endpoint must not be asked. It is sealed, so the store's operator can
 * neither read nor forge it. Its time shows if an old notice was put back.
 */
struct notice {
	long long at_ms;       /* when it was written, since the epoch, by its writer's clock */
	bool minting;          /* its writer holds the lock, and is alive */
	long long elapsed_ms;  /* while minting: for how long */
	long long took_ms;     /* how long the last mint took; 0: not known */
	long long until;       /* the endpoint must not be asked before; seconds, 0: it may be */
	struct failure reason; /* why not */
};

enum { NOTICE_MAX_BYTES = 2048 };

/* Now, as written into notices. */
long long notice_now_ms(void);

enum status notice_close(
	const struct seal *seal, const struct notice *notice, struct buffer *out) MUST_CHECK;

/* False, with *notice all zero: there is none, or no member of this fleet wrote it. */
bool notice_open(
	const struct seal *seal, const struct buffer *sealed, struct notice *notice) MUST_CHECK;

#endif
