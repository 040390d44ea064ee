/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/cache/api.c - the public calls: what they accept, what they
 * refuse and how, plain caches' arrows, merging, kmalloc, memory that ends
 */
#include "../ring.h"

#include <errno.h>

#include "machine/page.h"
#include "slab/node.h"

static void refused(const char *name, unsigned int size,
		    struct kmem_cache_args *args, slab_flags_t flags)
{
	errno = 0;
	assert_null(kmem_cache_create(name, size, args, flags));
	assert_int_equal(errno, EINVAL);
}

static void impossible_caches_are_einval(void **state)
{
	struct kmem_cache_args off = { .freeptr_offset = 8,
				       .use_freeptr_offset = true };

	(void)state;
	refused(NULL, 64, NULL, 0);
	refused("", 64, NULL, 0);
	refused("zero", 0, NULL, 0);
	refused("big", (4U << 20) + 1, NULL, 0);
	refused("huge", 0xffffffffU, NULL, 0);
	refused("poisoned", 4U << 20, NULL, SLAB_POISON);
	refused("flag", 64, NULL, SLAB_KASAN);
	refused("flag", 64, NULL, 1U << 31);
	refused("offset", 64, &off, 0);
	off.freeptr_offset = 64;
	refused("offset", 64, &off, SLAB_TYPESAFE_BY_RCU);
	off.freeptr_offset = 4;
	refused("offset", 64, &off, SLAB_TYPESAFE_BY_RCU);
	off.freeptr_offset = 56;
	assert_non_null(kmem_cache_create("offset", 64, &off,
					  SLAB_TYPESAFE_BY_RCU));
	assert_non_null(kmem_cache_create("largest", 4U << 20, NULL, 0));
	assert_int_equal(lab.nr_notes, 11);
}

static void who_sets_no_machine_has_the_native_one(void **state)
{
	struct slab_machine *native;
	struct kmem_cache *s;
	void *p;

	(void)state;
	slab_machine_use(NULL);
	s = kmem_cache_create("ring", 64, NULL, 0);
	assert_non_null(s);
	native = slab_machine_current();
	assert_ptr_equal(s->machine, native);
	assert_true(native->is_native);
	p = kmalloc(64, GFP_KERNEL);
	assert_non_null(p);
	assert_true(machine_owns(native, (uintptr_t)p));
	kfree(p);
	kfree(NULL);
	assert_int_equal(kmem_cache_destroy(s), 0);
	slab_machine_destroy(native);
	slab_machine_use(lab.m);
}

static void both_forms_of_create_exist(void **state)
{
	struct kmem_cache *a = kmem_cache_create("a", 64, 128, SLAB_POISON, NULL);
	struct kmem_cache_args args = { .align = 128 };
	struct kmem_cache *b = kmem_cache_create("b", 64, &args, SLAB_POISON);

	(void)state;
	assert_int_equal(a->align, 128);
	assert_int_equal(b->align, 128);
	assert_int_equal(kmem_cache_size(a), 64);
	assert_string_equal(kmem_cache_name(b), "b");
	assert_int_equal(kmem_cache_destroy(NULL), 0);
}

/* ---- merging ---- */
static void alike_caches_share_one(void **state)
{
	struct kmem_cache *a = kmem_cache_create("a", 60, NULL, 0);
	struct kmem_cache *b = kmem_cache_create("b", 64, NULL, 0);

	(void)state;
	assert_ptr_equal(a, b);
	assert_int_equal(a->object_size, 64);
	assert_ptr_equal(slab_cache_find(lab.m, "b"), a);
	assert_int_equal(kmem_cache_destroy(a), 0);
	assert_ptr_equal(slab_cache_find(lab.m, "a"), b);
	assert_int_equal(kmem_cache_destroy(b), 0);
	assert_null(slab_cache_find(lab.m, "a"));
}

static void no_name_is_no_cache_and_no_parameter(void **state)
{
	(void)state;
	assert_null(slab_cache_find(lab.m, NULL));
	assert_int_equal(slab_cache_destroy_name(lab.m, NULL), -ENOENT);
	assert_int_equal(slab_machine_sysctl(lab.m, NULL, "1"), -ENOENT);
}

