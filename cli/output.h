/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * output.h - everything slabctl writes: answers to stdout, messages to stderr
 *
 * A stdout that takes no more (a closed pipe, a full disk) is remembered, and
 * commands that want to write then fail.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stdio.h>

#include "model.h"
#include "session.h"

/* How people's text looks on a stream. */
struct look {
	unsigned int width;    /* 0: no limit */
	unsigned int max_rows; /* of a table; 0: no limit */
	unsigned int height;   /* lines of the screen; 0: no limit */
	bool has_color, is_ascii;
};

struct look output_look(FILE *f);

/* An answer, in the format of the session. command: its name for JSON. */
int output_model(const char *command, const struct model *m);
/* Text that `puts` writes. */
int output_text(const char *text, size_t n, bool to_stderr, bool newline);
/* A line of the machine's log, and of `explain on`. */
void output_log_line(const char *line);
void output_story(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
/* A message beside the answers. */
void output_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* session.error, in the format of the session. */
void output_error(void);
/* For the moments when there is no memory to format with. */
void output_fatal(const char *code, const char *message, const char *hint);

/* 0, or the errno that stdout failed with. */
int output_flush(void);
int output_failed(void);

/* At the end: the exit code, which an unwritten answer makes 4. */
int output_end(int code);

/* Renderers. */
void render_text(const struct model *m, FILE *f, const struct look *look);
void render_value_text(const struct value *v, FILE *f, const struct look *look);
Tcl_Obj *render_tcl(const struct model *m);
/* A Tcl value that is the dict and remembers how it looks. */
Tcl_Obj *model_object(struct model *m);
const struct model *object_model(Tcl_Obj *object);
/* How a scalar reads as text; in buf or elsewhere. */
const char *value_text(const struct value *v, char *buf, size_t size);

/* JSON envelopes. row: one child of the answer's first table, for ndjson. */
void render_json(const char *command, const struct model *m, FILE *f);
void render_json_text(const char *command, const char *text, FILE *f);
void render_json_error(FILE *f);
/* Reports that stood in no envelope get one of their own. */
void render_json_rest(FILE *f);
void render_json_schema(const struct field *returns, FILE *f);
void render_json_schemas(FILE *f); /* of every command, by its name */

#endif
