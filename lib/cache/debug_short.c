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
	    !bytes_are_to(p, POISON_FREE, POISON_END, s->object_size))
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

/* As chain_begins_right() in debug/check.c. */
static inline bool chain_begins_right(const struct kmem_cache *s,
				      const struct slab *slab, uintptr_t base)
{
	const uint8_t *p = slab->freelist;
	uintptr_t i = cache_slot_at(s, (uintptr_t)p - base - s->red_left_pad);
	uintptr_t next;

	if (i >= slab->objects || bitmap_test(slab->user_map, (unsigned int)i))
		return false;
	next = word_read(p + s->offset);
	if (!next)
		return slab->inuse + 1U == slab->objects;
	i = cache_slot_at(s, next - base - s->red_left_pad);
	return next != (uintptr_t)p && i < slab->objects &&
	       !bitmap_test(slab->user_map, (unsigned int)i);
}

/* ---- who ---- */
struct who {
	uintptr_t caller;
	uint64_t when;
	uint32_t handle;
	unsigned int cpu;
	int pid;
};

/* machine_cpu(), for who acts for no other one. */
static inline unsigned int cpu_now(const struct slab_machine *m)
{
#if defined(SLAB_HAS_FAST) && defined(__x86_64__)
	if (m->percpu == PERCPU_RSEQ) {
		uint32_t cpu;

		__asm__ volatile("movl %%fs:(%1), %0"
				 : "=r"(cpu)
				 : "r"(SLAB_RSEQ_OFFSET));
		if (__builtin_expect(cpu < m->config.nr_cpu_ids, 1))
			return cpu;
	}
#endif
	return machine_cpu(m);
}

/* If no compiler made a call of what could be a jump. */
static inline bool returns_to(uintptr_t frame, uintptr_t caller)
{
	return word_read((void *)(frame + sizeof(uintptr_t))) == caller;
}

/* All that calls somebody, before the lock: what follows calls nobody. frame:
 * ours that returns to caller. */
static inline struct who find_who(struct slab_machine *m, uintptr_t frame,
				  uintptr_t caller)
{
	uint64_t when = vdso_jiffies();
	int pid = native_known_tid;

	return (struct who){
		.caller = caller,
		.when = when,
		.pid = pid ? pid : native_tid(),
		.cpu = cpu_now(m),
		.handle = track_prepare_at(m, frame, caller),
	};
}

static inline void write_track(const struct kmem_cache *s, uint8_t *p,
			       enum track_item item, const struct who *who)
{
	track_write(p + s->track_offset + item * sizeof(struct track),
		    who->caller, who->handle, who->cpu, who->pid, who->when);
}

/* ---- one object, under the lock ---- */

/* What there is to be done beside red zones and poison; where the compiler
 * knows it, it leaves out the rest. */
enum { CHECK = 1, TRACK = 2 };

static inline __attribute__((always_inline)) unsigned int
work_of(const struct kmem_cache *s)
{
	return (s->flags & SLAB_CONSISTENCY_CHECKS ? CHECK : 0) |
	       (s->flags & SLAB_STORE_USER ? TRACK : 0);
}

static inline unsigned int inuse_of(unsigned long counters)
{
	return counters & 0xffff;
}

static inline unsigned int objects_of(unsigned long counters)
{
	return counters >> 16 & 0x7fff;
}

/* The counters are read and written whole: half of a word that was just
 * written in one piece could not be handed on out of the store buffer. */
static inline __attribute__((always_inline)) void *
take_object(struct kmem_cache *s, struct kmem_cache_node *n, size_t orig_size,
	    unsigned int work)
{
	const struct slab_machine *m = s->machine;
	struct slab *slab = lists_first_partial(m, n);
	size_t size = s->object_size;
	unsigned long counters;
	uintptr_t base, i;
	uint8_t *p;

	if (!slab || slab->type != PAGE_SLAB ||
	    (slab_flags(slab) & (SL_PARTIAL | SL_PFMEMALLOC)) != SL_PARTIAL)
		return NULL;
	base = slab_base(m, slab);
	p = slab->freelist;
	counters = slab->counters;
	i = cache_slot_at(s, (uintptr_t)p - base - s->red_left_pad);
	if (i >= objects_of(counters) ||
	    inuse_of(counters) + 1 >= objects_of(counters) || !slab->user_map)
		return NULL;
	if ((work & CHECK) && !is_intact(s, slab, base, p, SLUB_RED_INACTIVE))
		return NULL;
	slab->counters = counters + 1;
	slab->freelist = (void *)word_read(p + s->offset);
	bitmap_set(slab->user_map, (unsigned int)i);
	if ((work & TRACK) && cache_has_orig_size(s)) {
		layout_set_orig_size(s, p, orig_size);
		if (s->flags & SLAB_RED_ZONE)
			size = MIN(orig_size, size);
	}
	layout_fill(s, p, size, SLUB_RED_ACTIVE);
	return p;
}

