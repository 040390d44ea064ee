/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * events.h - the allocator's steps, kept for `expect event`, `object history`
 * and told by `explain on`
 *
 * The log keeps the newest EVENT_LOG_SIZE steps of the machine: events, and
 * the points at locks and exchanges that they pass, counted together.
 */
#ifndef CLI_EVENTS_H
#define CLI_EVENTS_H

#include <stdbool.h>

#include <slab/event.h>

#define EVENT_LOG_SIZE (1U << 16)

/* What a step's kind says: an event, or behind those a point. */
#define NR_STEPS (SLAB_NR_EVENTS + SLAB_NR_POINTS)
const char *step_name(unsigned int kind);
static inline bool step_is_point(const struct slab_event *e)
{
	return (unsigned int)e->kind >= SLAB_NR_EVENTS;
}

struct event_log;

struct event_log *event_log_create(void);
void event_log_destroy(struct event_log *log);
void event_log_attach(struct event_log *log, struct slab_machine *m);
void event_log_clear(struct event_log *log);
/* The hook that event_log_attach() sets, for one that stands in front of it. */
void event_log_hook(void *arg, const struct slab_event *event);

/* The oldest event with a seq above `after`, or NULL. */
const struct slab_event *event_log_after(const struct event_log *log,
					 uint64_t after);
/* True when events after `after` were dropped for want of room. */
bool event_log_has_gap(const struct event_log *log, uint64_t after);
/* Is the newest event, points aside, of that kind? */
bool event_log_ends_with(const struct event_log *log,
			 enum slab_event_kind kind);
/* seq of the event that the last `expect event` took. */
uint64_t event_log_taken(const struct event_log *log);
void event_log_take(struct event_log *log, uint64_t seq);

#endif
