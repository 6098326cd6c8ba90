#ifndef PROFILES_H
#define PROFILES_H

#include <stdbool.h>

#include "core/status.h"

struct origin;
struct profile;
struct settings;

/*
 * The profiles of this user: those of the config file, in its order, then the built-in one if the
 * file has no section for it. The environment overrides only the built-in one.
 */

/*
 * Visit every profile until visit() returns false; visit() owns the profile. If only is a name
 * (--profile, SYPHT_PROFILE), no other profile is visited. STATUS_CONFIG: the config is invalid,
 * and failure names file and line. The profiles that end above that line have been visited, and so
 * has the built-in one, as far as it was read.
 */
typedef bool profiles_visitor(struct profile *profile, void *context);
enum status profiles_each(const struct settings *settings, const char *only,
	profiles_visitor *visit, void *context, struct failure *failure) MUST_CHECK;

/*
 * Find the first profile that covers origin. If only is not NULL, no other profile can match. If
 * origin is NULL, find the profile with that name, else the built-in one. STATUS_OK and *out ==
 * NULL: none covers origin. STATUS_CONFIG: no profile has that name, or the config is invalid. Free
 * *out with profile_free(). Mistakes below the profile that is found are not reported.
 */
enum status profiles_find(const struct settings *settings, const char *only,
	const struct origin *origin, struct profile **out, struct failure *failure) MUST_CHECK;

/* Say that no profile has this name, and how to list those that there are. Returns status. */
enum status profiles_fail(const struct settings *settings, const char *name, enum status status,
	struct failure *failure);

#endif
