/* SPDX-License-Identifier: MIT */
/* inject/damage_bytes.c - bytes of one slot, or of the slab's tail */
#include "inject/corrupt.h"

#include <string.h>

#include "debug/layout.h"

/* One stray store, and a run of text. */
#define STRAY  0x12
#define LETTER 'A'

/* offset= and len= of a write into a region of `room` bytes. */
static int part(struct damage *d, size_t room, long *offset, long *len)
{
	int err = damage_number(d, "offset", 0, (long)room - 1, offset);

	if (*offset + *len > (long)room)
		*len = (long)room - *offset;
	return err ? err : damage_number(d, "len", 1, (long)room - *offset, len);
}

static int fill_part(struct damage *d, uintptr_t region, size_t room,
		     uint8_t byte, const char *what)
{
	long offset = 0, len = 1;
	int err = part(d, room, &offset, &len);

	return err ? err : damage_fill(d, region + offset, (size_t)len, byte,
				       what);
}

int damage_right_redzone(struct damage *d)
{
	const struct kmem_cache *s = d->s;
	uintptr_t at = d->object + s->object_size;
	size_t room = d->end - at;
	char name[96];

	if (s->flags & SLAB_RED_ZONE)
		room = s->inuse - s->object_size;
	if (at >= d->end)
		return damage_refuse(d, "%s ends where its slab ends; without a red zone no byte of the slab is behind it: take another object",
				     damage_name(d, name, sizeof(name)));
	return fill_part(d, at, room, STRAY, "the right red zone");
}

/* offset= counts away from the object, so that 0 is its neighbour byte. */
int damage_left_redzone(struct damage *d)
{
	const struct kmem_cache *s = d->s;
	size_t room = d->object - d->base;
	long offset = 0, len = 1;
	char name[96];
	int err;

	if (s->flags & SLAB_RED_ZONE)
		room = s->red_left_pad;
	if (!room)
		return damage_refuse(d, "%s is the first of its slab and has no red zone: nothing of the slab is in front of it; take another object",
				     damage_name(d, name, sizeof(name)));
	err = part(d, room, &offset, &len);
	return err ? err : damage_fill(d, d->object - offset - len, (size_t)len,
				       STRAY, "the left red zone");
}

int damage_kmalloc_redzone(struct damage *d)
{
	const struct kmem_cache *s = d->s;
	long offset = -1, len = 1;
	int err;

	if (cache_has_orig_size(s) &&
	    layout_get_orig_size(s, (void *)d->object) < s->object_size)
		offset = (long)layout_get_orig_size(s, (void *)d->object);
	err = damage_need_in_use(d);
	if (!err && offset < 0 && !damage_key(d, "offset"))
		err = damage_refuse(d, "%s does not know a requested size below its %u bytes (kmalloc caches with U do): give offset=",
				    s->name, s->object_size);
	if (!err)
		err = damage_number(d, "offset", 0, (long)s->object_size - 1,
				    &offset);
	if (!err)
		err = damage_number(d, "len", 1,
				    (long)s->object_size - offset, &len);
	return err ? err : damage_fill(d, d->object + offset, (size_t)len,
				       0xab, "the room behind the request");
}

/* Without P the link of a free object may stand inside it. */
static bool hits_link(const struct kmem_cache *s, long offset, long len)
{
	return offset < (long)s->offset + (long)sizeof(void *) &&
	       offset + len > (long)s->offset;
}

int damage_poison(struct damage *d)
{
	const struct kmem_cache *s = d->s;
	long offset = 0, len = 1, room = (long)s->object_size - 1;
	int err = damage_need_free(d);

	if (err)
		return err;
	if (room < 1)
		return damage_refuse(d, "objects of %s have 1 byte, which is the end byte: poison-end",
				     s->name);
	if (hits_link(s, 0, 1))
		offset = (long)s->offset + (long)sizeof(void *);
	if (offset >= room && !damage_key(d, "offset"))
		return damage_refuse(d, "the whole object is its free pointer (%s has no P): freeptr",
				     s->name);
	err = part(d, (size_t)room, &offset, &len);
	return err ? err : damage_fill(d, d->object + offset, (size_t)len, 0x9a,
				       "the payload");
}

