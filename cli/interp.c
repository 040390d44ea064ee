/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * interp.c - the Tcl interpreter: what is taken out, what is put in
 *
 * Taken out: what reads files, runs programs or asks the host for time and
 * numbers (a safe interpreter, and clock, time, after, vwait, pid). Put in: a
 * command for every noun and verb of the rows, @N, puts, source, unknown.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "hints.h"
#include "interp.h"
#include "output.h"
#include "stop.h"
#include "where.h"

static int report_error(Tcl_Interp *ip)
{
	const struct cli_error *e = &session.error;
	Tcl_Obj *code = Tcl_NewListObj(0, NULL);

	Tcl_SetObjResult(ip, Tcl_NewStringObj(e->message, -1));
	Tcl_ListObjAppendElement(NULL, code, Tcl_NewStringObj("SLAB", -1));
	Tcl_ListObjAppendElement(NULL, code, Tcl_NewStringObj(e->code, -1));
	Tcl_SetObjErrorCode(ip, code);
	return TCL_ERROR;
}

static bool shows_answers(void)
{
	return !session.in_scenario &&
	       (!session.opt.is_quiet || session.is_oneshot);
}

/* Every command of the rows comes through here. */
static int run_command(ClientData name, Tcl_Interp *ip, int objc,
		       Tcl_Obj *const objv[])
{
	struct where saved = session.where;
	const struct command *row = NULL;
	struct model *m = NULL;
	Tcl_Obj *result;
	bool is_statement;
	int err;

	is_statement = where_now(&session.where);
	free(session.error.detail);
	memset(&session.error, 0, sizeof(session.error));
	err = stop_dispatch(name, objv + 1, (size_t)objc - 1, &row, &m);
	if (!err && is_statement && shows_answers())
		err = output_model(command_name(row), m);
	if (!err) {
		result = model_object(m);
		Tcl_SetObjResult(ip, result);
		if (is_statement)
			session.shown = result;
	}
	model_put(m);
	session.where = saved;
	return err ? report_error(ip) : TCL_OK;
}

/* @1 go: a command of one word, and no body. */
static bool is_one_word(const char *text)
{
	return !strpbrk(text, " \t\n;$[]{}\"\\#");
}

/* @N COMMAND ..., @N { ... } */
static int run_on_cpu(ClientData number, Tcl_Interp *ip, int objc,
		      Tcl_Obj *const objv[])
{
	unsigned int cpu = (unsigned int)(uintptr_t)number, before;
	struct slab_machine *m = session_machine();
	struct where saved = session.where;
	int code;

	if (!m)
		return report_error(ip);
	where_now(&session.where);
	before = slab_machine_cpu(m);
	if (objc < 2)
		fail("usage", NULL, "@N COMMAND or @N { ... }");
	if (objc < 2 || session_use_cpu(cpu)) {
		session.where = saved;
		return report_error(ip);
	}
	code = objc == 2 && !is_one_word(Tcl_GetString(objv[1]))
		       ? where_eval_body(objv[1])
		       : Tcl_EvalObjv(ip, objc - 1, objv + 1, 0);
	/* a reset in there made another machine of it */
	slab_machine_set_cpu(session.machine, before);
	session.where = saved;
	return code;
}

static int run_unknown(ClientData unused, Tcl_Interp *ip, int objc,
		       Tcl_Obj *const objv[])
{
	const char *word = objc > 1 ? Tcl_GetString(objv[1]) : "";
	const char *found = NULL;
	char all[256] = "";
	size_t nr = 0, used = 0;

	(void)unused;
	for (each_command(c)) {
		const char *first = c->group ? c->group : c->name;

		if (!*word || strncmp(first, word, strlen(word)) ||
		    (found && !strcmp(found, first)))
			continue;
		found = first;
		nr++;
		if (used < sizeof(all))
			used += (size_t)snprintf(all + used, sizeof(all) - used,
						 "%s%s", used ? ", " : "",
						 first);
	}
	if (nr == 1 && session.is_typing)
		return run_command((ClientData)found, ip, objc - 1, objv + 1);
	where_now(&session.where);
	hint_unknown(word);
	if (nr == 1 && !session.is_typing)
		snprintf(session.error.hint, sizeof(session.error.hint),
			 "%s: a script spells words out", found);
	else if (nr > 1)
		snprintf(session.error.hint, sizeof(session.error.hint), "%s",
			 all);
	return report_error(ip);
}

static int puts_usage(Tcl_Interp *ip)
{
	fail("usage", "puts TEXT, puts -nonewline TEXT, puts stderr TEXT",
	     "puts: wrong words");
	return report_error(ip);
}

