/* SPDX-License-Identifier: MIT */
/*
 * inject/interleave.c - the search: run, look, go back, choose otherwise
 *
 * A depth-first walk that keeps nothing but the choices of the schedule it is
 * in: each run repeats them up to the last one that has an alternative left,
 * takes that, and from there on always the first. What a thread waits for is
 * not run until it is free; when everybody waits, that is a deadlock.
 */
#include "inject/interleave.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <slab/coroutine.h>
#include <slab/event.h>

#include "inject/interleave_world.h"

#define MAX_STEPS 2000U /* of one schedule; more is no progress */
/* Schedules looked at for a shorter one after the first that breaks. */
#define SHORTEN 20000UL

struct thread {
	struct explorer *e;
	struct slab_coroutine *coroutine;
	unsigned int step; /* of its list */
	bool has_ended;
	bool pages_fail_again;
	const struct slab_lock *waits_for;
};

struct choice {
	uint8_t picked, nr;
};

struct explorer {
	struct world w;
	const struct interleave *in;
	struct thread threads[INTERLEAVE_THREADS];
	unsigned int nr, current, next; /* next: who was preempted for */
	bool is_running;

	struct choice choices[INTERLEAVE_MAX_CHOICES];
	unsigned int at, nr_choices, nr_repeated;
	unsigned int preemptions, migrations, failures; /* used */
	unsigned int bound; /* of preemptions, in this round */
	unsigned int nr_steps, max_steps;
	bool pages_limited;

	const char *broken;
	FILE *out; /* a replay is told here */
	struct interleave_result *ret;
};

static const char *const op_names[] = {
#define OP(id, text) text,
	INTERLEAVE_OPS(OP)
#undef OP
};

static const char *const point_sentences[] = {
#define POINT(id, name, sentence) sentence,
#include <slab/points.def>
#undef POINT
};

/* ---- choosing ---- */

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
		c->picked = 0;
	c->nr = (uint8_t)nr;
	e->nr_choices = e->at;
	if (c->picked >= nr) {
		e->broken =
			"the schedule does not fit: it has another choice here";
		return 0;
	}
	return c->picked;
}

/* The last choice that has one left takes it; false: all were seen. */
static bool next_schedule(struct explorer *e)
{
	while (e->nr_choices) {
		struct choice *c = &e->choices[e->nr_choices - 1];

		if (++c->picked < c->nr)
			break;
		e->nr_choices--;
	}
	e->nr_repeated = e->nr_choices;
	return e->nr_choices != 0;
}

