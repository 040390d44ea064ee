/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/cache/bulk_sheaves.c - bulk calls of caches with sheaves (3.12):
 * how far sheaves go, what comes from and goes to slabs; chains: bulk.c
 */
#include "../sheaves.h"

#define MANY 128U

static struct kmem_cache *shaped(const char *shape)
{
	struct kmem_cache *s = few();

	slab_cache_set_min_partial(s, 100);
	arrange(s, shape);
	return s;
}

/* What nr objects leave of that shape, and what was counted. */
static void taken(const char *before, unsigned int nr, const char *after,
		  const char *counted)
{
	struct kmem_cache *s;
	void *p[MANY];

	lab_reopen(&(struct slab_machine_config){ 0 });
	s = shaped(before);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, nr, p), nr);
	became(s, nr, after, counted);
}

/* ---- allocation ---- */
static void a_the_top_of_main_in_its_order(void **state)
{
	struct kmem_cache *s = shaped("m4 s- r- f0 e0");
	void *rests[FEW], *p[FEW];

	(void)state;
	memcpy(rests, pcs_of(s, 0)->main->objects, sizeof(rests));
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 2, p), 2);
	assert_ptr_equal(p[0], rests[2]);
	assert_ptr_equal(p[1], rests[3]);
	became(s, 2, "m2 s- r- f0 e0", "alloc_fastpath 2");
}

static void a_main_spare_and_full_sheaves_but_no_refill(void **state)
{
	(void)state;
	taken("m2 s4 r- f0 e0", 5, "m1 s0 r- f0 e0", "alloc_fastpath 5");
	taken("m2 s4 r- f2 e0", 13, "m1 s0 r- f0 e2",
	      "alloc_fastpath 13, barn_get 2");
	/* the rest is the slabs' */
	taken("m2 s3 r- f1 e0", 11, "m0 s0 r- f0 e1",
	      "alloc_fastpath 9, alloc_slowpath 2, free_add_partial 1, "
	      "barn_get 1, barn_get_fail 1");
	taken("m0 s0 r- f0 e3", 1, "m0 s0 r- f0 e3",
	      "alloc_slowpath 1, alloc_slab 1, barn_get_fail 1");
	taken("m3 s- r- f0 e0", 0, "m3 s- r- f0 e0", "");
}

static void a_a_busy_cpu_leaves_it_to_the_slabs(void **state)
{
	struct kmem_cache *s = shaped("m4 s4 r- f0 e0");
	void *p[MANY];

	(void)state;
	/* after the first four */
	at(SLAB_POINT_PCS_TRYLOCK, 2, take_lock, &pcs_of(s, 0)->lock);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 6, p), 6);
	at_end();
	other_releases(&pcs_of(s, 0)->lock);
	assert_string_equal(shape_of(s, 0), "m0 s4 r- f0 e0");
	assert_int_equal(stat_sum(s, SLAB_STAT_ALLOC_FASTPATH), 4);
	assert_int_equal(stat_sum(s, SLAB_STAT_ALLOC_SLOWPATH), 2);
	assert_null(cache_check_users(s, 6));
}

static void a_without_a_barn_it_stops_uncounted(void **state)
{
	struct kmem_cache *s = shaped("m1 s- r- f0 e0");
	struct node_barn *barn = s->node[0]->barn;
	void *p[MANY];

	(void)state;
	s->node[0]->barn = NULL;
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 2, p), 2);
	s->node[0]->barn = barn;
	became(s, 2, "m0 s- r- f0 e0",
	       "alloc_fastpath 1, alloc_slowpath 1, free_add_partial 1");
}

static void a_all_or_nothing(void **state)
{
	struct kmem_cache *s = shaped("m3 s- r- f1 e0");
	void *p[MANY];

	(void)state;
	pages_left(0);
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, MANY, p), 0);
	assert_int_equal(errno, ENOMEM);
	/* what came from sheaves went to slabs */
	became(s, 0, "m0 s- r- f0 e1",
	       "alloc_fastpath 7, free_add_partial 1, barn_get 1, "
	       "barn_get_fail 1");
}

/* ---- free ---- */

