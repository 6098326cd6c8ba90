#ifndef POINTERMAP_H
#define POINTERMAP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * What is known about addresses of handles, whatever their number. Looking up takes no lock and
 * writes nothing, so that threads do not disturb each other; changes lock one shard. A record is
 * found by the thread that put it there and by those that got the handle from that thread.
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

/* NULL where there is none. */
void *pointermap_find(struct pointermap *table, const void *address);

/* Put record there and return the one it replaces; false where memory is short. */
bool pointermap_put(struct pointermap *table, const void *address, void *record, void **replaced);

/* Take the record out and return it. */
void *pointermap_take(struct pointermap *table, const void *address);

/* Around fork(): nothing may be half changed in the child. */
void pointermap_lock(struct pointermap *table);
void pointermap_unlock(struct pointermap *table);

#endif
