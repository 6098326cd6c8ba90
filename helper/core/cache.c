#include "core/cache.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/attributes.h"
#include "core/directory.h"
#include "core/profile.h"
#include "core/settings.h"
#include "core/state.h"
#include "core/token.h"

enum { FILE_MAX_BYTES = 2 * TOKEN_MAX_BYTES, NAME_MAX_BYTES = 32 };

/* ---- the key of a token ---- */

enum { HASH_BYTES = 17 }; /* 16 hex digits and the NUL */

/* FNV-1a, 64 bits, in hex. */
static void hash_bytes(const char *bytes, size_t length, char out[HASH_BYTES])
{
	uint64_t hash = 14695981039346656037U;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * 1099511628211U;
	snprintf(out, HASH_BYTES, "%016" PRIx64, hash);
}

/* Only a hash, because a command may contain a secret. NULL: the profile has no such identity. */
static const char *hash_identity(const struct profile *profile, char out[HASH_BYTES])
{
	const char *identity = profile_identity(profile);

	if (!identity)
		return NULL;
	hash_bytes(identity, strlen(identity), out);
	return out;
}

/* Append the lines of the key, with which every file of the cache begins. */
static enum status write_key(const struct profile *profile, struct buffer *out)
{
	char identity[HASH_BYTES];
	const struct attributes_row rows[] = {
		{"token_url", profile_endpoint(profile), 0},
		{"client_id", profile->client_id, 0},
		{"scope", profile->scope, 0},
		{"audience", profile->audience, 0},
		{"identity", hash_identity(profile, identity), 0},
		{0},
	};
	enum status status = attributes_add_rows(out, rows);

	for (size_t i = 0; i < profile->resource.count && !status; i++)
		status = attributes_add(out, "resource[]", profile->resource.items[i]);
	return status;
}

/* A collision only costs a miss, because is_for() compares the whole key. */
static void write_digest(const struct profile *profile, char out[HASH_BYTES])
{
	struct buffer key = BUFFER_INIT(ATTRIBUTES_MAX_BYTES);

	out[0] = '\0';
	if (write_key(profile, &key) == STATUS_OK)
		hash_bytes(key.data, key.length, out);
	buffer_release(&key);
}

static bool same_text(const char *one, const char *other)
{
	return one && other ? strcmp(one, other) == 0 : one == other;
}

/* The name of a file is only a hash. An entry counts if it repeats the whole key. */
static bool is_for(const struct attributes *entry, const struct profile *profile)
{
	const char *url = profile_endpoint(profile);
	const char *resource = NULL;
	char identity[HASH_BYTES];

	for (size_t i = 0; i < profile->resource.count; i++) {
		resource = attributes_next(entry, "resource[]", resource);
		if (!resource || strcmp(resource, profile->resource.items[i]) != 0)
			return false;
	}
	return !attributes_next(entry, "resource[]", resource) &&
	       same_text(attributes_get(entry, "token_url"), url) &&
	       same_text(attributes_get(entry, "client_id"), profile->client_id) &&
	       same_text(attributes_get(entry, "scope"), profile->scope) &&
	       same_text(attributes_get(entry, "audience"), profile->audience) &&
	       same_text(attributes_get(entry, "identity"), hash_identity(profile, identity));
}

enum status cache_open(struct cache *cache, const struct settings *settings,
	const struct profile *profile, bool create, struct failure *failure)
{
	char *path = settings_cache_path(settings);
	enum status status;

	/* a cache that cannot be opened is empty: all calls below accept directory -1 */
	*cache = (struct cache)CACHE_INIT;
	cache->settings = settings;
	cache->profile = profile;
	write_digest(profile, cache->digest);
	source_mark_client(settings, profile, cache->client_mark);
	if (path)
		status = directory_open(&cache->directory, path, create, "cache", failure);
	else
		status = status_fail(failure, STATUS_SYSTEM,
			"no cache directory: neither SYPHT_CACHE_DIR nor HOME is set");
	buffer_free_text(path);
	return status;
}

void cache_close(struct cache *cache)
{
	cache_unlock(cache);
	if (cache->directory >= 0)
		close(cache->directory);
	cache->directory = -1;
}

/* ---- files ---- */

static void name_file(const struct cache *cache, const char *suffix, char out[NAME_MAX_BYTES])
{
	snprintf(out, NAME_MAX_BYTES, "%s.%s", cache->digest, suffix);
}

/* Read a complete file of this profile: a complete file ends with a blank line. */
static bool read_entry(const struct cache *cache, const char *suffix, struct attributes *entry)
{
	char name[NAME_MAX_BYTES];

	if (cache->directory < 0)
		return false;
	name_file(cache, suffix, name);
	entry->text.limit = FILE_MAX_BYTES; /* reject larger files: we never write one */
	return directory_read(cache->directory, name, &entry->text) &&
	       attributes_split(entry, NULL) == STATUS_OK && entry->closed &&
	       is_for(entry, cache->profile);
}