/* What becomes of that shape when so many are freed at once. */
static void given(const char *before, unsigned int nr, const char *after,
		  const char *counted)
{
	struct kmem_cache *s;
	void *p[MANY];
	unsigned int i;

	lab_reopen(&(struct slab_machine_config){ 0 });
	s = few();
	slab_cache_set_min_partial(s, 100);
	for (i = 0; i < nr; i++)
		p[i] = alloc(s);
	arrange(s, before);
	kmem_cache_free_bulk(s, nr, p);
	/* which slab was full is not the matter */
	marked[SLAB_STAT_FREE_ADD_PARTIAL] =
		stat_sum(s, SLAB_STAT_FREE_ADD_PARTIAL);
	became(s, 0, after, counted);
}

static void f_main_takes_what_it_can(void **state)
{
	struct kmem_cache *s = few();
	void *p[FEW];
	unsigned int i;

	(void)state;
	for (i = 0; i < FEW; i++)
		p[i] = alloc(s);
	arrange(s, "m0 s- r- f0 e0");
	kmem_cache_free_bulk(s, FEW, p);
	for (i = 0; i < FEW; i++)
		assert_ptr_equal(pcs_of(s, 0)->main->objects[i], p[i]);
	became(s, 0, "m4 s- r- f0 e0", "free_fastpath 4");
	given("m1 s- r- f0 e0", 3, "m4 s- r- f0 e0", "free_fastpath 3");
	given("m1 s- r- f0 e0", 0, "m1 s- r- f0 e0", "");
}

static void f_then_an_empty_one_of_the_barn_or_the_spare(void **state)
{
	(void)state;
	given("m3 s- r- f0 e1", 3, "m2 s4 r- f0 e0", "free_fastpath 3");
	given("m3 s1 r- f0 e1", 3, "m3 s4 r- f0 e1", "free_fastpath 3");
	given("m4 s4 r- f0 e2", 6, "m2 s4 r- f2 e0",
	      "free_fastpath 6, barn_put 2");
}

static void f_else_all_the_rest_goes_to_slabs(void **state)
{
	(void)state;
	/* no container is made, no spare flushed */
	given("m3 s- r- f0 e0", 3, "m4 s- r- f0 e0",
	      "free_fastpath 1, free_slowpath 2");
	given("m3 s4 r- f0 e0", 3, "m4 s4 r- f0 e0",
	      "free_fastpath 1, free_slowpath 2, barn_put_fail 1");
	given("m4 s4 r- f10 e5", 3, "m4 s4 r- f10 e5",
	      "free_slowpath 3, barn_put_fail 1");
}

static void f_a_busy_cpu_leaves_it_to_the_slabs(void **state)
{
	struct kmem_cache *s = few();
	void *p[3];
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++)
		p[i] = alloc(s);
	arrange(s, "m0 s- r- f0 e0");
	other_takes(&pcs_of(s, 0)->lock);
	kmem_cache_free_bulk(s, 3, p);
	other_releases(&pcs_of(s, 0)->lock);
	became(s, 0, "m0 s- r- f0 e0", "free_slowpath 3");
}

static void f_what_is_no_object_of_it_is_refused_alone(void **state)
{
	struct kmem_cache *s = few(), *other = few();
	void *p[5] = { alloc(s), alloc(other), alloc(s), NULL, alloc(s) };
	int local;

	(void)state;
	p[3] = &local;
	arrange(s, "m0 s- r- f0 e0");
	kmem_cache_free_bulk(s, 5, p);
	assert_string_equal(lab_said(), "object belongs to different cache; "
					"object is not in a slab page");
	became(s, 0, "m3 s- r- f0 e0", "free_fastpath 3");
}

static void f_without_a_cache_sheaves_are_not_used(void **state)
{
	void *p[6];
	struct kmem_cache *s;
	unsigned int i;

	(void)state;
	for (i = 0; i < 6; i++)
		p[i] = kmalloc(i % 2 ? 64 : 200, GFP_KERNEL);
	s = slab_of(p[0])->slab_cache;
	stats_mark(s);
	kmem_cache_free_bulk(NULL, 6, p);
	assert_string_equal(stats_since(s), "free_slowpath 3");
	intact(s);
}

/* ---- who may rest in sheaves, and who not ---- */
enum kind { LOCAL, REMOTE, RESERVE };

static void *one_of(struct kmem_cache *s, enum kind kind)
{
	void *p = slow_alloc(s, GFP_KERNEL | __GFP_MEMALLOC,
			     kind == REMOTE ? 1 : 0, 64);

	assert_non_null(p);
	return p;
}

