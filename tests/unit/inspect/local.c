/* SPDX-License-Identifier: MIT */
/* tests/unit/inspect/local.c - full sheaves that a CPU of a native machine keeps
 * before the barn: every view has them, and each rule of theirs is watched */
#define _GNU_SOURCE
#include "../../patience.h"
#include "../lab.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <slab/inspect.h>

#include "inspect/check.h"
#include "slab/cpu.h"

#define NR 1200U /* objects: 20 sheaves of 60 */

static struct slab_target *target;
static struct kmem_cache *s;
static void *object[NR];
static char found[2048];

/* One CPU, so that what it keeps is what one thread gave. */
static void stay_here(void)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	assert_int_equal(sched_setaffinity(0, sizeof(here), &here), 0);
}

static int setup(void **state)
{
	struct slab_machine_config config = { .statistics = true,
					      .asan_off = true };
	unsigned int i;

	(void)state;
	stay_here();
	assert_int_equal(slab_machine_create_native(&config, &lab.m), 0);
	slab_machine_use(lab.m);
	assert_int_equal(slab_target_open_self(lab.m, &target), 0);
	s = kmem_cache_create("ring", 200, NULL, SLAB_NO_MERGE);
	assert_non_null(s);
	for (i = 0; i < NR; i++)
		object[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (i = 0; i < NR; i++)
		kmem_cache_free(s, object[i]);
	return 0;
}

static int teardown(void **state)
{
	slab_target_close(target);
	return lab_teardown(state);
}

/* The CPU that has what was freed. */
static struct slub_percpu_sheaves *here(void)
{
	unsigned int cpu;

	for (cpu = 0; cpu < lab.m->config.nr_cpu_ids; cpu++)
		if (s->cpu_sheaves[cpu].local_full)
			return &s->cpu_sheaves[cpu];
	fail_msg("no CPU keeps a full sheaf");
	return NULL;
}

static unsigned int cpu_here(void)
{
	return (unsigned int)(here() - s->cpu_sheaves);
}

static void note(void *arg, const struct slab_report *r)
{
	size_t n = strlen(found);

	(void)arg;
	snprintf(found + n, sizeof(found) - n, "%s%s", n ? "; " : "", r->text);
}

/* %u in wanted is the CPU. */
static void finds(const char *wanted)
{
	char text[512];

	found[0] = '\0';
	slab_target_verify(target, (uintptr_t)s, note, NULL);
	snprintf(text, sizeof(text), wanted, cpu_here(), cpu_here());
	assert_string_equal(found, text);
}

static struct slab_cache_info info(void)
{
	struct slab_cache_info ret;

	assert_int_equal(slab_target_cache(target, "ring", &ret), 0);
	return ret;
}

static void they_are_an_owner_of_their_own(void **state)
{
	struct slab_cache_info c = info();
	unsigned long sum = 0;
	unsigned int i;

	(void)state;
	for (i = 0; i < SLAB_NR_OWNERS; i++)
		sum += c.owned[i];
	assert_true(c.owned[SLAB_OWNER_LOCAL] >= NR / 2);
	assert_int_equal(c.owned[SLAB_OWNER_USER], 0);
	assert_int_equal(sum, c.total.total_objects);
	assert_string_equal(slab_owner_name(SLAB_OWNER_LOCAL), "local");
	assert_int_equal(slab_owner_letter(SLAB_OWNER_LOCAL), 'l');
}

/* Sheaf by sheaf, and object by object: the same sums. */
static void each_free_object_rests_in_one_place(void **state)
{
	unsigned long by_sheaf[SLAB_NR_OWNERS] = { 0 };
	unsigned long by_object[SLAB_NR_OWNERS] = { 0 };
	struct slab_cache_info c = info();
	struct slab_slab_info *slab;
	struct slab_sheaf_info *all;
	size_t nr, i, k, n;

	(void)state;
	assert_int_equal(slab_target_sheaves(target, c.cache, &all, &nr), 0);
	for (i = 0; i < nr; i++) {
		by_sheaf[all[i].place] += all[i].size;
		if (all[i].place == SLAB_OWNER_LOCAL) {
			assert_int_equal(all[i].cpu, cpu_here());
			assert_int_equal(all[i].size,
					 all[i].is_full_list ? 60 : 0);
		}
	}
	free(all);
	assert_int_equal(slab_target_slabs(target, c.cache, &slab, &nr), 0);
	for (i = 0; i < nr; i++) {
		struct slab_object_info *at;

		assert_int_equal(slab_target_objects(target, c.cache,
						     slab[i].nr, &at, &n),
				 0);
		for (k = 0; k < n; k++)
			by_object[at[k].owner]++;
		free(at);
	}
	free(slab);
	for (i = SLAB_OWNER_MAIN; i <= SLAB_OWNER_BARN; i++) {
		assert_int_equal(by_sheaf[i], c.owned[i]);
		assert_int_equal(by_object[i], c.owned[i]);
	}
	assert_int_equal(by_object[SLAB_OWNER_FREELIST],
			 c.owned[SLAB_OWNER_FREELIST]);
}

static void an_object_in_one_of_them_is_told(void **state)
{
	void *p = here()->local_full->objects[7];
	struct slab_address_info at;

	(void)state;
	assert_int_equal(slab_target_identify(target, (uintptr_t)p, &at), 0);
	assert_int_equal(at.object.owner, SLAB_OWNER_LOCAL);
}

static void in_order_nothing_is_found(void **state)
{
	(void)state;
	finds("");
	assert_null(cache_check_users(s, 0));
}

static void what_a_move_left_is_looked_at_again(void **state)
{
	unsigned long before = info().owned[SLAB_OWNER_LOCAL];
	void *p[200];
	unsigned int i;

	(void)state;
	for (i = 0; i < 200; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	assert_int_equal(info().owned[SLAB_OWNER_USER], 200);
	assert_true(info().owned[SLAB_OWNER_LOCAL] < before);
	finds("");
	assert_null(cache_check_users(s, 200));
	for (i = 0; i < 200; i++)
		kmem_cache_free(s, p[i]);
	assert_int_equal(info().owned[SLAB_OWNER_USER], 0);
}

static enum slab_owner owner_of(const void *p)
{
	struct slab_address_info at;

	assert_int_equal(slab_target_identify(target, (uintptr_t)p, &at), 0);
	return at.object.owner;
}

static void an_object_that_moves_is_told_where_it_is(void **state)
{
	void *p;

	(void)state;
	p = kmem_cache_alloc(s, GFP_KERNEL);
	assert_int_equal(owner_of(p), SLAB_OWNER_USER);
	kmem_cache_free(s, p);
	assert_int_equal(owner_of(p), SLAB_OWNER_MAIN);
	assert_ptr_equal(kmem_cache_alloc(s, GFP_KERNEL), p);
	assert_int_equal(owner_of(p), SLAB_OWNER_USER);
	kmem_cache_free(s, p);
}

/* The last look is not before that. */
#define LOOKS_MS 21

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static double put_right; /* when */

static void *put_right_soon(void *pcs)
{
	static const struct timespec soon = { .tv_nsec = 8000000 };

	nanosleep(&soon, NULL);
	__atomic_fetch_sub(&((struct slub_percpu_sheaves *)pcs)->nr_local, 1,
			   __ATOMIC_RELEASE);
	put_right = now_ms();
	return NULL;
}

/* A thread is in the middle of something. One that was not back in time is
 * not judged: it tries again. */
static void what_is_gone_a_moment_later_was_motion(void **state)
{
	double until = now_ms() + patience() * 1e3, begin;
	struct slub_percpu_sheaves *pcs = here();
	pthread_t thread;
	long nr;

	(void)state;
#if defined(__SANITIZE_THREAD__)
	print_message("ThreadSanitizer: a look is a race by its nature\n");
	skip();
#endif
	do {
		pcs->nr_local++;
		found[0] = '\0';
		begin = now_ms();
		assert_int_equal(pthread_create(&thread, NULL, put_right_soon,
						pcs),
				 0);
		nr = slab_target_verify(target, (uintptr_t)s, note, NULL);
		pthread_join(thread, NULL);
	} while (put_right >= begin + LOOKS_MS && now_ms() < until);
	if (put_right >= begin + LOOKS_MS) {
		print_message("no thread is ever back in time here\n");
		skip();
	}
	assert_string_equal(found, "");
	assert_int_equal(nr, 0);
}

static void p6_a_full_one_that_is_not(void **state)
{
	struct slab_sheaf *sheaf = here()->local_full;

	(void)state;
	sheaf->size--;
	finds("SLUB ring: Sheaf corrupt: a full sheaf that CPU %u keeps is not "
	      "full");
	assert_string_equal(cache_check(s),
			    "P6: a full sheaf that a CPU keeps is full");
	sheaf->size++;
}

static void p6_more_than_are_counted(void **state)
{
	(void)state;
	here()->nr_local += 3;
	snprintf(found, sizeof(found), "%u", here()->nr_local);
	{
		char wanted[160];

		snprintf(wanted, sizeof(wanted),
			 "SLUB ring: Sheaf corrupt: CPU %%u keeps %u sheaves "
			 "but counter=%u",
			 here()->nr_local - 3, here()->nr_local);
		finds(wanted);
	}
	assert_string_equal(cache_check(s), "P6: nr_local sheaves are kept");
	here()->nr_local -= 3;
}

static void p2_one_that_is_too_full(void **state)
{
	struct slab_sheaf *sheaf = here()->local_full;

	(void)state;
	sheaf->size = 61;
	finds("SLUB ring: Sheaf corrupt: a full sheaf that CPU %u keeps has 61 "
	      "objects and room for 60");
	assert_string_equal(cache_check(s), "P2: size <= capacity");
	sheaf->size = 60;
}

static void p4_one_that_is_main_too(void **state)
{
	struct slub_percpu_sheaves *pcs = here();
	struct slab_sheaf *spare = pcs->spare;

	(void)state;
	pcs->spare = pcs->local_full;
	found[0] = '\0';
	assert_true(slab_target_verify(target, (uintptr_t)s, note, NULL) > 0);
	assert_non_null(strstr(found, "of CPU"));
	assert_non_null(strstr(found, ", too"));
	assert_non_null(strstr(found, "rests twice, spare and local"));
	assert_string_equal(cache_check(s),
			    "P5: an object rests in one place only");
	pcs->spare = spare;
}

static void a_circle_ends(void **state)
{
	struct slab_sheaf *last = here()->local_full, *end;

	(void)state;
	while (sheaf_next(last))
		last = sheaf_next(last);
	end = sheaf_next(last);
	sheaf_set_next(last, here()->local_full);
	found[0] = '\0';
	slab_target_verify(target, (uintptr_t)s, note, NULL);
	assert_string_equal(found, "");
	sheaf_set_next(last, last);
	slab_target_verify(target, (uintptr_t)s, note, NULL);
	assert_non_null(strstr(found, "sheaves but counter="));
	sheaf_set_next(last, end);
}

static void a_wild_link_is_told(void **state)
{
	struct slab_sheaf *first = here()->local_full;
	struct slab_sheaf *next = sheaf_next(first);

	(void)state;
	sheaf_set_next(first, (void *)0x4141414141414140);
	found[0] = '\0';
	slab_target_verify(target, (uintptr_t)s, note, NULL);
	assert_non_null(strstr(found, "is none of the cache"));
	sheaf_set_next(first, next);
}

/* What inline paths decide from. */
static void another_sheaf_than_main_is_told(void **state)
{
	struct slub_percpu_sheaves *pcs = here();
	struct slab_sheaf *fast = pcs->fast;

	(void)state;
	if (lab.m->percpu != PERCPU_RSEQ) {
		print_message("no rseq here: inline paths find nothing\n");
		skip();
	}
	pcs->fast = pcs->spare;
	finds("SLUB ring: Sheaf corrupt: CPU %u shows inline paths another "
	      "sheaf than its main");
	pcs->fast = fast;
}

static void who_holds_the_cpu_is_not_judged(void **state)
{
	struct slub_percpu_sheaves *pcs = here(), before = *pcs;

	(void)state;
	pcs->fast = locked_sheaf;
	pcs->nr_local += 3;
	finds("");
	pcs->nr_local -= 3;
	pcs->fast = before.fast;
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		test(they_are_an_owner_of_their_own),
		test(each_free_object_rests_in_one_place),
		test(an_object_in_one_of_them_is_told),
		test(in_order_nothing_is_found),
		test(what_a_move_left_is_looked_at_again),
		test(an_object_that_moves_is_told_where_it_is),
		test(what_is_gone_a_moment_later_was_motion),
		test(p6_a_full_one_that_is_not),
		test(p6_more_than_are_counted),
		test(p2_one_that_is_too_full),
		test(p4_one_that_is_main_too),
		test(a_circle_ends),
		test(a_wild_link_is_told),
		test(another_sheaf_than_main_is_told),
		test(who_holds_the_cpu_is_not_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
