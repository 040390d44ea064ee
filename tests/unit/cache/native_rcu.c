/* SPDX-License-Identifier: MIT */
/* RCU of the native machine: readers, the worker, barriers, batches. */
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
#include "machine/rcu.h"
#include "slab/cpu.h"

#define OBJECTS 500U

/* Tools that watch memory order do not see liburcu's. */
#if defined(__SANITIZE_THREAD__)
void __tsan_release(void *at);
#define SAY_READ() __tsan_release(m)
#else
#define SAY_READ() ((void)0)
#endif

/* ---- a reader ---- */
enum stage { READER_NONE, READER_READS, READER_MAY_GO, READER_GONE };

struct reader {
	uint32_t stage;
	pthread_t thread;
};

static void set_stage(struct reader *r, uint32_t stage)
{
	__atomic_store_n(&r->stage, stage, __ATOMIC_RELEASE);
}

static void wait_stage(const struct reader *r, uint32_t stage)
{
	WAIT_FOR(__atomic_load_n(&r->stage, __ATOMIC_ACQUIRE) >= stage);
	assert_true(__atomic_load_n(&r->stage, __ATOMIC_ACQUIRE) >= stage);
}

static void *read_until_told(void *arg)
{
	struct reader *r = arg;

	urcu_memb_register_thread();
	urcu_memb_read_lock();
	set_stage(r, READER_READS);
	while (__atomic_load_n(&r->stage, __ATOMIC_ACQUIRE) < READER_MAY_GO)
		usleep(1000);
	SAY_READ();
	urcu_memb_read_unlock();
	urcu_memb_unregister_thread();
	set_stage(r, READER_GONE);
	return NULL;
}

static void reader_begin(struct reader *r)
{
	r->stage = READER_NONE;
	assert_int_equal(pthread_create(&r->thread, NULL, read_until_told, r),
			 0);
	wait_stage(r, READER_READS);
}

static void reader_end(struct reader *r)
{
	set_stage(r, READER_MAY_GO);
	pthread_join(r->thread, NULL);
}

/* ---- objects ---- */
static struct kmem_cache *make_cache(const char *name, slab_flags_t flags)
{
	struct kmem_cache *s =
		kmem_cache_create(name, 128, NULL, flags | SLAB_NO_MERGE);

	assert_non_null(s);
	return s;
}

static void get(struct kmem_cache *s, unsigned int nr, void **p)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
		assert_non_null(p[i]);
	}
}

static void rcu_all(unsigned int nr, void **p)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		kfree_rcu(p[i]);
}

static bool has_any(unsigned int nr, void **p, unsigned int nr_q, void **q)
{
	unsigned int i, k;

	for (i = 0; i < nr; i++)
		for (k = 0; k < nr_q; k++)
			if (p[i] == q[k])
				return true;
	return false;
}

/* All of a cache is home when not one slab is left after all sheaves were
 * flushed: what waits in RCU would keep its slab. */
static void assert_all_home(struct kmem_cache *s)
{
	assert_int_equal(kmem_cache_shrink(s), 0);
}

/* ---- grace periods ---- */
static void an_object_is_not_reused_while_somebody_reads(void **state)
{
	struct kmem_cache *s = make_cache("read", 0);
	void *p[OBJECTS], *q[4 * OBJECTS];
	struct reader r;
	unsigned int i;

	(void)state;
	get(s, OBJECTS, p);
	for (i = 0; i < OBJECTS; i++)
		memset(p[i], 0x5a, 128);
	reader_begin(&r);
	rcu_all(OBJECTS, p);
	usleep(50000); /* some grace periods, were there no reader */
	get(s, 4 * OBJECTS, q);
	assert_false(has_any(OBJECTS, p, 4 * OBJECTS, q));
	for (i = 0; i < OBJECTS; i++)
		assert_int_equal(((uint8_t *)p[i])[i % 128], 0x5a);
	reader_end(&r);
	kvfree_rcu_barrier();
	kmem_cache_free_bulk(s, 4 * OBJECTS, q);
	assert_all_home(s);
	assert_int_equal(kmem_cache_destroy(s), 0);
}

