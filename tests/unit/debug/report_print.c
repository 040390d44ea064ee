/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/debug/report_print.c - records print as the kernel's log, line by
 * line and column by column
 *
 * Samples: the three of spec/debugging/reports.md (stacks are sites here), and
 * reports of a running 6.12 with our flags= and WARNING in them.
 */
#include "../paper.h"

#define EQUALS                                                             \
	"=================================================================" \
	"============\n"
#define DASHES                                                             \
	"-----------------------------------------------------------------" \
	"------------\n"
#define OBJECT_ERR "mm/slub.c:1190 at object_err+0x62/0x90"
#define SLAB_ERR   "mm/slub.c:1251 at slab_err+0x90/0xc0"

/* Every report is found at this site here. */
#define WARNING_BY(place, cpu, who)                \
	"------------[ cut here ]------------\n"   \
	"WARNING: " place ", CPU#" cpu ": " who "\n" \
	"Call Trace:\n"                            \
	" <TASK>\n"                                \
	" here.c:9\n"                              \
	" </TASK>\n"                               \
	"---[ end trace 0000000000000000 ]---\n"
#define WARNING(place) WARNING_BY(place, "0", "test/77")
#define FIRST "Disabling lock debugging due to kernel taint\n"

static void at_site(void)
{
	slab_machine_set_site(lab.m, slab_machine_site(lab.m, "here.c", 9, ""));
}

static int setup(void **state)
{
	lab_setup(state);
	lab_reopen(&(struct slab_machine_config){ .nr_cpus = 2 });
	slab_machine_set_task(lab.m, 77, "test");
	at_site();
	return 0;
}

static void expect_text(const char *wanted)
{
	assert_string_equal(paper_text, wanted);
}

/* ---- the samples of the specification ---- */
static void sample_a_an_overflow_found_at_free(void **state)
{
	uintptr_t p;

	(void)state;
	slab_machine_set_task(lab.m, 4242, "demo");
	slab_machine_set_cpu(lab.m, 1);
	slab_machine_tick(lab.m, 1000);
	paper_open("widget", 40, FZPU, 0x7f3a4c2c1000, 0x7f3a50001240);
	p = paper_object(3);
	layout_init_object(&paper.s, paper_at(p), SLUB_RED_ACTIVE);
	paper_track(3, TRACK_ALLOC, "widget.c", 7, 3);
	slab_machine_tick(lab.m, 12);
	paper.slab.inuse = 4;
	paper.slab.freelist = (void *)paper_object(4);
	memcpy(paper_at(p + 40), "A", 2);
	report_bytes(&paper.v, SLAB_REPORT_RIGHT_REDZONE, (void *)p,
		     "Right Redzone", p + 40, p + 41, SLUB_RED_ACTIVE, true);
	report_fix_restoring(&paper.v, "Right Redzone", p + 40, p + 41,
			     SLUB_RED_ACTIVE);
	report_fix(&paper.v, SLAB_FIX_NOT_FREED, (void *)p);
	expect_text(
		"[Right Redzone overwritten] 0x00007f3a4c2c11c8-0x00007f3a4c2c11c9 @offset=456. First byte 0x41 instead of 0xcc\n"
		EQUALS
		"BUG widget (Not tainted): Object corrupt\n"
		DASHES
		"\n"
		"Allocated in widget.c:7 age=12 cpu=1 pid=4242\n"
		" widget.c:7\n"
		" widget.c:8\n"
		" widget.c:9\n"
		"Slab 0x00007f3a50001240 objects=30 used=4 fp=0x00007f3a4c2c1228 flags=0x200(workingset|node=0)\n"
		"Object 0x00007f3a4c2c11a0 @offset=416 fp=0x00007f3a4c2c1228\n"
		"\n"
		"Redzone  00007f3a4c2c1198: cc cc cc cc cc cc cc cc                          ........\n"
		"Object   00007f3a4c2c11a0: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk\n"
		"Object   00007f3a4c2c11b0: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk\n"
		"Object   00007f3a4c2c11c0: 6b 6b 6b 6b 6b 6b 6b a5                          kkkkkkk.\n"
		"Redzone  00007f3a4c2c11c8: 41 00 cc cc cc cc cc cc                          A.......\n"
		"Padding  00007f3a4c2c1218: 5a 5a 5a 5a 5a 5a 5a 5a                          ZZZZZZZZ\n"
		FIRST
		WARNING_BY(OBJECT_ERR, "1", "demo/4242")
		"FIX widget: Restoring Right Redzone 0x00007f3a4c2c11c8-0x00007f3a4c2c11c9=0xcc\n"
		"FIX widget: Object at 0x00007f3a4c2c11a0 not freed\n");
}

