/* SPDX-License-Identifier: MIT */
/* driver/table.c - figures for people */
#include <math.h>

#include "output.h"

#define MIB	     1048576.0
#define MAX_ACROSS   12
#define MAX_VERDICTS 64

static void print_time(const struct figures *f, size_t row, size_t column,
		       FILE *out)
{
	double ns = figures_median(f, row, column);

	if (isnan(ns))
		fprintf(out, " %9s", "-");
	else
		fprintf(out, " %8.2f%c", ns,
			figures_spread(f, row, column) > SPREAD_TO_TELL ? '~'
									: ' ');
}

static void print_across(const struct figures *f, FILE *out)
{
	size_t row, column;

	fprintf(out, "%-16s", "");
	for (column = 0; column < f->nr_columns; column++)
		if (!column_is_memory(f->columns[column]))
			fprintf(out, " %9s", f->columns[column]);
	fputc('\n', out);
	for (row = 0; row < f->nr_rows; row++) {
		fprintf(out, "%-16s", f->rows[row]->name);
		for (column = 0; column < f->nr_columns; column++)
			if (!column_is_memory(f->columns[column]))
				print_time(f, row, column, out);
		fputc('\n', out);
	}
}

/* More workloads than a line can hold: they go down instead. */
static void print_down(const struct figures *f, FILE *out)
{
	size_t row, column;

	fprintf(out, "%-16s", "");
	for (row = 0; row < f->nr_rows; row++)
		fprintf(out, " %11.11s", f->rows[row]->name);
	fputc('\n', out);
	for (column = 0; column < f->nr_columns; column++) {
		if (column_is_memory(f->columns[column]))
			continue;
		fprintf(out, "%-16s", f->columns[column]);
		for (row = 0; row < f->nr_rows; row++) {
			fputs("  ", out);
			print_time(f, row, column, out);
		}
		fputc('\n', out);
	}
}

static void print_times(const struct figures *f, FILE *out)
{
	fprintf(out,
		"ns per pair of alloc and free, median of %zu processes; "
		"~: the middle half of them\nspreads over more than %.0f %%"
		"\n\n",
		f->nr_rounds, 100 * SPREAD_TO_TELL);
	if (f->nr_columns > MAX_ACROSS)
		print_down(f, out);
	else
		print_across(f, out);
}

static void print_memory(const struct figures *f, size_t column, FILE *out)
{
	const double *bytes;
	size_t row;

	fprintf(out,
		"\n%s: 1e6 objects of %s bytes; resident per payload byte, "
		"then MiB that stay\n\n%-16s %9s %9s %9s %9s %9s\n",
		f->columns[column],
		f->columns[column][2] ? f->columns[column] + 3 : "64", "",
		"live", "10% left", "none", "1 s on", "trimmed");
	for (row = 0; row < f->nr_rows; row++) {
		bytes = f->memory[row][column];
		if (isnan(bytes[MEMORY_LIVE]))
			continue;
		fprintf(out, "%-16s %9.3f %9.1f %9.1f %9.1f %9.1f\n",
			f->rows[row]->name,
			bytes[MEMORY_LIVE] / bytes[MEMORY_PAYLOAD],
			bytes[MEMORY_AFTER_90] / MIB,
			bytes[MEMORY_AFTER_ALL] / MIB,
			bytes[MEMORY_AFTER_1S] / MIB,
			bytes[MEMORY_AFTER_TRIM] / MIB);
	}
}

static void print_verdicts(const struct figures *f, FILE *out)
{
	struct verdict verdicts[MAX_VERDICTS], *v;
	size_t nr = figures_judge(f, verdicts, MAX_VERDICTS), i, nr_held = 0;

	if (!nr)
		return;
	fprintf(out,
		"\ntargets: ratios, medians of the rounds' own; up to "
		"%.2f of the bound holds as well\n\n"
		"%-16s %-9s %-16s %7s %7s %7s\n",
		BOUND_LIMIT, "", "", "against", "ratio", "at most", "bound");
	for (i = 0; i < nr; i++) {
		v = &verdicts[i];
		nr_held += v->holds;
		fprintf(out, "%-16s %-9s %-16s %7.3f %7.2f ", v->row, v->column,
			v->against, v->ratio, v->limit);
		if (isnan(v->bound_ratio))
			fprintf(out, "%7s", "");
		else
			fprintf(out, "%7.3f", v->bound_ratio);
		fprintf(out, "  %s%s\n", v->holds ? "holds" : "MISSED",
			v->is_vague ? " ~" : "");
	}
	fprintf(out, "%zu of %zu hold\n", nr_held, nr);
}

void table_print(const struct figures *f, FILE *out)
{
	print_times(f, out);
	for (size_t i = 0; i < f->nr_columns; i++)
		if (column_is_memory(f->columns[i]))
			print_memory(f, i, out);
	print_verdicts(f, out);
}
