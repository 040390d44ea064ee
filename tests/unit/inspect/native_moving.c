/* SPDX-License-Identifier: MIT */
/* tests/unit/inspect/native_moving.c - what is told of a machine that goes on
 * meanwhile: what stays so, and nothing that somebody is in the middle of */
#define _GNU_SOURCE
#include "../native.h"

#include <slab/inspect.h>

#include "machine/machine.h"
#include "slab/node.h"
#include "slab/slab.h"

static struct slab_target *target;
static struct kmem_cache *s;
static void *held; /* of a slab that is on the partial list */

static int setup(void **state)
{
	native_setup(state);
	assert_int_equal(slab_target_open_self(m, &target), 0);
	/* a cache without sheaves */
	s = kmem_cache_create("busy", 500, NULL, SLAB_CONSISTENCY_CHECKS);
	held = kmem_cache_alloc(s, GFP_KERNEL);
	assert_non_null(held);
	assert_true(slab_is_partial(virt_to_slab(m, held)));
	return 0;
}

static int teardown(void **state)
{
	team_stop(&team);
	slab_target_close(target);
	return native_teardown(state);
}

/* ---- findings ---- */
static char found[1024];

static void note(void *arg, const struct slab_report *r)
{
	size_t n = strlen(found);

	(void)arg;
	snprintf(found + n, sizeof(found) - n, "%s\n", r->text);
}

static long verify(void)
{
	found[0] = '\0';
	return slab_target_verify(target, (uintptr_t)s, note, NULL);
}

static void finds(long nr, const char *what)
{
	long n = verify();

	if (n != nr || !strstr(found, what))
		fail_msg("wanted %ld findings, \"%s\", got %ld:\n%s", nr, what,
			 n, found);
}

static void what_stays_is_told(void **state)
{
	struct slab *slab = virt_to_slab(m, held);
	struct kmem_cache_node *n = s->node[slab->node];
	char wanted[128];

	(void)state;
	finds(0, "");
	n->nr_partial += 2;
	finds(1, "SLUB busy: 1 partial slabs counted but counter=3");
	n->nr_partial -= 2;
	n->nr_slabs++;
	finds(1, "SLUB: busy 1 slabs counted but counter=2");
	n->nr_slabs--;
	/* off its list, and marked as if it were there; then not even that */
	list_del(&slab->slab_list);
	n->nr_partial--;
	snprintf(wanted, sizeof(wanted),
		 "S%u is marked as on the partial list but is not there",
		 slab->nr);
	finds(1, wanted);
	slab->flags &= ~SL_PARTIAL;
	snprintf(wanted, sizeof(wanted),
		 "S%u has free objects but is on no list", slab->nr);
	finds(1, wanted);
	list_add(&slab->slab_list, &n->partial);
	n->nr_partial++;
	snprintf(wanted, sizeof(wanted),
		 "S%u is on the partial list but not marked so", slab->nr);
	finds(2, wanted); /* its link is judged, too */
	slab->flags |= SL_PARTIAL;
	finds(0, "");
}

/* ---- under the lock of the lists ---- */
#define ROUNDS 40U

static void pause_us(long us)
{
	struct timespec t = { .tv_nsec = us * 1000 };

	nanosleep(&t, NULL);
}

/* For longer than the last looks take: most of the time all of them meet it. */
static void *change_lists(void *arg)
{
	struct slab *slab = virt_to_slab(m, held);
	struct kmem_cache_node *n = s->node[slab->node];

	(void)arg;
	while (!over()) {
		lock_take(&n->list_lock);
		__atomic_fetch_and(&slab->flags, ~SL_PARTIAL, __ATOMIC_RELAXED);
		__atomic_store_n(&n->nr_partial, n->nr_partial + 5,
				 __ATOMIC_RELAXED);
		pause_us(6000);
		__atomic_store_n(&n->nr_partial, n->nr_partial - 5,
				 __ATOMIC_RELAXED);
		__atomic_fetch_or(&slab->flags, SL_PARTIAL, __ATOMIC_RELAXED);
		lock_release(&n->list_lock);
		pause_us(1000);
	}
	return NULL;
}

