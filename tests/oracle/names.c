/* SPDX-License-Identifier: MIT */
/*
 * names.c - caches, slabs and objects as a case's own text shows them
 *
 * Objects are named O0, O1, ... in the order in which the text first shows
 * them, and an address becomes object + offset: two runs with other addresses
 * and another order of free objects give the same text.
 *
 * A slab is known by the lines that tell an address and its offset in the slab
 * (@offset=, off=), or by its descriptor: pages and memory map of both streams
 * stand at fixed places.
 */
#include <stdlib.h>
#include <string.h>

#include "normalise.h"

/* Where pages and their descriptors of 64 bytes stand. */
static const struct {
	uint64_t memmap, pages;
} memory_maps[] = {
	{ 0xffffea0000000000UL, 0xffff888000000000UL }, /* the kernel's */
	{ 0x550800000000UL, 0x550000000000UL },		/* slot 0 of ours */
};

/* ---- caches ---- */
int cache_find(struct reader *r, const char *name)
{
	unsigned int size;
	char unit;

	for (size_t i = r->nr_caches; i-- > 0;) {
		if (!strcmp(r->caches[i].name, name))
			return (int)i;
	}
	/* a kmalloc class needs no create */
	if (sscanf(name, "kmalloc-%u%c", &size, &unit) < 1)
		return NO_CACHE;
	if (strchr(name, 'k') != strrchr(name, 'k'))
		size *= 1024;
	r->caches = must(
		realloc(r->caches, (r->nr_caches + 1) * sizeof(*r->caches)));
	r->caches[r->nr_caches] = (struct case_cache){ .is_kmalloc = true };
	snprintf(r->caches[r->nr_caches].name, 64, "%s", name);
	layout_compute(&r->caches[r->nr_caches].layout, size, size & -size,
		       case_kmalloc_flags(r->c));
	r->caches[r->nr_caches].objects = 32767;
	return (int)r->nr_caches++;
}

int cache_of_size(struct reader *r, unsigned long size)
{
	unsigned int class = bytes_of_class(size);
	char name[32];

	if (class > 8192 || !size)
		return NO_CACHE;
	if (class < 1024)
		snprintf(name, sizeof(name), "kmalloc-%u", class);
	else
		snprintf(name, sizeof(name), "kmalloc-%uk", class / 1024);
	return cache_find(r, name);
}

bool is_plain(const struct reader *r, int cache)
{
	return cache != NO_CACHE &&
	       !(r->caches[cache].layout.flags & FLAG_DEBUG);
}

bool is_kmalloc(const struct reader *r, int cache)
{
	return cache != NO_CACHE && r->caches[cache].is_kmalloc;
}

/* ---- slabs and objects ---- */
void slab_see(struct reader *r, uint64_t base, int cache)
{
	if (cache == NO_CACHE)
		return;
	for (size_t i = 0; i < r->nr_slabs; i++) {
		if (r->slabs[i].base != base)
			continue;
		if (r->slabs[i].cache == (size_t)cache)
			return;
		/* its pages belong to another cache now: other objects */
		for (size_t j = 0; j < r->nr_objects; j++) {
			if (r->objects[j] - base < PAGE)
				r->objects[j] = 0;
		}
		r->slabs[i].cache = (size_t)cache;
		return;
	}
	r->slabs =
		must(realloc(r->slabs, (r->nr_slabs + 1) * sizeof(*r->slabs)));
	r->slabs[r->nr_slabs++] = (struct seen_slab){ base, (size_t)cache };
}

uint64_t slab_see_descriptor(struct reader *r, uint64_t descriptor, int cache)
{
	for (size_t i = 0; i < ARRAY_SIZE(memory_maps); i++) {
		uint64_t page = (descriptor - memory_maps[i].memmap) / 64;

		if (page >= 1UL << 24)
			continue;
		slab_see(r, memory_maps[i].pages + page * PAGE, cache);
		return memory_maps[i].pages + page * PAGE;
	}
	return 0;
}

void slab_see_around(struct reader *r, uint64_t address, int cache)
{
	if (cache == NO_CACHE || is_kmalloc(r, cache) || slab_find(r, address))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(memory_maps); i++) {
		if (address - memory_maps[i].pages < 1UL << 36)
			slab_see(r, address & -(PAGE << r->caches[cache].order),
				 cache);
	}
}

const struct seen_slab *slab_find(const struct reader *r, uint64_t address)
{
	for (size_t i = r->nr_slabs; i-- > 0;) {
		const struct case_cache *cache = &r->caches[r->slabs[i].cache];
		size_t bytes = PAGE << cache->order;

		/* order of a kmalloc class is not told; its slabs are */
		if (cache->is_kmalloc)
			bytes = 8 * PAGE;
		if (address - r->slabs[i].base < bytes)
			return &r->slabs[i];
	}
	return NULL;
}

uint64_t object_of(const struct reader *r, uint64_t address)
{
	const struct seen_slab *slab = slab_find(r, address);
	const struct case_cache *cache;
	uint64_t index;

	if (!slab)
		return 0;
	cache = &r->caches[slab->cache];
	index = (address - slab->base) / cache->layout.size;
	if (index >= cache->objects)
		return 0;
	return slab->base + index * cache->layout.size + cache->layout.left_pad;
}

size_t object_number(struct reader *r, uint64_t object)
{
	for (size_t i = 0; i < r->nr_objects; i++) {
		if (r->objects[i] == object)
			return i;
	}
	r->objects = must(
		realloc(r->objects, (r->nr_objects + 1) * sizeof(*r->objects)));
	r->objects[r->nr_objects] = object;
	return r->nr_objects++;
}

bool object_is_named(const struct reader *r, uint64_t object, size_t *nr)
{
	for (*nr = 0; *nr < r->nr_objects; (*nr)++) {
		if (r->objects[*nr] == object)
			return true;
	}
	return false;
}

const char *known_text(struct reader *r, uint64_t address, char *buf)
{
	uint64_t object = object_of(r, address);
	size_t nr;

	if (!object || object_is_named(r, object, &nr))
		return address_text(r, address, buf);
	if (object == address)
		name_copy(buf, "object");
	else
		sprintf(buf, "object%+ld", (long)(address - object));
	return buf;
}

const char *address_text(struct reader *r, uint64_t address, char *buf)
{
	const struct seen_slab *slab = slab_find(r, address);
	uint64_t object = object_of(r, address);

	if (!address)
		name_copy(buf, "NULL");
	else if (object && object == address)
		sprintf(buf, "O%zu", object_number(r, object));
	else if (object)
		sprintf(buf, "O%zu%+ld", object_number(r, object),
			(long)(address - object));
	else if (slab)
		sprintf(buf, "tail+%lu", address - slab->base);
	else
		name_copy(buf, "wild");
	return buf;
}