int damage_poison_end(struct damage *d)
{
	const struct kmem_cache *s = d->s;
	int err = damage_need_free(d);

	if (err)
		return err;
	if (hits_link(s, (long)s->object_size - 1, 1))
		return damage_refuse(d, "the end byte is part of the free pointer (%s has no P): freeptr",
				     s->name);
	return damage_fill(d, d->object + s->object_size - 1, 1, POISON_FREE,
			   "the end byte");
}

int damage_object_padding(struct damage *d)
{
	const struct kmem_cache *s = d->s;
	unsigned int from = layout_meta_end(s), to = layout_span(s);

	if (from == to)
		return damage_refuse(d, "slots of %s have no padding: their %u bytes are all used; with Z they have",
				     s->name, s->size);
	return fill_part(d, d->object + from, to - from, STRAY,
			 "the padding");
}

int damage_alignment_padding(struct damage *d)
{
	const struct kmem_cache *s = d->s;
	unsigned int rest = s->object_size % sizeof(void *);

	if (!rest)
		return damage_refuse(d, "%u is a multiple of 8: objects of %s are not rounded up; a size of %u would be",
				     s->object_size, s->name,
				     s->object_size + 4);
	return fill_part(d, d->object + s->object_size, sizeof(void *) - rest,
			 STRAY, "the alignment padding");
}

int damage_slab_padding(struct damage *d)
{
	uintptr_t tail = d->base + (uintptr_t)slab_fit(d->s, d->slab) *
				     d->s->size;

	if (tail == d->end)
		return damage_refuse(d, "slabs of %s have no tail: %u objects of %u bytes fill them",
				     d->s->name, slab_fit(d->s, d->slab),
				     d->s->size);
	return fill_part(d, tail, d->end - tail, STRAY, "the tail");
}

int damage_track(struct damage *d)
{
	const struct kmem_cache *s = d->s;
	const char *which = damage_key(d, "which");
	long offset = 0, len = sizeof(struct track);
	enum track_item item = TRACK_ALLOC;
	int err;

	if (!(s->flags & SLAB_STORE_USER))
		return damage_refuse(d, "%s keeps no tracks: it needs U",
				     s->name);
	if (which && !strcmp(which, "free"))
		item = TRACK_FREE;
	else if (which && strcmp(which, "alloc"))
		return damage_refuse(d, "which=%.20s: alloc or free", which);
	err = part(d, sizeof(struct track), &offset, &len);
	return err ? err : damage_fill(d, d->object + layout_track(s, item) +
						  offset,
				       (size_t)len, LETTER, "a track");
}

int damage_orig_size(struct damage *d)
{
	const struct kmem_cache *s = d->s;
	uintptr_t at = d->object + layout_orig_size(s);
	long size = 0x4141;
	uintptr_t word;
	int err;

	if (!cache_has_orig_size(s))
		return damage_refuse(d, "%s records no requested sizes: a kmalloc cache with U does",
				     s->name);
	err = damage_number(d, "value", 0, INTPTR_MAX, &size);
	if (err)
		return err;
	word = (uintptr_t)size;
	if (word_read((void *)at) == word)
		return damage_refuse(d, "value=%ld is recorded already", size);
	return damage_write(d, at, &word, sizeof(word), "the recorded size");
}

int damage_bitflip(struct damage *d)
{
	const struct kmem_cache *s = d->s;
	long offset = 0, bit = 0;
	uint8_t byte;
	int err;

	err = damage_number(d, "offset", -(long)s->red_left_pad,
			    (long)layout_span(s) - 1, &offset);
	if (!err)
		err = damage_number(d, "bit", 0, 7, &bit);
	if (err)
		return err;
	byte = byte_read((void *)(d->object + offset)) ^ (uint8_t)(1U << bit);
	return damage_write(d, d->object + offset, &byte, 1, "one bit");
}

int damage_memset(struct damage *d)
{
	const struct kmem_cache *s = d->s;
	long offset = 0, len = (long)s->object_size + 8;
	long lowest = -(long)(d->object - d->base);
	long room = (long)(d->end - d->object);
	int err = damage_number(d, "offset", lowest, room - 1, &offset);

	if (err)
		return err;
	if (offset + len > room)
		len = room - offset;
	err = damage_number(d, "len", 1, room - offset, &len);
	return err ? err : damage_fill(d, d->object + offset, (size_t)len,
				       LETTER, "a run of bytes");
}
