/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * render_text.c - a model as a person reads it: lines and records
 *
 * It knows no cache. What does not fit is wrapped or left out with a line that
 * says so; a stream without a width limit gets all of it.
 */
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "paint.h"

static const char *const style_codes[] = {
	[STYLE_PLAIN] = "",	    [STYLE_STRONG] = "\033[1m",
	[STYLE_DIM] = "\033[2m",    [STYLE_GOOD] = "\033[32m",
	[STYLE_BAD] = "\033[1;31m", [STYLE_WARN] = "\033[33m",
	[STYLE_NAME] = "\033[36m",
};

void paint(FILE *f, const struct look *look, enum style style, const char *text,
	   size_t n)
{
	bool paints = look->has_color && style != STYLE_PLAIN && n;

	if (paints)
		fputs(style_codes[style], f);
	fwrite(text, 1, n, f);
	if (paints)
		fputs("\033[0m", f);
}

void paint_blank(FILE *f, size_t n)
{
	fprintf(f, "%*s", (int)n, "");
}

static enum style cell_style(char letter)
{
	switch (letter) {
	case '#':
		return STYLE_NAME;
	case '.':
		return STYLE_DIM;
	case '!':
	case 'X':
		return STYLE_BAD;
	case '?':
		return STYLE_WARN;
	default:
		return STYLE_GOOD;
	}
}

/* Runs of equal letters in one colour. */
void paint_cells(FILE *f, const struct look *look, const char *text, size_t n)
{
	size_t i = 0;

	while (i < n) {
		size_t from = i;

		while (i < n && text[i] == text[from])
			i++;
		paint(f, look, cell_style(text[from]), text + from, i - from);
	}
}

static char *join(const struct value *list, const char *between)
{
	const struct value *c;
	char buf[64], *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		die_no_memory();
	for (c = list->child; c; c = c->next)
		fprintf(f, "%s%s", value_text(c, buf, sizeof(buf)),
			c->next ? between : "");
	fclose(f);
	return text;
}

const char *value_text(const struct value *v, char *buf, size_t size)
{
	if (v->is_unknown)
		return "unknown";
	switch (v->kind) {
	case KIND_TEXT:
	case KIND_CELLS:
		return v->text ? v->text : "";
	case KIND_FLAG:
		return v->flag ? "yes" : "no";
	case KIND_NUMBER:
		snprintf(buf, size, "%lld", (long long)v->signed_number);
		return buf;
	case KIND_PERCENT:
		snprintf(buf, size, "%llu%%", (unsigned long long)v->number);
		return buf;
	case KIND_ADDRESS:
		snprintf(buf, size, "0x%llx", (unsigned long long)v->number);
		return buf;
	case KIND_BYTE:
		snprintf(buf, size, "0x%02llx", (unsigned long long)v->number);
		return buf;
	default:
		snprintf(buf, size, "%llu", (unsigned long long)v->number);
		return buf;
	}
}

/* 6>5>4, and 0>1>..>55 where eight or more run up or down by one. */
static char *join_chain(const struct value *chain)
{
	const struct value *c = chain->child, *last;
	char *text = NULL;
	size_t size, run;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		die_no_memory();
	while (c) {
		int64_t step =
			c->next ? (int64_t)(c->next->number - c->number) : 0;

		for (run = 1, last = c;
		     (step == 1 || step == -1) && last->next &&
		     (int64_t)(last->next->number - last->number) == step;
		     last = last->next)
			run++;
		if (run >= 8) {
			fprintf(f, "%llu>%llu>..>%llu",
				(unsigned long long)c->number,
				(unsigned long long)c->next->number,
				(unsigned long long)last->number);
			c = last;
		} else {
			char buf[64];

			fputs(value_text(c, buf, sizeof(buf)), f);
		}
		c = c->next;
		fputs(c ? ">" : "", f);
	}
	fclose(f);
	return text;
}

/* As value_text(), for any kind that fits in a cell; free() it. */
char *cell_text(const struct value *v)
{
	char buf[64];

	if (!v)
		return must_strdup("");
	if (v->is_unknown) {
		char *text = must_alloc(strlen(v->text) + 12);

		sprintf(text, "unknown: %s", v->text);
		return text;
	}
	if (v->kind == KIND_CHAIN)
		return v->child ? join_chain(v) : must_strdup("-");
	if (v->kind == KIND_LIST)
		return v->child ? join(v, " ") : must_strdup("-");
	return must_strdup(value_text(v, buf, sizeof(buf)));
}

/* How much of text goes on a line of width columns. */
size_t wrap_at(const char *text, size_t width, enum kind kind)
{
	size_t n = strlen(text), i;

	if (n <= width)
		return n;
	if (kind == KIND_CELLS)
		return width;
	for (i = width; i > width / 2; i--) {
		if (kind == KIND_CHAIN ? text[i - 1] == '>' : text[i] == ' ')
			return i;
	}
	return width;
}

/* ---- records ---- */

static bool is_part(const struct value *v)
{
	return v->kind == KIND_RECORD || v->kind == KIND_TABLE;
}

static void paint_wrapped(FILE *f, const struct look *look, enum style style,
			  const char *text, enum kind kind, size_t at)
{
	size_t width =
		look->width > at + MIN_CELLS ? look->width - at : SIZE_MAX / 2;

	for (;;) {
		size_t n = wrap_at(text, width, kind);

		if (kind == KIND_CELLS)
			paint_cells(f, look, text, n);
		else
			paint(f, look, style, text, n);
		text += n;
		while (*text == ' ')
			text++;
		if (!*text)
			break;
		fputc('\n', f);
		paint_blank(f, at);
	}
}

