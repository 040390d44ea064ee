/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_expect.c - `expect` and `allow`: what must have happened
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "events.h"
#include "expect.h"
#include "names.h"
#include "output.h"
#include "report_queue.h"
#include "where.h"

static int expect_errors(const struct invocation *inv, struct model *out)
{
	unsigned int errors = slab_machine_errors(inv->machine);
	struct queued_report *q;
	struct detail d;
	uint64_t wanted = 0;
	size_t i;

	(void)out;
	if (arg_number(inv, "N", UINT32_MAX, &wanted))
		return -EINVAL;
	if (errors != wanted) {
		fail_expect("errors %llu: the counter says %u",
			    (unsigned long long)wanted, errors);
		detail_open(&d);
		tell_queue(d.f);
		detail_close(&d);
		return -EINVAL;
	}
	slab_machine_clear_errors(inv->machine);
	for (i = 0; (q = report_queue_at(session.reports, i)); i++)
		q->is_taken = true;
	return 0;
}

/* ---- expect error, state, event ---- */

bool error_is_expectation(void)
{
	return !strcmp(session.error.code, EXPECTATION) &&
	       !strcmp(session.error.message,
		       Tcl_GetStringResult(session.interp));
}

static int expect_error(const struct invocation *inv, struct model *out)
{
	const char *glob = arg_word(inv, "GLOB");
	int code = where_eval_body(arg_object(inv, "SCRIPT"));
	char result[512];

	(void)out;
	snprintf(result, sizeof(result), "%s",
		 Tcl_GetStringResult(session.interp));
	if (code == TCL_ERROR && Tcl_LimitExceeded(session.interp))
		return -EINVAL; /* a loop without end is not what was meant */
	/* what the script got wrong is no answer that anybody waits for */
	if (code == TCL_ERROR && (error_is_expectation() || error_is_mistake()))
		return -EINVAL;
	if (code != TCL_ERROR)
		return fail_expect("error \"%s\": there was no error", glob);
	if (!Tcl_StringMatch(result, glob))
		return fail_expect("error \"%s\": the error was \"%s\"", glob,
				   result);
	Tcl_ResetResult(session.interp);
	return 0;
}

static int expect_state(const struct invocation *inv, struct model *out)
{
	const char *wanted = arg_word(inv, "STATE"), *is;
	struct slab_cache_info cache;
	struct slab_slab_info slab;
	struct detail d;
	char name[NAME_SIZE];

	(void)out;
	if (place_slab(arg_word(inv, "SLAB"), &cache, &slab))
		return -EINVAL;
	is = slab_state_name(slab.state);
	if (!strcmp(is, wanted) ||
	    (!strcmp(wanted, "partial") && slab.state == SLAB_STATE_EMPTY))
		return 0;
	slot_name(cache.name, slab.nr, -1, name);
	fail_expect("state %s %s: it is %s, inuse %u of %u", name, wanted, is,
		    slab.inuse, slab.objects);
	detail_open(&d);
	tell_queue(d.f);
	tell_map(d.f, cache.name);
	detail_close(&d);
	return -EINVAL;
}

/* slab=$b.slab, object=0x55...: as events name them. */
static int read_place(const char *key, const char *value, char *name)
{
	struct slab_cache_info cache;
	struct slab_slab_info slab;
	uintptr_t address;

	snprintf(name, NAME_SIZE, "%s", value);
	if (!strpbrk(value, ".+") && strncmp(value, "0x", 2) != 0)
		return 0;
	if (!strcmp(key, "slab")) {
		if (place_slab(value, &cache, &slab))
			return -EINVAL;
		slot_name(cache.name, slab.nr, -1, name);
	} else if (!strcmp(key, "object")) {
		if (place_address(value, &address))
			return -EINVAL;
		object_name(address, name);
	}
	return 0;
}

