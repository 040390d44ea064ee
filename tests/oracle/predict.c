/* SPDX-License-Identifier: MIT */
/*
 * predict.c - where the kernel's answer no longer holds, and how it goes on
 *
 *	text rules, then:  kernel's text | model's text
 *	                   ------------- ^ -----------> steps
 *	                    word for word   what is found, repaired, returned
 *
 * The model (model.h) is believed when it gives the kernel's own text up to
 * that step. Which step, and whether a rule may change what the kernel said,
 * the case's commands and text decide.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* Orders of the model for a case that depends on the order. */
#define NR_ORDERS 40

/* What such a command answers at all. */
static void form_of_command(const char *command, struct lines *ret)
{
	static const char *const returned[] = { "free",	    "freeoff",
						"freebase", "freeptr",
						"bulkfree", "kfree",
						"kfreeoff", "destroy" };
	static const char *const something[] = {
		"alloc",    "km",     "kmz",  "krealloc", "ksize",     "ptreq",
		"validate", "shrink", "attr", "attrw",	  "bulkalloc", "next",
	};
	struct words w;

	words_split(&w, command);
	for (size_t i = 0; w.nr && i < ARRAY_SIZE(returned); i++) {
		if (!strcmp(w.at[0], returned[i]))
			lines_add(ret, "= returned");
	}
	for (size_t i = 0; w.nr && i < ARRAY_SIZE(something); i++) {
		if (!strcmp(w.at[0], something[i]))
			lines_add(ret, "= something");
	}
	if (w.nr && !strcmp(w.at[0], "learn"))
		lines_add(ret, "= key");
	if (w.nr && !strcmp(w.at[0], "create"))
		lines_add(ret, "= ok");
}

/* Does the model give the kernel's text of this step, as far as it goes? */
static bool model_gives(const struct oracle_case *c,
			const struct model_answer *a, const struct normal *n,
			size_t i, bool is_stop)
{
	struct lines theirs, ours;
	bool is_equal;

	if (c->steps[i].is_phase || starts_with(c->steps[i].command, "create "))
		return true;
	lines_reduce(&n->steps[i].out, &theirs);
	lines_reduce(&a->normal.steps[i].out, &ours);
	/* what was printed before the kernel died still holds */
	while (is_stop && ours.nr > theirs.nr)
		lines_drop(&ours, ours.nr - 1);
	is_equal = lines_equal(&theirs, &ours);
	lines_free(&theirs);
	lines_free(&ours);
	return is_equal;
}

static bool model_gives_all(const struct oracle_case *c,
			    const struct model_answer *a,
			    const struct normal *n)
{
	for (size_t i = 0; i < c->nr_steps; i++) {
		if (i >= a->nr_known || !model_gives(c, a, n, i, false))
			return false;
	}
	return true;
}

/* 6.12 counts the objects of a circle: "Counter is 4 but counted were -1". */
static size_t cycle_step(const struct normal *n)
{
	for (size_t i = 0; i < n->nr_steps; i++) {
		const struct lines *out = &n->steps[i].out;

		for (size_t j = 0; j < out->nr; j++) {
			if (strstr(out->at[j], ": Wrong object count.") &&
			    strstr(out->at[j], "counted were -1"))
				return i;
		}
	}
	return n->nr_steps;
}

static bool case_is_plain(const struct oracle_case *c)
{
	bool is_plain = case_kmalloc_flags(c) == FLAG_KMALLOC;

	for (size_t i = 0; i < c->nr_steps; i++) {
		struct case_cache cache;

		for (size_t j = 0; j < c->steps[i].out.nr; j++) {
			if (case_cache_read(c->steps[i].out.at[j], &cache) &&
			    (cache.layout.flags & FLAG_DEBUG))
				is_plain = false;
		}
	}
	return is_plain;
}

/* Did the kernel answer these steps with results alone, in silence? */
static bool is_silent(const struct oracle_case *c, const struct normal *n,
		      size_t from, size_t to)
{
	for (size_t i = from; i < to && i < c->nr_steps; i++) {
		struct lines l;
		bool is_result = true;

		lines_reduce(&n->steps[i].out, &l);
		for (size_t j = 0; j < l.nr; j++)
			is_result &= starts_with(l.at[j], "= ") ||
				     starts_with(l.at[j], "ptr ");
		lines_free(&l);
		if (!is_result)
			return false;
	}
	return true;
}

