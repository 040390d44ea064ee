/* SPDX-License-Identifier: MIT */
/*
 * machine/pages.c - a buddy allocator over the machine's pages
 *
 * A node without free pages gets the next piece of the slot, a block of the
 * largest order or several; freed blocks merge with their buddies, which never
 * lie in another piece. Free blocks are linked through their first descriptor,
 * so the pages themselves are never touched here.
 *
 * A native machine's free blocks know how many of their pages the system backs:
 * `nr` of the first descriptor, 0 when the block reads zero. After a split it
 * is an estimate, but never 0 then. Backed blocks are given out first.
 *
 * Locking: pages_lock for the lists, the counts, and type, order and links of
 *          first descriptors of free blocks. The descriptors of a block that is
 *          given out are its owner's, but for `order` of the first: neighbours
 *          that look for a buddy read it.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bits.h"
#include "base/bytes.h"
#include "machine/pages.h"

#define OPEN_PIECE   (2UL << 20)
#define BLOCK_PAGES  (1UL << MAX_PAGE_ORDER)
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
	__atomic_store_n(&m->pages_opened, pages, __ATOMIC_RELEASE);
	return 0;
}

/* By its place, not by what its descriptor says: that may be damaged. */
static unsigned int node_of(const struct slab_machine *m,
			    const struct slab *page)
{
	return m->piece_node[page_number(m, page) >> m->piece_order];
}

static void free_block(struct slab_machine *m, unsigned long pfn,
		       unsigned int order, unsigned int backed)
{
	struct slab *page = &m->memmap[pfn];
	struct list_head *list = &m->nodes[node_of(m, page)].free[order];

	page->type = PAGE_FREE;
	page->order = (uint8_t)(order | FREE_ORDER);
	page->nr = backed;
	/* what is not worth giving back is worth little: it comes last */
	if (m->is_native && order >= RUN_ORDER && !page_is_idle(page))
		list_add_tail(&page->slab_list, list);
	else
		list_add(&page->slab_list, list);
	if (page_is_idle(page))
		m->pages_idle += backed;
}

static void unlink_block(struct slab_machine *m, struct slab *page)
{
	list_del(&page->slab_list);
	if (page_is_idle(page))
		m->pages_idle -= page->nr;
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
		free_block(m, pfn, order, 0);
		pfn += 1UL << order;
	}
}

/* From pfn on, up to end, or less where a limit does not let that much: whole
 * blocks. Where it ended; 0: not even one. */
static unsigned long open_some(struct slab_machine *m, unsigned long pfn,
			       unsigned long end)
{
	while (open_pages(m, end)) {
		end = pfn + ALIGN_DOWN((end - pfn) / 2, BLOCK_PAGES);
		if (end == pfn)
			return 0;
	}
	return end;
}

/* Never used pages for the node: of its last piece, or of one more. */
static bool node_grow(struct slab_machine *m, unsigned int node)
{
	struct node_pages *n = &m->nodes[node];
	unsigned long pfn = n->next, end = n->end, opened;
	bool is_new = pfn == end;

	if (is_new) {
		if (n->nr_pieces == n->max_pieces)
			return false;
		pfn = m->nr_pieces << m->piece_order;
		end = pfn + (1UL << m->piece_order);
	}
	opened = open_some(m, pfn, end);
	if (!opened)
		return false;
	if (is_new) {
		m->piece_node[m->nr_pieces++] = (uint8_t)node;
		n->nr_pieces++;
		n->end = end;
		host_node_bind(m, node, m->base + (pfn << PAGE_SHIFT),
			       (end - pfn) << PAGE_SHIFT);
	}
	n->next = opened;
	if (pfn == 0) {
		m->memmap[0].type = PAGE_RESERVED;
		pfn = 1;
	}
	free_range(m, pfn, opened);
	return true;
}

/* Of a block that reads zero so much will be backed once a part is used: a
 * huge page, where it may become one; what fault_in() takes; as told. */
static unsigned int backed_together(const struct slab_machine *m,
				    const struct slab *block,
				    unsigned int order)
{
	if (!m->is_native || order < RUN_ORDER)
		return 0;
	if (order >= HUGE_ORDER && page_number(m, block) >= HUGE_FROM)
		return HUGE_ORDER;
	return RUN_ORDER;
}

/* The low half is used, high halves stay free. */
static void split(struct slab_machine *m, struct slab *page, unsigned int from,
		  unsigned int order)
{
	unsigned int together = page->nr ? 0 : backed_together(m, page, from);
	unsigned int backed = page->nr, half = from;

	while (half > order) {
		half--;
		/* which half it was nobody knows */
		if (backed)
			backed = MIN((backed + 1) / 2, 1U << half);
		free_block(m, page_number(m, page) + (1UL << half), half,
			   half < together ? 1U << half : backed);
	}
}

