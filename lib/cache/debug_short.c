/* SPDX-License-Identifier: MIT */
/*
 * cache/debug_short.c - what most allocations and frees of a debug cache are
 *
 * On real threads, from a slab that goes on having both users and free objects,
 * of a cache that nobody watches, and with nothing wrong: then it is here, in
 * one piece. Everything is looked at before anything is changed. What is found
 * odd is left as it is, to debug_alloc.c and debug_free.c, which look again and
 * know what to say; so nothing here repairs, reports or moves a slab.
 */
#include "cache/cache.h"

#include "debug/lists.h"
#include "debug/track.h"
#include "machine/stack.h"
#include "machine/vdso.h"

#define FRAME ((uintptr_t)__builtin_frame_address(0))

void debug_short_init(struct kmem_cache *s)
{
	const struct slab_machine *m = s->machine;
	unsigned int at = layout_track(s, TRACK_ALLOC);

	s->track_offset = (uint16_t)at;
	s->debug_is_short = m->is_native && m->config.nr_nodes == 1 &&
			    cache_is_debug(s) && !s->stats && !s->random &&
			    !(s->flags & SLAB_TRACE) && s->track_offset == at;
}

/* ---- is nothing wrong? (spec/debugging/checks.md 2.2, 2.3) ---- */
static inline bool redzones_are(const struct kmem_cache *s, const uint8_t *p,
				uint8_t val)
{
	if (!bytes_are(p - s->red_left_pad, val, s->red_left_pad) ||
	    !bytes_are(p + s->object_size, val, s->inuse - s->object_size))
		return false;
	if (cache_has_orig_size(s) && val == SLUB_RED_ACTIVE) {
		size_t orig = layout_get_orig_size(s, p);

		return orig >= s->object_size ||
		       bytes_are(p + orig, val, s->object_size - orig);
	}
	return true;
}

static inline bool poison_is(const struct kmem_cache *s, const uint8_t *p,
			     uint8_t val)
{
	unsigned int meta_end = layout_meta_end(s);

	if (val == SLUB_RED_INACTIVE && (s->flags & SLAB_OBJECT_POISON) &&
	    (!bytes_are(p, POISON_FREE, s->object_size - 1) ||
	     byte_read(p + s->object_size - 1) != POISON_END))
		return false;
	return bytes_are(p + meta_end, POISON_INUSE, layout_span(s) - meta_end);
}

/* A link in a free object, or NULL; in one in use it may be the user's. */
static inline bool link_is_right(const struct kmem_cache *s,
				 const struct slab *slab, uintptr_t base,
				 const uint8_t *p)
{
	uintptr_t next = word_read(p + s->offset);

	return !next ||
	       cache_slot_at(s, next - base - s->red_left_pad) < slab->objects;
}

/* The object, and the slab's tail. Not in place: who has no checks would pay
 * for their registers. */
static __attribute__((noinline)) bool is_intact(const struct kmem_cache *s,
						const struct slab *slab,
						uintptr_t base,
						const uint8_t *p, uint8_t val)
{
	size_t bytes = slab_bytes(slab);
	size_t used = (size_t)slab->objects * s->size;

	if (slab->objects != slab_max_objects(s, slab) || slab->frozen)
		return false;
	if ((s->flags & SLAB_RED_ZONE) && !redzones_are(s, p, val))
		return false;
	if (s->flags & SLAB_POISON) {
		if (!(s->flags & SLAB_RED_ZONE) &&
		    !bytes_are(p + s->object_size, POISON_INUSE,
			       s->inuse - s->object_size))
			return false;
		if (!poison_is(s, p, val) ||
		    !bytes_are((uint8_t *)base + used, POISON_INUSE,
			       bytes - used))
			return false;
	}
	return (val == SLUB_RED_ACTIVE && !freeptr_is_outside(s)) ||
	       link_is_right(s, slab, base, p);
}

/* ---- who ---- */

/* machine_cpu(), for who acts for no other one. */
static inline unsigned int cpu_now(const struct slab_machine *m)
{
#if defined(__x86_64__)
	if (m->percpu == PERCPU_RSEQ) {
		uint32_t cpu;

		__asm__ volatile("movl %%fs:4(%1), %0"
				 : "=r"(cpu)
				 : "r"(slab_rseq_offset));
		if (__builtin_expect(cpu < m->config.nr_cpu_ids, 1))
			return cpu;
	}
#endif
	return machine_cpu(m);
}

static inline void write_track(const struct kmem_cache *s, uint8_t *p,
			       enum track_item item, uintptr_t caller,
			       uint32_t handle)
{
	uint64_t now = vdso_jiffies();
	int tid = native_known_tid;

	track_write(p + s->track_offset + item * sizeof(struct track), caller,
		    handle, cpu_now(s->machine), tid ? tid : native_tid(), now);
}

/* ---- one object ---- */

/* Whose frame is ours that returns to caller? If no compiler made a call of
 * what could be a jump, mine. */
