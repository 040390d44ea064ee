/* SPDX-License-Identifier: MIT */
/* tests/unit/debug/report.c - records are whole, counted, and reach their sinks */
#include "../paper.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define BASE  0x7f0000000000
#define WHERE 0x7f5000000040

/* ---- what a record holds ---- */
static void bytes_record_names_range_found_and_wanted(void **state)
{
	const struct slab_report *r = &lab.records[0];
	uintptr_t p;

	(void)state;
	paper_open("paper", 64, FZPU, BASE, WHERE);
	slab_machine_set_task(lab.m, 42, "t");
	slab_machine_tick(lab.m, 7);
	p = paper_object(2);
	memset(paper_at(p + 64), 0x12, 3);
	paper.slab.inuse = 9;
	report_bytes(&paper.v, SLAB_REPORT_RIGHT_REDZONE, (void *)p,
		     "Right Redzone", p + 64, p + 66, SLUB_RED_ACTIVE, true);
	assert_int_equal(r->record, SLAB_RECORD_REPORT);
	assert_int_equal(r->kind, SLAB_REPORT_RIGHT_REDZONE);
	assert_int_equal(r->number, 1);
	assert_ptr_equal(r->machine, lab.m);
	assert_string_equal(r->cache, "paper");
	assert_int_equal(r->slab, WHERE);
	assert_int_equal(r->slab_nr, 1);
	assert_int_equal(r->base, BASE);
	assert_int_equal(r->objects, 25);
	assert_int_equal(r->inuse, 9);
	assert_false(r->frozen);
	assert_true(r->is_partial);
	assert_int_equal(r->freelist, paper_object(0));
	assert_int_equal(r->object, p);
	assert_int_equal(r->index, 2);
	assert_int_equal(r->first, p + 64);
	assert_int_equal(r->last, p + 66);
	assert_int_equal(r->found, 0x12);
	assert_int_equal(r->wanted, 0xcc);
	assert_string_equal(r->label, "Right Redzone");
	assert_string_equal(r->text, "Right Redzone overwritten");
	assert_true(r->is_full);
	assert_false(r->is_zap);
	assert_int_equal(r->cpu, 0);
	assert_int_equal(r->pid, 42);
	assert_int_equal(r->when, slab_machine_jiffies(lab.m));
	assert_true(r->nr_frames > 0);
	assert_int_equal(r->alloc.addr, 0);
	assert_int_equal(paper.v.last_report, 1);
	assert_int_equal(paper.v.last_kind, SLAB_REPORT_RIGHT_REDZONE);
}

static void object_record_has_both_tracks(void **state)
{
	const struct slab_report *r = &lab.records[0];
	const char *file = NULL;
	unsigned int line = 0;

	(void)state;
	paper_open("paper", 64, FZPU, BASE, WHERE);
	paper_track(1, TRACK_ALLOC, "a.c", 10, 2);
	paper_track(1, TRACK_FREE, "f.c", 20, 1);
	report_object(&paper.v, SLAB_REPORT_ALREADY_FREE,
		      (void *)paper_object(1));
	assert_true(slab_machine_site_lookup(lab.m, r->alloc.addr, &file, &line,
					     NULL));
	assert_string_equal(file, "a.c");
	assert_int_equal(line, 10);
	assert_int_equal(r->alloc.nr_frames, 2);
	assert_int_equal(r->alloc.frames[0], r->alloc.addr);
	assert_int_equal(r->free.nr_frames, 1);
	assert_true(slab_machine_site_lookup(lab.m, r->free.addr, &file, &line,
					     NULL));
	assert_string_equal(file, "f.c");
}

static void an_inner_address_has_no_index_and_no_tracks(void **state)
{
	const struct slab_report *r = &lab.records[0];

	(void)state;
	paper_open("paper", 64, FZPU, BASE, WHERE);
	paper_track(1, TRACK_ALLOC, "a.c", 10, 1);
	report_slab(&paper.v, SLAB_REPORT_INVALID_POINTER,
		    (void *)(paper_object(1) + 1), 0, 0);
	assert_int_equal(r->index, -1);
	assert_int_equal(r->alloc.addr, 0);
	assert_int_equal(r->object, paper_object(1) + 1);
}

