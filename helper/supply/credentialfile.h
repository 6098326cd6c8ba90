#ifndef CREDENTIALFILE_H
#define CREDENTIALFILE_H

#include <stdbool.h>

#include "core/status.h"

struct profile;
struct secret;
struct settings;

/*
 * The client credentials that login and store keep: one file a profile, 0600, in a private folder
 * beside the config, in the protocol's own grammar. A file names the origin of the token endpoint
 * it is for, so that a profile that was pointed elsewhere does not take the secret along.
 */

/* STATUS_OK with secret->client_secret NULL: nothing is kept for this profile. */
enum status credentialfile_get(const struct settings *settings, const struct profile *profile,
	struct secret *secret, struct failure *failure) MUST_CHECK;

enum status credentialfile_put(const struct settings *settings, const struct profile *profile,
	const struct secret *secret, struct failure *failure) MUST_CHECK;

/* erased says whether something was there. A failure says what still is. */
enum status credentialfile_erase(const struct settings *settings, const struct profile *profile,
	bool *erased, struct failure *failure) MUST_CHECK;

/* Whether something is kept. */
bool credentialfile_has(const struct settings *settings, const struct profile *profile);

#endif
