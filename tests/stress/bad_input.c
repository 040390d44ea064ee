/* SPDX-License-Identifier: MIT */
/*
 * tests/stress/bad_input.c - wrong pointers on the native machine's caches
 *
 * What lies outside the machine's memory is told at once. What lies inside is
 * taken into a sheaf by the inline path, which looks no slab up, and told when
 * it leaves the sheaf for a slab. A double free of a plain cache is one or the
 * other only in hardened machines; debug caches see all of it at once.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <string.h>

#include "child.h"

#include <slab/debug.h>
#include <slab/kmalloc.h>
#include <slab/machine.h>

#include "base/bits.h"
#include "cache/cache.h"
#include "inspect/check.h"

static struct slab_machine *m;
static enum slab_report_kind said[64];
static unsigned int nr_said;

static void sink(void *arg, const struct slab_report *r)
{
	(void)arg;
	if (r->record == SLAB_RECORD_REPORT && nr_said < ARRAY_SIZE(said))
		said[nr_said++] = r->kind;
}

static struct kmem_cache *open_with(const struct slab_machine_config *config,
				    slab_flags_t flags)
{
	/* with AddressSanitizer inline paths are shut: all is told at once */
	struct slab_machine_config c = { .asan_off = true };
	struct kmem_cache *s;

	if (config)
		c = *config;
	WANT(slab_machine_create_native(&c, &m), 0);
	slab_machine_use(m);
	slab_machine_add_sink(m, sink, NULL);
	s = kmem_cache_create("victim", 64, NULL, flags | SLAB_NO_MERGE);
	WANT(s != NULL, 1);
	return s;
}

/* The one report since the last time. */
static void want_said(enum slab_report_kind kind)
{
	WANT(nr_said, 1);
	WANT(said[0], kind);
	nr_said = 0;
}

static void want_whole(struct kmem_cache *s, unsigned long users)
{
	const char *broken = cache_check_users(s, users);

	if (broken) {
		fprintf(stderr, "%s: %s\n", s->name, broken);
		_exit(1);
	}
}

/* ---- foreign pointers ---- */
static void foreign(void)
{
	struct kmem_cache *s = open_with(NULL, 0);
	char on_stack[64];
	void *mallocs = malloc(64), *mine = kmem_cache_alloc(s, GFP_KERNEL);

	kmem_cache_free(s, on_stack);
	want_said(SLAB_REPORT_NOT_IN_SLAB);
	/* said once a place: another machine of the same process would say it
	 * again, this one is quiet from now on and takes none of them */
	kmem_cache_free(s, mallocs);
	kmem_cache_free(s, s);
	kmem_cache_free(s, (void *)8);
	nr_said = 0;
	kfree(mallocs);
	want_said(SLAB_REPORT_NOT_KMALLOC);
	kfree(on_stack + 3);
	kfree_nolock(mallocs);
	nr_said = 0;
	kmem_cache_free_bulk(s, 2, (void *[]){ mallocs, on_stack });
	want_whole(s, 1);
	free(mallocs);
	kmem_cache_free(s, mine);
	want_whole(s, 0);
	WANT(kmem_cache_destroy(s), 0);
}

static void a_foreign_pointer_is_told_at_once(void **state)
{
	(void)state;
	in_child(foreign);
}

/* ---- pointers into the machine's memory ---- */
static void of_another_cache(void)
{
	struct kmem_cache *s = open_with(NULL, 0);
	struct kmem_cache *t = kmem_cache_create("owner", 192, NULL,
						 SLAB_NO_MERGE);
	void *p = kmem_cache_alloc(t, GFP_KERNEL);

	kmem_cache_free(s, p);
	kmem_cache_shrink(s);
	want_said(SLAB_REPORT_BAD_SHEAF);
	want_whole(s, 0);
	/* it is lost for its own cache, and for nobody else */
	want_whole(t, 1);
	WANT(kmem_cache_destroy(s), 0);
	WANT(kmem_cache_destroy(t), -EBUSY);
}

static void an_object_of_another_cache_is_told_when_it_leaves(void **state)
{
	(void)state;
	in_child(of_another_cache);
}

