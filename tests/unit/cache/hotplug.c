/* SPDX-License-Identifier: MIT */
/* tests/unit/cache/hotplug.c - CPUs and nodes' memory come and go (3.20, 3.22) */
#include "../sheaves.h"

/* CPU 1, of node 1, has something of everything. */
static struct kmem_cache *busy_cpu_1(void)
{
	struct kmem_cache *s;

	numa();
	s = few();
	slab_cache_set_min_partial(s, 100);
	slab_machine_set_cpu(lab.m, 1);
	arrange(s, "m3 s4 r2 f2 e1");
	slab_machine_set_cpu(lab.m, 0);
	return s;
}

static void a_dead_cpus_sheaves_go_to_their_slabs(void **state)
{
	struct kmem_cache *s = busy_cpu_1();
	struct slab_sheaf *main = pcs_of(s, 1)->main;

	(void)state;
	assert_int_equal(slab_machine_set_cpu_online(lab.m, 1, false), 0);
	assert_false(slab_machine_cpu_online(lab.m, 1));
	/* main stays for its return; the barn is the node's */
	assert_ptr_equal(pcs_of(s, 1)->main, main);
	assert_string_equal(shape_of(s, 1), "m0 s- r- f2 e1");
	assert_int_equal(slab_machine_rcu_pending(lab.m), 1);
	slab_machine_rcu_barrier(lab.m);
	assert_null(cache_check_users(s, 0));
	assert_int_equal(lab.events[SLAB_EVENT_CPU_OFFLINE], 1);
}

static void every_cache_is_flushed(void **state)
{
	struct kmem_cache *s = busy_cpu_1(), *other = few();

	(void)state;
	slab_machine_set_cpu(lab.m, 1);
	arrange_cpu(other, "m2 s- r-");
	slab_machine_set_cpu(lab.m, 0);
	slab_machine_set_cpu_online(lab.m, 1, false);
	assert_int_equal(pcs_of(s, 1)->main->size, 0);
	assert_int_equal(pcs_of(other, 1)->main->size, 0);
}

static void its_batch_waits_for_a_grace_period(void **state)
{
	struct kmem_cache *s;

	(void)state;
	numa();
	s = cache(64, SLAB_POISON);
	slab_machine_set_cpu(lab.m, 1);
	slab_kfree_rcu(alloc(s));
	slab_machine_set_cpu(lab.m, 0);
	slab_machine_set_cpu_online(lab.m, 1, false);
	assert_null(lab.m->krc[1]);
	assert_int_equal(slab_machine_rcu_pending(lab.m), 1);
}

static void it_serves_again_when_it_is_back(void **state)
{
	struct kmem_cache *s = busy_cpu_1();

	(void)state;
	slab_machine_set_cpu_online(lab.m, 1, false);
	assert_int_equal(slab_machine_set_cpu_online(lab.m, 1, true), 0);
	assert_true(slab_machine_cpu_online(lab.m, 1));
	slab_machine_set_cpu(lab.m, 1);
	alloc(s);
	/* from the barn */
	assert_string_equal(shape_of(s, 1), "m3 s- r- f1 e2");
}

static void impossible_cpus_are_refused(void **state)
{
	unsigned int cpu;

	(void)state;
	numa();
	assert_int_equal(slab_machine_set_cpu_online(lab.m, 4, false), -EINVAL);
	assert_int_equal(slab_machine_set_cpu_online(lab.m, 99, true), -EINVAL);
	assert_int_equal(slab_machine_set_cpu_online(lab.m, 0, false), -EBUSY);
	assert_int_equal(slab_machine_set_cpu_online(lab.m, 1, true), 0);
	for (cpu = 1; cpu < 4; cpu++)
		slab_machine_set_cpu_online(lab.m, cpu, false);
	/* the last one, which is the current one, too */
	assert_int_equal(slab_machine_set_cpu_online(lab.m, 0, false), -EBUSY);
	assert_int_equal(slab_machine_set_cpu(lab.m, 1), -EINVAL);
	assert_false(slab_machine_cpu_online(lab.m, 99));
}

static void possible_cpus_have_sheaves_from_the_start(void **state)
{
	struct kmem_cache *s;

	(void)state;
	lab_reopen(
		&(struct slab_machine_config){ .nr_cpus = 1, .nr_cpu_ids = 3 });
	s = few();
	assert_false(slab_machine_cpu_online(lab.m, 2));
	assert_int_equal(slab_machine_set_cpu(lab.m, 2), -EINVAL);
	assert_int_equal(slab_machine_set_cpu_online(lab.m, 2, true), 0);
	assert_int_equal(slab_machine_set_cpu(lab.m, 2), 0);
	kmem_cache_free(s, alloc(s));
	assert_int_equal(pcs_of(s, 2)->main->size, FEW);
	intact(s);
}

static unsigned int locks_seen;

