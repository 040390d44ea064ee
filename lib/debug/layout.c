/* SPDX-License-Identifier: MIT */
/* debug/layout.c - writing red zones, poison and recorded sizes */
#include "debug/layout.h"

#include "base/bytes.h"
#include <slab/debug.h>

size_t layout_get_orig_size(const struct kmem_cache *s, const void *object)
{
	if (!cache_has_orig_size(s))
		return s->object_size;
	return word_read((const char *)object + layout_orig_size(s));
}

void layout_set_orig_size(const struct kmem_cache *s, void *object, size_t size)
{
	if (cache_has_orig_size(s))
		word_write((char *)object + layout_orig_size(s), size);
}

void layout_init_object(const struct kmem_cache *s, void *object, uint8_t val)
{
	uint8_t *p = object;
	size_t poisoned = s->object_size;

	if (s->flags & SLAB_RED_ZONE) {
		bytes_fill(p - s->red_left_pad, val, s->red_left_pad);
		/* the red zone of a smaller request begins where it ends */
		if (cache_has_orig_size(s) && val == SLUB_RED_ACTIVE)
			poisoned = MIN(layout_get_orig_size(s, object),
				       (size_t)s->object_size);
	}
	if ((s->flags & SLAB_OBJECT_POISON) && poisoned) {
		bytes_fill(p, POISON_FREE, poisoned - 1);
		bytes_fill(p + poisoned - 1, POISON_END, 1);
	}
	if (s->flags & SLAB_RED_ZONE)
		bytes_fill(p + poisoned, val, s->inuse - poisoned);
}

void layout_setup_object(const struct kmem_cache *s, void *object)
{
	if (s->flags & (SLAB_STORE_USER | SLAB_RED_ZONE | SLAB_OBJECT_POISON))
		layout_init_object(s, object, SLUB_RED_INACTIVE);
}

void layout_setup_slab(const struct kmem_cache *s, void *base, size_t bytes)
{
	if (s->flags & SLAB_POISON)
		bytes_fill(base, POISON_INUSE, bytes);
}
