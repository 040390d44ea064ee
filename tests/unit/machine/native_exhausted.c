/* SPDX-License-Identifier: MIT */
/*
 * Memory ends in every slow path once, with threads that go on: each request of
 * pages and of metadata, one after the other, is refused to whoever makes it.
 * Nothing is lost, nothing is handed out twice, and all goes back in the end.
 */
#define _GNU_SOURCE
#include "../native.h"

#include <errno.h>
#include <sched.h>

#include <slab/sheaf.h>

#include "base/bits.h"
#include "base/random.h"
#include "inspect/check.h"
#include "machine/pages.h"

static struct kmem_cache *plain, *debug, *typesafe;

/* ---- what threads do ---- */
#define HELD 600U

/* Calls that were refused something. */
static size_t nr_failed;

static void count_failure(void)
{
	__atomic_fetch_add(&nr_failed, 1, __ATOMIC_RELAXED);
}

static size_t failures(void)
{
	return __atomic_load_n(&nr_failed, __ATOMIC_RELAXED);
}

struct token {
	void *p;
	size_t value;
	struct kmem_cache *s; /* NULL: kmalloc'ed */
};

static void put(struct token *t)
{
	if (!t->p)
		return;
	if (*((size_t *)t->p + 1) != t->value)
		abort();
	*((size_t *)t->p + 1) = 0;
	if (t->s)
		kmem_cache_free(t->s, t->p);
	else
		kfree(t->p);
	t->p = NULL;
}

/* Refused: an object less. */
static bool get(struct token *t, struct random *random, size_t value)
{
	static const size_t sizes[] = { 16, 100, 500, 4000, 9000, 40000 };
	gfp_t gfp = GFP_KERNEL | __GFP_NOWARN;

	switch (random_below(random, 5)) {
	case 0:
		t->s = NULL;
		t->p = kmalloc(sizes[random_below(random, 6)], gfp);
		break;
	case 1:
		t->s = debug;
		break;
	case 2:
		t->s = typesafe;
		break;
	default:
		t->s = plain;
	}
	if (t->s)
		t->p = kmem_cache_alloc(t->s, gfp);
	if (!t->p)
		return false;
	t->value = value;
	*((size_t *)t->p + 1) = value;
	return true;
}

static void *hold_and_let_go(void *arg)
{
	struct random random = { .state = (uintptr_t)arg };
	struct token *held = calloc(HELD, sizeof(*held));
	size_t value = (uintptr_t)arg << 32;
	unsigned int i;

	while (!over()) {
		i = (unsigned int)random_below(&random, HELD);
		if (held[i].p)
			put(&held[i]);
		else if (!get(&held[i], &random, ++value))
			count_failure();
	}
	for (i = 0; i < HELD; i++)
		put(&held[i]);
	free(held);
	return NULL;
}

/* Many at once: refills, flushes, sheaves of one's own. */
static void *many_at_once(void *arg)
{
	gfp_t gfp = GFP_KERNEL | __GFP_NOWARN;
	void *p[300];

	(void)arg;
	while (!over()) {
		struct slab_sheaf *sheaf;

		if (kmem_cache_alloc_bulk(plain, gfp, 300, p))
			kmem_cache_free_bulk(plain, 300, p);
		else
			count_failure();
		sheaf = kmem_cache_prefill_sheaf(plain, gfp, 40);
		if (sheaf) {
			p[0] = kmem_cache_alloc_from_sheaf(plain, gfp, sheaf);
			if (!p[0])
				abort();
			kmem_cache_return_sheaf(plain, gfp, sheaf);
			kmem_cache_free(plain, p[0]);
		} else {
			count_failure();
		}
		kmem_cache_shrink(plain);
	}
	return NULL;
}

static void *caches_come_and_go(void *arg)
{
	(void)arg;
	while (!over()) {
		struct kmem_cache *s =
			kmem_cache_create("passing", 72, NULL, SLAB_NO_MERGE);
		void *p;

		if (!s) {
			count_failure();
			sched_yield();
			continue;
		}
		p = kmem_cache_alloc(s, GFP_KERNEL | __GFP_NOWARN);
		if (p)
			kmem_cache_free(s, p);
		else
			count_failure();
		kmem_cache_destroy(s);
	}
	return NULL;
}

/* ---- who refuses ---- */
#define NR_REFUSED 24U /* each of the next dozen, twice */

/* One of the next dozen, again and again; how many, at most: after some
 * seconds less is enough. */
