/* SPDX-License-Identifier: MIT */
/* A child that a sink forked goes on, or says why it can not. */
#define _GNU_SOURCE
#include "../forks.h"

#include <sched.h>
#include <slab/inspect.h>

/* What is overwritten here is the library's to find. */
static int setup(void **state)
{
	(void)state;
	native_open(&(struct slab_machine_config){ .asan_off = true });
	return 0;
}

/* ---- the child ---- */
static bool is_child;

#if defined(__SANITIZE_THREAD__)
#define SKIP_HERE()                                                           \
	do {                                                                  \
		print_message("ThreadSanitizer takes a child's worker for its parent's\n"); \
		skip();                                                       \
	} while (0)
#else
#define SKIP_HERE() ((void)0)
#endif

/* At the first record. */
static void fork_and_go_on(void *arg, const struct slab_report *report)
{
	pid_t *child = arg;

	(void)report;
	if (*child >= 0)
		return;
	*child = fork();
	is_child = !*child;
	if (is_child)
		alarm(60);
}

/* What the child does behind the call in which it began: everything. */
static void child_lives(struct kmem_cache *s)
{
	struct kmem_cache *own;
	unsigned int i;

	is_sound(20, s);
	MUST(21, m->pid == getpid());
	use(22, shared);
	use(23, typesafe);
	own = kmem_cache_create("child's", 64, NULL, SLAB_NO_MERGE);
	MUST(24, own);
	use(25, own);
	for (i = 0; i < 100 && slab_machine_rcu_pending(m); i++) {
		kvfree_rcu_barrier();
		slab_machine_rcu_barrier(m);
		usleep(10000);
	}
	MUST(26, !slab_machine_rcu_pending(m));
	MUST(27, !kmem_cache_destroy(own));
	slab_machine_trim(m);
	/* and forks itself */
	i = (unsigned int)status_of(fork() ?: (_exit(0), 0));
	MUST(28, !i);
	slab_machine_destroy(m);
	_exit(0);
}

static pid_t twice_freed(struct kmem_cache *s)
{
	void *object = kmem_cache_alloc(s, GFP_KERNEL);
	pid_t child = -1;

	kmem_cache_free(s, object);
	assert_int_equal(slab_machine_add_sink(m, fork_and_go_on, &child), 0);
	kmem_cache_free(s, object);
	slab_machine_remove_sink(m, fork_and_go_on, &child);
	return child;
}

/* Beside the worker there is no other thread. */
static void a_child_of_a_free_goes_on(void **state)
{
	pid_t child;

	(void)state;
	SKIP_HERE();
	make_caches();
	use(1, shared); /* by kfree_rcu, so that there is a worker */
	slab_machine_rcu_barrier(m);
	child = twice_freed(debug);
	if (is_child)
		child_lives(debug);
	assert_int_equal(status_of(child), 0);
	assert_true(nr_said > 0);
	nr_said = 0;
	destroy_caches();
}

static void a_child_of_a_destroy_goes_on(void **state)
{
	struct kmem_cache *s;
	pid_t child = -1;

	(void)state;
	SKIP_HERE();
	make_caches();
	s = kmem_cache_create("left", 64, NULL, SLAB_NO_MERGE);
	assert_non_null(kmem_cache_alloc(s, GFP_KERNEL));
	assert_int_equal(slab_machine_add_sink(m, fork_and_go_on, &child), 0);
	assert_int_equal(kmem_cache_destroy(s), -EBUSY);
	slab_machine_remove_sink(m, fork_and_go_on, &child);
	if (is_child)
		child_lives(shared);
	assert_int_equal(status_of(child), 0);
	assert_true(nr_said > 0);
	nr_said = 0;
	destroy_caches();
}

/* A callback of RCU finds it, on the thread that waits for it. */
static void a_child_of_a_callback_goes_on(void **state)
{
	pid_t child = -1;
	void *object;

	(void)state;
	SKIP_HERE();
	make_caches();
	machine_rcu_stop(m);
	m->rcu_worker.state = RCU_WORKER_STARTS; /* nobody makes one */
	object = kmem_cache_alloc(debug, GFP_KERNEL);
	kfree_rcu(object);
	((unsigned char *)object)[100] ^= 1; /* the red zone */
	assert_int_equal(slab_machine_add_sink(m, fork_and_go_on, &child), 0);
	slab_machine_rcu_barrier(m);
	slab_machine_remove_sink(m, fork_and_go_on, &child);
	m->rcu_worker.state = RCU_NO_WORKER;
	if (is_child)
		child_lives(shared);
	assert_true(child > 0);
	assert_int_equal(status_of(child), 0);
	assert_true(nr_said > 0);
	nr_said = 0;
	assert_int_equal(kmem_cache_destroy(shared), 0);
}

/* verify holds what a fork takes. */
static void a_child_of_verify_goes_on(void **state)
{
	struct slab_target *target;
	unsigned char *object;
	pid_t child = -1;

	(void)state;
	SKIP_HERE();
	make_caches();
	object = kmem_cache_alloc(debug, GFP_KERNEL);
	object[100] ^= 1;
	assert_int_equal(slab_target_open_self(m, &target), 0);
	assert_int_equal(slab_target_verify(target, (uintptr_t)debug,
					    fork_and_go_on, &child),
			 1);
	slab_target_close(target);
	if (is_child)
		child_lives(shared);
	assert_true(child > 0);
	assert_int_equal(status_of(child), 0);
	object[100] ^= 1;
	kmem_cache_free(debug, object);
	destroy_caches();
}

/* ---- refused ---- */
static uint32_t is_held;

static void *hold_the_mutex(void *arg)
{
	(void)arg;
	lock_take(&m->slab_mutex);
	__atomic_store_n(&is_held, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&is_held, __ATOMIC_ACQUIRE))
		sched_yield();
	lock_release(&m->slab_mutex);
	return NULL;
}

/* Another thread made a cache when the sink forked: the child that makes one
 * says so, and ends. */
static void what_another_thread_held_ends_the_child(void **state)
{
	static char text[512];
	int output[2], status;
	pthread_t thread;
	pid_t child;
	ssize_t n;

	(void)state;
	SKIP_HERE();
	make_caches();
	assert_int_equal(pipe(output), 0);
	assert_int_equal(pthread_create(&thread, NULL, hold_the_mutex, NULL),
			 0);
	while (!__atomic_load_n(&is_held, __ATOMIC_ACQUIRE))
		sched_yield();
	child = twice_freed(debug);
	if (is_child) {
		dup2(output[1], STDERR_FILENO);
		signal(SIGABRT, SIG_DFL);
		/* what nobody held goes on */
		use(22, shared);
		kmem_cache_create("child's", 64, NULL, SLAB_NO_MERGE);
		_exit(0);
	}
	close(output[1]);
	__atomic_store_n(&is_held, 0, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	status = status_of(child);
	n = read(output[0], text, sizeof(text) - 1);
	close(output[0]);
	assert_true(n > 0);
	if (!strstr(text, "such a child may exec or _exit"))
		fail_msg("said instead: %s", text);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	nr_said = 0;
	destroy_caches();
}

#define test(name) \
	cmocka_unit_test_setup_teardown(name, setup, native_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_child_of_a_free_goes_on),
		test(a_child_of_a_destroy_goes_on),
		test(a_child_of_a_callback_goes_on),
		test(a_child_of_verify_goes_on),
		test(what_another_thread_held_ends_the_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
