/* SPDX-License-Identifier: MIT */
/* slab/cpu.c - this CPU's sheaves are locked and let go */
#include "slab/cpu.h"

struct slub_percpu_sheaves *pcs_trylock(struct kmem_cache *s)
{
	struct slab_machine *m = s->machine;
	struct slub_percpu_sheaves *pcs;

	machine_point(m, SLAB_POINT_PCS_TRYLOCK);
	pcs = &s->cpu_sheaves[m->cpu];
	if (!lock_try(&pcs->lock)) {
		machine_event(m, SLAB_EVENT_PCS_BUSY, s, NULL, NULL, m->cpu, 0);
		return NULL;
	}
	pcs->lock.holder = (uint16_t)m->cpu;
	machine_point(m, SLAB_POINT_PCS_HELD);
	return pcs;
}

struct slub_percpu_sheaves *pcs_lock(struct kmem_cache *s)
{
	struct slab_machine *m = s->machine;
	struct slub_percpu_sheaves *pcs;

	machine_point(m, SLAB_POINT_PCS_LOCK);
	pcs = &s->cpu_sheaves[m->cpu];
	machine_lock_now(m, &pcs->lock);
	machine_point(m, SLAB_POINT_PCS_HELD);
	return pcs;
}

void pcs_unlock(struct kmem_cache *s, struct slub_percpu_sheaves *pcs)
{
	s->machine->rest_seq++;
	machine_unlock(s->machine, &pcs->lock, SLAB_POINT_PCS_UNLOCK);
}

struct node_barn *get_barn(const struct kmem_cache *s)
{
	return s->node[machine_mem_node(s->machine)]->barn;
}

const char *pcs_check(const struct kmem_cache *s, unsigned int cpu)
{
	const struct slub_percpu_sheaves *pcs = &s->cpu_sheaves[cpu];
	const char *broken;

	if (!pcs->main)
		return "P1: main is never NULL";
	if (!s->sheaf_capacity)
		return pcs->main == bootstrap_sheaf && !pcs->spare &&
				       !pcs->rcu_free ?
			       NULL :
			       "P8: no sheaves but the bootstrap sheaf";
	broken = sheaf_check(s, pcs->main);
	if (!broken && pcs->spare)
		broken = sheaf_check(s, pcs->spare);
	if (!broken && pcs->rcu_free)
		broken = sheaf_check(s, pcs->rcu_free);
	if (!broken && pcs->rcu_free &&
	    pcs->rcu_free->size == s->sheaf_capacity)
		return "P3: a full rcu_free is submitted at once";
	return broken;
}