static unsigned int refuse_metadata(unsigned int most)
{
	double begin = seconds(), until = begin + patience();
	unsigned int nr = 0;

	while (nr < most && seconds() < until) {
		unsigned long left;

		lock_take(&m->meta_lock);
		m->meta.fail_after = nr % 12 + 1;
		lock_release(&m->meta_lock);
		do {
			sched_yield();
			lock_take(&m->meta_lock);
			left = m->meta.fail_after;
			lock_release(&m->meta_lock);
		} while (left && seconds() < until);
		nr += !left;
		if (nr >= NR_REFUSED)
			until = begin + 20;
	}
	lock_take(&m->meta_lock);
	m->meta.fail_after = 0;
	lock_release(&m->meta_lock);
	return nr;
}

static void refuse_pages(double for_seconds)
{
	double begin = seconds();
	struct random random = { .state = 3 };

	/* from next to nothing up to enough, again and again */
	while (seconds() < begin + for_seconds ||
	       (!failures() && seconds() < begin + patience())) {
		slab_machine_set_page_limit(m, random_below(&random, 1500) + 1);
		nanosleep(&(struct timespec){ .tv_nsec = 300000 }, NULL);
	}
	slab_machine_set_page_limit(m, 0);
}

static void everything_is_back(void)
{
	size_t used;

	assert_null(cache_check(plain));
	assert_null(cache_check(debug));
	slab_machine_rcu_barrier(m);
	assert_int_equal(kmem_cache_shrink(plain), 0);
	kmem_cache_destroy(plain);
	kmem_cache_destroy(debug);
	kmem_cache_destroy(typesafe);
	slab_machine_trim(m);
	slab_machine_rcu_barrier(m);
	slab_machine_trim(m);
	assert_int_equal(slab_machine_pages_used(m), 0);
	/* nothing was reported; destroy found nothing left */
	if (nr_said)
		fail_msg("%u records, first: %s", nr_said, said);
	/* and metadata is what it is with the same caches unused */
	used = m->meta.used;
	assert_true(used > 0);
}

static void start(void)
{
	plain = kmem_cache_create("plain", 96, NULL, SLAB_NO_MERGE);
	debug = kmem_cache_create("debug", 96, NULL,
				  SLAB_RED_ZONE | SLAB_POISON |
					  SLAB_CONSISTENCY_CHECKS);
	typesafe =
		kmem_cache_create("typesafe", 96, NULL, SLAB_TYPESAFE_BY_RCU);
	assert_true(plain && debug && typesafe);
	nr_failed = 0;
	team_add(&team, hold_and_let_go, (void *)1);
	team_add(&team, hold_and_let_go, (void *)2);
	team_add(&team, many_at_once, NULL);
}

static void some_have_failed(void)
{
	WAIT_FOR(failures());
	team_stop(&team);
	print_message("%zu calls failed\n", failures());
	assert_true(failures() > 0);
}

static void each_request_of_metadata_is_refused(void **state)
{
	unsigned int nr;

	(void)state;
	start();
	team_add(&team, caches_come_and_go, NULL);
	nr = refuse_metadata(60);
	team_stop(&team);
	print_message("%u requests refused, %zu calls failed\n", nr,
		      failures());
	assert_true(nr >= NR_REFUSED);
	/* creation says why it failed: that is no finding */
	nr_said = 0;
	everything_is_back();
}

static void each_request_of_pages_is_refused(void **state)
{
	(void)state;
	start();
	refuse_pages(1.5);
	some_have_failed();
	everything_is_back();
}

static void a_part_of_all_pages_is_refused(void **state)
{
	struct slab_faults f;

	(void)state;
	start();
	slab_faults_get(m, &f);
	f.fail_page_alloc.attr.probability = 30;
	f.fail_page_alloc.attr.times = -1;
	f.fail_page_alloc.attr.verbose = 0;
	f.fail_page_alloc.ignore_gfp_wait = false;
	f.fail_page_alloc.min_order = 0;
	slab_faults_set(m, &f);
	rest_ms(700);
	some_have_failed();
	f.fail_page_alloc.attr.probability = 0;
	slab_faults_set(m, &f);
	everything_is_back();
}

static void a_region_that_is_full_is_full_for_all(void **state)
{
	void *block[64];
	unsigned int nr = 0, i;

	(void)state;
	slab_machine_destroy(m);
	native_open(&(struct slab_machine_config){ .region_bytes = 16 << 20,
						   .idle_bytes = 65536 });
	/* 8 MiB of pages, of which one is left for what two threads hold */
	while (nr < 64 && (block[nr] = slab_machine_alloc_pages(m, 6)))
		nr++;
	assert_int_equal(errno, ENOMEM);
	for (i = 0; i < 4; i++)
		slab_machine_free_pages(m, block[--nr]);
	start();
	rest_ms(700);
	some_have_failed();
	while (nr)
		slab_machine_free_pages(m, block[--nr]);
	everything_is_back();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		native_test(each_request_of_metadata_is_refused),
		native_test(each_request_of_pages_is_refused),
		native_test(a_part_of_all_pages_is_refused),
		native_test(a_region_that_is_full_is_full_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
