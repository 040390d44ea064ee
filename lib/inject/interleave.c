/* SPDX-License-Identifier: MIT */
/*
 * inject/interleave.c - one schedule: run, look, choose who goes on
 *
 * What a thread waits for is not run until it is free; when everybody waits,
 * that is a deadlock.
 */
#include <stdlib.h>
#include <string.h>

#include "inject/interleave_explorer.h"

static const char *const point_sentences[] = {
#define POINT(id, name, sentence) sentence,
#include <slab/points.def>
#undef POINT
};

/* ---- choosing ---- */

static uint8_t draw(struct explorer *e, unsigned int nr)
{
	if (random_below(&e->random, e->odds))
		return 0;
	return (uint8_t)(1 + random_below(&e->random, nr - 1));
}

/* Below nr: what the schedule says, or the first. */
static unsigned int choose(struct explorer *e, unsigned int nr)
{
	struct choice *c = &e->choices[e->at];

	if (nr < 2)
		return 0;
	if (e->at == INTERLEAVE_MAX_CHOICES) {
		e->broken = "more choices than a schedule can keep";
		return 0;
	}
	if (e->at++ >= e->nr_repeated)
		c->picked = e->is_random ? draw(e, nr) : 0;
	c->nr = (uint8_t)nr;
	e->nr_choices = e->at;
	if (c->picked >= nr && e->is_changed)
		c->picked = 0;
	if (c->picked >= nr) {
		e->broken =
			"the schedule does not fit: it has another choice here";
		return 0;
	}
	return c->picked;
}

static bool can_run(const struct thread *t)
{
	return !t->has_ended &&
	       (!t->waits_for || world_is_free(&t->e->w, t->waits_for));
}

/* One of those that can run, but for `but`; first: the choice of going on. */
static unsigned int pick_thread(struct explorer *e, unsigned int first,
				unsigned int but)
{
	unsigned int can[INTERLEAVE_THREADS + 1], nr = 0, t;

	if (first < e->nr)
		can[nr++] = first;
	for (t = 0; t < e->nr; t++)
		if (t != but && t != first && can_run(&e->threads[t]))
			can[nr++] = t;
	return nr ? can[choose(e, nr)] : e->nr;
}

/* ---- telling ---- */
static void tell(struct explorer *e, const char *what)
{
	const struct thread *t = &e->threads[e->current];
	char op[32];

	if (!e->out)
		return;
	if (t->in_handler)
		interleave_op_text(e->in->handler, 0, op, sizeof(op));
	else
		interleave_op_text(
			e->in->threads[e->current].steps[t->step].op,
			e->in->threads[e->current].steps[t->step].arg, op,
			sizeof(op));
	fprintf(e->out, "%4u  T%u CPU %u %c%-18s %s\n", e->nr_steps, e->current,
		machine_here(e->w.m), t->in_handler ? '!' : ' ', op, what);
	fflush(e->out); /* the next step may be the last */
}

static struct trace_event *record(struct explorer *e, enum trace_kind kind)
{
	static struct trace_event nowhere;
	struct thread *t = &e->threads[e->current];
	struct trace_event *event = &nowhere;

	if (!e->trace)
		return event;
	if (e->trace->nr == TRACE_EVENTS)
		e->trace->is_cut = true;
	else
		event = &e->trace->events[e->trace->nr++];
	*event = (struct trace_event){ .kind = kind,
				       .thread = e->current,
				       .step = t->step };
	return event;
}

static struct trace_event *record_at(struct explorer *e, enum trace_kind kind,
				     enum slab_point_kind point)
{
	struct trace_event *event = record(e, kind);

	event->point = point;
	event->nth = e->threads[e->current].passed[point];
	return event;
}

/* Before and behind an operation. */
static void record_op(struct explorer *e, enum trace_kind kind)
{
	struct world_hands *hands = &e->w.state.hands[e->current];

	if (!e->trace)
		return;
	record(e, kind)->hands = *hands;
	memset(hands, 0, sizeof(*hands));
	memset(e->threads[e->current].passed, 0,
	       sizeof(e->threads[e->current].passed));
}

/* ---- at a point ---- */
static bool is_sheaf_point(enum slab_point_kind point)
{
	return point >= SLAB_POINT_PCS_TRYLOCK &&
	       point <= SLAB_POINT_FAST_JUDGE;
}

/* Where a thread may find itself on another CPU: before it looks which one it
 * is on, and, as holders of a folded lock may move, before they let go. */
static bool is_moving_point(const struct explorer *e,
			    enum slab_point_kind point)
{
	switch (point) {
	case SLAB_POINT_PCS_TRYLOCK:
	case SLAB_POINT_PCS_LOCK:
		return true;
	case SLAB_POINT_FAST_LOAD:
	case SLAB_POINT_FAST_STORE:
		return e->in->sections;
	default:
		return false;
	}
}

