/* SPDX-License-Identifier: MIT */
/* inspect/check.c - see check.h */
#include "inspect/check.h"

#include "inspect/rest.h"
#include "slab/cpu.h"
#include "slab/freelist.h"
#include "slab/node.h"

static const char *locks_check(const struct kmem_cache *s)
{
	const struct slab_machine *m = s->machine;
	unsigned int i;

	for (i = 0; i < m->config.nr_cpu_ids; i++)
		if (rests_are_in_hands(s, i))
			return "a CPU's sheaves are locked";
	for (i = 0; i < m->config.nr_nodes; i++)
		if (lock_is_held(&s->node[i]->list_lock) ||
		    (s->node[i]->barn && lock_is_held(&s->node[i]->barn->lock)))
			return "a node's lock is held";
	return lock_is_held(&s->lent_lock) ? "lent_lock is held" : NULL;
}

/* What a CPU keeps before the barn: the barn's rules (P6, and P2, P4). */
static const char *local_check(const struct kmem_cache *s, unsigned int cpu)
{
	const struct slub_percpu_sheaves *pcs = &s->cpu_sheaves[cpu];
	const struct slab_sheaf *sheaf;
	unsigned int nr = 0;
	const char *broken;

	for (sheaf = pcs->local_full; sheaf; sheaf = sheaf_next(sheaf)) {
		broken = sheaf_check(s, sheaf);
		if (broken)
			return broken;
		if (sheaf->size != s->sheaf_capacity)
			return "P6: a full sheaf that a CPU keeps is full";
		if (++nr > pcs->nr_local)
			return "P6: nr_local sheaves are kept";
	}
	for (sheaf = pcs->local_empty; sheaf; sheaf = sheaf_next(sheaf)) {
		broken = sheaf_check(s, sheaf);
		if (broken)
			return broken;
		if (sheaf->size)
			return "P6: an empty sheaf that a CPU keeps is empty";
		if (++nr > pcs->nr_local)
			break;
	}
	return nr == pcs->nr_local ? NULL : "P6: nr_local sheaves are kept";
}

static const char *lent_check(const struct kmem_cache *s)
{
	const struct slab_sheaf *sheaf;

	list_for_each_entry(sheaf, &s->lent, list) {
		if (sheaf->cache != s || sheaf->place != SHEAF_LENT)
			return "P4: lent sheaves are the cache's, and marked";
		if (sheaf->size > sheaf->capacity)
			return "P2: size <= capacity";
	}
	return NULL;
}

/* P5 for one slab: what rests is handed out as far as the slab knows. */
static const char *slab_rests_check(const struct kmem_cache *s,
				    const struct slab *slab,
				    const struct rests *r)
{
	size_t nr =
		rests_within(r, slab_base(s->machine, slab), slab_bytes(slab));
	void *p;

	if (!nr)
		return NULL;
	if (nr > slab->inuse)
		return "N5: what rests is in use for its slab";
	for (p = slab->freelist; p; p = get_freepointer(s, p))
		if (rests_owner(r, (uintptr_t)p) != SLAB_OWNER_USER)
			return "P5: what rests is on no free chain";
	return NULL;
}

/* P5 and P9 for one object. */
static const char *rest_check(const struct kmem_cache *s,
			      const struct rest *rest)
{
	const struct slab *slab =
		virt_to_slab(s->machine, (void *)rest->object);

	if (!slab || slab->slab_cache != s ||
	    !is_object_of(s, slab_base(s->machine, slab), slab->objects,
			  (void *)rest->object))
		return "P5: what rests is an object of the cache";
	if ((slab->flags & SL_PFMEMALLOC) &&
	    (rest->owner == SLAB_OWNER_MAIN ||
	     rest->owner == SLAB_OWNER_SPARE ||
	     rest->owner == SLAB_OWNER_LOCAL ||
	     rest->owner == SLAB_OWNER_BARN))
		return "P9: no object of the emergency reserve in a sheaf";
	return NULL;
}

static const char *rests_check(const struct kmem_cache *s,
			       const struct rests *r, unsigned long *inuse)
{
	const struct slab_machine *m = s->machine;
	const char *broken = NULL;
	unsigned long pfn;
	size_t i;

	for (i = 0; i < r->nr && !broken; i++) {
		if (i && r->at[i].object == r->at[i - 1].object)
			return "P5: an object rests in one place only";
		broken = rest_check(s, &r->at[i]);
	}
	for (pfn = 0; pfn < m->pages_opened && !broken; pfn++) {
		const struct slab *slab = &m->memmap[pfn];

		if (slab->type != PAGE_SLAB || slab->slab_cache != s)
			continue;
		*inuse += slab->inuse;
		broken = slab_rests_check(s, slab, r);
	}
	return broken;
}

/* users: NULL when nobody knows. */
static const char *check(struct kmem_cache *s, const unsigned long *users)
{
	unsigned int nr_nodes = s->machine->config.nr_nodes, i;
	const char *broken = locks_check(s);
	unsigned long inuse = 0;
	struct rests rests;

	for (i = 0; i < nr_nodes && !broken; i++) {
		broken = node_check(s, i);
		if (!broken && s->node[i]->barn)
			broken = s->sheaf_capacity
					 ? barn_check(s, s->node[i]->barn)
					 : "P8: no barn without sheaves";
	}
	for (i = 0; i < s->machine->config.nr_cpu_ids && !broken; i++) {
		broken = pcs_check(s, i);
		if (!broken)
			broken = local_check(s, i);
	}
	if (!broken)
		broken = lent_check(s);
	if (broken)
		return broken;
	if (rests_collect(s->machine, s, &rests))
		return "no memory for the check";
	broken = rests_check(s, &rests, &inuse);
	if (!broken && users && inuse != *users + rests.nr)
		broken = "N5: in use == users + what rests";
	rests_free(&rests);
	return broken;
}

const char *cache_check(struct kmem_cache *s)
{
	return check(s, NULL);
}

const char *cache_check_users(struct kmem_cache *s, unsigned long users)
{
	return check(s, &users);
}
