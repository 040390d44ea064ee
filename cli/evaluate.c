/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * evaluate.c - a unit (a file, a typed line, a command) from text to exit code:
 * its lines, its limits, Ctrl-C, its error
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "child.h"
#include "command.h"
#include "interp.h"
#include "output.h"
#include "where.h"

static Tcl_AsyncHandler interrupt_handler;

/* The first Ctrl-C asks; a call that Tcl can not stop needs three. */
static void on_interrupt(int signal)
{
	static const char text[] =
		"\nslabctl: this can not be stopped in between; once more "
		"leaves slabctl\n";

	(void)signal;
	if (++interrupted == 1) {
		Tcl_AsyncMark(interrupt_handler);
	} else if (interrupted == 2) {
		if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
			_exit(CODE_INTERRUPTED);
	} else {
		_exit(CODE_INTERRUPTED);
	}
}

static struct sigaction before; /* what Ctrl-C does between evaluations */

static void catch_interrupts(void)
{
	struct sigaction action = { .sa_handler = on_interrupt,
				    .sa_flags = SA_RESTART };

	interrupted = 0;
	sigaction(SIGINT, &action, &before);
}

/* A mark that came too late must not stop what is evaluated next. */
static void release_interrupts(void)
{
	sigaction(SIGINT, &before, NULL);
	if (Tcl_AsyncReady())
		Tcl_AsyncInvoke(session.interp, TCL_OK);
	Tcl_LimitTypeReset(session.interp, TCL_LIMIT_TIME);
}

/* The limit in the past stops loops and nested catches alike. */
static int interrupt_async(ClientData unused, Tcl_Interp *ip, int code)
{
	Tcl_Time past = { 1, 0 };

	(void)unused;
	(void)ip;
	Tcl_LimitSetTime(session.interp, &past);
	Tcl_LimitSetGranularity(session.interp, TCL_LIMIT_TIME, 1);
	Tcl_LimitTypeSet(session.interp, TCL_LIMIT_TIME);
	return code;
}

void interp_start_limit(void)
{
	Tcl_Time end;

	Tcl_LimitTypeReset(session.interp, TCL_LIMIT_TIME);
	if (session.has_watchdog) /* for calls that Tcl can not stop */
		alarm((unsigned int)session.opt.limit_time + 5);
	if (session.opt.limit_time <= 0)
		return;
	Tcl_GetTime(&end);
	end.sec += (long)session.opt.limit_time;
	end.usec += (long)(1e6 * (session.opt.limit_time -
				  (double)(long)session.opt.limit_time));
	if (end.usec >= 1000000) {
		end.usec -= 1000000;
		end.sec++;
	}
	Tcl_LimitSetTime(session.interp, &end);
	Tcl_LimitSetGranularity(session.interp, TCL_LIMIT_TIME, 10);
	Tcl_LimitTypeSet(session.interp, TCL_LIMIT_TIME);
}

bool interp_time_is_up(void)
{
	Tcl_Time end, now;

	if (!Tcl_LimitTypeEnabled(session.interp, TCL_LIMIT_TIME))
		return false;
	Tcl_LimitGetTime(session.interp, &end);
	Tcl_GetTime(&now);
	return now.sec > end.sec ||
	       (now.sec == end.sec && now.usec >= end.usec);
}

void interp_watch(bool on)
{
	if (on) {
		interrupt_handler = Tcl_AsyncCreate(interrupt_async, NULL);
	} else if (interrupt_handler) {
		Tcl_AsyncDelete(interrupt_handler);
		interrupt_handler = NULL;
	}
}

/* ---- evaluation ---- */

static void unit_begin(const char *text, const char *name, unsigned int line)
{
	session.unit = text;
	session.unit_line = line;
	snprintf(session.unit_file, sizeof(session.unit_file), "%.120s", name);
	session.statements = statements_parse(text);
	session.shown = NULL;
	free(session.error.detail);
	memset(&session.error, 0, sizeof(session.error));
	catch_interrupts();
	interp_start_limit();
}

