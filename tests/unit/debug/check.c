/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/debug/check.c - every check, its report, its repair, its count
 * (spec/debugging/checks.md), and slub_kunit's ten cases
 */
#include "../ring.h"

#include "debug/check.h"
#include "slab/node.h"

#define F SLAB_CONSISTENCY_CHECKS
#define Z SLAB_RED_ZONE
#define P SLAB_POISON
#define U SLAB_STORE_USER

static void expect(const char *said, unsigned int errors)
{
	assert_string_equal(lab_said(), said);
	assert_int_equal(slab_machine_errors(lab.m), errors);
	lab_forget();
}

static void set_link(struct kmem_cache *s, void *object, uintptr_t next)
{
	set_freepointer(s, object, (void *)next);
}

/* ---- bytes ---- */
static void each_area_has_its_title_and_only_the_first_is_full(void **state)
{
	struct kmem_cache *s = cache(40, F | Z | P | U);
	char *a = alloc(s);

	(void)state;
	memset(a - 8, 0x41, 8);
	memset(a + 40, 0x42, 8);
	memset(a + 120, 0x43, 8);
	kmem_cache_free(s, a);
	assert_true(lab.records[0].is_full);
	assert_false(lab.records[2].is_full);
	assert_true(lab.records[4].is_full);
	expect("Left Redzone overwritten; FIX RESTORING; Right Redzone overwritten; FIX RESTORING; Object padding overwritten; FIX RESTORING; FIX NOT_FREED",
	       7);
	assert_int_equal((uint8_t)a[-8], SLUB_RED_ACTIVE);
	assert_int_equal((uint8_t)a[40], SLUB_RED_ACTIVE);
	assert_int_equal((uint8_t)a[120], POISON_INUSE);
}

static void a_range_runs_from_the_first_to_the_last_bad_byte(void **state)
{
	struct kmem_cache *s = cache(64, F | P);
	char *a = alloc(s);
	const struct slab_report *r = &lab.records[0];

	(void)state;
	kmem_cache_free(s, a);
	a[5] = 0x11;
	a[20] = 0x22;
	alloc(s);
	assert_int_equal(r->first, (uintptr_t)a + 5);
	assert_int_equal(r->last, (uintptr_t)a + 20);
	assert_int_equal(r->found, 0x11);
	assert_int_equal(r->wanted, POISON_FREE);
	assert_int_equal(r->object, (uintptr_t)a);
	assert_int_equal(r->index, 0);
	expect("Poison overwritten; FIX RESTORING; FIX ALL_USED", 3);
}

static void the_last_byte_has_a_poison_of_its_own(void **state)
{
	struct kmem_cache *s = cache(64, F | P);
	char *a = alloc(s);

	(void)state;
	kmem_cache_free(s, a);
	a[63] = POISON_FREE;
	alloc(s);
	expect("End Poison overwritten; FIX RESTORING; FIX ALL_USED", 3);
}

static void alignment_padding_is_checked_without_red_zones(void **state)
{
	struct kmem_cache *s = cache(13, F | P);
	char *a = alloc(s);

	(void)state;
	a[15] = 0;
	kmem_cache_free(s, a);
	expect("Alignment padding overwritten; FIX RESTORING; FIX NOT_FREED", 3);
}

static void kmalloc_redzone_begins_at_the_requested_size(void **state)
{
	struct kmem_cache *s = kmem_cache_create("ring", 32, NULL,
						 SLAB_KMALLOC | F | Z | U);
	char *a = kmem_cache_alloc_orig(s, GFP_KERNEL, 18);

	(void)state;
	a[17] = 1; /* the last byte asked for */
	kmem_cache_free(s, a);
	expect("", 0);
	a = kmem_cache_alloc_orig(s, GFP_KERNEL, 18);
	a[18] = 1;
	kmem_cache_free(s, a);
	expect("kmalloc Redzone overwritten; FIX RESTORING; FIX NOT_FREED", 3);
}

static void tail_padding_is_repaired_and_fails_nothing(void **state)
{
	struct kmem_cache *s = cache(100, F | P);
	char *a = alloc(s), *b;

	(void)state;
	((char *)slab_base(lab.m, slab_of(a)))[4095] = 0;
	b = alloc(s);
	assert_ptr_equal(slab_of(a), slab_of(b));
	expect("Padding overwritten; FIX RESTORING", 1);
	assert_false(slab_of(a)->frozen);
}