static void a_large_left_red_zone_does_not_shift_the_index(void **state)
{
	struct kmem_cache *s = __kmem_cache_create(
		"tiny", 8, 64, SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE, NULL);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	(void)state;
	kmem_cache_alloc(s, GFP_KERNEL);
	assert_int_equal(s->red_left_pad, 64);
	assert_int_equal(s->size, 128);
	kmem_cache_free(s, p);
	kmem_cache_free(s, p);
	assert_int_equal(lab.records[0].kind, SLAB_REPORT_ALREADY_FREE);
	assert_int_equal(lab.records[0].index, 0);
}

static void a_warning_about_what_is_in_no_slab_names_none(void **state)
{
	struct kmem_cache *s = __kmem_cache_create(
		"a", 64, 0, SLAB_CONSISTENCY_CHECKS, NULL);
	int local;

	(void)state;
	kmem_cache_free(s, &local);
	assert_int_equal(lab.records[0].kind, SLAB_REPORT_NOT_IN_SLAB);
	assert_string_equal(lab.records[0].cache, "a");
	assert_int_equal(lab.records[0].object, (uintptr_t)&local);
	assert_int_equal(lab.records[0].slab, 0);
	assert_int_equal(lab.records[0].base, 0);
	assert_int_equal(lab.records[0].index, -1);
	assert_null(lab.records[0].view);
}

static void slab_title_takes_its_numbers(void **state)
{
	(void)state;
	paper_open("paper", 64, FZPU, BASE, WHERE);
	report_slab(&paper.v, SLAB_REPORT_WRONG_COUNT, NULL, 3, -1);
	assert_string_equal(lab.records[0].text,
			    "Wrong object count. Counter is 3 but counted were -1");
	assert_int_equal(lab.records[0].value, 3);
	assert_int_equal(lab.records[0].limit, -1);
	assert_int_equal(lab.records[0].object, 0);
	assert_int_equal(lab.records[0].index, -1);
}

static void without_a_slab_cache_the_name_is_unknown(void **state)
{
	(void)state;
	paper_open("paper", 64, FZPU, BASE, WHERE);
	report_slab(&paper.v, SLAB_REPORT_NO_SLAB_CACHE,
		    (void *)paper_object(0), 0, 0);
	assert_string_equal(lab.records[0].cache, "");
}

static void a_fix_names_the_report_it_belongs_to(void **state)
{
	const struct slab_report *fix = &lab.records[2];
	uintptr_t p;

	(void)state;
	paper_open("paper", 64, FZPU, BASE, WHERE);
	p = paper_object(0);
	report_slab(&paper.v, SLAB_REPORT_NOT_SLAB, NULL, 0, 0);
	report_object(&paper.v, SLAB_REPORT_FREECHAIN, (void *)p);
	report_fix(&paper.v, SLAB_FIX_NOT_FREED, (void *)p);
	assert_int_equal(fix->record, SLAB_RECORD_FIX);
	assert_int_equal(fix->fix, SLAB_FIX_NOT_FREED);
	assert_int_equal(fix->kind, SLAB_REPORT_FREECHAIN);
	assert_int_equal(fix->number, 2);
	assert_int_equal(fix->object, p);
	assert_int_equal(fix->index, 0);
	assert_string_equal(fix->text,
			    "FIX paper: Object at 0x00007f0000000008 not freed");
	assert_int_equal(slab_machine_reports(lab.m), 2);
}

static void a_record_knows_who_found_it(void **state)
{
	uintptr_t site;

	(void)state;
	paper_open("paper", 64, FZPU, BASE, WHERE);
	site = slab_machine_site(lab.m, "x.slab", 3, "validate");
	slab_machine_set_site(lab.m, site);
	report_slab(&paper.v, SLAB_REPORT_NOT_SLAB, NULL, 0, 0);
	assert_int_equal(lab.records[0].nr_frames, 1);
	assert_int_equal(lab.records[0].frames[0], site);
}

/* ---- counting ---- */
static void slub_kunits_counter_adds_rows_and_fixes(void **state)
{
	(void)state;
	paper_open("paper", 64, FZPU, BASE, WHERE);
	report_tail(&paper.v, BASE + 4095, BASE + 4095);
	assert_int_equal(slab_machine_errors(lab.m), 0);
	report_fix_restoring(&paper.v, "slab padding", BASE + 4095, BASE + 4095,
			     POISON_INUSE);
	assert_int_equal(slab_machine_errors(lab.m), 1);
	report_slab(&paper.v, SLAB_REPORT_NOT_SLAB, NULL, 0, 0);
	assert_int_equal(slab_machine_errors(lab.m), 2);
	report_line(lab.m, SLAB_REPORT_SLABS_COUNT, &paper.s, "SLUB: x");
	assert_int_equal(slab_machine_errors(lab.m), 3);
	report_warn(lab.m, SLAB_REPORT_NOT_IN_SLAB, true, &paper.s, NULL, "w");
	assert_int_equal(slab_machine_errors(lab.m), 3);
	slab_machine_clear_errors(lab.m);
	assert_int_equal(slab_machine_errors(lab.m), 0);
	assert_int_equal(slab_machine_reports(lab.m), 4);
}

