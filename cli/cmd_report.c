/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_report.c - `report`: what the machine reported, and what it means
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "names.h"
#include "report_queue.h"

static const struct field list_fields[] = {
	FIELD("number", COUNT, "of the report"),
	FIELD("title", TEXT, "as the kernel words it"),
	FIELD("place", TEXT, "object or slab"),
	FIELD("first", TEXT, "first damaged byte, from the object"),
	FIELD("found", BYTE, "as it was found"),
	FIELD("wanted", BYTE, "as it should have been"),
	FIELD("fixes", COUNT, "repairs that followed"),
	FIELD("command", TEXT, "the command that met it", .how = FIELD_EXTRA),
	FIELD("taken", FLAG, "by an expect", .how = FIELD_QUIET),
	{},
};
static const struct field list_part[] = {
	FIELD("reports", TABLE, "oldest first", .of = list_fields),
	{},
};
static const struct field list_returns =
	FIELD("list", RECORD, NULL, .of = list_part);

static void put_damage(struct value *r, const struct slab_report *report)
{
	if (!report->last)
		return;
	if (report->object)
		put_text(r, "first", "%+ld",
			 (long)(report->first - report->object));
	else
		put_text(r, "first", "%s", address_text(report->first));
	put_count(r, "found", report->found);
	put_count(r, "wanted", report->wanted);
}

static size_t nr_fixes(const struct queued_report *q)
{
	const struct queued_fix *f;
	size_t nr = 0;

	for (f = q->fixes; f; f = f->next)
		nr++;
	return nr;
}

static int report_list(const struct invocation *inv, struct model *out)
{
	struct value *table = put_table(out->root, "reports");
	struct queued_report *q;
	char name[NAME_SIZE], command[700];
	size_t i;

	(void)inv;
	for (i = 0; (q = report_queue_at(session.reports, i)); i++) {
		struct value *row = table_row(table);

		put_count(row, "number", q->report.number);
		put_text(row, "title", "%s", report_title(&q->report));
		put_text(row, "place", "%s", report_place(&q->report, name));
		put_damage(row, &q->report);
		put_count(row, "fixes", nr_fixes(q));
		put_text(row, "command", "%s",
			 report_command(q, command, sizeof(command)));
		put_flag(row, "taken", q->is_taken);
	}
	if (report_queue_dropped(session.reports))
		return fail_answer("dropped", "report clear makes room",
				   "%zu more reports found no place",
				   report_queue_dropped(session.reports));
	return 0;
}

static int find_report(const struct invocation *inv, struct queued_report **ret)
{
	size_t nr = report_queue_nr(session.reports);
	uint64_t number = 0;

	*ret = NULL;
	if (arg_number(inv, "N", UINT32_MAX, &number))
		return -EINVAL;
	if (!arg_given(inv, "N"))
		*ret = report_queue_at(session.reports, nr - 1);
	else
		*ret = report_queue_number(session.reports,
					   (unsigned int)number);
	if (*ret)
		return 0;
	if (!nr)
		return fail("no_report", NULL, "there is no report");
	return fail("no_report", "report list", "there is no report %llu",
		    (unsigned long long)number);
}

/* ---- show ---- */

static const struct field show_fields[] = {
	FIELD("number", COUNT, "of the report"),
	FIELD("title", TEXT, "as the kernel words it"),
	FIELD("place", TEXT, "object or slab"),
	FIELD("cache", TEXT, "cache name"),
	FIELD("first", TEXT, "first damaged byte, from the object"),
	FIELD("found", BYTE, "as it was found"),
	FIELD("wanted", BYTE, "as it should have been"),
	FIELD("fixes", LIST, "repairs that followed"),
	FIELD("command", TEXT, "the command that met it"),
	FIELD("log", TEXT, "as the kernel's log shows it"),
	{},
};
static const struct field show_returns =
	FIELD("report", RECORD, NULL, .of = show_fields);

