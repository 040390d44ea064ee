/* SPDX-License-Identifier: MIT */
/*
 * cache/refill.c - many objects from the slabs at once
 *
 *	partial slabs of this node -> of other nodes -> new slabs
 *
 * Slabs are isolated (taken off the list) as far as their counts promise
 * enough, then each one's whole chain is grabbed by one exchange
 * (spec/allocator/alloc-free-paths.md 3.5). Frees may push to an isolated slab
 * all the time, so the counts are a lower bound, and what is too much goes
 * back as a chain.
 */
#include "cache/sheaf.h"

#include "debug/lists.h"
#include "debug/report.h"

/* ---- one slab ---- */

/* The slab was taken as full already: what its chain held is lost. */
static void report_chain(struct kmem_cache *s, struct slab *slab)
{
	struct slab_view v = view_live(s, slab);

	report_slab(&v, SLAB_REPORT_FREEPTR_SLAB, NULL, 0, 0);
	report_fix(&v, SLAB_FIX_FREELIST_CLEARED, NULL);
}

/* Can the next object of a chain be read? Reported when it leads astray. */
static bool may_follow(struct kmem_cache *s, struct slab *slab, void *object)
{
	struct slab_view v = view_live(s, slab);

	if (view_may_follow(&v, object))
		return true;
	report_chain(s, slab);
	return false;
}

/* What was grabbed too much, `cnt` objects from head on, is freed again. */
static void give_back(struct kmem_cache *s, struct slab *slab, void *head,
		      unsigned int cnt)
{
	void *tail = head;
	unsigned int i;

	for (i = 1; i < cnt; i++) {
		void *next = get_freepointer(s, tail);

		if (!may_follow(s, slab, next))
			break;
		tail = next;
	}
	slab_free_chain(s, slab, head, tail, i, 0);
}

/* T7: the whole chain of an isolated slab. */
static struct freelist_counters grab_chain(struct kmem_cache *s,
					   struct slab *slab)
{
	struct freelist_counters old, new;

	do {
		old = slab_read(slab);
		machine_point(s->machine, SLAB_POINT_FREELIST_READ);
		new.freelist = NULL;
		new.counters = old.counters;
		new.inuse = old.objects;
	} while (!slab_update_freelist(s, slab, &old, &new));
	return old;
}

static unsigned int grab(struct kmem_cache *s, struct slab *slab, void **p,
			 unsigned int max)
{
	struct freelist_counters was = grab_chain(s, slab);
	unsigned int nr = nr_on_chain(was), got = 0;
	void *object = was.freelist;

	/* damage: more in use than there are, and a chain all the same */
	if (!nr)
		report_chain(s, slab);

	while (got < MIN(nr, max)) {
		if (!may_follow(s, slab, object))
			return got;
		p[got++] = object;
		object = get_freepointer(s, object);
	}
	machine_event(s->machine, SLAB_EVENT_GRAB, s, slab, NULL, got, 0);
	if (got < nr && may_follow(s, slab, object))
		give_back(s, slab, object, nr - got);
	return got;
}

/* ---- one node ---- */
static bool lock_node(struct kmem_cache *s, struct kmem_cache_node *n,
		      bool spin)
{
	if (!spin)
		return machine_trylock(s->machine, &n->list_lock,
				       SLAB_POINT_LIST_LOCK);
	node_lock(s, n);
	return true;
}

/* Slabs with at least min and at most max free objects leave the list (T6);
 * the last one taken is the first of `slabs`. */
static bool isolate(struct kmem_cache *s, struct kmem_cache_node *n, gfp_t gfp,
		    unsigned int min, unsigned int max, struct list_head *slabs,
		    bool spin)
{
	struct slab *slab, *last = NULL;
	unsigned int total = 0;

	machine_point(s->machine, SLAB_POINT_NR_PARTIAL_PEEK);
	if (!__atomic_load_n(&n->nr_partial, __ATOMIC_RELAXED))
		return false;
	if (!lock_node(s, n, spin))
		return false;
	while ((slab = lists_next_partial(s, n, last))) {
		struct freelist_counters fc = slab_read(slab);
		unsigned int nr = nr_on_chain(fc);

		if (!slab_may_serve(s, slab, gfp)) {
			last = slab;
			continue;
		}
		/* frees come in between: at least so many */
		if (total >= min && total + nr > max)
			break;
		lists_remove(s, n, slab);
		machine_event(s->machine, SLAB_EVENT_ISOLATE, s, slab, NULL,
			      n->nr_partial, 0);
		list_add(&slab->slab_list, slabs);
		total += nr;
		if (total >= max)
			break;
	}
	node_unlock(s, n);
	machine_point(s->machine, SLAB_POINT_ISOLATED);
	return !list_empty(slabs);
}

