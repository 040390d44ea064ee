/* SPDX-License-Identifier: MIT */
/* tests/unit/inspect/native.c - a native machine is looked at: its region, its
 * stacks, without statistics, from inside a path, and while threads run */
#define _GNU_SOURCE
#include "../lab.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include <slab/descriptor.h>
#include <slab/inspect.h>

#include "machine/machine.h"

static struct slab_target *target;

static void open_native(const struct slab_machine_config *config)
{
	struct slab_machine_config c = *config;

	c.asan_off = true;
	memset(&lab, 0, sizeof(lab));
	assert_int_equal(slab_machine_create_native(&c, &lab.m), 0);
	slab_machine_use(lab.m);
	slab_machine_add_sink(lab.m, lab_sink, NULL);
	assert_int_equal(slab_target_open_self(lab.m, &target), 0);
}

static int setup(void **state)
{
	(void)state;
	open_native(&(struct slab_machine_config){ 0 });
	return 0;
}

static int teardown(void **state)
{
	slab_target_close(target);
	return lab_teardown(state);
}

/* ---- what it is ---- */
static void it_says_what_it_is(void **state)
{
	struct slab_machine_about about;

	(void)state;
	assert_int_equal(slab_target_about(target, &about), 0);
	assert_true(about.is_native);
	assert_false(about.has_statistics);
	assert_int_equal(about.base, lab.m->base);
	assert_int_equal(about.region_bytes, lab.m->region_bytes);
	assert_string_equal(about.percpu,
			    lab.m->percpu == PERCPU_RSEQ ? "rseq" : "try-lock");
}

static void the_descriptor_leads_to_it(void **state)
{
	(void)state;
	assert_ptr_equal(*slab_descriptor.native, lab.m);
	slab_target_close(target);
	slab_machine_destroy(lab.m);
	assert_null(*slab_descriptor.native);
	open_native(&(struct slab_machine_config){ 0 });
}

static const char *why(uintptr_t address)
{
	static struct slab_address_info at;

	assert_int_equal(slab_target_identify(target, address, &at), 0);
	return at.is_slab ? "slab" : at.why;
}

/* The parts of a slot, in a region of any size. */
static void the_region_has_the_parts_of_a_slot(void **state)
{
	struct kmem_cache *s = kmem_cache_create("ring", 192, NULL, 0);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);
	uintptr_t base, part;
	size_t bytes;

	(void)state;
	base = lab.m->base;
	bytes = lab.m->region_bytes;
	part = bytes / 64; /* a slot's GiB */
	assert_string_equal(why((uintptr_t)p), "slab");
	assert_string_equal(why(base + 31 * part),
			    "page that was never given out");
	assert_string_equal(why(base + 33 * part), "the machine's memory map");
	assert_string_equal(why((uintptr_t)s), "the machine's metadata");
	assert_string_equal(why(base + bytes), "not of this machine");
	assert_string_equal(why(base - 1), "not of this machine");
}

static void a_small_region_has_them_too(void **state)
{
	slab_target_close(target);
	slab_machine_destroy(lab.m);
	open_native(
		&(struct slab_machine_config){ .region_bytes = 128UL << 20 });
	the_region_has_the_parts_of_a_slot(state);
}

/* ---- statistics ---- */
static void without_statistics_there_are_none(void **state)
{
	struct kmem_cache *s = kmem_cache_create("ring", 192, NULL, 0);
	unsigned long count[SLAB_MAX_CPUS];
	struct slab_cache_info c;
	unsigned int i;

	(void)state;
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	assert_int_equal(slab_target_cache(target, "ring", &c), 0);
	assert_false(c.has_statistics);
	for (i = 0; i < SLAB_NR_STATS; i++)
		assert_int_equal(c.stat[i], 0);
	assert_int_equal(slab_target_stat(target, c.cache, SLAB_STAT_ALLOC_SLAB,
					  count, SLAB_MAX_CPUS),
			 -ENODATA);
	assert_int_equal(slab_target_verify(target, c.cache, NULL, NULL), 0);
}

static void they_count_for_caches_made_later(void **state)
{
	struct slab_node_counts counts;
	struct slab_cache_info c;
	struct kmem_cache *s;

	(void)state;
	assert_int_equal(slab_machine_sysctl(lab.m, "statistics", "on"), 0);
	s = kmem_cache_create("ring", 192, NULL, 0);
	assert_non_null(kmem_cache_alloc(s, GFP_KERNEL));
	assert_int_equal(slab_target_cache(target, "ring", &c), 0);
	assert_true(c.has_statistics);
	assert_true(c.stat[SLAB_STAT_ALLOC_SLAB] > 0);
	assert_int_equal(slab_target_counts(target, c.cache, &counts), 0);
	assert_int_equal(counts.nr_slabs, c.stat[SLAB_STAT_ALLOC_SLAB]);
	assert_int_equal(counts.total_objects, c.total.total_objects);
}

/* ---- stacks ---- */
static char lines[4096];

