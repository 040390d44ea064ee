/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/cache/kmalloc.c - which class, how much of it may be used, what
 * is cleared, and what krealloc and kfree do with it
 */
#include "../lab.h"

#include <errno.h>

#include "debug/layout.h"
#include "machine/page.h"
#include "slab/freelist.h"

static struct slab *slab_of(const void *object)
{
	return virt_to_slab(lab.m, object);
}

static const char *class_of(const void *p)
{
	return slab_of(p)->slab_cache->name;
}

static void all_are(const uint8_t *p, unsigned int from, unsigned int to,
		    uint8_t byte)
{
	for (; from < to; from++)
		if (p[from] != byte)
			fail_msg("byte %u: wanted %#x, found %#x", from, byte,
				 p[from]);
}

/* ---- classes ---- */

/* Who asks is a site: the same ones ask on every host. */
static void random_copies_part_who_asks(void **state)
{
	unsigned int seen[16] = { 0 }, copies = 0, i;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .seed = 1,
						  .random_kmalloc = true });
	for (i = 0; i < 200; i++) {
		uintptr_t site = slab_machine_site(lab.m, "who.c", i, "ask");
		unsigned int copy = 0;
		void *p, *again;

		slab_machine_set_site(lab.m, site);
		p = kmalloc(100, GFP_KERNEL);
		again = kmalloc(100, GFP_KERNEL);
		/* the same one gets the same copy */
		assert_string_equal(class_of(p), class_of(again));
		if (sscanf(class_of(p), "kmalloc-rnd-%2u-128", &copy) != 1)
			assert_string_equal(class_of(p), "kmalloc-128");
		assert_in_range(copy, 0, 15);
		seen[copy]++;
		/* other types have no copies */
		assert_string_equal(
			class_of(kmalloc(100, GFP_KERNEL | __GFP_ACCOUNT)),
			"kmalloc-cg-128");
	}
	for (i = 0; i < 16; i++)
		copies += seen[i] != 0;
	assert_int_equal(copies, 16);
}

