/* SPDX-License-Identifier: MIT */
/*
 * compare.c - `slab-oracle run`: the kernel's answers, the rules' and ours
 *
 * A case agrees when our answer is the kernel's; it is explained when a rule
 * computed another one from the case alone and ours is that one; else it
 * differs. Which objects a slab gives first is chance: a case whose text
 * depends on that (index.tsv says which) may try several seeds, and when none
 * gives the kernel's order it is compared in kind.
 */
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

/* Chances are 1 in 100 and less for each. */
#define NR_KEYS 3

enum verdict { AGREES, EXPLAINED, DIFFERS };

struct tally {
	size_t verdict[3];
	size_t by_seed, in_kind; /* among those that depend on the order */
	size_t by_wording;	 /* agree in the words of another version */
	size_t by_key;		 /* the secret made a bad pointer a good one */
	size_t unruled[3];	 /* index.tsv names no rule */
	size_t stopped[3];	 /* cases in which the kernel died or hung */
	size_t by_form;		 /* and we went on, but nobody knows how */
	size_t rule[MAX_RULES];	 /* it changed what the kernel answered */
	size_t survival[MAX_RULES]; /* it says how to go on */
	bool is_indexed[MAX_RULES]; /* index.tsv names the rule */
};

/* ---- one answer against one prediction ---- */
/*
 * As much of step i of n as is compared. Where the model goes on, its order of
 * free objects is not ours: what a report finds first has the name that the
 * order gave it. Results keep theirs, numbered among themselves.
 */
static void step_text(const struct prediction *p, const struct normal *n,
		      size_t i, struct lines *ret)
{
	if (i < p->nr_exact) {
		lines_copy(ret, &n->steps[i].out);
	} else if (i < p->nr_known) {
		lines_reduce(&n->steps[i].out, ret);
		lines_unname(ret, n, i);
	} else {
		lines_form(&n->steps[i].out, ret);
	}
}

static bool step_agrees(const struct prediction *p, const struct normal *ours,
			size_t i)
{
	struct lines a, b;
	bool is_equal;

	if (i == p->prefix_step) {
		lines_reduce(&p->normal.steps[i].out, &a);
		lines_reduce(&ours->steps[i].out, &b);
		while (b.nr > a.nr)
			lines_drop(&b, b.nr - 1);
	} else {
		step_text(p, &p->normal, i, &a);
		step_text(p, ours, i, &b);
	}
	is_equal = lines_equal(&a, &b);
	lines_free(&a);
	lines_free(&b);
	return is_equal;
}

static bool answer_agrees(const struct prediction *p, const struct normal *ours)
{
	if (p->normal.nr_steps != ours->nr_steps)
		return false;
	for (size_t i = 0; i < ours->nr_steps; i++) {
		if (!step_agrees(p, ours, i))
			return false;
	}
	return true;
}

/* Titles without what the order decides: objects, ranges, numbers. */
static void case_kinds(const struct normal *n, struct lines *ret)
{
	*ret = (struct lines){ 0 };
	for (size_t i = 0; i < n->nr_steps; i++) {
		const struct lines *out = &n->steps[i].out;

		for (size_t j = 0; j < out->nr; j++) {
			const char *title = strstr(out->at[j], ": ");

			if (starts_with(out->at[j], "BUG ") && title)
				lines_addf(ret, "%.*s",
					   (int)strcspn(title, "0123456789"),
					   title);
		}
	}
}

/* Both find nothing, or what is found first is of one kind. */
static bool answer_agrees_in_kind(const struct prediction *p,
				  const struct normal *ours)
{
	struct lines a, b;
	bool is_equal;

	if (p->normal.nr_steps != ours->nr_steps)
		return false;
	case_kinds(&p->normal, &a);
	case_kinds(ours, &b);
	is_equal = a.nr && b.nr ? !strcmp(a.at[0], b.at[0]) : a.nr == b.nr;
	lines_free(&a);
	lines_free(&b);
	return is_equal;
}

/* ---- showing it ---- */
static void show_lines(char sign, const struct lines *l)
{
	for (size_t i = 0; i < l->nr; i++)
		printf("  %c %s\n", sign, l->at[i]);
}

static void show_step(const struct prediction *p, const struct normal *ours,
		      size_t i)
{
	struct lines a, b;
	size_t head = 0, tail = 0;

	step_text(p, &p->normal, i, &a);
	step_text(p, ours, i, &b);
	while (head < a.nr && head < b.nr && !strcmp(a.at[head], b.at[head]))
		head++;
	while (tail + head < a.nr && tail + head < b.nr &&
	       !strcmp(a.at[a.nr - 1 - tail], b.at[b.nr - 1 - tail]))
		tail++;
	for (size_t j = 0; j < a.nr; j++) {
		if (j == head) {
			for (; j < a.nr - tail; j++)
				printf("  - %s\n", a.at[j]);
			for (size_t k = head; k < b.nr - tail; k++)
				printf("  + %s\n", b.at[k]);
		}
		if (j < a.nr)
			printf("    %s\n", a.at[j]);
	}
	if (head == a.nr) {
		for (size_t k = head; k < b.nr; k++)
			printf("  + %s\n", b.at[k]);
	}
	lines_free(&a);
	lines_free(&b);
}

