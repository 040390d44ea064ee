/* SPDX-License-Identifier: MIT */
/* slab/geometry.c - see geometry.h; step numbers are geometry.md's */
#include "slab/geometry.h"

#include <errno.h>

#define WORD		((unsigned int)sizeof(void *))
#define CACHE_LINE	64U
#define ARCH_SLAB_MINALIGN 8U
#define MIN_PARTIAL	5UL
#define MAX_PARTIAL	10UL
#define SHEAF_HEADER	32U

unsigned int get_order(unsigned long size)
{
	return size <= PAGE_SIZE ? 0 : fls((size - 1) >> PAGE_SHIFT);
}

unsigned int geometry_align(slab_flags_t flags, unsigned int align,
			    unsigned int object_size)
{
	if (flags & SLAB_HWCACHE_ALIGN) {
		unsigned int line = CACHE_LINE;

		while (object_size <= line / 2)
			line /= 2;
		align = MAX(align, line);
	}
	return ALIGN_UP(MAX(align, ARCH_SLAB_MINALIGN), WORD);
}

/* As slab_max_order bounds it: objects of one slab of that order, at least 1. */
static unsigned long objects_at(unsigned int order, unsigned long size)
{
	unsigned long n = (PAGE_SIZE << order) / size;

	return n ? n : 1;
}

int geometry_order(unsigned int size, const struct geometry_parameters *p)
{
	unsigned long target = p->min_objects;
	unsigned int lo, order, fraction;

	if (!target) {
		unsigned int cpus = p->nr_cpus > 1 ? p->nr_cpus : p->nr_cpu_ids;

		target = 4UL * (fls(cpus) + 1);
	}
	target = MIN(target, objects_at(p->max_order, size));
	lo = MAX(p->min_order, get_order(target * size));
	if ((PAGE_SIZE << lo) / size > MAX_OBJS_PER_SLAB)
		return (int)get_order((unsigned long)size * MAX_OBJS_PER_SLAB) - 1;
	for (fraction = 16; fraction > 1; fraction /= 2) {
		for (order = lo; order <= p->max_order; order++) {
			unsigned long bytes = PAGE_SIZE << order;

			if (bytes % size <= bytes / fraction)
				return (int)order;
		}
	}
	order = get_order(size);
	return order <= MAX_PAGE_ORDER ? (int)order : -EINVAL;
}

static struct kmem_cache_order_objects order_objects(unsigned int order,
						     unsigned int size)
{
	return (struct kmem_cache_order_objects){
		.order = order,
		.objects = (unsigned int)((PAGE_SIZE << order) / size),
	};
}

static bool freeptr_goes_outside(const struct geometry *g)
{
	bool has_orig = (g->flags & SLAB_STORE_USER) &&
			(g->flags & SLAB_KMALLOC);

	if (g->flags & SLAB_POISON)
		return true;
	if (((g->flags & SLAB_TYPESAFE_BY_RCU) || g->has_ctor) &&
	    !g->use_freeptr_offset)
		return true;
	return (g->flags & SLAB_RED_ZONE) &&
	       (g->object_size < WORD || has_orig);
}

/* Steps 1 to 10; 64-bit so that no request can overflow it. */
static unsigned long layout_sizes(struct geometry *g)
{
	unsigned long size = ALIGN_UP((unsigned long)g->object_size, WORD);

	g->flags &= ~SLAB_OBJECT_POISON;
	if ((g->flags & SLAB_POISON) && !(g->flags & SLAB_TYPESAFE_BY_RCU) &&
	    !g->has_ctor)
		g->flags |= SLAB_OBJECT_POISON;
	if ((g->flags & SLAB_RED_ZONE) && size == g->object_size)
		size += WORD;
	g->inuse = (unsigned int)size;

	if (freeptr_goes_outside(g)) {
		g->offset = (unsigned int)size;
		size += WORD;
	} else if (g->use_freeptr_offset) {
		g->offset = g->freeptr_offset;
	} else {
		g->offset = ALIGN_DOWN(g->object_size / 2, WORD);
	}

	if (g->flags & SLAB_STORE_USER) {
		size += 2 * SLAB_TRACK_BYTES;
		if (g->flags & SLAB_KMALLOC)
			size += sizeof(unsigned long);
	}
	g->red_left_pad = 0;
	if (g->flags & SLAB_RED_ZONE) {
		size += WORD;
		g->red_left_pad = ALIGN_UP(WORD, g->align);
		size += g->red_left_pad;
	}
	/* mask arithmetic for alignments that are no power of two, as 7.0 */
	return ALIGN_UP(size, g->align);
}

int geometry_calculate(struct geometry *g,
		       const struct geometry_parameters *params)
{
	unsigned long size = layout_sizes(g);
	int order;

	if (params->disable_higher_order &&
	    get_order(size) > get_order(g->object_size)) {
		g->flags &= ~(SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER);
		size = layout_sizes(g);
	}
	if (size > PAGE_SIZE << MAX_PAGE_ORDER)
		return -EINVAL;
	g->size = (unsigned int)size;
	order = geometry_order(g->size, params);
	if (order < 0)
		return -EINVAL;
	g->oo = order_objects((unsigned int)order, g->size);
	g->min = order_objects(get_order(g->size), g->size);
	return g->oo.objects ? 0 : -EINVAL;
}

unsigned long geometry_min_partial(unsigned int size)
{
	return MAX(MIN((unsigned long)ilog2(size) / 2, MAX_PARTIAL),
		   MIN_PARTIAL);
}

unsigned int geometry_sheaf_capacity(unsigned int size, slab_flags_t flags,
				     unsigned int wanted)
{
	unsigned int base, bytes;

	if (flags & (SLAB_DEBUG_FLAGS | SLAB_NOLEAKTRACE))
		return 0;
	base = size >= PAGE_SIZE ? 4 : size >= 1024 ? 12 : size >= 256 ? 26 : 60;
	bytes = kmalloc_class_size(kmalloc_class(SHEAF_HEADER + WORD * base));
	return MAX((bytes - SHEAF_HEADER) / WORD, wanted);
}

/* Classes 3.. are powers of two; 96 and 192 took the indexes 1 and 2. */
unsigned int kmalloc_class(size_t size)
{
	if (size <= 8)
		return 3;
	if (size > 64 && size <= 96)
		return 1;
	if (size > 128 && size <= 192)
		return 2;
	return fls(size - 1);
}

unsigned int kmalloc_class_size(unsigned int index)
{
	return index == 1 ? 96 : index == 2 ? 192 : 1U << index;
}
