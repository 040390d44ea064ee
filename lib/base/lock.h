/* SPDX-License-Identifier: MIT */
/*
 * base/lock.h - spin locks that know their rank
 *
 * The lock order of the whole library stands here and in lock.c's table, and
 * nowhere else: a lock may be taken when every lock held by this thread has a
 * smaller rank and is not forbidden by a row. Builds with SLAB_LOCK_CHECK (on
 * in debug builds) assert it.
 */
#ifndef SLAB_BASE_LOCK_H
#define SLAB_BASE_LOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Outermost first. PCS, BARN and LIST stand side by side: sheaves may trade
 * with a barn, and neither is ever held when a list_lock is taken. */
enum lock_rank {
	LOCK_RANK_CPUS,	 /* which CPUs are online */
	LOCK_RANK_MUTEX, /* slab_mutex: caches, their creation and end */
	LOCK_RANK_FLUSH, /* flush_lock: from detaching rcu_free to its submit */
	LOCK_RANK_RCU,	 /* whose callbacks run */
	LOCK_RANK_PCS,	 /* one CPU's sheaves; only tried on fast paths */
	LOCK_RANK_BARN,	 /* a node's full and empty sheaves */
	LOCK_RANK_LIST,	 /* a node's list_lock: partial and full lists */
	LOCK_RANK_SLAB,	 /* freelist and counters without cmpxchg16b */
	LOCK_RANK_LENT,	 /* a cache's list of borrowed sheaves */
	LOCK_RANK_PAGES, /* page allocator; nothing is taken under it */
	LOCK_RANK_DEPOT, /* stacks of tracks */
	LOCK_RANK_META,	 /* metadata arena; nothing is taken under it */
	NR_LOCK_RANKS,
};

struct slab_lock {
	uint32_t word; /* 0 free, 1 held */
	uint16_t rank;
	uint16_t holder; /* the CPU that took it last, for who waits */
};

static inline void lock_init(struct slab_lock *lock, enum lock_rank rank)
{
	lock->word = 0;
	lock->rank = (uint16_t)rank;
	lock->holder = 0;
}

void lock_take(struct slab_lock *lock);
bool lock_try(struct slab_lock *lock);
void lock_release(struct slab_lock *lock);

/*
 * An interrupt, or another virtual CPU on this thread, starts with nothing
 * held: gives what was, for lock_resume().
 */
uint32_t lock_suspend(void);
void lock_resume(uint32_t held);

static inline bool lock_is_held(const struct slab_lock *lock)
{
	return __atomic_load_n(&lock->word, __ATOMIC_RELAXED) != 0;
}

#endif
