/* SPDX-License-Identifier: MIT */
/*
 * driver/figures.h - samples, and what is said about them
 *
 * A sample is one process's figure: of one row (an allocator), one column (a
 * workload), in one round. In a round each row runs once, one after the other,
 * so what the host does meets all alike, and a ratio is the median of the
 * rounds' ratios, not a ratio of medians. A sample that failed is NaN.
 */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include <stdbool.h>
#include <stddef.h>

enum trait {
	PEER = 1 << 0, SHARED = 1 << 1, PAIR = 1 << 2, POOL = 1 << 3,
	FEW = 1 << 4, SLAB = 1 << 5, DEBUG = 1 << 6,
};

struct row {
	const char *name, *program, *argument;
	unsigned int traits;
	const char *what, *package;
};

/* All there are; name NULL ends them. */
extern const struct row all_rows[];

enum memory_item {
	MEMORY_LIVE, MEMORY_AFTER_90, MEMORY_AFTER_ALL, MEMORY_AFTER_1S,
	MEMORY_AFTER_TRIM, MEMORY_PAYLOAD, NR_MEMORY_ITEMS,
};
extern const char *const memory_names[NR_MEMORY_ITEMS];

/* Of the median; what spreads more is marked. */
#define SPREAD_TO_TELL 0.10

#define MAX_ROWS    32
#define MAX_COLUMNS 48

struct figures {
	const struct row *rows[MAX_ROWS];
	size_t nr_rows;
	const char *columns[MAX_COLUMNS];
	size_t nr_columns;
	size_t nr_rounds;
	double *samples; /* [row][column][round], ns */
	double memory[MAX_ROWS][MAX_COLUMNS][NR_MEMORY_ITEMS];
};

int figures_init(struct figures *f);
void figures_fini(struct figures *f);

double *figures_of(const struct figures *f, size_t row, size_t column);

/* W7 and its like: bytes, looked at once. */
bool column_is_memory(const char *column);
bool row_can_run(const struct row *row, const char *column);

/* The q-th part of n values, those that are NaN left out; NaN of none. */
double quantile(const double *values, size_t n, double q);

double figures_median(const struct figures *f, size_t row, size_t column);
/* The middle half of the samples, as a part of their median. */
double figures_spread(const struct figures *f, size_t row, size_t column);
double figures_ratio(const struct figures *f, size_t row, size_t against,
		     size_t column);

/* The least median of the rows with this trait, or nr_rows. */
size_t figures_best(const struct figures *f, unsigned int trait, size_t column);
size_t figures_row(const struct figures *f, const char *name); /* or nr_rows */
size_t figures_column(const struct figures *f, const char *name);

/* ---- targets ---- */
#define BOUND_LIMIT 1.15

struct verdict {
	const char *row, *column, *against; /* the row it was, or what */
	double ratio, limit;
	double bound_ratio; /* NaN: the bound says nothing here */
	bool holds;
	bool is_vague; /* rounds disagree about what it is decided by */
};

/* Those whose rows and columns were measured, into ret[]; how many. */
size_t figures_judge(const struct figures *f, struct verdict *ret, size_t max);

#endif
