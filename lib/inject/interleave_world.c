/* SPDX-License-Identifier: MIT */
/* inject/interleave_world.c - what users do, and what they hold */
#include "inject/interleave_world.h"

#include <stdio.h>
#include <string.h>

#include "cache/fast_sim.h"
#include "slab/percpu_sim.h"

/* ---- objects ---- */
const char *world_hold(struct world *w, void *object)
{
	unsigned int page = world_page(w, object), slot = world_slot(w, object);
	struct world_hands *hands = &w->state.hands[w->state.at];
	struct slab *slab = virt_to_slab(w->m, object);

	if (!slab || slab->slab_cache != w->s)
		return "S15: what is handed out is an object of the cache";
	if (w->state.held[page] & (1U << slot))
		return "P5: what is handed out is not held by another user";
	w->state.held[page] |= 1U << slot;
	if (hands->nr_got < ARRAY_SIZE(hands->got)) {
		hands->got[hands->nr_got].page = (uint8_t)page;
		hands->got[hands->nr_got++].slot = (uint8_t)slot;
	}
	return NULL;
}

/* The lowest object that a user holds, of that page (0: of any); NULL. */
static void *let_go(struct world *w, unsigned int page)
{
	struct world_hands *hands = &w->state.hands[w->state.at];
	unsigned int p, slot;

	for (p = page ? page : 1; p < (page ? page + 1 : WORLD_PAGES); p++) {
		if (!w->state.held[p])
			continue;
		slot = (unsigned int)__builtin_ctz(w->state.held[p]);
		w->state.held[p] &= (uint8_t) ~(1U << slot);
		if (hands->nr_gone < ARRAY_SIZE(hands->gone)) {
			hands->gone[hands->nr_gone].page = (uint8_t)p;
			hands->gone[hands->nr_gone++].slot = (uint8_t)slot;
		}
		return world_object(w, p, slot);
	}
	return NULL;
}

/* ---- kfree_rcu: 7.5.7 ---- */
void world_now_free(void *arg, const struct slab_event *event)
{
	struct world *w = arg;
	unsigned int page = world_page(w, (void *)event->object);
	unsigned int slot;

	if (event->kind != SLAB_EVENT_FREE || page >= WORLD_PAGES)
		return;
	slot = world_slot(w, (void *)event->object);
	w->state.waiting[page] &= (uint8_t) ~(1U << slot);
	w->state.given[page][slot] = 0;
}

void world_give_rcu(struct world *w, void *object)
{
	w->state.waiting[world_page(w, object)] |= 1U << world_slot(w, object);
}

/* The call is over: barriers from now on must wait for it. */
void world_gave_rcu(struct world *w, const void *object)
{
	unsigned int page = world_page(w, object), slot = world_slot(w, object);

	if (w->state.waiting[page] & (1U << slot))
		w->state.given[page][slot] = ++w->state.nr_given;
}

static const char *barrier(struct world *w)
{
	unsigned int before = w->state.nr_given, page, slot;

	kvfree_rcu_barrier_on_cache(w->s);
	for (page = 0; page < WORLD_PAGES; page++)
		for (slot = 0; slot < WORLD_SLOTS; slot++)
			if (w->state.given[page][slot] &&
			    w->state.given[page][slot] <= before)
				return "7.5.7: after a barrier what was given "
				       "to kfree_rcu before it is free";
	return NULL;
}

/* ---- locks ---- */
bool world_is_locked(const struct world *w,
		     const struct slub_percpu_sheaves *pcs)
{
	return w->in->sections ? percpu_sim_is_locked(pcs)
			       : lock_is_held(&pcs->lock);
}

bool world_is_free(const struct world *w, const struct slab_lock *lock)
{
	/* of any cache's CPU: it is held by what stands beside it */
	if (w->in->sections && lock->rank == LOCK_RANK_PCS &&
	    percpu_sim_is_locked(
		    container_of(lock, struct slub_percpu_sheaves, lock)))
		return false;
	return !lock_is_held(lock);
}

/* ---- steps ---- */
static const char *memory(const struct world *w, bool is_there)
{
	return is_there || w->state.may_lack_memory
		       ? NULL
		       : "N5: there is memory, and a request fails";
}

/* Without sheaves a free goes to one slab, which lives as long as it needs it. */
static void frees_to(struct world *w, unsigned int thread, const void *object)
{
	if (w->s->sheaf_capacity)
		return;
	w->state.frees[thread].page = object ? world_page(w, object) : 0;
	w->state.frees[thread].nr =
		object ? w->m->memmap[world_page(w, object)].nr : 0;
}

