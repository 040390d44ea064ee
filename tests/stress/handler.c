/* SPDX-License-Identifier: MIT */
/*
 * tests/stress/handler.c - kmalloc_nolock() and kfree_nolock() in a handler
 * that interrupts every phase of every other path
 *
 * Each path runs twice: with a signal after each instruction (stepper.h), and
 * with one at each of the library's points, on any CPU. Who waited for a lock
 * would wait for itself: an alarm says where. Afterwards nothing is lost.
 *
 *	handler [--no-rseq] [--debug] [--all] [--only=PATH]
 *
 * --debug: kmalloc's caches are FZPU. --all: each instruction of loops, too.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <slab/debug.h>
#include <slab/event.h>
#include <slab/kmalloc.h>
#include <slab/machine.h>
#include <slab/sheaf.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../patience.h"
#include "base/bits.h"
#include "base/random.h"
#include "cache/cache.h"
#include "inspect/check.h"
#include "stepper.h"

/* sheaves of 4: waves of HELD are more than they and the barn have, and reach
 * the slabs */
#define SIZE	 4096U
#define MANY	 75U
#define FEW	 15U /* 7 does not divide it */
#define HELD	 100U
#define WORDS	 8U

static struct slab_machine *m;
static struct kmem_cache *s; /* kmalloc's of SIZE: the handler's, too */
static void *many[MANY];

/* ---- the handler ---- */
static uint64_t *held[HELD];
static unsigned long runs, got, none, given;
static unsigned int next;
static volatile bool is_handling;
static struct random chance;

static void fill(uint64_t *p)
{
	unsigned int i;

	for (i = 0; i < WORDS; i++)
		p[i * SIZE / 8 / WORDS] = (uintptr_t)p ^ i;
}

static void check(const uint64_t *p)
{
	unsigned int i;

	for (i = 0; i < WORDS; i++) {
		uint64_t found = p[i * SIZE / 8 / WORDS];

		if (found == ((uintptr_t)p ^ i))
			continue;
		fprintf(stderr, "handler: %p, found %#lx, wanted %#lx\n",
			(const void *)p, (unsigned long)found,
			(unsigned long)((uintptr_t)p ^ i));
		abort();
	}
}

/* Waves of frees and allocations, so that sheaves run full and dry in it. */
static void in_between(void)
{
	unsigned int at;
	bool frees;

	runs++;
	/* at each instruction more is deferred than can be freed in between */
	if (__atomic_load_n(&m->nr_deferred[0], __ATOMIC_RELAXED) > 30)
		return;
	at = next++ % HELD;
	frees = next / HELD % 2;
	if (frees && held[at]) {
		check(held[at]);
		kfree_nolock(held[at]);
		held[at] = NULL;
		given++;
	} else if (!held[at]) {
		held[at] = kmalloc_nolock(SIZE, 0, NUMA_NO_NODE);
		if (!held[at]) {
			none++;
			return;
		}
		got++;
		fill(held[at]);
	}
}

static void between_steps(void)
{
	is_handling = true;
	in_between();
	is_handling = false;
}

static void on_signal(int signal)
{
	int saved = errno;

	(void)signal;
	is_handling = true;
	in_between();
	is_handling = false;
	errno = saved;
}

/* ---- the paths ---- */

/* Before the path, undisturbed: full and empty sheaves here and there. */
static void alloc_many(void)
{
	unsigned int i;

	for (i = 0; i < MANY; i++) {
		many[i] = kmem_cache_alloc(s, GFP_KERNEL);
		assert_non_null(many[i]);
		*(void **)many[i] = many[i];
	}
}

static void free_from(unsigned int i)
{
	for (; i < MANY; i++) {
		if (!many[i])
			continue;
		assert_ptr_equal(*(void **)many[i], many[i]);
		kmem_cache_free(s, many[i]);
		many[i] = NULL;
	}
}

static void free_some(void)
{
	alloc_many();
	free_from(FEW);
}