static void look_at_locks(void *m)
{
	struct slab_machine *machine = m;

	locks_seen = (unsigned int)(lock_is_held(&machine->cpus_lock) |
				    lock_is_held(&machine->slab_mutex) << 1);
}

static void it_goes_under_the_lock_of_cpus_and_slab_mutex(void **state)
{
	(void)state;
	busy_cpu_1();
	at(SLAB_POINT_RCU_SUBMIT, 1, look_at_locks, lab.m);
	slab_machine_set_cpu_online(lab.m, 1, false);
	at_end();
	assert_int_equal(locks_seen, 3);
	assert_false(lock_is_held(&lab.m->cpus_lock));
}

/* ---- nodes ---- */
static void a_node_that_loses_its_memory_shrinks_every_cache(void **state)
{
	struct kmem_cache *s = busy_cpu_1();
	void *p;

	(void)state;
	slab_machine_set_cpu(lab.m, 1);
	p = alloc(s);
	slab_machine_set_cpu(lab.m, 0);
	assert_int_equal(slab_machine_set_node_memory(lab.m, 1, false), 0);
	slab_machine_rcu_barrier(lab.m);
	assert_int_equal(s->node[1]->barn->nr_full, 0);
	/* what is in use stays */
	assert_null(cache_check_users(s, 1));
	assert_false(slab_machine_node_memory(lab.m, 1));
	/* its CPUs go to the nearest one with memory */
	slab_machine_set_cpu(lab.m, 1);
	assert_int_equal(slab_of(alloc(s))->node, 0);
	assert_int_equal(slab_of(kmem_cache_alloc_node(s, GFP_KERNEL, 1))->node,
			 1);
	kmem_cache_free(s, p);
	assert_null(cache_check_users(s, 2));
}

static void a_node_that_gets_memory_gets_a_barn(void **state)
{
	struct kmem_cache *s;

	(void)state;
	lab_reopen(&(struct slab_machine_config){
		.nr_cpus = 2, .nr_nodes = 2, .memoryless = 2 });
	s = few();
	assert_null(s->node[1]->barn);
	assert_int_equal(slab_machine_set_node_memory(lab.m, 1, true), 0);
	assert_non_null(s->node[1]->barn);
	slab_machine_set_cpu(lab.m, 1);
	assert_int_equal(slab_of(alloc(s))->node, 1);
	intact(s);
}

static void without_memory_for_a_barn_it_gets_none(void **state)
{
	struct kmem_cache *s;

	(void)state;
	lab_reopen(&(struct slab_machine_config){
		.nr_cpus = 2, .nr_nodes = 2, .memoryless = 2 });
	s = few();
	lab.m->meta.fail_after = 1;
	assert_int_equal(slab_machine_set_node_memory(lab.m, 1, true), -ENOMEM);
	assert_false(slab_machine_node_memory(lab.m, 1));
	assert_int_equal(slab_machine_set_node_memory(lab.m, 1, true), 0);
	intact(s);
}

static void impossible_nodes_are_refused(void **state)
{
	(void)state;
	numa();
	assert_int_equal(slab_machine_set_node_memory(lab.m, 2, false),
			 -EINVAL);
	assert_int_equal(slab_machine_set_node_memory(lab.m, 0, true), 0);
	assert_int_equal(slab_machine_set_node_memory(lab.m, 0, false), 0);
	assert_int_equal(slab_machine_set_node_memory(lab.m, 1, false), -EBUSY);
	assert_false(slab_machine_node_memory(lab.m, 9));
}

static void a_remote_free_of_a_node_without_memory_finds_its_slab(void **state)
{
	struct kmem_cache *s;
	void *p;

	(void)state;
	numa();
	s = few();
	p = kmem_cache_alloc_node(s, GFP_KERNEL, 1);
	slab_machine_set_node_memory(lab.m, 1, false);
	slab_machine_set_cpu(lab.m, 1);
	kmem_cache_free(s, p);
	assert_int_equal(slab_of(p)->inuse, 0);
	assert_int_equal(stat_sum(s, SLAB_STAT_FREE_SLOWPATH), 1);
	assert_null(cache_check_users(s, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(a_dead_cpus_sheaves_go_to_their_slabs),
		lab_test(every_cache_is_flushed),
		lab_test(its_batch_waits_for_a_grace_period),
		lab_test(it_serves_again_when_it_is_back),
		lab_test(impossible_cpus_are_refused),
		lab_test(possible_cpus_have_sheaves_from_the_start),
		lab_test(it_goes_under_the_lock_of_cpus_and_slab_mutex),
		lab_test(a_node_that_loses_its_memory_shrinks_every_cache),
		lab_test(a_node_that_gets_memory_gets_a_barn),
		lab_test(without_memory_for_a_barn_it_gets_none),
		lab_test(impossible_nodes_are_refused),
		lab_test(a_remote_free_of_a_node_without_memory_finds_its_slab),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
