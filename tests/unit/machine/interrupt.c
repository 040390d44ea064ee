/* SPDX-License-Identifier: MIT */
/* tests/unit/machine/interrupt.c - what comes in between, and what it left for
 * later */
#include "../sheaves.h"

static unsigned int depth_seen, work_runs;

static void look(void *m)
{
	depth_seen = ((struct slab_machine *)m)->in_interrupt;
}

static void nest(void *m)
{
	slab_machine_interrupt(m, look, m);
}

static void interrupts_nest(void **state)
{
	(void)state;
	slab_machine_interrupt(lab.m, look, lab.m);
	assert_int_equal(depth_seen, 1);
	slab_machine_interrupt(lab.m, nest, lab.m);
	assert_int_equal(depth_seen, 2);
	assert_int_equal(lab.m->in_interrupt, 0);
}

static void count_work(struct slab_machine *m)
{
	work_runs++;
	m->deferred[m->cpu] = NULL;
}

static void defer_something(void *m)
{
	struct slab_machine *machine = m;

	machine->deferred[machine->cpu] = m;
}

static void what_it_deferred_runs_when_the_last_one_ends(void **state)
{
	void (*was)(struct slab_machine *) = lab.m->irq_work;

	(void)state;
	lab.m->irq_work = count_work;
	work_runs = 0;
	slab_machine_interrupt(lab.m, look, lab.m);
	assert_int_equal(work_runs, 0);
	slab_machine_interrupt(lab.m, defer_something, lab.m);
	assert_int_equal(work_runs, 1);
	lab.m->irq_work = was;
}

static void under_a_lock_of_lists_it_waits_for_the_unlock(void **state)
{
	void (*was)(struct slab_machine *) = lab.m->irq_work;
	struct kmem_cache *s = cache(64, 0);

	(void)state;
	lab.m->irq_work = count_work;
	work_runs = 0;
	node_lock(s, s->node[0]);
	assert_int_equal(lab.m->irqs_off[0], 1);
	slab_machine_interrupt(lab.m, defer_something, lab.m);
	assert_int_equal(work_runs, 0);
	machine_run_irq_work(lab.m);
	assert_int_equal(work_runs, 0);
	node_unlock(s, s->node[0]);
	assert_int_equal(lab.m->irqs_off[0], 0);
	assert_int_equal(work_runs, 1);
	lab.m->irq_work = was;
}

static void its_own_locks_do_not_end_the_interrupted_ones_section(void **state)
{
	struct kmem_cache *s = cache(64, 0), *other = cache(128, 0);

	(void)state;
	node_lock(s, s->node[0]);
	{
		uint32_t held = lock_suspend();

		/* as an interrupt's list_lock of another cache would */
		node_lock(other, other->node[0]);
		assert_int_equal(lab.m->irqs_off[0], 2);
		node_unlock(other, other->node[0]);
		lock_resume(held);
	}
	assert_int_equal(lab.m->irqs_off[0], 1);
	node_unlock(s, s->node[0]);
	assert_int_equal(lab.m->irqs_off[0], 0);
}

static bool could_lock;

static void take_outer(void *m)
{
	struct slab_machine *machine = m;

	/* ranks start anew: an outer lock may be taken under an inner one */
	lock_take(&machine->cpus_lock);
	could_lock = true;
	lock_release(&machine->cpus_lock);
}

static void it_starts_with_no_lock_of_its_own(void **state)
{
	struct kmem_cache *s = cache(64, 0);

	(void)state;
	node_lock(s, s->node[0]);
	slab_machine_interrupt(lab.m, take_outer, lab.m);
	node_unlock(s, s->node[0]);
	assert_true(could_lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(interrupts_nest),
		lab_test(what_it_deferred_runs_when_the_last_one_ends),
		lab_test(under_a_lock_of_lists_it_waits_for_the_unlock),
		lab_test(its_own_locks_do_not_end_the_interrupted_ones_section),
		lab_test(it_starts_with_no_lock_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
