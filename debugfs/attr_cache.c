/* SPDX-License-Identifier: MIT */
/*
 * attr_cache.c - what a cache is and how full: its files in /sys/kernel/slab,
 *                and the line each has in /proc/slabinfo
 */
#include <errno.h>
#include <stdlib.h>

#include <slab/debug.h>

#include "attr.h"
#include "number.h"

/* arg: offset in struct slab_cache_info */
static const void *field(const struct attr_file *f)
{
	return (const char *)f->info + f->attr->arg;
}

static int show_uint(const struct attr_file *f, FILE *out)
{
	fprintf(out, "%u\n", *(const unsigned int *)field(f));
	return 0;
}

static int show_ulong(const struct attr_file *f, FILE *out)
{
	fprintf(out, "%lu\n", *(const unsigned long *)field(f));
	return 0;
}

/* arg: the flag */
static int show_flag(const struct attr_file *f, FILE *out)
{
	fprintf(out, "%d\n", (f->info->flags & f->attr->arg) != 0);
	return 0;
}

static int show_aliases(const struct attr_file *f, FILE *out)
{
	int refcount = f->info->refcount;

	fprintf(out, "%d\n", refcount < 0 ? 0 : refcount - 1);
	return 0;
}

static int show_ctor(const struct attr_file *f, FILE *out)
{
	char symbol[256];

	if (!f->info->ctor)
		return 0;
	if (f->machine)
		slab_symbol(f->machine, f->info->ctor, symbol, sizeof(symbol));
	else
		snprintf(symbol, sizeof(symbol), "0x%lx", f->info->ctor);
	fprintf(out, "%s\n", symbol);
	return 0;
}

/* CPU slabs went when sheaves came; the files stay for those who read them. */
static int show_zero(const struct attr_file *f, FILE *out)
{
	(void)f;
	fputs("0\n", out);
	return 0;
}

static int show_zero_of_zero(const struct attr_file *f, FILE *out)
{
	(void)f;
	fputs("0(0)\n", out);
	return 0;
}

static int store_cpu_partial(const struct attr_file *f, const char *text)
{
	unsigned int objects;
	int err = number_uint(text, 10, &objects);

	(void)f;
	if (err)
		return err;
	return objects ? -EINVAL : 0;
}

static int store_min_partial(const struct attr_file *f, const char *text)
{
	unsigned long slabs;
	int err = number_ulong(text, 10, &slabs);

	return err ? err : slab_cache_set_min_partial(attr_cache(f), slabs);
}

/* Kept in tenths of a percent. */
static int show_defrag_ratio(const struct attr_file *f, FILE *out)
{
	fprintf(out, "%u\n", f->info->defrag_ratio / 10);
	return 0;
}

static int store_defrag_ratio(const struct attr_file *f, const char *text)
{
	unsigned int percent;
	int err = number_uint(text, 10, &percent);

	return err ? err : slab_cache_set_defrag_ratio(attr_cache(f), percent);
}

/* The total, then each node that has some. arg: offset in slab_node_counts */
static int print_nodes(const struct attr_file *f, FILE *out, bool less_free)
{
	enum { MAX = sizeof(f->info->node) / sizeof(f->info->node[0]) };
	unsigned long count[MAX], total = 0;
	unsigned int nr = f->info->nr_nodes < MAX ? f->info->nr_nodes : MAX;

	for (unsigned int i = 0; i < nr; i++) {
		const struct slab_node_counts *n = &f->info->node[i];

		count[i] = *(const unsigned long *)((const char *)n +
						    f->attr->arg);
		/* more may be free than there is, in a damaged cache */
		if (less_free)
			count[i] -= n->free_partial;
		total += count[i];
	}
	fprintf(out, "%lu", total);
	for (unsigned int i = 0; i < nr; i++) {
		if (count[i])
			fprintf(out, " N%u=%lu", i, count[i]);
	}
	fputc('\n', out);
	return 0;
}

static int show_nodes(const struct attr_file *f, FILE *out)
{
	return print_nodes(f, out, false);
}

static int show_nodes_in_use(const struct attr_file *f, FILE *out)
{
	return print_nodes(f, out, true);
}

#define FIELD(show, field) \
	NULL, show, NULL, offsetof(struct slab_cache_info, field)
#define FLAG(flag) NULL, show_flag, NULL, flag
#define NODES(show, field) \
	NULL, show, NULL, offsetof(struct slab_node_counts, field)

