/* SPDX-License-Identifier: MIT */
/* tests/unit/machine/pages.c - blocks of pages: aligned, merged, bounded */
#include "../lab.h"

#include "machine/page.h"

static void blocks_are_aligned_and_apart(void **state)
{
	struct slab *block[64];
	unsigned int i, j;

	(void)state;
	for (i = 0; i < 64; i++) {
		block[i] = pages_alloc(lab.m, GFP_KERNEL, i % 6, 0);
		assert_non_null(block[i]);
		assert_int_equal(slab_base(lab.m, block[i]) %
					 (PAGE_SIZE << (i % 6)), 0);
		for (j = 0; j < i; j++)
			assert_true(block[j] + (1 << (j % 6)) <= block[i] ||
				    block[i] + (1 << (i % 6)) <= block[j]);
	}
	for (i = 0; i < 64; i++)
		pages_free(lab.m, block[i]);
	assert_int_equal(slab_machine_pages_used(lab.m), 0);
}

static void the_first_page_is_never_given_out(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 2048; i++)
		assert_int_not_equal(slab_base(lab.m, pages_alloc(lab.m, 0, 0,
								  0)),
				     lab.m->base);
}

static void freed_buddies_merge_to_the_largest_block(void **state)
{
	struct slab *pages[1023], *big;
	unsigned int i;

	(void)state;
	for (i = 0; i < 1023; i++)
		pages[i] = pages_alloc(lab.m, 0, 0, 0);
	big = pages_alloc(lab.m, 0, MAX_PAGE_ORDER, 0);
	pages_free(lab.m, big);
	for (i = 0; i < 1023; i++)
		pages_free(lab.m, pages[i]);
	/* page 0 is reserved, so of its block 512 pages are the most */
	assert_ptr_equal(pages_alloc(lab.m, 0, 9, 0), &lab.m->memmap[512]);
	assert_ptr_equal(pages_alloc(lab.m, 0, 8, 0), &lab.m->memmap[256]);
}

static void a_block_does_not_merge_with_half_a_buddy(void **state)
{
	struct slab *page[6], *two, *four;
	unsigned int i;

	(void)state;
	for (i = 1; i < 6; i++) {
		page[i] = pages_alloc(lab.m, 0, 0, 0);
		assert_ptr_equal(page[i], &lab.m->memmap[i]);
	}
	two = pages_alloc(lab.m, 0, 1, 0);
	assert_ptr_equal(two, &lab.m->memmap[6]);
	pages_free(lab.m, page[4]);
	pages_free(lab.m, two);
	/* 4 to 7 would hold page 5 */
	four = pages_alloc(lab.m, 0, 2, 0);
	assert_ptr_equal(four, &lab.m->memmap[8]);
}

static void a_split_block_loses_no_page(void **state)
{
	unsigned long opened;
	unsigned int i;

	(void)state;
	assert_non_null(pages_alloc(lab.m, 0, 0, 0));
	opened = lab.m->pages_opened;
	for (i = 2; i < 1UL << MAX_PAGE_ORDER; i++)
		assert_non_null(pages_alloc(lab.m, 0, 0, 0));
	assert_int_equal(lab.m->pages_opened, opened);
}

static void the_limit_counts_pages(void **state)
{
	struct slab *page;

	(void)state;
	slab_machine_set_page_limit(lab.m, 5);
	page = pages_alloc(lab.m, 0, 2, 0);
	assert_non_null(page);
	assert_null(pages_alloc(lab.m, 0, 1, 0));
	assert_non_null(pages_alloc(lab.m, 0, 0, 0));
	assert_null(pages_alloc(lab.m, 0, 0, 0));
	pages_free(lab.m, page);
	assert_non_null(pages_alloc(lab.m, 0, 1, 0));
}

static void orders_above_the_largest_are_refused(void **state)
{
	(void)state;
	assert_null(pages_alloc(lab.m, 0, MAX_PAGE_ORDER + 1, 0));
	assert_null(pages_alloc(lab.m, 0, 63, 0));
	/* nor are any looked for */
	assert_int_equal(lab.m->pages_opened, 0);
}

static void nodes_have_pages_of_their_own(void **state)
{
	struct slab *page;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .nr_nodes = 3,
						  .nr_cpus = 3 });
	page = pages_alloc(lab.m, __GFP_THISNODE, 0, 2);
	assert_int_equal(page->node, 2);
	page = pages_alloc(lab.m, 0, 3, 1);
	assert_int_equal(page->node, 1);
	slab_machine_set_cpu(lab.m, 2);
	page = pages_alloc(lab.m, 0, 0, NUMA_NO_NODE);
	assert_int_equal(page->node, 2);
}

