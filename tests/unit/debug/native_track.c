/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/debug/native_track.c - tracks of real threads: who, where, when,
 * and from where
 *
 * native_track_without_fp.c is this file built without frame pointers: then only
 * the unwinder finds the callers.
 */
#define _GNU_SOURCE
#include "../native.h"

#include <alloca.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <slab/debug.h>

#define NOINLINE __attribute__((noinline))
/* So that no call becomes a jump, and no function another one like it. */
#define STAY __asm__ volatile("# %0" ::"i"(__LINE__) : "memory")

static struct kmem_cache *s;

static void open_with(enum slab_unwind unwind)
{
	struct slab_machine_config config = { .asan_off = true,
					      .unwind = unwind };

	assert_int_equal(slab_machine_create_native(&config, &m), 0);
	slab_machine_add_sink(m, native_sink, NULL);
	s = kmem_cache_create("u", 64, NULL, SLAB_STORE_USER);
	assert_non_null(s);
}

static int setup(void **state)
{
	(void)state;
	open_with(SLAB_UNWIND_AUTO);
	return 0;
}

/* "take" of take+0x1c/0x40. */
static bool is_named(uintptr_t frame, const char *name)
{
	char symbol[200];
	size_t n = strlen(name);

	slab_symbol(m, frame, symbol, sizeof(symbol));
	return !strncmp(symbol, name, n) && symbol[n] == '+';
}

static void assert_frames(const struct slab_track *track,
			  const char *const *names, unsigned int nr)
{
	unsigned int i;

	assert_int_equal(track->frames[0], track->addr);
	for (i = 0; i < nr; i++) {
		char symbol[200] = "nothing";

		if (i < track->nr_frames)
			slab_symbol(m, track->frames[i], symbol,
				    sizeof(symbol));
		if (i >= track->nr_frames || !is_named(track->frames[i],
						       names[i]))
			fail_msg("frame %u is %s, not %s", i, symbol, names[i]);
	}
}

static NOINLINE void *take(void)
{
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	STAY;
	return p;
}

static NOINLINE void *middle(void)
{
	void *p = take();

	STAY;
	return p;
}

static NOINLINE void *outer(void)
{
	void *p = middle();

	STAY;
	return p;
}

static NOINLINE void give(void *p)
{
	kmem_cache_free(s, p);
	STAY;
}

static struct slab_track alloc_track(const void *p)
{
	struct slab_track track;

	assert_int_equal(slab_object_tracks(m, p, &track, NULL), 0);
	return track;
}

/* ---- who, where, when ---- */
struct told {
	int tid;
	uint64_t taking, taken, giving, given; /* when */
	void *p;
};

static void *in_thread(void *arg)
{
	struct told *told = arg;

	told->tid = (int)syscall(SYS_gettid);
	told->taking = slab_machine_jiffies(m);
	told->p = take();
	told->taken = slab_machine_jiffies(m);
	do {
		rest_ms(5);
		told->giving = slab_machine_jiffies(m);
	} while (told->giving < told->taken + 30);
	give(told->p);
	told->given = slab_machine_jiffies(m);
	return NULL;
}

static bool is_one_of(const struct told *told, unsigned int nr, int tid)
{
	while (nr && told[nr - 1].tid != tid)
		nr--;
	return nr;
}

static void a_track_says_which_thread_and_when(void **state)
{
	struct told told[4];
	unsigned int i, nr = 0;

	(void)state;
	for (i = 0; i < 4; i++)
		team_add(&team, in_thread, &told[i]);
	team_stop(&team);
	for (i = 0; i < 4; i++) {
		struct slab_track alloc, free;

		/* one's object may have become another's since */
		assert_int_equal(slab_object_tracks(m, told[i].p, &alloc, &free),
				 0);
		assert_true(alloc.cpu >= 0 &&
			    alloc.cpu < (int)slab_machine_config(m)->nr_cpu_ids);
		assert_true(is_one_of(told, 4, alloc.pid));
		assert_true(is_one_of(told, 4, free.pid));
		if (free.pid != told[i].tid)
			continue;
		nr++;
		assert_int_equal(alloc.pid, told[i].tid);
		assert_in_range(alloc.when, told[i].taking, told[i].taken);
		assert_in_range(free.when, told[i].giving, told[i].given);
		assert_true(free.when - alloc.when >= 30);
	}
	assert_true(nr > 0);
}

/* ---- from where ---- */
static void callers_are_found(enum slab_unwind unwind, unsigned int nr)
{
	const char *const names[] = { "take", "middle", "outer" };
	struct slab_track track;
	unsigned int i;

	native_teardown(NULL);
	open_with(unwind);
	/* walked, and then known */
	for (i = 0; i < 3; i++) {
		void *p = outer();

		track = alloc_track(p);
		assert_frames(&track, names, nr);
		give(p);
	}
}

static void the_unwinder_finds_callers(void **state)
{
	(void)state;
	callers_are_found(SLAB_UNWIND_UNWINDER, 3);
	callers_are_found(SLAB_UNWIND_AUTO, 3);
}

static void frame_pointers_find_whom_they_can(void **state)
{
	(void)state;
#ifdef WITHOUT_FP
	callers_are_found(SLAB_UNWIND_FRAME_POINTER, 1);
#else
	callers_are_found(SLAB_UNWIND_FRAME_POINTER, 3);
#endif
}

