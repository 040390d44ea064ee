/* SPDX-License-Identifier: MIT */
/*
 * cache/flush.c - what rests in sheaves goes back to its slabs
 *
 * A flush bypasses the barn: it is rare. flush_lock is held from the first
 * detached rcu_free until the last one is submitted, so that a barrier of
 * another caller can not fall in between (spec/allocator/locks.md 5.1).
 */
#include "cache/sheaf.h"

#include <errno.h>

#include "debug/sheaves.h"

#define PCS_BATCH_MAX 32U

bool flush_main(struct kmem_cache *s, bool spin)
{
	void *batch[PCS_BATCH_MAX];
	bool done = false;

	for (;;) {
		struct slub_percpu_sheaves *pcs = spin ? pcs_lock(s) :
							 pcs_trylock(s);
		unsigned int nr, left, i;

		if (!pcs)
			return done;
		sheaf_judge_top(s, pcs->main, PCS_BATCH_MAX);
		nr = MIN(PCS_BATCH_MAX, (unsigned int)pcs->main->size);
		left = pcs->main->size - nr;
		for (i = 0; i < nr; i++)
			batch[i] = pcs->main->objects[left + i];
		if (nr)
			pcs->main->size = left;
		pcs_unlock(s, pcs);
		if (!nr)
			return done;
		stat_add(s, SLAB_STAT_SHEAF_FLUSH, nr);
		machine_event(s->machine, SLAB_EVENT_SHEAF_FLUSH, s, NULL,
			      NULL, nr, 0);
		free_to_slabs(s, nr, batch);
		done = true;
		if (!left)
			return done;
	}
}

static void flush_and_free(struct kmem_cache *s, struct slab_sheaf *sheaf)
{
	if (!sheaf)
		return;
	sheaf_flush(s, sheaf);
	sheaf_free(s, sheaf);
}

static void flush_linked(struct kmem_cache *s, struct slab_sheaf *local)
{
	while (local) {
		struct slab_sheaf *sheaf = local;

		local = sheaf_next(sheaf);
		flush_and_free(s, sheaf);
	}
}

void flush_this_cpu(struct kmem_cache *s)
{
	struct slub_percpu_sheaves *pcs;
	struct slab_sheaf *spare, *rcu_free, *local;

	if (!s->sheaf_capacity)
		return;
	pcs = pcs_lock(s);
	if (!pcs)
		return;
	local = cpu_take_local(s, pcs);
	spare = pcs->spare;
	rcu_free = pcs->rcu_free;
	pcs->spare = pcs->rcu_free = NULL;
	pcs_unlock(s, pcs);
	flush_and_free(s, spare);
	flush_linked(s, local);
	if (rcu_free)
		rcu_sheaf_submit(s, rcu_free, false);
	flush_main(s, true);
}

void flush_dead_cpu(struct kmem_cache *s, unsigned int cpu)
{
	struct slub_percpu_sheaves *pcs = &s->cpu_sheaves[cpu];
	struct slab_sheaf *spare = pcs->spare, *rcu_free = pcs->rcu_free;

	if (!s->sheaf_capacity)
		return;
	pcs->spare = pcs->rcu_free = NULL;
	sheaf_flush(s, pcs->main);
	flush_and_free(s, spare);
	if (rcu_free)
		rcu_sheaf_submit(s, rcu_free, false);
}

void flush_barn(struct kmem_cache *s, unsigned int nid)
{
	struct node_barn *barn = s->node[nid]->barn;
	struct list_head full, empty;
	struct slab_sheaf *sheaf, *next;

	if (!barn)
		return;
	barn_take_all(s, barn, &full, &empty);
	list_for_each_entry_safe(sheaf, next, &full, list)
		flush_and_free(s, sheaf);
	list_for_each_entry_safe(sheaf, next, &empty, list)
		flush_and_free(s, sheaf);
}

/* ---- on every CPU ---- */

/* Runs fn as work on each online CPU, in turn. */
static void on_each_cpu(struct kmem_cache *s,
			void (*fn)(struct kmem_cache *s))
{
	struct slab_machine *m = s->machine;
	struct machine_cpu_work work = machine_cpu_begin(m);
	unsigned int cpu;

	for (cpu = 0; cpu < m->config.nr_cpu_ids; cpu++) {
		if (!cpu_is_online(m, cpu))
			continue;
		machine_act_for(m, cpu);
		fn(s);
	}
	machine_cpu_end(m, work);
}

static void flush_local(struct kmem_cache *s)
{
	struct slub_percpu_sheaves *pcs = pcs_trylock(s);
	struct slab_sheaf *local;

	if (!pcs)
		return;
	local = cpu_take_local(s, pcs);
	pcs_unlock(s, pcs);
	flush_linked(s, local);
}

void flush_kept(struct kmem_cache *s)
{
	unsigned int nid;

	/* who works on every CPU is in the middle of a flush */
	if (!percpu_acts())
		on_each_cpu(s, flush_local);
	for (nid = 0; nid < s->machine->config.nr_nodes; nid++)
		flush_barn(s, nid);
}

static void for_all_cpus(struct kmem_cache *s, void (*fn)(struct kmem_cache *s))
{
	struct slab_machine *m = s->machine;

	machine_lock(m, &m->flush_lock, SLAB_POINT_FLUSH_LOCK);
	on_each_cpu(s, fn);
	machine_unlock(m, &m->flush_lock, SLAB_POINT_FLUSH_UNLOCK);
}

void flush_cpu(struct kmem_cache *s)
{
	struct slab_machine *m = s->machine;

	machine_lock(m, &m->flush_lock, SLAB_POINT_FLUSH_LOCK);
	flush_this_cpu(s);
	machine_unlock(m, &m->flush_lock, SLAB_POINT_FLUSH_UNLOCK);
}

void flush_all_cpus(struct kmem_cache *s)
{
	if (s->sheaf_capacity)
		for_all_cpus(s, flush_this_cpu);
}

static void flush_rcu_sheaf(struct kmem_cache *s)
{
	struct slub_percpu_sheaves *pcs = pcs_lock(s);
	struct slab_sheaf *sheaf;

	if (!pcs)
		return;
	sheaf = pcs->rcu_free;
	pcs->rcu_free = NULL;
	pcs_unlock(s, pcs);
	if (sheaf)
		rcu_sheaf_submit(s, sheaf, false);
}

void flush_rcu_sheaves(struct kmem_cache *s)
{
	/* also CPUs that show none: an unfinished submit of theirs is over
	 * when the work ran there */
	if (s->sheaf_capacity)
		for_all_cpus(s, flush_rcu_sheaf);
}

/* ---- for users ---- */
static int for_caches(struct slab_machine *m, struct kmem_cache *s,
		      void (*fn)(struct kmem_cache *s))
{
	struct kmem_cache *each;

	if (s && !machine_has_live_cache(m, s))
		return -EINVAL;
	machine_lock(m, &m->cpus_lock, SLAB_POINT_CPUS_LOCK);
	machine_lock_caches(m);
	list_for_each_entry(each, &m->slab_caches, list)
		if (!s || s == each)
			fn(each);
	machine_unlock_caches(m);
	machine_unlock(m, &m->cpus_lock, SLAB_POINT_CPUS_UNLOCK);
	return 0;
}

int slab_cache_flush_cpu(struct slab_machine *m, struct kmem_cache *s)
{
	return for_caches(m, s, flush_cpu);
}

int slab_cache_flush_all(struct slab_machine *m, struct kmem_cache *s)
{
	return for_caches(m, s, flush_all_cpus);
}
