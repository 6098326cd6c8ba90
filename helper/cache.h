#ifndef CACHE_H
#define CACHE_H

#include <stdbool.h>
#include <time.h>

#include "token.h"

struct profile;

/*
 * Tokens on this machine: one file a token in a private directory, in the
 * protocol's own key=value grammar, put in place by rename, so that readers see
 * the old token or the new one and never a mixture. A file is named by a digest
 * of (token URL, client id, scope, audience, resources) and repeats them inside;
 * a reader compares. Whatever else is found in its place (a symlink, a foreign
 * owner, a loose mode, a torn or oversized file, an expiry beyond the profile's
 * max_lifetime) counts as absent.
 */
struct cache {
	int directory;     /* -1: there is none, and every call finds nothing or does nothing */
	char digest[17];   /* of the profile's key, in hex: the stem of its files */
	const struct profile *profile;
};

#define CACHE_INIT \
	{ \
		.directory = -1 \
	}

/*
 * Open the cache at path for one profile's token. The directory need not exist: with create it is
 * made, 0700, parents included. STATUS_UNSAFE: it is ours to refuse (foreign, or open to others).
 * STATUS_SYSTEM: it cannot be had at all (read-only, no home); the cache is then usable and empty.
 */
enum status cache_open(struct cache *cache, const char *path, const struct profile *profile,
	bool create, struct failure *failure) MUST_CHECK;
void cache_close(struct cache *cache);

/*
 * The stored token, whatever its age, once it is proven to be this profile's: *token is set and
 * true returned; token_usable() decides whether it may be sent.
 */
bool cache_get(const struct cache *cache, time_t now, struct token *token);

/* STATUS_SYSTEM where it could not be written; the old file is then still in place. */
enum status cache_put(const struct cache *cache, const struct token *token,
	struct failure *failure) MUST_CHECK;

/* Remove the token; with value, only if it is that one. */
void cache_erase(const struct cache *cache, const char *value);

/*
 * The lock of this token, held until the returned descriptor is closed or its last holder dies
 * (flock). Waits at most timeout_ms (0: not at all). -1: not got, errno says why (EWOULDBLOCK,
 * ETIMEDOUT, or no place for locks).
 */
int cache_lock(const struct cache *cache, long timeout_ms);

/*
 * A failed supply is remembered for CACHE_FAILURE_S seconds, so that a herd asks once. Remembered
 * reasons are dropped by cache_forget_failure() and void for a reader that knows of a config or
 * secret file changed since (newer_than: its time of modification, or NULL).
 */
enum { CACHE_FAILURE_S = 5 };
void cache_put_failure(const struct cache *cache, time_t now, enum status status,
	const struct failure *failure);
bool cache_get_failure(const struct cache *cache, time_t now, const struct timespec *newer_than,
	enum status *status, struct failure *failure);
void cache_forget_failure(const struct cache *cache);

#endif
