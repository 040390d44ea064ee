/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/debug/check_bounds.c - what checks look at, byte by byte, where
 * they stop, and what they leave alone (spec/debugging/checks.md 2.1 to 2.8)
 */
#include "../ring.h"

#include "cache/cache.h"
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

/* ---- every byte of a slot ---- */
struct slot {
	struct kmem_cache *s;
	bool is_free;
	int orig;
};

static bool has(const struct slot *o, slab_flags_t flags)
{
	return (o->s->flags & flags) == flags;
}

/* The table of 2.2 by offset from the object; NULL: not ours to damage here,
 * a link or a recorded size. */
static const char *title_at(const struct slot *o, int at)
{
	const struct kmem_cache *s = o->s;
	int size = (int)s->object_size, inuse = (int)s->inuse;
	int link = (int)s->offset, meta = (int)layout_meta_end(s);
	bool is_outside = link >= inuse;

	if (at >= link && at < link + 8 && (is_outside || o->is_free))
		return NULL;
	if (at < 0)
		return "Left Redzone overwritten";
	if (at < size && o->is_free && has(o, SLAB_OBJECT_POISON))
		return at == size - 1 ? "End Poison overwritten"
				      : "Poison overwritten";
	if (at < size && !o->is_free && at >= o->orig)
		return "kmalloc Redzone overwritten";
	if (at < size)
		return "";
	if (at < inuse && has(o, Z))
		return "Right Redzone overwritten";
	if (at < inuse)
		return has(o, P) ? "Alignment padding overwritten" : "";
	if (at >= meta)
		return has(o, P) ? "Object padding overwritten" : "";
	if (cache_has_orig_size(s) && at >= (int)layout_orig_size(s))
		return NULL;
	return ""; /* tracks are never checked */
}

static void expect_byte(const struct slot *o, uint8_t *object, int at)
{
	const char *title = title_at(o, at);
	uint8_t was = object[at];
	char said[100];

	if (!title)
		return;
	object[at] = (uint8_t)(was ^ 0x81);
	validate_slab_cache(o->s);
	snprintf(said, sizeof(said), "%s%s", title,
		 *title ? "; FIX RESTORING" : "");
	if (strcmp(lab_said(), said) != 0) {
		print_error("flags %#x, size %u, %s object, byte %d: wanted "
			    "\"%s\", found \"%s\"\n",
			    o->s->flags, o->s->object_size,
			    o->is_free ? "free" : "used", at, said, lab_said());
		fail();
	}
	if (*title) {
		assert_int_equal(lab.records[0].first, (uintptr_t)object + at);
		assert_int_equal(lab.records[0].last, (uintptr_t)object + at);
		assert_int_equal(object[at], was);
	}
	object[at] = was;
	lab_forget();
}

