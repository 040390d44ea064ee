/* SPDX-License-Identifier: MIT */
/* tests/unit/debug/failslab.c - which request fails, by 7.0's order of questions */
#include "../lab.h"

#include <errno.h>

#include "debug/failslab.h"

static struct kmem_cache *cache(void)
{
	return __kmem_cache_create("fail", 64, 0, SLAB_NO_MERGE, NULL);
}

/* What becomes of the next eight questions: x fails. */
static const char *outcome(struct kmem_cache *s, gfp_t gfp)
{
	static char text[9];
	unsigned int i;

	for (i = 0; i < 8; i++)
		text[i] = failslab_should_fail(s, gfp, 0) ? 'x' : '.';
	return text;
}

/* What a test changes; all else is as a kernel boots, but nothing is said and
 * who may wait fails, too. */
struct change {
	unsigned long probability, interval;
	int times, space;
	unsigned long verbose;
	unsigned int limit_ms, burst;
	bool ignore_gfp_wait, cache_filter, task_filter, make_it_fail;
	unsigned int fail_nth;
};

static void set(const struct change *c)
{
	struct slab_faults f;

	slab_faults_get(lab.m, &f);
	f.failslab.attr.probability = c->probability;
	f.failslab.attr.interval = c->interval;
	f.failslab.attr.times = c->times;
	f.failslab.attr.space = c->space;
	f.failslab.attr.verbose = c->verbose;
	f.failslab.attr.verbose_ratelimit_interval_ms = c->limit_ms;
	f.failslab.attr.verbose_ratelimit_burst = c->burst;
	f.failslab.attr.task_filter = c->task_filter;
	f.failslab.ignore_gfp_wait = c->ignore_gfp_wait;
	f.failslab.cache_filter = c->cache_filter;
	f.task.make_it_fail = c->make_it_fail;
	f.task.fail_nth = c->fail_nth;
	slab_faults_set(lab.m, &f);
}

static const struct slab_faults *all_now(void)
{
	static struct slab_faults f;

	slab_faults_get(lab.m, &f);
	return &f;
}

static const struct slab_fault_attr *now(void)
{
	return &all_now()->failslab.attr;
}

static const struct change always = {
	.probability = 100,
	.interval = 1,
	.times = -1,
};

#define WITH(...)          \
	(&(struct change){ \
		.probability = 100, .interval = 1, .times = -1, __VA_ARGS__ })

static void vectors_of_the_specification(void **state)
{
	struct {
		struct change set;
		const char *wanted;
	} cases[] = {
		{ { .probability = 100, .interval = 1, .times = 1 },
		  "x......." },
		{ { .probability = 100, .interval = 3, .times = -1 },
		  "..x..x.." },
		{ { .probability = 100, .interval = 2, .times = 2 },
		  ".x.x...." },
		{ { .probability = 100,
		    .interval = 1,
		    .times = -1,
		    .space = 200 },
		  "...xxxxx" },
		{ { .probability = 100,
		    .interval = 1,
		    .times = -1,
		    .space = 64 },
		  "xxxxxxxx" },
		{ { .probability = 0,
		    .interval = 1,
		    .times = -1,
		    .fail_nth = 5 },
		  "....x..." },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kmem_cache *s;
		const char *got;

		lab_reopen(&(struct slab_machine_config){ 0 });
		/* first: its sheaves are questions, too */
		s = cache();
		set(&cases[i].set);
		got = outcome(s, GFP_KERNEL);
		if (strcmp(got, cases[i].wanted)) {
			print_error("row %u: wanted %s, got %s\n", i,
				    cases[i].wanted, got);
			fail();
		}
	}
}

static void space_is_asked_before_interval(void **state)
{
	struct kmem_cache *s = cache();

	(void)state;
	set(&(struct change){
		.probability = 100, .interval = 2, .times = -1, .space = 200 });
	assert_string_equal(outcome(s, GFP_KERNEL), "....x.x.");
}

static void the_budget_is_what_is_left(void **state)
{
	struct kmem_cache *s = cache();

	(void)state;
	set(WITH(.space = 200));
	outcome(s, GFP_KERNEL);
	assert_int_equal(now()->space, 8);
}

