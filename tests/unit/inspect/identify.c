/* SPDX-License-Identifier: MIT */
/* tests/unit/inspect/identify.c - what an address is, and why it is nothing */
#include "../lab.h"

#include <errno.h>

#include <slab/inspect.h>

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

static struct slab_address_info what_is(uintptr_t address)
{
	struct slab_address_info info;

	assert_int_equal(slab_target_identify(target, address, &info), 0);
	return info;
}

static void region_is(const uint8_t *p, long offset, const char *region,
		      int region_offset)
{
	struct slab_address_info info = what_is((uintptr_t)p + offset);

	assert_true(info.is_ours && info.is_slab);
	if (strcmp(slab_region_name(info.region), region) != 0 ||
	    info.region_offset != region_offset || info.offset != offset ||
	    info.object.address != (uintptr_t)p)
		fail_msg("object%+ld is %s+%d of object at %+ld, wanted %s+%d",
			 offset, slab_region_name(info.region),
			 info.region_offset,
			 (long)(info.object.address - (uintptr_t)p), region,
			 region_offset);
}

/* kmalloc(19) with everything on: object-layout's ASCII picture. */
static void each_byte_of_a_kmalloc_slot_has_its_region(void **state)
{
	struct kmem_cache_args args = { .align = 32 };
	struct kmem_cache *s =
		kmem_cache_create("c", 32, &args,
				  SLAB_DEBUG_DEFAULT_FLAGS | SLAB_KMALLOC);
	uint8_t *p = kmem_cache_alloc_orig(s, GFP_KERNEL, 19);

	(void)state;
	region_is(p, -32, "left redzone", 0);
	region_is(p, -1, "left redzone", 31);
	region_is(p, 0, "object", 0);
	region_is(p, 18, "object", 18);
	region_is(p, 19, "kmalloc redzone", 0);
	region_is(p, 31, "kmalloc redzone", 12);
	region_is(p, 32, "right redzone", 0);
	region_is(p, 40, "free pointer", 0);
	region_is(p, 48, "alloc track", 0);
	region_is(p, 111, "free track", 31);
	region_is(p, 112, "recorded size", 0);
	region_is(p, 127, "padding", 7);
	kmem_cache_free(s, p);
	region_is(p, 19, "object", 19);
}

static void the_tail_belongs_to_no_object(void **state)
{
	struct kmem_cache *s = kmem_cache_create("c", 200, NULL,
						 SLAB_NO_MERGE);
	uintptr_t base = (uintptr_t)kmem_cache_alloc(s, GFP_KERNEL) & ~0xfffUL;
	struct slab_address_info info = what_is(base + 4000 + 7);

	(void)state;
	assert_true(info.is_slab);
	assert_int_equal(info.region, SLAB_REGION_TAIL);
	assert_int_equal(info.region_offset, 7);
	assert_int_equal(info.object.index, ~0U);
}

static void later_pages_of_a_slab_belong_to_it(void **state)
{
	struct kmem_cache *s = kmem_cache_create("c", 3000, NULL, NO_SHEAVES);
	uint8_t *p = kmem_cache_alloc(s, GFP_KERNEL);
	struct slab_address_info info = what_is((uintptr_t)p + 15000 + 17);

	(void)state;
	assert_true(info.is_slab);
	assert_int_equal(info.object.index, 5);
	assert_int_equal(info.offset, 17);
	assert_int_equal(info.slab.base, (uintptr_t)p);
}

static void what_is_no_slab_says_what_it_is(void **state)
{
	void *page = slab_machine_alloc_pages(lab.m, 0);
	uint8_t *large = kmalloc(20000, GFP_KERNEL);

	(void)state;
	assert_string_equal(what_is((uintptr_t)page).why,
			    "page given out whole");
	assert_string_equal(what_is((uintptr_t)large + 9000).why,
			    "large kmalloc");
	assert_string_equal(what_is(lab.m->base).why,
			    "page 0, never given out");
	slab_machine_free_pages(lab.m, page);
	assert_string_equal(what_is((uintptr_t)page).why, "free page");
	assert_true(what_is((uintptr_t)page).is_ours);
}

