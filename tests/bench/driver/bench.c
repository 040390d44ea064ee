/* SPDX-License-Identifier: MIT */
/*
 * driver/bench.c - runs every row on every workload, and says how they compare
 *
 * Each sample is a process of its own. A round runs workload after workload,
 * and in each the rows once, shuffled; README.md says how to read what comes
 * out. Exit: 0, 1 when a sample failed, 2 when it was called wrongly. A target
 * that is missed is a finding, and no failure of this program.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "output.h"
#include "sample.h"

static const struct suite {
	const char *name, *brief, *columns, *rows;
	unsigned int nr_rounds;
} suites[] = {
	{ "all", "every allocator, every workload",
	  "W1,W2.32,W2.4096r,W3,W4,W5,W6.256r,W8.32,W7.64,W7.200", NULL, 15 },
	{ "debug", "caches with debugging", "W1",
	  "glibc,slab-inline,slab-Z,slab-P,slab-ZP,slab-ZPU,slab-ZPU-unwind,"
	  "slab-FZPU,walk",
	  15 },
	{ "growth", "more threads, caches, live objects",
	  "threads.1,threads.2,threads.3,threads.4,threads.6,threads.8,"
	  "caches.1,caches.3,caches.10,caches.30,caches.100,caches.300,"
	  "caches.1000,"
	  "live.1000,live.10000,live.100000,live.1000000,live.10000000,"
	  "W3.1000,W3.10000,W3.100000,W3.1000000,W3.10000000",
	  "glibc,jemalloc,gperftools,mimalloc,bound,slab-inline,slab-shared",
	  5 },
};
#define NR_SUITES (sizeof(suites) / sizeof(suites[0]))

struct options {
	const struct suite *suite;
	const char *columns, *rows, *json, *curves, *script;
	unsigned int nr_rounds;
	bool is_quiet;
	struct sampler sampler;
};

static _Noreturn __attribute__((format(printf, 1, 2))) void
wrong(const char *format, ...)
{
	va_list args;

	fputs("bench: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

static void usage(FILE *f)
{
	fprintf(f,
		"usage: bench-run [OPTION...] [SUITE]\n"
		"  -n, --rounds=N        samples of each; also BENCH_ROUNDS=N\n"
		"  -w, --workloads=A,B.. instead of the suite's\n"
		"  -r, --rows=A,B..      instead of the suite's\n"
		"  -j, --json=FILE       the figures, each sample too\n"
		"  -g, --curves=FOLDER   points and drawings of what grows\n"
		"  -c, --cpus=A[,B]      where threads stay; the first two\n"
		"  -m, --ms=N, -p, --reps=N   as the programs take them\n"
		"  -q, --quiet           say nothing while it runs\n"
		"      --programs=FOLDER where bench-* are\n"
		"      --script=FILE     gnuplot's, for --curves\n");
	for (size_t i = 0; i < NR_SUITES; i++)
		fprintf(f, "suite %-8s %s (%u rounds)\n", suites[i].name,
			suites[i].brief, suites[i].nr_rounds);
	for (const struct row *row = all_rows; row->name; row++)
		fprintf(f, "row %-16s %s\n", row->name, row->what);
	fprintf(f, "workloads: bench-glibc --help\n");
}

static unsigned int number(const char *what, const char *text,
			   unsigned long low, unsigned long high)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || n < low || n > high)
		wrong("%s: '%s' is no number from %lu to %lu", what, text, low,
		      high);
	return (unsigned int)n;
}

static void parse_cpus(struct sampler *s, const char *text)
{
	char *list = strdup(text), *at = list, *one;

	s->nr_cpus = 0;
	while (at && (one = strsep(&at, ","))) {
		if (s->nr_cpus == 2)
			wrong("--cpus: '%s' is more than two", text);
		s->cpus[s->nr_cpus++] =
			number("--cpus", one, 0, CPU_SETSIZE - 1);
	}
	free(list);
}

static void first_cpus(struct sampler *s)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return;
	for (unsigned int i = 0; i < CPU_SETSIZE && s->nr_cpus < 2; i++)
		if (CPU_ISSET(i, &set))
			s->cpus[s->nr_cpus++] = i;
}

static const struct row *row_named(const char *name)
{
	const struct row *row = all_rows;

	while (row->name && strcmp(row->name, name) != 0)
		row++;
	if (!row->name)
		wrong("no row '%s'; --help lists them", name);
	return row;
}

/* A row that was not built is left out, and said once. */
static void add_row(struct figures *f, const struct sampler *s,
		    const struct row *row)
{
	if (sample_has(s, row))
		f->rows[f->nr_rows++] = row;
	else
		fprintf(stderr, "bench: no %s%s%s%s\n", row->name,
			*row->package ? " (" : "", row->package,
			*row->package ? ")" : "");
}

