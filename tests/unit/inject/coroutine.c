/* SPDX-License-Identifier: MIT */
#include "../lab.h"

#include <errno.h>

#include <slab/coroutine.h>

#include "machine/machine.h"

static char trail[64], letters[] = "ab";

static void say(const char *what)
{
	strncat(trail, what, sizeof(trail) - strlen(trail) - 1);
}

static void three_parts(void *arg)
{
	char local[256];

	memset(local, *(const char *)arg, sizeof(local));
	say("1");
	slab_coroutine_back();
	say(local[255] == *(const char *)arg ? "2" : "?");
	slab_coroutine_back();
	say(local[0] == *(const char *)arg ? "3" : "?");
}

static struct slab_coroutine *made(void (*fn)(void *arg), void *arg)
{
	struct slab_coroutine *c;
	int err = slab_coroutine_create(lab.m, fn, arg, &c);

	if (err == -ENOTSUP)
		skip(); /* ThreadSanitizer */
	assert_int_equal(err, 0);
	return c;
}

static void it_goes_on_where_it_went_back(void **state)
{
	struct slab_coroutine *a = made(three_parts, letters);
	struct slab_coroutine *b = made(three_parts, letters + 1);

	(void)state;
	trail[0] = '\0';
	assert_false(slab_coroutine_run(a));
	say("-");
	assert_false(slab_coroutine_run(a));
	assert_false(slab_coroutine_run(b));
	assert_true(slab_coroutine_run(a));
	assert_true(slab_coroutine_run(a));
	assert_false(slab_coroutine_run(b));
	assert_true(slab_coroutine_run(b));
	assert_string_equal(trail, "1-21323");
	assert_null(slab_coroutine_current());
	slab_coroutine_destroy(a);
	slab_coroutine_destroy(b);
}

static void begun_anew_it_runs_from_the_start(void **state)
{
	struct slab_coroutine *a = made(three_parts, letters);

	(void)state;
	trail[0] = '\0';
	slab_coroutine_run(a);
	slab_coroutine_run(a);
	slab_coroutine_restart(a);
	while (!slab_coroutine_run(a))
		;
	slab_coroutine_restart(a);
	while (!slab_coroutine_run(a))
		;
	assert_string_equal(trail, "12123123");
	slab_coroutine_destroy(a);
}

static void inner(void *arg)
{
	(void)arg;
	say("i");
	slab_coroutine_back();
	say("j");
}

static void outer(void *arg)
{
	struct slab_coroutine *c = arg;

	say("o");
	slab_coroutine_run(c);
	say("p");
	slab_coroutine_back();
	slab_coroutine_run(c);
	say("q");
}

static void each_goes_back_to_who_ran_it(void **state)
{
	struct slab_coroutine *in = made(inner, NULL);
	struct slab_coroutine *out = made(outer, in);

	(void)state;
	trail[0] = '\0';
	slab_coroutine_run(out);
	say("-");
	slab_coroutine_run(out);
	assert_string_equal(trail, "oip-jq");
	slab_coroutine_destroy(in);
	slab_coroutine_destroy(out);
}

static void on_cpu_1(void *arg)
{
	struct slab_lock *lock = arg;

	slab_machine_set_cpu(lab.m, 1);
	slab_machine_set_task(lab.m, 7, "seven");
	lock_take(lock);
	errno = ENOSPC;
	slab_coroutine_back();
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(slab_machine_cpu(lab.m), 1);
	assert_string_equal(lab.m->comm, "seven");
	lock_release(lock);
}

/* The library's assertions judge the ranks. */
static void who_runs_is_whose_cpu_task_locks_and_errno_count(void **state)
{
	struct slab_coroutine *c;
	struct slab_lock deep, flat;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .nr_cpus = 2 });
	slab_machine_set_task(lab.m, 3, "three");
	lock_init(&deep, LOCK_RANK_META);
	lock_init(&flat, LOCK_RANK_CPUS);
	c = made(on_cpu_1, &deep);
	errno = EDOM;
	assert_false(slab_coroutine_run(c));
	assert_int_equal(errno, EDOM);
	assert_true(lock_is_held(&deep));
	assert_int_equal(slab_machine_cpu(lab.m), 0);
	assert_string_equal(lab.m->comm, "three");
	lock_take(&flat);
	assert_true(slab_coroutine_run(c));
	assert_int_equal(slab_machine_cpu(lab.m), 0);
	lock_release(&flat);
	slab_coroutine_destroy(c);
}

static void *freed;
static struct kmem_cache *ring;

static void free_one(void *arg)
{
	(void)arg;
	kmem_cache_free(ring, freed);
}

static void stop(void *arg, enum slab_point_kind point)
{
	if (point == *(const enum slab_point_kind *)arg)
		slab_coroutine_back();
}

static void a_free_stands_at_a_point_while_another_goes_by(void **state)
{
	enum slab_point_kind at = SLAB_POINT_FREELIST_READ;
	struct slab_coroutine *c;
	void *other;

	(void)state;
	ring = kmem_cache_create("ring", 64, NULL, SLAB_NOLEAKTRACE);
	freed = kmem_cache_alloc(ring, GFP_KERNEL);
	other = kmem_cache_alloc(ring, GFP_KERNEL);
	c = made(free_one, NULL);
	slab_machine_set_point_hook(lab.m, stop, &at);
	assert_false(slab_coroutine_run(c));
	slab_machine_set_point_hook(lab.m, NULL, NULL);
	kmem_cache_free(ring, other);
	assert_ptr_equal(kmem_cache_alloc(ring, GFP_KERNEL), other);
	assert_true(slab_coroutine_run(c));
	assert_ptr_equal(kmem_cache_alloc(ring, GFP_KERNEL), freed);
	kmem_cache_free(ring, freed);
	kmem_cache_free(ring, other);
	kmem_cache_destroy(ring);
	assert_string_equal(lab_said(), "");
	slab_coroutine_destroy(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(it_goes_on_where_it_went_back),
		lab_test(begun_anew_it_runs_from_the_start),
		lab_test(each_goes_back_to_who_ran_it),
		lab_test(who_runs_is_whose_cpu_task_locks_and_errno_count),
		lab_test(a_free_stands_at_a_point_while_another_goes_by),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