static void a_ctor(void *object)
{
	memset(object, 0x5c, 8);
}

static void unlike_caches_stay_apart(void **state)
{
	static const slab_flags_t flags[] = {
		SLAB_CONSISTENCY_CHECKS, SLAB_RED_ZONE, SLAB_TRACE,
		SLAB_TYPESAFE_BY_RCU, SLAB_NOLEAKTRACE, SLAB_NO_MERGE,
		SLAB_FAILSLAB, SLAB_RECLAIM_ACCOUNT, SLAB_ACCOUNT,
	};
	struct kmem_cache *a = kmem_cache_create("a", 64, NULL, 0);
	struct kmem_cache_args sheaf = { .sheaf_capacity = 8 };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		assert_ptr_not_equal(kmem_cache_create("b", 64, NULL, flags[i]),
				     a);
	assert_ptr_not_equal(kmem_cache_create("c", 64, 0, 0, a_ctor), a);
	assert_ptr_not_equal(kmem_cache_create("d", 64, &sheaf, 0), a);
	assert_ptr_not_equal(kmem_cache_create("e", 56, NULL, 0), a);
	assert_ptr_not_equal(kmem_cache_create_usercopy("f", 64, 0, 0, 0, 8,
							NULL), a);
	/* an alignment that a's stride does not keep */
	assert_ptr_not_equal(kmem_cache_create("g", 64, 128, 0, NULL), a);
	slab_machine_sysctl(lab.m, "slab_nomerge", "1");
	assert_ptr_not_equal(kmem_cache_create("h", 64, NULL, 0), a);
}

static void the_oldest_fitting_cache_is_taken(void **state)
{
	struct kmem_cache *a, *b;

	(void)state;
	slab_machine_sysctl(lab.m, "slab_nomerge", "1");
	a = kmem_cache_create("a", 64, NULL, 0);
	b = kmem_cache_create("b", 64, NULL, 0);
	slab_machine_sysctl(lab.m, "slab_merge", "1");
	assert_ptr_not_equal(a, b);
	assert_ptr_equal(kmem_cache_create("c", 64, NULL, 0), a);
}

/* ---- plain caches ---- */
static void t5_t8_full_slabs_leave_and_come_back_to_the_tail(void **state)
{
	struct kmem_cache *s = cache(1024, NO_SHEAVES);
	void *p[64], *other;
	unsigned int nr = 0;

	(void)state;
	do
		p[nr++] = alloc(s);
	while (slab_of(p[0])->inuse < slab_of(p[0])->objects);
	assert_int_equal(s->node[0]->nr_partial, 0);
	other = alloc(s);
	kmem_cache_free(s, p[0]);
	assert_ptr_equal(s->node[0]->partial.prev, &slab_of(p[0])->slab_list);
	assert_ptr_equal(s->node[0]->partial.next, &slab_of(other)->slab_list);
	assert_int_equal(s->stats[0][SLAB_STAT_FREE_ADD_PARTIAL], 1);
	intact(s);
}

static void t12_t13_empties_are_kept_below_min_partial_only(void **state)
{
	struct kmem_cache *s = cache(4096, NO_SHEAVES);
	void *p[200], *first[20];
	unsigned int i, slabs = 0;

	(void)state;
	for (i = 0; i < 8 * 10; i++) {
		p[i] = alloc(s);
		if (i % 8 == 0)
			first[slabs++] = p[i];
	}
	/* ten full slabs: one object of each goes, then the rest */
	for (i = 0; i < slabs; i++)
		kmem_cache_free(s, first[i]);
	for (i = 0; i < 8 * 10; i++)
		if (i % 8)
			kmem_cache_free(s, p[i]);
	/* an emptied listed slab counts itself: min_partial - 1 stay */
	assert_int_equal(s->min_partial, 6);
	assert_int_equal(s->node[0]->nr_partial, 5);
	assert_int_equal(s->node[0]->nr_slabs, 5);
	assert_int_equal(s->stats[0][SLAB_STAT_FREE_SLAB], 5);
	assert_int_equal(s->stats[0][SLAB_STAT_FREE_REMOVE_PARTIAL], 5);
	intact(s);
	assert_int_equal(kmem_cache_shrink(s), 0);
	assert_int_equal(s->node[0]->nr_slabs, 0);
	assert_int_equal(slab_machine_pages_used(lab.m), 0);
	intact(s);
}

