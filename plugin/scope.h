#ifndef SCOPE_H
#define SCOPE_H

#include <stdbool.h>

#include "core/origin.h"
#include "core/settings.h"

struct supplier;

/*
 * What the environment and the config say. Each is read when a transfer first needs it, as the user
 * that the program has become by then, and stays the same ever after: no later change leads a token
 * astray. Where memory is short it is read again for the next transfer.
 */

/* An origin that a profile names. */
struct realm {
	struct origin origin;
	bool loopback;
	struct supplier *supplier;    /* NULL: broken */
	const struct failure *broken; /* why no token can be had for it */
};

/* In a set-uid program nothing is to be done. */
bool scope_is_off(void);

/* NULL where scope_is_off(), and where memory is short. */
const struct settings *scope_settings(void);

/* Whether a request that should have a token and cannot have one is sent without. */
bool scope_passes_on_failure(void);

/*
 * The first profile's realm for origin, NULL where no profile names it. If the config cannot be
 * used, every origin that it names in any line has a broken realm. If memory is short, such a realm
 * is the answer for this once.
 */
const struct realm *scope_find(const struct origin *origin);

#endif
