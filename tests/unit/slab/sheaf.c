/* SPDX-License-Identifier: MIT */
/* tests/unit/slab/sheaf.c - what a sheaf is, and what can not be one */
#include "../sheaves.h"

static void failslab_is_asked_for_what_the_kernel_would_allocate(void **state)
{
	(void)state;
	assert_int_equal(sheaf_kernel_bytes(0), 32);
	assert_int_equal(sheaf_kernel_bytes(60), 512);
}

static void capacities_fill_a_kmalloc_class(void **state)
{
	static const unsigned int rows[][2] = {
		{ 8, 60 },    { 64, 60 },   { 248, 60 },
		{ 249, 28 },  { 1016, 28 }, { 1017, 12 },
		{ 4088, 12 }, { 4089, 4 },  { 20000, 4 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kmem_cache *s = cache(rows[i][0], SLAB_NO_MERGE);

		if (kmem_cache_sheaf_capacity(s) != rows[i][1])
			fail_msg("%u bytes: %u, wanted %u", rows[i][0],
				 kmem_cache_sheaf_capacity(s), rows[i][1]);
	}
}

static void a_wanted_capacity_is_a_lower_bound(void **state)
{
	struct kmem_cache_args args = { .sheaf_capacity = 100 };

	(void)state;
	assert_int_equal(kmem_cache_create("a", 64, &args, 0)->sheaf_capacity,
			 100);
	args.sheaf_capacity = 1;
	assert_int_equal(kmem_cache_create("b", 64, &args, 0)->sheaf_capacity,
			 60);
	args.sheaf_capacity = SLAB_SHEAF_MAX + 1;
	assert_null(kmem_cache_create("c", 64, &args, 0));
	args.sheaf_capacity = 1U << 31;
	assert_null(kmem_cache_create("d", 64, &args, 0));
}

static void p8_caches_without_sheaves_have_the_bootstrap_sheaf(void **state)
{
	static const slab_flags_t flags[] = {
		SLAB_RED_ZONE,		 SLAB_POISON,
		SLAB_STORE_USER,	 SLAB_TRACE,
		SLAB_CONSISTENCY_CHECKS, SLAB_NOLEAKTRACE,
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		struct kmem_cache *s = cache(64, flags[i]);

		assert_int_equal(s->sheaf_capacity, 0);
		assert_ptr_equal(pcs_of(s, 0)->main, bootstrap_sheaf);
		assert_null(s->node[0]->barn);
		kmem_cache_free(s, alloc(s));
		assert_int_equal(bootstrap_sheaf->size, 0);
		intact(s);
	}
}

static void only_metadata_may_be_a_sheaf(void **state)
{
	struct kmem_cache *s = few();
	struct slab_sheaf *sheaf = pcs_of(s, 0)->main;

	(void)state;
	assert_true(sheaf_may_be(s, sheaf));
	assert_false(sheaf_may_be(s, NULL));
	assert_false(sheaf_may_be(s, bootstrap_sheaf));
	assert_false(sheaf_may_be(s, (void *)((char *)sheaf + 8)));
	assert_false(sheaf_may_be(s, alloc(s)));
	/* its end must be ours, too */
	assert_false(
		sheaf_may_be(s, (void *)((lab.m->meta.next - 32) & ~31UL)));
}

static void check_finds_what_does_not_hold(void **state)
{
	struct kmem_cache *s = few(), *other = few();
	struct slab_sheaf *sheaf = pcs_of(s, 0)->main;

	(void)state;
	assert_null(sheaf_check(s, sheaf));
	assert_string_equal(sheaf_check(other, sheaf),
			    "P4: a sheaf that rests is its cache's own");
	sheaf->place = SHEAF_IN_RCU;
	assert_string_equal(sheaf_check(s, sheaf),
			    "P4: a sheaf that rests is its cache's own");
	sheaf->place = SHEAF_RESTS;
	sheaf->size = FEW + 1;
	assert_string_equal(sheaf_check(s, sheaf), "P2: size <= capacity");
	sheaf->size = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(failslab_is_asked_for_what_the_kernel_would_allocate),
		lab_test(capacities_fill_a_kmalloc_class),
		lab_test(a_wanted_capacity_is_a_lower_bound),
		lab_test(p8_caches_without_sheaves_have_the_bootstrap_sheaf),
		lab_test(only_metadata_may_be_a_sheaf),
		lab_test(check_finds_what_does_not_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
