/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/cache/nolock.c - kmalloc_nolock() and kfree_nolock() (3.23): from
 * an interrupt at every point of every path, and nothing is lost
 */
#include "../paths.h"

#define SIZE 4096U

static struct kmem_cache *class(void)
{
	return slab_kmalloc_cache(lab.m, SIZE, GFP_KERNEL);
}

/* ---- allocation ---- */
static void it_takes_from_main_like_anybody(void **state)
{
	struct kmem_cache *s = class();

	(void)state;
	arrange(s, "m3 s- r- f0 e0");
	assert_non_null(kmalloc_nolock(SIZE, 0, NUMA_NO_NODE));
	became(s, 1, "m2 s- r- f0 e0", "alloc_fastpath 1");
}

static void it_does_not_refill(void **state)
{
	struct kmem_cache *s = class();

	(void)state;
	arrange(s, "m0 s- r- f0 e0");
	assert_non_null(kmalloc_nolock(SIZE, 0, NUMA_NO_NODE));
	became(s, 1, "m0 s- r- f0 e0",
	       "alloc_slowpath 1, alloc_slab 1, barn_get_fail 1");
}

static void only_three_flags_are_allowed(void **state)
{
	static const gfp_t wrong[] = { GFP_KERNEL, GFP_NOWAIT, GFP_ATOMIC,
				       __GFP_MEMALLOC, __GFP_THISNODE };
	unsigned int i;
	uint8_t *p;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		errno = 0;
		assert_null(kmalloc_nolock(64, wrong[i], NUMA_NO_NODE));
		assert_int_equal(errno, EINVAL);
	}
	assert_null(kmalloc_nolock(64, 0, 1));
	p = kmalloc_nolock(64, __GFP_ACCOUNT | __GFP_ZERO | __GFP_NO_OBJ_EXT,
			   NUMA_NO_NODE);
	assert_non_null(p);
	assert_int_equal(p[0] | p[63], 0);
}

static void sizes_have_their_limits(void **state)
{
	(void)state;
	assert_ptr_equal(kmalloc_nolock(0, 0, NUMA_NO_NODE), ZERO_SIZE_PTR);
	kfree_nolock(ZERO_SIZE_PTR);
	kfree_nolock(NULL);
	assert_non_null(
		kmalloc_nolock(KMALLOC_MAX_CACHE_SIZE, 0, NUMA_NO_NODE));
	assert_null(
		kmalloc_nolock(KMALLOC_MAX_CACHE_SIZE + 1, 0, NUMA_NO_NODE));
	assert_int_equal(errno, ENOMEM);
}

static void a_busy_class_sends_to_the_next_larger_one(void **state)
{
	struct kmem_cache *s = slab_kmalloc_cache(lab.m, 64, GFP_KERNEL);
	void *p, *one = alloc(s);

	(void)state;
	slab_kmalloc_cache(lab.m, 96, GFP_KERNEL);
	arrange(s, "m0 s- r- f0 e0");
	other_takes(&s->node[0]->list_lock);
	p = kmalloc_nolock(64, 0, NUMA_NO_NODE);
	other_releases(&s->node[0]->list_lock);
	assert_string_equal(slab_of(p)->slab_cache->name, "kmalloc-96");
	/* the new slab whose rest could not be listed went again (T3) */
	assert_int_equal(stat_sum(s, SLAB_STAT_ALLOC_SLAB), 2);
	assert_int_equal(s->node[0]->nr_slabs, 1);
	kmem_cache_free(s, one);
	intact(s);
}

static void caches_under_slab_lock_are_refused(void **state)
{
	struct kmem_cache *s = slab_kmalloc_cache(lab.m, 64, GFP_KERNEL);
	struct kmem_cache *next = slab_kmalloc_cache(lab.m, 96, GFP_KERNEL);

	(void)state;
	s->flags &= ~SLAB_CMPXCHG_DOUBLE;
	next->flags &= ~SLAB_CMPXCHG_DOUBLE;
	assert_null(kmalloc_nolock(64, 0, NUMA_NO_NODE));
	/* but debug caches are all under list_lock */
	slab_machine_reset(lab.m);
	slab_machine_sysctl(lab.m, "slab_debug", "FZPU");
	assert_non_null(kmalloc_nolock(64, 0, NUMA_NO_NODE));
}

