/* SPDX-License-Identifier: MIT */
/* tests/unit/inspect/traces.c - who holds what, in debugfs' own format */
#include "../lab.h"

#include <errno.h>

#include "debug/track.h"
#include "slab/node.h"

static char text[1 << 16];

static void keep_line(void *arg, const char *line)
{
	size_t n = strlen(text);

	assert_ptr_equal(arg, text);
	assert_null(strchr(line, '\n'));
	snprintf(text + n, sizeof(text) - n, "%s\n", line);
}

static const char *traces(struct kmem_cache *s, bool is_alloc)
{
	text[0] = '\0';
	assert_int_equal(slab_cache_traces(s, is_alloc, keep_line, text), 0);
	return text;
}

static const char *describe(const void *p)
{
	text[0] = '\0';
	assert_true(kmem_dump_obj(lab.m, p, keep_line, text));
	return text;
}

static void at(const char *file, unsigned int line, int pid)
{
	slab_machine_set_site(lab.m, slab_machine_site(lab.m, file, line, ""));
	slab_machine_set_task(lab.m, pid, "t");
}

static struct kmem_cache *tracked(const char *name)
{
	return __kmem_cache_create(name, 64, 0, SLAB_STORE_USER, NULL);
}

static int setup(void **state)
{
	lab_setup(state);
	/* so that an age is what the test ticked */
	slab_machine_tick(lab.m, 1000 - slab_machine_jiffies(lab.m));
	return 0;
}

static void without_u_there_are_no_traces(void **state)
{
	struct kmem_cache *s = __kmem_cache_create("z", 64, 0, SLAB_RED_ZONE,
						   NULL);

	(void)state;
	assert_int_equal(slab_cache_traces(s, true, keep_line, text), -ENOENT);
}

static void without_objects_there_is_no_data(void **state)
{
	struct kmem_cache *s = tracked("u");

	(void)state;
	assert_string_equal(traces(s, true), "No data\n");
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	assert_string_equal(traces(s, true), "No data\n");
	assert_string_equal(traces(s, false), "No data\n");
}

static void equal_callers_are_one_group(void **state)
{
	struct kmem_cache *s = tracked("u");
	unsigned int i;

	(void)state;
	at("a.c", 1, 7);
	for (i = 0; i < 3; i++) {
		kmem_cache_alloc(s, GFP_KERNEL);
		slab_machine_tick(lab.m, 10);
	}
	at("b.c", 2, 8);
	for (i = 0; i < 4; i++)
		kmem_cache_alloc(s, GFP_KERNEL);
	at("a.c", 1, 9);
	kmem_cache_alloc(s, GFP_KERNEL);
	slab_machine_tick(lab.m, 2);
	/* 32+22+12+2 is 68; equal counts stand as they were met */
	assert_string_equal(traces(s, true),
			    "      4 a.c:1 age=2/17/32 pid=7-9\n"
			    "        a.c:1\n"
			    "\n"
			    "      4 b.c:2 age=2/2/2 pid=8\n"
			    "        b.c:2\n"
			    "\n");
}

static void one_age_is_printed_alone(void **state)
{
	struct kmem_cache *s = tracked("u");

	(void)state;
	at("a.c", 1, 7);
	kmem_cache_alloc(s, GFP_KERNEL);
	slab_machine_tick(lab.m, 5);
	assert_string_equal(traces(s, true), "      1 a.c:1 age=5 pid=7\n"
					     "        a.c:1\n\n");
}

static void the_largest_group_comes_first(void **state)
{
	struct kmem_cache *s = tracked("u");

	(void)state;
	at("a.c", 1, 1);
	kmem_cache_alloc(s, GFP_KERNEL);
	at("b.c", 1, 1);
	kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_alloc(s, GFP_KERNEL);
	traces(s, true);
	assert_memory_equal(text, "      2 b.c:1 ", 14);
}

/* Who freed the life before; an object that never had one counts from boot. */
static void free_traces_are_of_objects_in_use(void **state)
{
	struct kmem_cache *s = tracked("u");
	void *p, *q;

	(void)state;
	at("a.c", 1, 7);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	q = kmem_cache_alloc(s, GFP_KERNEL);
	at("f.c", 2, 8);
	kmem_cache_free(s, p);
	slab_machine_tick(lab.m, 3);
	assert_string_equal(traces(s, false),
			    "      1 <not-available> age=1003 pid=0\n");
	assert_ptr_equal(kmem_cache_alloc(s, GFP_KERNEL), p);
	assert_string_equal(traces(s, false),
			    "      1 f.c:2 age=3 pid=8\n"
			    "        f.c:2\n"
			    "\n"
			    "      1 <not-available> age=1003 pid=0\n");
	(void)q;
}

