/* SPDX-License-Identifier: MIT */
/*
 * normalise.c - what two runs of the same commands must have in common
 *
 * The harness's own lines, and the walk over a case's steps.
 */
#include <stdlib.h>
#include <string.h>

#include "normalise.h"

static unsigned int geo_number(const char *geo, const char *key)
{
	char pattern[40];
	const char *at;

	snprintf(pattern, sizeof(pattern), " %s=", key);
	at = strstr(geo, pattern);
	return at ? (unsigned int)strtoul(at + strlen(pattern), NULL, 10) : 0;
}

bool case_cache_read(const char *geo, struct case_cache *ret)
{
	const char *ctor = strstr(geo, " ctor=");
	unsigned int flags = 0;

	*ret = (struct case_cache){ 0 };
	if (!text_between(geo, "@@ geo name=", " ", ret->name,
			  sizeof(ret->name)))
		return false;
	flags |= geo_number(geo, "sanity_checks") ? FLAG_F : 0;
	flags |= geo_number(geo, "red_zone") ? FLAG_Z : 0;
	flags |= geo_number(geo, "poison") ? FLAG_P : 0;
	flags |= geo_number(geo, "store_user") ? FLAG_U : 0;
	flags |= geo_number(geo, "trace") ? FLAG_T : 0;
	flags |= geo_number(geo, "destroy_by_rcu") ? FLAG_RCU : 0;
	flags |= ctor && ctor[6] ? FLAG_CTOR : 0;
	layout_compute(&ret->layout, geo_number(geo, "object_size"),
		       geo_number(geo, "align"), flags);
	/* as told; geo lines are compared as they are */
	ret->layout.size = geo_number(geo, "slab_size");
	ret->layout.span = ret->layout.size - ret->layout.left_pad;
	ret->order = geo_number(geo, "order");
	ret->objects = geo_number(geo, "objs_per_slab");
	return ret->layout.size && ret->objects;
}

/* The caches of a case, and what of a geo line can be compared. */
static void cache_add(struct reader *r, const struct words *w, const char *geo,
		      struct lines *out)
{
	static const char *const comparable[] = {
		"ksize",	  "object_size",   "slab_size",
		"objs_per_slab",  "order",	   "align",
		"min_partial",	  "hwcache_align", "reclaim_account",
		"destroy_by_rcu", "cache_dma",	   "usersize",
		"red_zone",	  "poison",	   "store_user",
		"sanity_checks",  "trace",	   "aliases",
	};
	struct case_cache cache;
	char text[512] = "geo";

	if (!case_cache_read(geo, &cache)) {
		lines_addf(out, "badly printed: %s", geo);
		return;
	}
	r->caches = must(
		realloc(r->caches, (r->nr_caches + 1) * sizeof(*r->caches)));
	r->caches[r->nr_caches] = cache;
	r->by_number[words_number(w, 1) % NR_CACHES] = (int)r->nr_caches++;
	for (size_t i = 0; i < ARRAY_SIZE(comparable); i++) {
		size_t n = strlen(text);

		snprintf(text + n, sizeof(text) - n, " %s=%u", comparable[i],
			 geo_number(geo, comparable[i]));
	}
	lines_addf(out, "%s ctor=%s", text,
		   cache.layout.flags & FLAG_CTOR ? "yes" : "no");
}

/* ---- own lines ---- */
static const char *const counters[] = {
	"slabs",	   "total_objects", "objects",		 "partial",
	"objects_partial", "cpu_slabs",	    "slabs_cpu_partial", "cpu_partial",
};

/* Files that are there or not as the kernel was configured, and one that names
 * the harness's function. */
static bool is_own_file(const char *name)
{
	return !strcmp(name, "failslab") || !strcmp(name, "skip_kfence") ||
	       !strcmp(name, "ctor");
}

static bool is_counter(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
		if (!strcmp(counters[i], name))
			return true;
	}
	return false;
}