static int run_puts(ClientData unused, Tcl_Interp *ip, int objc,
		    Tcl_Obj *const objv[])
{
	const struct model *m;
	bool newline = true, to_stderr = false;
	const char *text;
	int i = 1, length;

	(void)unused;
	if (i < objc - 1 && !strcmp(Tcl_GetString(objv[i]), "-nonewline")) {
		newline = false;
		i++;
	}
	if (i < objc - 1) {
		to_stderr = !strcmp(Tcl_GetString(objv[i]), "stderr");
		if (!to_stderr && strcmp(Tcl_GetString(objv[i]), "stdout"))
			return puts_usage(ip);
		i++;
	}
	if (i != objc - 1)
		return puts_usage(ip);
	m = object_model(objv[i]);
	if (m && !to_stderr)
		return output_model("puts", m) ? report_error(ip) : TCL_OK;
	text = Tcl_GetStringFromObj(objv[i], &length);
	if (output_text(text, (size_t)length, to_stderr, newline))
		return report_error(ip);
	return TCL_OK;
}

/* A script may read scripts beside it and below. */
static int run_source(ClientData unused, Tcl_Interp *ip, int objc,
		      Tcl_Obj *const objv[])
{
	char path[4096], *real = NULL;
	const char *name = objc == 2 ? Tcl_GetString(objv[1]) : NULL;
	size_t n = session.folder ? strlen(session.folder) : 0;
	Tcl_Obj *file;
	int code;

	(void)unused;
	where_now(&session.where);
	if (!name)
		fail("usage", NULL, "source FILE");
	else if (!n)
		fail("hidden", "put it into a file and run that with -f",
		     "source needs a script file to be beside");
	else if (snprintf(path, sizeof(path), "%s/%s", session.folder, name) >=
			 (int)sizeof(path) ||
		 !(real = realpath(path, NULL)))
		fail("no_file", NULL, "source: %s: %s", name, strerror(errno));
	else if (strncmp(real, session.folder, n) || real[n] != '/')
		fail("hidden", "--trusted lifts that",
		     "source: %s is outside the script's folder", name);
	else {
		file = Tcl_NewStringObj(real, -1);
		Tcl_IncrRefCount(file);
		code = Tcl_FSEvalFileEx(ip, file, "utf-8");
		Tcl_DecrRefCount(file);
		free(real);
		return code;
	}
	free(real);
	return report_error(ip);
}

static void add_commands(Tcl_Interp *ip)
{
	uintptr_t cpu;
	char name[16];

	for (each_command(c)) {
		const char *first = c->group ? c->group : c->name;

		Tcl_CreateObjCommand(ip, first, run_command, (ClientData)first,
				     NULL);
	}
	for (cpu = 0; cpu < SLAB_VIRTUAL_CPUS; cpu++) {
		snprintf(name, sizeof(name), "@%u", (unsigned int)cpu);
		Tcl_CreateObjCommand(ip, name, run_on_cpu, (ClientData)cpu,
				     NULL);
	}
	Tcl_CreateObjCommand(ip, "unknown", run_unknown, NULL, NULL);
	if (!session.opt.is_trusted) {
		Tcl_CreateObjCommand(ip, "puts", run_puts, NULL, NULL);
		Tcl_CreateObjCommand(ip, "source", run_source, NULL, NULL);
	}
}

static void tcl_panic(const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	/* unable to (re)alloc N bytes; max size for a Tcl value exceeded */
	if (strstr(text, "alloc") || strstr(text, "max size")) {
		output_fatal(
			"no_memory",
			"the script builds a value larger than the memory "
			"it may use",
			session.opt.is_trusted
				? "the host has no more"
				: "1 GiB is the limit; --trusted lifts it");
		_exit(EXIT_USAGE);
	}
	fflush(stdout);
	fprintf(stderr, "slabctl: the Tcl library gave up: %s\n", text);
	abort();
}

int interp_create(const char *argv0)
{
	static const char *const outlaws[] = { "clock", "time", "after",
					       "vwait", "pid" };
	char seed[64];
	size_t i;

	Tcl_SetPanicProc(tcl_panic);
	Tcl_FindExecutable(argv0);
	session.master = Tcl_CreateInterp();
	session.interp = Tcl_CreateSlave(session.master, "slab",
					 !session.opt.is_trusted);
	if (!session.interp)
		return fail("tcl", NULL, "the Tcl interpreter does not start");
	for (i = 0; i < sizeof(outlaws) / sizeof(outlaws[0]); i++) {
		if (!session.opt.is_trusted)
			Tcl_DeleteCommand(session.interp, outlaws[i]);
	}
	add_commands(session.interp);
	snprintf(seed, sizeof(seed), "expr {srand(%llu)}",
		 (unsigned long long)(session.opt.seed % 2147483647ULL));
	Tcl_Eval(session.interp, seed);
	Tcl_ResetResult(session.interp);
	interp_watch(true);
	return 0;
}

void interp_destroy(void)
{
	interp_watch(false);
	if (session.master)
		Tcl_DeleteInterp(session.master);
	session.master = session.interp = NULL;
}
