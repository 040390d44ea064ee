/* SPDX-License-Identifier: MIT */
/*
 * geometry.c - caches of measured kernels against the library's arithmetic
 *
 * Every row becomes a machine of that many CPUs with those kernel parameters,
 * and a cache on it; each column is compared as a number. Nothing is tolerated
 * but what a row does not tell: the one exception is named where it stands.
 */
#include <stdlib.h>
#include <string.h>

#include <slab/inspect.h>
#include <slab/kmalloc.h>
#include <slab/machine.h>

#include "replay.h"

struct tally {
	size_t agree, explained, differ;
};

static int tally_end(const struct tally *t)
{
	printf("%zu agree, %zu explained, %zu differ\n", t->agree, t->explained,
	       t->differ);
	return t->differ ? 1 : 0;
}

static void no_ctor(void *object)
{
	(void)object;
}

/* ---- machines, one a set of CPUs and parameters ---- */
struct measured_machine {
	char key[512];
	struct slab_machine *m;
	struct slab_target *target;
};

static void machine_close(struct measured_machine *mm)
{
	if (mm->target)
		slab_target_close(mm->target);
	if (mm->m)
		slab_machine_destroy(mm->m);
	*mm = (struct measured_machine){ 0 };
}

/* The kernel's command line, word by word, in its order. */
static int machine_parameters(struct slab_machine *m, const char *parameters)
{
	struct words w;
	int err = slab_machine_sysctl(m, "slab_nomerge", "1");

	words_split(&w, parameters);
	for (size_t i = 0; !err && i < w.nr; i++) {
		char *value = strchr(w.at[i], '=');

		if (!value)
			continue;
		*value++ = 0;
		err = slab_machine_sysctl(m, w.at[i], value);
	}
	return err;
}

static int machine_open(struct measured_machine *mm, unsigned int cpus,
			unsigned int cpu_ids, const char *parameters)
{
	struct slab_machine_config config = {
		.nr_cpus = cpus,
		.nr_cpu_ids = cpu_ids,
		.freelist_hardened = true,
		.freelist_random = true,
		.asan_off = true, /* that kernel had no KASAN */
	};
	char key[512];
	int err;

	snprintf(key, sizeof(key), "%u %u %s", cpus, cpu_ids, parameters);
	if (mm->m && !strcmp(key, mm->key))
		return 0;
	machine_close(mm);
	err = slab_machine_create_virtual(&config, &mm->m);
	if (!err)
		err = machine_parameters(mm->m, parameters);
	if (!err)
		err = slab_target_open_self(mm->m, &mm->target);
	if (!err) {
		slab_machine_use(mm->m);
		snprintf(mm->key, sizeof(mm->key), "%s", key);
	} else {
		fprintf(stderr, "slab-oracle: no machine '%s': %s\n", key,
			strerror(-err));
	}
	return err;
}

/* ---- geometry.tsv ---- */
static long cell_number(const struct table *t, size_t row, const char *column)
{
	return strtol(table_cell(t, row, column), NULL, 10);
}

struct row {
	const struct table *t;
	size_t row;
	struct lines wrong;
};

static void expect(struct row *r, const char *column, long ours)
{
	const char *cell = table_cell(r->t, r->row, column);

	if (!*cell || strtol(cell, NULL, 10) != ours)
		lines_addf(&r->wrong, "%s: the kernel's %s, ours %ld", column,
			   *cell ? cell : "(none)", ours);
}

