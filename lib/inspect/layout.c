/* SPDX-License-Identifier: MIT */
/*
 * inspect/layout.c - which bytes of a slot mean what
 *
 *	left red zone | object | right red zone or alignment padding |
 *	free pointer | two tracks | recorded size | padding
 *
 * Regions do not overlap: a free pointer inside the object is the object's
 * while a user has it. spec/debugging/object-layout.md 1.3.
 */
#include "inspect/layout.h"

#include "debug/layout.h"
#include <slab/debug.h>

struct region_list {
	struct slab_region_info *at;
	size_t nr;
	int next; /* offset where the next region begins */
};

static void add(struct region_list *l, enum slab_region region,
		unsigned int length)
{
	if (length)
		l->at[l->nr++] = (struct slab_region_info){
			.region = region, .offset = l->next, .length = length,
		};
	l->next += (int)length;
}

size_t slab_cache_layout(const struct slab_cache_info *info,
			 struct slab_region_info ret[12])
{
	struct region_list l = { .at = ret, .next = -(int)info->red_left_pad };
	bool has_redzone = info->flags & SLAB_RED_ZONE;
	unsigned int used = info->objs_per_slab * info->size;

	add(&l, SLAB_REGION_LEFT_REDZONE, info->red_left_pad);
	add(&l, SLAB_REGION_OBJECT, info->object_size);
	add(&l,
	    has_redzone ? SLAB_REGION_RIGHT_REDZONE : SLAB_REGION_ALIGN_PADDING,
	    info->inuse - info->object_size);
	if (info->offset >= info->inuse)
		add(&l, SLAB_REGION_FREEPTR, sizeof(void *));
	if (info->flags & SLAB_STORE_USER) {
		add(&l, SLAB_REGION_TRACK_ALLOC, sizeof(struct track));
		add(&l, SLAB_REGION_TRACK_FREE, sizeof(struct track));
		if (info->has_orig_size)
			add(&l, SLAB_REGION_ORIG_SIZE, sizeof(unsigned long));
	}
	add(&l, SLAB_REGION_PADDING,
	    info->size - info->red_left_pad - (unsigned int)l.next);
	l.next = (int)used;
	add(&l, SLAB_REGION_TAIL,
	    (unsigned int)(PAGE_SIZE << info->order) - used);
	return l.nr;
}

enum slab_region layout_region(const struct slab_cache_info *info,
			       size_t orig_size, int offset,
			       int *region_offset)
{
	struct slab_region_info regions[12];
	size_t nr = slab_cache_layout(info, regions), i;

	for (i = 0; i < nr && regions[i].region != SLAB_REGION_TAIL; i++) {
		const struct slab_region_info *r = &regions[i];

		if (offset < r->offset ||
		    offset - r->offset >= (int)r->length)
			continue;
		*region_offset = offset - r->offset;
		if (r->region != SLAB_REGION_OBJECT || !orig_size ||
		    !(info->flags & SLAB_RED_ZONE) ||
		    (size_t)offset < orig_size)
			return r->region;
		*region_offset = offset - (int)orig_size;
		return SLAB_REGION_KMALLOC_REDZONE;
	}
	*region_offset = 0;
	return SLAB_REGION_TAIL;
}

const char *slab_region_name(enum slab_region region)
{
	static const char *const names[SLAB_NR_REGIONS] = {
		[SLAB_REGION_LEFT_REDZONE] = "left redzone",
		[SLAB_REGION_OBJECT] = "object",
		[SLAB_REGION_KMALLOC_REDZONE] = "kmalloc redzone",
		[SLAB_REGION_RIGHT_REDZONE] = "right redzone",
		[SLAB_REGION_ALIGN_PADDING] = "alignment padding",
		[SLAB_REGION_FREEPTR] = "free pointer",
		[SLAB_REGION_TRACK_ALLOC] = "alloc track",
		[SLAB_REGION_TRACK_FREE] = "free track",
		[SLAB_REGION_ORIG_SIZE] = "recorded size",
		[SLAB_REGION_PADDING] = "padding",
		[SLAB_REGION_TAIL] = "slab tail",
	};

	return (unsigned int)region < SLAB_NR_REGIONS ? names[region] :
							"unknown";
}
