/* SPDX-License-Identifier: MIT */
/*
 * debug/lists.h - a node's lists, judged before they are touched
 *
 * A link that leads astray is reported once, the node's lists are made anew
 * (slab/links.c), and the move is made on those: 7.0 without hardened lists
 * writes through the link, with them it dies.
 *
 * Locking: list_lock. Cost: the descriptors that the move writes to anyway.
 */
#ifndef SLAB_DEBUG_LISTS_H
#define SLAB_DEBUG_LISTS_H

#include "slab/node.h"

/* Off the list it is on, partial or full; nothing for a slab on none. */
void lists_remove(struct kmem_cache *s, struct kmem_cache_node *n,
		  struct slab *slab);
/* Off its list, if it is on one, and onto this; the full list is there with
 * SLAB_STORE_USER only. */
void lists_add_partial(struct kmem_cache *s, struct kmem_cache_node *n,
		       struct slab *slab, enum list_end end);
void lists_add_full(struct kmem_cache *s, struct kmem_cache_node *n,
		    struct slab *slab);

/* Is it where its mark says? Afterwards it is. */
void lists_judge(struct kmem_cache *s, struct kmem_cache_node *n,
		 struct slab *slab);

/* The partial slab behind `slab`, NULL: the first; NULL at the end, and when
 * slab is not on the list any more. */
struct slab *lists_next_partial(struct kmem_cache *s, struct kmem_cache_node *n,
				struct slab *slab);

/* Judges both lists whole: whoever keeps the lock may then walk them. */
void lists_make_whole(struct kmem_cache *s, struct kmem_cache_node *n);

#endif