static void outside_of_the_pages_it_says_where(void **state)
{
	static const struct {
		uintptr_t offset;
		const char *why;
	} rows[] = {
		{ SLOT_MEMMAP - 1, "page that was never given out" },
		{ SLOT_MEMMAP, "the machine's memory map" },
		{ SLOT_META + 64, "the machine's metadata" },
		{ SLOT_SITES, "call site, no memory" },
		{ SLAB_SLOT_SIZE, "not of this machine" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slab_address_info info =
			what_is(lab.m->base + rows[i].offset);

		assert_string_equal(info.why, rows[i].why);
		assert_false(info.is_ours);
	}
	assert_string_equal(what_is(0).why, "not of this machine");
	assert_string_equal(what_is(UINTPTR_MAX).why, "not of this machine");
}

static void a_slab_whose_cache_pointer_is_gone_is_no_slab_of_ours(void **state)
{
	struct kmem_cache *s = kmem_cache_create("c", 200, NULL,
						 SLAB_NO_MERGE);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	virt_to_slab(lab.m, p)->slab_cache = (void *)0x4141414141414140;
	assert_string_equal(what_is((uintptr_t)p).why,
			    "slab of no cache that exists");
}

/* The short answer is the long one's, wherever there is one. */
static void slot_agrees_with_identify_on_every_byte(void **state)
{
	struct kmem_cache *s = kmem_cache_create("c", 1500, NULL,
						 SLAB_DEBUG_DEFAULT_FLAGS);
	uintptr_t p = (uintptr_t)kmem_cache_alloc(s, GFP_KERNEL);
	uintptr_t base = what_is(p).slab.base, at;
	struct slab_slot_info slot;

	(void)state;
	for (at = base; at < base + what_is(p).slab.bytes; at++) {
		struct slab_address_info info = what_is(at);

		assert_int_equal(slab_target_slot(target, at, &slot), 0);
		if (slot.cache != info.cache.cache ||
		    strcmp(slot.name, info.cache.name) != 0 ||
		    slot.slab_nr != info.slab.nr ||
		    slot.base != info.slab.base ||
		    slot.object != info.object.address ||
		    slot.index != (int)info.object.index)
			fail_msg("base+%lu: S%u#%d, identify says S%u#%d",
				 at - base, slot.slab_nr, slot.index,
				 info.slab.nr, (int)info.object.index);
	}
	assert_int_equal(slab_target_slot(target, at, &slot), -ENOENT);
	assert_int_equal(slab_target_slot(target, 0, &slot), -ENOENT);
}

/* And a name leads back to the object, also behind slabs that went. */
static void place_is_the_way_back(void **state)
{
	struct kmem_cache *s = kmem_cache_create("c", 1500, NULL, NO_SHEAVES);
	unsigned int per_slab = s->oo.objects, i;
	struct slab_slot_info slot;
	void *p[64];
	uintptr_t at;

	(void)state;
	assert_int_equal(kmem_cache_alloc_bulk(s, GFP_KERNEL, 64, p), 64);
	for (i = 0; i < per_slab; i++)
		kmem_cache_free(s, p[i]);
	kmem_cache_shrink(s);
	for (i = per_slab; i < 64; i++) {
		slab_target_slot(target, (uintptr_t)p[i], &slot);
		assert_int_equal(slab_target_place(target, "c", slot.slab_nr,
						   (unsigned int)slot.index,
						   &at),
				 0);
		assert_int_equal(at, (uintptr_t)p[i]);
	}
	assert_int_equal(slab_target_place(target, "c", 1, 0, &at), -ENOENT);
	assert_int_equal(slab_target_place(target, "c", 2, per_slab, &at),
			 -ENOENT);
	assert_int_equal(slab_target_place(target, "d", 2, 0, &at), -ENOENT);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		test(each_byte_of_a_kmalloc_slot_has_its_region),
		test(the_tail_belongs_to_no_object),
		test(later_pages_of_a_slab_belong_to_it),
		test(what_is_no_slab_says_what_it_is),
		test(outside_of_the_pages_it_says_where),
		test(a_slab_whose_cache_pointer_is_gone_is_no_slab_of_ours),
		test(slot_agrees_with_identify_on_every_byte),
		test(place_is_the_way_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
