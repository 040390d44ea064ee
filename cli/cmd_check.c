/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_check.c - validate, verify, traces: is it intact, and who has it?
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slab/debug.h>

#include "commands.h"
#include "names.h"
#include "report_queue.h"
#include "stop.h"

/* ---- validate ---- */

static const struct field validate_fields[] = {
	FIELD("slabs", COUNT, "slabs walked"),
	FIELD("reports", COUNT, "reports that it made"),
	FIELD("errors", COUNT,
	      "failed checks and repairs, as slub_kunit "
	      "counts them"),
	{},
};
static const struct field validate_returns =
	FIELD("validate", RECORD, NULL, .of = validate_fields);

static int validate_one(const struct slab_cache_info *cache, long *slabs)
{
	long n = validate_slab_cache(cache_handle(cache));

	if (n < 0)
		return fail_answer("no_memory", NULL, "validate: %s: %s",
				   cache->name, strerror((int)-n));
	*slabs += n;
	return 0;
}

static int validate(const struct invocation *inv, struct model *out)
{
	unsigned int errors = slab_machine_errors(inv->machine);
	unsigned int reports = slab_machine_reports(inv->machine);
	const char *name = arg_word(inv, "CACHE");
	struct slab_cache_info one, *cache;
	size_t nr = 0, i;
	long slabs = 0;
	int err;

	if (name) {
		err = place_cache(name, &one);
		if (!err)
			err = validate_one(&one, &slabs);
	} else {
		err = slab_target_caches(inv->target, &cache, &nr);
		for (i = 0; !err && i < nr; i++)
			err = validate_one(&cache[i], &slabs);
		if (nr)
			free(cache);
	}
	if (err)
		return -EINVAL;
	reports = slab_machine_reports(inv->machine) - reports;
	put_count(out->root, "slabs", (uint64_t)slabs);
	put_count(out->root, "reports", reports);
	put_count(out->root, "errors",
		  slab_machine_errors(inv->machine) - errors);
	view_text(out, "%ld slab%s validated, %u report%s", slabs,
		  slabs == 1 ? "" : "s", reports, reports == 1 ? "" : "s");
	return 0;
}

/* ---- verify ---- */

static const struct field finding_fields[] = {
	FIELD("place", TEXT, "object or slab"),
	FIELD("what", TEXT, "title, as the kernel would report it"),
	FIELD("first", TEXT, "first damaged byte"),
	FIELD("bytes", COUNT, "how many from first to last"),
	FIELD("found", BYTE, "the first byte as it is"),
	FIELD("wanted", BYTE, "as it should be"),
	{},
};
static const struct field verify_fields[] = {
	FIELD("count", COUNT, "number of findings"),
	FIELD("findings", TABLE, "one row each", .of = finding_fields),
	{},
};
static const struct field verify_returns =
	FIELD("verify", RECORD, NULL, .of = verify_fields);

static void take_finding(void *arg, const struct slab_report *r)
{
	struct value *table = arg, *row;
	char name[NAME_SIZE];

	if (r->record != SLAB_RECORD_REPORT)
		return;
	row = table_row(table);
	put_text(row, "place", "%s", report_place(r, name));
	put_text(row, "what", "%s", report_title(r));
	if (!r->last)
		return;
	put_text(row, "first", "%s", place_name(r->first, name));
	put_count(row, "bytes", r->last - r->first + 1);
	put_count(row, "found", r->found);
	put_count(row, "wanted", r->wanted);
}

static int verify(const struct invocation *inv, struct model *out)
{
	const char *name = arg_word(inv, "CACHE");
	struct slab_cache_info cache = { 0 };
	struct value *table;
	struct block *line;
	long n;

	if (name && place_cache(name, &cache))
		return -EINVAL;
	table = put_table(out->root, "findings");
	n = slab_target_verify(inv->target, cache.cache, take_finding, table);
	if (n < 0)
		return fail("verify", NULL, "verify: %s", strerror((int)-n));
	put_count(out->root, "count", (uint64_t)n);
	line = view_line(out);
	line_add(line, n ? STYLE_BAD : STYLE_GOOD, "%ld finding%s", n,
		 n == 1 ? "" : "s");
	if (!n)
		return 0;
	view_value(out, table, 0);
	stop_view(out);
	if (!session.in_scenario)
		session.has_bad_answer = true;
	return 0;
}

/* ---- traces ---- */

static const struct field text_returns =
	FIELD("text", TEXT, "as in /sys/kernel/debug/slab/CACHE");

struct lines {
	FILE *f;
};

static void add_line(void *arg, const char *line)
{
	struct lines *lines = arg;

	fprintf(lines->f, "%s\n", line);
}

static int traces(const struct invocation *inv, struct model *out)
{
	bool is_alloc = !strcmp(arg_word(inv, "WHAT"), "alloc");
	struct slab_cache_info cache;
	struct lines lines;
	char *text = NULL;
	size_t size;
	int err;

	if (place_cache(arg_word(inv, "CACHE"), &cache))
		return -EINVAL;
	lines.f = open_memstream(&text, &size);
	if (!lines.f)
		die_no_memory();
	err = slab_cache_traces(cache_handle(&cache), is_alloc, add_line,
				&lines);
	fclose(lines.f);
	if (err) {
		free(text);
		return fail("no_tracks", "cache create ... debug=U",
			    "traces: %s keeps no tracks", cache.name);
	}
	while (size && text[size - 1] == '\n')
		text[--size] = '\0';
	root_text(out, "%s", text);
	free(text);
	return 0;
}

static const struct arg cache_args[] = {
	ARG("CACHE", WORD, "only this one", .complete = complete_cache),
	{},
};
static const struct arg traces_args[] = {
	ARG("WHAT", WORD, "who got the objects, or who gave them back before",
	    .is_required = true, .choices = "alloc|free"),
	ARG("CACHE", WORD, "name of a cache", .is_required = true,
	    .complete = complete_cache),
	{},
};

const struct command check_commands[] = {
	{
		.name = "validate",
		.brief = "the kernel's validate: reports and repairs",
		.example = "validate ring",
		.args = cache_args,
		.returns = &validate_returns,
		.run = validate,
		.operates = true,
	},
	{
		.name = "verify",
		.brief = "every check, repairing nothing",
		.example = "verify ring",
		.args = cache_args,
		.returns = &verify_returns,
		.run = verify,
	},
	{
		.name = "traces",
		.brief = "who has objects, counted by place",
		.example = "traces alloc ring",
		.args = traces_args,
		.returns = &text_returns,
		.run = traces,
	},
	{},
};