/* The key's value in an event; NULL: there is no such key. */
static const char *event_field(const struct slab_event *e, const char *key,
			       char *buf)
{
	if (!strcmp(key, "cache"))
		return e->cache;
	if (!strcmp(key, "slab"))
		return slot_name(e->cache, e->slab_nr, -1, buf);
	if (!strcmp(key, "object"))
		return slot_name(e->cache, e->slab_nr, e->index, buf);
	if (!strcmp(key, "cpu"))
		snprintf(buf, NAME_SIZE, "%u", e->cpu);
	else if (!strcmp(key, "a"))
		snprintf(buf, NAME_SIZE, "%lu", e->a);
	else if (!strcmp(key, "b"))
		snprintf(buf, NAME_SIZE, "%lu", e->b);
	else
		return NULL;
	return buf;
}

static bool event_fits(const struct slab_event *e, const struct invocation *inv,
		       char (*wanted)[NAME_SIZE])
{
	char text[NAME_SIZE];
	size_t i;

	for (i = 0; i < inv->nr_any; i++) {
		if (strcmp(event_field(e, inv->any[i].key, text), wanted[i]))
			return false;
	}
	return true;
}

static int check_event(const struct invocation *inv, unsigned int *kind,
		       char (*wanted)[NAME_SIZE])
{
	const char *names[NR_STEPS], *name = arg_word(inv, "NAME");
	const struct slab_event none = { .index = -1 };
	char text[NAME_SIZE];
	size_t i;

	for (i = 0; i < inv->nr_any; i++) {
		if (!event_field(&none, inv->any[i].key, text))
			return fail("no_key", "cache= slab= object= cpu= a= b=",
				    "expect event has no %s=", inv->any[i].key);
		if (read_place(inv->any[i].key, inv->any[i].value, wanted[i]))
			return -EINVAL;
	}
	for (*kind = 0; *kind < NR_STEPS; ++*kind) {
		names[*kind] = step_name(*kind);
		if (!strcmp(names[*kind], name))
			return 0;
	}
	fail("no_event", NULL, "expect event: no event named \"%.40s\"", name);
	hint_nearest(name, names, NR_STEPS);
	return -EINVAL;
}

/* Points are many, and shown when one of them is wanted. */
static void tell_events(FILE *f, uint64_t after, bool wants_points)
{
	const struct slab_event *e;
	uint64_t seq = after;
	char story[256];
	size_t nr = 0;

	for (; (e = event_log_after(session.events, seq)) && nr < 20;
	     seq = e->seq) {
		*story = '\0';
		if (!step_is_point(e))
			slab_event_sentence(e, story, sizeof(story));
		else if (!wants_points)
			continue;
		fprintf(f, "  %-20s %s\n", step_name(e->kind), story);
		nr++;
	}
}

static int expect_event(const struct invocation *inv, struct model *out)
{
	uint64_t taken = event_log_taken(session.events), seq = taken;
	char wanted[MAX_ARGS + 1][NAME_SIZE];
	const struct slab_event *e;
	char keys[256] = "";
	struct detail d;
	unsigned int kind = 0;
	size_t i, n = 0;

	(void)out;
	if (session.opt.is_native && !session.tells_steps)
		return fail("virtual",
			    "expect {EXPRESSION} looks at what came of it",
			    "expect event: a native machine tells its steps to "
			    "scenarios alone that have this in their body");
	if (check_event(inv, &kind, wanted))
		return -EINVAL;
	for (; (e = event_log_after(session.events, seq)); seq = e->seq) {
		if (e->kind == kind && event_fits(e, inv, wanted)) {
			event_log_take(session.events, e->seq);
			return 0;
		}
	}
	for (i = 0; i < inv->nr_any && n < sizeof(keys); i++)
		n += (size_t)snprintf(keys + n, sizeof(keys) - n, " %s=%s",
				      inv->any[i].key, wanted[i]);
	fail_expect("event %s%s: it did not happen%s", arg_word(inv, "NAME"),
		    keys,
		    taken ? " after the event that was expected last" : "");
	detail_open(&d);
	tell_events(d.f, taken, kind >= SLAB_NR_EVENTS);
	detail_close(&d);
	return -EINVAL;
}

