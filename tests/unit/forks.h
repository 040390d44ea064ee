/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/forks.h - threads that do things of each kind, and a child of
 * fork() that checks what it got and goes on
 */
#ifndef TESTS_UNIT_FORKS_H
#define TESTS_UNIT_FORKS_H

#include "native.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cache/cache.h"
#include "inspect/check.h"
#include "slab/cpu.h"

#define FORKS 30U

/* What a fork waits for a grace period that is under way: a child of one that
 * took longer knows that none will ever end there. */
#define FORK_WAIT_MS 100U

static struct kmem_cache *shared, *typesafe, *debug;

/* ThreadSanitizer stops a child of many threads that makes one. */
#if defined(__SANITIZE_THREAD__)
const char *__tsan_default_options(void);

const char *__tsan_default_options(void)
{
	return "die_after_fork=0";
}
#endif

/* ---- what threads do meanwhile ---- */
static inline void *plain_work(void *arg)
{
	size_t rounds = 0;
	void *p[200];

	while (!over()) {
		unsigned int i;

		for (i = 0; i < 200; i++) {
			p[i] = kmem_cache_alloc(shared, GFP_KERNEL);
			*(size_t *)p[i] = (size_t)arg;
		}
		/* 77 and 200 share no factor: each one, in another order */
		for (i = 0; i < 200; i++) {
			void *object = p[i * 77 % 200];

			if (!object || *(size_t *)object != (size_t)arg)
				abort();
			kmem_cache_free(shared, object);
		}
		kfree(kmalloc(rounds % 3000 + 1, GFP_KERNEL));
		rounds++;
	}
	return (void *)rounds;
}

/* Straight to and from slabs: pushes and chains without a lock. */
static inline void *slab_work(void *arg)
{
	size_t rounds = 0;
	void *p[300];

	(void)arg;
	while (!over()) {
		if (!kmem_cache_alloc_bulk(shared, GFP_KERNEL, 300, p))
			abort();
		kmem_cache_free_bulk(shared, 300, p);
		if (rounds++ % 8 == 0)
			slab_cache_flush_cpu(m, shared);
		if (rounds % 32 == 0)
			kmem_cache_shrink(shared);
	}
	return (void *)rounds;
}

static inline void *rcu_work(void *arg)
{
	size_t rounds = 0;

	(void)arg;
	while (!over()) {
		unsigned int i;

		for (i = 0; i < 100; i++) {
			kfree_rcu(kmem_cache_alloc(shared, GFP_KERNEL));
			kmem_cache_free(typesafe,
					kmem_cache_alloc(typesafe, GFP_KERNEL));
		}
		kfree_rcu(kmem_cache_alloc(debug, GFP_KERNEL));
		if (rounds++ % 16 == 0) {
			kmem_cache_shrink(typesafe);
			kvfree_rcu_barrier();
		}
	}
	return (void *)rounds;
}

static inline void *cache_work(void *arg)
{
	size_t rounds = 0;

	while (!over()) {
		char name[32];
		struct kmem_cache *s;
		void *object;

		snprintf(name, sizeof(name), "t%zu", (size_t)arg);
		s = kmem_cache_create(name, 200, NULL, SLAB_NO_MERGE);
		if (!s)
			abort();
		object = kmem_cache_alloc(s, GFP_KERNEL);
		if (rounds & 1)
			kfree_rcu(object);
		else
			kmem_cache_free(s, object);
		if (kmem_cache_destroy(s))
			abort();
		rounds++;
	}
	return (void *)rounds;
}

static inline void *debug_work(void *arg)
{
	size_t rounds = 0;

	(void)arg;
	while (!over()) {
		void *object = kmem_cache_alloc(debug, GFP_KERNEL);

		memset(object, 0x11, 100);
		kmem_cache_free(debug, object);
		rounds++;
	}
	return (void *)rounds;
}

/* ---- what a child does ---- */

