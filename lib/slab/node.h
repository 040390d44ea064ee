/* SPDX-License-Identifier: MIT */
/*
 * slab/node.h - a node's lists of slabs
 *
 *	partial  slabs with a free object; the head is allocated from first
 *	full     slabs without; kept for SLAB_STORE_USER caches only
 *
 * Locking: list_lock for all of it but node_lock() itself.
 * Invariant: SL_partial is set exactly on the slabs of `partial`;
 *            nr_partial == its length.
 */
#ifndef SLAB_SLAB_NODE_H
#define SLAB_SLAB_NODE_H

#include "slab/slab.h"

static inline struct kmem_cache_node *slab_node(const struct kmem_cache *s,
						const struct slab *slab)
{
	unsigned int nid = slab->node;

	/* a damaged descriptor must not lead outside the table */
	return s->node[nid < s->machine->config.nr_nodes ? nid : 0];
}

static inline void node_lock(struct kmem_cache *s, struct kmem_cache_node *n)
{
	machine_lock(s->machine, &n->list_lock, SLAB_POINT_LIST_LOCK);
}

static inline void node_unlock(struct kmem_cache *s, struct kmem_cache_node *n)
{
	machine_unlock(s->machine, &n->list_lock, SLAB_POINT_LIST_UNLOCK);
}

enum list_end { LIST_HEAD, LIST_TAIL };

/*
 * The moves trust the links they touch. Who can not know that nothing was
 * overwritten goes through debug/lists.h, which judges them first.
 */
void node_add_partial(struct kmem_cache *s, struct kmem_cache_node *n,
		      struct slab *slab, enum list_end end);
void node_remove_partial(struct kmem_cache *s, struct kmem_cache_node *n,
			 struct slab *slab);
/* Both do nothing without SLAB_STORE_USER. */
void node_add_full(struct kmem_cache *s, struct kmem_cache_node *n,
		   struct slab *slab);
void node_remove_full(struct kmem_cache *s, struct kmem_cache_node *n,
		      struct slab *slab);

static inline bool slab_is_partial(const struct slab *slab)
{
	return slab_flags(slab) & SL_PARTIAL;
}

/* ---- links (slab/links.c) ---- */

/* The slab that a link stands in; NULL: in none of ours. */
static inline struct slab *link_slab(const struct slab_machine *m,
				     const struct list_head *link)
{
	uintptr_t off = (uintptr_t)link - (uintptr_t)m->memmap -
			offsetof(struct slab, slab_list);

	if (off % sizeof(struct slab) ||
	    off / sizeof(struct slab) >=
		    __atomic_load_n(&m->pages_opened, __ATOMIC_RELAXED))
		return NULL;
	return &m->memmap[off / sizeof(struct slab)];
}

/* On no list, and not a little: both links are its own. */
static inline bool slab_is_unlinked(const struct slab *slab)
{
	return slab->slab_list.next == &slab->slab_list &&
	       slab->slab_list.prev == &slab->slab_list;
}

static inline void slab_unlink(struct slab *slab)
{
	__atomic_fetch_and(&slab->flags, ~SL_PARTIAL, __ATOMIC_RELAXED);
	list_init(&slab->slab_list);
}

/* Which link leads astray, and a slab beside it; NULL: none is near. */
struct list_break {
	struct slab *slab;
	const struct list_head *link;
};

/* Does the link behind `at`, which is the list's head or a slab's that is on
 * it, lead on and back? */
bool node_step_holds(const struct kmem_cache *s, struct kmem_cache_node *n,
		     bool is_partial, const struct list_head *at,
		     struct list_break *ret);
/* Do the slab's links and mark agree with each other and its neighbours? */
bool node_slab_holds(const struct kmem_cache *s, struct kmem_cache_node *n,
		     struct slab *slab, struct list_break *ret);
/* Can something be put on that end of the list? */
bool node_end_holds(const struct kmem_cache *s, struct kmem_cache_node *n,
		    bool is_partial, enum list_end end, struct list_break *ret);
/* All of both lists. */
bool node_lists_hold(const struct kmem_cache *s, struct kmem_cache_node *n,
		     struct list_break *ret);
/*
 * Both lists as they lead from either end to where they break, their order
 * kept, and between that what the memory map knows and they do not reach:
 * slabs with SL_partial, and full ones of SLAB_STORE_USER caches. nr_partial
 * and SL_partial are right afterwards.
 */
void node_rebuild(struct kmem_cache *s, struct kmem_cache_node *n);

/*
 * The invariants of spec/allocator/invariants.md 7.1 and 7.2 for the node and
 * its slabs, nothing in progress: NULL, or what does not hold (a static text).
 * All of a cache: inspect/check.h.
 */
const char *node_check(struct kmem_cache *s, unsigned int nid);

#endif