static void sample_b_a_write_after_free_found_at_alloc(void **state)
{
	static const uint8_t beef[] = { 0xef, 0xbe, 0xad, 0xde };
	uintptr_t p;

	(void)state;
	slab_machine_set_task(lab.m, 4301, "demo");
	lab.m->taint = TAINT_BAD_PAGE | TAINT_WARN;
	lab.m->lockdep_off_said = true;
	paper_open("session", 64, SLAB_CONSISTENCY_CHECKS | SLAB_POISON,
		   0x7f3a4c2c4000, 0x7f3a50001280);
	p = paper_object(1);
	paper.slab.inuse = 2;
	paper.slab.freelist = (void *)paper_object(2);
	/* object 0 had been freed behind object 2 */
	view_set_freepointer(&paper.v, paper_object(0),
			     (void *)paper_object(2));
	memcpy(paper_at(p + 16), beef, 4);
	report_bytes(&paper.v, SLAB_REPORT_POISON, (void *)p, "Poison", p + 16,
		     p + 19, POISON_FREE, true);
	report_fix_restoring(&paper.v, "Poison", p + 16, p + 19, POISON_FREE);
	report_fix(&paper.v, SLAB_FIX_ALL_USED, (void *)p);
	expect_text(
		"[Poison overwritten] 0x00007f3a4c2c4058-0x00007f3a4c2c405b @offset=88. First byte 0xef instead of 0x6b\n"
		EQUALS
		"BUG session (Tainted: G    B   W          ): Object corrupt\n"
		DASHES
		"\n"
		"Slab 0x00007f3a50001280 objects=56 used=2 fp=0x00007f3a4c2c4090 flags=0x200(workingset|node=0)\n"
		"Object 0x00007f3a4c2c4048 @offset=72 fp=0x00007f3a4c2c4090\n"
		"\n"
		"Bytes b4 00007f3a4c2c4038: 6b 6b 6b 6b 6b 6b 6b a5 90 40 2c 4c 3a 7f 00 00  kkkkkkk..@,L:...\n"
		"Object   00007f3a4c2c4048: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk\n"
		"Object   00007f3a4c2c4058: ef be ad de 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  ....kkkkkkkkkkkk\n"
		"Object   00007f3a4c2c4068: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk\n"
		"Object   00007f3a4c2c4078: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b a5  kkkkkkkkkkkkkkk.\n"
		WARNING_BY(OBJECT_ERR, "0", "demo/4301")
		"FIX session: Restoring Poison 0x00007f3a4c2c4058-0x00007f3a4c2c405b=0x6b\n"
		"FIX session: Marking all objects used\n");
}

