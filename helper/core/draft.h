#ifndef DRAFT_H
#define DRAFT_H

#include "core/configkey.h"
#include "core/profile.h"

#define DRAFT_BUILT_IN "sypht" /* the profile that is there without a config */

/* A profile while it is put together: the text of each key, NULL where nobody said anything yet. */
struct draft {
	char name[PROFILE_NAME_MAX + 1]; /* "" while there is none */
	unsigned line;                   /* of its first entry; 0 where the config has none */
	char *text[CONFIGKEY_COUNT];
};

/* A copy of value, in place of what was there; NULL takes it away. */
enum status draft_set(struct draft *draft, enum configkey key, const char *value) MUST_CHECK;

/*
 * The environment speaks for sypht alone, so that no secret goes to another profile's endpoint.
 * STATUS_CONFIG: failure names the variable.
 */
enum status draft_overlay(
	struct draft *draft, const struct settings *settings, struct failure *failure) MUST_CHECK;

/* What neither the config nor the environment said. */
enum status draft_complete(struct draft *draft) MUST_CHECK;

/* The profile, for profile_free(); the draft's texts go over to it. */
enum status draft_finish(struct draft *draft, struct profile **out) MUST_CHECK;

/* Free the texts; an empty draft is left. */
void draft_release(struct draft *draft);

#endif
