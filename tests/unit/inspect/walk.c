/* SPDX-License-Identifier: MIT */
/* tests/unit/inspect/walk.c - every slab is found, and no list hangs us */
#include "../lab.h"

#include <errno.h>

#include <slab/inject.h>
#include <slab/inspect.h>

#include "inspect/target.h"

static struct slab_target *target;

static int setup(void **state)
{
	lab_setup(state);
	return slab_target_open_self(lab.m, &target);
}

static int teardown(void **state)
{
	slab_target_close(target);
	return lab_teardown(state);
}

static struct slab_slab_info *slabs_of(struct kmem_cache *s, size_t wanted)
{
	struct slab_slab_info *slabs;
	size_t nr;

	assert_int_equal(slab_target_slabs(target, (uintptr_t)s, &slabs, &nr),
			 0);
	assert_int_equal(nr, wanted);
	return slabs;
}

/* Fills nr slabs of s; the objects are in objects. */
static unsigned int fill(struct kmem_cache *s, unsigned int nr, void **objects)
{
	struct slab_cache_info info;
	unsigned int i;

	assert_int_equal(slab_target_cache(target, kmem_cache_name(s), &info),
			 0);
	for (i = 0; i < nr * info.objs_per_slab; i++)
		objects[i] = kmem_cache_alloc(s, GFP_KERNEL);
	return info.objs_per_slab;
}

static void each_slab_comes_once_by_number_with_its_way(void **state)
{
	struct kmem_cache *s = kmem_cache_create("ring", 200, NULL,
						 SLAB_STORE_USER);
	struct slab_slab_info *slabs;
	void *objects[256] = { NULL };
	unsigned int n;

	(void)state;
	n = fill(s, 3, objects);
	kmem_cache_free(s, objects[n]);
	slabs = slabs_of(s, 3);
	assert_int_equal(slabs[0].nr, 1);
	assert_int_equal(slabs[0].state, SLAB_STATE_FULL);
	assert_int_equal(slabs[0].found_by, SLAB_FOUND_FULL_LIST);
	assert_int_equal(slabs[1].nr, 2);
	assert_int_equal(slabs[1].state, SLAB_STATE_PARTIAL);
	assert_int_equal(slabs[1].found_by, SLAB_FOUND_PARTIAL_LIST);
	assert_int_equal(slabs[2].nr, 3);
	assert_int_equal(slabs[2].base, (uintptr_t)objects[2UL * n] & ~0xfffUL);
	free(slabs);
}

static void full_slabs_without_a_list_are_found_by_region(void **state)
{
	struct kmem_cache *s = kmem_cache_create("ring", 200, NULL,
						 SLAB_POISON);
	struct slab_slab_info *slabs;
	void *objects[256] = { NULL };

	(void)state;
	fill(s, 2, objects);
	slabs = slabs_of(s, 2);
	assert_int_equal(slabs[1].state, SLAB_STATE_FULL);
	assert_int_equal(slabs[1].found_by, SLAB_FOUND_REGION);
	free(slabs);
}

static void frozen_slab_names_the_report_that_froze_it(void **state)
{
	struct kmem_cache *s = kmem_cache_create(
		"ring", 200, NULL, SLAB_POISON | SLAB_CONSISTENCY_CHECKS);
	uint8_t *p = kmem_cache_alloc(s, GFP_KERNEL);
	struct slab_slab_info *slabs;

	(void)state;
	kmem_cache_free(s, p);
	slab_poke(lab.m, (uintptr_t)p + 50, "\x9a", 1);
	kmem_cache_alloc(s, GFP_KERNEL);
	slabs = slabs_of(s, 2);
	assert_int_equal(slabs[0].state, SLAB_STATE_FROZEN);
	assert_int_equal(slabs[0].found_by, SLAB_FOUND_REGION);
	assert_int_equal(slabs[0].report, lab.records[0].number);
	assert_int_equal(slabs[1].report, 0);
	free(slabs);
}

static void empty_is_partial_without_objects_in_use(void **state)
{
	struct kmem_cache *s = kmem_cache_create("ring", 200, NULL,
						 SLAB_POISON);
	struct slab_slab_info *slabs;

	(void)state;
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	slabs = slabs_of(s, 1);
	assert_int_equal(slabs[0].state, SLAB_STATE_EMPTY);
	free(slabs);
}

/* ---- lists that are damaged ---- */
static struct slab *slab_of(const void *object)
{
	return virt_to_slab(lab.m, object);
}

/* Three partial slabs: S3, S2, S1 in the list's order. */
static struct kmem_cache *three_partial(void **objects)
{
	struct kmem_cache *s = kmem_cache_create("ring", 200, NULL,
						 SLAB_POISON);
	unsigned int n = fill(s, 3, objects);

