#ifndef REDIS_H
#define REDIS_H

#include <stdbool.h>

#include "core/buffer.h"

struct storeurl;

/*
 * The store that a fleet shares: Redis, or another server of its protocol, through hiredis. Its
 * replies are untrusted. Reasons quote none of its words, as a server may repeat a secret that it
 * was sent.
 *
 * Each call ends within answer_ms and before the time of redis_limit(); redis_open() may take
 * answer_ms for each of its steps. A reply larger than our largest value is rejected.
 * STATUS_UNREACHABLE: no usable answer. STATUS_REFUSED: the server answered with an error; the
 * reason says what to do.
 */
struct redis;

struct redis_place {
	const struct storeurl *url;
	const char *cainfo; /* a CA bundle for TLS; NULL: the system's */
	long answer_ms;     /* looking up the host's name is not bounded by it */
};

/* Connect, and log in if the URL has a password. The caller calls redis_close() after success. */
enum status redis_open(
	const struct redis_place *place, struct redis **out, struct failure *failure) MUST_CHECK;
void redis_close(struct redis *store);

/* No call lasts beyond this time, on the clock of process_milliseconds(). */
void redis_limit(struct redis *store, long long deadline);

/*
 * Whether the store allows all that a fleet needs: it runs a script that writes, reads and removes
 * the key of this name.
 */
enum status redis_probe(struct redis *store, const char *name, struct failure *failure) MUST_CHECK;

/* Replace the contents of value; empty if there is no such entry. */
enum status redis_get(struct redis *store, const char *name, struct buffer *value,
	struct failure *failure) MUST_CHECK;

/* Set a value for life_ms. It replaces any other. */
enum status redis_set(struct redis *store, const char *name, const struct buffer *value,
	long long life_ms, struct failure *failure) MUST_CHECK;

/* Only its owner can extend or release the lock. It expires life_ms after the last extension. */
struct redis_lock {
	const char *name;
	const char *owner;
	long life_ms;
};

/*
 * Take the lock if it is free (*mine), then read two values as redis_get() does. In that order, so
 * that what the last owner wrote is seen.
 */
enum status redis_lock(struct redis *store, const struct redis_lock *lock,
	const char *const names[2], bool *mine, struct buffer *const values[2],
	struct failure *failure) MUST_CHECK;

/* Extend the lock. *mine: it still has this owner's name. */
enum status redis_keep(struct redis *store, const struct redis_lock *lock, bool *mine,
	struct failure *failure) MUST_CHECK;

/*
 * Set an entry for life_ms and release the lock. *done is false if another owner has the lock by
 * now, or if it expired and another member has set an entry.
 */
enum status redis_put(struct redis *store, const struct redis_lock *lock, const char *name,
	const struct buffer *value, long long life_ms, bool *done,
	struct failure *failure) MUST_CHECK;

enum status redis_release(
	struct redis *store, const struct redis_lock *lock, struct failure *failure) MUST_CHECK;

/* Remove an entry if it still equals value (*done). */
enum status redis_drop(struct redis *store, const char *name, const struct buffer *value,
	bool *done, struct failure *failure) MUST_CHECK;

#endif