static void without_times_nothing_else_is_asked(void **state)
{
	struct kmem_cache *s = cache();

	(void)state;
	set(&(struct change){ .probability = 100, .interval = 1, .space = 200 });
	assert_string_equal(outcome(s, GFP_KERNEL), "........");
	assert_int_equal(now()->space, 200);
}

static void times_counts_down_and_not_below_0(void **state)
{
	struct kmem_cache *s = cache();

	(void)state;
	set(&(struct change){ .probability = 100, .interval = 1, .times = 2 });
	assert_string_equal(outcome(s, GFP_KERNEL), "xx......");
	assert_int_equal(now()->times, 0);
	set(&always);
	outcome(s, GFP_KERNEL);
	assert_int_equal(now()->times, -1);
}

/* fail_nth asks nobody's leave, but it takes one of times. */
static void fail_nth_goes_before_times_and_probability(void **state)
{
	struct kmem_cache *s = cache();

	(void)state;
	set(&(struct change){ .times = 1,
			      .interval = 7,
			      .space = 1 << 20,
			      .fail_nth = 2,
			      .task_filter = true });
	assert_string_equal(outcome(s, GFP_KERNEL), ".x......");
	assert_int_equal(now()->times, 0);
	assert_int_equal(all_now()->task.fail_nth, 0);
}

static void filters_of_failslab_come_first(void **state)
{
	struct kmem_cache *s = cache();

	(void)state;
	set(&always);
	assert_string_equal(outcome(s, GFP_KERNEL | __GFP_NOFAIL), "........");
	assert_string_equal(outcome(s, GFP_KERNEL), "xxxxxxxx");
	set(WITH(.ignore_gfp_wait = true));
	assert_string_equal(outcome(s, GFP_KERNEL), "........");
	assert_string_equal(outcome(s, GFP_NOWAIT), "xxxxxxxx");
	set(WITH(.cache_filter = true));
	assert_string_equal(outcome(s, GFP_KERNEL), "........");
	assert_int_equal(slab_cache_set_failslab(s, true), 0);
	assert_string_equal(outcome(s, GFP_KERNEL), "xxxxxxxx");
	/* a question that a filter answers does not count */
	set(&(struct change){ .interval = 1, .times = -1, .fail_nth = 1 });
	assert_string_equal(outcome(s, GFP_KERNEL | __GFP_NOFAIL), "........");
	assert_string_equal(outcome(s, GFP_KERNEL), "x.......");
}

static void a_task_filter_spares_who_is_not_marked(void **state)
{
	struct kmem_cache *s = cache();

	(void)state;
	set(WITH(.task_filter = true));
	assert_string_equal(outcome(s, GFP_KERNEL), "........");
	set(WITH(.task_filter = true, .make_it_fail = true));
	assert_string_equal(outcome(s, GFP_KERNEL), "xxxxxxxx");
}

static void probability_is_in_percent_and_reproducible(void **state)
{
	struct change half = { .probability = 50, .interval = 1, .times = -1 };
	struct kmem_cache *s = cache();
	unsigned int i, nr = 0;
	char first[9];

	(void)state;
	set(&half);
	for (i = 0; i < 1000; i++)
		nr += failslab_should_fail(s, GFP_KERNEL, 0);
	assert_in_range(nr, 430, 570);
	/* one in a hundred, not two */
	half.probability = 1;
	set(&half);
	for (i = nr = 0; i < 20000; i++)
		nr += failslab_should_fail(s, GFP_KERNEL, 0);
	assert_in_range(nr, 140, 260);
	half.probability = 50;
	lab_reopen(&(struct slab_machine_config){ .seed = 9 });
	s = cache();
	set(&half);
	memcpy(first, outcome(s, GFP_KERNEL), sizeof(first));
	lab_reopen(&(struct slab_machine_config){ .seed = 9 });
	s = cache();
	set(&half);
	assert_string_equal(outcome(s, GFP_KERNEL), first);
}

