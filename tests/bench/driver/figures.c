/* SPDX-License-Identifier: MIT */
/* driver/figures.c - see figures.h */
#include "figures.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct row all_rows[] = {
#define ROW(name, program, argument, traits, what, package) \
	{ name, program, argument, traits, what, package },
#include "rows.def"
#undef ROW
	{ NULL, NULL, NULL, 0, NULL, NULL },
};

const char *const memory_names[NR_MEMORY_ITEMS] = {
	[MEMORY_LIVE] = "live",
	[MEMORY_AFTER_90] = "after_90",
	[MEMORY_AFTER_ALL] = "after_all",
	[MEMORY_AFTER_1S] = "after_1s",
	[MEMORY_AFTER_TRIM] = "after_trim",
	[MEMORY_PAYLOAD] = "payload",
};

int figures_init(struct figures *f)
{
	size_t nr = f->nr_rows * f->nr_columns * f->nr_rounds, i, row, column;

	f->samples = malloc((nr ? nr : 1) * sizeof(*f->samples));
	if (!f->samples)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		f->samples[i] = NAN;
	for (row = 0; row < MAX_ROWS; row++)
		for (column = 0; column < MAX_COLUMNS; column++)
			for (i = 0; i < NR_MEMORY_ITEMS; i++)
				f->memory[row][column][i] = NAN;
	return 0;
}

void figures_fini(struct figures *f)
{
	free(f->samples);
}

double *figures_of(const struct figures *f, size_t row, size_t column)
{
	return &f->samples[(row * f->nr_columns + column) * f->nr_rounds];
}

bool column_is_memory(const char *column)
{
	return !strcmp(column, "W7") || !strncmp(column, "W7.", 3);
}

