/* SPDX-License-Identifier: MIT */
/* tests/unit/slab/geometry.c - sizes, offsets and orders against the tables of
 * the specification (worked by hand or measured on kernels) */
#include "../lab.h"

#include "debug/layout.h"
#include "slab/geometry.h"

static const struct geometry_parameters two_cpus = { .max_order = 3,
						      .nr_cpus = 2,
						      .nr_cpu_ids = 2 };

static slab_flags_t flags_of(const char *letters)
{
	slab_flags_t flags = 0;

	assert_int_equal(slab_debug_letters(letters, &flags, NULL), 0);
	return flags;
}

static void debug_layouts_are_those_of_the_worked_tables(void **state)
{
	static const struct {
		unsigned int object_size, align;
		const char *letters;
		slab_flags_t flags;
		bool ctor;
		unsigned int inuse, offset, pad, left, size;
	} rows[] = {
		{ 64, 8, "", 0, 0, 64, 32, 0, 0, 64 },
		{ 64, 8, "F", 0, 0, 64, 32, 0, 0, 64 },
		{ 64, 8, "Z", 0, 0, 72, 32, 8, 8, 88 },
		{ 64, 8, "P", 0, 0, 64, 64, 0, 0, 72 },
		{ 64, 8, "U", 0, 0, 64, 32, 0, 0, 128 },
		{ 64, 8, "ZP", 0, 0, 72, 72, 8, 8, 96 },
		{ 64, 8, "ZU", 0, 0, 72, 32, 8, 8, 152 },
		{ 64, 8, "PU", 0, 0, 64, 64, 0, 0, 136 },
		{ 64, 8, "ZPU", 0, 0, 72, 72, 8, 8, 160 },
		{ 64, 8, "", 0, 1, 64, 64, 0, 0, 72 },
		{ 64, 8, "", SLAB_TYPESAFE_BY_RCU, 0, 64, 64, 0, 0, 72 },
		{ 64, 8, "ZPU", SLAB_TYPESAFE_BY_RCU, 0, 72, 72, 8, 8, 160 },
		{ 8, 8, "FZPU", SLAB_KMALLOC, 0, 16, 16, 8, 8, 112 },
		{ 16, 16, "FZPU", SLAB_KMALLOC, 0, 24, 24, 8, 16, 128 },
		{ 32, 32, "FZPU", SLAB_KMALLOC, 0, 40, 40, 8, 32, 160 },
		{ 64, 64, "FZPU", SLAB_KMALLOC, 0, 72, 72, 40, 64, 256 },
		{ 96, 32, "FZPU", SLAB_KMALLOC, 0, 104, 104, 8, 32, 224 },
		{ 192, 64, "FZPU", SLAB_KMALLOC, 0, 200, 200, 40, 64, 384 },
		{ 256, 256, "FZPU", SLAB_KMALLOC, 0, 264, 264, 168, 256, 768 },
		{ 4096, 4096, "FZPU", SLAB_KMALLOC, 0, 4104, 4104, 4008, 4096,
		  12288 },
		{ 32, 8, "ZU", SLAB_KMALLOC, 0, 40, 40, 8, 8, 136 },
		{ 64, 8, "ZU", SLAB_KMALLOC, 0, 72, 72, 8, 8, 168 },
		{ 4, 8, "Z", 0, 0, 8, 8, 8, 8, 32 },
		{ 13, 8, "Z", 0, 0, 16, 0, 8, 8, 32 },
		{ 13, 8, "P", 0, 0, 16, 16, 0, 0, 24 },
		{ 13, 8, "ZPU", 0, 0, 16, 16, 8, 8, 104 },
		{ 24, 8, "", 0, 0, 24, 8, 0, 0, 24 },
		{ 1, 8, "", 0, 0, 8, 0, 0, 0, 8 },
		{ 104, 8, "ZPU", 0, 0, 112, 112, 8, 8, 200 },
		{ 200, 8, "ZPU", 0, 0, 208, 208, 8, 8, 296 },
		{ 200, 64, "ZPU", 0, 0, 208, 208, 40, 64, 384 },
		{ 100, 8, "FZPU", 0, 0, 104, 104, 8, 8, 192 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct geometry g = { .object_size = rows[i].object_size,
				      .align = rows[i].align,
				      .flags = flags_of(rows[i].letters) |
					       rows[i].flags,
				      .has_ctor = rows[i].ctor };
		struct kmem_cache s = { 0 };

		print_message("row %zu: %u bytes, flags %s\n", i,
			      rows[i].object_size, rows[i].letters);
		assert_int_equal(geometry_calculate(&g, &two_cpus), 0);
		assert_int_equal(g.inuse, rows[i].inuse);
		assert_int_equal(g.offset, rows[i].offset);
		assert_int_equal(g.red_left_pad, rows[i].left);
		assert_int_equal(g.size, rows[i].size);
		s.flags = g.flags;
		s.size = g.size;
		s.inuse = g.inuse;
		s.offset = g.offset;
		s.red_left_pad = g.red_left_pad;
		assert_int_equal(layout_span(&s) - layout_meta_end(&s),
				 rows[i].pad);
	}
}

static void orders_are_those_of_the_measured_table(void **state)
{
	/* size, then order and objects for 2, 8 and 64 CPUs */
	static const unsigned int rows[][7] = {
		{ 8, 0, 512, 0, 512, 0, 512 },
		{ 136, 0, 30, 0, 30, 1, 60 },
		{ 192, 0, 21, 0, 21, 1, 42 },
		{ 208, 0, 19, 1, 39, 1, 39 },
		{ 256, 0, 16, 1, 32, 1, 32 },
		{ 320, 0, 12, 1, 25, 2, 51 },
		{ 376, 1, 21, 1, 21, 2, 43 },
		{ 632, 2, 25, 2, 25, 3, 51 },
		{ 704, 2, 23, 2, 23, 3, 46 },
		{ 984, 2, 16, 3, 33, 3, 33 },
		{ 1232, 2, 13, 3, 26, 3, 26 },
		{ 2048, 3, 16, 3, 16, 3, 16 },
		{ 5888, 3, 5, 3, 5, 3, 5 },
		{ 24576, 3, 1, 3, 1, 3, 1 },
		{ 40000, 4, 1, 4, 1, 4, 1 },
	};
	static const unsigned int cpus[] = { 2, 8, 64 };
	size_t i, c;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		for (c = 0; c < 3; c++) {
			struct geometry_parameters p = { .max_order = 3,
							 .nr_cpus = cpus[c],
							 .nr_cpu_ids = cpus[c] };
			int order = geometry_order(rows[i][0], &p);

			print_message("size %u, %u CPUs\n", rows[i][0], cpus[c]);
			assert_int_equal(order, rows[i][1 + 2 * c]);
			assert_int_equal((4096U << order) / rows[i][0],
					 rows[i][2 + 2 * c]);
		}
	}
}

