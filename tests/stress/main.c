/* SPDX-License-Identifier: MIT */
/*
 * tests/stress/main.c - rounds of threads, and what must hold between them
 *
 *	stress --ops=N --threads=N --seed=N [--no-rseq] [--slab-lock] ...
 *
 * Threads live for a round. Between rounds nothing is in progress: then every
 * cache has exactly what we hold in use, and its structures hold.
 */
#define _GNU_SOURCE
#include <slab/debug.h>
#include <slab/report.h>

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../patience.h"
#include "cache/cache.h"
#include "inspect/check.h"
#include "stress.h"

struct options options = { .ops = 1000000, .threads = 4, .rounds = 4 };
struct slab_machine *machine;
struct kind kinds[MAX_KINDS];
unsigned int nr_kinds;
struct worker workers[MAX_WORKERS];
_Thread_local struct worker *me;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- reports: none is expected ---- */
static void put_line(void *arg, const char *line)
{
	fprintf(arg, "%s\n", line);
}

static void sink(void *arg, const struct slab_report *r)
{
	(void)arg;
	/* that memory is short is what limits are for */
	if (r->record == SLAB_RECORD_NOTE)
		return;
	slab_report_print(r, put_line, stderr);
	fail("the library reports damage", NULL, (unsigned long)r->kind, 0);
}

/* ---- caches ---- */
static void add_kind(const char *name, unsigned int size, unsigned int weight,
		     slab_flags_t flags, bool is_kmalloc)
{
	struct kind *k = &kinds[nr_kinds++];

	k->name = name;
	k->size = size;
	k->weight = weight;
	k->is_kmalloc = is_kmalloc;
	k->s = is_kmalloc ? slab_kmalloc_cache(machine, size, GFP_KERNEL) :
			    kmem_cache_create(name, size, NULL,
					      flags | SLAB_NO_MERGE);
	if (!k->s) {
		perror(name);
		exit(2);
	}
}

static void make_kinds(void)
{
	/* few objects a slab: most frees take list_lock; many: few do */
	add_kind("stress-tiny", 16, 10, 0, false);
	add_kind("stress-64", 64, 40, 0, false);
	add_kind("stress-200", 200, 20, 0, false);
	add_kind("stress-page", 4096, 1, 0, false);
	add_kind("stress-large", 20000, 1, 0, false);
	/* without sheaves, and no empty slab is kept: what frees, refills and
	 * discards do to one slab at the same time */
	add_kind("stress-slabs", 128, 3, SLAB_NOLEAKTRACE, false);
	slab_cache_set_min_partial(kinds[nr_kinds - 1].s, 0);
	add_kind("stress-few", 10000, 3, SLAB_NOLEAKTRACE, false);
	slab_cache_set_min_partial(kinds[nr_kinds - 1].s, 0);
	add_kind("stress-typesafe", 96, 5, SLAB_TYPESAFE_BY_RCU, false);
	if (options.debug)
		add_kind("stress-debug", 72, 2, SLAB_DEBUG_DEFAULT_FLAGS,
			 false);
	add_kind("kmalloc", 32, 10, 0, true);
	add_kind("kmalloc", 256, 6, 0, true);
	add_kind("kmalloc", 2048, 1, 0, true);
}

static void open_machine(void)
{
	struct slab_machine_config config = {
		.no_rseq = options.no_rseq,
		.no_cmpxchg_double = options.no_cmpxchg,
		.cpu_full_bytes = options.kept,
		.statistics = options.seed & 1,
	};
	int err = slab_machine_create_native(&config, &machine);

	if (err) {
		fprintf(stderr, "stress: no machine: %s\n", strerror(-err));
		exit(2);
	}
	slab_machine_use(machine);
	slab_machine_add_sink(machine, sink, NULL);
	tokens_init();
	make_kinds();
}

/* ---- rounds ---- */
static void *work(void *arg)
{
	struct worker *w = arg;

	me = w;
	disturb_begin(w);
	operations_run(w, w->quota);
	disturb_end(w);
	me = NULL;
	return NULL;
}

static void check_all(unsigned int round)
{
	unsigned int i;

	/* every other time what rests on CPUs stays there */
	for (i = 0; round % 2 && i < nr_kinds; i++)
		kmem_cache_shrink(kinds[i].s);
	/* slabs of typesafe caches go back then, too; and whoever runs the
	 * callbacks has nothing to do for a while */
	kvfree_rcu_barrier();
	slab_machine_rcu_barrier(machine);
	lock_take(&machine->rcu_lock);
	for (i = 0; i < nr_kinds; i++) {
		const char *broken =
			cache_check_users(kinds[i].s,
					  (unsigned long)kinds[i].live);

		if (!broken)
			continue;
		fprintf(stderr, "stress: %s (%u bytes): %s\n", kinds[i].name,
			kinds[i].size, broken);
		fail("an invariant is broken between rounds", kinds[i].s,
		     (unsigned long)kinds[i].live, 0);
	}
	lock_release(&machine->rcu_lock);
}

static void one_round(unsigned int round, unsigned long ops)
{
	unsigned int i;

	for (i = 0; i < options.threads; i++) {
		struct worker *w = &workers[i];

		w->nr = i;
		w->random.state = options.seed * 1000003 + round * 1009 + i;
		w->handler_random.state = ~w->random.state;
		w->quota = ops / options.threads;
		if (pthread_create(&w->thread, NULL, work, w)) {
			perror("stress: thread");
			exit(2);
		}
	}
	for (i = 0; i < options.threads; i++)
		pthread_join(workers[i].thread, NULL);
	for (i = 0; i < options.threads; i++)
		handled_end(&workers[i]);
}

