/* SPDX-License-Identifier: MIT */
/* tests/unit/debug/sheaves.c - a damaged sheaf or barn is judged before it is
 * used, on each way to it: nothing wrong is handed out or written through */
#include "../lab.h"

#include <errno.h>

#include <slab/inject.h>
#include <slab/sheaf.h>

#include "slab/cpu.h"

#define CAPACITY 60U
#define WILD	 ((void *)0x4141414141414141)

static struct kmem_cache *cache(void)
{
	return kmem_cache_create("ring", 200, NULL, SLAB_NO_MERGE);
}

static struct slub_percpu_sheaves *pcs_of(struct kmem_cache *s)
{
	return &s->cpu_sheaves[0];
}

static void said(const char *wanted)
{
	assert_string_equal(lab_said(), wanted);
	lab_forget();
}

/* A spare that is full, and main with one object. */
static void fill_spare(struct kmem_cache *s)
{
	void *p[CAPACITY + 1];
	unsigned int i;

	for (i = 0; i <= CAPACITY; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	/* what a refill left goes back, so that frees alone fill sheaves */
	slab_cache_flush_cpu(lab.m, s);
	for (i = 0; i <= CAPACITY; i++)
		kmem_cache_free(s, p[i]);
	assert_int_equal(pcs_of(s)->main->size, 1);
	assert_int_equal(pcs_of(s)->spare->size, CAPACITY);
}

static void a_count_beyond_the_capacity_gives_the_sheaf_up(void **state)
{
	struct kmem_cache *s = cache();
	void *p = kmem_cache_alloc(s, GFP_KERNEL), *q;

	(void)state;
	pcs_of(s)->main->size = CAPACITY + 1;
	q = kmem_cache_alloc(s, GFP_KERNEL);
	said("Sheaf corrupt");
	assert_non_null(q);
	assert_ptr_not_equal(q, p);
	assert_int_equal(pcs_of(s)->main->size, 0);
}

static void a_free_looks_at_the_count_first(void **state)
{
	struct kmem_cache *s = cache();
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	pcs_of(s)->main->size = 0xfffffff;
	kmem_cache_free(s, p);
	said("Sheaf corrupt");
	assert_int_equal(pcs_of(s)->main->size, 1);
	assert_ptr_equal(pcs_of(s)->main->objects[0], p);
}

static void a_bulk_free_looks_at_the_count_first(void **state)
{
	struct kmem_cache *s = cache();
	void *p[2] = { kmem_cache_alloc(s, GFP_KERNEL),
		       kmem_cache_alloc(s, GFP_KERNEL) };

	(void)state;
	pcs_of(s)->main->size = CAPACITY + 9;
	kmem_cache_free_bulk(s, 2, p);
	said("Sheaf corrupt");
	assert_int_equal(pcs_of(s)->main->size, 2);
}

static void the_full_count_is_no_damage(void **state)
{
	struct kmem_cache *s = cache();

	(void)state;
	fill_spare(s);
	kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_alloc(s, GFP_KERNEL);
	said("");
}

static void a_foreign_pointer_is_not_handed_out(void **state)
{
	struct kmem_cache *s = cache(), *t;
	void *p = kmem_cache_alloc(s, GFP_KERNEL), *of_t;
	struct slab_sheaf *main = pcs_of(s)->main;

	(void)state;
	t = kmem_cache_create("pond", 200, NULL, SLAB_NO_MERGE);
	of_t = kmem_cache_alloc(t, GFP_KERNEL);
	main->objects[main->size - 1] = WILD;
	main->objects[main->size - 2] = of_t;
	assert_ptr_not_equal(kmem_cache_alloc(s, GFP_KERNEL), p);
	said("Sheaf corrupt; Sheaf corrupt");
	/* two left, and one was handed out */
	assert_int_equal(main->size, CAPACITY - 4);
}

static void a_bulk_allocation_judges_all_that_it_takes(void **state)
{
	struct kmem_cache *s = cache();
	void *p[5];
	unsigned int i;

	(void)state;
	kmem_cache_alloc(s, GFP_KERNEL);
	pcs_of(s)->main->objects[pcs_of(s)->main->size - 3] = WILD;
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 5, p), 5);
	said("Sheaf corrupt");
	for (i = 0; i < 5; i++)
		assert_ptr_not_equal(p[i], WILD);
}

static void a_flush_frees_nothing_foreign(void **state)
{
	struct kmem_cache *s = cache();

	(void)state;
	kmem_cache_alloc(s, GFP_KERNEL);
	pcs_of(s)->main->objects[3] = WILD;
	slab_cache_flush_cpu(lab.m, s);
	said("Sheaf corrupt");
	assert_int_equal(pcs_of(s)->main->size, 0);
}

