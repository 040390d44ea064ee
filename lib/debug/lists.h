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
void lists_judge_slow(struct kmem_cache *s, struct kmem_cache_node *n,
		      struct slab *slab);

/* The partial slab behind `slab`, NULL: the first; NULL at the end, and when
 * slab is not on the list any more. */
struct slab *lists_next_partial(struct kmem_cache *s, struct kmem_cache_node *n,
				struct slab *slab);

/* Each free to a slab and each allocation from one ask, and links are whole as
 * a rule: what is seen at once here is asked no further. */
static inline bool lists_is_partial_link(const struct slab_machine *m,
					 const struct kmem_cache_node *n,
					 const struct list_head *link)
{
	const struct slab *slab = link_slab(m, link);

	return link == &n->partial || (slab && slab_is_partial(slab));
}

static inline bool lists_has_partial(const struct kmem_cache *s,
				     const struct kmem_cache_node *n,
				     const struct slab *slab)
{
	const struct list_head *at = &slab->slab_list;

	return slab_is_partial(slab) && at->next != at &&
	       lists_is_partial_link(s->machine, n, at->next) &&
	       lists_is_partial_link(s->machine, n, at->prev) &&
	       at->next->prev == at && at->prev->next == at;
}

static inline void lists_judge(struct kmem_cache *s, struct kmem_cache_node *n,
			       struct slab *slab)
{
	if (!lists_has_partial(s, n, slab))
		lists_judge_slow(s, n, slab);
}

/* The first partial slab; NULL where there is none, or none at once. */
static inline struct slab *lists_first_partial(const struct slab_machine *m,
					       const struct kmem_cache_node *n)
{
	const struct list_head *first = n->partial.next;
	uintptr_t off = (uintptr_t)first - offsetof(struct slab, slab_list) -
			(uintptr_t)m->memmap;
	unsigned long opened =
		__atomic_load_n(&m->pages_opened, __ATOMIC_RELAXED);

	if (off >= opened * sizeof(struct slab) || off % sizeof(struct slab) ||
	    first->prev != &n->partial)
		return NULL;
	return container_of(first, struct slab, slab_list);
}

/* Judges both lists whole: whoever keeps the lock may then walk them. */
void lists_make_whole(struct kmem_cache *s, struct kmem_cache_node *n);

#endif