static void sample_c_a_double_free_with_both_tracks(void **state)
{
	uintptr_t p;

	(void)state;
	slab_machine_tick(lab.m, 100);
	paper_open("conn", 64, SLAB_CONSISTENCY_CHECKS | SLAB_STORE_USER,
		   0x7f3a4c2c7000, 0x7f3a500012c0);
	p = paper_object(1);
	paper_track(1, TRACK_ALLOC, "open.c", 30, 2);
	slab_machine_tick(lab.m, 48);
	paper_track(1, TRACK_FREE, "close.c", 50, 2);
	slab_machine_tick(lab.m, 3);
	paper.slab.inuse = 1;
	paper.slab.freelist = (void *)p;
	report_object(&paper.v, SLAB_REPORT_ALREADY_FREE, (void *)p);
	report_fix(&paper.v, SLAB_FIX_NOT_FREED, (void *)p);
	expect_text(
		EQUALS
		"BUG conn (Not tainted): Object already free\n"
		DASHES
		"\n"
		"Allocated in open.c:30 age=51 cpu=0 pid=77\n"
		" open.c:30\n"
		" open.c:31\n"
		"Freed in close.c:50 age=3 cpu=0 pid=77\n"
		" close.c:50\n"
		" close.c:51\n"
		"Slab 0x00007f3a500012c0 objects=32 used=1 fp=0x00007f3a4c2c7080 flags=0x200(workingset|node=0)\n"
		"Object 0x00007f3a4c2c7080 @offset=128 fp=0x00007f3a4c2c7100\n"
		"\n"
		"Bytes b4 00007f3a4c2c7070: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ................\n"
		"Object   00007f3a4c2c7080: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ................\n"
		"Object   00007f3a4c2c7090: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ................\n"
		"Object   00007f3a4c2c70a0: 00 71 2c 4c 3a 7f 00 00 00 00 00 00 00 00 00 00  .q,L:...........\n"
		"Object   00007f3a4c2c70b0: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ................\n"
		FIRST
		WARNING(OBJECT_ERR)
		"FIX conn: Object at 0x00007f3a4c2c7080 not freed\n");
}

static void sample_c_a_free_into_a_frozen_slab(void **state)
{
	(void)state;
	lab.m->taint = TAINT_BAD_PAGE | TAINT_WARN;
	lab.m->lockdep_off_said = true;
	paper_open("session", 64, SLAB_CONSISTENCY_CHECKS | SLAB_POISON,
		   0x7f3a4c2c4000, 0x7f3a50001280);
	paper.slab.inuse = 56;
	paper.slab.frozen = 1;
	paper.slab.flags = 0;
	paper.slab.freelist = NULL;
	report_slab(&paper.v, SLAB_REPORT_DISABLED, NULL, 0, 0);
	report_fix(&paper.v, SLAB_FIX_NOT_FREED, (void *)paper_object(0));
	expect_text(
		EQUALS
		"BUG session (Tainted: G    B   W          ): Slab disabled since SLUB metadata consistency check failed\n"
		DASHES
		"\n"
		"Slab 0x00007f3a50001280 objects=56 used=56 fp=0x0000000000000000 flags=0x0(node=0)\n"
		WARNING(SLAB_ERR)
		"FIX session: Object at 0x00007f3a4c2c4000 not freed\n");
}

/* ---- reports of a 6.12 ---- */
static void kernel_an_object_at_the_slabs_start_has_no_bytes_before(void **state)
{
	uintptr_t p = 0xffff8880065f8000;

	(void)state;
	lab.m->taint = TAINT_BAD_PAGE | TAINT_WARN;
	lab.m->lockdep_off_said = true;
	paper_open("rz1_free.s100.FP", 100,
		   SLAB_CONSISTENCY_CHECKS | SLAB_POISON, p, 0xffffea0000197e00);
	paper.slab.inuse = 4;
	paper.slab.freelist = (void *)(p + 0x850);
	view_set_freepointer(&paper.v, p, (void *)(p + 0x150));
	*(char *)paper_at(p + 100) = 0x41;
	report_bytes(&paper.v, SLAB_REPORT_ALIGNMENT_PADDING, (void *)p,
		     "Alignment padding", p + 100, p + 100, POISON_INUSE, true);
	report_fix_restoring(&paper.v, "Alignment padding", p + 100, p + 100,
			     POISON_INUSE);
	report_fix(&paper.v, SLAB_FIX_NOT_FREED, (void *)p);
	expect_text(
		"[Alignment padding overwritten] 0xffff8880065f8064-0xffff8880065f8064 @offset=100. First byte 0x41 instead of 0x5a\n"
		EQUALS
		"BUG rz1_free.s100.FP (Tainted: G    B   W          ): Object corrupt\n"
		DASHES
		"\n"
		"Slab 0xffffea0000197e00 objects=36 used=4 fp=0xffff8880065f8850 flags=0x200(workingset|node=0)\n"
		"Object 0xffff8880065f8000 @offset=0 fp=0xffff8880065f8150\n"
		"\n"
		"Object   ffff8880065f8000: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk\n"
		"Object   ffff8880065f8010: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk\n"
		"Object   ffff8880065f8020: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk\n"
		"Object   ffff8880065f8030: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk\n"
		"Object   ffff8880065f8040: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk\n"
		"Object   ffff8880065f8050: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk\n"
		"Object   ffff8880065f8060: 6b 6b 6b a5                                      kkk.\n"
		WARNING(OBJECT_ERR)
		"FIX rz1_free.s100.FP: Restoring Alignment padding 0xffff8880065f8064-0xffff8880065f8064=0x5a\n"
		"FIX rz1_free.s100.FP: Object at 0xffff8880065f8000 not freed\n");
}