static void a_spare_is_judged_when_it_is_flushed(void **state)
{
	struct kmem_cache *s = cache();

	(void)state;
	fill_spare(s);
	pcs_of(s)->spare->objects[30] = WILD;
	slab_cache_flush_cpu(lab.m, s);
	said("Sheaf corrupt");
}

static void what_waited_for_rcu_is_judged_before_its_hooks(void **state)
{
	struct kmem_cache *s = cache();
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	kfree_rcu(p);
	pcs_of(s)->rcu_free->size = 0xfffffff;
	kvfree_rcu_barrier();
	said("Sheaf corrupt");
}

static void a_lent_sheaf_gives_no_foreign_pointer(void **state)
{
	struct kmem_cache *s = cache();
	struct slab_sheaf *sheaf;

	(void)state;
	fill_spare(s);
	pcs_of(s)->spare->objects[CAPACITY - 1] = WILD;
	sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 5);
	assert_ptr_not_equal(
		kmem_cache_alloc_from_sheaf(s, GFP_KERNEL | __GFP_ZERO, sheaf),
		WILD);
	said("Sheaf corrupt");
	assert_int_equal(kmem_cache_sheaf_size(sheaf), CAPACITY - 2);
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
}

static void a_refill_does_not_write_behind_a_sheaf(void **state)
{
	struct kmem_cache *s = cache();
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 5);

	(void)state;
	sheaf->size = CAPACITY + 1;
	assert_int_equal(kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf, 10), 0);
	said("Sheaf corrupt");
	assert_int_equal(kmem_cache_sheaf_size(sheaf), CAPACITY);
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
}

/* A hardened kernel would die of it. */
static void two_in_a_row_link_no_object_to_itself(void **state)
{
	struct kmem_cache *s;
	void *p;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .freelist_hardened = true });
	s = cache();
	kmem_cache_alloc(s, GFP_KERNEL);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_free(s, p);
	kmem_cache_free(s, p);
	said("");
	slab_cache_flush_cpu(lab.m, s);
	said("Object already free; FIX NOT_FREED");
}

/* ---- barns ---- */
static void a_count_without_a_sheaf_is_mended(void **state)
{
	struct kmem_cache *s = cache();
	struct node_barn *barn = s->node[0]->barn;

	(void)state;
	barn->nr_full = 1;
	assert_non_null(kmem_cache_alloc(s, GFP_KERNEL));
	said("Barn corrupt");
	assert_int_equal(barn->nr_full, 0);
}

/* The first of a list is there, so that only who counts them all finds it. */
static void who_takes_all_counts_all(void **state)
{
	struct kmem_cache *s = cache();
	struct node_barn *barn = s->node[0]->barn;
	void *p[4 * CAPACITY];
	unsigned int i;

	(void)state;
	for (i = 0; i < 4 * CAPACITY; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (i = 0; i < 4 * CAPACITY; i++)
		kmem_cache_free(s, p[i]);
	assert_true(barn->nr_full > 0);
	barn->nr_full++;
	kmem_cache_shrink(s);
	said("Barn corrupt");
	assert_int_equal(barn->nr_full, 0);
	assert_int_equal(barn->nr_empty, 0);
}

/* An "empty" one that is full would be written behind its end. */
static void an_empty_sheaf_is_empty(void **state)
{
	struct kmem_cache *s = cache();
	struct node_barn *barn = s->node[0]->barn;
	void *p[2 * CAPACITY + 1];
	unsigned int i;

	(void)state;
	for (i = 0; i <= 2 * CAPACITY; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	slab_cache_flush_cpu(lab.m, s);
	barn_put_empty(s, barn, pcs_of(s)->main);
	list_first_entry(&barn->sheaves_empty, struct slab_sheaf, list)->size =
		CAPACITY;
	assert_int_equal(barn_get_empty(s, barn, true)->size, 0);
	said("Barn corrupt");
	for (i = 0; i <= 2 * CAPACITY; i++)
		kmem_cache_free(s, p[i]);
	said("");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		lab_test(a_count_beyond_the_capacity_gives_the_sheaf_up),
		lab_test(a_free_looks_at_the_count_first),
		lab_test(a_bulk_free_looks_at_the_count_first),
		lab_test(the_full_count_is_no_damage),
		lab_test(a_foreign_pointer_is_not_handed_out),
		lab_test(a_bulk_allocation_judges_all_that_it_takes),
		lab_test(a_flush_frees_nothing_foreign),
		lab_test(a_spare_is_judged_when_it_is_flushed),
		lab_test(what_waited_for_rcu_is_judged_before_its_hooks),
		lab_test(a_lent_sheaf_gives_no_foreign_pointer),
		lab_test(a_refill_does_not_write_behind_a_sheaf),
		lab_test(two_in_a_row_link_no_object_to_itself),
		lab_test(a_count_without_a_sheaf_is_mended),
		lab_test(who_takes_all_counts_all),
		lab_test(an_empty_sheaf_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
