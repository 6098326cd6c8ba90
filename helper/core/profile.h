#ifndef PROFILE_H
#define PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/authmethod.h"
#include "core/status.h"

struct origin;
struct settings;

/*
 * One API and how to get tokens for it. The config, the environment and the defaults set its keys;
 * profile.c has the table of keys.
 */
enum { PROFILE_NAME_MAX = 40 }; /* inih keeps 48 bytes of a section name, "profile " + name */

/* The profile that exists without a config, and its origin. */
#define PROFILE_BUILT_IN        "sypht"
#define PROFILE_BUILT_IN_ORIGIN "https://api.sypht.com"

/* An identity provider whose conventions fill in what the profile leaves out. */
enum profile_provider { PROFILE_PROVIDER_UNSET, PROFILE_PROVIDER_ENTRA };

enum profile_encoding { PROFILE_ENCODING_UNSET, PROFILE_ENCODING_RFC, PROFILE_ENCODING_RAW };

/* How assertions are signed. UNSET: as suits the key. */
enum profile_algorithm {
	PROFILE_ALGORITHM_UNSET,
	PROFILE_ALGORITHM_RS256,
	PROFILE_ALGORITHM_PS256,
	PROFILE_ALGORITHM_ES256,
	PROFILE_ALGORITHM_EDDSA,
};

/* The names, from PROFILE_ALGORITHM_RS256 on; NULL ends the list. */
extern const char *const PROFILE_ALGORITHM_NAMES[];

struct profile_list {
	char **items; /* NULL: not set; a list that is set may be empty */
	size_t count;
};

/* The profile owns its strings; NULL: not set. */
struct profile {
	char name[PROFILE_NAME_MAX + 1];
	unsigned line;              /* of the first entry of its section in the config; 0: none */
	struct profile_list origin; /* URLs that origin_from_url() accepts */
	char *token_url;            /* NULL: look it up at the issuer */
	char *issuer;
	char *client_id; /* NULL: the secret's source supplies it */
	char *client_secret_file;
	char *client_secret_command;
	char *client_secret_helper;
	char *scope;
	char *audience;
	struct profile_list resource;
	enum profile_provider provider;
	enum authmethod auth_method;
	char *private_key_file;
	char *private_key_password_file;
	char *private_key_id;          /* "kid" of the signed assertions */
	char *private_key_certificate; /* path of the certificate that they name */
	char *assertion_audience;      /* their "aud"; NULL: the token URL */
	enum profile_algorithm assertion_algorithm;
	char *client_certificate_file; /* for TLS; may hold the private key, too */
	char *client_assertion_file;   /* an assertion that somebody else signed */
	char *client_assertion_command;
	char *client_assertion_type; /* NULL: jwt-bearer of RFC 7523 */
	enum profile_encoding basic_encoding;
	long default_lifetime; /* seconds, if expires_in is missing */
	long max_lifetime;     /* seconds; caps what the endpoint says */
	char *basic_username;  /* for callers that know only user and password; NULL: no answer */
	char *shared_store;    /* a URL that storeurl_parse() accepts, password included */
};

/* An empty profile; name is at most PROFILE_NAME_MAX bytes. NULL: no memory. */
struct profile *profile_new(const char *name);
void profile_free(struct profile *profile);

/*
 * Set a key from an entry of the config. continued: the value continues the one of the line above.
 * STATUS_CONFIG: the key is unknown, or does not accept the value; failure says what is expected.
 */
enum status profile_set(struct profile *profile, const char *key, const char *value, bool continued,
	struct failure *failure) MUST_CHECK;

/*
 * Override keys from the environment. This affects only the built-in profile, so that no secret
 * goes to another profile's endpoint. STATUS_CONFIG: failure names the variable.
 */
enum status profile_overlay(struct profile *profile, const struct settings *settings,
	struct failure *failure) MUST_CHECK;

/* Check that all mandatory keys are set. STATUS_CONFIG: failure names the missing key. */
enum status profile_check(const struct profile *profile, struct failure *failure) MUST_CHECK;

/* Set the defaults of the keys that are not set. */
enum status profile_complete(struct profile *profile, struct failure *failure) MUST_CHECK;

bool profile_covers(const struct profile *profile, const struct origin *origin);

/*
 * The path or the command of what proves who the client is, if that is an assertion of somebody
 * else or a certificate; NULL: neither. Tokens of different identities are kept apart by it.
 */
const char *profile_identity(const struct profile *profile);

/* The certificate's file; NULL: none, or it also holds the private key. */
const char *profile_certificate(const struct profile *profile);

/* The URL that identifies the endpoint: token_url, else issuer, else NULL. */
const char *profile_endpoint(const struct profile *profile);

#endif
