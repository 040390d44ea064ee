/* SPDX-License-Identifier: MIT */
/* inspect/target.c - opening a machine, its caches and what they count */
#include "inspect/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sort.h"
#include "cache/sheaf.h"
#include "debug/sheaves.h"
#include "inspect/rest.h"
#include "inspect/scratch.h"

int slab_target_open_self(struct slab_machine *m, struct slab_target **ret)
{
	struct {
		struct slab_target target;
		struct rests rests;
	} *t;

	if (!m)
		return -EINVAL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->target.machine = m;
	t->target.rests = &t->rests;
	*ret = &t->target;
	return 0;
}

void slab_target_close(struct slab_target *t)
{
	if (!t)
		return;
	scratch_free(t->hint);
	rests_free(t->rests);
	free(t);
}

struct slab_machine *slab_target_machine(const struct slab_target *t)
{
	return t->machine;
}

int slab_target_read(struct slab_target *t, uintptr_t address, void *buf,
		     size_t n)
{
	const struct slab_machine *m = t->machine;

	if (!n)
		return 0;
	if (address + (n - 1) < address || !machine_owns(m, address) ||
	    !machine_owns(m, address + (n - 1)))
		return -EFAULT;
	bytes_copy(buf, (const void *)address, n);
	return 0;
}

struct kmem_cache *target_cache(const struct slab_target *t, uintptr_t cache)
{
	struct kmem_cache *s = (struct kmem_cache *)cache;

	return machine_has_cache(t->machine, s) ? s : NULL;
}

struct kmem_cache *cache_next(const struct slab_machine *m,
			      const struct kmem_cache *s)
{
	const struct list_head *next = s ? s->list.next : m->slab_caches.next;

	if (next == &m->slab_caches)
		return NULL;
	s = container_of(next, struct kmem_cache, list);
	return machine_has_live_cache(m, s) ? (struct kmem_cache *)s : NULL;
}

int slab_target_about(struct slab_target *t, struct slab_machine_about *ret)
{
	static const char *const percpu[] = {
		[PERCPU_LOCK] = "try-lock",
		[PERCPU_RSEQ] = "rseq",
		[PERCPU_SIM] = "simulated",
	};
	LOOK(t->machine);
	const struct slab_machine *m = t->machine;
	const struct kmem_cache *s;

	*ret = (struct slab_machine_about){
		.is_native = m->is_native,
		.percpu = percpu[m->percpu],
		.base = m->base,
		.region_bytes = m->region_bytes,
		.region_is_smaller = m->region_is_smaller,
		.has_statistics = m->params.statistics,
	};
	for (each_cache(m, s))
		ret->nr_caches++;
	return 0;
}

/* ---- what a cache counts ---- */
/* The directory's name in /sys/kernel/slab (sysfs.md 4.1). */
static void cache_id(const struct kmem_cache *s, char *id, size_t size)
{
	char letters[8], *p = letters;

	if (!s->has_id) {
		snprintf(id, size, "%s", s->name);
		return;
	}
	if (s->flags & SLAB_CACHE_DMA)
		*p++ = 'd';
	if (s->flags & SLAB_CACHE_DMA32)
		*p++ = 'D';
	if (s->flags & SLAB_RECLAIM_ACCOUNT)
		*p++ = 'a';
	if (s->flags & SLAB_CONSISTENCY_CHECKS)
		*p++ = 'F';
	if (s->flags & SLAB_ACCOUNT)
		*p++ = 'A';
	if (p != letters)
		*p++ = '-';
	*p = '\0';
	snprintf(id, size, ":%s%07u", letters, s->size);
}

static int count_partial(void *arg, struct slab *slab)
{
	struct slab_node_counts *c = arg;

	c->objects_partial += slab->inuse;
	/* an int first, as in the kernel: damaged counters show there too */
	c->free_partial += (unsigned long)((int)slab->objects -
					   (int)slab->inuse);
	return 0;
}

static int node_counts(const struct slab_machine *m, const struct kmem_cache *s,
		       struct slab_cache_info *ret)
{
	struct slab_node_counts *total = &ret->total;
	unsigned int i;
	int err = 0;

