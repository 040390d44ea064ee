/* SPDX-License-Identifier: MIT */
/*
 * machine/page.h - the memory map: one descriptor a page, address to slab
 *
 * Descriptors stand apart from the pages. Only that of the first page of a
 * block counts; the others name it. As in the kernel a slab's descriptor is
 * the page's, word for word 7.0's (spec/allocator/structures.md 1.1), so that
 * what breaks a kernel's descriptor breaks ours the same way:
 *
 *	word 0 flags   1 slab_cache   2,3 slab_list   4 freelist   5 counters
 *
 * Locking: freelist and counters change together, by double-word
 *          compare-exchange, or under list_lock in debug caches, or plainly
 *          while a slab is new and private. SL_partial and slab_list change
 *          under list_lock.
 * Invariant: objects - inuse == length of the chain at freelist.
 */
#ifndef SLAB_MACHINE_PAGE_H
#define SLAB_MACHINE_PAGE_H

#include <assert.h>

#include "base/bits.h"
#include "machine/machine.h"

/* flags: the bits that the kernel's names stand for in reports */
#define SL_LOCKED     (1UL << 0) /* PG_locked */
#define SL_PFMEMALLOC (1UL << 8) /* PG_active */
#define SL_PARTIAL    (1UL << 9) /* PG_workingset */

enum page_type {
	PAGE_UNUSED,	/* inside a free block, or never touched */
	PAGE_FREE,	/* heads a free block of its order */
	PAGE_SLAB,
	PAGE_LARGE_KMALLOC,
	PAGE_PAGES,	/* given out as they are */
	PAGE_NONE,	/* given out, not marked yet */
	PAGE_RESERVED,	/* never given out */
};

#define MAX_OBJS_PER_SLAB 32767U

struct slab {
	unsigned long flags;
	struct kmem_cache *slab_cache; /* low bit set: address of the head */
	union {
		struct list_head slab_list;
		struct rcu_head rcu_head; /* off all lists, waiting to go */
	};
	void *freelist; /* aligned to 16 with counters */
	union {
		unsigned long counters;
		struct {
			unsigned int inuse : 16;
			unsigned int objects : 15;
			unsigned int frozen : 1;
			unsigned int stride; /* carried over, as in 7.0;
					      * frozen: by which report */
		};
	};
	uint8_t type;	/* enum page_type */
	uint8_t order;
	uint16_t node;
	uint32_t nr;	/* S<nr> of its cache; free: pages that are backed */
	union {
		/* one bit an object that a user holds; debug caches; may be
		 * NULL (no memory): then nobody knows */
		unsigned long *user_map;
		unsigned long large_size; /* PAGE_LARGE_KMALLOC: bytes asked */
	};
};

static_assert(sizeof(struct slab) == 64, "one cache line a page");
static_assert(offsetof(struct slab, freelist) == 32, "word 4, as 7.0");
static_assert(offsetof(struct slab, counters) == 40, "word 5, as 7.0");

/* Bits of it change without the lock that guards those one asks for. */
static inline unsigned long slab_flags(const struct slab *slab)
{
	return __atomic_load_n(&slab->flags, __ATOMIC_RELAXED);
}

/* ---- address to slab to address ---- */
static inline struct slab *page_descriptor(const struct slab_machine *m,
					   uintptr_t address)
{
	return &m->memmap[(address - m->base) >> PAGE_SHIFT];
}

/* The head of the block that holds address, whatever it is; NULL: not ours. */
static inline struct slab *virt_to_head(const struct slab_machine *m,
					const void *p)
{
	struct slab *slab;
	uintptr_t head;

	if (!machine_owns(m, (uintptr_t)p))
		return NULL;
	slab = page_descriptor(m, (uintptr_t)p);
	head = (uintptr_t)slab->slab_cache;
	/* a tail names its head; anything else there is the head itself */
	if (head & 1) {
		struct slab *to = (struct slab *)(head - 1);

		if (to < m->memmap || to >= slab ||
		    ((uintptr_t)to - (uintptr_t)m->memmap) % sizeof(*to))
			return NULL;
		return to;
	}
	return slab;
}

/* The slab that holds address, or NULL. */
static inline struct slab *virt_to_slab(const struct slab_machine *m,
					const void *p)
{
	struct slab *slab = virt_to_head(m, p);

	return slab && slab->type == PAGE_SLAB ? slab : NULL;
}

static inline uintptr_t slab_base(const struct slab_machine *m,
				  const struct slab *slab)
{
	return m->base + ((uintptr_t)(slab - m->memmap) << PAGE_SHIFT);
}

/* What the descriptor says; damaged orders count as the largest. */
static inline size_t slab_bytes(const struct slab *slab)
{
	return PAGE_SIZE << MIN(slab->order, MAX_PAGE_ORDER);
}

/*
 * Bytes of the block by what its tail descriptors say: a damaged `order` must
 * not make us touch a neighbour's memory or give it away. On native machines
 * nobody damages descriptors in play, and each debug allocation asks.
 */
static inline size_t slab_true_bytes(const struct slab_machine *m,
				     const struct slab *slab)
{
	if (m->is_native)
		return slab_bytes(slab);
	return PAGE_SIZE << pages_order(m, slab);
}

#endif
