/* SPDX-License-Identifier: MIT */
/*
 * cache/fast_sim.c - cache/fast.c once more, with simulated sections
 *
 * The same source, so that the explorer walks through what native machines
 * run; a question there, which of the two it is, would cost each of them.
 */
#include "cache/fast_sim.h"

#include "slab/percpu_sim.h"

static struct slub_percpu_sheaves *sim_swap_in(struct kmem_cache *s)
{
	machine_point(s->machine, SLAB_POINT_PCS_TRYLOCK);
	return percpu_sim_lock(s->machine, s->cpu_sheaves);
}

static void sim_swap_out(struct kmem_cache *s, struct slub_percpu_sheaves *pcs)
{
	percpu_sim_unlock(s->machine, pcs);
}

#define pcs_swap_in  sim_swap_in
#define pcs_swap_out sim_swap_out
#define pcs_swap_out_at(s, pcs, size) sim_swap_out(s, pcs)
#define percpu_pop_many(f, n, p) \
	percpu_sim_pop_many(s->machine, s->cpu_sheaves, n, p)
#define percpu_push_many(f, n, p) \
	percpu_sim_push_many(s->machine, s->cpu_sheaves, n, p)
#define PERCPU_RSEQ	PERCPU_SIM
#define slab_alloc_slow fast_sim_alloc
#define slab_free_slow	fast_sim_free
#define fast_alloc_miss fast_sim_alloc_miss
#define fast_free_miss	fast_sim_free_miss
#define fast_alloc_bulk fast_sim_alloc_bulk
#define fast_free_bulk	fast_sim_free_bulk

#include "cache/fast.c" /* NOLINT(bugprone-suspicious-include) */