void interp_name_limit(void)
{
	struct cli_error *e = &session.error;

	if (!Tcl_LimitTypeExceeded(session.interp, TCL_LIMIT_TIME) &&
	    strcmp(e->message, "time limit exceeded")) /* of a child interp */
		return;
	if (interrupted) {
		snprintf(e->code, sizeof(e->code), "interrupted");
		snprintf(e->message, sizeof(e->message), "interrupted");
		e->hint[0] = '\0';
		return;
	}
	snprintf(e->code, sizeof(e->code), "time_limit");
	snprintf(e->message, sizeof(e->message),
		 "the script ran longer than %g s", session.opt.limit_time);
	snprintf(e->hint, sizeof(e->hint),
		 "a loop without end? --limit-time S gives more");
	e->exit = EXIT_USAGE;
}

static enum exit_code unit_end(int code)
{
	enum exit_code exit = EXIT_FINE;

	if (code == TCL_ERROR && !session.wants_quit) {
		where_adopt_error(session.unit_line);
		interp_name_limit();
		exit = session.error.exit;
		if (!session.is_quiet_about_errors)
			output_error();
	}
	release_interrupts();
	statements_free(session.statements);
	session.statements = NULL;
	session.unit = NULL;
	session.body_depth = 0;
	if (session.wants_quit)
		exit = (enum exit_code)session.quit_code;
	else if (exit == EXIT_FINE && session.has_bad_answer)
		exit = EXIT_BAD_ANSWER;
	return exit;
}

/* What a typed line leaves, when no command of ours showed it. */
static void show_result(void)
{
	Tcl_Obj *result = Tcl_GetObjResult(session.interp);
	const struct model *m = object_model(result);
	int length;
	const char *text;

	if (result == session.shown || !session.shows_results ||
	    (session.opt.is_quiet && !session.is_oneshot))
		return;
	if (m) {
		output_model("result", m);
		return;
	}
	text = Tcl_GetStringFromObj(result, &length);
	if (!length)
		return;
	if (session.opt.format == FORMAT_TEXT)
		output_text(text, (size_t)length, false, true);
	else
		render_json_text("result", text, stdout);
}

static int refuse_binary(const char *name, const char *text, size_t size)
{
	const char *zero = memchr(text, '\0', size);
	const char *end = memchr(text, 0x1a, size), *p; /* Tcl would stop */
	unsigned int line = 1;

	if (!zero && !end)
		return 0;
	for (p = text; p < (zero ? zero : end); p++)
		line += *p == '\n';
	return fail("binary", "a script is text", "%s:%u: there is a %s byte",
		    name, line, zero ? "NUL" : "Ctrl-Z");
}

/* Tcl keeps lines for files only, so a text becomes a file without a name; its
 * first line is numbered as in the session. -1: no such file can be made. */