static void waste_is_what_was_not_asked_for(void **state)
{
	static void *held[3];
	struct kmem_cache *s;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .slab_debug = "U" });
	at("k.c", 3, 1);
	held[0] = kmalloc(20, GFP_KERNEL);
	held[1] = kmalloc(20, GFP_KERNEL);
	held[2] = kmalloc(32, GFP_KERNEL);
	assert_true(held[0] && held[1] && held[2]);
	s = slab_cache_find(lab.m, "kmalloc-32");
	assert_non_null(s);
	assert_string_equal(traces(s, true),
			    "      2 k.c:3 waste=24/12 age=0 pid=1\n"
			    "        k.c:3\n"
			    "\n"
			    "      1 k.c:3 age=0 pid=1\n"
			    "        k.c:3\n"
			    "\n");
	assert_null(strstr(traces(s, false), "waste"));
}

static void cpus_and_nodes_are_listed_where_there_are_more(void **state)
{
	struct kmem_cache *s;
	unsigned int cpu;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .nr_cpus = 8,
						  .nr_nodes = 2 });
	slab_machine_tick(lab.m, 1);
	s = tracked("u");
	at("a.c", 1, 7);
	for (cpu = 0; cpu < 8; cpu++) {
		if (cpu == 4 || cpu == 6)
			continue;
		slab_machine_set_cpu(lab.m, cpu);
		kmem_cache_alloc(s, GFP_KERNEL);
	}
	traces(s, true);
	assert_non_null(strstr(text, "      6 a.c:1 age=0"));
	assert_non_null(strstr(text, " pid=7 cpus=0-3,5,7 nodes=0-1\n"));
}

static void a_stack_that_is_gone_leaves_its_empty_line(void **state)
{
	struct kmem_cache *s = tracked("u");
	char *p;

	(void)state;
	at("a.c", 1, 7);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	memset(p + 64 + 8, 0x41, 4); /* the handle */
	assert_string_equal(traces(s, true), "      1 a.c:1 age=0 pid=7\n\n");
}

static void without_a_stack_a_group_is_one_line(void **state)
{
	struct kmem_cache *s;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .stack_depot_disable = true });
	s = tracked("u");
	at("a.c", 1, 7);
	kmem_cache_alloc(s, GFP_KERNEL);
	assert_string_equal(traces(s, true), "      1 a.c:1 age=0 pid=7\n");
}

