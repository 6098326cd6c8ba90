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
 * The tokens of this machine, in a private directory. Each token has two files: the token, and a
 * record of what happened to it (state.h). Both are key=value lines (attributes.h). A rename puts a
 * file in place, so readers see the old file or the new one, never a mixture. The file's name is a
 * digest of its key: token URL, client id, scope, audience, resources, and the identity that
 * profile_identity() names. The file repeats the key,
 * and the reader compares it. A file counts as absent if it is a symlink, has another owner, is
 * open to others, is incomplete or too large. So does a token whose expiry is beyond the profile's
 * max_lifetime. If the secret's source supplies the client id, the token's file holds the mark of
 * that source (source.h). Once the mark has changed, the token counts as absent.
 */
struct cache {
	int directory;                   /* -1: none; nothing is found, writes fail */
	char digest[17];                 /* of the key, in hex: the stem of the file names */
	const struct settings *settings; /* the caller's; it and profile outlive the cache */
	const struct profile *profile;
	char client_mark[SOURCE_MARK_BYTES]; /* taken when the cache was opened or locked */
	struct lock lock;
};

#define CACHE_INIT \
	{ \
		.directory = -1, .lock = LOCK_INIT \
	}

/*
 * Open the directory (settings_cache_path()) for one profile's token. create makes it and its
 * parents, mode 0700. STATUS_UNSAFE: another user owns it, or it is open to others, or a symbolic
 * link. It must not be used, and failure says why. STATUS_SYSTEM: it cannot be opened (absent
 * without create, read-only, no home). The cache may be used, and is empty.
 */
enum status cache_open(struct cache *cache, const struct settings *settings,
	const struct profile *profile, bool create, struct failure *failure) MUST_CHECK;
void cache_close(struct cache *cache);

/*
 * Get the profile's stored token, even if it has expired: token_usable() decides whether it may be
 * sent. True: the caller releases the token. False: there is none, and token is unchanged. now, in
 * seconds since the epoch, serves to reject an expiry too far ahead.
 */
bool cache_get(const struct cache *cache, time_t now, struct token *token) MUST_CHECK;

/* The record; empty if there is none. Entries that are impossible at now are left out. */
void cache_get_state(const struct cache *cache, time_t now, struct state *state);

/*
 * Take the lock of this token, as lock_take() does. Its holder may replace the token and the
 * record. If another process takes over the lock while the holder is stopped (lock.h), the holder
 * can no longer change anything: each change ends with STATUS_SYSTEM.
 */
bool cache_lock(struct cache *cache, long timeout_ms) MUST_CHECK;
void cache_unlock(struct cache *cache);

/*
 * Only the holder of the lock may call the functions below, or a caller on a file system without
 * locks. On failure the old file stays in place; STATUS_SYSTEM: the file cannot be written.
 */
enum status cache_put(
	const struct cache *cache, const struct token *token, struct failure *failure) MUST_CHECK;
enum status cache_put_state(
	const struct cache *cache, const struct state *state, struct failure *failure) MUST_CHECK;

/* Remove the token. STATUS_SYSTEM: it is still there. */
enum status cache_erase(const struct cache *cache, struct failure *failure) MUST_CHECK;

#endif