static inline __attribute__((always_inline)) bool
put_object(struct kmem_cache *s, struct kmem_cache_node *n, struct slab *slab,
	   void *object, const struct who *who, unsigned int work)
{
	uintptr_t base = slab_base(s->machine, slab), i;
	unsigned long counters = slab->counters;
	uint8_t *p = object;

	i = cache_slot_at(s, (uintptr_t)p - base - s->red_left_pad);
	if (i >= objects_of(counters) || !inuse_of(counters) ||
	    !slab_is_partial(slab) ||
	    (inuse_of(counters) == 1 && n->nr_partial >= s->min_partial) ||
	    !slab->user_map || !bitmap_test(slab->user_map, (unsigned int)i))
		return false;
	if ((work & CHECK) &&
	    (!is_intact(s, slab, base, p, SLUB_RED_ACTIVE) ||
	     !chain_begins_right(s, slab, base)))
		return false;
	if (work & TRACK)
		write_track(s, p, TRACK_FREE, who);
	layout_fill(s, p, s->object_size, SLUB_RED_INACTIVE);
	bitmap_clear(slab->user_map, (unsigned int)i);
	slab->counters = counters - 1;
	word_write(p + s->offset, (uintptr_t)slab->freelist);
	slab->freelist = p;
	return true;
}

/* ---- may it be tried? ---- */

/* Not when a site stands for whoever calls. What signal handlers left is done
 * by the long way first. */
static inline bool is_shut(struct kmem_cache *s)
{
	const struct slab_machine *m = s->machine;

	return __atomic_load_n(&s->fast_is_shut, __ATOMIC_RELAXED) ||
	       (uintptr_t)__atomic_load_n(&m->deferred[0], __ATOMIC_RELAXED) |
		       (uintptr_t)__atomic_load_n(&m->deferred_slabs,
						  __ATOMIC_RELAXED) |
		       m->site;
}

static inline bool may_alloc(struct kmem_cache *s, gfp_t gfp)
{
	return gfp_may_spin(gfp) && !(gfp & __GFP_ZERO) && !is_shut(s);
}

/* The slab of an object of s; NULL: none, or not now. */
static inline struct slab *may_free(struct kmem_cache *s, const void *object)
{
	struct slab *slab = is_shut(s) ? NULL :
					 virt_to_slab(s->machine, object);

	return slab && slab->slab_cache == s ? slab : NULL;
}

/*
 * ---- one object ----
 *
 * In several copies. Those of who owns the lock call nobody but to end with it,
 * so that there is nothing to keep while somebody else runs: that would be a
 * third of all instructions. Who does not own it goes another way, where locked
 * instructions cost more than calls.
 */
static __attribute__((noinline)) void *
alloc_shared(struct kmem_cache *s, gfp_t gfp, int node, uintptr_t caller,
	      size_t orig_size)
{
	struct kmem_cache_node *n = s->node[0];
	unsigned int work = work_of(s);
	struct who who = { 0 };
	void *object;

	if (work & TRACK)
		who = find_who(s->machine, stack_find(FRAME, caller), caller);
	lock_take(&n->list_lock);
	object = take_object(s, n, orig_size, work);
	lock_release(&n->list_lock);
	if (!object)
		return slab_alloc_long(s, gfp, node, caller, orig_size);
	if (work & TRACK)
		write_track(s, object, TRACK_ALLOC, &who);
	return object;
}

static inline __attribute__((always_inline)) void *
alloc_short(struct kmem_cache *s, gfp_t gfp, int node, uintptr_t caller,
	    size_t orig_size, unsigned int work)
{
	struct slab_lock *lock = &s->node[0]->list_lock;
	struct who who = { 0 };
	void *object;

	if (__builtin_expect(!may_alloc(s, gfp), 0))
		return slab_alloc_long(s, gfp, node, caller, orig_size);
	if ((work & TRACK) &&
	    (!returns_to(FRAME, caller) || !lock_seems_own(lock)))
		return alloc_shared(s, gfp, node, caller, orig_size);
	if (work & TRACK)
		who = find_who(s->machine, FRAME, caller);
	if (__builtin_expect(!lock_take_own(lock), 0))
		return alloc_shared(s, gfp, node, caller, orig_size);
	object = take_object(s, s->node[0], orig_size, work);
	lock_release_own(lock);
	if (__builtin_expect(!object, 0))
		return slab_alloc_long(s, gfp, node, caller, orig_size);
	if (work & TRACK)
		write_track(s, object, TRACK_ALLOC, &who);
	return object;
}