static void every_byte_of_a_slot_is_checked_as_what_it_is(void **state)
{
	static const struct {
		unsigned int size, align;
		slab_flags_t flags;
		unsigned int orig;
	} rows[] = {
		{ 40, 0, Z | P | U, 0 },
		{ 40, 0, F, 0 },
		{ 13, 0, P, 0 },
		{ 13, 0, U, 0 },
		{ 13, 0, Z | P, 0 },
		{ 64, 64, Z | P | U, 0 },
		{ 64, 64, P, 0 },
		{ 50, 0, P | SLAB_TYPESAFE_BY_RCU, 0 },
		{ 64, 0, SLAB_KMALLOC | Z | P | U, 19 },
		{ 64, 0, SLAB_KMALLOC | Z | U, 1 },
		{ 64, 0, SLAB_KMALLOC | Z | P, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kmem_cache *s =
			kmem_cache_create("ring", rows[i].size, rows[i].align,
					  rows[i].flags, NULL);
		struct slot o = { .s = s };
		uint8_t *p;
		int at;

		o.orig = (int)(rows[i].orig ? rows[i].orig : s->object_size);
		alloc(s);
		p = kmem_cache_alloc_orig(s, GFP_KERNEL, (size_t)o.orig);
		memset(p, 0x22, (size_t)o.orig);
		for (at = -(int)s->red_left_pad; at < (int)layout_span(s); at++)
			expect_byte(&o, p, at);
		kmem_cache_free(s, p);
		o.is_free = true;
		for (at = -(int)s->red_left_pad; at < (int)layout_span(s); at++)
			expect_byte(&o, p, at);
	}
}

static void
a_slabs_tail_is_checked_from_its_first_to_its_last_byte(void **state)
{
	struct kmem_cache *s = cache(100, P);
	uint8_t *base = (uint8_t *)slab_base(lab.m, slab_of(alloc(s)));
	unsigned int at, end = 4096 / s->size * s->size;

	(void)state;
	assert_in_range(end, 1, 4095);
	for (at = end; at < 4096; at++) {
		base[at] = 0;
		validate_slab_cache(s);
		assert_int_equal(lab.records[0].first, (uintptr_t)base + at);
		assert_int_equal(lab.records[0].last, (uintptr_t)base + at);
		expect("Padding overwritten; FIX RESTORING", 1);
		assert_int_equal(base[at], POISON_INUSE);
	}
}

static void without_poison_a_tail_is_nobodys_business(void **state)
{
	struct kmem_cache *s = cache(100, F | Z | U);

	(void)state;
	((uint8_t *)slab_base(lab.m, slab_of(alloc(s))))[4095] = 1;
	validate_slab_cache(s);
	expect("", 0);
}

/* ---- nothing is found where nothing is wrong ---- */
static void writing_ctor(void *object)
{
	*(uint8_t *)object = 0x77;
}

static void use_a_cache(struct kmem_cache *s)
{
	uint8_t *p[40];
	unsigned int i, round;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < 40; i++) {
			p[i] = alloc(s);
			memset(p[i], 0x33, s->object_size);
		}
		validate_slab_cache(s);
		for (i = round; i < 40; i += 2)
			kmem_cache_free(s, p[i]);
		validate_slab_cache(s);
		for (i = 0; i < 40; i++)
			if (i < round || (i - round) % 2)
				kmem_cache_free(s, p[i]);
		validate_slab_cache(s);
	}
	slab_cache_set_min_partial(s, 0);
	kmem_cache_free(s, alloc(s));
	assert_int_equal(kmem_cache_destroy(s), 0);
}

static void undamaged_objects_pass_every_check(void **state)
{
	static const unsigned int sizes[] = { 1, 4, 7, 8, 13, 64, 100, 700 };
	static const slab_flags_t kinds[] = { 0, SLAB_TYPESAFE_BY_RCU,
					      SLAB_HWCACHE_ALIGN };
	unsigned int flags, i, k;

	(void)state;
	for (flags = 0; flags < 16; flags++) {
		slab_flags_t f = (flags & 1 ? F : 0) | (flags & 2 ? Z : 0) |
				 (flags & 4 ? P : 0) | (flags & 8 ? U : 0);

		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			for (k = 0; k < 3; k++)
				use_a_cache(cache(sizes[i], f | kinds[k]));
			use_a_cache(kmem_cache_create("ctor", sizes[i], 0, f,
						      writing_ctor));
			expect("", 0);
		}
	}
}

static void requests_of_every_size_pass_every_check(void **state)
{
	struct kmem_cache *s = cache(64, SLAB_KMALLOC | F | Z | P | U);
	size_t orig;

	(void)state;
	for (orig = 1; orig <= 64; orig++) {
		uint8_t *p = kmem_cache_alloc_orig(s, GFP_KERNEL, orig);

		memset(p, 0x33, orig);
		validate_slab_cache(s);
		kmem_cache_free(s, p);
	}
	expect("", 0);
}

/* ---- where checks stop ---- */
static void validate_stops_at_the_first_bad_object_of_a_slab(void **state)
{
	struct kmem_cache *s = cache(64, Z | U);
	uint8_t *a = alloc(s), *b = alloc(s), *c[64];
	unsigned int i;

	(void)state;
	for (i = 0; i < 64; i++)
		c[i] = alloc(s);
	assert_ptr_not_equal(slab_of(c[63]), slab_of(a));
	a[64] = b[64] = c[63][64] = 0x41;
	/* the next slab is looked at all the same, partial ones first */
	assert_int_equal(validate_slab_cache(s), 3);
	assert_int_equal(lab.records[2].object, (uintptr_t)a);
	expect("Right Redzone overwritten; FIX RESTORING; Right Redzone "
	       "overwritten; FIX RESTORING",
	       4);
	validate_slab_cache(s);
	assert_int_equal(lab.records[0].object, (uintptr_t)b);
	expect("Right Redzone overwritten; FIX RESTORING", 2);
	validate_slab_cache(s);
	expect("", 0);
}

