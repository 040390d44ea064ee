/* SPDX-License-Identifier: MIT */
/* fork() while threads allocate and free: what stands still, and who goes on. */
#define _GNU_SOURCE
#include "../forks.h"

/* liburcu's is called as ours */
#define rcu_head urcu_head
#include <urcu/urcu-memb.h>
#undef rcu_head

#include "cache/fork.h"
#include "debug/depot.h"

/* ---- tests ---- */
static void both_go_on_beside_fast_paths(void **state)
{
	(void)state;
	FORK_WITH(plain_work, plain_work, plain_work);
}

static void both_go_on_beside_slow_paths(void **state)
{
	(void)state;
	FORK_WITH(slab_work, slab_work, plain_work);
}

static void both_go_on_beside_kfree_rcu(void **state)
{
	(void)state;
	FORK_WITH(rcu_work, rcu_work, plain_work);
}

static void both_go_on_beside_caches_that_come_and_go(void **state)
{
	(void)state;
	FORK_WITH(cache_work, cache_work, rcu_work);
}

static void both_go_on_beside_debug_caches(void **state)
{
	(void)state;
	FORK_WITH(debug_work, debug_work, rcu_work);
}

static void reopen(const struct slab_machine_config *config)
{
	slab_machine_destroy(m);
	native_open(config);
}

static void both_go_on_without_rseq(void **state)
{
	(void)state;
	reopen(&(struct slab_machine_config){ .no_rseq = true });
	FORK_WITH(plain_work, slab_work, rcu_work);
}

static void both_go_on_with_slab_lock(void **state)
{
	(void)state;
	reopen(&(struct slab_machine_config){ .no_cmpxchg_double = true });
	FORK_WITH(plain_work, slab_work, rcu_work);
}

static void *fork_work(void *arg)
{
	(void)arg;
	while (!over()) {
		pid_t child = fork();
		int status;

		if (!child) {
			alarm(patience());
			use(20, shared);
			_exit(0);
		}
		if (child < 0 || waitpid(child, &status, 0) != child || status)
			abort();
	}
	return (void *)1;
}

static void several_threads_may_fork(void **state)
{
	(void)state;
	FORK_WITH(fork_work, fork_work, plain_work);
}

static void a_grandchild_goes_on(void **state)
{
	pid_t child;

	(void)state;
#if defined(__SANITIZE_THREAD__)
	print_message("ThreadSanitizer knows no threads of a child's child\n");
	skip();
#endif
	make_caches();
	team_add(&team, rcu_work, NULL);
	team_add(&team, plain_work, NULL);
	team_run(&team, 0);
	child = fork_now();
	if (!child) {
		/* threads of a child, too */
		struct team own = { .nr = 0 };

		child_begins();
		use(30, shared);
		team_add(&own, rcu_work, NULL);
		team_add(&own, slab_work, NULL);
		team_run(&own, 0);
		fork_often(5);
		team_stop(&own);
		child_goes_on();
		_exit(0);
	}
	assert_int_equal(status_of(child), 0);
	team_stop(&team);
	destroy_caches();
}

static bool all_are_open(void)
{
	unsigned int cpu;

	if (m->percpu != PERCPU_RSEQ || shared->fast_is_shut)
		return true;
	for (cpu = 0; cpu < m->config.nr_cpu_ids; cpu++) {
		const struct slub_percpu_sheaves *pcs =
			&shared->cpu_sheaves[cpu];

		if (__atomic_load_n(&pcs->fast, __ATOMIC_ACQUIRE) != pcs->main)
			return false;
	}
	return true;
}

static void inline_paths_of_a_child_are_open(void **state)
{
	pid_t child;

	(void)state;
	make_caches();
	use(0, shared);
	child = fork();
	if (!child) {
		alarm(patience());
		MUST(40, all_are_open());
		MUST(41, !m->fork_gate.is_closed);
		/* a remote drain: membarrier is this process's as well */
		kmem_cache_shrink(shared);
		_exit(0);
	}
	assert_int_equal(status_of(child), 0);
	/* RCU's worker has one for a moment */
	WAIT_FOR(all_are_open());
	assert_true(all_are_open());
	destroy_caches();
}

/* ---- what stands still ---- */
/* A test that fails meanwhile would never end. */
static const char *one_free, *one_held;

static void look_at(const struct slab_lock *lock)
{
	if (lock_is_held(lock))
		one_held = slab_lock_name(lock);
	else
		one_free = slab_lock_name(lock);
}

static void look_at_all_locks(void)
{
	void (*fn)(const struct slab_lock *) = look_at;
	struct kmem_cache *s;
	unsigned int cpu, nid;

	one_free = one_held = "none";
	list_for_each_entry(s, &m->slab_caches, list) {
		for (cpu = 0; cpu < m->config.nr_cpu_ids; cpu++)
			fn(&s->cpu_sheaves[cpu].lock);
		for (nid = 0; nid < m->config.nr_nodes; nid++) {
			fn(&s->node[nid]->list_lock);
			if (s->node[nid]->barn)
				fn(&s->node[nid]->barn->lock);
		}
		fn(&s->lent_lock);
	}
	for (cpu = 0; cpu < m->config.nr_cpu_ids; cpu++)
		fn(&m->krc_lock[cpu]);
	fn(&m->cpus_lock);
	fn(&m->slab_mutex);
	fn(&m->flush_lock);
	fn(&m->rcu_queue_lock);
	fn(&m->report_lock);
	fn(&m->pages_lock);
	fn(depot_lock(m));
	fn(&m->meta_lock);
}

