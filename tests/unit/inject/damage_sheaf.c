/* SPDX-License-Identifier: MIT */
/* tests/unit/inject/damage_sheaf.c - kinds aimed at a CPU's sheaves: what they
 * change, what they are told by, what they refuse. Where they are found:
 * tests/corruption. */
#include "../lab.h"

#include <errno.h>

#include <slab/inject.h>
#include <slab/sheaf.h>

#include "slab/cpu.h"

static struct slab_corrupt_result result;

static int corrupt(const char *kind, unsigned int cpu, struct kmem_cache *s,
		   const char *key, const char *value)
{
	struct slab_corrupt_value values[] = { { key, value }, { NULL, NULL } };

	return slab_corrupt_cpu(lab.m, kind, cpu, s, values, &result);
}

static void refused(const char *kind, unsigned int cpu, struct kmem_cache *s,
		    const char *key, const char *value, const char *why)
{
	int err = corrupt(kind, cpu, s, key, value);

	if (err != -EINVAL || !strstr(result.why, why))
		fail_msg("%s %s=%s: %d \"%s\", wanted %d \"...%s...\"", kind,
			 key ? key : "", value ? value : "", err, result.why,
			 -EINVAL, why);
}

static struct kmem_cache *cache(slab_flags_t flags)
{
	return kmem_cache_create("ring", 200, NULL, flags | SLAB_NO_MERGE);
}

static struct slab_sheaf *main_of(struct kmem_cache *s)
{
	return s->cpu_sheaves[0].main;
}

static void dup_copies_the_first_over_the_top(void **state)
{
	struct kmem_cache *s = cache(0);

	(void)state;
	kmem_cache_alloc(s, GFP_KERNEL);
	assert_int_equal(corrupt("sheaf-dup", 0, s, NULL, NULL), 0);
	assert_ptr_equal(main_of(s)->objects[58], main_of(s)->objects[0]);
	assert_string_equal(result.text,
			    "the top of main of cpu0:ring was ring:S3#18; now "
			    "ring:S1#0, its first, is there twice");
	refused("sheaf-dup", 0, s, NULL, NULL, "at both its ends already");
}

static void size_and_foreign_say_what_was_there(void **state)
{
	struct kmem_cache *s = cache(0);

	(void)state;
	kmem_cache_alloc(s, GFP_KERNEL);
	assert_int_equal(corrupt("sheaf-foreign", 0, s, "to", "0x1234"), 0);
	assert_ptr_equal(main_of(s)->objects[58], (void *)0x1234);
	assert_string_equal(result.text,
			    "the top of main of cpu0:ring was ring:S3#18, is "
			    "0x1234");
	refused("sheaf-foreign", 0, s, "to", "0x1234", "is that already");
	assert_int_equal(corrupt("sheaf-size", 0, s, NULL, NULL), 0);
	assert_int_equal(main_of(s)->size, 61);
	assert_string_equal(result.text, "main of cpu0:ring had 59 objects, "
					 "has 61; it can hold 60");
	refused("sheaf-size", 0, s, NULL, NULL, "has 61 objects already");
	/* what stands at the 61st place is not the sheaf's */
	refused("sheaf-foreign", 0, s, NULL, NULL, "an impossible size");
	refused("sheaf-dup", 0, s, NULL, NULL, "an impossible size");
	main_of(s)->size = 0;
}

static void which_names_the_sheaf(void **state)
{
	struct kmem_cache *s = cache(0);

	(void)state;
	kfree_rcu(kmem_cache_alloc(s, GFP_KERNEL));
	assert_int_equal(corrupt("sheaf-size", 0, s, "which", "rcu"), 0);
	assert_int_equal(s->cpu_sheaves[0].rcu_free->size, 61);
	s->cpu_sheaves[0].rcu_free->size = 0;
	refused("sheaf-dup", 0, s, "which", "rcu", "rcu of cpu0:ring has 0");
	refused("sheaf-dup", 0, s, "which", "barn", "main, spare or rcu");
	refused("barn-count", 0, s, "which", "main", "full or empty");
}

static void a_barn_counts_one_more_unless_told(void **state)
{
	struct kmem_cache *s = cache(0);

	(void)state;
	assert_int_equal(corrupt("barn-count", 0, s, NULL, NULL), 0);
	assert_int_equal(s->node[0]->barn->nr_full, 1);
	assert_int_equal(corrupt("barn-count", 0, s, "which", "empty"), 0);
	assert_int_equal(s->node[0]->barn->nr_empty, 1);
	refused("barn-count", 0, s, "value", "1", "already");
}