bool row_can_run(const struct row *row, const char *column)
{
	if (row->traits & PAIR)
		return !strcmp(column, "W1");
	if (row->traits & POOL && column_is_memory(column))
		return false;
	/* A mempool of so many objects is another thing than a cache. */
	if (row->traits & POOL && !strncmp(column, "live.", 5))
		return false;
	return !(row->traits & FEW && !strncmp(column, "caches", 6));
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double quantile(const double *values, size_t n, double q)
{
	double *sorted = malloc((n ? n : 1) * sizeof(*sorted)), at, ret = NAN;
	size_t nr = 0, i;

	if (!sorted)
		return NAN;
	for (i = 0; i < n; i++)
		if (!isnan(values[i]))
			sorted[nr++] = values[i];
	if (nr) {
		qsort(sorted, nr, sizeof(*sorted), by_value);
		at = q * (double)(nr - 1);
		i = (size_t)at;
		ret = sorted[i];
		if (i + 1 < nr)
			ret += (at - (double)i) * (sorted[i + 1] - sorted[i]);
	}
	free(sorted);
	return ret;
}

double figures_median(const struct figures *f, size_t row, size_t column)
{
	return quantile(figures_of(f, row, column), f->nr_rounds, 0.5);
}

double figures_spread(const struct figures *f, size_t row, size_t column)
{
	const double *ns = figures_of(f, row, column);

	return (quantile(ns, f->nr_rounds, 0.75) -
		quantile(ns, f->nr_rounds, 0.25)) /
	       quantile(ns, f->nr_rounds, 0.5);
}

static double ratio_quantile(const struct figures *f, size_t row,
			     size_t against, size_t column, double q)
{
	const double *x = figures_of(f, row, column);
	const double *y = figures_of(f, against, column);
	double *ratios = malloc(f->nr_rounds * sizeof(*ratios)), ret;

	if (!ratios)
		return NAN;
	for (size_t i = 0; i < f->nr_rounds; i++)
		ratios[i] = x[i] / y[i];
	ret = quantile(ratios, f->nr_rounds, q);
	free(ratios);
	return ret;
}

double figures_ratio(const struct figures *f, size_t row, size_t against,
		     size_t column)
{
	return ratio_quantile(f, row, against, column, 0.5);
}

/* Do the middle half of the rounds disagree by more than a tenth? */
static bool ratio_is_vague(const struct figures *f, size_t row, size_t against,
			   size_t column)
{
	return ratio_quantile(f, row, against, column, 0.75) -
		       ratio_quantile(f, row, against, column, 0.25) >
	       SPREAD_TO_TELL * figures_ratio(f, row, against, column);
}

size_t figures_best(const struct figures *f, unsigned int trait, size_t column)
{
	size_t row, best = f->nr_rows;
	double ns, least = INFINITY;

	for (row = 0; row < f->nr_rows; row++) {
		ns = figures_median(f, row, column);
		if (f->rows[row]->traits & trait && ns < least) {
			least = ns;
			best = row;
		}
	}
	return best;
}

size_t figures_row(const struct figures *f, const char *name)
{
	size_t i;

	for (i = 0; i < f->nr_rows && strcmp(f->rows[i]->name, name) != 0; i++)
		;
	return i;
}

size_t figures_column(const struct figures *f, const char *name)
{
	size_t i;

	for (i = 0; i < f->nr_columns && strcmp(f->columns[i], name) != 0; i++)
		;
	return i;
}

/* ---- targets ---- */

/* What a row is measured against when it is no row: known by address. */
static const char peers[] = "PEERS", shared_peers[] = "SHARED_PEERS";
static const char payload[] = "payload", stays[] = "MiB 1 s on";
#define PEERS	     peers
#define SHARED_PEERS shared_peers
#define PAYLOAD	     payload
#define STAYS	     stays

static const struct target {
	const char *row, *column, *against;
	double limit;
} targets[] = {
#define TARGET(row, column, against, limit) { row, column, against, limit },
#include "targets.def"
#undef TARGET
};

static size_t row_against(const struct figures *f, const struct target *t,
			  size_t column)
{
	if (t->against == peers)
		return figures_best(f, PEER, column);
	if (t->against == shared_peers)
		return figures_best(f, SHARED, column);
	return figures_row(f, t->against);
}

static bool judge_memory(const struct figures *f, const struct target *t,
			 size_t row, size_t column, struct verdict *ret)
{
	const double *bytes = f->memory[row][column];

	*ret = (struct verdict){ .row = t->row,
				 .column = t->column,
				 .against = t->against,
				 .limit = t->limit,
				 .bound_ratio = NAN };
	if (t->against == stays)
		ret->ratio = bytes[MEMORY_AFTER_1S] / 1048576;
	else
		ret->ratio = bytes[MEMORY_LIVE] / bytes[MEMORY_PAYLOAD];
	ret->holds = ret->ratio <= t->limit;
	return !isnan(ret->ratio);
}

/* The bound that is called as the row is; none for bulk calls, which DPDK has,
 * nor for what is measured against calls that do nothing. */
static size_t bound_of(const struct figures *f, const struct target *t)
{
	const char *against = strcmp(t->row, "slab-shared") ? "bound" :
							      "bound-shared";

	if (!strncmp(t->column, "W8", 2) ||
	    !strncmp(t->against, "empty", 5) ||
	    (strcmp(t->row, "slab-inline") && strcmp(t->row, "slab-shared")))
		return f->nr_rows;
	return figures_row(f, against);
}

static bool judge(const struct figures *f, const struct target *t,
		  struct verdict *ret)
{
	size_t row = figures_row(f, t->row), against, bound;
	size_t column = figures_column(f, t->column);

	if (row == f->nr_rows || column == f->nr_columns)
		return false;
	if (column_is_memory(t->column))
		return judge_memory(f, t, row, column, ret);
	against = row_against(f, t, column);
	if (against == f->nr_rows)
		return false;
	*ret = (struct verdict){ .row = t->row,
				 .column = t->column,
				 .against = f->rows[against]->name,
				 .ratio =
					 figures_ratio(f, row, against, column),
				 .limit = t->limit,
				 .bound_ratio = NAN };
	ret->is_vague = ratio_is_vague(f, row, against, column);
	bound = bound_of(f, t);
	if (bound < f->nr_rows && bound != against)
		ret->bound_ratio = figures_ratio(f, row, bound, column);
	if (ret->bound_ratio <= BOUND_LIMIT && ret->ratio > t->limit)
		ret->is_vague = ratio_is_vague(f, row, bound, column);
	ret->holds = ret->ratio <= t->limit || ret->bound_ratio <= BOUND_LIMIT;
	return !isnan(ret->ratio);
}

size_t figures_judge(const struct figures *f, struct verdict *ret, size_t max)
{
	size_t nr = 0;

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		if (nr < max && judge(f, &targets[i], &ret[nr]))
			nr++;
	return nr;
}
