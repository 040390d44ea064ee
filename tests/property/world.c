/* SPDX-License-Identifier: MIT */
/* tests/property/world.c - what each op does to a machine and to its shadow */
#include "world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EVERYTHING_EACH 1000
#define ENOUGH_PAGES	50000UL /* a broken library must not eat the host */

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
		return 1 + a / 8 % 2048;
	case 5:
		/* few in a sheaf */
		return 4096 + a / 8 % 4096;
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
	say(w, "\t%scache create %s size=%u", maybe(w), c->name, size);
	if (args.align)
		say(w, " align=%u", args.align);
	if (c->flags & SLAB_DEBUG_DEFAULT_FLAGS)
		say(w, " debug=%s",
		    slab_debug_text(c->flags & SLAB_DEBUG_DEFAULT_FLAGS,
				    letters));
	if (*flag_words(c->flags, words, sizeof(words)))
		say(w, " flags=%s", words);
	say(w, "%s%s\n", args.ctor ? " ctor=0xc7" : "", maybe_end(w));
	c->s = kmem_cache_create(c->name, size, &args, c->flags);
	/* its sheaves are allocations, too */
	if (!c->s && errno == ENOMEM)
		return null_is_fine(w);
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

	if (!s || (names == 1 && (count_of(w, s) || has_lent(w, s))))
		return true;
	say(w, "\tcache destroy %s\n", c->name);
	if (!waiting_check(w))
		return false;
	c->s = NULL;
	w->nr_waiting = 0; /* it waits for grace periods */
	err = kmem_cache_destroy(s);
	if (err)
		return fail(w, "destroy: %s gives %d, wanted 0", c->name, err);
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
	/* slabctl names no cache for kmalloc's */
	if (any || (of && (of->flags & SLAB_KMALLOC)))
		of = NULL;
	if (!any || !w->script)
		kmem_cache_free_bulk(of, nr, p);
	/* which uses no sheaves, so a script does what slabctl will do */
	for (i = 0; any && w->script && i < nr; i++) {
		if (s[i])
			kmem_cache_free(s[i], p[i]);
		else
			kfree(p[i]);
	}
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
	void *p;

	if (!s || !count_of(w, s))
		return true;
	/* not `free all`: sheaves remember the order */
	say(w, "\tfree");
	for (i = 0; i < NR_OBJECTS; i++) {
		struct object *o = &w->objects[i];

		if (!o->p || o->s != s)
			continue;
		if (!object_check(w, o))
			return false;
		say(w, " $o%u", i);
		p = o->p;
		o->p = NULL;
		kmem_cache_free(s, p);
		if (!freed(w, s, p))
			return false;
	}
	say(w, "\n");
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
	/* an interrupt might get the old one before we know that it went */
	w->irq_masked = true;
	p = krealloc(o->p, size, GFP_KERNEL);
	w->irq_masked = false;
	if (!p)
		return null_is_fine(w) && object_check(w, o);
	slab = virt_to_slab(w->m, p);
	*o = (struct object){ .p = p, .size = size, .is_kmalloc = true,
			      .s = slab ? slab->slab_cache : NULL };
	for (i = 0; i < MIN(size, old.size); i++)
		if (p[i] != pattern(old.key, i))
			return fail(w, "krealloc: byte %zu of %zu is %02x, wanted %02x",
				    i, size, p[i], pattern(old.key, i));
	if (!is_apart_of_all(w, o))
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

static void wait_for_rcu(struct world *w, struct object *o)
{
	if (w->nr_waiting == w->max_waiting) {
		w->max_waiting = 2 * w->max_waiting + 16;
		w->waiting = realloc(w->waiting,
				     w->max_waiting * sizeof(*w->waiting));
		if (!w->waiting)
			abort();
	}
	w->waiting[w->nr_waiting++] = *o;
	/* before: an interrupt must not free it once more */
	o->p = NULL;
	slab_kfree_rcu(w->waiting[w->nr_waiting - 1].p);
}

/* One, or some of a cache, so that a sheaf of them may get full. */
static bool op_kfree_rcu(struct world *w, const struct op *op)
{
	unsigned int want = op->b & 1 ? 1 : 1 + op->a % MAX_BULK, i;
	struct kmem_cache *s = NULL;

	for (i = op->object; i < NR_OBJECTS && want; i++) {
		struct object *o = &w->objects[i];

		if (!o->p || (s && o->s != s))
			continue;
		if (!object_check(w, o))
			return false;
		s = o->s;
		say(w, "\tfree $o%u rcu\n", i);
		wait_for_rcu(w, o);
		want--;
	}
	return touched(w, s);
}

static bool op_machine(struct world *w, const struct op *op)
{
	struct slab_faults fault;

	switch (op->kind) {
	case OP_RCU_TICK:
		say(w, "\trcu tick\n");
		if (!waiting_check(w))
			return false;
		w->nr_waiting = 0;
		slab_machine_rcu_tick(w->m);
		break;
	case OP_CPU:
		if (!slab_machine_cpu_online(w->m, op->a % w->settings->cpus))
			break;
		say(w, "\tcpu use %u\n", op->a % w->settings->cpus);
		slab_machine_set_cpu(w->m, op->a % w->settings->cpus);
		slab_machine_tick(w->m, op->b % 100);
		break;
	case OP_FAIL_NTH:
		say(w, "\tfailslab set nth=%u\n", 1 + op->a % 3);
		slab_faults_get(w->m, &fault);
		fault.task.fail_nth = 1 + op->a % 3;
		slab_faults_set(w->m, &fault);
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
	[OP_PREFILL ... OP_INTERRUPT] = op_rests,
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
	if (s->reserve) {
		say(w, "\tmachine reserve %lu\n", s->reserve);
		slab_machine_set_reserve(w->m, s->reserve);
	}
	slab_machine_add_sink(w->m, on_record, w);
	return !slab_target_open_self(w->m, &w->t);
}

/* All goes back: no page may be left. */
static bool world_empty(struct world *w)
{
	struct slab_faults fault;
	struct kmem_cache *s;
	unsigned int i;

	slab_machine_set_point_hook(w->m, NULL, NULL);
	slab_faults_get(w->m, &fault);
	fault.task.fail_nth = 0;
	fault.failslab.attr.probability = 0;
	slab_faults_set(w->m, &fault);
	for (i = 0; i < NR_LENT; i++)
		if (!op_lent_return(w, &(struct op){ .object = (uint16_t)i }))
			return false;
	for (i = 0; i < NR_OBJECTS; i++)
		if (!op_free(w, &(struct op){ .object = (uint16_t)i }))
			return false;
	kvfree_rcu_barrier();
	w->nr_waiting = 0;
	for (i = 0; i < NR_CACHES; i++)
		if (!op_destroy(w, &(struct op){ .cache = (uint8_t)i }))
			return false;
	list_for_each_entry(s, &w->m->slab_caches, list) {
		if (kmem_cache_shrink(s))
			return fail(w, "leak: %s has slabs after a shrink, wanted none",
				    s->name);
		if (!settled(w, s))
			return false;
	}
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

			w->now = *op;
			if (!run_op[op->kind](w, op) || ret->failed ||
			    !settled(w, w->caches[op->cache].s))
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
