/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * model.h - what a command answers, before anybody decides how it looks
 *
 *	command --fills--> model --+--> render_text   what a person reads
 *				   +--> render_json   what a program reads
 *				   +--> render_tcl    what a script gets
 *
 * Data:  a tree of values. Each value in a record is described by a struct
 *        field, so a name that is in no field row can not be answered, and
 *        the JSON schema is printed from the same rows.
 * View:  lines, tables and rulers for people, where the data in its natural
 *        form is not the best thing to look at. No view: the data is shown.
 *
 * Memory: everything hangs on the model and goes with its last reference.
 *         Strings are copied.
 */
#ifndef CLI_MODEL_H
#define CLI_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kind {
	KIND_TEXT,
	KIND_NUMBER, /* may be negative */
	KIND_COUNT,
	KIND_BYTES,
	KIND_PERCENT,
	KIND_JIFFIES,
	KIND_FLAG,    /* yes or no */
	KIND_ADDRESS, /* as the machine prints it; a string in JSON */
	KIND_BYTE,    /* 0xNN */
	KIND_CELLS,   /* a letter an object; wraps to whatever room there is */
	KIND_CHAIN,   /* numbers in order: 6>5>4 */
	KIND_LIST,    /* of texts, or of what its one field says */
	KIND_RECORD,
	KIND_TABLE, /* records with the same fields */
};

enum style {
	STYLE_PLAIN,
	STYLE_STRONG,
	STYLE_DIM,
	STYLE_GOOD,
	STYLE_BAD,
	STYLE_WARN,
	STYLE_NAME,
};

#define FIELD_QUIET  1U /* for programs; people are not shown it */
#define FIELD_PEOPLE 4U /* for people; programs have it in other fields */
#define FIELD_EXTRA  2U /* the first to go when a line is too narrow */

struct field {
	const char *name, *brief;
	const char *header; /* over a column, when the name is too long */
	const struct field *of; /* of a record or table; ends with no name */
	enum kind kind;
	unsigned int how;
};

/* A row: FIELD("nodes", TABLE, "by node", .of = node_fields) */
#define FIELD(n, k, b, ...)                                              \
	{                                                                \
		.name = (n), .kind = KIND_##k, .brief = (b), __VA_ARGS__ \
	}

struct value {
	const struct field *field; /* NULL: an item of a list, a table's row */
	const struct field *of;	   /* record and table */
	enum kind kind;
	enum style style;
	bool is_unknown; /* text holds the reason */
	union {
		const char *text;
		uint64_t number;
		int64_t signed_number;
		bool flag;
	};
	struct value *child, *last_child, *next;
	struct model *model;
};

/* ---- what people see instead of the data ---- */
struct span {
	enum style style;
	const char *text;
	struct span *next;
};

struct ruler_part {
	const char *label; /* "object" */
	long offset;	   /* of its first byte */
	unsigned long length;
	enum style style;
};

struct ruler_mark {
	long offset;
	const char *text;
	enum style style;
};

struct block {
	enum { BLOCK_LINE, BLOCK_VALUE, BLOCK_RULER } kind;
	struct span *span, *last_span;
	const struct value *value;
	unsigned int indent;
	bool breaks_wide; /* LINE: only where two blanks stand */
	bool fits_screen; /* VALUE: a table that leaves room for the rest */
	const struct ruler_part *part;
	const struct ruler_mark *mark;
	size_t nr_parts, nr_marks;
	struct model *model;
	struct block *next;
};

struct model {
	unsigned int refs;
	struct value *root;
	struct block *view, *last_block;
	struct chunk *chunks;
};

/* The answer of a command whose row says `returns`. */
struct model *model_new(const struct field *returns);
struct model *model_get(struct model *m);
void model_put(struct model *m);
void *model_alloc(struct model *m, size_t size);
const char *model_format(struct model *m, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Into a record, by the name of one of its fields. */
void put_text(struct value *record, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void put_number(struct value *record, const char *name, int64_t number);
void put_count(struct value *record, const char *name, uint64_t count);
void put_flag(struct value *record, const char *name, bool flag);
void put_unknown(struct value *record, const char *name, const char *why);
void put_style(struct value *record, const char *name, enum style style);
struct value *put_list(struct value *record, const char *name);
struct value *put_record(struct value *record, const char *name);
struct value *put_table(struct value *record, const char *name);

/* Into the root of a model that is a text or a list, and into lists. */
void root_text(struct model *m, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void root_number(struct model *m, uint64_t number);
void list_text(struct value *list, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void list_number(struct value *list, enum kind kind, uint64_t number);
struct value *table_row(struct value *table);

struct value *record_find(const struct value *record, const char *name);
size_t value_nr_children(const struct value *v);

/* The view, top to bottom. */
struct block *view_line(struct model *m);
void view_text(struct model *m, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void view_value(struct model *m, const struct value *v, unsigned int indent);
/* A table that may be long: of it a screen shows what fits beside the rest. */
void view_long_table(struct model *m, const struct value *v);
void view_ruler(struct model *m, const struct ruler_part *part, size_t nr_parts,
		const struct ruler_mark *mark, size_t nr_marks);
void line_add(struct block *line, enum style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
