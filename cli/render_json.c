/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * render_json.c - answers and errors as JSON, one envelope each
 *
 *	{"v":1,"command":"map","target":"virtual","ok":true,"data":{...}}
 *	{"v":1,"ok":false,"error":{"code":...,"message":...,"hint":...}}
 *
 * Addresses are strings, counts numbers; unknown is null with NAME_why beside
 * it. Reports that the machine made since the last envelope stand in
 * "reports".
 */
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "names.h"
#include "output.h"
#include "report_queue.h"

/* Tcl keeps NUL as two bytes; what is no UTF-8 JSON can not hold. */
static json_object *text_json(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	char *out = must_alloc(3 * strlen(text) + 1), *to = out;
	json_object *o;

	while (*p) {
		size_t n = *p < 0x80		     ? 1
			   : *p >= 0xc2 && *p < 0xe0 ? 2
			   : *p >= 0xe0 && *p < 0xf0 ? 3
			   : *p >= 0xf0 && *p < 0xf5 ? 4
						     : 0;
		size_t i;

		for (i = 1; i < n && (p[i] & 0xc0) == 0x80; i++)
			;
		if (p[0] == 0xc0 && p[1] == 0x80) {
			*to++ = '\0';
			p += 2;
		} else if (n && i == n) {
			memcpy(to, p, n);
			to += n;
			p += n;
		} else {
			memcpy(to, "\xef\xbf\xbd", 3);
			to += 3;
			p++;
		}
	}
	o = json_object_new_string_len(out, (int)(to - out));
	free(out);
	return o;
}

static json_object *value_json(const struct value *v);

static json_object *record_json(const struct value *v)
{
	json_object *o = json_object_new_object();
	const struct value *c;
	char why[96];

	for (c = v->child; c; c = c->next) {
		if (c->field->how & FIELD_PEOPLE)
			continue;
		json_object_object_add(o, c->field->name, value_json(c));
		if (!c->is_unknown)
			continue;
		snprintf(why, sizeof(why), "%s_why", c->field->name);
		json_object_object_add(o, why, text_json(c->text));
	}
	return o;
}

static json_object *value_json(const struct value *v)
{
	const struct value *c;
	json_object *o;
	char buf[64];

	if (v->is_unknown)
		return NULL;
	switch (v->kind) {
	case KIND_RECORD:
		return record_json(v);
	case KIND_TABLE:
	case KIND_LIST:
	case KIND_CHAIN:
		o = json_object_new_array();
		for (c = v->child; c; c = c->next)
			json_object_array_add(o, value_json(c));
		return o;
	case KIND_FLAG:
		return json_object_new_boolean(v->flag);
	case KIND_NUMBER:
		return json_object_new_int64(v->signed_number);
	case KIND_COUNT:
	case KIND_BYTES:
	case KIND_PERCENT:
	case KIND_JIFFIES:
		return json_object_new_uint64(v->number);
	case KIND_TEXT:
		return v->text ? text_json(v->text) : NULL;
	default:
		return text_json(value_text(v, buf, sizeof(buf)));
	}
}

static void write_json(json_object *o, FILE *f)
{
	int flags = JSON_C_TO_STRING_PLAIN;

	if (session.opt.format == FORMAT_PRETTY)
		flags = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;
	flags |= JSON_C_TO_STRING_NOSLASHESCAPE;
	fprintf(f, "%s\n", json_object_to_json_string_ext(o, flags));
	json_object_put(o);
}

static json_object *report_json(const struct queued_report *q)
{
	const struct slab_report *r = &q->report;
	json_object *o = json_object_new_object(), *fixes;
	const struct queued_fix *f;
	char buf[NAME_SIZE];

	json_object_object_add(o, "number", json_object_new_int64(r->number));
	json_object_object_add(o, "title", text_json(report_title(r)));
	json_object_object_add(o, "place", text_json(report_place(r, buf)));
	if (r->last) {
		json_object_object_add(o, "first",
				       text_json(address_text(r->first)));
		json_object_object_add(o, "last",
				       text_json(address_text(r->last)));
		snprintf(buf, sizeof(buf), "0x%02x", r->found);
		json_object_object_add(o, "found", text_json(buf));
		snprintf(buf, sizeof(buf), "0x%02x", r->wanted);
		json_object_object_add(o, "wanted", text_json(buf));
	}
	fixes = json_object_new_array();
	for (f = q->fixes; f; f = f->next)
		json_object_array_add(fixes, text_json(f->text));
	json_object_object_add(o, "fixes", fixes);
	return o;
}

static unsigned int told; /* the newest report that stood in an envelope */

static json_object *envelope(const char *command)
{
	json_object *o = json_object_new_object(), *reports = NULL;
	struct queued_report *r;
	size_t i;

	json_object_object_add(o, "v", json_object_new_int(1));
	json_object_object_add(o, "command", text_json(command));
	json_object_object_add(o, "target", text_json(session_target_name()));
	json_object_object_add(o, "ok", json_object_new_boolean(true));
	for (i = 0; (r = report_queue_at(session.reports, i)); i++) {
		if (r->report.number <= told)
			continue;
		if (!reports)
			reports = json_object_new_array();
		json_object_array_add(reports, report_json(r));
		told = r->report.number;
	}
	if (reports)
		json_object_object_add(o, "reports", reports);
	return o;
}

