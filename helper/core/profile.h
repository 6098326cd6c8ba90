#ifndef PROFILE_H
#define PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/authmethod.h"
#include "core/status.h"

struct origin;
struct settings;

/*
 * One API and how to get tokens for it. The config, the environment and the defaults fill it key by
 * key; profile.c has the table of keys.
 */
enum { PROFILE_NAME_MAX = 40 }; /* a section name is "profile " + name, and inih keeps 48 bytes */

/* The profile that exists without a config, and its origin. */
#define PROFILE_BUILT_IN        "sypht"
#define PROFILE_BUILT_IN_ORIGIN "https://api.sypht.com"

enum profile_encoding { PROFILE_ENCODING_UNSET, PROFILE_ENCODING_RFC, PROFILE_ENCODING_RAW };

struct profile_list {
	char **items; /* NULL: not set; set, it may still be empty */
	size_t count;
};

/* Strings are owned, and NULL where not set. */
struct profile {
	char name[PROFILE_NAME_MAX + 1];
	unsigned line;              /* where the config begins to describe it; 0: nowhere */
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
	enum authmethod auth_method;
	char *private_key_file;
	char *private_key_id;          /* "kid" of the assertions it signs */
	char *private_key_certificate; /* path of the certificate they name */
	char *assertion_audience;      /* their "aud"; NULL: the token URL */
	enum profile_encoding basic_encoding;
	long default_lifetime; /* seconds, where expires_in is missing */
	long max_lifetime;     /* seconds, whatever the endpoint says */
	char *basic_username; /* for callers that know only user and password; NULL: not for them */
	char *shared_store;   /* a URL that storeurl_parse() accepts, password included */
};

/* An empty profile; name is PROFILE_NAME_MAX long at most. NULL where memory is short. */
struct profile *profile_new(const char *name);
void profile_free(struct profile *profile);

/*
 * Set a key as an entry of the config says it. With continued, the value goes on from the line
 * above. STATUS_CONFIG: there is no such key, or it does not accept the value; failure says what is
 * expected.
 */
enum status profile_set(struct profile *profile, const char *key, const char *value, bool continued,
	struct failure *failure) MUST_CHECK;

/*
 * Set what the environment says. It speaks for the built-in profile alone, so that no secret goes
 * to another profile's endpoint. STATUS_CONFIG: failure names the variable.
 */
enum status profile_overlay(struct profile *profile, const struct settings *settings,
	struct failure *failure) MUST_CHECK;

/* Whether all is set that has no default. STATUS_CONFIG: failure names the key that is missing. */
enum status profile_check(const struct profile *profile, struct failure *failure) MUST_CHECK;

/* Set the defaults of what is not set yet. */
enum status profile_complete(struct profile *profile, struct failure *failure) MUST_CHECK;

bool profile_covers(const struct profile *profile, const struct origin *origin);

/* The URL that tells this profile's endpoint from others: token_url, else issuer. */
const char *profile_endpoint(const struct profile *profile);

#endif
