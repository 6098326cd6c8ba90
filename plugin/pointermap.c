#include "pointermap.h"

#include <stdint.h>
#include <stdlib.h>

/*
 * Open addressing with linear probing. Removing a record moves later ones up, so there are no
 * tombstones. A reader checks the version of the shard, and looks again after a change. Outgrown
 * slots are never freed, as they may still be read; they are half as many as the current ones.
 */
enum { SLOTS_MIN = 8, TRIES_WITHOUT_LOCK = 4 };

struct slot {
	_Atomic(const void *) address;
	_Atomic(void *) record;
};

struct pointermap_slots {
	struct pointermap_slots *outgrown;
	size_t mask;
	struct slot slot[];
};

/* Addresses differ in their middle bits; the product spreads these over the upper half. */
static size_t hash(const void *address)
{
	return (size_t)(((uint64_t)(uintptr_t)address * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

static struct pointermap_shard *shard_of(struct pointermap *table, size_t hashed)
{
	return &table->shards[hashed % POINTERMAP_SHARDS];
}

static size_t home_of(const struct pointermap_slots *slots, size_t hashed)
{
	return (hashed / POINTERMAP_SHARDS) & slots->mask;
}

static const void *address_in(const struct slot *slot)
{
	return atomic_load_explicit(&slot->address, memory_order_acquire);
}

/* The slot of address, or the empty slot in which to put it. */
static struct slot *probe(struct pointermap_slots *slots, const void *address, size_t hashed)
{
	size_t index = home_of(slots, hashed);
	const void *found;

	while ((found = address_in(&slots->slot[index])) && found != address)
		index = (index + 1) & slots->mask;
	return &slots->slot[index];
}

/* During a change there may be no empty slot for a moment, so count the steps. */
static inline void *look(struct pointermap_slots *slots, const void *address, size_t hashed)
{
	size_t index = home_of(slots, hashed);

	for (size_t step = 0; step <= slots->mask; step++) {
		struct slot *slot = &slots->slot[(index + step) & slots->mask];
		const void *found = address_in(slot);

		if (found == address)
			return atomic_load_explicit(&slot->record, memory_order_acquire);
		if (!found)
			return NULL;
	}
	return NULL;
}

/*
 * The thread that is forking. It holds every lock until the last fork handler has run. Other
 * handlers run in between, also in the child, and may free a handle. So this thread must not lock
 * again.
 */
static atomic_uintptr_t forker;

static void shard_lock(struct pointermap_shard *shard)
{
	if (atomic_load(&forker) != (uintptr_t)pthread_self())
		pthread_mutex_lock(&shard->mutex);
}

static void shard_unlock(struct pointermap_shard *shard)
{
	if (atomic_load(&forker) != (uintptr_t)pthread_self())
		pthread_mutex_unlock(&shard->mutex);
}

static void *find_locked(struct pointermap_shard *shard, const void *address, size_t hashed)
{
	struct pointermap_slots *slots;
	void *record;

	shard_lock(shard);
	slots = atomic_load(&shard->slots);
	record = slots ? look(slots, address, hashed) : NULL;
	shard_unlock(shard);
	return record;
}

static __attribute__((noinline)) void *find_slowly(
	struct pointermap_shard *shard, const void *address, size_t hashed)
{
	for (int tries = 0; tries < TRIES_WITHOUT_LOCK; tries++) {
		unsigned before = atomic_load_explicit(&shard->version, memory_order_acquire);
		struct pointermap_slots *slots =
			atomic_load_explicit(&shard->slots, memory_order_acquire);
		void *record = slots ? look(slots, address, hashed) : NULL;

		if (!(before & 1) &&
			atomic_load_explicit(&shard->version, memory_order_acquire) == before)
			return record;
	}
	return find_locked(shard, address, hashed);
}

/* Most records are in their home slot. These few instructions find them. */
void *pointermap_find(struct pointermap *table, const void *address)
{
	size_t hashed = hash(address);
	struct pointermap_shard *shard = shard_of(table, hashed);
	unsigned before = atomic_load_explicit(&shard->version, memory_order_acquire);
	struct pointermap_slots *slots = atomic_load_explicit(&shard->slots, memory_order_acquire);

	if (slots && !(before & 1)) {
		struct slot *slot = &slots->slot[home_of(slots, hashed)];

		if (address_in(slot) == address) {
			void *record = atomic_load_explicit(&slot->record, memory_order_acquire);

			if (atomic_load_explicit(&shard->version, memory_order_acquire) == before)
				return record;
		}
	}
	return find_slowly(shard, address, hashed);
}

/* The record first: a reader that finds the address must find its record. */
static void store(struct slot *slot, const void *address, void *record)
{
	atomic_store_explicit(&slot->record, record, memory_order_release);
	atomic_store_explicit(&slot->address, address, memory_order_release);
}

static void begin_change(struct pointermap_shard *shard)
{
	atomic_fetch_add(&shard->version, 1);
}

static void end_change(struct pointermap_shard *shard)
{
	atomic_fetch_add(&shard->version, 1);
}

/* Make room for one more. At least a third of the slots stays empty. */
static struct pointermap_slots *with_room(struct pointermap_shard *shard)
{
	struct pointermap_slots *old = atomic_load(&shard->slots), *slots;
	size_t size = old ? old->mask + 1 : 0;
	size_t wanted = size ? size * 2 : SLOTS_MIN;

	if (old && (shard->count + 1) * 3 <= size * 2)
		return old;
	slots = calloc(1, sizeof(*slots) + wanted * sizeof(*slots->slot));
	if (!slots)
		return NULL;
	slots->outgrown = old;
	slots->mask = wanted - 1;
	for (size_t i = 0; i < size; i++) {
		const void *address = address_in(&old->slot[i]);

		if (address)
			store(probe(slots, address, hash(address)), address,
				atomic_load(&old->slot[i].record));
	}
	atomic_store_explicit(&shard->slots, slots, memory_order_release);
	return slots;
}

bool pointermap_put(struct pointermap *table, const void *address, void *record, void **replaced)
{
	size_t hashed = hash(address);
	struct pointermap_shard *shard = shard_of(table, hashed);
	struct pointermap_slots *slots;

	*replaced = NULL;
	shard_lock(shard);
	begin_change(shard);
	slots = with_room(shard);
	if (slots) {
		struct slot *slot = probe(slots, address, hashed);

		if (address_in(slot))
			*replaced = atomic_load(&slot->record);
		else
			shard->count++;
		store(slot, address, record);
	}
	end_change(shard);
	shard_unlock(shard);
	return slots != NULL;
}

/* Close the gap: move up the slots that a lookup would not find behind it. */
static void close_gap(struct pointermap_slots *slots, size_t gap)
{
	size_t index = gap;

	for (;;) {
		struct slot *slot = &slots->slot[index = (index + 1) & slots->mask];
		const void *address = address_in(slot);
		size_t home;

		if (!address)
			break;
		home = home_of(slots, hash(address));
		if (((index - home) & slots->mask) < ((index - gap) & slots->mask))
			continue;
		store(&slots->slot[gap], address, atomic_load(&slot->record));
		gap = index;
	}
	store(&slots->slot[gap], NULL, NULL);
}

void *pointermap_take(struct pointermap *table, const void *address)
{
	size_t hashed = hash(address);
	struct pointermap_shard *shard = shard_of(table, hashed);
	struct pointermap_slots *slots;
	struct slot *slot;
	void *record = NULL;

	shard_lock(shard);
	slots = atomic_load(&shard->slots);
	slot = slots ? probe(slots, address, hashed) : NULL;
	if (slot && address_in(slot)) {
		record = atomic_load(&slot->record);
		begin_change(shard);
		close_gap(slots, (size_t)(slot - slots->slot));
		end_change(shard);
		shard->count--;
	}
	shard_unlock(shard);
	return record;
}

void pointermap_lock(struct pointermap *table)
{
	for (size_t i = 0; i < POINTERMAP_SHARDS; i++)
		pthread_mutex_lock(&table->shards[i].mutex);
	atomic_store(&forker, (uintptr_t)pthread_self());
}

void pointermap_unlock(struct pointermap *table)
{
	atomic_store(&forker, 0);
	for (size_t i = 0; i < POINTERMAP_SHARDS; i++)
		pthread_mutex_unlock(&table->shards[i].mutex);
}
