/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * help.c - derived from the rows: overview, one command, man page, schema
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "help.h"
#include "output.h"

static const struct field command_fields[] = {
	FIELD("command", TEXT, "as it is typed"),
	FIELD("usage", TEXT, "with its arguments", .how = FIELD_QUIET),
	FIELD("brief", TEXT, "what it does"),
	FIELD("example", TEXT, "a line that works", .how = FIELD_QUIET),
	{},
};
static const struct field help_fields[] = {
	FIELD("topic", TEXT, "what was asked"),
	FIELD("text", TEXT, "of a topic"),
	FIELD("commands", TABLE, "one row each", .of = command_fields),
	{},
};
const struct field help_returns =
	FIELD("help", RECORD, NULL, .of = help_fields);

static void put_command(struct value *table, const struct command *c)
{
	struct value *row = table_row(table);
	char usage[768];

	command_usage(c, usage, sizeof(usage));
	put_text(row, "command", "%s", command_name(c));
	put_text(row, "usage", "%s", usage);
	put_text(row, "brief", "%s", c->brief);
	put_text(row, "example", "%s", c->example);
}

/* caches        cache create list show layout stats shrink destroy */
static void overview_file(struct model *out, const struct command_file *file)
{
	struct block *line = view_line(out);
	const struct command *c = file->commands;
	const char *group = NULL;

	line_add(line, STYLE_DIM, "  %-15s", file->title);
	for (; c->run; c++) {
		if (!c->group) {
			line_add(line, STYLE_STRONG, "%s %s", group ? "  " : "",
				 c->name);
			group = NULL;
			continue;
		}
		if (!group || strcmp(group, c->group))
			line_add(line, STYLE_STRONG, "%s %s",
				 c == file->commands ? "" : "  ", c->group);
		group = c->group;
		if (c->name)
			line_add(line, STYLE_PLAIN, " %s", c->name);
	}
}

static void overview(struct model *out)
{
	struct value *table = put_table(out->root, "commands");
	const struct command_file *file;
	const struct topic *t;

	for (each_command(c))
		put_command(table, c);
	view_text(out, "Commands; `help NAME` tells more, Tab completes:");
	for (file = command_files; file->title; file++)
		overview_file(out, file);
	view_text(out, "  @N COMMAND, @N { ... } run on virtual CPU N");
	view_text(out, "Topics, for help too:");
	for (t = topics; t->name; t++)
		view_text(out, "  %-10s %s", t->name, t->brief);
}

static void about_args(struct model *out, const struct command *c)
{
	const struct arg *a;
	char word[64];

	for (a = c->args; a && a->name; a++) {
		struct block *line = view_line(out);

		switch (a->kind) {
		case ARG_KEY:
		case ARG_ANY_KEY:
			snprintf(word, sizeof(word), "%s=%s", a->name,
				 a->value ? a->value : "");
			break;
		case ARG_AFTER:
			snprintf(word, sizeof(word), "%s %s%s", a->name,
				 a->value, a->takes_rest ? "..." : "");
			break;
		default:
			snprintf(word, sizeof(word), "%s%s", a->name,
				 a->takes_rest ? "..." : "");
		}
		line_add(line, STYLE_NAME, "  %-16s", word);
		line_add(line, STYLE_PLAIN, " %s%s%s", a->brief,
			 a->choices ? ": " : "", a->choices ? a->choices : "");
	}
}

static void about_fields(struct model *out, const struct field *f, int depth)
{
	for (; f && f->name; f++) {
		struct block *line = view_line(out);

		line_add(line, STYLE_DIM, "%*s%-*s", 2 + 2 * depth, "",
			 16 - 2 * depth, f->name);
		line_add(line, STYLE_DIM, " %s", f->brief ? f->brief : "");
		if (depth < 2)
			about_fields(out, f->of, depth + 1);
	}
}

static void about_command(struct model *out, struct value *table,
			  const struct command *c)
{
	struct block *line;
	char usage[768];

	put_command(table, c);
	command_usage(c, usage, sizeof(usage));
	line = view_line(out);
	line_add(line, STYLE_STRONG, "%s", usage);
	view_text(out, "%s", c->brief);
	about_args(out, c);
	if (c->instead)
		view_text(out, "  virtual machines only; with --native: %s",
			  c->instead);
	line = view_line(out);
	line_add(line, STYLE_DIM, "  example: ");
	line_add(line, STYLE_PLAIN, "%s", c->example);
	if (c->returns && c->returns->of) {
		view_text(out, "What it returns:");
		about_fields(out, c->returns->of, 0);
	}
}

/* ---- the man page ---- */

static void roff(FILE *f, const char *text)
{
	bool at_start = true;

	for (; *text; text++) {
		if (at_start && (*text == '.' || *text == '\''))
			fputs("\\&", f);
		if (*text == '\\' || *text == '-')
			fputc('\\', f);
		fputc(*text == '\\' ? 'e' : *text, f);
		at_start = *text == '\n';
	}
}

