/* SPDX-License-Identifier: MIT */
/* tests/property/shadow.c - what must be true of a world, and of its bytes */
#include "world.h"

#include <stdarg.h>
#include <stdlib.h>

#include <slab/inject.h>

#include "inspect/check.h"

/* ---- failing, and telling what was done ---- */
bool fail(struct world *w, const char *format, ...)
{
	va_list args;

	if (w->outcome->failed)
		return false;
	w->outcome->failed = true;
	w->outcome->at = w->at;
	va_start(args, format);
	vsnprintf(w->outcome->text, sizeof(w->outcome->text), format, args);
	va_end(args);
	return false;
}

void say(struct world *w, const char *format, ...)
{
	va_list args;

	if (!w->script)
		return;
	va_start(args, format);
	vfprintf(w->script, format, args);
	va_end(args);
}

/* A command that may give NULL, which is an error to slabctl. */
const char *maybe(const struct world *w)
{
	return w->may_fail || w->fail_rate || w->settings->pages ? "catch {" :
								   "";
}

const char *maybe_end(const struct world *w)
{
	return *maybe(w) ? "}" : "";
}

void on_record(void *arg, const struct slab_report *r)
{
	struct world *w = arg;

	if (r->record == SLAB_RECORD_REPORT)
		fail(w, "report: %s: %.160s; wanted none", r->cache, r->text);
}

/* ---- the user's bytes ---- */
uint8_t pattern(uint8_t key, size_t i)
{
	return (uint8_t)(key + 13 * i + (i >> 8));
}

void object_write(struct world *w, struct object *o)
{
	size_t i;

	o->key = w->next_key++;
	if (o->is_constructed)
		return;
	for (i = 0; i < o->size; i++)
		o->p[i] = pattern(o->key, i);
	if (w->settings->plant)
		slab_poke(w->m, (uintptr_t)o->p + o->size, "!", 1);
}

bool object_check(struct world *w, const struct object *o)
{
	size_t i;

	if (o->is_constructed)
		return o->p[0] == CONSTRUCTED ||
		       fail(w, "constructor: byte 0 is %02x, wanted %02x",
			    o->p[0], CONSTRUCTED);
	for (i = 0; i < o->size; i++)
		if (o->p[i] != pattern(o->key, i))
			return fail(w, "contents: byte %zu of %zu is %02x, wanted %02x",
				    i, o->size, o->p[i], pattern(o->key, i));
	return true;
}

static bool all_bytes(struct world *w, const uint8_t *p, size_t from,
		      size_t to, uint8_t wanted)
{
	for (; from < to; from++)
		if (p[from] != wanted)
			return fail(w, "fresh: byte %zu is %02x, wanted %02x",
				    from, p[from], wanted);
	return true;
}

/* What a new object of s must hold; request: what was asked for. */
static bool fresh_check(struct world *w, const struct kmem_cache *s,
			const uint8_t *p, size_t request, gfp_t gfp)
{
	bool init = w->settings->init_on_alloc &&
		    !(s->flags & (SLAB_POISON | SLAB_TYPESAFE_BY_RCU));
	size_t end;

	if (s->ctor)
		return p[0] == CONSTRUCTED ||
		       fail(w, "constructor: byte 0 is %02x, wanted %02x",
			    p[0], CONSTRUCTED);
	if ((gfp & __GFP_ZERO) || init)
		return all_bytes(w, p, 0, request, 0);
	if (!(s->flags & SLAB_OBJECT_POISON))
		return true;
	/* the end byte stands where the red zone begins */
	end = cache_has_orig_size(s) && (s->flags & SLAB_RED_ZONE) ?
		      request :
		      s->object_size;
	return all_bytes(w, p, 0, MIN(request, end - 1), POISON_FREE) &&
	       all_bytes(w, p, end - 1, request, POISON_END);
}

/* ---- who has what ---- */
static bool is_apart(struct world *w, const struct object *o,
		     const struct object *all, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		const struct object *other = &all[i];

		if (other == o || !other->p)
			continue;
		if (o->p < other->p + other->size && other->p < o->p + o->size)
			return fail(w, "overlap: an object of %zu bytes lies %ld bytes from one of %zu that is in use",
				    o->size, (long)(o->p - other->p),
				    other->size);
	}
	return true;
}

bool is_apart_of_all(struct world *w, const struct object *o)
{
	return is_apart(w, o, w->objects, NR_OBJECTS) &&
	       is_apart(w, o, w->waiting, w->nr_waiting);
}

bool take_over(struct world *w, struct object *o, uint8_t *p,
		      size_t size, gfp_t gfp, bool is_kmalloc)
{
	struct slab *slab = virt_to_slab(w->m, p);

	*o = (struct object){ .p = p, .size = size, .is_kmalloc = is_kmalloc };
	if (slab) {
		o->s = slab->slab_cache;
		o->is_constructed = o->s->ctor != NULL;
		if ((uintptr_t)p % o->s->align)
			return fail(w, "align: 0x%lx is not aligned to %u",
				    (unsigned long)p, o->s->align);
	} else if (!is_kmalloc || size <= KMALLOC_MAX_CACHE_SIZE) {
		return fail(w, "slab: an object of %zu bytes is in no slab",
			    size);
	}
	if (!is_apart_of_all(w, o))
		return false;
	if (o->s && !fresh_check(w, o->s, p, size, gfp))
		return false;
	object_write(w, o);
	return true;
}