static enum status write_entry(const struct cache *cache, const char *suffix,
	const struct buffer *content, struct failure *failure)
{
	const struct lock *lock = &cache->lock;
	char name[NAME_MAX_BYTES];
	char next[LOCK_NAME_BYTES];
	struct directory_turn turn = {.next = next};

	if (cache->directory < 0)
		return status_fail(failure, STATUS_SYSTEM, "there is no cache directory");
	name_file(cache, suffix, name);
	if (lock->generation < 0) /* without locks no other process takes over */
		return directory_write(cache->directory, name, content, failure);
	turn.generation = lock->generation;
	lock_next_name(lock, next);
	return directory_write_in_turn(cache->directory, name, &turn, content, failure);
}

static enum status remove_entry(
	const struct cache *cache, const char *suffix, struct failure *failure)
{
	char name[NAME_MAX_BYTES];

	if (cache->directory < 0)
		return STATUS_OK;
	/* the other process may just have written the file that would be removed */
	if (lock_is_lost(&cache->lock))
		return status_fail(failure, STATUS_SYSTEM,
			"another process changed the cached token while this one was stopped; try "
			"again");
	name_file(cache, suffix, name);
	return directory_remove(cache->directory, name, NULL, failure);
}

/* ---- tokens ---- */

/* No line for a profile that names its client id: its token does not depend on another file. */
static const char *mark_of(const struct cache *cache)
{
	return cache->client_mark[0] != '\0' ? cache->client_mark : NULL;
}

bool cache_get(const struct cache *cache, time_t now, struct token *token)
{
	struct attributes entry = ATTRIBUTES_INIT;
	struct token found = TOKEN_INIT;
	bool good = read_entry(cache, "token", &entry) &&
		    same_text(attributes_get(&entry, "client_mark"), mark_of(cache)) &&
		    token_read(&found, &entry) &&
		    token_is_believable(&found, cache->profile->max_lifetime, now);

	attributes_release(&entry);
	if (good) {
		found.cached = true;
		*token = found;
	} else {
		token_release(&found);
	}
	return good;
}

enum status cache_put(const struct cache *cache, const struct token *token, struct failure *failure)
{
	struct buffer content = BUFFER_INIT(FILE_MAX_BYTES);
	enum status status = write_key(cache->profile, &content);

	if (!status)
		status = attributes_add(&content, "client_mark", mark_of(cache));
	if (!status)
		status = token_write(token, &content);
	if (!status)
		status = buffer_append(&content, "\n", 1); /* marks the file as complete */
	if (status)
		status_fail(failure, status, "the token is too long to be cached");
	else
		status = write_entry(cache, "token", &content, failure);
	buffer_release(&content);
	return status;
}

enum status cache_erase(const struct cache *cache, struct failure *failure)
{
	return remove_entry(cache, "token", failure);
}

/* ---- the record ---- */

void cache_get_state(const struct cache *cache, time_t now, struct state *state)
{
	struct attributes entry = ATTRIBUTES_INIT;

	*state = (struct state)STATE_INIT;
	if (read_entry(cache, "state", &entry))
		state_read(state, &entry, now);
	attributes_release(&entry);
}

enum status cache_put_state(
	const struct cache *cache, const struct state *state, struct failure *failure)
{
	struct buffer content = BUFFER_INIT(FILE_MAX_BYTES);
	enum status status;

	/* no file if there is nothing to say, so that most processes have none to read */
	if (state_is_empty(state))
		return remove_entry(cache, "state", failure);
	status = write_key(cache->profile, &content);
	if (!status)
		status = state_write(state, &content);
	if (!status)
		status = buffer_append(&content, "\n", 1);
	if (status)
		status_fail(
			failure, status, "the record of the last failure is too long to be cached");
	else
		status = write_entry(cache, "state", &content, failure);
	buffer_release(&content);
	return status;
}

/* ---- the lock ---- */

/* Versions before the record had these files. Nothing else would ever remove them. */
static void remove_leftovers(const struct cache *cache)
{
	static const char *const suffixes[] = {"failed", "serial", "replaced"};
	char name[NAME_MAX_BYTES];

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		name_file(cache, suffixes[i], name);
		unlinkat(cache->directory, name, 0);
	}
}

/* Remove what a holder of a lower generation may still be about to rename; see directory.h. */
static void take_over(const struct cache *cache, const char *suffix)
{
	char name[NAME_MAX_BYTES];

	name_file(cache, suffix, name);
	directory_take_over(cache->directory, name, cache->lock.generation);
}

bool cache_lock(struct cache *cache, long timeout_ms)
{
	if (cache->directory < 0) {
		errno = ENOENT;
		return false;
	}
	if (!lock_take(&cache->lock, cache->directory, cache->digest, timeout_ms))
		return false;
	take_over(cache, "token");
	take_over(cache, "state");
	remove_leftovers(cache);
	/* again: the file of the client id may have changed while we waited for the lock */
	source_mark_client(cache->settings, cache->profile, cache->client_mark);
	return true;
}

void cache_unlock(struct cache *cache)
{
	lock_release(&cache->lock);
}