static void failslab_is_not_asked(void **state)
{
	(void)state;
	class();
	fail_always(true);
	assert_non_null(kmalloc_nolock(SIZE, 0, NUMA_NO_NODE));
	assert_int_equal(lab.events[SLAB_EVENT_FAIL_INJECTED], 0);
}

/* ---- free ---- */
static void it_pushes_on_main_like_anybody(void **state)
{
	struct kmem_cache *s = class();
	void *p = kmalloc_nolock(SIZE, 0, NUMA_NO_NODE);

	(void)state;
	arrange(s, "m1 s- r- f0 e0");
	kfree_nolock(p);
	became(s, 0, "m2 s- r- f0 e0", "free_fastpath 1");
}

static void what_does_not_fit_goes_later_and_here_at_once(void **state)
{
	struct kmem_cache *s = class();
	void *p = kmalloc_nolock(SIZE, 0, NUMA_NO_NODE);

	(void)state;
	arrange(s, "m4 s4 r- f10 e0");
	kfree_nolock(p);
	assert_int_equal(lab.events[SLAB_EVENT_DEFER], 1);
	assert_int_equal(lab.events[SLAB_EVENT_DEFER_RUN], 1);
	became(s, 0, "m4 s4 r- f10 e0", "free_slowpath 1, free_add_partial 1");
}

static void remote_objects_are_deferred_too(void **state)
{
	struct kmem_cache *s;
	void *p;

	(void)state;
	numa();
	s = class();
	p = kmalloc_nolock(SIZE, 0, 1);
	assert_int_equal(slab_of(p)->node, 1);
	arrange(s, "m1 s- r- f0 e0");
	kfree_nolock(p);
	assert_int_equal(lab.events[SLAB_EVENT_DEFER], 1);
	became(s, 0, "m1 s- r- f0 e0", "free_slowpath 1");
}

struct deferral {
	struct kmem_cache *s;
	void *p[3];
	unsigned int nr;
	bool seen;
};

static void free_three(void *arg)
{
	struct deferral *d = arg;
	unsigned int i;

	for (i = 0; i < 3; i++)
		kfree_nolock(d->p[i]);
	d->nr = lab.m->nr_deferred[lab.m->cpu];
	/* they are neither free nor anybody's */
	d->seen = slab_of(d->p[0])->inuse == slab_of(d->p[0])->objects;
}

static void irq(void *arg)
{
	slab_machine_interrupt(lab.m, free_three, arg);
}

static void in_an_interrupt_they_wait_until_locks_are_let_go(void **state)
{
	struct deferral d = { .s = class() };
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++)
		d.p[i] = kmalloc_nolock(SIZE, 0, NUMA_NO_NODE);
	arrange(d.s, "m4 s4 r- f0 e0");
	/* while this CPU is in a list_lock: interrupts are off until it is
	 * released, and this is no maskable one */
	other_takes(&pcs_of(d.s, 0)->lock);
	lab.m->irqs_off[0]++;
	irq(&d);
	assert_int_equal(d.nr, 3);
	assert_int_equal(lab.m->nr_deferred[0], 3);
	assert_int_equal(lab.events[SLAB_EVENT_DEFER_RUN], 0);
	other_releases(&pcs_of(d.s, 0)->lock);
	assert_null(cache_check_users(d.s, 0));
	lab.m->irqs_off[0]--;
	machine_run_irq_work(lab.m);
	assert_int_equal(lab.m->nr_deferred[0], 0);
	assert_int_equal(lab.events[SLAB_EVENT_DEFER_RUN], 1);
	became(d.s, 0, "m4 s4 r- f0 e0", "free_slowpath 3, free_add_partial 1");
}

