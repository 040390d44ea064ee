/* SPDX-License-Identifier: MIT */
/*
 * inject/interleave_world.h - what an interleaving starts from and works on
 *
 * One cache on a machine of its own, arranged once; every schedule starts by
 * copying that state back. Users' objects are bits of a table that all threads
 * share, so that any of them may free what another one allocated.
 */
#ifndef SLAB_INJECT_INTERLEAVE_WORLD_H
#define SLAB_INJECT_INTERLEAVE_WORLD_H

#include "cache/sheaf.h"
#include "inject/interleave.h"

#define WORLD_PAGES 16U /* slabs are single pages, lowest first */
#define WORLD_SLOTS 8U

/* Of one page, at the last look. */
struct seen {
	bool is_slab, is_listed, is_kept; /* kept: listed and empty */
	unsigned int inuse;
	unsigned long nr_partial; /* when it became one that is kept */
};

/* Goes back to its start with the machine. */
struct world_state {
	uint8_t held[WORLD_PAGES];    /* a bit an object that a user holds */
	uint8_t waiting[WORLD_PAGES]; /* kfree_rcu'd and not freed yet */
	unsigned int given[WORLD_PAGES]
			  [WORLD_SLOTS]; /* by which kfree_rcu, from 1 */
	unsigned int nr_given;
	struct slab_sheaf *lent[INTERLEAVE_THREADS];
	struct seen seen[WORLD_PAGES];
	/* to which slab a thread frees: its page and number; 0: to none */
	struct {
		unsigned int page, nr;
	} frees[INTERLEAVE_THREADS];
	bool may_lack_memory; /* a failure was injected */
	unsigned int nr_reports;
	char report[100];
};

struct world {
	struct slab_machine *m;
	struct kmem_cache *s;
	const struct interleave *in;
	unsigned int page_of[INTERLEAVE_SLABS]; /* 0: no such slab at first */
	unsigned int threads;
	size_t meta_before; /* used without the cache */
	struct world_state state;
	struct image *image;
	char why[120]; /* what is broken, in numbers */
};

/* 0, or -errno with why. */
int world_open(struct world *w, struct slab_machine *m,
	       const struct interleave *in);
void world_close(struct world *w);
/* What it is now is the start; -ENOMEM. */
int world_keep(struct world *w);
void world_restore(struct world *w);
/* Sheaves that were made and not freed. */
unsigned long world_containers(const struct world *w);
/* One step of a thread; NULL or what is broken. */
const char *world_step(struct world *w, unsigned int thread, unsigned int step);
/* The thread is about to touch the slab that it frees to, if it does. */
const char *world_touches(const struct world *w, unsigned int thread);
/* All threads are done: users give everything back, the cache is destroyed. */
const char *world_end(struct world *w);

/*
 * NULL, or the invariant that does not hold: of what no lock protects now;
 * is_quiet: nothing is in progress either. Once after each step: it compares
 * with what it saw before.
 */
const char *world_check(struct world *w, bool is_quiet);
/* The same after a step that was judged in another schedule: remembers alone
 * what the next look compares with. */
void world_watch(struct world *w);

#endif