static void nothing_is_found_without_consistency_checks(void **state)
{
	struct kmem_cache *s = cache(64, Z | P | U);
	char *a = alloc(s);

	(void)state;
	a[64] = 0x41;
	kmem_cache_free(s, a);
	a[3] = 0x41;
	assert_ptr_equal(alloc(s), a);
	expect("", 0);
}

/* ---- chains and counters ---- */
static void a_bad_link_of_a_free_object_is_found_at_its_allocation(void **state)
{
	struct kmem_cache *s = cache(64, F | P);
	char *a = alloc(s), *b = alloc(s);

	(void)state;
	kmem_cache_free(s, a);
	set_link(s, a, (uintptr_t)b + 8);
	alloc(s);
	expect("Freepointer corrupt; FIX ALL_USED", 2);
}

static void the_live_objects_outside_link_is_checked_at_free(void **state)
{
	struct kmem_cache *s = cache(64, F | P);
	char *a = alloc(s);

	(void)state;
	set_link(s, a, 0x1234567890UL);
	kmem_cache_free(s, a);
	expect("Freepointer corrupt; FIX NOT_FREED", 2);
}

static void a_cut_chain_is_ended_and_counted_anew(void **state)
{
	struct kmem_cache *s = cache(64, P);
	char *a = alloc(s);

	(void)state;
	kmem_cache_free(s, a);
	set_link(s, a, 0x1234567890UL);
	validate_slab_cache(s);
	expect("Freechain corrupt; Wrong object count. Counter is %d but counted were %d; FIX COUNT_ADJUSTED",
	       3);
	assert_int_equal(slab_of(a)->inuse, slab_of(a)->objects - 1);
}

static void a_bad_head_drops_the_chain(void **state)
{
	struct kmem_cache *s = cache(64, P);
	char *a = alloc(s);

	(void)state;
	slab_of(a)->freelist = a + 1;
	validate_slab_cache(s);
	expect("Freepointer corrupt; FIX FREELIST_CLEARED", 2);
	assert_null(slab_of(a)->freelist);
	assert_int_equal(slab_of(a)->inuse, slab_of(a)->objects);
}

static void a_cycle_is_found_and_dropped(void **state)
{
	struct kmem_cache *s = cache(64, P);
	char *a = alloc(s), *b = alloc(s);

	(void)state;
	kmem_cache_free(s, a);
	kmem_cache_free(s, b);
	set_link(s, a, (uintptr_t)b);
	validate_slab_cache(s);
	expect("Freelist cycle detected; FIX FREELIST_CLEARED", 2);
}

static void wrong_counters_are_told_and_put_right(void **state)
{
	struct kmem_cache *s = cache(64, P);
	struct slab *slab = slab_of(alloc(s));
	unsigned int objects = slab->objects;

	(void)state;
	slab->inuse = 7;
	validate_slab_cache(s);
	assert_int_equal(lab.records[0].value, 7);
	assert_int_equal(lab.records[0].limit, 1);
	expect("Wrong object count. Counter is %d but counted were %d; FIX COUNT_ADJUSTED",
	       2);
	/* the last object is on the chain, and out of bounds for a while */
	slab->objects = objects - 1;
	validate_slab_cache(s);
	assert_int_equal(slab->objects, objects);
	expect("Freechain corrupt; Wrong number of objects. Found %d but should be %d; FIX OBJECTS_ADJUSTED; Wrong object count. Counter is %d but counted were %d; FIX COUNT_ADJUSTED",
	       5);
	slab->objects = objects + 1;
	validate_slab_cache(s);
	expect("objects %u > max %u", 1);
	slab->objects = objects;
	slab->inuse = objects + 1;
	validate_slab_cache(s);
	expect("inuse %u > max %u", 1);
}

static void list_counters_are_compared(void **state)
{
	struct kmem_cache *s = cache(64, U);

	(void)state;
	alloc(s);
	s->node[0]->nr_partial++;
	validate_slab_cache(s);
	assert_string_equal(lab.records[0].text,
			    "SLUB ring: 1 partial slabs counted but counter=2");
	expect("partial slabs counted but counter", 1);
	s->node[0]->nr_partial--;
	s->node[0]->nr_slabs++;
	validate_slab_cache(s);
	assert_string_equal(lab.records[0].text,
			    "SLUB: ring 1 slabs counted but counter=2");
	expect("slabs counted but counter", 1);
}

static void a_descriptor_that_is_no_slab_is_skipped(void **state)
{
	struct kmem_cache *s = cache(64, F);
	char *a = alloc(s), *b;
	struct slab *slab = slab_of(a);

	(void)state;
	slab->type = PAGE_PAGES;
	b = alloc(s);
	assert_ptr_not_equal(slab_of(b), slab);
	expect("Not a valid slab page", 1);
	assert_true(slab_is_partial(slab));
	validate_slab_cache(s);
	expect("Not a valid slab page", 1);
	slab->type = PAGE_SLAB;
}

