/* SPDX-License-Identifier: MIT */
/* tests/property/world.c - a machine, and beside it what should be true */
#include "property.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <slab/debug.h>
#include <slab/inject.h>
#include <slab/inspect.h>
#include <slab/kmalloc.h>
#include <slab/machine.h>

#include "slab/node.h"

#define EVERYTHING_EACH 1000
#define ENOUGH_PAGES	50000UL /* a broken library must not eat the host */
#define CONSTRUCTED	0xc7

/* An object in a user's hands, or one that waits for a grace period. */
struct object {
	uint8_t *p; /* NULL: the slot is empty */
	struct kmem_cache *s; /* NULL: whole pages */
	size_t size;	    /* the user's bytes */
	uint8_t key;	    /* of the pattern in them */
	bool is_kmalloc, is_constructed;
};

struct cache {
	struct kmem_cache *s;
	slab_flags_t flags;
	unsigned int align; /* asked for */
	char name[8];
};

struct world {
	const struct settings *settings;
	struct slab_machine *m;
	struct slab_target *t;
	FILE *script;
	struct outcome *outcome;
	size_t at;
	struct cache caches[NR_CACHES];
	struct object objects[NR_OBJECTS];
	struct object *waiting; /* for a grace period */
	size_t nr_waiting, max_waiting;
	bool may_fail; /* the next allocation may give NULL */
	uint8_t next_key;
};

