/* SPDX-License-Identifier: MIT */
/*
 * cache/shrink.c - empty slabs go, the fullest come first (slab-states.md 4.7)
 */
#include "cache/gone.h"
#include "cache/sheaf.h"

#include "debug/lists.h"
#include "slab/freelist.h"

#define SHRINK_PROMOTE_MAX 32U

static bool shrink_node(struct kmem_cache *s, struct kmem_cache_node *n)
{
	struct list_head by_free[SHRINK_PROMOTE_MAX], discard;
	struct slab *slab, *next;
	unsigned int i;

	list_init(&discard);
	for (i = 0; i < SHRINK_PROMOTE_MAX; i++)
		list_init(&by_free[i]);
	node_lock(s, n);
	lists_make_whole(s, n);
	list_for_each_entry_safe(slab, next, &n->partial, slab_list) {
		/* read once: frees go on without the lock */
		struct freelist_counters fc = slab_read(slab);
		unsigned int nr_free = fc.objects - fc.inuse;

		if (fc.inuse == 0) {
			node_remove_partial(s, n, slab);
			slab_count(s, slab, -1);
			list_add(&slab->slab_list, &discard);
		} else if (nr_free - 1 < SHRINK_PROMOTE_MAX) {
			list_move(&slab->slab_list, &by_free[nr_free - 1]);
		}
	}
	for (i = SHRINK_PROMOTE_MAX; i > 0; i--)
		list_splice(&by_free[i - 1], &n->partial);
	node_unlock(s, n);
	while (!list_empty(&discard)) {
		slab = list_first_entry(&discard, struct slab, slab_list);
		list_del(&slab->slab_list);
		slab_discard(s, slab);
	}
	return __atomic_load_n(&n->nr_slabs, __ATOMIC_RELAXED) != 0;
}

bool cache_shrink(struct kmem_cache *s)
{
	bool left = false;
	unsigned int nid;

	machine_event(s->machine, SLAB_EVENT_SHRINK, s, NULL, NULL, 0, 0);
	machine_catch_up(s->machine);
	flush_all_cpus(s);
	/* a barn may have objects of other nodes, so all of them come first */
	for (nid = 0; nid < s->machine->config.nr_nodes; nid++)
		flush_barn(s, nid);
	for (nid = 0; nid < s->machine->config.nr_nodes; nid++)
		left |= shrink_node(s, s->node[nid]);
	return left;
}

int kmem_cache_shrink(struct kmem_cache *s)
{
	struct slab_machine *m = s->machine;
	bool left;

	if (cache_is_gone(s)) {
		cache_say_gone(s, "kmem_cache_shrink()");
		return 0;
	}
	machine_lock(m, &m->cpus_lock, SLAB_POINT_CPUS_LOCK);
	left = cache_shrink(s);
	machine_unlock(m, &m->cpus_lock, SLAB_POINT_CPUS_UNLOCK);
	return left;
}
