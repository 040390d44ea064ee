/* SPDX-License-Identifier: MIT */
/*
 * cache/free.c - one object, or a chain of one slab, goes back
 *
 * An object of this node goes to this CPU's sheaves (pcs.c); the rest is here.
 * Plain caches: slab-states.md 4.3. The lock is taken before the exchange
 * exactly when the slab was full or would become empty.
 */
#include "cache/gone.h"
#include "cache/sheaf.h"

#include "debug/asan.h"
#include "debug/lists.h"
#include "debug/report.h"

/* What a kernel without checks would do next is die; refuse and say it. */
static bool plain_is_impossible(struct slab_view *v, void *head, void *tail,
				unsigned int cnt)
{
	struct freelist_counters now = slab_read(v->slab);

	if (!view_may_follow(v, head) || !view_may_follow(v, tail))
		report_slab(v, SLAB_REPORT_INVALID_POINTER, head, 0, 0);
	else if (now.inuse < cnt)
		report_slab(v, SLAB_REPORT_BULK_INUSE, NULL, now.inuse, cnt);
	else if (v->s->random && tail == now.freelist)
		report_object(v, SLAB_REPORT_ALREADY_FREE, tail);
	else
		return false;
	report_fix(v, SLAB_FIX_NOT_FREED, head);
	return true;
}

static void plain_free_chain(struct kmem_cache *s, struct slab *slab,
			     void *head, void *tail, unsigned int cnt)
{
	struct slab_machine *m = s->machine;
	struct slab_view v = view_live(s, slab);
	struct kmem_cache_node *n = NULL;
	struct freelist_counters old, new;
	bool was_full, on_partial = false;

	if (plain_is_impossible(&v, head, tail, cnt))
		return;
	do {
		if (n) {
			node_unlock(s, n);
			n = NULL;
		}
		old = slab_read(slab);
		machine_point(m, SLAB_POINT_FREELIST_READ);
		was_full = !old.freelist;
		set_freepointer(s, tail, old.freelist);
		new.freelist = head;
		new.counters = old.counters;
		new.inuse = (old.inuse - cnt) & 0xffff;
		if (was_full || !new.inuse) {
			n = slab_node(s, slab);
			node_lock(s, n);
			on_partial = slab_is_partial(slab);
		}
	} while (!slab_update_freelist(s, slab, &old, &new));
	machine_event(m, SLAB_EVENT_PUSH, s, slab, head, new.inuse, cnt - 1);
	if (!n)
		return;
	if (!was_full && !on_partial) {
		/* emptied in the hands of a refiller, who will see to it */
		node_unlock(s, n);
		return;
	}
	if (!new.inuse && n->nr_partial >= s->min_partial) {
		if (on_partial) {
			lists_remove(s, n, slab);
			stat(s, SLAB_STAT_FREE_REMOVE_PARTIAL);
		}
		node_unlock(s, n);
		stat(s, SLAB_STAT_FREE_SLAB);
		slab_count(s, slab, -1);
		slab_discard(s, slab);
		return;
	}
	/* a damaged freelist makes a listed slab look full, a damaged mark an
	 * unlisted one listed */
	if (was_full && on_partial) {
		lists_judge(s, n, slab);
	} else if (was_full) {
		lists_add_partial(s, n, slab, LIST_TAIL);
		stat(s, SLAB_STAT_FREE_ADD_PARTIAL);
	}
	node_unlock(s, n);
}

void slab_free_chain(struct kmem_cache *s, struct slab *slab, void *head,
		     void *tail, unsigned int cnt, uintptr_t caller)
{
	fork_gate_enter(s->machine);
	if (cache_is_debug(s))
		debug_free_chain(s, slab, head, tail, cnt, caller);
	else
		plain_free_chain(s, slab, head, tail, cnt);
	fork_gate_leave(s->machine);
}

/* 9.3: payload and metadata are cleared, red zones and the recorded size
 * stay. Only real objects: a wild pointer is for the checks. */
static void init_on_free(struct kmem_cache *s, const struct slab_view *v,
			 void *object)
{
	unsigned int end = layout_info_end(s);
	size_t orig;

	if (!s->machine->params.init_on_free || s->ctor ||
	    (s->flags & (SLAB_TYPESAFE_BY_RCU | SLAB_POISON)) ||
	    !view_is_valid_pointer(v, object))
		return;
	orig = MIN(layout_get_orig_size(s, object), (size_t)s->object_size);
	bytes_fill(object, 0, orig);
	bytes_fill((char *)object + end, 0, layout_span(s) - end);
	layout_set_orig_size(s, object, orig);
}