static void alloc_few(void)
{
	unsigned int i;

	for (i = MANY - FEW; i < MANY; i++)
		many[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (i = MANY - FEW; i < MANY; i++)
		if (many[i])
			*(void **)many[i] = many[i];
}

/* Sheaves and barn are full: objects go to their slabs. */
static void free_few(void)
{
	free_from(0);
}

/* Slabs fill up and empty out of order. */
static void free_in_a_mess(void)
{
	unsigned int i, at;

	for (i = 0; i < FEW; i++) {
		at = i * 7 % FEW;
		if (many[at])
			kmem_cache_free(s, many[at]);
		many[at] = NULL;
	}
}

static void in_bulk(void)
{
	void *p[FEW];
	int n = kmem_cache_alloc_bulk(s, GFP_KERNEL, FEW, p);

	if (n)
		kmem_cache_free_bulk(s, (size_t)n, p);
}

static void borrowed(void)
{
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 3);
	void *p;

	if (!sheaf)
		return;
	p = kmem_cache_alloc_from_sheaf(s, GFP_KERNEL, sheaf);
	kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf, 9);
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
	kmem_cache_free(s, p);
}

static void shrunk(void)
{
	kmem_cache_shrink(s);
}

static void flushed(void)
{
	slab_cache_flush_cpu(m, s);
	slab_cache_flush_all(m, s);
}

static void trimmed(void)
{
	slab_machine_trim(m);
}

