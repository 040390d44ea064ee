/* SPDX-License-Identifier: MIT */
/*
 * commands.c - the harness's commands, over the public API
 *
 * Only the words of a slab's descriptor (slabset, slabinc, slabword) and the
 * bounds of a slab come from the library's inside.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <slab/debug.h>
#include <slab/inject.h>
#include <slab/kmalloc.h>

#include "debugfs/tree.h"
#include "slab/slab.h"

#include "replay.h"

static uint8_t static_buffer[64] __attribute__((aligned(64)));

/* ---- what the commands need ---- */
static unsigned int number(const struct words *w, size_t i, unsigned int limit)
{
	return (unsigned long long)words_number(w, i) % limit;
}

static struct kmem_cache **cache_at(struct runner *r, const struct words *w,
				    size_t i)
{
	return &r->caches[number(w, i, NR_CACHES)];
}

static uint8_t **slot_at(struct runner *r, const struct words *w, size_t i)
{
	return &r->slots[number(w, i, NR_SLOTS)];
}

/* Pointers that point nowhere are what is asked for. */
static void *moved(const uint8_t *p, long n)
{
	return (void *)((uintptr_t)p + (uintptr_t)n);
}

static uint64_t printed(const struct runner *r, const void *p)
{
	return slab_machine_print_address(r->m, (uintptr_t)p);
}

/* Bytes to an object and around it, but not beyond its slab: the harness
 * reached the neighbouring page then, which nobody looked at. */
static void poke(struct runner *r, const uint8_t *object, long offset,
		 const uint8_t *bytes, size_t n)
{
	const struct slab *head = virt_to_head(r->m, object);
	uintptr_t base, end, at = (uintptr_t)object + (uintptr_t)offset;

	if (!head)
		return;
	base = slab_base(r->m, head);
	end = base + (PAGE_SIZE << head->order);
	if (at < base) {
		size_t cut = base - at;

		if (cut >= n)
			return;
		at += cut;
		bytes += cut;
		n -= cut;
	}
	if (at >= end)
		return;
	if (n > end - at)
		n = end - at;
	slab_poke(r->m, at, bytes, n);
}

static void poke_byte(struct runner *r, const uint8_t *object, long offset,
		      uint8_t byte, size_t n)
{
	uint8_t *bytes;

	if (!object || n > 1 << 20)
		return;
	bytes = must(malloc(n + 1));
	memset(bytes, byte, n);
	poke(r, object, offset, bytes, n);
	free(bytes);
}

static uint64_t word_at(struct runner *r, const uint8_t *object, long offset)
{
	uint64_t word = 0;

	slab_target_read(r->target, (uintptr_t)object + (uintptr_t)offset,
			 &word, sizeof(word));
	return word;
}

static uint64_t coded(const struct runner *r, uint64_t next,
		      const uint8_t *object, long offset)
{
	return next ^ r->key ^
	       __builtin_bswap64((uintptr_t)object + (uintptr_t)offset);
}

/* ADDRESS off=N */
static void print_object(struct runner *r, const void *object)
{
	const struct slab *head = object ? virt_to_head(r->m, object) : NULL;

	fprintf(r->out, "@@ = %016lx off=%ld\n",
		object ? printed(r, object) : 0,
		head ? (long)((uintptr_t)object - slab_base(r->m, head)) : -1L);
}

static void print_returned(struct runner *r)
{
	fprintf(r->out, "@@ = returned\n");
}

static void print_line(void *arg, const char *line)
{
	fprintf(arg, "%s\n", line);
}

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

/* ---- sysfs ---- */
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

