/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * render_table.c - rows below each other
 *
 * Too wide: the widest columns wrap, then the dispensable ones go, then others
 * from the right, and a line below says which.
 */
#include <stdlib.h>
#include <string.h>

#include "paint.h"

#define MAX_COLUMNS 32

struct column {
	const struct field *field;
	size_t width;
	bool is_right, is_flexible;
};

struct grid {
	struct column column[MAX_COLUMNS];
	size_t nr_columns, nr_rows;
	char **cell; /* row by row */
	enum style *style;
};

static void header_text(const struct field *f, char *buf, size_t size)
{
	size_t i;

	snprintf(buf, size, "%s", f->header ? f->header : f->name);
	for (i = 0; buf[i]; i++) {
		if (buf[i] == '_')
			buf[i] = ' ';
		else if (buf[i] >= 'a' && buf[i] <= 'z')
			buf[i] = (char)(buf[i] - 32);
	}
}

static void grid_columns(struct grid *g, const struct value *table)
{
	const struct field *f;

	for (f = table->of; f && f->name; f++) {
		struct column *c = &g->column[g->nr_columns];
		char header[64];

		if (f->how & FIELD_QUIET || g->nr_columns == MAX_COLUMNS)
			continue;
		header_text(f, header, sizeof(header));
		c->field = f;
		c->width = strlen(header);
		c->is_right = f->kind >= KIND_NUMBER && f->kind <= KIND_JIFFIES;
		c->is_flexible = f->kind == KIND_CELLS ||
				 f->kind == KIND_CHAIN ||
				 f->kind == KIND_LIST || f->kind == KIND_TEXT;
		g->nr_columns++;
	}
}

static void grid_rows(struct grid *g, const struct value *table, size_t max)
{
	const struct value *row;
	size_t i, r = 0;

	g->nr_rows = value_nr_children(table);
	if (max && g->nr_rows > max)
		g->nr_rows = max;
	g->cell = must_alloc(g->nr_rows * g->nr_columns * sizeof(*g->cell));
	g->style = must_alloc(g->nr_rows * g->nr_columns * sizeof(*g->style));
	for (row = table->child; r < g->nr_rows; row = row->next, r++) {
		for (i = 0; i < g->nr_columns; i++) {
			struct column *c = &g->column[i];
			const struct value *v =
				record_find(row, c->field->name);
			char *text = cell_text(v);

			g->cell[r * g->nr_columns + i] = text;
			g->style[r * g->nr_columns + i] =
				v ? v->style : STYLE_PLAIN;
			if (strlen(text) > c->width)
				c->width = strlen(text);
		}
	}
}

static size_t grid_width(const struct grid *g)
{
	size_t i, width = 0;

	for (i = 0; i < g->nr_columns; i++) {
		if (g->column[i].width)
			width += g->column[i].width + (width ? 2 : 0);
	}
	return width;
}

static size_t min_width(const struct column *c)
{
	char header[64];

	header_text(c->field, header, sizeof(header));
	if (!c->is_flexible)
		return c->width;
	if (c->field->kind == KIND_TEXT && c->width <= 24)
		return c->width; /* names and short words stay whole */
	return strlen(header) > MIN_CELLS ? strlen(header) : MIN_CELLS;
}

static void take(size_t *from, size_t *excess, size_t most)
{
	size_t n = *excess < most ? *excess : most;

	*from -= n;
	*excess -= n;
}

/* Wide columns give first; then columns go, the dispensable ones first.
 * Fills left_out with the names of those. */
static void grid_fit(struct grid *g, size_t width, char *left_out, size_t size)
{
	size_t used = 0, round, i;

	while (grid_width(g) > width) {
		size_t excess = grid_width(g) - width;
		struct column *widest = NULL;

		for (i = 0; i < g->nr_columns; i++) {
			struct column *c = &g->column[i];

			if (c->width > min_width(c) &&
			    (!widest || c->width > widest->width))
				widest = c;
		}
		if (!widest)
			break;
		take(&widest->width, &excess,
		     widest->width - min_width(widest) < 8
			     ? widest->width - min_width(widest)
			     : 8);
	}
	for (round = 0; round < 2; round++) {
		for (i = g->nr_columns; i-- > 1 && grid_width(g) > width;) {
			struct column *c = &g->column[i];

			if (!c->width ||
			    (!round && !(c->field->how & FIELD_EXTRA)))
				continue;
			c->width = 0;
			used += (size_t)snprintf(left_out + used, size - used,
						 "%s%s", used ? ", " : "",
						 c->field->name);
			if (used >= size)
				return;
		}
	}
}

