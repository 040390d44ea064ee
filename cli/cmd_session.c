/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_session.c - help, explain, quit: about slabctl itself
 */
#include <errno.h>
#include <string.h>

#include "commands.h"
#include "help.h"

static int help(const struct invocation *inv, struct model *out)
{
	const struct bound *words = arg_bound(inv, "TOPIC");

	return help_about(out, words ? words->words : NULL,
			  words ? words->nr : 0);
}

static int schema(const struct invocation *inv, struct model *out)
{
	const struct bound *words = arg_bound(inv, "COMMAND");
	const char *all[4] = { "schema" };
	size_t nr = words ? words->nr : 0, i;

	if (nr > 2)
		return fail("usage", "schema cache list",
			    "schema: there is no place for \"%.40s\"",
			    words->words[2]);
	for (i = 0; i < nr; i++)
		all[i + 1] = words->words[i];
	return help_about(out, all, nr + 1);
}

static int explain(const struct invocation *inv, struct model *out)
{
	(void)out;
	session.explains = !strcmp(arg_word(inv, "WHAT"), "on");
	return 0;
}

/* An error that no catch holds: the limit is in the past, wants_quit tells. */
static int quit(const struct invocation *inv, struct model *out)
{
	uint64_t code = 0;
	Tcl_Time past = { 1, 0 };

	(void)out;
	if (arg_number(inv, "CODE", 255, &code))
		return -EINVAL;
	session.quit_code = (int)code;
	session.wants_quit = true;
	Tcl_LimitSetTime(session.interp, &past);
	Tcl_LimitSetGranularity(session.interp, TCL_LIMIT_TIME, 1);
	Tcl_LimitTypeSet(session.interp, TCL_LIMIT_TIME);
	return fail("quit", NULL, "quit");
}

static const struct arg help_args[] = {
	ARG("TOPIC", WORD, "a command or a topic; man, bash, schema", .takes_rest = true,
	    .complete = complete_topic),
	{},
};
static const struct arg schema_args[] = {
	ARG("COMMAND", WORD, "of one command; none: of all",
	    .takes_rest = true, .complete = complete_topic),
	{},
};
static const struct arg explain_args[] = {
	ARG("WHAT", WORD, "tell each step in a sentence", .is_required = true,
	    .choices = "on|off"),
	{},
};
static const struct arg quit_args[] = {
	ARG("CODE", WORD, "exit code; 0"),
	{},
};

const struct command session_commands[] = {
	{
		.name = "explain",
		.brief = "narrate each step as it happens",
		.example = "explain on",
		.args = explain_args,
		.run = explain,
		.needs_no_machine = true,
		.instead = "perf and bpftrace follow its USDT probes",
	},
	{
		.name = "help",
		.brief = "commands and topics",
		.example = "help cache create",
		.args = help_args,
		.returns = &help_returns,
		.run = help,
		.needs_no_machine = true,
	},
	{
		.name = "schema",
		.brief = "the JSON schema of what a command answers",
		.example = "schema cache list",
		.args = schema_args,
		.returns = &help_returns,
		.run = schema,
		.needs_no_machine = true,
	},
	{
		.name = "quit",
		.brief = "leave",
		.example = "quit",
		.args = quit_args,
		.run = quit,
		.needs_no_machine = true,
	},
	{
		.name = "exit",
		.brief = "the same as quit",
		.example = "exit 0",
		.args = quit_args,
		.run = quit,
		.needs_no_machine = true,
	},
	{},
};