static void run_cat(struct runner *r, const char *path)
{
	struct tree_node node;
	char *text = NULL, *rest, *line;
	ssize_t n = tree_lookup(r->target, path, true, &node);

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

/* ---- objects ---- */
/* A command for a cache that could not be made, or is gone, does nothing. */
static void *alloc_one(struct kmem_cache *s)
{
	return s ? kmem_cache_alloc(s, GFP_KERNEL) : NULL;
}

static void free_one(struct kmem_cache *s, void *p)
{
	if (s)
		kmem_cache_free(s, p);
}

static void run_freeptr(struct runner *r, const struct words *w)
{
	bool is_kfree = w->nr > 2 && !strcmp(w->at[2], "kfree");
	void *p = NULL;

	if (!strcmp(w->at[1], "page"))
		p = slab_machine_alloc_pages(r->m, 0);
	else if (!strcmp(w->at[1], "static"))
		p = moved(static_buffer, 0);
	else if (!strcmp(w->at[1], "big"))
		p = kmalloc(65536, GFP_KERNEL);
	fprintf(r->out, "@@ ptr %016lx\n", printed(r, p));
	fflush(r->out);
	if (is_kfree)
		kfree(p);
	else
		free_one(*cache_at(r, w, 2), p);
	print_returned(r);
}

static void run_bulkfree(struct runner *r, const struct words *w)
{
	void *p[MAX_WORDS];
	size_t nr = 0;

	for (size_t i = 2; i < w->nr; i++)
		p[nr++] = *slot_at(r, w, i);
	if (*cache_at(r, w, 1))
		kmem_cache_free_bulk(*cache_at(r, w, 1), nr, p);
	print_returned(r);
}

static void run_bulkalloc(struct runner *r, const struct words *w)
{
	size_t first = number(w, 2, NR_SLOTS);
	size_t count = number(w, 3, NR_SLOTS);

	if (first + count > NR_SLOTS)
		count = NR_SLOTS - first;
	fprintf(r->out, "@@ = %d\n",
		*cache_at(r, w, 1) ? kmem_cache_alloc_bulk(
					     *cache_at(r, w, 1), GFP_KERNEL,
					     count, (void **)&r->slots[first])
				   : 0);
}

/* wrtail S C OFF LEN BYTE */
static void run_wrtail(struct runner *r, const struct words *w)
{
	const uint8_t *object = *slot_at(r, w, 1);
	const struct slab *slab = virt_to_slab(r->m, object);
	long offset = words_number(w, 3), length = words_number(w, 4);
	long used, all;
	uintptr_t base;

	if (!slab || !slab->slab_cache)
		return;
	base = slab_base(r->m, slab);
	all = (long)slab_bytes(slab);
	used = (long)(all / slab->slab_cache->size * slab->slab_cache->size);
	fprintf(r->out, "@@ tail %ld..%ld\n", used, all);
	if (all - used < length) {
		fprintf(r->out, "@@ notail\n");
		return;
	}
	offset += offset < 0 ? all : used;
	poke_byte(r, object, (long)(base - (uintptr_t)object) + offset,
		  (uint8_t)words_number(w, 5), (size_t)length);
}

/* The words of a descriptor; checks must bear whatever is written there. */
static uint64_t *descriptor_word(struct runner *r, const struct words *w,
				 size_t i)
{
	struct slab *slab = virt_to_slab(r->m, *slot_at(r, w, 1));

	return slab ? (uint64_t *)slab + i % 6 : NULL;
}

static void run_slabword(struct runner *r, const struct words *w)
{
	uint64_t *word = descriptor_word(r, w, 0);

	if (!word)
		return;
	word[number(w, 2, 6)] ^= (uint64_t)words_number(w, 3);
	for (int i = 0; i < 6; i++)
		fprintf(r->out, "@@ word %d = %016lx\n", i, word[i]);
}

static void run_hex(struct runner *r, const uint8_t *from, long offset,
		    size_t n, const char *what)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t byte = 0;

		slab_target_read(r->target,
				 (uintptr_t)from + (uintptr_t)offset + i, &byte,
				 1);
		if (i % 16 == 0)
			fprintf(r->out, "%s@@ hd %s %5ld:", i ? "\n" : "", what,
				offset + (long)i);
		fprintf(r->out, " %02x", byte);
	}
	fprintf(r->out, "\n");
}

static void run_hdslab(struct runner *r, const struct words *w)
{
	const struct slab *slab = virt_to_slab(r->m, *slot_at(r, w, 1));

	if (slab)
		run_hex(r, (uint8_t *)slab_base(r->m, slab), 0,
			slab_bytes(slab), "slab");
}

/* ---- one row a command ---- */
static void run_alloc(struct runner *r, const struct words *w)
{
	*slot_at(r, w, 1) = alloc_one(*cache_at(r, w, 2));
	print_object(r, *slot_at(r, w, 1));
}

static void run_allocn(struct runner *r, const struct words *w)
{
	size_t first = number(w, 1, NR_SLOTS), n = number(w, 2, NR_SLOTS);

	for (size_t i = first; i < first + n && i < NR_SLOTS; i++)
		r->slots[i] = alloc_one(*cache_at(r, w, 3));
}

