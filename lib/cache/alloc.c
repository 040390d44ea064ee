/* SPDX-License-Identifier: MIT */
/*
 * cache/alloc.c - one object: from a partial slab, or from a new one
 *
 *	kmem_cache_alloc -> failslab -> sheaves (pcs.c)
 *	                             -> partial slabs of this node, of others
 *	                             -> a new slab -> zero, poison off, out
 *
 * Paths: spec/allocator/alloc-free-paths.md 3.2 and 3.6 to 3.8.
 */
#include "cache/gone.h"
#include "cache/sheaf.h"

#include <errno.h>

#include "debug/asan.h"
#include "debug/failslab.h"
#include "debug/lists.h"
#include "debug/report.h"
#include "debug/track.h"
#include "slab/geometry.h"

/* list_lock; false: it is held, and who asks may not wait. */
static bool lock_node(struct kmem_cache *s, struct kmem_cache_node *n,
		      gfp_t gfp)
{
	if (!gfp_may_spin(gfp))
		return machine_trylock(s->machine, &n->list_lock,
				       SLAB_POINT_LIST_LOCK);
	node_lock(s, n);
	return true;
}

void slab_drop_bad_head(struct kmem_cache *s, struct kmem_cache_node *n,
			struct slab *slab)
{
	struct slab_view v = view_live(s, slab);

	report_slab(&v, SLAB_REPORT_FREEPTR_SLAB, NULL, 0, 0);
	slab->freelist = NULL;
	slab->inuse = slab->objects;
	report_fix(&v, SLAB_FIX_FREELIST_CLEARED, NULL);
	slab_drop_freelist(s, n, slab);
}

void slab_drop_freelist(struct kmem_cache *s, struct kmem_cache_node *n,
			struct slab *slab)
{
	if (!slab_is_partial(slab) || slab->freelist)
		return;
	lists_remove(s, n, slab);
	lists_add_full(s, n, slab);
}

/* Plain caches: pop by compare-exchange, since frees do not take the lock. */
static void *plain_alloc_from_partial(struct kmem_cache *s,
				      struct kmem_cache_node *n,
				      struct slab *slab)
{
	struct slab_view v = view_live(s, slab);
	struct freelist_counters old, new;
	void *object;

	do {
		old = slab_read(slab);
		machine_point(s->machine, SLAB_POINT_FREELIST_READ);
		object = old.freelist;
		if (!view_may_follow(&v, object)) {
			slab_drop_bad_head(s, n, slab);
			return NULL;
		}
		new.freelist = get_freepointer(s, object);
		new.counters = old.counters;
		new.inuse++;
	} while (!slab_update_freelist(s, slab, &old, &new));
	machine_event(s->machine, SLAB_EVENT_POP, s, slab, object, new.inuse,
		      0);
	if (!new.freelist)
		lists_remove(s, n, slab);
	return object;
}

static void *alloc_from_node(struct kmem_cache *s, unsigned int nid, gfp_t gfp,
			     size_t orig_size)
{
	struct kmem_cache_node *n = s->node[nid];
	struct slab *slab, *last = NULL;
	void *object = NULL;

	machine_point(s->machine, SLAB_POINT_NR_PARTIAL_PEEK);
	if (!__atomic_load_n(&n->nr_partial, __ATOMIC_RELAXED))
		return NULL;
	if (!lock_node(s, n, gfp))
		return NULL;
	while ((slab = lists_next_partial(s, n, last))) {
		if (!slab_may_serve(s, slab, gfp)) {
			last = slab;
			continue;
		}
		object = cache_is_debug(s) ?
				 debug_alloc_from_partial(s, n, slab,
							  orig_size) :
				 plain_alloc_from_partial(s, n, slab);
		if (object)
			break;
		/* what gave nothing left the list, as a rule */
		if (slab_is_partial(slab))
			last = slab;
	}
	node_unlock(s, n);
	return object;
}

bool node_others_may_serve(struct kmem_cache *s)
{
	return s->remote_node_defrag_ratio &&
	       random_below(&s->machine->random, 1024) <=
		       s->remote_node_defrag_ratio;
}