/* *from: the order of the free block of which it is a part. */
static struct slab *take_from_node(struct slab_machine *m, unsigned int order,
				   unsigned int node, unsigned int *from)
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
			unlink_block(m, page);
			split(m, page, o, order);
			*from = o;
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

/* Read without the lock by who asks how many there are. */
static void count_used(struct slab_machine *m, long pages)
{
	__atomic_store_n(&m->pages_used, m->pages_used + (unsigned long)pages,
			 __ATOMIC_RELAXED);
}

/* Beyond the limit only the reserve is left, for those entitled to it. */
static bool within_limit(const struct slab_machine *m, gfp_t gfp,
			 unsigned long pages, bool *from_reserve)
{
	unsigned long limit = __atomic_load_n(&m->page_limit, __ATOMIC_RELAXED);

	if (!limit || m->pages_used + pages <= limit)
		return true;
	*from_reserve = machine_may_use_reserves(m, gfp) &&
			m->pages_used + pages <=
				limit + m->reserve_pages;
	return *from_reserve;
}

/* Of the node that is wanted, or of another one; the lock is held. */
static struct slab *take(struct slab_machine *m, gfp_t gfp, unsigned int order,
			 unsigned int first, unsigned int *from)
{
	unsigned int nr_nodes = m->config.nr_nodes, i;
	struct slab *page = NULL;

	for (i = 0; i < nr_nodes && !page; i++) {
		unsigned int nid = (first + i) % nr_nodes;

		if (node_has_memory(m, nid))
			page = take_from_node(m, order, nid, from);
		if (gfp & __GFP_THISNODE)
			break;
	}
	return page;
}

/* The first descriptor of a block that was taken; the lock is held. */
static void set_head(struct slab_machine *m, struct slab *page,
		     unsigned int order, bool from_reserve)
{
	unsigned int node = node_of(m, page), backed = page->nr;

	m->pages_high = MAX(m->pages_high, page_number(m, page) + (1UL << order));
	memset(page, 0, sizeof(*page));
	page->node = (uint16_t)node;
	page->type = PAGE_NONE;
	page->order = (uint8_t)order;
	page->nr = backed;
	if (from_reserve)
		page->flags |= SL_PFMEMALLOC;
	list_init(&page->slab_list);
}

/* The block's own: no lock. */
static void set_tails(struct slab *page, unsigned long pages)
{
	unsigned long k;

	for (k = 1; k < pages; k++) {
		memset(&page[k], 0, sizeof(*page));
		page[k].node = page->node;
		page[k].type = PAGE_NONE;
		page[k].slab_cache =
			(struct kmem_cache *)((uintptr_t)page | 1);
	}
}

/* Small blocks of never used pages come one behind the other: one call for a
 * run of them is cheaper than a fault each. */
static void fault_in(const struct slab_machine *m, const struct slab *page,
		     unsigned int order, unsigned int from)
{
	uintptr_t run = slab_base(m, page) & ~(RUN_BYTES - 1);
	int saved = errno;

	if (!m->is_native || page->nr || order >= RUN_ORDER || from < RUN_ORDER)
		return;
#ifdef MADV_POPULATE_WRITE
	/* what can not be had here is had when it is touched, or not */
	madvise((void *)run, RUN_BYTES, MADV_POPULATE_WRITE);
#else
	(void)run;
#endif
	errno = saved;
}

struct slab *pages_alloc(struct slab_machine *m, gfp_t gfp, unsigned int order,
			 int node)
{
	unsigned int first = node < 0 ? machine_mem_node(m) :
					(unsigned int)node;
	unsigned long pages = 1UL << order;
	unsigned int from = 0;
	struct slab *page = NULL;
	bool from_reserve = false, comes_back = false;

	/* what is said of it may look at pages: no lock is held */
	if (pages_should_fail(m, gfp, order)) {
		machine_step(m, SLAB_EVENT_PAGES_FAIL_INJECTED, pages, 0);
		return NULL;
	}
	do {
		if (comes_back)
			sched_yield();
		comes_back = false;
		if (!machine_lock_or_try(m, &m->pages_lock,
					 SLAB_POINT_PAGES_ALLOC))
			return NULL;
		machine_point_held(m);
		if (order <= MAX_PAGE_ORDER &&
		    within_limit(m, gfp, pages, &from_reserve)) {
			page = take(m, gfp, order, first, &from);
			comes_back = !list_empty(&m->pages_away) &&
				     lock_may_wait();
		}
		if (page) {
			count_used(m, (long)pages);
			set_head(m, page, order, from_reserve);
		}
		lock_release(&m->pages_lock);
		/* pages that are being given back are free in a moment */
	} while (!page && comes_back);
	if (!page) {
		machine_step(m, SLAB_EVENT_PAGES_NONE, pages, first);
		return NULL;
	}
	set_tails(page, pages);
	fault_in(m, page, order, from);
	machine_step(m, SLAB_EVENT_PAGES_GET, pages, page->node);
	return page;
}

