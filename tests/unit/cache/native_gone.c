/* SPDX-License-Identifier: MIT */
/* Calls with a cache that was destroyed do nothing, and it is said once. */
#include "../native.h"

#include <errno.h>
#include <slab/sheaf.h>

#include "machine/machine.h"

static struct kmem_cache *gone;
static char words[256];

static void keep_words(void *arg, const struct slab_report *r)
{
	(void)arg;
	snprintf(words, sizeof(words), "%s", r->text);
}

static void destroy_one(const struct slab_machine_config *config,
			slab_flags_t flags)
{
	unsigned int i;
	void *p[100];

	native_open(config);
	assert_int_equal(slab_machine_add_sink(m, keep_words, NULL), 0);
	gone = kmem_cache_create("gone", 200, NULL, SLAB_NO_MERGE | flags);
	assert_non_null(gone);
	for (i = 0; i < 100; i++)
		assert_non_null(p[i] = kmem_cache_alloc(gone, GFP_KERNEL));
	for (i = 0; i < 100; i++)
		kmem_cache_free(gone, p[i]);
	assert_int_equal(kmem_cache_destroy(gone), 0);
	assert_int_equal(nr_said, 0);
}

/* The function in front of inline paths. */
static void *(*alloc_out_of_line)(struct kmem_cache *,
				  gfp_t) = kmem_cache_alloc;
static void (*free_out_of_line)(struct kmem_cache *, void *) = kmem_cache_free;

#define REFUSES(call)                            \
	do {                                     \
		errno = 0;                       \
		assert_true(!(call));            \
		assert_int_equal(errno, EINVAL); \
	} while (0)

static void nothing_is_done(const struct slab_machine_config *config,
			    slab_flags_t flags)
{
	void *of_others, *p[4] = { 0 };

	destroy_one(config, flags);
	of_others = kmalloc(100, GFP_KERNEL);
	REFUSES(kmem_cache_alloc(gone, GFP_KERNEL));
	REFUSES(kmem_cache_alloc(gone, GFP_KERNEL | __GFP_ZERO));
	REFUSES(alloc_out_of_line(gone, GFP_KERNEL));
	REFUSES(kmem_cache_alloc_node(gone, GFP_KERNEL, 0));
	REFUSES(kmem_cache_alloc_bulk(gone, GFP_KERNEL, 4, p));
	REFUSES(kmem_cache_prefill_sheaf(gone, GFP_KERNEL, 4));
	assert_null(p[0]);
	kmem_cache_free(gone, of_others);
	free_out_of_line(gone, of_others);
	p[0] = of_others;
	kmem_cache_free_bulk(gone, 1, p);
	assert_int_equal(kmem_cache_shrink(gone), 0);
	assert_int_equal(kmem_cache_destroy(gone), -EINVAL);
	/* once, and in words */
	assert_int_equal(nr_said, 1);
	assert_non_null(strstr(words, "is no cache: it was destroyed"));
	assert_non_null(strstr(words, "kmem_cache_alloc()"));
	/* it was nobody's to free but its own cache's */
	assert_ptr_not_equal(kmalloc(100, GFP_KERNEL), of_others);
	kfree(of_others);
	assert_int_equal(nr_said, 1);
	slab_machine_destroy(m);
}

static void a_plain_one_does_nothing(void **state)
{
	(void)state;
	nothing_is_done(NULL, 0);
}

static void a_debug_one_does_nothing(void **state)
{
	(void)state;
	nothing_is_done(NULL, SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER |
				      SLAB_CONSISTENCY_CHECKS);
}

static void one_with_locked_cpus_does_nothing(void **state)
{
	(void)state;
	nothing_is_done(&(struct slab_machine_config){ .no_rseq = true }, 0);
}

static void one_with_statistics_does_nothing(void **state)
{
	(void)state;
	nothing_is_done(&(struct slab_machine_config){ .statistics = true }, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_one_does_nothing),
		cmocka_unit_test(a_debug_one_does_nothing),
		cmocka_unit_test(one_with_locked_cpus_does_nothing),
		cmocka_unit_test(one_with_statistics_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
