/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * report_queue.h - what the machine reported, kept for `report` and `expect`
 *
 * The sink runs inside the allocator's paths: it copies, formats and prints.
 * A FIX record joins the report it belongs to.
 */
#ifndef CLI_REPORT_QUEUE_H
#define CLI_REPORT_QUEUE_H

#include "session.h"

#define REPORT_QUEUE_SIZE 20000U /* reports, and as many traces */

struct queued_fix {
	enum slab_fix_kind kind;
	char *text;
	struct queued_fix *next;
};

struct queued_report {
	struct slab_report report; /* without its view */
	struct queued_fix *fixes, *last_fix;
	char *log;	    /* kernel format, with newlines */
	struct where where; /* the command that ran */
	bool is_taken;	    /* by an expect */
};

struct report_queue;

struct report_queue *report_queue_create(void);
void report_queue_destroy(struct report_queue *q);
/* Forgets reports, traces and what was allowed. */
void report_queue_clear(struct report_queue *q);
void report_queue_sink(void *queue, const struct slab_report *report);

size_t report_queue_nr(const struct report_queue *q);
struct queued_report *report_queue_at(struct report_queue *q, size_t i);
struct queued_report *report_queue_number(struct report_queue *q,
					  unsigned int number);
/* Reports that found no place any more. */
size_t report_queue_dropped(const struct report_queue *q);

/* Lines of SLAB_TRACE, oldest first; NULL: no more. What is taken goes with
 * all in front of it. */
const char *trace_queue_at(const struct report_queue *q, size_t i);
void trace_queue_take(struct report_queue *q, size_t i);
/* Lines that found no place any more. */
size_t trace_queue_dropped(const struct report_queue *q);

/* Titles that a scenario does not mind. */
void report_queue_allow(struct report_queue *q, const char *text);
bool report_queue_is_allowed(const struct report_queue *q,
			     const struct queued_report *r);
/* Reports that nobody took and nobody allowed. */
size_t report_queue_leftover(struct report_queue *q);

/* "Right Redzone overwritten", with its numbers where the title has some. */
const char *report_title(const struct slab_report *r);
bool report_has_text(const struct slab_report *r, const char *text);
/* "ring:S1#3", "ring:S1", "ring" or "-"; into buf of NAME_SIZE. */
const char *report_place(const struct slab_report *r, char *buf);
/* "free $b (first.slab:5)" */
const char *report_command(const struct queued_report *r, char *buf,
			   size_t size);

#endif
