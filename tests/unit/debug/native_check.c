/* SPDX-License-Identifier: MIT */
/* tests/unit/debug/native_check.c - checks of debug caches on real threads */
#include "../native.h"

#include <slab/debug.h>

#include "cache/cache.h"
#include "debug/check.h"
#include "inspect/check.h"
#include "slab/freelist.h"

static struct {
	unsigned int kinds[SLAB_NR_REPORTS], fixes[SLAB_NR_FIXES];
} told;

static void sink(void *arg, const struct slab_report *r)
{
	(void)arg;
	if (r->record == SLAB_RECORD_REPORT)
		__atomic_fetch_add(&told.kinds[r->kind], 1, __ATOMIC_RELAXED);
	else if (r->record == SLAB_RECORD_FIX)
		__atomic_fetch_add(&told.fixes[r->fix], 1, __ATOMIC_RELAXED);
}

static int setup(void **state)
{
	static const struct slab_machine_config config = { .asan_off = true };

	(void)state;
	memset(&told, 0, sizeof(told));
	assert_int_equal(slab_machine_create_native(&config, &m), 0);
	slab_machine_add_sink(m, sink, NULL);
	return 0;
}

static struct kmem_cache *new_cache(slab_flags_t flags)
{
	struct kmem_cache *s = kmem_cache_create("s", 64, NULL,
						 flags | SLAB_NO_MERGE);

	assert_non_null(s);
	return s;
}

static void assert_whole(struct kmem_cache *s)
{
	const char *broken = node_check(s, 0);

	if (broken)
		fail_msg("%s", broken);
}

/* ---- one thread ---- */

/* All combinations of flags, the short way and the long one in turn. */
static void objects_are_what_they_would_be_anywhere(void **state)
{
	static const slab_flags_t flag[] = { SLAB_CONSISTENCY_CHECKS,
					     SLAB_RED_ZONE, SLAB_POISON,
					     SLAB_STORE_USER };
	unsigned int set, i, k;

	(void)state;
	for (set = 1; set < 16; set++) {
		slab_flags_t flags = 0;
		struct kmem_cache *s;
		uint8_t *p[120];

		for (i = 0; i < 4; i++)
			flags |= set >> i & 1 ? flag[i] : 0;
		s = new_cache(flags);
		for (k = 0; k < 3; k++) {
			for (i = 0; i < 120; i++) {
				p[i] = kmem_cache_alloc(s, GFP_KERNEL);
				assert_non_null(p[i]);
				if (flags & SLAB_POISON) {
					assert_int_equal(p[i][0], POISON_FREE);
					assert_int_equal(p[i][63], POISON_END);
				}
				if (flags & SLAB_RED_ZONE) {
					assert_int_equal(p[i][-1],
							 SLUB_RED_ACTIVE);
					assert_int_equal(p[i][64],
							 SLUB_RED_ACTIVE);
				}
				memset(p[i], (int)i, 64);
			}
			assert_whole(s);
			for (i = 0; i < 120; i++) {
				assert_int_equal(p[i][0], i);
				assert_int_equal(p[i][63], i);
				kmem_cache_free(s, p[i]);
			}
			assert_whole(s);
			assert_true(validate_slab_cache(s) >= 0);
		}
		assert_int_equal(kmem_cache_destroy(s), 0);
	}
	assert_int_equal(slab_machine_reports(m), 0);
}

static void a_double_free_is_found(void **state)
{
	struct kmem_cache *s = new_cache(SLAB_CONSISTENCY_CHECKS);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);
	void *q = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	kmem_cache_free(s, p);
	kmem_cache_free(s, p);
	assert_int_equal(told.kinds[SLAB_REPORT_ALREADY_FREE], 1);
	assert_int_equal(told.fixes[SLAB_FIX_NOT_FREED], 1);
	kmem_cache_free(s, q);
	assert_whole(s);
	assert_int_equal(slab_machine_reports(m), 1);
}

static void an_address_inside_an_object_is_none(void **state)
{
	struct kmem_cache *s = new_cache(SLAB_CONSISTENCY_CHECKS);
	char *p = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	kmem_cache_free(s, p + 8);
	assert_int_equal(told.kinds[SLAB_REPORT_INVALID_POINTER], 1);
	kmem_cache_free(s, p);
	assert_whole(s);
}