static void the_barn_is_that_of_the_cpu(void **state)
{
	struct kmem_cache *s;

	(void)state;
	lab_reopen(
		&(struct slab_machine_config){ .nr_cpus = 2, .nr_nodes = 2 });
	s = cache(0);
	assert_int_equal(corrupt("barn-count", 1, s, NULL, NULL), 0);
	assert_int_equal(s->node[0]->barn->nr_full, 0);
	assert_int_equal(s->node[1]->barn->nr_full, 1);
	assert_int_equal(slab_machine_cpu(lab.m), 0);
}

static void an_object_names_its_cache_and_this_cpu(void **state)
{
	struct kmem_cache *s = cache(0);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	assert_int_equal(
		slab_corrupt(lab.m, "sheaf-size", (uintptr_t)p, NULL, &result),
		0);
	assert_int_equal(main_of(s)->size, 61);
	main_of(s)->size = 0;
}

static void targets_are_judged(void **state)
{
	struct kmem_cache *s = cache(0), *debug;

	(void)state;
	debug = kmem_cache_create("pond", 200, NULL, SLAB_POISON);
	refused("sheaf-size", 1, s, NULL, NULL, "there is no CPU 1; cpu0 is");
	refused("sheaf-size", 0, debug, NULL, NULL, "pond has no sheaves");
	refused("sheaf-size", 0, (void *)lab.m, NULL, NULL, "no such cache");
	refused("poison", 0, s, NULL, NULL, "poison takes an object, no CPU");
	refused("inuse", 0, s, NULL, NULL, "inuse takes a slab, no CPU");
	refused("sheaf-foreign", 0, s, NULL, NULL, "no sheaf of cpu0:ring has");
	refused("sheaf-size", 0, s, "to", "1", "has no key \"to\"");
	refused("sheaf-size", 0, s, "value", "268435456", "0 to 268435455");
	assert_int_equal(corrupt("sheaf-huge", 0, s, NULL, NULL), -ENOENT);
}

/* ---- kinds that need the free chain, where there are sheaves ---- */
static void links_of_what_rests_in_a_sheaf_are_refused(void **state)
{
	struct kmem_cache *s = cache(0);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	kmem_cache_free(s, p);
	assert_int_equal(slab_corrupt(lab.m, "freeptr-null", (uintptr_t)p, NULL,
				      &result),
			 -EINVAL);
	assert_non_null(strstr(result.why, "rests in a sheaf (main)"));
	assert_int_equal(slab_corrupt(lab.m, "freelist-head", (uintptr_t)p,
				      NULL, &result),
			 -EINVAL);
	assert_non_null(strstr(result.why, "cpu flush"));
	/* its bytes are free ones all the same */
	assert_int_equal(
		slab_corrupt(lab.m, "poison", (uintptr_t)p, NULL, &result), 0);
	slab_cache_flush_cpu(lab.m, s);
	assert_int_equal(slab_corrupt(lab.m, "freelist-head", (uintptr_t)p,
				      NULL, &result),
			 0);
}

static void a_double_free_leaves_it_on_chain_and_in_main(void **state)
{
	struct kmem_cache *s = cache(0);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	assert_int_equal(slab_corrupt(lab.m, "double-free-sheaf", (uintptr_t)p,
				      NULL, &result),
			 0);
	assert_int_equal(main_of(s)->size, 1);
	assert_ptr_equal(main_of(s)->objects[0], p);
	assert_int_equal(virt_to_slab(lab.m, p)->inuse, 0);
	assert_int_equal(slab_corrupt(lab.m, "double-free-sheaf", (uintptr_t)p,
				      NULL, &result),
			 -EINVAL);
	assert_non_null(strstr(result.why, "needs an object in use"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		lab_test(dup_copies_the_first_over_the_top),
		lab_test(size_and_foreign_say_what_was_there),
		lab_test(which_names_the_sheaf),
		lab_test(a_barn_counts_one_more_unless_told),
		lab_test(the_barn_is_that_of_the_cpu),
		lab_test(an_object_names_its_cache_and_this_cpu),
		lab_test(targets_are_judged),
		lab_test(links_of_what_rests_in_a_sheaf_are_refused),
		lab_test(a_double_free_leaves_it_on_chain_and_in_main),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
