/* SPDX-License-Identifier: MIT */
/* tests/unit/machine/event.c - steps have names, numbers and sentences */
#include "../lab.h"

#include "slab/slab.h"

static struct slab_event last;
static unsigned int nr_heard;

static void hear(void *arg, const struct slab_event *event)
{
	assert_ptr_equal(arg, &last);
	last = *event;
	nr_heard++;
}

static void listen(void)
{
	nr_heard = 0;
	slab_machine_set_event_hook(lab.m, hear, &last);
}

static void expect_sentence(const char *wanted)
{
	char text[160];
	int n = slab_event_sentence(&last, text, sizeof(text));

	assert_string_equal(text, wanted);
	assert_int_equal(n, strlen(wanted));
}

static void names_are_there_and_differ(void **state)
{
	unsigned int i, j;

	(void)state;
	for (i = 0; i < SLAB_NR_EVENTS; i++)
		for (j = 0; j < i; j++)
			assert_string_not_equal(slab_event_name(i),
						slab_event_name(j));
	for (i = 0; i < SLAB_NR_POINTS; i++)
		for (j = 0; j < i; j++)
			assert_string_not_equal(slab_point_name(i),
						slab_point_name(j));
	assert_string_equal(slab_event_name(SLAB_EVENT_SLAB_NEW), "slab-new");
	assert_string_equal(slab_point_name(SLAB_POINT_LIST_LOCK), "list_lock");
	assert_string_equal(slab_event_name(SLAB_NR_EVENTS), "unknown");
	assert_string_equal(slab_point_name(SLAB_NR_POINTS), "unknown");
}

static void an_event_names_cache_slab_and_object(void **state)
{
	struct kmem_cache *s = __kmem_cache_create("ring", 64, 0, SLAB_RED_ZONE,
						   NULL);
	char *p = kmem_cache_alloc(s, GFP_KERNEL), *q;
	struct slab *slab = virt_to_slab(lab.m, p);

	(void)state;
	q = (char *)slab_object(s, slab_base(lab.m, slab), 3);
	listen();
	slab_machine_tick(lab.m, 4);
	machine_event(lab.m, SLAB_EVENT_POP, s, slab, q, 9, 0);
	assert_int_equal(last.kind, SLAB_EVENT_POP);
	assert_int_equal(last.when, slab_machine_jiffies(lab.m));
	assert_int_equal(last.cpu, 0);
	assert_string_equal(last.cache, "ring");
	assert_int_equal(last.slab_nr, 1);
	assert_int_equal(last.object, (uintptr_t)q);
	assert_int_equal(last.index, 3);
	expect_sentence("ring:S1#3 is taken from the free chain of ring:S1 (in use now 9)");
	machine_event(lab.m, SLAB_EVENT_POP, s, slab, q + 1, 9, 0);
	assert_int_equal(last.index, -1);
	machine_event(lab.m, SLAB_EVENT_ALLOC, s, slab, p, 9, 0);
	expect_sentence("ring:S1#0 is handed out");
	/* before it has a number there is its address alone */
	last.slab_nr = 0;
	last.object = SLAB_SLOT_BASE + 8;
	expect_sentence("0x0000550000000008 is handed out");
}

static void sentences_take_numbers_and_what_has_no_name(void **state)
{
	(void)state;
	listen();
	slab_machine_set_event_hook(lab.m, hear, &last);
	last = (struct slab_event){ .kind = SLAB_EVENT_PAGES_GET, .a = 8,
				    .b = 1 };
	expect_sentence("the page allocator gives 8 pages of node 1");
	last = (struct slab_event){ .kind = SLAB_EVENT_CACHE_NEW, .a = 64,
				    .b = 72, .cache = "x" };
	expect_sentence("cache x is made: objects of 64 bytes every 72 bytes");
	last = (struct slab_event){ .kind = SLAB_EVENT_PUSH, .cache = "x",
				    .slab_nr = 2, .index = 3, .a = 1, .b = 4 };
	expect_sentence("the free chain of x:S2 takes x:S2#3 and 4 more "
			"(in use now 1)");
	last.b = 0;
	expect_sentence("the free chain of x:S2 takes x:S2#3 (in use now 1)");
	/* a slab that has no number yet; addresses are slot 0's */
	last = (struct slab_event){
		.kind = SLAB_EVENT_CHECK_FAIL, .a = 2, .cache = "x",
		.index = -1,
		.object = SLAB_SLOT_BASE + 2 * SLAB_SLOT_SIZE + 0x1008,
	};
	expect_sentence("a check of 0x0000550000001008 in a slab of x fails: report 2");
	last.kind = SLAB_NR_EVENTS;
	expect_sentence("an unknown step");
}