static void one_cpu_counts_the_possible_ones(void **state)
{
	struct geometry_parameters p = { .max_order = 3, .nr_cpus = 1,
					 .nr_cpu_ids = 64 };

	(void)state;
	assert_int_equal(geometry_order(256, &p), 1);
	p.nr_cpu_ids = 1;
	assert_int_equal(geometry_order(256, &p), 0);
}

static void the_last_resort_wastes_up_to_half_a_slab(void **state)
{
	(void)state;
	/* two of 32 KiB, 9176 bytes over */
	assert_int_equal(geometry_order(11796, &two_cpus), 3);
}

static void orders_obey_the_parameters(void **state)
{
	struct geometry_parameters p = two_cpus;

	(void)state;
	assert_int_equal(geometry_order(64, &p), 0);
	p.min_order = 2;
	assert_int_equal(geometry_order(64, &p), 2);
	p = two_cpus;
	assert_int_equal(geometry_order(1024, &p), 2);
	p.max_order = 1;
	assert_int_equal(geometry_order(1024, &p), 1);
	p = two_cpus;
	assert_int_equal(geometry_order(128, &p), 0);
	p.min_objects = 64;
	assert_int_equal(geometry_order(128, &p), 1);
}

static void a_slab_has_at_most_32767_objects(void **state)
{
	struct geometry_parameters p = two_cpus;

	(void)state;
	p.min_order = p.max_order = 10;
	assert_int_equal(geometry_order(8, &p), 5);
}

static void the_callers_freeptr_offset_is_kept(void **state)
{
	struct geometry g = { .object_size = 64, .align = 8,
			      .flags = SLAB_TYPESAFE_BY_RCU,
			      .use_freeptr_offset = true,
			      .freeptr_offset = 16 };

	(void)state;
	assert_int_equal(geometry_calculate(&g, &two_cpus), 0);
	assert_int_equal(g.offset, 16);
	assert_int_equal(g.size, 64);
}