static void the_worker_frees_by_itself_when_readers_are_done(void **state)
{
	struct kmem_cache *s = make_cache("worker", 0);
	void *p[OBJECTS];
	struct reader r;

	(void)state;
	get(s, OBJECTS, p);
	reader_begin(&r);
	rcu_all(OBJECTS, p);
	/* 500 objects are some sheaves, on however many CPUs */
	slab_cache_flush_all(m, s);
	usleep(20000);
	assert_true(slab_machine_rcu_pending(m) >= 2);
	reader_end(&r);
	WAIT_FOR(!slab_machine_rcu_pending(m));
	assert_int_equal(slab_machine_rcu_pending(m), 0);
	assert_int_equal(kmem_cache_destroy(s), 0);
}

/* The pages of a slab that is gone must not be anybody's. */
static void memory_of_a_typesafe_slab_stays_while_somebody_reads(void **state)
{
	struct kmem_cache *s = make_cache("typesafe", SLAB_TYPESAFE_BY_RCU);
	void *p[OBJECTS], *q[OBJECTS], *blocks[64];
	unsigned long used;
	struct reader r;
	unsigned int i;

	(void)state;
	get(s, OBJECTS, p);
	for (i = 0; i < OBJECTS; i++)
		memset(p[i], 0x77, 128);
	used = slab_machine_pages_used(m);
	reader_begin(&r);
	memcpy(q, p, sizeof(p));
	kmem_cache_free_bulk(s, OBJECTS, q);
	assert_int_equal(kmem_cache_shrink(s), 0);
	assert_true(slab_machine_rcu_pending(m) > 0);
	usleep(20000);
	assert_true(slab_machine_rcu_pending(m) > 0);
	assert_int_equal(slab_machine_pages_used(m), used);
	/* nobody else gets them, and nobody has written there */
	for (i = 0; i < 64; i++) {
		blocks[i] = slab_machine_alloc_pages(m, 3);
		assert_non_null(blocks[i]);
		memset(blocks[i], 0xee, 8 << 12);
	}
	for (i = 0; i < OBJECTS; i++)
		assert_int_not_equal(((uint8_t *)p[i])[120], 0xee);
	for (i = 0; i < 64; i++)
		slab_machine_free_pages(m, blocks[i]);
	reader_end(&r);
	slab_machine_rcu_barrier(m);
	assert_int_equal(slab_machine_rcu_pending(m), 0);
	assert_true(slab_machine_pages_used(m) < used);
	assert_int_equal(kmem_cache_destroy(s), 0);
}

static void kfree_rcu_does_not_wait_inside_a_read_side_section(void **state)
{
	struct kmem_cache *s = make_cache("inside", 0);
	void *p[4 * OBJECTS];

	(void)state;
	get(s, 4 * OBJECTS, p);
	urcu_memb_register_thread();
	urcu_memb_read_lock();
	/* it would wait for itself */
	alarm(patience());
	rcu_all(4 * OBJECTS, p);
	alarm(0);
	SAY_READ();
	urcu_memb_read_unlock();
	urcu_memb_unregister_thread();
	assert_int_equal(kmem_cache_destroy(s), 0);
}

static void a_barrier_inside_a_read_side_section_says_so(void **state)
{
	struct kmem_cache *s = make_cache("says", 0);
	void *p[OBJECTS];

	(void)state;
	get(s, OBJECTS, p);
	urcu_memb_register_thread();
	urcu_memb_read_lock();
	rcu_all(OBJECTS, p);
	kvfree_rcu_barrier();
	assert_int_equal(nr_said, 1);
	assert_non_null(strstr(said, "it waits for nothing"));
	assert_int_equal(slab_machine_rcu_tick(m), 0);
	SAY_READ();
	urcu_memb_read_unlock();
	urcu_memb_unregister_thread();
	kvfree_rcu_barrier();
	assert_int_equal(nr_said, 1);
	assert_all_home(s);
	assert_int_equal(kmem_cache_destroy(s), 0);
}

