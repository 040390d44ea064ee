/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/cache/rcu.c - kfree_rcu, step by step (3.17): the rcu_free sheaf,
 * what becomes of it after a grace period, the batches, the barriers
 */
#include "../sheaves.h"

/* An object in a user's hands, and the shape afterwards. */
static struct kmem_cache *given(const char *shape, void **p)
{
	struct kmem_cache *s = few();

	slab_cache_set_min_partial(s, 100);
	*p = alloc(s);
	arrange(s, shape);
	return s;
}

static unsigned int batched(unsigned int cpu)
{
	return lab.m->krc[cpu] ? lab.m->krc[cpu]->nr : 0;
}

static void waits(const char *before, const char *after, const char *counted)
{
	struct kmem_cache *s;
	void *p;

	lab_reopen(&(struct slab_machine_config){ 0 });
	s = given(before, &p);
	slab_kfree_rcu(p);
	became(s, 0, after, counted);
	assert_int_equal(batched(0), 0);
}

/* ---- into rcu_free ---- */
static void r1_a_busy_cpu_uses_the_batches(void **state)
{
	void *p;
	struct kmem_cache *s = given("m2 s0 r1 f0 e0", &p);

	(void)state;
	other_takes(&pcs_of(s, 0)->lock);
	slab_kfree_rcu(p);
	other_releases(&pcs_of(s, 0)->lock);
	assert_int_equal(batched(0), 1);
	became(s, 0, "m2 s0 r1 f0 e0", "free_rcu_sheaf_fail 1");
}

static void r2_without_sheaves_the_batches(void **state)
{
	static const slab_flags_t flags[] = { SLAB_POISON, NO_SHEAVES };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		struct kmem_cache *s = cache(64, flags[i]);

		slab_kfree_rcu(alloc(s));
		assert_int_equal(batched(0), i + 1);
		assert_int_equal(stat_sum(s, SLAB_STAT_FREE_RCU_SHEAF_FAIL), 1);
		intact(s);
	}
}

static void r2_an_empty_spare_becomes_rcu_free(void **state)
{
	(void)state;
	waits("m2 s0 r- f0 e1", "m2 s- r1 f0 e1", "free_rcu_sheaf 1");
}

static void r2_without_a_barn_the_batches(void **state)
{
	void *p;
	struct kmem_cache *s = given("m2 s- r- f0 e0", &p);
	struct node_barn *barn = s->node[0]->barn;

	(void)state;
	s->node[0]->barn = NULL;
	slab_kfree_rcu(p);
	s->node[0]->barn = barn;
	assert_int_equal(batched(0), 1);
	became(s, 0, "m2 s- r- f0 e0", "free_rcu_sheaf_fail 1");
}

static void r2_else_an_empty_one_of_the_barn(void **state)
{
	(void)state;
	waits("m2 s- r- f0 e2", "m2 s- r1 f0 e1", "free_rcu_sheaf 1");
	waits("m2 s3 r- f0 e2", "m2 s3 r1 f0 e1", "free_rcu_sheaf 1");
}

static void r2_else_a_new_one(void **state)
{
	(void)state;
	waits("m2 s3 r- f1 e0", "m2 s3 r1 f1 e0",
	      "free_rcu_sheaf 1, sheaf_alloc 1");
}

static void r2_without_a_container_the_batches(void **state)
{
	void *p;
	struct kmem_cache *s = given("m2 s- r- f0 e0", &p);

	(void)state;
	fail_nth(1);
	slab_kfree_rcu(p);
	assert_int_equal(batched(0), 1);
	became(s, 0, "m2 s- r- f0 e0", "free_rcu_sheaf_fail 1");
}

static void r2_busy_with_a_container_in_hand_the_barn_gets_it(void **state)
{
	void *p;
	struct kmem_cache *s = given("m2 s- r- f0 e0", &p);

	(void)state;
	at(SLAB_POINT_PCS_TRYLOCK, 2, take_lock, &pcs_of(s, 0)->lock);
	slab_kfree_rcu(p);
	at_end();
	other_releases(&pcs_of(s, 0)->lock);
	assert_int_equal(batched(0), 1);
	became(s, 0, "m2 s- r- f0 e1", "free_rcu_sheaf_fail 1, sheaf_alloc 1");
}

