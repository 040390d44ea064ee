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

/* "free S1" */
void interleave_op_text(unsigned int op, unsigned int arg, char *buf,
			size_t size);

/* Of the class that the cache stands for. */
#define WORLD_KMALLOC 8U
#define WORLD_PAGES   16U /* slabs are single pages, lowest first */
#define WORLD_SLOTS   8U

/* Of one page, at the last look. */
struct seen {
	bool is_slab, is_listed, is_kept; /* kept: listed and empty */
	bool is_new; /* was on no list yet, and has free objects */
	unsigned int nr, inuse;
	unsigned long nr_partial; /* when it became one that is kept */
};

/* Objects that an operation let go and got, by page and slot. */
struct world_hands {
	unsigned int nr_gone, nr_got;
	struct {
		uint8_t page, slot;
	} gone[WORLD_SLOTS], got[WORLD_SLOTS];
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
	bool may_lack_memory;	     /* a failure was injected */
	bool is_dying, is_destroyed; /* in a step */
	unsigned int nr_reports;
	char report[100];
	unsigned int at; /* the thread that runs */
	struct world_hands hands[INTERLEAVE_THREADS];
};

struct world {
	struct slab_machine *m;
	struct kmem_cache *s;
	const struct interleave *in;
	unsigned int page_of[INTERLEAVE_SLABS]; /* 0: no such slab at first */
	unsigned int threads;
	size_t meta_before; /* used without the cache */
	size_t meta_rest;   /* with it, but without its sheaves */
	size_t sheaf_piece; /* that a sheaf takes of it */
	struct world_state state;
	struct image *image;
	char why[120]; /* what is broken, in numbers */
};

/* ---- objects ---- */
static inline unsigned int world_page(const struct world *w, const void *object)
{
	return (unsigned int)(((uintptr_t)object - w->m->base) >> PAGE_SHIFT);
}

static inline unsigned int world_slot(const struct world *w, const void *object)
{
	return (unsigned int)(((uintptr_t)object % PAGE_SIZE -
			       w->s->red_left_pad) /
			      w->s->size);
}

static inline void *world_object(const struct world *w, unsigned int page,
				 unsigned int slot)
{
	return (void *)slab_object(
		w->s, w->m->base + ((uintptr_t)page << PAGE_SHIFT), slot);
}

/* A user has it from now on; NULL, or what is broken. */
const char *world_hold(struct world *w, void *object);
/* An object goes to kfree_rcu(); that call is over, and barriers from now on
 * must wait for it; the machine's event hook, which sees it freed. */
void world_give_rcu(struct world *w, void *object);
void world_gave_rcu(struct world *w, const void *object);
void world_now_free(void *arg, const struct slab_event *event);

/* ---- the world ---- */
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
const char *world_step(struct world *w, unsigned int thread, unsigned int op,
		       unsigned int arg);
/* The sheaves of that CPU are locked. */
bool world_is_locked(const struct world *w,
		     const struct slub_percpu_sheaves *pcs);
/* What a thread waits for is free now. */
bool world_is_free(const struct world *w, const struct slab_lock *lock);
/* destroy was called in a step, and was right. */
bool world_is_gone(const struct world *w);
/* "1:3 2:0": each slab's page and inuse. */
void world_slabs(const struct world *w, char *buf, size_t size);
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