static void add_line(void *arg, const char *line)
{
	size_t n = strlen(lines);

	(void)arg;
	snprintf(lines + n, sizeof(lines) - n, "%s\n", line);
}

/* A function with a name of its own in the trace. */
__attribute__((noinline)) void *get_from_here(struct kmem_cache *s);
void *get_from_here(struct kmem_cache *s)
{
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}

static void traces_have_the_functions_that_called(void **state)
{
	struct kmem_cache *s =
		kmem_cache_create("ring", 192, NULL, SLAB_STORE_USER);

	(void)state;
	assert_non_null(get_from_here(s));
	lines[0] = '\0';
	assert_int_equal(
		slab_target_traces(target, (uintptr_t)s, true, add_line, NULL),
		0);
	if (!strstr(lines, "get_from_here+0x"))
		fail_msg("no get_from_here in:\n%s", lines);
	if (!strstr(lines, __func__))
		fail_msg("no %s in:\n%s", __func__, lines);
	assert_int_equal(
		slab_target_traces(target, lab.m->base, true, add_line, NULL),
		-ENODEV);
}

/* ---- from inside ---- */
static unsigned int nr_looks;

static void look_around(void *arg, const struct slab_report *r)
{
	struct slab_cache_info *caches;
	size_t nr;

	(void)arg;
	if (r->record != SLAB_RECORD_REPORT)
		return;
	assert_int_equal(slab_target_caches(target, &caches, &nr), 0);
	free(caches);
	nr_looks++;
}

/* kmem_cache_destroy() reports with slab_mutex and list_lock held. */
static void a_sink_may_look_from_inside_a_path(void **state)
{
	struct kmem_cache *s =
		kmem_cache_create("ring", 192, NULL, SLAB_CONSISTENCY_CHECKS);

	(void)state;
	assert_non_null(kmem_cache_alloc(s, GFP_KERNEL));
	nr_looks = 0;
	slab_machine_add_sink(lab.m, look_around, NULL);
	assert_int_equal(kmem_cache_destroy(s), -EBUSY);
	assert_true(nr_looks > 0);
}

/* And callbacks of a look, which holds the locks itself. */
static void look_again(void *arg, const struct slab_report *r)
{
	unsigned int *nr = arg;
	struct slab_cache_info c;

	assert_int_equal(slab_target_cache(target, r->cache, &c), 0);
	++*nr;
}

static void a_look_may_look(void **state)
{
	struct kmem_cache *s =
		kmem_cache_create("ring", 192, NULL, SLAB_RED_ZONE);
	char *p = kmem_cache_alloc(s, GFP_KERNEL);
	unsigned int nr = 0;

	(void)state;
	p[192] ^= 1;
	assert_int_equal(
		slab_target_verify(target, (uintptr_t)s, look_again, &nr), 1);
	assert_int_equal(nr, 1);
	p[192] ^= 1;
	kmem_cache_free(s, p);
	assert_int_equal(kmem_cache_destroy(s), 0);
}

/* ---- while threads run ---- */
#define NR_THREADS 4U
#define NR_HELD	   500U
#define RUN_US	   1000000U

/* From the first look to the last: what one thread is in the middle of for so
 * long can not be told from damage. */
#define LOOKS_US 21000U
/* Who makes a cache waits for those who look, and they so long for him. */
#define LOCKED_US 100000U

static struct kmem_cache *caches[3];
static bool is_over;

/* Operations of a thread. */
static struct pace {
	uint64_t ended;	  /* the last one */
	uint64_t limit;	  /* of this one */
	uint64_t stalled; /* when the last that took longer ended */
} paces[NR_THREADS];

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* One has ended; the next one may take so long. */
static void pace(struct pace *p, uint64_t limit)
{
	uint64_t now = now_us();

	if (now - p->ended >= p->limit)
		__atomic_store_n(&p->stalled, now, __ATOMIC_RELEASE);
	__atomic_store_n(&p->limit, limit, __ATOMIC_RELEASE);
	__atomic_store_n(&p->ended, now, __ATOMIC_RELEASE);
}

/* Has a host let one stand in the middle for too long since then? */
static bool any_stalled(uint64_t since)
{
	uint64_t now = now_us();
	unsigned int i;

	for (i = 0; i < NR_THREADS; i++) {
		struct pace *p = &paces[i];
		uint64_t ended = __atomic_load_n(&p->ended, __ATOMIC_ACQUIRE);

		if (now > ended && now - ended >=
			    __atomic_load_n(&p->limit, __ATOMIC_ACQUIRE))
			return true;
		if (__atomic_load_n(&p->stalled, __ATOMIC_ACQUIRE) >= since)
			return true;
	}
	return false;
}