static void render_record(const struct value *record, FILE *f,
			  const struct look *look, unsigned int indent)
{
	const struct value *c;
	size_t name = 0, value = 0, n;
	char *text;

	for (c = record->child; c; c = c->next) {
		if (c->field->how & FIELD_QUIET || is_part(c))
			continue;
		if (strlen(c->field->name) > name)
			name = strlen(c->field->name);
		text = cell_text(c);
		if (strlen(text) > value && strlen(text) <= 20)
			value = strlen(text);
		free(text);
	}
	for (c = record->child; c; c = c->next) {
		const char *brief = c->field->brief;

		if (c->field->how & FIELD_QUIET)
			continue;
		paint_blank(f, indent);
		paint(f, look, is_part(c) ? STYLE_STRONG : STYLE_PLAIN,
		      c->field->name, strlen(c->field->name));
		if (is_part(c)) {
			fputc('\n', f);
			render_value_text(c, f, look);
			continue;
		}
		paint_blank(f, name - strlen(c->field->name) + 2);
		text = cell_text(c);
		n = strlen(text);
		paint_wrapped(f, look, c->style, text, c->kind,
			      indent + name + 2);
		if (brief && n <= value &&
		    (!look->width ||
		     indent + name + value + 4 + strlen(brief) <=
			     look->width)) {
			paint_blank(f, value - n + 2);
			paint(f, look, STYLE_DIM, brief, strlen(brief));
		}
		fputc('\n', f);
		free(text);
	}
}

static void render_part(const struct value *v, FILE *f, const struct look *look,
			unsigned int indent)
{
	char buf[64], *own;
	const char *text;

	switch (v->kind) {
	case KIND_RECORD:
		render_record(v, f, look, indent);
		break;
	case KIND_TABLE:
		render_table(v, f, look, indent);
		break;
	case KIND_CHAIN:
	case KIND_LIST:
		text = own = cell_text(v);
		paint_wrapped(f, look, v->style, text, v->kind, indent);
		fputc('\n', f);
		free(own);
		break;
	default:
		text = value_text(v, buf, sizeof(buf));
		if (*text)
			fprintf(f, "%s\n", text);
	}
}

void render_value_text(const struct value *v, FILE *f, const struct look *look)
{
	render_part(v, f, look, v->field && is_part(v) ? 2 : 0);
}

static size_t line_length(const struct block *b, bool *has_newline)
{
	const struct span *s;
	size_t n = 0;

	*has_newline = false;
	for (s = b->span; s; s = s->next) {
		n += strlen(s->text);
		*has_newline |= strchr(s->text, '\n') != NULL;
	}
	return n;
}

/* Where a line that is too long goes on: below its second part. */
static size_t hanging_indent(const struct block *b, size_t width)
{
	size_t first = strlen(b->span->text);

	if (b->breaks_wide)
		return 2;
	if (b->span->next && first < width / 2)
		return first + strspn(b->span->next->text, " ");
	return strspn(b->span->text, " ");
}

/* Up to the next blank, or to the next two. */
static size_t word_length(const char *p, bool breaks_wide)
{
	const char *gap = breaks_wide ? strstr(p, "  ") : strchr(p, ' ');

	return gap ? (size_t)(gap - p) : strlen(p);
}

static void wrap_line(const struct block *b, FILE *f, const struct look *look)
{
	size_t indent = hanging_indent(b, look->width), at = 0, gap = 0;
	const struct span *s;

	for (s = b->span; s; s = s->next) {
		const char *p = s->text;

		while (*p) {
			size_t blanks = strspn(p, " ");
			size_t word = word_length(p + blanks, b->breaks_wide);

			gap += blanks;
			p += blanks;
			if (!word)
				break; /* the next part goes on */
			if (at + gap + word > look->width && at > indent) {
				fputc('\n', f);
				gap = indent;
				at = 0;
			}
			paint_blank(f, gap);
			paint(f, look, s->style, p, word);
			at += gap + word;
			gap = 0;
			p += word;
		}
	}
	fputc('\n', f);
}

static void render_line(const struct block *b, FILE *f, const struct look *look)
{
	const struct span *s;
	bool has_newline;

	if (b->span && line_length(b, &has_newline) > look->width &&
	    look->width && !has_newline) {
		wrap_line(b, f, look);
		return;
	}
	for (s = b->span; s; s = s->next)
		paint(f, look, s->style, s->text, strlen(s->text));
	fputc('\n', f);
}

#define LINES_BESIDE 10 /* head, sums and prompt around a long table */

static void render_block_value(const struct block *b, FILE *f,
			       const struct look *look)
{
	struct look own = *look;

	if (!b->fits_screen)
		own.height = 0;
	else if (own.height)
		own.height = own.height > 2 * LINES_BESIDE
				     ? own.height - LINES_BESIDE
				     : LINES_BESIDE;
	render_part(b->value, f, &own, b->indent);
}

void render_text(const struct model *m, FILE *f, const struct look *look)
{
	const struct block *b;

	if (!m->view) {
		/* a record of one table is that table */
		const struct value *v = m->root;

		if (v->kind == KIND_RECORD && v->child && !v->child->next &&
		    v->child->kind == KIND_TABLE)
			v = v->child;
		render_part(v, f,
			    &(struct look){ look->width, look->max_rows, 0,
					    look->has_color, look->is_ascii },
			    0);
		return;
	}
	for (b = m->view; b; b = b->next) {
		switch (b->kind) {
		case BLOCK_LINE:
			render_line(b, f, look);
			break;
		case BLOCK_VALUE:
			render_block_value(b, f, look);
			break;
		case BLOCK_RULER:
			render_ruler(b, f, look);
			break;
		}
	}
}
