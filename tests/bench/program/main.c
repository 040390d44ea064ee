/* SPDX-License-Identifier: MIT */
/*
 * program/main.c - one allocator, one workload, one figure
 *
 * Prints a JSON object and exits: {"ns": ..., ...}. Who wants several
 * processes, other allocators or a table uses `bench-run`, which starts this.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "workload.h"

struct timing timing = { .ms = 2, .nr_reps = 21 };
static const char *debug, *with;

/* Asked for in builds with AddressSanitizer: what is live at the end is what
 * the workload keeps, in memory where it does not look. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

void die(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

/*
 * Where in a page our arrays begin is left to chance, which --seed decides: a
 * load waits for an older store whose address ends in the same 12 bits, so page
 * starts would punish allocators that have something of theirs there.
 */
static uint64_t placement;

void *harness_memory(size_t bytes)
{
	size_t from = 128 * random_below(&placement, 4096 / 128);
	char *p = mmap(NULL, bytes + from, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED)
		die("no memory for %zu bytes of the harness", bytes);
	return p + from;
}

uint32_t *make_order(size_t n, enum order order, uint64_t *random)
{
	uint32_t *at = harness_memory(n * sizeof(*at)), swap;
	size_t i, k;

	for (i = 0; i < n; i++)
		at[i] = (uint32_t)(order == ORDER_LIFO ? n - 1 - i : i);
	for (i = n; order == ORDER_RANDOM && i > 1; i--) {
		k = random_below(random, i);
		swap = at[i - 1];
		at[i - 1] = at[k];
		at[k] = swap;
	}
	return at;
}

static void usage(FILE *f)
{
	fprintf(f,
		"usage: %s [OPTION...] WORKLOAD\n"
		"  -m, --ms=MS       a pass takes about so long; 2\n"
		"  -r, --reps=N      passes, of which the first quartile "
		"counts; "
		"21\n"
		"  -s, --size=BYTES  of an object; 64\n"
		"  -t, --threads=N   where the workload has several\n"
		"  -c, --cpus=A,B..  thread k runs on the k-th of these\n"
		"  -d, --debug=ZPUF  letters of slab_debug=, where there are "
		"such\n"
		"  -w, --with=WORD   libslab: statistics or no_rseq\n"
		"      --seed=N      of what is random\n"
		"WORKLOAD is a name, a number where it has one, and l, f or r: "
		"W2.4096r\n",
		program_invocation_short_name);
	for (const struct workload *w = single_workloads; w->name; w++)
		fprintf(f, "  %-8s %s\n", w->name, w->brief);
	for (const struct workload *w = thread_workloads; w->name; w++)
		fprintf(f, "  %-8s %s\n", w->name, w->brief);
	fprintf(f, "  %-8s %s\n", "W7", "memory of 1e6 objects of N bytes");
}

static unsigned long number(const char *what, const char *text,
			    unsigned long low, unsigned long high)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || n < low || n > high)
		die("%s: '%s' is no number from %lu to %lu", what, text, low,
		    high);
	return n;
}

static void parse_cpus(char *list)
{
	char *at;

	while ((at = strsep(&list, ","))) {
		if (timing.nr_cpus == MAX_CPUS)
			die("--cpus: more than %d", MAX_CPUS);
		timing.cpus[timing.nr_cpus++] =
			(unsigned int)number("--cpus", at, 0, CPU_SETSIZE - 1);
	}
}

static const struct workload *find(const struct workload *w, const char *name,
				   size_t length)
{
	while (w->name && (strlen(w->name) != length ||
			   strncmp(w->name, name, length) != 0))
		w++;
	return w->name ? w : NULL;
}