static unsigned int nr_fast(const struct slab_sheaf *sheaf)
{
	struct kmem_cache *s;
	unsigned int cpu, nr = 0;

	list_for_each_entry(s, &m->slab_caches, list)
		for (cpu = 0; cpu < m->config.nr_cpu_ids; cpu++)
			nr += s->cpu_sheaves[cpu].fast != sheaf;
	return nr;
}

static size_t nr_done;

/* Each of them ends in a path of another kind. */
static void *count_operations(void *arg)
{
	while (!over()) {
		if (arg)
			kmem_cache_free(shared,
					kmem_cache_alloc(shared, GFP_KERNEL));
		else
			kfree(kmalloc(20000, GFP_KERNEL));
		__atomic_fetch_add(&nr_done, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static bool nothing_is_held(void)
{
	look_at_all_locks();
	return !strcmp(one_held, "none") &&
	       nr_fast(locked_sheaf) == nr_fast(drained_sheaf);
}

static size_t nr_counted(void)
{
	return __atomic_load_n(&nr_done, __ATOMIC_RELAXED);
}

static void nothing_moves_during_a_fork(void **state)
{
	unsigned int not_drained;
	size_t before, after;

	(void)state;
	make_caches();
	use(0, debug); /* the depot is there */
	nr_done = 0;
	team_add(&team, count_operations, NULL);
	team_add(&team, count_operations, &team);
	team_run(&team, 0);
	fork_prepare();
	before = nr_counted();
	usleep(70000);
	after = nr_counted();
	not_drained = m->percpu == PERCPU_RSEQ ? nr_fast(drained_sheaf) : 0;
	look_at_all_locks();
	fork_parent();
	assert_string_equal(one_free, "none");
	/* each of the two may yet have had to count what it had done */
	assert_in_range(after, before, before + 2);
	assert_int_equal(not_drained, 0);
	WAIT_FOR(nr_counted() > before + 4);
	assert_true(nr_counted() > before + 4);
	team_stop(&team);
	/* RCU's worker may hold one for a moment */
	kvfree_rcu_barrier();
	WAIT_FOR(nothing_is_held());
	assert_string_equal(one_held, "none");
	assert_int_equal(nr_fast(locked_sheaf), nr_fast(drained_sheaf));
	destroy_caches();
}

static bool has_forked;

static void *fork_once(void *arg)
{
	pid_t child = fork();

	(void)arg;
	if (!child)
		_exit(0);
	__atomic_store_n(&has_forked, true, __ATOMIC_RELEASE);
	return (void *)(intptr_t)child;
}

static void a_fork_waits_until_the_machine_is_made(void **state)
{
	pthread_t thread;
	bool too_early;
	int cancel;
	void *ret;

	(void)state;
	has_forked = false;
	cancel = fork_making_begin();
	assert_int_equal(pthread_create(&thread, NULL, fork_once, NULL), 0);
	usleep(50000);
	too_early = __atomic_load_n(&has_forked, __ATOMIC_ACQUIRE);
	fork_making_end(cancel);
	pthread_join(thread, &ret);
	assert_int_equal(status_of((pid_t)(intptr_t)ret), 0);
	assert_false(too_early);
}

static void fork_and_exec(void *arg, const struct slab_report *report)
{
	pid_t child = fork();

	(void)report;
	if (!child) {
		execlp("true", "true", NULL);
		_exit(127);
	}
	*(int *)arg = status_of(child);
}

static void a_sink_may_fork_and_exec(void **state)
{
	int in_a_path = -1, under_a_lock = -1;
	struct kmem_cache *s;
	void *object;

	(void)state;
	make_caches();
	object = kmem_cache_alloc(debug, GFP_KERNEL);
	kmem_cache_free(debug, object);
	assert_int_equal(slab_machine_add_sink(m, fork_and_exec, &in_a_path),
			 0);
	kmem_cache_free(debug, object);
	slab_machine_remove_sink(m, fork_and_exec, &in_a_path);
	assert_int_equal(in_a_path, 0);
	s = kmem_cache_create("left", 64, NULL, SLAB_NO_MERGE);
	assert_non_null(kmem_cache_alloc(s, GFP_KERNEL));
	assert_int_equal(slab_machine_add_sink(m, fork_and_exec, &under_a_lock),
			 0);
	assert_int_equal(kmem_cache_destroy(s), -EBUSY);
	slab_machine_remove_sink(m, fork_and_exec, &under_a_lock);
	assert_int_equal(under_a_lock, 0);
	assert_true(nr_said > 0);
	nr_said = 0;
	fork_often(1);
}

/* ---- readers ---- */
static uint32_t is_reading;

static void *read_all_the_time(void *arg)
{
	(void)arg;
	urcu_memb_register_thread();
	urcu_memb_read_lock();
	__atomic_store_n(&is_reading, 1, __ATOMIC_RELEASE);
	while (!over())
		usleep(1000);
	urcu_memb_read_unlock();
	urcu_memb_unregister_thread();
	return NULL;
}

/* liburcu counts the reader in the child for ever: nobody may wait for it. */
static void a_child_without_its_parents_reader_does_not_hang(void **state)
{
	unsigned int i;
	pid_t child;

	(void)state;
	make_caches();
	is_reading = 0;
	team_add(&team, read_all_the_time, NULL);
	WAIT_FOR(__atomic_load_n(&is_reading, __ATOMIC_ACQUIRE));
	for (i = 0; i < 1000; i++)
		kfree_rcu(kmem_cache_alloc(shared, GFP_KERNEL));
	usleep(20000); /* the worker waits for the reader */
	/* nobody ends the reader's section meanwhile */
	alarm(patience());
	child = fork();
	if (!child) {
		alarm(patience());
		use(50, shared);
		kvfree_rcu_barrier();
		use(51, shared);
		/* objects wait for ever, so it can not go */
		MUST(52, kmem_cache_destroy(shared) == -EBUSY);
		_exit(0);
	}
	assert_int_equal(status_of(child), 0);
	alarm(0);
	team_stop(&team);
	kvfree_rcu_barrier();
	destroy_caches();
}

static void a_reader_may_fork(void **state)
{
	unsigned int i;
	pid_t child;

	(void)state;
	make_caches();
	for (i = 0; i < 1000; i++)
		kfree_rcu(kmem_cache_alloc(shared, GFP_KERNEL));
	urcu_memb_register_thread();
	urcu_memb_read_lock();
	for (i = 0; i < 1000; i++)
		kfree_rcu(kmem_cache_alloc(shared, GFP_KERNEL));
	usleep(20000);
	child = fork();
	if (!child) {
		alarm(patience());
		use(60, shared);
		urcu_memb_read_unlock();
		kvfree_rcu_barrier();
		_exit(0);
	}
	assert_int_equal(status_of(child), 0);
	urcu_memb_read_unlock();
	urcu_memb_unregister_thread();
	destroy_caches();
}

/* ---- signals, the first machine ---- */
static unsigned int nr_signals;

static void on_signal(int number)
{
	void *object = kmalloc_nolock(64, 0, NUMA_NO_NODE);

	(void)number;
	kfree_nolock(object);
	__atomic_fetch_add(&nr_signals, 1, __ATOMIC_RELAXED);
}

static void *send_signals(void *arg)
{
	pid_t all = getpid();

	(void)arg;
	while (!over()) {
		kill(all, SIGUSR1);
		usleep(100);
	}
	return (void *)1;
}

static void handlers_allocate_around_a_fork(void **state)
{
	struct sigaction action = { .sa_handler = on_signal,
				    .sa_flags = SA_RESTART };
	sigset_t before;

	(void)state;
	nr_signals = 0;
	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
	FORK_WITH(send_signals, plain_work, rcu_work);
	WAIT_FOR(__atomic_load_n(&nr_signals, __ATOMIC_RELAXED));
	assert_true(nr_signals > 0);
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	assert_false(sigismember(&before, SIGUSR1));
	signal(SIGUSR1, SIG_IGN);
}

static void *make_and_destroy_machines(void *arg)
{
	size_t rounds = 0;

	(void)arg;
	while (!over()) {
		slab_machine_destroy(m);
		if (slab_machine_create_native(NULL, &m))
			abort();
		rounds++;
	}
	return (void *)rounds;
}

static void a_fork_while_the_machine_is_made(void **state)
{
	unsigned int i;

	(void)state;
	team_add(&team, make_and_destroy_machines, NULL);
	team_run(&team, 0);
	for (i = 0; i < 100; i++) {
		pid_t child = fork();

		if (!child) {
			void *object;

			alarm(patience());
			object = kmalloc(100, GFP_KERNEL);
			MUST(70, object);
			kfree_rcu(object);
			kvfree_rcu_barrier();
			_exit(0);
		}
		assert_int_equal(status_of(child), 0);
	}
	assert_true(team_stop(&team) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		native_test(both_go_on_beside_fast_paths),
		native_test(both_go_on_beside_slow_paths),
		native_test(both_go_on_beside_kfree_rcu),
		native_test(both_go_on_beside_caches_that_come_and_go),
		native_test(both_go_on_beside_debug_caches),
		native_test(both_go_on_without_rseq),
		native_test(both_go_on_with_slab_lock),
		native_test(several_threads_may_fork),
		native_test(a_grandchild_goes_on),
		native_test(inline_paths_of_a_child_are_open),
		native_test(nothing_moves_during_a_fork),
		native_test(a_fork_waits_until_the_machine_is_made),
		native_test(a_sink_may_fork_and_exec),
		native_test(a_child_without_its_parents_reader_does_not_hang),
		native_test(a_reader_may_fork),
		native_test(handlers_allocate_around_a_fork),
		native_test(a_fork_while_the_machine_is_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
