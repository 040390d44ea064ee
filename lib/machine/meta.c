/* SPDX-License-Identifier: MIT */
/*
 * machine/meta.c - memory for the allocator's own structures
 *
 * Pieces have few sizes, from 32 bytes on; a freed piece waits on the list of
 * its size. Large ones are rare (a bitmap, the depot's table), so nothing is
 * ever split or merged.
 */
#include <string.h>

#include "base/bits.h"
#include "machine/machine.h"

#define META_MIN_SHIFT 5
#define META_PIECE     (2UL << 20)

/* From 128 bytes on four sizes a doubling: a sheaf is a little more than a
 * power of two. The number of the class, and its bytes. */
static unsigned int meta_class(size_t size, size_t *bytes)
{
	unsigned int shift;
	size_t step;

	if (size <= 128) {
		shift = size <= 1U << META_MIN_SHIFT ? META_MIN_SHIFT :
						       fls(size - 1);
		*bytes = 1UL << shift;
		return 4 * shift;
	}
	shift = fls(size - 1) - 1;
	step = 1UL << (shift - 2);
	*bytes = ALIGN_UP(size, step);
	return 4 * shift + (unsigned int)((*bytes - (1UL << shift)) / step);
}

static void *meta_grow(struct slab_machine *m, size_t bytes)
{
	struct meta_arena *a = &m->meta;
	/* records that CPUs step through by 128 bytes */
	uintptr_t at = ALIGN_UP(a->next, MIN(bytes & -bytes, (size_t)128));

	if (bytes > a->end - at)
		return NULL;
	if (at + bytes > a->opened) {
		uintptr_t to = ALIGN_UP(at + bytes, META_PIECE);

		if (machine_open_range(a->opened, to - a->opened))
			return NULL;
		a->opened = to;
	}
	/* read without the lock: meta_owns() */
	__atomic_store_n(&a->next, at + bytes, __ATOMIC_RELAXED);
	return (void *)at;
}

void *meta_alloc(struct slab_machine *m, size_t size)
{
	size_t bytes;
	unsigned int class = meta_class(size, &bytes);
	void *p = NULL;

	if (class >= META_CLASSES)
		return NULL;
	if (!lock_take_or_try(&m->meta_lock))
		return NULL;
	machine_point_held(m);
	if (m->meta.fail_after && --m->meta.fail_after == 0)
		goto out;
	p = m->meta.free[class];
	if (p)
		m->meta.free[class] = *(void **)p;
	else
		p = meta_grow(m, bytes);
	if (p) {
		memset(p, 0, size);
		m->meta.used += bytes;
	}
out:
	lock_release(&m->meta_lock);
	return p;
}

void meta_free(struct slab_machine *m, void *p, size_t size)
{
	size_t bytes;
	unsigned int class = meta_class(size, &bytes);

	if (!p)
		return;
	lock_take(&m->meta_lock);
	machine_point_held(m);
	*(void **)p = m->meta.free[class];
	m->meta.free[class] = p;
	m->meta.used -= bytes;
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
	uintptr_t start = m->base + REGION_PART(m, SLOT_META);

	m->meta = (struct meta_arena){ .start = start, .next = start,
				       .opened = start,
				       .end = start + REGION_PART(
							      m, SLOT_META_BYTES) };
}

void meta_reset(struct slab_machine *m)
{
	uintptr_t opened = m->meta.opened;

	/* pieces are cleared when they are given out again */
	meta_init(m);
	m->meta.opened = opened;
}
