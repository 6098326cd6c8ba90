#ifndef SECRETSOURCE_H
#define SECRETSOURCE_H

#include "core/status.h"

struct profile;
struct secret;
struct settings;

/*
 * Where the client credentials of a profile come from. Only the first of these that is set is
 * asked (source.h decides):
 *
 *	1. private_key_file, client_certificate_file, client_assertion_file,
 *	   client_assertion_command, if auth_method is one that uses it
 *	2. SYPHT_CLIENT_SECRET or SYPHT_CLIENT_SECRET_FILE, with SYPHT_CLIENT_ID or the
 *	   profile's client_id; SYPHT_API_KEY (profile sypht alone)
 *	3. the profile's client_secret_file, client_secret_command, client_secret_helper
 *	4. what "sypht-credential login" stored
 *
 * Where the profile names no client id, a file or command says "id:secret"; a helper answers both.
 */

/*
 * Waits at most timeout_ms for programs. STATUS_NO_SECRET: there is none; failure says where to put
 * one. STATUS_UNSAFE: the file of the secret is not private. The caller owns secret, for
 * secret_release().
 */
enum status secretsource_ask(const struct settings *settings, const struct profile *profile,
	long timeout_ms, struct secret *secret, struct failure *failure) MUST_CHECK;

#endif