static void t14_single_object_slabs_go_at_once(void **state)
{
	struct kmem_cache *s = cache(20000, NO_SHEAVES);
	void *a = alloc(s);

	(void)state;
	slab_cache_set_min_partial(s, 0);
	kmem_cache_free(s, a);
	assert_int_equal(s->node[0]->nr_slabs, 0);
	assert_int_equal(s->stats[0][SLAB_STAT_FREE_REMOVE_PARTIAL], 0);
	assert_int_equal(s->stats[0][SLAB_STAT_FREE_SLAB], 1);
	intact(s);
}

static void shrink_puts_the_fullest_first(void **state)
{
	struct kmem_cache *s = kmem_cache_create("p", 1024, NULL, SLAB_RED_ZONE);
	void *p[300];
	unsigned int per_slab, i, nr_free[10], n = 0;
	struct slab *slab;

	(void)state;
	p[0] = alloc(s);
	per_slab = slab_of(p[0])->objects;
	for (i = 1; i < per_slab * 4; i++)
		p[i] = alloc(s);
	/* 3, 1, 0 and 2 objects of the four slabs stay free */
	for (i = 0; i < 3; i++)
		kmem_cache_free(s, p[i]);
	kmem_cache_free(s, p[per_slab]);
	kmem_cache_free(s, p[3 * per_slab]);
	kmem_cache_free(s, p[3 * per_slab + 1]);
	assert_int_equal(kmem_cache_shrink(s), 1);
	list_for_each_entry(slab, &s->node[0]->partial, slab_list)
		nr_free[n++] = slab->objects - slab->inuse;
	assert_int_equal(n, 3);
	assert_int_equal(nr_free[0], 1);
	assert_int_equal(nr_free[1], 2);
	assert_int_equal(nr_free[2], 3);
	intact(s);
}

static void an_alias_goes_by_its_name(void **state)
{
	struct kmem_cache *s = kmem_cache_create("ring", 64, NULL, 0);
	struct kmem_cache *pond = kmem_cache_create("pond", 64, NULL, 0);

	(void)state;
	assert_ptr_equal(pond, s);
	assert_int_equal(slab_cache_destroy_name(lab.m, "lake"), -ENOENT);
	assert_int_equal(slab_cache_destroy_name(lab.m, "pond"), 0);
	assert_null(slab_cache_find(lab.m, "pond"));
	assert_ptr_equal(slab_cache_find(lab.m, "ring"), s);
	assert_int_equal(slab_cache_destroy_name(lab.m, "ring"), 0);
	assert_null(slab_cache_find(lab.m, "ring"));
}

static void more_than_an_int_at_once_is_einval(void **state)
{
	struct kmem_cache *s = kmem_cache_create("ring", 64, NULL, 0);
	void *p[1];

	(void)state;
	errno = 0;
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 1UL << 31, p), 0);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(lab.events[SLAB_EVENT_FAIL_INJECTED], 0);
}

static void bulk_is_all_or_nothing(void **state)
{
	static const slab_flags_t flags[] = { 0, NO_SHEAVES, SLAB_POISON };
	unsigned int i;
	void *p[100];

	(void)state;
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		struct kmem_cache *s = cache(1000, flags[i]);

		slab_machine_set_page_limit(lab.m, 0);
		assert_int_equal(
			kmem_cache_alloc_bulk(s, GFP_KERNEL, 100, p), 100);
		intact(s);
		kmem_cache_free_bulk(s, 100, p);
		intact(s);
		kmem_cache_shrink(s);
		slab_machine_set_page_limit(lab.m, 8);
		assert_int_equal(
			kmem_cache_alloc_bulk(s, GFP_KERNEL, 100, p), 0);
		assert_int_equal(errno, ENOMEM);
		kmem_cache_shrink(s);
		assert_int_equal(slab_machine_pages_used(lab.m), 0);
		assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 0, p), 0);
		kmem_cache_free_bulk(s, 0, p);
	}
}

