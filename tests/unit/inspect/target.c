/* SPDX-License-Identifier: MIT */
/* tests/unit/inspect/target.c - caches, their numbers, and reading pages */
#include "../lab.h"

#include <errno.h>

#include <slab/inject.h>
#include <slab/inspect.h>

#include "machine/machine.h"
#include "slab/slab.h"

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

static struct slab_cache_info cache(const char *name)
{
	struct slab_cache_info info;

	assert_int_equal(slab_target_cache(target, name, &info), 0);
	return info;
}

static void caches_come_newest_first(void **state)
{
	struct slab_cache_info *caches;
	size_t nr;

	(void)state;
	kmem_cache_create("one", 100, NULL, SLAB_NO_MERGE);
	kmem_cache_create("two", 100, NULL, SLAB_NO_MERGE);
	assert_int_equal(slab_target_caches(target, &caches, &nr), 0);
	assert_int_equal(nr, 2);
	assert_string_equal(caches[0].name, "two");
	assert_string_equal(caches[1].name, "one");
	free(caches);
}

static void every_name_of_a_cache_is_told(void **state)
{
	struct kmem_cache *s = kmem_cache_create("one", 100, NULL, 0);
	char *names;

	(void)state;
	assert_ptr_equal(kmem_cache_create("two", 100, NULL, 0), s);
	assert_int_equal(slab_target_names(target, (uintptr_t)s, &names), 0);
	assert_memory_equal(names, "one\0two\0\0", 9);
	free(names);
	assert_int_equal(cache("two").cache, (uintptr_t)s);
	assert_int_equal(cache("two").nr_names, 2);
}

static void the_id_is_sysfs_directory(void **state)
{
	(void)state;
	kmem_cache_create("debug", 100, NULL, SLAB_POISON);
	kmem_cache_create("plain", 100, NULL, 0);
	kmem_cache_create("rcl", 100, NULL,
			  SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT);
	assert_string_equal(cache("debug").id, "debug");
	assert_string_equal(cache("plain").id, ":0000104");
	assert_string_equal(cache("rcl").id, ":aA-0000104");
}

static void objects_are_counted_as_sysfs_does(void **state)
{
	struct kmem_cache *s = kmem_cache_create("ring", 200, NULL,
						 SLAB_POISON);
	struct slab_cache_info info;
	void *p[25];
	int i;

	(void)state;
	for (i = 0; i < 25; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_free(s, p[3]);
	info = cache("ring");
	/* 19 a slab: S1 has 18 in use, S2 has 6 */
	assert_int_equal(info.objs_per_slab, 19);
	assert_int_equal(info.total.nr_slabs, 2);
	assert_int_equal(info.total.total_objects, 38);
	assert_int_equal(info.total.nr_partial, 2);
	assert_int_equal(info.total.objects_partial, 24);
	assert_int_equal(info.total.free_partial, 14);
	assert_int_equal(info.objects, 24);
	assert_int_equal(info.users, 24);
}

static void a_count_damaged_upwards_wraps_as_in_the_kernel(void **state)
{
	struct kmem_cache *s = kmem_cache_create("ring", 200, NULL,
						 SLAB_POISON);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	virt_to_slab(lab.m, p)->objects += 100;
	assert_int_equal(cache("ring").objects, (unsigned long)-99);
}

static void leaked_objects_are_nobodys(void **state)
{
	struct kmem_cache *s = kmem_cache_create("ring", 200, NULL,
						 SLAB_DEBUG_DEFAULT_FLAGS);
	uint8_t *p = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	slab_poke(lab.m, (uintptr_t)p + 200, "\x12", 1);
	kmem_cache_free(s, p);
	assert_int_equal(cache("ring").objects, 1);
	assert_int_equal(cache("ring").users, 0);
}

static void only_pages_can_be_read(void **state)
{
	struct kmem_cache *s = kmem_cache_create("ring", 200, NULL,
						 SLAB_POISON);
	uint8_t *p = kmem_cache_alloc(s, GFP_KERNEL), buf[8];
	uintptr_t end = lab.m->base + (lab.m->pages_opened << PAGE_SHIFT);
	static const size_t outside[] = { SLOT_MEMMAP, SLOT_META, SLOT_SITES,
					  SLAB_SLOT_SIZE };
	size_t i;

	(void)state;
	p[0] = 0x42;
	assert_int_equal(slab_target_read(target, (uintptr_t)p, buf, 8), 0);
	assert_int_equal(buf[0], 0x42);
	assert_int_equal(buf[1], 0x6b);
	assert_int_equal(slab_target_read(target, end - 8, buf, 8), 0);
	assert_int_equal(slab_target_read(target, end - 7, buf, 8), -EFAULT);
	assert_int_equal(slab_target_read(target, lab.m->base - 1, buf, 8),
			 -EFAULT);
	assert_int_equal(slab_target_read(target, UINTPTR_MAX - 3, buf, 8),
			 -EFAULT);
	for (i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
		assert_int_equal(slab_target_read(target,
						  lab.m->base + outside[i],
						  buf, 8),
				 -EFAULT);
}

static void what_does_not_exist_is_not_found(void **state)
{
	struct kmem_cache *s = kmem_cache_create("ring", 200, NULL, 0);
	struct slab_cache_info info;
	struct slab_slab_info slab, *slabs;
	struct slab_object_info *objects;
	struct slab_freelist_info chain;
	size_t nr;

	(void)state;
	assert_int_equal(slab_target_cache(target, "none", &info), -ENOENT);
	assert_int_equal(slab_target_slabs(target, 4711, &slabs, &nr),
			 -ENOENT);
	assert_int_equal(slab_target_slab(target, (uintptr_t)s, 1, &slab),
			 -ENOENT);
	assert_int_equal(slab_target_objects(target, (uintptr_t)s, 1, &objects,
					     &nr),
			 -ENOENT);
	assert_int_equal(slab_target_freelist(target, (uintptr_t)s, 1, &chain),
			 -ENOENT);
	assert_int_equal(slab_target_open_self(NULL, &target), -EINVAL);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		test(caches_come_newest_first),
		test(every_name_of_a_cache_is_told),
		test(the_id_is_sysfs_directory),
		test(objects_are_counted_as_sysfs_does),
		test(a_count_damaged_upwards_wraps_as_in_the_kernel),
		test(leaked_objects_are_nobodys),
		test(only_pages_can_be_read),
		test(what_does_not_exist_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
