/* SPDX-License-Identifier: MIT */
/* A native machine is as new behind slab_machine_reset(), and what waited for
 * a grace period never runs. */
#define _GNU_SOURCE
#include "../native.h"

#include <dirent.h>
#include <sched.h>
#include <unistd.h>

/* liburcu's is called as ours */
#define rcu_head urcu_head
#include <urcu/urcu-memb.h>
#undef rcu_head

#include "cache/cache.h"
#include "inspect/check.h"
#include "machine/machine.h"

#define OBJECTS 500U

static uint32_t stage;

static void *read_a_while(void *arg)
{
	(void)arg;
	urcu_memb_register_thread();
	urcu_memb_read_lock();
	__atomic_store_n(&stage, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&stage, __ATOMIC_ACQUIRE) != 2)
		sched_yield();
	/* whoever waits for this one waits */
	usleep(20000);
	urcu_memb_read_unlock();
	urcu_memb_unregister_thread();
	return NULL;
}

static void give_to_rcu(struct kmem_cache *s)
{
	void *p[OBJECTS];
	unsigned int i;

	assert_non_null(s);
	for (i = 0; i < OBJECTS; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (i = 0; i < OBJECTS; i++)
		kfree_rcu(p[i]);
}

static unsigned int nr_callbacks;

static void count_callbacks(void *arg, enum slab_point_kind point)
{
	(void)arg;
	if (point == SLAB_POINT_RCU_CALLBACK)
		__atomic_fetch_add(&nr_callbacks, 1, __ATOMIC_RELAXED);
}

static unsigned int nr_threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	unsigned int nr = 0;
	struct dirent *entry;

	assert_non_null(tasks);
	while ((entry = readdir(tasks)))
		nr += entry->d_name[0] != '.';
	closedir(tasks);
	return nr;
}

/* Everything works as on the first day. */
static void use_it(void)
{
	struct kmem_cache *s =
		kmem_cache_create("again", 128, NULL, SLAB_NO_MERGE);
	unsigned int i;
	void *p;

	assert_non_null(s);
	for (i = 0; i < 20; i++) {
		give_to_rcu(s);
		p = kmalloc(100 * i + 1, GFP_KERNEL);
		assert_non_null(p);
		memset(p, 0x11, 100 * i + 1);
		kfree(p);
	}
	kvfree_rcu_barrier();
	assert_int_equal(slab_machine_rcu_pending(m), 0);
	assert_null(cache_check_users(s, 0));
	assert_int_equal(kmem_cache_destroy(s), 0);
	assert_int_equal(nr_said, 0);
}

static void what_waits_is_gone(void **state)
{
	pthread_t reader;

	(void)state;
	stage = 0;
	assert_int_equal(pthread_create(&reader, NULL, read_a_while, NULL), 0);
	while (!__atomic_load_n(&stage, __ATOMIC_ACQUIRE))
		sched_yield();
	give_to_rcu(kmem_cache_create("waits", 128, NULL, SLAB_NO_MERGE));
	give_to_rcu(kmem_cache_create("debug", 64, NULL, SLAB_POISON));
	while (!__atomic_load_n(&m->rcu_grace, __ATOMIC_RELAXED))
		sched_yield();
	assert_true(slab_machine_rcu_pending(m) > 0);
	__atomic_store_n(&stage, 2, __ATOMIC_RELEASE);
	slab_machine_reset(m);
	pthread_join(reader, NULL);
	assert_int_equal(slab_machine_rcu_pending(m), 0);
	assert_int_equal(m->rcu_worker.state, RCU_NO_WORKER);
	assert_null(m->rcu_grace);
	assert_null(m->rcu_ready);
	use_it();
}

/* Callbacks that were queued without anybody to run them; and a worker that
 * sleeps: neither does anything behind the reset. */
static void nothing_of_before_runs(void **state)
{
	(void)state;
	m->rcu_worker.state = RCU_WORKER_STARTS; /* nobody makes one */
	give_to_rcu(kmem_cache_create("waits", 128, NULL, SLAB_NO_MERGE));
	give_to_rcu(kmem_cache_create("debug", 64, NULL, SLAB_POISON));
	assert_true(slab_machine_rcu_pending(m) > 0);
	m->rcu_worker.state = RCU_NO_WORKER;
	slab_machine_reset(m);
	nr_callbacks = 0;
	slab_machine_set_point_hook(m, count_callbacks, NULL);
	slab_machine_rcu_barrier(m);
	kvfree_rcu_barrier();
	assert_int_equal(nr_callbacks, 0);
	slab_machine_set_point_hook(m, NULL, NULL);
	use_it();
}

static void the_worker_ends(void **state)
{
	unsigned int before = nr_threads(), i;

	(void)state;
	for (i = 0; i < 50; i++) {
		give_to_rcu(kmem_cache_create("waits", 128, NULL,
					      SLAB_NO_MERGE));
		assert_int_equal(m->rcu_worker.state, RCU_WORKER_RUNS);
		slab_machine_reset(m);
		/* one that was joined may stand in /proc for a moment yet */
		WAIT_FOR(nr_threads() == before);
		assert_int_equal(nr_threads(), before);
	}
	use_it();
}

/* Who it is, and what it was made with. */
static void it_knows_what_it_was_made_with(void **state)
{
	char debug[] = "P,first;Z,second";
	struct kmem_cache *s;
	unsigned int i;

	native_teardown(state);
	native_open(&(struct slab_machine_config){ .slab_debug = debug });
	memset(debug, 'x', sizeof(debug) - 1); /* its copy is its own */
	for (i = 0; i < 3; i++) {
		s = kmem_cache_create("first", 64, NULL, 0);
		assert_true(s && s->flags & SLAB_POISON);
		s = kmem_cache_create("second", 64, NULL, 0);
		assert_true(s && s->flags & SLAB_RED_ZONE);
		s = kmem_cache_create("third", 64, NULL, 0);
		assert_false(s->flags & (SLAB_POISON | SLAB_RED_ZONE));
		assert_int_equal(m->pid, getpid());
		assert_non_null(m->kmalloc[KMALLOC_NORMAL][1]);
		slab_machine_reset(m);
	}
	use_it();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		native_test(what_waits_is_gone),
		native_test(nothing_of_before_runs),
		native_test(the_worker_ends),
		native_test(it_knows_what_it_was_made_with),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