static void what_a_lock_holds_together_is_no_damage(void **state)
{
	unsigned int i;

	(void)state;
#if defined(__SANITIZE_THREAD__)
	print_message("ThreadSanitizer: a look is a race by its nature\n");
	skip();
#endif
	team_add(&team, change_lists, NULL);
	WAIT_FOR(lock_is_held(&s->node[0]->list_lock));
	for (i = 0; i < ROUNDS; i++)
		finds(0, "");
}

/* ---- under none ---- */

/* How long it was wrong, at most; and since when it is. */
static uint64_t longest_us, wrong_since;

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Most of the time. */
static void *change_a_count(void *arg)
{
	struct kmem_cache_node *n = s->node[0];

	(void)arg;
	while (!over()) {
		uint64_t begin = now_us(), us;

		__atomic_store_n(&wrong_since, begin, __ATOMIC_SEQ_CST);
		__atomic_fetch_add(&n->nr_slabs, 1, __ATOMIC_SEQ_CST);
		pause_us(300);
		__atomic_fetch_sub(&n->nr_slabs, 1, __ATOMIC_SEQ_CST);
		us = now_us() - begin;
		if (us > __atomic_load_n(&longest_us, __ATOMIC_RELAXED))
			__atomic_store_n(&longest_us, us, __ATOMIC_SEQ_CST);
		__atomic_store_n(&wrong_since, 0, __ATOMIC_SEQ_CST);
		pause_us(100);
	}
	return NULL;
}

/* A host may let it stand there for as long as all looks take. */
static bool has_stood_still(void)
{
	uint64_t since = __atomic_load_n(&wrong_since, __ATOMIC_SEQ_CST);

	return __atomic_load_n(&longest_us, __ATOMIC_SEQ_CST) > 1000 ||
	       (since && now_us() - since > 1000);
}

static void what_comes_and_goes_is_no_damage(void **state)
{
	unsigned int i, nr_judged = 0;

	(void)state;
#if defined(__SANITIZE_THREAD__)
	print_message("ThreadSanitizer: a look is a race by its nature\n");
	skip();
#endif
	team_add(&team, change_a_count, NULL);
	WAIT_FOR(__atomic_load_n(&wrong_since, __ATOMIC_RELAXED));
	for (i = 0; i < 120; i++) {
		bool stood;

		__atomic_store_n(&longest_us, 0, __ATOMIC_SEQ_CST);
		stood = has_stood_still();
		if (verify() && !stood && !has_stood_still())
			fail_msg("found in round %u:\n%s", i, found);
		nr_judged += !stood && !has_stood_still();
	}
	print_message("%u of 120 rounds were judged\n", nr_judged);
	team_stop(&team);
	finds(0, "");
}

/* ---- and what a look leaves ---- */
static void locks_keep_their_owners(void **state)
{
	/* inline: owned by the thread that takes it first */
	struct kmem_cache *tracked = kmem_cache_create(
		"tracked", 64, NULL, SLAB_CONSISTENCY_CHECKS | SLAB_STORE_USER);
	struct slab_lock *lock = &tracked->node[0]->list_lock, before;

	(void)state;
	kmem_cache_free(tracked, kmem_cache_alloc(tracked, GFP_KERNEL));
	if (!lock->is_ownable) {
		print_message("no lock has an owner here\n");
		skip();
	}
	before = *lock;
	assert_int_equal(slab_target_verify(target, 0, note, NULL), 0);
	assert_int_equal(lock->owner, before.owner);
	assert_int_equal(lock->word, before.word);
	assert_int_equal(lock->is_owners, before.is_owners);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(what_stays_is_told),
		test(what_a_lock_holds_together_is_no_damage),
		test(what_comes_and_goes_is_no_damage),
		test(locks_keep_their_owners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