/* A reader may wait for slab_mutex, as a first kmalloc() of a size does. */
static void *destroy_it(void *arg)
{
	return (void *)(intptr_t)kmem_cache_destroy(arg);
}

static void nobody_waits_for_readers_under_slab_mutex(void **state)
{
	struct kmem_cache *s = make_cache("mutex", 0), *other;
	void *p[OBJECTS], *ret;
	pthread_t thread;
	struct reader r;

	(void)state;
	get(s, OBJECTS, p);
	reader_begin(&r);
	rcu_all(OBJECTS, p);
	assert_int_equal(pthread_create(&thread, NULL, destroy_it, s), 0);
	usleep(50000);
	/* as in the reader's section: it would never end */
	other = make_cache("made meanwhile", 0);
	reader_end(&r);
	pthread_join(thread, &ret);
	assert_int_equal((intptr_t)ret, 0);
	assert_int_equal(kmem_cache_destroy(other), 0);
}

/* ---- barriers ---- */
static struct kmem_cache *shared;
static size_t nr_wrong;

/* Whatever was freed before a barrier is home after it, on whichever CPUs. */
static void *free_and_count(void *arg)
{
	char name[32];
	void *p[OBJECTS];
	struct kmem_cache *s;
	size_t rounds = 0;

	snprintf(name, sizeof(name), "counted %zu", (size_t)arg);
	s = kmem_cache_create(name, 96, NULL, SLAB_NO_MERGE);
	if (!s)
		return NULL;
	while (!over()) {
		unsigned int i;

		for (i = 0; i < OBJECTS; i++)
			p[i] = kmem_cache_alloc(s, GFP_KERNEL);
		for (i = 0; i < OBJECTS; i++) {
			kfree_rcu(p[i]);
			if (i % 50 == 49)
				sched_yield();
		}
		if (rounds & 1)
			kvfree_rcu_barrier();
		else
			kvfree_rcu_barrier_on_cache(s);
		if (kmem_cache_shrink(s))
			__atomic_fetch_add(&nr_wrong, 1, __ATOMIC_RELAXED);
		rounds++;
	}
	kmem_cache_destroy(s);
	return (void *)rounds;
}

/* Detaches rcu_free of every CPU, all the time (H13). */
static void *flush_everything(void *arg)
{
	(void)arg;
	while (!over()) {
		slab_cache_flush_all(m, NULL);
		slab_machine_rcu_tick(m);
	}
	return NULL;
}

static void *free_by_rcu(void *arg)
{
	size_t nr = 0;

	(void)arg;
	while (!over()) {
		void *p[64];
		unsigned int i;

		for (i = 0; i < 64; i++)
			p[i] = kmem_cache_alloc(shared, GFP_KERNEL);
		for (i = 0; i < 64; i++)
			kfree_rcu(p[i]);
		nr += 64;
	}
	return (void *)nr;
}

static void after_a_barrier_all_is_free(void **state)
{
	size_t sum;

	(void)state;
	nr_wrong = 0;
	shared = make_cache("shared", 0);
	team_add(&team, free_and_count, (void *)1);
	team_add(&team, free_and_count, (void *)2);
	team_add(&team, flush_everything, NULL);
	team_add(&team, free_by_rcu, NULL);
	team_run(&team, 2000);
	sum = team_stop(&team);
	assert_true(sum > 0);
	assert_int_equal(nr_wrong, 0);
	assert_int_equal(kmem_cache_destroy(shared), 0);
	assert_int_equal(nr_said, 0);
}

/* Callbacks that are held up, by a hook. */
static uint32_t nr_held, nr_may_go;

static void hold_up(void *arg, const struct slab_event *event)
{
	uint32_t mine;

	(void)arg;
	if (event->kind != SLAB_EVENT_RCU_SHEAF_DONE)
		return;
	mine = __atomic_add_fetch(&nr_held, 1, __ATOMIC_ACQ_REL);
	WAIT_FOR(__atomic_load_n(&nr_may_go, __ATOMIC_ACQUIRE) >= mine);
}