/* 3.7: the wanted node, then others that can spare slabs. */
static void *alloc_from_partial(struct kmem_cache *s, gfp_t gfp, int node,
				size_t orig_size)
{
	struct slab_machine *m = s->machine;
	unsigned int tried = node < 0 ? machine_mem_node(m) :
					(unsigned int)node;
	unsigned int nr_nodes = m->config.nr_nodes, first, i;
	void *object = alloc_from_node(s, tried, gfp, orig_size);

	if (object || nr_nodes == 1 || (node >= 0 && (gfp & __GFP_THISNODE)) ||
	    !node_others_may_serve(s))
		return object;
	first = machine_policy_node(m);
	for (i = 0; i < nr_nodes && !object; i++) {
		unsigned int nid = (first + i) % nr_nodes;

		if (nid != tried && node_has_memory(m, nid) &&
		    s->node[nid]->nr_partial > s->min_partial)
			object = alloc_from_node(s, nid, gfp, orig_size);
	}
	return object;
}

/* T1 to T3: one object, the rest to the head of its node's list. */
static void *plain_alloc_from_new(struct kmem_cache *s, struct slab *slab,
				  gfp_t gfp)
{
	struct kmem_cache_node *n = slab_node(s, slab);
	void *object = slab->freelist;

	slab->freelist = get_freepointer(s, object);
	slab->inuse = 1;
	machine_event(s->machine, SLAB_EVENT_POP, s, slab, object, 1, 0);
	if (slab->freelist) {
		if (!lock_node(s, n, gfp)) {
			slab_free_pages(s, slab);
			return NULL;
		}
		lists_add_partial(s, n, slab, LIST_HEAD);
		node_unlock(s, n);
	}
	slab_count(s, slab, 1);
	return object;
}

static void out_of_memory(struct kmem_cache *s, gfp_t gfp, int node)
{
	struct slab_machine *m = s->machine;
	unsigned int nid;

	if (gfp & __GFP_NOWARN)
		return;
	report_note(m,
		    "SLUB: Unable to allocate memory on CPU %u (of node %u) on node %d, gfp=%#x",
		    machine_cpu(m), machine_node(m), node, gfp);
	report_note(m,
		    "  cache: %s, object size: %u, buffer size: %u, default order: %u, min order: %u",
		    s->name, s->object_size, s->size, s->oo.order,
		    s->min.order);
	if (s->min.order > get_order(s->object_size))
		report_note(m,
			    "  %s debugging increased min order, use slab_debug=O to disable.",
			    s->name);
	for (nid = 0; nid < m->config.nr_nodes; nid++) {
		struct kmem_cache_node *n = s->node[nid];
		unsigned long nr_free = 0;
		struct slab *slab;

		if (!lock_node(s, n, gfp))
			continue;
		lists_make_whole(s, n);
		list_for_each_entry(slab, &n->partial, slab_list)
			nr_free += nr_on_chain(slab_read(slab));
		node_unlock(s, n);
		report_note(m, "  node %u: slabs: %lu, objs: %lu, free: %lu",
			    nid,
			    __atomic_load_n(&n->nr_slabs, __ATOMIC_RELAXED),
			    __atomic_load_n(&n->total_objects,
					    __ATOMIC_RELAXED),
			    nr_free);
	}
}

#define MAX_SPOILT_SLABS 8

/* 3.6. */
void *slow_alloc(struct kmem_cache *s, gfp_t gfp, int node, size_t orig_size)
{
	bool try_thisnode = node >= 0 && !(gfp & __GFP_THISNODE);
	unsigned int tries = 0;
	struct slab *slab;
	void *object;

	stat(s, SLAB_STAT_ALLOC_SLOWPATH);
	if (gfp_may_spin(gfp))
		machine_catch_up(s->machine);
	for (;;) {
		gfp_t eff = gfp;

		/* a cheap look at the wanted node before anything dear */
		if (try_thisnode)
			eff = (gfp_may_spin(gfp) ? GFP_NOWAIT : gfp) |
			      __GFP_THISNODE;
		object = alloc_from_partial(s, eff, node, orig_size);
		if (object)
			return object;
		slab_making_begin(s, gfp);
		slab = slab_new(s, eff, node);
		if (!slab) {
			slab_making_end(s, gfp);
			if (try_thisnode) {
				try_thisnode = false;
				continue;
			}
			out_of_memory(s, gfp, node);
			return NULL;
		}
		stat(s, SLAB_STAT_ALLOC_SLAB);
		object = cache_is_debug(s) ?
				 debug_alloc_from_new(s, slab, orig_size, gfp) :
				 plain_alloc_from_new(s, slab, gfp);
		slab_making_end(s, gfp);
		/* a constructor that overflows spoils every slab there is */
		if (object || !gfp_may_spin(gfp) || ++tries == MAX_SPOILT_SLABS)
			return object;
	}
}

