/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hints.c - the traps of typing into Tcl, each with what would have been right
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "hints.h"
#include "names.h"

static const struct trap {
	const char *message; /* a part of Tcl's own */
	const char *hint;
} traps[] = {
	{ "variable isn't array",
	  "a region of an object is written with a dot: $b.end, $b.left" },
	{ "missing close-brace",
	  "a { is open; every { wants its }, in comments too" },
	{ "missing close-bracket",
	  "a [ is open; for a plain bracket write \\[ or {[text]}" },
	{ "missing \"", "a \" is open; for a plain quote write \\\"" },
	{ "extra characters after close-brace",
	  "a blank belongs between } and the next word" },
	{ "extra characters after close-quote",
	  "a blank belongs between the closing \" and the next word" },
	{ "octal", "a leading 0 is octal in expr: write 8, or 0x8" },
	{ "too many nested evaluations",
	  "a procedure calls itself without end" },
	{ "invalid command name", "slabctl help lists the commands" },
};

static void set_hint(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
static void set_hint(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(session.error.hint, sizeof(session.error.hint), format, ap);
	va_end(ap);
}

/* can't read "x": no such variable */
static bool hint_variable(const char *message)
{
	const char *name = strstr(message, "can't read \"");
	char copy[64];

	if (!name || !strstr(message, "no such"))
		return false;
	snprintf(copy, sizeof(copy), "%s", name + strlen("can't read \""));
	copy[strcspn(copy, "\"")] = '\0';
	if (strchr(copy, '(')) {
		char *part = strchr(copy, '(');

		*part++ = '\0';
		part[strcspn(part, ")")] = '\0';
		set_hint("a region of an object is written with a dot: $%s.%s",
			 copy, part);
	} else if (strstr(copy, "::")) {
		*strstr(copy, "::") = '\0';
		set_hint(":: belongs to the variable's name; regions are "
			 "written with a dot: $%s.end",
			 copy);
	} else {
		set_hint("`alloc CACHE as %s` and `set %s VALUE` make it", copy,
			 copy);
	}
	return true;
}

void hint_tcl(const char *message)
{
	size_t i;

	if (hint_variable(message))
		return;
	for (i = 0; i < sizeof(traps) / sizeof(traps[0]); i++) {
		if (strstr(message, traps[i].message)) {
			set_hint("%s", traps[i].hint);
			return;
		}
	}
}

static const char *const hidden[] = {
	"exec",	 "open",  "socket", "file",	"glob",	      "cd",
	"pwd",	 "load",  "unload", "encoding", "fconfigure", "after",
	"vwait", "clock", "time",   "pid",
};

static const struct later {
	const char *word, *what;
} later[] = {
	{ "leaks", "leak search" },	 { "refs", "reference search" },
	{ "snap", "snapshots" },	 { "journal", "journal" },
	{ "mount", "mounted tree" },
};

static int unknown_hidden(const char *word)
{
	if (!strcmp(word, "after"))
		return fail("hidden", "machine tick N moves the clock",
			    "%s is not there: time is the machine's", word);
	if (!strcmp(word, "clock") || !strcmp(word, "time") ||
	    !strcmp(word, "vwait") || !strcmp(word, "pid"))
		return fail("hidden", "machine show has the virtual clock",
			    "%s is not there: a script gives the same answers "
			    "everywhere",
			    word);
	return fail("hidden", "--trusted lifts that",
		    "%s is not there: scripts read no files and run no "
		    "programs",
		    word);
}

static bool is_name(const char *word)
{
	char cache[NAME_SIZE];
	unsigned int nr;
	long index;

	return name_split(word, cache, sizeof(cache), &nr, &index);
}

/* Does the unit have [word, or [ word? */
static bool is_bracketed(const char *word)
{
	const char *p = session.unit;
	size_t n = strlen(word);

	while (p && (p = strchr(p, '['))) {
		p++;
		if (!strncmp(p + strspn(p, " \t"), word, n))
			return true;
	}
	return false;
}

int hint_unknown(const char *word)
{
	const char *names[256], *found;
	char copy[80];
	size_t nr = 0, i;

	snprintf(copy, sizeof(copy), "%.60s%s", word,
		 strlen(word) > 60 ? "..." : "");
	for (i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		if (!strcmp(word, hidden[i]))
			return unknown_hidden(word);
	}
	for (i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		if (!strcmp(word, later[i].word))
			return fail("no_command", NULL,
				    "%s: this version has no %s yet", word,
				    later[i].what);
	}
	if (is_name(word))
		return fail("no_command", NULL,
			    "%s is an object, not a command; try: object show "
			    "%s",
			    copy, copy);
	if (word[0] == '@')
		return fail("no_command",
			    "@N COMMAND or @N { ... } runs on virtual CPU N",
			    "no virtual CPU is called %s", copy);
	fail("no_command", NULL, "no command named \"%s\"", copy);
	if (is_bracketed(word)) {
		set_hint("[...] runs what is inside as a command; for plain "
			 "text write {[%s...]}",
			 copy);
		return -EINVAL;
	}
	for (each_command(c)) {
		if (nr < 256)
			names[nr++] = c->group ? c->group : c->name;
	}
	found = nearest(word, names, nr);
	set_hint("%s", found ? found : "help lists the commands");
	return -EINVAL;
}

/* 010 where expr, if, while or for would take it as octal. */
static bool has_octal(const char *unit)
{
	const char *p = unit;

	if (!strstr(unit, "expr") && !strstr(unit, "if") &&
	    !strstr(unit, "while"))
		return false;
	for (; *p; p++) {
		bool starts = p == unit || (!isalnum((unsigned char)p[-1]) &&
					    !strchr("._$#:-", p[-1]));

		if (starts && *p == '0' && p[1] >= '0' && p[1] <= '7')
			return true;
	}
	return false;
}

const char *hint_after(const char *unit)
{
	if (has_octal(unit))
		return "note: a leading 0 is octal in expr (010 is 8); write "
		       "10 or 0x10";
	return NULL;
}