/* B10: it came to a CPU that has an rcu_free by then. */
static void r2_b10_an_rcu_free_that_is_there_is_kept(void **state)
{
	struct kmem_cache *s;
	struct slab_sheaf *rcu_free;
	void *p;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .nr_cpus = 2 });
	s = few();
	p = alloc(s);
	arrange_cpu(s, "m0 s- r-");
	slab_machine_set_cpu(lab.m, 1);
	arrange_cpu(s, "m0 s- r2");
	rcu_free = pcs_of(s, 1)->rcu_free;
	slab_machine_set_cpu(lab.m, 0);
	at(SLAB_POINT_SHEAF_ALLOC, 1, go_to_cpu, CPU(1));
	slab_kfree_rcu(p);
	at_end();
	assert_ptr_equal(pcs_of(s, 1)->rcu_free, rcu_free);
	became(s, 0, "m0 s- r3 f0 e1", "free_rcu_sheaf 1, sheaf_alloc 1");
	assert_string_equal(shape_of(s, 0), "m0 s- r- f0 e1");
}

static bool pcs_seen_locked;

static void look_at_pcs(void *s)
{
	pcs_seen_locked = lock_is_held(&pcs_of(s, 0)->lock);
}

/* B11: a barrier that comes after the unlock must find it submitted. */
static void r3_a_full_one_is_submitted_under_the_lock(void **state)
{
	void *p;
	struct kmem_cache *s = given("m0 s- r3 f0 e0", &p);
	struct slab_sheaf *sheaf = pcs_of(s, 0)->rcu_free;

	(void)state;
	at(SLAB_POINT_RCU_SUBMIT, 1, look_at_pcs, s);
	slab_kfree_rcu(p);
	at_end();
	assert_true(pcs_seen_locked);
	assert_int_equal(sheaf->place, SHEAF_IN_RCU);
	assert_int_equal(slab_machine_rcu_pending(lab.m), 1);
	became(s, 0, "m0 s- r- f0 e0", "free_rcu_sheaf 1");
}

static void r_a_remote_object_is_not_even_tried(void **state)
{
	struct kmem_cache *s;

	(void)state;
	numa();
	s = few();
	arrange(s, "m0 s0 r- f0 e0");
	count_points();
	slab_kfree_rcu(kmem_cache_alloc_node(s, GFP_KERNEL, 1));
	at_end();
	assert_int_equal(passed[SLAB_POINT_PCS_TRYLOCK], 0);
	assert_int_equal(batched(0), 1);
	assert_int_equal(stat_sum(s, SLAB_STAT_FREE_RCU_SHEAF_FAIL), 0);
}

static void r_large_memory_waits_in_a_batch(void **state)
{
	void *p = kmalloc(20000, GFP_KERNEL);

	(void)state;
	slab_kfree_rcu(p);
	slab_kfree_rcu(NULL);
	slab_kfree_rcu(ZERO_SIZE_PTR);
	assert_int_equal(batched(0), 1);
	assert_int_equal(slab_machine_pages_used(lab.m), 8);
	assert_int_equal(slab_machine_rcu_tick(lab.m), 1);
	assert_int_equal(slab_machine_pages_used(lab.m), 0);
}

static void r_contents_stay_until_the_grace_period_ends(void **state)
{
	struct kmem_cache *s;
	uint8_t *p;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .init_on_free = true });
	s = few();
	p = alloc(s);
	memset(p, 0x33, 4096);
	slab_kfree_rcu(p);
	assert_int_equal(lab.events[SLAB_EVENT_FREE], 0);
	assert_int_equal(p[0], 0x33);
	assert_int_equal(p[4095], 0x33);
	kvfree_rcu_barrier();
	assert_int_equal(lab.events[SLAB_EVENT_FREE], 1);
	assert_int_equal(p[4095], 0);
}

/* ---- after the grace period ---- */

/* A full rcu_free is under way, and the barn is like that when it ends. */
static struct kmem_cache *under_way(unsigned int full, unsigned int empty)
{
	void *p;
	struct kmem_cache *s = given("m0 s- r3 f0 e0", &p);