void render_json(const char *command, const struct model *m, FILE *f)
{
	const struct value *v = m->root, *table = NULL, *c;
	json_object *o;

	if (session.opt.format == FORMAT_NDJSON && v->kind == KIND_TABLE)
		table = v;
	if (session.opt.format == FORMAT_NDJSON && v->kind == KIND_RECORD) {
		for (c = v->child; c && !table; c = c->next) {
			if (c->kind == KIND_TABLE)
				table = c;
		}
	}
	for (c = table ? table->child : NULL; c; c = c->next) {
		o = envelope(command);
		json_object_object_add(o, "data", value_json(c));
		write_json(o, f);
	}
	if (!table || !table->child) {
		o = envelope(command);
		json_object_object_add(o, "data", value_json(v));
		write_json(o, f);
	}
}

void render_json_text(const char *command, const char *text, FILE *f)
{
	json_object *o = envelope(command);

	json_object_object_add(o, "data", text_json(text));
	write_json(o, f);
}

void render_json_rest(FILE *f)
{
	size_t nr = session.reports ? report_queue_nr(session.reports) : 0;

	if (nr &&
	    report_queue_at(session.reports, nr - 1)->report.number > told)
		write_json(envelope("report"), f);
}

void render_json_error(FILE *f)
{
	const struct cli_error *e = &session.error;
	json_object *o = json_object_new_object();
	json_object *error = json_object_new_object();

	json_object_object_add(error, "code", text_json(e->code));
	json_object_object_add(error, "message", text_json(e->message));
	if (e->hint[0])
		json_object_object_add(error, "hint", text_json(e->hint));
	if (e->file[0] && !session.is_oneshot)
		json_object_object_add(error, "file", text_json(e->file));
	if (e->line && !session.is_oneshot)
		json_object_object_add(error, "line",
				       json_object_new_int64(e->line));
	if (e->detail)
		json_object_object_add(error, "detail", text_json(e->detail));
	json_object_object_add(o, "v", json_object_new_int(1));
	json_object_object_add(o, "ok", json_object_new_boolean(false));
	json_object_object_add(o, "error", error);
	write_json(o, f);
}

/* ---- the schema of an answer, from its field rows ---- */

static json_object *schema(enum kind kind, const struct field *of,
			   const char *brief)
{
	static const char *const types[] = {
		[KIND_TEXT] = "string",	    [KIND_NUMBER] = "integer",
		[KIND_COUNT] = "integer",   [KIND_BYTES] = "integer",
		[KIND_PERCENT] = "integer", [KIND_JIFFIES] = "integer",
		[KIND_FLAG] = "boolean",    [KIND_ADDRESS] = "string",
		[KIND_BYTE] = "string",	    [KIND_CELLS] = "string",
		[KIND_CHAIN] = "array",	    [KIND_LIST] = "array",
		[KIND_RECORD] = "object",   [KIND_TABLE] = "array",
	};
	json_object *o = json_object_new_object(), *part;
	const struct field *f;

	json_object_object_add(o, "type", text_json(types[kind]));
	if (brief)
		json_object_object_add(o, "description", text_json(brief));
	if (kind == KIND_BYTES || kind == KIND_JIFFIES || kind == KIND_PERCENT)
		json_object_object_add(o, "x-unit",
				       text_json(kind == KIND_BYTES ? "bytes"
						 : kind == KIND_JIFFIES
							 ? "jiffies"
							 : "%"));
	if (kind == KIND_TABLE) {
		json_object_object_add(o, "items",
				       schema(KIND_RECORD, of, NULL));
	} else if (kind == KIND_CHAIN) {
		json_object_object_add(o, "items",
				       schema(KIND_COUNT, NULL, NULL));
	} else if (kind == KIND_LIST) {
		json_object_object_add(
			o, "items",
			schema(of ? of->kind : KIND_TEXT, NULL, NULL));
	} else if (kind == KIND_RECORD) {
		part = json_object_new_object();
		for (f = of; f && f->name; f++) {
			if (!(f->how & FIELD_PEOPLE))
				json_object_object_add(
					part, f->name,
					schema(f->kind, f->of, f->brief));
		}
		json_object_object_add(o, "properties", part);
	}
	return o;
}

static json_object *schema_of(const struct field *returns)
{
	return schema(returns ? returns->kind : KIND_TEXT,
		      returns ? returns->of : NULL,
		      returns ? returns->brief : NULL);
}

static void write_schema(json_object *o, FILE *f)
{
	fprintf(f, "%s\n",
		json_object_to_json_string_ext(
			o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
				   JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

void render_json_schema(const struct field *returns, FILE *f)
{
	write_schema(schema_of(returns), f);
}

void render_json_schemas(FILE *f)
{
	json_object *o = json_object_new_object();

	for (each_command(c))
		json_object_object_add(o, command_name(c),
				       schema_of(c->returns));
	write_schema(o, f);
}
