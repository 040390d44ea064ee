/* SPDX-License-Identifier: MIT */
/*
 * How much memory a native machine has for what it holds (W7 of the
 * benchmarks), and what stays of it when all is freed. Pages with memory
 * behind them are counted, of objects, of the map and of metadata alike.
 */
#define _GNU_SOURCE
#include "../native.h"

#include <sys/mman.h>

#include "base/bits.h"
#include "base/random.h"
#include "machine/pages.h"

#define NR 1000000U

static void **p;

static size_t resident_range(uintptr_t from, uintptr_t to)
{
	static unsigned char in[1 << 20];
	size_t nr = (to - from) >> PAGE_SHIFT, i, count = 0;

	assert_true(nr <= sizeof(in));
	assert_int_equal(mincore((void *)from, nr << PAGE_SHIFT, in), 0);
	for (i = 0; i < nr; i++)
		count += in[i] & 1;
	return count << PAGE_SHIFT;
}

static size_t resident(void)
{
	uintptr_t map_end = (uintptr_t)&m->memmap[m->pages_opened];

	return resident_range(m->base, m->base + pages_taken(m)) +
	       resident_range((uintptr_t)m->memmap,
			      ALIGN_UP(map_end, PAGE_SIZE)) +
	       resident_range(m->meta.start, ALIGN_UP(m->meta.next, PAGE_SIZE));
}

static void shuffle(void)
{
	struct random random = { .state = 1 };
	unsigned int i;

	for (i = NR - 1; i > 0; i--) {
		unsigned int k = (unsigned int)random_below(&random, i + 1);
		void *q = p[i];

		p[i] = p[k];
		p[k] = q;
	}
}

static struct kmem_cache *hold(unsigned int size)
{
	struct kmem_cache *s = kmem_cache_create("w7", size, NULL, 0);
	unsigned int i;

	assert_non_null(s);
	for (i = 0; i < NR; i++) {
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
		assert_non_null(p[i]);
		memset(p[i], 1, size);
	}
	return s;
}

/* Bytes of a payload byte, in thousandths. */
static void holds_within(unsigned int size, size_t limit)
{
	struct kmem_cache *s = hold(size);
	size_t cost = resident() * 1000 / ((size_t)NR * size);
	size_t left;
	unsigned int i;

	print_message("%u bytes: %zu.%03zu\n", size, cost / 1000, cost % 1000);
	if (cost > limit)
		fail_msg("%zu of %zu thousandths", cost, limit);
	shuffle();
	for (i = 0; i < NR; i++)
		kmem_cache_free(s, p[i]);
	kmem_cache_shrink(s);
	left = resident() >> 10;
	print_message("freed and shrunk: %zu KiB stay\n", left);
	/* what may stay idle is 8 MiB, and there are sheaves and a map */
	if (left > 10 << 10)
		fail_msg("%zu KiB stay", left);
	slab_machine_trim(m);
	left = resident() >> 10;
	print_message("trimmed: %zu KiB stay\n", left);
	if (left > 2 << 10)
		fail_msg("%zu KiB stay", left);
}

static void a_million_of_64_bytes_cost_3_percent_at_most(void **state)
{
	(void)state;
	holds_within(64, 1030);
}

static void a_million_of_200_bytes_cost_6_percent_at_most(void **state)
{
	(void)state;
	holds_within(200, 1060);
}

/* A tenth is left, at random: of 200 bytes an eighth of the slabs are empty. */
static void empty_slabs_among_full_ones_go_back_when_asked(void **state)
{
	struct kmem_cache *s = hold(200);
	size_t before = resident(), after;
	unsigned int i;

	(void)state;
	shuffle();
	for (i = 0; i < NR / 10 * 9; i++)
		kmem_cache_free(s, p[i]);
	slab_machine_trim(m);
	after = resident();
	print_message("%zu KiB of %zu KiB stay\n", after >> 10, before >> 10);
	assert_true(after < before / 100 * 92);
	for (; i < NR; i++) {
		assert_int_equal(*(uint8_t *)p[i], 1);
		kmem_cache_free(s, p[i]);
	}
}

/* What small programs pay. */
static void a_few_objects_cost_a_few_runs(void **state)
{
	size_t before = resident();
	struct kmem_cache *s = kmem_cache_create("few", 64, NULL, 0);
	void *object = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	assert_non_null(object);
	assert_true(resident() - before <= 2 * RUN_BYTES);
}

static int setup(void **state)
{
	if (!p)
		p = calloc(NR, sizeof(*p));
	return native_setup(state);
}

#define memory_test(name) \
	cmocka_unit_test_setup_teardown(name, setup, native_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		memory_test(a_million_of_64_bytes_cost_3_percent_at_most),
		memory_test(a_million_of_200_bytes_cost_6_percent_at_most),
		memory_test(empty_slabs_among_full_ones_go_back_when_asked),
		memory_test(a_few_objects_cost_a_few_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
