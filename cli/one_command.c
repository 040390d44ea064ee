/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * one_command.c - parsed by Tcl, its words substituted on the main stack
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hints.h"
#include "one_command.h"

void one_command_free(struct one_command *w)
{
	if (w->list)
		Tcl_DecrRefCount(w->list);
	w->list = NULL;
}

static int fail_tcl(void)
{
	if (!strcmp(session.error.message, Tcl_GetStringResult(session.interp)))
		return -EINVAL; /* ours: its place is known */
	fail("tcl", NULL, "%s", Tcl_GetStringResult(session.interp));
	hint_tcl(Tcl_GetStringResult(session.interp));
	return -EINVAL;
}

static int substitute(Tcl_Parse *parse, struct one_command *ret)
{
	const Tcl_Token *t = parse->tokenPtr;
	int i;

	ret->list = Tcl_NewListObj(0, NULL);
	Tcl_IncrRefCount(ret->list);
	for (i = 0; i < parse->numWords; i++, t += t->numComponents + 1) {
		bool expands = t->type == TCL_TOKEN_EXPAND_WORD;
		Tcl_Obj *word;

		if (Tcl_EvalTokensStandard(session.interp, (Tcl_Token *)t + 1,
					   t->numComponents) != TCL_OK)
			return fail_tcl();
		word = Tcl_GetObjResult(session.interp);
		if (expands ? Tcl_ListObjAppendList(session.interp, ret->list,
						    word)
			    : Tcl_ListObjAppendElement(NULL, ret->list, word))
			return fail_tcl();
	}
	snprintf(ret->text, sizeof(ret->text), "%s", Tcl_GetString(ret->list));
	return 0;
}

static const char *behind_blanks(const char *p)
{
	for (;;) {
		p += strspn(p, " \t\n;\\");
		if (*p != '#')
			return p;
		p += strcspn(p, "\n");
	}
}

int one_command_parse(const char *who, Tcl_Obj *script, struct one_command *ret)
{
	const char *text = behind_blanks(Tcl_GetString(script));
	Tcl_Parse parse;
	int err;

	memset(ret, 0, sizeof(*ret));
	if (!*text)
		return fail("usage", "@1 stop-at list_lock { free $a }",
			    "%s: which command?", who);
	if (Tcl_ParseCommand(session.interp, text, -1, 0, &parse) != TCL_OK)
		return fail_tcl();
	if (*behind_blanks(parse.commandStart + parse.commandSize))
		err = fail("usage", "each with a CPU of its own",
			   "%s: one command stands in the braces", who);
	else
		err = substitute(&parse, ret);
	Tcl_FreeParse(&parse);
	if (err)
		one_command_free(ret);
	return err;
}

void one_command_split(const struct one_command *w, const char **first,
		       Tcl_Obj ***objects, size_t *nr)
{
	int n = 0;

	Tcl_ListObjGetElements(NULL, w->list, &n, objects);
	*first = n ? Tcl_GetString((*objects)[0]) : "";
	++*objects;
	*nr = n ? (size_t)n - 1 : 0;
}

int one_command_check(const char *who, const struct one_command *w)
{
	const struct command *row;
	Tcl_Obj **objects;
	const char *first;
	size_t nr;

	one_command_split(w, &first, &objects, &nr);
	row = command_find(first, nr ? Tcl_GetString(objects[0]) : NULL);
	if (!row)
		return fail("usage", "alloc, free, cache shrink, ...",
			    "%s: \"%.40s\" is no command that works on the "
			    "machine",
			    who, first);
	if (!row->operates)
		return fail("usage", "alloc, free, cache shrink, ...",
			    "%s: %s does not work on the machine: there is "
			    "nothing in the middle of it",
			    who, command_name(row));
	return 0;
}