static bool can_run(const struct thread *t)
{
	return !t->has_ended && (!t->waits_for || !lock_is_held(t->waits_for));
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
static void describe_step(const struct explorer *e, unsigned int thread,
			  unsigned int step, char *buf, size_t size)
{
	unsigned int op = e->in->threads[thread].steps[step].op;
	unsigned int arg = e->in->threads[thread].steps[step].arg;
	bool of_slab = op == INTERLEAVE_FREE || op == INTERLEAVE_FREE_CHAIN ||
		       op == INTERLEAVE_KFREE_RCU;

	if (arg)
		snprintf(buf, size, of_slab ? "%s S%u" : "%s %u", op_names[op],
			 arg);
	else
		snprintf(buf, size, "%s", op_names[op]);
}

static void tell(struct explorer *e, const char *what)
{
	char step[32];

	if (!e->out)
		return;
	describe_step(e, e->current, e->threads[e->current].step, step,
		      sizeof(step));
	fprintf(e->out, "%4u  T%u CPU %u  %-18s %s\n", e->nr_steps, e->current,
		e->w.m->cpu, step, what);
	fflush(e->out); /* the next step may be the last */
}

/* ---- at a point ---- */
static bool is_sheaf_point(enum slab_point_kind point)
{
	return point == SLAB_POINT_PCS_TRYLOCK ||
	       point == SLAB_POINT_PCS_LOCK || point == SLAB_POINT_PCS_HELD ||
	       point == SLAB_POINT_PCS_UNLOCK;
}

/* The world as it is now; up to the last repeated choice it was judged. */
static void look(struct explorer *e)
{
	if (e->broken)
		return;
	if (e->at >= e->nr_repeated)
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

/* Work that is bound to a CPU does not move. */
static bool may_move(const struct explorer *e)
{
	const struct thread *t = &e->threads[e->current];

	switch (e->in->threads[e->current].steps[t->step].op) {
	case INTERLEAVE_FLUSH_CPU:
	case INTERLEAVE_SHRINK:
	case INTERLEAVE_BARRIER:
		return false;
	default:
		return e->migrations < e->in->migrations;
	}
}

static void move(struct explorer *e)
{
	unsigned int to;

	if (!may_move(e))
		return;
	to = choose(e, INTERLEAVE_CPUS);
	if (!to)
		return;
	e->migrations++;
	e->w.m->cpu = (e->w.m->cpu + to) % INTERLEAVE_CPUS;
	tell(e, "goes on on another CPU");
}

static bool fails(struct explorer *e, const char *what)
{
	if (e->failures == e->in->failures || !choose(e, 2))
		return false;
	e->failures++;
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

static void maybe_switch(struct explorer *e)
{
	unsigned int to;

	if (e->preemptions == e->bound)
		return;
	to = pick_thread(e, e->current, e->current);
	if (to == e->current)
		return;
	e->preemptions++;
	e->next = to;
	slab_coroutine_back();
}

static void at_point(struct explorer *e, const char *what)
{
	if (e->pages_limited)
		e->w.m->page_limit = 0;
	e->pages_limited = false;
	e->nr_steps++;
	look(e);
	tell(e, what);
	if (!e->broken)
		maybe_switch(e);
	if (e->broken)
		give_up();
}

static void point_hook(void *arg, enum slab_point_kind point)
{
	struct explorer *e = arg;

	if (!e->is_running ||
	    (!e->w.s->sheaf_capacity && is_sheaf_point(point)))
		return;
	if (point == SLAB_POINT_LIST_LOCK || point == SLAB_POINT_LIST_CHANGE ||
	    point == SLAB_POINT_FREELIST_READ)
		e->broken = world_touches(&e->w, e->current);
	at_point(e, point_sentences[point]);
	if (point == SLAB_POINT_PCS_TRYLOCK || point == SLAB_POINT_PCS_LOCK)
		move(e);
	else if (point == SLAB_POINT_SHEAF_ALLOC &&
		 fails(e, "finds no memory for a sheaf"))
		e->w.m->meta.fail_after = 1;
	else if (point == SLAB_POINT_PAGES_ALLOC)
		maybe_no_pages(e);
	if (e->broken)
		give_up();
}

static void wait_hook(void *arg, const void *lock)
{
	struct explorer *e = arg;
	struct thread *t = &e->threads[e->current];

	if (!e->is_running) {
		fprintf(stderr, "interleave: a lock stayed held\n");
		abort();
	}
	tell(e, "waits for the lock");
	t->waits_for = lock;
	slab_coroutine_back();
	t->waits_for = NULL;
	if (e->broken)
		give_up();
}

/* ---- a schedule ---- */
static void thread_body(void *arg)
{
	struct thread *t = arg;
	struct explorer *e = t->e;
	unsigned int nr = (unsigned int)(t - e->threads);

	e->w.m->cpu = e->in->threads[nr].cpu;
	for (t->step = 0; t->step < INTERLEAVE_STEPS; t->step++) {
		if (!e->in->threads[nr].steps[t->step].op)
			break;
		if (t->step)
			at_point(e, "begins");
		if (!e->broken)
			e->broken = world_step(&e->w, nr, t->step);
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
		thread->waits_for = NULL;
	}
	e->at = e->nr_choices = e->nr_steps = 0;
	e->preemptions = e->migrations = e->failures = 0;
	e->pages_limited = false;
	e->broken = NULL;
}

static void run_schedule(struct explorer *e)
{
	begin(e);
	e->is_running = true;
	e->current = pick_thread(e, e->nr, e->nr);
	while (e->current < e->nr && !e->broken) {
		struct thread *t = &e->threads[e->current];

		e->next = e->nr;
		t->has_ended = slab_coroutine_run(t->coroutine);
		if (e->broken)
			break;
		if (e->next < e->nr)
			e->current = e->next;
		else
			e->current = pick_thread(e, e->nr, e->nr);
	}
	e->is_running = false;
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
	if (!e->broken && !e->in->damage)
		e->broken = world_end(&e->w);
	e->ret->schedules++;
	e->ret->steps += e->nr_steps;
}

/* ---- all of them ---- */
static void write_choices(const struct explorer *e, char *choices)
{
	unsigned int i, nr = e->nr_choices;

	while (nr && !e->choices[nr - 1].picked)
		nr--;
	choices[0] = (char)('0' + e->bound);
	choices[1] = ':';
	for (i = 0; i < nr; i++)
		choices[i + 2] = (char)('0' + e->choices[i].picked);
	choices[nr + 2] = '\0';
}

static struct explorer *running;

bool interleave_running(char choices[INTERLEAVE_MAX_CHOICES + 3])
{
	if (running)
		write_choices(running, choices);
	return running;
}

static void keep(struct explorer *e)
{
	struct interleave_result *r = e->ret;

	r->broken = e->broken;
	snprintf(r->what, sizeof(r->what), "%s", e->w.why);
	r->preemptions = e->preemptions;
	r->nr_steps = e->nr_steps;
	write_choices(e, r->choices);
}

static void walk(struct explorer *e)
{
	unsigned long left = SHORTEN;

	e->nr_choices = e->nr_repeated = 0;
	do {
		e->w.why[0] = '\0';
		run_schedule(e);
		if (e->broken && e->nr_steps < e->max_steps) {
			keep(e);
			/* from now on only what is shorter */
			e->max_steps = e->nr_steps;
		}
	} while ((!e->ret->broken || left--) && next_schedule(e));
}

static void close_explorer(struct explorer *e)
{
	unsigned int t;

	running = NULL;
	for (t = 0; t < e->nr; t++)
		slab_coroutine_destroy(e->threads[t].coroutine);
	slab_machine_set_point_hook(e->w.m, NULL, NULL);
	slab_machine_set_wait_hook(e->w.m, NULL, NULL);
	world_close(&e->w);
	free(e);
}

static int open_explorer(struct slab_machine *m, const struct interleave *in,
			 struct interleave_result *ret, struct explorer **e_ret)
{
	struct explorer *e = calloc(1, sizeof(*e));
	unsigned int t;
	int err;

	memset(ret, 0, sizeof(*ret));
	if (!e)
		return -ENOMEM;
	e->in = in;
	e->ret = ret;
	err = world_open(&e->w, m, in);
	for (t = 0; t < in->nr_threads && !err; t++) {
		e->threads[t].e = e;
		err = slab_coroutine_create(m, thread_body, &e->threads[t],
					    &e->threads[t].coroutine);
		e->nr += !err;
	}
	slab_machine_set_point_hook(m, point_hook, e);
	slab_machine_set_wait_hook(m, wait_hook, e);
	if (!err)
		err = world_keep(&e->w);
	if (err) {
		snprintf(ret->what, sizeof(ret->what), "%s", e->w.why);
		close_explorer(e);
		return err;
	}
	e->max_steps = MAX_STEPS;
	running = e;
	*e_ret = e;
	return 0;
}

int interleave_run(struct slab_machine *m, const struct interleave *in,
		   struct interleave_result *ret)
{
	struct explorer *e;
	int err = open_explorer(m, in, ret, &e);

	if (err)
		return err;
	/* the fewest preemptions first */
	for (e->bound = 0; e->bound <= in->preemptions && !ret->broken;
	     e->bound++)
		walk(e);
	close_explorer(e);
	return 0;
}

int interleave_replay(struct slab_machine *m, const struct interleave *in,
		      const char *choices, FILE *out,
		      struct interleave_result *ret)
{
	struct explorer *e;
	int err = open_explorer(m, in, ret, &e);
	unsigned int i;

	if (err)
		return err;
	/* what could be chosen depends on the bound it was found with */
	e->bound = choices[0] ? (unsigned int)(choices[0] - '0') : 0;
	choices += choices[0] && choices[1] == ':' ? 2 : 0;
	for (i = 0; choices[i] && i < INTERLEAVE_MAX_CHOICES; i++)
		e->choices[i].picked = (uint8_t)(choices[i] - '0');
	e->nr_repeated = i;
	e->out = out;
	run_schedule(e);
	keep(e);
	if (e->broken)
		fprintf(out, "      %s%s%s%s\n", e->broken,
			e->w.why[0] ? " (" : "", e->w.why,
			e->w.why[0] ? ")" : "");
	close_explorer(e);
	return 0;
}

/* ---- in words ---- */
static void add(char *buf, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void add(char *buf, size_t size, const char *format, ...)
{
	size_t n = strlen(buf);
	va_list args;

	va_start(args, format);
	vsnprintf(buf + n, size - n, format, args);
	va_end(args);
}

static void describe_start(const struct interleave *in, char *buf, size_t size)
{
	unsigned int i;

	add(buf, size, "%u objects a slab, min_partial %u", in->objects,
	    in->min_partial);
	if (!in->capacity) {
		for (i = 0; i < INTERLEAVE_SLABS; i++)
			if (in->used[i] >= 0)
				add(buf, size, ", S%u: %d used", i + 1,
				    in->used[i]);
		return;
	}
	add(buf, size, ", sheaves of %u, %u held", in->capacity, in->held);
	for (i = 0; i < INTERLEAVE_CPUS; i++)
		add(buf, size, ", CPU %u: main %d spare %d rcu_free %d", i,
		    in->cpu[i].main, in->cpu[i].spare, in->cpu[i].rcu_free);
	add(buf, size, ", barn: %u full %u empty", in->barn_full,
	    in->barn_empty);
}

void interleave_describe(const struct interleave *in, char *buf, size_t size)
{
	const struct explorer e = { .in = in };
	unsigned int t, i;
	char step[32];

	buf[0] = '\0';
	describe_start(in, buf, size);
	for (t = 0; t < in->nr_threads; t++) {
		add(buf, size, " | CPU %u:", in->threads[t].cpu);
		for (i = 0; i < INTERLEAVE_STEPS && in->threads[t].steps[i].op;
		     i++) {
			describe_step(&e, t, i, step, sizeof(step));
			add(buf, size, "%s %s", i ? ";" : "", step);
		}
	}
}