/* Allocates and frees, and makes, shrinks and destroys a cache of its own. */
static void *churn(void *arg)
{
	struct pace *mine = &paces[(uintptr_t)arg - 1];
	uint64_t x = (uintptr_t)arg * 7919 + 1;
	void *p[NR_HELD];
	struct kmem_cache *own;
	unsigned int nr = 0, i;
	char name[16];

	snprintf(name, sizeof(name), "own%u", (unsigned int)(uintptr_t)arg);
	while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
		x = x * 6364136223846793005U + 1442695040888963407U;
		i = (unsigned int)(x >> 33);
		if (i % 4096 == 0) {
			pace(mine, LOCKED_US);
			own = kmem_cache_create(name, 64 + i % 512, NULL,
						SLAB_NO_MERGE);
			pace(mine, LOOKS_US);
			kmem_cache_free(own, kmem_cache_alloc(own, GFP_KERNEL));
			pace(mine, LOCKED_US);
			kmem_cache_destroy(own);
			pace(mine, LOOKS_US);
			kmem_cache_shrink(caches[i % 3]);
		} else if (nr < NR_HELD && (!nr || i & 1)) {
			p[nr] = kmem_cache_alloc(caches[i / 2 % 3], GFP_KERNEL);
			nr += p[nr] != NULL;
		} else {
			void *last = p[--nr];
			unsigned int at = i / 8 % (nr + 1);

			if (at < nr) {
				kfree(p[at]);
				p[at] = last;
			} else {
				kfree(last);
			}
		}
		pace(mine, LOOKS_US);
	}
	while (nr) {
		kfree(p[--nr]);
		pace(mine, LOOKS_US);
	}
	return NULL;
}

static void see_all_of(const struct slab_cache_info *c)
{
	struct slab_slab_info *slab;
	struct slab_object_info *at;
	struct slab_address_info what;
	size_t nr, n, i;

	if (slab_target_slabs(target, c->cache, &slab, &nr))
		return; /* it is gone by now */
	for (i = 0; i < nr && i < 20; i++) {
		if (!slab_target_objects(target, c->cache, slab[i].nr, &at, &n))
			free(at);
		slab_target_identify(target, slab[i].base + 1000, &what);
	}
	free(slab);
}

/* What was found and is not to be explained. */
static unsigned int look_once(void)
{
	struct slab_cache_info *all;
	struct slab_pages_info pages;
	uint64_t begin = now_us();
	size_t nr, i;
	long found = slab_target_verify(target, 0, NULL, NULL);

	assert_true(found >= 0);
	if (found && any_stalled(begin)) {
		print_message("%ld findings, and a thread that stood still\n",
			      found);
		found = 0;
	}
	assert_int_equal(slab_target_caches(target, &all, &nr), 0);
	assert_true(nr >= 3);
	for (i = 0; i < nr; i++)
		see_all_of(&all[i]);
	free(all);
	slab_target_pages(target, &pages);
	lines[0] = '\0';
	slab_target_traces(target, (uintptr_t)caches[1], true, add_line, NULL);
	return (unsigned int)found;
}

static void threads_run_while_it_is_looked_at(void **state)
{
	pthread_t thread[NR_THREADS];
	unsigned int nr_found = 0, nr = 0, i;
	struct slab_cache_info c;
	unsigned long sum = 0;
	uint64_t begin;

	(void)state;
#if defined(__SANITIZE_THREAD__)
	print_message("ThreadSanitizer: a look is a race by its nature\n");
	skip();
#endif
	caches[0] = kmem_cache_create("plain", 256, NULL, SLAB_NO_MERGE);
	caches[1] =
		kmem_cache_create("debug", 192, NULL, SLAB_DEBUG_DEFAULT_FLAGS);
	caches[2] = kmem_cache_create("large", 3000, NULL, SLAB_NO_MERGE);
	is_over = false;
	begin = now_us();
	for (i = 0; i < NR_THREADS; i++) {
		paces[i] = (struct pace){ .ended = begin, .limit = LOOKS_US };
		assert_int_equal(pthread_create(&thread[i], NULL, churn,
						(void *)(uintptr_t)(i + 1)),
				 0);
	}
	do {
		nr_found += look_once();
		nr++;
	} while (now_us() - begin < RUN_US);
	__atomic_store_n(&is_over, true, __ATOMIC_RELAXED);
	for (i = 0; i < NR_THREADS; i++)
		pthread_join(thread[i], NULL);
	print_message("%u looks\n", nr);
	/* motion is no damage */
	assert_int_equal(nr_found, 0);
	/* and when nothing moves, every object is somebody's */
	assert_int_equal(slab_target_verify(target, 0, NULL, NULL), 0);
	assert_int_equal(slab_target_cache(target, "plain", &c), 0);
	for (i = 0; i < SLAB_NR_OWNERS; i++)
		sum += c.owned[i];
	assert_int_equal(sum, c.total.total_objects);
	assert_int_equal(c.owned[SLAB_OWNER_USER], 0);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		test(it_says_what_it_is),
		test(the_descriptor_leads_to_it),
		test(the_region_has_the_parts_of_a_slot),
		test(a_small_region_has_them_too),
		test(without_statistics_there_are_none),
		test(they_count_for_caches_made_later),
		test(traces_have_the_functions_that_called),
		test(a_sink_may_look_from_inside_a_path),
		test(a_look_may_look),
		test(threads_run_while_it_is_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