static void run_free(struct runner *r, const struct words *w)
{
	free_one(*cache_at(r, w, 2), *slot_at(r, w, 1));
	print_returned(r);
}

static void run_freen(struct runner *r, const struct words *w)
{
	size_t first = number(w, 1, NR_SLOTS), n = number(w, 2, NR_SLOTS);

	for (size_t i = first; i < first + n && i < NR_SLOTS; i++)
		free_one(*cache_at(r, w, 3), r->slots[i]);
}

static void run_freeoff(struct runner *r, const struct words *w)
{
	free_one(*cache_at(r, w, 3),
		 moved(*slot_at(r, w, 1), (long)words_number(w, 2)));
	print_returned(r);
}

static void run_freebase(struct runner *r, const struct words *w)
{
	const struct slab *slab = virt_to_slab(r->m, *slot_at(r, w, 1));

	free_one(*cache_at(r, w, 2),
		 slab ? (void *)slab_base(r->m, slab) : NULL);
	print_returned(r);
}

/* A running kernel has objects of its own in the slabs of every class. */
static void others_allocate(struct runner *r, size_t size)
{
	struct kmem_cache *s = slab_kmalloc_cache(r->m, size, GFP_KERNEL);

	for (size_t i = 0; s && i < ARRAY_SIZE(r->classes); i++) {
		if (r->classes[i] == s)
			return;
		if (r->classes[i])
			continue;
		r->classes[i] = s;
		for (int j = 0; j < OTHERS; j++)
			(void)kmem_cache_alloc(s, GFP_KERNEL);
		return;
	}
}

static void run_km(struct runner *r, const struct words *w)
{
	size_t size = (size_t)words_number(w, 2);

	others_allocate(r, size);

	*slot_at(r, w, 1) = w->at[0][2] ? kzalloc(size, GFP_KERNEL)
					: kmalloc(size, GFP_KERNEL);
	print_object(r, *slot_at(r, w, 1));
}

static void run_krealloc(struct runner *r, const struct words *w)
{
	others_allocate(r, (size_t)words_number(w, 2));
	*slot_at(r, w, 1) = krealloc(*slot_at(r, w, 1),
				     (size_t)words_number(w, 2), GFP_KERNEL);
	print_object(r, *slot_at(r, w, 1));
}

static void run_ksize(struct runner *r, const struct words *w)
{
	fprintf(r->out, "@@ = %zu\n", ksize(*slot_at(r, w, 1)));
}

static void run_kfree(struct runner *r, const struct words *w)
{
	uint8_t *p = *slot_at(r, w, 1);

	kfree(w->at[0][5] ? moved(p, (long)words_number(w, 2)) : p);
	print_returned(r);
}

static void run_wr(struct runner *r, const struct words *w)
{
	poke_byte(r, *slot_at(r, w, 1), words_number(w, 2),
		  (uint8_t)words_number(w, 4), (size_t)words_number(w, 3));
}

static void run_wrq(struct runner *r, const struct words *w)
{
	uint64_t word = (uint64_t)words_number(w, 3);

	poke(r, *slot_at(r, w, 1), words_number(w, 2), (uint8_t *)&word,
	     sizeof(word));
}

static void run_xorb(struct runner *r, const struct words *w)
{
	uint8_t byte =
		(uint8_t)word_at(r, *slot_at(r, w, 1), words_number(w, 2));

	poke_byte(r, *slot_at(r, w, 1), words_number(w, 2),
		  byte ^ (uint8_t)words_number(w, 3), 1);
}

static void run_fill(struct runner *r, const struct words *w)
{
	if (*cache_at(r, w, 3))
		poke_byte(r, *slot_at(r, w, 1), 0, (uint8_t)words_number(w, 2),
			  kmem_cache_size(*cache_at(r, w, 3)));
}

static void run_learn(struct runner *r, const struct words *w)
{
	const uint8_t *y = *slot_at(r, w, 1);
	long offset = words_number(w, 3);

	r->key = 0;
	r->key = word_at(r, y, offset) ^
		 coded(r, (uintptr_t)*slot_at(r, w, 2), y, offset);
	fprintf(r->out, "@@ = key %016lx\n", r->key);
}

static void run_forge(struct runner *r, const struct words *w)
{
	const uint8_t *object = *slot_at(r, w, 1);
	long offset = words_number(w, 2);
	uint64_t next = words_number(w, 3) < 0
				? 0
				: (uintptr_t)*slot_at(r, w, 3) +
					  (uint64_t)words_number(w, 4);
	uint64_t word = coded(r, next, object, offset);

	poke(r, object, offset, (uint8_t *)&word, sizeof(word));
}

