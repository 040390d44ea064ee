/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/debug/report_titles.c - each row of reports.def and fixes.def
 * prints the one line that names it
 */
#include "../paper.h"

struct title_case {
	enum slab_report_kind kind;
	const char *wanted; /* the line that names it */
};

#define BUG "BUG paper (Not tainted): "
static const struct title_case titles[] = {
	{ SLAB_REPORT_FREEPTR_OBJECT, BUG "Freepointer corrupt" },
	{ SLAB_REPORT_FREEPTR_SLAB, BUG "Freepointer corrupt" },
	{ SLAB_REPORT_FREECHAIN, BUG "Freechain corrupt" },
	{ SLAB_REPORT_FREELIST_CYCLE, BUG "Freelist cycle detected" },
	{ SLAB_REPORT_WRONG_OBJECTS,
	  BUG "Wrong number of objects. Found 12 but should be 34" },
	{ SLAB_REPORT_WRONG_COUNT,
	  BUG "Wrong object count. Counter is 12 but counted were 34" },
	{ SLAB_REPORT_OBJECTS_MAX, BUG "objects 12 > max 34" },
	{ SLAB_REPORT_INUSE_MAX, BUG "inuse 12 > max 34" },
	{ SLAB_REPORT_DISABLED,
	  BUG "Slab disabled since SLUB metadata consistency check failed" },
	{ SLAB_REPORT_FREELIST_POINTER, BUG "Freelist Pointer check fails" },
	{ SLAB_REPORT_INVALID_POINTER,
	  BUG "Invalid object pointer 0x00007f00000000a8" },
	{ SLAB_REPORT_ALREADY_FREE, BUG "Object already free" },
	{ SLAB_REPORT_NO_SLAB_CACHE,
	  "BUG <unknown> (Not tainted): No slab cache for object 0x00007f00000000a8" },
	{ SLAB_REPORT_SLAB_POINTER, BUG "page slab pointer corrupt." },
	{ SLAB_REPORT_NOT_SLAB, BUG "Not a valid slab page" },
	{ SLAB_REPORT_BULK_INUSE,
	  BUG "Slab has 12 allocated objects but 34 are to be freed" },
	{ SLAB_REPORT_BULK_COUNT,
	  BUG "Bulk free expected 12 objects but found 34" },
	{ SLAB_REPORT_REMAINING,
	  BUG "Objects remaining on __kmem_cache_shutdown()" },
	{ SLAB_REPORT_SLAB_PADDING,
	  BUG "Padding overwritten. 0x00007f0000000008-0x00007f000000000f @offset=8" },
	{ SLAB_REPORT_PARTIAL_COUNT,
	  "SLUB paper: 1 partial slabs counted but counter=2" },
	{ SLAB_REPORT_SLABS_COUNT, "SLUB paper: 1 slabs counted but counter=2" },
	{ SLAB_REPORT_SLAB_LIST,
	  BUG "Slab list corrupt, link is 0x00007f00000000a8" },
	{ SLAB_REPORT_BAD_SHEAF, "SLUB paper: 1 Sheaf corrupt=2" },
	{ SLAB_REPORT_BAD_BARN, "SLUB paper: 1 Barn corrupt=2" },
	{ SLAB_REPORT_SHEAF_HANDLE, "no sheaf that it lent" },
	{ SLAB_REPORT_NOT_KMALLOC,
	  "page dumped because: Not a kmalloc allocation" },
	{ SLAB_REPORT_NOT_IN_SLAB, "object is not in a slab page" },
	{ SLAB_REPORT_DIFFERENT_CACHE, "object belongs to different cache" },
	{ SLAB_REPORT_STILL_OBJECTS, "Slab cache still has objects" },
	{ SLAB_REPORT_CTOR_ZERO, "constructor and __GFP_ZERO" },
	{ SLAB_REPORT_USERCOPY_WINDOW, "usercopy window outside the object" },
	{ SLAB_REPORT_USERCOPY_EXPOSE,
	  "Kernel memory exposure attempt detected" },
	{ SLAB_REPORT_USERCOPY_OVERWRITE,
	  "Kernel memory overwrite attempt detected" },
	{ SLAB_REPORT_ASAN, "AddressSanitizer" },
	{ SLAB_REPORT_NO_CACHE, "is no cache" },
};
#undef BUG

static const char *const labels[SLAB_NR_REPORTS] = {
	[SLAB_REPORT_LEFT_REDZONE] = "Left Redzone",
	[SLAB_REPORT_RIGHT_REDZONE] = "Right Redzone",
	[SLAB_REPORT_KMALLOC_REDZONE] = "kmalloc Redzone",
	[SLAB_REPORT_ALIGNMENT_PADDING] = "Alignment padding",
	[SLAB_REPORT_POISON] = "Poison",
	[SLAB_REPORT_END_POISON] = "End Poison",
	[SLAB_REPORT_OBJECT_PADDING] = "Object padding",
};

