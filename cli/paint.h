/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * paint.h - coloured pieces of text, for the renderers of people's text
 */
#ifndef CLI_PAINT_H
#define CLI_PAINT_H

#include <stdio.h>

#include "output.h"

void paint(FILE *f, const struct look *look, enum style style, const char *text,
	   size_t n);
void paint_blank(FILE *f, size_t n);

/* Runs of equal letters of a map in one colour. */
void paint_cells(FILE *f, const struct look *look, const char *text, size_t n);

#define MIN_CELLS 16 /* a wrapped column is never narrower */

/* How much of text goes on a line of width columns. */
size_t wrap_at(const char *text, size_t width, enum kind kind);
/* A value that fits in a cell, as text; free() it. */
char *cell_text(const struct value *v);

/* render_table.c */
void render_table(const struct value *table, FILE *f, const struct look *look,
		  unsigned int indent);
/* render_ruler.c */
void render_ruler(const struct block *b, FILE *f, const struct look *look);

#endif
