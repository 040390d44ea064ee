/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/cache/disturbed.c - every path from every shape, disturbed at
 * every point: another CPU works, the thread moves to another CPU, a failure is
 * injected. Nothing is lost (invariants.md 7.5: 6, 8, 10); with an interrupt:
 * nolock.c
 */
#include "../paths.h"

/* ---- another CPU works ---- */
static void work(void *arg)
{
	struct kmem_cache *s = arg;
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	/* and one that was ours; what the path itself needs stays */
	kmem_cache_free(s, kept[PATH_OLD + 7]);
	kept[PATH_OLD + 7] = NULL;
	slab_kfree_rcu(p);
}

static void work_elsewhere(void *s)
{
	on_cpu(2, work, s);
}

/* Locks that would be waited for: the other CPU can not be run there. */
static bool is_locked(struct kmem_cache *s)
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (lock_is_held(&s->node[i]->list_lock) ||
		    lock_is_held(&s->node[i]->barn->lock))
			return true;
	return lock_is_held(&pcs_of(s, 2)->lock);
}

static void work_if_it_can(void *s)
{
	if (!is_locked(s))
		work_elsewhere(s);
}

static void another_cpu_in_between_loses_nothing(void **state)
{
	unsigned int path, shape, point, nth, runs = 0;

	(void)state;
	for_each_run(path, shape, point, nth)
	{
		struct kmem_cache *s;

		/* a bulk free has all of the old ones in hand */
		if (paths[path].run == path_bulk_free)
			break;
		s = path_ready(shape);
		at(point, nth, work_if_it_can, s);
		paths[path].run(s);
		slab_machine_set_point_hook(lab.m, NULL, NULL);
		if (trap.fn) {
			nth = PATH_MAX_NTH;
			continue;
		}
		runs++;
		path_found_again(s, path, shape, slab_point_name(point), nth);
	}
	assert_true(runs > 1000);
}

/* ---- the thread moves ---- */
static unsigned int moves;

/* Not with a lock of a CPU, and not with interrupts off. */
static void move(void *arg)
{
	struct kmem_cache *s = arg;
	unsigned int to = lab.m->cpu == 3 ? 2 : 3, i;

	for (i = 0; i < 4; i++)
		if (lock_is_held(&pcs_of(s, i)->lock) || lab.m->irqs_off[i])
			return;
	moves++;
	slab_machine_set_cpu(lab.m, to);
}

static void h8_a_move_to_another_cpu_loses_nothing(void **state)
{
	unsigned int path, shape, point, nth;

	(void)state;
	moves = 0;
	for_each_run(path, shape, point, nth)
	{
		struct kmem_cache *s;

		if (path >= NR_PATHS_THAT_MIGRATE)
			break;
		s = path_ready(shape);
		/* of the other node, and not as it was left */
		slab_machine_set_cpu(lab.m, 3);
		arrange(s, path_shapes[(shape + 2) % ARRAY_SIZE(path_shapes)]);
		slab_machine_set_cpu(lab.m, 0);
		at(point, nth, move, s);
		paths[path].run(s);
		slab_machine_set_point_hook(lab.m, NULL, NULL);
		if (trap.fn) {
			nth = PATH_MAX_NTH;
			continue;
		}
		path_found_again(s, path, shape, slab_point_name(point), nth);
	}
	assert_true(moves > 100);
}

/* ---- something fails ---- */

/* The n-th question, pages of the smallest order too; 0: none. */
static void fail_any_nth(unsigned int n)
{
	struct slab_faults faults;

	fail_nth(n);
	slab_faults_get(lab.m, &faults);
	faults.fail_page_alloc.min_order = 0;
	slab_faults_set(lab.m, &faults);
}

static bool was_asked(void)
{
	struct slab_faults faults;

	slab_faults_get(lab.m, &faults);
	return !faults.task.fail_nth;
}

static void each_failure_of_each_path_loses_nothing(void **state)
{
	unsigned int path, shape, nth, runs = 0;

	(void)state;
	for (path = 0; path < ARRAY_SIZE(paths); path++)
		for (shape = 0; shape < ARRAY_SIZE(path_shapes); shape++)
			for (nth = 1; nth <= PATH_MAX_NTH; nth++) {
				struct kmem_cache *s = path_ready(shape);
				bool asked;

				fail_any_nth(nth);
				paths[path].run(s);
				asked = was_asked();
				fail_any_nth(0);
				runs += asked;
				path_found_again(s, path, shape, "question",
						 nth);
				if (!asked)
					break;
			}
	/* fewer, and the paths were not taken */
	assert_in_range(runs, 40, 1000);
}

/* What the kernel would take from kmalloc: sheaves, pages of kfree_rcu. */
static void each_metadata_request_of_each_path_may_fail(void **state)
{
	unsigned int path, shape, nth, runs = 0;

	(void)state;
	for (path = 0; path < ARRAY_SIZE(paths); path++)
		for (shape = 0; shape < ARRAY_SIZE(path_shapes); shape++)
			for (nth = 1; nth <= PATH_MAX_NTH; nth++) {
				struct kmem_cache *s = path_ready(shape);
				bool asked;

				lab.m->meta.fail_after = nth;
				paths[path].run(s);
				asked = !lab.m->meta.fail_after;
				lab.m->meta.fail_after = 0;
				runs += asked;
				path_found_again(s, path, shape, "metadata",
						 nth);
				if (!asked)
					break;
			}
	assert_in_range(runs, 10, 1000);
}

static void without_memory_each_path_loses_nothing(void **state)
{
	unsigned int path, shape, all;

	(void)state;
	/* not a page, and then nothing at all */
	for (all = 0; all < 2; all++)
		for (path = 0; path < ARRAY_SIZE(paths); path++)
			for (shape = 0; shape < ARRAY_SIZE(path_shapes);
			     shape++) {
				struct kmem_cache *s = path_ready(shape);

				fail_always(all);
				pages_left(0);
				paths[path].run(s);
				fail_always(false);
				path_found_again(s, path, shape,
						 all ? "all" : "pages", 0);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(another_cpu_in_between_loses_nothing),
		lab_test(h8_a_move_to_another_cpu_loses_nothing),
		lab_test(each_failure_of_each_path_loses_nothing),
		lab_test(each_metadata_request_of_each_path_may_fail),
		lab_test(without_memory_each_path_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
