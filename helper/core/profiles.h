#ifndef PROFILES_H
#define PROFILES_H

#include <stdbool.h>

#include "core/status.h"

struct origin;
struct profile;
struct settings;

/*
 * The profiles of this user: those of the config file, in its order, then the built-in one where
 * the file has no section for it. The environment overrides the built-in one.
 */

/*
 * Visit every profile until visit() returns false; visit() owns the profile it is given. With only
 * (a name: --profile, SYPHT_PROFILE) just that one. STATUS_CONFIG: the config cannot be used, and
 * failure names file and line; the profiles before that line, and the built-in one as far as it is
 * known, have been visited.
 */
typedef bool profiles_visitor(struct profile *profile, void *context);
enum status profiles_each(const struct settings *settings, const char *only,
	profiles_visitor *visit, void *context, struct failure *failure) MUST_CHECK;

/*
 * The profile that covers origin: the first, or with only that one or none. origin NULL: the one
 * that only names, else the built-in one. Not covered: STATUS_OK and *out == NULL. For
 * profile_free(). A name that no profile has: STATUS_CONFIG. The config is read up to the profile
 * that is found, so a mistake behind it is not noticed.
 */
enum status profiles_find(const struct settings *settings, const char *only,
	const struct origin *origin, struct profile **out, struct failure *failure) MUST_CHECK;

#endif
