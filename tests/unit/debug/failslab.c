/* SPDX-License-Identifier: MIT */
/* tests/unit/debug/failslab.c - which request fails, by 7.0's order of questions */
#include "../lab.h"

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
		text[i] = failslab_should_fail(s, gfp) ? 'x' : '.';
	return text;
}

static const struct slab_failslab always = {
	.probability = 100, .interval = 1, .times = -1,
};

#define WITH(...) (&(struct slab_failslab){ .probability = 100, .interval = 1, \
					    .times = -1, __VA_ARGS__ })

static void vectors_of_the_specification(void **state)
{
	struct {
		struct slab_failslab set;
		const char *wanted;
	} cases[] = {
		{ { .probability = 100, .interval = 1, .times = 1 },
		  "x......." },
		{ { .probability = 100, .interval = 3, .times = -1 },
		  "..x..x.." },
		{ { .probability = 100, .interval = 2, .times = 2 },
		  ".x.x...." },
		{ { .probability = 100, .interval = 1, .times = -1,
		    .space = 200 },
		  "...xxxxx" },
		{ { .probability = 100, .interval = 1, .times = -1,
		    .space = 64 },
		  "xxxxxxxx" },
		{ { .probability = 0, .interval = 1, .times = -1,
		    .fail_nth = 5 },
		  "....x..." },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *got;

		lab_reopen(&(struct slab_machine_config){ 0 });
		slab_failslab_set(lab.m, &cases[i].set);
		got = outcome(cache(), GFP_KERNEL);
		if (strcmp(got, cases[i].wanted)) {
			print_error("row %u: wanted %s, got %s\n", i,
				    cases[i].wanted, got);
			fail();
		}
	}
}

static void space_is_asked_before_interval(void **state)
{
	(void)state;
	slab_failslab_set(lab.m, &(struct slab_failslab){
					 .probability = 100, .interval = 2,
					 .times = -1, .space = 200 });
	assert_string_equal(outcome(cache(), GFP_KERNEL), "....x.x.");
}

static void the_budget_is_what_is_left(void **state)
{
	struct slab_failslab now;

	(void)state;
	slab_failslab_set(lab.m, WITH(.space = 200));
	outcome(cache(), GFP_KERNEL);
	slab_failslab_get(lab.m, &now);
	assert_int_equal(now.space, 8);
}

static void times_counts_down_and_not_below_0(void **state)
{
	struct slab_failslab now;
	struct kmem_cache *s = cache();

	(void)state;
	slab_failslab_set(lab.m, &(struct slab_failslab){
					 .probability = 100, .interval = 1,
					 .times = 2 });
	assert_string_equal(outcome(s, GFP_KERNEL), "xx......");
	slab_failslab_get(lab.m, &now);
	assert_int_equal(now.times, 0);
	slab_failslab_set(lab.m, &always);
	outcome(s, GFP_KERNEL);
	slab_failslab_get(lab.m, &now);
	assert_int_equal(now.times, -1);
}

/* fail_nth asks nobody's leave, but it takes one of times. */
static void fail_nth_goes_before_times_and_probability(void **state)
{
	struct slab_failslab now;

	(void)state;
	slab_failslab_set(lab.m, &(struct slab_failslab){
					 .times = 1, .interval = 7,
					 .space = 1 << 20, .fail_nth = 2,
					 .task_filter = true });
	assert_string_equal(outcome(cache(), GFP_KERNEL), ".x......");
	slab_failslab_get(lab.m, &now);
	assert_int_equal(now.times, 0);
	assert_int_equal(now.fail_nth, 0);
}

static void filters_of_failslab_come_first(void **state)
{
	struct kmem_cache *s = cache();

	(void)state;
	slab_failslab_set(lab.m, &always);
	assert_string_equal(outcome(s, GFP_KERNEL | __GFP_NOFAIL), "........");
	assert_string_equal(outcome(s, GFP_KERNEL), "xxxxxxxx");
	slab_failslab_set(lab.m, WITH(.ignore_gfp_wait = true));
	assert_string_equal(outcome(s, GFP_KERNEL), "........");
	assert_string_equal(outcome(s, GFP_NOWAIT), "xxxxxxxx");
	slab_failslab_set(lab.m, WITH(.cache_filter = true));
	assert_string_equal(outcome(s, GFP_KERNEL), "........");
	assert_int_equal(slab_cache_set_failslab(s, true), 0);
	assert_string_equal(outcome(s, GFP_KERNEL), "xxxxxxxx");
	/* a question that a filter answers does not count */
	slab_failslab_set(lab.m, &(struct slab_failslab){ .interval = 1,
							  .times = -1,
							  .fail_nth = 1 });
	assert_string_equal(outcome(s, GFP_KERNEL | __GFP_NOFAIL), "........");
	assert_string_equal(outcome(s, GFP_KERNEL), "x.......");
}

