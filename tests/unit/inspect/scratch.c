/* SPDX-License-Identifier: MIT */
/* inspect/scratch.h: memory that no malloc gave, zeroed, as large as asked. */
#include "../lab.h"

#include <errno.h>

#include "inspect/scratch.h"

static bool all_are(const unsigned char *p, size_t bytes, unsigned char byte)
{
	size_t i;

	for (i = 0; i < bytes && p[i] == byte; i++)
		;
	return i == bytes;
}

static void what_comes_again_is_zero(void **state)
{
	unsigned char *p, *q;

	(void)state;
	scratch_begin();
	p = scratch_alloc(3000);
	assert_true(p && all_are(p, 3000, 0));
	memset(p, 0x5a, 3000);
	scratch_free(p);
	q = scratch_alloc(2000);
	/* the same block: else this shows nothing */
	assert_ptr_equal(q, p);
	assert_true(all_are(q, 2000, 0));
	scratch_free(q);
	scratch_end();
}

static void what_grows_keeps_what_it_holds(void **state)
{
	size_t bytes = 100, more;
	unsigned char *p;

	(void)state;
	scratch_begin();
	p = scratch_alloc(bytes);
	memset(p, 1, bytes);
	for (; bytes < 8 << 20; bytes = more) {
		more = bytes * 3;
		p = scratch_grow(p, more);
		assert_non_null(p);
		assert_true(all_are(p, bytes, 1));
		memset(p, 1, more);
	}
	scratch_free(p);
	scratch_end();
}

static void an_answer_is_the_callers(void **state)
{
	unsigned char *p = scratch_alloc(70), *answer = NULL;

	(void)state;
	memset(p, 7, 70);
	assert_int_equal(scratch_answer(p, 70, &answer), 0);
	assert_true(all_are(answer, 70, 7));
	free(answer);
	/* of nothing: something to free() all the same */
	assert_int_equal(scratch_answer(scratch_alloc(1), 0, &answer), 0);
	assert_non_null(answer);
	free(answer);
}

static void more_than_there_can_be_is_none(void **state)
{
	(void)state;
	assert_null(scratch_alloc(SIZE_MAX));
	assert_null(scratch_alloc(SIZE_MAX / 2));
	assert_null(scratch_alloc((size_t)1 << 60));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_comes_again_is_zero),
		cmocka_unit_test(what_grows_keeps_what_it_holds),
		cmocka_unit_test(an_answer_is_the_callers),
		cmocka_unit_test(more_than_there_can_be_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