static void expect_flags(struct row *r, const struct slab_cache_info *info)
{
	static const struct {
		const char *column;
		slab_flags_t flag;
	} columns[] = {
		{ "hwcache_align", SLAB_HWCACHE_ALIGN },
		{ "reclaim_account", SLAB_RECLAIM_ACCOUNT },
		{ "destroy_by_rcu", SLAB_TYPESAFE_BY_RCU },
		{ "cache_dma", SLAB_CACHE_DMA },
		{ "red_zone", SLAB_RED_ZONE },
		{ "poison", SLAB_POISON },
		{ "store_user", SLAB_STORE_USER },
		{ "sanity_checks", SLAB_CONSISTENCY_CHECKS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		expect(r, columns[i].column, !!(info->flags & columns[i].flag));
}

static void expect_sizes(struct row *r, const struct slab_cache_info *info)
{
	expect(r, "object_size", info->object_size);
	expect(r, "slab_size", info->size);
	expect(r, "objs_per_slab", info->objs_per_slab);
	expect(r, "order", info->order);
	expect(r, "align", info->align);
	expect(r, "min_partial", (long)info->min_partial);
	expect(r, "usersize", info->usersize);
}

/* Three objects: where each lies in its slot, whatever the slot. */
static void expect_objects(struct row *r, struct slab_target *target,
			   struct kmem_cache *s,
			   const struct slab_cache_info *info)
{
	const char *cell = table_cell(r->t, r->row, "first_obj_offsets");
	void *objects[3] = { 0 };
	char *end;

	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		struct slab_address_info where;
		long theirs = strtol(cell, &end, 10), ours;

		objects[i] = kmem_cache_alloc(s, GFP_KERNEL);
		if (!objects[i] ||
		    slab_target_identify(target, (uintptr_t)objects[i],
					 &where)) {
			lines_addf(&r->wrong, "object %zu can not be had", i);
			break;
		}
		ours = (long)((uintptr_t)objects[i] - where.slab.base);
		if (end == cell ||
		    theirs % (long)info->size != ours % (long)info->size)
			lines_addf(&r->wrong,
				   "first_obj_offsets: the kernel's %ld in its "
				   "slot, ours %ld",
				   theirs % (long)info->size,
				   ours % (long)info->size);
		cell = *end ? end + 1 : end;
	}
	if (objects[0])
		expect(r, "ksize", (long)ksize(objects[0]));
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		if (objects[i])
			kmem_cache_free(s, objects[i]);
	}
}

static void geometry_row(struct row *r, struct measured_machine *mm)
{
	struct kmem_cache_args args = { 0 };
	struct slab_cache_info info;
	struct kmem_cache *s;
	struct words extra;
	unsigned long n;
	slab_flags_t flags = create_flags(table_cell(r->t, r->row, "flags"));

	words_split(&extra, table_cell(r->t, r->row, "extra"));
	args.align = (unsigned int)cell_number(r->t, r->row, "align_req");
	if (words_has(&extra, "rcu"))
		flags |= SLAB_TYPESAFE_BY_RCU;
	if (words_has(&extra, "ctor"))
		args.ctor = no_ctor;
	if (words_key(&extra, "uo", &n))
		args.useroffset = (unsigned int)n;
	if (words_key(&extra, "us", &n))
		args.usersize = (unsigned int)n;
	s = kmem_cache_create("measured",
			      (unsigned int)cell_number(r->t, r->row, "size"),
			      &args, flags);
	if (!s || slab_target_cache(mm->target, "measured", &info)) {
		lines_add(&r->wrong, "the cache can not be made");
		return;
	}
	expect_sizes(r, &info);
	expect_flags(r, &info);
	expect_objects(r, mm->target, s, &info);
	kmem_cache_destroy(s);
}

static void show_row(const struct row *r, const char *const *columns,
		     bool is_verbose)
{
	if (!r->wrong.nr && !is_verbose)
		return;
	printf("row %zu", r->row + 2);
	for (; *columns; columns++) {
		const char *cell = table_cell(r->t, r->row, *columns);

		if (*cell)
			printf(" %s=%s", *columns, cell);
	}
	printf(": %s\n", r->wrong.nr ? "differs" : "agrees");
	for (size_t i = 0; i < r->wrong.nr; i++)
		printf("  %s\n", r->wrong.at[i]);
}

