/* SPDX-License-Identifier: MIT */
/*
 * tests/stress/stress.h - threads that share objects, each with a token in it
 *
 *	worker --alloc--> its slots --exchange--> shared slots --> any worker
 *	                                                     `--free-- checks
 *
 * What is handed out gets a token over all of its bytes and a bit in a map of
 * all addresses. Handed out twice: the bit is set. Touched by the allocator or
 * by another owner: the token does not fit. Lost: a count of the cache's own
 * structures differs from ours. Whatever is wrong ends the program with the
 * seed and what the thread was doing.
 */
#ifndef TESTS_STRESS_STRESS_H
#define TESTS_STRESS_STRESS_H

#include <pthread.h>
#include <slab/kmalloc.h>
#include <slab/machine.h>
#include <stdatomic.h>

#include "base/random.h"

#define MAX_WORKERS 64U
#define MY_SLOTS    96U
#define SHARED_SLOTS 1024U
#define HANDLER_SLOTS 24U
#define MAX_KINDS   16U

struct options {
	unsigned long ops; /* allocations and frees, of all together */
	unsigned int threads, rounds;
	uint64_t seed;
	bool no_rseq, no_cmpxchg, debug;
	bool signals, flips, forks, limits, failslab, rcu;
	bool drains; /* one thread does nothing else */
	size_t kept; /* bytes that a CPU may keep of a cache; 0: as many as it does */
	unsigned int patience; /* seconds without one operation */
};
extern struct options options;
extern struct slab_machine *machine;

/* What objects come from: a cache, or kmalloc of one class. */
struct kind {
	const char *name;
	struct kmem_cache *s;
	unsigned int size; /* bytes that get a token */
	bool is_kmalloc;
	unsigned int weight; /* how often it is asked for */
	atomic_long live;    /* in our hands */
};
extern struct kind kinds[MAX_KINDS];
extern unsigned int nr_kinds;

/* An object and what it is; both words travel as one through `shared`. */
struct held {
	void *p;
	struct kind *kind; /* NULL: nothing here */
};

struct worker {
	struct random random;
	unsigned int nr;
	pthread_t thread;
	struct held slots[MY_SLOTS];
	/* its handler's, which nobody else touches */
	void *handled[HANDLER_SLOTS];
	struct random handler_random;
	atomic_ulong done; /* operations */
	const char *volatile doing;
	unsigned long quota;
	atomic_ulong handler_runs, handler_got;
};
extern struct worker workers[MAX_WORKERS];
/* NULL in threads that are none */
extern _Thread_local struct worker *me;

/* ---- token.c ---- */
void tokens_init(void);
/* Just handed out: nobody else may have it. */
void token_put(void *p, unsigned int size);
/* About to be freed: still what token_put() wrote. */
void token_take(void *p, unsigned int size);
/* Of size bytes, and nothing changes. */
void token_check(const void *p, unsigned int size);
/* Nothing is handed out; how many bits are set. */
unsigned long tokens_left(void);
/* Async-signal-safe; ends the program. */
_Noreturn void fail(const char *what, const void *at, unsigned long found,
		    unsigned long wanted);

/* ---- operations.c ---- */
void operations_run(struct worker *w, unsigned long quota);
/* Gives everything back. */
void operations_end(struct worker *w);
void shared_end(void);
struct kind *kind_any(struct random *r);
void kind_free(struct kind *k, void *p);

/* ---- disturb.c ---- */
/* For the thread that calls. */
void disturb_begin(struct worker *w);
void disturb_end(struct worker *w);
/* What a handler still has goes back. */
void handled_end(struct worker *w);
/* Now and then, between operations. */
void disturb_sometimes(struct worker *w);
/* A thread of its own: limits come and go until it is told to stop. */
void *disturb_machine(void *stop);
extern atomic_ulong nr_flips, nr_forks, nr_limits, nr_handled;

#endif
