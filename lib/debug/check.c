/* SPDX-License-Identifier: MIT */
/* debug/check.c - see check.h; numbers are those of spec/debugging/checks.md */
#include "debug/check.h"

#include "debug/report.h"
#include "slab/geometry.h"

/* 2.1 steps 2 to 4. The labels are the titles without " overwritten". */
static __attribute__((cold, noinline)) void
tell_bytes(struct slab_view *v, enum slab_report_kind kind, const char *label,
	   void *object, uintptr_t start, uint8_t wanted, size_t n,
	   bool is_full)
{
	const uint8_t *at = view_at(v, start);
	size_t first = bytes_find_other(at, wanted, n);
	size_t last = bytes_rfind_other(at, wanted, n);

	report_bytes(v, kind, object, label, start + first, start + last,
		     wanted, is_full);
	if (v->is_live) {
		report_fix_restoring(v, label, start + first, start + last,
				     wanted);
		bytes_fill(view_at(v, start + first), wanted, last - first + 1);
	}
}

static bool check_bytes(struct slab_view *v, enum slab_report_kind kind,
			const char *label, void *object, uintptr_t start,
			uint8_t wanted, size_t n, bool is_full)
{
	if (bytes_are(view_at(v, start), wanted, n))
		return true;
	tell_bytes(v, kind, label, object, start, wanted, n, is_full);
	return false;
}

/* Red zones on both sides, and behind a request smaller than its class. */
static bool check_redzones(struct slab_view *v, void *object, uint8_t val)
{
	const struct kmem_cache *s = v->s;
	uintptr_t p = (uintptr_t)object;
	bool ok = true;

	ok &= check_bytes(v, SLAB_REPORT_LEFT_REDZONE, "Left Redzone", object,
			  p - s->red_left_pad, val, s->red_left_pad, ok);
	ok &= check_bytes(v, SLAB_REPORT_RIGHT_REDZONE, "Right Redzone", object,
			  p + s->object_size, val, s->inuse - s->object_size,
			  ok);
	if (cache_has_orig_size(s) && val == SLUB_RED_ACTIVE) {
		size_t orig = layout_get_orig_size(s, view_at(v, p));

		if (s->object_size > orig)
			ok &= check_bytes(v, SLAB_REPORT_KMALLOC_REDZONE,
					  "kmalloc Redzone", object, p + orig,
					  val, s->object_size - orig, ok);
	}
	return ok;
}

static bool check_poison(struct slab_view *v, void *object, uint8_t val,
			 bool ok)
{
	const struct kmem_cache *s = v->s;
	uintptr_t p = (uintptr_t)object;
	unsigned int meta_end = layout_meta_end(s);

	if (val == SLUB_RED_INACTIVE && (s->flags & SLAB_OBJECT_POISON)) {
		ok &= check_bytes(v, SLAB_REPORT_POISON, "Poison", object, p,
				  POISON_FREE, s->object_size - 1, ok);
		ok &= check_bytes(v, SLAB_REPORT_END_POISON, "End Poison",
				  object, p + s->object_size - 1, POISON_END, 1,
				  ok);
	}
	/* the padding always comes with the whole object */
	ok &= check_bytes(v, SLAB_REPORT_OBJECT_PADDING, "Object padding",
			  object, p + meta_end, POISON_INUSE,
			  layout_span(s) - meta_end, true);
	return ok;
}

bool check_object(struct slab_view *v, void *object, uint8_t val)
{
	const struct kmem_cache *s = v->s;
	uintptr_t p = (uintptr_t)object;
	bool ok = true;

	if (s->flags & SLAB_RED_ZONE)
		ok = check_redzones(v, object, val);
	else if ((s->flags & SLAB_POISON) && s->object_size < s->inuse)
		ok = check_bytes(v, SLAB_REPORT_ALIGNMENT_PADDING,
				 "Alignment padding", object,
				 p + s->object_size, POISON_INUSE,
				 s->inuse - s->object_size, ok);
	if (s->flags & SLAB_POISON)
		ok = check_poison(v, object, val, ok);

	/* inside an object in use it is the user's data */
	if (!freeptr_is_outside(s) && val == SLUB_RED_ACTIVE)
		return ok;
	if (!view_is_valid_pointer(v, view_freepointer(v, p))) {
		report_object(v, SLAB_REPORT_FREEPTR_OBJECT, object);
		/* the rest of its chain is lost; a count check will say so */
		if (v->is_live)
			view_set_freepointer(v, p, NULL);
		ok = false;
	}
	return ok;
}