static int report_show(const struct invocation *inv, struct model *out)
{
	const struct queued_fix *f;
	struct queued_report *q;
	struct value *list;
	char name[NAME_SIZE], command[700];

	if (find_report(inv, &q))
		return -EINVAL;
	put_count(out->root, "number", q->report.number);
	put_text(out->root, "title", "%s", report_title(&q->report));
	put_text(out->root, "place", "%s", report_place(&q->report, name));
	put_text(out->root, "cache", "%s", q->report.cache);
	put_damage(out->root, &q->report);
	list = put_list(out->root, "fixes");
	put_text(out->root, "command", "%s",
		 report_command(q, command, sizeof(command)));
	put_text(out->root, "log", "%s", q->log);
	view_text(out, "%.*s", (int)strlen(q->log) - 1, q->log);
	for (f = q->fixes; f; f = f->next) {
		list_text(list, "%s", f->text);
		view_text(out, "%s", f->text);
	}
	return 0;
}

/* ---- explain ---- */

static const struct field explain_returns =
	FIELD("explanation", TEXT, "in plain sentences");

/* 2 bytes from ring:S1#0+192: found 0x12, wanted 0xcc. */
static void explain_bytes(struct model *out, const struct slab_report *r)
{
	unsigned long n = r->last - r->first + 1;
	char name[NAME_SIZE];

	if (!r->last)
		return;
	view_text(out, "  what   %lu byte%s at %s: found 0x%02x, wanted 0x%02x",
		  n, n == 1 ? "" : "s", place_name(r->first, name), r->found,
		  r->wanted);
}

static int report_explain(const struct invocation *inv, struct model *out)
{
	const struct slab_report_row *row;
	const struct queued_fix *f;
	struct queued_report *q;
	struct block *line;
	char name[NAME_SIZE], command[700];

	if (find_report(inv, &q))
		return -EINVAL;
	row = slab_report_row(q->report.kind);
	root_text(out, "%s: %s", report_title(&q->report), row->sentence);
	line = view_line(out);
	line_add(line, STYLE_STRONG, "Report %u: %s", q->report.number,
		 report_title(&q->report));
	view_text(out, "  %s", row->sentence);
	view_text(out, "  where  %s", report_place(&q->report, name));
	explain_bytes(out, &q->report);
	view_text(out, "  when   %s ran on CPU %u, jiffy %llu",
		  report_command(q, command, sizeof(command)), q->report.cpu,
		  (unsigned long long)q->report.when);
	for (f = q->fixes; f; f = f->next)
		view_text(out, "  then   %s", slab_fix_sentence(f->kind));
	if (!q->fixes)
		view_text(out, "  then   nothing was repaired");
	return 0;
}

static int report_clear(const struct invocation *inv, struct model *out)
{
	(void)inv;
	(void)out;
	report_queue_clear(session.reports);
	return 0;
}

static const struct arg number_args[] = {
	ARG("N", WORD, "number of a report; the last one",
	    .complete = complete_report),
	{},
};

const struct command report_commands[] = {
	{
		.group = "report",
		.name = "list",
		.brief = "one row a report",
		.example = "report list",
		.returns = &list_returns,
		.run = report_list,
	},
	{
		.group = "report",
		.name = "show",
		.brief = "one report, as the kernel's log has it",
		.example = "corrupt $b right-redzone; validate ring; "
			   "report show 1",
		.args = number_args,
		.returns = &show_returns,
		.run = report_show,
	},
	{
		.group = "report",
		.name = "explain",
		.brief = "one report in plain sentences",
		.example = "corrupt $b right-redzone; validate ring; "
			   "report explain",
		.args = number_args,
		.returns = &explain_returns,
		.run = report_explain,
	},
	{
		.group = "report",
		.name = "last",
		.brief = "the newest report",
		.example = "corrupt $b right-redzone; validate ring; "
			   "report last",
		.returns = &show_returns,
		.run = report_show,
	},
	{
		.group = "report",
		.name = "clear",
		.brief = "forget them",
		.example = "report clear",
		.run = report_clear,
	},
	{},
};
