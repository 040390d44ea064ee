/* SPDX-License-Identifier: MIT */
/* slab/node.c - list moves, and the invariants of a cache's lists */
#include "slab/node.h"

#include "slab/freelist.h"

void node_add_partial(struct kmem_cache *s, struct kmem_cache_node *n,
		      struct slab *slab, enum list_end end)
{
	machine_point(s->machine, SLAB_POINT_LIST_CHANGE);
	__atomic_store_n(&n->nr_partial, n->nr_partial + 1, __ATOMIC_RELAXED);
	if (end == LIST_TAIL)
		list_add_tail(&slab->slab_list, &n->partial);
	else
		list_add(&slab->slab_list, &n->partial);
	__atomic_fetch_or(&slab->flags, SL_PARTIAL, __ATOMIC_RELAXED);
	machine_event(s->machine, SLAB_EVENT_LIST_ADD_PARTIAL, s, slab, NULL,
		      n->nr_partial, end);
}

void node_remove_partial(struct kmem_cache *s, struct kmem_cache_node *n,
			 struct slab *slab)
{
	machine_point(s->machine, SLAB_POINT_LIST_CHANGE);
	list_del(&slab->slab_list);
	__atomic_fetch_and(&slab->flags, ~SL_PARTIAL, __ATOMIC_RELAXED);
	__atomic_store_n(&n->nr_partial, n->nr_partial - 1, __ATOMIC_RELAXED);
	machine_event(s->machine, SLAB_EVENT_LIST_REMOVE_PARTIAL, s, slab,
		      NULL, n->nr_partial, 0);
}

void node_add_full(struct kmem_cache *s, struct kmem_cache_node *n,
		   struct slab *slab)
{
	if (!(s->flags & SLAB_STORE_USER))
		return;
	machine_point(s->machine, SLAB_POINT_LIST_CHANGE);
	list_add(&slab->slab_list, &n->full);
	machine_event(s->machine, SLAB_EVENT_LIST_ADD_FULL, s, slab, NULL, 0,
		      0);
}

void node_remove_full(struct kmem_cache *s, struct kmem_cache_node *n,
		      struct slab *slab)
{
	(void)n;
	if (!(s->flags & SLAB_STORE_USER))
		return;
	machine_point(s->machine, SLAB_POINT_LIST_CHANGE);
	list_del(&slab->slab_list);
	machine_event(s->machine, SLAB_EVENT_LIST_REMOVE_FULL, s, slab, NULL,
		      0, 0);
}

/* S1 to S3 and S10 for one slab: NULL or what does not hold. */
static const char *slab_check(const struct kmem_cache *s,
			      const struct slab *slab)
{
	uintptr_t base = slab_base(s->machine, slab);
	void *p = slab->freelist;
	unsigned int nr = 0;

	if (slab->slab_cache != s)
		return "S6: slab_cache is the list's cache";
	if (slab->inuse > slab->objects)
		return "S1: inuse <= objects";
	if (slab->objects != slab_max_objects(s, slab))
		return "S1: objects is what fits the slab's order";
	if (slab->frozen)
		return !p && slab->inuse == slab->objects &&
				       !slab_is_partial(slab) &&
				       (s->flags & SLAB_CONSISTENCY_CHECKS) ?
			       NULL :
			       "S10: frozen means full, unlisted, checked";
	while (p) {
		if (!is_object_of(s, base, slab->objects, p))
			return "S2: every link is an object of the slab";
		if (++nr > slab->objects)
			return "S2: the free chain ends";
		p = get_freepointer(s, p);
	}
	if (nr + slab->inuse != slab->objects)
		return "S2: free chain length == objects - inuse";
	if (!slab->freelist != (slab->inuse == slab->objects))
		return "S3: freelist is NULL when all objects are in use";
	return NULL;
}

const char *node_check(struct kmem_cache *s, unsigned int nid)
{
	struct kmem_cache_node *n = s->node[nid];
	unsigned long partial = 0, full = 0, slabs = 0, objects = 0, pfn;
	struct list_break unused;
	const char *broken;
	struct slab *slab;

	if (!node_lists_hold(s, n, &unused))
		return "S8: lists lead forth and back through marked slabs";
	list_for_each_entry(slab, &n->partial, slab_list) {
		if (++partial > n->nr_partial)
			return "S7: nr_partial == length of partial";
		if (!slab->freelist)
			return "S5: slabs on partial have a free object";
		if (slab->node != nid)
			return "S6: slabs are on the list of their node";
	}
	if (partial != n->nr_partial)
		return "S7: nr_partial == length of partial";
	list_for_each_entry(slab, &n->full, slab_list) {
		if (!(s->flags & SLAB_STORE_USER))
			return "S9: only SLAB_STORE_USER has a full list";
		if (slab->freelist || slab->inuse != slab->objects)
			return "S9: slabs on full are full";
		if (++full > n->nr_slabs)
			return "N4: full list no longer than nr_slabs";
	}
	for (pfn = 0; pfn < s->machine->pages_opened; pfn++) {
		slab = &s->machine->memmap[pfn];
		if (slab->type != PAGE_SLAB || slab->slab_cache != s ||
		    slab->node != nid)
			continue;
		broken = slab_check(s, slab);
		if (broken)
			return broken;
		slabs++;
		objects += slab->objects;
		if (slab_is_partial(slab))
			partial--;
		else if (!slab->frozen && slab->inuse != slab->objects)
			return "S11: no slab is isolated";
		else if (!slab->frozen && (s->flags & SLAB_STORE_USER))
			full--;
	}
	if (partial || full)
		return "S8: a slab is on one list, and every slab is found";
	if (slabs != n->nr_slabs)
		return "N1: nr_slabs == number of slabs";
	if (objects != n->total_objects)
		return "N2: total_objects == sum of objects";
	return NULL;
}
