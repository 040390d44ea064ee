/* SPDX-License-Identifier: MIT */
/*
 * cache/debug_alloc.c - allocation from debug caches: D1 to D5
 *
 * One object at a time, under list_lock (spec/debugging/checks.md 2.6). The
 * pop comes before the checks, as in 7.0, so a report shows inuse with this
 * object; but a head that no one can follow is not followed.
 */
#include "cache/cache.h"

#include "debug/lists.h"
#include "debug/report.h"

static void mark_user(const struct slab_view *v, const void *object)
{
	uintptr_t i = cache_slot(v->s, (uintptr_t)object - v->base);
	unsigned long *users = slab_user_map(v->s, v->slab);

	if (users && i < cache_slot(v->s, v->size))
		bitmap_set(users, (unsigned int)i);
}

/* The object passed its checks: it becomes the user's. */
static void hand_out(struct slab_view *v, void *object, size_t orig_size)
{
	struct kmem_cache *s = v->s;

	if (s->flags & SLAB_TRACE)
		report_trace(v, object, true);
	layout_set_orig_size(s, object, orig_size);
	layout_init_object(s, object, SLUB_RED_ACTIVE);
	mark_user(v, object);
	machine_event(s->machine, SLAB_EVENT_POP, s, v->slab, object,
		      v->slab->inuse, 0);
}

/* D5, and D2 for a slab that is on no list yet. */
static void freeze(struct slab_view *v)
{
	struct slab *slab = v->slab;

	report_fix(v, SLAB_FIX_ALL_USED, NULL);
	slab->inuse = slab->objects;
	slab->freelist = NULL;
	slab->frozen = 1;
	slab->stride = v->last_report;
	machine_event(v->s->machine, SLAB_EVENT_FREEZE, v->s, slab, NULL,
		      v->last_report, 0);
}

/* Takes the head off the chain; false when it leads out of the slab. */
static bool pop(struct slab_view *v, void *object)
{
	v->slab->inuse++;
	if (!view_may_follow(v, object))
		return false;
	v->slab->freelist = get_freepointer(v->s, object);
	return true;
}

void *debug_alloc_from_partial(struct kmem_cache *s, struct kmem_cache_node *n,
			       struct slab *slab, size_t orig_size)
{
	struct slab_view v = view_live(s, slab);
	void *object = slab->freelist;
	bool can_follow;

	if ((s->flags & SLAB_CONSISTENCY_CHECKS) && slab->type != PAGE_SLAB) {
		report_slab(&v, SLAB_REPORT_NOT_SLAB, NULL, 0, 0);
		return NULL;
	}
	can_follow = pop(&v, object);
	if (s->flags & SLAB_CONSISTENCY_CHECKS) {
		if (!check_alloc(&v, object)) {
			freeze(&v);
			lists_remove(s, n, slab);
			return NULL;
		}
	} else if (!can_follow) {
		slab->inuse--;
		slab_drop_bad_head(s, n, slab);
		return NULL;
	}
	hand_out(&v, object, orig_size);
	if (slab->inuse == slab->objects) {
		lists_remove(s, n, slab);
		lists_add_full(s, n, slab);
	}
	return object;
}

void *debug_alloc_from_new(struct kmem_cache *s, struct slab *slab,
			   size_t orig_size, gfp_t gfp)
{
	struct kmem_cache_node *n = slab_node(s, slab);
	struct slab_view v = view_live(s, slab);
	void *object = slab->freelist;
	bool spin = gfp & __GFP_RECLAIM;

	/* who may not wait must know before the object is touched */
	if (!spin && !machine_trylock(s->machine, &n->list_lock,
				      SLAB_POINT_LIST_LOCK)) {
		slab_free_pages(s, slab);
		return NULL;
	}
	(void)pop(&v, object);
	if ((s->flags & SLAB_CONSISTENCY_CHECKS) && !check_alloc(&v, object)) {
		/* damaged before anybody had it: left alone for good */
		freeze(&v);
		if (!spin)
			node_unlock(s, n);
		return NULL;
	}
	hand_out(&v, object, orig_size);
	if (spin)
		node_lock(s, n);
	if (slab->inuse == slab->objects)
		lists_add_full(s, n, slab);
	else
		lists_add_partial(s, n, slab, LIST_HEAD);
	slab_count(s, slab, 1);
	node_unlock(s, n);
	return object;
}
