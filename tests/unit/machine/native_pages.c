/* SPDX-License-Identifier: MIT */
/*
 * A native machine's pages: what is free and how much of it the system backs,
 * what goes back by itself and when asked, under threads too.
 */
#define _GNU_SOURCE
#include "../native.h"

#include <sys/mman.h>

#include "base/bits.h"
#include "machine/pages.h"

#define MIB_PAGES (256UL)

/* Pages of the region that have memory behind them; no /proc is asked. */
static unsigned long resident(void)
{
	static unsigned char in[1 << 20];
	unsigned long nr = m->pages_opened, i, count = 0;

	assert_true(nr <= sizeof(in));
	assert_int_equal(mincore((void *)m->base, nr << PAGE_SHIFT, in), 0);
	for (i = 0; i < nr; i++)
		count += in[i] & 1;
	return count;
}

static struct slab *take(unsigned int order)
{
	struct slab *page = pages_alloc(m, GFP_KERNEL, order, NUMA_NO_NODE);

	assert_non_null(page);
	return page;
}

static struct slab *take_and_write(unsigned int order)
{
	struct slab *page = take(order);

	memset((void *)slab_base(m, page), 0xee, PAGE_SIZE << order);
	return page;
}

static bool is_zero(const struct slab *page, unsigned int order)
{
	const unsigned long *word = (void *)slab_base(m, page);
	size_t i;

	for (i = 0; i < (PAGE_SIZE << order) / sizeof(*word); i++)
		if (word[i])
			return false;
	return true;
}

/* Free pages must be as many as there are; all blocks, whole. */
static void all_is_free(void)
{
	unsigned long free = 0, idle = 0, pfn;

	assert_int_equal(m->pages_used, 0);
	for (pfn = 0; pfn < m->pages_opened;) {
		const struct slab *page = &m->memmap[pfn];
		unsigned int order = page->order & ~FREE_ORDER;

		if (page_is_free(page, order))
			free += 1UL << order;
		if (page_is_idle(page))
			idle += page->nr;
		pfn += 1UL << order;
	}
	assert_int_equal(free, m->pages_opened - 1);
	assert_int_equal(m->pages_idle, idle);
	/* merged: of the first block, which lacks page 0, half is the most */
	assert_true(page_is_free(&m->memmap[512], 9));
	for (pfn = 1024; pfn < m->pages_opened; pfn += 1024)
		assert_true(page_is_free(&m->memmap[pfn], MAX_PAGE_ORDER));
}

/* ---- what reads zero ---- */
static void fresh_pages_read_zero_and_used_ones_are_not_said_to(void **state)
{
	unsigned int order;

	(void)state;
	for (order = 0; order <= MAX_PAGE_ORDER; order++) {
		struct slab *page = take(order);
		bool said_zero = pages_read_zero(m, page);

		if (said_zero)
			assert_true(is_zero(page, order));
		/* small ones are cut from runs that were faulted in */
		if (order >= RUN_ORDER)
			assert_true(said_zero);
		memset((void *)slab_base(m, page), 1, PAGE_SIZE << order);
		pages_free(m, page);
		page = take(order);
		assert_false(pages_read_zero(m, page));
		pages_free(m, page);
	}
}

static void what_was_given_back_reads_zero(void **state)
{
	struct slab *page = take_and_write(6), *again;

	(void)state;
	pages_free(m, page);
	slab_machine_trim(m);
	again = take(6);
	assert_ptr_equal(again, page);
	assert_true(pages_read_zero(m, again));
	assert_true(is_zero(again, 6));
}

/* A block of which one page was used is not clean in any of its halves. */
static void no_part_of_a_used_block_is_said_to_read_zero(void **state)
{
	struct slab *page = take(MAX_PAGE_ORDER);
	static struct slab *part[8192];
	unsigned int i, nr = 0;

	(void)state;
	*(char *)(slab_base(m, page) + 777 * PAGE_SIZE) = 1;
	pages_free(m, page);
	do {
		part[nr] = take(0);
		assert_false(pages_read_zero(m, part[nr]) &&
			     !is_zero(part[nr], 0));
	} while (part[nr++] != &page[777] && nr < 8192);
	assert_ptr_equal(part[nr - 1], &page[777]);
	for (i = 0; i < nr; i++)
		pages_free(m, part[i]);
	all_is_free();
}

