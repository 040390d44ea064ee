/* SPDX-License-Identifier: MIT */
/*
 * A lock that is the first thread's which takes it: it needs no locked
 * instruction, until another thread comes. Where the kernel has no membarrier,
 * and under ThreadSanitizer, such locks are like all others, and so are the
 * tests' answers.
 */
#define _GNU_SOURCE
#include "../native.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

#include <slab/cache.h>

#include "base/lock.h"
#include "slab/slab.h"

static struct slab_lock lock;

static void make(struct slab_lock *l)
{
	lock_init(l, LOCK_RANK_LIST);
	lock_make_ownable(l);
}

static bool can_own(void)
{
	return lock.is_ownable;
}

/* Gives it back: the lock, or NULL. */
static void *tries(void *arg)
{
	if (!lock_try(arg))
		return NULL;
	lock_release(arg);
	return arg;
}

static bool another_gets_it(struct slab_lock *l)
{
	pthread_t thread;
	void *got;

	assert_int_equal(pthread_create(&thread, NULL, tries, l), 0);
	pthread_join(thread, &got);
	return got != NULL;
}

static void the_first_thread_owns_it(void **state)
{
	(void)state;
	make(&lock);
	assert_false(lock_take_own(&lock)); /* nobody's yet */
	lock_take(&lock);
	assert_true(lock_is_held(&lock));
	assert_int_equal(lock.word, can_own() ? 0 : 1);
	lock_release(&lock);
	assert_false(lock_is_held(&lock));
	if (!can_own())
		return;
	assert_true(lock_take_own(&lock));
	assert_true(lock_is_held(&lock));
	lock_release_own(&lock);
	assert_false(lock_is_held(&lock));
}

static void who_holds_its_own_lock_does_not_get_it_again(void **state)
{
	uint32_t held;

	(void)state;
	make(&lock);
	lock_take(&lock);
	/* as a signal handler that interrupts */
	held = lock_suspend();
	assert_false(lock_try(&lock));
	assert_false(lock_take_own(&lock));
	assert_int_equal(lock.is_owners, can_own());
	lock_resume(held);
	lock_release(&lock);
	assert_true(lock_try(&lock));
	lock_release(&lock);
}

static void a_lock_is_taken_from_who_let_it_go(void **state)
{
	(void)state;
	make(&lock);
	lock_take(&lock);
	assert_false(another_gets_it(&lock));
	assert_true(lock_is_held(&lock));
	lock_release(&lock);
	assert_true(another_gets_it(&lock));
	assert_int_equal(lock.owner, OWNER_NONE);
	/* a common one from now on */
	assert_false(lock_take_own(&lock));
	lock_take(&lock);
	assert_int_equal(lock.word, 1);
	assert_int_equal(lock.is_owners, 0);
	assert_false(another_gets_it(&lock));
	lock_release(&lock);
	assert_false(lock_is_held(&lock));
}

static void *waits(void *arg)
{
	unsigned int *got = arg;

	lock_take(&lock);
	__atomic_store_n(got, 1, __ATOMIC_RELEASE);
	lock_release(&lock);
	return NULL;
}

static void who_waits_for_its_owner_gets_it(void **state)
{
	unsigned int got = 0;
	pthread_t thread;

	(void)state;
	make(&lock);
	lock_take(&lock);
	assert_int_equal(pthread_create(&thread, NULL, waits, &got), 0);
	rest_ms(20);
	assert_int_equal(__atomic_load_n(&got, __ATOMIC_ACQUIRE), 0);
	lock_release(&lock);
	pthread_join(thread, NULL);
	assert_int_equal(got, 1);
}

/* ---- between an owner's two looks ---- */
static struct slab_lock *page; /* a page of its own, for a lock */

static void takes_it_away(int sig)
{
	(void)sig;
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
	page->owner = OWNER_NONE;
}