static void a_task_filter_spares_who_is_not_marked(void **state)
{
	struct kmem_cache *s = cache();

	(void)state;
	slab_failslab_set(lab.m, WITH(.task_filter = true));
	assert_string_equal(outcome(s, GFP_KERNEL), "........");
	slab_failslab_set(lab.m, WITH(.task_filter = true,
				      .task_make_it_fail = true));
	assert_string_equal(outcome(s, GFP_KERNEL), "xxxxxxxx");
}

static void probability_is_in_percent_and_reproducible(void **state)
{
	struct slab_failslab half = { .probability = 50, .interval = 1,
				      .times = -1 };
	struct kmem_cache *s = cache();
	unsigned int i, nr = 0;
	char first[9];

	(void)state;
	slab_failslab_set(lab.m, &half);
	for (i = 0; i < 1000; i++)
		nr += failslab_should_fail(s, GFP_KERNEL);
	assert_in_range(nr, 430, 570);
	/* one in a hundred, not two */
	half.probability = 1;
	slab_failslab_set(lab.m, &half);
	for (i = nr = 0; i < 20000; i++)
		nr += failslab_should_fail(s, GFP_KERNEL);
	assert_in_range(nr, 140, 260);
	half.probability = 50;
	lab_reopen(&(struct slab_machine_config){ .seed = 9 });
	slab_failslab_set(lab.m, &half);
	memcpy(first, outcome(cache(), GFP_KERNEL), sizeof(first));
	lab_reopen(&(struct slab_machine_config){ .seed = 9 });
	slab_failslab_set(lab.m, &half);
	assert_string_equal(outcome(cache(), GFP_KERNEL), first);
}

static void defaults_are_the_kernels(void **state)
{
	struct slab_failslab now;

	(void)state;
	slab_failslab_get(lab.m, &now);
	assert_int_equal(now.probability, 0);
	assert_int_equal(now.interval, 1);
	assert_int_equal(now.times, 1);
	assert_int_equal(now.space, 0);
	assert_int_equal(now.verbose, 2);
	assert_true(now.ignore_gfp_wait);
	assert_false(now.cache_filter);
	assert_false(now.task_filter);
	slab_failslab_set(lab.m, &always);
	slab_machine_reset(lab.m);
	slab_failslab_get(lab.m, &now);
	assert_int_equal(now.probability, 0);
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
	slab_failslab_set(lab.m, &(struct slab_failslab){
					 .probability = 100, .interval = 1,
					 .times = 3, .space = 5,
					 .verbose = 1 });
	failslab_should_fail(s, GFP_KERNEL);
	assert_string_equal(
		said,
		"FAULT_INJECTION: forcing a failure.\n"
		"name failslab, interval 1, probability 100, space 5, times 3\n");
	said[0] = '\0';
	failslab_should_fail(s, GFP_KERNEL | __GFP_NOWARN);
	assert_string_equal(said, "");
	slab_failslab_set(lab.m, WITH(.verbose = 2));
	failslab_should_fail(s, GFP_KERNEL);
	assert_string_equal(
		said,
		"FAULT_INJECTION: forcing a failure.\n"
		"name failslab, interval 1, probability 100, space 0, times -1\n"
		"Call Trace:\n <TASK>\n f.c:4\n </TASK>\n");
	said[0] = '\0';
	slab_failslab_set(lab.m, &always);
	failslab_should_fail(s, GFP_KERNEL);
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
	struct slab_failslab set = always;
	struct kmem_cache *s = cache();

	(void)state;
	nr_said = 0;
	set.verbose = 1;
	set.verbose_ratelimit_interval_ms = 100;
	set.verbose_ratelimit_burst = 3;
	slab_failslab_set(lab.m, &set);
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
	set.verbose_ratelimit_interval_ms = 0;
	slab_failslab_set(lab.m, &set);
	outcome(s, GFP_KERNEL);
	assert_int_equal(nr_said, 14);
}

static void an_allocation_that_fails_gives_nothing(void **state)
{
	struct kmem_cache *s = cache();

	(void)state;
	slab_failslab_set(lab.m, &(struct slab_failslab){
					 .probability = 100, .interval = 1,
					 .times = 1 });
	assert_null(kmem_cache_alloc(s, GFP_KERNEL));
	assert_non_null(kmem_cache_alloc(s, GFP_KERNEL));
	assert_int_equal(lab.events[SLAB_EVENT_FAIL_INJECTED], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(vectors_of_the_specification),
		lab_test(space_is_asked_before_interval),
		lab_test(the_budget_is_what_is_left),
		lab_test(times_counts_down_and_not_below_0),
		lab_test(fail_nth_goes_before_times_and_probability),
		lab_test(filters_of_failslab_come_first),
		lab_test(a_task_filter_spares_who_is_not_marked),
		lab_test(probability_is_in_percent_and_reproducible),
		lab_test(defaults_are_the_kernels),
		lab_test(a_failure_says_so_as_loud_as_wanted),
		lab_test(messages_are_limited_when_told_so),
		lab_test(an_allocation_that_fails_gives_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
