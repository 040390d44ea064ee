/* SPDX-License-Identifier: MIT */
/*
 * slab/cpu.h - the sheaves of one CPU
 *
 *	main      serves this CPU's allocations and frees; never NULL
 *	spare     NULL, or empty, or full; may be anything in between
 *	rcu_free  collects kfree_rcu; NULL or not full
 *
 * Locking: a try-lock that no other CPU takes: whoever finds it busy
 *          interrupted its holder, and goes to the slabs. Plain locking is
 *          for places that can not interrupt one (flush, prefill, return).
 *          After an unlock the thread may be on another CPU: look again.
 *
 *          With restartable sequences (machine/percpu.h) the lock is folded
 *          into `fast`, the only word that inline paths decide from: it is
 *          main, or, while the CPU is locked, a sheaf that is always empty and
 *          always full. Its holder may be preempted and may move: what it
 *          lets go is the CPU that it locked.
 */
#ifndef SLAB_SLAB_CPU_H
#define SLAB_SLAB_CPU_H

#include "machine/percpu_rseq.h"
#include "slab/barn.h"

struct slub_percpu_sheaves {
	struct slab_sheaf *fast;
	struct slab_sheaf *main, *spare, *rcu_free;
	/* PERCPU_LOCK: the lock; PERCPU_RSEQ: who drains this CPU from another */
	struct slab_lock lock;
	/* native: full sheaves before the barn, and what they came out of */
	struct slab_sheaf *local_full, *local_empty; /* linked by list.next */
	unsigned int nr_local; /* of both kinds */
	unsigned int main_was; /* its size when the lock was let go last */
} __attribute__((aligned(1 << SLAB_FAST_CPU_SHIFT)));

static_assert(sizeof(struct slub_percpu_sheaves) == 1 << SLAB_FAST_CPU_SHIFT,
	      "what inline paths step by");

/* Tools that watch memory order can not read the sections' instructions. */
#if defined(__SANITIZE_THREAD__)
void __tsan_acquire(void *at);
void __tsan_release(void *at);
#define SAY_TAKEN(pcs) __tsan_acquire(pcs)
#define SAY_LET_GO(pcs) __tsan_release(pcs)
#else
#define SAY_TAKEN(pcs)	((void)(pcs))
#define SAY_LET_GO(pcs) ((void)(pcs))
#endif

/* What inline paths did since the lock was let go last is counted. */
static inline void pcs_collect(struct kmem_cache *s,
			       struct slub_percpu_sheaves *pcs)
{
	struct slab_sheaf *main = pcs->main;
	uint64_t word = main->size_and_pushes;
	unsigned int size = (unsigned int)word;
	unsigned int pushes = (unsigned int)(word >> 32);

	if (s->stats) {
		stat_add(s, SLAB_STAT_FREE_FASTPATH, pushes);
		stat_add(s, SLAB_STAT_ALLOC_FASTPATH,
			 pushes + pcs->main_was - size);
	}
	/* main may be the constant one. All of the word: after a store to half
	 * of it the next load would wait until that has left the CPU's buffer */
	if (pushes)
		main->size_and_pushes = size;
}

/* PERCPU_RSEQ, in this CPU's own name: the lock and nothing else. NULL: busy. */
static inline struct slub_percpu_sheaves *pcs_swap_in(struct kmem_cache *s)
{
	struct slub_percpu_sheaves *pcs;

	pcs = percpu_swap_here(s->cpu_sheaves, locked_sheaf, drained_sheaf);
	if (pcs) {
		SAY_TAKEN(pcs);
		pcs_collect(s, pcs);
	}
	return pcs;
}

/* Main has `size` objects. Whoever knows says so: to load what was stored a
 * moment ago made an exchange of sheaves three times as dear (measured). */
static inline void pcs_swap_out_at(const struct kmem_cache *s,
				   struct slub_percpu_sheaves *pcs,
				   unsigned int size)
{
	struct slab_sheaf *fast = pcs->main;

	if (__atomic_load_n(&s->fast_is_shut, __ATOMIC_RELAXED))
		fast = bootstrap_sheaf;
	pcs->main_was = size;
	SAY_LET_GO(pcs);
	__atomic_store_n(&pcs->fast, fast, __ATOMIC_RELEASE);
}