/* Each byte around and in an object, found at its free or next allocation. */
static void every_byte_is_checked(void **state)
{
	struct kmem_cache *s = new_cache(SLAB_DEBUG_DEFAULT_FLAGS);
	unsigned int meta_end = layout_meta_end(s), span = layout_span(s);
	int at;

	(void)state;
	for (at = -(int)s->red_left_pad; at < (int)span; at++) {
		bool is_payload = at >= 0 && at < 64;
		bool is_checked = is_payload || at < (int)s->inuse ||
				  at >= (int)meta_end;
		unsigned int before = slab_machine_reports(m);
		char *hold = kmem_cache_alloc(s, GFP_KERNEL);
		char *p = kmem_cache_alloc(s, GFP_KERNEL);

		if (is_payload)
			kmem_cache_free(s, p);
		if (is_checked)
			p[at] ^= 1;
		if (is_payload)
			kmem_cache_alloc(s, GFP_KERNEL);
		else
			kmem_cache_free(s, p);
		if (slab_machine_reports(m) - before != is_checked)
			fail_msg("byte %d: %u reports, not %d", at,
				 slab_machine_reports(m) - before, is_checked);
		(void)hold;
	}
}

/* The link of a free object was made to lead to somebody's. */
static void a_chain_that_leads_to_a_users_object_is_cut(void **state)
{
	struct kmem_cache *s = new_cache(SLAB_CONSISTENCY_CHECKS);
	void *p[6], *chain;
	struct slab *slab;
	unsigned int i;

	(void)state;
	for (i = 0; i < 6; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_free(s, p[1]);
	kmem_cache_free(s, p[2]);
	slab = virt_to_slab(m, p[0]);
	chain = slab->freelist;
	assert_ptr_equal(chain, p[2]);
	set_freepointer(s, p[2], p[4]);
	validate_slab_cache(s);
	assert_int_equal(told.kinds[SLAB_REPORT_FREECHAIN], 1);
	assert_int_equal(told.kinds[SLAB_REPORT_WRONG_COUNT], 1);
	assert_whole(s);
	/* whose it is may free it, once */
	kmem_cache_free(s, p[4]);
	assert_int_equal(told.kinds[SLAB_REPORT_ALREADY_FREE], 0);
	kmem_cache_free(s, p[4]);
	assert_int_equal(told.kinds[SLAB_REPORT_ALREADY_FREE], 1);
	assert_whole(s);
}

/* ---- threads ---- */
struct worker {
	struct kmem_cache *s;
	unsigned int seed, wrong;
	size_t done;
};

static void *works(void *arg)
{
	struct worker *w = arg;
	uint64_t *p[64] = { 0 };
	unsigned int i;

	while (!over() || w->done < 1000) {
		w->seed = w->seed * 1664525 + 1013904223;
		i = w->seed >> 26;
		if (p[i]) {
			w->wrong += *p[i] != (uintptr_t)w + i;
			kmem_cache_free(w->s, p[i]);
			p[i] = NULL;
		} else if ((p[i] = kmem_cache_alloc(w->s, GFP_KERNEL))) {
			*p[i] = (uintptr_t)w + i;
		}
		__atomic_fetch_add(&w->done, 1, __ATOMIC_RELAXED);
	}
	for (i = 0; i < 64; i++)
		if (p[i])
			kmem_cache_free(w->s, p[i]);
	return NULL;
}

static void threads_work(struct kmem_cache *s, struct worker *w,
			 unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		w[i] = (struct worker){ .s = s, .seed = i + 1 };
		team_add(&team, works, &w[i]);
	}
}

static bool all_did(const struct worker *w, unsigned int nr, size_t done)
{
	while (nr && __atomic_load_n(&w[nr - 1].done, __ATOMIC_RELAXED) >= done)
		nr--;
	return !nr;
}

static void validate_finds_nothing_while_threads_work(void **state)
{
	struct kmem_cache *s = new_cache(SLAB_DEBUG_DEFAULT_FLAGS);
	struct worker w[4];
	unsigned int i;

	(void)state;
	threads_work(s, w, 4);
	for (i = 0; i < 300 || (i < 100000 && !all_did(w, 4, 20000)); i++)
		assert_true(validate_slab_cache(s) >= 0);
	team_stop(&team);
	assert_int_equal(slab_machine_reports(m), 0);
	for (i = 0; i < 4; i++) {
		assert_int_equal(w[i].wrong, 0);
		assert_true(w[i].done >= 1000);
	}
	assert_whole(s);
	assert_int_equal(kmem_cache_destroy(s), 0);
}

/* Somebody writes to what he freed, while others allocate from the slabs. */
static void *spoils(void *arg)
{
	struct kmem_cache *s = arg;
	size_t spoilt = 0;

	while (!over()) {
		volatile uint8_t *p = kmem_cache_alloc(s, GFP_KERNEL);

		if (!p)
			continue;
		kmem_cache_free(s, (void *)p);
		p[20] = 0; /* too late: it may be another thread's */
		spoilt++;
		nanosleep(&(struct timespec){ .tv_nsec = 300000 }, NULL);
	}
	return (void *)spoilt;
}

