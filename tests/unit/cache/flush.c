/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/cache/flush.c - sheaves go back to their slabs (3.13): in which
 * batches, under which locks, from which CPU; shrink and destroy (3.20, 3.21)
 */
#include "../sheaves.h"

/* Objects of 64 bytes, 60 in a sheaf. */
static struct kmem_cache *many(void)
{
	struct kmem_cache *s = cache(64, SLAB_NO_MERGE);

	assert_int_equal(s->sheaf_capacity, 60);
	slab_cache_set_min_partial(s, 100);
	return s;
}

/* ---- main ---- */
static unsigned long batches[8];
static unsigned int nr_batches;

static void note_batches(void *arg, const struct slab_event *event)
{
	lab_event(arg, event);
	if (event->kind == SLAB_EVENT_SHEAF_FLUSH && nr_batches < 8)
		batches[nr_batches++] = event->a;
}

static void main_goes_in_batches_of_32_from_the_top(void **state)
{
	struct kmem_cache *s = many();

	(void)state;
	arrange(s, "m60 s- r- f0 e0");
	nr_batches = 0;
	slab_machine_set_event_hook(lab.m, note_batches, NULL);
	assert_true(flush_main(s, true));
	assert_int_equal(nr_batches, 2);
	assert_int_equal(batches[0], 32);
	assert_int_equal(batches[1], 28);
	became(s, 0, "m0 s- r- f0 e0", "sheaf_flush 60");
}

static void main_is_unlocked_while_a_batch_goes(void **state)
{
	struct kmem_cache *s = many();

	(void)state;
	arrange(s, "m40 s- r- f0 e0");
	count_points();
	flush_main(s, true);
	at_end();
	/* the second batch left nothing */
	assert_int_equal(passed[SLAB_POINT_PCS_LOCK], 2);
	assert_int_equal(passed[SLAB_POINT_PCS_TRYLOCK], 0);
	intact(s);
}

static void an_empty_main_is_nothing_done(void **state)
{
	struct kmem_cache *s = many();

	(void)state;
	arrange(s, "m0 s- r- f0 e0");
	assert_false(flush_main(s, false));
	assert_false(flush_main(s, true));
	became(s, 0, "m0 s- r- f0 e0", "");
}

static void who_only_tries_fails_at_once_or_stops_half_way(void **state)
{
	struct kmem_cache *s = many();

	(void)state;
	arrange(s, "m60 s- r- f0 e0");
	other_takes(&pcs_of(s, 0)->lock);
	assert_false(flush_main(s, false));
	other_releases(&pcs_of(s, 0)->lock);
	became(s, 0, "m60 s- r- f0 e0", "");
	/* one batch is progress */
	at(SLAB_POINT_PCS_TRYLOCK, 2, take_lock, &pcs_of(s, 0)->lock);
	assert_true(flush_main(s, false));
	at_end();
	other_releases(&pcs_of(s, 0)->lock);
	became(s, 0, "m28 s- r- f0 e0", "sheaf_flush 32");
}

/* The holder goes on and lets go. */
static unsigned int waited;

static void holder_goes_on(void *lock, const void *wanted)
{
	waited++;
	if (lock == wanted)
		other_releases(lock);
}

/* F2 of 7.0-rc1: it only tried, and left what was locked. */
static void f2_a_flush_waits_for_a_busy_cpu(void **state)
{
	struct kmem_cache *s = many();
	struct slab_lock *lock = &pcs_of(s, 0)->lock;

	(void)state;
	arrange(s, "m10 s60 r- f0 e0");
	other_takes(lock);
	waited = 0;
	slab_machine_set_wait_hook(lab.m, holder_goes_on, lock);
	flush_this_cpu(s);
	slab_machine_set_wait_hook(lab.m, NULL, NULL);
	assert_int_equal(waited, 1);
	became(s, 0, "m0 s- r- f0 e0",
	       "free_add_partial 1, sheaf_flush 70, sheaf_free 1");
	/* also when it becomes busy after spare was detached */
	arrange(s, "m10 s- r- f0 e0");
	at(SLAB_POINT_PCS_UNLOCK, 1, take_lock, lock);
	slab_machine_set_wait_hook(lab.m, holder_goes_on, lock);
	flush_this_cpu(s);
	slab_machine_set_wait_hook(lab.m, NULL, NULL);
	at_end();
	assert_int_equal(waited, 2);
	became(s, 0, "m0 s- r- f0 e0", "sheaf_flush 10");
}

