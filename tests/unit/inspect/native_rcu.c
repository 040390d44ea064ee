/* SPDX-License-Identifier: MIT */
/* What waits for readers is told so at each stage of its way. */
#define _GNU_SOURCE
#include "../native.h"

#include <sched.h>
#include <slab/inspect.h>

/* liburcu's is called as ours */
#define rcu_head urcu_head
#include <urcu/urcu-memb.h>
#undef rcu_head

#include "cache/cache.h"
#include "inspect/check.h"
#include "machine/machine.h"

static struct slab_target *target;
static struct kmem_cache *s;

static int setup(void **state)
{
	native_setup(state);
	return slab_target_open_self(m, &target);
}

static int teardown(void **state)
{
	slab_target_close(target);
	return native_teardown(state);
}

/* ---- grace periods and callbacks that last as long as a test wants ---- */
static uint32_t may_end, callbacks;

static void *tick(void *arg)
{
	(void)arg;
	slab_machine_rcu_tick(m);
	return NULL;
}

static void hold_callbacks(void *arg, enum slab_point_kind point)
{
	(void)arg;
	if (point != SLAB_POINT_RCU_CALLBACK)
		return;
	__atomic_fetch_add(&callbacks, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&may_end, __ATOMIC_ACQUIRE))
		sched_yield();
}

#define UNTIL(condition)         \
	while (!(condition))     \
		sched_yield()

static struct rcu_head *list_of(struct rcu_head **list)
{
	return __atomic_load_n(list, __ATOMIC_RELAXED);
}

/* ---- what is told of them ---- */
static void is_told_to_wait(unsigned int nr, void *const *p)
{
	struct slab_cache_info info;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		struct slab_address_info at;

		assert_int_equal(
			slab_target_identify(target, (uintptr_t)p[i], &at), 0);
		assert_string_equal(slab_owner_name(at.object.owner), "rcu");
	}
	assert_int_equal(slab_target_cache(target, s->name, &info), 0);
	assert_int_equal(info.owned[SLAB_OWNER_RCU], nr);
	assert_int_equal(info.owned[SLAB_OWNER_USER], 0);
	assert_int_equal(slab_target_verify(target, (uintptr_t)s, native_sink,
					    NULL),
			 0);
	assert_null(cache_check_users(s, 0));
	assert_int_equal(nr_said, 0);
}

#define OBJECTS 100U

/*
 * One object after the other through three stages: waits for a grace period,
 * is in one (a thread reads), is behind one (who runs callbacks hangs in the
 * first, which is of another cache).
 */
static void through_all_stages(slab_flags_t flags)
{
	struct kmem_cache *other = kmem_cache_create("other", 64, NULL,
						     SLAB_NO_MERGE | SLAB_POISON);
	pthread_t ticker;
	void *p[OBJECTS];
	unsigned int i;

	s = kmem_cache_create("waits", 128, NULL, SLAB_NO_MERGE | flags);
	assert_true(s && other);
	for (i = 0; i < OBJECTS; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	/* no worker: what happens is what this test does */
	m->rcu_worker.state = RCU_WORKER_STARTS;
	may_end = callbacks = 0;
	kfree_rcu(kmem_cache_alloc(other, GFP_KERNEL));
	for (i = 0; i < m->config.nr_cpu_ids; i++)
		machine_krc_drain(m, i);
	for (i = 0; i < OBJECTS; i++)
		kfree_rcu(p[i]);
	is_told_to_wait(OBJECTS, p);

	urcu_memb_register_thread();
	urcu_memb_read_lock();
	slab_machine_set_point_hook(m, hold_callbacks, NULL);
	assert_int_equal(pthread_create(&ticker, NULL, tick, NULL), 0);
	UNTIL(list_of(&m->rcu_grace));
	is_told_to_wait(OBJECTS, p);

	urcu_memb_read_unlock();
	urcu_memb_unregister_thread();
	UNTIL(__atomic_load_n(&callbacks, __ATOMIC_ACQUIRE));
	if (flags) /* in batches; else they are in rcu_free still */
		assert_non_null(list_of(&m->rcu_ready));
	is_told_to_wait(OBJECTS, p);

	__atomic_store_n(&may_end, 1, __ATOMIC_RELEASE);
	pthread_join(ticker, NULL);
	slab_machine_set_point_hook(m, NULL, NULL);
	m->rcu_worker.state = RCU_NO_WORKER;
	kvfree_rcu_barrier();
	assert_int_equal(slab_machine_rcu_pending(m), 0);
	assert_int_equal(kmem_cache_destroy(s), 0);
	assert_int_equal(kmem_cache_destroy(other), 0);
}

static void objects_of_batches_wait_at_each_stage(void **state)
{
	(void)state;
	through_all_stages(SLAB_POISON);
}

static void tracked_objects_too(void **state)
{
	(void)state;
	through_all_stages(SLAB_POISON | SLAB_RED_ZONE | SLAB_STORE_USER |
			   SLAB_CONSISTENCY_CHECKS);
}

/* Sheaves: full ones are handed to RCU, the last one is in rcu_free still. */
static void objects_of_sheaves_wait_at_each_stage(void **state)
{
	(void)state;
	through_all_stages(0);
}

/* ---- while everything moves ---- */
static void *free_behind_readers(void *arg)
{
	void *p[64];
	unsigned int i;

	(void)arg;
	while (!over()) {
		for (i = 0; i < 64; i++)
			p[i] = kmem_cache_alloc(s, GFP_KERNEL);
		for (i = 0; i < 64; i++)
			kfree_rcu(p[i]);
	}
	return NULL;
}

/* They go from stage to stage, and are on one list at a time. */
static void none_is_told_twice_while_they_move(void **state)
{
	struct slab_sheaf_info *sheaves;
	unsigned int i;
	size_t nr, k;

	(void)state;
#if defined(__SANITIZE_THREAD__)
	print_message("ThreadSanitizer: a look is a race by its nature\n");
	skip();
#endif
	s = kmem_cache_create("waits", 128, NULL, SLAB_NO_MERGE);
	for (i = 0; i < 2; i++)
		team_add(&team, free_behind_readers, NULL);
	for (i = 0; i < 500; i++) {
		assert_int_equal(slab_target_sheaves(target, (uintptr_t)s,
						     &sheaves, &nr),
				 0);
		/* in RCU: each one once, for its lists hold still */
		for (k = 0; k < nr; k++) {
			size_t other;

			if (sheaves[k].place != SLAB_OWNER_RCU ||
			    sheaves[k].cpu >= 0)
				continue;
			for (other = 0; other < k; other++)
				if (sheaves[other].place == SLAB_OWNER_RCU &&
				    sheaves[other].cpu < 0)
					assert_true(sheaves[other].sheaf !=
						    sheaves[k].sheaf);
		}
		free(sheaves);
	}
	team_stop(&team);
	if (slab_target_verify(target, (uintptr_t)s, native_sink, NULL))
		fail_msg("found: %s", said);
	kvfree_rcu_barrier();
	assert_int_equal(kmem_cache_destroy(s), 0);
	assert_int_equal(nr_said, 0);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(objects_of_batches_wait_at_each_stage),
		test(tracked_objects_too),
		test(objects_of_sheaves_wait_at_each_stage),
		test(none_is_told_twice_while_they_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