/* ---- expect trace ---- */

static void tell_traces(FILE *f)
{
	size_t dropped = trace_queue_dropped(session.reports), i;
	const char *line;

	for (i = 0; (line = trace_queue_at(session.reports, i)) && i < 20; i++)
		fprintf(f, "  %s\n", line);
	if (line)
		fputs("  and more\n", f);
	if (dropped)
		fprintf(f, "  %zu lines were too many to keep\n", dropped);
}

static int expect_trace(const struct invocation *inv, struct model *out)
{
	const char *glob = arg_word(inv, "GLOB"), *line;
	struct detail d;
	size_t i;

	(void)out;
	for (i = 0; (line = trace_queue_at(session.reports, i)); i++) {
		if (Tcl_StringMatch(line, glob)) {
			trace_queue_take(session.reports, i);
			return 0;
		}
	}
	fail_expect("trace \"%s\": no %sline%s", glob, i ? "such " : "",
		    i ? "" : " is left; caches with debug=T write them");
	detail_open(&d);
	tell_traces(d.f);
	detail_close(&d);
	return -EINVAL;
}

static int expect_no_trace(void)
{
	const char *line = trace_queue_at(session.reports, 0);
	struct detail d;

	if (!line)
		return 0;
	fail_expect("no trace: there is \"%s\"", line);
	detail_open(&d);
	tell_traces(d.f);
	detail_close(&d);
	return -EINVAL;
}

static int expect_no(const struct invocation *inv, struct model *out)
{
	(void)out;
	return strcmp(arg_word(inv, "WHAT"), "trace") ? expect_no_report()
						      : expect_no_trace();
}

/* ---- allow ---- */

static int allow_report(const struct invocation *inv, struct model *out)
{
	(void)out;
	report_queue_allow(session.reports, arg_word(inv, "TEXT"));
	return 0;
}

/* ---- rows ---- */

static const struct arg report_args[] = {
	ARG("TEXT", WORD, "title, or a part of it", .is_required = true,
	    .complete = complete_title),
	ARG("cache", KEY, "the cache it names", .value = "NAME",
	    .complete = complete_cache),
	ARG("object", KEY, "the object or slab it is about", .value = "OBJ",
	    .complete = complete_object),
	ARG("at", KEY, "the first damaged byte", .value = "ADDR",
	    .complete = complete_object),
	ARG("found", KEY, "what was there", .value = "BYTE"),
	ARG("wanted", KEY, "what should have been there", .value = "BYTE"),
	ARG("times", KEY, "that many reports fit, all are taken", .value = "N"),
	ARG("fix", KEY, "a part of a FIX line", .value = "TEXT"),
	{},
};
static const struct arg asan_args[] = {
	ARG("TEXT", WORD, "a part of it: slab-out-of-bounds",
	    .is_required = true),
	ARG("cache", KEY, "the cache it names", .value = "NAME",
	    .complete = complete_cache),
	ARG("object", KEY, "the object whose slot was touched", .value = "OBJ",
	    .complete = complete_object),
	ARG("at", KEY, "the first byte of the access", .value = "ADDR",
	    .complete = complete_object),
	ARG("times", KEY, "that many reports fit, all are taken", .value = "N"),
	{},
};
static const struct arg no_args[] = {
	ARG("WHAT", WORD, "that nothing took", .is_required = true,
	    .choices = "report|trace"),
	{},
};
static const struct arg errors_args[] = {
	ARG("N", WORD, "failed checks and repairs since the last one",
	    .is_required = true),
	{},
};
static const struct arg error_args[] = {
	ARG("GLOB", WORD, "the message, * and ? match", .is_required = true),
	ARG("SCRIPT", WORD, "what must fail", .is_required = true),
	{},
};
static const struct arg state_args[] = {
	ARG("SLAB", WORD, "ring:S1, $b.slab", .is_required = true,
	    .complete = complete_slab),
	ARG("STATE", WORD, "what it is", .is_required = true,
	    .choices = "partial|full|frozen|isolated|empty"),
	{},
};
static const struct arg sheaf_args[] = {
	ARG("PLACE", WORD,
	    "cpu0.main cpu0.spare cpu0.rcu node0.rcu, $h; barn0.full "
	    "barn0.empty count sheaves",
	    .is_required = true),
	ARG("N/CAP", WORD, "what it holds of what it can; N alone, or none",
	    .is_required = true),
	ARG("cache", KEY, "of this cache; else the only one with sheaves",
	    .value = "NAME", .complete = complete_cache),
	{},
};
static const struct arg event_args[] = {
	ARG("NAME", WORD, "a step, or the point at a lock or an exchange",
	    .is_required = true, .complete = complete_event),
	ARG("key", ANY_KEY,
	    "cache= slab= object= cpu= a= b=", .value = "value"),
	{},
};
static const struct arg trace_args[] = {
	ARG("GLOB", WORD, "the line, * and ? match", .is_required = true),
	{},
};
static const struct arg expression_args[] = {
	ARG("EXPRESSION", WORD, "what must be true", .is_required = true),
	{},
};
static const struct arg allow_args[] = {
	ARG("TEXT", WORD, "title, or a part of it", .is_required = true,
	    .complete = complete_title),
	{},
};

