/* SPDX-License-Identifier: MIT */
/* commands.c - see commands.h: objects, and who runs which command */
#include <stdlib.h>
#include <string.h>

#include <slab/kmalloc.h>

#include "commands.h"

static uint8_t static_buffer[64] __attribute__((aligned(64)));

/* ---- what the commands need ---- */
unsigned int number(const struct words *w, size_t i, unsigned int limit)
{
	return (unsigned long long)words_number(w, i) % limit;
}

struct kmem_cache **cache_at(struct runner *r, const struct words *w, size_t i)
{
	return &r->caches[number(w, i, NR_CACHES)];
}

uint8_t **slot_at(struct runner *r, const struct words *w, size_t i)
{
	return &r->slots[number(w, i, NR_SLOTS)];
}

/* Pointers that point nowhere are what is asked for. */
static void *moved(const uint8_t *p, long n)
{
	return (void *)((uintptr_t)p + (uintptr_t)n);
}

uint64_t printed(const struct runner *r, const void *p)
{
	return slab_machine_print_address(r->m, (uintptr_t)p);
}

/* ADDRESS off=N */
static void print_object(struct runner *r, const void *object)
{
	const struct slab *head = object ? virt_to_head(r->m, object) : NULL;

	fprintf(r->out, "@@ = %016lx off=%ld\n",
		object ? printed(r, object) : 0,
		head ? (long)((uintptr_t)object - slab_base(r->m, head)) : -1L);
}

void print_returned(struct runner *r)
{
	fprintf(r->out, "@@ = returned\n");
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

static void run_ptreq(struct runner *r, const struct words *w)
{
	fprintf(r->out, "@@ = %s\n",
		*slot_at(r, w, 1) == *slot_at(r, w, 2) ? "same" : "different");
}

/* ---- kmalloc ---- */
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

/* ---- one row a command ---- */
static const struct command object_commands[] = {
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
	{ "ptreq", 2, run_ptreq },
	{ 0 },
};

static const struct command *find(const struct command *rows, const char *name)
{
	while (rows->name && strcmp(rows->name, name) != 0)
		rows++;
	return rows->name ? rows : NULL;
}

/* A command that is not known must not pass for one without an answer. */
void run_command(struct runner *r, const char *line)
{
	const struct command *command = NULL;
	struct words w;

	words_split(&w, line);
	if (w.nr)
		command = find(object_commands, w.at[0]);
	if (w.nr && !command)
		command = find(cache_commands, w.at[0]);
	if (w.nr && !command)
		command = find(damage_commands, w.at[0]);
	if (command && w.nr >= command->nr_words)
		command->run(r, &w);
	else
		fprintf(r->out, "@@ = no such command\n");
}
