/* SPDX-License-Identifier: MIT */
/*
 * attr.h - one row a file: the row is the file and its documentation
 *
 * Rows stand in tables that end with an empty row; tree.c says which table is
 * in which directory. A row's functions see copies: what a damaged cache says
 * is printed as it is, sums wrap as the kernel's do.
 */
#ifndef SLAB_DEBUGFS_ATTR_H
#define SLAB_DEBUGFS_ATTR_H

#include <stdio.h>

#include <slab/inspect.h>

struct attr;

/* An open file. */
struct attr_file {
	const struct attr *attr;
	struct slab_target *target;
	struct slab_machine *machine; /* NULL: the target is not this process */
	const struct slab_cache_info *info; /* NULL: not of one cache */
};

struct attr {
	const char *name;
	unsigned int mode;
	const char *unit;    /* "" for words and flags */
	const char *help;    /* what it says */
	const char *accepts; /* what may be written; NULL: nothing */
	/* Prints the content. 0 or -errno. */
	int (*show)(const struct attr_file *f, FILE *out);
	/* Takes what was written, NUL behind it, on a live machine only. 0 or
	 * -errno; nothing is changed then. */
	int (*store)(const struct attr_file *f, const char *text);
	size_t arg; /* for the row's functions */
};

/* The cache of a file on a live machine. */
static inline struct kmem_cache *attr_cache(const struct attr_file *f)
{
	return (struct kmem_cache *)f->info->cache;
}

/* /sys/kernel/slab/<cache>/ */
extern const struct attr attr_cache_rows[];
extern const struct attr attr_debug_rows[];
extern const struct attr attr_stat_rows[];
extern const struct attr attr_cache_fault_rows[];
/* /sys/kernel/debug/slab/<cache>/ */
extern const struct attr attr_traces_rows[];
/* /sys/kernel/debug/failslab/, /sys/kernel/debug/fail_page_alloc/ */
extern const struct attr attr_failslab_rows[];
extern const struct attr attr_fail_page_alloc_rows[];
/* /proc/self/ */
extern const struct attr attr_task_rows[];
/* /proc/ */
extern const struct attr attr_slabinfo_rows[];

#endif