static void objects_remaining_count_one_more_than_they_are(void **state)
{
	(void)state;
	paper_open("paper", 64, 0, BASE, WHERE);
	/* the chain ends at object 3: the rest is in use */
	view_set_freepointer(&paper.v, paper_object(3), NULL);
	report_remaining(&paper.v);
	assert_int_equal(lab.records[0].value, 60);
	assert_int_equal(slab_machine_errors(lab.m), 61);
}

static void a_cycle_of_free_objects_is_walked_once(void **state)
{
	unsigned long map[BITMAP_BYTES(MAX_OBJS_PER_SLAB) / sizeof(long)];

	(void)state;
	paper_open("paper", 64, 0, BASE, WHERE);
	view_set_freepointer(&paper.v, paper_object(3),
			     (void *)paper_object(1));
	assert_int_equal(view_map_free(&paper.v, map), 4);
	assert_true(bitmap_test(map, 3));
	assert_false(bitmap_test(map, 4));
}

static void damaged_counts_are_cut_to_what_fits(void **state)
{
	(void)state;
	paper_open("paper", 64, 0, BASE, WHERE);
	paper.slab.objects = 32767;
	assert_int_equal(view_nr_objects(&paper.v), 64);
}

static unsigned int taint_seen[4], nr_taint_seen;

static void taint_sink(void *arg, const struct slab_report *r)
{
	(void)arg;
	taint_seen[nr_taint_seen++ % 4] = r->machine->taint;
}

static void taint_comes_after_the_sinks(void **state)
{
	(void)state;
	nr_taint_seen = 0;
	slab_machine_add_sink(lab.m, taint_sink, NULL);
	paper_open("paper", 64, FZPU, BASE, WHERE);
	report_line(lab.m, SLAB_REPORT_SLABS_COUNT, &paper.s, "line");
	assert_int_equal(lab.m->taint, 0);
	report_warn(lab.m, SLAB_REPORT_CTOR_ZERO, false, &paper.s, NULL, "w");
	assert_int_equal(lab.m->taint, TAINT_WARN);
	report_slab(&paper.v, SLAB_REPORT_NOT_SLAB, NULL, 0, 0);
	assert_int_equal(lab.m->taint, TAINT_WARN | TAINT_BAD_PAGE);
	assert_int_equal(taint_seen[0], 0);
	assert_int_equal(taint_seen[1], 0);
	assert_int_equal(taint_seen[2], TAINT_WARN);
}

static void a_warning_of_once_is_given_once(void **state)
{
	(void)state;
	report_warn(lab.m, SLAB_REPORT_NOT_IN_SLAB, true, NULL, NULL, "one");
	report_warn(lab.m, SLAB_REPORT_NOT_IN_SLAB, true, NULL, NULL, "two");
	report_warn(lab.m, SLAB_REPORT_NOT_KMALLOC, true, NULL, NULL, "three");
	report_warn(lab.m, SLAB_REPORT_STILL_OBJECTS, false, NULL, NULL, "4");
	report_warn(lab.m, SLAB_REPORT_STILL_OBJECTS, false, NULL, NULL, "5");
	assert_int_equal(lab.nr_records, 4);
	assert_string_equal(lab.records[0].text, "one");
	assert_string_equal(lab.records[1].text, "three");
	slab_machine_reset(lab.m);
	report_warn(lab.m, SLAB_REPORT_NOT_IN_SLAB, true, NULL, NULL, "again");
	assert_int_equal(lab.nr_records, 5);
}

static void only_tails_and_warnings_do_not_count(void **state)
{
	enum slab_report_kind kind;

	(void)state;
	for (kind = 1; kind < SLAB_NR_REPORTS; kind++) {
		const struct slab_report_row *row = slab_report_row(kind);
		bool wanted = row->scope != SLAB_SCOPE_TAIL &&
			      row->scope != SLAB_SCOPE_WARN;

		if (row->counts != wanted)
			fail_msg("%s counts %u, wanted %d", row->id,
				 row->counts, wanted);
	}
}

