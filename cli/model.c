/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * model.c - values in a tree and lines beside it, all in one arena
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

#define CHUNK_BYTES 2000

struct chunk {
	struct chunk *next;
	size_t used, size;
	max_align_t bytes[];
};

void *model_alloc(struct model *m, size_t size)
{
	struct chunk *c = m->chunks;
	void *p;

	size = (size + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	if (!c || c->size - c->used < size) {
		size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;

		c = malloc(sizeof(*c) + room);
		if (!c) {
			fputs("slabctl: out of memory for an answer\n", stderr);
			abort();
		}
		c->used = 0;
		c->size = room;
		c->next = m->chunks;
		m->chunks = c;
	}
	p = (char *)c->bytes + c->used;
	c->used += size;
	return memset(p, 0, size);
}

static const char *copy_format(struct model *m, const char *format, va_list ap)
{
	va_list again;
	char *text;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (n < 0)
		n = 0;
	text = model_alloc(m, (size_t)n + 1);
	vsnprintf(text, (size_t)n + 1, format, ap);
	return text;
}

const char *model_format(struct model *m, const char *format, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, format);
	text = copy_format(m, format, ap);
	va_end(ap);
	return text;
}

static struct value *value_new(struct model *m, const struct field *field,
			       enum kind kind)
{
	struct value *v = model_alloc(m, sizeof(*v));

	v->model = m;
	v->field = field;
	v->kind = kind;
	v->of = field ? field->of : NULL;
	return v;
}

struct model *model_new(const struct field *returns)
{
	struct model *m = calloc(1, sizeof(*m));

	if (!m)
		abort();
	m->refs = 1;
	m->root = value_new(m, returns, returns ? returns->kind : KIND_TEXT);
	return m;
}

struct model *model_get(struct model *m)
{
	m->refs++;
	return m;
}

void model_put(struct model *m)
{
	if (!m || --m->refs)
		return;
	while (m->chunks) {
		struct chunk *c = m->chunks;

		m->chunks = c->next;
		free(c);
	}
	free(m);
}

static struct value *append(struct value *parent, struct value *v)
{
	if (parent->last_child)
		parent->last_child->next = v;
	else
		parent->child = v;
	parent->last_child = v;
	return v;
}

/* A name that no field row has is a mistake in the command. */
static struct value *put(struct value *record, const char *name)
{
	const struct field *f;

	for (f = record->of; f && f->name; f++) {
		if (!strcmp(f->name, name))
			return append(record,
				      value_new(record->model, f, f->kind));
	}
	fprintf(stderr, "slabctl: the answer has no field %s\n", name);
	abort();
}

void put_text(struct value *record, const char *name, const char *format, ...)
{
	struct value *v = put(record, name);
	va_list ap;

	assert(v->kind == KIND_TEXT || v->kind == KIND_CELLS);
	va_start(ap, format);
	v->text = copy_format(record->model, format, ap);
	va_end(ap);
}

void put_number(struct value *record, const char *name, int64_t number)
{
	put(record, name)->signed_number = number;
}

void put_count(struct value *record, const char *name, uint64_t count)
{
	put(record, name)->number = count;
}

void put_flag(struct value *record, const char *name, bool flag)
{
	struct value *v = put(record, name);

	assert(v->kind == KIND_FLAG);
	v->flag = flag;
}

void put_unknown(struct value *record, const char *name, const char *why)
{
	struct value *v = put(record, name);

	v->is_unknown = true;
	v->text = model_format(record->model, "%s", why);
}

void put_style(struct value *record, const char *name, enum style style)
{
	struct value *v = record_find(record, name);

	if (v)
		v->style = style;
}

struct value *put_list(struct value *record, const char *name)
{
	return put(record, name);
}

struct value *put_record(struct value *record, const char *name)
{
	return put(record, name);
}

struct value *put_table(struct value *record, const char *name)
{
	return put(record, name);
}

void root_text(struct model *m, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	m->root->kind = KIND_TEXT;
	m->root->text = copy_format(m, format, ap);
	va_end(ap);
}

void root_number(struct model *m, uint64_t number)
{
	m->root->number = number;
}

void list_text(struct value *list, const char *format, ...)
{
	struct value *v = value_new(list->model, NULL, KIND_TEXT);
	va_list ap;

	va_start(ap, format);
	v->text = copy_format(list->model, format, ap);
	va_end(ap);
	append(list, v);
}

void list_number(struct value *list, enum kind kind, uint64_t number)
{
	struct value *v = value_new(list->model, NULL, kind);

	v->number = number;
	append(list, v);
}

struct value *table_row(struct value *table)
{
	struct value *row = value_new(table->model, NULL, KIND_RECORD);

	row->of = table->of;
	return append(table, row);
}

struct value *record_find(const struct value *record, const char *name)
{
	struct value *v;

	for (v = record->child; v; v = v->next) {
		if (v->field && !strcmp(v->field->name, name))
			return v;
	}
	return NULL;
}

size_t value_nr_children(const struct value *v)
{
	const struct value *c;
	size_t nr = 0;

	for (c = v->child; c; c = c->next)
		nr++;
	return nr;
}

static struct block *block_new(struct model *m, int kind)
{
	struct block *b = model_alloc(m, sizeof(*b));

	b->kind = kind;
	b->model = m;
	if (m->last_block)
		m->last_block->next = b;
	else
		m->view = b;
	m->last_block = b;
	return b;
}

struct block *view_line(struct model *m)
{
	return block_new(m, BLOCK_LINE);
}

static void add_span(struct block *line, enum style style, const char *text)
{
	struct span *s = model_alloc(line->model, sizeof(*s));

	s->style = style;
	s->text = text;
	if (line->last_span)
		line->last_span->next = s;
	else
		line->span = s;
	line->last_span = s;
}

void line_add(struct block *line, enum style style, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add_span(line, style, copy_format(line->model, format, ap));
	va_end(ap);
}

void view_text(struct model *m, const char *format, ...)
{
	struct block *line = view_line(m);
	va_list ap;

	va_start(ap, format);
	add_span(line, STYLE_PLAIN, copy_format(m, format, ap));
	va_end(ap);
}

void view_value(struct model *m, const struct value *v, unsigned int indent)
{
	struct block *b = block_new(m, BLOCK_VALUE);

	b->value = v;
	b->indent = indent;
}

void view_long_table(struct model *m, const struct value *v)
{
	view_value(m, v, 0);
	m->last_block->fits_screen = true;
}

void view_ruler(struct model *m, const struct ruler_part *part, size_t nr_parts,
		const struct ruler_mark *mark, size_t nr_marks)
{
	struct block *b = block_new(m, BLOCK_RULER);
	struct ruler_part *p = model_alloc(m, (nr_parts + 1) * sizeof(*p));
	struct ruler_mark *k = model_alloc(m, (nr_marks + 1) * sizeof(*k));
	size_t i;

	for (i = 0; i < nr_parts; i++) {
		p[i] = part[i];
		p[i].label = model_format(m, "%s", part[i].label);
	}
	for (i = 0; i < nr_marks; i++) {
		k[i] = mark[i];
		k[i].text = model_format(m, "%s", mark[i].text);
	}
	b->part = p;
	b->nr_parts = nr_parts;
	b->mark = k;
	b->nr_marks = nr_marks;
}