	for (i = 0; i < ret->nr_nodes && !err; i++) {
		const struct kmem_cache_node *n = walk_node(m, s, i);
		struct slab_node_counts *c = &ret->node[i];
		struct walk_seen *seen = walk_seen(m);
		struct walk_list list;

		if (!seen)
			return -ENOMEM;
		if (n) {
			c->nr_partial = n->nr_partial;
			c->nr_slabs = n->nr_slabs;
			c->total_objects = n->total_objects;
			err = walk_list(m, &n->partial, seen, count_partial, c,
					&list);
		}
		scratch_free(seen);
		total->nr_partial += c->nr_partial;
		total->nr_slabs += c->nr_slabs;
		total->total_objects += c->total_objects;
		total->objects_partial += c->objects_partial;
		total->free_partial += c->free_partial;
	}
	ret->objects = total->total_objects - total->free_partial;
	return err;
}

static unsigned int count_names(const struct kmem_cache *s)
{
	const struct cache_name *name;
	unsigned int nr = 1;

	list_for_each_entry(name, &s->names, list)
		nr++;
	return nr;
}

static int cache_info(const struct slab_machine *m, struct kmem_cache *s,
		      struct slab_cache_info *ret)
{
	*ret = (struct slab_cache_info){
		.cache = (uintptr_t)s,
		.nr_names = count_names(s),
		.object_size = s->object_size,
		.size = s->size,
		.inuse = s->inuse,
		.offset = s->offset,
		.align = s->align,
		.red_left_pad = s->red_left_pad,
		.order = s->oo.order,
		.objs_per_slab = s->oo.objects,
		.min_order = s->min.order,
		.min_objects = s->min.objects,
		.sheaf_capacity = s->sheaf_capacity,
		.useroffset = s->useroffset,
		.usersize = s->usersize,
		.defrag_ratio = s->remote_node_defrag_ratio,
		.min_partial = s->min_partial,
		.flags = s->flags & ~(SLAB_OBJECT_POISON | SLAB_CMPXCHG_DOUBLE),
		.is_debug = cache_is_debug(s),
		.is_mergeable = !cache_is_unmergeable(s),
		.has_object_poison = s->flags & SLAB_OBJECT_POISON,
		.has_orig_size = cache_has_orig_size(s),
		.has_double_cmpxchg = s->flags & SLAB_CMPXCHG_DOUBLE,
		.has_statistics = s->stats != NULL,
		.refcount = s->refcount,
		.ctor = (uintptr_t)s->ctor,
		.nr_nodes = m->config.nr_nodes,
	};
	snprintf(ret->name, sizeof(ret->name), "%s", s->name);
	cache_id(s, ret->id, sizeof(ret->id));
	cpu_collect_counts((struct kmem_cache *)s);
	for (unsigned int cpu = 0; s->stats && cpu < m->config.nr_cpus; cpu++)
		for (unsigned int i = 0; i < SLAB_NR_STATS; i++)
			ret->stat[i] += s->stats[cpu][i];
	return node_counts(m, s, ret);
}

static int by_cache(const void *a, const void *b)
{
	uintptr_t x = (*(struct slab_cache_info *const *)a)->cache;
	uintptr_t y = (*(struct slab_cache_info *const *)b)->cache;

	return x < y ? -1 : x > y;
}

/* The slab's own words, of objects that no sheaf holds; its chain is whole. */
static void count_words(const struct kmem_cache *s, const struct slab *slab,
			unsigned long fit, unsigned long *owned)
{
	unsigned long users = slab_users(s, slab);
	unsigned long inuse = MIN(slab->inuse, fit);

	owned[SLAB_OWNER_FREELIST] += fit - inuse;
	owned[SLAB_OWNER_USER] += MIN(users, inuse);
	owned[SLAB_OWNER_LOST] += inuse - MIN(users, inuse);
}

/* Objects in sheaves are in use for their slab, and no user has them. */
static void count_rests(const struct kmem_cache *s, const struct slab *slab,
			const struct rests *rests, unsigned long *owned)
{
	uintptr_t base = slab_base(s->machine, slab), last = 0;
	size_t i = rests_begin(rests, base), nr;

	nr = rests_within(rests, base, slab_true_bytes(s->machine, slab));
	for (; nr; i++, nr--) {
		uintptr_t object = rests->at[i].object;

		/* damage: the same object twice, or none of the slab's */
		if (object == last || !sheaf_takes(s, (void *)object) ||
		    !owned[SLAB_OWNER_USER])
			continue;
		owned[SLAB_OWNER_USER]--;
		owned[rests->at[i].owner]++;
		last = object;
	}
}

/* As slab_objects() says it of each, without looking at each where the chain
 * is whole. */
