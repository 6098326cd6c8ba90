#ifndef SECRET_H
#define SECRET_H

#include "core/status.h"

struct profile;
struct settings;

/*
 * Client credentials, from where they live. The first of these that is set is the only one asked:
 *
 *	1. SYPHT_CLIENT_SECRET or SYPHT_CLIENT_SECRET_FILE, with SYPHT_CLIENT_ID or the
 *	   profile's client_id; SYPHT_API_KEY (profile sypht alone)
 *	2. the profile's client_secret_file, client_secret_command, client_secret_helper
 *	3. what "sypht-credential login" stored
 *
 * With auth_method private_key_jwt it is private_key_file alone.
 *
 * Where the profile names no client id, a file or command says "id:secret"; a helper answers both.
 */
struct secret {
	char *client_id;
	char *client_secret;
	char *private_key; /* PEM, instead of a secret, where auth_method is private_key_jwt */
};

#define SECRET_INIT \
	{ \
		.client_id = NULL \
	}

/*
 * Waits at most timeout_ms for programs. STATUS_NO_SECRET: there is none; failure says where one
 * may be put. STATUS_UNSAFE: a file of secrets that others can read. For secret_release().
 */
enum status secret_find(const struct settings *settings, const struct profile *profile,
	long timeout_ms, struct secret *secret, struct failure *failure) MUST_CHECK;

/* Wipe and free. */
void secret_release(struct secret *secret);

#endif
