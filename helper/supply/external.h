#ifndef EXTERNAL_H
#define EXTERNAL_H

#include "core/buffer.h"

struct profile;
struct secret;

/*
 * Other programs that know client credentials: a command that prints them, or a git credential
 * helper (as in git's credential.helper: "!snippet", an absolute path, or NAME for "git
 * credential-NAME"). The helper gets the host of the token endpoint in git's protocol. The shell
 * runs them. Their environment has none of our secrets, and their stderr is ours.
 */
enum { EXTERNAL_MAX_BYTES = 16 * 1024 };

/*
 * Each waits at most timeout_ms. STATUS_NO_SECRET: the program failed. key is the config key that
 * names the command, for the reason.
 */
enum status external_run(const struct profile *profile, const char *key, const char *command,
	const struct buffer *input, struct buffer *output, long timeout_ms,
	struct failure *failure) MUST_CHECK;

/*
 * The profile's client_secret_helper. STATUS_NO_SECRET from external_get(): it knows none.
 * external_erase() takes NULL for fields that may have any value.
 */
enum status external_get(const struct profile *profile, long timeout_ms, struct secret *secret,
	struct failure *failure) MUST_CHECK;
enum status external_store(const struct profile *profile, const struct secret *secret,
	long timeout_ms, struct failure *failure) MUST_CHECK;
enum status external_erase(const struct profile *profile, const char *username,
	const char *password, long timeout_ms, struct failure *failure) MUST_CHECK;

#endif
