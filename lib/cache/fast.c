/* SPDX-License-Identifier: MIT */
/*
 * cache/fast.c - what an inline path leaves to be done, mostly
 *
 * Main was empty, or full: the spare takes its place, or a full sheaf that the
 * CPU keeps, or an empty one. That is all that happens to most allocations and
 * frees that got this far, so here it is in one piece. What goes further, and
 * all that is not plain, takes the long way: alloc.c, free.c, pcs.c.
 */
#include "cache/sheaf.h"

#include <string.h>

#include "base/bytes.h"

/* No check, no watcher: a sheaf is all there is to it. */
static inline bool goes_short_way(const struct kmem_cache *s)
{
	return s->sheaf_capacity && s->machine->percpu == PERCPU_RSEQ &&
	       !s->fast_is_shut && !percpu_acts();
}

static void swap_spare(struct slub_percpu_sheaves *pcs)
{
	struct slab_sheaf *main = pcs->main;

	pcs->main = pcs->spare;
	pcs->spare = main;
}

/* The whole word, pushes being 0: inline paths load it whole right after this,
 * and half of it could not be handed on to them out of the store buffer. */
static inline void set_size(struct slab_sheaf *sheaf, unsigned int size)
{
	sheaf->size_and_pushes = size;
}

static inline bool main_has_some(struct slub_percpu_sheaves *pcs)
{
	if (pcs->main->size)
		return true;
	if (pcs->spare && pcs->spare->size) {
		swap_spare(pcs);
		return true;
	}
	return cpu_trade_for_full(pcs);
}

static inline bool main_has_room(struct kmem_cache *s,
				 struct slub_percpu_sheaves *pcs)
{
	unsigned int capacity = s->sheaf_capacity;

	if (pcs->main->size < capacity)
		return true;
	if (!pcs->spare)
		return false;
	if (pcs->spare->size < capacity) {
		swap_spare(pcs);
		return true;
	}
	return cpu_trade_for_empty(pcs);
}

__attribute__((noinline)) void *
fast_alloc_miss(struct kmem_cache *s, gfp_t gfp, uintptr_t caller)
{
	struct slub_percpu_sheaves *pcs;
	unsigned int size;
	void *object;

	if (!goes_short_way(s) || !(pcs = pcs_swap_in(s)))
		goto the_long_way;
	if (!main_has_some(pcs)) {
		pcs_swap_out(s, pcs);
		goto the_long_way;
	}
	size = pcs->main->size - 1;
	object = pcs->main->objects[size];
	set_size(pcs->main, size);
	pcs_swap_out_at(s, pcs, size);
	stat(s, SLAB_STAT_ALLOC_FASTPATH);
	SLAB_SAY_GOT(object);
	if (gfp & __GFP_ZERO)
		bytes_fill(object, 0, s->object_size);
	return object;

the_long_way:
	return slab_alloc(s, gfp, NUMA_NO_NODE, caller, s->object_size);
}

/* Debug caches bring no frame of ours into the stack before their own. */
void *slab_alloc_slow(struct kmem_cache *s, gfp_t gfp)
{
	if (s->debug_is_short)
		return debug_alloc_one(s, gfp, NUMA_NO_NODE, CALLER,
				       s->object_size);
	return fast_alloc_miss(s, gfp, CALLER);
}

__attribute__((noinline)) void
fast_free_miss(struct kmem_cache *s, void *object, uintptr_t caller)
{
	struct slub_percpu_sheaves *pcs;
	unsigned int size;

	if (!goes_short_way(s) || s->machine->config.nr_nodes > 1 ||
	    (uintptr_t)object - s->fast.base >= s->fast.bytes ||
	    !(pcs = pcs_swap_in(s)))
		goto the_long_way;
	if (!main_has_room(s, pcs)) {
		pcs_swap_out(s, pcs);
		goto the_long_way;
	}
	size = pcs->main->size;
	pcs->main->objects[size] = object;
	set_size(pcs->main, size + 1);
	pcs_swap_out_at(s, pcs, size + 1);
	stat(s, SLAB_STAT_FREE_FASTPATH);
	return;

the_long_way:
	slab_free(s, object, caller);
}

void slab_free_slow(struct kmem_cache *s, void *object)
{
	if (s->debug_is_short)
		debug_free_or_long(s, object, CALLER);
	else
		fast_free_miss(s, object, CALLER);
}

/* ---- many at once ---- */
/*
 * A sheaf that serves all of them becomes main, if there is one: who asks for
 * as many again and again, and gives them back, meets the end of a sheaf once
 * and not each time.
 */