static void choose_rows(struct figures *f, const struct options *o)
{
	char *list = o->rows ? strdup(o->rows) : NULL, *at = list, *one;
	const struct row *row;

	for (row = all_rows; !list && row->name; row++)
		if (!(row->traits & DEBUG))
			add_row(f, &o->sampler, row);
	while (at && (one = strsep(&at, ",")))
		add_row(f, &o->sampler, row_named(one));
	free(list);
	if (!f->nr_rows)
		wrong("no program is there: build the target bench");
}

/* The list stays: columns point into it. */
static void choose_columns(struct figures *f, char *list)
{
	char *one;

	while ((one = strsep(&list, ","))) {
		if (f->nr_columns == MAX_COLUMNS)
			wrong("more than %d workloads", MAX_COLUMNS);
		f->columns[f->nr_columns++] = one;
	}
}

static void shuffle(size_t *order, size_t nr, uint64_t *random)
{
	size_t i, k, swap;

	for (i = 0; i < nr; i++)
		order[i] = i;
	for (i = nr; i > 1; i--) {
		*random = *random * 6364136223846793005U + 1442695040888963407U;
		k = (size_t)((*random >> 33) % i);
		swap = order[i - 1];
		order[i - 1] = order[k];
		order[k] = swap;
	}
}

/* A program that cannot do it will not learn: once is enough. */
static bool take(struct figures *f, const struct sampler *s, size_t row,
		 size_t column, unsigned int round)
{
	return !sample_take(s, f->rows[row], f->columns[column], round,
			    &figures_of(f, row, column)[round],
			    f->memory[row][column]);
}

static bool run_round(struct figures *f, const struct sampler *s,
		      unsigned int round, bool failed[MAX_ROWS][MAX_COLUMNS])
{
	static uint64_t random = 1;
	size_t order[MAX_ROWS], column, i;
	bool all_ran = true;

	for (column = 0; column < f->nr_columns; column++) {
		if (round && column_is_memory(f->columns[column]))
			continue;
		shuffle(order, f->nr_rows, &random);
		for (i = 0; i < f->nr_rows; i++) {
			size_t row = order[i];

			if (failed[row][column] ||
			    !row_can_run(f->rows[row], f->columns[column]))
				continue;
			failed[row][column] = !take(f, s, row, column, round);
			all_ran = all_ran && !failed[row][column];
		}
	}
	return all_ran;
}

static bool run_all(struct figures *f, const struct options *o)
{
	static bool failed[MAX_ROWS][MAX_COLUMNS];
	bool all_ran = true;
	double load = 0;
	unsigned int round;

	if (!o->is_quiet && getloadavg(&load, 1) == 1 && load > 0.5)
		fprintf(stderr,
			"bench: the host is busy (load %.2f): figures "
			"are worth little\n",
			load);
	for (round = 0; round < f->nr_rounds; round++) {
		if (!o->is_quiet)
			fprintf(stderr, "\rround %u of %zu ", round + 1,
				f->nr_rounds);
		all_ran = run_round(f, &o->sampler, round, failed) && all_ran;
	}
	if (!o->is_quiet)
		fputs("\r                    \r", stderr);
	return all_ran;
}

