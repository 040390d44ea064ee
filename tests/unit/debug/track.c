/* SPDX-License-Identifier: MIT */
/* tests/unit/debug/track.c - who allocated, who freed, as it stands in the slot */
#include "../paper.h"

#include <errno.h>

static uintptr_t site(const char *file, unsigned int line)
{
	return slab_machine_site(lab.m, file, line, "");
}

static void alloc_and_free_are_remembered_apart(void **state)
{
	struct slab_track alloc, free;
	struct kmem_cache *s;
	void *p;

	(void)state;
	s = __kmem_cache_create("u", 64, 0, SLAB_STORE_USER, NULL);
	slab_machine_set_task(lab.m, 12, "one");
	slab_machine_set_site(lab.m, site("a.c", 1));
	slab_machine_tick(lab.m, 10);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	assert_int_equal(slab_object_tracks(lab.m, p, &alloc, &free), 0);
	assert_int_equal(alloc.addr, site("a.c", 1));
	assert_int_equal(alloc.pid, 12);
	assert_int_equal(alloc.cpu, 0);
	assert_int_equal(alloc.when, slab_machine_jiffies(lab.m));
	assert_int_equal(alloc.nr_frames, 1);
	assert_int_equal(free.addr, 0);

	slab_machine_set_site(lab.m, site("f.c", 2));
	slab_machine_set_task(lab.m, 13, "two");
	slab_machine_tick(lab.m, 5);
	kmem_cache_free(s, p);
	assert_int_equal(slab_object_tracks(lab.m, p, &alloc, &free), 0);
	assert_int_equal(alloc.addr, site("a.c", 1));
	assert_int_equal(free.addr, site("f.c", 2));
	assert_int_equal(free.pid, 13);
	assert_int_equal(free.when - alloc.when, 5);

	/* a new life does not wipe the end of the one before */
	p = kmem_cache_alloc(s, GFP_KERNEL);
	assert_int_equal(slab_object_tracks(lab.m, p, NULL, &free), 0);
	assert_int_equal(free.addr, site("f.c", 2));
}

static void a_track_is_the_kernels_32_bytes(void **state)
{
	static const uint8_t wanted[32] = {
		0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, /* addr */
		0x78, 0x56, 0x34, 0x12,				/* handle */
		0x00, 0x00, 0x00, 0x00,				/* cpu */
		0x2a, 0x00, 0x00, 0x00,				/* pid */
		0x00, 0x00, 0x00, 0x00,				/* unused */
		0xef, 0xbe, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* when */
	};

	(void)state;
	paper_open("paper", 64, FZPU, 0x7f0000000000, 0x7f5000000040);
	slab_machine_set_task(lab.m, 42, "t");
	slab_machine_tick(lab.m, 0xbeef - slab_machine_jiffies(lab.m));
	track_set(&paper.s, paper_at(paper_object(0)), TRACK_FREE,
		  0x1122334455667788, 0x12345678);
	/* 64 and its red zone, the free pointer, then alloc, then free */
	assert_memory_equal((char *)paper_at(paper_object(0)) + 112, wanted,
			    32);
}

static void new_objects_have_no_history(void **state)
{
	struct slab_track alloc, free;
	char *p;

	(void)state;
	paper_open("paper", 64, FZPU, 0x7f0000000000, 0x7f5000000040);
	p = paper_at(paper_object(0));
	memset(p + 80, 0x41, 64);
	track_init(&paper.s, p);
	track_get(&paper.v, paper_object(0), TRACK_ALLOC, &alloc);
	track_get(&paper.v, paper_object(0), TRACK_FREE, &free);
	assert_int_equal(alloc.addr, 0);
	assert_int_equal(free.addr, 0);
	assert_int_equal(free.when, 0);
	assert_int_equal(p[80 + 63], 0);
}

static void a_damaged_handle_gives_no_stack(void **state)
{
	struct slab_track alloc;

	(void)state;
	paper_open("paper", 64, FZPU, 0x7f0000000000, 0x7f5000000040);
	memset((char *)paper_at(paper_object(1)) + 80, 0x41, 32);
	track_get(&paper.v, paper_object(1), TRACK_ALLOC, &alloc);
	assert_int_equal(alloc.addr, 0x4141414141414141);
	assert_int_equal(alloc.handle, 0x41414141);
	assert_int_equal(alloc.nr_frames, 0);
	assert_int_equal(alloc.cpu, 0x41414141);
}

static void caches_without_u_have_no_tracks(void **state)
{
	struct slab_track alloc = { .addr = 5 };

	(void)state;
	paper_open("paper", 64, SLAB_RED_ZONE, 0x7f0000000000, 0x7f5000000040);
	memset(paper.bytes, 0x41, sizeof(paper.bytes));
	track_get(&paper.v, paper_object(0), TRACK_ALLOC, &alloc);
	assert_int_equal(alloc.addr, 0);
}

static void with_stack_depot_disabled_there_is_no_stack(void **state)
{
	struct slab_track alloc;
	struct kmem_cache *s;
	void *p;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .stack_depot_disable = true });
	s = __kmem_cache_create("u", 64, 0, SLAB_STORE_USER, NULL);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	assert_int_equal(slab_object_tracks(lab.m, p, &alloc, NULL), 0);
	assert_int_not_equal(alloc.addr, 0);
	assert_int_equal(alloc.handle, 0);
	assert_int_equal(alloc.nr_frames, 0);
}

static void without_memory_a_track_has_no_stack(void **state)
{
	struct slab_track alloc;
	struct kmem_cache *s;
	void *p, *q;

	(void)state;
	s = __kmem_cache_create("u", 64, 0, SLAB_STORE_USER, NULL);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	slab_machine_set_site(lab.m, site("new.c", 1));
	lab.m->meta.fail_after = 1;
	q = kmem_cache_alloc(s, GFP_KERNEL);
	assert_non_null(q);
	assert_int_equal(slab_object_tracks(lab.m, q, &alloc, NULL), 0);
	assert_int_equal(alloc.addr, site("new.c", 1));
	assert_int_equal(alloc.handle, 0);
	assert_int_equal(slab_object_tracks(lab.m, p, &alloc, NULL), 0);
	assert_int_not_equal(alloc.handle, 0);
}

static void what_is_no_object_has_no_tracks(void **state)
{
	struct slab_track track;
	struct kmem_cache *s, *plain;
	char *p;

	(void)state;
	s = __kmem_cache_create("u", 64, 0, SLAB_STORE_USER, NULL);
	plain = __kmem_cache_create("plain", 64, 0, 0, NULL);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	assert_int_equal(slab_object_tracks(lab.m, p + 1, &track, NULL),
			 -ENOENT);
	assert_int_equal(slab_object_tracks(lab.m, &track, &track, NULL),
			 -ENOENT);
	assert_int_equal(slab_object_tracks(lab.m, NULL, &track, NULL),
			 -ENOENT);
	p = kmem_cache_alloc(plain, GFP_KERNEL);
	assert_int_equal(slab_object_tracks(lab.m, p, &track, NULL), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(alloc_and_free_are_remembered_apart),
		lab_test(a_track_is_the_kernels_32_bytes),
		lab_test(new_objects_have_no_history),
		lab_test(a_damaged_handle_gives_no_stack),
		lab_test(caches_without_u_have_no_tracks),
		lab_test(with_stack_depot_disabled_there_is_no_stack),
		lab_test(without_memory_a_track_has_no_stack),
		lab_test(what_is_no_object_has_no_tracks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