static void this_node_is_no_other(void **state)
{
	struct slab *page;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .nr_nodes = 2 });
	/* node 0 has nothing */
	lab.m->nodes[0].max_pieces = 0;
	assert_null(pages_alloc(lab.m, __GFP_THISNODE, 0, 0));
	page = pages_alloc(lab.m, 0, 0, 0);
	assert_non_null(page);
	assert_int_equal(page->node, 1);
}

/* A process that may map little data still has all its nodes. */
static void nodes_open_no_more_than_they_use(void **state)
{
	unsigned int node;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .nr_nodes = 16 });
	for (node = 16; node--;)
		assert_non_null(
			pages_alloc(lab.m, __GFP_THISNODE, 0, (int)node));
	/* a piece of the largest order a node */
	assert_int_equal(lab.m->pages_opened, 16 << MAX_PAGE_ORDER);
}

static void freed_pages_go_back_to_their_node(void **state)
{
	struct slab *page, *other;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .nr_nodes = 2 });
	other = pages_alloc(lab.m, __GFP_THISNODE, 0, 1);
	page = pages_alloc(lab.m, __GFP_THISNODE, MAX_PAGE_ORDER, 0);
	pages_free(lab.m, other);
	pages_free(lab.m, page);
	assert_ptr_equal(pages_alloc(lab.m, __GFP_THISNODE, 0, 1), other);
	assert_ptr_equal(
		pages_alloc(lab.m, __GFP_THISNODE, MAX_PAGE_ORDER, 0), page);
}

static void tails_lead_to_the_head_and_outside_to_nothing(void **state)
{
	struct slab *head = pages_alloc(lab.m, 0, 3, 0);
	uintptr_t base = slab_base(lab.m, head);

	(void)state;
	assert_ptr_equal(virt_to_head(lab.m, (void *)base), head);
	assert_ptr_equal(virt_to_head(lab.m, (void *)(base + 0x7fff)), head);
	assert_ptr_not_equal(virt_to_head(lab.m, (void *)(base + 0x8000)), head);
	assert_null(virt_to_slab(lab.m, (void *)base));
	assert_null(virt_to_head(lab.m, NULL));
	assert_null(virt_to_head(lab.m, &head));
	assert_null(virt_to_head(lab.m, (void *)~0UL));
}

static void a_damaged_order_gives_nothing_of_others_away(void **state)
{
	struct slab *a = pages_alloc(lab.m, 0, 1, 0);
	struct slab *b = pages_alloc(lab.m, 0, 1, 0);

	(void)state;
	assert_int_equal(pages_order(lab.m, a), 1);
	a->order = 9;
	pages_free(lab.m, a);
	assert_int_equal(slab_machine_pages_used(lab.m), 2);
	assert_int_equal(b->type, PAGE_NONE);
	pages_free(lab.m, b);
	assert_int_equal(slab_machine_pages_used(lab.m), 0);
}

static void a_reset_machine_reads_zero_and_repeats_addresses(void **state)
{
	char *p = slab_machine_alloc_pages(lab.m, 2), *again;

	(void)state;
	memset(p, 0xee, 16384);
	slab_machine_reset(lab.m);
	again = slab_machine_alloc_pages(lab.m, 2);
	assert_ptr_equal(p, again);
	assert_int_equal(again[0] | again[16383], 0);
	assert_int_equal(slab_machine_free_pages(lab.m, again + 1), -22);
	assert_int_equal(slab_machine_free_pages(lab.m, again), 0);
	assert_int_equal(slab_machine_free_pages(lab.m, again), -22);
}

static void machines_in_other_slots_print_the_same_addresses(void **state)
{
	struct slab_machine *other;
	void *p = slab_machine_alloc_pages(lab.m, 0), *q;

	(void)state;
	assert_int_equal(slab_machine_create_virtual(
				 &(struct slab_machine_config){
					 .slot = SLAB_ANY_SLOT },
				 &other), 0);
	q = slab_machine_alloc_pages(other, 0);
	assert_ptr_not_equal(p, q);
	assert_int_equal(slab_machine_print_address(other, (uintptr_t)q),
			 slab_machine_print_address(lab.m, (uintptr_t)p));
	assert_int_equal(slab_machine_parse_address(other, (uintptr_t)p),
			 (uintptr_t)q);
	slab_machine_destroy(other);
}