/* NULL where memory is short or a failure was asked for is fine. */
bool null_is_fine(struct world *w)
{
	bool fine = w->may_fail || w->fail_rate || w->settings->pages;

	w->may_fail = false;
	return fine || fail(w, "null: an allocation gave NULL, wanted an object");
}

size_t count_of(const struct world *w, const struct kmem_cache *s)
{
	size_t n = 0, i;

	for (i = 0; i < NR_OBJECTS; i++)
		n += w->objects[i].p && w->objects[i].s == s;
	return n;
}

bool touched(struct world *w, struct kmem_cache *s)
{
	const char *broken = s ? cache_check(s) : NULL;

	return !broken || fail(w, "invariant %s: %s", s->name, broken);
}

/* After an op: N5, by what we know of users. */
bool settled(struct world *w, struct kmem_cache *s)
{
	const char *broken = s ? cache_check_users(s, count_of(w, s)) : NULL;

	return !broken || fail(w, "invariant %s, %zu users: %s", s->name,
			       count_of(w, s), broken);
}

/* S12: a free leaves an empty slab listed only while few are. */
bool freed(struct world *w, struct kmem_cache *s, const void *p)
{
	struct slab *slab = virt_to_slab(w->m, p);
	struct kmem_cache_node *n;

	if (slab && slab->slab_cache == s && !slab->inuse) {
		n = slab_node(s, slab);
		if (n->nr_partial > s->min_partial)
			return fail(w, "empty: a free keeps an empty slab among %lu partial ones, wanted at most %lu",
				    n->nr_partial, s->min_partial);
	}
	return touched(w, s);
}

bool waiting_check(struct world *w)
{
	size_t i;

	for (i = 0; i < w->nr_waiting; i++)
		if (!object_check(w, &w->waiting[i]))
			return false;
	return true;
}

static bool nothing_deferred(struct world *w)
{
	unsigned int cpu;

	for (cpu = 0; cpu < w->settings->cpus; cpu++)
		if (w->m->nr_deferred[cpu])
			return fail(w, "deferred: CPU %u has %u objects and no interrupt, wanted 0",
				    cpu, w->m->nr_deferred[cpu]);
	return true;
}

/* Every object of every slab is somebody's, and we know whose. */
static bool owners_check(struct world *w, const struct slab_cache_info *info)
{
	unsigned long sum = 0, lent = 0;
	unsigned int i;

	for (i = 0; i < SLAB_NR_OWNERS; i++)
		sum += info->owned[i];
	for (i = 0; i < NR_LENT; i++)
		if (w->lent[i].sheaf &&
		    w->lent[i].s == (struct kmem_cache *)info->cache)
			lent += w->lent[i].size;
	if (sum != info->total.total_objects)
		return fail(w, "owners: %s has %lu objects, and %lu have an owner",
			    info->name, info->total.total_objects, sum);
	if (info->owned[SLAB_OWNER_USER] != info->users)
		return fail(w, "owners: %s: %lu are users', wanted %lu",
			    info->name, info->owned[SLAB_OWNER_USER],
			    info->users);
	if (info->owned[SLAB_OWNER_PREFILLED] != lent)
		return fail(w, "owners: %s: %lu are lent, wanted %lu",
			    info->name, info->owned[SLAB_OWNER_PREFILLED],
			    lent);
	if (info->owned[SLAB_OWNER_LOST] || info->owned[SLAB_OWNER_UNKNOWN])
		return fail(w, "owners: %s: %lu are lost, %lu unknown, wanted 0",
			    info->name, info->owned[SLAB_OWNER_LOST],
			    info->owned[SLAB_OWNER_UNKNOWN]);
	return true;
}

bool everything_check(struct world *w)
{
	struct slab_cache_info *caches;
	size_t nr, i;
	long n;
	bool ok = true;

	for (i = 0; i < NR_OBJECTS && ok; i++)
		if (w->objects[i].p)
			ok = object_check(w, &w->objects[i]);
	if (!ok || !waiting_check(w) || !nothing_deferred(w))
		return false;
	n = slab_target_verify(w->t, 0, on_record, w);
	if (n)
		return fail(w, "verify: %ld findings, wanted 0", n);
	if (slab_target_caches(w->t, &caches, &nr))
		return fail(w, "inspect: no caches");
	for (i = 0; i < nr && ok; i++) {
		struct kmem_cache *s = (struct kmem_cache *)caches[i].cache;

		ok = touched(w, s);
		if (ok && caches[i].users != count_of(w, s))
			ok = fail(w, "users: %s has %lu objects in use, wanted %zu",
				  caches[i].name, caches[i].users,
				  count_of(w, s));
	}
	for (i = 0; i < nr && ok; i++)
		ok = owners_check(w, &caches[i]);
	free(caches);
	return ok;
}