	slab_kfree_rcu(p);
	arrange_barn(s, full, empty);
	lab.events[SLAB_EVENT_FREE] = 0;
	return s;
}

static void c_the_barn_gets_it_below_its_limit(void **state)
{
	struct kmem_cache *s = under_way(9, 0);

	(void)state;
	assert_int_equal(slab_machine_rcu_tick(lab.m), 1);
	assert_int_equal(lab.events[SLAB_EVENT_FREE], 4);
	became(s, 0, "m0 s- r- f10 e0", "barn_put 1");
}

static void c_above_it_is_flushed_and_kept_as_an_empty_one(void **state)
{
	struct kmem_cache *s = under_way(10, 9);

	(void)state;
	slab_machine_rcu_tick(lab.m);
	assert_string_equal(shape_of(s, 0), "m0 s- r- f10 e10");
	assert_int_equal(stat_sum(s, SLAB_STAT_BARN_PUT_FAIL), 1);
	assert_int_equal(lab.events[SLAB_EVENT_BARN_REFUSE], 1);
	assert_int_equal(stat_sum(s, SLAB_STAT_SHEAF_FREE) -
				 marked[SLAB_STAT_SHEAF_FREE],
			 0);
	intact(s);
}

static void c_or_freed_when_there_are_ten_empty_ones(void **state)
{
	struct kmem_cache *s = under_way(10, 10);

	(void)state;
	slab_machine_rcu_tick(lab.m);
	assert_string_equal(shape_of(s, 0), "m0 s- r- f10 e10");
	assert_int_equal(stat_sum(s, SLAB_STAT_SHEAF_FREE) -
				 marked[SLAB_STAT_SHEAF_FREE],
			 1);
	intact(s);
}

static void c_h12_one_reserve_object_flushes_it(void **state)
{
	void *p;
	struct kmem_cache *s = given("m0 s- r3 f0 e0", &p);

	(void)state;
	slab_kfree_rcu(p);
	slab_of(p)->flags |= SL_PFMEMALLOC;
	slab_machine_rcu_tick(lab.m);
	assert_string_equal(shape_of(s, 0), "m0 s- r- f0 e1");
	assert_int_equal(stat_sum(s, SLAB_STAT_BARN_PUT_FAIL), 1);
	assert_int_equal(stat_sum(s, SLAB_STAT_BARN_PUT), 0);
	intact(s);
}

static void c_without_its_node_it_is_flushed_and_freed(void **state)
{
	struct kmem_cache *s = under_way(0, 0);
	struct node_barn *barn = s->node[0]->barn;

	(void)state;
	s->node[0]->barn = NULL;
	slab_machine_rcu_tick(lab.m);
	s->node[0]->barn = barn;
	became(s, 0, "m0 s- r- f0 e0",
	       "sheaf_flush 4, sheaf_free 1, barn_put_fail 1");
}

static void c_the_barn_is_that_of_the_cpu_that_filled_it(void **state)
{
	struct kmem_cache *s;
	unsigned int i;

	(void)state;
	numa();
	s = few();
	slab_machine_set_cpu(lab.m, 1);
	arrange_cpu(s, "m4 s- r-");
	for (i = 0; i < FEW; i++)
		slab_kfree_rcu(alloc(s));
	slab_machine_set_cpu(lab.m, 0);
	slab_machine_rcu_tick(lab.m);
	assert_int_equal(s->node[1]->barn->nr_full, 1);
	assert_int_equal(s->node[0]->barn->nr_full, 0);
	intact(s);
}

static void c_a_hole_is_filled_with_the_last_one(void **state)
{
	void *p;
	struct kmem_cache *s = given("m0 s- r3 f0 e0", &p);
	struct slab_sheaf *sheaf = pcs_of(s, 0)->rcu_free;
	void *was = sheaf->objects[1];

	(void)state;
	slab_kfree_rcu(p);
	sheaf->objects[1] = (void *)0x4141414141414141UL;
	slab_machine_rcu_tick(lab.m);
	assert_string_equal(lab_said(), "Sheaf corrupt");
	assert_string_equal(shape_of(s, 0), "m0 s- r- f1 e0");
	assert_int_equal(sheaf->size, 3);
	kmem_cache_free(s, was);
	intact(s);
}