/* A slab that counts more objects in use than it has: the count wrapped. */
static bool has_wrapped(const struct normal *n)
{
	for (size_t i = 0; i < n->nr_steps; i++) {
		const struct lines *out = &n->steps[i].out;

		for (size_t j = 0; j < out->nr; j++) {
			unsigned int objects, used;

			if (sscanf(out->at[j], "Slab objects=%u used=%u",
				   &objects, &used) == 2 &&
			    used > objects)
				return true;
		}
	}
	return false;
}

/*
 * May a rule change what the kernel answered at step i? Only where the case's
 * own text shows that the kernel went another way: it stopped later and was
 * silent until then, or counted below zero, or is understood without sheaves.
 */
static bool may_change(const struct oracle_case *c, const struct normal *n,
		       size_t i, int rule, bool is_understood)
{
	switch (rule) {
	case RULE_KREALLOC:
		return true; /* the command is enough */
	case RULE_INUSE_UNDERFLOW:
		return has_wrapped(n);
	case RULE_SHEAVES:
		return is_understood;
	case RULE_BAD_HEAD:
	case RULE_SELF_LINK:
	case RULE_WILD_FREE:
		return c->stop != STOP_NONE &&
		       is_silent(c, n, i, case_stop_step(c));
	default:
		return false;
	}
}

/*
 * The step from which the kernel's text no longer holds, and why: it counts a
 * circle, it stops, or the model, which gave the kernel's text so far, says
 * something else after a row of DIVERGENCE acted. A plain cache needs no row:
 * that 6.12 has a CPU slab is one.
 */
static size_t divergence(const struct oracle_case *c,
			 const struct model_answer *a, const struct normal *n,
			 bool is_understood, int *rule)
{
	size_t stop = case_stop_step(c), cycle = cycle_step(n);
	bool is_plain = case_is_plain(c);

	for (size_t i = 0; i < c->nr_steps; i++) {
		bool is_known = i < a->nr_known;

		*rule = is_known ? a->event[i] : -1;
		if (i == cycle)
			*rule = RULE_CYCLE;
		if (*rule < 0 && is_plain)
			*rule = RULE_SHEAVES;
		if (i == cycle || i == stop)
			return i;
		if (!is_known)
			break;
		if (model_gives(c, a, n, i, false))
			continue;
		if (*rule < 0 || !may_change(c, n, i, *rule, is_understood))
			break; /* the model is wrong about this case */
		return i;
	}
	/* nothing can be computed, but it must go on */
	*rule = -1;
	return stop;
}

/*
 * Does the model without sheaves give all that the kernel said, as far as
 * anything can? Then what the kernel did is understood, and nothing but the
 * sheaves in front of the same slabs makes the other answer.
 */
static bool is_understood(const struct oracle_case *c,
			  const struct model_answer *without,
			  const struct normal *n)
{
	size_t stop = case_stop_step(c), from;
	int rule;

	from = divergence(c, without, n, false, &rule);
	if (from == c->nr_steps)
		return model_gives_all(c, without, n);
	return rule >= 0 &&
	       (from < stop || model_gives(c, without, n, from, true));
}

/* The step in which 6.12 counts a circle, in 7.0's words, as far as the repair:
 * does the model say the same? */
static bool model_gives_cycle(const struct model_answer *a,
			      const struct normal *n, size_t i)
{
	struct lines theirs, ours;
	bool is_equal;

	lines_reduce(&n->steps[i].out, &theirs);
	lines_reduce(&a->normal.steps[i].out, &ours);
	for (size_t j = 0; j < theirs.nr; j++) {
		char *title = strstr(theirs.at[j], ": Wrong object count.");
		char *fix = strstr(theirs.at[j], ": Object count adjusted");
		char text[256];

		if (!title && !fix)
			continue;
		snprintf(text, sizeof(text), "%.*s%s",
			 (int)((title ? title : fix) - theirs.at[j]),
			 theirs.at[j],
			 title ? ": Freelist cycle detected"
			       : ": Freelist cleared");
		lines_replace(&theirs, j, text);
		while (fix && theirs.nr > j + 1)
			lines_drop(&theirs, theirs.nr - 1);
	}
	while (ours.nr > theirs.nr)
		lines_drop(&ours, ours.nr - 1);
	is_equal = lines_equal(&theirs, &ours);
	lines_free(&theirs);
	lines_free(&ours);
	return is_equal;
}

