/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_sweep.c - `sweep`: each allocation of a script fails once
 *
 *	machine as it is --+-- child: SCRIPT, its 1st request fails --> judged
 *			   +-- child: SCRIPT, its 2nd request fails --> judged
 *			   +-- child: ... none fails: that was all
 *			   +-- SCRIPT, here: what it does stays
 *
 * A request is a question to failslab or fail_page_alloc, whose filters all
 * stand open. Each round begins with the same machine and the same variables,
 * because it is a process of its own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <slab/debug.h>

#include "child.h"
#include "commands.h"
#include "events.h"
#include "expect.h"
#include "interp.h"
#include "names.h"
#include "report_queue.h"
#include "where.h"

#define MAX_ROUNDS 300U /* when max= does not say */
#define MAX_SHOWN  20U	/* rows for people; programs get all */

/* What the machine holds, and what it can not account for. */
struct holdings {
	unsigned long users;
	unsigned long lost;    /* objects that nobody has */
	unsigned long waiting; /* pages */
};

/* Written by the child, read by the parent. */
struct round {
	bool was_hit;  /* a request was made to fail */
	bool survived; /* SCRIPT ended well all the same */
	bool is_error; /* `error` is no answer of an operation: a mistake, an
			* expectation that failed */
	char what[80]; /* that failed */
	struct where where;
	long held;	/* more than before, by users */
	char lost[400]; /* empty: nothing */
	struct cli_error error;
	char detail[8192]; /* the error's */
};

struct sweep {
	Tcl_Obj *script;
	unsigned int nth;
	struct holdings before;
	struct round *round;
	/* objects that the command which runs has got and not given back */
	long kept;
	uint64_t kept_since; /* jiffy: each command has one of its own */
};

static bool is_sweeping;

/* ---- what is there ---- */

static int count_lost(const struct slab_cache_info *cache, unsigned long *lost)
{
	struct slab_slab_info *slab;
	size_t nr = 0, nr_objects, i, k;
	int err;

	err = slab_target_slabs(session.target, cache->cache, &slab, &nr);
	for (i = 0; !err && i < nr; i++) {
		struct slab_object_info *object;

		err = slab_target_objects(session.target, cache->cache,
					  slab[i].nr, &object, &nr_objects);
		for (k = 0; !err && k < nr_objects; k++)
			*lost += object[k].owner == SLAB_OWNER_LOST ||
				 object[k].owner == SLAB_OWNER_UNKNOWN;
		if (!err)
			free(object);
	}
	if (nr)
		free(slab);
	return err;
}

static int take_stock(struct holdings *ret)
{
	struct slab_cache_info *cache;
	struct slab_pages_info pages;
	size_t nr = 0, i;
	int err;

	memset(ret, 0, sizeof(*ret));
	err = slab_target_pages(session.target, &pages);
	if (!err)
		err = slab_target_caches(session.target, &cache, &nr);
	for (i = 0; !err && i < nr; i++) {
		ret->users += cache[i].users;
		err = count_lost(&cache[i], &ret->lost);
	}
	if (nr)
		free(cache);
	ret->waiting = pages.waiting + pages.orphans;
	if (!err && pages.used != pages.slabs + pages.large + pages.whole +
					  ret->waiting)
		ret->waiting = pages.used; /* the counter itself is wrong */
	return err;
}

/* ---- a round: in the child, where everything is a copy ---- */

