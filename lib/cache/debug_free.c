/* SPDX-License-Identifier: MIT */
/*
 * cache/debug_free.c - frees to debug caches: D6 to D11
 *
 * Under list_lock (spec/debugging/checks.md 2.7). A chain that fails is
 * refused whole: nothing of it is linked and all of it is leaked.
 */
#include "cache/cache.h"

#include "debug/lists.h"
#include "debug/report.h"
#include "debug/track.h"

/* The objects of the chain are nobody's from now on; kept beside the slab so
 * that a map can say "lost". */
static void forget_users(struct slab_view *v, void *head, unsigned int cnt,
			 bool taken)
{
	unsigned long slots = cache_slot(v->s, v->size);
	unsigned long *users = slab_user_map(v->s, v->slab);
	void *p = head;

	while (users && cnt-- && view_may_follow(v, p)) {
		unsigned long i = cache_slot(v->s, (uintptr_t)p - v->base);

		/* who is refused a pointer into an object still has it */
		if (i < slots && (taken || view_is_valid_pointer(v, p)))
			bitmap_clear(users, (unsigned int)i);
		p = get_freepointer(v->s, p);
	}
}

struct free_track {
	uintptr_t addr;
	uint32_t handle;
};

/*
 * Steps 3 to 5: every object of the chain up to tail. How many were found;
 * 0 when one of them, *last, was refused.
 */
static unsigned int process_chain(struct slab_view *v, void *head, void *tail,
				  unsigned int cnt,
				  const struct free_track *track, void **last)
{
	struct kmem_cache *s = v->s;
	unsigned int seen = 0;
	void *object = head;

	for (;;) {
		*last = object;
		if (++seen > cnt)
			return seen;
		if (s->flags & SLAB_CONSISTENCY_CHECKS) {
			if (!check_free(v, s, object))
				return 0;
		} else if (!view_may_follow(v, object)) {
			report_slab(v, SLAB_REPORT_INVALID_POINTER, object, 0,
				    0);
			return 0;
		}
		if (s->flags & SLAB_STORE_USER)
			track_set(s, object, TRACK_FREE, track->addr,
				  track->handle);
		if (s->flags & SLAB_TRACE)
			report_trace(v, object, false);
		layout_init_object(s, object, SLUB_RED_INACTIVE);
		if (object == tail)
			return seen;
		object = get_freepointer(s, object);
	}
}

/* A hardened kernel dies when an object is linked to itself. */
static bool links_to_itself(struct slab_view *v, void *tail)
{
	if (!v->s->random || tail != v->slab->freelist)
		return false;
	report_object(v, SLAB_REPORT_ALREADY_FREE, tail);
	return true;
}

/* Steps 1 to 6 and the accounting: is the chain taken back? */
static bool take_back(struct slab_view *v, void *head, void *tail,
		      unsigned int cnt, const struct free_track *track)
{
	struct slab *slab = v->slab;
	void *last = head;
	unsigned int found;

	if ((v->s->flags & SLAB_CONSISTENCY_CHECKS) && !check_slab(v))
		goto refused;
	if (slab->inuse < cnt) {
		report_slab(v, SLAB_REPORT_BULK_INUSE, NULL, slab->inuse, cnt);
		goto refused;
	}
	found = process_chain(v, head, tail, cnt, track, &last);
	if (!found)
		goto refused;
	if (found != cnt) {
		report_slab(v, SLAB_REPORT_BULK_COUNT, NULL, cnt, found);
		if (found > cnt)
			goto refused;
	}
	if (links_to_itself(v, tail))
		goto refused;
	forget_users(v, head, found, true);
	slab->inuse -= found;
	set_freepointer(v->s, tail, slab->freelist);
	slab->freelist = head;
	machine_event(v->s->machine, SLAB_EVENT_PUSH, v->s, slab, head,
		      slab->inuse, found - 1);
	return true;

refused:
	report_fix(v, SLAB_FIX_NOT_FREED, last);
	forget_users(v, head, cnt, false);
	machine_event(v->s->machine, SLAB_EVENT_LEAK, v->s, slab, last, 0, 0);
	return false;
}

/* D6 to D9; true when the slab has to be discarded after the lock. */
static bool relist(struct kmem_cache *s, struct kmem_cache_node *n,
		   struct slab *slab)
{
	bool was_partial = slab_is_partial(slab);

	if (slab->inuse == 0 && n->nr_partial >= s->min_partial) {
		lists_remove(s, n, slab);
		if (was_partial)
			stat(s, SLAB_STAT_FREE_REMOVE_PARTIAL);
		/* under the lock: validate never sees lists and count differ */
		slab_count(s, slab, -1);
		return true;
	}
	if (was_partial) {
		lists_judge(s, n, slab);
	} else {
		lists_add_partial(s, n, slab, LIST_TAIL);
		stat(s, SLAB_STAT_FREE_ADD_PARTIAL);
	}
	return false;
}

void debug_free_chain(struct kmem_cache *s, struct slab *slab, void *head,
		      void *tail, unsigned int cnt, uintptr_t caller)
{
	struct kmem_cache_node *n = slab_node(s, slab);
	struct slab_view v = view_live(s, slab);
	struct free_track track = { 0 };
	bool discard = false;

	if (s->flags & SLAB_STORE_USER)
		track.handle = track_prepare(s->machine, caller, &track.addr);
	node_lock(s, n);
	if (take_back(&v, head, tail, cnt, &track))
		discard = relist(s, n, slab);
	else
		slab_drop_freelist(s, n, slab);
	node_unlock(s, n);
	if (discard) {
		stat(s, SLAB_STAT_FREE_SLAB);
		slab_discard(s, slab);
	}
}