static uint32_t barrier_is_over;

static void *wait_in_a_barrier(void *arg)
{
	slab_machine_rcu_barrier(m);
	__atomic_store_n(&barrier_is_over, 1, __ATOMIC_RELEASE);
	return arg;
}

static void *free_and_help(void *arg)
{
	kfree_rcu(arg);
	return NULL;
}

static void a_barrier_waits_for_callbacks_that_others_run(void **state)
{
	struct kmem_cache *s = make_cache("held up", 0);
	pthread_t waits, helps;
	void *p[OBJECTS];
	bool too_early;

	(void)state;
	nr_held = nr_may_go = barrier_is_over = 0;
	m->rcu_worker.retry = UINT64_MAX;
	get(s, 3 * s->sheaf_capacity, p);
	slab_machine_set_event_hook(m, hold_up, NULL);
	/* two callbacks: one full sheaf each, wherever the thread ran */
	rcu_all(2 * s->sheaf_capacity, p);
	slab_cache_flush_all(m, s);
	assert_true(slab_machine_rcu_pending(m) >= 2);
	assert_int_equal(pthread_create(&waits, NULL, wait_in_a_barrier, NULL),
			 0);
	WAIT_FOR(__atomic_load_n(&nr_held, __ATOMIC_ACQUIRE) == 1);
	assert_int_equal(pthread_create(&helps, NULL, free_and_help,
					p[2 * s->sheaf_capacity]),
			 0);
	WAIT_FOR(__atomic_load_n(&nr_held, __ATOMIC_ACQUIRE) == 2);
	assert_int_equal(nr_held, 2);
	/* the barrier's own go on, the helper's does not */
	__atomic_store_n(&nr_may_go, 1, __ATOMIC_RELEASE);
	usleep(50000);
	too_early = __atomic_load_n(&barrier_is_over, __ATOMIC_ACQUIRE);
	__atomic_store_n(&nr_may_go, UINT32_MAX, __ATOMIC_RELEASE);
	pthread_join(waits, NULL);
	pthread_join(helps, NULL);
	slab_machine_set_event_hook(m, NULL, NULL);
	assert_false(too_early);
	kmem_cache_free_bulk(s, s->sheaf_capacity - 1,
			     p + 2 * s->sheaf_capacity + 1);
	m->rcu_worker.retry = 0;
	assert_int_equal(kmem_cache_destroy(s), 0);
}

static void what_nobody_runs_a_barrier_does(void **state)
{
	struct kmem_cache *s = make_cache("alone", 0);
	void *p[OBJECTS];

	(void)state;
	get(s, OBJECTS, p);
	/* as when no thread can be made */
	m->rcu_worker.retry = UINT64_MAX;
	rcu_all(OBJECTS, p);
	slab_cache_flush_all(m, s);
	usleep(20000);
	assert_true(slab_machine_rcu_pending(m) > 0);
	kvfree_rcu_barrier();
	assert_int_equal(slab_machine_rcu_pending(m), 0);
	assert_all_home(s);
	/* who frees runs what is ready */
	assert_int_equal(m->rcu_worker.state, RCU_NO_WORKER);
	m->rcu_worker.retry = 0;
	assert_int_equal(kmem_cache_destroy(s), 0);
}

static void as_much_is_freed_as_was_given(void **state)
{
	unsigned int i;
	size_t sum;

	(void)state;
	shared = make_cache("many", 0);
	for (i = 0; i < 6; i++)
		team_add(&team, free_by_rcu, NULL);
	team_run(&team, 1000);
	sum = team_stop(&team);
	kvfree_rcu_barrier();
	assert_int_equal(slab_machine_rcu_pending(m), 0);
	assert_all_home(shared);
	assert_true(sum > 0);
	assert_int_equal(kmem_cache_destroy(shared), 0);
}

