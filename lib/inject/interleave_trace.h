/* SPDX-License-Identifier: MIT */
/*
 * inject/interleave_trace.h - what a schedule did, for a script of it
 *
 * Recorded by interleave.c while one schedule runs; interleave_script.c makes
 * commands of it.
 */
#ifndef SLAB_INJECT_INTERLEAVE_TRACE_H
#define SLAB_INJECT_INTERLEAVE_TRACE_H

#include "inject/interleave_world.h"

enum trace_kind {
	TRACE_BEGIN,  /* a thread begins an operation */
	TRACE_END,    /* and ends it, or the schedule does */
	TRACE_STOP,   /* is left at a point */
	TRACE_GO,     /* goes on from there */
	TRACE_WAIT,   /* for a lock */
	TRACE_SIGNAL, /* is interrupted at a point */
	TRACE_OTHER,  /* something that no command does */
};

struct trace_event {
	enum trace_kind kind;
	unsigned int thread, step;
	enum slab_point_kind point;
	unsigned int nth;	  /* time that the operation passed it */
	struct world_hands hands; /* END, SIGNAL: its objects */
};

#define TRACE_EVENTS 256U

struct trace {
	struct trace_event events[TRACE_EVENTS];
	unsigned int nr;
	bool is_cut; /* there were more */
};

/* As a script for `slabctl --cpus 2 --sysctl slab_max_order=0`. */
void interleave_print_script(const struct world *w, const struct trace *trace,
			     FILE *out);

#endif
