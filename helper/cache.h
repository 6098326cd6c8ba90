#ifndef CACHE_H
#define CACHE_H

#include <stdbool.h>
#include <time.h>

#include "status.h"

struct profile;
struct token;

/*
 * Tokens on this machine: one file a token in a private directory, in the protocol's own key=value
 * grammar, put in place by rename, so that readers see the old token or the new one and never a
 * mixture. A file is named by a digest of (token URL, client id, scope, audience, resources) and
 * repeats them inside; a reader compares. Whatever else is found in its place (a symlink, a foreign
 * owner, a loose mode, a torn or oversized file, an expiry beyond the profile's max_lifetime)
 * counts as absent.
 */
struct cache {
	int directory;   /* -1: there is none; every call then finds nothing, or fails */
	char digest[17]; /* of the profile's key, in hex: the stem of its files */
	const struct profile *profile; /* the caller's, must outlive the cache */
};

#define CACHE_INIT \
	{ \
		.directory = -1 \
	}

/*
 * Open the directory at path for one profile's token. With create it is made, 0700, parents
 * included. STATUS_UNSAFE: it is foreign, or open to others, and must not be used; failure says
 * what to run. STATUS_SYSTEM: it cannot be had (absent without create, read-only, path NULL); the
 * cache may be used, and is empty.
 */
enum status cache_open(struct cache *cache, const char *path, const struct profile *profile,
	bool create, struct failure *failure) MUST_CHECK;
void cache_close(struct cache *cache);

/*
 * The stored token, whatever its age, once it is proven to be this profile's: true, and token is
 * the caller's to release. token_usable() decides whether it may be sent. now, in seconds since
 * the epoch, is what an expiry is held against.
 */
bool cache_get(const struct cache *cache, time_t now, struct token *token) MUST_CHECK;

/*
 * The rest, but for cache_lock() itself, is for the holder of the lock alone.
 * STATUS_SYSTEM: it could not be written; the old token is then still in place.
 */
enum status cache_put(
	const struct cache *cache, const struct token *token, struct failure *failure) MUST_CHECK;

/* Remove the token and what is remembered of failures. STATUS_SYSTEM: the token is still there. */
enum status cache_erase(const struct cache *cache, struct failure *failure) MUST_CHECK;

/*
 * For a token that a fleet shares: the lowest serial (seal.h) that what comes out of the shared
 * store must have; 0 where nothing was ever seen there. It outlives the token.
 */
long long cache_get_serial(const struct cache *cache) MUST_CHECK;
enum status cache_put_serial(
	const struct cache *cache, long long serial, struct failure *failure) MUST_CHECK;

/*
 * Which token took the place of one that its API refused. Some callers report a refusal without
 * saying which token was refused: they must not cost one token request each.
 */
enum status cache_put_replacement(
	const struct cache *cache, const struct token *token, struct failure *failure) MUST_CHECK;
bool cache_is_replacement(const struct cache *cache, const struct token *token) MUST_CHECK;
enum status cache_forget_replacement(const struct cache *cache, struct failure *failure) MUST_CHECK;

/*
 * The lock of this token, held until every copy of the returned descriptor is closed or its last
 * holder dies (flock(2)). Waits at most timeout_ms; 0 does not wait, more uses SIGALRM and
 * ITIMER_REAL, so it is for programs of our own. -1: errno says why (EWOULDBLOCK: another holds
 * it).
 */
int cache_lock(const struct cache *cache, long timeout_ms) MUST_CHECK;

/*
 * A failed supply is remembered for CACHE_FAILURE_S seconds, so that a herd asks once. It is void
 * for a reader that knows of something changed since: changed, the time of modification of the
 * newest file that matters (zero where there is none).
 */
enum { CACHE_FAILURE_S = 5 };

void cache_put_failure(
	const struct cache *cache, time_t now, enum status status, const struct failure *failure);
enum status cache_get_failure(const struct cache *cache, time_t now, const struct timespec *changed,
	struct failure *failure) MUST_CHECK;

#endif
