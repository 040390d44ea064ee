/* SPDX-License-Identifier: MIT */
/* tests/unit/cache/new_slab.c - the order of objects, and their constructor */
#include "../ring.h"

#include "machine/page.h"
#include "slab/node.h"

/* All objects of a new slab, as they are handed out. */
static unsigned int take_slab(struct kmem_cache *s, void **p)
{
	unsigned int nr = 0;

	do
		p[nr++] = kmem_cache_alloc(s, GFP_KERNEL);
	while (slab_of(p[0])->freelist);
	return nr;
}

static void objects_come_in_the_order_of_addresses(void **state)
{
	struct kmem_cache *s = cache(64, NO_SHEAVES);
	void *p[64];
	unsigned int i, nr = take_slab(s, p);

	(void)state;
	assert_int_equal(nr, 64);
	for (i = 0; i < nr; i++)
		assert_ptr_equal(p[i], (char *)p[0] + i * 64);
}

static int index_of(void *object)
{
	return (int)(((uintptr_t)object % 4096) / 64);
}

static void shuffled_slabs_hold_every_object_once(void **state)
{
	struct kmem_cache *s = cache(64, NO_SHEAVES);
	int order[2][64];
	unsigned int i, k, nr_ascending = 0;

	(void)state;
	for (k = 0; k < 2; k++) {
		bool seen[64] = { false };
		void *p[64];

		assert_int_equal(take_slab(s, p), 64);
		for (i = 0; i < 64; i++) {
			order[k][i] = index_of(p[i]);
			assert_false(seen[order[k][i]]);
			seen[order[k][i]] = true;
			nr_ascending += i && order[k][i] == order[k][i - 1] + 1;
		}
	}
	assert_in_range(nr_ascending, 0, 30);
	/* one permutation, begun at another place */
	assert_memory_not_equal(order[0], order[1], sizeof(order[0]));
	for (k = 0; order[1][k] != order[0][0]; k++)
		;
	for (i = 0; i < 64; i++)
		assert_int_equal(order[0][i], order[1][(i + k) % 64]);
}

static void a_small_slab_is_shuffled_too(void **state)
{
	struct kmem_cache *s = cache(1024, NO_SHEAVES);
	void *p[16];
	unsigned int i, k, nr;

	(void)state;
	assert_true(s->oo.objects > 4);
	slab_machine_set_page_limit(lab.m, 1);
	nr = take_slab(s, p);
	assert_int_equal(nr, 4);
	for (i = 0; i < nr; i++) {
		assert_ptr_equal(slab_of(p[i]), slab_of(p[0]));
		for (k = 0; k < i; k++)
			assert_ptr_not_equal(p[i], p[k]);
	}
}

static unsigned int nr_constructed;

static void counting_ctor(void *object)
{
	nr_constructed++;
	memset(object, 0x5c, 64);
}

static void each_object_is_constructed_once(void **state)
{
	struct kmem_cache *s =
		kmem_cache_create("c", 64, 0, SLAB_POISON, counting_ctor);
	unsigned char *p;

	(void)state;
	nr_constructed = 0;
	p = kmem_cache_alloc(s, GFP_KERNEL);
	assert_int_equal(nr_constructed, slab_of(p)->objects);
	assert_int_equal(p[0], 0x5c);
	p[0] = 1;
	kmem_cache_free(s, p);
	assert_ptr_equal(kmem_cache_alloc(s, GFP_KERNEL), p);
	assert_int_equal(p[0], 1);
	assert_int_equal(nr_constructed, slab_of(p)->objects);
}

static void zeroed_memory_of_a_constructed_cache_is_told(void **state)
{
	struct kmem_cache *s = kmem_cache_create("c", 64, 0, 0, counting_ctor);

	(void)state;
	kmem_cache_alloc(s, GFP_KERNEL);
	assert_string_equal(lab_said(), "");
	s = kmem_cache_create("d", 64, 0, 0, counting_ctor);
	kmem_cache_alloc(s, GFP_KERNEL | __GFP_ZERO);
	assert_string_equal(lab_said(), "constructor and __GFP_ZERO");
	assert_int_equal(slab_machine_errors(lab.m), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(objects_come_in_the_order_of_addresses),
		lab_test_hardened(shuffled_slabs_hold_every_object_once),
		lab_test_hardened(a_small_slab_is_shuffled_too),
		lab_test(each_object_is_constructed_once),
		lab_test(zeroed_memory_of_a_constructed_cache_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