const struct attr attr_cache_rows[] = {
	{ "slab_size", 0400, "bytes",
	  "from one object to the next: the object with its metadata",
	  FIELD(show_uint, size) },
	{ "object_size", 0400, "bytes", "what the creator asked for",
	  FIELD(show_uint, object_size) },
	{ "objs_per_slab", 0400, "objects",
	  "that a slab of the preferred order holds",
	  FIELD(show_uint, objs_per_slab) },
	{ "order", 0400, "log2 pages", "preferred size of a slab",
	  FIELD(show_uint, order) },
	{ "sheaf_capacity", 0400, "objects",
	  "that a sheaf holds; 0: the cache has none",
	  FIELD(show_uint, sheaf_capacity) },
	{ "min_partial", 0600, "slabs",
	  "partial slabs that a node keeps even when they are empty",
	  "a number from 0", show_ulong, store_min_partial,
	  offsetof(struct slab_cache_info, min_partial) },
	{ "cpu_partial", 0600, "objects",
	  "always 0: CPUs keep no partial slabs any more", "0", show_zero,
	  store_cpu_partial, 0 },
	{ "objects_partial", 0400, "objects",
	  "in use on partial slabs, by node",
	  NODES(show_nodes, objects_partial) },
	{ "partial", 0400, "slabs", "on the partial lists, by node",
	  NODES(show_nodes, nr_partial) },
	{ "cpu_slabs", 0400, "slabs",
	  "always 0: CPUs have no slab of their own any more", NULL, show_zero,
	  NULL, 0 },
	{ "ctor", 0400, "",
	  "the function that prepares new objects; empty: none", NULL,
	  show_ctor, NULL, 0 },
	{ "aliases", 0400, "names", "that the cache has beyond its first", NULL,
	  show_aliases, NULL, 0 },
	{ "align", 0400, "bytes", "every object starts at a multiple of it",
	  FIELD(show_uint, align) },
	{ "hwcache_align", 0400, "", "1: aligned to cache lines",
	  FLAG(SLAB_HWCACHE_ALIGN) },
	{ "reclaim_account", 0400, "",
	  "1: counted as memory that can be reclaimed",
	  FLAG(SLAB_RECLAIM_ACCOUNT) },
	{ "destroy_by_rcu", 0400, "",
	  "1: slabs are given back after a grace period",
	  FLAG(SLAB_TYPESAFE_BY_RCU) },
	{ "slabs_cpu_partial", 0400, "objects(slabs)",
	  "always 0(0), as cpu_partial", NULL, show_zero_of_zero, NULL, 0 },
	{ "total_objects", 0400, "objects",
	  "that all slabs hold, in use or free, by node",
	  NODES(show_nodes, total_objects) },
	{ "objects", 0400, "objects",
	  "total_objects without the free ones on partial slabs, by node",
	  NODES(show_nodes_in_use, total_objects) },
	{ "slabs", 0400, "slabs", "of the cache, by node",
	  NODES(show_nodes, nr_slabs) },
	{ "sanity_checks", 0400, "",
	  "1: F, objects are checked when allocated and freed",
	  FLAG(SLAB_CONSISTENCY_CHECKS) },
	{ "trace", 0400, "", "1: T, every alloc and free is logged",
	  FLAG(SLAB_TRACE) },
	{ "red_zone", 0400, "", "1: Z, guard bytes on both sides of objects",
	  FLAG(SLAB_RED_ZONE) },
	{ "poison", 0400, "", "1: P, free objects are filled with 6b",
	  FLAG(SLAB_POISON) },
	{ "store_user", 0400, "",
	  "1: U, who allocated and freed an object last is kept",
	  FLAG(SLAB_STORE_USER) },
	{ "cache_dma", 0400, "", "1: pages come from the DMA zone",
	  FLAG(SLAB_CACHE_DMA) },
	{ "remote_node_defrag_ratio", 0600, "percent",
	  "how gladly a CPU takes partial slabs of other nodes",
	  "a number from 0 to 100", show_defrag_ratio, store_defrag_ratio, 0 },
	{ "usersize", 0400, "bytes",
	  "that may be copied from and to user space",
	  FIELD(show_uint, usersize) },
	{},
};

/* ---- /proc/slabinfo ---- */
static int show_slabinfo(const struct attr_file *f, FILE *out)
{
	struct slab_cache_info *caches;
	size_t nr;
	int err = slab_target_caches(f->target, &caches, &nr);

	if (err)
		return err;
	fputs("slabinfo - version: 2.1\n"
	      "# name            <active_objs> <num_objs> <objsize> "
	      "<objperslab> <pagesperslab> : tunables <limit> <batchcount> "
	      "<sharedfactor> : slabdata <active_slabs> <num_slabs> "
	      "<sharedavail>\n",
	      out);
	for (const struct slab_cache_info *s = caches; s < caches + nr; s++) {
		unsigned long slabs = s->total.nr_slabs;
		unsigned long objects = s->total.total_objects;

		fprintf(out, "%-17s %6lu %6lu %6u %4u %4u", s->name,
			objects - s->total.free_partial, objects, s->size,
			s->objs_per_slab, 1U << s->order);
		fprintf(out, " : tunables %4u %4u %4u", 0U, 0U, 0U);
		fprintf(out, " : slabdata %6lu %6lu %6u\n", slabs, slabs, 0U);
	}
	free(caches);
	return 0;
}

const struct attr attr_slabinfo_rows[] = {
	{ "slabinfo", 0400, "",
	  "one line a cache, newest first: objects and slabs", NULL,
	  show_slabinfo, NULL, 0 },
	{},
};