/* ---- this CPU ---- */
static void spare_goes_main_stays_rcu_free_waits(void **state)
{
	struct kmem_cache *s = few();
	struct slab_sheaf *main;

	(void)state;
	slab_cache_set_min_partial(s, 100);
	arrange(s, "m3 s4 r2 f1 e1");
	main = pcs_of(s, 0)->main;
	flush_this_cpu(s);
	assert_ptr_equal(pcs_of(s, 0)->main, main);
	became(s, 0, "m0 s- r- f1 e1",
	       "free_add_partial 1, sheaf_flush 7, sheaf_free 1");
	assert_int_equal(slab_machine_rcu_pending(lab.m), 1);
	/* then to its slabs, to no barn */
	assert_int_equal(slab_machine_rcu_tick(lab.m), 1);
	became(s, 0, "m0 s- r- f1 e1",
	       "free_add_partial 1, sheaf_flush 9, sheaf_free 2");
}

static void a_dead_cpu_is_flushed_without_its_lock(void **state)
{
	struct kmem_cache *s;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .nr_cpus = 2 });
	s = few();
	slab_cache_set_min_partial(s, 100);
	slab_machine_set_cpu(lab.m, 1);
	arrange(s, "m3 s2 r1 f0 e0");
	slab_machine_set_cpu(lab.m, 0);
	count_points();
	flush_dead_cpu(s, 1);
	at_end();
	assert_int_equal(passed[SLAB_POINT_PCS_LOCK], 0);
	assert_int_equal(passed[SLAB_POINT_PCS_TRYLOCK], 0);
	assert_string_equal(shape_of(s, 1), "m0 s- r- f0 e0");
	assert_int_equal(slab_machine_rcu_pending(lab.m), 1);
	intact(s);
}

static void the_barn_goes_whole(void **state)
{
	struct kmem_cache *s = few();

	(void)state;
	slab_cache_set_min_partial(s, 100);
	arrange(s, "m1 s- r- f3 e2");
	flush_barn(s, 0);
	assert_int_equal(stat_sum(s, SLAB_STAT_SHEAF_FLUSH) -
				 marked[SLAB_STAT_SHEAF_FLUSH],
			 12);
	assert_int_equal(stat_sum(s, SLAB_STAT_SHEAF_FREE) -
				 marked[SLAB_STAT_SHEAF_FREE],
			 5);
	assert_string_equal(shape_of(s, 0), "m1 s- r- f0 e0");
	intact(s);
}

/* ---- all CPUs ---- */
static struct kmem_cache *four_cpus(void)
{
	struct kmem_cache *s;
	unsigned int cpu;

	numa();
	s = few();
	slab_cache_set_min_partial(s, 100);
	for (cpu = 0; cpu < 4; cpu++) {
		slab_machine_set_cpu(lab.m, cpu);
		arrange_cpu(s, "m3 s4 r2");
	}
	slab_machine_set_cpu(lab.m, 2);
	return s;
}

static bool flush_lock_seen;

static void look_at_flush_lock(void *m)
{
	flush_lock_seen = lock_is_held(&((struct slab_machine *)m)->flush_lock);
}

static void each_cpu_is_flushed_from_itself(void **state)
{
	struct kmem_cache *s = four_cpus();
	unsigned int cpu;

	(void)state;
	flush_all_cpus(s);
	assert_int_equal(lab.m->cpu, 2);
	for (cpu = 0; cpu < 4; cpu++) {
		assert_memory_equal(shape_of(s, cpu), "m0 s- r-", 8);
		if (s->stats[cpu][SLAB_STAT_SHEAF_FLUSH] < 7)
			fail_msg("CPU %u flushed %lu, wanted 7", cpu,
				 s->stats[cpu][SLAB_STAT_SHEAF_FLUSH]);
	}
	assert_int_equal(slab_machine_rcu_pending(lab.m), 4);
	intact(s);
}

static void flush_lock_is_held_from_detach_to_submit(void **state)
{
	struct kmem_cache *s = four_cpus();

	(void)state;
	at(SLAB_POINT_PCS_LOCK, 1, look_at_flush_lock, lab.m);
	flush_all_cpus(s);
	at_end();
	assert_true(flush_lock_seen);
	s = four_cpus();
	/* the last of the four submits */
	at(SLAB_POINT_RCU_SUBMIT, 4, look_at_flush_lock, lab.m);
	flush_all_cpus(s);
	at_end();
	assert_true(flush_lock_seen);
	assert_false(lock_is_held(&lab.m->flush_lock));
}

