/* SPDX-License-Identifier: MIT */
/* tests/unit/cache/bulk.c - chains of a bulk free to slabs: how far one looks,
 * which end is first, who is refused; with sheaves: bulk_sheaves.c */
#include "../ring.h"

#include "cache/cache.h"
#include "slab/cpu.h"

/* Objects of two slabs, eight of each. */
static struct kmem_cache *two_slabs(void **a, void **b)
{
	struct kmem_cache *s = cache(512, NO_SHEAVES);
	unsigned int i;

	for (i = 0; i < s->oo.objects; i++)
		a[i % 8] = kmem_cache_alloc(s, GFP_KERNEL);
	for (i = 0; i < 8; i++)
		b[i] = kmem_cache_alloc(s, GFP_KERNEL);
	assert_ptr_not_equal(slab_of(a[0]), slab_of(b[0]));
	lab.events[SLAB_EVENT_PUSH] = 0;
	return s;
}

static void the_look_ahead_ends_at_the_third_stranger(void **state)
{
	void *a[8], *b[8];
	struct kmem_cache *s = two_slabs(a, b);
	void *two_between[] = { a[0], b[0], b[1], a[1] };
	void *three_between[] = { a[2], b[2], b[3], b[4], a[3] };

	(void)state;
	kmem_cache_free_bulk(s, 4, two_between);
	assert_int_equal(lab.events[SLAB_EVENT_PUSH], 2);
	lab.events[SLAB_EVENT_PUSH] = 0;
	kmem_cache_free_bulk(s, 5, three_between);
	assert_int_equal(lab.events[SLAB_EVENT_PUSH], 3);
	assert_null(cache_check(s));
}

static void the_last_of_the_array_is_the_head(void **state)
{
	void *a[8], *b[8];
	struct kmem_cache *s = two_slabs(a, b);

	(void)state;
	kmem_cache_free_bulk(s, 3, b);
	assert_int_equal(lab.events[SLAB_EVENT_PUSH], 1);
	assert_ptr_equal(kmem_cache_alloc(s, GFP_KERNEL), b[2]);
	assert_ptr_equal(kmem_cache_alloc(s, GFP_KERNEL), b[1]);
	assert_ptr_equal(kmem_cache_alloc(s, GFP_KERNEL), b[0]);
	assert_null(cache_check(s));
}

/* Without hooks nothing turns the chain around. */
static void a_flush_runs_as_the_sheaf_does(void **state)
{
	struct kmem_cache *s = kmem_cache_create("r", 512, NULL, SLAB_NO_MERGE);
	void *a = kmem_cache_alloc(s, GFP_KERNEL);
	void *b = kmem_cache_alloc(s, GFP_KERNEL);
	struct slab *slab = slab_of(a);

	(void)state;
	assert_ptr_equal(slab_of(b), slab);
	/* all others are in use, so that these two are its chain */
	while (slab->freelist || s->cpu_sheaves[0].main->size)
		assert_non_null(kmem_cache_alloc(s, GFP_KERNEL));
	kmem_cache_free(s, a);
	kmem_cache_free(s, b);
	slab_cache_flush_cpu(lab.m, s);
	assert_ptr_equal(slab->freelist, a);
	assert_ptr_equal(get_freepointer(s, a), b);
	assert_null(get_freepointer(s, b));
	assert_null(cache_check(s));
}

static void a_stranger_in_the_array_is_refused_alone(void **state)
{
	void *a[8], *b[8];
	struct kmem_cache *s = two_slabs(a, b);
	struct kmem_cache *other =
		kmem_cache_create("o", 512, NULL, NO_SHEAVES);
	void *stranger = kmem_cache_alloc(other, GFP_KERNEL);
	void *p[] = { b[0], b[1], stranger };

	(void)state;
	kmem_cache_free_bulk(s, 3, p);
	assert_string_equal(lab_said(), "object belongs to different cache");
	assert_int_equal(slab_of(b[0])->inuse, 6);
	assert_int_equal(slab_of(stranger)->inuse, 1);
	assert_null(cache_check(s));
	assert_null(cache_check(other));
}

static void failslab_is_asked_once(void **state)
{
	/* of these each object has a call of its own inside */
	struct kmem_cache *s = cache(64, SLAB_POISON);
	struct slab_faults faults;
	void *p[8];

	(void)state;
	/* every third question is answered with a failure */
	slab_faults_get(lab.m, &faults);
	faults.failslab.attr.probability = 100;
	faults.failslab.attr.interval = 3;
	faults.failslab.attr.times = -1;
	faults.failslab.ignore_gfp_wait = false;
	slab_faults_set(lab.m, &faults);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 8, p), 8);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 8, p), 8);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 8, p), 0);
	assert_int_equal(lab.events[SLAB_EVENT_FAIL_INJECTED], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(the_look_ahead_ends_at_the_third_stranger),
		lab_test(the_last_of_the_array_is_the_head),
		lab_test(a_flush_runs_as_the_sheaf_does),
		lab_test(a_stranger_in_the_array_is_refused_alone),
		lab_test(failslab_is_asked_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