/* ---- batches ---- */
static void b_a_full_block_waits_for_its_grace_period(void **state)
{
	struct kmem_cache *s = cache(8, SLAB_POISON);
	unsigned int i;

	(void)state;
	for (i = 0; i < KRC_BLOCK_OBJECTS - 1; i++)
		slab_kfree_rcu(alloc(s));
	assert_int_equal(slab_machine_rcu_pending(lab.m), 0);
	slab_kfree_rcu(alloc(s));
	assert_int_equal(slab_machine_rcu_pending(lab.m), 1);
	assert_int_equal(batched(0), 0);
	slab_kfree_rcu(alloc(s));
	assert_int_equal(batched(0), 1);
	assert_int_equal(slab_machine_rcu_tick(lab.m), 2);
	assert_int_equal(stat_sum(s, SLAB_STAT_FREE_SLOWPATH),
			 KRC_BLOCK_OBJECTS + 1);
	intact(s);
}

static void b_after_five_seconds_it_waits_no_longer(void **state)
{
	struct kmem_cache *s = cache(8, SLAB_POISON);

	(void)state;
	slab_kfree_rcu(alloc(s));
	slab_machine_tick(lab.m, KRC_DRAIN_JIFFIES - 1);
	assert_int_equal(slab_machine_rcu_pending(lab.m), 0);
	assert_int_equal(batched(0), 1);
	slab_machine_tick(lab.m, 1);
	assert_int_equal(slab_machine_rcu_pending(lab.m), 1);
	assert_int_equal(batched(0), 0);
}

static void b_without_memory_for_a_block_it_is_freed_after_a_wait(void **state)
{
	struct kmem_cache *s = cache(8, SLAB_POISON);
	void *p = alloc(s);

	(void)state;
	lab.m->meta.fail_after = 1;
	slab_kfree_rcu(p);
	assert_int_equal(slab_of(p)->inuse, 0);
	assert_int_equal(slab_machine_rcu_pending(lab.m), 0);
	intact(s);
}

/* ---- barriers ---- */
static struct kmem_cache *waiting_on_all_cpus(void)
{
	struct kmem_cache *s;
	unsigned int cpu;

	numa();
	s = few();
	for (cpu = 0; cpu < 4; cpu++) {
		slab_machine_set_cpu(lab.m, cpu);
		arrange_cpu(s, "m4 s- r-");
		slab_kfree_rcu(alloc(s));
		/* remote: in a batch */
		slab_kfree_rcu(kmem_cache_alloc_node(s, GFP_KERNEL,
						     (int)(cpu + 1) % 2));
	}
	slab_machine_set_cpu(lab.m, 2);
	return s;
}

static void nothing_waits(struct kmem_cache *s)
{
	unsigned int cpu;

	for (cpu = 0; cpu < 4; cpu++) {
		assert_null(pcs_of(s, cpu)->rcu_free);
		assert_int_equal(batched(cpu), 0);
	}
	assert_int_equal(slab_machine_rcu_pending(lab.m), 0);
	assert_null(cache_check_users(s, 0));
}

static void a_barrier_frees_all_that_was_given_before(void **state)
{
	struct kmem_cache *s = waiting_on_all_cpus();

	(void)state;
	kvfree_rcu_barrier();
	nothing_waits(s);
	s = waiting_on_all_cpus();
	kvfree_rcu_barrier_on_cache(s);
	nothing_waits(s);
}

static void what_a_barrier_detached_goes_to_no_barn(void **state)
{
	struct kmem_cache *s = few();
	void *p = alloc(s);

	(void)state;
	slab_cache_set_min_partial(s, 100);
	arrange(s, "m0 s0 r- f0 e0");
	slab_kfree_rcu(p);
	kvfree_rcu_barrier();
	became(s, 0, "m0 s- r- f0 e0",
	       "free_rcu_sheaf 1, sheaf_flush 1, sheaf_free 1");
}