/* ---- frees ---- */
static void wrong_frees_are_named(void **state)
{
	struct kmem_cache *s = cache(64, F), *other = cache(64, F);
	char *a = alloc(s);
	int on_stack;

	(void)state;
	alloc(s);
	kmem_cache_free(s, a + 8);
	expect("Invalid object pointer 0x%p; FIX NOT_FREED", 2);
	kmem_cache_free(s, a);
	expect("", 0);
	kmem_cache_free(s, a);
	expect("Object already free; FIX NOT_FREED", 2);
	a = alloc(s);
	kmem_cache_free(other, a);
	assert_string_equal(lab.records[0].other, "ring");
	expect("object belongs to different cache", 0);
	kmem_cache_free(s, &on_stack);
	expect("object is not in a slab page", 0);
	/* once a machine */
	kmem_cache_free(s, NULL);
	expect("", 0);
}

static void a_slab_without_cache_is_named(void **state)
{
	struct kmem_cache *s = cache(64, F);
	char *a = alloc(s);
	struct slab *slab = slab_of(a);
	struct slab_view v;

	(void)state;
	v = view_live(s, slab);
	slab->slab_cache = NULL;
	assert_false(check_free(&v, s, a));
	expect("No slab cache for object 0x%p", 1);
	slab->slab_cache = (struct kmem_cache *)0x4242;
	assert_false(check_free(&v, s, a));
	expect("page slab pointer corrupt.", 1);
	slab->slab_cache = s;
	assert_true(check_free(&v, s, a));
}

static void bulk_chains_must_have_the_announced_length(void **state)
{
	struct kmem_cache *s = cache(64, P);
	void *a = alloc(s), *b = alloc(s);
	void *twice[3] = { a, b, a };
	void *more[2] = { b, a };

	(void)state;
	alloc(s);
	kmem_cache_free_bulk(s, 3, twice);
	expect("Bulk free expected %d objects but found %d", 1);
	slab_of(a)->inuse = 1;
	kmem_cache_free_bulk(s, 2, more);
	assert_int_equal(lab.records[0].value, 1);
	assert_int_equal(lab.records[0].limit, 2);
	expect("Slab has %d allocated objects but %d are to be freed; FIX NOT_FREED",
	       2);
}

static void destroy_lists_what_is_left(void **state)
{
	struct kmem_cache *s = cache(64, U);

	(void)state;
	alloc(s);
	alloc(s);
	assert_int_equal(kmem_cache_destroy(s), -16);
	expect("Objects remaining on __kmem_cache_shutdown(); Slab cache still has objects",
	       3);
	assert_null(slab_cache_find(lab.m, "ring"));
	/* and it is no cache any more */
	assert_int_equal(kmem_cache_destroy(s), -22);
}

static void a_discarded_slab_is_looked_at_once_more(void **state)
{
	struct kmem_cache *s = cache(64, F | P);
	char *a = alloc(s), *b = alloc(s);

	(void)state;
	kmem_cache_free(s, a);
	slab_cache_set_min_partial(s, 0);
	a[1] = 0x41;
	kmem_cache_free(s, b);
	expect("Poison overwritten; FIX RESTORING", 2);
	assert_int_equal(s->node[0]->nr_slabs, 0);
}

/* ---- weaknesses of the kernel that we survive ---- */
static void a_wild_chain_without_checks_is_dropped(void **state)
{
	static const slab_flags_t flags[] = { NO_SHEAVES, Z, P, U,
					      Z | P | U };
	unsigned int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		struct kmem_cache *s = cache(64, flags[i] | SLAB_NO_MERGE);
		char *a = alloc(s), *b, *c;

		alloc(s);
		kmem_cache_free(s, a);
		set_link(s, a, 0x4141414141414141UL);
		b = alloc(s);
		assert_ptr_equal(a, b);
		c = alloc(s);
		assert_ptr_not_equal(slab_of(c), slab_of(a));
		expect("Freepointer corrupt; FIX FREELIST_CLEARED", 2);
		assert_null(cache_check(s));
		kmem_cache_free(s, b);
		assert_null(cache_check(s));
	}
}

static void a_chain_cut_short_without_checks_is_dropped(void **state)
{
	struct kmem_cache *s = cache(64, Z);
	char *a = alloc(s);

	(void)state;
	kmem_cache_free(s, a);
	set_link(s, a, 0);
	assert_ptr_equal(alloc(s), a);
	alloc(s);
	expect("Freepointer corrupt; FIX FREELIST_CLEARED", 2);
}

