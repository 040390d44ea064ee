/* SPDX-License-Identifier: MIT */
/*
 * machine/pages.h - what pages.c and give_back.c have in common
 *
 *	free blocks --take away--> pages_away --madvise--> bring back, clean
 *
 * All of it native machines' but for the words; pages_lock is held throughout.
 */
#ifndef SLAB_MACHINE_PAGES_H
#define SLAB_MACHINE_PAGES_H

#include "machine/page.h"

/* `order` of a block's first descriptor while it is free. */
#define FREE_ORDER 0x80U

/* What is faulted in, and given back, in one go: 64 KiB. */
#define RUN_ORDER 4U
#define RUN_PAGES (1U << RUN_ORDER)
#define RUN_BYTES (PAGE_SIZE << RUN_ORDER)

/* Huge pages are asked for where rounding up to them is at most 1/32 of what
 * is there already: behind the first 64 MiB. */
#define HUGE_ORDER 9U
#define HUGE_FROM  ((64UL << 20) >> PAGE_SHIFT)

static inline unsigned long page_number(const struct slab_machine *m,
					const struct slab *page)
{
	return (unsigned long)(page - m->memmap);
}

/* `order` first: whoever owns what is not free may be writing its type. */
static inline bool page_is_free(const struct slab *page, unsigned int order)
{
	return page->order == (order | FREE_ORDER) && page->type == PAGE_FREE;
}

/* Free, and worth giving back? */
static inline bool page_is_idle(const struct slab *page)
{
	return page->order >= (RUN_ORDER | FREE_ORDER) && page->nr >= RUN_PAGES;
}

/* A block of descriptors that nobody else knows becomes free. */
void pages_put(struct slab_machine *m, unsigned long pfn, unsigned int order,
	       unsigned int backed);
/* A free block goes out of reach, and comes back. */
struct slab *pages_take_away(struct slab_machine *m, struct slab *page);
void pages_bring_back(struct slab_machine *m, struct slab *page,
		      unsigned int backed);

/* Shall who freed pages give some back? */
bool pages_too_many_idle(struct slab_machine *m);
/* Some; without the lock. */
void pages_give_back(struct slab_machine *m);

/* machine/host_nodes.c: how many nodes the system has, and whose CPUs are
 * which. */
void host_nodes_find(struct slab_machine *m);
/* New pages shall come from the node. */
void host_node_bind(const struct slab_machine *m, unsigned int node,
		    uintptr_t start, size_t bytes);

#endif
