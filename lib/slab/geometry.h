/* SPDX-License-Identifier: MIT */
/*
 * slab/geometry.h - how many objects of what stride: pure arithmetic
 *
 * Rules: spec/allocator/geometry.md 2.1 to 2.8 (7.0's calculate_sizes() and
 * calculate_order()). Nothing here touches memory or a machine.
 */
#ifndef SLAB_SLAB_GEOMETRY_H
#define SLAB_SLAB_GEOMETRY_H

#include <slab/cache.h>
#include "slab/slab.h"

/* A track in a slot, with a stack depot. */
#define SLAB_TRACK_BYTES 32UL

struct geometry_parameters {
	unsigned int min_order, max_order, min_objects;
	unsigned int nr_cpus, nr_cpu_ids;
	bool disable_higher_order; /* slab_debug=O */
};

/* What the arithmetic needs and gives. */
struct geometry {
	/* in */
	unsigned int object_size;
	unsigned int align; /* requested; out: effective */
	slab_flags_t flags; /* out: OBJECT_POISON decided, O may clear Z P U */
	bool has_ctor;
	bool use_freeptr_offset;
	unsigned int freeptr_offset;
	/* out */
	unsigned int size, inuse, offset, red_left_pad;
	struct kmem_cache_order_objects oo, min;
};

/* Smallest order whose block holds size bytes. */
unsigned int get_order(unsigned long size);
/* 2.1: the alignment that a request really gets. */
unsigned int geometry_align(slab_flags_t flags, unsigned int align,
			    unsigned int object_size);
/* -EINVAL when no order can hold one object. */
int geometry_calculate(struct geometry *g,
		       const struct geometry_parameters *params);
int geometry_order(unsigned int size, const struct geometry_parameters *params);
unsigned long geometry_min_partial(unsigned int size);
/* Objects a sheaf of such a cache holds; 0: none (debug, NOLEAKTRACE). */
unsigned int geometry_sheaf_capacity(unsigned int size, slab_flags_t flags,
				     unsigned int wanted);

/* kmalloc classes: index 1 is 96, 2 is 192, else 1 << index. */
#define KMALLOC_CLASSES 14
unsigned int kmalloc_class(size_t size);
unsigned int kmalloc_class_size(unsigned int index);

#endif
