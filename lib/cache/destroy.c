/* SPDX-License-Identifier: MIT */
/*
 * cache/destroy.c - the last reference goes; what is left is reported
 *
 * spec/debugging/checks.md 2.11. A cache with objects left is taken off the
 * machine's list and leaked with its slabs, as in 7.0.
 */
#include "cache/sheaf.h"

#include <errno.h>
#include <string.h>

#include "debug/lists.h"
#include "debug/report.h"
#include "machine/stack.h"

/* Empties go, the others speak; true when some are left. */
static bool shutdown_node(struct kmem_cache *s, struct kmem_cache_node *n)
{
	struct list_head empty;
	struct slab *slab, *next;

	list_init(&empty);
	node_lock(s, n);
	lists_make_whole(s, n);
	list_for_each_entry_safe(slab, next, &n->partial, slab_list) {
		if (!slab->inuse) {
			node_remove_partial(s, n, slab);
			list_add(&slab->slab_list, &empty);
		} else {
			struct slab_view v = view_live(s, slab);

			report_remaining(&v);
		}
	}
	node_unlock(s, n);
	while (!list_empty(&empty)) {
		slab = list_first_entry(&empty, struct slab, slab_list);
		list_del(&slab->slab_list);
		slab_count(s, slab, -1);
		slab_discard(s, slab);
	}
	return n->nr_partial || n->nr_slabs;
}

/* Before what is left is listed: some of it may be free. */
static void say_unreached(struct kmem_cache *s)
{
	struct slab_machine *m = s->machine;
	unsigned int cpu = __atomic_load_n(&m->unreached_cpu, __ATOMIC_RELAXED);

	if (cpu)
		report_note(m, "kmem_cache_destroy %s: sheaves of CPU %u can not be reached, for membarrier() and sched_setaffinity() are both refused (a sandbox): objects that were freed there count as in use",
			    s->name, cpu - 1);
}

bool cache_shutdown(struct kmem_cache *s)
{
	bool left = false;
	unsigned int nid;

	__atomic_store_n(&s->machine->unreached_cpu, 0, __ATOMIC_RELAXED);
	flush_all_cpus(s);
	say_unreached(s);
	/* callbacks put sheaves into barns: before those are emptied. Threads
	 * that read may wait for slab_mutex, so nothing waits for them here; a
	 * sheaf of who frees to the end keeps its slabs, and so the cache */
	if (s->sheaf_capacity && !s->machine->is_native)
		slab_machine_rcu_barrier(s->machine);
	/* a barn may have objects of other nodes, so all of them come first */
	for (nid = 0; nid < s->machine->config.nr_nodes; nid++)
		flush_barn(s, nid);
	for (nid = 0; nid < s->machine->config.nr_nodes; nid++)
		left |= shutdown_node(s, s->node[nid]);
	return left;
}

/* The next request of its class makes a new one. */
static void forget_kmalloc_class(struct slab_machine *m,
				 const struct kmem_cache *s)
{
	unsigned int type, class;

	for (type = 0; type < ARRAY_SIZE(m->kmalloc); type++)
		for (class = 0; class < ARRAY_SIZE(m->kmalloc[0]); class++)
			if (m->kmalloc[type][class] == s)
				__atomic_store_n(&m->kmalloc[type][class],
						 NULL, __ATOMIC_RELEASE);
}

/* kfree_nolock's, of every CPU. */
static void run_all_deferred(struct slab_machine *m)
{
	unsigned int here = m->cpu, cpu;

	if (machine_has_signals(m)) {
		machine_run_irq_work(m);
		return;
	}
	for (cpu = 0; cpu < m->config.nr_cpu_ids; cpu++) {
		m->cpu = cpu;
		if (m->deferred[cpu])
			machine_run_irq_work(m);
	}
	m->cpu = here;
}

/* Names of functions are allocated: no lock is held. */
static void say_what_is_left(struct kmem_cache *s, uintptr_t caller)
{
	struct slab_machine *m = s->machine;
	char symbol[128];

	slab_symbol(m, m->site ? m->site : caller, symbol, sizeof(symbol));
	report_warn(m, SLAB_REPORT_STILL_OBJECTS, false, s, NULL,
		    "kmem_cache_destroy %s: Slab cache still has objects when called from %s",
		    s->name, symbol);
}

int kmem_cache_destroy(struct kmem_cache *s)
{
	struct slab_machine *m;
	uintptr_t caller = CALLER;
	unsigned long slabs = 0;
	unsigned int nid;
	bool left;

	if (!s)
		return 0;
	m = s->machine;
	if (!machine_has_live_cache(m, s))
		return -EINVAL;
	stack_know_bounds();
	/* what kfree_rcu still holds comes home first */
	kvfree_rcu_barrier_on_cache(s);
	run_all_deferred(m);
	machine_lock(m, &m->cpus_lock, SLAB_POINT_CPUS_LOCK);
	machine_lock_caches(m);
	if (!machine_has_live_cache(m, s)) {
		machine_unlock_caches(m);
		machine_unlock(m, &m->cpus_lock, SLAB_POINT_CPUS_UNLOCK);
		return -EINVAL;
	}
	s->is_going = false;
	if (--s->refcount > 0) {
		machine_unlock_caches(m);
		machine_unlock(m, &m->cpus_lock, SLAB_POINT_CPUS_UNLOCK);
		return 0;
	}
	left = cache_shutdown(s);
	for (nid = 0; nid < m->config.nr_nodes; nid++)
		slabs += s->node[nid]->nr_slabs;
	list_del(&s->list);
	/* what is left can still be freed, and belongs to somebody */
	s->is_leaked = left;
	if (left)
		list_add(&s->list, &m->leaked_caches);
	else
		s->self = NULL;
	forget_kmalloc_class(m, s);
	machine_unlock_caches(m);
	machine_unlock(m, &m->cpus_lock, SLAB_POINT_CPUS_UNLOCK);
	if (left)
		say_what_is_left(s, caller);
	machine_event(m, SLAB_EVENT_CACHE_GONE, s, NULL, NULL, slabs, 0);
	if (left)
		return -EBUSY;
	/* callbacks of its typesafe slabs use nothing of the cache, but the
	 * memory is theirs until then */
	if (s->flags & SLAB_TYPESAFE_BY_RCU)
		slab_machine_rcu_barrier(m);
	cache_release(s);
	return 0;
}

int slab_cache_destroy_name(struct slab_machine *m, const char *name)
{
	struct cache_name *alias, *next;
	struct kmem_cache *s;

	machine_lock_caches(m);
	s = cache_by_name(m, name);
	if (!s) {
		machine_unlock_caches(m);
		return -ENOENT;
	}
	list_for_each_entry_safe(alias, next, &s->names, list) {
		if (strcmp(alias->name, name) != 0)
			continue;
		list_del(&alias->list);
		meta_free(m, alias->name, strlen(alias->name) + 1);
		meta_free(m, alias, sizeof(*alias));
		break;
	}
	/* the same name from another thread finds it gone from here on */
	s->is_going = s->refcount == 1;
	machine_unlock_caches(m);
	return kmem_cache_destroy(s);
}