static void bulk_free_of_mixed_slabs_and_kmalloc_objects(void **state)
{
	struct kmem_cache *s = kmem_cache_create("p", 2048, NULL, SLAB_POISON);
	void *p[64], *mixed[64];
	unsigned int i;

	(void)state;
	for (i = 0; i < 64; i++)
		p[i] = alloc(s);
	for (i = 0; i < 64; i++)
		mixed[i] = p[(i * 29) % 64];
	kmem_cache_free_bulk(s, 64, mixed);
	intact(s);
	assert_int_equal(slab_machine_errors(lab.m), 0);
	for (i = 0; i < 64; i++)
		mixed[i] = kmalloc(1U << (i % 14), GFP_KERNEL);
	kmem_cache_free_bulk(NULL, 64, mixed);
	assert_int_equal(slab_machine_reports(lab.m), 0);
	assert_int_equal(kmem_cache_destroy(s), 0);
}

static void a_smaller_order_serves_when_memory_is_short(void **state)
{
	struct kmem_cache *s = kmem_cache_create("p", 1024, NULL, 0);

	(void)state;
	assert_true(s->oo.order > 0);
	slab_machine_set_page_limit(lab.m, 1);
	assert_int_equal(slab_of(alloc(s))->order, 0);
	assert_int_equal(s->stats[0][SLAB_STAT_ORDER_FALLBACK], 1);
	intact(s);
	while (kmem_cache_alloc(s, GFP_NOWAIT))
		;
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(lab.nr_notes, 0);
	assert_null(kmem_cache_alloc(s, GFP_KERNEL));
	assert_int_equal(lab.nr_notes, 3);
}

static void objects_come_from_the_node_that_was_asked(void **state)
{
	struct kmem_cache *s;
	void *a, *b;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .nr_cpus = 2, .nr_nodes = 2 });
	s = kmem_cache_create("p", 64, NULL, SLAB_POISON);
	a = kmem_cache_alloc_node(s, GFP_KERNEL, 1);
	assert_int_equal(slab_of(a)->node, 1);
	b = alloc(s);
	assert_int_equal(slab_of(b)->node, 0);
	slab_machine_set_cpu(lab.m, 1);
	kmem_cache_free(s, b);
	assert_int_equal(slab_of(alloc(s))->node, 1);
	assert_int_equal(slab_machine_set_cpu(lab.m, 2), -22);
	intact(s);
}

static void typesafe_slabs_wait_for_a_grace_period(void **state)
{
	struct kmem_cache *s = cache(64, SLAB_TYPESAFE_BY_RCU | NO_SHEAVES);
	char *a = alloc(s);

	(void)state;
	slab_cache_set_min_partial(s, 0);
	memset(a, 0x33, 64);
	kmem_cache_free(s, a);
	assert_int_equal(slab_machine_rcu_pending(lab.m), 1);
	assert_int_equal(slab_machine_pages_used(lab.m), 1);
	assert_int_equal(a[5], 0x33);
	assert_int_equal(slab_machine_rcu_tick(lab.m), 1);
	assert_int_equal(slab_machine_pages_used(lab.m), 0);
	alloc(s);
	intact(s);
}

