/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_object.c - `object`: one slot of a slab, its bytes, what happened to it
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slab/debug.h>

#include "commands.h"
#include "events.h"
#include "hexdump.h"
#include "names.h"
#include "owners.h"
#include "picture.h"
#include "report_queue.h"

#define MAX_MARKS 8

static const struct field damage_fields[] = {
	FIELD("what", TEXT, "title of the finding"),
	FIELD("first", ADDRESS, "first damaged byte"),
	FIELD("last", ADDRESS, "last damaged byte"),
	FIELD("found", BYTE, "the first byte as it was found"),
	FIELD("wanted", BYTE, "as it should have been"),
	FIELD("report", COUNT, "number of the report; none: found now"),
	{},
};
static const struct field track_fields[] = {
	FIELD("by", TEXT, "who did it"),
	FIELD("address", ADDRESS, "where that is, for require-start and such",
	      .how = FIELD_QUIET),
	FIELD("cpu", COUNT, "on which CPU"),
	FIELD("pid", COUNT, "by which process"),
	FIELD("age", JIFFIES, "how long ago"),
	{},
};
static const struct field show_fields[] = {
	FIELD("name", TEXT, "as other commands call it"),
	FIELD("variable", TEXT, "the name that `as` gave"),
	FIELD("address", ADDRESS, "of its first byte"),
	FIELD("object_size", BYTES, "size the caller asked for"),
	FIELD("orig_size", BYTES, "what kmalloc() was asked for"),
	FIELD("owner", TEXT,
	      "user, freelist, main, spare, rcu, barn, "
	      "prefilled, lost, unknown"),
	FIELD("rests", TEXT, "the sheaf it lies in: cpu0.main, barn0.full"),
	FIELD("damaged", FLAG, "a check finds something now"),
	FIELD("slab", TEXT, "the slab it lies in"),
	FIELD("state", TEXT, "the slab's"),
	FIELD("frozen_by", COUNT, "number of the report that froze the slab"),
	FIELD("next", TEXT, "the free object behind it"),
	FIELD("damage", TABLE, "what was found in it", .of = damage_fields),
	FIELD("alloc", RECORD, "who got it last", .of = track_fields),
	FIELD("free", RECORD, "who gave it back last", .of = track_fields),
	{},
};
static const struct field show_returns =
	FIELD("object", RECORD, NULL, .of = show_fields);

struct findings {
	struct model *out;
	struct value *table;
	uintptr_t object;
	struct ruler_mark mark[MAX_MARKS];
	size_t nr;
};

/* +192..+193: found 0x12, wanted 0xcc (Right Redzone, report 2) */
static void add_finding(struct findings *f, const struct slab_report *r,
			unsigned int number)
{
	struct value *row = table_row(f->table);
	long first = (long)(r->first - f->object);
	long last = (long)(r->last - f->object);
	const char *title = report_title(r), *end;
	char range[48], tail[32] = "";

	put_text(row, "what", "%s", report_title(r));
	if (number) {
		put_count(row, "report", number);
		snprintf(tail, sizeof(tail), ", report %u", number);
	}
	if (!r->last)
		return;
	put_count(row, "first", to_print(r->first));
	put_count(row, "last", to_print(r->last));
	put_count(row, "found", r->found);
	put_count(row, "wanted", r->wanted);
	if (f->nr == MAX_MARKS)
		return;
	snprintf(range, sizeof(range), first == last ? "%+ld" : "%+ld..%+ld",
		 first, last);
	end = strstr(title, " overwritten");
	f->mark[f->nr].offset = first;
	f->mark[f->nr].style = number ? STYLE_WARN : STYLE_BAD;
	f->mark[f->nr++].text = model_format(
		f->out, "%s: found 0x%02x, wanted 0x%02x (%.*s%s)", range,
		r->found, r->wanted,
		(int)(end ? end - title : (long)strlen(title)), title, tail);
}

static void take_finding(void *arg, const struct slab_report *r)
{
	struct findings *f = arg;

	if (r->record == SLAB_RECORD_REPORT && r->object == f->object)
		add_finding(f, r, 0);
}

static void find_damage(struct findings *f, const struct slab_address_info *i)
{
	struct queued_report *q;
	size_t n;

	slab_target_verify(session.target, i->cache.cache, take_finding, f);
	for (n = 0; (q = report_queue_at(session.reports, n)); n++) {
		if (q->report.object == f->object &&
		    !strcmp(q->report.cache, i->cache.name))
			add_finding(f, &q->report, q->report.number);
	}
}

