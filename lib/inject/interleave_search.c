/* SPDX-License-Identifier: MIT */
/*
 * inject/interleave_search.c - which schedules: all within a bound, or some
 *
 * A depth-first walk that keeps nothing but the choices of the schedule it is
 * in: each run repeats them up to the last one that has an alternative left,
 * takes that, and from there on always the first. Schedules that are drawn
 * take now and then another choice than the first; one that breaks something
 * is made as plain as it can be before it is shown.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inject/interleave_explorer.h"

/* Schedules looked at for a shorter one after the first that breaks. */
#define SHORTEN 20000UL
/* Of schedules that are drawn: they may preempt as often as they like. */
#define NO_BOUND 64U

/* ---- all of them ---- */
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
		explorer_run(e);
		if (e->broken && e->nr_steps < e->max_steps) {
			keep(e);
			/* from now on only what is shorter */
			e->max_steps = e->nr_steps;
		}
	} while ((!e->ret->broken || left--) && next_schedule(e));
}

/* ---- at random ---- */
static unsigned int nr_picked(const struct explorer *e)
{
	unsigned int i, nr = 0;

	for (i = 0; i < e->nr_choices; i++)
		nr += e->choices[i].picked != 0;
	return nr;
}

/* Leaves out, one by one, choices that it breaks without. */
static void make_plain(struct explorer *e)
{
	static struct choice best[INTERLEAVE_MAX_CHOICES];
	unsigned int nr = e->nr_choices, left = nr_picked(e), i;

	memcpy(best, e->choices, nr * sizeof(*best));
	e->is_random = false;
	e->is_changed = true;
	for (i = nr; i > 0; i = i > nr ? nr : i - 1) {
		if (!best[i - 1].picked)
			continue;
		memcpy(e->choices, best, nr * sizeof(*best));
		e->choices[i - 1].picked = 0;
		e->nr_repeated = nr;
		e->w.why[0] = '\0';
		explorer_run(e);
		if (!e->broken || nr_picked(e) >= left)
			continue;
		keep(e);
		nr = e->nr_choices;
		left = nr_picked(e);
		memcpy(best, e->choices, nr * sizeof(*best));
		i = nr + 1; /* from behind again */
	}
	e->is_changed = false;
}

static void draw_schedules(struct explorer *e)
{
	unsigned long i;

	e->bound = NO_BOUND;
	for (i = 0; i < e->in->random && !e->ret->broken; i++) {
		e->random.state = e->in->seed ^ i << 32;
		e->odds = 2U << i % 4;
		e->is_random = true;
		e->nr_choices = e->nr_repeated = 0;
		e->w.why[0] = '\0';
		explorer_run(e);
		if (e->broken) {
			keep(e);
			make_plain(e);
		}
	}
	e->is_random = false;
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
		err = slab_coroutine_create(m, explorer_thread, &e->threads[t],
					    &e->threads[t].coroutine);
		e->nr += !err;
	}
	slab_machine_set_point_hook(m, explorer_point, e);
	slab_machine_set_wait_hook(m, explorer_wait, e);
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
	for (e->bound = 0;
	     e->bound <= in->preemptions && !ret->broken && !in->random;
	     e->bound++)
		walk(e);
	draw_schedules(e);
	close_explorer(e);
	return 0;
}

static void run_choices(struct explorer *e, const char *choices)
{
	unsigned int i;

	/* what could be chosen depends on the bound it was found with */
	e->bound = choices[0] ? (unsigned int)(choices[0] - '0') : 0;
	choices += choices[0] && choices[1] == ':' ? 2 : 0;
	for (i = 0; choices[i] && i < INTERLEAVE_MAX_CHOICES; i++)
		e->choices[i].picked = (uint8_t)(choices[i] - '0');
	e->nr_repeated = i;
	explorer_run(e);
	keep(e);
}

int interleave_replay(struct slab_machine *m, const struct interleave *in,
		      const char *choices, FILE *out,
		      struct interleave_result *ret)
{
	struct explorer *e;
	int err = open_explorer(m, in, ret, &e);

	if (err)
		return err;
	e->out = out;
	run_choices(e, choices);
	if (e->broken)
		fprintf(out, "      %s%s%s%s\n", e->broken,
			e->w.why[0] ? " (" : "", e->w.why,
			e->w.why[0] ? ")" : "");
	close_explorer(e);
	return 0;
}

int interleave_script(struct slab_machine *m, const struct interleave *in,
		      const char *choices, FILE *out,
		      struct interleave_result *ret)
{
	struct explorer *e;
	int err;

	if (in->capacity || in->damage) {
		fprintf(out, "# no script: slabctl makes no %s\n",
			in->capacity ? "sheaves of 1 or 2 objects"
				     : "damage of this kind");
		return -ENOTSUP;
	}
	err = open_explorer(m, in, ret, &e);
	if (err)
		return err;
	e->trace = calloc(1, sizeof(*e->trace));
	err = -ENOMEM;
	if (e->trace) {
		run_choices(e, choices);
		interleave_print_script(&e->w, e->trace, out);
		free(e->trace);
		err = 0;
	}
	close_explorer(e);
	return err;
}