static void o_takes_back_what_would_raise_the_order(void **state)
{
	struct geometry_parameters p = two_cpus;
	struct geometry large = { .object_size = 4096, .align = 8,
				  .flags = flags_of("FZPU") };
	struct geometry small = { .object_size = 64, .align = 8,
				  .flags = flags_of("FZPU") };

	(void)state;
	p.disable_higher_order = true;
	assert_int_equal(geometry_calculate(&large, &p), 0);
	assert_int_equal(large.flags & SLAB_DEBUG_FLAGS, flags_of("F"));
	assert_int_equal(large.size, 4096);
	assert_int_equal(large.offset, 2048);
	assert_int_equal(geometry_calculate(&small, &p), 0);
	assert_int_equal(small.flags & SLAB_DEBUG_FLAGS, flags_of("FZPU"));
	assert_int_equal(small.size, 160);
}

static void hwcache_alignment_halves_for_small_objects(void **state)
{
	(void)state;
	assert_int_equal(geometry_align(SLAB_HWCACHE_ALIGN, 0, 16), 16);
	assert_int_equal(geometry_align(SLAB_HWCACHE_ALIGN, 0, 24), 32);
	assert_int_equal(geometry_align(SLAB_HWCACHE_ALIGN, 0, 40), 64);
	assert_int_equal(geometry_align(SLAB_HWCACHE_ALIGN, 128, 40), 128);
	assert_int_equal(geometry_align(0, 0, 1), 8);
}

static void min_partial_is_half_the_log_between_5_and_10(void **state)
{
	(void)state;
	assert_int_equal(geometry_min_partial(64), 5);
	assert_int_equal(geometry_min_partial(4095), 5);
	assert_int_equal(geometry_min_partial(4096), 6);
	assert_int_equal(geometry_min_partial(16384), 7);
	assert_int_equal(geometry_min_partial(4U << 20), 10);
}

static void sheaf_capacity_is_rounded_to_a_kmalloc_class(void **state)
{
	(void)state;
	assert_int_equal(geometry_sheaf_capacity(255, 0, 0), 60);
	assert_int_equal(geometry_sheaf_capacity(256, 0, 0), 28);
	assert_int_equal(geometry_sheaf_capacity(1024, 0, 0), 12);
	assert_int_equal(geometry_sheaf_capacity(4096, 0, 0), 4);
	assert_int_equal(geometry_sheaf_capacity(4096, 0, 32), 32);
	assert_int_equal(geometry_sheaf_capacity(64, SLAB_POISON, 32), 0);
}

static void kmalloc_classes_hold_their_requests(void **state)
{
	static const unsigned int rows[][2] = {
		{ 1, 8 },     { 8, 8 },	    { 9, 16 },	  { 64, 64 },
		{ 65, 96 },   { 96, 96 },   { 97, 128 },  { 129, 192 },
		{ 192, 192 }, { 193, 256 }, { 1025, 2048 }, { 8192, 8192 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(kmalloc_class_size(kmalloc_class(rows[i][0])),
				 rows[i][1]);
}

static void four_mib_fit_and_more_do_not(void **state)
{
	struct geometry g = { .object_size = 4U << 20, .align = 8 };

	(void)state;
	assert_int_equal(geometry_calculate(&g, &two_cpus), 0);
	assert_int_equal(g.oo.order, 10);
	assert_int_equal(g.oo.objects, 1);
	g = (struct geometry){ .object_size = 4U << 20,
			       .align = 8,
			       .flags = flags_of("FZPU") };
	assert_int_equal(geometry_calculate(&g, &two_cpus), -22);
	g = (struct geometry){ .object_size = 0xffffffffU, .align = 8 };
	assert_int_equal(geometry_calculate(&g, &two_cpus), -22);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(debug_layouts_are_those_of_the_worked_tables),
		cmocka_unit_test(orders_are_those_of_the_measured_table),
		cmocka_unit_test(one_cpu_counts_the_possible_ones),
		cmocka_unit_test(the_last_resort_wastes_up_to_half_a_slab),
		cmocka_unit_test(orders_obey_the_parameters),
		cmocka_unit_test(a_slab_has_at_most_32767_objects),
		cmocka_unit_test(the_callers_freeptr_offset_is_kept),
		cmocka_unit_test(o_takes_back_what_would_raise_the_order),
		cmocka_unit_test(hwcache_alignment_halves_for_small_objects),
		cmocka_unit_test(min_partial_is_half_the_log_between_5_and_10),
		cmocka_unit_test(sheaf_capacity_is_rounded_to_a_kmalloc_class),
		cmocka_unit_test(kmalloc_classes_hold_their_requests),
		cmocka_unit_test(four_mib_fit_and_more_do_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
