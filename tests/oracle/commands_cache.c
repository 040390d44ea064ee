/* SPDX-License-Identifier: MIT */
/* commands_cache.c - see commands.h: caches, and their files in sysfs */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <slab/kmalloc.h>

#include "debugfs/tree.h"

#include "commands.h"

/* ---- caches ---- */
static void ctor_word(void *object)
{
	memcpy(object, &(uint64_t){ 0x1122334455667788 }, 8);
}

static void ctor_byte(void *object)
{
	*(uint8_t *)object = 0x77;
}

slab_flags_t create_flags(const char *letters)
{
	static const struct {
		char letter;
		slab_flags_t flag;
	} known[] = {
		{ 'F', SLAB_CONSISTENCY_CHECKS },
		{ 'Z', SLAB_RED_ZONE },
		{ 'P', SLAB_POISON },
		{ 'U', SLAB_STORE_USER },
		{ 'T', SLAB_TRACE },
		{ 'H', SLAB_HWCACHE_ALIGN },
		{ 'R', SLAB_RECLAIM_ACCOUNT },
		{ 'B', SLAB_TYPESAFE_BY_RCU },
		{ 'D', SLAB_CACHE_DMA },
		{ 'A', SLAB_ACCOUNT },
		{ 'N', SLAB_NO_MERGE },
		{ '3', SLAB_CACHE_DMA32 },
	};
	slab_flags_t flags = 0;

	for (; *letters; letters++) {
		for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
			if (known[i].letter == *letters)
				flags |= known[i].flag;
		}
	}
	return flags;
}

static void print_geo(struct runner *r, const char *name)
{
	struct slab_cache_info info;

	if (slab_target_cache(r->target, name, &info))
		return;
	fprintf(r->out,
		"@@ geo name=%s ksize=%u object_size=%u slab_size=%u "
		"objs_per_slab=%u order=%u align=%u min_partial=%lu "
		"cpu_partial=0 hwcache_align=%d reclaim_account=%d "
		"destroy_by_rcu=%d cache_dma=%d usersize=%u red_zone=%d "
		"poison=%d store_user=%d sanity_checks=%d trace=%d "
		"aliases=%d ctor=%s\n",
		name, info.object_size, info.object_size, info.size,
		info.objs_per_slab, info.order, info.align, info.min_partial,
		!!(info.flags & SLAB_HWCACHE_ALIGN),
		!!(info.flags & SLAB_RECLAIM_ACCOUNT),
		!!(info.flags & SLAB_TYPESAFE_BY_RCU),
		!!(info.flags & SLAB_CACHE_DMA), info.usersize,
		!!(info.flags & SLAB_RED_ZONE), !!(info.flags & SLAB_POISON),
		!!(info.flags & SLAB_STORE_USER),
		!!(info.flags & SLAB_CONSISTENCY_CHECKS),
		!!(info.flags & SLAB_TRACE), info.refcount - 1,
		info.ctor ? "ctor" : "");
}

/* create C NAME SIZE ALIGN FLAGS [ctor] [rcu] [uo=N us=N] */
static void run_create(struct runner *r, const struct words *w)
{
	struct kmem_cache_args args = { 0 };
	unsigned int c = number(w, 1, NR_CACHES);
	slab_flags_t flags = create_flags(w->nr > 5 ? w->at[5] : "");
	unsigned int size = (unsigned int)words_number(w, 3);
	unsigned long n;

	args.align = (unsigned int)words_number(w, 4);
	if (words_has(w, "ctor"))
		args.ctor = size < 8 ? ctor_byte : ctor_word;
	if (words_has(w, "rcu"))
		flags |= SLAB_TYPESAFE_BY_RCU;
	if (r->no_sheaves)
		flags |= SLAB_NOLEAKTRACE;
	if (words_key(w, "uo", &n))
		args.useroffset = (unsigned int)n;
	if (words_key(w, "us", &n))
		args.usersize = (unsigned int)n;
	r->caches[c] = kmem_cache_create(w->at[2], size, &args, flags);
	if (!r->caches[c]) {
		fprintf(r->out, "@@ = FAILED\n");
		return;
	}
	snprintf(r->names[c], sizeof(r->names[c]), "%s", w->at[2]);
	fprintf(r->out, "@@ = ok\n");
	print_geo(r, w->at[2]);
}

