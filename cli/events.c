/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * events.c - a ring of what happened
 *
 * On a native machine "slab-rcu" adds to it, too: hence the lock. What was read
 * stays as it is until EVENT_LOG_SIZE steps have come after it.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "output.h"
#include "session.h"
#include "stop.h"

struct event_log {
	struct slab_event *ring;
	size_t size;	/* of ring; grows up to EVENT_LOG_SIZE */
	uint64_t first; /* seq of the oldest kept; 0: none yet */
	uint64_t last;
	uint64_t taken;
	uint64_t machine_seq;
};

const char *step_name(unsigned int kind)
{
	return kind < SLAB_NR_EVENTS ? slab_event_name(kind)
				     : slab_point_name(kind - SLAB_NR_EVENTS);
}

struct event_log *event_log_create(void)
{
	return must_alloc(sizeof(struct event_log));
}

void event_log_destroy(struct event_log *log)
{
	if (log)
		free(log->ring);
	free(log);
}

void event_log_clear(struct event_log *log)
{
	log->first = log->last = log->taken = log->machine_seq = 0;
}

static void grow(struct event_log *log)
{
	size_t size = log->size ? log->size * 4 : 1024, i;
	struct slab_event *ring = must_alloc(size * sizeof(*ring));

	for (i = 0; log->size && i < log->size; i++) {
		uint64_t seq = log->first + i;

		ring[seq % size] = log->ring[seq % log->size];
	}
	free(log->ring);
	log->ring = ring;
	log->size = size;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void add(struct event_log *log, const struct slab_event *step)
{
	uint64_t seq;

	pthread_mutex_lock(&lock);
	seq = log->last + 1;
	if (!log->first)
		log->first = seq;
	if (!log->size ||
	    (seq - log->first >= log->size && log->size < EVENT_LOG_SIZE))
		grow(log);
	log->ring[seq % log->size] = *step;
	log->ring[seq % log->size].seq = seq;
	log->last = seq;
	if (log->last - log->first >= log->size)
		log->first = log->last - log->size + 1;
	pthread_mutex_unlock(&lock);
}

/* The hooks: inside the path, under its locks. They copy and print; and a point
 * is where the path may be left for another CPU's. */
static void point_hook(void *arg, enum slab_point_kind point)
{
	struct slab_event step = {
		.kind = (enum slab_event_kind)(SLAB_NR_EVENTS + point),
		.index = -1,
	};

	if (session.machine) {
		step.cpu = slab_machine_cpu(session.machine);
		step.when = slab_machine_jiffies(session.machine);
	}
	add(arg, &step);
	stop_point(point);
}

void event_log_hook(void *arg, const struct slab_event *event)
{
	struct event_log *log = arg;

	/* a reset counts from 1 again; of two threads either comes first */
	if (event->seq <= log->machine_seq && !session.opt.is_native)
		event_log_clear(log);
	log->machine_seq = event->seq;
	add(log, event);
	if (session.explains) {
		char text[256];

		slab_event_sentence(event, text, sizeof(text));
		output_story("cpu%u  %s", event->cpu, text);
	}
}

void event_log_attach(struct event_log *log, struct slab_machine *m)
{
	event_log_clear(log);
	/* no other thread may move what is being read */
	while (session.opt.is_native && log->size < EVENT_LOG_SIZE)
		grow(log);
	slab_machine_set_event_hook(m, event_log_hook, log);
	slab_machine_set_point_hook(m, point_hook, log);
}

const struct slab_event *event_log_after(const struct event_log *log,
					 uint64_t after)
{
	const struct slab_event *found = NULL;
	uint64_t seq = after + 1;

	pthread_mutex_lock(&lock);
	if (seq < log->first)
		seq = log->first;
	if (log->first && seq <= log->last)
		found = &log->ring[seq % log->size];
	pthread_mutex_unlock(&lock);
	return found;
}

bool event_log_has_gap(const struct event_log *log, uint64_t after)
{
	return log->first && after + 1 < log->first;
}

bool event_log_ends_with(const struct event_log *log, enum slab_event_kind kind)
{
	const struct slab_event *e;
	uint64_t seq;

	for (seq = log->last; log->first && seq >= log->first; seq--) {
		e = &log->ring[seq % log->size];
		if (!step_is_point(e))
			return e->kind == kind;
	}
	return false;
}

uint64_t event_log_taken(const struct event_log *log)
{
	return log->taken;
}

void event_log_take(struct event_log *log, uint64_t seq)
{
	log->taken = seq;
}