static const char *track_text(const struct slab_track *t, char *buf,
			      size_t size)
{
	const char *file, *text;
	unsigned int line;

	if (slab_machine_site_lookup(session.machine, t->addr, &file, &line,
				     &text))
		snprintf(buf, size, "%s:%u  %s", file, line, text);
	else
		slab_symbol(session.machine, t->addr, buf, size);
	return buf;
}

static void put_track(struct model *out, const char *name,
		      const struct slab_track *t)
{
	uint64_t now = slab_machine_jiffies(session.machine);
	struct block *line;
	struct value *r;
	char by[640];

	if (!t->addr)
		return;
	track_text(t, by, sizeof(by));
	r = put_record(out->root, name);
	put_text(r, "by", "%s", by);
	put_count(r, "address", to_print(t->addr));
	put_count(r, "cpu", (uint64_t)t->cpu);
	put_count(r, "pid", (uint64_t)t->pid);
	put_count(r, "age", now - t->when);
	line = view_line(out);
	line_add(line, STYLE_STRONG, "%-6s", name);
	line_add(line, STYLE_PLAIN, " cpu%d  age %llu  %s", t->cpu,
		 (unsigned long long)(now - t->when), by);
}

static void put_head(struct model *out, const struct slab_address_info *i,
		     const char *name, const char *variable,
		     const char *sentence)
{
	struct block *line = view_line(out);
	bool is_frozen = i->slab.state == SLAB_STATE_FROZEN;

	line_add(line, STYLE_STRONG, "%s", name);
	if (variable)
		line_add(line, STYLE_NAME, "  $%s", variable);
	line_add(line, STYLE_PLAIN, "  %s  ", address_text(i->object.address));
	if (i->object.is_damaged)
		line_add(line, STYLE_BAD, "damaged, ");
	line_add(line, STYLE_PLAIN, "%s   slab S%u ", sentence, i->slab.nr);
	line_add(line, is_frozen ? STYLE_BAD : STYLE_PLAIN, "%s",
		 is_frozen ? "FROZEN" : slab_state_name(i->slab.state));
	if (i->slab.report)
		line_add(line, STYLE_PLAIN, " by report %u", i->slab.report);
}

static int object_show(const struct invocation *inv, struct model *out)
{
	struct slab_track alloc = { 0 }, freed = { 0 };
	struct slab_address_info info;
	struct findings found = { .out = out };
	struct value *r = out->root;
	char name[NAME_SIZE], next[NAME_SIZE];
	char text[2 * PLACE_SIZE], rests[PLACE_SIZE];
	const char *variable, *sentence;

	if (place_object(arg_word(inv, "OBJ"), &info))
		return -EINVAL;
	object_name(info.object.address, name);
	variable = labels_find(session.labels, name);
	put_text(r, "name", "%s", name);
	if (variable)
		put_text(r, "variable", "%s", variable);
	put_count(r, "address", to_print(info.object.address));
	put_count(r, "object_size", info.cache.object_size);
	if (info.object.orig_size)
		put_count(r, "orig_size", info.object.orig_size);
	put_text(r, "owner", "%s", slab_owner_name(info.object.owner));
	sentence = owner_sentence(&info, text, rests);
	if (*rests)
		put_text(r, "rests", "%s", rests);
	put_flag(r, "damaged", info.object.is_damaged);
	put_text(r, "slab", "%s:S%u", info.cache.name, info.slab.nr);
	put_text(r, "state", "%s", slab_state_name(info.slab.state));
	if (info.slab.report)
		put_count(r, "frozen_by", info.slab.report);
	if (info.object.owner == SLAB_OWNER_FREELIST)
		put_text(r, "next", "%s",
			 info.object.next ? place_name(info.object.next, next)
					  : "-");
	found.table = put_table(r, "damage");
	found.object = info.object.address;
	find_damage(&found, &info);
	put_head(out, &info, name, variable, sentence);
	picture_object(out, &info.cache, found.mark, found.nr);
	if (info.object.orig_size)
		view_text(out, "size   %lu of %u bytes were asked for",
			  (unsigned long)info.object.orig_size,
			  info.cache.object_size);
	if (!slab_object_tracks(inv->machine, (void *)info.object.address,
				&alloc, &freed)) {
		put_track(out, "alloc", &alloc);
		put_track(out, "free", &freed);
	}
	return 0;
}

/* ---- dump ---- */

static const struct field part_fields[] = {
	FIELD("region", TEXT, "what it is"),
	FIELD("address", ADDRESS, "of its first byte"),
	FIELD("bytes", LIST, "what is in it"),
	{},
};
static const struct field dump_fields[] = {
	FIELD("name", TEXT, "the object"),
	FIELD("regions", TABLE, "in address order", .of = part_fields),
	{},
};
static const struct field dump_returns =
	FIELD("dump", RECORD, NULL, .of = dump_fields);