static void every_sentence_is_filled_in(void **state)
{
	char text[256];
	unsigned int i;

	(void)state;
	for (i = 0; i < SLAB_NR_EVENTS; i++) {
		last = (struct slab_event){ .kind = i, .cache = "c",
					    .slab_nr = 1, .index = 2 };
		slab_event_sentence(&last, text, sizeof(text));
		if (strchr(text, '%')) {
			print_error("%s: left over in: %s\n",
				    slab_event_name(i), text);
			fail();
		}
	}
}

static void a_short_buffer_gets_what_fits(void **state)
{
	char text[10] = "........x";

	(void)state;
	last = (struct slab_event){ .kind = SLAB_EVENT_SHRINK, .cache = "ring" };
	assert_int_equal(slab_event_sentence(&last, text, 8),
			 strlen("ring is shrunk"));
	assert_string_equal(text, "ring is");
	assert_int_equal(text[8], 'x');
	assert_int_equal(slab_event_sentence(&last, NULL, 0),
			 strlen("ring is shrunk"));
}

static void events_are_numbered_and_the_hook_comes_off(void **state)
{
	uint64_t first;

	(void)state;
	listen();
	machine_event(lab.m, SLAB_EVENT_SHRINK, NULL, NULL, NULL, 0, 0);
	first = last.seq;
	machine_event(lab.m, SLAB_EVENT_SHRINK, NULL, NULL, NULL, 0, 0);
	assert_int_equal(last.seq, first + 1);
	assert_int_equal(nr_heard, 2);
	slab_machine_set_event_hook(lab.m, NULL, NULL);
	machine_event(lab.m, SLAB_EVENT_SHRINK, NULL, NULL, NULL, 0, 0);
	assert_int_equal(nr_heard, 2);
}

static void long_names_are_cut(void **state)
{
	struct kmem_cache *s = __kmem_cache_create(
		"a-name-that-is-longer-than-31-characters", 64, 0, SLAB_POISON,
		NULL);

	(void)state;
	listen();
	machine_event(lab.m, SLAB_EVENT_SHRINK, s, NULL, NULL, 0, 0);
	assert_string_equal(last.cache, "a-name-that-is-longer-than-31-c");
}

static void steps_of_the_machine_are_events_too(void **state)
{
	uint64_t first;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .nr_cpus = 2 });
	slab_machine_set_event_hook(lab.m, NULL, NULL);
	slab_machine_set_cpu(lab.m, 1);
	listen();
	slab_machine_set_cpu(lab.m, 0);
	assert_int_equal(nr_heard, 1);
	assert_int_equal(last.kind, SLAB_EVENT_CPU_SWITCH);
	assert_int_equal(last.a, 0);
	assert_int_equal(last.index, -1);
	first = last.seq;
	slab_machine_set_cpu(lab.m, 1);
	assert_int_equal(last.seq, first + 1);
	expect_sentence("CPU 1 goes on");
}

static void a_lock_knows_its_name_and_who_took_it(void **state)
{
	struct kmem_cache *s;
	struct slab_lock *lock;

	(void)state;
	lab_reopen(&(struct slab_machine_config){ .nr_cpus = 3 });
	s = kmem_cache_create("ring", 64, NULL, SLAB_POISON);
	lock = &s->node[0]->list_lock;
	slab_machine_set_cpu(lab.m, 2);
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	assert_string_equal(slab_lock_name(lock), "list_lock");
	assert_int_equal(slab_lock_holder(lock), 2);
	slab_machine_set_cpu(lab.m, 1);
	kmem_cache_alloc(s, GFP_KERNEL);
	assert_int_equal(slab_lock_holder(lock), 1);
	assert_string_equal(slab_lock_name(&lab.m->slab_mutex), "slab_mutex");
}

static unsigned int nr_points;

static void pass(void *arg, enum slab_point_kind point)
{
	assert_ptr_equal(arg, &nr_points);
	assert_true(point < SLAB_NR_POINTS);
	nr_points++;
}

static void points_are_passed_while_the_hook_is_on(void **state)
{
	struct kmem_cache *s = __kmem_cache_create("ring", 64, 0, SLAB_POISON,
						   NULL);
	unsigned int before;

	(void)state;
	slab_machine_set_point_hook(lab.m, pass, &nr_points);
	nr_points = 0;
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	assert_true(nr_points >= 4);
	slab_machine_set_point_hook(lab.m, NULL, NULL);
	before = nr_points;
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	assert_int_equal(nr_points, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(names_are_there_and_differ),
		lab_test(an_event_names_cache_slab_and_object),
		lab_test(sentences_take_numbers_and_what_has_no_name),
		lab_test(every_sentence_is_filled_in),
		lab_test(a_short_buffer_gets_what_fits),
		lab_test(events_are_numbered_and_the_hook_comes_off),
		lab_test(long_names_are_cut),
		lab_test(steps_of_the_machine_are_events_too),
		lab_test(a_lock_knows_its_name_and_who_took_it),
		lab_test(points_are_passed_while_the_hook_is_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