static void add_loss(struct round *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void add_loss(struct round *r, const char *format, ...)
{
	size_t used = strlen(r->lost);
	va_list ap;

	if (used && used < sizeof(r->lost) - 2) {
		memcpy(r->lost + used, "; ", sizeof("; "));
		used += 2;
	}
	va_start(ap, format);
	vsnprintf(r->lost + used, sizeof(r->lost) - used, format, ap);
	va_end(ap);
}

static void note_failure(struct sweep *s, const struct slab_event *e)
{
	struct round *r = s->round;

	r->was_hit = true;
	r->where = session.where;
	if (e->kind == SLAB_EVENT_FAIL_INJECTED)
		snprintf(r->what, sizeof(r->what), "object of %s", e->cache);
	else
		snprintf(r->what, sizeof(r->what), "%lu page%s", e->a,
			 e->a == 1 ? "" : "s");
}

static void watch(void *arg, const struct slab_event *e)
{
	struct sweep *s = arg;

	if (e->when != s->kept_since) {
		s->kept_since = e->when;
		s->kept = 0;
	}
	switch (e->kind) {
	case SLAB_EVENT_ALLOC:
		s->kept++;
		break;
	case SLAB_EVENT_FREE:
		s->kept--;
		break;
	case SLAB_EVENT_FAIL_INJECTED:
	case SLAB_EVENT_PAGES_FAIL_INJECTED:
		note_failure(s, e);
		break;
	default:
		break;
	}
	event_log_hook(session.events, e);
}

static void take_finding(void *arg, const struct slab_report *report)
{
	struct round *r = arg;
	char name[NAME_SIZE];

	if (report->record == SLAB_RECORD_REPORT && !*r->lost)
		add_loss(r, "verify finds: %s at %s", report_title(report),
			 report_place(report, name));
}

static const char *newest_title(void)
{
	size_t nr = report_queue_nr(session.reports);

	return report_title(&report_queue_at(session.reports, nr - 1)->report);
}

/* Nothing is lost: every object is somebody's, every page has its use, the
 * structures hold, no check complained, and who failed kept nothing. */
static void judge(struct sweep *s, size_t leftover)
{
	struct round *r = s->round;
	struct holdings now;
	long kept = s->kept;

	/* of the command that ended the script, which was the last to run */
	if (!strcmp(r->error.code, "no_memory") && kept)
		add_loss(r, "%ld object%s that the failed command kept", kept,
			 kept == 1 ? "" : "s");
	if (report_queue_leftover(session.reports) > leftover)
		add_loss(r, "a check complained: %s", newest_title());
	if (!*r->lost &&
	    slab_target_verify(session.target, 0, take_finding, r) && !*r->lost)
		add_loss(r, "verify can not look at everything");
	slab_machine_rcu_barrier(session.machine);
	if (take_stock(&now)) {
		add_loss(r, "what is left can not be counted");
		return;
	}
	r->held = (long)now.users - (long)s->before.users;
	if (now.lost > s->before.lost)
		add_loss(r, "%lu object%s that nobody has",
			 now.lost - s->before.lost,
			 now.lost - s->before.lost == 1 ? "" : "s");
	if (now.waiting > s->before.waiting)
		add_loss(r, "%lu page%s in no use",
			 now.waiting - s->before.waiting,
			 now.waiting - s->before.waiting == 1 ? "" : "s");
}

static void keep_error(struct round *r)
{
	r->error = session.error;
	r->error.detail = NULL;
	snprintf(r->detail, sizeof(r->detail), "%s",
		 session.error.detail ? session.error.detail : "");
}

static void open_filters(struct slab_faults *f, unsigned int nth)
{
	struct slab_fault_attr plain = {
		.interval = 1,
		.times = -1,
		.require_end = UINTPTR_MAX,
	};

	*f = (struct slab_faults){ .failslab.attr = plain,
				   .fail_page_alloc.attr = plain,
				   .task.fail_nth = nth };
}

static int run_round(void *arg)
{
	struct sweep *s = arg;
	struct round *r = s->round;
	size_t leftover = report_queue_leftover(session.reports);
	struct slab_faults faults;
	int code;

	session.in_scenario = true; /* nothing is shown */
	session.has_watchdog = false;
	session.is_typing = session.explains = false;
	interp_start_limit();
	child_limit_memory();
	open_filters(&faults, s->nth);
	slab_faults_set(session.machine, &faults);
	slab_machine_set_event_hook(session.machine, watch, s);
	code = where_eval_body(s->script);
	r->survived = code != TCL_ERROR;
	if (!r->survived) {
		if (session.wants_quit)
			fail("usage", NULL, "sweep: the script quits");
		else
			interp_name_limit();
		keep_error(r);
		r->is_error = Tcl_LimitExceeded(session.interp) ||
			      error_is_expectation() || error_is_mistake();
	}
	slab_faults_get(session.machine, &faults);
	if (!r->is_error && !r->was_hit && !faults.task.fail_nth) {
		fail("usage", NULL,
		     "sweep: the script resets failslab or the machine, so "
		     "that nothing can be made to fail");
		keep_error(r);
		r->is_error = true;
	}
	faults.task.fail_nth = 0;
	slab_faults_set(session.machine, &faults);
	if (!r->is_error && r->was_hit)
		judge(s, leftover);
	return interrupted ? CODE_INTERRUPTED : 0;
}

/* ---- the rounds ---- */

static int fail_round(const struct sweep *s)
{
	struct round *r = s->round;

	session.error = r->error;
	if (*r->detail)
		session.error.detail = must_strdup(r->detail);
	/* not a word that is wrong whatever fails */
	if (r->was_hit && (!strcmp(r->error.code, EXPECTATION) ||
			   !strcmp(r->error.code, "tcl")))
		snprintf(session.error.message, sizeof(session.error.message),
			 "%.700s (when allocation %u failed: %s at %.100s:%u)",
			 r->error.message, s->nth, r->what, r->where.file,
			 r->where.line);
	return -EINVAL;
}

static int fail_death(const struct sweep *s, const struct child_result *child)
{
	if (child->timed_out)
		return fail("time_limit", "--limit-time S gives more",
			    "sweep: the script did not end within %g s when "
			    "allocation %u failed",
			    session.opt.limit_time, s->nth);
	if (child->code == EXIT_USAGE)
		return fail("no_memory", NULL,
			    "sweep: the script used more memory than it may "
			    "when allocation %u failed",
			    s->nth);
	fail("died", NULL,
	     "sweep: the machine died when allocation %u failed (%s at "
	     "%s:%u): %s",
	     s->nth, s->round->what, s->round->where.file, s->round->where.line,
	     child->signal ? strsignal(child->signal) : "it ended by itself");
	session.error.exit = EXIT_DIED;
	return -EINVAL;
}

static int try_nth(struct sweep *s)
{
	double limit = session.opt.limit_time;
	struct child_result child = { 0 };
	int err;

	memset(s->round, 0, sizeof(*s->round));
	err = child_run(run_round, s, limit > 0 ? limit + 2 : 0, true, &child);
	interp_start_limit(); /* the time was the child's */
	if (err)
		return fail("process", NULL, "sweep: %s", strerror(-err));
	free(child.output);
	if (interrupted || child.code == CODE_INTERRUPTED)
		return fail("interrupted", NULL, "interrupted");
	if (child.signal || child.timed_out || child.code)
		return fail_death(s, &child);
	return s->round->is_error ? fail_round(s) : 0;
}

static void put_round(struct value *table, const struct sweep *s)
{
	const struct round *r = s->round;
	struct value *row = table_row(table);

	put_count(row, "nth", s->nth);
	put_text(row, "failed", "%s", r->what);
	put_text(row, "at", "%s:%u", r->where.file, r->where.line);
	put_text(row, "outcome", "%.*s",
		 r->survived ? 8 : (int)strcspn(r->error.message, "\n"),
		 r->survived ? "survived" : r->error.message);
	put_number(row, "held", r->held);
	put_text(row, "lost", "%s", *r->lost ? r->lost : "-");
	if (*r->lost)
		put_style(row, "lost", STYLE_BAD);
}

struct counts {
	unsigned int errors, survived, losses;
	struct detail detail;
};

static void count_round(struct counts *c, const struct sweep *s)
{
	const struct round *r = s->round;

	if (r->survived)
		c->survived++;
	else
		c->errors++;
	if (!*r->lost)
		return;
	if (c->losses++ < MAX_SHOWN)
		fprintf(c->detail.f, "  allocation %u, %s at %s:%u: %s\n",
			s->nth, r->what, r->where.file, r->where.line, r->lost);
}

/* What SCRIPT does stays when nothing fails. */
static int run_untouched(Tcl_Obj *script)
{
	struct slab_faults own, none;
	int code;

	slab_faults_get(session.machine, &own);
	open_filters(&none, 0);
	slab_faults_set(session.machine, &none);
	code = where_eval_body(script);
	slab_faults_set(session.machine, &own);
	if (code == TCL_ERROR)
		return -EINVAL;
	Tcl_ResetResult(session.interp);
	return 0;
}

static void put_answer(struct model *out, const struct counts *c,
		       const struct value *table, bool is_complete)
{
	unsigned int nr = c->errors + c->survived;
	struct block *line;

	put_count(out->root, "allocations", nr);
	put_count(out->root, "errors", c->errors);
	put_count(out->root, "survived", c->survived);
	put_flag(out->root, "complete", is_complete);
	line = view_line(out);
	line_add(line, STYLE_GOOD, "nothing is lost");
	line_add(line, STYLE_PLAIN,
		 "  %u allocation%s, each failed once: %u error%s, %u survived",
		 nr, nr == 1 ? "" : "s", c->errors, c->errors == 1 ? "" : "s",
		 c->survived);
	if (!is_complete)
		view_text(out, "max= ended it: there are more allocations");
	if (nr && nr <= MAX_SHOWN)
		view_value(out, table, 0);
	else if (nr)
		view_text(out,
			  "%u rounds are too many to show; --json has "
			  "them, and dict get ... rounds",
			  nr);
}

static int try_all(struct sweep *s, unsigned int max, struct value *table,
		   struct counts *c, bool *is_complete)
{
	for (s->nth = 1; s->nth <= max; s->nth++) {
		if (try_nth(s))
			return -EINVAL;
		if (!s->round->was_hit) {
			*is_complete = true;
			return 0;
		}
		put_round(table, s);
		count_round(c, s);
	}
	return 0;
}

static int sweep_all(const struct invocation *inv, struct sweep *s,
		     struct model *out, unsigned int max)
{
	struct value *table = put_table(out->root, "rounds");
	struct counts c = { 0 };
	bool is_complete = false;
	int err;

	detail_open(&c.detail);
	err = try_all(s, max, table, &c, &is_complete);
	if (!err && c.losses) {
		fail_answer("lost", NULL,
			    "sweep: %u of %u failures lost something", c.losses,
			    c.errors + c.survived);
		detail_close(&c.detail);
		return -EINVAL;
	}
	fclose(c.detail.f);
	free(c.detail.text);
	if (err)
		return err;
	if (!is_complete && !arg_given(inv, "max"))
		return fail_answer("many", "sweep { ... } max=N",
				   "sweep: the script makes more than %u "
				   "allocations",
				   max);
	put_answer(out, &c, table, is_complete);
	return run_untouched(s->script);
}

static int sweep(const struct invocation *inv, struct model *out)
{
	struct sweep s = { .script = arg_object(inv, "SCRIPT") };
	uint64_t max = MAX_ROUNDS;
	int err;

	if (arg_number(inv, "max", 1000000, &max))
		return -EINVAL;
	if (!max)
		return fail("number", NULL, "sweep: max=0 is no sweep");
	if (is_sweeping)
		return fail("nesting", NULL,
			    "a sweep can not stand inside a sweep");
	if (take_stock(&s.before))
		return fail("no_memory", NULL,
			    "sweep: what is there can not be counted");
	is_sweeping = true;
	s.round = child_shared(sizeof(*s.round));
	err = sweep_all(inv, &s, out, (unsigned int)max);
	munmap(s.round, sizeof(*s.round));
	is_sweeping = false;
	return err;
}

static const struct field round_fields[] = {
	FIELD("nth", COUNT, "which request failed, from 1"),
	FIELD("failed", TEXT, "what it was for"),
	FIELD("at", TEXT, "the command that made it"),
	FIELD("outcome", TEXT, "survived, or the error that ended the script"),
	FIELD("held", NUMBER, "objects that users hold more than before it"),
	FIELD("lost", TEXT, "what nobody has any more; - for nothing"),
	{},
};
static const struct field sweep_fields[] = {
	FIELD("allocations", COUNT, "requests of objects and pages"),
	FIELD("errors", COUNT, "rounds that ended in an error"),
	FIELD("survived", COUNT, "rounds in which the script went on"),
	FIELD("complete", FLAG, "no: max= came before the last"),
	FIELD("rounds", TABLE, "one for each request", .of = round_fields),
	{},
};
static const struct field sweep_returns =
	FIELD("sweep", RECORD, NULL, .of = sweep_fields);

static const struct arg sweep_args[] = {
	ARG("SCRIPT", WORD, "what is tried, and what may fail",
	    .is_required = true),
	ARG("max", KEY, "no more rounds than that; 300", .value = "N"),
	{},
};

const struct command sweep_commands[] = {
	{
		.name = "sweep",
		.brief = "fail each allocation of a script once: what is lost?",
		.example = "sweep { alloc ring 2 as x y; free $x $y }",
		.args = sweep_args,
		.returns = &sweep_returns,
		.run = sweep,
		.instead = "failslab set nth=N lets one request fail",
	},
	{},
};