static void defaults_are_the_kernels(void **state)
{
	(void)state;
	assert_int_equal(now()->probability, 0);
	assert_int_equal(now()->interval, 1);
	assert_int_equal(now()->times, 1);
	assert_int_equal(now()->space, 0);
	assert_int_equal(now()->verbose, 2);
	assert_int_equal(now()->stacktrace_depth, 32);
	assert_int_equal(now()->require_start, 0);
	assert_int_equal(now()->require_end, UINTPTR_MAX);
	assert_int_equal(now()->reject_start, 0);
	assert_int_equal(now()->reject_end, 0);
	assert_false(now()->task_filter);
	assert_true(all_now()->failslab.ignore_gfp_wait);
	assert_false(all_now()->failslab.cache_filter);
	set(&always);
	slab_machine_reset(lab.m);
	assert_int_equal(now()->probability, 0);
}

static char said[2048];

static void say(void *arg, const struct slab_report *r)
{
	size_t n = strlen(said);

	(void)arg;
	snprintf(said + n, sizeof(said) - n, "%s\n", r->text);
}

static void a_failure_says_so_as_loud_as_wanted(void **state)
{
	struct kmem_cache *s = cache();

	(void)state;
	slab_machine_add_sink(lab.m, say, NULL);
	slab_machine_set_site(lab.m, slab_machine_site(lab.m, "f.c", 4, ""));
	set(&(struct change){ .probability = 100,
			      .interval = 1,
			      .times = 3,
			      .space = 5,
			      .verbose = 1 });
	failslab_should_fail(s, GFP_KERNEL, 0);
	assert_string_equal(said, "FAULT_INJECTION: forcing a failure.\n"
				  "name failslab, interval 1, probability 100, "
				  "space 5, times 3\n");
	said[0] = '\0';
	failslab_should_fail(s, GFP_KERNEL | __GFP_NOWARN, 0);
	assert_string_equal(said, "");
	set(WITH(.verbose = 2));
	failslab_should_fail(s, GFP_KERNEL, 0);
	assert_string_equal(said, "FAULT_INJECTION: forcing a failure.\n"
				  "name failslab, interval 1, probability 100, "
				  "space 0, times -1\n"
				  "Call Trace:\n <TASK>\n f.c:4\n </TASK>\n");
	said[0] = '\0';
	set(&always);
	failslab_should_fail(s, GFP_KERNEL, 0);
	assert_string_equal(said, "");
	/* it is no finding */
	assert_int_equal(slab_machine_reports(lab.m), 0);
	assert_int_equal(slab_machine_errors(lab.m), 0);
}

static unsigned int nr_said;

static void count_messages(void *arg, const struct slab_report *r)
{
	(void)arg;
	nr_said += strstr(r->text, "FAULT_INJECTION") != NULL;
}

static void messages_are_limited_when_told_so(void **state)
{
	struct change few = always;
	struct kmem_cache *s = cache();

	(void)state;
	nr_said = 0;
	few.verbose = 1;
	few.limit_ms = 100;
	few.burst = 3;
	set(&few);
	slab_machine_add_sink(lab.m, count_messages, NULL);
	outcome(s, GFP_KERNEL);
	assert_int_equal(nr_said, 3);
	/* the interval is not over, and then it is */
	slab_machine_tick(lab.m, 100);
	outcome(s, GFP_KERNEL);
	assert_int_equal(nr_said, 3);
	slab_machine_tick(lab.m, 1);
	outcome(s, GFP_KERNEL);
	assert_int_equal(nr_said, 6);
	few.limit_ms = 0;
	set(&few);
	outcome(s, GFP_KERNEL);
	assert_int_equal(nr_said, 14);
}

static void an_allocation_that_fails_gives_nothing(void **state)
{
	struct kmem_cache *s = cache();

	(void)state;
	set(&(struct change){ .probability = 100, .interval = 1, .times = 1 });
	assert_null(kmem_cache_alloc(s, GFP_KERNEL));
	assert_non_null(kmem_cache_alloc(s, GFP_KERNEL));
	assert_int_equal(lab.events[SLAB_EVENT_FAIL_INJECTED], 1);
}