static void kernel_the_slabs_tail_is_dumped_whole(void **state)
{
	uintptr_t base = 0xffff8880063fe000;

	(void)state;
	paper_open("slabpad_last_validate.s100.FP", 100,
		   SLAB_CONSISTENCY_CHECKS | SLAB_POISON, base,
		   0xffffea000018ff80);
	paper.slab.inuse = 4;
	paper.slab.freelist = (void *)(base + 0x70);
	paper.bytes[4095] = 0x41;
	report_tail(&paper.v, base + 4095, base + 4095);
	report_fix_restoring(&paper.v, "slab padding", base + 4095,
			     base + 4095, POISON_INUSE);
	expect_text(
		EQUALS
		"BUG slabpad_last_validate.s100.FP (Not tainted): Padding overwritten. 0xffff8880063fefff-0xffff8880063fefff @offset=4095\n"
		DASHES
		"\n"
		"Padding ffff8880063fefc0: 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a  ZZZZZZZZZZZZZZZZ\n"
		"Padding ffff8880063fefd0: 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a  ZZZZZZZZZZZZZZZZ\n"
		"Padding ffff8880063fefe0: 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a  ZZZZZZZZZZZZZZZZ\n"
		"Padding ffff8880063feff0: 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 41  ZZZZZZZZZZZZZZZA\n"
		"Slab 0xffffea000018ff80 objects=36 used=4 fp=0xffff8880063fe070 flags=0x200(workingset|node=0)\n"
		FIRST
		WARNING("mm/slub.c:1251 at slab_pad_check+0x147/0x1b0")
		"FIX slabpad_last_validate.s100.FP: Restoring slab padding 0xffff8880063fefff-0xffff8880063fefff=0x5a\n");
}

static void kernel_an_invalid_object_is_named_behind_the_slab(void **state)
{
	(void)state;
	paper_open("slab_freelist_bad", 64,
		   SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE, 0xffff888005290000,
		   0xffffea000014a600);
	paper.slab.inuse = 5;
	paper.slab.freelist = (void *)0x1bd62f8f70e0b898;
	report_object(&paper.v, SLAB_REPORT_FREELIST_POINTER,
		      (void *)0xffff888000dead01);
	report_fix(&paper.v, SLAB_FIX_ALL_USED, NULL);
	expect_text(
		EQUALS
		"BUG slab_freelist_bad (Not tainted): Freelist Pointer check fails\n"
		DASHES
		"\n"
		"Slab 0xffffea000014a600 objects=46 used=5 fp=0x1bd62f8f70e0b898 flags=0x200(workingset|node=0)\n"
		"Invalid pointer 0xffff888000dead01\n"
		FIRST
		WARNING(OBJECT_ERR)
		"FIX slab_freelist_bad: Marking all objects used\n");
}