/* Its frame is as large as it is told to be. */
static NOINLINE void *of_any_size(size_t n)
{
	volatile char *room = alloca(n);
	void *p;

	room[0] = room[n - 1] = 1;
	p = middle();
	STAY;
	return p;
}

static void frames_of_any_size_are_passed(void **state)
{
	const char *const names[] = { "take", "middle", "of_any_size",
				      "frames_of_any_size_are_passed" };
	size_t n;

	(void)state;
	for (n = 1; n < 3000; n += 97) {
		struct slab_track track = alloc_track(of_any_size(n));

		assert_frames(&track, names, 4);
	}
}

static void *taken;

static NOINLINE int compare(const void *a, const void *b)
{
	if (!taken)
		taken = take();
	STAY;
	return *(const int *)a - *(const int *)b;
}

static void frames_of_libc_are_passed(void **state)
{
	int numbers[] = { 5, 3, 9, 1 };
	struct slab_track track;
	bool found = false;
	unsigned int i;

	(void)state;
	taken = NULL;
	qsort(numbers, 4, sizeof(int), compare);
	STAY;
	track = alloc_track(taken);
	assert_true(is_named(track.frames[0], "take"));
	assert_true(is_named(track.frames[1], "compare"));
	for (i = 2; i < track.nr_frames; i++)
		found |= is_named(track.frames[i], __func__);
	assert_true(found);
}

/* ---- what is known is right ---- */
static NOINLINE void *common(void)
{
	void *p = take();

	STAY;
	return p;
}

static NOINLINE void *by_a(void)
{
	void *p = common();

	STAY;
	return p;
}

static NOINLINE void *by_b(void)
{
	void *p = common();

	STAY;
	return p;
}

/* The same frame of `take`, at the same place, has another caller's caller. */
static void a_known_stack_is_not_taken_for_another(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		bool is_a = i * 7 % 3 == 0;
		void *p = is_a ? by_a() : by_b();
		struct slab_track track = alloc_track(p);

		assert_true(track.nr_frames >= 3);
		assert_true(is_named(track.frames[1], "common"));
		if (!is_named(track.frames[2], is_a ? "by_a" : "by_b"))
			fail_msg("allocation %u of %s has another's stack", i,
				 is_a ? "by_a" : "by_b");
		give(p);
	}
}

static void a_site_stands_for_all_callers(void **state)
{
	uintptr_t site = slab_machine_site(m, "a.slab", 7, "alloc");
	struct slab_track alloc, free;
	void *p;

	(void)state;
	give(take());
	slab_machine_set_site(m, site);
	p = take();
	give(p);
	slab_machine_set_site(m, 0);
	assert_int_equal(slab_object_tracks(m, p, &alloc, &free), 0);
	assert_int_equal(alloc.addr, site);
	assert_int_equal(free.addr, site);
	assert_int_equal(alloc.nr_frames, 1);
	assert_int_equal(alloc.frames[0], site);
}

/* Threads one after the other, on the same stack as like as not. */
static void *through_a(void *unused)
{
	void *p = by_a();

	STAY;
	(void)unused;
	return p;
}

static void *through_b(void *unused)
{
	void *p = by_b();

	STAY;
	(void)unused;
	return p;
}

static void a_later_thread_has_a_stack_of_its_own(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 40; i++) {
		struct slab_track track;
		pthread_t thread;
		void *p;

		pthread_create(&thread, NULL, i % 2 ? through_a : through_b,
			       NULL);
		pthread_join(thread, &p);
		track = alloc_track(p);
		assert_true(track.nr_frames >= 4);
		assert_true(is_named(track.frames[2], i % 2 ? "by_a" : "by_b"));
		assert_true(is_named(track.frames[3],
				     i % 2 ? "through_a" : "through_b"));
		give(p);
	}
}

/* Stacks that nobody saw before, by all threads at once, while tables grow. */
static NOINLINE void *deeper(unsigned int path, unsigned int depth)
{
	void *p;

	if (!depth)
		return middle();
	p = path & 1 ? deeper(path >> 1, depth - 1) :
		       deeper(path >> 1, depth - 1);
	STAY;
	return p;
}

static void *many_stacks(void *arg)
{
	unsigned int path, bad = 0;

	for (path = 0; path < 2048; path++) {
		void *p = deeper(path * 13 + (unsigned int)(uintptr_t)arg, 11);
		struct slab_track track;

		slab_object_tracks(m, p, &track, NULL);
		bad += track.nr_frames < 13 ||
		       !is_named(track.frames[0], "take") ||
		       !is_named(track.frames[1], "middle") ||
		       !is_named(track.frames[2], "deeper");
		give(p);
	}
	return (void *)(uintptr_t)bad;
}

static void stacks_are_stored_by_all_threads_at_once(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 4; i++)
		team_add(&team, many_stacks, (void *)(uintptr_t)i);
	assert_int_equal(team_stop(&team), 0);
	assert_int_equal(nr_said, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, native_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_track_says_which_thread_and_when),
		TEST(the_unwinder_finds_callers),
		TEST(frame_pointers_find_whom_they_can),
		TEST(frames_of_any_size_are_passed),
		TEST(frames_of_libc_are_passed),
		TEST(a_known_stack_is_not_taken_for_another),
		TEST(a_site_stands_for_all_callers),
		TEST(a_later_thread_has_a_stack_of_its_own),
		TEST(stacks_are_stored_by_all_threads_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