#define EXPECT(n, b, e, a, r, ...)                                            \
	{                                                                     \
		.group = "expect", .name = (n), .brief = (b), .example = (e), \
		.args = (a), .run = (r), __VA_ARGS__                          \
	}

const struct command expect_commands[] = {
	EXPECT("report", "a report was made; it is taken",
	       "corrupt $b right-redzone; free $b; "
	       "expect report \"Right Redzone overwritten\" object=$b",
	       report_args, expect_report),
	EXPECT("asan", "AddressSanitizer made a report; it is taken",
	       "scenario \"a read behind an object\" needs=asan {\n"
	       "    cache create ring size=192 debug=Z\n"
	       "    alloc ring as b\n"
	       "    load8 $b.end\n"
	       "    expect asan \"slab-out-of-bounds\" object=$b at=$b.end\n"
	       "}",
	       asan_args, expect_asan),
	EXPECT("no", "no report, or no trace, is left", "expect no report",
	       no_args, expect_no),
	EXPECT("errors", "slub_kunit's counter; takes all reports",
	       "expect errors 0", errors_args, expect_errors),
	EXPECT("error", "a script fails with such a message",
	       "expect error {no cache*} { alloc rign }", error_args,
	       expect_error),
	EXPECT("state", "a slab is in a state", "expect state $b.slab partial",
	       state_args, expect_state),
	EXPECT("sheaf", "so much lies in a sheaf, or in a barn",
	       "expect sheaf cpu0.main 59/60 cache=plain", sheaf_args,
	       expect_sheaf),
	EXPECT("event", "a step happened, after those expected before",
	       "expect event alloc cache=ring", event_args, expect_event),
	EXPECT("trace",
	       "a cache with T wrote such a line, after those "
	       "expected before",
	       "cache create loud size=64 debug=T; alloc loud; "
	       "expect trace \"TRACE loud alloc * inuse=1 *\"",
	       trace_args, expect_trace),
	EXPECT(NULL, "an expression is true",
	       "expect {[dict get [slab show $b.slab] inuse] == 3}",
	       expression_args, expect_expression),
	{
		.group = "allow",
		.name = "report",
		.brief = "such reports do not fail the scenario",
		.example = "allow report \"Poison overwritten\"",
		.args = allow_args,
		.run = allow_report,
	},
	{},
};
