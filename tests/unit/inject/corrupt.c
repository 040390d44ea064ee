/* SPDX-License-Identifier: MIT */
/* tests/unit/inject/corrupt.c - what was changed is told; what does not fit is
 * refused with what would. Where damage is found: tests/corruption. */
#include "../lab.h"

#include <errno.h>

#include <slab/inject.h>
#include <slab/inspect.h>

#include "base/bytes.h"
#include "slab/freelist.h"

#define FZPU SLAB_DEBUG_DEFAULT_FLAGS

static struct slab_corrupt_result result;

/* One key at most. */
static int corrupt(const char *kind, const void *p, const char *key,
		   const char *value)
{
	struct slab_corrupt_value values[] = { { key, value },
					       { NULL, NULL } };

	return slab_corrupt(lab.m, kind, (uintptr_t)p, values, &result);
}

static void refused(const char *kind, const void *p, const char *key,
		    const char *value, const char *why)
{
	int err = corrupt(kind, p, key, value);

	if (err != -EINVAL || !strstr(result.why, why))
		fail_msg("%s %s=%s: %d \"%s\", wanted %d \"...%s...\"", kind,
			 key ? key : "", value ? value : "", err, result.why,
			 -EINVAL, why);
}

static struct kmem_cache *cache(slab_flags_t flags)
{
	return kmem_cache_create("ring", 200, NULL, flags | SLAB_NO_MERGE);
}

/* ---- the result tells the truth ---- */
static void changed_bytes_are_told(void **state)
{
	uint8_t *p = kmem_cache_alloc(cache(FZPU), GFP_KERNEL);

	(void)state;
	assert_int_equal(corrupt("right-redzone", p, "found", "0x42"), 0);
	assert_int_equal(result.first, (uintptr_t)p + 200);
	assert_int_equal(result.last, (uintptr_t)p + 200);
	assert_int_equal(result.before, SLUB_RED_ACTIVE);
	assert_int_equal(result.after, 0x42);
	assert_int_equal(byte_read(p + 200), 0x42);
	assert_string_equal(result.text,
			    "the right red zone of ring:S1#0: byte "
			    "0x5500000010d0 was 0xcc, is 0x42");
}

static void left_redzone_is_counted_away_from_the_object(void **state)
{
	uint8_t *p = kmem_cache_alloc(cache(FZPU), GFP_KERNEL);

	(void)state;
	assert_int_equal(corrupt("left-redzone", p, "len", "3"), 0);
	assert_int_equal(result.first, (uintptr_t)p - 3);
	assert_int_equal(result.last, (uintptr_t)p - 1);
}

static void the_default_byte_always_changes_something(void **state)
{
	uint8_t *p = kmem_cache_alloc(cache(0), GFP_KERNEL);

	(void)state;
	assert_int_equal(corrupt("right-redzone", p, NULL, NULL), 0);
	assert_int_equal(corrupt("right-redzone", p, NULL, NULL), 0);
	assert_int_not_equal(result.before, result.after);
}

static void links_are_written_as_the_cache_writes_them(void **state)
{
	struct kmem_cache *s = cache(SLAB_POISON);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);
	void *q = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	kmem_cache_free(s, p);
	assert_int_equal(corrupt("freeptr-object", p, NULL, NULL), 0);
	assert_ptr_equal(get_freepointer(s, p), q);
	assert_int_equal(corrupt("freeptr-wild", p, "to", "0x1234"), 0);
	assert_ptr_equal(get_freepointer(s, p), (void *)0x1234);
	assert_int_equal(word_read((char *)p + s->offset) == 0x1234,
			 !s->random);
}

static void addresses_are_read_as_the_machine_prints_them(void **state)
{
	struct kmem_cache *s;
	char text[32];
	void *p, *q;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .slot = 1 });
	s = cache(SLAB_POISON);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	q = kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_free(s, p);
	snprintf(text, sizeof(text), "0x%lx",
		 slab_machine_print_address(lab.m, (uintptr_t)q));
	assert_int_equal(corrupt("freeptr-object", p, "to", text), 0);
	assert_ptr_equal(get_freepointer(s, p), q);
}

