/* SPDX-License-Identifier: MIT */
/* tests/unit/inspect/verify.c - what verify finds beyond validate, and that it
 * changes nothing */
#include "../lab.h"

#include <errno.h>

#include <slab/inject.h>
#include <slab/inspect.h>

#include "slab/node.h"

#define FZPU SLAB_DEBUG_DEFAULT_FLAGS

static struct slab_target *target;

/* Findings of the last verify, in order. */
static struct slab_report found[64];
static unsigned int nr_found;

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

static void note(void *arg, const struct slab_report *r)
{
	(void)arg;
	if (nr_found < 64)
		found[nr_found++] = *r;
}

static const char *verify(struct kmem_cache *s)
{
	static char text[1024];
	unsigned int i;
	long n;

	nr_found = 0;
	n = slab_target_verify(target, (uintptr_t)s, note, NULL);
	assert_int_equal(n, nr_found);
	text[0] = '\0';
	for (i = 0; i < nr_found; i++) {
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used, "%s%s",
			 i ? "; " : "", slab_report_row(found[i].kind)->id);
	}
	return text;
}

static void corrupt(const char *kind, const void *p)
{
	struct slab_corrupt_result result;

	if (slab_corrupt(lab.m, kind, (uintptr_t)p, NULL, &result))
		fail_msg("%s: %s", kind, result.why);
}

static struct kmem_cache *cache(slab_flags_t flags)
{
	return kmem_cache_create("ring", 200, NULL, flags | SLAB_NO_MERGE);
}

static uint64_t sum(const void *start, size_t n)
{
	const unsigned char *p = start;
	uint64_t hash = 0xcbf29ce484222325;

	while (n--)
		hash = (hash ^ *p++) * 0x100000001b3;
	return hash;
}

static uint64_t everything(void)
{
	size_t bytes = pages_taken(lab.m);

	return sum((void *)lab.m->base, bytes) ^
	       3 * sum(lab.m->memmap,
		       (bytes >> PAGE_SHIFT) * sizeof(struct slab)) ^
	       7 * sum((void *)lab.m->meta.start,
		       lab.m->meta.next - lab.m->meta.start);
}

static void an_intact_machine_has_no_findings(void **state)
{
	static const slab_flags_t flags[] = { 0, SLAB_POISON, SLAB_RED_ZONE,
					      FZPU };
	unsigned int i, k;

	(void)state;
	for (i = 0; i < 4; i++) {
		struct kmem_cache *s = cache(flags[i]);
		void *p[100];

		for (k = 0; k < 100; k++)
			p[k] = kmem_cache_alloc(s, GFP_KERNEL);
		for (k = 0; k < 100; k += 3)
			kmem_cache_free(s, p[k]);
		for (k = 1; k < 100; k += 3)
			memset(p[k], 0xff, 200);
	}
	assert_string_equal(verify(NULL), "");
}

static void it_changes_nothing(void **state)
{
	struct kmem_cache *s = cache(FZPU);
	uint8_t *a = kmem_cache_alloc(s, GFP_KERNEL);
	uint8_t *b = kmem_cache_alloc(s, GFP_KERNEL);
	uint64_t before;

	(void)state;
	kmem_cache_free(s, b);
	corrupt("right-redzone", a);
	corrupt("slab-padding", a);
	corrupt("inuse", a);
	corrupt("freeptr-wild", b);
	before = everything();
	assert_string_not_equal(verify(s), "");
	assert_int_equal(everything(), before);
	assert_int_equal(slab_machine_reports(lab.m), 0);
	assert_int_equal(slab_machine_errors(lab.m), 0);
	assert_true(found[0].is_zap);
}

static void it_sees_every_damaged_object_at_once(void **state)
{
	struct kmem_cache *s = cache(FZPU);
	uint8_t *a = kmem_cache_alloc(s, GFP_KERNEL);
	uint8_t *b = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	corrupt("right-redzone", a);
	corrupt("left-redzone", b);
	assert_string_equal(verify(s), "RIGHT_REDZONE; LEFT_REDZONE");
	assert_int_equal(found[0].object, (uintptr_t)a);
	assert_int_equal(found[1].object, (uintptr_t)b);
}

static void it_sees_full_slabs_that_no_list_has(void **state)
{
	struct kmem_cache *s = cache(SLAB_RED_ZONE);
	uint8_t *p = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	while (((uintptr_t)kmem_cache_alloc(s, GFP_KERNEL) & ~0xfffUL) ==
	       ((uintptr_t)p & ~0xfffUL))
		;
	corrupt("right-redzone", p);
	assert_int_equal(validate_slab_cache(s), 1);
	assert_int_equal(lab.nr_records, 0);
	assert_string_equal(verify(s), "RIGHT_REDZONE");
}

static void it_sees_damage_in_frozen_slabs_and_not_the_freezing(void **state)
{
	struct kmem_cache *s = cache(FZPU);
	uint8_t *a = kmem_cache_alloc(s, GFP_KERNEL);
	uint8_t *b = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	kmem_cache_free(s, a);
	corrupt("poison", a);
	kmem_cache_alloc(s, GFP_KERNEL);
	assert_string_equal(verify(s), "");
	corrupt("right-redzone", b);
	assert_string_equal(verify(s), "RIGHT_REDZONE");
}

