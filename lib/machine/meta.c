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
#define META_ROOM      (4 * PAGE_SIZE)

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

static void *meta_grow(struct slab_machine *m, size_t bytes, size_t align)
{
	struct meta_arena *a = &m->meta;
	uintptr_t at = ALIGN_UP(a->next, align);

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

/* Records that CPUs step through by 128 bytes. */
static size_t meta_align(size_t bytes)
{
	return MIN(bytes & -bytes, (size_t)128);
}

/* The next piece of a CPU's room, or of a new one. */
static void *meta_grow_room(struct slab_machine *m, struct meta_room *room,
			    size_t bytes)
{
	uintptr_t at = ALIGN_UP(room->next, meta_align(bytes));

	if (at + bytes > room->end) {
		at = (uintptr_t)meta_grow(m, META_ROOM, PAGE_SIZE);
		if (!at)
			return NULL;
		room->end = at + META_ROOM;
	}
	room->next = at + bytes;
	return (void *)at;
}

/* Of free pieces: the last word, so that who still has a pointer to what was
 * there finds it as it was left (cache/dead.h). */
static void **meta_link(void *p, size_t bytes)
{
	return (void **)((char *)p + bytes) - 1;
}

static void *meta_take(struct slab_machine *m, size_t size,
		       struct meta_room *room)
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
		m->meta.free[class] = *meta_link(p, bytes);
	else if (room && bytes <= META_ROOM / 8)
		p = meta_grow_room(m, room, bytes);
	else
		p = meta_grow(m, bytes, meta_align(bytes));
	if (p) {
		memset(p, 0, size);
		m->meta.used += bytes;
	}
out:
	lock_release(&m->meta_lock);
	return p;
}

void *meta_alloc(struct slab_machine *m, size_t size)
{
	return meta_take(m, size, NULL);
}

void *meta_alloc_for(struct slab_machine *m, size_t size, unsigned int cpu)
{
	return meta_take(m, size, m->is_native ? &m->kept[cpu].room : NULL);
}

void meta_free(struct slab_machine *m, void *p, size_t size)
{
	size_t bytes;
	unsigned int class = meta_class(size, &bytes);

	if (!p)
		return;
	lock_take(&m->meta_lock);
	machine_point_held(m);
	*meta_link(p, bytes) = m->meta.free[class];
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
	unsigned int cpu;

	m->meta = (struct meta_arena){ .start = start, .next = start,
				       .opened = start,
				       .end = start + REGION_PART(
							      m, SLOT_META_BYTES) };
	for (cpu = 0; m->is_native && cpu < m->config.nr_cpu_ids; cpu++)
		m->kept[cpu].room = (struct meta_room){ 0 };
}

void meta_reset(struct slab_machine *m)
{
	uintptr_t opened = m->meta.opened;

	/* pieces are cleared when they are given out again */
	meta_init(m);
	m->meta.opened = opened;
}