static void destroy_waits_for_deferred_frees(void **state)
{
	struct deferral d = { .s = class() };
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++)
		d.p[i] = kmalloc_nolock(SIZE, 0, NUMA_NO_NODE);
	arrange(d.s, "m4 s4 r- f0 e0");
	other_takes(&pcs_of(d.s, 0)->lock);
	lab.m->irqs_off[0]++;
	irq(&d);
	lab.m->irqs_off[0]--;
	other_releases(&pcs_of(d.s, 0)->lock);
	assert_int_equal(lab.m->nr_deferred[0], 3);
	assert_int_equal(kmem_cache_destroy(d.s), 0);
	assert_int_equal(slab_machine_pages_used(lab.m), 0);
}

static void a_link_that_a_user_overwrote_is_told(void **state)
{
	struct deferral d = { .s = class() };
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++)
		d.p[i] = kmalloc_nolock(SIZE, 0, NUMA_NO_NODE);
	arrange(d.s, "m4 s4 r- f0 e0");
	other_takes(&pcs_of(d.s, 0)->lock);
	lab.m->irqs_off[0]++;
	irq(&d);
	other_releases(&pcs_of(d.s, 0)->lock);
	/* the last deferred is the first freed */
	word_write((char *)d.p[2] + d.s->offset, 0x41);
	lab.m->irqs_off[0]--;
	machine_run_irq_work(lab.m);
	assert_string_equal(lab_said(), "object is not in a slab page");
	assert_int_equal(lab.m->nr_deferred[0], 0);
	/* two of three were behind the link */
	assert_null(cache_check_users(d.s, 2));
}

static void what_is_no_object_is_told(void **state)
{
	void *large = kmalloc(20000, GFP_KERNEL);

	(void)state;
	kfree_nolock(large);
	assert_string_equal(lab_said(), "Not a kmalloc allocation");
	kfree(large);
}

/* ---- from everywhere ---- */

static void *old, *got;

static void inner_work(void *arg)
{
	(void)arg;
	got = kmalloc_nolock(SIZE, 0, NUMA_NO_NODE);
	kfree_nolock(old);
	old = NULL;
}

static void interrupt_here(void *arg)
{
	slab_machine_interrupt(lab.m, inner_work, arg);
}

static void from_an_interrupt_at_every_point_nothing_is_lost(void **state)
{
	unsigned int seen[SLAB_NR_POINTS] = { 0 };
	unsigned int path, shape, point, nth;

	(void)state;
	for_each_run(path, shape, point, nth)
	{
		struct kmem_cache *s = path_ready(shape);

		old = kmalloc_nolock(SIZE, 0, NUMA_NO_NODE);
		got = NULL;
		at(point, nth, interrupt_here, NULL);
		paths[path].run(s);
		slab_machine_set_point_hook(lab.m, NULL, NULL);
		if (trap.fn) {
			/* it is not passed so often */
			nth = PATH_MAX_NTH;
			continue;
		}
		seen[point]++;
		kfree_nolock(got);
		path_found_again(s, path, shape, slab_point_name(point), nth);
	}
	/* every point was one of them, up to those that only restartable
	 * sequences and real threads pass: tests/interleave, tests/stress */
	for (point = 0; point < SLAB_POINT_FAST_LOAD; point++)
		if (!seen[point])
			fail_msg("no path passes %s", slab_point_name(point));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(it_takes_from_main_like_anybody),
		lab_test(it_does_not_refill),
		lab_test(only_three_flags_are_allowed),
		lab_test(sizes_have_their_limits),
		lab_test(a_busy_class_sends_to_the_next_larger_one),
		lab_test(caches_under_slab_lock_are_refused),
		lab_test(failslab_is_not_asked),
		lab_test(it_pushes_on_main_like_anybody),
		lab_test(what_does_not_fit_goes_later_and_here_at_once),
		lab_test(remote_objects_are_deferred_too),
		lab_test(in_an_interrupt_they_wait_until_locks_are_let_go),
		lab_test(destroy_waits_for_deferred_frees),
		lab_test(a_link_that_a_user_overwrote_is_told),
		lab_test(what_is_no_object_is_told),
		lab_test(from_an_interrupt_at_every_point_nothing_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
