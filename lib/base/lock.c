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
#include <errno.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

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

bool lock_take_own(struct slab_lock *lock)
{
	if (!lock_own(lock))
		return false;
	rank_take(lock);
	return true;
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

/* ---- locks that are somebody's ---- */
#define NO_NUMBER UINT16_MAX

_Thread_local uint16_t lock_self
	__attribute__((tls_model("initial-exec"))) = NO_NUMBER;

static bool membarrier(int cmd)
{
	int saved = errno;
	long ret = syscall(SYS_membarrier, cmd, 0, 0);

	errno = saved;
	return ret >= 0;
}

void lock_make_ownable(struct slab_lock *lock)
{
#if defined(__SANITIZE_THREAD__)
	(void)lock; /* it does not see what orders the two */
#else
	if (!membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED))
		return;
	lock->is_ownable = true;
	lock->owner = OWNER_FIRST;
#endif
}

/* Threads get numbers as long as there are some. */
static uint16_t find_self(void)
{
	static uint16_t next = OWNER_THREADS;
	uint16_t mine = __atomic_load_n(&next, __ATOMIC_RELAXED);

	while (lock_self == NO_NUMBER && mine != NO_NUMBER)
		if (__atomic_compare_exchange_n(&next, &mine, mine + 1, false,
						__ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			lock_self = mine;
	return lock_self == NO_NUMBER ? OWNER_LEAVES : lock_self;
}

static bool turn(struct slab_lock *lock, uint16_t from, uint16_t to)
{
	return __atomic_compare_exchange_n(&lock->owner, &from, to, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

/* From now on it is nobody's; false: its owner holds it yet. */
static bool disown(struct slab_lock *lock, uint16_t owner)
{
	turn(lock, owner, OWNER_LEAVES);
	if (__atomic_load_n(&lock->is_owners, __ATOMIC_ACQUIRE))
		return false;
	/* a sandbox may forbid it meanwhile; no processor keeps stores so long */
	if (!membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) &&
	    !membarrier(MEMBARRIER_CMD_GLOBAL))
		sleep_ns(1000000);
	if (__atomic_load_n(&lock->is_owners, __ATOMIC_ACQUIRE))
		return false;
	turn(lock, OWNER_LEAVES, OWNER_NONE);
	return true;
}

static bool try_once(struct slab_lock *lock)
{
	uint16_t owner;

	while (lock->is_ownable &&
	       (owner = __atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE))) {
		if (owner == OWNER_FIRST) {
			turn(lock, owner, find_self());
		} else if (owner == lock_self) {
			if (__atomic_load_n(&lock->is_owners, __ATOMIC_RELAXED))
				return false;
			if (lock_own(lock))
				return true;
		} else if (!disown(lock, owner)) {
			return false;
		}
	}
	return try_word(lock);
}

static void relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* ---- a child of a fork that waited for nobody ---- */
#define LONE_MS	   100U
#define LONE_WAITS 50U

static bool is_lone_child;

void lock_lone_child(void)
{
	is_lone_child = true;
}

static void give_up(void)
{
	static const char why[] =
		"slab: a child of a fork() in a sink waits for a thread that it does not have: such a child may exec or _exit\n";

	if (write(STDERR_FILENO, why, sizeof(why) - 1) < 0)
		_exit(127);
	abort();
}

static void nap(unsigned int *waits)
{
	sleep_ns(is_lone_child ? LONE_MS * 1000000 : 50000);
	if (is_lone_child && ++*waits == LONE_WAITS)
		give_up();
}

static void sleep_on(struct slab_lock *lock, unsigned int *waits)
{
	if (!is_lone_child) {
		futex_wait(&lock->word, SLEPT_FOR, FUTEX_FOREVER);
		return;
	}
	/* threads of its own let go much sooner */
	futex_wait(&lock->word, SLEPT_FOR, LONE_MS);
	if (++*waits == LONE_WAITS)
		give_up();
}

static __attribute__((noinline)) void wait_for(struct slab_lock *lock)
{
	unsigned int waits = 0, i;

	for (i = 0; i < SPINS; i++) {
		relax();
		if (!lock_is_held(lock) && try_once(lock))
			return;
	}
	/* once, at most: an owner wakes nobody */
	while (lock->is_ownable &&
	       __atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) != OWNER_NONE) {
		if (try_once(lock))
			return;
		nap(&waits);
	}
	while (__atomic_exchange_n(&lock->word, SLEPT_FOR, __ATOMIC_ACQUIRE) !=
	       FREE)
		sleep_on(lock, &waits);
}

bool lock_try(struct slab_lock *lock)
{
	if (!try_once(lock))
		return false;
	rank_take(lock);
	return true;
}

void lock_take_slow(struct slab_lock *lock)
{
	wait_check();
	if (!try_once(lock))
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
	if (!__atomic_load_n(&lock->word, __ATOMIC_RELAXED)) {
		__atomic_store_n(&lock->is_owners, 0, __ATOMIC_RELEASE);
		return;
	}
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
	__atomic_store_n(&lock->is_owners, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&lock->word, FREE, __ATOMIC_RELEASE);
}
