/* SPDX-License-Identifier: MIT */
/*
 * cache/bulk.c - many objects in one call
 *
 * Sheaves first, as far as they go without a refill or a flush; the rest
 * straight to and from the slabs. A free to slabs links objects of one slab
 * into a chain and gives it back at once; it looks past at most three objects
 * of other slabs for more of them (alloc-free-paths.md 3.12).
 */
#include "cache/gone.h"
#include "cache/sheaf.h"

#include <errno.h>

#include "debug/failslab.h"
#include "debug/report.h"

#define LOOK_AHEAD 3

/* ---- chains ---- */
struct chain {
	struct kmem_cache *s;
	struct slab *slab;
	void *head, *tail;
	unsigned int cnt;
	bool hooks; /* objects come from a user */
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

/* Two in a row would link an object to itself, which a hardened kernel does
 * not survive (DIVERGENCE: self-link). */
static bool links_to_itself(struct chain *c, void *p)
{
	struct slab_view v;

	if (!c->s->random || !c->cnt || p != (c->hooks ? c->tail : c->head))
		return false;
	v = view_live(c->s, c->slab);
	report_object(&v, SLAB_REPORT_ALREADY_FREE, p);
	report_fix(&v, SLAB_FIX_NOT_FREED, p);
	return true;
}

static void chain_add(struct chain *c, void *p)
{
	if (links_to_itself(c, p) ||
	    (c->hooks && !slab_free_hook(c->s, c->slab, p)))
		return;
	SLAB_SAY_GOT(p); /* out of a sheaf */
	/* linked backwards, so that it runs as the array does; the hooks turn
	 * it around, and then the last object of the array is the head */
	if (!c->cnt++) {
		c->head = c->tail = p;
	} else if (c->hooks) {
		set_freepointer(c->s, c->tail, p);
		c->tail = p;
	} else {
		set_freepointer(c->s, p, c->head);
		c->head = p;
	}
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

/* One chain from the end of p[0..nr-1] to its slab; how many are left. */
static size_t free_chain_of(struct chain *c, size_t nr, void **p,
			    uintptr_t caller)
{
	nr = chain_build(c, nr, p);
	if (c->cnt)
		slab_free_chain(c->s, c->slab, c->head, c->tail, c->cnt,
				caller);
	return nr;
}

void free_to_slabs(struct kmem_cache *s, unsigned int nr, void **p)
{
	fork_gate_enter(s->machine);
	while (nr) {
		struct chain c = { .s = s,
				   .slab = slab_of_freed(s, p[nr - 1]) };
		struct slab_view v;

		if (!c.slab) {
			nr--;
			continue;
		}
		v = view_live(s, c.slab);
		if (!view_may_follow(&v, p[nr - 1])) {
			slab_free_chain(s, c.slab, p[nr - 1], p[nr - 1], 1, 0);
			nr--;
			continue;
		}
		nr = (unsigned int)free_chain_of(&c, nr, p, 0);
	}
	fork_gate_leave(s->machine);
}

/* ---- free ---- */

/* Straight to slabs, with hooks: debug caches, and, where s is NULL, mixed
 * kmalloc objects of m. */
static void free_bulk_slow(struct slab_machine *m, struct kmem_cache *s,
			   size_t nr, void **p, uintptr_t caller)
{
	while (nr) {
		void *last = p[nr - 1];
		struct chain c = { .s = s, .hooks = true };
		struct slab_view v;

		if (!s) {
			c.slab = virt_to_slab(m, last);
			if (!c.slab ||
			    !machine_has_cache(m, c.slab->slab_cache)) {
				slab_kfree(m, last, caller);
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
			slab_free_one(c.s, c.slab, last, caller);
			nr--;
			continue;
		}
		nr = free_chain_of(&c, nr, p, caller);
		stat_add(c.s, SLAB_STAT_FREE_SLOWPATH, c.cnt);
	}
}

void slab_free_mixed(struct slab_machine *m, size_t nr, void **p,
		     uintptr_t caller)
{
	free_bulk_slow(m, NULL, nr, p, caller);
}

/* Runs the hooks and parts the array in place: [0, *eligible) may go to
 * sheaves, up to the end the others; what is not to be freed is gone. The new
 * length. */
static size_t partition(struct kmem_cache *s, size_t nr, void **p,
			size_t *eligible)
{
	size_t i = 0, end = nr; /* [i, end) is not looked at yet */

	while (i < end) {
		void *object = p[i];
		struct slab *slab = slab_of_freed(s, object);
		struct slab_view v;
		bool suits;

		if (!slab || !slab_free_hook(s, slab, object)) {
			p[i] = p[--end];
			p[end] = p[--nr];
			continue;
		}
		v = view_live(s, slab);
		suits = slab_suits_sheaves(s, slab) &&
			view_may_follow(&v, object);
		if (suits) {
			i++;
			continue;
		}
		p[i] = p[--end];
		p[end] = object;
	}
	*eligible = i;
	return nr;
}

void kmem_cache_free_bulk(struct kmem_cache *s, size_t nr, void **p)
{
	size_t eligible, done;

	if (!nr)
		return;
	if (!s || !s->sheaf_capacity) {
		struct slab_machine *m = s ? s->machine :
					     slab_machine_current();

		if (m)
			free_bulk_slow(m, s, nr, p, CALLER);
		return;
	}
	done = fast_free_bulk(s, nr, p);
	p += done;
	nr -= done;
	if (!nr)
		return;
	nr = partition(s, nr, p, &eligible);
	done = free_to_pcs_bulk(s, eligible, p);
	if (done == nr)
		return;
	stat_add(s, SLAB_STAT_FREE_SLOWPATH, nr - done);
	free_to_slabs(s, (unsigned int)(nr - done), p + done);
	if (cache_gave_back(s, (nr - done) * s->size))
		flush_kept(s);
}

/* ---- allocation ---- */
static bool alloc_one_by_one(struct kmem_cache *s, gfp_t gfp, size_t nr,
			     void **p)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		p[i] = slow_alloc(s, gfp, NUMA_NO_NODE, s->object_size);
		if (p[i])
			continue;
		free_to_slabs(s, (unsigned int)i, p);
		return false;
	}
	return true;
}

bool alloc_bulk_from_slabs(struct kmem_cache *s, gfp_t gfp, size_t nr, void **p)
{
	unsigned int got;

	if (cache_is_debug(s))
		return alloc_one_by_one(s, gfp, nr, p);
	got = refill_objects(s, p, gfp, (unsigned int)nr, (unsigned int)nr);
	if (got < nr) {
		free_to_slabs(s, got, p);
		return false;
	}
	stat_add(s, SLAB_STAT_ALLOC_SLOWPATH, nr);
	return true;
}

int kmem_cache_alloc_bulk(struct kmem_cache *s, gfp_t gfp, size_t nr, void **p)
{
	struct slab_machine *m = s->machine;
	size_t quick, done, i;

	if (!nr)
		return 0;
	if (nr > INT32_MAX) {
		errno = EINVAL;
		return 0;
	}
	quick = fast_alloc_bulk(s, nr, p);
	if (quick == nr && !(gfp & __GFP_ZERO))
		return (int)nr;
	if (cache_is_gone(s)) {
		cache_say_gone(s, "kmem_cache_alloc_bulk()");
		return 0;
	}
	/* one question for the whole call */
	if (failslab_should_fail(s, gfp, CALLER)) {
		machine_event(m, SLAB_EVENT_FAIL_INJECTED, s, NULL, NULL, 0, 0);
		free_to_slabs(s, (unsigned int)quick, p);
		goto fail;
	}
	done = quick + alloc_from_pcs_bulk(s, nr - quick, p + quick);
	if (done < nr && !alloc_bulk_from_slabs(s, gfp, nr - done, p + done)) {
		free_to_slabs(s, (unsigned int)done, p);
		goto fail;
	}
	for (i = 0; i < nr; i++)
		slab_handed_out(s, p[i], gfp, CALLER, s->object_size);
	return (int)nr;

fail:
	machine_event(m, SLAB_EVENT_ALLOC_FAIL, s, NULL, NULL, 0, 0);
	errno = ENOMEM;
	return 0;
}