static void a_head_that_is_no_object_freezes_the_slab(void **state)
{
	struct kmem_cache *s = cache(64, F);
	char *a = alloc(s);
	struct slab *slab = slab_of(a);

	(void)state;
	slab->freelist = a + 8;
	assert_ptr_not_equal(slab_of(alloc(s)), slab);
	expect("Freelist Pointer check fails; FIX ALL_USED", 2);
	assert_true(slab->frozen);
}

static void an_empty_chain_of_a_listed_slab_freezes_it(void **state)
{
	struct kmem_cache *s = cache(64, F);
	struct slab *slab = slab_of(alloc(s));

	(void)state;
	slab->freelist = NULL;
	assert_ptr_not_equal(slab_of(alloc(s)), slab);
	expect("Freelist Pointer check fails; FIX ALL_USED", 2);
	assert_true(slab->frozen);
}

static void a_slab_is_looked_at_before_its_object(void **state)
{
	struct kmem_cache *s = cache(64, F | P);
	uint8_t *a = alloc(s), *b = alloc(s);

	(void)state;
	kmem_cache_free(s, a);
	a[3] = 0x41;
	slab_of(a)->objects++;
	alloc(s);
	expect("objects %u > max %u; FIX ALL_USED", 2);
	/* the count comes before that it is frozen */
	kmem_cache_free(s, b);
	expect("objects %u > max %u; FIX NOT_FREED", 2);
}

static void a_double_free_is_found_before_its_red_zones(void **state)
{
	struct kmem_cache *s = cache(64, F | Z | P);
	void *a = alloc(s);

	(void)state;
	alloc(s);
	kmem_cache_free(s, a);
	kmem_cache_free(s, a);
	expect("Object already free; FIX NOT_FREED", 2);
}

static void a_chain_longer_than_announced_is_refused(void **state)
{
	struct kmem_cache *s = cache(64, P);
	void *a = alloc(s), *b = alloc(s), *head = slab_of(a)->freelist;

	(void)state;
	set_freepointer(s, a, b);
	slab_free_chain(s, slab_of(a), a, b, 1, 0);
	expect("Bulk free expected %d objects but found %d; FIX NOT_FREED", 2);
	assert_int_equal(slab_of(a)->inuse, 2);
	assert_ptr_equal(slab_of(a)->freelist, head);
}

static void a_chain_shorter_than_announced_counts_as_what_it_is(void **state)
{
	struct kmem_cache *s = cache(64, P);
	void *a = alloc(s), *b = alloc(s);
	void *twice[3] = { a, b, a };

	(void)state;
	alloc(s);
	kmem_cache_free_bulk(s, 3, twice);
	assert_int_equal(lab.records[0].value, 3);
	assert_int_equal(lab.records[0].limit, 1);
	expect("Bulk free expected %d objects but found %d", 1);
	assert_ptr_equal(slab_of(a)->freelist, a);
	assert_int_equal(slab_of(a)->inuse, 2);
}

static void validate_walks_every_node(void **state)
{
	struct kmem_cache *s;
	char *p[2];

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .nr_nodes = 2 });
	s = cache(64, Z);
	p[0] = kmem_cache_alloc_node(s, GFP_KERNEL, 0);
	p[1] = kmem_cache_alloc_node(s, GFP_KERNEL, 1);
	p[0][64] = p[1][64] = 0x41;
	assert_int_equal(validate_slab_cache(s), 2);
	expect("Right Redzone overwritten; FIX RESTORING; Right Redzone "
	       "overwritten; FIX RESTORING",
	       4);
}

