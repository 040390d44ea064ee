/* SPDX-License-Identifier: MIT */
/* Threads that end or are cancelled, vfork and exec. */
#define _GNU_SOURCE
#include "../forks.h"

#include <spawn.h>

#define OBJECTS 300U

/* ---- exec and vfork ---- */
extern char **environ;

static void vfork_and_spawn_need_nothing(void **state)
{
	char name[] = "true", *const argv[] = { name, NULL };
	unsigned int i;

	(void)state;
	make_caches();
	team_add(&team, plain_work, NULL);
	team_add(&team, rcu_work, NULL);
	for (i = 0; i < 50; i++) {
		pid_t child;

		assert_int_equal(
			posix_spawnp(&child, "true", NULL, NULL, argv, environ),
			0);
		assert_int_equal(status_of(child), 0);
		child = vfork();
		if (!child) {
			execvp("true", argv);
			_exit(127);
		}
		assert_int_equal(status_of(child), 0);
		child = fork();
		if (!child) {
			execvp("true", argv);
			_exit(127);
		}
		assert_int_equal(status_of(child), 0);
	}
	team_stop(&team);
	destroy_caches();
}

/* ---- cancelled threads ---- */

/* With a cancellation pending any cancellation point would end it. */
static void *cancelled(void *arg)
{
	uint32_t *stage = arg;
	struct kmem_cache *s;
	void *p[OBJECTS];
	unsigned int i;

	while (!__atomic_load_n(stage, __ATOMIC_ACQUIRE))
		;
	slab_machine_destroy(m);
	if (slab_machine_create_native(NULL, &m))
		abort();
	s = kmem_cache_create("cancelled", 64, NULL, SLAB_TYPESAFE_BY_RCU);
	for (i = 0; i < OBJECTS; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (i = 0; i < OBJECTS; i++)
		kfree_rcu(p[i]);
	kfree_rcu(kmalloc(30000, GFP_KERNEL));
	kvfree_rcu_barrier();
	kmem_cache_shrink(s);
	kmem_cache_destroy(s);
	slab_machine_trim(m);
	__atomic_store_n(stage, 2, __ATOMIC_RELEASE);
	pthread_testcancel();
	return NULL;
}

static void nothing_is_a_cancellation_point(void **state)
{
	uint32_t stage = 0;
	pthread_t thread;
	void *ret;

	(void)state;
#if defined(__SANITIZE_ADDRESS__)
	print_message("AddressSanitizer falls over a cancelled thread's stack\n");
	skip();
#endif
	assert_int_equal(pthread_create(&thread, NULL, cancelled, &stage), 0);
	assert_int_equal(pthread_cancel(thread), 0);
	__atomic_store_n(&stage, 1, __ATOMIC_RELEASE);
	pthread_join(thread, &ret);
	assert_int_equal(stage, 2);
	assert_ptr_equal(ret, PTHREAD_CANCELED);
}

static void *ends(void *arg)
{
	unsigned int i;

	for (i = 0; i < 200; i++) {
		kmem_cache_free(shared, kmem_cache_alloc(shared, GFP_KERNEL));
		kfree_rcu(kmem_cache_alloc(shared, GFP_KERNEL));
	}
	return arg;
}

static void threads_that_end_leave_nothing_behind(void **state)
{
	unsigned int i, k;
	pthread_t thread[4];

	(void)state;
	make_caches();
	for (i = 0; i < 200; i++) {
		for (k = 0; k < 4; k++)
			assert_int_equal(
				pthread_create(&thread[k], NULL, ends, NULL),
				0);
		for (k = 0; k < 4; k++)
			pthread_join(thread[k], NULL);
	}
	kvfree_rcu_barrier();
	assert_int_equal(kmem_cache_shrink(shared), 0);
	destroy_caches();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		native_test(vfork_and_spawn_need_nothing),
		native_test(nothing_is_a_cancellation_point),
		native_test(threads_that_end_leave_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
