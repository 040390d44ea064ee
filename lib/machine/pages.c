/* SPDX-License-Identifier: MIT */
/*
 * machine/pages.c - a buddy allocator over the machine's pages
 *
 * A node without free pages gets the next piece of the slot, a block of the
 * largest order; freed blocks merge with their buddies, which never lie in
 * another piece. Free blocks are linked through their first descriptor, so the
 * pages themselves are never touched here.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bits.h"
#include "base/bytes.h"
#include "machine/page.h"

#define OPEN_PIECE   (2UL << 20)
#define PIECE_PAGES  (1UL << MAX_PAGE_ORDER)
/* A reset clears what was used; above this the system's zero pages are
 * cheaper. */
#define CLEAR_BY_HAND (256UL << 10)

int machine_open_range(uintptr_t start, size_t bytes)
{
	if (mprotect((void *)start, bytes, PROT_READ | PROT_WRITE))
		return -errno;
	/* a core needs what is used, and nothing of the 64 GiB that is not */
	madvise((void *)start, bytes, MADV_DODUMP);
	return 0;
}

/* The slot's pages below `end` become usable, and their descriptors. */
static int open_pages(struct slab_machine *m, unsigned long end)
{
	unsigned long pages = ALIGN_UP(end << PAGE_SHIFT, OPEN_PIECE) >>
			      PAGE_SHIFT;
	uintptr_t map_from, map_to;
	int err;

	if (pages <= m->pages_opened)
		return 0;
	err = machine_open_range(m->base + (m->pages_opened << PAGE_SHIFT),
				 (pages - m->pages_opened) << PAGE_SHIFT);
	if (err)
		return err;
	map_from = ALIGN_UP((uintptr_t)&m->memmap[m->pages_opened],
			    OPEN_PIECE);
	map_to = ALIGN_UP((uintptr_t)&m->memmap[pages], OPEN_PIECE);
	if (m->pages_opened == 0)
		map_from = (uintptr_t)m->memmap;
	if (map_to > map_from) {
		err = machine_open_range(map_from, map_to - map_from);
		if (err)
			return err;
	}
	m->pages_opened = pages;
	return 0;
}

static unsigned long page_number(const struct slab_machine *m,
				 const struct slab *page)
{
	return (unsigned long)(page - m->memmap);
}

/* By its place, not by what its descriptor says: that may be damaged. */
static unsigned int node_of(const struct slab_machine *m,
			    const struct slab *page)
{
	return m->piece_node[page_number(m, page) / PIECE_PAGES];
}

static void free_block(struct slab_machine *m, unsigned long pfn,
		       unsigned int order)
{
	struct node_pages *node = &m->nodes[node_of(m, &m->memmap[pfn])];

	m->memmap[pfn].type = PAGE_FREE;
	m->memmap[pfn].order = (uint8_t)order;
	list_add(&m->memmap[pfn].slab_list, &node->free[order]);
}

/* [pfn, end) of one node becomes free, in the largest aligned blocks. */
static void free_range(struct slab_machine *m, unsigned long pfn,
		       unsigned long end)
{
	while (pfn < end) {
		unsigned int order = MAX_PAGE_ORDER;

		if (pfn)
			order = MIN(order, (unsigned int)__builtin_ctzl(pfn));
		while (pfn + (1UL << order) > end)
			order--;
		free_block(m, pfn, order);
		pfn += 1UL << order;
	}
}

/* One more piece of never used pages for the node. */
static bool node_grow(struct slab_machine *m, unsigned int node)
{
	struct node_pages *n = &m->nodes[node];
	unsigned long pfn = m->nr_pieces * PIECE_PAGES;
	unsigned long end = pfn + PIECE_PAGES;

	if (n->nr_pieces == n->max_pieces || open_pages(m, end))
		return false;
	m->piece_node[m->nr_pieces++] = (uint8_t)node;
	n->nr_pieces++;
	if (pfn == 0) {
		m->memmap[0].type = PAGE_RESERVED;
		pfn = 1;
	}
	free_range(m, pfn, end);
	return true;
}

static struct slab *take_from_node(struct slab_machine *m, unsigned int order,
				   unsigned int node)
{
	struct node_pages *n = &m->nodes[node];
	unsigned int o;

	do {
		for (o = order; o <= MAX_PAGE_ORDER; o++) {
			struct slab *page;

			if (list_empty(&n->free[o]))
				continue;
			page = container_of(n->free[o].next, struct slab,
					    slab_list);
			list_del(&page->slab_list);
			/* low half is used, high halves stay free */
			while (o > order) {
				o--;
				free_block(m, page_number(m, page) + (1UL << o),
					   o);
			}
			return page;
		}
	} while (node_grow(m, node));
	return NULL;
}

/* fail_page_alloc: its own filters, then the engine, by the number of pages. */
static bool pages_should_fail(struct slab_machine *m, gfp_t gfp,
			      unsigned int order)
{
	const struct slab_fail_page_alloc *f = &m->faults.fail_page_alloc;

	if (order < f->min_order || order > MAX_PAGE_ORDER)
		return false;
	if (gfp & __GFP_NOFAIL)
		return false;
	if (f->ignore_gfp_highmem && (gfp & __GFP_HIGHMEM))
		return false;
	if (f->ignore_gfp_wait && (gfp & __GFP_DIRECT_RECLAIM))
		return false;
	return fault_should_fail(m, &m->fail_page_alloc, 1 << order,
				 gfp & __GFP_NOWARN, 0);
}

