/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * error.c - what went wrong: code, message, and what would have been right
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

static int set_error(enum exit_code exit, const char *code, const char *hint,
		     const char *format, va_list ap)
{
	struct cli_error *e = &session.error;

	free(e->detail);
	memset(e, 0, sizeof(*e));
	snprintf(e->code, sizeof(e->code), "%s", code);
	snprintf(e->hint, sizeof(e->hint), "%s", hint ? hint : "");
	vsnprintf(e->message, sizeof(e->message), format, ap);
	snprintf(e->file, sizeof(e->file), "%s", session.where.file);
	e->line = session.where.line;
	e->exit = exit;
	return -EINVAL;
}

int fail(const char *code, const char *hint, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	set_error(EXIT_USAGE, code, hint, format, ap);
	va_end(ap);
	return -EINVAL;
}

int fail_answer(const char *code, const char *hint, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	set_error(EXIT_BAD_ANSWER, code, hint, format, ap);
	va_end(ap);
	return -EINVAL;
}

/* Errors of ours that say that the words are wrong, whatever they meet. */
static const char *const mistakes[] = {
	"usage",    "no_command",  "no_key",  "no_kind",      "no_event",
	"no_point", "comment",	   "quote",   "no_parameter", "number",
	"nesting",  "unsupported", "virtual",
};

bool error_is_mistake(void)
{
	const char *code = session.error.code, *tcl;
	size_t i;

	for (i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		if (!strcmp(code, mistakes[i]))
			return true;
	}
	if (strcmp(code, "tcl") != 0)
		return false;
	tcl = Tcl_GetVar(session.interp, "errorCode", TCL_GLOBAL_ONLY);
	return tcl && (!strncmp(tcl, "TCL ", 4) || !strncmp(tcl, "ARITH ", 6));
}

/* Edits that make b of a: insert, delete, replace, swap of neighbours. */
static size_t distance(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b), i, j;
	unsigned char d[3][34];

	if (na > 32 || nb > 32)
		return 99;
	for (j = 0; j <= nb; j++)
		d[0][j] = (unsigned char)j;
	for (i = 1; i <= na; i++) {
		unsigned char *now = d[i % 3], *up = d[(i - 1) % 3];
		unsigned char *upup = d[(i + 1) % 3];

		now[0] = (unsigned char)i;
		for (j = 1; j <= nb; j++) {
			unsigned char best = up[j - 1] + (a[i - 1] != b[j - 1]);

			if (up[j] + 1 < best)
				best = up[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && upup[j - 2] + 1 < best)
				best = upup[j - 2] + 1;
			now[j] = best;
		}
	}
	return d[na % 3][nb];
}

const char *nearest(const char *word, const char *const *candidates, size_t nr)
{
	size_t i, best = 99, limit = strlen(word) / 3 + 1;
	const char *found = NULL;

	for (i = 0; i < nr; i++) {
		/* first letters are seldom wrong */
		size_t n = distance(word, candidates[i]) +
			   (*word != *candidates[i]);

		if (n < best && n <= limit) {
			best = n;
			found = candidates[i];
		}
	}
	return found;
}

void hint_nearest(const char *word, const char *const *candidates, size_t nr)
{
	const char *found = nearest(word, candidates, nr);

	if (found)
		snprintf(session.error.hint, sizeof(session.error.hint), "%s",
			 found);
}