static int count_slab(const struct kmem_cache *s, const struct slab *slab,
		      const struct rests *rests, struct slab_cache_info *ret)
{
	uintptr_t base = slab_base(s->machine, slab);
	unsigned int fit = slab_fit(s, slab), i;
	struct chain c;
	int err;

	if (slab->freelist || slab->inuse != fit) {
		err = chain_walk(s, slab, &c);
		if (err)
			return err;
		fit = c.fit;
		for (i = 0; i < fit && c.end != SLAB_CHAIN_WHOLE; i++)
			ret->owned[object_owner(s, &c, rests,
						slab_object(s, base, i), i)]++;
		chain_free(&c);
		if (c.end != SLAB_CHAIN_WHOLE)
			return 0;
	}
	count_words(s, slab, fit, ret->owned);
	count_rests(s, slab, rests, ret->owned);
	return 0;
}

/* What users hold of all these caches, in one pass over the memory map. */
static int count_users(const struct slab_machine *m,
		       struct slab_cache_info *info, size_t nr)
{
	struct slab_cache_info **sorted =
		scratch_alloc((nr + 1) * sizeof(void *));
	struct rests rests;
	unsigned long pfn;
	size_t i;
	int err;

	if (!sorted)
		return -ENOMEM;
	err = rests_collect(m, nr == 1 ? (void *)info->cache : NULL, &rests);
	if (err)
		goto out;
	for (i = 0; i < nr; i++)
		sorted[i] = &info[i];
	sort_in_place(sorted, nr, sizeof(void *), by_cache);
	for (pfn = 0; pfn < m->pages_opened && !err; pfn++) {
		const struct slab *slab = &m->memmap[pfn];
		struct slab_cache_info key, *at = &key, **found;

		if (slab->type != PAGE_SLAB)
			continue;
		key.cache = (uintptr_t)slab->slab_cache;
		found = bsearch(&at, sorted, nr, sizeof(void *), by_cache);
		if (found)
			err = count_slab((void *)(*found)->cache, slab, &rests,
					 *found);
	}
	for (i = 0; i < nr; i++)
		info[i].users = info[i].owned[SLAB_OWNER_USER];
	rests_free(&rests);
out:
	scratch_free(sorted);
	return err;
}

int target_cache_info(const struct slab_target *t, struct kmem_cache *s,
		      struct slab_cache_info *ret)
{
	int err = cache_info(t->machine, s, ret);

	return err ? err : count_users(t->machine, ret, 1);
}

