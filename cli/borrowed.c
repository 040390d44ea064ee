/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * borrowed.c - which handle is which sheaf
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "borrowed.h"
#include "command.h"

static struct borrowed *first; /* newest */
static unsigned int nr_made;

struct borrowed *borrowed_add(const struct slab_cache_info *cache,
			      struct slab_sheaf *sheaf)
{
	struct borrowed *b = must_alloc(sizeof(*b));

	snprintf(b->name, sizeof(b->name), "%s:sheaf%u", cache->name,
		 ++nr_made);
	b->cache = cache->cache;
	snprintf(b->cache_name, sizeof(b->cache_name), "%s", cache->name);
	b->sheaf = sheaf;
	b->next = first;
	first = b;
	return b;
}

struct borrowed *borrowed_find(const char *name)
{
	const char *names[64];
	struct borrowed *b;
	size_t nr = 0;

	for (b = first; b; b = b->next) {
		if (!strcmp(b->name, name))
			return b;
		if (nr < 64 && !b->is_back)
			names[nr++] = b->name;
	}
	fail("no_sheaf",
	     nr ? NULL : "sheaf prefill CACHE N as H borrows one: $H",
	     "no borrowed sheaf is called \"%.60s\"", name);
	if (nr)
		hint_nearest(name, names, nr);
	return NULL;
}

const char *borrowed_name(uintptr_t sheaf)
{
	struct borrowed *b;

	for (b = first; b; b = b->next) {
		if (!b->is_back && (uintptr_t)b->sheaf == sheaf)
			return b->name;
	}
	return NULL;
}

void borrowed_forget(void)
{
	while (first) {
		struct borrowed *next = first->next;

		free(first);
		first = next;
	}
	nr_made = 0;
}

void complete_borrowed(struct words *to)
{
	const struct borrowed *b;

	for (b = first; b; b = b->next) {
		if (!b->is_back)
			words_add(to, "%s", b->name);
	}
}
