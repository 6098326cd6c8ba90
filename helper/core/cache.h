#ifndef CACHE_H
#define CACHE_H

#include <stdbool.h>
#include <time.h>

#include "core/lock.h"
#include "core/source.h"
#include "core/status.h"

struct profile;
struct settings;
struct state;
struct token;

/*
 * Tokens on this machine: one file a token, and a record of what happened to it (state.h), in a
 * private directory, in the protocol's own key=value
 * grammar, put in place by rename, so that readers see the old token or the new one and never a
 * mixture. A file is named by a digest of (token URL, client id, scope, audience, resources) and
 * repeats them inside; a reader compares. Whatever else is found in its place (a symlink, a foreign
 * owner, a loose mode, a torn or oversized file, an expiry beyond the profile's max_lifetime)
 * counts as absent. So does the token of another client: where the secret's source supplies the
 * client id, the token's file holds the mark of that source (source.h).
 */
struct cache {
	int directory;   /* -1: there is none; every call then finds nothing, or fails */
	char digest[17]; /* of the profile's key, in hex: the stem of its files */
	const struct settings *settings; /* the caller's, must outlive the cache, as must: */
	const struct profile *profile;
	char client_mark[SOURCE_MARK_BYTES]; /* as it was when the cache was opened or locked */
	struct lock lock;
};

#define CACHE_INIT \
	{ \
		.directory = -1, .lock = LOCK_INIT \
	}

/*
 * Open the directory (settings_cache_path()) for one profile's token. With create it is made, 0700,
 * parents included. STATUS_UNSAFE: it is foreign, or open to others, and must not be used; failure
 * says what to run. STATUS_SYSTEM: it cannot be had (absent without create, read-only, no home);
 * the cache may be used, and is empty.
 */
enum status cache_open(struct cache *cache, const struct settings *settings,
	const struct profile *profile, bool create, struct failure *failure) MUST_CHECK;
void cache_close(struct cache *cache);

/*
 * The stored token, whatever its age, once it is proven to be this profile's: true, and token is
 * the caller's to release. token_usable() decides whether it may be sent. now, in seconds since
 * the epoch, is what an expiry is held against.
 */
bool cache_get(const struct cache *cache, time_t now, struct token *token) MUST_CHECK;

/* The record, with nothing in it where there is none, or none that can be believed at now. */
void cache_get_state(const struct cache *cache, time_t now, struct state *state);

/*
 * The lock of this token, for programs of our own: see lock_take(). Once it is held, whatever is
 * found in the cache may be replaced, unless this holder was passed by while it was stopped: then
 * nothing changes any more, and all changes end with STATUS_SYSTEM.
 */
bool cache_lock(struct cache *cache, long timeout_ms) MUST_CHECK;
void cache_unlock(struct cache *cache);

/*
 * The rest is for the holder of the lock alone. STATUS_SYSTEM: it could not be written; what was
 * there is still in place.
 */
enum status cache_put(
	const struct cache *cache, const struct token *token, struct failure *failure) MUST_CHECK;
enum status cache_put_state(
	const struct cache *cache, const struct state *state, struct failure *failure) MUST_CHECK;

/* Remove the token. STATUS_SYSTEM: it is still there. */
enum status cache_erase(const struct cache *cache, struct failure *failure) MUST_CHECK;

#endif
