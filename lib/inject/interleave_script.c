/* SPDX-License-Identifier: MIT */
/*
 * inject/interleave_script.c - a schedule as commands that stop CPUs
 *
 * One line an operation, where it began; `stop-at` where another CPU came in
 * between, `go` where it went on. A command can be stopped once: what a
 * schedule does beyond that is said in a comment, and left out.
 */
#include "inject/interleave_trace.h"

#include <slab/event.h>

#include <string.h>

/* What the script calls an object. */
struct name {
	char text[24];
};

struct script {
	const struct world *w;
	const struct trace *trace;
	FILE *out;
	struct name names[WORLD_PAGES][WORLD_SLOTS];
	/* of each thread: the command that it is in the middle of was stopped */
	bool is_stopped[INTERLEAVE_THREADS];
};

/* ---- the start ---- */
static void print_cache(const struct script *s)
{
	slab_flags_t flags = s->w->in->flags;

	fprintf(s->out, "cache create interleave size=%u",
		s->w->s->object_size);
	if (flags & SLAB_DEBUG_FLAGS)
		fprintf(s->out, " debug=%s%s%s%s",
			flags & SLAB_CONSISTENCY_CHECKS ? "F" : "",
			flags & SLAB_RED_ZONE ? "Z" : "",
			flags & SLAB_POISON ? "P" : "",
			flags & SLAB_STORE_USER ? "U" : "");
	if (flags & (SLAB_NOLEAKTRACE | SLAB_TYPESAFE_BY_RCU))
		fprintf(s->out, " flags=%s%s",
			flags & SLAB_NOLEAKTRACE ? "noleaktrace" : "",
			flags & SLAB_TYPESAFE_BY_RCU ? ",typesafe_by_rcu" : "");
	fprintf(s->out, "\n");
}

/* As arrange_slabs() does it: all are taken, then some are freed. */
static void print_start(struct script *s)
{
	const struct interleave *in = s->w->in;
	unsigned int i, nr = 0, slot;

	print_cache(s);
	for (i = 0; i < INTERLEAVE_SLABS; i++) {
		if (in->used[i] < 0)
			continue;
		for (slot = 0; slot < in->objects; slot++)
			snprintf(s->names[s->w->page_of[i]][slot].text,
				 sizeof(s->names[0][0].text), "[lindex $o %u]",
				 nr++);
	}
	if (nr)
		fprintf(s->out, "set o [alloc interleave %u]\n", nr);
	for (i = 0; i < INTERLEAVE_SLABS; i++)
		for (slot = in->objects;
		     in->used[i] >= 0 && slot > (unsigned int)in->used[i];
		     slot--)
			fprintf(s->out, "free %s\n",
				s->names[s->w->page_of[i]][slot - 1].text);
	fprintf(s->out, "echo %u > /sys/kernel/slab/interleave/min_partial\n",
		in->min_partial);
}

/* ---- operations ---- */
static void print_gone(const struct script *s, const struct world_hands *hands,
		       const char *how)
{
	unsigned int i;

	fprintf(s->out, "free");
	for (i = 0; i < hands->nr_gone; i++)
		fprintf(s->out, " %s",
			s->names[hands->gone[i].page][hands->gone[i].slot]
				.text);
	fprintf(s->out, "%s", how);
}

static void print_got(const struct script *s, const char *variable,
		      unsigned int nr, const char *how)
{
	unsigned int i;

	fprintf(s->out, "alloc interleave %u%s as", nr, how);
	for (i = 0; i < nr; i++)
		fprintf(s->out, " %s_%u", variable, i);
}

/* What it gave is called so from now on. */
static void name_got(struct script *s, const struct world_hands *hands,
		     const char *variable)
{
	unsigned int i;

	for (i = 0; i < hands->nr_got; i++)
		snprintf(s->names[hands->got[i].page][hands->got[i].slot].text,
			 sizeof(s->names[0][0].text), "$%s_%u", variable, i);
}

static void print_op(const struct script *s, unsigned int op, unsigned int arg,
		     const struct world_hands *hands, const char *variable)
{
	switch ((enum interleave_op)op) {
	case INTERLEAVE_ALLOC:
		print_got(s, variable, 1, "");
		break;
	case INTERLEAVE_REFILL:
	case INTERLEAVE_BULK_ALLOC:
		print_got(s, variable, arg, " bulk");
		break;
	case INTERLEAVE_KMALLOC_NOLOCK:
		print_got(s, variable, 1, " gfp=nolock");
		break;
	case INTERLEAVE_FREE:
		print_gone(s, hands, "");
		break;
	case INTERLEAVE_FREE_CHAIN:
	case INTERLEAVE_BULK_FREE:
		print_gone(s, hands, " bulk");
		break;
	case INTERLEAVE_KFREE_RCU:
		print_gone(s, hands, " rcu");
		break;
	case INTERLEAVE_KFREE_NOLOCK:
		print_gone(s, hands, " nolock");
		break;
	case INTERLEAVE_RCU_TICK:
		fprintf(s->out, "rcu tick");
		break;
	case INTERLEAVE_SHRINK:
		fprintf(s->out, "cache shrink interleave");
		break;
	case INTERLEAVE_VALIDATE:
		fprintf(s->out, "validate interleave");
		break;
	case INTERLEAVE_DESTROY:
		fprintf(s->out, "cache destroy interleave");
		break;
	default:
		fprintf(s->out, "puts {no command does this}");
		break;
	}
}