static void full_slabs_count_and_frozen_ones_do_not(void **state)
{
	struct kmem_cache *s = __kmem_cache_create(
		"fpu", 64, 0,
		SLAB_CONSISTENCY_CHECKS | SLAB_POISON | SLAB_STORE_USER, NULL);
	unsigned int i, per_slab = s->oo.objects;
	static char *p[100];

	(void)state;
	at("a.c", 1, 7);
	for (i = 0; i < per_slab + 2; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	traces(s, true);
	assert_int_equal(atoi(text), per_slab + 2);
	/* a write after free freezes the second slab */
	kmem_cache_free(s, p[per_slab + 1]);
	*p[per_slab + 1] = 1;
	kmem_cache_alloc(s, GFP_KERNEL);
	traces(s, true);
	assert_int_equal(atoi(text), per_slab + 1);
}

static void many_groups_are_kept_apart(void **state)
{
	struct kmem_cache *s = tracked("u");
	unsigned int i, nr = 0;
	const char *line;

	(void)state;
	/* twice, so that groups are found again after the tables grew */
	for (i = 0; i < 1000; i++) {
		at("m.c", i % 500 + 1, 1);
		kmem_cache_alloc(s, GFP_KERNEL);
	}
	traces(s, true);
	for (line = text; (line = strstr(line, "      2 m.c:")); line++)
		nr++;
	assert_int_equal(nr, 500);
}

static void damage_does_not_stop_the_walk(void **state)
{
	struct kmem_cache *s = tracked("u");
	struct slab *slab;
	char *p;

	(void)state;
	at("a.c", 1, 7);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	slab = virt_to_slab(lab.m, p);
	/* a chain that runs in a circle, a CPU and a pid from nowhere */
	set_freepointer(s, slab->freelist, slab->freelist);
	memset(p + 64 + 12, 0x41, 8);
	traces(s, true);
	assert_non_null(strstr(text, "      1 a.c:1 age=0 pid=1094795585\n"));
	/* a list that leads out of the memory map */
	slab->slab_list.next = (struct list_head *)(lab.m->base + 8);
	assert_non_null(strstr(traces(s, true), " a.c:1 "));
}

/* ---- one object ---- */
static void an_object_tells_its_story(void **state)
{
	struct kmem_cache *s = __kmem_cache_create(
		"demo", 64, 0, SLAB_DEBUG_DEFAULT_FLAGS, NULL);
	char wanted[400];
	char *p;

	(void)state;
	at("a.c", 1, 7);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	snprintf(wanted, sizeof(wanted),
		 " slab demo start %016lx data offset 8 pointer offset 0 size 64 allocated at a.c:1\n"
		 "    a.c:1\n",
		 (unsigned long)p - 8);
	assert_string_equal(describe(p), wanted);
	at("f.c", 2, 7);
	kmem_cache_free(s, p);
	snprintf(wanted, sizeof(wanted),
		 " slab demo start %016lx data offset 8 pointer offset 5 size 64 allocated at a.c:1\n"
		 "    a.c:1\n"
		 " Free path:\n"
		 "    f.c:2\n",
		 (unsigned long)p - 8);
	assert_string_equal(describe(p + 5), wanted);
}

static void without_u_an_object_has_no_story(void **state)
{
	struct kmem_cache *s = __kmem_cache_create("plain", 64, 0, SLAB_NO_MERGE,
						   NULL);
	char wanted[100];
	char *p = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	snprintf(wanted, sizeof(wanted),
		 " slab plain start %016lx pointer offset 63 size 64\n",
		 (unsigned long)p);
	assert_string_equal(describe(p + 63), wanted);
}

static void what_no_slab_holds_is_not_described(void **state)
{
	int local = 0;

	(void)state;
	assert_false(kmem_dump_obj(lab.m, &local, keep_line, text));
	assert_false(kmem_dump_obj(lab.m, NULL, keep_line, text));
	assert_false(kmem_dump_obj(lab.m, slab_machine_alloc_pages(lab.m, 0),
				   keep_line, text));
}

static void a_slab_without_its_cache_says_that_much(void **state)
{
	struct kmem_cache *s = tracked("u"), *was;
	char *p = kmem_cache_alloc(s, GFP_KERNEL);
	struct slab *slab = virt_to_slab(lab.m, p);

	(void)state;
	was = slab->slab_cache;
	slab->slab_cache = (void *)0x4242424242424240;
	assert_string_equal(describe(p), " slab\n");
	slab->slab_cache = was;
}

static void the_slabs_edges_are_described_too(void **state)
{
	struct kmem_cache *s = __kmem_cache_create(
		"demo", 100, 0, SLAB_DEBUG_DEFAULT_FLAGS, NULL);
	char *p = kmem_cache_alloc(s, GFP_KERNEL);
	struct slab *slab = virt_to_slab(lab.m, p);
	char *base = (char *)slab_base(lab.m, slab);

	(void)state;
	/* in the first red zone, and in the tail that no object has */
	assert_non_null(strstr(describe(base), " pointer offset -8 size 100"));
	assert_non_null(strstr(describe(base + slab_bytes(slab) - 1),
			       " slab demo start "));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		T(without_u_there_are_no_traces),
		T(without_objects_there_is_no_data),
		T(equal_callers_are_one_group),
		T(one_age_is_printed_alone),
		T(the_largest_group_comes_first),
		T(free_traces_are_of_objects_in_use),
		T(waste_is_what_was_not_asked_for),
		T(cpus_and_nodes_are_listed_where_there_are_more),
		T(a_stack_that_is_gone_leaves_its_empty_line),
		T(without_a_stack_a_group_is_one_line),
		T(full_slabs_count_and_frozen_ones_do_not),
		T(many_groups_are_kept_apart),
		T(damage_does_not_stop_the_walk),
		T(an_object_tells_its_story),
		T(without_u_an_object_has_no_story),
		T(what_no_slab_holds_is_not_described),
		T(a_slab_without_its_cache_says_that_much),
		T(the_slabs_edges_are_described_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
