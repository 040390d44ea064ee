/* SPDX-License-Identifier: MIT */
/*
 * driver/curves.c - growth: columns whose names differ in a number alone
 *
 * "live.1000", "live.10000" ... are one curve a row. In its .dat the first line
 * names the rows, the others begin with the number; what was not measured is ?.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "output.h"

#define FLAT 1.10

static const struct curve {
	const char *name, *x, *title;
	double limit; /* of growth against the bound's; 0: none */
} all_curves[] = {
	{ "threads", "threads", "W6.256r on N threads", 0 },
	{ "caches", "caches", "W2.32 in each of N caches in turn", FLAT },
	{ "live", "live objects", "W2.32 beside N live objects", FLAT },
	{ "W3", "live objects", "one of N live objects is replaced, at random",
	  FLAT },
};
#define NR_CURVES (sizeof(all_curves) / sizeof(all_curves[0]))

/* The number in the name of a column of this curve; 0: it is none. */
static double point_of(const struct figures *f, size_t column,
		       const struct curve *c)
{
	const char *name = f->columns[column];
	size_t length = strlen(c->name);

	if (strncmp(name, c->name, length) != 0 || name[length] != '.')
		return 0;
	return strtod(name + length + 1, NULL);
}

static size_t nr_points(const struct figures *f, const struct curve *c)
{
	size_t nr = 0;

	for (size_t column = 0; column < f->nr_columns; column++)
		nr += point_of(f, column, c) > 0;
	return nr;
}

static bool has_curve(const struct figures *f, size_t row,
		      const struct curve *c)
{
	for (size_t column = 0; column < f->nr_columns; column++)
		if (point_of(f, column, c) > 0 &&
		    !isnan(figures_median(f, row, column)))
			return true;
	return false;
}

static void write_points(const struct figures *f, const struct curve *c,
			 FILE *out)
{
	size_t row, column;
	double ns;

	fprintf(out, "\"%s\"", c->x);
	for (row = 0; row < f->nr_rows; row++)
		if (has_curve(f, row, c))
			fprintf(out, " \"%s\"", f->rows[row]->name);
	fputc('\n', out);
	for (column = 0; column < f->nr_columns; column++) {
		if (point_of(f, column, c) <= 0)
			continue;
		fprintf(out, "%.0f", point_of(f, column, c));
		for (row = 0; row < f->nr_rows; row++) {
			if (!has_curve(f, row, c))
				continue;
			ns = figures_median(f, row, column);
			if (isnan(ns))
				fprintf(out, " ?");
			else
				fprintf(out, " %.3f", ns);
		}
		fputc('\n', out);
	}
}

static int draw(const struct curve *c, const char *folder, const char *script)
{
	char set[2 * PATH_MAX];
	int status;
	pid_t pid;

	snprintf(set, sizeof(set),
		 "points='%s/%s.dat'; drawing='%s/%s.svg'; heading='%s'; "
		 "below='%s'",
		 folder, c->name, folder, c->name, c->title, c->x);
	pid = fork();
	if (!pid) {
		execlp("gnuplot", "gnuplot", "-e", set, script, (char *)NULL);
		_exit(127);
	}
	if (pid < 0)
		return -errno;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return -ENOENT;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EIO;
}

static int write_curve(const struct figures *f, const struct curve *c,
		       const char *folder, const char *script)
{
	char path[PATH_MAX];
	FILE *out;
	int err;

	snprintf(path, sizeof(path), "%s/%s.dat", folder, c->name);
	out = fopen(path, "we");
	if (!out)
		return -errno;
	write_points(f, c, out);
	if (fclose(out))
		return -errno;
	err = draw(c, folder, script);
	if (err)
		fprintf(stderr,
			"bench: %s is not drawn: %s; the points are in %s\n",
			c->name,
			err == -ENOENT ? "no gnuplot (Debian: gnuplot-nox)"
				       : "gnuplot failed",
			path);
	else
		printf("drawn: %s/%s.svg\n", folder, c->name);
	return 0;
}

int curves_write(const struct figures *f, const char *folder,
		 const char *script)
{
	int err = 0;

	if (mkdir(folder, 0777) && errno != EEXIST)
		return -errno;
	for (size_t i = 0; !err && i < NR_CURVES; i++)
		if (nr_points(f, &all_curves[i]))
			err = write_curve(f, &all_curves[i], folder, script);
	return err;
}

/* The dearest point against the first one. */
static double growth_of(const struct figures *f, size_t row,
			const struct curve *c)
{
	double first = NAN, most = 0, ns;

	for (size_t column = 0; column < f->nr_columns; column++) {
		ns = figures_median(f, row, column);
		if (point_of(f, column, c) <= 0 || isnan(ns))
			continue;
		if (isnan(first))
			first = ns;
		if (ns > most)
			most = ns;
	}
	return most / first;
}

/* What the row's growth is beyond the bound's at the same point, which reads
 * and writes the same objects: the memory's latency is left out. */
static double growth_beyond(const struct figures *f, size_t row, size_t bound,
			    const struct curve *c)
{
	double first = NAN, most = 0, ratio;

	for (size_t column = 0; column < f->nr_columns; column++) {
		if (point_of(f, column, c) <= 0)
			continue;
		ratio = figures_ratio(f, row, bound, column);
		if (isnan(first))
			first = ratio;
		if (ratio > most)
			most = ratio;
	}
	return most / first;
}

void curves_print(const struct figures *f, FILE *out)
{
	size_t bound = figures_row(f, "bound"), row, i;
	double growth, beyond;

	fprintf(out,
		"\ngrowth: the dearest point against the first; beyond: "
		"the same of the ratio to the\nbound, which leaves the "
		"latency of memory out\n\n%-16s %-9s %7s %7s %7s\n",
		"", "", "growth", "beyond", "at most");
	for (i = 0; i < NR_CURVES; i++) {
		if (nr_points(f, &all_curves[i]) < 2)
			continue;
		for (row = 0; row < f->nr_rows; row++) {
			if (!has_curve(f, row, &all_curves[i]))
				continue;
			growth = growth_of(f, row, &all_curves[i]);
			fprintf(out, "%-16s %-9s %7.2f", f->rows[row]->name,
				all_curves[i].name, growth);
			if (bound == f->nr_rows || row == bound) {
				fputc('\n', out);
				continue;
			}
			beyond = growth_beyond(f, row, bound, &all_curves[i]);
			fprintf(out, " %7.2f", beyond);
			if (all_curves[i].limit > 0 &&
			    f->rows[row]->traits & SLAB)
				fprintf(out, " %7.2f  %s", all_curves[i].limit,
					beyond <= all_curves[i].limit
						? "holds"
						: "MISSED");
			fputc('\n', out);
		}
	}
}