/* The next thing that became of that operation. */
static const struct trace_event *
next_of(const struct script *s, const struct trace_event *event, bool is_end)
{
	const struct trace_event *end = s->trace->events + s->trace->nr, *e;

	for (e = event + 1; e < end; e++)
		if (e->thread == event->thread && e->step == event->step &&
		    (is_end ? e->kind == TRACE_END : e->kind != TRACE_OTHER))
			return e;
	return event;
}

static bool frees_nothing(unsigned int op, const struct world_hands *hands)
{
	return !hands->nr_gone &&
	       (op == INTERLEAVE_FREE || op == INTERLEAVE_FREE_CHAIN ||
		op == INTERLEAVE_BULK_FREE || op == INTERLEAVE_KFREE_RCU ||
		op == INTERLEAVE_KFREE_NOLOCK);
}

static void print_begin(struct script *s, const struct trace_event *event)
{
	const struct interleave_thread *t = &s->w->in->threads[event->thread];
	const struct trace_event *next = next_of(s, event, false);
	const struct trace_event *end = next_of(s, event, true);
	char variable[16];

	if (frees_nothing(t->steps[event->step].op, &end->hands))
		return;
	snprintf(variable, sizeof(variable), "t%u_%u", event->thread,
		 event->step);
	fprintf(s->out, "@%u ", t->cpu);
	if (next->kind == TRACE_STOP) {
		fprintf(s->out, "stop-at %s { ", slab_point_name(next->point));
		s->is_stopped[event->thread] = true;
	} else if (next->kind == TRACE_SIGNAL) {
		fprintf(s->out, "interrupt-at %s { ",
			slab_point_name(next->point));
		print_op(s, s->w->in->handler, 0, &next->hands, "signal");
		fprintf(s->out, " } { ");
	}
	print_op(s, t->steps[event->step].op, t->steps[event->step].arg,
		 &end->hands, variable);
	if (next->kind == TRACE_STOP || next->kind == TRACE_SIGNAL)
		fprintf(s->out, " } nth=%u", next->nth);
	fprintf(s->out, "\n");
}

static void print_event(struct script *s, const struct trace_event *event)
{
	unsigned int cpu = s->w->in->threads[event->thread].cpu;
	const struct trace_event *e;
	char variable[16];

	snprintf(variable, sizeof(variable), "t%u_%u", event->thread,
		 event->step);
	switch (event->kind) {
	case TRACE_BEGIN:
		print_begin(s, event);
		break;
	case TRACE_GO:
		if (s->is_stopped[event->thread])
			fprintf(s->out, "@%u go\n", cpu);
		s->is_stopped[event->thread] = false;
		break;
	case TRACE_END:
		name_got(s, &event->hands, variable);
		break;
	case TRACE_SIGNAL:
		name_got(s, &event->hands, "signal");
		/* fall through */
	case TRACE_STOP:
		/* the first of an operation stands in its command */
		for (e = event; e > s->trace->events; e--)
			if (e[-1].thread == event->thread &&
			    e[-1].step == event->step)
				break;
		if (e == s->trace->events || e[-1].kind != TRACE_BEGIN)
			fprintf(s->out,
				"# not in this script: CPU %u is %s at %s, "
				"too\n",
				cpu,
				event->kind == TRACE_STOP ? "left"
							  : "interrupted",
				slab_point_name(event->point));
		break;
	case TRACE_OTHER:
		fprintf(s->out,
			"# not in this script: CPU %u finds no memory, or the "
			"thread moves\n",
			cpu);
		break;
	case TRACE_WAIT:
		break;
	}
}

static bool share_a_cpu(const struct interleave *in)
{
	unsigned int i, k;

	for (i = 0; i < in->nr_threads; i++)
		for (k = 0; k < i; k++)
			if (in->threads[i].cpu == in->threads[k].cpu)
				return true;
	return false;
}

void interleave_print_script(const struct world *w, const struct trace *trace,
			     FILE *out)
{
	struct script s = { .w = w, .trace = trace, .out = out };
	unsigned int i;

	if (share_a_cpu(w->in))
		fprintf(out, "# not in this script: two threads of one CPU\n");
	if (trace->is_cut)
		fprintf(out, "# not in this script: how it goes on\n");
	print_start(&s);
	for (i = 0; i < trace->nr; i++)
		print_event(&s, &trace->events[i]);
	for (i = 0; i < w->in->nr_threads; i++)
		if (s.is_stopped[i])
			fprintf(out, "@%u go\n", w->in->threads[i].cpu);
	fprintf(out, "verify\n");
}