static void a_taken_slot_is_busy_and_a_wrong_one_invalid(void **state)
{
	struct slab_machine *other = NULL;
	struct slab_machine_config c = { .slot = 0 };

	(void)state;
	assert_int_equal(slab_machine_create_virtual(&c, &other), -16);
	c.slot = SLAB_NR_SLOTS;
	assert_int_equal(slab_machine_create_virtual(&c, &other), -22);
	c = (struct slab_machine_config){ .nr_cpus = SLAB_MAX_CPUS + 1,
					  .slot = 1 };
	assert_int_equal(slab_machine_create_virtual(&c, &other), -22);
	c = (struct slab_machine_config){ .nr_nodes = SLAB_MAX_NODES + 1,
					  .slot = 1 };
	assert_int_equal(slab_machine_create_virtual(&c, &other), -22);
	assert_null(other);
}

static void metadata_is_reused_and_runs_out_when_told(void **state)
{
	char *a = meta_alloc(lab.m, 100), *b;

	(void)state;
	memset(a, 0xff, 100);
	meta_free(lab.m, a, 100);
	b = meta_alloc(lab.m, 128);
	assert_ptr_equal(a, b);
	assert_int_equal(b[0] | b[99], 0);
	lab.m->meta.fail_after = 2;
	assert_non_null(meta_alloc(lab.m, 8));
	assert_null(meta_alloc(lab.m, 8));
	assert_non_null(meta_alloc(lab.m, 8));
	assert_null(meta_alloc(lab.m, (size_t)-1));
}

static void parameters_say_what_is_wrong(void **state)
{
	(void)state;
	assert_int_equal(slab_machine_sysctl(lab.m, "slab_max_order", "1"), 0);
	assert_int_equal(lab.m->params.max_order, 1);
	assert_int_equal(slab_machine_sysctl(lab.m, "slub_min_order", "3"), 0);
	assert_int_equal(lab.m->params.max_order, 3);
	assert_int_equal(slab_machine_sysctl(lab.m, "slab_max_order", "2"), 0);
	assert_int_equal(lab.m->params.min_order, 2);
	assert_int_equal(slab_machine_sysctl(lab.m, "slab_max_order", "20"), 0);
	assert_int_equal(lab.m->params.max_order, 10);
	assert_int_equal(slab_machine_sysctl(lab.m, "slab_max_order", "two"), -22);
	assert_int_equal(slab_machine_sysctl(lab.m, "slab_max_order", "-1"), -22);
	assert_int_equal(slab_machine_sysctl(lab.m, "slab_max_order",
					     "99999999999999999999"), -34);
	assert_int_equal(slab_machine_sysctl(lab.m, "slab_nomerge", ""), 0);
	assert_true(lab.m->params.nomerge);
	assert_int_equal(slab_machine_sysctl(lab.m, "slub_merge", "on"), 0);
	assert_false(lab.m->params.nomerge);
	assert_int_equal(slab_machine_sysctl(lab.m, "slab_nomerge", "maybe"), -22);
	assert_int_equal(slab_machine_sysctl(lab.m, "vm.swappiness", "1"), -2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(blocks_are_aligned_and_apart),
		lab_test(the_first_page_is_never_given_out),
		lab_test(freed_buddies_merge_to_the_largest_block),
		lab_test(a_block_does_not_merge_with_half_a_buddy),
		lab_test(a_split_block_loses_no_page),
		lab_test(the_limit_counts_pages),
		lab_test(orders_above_the_largest_are_refused),
		lab_test(nodes_have_pages_of_their_own),
		lab_test(this_node_is_no_other),
		lab_test(nodes_open_no_more_than_they_use),
		lab_test(freed_pages_go_back_to_their_node),
		lab_test(tails_lead_to_the_head_and_outside_to_nothing),
		lab_test(a_damaged_order_gives_nothing_of_others_away),
		lab_test(a_reset_machine_reads_zero_and_repeats_addresses),
		lab_test(machines_in_other_slots_print_the_same_addresses),
		lab_test(a_taken_slot_is_busy_and_a_wrong_one_invalid),
		lab_test(metadata_is_reused_and_runs_out_when_told),
		lab_test(parameters_say_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
