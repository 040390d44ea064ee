/* SPDX-License-Identifier: MIT */
/* base/lock.c - taking, trying, releasing; the order checked where built so */
#include "base/lock.h"

#include <assert.h>
#include <sched.h>

#ifdef SLAB_LOCK_CHECK
#define RANK(r) (1U << LOCK_RANK_##r)

static _Thread_local uint32_t held_ranks;

/* Smaller ranks that must not be held all the same. */
static const uint32_t forbidden[NR_LOCK_RANKS] = {
	[LOCK_RANK_LIST] = RANK(PCS) | RANK(BARN),
	[LOCK_RANK_PAGES] = RANK(PCS) | RANK(BARN) | RANK(LIST),
};

static void rank_take(const struct slab_lock *lock)
{
	assert(held_ranks < (1U << lock->rank) && "lock order: see lock.h");
	assert(!(held_ranks & forbidden[lock->rank]) && "see lock.c");
	held_ranks |= 1U << lock->rank;
}

static void rank_release(const struct slab_lock *lock)
{
	assert(held_ranks & (1U << lock->rank));
	held_ranks &= ~(1U << lock->rank);
}

uint32_t lock_suspend(void)
{
	uint32_t held = held_ranks;

	held_ranks = 0;
	return held;
}

void lock_resume(uint32_t held)
{
	held_ranks = held;
}
#else
#define rank_take(lock)	   ((void)(lock))
#define rank_release(lock) ((void)(lock))

uint32_t lock_suspend(void)
{
	return 0;
}

void lock_resume(uint32_t held)
{
	(void)held;
}
#endif

bool lock_try(struct slab_lock *lock)
{
	uint32_t expected = 0;

	if (!__atomic_compare_exchange_n(&lock->word, &expected, 1, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return false;
	rank_take(lock);
	return true;
}

void lock_take(struct slab_lock *lock)
{
	uint32_t expected = 0;
	unsigned int spins = 0;

	while (!__atomic_compare_exchange_n(&lock->word, &expected, 1, true,
					    __ATOMIC_ACQUIRE,
					    __ATOMIC_RELAXED)) {
		expected = 0;
		if (++spins % 64 == 0)
			sched_yield();
	}
	rank_take(lock);
}

void lock_release(struct slab_lock *lock)
{
	rank_release(lock);
	__atomic_store_n(&lock->word, 0, __ATOMIC_RELEASE);
}