static void made_and_destroyed(void)
{
	struct kmem_cache *other = kmem_cache_create("other", 500, NULL,
						     SLAB_NO_MERGE);
	void *p[3];
	unsigned int i;

	assert_non_null(other);
	for (i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = kmem_cache_alloc(other, GFP_KERNEL);
	for (i = 0; i < ARRAY_SIZE(p); i++)
		kmem_cache_free(other, p[i]);
	assert_int_equal(kmem_cache_destroy(other), 0);
}

static void after_grace(void)
{
	unsigned int i;

	for (i = 0; i < FEW; i++) {
		kfree_rcu(many[i], rcu);
		many[i] = NULL;
	}
	kvfree_rcu_barrier();
}

static void validated(void)
{
	validate_slab_cache(s);
}

static struct kmem_cache *debugged;

static void make_debugged(void)
{
	debugged = kmem_cache_create("debugged", 100, NULL,
				     SLAB_DEBUG_DEFAULT_FLAGS);
	assert_non_null(debugged);
}

static void debug_alloc_and_free(void)
{
	void *p[3];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = kmem_cache_alloc(debugged, GFP_KERNEL);
	for (i = 0; i < ARRAY_SIZE(p); i++)
		kmem_cache_free(debugged, p[i]);
	assert_int_equal(kmem_cache_destroy(debugged), 0);
}

/* A red zone that was hit: a report, its stack and a repair. */
static void reported(void)
{
	unsigned int before = slab_machine_reports(m);
	uint8_t *p = kmem_cache_alloc(debugged, GFP_KERNEL);

	p[100] = 1;
	kmem_cache_free(debugged, p);
	assert_int_equal(slab_machine_reports(m), before + 1);
	/* the object is lost, as it should be */
	assert_int_equal(kmem_cache_destroy(debugged), -EBUSY);
}

static void resized(void)
{
	char *p = kmalloc(SIZE, GFP_KERNEL);

	p = krealloc(p, 2 * SIZE, GFP_KERNEL);
	p = krealloc(p, 30000, GFP_KERNEL);
	kfree(p);
}

/* Nothing of malloc's is used, so it may be what was interrupted. */
static void not_ours(void)
{
	void *p[10];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = malloc(1000 * i);
	/* compilers know what malloc is, and leave out what nobody sees */
	__asm__ volatile("" : : "r"(p) : "memory");
	for (i = 0; i < ARRAY_SIZE(p); i++)
		free(p[i]);
}

static const struct path {
	const char *name;
	void (*before)(void); /* NULL: everything is empty */
	void (*run)(void);
	bool has_company; /* RCU's thread has work then */
} paths[] = {
	{ "alloc_from_nothing", NULL, alloc_few, false },
	{ "alloc_from_sheaves", free_some, alloc_few, false },
	{ "free_to_sheaves", alloc_many, free_few, false },
	{ "free_to_slabs", free_some, free_in_a_mess, false },
	{ "bulk", NULL, in_bulk, false },
	{ "bulk_with_sheaves", free_some, in_bulk, false },
	{ "borrowed_sheaves", NULL, borrowed, false },
	{ "shrink", free_some, shrunk, false },
	{ "flush", free_some, flushed, false },
	{ "trim", free_some, trimmed, true },
	{ "create_and_destroy", NULL, made_and_destroyed, true },
	{ "kfree_rcu", alloc_many, after_grace, true },
	{ "validate", free_some, validated, false },
	{ "debug_cache", make_debugged, debug_alloc_and_free, true },
	{ "report", make_debugged, reported, true },
	{ "krealloc", NULL, resized, false },
	{ "malloc", NULL, not_ours, false },
};

/* ---- a run ---- */
static unsigned long budget = 300;
static unsigned int nr_unexpected;
static const char *volatile path_name = "none";
static const char *volatile point_name = "none";

static unsigned int still_seconds; /* without a step */

static void on_alarm(int signal)
{
	static unsigned long before;
	unsigned long now = stepper_steps() + runs;
	char text[200];
	int n = snprintf(text, sizeof(text),
			 "handler: DEADLOCK in \"%s\", last at point %s, step %lu: a handler waits for what it interrupted\n",
			 path_name, point_name, stepper_steps());

	(void)signal;
	if (now != before) {
		before = now;
		alarm(still_seconds);
		return;
	}
	if (write(2, text, (size_t)n) < 0)
		_exit(3);
	abort();
}

/* RCU's thread passes points, too. */
static _Thread_local bool is_interrupted;
static unsigned int seen[SLAB_NR_POINTS];

static void at_point(void *arg, enum slab_point_kind point)
{
	(void)arg;
	/* its own points are no phase of another path */
	if (!is_interrupted || is_handling)
		return;
	seen[point]++;
	point_name = slab_point_name(point);
	raise(SIGUSR1);
}

static void note_point(void *arg, enum slab_point_kind point)
{
	(void)arg;
	if (!is_interrupted || is_handling)
		return;
	seen[point]++;
	point_name = slab_point_name(point);
	/* paths that go over all caches do the same again and again */
	if (stepper_steps() < 10000 || !random_below(&chance, 12))
		stepper_again();
}

/* What is held by now is all that is in use. */
static const char *only_held_are_in_use(void)
{
	unsigned long held_of_s = 0;
	const char *broken;
	unsigned int i;

	for (i = 0; i < HELD; i++) {
		if (!held[i])
			continue;
		check(held[i]);
		/* the next larger class serves when this one is busy */
		held_of_s += virt_to_slab(m, held[i])->slab_cache == s;
	}
	kvfree_rcu_barrier();
	kmem_cache_shrink(s); /* what was deferred goes home, too */
	lock_take(&m->rcu_lock); /* RCU's thread has nothing to do for now */
	broken = cache_check_users(s, held_of_s);
	lock_release(&m->rcu_lock);
	return broken;
}

static void nothing_is_lost(const struct path *path)
{
	const char *broken, *then_broken;
	unsigned int i;

	free_from(0);
	broken = only_held_are_in_use();
	for (i = 0; i < HELD; i++) {
		kfree_nolock(held[i]);
		held[i] = NULL;
	}
	then_broken = only_held_are_in_use();
	if (nr_unexpected)
		fail_msg("%s: %u reports of damage", path->name, nr_unexpected);
	if (broken || then_broken)
		fail_msg("%s: with objects held: %s; all freed: %s",
			 path->name, broken ? broken : "fine",
			 then_broken ? then_broken : "fine");
}

static void count_runs(void)
{
	runs = got = none = given = 0;
}

static void say(const struct path *path, const char *how)
{
	print_message("%-20s %-18s %7lu runs, %lu objects got, %lu times none, %lu freed\n",
		      path->name, how, runs, got, none, given);
}

static void after_each_instruction(void **state)
{
	const struct path *path = *state;

	if (!stepper_init(between_steps))
		skip();
	path_name = path->name;
	count_runs();
	if (path->before)
		path->before();
	slab_machine_set_point_hook(m, note_point, NULL);
	alarm(still_seconds);
	stepper_start(path->run == not_ours ? 0 : budget, !path->has_company);
	path->run();
	stepper_stop();
	alarm(0);
	slab_machine_set_point_hook(m, NULL, NULL);
	say(path, "each instruction");
	nothing_is_lost(path);
	/* it did step, and got some */
	assert_true(runs > 100);
	assert_true(got > 0);
}

static void at_each_point(void **state)
{
	const struct path *path = *state;

	path_name = path->name;
	count_runs();
	if (path->before)
		path->before();
	slab_machine_set_point_hook(m, at_point, NULL);
	alarm(still_seconds);
	path->run();
	alarm(0);
	slab_machine_set_point_hook(m, NULL, NULL);
	if (path->run != not_ours)
		say(path, "each point");
	nothing_is_lost(path);
}

/* One is planted; others are findings. */
static void count_reports(void *arg, const struct slab_report *r)
{
	(void)arg;
	if (r->record != SLAB_RECORD_REPORT ||
	    r->kind == SLAB_REPORT_RIGHT_REDZONE ||
	    r->kind == SLAB_REPORT_STILL_OBJECTS ||
	    r->kind == SLAB_REPORT_REMAINING)
		return;
	fprintf(stderr, "handler: in \"%s\" at %s: %s: %s\n", path_name,
		point_name, r->cache, r->text);
	nr_unexpected++;
}

static void open_machine(int argc, char **argv)
{
	/* a red zone is hit on purpose, which is for our own checks to see */
	struct slab_machine_config config = { .cpu_full_bytes = 1,
					      .cpus_full_bytes = 1,
					      .asan_off = true };
	struct sigaction action = { .sa_handler = on_signal };
	int i;

	for (i = 1; i < argc; i++) {
		config.no_rseq |= !strcmp(argv[i], "--no-rseq");
		if (!strncmp(argv[i], "--only=", 7))
			cmocka_set_test_filter(argv[i] + 7);
		if (!strcmp(argv[i], "--all"))
			budget = 0;
		if (!strcmp(argv[i], "--debug"))
			config.slab_debug = "FZPU";
	}
	if (slab_machine_create_native(&config, &m)) {
		fprintf(stderr, "handler: no machine\n");
		exit(2);
	}
	slab_machine_use(m);
	slab_machine_add_sink(m, count_reports, NULL);
	s = slab_kmalloc_cache(m, SIZE, GFP_KERNEL);
	/* threads that the library starts are started with signals blocked,
	 * and a trap that is blocked kills */
	kfree_rcu(kmalloc(SIZE, GFP_KERNEL), rcu);
	kvfree_rcu_barrier();
	sigaction(SIGUSR1, &action, NULL);
	action.sa_handler = on_alarm;
	sigaction(SIGALRM, &action, NULL);
}

static const char *name_of(const struct path *path, const char *how)
{
	static char names[2 * ARRAY_SIZE(paths)][60];
	static unsigned int nr;

	snprintf(names[nr], sizeof(names[nr]), "%s_%s", path->name, how);
	return names[nr++];
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[2 * ARRAY_SIZE(paths)] = { 0 };
	unsigned int i;

	is_interrupted = true;
	still_seconds = patience() / 2;
	open_machine(argc, argv);
	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		tests[2 * i] = (struct CMUnitTest){
			.name = name_of(&paths[i], "after_each_instruction"),
			.test_func = after_each_instruction,
			.initial_state = (void *)&paths[i],
		};
		tests[2 * i + 1] = tests[2 * i];
		tests[2 * i + 1].name = name_of(&paths[i], "at_each_point");
		tests[2 * i + 1].test_func = at_each_point;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