/* failslab=INTERVAL,PROBABILITY,SPACE,TIMES */
static void boot_options_are_four_numbers_in_this_order(void **state)
{
	static const struct {
		const char *value;
		int err;
	} rows[] = {
		{ "10,100,4096,-1", 0 },
		{ "1,0,-5,0", 0 },
		{ "1,2,3", -EINVAL },
		{ "", -EINVAL },
		{ "1,2,3,", -EINVAL },
		{ "1,2,3,4,5", -EINVAL },
		{ "1,2,3,4x", -EINVAL },
		{ "-1,2,3,4", -EINVAL },
		{ "1,-2,3,4", -EINVAL },
		{ "1,2,3,2147483648", -EINVAL },
		{ "1,2,2147483648,4", -EINVAL },
		{ "99999999999999999999,2,3,4", -EINVAL },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		int err;

		lab_reopen(&(struct slab_machine_config){ 0 });
		slab_machine_add_sink(lab.m, say, NULL);
		said[0] = '\0';
		err = slab_machine_sysctl(lab.m, "failslab", rows[i].value);
		if (err != rows[i].err) {
			print_error("failslab=%s: found %d, wanted %d\n",
				    rows[i].value, err, rows[i].err);
			fail();
		}
		assert_string_equal(
			said,
			err ? "FAULT_INJECTION: failed to parse arguments\n"
			    : "");
		assert_int_equal(now()->times == 1, err != 0);
		assert_int_equal(all_now()->fail_page_alloc.attr.times, 1);
	}
	slab_machine_reset(lab.m);
	assert_int_equal(
		slab_machine_sysctl(lab.m, "failslab", "10,20,4096,-1"), 0);
	assert_int_equal(now()->interval, 10);
	assert_int_equal(now()->probability, 20);
	assert_int_equal(now()->space, 4096);
	assert_int_equal(now()->times, -1);
	assert_int_equal(
		slab_machine_sysctl(lab.m, "fail_page_alloc", "3,4,5,6"), 0);
	assert_int_equal(all_now()->fail_page_alloc.attr.interval, 3);
	assert_int_equal(all_now()->fail_page_alloc.attr.times, 6);
	assert_int_equal(now()->interval, 10);
}

static __attribute__((noinline)) void *call(struct kmem_cache *s)
{
	void *volatile p = kmem_cache_alloc(s, GFP_KERNEL);

	return p;
}

/* The library's own functions in between are not looked at. */
static void the_innermost_caller_is_who_called_the_library(void **state)
{
	struct kmem_cache *s =
		__kmem_cache_create("fail", 64, 0, SLAB_STORE_USER, NULL);
	struct slab_track track;
	struct slab_faults f;

	(void)state;
	assert_int_equal(slab_object_tracks(lab.m, call(s), &track, NULL), 0);
	set(&always);
	slab_faults_get(lab.m, &f);
	f.failslab.attr.stacktrace_depth = 1;
	f.failslab.attr.require_start = track.addr;
	f.failslab.attr.require_end = track.addr + 1;
	slab_faults_set(lab.m, &f);
	assert_null(call(s));
	assert_non_null(kmem_cache_alloc(s, GFP_KERNEL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(vectors_of_the_specification),
		lab_test(space_is_asked_before_interval),
		lab_test(the_budget_is_what_is_left),
		lab_test(without_times_nothing_else_is_asked),
		lab_test(times_counts_down_and_not_below_0),
		lab_test(fail_nth_goes_before_times_and_probability),
		lab_test(filters_of_failslab_come_first),
		lab_test(a_task_filter_spares_who_is_not_marked),
		lab_test(probability_is_in_percent_and_reproducible),
		lab_test(defaults_are_the_kernels),
		lab_test(a_failure_says_so_as_loud_as_wanted),
		lab_test(messages_are_limited_when_told_so),
		lab_test(an_allocation_that_fails_gives_nothing),
		lab_test(boot_options_are_four_numbers_in_this_order),
		lab_test(the_innermost_caller_is_who_called_the_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