/* As in the kernel: what a plain cache gets it gives to the next. */
static void inside(void)
{
	struct kmem_cache *s = open_with(NULL, 0);
	struct kmem_cache *d = kmem_cache_create("debugged", 64, NULL,
						 SLAB_CONSISTENCY_CHECKS);
	char *p = kmem_cache_alloc(s, GFP_KERNEL);
	char *q = kmem_cache_alloc(d, GFP_KERNEL);

	kmem_cache_free(s, p + 8);
	WANT(nr_said, 0);
	WANT((char *)kmem_cache_alloc(s, GFP_KERNEL) - p, 8);
	want_whole(s, 1);
	kmem_cache_free(s, p);
	WANT(kmem_cache_destroy(s), 0);
	kmem_cache_free(d, q + 8);
	want_said(SLAB_REPORT_INVALID_POINTER);
	kmem_cache_free(d, q);
	WANT(kmem_cache_destroy(d), 0);
}

static void an_interior_pointer_is_for_debug_caches_to_see(void **state)
{
	(void)state;
	in_child(inside);
}

/* In the machine's pages, but none was given out there yet. */
static void nowhere(void)
{
	struct kmem_cache *s = open_with(NULL, 0);
	void *p = (void *)(m->base + m->region_bytes / 4);

	kmem_cache_free(s, p);
	kmem_cache_shrink(s);
	want_said(SLAB_REPORT_BAD_SHEAF);
	want_whole(s, 0);
	WANT(kmem_cache_destroy(s), 0);
}

static void a_pointer_to_no_page_is_told_when_it_leaves(void **state)
{
	(void)state;
	in_child(nowhere);
}

static void kfree_wrong(void)
{
	struct kmem_cache *s = open_with(NULL, 0);
	char *p = kmalloc(100000, GFP_KERNEL);

	kfree(p + 4096);
	want_said(SLAB_REPORT_NOT_KMALLOC);
	kfree(p);
	WANT(kmem_cache_destroy(s), 0);
}

static void kfree_judges_what_it_is_given(void **state)
{
	(void)state;
	in_child(kfree_wrong);
}

/* ---- twice ---- */
static void twice_hardened(void)
{
	struct slab_machine_config config = { .freelist_hardened = true,
					      .asan_off = true };
	struct kmem_cache *s = open_with(&config, SLAB_NOLEAKTRACE);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);
	void *q = kmem_cache_alloc(s, GFP_KERNEL);

	kmem_cache_free(s, p);
	kmem_cache_free(s, p);
	want_said(SLAB_REPORT_ALREADY_FREE);
	want_whole(s, 1);
	kmem_cache_free(s, q);
	WANT(kmem_cache_destroy(s), 0);
}

static void twice_in_a_row_is_told_by_hardened_machines(void **state)
{
	(void)state;
	in_child(twice_hardened);
}

static void twice_debug(void)
{
	struct kmem_cache *s = open_with(NULL, SLAB_DEBUG_DEFAULT_FLAGS);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);
	void *q = kmem_cache_alloc(s, GFP_KERNEL);

	kmem_cache_free(s, p);
	kmem_cache_free(s, p);
	want_said(SLAB_REPORT_ALREADY_FREE);
	kmem_cache_free(s, (char *)q + 8);
	want_said(SLAB_REPORT_INVALID_POINTER);
	kmem_cache_free(s, q);
	WANT(kmem_cache_destroy(s), 0);
}

static void twice_is_told_by_debug_caches(void **state)
{
	(void)state;
	in_child(twice_debug);
}

/* Many threads do it at the same time. */
static struct kmem_cache *shared;
static void *free_foreign(void *arg)
{
	char mine[64];
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		void *p = kmem_cache_alloc(shared, GFP_KERNEL);

		kmem_cache_free(shared, i % 2 ? mine : arg);
		kmem_cache_free(shared, p);
	}
	return NULL;
}

static void from_threads(void)
{
	pthread_t threads[4];
	unsigned int i;

	shared = open_with(NULL, 0);
	for (i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, free_foreign, &threads);
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	WANT(nr_said >= 1, 1);
	kmem_cache_shrink(shared);
	want_whole(shared, 0);
	WANT(kmem_cache_destroy(shared), 0);
}

static void foreign_pointers_from_many_threads_harm_nothing(void **state)
{
	(void)state;
	in_child(from_threads);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_foreign_pointer_is_told_at_once),
		cmocka_unit_test(
			an_object_of_another_cache_is_told_when_it_leaves),
		cmocka_unit_test(an_interior_pointer_is_for_debug_caches_to_see),
		cmocka_unit_test(a_pointer_to_no_page_is_told_when_it_leaves),
		cmocka_unit_test(kfree_judges_what_it_is_given),
		cmocka_unit_test(twice_in_a_row_is_told_by_hardened_machines),
		cmocka_unit_test(twice_is_told_by_debug_caches),
		cmocka_unit_test(
			foreign_pointers_from_many_threads_harm_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
