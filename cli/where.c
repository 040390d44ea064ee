/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * where.c - lines and statements, as far as Tcl tells
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "hints.h"
#include "where.h"

/* ---- statements ---- */

struct statement {
	unsigned int line; /* from 1, in the unit */
	const char *text;
	size_t length;
};

struct statements {
	char *unit;
	struct statement *at;
	size_t nr, room;
};

static void statement_add(struct statements *s, unsigned int line,
			  const char *text, size_t length)
{
	if (s->nr == s->room) {
		s->room = s->room ? 2 * s->room : 64;
		s->at = realloc(s->at, s->room * sizeof(*s->at));
		if (!s->at)
			die_no_memory();
	}
	s->at[s->nr++] = (struct statement){ line, text, length };
}

static unsigned int count_lines(const char *from, const char *to)
{
	unsigned int n = 0;

	for (; from < to; from++)
		n += *from == '\n';
	return n;
}

static bool has_statements_inside(const char *word, size_t n)
{
	static const char *const control[] = { "if",	"for",	 "foreach",
					       "while", "catch", "try",
					       "demo" };
	size_t i;

	if (n > 1 && word[0] == '@')
		return true;
	for (i = 0; i < sizeof(control) / sizeof(control[0]); i++) {
		if (strlen(control[i]) == n && !memcmp(control[i], word, n))
			return true;
	}
	return false;
}

static void parse_script(struct statements *s, const char *text, size_t n,
			 unsigned int line, unsigned int depth)
{
	const char *end = text + n, *done = text;
	Tcl_Parse parse;

	while (text < end) {
		const Tcl_Token *t;
		bool inside;
		size_t at;
		int i;

		if (Tcl_ParseCommand(NULL, text, (int)(end - text), 0, &parse))
			return;
		line += count_lines(done, parse.commandStart);
		done = parse.commandStart;
		t = parse.tokenPtr;
		inside = parse.numWords &&
			 has_statements_inside(t->start, (size_t)t->size);
		at = s->nr;
		if (parse.numWords)
			statement_add(s, line, parse.commandStart, 0);
		for (i = 0; i < parse.numWords; i++) {
			/* up to the last word: without what ends a command */
			s->at[at].length = (size_t)(t->start + t->size -
						    parse.commandStart);
			if (i && inside && t->type == TCL_TOKEN_SIMPLE_WORD &&
			    *t->start == '{' && depth < 16)
				parse_script(s, t->start + 1,
					     (size_t)t->size - 2,
					     line + count_lines(done, t->start),
					     depth + 1);
			t += t->numComponents + 1;
		}
		text = parse.commandStart + parse.commandSize;
		Tcl_FreeParse(&parse);
	}
}

struct statements *statements_parse(const char *unit)
{
	struct statements *s = must_alloc(sizeof(*s));

	s->unit = must_strdup(unit);
	parse_script(s, s->unit, strlen(s->unit), 1, 0);
	return s;
}

void statements_free(struct statements *s)
{
	if (!s)
		return;
	free(s->unit);
	free(s->at);
	free(s);
}

static bool statements_has(const struct statements *s, unsigned int line,
			   const char *text)
{
	size_t n = strlen(text), low = 0, high = s ? s->nr : 0;

	while (n && isspace((unsigned char)text[n - 1]))
		n--;
	while (low < high) { /* lines never go down */
		size_t middle = (low + high) / 2;

		if (s->at[middle].line < line)
			low = middle + 1;
		else
			high = middle;
	}
	for (; s && low < s->nr && s->at[low].line == line; low++) {
		if (s->at[low].length == n && !memcmp(s->at[low].text, text, n))
			return true;
	}
	return false;
}

/* ---- lines ---- */

static Tcl_Obj *frame_get(Tcl_Obj *frame, const char *name)
{
	Tcl_Obj *key = Tcl_NewStringObj(name, -1), *value = NULL;

	Tcl_IncrRefCount(key);
	Tcl_DictObjGet(NULL, frame, key, &value);
	Tcl_DecrRefCount(key);
	return value;
}

/* `info frame 0`, referenced; NULL: no script is running. */
static Tcl_Obj *frame_now(void)
{
	Tcl_InterpState state = Tcl_SaveInterpState(session.interp, TCL_OK);
	Tcl_Obj *words[3] = { Tcl_NewStringObj("::info", -1),
			      Tcl_NewStringObj("frame", -1), Tcl_NewIntObj(0) };
	Tcl_Obj *frame = NULL;
	int i;

	for (i = 0; i < 3; i++)
		Tcl_IncrRefCount(words[i]);
	if (Tcl_EvalObjv(session.interp, 3, words, 0) == TCL_OK) {
		frame = Tcl_GetObjResult(session.interp);
		Tcl_IncrRefCount(frame);
	}
	for (i = 0; i < 3; i++)
		Tcl_DecrRefCount(words[i]);
	Tcl_RestoreInterpState(session.interp, state);
	return frame;
}