static void a_self_link_of_a_hardened_machine_is_a_double_free(void **state)
{
	struct kmem_cache *s = cache(64, NO_SHEAVES);
	struct kmem_cache *z = cache(64, Z);
	char *a = alloc(s), *b = alloc(z);

	(void)state;
	alloc(s);
	alloc(z);
	kmem_cache_free(s, a);
	kmem_cache_free(s, a);
	expect("Object already free; FIX NOT_FREED", 2);
	kmem_cache_free(z, b);
	kmem_cache_free(z, b);
	expect("Object already free; FIX NOT_FREED", 2);
	assert_null(cache_check(s));
	assert_null(cache_check(z));
}

static void more_frees_than_objects_do_not_wrap_the_counter(void **state)
{
	struct kmem_cache *s = cache(64, NO_SHEAVES);
	char *a = alloc(s), *b = alloc(s);

	(void)state;
	kmem_cache_free(s, a);
	kmem_cache_free(s, b);
	kmem_cache_free(s, a);
	expect("Slab has %d allocated objects but %d are to be freed; FIX NOT_FREED",
	       2);
	assert_int_equal(slab_of(a)->inuse, 0);
}

static void a_free_at_the_slabs_edge_touches_no_neighbour(void **state)
{
	struct kmem_cache *s = cache(128, Z);
	char *first = alloc(s), *base = (char *)slab_base(lab.m, slab_of(first));
	char *next;

	(void)state;
	next = slab_machine_alloc_pages(lab.m, 0);
	memset(next, 0x33, 4096);
	kmem_cache_free(s, base + 4090);
	kmem_cache_free(s, base);
	expect("Invalid object pointer 0x%p; FIX NOT_FREED; Invalid object pointer 0x%p; FIX NOT_FREED",
	       4);
	assert_int_equal(next[0], 0x33);
}

/* ---- slub_kunit, case by case ---- */
static void kunit_1_clobber_zone(void **state)
{
	struct kmem_cache *s = cache(64, Z | SLAB_NO_USER_FLAGS);
	char *p = alloc(s);

	(void)state;
	p[64] = 0x12;
	validate_slab_cache(s);
	assert_int_equal(slab_machine_errors(lab.m), 2);
	kmem_cache_free(s, p);
	assert_int_equal(kmem_cache_destroy(s), 0);
}

static void kunit_2_next_pointer(void **state)
{
	struct kmem_cache *s = cache(64, P | SLAB_NO_USER_FLAGS);
	char *p = alloc(s);
	uintptr_t saved;

	(void)state;
	kmem_cache_free(s, p);
	saved = word_read(p + s->offset);
	p[s->offset] = (char)~p[s->offset];
	validate_slab_cache(s);
	assert_int_equal(slab_machine_errors(lab.m), 3);
	word_write(p + s->offset, saved);
	slab_machine_clear_errors(lab.m);
	validate_slab_cache(s);
	assert_int_equal(slab_machine_errors(lab.m), 2);
	slab_machine_clear_errors(lab.m);
	validate_slab_cache(s);
	assert_int_equal(slab_machine_errors(lab.m), 0);
	assert_int_equal(kmem_cache_destroy(s), 0);
}

static void kunit_3_to_5_writes_after_free(void **state)
{
	static const struct {
		slab_flags_t flags;
		int offset;
		uint8_t byte;
	} rows[] = { { P, 0, 0x78 }, { P, 50, 0x9a }, { Z, 64, 0xab } };
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct kmem_cache *s = cache(64, rows[i].flags |
						    SLAB_NO_USER_FLAGS);
		uint8_t *p = alloc(s);

		kmem_cache_free(s, p);
		p[rows[i].offset] = rows[i].byte;
		slab_machine_clear_errors(lab.m);
		validate_slab_cache(s);
		assert_int_equal(slab_machine_errors(lab.m), 2);
		assert_int_equal(kmem_cache_destroy(s), 0);
	}
}

static void kunit_6_kmalloc_redzone_access(void **state)
{
	struct kmem_cache *s = cache(32, SLAB_KMALLOC | U | Z |
						 SLAB_NO_USER_FLAGS);
	uint8_t *p = kmem_cache_alloc_orig(s, GFP_KERNEL, 18);

	(void)state;
	p[18] = p[19] = 0xab;
	validate_slab_cache(s);
	assert_int_equal(slab_machine_errors(lab.m), 2);
	kmem_cache_free(s, p);
	assert_int_equal(kmem_cache_destroy(s), 0);
}