/* - what was predicted, + ours, and k the kernel's where a rule changed it */
static void show_case(const struct oracle_case *c, const struct normal *kernel,
		      const struct prediction *p, const struct replay *r,
		      const struct normal *ours)
{
	size_t stop = case_stop_step(c);

	if (p->problem[0])
		printf("  ! %s\n", p->problem);
	if (r->failure[0])
		printf("  ! %s\n", r->failure);
	for (size_t i = 0; i < c->nr_steps; i++) {
		const struct step *step = &c->steps[i];
		bool is_same = i < ours->nr_steps && step_agrees(p, ours, i);

		printf("%s %s%s%s\n", step->is_phase ? "#" : ">", step->command,
		       is_same ? "" : "   <-- differs",
		       i == stop ? "   <-- the kernel stopped here" : "");
		if (!lines_equal(&kernel->steps[i].out,
				 &p->normal.steps[i].out) &&
		    !step->is_unrun)
			show_lines('k', &kernel->steps[i].out);
		if (i < ours->nr_steps)
			show_step(p, ours, i);
		else
			show_lines('-', &p->normal.steps[i].out);
	}
}

/* ---- a case ---- */
static const char *const verdict_names[] = { "agrees", "explained", "differs" };

static void verdict_line(const struct oracle_case *c, enum verdict verdict,
			 const struct prediction *p, const char *how)
{
	printf("%s %s%s", c->name, verdict_names[verdict], how);
	for (size_t i = 0; i < nr_rules; i++) {
		if (p->is_applied[i])
			printf(" [%s]", rules[i].name);
	}
	if (c->stop != STOP_NONE)
		printf(" (went on: %s%s)",
		       p->survival >= 0 ? rules[p->survival].name : "no row",
		       p->nr_known < c->nr_steps ? ", by form" : "");
	printf("\n");
}

static bool try_seed(const struct oracle_case *c, uint64_t seed,
		     const struct prediction *p, struct replay *r,
		     struct normal *ours)
{
	replay_case(c, seed, r);
	*ours = (struct normal){ 0 };
	if (r->answer.name)
		normalise(&r->answer, ours);
	return !r->failure[0] && !p->problem[0] && answer_agrees(p, ours);
}

/* Nothing but the words of a warning is another version's. */
static bool only_reworded(const struct prediction *p)
{
	bool is_reworded = false;

	for (size_t i = 0; i < nr_rules; i++) {
		if (p->is_applied[i] && !rules[i].is_wording)
			return false;
		is_reworded |= p->is_applied[i];
	}
	return is_reworded && p->survival < 0;
}

static enum verdict judge(const struct oracle_case *c,
			  const struct run_options *o, struct tally *tally)
{
	enum verdict verdict = DIFFERS;
	struct prediction p;
	struct replay r;
	struct normal kernel, ours;
	unsigned int nr_seeds;
	bool agrees;
	char how[48] = "";

	normalise(c, &kernel);
	predict(c, &kernel, &p);
	agrees = try_seed(c, o->seed, &p, &r, &ours);
	nr_seeds = c->is_order_dependent    ? o->nr_seeds
		   : case_depends_on_key(c) ? NR_KEYS
					    : 1;
	/* who died or hung once would do so again */
	for (unsigned int i = 1;
	     !agrees && !r.failure[0] && !p.problem[0] && i < nr_seeds; i++) {
		struct replay r2;
		struct normal ours2;

		agrees = try_seed(c, o->seed + i, &p, &r2, &ours2);
		if (agrees && c->is_order_dependent) {
			tally->by_seed++;
			snprintf(how, sizeof(how), " (in order %u)", i);
		} else if (agrees) {
			tally->by_key++;
			snprintf(how, sizeof(how), " (with secret %u)", i);
		}
		normal_free(&ours2);
		replay_free(&r2);
	}
	if (!agrees && c->is_order_dependent && !r.failure[0] &&
	    !p.problem[0] && answer_agrees_in_kind(&p, &ours)) {
		agrees = true;
		tally->in_kind++;
		snprintf(how, sizeof(how), " (in kind)");
	}
	for (size_t i = 0; i < nr_rules; i++) {
		tally->rule[i] += p.is_applied[i];
		tally->is_indexed[i] |=
			c->index_rule && strstr(c->index_rule, rules[i].name);
	}
	if (agrees && only_reworded(&p)) {
		verdict = AGREES;
		tally->by_wording++;
	} else if (agrees) {
		verdict = prediction_is_explained(&p) ? EXPLAINED : AGREES;
	}
	if (c->index_rule && !strcmp(c->index_rule, "-"))
		tally->unruled[verdict]++;
	if (c->stop != STOP_NONE) {
		tally->stopped[verdict]++;
		if (p.survival >= 0)
			tally->survival[p.survival]++;
		tally->by_form += p.nr_known < c->nr_steps;
	}
	if (o->is_verbose || o->show || verdict == DIFFERS)
		verdict_line(c, verdict, &p, how);
	if (o->show || (o->show_differing && verdict == DIFFERS))
		show_case(c, &kernel, &p, &r, &ours);
	replay_free(&r);
	normal_free(&ours);
	normal_free(&kernel);
	prediction_free(&p);
	return verdict;
}