static void kernel_a_bulk_title_ends_in_a_newline_of_its_own(void **state)
{
	(void)state;
	paper_open("bulkfree_dup.s100.F", 100, SLAB_CONSISTENCY_CHECKS,
		   0xffff888005288000, 0xffffea000014a200);
	paper.slab.inuse = 4;
	paper.slab.freelist = (void *)0xffff888005288410;
	report_slab(&paper.v, SLAB_REPORT_BULK_COUNT, NULL, 3, 1);
	expect_text(
		EQUALS
		"BUG bulkfree_dup.s100.F (Not tainted): Bulk free expected 3 objects but found 1\n"
		"\n"
		DASHES
		"\n"
		"Slab 0xffffea000014a200 objects=39 used=4 fp=0xffff888005288410 flags=0x200(workingset|node=0)\n"
		FIRST
		WARNING(SLAB_ERR));
}

static void kernel_objects_left_are_listed_with_their_tracks(void **state)
{
	uintptr_t base = 0xffff8880067c1000;

	(void)state;
	paper_open("leak", 16, FZPU, base, 0xffffea000019f040);
	slab_machine_tick(lab.m, 5);
	paper_track(3, TRACK_ALLOC, "run.c", 1, 2);
	paper_track(6, TRACK_ALLOC, "run.c", 1, 2);
	paper_track(6, TRACK_FREE, "run.c", 8, 1);
	slab_machine_tick(lab.m, 4);
	/* 3 and 6 are not on the chain: 2 leads to 4, 5 to 7 */
	view_set_freepointer(&paper.v, paper_object(2),
			     (void *)paper_object(4));
	view_set_freepointer(&paper.v, paper_object(5),
			     (void *)paper_object(7));
	paper.slab.inuse = 2;
	report_remaining(&paper.v);
	expect_text(
		EQUALS
		"BUG leak (Not tainted): Objects remaining on __kmem_cache_shutdown()\n"
		DASHES
		"\n"
		"Object 0xffff8880067c1158 @offset=344\n"
		"Allocated in run.c:1 age=4 cpu=0 pid=77\n"
		" run.c:1\n"
		" run.c:2\n"
		"Object 0xffff8880067c12a8 @offset=680\n"
		"Allocated in run.c:1 age=4 cpu=0 pid=77\n"
		" run.c:1\n"
		" run.c:2\n"
		"Freed in run.c:8 age=4 cpu=0 pid=77\n"
		" run.c:8\n"
		"Slab 0xffffea000019f040 objects=36 used=2 fp=0xffff8880067c1008 flags=0x200(workingset|node=0)\n"
		FIRST
		WARNING("mm/slub.c:1251 at __kmem_cache_shutdown+0x379/0x3f0"));
	assert_int_equal(slab_machine_errors(lab.m), 3);
}

static void kernel_a_trace_of_free_dumps_the_payload(void **state)
{
	uintptr_t base = 0xffff888006427000, p = base + 0xa8;

	(void)state;
	paper_open("trace.s64.FZPUT", 64, FZPU | SLAB_TRACE, base,
		   0xffffea0000190900);
	paper.slab.inuse = 2;
	paper.slab.freelist = (void *)(base + 0x788);
	report_trace(&paper.v, (void *)p, true);
	report_trace(&paper.v, (void *)p, false);
	expect_text(
		"TRACE trace.s64.FZPUT alloc 0xffff8880064270a8 inuse=2 fp=0xffff888006427788\n"
		"Call Trace:\n <TASK>\n here.c:9\n </TASK>\n"
		"TRACE trace.s64.FZPUT free 0xffff8880064270a8 inuse=2 fp=0xffff888006427788\n"
		"Object ffff8880064270a8: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk\n"
		"Object ffff8880064270b8: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk\n"
		"Object ffff8880064270c8: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk\n"
		"Object ffff8880064270d8: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b a5  kkkkkkkkkkkkkkk.\n"
		"Call Trace:\n <TASK>\n here.c:9\n </TASK>\n");
	assert_int_equal(slab_machine_reports(lab.m), 0);
}

