/* SPDX-License-Identifier: MIT */
/*
 * machine/give_back.c - free memory goes back to the system
 *
 * Who frees pages does it, when too many lie idle: from the largest blocks on,
 * until half of what may stay is left. A call does a bounded part; the next one
 * goes on. A block that is on its way is on no list of free ones (pages_away),
 * so that no lock is held while the system works.
 */
#include <errno.h>
#include <sys/mman.h>

#include "base/bits.h"
#include "machine/pages.h"

/* Of what one call gives back, twice what it can have freed, so that there is
 * an end; madvise() takes some 0.15 us a page, less for huge ones. */
#define PAGES_A_CALL (2UL << MAX_PAGE_ORDER)

/* Idle pages that may stay: an eighth of what is in use, or the machine's
 * least. */
static unsigned long may_stay(const struct slab_machine *m)
{
	return MAX(m->idle_kept, m->pages_used / 8);
}

bool pages_too_many_idle(struct slab_machine *m)
{
	unsigned long stay = may_stay(m);

	if (!m->is_native || m->keeps_pages)
		return false;
	if (m->is_draining)
		stay /= 2;
	m->is_draining = m->pages_idle > stay;
	return m->is_draining &&
	       !__atomic_load_n(&m->is_giving_back, __ATOMIC_RELAXED);
}

static struct slab *largest_idle(const struct slab_machine *m)
{
	unsigned int order, node;

	for (order = MAX_PAGE_ORDER; order >= RUN_ORDER; order--) {
		for (node = 0; node < m->config.nr_nodes; node++) {
			const struct list_head *list = &m->nodes[node].free[order];
			struct slab *page = list_first_entry(list, struct slab,
							     slab_list);

			if (!list_empty(list) && page_is_idle(page))
				return page;
		}
	}
	return NULL;
}

static bool drop(uintptr_t start, size_t bytes)
{
	return !madvise((void *)start, bytes, MADV_DONTNEED);
}

/* Pages of a block that is away, and descriptors that say nothing of it. */
static bool drop_block(const struct slab_machine *m, const struct slab *page)
{
	/* the first page of them has the block's own */
	const size_t own = PAGE_SIZE / sizeof(struct slab);

	if (!drop(slab_base(m, page), slab_bytes(page)))
		return false;
	if (page->order == MAX_PAGE_ORDER)
		drop((uintptr_t)(page + own),
		     ((1UL << MAX_PAGE_ORDER) - own) * sizeof(struct slab));
	return true;
}

static void bring_back(struct slab_machine *m, struct slab *page, bool is_clean)
{
	lock_take(&m->pages_lock);
	if (!is_clean)
		m->keeps_pages = true;
	pages_bring_back(m, page, is_clean ? 0 : page->nr);
	lock_release(&m->pages_lock);
}

/* The next block that is one too many, away; NULL: there is none. */
static struct slab *next_idle(struct slab_machine *m)
{
	struct slab *page = NULL;

	lock_take(&m->pages_lock);
	m->is_draining = m->pages_idle > may_stay(m) / 2;
	if (m->is_draining)
		page = largest_idle(m);
	if (page)
		pages_take_away(m, page);
	lock_release(&m->pages_lock);
	return page;
}

void pages_give_back(struct slab_machine *m)
{
	unsigned long done = 0;
	int saved = errno;
	bool is_clean;

	if (__atomic_exchange_n(&m->is_giving_back, true, __ATOMIC_ACQUIRE))
		return;
	do {
		struct slab *page = next_idle(m);

		if (!page)
			break;
		done += 1UL << page->order;
		is_clean = drop_block(m, page);
		bring_back(m, page, is_clean);
	} while (is_clean && done < PAGES_A_CALL);
	__atomic_store_n(&m->is_giving_back, false, __ATOMIC_RELEASE);
	errno = saved;
}

/* ---- all of it ---- */
#define BATCH 16U

/* Backed free blocks of one block of the largest order, away. */
static unsigned int take_batch(struct slab_machine *m, unsigned long pfn,
			       struct slab **batch)
{
	unsigned long end = pfn + (1UL << MAX_PAGE_ORDER);
	unsigned int nr = 0;

	lock_take(&m->pages_lock);
	while (pfn < end && nr < BATCH) {
		struct slab *page = &m->memmap[pfn];
		unsigned int order = page->order & ~FREE_ORDER;

		pfn += 1UL << order;
		if (page_is_free(page, order) && page->nr)
			batch[nr++] = pages_take_away(m, page);
	}
	lock_release(&m->pages_lock);
	return nr;
}

/* false: the system takes none. */
static bool trim_block(struct slab_machine *m, unsigned long pfn)
{
	struct slab *batch[BATCH];
	unsigned int nr, i;
	bool ok = true;

	do {
		nr = take_batch(m, pfn, batch);
		for (i = 0; i < nr; i++) {
			ok = ok && drop_block(m, batch[i]);
			bring_back(m, batch[i], ok);
		}
	} while (nr && ok);
	return ok;
}

void pages_trim(struct slab_machine *m)
{
	unsigned long opened = __atomic_load_n(&m->pages_opened,
					       __ATOMIC_ACQUIRE);
	unsigned long pfn;
	int saved = errno;

	if (!m->is_native)
		return;
	for (pfn = 0; pfn < opened; pfn += 1UL << MAX_PAGE_ORDER)
		if (!trim_block(m, pfn))
			break;
	errno = saved;
}

void pages_after_fork(struct slab_machine *m)
{
	m->is_giving_back = false;
	while (!list_empty(&m->pages_away)) {
		struct slab *page = list_first_entry(&m->pages_away,
						     struct slab, slab_list);

		pages_bring_back(m, page, page->nr);
	}
}
