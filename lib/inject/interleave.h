/* SPDX-License-Identifier: MIT */
/*
 * inject/interleave.h - every schedule of a few operations, within a bound
 *
 * Two or three virtual CPUs are coroutines on one thread. They switch at the
 * points of points.def: a search without memory walks through all schedules
 * with at most so many preemptions, each from the same arranged start, and
 * looks at the whole machine after every step (interleave_check.c). Besides
 * the switches the CPU that a thread finds itself on when it takes the sheaves'
 * lock, the failure of an allocation, and a signal whose handler allocates or
 * frees, can be choices. Beyond the bound schedules are drawn at random.
 *
 * A schedule is its choices, one digit each; the same digits give the same
 * schedule again. Of the schedules that break something the one with the
 * fewest preemptions, and among those the fewest steps, is reported.
 */
#ifndef SLAB_INJECT_INTERLEAVE_H
#define SLAB_INJECT_INTERLEAVE_H

#include <stdio.h>

#include <slab/cache.h>

/* The number behind an operation: of objects, or of a slab + 1 (0: any). */
#define INTERLEAVE_OPS(OP)                                               \
	OP(NONE, "nothing")                                              \
	OP(ALLOC, "alloc")                                               \
	OP(FREE, "free") /* an object that a user holds, of a slab */    \
	OP(FREE_CHAIN, "free all") /* such objects of a slab, at once */ \
	OP(REFILL, "refill")	   /* so many objects from the slabs */  \
	OP(BULK_ALLOC, "bulk alloc")                                     \
	OP(BULK_FREE, "bulk free") /* of any slab */                     \
	OP(KFREE_RCU, "kfree_rcu")                                       \
	OP(RCU_TICK, "rcu tick")                                         \
	OP(BARRIER, "barrier")                                           \
	OP(FLUSH_CPU, "flush cpu")                                       \
	OP(DRAIN, "drain cpu")	   /* of that number, and let go */      \
	OP(FLUSH_ALL, "flush all") /* CPUs, each from here */            \
	OP(SHRINK, "shrink")                                             \
	OP(VALIDATE, "validate")                                         \
	OP(PREFILL, "prefill")                                           \
	OP(TAKE, "alloc from sheaf")                                     \
	OP(RETURN, "return sheaf")                                       \
	OP(KMALLOC_NOLOCK, "kmalloc_nolock")                             \
	OP(KFREE_NOLOCK, "kfree_nolock")                                 \
	OP(BARRIER_ALL, "barrier of all") /* caches */                   \
	OP(FLUSH_CACHES, "flush all caches")                             \
	OP(CPU_DOWN, "cpu off")	   /* of that number */                  \
	OP(OTHER, "another cache") /* comes, is used, goes */            \
	OP(DESTROY, "destroy")

enum interleave_op {
#define OP(id, text) INTERLEAVE_##id,
	INTERLEAVE_OPS(OP)
#undef OP
		NR_INTERLEAVE_OPS,
};

#define INTERLEAVE_THREADS 3U
#define INTERLEAVE_STEPS   4U
#define INTERLEAVE_SLABS   3U
#define INTERLEAVE_CPUS	   2U

struct interleave_thread {
	unsigned int cpu;
	struct {
		uint8_t op, arg;
	} steps[INTERLEAVE_STEPS]; /* NONE ends them */
};

/* No such sheaf. */
#define INTERLEAVE_ABSENT (-1)

struct interleave {
	/* the cache */
	unsigned int objects; /* a slab */
	unsigned int min_partial;
	slab_flags_t flags;    /* SLAB_NOLEAKTRACE: served from slabs alone */
	unsigned int capacity; /* of a sheaf; 0: as flags have it */
	bool sections; /* CPUs are locked as on native machines (PERCPU_SIM) */
	unsigned int barn_limit; /* full and empty sheaves; 0: 7.0's */
	unsigned int local;	 /* full sheaves that a CPU keeps before it */

	/* the start: slabs with so many objects of theirs in users' hands, the
	 * rest free; ABSENT: no such slab */
	int used[INTERLEAVE_SLABS];
	/* or, of caches with sheaves: what these hold, then what users do;
	 * the rest of the slabs that needs is free */
	struct {
		int main, spare, rcu_free;
	} cpu[INTERLEAVE_CPUS];
	unsigned int barn_full, barn_empty;
	unsigned int held;
	/* damage: the slab's freelist leads nowhere; that, and bytes behind an
	 * object in use; bytes behind a free one */
	enum {
		INTERLEAVE_SOUND,
		INTERLEAVE_BAD_HEAD,
		INTERLEAVE_BAD_HEAD_AND_USER,
		INTERLEAVE_BAD_BYTES,
	} damage;
	unsigned int damaged; /* which slab */

	/* what runs */
	unsigned int nr_threads;
	struct interleave_thread threads[INTERLEAVE_THREADS];
	uint8_t handler; /* what a signal's does, an op */

	/* how much may be chosen */
	unsigned int preemptions, migrations, failures, signals;
	/* not all within the bound, but so many that are drawn, with as many
	 * preemptions as come */
	unsigned long random, seed;
};

#define INTERLEAVE_MAX_CHOICES 8000U

struct interleave_result {
	unsigned long schedules, steps;
	const char *broken;		    /* NULL: nothing was found */
	char what[160];			    /* broken, in numbers */
	unsigned int preemptions, nr_steps; /* of the schedule that broke it */
	char choices[INTERLEAVE_MAX_CHOICES + 3]; /* BOUND:DIGITS; BOUND p:
						   * none */
	/* of a script: what it ends with, "PAGE:INUSE ..." of each slab */
	char slabs[96];
};

/*
 * The machine is reset and its hooks are taken. 0 whatever was found; -EINVAL:
 * the start can not be arranged so, see ret->what; -ENOTSUP: no coroutines.
 */
int interleave_run(struct slab_machine *m, const struct interleave *in,
		   struct interleave_result *ret);
/* One schedule, told to `out` step by step. */
int interleave_replay(struct slab_machine *m, const struct interleave *in,
		      const char *choices, FILE *out,
		      struct interleave_result *ret);
/*
 * The same as a script for `slabctl --cpus 2 --sysctl slab_max_order=0 -f`,
 * which stops CPUs where the schedule does. -ENOTSUP and one line that says
 * why: commands can not make that start. A comment says what of the schedule
 * they can not do.
 */
int interleave_script(struct slab_machine *m, const struct interleave *in,
		      const char *choices, FILE *out,
		      struct interleave_result *ret);
/* The schedule that runs now, from a signal handler; false: none does. */
bool interleave_running(char choices[INTERLEAVE_MAX_CHOICES + 3]);
/* "3 objects, min_partial 1, S1 2 used, ... | CPU 0 alloc; free S1 | ..." */
void interleave_describe(const struct interleave *in, char *buf, size_t size);

#endif