/* ---- backed by the system ---- */
/* Kernels before 5.14 do not know how, nor does qemu. */
static bool system_populates(void)
{
	void *p = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char in = 0;

	assert_ptr_not_equal(p, MAP_FAILED);
#ifdef MADV_POPULATE_WRITE
	madvise(p, PAGE_SIZE, MADV_POPULATE_WRITE);
#endif
	assert_int_equal(mincore(p, PAGE_SIZE, &in), 0);
	munmap(p, PAGE_SIZE);
	return in & 1;
}

static void small_blocks_are_faulted_in_by_runs(void **state)
{
	struct slab *page;
	unsigned long before;

	(void)state;
	if (!system_populates()) {
		print_message("no MADV_POPULATE_WRITE here\n");
		skip();
	}
	/* beside page 0 there is no whole run */
	take(RUN_ORDER - 1);
	before = resident();
	take(RUN_ORDER - 1);
	assert_int_equal(resident(), before + RUN_PAGES);
	before = resident();
	page = take(RUN_ORDER - 1);
	/* the other half of the run is there already */
	memset((void *)slab_base(m, page), 1, RUN_BYTES / 2);
	assert_int_equal(resident(), before);
	page = take(5);
	assert_int_equal(resident(), before);
	memset((void *)slab_base(m, page), 1, PAGE_SIZE);
	assert_true(resident() > before);
}

static void idle_memory_beyond_what_may_stay_goes_back(void **state)
{
	struct slab *page[32];
	unsigned long before = resident(), left;
	unsigned int i;

	(void)state;
	for (i = 0; i < 32; i++)
		page[i] = take_and_write(8);
	assert_true(resident() >= before + 32 * MIB_PAGES);
	for (i = 0; i < 32; i++)
		pages_free(m, page[i]);
	left = resident();
	if (left > 9 * MIB_PAGES || left < 4 * MIB_PAGES)
		fail_msg("%lu pages stay of 32 MiB, not some 4 to 8 MiB", left);
	slab_machine_trim(m);
	assert_true(resident() < 1 * MIB_PAGES);
	all_is_free();
}

/* The same of single pages, which become runs as they merge. */
static void idle_pages_that_became_runs_go_back(void **state)
{
	static struct slab *page[8192];
	unsigned int i;

	(void)state;
	for (i = 0; i < 8192; i++)
		page[i] = take_and_write(0);
	for (i = 0; i < 8192; i++)
		pages_free(m, page[i]);
	if (resident() > 9 * MIB_PAGES)
		fail_msg("%lu pages stay of 32 MiB", resident());
}

static void what_is_used_again_and_again_stays(void **state)
{
	struct slab *page = take_and_write(MAX_PAGE_ORDER);
	unsigned int i;

	(void)state;
	pages_free(m, page);
	for (i = 0; i < 100; i++) {
		struct slab *again = take(MAX_PAGE_ORDER);

		assert_ptr_equal(again, page);
		/* nobody cleared it, so nobody gave it back */
		assert_int_equal(*(uint8_t *)slab_base(m, again), 0xee);
		pages_free(m, again);
	}
}

static void an_eighth_of_what_is_used_may_stay(void **state)
{
	struct slab *used[48], *page[3];
	unsigned long before;
	unsigned int i;

	(void)state;
	/* 192 MiB: 24 MiB may stay, 8 MiB would not be enough for 12 */
	for (i = 0; i < 48; i++)
		used[i] = take(MAX_PAGE_ORDER);
	for (i = 0; i < 3; i++)
		page[i] = take_and_write(MAX_PAGE_ORDER);
	before = resident();
	for (i = 0; i < 3; i++)
		pages_free(m, page[i]);
	assert_int_equal(resident(), before);
	assert_int_equal(m->pages_idle, 3 << MAX_PAGE_ORDER);
	for (i = 0; i < 48; i++)
		pages_free(m, used[i]);
	assert_true(m->pages_idle <= 8 * MIB_PAGES);
}

