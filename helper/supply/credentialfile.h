#ifndef CREDENTIALFILE_H
#define CREDENTIALFILE_H

#include <stdbool.h>

#include "core/status.h"

struct profile;
struct secret;
struct settings;

/*
 * The client credentials that login and store keep: one key=value file for each profile, mode 0600,
 * in a private directory beside the config. The file names the origin of its token endpoint. If the
 * profile is later given another endpoint, the secret is not sent there.
 */

/* STATUS_OK with secret->client_secret NULL: nothing is kept for this profile. */
enum status credentialfile_get(const struct settings *settings, const struct profile *profile,
	struct secret *secret, struct failure *failure) MUST_CHECK;

enum status credentialfile_put(const struct settings *settings, const struct profile *profile,
	const struct secret *secret, struct failure *failure) MUST_CHECK;

/* erased: whether there was a file. A failure says what remains. */
enum status credentialfile_erase(const struct settings *settings, const struct profile *profile,
	bool *erased, struct failure *failure) MUST_CHECK;

/* Whether something is kept. */
bool credentialfile_has(const struct settings *settings, const struct profile *profile);

#endif
