/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * render_ruler.c - regions side by side, their offsets above, marks below
 *
 *	-8       0                             +192  +200  +208       +272
 *	|left 8  |object 192                   |rz 8 |fp 8 |tracks 64 |pad 8 |
 *	                 ^ +50: found 0x9a, wanted 0x6b
 *
 * A box is at least as wide as its label; what room is left goes to the boxes
 * by their length. Boxes that do not fit go on with a second ruler below.
 */
#include <string.h>

#include "paint.h"

#define PIPE_WIDTH 100 /* a ruler has to end somewhere */

struct box {
	char label[48], offset[16];
	size_t width; /* with its left bar */
};

static void box_fill(struct box *b, const struct ruler_part *p)
{
	size_t n;

	snprintf(b->label, sizeof(b->label), "%s %lu", p->label, p->length);
	snprintf(b->offset, sizeof(b->offset), p->offset ? "%+ld" : "%ld",
		 p->offset);
	n = strlen(b->label);
	if (strlen(b->offset) > n)
		n = strlen(b->offset);
	b->width = n + 2; /* bar and a blank */
}

static void grow_boxes(struct box *box, const struct ruler_part *part,
		       size_t nr, size_t slack)
{
	unsigned long total = 0;
	size_t i, given = 0, biggest = 0;

	for (i = 0; i < nr; i++) {
		total += part[i].length;
		if (part[i].length > part[biggest].length)
			biggest = i;
	}
	for (i = 0; i < nr && total; i++) {
		size_t more = slack * part[i].length / total;

		/* a box of few bytes wants no more than a column a byte */
		if (box[i].width + more > part[i].length + 8)
			more = box[i].width < part[i].length + 8
				       ? part[i].length + 8 - box[i].width
				       : 0;
		box[i].width += more;
		given += more;
	}
	if (part[biggest].length > 2 * slack)
		box[biggest].width += slack - given;
}

static void paint_mark(FILE *f, const struct look *look,
		       const struct ruler_mark *m, size_t column, size_t width)
{
	size_t n = strlen(m->text);

	if (column + 2 + n > width && column < n + 1) {
		paint_blank(f, column);
		paint(f, look, m->style, "^", 1);
		fputc('\n', f);
		paint_blank(f, n < width ? width - n : 0);
		paint(f, look, m->style, m->text, n);
	} else if (column + 2 + n <= width) {
		paint_blank(f, column);
		paint(f, look, m->style, "^", 1);
		fputc(' ', f);
		paint(f, look, m->style, m->text, n);
	} else {
		paint_blank(f, column - n - 1);
		paint(f, look, m->style, m->text, n);
		fputc(' ', f);
		paint(f, look, m->style, "^", 1);
	}
	fputc('\n', f);
}

static void paint_marks(const struct block *b, size_t from, size_t to,
			const struct box *box, FILE *f, const struct look *look,
			size_t width)
{
	size_t i, k;

	for (k = 0; k < b->nr_marks; k++) {
		const struct ruler_mark *m = &b->mark[k];
		size_t column = 0;

		for (i = from; i < to; i++) {
			const struct ruler_part *p = &b->part[i];

			if (m->offset >= p->offset &&
			    m->offset < p->offset + (long)p->length) {
				size_t in = (size_t)(m->offset - p->offset);

				paint_mark(f, look, m,
					   column + 1 +
						   in * (box[i].width - 1) /
							   p->length,
					   width);
				break;
			}
			column += box[i].width;
		}
	}
}

static void paint_boxes(const struct block *b, size_t from, size_t to,
			const struct box *box, FILE *f, const struct look *look)
{
	const char *bar = look->is_ascii ? "|" : "\xe2\x94\x82";
	size_t i;

	for (i = from; i < to; i++) {
		paint(f, look, STYLE_DIM, box[i].offset, strlen(box[i].offset));
		if (i + 1 < to)
			paint_blank(f, box[i].width - strlen(box[i].offset));
	}
	fputc('\n', f);
	for (i = from; i < to; i++) {
		size_t n = strlen(box[i].label);
		size_t left = (box[i].width - 1 - n) / 2;

		fputs(bar, f);
		paint_blank(f, left);
		paint(f, look, b->part[i].style, box[i].label, n);
		paint_blank(f, box[i].width - 1 - n - left);
	}
	fprintf(f, "%s\n", bar);
}

void render_ruler(const struct block *b, FILE *f, const struct look *look)
{
	size_t width = look->width ? look->width : PIPE_WIDTH;
	struct box box[32];
	size_t from = 0, i;

	for (i = 0; i < b->nr_parts && i < 32; i++)
		box_fill(&box[i], &b->part[i]);
	while (from < b->nr_parts && from < 32) {
		size_t used = 1, to = from;

		while (to < b->nr_parts && to < 32 &&
		       (to == from || used + box[to].width <= width))
			used += box[to++].width;
		if (used < width)
			grow_boxes(box + from, b->part + from, to - from,
				   width - used);
		paint_boxes(b, from, to, box, f, look);
		paint_marks(b, from, to, box, f, look, width);
		from = to;
	}
}