/* NAME[.N][l|f|r]; W7 is found here, too: it has a size and no loop. */
static void parse_workload(const char *text, struct run *run)
{
	static const struct workload memory = {
		.name = "W7",
		.default_n = 64,
		.max_n = 4096,
		.nr_threads = 1,
	};
	size_t length = strcspn(text, ".");
	const struct workload *w;
	char *n, last;

	w = find(single_workloads, text, length);
	if (!w)
		w = find(thread_workloads, text, length);
	if (!w && length == 2 && !strncmp(text, "W7", 2))
		w = &memory;
	if (!w)
		die("no workload '%s'; --help lists them", text);
	run->workload = w;
	run->n = w->default_n;
	run->nr_threads = w->n_is_threads ? 1 : w->nr_threads;
	if (!text[length])
		return;
	if (!w->max_n)
		die("%s takes no number: '%s'", w->name, text);
	n = strdup(text + length + 1);
	last = *n ? n[strlen(n) - 1] : 0;
	if (last == 'l' || last == 'f' || last == 'r') {
		run->order = last == 'l'   ? ORDER_LIFO
			     : last == 'f' ? ORDER_FIFO
					   : ORDER_RANDOM;
		n[strlen(n) - 1] = 0;
	}
	run->n = number(text, n, 1, w->max_n);
	if (w->n_is_threads)
		run->nr_threads = (unsigned int)run->n;
	free(n);
}

static void open_pools(struct run *run)
{
	struct pool_request request = {
		.size = run->size,
		.nr_live = 1,
		.nr_pools = 1,
		.debug = debug,
		.with = with,
	};

	if (!strcmp(run->workload->name, "caches"))
		request.nr_pools = (unsigned int)run->n;
	if (run->workload->nr_live)
		request.nr_live = run->workload->nr_live(run);
	run->nr_pools = request.nr_pools;
	run->pools = harness_memory(run->nr_pools * sizeof(*run->pools));
	for (unsigned int i = 0; i < run->nr_pools; i++)
		run->pools[i] = pool_open(&request);
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "ms", required_argument, NULL, 'm' },
		{ "reps", required_argument, NULL, 'r' },
		{ "size", required_argument, NULL, 's' },
		{ "threads", required_argument, NULL, 't' },
		{ "cpus", required_argument, NULL, 'c' },
		{ "debug", required_argument, NULL, 'd' },
		{ "with", required_argument, NULL, 'w' },
		{ "seed", required_argument, NULL, 'S' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct run run = { .size = 64, .seed = 1 };
	unsigned int nr_threads = 0;
	int c;

	while ((c = getopt_long(argc, argv, "m:r:s:t:c:d:w:h", names, NULL)) >=
	       0)
		switch (c) {
		case 'm':
			timing.ms = (double)number("--ms", optarg, 1, 10000);
			break;
		case 'r':
			timing.nr_reps = (unsigned int)number("--reps", optarg,
							      1, MAX_REPS);
			break;
		case 's':
			run.size = number("--size", optarg, 8, 1U << 16);
			break;
		case 't':
			nr_threads = (unsigned int)number("--threads", optarg,
							  1, MAX_THREADS);
			break;
		case 'c':
			parse_cpus(optarg);
			break;
		case 'd':
			debug = optarg;
			break;
		case 'w':
			with = optarg;
			break;
		case 'S':
			run.seed = (unsigned int)number("--seed", optarg, 0,
							UINT32_MAX);
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	if (argc - optind != 1) {
		usage(stderr);
		return 2;
	}
	parse_workload(argv[optind], &run);
	if (nr_threads && run.workload->nr_threads < 2)
		die("%s takes no --threads", run.workload->name);
	if (nr_threads && run.workload->is_one_lane && nr_threads != 2)
		die("%s has two threads", run.workload->name);
	if (nr_threads)
		run.nr_threads = nr_threads;
	placement = run.seed;
	pool_start();
	pin(0);
	if (!run.workload->loop) {
		run.size = run.n;
		measure_memory(&run);
	}
	open_pools(&run);
	if (run.workload->prepare)
		run.workload->prepare(&run);
	measure(&run);
	return 0;
}