/* The world as it is now; up to the last repeated choice it was judged. */
static void look(struct explorer *e)
{
	if (e->broken)
		return;
	if (e->at >= e->nr_repeated || e->is_changed)
		e->broken = world_check(&e->w, false);
	else
		world_watch(&e->w);
	if (!e->broken && e->nr_steps >= e->max_steps)
		e->broken = e->max_steps == MAX_STEPS
				    ? "there is no progress"
				    : "longer than the one that is known";
}

static void give_up(void)
{
	for (;;)
		slab_coroutine_back();
}

/* Work that is bound to a CPU does not move, and interrupts are not moved. */
static bool may_move(const struct explorer *e)
{
	const struct thread *t = &e->threads[e->current];

	if (e->w.m->in_interrupt || e->w.m->works_from)
		return false;
	switch (e->in->threads[e->current].steps[t->step].op) {
	case INTERLEAVE_FLUSH_CPU:
	case INTERLEAVE_FLUSH_ALL:
	case INTERLEAVE_DRAIN:
	case INTERLEAVE_SHRINK:
	case INTERLEAVE_BARRIER:
		return false;
	default:
		return e->migrations < e->in->migrations;
	}
}

static void move(struct explorer *e)
{
	struct slab_machine *m = e->w.m;
	unsigned int to;

	if (!may_move(e))
		return;
	to = choose(e, INTERLEAVE_CPUS);
	if (!to)
		return;
	e->migrations++;
	m->cpu = (m->cpu + to) % INTERLEAVE_CPUS;
	record(e, TRACE_OTHER);
	tell(e, "goes on on another CPU");
}

/* The current thread makes a step: it ends the section that another one is in
 * the middle of on its CPU. */
static void runs(struct explorer *e)
{
	unsigned int cpu = machine_here(e->w.m);

	e->w.state.at = e->current;
	if (e->on_cpu[cpu] == e->current)
		return;
	e->on_cpu[cpu] = e->current;
	e->w.m->sections_ended[cpu]++;
}

static void handle_signal(void *arg)
{
	struct explorer *e = arg;
	struct thread *t = &e->threads[e->current];

	runs(e);
	t->in_handler = true;
	e->broken = world_step(&e->w, e->current, e->in->handler, 0);
	t->in_handler = false;
	if (e->broken)
		give_up();
}

/* A signal's handler comes in between. */
static void maybe_signal(struct explorer *e, enum slab_point_kind point)
{
	struct world_hands *hands = &e->w.state.hands[e->current];
	struct world_hands of_op;
	struct trace_event *event;

	if (e->signals == e->in->signals || e->threads[e->current].in_handler ||
	    !choose(e, 2))
		return;
	e->signals++;
	tell(e, "is interrupted by a signal");
	event = record_at(e, TRACE_SIGNAL, point);
	of_op = *hands;
	memset(hands, 0, sizeof(*hands));
	slab_machine_interrupt(e->w.m, handle_signal, e);
	event->hands = *hands;
	*hands = of_op;
}

static bool fails(struct explorer *e, const char *what)
{
	if (e->failures == e->in->failures || !choose(e, 2))
		return false;
	e->failures++;
	record(e, TRACE_OTHER);
	e->w.state.may_lack_memory = true;
	tell(e, what);
	return true;
}

/* Pages are asked for twice, in the preferred order and in the least. */
static void maybe_no_pages(struct explorer *e)
{
	struct thread *t = &e->threads[e->current];

	if (!e->w.m->pages_used)
		return;
	if (!t->pages_fail_again && !fails(e, "finds no pages"))
		return;
	t->pages_fail_again = !t->pages_fail_again;
	e->w.m->page_limit = e->w.m->pages_used;
	e->pages_limited = true;
}

/* point: SLAB_NR_POINTS between two operations. */
static void maybe_switch(struct explorer *e, enum slab_point_kind point)
{
	unsigned int to;

	if (e->preemptions == e->bound || e->is_pinned)
		return;
	to = pick_thread(e, e->current, e->current);
	if (to == e->current)
		return;
	e->preemptions++;
	e->next = to;
	if (point != SLAB_NR_POINTS) {
		record_at(e, TRACE_STOP, point);
		e->threads[e->current].is_stopped = true;
	}
	slab_coroutine_back();
}

static void at_point(struct explorer *e, enum slab_point_kind point,
		     const char *what)
{
	if (e->pages_limited)
		e->w.m->page_limit = 0;
	e->pages_limited = false;
	e->nr_steps++;
	look(e);
	tell(e, what);
	if (!e->broken)
		maybe_switch(e, point);
	if (e->broken)
		give_up();
}