static inline void pcs_swap_out(const struct kmem_cache *s,
				struct slub_percpu_sheaves *pcs)
{
	pcs_swap_out_at(s, pcs, pcs->main->size);
}

/* This CPU's, locked; NULL: busy. */
struct slub_percpu_sheaves *pcs_trylock(struct kmem_cache *s);
/* NULL: that CPU can not be reached (machine/percpu.h). */
struct slub_percpu_sheaves *pcs_lock(struct kmem_cache *s);
void pcs_unlock(struct kmem_cache *s, struct slub_percpu_sheaves *pcs);

/* The barn of this CPU's nearest node with memory, or NULL. */
struct node_barn *get_barn(const struct kmem_cache *s);

/* ---- full sheaves that the locked CPU keeps before the barn ---- */
/*
 * The CPU pays for each pair of places, one in local_full and one in
 * local_empty, when it gets the sheaf for it. Trading the two costs nothing,
 * above all no locked instruction: one would wait for every store to users'
 * memory before it.
 */
static inline bool cpu_trade_for_full(struct slub_percpu_sheaves *pcs)
{
	struct slab_sheaf *full = pcs->local_full;

	if (!full)
		return false;
	pcs->local_full = sheaf_next(full);
	sheaf_set_next(pcs->main, pcs->local_empty);
	pcs->local_empty = pcs->main;
	pcs->main = full;
	return true;
}

static inline bool cpu_trade_for_empty(struct slub_percpu_sheaves *pcs)
{
	struct slab_sheaf *empty = pcs->local_empty;

	if (!empty)
		return false;
	pcs->local_empty = sheaf_next(empty);
	sheaf_set_next(pcs->main, pcs->local_full);
	pcs->local_full = pcs->main;
	pcs->main = empty;
	return true;
}

/*
 * A cache that only gives back keeps nothing in front of its slabs: each object
 * that rests there may be the last one of a slab. It has begun to when so much
 * went past what CPUs keep and no allocation asked for it.
 */
bool cache_shrinks(const struct kmem_cache *s);
/* That many bytes went to the slabs. true: now it does. */
bool cache_gave_back(struct kmem_cache *s, size_t bytes);
/* An allocation found nothing that a CPU keeps: it does not, any more. */
static inline void cache_wants(struct kmem_cache *s)
{
	if (__atomic_load_n(&s->flushed_bytes, __ATOMIC_RELAXED))
		__atomic_store_n(&s->flushed_bytes, 0, __ATOMIC_RELAXED);
}

/* Will it pay for one more? */
bool cpu_may_keep(const struct kmem_cache *s,
		  const struct slub_percpu_sheaves *pcs);
/* It does: main is kept, `empty` is main. */
void cpu_keep_main(struct kmem_cache *s, struct slub_percpu_sheaves *pcs,
		   struct slab_sheaf *empty);
/* All of both kinds, linked by sheaf_next(). */
struct slab_sheaf *cpu_take_local(struct kmem_cache *s,
				  struct slub_percpu_sheaves *pcs);

/* The inline paths of the cache find nothing from now on, or again what there
 * is. Process context. */
void cpu_fast_close(struct kmem_cache *s);
void cpu_fast_open(struct kmem_cache *s);
/* What inline paths did up to now is in s->stats. Process context. */
void cpu_collect_counts(struct kmem_cache *s);
/* Before the first use of a record: main is set. */
void cpu_fast_init(struct kmem_cache *s, struct slub_percpu_sheaves *pcs);
/* What inline paths are shown where there is nothing for them: a record for
 * every CPU that this host may have. NULL: no memory. */
void *cpu_fast_nothing(void);

/* P1 to P3 and P8 for one CPU; NULL or what does not hold. */
const char *pcs_check(const struct kmem_cache *s, unsigned int cpu);

#endif