/* ---- batches ---- */
static unsigned int nr_batched(void)
{
	unsigned int cpu, nr = 0;

	for (cpu = 0; cpu < m->config.nr_cpu_ids; cpu++) {
		machine_krc_lock(m, cpu);
		nr += m->krc[cpu] ? m->krc[cpu]->nr : 0;
		machine_krc_unlock(m, cpu);
	}
	return nr;
}

/* All threads share one CPU's batch, and each is interrupted where it hurts. */
static void yield_at_submit(void *arg, enum slab_point_kind point)
{
	(void)arg;
	if (point == SLAB_POINT_RCU_SUBMIT)
		usleep(1000);
}

static void stay_on_this_cpu(void)
{
	cpu_set_t only;

	CPU_ZERO(&only);
	CPU_SET(0, &only);
	sched_setaffinity(0, sizeof(only), &only);
}

static void *batch_objects(void *arg)
{
	size_t nr = 0;

	(void)arg;
	stay_on_this_cpu();
	while (!over() || nr <= KRC_BLOCK_OBJECTS) {
		/* large ones have no sheaves, nor have debug caches */
		void *large = kmalloc(20000, GFP_KERNEL);
		void *object = kmem_cache_alloc(shared, GFP_KERNEL);

		if (!large || !object)
			break;
		memset(large, 1, 20000);
		kfree_rcu(large);
		kfree_rcu(object);
		nr += 2;
	}
	return (void *)nr;
}

static void batches_of_many_threads_lose_nothing(void **state)
{
	unsigned long used = slab_machine_pages_used(m);
	unsigned int i;
	size_t sum;

	(void)state;
	shared = make_cache("debug", SLAB_RED_ZONE | SLAB_POISON |
					     SLAB_CONSISTENCY_CHECKS);
	slab_machine_set_point_hook(m, yield_at_submit, NULL);
	for (i = 0; i < 4; i++)
		team_add(&team, batch_objects, NULL);
	team_run(&team, 1000);
	sum = team_stop(&team);
	assert_true(sum > KRC_BLOCK_OBJECTS);
	kvfree_rcu_barrier();
	assert_int_equal(nr_batched(), 0);
	assert_all_home(shared);
	assert_int_equal(kmem_cache_destroy(shared), 0);
	assert_int_equal(slab_machine_pages_used(m), used);
	assert_int_equal(nr_said, 0);
}

/* Looked at for a while. As long as none is old enough, all are there: the
 * clock is asked last, and the oldest may be as old as it can be. */
static void batches_stay_until(uint64_t old)
{
	unsigned int i, nr;

	for (i = 0; i < 20; i++) {
		nr = nr_batched();
		if (slab_machine_jiffies(m) >= old)
			return;
		assert_int_equal(nr, 1);
		usleep(1000);
	}
}

static void an_old_batch_goes_without_a_call(void **state)
{
	uint64_t begin = slab_machine_jiffies(m), older;
	unsigned int cpu;

	(void)state;
	kfree_rcu(kmalloc(20000, GFP_KERNEL));
	batches_stay_until(begin + KRC_DRAIN_JIFFIES);
	/* half a second is left for it to be there */
	older = KRC_DRAIN_JIFFIES - 500;
	for (cpu = 0; cpu < m->config.nr_cpu_ids; cpu++) {
		machine_krc_lock(m, cpu);
		if (m->krc[cpu])
			m->krc[cpu]->since -= older;
		machine_krc_unlock(m, cpu);
	}
	machine_rcu_kick(m); /* it looks how long to sleep */
	batches_stay_until(begin + KRC_DRAIN_JIFFIES - older);
	WAIT_FOR(!nr_batched() && !slab_machine_rcu_pending(m));
	assert_int_equal(nr_batched(), 0);
	assert_int_equal(slab_machine_rcu_pending(m), 0);
}

