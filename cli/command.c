/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * command.c - finds the row that words name, binds its arguments, runs it
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "argument.h"
#include "command.h"
#include "commands.h"

/* One line a file of commands; help shows them in this order. */
const struct command_file command_files[] = {
	{ "caches", cache_commands },
	{ "slabs", slab_commands },
	{ "objects", object_commands },
	{ "who has what", map_commands },
	{ "get and free", alloc_commands },
	{ "many at once", run_commands },
	{ "sheaves", sheaf_commands },
	{ "CPUs", cpu_commands },
	{ "barns", barn_commands },
	{ "in the middle", stop_commands },
	{ "bytes", memory_commands },
	{ "break things", corrupt_commands },
	{ "fail things", sweep_commands },
	{ "check", check_commands },
	{ "reports", report_commands },
	{ "expect", expect_commands },
	{ "test", scenario_commands },
	{ "machine", machine_commands },
	{ "kernel's files", tree_commands },
	{ "lessons", lesson_commands },
	{ "slabctl", session_commands },
	{},
};

static size_t file_length(const struct command_file *file)
{
	size_t n = 0;

	while (file->commands[n].run)
		n++;
	return n;
}

const struct command *command_next(const struct command *c)
{
	const struct command_file *file = command_files;

	if (c) {
		if (c[1].run)
			return c + 1;
		while (c < file->commands ||
		       c >= file->commands + file_length(file))
			file++;
		file++;
	}
	return file->commands;
}

const char *command_name(const struct command *c)
{
	static char name[64];

	snprintf(name, sizeof(name), "%s%s%s", c->group ? c->group : "",
		 c->group && c->name ? " " : "", c->name ? c->name : "");
	return name;
}

bool command_is_group(const char *word)
{
	for (each_command(c)) {
		if (c->group && !strcmp(c->group, word))
			return true;
	}
	return false;
}

static void usage_add(char *buf, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void usage_add(char *buf, size_t size, const char *format, ...)
{
	size_t used = strlen(buf);
	va_list ap;

	va_start(ap, format);
	vsnprintf(buf + used, size - used, format, ap);
	va_end(ap);
}

/* cache create NAME size=N [align=N] ... */
void command_usage(const struct command *c, char *buf, size_t size)
{
	const struct arg *a;

	snprintf(buf, size, "%s", command_name(c));
	for (a = c->args; a && a->name; a++) {
		const char *value = a->value ? a->value : "";
		const char *rest = a->takes_rest ? "..." : "";

		usage_add(buf, size, a->is_required ? " " : " [");
		switch (a->kind) {
		case ARG_WORD:
			usage_add(buf, size, "%s%s",
				  a->choices ? a->choices : a->name, rest);
			break;
		case ARG_KEY:
			usage_add(buf, size, "%s=%s", a->name,
				  a->choices ? a->choices : value);
			break;
		case ARG_ANY_KEY:
			usage_add(buf, size, "%s=%s...", a->name, value);
			break;
		case ARG_FLAG:
			usage_add(buf, size, "%s", a->name);
			break;
		case ARG_AFTER:
			usage_add(buf, size, "%s %s%s", a->name, value, rest);
			break;
		}
		if (!a->is_required)
			usage_add(buf, size, "]");
	}
}

/* The row of "noun verb" or "verb"; a noun's own row when verb fits none. */
const struct command *command_find(const char *noun, const char *verb)
{
	const struct command *own = NULL;

	for (each_command(c)) {
		if (!c->group) {
			if (!strcmp(c->name, noun))
				return c;
			continue;
		}
		if (strcmp(c->group, noun))
			continue;
		if (!c->name)
			own = c;
		else if (verb && !strcmp(c->name, verb))
			return c;
	}
	return own;
}

static int find_verb(const char *noun, const char *verb,
		     const struct command **ret)
{
	const struct command *found = NULL;
	const char *names[64];
	char list[512] = "";
	size_t nr = 0, nr_found = 0;

	for (each_command(c)) {
		if (!c->group || !c->name || strcmp(c->group, noun))
			continue;
		if (nr < 64)
			names[nr++] = c->name;
		usage_add(list, sizeof(list), "%s%s", *list ? ", " : "",
			  c->name);
		if (verb && *verb && !strncmp(c->name, verb, strlen(verb))) {
			found = c;
			nr_found++;
		}
	}
	if (nr_found == 1 && session.is_typing) {
		*ret = found;
		return 0;
	}
	if (!verb)
		return fail("usage", NULL, "%s what? It has: %s", noun, list);
	fail("no_command", NULL, "%s has no %s; it has: %s", noun, verb, list);
	if (nr_found == 1)
		snprintf(session.error.hint, sizeof(session.error.hint),
			 "%s %s: a script spells words out", noun, found->name);
	else
		hint_nearest(verb, names, nr);
	return -EINVAL;
}

/* expect rport "x": not an expression, but a verb that is nearly right. */
static bool is_slip(const char *noun, const char *verb, size_t nr)
{
	const char *names[64];
	size_t n = 0;

	if (nr < 2 || verb[strspn(verb, "abcdefghijklmnopqrstuvwxyz-")])
		return false;
	for (each_command(c)) {
		if (c->group && c->name && !strcmp(c->group, noun) && n < 64)
			names[n++] = c->name;
	}
	return nearest(verb, names, n) != NULL;
}

/* Each command takes one jiffy, and what it does to objects is its doing. */
static int stand_on_machine(struct invocation *inv)
{
	const struct where *w = &session.where;
	uintptr_t site;

	inv->machine = session_machine();
	inv->target = session.target;
	if (!inv->machine)
		return -EINVAL;
	/* a native machine has a clock, and callers with stacks */
	if (session.opt.is_native)
		return 0;
	slab_machine_tick(inv->machine, 1);
	site = slab_machine_site(inv->machine, w->file, w->line, w->text);
	if (site) /* sites are many, not endless: the last one stays */
		slab_machine_set_site(inv->machine, site);
	return 0;
}

int command_dispatch(const char *first, Tcl_Obj *const *objects, size_t nr,
		     const struct command **row, struct model **ret)
{
	struct invocation inv = { 0 };
	const struct command *c;
	const char *verb = nr ? Tcl_GetString(objects[0]) : NULL;
	size_t i;
	int err;

	c = command_find(first, verb);
	if (c && c->group && !c->name && is_slip(c->group, verb, nr))
		c = NULL;
	if (!c) {
		err = find_verb(first, verb, &c);
		if (err)
			return err;
	}
	if (c->group && c->name) {
		objects++;
		nr--;
	}
	*row = inv.command = c;
	inv.objects = objects;
	inv.nr_words = nr;
	inv.words = must_alloc((nr + 1) * sizeof(*inv.words));
	for (i = 0; i < nr; i++)
		inv.words[i] = Tcl_GetString(objects[i]);
	err = c->is_raw ? 0 : arguments_bind(&inv);
	if (!err && c->instead && session.opt.is_native)
		err = fail("virtual", c->instead,
			   "%s: only a virtual machine can do that",
			   command_name(c));
	if (!err && !c->needs_no_machine)
		err = stand_on_machine(&inv);
	if (!err) {
		struct model *m = model_new(c->returns);

		err = c->run(&inv, m);
		if (err)
			model_put(m);
		else
			*ret = m;
	}
	for (i = 0; i < inv.nr_copies; i++)
		free(inv.copies[i]);
	for (i = 0; i < inv.nr_any; i++)
		free((char *)inv.any[i].key);
	free(inv.words);
	return err;
}
