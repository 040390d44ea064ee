/* SPDX-License-Identifier: MIT */
/* tests/unit/debug/depot.c - each stack once, and no handle is believed */
#include "../lab.h"

#include "debug/depot.h"

static uint32_t save1(uintptr_t a)
{
	return depot_save(lab.m, &a, 1);
}

static void equal_stacks_have_one_handle(void **state)
{
	uintptr_t a[] = { 1, 2, 3 }, b[] = { 1, 2, 4 };
	uint32_t ha, hb;

	(void)state;
	ha = depot_save(lab.m, a, 3);
	hb = depot_save(lab.m, b, 3);
	assert_int_not_equal(ha, 0);
	assert_int_not_equal(hb, 0);
	assert_int_not_equal(ha, hb);
	assert_int_equal(depot_save(lab.m, a, 3), ha);
	assert_int_equal(depot_save(lab.m, b, 3), hb);
	/* a shorter one is another one */
	assert_int_not_equal(depot_save(lab.m, a, 2), ha);
}

static void a_stack_comes_back_as_it_was(void **state)
{
	uintptr_t in[] = { 0x11, 0x22, 0x33 }, out[4] = { 0 };
	uint32_t handle;

	(void)state;
	handle = depot_save(lab.m, in, 3);
	assert_int_equal(depot_fetch(lab.m, handle, out, 4), 3);
	assert_memory_equal(in, out, sizeof(in));
	assert_int_equal(out[3], 0);
	/* as much as there is room for */
	memset(out, 0, sizeof(out));
	assert_int_equal(depot_fetch(lab.m, handle, out, 2), 2);
	assert_int_equal(out[2], 0);
}

static void handles_that_name_nothing_fetch_nothing(void **state)
{
	uintptr_t frames[SLAB_TRACK_FRAMES];
	uint32_t handle;

	(void)state;
	assert_int_equal(depot_fetch(lab.m, 1, frames, 16), 0);
	handle = save1(5);
	assert_int_equal(depot_fetch(lab.m, 0, frames, 16), 0);
	assert_int_equal(depot_fetch(lab.m, handle + 1, frames, 16), 0);
	assert_int_equal(depot_fetch(lab.m, 0x41414141, frames, 16), 0);
	assert_int_equal(depot_fetch(lab.m, UINT32_MAX, frames, 16), 0);
}

static void handles_stay_true_while_the_tables_grow(void **state)
{
	static uint32_t handles[10000];
	uintptr_t frame;
	unsigned int i;

	(void)state;
	for (i = 0; i < 10000; i++)
		handles[i] = save1(0x1000 + i);
	for (i = 0; i < 10000; i++) {
		assert_int_equal(save1(0x1000 + i), handles[i]);
		assert_int_equal(depot_fetch(lab.m, handles[i], &frame, 1), 1);
		assert_int_equal(frame, 0x1000 + i);
	}
}

static void a_stack_of_more_than_16_frames_is_cut(void **state)
{
	uintptr_t in[20], out[20] = { 0 };
	uint32_t handle;
	unsigned int i;

	(void)state;
	for (i = 0; i < 20; i++)
		in[i] = i + 1;
	handle = depot_save(lab.m, in, 20);
	assert_int_equal(depot_fetch(lab.m, handle, out, 20), 16);
	assert_int_equal(out[15], 16);
	assert_int_equal(out[16], 0);
	assert_int_equal(depot_save(lab.m, in, 16), handle);
}

static void an_empty_stack_is_none(void **state)
{
	(void)state;
	assert_int_equal(depot_save(lab.m, NULL, 0), 0);
}

/* Each request for memory fails once; whatever it was for, the handle is 0 and
 * the next time it works. */
static void without_memory_the_handle_is_0(void **state)
{
	uintptr_t out;
	uint32_t handle;
	unsigned int n;

	(void)state;
	for (n = 1; n <= 4; n++) {
		lab_reopen(&(struct slab_machine_config){ 0 });
		lab.m->meta.fail_after = n;
		assert_int_equal(save1(77), 0);
		assert_int_equal(lab.m->meta.fail_after, 0);
		handle = save1(77);
		assert_int_not_equal(handle, 0);
		assert_int_equal(depot_fetch(lab.m, handle, &out, 1), 1);
		assert_int_equal(out, 77);
	}
}

static void without_memory_to_grow_old_handles_stay(void **state)
{
	uint32_t first;
	uintptr_t out;
	unsigned int i;

	(void)state;
	first = save1(1);
	for (i = 2; i <= 64; i++)
		assert_int_not_equal(save1(i), 0);
	lab.m->meta.fail_after = 2;
	assert_int_equal(save1(65), 0);
	assert_int_equal(save1(1), first);
	assert_int_equal(depot_fetch(lab.m, first, &out, 1), 1);
	assert_int_equal(out, 1);
	assert_int_not_equal(save1(65), 0);
}

static void a_reset_forgets_every_stack(void **state)
{
	uintptr_t out;
	uint32_t handle;

	(void)state;
	handle = save1(1);
	slab_machine_reset(lab.m);
	assert_int_equal(depot_fetch(lab.m, handle, &out, 1), 0);
	assert_int_equal(save1(2), handle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(equal_stacks_have_one_handle),
		lab_test(a_stack_comes_back_as_it_was),
		lab_test(handles_that_name_nothing_fetch_nothing),
		lab_test(handles_stay_true_while_the_tables_grow),
		lab_test(a_stack_of_more_than_16_frames_is_cut),
		lab_test(an_empty_stack_is_none),
		lab_test(without_memory_the_handle_is_0),
		lab_test(without_memory_to_grow_old_handles_stay),
		lab_test(a_reset_forgets_every_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