static void a_batch_is_of_the_native_machine_whatever_is_current(void **state)
{
	struct kmem_cache *s = make_cache("native", SLAB_RED_ZONE);
	void *p[OBJECTS];
	struct slab_machine *v;

	(void)state;
	get(s, OBJECTS, p);
	rcu_all(OBJECTS, p);
	assert_int_equal(slab_machine_create_virtual(NULL, &v), 0);
	slab_machine_use(v);
	slab_machine_rcu_barrier(m);
	assert_true(slab_machine_use(NULL) == v);
	slab_machine_destroy(v);
	assert_all_home(s);
	assert_int_equal(nr_said, 0);
	assert_int_equal(kmem_cache_destroy(s), 0);
}

/* ---- the worker ---- */
#define MAX_THREADS 64U

struct threads {
	pid_t tid[MAX_THREADS];
	unsigned int nr;
};

static struct threads threads_now(void)
{
	struct threads now = { .nr = 0 };
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *entry;

	assert_non_null(tasks);
	while ((entry = readdir(tasks))) {
		if (entry->d_name[0] == '.')
			continue;
		assert_true(now.nr < MAX_THREADS);
		now.tid[now.nr++] = (pid_t)strtol(entry->d_name, NULL, 10);
	}
	closedir(tasks);
	return now;
}

/* How many have come. Who goes is seen there for a moment after it was joined,
 * so those that were there before may go at any time. */
static unsigned int nr_since(const struct threads *before)
{
	struct threads now = threads_now();
	unsigned int nr = 0, i, k;

	for (i = 0; i < now.nr; i++) {
		for (k = 0; k < before->nr; k++)
			if (before->tid[k] == now.tid[i])
				break;
		nr += k == before->nr;
	}
	return nr;
}

static void there_is_no_thread_before_the_first_kfree_rcu(void **state)
{
	struct threads before = threads_now();
	struct kmem_cache *s = make_cache("thread", 0);
	void *p[OBJECTS];

	(void)state;
	get(s, OBJECTS, p);
	kmem_cache_free_bulk(s, OBJECTS - 1, p);
	kvfree_rcu_barrier();
	kmem_cache_shrink(s);
	assert_int_equal(nr_since(&before), 0);
	kfree_rcu(p[OBJECTS - 1]);
	assert_int_equal(nr_since(&before), 1);
	assert_int_equal(kmem_cache_destroy(s), 0);
	slab_machine_destroy(m);
	WAIT_FOR(!nr_since(&before));
	assert_int_equal(nr_since(&before), 0);
	native_open(NULL);
}

static void a_typesafe_cache_has_its_thread_from_the_start(void **state)
{
	struct threads before = threads_now();
	struct kmem_cache *s = make_cache("typesafe", SLAB_TYPESAFE_BY_RCU);

	(void)state;
	assert_int_equal(nr_since(&before), 1);
	assert_int_equal(kmem_cache_destroy(s), 0);
}

static void a_barrier_of_nothing_does_not_wait(void **state)
{
	struct reader r;

	(void)state;
	reader_begin(&r);
	/* the reader reads until this is over */
	alarm(patience());
	kvfree_rcu_barrier();
	alarm(0);
	reader_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		native_test(an_object_is_not_reused_while_somebody_reads),
		native_test(the_worker_frees_by_itself_when_readers_are_done),
		native_test(
			memory_of_a_typesafe_slab_stays_while_somebody_reads),
		native_test(kfree_rcu_does_not_wait_inside_a_read_side_section),
		native_test(a_barrier_inside_a_read_side_section_says_so),
		native_test(nobody_waits_for_readers_under_slab_mutex),
		native_test(after_a_barrier_all_is_free),
		native_test(a_barrier_waits_for_callbacks_that_others_run),
		native_test(what_nobody_runs_a_barrier_does),
		native_test(as_much_is_freed_as_was_given),
		native_test(batches_of_many_threads_lose_nothing),
		native_test(an_old_batch_goes_without_a_call),
		native_test(
			a_batch_is_of_the_native_machine_whatever_is_current),
		native_test(there_is_no_thread_before_the_first_kfree_rcu),
		native_test(a_typesafe_cache_has_its_thread_from_the_start),
		native_test(a_barrier_of_nothing_does_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