static void man_command(FILE *f, const struct command *c)
{
	const struct arg *a;
	char usage[768];

	command_usage(c, usage, sizeof(usage));
	fputs(".TP\n.B ", f);
	roff(f, usage);
	fputc('\n', f);
	roff(f, c->brief);
	fputc('\n', f);
	for (a = c->args; a && a->name; a++) {
		fputs(".br\n", f);
		roff(f, a->name);
		fputs(a->kind == ARG_KEY ? "=: " : ": ", f);
		roff(f, a->brief);
		fputc('\n', f);
	}
	if (c->instead) {
		fputs(".br\nVirtual machines only; with --native: ", f);
		roff(f, c->instead);
		fputc('\n', f);
	}
	fputs(".br\nExample:\n.nf\n", f);
	roff(f, c->example);
	fputs("\n.fi\n", f);
}

static void man_commands(FILE *f)
{
	const struct command_file *file;
	const struct command *c;

	for (file = command_files; file->title; file++) {
		fputs(".SS ", f);
		roff(f, file->title);
		fputc('\n', f);
		for (c = file->commands; c->run; c++)
			man_command(f, c);
	}
}

static void man_page(FILE *f)
{
	const struct topic *t;

	fputs(".TH SLABCTL 1\n.SH NAME\nslabctl \\- create slab caches, break "
	      "them on purpose and see what SLUB sees\n.SH SYNOPSIS\n.B "
	      "slabctl\n[OPTIONS] [COMMAND ...]\n.SH COMMANDS\n",
	      f);
	man_commands(f);
	for (t = topics; t->name; t++) {
		fputs(".SH ", f);
		roff(f, t->name);
		fputs("\n.nf\n", f);
		roff(f, t->text);
		fputs("\n.fi\n", f);
	}
}

/* ---- what was asked ---- */

static const struct command *find_row(const char *group, const char *name)
{
	for (each_command(c)) {
		if (!name && !strcmp(c->group ? c->group : c->name, group) &&
		    !(c->group && c->name))
			return c;
		if (name && c->group && c->name && !strcmp(c->group, group) &&
		    !strcmp(c->name, name))
			return c;
	}
	return NULL;
}

static int write_text(struct model *out, void (*write)(FILE *))
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		die_no_memory();
	write(f);
	fclose(f);
	if (size && text[size - 1] == '\n')
		text[size - 1] = '\0';
	put_text(out->root, "text", "%s", text);
	view_text(out, "%s", text);
	free(text);
	return 0;
}

static const struct command *schema_of; /* NULL: all */

static void write_schema(FILE *f)
{
	if (schema_of)
		render_json_schema(schema_of->returns, f);
	else
		render_json_schemas(f);
}

static int about_schema(struct model *out, const char *const *words, size_t nr)
{
	schema_of = nr ? find_row(words[0], nr > 1 ? words[1] : NULL) : NULL;
	if (nr && !schema_of)
		return fail("usage", "help schema cache list",
			    "help schema: no command \"%.40s%s%.40s\"",
			    words[0], nr > 1 ? " " : "",
			    nr > 1 ? words[1] : "");
	return write_text(out, write_schema);
}

static int unknown_topic(const char *word)
{
	const char *names[256];
	const struct topic *t;
	size_t nr = 0;

	for (t = topics; t->name; t++)
		names[nr++] = t->name;
	for (each_command(c)) {
		if (nr < 256)
			names[nr++] = c->group ? c->group : c->name;
	}
	fail("no_topic", "help lists commands and topics",
	     "help: nothing about \"%.60s\"", word);
	hint_nearest(word, names, nr);
	return -EINVAL;
}

int help_about(struct model *out, const char *const *words, size_t nr)
{
	const struct command *c;
	const struct topic *t;
	struct value *table;
	size_t found = 0;

	put_text(out->root, "topic", "%s", nr ? words[0] : "commands");
	if (!nr) {
		overview(out);
		return 0;
	}
	if (!strcmp(words[0], "man"))
		return write_text(out, man_page);
	if (!strcmp(words[0], "bash"))
		return write_text(out, help_bash);
	if (!strcmp(words[0], "schema"))
		return about_schema(out, words + 1, nr - 1);
	for (t = topics; t->name; t++) {
		if (strcmp(t->name, words[0]))
			continue;
		put_text(out->root, "text", "%s", t->text);
		view_text(out, "%s", t->text);
		return 0;
	}
	table = put_table(out->root, "commands");
	c = find_row(words[0], nr > 1 ? words[1] : NULL);
	if (c && (!c->group || c->name)) {
		about_command(out, table, c);
		return 0;
	}
	for (each_command(row)) {
		if (!row->group || strcmp(row->group, words[0]))
			continue;
		if (nr == 1 && !row->name)
			about_command(out, table, row);
		else if (nr == 1)
			put_command(table, row);
		found++;
	}
	if (!found || nr > 1)
		return unknown_topic(words[nr > 1 && found ? 1 : 0]);
	view_value(out, table, 0);
	view_text(out, "`help %s NAME` tells more", words[0]);
	return 0;
}

void help_usage(FILE *f)
{
	const struct topic *t;

	fputs("slabctl - create slab caches, break them on purpose and see "
	      "what SLUB sees\n\n",
	      f);
	fprintf(f, "%s\n\nCommands: slabctl help.  Topics: slabctl -h TOPIC:",
		topics[0].text);
	for (t = topics; t->name; t++)
		fprintf(f, " %s", t->name);
	fputc('\n', f);
}
