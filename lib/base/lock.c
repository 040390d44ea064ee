/* SPDX-License-Identifier: MIT */
/* base/lock.c - taking, trying, releasing; the order checked where built so */
#include "base/lock.h"

#include <assert.h>
#include <sched.h>

#ifdef SLAB_LOCK_CHECK
static _Thread_local uint32_t held_ranks;

static void rank_take(const struct slab_lock *lock)
{
	assert(held_ranks < (1U << lock->rank) && "lock order: see lock.h");
	held_ranks |= 1U << lock->rank;
}

static void rank_release(const struct slab_lock *lock)
{
	assert(held_ranks & (1U << lock->rank));
	held_ranks &= ~(1U << lock->rank);
}
#else
#define rank_take(lock)	   ((void)(lock))
#define rank_release(lock) ((void)(lock))
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
