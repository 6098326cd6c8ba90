#ifndef SCOPE_H
#define SCOPE_H

#include <stdbool.h>

#include "core/origin.h"
#include "core/settings.h"

struct supplier;

/*
 * The environment and the config. Each is read once, when a transfer first needs it, with the
 * rights that the program has by then. A later change has no effect, so it cannot send a token
 * elsewhere. If memory is short, the next transfer reads again.
 */

/* An origin that a profile names. */
struct realm {
	struct origin origin;
	bool loopback;
	struct supplier *supplier;    /* NULL if no token can be had */
	const struct failure *broken; /* the reason for that */
};

/* Whether the program is set-uid or the like: then the plugin does nothing. */
bool scope_is_off(void);

/* NULL if scope_is_off(), or if memory is short. */
const struct settings *scope_settings(void);

/* Whether a request that should have a token is sent without one if none can be had. */
bool scope_passes_on_failure(void);

/*
 * The realm of origin, from the first profile that names it. NULL if none does. If the config
 * cannot be used, every origin that any of its lines names has a realm without a supplier. If
 * memory is short, the answer is such a realm, this time only.
 */
const struct realm *scope_find(const struct origin *origin);

#endif
