/* SPDX-License-Identifier: MIT */
/* tests/unit/inspect/check.c - cache_check() finds what does not hold, beyond
 * what each structure's own check finds */
#include "../sheaves.h"

static struct kmem_cache *shaped(const char *shape)
{
	struct kmem_cache *s = few();

	arrange(s, shape);
	assert_null(cache_check_users(s, 0));
	return s;
}

static void breaks(struct kmem_cache *s, const char *wanted)
{
	const char *broken = cache_check(s);

	if (!broken || strcmp(broken, wanted))
		fail_msg("found %s, wanted %s", broken ? broken : "nothing",
			 wanted);
}

static void locks_are_let_go(void **state)
{
	struct kmem_cache *s = shaped("m1 s- r- f0 e0");
	struct slab_lock *locks[] = { &pcs_of(s, 0)->lock, &barn_of(s)->lock,
				      &s->node[0]->list_lock, &s->lent_lock };
	static const char *const wanted[] = { "a CPU's sheaves are locked",
					      "a node's lock is held",
					      "a node's lock is held",
					      "lent_lock is held" };
	unsigned int i;

	(void)state;
	for (i = 0; i < 4; i++) {
		other_takes(locks[i]);
		breaks(s, wanted[i]);
		other_releases(locks[i]);
	}
	assert_null(cache_check(s));
}

static void each_structure_is_checked(void **state)
{
	struct kmem_cache *s = shaped("m1 s- r- f1 e0");
	struct slab_sheaf *lent = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 1);

	(void)state;
	s->node[0]->nr_slabs++;
	breaks(s, "N1: nr_slabs == number of slabs");
	s->node[0]->nr_slabs--;
	barn_of(s)->nr_full++;
	breaks(s, "P6: a barn's counts are its lists' lengths");
	barn_of(s)->nr_full--;
	pcs_of(s, 0)->main->size = FEW + 1;
	breaks(s, "P2: size <= capacity");
	pcs_of(s, 0)->main->size = 1;
	lent->size = FEW + 1;
	breaks(s, "P2: size <= capacity");
	lent->size = FEW;
	lent->place = SHEAF_RESTS;
	breaks(s, "P4: lent sheaves are the cache's, and marked");
	lent->place = SHEAF_LENT;
	assert_null(cache_check(s));
}

static void p5_an_object_rests_in_one_place(void **state)
{
	struct kmem_cache *s = shaped("m2 s2 r2 f1 e0");
	struct slab_sheaf *main = pcs_of(s, 0)->main;
	void *was = main->objects[1];

	(void)state;
	main->objects[1] = main->objects[0];
	breaks(s, "P5: an object rests in one place only");
	main->objects[1] = pcs_of(s, 0)->rcu_free->objects[0];
	breaks(s, "P5: an object rests in one place only");
	main->objects[1] = (char *)was + 8;
	breaks(s, "P5: what rests is an object of the cache");
	main->objects[1] = &was;
	breaks(s, "P5: what rests is an object of the cache");
	main->objects[1] = was;
	assert_null(cache_check(s));
}

static void p5_what_rests_is_on_no_chain(void **state)
{
	struct kmem_cache *s = shaped("m2 s- r- f0 e0");
	struct slab *slab = slab_of(pcs_of(s, 0)->main->objects[0]);
	void *was = pcs_of(s, 0)->main->objects[1];

	(void)state;
	pcs_of(s, 0)->main->objects[1] = slab->freelist;
	breaks(s, "P5: what rests is on no free chain");
	pcs_of(s, 0)->main->objects[1] = was;
	assert_null(cache_check(s));
}

static void n5_slabs_and_rests_agree(void **state)
{
	struct kmem_cache *s = shaped("m2 s- r1 f1 e0");
	void *p = alloc(s);

	(void)state;
	assert_null(cache_check_users(s, 1));
	assert_string_equal(cache_check_users(s, 0),
			    "N5: in use == users + what rests");
	assert_string_equal(cache_check_users(s, 2),
			    "N5: in use == users + what rests");
	/* batches and deferred frees count as well */
	slab_kfree_rcu(p);
	assert_null(cache_check_users(s, 0));
}

static void n5_more_can_not_rest_than_is_in_use(void **state)
{
	struct kmem_cache *s = shaped("m4 s- r- f0 e0");
	struct slab *slab = slab_of(pcs_of(s, 0)->main->objects[0]);

	(void)state;
	/* a slab whose chain is whole again while its objects rest */
	free_to_slabs(s, FEW,
		      (void *[]){ pcs_of(s, 0)->main->objects[0],
				  pcs_of(s, 0)->main->objects[1],
				  pcs_of(s, 0)->main->objects[2],
				  pcs_of(s, 0)->main->objects[3] });
	assert_int_equal(slab->inuse, 0);
	breaks(s, "N5: what rests is in use for its slab");
}

static void p9_no_reserve_objects_in_sheaves(void **state)
{
	struct kmem_cache *s = shaped("m1 s- r- f0 e0");
	struct slab *slab = slab_of(pcs_of(s, 0)->main->objects[0]);
	struct slab_sheaf *lent;

	(void)state;
	slab->flags |= SL_PFMEMALLOC;
	breaks(s, "P9: no object of the emergency reserve in a sheaf");
	slab->flags &= ~SL_PFMEMALLOC;
	/* but in what is lent */
	arrange(s, "m0 s1 r- f0 e0");
	lent = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 1);
	slab_of(lent->objects[0])->flags |= SL_PFMEMALLOC;
	assert_null(cache_check(s));
}

static void p8_no_barn_without_sheaves(void **state)
{
	struct kmem_cache *s = shaped("m0 s- r- f0 e0");
	struct kmem_cache *plain = cache(64, NO_SHEAVES);

	(void)state;
	plain->node[0]->barn = s->node[0]->barn;
	breaks(plain, "P8: no barn without sheaves");
	plain->node[0]->barn = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(locks_are_let_go),
		lab_test(each_structure_is_checked),
		lab_test(p5_an_object_rests_in_one_place),
		lab_test(p5_what_rests_is_on_no_chain),
		lab_test(n5_slabs_and_rests_agree),
		lab_test(n5_more_can_not_rest_than_is_in_use),
		lab_test(p9_no_reserve_objects_in_sheaves),
		lab_test(p8_no_barn_without_sheaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