/* It may not write that it holds the lock yet; when it may, it is too late. */
static void an_owner_looks_again(void **state)
{
	struct sigaction act = { .sa_handler = takes_it_away }, was;
	bool got;

	(void)state;
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(page, MAP_FAILED);
	make(page);
	lock_take(page);
	lock_release(page);
	if (page->is_ownable) {
		assert_int_equal(page->owner, lock_self);
		mprotect(page, 4096, PROT_READ);
		sigaction(SIGSEGV, &act, &was);
		got = lock_take_own(page);
		sigaction(SIGSEGV, &was, NULL);
		assert_int_equal(page->owner, OWNER_NONE);
		assert_false(got);
		assert_int_equal(page->is_owners, 0);
		assert_true(another_gets_it(page));
	}
	munmap(page, 4096);
}

/* ---- while its owner takes it, over and over ---- */
#define LOCKS 4000U

static struct slab_lock locks[LOCKS];
static unsigned int begun, taken; /* of how many */
static unsigned int inside, nr_met;

static void be_inside(void)
{
	if (__atomic_fetch_add(&inside, 1, __ATOMIC_RELAXED))
		__atomic_fetch_add(&nr_met, 1, __ATOMIC_RELAXED);
	__atomic_fetch_sub(&inside, 1, __ATOMIC_RELAXED);
}

static void *owns(void *arg)
{
	unsigned int i;

	(void)arg;
	for (i = 0; i < LOCKS; i++) {
		make(&locks[i]);
		do {
			if (lock_take_own(&locks[i])) {
				be_inside();
				lock_release_own(&locks[i]);
			} else {
				lock_take(&locks[i]);
				be_inside();
				lock_release(&locks[i]);
			}
			__atomic_store_n(&begun, i + 1, __ATOMIC_RELEASE);
		} while (__atomic_load_n(&taken, __ATOMIC_ACQUIRE) <= i);
	}
	return NULL;
}

static void one_of_owner_and_taker_sees_the_other(void **state)
{
	pthread_t thread;
	unsigned int i;

	(void)state;
	begun = taken = inside = nr_met = 0;
	assert_int_equal(pthread_create(&thread, NULL, owns, NULL), 0);
	for (i = 0; i < LOCKS; i++) {
		while (__atomic_load_n(&begun, __ATOMIC_ACQUIRE) <= i)
			sched_yield();
		lock_take(&locks[i]);
		be_inside();
		lock_release(&locks[i]);
		__atomic_store_n(&taken, i + 1, __ATOMIC_RELEASE);
	}
	pthread_join(thread, NULL);
	assert_int_equal(nr_met, 0);
	for (i = 0; i < LOCKS; i++)
		assert_false(lock_is_held(&locks[i]));
}

/* ---- who has such locks ---- */
static void *works(void *arg)
{
	struct kmem_cache *s = arg;

	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	return NULL;
}

static void a_debug_caches_lock_is_its_threads(void **state)
{
	struct kmem_cache *s, *plain;
	pthread_t thread;

	(void)state;
	native_open(NULL);
	make(&lock);
	s = kmem_cache_create("own", 64, NULL, SLAB_POISON | SLAB_NO_MERGE);
	plain = kmem_cache_create("plain", 64, NULL, SLAB_NO_MERGE);
	assert_non_null(s);
	assert_non_null(plain);
	assert_false(plain->node[0]->list_lock.is_ownable);
	assert_int_equal(s->node[0]->list_lock.is_ownable,
			 can_own() && m->config.nr_nodes == 1);
	works(s);
	works(s);
	if (s->node[0]->list_lock.is_ownable)
		assert_int_equal(s->node[0]->list_lock.owner, lock_self);
	assert_int_equal(pthread_create(&thread, NULL, works, s), 0);
	pthread_join(thread, NULL);
	assert_int_equal(s->node[0]->list_lock.owner, OWNER_NONE);
	works(s);
	validate_slab_cache(s);
	assert_int_equal(nr_said, 0);
	kmem_cache_destroy(s);
	kmem_cache_destroy(plain);
	slab_machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_thread_owns_it),
		cmocka_unit_test(who_holds_its_own_lock_does_not_get_it_again),
		cmocka_unit_test(a_lock_is_taken_from_who_let_it_go),
		cmocka_unit_test(who_waits_for_its_owner_gets_it),
		cmocka_unit_test(an_owner_looks_again),
		cmocka_unit_test(one_of_owner_and_taker_sees_the_other),
		cmocka_unit_test(a_debug_caches_lock_is_its_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