static unsigned long operations_done(void)
{
	unsigned long sum = 0;
	unsigned int i;

	for (i = 0; i < options.threads; i++)
		sum += atomic_load(&workers[i].done);
	return sum;
}

/* A deadlock is a time without operations. */
static void *watch(void *arg)
{
	unsigned long before = 0, now_done;
	unsigned int still = 0, i;

	(void)arg;
	for (;;) {
		sleep(1);
		now_done = operations_done();
		still = now_done == before ? still + 1 : 0;
		before = now_done;
		if (still < options.patience)
			continue;
		fprintf(stderr, "stress: nothing has moved for %u s; seed %lu\n",
			still, (unsigned long)options.seed);
		for (i = 0; i < options.threads; i++)
			fprintf(stderr, "stress: thread %u after %lu: %s\n", i,
				atomic_load(&workers[i].done),
				workers[i].doing);
		abort();
	}
}

/* ---- the end: nothing is left ---- */
static void close_machine(void)
{
	unsigned long left;
	unsigned int i;

	for (i = 0; i < options.threads; i++)
		operations_end(&workers[i]);
	shared_end();
	check_all(0);
	check_all(1);
	left = tokens_left();
	if (left)
		fail("objects that nobody gave back", NULL, left, 0);
	for (i = 0; i < nr_kinds; i++) {
		int err;

		if (kinds[i].is_kmalloc)
			continue;
		err = kmem_cache_destroy(kinds[i].s);
		if (err)
			fail("objects are left at the end", kinds[i].s,
			     (unsigned long)-err, 0);
	}
	if (slab_machine_reports(machine))
		fail("reports", NULL, slab_machine_reports(machine), 0);
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 0);

	if (*text < '0' || *text > '9' || *end) {
		fprintf(stderr, "stress: \"%s\" is no number\n", text);
		exit(2);
	}
	return n;
}

static void parse(int argc, char **argv)
{
	enum { OPS = 'o', THREADS = 't', ROUNDS = 'r', SEED = 's',
	       SECONDS = 'p', KEPT = 'k', FLAG = 0 };
	static int flag[10];
	static const struct option known[] = {
		{ "ops", required_argument, NULL, OPS },
		{ "threads", required_argument, NULL, THREADS },
		{ "rounds", required_argument, NULL, ROUNDS },
		{ "seed", required_argument, NULL, SEED },
		{ "patience", required_argument, NULL, SECONDS },
		{ "kept", required_argument, NULL, KEPT },
		{ "no-rseq", no_argument, &flag[0], 1 },
		{ "slab-lock", no_argument, &flag[1], 1 },
		{ "debug", no_argument, &flag[2], 1 },
		{ "signals", no_argument, &flag[3], 1 },
		{ "flips", no_argument, &flag[4], 1 },
		{ "forks", no_argument, &flag[5], 1 },
		{ "limits", no_argument, &flag[6], 1 },
		{ "failslab", no_argument, &flag[7], 1 },
		{ "rcu", no_argument, &flag[8], 1 },
		{ "drains", no_argument, &flag[9], 1 },
		{ 0 },
	};
	int c;

	options.seed = (uint64_t)time(NULL);
	options.patience = patience();
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == OPS)
			options.ops = number(optarg);
		else if (c == THREADS)
			options.threads = (unsigned int)number(optarg);
		else if (c == ROUNDS)
			options.rounds = (unsigned int)number(optarg);
		else if (c == SEED)
			options.seed = number(optarg);
		else if (c == SECONDS)
			options.patience = (unsigned int)number(optarg);
		else if (c == KEPT)
			options.kept = number(optarg);
		else if (c != FLAG)
			exit(2);
	}
	options.no_rseq = flag[0];
	options.no_cmpxchg = flag[1];
	options.debug = flag[2];
	options.signals = flag[3];
	options.flips = flag[4];
	options.forks = flag[5];
	options.limits = flag[6];
	options.failslab = flag[7];
	options.rcu = flag[8];
	options.drains = flag[9];
	if (!options.threads || options.threads > MAX_WORKERS ||
	    !options.rounds || optind != argc) {
		fprintf(stderr,
			"stress: 1 to %u threads, at least one round, and no arguments but options\n",
			MAX_WORKERS);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	pthread_t watcher, disturber;
	double began = now(), took;
	unsigned int round;

	parse(argc, argv);
	open_machine();
	printf("stress: seed %lu, %u threads, %lu operations, %s%s\n",
	       (unsigned long)options.seed, options.threads, options.ops,
	       machine->percpu == PERCPU_RSEQ ? "restartable sequences" :
						"try-locks",
	       options.no_cmpxchg ? ", slab_lock" : "");
	fflush(stdout);
	pthread_create(&watcher, NULL, watch, NULL);
	for (round = 0; round < options.rounds; round++) {
		atomic_bool stop = false;

		pthread_create(&disturber, NULL, disturb_machine, &stop);
		one_round(round, options.ops / options.rounds);
		atomic_store(&stop, true);
		pthread_join(disturber, NULL);
		check_all(round);
	}
	close_machine();
	took = now() - began;
	pthread_cancel(watcher);
	pthread_join(watcher, NULL);
	printf("stress: %lu operations in %.1f s (%.1f ns each); %lu from handlers, %lu flips, %lu children, %lu limits or drains; nothing lost, nothing twice\n",
	       operations_done(), took, took / (double)operations_done() * 1e9,
	       nr_handled, nr_flips, nr_forks, nr_limits);
	return 0;
}
