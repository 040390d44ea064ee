/* SPDX-License-Identifier: MIT */
/* A cache is found by name while others come and go, and out of hooks. */
#include "../native.h"

#include <errno.h>
#include <signal.h>

#include "base/lock.h"
#include "machine/machine.h"

#define NR_NAMES 16U

static void name_of(char *name, unsigned int i)
{
	snprintf(name, 16, "comes-%u", i % NR_NAMES);
}

static void *come_and_go(void *arg)
{
	size_t rounds = 0;
	unsigned int i = (unsigned int)(uintptr_t)arg;
	char name[16];

	while (!over()) {
		struct kmem_cache *s;

		name_of(name, i += 7);
		s = kmem_cache_create(name, 64 + i % 512, NULL,
				      i & 1 ? SLAB_NO_MERGE : 0);
		if (!s || kmem_cache_destroy(s))
			return NULL;
		rounds++;
	}
	return (void *)rounds;
}

/* What stays is found each time, in front of and behind what does not. */
static void *look(void *arg)
{
	size_t missed = 0;
	unsigned int i = 0;
	char name[16];

	while (!over()) {
		name_of(name, i++);
		slab_cache_find(m, name);
		missed += !slab_cache_find(m, "stays");
	}
	*(size_t *)arg = missed;
	return (void *)(size_t)i;
}

static void caches_may_come_and_go_meanwhile(void **state)
{
	struct kmem_cache *s =
		kmem_cache_create("stays", 200, NULL, SLAB_NO_MERGE);
	size_t missed[2] = { 1, 1 };

	(void)state;
	/* cmocka would jump out of the thread that it hits */
	signal(SIGSEGV, SIG_DFL);
	team_add(&team, come_and_go, (void *)0);
	team_add(&team, come_and_go, (void *)1);
	team_add(&team, look, &missed[0]);
	team_add(&team, look, &missed[1]);
	team_run(&team, 500);
	assert_true(team_stop(&team) > 0);
	assert_int_equal(missed[0], 0);
	assert_int_equal(missed[1], 0);
	assert_int_equal(kmem_cache_destroy(s), 0);
}

static void *destroy_by_name(void *arg)
{
	size_t done = 0;
	char name[16];
	unsigned int i = 0;

	(void)arg;
	while (!over()) {
		name_of(name, i++);
		done += !slab_cache_destroy_name(m, name);
	}
	return (void *)(done + 1);
}

static void *make_names(void *arg)
{
	unsigned int i = 0;
	char name[16];

	(void)arg;
	while (!over()) {
		name_of(name, i++);
		if (!slab_cache_find(m, name))
			kmem_cache_create(name, 64, NULL, SLAB_NO_MERGE);
	}
	return (void *)1;
}

static void names_may_go_from_two_threads(void **state)
{
	unsigned int i;
	char name[16];

	(void)state;
	team_add(&team, make_names, NULL);
	team_add(&team, destroy_by_name, NULL);
	team_add(&team, destroy_by_name, NULL);
	team_run(&team, 300);
	assert_true(team_stop(&team) > 3);
	for (i = 0; i < NR_NAMES; i++) {
		name_of(name, i);
		while (!slab_cache_destroy_name(m, name))
			;
		assert_null(slab_cache_find(m, name));
	}
}

/* ---- out of hooks ---- */
static char other[] = "other";
static const struct kmem_cache *found;
static unsigned int nr_missed;

static void find_in_sink(void *arg, const struct slab_report *r)
{
	(void)r;
	found = slab_cache_find(m, arg);
	nr_missed += !found;
}

/* kmem_cache_destroy() reports what is left under slab_mutex. */
static void a_sink_finds_while_its_thread_has_the_mutex(void **state)
{
	struct kmem_cache *s =
		kmem_cache_create("left", 64, NULL, SLAB_NO_MERGE);
	struct kmem_cache *t =
		kmem_cache_create("other", 64, NULL, SLAB_NO_MERGE);

	(void)state;
	assert_non_null(kmem_cache_alloc(s, GFP_KERNEL));
	nr_missed = 0;
	assert_int_equal(slab_machine_add_sink(m, find_in_sink, other), 0);
	assert_int_equal(kmem_cache_destroy(s), -EBUSY);
	slab_machine_remove_sink(m, find_in_sink, other);
	assert_ptr_equal(found, t);
	assert_int_equal(nr_missed, 0);
}

static uint32_t is_held;

static void *hold_the_mutex(void *arg)
{
	lock_take(&m->slab_mutex);
	__atomic_store_n(&is_held, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&is_held, __ATOMIC_ACQUIRE))
		rest_ms(1);
	lock_release(&m->slab_mutex);
	return arg;
}

static void *let_go_late(void *arg)
{
	lock_take(&m->slab_mutex);
	__atomic_store_n(&is_held, 1, __ATOMIC_RELEASE);
	rest_ms(200);
	__atomic_store_n(&is_held, 0, __ATOMIC_RELEASE);
	lock_release(&m->slab_mutex);
	return arg;
}

static void who_is_in_no_hook_waits_for_the_list(void **state)
{
	struct kmem_cache *s =
		kmem_cache_create("other", 64, NULL, SLAB_NO_MERGE);
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, let_go_late, NULL), 0);
	WAIT_FOR(__atomic_load_n(&is_held, __ATOMIC_ACQUIRE));
	assert_ptr_equal(slab_cache_find(m, "other"), s);
	assert_int_equal(__atomic_load_n(&is_held, __ATOMIC_ACQUIRE), 0);
	pthread_join(thread, NULL);
}

/* Who has the mutex may wait for the report that the sink is of. */
static void a_sink_waits_for_nobody_for_ever(void **state)
{
	struct kmem_cache *s =
		kmem_cache_create("other", 64, NULL, SLAB_NO_MERGE);
	pthread_t thread;

	(void)state;
	assert_int_equal(slab_machine_add_sink(m, find_in_sink, other), 0);
	assert_int_equal(pthread_create(&thread, NULL, hold_the_mutex, NULL),
			 0);
	WAIT_FOR(__atomic_load_n(&is_held, __ATOMIC_ACQUIRE));
	found = s;
	errno = 0;
	kfree(&thread);
	assert_null(found);
	assert_int_equal(errno, EBUSY);
	__atomic_store_n(&is_held, 0, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	slab_machine_remove_sink(m, find_in_sink, other);
	assert_ptr_equal(slab_cache_find(m, "other"), s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		native_test(caches_may_come_and_go_meanwhile),
		native_test(names_may_go_from_two_threads),
		native_test(a_sink_finds_while_its_thread_has_the_mutex),
		native_test(who_is_in_no_hook_waits_for_the_list),
		native_test(a_sink_waits_for_nobody_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