static int dump_region(struct model *out, struct value *table,
		       enum slab_region region, uintptr_t address, size_t n)
{
	struct value *row = table_row(table), *list;
	uint8_t *bytes = must_alloc(n);
	size_t i;

	if (slab_target_read(session.target, address, bytes, n)) {
		free(bytes);
		return fail("unreadable", NULL, "%s can not be read",
			    address_text(address));
	}
	put_text(row, "region", "%s", slab_region_name(region));
	put_count(row, "address", to_print(address));
	list = put_list(row, "bytes");
	for (i = 0; i < n; i++)
		list_number(list, KIND_BYTE, bytes[i]);
	view_hexdump(out, slab_region_name(region),
		     region == SLAB_REGION_OBJECT ? STYLE_NAME : STYLE_WARN,
		     to_print(address), bytes, n);
	free(bytes);
	return 0;
}

static int object_dump(const struct invocation *inv, struct model *out)
{
	struct slab_region_info region[12];
	struct slab_address_info info;
	struct value *table;
	char name[NAME_SIZE];
	size_t nr, i;

	if (place_object(arg_word(inv, "OBJ"), &info))
		return -EINVAL;
	put_text(out->root, "name", "%s",
		 object_name(info.object.address, name));
	table = put_table(out->root, "regions");
	nr = slab_cache_layout(&info.cache, region);
	for (i = 0; i < nr; i++) {
		uintptr_t at = info.object.address +
			       (uintptr_t)(intptr_t)region[i].offset;

		if (region[i].region != SLAB_REGION_TAIL &&
		    dump_region(out, table, region[i].region, at,
				region[i].length))
			return -EINVAL;
	}
	return 0;
}

/* ---- history ---- */

static const struct field event_fields[] = {
	FIELD("when", JIFFIES, "the machine's clock"),
	FIELD("cpu", COUNT, "on which CPU"),
	FIELD("event", TEXT, "name of the step"),
	FIELD("story", TEXT, "in words"),
	{},
};
static const struct field history_fields[] = {
	FIELD("name", TEXT, "the object", .how = FIELD_QUIET),
	FIELD("events", TABLE, "oldest first", .of = event_fields),
	{},
};
static const struct field history_returns =
	FIELD("history", RECORD, NULL, .of = history_fields);

static int object_history(const struct invocation *inv, struct model *out)
{
	const struct slab_event *e;
	struct slab_address_info info;
	struct value *table, *row;
	char name[NAME_SIZE], story[256];
	uint64_t seq = 0;

	if (place_object(arg_word(inv, "OBJ"), &info))
		return -EINVAL;
	put_text(out->root, "name", "%s",
		 object_name(info.object.address, name));
	table = put_table(out->root, "events");
	if (event_log_has_gap(session.events, 0))
		view_text(out,
			  "older steps are forgotten: the newest %u of "
			  "the machine are kept",
			  EVENT_LOG_SIZE);
	for (; (e = event_log_after(session.events, seq)); seq = e->seq) {
		if (step_is_point(e) || e->object != info.object.address)
			continue;
		slab_event_sentence(e, story, sizeof(story));
		row = table_row(table);
		put_count(row, "when", e->when);
		put_count(row, "cpu", e->cpu);
		put_text(row, "event", "%s", slab_event_name(e->kind));
		put_text(row, "story", "%s", story);
	}
	view_value(out, table, 0);
	return 0;
}

static const struct arg object_args[] = {
	ARG("OBJ", WORD, "ring:S1#3, $b or its address", .is_required = true,
	    .complete = complete_object),
	{},
};

const struct command object_commands[] = {
	{
		.group = "object",
		.name = "show",
		.brief = "where it is, who has it, what is wrong with it",
		.example = "object show $b",
		.args = object_args,
		.returns = &show_returns,
		.run = object_show,
	},
	{
		.group = "object",
		.name = "dump",
		.brief = "its bytes, region by region",
		.example = "object dump $b",
		.args = object_args,
		.returns = &dump_returns,
		.run = object_dump,
	},
	{
		.group = "object",
		.name = "history",
		.brief = "what the allocator did with it",
		.example = "object history $b",
		.args = object_args,
		.returns = &history_returns,
		.run = object_history,
		.instead = "object show has the tracks of caches with U; "
			   "perf and bpftrace follow its USDT probes",
	},
	{},
};
