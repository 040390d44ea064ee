/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * complete.c - finds the command around the cursor and asks its row
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slab/inject.h>

#include "argument.h"
#include "command.h"
#include "complete.h"
#include "events.h"
#include "help.h"
#include "names.h"
#include "report_queue.h"

#define MAX_SHOWN 500

struct words {
	char **word;
	size_t nr;
	const char *prefix; /* only what begins so is kept */
	const char *front;  /* put in front of each: "cache=" */
};

void words_add(struct words *w, const char *format, ...)
{
	char text[512];
	size_t n = (size_t)snprintf(text, sizeof(text), "%s", w->front);
	va_list ap;

	va_start(ap, format);
	vsnprintf(text + n, sizeof(text) - n, format, ap);
	va_end(ap);
	if (w->nr == MAX_SHOWN || strncmp(text, w->prefix, strlen(w->prefix)))
		return;
	w->word = realloc(w->word, (w->nr + 2) * sizeof(*w->word));
	if (!w->word)
		die_no_memory();
	w->word[w->nr++] = must_strdup(text);
	w->word[w->nr] = NULL;
}

/* ---- completers ---- */

static void each_cache(struct words *to, bool with_caches, bool with_slabs)
{
	struct slab_cache_info *cache;
	struct slab_slab_info *slab;
	size_t nr = 0, nr_slabs, i, k;

	if (!session_machine() ||
	    slab_target_caches(session.target, &cache, &nr))
		return;
	for (i = 0; i < nr; i++) {
		if (with_caches)
			words_add(to, "%s", cache[i].name);
		if (!with_slabs ||
		    slab_target_slabs(session.target, cache[i].cache, &slab,
				      &nr_slabs))
			continue;
		for (k = 0; k < nr_slabs; k++)
			words_add(to, "%s:S%u", cache[i].name, slab[k].nr);
		free(slab);
	}
	free(cache);
}

void complete_cache(struct words *to)
{
	each_cache(to, true, false);
}

void complete_slab(struct words *to)
{
	each_cache(to, false, true);
}

void complete_cache_or_slab(struct words *to)
{
	each_cache(to, true, true);
}

static void complete_variable(struct words *to)
{
	static const char *const ours[] = { "tcl_version",    "tcl_patchLevel",
					    "tcl_platform",   "errorInfo",
					    "errorCode",      "argv",
					    "tcl_interactive" };
	Tcl_Obj **name;
	int nr = 0, i;
	size_t k;

	if (Tcl_Eval(session.interp, "info globals") != TCL_OK ||
	    Tcl_ListObjGetElements(NULL, Tcl_GetObjResult(session.interp), &nr,
				   &name) != TCL_OK)
		return;
	for (i = 0; i < nr; i++) {
		for (k = 0; k < 7; k++) {
			if (!strcmp(Tcl_GetString(name[i]), ours[k]))
				break;
		}
		if (k == 7)
			words_add(to, "$%s", Tcl_GetString(name[i]));
	}
	Tcl_ResetResult(session.interp);
}

/* $b. and ring:S1#0. lead to regions. */
static void complete_region(struct words *to)
{
	static const char *const all[] = { "start",	 "end",	 "left",
					   "redzone",	 "fp",	 "track.alloc",
					   "track.free", "orig", "pad",
					   "slab" };
	const char *dot = strchr(to->prefix, '.');
	size_t i;

	for (i = 0; dot && i < sizeof(all) / sizeof(all[0]); i++)
		words_add(to, "%.*s%s",
			  (int)(dot + 1 - to->prefix - strlen(to->front)),
			  to->prefix + strlen(to->front), all[i]);
}

void complete_object(struct words *to)
{
	complete_variable(to);
	complete_region(to);
	each_cache(to, false, true);
}

void complete_kind(struct words *to)
{
	size_t i;

	for (i = 0; i < slab_nr_corruptions(); i++)
		words_add(to, "%s", slab_corruption(i)->name);
}

void complete_report(struct words *to)
{
	struct queued_report *q;
	size_t i;

	for (i = 0; (q = report_queue_at(session.reports, i)); i++)
		words_add(to, "%u", q->report.number);
}

void complete_title(struct words *to)
{
	unsigned int i;

	for (i = SLAB_REPORT_NONE + 1; i < SLAB_NR_REPORTS; i++)
		words_add(to, "\"%s\"", slab_report_row(i)->title);
}

void complete_event(struct words *to)
{
	unsigned int i;

	for (i = 0; i < NR_STEPS; i++)
		words_add(to, "%s", step_name(i));
}

static void complete_first(struct words *to)
{
	const char *before = "";

	for (each_command(c)) {
		const char *first = c->group ? c->group : c->name;

		if (strcmp(first, before))
			words_add(to, "%s", first);
		before = first;
	}
}

void complete_topic(struct words *to)
{
	const struct topic *t;

	complete_first(to);
	for (t = topics; t->name; t++)
		words_add(to, "%s", t->name);
}

/* ---- the line ---- */

#define MAX_WORDS 64

