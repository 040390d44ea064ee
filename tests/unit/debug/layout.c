/* SPDX-License-Identifier: MIT */
/* tests/unit/debug/layout.c - what stands in a slot: byte by byte, in use, free
 * and never used (spec/debugging/object-layout.md) */
#include "../lab.h"

#include "debug/layout.h"
#include "slab/freelist.h"

#define Z SLAB_RED_ZONE
#define P SLAB_POISON
#define U SLAB_STORE_USER

#define ANY (-1) /* a link, a track, the recorded size, what users wrote */

static int wanted_at(const struct kmem_cache *s, int at, bool in_use, int orig)
{
	int size = (int)s->object_size, inuse = (int)s->inuse;
	int link = (int)s->offset, red = in_use ? 0xcc : 0xbb;
	bool has_orig =
		(s->flags & (Z | U | SLAB_KMALLOC)) == (Z | U | SLAB_KMALLOC);
	int end = in_use && has_orig ? orig : size;

	if (at >= link && at < link + 8 && (link >= inuse || !in_use))
		return ANY;
	if (at < 0)
		return red;
	if (at < end && !(s->flags & SLAB_OBJECT_POISON))
		return ANY;
	if (at < end)
		return at == end - 1 ? 0xa5 : 0x6b;
	if (at < inuse && (s->flags & Z))
		return red;
	if (at < inuse || at >= (int)layout_meta_end(s))
		return s->flags & P ? 0x5a : ANY;
	return ANY;
}

static void expect_slot(const struct kmem_cache *s, const uint8_t *p,
			const char *which, bool in_use, int orig)
{
	int at;

	for (at = -(int)s->red_left_pad; at < (int)layout_span(s); at++) {
		int wanted = wanted_at(s, at, in_use, orig);

		if (wanted != ANY && p[at] != wanted)
			fail_msg("flags %#x, size %u, %s object, byte %d: "
				 "wanted %#x, found %#x",
				 s->flags, s->object_size, which, at, wanted,
				 p[at]);
	}
}

static void every_byte_of_a_slot_is_written_as_what_it_is(void **state)
{
	static const struct {
		unsigned int size, align;
		slab_flags_t flags;
		unsigned int orig;
	} rows[] = {
		{ 40, 0, Z, 0 },
		{ 40, 0, P, 0 },
		{ 40, 0, Z | P | U, 0 },
		{ 13, 0, Z | P, 0 },
		{ 13, 0, P, 0 },
		{ 1, 0, Z | P, 0 },
		{ 64, 64, Z | P | U, 0 },
		{ 64, 0, Z | P | U | SLAB_TYPESAFE_BY_RCU, 0 },
		{ 64, 0, SLAB_KMALLOC | Z | P | U, 19 },
		{ 64, 0, SLAB_KMALLOC | Z | P | U, 1 },
		{ 64, 0, SLAB_KMALLOC | P | U, 19 },
		{ 64, 0, SLAB_KMALLOC | Z | P, 19 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kmem_cache *s =
			kmem_cache_create("ring", rows[i].size, rows[i].align,
					  rows[i].flags, NULL);
		int orig = (int)(rows[i].orig ? rows[i].orig : s->object_size);
		uint8_t *p = kmem_cache_alloc_orig(s, GFP_KERNEL, (size_t)orig);

		expect_slot(s, p, "new", true, orig);
		expect_slot(s, p + s->size, "never used", false, orig);
		memset(p, 0x11, (size_t)orig);
		kmem_cache_free(s, p);
		expect_slot(s, p, "freed", false, orig);
		assert_ptr_equal(
			kmem_cache_alloc_orig(s, GFP_KERNEL, (size_t)orig), p);
		expect_slot(s, p, "used again", true, orig);
	}
}

static void a_new_slab_is_poisoned_and_its_objects_are_free(void **state)
{
	struct kmem_cache *s = kmem_cache_create("ring", 100, NULL, P);
	uint8_t *p = kmem_cache_alloc(s, GFP_KERNEL);
	const uint8_t *base =
		(uint8_t *)slab_base(lab.m, virt_to_slab(lab.m, p));
	unsigned int at = 4096 / s->size * s->size;

	(void)state;
	expect_slot(s, p + s->size, "never used", false, 100);
	assert_in_range(at, 1, 4095);
	for (; at < 4096; at++)
		assert_int_equal(base[at], 0x5a);
}

static void the_request_stands_behind_both_tracks(void **state)
{
	struct kmem_cache *s = kmem_cache_create(
		"kmalloc", 64, 64, SLAB_KMALLOC | Z | P | U, NULL);
	char *p = kmem_cache_alloc_orig(s, GFP_KERNEL, 19);

	(void)state;
	/* 64, red zone 8, link 8, tracks 64 */
	assert_int_equal(word_read(p + 144), 19);
	assert_int_equal(layout_get_orig_size(s, p), 19);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(every_byte_of_a_slot_is_written_as_what_it_is),
		lab_test(a_new_slab_is_poisoned_and_its_objects_are_free),
		lab_test(the_request_stands_behind_both_tracks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
