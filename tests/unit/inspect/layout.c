/* SPDX-License-Identifier: MIT */
/* tests/unit/inspect/layout.c - regions of a slot, as the kernel's code puts
 * them (64-bit, tracks of 32 bytes) */
#include "../lab.h"

#include <slab/inspect.h>

/* "region+offset/length ..." of a cache made for it. */
static const char *layout_of(const char *name)
{
	static char text[512];
	struct slab_region_info regions[12];
	struct slab_cache_info info;
	struct slab_target *t;
	size_t nr, i, n = 0;

	assert_int_equal(slab_target_open_self(lab.m, &t), 0);
	assert_int_equal(slab_target_cache(t, name, &info), 0);
	nr = slab_cache_layout(&info, regions);
	for (i = 0; i < nr; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s%+d/%u",
				      i ? ", " : "",
				      slab_region_name(regions[i].region),
				      regions[i].offset, regions[i].length);
	slab_target_close(t);
	return text;
}

static void plain_objects_fill_their_slots(void **state)
{
	(void)state;
	kmem_cache_create("c", 64, NULL, SLAB_NO_MERGE);
	assert_string_equal(layout_of("c"), "object+0/64");
}

static void all_flags_show_every_region_of_a_plain_cache(void **state)
{
	(void)state;
	kmem_cache_create("c", 64, NULL, SLAB_DEBUG_DEFAULT_FLAGS);
	assert_string_equal(layout_of("c"),
			    "left redzone-8/8, object+0/64, "
			    "right redzone+64/8, free pointer+72/8, "
			    "alloc track+80/32, free track+112/32, "
			    "padding+144/8, slab tail+4000/96");
}

static void kmalloc_caches_record_the_size_behind_the_tracks(void **state)
{
	struct kmem_cache_args args = { .align = 32 };

	(void)state;
	kmem_cache_create("c", 32, &args,
			  SLAB_DEBUG_DEFAULT_FLAGS | SLAB_KMALLOC);
	assert_string_equal(layout_of("c"),
			    "left redzone-32/32, object+0/32, "
			    "right redzone+32/8, free pointer+40/8, "
			    "alloc track+48/32, free track+80/32, "
			    "recorded size+112/8, padding+120/8, "
			    "slab tail+4000/96");
}

static void without_z_the_rounding_is_alignment_padding(void **state)
{
	(void)state;
	kmem_cache_create("c", 13, NULL, SLAB_POISON);
	assert_string_equal(layout_of("c"),
			    "object+0/13, alignment padding+13/3, "
			    "free pointer+16/8, slab tail+4080/16");
}

static void a_free_pointer_inside_is_the_objects(void **state)
{
	(void)state;
	kmem_cache_create("c", 13, NULL, SLAB_RED_ZONE);
	assert_string_equal(layout_of("c"),
			    "left redzone-8/8, object+0/13, "
			    "right redzone+13/3, padding+16/8");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		lab_test(plain_objects_fill_their_slots),
		lab_test(all_flags_show_every_region_of_a_plain_cache),
		lab_test(kmalloc_caches_record_the_size_behind_the_tracks),
		lab_test(without_z_the_rounding_is_alignment_padding),
		lab_test(a_free_pointer_inside_is_the_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