static int file_of_text(const char *text, size_t size, unsigned int line)
{
	int fd = memfd_create("script", MFD_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(dup(fd), "w");
	bool is_whole;

	if (!f) {
		close(fd);
		return -1;
	}
	while (--line)
		fputc('\n', f);
	fwrite(text, 1, size, f);
	is_whole = !ferror(f);
	if (!fclose(f) && is_whole)
		return fd;
	close(fd);
	return -1;
}

static int evaluate(const char *text, size_t size, unsigned int line)
{
	int fd = file_of_text(text, size, line), code;
	Tcl_Obj *path = Tcl_ObjPrintf("/proc/self/fd/%d", fd);

	Tcl_IncrRefCount(path);
	if (fd >= 0 && !access(Tcl_GetString(path), R_OK))
		code = Tcl_FSEvalFileEx(session.interp, path, "utf-8");
	else /* no memfd, or no /proc: lines are lost, no more */
		code = Tcl_EvalEx(session.interp, text, (int)size,
				  TCL_EVAL_GLOBAL);
	Tcl_DecrRefCount(path);
	if (fd >= 0)
		close(fd);
	return code;
}

enum exit_code interp_text(const char *text, const char *name,
			   unsigned int line)
{
	int code;

	if (refuse_binary(name, text, strlen(text))) {
		output_error();
		return EXIT_USAGE;
	}
	unit_begin(text, name, line);
	code = evaluate(text, strlen(text), line);
	if (code == TCL_OK && !session.wants_quit)
		show_result();
	return unit_end(code);
}

enum exit_code interp_words(char **words, size_t nr)
{
	Tcl_Obj **o = must_alloc(nr * sizeof(Tcl_Obj *)), *line;
	size_t i;
	int code;

	for (i = 0; i < nr; i++) {
		o[i] = Tcl_NewStringObj(words[i], -1);
		Tcl_IncrRefCount(o[i]);
	}
	line = Tcl_NewListObj((int)nr, o);
	Tcl_IncrRefCount(line);
	session.is_oneshot = true;
	unit_begin(Tcl_GetString(line), "command", 1);
	code = Tcl_EvalObjv(session.interp, (int)nr, o, TCL_EVAL_GLOBAL);
	if (code == TCL_OK && !session.shown && !session.wants_quit) {
		session.shows_results = true; /* slabctl expr 1+1 */
		show_result();
		session.shows_results = false;
	}
	code = (int)unit_end(code);
	session.is_oneshot = false;
	for (i = 0; i < nr; i++)
		Tcl_DecrRefCount(o[i]);
	Tcl_DecrRefCount(line);
	free(o);
	return (enum exit_code)code;
}

char *interp_read_file(const char *path, size_t *size)
{
	bool is_stdin = !strcmp(path, "-");
	FILE *f = is_stdin ? stdin : fopen(path, "re");
	size_t used = 0, room = 0, n;
	char *text = NULL;

	if (!f) {
		fail("no_file", NULL, "%s: %s", path, strerror(errno));
		return NULL;
	}
	do {
		if (room - used < 2) {
			room = room ? 2 * room : 8192;
			text = realloc(text, room);
			if (!text)
				die_no_memory();
		}
		n = fread(text + used, 1, room - used - 1, f);
		used += n;
	} while (n);
	if (ferror(f)) {
		fail("no_file", NULL, "%s: %s", path, strerror(errno));
		free(text);
		text = NULL;
	} else {
		text[used] = '\0';
		*size = used;
	}
	if (!is_stdin)
		fclose(f);
	return text;
}

static void set_args(char **args)
{
	Tcl_Obj *list = Tcl_NewListObj(0, NULL);
	size_t i;

	for (i = 0; args && args[i]; i++)
		Tcl_ListObjAppendElement(NULL, list,
					 Tcl_NewStringObj(args[i], -1));
	Tcl_SetVar2Ex(session.interp, "argv", NULL, list, TCL_GLOBAL_ONLY);
}

static const char *last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void set_folder(const char *path)
{
	char *real = realpath(path, NULL);

	free((char *)session.folder);
	session.folder = real;
	if (real)
		*strrchr(real, '/') = '\0';
}

enum exit_code interp_file(const char *path, char **args)
{
	const char *name = strcmp(path, "-") ? last_name(path) : "stdin";
	unsigned int line = 1;
	const char *rest;
	size_t size = 0;
	char *text;
	int code;

	text = interp_read_file(path, &size);
	if (!text || refuse_binary(name, text, size)) {
		free(text);
		if (!session.is_quiet_about_errors)
			output_error();
		return EXIT_USAGE;
	}
	if (strcmp(path, "-"))
		set_folder(path);
	unit_begin(text, name, 1);
	set_args(args);
	code = (int)unit_end(evaluate(text, size, 1));
	for (rest = text; session.opt.keeps_going && session.error.code[0] &&
			  !session.wants_quit && !output_failed() &&
			  (rest = where_rest(rest, line, &line));) {
		int now;

		unit_begin(text, name, 1);
		now = (int)unit_end(evaluate(rest, strlen(rest), line));
		code = now > code ? now : code;
	}
	free(text);
	return (enum exit_code)code;
}