/* The line that names a kind, when it is reported on object 1 of a slab. */
static void wanted_line(enum slab_report_kind kind, char *buf, size_t size)
{
	size_t i;

	buf[0] = '\0';
	if (labels[kind]) {
		snprintf(buf, size,
			 "[%s overwritten] 0x00007f0000000008-0x00007f000000000f @offset=8. First byte 0xbb instead of 0xcc\n",
			 labels[kind]);
		return;
	}
	for (i = 0; i < ARRAY_SIZE(titles); i++)
		if (titles[i].kind == kind)
			snprintf(buf, size, "%s\n", titles[i].wanted);
}

static void report_any(enum slab_report_kind kind)
{
	uintptr_t base = paper.v.base;
	void *object = (void *)paper_object(1);

	switch (slab_report_row(kind)->scope) {
	case SLAB_SCOPE_BYTES:
		report_bytes(&paper.v, kind, object, labels[kind], base + 8,
			     base + 15, SLUB_RED_ACTIVE, true);
		break;
	case SLAB_SCOPE_TAIL:
		report_tail(&paper.v, base + 8, base + 15);
		break;
	case SLAB_SCOPE_OBJECT:
		report_object(&paper.v, kind, object);
		break;
	case SLAB_SCOPE_SLAB:
		report_slab(&paper.v, kind, object, 12, 34);
		break;
	case SLAB_SCOPE_LEFT:
		report_remaining(&paper.v);
		break;
	case SLAB_SCOPE_LINE:
		report_line(lab.m, kind, &paper.s, "SLUB paper: %d %s=%d", 1,
			    slab_report_row(kind)->title, 2);
		break;
	case SLAB_SCOPE_WARN:
		report_warn(lab.m, kind, false, &paper.s, NULL,
			    "%s", slab_report_row(kind)->title);
		break;
	}
}

static void every_title_prints_its_exact_line(void **state)
{
	enum slab_report_kind kind;
	char wanted[200], line[202];

	(void)state;
	for (kind = 1; kind < SLAB_NR_REPORTS; kind++) {
		const struct slab_report_row *row = slab_report_row(kind);

		lab_reopen(&(struct slab_machine_config){ 0 });
		slab_machine_set_task(lab.m, 77, "test");
		slab_machine_set_site(lab.m, slab_machine_site(lab.m, "here.c",
							       9, ""));
		paper_open("paper", 64, FZPU, 0x7f0000000000, 0x7f50000000);
		if (labels[kind])
			memset(paper.bytes + 8, 0xbb, 8);
		report_any(kind);
		assert_non_null(row->sentence);
		assert_int_equal(slab_machine_errors(lab.m), row->counts);
		assert_int_equal(slab_machine_reports(lab.m), 1);
		if (labels[kind]) {
			snprintf(line, sizeof(line), "%s overwritten",
				 labels[kind]);
			assert_string_equal(row->title, line);
		}
		wanted_line(kind, wanted, sizeof(wanted));
		assert_true(wanted[0]);
		/* at the start of a line */
		snprintf(line, sizeof(line), "\n%s", wanted);
		if (strncmp(paper_text, wanted, strlen(wanted)) &&
		    !strstr(paper_text, line)) {
			print_error("%s: wanted %s: found\n%s", row->id, wanted,
				    paper_text);
			fail();
		}
		if ((row->scope != SLAB_SCOPE_LINE &&
		     kind != SLAB_REPORT_ASAN) !=
		    !!strstr(paper_text, "\nWARNING: ")) {
			print_error("%s: a WARNING where there is none, or none\n%s",
				    row->id, paper_text);
			fail();
		}
	}
}

static void every_fix_prints_its_exact_line(void **state)
{
	static const char *const wanted[SLAB_NR_FIXES] = {
		[SLAB_FIX_RESTORING] =
			"FIX paper: Restoring slab padding 0x00007f0000000008-0x00007f000000000f=0x5a\n",
		[SLAB_FIX_FREELIST_CLEARED] = "FIX paper: Freelist cleared\n",
		[SLAB_FIX_OBJECTS_ADJUSTED] =
			"FIX paper: Number of objects adjusted\n",
		[SLAB_FIX_COUNT_ADJUSTED] =
			"FIX paper: Object count adjusted\n",
		[SLAB_FIX_ALL_USED] = "FIX paper: Marking all objects used\n",
		[SLAB_FIX_LISTS_REBUILT] = "FIX paper: Slab lists rebuilt\n",
		[SLAB_FIX_NOT_FREED] =
			"FIX paper: Object at 0x00007f00000000a8 not freed\n",
	};
	enum slab_fix_kind fix;

	(void)state;
	paper_open("paper", 64, FZPU & ~SLAB_STORE_USER, 0x7f0000000000,
		   0x7f50000000);
	for (fix = 1; fix < SLAB_NR_FIXES; fix++) {
		paper_text[0] = '\0';
		slab_machine_clear_errors(lab.m);
		if (fix == SLAB_FIX_RESTORING)
			report_fix_restoring(&paper.v, "slab padding",
					     0x7f0000000008, 0x7f000000000f,
					     POISON_INUSE);
		else
			report_fix(&paper.v, fix, (void *)0x7f00000000a8);
		assert_non_null(wanted[fix]);
		assert_string_equal(paper_text, wanted[fix]);
		assert_int_equal(slab_machine_errors(lab.m), 1);
		assert_non_null(slab_fix_sentence(fix));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(every_title_prints_its_exact_line),
		lab_test(every_fix_prints_its_exact_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