static void paint_header(FILE *f, const struct grid *g, const struct look *look,
			 unsigned int indent)
{
	size_t i, gap = indent;

	for (i = 0; i < g->nr_columns; i++) {
		const struct column *c = &g->column[i];
		char header[64];
		size_t n;

		if (!c->width)
			continue;
		header_text(c->field, header, sizeof(header));
		n = strlen(header);
		paint_blank(f, gap + (c->is_right ? c->width - n : 0));
		paint(f, look, STYLE_STRONG, header, n);
		gap = 2 + (c->is_right ? 0 : c->width - n);
	}
	fputc('\n', f);
}

/* The number of lines it took. */
static size_t paint_row(FILE *f, const struct grid *g, size_t r,
			const struct look *look, unsigned int indent)
{
	const char *rest[MAX_COLUMNS];
	bool is_first = true, has_more = true;
	size_t i, lines = 0;

	for (i = 0; i < g->nr_columns; i++)
		rest[i] = g->cell[r * g->nr_columns + i];
	while (has_more) {
		size_t gap = indent;

		has_more = false;
		for (i = 0; i < g->nr_columns; i++) {
			const struct column *c = &g->column[i];
			enum style style = g->style[r * g->nr_columns + i];
			size_t n;

			if (!c->width)
				continue;
			n = wrap_at(rest[i], c->width, c->field->kind);
			if (n)
				paint_blank(f, gap + (c->is_right && is_first
							      ? c->width - n
							      : 0));
			if (c->field->kind == KIND_CELLS)
				paint_cells(f, look, rest[i], n);
			else
				paint(f, look, style, rest[i], n);
			gap = n ? 2 + (c->is_right ? 0 : c->width - n)
				: gap + c->width + 2;
			rest[i] += n;
			while (*rest[i] == ' ')
				rest[i]++;
			has_more |= *rest[i];
		}
		is_first = false;
		lines++;
		fputc('\n', f);
	}
	return lines;
}

static void paint_note(FILE *f, const struct look *look, unsigned int indent,
		       const char *note)
{
	paint_blank(f, indent);
	paint(f, look, STYLE_DIM, note, strlen(note));
	fputc('\n', f);
}

void render_table(const struct value *table, FILE *f, const struct look *look,
		  unsigned int indent)
{
	size_t nr = value_nr_children(table), most = look->max_rows;
	size_t lines = 0, i;
	char left_out[256] = "", note[384];
	struct grid g = { .nr_columns = 0 };

	if (!nr) {
		snprintf(note, sizeof(note), "no %s",
			 table->field ? table->field->name : "rows");
		paint_note(f, look, indent, note);
		return;
	}
	grid_columns(&g, table);
	if (look->height && (!most || look->height < most))
		most = look->height;
	grid_rows(&g, table, most);
	if (look->width)
		grid_fit(&g, look->width > indent ? look->width - indent : 1,
			 left_out, sizeof(left_out));
	paint_header(f, &g, look, indent);
	for (i = 0; i < g.nr_rows && (!look->height || lines < look->height);
	     i++)
		lines += paint_row(f, &g, i, look, indent);
	if (i < nr) {
		snprintf(note, sizeof(note), "%zu more; a pipe shows them all",
			 nr - i);
		paint_note(f, look, indent, note);
	}
	if (*left_out) {
		snprintf(note, sizeof(note),
			 "not shown at this width: %s (--width 0 shows all)",
			 left_out);
		paint_note(f, look, indent, note);
	}
	for (i = 0; i < g.nr_rows * g.nr_columns; i++)
		free(g.cell[i]);
	free(g.cell);
	free(g.style);
}
