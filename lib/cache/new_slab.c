/* SPDX-License-Identifier: MIT */
/*
 * cache/new_slab.c - a slab is built and given back
 *
 * Pages come in the preferred order, or in the smallest that holds an object
 * when memory is short (alloc-free-paths.md 3.8).
 */
#include "cache/cache.h"

#include "debug/asan.h"
#include "debug/report.h"
#include "debug/track.h"

static struct slab *slab_pages(struct kmem_cache *s, gfp_t gfp, int node)
{
	struct slab_machine *m = s->machine;
	gfp_t first;
	struct slab *slab;

	/* of the caller's word only how to reclaim and where to look counts */
	gfp &= __GFP_RECLAIM | __GFP_HARDWALL | __GFP_THISNODE | __GFP_NOFAIL |
	       __GFP_NOWARN | __GFP_NORETRY | __GFP_MEMALLOC | __GFP_NOMEMALLOC;
	gfp |= s->allocflags;
	first = (gfp | __GFP_NOWARN | __GFP_NORETRY) & ~__GFP_NOFAIL;
	/* a higher order is no reason to wait, nor to dig in the reserves */
	if ((first & __GFP_DIRECT_RECLAIM) && s->oo.order > s->min.order)
		first = (first | __GFP_NOMEMALLOC) & ~__GFP_RECLAIM;
	slab = pages_alloc(m, first, s->oo.order, node);
	if (!slab) {
		slab = pages_alloc(m, gfp, s->min.order, node);
		if (slab)
			stat(s, SLAB_STAT_ORDER_FALLBACK);
	}
	return slab;
}

/* The next offset of a shuffled slab that lies inside it. */
static unsigned int next_random(const struct kmem_cache *s, unsigned int *pos,
				unsigned int limit)
{
	unsigned int off;

	do {
		off = s->random_seq[*pos];
		*pos = (*pos + 1) % s->oo.objects;
	} while (off >= limit);
	return off;
}

/* All objects in the order they will be handed out, linked, set up. */
static void slab_link_objects(struct kmem_cache *s, struct slab *slab,
			      uintptr_t base)
{
	bool shuffle = s->random_seq && slab->objects >= 2;
	unsigned int limit = slab->objects * s->size, pos = 0, i;
	uintptr_t first = base + s->red_left_pad, prev = 0;

	if (shuffle)
		pos = (unsigned int)random_below(&s->machine->random,
						 s->oo.objects);
	for (i = 0; i < slab->objects; i++) {
		uintptr_t object = first + (shuffle ?
						    next_random(s, &pos, limit) :
						    i * s->size);

		layout_setup_object(s, (void *)object);
		if (s->flags & SLAB_STORE_USER)
			track_init(s, (void *)object);
		if (s->ctor) {
			asan_object_alloc(s, (void *)object, s->object_size);
			s->ctor((void *)object);
			asan_object_free(s, (void *)object);
		}
		if (prev)
			set_freepointer(s, (void *)prev, (void *)object);
		else
			slab->freelist = (void *)object;
		prev = object;
	}
	set_freepointer(s, (void *)prev, NULL);
}

struct slab *slab_new(struct kmem_cache *s, gfp_t gfp, int node)
{
	struct slab_machine *m = s->machine;
	struct slab *slab;
	uintptr_t base;

	if (s->ctor && (gfp & __GFP_ZERO))
		report_warn(m, SLAB_REPORT_CTOR_ZERO, true, s, NULL,
			    "cache %s has a constructor and __GFP_ZERO was asked",
			    s->name);
	slab = slab_pages(s, gfp, node);
	if (!slab)
		return NULL;
	slab->objects = (slab->order == s->oo.order ? s->oo : s->min).objects &
			MAX_OBJS_PER_SLAB;
	slab->inuse = 0;
	slab->frozen = 0;
	slab->nr = __atomic_add_fetch(&s->next_slab_nr, 1, __ATOMIC_RELAXED);
	if (cache_is_debug(s))
		slab->user_map = meta_alloc(m, slab_user_map_bytes(s, slab));
	slab->slab_cache = s;
	slab->type = PAGE_SLAB;
	base = slab_base(m, slab);
	asan_slab_new(s, base, slab_bytes(slab));
	layout_setup_slab(s, (void *)base, slab_bytes(slab));
	slab_link_objects(s, slab, base);
	machine_event(m, SLAB_EVENT_SLAB_NEW, s, slab, NULL, slab->objects,
		      slab->order);
	return slab;
}

static void pages_go(struct slab_machine *m, struct slab *slab)
{
	uintptr_t base = slab_base(m, slab);

	asan_pages_free(m, base, slab_true_bytes(m, slab));
	pages_free(m, slab);
}

static void rcu_pages_go(struct slab_machine *m, struct rcu_head *head)
{
	pages_go(m, container_of(head, struct slab, rcu_head));
}

void slab_free_pages(struct kmem_cache *s, struct slab *slab)
{
	struct slab_machine *m = s->machine;

	if (machine_has_signals(m) && !lock_may_wait()) {
		slab_defer_pages(s, slab);
		return;
	}
	meta_free(m, slab_user_map(s, slab), slab_user_map_bytes(s, slab));
	slab->user_map = NULL;
	/* of a damaged descriptor, so that all of the pages go; others may look
	 * at it meanwhile */
	if (slab->order != get_order(cache_slab_bytes(s, slab)))
		slab->order = (uint8_t)get_order(cache_slab_bytes(s, slab));
	if (s->flags & SLAB_TYPESAFE_BY_RCU) {
		/* readers may still look at objects: memory stays, but it is
		 * no slab of any list any more */
		slab->type = PAGE_NONE;
		machine_point(m, SLAB_POINT_RCU_SUBMIT);
		machine_call_rcu(m, &slab->rcu_head, rcu_pages_go);
		return;
	}
	pages_go(m, slab);
}

/* F looks at every object once more; what it finds stops nothing. */
static void final_checks(struct kmem_cache *s, struct slab *slab)
{
	struct slab_view v = view_live(s, slab);
	unsigned int fit = (unsigned int)(v.size / s->size), i;

	check_slab_padding(&v);
	for (i = 0; i < MIN(slab->objects, fit); i++)
		check_object(&v, (void *)slab_object(s, v.base, i),
			     SLUB_RED_INACTIVE);
}

void slab_discard(struct kmem_cache *s, struct slab *slab)
{
	machine_event(s->machine, SLAB_EVENT_SLAB_DISCARD, s, slab, NULL, 0, 0);
	if (s->flags & SLAB_CONSISTENCY_CHECKS)
		final_checks(s, slab);
	slab_free_pages(s, slab);
}
