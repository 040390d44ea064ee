/* SPDX-License-Identifier: MIT */
/* tests/bench/test/figures.c - what is said about samples follows from them */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "figures.h"

static const struct row rows[] = {
	{ .name = "glibc", .traits = PEER | SHARED },
	{ .name = "dpdk", .traits = PEER | POOL },
	{ .name = "bound" },
	{ .name = "bound-shared" },
	{ .name = "slab-inline", .traits = SLAB },
	{ .name = "slab-shared", .traits = SLAB },
};

/* Older cmockas compare floats alone. */
#define assert_near(a, b, epsilon)                                      \
	do {                                                            \
		double a_ = (a), b_ = (b);                              \
                                                                        \
		if (!(fabs(a_ - b_) <= (epsilon)))                      \
			fail_msg("%s is %.15g, not %.15g", #a, a_, b_); \
	} while (0)

static void begin(struct figures *f, const char *column, size_t nr_rounds)
{
	*f = (struct figures){ .nr_rows = sizeof(rows) / sizeof(*rows),
			       .nr_columns = 1,
			       .nr_rounds = nr_rounds };
	for (size_t i = 0; i < f->nr_rows; i++)
		f->rows[i] = &rows[i];
	f->columns[0] = column;
	assert_int_equal(figures_init(f), 0);
}

static void set(struct figures *f, const char *row, double first, double second,
		double third)
{
	double *ns = figures_of(f, figures_row(f, row), 0);

	ns[0] = first;
	ns[1] = second;
	ns[2] = third;
}

static const struct verdict *verdict_of(const struct figures *f,
					struct verdict *all, size_t i)
{
	size_t nr = figures_judge(f, all, 8);

	assert_true(i < nr);
	return &all[i];
}

static void quantile_takes_the_middle_of_two(void **state)
{
	const double values[] = { 4, 1, 3, 2 };

	(void)state;
	assert_near(quantile(values, 4, 0.5), 2.5, 1e-12);
	assert_near(quantile(values, 4, 0), 1, 1e-12);
	assert_near(quantile(values, 4, 1), 4, 1e-12);
}

static void quantile_leaves_out_samples_that_failed(void **state)
{
	const double values[] = { NAN, 7, NAN, 5, 6 }, none[] = { NAN };

	(void)state;
	assert_near(quantile(values, 5, 0.5), 6, 1e-12);
	assert_true(isnan(quantile(none, 1, 0.5)));
}

/* 1/2, 4/8, 9/3: the ratio of the medians would be 4/3. */
static void ratio_is_the_median_of_the_rounds_ratios(void **state)
{
	struct figures f;

	(void)state;
	begin(&f, "W1", 3);
	set(&f, "slab-inline", 1, 4, 9);
	set(&f, "glibc", 2, 8, 3);
	assert_near(figures_ratio(&f, figures_row(&f, "slab-inline"),
				  figures_row(&f, "glibc"), 0),
		    0.5, 1e-12);
	figures_fini(&f);
}

static void inline_api_is_measured_against_the_best_peer(void **state)
{
	struct verdict all[8];
	const struct verdict *v;
	struct figures f;

	(void)state;
	begin(&f, "W3", 3);
	set(&f, "glibc", 10, 10, 10);
	set(&f, "dpdk", 8, 8, 8);
	set(&f, "slab-inline", 7, 7, 7);
	v = verdict_of(&f, all, 0);
	assert_string_equal(v->against, "dpdk");
	assert_near(v->ratio, 7.0 / 8, 1e-12);
	assert_near(v->limit, 0.75, 1e-12);
	assert_false(v->holds);
	figures_fini(&f);
}

static void near_the_bound_holds_whatever_the_peers_do(void **state)
{
	struct verdict all[8];
	struct figures f;

	(void)state;
	begin(&f, "W3", 3);
	set(&f, "dpdk", 8, 8, 8);
	set(&f, "slab-inline", 7, 7, 7);
	set(&f, "bound", 6.2, 6.2, 6.2);
	assert_true(verdict_of(&f, all, 0)->holds);
	set(&f, "bound", 6, 6, 6);
	assert_false(verdict_of(&f, all, 0)->holds);
	figures_fini(&f);
}

static void shared_library_is_measured_against_shared_ones(void **state)
{
	struct verdict all[8];
	const struct verdict *v;
	struct figures f;

	(void)state;
	begin(&f, "W3", 3);
	set(&f, "glibc", 10, 10, 10);
	set(&f, "dpdk", 8, 8, 8);
	set(&f, "bound", 1, 1, 1);
	set(&f, "slab-shared", 9, 9, 9);
	v = verdict_of(&f, all, 0);
	assert_string_equal(v->row, "slab-shared");
	assert_string_equal(v->against, "glibc");
	assert_true(isnan(v->bound_ratio));
	assert_true(v->holds);
	figures_fini(&f);
}

static void a_shared_library_may_come_near_the_shared_bound(void **state)
{
	struct verdict all[8];
	struct figures f;

	(void)state;
	begin(&f, "W3", 3);
	set(&f, "glibc", 8, 8, 8);
	set(&f, "slab-shared", 9, 9, 9);
	set(&f, "bound-shared", 8, 8, 8);
	assert_true(verdict_of(&f, all, 0)->holds);
	set(&f, "bound-shared", 7, 7, 7);
	assert_false(verdict_of(&f, all, 0)->holds);
	figures_fini(&f);
}

static void bulk_calls_are_not_measured_against_the_bound(void **state)
{
	struct verdict all[8];
	const struct verdict *v;
	struct figures f;

	(void)state;
	begin(&f, "W8.32", 3);
	set(&f, "dpdk", 1, 1, 1);
	set(&f, "bound", 4, 4, 4);
	set(&f, "slab-inline", 2, 2, 2);
	v = verdict_of(&f, all, 0);
	assert_true(isnan(v->bound_ratio));
	assert_false(v->holds);
	figures_fini(&f);
}

static void memory_is_judged_by_the_payload(void **state)
{
	struct verdict all[8];
	const struct verdict *v;
	struct figures f;
	double *bytes;

	(void)state;
	begin(&f, "W7.64", 1);
	bytes = f.memory[figures_row(&f, "slab-inline")][0];
	bytes[MEMORY_PAYLOAD] = 1000;
	bytes[MEMORY_LIVE] = 1019;
	v = verdict_of(&f, all, 0);
	assert_near(v->ratio, 1.019, 1e-12);
	assert_true(v->holds);
	bytes[MEMORY_LIVE] = 1021;
	assert_false(verdict_of(&f, all, 0)->holds);
	bytes[MEMORY_AFTER_1S] = 33 << 20;
	v = verdict_of(&f, all, 1);
	assert_near(v->ratio, 33, 1e-12);
	assert_false(v->holds);
	figures_fini(&f);
}

static void verdict_is_vague_when_rounds_disagree(void **state)
{
	struct verdict all[8];
	struct figures f;

	(void)state;
	begin(&f, "W3", 3);
	set(&f, "dpdk", 10, 10, 10);
	set(&f, "slab-inline", 7.0, 7.1, 7.2);
	assert_false(verdict_of(&f, all, 0)->is_vague);
	set(&f, "slab-inline", 5, 7.1, 9);
	assert_true(verdict_of(&f, all, 0)->is_vague);
	figures_fini(&f);
}

static void pools_and_pairs_run_only_what_they_can(void **state)
{
	static const struct row pair = { .traits = PAIR },
				few = { .traits = FEW };

	(void)state;
	assert_true(row_can_run(&pair, "W1"));
	assert_false(row_can_run(&pair, "W2.32"));
	assert_false(row_can_run(&rows[1], "W7.64"));
	assert_true(row_can_run(&rows[1], "W3"));
	assert_false(row_can_run(&few, "caches.10"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantile_takes_the_middle_of_two),
		cmocka_unit_test(quantile_leaves_out_samples_that_failed),
		cmocka_unit_test(ratio_is_the_median_of_the_rounds_ratios),
		cmocka_unit_test(inline_api_is_measured_against_the_best_peer),
		cmocka_unit_test(near_the_bound_holds_whatever_the_peers_do),
		cmocka_unit_test(
			shared_library_is_measured_against_shared_ones),
		cmocka_unit_test(a_shared_library_may_come_near_the_shared_bound),
		cmocka_unit_test(bulk_calls_are_not_measured_against_the_bound),
		cmocka_unit_test(memory_is_judged_by_the_payload),
		cmocka_unit_test(verdict_is_vague_when_rounds_disagree),
		cmocka_unit_test(pools_and_pairs_run_only_what_they_can),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