static void kunit_7_and_8_destroy_waits_for_kfree_rcu(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 10; i++) {
		/* in an rcu_free sheaf, and in a batch */
		struct kmem_cache *s = cache(16, i % 2 ? P : SLAB_NO_MERGE);
		struct slab *slab;
		void *p = alloc(s);

		slab = slab_of(p);
		slab_kfree_rcu(p);
		assert_true(slab->inuse > 0);
		assert_int_equal(kmem_cache_destroy(s), 0);
	}
	assert_int_equal(slab_machine_errors(lab.m), 0);
}

static void kunit_9_leak_destroy(void **state)
{
	struct kmem_cache *s = cache(64, SLAB_NO_MERGE);

	(void)state;
	alloc(s);
	assert_int_equal(kmem_cache_destroy(s), -16);
	assert_int_equal(slab_machine_errors(lab.m), 2);
}

static void all_are(const uint8_t *p, unsigned int from, unsigned int to,
		    uint8_t byte)
{
	for (; from < to; from++)
		assert_int_equal(p[from], byte);
}

static void kunit_10_krealloc_redzone_zeroing(void **state)
{
	struct kmem_cache *s = cache(64, SLAB_KMALLOC | U | Z |
						 SLAB_NO_USER_FLAGS);
	uint8_t *p = kmem_cache_alloc_orig(s, GFP_KERNEL, 48), *q;

	(void)state;
	memset(p, 0xff, 48);
	assert_ptr_equal(krealloc(p, 40, GFP_KERNEL | __GFP_ZERO), p);
	all_are(p, 40, 64, 0xcc);
	assert_ptr_equal(krealloc(p, 56, GFP_KERNEL | __GFP_ZERO), p);
	all_are(p, 40, 56, 0);
	all_are(p, 56, 64, 0xcc);
	validate_slab_cache(s);
	assert_int_equal(slab_machine_errors(lab.m), 0);
	memset(p, 0xff, 56);
	q = krealloc(p, 112, GFP_KERNEL | __GFP_ZERO);
	assert_ptr_not_equal(q, p);
	all_are(q, 0, 56, 0xff);
	all_are(q, 56, 112, 0);
	kfree(q);
	assert_int_equal(kmem_cache_destroy(s), 0);
	assert_int_equal(slab_machine_errors(lab.m), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(each_area_has_its_title_and_only_the_first_is_full),
		lab_test(a_range_runs_from_the_first_to_the_last_bad_byte),
		lab_test(the_last_byte_has_a_poison_of_its_own),
		lab_test(alignment_padding_is_checked_without_red_zones),
		lab_test(kmalloc_redzone_begins_at_the_requested_size),
		lab_test(tail_padding_is_repaired_and_fails_nothing),
		lab_test(nothing_is_found_without_consistency_checks),
		lab_test_hardened(a_bad_link_of_a_free_object_is_found_at_its_allocation),
		lab_test_hardened(the_live_objects_outside_link_is_checked_at_free),
		lab_test_hardened(a_cut_chain_is_ended_and_counted_anew),
		lab_test(a_bad_head_drops_the_chain),
		lab_test(a_cycle_is_found_and_dropped),
		lab_test(wrong_counters_are_told_and_put_right),
		lab_test(list_counters_are_compared),
		lab_test(a_descriptor_that_is_no_slab_is_skipped),
		lab_test(wrong_frees_are_named),
		lab_test(a_slab_without_cache_is_named),
		lab_test(bulk_chains_must_have_the_announced_length),
		lab_test(destroy_lists_what_is_left),
		lab_test(a_discarded_slab_is_looked_at_once_more),
		lab_test_hardened(a_wild_chain_without_checks_is_dropped),
		lab_test_hardened(a_chain_cut_short_without_checks_is_dropped),
		lab_test_hardened(a_self_link_of_a_hardened_machine_is_a_double_free),
		lab_test(more_frees_than_objects_do_not_wrap_the_counter),
		lab_test(a_free_at_the_slabs_edge_touches_no_neighbour),
		lab_test(kunit_1_clobber_zone),
		lab_test(kunit_2_next_pointer),
		lab_test(kunit_3_to_5_writes_after_free),
		lab_test(kunit_6_kmalloc_redzone_access),
		lab_test(kunit_7_and_8_destroy_waits_for_kfree_rcu),
		lab_test(kunit_9_leak_destroy),
		lab_test(kunit_10_krealloc_redzone_zeroing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
