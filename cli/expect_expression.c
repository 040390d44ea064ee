/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * expect_expression.c - expect {EXPRESSION}: true, or which part is not
 *
 *	{[cat ring/slabs] eq "1 N0=1" && $b ne $a}
 *	 left             op right    | second part
 *
 * Each side is evaluated once: what is shown is what was compared, and a
 * command in it runs once. What is no simple comparison is left to Tcl whole.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "expect.h"
#include "where.h"

struct text {
	const char *at;
	size_t n;
};

static struct text trim(const char *at, size_t n)
{
	while (n && isspace((unsigned char)*at)) {
		at++;
		n--;
	}
	while (n && isspace((unsigned char)at[n - 1]))
		n--;
	return (struct text){ at, n };
}

/* ---- operators of the outermost level ---- */

struct operators {
	struct text comparison; /* the first; n 0: none */
	unsigned int nr_comparisons;
	size_t and;	 /* offset of the first &&; the text's length: none */
	bool has_others; /* || ? : & | ^, which bind looser than comparisons */
};

static size_t word_comparison(const char *p, size_t n)
{
	static const char *const words[] = { " eq ", " ne ", " in ", " ni " };
	size_t i;

	for (i = 0; i < 4; i++) {
		if (n >= 4 && !strncmp(p, words[i], 4))
			return 4;
	}
	return 0;
}

/* Length of the operator at p, and what it is: c comparison, a &&, o other. */
static size_t operator_at(const char *p, size_t n, char *what)
{
	char next = (char)(n > 1 ? p[1] : '\0');

	*what = 'c';
	if (word_comparison(p, n))
		return 4;
	if (strchr("=!<>", *p) && next == '=')
		return 2;
	if ((*p == '<' || *p == '>') && next == *p) {
		*what = ' '; /* a shift binds tighter */
		return 2;
	}
	if (*p == '<' || *p == '>')
		return 1;
	*what = *p == '&' && next == '&' ? 'a' : 'o';
	if (strchr("&|", *p) && next == *p)
		return 2;
	return strchr("&|^?:", *p) ? 1 : 0;
}

static struct operators find_operators(struct text t)
{
	struct operators ret = { .and = t.n };
	int depth = 0;
	size_t i, n;
	char what;

	for (i = 0; i < t.n; i += n) {
		n = 1;
		if (t.at[i] == '"' && !depth) {
			do
				i += t.at[i] == '\\' ? 2 : 1;
			while (i < t.n && t.at[i] != '"');
		} else if (strchr("([{", t.at[i])) {
			depth++;
		} else if (strchr(")]}", t.at[i])) {
			depth--;
		} else if (!depth) {
			n = operator_at(t.at + i, t.n - i, &what);
			if (n && what == 'c' && !ret.nr_comparisons++)
				ret.comparison = (struct text){ t.at + i, n };
			else if (n && what == 'a' && ret.and == t.n)
				ret.and = i;
			else if (n && what == 'o')
				ret.has_others = true;
			n = n ? n : 1;
		}
	}
	return ret;
}

/* ---- one side ---- */

/* One variable, command or string: its value is its text, and 0x10 stays so. */
static bool is_single(struct text t)
{
	int depth = 0;
	size_t i = 1;

	if (*t.at == '"')
		return memchr(t.at + 1, '"', t.n - 1) == t.at + t.n - 1;
	if (*t.at == '$') {
		while (i < t.n &&
		       (isalnum((unsigned char)t.at[i]) || t.at[i] == '_'))
			i++;
		return i == t.n;
	}
	for (i = 0; i < t.n && (depth || !i); i++)
		depth += (t.at[i] == '[') - (t.at[i] == ']');
	return *t.at == '[' && i == t.n;
}

/* Is it a number as it is typed? */
static bool is_literal(struct text t)
{
	size_t i = 0;

	while (i < t.n && isalnum((unsigned char)t.at[i]))
		i++;
	return isdigit((unsigned char)*t.at) && i == t.n;
}

struct finding {
	const char *text;  /* the whole */
	unsigned int line; /* on which it begins */
	struct text part;
	Tcl_Obj *left, *right; /* NULL: no simple comparison */
};

/* Commands inside are told by the line that they stand on. */
static void enter(const struct finding *f, const char *at)
{
	unsigned int line = f->line;
	const char *p;

	for (p = f->text; p < at; p++)
		line += *p == '\n';
	where_enter(line);
}

/* Referenced, or NULL with the error in the interpreter. */
static Tcl_Obj *evaluate_side(const struct finding *f, struct text t)
{
	bool is_one = is_single(t);
	Tcl_Obj *side, *value = NULL;

	if (is_one && *t.at == '"')
		t = (struct text){ t.at + 1, t.n - 2 };
	side = Tcl_NewStringObj(t.at, (int)t.n);
	Tcl_IncrRefCount(side);
	if (is_literal(t))
		return side;
	enter(f, t.at);
	if (!is_one) {
		if (Tcl_ExprObj(session.interp, side, &value) != TCL_OK)
			value = NULL; /* else it is referenced */
	} else {
		value = Tcl_SubstObj(session.interp, side, TCL_SUBST_ALL);
		if (value)
			Tcl_IncrRefCount(value);
	}
	where_leave();
	Tcl_DecrRefCount(side);
	return value;
}

