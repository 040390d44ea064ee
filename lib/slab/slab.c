/* SPDX-License-Identifier: MIT */
/* slab/slab.c - counting slabs, shuffling them, knowing a cache of ours */
#include "slab/slab.h"

#include "slab/freelist.h"
#include "slab/node.h"

bool machine_has_cache(const struct slab_machine *m, const struct kmem_cache *s)
{
	uintptr_t at = (uintptr_t)s;

	/* metadata that is no cache does not name itself there */
	return at % 64 == 0 && meta_owns(m, at) &&
	       meta_owns(m, at + sizeof(*s) - 1) && s->self == s;
}

bool machine_has_live_cache(const struct slab_machine *m,
			    const struct kmem_cache *s)
{
	return machine_has_cache(m, s) && !s->is_leaked;
}

void slab_count(struct kmem_cache *s, struct slab *slab, int by)
{
	struct kmem_cache_node *n = slab_node(s, slab);

	machine_point(s->machine, SLAB_POINT_NR_SLABS);
	__atomic_fetch_add(&n->nr_slabs, (unsigned long)by, __ATOMIC_RELAXED);
	__atomic_fetch_add(&n->total_objects,
			   (unsigned long)((long)by * slab_read(slab).objects),
			   __ATOMIC_RELAXED);
}

size_t slab_user_map_bytes(const struct kmem_cache *s, const struct slab *slab)
{
	return BITMAP_BYTES(cache_slab_bytes(s, slab) / s->size);
}

unsigned long *slab_user_map_judged(const struct kmem_cache *s,
				    const struct slab *slab)
{
	/* read once: who looks at a machine that moves holds no lock */
	uintptr_t map = (uintptr_t)__atomic_load_n(&slab->user_map,
						   __ATOMIC_RELAXED);
	size_t bytes;

	if (!map)
		return NULL;
	bytes = slab_user_map_bytes(s, slab);
	if (!bytes || map % sizeof(unsigned long) ||
	    !meta_owns(s->machine, map) ||
	    !meta_owns(s->machine, map + bytes - 1))
		return NULL;
	return (unsigned long *)map;
}

void slab_init_random_seq(struct kmem_cache *s)
{
	unsigned int count = s->oo.objects, i;

	if (count < 2)
		return;
	s->random_seq = meta_alloc(s->machine, count * sizeof(unsigned int));
	if (!s->random_seq)
		return;
	for (i = 0; i < count; i++)
		s->random_seq[i] = i;
	for (i = count - 1; i > 0; i--) {
		unsigned int r = (unsigned int)random_below(&s->machine->random,
							    i + 1);
		unsigned int t = s->random_seq[i];

		s->random_seq[i] = s->random_seq[r];
		s->random_seq[r] = t;
	}
	for (i = 0; i < count; i++)
		s->random_seq[i] *= s->size;
}
