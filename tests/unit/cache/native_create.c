/* SPDX-License-Identifier: MIT */
/* Which argument was wrong, and what would have been right. */
#include "../native.h"

#include <errno.h>

static char notes[2][256];
static unsigned int nr_notes;

static void keep_notes(void *arg, const struct slab_report *r)
{
	(void)arg;
	if (r->record == SLAB_RECORD_NOTE)
		snprintf(notes[nr_notes++ % 2], sizeof(notes[0]), "%s",
			 r->text);
}

/* 7.0's line, and behind it the words. */
static void refused(const char *name, unsigned int size,
		    struct kmem_cache_args *args, slab_flags_t flags,
		    const char *words)
{
	nr_notes = 0;
	errno = 0;
	assert_null(kmem_cache_create(name, size, args, flags));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(nr_notes, 2);
	assert_non_null(strstr(notes[0], "failed with error -22"));
	assert_string_equal(notes[1], words);
}

static void the_argument_is_named(void **state)
{
	struct kmem_cache_args args = { .freeptr_offset = 12,
					.use_freeptr_offset = true };
	char name[65];

	(void)state;
	native_open(NULL);
	assert_int_equal(slab_machine_add_sink(m, keep_notes, NULL), 0);
	memset(name, 'x', 64);
	name[64] = '\0';
	refused(NULL, 64, NULL, 0,
		"  the name is NULL: 1 to 63 bytes would do");
	refused("", 64, NULL, 0, "  the name is empty: 1 to 63 bytes would do");
	refused(name, 64, NULL, 0,
		"  the name is too long: 1 to 63 bytes would do");
	refused("s", 0, NULL, 0,
		"  the size is 0: 1 to 4194304 bytes would do");
	refused("s", (4U << 20) + 1, NULL, 0,
		"  the size is 4194305: 1 to 4194304 bytes would do");
	refused("s", 64, NULL, SLAB_POISON | SLAB_KASAN,
		"  flags have 0x10000, which no creator may pass: 0x4 would "
		"do");
	refused("s", 64, &args, 0,
		"  use_freeptr_offset is for caches with SLAB_TYPESAFE_BY_RCU "
		"or a constructor");
	refused("s", 64, &args, SLAB_TYPESAFE_BY_RCU,
		"  freeptr_offset is 12: a multiple of 8 below the size, which "
		"is 64, would do");
	args = (struct kmem_cache_args){ .align = 8U << 20 };
	refused("s", 64, &args, 0,
		"  align is 8388608: at most 4194304 would do");
	args = (struct kmem_cache_args){ .sheaf_capacity = (1U << 20) + 1 };
	refused("s", 64, &args, 0,
		"  sheaf_capacity is 1048577: at most 1048576 would do");
	refused("s", 4U << 20, NULL, SLAB_POISON,
		"  no slab is large enough for an object of this size, "
		"alignment and debugging");
	slab_machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_argument_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