	kmem_cache_free(s, objects[2UL * n]);
	kmem_cache_free(s, objects[n]);
	kmem_cache_free(s, objects[0]);
	objects[1] = objects[n];
	objects[2] = objects[2UL * n];
	return s;
}

static void a_wild_link_ends_the_list_and_hides_no_slab(void **state)
{
	void *objects[256] = { NULL };
	struct kmem_cache *s = three_partial(objects);
	struct slab_slab_info *slabs;

	(void)state;
	slab_of(objects[2])->slab_list.next = (void *)0x4141414141414141;
	slabs = slabs_of(s, 3);
	assert_int_equal(slabs[2].found_by, SLAB_FOUND_PARTIAL_LIST);
	assert_int_equal(slabs[1].found_by, SLAB_FOUND_REGION);
	assert_int_equal(slabs[1].state, SLAB_STATE_ISOLATED);
	free(slabs);
}

static void a_link_into_the_middle_of_a_descriptor_is_wild(void **state)
{
	void *objects[256] = { NULL };
	struct kmem_cache *s = three_partial(objects);
	struct slab *slab = slab_of(objects[2]);
	struct walk_list list;
	struct walk w;

	(void)state;
	slab->slab_list.next = (void *)((char *)slab->slab_list.next + 8);
	assert_int_equal(walk_slabs(target, s, &w), 0);
	list = w.partial[0];
	walk_free(&w);
	assert_int_equal(list.nr, 1);
	assert_false(list.is_whole);
}

static void a_circle_that_misses_the_head_is_walked_once(void **state)
{
	void *objects[256] = { NULL };
	struct kmem_cache *s = three_partial(objects);
	struct walk w;

	(void)state;
	slab_of(objects[0])->slab_list.next = &slab_of(objects[1])->slab_list;
	assert_int_equal(walk_slabs(target, s, &w), 0);
	assert_int_equal(w.partial[0].nr, 3);
	assert_false(w.partial[0].is_whole);
	assert_int_equal(w.nr, 3);
	walk_free(&w);
}

static void a_slab_that_lost_its_mark_is_found_by_its_list(void **state)
{
	void *objects[256] = { NULL };
	struct kmem_cache *s = three_partial(objects);
	struct slab_slab_info *slabs;

	(void)state;
	slab_of(objects[1])->type = PAGE_NONE;
	slabs = slabs_of(s, 3);
	assert_int_equal(slabs[1].found_by, SLAB_FOUND_PARTIAL_LIST);
	assert_int_equal(slabs[1].state, SLAB_STATE_UNKNOWN);
	free(slabs);
}

static void a_slab_that_lost_its_cache_is_found_by_its_list(void **state)
{
	void *objects[256] = { NULL };
	struct kmem_cache *s = three_partial(objects);

	(void)state;
	slab_of(objects[1])->slab_cache = NULL;
	free(slabs_of(s, 3));
}

/* ---- one slab by its number ---- */
static void a_slab_that_went_is_not_remembered(void **state)
{
	struct kmem_cache *s = kmem_cache_create("ring", 200, NULL,
						 SLAB_POISON);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);
	struct slab_object_info *objects;
	size_t nr;

	(void)state;
	assert_int_equal(slab_target_objects(target, (uintptr_t)s, 1, &objects,
					     &nr),
			 0);
	free(objects);
	kmem_cache_free(s, p);
	kmem_cache_shrink(s);
	assert_int_equal(slab_target_objects(target, (uintptr_t)s, 1, &objects,
					     &nr),
			 -ENOENT);
	kmem_cache_alloc(s, GFP_KERNEL);
	assert_int_equal(slab_target_objects(target, (uintptr_t)s, 2, &objects,
					     &nr),
			 0);
	free(objects);
}

static void pages_in_a_grace_period_are_no_slab(void **state)
{
	struct kmem_cache *s = kmem_cache_create(
		"ring", 200, NULL, SLAB_TYPESAFE_BY_RCU | NO_SHEAVES);

	(void)state;
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	kmem_cache_shrink(s);
	assert_int_equal(slab_machine_rcu_pending(lab.m), 1);
	free(slabs_of(s, 0));
	assert_int_equal(slab_target_verify(target, 0, NULL, NULL), 0);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		test(each_slab_comes_once_by_number_with_its_way),
		test(full_slabs_without_a_list_are_found_by_region),
		test(frozen_slab_names_the_report_that_froze_it),
		test(empty_is_partial_without_objects_in_use),
		test(a_wild_link_ends_the_list_and_hides_no_slab),
		test(a_link_into_the_middle_of_a_descriptor_is_wild),
		test(a_circle_that_misses_the_head_is_walked_once),
		test(a_slab_that_lost_its_mark_is_found_by_its_list),
		test(a_slab_that_lost_its_cache_is_found_by_its_list),
		test(a_slab_that_went_is_not_remembered),
		test(pages_in_a_grace_period_are_no_slab),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
