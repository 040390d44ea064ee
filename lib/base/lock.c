/* SPDX-License-Identifier: MIT */
/*
 * base/lock.c - taking, trying, releasing; the order checked where built so
 *
 * Whoever finds a lock held looks a few times more, for holders are quick;
 * then it says so in the word and sleeps until the holder wakes it (futex).
 * A machine of one thread never gets that far.
 */
#define _GNU_SOURCE
#include "base/lock.h"

#include <assert.h>

#include "base/futex.h"

enum { FREE, HELD, SLEPT_FOR };

#define SPINS 100

/* A signal handler may be the first to ask: no lazy allocation of these. */
static _Thread_local bool is_hasty __attribute__((tls_model("initial-exec")));

#ifdef SLAB_LOCK_CHECK
#define RANK(r) (1U << LOCK_RANK_##r)

static _Thread_local uint32_t held_ranks
	__attribute__((tls_model("initial-exec")));

/* Smaller ranks that must not be held all the same. */
static const uint32_t forbidden[NR_LOCK_RANKS] = {
	[LOCK_RANK_LIST] = RANK(PCS) | RANK(BARN),
	[LOCK_RANK_PAGES] = RANK(PCS) | RANK(BARN) | RANK(LIST),
};

static void wait_check(void)
{
	assert(!is_hasty && "who may be a signal handler waits for no lock");
}

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

#else
#define wait_check()	   ((void)0)
#define rank_take(lock)	   ((void)(lock))
#define rank_release(lock) ((void)(lock))
#endif

/* Beside the ranks: may not wait. */
#define HASTY (1U << 31)

static_assert(NR_LOCK_RANKS < 31, "a bit each, and one more");

uint32_t lock_suspend(void)
{
	uint32_t state = is_hasty ? HASTY : 0;

	is_hasty = false;
#ifdef SLAB_LOCK_CHECK
	state |= held_ranks;
	held_ranks = 0;
#endif
	return state;
}

void lock_resume(uint32_t state)
{
	is_hasty = state & HASTY;
#ifdef SLAB_LOCK_CHECK
	held_ranks = state & ~HASTY;
#endif
}

void lock_forbid_wait(void)
{
	is_hasty = true;
}

bool lock_may_wait(void)
{
	return !is_hasty;
}

static bool try_word(struct slab_lock *lock)
{
	uint32_t expected = FREE;

	if (LOCK_IS_ALONE) {
		if (__atomic_load_n(&lock->word, __ATOMIC_RELAXED) != FREE)
			return false;
		__atomic_store_n(&lock->word, HELD, __ATOMIC_RELAXED);
		__atomic_signal_fence(__ATOMIC_ACQUIRE);
		return true;
	}
	return __atomic_compare_exchange_n(&lock->word, &expected, HELD, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static __attribute__((noinline)) void wait_for(struct slab_lock *lock)
{
	unsigned int i;

	for (i = 0; i < SPINS; i++) {
		relax();
		if (!__atomic_load_n(&lock->word, __ATOMIC_RELAXED) &&
		    try_word(lock))
			return;
	}
	while (__atomic_exchange_n(&lock->word, SLEPT_FOR, __ATOMIC_ACQUIRE) !=
	       FREE)
		futex_wait(&lock->word, SLEPT_FOR, FUTEX_FOREVER);
}

bool lock_try(struct slab_lock *lock)
{
	if (!try_word(lock))
		return false;
	rank_take(lock);
	return true;
}

void lock_take_slow(struct slab_lock *lock)
{
	wait_check();
	if (!try_word(lock))
		wait_for(lock);
	rank_take(lock);
}

bool lock_take_or_try(struct slab_lock *lock)
{
	if (is_hasty)
		return lock_try(lock);
	lock_take(lock);
	return true;
}

void lock_release_slow(struct slab_lock *lock)
{
	rank_release(lock);
	if (LOCK_IS_ALONE) {
		__atomic_store_n(&lock->word, FREE, __ATOMIC_RELEASE);
		return;
	}
	if (__atomic_exchange_n(&lock->word, FREE, __ATOMIC_RELEASE) ==
	    SLEPT_FOR)
		futex_wake(&lock->word, 1);
}

void lock_reset(struct slab_lock *lock)
{
	__atomic_store_n(&lock->word, FREE, __ATOMIC_RELEASE);
}