/* ---- failing, and telling what was done ---- */
static bool fail(struct world *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static bool fail(struct world *w, const char *format, ...)
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

static void say(struct world *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void say(struct world *w, const char *format, ...)
{
	va_list args;

	if (!w->script)
		return;
	va_start(args, format);
	vfprintf(w->script, format, args);
	va_end(args);
}

/* A command that may give NULL, which is an error to slabctl. */
static const char *maybe(const struct world *w)
{
	return w->may_fail || w->settings->pages ? "catch {" : "";
}

static const char *maybe_end(const struct world *w)
{
	return *maybe(w) ? "}" : "";
}

static void on_record(void *arg, const struct slab_report *r)
{
	struct world *w = arg;

	if (r->record == SLAB_RECORD_REPORT)
		fail(w, "report: %s: %.160s; wanted none", r->cache, r->text);
}

/* ---- the user's bytes ---- */
static uint8_t pattern(uint8_t key, size_t i)
{
	return (uint8_t)(key + 13 * i + (i >> 8));
}

static void object_write(struct world *w, struct object *o)
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

static bool object_check(struct world *w, const struct object *o)
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

static bool take_over(struct world *w, struct object *o, uint8_t *p,
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
	if (!is_apart(w, o, w->objects, NR_OBJECTS) ||
	    !is_apart(w, o, w->waiting, w->nr_waiting))
		return false;
	if (o->s && !fresh_check(w, o->s, p, size, gfp))
		return false;
	object_write(w, o);
	return true;
}

/* NULL where memory is short or a failure was asked for is fine. */
static bool null_is_fine(struct world *w)
{
	bool fine = w->may_fail || w->settings->pages;

	w->may_fail = false;
	return fine || fail(w, "null: an allocation gave NULL, wanted an object");
}

static size_t count_of(const struct world *w, const struct kmem_cache *s)
{
	size_t n = 0, i;

	for (i = 0; i < NR_OBJECTS; i++)
		n += w->objects[i].p && w->objects[i].s == s;
	for (i = 0; i < w->nr_waiting; i++)
		n += w->waiting[i].s == s;
	return n;
}

static bool touched(struct world *w, struct kmem_cache *s)
{
	const char *broken = s ? cache_check(s) : NULL;

	return !broken || fail(w, "invariant %s: %s", s->name, broken);
}

/* S12: a free leaves an empty slab listed only while few are. */
static bool freed(struct world *w, struct kmem_cache *s, const void *p)
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

static bool everything_check(struct world *w)
{
	struct slab_cache_info *caches;
	size_t nr, i;
	long n;
	bool ok = true;

	for (i = 0; i < NR_OBJECTS && ok; i++)
		if (w->objects[i].p)
			ok = object_check(w, &w->objects[i]);
	if (!ok)
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
	free(caches);
	return ok;
}

/* ---- ops on caches ---- */
static void construct(void *p)
{
	*(uint8_t *)p = CONSTRUCTED;
}

static unsigned int size_for(uint32_t a)
{
	switch (a % 8) {
	case 0:
		return 1 + a / 8 % 16;
	case 1:
	case 2:
	case 3:
		return 1 + a / 8 % 512;
	case 4:
	case 5:
		return 1 + a / 8 % 2048;
	case 6:
		return 1 + a / 8 % 9000;
	default:
		return 8U << a / 8 % 8;
	}
}

static const char *flag_words(slab_flags_t flags, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s",
		 flags & SLAB_NO_MERGE ? "no_merge," : "",
		 flags & SLAB_TYPESAFE_BY_RCU ? "typesafe_by_rcu," : "",
		 flags & SLAB_HWCACHE_ALIGN ? "hwcache_align," : "");
	if (*buf)
		buf[strlen(buf) - 1] = '\0';
	return buf;
}

static bool op_create(struct world *w, const struct op *op)
{
	struct cache *c = &w->caches[op->cache];
	struct kmem_cache_args args = { 0 };
	unsigned int size = size_for(op->a);
	char letters[8], words[64];

	if (c->s)
		return true;
	/* half of them debug, any letters but T, which floods */
	c->flags = op->b & 1 ? op->b >> 1 &
				       (SLAB_DEBUG_DEFAULT_FLAGS) :
			       0;
	if (op->b >> 9 & 1)
		c->flags |= SLAB_NO_MERGE;
	if ((op->b >> 10 & 7) == 0)
		c->flags |= SLAB_TYPESAFE_BY_RCU;
	if ((op->b >> 13 & 3) == 0)
		c->flags |= SLAB_HWCACHE_ALIGN;
	if ((op->b >> 15 & 3) == 0)
		args.align = 8U << (op->b >> 17 & 7);
	if ((op->b >> 20 & 7) == 0)
		args.ctor = construct;
	c->align = MAX(args.align, 8U);
	snprintf(c->name, sizeof(c->name), "c%u", op->cache);
	say(w, "\tcache create %s size=%u", c->name, size);
	if (args.align)
		say(w, " align=%u", args.align);
	if (c->flags & SLAB_DEBUG_DEFAULT_FLAGS)
		say(w, " debug=%s",
		    slab_debug_text(c->flags & SLAB_DEBUG_DEFAULT_FLAGS,
				    letters));
	if (*flag_words(c->flags, words, sizeof(words)))
		say(w, " flags=%s", words);
	say(w, "%s\n", args.ctor ? " ctor=0xc7" : "");
	c->s = kmem_cache_create(c->name, size, &args, c->flags);
	if (!c->s)
		return fail(w, "create: %u bytes, flags %x: NULL, errno %d",
			    size, c->flags, errno);
	return touched(w, c->s);
}

static unsigned int names_of(const struct world *w, const struct kmem_cache *s)
{
	unsigned int n = 0, i;

	for (i = 0; i < NR_CACHES; i++)
		n += w->caches[i].s == s;
	return n;
}

/* A cache goes with its last name, and only when it is empty: what is left in
 * it would be a report. */
static bool op_destroy(struct world *w, const struct op *op)
{
	struct cache *c = &w->caches[op->cache];
	struct kmem_cache *s = c->s;
	unsigned int names = s ? names_of(w, s) : 0;
	int err;

	if (!s || (names == 1 && count_of(w, s)))
		return true;
	say(w, "\tcache destroy %s\n", c->name);
	c->s = NULL;
	err = kmem_cache_destroy(s);
	if (err)
		return fail(w, "destroy: %s gives %d, wanted 0", c->name, err);
	w->nr_waiting = 0; /* it waits for grace periods */
	return names == 1 || touched(w, s);
}

static bool op_on_cache(struct world *w, const struct op *op)
{
	struct cache *c = &w->caches[op->cache];
	long n = 0;

	if (!c->s)
		return true;
	switch (op->kind) {
	case OP_SHRINK:
		say(w, "\tcache shrink %s\n", c->name);
		kmem_cache_shrink(c->s);
		break;
	case OP_VALIDATE:
		say(w, "\tvalidate %s\n", c->name);
		n = validate_slab_cache(c->s);
		break;
	case OP_VERIFY:
		say(w, "\tverify %s\n", c->name);
		n = slab_target_verify(w->t, (uintptr_t)c->s, on_record, w);
		break;
	case OP_MIN_PARTIAL:
		say(w, "\techo %u > /sys/kernel/slab/%s/min_partial\n",
		    op->a % 12, c->name);
		slab_cache_set_min_partial(c->s, op->a % 12);
		break;
	}
	return n < 0 ? fail(w, "validate: %ld, wanted a count", n) :
		       touched(w, c->s);
}

/* ---- ops on objects ---- */
static bool op_alloc(struct world *w, const struct op *op)
{
	struct cache *c = &w->caches[op->cache];
	struct object *o = &w->objects[op->object];
	int node = op->a & 8 ? (int)(op->a >> 4) % (int)w->settings->nodes :
			       NUMA_NO_NODE;
	gfp_t gfp = GFP_KERNEL;
	uint8_t *p;

	if (!c->s || o->p)
		return true;
	if (!c->s->ctor && (op->a & 7) == 1)
		gfp |= __GFP_ZERO;
	if ((op->a & 7) == 2)
		gfp = GFP_NOWAIT;
	say(w, "\t%salloc %s as o%u%s", maybe(w), c->name, op->object,
	    gfp & __GFP_ZERO  ? " gfp=zero" :
	    gfp == GFP_NOWAIT ? " gfp=nowait" :
				"");
	if (node >= 0)
		say(w, " node=%d", node);
	say(w, "%s\n", maybe_end(w));
	p = kmem_cache_alloc_node(c->s, gfp, node);
	if (!p)
		return null_is_fine(w) && touched(w, c->s);
	if ((uintptr_t)p % c->align)
		return fail(w, "align: 0x%lx is not aligned to %u",
			    (unsigned long)p, c->align);
	return take_over(w, o, p, kmem_cache_size(c->s), gfp, false) &&
	       touched(w, c->s);
}

static bool op_free(struct world *w, const struct op *op)
{
	struct object *o = &w->objects[op->object], gone = *o;

	if (!o->p)
		return true;
	if (!object_check(w, o))
		return false;
	o->p = NULL;
	say(w, "\tfree $o%u\n", op->object);
	if (!gone.is_kmalloc)
		kmem_cache_free(gone.s, gone.p);
	else if (op->a & 1)
		kfree(gone.p);
	else
		kfree_sensitive(gone.p);
	return !gone.s || freed(w, gone.s, gone.p);
}

static bool op_bulk_alloc(struct world *w, const struct op *op)
{
	struct cache *c = &w->caches[op->cache];
	unsigned int nr = 1 + op->a % MAX_BULK, i;
	void *p[MAX_BULK];

	if (!c->s || op->object + nr > NR_OBJECTS)
		return true;
	for (i = 0; i < nr; i++)
		if (w->objects[op->object + i].p)
			return true;
	say(w, "\t%salloc %s %u as", maybe(w), c->name, nr);
	for (i = 0; i < nr; i++)
		say(w, " o%u", op->object + i);
	say(w, " bulk%s\n", maybe_end(w));
	i = (unsigned int)kmem_cache_alloc_bulk(c->s, GFP_KERNEL, nr, p);
	if (!i)
		return null_is_fine(w) && touched(w, c->s);
	if (i != nr)
		return fail(w, "bulk: %u objects, wanted %u or 0", i, nr);
	for (i = 0; i < nr; i++)
		if (!take_over(w, &w->objects[op->object + i], p[i],
			       kmem_cache_size(c->s), GFP_KERNEL, false))
			return false;
	return touched(w, c->s);
}

/* Objects of one cache; or of any, and whole pages, when none is named. */
static bool op_bulk_free(struct world *w, const struct op *op)
{
	bool any = op->b & 1;
	unsigned int want = 1 + op->a % MAX_BULK, nr = 0, i;
	struct kmem_cache *s[MAX_BULK], *of = NULL;
	void *p[MAX_BULK];

	for (i = op->object; i < NR_OBJECTS && nr < want; i++) {
		struct object *o = &w->objects[i];

		if (!o->p || (!any && (!o->s || (of && o->s != of))))
			continue;
		if (!object_check(w, o))
			return false;
		say(w, "%s $o%u", nr ? "" : "\tfree", i);
		of = o->s;
		s[nr] = o->s;
		p[nr++] = o->p;
		o->p = NULL;
	}
	if (!nr)
		return true;
	/* slabctl's bulk free is always to one cache */
	say(w, any ? " ;# in one kmem_cache_free_bulk(NULL, ...)\n" :
		     " bulk\n");
	kmem_cache_free_bulk(any ? NULL : of, nr, p);
	for (i = 0; i < nr; i++)
		if (!touched(w, s[i]))
			return false;
	return true;
}

/* Everything users have of the cache, by any of its names. */
static bool op_drain(struct world *w, const struct op *op)
{
	struct kmem_cache *s = w->caches[op->cache].s;
	unsigned int i;

	if (!s || !count_of(w, s))
		return true;
	for (i = 0; i < w->nr_waiting; i++)
		if (w->waiting[i].s == s)
			return true;
	say(w, "\tfree all %s\n", w->caches[op->cache].name);
	for (i = 0; i < NR_OBJECTS; i++) {
		struct object *o = &w->objects[i];

		if (!o->p || o->s != s)
			continue;
		if (!object_check(w, o))
			return false;
		kmem_cache_free(s, o->p);
		if (!freed(w, s, o->p))
			return false;
		o->p = NULL;
	}
	return true;
}

static bool op_write(struct world *w, const struct op *op)
{
	struct object *o = &w->objects[op->object];

	if (!o->p)
		return true;
	if (!object_check(w, o))
		return false;
	say(w, "\tfill $o%u %zu 0x%02x\n", op->object, o->size, w->next_key);
	object_write(w, o);
	return true;
}

static size_t kmalloc_size_for(uint32_t a)
{
	return a % 16 == 0 ? 8000 + a / 16 % 40000 : size_for(a);
}

static bool op_kmalloc(struct world *w, const struct op *op)
{
	struct object *o = &w->objects[op->object];
	size_t size = kmalloc_size_for(op->a);
	gfp_t gfp = op->b & 1 ? GFP_KERNEL | __GFP_ZERO : GFP_KERNEL;
	uint8_t *p;

	if (o->p)
		return true;
	say(w, "\t%skmalloc %zu as o%u%s%s\n", maybe(w), size, op->object,
	    op->b & 1 ? " gfp=zero" : "", maybe_end(w));
	p = kmalloc(size, gfp);
	if (!p)
		return null_is_fine(w);
	return take_over(w, o, p, size, gfp, true) && touched(w, o->s);
}

static bool op_krealloc(struct world *w, const struct op *op)
{
	struct object *o = &w->objects[op->object], old = *o;
	size_t size = kmalloc_size_for(op->a), i;
	struct slab *slab;
	uint8_t *p;

	if (!o->p || !o->is_kmalloc || !object_check(w, o))
		return !w->outcome->failed;
	say(w, "\t%sset o%u [krealloc $o%u %zu]%s\n", maybe(w), op->object,
	    op->object, size, maybe_end(w));
	p = krealloc(o->p, size, GFP_KERNEL);
	if (!p)
		return null_is_fine(w) && object_check(w, o);
	slab = virt_to_slab(w->m, p);
	*o = (struct object){ .p = p, .size = size, .is_kmalloc = true,
			      .s = slab ? slab->slab_cache : NULL };
	for (i = 0; i < MIN(size, old.size); i++)
		if (p[i] != pattern(old.key, i))
			return fail(w, "krealloc: byte %zu of %zu is %02x, wanted %02x",
				    i, size, p[i], pattern(old.key, i));
	if (!is_apart(w, o, w->objects, NR_OBJECTS) ||
	    !is_apart(w, o, w->waiting, w->nr_waiting))
		return false;
	object_write(w, o);
	return touched(w, o->s) && touched(w, old.s);
}

static bool op_ksize(struct world *w, const struct op *op)
{
	struct object *o = &w->objects[op->object];
	size_t size;

	if (!o->p)
		return true;
	say(w, "\tksize $o%u\n", op->object);
	size = ksize(o->p);
	if (size < o->size)
		return fail(w, "ksize: %zu for an object of %zu bytes", size,
			    o->size);
	return touched(w, o->s);
}

static bool op_kfree_rcu(struct world *w, const struct op *op)
{
	struct object *o = &w->objects[op->object];

	if (!o->p)
		return true;
	if (!object_check(w, o))
		return false;
	if (w->nr_waiting == w->max_waiting) {
		w->max_waiting = 2 * w->max_waiting + 16;
		w->waiting = realloc(w->waiting,
				     w->max_waiting * sizeof(*w->waiting));
		if (!w->waiting)
			abort();
	}
	say(w, "\tfree $o%u rcu\n", op->object);
	w->waiting[w->nr_waiting++] = *o;
	slab_kfree_rcu(o->p);
	o->p = NULL;
	return touched(w, w->waiting[w->nr_waiting - 1].s);
}

static bool op_machine(struct world *w, const struct op *op)
{
	struct slab_failslab fault;

	switch (op->kind) {
	case OP_RCU_TICK:
		say(w, "\trcu tick\n");
		slab_machine_rcu_tick(w->m);
		w->nr_waiting = 0;
		break;
	case OP_CPU:
		say(w, "\tcpu use %u\n", op->a % w->settings->cpus);
		slab_machine_set_cpu(w->m, op->a % w->settings->cpus);
		slab_machine_tick(w->m, op->b % 100);
		break;
	case OP_FAIL_NTH:
		say(w, "\tfailslab set nth=%u\n", 1 + op->a % 3);
		slab_failslab_get(w->m, &fault);
		fault.fail_nth = 1 + op->a % 3;
		slab_failslab_set(w->m, &fault);
		w->may_fail = true;
		break;
	}
	return true;
}

static bool (*const run_op[NR_OPS])(struct world *w, const struct op *op) = {
	[OP_CREATE] = op_create,
	[OP_DESTROY] = op_destroy,
	[OP_SHRINK] = op_on_cache,
	[OP_VALIDATE] = op_on_cache,
	[OP_VERIFY] = op_on_cache,
	[OP_MIN_PARTIAL] = op_on_cache,
	[OP_ALLOC] = op_alloc,
	[OP_FREE] = op_free,
	[OP_BULK_ALLOC] = op_bulk_alloc,
	[OP_BULK_FREE] = op_bulk_free,
	[OP_DRAIN] = op_drain,
	[OP_WRITE] = op_write,
	[OP_KMALLOC] = op_kmalloc,
	[OP_KREALLOC] = op_krealloc,
	[OP_KSIZE] = op_ksize,
	[OP_KFREE_RCU] = op_kfree_rcu,
	[OP_RCU_TICK] = op_machine,
	[OP_CPU] = op_machine,
	[OP_FAIL_NTH] = op_machine,
};

/* ---- beginning and end ---- */
static bool world_open(struct world *w)
{
	const struct settings *s = w->settings;
	struct slab_machine_config config = {
		.nr_cpus = s->cpus,
		.nr_nodes = s->nodes,
		.seed = s->seed,
		.page_limit = s->pages ? s->pages : ENOUGH_PAGES,
		.slab_debug = s->slab_debug,
		.freelist_hardened = s->hardened,
		.freelist_random = s->random,
		.init_on_alloc = s->init_on_alloc,
		.init_on_free = s->init_on_free,
		/* stacks cost most of the time and are not the property */
		.stack_depot_disable = true,
	};
	int err = slab_machine_create_virtual(&config, &w->m);

	if (err)
		return fail(w, "machine: %d", err);
	slab_machine_use(w->m);
	slab_machine_add_sink(w->m, on_record, w);
	return !slab_target_open_self(w->m, &w->t);
}

/* All goes back: no page may be left. */
static bool world_empty(struct world *w)
{
	struct slab_failslab fault;
	struct kmem_cache *s;
	unsigned int i;

	slab_failslab_get(w->m, &fault);
	fault.fail_nth = 0;
	slab_failslab_set(w->m, &fault);
	for (i = 0; i < NR_OBJECTS; i++)
		if (!op_free(w, &(struct op){ .object = (uint16_t)i }))
			return false;
	slab_machine_rcu_barrier(w->m);
	w->nr_waiting = 0;
	for (i = 0; i < NR_CACHES; i++)
		if (!op_destroy(w, &(struct op){ .cache = (uint8_t)i }))
			return false;
	list_for_each_entry(s, &w->m->slab_caches, list)
		kmem_cache_shrink(s);
	if (slab_machine_pages_used(w->m))
		return fail(w, "leak: %lu pages are in use, wanted 0",
			    slab_machine_pages_used(w->m));
	return true;
}

void world_run(const struct settings *settings, const struct op *ops,
	       size_t nr, FILE *script, struct outcome *ret)
{
	struct world *w = calloc(1, sizeof(*w));

	*ret = (struct outcome){ 0 };
	if (!w)
		abort();
	w->settings = settings;
	w->outcome = ret;
	w->script = script;
	if (world_open(w)) {
		for (w->at = 0; w->at < nr && !ret->failed; w->at++) {
			const struct op *op = &ops[w->at];

			if (!run_op[op->kind](w, op) || ret->failed)
				break;
			if (w->at % EVERYTHING_EACH == EVERYTHING_EACH - 1 &&
			    !everything_check(w))
				break;
		}
		if (!ret->failed && everything_check(w))
			world_empty(w);
		slab_target_close(w->t);
		slab_machine_destroy(w->m);
	}
	free(w->waiting);
	free(w);
}
