/* SPDX-License-Identifier: MIT */
/*
 * slot.c - where things stand around an object, from the specification alone
 *
 * The library has its own geometry; this one judges it, so it shares no line
 * with it (spec: object layout 1.2 and 1.3).
 */
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

#define TRACK_BYTES 32U

/* By mask, as the kernel does it, also where align is no power of two. */
static unsigned int round_up(unsigned int n, unsigned int align)
{
	return (n + align - 1) & ~(align - 1);
}

void layout_compute(struct layout *l, unsigned int object_size,
		    unsigned int align, unsigned int flags)
{
	unsigned int n = round_up(object_size, 8);
	bool is_special = flags & (FLAG_RCU | FLAG_CTOR);

	*l = (struct layout){ .flags = flags,
			      .object_size = object_size,
			      .align = align };
	l->is_poisoned = (flags & FLAG_P) && !is_special;
	l->has_orig_size = (flags & FLAG_U) && (flags & FLAG_KMALLOC);
	if ((flags & FLAG_Z) && n == object_size)
		n += 8;
	l->inuse = n;
	l->fp_is_outside =
		is_special || (flags & FLAG_P) ||
		((flags & FLAG_Z) && (object_size < 8 || l->has_orig_size));
	l->fp = l->fp_is_outside ? n : object_size / 2 / 8 * 8;
	if (l->fp_is_outside)
		n += 8;
	l->info_end = n;
	if (flags & FLAG_U)
		n += 2 * TRACK_BYTES;
	if (l->has_orig_size)
		n += 8;
	l->meta_end = n;
	if (flags & FLAG_Z) {
		l->left_pad = round_up(8, align);
		n += 8 + l->left_pad;
	}
	l->size = round_up(n, align);
	l->span = l->size - l->left_pad;
}

unsigned int flags_from_letters(const char *letters)
{
	static const struct {
		char letter;
		unsigned int flag;
	} known[] = {
		{ 'F', FLAG_F }, { 'Z', FLAG_Z }, { 'P', FLAG_P },
		{ 'U', FLAG_U }, { 'T', FLAG_T }, { 'B', FLAG_RCU },
	};
	unsigned int flags = 0;

	for (; *letters; letters++) {
		for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
			if (known[i].letter == *letters)
				flags |= known[i].flag;
		}
	}
	return flags;
}

enum region layout_region(const struct layout *l, long offset)
{
	if (offset < -(long)l->left_pad || offset >= (long)l->span)
		return IN_NOTHING;
	if (offset < 0)
		return IN_LEFT_REDZONE;
	/* the inner pointer lies where the payload does */
	if (offset >= (long)l->fp && offset < (long)l->fp + 8)
		return IN_FREEPTR;
	if (offset < (long)l->object_size)
		return IN_OBJECT;
	if (offset < (long)l->inuse)
		return IN_RIGHT_REDZONE;
	if (offset >= (long)l->meta_end)
		return IN_PADDING;
	if (l->has_orig_size && offset >= (long)l->meta_end - 8)
		return IN_ORIG_SIZE;
	return IN_TRACKS;
}

/* Do the debug flags, or what was asked for, determine this byte? */
static bool is_determined(const struct layout *l, unsigned long orig_size,
			  long offset)
{
	switch (layout_region(l, offset)) {
	case IN_LEFT_REDZONE:
		return true; /* there is none without Z */
	case IN_OBJECT:
		return l->is_poisoned ||
		       (l->has_orig_size && (l->flags & FLAG_Z) &&
			offset >= (long)orig_size);
	case IN_RIGHT_REDZONE:
		return l->flags & (FLAG_Z | FLAG_P);
	case IN_ORIG_SIZE:
		return true;
	case IN_PADDING:
		return l->flags & FLAG_P;
	default:
		return false;
	}
}

const char *hex_text(const struct layout *l, unsigned long orig_size,
		     long offset, const int *bytes, size_t nr, char *buf)
{
	char *to = buf + sprintf(buf, "hd %ld:", offset);

	for (size_t i = 0; i < nr; i++) {
		if (is_determined(l, orig_size, offset + (long)i))
			to += sprintf(to, " %02x", bytes[i] & 0xff);
		else
			to += sprintf(to, " ..");
	}
	return buf;
}

/* ---- kmalloc's classes ---- */
unsigned int bytes_of_class(unsigned long size)
{
	unsigned int class = 8;

	if (size > 64 && size <= 96)
		return 96;
	if (size > 128 && size <= 192)
		return 192;
	while (class < size)
		class *= 2;
	return class; /* above 8192: whole pages, no class */
}

/* slab_debug=FLAGS,kmalloc-* or slab_debug=FLAGS for all caches. */
unsigned int case_kmalloc_flags(const struct oracle_case *c)
{
	char letters[64];
	const char *at;

	if (!c->boot || !(at = strstr(c->boot, "_debug=")))
		return FLAG_KMALLOC;
	at += strlen("_debug=");
	if (strchr(at, ',') && !strstr(at, "kmalloc"))
		return FLAG_KMALLOC;
	snprintf(letters, sizeof(letters), "%.*s", (int)strcspn(at, ", "), at);
	return FLAG_KMALLOC | flags_from_letters(letters);
}