static void run_next(struct runner *r, const struct words *w)
{
	const uint8_t *object = *slot_at(r, w, 1);
	long offset = words_number(w, 2);
	uint64_t next = coded(r, word_at(r, object, offset), object, offset);

	fprintf(r->out, "@@ = next %016lx\n", printed(r, (void *)next));
}

static void run_slabset(struct runner *r, const struct words *w)
{
	uint64_t *word = descriptor_word(r, w, number(w, 2, 6));

	if (word)
		*word = (uint64_t)words_number(w, 3);
}

static void run_slabinc(struct runner *r, const struct words *w)
{
	uint64_t *word = descriptor_word(r, w, 5);

	if (word)
		*word += (uint64_t)words_number(w, 2);
	fprintf(r->out, "@@ counters %016lx\n", word ? *word : 0);
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

static void run_destroy(struct runner *r, const struct words *w)
{
	unsigned int c = number(w, 1, NR_CACHES);

	kmem_cache_destroy(r->caches[c]);
	r->caches[c] = NULL;
	r->names[c][0] = 0;
	print_returned(r);
}

static void run_ptreq(struct runner *r, const struct words *w)
{
	fprintf(r->out, "@@ = %s\n",
		*slot_at(r, w, 1) == *slot_at(r, w, 2) ? "same" : "different");
}

static void run_hd(struct runner *r, const struct words *w)
{
	run_hex(r, *slot_at(r, w, 1), words_number(w, 2), number(w, 3, 1 << 16),
		"obj");
}

static void run_dumpobj(struct runner *r, const struct words *w)
{
	kmem_dump_obj(r->m, *slot_at(r, w, 1), print_line, r->out);
}

static void run_cat_command(struct runner *r, const struct words *w)
{
	run_cat(r, w->at[1]);
}

static void run_rcuwait(struct runner *r, const struct words *w)
{
	(void)w;
	slab_machine_rcu_barrier(r->m);
}

static const struct command {
	const char *name;
	size_t nr_words; /* at least; missing numbers behind are 0 */
	void (*run)(struct runner *r, const struct words *w);
} commands[] = {
	{ "create", 6, run_create },
	{ "alloc", 2, run_alloc },
	{ "allocn", 2, run_allocn },
	{ "free", 2, run_free },
	{ "freen", 2, run_freen },
	{ "freeoff", 2, run_freeoff },
	{ "freebase", 2, run_freebase },
	{ "freeptr", 3, run_freeptr },
	{ "bulkalloc", 2, run_bulkalloc },
	{ "bulkfree", 2, run_bulkfree },
	{ "km", 2, run_km },
	{ "kmz", 2, run_km },
	{ "krealloc", 2, run_krealloc },
	{ "ksize", 2, run_ksize },
	{ "kfree", 2, run_kfree },
	{ "kfreeoff", 2, run_kfree },
	{ "wr", 2, run_wr },
	{ "wrq", 2, run_wrq },
	{ "xorb", 2, run_xorb },
	{ "fill", 2, run_fill },
	{ "wrtail", 2, run_wrtail },
	{ "learn", 2, run_learn },
	{ "forge", 2, run_forge },
	{ "next", 2, run_next },
	{ "slabset", 2, run_slabset },
	{ "slabinc", 2, run_slabinc },
	{ "slabword", 2, run_slabword },
	{ "validate", 2, run_write_one },
	{ "shrink", 2, run_write_one },
	{ "attr", 3, run_attr },
	{ "attrw", 3, run_attrw },
	{ "setname", 3, run_setname },
	{ "destroy", 2, run_destroy },
	{ "ptreq", 2, run_ptreq },
	{ "hd", 2, run_hd },
	{ "hdslab", 2, run_hdslab },
	{ "dumpobj", 2, run_dumpobj },
	{ "cat", 2, run_cat_command },
	{ "rcuwait", 1, run_rcuwait },
};

/* A command that is not known must not pass for one without an answer. */
void run_command(struct runner *r, const char *line)
{
	struct words w;

	words_split(&w, line);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, w.nr ? w.at[0] : ""))
			continue;
		if (w.nr < commands[i].nr_words)
			break;
		commands[i].run(r, &w);
		return;
	}
	fprintf(r->out, "@@ = no such command\n");
}