/* ---- one part ---- */

#define LEFT  "expect left"
#define RIGHT "expect right"

static int judge_whole(const struct finding *f, struct text t, int *truth)
{
	Tcl_Obj *part = Tcl_NewStringObj(t.at, (int)t.n);
	int code;

	Tcl_IncrRefCount(part);
	enter(f, t.at);
	code = Tcl_ExprBooleanObj(session.interp, part, truth);
	where_leave();
	Tcl_DecrRefCount(part);
	return code;
}

static int compare(struct text op, struct finding *f, int *truth)
{
	char text[64];
	int code = TCL_ERROR;

	snprintf(text, sizeof(text), "${" LEFT "} %.*s ${" RIGHT "}", (int)op.n,
		 op.at);
	if (Tcl_SetVar2Ex(session.interp, LEFT, NULL, f->left,
			  TCL_LEAVE_ERR_MSG) &&
	    Tcl_SetVar2Ex(session.interp, RIGHT, NULL, f->right,
			  TCL_LEAVE_ERR_MSG))
		code = Tcl_ExprBoolean(session.interp, text, truth);
	Tcl_UnsetVar(session.interp, LEFT, 0);
	Tcl_UnsetVar(session.interp, RIGHT, 0);
	return code;
}

static int judge(struct finding *f, int *truth)
{
	struct operators ops = find_operators(f->part);
	struct text op = ops.comparison, left, right;

	if (ops.nr_comparisons != 1 || ops.has_others)
		return judge_whole(f, f->part, truth);
	left = trim(f->part.at, (size_t)(op.at - f->part.at));
	right = trim(op.at + op.n,
		     f->part.n - (size_t)(op.at - f->part.at) - op.n);
	if (!left.n || !right.n)
		return judge_whole(f, f->part, truth);
	f->left = evaluate_side(f, left);
	f->right = f->left ? evaluate_side(f, right) : NULL;
	return f->right ? compare(op, f, truth) : TCL_ERROR;
}

static void forget(struct finding *f)
{
	if (f->left)
		Tcl_DecrRefCount(f->left);
	if (f->right)
		Tcl_DecrRefCount(f->right);
	f->left = f->right = NULL;
}

/* ---- the whole ---- */

/* Part after part, as && does it, until one is not true. */
static int find_false(struct text t, struct finding *f, int *truth)
{
	bool is_whole = find_operators(t).has_others;
	int code = TCL_OK;

	do {
		size_t n = is_whole ? t.n : find_operators(t).and;

		forget(f);
		f->part = trim(t.at, n);
		code = f->part.n ? judge(f, truth) : judge_whole(f, t, truth);
		t.at += n;
		t.n -= n;
		if (t.n) { /* && */
			t.at += 2;
			t.n -= 2;
			if (!trim(t.at, t.n).n)
				code = judge_whole(f, t, truth);
		}
	} while (code == TCL_OK && *truth && t.n);
	return code;
}

static int fail_false(const char *text, const struct finding *f)
{
	struct text whole = trim(text, strlen(text));
	struct detail d;

	fail_expect("{%.400s}: it is false", text);
	detail_open(&d);
	if (f->part.n != whole.n)
		fprintf(d.f, "  part  %.*s\n", (int)f->part.n, f->part.at);
	if (f->right)
		fprintf(d.f, "  left  %s\n  right %s\n", Tcl_GetString(f->left),
			Tcl_GetString(f->right));
	detail_close(&d);
	return -EINVAL;
}

static int fail_evaluation(const char *text)
{
	const char *result = Tcl_GetStringResult(session.interp);
	char message[512];

	if (session.error.code[0] && !strcmp(session.error.message, result))
		return -EINVAL; /* a command inside says why */
	snprintf(message, sizeof(message), "%.400s", result);
	return fail("expression",
		    "expect {EXPRESSION}, report, no report, errors, error, "
		    "state, event, asan",
		    "expect {%.100s}: %s", text, message);
}

int expect_expression(const struct invocation *inv, struct model *out)
{
	const char *text = Tcl_GetString(arg_object(inv, "EXPRESSION"));
	struct finding f = { .text = text, .line = session.where.line };
	int truth = 0, err = 0;

	(void)out;
	if (find_false((struct text){ text, strlen(text) }, &f, &truth) !=
	    TCL_OK)
		err = fail_evaluation(text);
	else if (!truth)
		err = fail_false(text, &f);
	forget(&f);
	return err;
}
