/* SPDX-License-Identifier: MIT */
/*
 * base/lock.h - locks that know their rank: they spin a little, then sleep
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

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 32)
#include <sys/single_threaded.h>
#endif

/* Outermost first. PCS, BARN and LIST stand side by side: sheaves may trade
 * with a barn, and neither is ever held when a list_lock is taken. */
enum lock_rank {
	LOCK_RANK_MAKING, /* the process's machine */
	LOCK_RANK_CPUS,	 /* which CPUs are online */
	LOCK_RANK_MUTEX, /* slab_mutex: caches, their creation and end */
	LOCK_RANK_FLUSH, /* flush_lock: from detaching rcu_free to its submit */
	LOCK_RANK_RCU,	 /* whose callbacks run */
	LOCK_RANK_PCS,	 /* one CPU's sheaves; only tried on fast paths */
	LOCK_RANK_BARN,	 /* a node's full and empty sheaves */
	LOCK_RANK_LIST,	 /* a node's list_lock: partial and full lists */
	LOCK_RANK_SLAB,	 /* freelist and counters without cmpxchg16b */
	LOCK_RANK_LENT,	 /* a cache's list of borrowed sheaves */
	LOCK_RANK_KRC,	 /* a CPU's batch of kfree_rcu */
	LOCK_RANK_QUEUE, /* callbacks that wait for RCU */
	LOCK_RANK_REPORT, /* who is told what was found, one at a time */
	LOCK_RANK_PAGES, /* page allocator; nothing is taken under it */
	LOCK_RANK_DEPOT, /* stacks of tracks */
	LOCK_RANK_META,	 /* metadata arena; nothing is taken under it */
	NR_LOCK_RANKS,
};

struct slab_lock {
	uint32_t word; /* 0 free, 1 held, 2 held and slept for */
	uint8_t rank : 7;
	uint8_t is_ownable : 1; /* somebody's, or going to be */
	uint8_t is_owners;	/* held by its owner; word is 0 then */
	union {
		uint16_t holder; /* the CPU that took it last, for who waits */
		uint16_t owner;	 /* is_ownable: the thread's lock_self, or */
	};
};

enum { OWNER_NONE, OWNER_FIRST, OWNER_LEAVES, OWNER_THREADS };

/* A number of this thread, when it owns a lock. */
extern _Thread_local uint16_t lock_self
	__attribute__((tls_model("initial-exec"), visibility("hidden")));

static inline void lock_init(struct slab_lock *lock, enum lock_rank rank)
{
	*lock = (struct slab_lock){ .rank = rank & 0x7f };
}

/*
 * It becomes the first thread's that takes it, which needs no locked instruction
 * then, until another thread wants it: from there on it is a lock as any other.
 * For what one thread does over and over, as a rule. Said before anybody takes
 * it, of a lock that has no `holder`.
 */
void lock_make_ownable(struct slab_lock *lock);

void lock_take_slow(struct slab_lock *lock);
bool lock_try(struct slab_lock *lock);
void lock_release_slow(struct slab_lock *lock);

/*
 * The only thread of a process needs no locked instructions, which are half of
 * what a debug cache costs; malloc does without them in the same way. A signal
 * handler that comes between load and store gives back what it took before it
 * ends.
 */
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 32)
#define LOCK_IS_ALONE __libc_single_threaded
#else
#define LOCK_IS_ALONE 0
#endif

/*
 * Its owner needs no locked instruction, and no call. It says that it holds the
 * lock, and looks then whether it still owns it; who wants it away says so,
 * makes the owner's processor finish what it has begun (membarrier), and looks
 * then whether the owner holds it. One of the two sees the other. false: nothing
 * was done. Of locks without a `holder`; ends with lock_release_own().
 */
static inline bool lock_own(struct slab_lock *lock)
{
	if (__atomic_load_n(&lock->owner, __ATOMIC_RELAXED) != lock_self ||
	    __atomic_load_n(&lock->is_owners, __ATOMIC_RELAXED))
		return false;
	__atomic_store_n(&lock->is_owners, 1, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (__builtin_expect(__atomic_load_n(&lock->owner, __ATOMIC_RELAXED) ==
				     lock_self,
			     1))
		return true;
	__atomic_store_n(&lock->is_owners, 0, __ATOMIC_RELEASE);
	return false;
}

/* For who has work to do before. */
static inline bool lock_seems_own(const struct slab_lock *lock)
{
	return __atomic_load_n(&lock->owner, __ATOMIC_RELAXED) == lock_self;
}

#ifdef SLAB_LOCK_CHECK
bool lock_take_own(struct slab_lock *lock);
#define lock_release_own(lock) lock_release_slow(lock)
#else
#define lock_take_own(lock) lock_own(lock)
static inline void lock_release_own(struct slab_lock *lock)
{
	__atomic_store_n(&lock->is_owners, 0, __ATOMIC_RELEASE);
}
#endif

static inline void lock_take(struct slab_lock *lock)
{
#ifndef SLAB_LOCK_CHECK
	if (LOCK_IS_ALONE && !lock->is_ownable &&
	    !__atomic_load_n(&lock->word, __ATOMIC_RELAXED)) {
		__atomic_store_n(&lock->word, 1, __ATOMIC_RELAXED);
		__atomic_signal_fence(__ATOMIC_ACQUIRE);
		return;
	}
#endif
	lock_take_slow(lock);
}

static inline void lock_release(struct slab_lock *lock)
{
#ifndef SLAB_LOCK_CHECK
	if (LOCK_IS_ALONE && __atomic_load_n(&lock->word, __ATOMIC_RELAXED)) {
		__atomic_store_n(&lock->word, 0, __ATOMIC_RELEASE);
		return;
	}
#endif
	lock_release_slow(lock);
}

/* After fork(), in a child: held by a thread that is not there any more, or by
 * this one for the time of the fork. */
void lock_reset(struct slab_lock *lock);

/* In a child whose fork did not wait for the other threads: what they held is
 * held for ever. Who waits for that says so, and the process ends. */
void lock_lone_child(void);

/*
 * An interrupt, or another virtual CPU on this thread, starts with nothing
 * held and may wait: gives what was, for lock_resume().
 */
uint32_t lock_suspend(void);
void lock_resume(uint32_t held);

/*
 * Calls that may come from a signal handler wait for no lock: this thread may
 * be the one that holds it. From here to lock_resume() lock_take() is wrong,
 * which builds with SLAB_LOCK_CHECK assert.
 */
void lock_forbid_wait(void);
bool lock_may_wait(void);
/* lock_take() where this thread may wait, else lock_try(). */
bool lock_take_or_try(struct slab_lock *lock);

static inline bool lock_is_held(const struct slab_lock *lock)
{
	return __atomic_load_n(&lock->word, __ATOMIC_RELAXED) != 0 ||
	       __atomic_load_n(&lock->is_owners, __ATOMIC_RELAXED);
}

#endif
