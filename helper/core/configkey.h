#ifndef CONFIGKEY_H
#define CONFIGKEY_H

#include <stdbool.h>

/* The keys of a profile's section in the config: their names, what they may hold, their defaults.
 */

/* What a profile is made of, in the order of struct profile. */
enum configkey {
	KEY_ORIGIN,
	KEY_TOKEN_URL,
	KEY_ISSUER,
	KEY_CLIENT_ID,
	KEY_CLIENT_SECRET_FILE,
	KEY_CLIENT_SECRET_COMMAND,
	KEY_CLIENT_SECRET_HELPER,
	KEY_SCOPE,
	KEY_AUDIENCE,
	KEY_RESOURCE,
	KEY_AUTH_METHOD,
	KEY_PRIVATE_KEY_FILE,
	KEY_PRIVATE_KEY_ID,
	KEY_PRIVATE_KEY_CERTIFICATE,
	KEY_ASSERTION_AUDIENCE,
	KEY_BASIC_ENCODING,
	KEY_DEFAULT_LIFETIME,
	KEY_MAX_LIFETIME,
	KEY_BASIC_USERNAME,
	KEY_SHARED_STORE,
	CONFIGKEY_COUNT,
};

struct configkey_rule {
	const char *name;
	bool (*accepts)(const char *value);
	const char *expected;  /* what accepts() accepts, in words */
	bool repeats;          /* each entry adds to a list, whose items are separated by blanks */
	const char *built_in;  /* the default in profile sypht; NULL: as otherwise */
	const char *otherwise; /* the default elsewhere; NULL: not set */
};

extern const struct configkey_rule CONFIGKEY_RULES[CONFIGKEY_COUNT];

/* The key of this name, or CONFIGKEY_COUNT. */
enum configkey configkey_find(const char *name);

#endif