/* T9 and T10: slabs that were not needed after all. */
static void put_leftovers(struct kmem_cache *s, struct kmem_cache_node *n,
			  struct list_head *slabs)
{
	struct list_head discard;
	struct slab *slab, *next;

	if (list_empty(slabs))
		return;
	list_init(&discard);
	node_lock(s, n);
	list_for_each_entry_safe(slab, next, slabs, slab_list) {
		list_del(&slab->slab_list);
		if (!slab_read(slab).inuse && n->nr_partial >= s->min_partial)
			list_add(&slab->slab_list, &discard);
		else
			lists_add_partial(s, n, slab, LIST_HEAD);
	}
	node_unlock(s, n);
	list_for_each_entry_safe(slab, next, &discard, slab_list) {
		list_del(&slab->slab_list);
		slab_count(s, slab, -1);
		slab_discard(s, slab);
	}
}

static unsigned int refill_from_node(struct kmem_cache *s, unsigned int nid,
				     void **p, gfp_t gfp, unsigned int min,
				     unsigned int max, bool spin)
{
	struct kmem_cache_node *n = s->node[nid];
	struct list_head slabs;
	unsigned int got = 0;

	list_init(&slabs);
	fork_gate_enter(s->machine);
	if (!isolate(s, n, gfp, min, max, &slabs, spin))
		goto out;
	while (got < max && !list_empty(&slabs)) {
		struct slab *slab = list_first_entry(&slabs, struct slab,
						     slab_list);

		list_del(&slab->slab_list);
		got += grab(s, slab, p + got, max - got);
	}
	put_leftovers(s, n, &slabs);
out:
	fork_gate_leave(s->machine);
	return got;
}

/* Nodes that have more slabs than they keep anyway, nearest first. */
static unsigned int refill_from_others(struct kmem_cache *s, void **p,
				       gfp_t gfp, unsigned int min,
				       unsigned int max)
{
	unsigned int nr_nodes = s->machine->config.nr_nodes, got = 0, i;
	unsigned int mem = machine_mem_node(s->machine), first;

	if (nr_nodes == 1 || !node_others_may_serve(s))
		return 0;
	first = machine_policy_node(s->machine);
	for (i = 0; i < nr_nodes && got < min; i++) {
		unsigned int nid = (first + i) % nr_nodes;

		if (nid == mem || !node_has_memory(s->machine, nid) ||
		    s->node[nid]->nr_partial <= s->min_partial)
			continue;
		got += refill_from_node(s, nid, p + got, gfp, min - got,
					max - got, false);
	}
	return got;
}

/* T1 and T2. */
static unsigned int take_from_new(struct kmem_cache *s, struct slab *slab,
				  void **p, unsigned int max)
{
	struct kmem_cache_node *n = slab_node(s, slab);
	unsigned int nr = MIN(max, (unsigned int)slab->objects), i;
	void *object = slab->freelist;

	for (i = 0; i < nr; i++) {
		p[i] = object;
		object = get_freepointer(s, object);
	}
	slab->freelist = object;
	slab->inuse = nr & 0xffff;
	machine_event(s->machine, SLAB_EVENT_GRAB, s, slab, NULL, nr, 0);
	if (object) {
		node_lock(s, n);
		lists_add_partial(s, n, slab, LIST_HEAD);
		node_unlock(s, n);
	}
	/* after the list, before any of the objects can come back */
	slab_count(s, slab, 1);
	return nr;
}

unsigned int refill_objects(struct kmem_cache *s, void **p, gfp_t gfp,
			    unsigned int min, unsigned int max)
{
	unsigned int nid = machine_mem_node(s->machine);
	unsigned int got = refill_from_node(s, nid, p, gfp, min, max, true);

	if (got < min)
		got += refill_from_others(s, p + got, gfp, min - got,
					  max - got);
	while (got < min) {
		struct slab *slab;

		slab_making_begin(s, gfp);
		slab = slab_new(s, gfp, (int)nid);
		if (slab) {
			stat(s, SLAB_STAT_ALLOC_SLAB);
			got += take_from_new(s, slab, p + got, max - got);
		}
		slab_making_end(s, gfp);
		if (!slab)
			break;
	}
	return got;
}
