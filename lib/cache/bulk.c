/* SPDX-License-Identifier: MIT */
/*
 * cache/bulk.c - many objects in one call
 *
 * A bulk free links objects of one slab into a chain and gives it back at
 * once; it looks past at most three objects of other slabs for more of them
 * (alloc-free-paths.md 3.12).
 */
#include "cache/cache.h"

#include <errno.h>

#include "debug/asan.h"
#include "debug/failslab.h"

#define LOOK_AHEAD 3

struct chain {
	struct kmem_cache *s;
	struct slab *slab;
	void *head, *tail;
	unsigned int cnt;
};

/* Is p one more object of the chain's slab that can be linked? */
static bool chain_takes(const struct chain *c, void *p)
{
	struct slab_view v;

	if (virt_to_slab(c->s->machine, p) != c->slab)
		return false;
	v = view_live(c->s, c->slab);
	return view_may_follow(&v, p);
}

static void chain_add(struct chain *c, void *p)
{
	struct slab_view v = view_live(c->s, c->slab);

	machine_event(c->s->machine, SLAB_EVENT_FREE, c->s, c->slab, p, 0, 0);
	if (view_is_valid_pointer(&v, p))
		asan_object_free(c->s, p);
	/* linked backwards and turned around by the hooks: the last object of
	 * the array is the head */
	if (c->cnt++)
		set_freepointer(c->s, c->tail, p);
	else
		c->head = p;
	c->tail = p;
}

/*
 * Takes the last of p[0..nr-1] and what else belongs to its slab; the others
 * move together at the front. How many are left.
 */
static size_t chain_build(struct chain *c, size_t nr, void **p)
{
	size_t kept = nr - 1, i = nr - 1;
	unsigned int misses = 0;

	chain_add(c, p[kept]);
	while (i > 0 && misses < LOOK_AHEAD) {
		void *object = p[--i];

		if (!chain_takes(c, object)) {
			misses++;
			continue;
		}
		chain_add(c, object);
		kept--;
		p[i] = p[kept];
		p[kept] = object;
	}
	return kept;
}

void kmem_cache_free_bulk(struct kmem_cache *s, size_t nr, void **p)
{
	while (nr) {
		void *last = p[nr - 1];
		struct chain c = { .s = s };
		struct slab_view v;

		if (!s) {
			struct slab_machine *m = slab_machine_current();

			c.slab = m ? virt_to_slab(m, last) : NULL;
			if (!c.slab || !machine_has_cache(m, c.slab->slab_cache)) {
				kfree(last);
				nr--;
				continue;
			}
			c.s = c.slab->slab_cache;
		} else {
			c.slab = slab_of_freed(s, last);
			if (!c.slab) {
				nr--;
				continue;
			}
		}
		v = view_live(c.s, c.slab);
		if (!view_may_follow(&v, last)) {
			slab_free_one(c.s, c.slab, last, CALLER);
			nr--;
			continue;
		}
		nr = chain_build(&c, nr, p);
		slab_free_chain(c.s, c.slab, c.head, c.tail, c.cnt, CALLER);
	}
}

int kmem_cache_alloc_bulk(struct kmem_cache *s, gfp_t gfp, size_t nr, void **p)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		/* one question for the whole call */
		p[i] = i ? slab_alloc_unasked(s, gfp, NUMA_NO_NODE, CALLER,
					      s->object_size) :
			   slab_alloc(s, gfp, NUMA_NO_NODE, CALLER,
				      s->object_size);
		if (!p[i]) {
			kmem_cache_free_bulk(s, i, p);
			errno = ENOMEM;
			return 0;
		}
	}
	return (int)nr;
}