static void kernel_a_damaged_track_prints_as_it_stands(void **state)
{
	char wanted[512];
	uintptr_t p;

	(void)state;
	paper_open("track", 64, FZPU, 0xffff888005237000, 0xffffea0000148dc0);
	p = paper_object(0);
	memset((char *)paper_at(p) + layout_track(&paper.s, TRACK_ALLOC), 0x41,
	       32);
	report_object(&paper.v, SLAB_REPORT_ALREADY_FREE, (void *)p);
	snprintf(wanted, sizeof(wanted),
		 "\n"
		 "Allocated in 0x4141414141414141 age=%lu cpu=1094795585 pid=1094795585\n"
		 "------------[ cut here ]------------\n"
		 "corrupt handle or use after stack_depot_put()\n"
		 "WARNING: lib/stackdepot.c:719 at stack_depot_print+0x3e/0x50, CPU#0: test/77\n"
		 "---[ end trace 0000000000000000 ]---\n"
		 "Slab ",
		 slab_machine_jiffies(lab.m) - 0x4141414141414141);
	assert_non_null(strstr(paper_text, wanted));
}

static void a_track_without_a_stack_says_so(void **state)
{
	uintptr_t p;

	(void)state;
	paper_open("track", 64, FZPU, 0xffff888005237000, 0xffffea0000148dc0);
	p = paper_object(0);
	track_set(&paper.s, paper_at(p), TRACK_ALLOC,
		  slab_machine_site(lab.m, "a.c", 3, ""), 0);
	report_object(&paper.v, SLAB_REPORT_ALREADY_FREE, (void *)p);
	assert_non_null(strstr(paper_text,
			       "\nAllocated in a.c:3 age=0 cpu=0 pid=77\n"
			       "object allocation/free stack trace missing\n"
			       "Slab "));
	assert_null(strstr(paper_text, "Freed in"));
}

static void only_the_first_bad_area_comes_with_the_object(void **state)
{
	uintptr_t p;

	(void)state;
	paper_open("widget", 40, FZPU, 0x7f3a4c2c1000, 0x7f3a50001240);
	p = paper_object(0);
	report_bytes(&paper.v, SLAB_REPORT_END_POISON, (void *)p, "End Poison",
		     p + 39, p + 39, POISON_END, false);
	expect_text(
		"[End Poison overwritten] 0x00007f3a4c2c102f-0x00007f3a4c2c102f @offset=47. First byte 0xa5 instead of 0xa5\n");
	assert_int_equal(lab.m->taint, 0);
	assert_int_equal(slab_machine_errors(lab.m), 1);
}

static void a_slab_of_many_pages_has_a_head_and_large_objects_are_cut(void **state)
{
	unsigned int rows = 0;
	const char *at;
	uintptr_t p;

	(void)state;
	paper_open("big", 5000, 0, 0x7f3a4c2c0000, 0x7f3a50001240);
	p = paper_object(1);
	report_object(&paper.v, SLAB_REPORT_ALREADY_FREE, (void *)p);
	assert_non_null(strstr(paper_text,
			       " flags=0x240(workingset|head|node=0)\n"));
	for (at = paper_text; (at = strstr(at, "\nObject   ")); at++)
		rows++;
	assert_int_equal(rows, 4096 / 16);
}

static void flags_are_named_in_the_kernels_order(void **state)
{
	(void)state;
	paper_open("odd", 64, 0, 0x7f3a4c2c0000, 0x7f3a50001240);
	paper.slab.flags = SL_LOCKED | SL_PFMEMALLOC | SL_PARTIAL;
	paper.slab.node = 3;
	report_slab(&paper.v, SLAB_REPORT_NOT_SLAB, NULL, 0, 0);
	assert_non_null(
		strstr(paper_text,
		       " flags=0x301(locked|active|workingset|node=3)\n"));
}