bool pages_read_zero(const struct slab_machine *m, const struct slab *head)
{
	return m->is_native && !head->nr;
}

static bool is_tail_of(const struct slab_machine *m, const struct slab *head,
		       unsigned long k)
{
	return page_number(m, head) + k <
		       __atomic_load_n(&m->pages_opened, __ATOMIC_RELAXED) &&
	       (uintptr_t)head[k].slab_cache == ((uintptr_t)head | 1);
}

unsigned int pages_order(const struct slab_machine *m, const struct slab *head)
{
	unsigned int order = 0;

	/* behind the block stands a neighbour's, who may be writing to it */
	if (m->is_native)
		return MIN(head->order, MAX_PAGE_ORDER);
	while (order < MAX_PAGE_ORDER && is_tail_of(m, head, 1UL << order))
		order++;
	return order;
}

void pages_put(struct slab_machine *m, unsigned long pfn, unsigned int order,
	       unsigned int backed)
{
	m->memmap[pfn].type = PAGE_UNUSED;
	while (order < MAX_PAGE_ORDER) {
		unsigned long buddy = pfn ^ (1UL << order);
		struct slab *page = &m->memmap[buddy];

		if (!page_is_free(page, order))
			break;
		unlink_block(m, page);
		backed += page->nr;
		page->type = PAGE_UNUSED;
		page->order = 0;
		page->nr = 0;
		pfn &= buddy;
		order++;
	}
	free_block(m, pfn, order, backed);
}

struct slab *pages_take_away(struct slab_machine *m, struct slab *page)
{
	unlink_block(m, page);
	page->type = PAGE_NONE;
	page->order &= (uint8_t)~FREE_ORDER;
	list_add(&page->slab_list, &m->pages_away);
	return page;
}

void pages_bring_back(struct slab_machine *m, struct slab *page,
		      unsigned int backed)
{
	list_del(&page->slab_list);
	pages_put(m, page_number(m, page), page->order, backed);
}

void pages_free(struct slab_machine *m, struct slab *head)
{
	unsigned int order = pages_order(m, head), node = node_of(m, head);
	unsigned long pages = 1UL << order, k;
	bool too_many;

	for (k = 1; k < pages; k++) {
		memset(&head[k], 0, sizeof(*head));
		head[k].node = (uint16_t)node;
	}
	machine_lock(m, &m->pages_lock, SLAB_POINT_PAGES_FREE);
	machine_point_held(m);
	count_used(m, -(long)pages);
	memset(head, 0, sizeof(*head));
	head->node = (uint16_t)node;
	pages_put(m, page_number(m, head), order,
		  m->is_native ? (unsigned int)pages : 0);
	too_many = pages_too_many_idle(m);
	lock_release(&m->pages_lock);
	machine_step(m, SLAB_EVENT_PAGES_PUT, pages, node);
	if (too_many)
		pages_give_back(m);
}

void pages_init(struct slab_machine *m)
{
	unsigned int node, order;

	m->piece_order = MAX_PAGE_ORDER;
	while (m->nr_pages >> m->piece_order > MAX_PIECES)
		m->piece_order++;
	for (node = 0; node < m->config.nr_nodes; node++) {
		struct node_pages *n = &m->nodes[node];

		n->nr_pieces = 0;
		n->next = n->end = 0;
		n->max_pieces = (m->nr_pages >> m->piece_order) /
				m->config.nr_nodes;
		for (order = 0; order <= MAX_PAGE_ORDER; order++)
			list_init(&n->free[order]);
	}
	m->nr_pieces = 0;
	m->pages_used = 0;
	m->pages_idle = 0;
	list_init(&m->pages_away);
	m->is_draining = m->is_giving_back = false;
}

static void clear_range(uintptr_t start, size_t bytes)
{
	if (bytes <= CLEAR_BY_HAND ||
	    madvise((void *)start, bytes, MADV_DONTNEED))
		bytes_fill((void *)start, 0, bytes);
}

size_t pages_taken(const struct slab_machine *m)
{
	return MIN(m->nr_pieces << m->piece_order, m->pages_opened)
	       << PAGE_SHIFT;
}

void pages_reset(struct slab_machine *m)
{
	clear_range(m->base, m->pages_high << PAGE_SHIFT);
	m->pages_high = 0;
	clear_range((uintptr_t)m->memmap,
		    (pages_taken(m) >> PAGE_SHIFT) * sizeof(struct slab));
	pages_init(m);
}
