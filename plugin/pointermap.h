#ifndef POINTERMAP_H
#define POINTERMAP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * A map from addresses of handles to records. A lookup takes no lock and writes nothing, so threads
 * do not slow each other down; a change locks one shard. A thread finds the records that it has
 * put, and those of handles that it got from other threads.
 */
enum { POINTERMAP_SHARDS = 32 };

struct pointermap_slots;

struct pointermap_shard {
	_Alignas(64) atomic_uint version; /* odd while slots are being moved */
	_Atomic(struct pointermap_slots *) slots;
	size_t count;
	pthread_mutex_t mutex;
};

struct pointermap {
	struct pointermap_shard shards[POINTERMAP_SHARDS];
};

#define POINTERMAP_INIT \
	{ \
		.shards = { [0 ... POINTERMAP_SHARDS - 1] = {.mutex = PTHREAD_MUTEX_INITIALIZER} } \
	}

/* NULL if there is none. */
void *pointermap_find(struct pointermap *table, const void *address);

/* Put a record, and return the one that it replaces. False if memory is short. */
bool pointermap_put(struct pointermap *table, const void *address, void *record, void **replaced);

/* Take the record out and return it. */
void *pointermap_take(struct pointermap *table, const void *address);

/* Around fork(), so that the child has no half-made change. */
void pointermap_lock(struct pointermap *table);
void pointermap_unlock(struct pointermap *table);

#endif