static inline uintptr_t frame_of(uintptr_t mine, uintptr_t caller)
{
	if (word_read((void *)(mine + sizeof(uintptr_t))) == caller)
		return mine;
	return stack_find(mine, caller);
}

/* What signal handlers left is done first; a site stands for whoever calls. */
static inline bool has_site(struct slab_machine *m)
{
	uintptr_t left =
		(uintptr_t)__atomic_load_n(&m->deferred[0], __ATOMIC_RELAXED) |
		(uintptr_t)__atomic_load_n(&m->deferred_slabs,
					   __ATOMIC_RELAXED);

	if (__builtin_expect(!(left | m->site), 1))
		return false;
	machine_catch_up(m);
	return m->site != 0;
}

static inline __attribute__((always_inline)) void *
alloc_short(struct kmem_cache *s, gfp_t gfp, size_t orig_size)
{
	struct kmem_cache_node *n = s->node[0];
	uintptr_t base, i;
	struct slab *slab;
	uint8_t *p;

	if (__atomic_load_n(&s->fast_is_shut, __ATOMIC_RELAXED) ||
	    !gfp_may_spin(gfp) || gfp & __GFP_ZERO || has_site(s->machine))
		return NULL;
	lock_take(&n->list_lock);
	slab = lists_first_partial(s, n);
	if (!slab || slab->type != PAGE_SLAB ||
	    slab_flags(slab) & SL_PFMEMALLOC)
		goto the_long_way;
	base = slab_base(s->machine, slab);
	p = slab->freelist;
	i = cache_slot_at(s, (uintptr_t)p - base - s->red_left_pad);
	if (i >= slab->objects || slab->inuse + 1U >= slab->objects ||
	    !slab->user_map)
		goto the_long_way;
	if ((s->flags & SLAB_CONSISTENCY_CHECKS) &&
	    !is_intact(s, slab, base, p, SLUB_RED_INACTIVE))
		goto the_long_way;
	slab->inuse++;
	slab->freelist = (void *)word_read(p + s->offset);
	bitmap_set(slab->user_map, (unsigned int)i);
	layout_set_orig_size(s, p, orig_size);
	layout_init_object(s, p, SLUB_RED_ACTIVE);
	lock_release(&n->list_lock);
	return p;

the_long_way:
	lock_release(&n->list_lock);
	return NULL;
}

void *debug_alloc_one(struct kmem_cache *s, gfp_t gfp, int node,
		      uintptr_t caller, size_t orig_size)
{
	void *object = alloc_short(s, gfp, orig_size);

	if (__builtin_expect(!object, 0))
		return slab_alloc_long(s, gfp, node, caller, orig_size);
	if (s->flags & SLAB_STORE_USER)
		write_track(s, object, TRACK_ALLOC, caller,
			    track_prepare_at(s->machine,
					     frame_of(FRAME, caller), caller));
	return object;
}

static inline __attribute__((always_inline)) bool
free_short(struct kmem_cache *s, void *object, uintptr_t caller)
{
	struct kmem_cache_node *n = s->node[0];
	struct slab_machine *m = s->machine;
	uintptr_t base, i;
	uint32_t handle = 0;
	struct slab *slab;
	uint8_t *p = object;

	if (__atomic_load_n(&s->fast_is_shut, __ATOMIC_RELAXED) || has_site(m))
		return false;
	slab = virt_to_slab(m, object);
	if (!slab || slab->slab_cache != s)
		return false;
	if (s->flags & SLAB_STORE_USER)
		handle = track_prepare_at(m, frame_of(FRAME, caller), caller);
	lock_take(&n->list_lock);
	base = slab_base(m, slab);
	i = cache_slot_at(s, (uintptr_t)p - base - s->red_left_pad);
	if (i >= slab->objects || !slab->inuse || !slab_is_partial(slab) ||
	    (slab->inuse == 1 && n->nr_partial >= s->min_partial) ||
	    !slab->user_map || !bitmap_test(slab->user_map, (unsigned int)i))
		goto the_long_way;
	if ((s->flags & SLAB_CONSISTENCY_CHECKS) &&
	    !is_intact(s, slab, base, p, SLUB_RED_ACTIVE))
		goto the_long_way;
	if (s->flags & SLAB_STORE_USER)
		write_track(s, p, TRACK_FREE, caller, handle);
	layout_init_object(s, p, SLUB_RED_INACTIVE);
	bitmap_clear(slab->user_map, (unsigned int)i);
	slab->inuse--;
	word_write(p + s->offset, (uintptr_t)slab->freelist);
	slab->freelist = p;
	lock_release(&n->list_lock);
	return true;

the_long_way:
	lock_release(&n->list_lock);
	return false;
}

bool debug_free_one(struct kmem_cache *s, void *object, uintptr_t caller)
{
	return free_short(s, object, caller);
}

void debug_free_or_long(struct kmem_cache *s, void *object, uintptr_t caller)
{
	if (__builtin_expect(!free_short(s, object, caller), 0))
		slab_free_long(s, object, caller);
}
