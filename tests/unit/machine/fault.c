/* SPDX-License-Identifier: MIT */
/* tests/unit/machine/fault.c - the stack filter, and requests of pages that
 * fail; failslab's own questions are in ../debug/failslab.c */
#include "../lab.h"

#include <limits.h>

#include "machine/page.h"

static struct slab_faults now(void)
{
	struct slab_faults f;

	slab_faults_get(lab.m, &f);
	return f;
}

/* Every question of either kind fails, and nothing is said. */
static struct slab_faults all_fail(void)
{
	struct slab_faults f = now();

	f.failslab.attr.probability = 100;
	f.failslab.attr.times = -1;
	f.failslab.attr.verbose = 0;
	f.failslab.ignore_gfp_wait = false;
	f.fail_page_alloc.attr = f.failslab.attr;
	f.fail_page_alloc.ignore_gfp_wait = false;
	f.fail_page_alloc.ignore_gfp_highmem = false;
	f.fail_page_alloc.min_order = 0;
	return f;
}

static bool ask(void)
{
	return fault_should_fail(lab.m, &lab.m->failslab, 64, true, 0);
}

/* ---- the stack filter ---- */

/* Places that call, a to d, at rising addresses. */
static uintptr_t place[4];

static void places(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(place); i++)
		place[i] = slab_machine_site(lab.m, "f.c", i + 1, "");
}

/* Which of the places fail: "a" to "d", others ".". */
static const char *failing(const struct slab_faults *f)
{
	static char text[sizeof(place) / sizeof(place[0]) + 1];
	unsigned int i;

	slab_faults_set(lab.m, f);
	for (i = 0; i < ARRAY_SIZE(place); i++) {
		slab_machine_set_site(lab.m, place[i]);
		text[i] = '.';
		if (ask())
			text[i] = (char)('a' + i);
	}
	return text;
}

static void callers_are_required_and_rejected(void **state)
{
	enum { A, B, C, D, NOWHERE, ALL };
	static const struct {
		unsigned int require_from, require_to, reject_from, reject_to;
		unsigned long depth;
		const char *wanted;
	} rows[] = {
		{ NOWHERE, ALL, NOWHERE, NOWHERE, 32, "abcd" },
		/* from the first on, below the last */
		{ B, D, NOWHERE, NOWHERE, 32, ".bc." },
		{ B, B, NOWHERE, NOWHERE, 32, "...." },
		{ C, ALL, NOWHERE, NOWHERE, 32, "..cd" },
		{ NOWHERE, C, NOWHERE, NOWHERE, 32, "ab.." },
		{ NOWHERE, ALL, B, D, 32, "a..d" },
		{ NOWHERE, ALL, NOWHERE, C, 32, "..cd" },
		/* one bound is enough to look, and rejects nobody */
		{ NOWHERE, ALL, C, NOWHERE, 32, "abcd" },
		/* who is both is rejected */
		{ A, C, B, D, 32, "a..." },
		{ A, ALL, NOWHERE, ALL, 32, "...." },
		/* who sees nobody finds nobody, and rejects nobody */
		{ B, D, NOWHERE, NOWHERE, 0, "...." },
		{ NOWHERE, ALL, A, D, 0, "abcd" },
		{ B, D, NOWHERE, NOWHERE, 1, ".bc." },
	};
	struct slab_faults f = all_fail();
	uintptr_t at[] = { 0, 0, 0, 0, 0, ULONG_MAX };
	unsigned int i;

	(void)state;
	places();
	memcpy(at, place, sizeof(place));
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *found;

		f.failslab.attr.stacktrace_depth = rows[i].depth;
		f.failslab.attr.require_start = at[rows[i].require_from];
		f.failslab.attr.require_end = at[rows[i].require_to];
		f.failslab.attr.reject_start = at[rows[i].reject_from];
		f.failslab.attr.reject_end = at[rows[i].reject_to];
		found = failing(&f);
		if (strcmp(found, rows[i].wanted)) {
			print_error("row %u: found %s, wanted %s\n", i, found,
				    rows[i].wanted);
			fail();
		}
	}
}

static struct slab_faults reject_all(struct slab_faults f)
{
	f.failslab.attr.reject_end = ULONG_MAX;
	return f;
}

