/* SPDX-License-Identifier: MIT */
/*
 * debug/depot.c - see depot.h
 *
 *	buckets[hash]  --> record --> record --> NULL
 *	records[handle - 1]
 *
 * Both tables have `capacity` entries and double together, when there are as
 * many stacks. Without memory for that, chains grow longer and then the
 * answer is 0: a track without a stack.
 *
 * A reader takes capacity first and buckets then, a writer gives them the other
 * way round: an index is never beyond its table. While chains are made anew,
 * a link may lead a reader into another chain; but every link leads to an older
 * record, so the walk ends, and who found nothing asks again under the lock.
 * Native machines keep tables that were outgrown: somebody may still read one.
 */
#include "debug/depot.h"

#include <string.h>

#include "base/bits.h"

#define FIRST_CAPACITY 64U

struct stack_record {
	struct stack_record *next;
	uint32_t hash, handle, nr;
	uintptr_t frames[];
};

struct stack_depot {
	struct depot_front front;
	struct slab_lock lock;
	uint32_t nr, capacity;
	struct stack_record **buckets, **records;
};

static struct stack_depot *depot_of(struct slab_machine *m)
{
	struct stack_depot *depot =
		__atomic_load_n(&m->depot, __ATOMIC_ACQUIRE);
	struct stack_depot *fresh;

	if (depot || !lock_may_wait())
		return depot;
	fresh = meta_alloc(m, sizeof(*fresh));
	if (!fresh)
		return NULL;
	lock_init(&fresh->lock, LOCK_RANK_DEPOT);
	if (m->is_native)
		fresh->front.recent =
			meta_alloc(m, sizeof(struct recent_stacks));
	if (__atomic_compare_exchange_n(&m->depot, &depot, fresh, false,
					__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return fresh;
	meta_free(m, fresh, sizeof(*fresh));
	return depot;
}

struct slab_lock *depot_lock(struct slab_machine *m)
{
	struct stack_depot *depot =
		__atomic_load_n(&m->depot, __ATOMIC_ACQUIRE);

	return depot ? &depot->lock : NULL;
}

static uint32_t stack_hash(const uintptr_t *frames, unsigned int nr)
{
	uint64_t h = nr, g = 0; /* two, for one waits for its multiplication */
	unsigned int i;

	for (i = 0; i + 1 < nr; i += 2) {
		h = (h ^ frames[i]) * 0x9e3779b97f4a7c15U;
		g = (g ^ frames[i + 1]) * 0xbf58476d1ce4e5b9U;
	}
	if (i < nr)
		h = (h ^ frames[i]) * 0x9e3779b97f4a7c15U;
	return (uint32_t)((h + g) >> 32);
}

static size_t table_bytes(uint32_t capacity)
{
	return capacity * sizeof(struct stack_record *);
}

static bool depot_grow(struct slab_machine *m, struct stack_depot *depot)
{
	uint32_t old = depot->capacity;
	uint32_t capacity = old ? 2 * old : FIRST_CAPACITY;
	struct stack_record **buckets, **records;
	uint32_t i;

	if (capacity < old)
		return false;
	buckets = meta_alloc(m, table_bytes(capacity));
	records = meta_alloc(m, table_bytes(capacity));
	if (!buckets || !records) {
		meta_free(m, buckets, table_bytes(capacity));
		meta_free(m, records, table_bytes(capacity));
		return false;
	}
	for (i = 0; i < depot->nr; i++) {
		struct stack_record *record = depot->records[i];
		struct stack_record **bucket =
			&buckets[record->hash & (capacity - 1)];

		records[i] = record;
		__atomic_store_n(&record->next, *bucket, __ATOMIC_RELEASE);
		*bucket = record;
	}
	if (!m->is_native) {
		meta_free(m, depot->buckets, table_bytes(old));
		meta_free(m, depot->records, table_bytes(old));
	}
	__atomic_store_n(&depot->buckets, buckets, __ATOMIC_RELEASE);
	__atomic_store_n(&depot->records, records, __ATOMIC_RELEASE);
	__atomic_store_n(&depot->capacity, capacity, __ATOMIC_RELEASE);
	return true;
}

static struct stack_record *depot_find(struct stack_depot *depot, uint32_t hash,
				       const uintptr_t *frames, unsigned int nr)
{
	uint32_t capacity = __atomic_load_n(&depot->capacity, __ATOMIC_ACQUIRE);
	struct stack_record **buckets, *record;

	if (!capacity)
		return NULL;
	buckets = __atomic_load_n(&depot->buckets, __ATOMIC_ACQUIRE);
	record = __atomic_load_n(&buckets[hash & (capacity - 1)],
				 __ATOMIC_ACQUIRE);
	while (record && (record->hash != hash || record->nr != nr ||
			  memcmp(record->frames, frames, nr * sizeof(*frames))))
		record = __atomic_load_n(&record->next, __ATOMIC_ACQUIRE);
	return record;
}

static struct stack_record *depot_add(struct slab_machine *m,
				      struct stack_depot *depot, uint32_t hash,
				      const uintptr_t *frames, unsigned int nr)
{
	struct stack_record *record, **bucket;

	/* growing gives tables back, for which it waits */
	if (depot->nr == depot->capacity &&
	    (!lock_may_wait() || !depot_grow(m, depot)))
		return NULL;
	record = meta_alloc(m, sizeof(*record) + nr * sizeof(*frames));
	if (!record)
		return NULL;
	record->hash = hash;
	record->nr = nr;
	memcpy(record->frames, frames, nr * sizeof(*frames));
	bucket = &depot->buckets[hash & (depot->capacity - 1)];
	record->next = *bucket;
	record->handle = depot->nr + 1;
	depot->records[depot->nr] = record;
	__atomic_store_n(&depot->nr, depot->nr + 1, __ATOMIC_RELEASE);
	__atomic_store_n(bucket, record, __ATOMIC_RELEASE);
	return record;
}

uint32_t depot_save(struct slab_machine *m, const uintptr_t *frames,
		    unsigned int nr)
{
	struct stack_depot *depot;
	struct stack_record *record;
	uint32_t handle, hash;

	nr = MIN(nr, SLAB_TRACK_FRAMES);
	if (!nr)
		return 0;
	depot = depot_of(m);
	if (!depot)
		return 0;
	hash = stack_hash(frames, nr);
	record = depot_find(depot, hash, frames, nr);
	if (__builtin_expect(record != NULL, 1))
		return record->handle;
	if (!lock_take_or_try(&depot->lock))
		return 0;
	record = depot_find(depot, hash, frames, nr);
	if (!record)
		record = depot_add(m, depot, hash, frames, nr);
	handle = record ? record->handle : 0;
	lock_release(&depot->lock);
	return handle;
}

unsigned int depot_fetch(struct slab_machine *m, uint32_t handle,
			 uintptr_t *frames, unsigned int max)
{
	struct stack_depot *depot =
		__atomic_load_n(&m->depot, __ATOMIC_ACQUIRE);
	struct stack_record *const *records;
	const struct stack_record *record;
	unsigned int nr;

	if (!depot || !handle ||
	    handle > __atomic_load_n(&depot->nr, __ATOMIC_ACQUIRE))
		return 0;
	records = __atomic_load_n(&depot->records, __ATOMIC_ACQUIRE);
	record = records[handle - 1];
	nr = MIN(record->nr, max);
	memcpy(frames, record->frames, nr * sizeof(*frames));
	return nr;
}
