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
enum { TABLE_SHARDS = 32 };

struct table_slots;

struct table_shard {
	_Alignas(64) atomic_uint version; /* odd while slots are being moved */
	_Atomic(struct table_slots *) slots;
	size_t count;
	pthread_mutex_t mutex;
};

struct table {
	struct table_shard shards[TABLE_SHARDS];
};

#define TABLE_INIT \
	{ \
		.shards = { [0 ... TABLE_SHARDS - 1] = {.mutex = PTHREAD_MUTEX_INITIALIZER} } \
	}

/* NULL where there is none. */
void *table_find(struct table *table, const void *address);

/* Put record there and return the one it replaces; false where memory is short. */
bool table_put(struct table *table, const void *address, void *record, void **replaced);

/* Take the record out and return it. */
void *table_take(struct table *table, const void *address);

/* Around fork(): nothing may be half changed in the child. */
void table_lock(struct table *table);
void table_unlock(struct table *table);

#endif
