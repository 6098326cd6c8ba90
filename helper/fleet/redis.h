#ifndef REDIS_H
#define REDIS_H

#include <stdbool.h>

#include "core/buffer.h"

struct storeurl;

/*
 * The store a fleet shares: a Redis, or what speaks like one, by hiredis, which no other file
 * knows. Nothing it says is believed here beyond its form; reasons hold none of its words, as a
 * server may repeat what it was told.
 *
 * Each call is over within answer_ms, and before the time of redis_limit(), and keeps no more than
 * our largest value. STATUS_UNREACHABLE: there was no usable answer, and will be none to later
 * calls. STATUS_REFUSED: it answered, and will not; the reason says what a person may do about it.
 */
struct redis;

struct redis_place {
	const struct storeurl *url;
	const char *cainfo; /* a CA bundle for TLS; NULL: the system's */
	long answer_ms;     /* looking up the host's name is not bounded by it */
};

/* Connect, and log in where the URL says so. On success the caller's, for redis_close(). */
enum status redis_open(
	const struct redis_place *place, struct redis **out, struct failure *failure) MUST_CHECK;
void redis_close(struct redis *store);

/* No call lasts beyond this time, on the clock of process_milliseconds(). */
void redis_limit(struct redis *store, long long deadline);

/*
 * Whether the store does all that is asked of it here: it runs a script that writes, reads and
 * removes the key of this name.
 */
enum status redis_probe(struct redis *store, const char *name, struct failure *failure) MUST_CHECK;

/* Replace what value holds; with nothing where there is no such entry. */
enum status redis_get(struct redis *store, const char *name, struct buffer *value,
	struct failure *failure) MUST_CHECK;

/* Put a value there for life_ms, whatever was there. */
enum status redis_set(struct redis *store, const char *name, const struct buffer *value,
	long long life_ms, struct failure *failure) MUST_CHECK;

/* A lock that its owner alone keeps or releases, and that ends by itself life_ms after either. */
struct redis_lock {
	const char *name;
	const char *owner;
	long life_ms;
};

/*
 * Take the lock if it is free, *mine says, and then read two values as redis_get() does: what its
 * last owner put there is seen.
 */
enum status redis_lock(struct redis *store, const struct redis_lock *lock,
	const char *const names[2], bool *mine, struct buffer *const values[2],
	struct failure *failure) MUST_CHECK;

/* Start its life anew. *mine: it is still, or again, its owner's. */
enum status redis_keep(struct redis *store, const struct redis_lock *lock, bool *mine,
	struct failure *failure) MUST_CHECK;

/*
 * Put an entry there for life_ms and release the lock; *done is false where the lock is another's
 * by now, or nobody's and somebody has put an entry.
 */
enum status redis_put(struct redis *store, const struct redis_lock *lock, const char *name,
	const struct buffer *value, long long life_ms, bool *done,
	struct failure *failure) MUST_CHECK;

enum status redis_release(
	struct redis *store, const struct redis_lock *lock, struct failure *failure) MUST_CHECK;

/* Remove an entry if it still is value; *done says. */
enum status redis_drop(struct redis *store, const char *name, const struct buffer *value,
	bool *done, struct failure *failure) MUST_CHECK;

#endif