static int caches(const struct slab_machine *m, struct slab_cache_info **ret,
		  size_t *nr)
{
	struct kmem_cache *s;
	size_t n = 0;
	int err = 0;

	for (each_cache(m, s))
		n++;
	*ret = scratch_alloc((n + 1) * sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	*nr = 0;
	for (each_cache(m, s)) {
		if (*nr == n || err)
			break;
		err = cache_info(m, s, &(*ret)[(*nr)++]);
	}
	if (!err)
		err = count_users(m, *ret, *nr);
	if (err)
		scratch_free(*ret);
	return err;
}

int slab_target_caches(struct slab_target *t, struct slab_cache_info **ret,
		       size_t *nr)
{
	struct slab_cache_info *all;
	int err;

	*ret = NULL;
	{
		LOOK(t->machine);
		err = caches(t->machine, &all, nr);
	}
	return err ? err : scratch_answer(all, *nr * sizeof(*all), ret);
}

int slab_target_cache(struct slab_target *t, const char *name,
		      struct slab_cache_info *ret)
{
	LOOK(t->machine);
	struct kmem_cache *s = cache_by_name(t->machine, name);

	return s ? target_cache_info(t, s, ret) : -ENOENT;
}

int slab_target_stat(struct slab_target *t, uintptr_t cache,
		     enum slab_stat_item item, unsigned long *ret,
		     unsigned int max)
{
	LOOK(t->machine);
	const struct kmem_cache *s = target_cache(t, cache);
	unsigned int nr = t->machine->config.nr_cpus;

	if (!s)
		return -ENOENT;
	if (!s->stats)
		return -ENODATA;
	cpu_collect_counts((struct kmem_cache *)s);
	for (unsigned int cpu = 0; cpu < nr && cpu < max; cpu++)
		ret[cpu] = s->stats[cpu][item];
	return (int)nr;
}

int slab_target_counts(struct slab_target *t, uintptr_t cache,
		       struct slab_node_counts *ret)
{
	LOOK(t->machine);
	const struct kmem_cache *s = target_cache(t, cache);

	*ret = (struct slab_node_counts){ 0 };
	for (unsigned int i = 0; s && i < t->machine->config.nr_nodes; i++) {
		const struct kmem_cache_node *n = walk_node(t->machine, s, i);

		if (!n)
			continue;
		ret->nr_partial += n->nr_partial;
		ret->nr_slabs += n->nr_slabs;
		ret->total_objects += n->total_objects;
	}
	return s ? 0 : -ENOENT;
}

static int names(const struct kmem_cache *s, char **ret, size_t *size)
{
	const struct cache_name *name;
	char *p;

	*size = strlen(s->name) + 2;
	list_for_each_entry(name, &s->names, list)
		*size += strlen(name->name) + 1;
	*ret = p = scratch_alloc(*size);
	if (!p)
		return -ENOMEM;
	p = stpcpy(p, s->name) + 1;
	list_for_each_entry(name, &s->names, list)
		p = stpcpy(p, name->name) + 1;
	return 0;
}

int slab_target_names(struct slab_target *t, uintptr_t cache, char **ret)
{
	const struct kmem_cache *s;
	size_t size;
	char *all;
	int err;

	{
		LOOK(t->machine);
		s = target_cache(t, cache);
		err = s ? names(s, &all, &size) : -ENOENT;
	}
	return err ? err : scratch_answer(all, size, ret);
}

/* ---- slabs ---- */
static int slabs(const struct slab_target *t, const struct kmem_cache *s,
		 struct slab_slab_info **ret, size_t *nr)
{
	struct walk w;
	size_t i;
	int err = walk_slabs(t, s, &w);

	if (err)
		return err;
	*ret = scratch_alloc((w.nr + 1) * sizeof(**ret));
	for (i = 0; i < w.nr && *ret; i++)
		walk_slab_info(t->machine, s, &w.slabs[i], &(*ret)[i]);
	*nr = w.nr;
	walk_free(&w);
	return *ret ? 0 : -ENOMEM;
}

int slab_target_slabs(struct slab_target *t, uintptr_t cache,
		      struct slab_slab_info **ret, size_t *nr)
{
	const struct kmem_cache *s;
	struct slab_slab_info *all;
	int err;

	{
		LOOK(t->machine);
		s = target_cache(t, cache);
		err = s ? slabs(t, s, &all, nr) : -ENOENT;
	}
	return err ? err : scratch_answer(all, *nr * sizeof(*all), ret);
}

int slab_target_slab(struct slab_target *t, uintptr_t cache,
		     unsigned int slab_nr, struct slab_slab_info *ret)
{
	LOOK(t->machine);
	const struct kmem_cache *s = target_cache(t, cache);
	struct walk w;
	size_t i;
	int err = s ? walk_slabs(t, s, &w) : -ENOENT;

	if (err)
		return err;
	for (i = 0; i < w.nr && w.slabs[i].slab->nr != slab_nr; i++)
		;
	if (i < w.nr)
		walk_slab_info(t->machine, s, &w.slabs[i], ret);
	else
		err = -ENOENT;
	walk_free(&w);
	return err;
}

/* ---- words ---- */
static const char *const stat_names[] = {
#define STAT(id, file, counts) [SLAB_STAT_##id] = file,
#include <slab/stat_items.def>
#undef STAT
};
static const char *const stat_counts[] = {
#define STAT(id, file, counts) [SLAB_STAT_##id] = counts,
#include <slab/stat_items.def>
#undef STAT
};

const char *slab_stat_name(enum slab_stat_item item)
{
	return (unsigned int)item < SLAB_NR_STATS ? stat_names[item] : NULL;
}

const char *slab_stat_counts(enum slab_stat_item item)
{
	return (unsigned int)item < SLAB_NR_STATS ? stat_counts[item] : NULL;
}

const char *slab_state_name(enum slab_state state)
{
	static const char *const names[] = {
		[SLAB_STATE_PARTIAL] = "partial",
		[SLAB_STATE_FULL] = "full",
		[SLAB_STATE_FROZEN] = "frozen",
		[SLAB_STATE_ISOLATED] = "isolated",
		[SLAB_STATE_EMPTY] = "empty",
		[SLAB_STATE_UNKNOWN] = "unknown",
	};

	return (unsigned int)state < ARRAY_SIZE(names) ? names[state] :
							 "unknown";
}