static void how_much_may_stay_is_configured(void **state)
{
	struct slab *page[4];
	unsigned int i;

	(void)state;
	slab_machine_destroy(m);
	native_open(&(struct slab_machine_config){ .idle_bytes = 1 << 20 });
	for (i = 0; i < 4; i++)
		page[i] = take_and_write(8);
	for (i = 0; i < 4; i++)
		pages_free(m, page[i]);
	assert_true(m->pages_idle <= MIB_PAGES);
	assert_true(resident() <= 2 * MIB_PAGES);
}

static void pieces_smaller_than_a_run_go_back_only_when_asked(void **state)
{
	static struct slab *page[8192];
	unsigned long before;
	unsigned int i;

	(void)state;
	for (i = 0; i < 8192; i++)
		page[i] = take_and_write(0);
	before = resident();
	for (i = 0; i < 8192; i += 2)
		pages_free(m, page[i]);
	assert_int_equal(resident(), before);
	slab_machine_trim(m);
	assert_true(resident() <= before - 4096);
	for (i = 1; i < 8192; i += 2) {
		assert_int_equal(*(uint8_t *)slab_base(m, page[i]), 0xee);
		pages_free(m, page[i]);
	}
	all_is_free();
}

/* The map of 4 MiB that are free is 64 KiB of nothing. */
static void the_memory_map_of_free_memory_goes_back_too(void **state)
{
	static struct slab *page[16 * 1024];
	static unsigned char in[256];
	unsigned int i, count = 0;

	(void)state;
	for (i = 0; i < 16 * 1024; i++)
		page[i] = take(0);
	for (i = 0; i < 16 * 1024; i++)
		pages_free(m, page[i]);
	slab_machine_trim(m);
	assert_int_equal(mincore(m->memmap, sizeof(in) << PAGE_SHIFT, in), 0);
	for (i = 0; i < 256; i++)
		count += in[i] & 1;
	/* the first page of each 16, and the first block, that is never whole */
	if (count > 16 + 16)
		fail_msg("%u pages of the map stay", count);
	all_is_free();
}

static void a_child_gets_back_what_was_on_its_way(void **state)
{
	struct slab *page = take_and_write(8);

	(void)state;
	pages_free(m, page);
	lock_take(&m->pages_lock);
	for (page = m->memmap + 1; !page_is_idle(page);)
		page += 1UL << (page->order & ~FREE_ORDER);
	pages_take_away(m, page);
	m->is_giving_back = true;
	pages_after_fork(m);
	lock_release(&m->pages_lock);
	assert_false(m->is_giving_back);
	all_is_free();
}

/* ---- growth and limits ---- */
static void growth_goes_by_large_steps(void **state)
{
	unsigned long opened, steps = 0, i;

	(void)state;
	take(0);
	opened = m->pages_opened;
	for (i = 0; i < 64; i++) {
		take(MAX_PAGE_ORDER);
		steps += m->pages_opened != opened;
		opened = m->pages_opened;
	}
	/* a piece is 1/8192 of all, so that their nodes are a small table */
	assert_true(m->nr_pages >> m->piece_order <= MAX_PIECES);
	assert_int_equal(steps, 64 >> (m->piece_order - MAX_PAGE_ORDER));
}

static void the_page_limit_holds(void **state)
{
	struct slab *page;
	void *p;

	(void)state;
	slab_machine_set_page_limit(m, m->pages_used + 5);
	page = take(2);
	assert_null(pages_alloc(m, GFP_KERNEL, 1, NUMA_NO_NODE));
	p = kmalloc(16384, GFP_KERNEL | __GFP_NOWARN);
	assert_null(p);
	pages_free(m, page);
	p = kmalloc(16384, GFP_KERNEL);
	assert_non_null(p);
	kfree(p);
}

/* ---- threads ---- */
struct worker {
	unsigned int seed;
	unsigned long rounds;
};