static void without_f_a_discarded_slab_is_not_looked_at(void **state)
{
	struct kmem_cache *s = cache(64, Z | P);
	char *a = alloc(s), *b = alloc(s);

	(void)state;
	kmem_cache_free(s, a);
	slab_cache_set_min_partial(s, 0);
	a[1] = 0x41;
	kmem_cache_free(s, b);
	assert_int_equal(s->node[0]->nr_slabs, 0);
	expect("", 0);
}

/* ---- what repairs leave behind ---- */
static void a_refused_objects_link_is_ended(void **state)
{
	struct kmem_cache *s = cache(64, F | P);
	char *a = alloc(s);

	(void)state;
	set_freepointer(s, a, (void *)0x1234567890UL);
	kmem_cache_free(s, a);
	expect("Freepointer corrupt; FIX NOT_FREED", 2);
	assert_null(get_freepointer(s, a));
	kmem_cache_free(s, a);
	expect("", 0);
}

static void a_cut_chain_ends_at_its_last_good_object(void **state)
{
	struct kmem_cache *s = cache(64, P);
	char *a = alloc(s), *b = alloc(s);

	(void)state;
	kmem_cache_free(s, a);
	kmem_cache_free(s, b);
	set_freepointer(s, a, a + 1);
	validate_slab_cache(s);
	assert_int_equal(lab.records[0].object, (uintptr_t)a);
	assert_null(get_freepointer(s, a));
	assert_ptr_equal(slab_of(a)->freelist, b);
	assert_int_equal(slab_of(a)->inuse, slab_of(a)->objects - 2);
	expect("Freechain corrupt; Wrong object count. Counter is %d but "
	       "counted were %d; FIX COUNT_ADJUSTED",
	       3);
}

static void a_damaged_order_invents_no_objects(void **state)
{
	struct kmem_cache *s = cache(64, P);
	struct slab *slab = slab_of(alloc(s));
	unsigned int objects = slab->objects;

	(void)state;
	slab->order = 4;
	validate_slab_cache(s);
	assert_int_equal(slab->objects, objects);
	assert_int_equal(slab->order, 0);
	expect("Wrong number of objects. Found %d but should be %d; FIX "
	       "OBJECTS_ADJUSTED",
	       2);
}

static void a_circle_of_all_objects_is_seen_as_one(void **state)
{
	struct kmem_cache *s = cache(700, P);
	void *p[64];
	unsigned int i, nr = 0;
	struct slab *slab;

	(void)state;
	do
		p[nr++] = alloc(s);
	while (slab_of(p[0])->inuse < slab_of(p[0])->objects);
	slab = slab_of(p[0]);
	for (i = 0; i < nr; i++)
		kmem_cache_free(s, p[i]);
	/* as many links as objects are fine, one more is not */
	validate_slab_cache(s);
	expect("", 0);
	set_freepointer(s, p[0], p[nr - 1]);
	validate_slab_cache(s);
	expect("Freelist cycle detected; FIX FREELIST_CLEARED", 2);
	assert_null(slab->freelist);
	assert_int_equal(slab->inuse, slab->objects);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test_hardened(
			every_byte_of_a_slot_is_checked_as_what_it_is),
		lab_test(
			a_slabs_tail_is_checked_from_its_first_to_its_last_byte),
		lab_test(without_poison_a_tail_is_nobodys_business),
		lab_test_hardened(undamaged_objects_pass_every_check),
		lab_test(requests_of_every_size_pass_every_check),
		lab_test(validate_stops_at_the_first_bad_object_of_a_slab),
		lab_test(a_head_that_is_no_object_freezes_the_slab),
		lab_test(an_empty_chain_of_a_listed_slab_freezes_it),
		lab_test(a_slab_is_looked_at_before_its_object),
		lab_test(a_double_free_is_found_before_its_red_zones),
		lab_test(a_chain_longer_than_announced_is_refused),
		lab_test(a_chain_shorter_than_announced_counts_as_what_it_is),
		lab_test(validate_walks_every_node),
		lab_test(without_f_a_discarded_slab_is_not_looked_at),
		lab_test_hardened(a_refused_objects_link_is_ended),
		lab_test(a_cut_chain_ends_at_its_last_good_object),
		lab_test(a_damaged_order_invents_no_objects),
		lab_test(a_circle_of_all_objects_is_seen_as_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
