/* SPDX-License-Identifier: MIT */
/* tests/unit/slab/cpu.c - this CPU's lock, its barn, and pcs_check() */
#include "../sheaves.h"

static void a_try_is_of_the_cpu_where_it_happens(void **state)
{
	struct slub_percpu_sheaves *pcs;
	struct kmem_cache *s;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .nr_cpus = 2 });
	s = few();
	/* it moved before it had the lock */
	at(SLAB_POINT_PCS_TRYLOCK, 1, go_to_cpu, CPU(1));
	pcs = pcs_trylock(s);
	at_end();
	assert_ptr_equal(pcs, pcs_of(s, 1));
	pcs_unlock(s, pcs);
	at(SLAB_POINT_PCS_LOCK, 1, go_to_cpu, CPU(0));
	pcs = pcs_lock(s);
	at_end();
	assert_ptr_equal(pcs, pcs_of(s, 0));
	pcs_unlock(s, pcs);
	assert_false(lock_is_held(&pcs->lock));
}

static void a_busy_cpu_is_not_waited_for(void **state)
{
	struct kmem_cache *s = few();

	(void)state;
	other_takes(&pcs_of(s, 0)->lock);
	assert_null(pcs_trylock(s));
	other_releases(&pcs_of(s, 0)->lock);
	assert_int_equal(lab.events[SLAB_EVENT_PCS_BUSY], 1);
}

/* H7: what interrupts the holder finds the lock held, wherever it is. */
static bool was_busy;
static void try_it(void *s)
{
	struct slub_percpu_sheaves *pcs = pcs_trylock(s);

	was_busy = !pcs;
	if (pcs)
		pcs_unlock(s, pcs);
}

static void interrupt_it(void *s)
{
	slab_machine_interrupt(lab.m, try_it, s);
}

static void h7_an_interrupt_of_the_holder_finds_it_busy(void **state)
{
	struct kmem_cache *s = few();
	void *p;

	(void)state;
	at(SLAB_POINT_PCS_HELD, 1, interrupt_it, s);
	p = alloc(s);
	at_end();
	assert_true(was_busy);
	at(SLAB_POINT_PCS_UNLOCK, 1, interrupt_it, s);
	kmem_cache_free(s, p);
	at_end();
	assert_false(was_busy);
}

static void the_barn_is_that_of_the_nearest_node_with_memory(void **state)
{
	struct kmem_cache *s;

	(void)state;
	lab_reopen(&(struct slab_machine_config){
		.nr_cpus = 3, .nr_nodes = 3, .memoryless = 2 });
	s = few();
	assert_null(s->node[1]->barn);
	assert_ptr_equal(get_barn(s), s->node[0]->barn);
	slab_machine_set_cpu(lab.m, 1);
	assert_ptr_equal(get_barn(s), s->node[2]->barn);
}

static void breaks(struct kmem_cache *s, const char *wanted)
{
	const char *broken = pcs_check(s, 0);

	assert_non_null(broken);
	assert_string_equal(broken, wanted);
}

static void check_finds_what_does_not_hold(void **state)
{
	struct kmem_cache *s = few(), *plain = cache(64, NO_SHEAVES);
	struct slub_percpu_sheaves *pcs = pcs_of(s, 0);
	struct slab_sheaf *main;

	(void)state;
	arrange(s, "m2 s4 r3 f0 e0");
	main = pcs->main;
	assert_null(pcs_check(s, 0));
	pcs->main = NULL;
	breaks(s, "P1: main is never NULL");
	pcs->main = bootstrap_sheaf;
	breaks(s, "P4: a sheaf that rests is its cache's own");
	pcs->main = main;
	pcs->spare->size = 5;
	breaks(s, "P2: size <= capacity");
	pcs->spare->size = 4;
	pcs->rcu_free->size = 4;
	breaks(s, "P3: a full rcu_free is submitted at once");
	pcs->rcu_free->place = SHEAF_IN_RCU;
	breaks(s, "P4: a sheaf that rests is its cache's own");
	assert_null(pcs_check(plain, 0));
	pcs_of(plain, 0)->spare = main;
	assert_string_equal(pcs_check(plain, 0),
			    "P8: no sheaves but the bootstrap sheaf");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(a_try_is_of_the_cpu_where_it_happens),
		lab_test(a_busy_cpu_is_not_waited_for),
		lab_test(h7_an_interrupt_of_the_holder_finds_it_busy),
		lab_test(the_barn_is_that_of_the_nearest_node_with_memory),
		lab_test(check_finds_what_does_not_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
