/* SPDX-License-Identifier: MIT */
/*
 * attr_debug.c - files that make a cache do something, and those that say who
 *                used its objects
 */
#include <errno.h>

#include <slab/debug.h>

#include "attr.h"

static int show_nothing(const struct attr_file *f, FILE *out)
{
	(void)f;
	(void)out;
	return 0;
}

/* Both look at the first letter alone: "1", "1\n" and "1 please" do it. */
static int store_shrink(const struct attr_file *f, const char *text)
{
	if (text[0] != '1')
		return -EINVAL;
	kmem_cache_shrink(attr_cache(f));
	return 0;
}

static int store_validate(const struct attr_file *f, const char *text)
{
	long slabs;

	if (text[0] != '1' || !f->info->is_debug)
		return -EINVAL;
	slabs = validate_slab_cache(attr_cache(f));
	return slabs < 0 ? (int)slabs : 0;
}

const struct attr attr_debug_rows[] = {
	{ "shrink", 0600, "", "1 frees every empty slab; reads empty", "1",
	  show_nothing, store_shrink, 0 },
	{ "validate", 0600, "",
	  "1 checks every slab, repairs and reports to the log; reads empty",
	  "1, for a cache with debug flags", show_nothing, store_validate, 0 },
	{},
};

static void print_line(void *out, const char *line)
{
	fprintf(out, "%s\n", line);
}

/* arg: of allocations, else of frees */
static int show_traces(const struct attr_file *f, FILE *out)
{
	if (!f->machine)
		return -EOPNOTSUPP;
	return slab_target_traces(f->target, f->info->cache, f->attr->arg,
				  print_line, out);
}

const struct attr attr_traces_rows[] = {
	{ "alloc_traces", 0400, "",
	  "who allocated the objects in use, most first", NULL, show_traces,
	  NULL, true },
	{ "free_traces", 0400, "",
	  "who freed what the objects in use were before, most first", NULL,
	  show_traces, NULL, false },
	{},
};