void explorer_point(void *arg, enum slab_point_kind point)
{
	struct explorer *e = arg;
	bool was_pinned = e->is_pinned;

	if (e->trace && e->is_running && !e->threads[e->current].in_handler)
		e->threads[e->current].passed[point]++;
	if (e->is_running && point == SLAB_POINT_HELD) {
		/* only to be interrupted: others would but wait */
		e->is_pinned = true;
		maybe_signal(e, point);
		e->is_pinned = was_pinned;
		return;
	}
	if (!e->is_running ||
	    (!e->w.s->sheaf_capacity && is_sheaf_point(point)))
		return;
	if (!e->w.m->in_interrupt &&
	    (point == SLAB_POINT_LIST_LOCK || point == SLAB_POINT_LIST_CHANGE ||
	     point == SLAB_POINT_FREELIST_READ))
		e->broken = world_touches(&e->w, e->current);
	at_point(e, point, point_sentences[point]);
	maybe_signal(e, point);
	if (is_moving_point(e, point))
		move(e);
	else if (point == SLAB_POINT_SHEAF_ALLOC &&
		 fails(e, "finds no memory for a sheaf"))
		e->w.m->meta.fail_after = 1;
	else if (point == SLAB_POINT_PAGES_ALLOC)
		maybe_no_pages(e);
	if (e->broken)
		give_up();
	runs(e);
}

void explorer_wait(void *arg, const void *lock)
{
	struct explorer *e = arg;
	struct thread *t = &e->threads[e->current];

	if (!e->is_running) {
		fprintf(stderr, "interleave: a lock stayed held\n");
		abort();
	}
	tell(e, "waits for the lock");
	record(e, TRACE_WAIT);
	t->waits_for = lock;
	slab_coroutine_back();
	t->waits_for = NULL;
	if (e->broken)
		give_up();
	runs(e);
}

/* ---- a schedule ---- */
void explorer_thread(void *arg)
{
	struct thread *t = arg;
	struct explorer *e = t->e;
	unsigned int nr = (unsigned int)(t - e->threads);

	e->w.m->cpu = e->in->threads[nr].cpu;
	runs(e);
	for (t->step = 0; t->step < INTERLEAVE_STEPS; t->step++) {
		if (!e->in->threads[nr].steps[t->step].op)
			break;
		if (t->step)
			at_point(e, SLAB_NR_POINTS, "begins");
		record_op(e, TRACE_BEGIN);
		if (!e->broken)
			e->broken = world_step(
				&e->w, nr, e->in->threads[nr].steps[t->step].op,
				e->in->threads[nr].steps[t->step].arg);
		if (!e->broken)
			record_op(e, TRACE_END);
		if (e->broken)
			give_up();
	}
}

static void begin(struct explorer *e)
{
	unsigned int t;

	world_restore(&e->w);
	for (t = 0; t < e->nr; t++) {
		struct thread *thread = &e->threads[t];

		slab_coroutine_restart(thread->coroutine);
		thread->has_ended = thread->pages_fail_again = false;
		thread->in_handler = thread->is_stopped = false;
		thread->waits_for = NULL;
	}
	e->at = e->nr_choices = e->nr_steps = 0;
	e->preemptions = e->migrations = e->failures = e->signals = 0;
	for (t = 0; t < INTERLEAVE_CPUS; t++)
		e->on_cpu[t] = INTERLEAVE_THREADS;
	e->pages_limited = e->is_pinned = false;
	e->broken = NULL;
}

void explorer_run(struct explorer *e)
{
	begin(e);
	e->is_running = true;
	e->current = pick_thread(e, e->nr, e->nr);
	while (e->current < e->nr && !e->broken) {
		struct thread *t = &e->threads[e->current];

		e->next = e->nr;
		if (t->is_stopped)
			record(e, TRACE_GO);
		t->is_stopped = false;
		t->has_ended = slab_coroutine_run(t->coroutine);
		if (e->broken)
			break;
		if (e->next < e->nr)
			e->current = e->next;
		else
			e->current = pick_thread(e, e->nr, e->nr);
	}
	e->is_running = false;
	for (e->current = 0; e->current < e->nr && e->trace; e->current++)
		if (e->broken && !e->threads[e->current].has_ended)
			record_op(e, TRACE_END);
	if (e->pages_limited)
		e->w.m->page_limit = 0;
	if (!e->broken) {
		unsigned int t;

		for (t = 0; t < e->nr; t++)
			if (!e->threads[t].has_ended)
				e->broken = "deadlock: each waits for another";
	}
	if (!e->broken)
		e->broken = world_check(&e->w, true);
	if (!e->broken && e->trace)
		world_slabs(&e->w, e->ret->slabs, sizeof(e->ret->slabs));
	if (!e->broken && !e->in->damage)
		e->broken = world_end(&e->w);
	e->ret->schedules++;
	e->ret->steps += e->nr_steps;
}