/* Beyond the limit only the reserve is left, for those entitled to it. */
static bool within_limit(const struct slab_machine *m, gfp_t gfp,
			 unsigned long pages, bool *from_reserve)
{
	if (!m->page_limit || m->pages_used + pages <= m->page_limit)
		return true;
	*from_reserve = machine_may_use_reserves(m, gfp) &&
			m->pages_used + pages <=
				m->page_limit + m->reserve_pages;
	return *from_reserve;
}

struct slab *pages_alloc(struct slab_machine *m, gfp_t gfp, unsigned int order,
			 int node)
{
	unsigned int first = node < 0 ? machine_mem_node(m) :
					(unsigned int)node;
	unsigned int nr_nodes = m->config.nr_nodes, i;
	unsigned long pages = 1UL << order, k;
	struct slab *page = NULL;
	bool from_reserve = false;

	/* what is said of it may look at pages: no lock is held */
	if (pages_should_fail(m, gfp, order)) {
		machine_step(m, SLAB_EVENT_PAGES_FAIL_INJECTED, pages, 0);
		return NULL;
	}
	machine_lock(m, &m->pages_lock, SLAB_POINT_PAGES_ALLOC);
	if (order <= MAX_PAGE_ORDER &&
	    within_limit(m, gfp, pages, &from_reserve)) {
		for (i = 0; i < nr_nodes && !page; i++) {
			unsigned int nid = (first + i) % nr_nodes;

			if (node_has_memory(m, nid))
				page = take_from_node(m, order, nid);
			if (gfp & __GFP_THISNODE)
				break;
		}
	}
	if (page) {
		unsigned int on = node_of(m, page);

		m->pages_high = MAX(m->pages_high,
				    page_number(m, page) + pages);
		m->pages_used += pages;
		for (k = 0; k < pages; k++) {
			memset(&page[k], 0, sizeof(*page));
			page[k].node = (uint16_t)on;
			page[k].type = PAGE_NONE;
			if (k)
				page[k].slab_cache = (struct kmem_cache *)
					((uintptr_t)page | 1);
		}
		page->order = (uint8_t)order;
		if (from_reserve)
			page->flags |= SL_PFMEMALLOC;
		list_init(&page->slab_list);
	}
	lock_release(&m->pages_lock);
	if (page)
		machine_step(m, SLAB_EVENT_PAGES_GET, pages,
			      page->node);
	else
		machine_step(m, SLAB_EVENT_PAGES_NONE, pages,
			      first);
	return page;
}

static bool is_tail_of(const struct slab_machine *m, const struct slab *head,
		       unsigned long k)
{
	return page_number(m, head) + k < m->pages_opened &&
	       (uintptr_t)head[k].slab_cache == ((uintptr_t)head | 1);
}

unsigned int pages_order(const struct slab_machine *m, const struct slab *head)
{
	unsigned int order = 0;

	while (order < MAX_PAGE_ORDER && is_tail_of(m, head, 1UL << order))
		order++;
	return order;
}

void pages_free(struct slab_machine *m, struct slab *head)
{
	unsigned int order = pages_order(m, head), node = node_of(m, head);
	unsigned long pfn = page_number(m, head), pages = 1UL << order, k;

	machine_lock(m, &m->pages_lock, SLAB_POINT_PAGES_FREE);
	m->pages_used -= pages;
	for (k = 0; k < pages; k++) {
		memset(&head[k], 0, sizeof(*head));
		head[k].node = (uint16_t)node;
	}
	while (order < MAX_PAGE_ORDER) {
		unsigned long buddy = pfn ^ (1UL << order);
		struct slab *page = &m->memmap[buddy];

		if (page->type != PAGE_FREE || page->order != order)
			break;
		list_del(&page->slab_list);
		page->type = PAGE_UNUSED;
		pfn &= buddy;
		order++;
	}
	free_block(m, pfn, order);
	lock_release(&m->pages_lock);
	machine_step(m, SLAB_EVENT_PAGES_PUT, pages, node);
}

void pages_init(struct slab_machine *m)
{
	unsigned int node, order;

	for (node = 0; node < m->config.nr_nodes; node++) {
		struct node_pages *n = &m->nodes[node];

		n->nr_pieces = 0;
		n->max_pieces = m->nr_pages / PIECE_PAGES / m->config.nr_nodes;
		for (order = 0; order <= MAX_PAGE_ORDER; order++)
			list_init(&n->free[order]);
	}
	m->nr_pieces = 0;
	m->pages_used = 0;
}

static void clear_range(uintptr_t start, size_t bytes)
{
	if (bytes <= CLEAR_BY_HAND)
		bytes_fill((void *)start, 0, bytes);
	else
		madvise((void *)start, bytes, MADV_DONTNEED);
}

size_t pages_taken(const struct slab_machine *m)
{
	return m->nr_pieces * PIECE_PAGES << PAGE_SHIFT;
}

void pages_reset(struct slab_machine *m)
{
	clear_range(m->base, m->pages_high << PAGE_SHIFT);
	m->pages_high = 0;
	clear_range((uintptr_t)m->memmap,
		    m->nr_pieces * PIECE_PAGES * sizeof(struct slab));
	pages_init(m);
}
