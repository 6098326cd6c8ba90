#ifndef SCOPE_H
#define SCOPE_H

#include <stdbool.h>

#include "origin.h"
#include "settings.h"

struct supplier;

/*
 * What the environment and the config said when this process first asked; the same ever after, so
 * that it is read without a lock and no later change of the environment leads a token astray.
 */

/* An origin that a profile names. */
struct realm {
	struct origin origin;
	bool loopback;
	struct supplier *supplier;    /* NULL: broken */
	const struct failure *broken; /* why no token can be had for it */
};

/* The settings, NULL in a set-uid program or where memory was short: nothing is to be done. */
const struct settings *scope_settings(void);

/* The first profile's realm for origin, NULL where no profile names it. */
const struct realm *scope_find(const struct origin *origin);

#endif