static const char *free_many(struct world *w, unsigned int thread,
			     unsigned int nr, unsigned int page)
{
	void *p[16];
	unsigned int n = 0;
	size_t done = 0;

	while (n < MIN(nr, ARRAY_SIZE(p)) && (p[n] = let_go(w, page)))
		n++;
	if (page && n)
		frees_to(w, thread, p[0]);
	if (w->in->sections && n)
		done = fast_sim_free_bulk(w->s, n, p);
	kmem_cache_free_bulk(w->s, n - done, p + done);
	frees_to(w, thread, NULL);
	return NULL;
}

const char *world_touches(const struct world *w, unsigned int thread)
{
	unsigned int page = w->state.frees[thread].page;
	const struct slab *slab = &w->m->memmap[page];

	if (!page ||
	    (slab->type == PAGE_SLAB && slab->nr == w->state.frees[thread].nr))
		return NULL;
	return "S14: a slab that is dead is not used";
}

static const char *hold_all(struct world *w, unsigned int nr, void **p)
{
	const char *broken = NULL;
	unsigned int i;

	for (i = 0; i < nr && !broken; i++)
		broken = world_hold(w, p[i]);
	return broken;
}

#define GFP (GFP_KERNEL | __GFP_NOWARN)

static const char *lent(struct world *w, unsigned int thread, unsigned int op,
			unsigned int nr)
{
	struct slab_sheaf **sheaf = &w->state.lent[thread];
	void *p;

	switch (op) {
	case INTERLEAVE_PREFILL:
		*sheaf = kmem_cache_prefill_sheaf(w->s, GFP, nr);
		return memory(w, *sheaf);
	case INTERLEAVE_TAKE:
		p = *sheaf ? kmem_cache_alloc_from_sheaf(w->s, GFP, *sheaf)
			   : NULL;
		return p ? world_hold(w, p) : NULL;
	default:
		if (*sheaf)
			kmem_cache_return_sheaf(w->s, GFP, *sheaf);
		*sheaf = NULL;
		return NULL;
	}
}

/* ---- inline paths, and what they leave ---- */
static void *allocate(struct world *w)
{
	void *object;

	if (!w->in->sections)
		return kmem_cache_alloc(w->s, GFP);
	object = percpu_sim_pop(w->m, w->s->cpu_sheaves);
	return object ? object : fast_sim_alloc(w->s, GFP);
}

static void free_object(struct world *w, void *object)
{
	if (!w->in->sections)
		kmem_cache_free(w->s, object);
	else if (!percpu_sim_push(w->m, w->s->cpu_sheaves, object))
		fast_sim_free(w->s, object);
}

static unsigned int allocate_bulk(struct world *w, unsigned int nr, void **p)
{
	size_t done = 0;

	if (w->in->sections)
		done = fast_sim_alloc_bulk(w->s, nr, p);
	if (done < nr &&
	    !kmem_cache_alloc_bulk(w->s, GFP, nr - done, p + done)) {
		free_to_slabs(w->s, (unsigned int)done, p);
		return 0;
	}
	return nr;
}

/* A drain and nothing else, as when inline paths are shut. */
static void drain(struct world *w, unsigned int cpu)
{
	struct machine_cpu_work work = machine_cpu_begin(w->m);
	struct slub_percpu_sheaves *pcs;

	machine_act_for(w->m, cpu);
	pcs = pcs_lock(w->s);
	if (pcs)
		pcs_unlock(w->s, pcs);
	machine_cpu_end(w->m, work);
}

static const char *destroy(struct world *w)
{
	/* what is left is RCU's, or was a deferred free */
	w->state.is_dying = true;
	if (kmem_cache_destroy(w->s))
		return "N6: a cache without objects in use can be destroyed";
	w->state.is_destroyed = true;
	return NULL;
}

/* Another one may be where it was. */
bool world_is_gone(const struct world *w)
{
	return w->state.is_destroyed ||
	       (w->state.is_dying && !machine_has_live_cache(w->m, w->s));
}

static const char *other(struct world *w)
{
	struct kmem_cache *s = kmem_cache_create("other", 512, NULL, 0);
	void *p = s ? kmem_cache_alloc(s, GFP) : NULL;

	if (!p)
		return memory(w, false);
	kmem_cache_free(s, p);
	return kmem_cache_destroy(s)
		       ? "N6: a cache without objects in use can be destroyed"
		       : NULL;
}