/* Frees objects of these kinds at once: each goes where it belongs. */
static void freed_by_kind(struct kmem_cache *s, const enum kind *kinds,
			  unsigned int nr)
{
	void *reserve[64], *p[MANY];
	unsigned int i, k = 0, eligible = 0;
	struct slab *slab;

	/* a slab of the reserve, all of it ours */
	for (i = 0; i < 64; i++)
		reserve[i] = one_of(s, RESERVE);
	slab = slab_of(reserve[0]);
	assert_ptr_equal(slab, slab_of(reserve[63]));
	slab->flags |= SL_PFMEMALLOC;
	for (i = 0; i < nr; i++) {
		p[i] = kinds[i] == RESERVE && k < 64 ? reserve[k++]
						     : one_of(s, kinds[i]);
		eligible += kinds[i] == LOCAL ||
			    (kinds[i] == RESERVE &&
			     !(slab_of(p[i])->flags & SL_PFMEMALLOC));
	}
	arrange_cpu(s, "m0 s- r-");
	arrange_barn(s, 0, 4);
	stats_mark(s);
	kmem_cache_free_bulk(s, nr, p);
	assert_null(cache_check_users(s, 64 - k));
	assert_int_equal(stat_sum(s, SLAB_STAT_FREE_FASTPATH) -
				 marked[SLAB_STAT_FREE_FASTPATH],
			 eligible);
	assert_int_equal(stat_sum(s, SLAB_STAT_FREE_SLOWPATH) -
				 marked[SLAB_STAT_FREE_SLOWPATH],
			 nr - eligible);
	while (k < 64)
		kmem_cache_free(s, reserve[k++]);
	slab->flags &= ~SL_PFMEMALLOC;
	kmem_cache_shrink(s);
	assert_int_equal(slab_machine_pages_used(lab.m), 0);
}

/* H20 of 7.0: one local object and then 32 remote ones lost the local one. */
static void h20_no_pattern_around_32_loses_an_object(void **state)
{
	static const unsigned int sizes[] = { 1,  2,  31, 32, 33, 34,
					      63, 64, 65, 66, 97 };
	struct kmem_cache *s;
	unsigned int i, at, k, form;
	enum kind kinds[MANY];

	(void)state;
	numa();
	s = cache(64, SLAB_NO_MERGE);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (at = 0; at <= sizes[i]; at++)
			for (form = 0; form < 6; form++) {
				enum kind other = form & 1 ? RESERVE : REMOTE;

				for (k = 0; k < sizes[i]; k++)
					kinds[k] = form < 2 ? (k < at ? LOCAL
								      : other)
						   : form < 4
							   ? (k < at ? other
								     : LOCAL)
							   : (k == at ? LOCAL
								      : other);
				freed_by_kind(s, kinds, sizes[i]);
			}
}

static void mixed_kinds_at_random_are_parted_too(void **state)
{
	struct random r = { 7 };
	struct kmem_cache *s;
	unsigned int i, k;
	enum kind kinds[MANY];

	(void)state;
	numa();
	s = cache(64, SLAB_NO_MERGE);
	for (i = 0; i < 200; i++) {
		unsigned int nr = 1 + (unsigned int)random_below(&r, 100);

		for (k = 0; k < nr; k++)
			kinds[k] = (enum kind)random_below(&r, 3);
		freed_by_kind(s, kinds, nr);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(a_the_top_of_main_in_its_order),
		lab_test(a_main_spare_and_full_sheaves_but_no_refill),
		lab_test(a_a_busy_cpu_leaves_it_to_the_slabs),
		lab_test(a_without_a_barn_it_stops_uncounted),
		lab_test(a_all_or_nothing),
		lab_test(f_main_takes_what_it_can),
		lab_test(f_then_an_empty_one_of_the_barn_or_the_spare),
		lab_test(f_else_all_the_rest_goes_to_slabs),
		lab_test(f_a_busy_cpu_leaves_it_to_the_slabs),
		lab_test(f_what_is_no_object_of_it_is_refused_alone),
		lab_test(f_without_a_cache_sheaves_are_not_used),
		lab_test(h20_no_pattern_around_32_loses_an_object),
		lab_test(mixed_kinds_at_random_are_parted_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