/* What reports call the file: its last name, or the unit's own. */
static void file_name(struct where *w, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!strncmp(path, "/proc/", 6))
		path = session.unit_file;
	else if (slash)
		path = slash + 1;
	snprintf(w->file, sizeof(w->file), "%.120s", path);
}

static unsigned int base_line(void)
{
	unsigned int depth = session.body_depth;

	return depth && depth <= 64 ? session.body_line[depth - 1]
				    : session.unit_line;
}

static void set_text(struct where *w, const char *text)
{
	snprintf(w->text, sizeof(w->text), "%s", text);
}

bool where_now(struct where *ret)
{
	Tcl_Obj *frame = session.is_oneshot ? NULL : frame_now(), *o;
	const char *type, *text;
	bool is_statement;
	int line = 0;

	memset(ret, 0, sizeof(*ret));
	if (!frame) {
		snprintf(ret->file, sizeof(ret->file), "%s", session.unit_file);
		ret->line = 1;
		set_text(ret, session.unit ? session.unit : "");
		return session.is_oneshot;
	}
	o = frame_get(frame, "type");
	type = o ? Tcl_GetString(o) : "";
	o = frame_get(frame, "line");
	if (o)
		Tcl_GetIntFromObj(NULL, o, &line);
	o = frame_get(frame, "cmd");
	text = o ? Tcl_GetString(o) : "";
	set_text(ret, text);
	o = frame_get(frame, !strcmp(type, "proc") ? "proc" : "file");
	if (!strcmp(type, "source") && o) {
		file_name(ret, Tcl_GetString(o));
		ret->line = (unsigned int)line;
	} else if (!strcmp(type, "proc") && o) {
		const char *name = Tcl_GetString(o);

		while (*name == ':')
			name++;
		snprintf(ret->file, sizeof(ret->file), "%.120s", name);
		ret->line = (unsigned int)line;
	} else {
		snprintf(ret->file, sizeof(ret->file), "%s", session.unit_file);
		ret->line = base_line() + (unsigned int)line - 1;
	}
	is_statement = !frame_get(frame, "proc") &&
		       !strcmp(ret->file, session.unit_file) &&
		       statements_has(session.statements,
				      ret->line - session.unit_line + 1, text);
	Tcl_DecrRefCount(frame);
	return is_statement;
}

/* Newlines in front of the body in a command's text: its last word, unless the
 * body stands there as another one. */
static unsigned int lines_before_body(const char *text, Tcl_Obj *body)
{
	const char *script = Tcl_GetString(body);
	size_t n = strlen(script);
	const Tcl_Token *t;
	unsigned int lines = 0;
	Tcl_Parse parse;
	bool found = false;
	int i;

	if (Tcl_ParseCommand(NULL, text, -1, 0, &parse))
		return 0;
	t = parse.tokenPtr;
	for (i = 0; i < parse.numWords && !found; i++) {
		found = t->type == TCL_TOKEN_SIMPLE_WORD &&
			(size_t)t[1].size == n && !memcmp(t[1].start, script, n);
		if (found || i == parse.numWords - 1)
			lines = count_lines(text, t->start);
		t += t->numComponents + 1;
	}
	Tcl_FreeParse(&parse);
	return lines;
}

/* The next line of errorInfo that places an error, such as ("foreach" body
 * line 2) or (procedure "p" line 3); its number. NULL: no more. */
static const char *next_place(const char *info, unsigned int *line)
{
	while ((info = strstr(info, "\n    ("))) {
		const char *end, *number;

		info += 6;
		end = info + strcspn(info, "\n");
		number = end - 1;
		while (number > info && !isdigit((unsigned char)*number))
			number--;
		while (number > info && isdigit((unsigned char)number[-1]))
			number--;
		if (number - info < 5 || strncmp(number - 5, "line ", 5))
			continue;
		*line = (unsigned int)atoi(number);
		return info;
	}
	return NULL;
}

/* The line that failed, counted from 1 in our body: bodies of Tcl's own inside
 * it count from theirs, and ours is the outermost of all. */