struct line {
	char text[4096];
	char *word[MAX_WORDS]; /* in front of the cursor's word */
	size_t nr;
};

/* Where the innermost command that holds `end` begins. */
static size_t command_start(const char *line, size_t end)
{
	size_t stack[64], depth = 0, start = 0, i;

	for (i = 0; i < end; i++) {
		switch (line[i]) {
		case '[':
		case '{':
			if (depth < 64)
				stack[depth++] = start;
			start = i + 1;
			break;
		case ']':
		case '}':
			if (depth)
				start = stack[--depth];
			break;
		case ';':
		case '\n':
			start = i + 1;
			break;
		}
	}
	return start;
}

static void split_words(struct line *l, const char *line, size_t end)
{
	size_t start = command_start(line, end);
	char *p;

	l->nr = 0;
	if (end - start >= sizeof(l->text))
		return;
	memcpy(l->text, line + start, end - start);
	l->text[end - start] = '\0';
	for (p = strtok(l->text, " \t"); p && l->nr < MAX_WORDS;
	     p = strtok(NULL, " \t")) {
		if (l->nr || *p != '@') /* @1 alloc: the command is alloc */
			l->word[l->nr++] = p;
	}
}

static const struct command *find_row(const struct line *l, size_t *first_arg)
{
	const struct command *own = NULL;

	for (each_command(c)) {
		if (!c->group && !strcmp(c->name, l->word[0])) {
			*first_arg = 1;
			return c;
		}
		if (!c->group || strcmp(c->group, l->word[0]))
			continue;
		if (!c->name) {
			own = c;
		} else if (l->nr > 1 && !strcmp(c->name, l->word[1])) {
			*first_arg = 2;
			return c;
		}
	}
	*first_arg = 1;
	return own;
}

static void add_choices(struct words *to, const char *choices)
{
	while (choices && *choices) {
		size_t n = strcspn(choices, "|");

		words_add(to, "%.*s", (int)n, choices);
		choices += n + (choices[n] == '|');
	}
}

static void add_value(struct words *to, const struct arg *a)
{
	add_choices(to, a->choices);
	if (a->complete)
		a->complete(to);
}

/* Keys that a corruption's kind takes. */
static void add_kind_keys(struct words *to, const struct line *l)
{
	const struct slab_corruption *row =
		l->nr > 2 ? slab_corruption_find(l->word[2]) : NULL;
	const char *p = row ? row->keys : "";

	while (*p) {
		size_t n = strcspn(p, " ");

		words_add(to, "%.*s=", (int)n, p);
		p += n + (p[n] == ' ');
	}
}

static void complete_args(struct words *to, const struct line *l,
			  const struct command *c, size_t first)
{
	const struct arg *a;
	char key[64], front[80];
	size_t place = 0, i, at = 0;

	if (split_key(to->prefix, key, sizeof(key))) {
		for (a = c->args; a && a->name; a++) {
			if (a->kind != ARG_KEY || strcmp(a->name, key))
				continue;
			snprintf(front, sizeof(front), "%s=", key);
			to->front = front;
			add_value(to, a);
			to->front = "";
		}
		return;
	}
	for (i = first; i < l->nr; i++) {
		if (!split_key(l->word[i], key, sizeof(key)))
			place++;
	}
	for (a = c->args; a && a->name; a++) {
		if (a->kind == ARG_KEY)
			words_add(to, "%s=", a->name);
		else if (a->kind == ARG_FLAG || a->kind == ARG_AFTER)
			words_add(to, "%s", a->name);
		else if (a->kind == ARG_ANY_KEY)
			add_kind_keys(to, l);
		if (a->kind == ARG_AFTER && l->nr &&
		    !strcmp(l->word[l->nr - 1], a->name))
			add_value(to, a);
		if (a->kind != ARG_WORD)
			continue;
		if (at == place || (a->takes_rest && at < place))
			add_value(to, a);
		at++;
	}
}

static void complete_words(struct words *to, const struct line *l)
{
	const struct command *c;
	size_t first = 0;

	if (*to->prefix == '$') {
		complete_variable(to);
		complete_region(to);
		return;
	}
	if (!l->nr) {
		complete_first(to);
		return;
	}
	if (l->nr == 1 && command_is_group(l->word[0])) {
		for (each_command(row)) {
			if (row->group && row->name &&
			    !strcmp(row->group, l->word[0]))
				words_add(to, "%s", row->name);
		}
	}
	c = find_row(l, &first);
	if (c)
		complete_args(to, l, c, first);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **complete_line(const char *line, size_t start)
{
	struct words to = { .prefix = line + start, .front = "" };
	static struct line l;
	size_t i, kept = 0;

	split_words(&l, line, start);
	complete_words(&to, &l);
	if (!to.nr)
		return NULL;
	qsort(to.word, to.nr, sizeof(*to.word), by_text);
	for (i = 0; i < to.nr; i++) {
		if (kept && !strcmp(to.word[kept - 1], to.word[i]))
			free(to.word[i]);
		else
			to.word[kept++] = to.word[i];
	}
	to.word[kept] = NULL;
	return to.word;
}
