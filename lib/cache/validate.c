/* SPDX-License-Identifier: MIT */
/*
 * cache/validate.c - every check on every slab that a list leads to
 *
 * spec/debugging/checks.md 2.8. Full slabs are on a list only with
 * SLAB_STORE_USER; frozen ones on none.
 */
#include "cache/sheaf.h"

#include <errno.h>

#include "debug/lists.h"
#include "debug/report.h"
#include "machine/stack.h"
#include "slab/freelist.h"

static void check_slab_of_list(struct slab_view *v, unsigned long *free_map)
{
	machine_event(v->s->machine, SLAB_EVENT_VALIDATE, v->s, v->where, NULL,
		      0, 0);
	if (v->slab->type != PAGE_SLAB)
		report_slab(v, SLAB_REPORT_NOT_SLAB, NULL, 0, 0);
	else
		(void)check_validate_slab(v, free_map);
}

/*
 * Frees to a plain cache go on without list_lock, in threads: what is looked
 * at is the slab of one moment. Its chain stays as it was then, since frees
 * put objects before it and only holders of the lock take some off. What was
 * repaired counts if the slab is still that; else it is looked at again.
 */
static void check_moving_slab(struct slab_view *v, unsigned long *free_map)
{
	struct slab *slab = v->slab;
	struct freelist_counters was, now;
	struct slab copy;

	v->slab = &copy;
	do {
		do
			was = slab_read(slab);
		while (!slab_update_freelist(v->s, slab, &was, &was));
		copy = (struct slab){ .flags = slab_flags(slab),
				      .slab_cache = slab->slab_cache,
				      .freelist = was.freelist,
				      .counters = was.counters,
				      .type = slab->type,
				      .order = slab->order,
				      .node = slab->node,
				      .nr = slab->nr };
		check_slab_of_list(v, free_map);
		now.freelist = copy.freelist;
		now.counters = copy.counters;
	} while ((now.freelist != was.freelist ||
		  now.counters != was.counters) &&
		 !slab_update_freelist(v->s, slab, &was, &now));
}

static void validate_slab(struct kmem_cache *s, struct slab *slab,
			  unsigned long *free_map)
{
	struct slab_view v = view_live(s, slab);

	if (s->machine->is_native && !cache_is_debug(s))
		check_moving_slab(&v, free_map);
	else
		check_slab_of_list(&v, free_map);
}

static unsigned long validate_node(struct kmem_cache *s,
				   struct kmem_cache_node *n,
				   unsigned long *free_map)
{
	unsigned long partial = 0, full = 0, cleared = 0;
	struct freelist_counters now;
	struct slab *slab, *next;
	struct list_head lost_chain;

	list_init(&lost_chain);
	node_lock(s, n);
	lists_make_whole(s, n);
	list_for_each_entry_safe(slab, next, &n->partial, slab_list) {
		validate_slab(s, slab, free_map);
		partial++;
		now = slab_read(slab);
		if (!now.freelist && now.inuse == now.objects) {
			/* D11; but not onto a list that is still to be walked */
			node_remove_partial(s, n, slab);
			list_add(&slab->slab_list, &lost_chain);
			cleared++;
			partial--;
		}
	}
	if (partial != n->nr_partial)
		report_line(s->machine, SLAB_REPORT_PARTIAL_COUNT, s,
			    "SLUB %s: %lu partial slabs counted but counter=%lu",
			    s->name, partial, n->nr_partial);
	if (s->flags & SLAB_STORE_USER) {
		list_for_each_entry(slab, &n->full, slab_list) {
			validate_slab(s, slab, free_map);
			full++;
		}
		if (partial + cleared + full != n->nr_slabs)
			report_line(s->machine, SLAB_REPORT_SLABS_COUNT, s,
				    "SLUB: %s %lu slabs counted but counter=%lu",
				    s->name, partial + cleared + full,
				    n->nr_slabs);
	}
	while (!list_empty(&lost_chain)) {
		slab = list_first_entry(&lost_chain, struct slab, slab_list);
		list_del(&slab->slab_list);
		node_add_full(s, n, slab);
	}
	node_unlock(s, n);
	return partial + cleared + full;
}

long validate_slab_cache(struct kmem_cache *s)
{
	size_t bytes = BITMAP_BYTES(MAX_OBJS_PER_SLAB + 1);
	unsigned long *free_map = meta_alloc(s->machine, bytes);
	unsigned long count = 0;
	unsigned int nid;

	if (!free_map)
		return -ENOMEM;
	stack_know_bounds();
	for (nid = 0; nid < s->machine->config.nr_nodes; nid++)
		count += validate_node(s, s->node[nid], free_map);
	meta_free(s->machine, free_map, bytes);
	return (long)count;
}

int slab_cache_set_min_partial(struct kmem_cache *s, unsigned long min_partial)
{
	s->min_partial = min_partial;
	return 0;
}

int slab_cache_set_defrag_ratio(struct kmem_cache *s, unsigned int percent)
{
	if (percent > 100)
		return -ERANGE;
	s->remote_node_defrag_ratio = percent * 10;
	return 0;
}

void slab_cache_clear_stat(struct kmem_cache *s, unsigned int item)
{
	unsigned int cpu;

	if (item >= SLAB_NR_STATS || !s->stats)
		return;
	cpu_collect_counts(s);
	for (cpu = 0; cpu < s->machine->config.nr_cpus; cpu++)
		__atomic_store_n(&s->stats[cpu][item], 0, __ATOMIC_RELAXED);
}

int slab_cache_set_failslab(struct kmem_cache *s, bool on)
{
	if (s->refcount > 1)
		return -EINVAL;
	if (on)
		s->flags |= SLAB_FAILSLAB;
	else
		s->flags &= ~SLAB_FAILSLAB;
	if (s->machine->fast_changed)
		s->machine->fast_changed(s->machine);
	return 0;
}
