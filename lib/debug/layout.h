/* SPDX-License-Identifier: MIT */
/*
 * debug/layout.h - where debugging keeps things around an object
 *
 *	p - red_left_pad   p          p + object_size    p + inuse             p + span
 *	| left red zone    | object   | right red zone   | fp | tracks | orig | padding |
 *
 * fp stands there only when it is outside the object. spec/debugging/
 * object-layout.md has every combination; slab/geometry.c computes the sizes.
 */
#ifndef SLAB_DEBUG_LAYOUT_H
#define SLAB_DEBUG_LAYOUT_H

#include <slab/debug.h>

#include "base/bytes.h"
#include "slab/geometry.h"

/* A track as it stands in a slot: the kernel's 32 bytes. */
struct track {
	uintptr_t addr;	 /* 0: never */
	uint32_t handle; /* of the stack in the depot; 0: none */
	int32_t cpu;
	int32_t pid;
	uint32_t unused;
	uint64_t when;
};

static_assert(sizeof(struct track) == SLAB_TRACK_BYTES, "as geometry counts");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	      "handle and pid stand in the lower halves of their words");

enum track_item { TRACK_ALLOC, TRACK_FREE };

static inline bool freeptr_is_outside(const struct kmem_cache *s)
{
	return s->offset >= s->inuse;
}

/* Offset from the object of what follows payload and free pointer. */
static inline unsigned int layout_info_end(const struct kmem_cache *s)
{
	return s->inuse + (freeptr_is_outside(s) ? sizeof(void *) : 0);
}

static inline unsigned int layout_track(const struct kmem_cache *s,
					enum track_item item)
{
	return layout_info_end(s) + item * (unsigned int)sizeof(struct track);
}

static inline unsigned int layout_orig_size(const struct kmem_cache *s)
{
	return layout_info_end(s) + 2 * (unsigned int)sizeof(struct track);
}

/* Offset of the padding: the end of all metadata. */
static inline unsigned int layout_meta_end(const struct kmem_cache *s)
{
	unsigned int end = layout_info_end(s);

	if (s->flags & SLAB_STORE_USER)
		end += 2 * sizeof(struct track);
	if (cache_has_orig_size(s))
		end += sizeof(unsigned long);
	return end;
}

/* Bytes from the object to the end of its slot. */
static inline unsigned int layout_span(const struct kmem_cache *s)
{
	return s->size - s->red_left_pad;
}

/* ---- writing it ---- */

/* The recorded request; object_size where none is recorded. */
static inline size_t layout_get_orig_size(const struct kmem_cache *s,
					  const void *object)
{
	if (!cache_has_orig_size(s))
		return s->object_size;
	return word_read((const char *)object + layout_orig_size(s));
}

static inline void layout_set_orig_size(const struct kmem_cache *s,
					void *object, size_t size)
{
	if (cache_has_orig_size(s))
		word_write((char *)object + layout_orig_size(s), size);
}

/* Red zones and poison of an object of `size` bytes. */
static inline void layout_fill(const struct kmem_cache *s, void *object,
			       size_t size, uint8_t val)
{
	/* read once: what is written may be anything, for all that is known */
	const slab_flags_t flags = s->flags;
	const size_t left = s->red_left_pad, inuse = s->inuse;
	uint8_t *p = object;

	if (flags & SLAB_RED_ZONE) {
		bytes_fill(p - left, val, left);
		bytes_fill(p + size, val, inuse - size);
	}
	if ((flags & SLAB_OBJECT_POISON) && size)
		bytes_fill_to(p, POISON_FREE, POISON_END, size);
}

/* The same for a free (INACTIVE) or allocated (ACTIVE) object: the red zone of
 * a smaller request begins where it ends. */
static inline void layout_init_object(const struct kmem_cache *s, void *object,
				      uint8_t val)
{
	size_t size = s->object_size;

	if (val == SLUB_RED_ACTIVE && (s->flags & SLAB_RED_ZONE))
		size = MIN(layout_get_orig_size(s, object), size);
	layout_fill(s, object, size, val);
}

/* What a slot holds when its slab is made. */
static inline void layout_setup_object(const struct kmem_cache *s, void *object)
{
	if (s->flags & (SLAB_STORE_USER | SLAB_RED_ZONE | SLAB_OBJECT_POISON))
		layout_init_object(s, object, SLUB_RED_INACTIVE);
}

static inline void layout_setup_slab(const struct kmem_cache *s, void *base,
				     size_t bytes)
{
	if (s->flags & SLAB_POISON)
		bytes_fill(base, POISON_INUSE, bytes);
}

#endif