static size_t take_some(struct kmem_cache *s, size_t nr, void **p)
{
	struct slub_percpu_sheaves *pcs = pcs_swap_in(s);
	size_t done = 0;

	if (!pcs)
		return 0;
	if (pcs->main->size < nr && pcs->spare &&
	    pcs->spare->size > pcs->main->size)
		swap_spare(pcs);
	while (done < nr && main_has_some(pcs)) {
		struct slab_sheaf *main = pcs->main;
		unsigned int size = main->size, run;

		run = (unsigned int)MIN(nr - done, (size_t)size);
		size -= run;
		set_size(main, size);
		memcpy(p + done, main->objects + size, run * sizeof(*p));
		done += run;
	}
	pcs_swap_out(s, pcs);
	stat_add(s, SLAB_STAT_ALLOC_FASTPATH, done);
	return done;
}

static size_t put_some(struct kmem_cache *s, size_t nr, void **p)
{
	struct slub_percpu_sheaves *pcs = pcs_swap_in(s);
	size_t done = 0;

	if (!pcs)
		return 0;
	if (s->sheaf_capacity - pcs->main->size < nr && pcs->spare &&
	    pcs->spare->size < pcs->main->size)
		swap_spare(pcs);
	while (done < nr && main_has_room(s, pcs)) {
		struct slab_sheaf *main = pcs->main;
		unsigned int size = main->size, run;

		run = (unsigned int)MIN(nr - done,
					(size_t)(s->sheaf_capacity - size));
		memcpy(main->objects + size, p + done, run * sizeof(*p));
		set_size(main, size + run);
		done += run;
	}
	pcs_swap_out(s, pcs);
	stat_add(s, SLAB_STAT_FREE_FASTPATH, done);
	return done;
}

/* The section first: where it may not be, it finds nothing. */
size_t fast_alloc_bulk(struct kmem_cache *s, size_t nr, void **p)
{
	size_t done = nr;

	if (nr > s->sheaf_capacity ||
	    !percpu_pop_many(&s->fast, (unsigned int)nr, p))
		done = goes_short_way(s) ? take_some(s, nr, p) : 0;
	say_got(done, p);
	return done;
}

/* Without a comparison each: offsets below a power of two have no bit above.
 * Eight at a time, so that none waits for the one before. */
typedef uintptr_t pair __attribute__((vector_size(16)));

static inline pair offsets(void *const *p, uintptr_t base)
{
	pair at;

	memcpy(&at, p, sizeof(at));
	return at - base;
}

static bool all_are_ours(const struct kmem_cache *s, size_t nr, void **p)
{
	uintptr_t base = s->fast.base, bits;
	pair a = { 0 }, b = a, c = a, d = a;
	size_t i;

	for (i = 0; i + 8 <= nr; i += 8) {
		a |= offsets(p + i, base);
		b |= offsets(p + i + 2, base);
		c |= offsets(p + i + 4, base);
		d |= offsets(p + i + 6, base);
	}
	a |= b | c | d;
	bits = a[0] | a[1];
	for (; i < nr; i++)
		bits |= (uintptr_t)p[i] - base;
	return !(bits >> fls(s->fast.bytes - 1));
}

/* One more full sheaf is kept, as long as that is not too much. */
static bool make_room(struct kmem_cache *s)
{
	struct slab_sheaf *empty = sheaf_alloc(s, GFP_NOWAIT);
	struct slub_percpu_sheaves *pcs;
	bool is_used = true;

	if (!empty)
		return false;
	pcs = pcs_swap_in(s);
	if (!pcs) {
		sheaf_free(s, empty);
		return false;
	}
	if (!pcs->spare) {
		pcs->spare = pcs->main;
		pcs->main = empty;
	} else if (pcs->main->size == s->sheaf_capacity &&
		   cpu_may_keep(s, pcs)) {
		cpu_keep_main(s, pcs, empty);
	} else {
		is_used = false;
	}
	pcs_swap_out(s, pcs);
	if (!is_used)
		sheaf_free(s, empty);
	return is_used;
}

size_t fast_free_bulk(struct kmem_cache *s, size_t nr, void **p)
{
	size_t done = 0;

	if (!all_are_ours(s, nr, p))
		return 0;
	say_given(nr, p);
	if (nr <= s->sheaf_capacity &&
	    percpu_push_many(&s->fast, (unsigned int)nr, p))
		return nr;
	if (!goes_short_way(s) || s->machine->config.nr_nodes > 1)
		return 0;
	do {
		done += put_some(s, nr - done, p + done);
	} while (done < nr && make_room(s));
	return done;
}