int command_run(const char *path, const struct run_options *o)
{
	struct tally tally = { 0 };
	struct cases cs = { 0 };
	size_t nr = 0, unused = 0, stopped;

	if (parse_path(path, &cs)) {
		cases_free(&cs); /* what was read before the mistake */
		return 2;
	}
	for (size_t i = 0; i < cs.nr; i++) {
		if (o->show && strcmp(cs.at[i].name, o->show))
			continue;
		cs.at[i].no_sheaves = o->no_sheaves;
		tally.verdict[judge(&cs.at[i], o, &tally)]++;
		nr++;
	}
	if (o->show && !nr) {
		fprintf(stderr, "%s: no case '%s'\n", path, o->show);
		cases_free(&cs);
		return 2;
	}
	for (size_t i = 0; i < nr_rules; i++) {
		if (tally.rule[i] || tally.survival[i] || o->list_rules)
			printf("rule %s: %zu, went on by it: %zu%s%s\n",
			       rules[i].name, tally.rule[i], tally.survival[i],
			       o->list_rules ? ": " : "",
			       o->list_rules ? rules[i].says : "");
		if (tally.is_indexed[i] && !tally.rule[i] &&
		    !tally.survival[i] && !o->show) {
			printf("rule %s: index.tsv names it, and no case needs "
			       "it\n",
			       rules[i].name);
			unused++;
		}
	}
	stopped = tally.stopped[AGREES] + tally.stopped[EXPLAINED];
	if (stopped + tally.stopped[DIFFERS])
		printf("the kernel died or hung in %zu; we went on in %zu, as "
		       "computed in %zu of them\n",
		       stopped + tally.stopped[DIFFERS], stopped,
		       stopped > tally.by_form ? stopped - tally.by_form : 0);
	if (tally.by_seed || tally.in_kind)
		printf("order: %zu with another seed, %zu in kind\n",
		       tally.by_seed, tally.in_kind);
	if (tally.unruled[AGREES])
		printf("where index.tsv names no rule: %zu agree of %zu\n",
		       tally.unruled[AGREES],
		       tally.unruled[AGREES] + tally.unruled[EXPLAINED] +
			       tally.unruled[DIFFERS]);
	if (tally.by_wording)
		printf("wording: %zu agree in the words of 7.0's warnings\n",
		       tally.by_wording);
	if (tally.by_key)
		printf("secret: %zu with another one\n", tally.by_key);
	printf("%zu agree, %zu explained, %zu differ\n", tally.verdict[AGREES],
	       tally.verdict[EXPLAINED], tally.verdict[DIFFERS]);
	cases_free(&cs);
	return tally.verdict[DIFFERS] || unused ? 1 : 0;
}

/* ---- looking at the parts ---- */
int command_print(const char *path)
{
	struct cases cs = { 0 };

	if (parse_path(path, &cs))
		return 2;
	for (size_t i = 0; i < cs.nr; i++) {
		if (i)
			printf("\n");
		case_print(&cs.at[i], stdout);
	}
	cases_free(&cs);
	return 0;
}

int command_normal(const char *path, const char *name)
{
	struct cases cs = { 0 };

	if (parse_path(path, &cs))
		return 2;
	for (size_t i = 0; i < cs.nr; i++) {
		struct normal n;

		if (name && strcmp(cs.at[i].name, name))
			continue;
		normalise(&cs.at[i], &n);
		printf("@@ BEGIN %s\n", cs.at[i].name);
		for (size_t j = 0; j < n.nr_steps; j++) {
			printf("> %s\n", cs.at[i].steps[j].command);
			show_lines(' ', &n.steps[j].out);
		}
		normal_free(&n);
	}
	cases_free(&cs);
	return 0;
}

int command_replay(const char *path, const char *name, uint64_t seed)
{
	struct cases cs = { 0 };
	int err = 0;

	if (parse_path(path, &cs))
		return 2;
	for (size_t i = 0; i < cs.nr; i++) {
		if (!name || !strcmp(cs.at[i].name, name))
			err |= replay_print(&cs.at[i], seed, stdout);
	}
	cases_free(&cs);
	return err ? 2 : 0;
}