/* ---- views that are copies ---- */
static unsigned int nr_found;
static struct slab_report found;

static void find_sink(void *arg, const struct slab_report *r)
{
	assert_ptr_equal(arg, &nr_found);
	nr_found++;
	found = *r;
}

static void a_copys_findings_leave_the_machine_alone(void **state)
{
	(void)state;
	paper_open("paper", 64, FZPU, BASE, WHERE);
	paper.v.is_live = false;
	paper.v.fn = find_sink;
	paper.v.arg = &nr_found;
	nr_found = 0;
	report_slab(&paper.v, SLAB_REPORT_NOT_SLAB, NULL, 0, 0);
	report_remaining(&paper.v);
	report_fix(&paper.v, SLAB_FIX_ALL_USED, NULL);
	assert_int_equal(nr_found, 2);
	assert_true(found.is_zap);
	assert_int_equal(found.number, 0);
	assert_int_equal(paper.v.findings, 2);
	assert_int_equal(lab.nr_records, 0);
	assert_int_equal(slab_machine_errors(lab.m), 0);
	assert_int_equal(slab_machine_reports(lab.m), 0);
	assert_int_equal(lab.m->taint, 0);
	assert_int_equal(lab.events[SLAB_EVENT_REPORT], 0);
	assert_int_equal(lab.events[SLAB_EVENT_CHECK_FAIL], 0);
	/* and nobody need listen */
	paper.v.fn = NULL;
	report_slab(&paper.v, SLAB_REPORT_NOT_SLAB, NULL, 0, 0);
	assert_int_equal(paper.v.findings, 3);
}

/* ---- events ---- */
static void reports_and_fixes_are_events(void **state)
{
	(void)state;
	paper_open("paper", 64, FZPU, BASE, WHERE);
	report_slab(&paper.v, SLAB_REPORT_NOT_SLAB, NULL, 0, 0);
	report_fix(&paper.v, SLAB_FIX_ALL_USED, NULL);
	report_warn(lab.m, SLAB_REPORT_CTOR_ZERO, false, &paper.s, NULL, "w");
	assert_int_equal(lab.events[SLAB_EVENT_CHECK_FAIL], 1);
	assert_int_equal(lab.events[SLAB_EVENT_REPORT], 2);
	assert_int_equal(lab.events[SLAB_EVENT_FIX], 1);
}

/* ---- sinks ---- */
static char order[32];

static void called(char who)
{
	size_t n = strlen(order);

	assert_true(n + 1 < sizeof(order));
	order[n] = who;
	order[n + 1] = '\0';
}

static void sink_a(void *arg, const struct slab_report *r)
{
	(void)arg, (void)r;
	called('a');
}

static void sink_b_once(void *arg, const struct slab_report *r)
{
	(void)arg;
	called('b');
	slab_machine_remove_sink(r->machine, sink_b_once, NULL);
}

static void sink_c(void *arg, const struct slab_report *r)
{
	(void)arg, (void)r;
	called('c');
}

static void sink_without_c(void *arg, const struct slab_report *r)
{
	(void)arg;
	called('d');
	slab_machine_remove_sink(r->machine, sink_c, NULL);
}

static void a_sink_may_remove_itself(void **state)
{
	(void)state;
	order[0] = '\0';
	slab_machine_add_sink(lab.m, sink_a, NULL);
	slab_machine_add_sink(lab.m, sink_b_once, NULL);
	slab_machine_add_sink(lab.m, sink_c, NULL);
	report_note(lab.m, "one");
	assert_string_equal(order, "abc");
	report_note(lab.m, "two");
	assert_string_equal(order, "abcac");
}

static void a_sink_removed_by_another_is_not_called(void **state)
{
	(void)state;
	order[0] = '\0';
	slab_machine_add_sink(lab.m, sink_without_c, NULL);
	slab_machine_add_sink(lab.m, sink_c, NULL);
	report_note(lab.m, "one");
	assert_string_equal(order, "d");
}