/* ---- kmalloc ---- */
static void kmalloc_serves_every_size(void **state)
{
	size_t size;

	(void)state;
	assert_ptr_equal(kmalloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
	kfree(ZERO_SIZE_PTR);
	for (size = 1; size <= 70000; size += 1 + size / 7) {
		char *p = kmalloc(size, GFP_KERNEL);

		assert_non_null(p);
		assert_true(ksize(p) >= size);
		assert_int_equal(ksize(p), kmalloc_size_roundup(size));
		memset(p, 0xa5, size);
		kfree(p);
	}
	assert_null(kmalloc((4UL << 20) + 1, GFP_KERNEL));
	assert_null(kmalloc(~0UL, GFP_KERNEL));
	assert_null(kmalloc_array(~0UL / 2, 3, GFP_KERNEL));
	assert_null(kcalloc(~0UL, ~0UL, GFP_KERNEL));
	assert_int_equal(slab_machine_reports(lab.m), 0);
}

static void kmalloc_types_have_caches_of_their_own(void **state)
{
	(void)state;
	kmalloc(100, GFP_KERNEL);
	kmalloc(100, GFP_KERNEL_ACCOUNT);
	kmalloc(2000, GFP_KERNEL | __GFP_RECLAIMABLE);
	kmalloc(8, GFP_KERNEL | __GFP_DMA);
	assert_non_null(slab_cache_find(lab.m, "kmalloc-128"));
	assert_non_null(slab_cache_find(lab.m, "kmalloc-cg-128"));
	assert_non_null(slab_cache_find(lab.m, "kmalloc-rcl-2k"));
	assert_non_null(slab_cache_find(lab.m, "dma-kmalloc-8"));
}

static void krealloc_keeps_contents(void **state)
{
	char *p = krealloc(NULL, 20, GFP_KERNEL), *q;

	(void)state;
	strcpy(p, "nineteen characters");
	q = krealloc(p, 30, GFP_KERNEL);
	assert_ptr_equal(p, q);
	q = krealloc(p, 5000, GFP_KERNEL);
	assert_string_equal(q, "nineteen characters");
	q = krealloc(q, 50000, GFP_KERNEL);
	assert_string_equal(q, "nineteen characters");
	q = krealloc(q, 10, GFP_KERNEL);
	assert_memory_equal(q, "nineteen c", 10);
	assert_null(krealloc(q, 5UL << 20, GFP_KERNEL));
	assert_memory_equal(q, "nineteen c", 10);
	/* and it is ours still: the last one freed would be the next one out */
	assert_ptr_not_equal(kmalloc(10, GFP_KERNEL), q);
	assert_ptr_equal(krealloc(q, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	assert_int_equal(slab_machine_reports(lab.m), 0);
}

static void a_destroyed_kmalloc_cache_is_made_anew(void **state)
{
	void *p = kmalloc(100, GFP_KERNEL);

	(void)state;
	kfree(p);
	assert_int_equal(kmem_cache_destroy(slab_cache_find(lab.m,
							    "kmalloc-128")),
			 0);
	assert_non_null(kmalloc(100, GFP_KERNEL));
	assert_non_null(slab_cache_find(lab.m, "kmalloc-128"));
}

static void objects_of_a_leaked_cache_can_still_be_freed(void **state)
{
	struct kmem_cache *s = kmem_cache_create("ring", 64, NULL,
						 SLAB_DEBUG_DEFAULT_FLAGS);
	void *a = alloc(s), *b = alloc(s);

	(void)state;
	assert_int_equal(kmem_cache_destroy(s), -EBUSY);
	lab.nr_records = 0;
	kfree(a);
	kmem_cache_free(s, b);
	assert_string_equal(lab_said(), "");
	assert_int_equal(slab_of(a)->inuse, 0);
	assert_int_equal(kmem_cache_destroy(s), -EINVAL);
}

static void foreign_pointers_are_reported_and_ignored(void **state)
{
	char *page = slab_machine_alloc_pages(lab.m, 0), local;

	(void)state;
	kfree(page);
	kfree(&local);
	assert_string_equal(lab_said(), "Not a kmalloc allocation");
	assert_int_equal(ksize(page), 0);
	assert_int_equal(ksize(&local), 0);
	assert_null(krealloc(page, 100, GFP_KERNEL));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(slab_machine_free_pages(lab.m, page), 0);
}

static void zeroing_stops_at_the_recorded_size(void **state)
{
	uint8_t *p;

	(void)state;
	slab_machine_sysctl(lab.m, "slab_debug", "FZPU,kmalloc-*");
	p = kzalloc(19, GFP_KERNEL);
	assert_int_equal(p[0] | p[18], 0);
	assert_int_equal(p[19], SLUB_RED_ACTIVE);
	kfree(p);
	assert_int_equal(slab_machine_reports(lab.m), 0);
	p = kmalloc(19, GFP_KERNEL);
	assert_int_equal(p[17], POISON_FREE);
	assert_int_equal(p[18], POISON_END);
	/* ksize() gives the whole class away */
	assert_int_equal(ksize(p), 32);
	p[31] = 1;
	kfree(p);
	assert_int_equal(slab_machine_reports(lab.m), 0);
}

static void init_on_alloc_and_free_clear_payloads(void **state)
{
	struct kmem_cache *s, *z;
	uint8_t *p, *q;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .init_on_alloc = true,
						  .init_on_free = true });
	s = kmem_cache_create("p", 64, NULL, SLAB_NO_MERGE);
	z = kmem_cache_create("z", 64, NULL, SLAB_RED_ZONE | SLAB_STORE_USER |
			      SLAB_CONSISTENCY_CHECKS);
	p = alloc(s);
	q = alloc(z);
	assert_int_equal(p[0] | p[63] | q[0] | q[63], 0);
	memset(p, 0xff, 64);
	memset(q, 0xff, 64);
	kmem_cache_free(s, p);
	kmem_cache_free(z, q);
	assert_int_equal(p[0] | p[63] | q[0] | q[63], 0);
	validate_slab_cache(z);
	assert_int_equal(slab_machine_reports(lab.m), 0);
	p = alloc(s);
	assert_int_equal(p[32], 0);
}

/* ---- memory that ends ---- */
static void every_metadata_request_may_fail(void **state)
{
	unsigned int nth;

	(void)state;
	for (nth = 1; nth < 200; nth++) {
		struct kmem_cache *s, *t;
		void *p[3] = { 0 };
		unsigned int i;

		slab_machine_reset(lab.m);
		lab.m->meta.fail_after = nth;
		s = kmem_cache_create("d", 64, NULL, SLAB_DEBUG_DEFAULT_FLAGS);
		t = kmem_cache_create("p", 64, NULL, 0);
		if (t)
			kmem_cache_create("alias", 64, NULL, 0);
		for (i = 0; s && i < 3; i++)
			p[i] = kmem_cache_alloc(s, GFP_KERNEL);
		kfree(kmalloc(100, GFP_KERNEL));
		slab_kfree_rcu(kmalloc(100, GFP_KERNEL));
		if (s) {
			long n = validate_slab_cache(s);

			assert_true(n == 1 || n == -ENOMEM);
			for (i = 0; i < 3; i++)
				if (p[i])
					kmem_cache_free(s, p[i]);
			intact(s);
			assert_int_equal(kmem_cache_destroy(s), 0);
		}
		assert_int_equal(slab_machine_reports(lab.m), 0);
		if (lab.m->meta.fail_after)
			break;
	}
	/* the sweep came to an end: nothing was asked for any more */
	assert_in_range(nth, 10, 199);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(impossible_caches_are_einval),
		lab_test(who_sets_no_machine_has_the_native_one),
		lab_test(both_forms_of_create_exist),
		lab_test(alike_caches_share_one),
		lab_test(no_name_is_no_cache_and_no_parameter),
		lab_test(unlike_caches_stay_apart),
		lab_test(the_oldest_fitting_cache_is_taken),
		lab_test(t5_t8_full_slabs_leave_and_come_back_to_the_tail),
		lab_test(t12_t13_empties_are_kept_below_min_partial_only),
		lab_test(t14_single_object_slabs_go_at_once),
		lab_test(shrink_puts_the_fullest_first),
		lab_test(an_alias_goes_by_its_name),
		lab_test(more_than_an_int_at_once_is_einval),
		lab_test(bulk_is_all_or_nothing),
		lab_test(bulk_free_of_mixed_slabs_and_kmalloc_objects),
		lab_test(a_smaller_order_serves_when_memory_is_short),
		lab_test(objects_come_from_the_node_that_was_asked),
		lab_test(typesafe_slabs_wait_for_a_grace_period),
		lab_test(kmalloc_serves_every_size),
		lab_test(kmalloc_types_have_caches_of_their_own),
		lab_test(krealloc_keeps_contents),
		lab_test(a_destroyed_kmalloc_cache_is_made_anew),
		lab_test(objects_of_a_leaked_cache_can_still_be_freed),
		lab_test(foreign_pointers_are_reported_and_ignored),
		lab_test(zeroing_stops_at_the_recorded_size),
		lab_test(init_on_alloc_and_free_clear_payloads),
		lab_test(every_metadata_request_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