static void report(const struct figures *f, const struct options *o)
{
	int err;

	if (strcmp(BENCH_BUILD_TYPE, "Release") != 0)
		printf("Built as %s: only CMAKE_BUILD_TYPE=Release says what "
		       "the library costs.\n\n",
		       *BENCH_BUILD_TYPE ? BENCH_BUILD_TYPE : "nothing named");
	table_print(f, stdout);
	if (o->curves) {
		curves_print(f, stdout);
		err = curves_write(f, o->curves, o->script);
		if (err)
			wrong("%s: %s", o->curves, strerror(-err));
	}
	if (!o->json)
		return;
	err = record_write(f, o->json);
	if (err)
		wrong("%s: %s", o->json, strerror(-err));
	printf("\nall samples: %s\n", o->json);
}

static const struct suite *suite_named(const char *name)
{
	for (size_t i = 0; i < NR_SUITES; i++)
		if (!strcmp(suites[i].name, name))
			return &suites[i];
	wrong("no suite '%s'; --help lists them", name);
}

static void parse(struct options *o, int argc, char **argv)
{
	static const struct option names[] = {
		{ "rounds", required_argument, NULL, 'n' },
		{ "workloads", required_argument, NULL, 'w' },
		{ "rows", required_argument, NULL, 'r' },
		{ "json", required_argument, NULL, 'j' },
		{ "curves", required_argument, NULL, 'g' },
		{ "cpus", required_argument, NULL, 'c' },
		{ "ms", required_argument, NULL, 'm' },
		{ "reps", required_argument, NULL, 'p' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "programs", required_argument, NULL, 'P' },
		{ "script", required_argument, NULL, 'S' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *rounds = getenv("BENCH_ROUNDS");
	int c;

	while ((c = getopt_long(argc, argv, "n:w:r:j:g:c:m:p:qh", names,
				NULL)) >= 0)
		switch (c) {
		case 'n':
			rounds = optarg;
			break;
		case 'w':
			o->columns = optarg;
			break;
		case 'r':
			o->rows = optarg;
			break;
		case 'j':
			o->json = optarg;
			break;
		case 'g':
			o->curves = optarg;
			break;
		case 'c':
			parse_cpus(&o->sampler, optarg);
			break;
		case 'm':
			o->sampler.ms = number("--ms", optarg, 1, 10000);
			break;
		case 'p':
			o->sampler.reps = number("--reps", optarg, 1, 1000);
			break;
		case 'q':
			o->is_quiet = true;
			break;
		case 'P':
			o->sampler.programs = optarg;
			break;
		case 'S':
			o->script = optarg;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			usage(stderr);
			exit(2);
		}
	if (argc - optind > 1)
		wrong("one suite, not '%s' as well", argv[optind + 1]);
	o->suite = suite_named(optind < argc ? argv[optind] : "all");
	o->nr_rounds = o->suite->nr_rounds;
	if (rounds && *rounds)
		o->nr_rounds = number("--rounds", rounds, 1, 10000);
	if (!o->columns)
		o->columns = o->suite->columns;
	if (!o->rows)
		o->rows = o->suite->rows;
	if (!o->sampler.nr_cpus)
		first_cpus(&o->sampler);
}

/* Programs are beside this one, whatever folder it was called from. */
static const char *own_folder(void)
{
	static char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	path[length > 0 ? length : 0] = 0;
	slash = strrchr(path, '/');
	if (slash)
		*slash = 0;
	return slash ? path : ".";
}

int main(int argc, char **argv)
{
	struct options o = { .script = BENCH_SCRIPT,
			     .sampler = { .programs = own_folder() } };
	static struct figures f;
	char *columns;
	bool all_ran;

	parse(&o, argc, argv);
	columns = strdup(o.columns);
	choose_rows(&f, &o);
	choose_columns(&f, columns);
	f.nr_rounds = o.nr_rounds;
	if (figures_init(&f))
		wrong("out of memory");
	all_ran = run_all(&f, &o);
	report(&f, &o);
	figures_fini(&f);
	free(columns);
	return all_ran ? 0 : 1;
}