static void sinks_are_as_many_as_there_are_places(void **state)
{
	unsigned int i;

	(void)state;
	assert_int_equal(slab_machine_add_sink(lab.m, NULL, NULL), -EINVAL);
	for (i = 1; i < MAX_SINKS; i++)
		assert_int_equal(slab_machine_add_sink(lab.m, sink_a, NULL), 0);
	assert_int_equal(slab_machine_add_sink(lab.m, sink_a, NULL), -ENOSPC);
	order[0] = '\0';
	report_note(lab.m, "one");
	assert_string_equal(order, "aaaaaaa");
	/* unknown ones are nobody's business */
	slab_machine_remove_sink(lab.m, sink_c, NULL);
	slab_machine_remove_sink(lab.m, sink_a, &order);
	slab_machine_remove_sink(lab.m, sink_a, NULL);
	assert_int_equal(slab_machine_add_sink(lab.m, sink_c, NULL), 0);
}

/* The signal that ended a child in which what() ran; 0: none. */
static int signal_of(void (*what)(void))
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (!child) {
		slab_machine_add_sink(lab.m, slab_sink_panic, NULL);
		if (!freopen("/dev/null", "w", stderr))
			_exit(2);
		signal(SIGABRT, SIG_DFL);
		what();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void make_note(void)
{
	report_note(lab.m, "note");
}

static void make_line(void)
{
	report_line(lab.m, SLAB_REPORT_SLABS_COUNT, NULL, "line");
}

static void make_second_area(void)
{
	report_bytes(&paper.v, SLAB_REPORT_POISON, (void *)paper_object(0),
		     "Poison", BASE + 8, BASE + 8, POISON_FREE, false);
}

static void make_report(void)
{
	report_slab(&paper.v, SLAB_REPORT_NOT_SLAB, NULL, 0, 0);
}

static void make_warning(void)
{
	report_warn(lab.m, SLAB_REPORT_CTOR_ZERO, false, NULL, NULL, "w");
}

static void make_finding_of_a_copy(void)
{
	paper.v.is_live = false;
	paper.v.fn = slab_sink_panic;
	make_report();
}

static void panic_sink_aborts_where_the_kernel_warns(void **state)
{
	(void)state;
	paper_open("paper", 64, FZPU, BASE, WHERE);
	assert_int_equal(signal_of(make_note), 0);
	assert_int_equal(signal_of(make_line), 0);
	assert_int_equal(signal_of(make_second_area), 0);
	assert_int_equal(signal_of(make_finding_of_a_copy), 0);
	assert_int_equal(signal_of(make_report), SIGABRT);
	assert_int_equal(signal_of(make_warning), SIGABRT);
}

/* ---- rows ---- */
static void rows_are_found_by_kind_alone(void **state)
{
	(void)state;
	assert_null(slab_report_row(SLAB_REPORT_NONE));
	assert_null(slab_report_row(SLAB_NR_REPORTS));
	assert_null(slab_fix_sentence(SLAB_FIX_NONE));
	assert_null(slab_fix_sentence(SLAB_NR_FIXES));
	assert_string_equal(slab_report_row(SLAB_REPORT_POISON)->id, "POISON");
	assert_int_equal(slab_report_row(SLAB_REPORT_POISON)->scope,
			 SLAB_SCOPE_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(bytes_record_names_range_found_and_wanted),
		lab_test(object_record_has_both_tracks),
		lab_test(an_inner_address_has_no_index_and_no_tracks),
		lab_test(a_large_left_red_zone_does_not_shift_the_index),
		lab_test(a_warning_about_what_is_in_no_slab_names_none),
		lab_test(slab_title_takes_its_numbers),
		lab_test(without_a_slab_cache_the_name_is_unknown),
		lab_test(a_fix_names_the_report_it_belongs_to),
		lab_test(a_record_knows_who_found_it),
		lab_test(slub_kunits_counter_adds_rows_and_fixes),
		lab_test(only_tails_and_warnings_do_not_count),
		lab_test(objects_remaining_count_one_more_than_they_are),
		lab_test(a_cycle_of_free_objects_is_walked_once),
		lab_test(damaged_counts_are_cut_to_what_fits),
		lab_test(taint_comes_after_the_sinks),
		lab_test(a_warning_of_once_is_given_once),
		lab_test(a_copys_findings_leave_the_machine_alone),
		lab_test(reports_and_fixes_are_events),
		lab_test(a_sink_may_remove_itself),
		lab_test(a_sink_removed_by_another_is_not_called),
		lab_test(sinks_are_as_many_as_there_are_places),
		lab_test(panic_sink_aborts_where_the_kernel_warns),
		lab_test(rows_are_found_by_kind_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