/* Chance, space and interval are asked for what the stack lets pass alone. */
static void the_stack_is_asked_before_space_interval_and_dice(void **state)
{
	struct slab_faults f = reject_all(all_fail());
	uint64_t random;

	(void)state;
	places();
	f.failslab.attr.space = 200;
	f.failslab.attr.interval = 3;
	f.failslab.attr.probability = 50;
	slab_machine_set_site(lab.m, place[0]);
	slab_faults_set(lab.m, &f);
	random = lab.m->random.state;
	assert_false(ask());
	assert_false(ask());
	assert_int_equal(now().failslab.attr.space, 200);
	assert_int_equal(lab.m->failslab.count, 0);
	assert_int_equal(lab.m->random.state, random);
	/* and the third from now is the first that interval lets fail */
	f.failslab.attr.reject_end = 0;
	f.failslab.attr.space = 0;
	f.failslab.attr.probability = 100;
	slab_faults_set(lab.m, &f);
	assert_false(ask());
	assert_false(ask());
	assert_true(ask());
}

static void fail_nth_waits_for_a_caller_that_may_fail(void **state)
{
	struct slab_faults f = reject_all(now());

	(void)state;
	places();
	f.task.fail_nth = 2;
	slab_machine_set_site(lab.m, place[0]);
	slab_faults_set(lab.m, &f);
	assert_false(ask());
	assert_false(ask());
	assert_int_equal(now().task.fail_nth, 2);
	f.failslab.attr.reject_end = 0;
	slab_faults_set(lab.m, &f);
	assert_false(ask());
	assert_int_equal(now().task.fail_nth, 1);
	assert_true(ask());
	assert_int_equal(now().task.fail_nth, 0);
}

static void an_interrupt_is_no_task(void **state)
{
	struct slab_faults f = all_fail();

	(void)state;
	f.failslab.attr.probability = 0;
	f.task.fail_nth = 1;
	slab_faults_set(lab.m, &f);
	lab.m->in_interrupt = 1;
	assert_false(ask());
	assert_int_equal(now().task.fail_nth, 1);
	lab.m->in_interrupt = 0;
	assert_true(ask());
	/* a marked task's interrupt is not marked */
	f = all_fail();
	f.failslab.attr.task_filter = f.task.make_it_fail = true;
	slab_faults_set(lab.m, &f);
	assert_true(ask());
	lab.m->in_interrupt = 1;
	assert_false(ask());
	/* without the filter chance asks for no task */
	f.failslab.attr.task_filter = false;
	slab_faults_set(lab.m, &f);
	assert_true(ask());
	lab.m->in_interrupt = 0;
}

/* Called through a pointer that may change, so that each level is a call and
 * one place calls the first: no compiler makes a loop or a copy of it. */
static bool ask_from(unsigned int levels, uintptr_t *outermost);
static bool (*volatile call)(unsigned int, uintptr_t *) = ask_from;

/* levels + 1 callers below whoever calls this; the outermost tells its own. */
static bool ask_from(unsigned int levels, uintptr_t *outermost)
{
	uintptr_t caller = (uintptr_t)__builtin_return_address(0);
	volatile bool fails; /* or the last call would be a jump */

	if (outermost)
		*outermost = caller;
	fails = levels ? call(levels - 1, NULL)
		       : fault_should_fail(lab.m, &lab.m->failslab, 64, true,
					   caller);
	return fails;
}

static bool outermost_is_seen(unsigned int levels, unsigned long depth)
{
	struct slab_faults f = now();
	uintptr_t here = 0;
	volatile unsigned int i;
	bool seen = false;

	/* the same call twice: the first says where it comes from */
	for (i = 0; i < 2; i++) {
		f.failslab.attr.stacktrace_depth = depth;
		f.failslab.attr.require_start = here;
		f.failslab.attr.require_end = here + 1;
		slab_faults_set(lab.m, &f);
		seen = call(levels, &here);
	}
	return seen;
}

static void depth_counts_from_the_innermost_and_ends_at_32(void **state)
{
	static const struct {
		unsigned int levels;
		unsigned long depth;
		bool wanted;
	} rows[] = {
		{ 0, 1, true },	     { 3, 3, false },	      { 3, 4, true },
		{ 31, 31, false },   { 31, 32, true },	      { 32, 33, false },
		{ 32, 1000, false }, { 31, ULONG_MAX, true },
	};
	struct slab_faults f = all_fail();
	unsigned int i;

	(void)state;
	slab_faults_set(lab.m, &f);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		bool found = outermost_is_seen(rows[i].levels, rows[i].depth);

		if (found != rows[i].wanted) {
			print_error(
				"%u callers, depth %lu: found %d, wanted %d\n",
				rows[i].levels + 1, rows[i].depth, found,
				rows[i].wanted);
			fail();
		}
	}
	assert_int_equal(now().failslab.attr.stacktrace_depth, 32);
	f.fail_page_alloc.attr.stacktrace_depth = 33;
	slab_faults_set(lab.m, &f);
	assert_int_equal(now().fail_page_alloc.attr.stacktrace_depth, 32);
}