static void offline_cpus_are_left_out(void **state)
{
	struct kmem_cache *s = four_cpus();

	(void)state;
	assert_int_equal(slab_machine_set_cpu_online(lab.m, 3, false), 0);
	assert_memory_equal(shape_of(s, 3), "m0 s- r-", 8);
	count_points();
	flush_all_cpus(s);
	at_end();
	/* detach, and main in one batch and nothing more */
	assert_int_equal(passed[SLAB_POINT_PCS_LOCK], 3 * 2);
}

static void users_flush_one_cache_or_all(void **state)
{
	struct kmem_cache *s = four_cpus(), *other = few();

	(void)state;
	arrange_cpu(other, "m3 s- r-");
	assert_int_equal(slab_cache_flush_cpu(lab.m, s), 0);
	assert_memory_equal(shape_of(s, 2), "m0 s- r-", 8);
	assert_memory_equal(shape_of(s, 1), "m3 s4 r2", 8);
	assert_memory_equal(shape_of(other, 2), "m3 s- r-", 8);
	assert_int_equal(slab_cache_flush_all(lab.m, NULL), 0);
	assert_memory_equal(shape_of(s, 1), "m0 s- r-", 8);
	assert_memory_equal(shape_of(other, 2), "m0 s- r-", 8);
	assert_int_equal(kmem_cache_destroy(other), 0);
	assert_int_equal(slab_cache_flush_all(lab.m, other), -EINVAL);
	assert_int_equal(slab_cache_flush_cpu(lab.m, other), -EINVAL);
}

/* ---- shrink ---- */
static void s13_after_a_shrink_nothing_rests(void **state)
{
	struct kmem_cache *s = four_cpus();
	unsigned int cpu;

	(void)state;
	arrange_barn(s, 5, 3);
	assert_int_equal(kmem_cache_shrink(s), 1);
	for (cpu = 0; cpu < 4; cpu++)
		assert_string_equal(shape_of(s, cpu), "m0 s- r- f0 e0");
	/* the rcu_free ones come later, and may leave empty slabs */
	slab_machine_rcu_barrier(lab.m);
	assert_true(slab_machine_pages_used(lab.m) > 0);
	assert_int_equal(kmem_cache_shrink(s), 0);
	assert_int_equal(slab_machine_pages_used(lab.m), 0);
	intact(s);
}

static void shrink_frees_barns_outside_their_lock(void **state)
{
	struct kmem_cache *s = few();

	(void)state;
	/* lock ranks are asserted: no list_lock under a barn's */
	arrange(s, "m4 s- r- f10 e10");
	assert_int_equal(kmem_cache_shrink(s), 0);
	became(s, 0, "m0 s- r- f0 e0", stats_since(s));
	assert_int_equal(s->node[0]->nr_slabs, 0);
}

/* ---- destroy ---- */
static void destroy_brings_home_all_that_is_under_way(void **state)
{
	size_t before;
	struct kmem_cache *s;
	struct slab_sheaf *lent;
	unsigned int cpu;

	(void)state;
	numa();
	before = lab.m->meta.used;
	s = few();
	for (cpu = 0; cpu < 4; cpu++) {
		slab_machine_set_cpu(lab.m, cpu);
		arrange(s, "m3 s4 r2 f3 e3");
	}
	for (cpu = 0; cpu < 4; cpu++) {
		slab_machine_set_cpu(lab.m, cpu);
		/* a sheaf on its way to a barn, a new rcu_free, a batch */
		slab_kfree_rcu(alloc(s));
		slab_kfree_rcu(alloc(s));
		slab_kfree_rcu(alloc(s));
		slab_kfree_rcu(kmem_cache_alloc_node(s, GFP_KERNEL,
						     (int)(cpu + 1) % 2));
	}
	/* and one to no barn */
	flush_this_cpu(s);
	lent = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 9);
	assert_int_equal(kmem_cache_return_sheaf(s, GFP_KERNEL, lent), 0);
	assert_true(slab_machine_rcu_pending(lab.m) > 0);
	assert_true(lab.m->krc[0] != NULL);
	assert_int_equal(kmem_cache_destroy(s), 0);
	assert_string_equal(lab_said(), "");
	assert_int_equal(slab_machine_pages_used(lab.m), 0);
	/* P10: containers, barns, nodes, all of it */
	assert_int_equal(lab.events[SLAB_EVENT_SHEAF_ALLOC],
			 lab.events[SLAB_EVENT_SHEAF_FREE]);
	assert_int_equal(lab.m->meta.used, before);
}