void check_slab_padding(struct slab_view *v)
{
	size_t bytes = MIN(slab_bytes(v->slab), v->size);
	size_t rest = bytes - cache_slot(v->s, bytes) * v->s->size;
	uintptr_t tail = v->base + bytes - rest;
	size_t first, last;

	if (!(v->s->flags & SLAB_POISON) ||
	    bytes_are(view_at(v, tail), POISON_INUSE, rest))
		return;
	first = bytes_find_other(view_at(v, tail), POISON_INUSE, rest);
	last = bytes_rfind_other(view_at(v, tail), POISON_INUSE, rest);
	report_tail(v, tail + first, tail + last);
	if (v->is_live) {
		report_fix_restoring(v, "slab padding", tail + first,
				     tail + last, POISON_INUSE);
		bytes_fill(view_at(v, tail + first), POISON_INUSE,
			   last - first + 1);
	}
}

bool check_slab(struct slab_view *v)
{
	const struct slab *slab = v->slab;
	unsigned long max = cache_slot(v->s, slab_bytes(slab));

	if (slab->objects > max) {
		report_slab(v, SLAB_REPORT_OBJECTS_MAX, NULL, slab->objects,
			    (long)max);
		return false;
	}
	if (slab->inuse > slab->objects) {
		report_slab(v, SLAB_REPORT_INUSE_MAX, NULL, slab->inuse,
			    slab->objects);
		return false;
	}
	if (slab->frozen) {
		report_slab(v, SLAB_REPORT_DISABLED, NULL, 0, 0);
		return false;
	}
	check_slab_padding(v);
	return true;
}

static void clear_freelist(struct slab_view *v)
{
	if (!v->is_live)
		return;
	v->slab->freelist = NULL;
	v->slab->inuse = v->slab->objects;
	report_fix(v, SLAB_FIX_FREELIST_CLEARED, NULL);
}

/* 2.5 steps 5 and 6. */
static void check_counts(struct slab_view *v, unsigned int nr_free)
{
	struct slab *slab = v->slab;
	unsigned int max = slab_max_objects(v->s, slab);
	int counted;

	if (slab->objects != max) {
		report_slab(v, SLAB_REPORT_WRONG_OBJECTS, NULL, slab->objects,
			    (long)max);
		if (v->is_live) {
			/* a damaged order must not invent objects */
			slab->order = (uint8_t)get_order(v->size);
			slab->objects = slab_max_objects(v->s, slab) &
					MAX_OBJS_PER_SLAB;
			report_fix(v, SLAB_FIX_OBJECTS_ADJUSTED, NULL);
		}
	}
	counted = (int)slab->objects - (int)nr_free;
	if ((int)slab->inuse != counted) {
		report_slab(v, SLAB_REPORT_WRONG_COUNT, NULL, slab->inuse,
			    counted);
		if (v->is_live) {
			slab->inuse = (unsigned int)counted & 0xffff;
			report_fix(v, SLAB_FIX_COUNT_ADJUSTED, NULL);
		}
	}
}

/*
 * The map of users beside a slab, on native machines, where nobody damages it:
 * what it has is not on the chain (DIVERGENCE: free-index). No map, or a slab
 * whose count is wrong: nobody knows.
 */
static bool is_users(const struct slab_view *v, const void *object)
{
	uintptr_t i = cache_slot(v->s, (uintptr_t)object - v->base);
	const struct slab *slab = v->slab;
	const unsigned long *users;

	if (!v->s->machine->is_native || !v->is_live || i >= slab->objects)
		return false;
	users = slab_user_map(v->s, slab);
	return users && slab->objects == slab_max_objects(v->s, slab) &&
	       bitmap_test(users, (unsigned int)i);
}

