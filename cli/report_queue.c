/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * report_queue.c - a sink that remembers
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "output.h"
#include "progress.h"
#include "report_queue.h"

struct allowed {
	char *text;
	struct allowed *next;
};

struct report_queue {
	struct queued_report **report;
	size_t nr, room, dropped;
	char **trace;
	size_t nr_traces, trace_room, traces_dropped;
	size_t traces_taken; /* from the front */
	struct allowed *allowed;
};

struct report_queue *report_queue_create(void)
{
	return must_alloc(sizeof(struct report_queue));
}

void report_queue_clear(struct report_queue *q)
{
	size_t i;

	for (i = 0; i < q->nr; i++) {
		struct queued_report *r = q->report[i];

		while (r->fixes) {
			struct queued_fix *next = r->fixes->next;

			free(r->fixes->text);
			free(r->fixes);
			r->fixes = next;
		}
		free(r->log);
		free(r);
	}
	for (i = 0; i < q->nr_traces; i++)
		free(q->trace[i]);
	free(q->trace);
	while (q->allowed) {
		struct allowed *next = q->allowed->next;

		free(q->allowed->text);
		free(q->allowed);
		q->allowed = next;
	}
	free(q->report);
	memset(q, 0, sizeof(*q));
}

void report_queue_destroy(struct report_queue *q)
{
	if (q)
		report_queue_clear(q);
	free(q);
}

struct log {
	FILE *f;
	bool shows;
};

static void log_line(void *arg, const char *line)
{
	struct log *log = arg;

	if (log->f)
		fprintf(log->f, "%s\n", line);
	if (log->shows)
		output_log_line(line);
}

static char *log_text(const struct slab_report *report)
{
	struct log log = { .shows = !session.in_scenario &&
				    session.opt.format == FORMAT_TEXT };
	char *text = NULL;
	size_t size;

	log.f = open_memstream(&text, &size);
	if (!log.f)
		die_no_memory();
	slab_report_print(report, log_line, &log);
	fclose(log.f);
	return text;
}

static void add_fix(struct report_queue *q, const struct slab_report *fix)
{
	struct queued_report *r = report_queue_number(q, fix->number);
	struct queued_fix *f;

	if (!r)
		return;
	f = must_alloc(sizeof(*f));
	f->kind = fix->fix;
	f->text = must_strdup(fix->text);
	if (r->last_fix)
		r->last_fix->next = f;
	else
		r->fixes = f;
	r->last_fix = f;
}

static void add_report(struct report_queue *q, const struct slab_report *report,
		       char *text)
{
	struct queued_report *r;

	if (q->nr == REPORT_QUEUE_SIZE) {
		q->dropped++;
		free(text);
		return;
	}
	if (q->nr == q->room) {
		q->room = q->room ? 2 * q->room : 16;
		q->report = realloc(q->report,
				    q->room * sizeof(struct queued_report *));
		if (!q->report)
			die_no_memory();
	}
	r = must_alloc(sizeof(*r));
	r->report = *report;
	r->report.view = NULL;
	r->where = session.where;
	r->log = text;
	q->report[q->nr++] = r;
}

static void add_trace(struct report_queue *q, const char *line)
{
	if (q->nr_traces == REPORT_QUEUE_SIZE) {
		q->traces_dropped++;
		return;
	}
	if (q->nr_traces == q->trace_room) {
		q->trace_room = q->trace_room ? 2 * q->trace_room : 16;
		q->trace = realloc(q->trace, q->trace_room * sizeof(char *));
		if (!q->trace)
			die_no_memory();
	}
	q->trace[q->nr_traces++] = must_strdup(line);
}

static void take(struct report_queue *q, const struct slab_report *report)
{
	char *text = log_text(report);

	switch (report->record) {
	case SLAB_RECORD_REPORT:
		add_report(q, report, text);
		return;
	case SLAB_RECORD_FIX:
		add_fix(q, report);
		break;
	case SLAB_RECORD_TRACE:
		add_trace(q, report->text);
		break;
	case SLAB_RECORD_NOTE:
		break;
	}
	free(text);
}

/* Called by whichever thread of a native machine found something; by one at a
 * time. */
void report_queue_sink(void *queue, const struct slab_report *report)
{
	progress_hide();
	take(queue, report);
}

const char *trace_queue_at(const struct report_queue *q, size_t i)
{
	i += q->traces_taken;
	return i < q->nr_traces ? q->trace[i] : NULL;
}

void trace_queue_take(struct report_queue *q, size_t i)
{
	q->traces_taken += i + 1;
}

size_t trace_queue_dropped(const struct report_queue *q)
{
	return q->traces_dropped;
}

size_t report_queue_nr(const struct report_queue *q)
{
	return q->nr;
}

struct queued_report *report_queue_at(struct report_queue *q, size_t i)
{
	return i < q->nr ? q->report[i] : NULL;
}

struct queued_report *report_queue_number(struct report_queue *q,
					  unsigned int number)
{
	size_t i;

	/* the newest first: a FIX belongs to one of the last */
	for (i = q->nr; i-- > 0;) {
		if (q->report[i]->report.number == number)
			return q->report[i];
	}
	return NULL;
}

size_t report_queue_dropped(const struct report_queue *q)
{
	return q->dropped;
}

void report_queue_allow(struct report_queue *q, const char *text)
{
	struct allowed *a = must_alloc(sizeof(*a));

	a->text = must_strdup(text);
	a->next = q->allowed;
	q->allowed = a;
}

bool report_queue_is_allowed(const struct report_queue *q,
			     const struct queued_report *r)
{
	const struct allowed *a;

	for (a = q->allowed; a; a = a->next) {
		if (report_has_text(&r->report, a->text))
			return true;
	}
	return false;
}

size_t report_queue_leftover(struct report_queue *q)
{
	size_t i, nr = q->dropped;

	for (i = 0; i < q->nr; i++) {
		if (!q->report[i]->is_taken &&
		    !report_queue_is_allowed(q, q->report[i]))
			nr++;
	}
	return nr;
}

const char *report_title(const struct slab_report *r)
{
	const struct slab_report_row *row = slab_report_row(r->kind);

	return r->text[0] ? r->text : row ? row->title : "?";
}

bool report_has_text(const struct slab_report *r, const char *text)
{
	const struct slab_report_row *row = slab_report_row(r->kind);

	return *text && (strstr(report_title(r), text) ||
			 (row && strstr(row->title, text)));
}

const char *report_place(const struct slab_report *r, char *buf)
{
	const char *cache = r->cache[0] ? r->cache : "<unknown>";

	if (r->other[0]) /* the object's own, not the one it was freed to */
		cache = r->other;
	if (r->slab_nr && r->index >= 0)
		return slot_name(cache, r->slab_nr, r->index, buf);
	if (r->slab_nr)
		return slot_name(cache, r->slab_nr, -1, buf);
	if (r->object)
		snprintf(buf, NAME_SIZE, "%s", address_text(r->object));
	else
		snprintf(buf, NAME_SIZE, "%s", cache);
	return buf;
}

const char *report_command(const struct queued_report *r, char *buf,
			   size_t size)
{
	snprintf(buf, size, "%s (%s:%u)", r->where.text, r->where.file,
		 r->where.line);
	return buf;
}