static void a_slab_is_frozen_under_threads(void **state)
{
	struct kmem_cache *s = new_cache(SLAB_CONSISTENCY_CHECKS | SLAB_POISON);
	struct worker w[3];
	unsigned int i;

	(void)state;
	threads_work(s, w, 3);
	team_add(&team, spoils, s);
	WAIT_FOR(__atomic_load_n(&told.fixes[SLAB_FIX_ALL_USED],
				 __ATOMIC_RELAXED) >= 20);
	team_stop(&team);
	assert_true(told.fixes[SLAB_FIX_ALL_USED] >= 20);
	/* each frozen slab by a finding at allocation */
	assert_int_equal(told.kinds[SLAB_REPORT_POISON],
			 told.fixes[SLAB_FIX_ALL_USED]);
	for (i = 0; i < 3; i++)
		assert_int_equal(w[i].wrong, 0);
	assert_whole(s);
}

/* Tracks, sizes and red zones of requests smaller than their class. */
static void *kmallocs(void *arg)
{
	struct worker *w = arg;

	while (!over() || w->done < 1000) {
		size_t n = w->seed % 500 + 1;
		uint8_t *p = kmalloc(n, GFP_KERNEL);

		w->seed = w->seed * 1664525 + 1013904223;
		if (p) {
			memset(p, (int)n, n);
			w->wrong += p[n - 1] != (uint8_t)n;
			kfree(p);
		}
		__atomic_fetch_add(&w->done, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void kmalloc_caches_are_checked_under_threads(void **state)
{
	struct slab_machine_config config = { .asan_off = true,
					      .slab_debug = "FZPU" };
	struct worker w[4];
	uint8_t *p;
	unsigned int i;

	(void)state;
	native_teardown(NULL);
	memset(&told, 0, sizeof(told));
	assert_int_equal(slab_machine_create_native(&config, &m), 0);
	slab_machine_add_sink(m, sink, NULL);
	for (i = 0; i < 4; i++) {
		w[i] = (struct worker){ .seed = i + 1 };
		team_add(&team, kmallocs, &w[i]);
	}
	team_run(&team, 300);
	team_stop(&team);
	assert_int_equal(slab_machine_reports(m), 0);
	for (i = 0; i < 4; i++)
		assert_int_equal(w[i].wrong, 0);
	p = kmalloc(19, GFP_KERNEL);
	p[19] = 1;
	kfree(p);
	assert_int_equal(told.kinds[SLAB_REPORT_KMALLOC_REDZONE], 1);
}

/* ---- failures on purpose ---- */
static void *asks(void *arg)
{
	size_t failed = 0;
	unsigned int i;

	for (i = 0; i < 2000; i++) {
		void *p = kmem_cache_alloc(arg, GFP_NOWAIT);

		if (p)
			kmem_cache_free(arg, p);
		else
			failed++;
	}
	return (void *)failed;
}

static void no_more_fail_than_times_says(void **state)
{
	struct kmem_cache *s = new_cache(SLAB_POISON);
	struct slab_faults faults;
	unsigned int i;

	(void)state;
	slab_faults_get(m, &faults);
	faults.failslab.attr.probability = 50;
	faults.failslab.attr.times = 333;
	faults.failslab.attr.verbose = 0;
	slab_faults_set(m, &faults);
	s = kmem_cache_create("t", 64, NULL, SLAB_POISON | SLAB_NO_MERGE);
	for (i = 0; i < 4; i++)
		team_add(&team, asks, s);
	assert_int_equal(team_stop(&team), 333);
	slab_faults_get(m, &faults);
	assert_int_equal(faults.failslab.attr.times, 0);
}

static void fail_nth_is_the_threads_own(void **state)
{
	struct kmem_cache *s = new_cache(SLAB_POISON);
	struct slab_faults faults;

	(void)state;
	/* pages are asked for, too */
	assert_non_null(kmem_cache_alloc(s, GFP_KERNEL));
	slab_faults_get(m, &faults);
	faults.task.fail_nth = 3;
	faults.failslab.attr.verbose = 0;
	slab_faults_set(m, &faults);
	/* another thread's questions are not this one's */
	team_add(&team, asks, s);
	assert_int_equal(team_stop(&team), 0);
	assert_non_null(kmem_cache_alloc(s, GFP_NOWAIT));
	assert_non_null(kmem_cache_alloc(s, GFP_NOWAIT));
	assert_null(kmem_cache_alloc(s, GFP_NOWAIT));
	assert_non_null(kmem_cache_alloc(s, GFP_NOWAIT));
	slab_faults_get(m, &faults);
	assert_int_equal(faults.task.fail_nth, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, native_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(objects_are_what_they_would_be_anywhere),
		TEST(a_double_free_is_found),
		TEST(an_address_inside_an_object_is_none),
		TEST(every_byte_is_checked),
		TEST(a_chain_that_leads_to_a_users_object_is_cut),
		TEST(validate_finds_nothing_while_threads_work),
		TEST(a_slab_is_frozen_under_threads),
		TEST(kmalloc_caches_are_checked_under_threads),
		TEST(no_more_fail_than_times_says),
		TEST(fail_nth_is_the_threads_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
