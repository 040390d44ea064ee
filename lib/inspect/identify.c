/* SPDX-License-Identifier: MIT */
/* inspect/identify.c - an address is a region of an object of a slab, or why
 * it is none */
#include "inspect/target.h"

#include <errno.h>

#include "cache/cache.h"
#include "inspect/layout.h"
#include "inspect/scratch.h"

static const char *page_words(const struct slab *page)
{
	switch ((enum page_type)page->type) {
	case PAGE_UNUSED:
	case PAGE_FREE:
		return "free page";
	case PAGE_LARGE_KMALLOC:
		return "large kmalloc";
	case PAGE_PAGES:
		return "page given out whole";
	case PAGE_NONE:
		return "page given out, not in use yet or waiting for a grace period";
	case PAGE_RESERVED:
		return "page 0, never given out";
	case PAGE_SLAB:
		return "slab of no cache that exists";
	}
	return "page of an unknown type";
}

/* Where in a machine's region an address lies that is no page. */
static const char *slot_words(const struct slab_machine *m, uintptr_t address)
{
	uintptr_t off = address - m->base;

	if (off >= m->region_bytes)
		return "not of this machine";
	if (off < REGION_PART(m, SLOT_MEMMAP))
		return "page that was never given out";
	if (off < REGION_PART(m, SLOT_META))
		return "the machine's memory map";
	if (off < REGION_PART(m, SLOT_SITES))
		return "the machine's metadata";
	return "call site, no memory";
}

/* The slab of a cache that exists and holds the address; NULL: none. */
static struct slab *slab_holding(struct slab_target *t, uintptr_t address,
				 struct kmem_cache **cache)
{
	const struct slab_machine *m = t->machine;
	struct slab *slab = virt_to_head(m, (void *)address);

	if (!machine_owns(m, address) || !slab || slab->type != PAGE_SLAB)
		return NULL;
	*cache = target_cache(t, (uintptr_t)slab->slab_cache);
	if (!*cache ||
	    address - slab_base(m, slab) >= slab_true_bytes(m, slab))
		return NULL;
	return slab;
}

int slab_target_slot(struct slab_target *t, uintptr_t address,
		     struct slab_slot_info *ret)
{
	LOOK(t->machine);
	struct kmem_cache *s = NULL;
	const struct slab *slab = slab_holding(t, address, &s);
	unsigned int index;

	if (!slab)
		return -ENOENT;
	ret->cache = (uintptr_t)s;
	ret->name = s->name;
	ret->flags = s->flags;
	ret->slab_nr = slab->nr;
	ret->base = slab_base(t->machine, slab);
	ret->index = -1;
	ret->object = 0;
	index = (unsigned int)((address - ret->base) / s->size);
	if (index >= slab_fit(s, slab))
		return 0;
	ret->index = (int)index;
	ret->object = ret->base + (uintptr_t)index * s->size + s->red_left_pad;
	return 0;
}

int slab_target_place(struct slab_target *t, const char *cache,
		      unsigned int slab_nr, unsigned int index, uintptr_t *ret)
{
	LOOK(t->machine);
	const struct kmem_cache *s = cache_by_name(t->machine, cache);
	const struct slab *slab = s ? walk_find(t, s, slab_nr) : NULL;

	if (!slab || index >= slab_fit(s, slab))
		return -ENOENT;
	*ret = slab_base(t->machine, slab) + (uintptr_t)index * s->size +
	       s->red_left_pad;
	return 0;
}

static int fill_slab(struct slab_target *t, const struct kmem_cache *s,
		     struct slab *slab, struct slab_slab_info *ret)
{
	struct walk_slab at = { slab, SLAB_FOUND_REGION };
	struct walk w;
	size_t i;
	int err = walk_slabs(t, s, &w);

	if (err)
		return err;
	for (i = 0; i < w.nr; i++)
		if (w.slabs[i].slab == slab)
			at = w.slabs[i];
	walk_slab_info(t->machine, s, &at, ret);
	walk_free(&w);
	return 0;
}

static int fill_object(struct slab_target *t, struct kmem_cache *s, const struct slab *slab,
		       unsigned int index, struct slab_object_info *ret)
{
	struct slab_object_info *objects;
	size_t nr;
	int err = slab_objects(t, s, slab, &objects, &nr);

	if (err)
		return err;
	if (index < nr)
		*ret = objects[index];
	scratch_free(objects);
	return 0;
}

int slab_target_identify(struct slab_target *t, uintptr_t address,
			 struct slab_address_info *ret)
{
	LOOK(t->machine);
	const struct slab_machine *m = t->machine;
	struct slab *slab = virt_to_head(m, (void *)address);
	struct kmem_cache *s;
	unsigned int index;
	uintptr_t off;
	int err;

	*ret = (struct slab_address_info){ .region = SLAB_REGION_TAIL };
	ret->object.index = ~0U;
	if (!machine_owns(m, address)) {
		ret->why = slot_words(m, address);
		return 0;
	}
	ret->is_ours = true;
	if (!slab) {
		ret->why = "page whose descriptor names no head";
		return 0;
	}
	s = slab->type == PAGE_SLAB ?
		    target_cache(t, (uintptr_t)slab->slab_cache) :
		    NULL;
	off = address - slab_base(m, slab);
	if (!s || off >= slab_true_bytes(m, slab)) {
		ret->why = page_words(slab);
		return 0;
	}
	ret->is_slab = true;
	err = target_cache_info(t, s, &ret->cache);
	if (!err)
		err = fill_slab(t, s, slab, &ret->slab);
	if (err)
		return err;

	index = (unsigned int)(off / s->size);
	if (index >= slab_fit(s, slab)) {
		uintptr_t tail = (uintptr_t)slab_fit(s, slab) * s->size;

		ret->region_offset = (int)(off - tail);
		ret->offset = (long)off;
		return 0;
	}
	err = fill_object(t, s, slab, index, &ret->object);
	if (err || !ret->object.address)
		return err;
	ret->offset = (long)(address - ret->object.address);
	ret->region = layout_region(&ret->cache,
				    ret->object.owner == SLAB_OWNER_USER ?
					    ret->object.orig_size :
					    0,
				    (int)ret->offset, &ret->region_offset);
	return 0;
}