const char *world_step(struct world *w, unsigned int thread, unsigned int op,
		       unsigned int arg)
{
	unsigned int page = arg ? w->page_of[(arg - 1) % INTERLEAVE_SLABS] : 0;
	unsigned int n;
	void *p[16], *object;

	switch ((enum interleave_op)op) {
	case INTERLEAVE_ALLOC:
		object = allocate(w);
		return object ? world_hold(w, object) : memory(w, false);
	case INTERLEAVE_FREE:
		object = let_go(w, page);
		if (!object)
			return NULL;
		frees_to(w, thread, object);
		free_object(w, object);
		frees_to(w, thread, NULL);
		return NULL;
	case INTERLEAVE_FREE_CHAIN:
		return free_many(w, thread, w->in->objects, page);
	case INTERLEAVE_BULK_FREE:
		return free_many(w, thread, arg, 0);
	case INTERLEAVE_REFILL:
		n = refill_objects(w->s, p, GFP, arg, arg);
		object = (void *)hold_all(w, n, p);
		return object ? object : memory(w, n == arg);
	case INTERLEAVE_BULK_ALLOC:
		n = allocate_bulk(w, arg, p);
		object = (void *)hold_all(w, n, p);
		return object ? object : memory(w, n == arg);
	case INTERLEAVE_KFREE_RCU:
		object = let_go(w, page);
		if (!object)
			return NULL;
		world_give_rcu(w, object);
		slab_kfree_rcu(object);
		world_gave_rcu(w, object);
		return NULL;
	case INTERLEAVE_RCU_TICK:
		slab_machine_rcu_tick(w->m);
		return NULL;
	case INTERLEAVE_BARRIER:
		return barrier(w);
	case INTERLEAVE_FLUSH_CPU:
		flush_cpu(w->s);
		return NULL;
	case INTERLEAVE_FLUSH_ALL:
		flush_all_cpus(w->s);
		return NULL;
	case INTERLEAVE_DRAIN:
		drain(w, arg);
		return NULL;
	case INTERLEAVE_SHRINK:
		/* without cpus_lock: who reads it does not keep out others who
		 * do, and that hides nothing then */
		cache_shrink(w->s);
		return NULL;
	case INTERLEAVE_VALIDATE:
		validate_slab_cache(w->s);
		return NULL;
	case INTERLEAVE_PREFILL:
	case INTERLEAVE_TAKE:
	case INTERLEAVE_RETURN:
		return lent(w, thread, op, arg);
	case INTERLEAVE_KMALLOC_NOLOCK:
		/* NULL is an answer */
		object = kmalloc_nolock(WORLD_KMALLOC, 0, NUMA_NO_NODE);
		return object ? world_hold(w, object) : NULL;
	case INTERLEAVE_KFREE_NOLOCK:
		object = let_go(w, page);
		if (object)
			kfree_nolock(object);
		return NULL;
	case INTERLEAVE_BARRIER_ALL:
		kvfree_rcu_barrier();
		return NULL;
	case INTERLEAVE_FLUSH_CACHES:
		slab_cache_flush_all(w->m, NULL);
		return NULL;
	case INTERLEAVE_CPU_DOWN:
		slab_machine_set_cpu_online(w->m, arg, false);
		return NULL;
	case INTERLEAVE_OTHER:
		return other(w);
	case INTERLEAVE_DESTROY:
		return destroy(w);
	case INTERLEAVE_NONE:
	case NR_INTERLEAVE_OPS:
		break;
	}
	return NULL;
}

const char *world_end(struct world *w)
{
	struct slab_machine *m = w->m;
	unsigned int i;
	void *object;

	if (w->state.is_destroyed)
		goto gone;
	for (i = 0; i < w->threads; i++)
		lent(w, i, INTERLEAVE_RETURN, 0);
	while ((object = let_go(w, 0)))
		kmem_cache_free(w->s, object);
	if (kmem_cache_destroy(w->s))
		return "N6: a cache without objects in use can be destroyed";
gone:
	slab_machine_rcu_barrier(m);
	if (w->state.nr_reports)
		return "a report was made";
	if (m->pages_used)
		return "P10: after destroy no page is left";
	if (m->meta.used != w->meta_before)
		return "P10: after destroy no sheaf is left";
	return NULL;
}
