#ifndef PROFILE_H
#define PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/origin.h"
#include "core/settings.h"

/*
 * One API and how to get tokens for it. Profiles come from the config file, in
 * its order; the built-in profile "sypht" comes last where the file has no
 * section for it, and a section overrides it key by key. The environment
 * overrides both, for "sypht" alone.
 */
enum { PROFILE_NAME_MAX = 40 }; /* a section name is "profile " + name, and inih keeps 48 bytes */

enum profile_auth_method { PROFILE_AUTH_BASIC, PROFILE_AUTH_POST, PROFILE_AUTH_PRIVATE_KEY_JWT };

struct profile_list {
	char **items;
	size_t count;
};

/* Strings are owned, NULL where not set. */
struct profile {
	char *name;
	struct profile_list origin; /* URLs that origin_from_url() accepts */
	char *token_url;            /* NULL where issuer says where to find it */
	char *issuer;
	char *client_id; /* NULL where the secret's source supplies it */
	char *client_secret_file;
	char *client_secret_command;
	char *client_secret_helper;
	char *scope;
	char *audience;
	struct profile_list resource;
	enum profile_auth_method auth_method;
	char *private_key_file;
	char *private_key_id;          /* "kid" of the assertions it signs */
	char *private_key_certificate; /* path of the certificate they name */
	char *assertion_audience;      /* their "aud"; NULL: the token URL */
	bool basic_raw;                /* basic_encoding = raw */
	long default_lifetime;         /* seconds, where expires_in is missing */
	long max_lifetime;             /* seconds, whatever the endpoint says */
	char *basic_username; /* for callers that know only user and password; NULL: not for them */
	char *shared_store; /* a URL that storeurl_parse() accepts, password included; NULL: none */
};

/*
 * Every profile, in order of precedence, until visit() returns false; visit() owns the profile
 * it is given. With only (a name: --profile, SYPHT_PROFILE) just that one.
 * STATUS_CONFIG: the config cannot be used, failure names file and line; the
 * profiles before that line, and the built-in one as far as it is known, have been visited.
 */
typedef bool profile_visitor(struct profile *profile, void *context);
enum status profile_each(const struct settings *settings, const char *only, profile_visitor *visit,
	void *context, struct failure *failure) MUST_CHECK;

/*
 * The profile that covers origin: the first, or with only that one or none. origin NULL: the one
 * that only names, else "sypht". Not covered: STATUS_OK and *out == NULL. For profile_free().
 * A name that no profile has: STATUS_CONFIG. Of a large config the sections that cannot be meant
 * are not looked at, so that their number costs next to nothing; see config_skim().
 */
enum status profile_find(const struct settings *settings, const char *only,
	const struct origin *origin, struct profile **out, struct failure *failure) MUST_CHECK;

bool profile_covers(const struct profile *profile, const struct origin *origin);

void profile_free(struct profile *profile);

#endif