/* ---- requests of pages ---- */

static bool pages_fail(gfp_t gfp, unsigned int order)
{
	struct slab *page = pages_alloc(lab.m, gfp, order, NUMA_NO_NODE);

	if (page)
		pages_free(lab.m, page);
	return !page;
}

static void page_defaults_are_the_kernels(void **state)
{
	struct slab_fail_page_alloc f = now().fail_page_alloc;

	(void)state;
	assert_int_equal(f.attr.probability, 0);
	assert_int_equal(f.attr.interval, 1);
	assert_int_equal(f.attr.times, 1);
	assert_int_equal(f.attr.space, 0);
	assert_int_equal(f.attr.verbose, 2);
	assert_int_equal(f.attr.stacktrace_depth, 32);
	assert_int_equal(f.attr.require_end, ULONG_MAX);
	assert_true(f.ignore_gfp_wait);
	assert_true(f.ignore_gfp_highmem);
	assert_int_equal(f.min_order, 1);
}

static void filters_of_fail_page_alloc_come_first(void **state)
{
	struct slab_faults f = all_fail();

	(void)state;
	f.fail_page_alloc.min_order = 2;
	slab_faults_set(lab.m, &f);
	assert_false(pages_fail(GFP_KERNEL, 1));
	assert_true(pages_fail(GFP_KERNEL, 2));
	assert_false(pages_fail(GFP_KERNEL | __GFP_NOFAIL, 2));
	assert_true(pages_fail(GFP_KERNEL | __GFP_HIGHMEM, 2));
	f.fail_page_alloc.ignore_gfp_highmem = true;
	slab_faults_set(lab.m, &f);
	assert_false(pages_fail(GFP_KERNEL | __GFP_HIGHMEM, 2));
	assert_true(pages_fail(GFP_KERNEL, 2));
	f.fail_page_alloc.ignore_gfp_wait = true;
	slab_faults_set(lab.m, &f);
	assert_false(pages_fail(GFP_KERNEL, 2));
	assert_true(pages_fail(GFP_NOWAIT, 2));
	/* what a filter answers is no question */
	f.task.fail_nth = 1;
	slab_faults_set(lab.m, &f);
	assert_false(pages_fail(GFP_KERNEL, 2));
	assert_false(pages_fail(GFP_NOWAIT, 1));
	assert_int_equal(now().task.fail_nth, 1);
	assert_true(pages_fail(GFP_NOWAIT, MAX_PAGE_ORDER));
}

static void space_of_pages_is_counted_in_pages(void **state)
{
	struct slab_faults f = all_fail();

	(void)state;
	f.fail_page_alloc.attr.space = 9;
	slab_faults_set(lab.m, &f);
	assert_false(pages_fail(GFP_KERNEL, 2)); /* 9 > 4 */
	assert_false(pages_fail(GFP_KERNEL, 2)); /* 5 > 4 */
	assert_int_equal(now().fail_page_alloc.attr.space, 1);
	assert_true(pages_fail(GFP_KERNEL, 2));
	assert_true(pages_fail(GFP_KERNEL, 0)); /* 1 is not > 1 */
	/* failslab has a budget of its own */
	assert_int_equal(now().failslab.attr.space, 0);
}

static char said[1024];

static void say(void *arg, const struct slab_report *r)
{
	size_t n = strlen(said);

	(void)arg;
	snprintf(said + n, sizeof(said) - n, "%s\n", r->text);
}

static void a_request_that_fails_takes_no_page_and_says_so(void **state)
{
	unsigned long used = slab_machine_pages_used(lab.m);
	struct slab_faults f = all_fail();

	(void)state;
	f.fail_page_alloc.attr.verbose = 1;
	f.fail_page_alloc.attr.times = 3;
	f.fail_page_alloc.attr.space = 1;
	slab_faults_set(lab.m, &f);
	said[0] = '\0';
	slab_machine_add_sink(lab.m, say, NULL);
	assert_null(slab_machine_alloc_pages(lab.m, 3));
	assert_int_equal(slab_machine_pages_used(lab.m), used);
	assert_int_equal(lab.events[SLAB_EVENT_PAGES_FAIL_INJECTED], 1);
	assert_int_equal(lab.events[SLAB_EVENT_PAGES_NONE], 0);
	assert_string_equal(said, "FAULT_INJECTION: forcing a failure.\n"
				  "name fail_page_alloc, interval 1, "
				  "probability 100, space 1, times 3\n");
	said[0] = '\0';
	assert_true(pages_fail(GFP_KERNEL | __GFP_NOWARN, 3));
	assert_string_equal(said, "");
	assert_int_equal(now().fail_page_alloc.attr.times, 1);
	/* failslab's are its own */
	assert_int_equal(now().failslab.attr.times, -1);
}