/* The number of a step that went wrong is its exit status. */
#define MUST(step, condition)                                         \
	do {                                                          \
		if (!(condition)) {                                   \
			fprintf(stderr, "child, step %d: %s\n", step, \
				#condition);                          \
			_exit(step);                                  \
		}                                                     \
	} while (0)

static inline void is_sound(int step, struct kmem_cache *s)
{
	const char *broken = cache_check(s);

	if (!broken)
		return;
	fprintf(stderr, "child, step %d: %s: %s\n", step, s->name, broken);
	_exit(step);
}

static inline int by_address(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;

	return (x > y) - (x < y);
}

/* All distinct, all writable, all come back. */
static inline void use(int step, struct kmem_cache *s)
{
	static void *p[5000];
	unsigned int i;

	for (i = 0; i < 5000; i++) {
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
		MUST(step, p[i]);
		memset(p[i], (int)i, s->object_size);
	}
	qsort(p, 5000, sizeof(*p), by_address);
	for (i = 1; i < 5000; i++)
		MUST(step,
		     (char *)p[i] - (char *)p[i - 1] >= (ptrdiff_t)s->size);
	for (i = 0; i < 5000; i++)
		if (i % 3)
			kmem_cache_free(s, p[i]);
		else
			kfree_rcu(p[i]);
}

static struct {
	uint64_t at;
	bool is_lost; /* its parent knew already */
} forked;

static inline bool rcu_is_lost(void)
{
	return __atomic_load_n(&m->rcu_worker.trial, __ATOMIC_ACQUIRE) ==
	       RCU_LOST;
}

static inline pid_t fork_now(void)
{
	forked.is_lost = rcu_is_lost();
	forked.at = slab_machine_jiffies(m);
	return fork();
}

static inline void child_begins(void)
{
	uint64_t took = slab_machine_jiffies(m) - forked.at;

	alarm(patience());
	forked.is_lost |= took >= FORK_WAIT_MS;
	MUST(12, !rcu_is_lost() || forked.is_lost);
	forked.is_lost = rcu_is_lost();
}

static inline void child_goes_on(void)
{
	struct kmem_cache *s, *own;

	list_for_each_entry(s, &m->slab_caches, list)
		is_sound(1, s);
	MUST(2, m->pid == getpid());
	use(3, shared);
	use(4, typesafe);
	use(5, debug);
	own = kmem_cache_create("child's", 64, NULL, SLAB_NO_MERGE);
	MUST(6, own);
	use(7, own);
	kvfree_rcu_barrier();
	if (forked.is_lost)
		return;
	/* until its worker has shown that grace periods end, none waits; and
	 * slabs go with the objects */
	WAIT_FOR((kvfree_rcu_barrier(), slab_machine_rcu_barrier(m),
		  !slab_machine_rcu_pending(m)));
	MUST(8, !slab_machine_rcu_pending(m));
	MUST(9, !kmem_cache_destroy(own));
	kmem_cache_shrink(shared);
	slab_machine_trim(m);
	list_for_each_entry(s, &m->slab_caches, list)
		is_sound(10, s);
	MUST(11, !nr_said);
}

static inline int status_of(pid_t child)
{
	int status;

	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static inline void fork_often(unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		pid_t child = fork_now();

		if (!child) {
			child_begins();
			child_goes_on();
			_exit(0);
		}
		assert_int_equal(status_of(child), 0);
	}
}

static inline void make_caches(void)
{
	shared = kmem_cache_create("shared", 64, NULL, SLAB_NO_MERGE);
	typesafe =
		kmem_cache_create("typesafe", 320, NULL, SLAB_TYPESAFE_BY_RCU);
	debug = kmem_cache_create("debug", 100, NULL,
				  SLAB_RED_ZONE | SLAB_POISON |
					  SLAB_STORE_USER |
					  SLAB_CONSISTENCY_CHECKS);
	assert_true(shared && typesafe && debug);
}

/* The parent lost nothing. */
static inline void destroy_caches(void)
{
	assert_int_equal(kmem_cache_destroy(shared), 0);
	assert_int_equal(kmem_cache_destroy(typesafe), 0);
	assert_int_equal(kmem_cache_destroy(debug), 0);
	assert_int_equal(nr_said, 0);
}

static inline void fork_with(void *(*const *work)(void *arg))
{
	size_t i;

	make_caches();
	for (i = 0; work[i]; i++)
		team_add(&team, work[i], (void *)(i + 1));
	team_run(&team, 10);
	fork_often(FORKS);
	assert_true(team_stop(&team) > 0);
	destroy_caches();
}

#define FORK_WITH(...) \
	fork_with((void *(*const[])(void *)){ __VA_ARGS__, NULL })

#endif