/* 9.3: is the payload cleared, and how much of it? */
static bool wants_zero(const struct kmem_cache *s, gfp_t gfp)
{
	if (gfp & __GFP_ZERO)
		return true;
	return s->machine->params.init_on_alloc && !s->ctor &&
	       !(s->flags & (SLAB_TYPESAFE_BY_RCU | SLAB_POISON));
}

static size_t zero_size(const struct kmem_cache *s, size_t orig_size)
{
	/* the red zone behind a smaller request stays */
	if ((s->flags & SLAB_KMALLOC) &&
	    (s->flags & (SLAB_RED_ZONE | SLAB_STORE_USER)))
		return MIN(orig_size, (size_t)s->object_size);
	return s->object_size;
}

void slab_handed_out(struct kmem_cache *s, void *object, gfp_t gfp,
		     uintptr_t caller, size_t orig_size)
{
	struct slab_machine *m = s->machine;

	SLAB_SAY_GOT(object);
	if (s->flags & SLAB_STORE_USER) {
		uintptr_t addr;
		uint32_t handle = track_prepare(m, caller, &addr);

		track_set(s, object, TRACK_ALLOC, addr, handle);
	}
	if (m->params.init_on_free && !freeptr_is_outside(s))
		word_write((char *)object + s->offset, 0);
	if (wants_zero(s, gfp))
		bytes_fill(object, 0, zero_size(s, orig_size));
	asan_object_alloc(s, object, orig_size);
	machine_event_object(m, SLAB_EVENT_ALLOC, s, object, 0, 0);
}

void *slab_alloc(struct kmem_cache *s, gfp_t gfp, int node, uintptr_t caller,
		 size_t orig_size)
{
	if (s->debug_is_short)
		return debug_alloc_one(s, gfp, node, caller, orig_size);
	return slab_alloc_long(s, gfp, node, caller, orig_size);
}

void *slab_alloc_long(struct kmem_cache *s, gfp_t gfp, int node,
		      uintptr_t caller, size_t orig_size)
{
	struct slab_machine *m = s->machine;
	void *object;

	if (cache_is_gone(s)) {
		cache_say_gone(s, "kmem_cache_alloc()");
		return NULL;
	}
	if (failslab_should_fail(s, gfp, caller)) {
		machine_event(m, SLAB_EVENT_FAIL_INJECTED, s, NULL, NULL, 0, 0);
		errno = ENOMEM;
		return NULL;
	}
	if (node >= (int)m->config.nr_nodes)
		node = NUMA_NO_NODE;
	node = machine_strict_node(m, node);
	object = alloc_from_pcs(s, gfp, node);
	if (!object)
		object = slow_alloc(s, gfp, node, orig_size);
	if (!object) {
		machine_event(m, SLAB_EVENT_ALLOC_FAIL, s, NULL, NULL, 0, 0);
		errno = ENOMEM;
		return NULL;
	}
	slab_handed_out(s, object, gfp, caller, orig_size);
	return object;
}

void *kmem_cache_alloc(struct kmem_cache *s, gfp_t gfp)
{
	void *object;

	if (__builtin_expect(!slab_fast_pop(&s->fast, &object), 0))
		return slab_alloc(s, gfp, NUMA_NO_NODE, CALLER,
				  s->object_size);
	if (gfp & __GFP_ZERO)
		bytes_fill(object, 0, s->object_size);
	return object;
}

void *kmem_cache_alloc_node(struct kmem_cache *s, gfp_t gfp, int node)
{
	return slab_alloc(s, gfp, node, CALLER, s->object_size);
}

void *kmem_cache_alloc_orig(struct kmem_cache *s, gfp_t gfp, size_t orig_size)
{
	if (orig_size > s->object_size) {
		errno = EINVAL;
		return NULL;
	}
	return slab_alloc(s, gfp, NUMA_NO_NODE, CALLER, orig_size);
}