static void calls_change_no_bytes(void **state)
{
	uint8_t *p = kmem_cache_alloc(cache(FZPU), GFP_KERNEL);

	(void)state;
	assert_int_equal(corrupt("free-middle", p, "offset", "16"), 0);
	assert_string_equal(result.text, "ring:S1#0 + 16 was freed");
	assert_int_equal(result.first, 0);
	assert_string_equal(lab_said(),
			    "Invalid object pointer 0x%p; FIX NOT_FREED");
}

static void strangers_are_given_back(void **state)
{
	uint8_t *p = kmem_cache_alloc(cache(FZPU), GFP_KERNEL);
	unsigned long before = slab_machine_pages_used(lab.m);

	(void)state;
	assert_int_equal(corrupt("free-page", p, NULL, NULL), 0);
	assert_int_equal(corrupt("free-large", p, NULL, NULL), 0);
	assert_int_equal(slab_machine_pages_used(lab.m), before);
}

/* ---- what is wrong, and what would be right ---- */
static void unknown_kinds_and_places_have_their_own_codes(void **state)
{
	uint8_t *p = kmem_cache_alloc(cache(FZPU), GFP_KERNEL);

	(void)state;
	assert_int_equal(corrupt("rigth-redzone", p, NULL, NULL), -ENOENT);
	assert_string_equal(result.why,
			    "no kind of damage is named rigth-redzone; "
			    "right-redzone is one");
	assert_int_equal(corrupt("poison", (void *)0x1000, NULL, NULL),
			 -EFAULT);
	assert_int_equal(corrupt("poison", (void *)lab.m->base, NULL, NULL),
			 -EINVAL);
	assert_int_equal(slab_corrupt(lab.m, "poison", 0, NULL, NULL),
			 -EFAULT);
}

static void keys_are_judged(void **state)
{
	uint8_t *p = kmem_cache_alloc(cache(FZPU), GFP_KERNEL);
	struct slab_corrupt_value twice[] = { { "len", "1" },
					      { "len", "2" },
					      { NULL, NULL } };

	(void)state;
	refused("right-redzone", p, "fuond", "1",
		"has no key \"fuond\"; it takes found offset len");
	refused("free-stack", p, "found", "1", "it takes none");
	refused("right-redzone", p, "found", "256", "0 to 255");
	refused("right-redzone", p, "found", "-1", "0 to 255");
	refused("right-redzone", p, "found", "x", "is no number");
	refused("right-redzone", p, "found", "", "is no number");
	refused("right-redzone", p, "found", "1 ", "is no number");
	refused("right-redzone", p, "found", "99999999999999999999",
		"0 to 255");
	refused("right-redzone", p, "found", "0xcc", "nothing would change");
	refused("right-redzone", p, "len", "9", "1 to 8");
	refused("right-redzone", p, "len", "0", "1 to 8");
	refused("right-redzone", p, "offset", "8", "0 to 7");
	refused("track", p, "which", "both", "alloc or free");
	refused("free-wild", p, "to", "nowhere", "is no address");
	refused("free-wrong-cache", p, "cache", "none", "no such cache");
	assert_int_equal(slab_corrupt(lab.m, "right-redzone", (uintptr_t)p,
				      twice, &result),
			 -EINVAL);
	assert_string_equal(result.why, "len= is given twice");
	assert_int_equal(byte_read(p + 200), SLUB_RED_ACTIVE);
}

static void targets_are_judged(void **state)
{
	struct kmem_cache *s = cache(NO_SHEAVES);
	uint8_t *a = kmem_cache_alloc(s, GFP_KERNEL), *b;

	(void)state;
	refused("poison", a, NULL, NULL, "is not free; poison needs a free");
	refused("poison", a + 1, NULL, NULL, "not the start of an object");
	refused("left-redzone", a, NULL, NULL, "take another object");
	refused("object-padding", a, NULL, NULL, "with Z they have");
	refused("alignment-padding", a, NULL, NULL, "a size of 204 would be");
	refused("track", a, NULL, NULL, "it needs U");
	refused("orig-size", a, NULL, NULL, "a kmalloc cache with U does");
	refused("kmalloc-redzone", a, NULL, NULL, "give offset=");
	refused("free-wrong-cache", a, NULL, NULL, "create one");
	b = kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_free(s, b);
	refused("free-wrong-cache", b, NULL, NULL, "is free");
	refused("freelist-cross", b, NULL, NULL, "no other slab");
}