static void a_lost_object_is_no_finding(void **state)
{
	struct kmem_cache *s = cache(FZPU);
	void *p[3];

	(void)state;
	p[0] = (char *)kmem_cache_alloc(s, GFP_KERNEL) + 8;
	p[1] = kmem_cache_alloc(s, GFP_KERNEL);
	p[2] = kmem_cache_alloc(s, GFP_KERNEL);
	/* the last comes first: refused at p[1]'s turn, whose link leads into
	 * an object, when p[2] is marked free */
	kmem_cache_free_bulk(s, 3, p);
	assert_string_equal(lab_said(),
			    "Freepointer corrupt; FIX NOT_FREED");
	assert_int_equal(*(uint8_t *)p[2], POISON_FREE);
	assert_string_equal(verify(s), "");
}

static void a_chain_to_an_object_in_use_is_found_by_its_user(void **state)
{
	struct kmem_cache *s = cache(SLAB_TRACE);
	uint8_t *a = kmem_cache_alloc(s, GFP_KERNEL);
	uint8_t *b = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	/* b's own link is NULL, and the counter agrees with the chain */
	kmem_cache_free(s, a);
	corrupt("freeptr-object", a);
	memset(b + 96, 0, 8);
	virt_to_slab(lab.m, a)->inuse =
		virt_to_slab(lab.m, a)->objects - 2;
	assert_string_equal(verify(s), "FREECHAIN");
	assert_int_equal(found[0].object, (uintptr_t)a);
}

static void one_broken_link_is_one_finding_and_the_count(void **state)
{
	struct kmem_cache *s = cache(SLAB_POISON);
	uint8_t *a = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	kmem_cache_free(s, a);
	corrupt("freeptr-wild", a);
	assert_string_equal(verify(s), "FREECHAIN; WRONG_COUNT");
}

/* ---- lists and counters ---- */
static void a_slab_lost_from_its_list_is_found_twice(void **state)
{
	struct kmem_cache *s = cache(SLAB_POISON);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	corrupt("list-unlink", p);
	assert_string_equal(verify(s), "PARTIAL_COUNT; PARTIAL_COUNT");
	assert_string_equal(
		found[0].text,
		"SLUB ring: S1 is marked as on the partial list but is not there");
	assert_string_equal(found[1].text,
			    "SLUB ring: 0 partial slabs counted but counter=1");
}

static void a_list_that_does_not_lead_back_is_found(void **state)
{
	struct kmem_cache *s = cache(SLAB_POISON);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	corrupt("list-prev", p);
	assert_string_equal(verify(s), "SLAB_LIST");
	assert_int_equal(found[0].slab, virt_to_slab(lab.m, p));
	assert_true(found[0].is_zap);
	/* and it is left as it was */
	assert_string_equal(verify(s), "SLAB_LIST");
}

static void a_slab_on_no_list_and_not_marked_is_found(void **state)
{
	struct kmem_cache *s = cache(SLAB_POISON);
	struct slab *slab = virt_to_slab(lab.m,
					 kmem_cache_alloc(s, GFP_KERNEL));

	(void)state;
	node_remove_partial(s, slab_node(s, slab), slab);
	assert_string_equal(verify(s), "SLABS_COUNT");
	assert_string_equal(found[0].text,
			    "SLUB ring: S1 has free objects but is on no list");
}

static void a_wrong_count_of_slabs_is_found(void **state)
{
	struct kmem_cache *s = cache(SLAB_POISON);

	(void)state;
	kmem_cache_alloc(s, GFP_KERNEL);
	s->node[0]->nr_slabs = 3;
	assert_string_equal(verify(s), "SLABS_COUNT");
}

static void a_wrong_cache_pointer_is_found_on_the_list(void **state)
{
	struct kmem_cache *s = cache(SLAB_POISON);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	corrupt("slab-cache", p);
	assert_string_equal(verify(s), "NO_SLAB_CACHE");
	virt_to_slab(lab.m, p)->slab_cache = s + 1;
	assert_string_equal(verify(s), "SLAB_POINTER");
}

static void no_such_cache_is_refused(void **state)
{
	(void)state;
	assert_int_equal(slab_target_verify(target, 0x1234, NULL, NULL),
			 -ENOENT);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		test(an_intact_machine_has_no_findings),
		test(it_changes_nothing),
		test(it_sees_every_damaged_object_at_once),
		test(it_sees_full_slabs_that_no_list_has),
		test(it_sees_damage_in_frozen_slabs_and_not_the_freezing),
		test(a_lost_object_is_no_finding),
		test(a_chain_to_an_object_in_use_is_found_by_its_user),
		test(one_broken_link_is_one_finding_and_the_count),
		test(a_slab_lost_from_its_list_is_found_twice),
		test(a_list_that_does_not_lead_back_is_found),
		test(a_slab_on_no_list_and_not_marked_is_found),
		test(a_wrong_count_of_slabs_is_found),
		test(a_wrong_cache_pointer_is_found_on_the_list),
		test(no_such_cache_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