static void run_setname(struct runner *r, const struct words *w)
{
	unsigned long size = 0;
	char unit = 0;

	snprintf(r->names[number(w, 1, NR_CACHES)], 64, "%s", w->at[2]);
	/* a running kernel has all its classes */
	if (sscanf(w->at[2], "kmalloc-%lu%c", &size, &unit) >= 1)
		slab_kmalloc_cache(r->m, unit == 'k' ? size * 1024 : size,
				   GFP_KERNEL);
}

static void run_destroy(struct runner *r, const struct words *w)
{
	unsigned int c = number(w, 1, NR_CACHES);

	kmem_cache_destroy(r->caches[c]);
	r->caches[c] = NULL;
	r->names[c][0] = 0;
	print_returned(r);
}

static void run_rcuwait(struct runner *r, const struct words *w)
{
	(void)w;
	slab_machine_rcu_barrier(r->m);
}

/* ---- files ---- */
static ssize_t sysfs_write(struct runner *r, unsigned int c, const char *file,
			   const char *text)
{
	struct tree_node node;
	char path[256];
	int err;

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/%s", r->names[c],
		 file);
	err = r->names[c][0] ? tree_lookup(r->target, path, true, &node)
			     : -ENOENT;
	return err ? err : tree_write(r->target, &node, text, strlen(text));
}

static void run_write_one(struct runner *r, const struct words *w)
{
	fprintf(r->out, "@@ = %zd\n",
		sysfs_write(r, number(w, 1, NR_CACHES), w->at[0], "1\n"));
}

static void run_attrw(struct runner *r, const struct words *w)
{
	fprintf(r->out, "@@ = %zd\n",
		sysfs_write(r, number(w, 1, NR_CACHES), w->at[2],
			    w->nr > 3 ? w->at[3] : ""));
}

static void run_attr(struct runner *r, const struct words *w)
{
	struct tree_node node;
	char path[256], *text = NULL;
	unsigned int c = number(w, 1, NR_CACHES);
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/%s", r->names[c],
		 w->at[2]);
	n = r->names[c][0] ? tree_lookup(r->target, path, true, &node)
			   : -ENOENT;
	if (!n)
		n = tree_read(r->target, &node, &text);
	/* the harness counted without the last newline */
	if (n > 0 && text) {
		n -= text[n - 1] == '\n';
		text[n] = 0;
	}
	fprintf(r->out, "@@ = %zd [%s]\n", n, n > 0 && text ? text : "");
	free(text);
}

static void run_cat(struct runner *r, const struct words *w)
{
	struct tree_node node;
	char *text = NULL, *rest, *line;
	ssize_t n = tree_lookup(r->target, w->at[1], true, &node);

	if (!n)
		n = tree_read(r->target, &node, &text);
	if (n < 0) {
		fprintf(r->out, "@@ = %zd\n", n);
		return;
	}
	rest = text;
	while ((line = strsep(&rest, "\n")))
		fprintf(r->out, *line ? "@@ | %s\n" : "@@ |\n", line);
	free(text);
}

const struct command cache_commands[] = {
	{ "create", 6, run_create },	{ "validate", 2, run_write_one },
	{ "shrink", 2, run_write_one }, { "attr", 3, run_attr },
	{ "attrw", 3, run_attrw },	{ "setname", 3, run_setname },
	{ "destroy", 2, run_destroy },	{ "cat", 2, run_cat },
	{ "rcuwait", 1, run_rcuwait },	{ 0 },
};