/* All that is known of a chain without walking it: does it begin in free
 * objects, and end where the count says? */
static bool chain_begins_right(const struct slab_view *v)
{
	const struct slab *slab = v->slab;
	void *p = slab->freelist, *next;

	if (!p || !view_is_valid_pointer(v, p) || is_users(v, p))
		return !p && slab->inuse == slab->objects;
	next = view_freepointer(v, (uintptr_t)p);
	if (!next)
		return slab->inuse + 1U == slab->objects;
	return next != p && view_is_valid_pointer(v, next) &&
	       !is_users(v, next);
}

bool check_on_freelist(struct slab_view *v, const void *search)
{
	struct slab *slab = v->slab;
	void *p = slab->freelist, *prev = NULL;
	unsigned int nr = 0;

	/* a cache that counts what it does is looked at, not raced with */
	if (is_users(v, search) && !v->s->stats && chain_begins_right(v))
		return false;
	while (p && nr <= slab->objects) {
		if (p == search)
			return true;
		if (!view_is_valid_pointer(v, p) || is_users(v, p)) {
			if (!prev) {
				report_slab(v, SLAB_REPORT_FREEPTR_SLAB, NULL,
					    0, 0);
				clear_freelist(v);
				return false;
			}
			report_object(v, SLAB_REPORT_FREECHAIN, prev);
			if (v->is_live)
				view_set_freepointer(v, (uintptr_t)prev, NULL);
			break;
		}
		prev = p;
		p = view_freepointer(v, (uintptr_t)p);
		nr++;
	}
	if (nr > slab->objects) {
		report_slab(v, SLAB_REPORT_FREELIST_CYCLE, NULL, 0, 0);
		clear_freelist(v);
		return false;
	}
	check_counts(v, nr);
	return !search;
}

bool check_alloc(struct slab_view *v, void *object)
{
	if (!check_slab(v))
		return false;
	if (!object || !view_is_valid_pointer(v, object)) {
		report_object(v, SLAB_REPORT_FREELIST_POINTER, object);
		return false;
	}
	return check_object(v, object, SLUB_RED_INACTIVE);
}

bool check_free(struct slab_view *v, struct kmem_cache *s, void *object)
{
	if (!view_is_valid_pointer(v, object)) {
		report_slab(v, SLAB_REPORT_INVALID_POINTER, object, 0, 0);
		return false;
	}
	if (check_on_freelist(v, object)) {
		report_object(v, SLAB_REPORT_ALREADY_FREE, object);
		return false;
	}
	if (!check_object(v, object, SLUB_RED_ACTIVE))
		return false;
	if (v->slab->slab_cache == s)
		return true;
	if (!v->slab->slab_cache)
		report_slab(v, SLAB_REPORT_NO_SLAB_CACHE, object, 0, 0);
	else
		report_object(v, SLAB_REPORT_SLAB_POINTER, object);
	return false;
}

bool check_validate_slab(struct slab_view *v, unsigned long *free_map)
{
	struct slab *slab = v->slab;
	unsigned int i;
	void *p;

	if (!check_slab(v) || !check_on_freelist(v, NULL))
		return false;
	for (i = 0; i < slab->objects; i++)
		bitmap_clear(free_map, i);
	/* the chain was just walked to its end, or cut there */
	for (p = slab->freelist, i = 0; p && i < slab->objects; i++) {
		if (!view_is_valid_pointer(v, p))
			break;
		bitmap_set(free_map, (unsigned int)cache_slot(
					     v->s, (uintptr_t)p - v->base));
		p = view_freepointer(v, (uintptr_t)p);
	}
	for (i = 0; i < view_nr_objects(v); i++) {
		void *object = (void *)slab_object(v->s, v->base, i);

		if (!check_object(v, object,
				  bitmap_test(free_map, i) ? SLUB_RED_INACTIVE
							   : SLUB_RED_ACTIVE))
			return false;
	}
	return true;
}