static __attribute__((noinline)) void *
alloc_tracked(struct kmem_cache *s, gfp_t gfp, int node, uintptr_t caller,
	      size_t orig_size)
{
	return alloc_short(s, gfp, node, caller, orig_size, TRACK);
}

static __attribute__((noinline)) void *
alloc_checked(struct kmem_cache *s, gfp_t gfp, int node, uintptr_t caller,
	      size_t orig_size)
{
	return alloc_short(s, gfp, node, caller, orig_size, work_of(s) | CHECK);
}

void *debug_alloc_one(struct kmem_cache *s, gfp_t gfp, int node,
		      uintptr_t caller, size_t orig_size)
{
	const slab_flags_t more = SLAB_CONSISTENCY_CHECKS | SLAB_STORE_USER;

	if (s->flags & more)
		return s->flags & SLAB_CONSISTENCY_CHECKS ?
			       alloc_checked(s, gfp, node, caller, orig_size) :
			       alloc_tracked(s, gfp, node, caller, orig_size);
	return alloc_short(s, gfp, node, caller, orig_size, 0);
}

static __attribute__((noinline)) bool put_shared(struct kmem_cache *s,
						 struct slab *slab,
						 void *object, uintptr_t caller)
{
	struct kmem_cache_node *n = s->node[0];
	unsigned int work = work_of(s);
	struct who who = { 0 };
	bool is_done;

	if (work & TRACK)
		who = find_who(s->machine, stack_find(FRAME, caller), caller);
	lock_take(&n->list_lock);
	is_done = put_object(s, n, slab, object, &who, work);
	lock_release(&n->list_lock);
	return is_done;
}

bool debug_free_one(struct kmem_cache *s, void *object, uintptr_t caller)
{
	struct slab *slab = may_free(s, object);

	return slab && put_shared(s, slab, object, caller);
}

static __attribute__((noinline)) void free_shared(struct kmem_cache *s,
						  struct slab *slab,
						  void *object,
						  uintptr_t caller)
{
	if (!put_shared(s, slab, object, caller))
		slab_free_long(s, object, caller);
}

static inline __attribute__((always_inline)) void
free_short(struct kmem_cache *s, void *object, uintptr_t caller,
	   unsigned int work)
{
	struct slab_lock *lock = &s->node[0]->list_lock;
	struct slab *slab = may_free(s, object);
	struct who who = { 0 };
	bool is_done;

	if (__builtin_expect(!slab, 0)) {
		slab_free_long(s, object, caller);
		return;
	}
	if ((work & TRACK) &&
	    (!returns_to(FRAME, caller) || !lock_seems_own(lock))) {
		free_shared(s, slab, object, caller);
		return;
	}
	if (work & TRACK)
		who = find_who(s->machine, FRAME, caller);
	if (__builtin_expect(!lock_take_own(lock), 0)) {
		free_shared(s, slab, object, caller);
		return;
	}
	is_done = put_object(s, s->node[0], slab, object, &who, work);
	lock_release_own(lock);
	if (__builtin_expect(!is_done, 0))
		slab_free_long(s, object, caller);
}

static __attribute__((noinline)) void
free_tracked(struct kmem_cache *s, void *object, uintptr_t caller)
{
	free_short(s, object, caller, TRACK);
}

static __attribute__((noinline)) void
free_checked(struct kmem_cache *s, void *object, uintptr_t caller)
{
	free_short(s, object, caller, work_of(s) | CHECK);
}

void debug_free_or_long(struct kmem_cache *s, void *object, uintptr_t caller)
{
	const slab_flags_t more = SLAB_CONSISTENCY_CHECKS | SLAB_STORE_USER;

	if (!(s->flags & more))
		free_short(s, object, caller, 0);
	else if (s->flags & SLAB_CONSISTENCY_CHECKS)
		free_checked(s, object, caller);
	else
		free_tracked(s, object, caller);
}
