/* SPDX-License-Identifier: MIT */
/*
 * cache/sheaf.c - containers, and filling and emptying one of them
 *
 * The kernel takes containers from kmalloc; here they are metadata, where no
 * overflow of a user's object reaches them (lib/DIVERGENCE.md: containers).
 */
#include "cache/sheaf.h"

#include <errno.h>

#include "debug/failslab.h"
#include "debug/sheaves.h"

/* Shared by both kinds: the guard bit and fault injection count for each. */
static struct slab_sheaf *container(struct kmem_cache *s, gfp_t gfp,
				    unsigned int capacity, unsigned int cpu)
{
	struct slab_machine *m = s->machine;
	struct slab_sheaf *sheaf = NULL;

	machine_point(m, SLAB_POINT_SHEAF_ALLOC);
	if (gfp & __GFP_NO_OBJ_EXT)
		return NULL;
	gfp &= ~(gfp_t)(__GFP_DMA | __GFP_RECLAIMABLE | __GFP_ACCOUNT |
			__GFP_NOFAIL);
	if (failslab_fails_container(s, sheaf_kernel_bytes(capacity), gfp))
		machine_event(m, SLAB_EVENT_FAIL_INJECTED, s, NULL, NULL, 0, 0);
	else
		sheaf = meta_alloc_for(m, sheaf_bytes(capacity), cpu);
	if (sheaf)
		sheaf->cache = s;
	return sheaf;
}

void sheaf_comes_to_rest(const struct kmem_cache *s, struct slab_sheaf *sheaf)
{
	sheaf->place = SHEAF_RESTS;
	/* with several nodes a free has to look which one it is */
	sheaf->capacity = s->machine->config.nr_nodes == 1 ?
				  s->sheaf_capacity :
				  0;
}

struct slab_sheaf *sheaf_alloc(struct kmem_cache *s, gfp_t gfp)
{
	return sheaf_alloc_for(s, gfp, machine_cpu(s->machine));
}

struct slab_sheaf *sheaf_alloc_for(struct kmem_cache *s, gfp_t gfp,
				   unsigned int cpu)
{
	struct slab_sheaf *sheaf = container(s, gfp, s->sheaf_capacity, cpu);

	if (!sheaf)
		return NULL;
	sheaf_comes_to_rest(s, sheaf);
	stat(s, SLAB_STAT_SHEAF_ALLOC);
	machine_event(s->machine, SLAB_EVENT_SHEAF_ALLOC, s, NULL, NULL,
		      s->sheaf_capacity, 0);
	return sheaf;
}

struct slab_sheaf *sheaf_alloc_oversize(struct kmem_cache *s, gfp_t gfp,
					unsigned int capacity)
{
	return container(s, gfp, capacity, machine_cpu(s->machine));
}

void sheaf_free_oversize(struct kmem_cache *s, struct slab_sheaf *sheaf,
			 unsigned int capacity)
{
	/* a stale handle must not look like a sheaf */
	sheaf->cache = NULL;
	sheaf->place = SHEAF_RESTS;
	meta_free(s->machine, sheaf, sheaf_bytes(capacity));
}

void sheaf_free(struct kmem_cache *s, struct slab_sheaf *sheaf)
{
	stat(s, SLAB_STAT_SHEAF_FREE);
	machine_event(s->machine, SLAB_EVENT_SHEAF_FREE, s, NULL, NULL, 0, 0);
	sheaf_free_oversize(s, sheaf, s->sheaf_capacity);
}

int sheaf_refill(struct kmem_cache *s, struct slab_sheaf *sheaf, gfp_t gfp)
{
	unsigned int missing = s->sheaf_capacity - sheaf->size, got;

	if (!missing)
		return 0;
	machine_catch_up(s->machine);
	got = refill_objects(s, &sheaf->objects[sheaf->size], gfp, missing,
			     missing);
	say_given(got, &sheaf->objects[sheaf->size]);
	sheaf->size += got;
	stat_add(s, SLAB_STAT_SHEAF_REFILL, got);
	machine_event(s->machine, SLAB_EVENT_SHEAF_REFILL, s, NULL, NULL, got,
		      sheaf->size);
	return got == missing ? 0 : -ENOMEM;
}

void sheaf_flush(struct kmem_cache *s, struct slab_sheaf *sheaf)
{
	unsigned int nr;

	machine_catch_up(s->machine);
	if (!sheaf_judge_top(s, sheaf, SHEAF_WHOLE))
		return;
	nr = sheaf->size;
	stat_add(s, SLAB_STAT_SHEAF_FLUSH, nr);
	machine_event(s->machine, SLAB_EVENT_SHEAF_FLUSH, s, NULL, NULL, nr, 0);
	sheaf->size = 0;
	free_to_slabs(s, nr, sheaf->objects);
}