/* ADDRESS off=N */
static void add_address_result(struct reader *r, const struct words *w,
			       const char *result, struct lines *out)
{
	uint64_t address = strtoull(result, NULL, 16);
	const char *off = strstr(result, "off=");
	struct slot *slot = &r->slots[words_number(w, 1) % NR_SLOTS];
	unsigned long size = (unsigned long)words_number(w, 2);
	bool is_alloc = !strcmp(w->at[0], "alloc");
	char where[64];

	if (is_alloc)
		slot->cache = r->by_number[words_number(w, 2) % NR_CACHES];
	else if (strcmp(w->at[0], "krealloc") || slot->address != address)
		slot->cache = cache_of_size(r, size);
	slot->orig_size = is_alloc ? 0 : size;
	slot->address = address;
	if (!address || !off) {
		lines_addf(out, "= %s", address ? result : "NULL");
	} else if (slot->cache == NO_CACHE) {
		lines_add(out, "= large");
	} else {
		slab_see(r, address - strtoull(off + 4, NULL, 10), slot->cache);
		lines_addf(out, "= %s%s", address_text(r, address, where),
			   address == r->next ? " (next)" : "");
	}
}

/* obj N: bytes */
static void add_hex(struct reader *r, const struct words *w, const char *line,
		    struct lines *out)
{
	const struct slot *slot = &r->slots[words_number(w, 1) % NR_SLOTS];
	char text[96], *at;
	uint8_t read[16];
	int bytes[16];
	long offset;
	size_t nr;

	if (!starts_with(line, "@@ hd obj") || slot->cache == NO_CACHE) {
		lines_add(out, "hd");
		return;
	}
	offset = strtol(line + strlen("@@ hd obj"), &at, 10);
	nr = row_bytes(at + 2, read);
	for (size_t i = 0; i < nr; i++)
		bytes[i] = read[i];
	lines_add(out, hex_text(&r->caches[slot->cache].layout, slot->orig_size,
				offset, bytes, nr, text));
}

/*
 * Lines of `cat PATH`. The harness could not read what is no file of sysfs and
 * answered -22 itself; but that a file is missing it could tell.
 */
static void add_file_line(struct reader *r, const struct words *w,
			  const char *line, struct lines *out)
{
	const char *path = w->nr > 1 ? w->at[1] : "";
	const char *file = strrchr(path, '/');

	if (file && is_own_file(file + 1)) {
		if (!out->nr)
			lines_add(out, "the run's own");
	} else if (!starts_with(path, "/sys/kernel/slab/") &&
		   strcmp(line, "@@ = -2")) {
		if (!out->nr)
			lines_add(out, "a file that could not be read");
	} else if (file && is_counter(file + 1) &&
		   is_plain(r, r->by_number[0]) && line[3] == '|') {
		lines_add(out, "| counter");
	} else {
		lines_add(out, line + 3);
	}
}

static void add_own_line(struct reader *r, const struct words *w,
			 const char *line, struct lines *out)
{
	const char *command = w->at[0];
	const char *result = starts_with(line, "@@ = ") ? line + 5 : NULL;
	unsigned int number = (unsigned int)words_number(w, 1) % NR_CACHES;
	char where[64];

	if (starts_with(line, "@@ geo ")) {
		cache_add(r, w, line, out);
	} else if (starts_with(line, "@@ hd ")) {
		add_hex(r, w, line, out);
	} else if (starts_with(line, "@@ counters ")) {
		int cache = r->slots[words_number(w, 1) % NR_SLOTS].cache;
		uint64_t word = strtoull(line + 12, NULL, 16);

		if (is_plain(r, cache))
			lines_add(out, "counters");
		else
			lines_addf(out, "counters %08lx", word & 0xffffffff);
	} else if (starts_with(line, "@@ word ")) {
		int cache = r->slots[words_number(w, 1) % NR_SLOTS].cache;
		uint64_t word = 0;
		int i = 0;

		sscanf(line, "@@ word %d = %lx", &i, &word);
		if (i == 5 && !is_plain(r, cache))
			lines_addf(out, "word 5 = %08lx", word & 0xffffffff);
		else
			lines_addf(out, "word %d", i);
	} else if (starts_with(line, "@@ ptr ")) {
		lines_addf(out, "ptr %s",
			   strtoull(line + 7, NULL, 16) ? "PTR" : "NULL");
	} else if (!strcmp(command, "cat")) {
		add_file_line(r, w, line, out);
	} else if (!result) {
		lines_add(out, line + strlen("@@ "));
	} else if (!strcmp(command, "alloc") || !strcmp(command, "km") ||
		   !strcmp(command, "kmz") || !strcmp(command, "krealloc")) {
		add_address_result(r, w, result, out);
	} else if (starts_with(result, "key ")) {
		lines_add(out, "= key");
	} else if (starts_with(result, "next ")) {
		uint64_t next = strtoull(result + 5, NULL, 16);

		slab_see_around(r, next,
				r->slots[words_number(w, 1) % NR_SLOTS].cache);
		lines_addf(out, "= next %s", known_text(r, next, where));
		r->next = next;
	} else if (starts_with(command, "attr") && w->nr > 2 &&
		   is_own_file(w->at[2])) {
		lines_add(out, "the run's own");
	} else if (!strcmp(command, "attr") && strchr(result, '[') &&
		   w->nr > 2 && is_counter(w->at[2]) && result[0] != '-' &&
		   (is_plain(r, r->by_number[number]) ||
		    is_kmalloc(r, r->by_number[number]))) {
		lines_add(out, "= counter");
	} else {
		lines_add(out, line + 3);
	}
}