static void b12_a_barrier_runs_on_every_cpu(void **state)
{
	struct kmem_cache *s;

	(void)state;
	numa();
	s = few();
	count_points();
	kvfree_rcu_barrier_on_cache(s);
	at_end();
	/* whether they show an rcu_free or not */
	assert_int_equal(passed[SLAB_POINT_PCS_LOCK], 4);
	assert_int_equal(passed[SLAB_POINT_PCS_TRYLOCK], 0);
}

static void other_caches_are_left_alone(void **state)
{
	struct kmem_cache *s = few(), *other = few();

	(void)state;
	slab_kfree_rcu(alloc(s));
	slab_kfree_rcu(alloc(other));
	kvfree_rcu_barrier_on_cache(s);
	assert_null(pcs_of(s, 0)->rcu_free);
	assert_int_equal(pcs_of(other, 0)->rcu_free->size, 1);
	kvfree_rcu_barrier();
	assert_null(pcs_of(other, 0)->rcu_free);
}

static unsigned int locks_seen;

static void look_at_locks(void *m)
{
	struct slab_machine *machine = m;

	locks_seen = (unsigned int)(lock_is_held(&machine->cpus_lock) |
				    lock_is_held(&machine->flush_lock) << 1 |
				    lock_is_held(&machine->slab_mutex) << 2);
}

static void b13_h14_a_barrier_holds_what_orders_it(void **state)
{
	struct kmem_cache *s = few();

	(void)state;
	slab_kfree_rcu(alloc(s));
	at(SLAB_POINT_RCU_SUBMIT, 1, look_at_locks, lab.m);
	kvfree_rcu_barrier();
	at_end();
	assert_int_equal(locks_seen, 7);
	slab_kfree_rcu(alloc(s));
	at(SLAB_POINT_RCU_SUBMIT, 1, look_at_locks, lab.m);
	kvfree_rcu_barrier_on_cache(s);
	at_end();
	assert_int_equal(locks_seen, 3);
	/* and none of them while it waits for RCU */
	slab_kfree_rcu(alloc(s));
	at(SLAB_POINT_RCU_CALLBACK, 1, look_at_locks, lab.m);
	kvfree_rcu_barrier();
	at_end();
	assert_int_equal(locks_seen, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(r1_a_busy_cpu_uses_the_batches),
		lab_test(r2_without_sheaves_the_batches),
		lab_test(r2_an_empty_spare_becomes_rcu_free),
		lab_test(r2_without_a_barn_the_batches),
		lab_test(r2_else_an_empty_one_of_the_barn),
		lab_test(r2_else_a_new_one),
		lab_test(r2_without_a_container_the_batches),
		lab_test(r2_busy_with_a_container_in_hand_the_barn_gets_it),
		lab_test(r2_b10_an_rcu_free_that_is_there_is_kept),
		lab_test(r3_a_full_one_is_submitted_under_the_lock),
		lab_test(r_a_remote_object_is_not_even_tried),
		lab_test(r_large_memory_waits_in_a_batch),
		lab_test(r_contents_stay_until_the_grace_period_ends),
		lab_test(c_the_barn_gets_it_below_its_limit),
		lab_test(c_above_it_is_flushed_and_kept_as_an_empty_one),
		lab_test(c_or_freed_when_there_are_ten_empty_ones),
		lab_test(c_h12_one_reserve_object_flushes_it),
		lab_test(c_without_its_node_it_is_flushed_and_freed),
		lab_test(c_the_barn_is_that_of_the_cpu_that_filled_it),
		lab_test(c_a_hole_is_filled_with_the_last_one),
		lab_test(b_a_full_block_waits_for_its_grace_period),
		lab_test(b_after_five_seconds_it_waits_no_longer),
		lab_test(b_without_memory_for_a_block_it_is_freed_after_a_wait),
		lab_test(a_barrier_frees_all_that_was_given_before),
		lab_test(what_a_barrier_detached_goes_to_no_barn),
		lab_test(b12_a_barrier_runs_on_every_cpu),
		lab_test(other_caches_are_left_alone),
		lab_test(b13_h14_a_barrier_holds_what_orders_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