int command_geometry(const char *path, bool is_verbose)
{
	static const char *const shown[] = { "run",	    "cpus_present",
					     "boot_params", "size",
					     "align_req",   "flags",
					     "extra",	    NULL };
	struct measured_machine mm = { 0 };
	struct tally tally = { 0 };
	struct table t;

	if (table_read(path, &t))
		return 2;
	for (size_t i = 0; i < t.nr_rows; i++) {
		struct row r = { .t = &t, .row = i };

		if (machine_open(
			    &mm,
			    (unsigned int)cell_number(&t, i, "cpus_present"),
			    (unsigned int)cell_number(&t, i, "nr_cpu_ids"),
			    table_cell(&t, i, "boot_params")))
			lines_add(&r.wrong, "no such machine");
		else
			geometry_row(&r, &mm);
		show_row(&r, shown, is_verbose);
		if (r.wrong.nr)
			tally.differ++;
		else
			tally.agree++;
		lines_free(&r.wrong);
	}
	machine_close(&mm);
	table_free(&t);
	return tally_end(&tally);
}

/* ---- a running kernel's caches ---- */
/* With its pointer to the next free object behind the object, would a cache of
 * this row be larger than it is? Then the creator put it inside. */
static bool row_is_inside(const struct table *t, size_t row)
{
	unsigned int flags = 0;
	struct layout l;

	if (cell_number(t, row, "destroy_by_rcu"))
		flags |= FLAG_RCU;
	if (*table_cell(t, row, "ctor"))
		flags |= FLAG_CTOR;
	if (!flags)
		return false;
	layout_compute(&l, (unsigned int)cell_number(t, row, "object_size"),
		       (unsigned int)cell_number(t, row, "align"), flags);
	return l.size > (unsigned int)cell_number(t, row, "slab_size");
}

static void caches_row(struct row *r, struct measured_machine *mm,
		       bool is_inside)
{
	struct kmem_cache_args args = { 0 };
	struct slab_cache_info info;
	slab_flags_t flags = 0;
	struct kmem_cache *s;

	args.align = (unsigned int)cell_number(r->t, r->row, "align");
	args.usersize = (unsigned int)cell_number(r->t, r->row, "usersize");
	args.use_freeptr_offset = is_inside;
	if (*table_cell(r->t, r->row, "ctor"))
		args.ctor = no_ctor;
	if (cell_number(r->t, r->row, "hwcache_align"))
		flags |= SLAB_HWCACHE_ALIGN;
	if (cell_number(r->t, r->row, "reclaim_account"))
		flags |= SLAB_RECLAIM_ACCOUNT;
	if (cell_number(r->t, r->row, "destroy_by_rcu"))
		flags |= SLAB_TYPESAFE_BY_RCU;
	if (cell_number(r->t, r->row, "cache_dma"))
		flags |= SLAB_CACHE_DMA;
	s = kmem_cache_create(
		"measured",
		(unsigned int)cell_number(r->t, r->row, "object_size"), &args,
		flags);
	if (!s || slab_target_cache(mm->target, "measured", &info)) {
		lines_add(&r->wrong, "the cache can not be made");
		return;
	}
	expect_sizes(r, &info);
	expect_flags(r, &info);
	kmem_cache_destroy(s);
}

int command_caches(const char *path, bool is_verbose)
{
	static const char *const shown[] = { "name", NULL };
	struct measured_machine mm = { 0 };
	struct tally tally = { 0 };
	struct table t;

	/* 2 CPUs, no slab parameter: kernel-6.18-facts.tsv */
	if (table_read(path, &t) || machine_open(&mm, 2, 2, ""))
		return 2;
	for (size_t i = 0; i < t.nr_rows; i++) {
		struct row r = { .t = &t, .row = i };
		bool is_inside = row_is_inside(&t, i);

		caches_row(&r, &mm, is_inside);
		show_row(&r, shown, is_verbose);
		if (r.wrong.nr)
			tally.differ++;
		else if (is_inside)
			tally.explained++;
		else
			tally.agree++;
		lines_free(&r.wrong);
	}
	if (tally.explained)
		printf("rule freeptr-inside: %zu\n", tally.explained);
	machine_close(&mm);
	table_free(&t);
	return tally_end(&tally);
}
