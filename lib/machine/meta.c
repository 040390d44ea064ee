/* SPDX-License-Identifier: MIT */
/*
 * machine/meta.c - memory for the allocator's own structures
 *
 * Pieces are powers of two from 32 bytes; a freed piece waits on the list of
 * its size. Large ones are rare (a bitmap, the depot's table), so nothing is
 * ever split or merged.
 */
#include <string.h>

#include "base/bits.h"
#include "machine/machine.h"

#define META_MIN_SHIFT 5
#define META_PIECE     (2UL << 20)

static unsigned int meta_class(size_t size)
{
	return size <= 1U << META_MIN_SHIFT ? META_MIN_SHIFT : fls(size - 1);
}

static void *meta_grow(struct slab_machine *m, size_t bytes)
{
	struct meta_arena *a = &m->meta;
	uintptr_t at = ALIGN_UP(a->next, MIN(bytes, (size_t)64));

	if (bytes > a->end - at)
		return NULL;
	if (at + bytes > a->opened) {
		uintptr_t to = ALIGN_UP(at + bytes, META_PIECE);

		if (machine_open_range(a->opened, to - a->opened))
			return NULL;
		a->opened = to;
	}
	a->next = at + bytes;
	return (void *)at;
}

void *meta_alloc(struct slab_machine *m, size_t size)
{
	unsigned int class = meta_class(size);
	void *p = NULL;

	if (class >= META_CLASSES)
		return NULL;
	lock_take(&m->meta_lock);
	if (m->meta.fail_after && --m->meta.fail_after == 0)
		goto out;
	p = m->meta.free[class];
	if (p)
		m->meta.free[class] = *(void **)p;
	else
		p = meta_grow(m, 1UL << class);
	if (p) {
		memset(p, 0, size);
		m->meta.used += 1UL << class;
	}
out:
	lock_release(&m->meta_lock);
	return p;
}

void meta_free(struct slab_machine *m, void *p, size_t size)
{
	unsigned int class = meta_class(size);

	if (!p)
		return;
	lock_take(&m->meta_lock);
	*(void **)p = m->meta.free[class];
	m->meta.free[class] = p;
	m->meta.used -= 1UL << class;
	lock_release(&m->meta_lock);
}

char *meta_strdup(struct slab_machine *m, const char *s)
{
	size_t n = strlen(s) + 1;
	char *copy = meta_alloc(m, n);

	return copy ? memcpy(copy, s, n) : NULL;
}

void meta_init(struct slab_machine *m)
{
	uintptr_t start = m->base + SLOT_META;

	m->meta = (struct meta_arena){ .start = start, .next = start,
				       .opened = start,
				       .end = start + SLOT_META_BYTES };
}

void meta_reset(struct slab_machine *m)
{
	uintptr_t opened = m->meta.opened;

	/* pieces are cleared when they are given out again */
	meta_init(m);
	m->meta.opened = opened;
}