static void buckets_are_classes_of_their_own(void **state)
{
	struct kmem_buckets *b = kmem_buckets_create("msg_msg", SLAB_ACCOUNT,
						     48, 1000, NULL);
	void *small, *large, *huge;

	(void)state;
	assert_non_null(b);
	small = kmem_buckets_alloc(b, 100, GFP_KERNEL);
	large = kmem_buckets_alloc(b, 3000, GFP_KERNEL | __GFP_ZERO);
	huge = kmem_buckets_alloc(b, 20000, GFP_KERNEL);
	assert_string_equal(class_of(small), "msg_msg-128");
	assert_string_equal(class_of(large), "msg_msg-4k");
	assert_null(virt_to_slab(lab.m, huge));
	assert_ptr_equal(kmem_buckets_alloc(b, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	/* the window reaches as far as the class */
	assert_int_equal(slab_of(small)->slab_cache->useroffset, 48);
	assert_int_equal(slab_of(small)->slab_cache->usersize, 80);
	assert_int_equal(slab_of(large)->slab_cache->usersize, 1000);
	assert_int_equal(slab_cache_find(lab.m, "msg_msg-32")->usersize, 0);
	/* nothing else is served by them */
	assert_string_equal(class_of(kmalloc(100, GFP_KERNEL_ACCOUNT)),
			    "kmalloc-cg-128");
	kfree(small);
	assert_int_equal(slab_buckets_destroy(b), -EBUSY);
	kfree(large);
	kfree(huge);
}

static void buckets_without_objects_go(void **state)
{
	struct kmem_buckets *b = kmem_buckets_create("msg_msg", 0, 0, 0, NULL);

	(void)state;
	kfree(kmem_buckets_alloc(b, 100, GFP_KERNEL));
	assert_int_equal(slab_buckets_destroy(b), 0);
	assert_null(slab_cache_find(lab.m, "msg_msg-128"));
	assert_int_equal(slab_machine_pages_used(lab.m), 0);
	/* who got none has those of all */
	assert_string_equal(class_of(kmem_buckets_alloc(NULL, 100, GFP_KERNEL)),
			    "kmalloc-128");
	assert_int_equal(slab_buckets_destroy(NULL), 0);
	errno = 0;
	assert_null(kmem_buckets_create("", 0, 0, 0, NULL));
	assert_int_equal(errno, EINVAL);
	assert_null(kmem_buckets_create("x", 1U << 30, 0, 0, NULL));
	assert_int_equal(errno, EINVAL);
	assert_null(slab_cache_find(lab.m, "x-8"));
}

/* Each request of metadata fails once: all of the set or none of it. */
static void buckets_that_find_no_memory_leave_nothing(void **state)
{
	unsigned long nth;
	struct kmem_buckets *b = NULL;
	size_t before = lab.m->meta.used;

	(void)state;
	for (nth = 1; !b && nth < 1000; nth++) {
		lab.m->meta.fail_after = nth;
		errno = 0;
		b = kmem_buckets_create("msg_msg", 0, 0, 0, NULL);
		lab.m->meta.fail_after = 0;
		if (b)
			break;
		assert_int_equal(errno, ENOMEM);
		assert_int_equal(lab.m->meta.used, before);
	}
	assert_non_null(b);
	assert_in_range(nth, 13, 999);
}

static void dma_goes_before_reclaimable_before_accounted(void **state)
{
	(void)state;
	assert_string_equal(
		class_of(kmalloc(8, GFP_KERNEL | __GFP_DMA | __GFP_RECLAIMABLE |
					    __GFP_ACCOUNT)),
		"dma-kmalloc-8");
	assert_string_equal(class_of(kmalloc(8, GFP_KERNEL | __GFP_RECLAIMABLE |
							__GFP_ACCOUNT)),
			    "kmalloc-rcl-8");
	assert_string_equal(class_of(kmalloc(8, GFP_KERNEL | __GFP_ACCOUNT)),
			    "kmalloc-cg-8");
	assert_string_equal(class_of(kmalloc(8, GFP_KERNEL)), "kmalloc-8");
}

static void classes_are_aligned_to_their_powers_of_two(void **state)
{
	static const unsigned int rows[][2] = {
		{ 8, 8 },     { 64, 64 },     { 96, 32 },     { 192, 64 },
		{ 256, 256 }, { 4096, 4096 }, { 8192, 8192 },
	};
	unsigned int i, k;

	(void)state;
	slab_machine_sysctl(lab.m, "slab_debug", "FZPU");
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		for (k = 0; k < 5; k++)
			assert_int_equal(
				(uintptr_t)kmalloc(rows[i][0], GFP_KERNEL) %
					rows[i][1],
				0);
}

static void products_that_do_not_fit_are_refused(void **state)
{
	(void)state;
	/* 2^64 + 8 */
	assert_null(kmalloc_array((1UL << 61) + 1, 8, GFP_KERNEL));
	assert_int_equal(errno, ENOMEM);
	assert_null(kcalloc((1UL << 61) + 1, 8, GFP_KERNEL));
	assert_int_equal(errno, ENOMEM);
}

static void a_request_is_no_larger_than_its_class(void **state)
{
	struct kmem_cache *s = kmem_cache_create("p", 64, NULL, 0);

	(void)state;
	errno = 0;
	assert_null(kmem_cache_alloc_orig(s, GFP_KERNEL, 65));
	assert_int_equal(errno, EINVAL);
	assert_non_null(kmem_cache_alloc_orig(s, GFP_KERNEL, 64));
}

static void ksize_promises_what_may_be_used(void **state)
{
	static const struct {
		slab_flags_t flags;
		size_t wanted;
	} rows[] = {
		{ 0, 64 },
		{ SLAB_CONSISTENCY_CHECKS, 64 },
		{ SLAB_RED_ZONE, 60 },
		{ SLAB_POISON, 60 },
		{ SLAB_STORE_USER, 64 },
		{ SLAB_TYPESAFE_BY_RCU, 64 },
		{ SLAB_STORE_USER | SLAB_RED_ZONE, 60 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kmem_cache *s =
			kmem_cache_create("p", 60, NULL, rows[i].flags);
		char *p = kmem_cache_alloc(s, GFP_KERNEL);

		if (ksize(p) != rows[i].wanted)
			fail_msg("flags %#x: wanted %zu, found %zu",
				 rows[i].flags, rows[i].wanted, ksize(p));
		assert_int_equal(ksize(p + 8), 0);
	}
	assert_int_equal(ksize(kmalloc(10000, GFP_KERNEL)), 16384);
}

/* ---- zeroing ---- */
static void zeroed_memory_is_zero(void **state)
{
	static const size_t sizes[] = { 8, 100, 8192, 20000 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint8_t *p = kmalloc(sizes[i], GFP_KERNEL);

		memset(p, 0xee, sizes[i]);
		kfree(p);
		assert_ptr_equal(kzalloc(sizes[i], GFP_KERNEL), p);
		all_are(p, 0, (unsigned int)sizes[i], 0);
		memset(p, 0xee, sizes[i]);
		kfree(p);
		assert_ptr_equal(kcalloc(1, sizes[i], GFP_KERNEL), p);
		all_are(p, 0, (unsigned int)sizes[i], 0);
		kfree(p);
	}
}

static void writing_ctor(void *object)
{
	memset(object, 0x5c, 64);
}

/* The first byte of an object that held 0x33 before it was freed. */
static uint8_t byte_of_second_life(slab_flags_t flags, void (*ctor)(void *),
				   gfp_t gfp)
{
	struct kmem_cache *s =
		kmem_cache_create("p", 64, 0, flags | SLAB_NO_MERGE, ctor);
	uint8_t *p = kmem_cache_alloc(s, GFP_KERNEL);

	memset(p, 0x33, 64);
	kmem_cache_free(s, p);
	assert_ptr_equal(kmem_cache_alloc(s, gfp), p);
	return *p;
}

static void init_on_alloc_spares_some(void **state)
{
	(void)state;
	assert_int_equal(byte_of_second_life(0, NULL, GFP_KERNEL), 0x33);
	slab_machine_sysctl(lab.m, "init_on_alloc", "1");
	assert_int_equal(byte_of_second_life(0, NULL, GFP_KERNEL), 0);
	assert_int_equal(byte_of_second_life(0, writing_ctor, GFP_KERNEL),
			 0x33);
	assert_int_equal(
		byte_of_second_life(SLAB_TYPESAFE_BY_RCU, NULL, GFP_KERNEL),
		0x33);
	assert_int_equal(byte_of_second_life(SLAB_POISON, NULL, GFP_KERNEL),
			 POISON_FREE);
	/* whoever asks gets zeros */
	assert_int_equal(
		byte_of_second_life(SLAB_POISON, NULL, GFP_KERNEL | __GFP_ZERO),
		0);
}

static void init_on_free_spares_red_zones_and_the_request(void **state)
{
	struct slab_track alloc;
	struct kmem_cache *s;
	uint8_t *p;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .init_on_free = true });
	s = kmem_cache_create("k", 64, NULL,
			      SLAB_KMALLOC | SLAB_RED_ZONE | SLAB_STORE_USER |
				      SLAB_CONSISTENCY_CHECKS);
	p = kmem_cache_alloc_orig(s, GFP_KERNEL, 19);
	memset(p, 0x33, 19);
	kmem_cache_free(s, p);
	all_are(p, 0, 19, 0);
	all_are(p, 19, s->offset < 64 ? s->offset : 64, SLUB_RED_ACTIVE);
	all_are(p - 8, 0, 8, SLUB_RED_INACTIVE);
	all_are(p, 64, 72, SLUB_RED_INACTIVE);
	assert_int_equal(layout_get_orig_size(s, p), 19);
	/* the tracks go, and that of the free comes after */
	assert_int_equal(slab_object_tracks(lab.m, p, &alloc, NULL), 0);
	assert_int_equal(alloc.addr, 0);
	validate_slab_cache(s);
	assert_int_equal(slab_machine_reports(lab.m), 0);
}

/* ---- freeing ---- */
static void only_the_first_byte_frees_large_memory(void **state)
{
	char *p = kmalloc(20000, GFP_KERNEL);

	(void)state;
	kfree(p + 8);
	assert_string_equal(lab_said(), "Not a kmalloc allocation");
	assert_int_equal(slab_machine_pages_used(lab.m), 8);
	kfree(p);
	assert_int_equal(slab_machine_pages_used(lab.m), 0);
}

static void kfree_follows_no_damaged_cache(void **state)
{
	static struct kmem_cache copy;
	void *p = kmalloc(100, GFP_KERNEL);
	struct slab *slab = slab_of(p);
	struct kmem_cache *s = slab->slab_cache;
	unsigned int inuse = slab->inuse;

	(void)state;
	/* it looks like one, and is none of the machine's */
	copy = *s;
	slab->slab_cache = &copy;
	kfree(p);
	assert_string_equal(lab_said(), "No slab cache for object 0x%p");
	assert_int_equal(slab->inuse, inuse);
	slab->slab_cache = s;
	/* nor did a sheaf take it */
	assert_ptr_not_equal(kmalloc(100, GFP_KERNEL), p);
}

static void kfree_sensitive_clears_all_of_the_class(void **state)
{
	uint8_t *p = kmalloc(19, GFP_KERNEL);

	(void)state;
	memset(p, 0x33, 32);
	kfree_sensitive(p);
	/* it rests in a sheaf, where no link is written */
	all_are(p, 0, 32, 0);
	kmem_cache_shrink(slab_of(p)->slab_cache);
	assert_int_equal(slab_machine_pages_used(lab.m), 0);
	kfree_sensitive(NULL);
}

static void a_grace_period_frees_all_that_wait(void **state)
{
	void *p[3];
	unsigned int i;

	(void)state;
	/* without sheaves they wait in one batch */
	slab_machine_sysctl(lab.m, "slab_debug", "P");
	for (i = 0; i < 3; i++)
		p[i] = kmalloc(100, GFP_KERNEL);
	for (i = 0; i < 3; i++)
		slab_kfree_rcu(p[i]);
	assert_int_equal(slab_of(p[0])->inuse, 3);
	assert_int_equal(slab_machine_rcu_tick(lab.m), 1);
	assert_int_equal(slab_of(p[0])->inuse, 0);
}

/* ---- krealloc ---- */
static void krealloc_moves_what_was_asked_for(void **state)
{
	uint8_t *p, *q;

	(void)state;
	slab_machine_sysctl(lab.m, "slab_debug", "FZPU");
	p = kmalloc(19, GFP_KERNEL);
	memset(p, 0x33, 19);
	q = krealloc(p, 100, GFP_KERNEL);
	all_are(q, 0, 19, 0x33);
	all_are(q, 19, 99, POISON_FREE);
	assert_int_equal(slab_of(p)->inuse, 0);
	kfree(q);
	assert_int_equal(slab_machine_reports(lab.m), 0);
}

static void krealloc_to_nothing_frees(void **state)
{
	void *p = kmalloc(100, GFP_KERNEL);

	(void)state;
	assert_ptr_equal(krealloc(p, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	/* the last one freed is the first one out */
	assert_ptr_equal(kmalloc(100, GFP_KERNEL), p);
}

static void large_memory_moves_when_a_class_will_do(void **state)
{
	char *p = kmalloc(20000, GFP_KERNEL), *q;

	(void)state;
	memset(p, 0x33, 20000);
	assert_ptr_equal(krealloc(p, 9000, GFP_KERNEL), p);
	q = krealloc(p, 100, GFP_KERNEL);
	assert_ptr_not_equal(q, p);
	assert_string_equal(class_of(q), "kmalloc-128");
	assert_int_equal(q[99], 0x33);
	assert_null(virt_to_slab(lab.m, p));
	kfree(q);
	kmem_cache_shrink(slab_of(q)->slab_cache);
	assert_int_equal(slab_machine_pages_used(lab.m), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(random_copies_part_who_asks),
		lab_test(buckets_are_classes_of_their_own),
		lab_test(buckets_without_objects_go),
		lab_test(buckets_that_find_no_memory_leave_nothing),
		lab_test(dma_goes_before_reclaimable_before_accounted),
		lab_test(classes_are_aligned_to_their_powers_of_two),
		lab_test(products_that_do_not_fit_are_refused),
		lab_test(a_request_is_no_larger_than_its_class),
		lab_test(ksize_promises_what_may_be_used),
		lab_test(zeroed_memory_is_zero),
		lab_test(init_on_alloc_spares_some),
		lab_test(init_on_free_spares_red_zones_and_the_request),
		lab_test(only_the_first_byte_frees_large_memory),
		lab_test(kfree_follows_no_damaged_cache),
		lab_test(kfree_sensitive_clears_all_of_the_class),
		lab_test(a_grace_period_frees_all_that_wait),
		lab_test(krealloc_moves_what_was_asked_for),
		lab_test(krealloc_to_nothing_frees),
		lab_test(large_memory_moves_when_a_class_will_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