static void full_slabs_have_no_chain(void **state)
{
	struct kmem_cache *s = cache(SLAB_POISON);
	void *p = NULL;
	int i;

	(void)state;
	for (i = 0; i < 19; i++)
		p = kmem_cache_alloc(s, GFP_KERNEL);
	refused("freelist-cycle", p, NULL, NULL, "free one first");
	refused("freelist-head", p, NULL, NULL, "free one first");
	refused("list-unlink", p, NULL, NULL, "is on no list");
	refused("list-next", p, NULL, NULL, "is on no list");
}

static void tiny_objects_send_to_the_kind_that_fits(void **state)
{
	struct kmem_cache *s = kmem_cache_create("tiny", 8, NULL, NO_SHEAVES);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	kmem_cache_free(s, p);
	refused("poison", p, NULL, NULL, "freeptr");
	refused("poison-end", p, NULL, NULL, "freeptr");
	s = kmem_cache_create("byte", 1, NULL, SLAB_POISON);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	refused("free-middle", p, NULL, NULL, "no middle");
	kmem_cache_free(s, p);
	refused("poison", p, NULL, NULL, "poison-end");
}

static void nothing_is_done_twice_in_silence(void **state)
{
	struct kmem_cache *s = cache(SLAB_POISON);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	kmem_cache_free(s, p);
	assert_int_equal(corrupt("freeptr-null", p, NULL, NULL), 0);
	refused("freeptr-null", p, NULL, NULL, "already");
	assert_int_equal(corrupt("slab-type", p, NULL, NULL), 0);
	refused("slab-type", p, NULL, NULL, "already");
	refused("inuse", p, "value", "0", "already");
	assert_int_equal(corrupt("list-prev", p, NULL, NULL), 0);
	refused("list-prev", p, NULL, NULL, "broken already");
	/* it would follow them */
	refused("list-unlink", p, NULL, NULL, "broken already");
}

/* ---- the table ---- */
static void every_row_is_complete(void **state)
{
	size_t i, k;

	(void)state;
	assert_true(slab_nr_corruptions() >= 36);
	assert_null(slab_corruption(slab_nr_corruptions()));
	for (i = 0; i < slab_nr_corruptions(); i++) {
		const struct slab_corruption *row = slab_corruption(i);

		assert_ptr_equal(slab_corruption_find(row->name), row);
		assert_int_equal(row->damages[strlen(row->damages) - 1], '.');
		for (k = 0; k < SLAB_NR_SETS; k++) {
			assert_non_null(row->found_by[k]);
			if (strspn(row->found_by[k], "afvdyhs-") !=
			    strlen(row->found_by[k]))
				fail_msg("%s has the cell \"%s\"", row->name,
					 row->found_by[k]);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		lab_test(changed_bytes_are_told),
		lab_test(left_redzone_is_counted_away_from_the_object),
		lab_test(the_default_byte_always_changes_something),
		lab_test(links_are_written_as_the_cache_writes_them),
		lab_test_hardened(links_are_written_as_the_cache_writes_them),
		lab_test(addresses_are_read_as_the_machine_prints_them),
		lab_test(calls_change_no_bytes),
		lab_test(strangers_are_given_back),
		lab_test(unknown_kinds_and_places_have_their_own_codes),
		lab_test(keys_are_judged),
		lab_test(targets_are_judged),
		lab_test(full_slabs_have_no_chain),
		lab_test(tiny_objects_send_to_the_kind_that_fits),
		lab_test(nothing_is_done_twice_in_silence),
		lab_test(every_row_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