static void go_on_from(const struct oracle_case *c, struct model_answer *a,
		       struct prediction *p, size_t from, int rule)
{
	size_t stop = case_stop_step(c);
	bool is_believed = from < a->nr_known;

	for (size_t i = 0; is_believed && i < from; i++)
		is_believed = model_gives(c, a, &p->normal, i, false);
	if (is_believed && rule == RULE_CYCLE)
		is_believed = model_gives_cycle(a, &p->normal, from);
	else if (is_believed && from == stop)
		is_believed = model_gives(c, a, &p->normal, from, true);
	if (rule < 0)
		is_believed = false;
	p->nr_exact = from;
	p->nr_known = is_believed ? a->nr_known : from;
	if (!is_believed && from == stop)
		p->prefix_step = stop;
	for (size_t i = from; i < c->nr_steps; i++) {
		if (i == p->prefix_step)
			continue;
		lines_free(&p->normal.steps[i].out);
		if (i < p->nr_known)
			lines_copy(&p->normal.steps[i].out,
				   &a->normal.steps[i].out);
		else
			form_of_command(c->steps[i].command,
					&p->normal.steps[i].out);
	}
	if (from < stop || rule == RULE_CYCLE)
		p->is_applied[rule] = true;
	if (is_believed && c->stop != STOP_NONE)
		p->survival = rule;
	if (!is_believed && (from < stop || rule == RULE_CYCLE))
		snprintf(p->problem, sizeof(p->problem),
			 "rule %s: the model does not give the kernel's text "
			 "before it",
			 rules[rule].name);
}

/* A rule that is applied and changes nothing of what was measured has no
 * business there. */
static void check_changes(const struct oracle_case *c,
			  const struct normal *kernel, struct prediction *p)
{
	if (!prediction_is_explained(p) || p->problem[0])
		return;
	for (size_t i = 0; i < c->nr_steps && !c->steps[i].is_unrun; i++) {
		struct lines a, b;
		bool is_equal;

		lines_reduce(&kernel->steps[i].out, &a);
		lines_reduce(&p->normal.steps[i].out, &b);
		is_equal = lines_equal(&a, &b);
		lines_free(&a);
		lines_free(&b);
		if (!is_equal)
			return;
	}
	snprintf(p->problem, sizeof(p->problem),
		 "a rule is applied and changes nothing");
}

/* One order of free objects in the model: is what it computes usable? */
static bool predict_by_model(const struct oracle_case *c, unsigned int order,
			     struct prediction *p)
{
	struct model_answer a, without;
	bool is_usable = true;
	int rule = -1;
	size_t from;

	model_run(c, order, c->no_sheaves ? SHEAVES_OF_KMALLOC : SHEAVES_OF_ALL,
		  &a);
	model_run(c, order, CPU_SLAB, &without);
	from = divergence(c, &a, &p->normal,
			  is_understood(c, &without, &p->normal), &rule);
	if (from < c->nr_steps) {
		go_on_from(c, &a, p, from, rule);
		is_usable = !p->problem[0] &&
			    (c->stop == STOP_NONE || p->survival >= 0);
	}
	model_answer_free(&a);
	model_answer_free(&without);
	return is_usable;
}

void predict(const struct oracle_case *c, const struct normal *kernel,
	     struct prediction *ret)
{
	unsigned int nr_orders = c->is_order_dependent ? NR_ORDERS : 1;
	struct prediction p;

	*ret = (struct prediction){ .survival = -1,
				    .nr_exact = c->nr_steps,
				    .nr_known = c->nr_steps,
				    .prefix_step = c->nr_steps };
	normal_copy(&ret->normal, kernel);
	rules_apply(c, ret);
	if (!prediction_is_explained(ret) || c->stop != STOP_NONE) {
		p = *ret;
		for (unsigned int i = 0; i < nr_orders; i++) {
			*ret = p;
			normal_copy(&ret->normal, &p.normal);
			if (predict_by_model(c, i, ret))
				break;
			if (i + 1 < nr_orders)
				normal_free(&ret->normal);
		}
		normal_free(&p.normal);
	}
	check_changes(c, kernel, ret);
}

bool prediction_is_explained(const struct prediction *p)
{
	for (size_t i = 0; i < nr_rules; i++) {
		if (p->is_applied[i])
			return true;
	}
	return false;
}

void prediction_free(struct prediction *p)
{
	normal_free(&p->normal);
}
