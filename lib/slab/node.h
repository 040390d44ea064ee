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
	return slab->flags & SL_PARTIAL;
}

/*
 * The invariants of spec/allocator/invariants.md 7.1 and 7.2 for all of the
 * cache, nothing in progress: NULL, or what does not hold (a static text).
 * Damage done by users is no breach; callers check undamaged caches.
 */
const char *cache_check(struct kmem_cache *s);

#endif