static unsigned int body_error_line(void)
{
	const char *p =
		Tcl_GetVar(session.interp, "errorInfo", TCL_GLOBAL_ONLY);
	unsigned int line, sum = 1, found = 1;

	while (p && (p = next_place(p, &line))) {
		if (!strncmp(p, "procedure ", 10))
			sum = 1; /* counts from elsewhere */
		else
			sum += line - 1;
		if (!strncmp(p, "\"uplevel\" body", 14))
			found = sum;
	}
	return found;
}

static bool error_is_ours(void)
{
	const char *result = Tcl_GetStringResult(session.interp);

	return session.error.code[0] &&
	       !strncmp(session.error.message, result,
			sizeof(session.error.message) - 1);
}

static void adopt(const char *file, unsigned int line)
{
	const char *message = Tcl_GetStringResult(session.interp);

	fail("tcl", NULL, "%s", message);
	snprintf(session.error.file, sizeof(session.error.file), "%s", file);
	session.error.line = line;
	hint_tcl(message);
}

void where_enter(unsigned int line)
{
	if (session.body_depth < 64)
		session.body_line[session.body_depth] = line;
	session.body_depth++;
}

void where_leave(void)
{
	session.body_depth--;
}

int where_eval_body(Tcl_Obj *body)
{
	struct where saved = session.where;
	Tcl_Obj *frame = frame_now(), *words[3], *o;
	unsigned int line = saved.line;
	int i, code;

	if (session.body_depth >= 64) {
		if (frame)
			Tcl_DecrRefCount(frame);
		fail("nesting", "does something call itself without end?",
		     "too many bodies inside each other");
		Tcl_SetObjResult(session.interp,
				 Tcl_NewStringObj(session.error.message, -1));
		return TCL_ERROR;
	}
	o = frame ? frame_get(frame, "cmd") : NULL;
	if (o)
		line += lines_before_body(Tcl_GetString(o), body);
	if (frame)
		Tcl_DecrRefCount(frame);
	session.body_line[session.body_depth++] = line;
	words[0] = Tcl_NewStringObj("::uplevel", -1);
	words[1] = Tcl_NewIntObj(0);
	words[2] = body;
	for (i = 0; i < 3; i++)
		Tcl_IncrRefCount(words[i]);
	/* through Tcl_EvalObjv: Tcl_EvalObjEx would lose the lines */
	code = Tcl_EvalObjv(session.interp, 3, words, 0);
	for (i = 0; i < 3; i++)
		Tcl_DecrRefCount(words[i]);
	session.body_depth--;
	if (code == TCL_ERROR && !error_is_ours())
		adopt(saved.file, line + body_error_line() - 1);
	session.where = saved;
	return code;
}

/* What lies inside a procedure counts from its first line. */
void where_adopt_error(unsigned int unit_line)
{
	const char *p =
		Tcl_GetVar(session.interp, "errorInfo", TCL_GLOBAL_ONLY);
	unsigned int line = 0, inner = 0, here;
	char file[128];

	if (error_is_ours())
		return;
	snprintf(file, sizeof(file), "%s", session.unit_file);
	while (!line && p && (p = next_place(p, &here))) {
		if (!strncmp(p, "procedure \"", 11)) {
			snprintf(file, sizeof(file), "procedure %.*s",
				 (int)strcspn(p + 11, "\""), p + 11);
			line = inner + here;
		} else if (!strncmp(p, "file ", 5)) {
			line = inner + here;
		} else {
			inner += here - 1;
		}
	}
	if (!line)
		line = inner + (unsigned int)Tcl_GetErrorLine(session.interp) +
		       unit_line - 1;
	adopt(file, line);
}

const char *where_rest(const char *unit, unsigned int first_line,
		       unsigned int *line)
{
	const char *info =
		Tcl_GetVar(session.interp, "errorInfo", TCL_GLOBAL_ONLY);
	const char *text = unit, *done = unit;
	unsigned int failed = 0, here, at = first_line;
	Tcl_Parse parse;

	while (info && (info = next_place(info, &here))) {
		if (!strncmp(info, "file ", 5))
			failed = here;
	}
	while (failed && *text) {
		if (Tcl_ParseCommand(NULL, text, -1, 0, &parse))
			return NULL;
		at += count_lines(done, parse.commandStart);
		done = parse.commandStart;
		text = parse.commandStart + parse.commandSize;
		Tcl_FreeParse(&parse);
		if (at < failed)
			continue;
		/* what else stands on the last line of it goes too */
		while (*text && text[-1] != '\n')
			text++;
		*line = at + count_lines(done, text);
		return *text ? text : NULL;
	}
	return NULL;
}
