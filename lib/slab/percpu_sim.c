/* SPDX-License-Identifier: MIT */
/* slab/percpu_sim.c - see percpu_sim.h */
#include "slab/percpu_sim.h"

/* ---- sections ---- */
struct section {
	unsigned int cpu;
	uint32_t ended; /* of that CPU, when it began */
};

static struct section begin(const struct slab_machine *m)
{
	unsigned int cpu = machine_here(m);

	return (struct section){ cpu, m->sections_ended[cpu] };
}

/* May the section make its next step? It is behind the point. */
static bool goes_on(struct slab_machine *m, const struct section *c,
		    enum slab_point_kind point)
{
	machine_point(m, point);
	return m->sections_ended[c->cpu] == c->ended;
}

/* The one store of an inline path that others see. */
static void commit(struct slab_machine *m,
		   const struct slub_percpu_sheaves *pcs,
		   struct slab_sheaf *sheaf, uint64_t word)
{
	if (pcs->lock.holder)
		m->sections_broken =
			"a section commits to sheaves that somebody holds";
	sheaf->size_and_pushes = word;
}

bool percpu_sim_pop_many(struct slab_machine *m,
			 struct slub_percpu_sheaves *base, unsigned int nr,
			 void **p)
{
	for (;;) {
		struct slab_sheaf *sheaf;
		struct section c;
		unsigned int size, i;
		uint64_t word;

		machine_point(m, SLAB_POINT_FAST_LOAD);
		c = begin(m);
		sheaf = base[c.cpu].fast;
		if (!goes_on(m, &c, SLAB_POINT_SIZE_LOAD))
			continue;
		word = sheaf->size_and_pushes;
		size = (uint32_t)word;
		if (size < nr)
			return false;
		if (!goes_on(m, &c, SLAB_POINT_SLOT_LOAD))
			continue;
		for (i = 0; i < nr; i++)
			p[i] = sheaf->objects[size - nr + i];
		if (!goes_on(m, &c, SLAB_POINT_SIZE_STORE))
			continue;
		commit(m, &base[c.cpu], sheaf, word - nr);
		return true;
	}
}

bool percpu_sim_push_many(struct slab_machine *m,
			  struct slub_percpu_sheaves *base, unsigned int nr,
			  void **p)
{
	for (;;) {
		struct slab_sheaf *sheaf;
		struct section c;
		unsigned int size, i;
		uint64_t word;

		machine_point(m, SLAB_POINT_FAST_LOAD);
		c = begin(m);
		sheaf = base[c.cpu].fast;
		if (!goes_on(m, &c, SLAB_POINT_SIZE_LOAD))
			continue;
		word = sheaf->size_and_pushes;
		size = (uint32_t)word;
		/* no room, or more pushes than can be counted */
		if (sheaf->capacity < size + nr ||
		    word + nr * SLAB_FAST_PUSH < word)
			return false;
		if (!goes_on(m, &c, SLAB_POINT_SLOT_STORE))
			continue;
		for (i = 0; i < nr; i++)
			sheaf->objects[size + i] = p[i];
		if (!goes_on(m, &c, SLAB_POINT_SIZE_STORE))
			continue;
		/* nr more, and nr pushes more */
		commit(m, &base[c.cpu], sheaf, word + nr * SLAB_FAST_PUSH);
		return true;
	}
}

void *percpu_sim_pop(struct slab_machine *m, struct slub_percpu_sheaves *base)
{
	void *object;

	return percpu_sim_pop_many(m, base, 1, &object) ? object : NULL;
}

bool percpu_sim_push(struct slab_machine *m, struct slub_percpu_sheaves *base,
		     void *object)
{
	return percpu_sim_push_many(m, base, 1, &object);
}

/* ---- the lock ---- */
static struct slub_percpu_sheaves *taken(struct slab_machine *m,
					 struct slub_percpu_sheaves *pcs)
{
	if (pcs->lock.holder)
		m->sections_broken = "two threads hold the sheaves of a CPU";
	pcs->lock.holder = (uint16_t)(machine_here(m) + 1);
	return pcs;
}

/* Another CPU's, by a word of its own: whoever there had looked at `fast`
 * before it may still store over it, until the membarrier, and is the owner
 * then. */
static struct slub_percpu_sheaves *drain(struct slab_machine *m,
					 struct slub_percpu_sheaves *base,
					 unsigned int cpu)
{
	struct slub_percpu_sheaves *pcs = &base[cpu];
	struct slab_sheaf *was;

	if (!lock_try(&pcs->lock))
		return NULL;
	do {
		was = pcs->fast;
		if (was == locked_sheaf || was == drained_sheaf)
			goto busy;
		machine_point(m, SLAB_POINT_FAST_SWAP);
	} while (!__atomic_compare_exchange_n(&pcs->fast, &was, drained_sheaf,
					      false, __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	machine_point(m, SLAB_POINT_MEMBARRIER);
	m->sections_ended[cpu]++;
	machine_point(m, SLAB_POINT_FAST_JUDGE);
	if (pcs->fast != drained_sheaf)
		goto busy;
	return taken(m, pcs);

busy:
	lock_release(&pcs->lock);
	return NULL;
}

struct slub_percpu_sheaves *percpu_sim_lock(struct slab_machine *m,
					    struct slub_percpu_sheaves *base)
{
	if (m->works_from)
		return drain(m, base, m->cpu);
	for (;;) {
		struct section c = begin(m);
		struct slub_percpu_sheaves *pcs = &base[c.cpu];

		if (percpu_sim_is_locked(pcs))
			return NULL;
		if (!goes_on(m, &c, SLAB_POINT_FAST_SWAP))
			continue;
		pcs->fast = locked_sheaf;
		return taken(m, pcs);
	}
}

struct slub_percpu_sheaves *
percpu_sim_lock_wait(struct slab_machine *m, struct slub_percpu_sheaves *base)
{
	struct slub_percpu_sheaves *pcs;

	while (!(pcs = percpu_sim_lock(m, base)))
		if (m->wait_fn)
			m->wait_fn(m->wait_arg, &base[m->cpu].lock);
	return pcs;
}

void percpu_sim_unlock(struct slab_machine *m, struct slub_percpu_sheaves *pcs)
{
	machine_point(m, SLAB_POINT_FAST_STORE);
	pcs->lock.holder = 0;
	/* of the CPU that was locked, wherever this thread is by now */
	__atomic_store_n(&pcs->fast, pcs->main, __ATOMIC_RELEASE);
	if (m->works_from)
		lock_release(&pcs->lock);
}
