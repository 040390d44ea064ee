/* SPDX-License-Identifier: MIT */
/*
 * attr_stat.c - one file a row of stat_items.def: how often a cache did what
 */
#include <errno.h>

#include <slab/debug.h>
#include <slab/machine.h>

#include "attr.h"

/* What CPUs counted that went offline since is no part of it, as in 7.0. */
static bool is_online(const struct attr_file *f, int cpu)
{
	return !f->machine ||
	       slab_machine_cpu_online(f->machine, (unsigned int)cpu);
}

/* The sum, then each CPU that counted. arg: the item */
static int show_stat(const struct attr_file *f, FILE *out)
{
	enum slab_stat_item item = (enum slab_stat_item)f->attr->arg;
	unsigned long count[SLAB_MAX_CPUS], total = 0;
	int nr = slab_target_stat(f->target, f->info->cache, item, count,
				  SLAB_MAX_CPUS);

	if (nr < 0)
		return nr;
	for (int i = 0; i < nr; i++) {
		if (!is_online(f, i))
			count[i] = 0;
		total += count[i];
	}
	fprintf(out, "%lu", total);
	for (int i = 0; i < nr; i++) {
		if (count[i])
			fprintf(out, " C%d=%lu", i, count[i]);
	}
	fputc('\n', out);
	return 0;
}

static int store_stat(const struct attr_file *f, const char *text)
{
	if (text[0] != '0')
		return -EINVAL;
	slab_cache_clear_stat(attr_cache(f), (int)f->attr->arg);
	return 0;
}

const struct attr attr_stat_rows[] = {
#define STAT(id, file, counts)                                                \
	{ file,	     0600,	 "count",	counts, "0, which clears it", \
	  show_stat, store_stat, SLAB_STAT_##id },
#include <slab/stat_items.def>
#undef STAT
	{},
};
