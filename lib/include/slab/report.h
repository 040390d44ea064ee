/*
 * slab/report.h - what a check found, handed to whoever wants to know
 *
 *	check  --struct slab_report-->  sinks: printer, queue, log, counter
 *
 * A check never prints, aborts or decides: it fills a record and hands it to
 * the machine's sinks, in the order they were added. A repair follows its
 * report as a record of its own (SLAB_RECORD_FIX).
 *
 * Lifetime: record and view are valid during the call only. The damage is
 *           still in place then: the repair comes after the sinks.
 * Locking:  sinks run under the locks of the path that found the damage (the
 *           node's list_lock as a rule): they may read and print; they must
 *           not allocate from or free to the machine. Where malloc is made of
 *           this library, that is: not call malloc. slab_report_print() and
 *           slab_symbol() do not, and take no lock.
 * Threads:  one sink runs at a time in a process, on the thread that found the
 *           damage; the others wait. A report that a sink causes itself comes
 *           to the sinks inside it. kmalloc_nolock() and kfree_nolock() wait
 *           for nobody: sinks may run in their signal handlers, and what can
 *           not be told there is counted and said later.
 */
#ifndef SLAB_REPORT_H
#define SLAB_REPORT_H

#include <slab/cache.h>

#ifdef __cplusplus
extern "C" {
#endif

enum slab_report_kind {
	SLAB_REPORT_NONE,
#define REPORT(id, scope, counts, title, sentence) SLAB_REPORT_##id,
#include <slab/reports.def>
#undef REPORT
	SLAB_NR_REPORTS,
};

enum slab_fix_kind {
	SLAB_FIX_NONE,
#define FIX(id, text, sentence) SLAB_FIX_##id,
#include <slab/fixes.def>
#undef FIX
	SLAB_NR_FIXES,
};

enum slab_report_scope {
	SLAB_SCOPE_BYTES, SLAB_SCOPE_TAIL, SLAB_SCOPE_OBJECT, SLAB_SCOPE_SLAB,
	SLAB_SCOPE_LEFT, SLAB_SCOPE_LINE, SLAB_SCOPE_WARN,
};

/* One row of reports.def. */
struct slab_report_row {
	const char *id, *title, *sentence;
	enum slab_report_scope scope;
	unsigned int counts;
};
SLAB_API const struct slab_report_row *slab_report_row(enum slab_report_kind kind);
SLAB_API const char *slab_fix_sentence(enum slab_fix_kind fix);

#define SLAB_TRACK_FRAMES 16

/* Who did something to an object last. addr 0: nobody ever did. */
struct slab_track {
	uintptr_t addr;		/* the caller */
	int cpu;
	int pid;
	uint64_t when;		/* jiffies */
	uint32_t handle;	/* of the stack; 0: none was stored */
	unsigned int nr_frames; /* 0 with a handle: it names no stack */
	uintptr_t frames[SLAB_TRACK_FRAMES];
};

enum slab_record {
	SLAB_RECORD_REPORT, /* something is wrong */
	SLAB_RECORD_FIX,    /* and was repaired so */
	SLAB_RECORD_TRACE,  /* SLAB_TRACE: an object was allocated or freed */
	SLAB_RECORD_NOTE,   /* out of memory, a bad option: a line to log */
};

struct slab_view;

struct slab_report {
	enum slab_record record;
	enum slab_report_kind kind; /* for FIX: of the report it belongs to */
	enum slab_fix_kind fix;
	unsigned int number; /* of the report, from 1, on this machine */
	struct slab_machine *machine;

	char cache[64];	   /* name; empty: unknown */
	uintptr_t slab;	   /* the slab's descriptor; 0: none */
	unsigned int slab_nr; /* S<n>, from 1 in each cache; 0: none */
	uintptr_t base;	   /* first byte of the slab */
	unsigned int objects, inuse;
	bool frozen, is_partial;
	uintptr_t freelist;

	uintptr_t object;  /* 0: the slab as a whole */
	int index;	   /* -1: not the start of an object */
	uintptr_t first, last; /* damaged bytes, inclusive; 0, 0: none */
	uint8_t found, wanted; /* of the first */
	uintptr_t touched; /* ASAN: the first byte of the access, and how many */
	size_t nr_touched;
	long value, limit; /* the numbers of the title */
	const char *label; /* BYTES, TAIL and RESTORING: what was overwritten */
	char other[64];	   /* DIFFERENT_CACHE: the object's own cache */
	char text[256];	   /* FIX, TRACE, NOTE, LINE, WARN: the whole line;
			    * else the title with its numbers */
	bool is_full;	   /* BYTES: print the object, not the one line alone */
	bool is_alloc;	   /* TRACE: alloc, else free */
	bool is_zap;	   /* verify: nothing was or will be repaired */

	unsigned int cpu;
	int pid;
	uint64_t when;
	unsigned int nr_frames; /* of the call that found it, innermost first */
	uintptr_t frames[SLAB_TRACK_FRAMES];
	struct slab_track alloc, free; /* of object, where SLAB_STORE_USER */

	const struct slab_view *view; /* for slab_report_print() */
};

/*
 * A sink gets every record. Removing one inside a sink is fine.
 *
 * A sink of a native machine may fork; the child may exec or _exit. Should it
 * go on instead, it has the allocator as it was found: nobody waits for the
 * other threads, since this one holds locks. Where none of them was in the
 * middle of something, above all where there is none, all goes well. A child
 * that needs a lock which one of them held says so on stderr after some
 * seconds, and aborts. The same holds for constructors, and for what
 * slab_target_verify() calls.
 */
typedef void (*slab_sink_fn)(void *arg, const struct slab_report *report);
SLAB_API int slab_machine_add_sink(struct slab_machine *m, slab_sink_fn fn,
				   void *arg);
SLAB_API void slab_machine_remove_sink(struct slab_machine *m,
				       slab_sink_fn fn, void *arg);

/* Takes a line without its newline. */
typedef void (*slab_line_fn)(void *arg, const char *line);

/* Prints a record as the 7.0 kernel's log would show it, line by line. Only
 * inside a sink. */
SLAB_API void slab_report_print(const struct slab_report *report,
				slab_line_fn line, void *arg);

/* A sink that prints to a FILE * (its arg), for which stdio may call malloc;
 * one that writes to stderr without stdio and allocates nothing; and one that
 * aborts after the first report (panic_on_warn) and prints nothing: add it
 * behind one that does, or take SLAB_POLICY_ABORT. In a signal handler functions have
 * addresses for names. */
SLAB_API void slab_sink_print(void *file, const struct slab_report *report);
SLAB_API void slab_sink_stderr(void *unused, const struct slab_report *report);
SLAB_API void slab_sink_panic(void *unused, const struct slab_report *report);

/*
 * What becomes of a finding beside the sinks that were added:
 *
 *	CONTINUE  a native machine prints it to stderr when it has no sink
 *	ABORT	  the same; then the process ends, at the first WARN of 7.0
 *	CALLBACK  callback gets the record, and nothing is printed
 *
 * The damage is repaired, or its object or slab set aside, in all cases.
 */
enum slab_report_policy {
	SLAB_POLICY_CONTINUE, SLAB_POLICY_ABORT, SLAB_POLICY_CALLBACK,
};
SLAB_API void slab_machine_set_report_policy(struct slab_machine *m,
					     enum slab_report_policy policy,
					     slab_sink_fn callback, void *arg);

/* Formats a code address as function+0xoff/0xlen [module], or FILE:LINE for a
 * site, or 0x... ; returns what snprintf would. Names are the files' (their
 * symbols, or those of debug information installed under /usr/lib/debug), read
 * by system calls. */
SLAB_API int slab_symbol(const struct slab_machine *m, uintptr_t address,
			 char *buf, size_t size);

/* FILE:LINE of a call that returns to address, where debug information has it;
 * 0 where not, else what snprintf would return. Not in a sink: it calls
 * malloc. */
SLAB_API int slab_source_line(uintptr_t address, char *buf, size_t size);

/* slub_kunit's counter: failed checks and fixes since it was last read. */
SLAB_API unsigned int slab_machine_errors(const struct slab_machine *m);
SLAB_API void slab_machine_clear_errors(struct slab_machine *m);
/* Reports since creation or reset. */
SLAB_API unsigned int slab_machine_reports(const struct slab_machine *m);

#ifdef __cplusplus
}
#endif
#endif