bool slab_free_hook(struct kmem_cache *s, struct slab *slab, void *object)
{
	struct slab_view v = view_live(s, slab);

	SLAB_SAY_GIVEN(object);
	machine_event(s->machine, SLAB_EVENT_FREE, s, slab, object, 0, 0);
	if (view_is_valid_pointer(&v, object) && !asan_object_free(s, object) &&
	    !(s->flags & SLAB_CONSISTENCY_CHECKS)) {
		/* no check of ours will see it, and the shadow knows */
		report_object(&v, SLAB_REPORT_ALREADY_FREE, object);
		report_fix(&v, SLAB_FIX_NOT_FREED, object);
		return false;
	}
	init_on_free(s, &v, object);
	return true;
}

/* What a sheaf takes must be able to go to its slab later. */
static bool suits_sheaves(struct kmem_cache *s, struct slab *slab,
			  void *object)
{
	struct slab_view v = view_live(s, slab);

	return s->sheaf_capacity && slab_suits_sheaves(s, slab) &&
	       view_may_follow(&v, object);
}

static void free_one_long(struct kmem_cache *s, struct slab *slab,
			  void *object, uintptr_t caller)
{
	if (!slab_free_hook(s, slab, object))
		return;
	if (suits_sheaves(s, slab, object) && free_to_pcs(s, object, true))
		return;
	machine_catch_up(s->machine);
	slab_free_chain(s, slab, object, object, 1, caller);
	stat(s, SLAB_STAT_FREE_SLOWPATH);
}

void slab_free_one(struct kmem_cache *s, struct slab *slab, void *object,
		   uintptr_t caller)
{
	if (!s->debug_is_short || !debug_free_one(s, object, caller))
		free_one_long(s, slab, object, caller);
}

/* The object stays where it is, and nobody holds it any more. */
static void leak(struct kmem_cache *owner, struct slab *slab, void *object)
{
	struct slab_view v = view_live(owner, slab);
	unsigned long *users = slab_user_map(owner, slab);

	if (users && view_is_valid_pointer(&v, object))
		bitmap_clear(users,
			     (unsigned int)(((uintptr_t)object - v.base) /
					    owner->size));
	machine_event(owner->machine, SLAB_EVENT_LEAK, owner, slab, object, 0,
		      0);
}

/* The slab's cache is another one, or none: 7.0 warns and leaks the object. */
static void wrong_cache(struct kmem_cache *s, struct slab *slab, void *object)
{
	struct slab_machine *m = s->machine;
	struct kmem_cache *other = slab->slab_cache;
	const char *name = "(NULL)";

	if (other && !machine_has_cache(m, other)) {
		name = "<unknown>";
		other = NULL;
	} else if (other) {
		name = other->name;
	}
	report_warn(m, SLAB_REPORT_DIFFERENT_CACHE, true, s, object,
		    "kmem_cache_free(%s, 0x%lx): object belongs to different cache %s",
		    s->name,
		    slab_machine_print_address(m, (uintptr_t)object), name);
	if (other)
		leak(other, slab, object);
}

struct slab *slab_of_freed(struct kmem_cache *s, void *object)
{
	struct slab *slab;

	if (cache_is_gone(s)) {
		cache_say_gone(s, "kmem_cache_free()");
		return NULL;
	}
	slab = virt_to_slab(s->machine, object);
	if (!slab) {
		report_warn(s->machine, SLAB_REPORT_NOT_IN_SLAB, true, s,
			    object,
			    "kmem_cache_free(%s, 0x%lx): object is not in a slab page",
			    s->name,
			    slab_machine_print_address(s->machine,
						       (uintptr_t)object));
		return NULL;
	}
	if (slab->slab_cache != s) {
		wrong_cache(s, slab, object);
		return NULL;
	}
	return slab;
}

void slab_free(struct kmem_cache *s, void *object, uintptr_t caller)
{
	struct slab *slab = slab_of_freed(s, object);

	if (slab)
		slab_free_one(s, slab, object, caller);
}

void slab_free_long(struct kmem_cache *s, void *object, uintptr_t caller)
{
	struct slab *slab = slab_of_freed(s, object);

	if (slab)
		free_one_long(s, slab, object, caller);
}

void kmem_cache_free(struct kmem_cache *s, void *object)
{
	if (__builtin_expect(!slab_fast_push(&s->fast, object), 0))
		slab_free_slow(s, object);
}