static void *alloc_and_free(void *arg)
{
	struct worker *w = arg;
	struct random random = { .state = w->seed };
	struct slab *page[64] = { 0 };
	unsigned int order[64], i;
	size_t rounds = 0;

	while (!over() || rounds < 1000) {
		i = (unsigned int)random_below(&random, 64);
		if (page[i]) {
			/* who else wrote here? */
			unsigned long *first = (void *)slab_base(m, page[i]);
			unsigned long *last = (void *)(slab_base(m, page[i]) +
						       (PAGE_SIZE << order[i]) -
						       sizeof(*last));

			if (*first != (w->seed ^ (uintptr_t)first) ||
			    *last != (w->seed ^ (uintptr_t)last) ||
			    pages_order(m, page[i]) != order[i])
				abort();
			pages_free(m, page[i]);
			page[i] = NULL;
		} else {
			unsigned long *at;

			order[i] = (unsigned int)random_below(
				&random, i % 8 ? 4 : MAX_PAGE_ORDER + 1);
			page[i] = pages_alloc(m, GFP_KERNEL, order[i],
					      NUMA_NO_NODE);
			if (!page[i])
				abort();
			at = (void *)slab_base(m, page[i]);
			if (pages_read_zero(m, page[i]) &&
			    (*at || at[(PAGE_SIZE << order[i]) / 8 - 1]))
				abort();
			*at = w->seed ^ (uintptr_t)at;
			at += (PAGE_SIZE << order[i]) / sizeof(*at) - 1;
			*at = w->seed ^ (uintptr_t)at;
		}
		rounds++;
	}
	for (i = 0; i < 64; i++)
		if (page[i])
			pages_free(m, page[i]);
	return (void *)rounds;
}

static void *trim_again_and_again(void *arg)
{
	size_t rounds = 0;

	(void)arg;
	while (!over()) {
		pages_trim(m);
		sched_yield();
		rounds++;
	}
	return (void *)rounds;
}

static void threads_share_pages_and_give_them_back(void **state)
{
	struct worker worker[4];
	unsigned int i;

	(void)state;
	slab_machine_destroy(m);
	native_open(&(struct slab_machine_config){ .idle_bytes = 1 << 20 });
	for (i = 0; i < 4; i++) {
		worker[i] = (struct worker){ .seed = i + 1 };
		team_add(&team, alloc_and_free, &worker[i]);
	}
	team_add(&team, trim_again_and_again, NULL);
	team_run(&team, 700);
	assert_true(team_stop(&team) > 4000);
	all_is_free();
	pages_trim(m);
	all_is_free();
	assert_int_equal(m->pages_idle, 0);
}

static void *bring_back_later(void *page)
{
	rest_ms(30);
	lock_take(&m->pages_lock);
	pages_bring_back(m, page, 0);
	lock_release(&m->pages_lock);
	return NULL;
}

/* The last block is away with who gives it back: that is not out of memory. */
static void who_finds_nothing_waits_for_what_is_on_its_way(void **state)
{
	struct slab *page, *last = NULL;
	unsigned int nr = 0;

	(void)state;
	slab_machine_destroy(m);
	native_open(&(struct slab_machine_config){ .region_bytes = 64 << 20 });
	while ((page = pages_alloc(m, GFP_KERNEL, MAX_PAGE_ORDER, 0))) {
		last = page;
		nr++;
	}
	assert_int_equal(nr, 7); /* of 32 MiB, but for page 0 */
	pages_free(m, last);
	lock_take(&m->pages_lock);
	pages_take_away(m, last);
	lock_release(&m->pages_lock);
	team_add(&team, bring_back_later, last);
	page = pages_alloc(m, GFP_KERNEL, MAX_PAGE_ORDER, 0);
	team_stop(&team);
	assert_ptr_equal(page, last);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		native_test(
			fresh_pages_read_zero_and_used_ones_are_not_said_to),
		native_test(what_was_given_back_reads_zero),
		native_test(no_part_of_a_used_block_is_said_to_read_zero),
		native_test(small_blocks_are_faulted_in_by_runs),
		native_test(idle_memory_beyond_what_may_stay_goes_back),
		native_test(idle_pages_that_became_runs_go_back),
		native_test(what_is_used_again_and_again_stays),
		native_test(an_eighth_of_what_is_used_may_stay),
		native_test(how_much_may_stay_is_configured),
		native_test(pieces_smaller_than_a_run_go_back_only_when_asked),
		native_test(the_memory_map_of_free_memory_goes_back_too),
		native_test(a_child_gets_back_what_was_on_its_way),
		native_test(growth_goes_by_large_steps),
		native_test(the_page_limit_holds),
		native_test(threads_share_pages_and_give_them_back),
		native_test(who_finds_nothing_waits_for_what_is_on_its_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