static void bytes_before_are_printed_from_the_17th_byte_on(void **state)
{
	(void)state;
	paper_open("small", 16, 0, 0x7f3a4c2c0000, 0x7f3a50001240);
	report_object(&paper.v, SLAB_REPORT_ALREADY_FREE,
		      (void *)paper_object(1));
	assert_null(strstr(paper_text, "Bytes b4"));
	report_object(&paper.v, SLAB_REPORT_ALREADY_FREE,
		      (void *)paper_object(2));
	assert_non_null(strstr(paper_text, "\nBytes b4 00007f3a4c2c0010: "));
}

static void what_is_no_printable_ascii_is_a_dot(void **state)
{
	static const uint8_t bytes[] = { 0x1f, 0x20, 0x21, 0x7d, 0x7e, 0x7f,
					 0x80, 0xff };

	(void)state;
	paper_open("small", 8, 0, 0x7f3a4c2c0000, 0x7f3a50001240);
	memcpy(paper_at(paper_object(1)), bytes, sizeof(bytes));
	report_object(&paper.v, SLAB_REPORT_ALREADY_FREE,
		      (void *)paper_object(1));
	assert_non_null(strstr(
		paper_text,
		"\nObject   00007f3a4c2c0008: 1f 20 21 7d 7e 7f 80 ff                          . !}~...\n"));
}

static void a_trace_of_no_object_ends_where_the_slab_ends(void **state)
{
	(void)state;
	paper_open("edge", 64, SLAB_TRACE, 0x7f3a4c2c0000, 0x7f3a50001240);
	report_trace(&paper.v, (void *)(paper_object(63) + 32), false);
	assert_non_null(strstr(paper_text,
			       "\nObject 00007f3a4c2c0ff0: "));
	assert_null(strstr(paper_text, "\nObject 00007f3a4c2c1000: "));
}

static void a_dump_ends_where_the_slab_ends(void **state)
{
	uintptr_t p;

	(void)state;
	paper_open("edge", 1000, 0, 0x7f3a4c2c0000, 0x7f3a50001240);
	assert_int_equal(paper.slab.objects, 16);
	/* somebody wrote 17 where 16 fit: the last is not looked at */
	paper.slab.objects = 17;
	p = paper_object(16);
	report_object(&paper.v, SLAB_REPORT_ALREADY_FREE, (void *)p);
	assert_non_null(strstr(paper_text,
			       "\nInvalid pointer 0x00007f3a4c2c3e80\n"));
	assert_null(strstr(paper_text, "\nObject   "));
}

static void lock_debugging_is_disabled_once_a_machine(void **state)
{
	const char *first, *second;

	(void)state;
	paper_open("paper", 64, FZPU, 0x7f0000000000, 0x7f50000000);
	report_slab(&paper.v, SLAB_REPORT_NOT_SLAB, NULL, 0, 0);
	report_slab(&paper.v, SLAB_REPORT_NOT_SLAB, NULL, 0, 0);
	first = strstr(paper_text, FIRST);
	assert_non_null(first);
	second = strstr(first + 1, FIRST);
	assert_null(second);
	assert_non_null(strstr(paper_text, "(Tainted: G    B   W          )"));
}

static void a_copy_prints_no_warning(void **state)
{
	(void)state;
	paper_open("paper", 64, FZPU, 0x7f0000000000, 0x7f50000000);
	paper.v.is_live = false;
	paper.v.fn = paper_sink;
	report_slab(&paper.v, SLAB_REPORT_NOT_SLAB, NULL, 0, 0);
	assert_non_null(strstr(paper_text,
			       "BUG paper (Not tainted): Not a valid slab page"));
	assert_null(strstr(paper_text, "WARNING"));
	assert_null(strstr(paper_text, "Disabling"));
}