/* ---- a case ---- */
static void step_normalise(struct reader *r, const struct step *step,
			   struct lines *out)
{
	struct words w;

	words_split(&w, step->is_phase ? "phase" : step->command);
	r->object = 0;
	r->report_cache = NO_CACHE;
	if (!strcmp(w.at[0], "setname") && w.nr > 2)
		r->by_number[words_number(&w, 1) % NR_CACHES] =
			cache_find(r, w.at[2]);
	if (!strcmp(w.at[0], "allocn") || !strcmp(w.at[0], "bulkalloc")) {
		bool is_bulk = !strcmp(w.at[0], "bulkalloc");
		size_t first = (size_t)words_number(&w, is_bulk ? 2 : 1);
		size_t count = (size_t)words_number(&w, is_bulk ? 3 : 2);
		size_t number = (size_t)words_number(&w, is_bulk ? 1 : 3);

		for (size_t i = first; i < first + count && i < NR_SLOTS; i++)
			r->slots[i].cache = r->by_number[number % NR_CACHES];
	}
	for (size_t i = 0; i < step->out.nr; i++) {
		if (starts_with(step->out.at[i], "@@ "))
			add_own_line(r, &w, step->out.at[i], out);
		else
			add_kernel_line(r, &step->out, i, out);
	}
	flush_group(r, out);
	if (!strcmp(w.at[0], "destroy"))
		r->by_number[words_number(&w, 1) % NR_CACHES] = NO_CACHE;
}

void normalise(const struct oracle_case *c, struct normal *ret)
{
	struct reader *r = must(calloc(1, sizeof(*r)));

	r->c = c;
	for (size_t i = 0; i < NR_CACHES; i++)
		r->by_number[i] = NO_CACHE;
	for (size_t i = 0; i < NR_SLOTS; i++)
		r->slots[i].cache = NO_CACHE;
	ret->nr_steps = c->nr_steps;
	ret->steps = must(calloc(c->nr_steps + 1, sizeof(*ret->steps)));
	for (size_t i = 0; i < c->nr_steps; i++)
		step_normalise(r, &c->steps[i], &ret->steps[i].out);
	free(r->caches);
	free(r->slabs);
	free(r->objects);
	free(r);
}

void normal_copy(struct normal *to, const struct normal *from)
{
	to->nr_steps = from->nr_steps;
	to->steps = must(calloc(from->nr_steps + 1, sizeof(*to->steps)));
	for (size_t i = 0; i < from->nr_steps; i++)
		lines_copy(&to->steps[i].out, &from->steps[i].out);
}

void normal_free(struct normal *n)
{
	for (size_t i = 0; i < n->nr_steps; i++)
		lines_free(&n->steps[i].out);
	free(n->steps);
	*n = (struct normal){ 0 };
}
