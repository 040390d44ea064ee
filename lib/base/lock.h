/* SPDX-License-Identifier: MIT */
/*
 * base/lock.h - spin locks that know their rank
 *
 * The lock order of the whole library stands here and nowhere else: a lock may
 * be taken when every lock held by this thread has a smaller rank. Builds with
 * SLAB_LOCK_CHECK (on in debug builds) assert it.
 */
#ifndef SLAB_BASE_LOCK_H
#define SLAB_BASE_LOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Side by side in the kernel's order: 2b and 2c are never nested. */
enum lock_rank {
	LOCK_RANK_MUTEX = 1, /* slab_mutex: caches, their creation and end */
	LOCK_RANK_LIST,	     /* a node's list_lock: partial and full lists */
	LOCK_RANK_SLAB,	     /* freelist and counters without cmpxchg16b */
	LOCK_RANK_PAGES,     /* page allocator; nothing is taken under it */
	LOCK_RANK_DEPOT,     /* stacks of tracks */
	LOCK_RANK_META,	     /* metadata arena; nothing is taken under it */
};

struct slab_lock {
	uint32_t word; /* 0 free, 1 held */
	uint32_t rank;
};

static inline void lock_init(struct slab_lock *lock, enum lock_rank rank)
{
	lock->word = 0;
	lock->rank = rank;
}

void lock_take(struct slab_lock *lock);
bool lock_try(struct slab_lock *lock);
void lock_release(struct slab_lock *lock);

static inline bool lock_is_held(const struct slab_lock *lock)
{
	return __atomic_load_n(&lock->word, __ATOMIC_RELAXED) != 0;
}

#endif