static void a_wrong_cache_prints_whose_object_it_is(void **state)
{
	struct kmem_cache *a, *b;
	char wanted[200];
	void *p;

	(void)state;
	a = __kmem_cache_create("a", 64, 0, FZPU, NULL);
	b = __kmem_cache_create("b", 64, 0, FZPU, NULL);
	p = kmem_cache_alloc(a, GFP_KERNEL);
	paper_text[0] = '\0';
	slab_machine_add_sink(lab.m, paper_sink, NULL);
	kmem_cache_free(b, p);
	snprintf(wanted, sizeof(wanted),
		 "kmem_cache_free(b, 0x%lx): object belongs to different cache a\n",
		 (unsigned long)p);
	assert_non_null(strstr(paper_text, wanted));
	assert_non_null(strstr(paper_text,
			       "---[ end trace 0000000000000000 ]---\n"
			       "Allocated in here.c:9 age=0 cpu=0 pid=77\n"
			       " here.c:9\n"));
	assert_int_equal(lab.nr_records, 1);
	assert_string_equal(lab.records[0].cache, "b");
	assert_string_equal(lab.records[0].other, "a");
	assert_int_equal(lab.records[0].index, 0);
}

static void addresses_print_as_slot_0_has_them(void **state)
{
	struct kmem_cache *s;
	const char *slot0;
	char *p;

	(void)state;
	s = __kmem_cache_create("a", 64, 0, FZPU, NULL);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	p[64] = 1;
	paper_text[0] = '\0';
	slab_machine_add_sink(lab.m, paper_sink, NULL);
	kmem_cache_free(s, p);
	slot0 = strdup(paper_text);

	lab_reopen(&(struct slab_machine_config){ .nr_cpus = 2, .slot = 2 });
	slab_machine_set_task(lab.m, 77, "test");
	at_site();
	s = __kmem_cache_create("a", 64, 0, FZPU, NULL);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	assert_int_equal((uintptr_t)p >> 36,
			 (SLAB_SLOT_BASE + 2 * SLAB_SLOT_SIZE) >> 36);
	p[64] = 1;
	paper_text[0] = '\0';
	slab_machine_add_sink(lab.m, paper_sink, NULL);
	kmem_cache_free(s, p);
	assert_string_equal(paper_text, slot0);
	free((char *)slot0);
}

static void a_note_is_its_line(void **state)
{
	(void)state;
	paper_text[0] = '\0';
	slab_machine_add_sink(lab.m, paper_sink, NULL);
	report_note(lab.m, "  cache: %s, size %d", "x", 5);
	expect_text("  cache: x, size 5\n");
}

static void the_file_sink_ends_each_line(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	(void)state;
	slab_machine_add_sink(lab.m, slab_sink_print, f);
	report_note(lab.m, "one");
	report_note(lab.m, "two");
	fclose(f);
	assert_string_equal(text, "one\ntwo\n");
	free(text);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		T(sample_a_an_overflow_found_at_free),
		T(sample_b_a_write_after_free_found_at_alloc),
		T(sample_c_a_double_free_with_both_tracks),
		T(sample_c_a_free_into_a_frozen_slab),
		T(kernel_an_object_at_the_slabs_start_has_no_bytes_before),
		T(kernel_the_slabs_tail_is_dumped_whole),
		T(kernel_an_invalid_object_is_named_behind_the_slab),
		T(kernel_a_bulk_title_ends_in_a_newline_of_its_own),
		T(kernel_objects_left_are_listed_with_their_tracks),
		T(kernel_a_trace_of_free_dumps_the_payload),
		T(kernel_a_damaged_track_prints_as_it_stands),
		T(a_track_without_a_stack_says_so),
		T(only_the_first_bad_area_comes_with_the_object),
		T(a_slab_of_many_pages_has_a_head_and_large_objects_are_cut),
		T(flags_are_named_in_the_kernels_order),
		T(bytes_before_are_printed_from_the_17th_byte_on),
		T(what_is_no_printable_ascii_is_a_dot),
		T(a_trace_of_no_object_ends_where_the_slab_ends),
		T(a_dump_ends_where_the_slab_ends),
		T(lock_debugging_is_disabled_once_a_machine),
		T(a_copy_prints_no_warning),
		T(a_wrong_cache_prints_whose_object_it_is),
		T(addresses_print_as_slot_0_has_them),
		T(a_note_is_its_line),
		T(the_file_sink_ends_each_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