static void a_lent_sheaf_keeps_the_cache(void **state)
{
	struct kmem_cache *s = few();
	struct slab_sheaf *lent = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 2);

	(void)state;
	assert_int_equal(kmem_cache_destroy(s), -EBUSY);
	assert_int_equal(kmem_cache_sheaf_size(lent), FEW);
	/* it can still be given back */
	assert_int_equal(kmem_cache_return_sheaf(s, GFP_KERNEL, lent), 0);
}

static bool barn_seen_empty;

static void look_at_barn(void *s)
{
	barn_seen_empty = !((struct kmem_cache *)s)->node[0]->barn->nr_full;
}

/* B14: callbacks put sheaves into barns, so they run before those are emptied. */
static void b14_callbacks_run_before_the_barn_is_emptied(void **state)
{
	struct kmem_cache *s = few();
	unsigned int i;

	(void)state;
	arrange(s, "m4 s- r- f0 e0");
	for (i = 0; i < FEW; i++)
		slab_kfree_rcu(alloc(s));
	assert_int_equal(slab_machine_rcu_pending(lab.m), 1);
	/* when the barn's lock is taken by the flush, the sheaf is there */
	at(SLAB_POINT_BARN_LOCK, 2, look_at_barn, s);
	assert_int_equal(kmem_cache_destroy(s), 0);
	at_end();
	assert_false(barn_seen_empty);
	assert_int_equal(slab_machine_pages_used(lab.m), 0);
}

/* Objects of node 0 rest in the barn of node 1: lent on one, returned on the
 * other. */
static struct kmem_cache *strangers_in_a_barn(void)
{
	struct slab_sheaf *lent;
	struct kmem_cache *s;

	numa();
	s = few();
	lent = kmem_cache_prefill_sheaf(s, GFP_KERNEL, FEW);
	slab_machine_set_cpu(lab.m, 1);
	arrange(s, "m0 s4 r- f0 e0");
	kmem_cache_return_sheaf(s, GFP_KERNEL, lent);
	assert_int_equal(s->node[1]->barn->nr_full, 1);
	assert_int_equal(slab_of(lent->objects[0])->node, 0);
	return s;
}

static void a_shrink_empties_all_barns_before_the_slabs(void **state)
{
	struct kmem_cache *s = strangers_in_a_barn();

	(void)state;
	assert_int_equal(kmem_cache_shrink(s), 0);
	assert_int_equal(slab_machine_pages_used(lab.m), 0);
}

static void so_does_destroy(void **state)
{
	struct kmem_cache *s = strangers_in_a_barn();

	(void)state;
	assert_int_equal(kmem_cache_destroy(s), 0);
	assert_string_equal(lab_said(), "");
	assert_int_equal(slab_machine_pages_used(lab.m), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(main_goes_in_batches_of_32_from_the_top),
		lab_test(main_is_unlocked_while_a_batch_goes),
		lab_test(an_empty_main_is_nothing_done),
		lab_test(who_only_tries_fails_at_once_or_stops_half_way),
		lab_test(f2_a_flush_waits_for_a_busy_cpu),
		lab_test(spare_goes_main_stays_rcu_free_waits),
		lab_test(a_dead_cpu_is_flushed_without_its_lock),
		lab_test(the_barn_goes_whole),
		lab_test(each_cpu_is_flushed_from_itself),
		lab_test(flush_lock_is_held_from_detach_to_submit),
		lab_test(offline_cpus_are_left_out),
		lab_test(users_flush_one_cache_or_all),
		lab_test(s13_after_a_shrink_nothing_rests),
		lab_test(shrink_frees_barns_outside_their_lock),
		lab_test(destroy_brings_home_all_that_is_under_way),
		lab_test(a_lent_sheaf_keeps_the_cache),
		lab_test(b14_callbacks_run_before_the_barn_is_emptied),
		lab_test(a_shrink_empties_all_barns_before_the_slabs),
		lab_test(so_does_destroy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