static void fail_nth_counts_objects_and_pages_together(void **state)
{
	struct kmem_cache *s =
		__kmem_cache_create("pair", 64, 0, NO_SHEAVES, NULL);
	struct slab_faults f = all_fail();

	(void)state;
	/* the first object asks for itself, then for a slab's pages; those are
	 * asked for twice */
	f.task.fail_nth = 2;
	slab_faults_set(lab.m, &f);
	assert_null(kmem_cache_alloc(s, GFP_KERNEL));
	assert_int_equal(lab.events[SLAB_EVENT_PAGES_FAIL_INJECTED], 2);
	assert_int_equal(lab.events[SLAB_EVENT_FAIL_INJECTED], 0);
	assert_int_equal(now().task.fail_nth, 0);
	f.failslab.attr.probability = f.fail_page_alloc.attr.probability = 0;
	f.task.fail_nth = 2;
	slab_faults_set(lab.m, &f);
	assert_non_null(kmem_cache_alloc(s, GFP_KERNEL));
	assert_int_equal(lab.events[SLAB_EVENT_PAGES_FAIL_INJECTED], 3);
	f.task.fail_nth = 1;
	slab_faults_set(lab.m, &f);
	assert_null(kmem_cache_alloc(s, GFP_KERNEL));
	assert_int_equal(lab.events[SLAB_EVENT_FAIL_INJECTED], 1);
	assert_int_equal(lab.events[SLAB_EVENT_PAGES_FAIL_INJECTED], 3);
}

/* ---- what a slab makes of it ---- */

/* Slabs of more pages than one object needs. */
static struct kmem_cache *large(void)
{
	return __kmem_cache_create("large", 1000, 0, NO_SHEAVES, NULL);
}

/* As it is set up at first, waiting spares the smallest order alone: the
 * preferred one is asked for without. */
static void the_preferred_order_fails_and_the_smallest_serves(void **state)
{
	struct kmem_cache *s = large();
	struct slab_faults f = now();
	void *p;

	(void)state;
	f.fail_page_alloc.attr.probability = 100;
	f.fail_page_alloc.attr.times = -1;
	slab_faults_set(lab.m, &f);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	assert_non_null(p);
	assert_int_equal(lab.events[SLAB_EVENT_PAGES_FAIL_INJECTED], 1);
	assert_int_equal(virt_to_slab(lab.m, p)->order, 0);
	/* nothing is said: NOWARN goes with the first attempt */
	assert_int_equal(lab.nr_notes, 0);
	kmem_cache_free(s, p);
}

static void
without_any_pages_it_says_out_of_memory_and_loses_nothing(void **state)
{
	struct kmem_cache *s = large();
	struct slab_faults f = all_fail(), off = now();
	unsigned long used = slab_machine_pages_used(lab.m);

	(void)state;
	f.failslab = off.failslab;
	slab_faults_set(lab.m, &f);
	said[0] = '\0';
	slab_machine_add_sink(lab.m, say, NULL);
	assert_null(kmem_cache_alloc(s, GFP_KERNEL));
	assert_int_equal(lab.events[SLAB_EVENT_PAGES_FAIL_INJECTED], 2);
	assert_non_null(
		strstr(said, "SLUB: Unable to allocate memory on CPU 0"));
	assert_non_null(strstr(said, "cache: large, object size: 1000"));
	assert_int_equal(slab_machine_pages_used(lab.m), used);
	slab_faults_set(lab.m, &off);
	assert_non_null(kmem_cache_alloc(s, GFP_KERNEL));
	assert_int_equal(lab.nr_records, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(callers_are_required_and_rejected),
		lab_test(the_stack_is_asked_before_space_interval_and_dice),
		lab_test(fail_nth_waits_for_a_caller_that_may_fail),
		lab_test(an_interrupt_is_no_task),
		lab_test(depth_counts_from_the_innermost_and_ends_at_32),
		lab_test(page_defaults_are_the_kernels),
		lab_test(filters_of_fail_page_alloc_come_first),
		lab_test(space_of_pages_is_counted_in_pages),
		lab_test(a_request_that_fails_takes_no_page_and_says_so),
		lab_test(fail_nth_counts_objects_and_pages_together),
		lab_test(the_preferred_order_fails_and_the_smallest_serves),
		lab_test(
			without_any_pages_it_says_out_of_memory_and_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
