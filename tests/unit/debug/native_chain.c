/* SPDX-License-Identifier: MIT */
/* tests/unit/debug/native_chain.c - damaged chains on real threads: what a free
 * sees that does not walk them, and what one sees that does */
#include "../native.h"

#include <slab/debug.h>

#include "cache/cache.h"
#include "inspect/check.h"
#include "slab/freelist.h"

static unsigned int kinds[SLAB_NR_REPORTS];

static void sink(void *arg, const struct slab_report *r)
{
	(void)arg;
	if (r->record == SLAB_RECORD_REPORT)
		kinds[r->kind]++;
}

static struct kmem_cache *s;
static uint8_t *a, *b, *c;

/* F; a and c are in use, b is the first that is free. */
static void begin(bool statistics)
{
	const struct slab_machine_config config = { .asan_off = true,
						    .statistics = statistics };

	memset(kinds, 0, sizeof(kinds));
	assert_int_equal(slab_machine_create_native(&config, &m), 0);
	slab_machine_add_sink(m, sink, NULL);
	s = kmem_cache_create("s", 200, NULL,
			      SLAB_CONSISTENCY_CHECKS | SLAB_NO_MERGE);
	assert_non_null(s);
	assert_int_equal(s->debug_is_short,
			 !statistics && m->config.nr_nodes == 1);
	a = kmem_cache_alloc(s, GFP_KERNEL);
	b = kmem_cache_alloc(s, GFP_KERNEL);
	c = kmem_cache_alloc(s, GFP_KERNEL);
	assert_true(a && b && c);
	memset(a, 0, 200);
	kmem_cache_free(s, b);
	assert_int_equal(slab_machine_reports(m), 0);
}

static void end(void)
{
	slab_machine_destroy(m);
	m = NULL;
}

static void link_to(const void *object, uintptr_t next)
{
	memcpy((uint8_t *)(uintptr_t)object + s->offset, &next, sizeof(next));
}

static struct slab *slab_of(const void *object)
{
	return virt_to_slab(m, object);
}

/* ---- one free later ---- */

static void damage_is_found_by_the_next_free(bool statistics)
{
	const struct {
		uintptr_t link;
		enum slab_report_kind kind;
	} damage[] = {
		{ 0x41414141, SLAB_REPORT_FREECHAIN }, /* nowhere */
		{ 1, SLAB_REPORT_FREECHAIN },	       /* ... */
		{ 2, SLAB_REPORT_FREECHAIN },	       /* inside an object */
		{ 3, SLAB_REPORT_FREECHAIN },	       /* one in use */
		{ 4, SLAB_REPORT_FREELIST_CYCLE },     /* itself */
		{ 0, SLAB_REPORT_WRONG_COUNT },	       /* the chain's end */
	};
	size_t i;

	for (i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
		uintptr_t link = damage[i].link;

		begin(statistics);
		link = link == 1   ? (uintptr_t)b + (1UL << 40)
		       : link == 2 ? (uintptr_t)b + 8
		       : link == 3 ? (uintptr_t)a
		       : link == 4 ? (uintptr_t)b
				   : link;
		link_to(b, link);
		kmem_cache_free(s, c);
		if (kinds[damage[i].kind] != 1)
			fail_msg("link %zu: %u reports of kind %d, %u in all; "
				 "wanted one",
				 i, kinds[damage[i].kind], damage[i].kind,
				 slab_machine_reports(m));
		end();
	}
}

static void first_link_is_judged_without_a_walk(void **state)
{
	(void)state;
	damage_is_found_by_the_next_free(false);
}

static void a_cache_that_counts_walks(void **state)
{
	(void)state;
	damage_is_found_by_the_next_free(true);
}

/* Further down only a walk gets. */
static void deeper_links_are_for_those_who_walk(void **state)
{
	unsigned int statistics;

	(void)state;
	for (statistics = 0; statistics < 2; statistics++) {
		uint8_t *second;

		begin(statistics);
		memcpy(&second, b + s->offset, sizeof(second));
		link_to(second, 0x41414141);
		kmem_cache_free(s, c);
		assert_int_equal(kinds[SLAB_REPORT_FREECHAIN], statistics);
		validate_slab_cache(s);
		assert_int_equal(kinds[SLAB_REPORT_FREECHAIN], 1);
		end();
	}
}

static void a_wrong_counter_is_found_by_who_walks(void **state)
{
	(void)state;
	begin(true);
	slab_of(a)->inuse++;
	kmem_cache_free(s, c);
	assert_int_equal(kinds[SLAB_REPORT_WRONG_COUNT], 1);
	end();
}

/* Nothing wrong: neither the last free object nor the first makes a report. */
static void whole_chains_of_every_length_are_believed(void **state)
{
	unsigned int statistics, i, k, nr;
	void *p[64];

	(void)state;
	for (statistics = 0; statistics < 2; statistics++) {
		begin(statistics);
		nr = slab_of(a)->objects;
		assert_true(nr > 4 && nr <= 64);
		kmem_cache_free(s, a);
		kmem_cache_free(s, c);
		for (k = 1; k <= nr; k++) {
			for (i = 0; i < k; i++) {
				p[i] = kmem_cache_alloc(s, GFP_KERNEL);
				assert_non_null(p[i]);
			}
			for (i = 0; i < k; i++)
				kmem_cache_free(s, p[i]);
		}
		assert_int_equal(slab_machine_reports(m), 0);
		assert_null(node_check(s, 0));
		end();
	}
}

/* ---- the order ---- */

/* Two pages, says a slab of one: the neighbour's bytes are none of it. */
static void a_damaged_order_reaches_over_no_neighbour(void **state)
{
	uint8_t *neighbour;
	struct slab *slab;
	unsigned int nr;

	(void)state;
	begin(false);
	slab = slab_of(a);
	assert_int_equal(slab->order, s->oo.order);
	neighbour = (uint8_t *)slab_base(m, slab) + slab_bytes(slab);
	assert_true(slab_of(neighbour) != slab);
	nr = slab->objects;
	slab->order++;
	validate_slab_cache(s);
	assert_int_equal(kinds[SLAB_REPORT_WRONG_OBJECTS], 1);
	assert_int_equal(slab->order, s->oo.order);
	assert_int_equal(slab->objects, nr);
	slab->order++;
	kmem_cache_free(s, a);
	kmem_cache_free(s, c);
	kmem_cache_shrink(s);
	assert_int_equal(kmem_cache_destroy(s), 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_link_is_judged_without_a_walk),
		cmocka_unit_test(a_cache_that_counts_walks),
		cmocka_unit_test(deeper_links_are_for_those_who_walk),
		cmocka_unit_test(a_wrong_counter_is_found_by_who_walks),
		cmocka_unit_test(whole_chains_of_every_length_are_believed),
		cmocka_unit_test(a_damaged_order_reaches_over_no_neighbour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
