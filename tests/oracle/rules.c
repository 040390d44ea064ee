/* SPDX-License-Identifier: MIT */
/*
 * rules.c - what 7.0, or an allocator that survives, says instead
 *
 * Each rule reads the case's commands and the kernel's text and computes
 * another text; none sees our answer or the case's name. Those here change
 * lines where they stand; predict.c has those for which the model goes on.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"

const struct rule rules[] = {
	[RULE_WRONG_CACHE] = { .name = "wrong-cache",
			       .says = "an object freed to another "
				       "cache is leaked, not freed" },
	[RULE_NOT_SLAB_TEXT] = { .name = "not-slab-text",
				 .says = "the warning about a pointer that no "
					 "slab "
					 "holds has other words",
				 .is_wording = true },
	[RULE_KFREE_PAGE_TEXT] = { .name = "kfree-page-text",
				   .says = "the warning about a page that "
					   "kmalloc did "
					   "not give has other words",
				   .is_wording = true },
	[RULE_CYCLE] = { .name = "cycle",
			 .says = "a chain of free objects that runs in a "
				 "circle is found and dropped" },
	[RULE_KREALLOC] = { .name = "krealloc",
			    .says = "krealloc in place records the requested "
				    "size, and "
				    "the red zone behind it" },
	[RULE_SHEAVES] = { .name = "sheaves",
			   .says = "plain caches have sheaves in front of "
				   "their slabs, where 6.12 has a CPU slab" },
	[RULE_CPU_PARTIAL] = { .name = "cpu-partial",
			       .says = "cpu_partial takes nothing but 0" },
	[RULE_BAD_HEAD] = { .name = "bad-head",
			    .says = "a free pointer that leads out of its "
				    "slab is not followed" },
	[RULE_WILD_FREE] = { .name = "wild-free",
			     .says = "what is freed must lie in the slab" },
	[RULE_SELF_LINK] = { .name = "self-link",
			     .says = "a second free right after the first is "
				     "refused" },
	[RULE_INUSE_UNDERFLOW] = { .name = "inuse-underflow",
				   .says = "more frees than objects "
					   "in use are refused" },
	[RULE_NOT_IN_SLAB] = { .name = "not-in-slab",
			       .says = "a pointer without a page is "
				       "looked up in our own table" },
	[RULE_LOST_CHAIN] = { .name = "lost-chain",
			      .says = "a slab whose free chain was "
				      "dropped leaves the partial list" },
	[RULE_BOUNDED_WALK] = { .name = "bounded-walk",
				.says = "destroy follows a chain of free "
					"objects no "
					"further than it can go" },
};
const size_t nr_rules = ARRAY_SIZE(rules);

/* ---- the case, by its commands ---- */
static const char *cache_name(const struct oracle_case *c, size_t before,
			      unsigned long long number, char *buf, size_t size)
{
	struct words w;

	while (before-- > 0) {
		words_split(&w, c->steps[before].command);
		if (w.nr > 2 && !strcmp(w.at[0], "create") &&
		    (unsigned long long)words_number(&w, 1) == number) {
			snprintf(buf, size, "%s", w.at[2]);
			return buf;
		}
	}
	return "";
}

static bool cache_read(const struct oracle_case *c, const char *name,
		       struct case_cache *ret)
{
	for (size_t i = 0; i < c->nr_steps; i++) {
		for (size_t j = 0; j < c->steps[i].out.nr; j++) {
			if (case_cache_read(c->steps[i].out.at[j], ret) &&
			    !strcmp(ret->name, name))
				return true;
		}
	}
	return false;
}

/* The first line of the case that begins so; false: none. */
static bool find_line(const struct normal *n, const char *prefix, size_t *step,
		      size_t *line)
{
	for (*step = 0; *step < n->nr_steps; (*step)++) {
		const struct lines *out = &n->steps[*step].out;

		for (*line = 0; *line < out->nr; (*line)++) {
			if (starts_with(out->at[*line], prefix))
				return true;
		}
	}
	return false;
}

/* ---- wrong-cache ---- */
/* Objects of one cache that were freed to another: leaked from then on. */
struct leak {
	char name[64];
	unsigned int nr;
	struct lines objects; /* "Object O3" or "Object" */
};

/* attr C objects: "6 [3 N0=3]" says one more for each leak. */
static void count_leak(struct lines *out, unsigned int nr)
{
	unsigned long n;
	char text[64];

	for (size_t i = 0; i < out->nr; i++) {
		if (sscanf(out->at[i], "= %*d [%lu", &n) != 1)
			continue;
		n += nr;
		snprintf(text, sizeof(text), "%lu N0=%lu", n, n);
		lines_drop(out, i);
		lines_addf(out, "= %zu [%s]", strlen(text), text);
	}
}

/* The report of a slab with only leaked objects in it. */
static void add_remaining(struct lines *out, const struct case_cache *cache,
			  const struct leak *leak)
{
	struct lines l = { 0 };

	lines_addf(&l, "%.77s",
		   "=============================================="
		   "===============================");
	lines_addf(&l, "BUG %s: Objects remaining on __kmem_cache_shutdown()",
		   leak->name);
	lines_addf(&l, "%.77s",
		   "----------------------------------------------"
		   "-------------------------------");
	lines_add(&l, "");
	for (size_t i = 0; i < leak->nr; i++)
		lines_addf(&l, "%s%s", leak->objects.at[i],
			   cache->layout.flags & FLAG_U ? ", Allocated in"
							: "");
	lines_sort(&l, 4, leak->nr);
	lines_addf(&l, "Slab objects=%u used=%u fp=object workingset%s",
		   cache->objects, leak->nr, cache->order ? " head" : "");
	lines_add(&l, "WARNING __kmem_cache_shutdown");
	lines_addf(&l, "kmem_cache_destroy %s: Slab cache still has objects",
		   leak->name);
	lines_add(&l, "WARNING kmem_cache_destroy");
	for (size_t i = 0; i < l.nr; i++)
		lines_insert(out, i, l.at[i]);
	lines_free(&l);
}

/* Objects are left already: one more among them. */
static void join_remaining(struct lines *out, const struct case_cache *cache,
			   const struct leak *leak)
{
	unsigned int objects, used;
	size_t first = 0, i;
	char rest[128];

	for (i = 0; i < out->nr; i++) {
		if (starts_with(out->at[i], "BUG "))
			first = i + 3;
		if (sscanf(out->at[i], "Slab objects=%u used=%u %127[^\n]",
			   &objects, &used, rest) != 3)
			continue;
		lines_drop(out, i);
		lines_insert(out, i, "");
		free(out->at[i]);
		if (asprintf(&out->at[i], "Slab objects=%u used=%u %s", objects,
			     used + leak->nr, rest) < 0)
			must(NULL);
		break;
	}
	for (size_t j = 0; j < leak->nr; j++, i++) {
		char text[128];

		snprintf(text, sizeof(text), "%s%s", leak->objects.at[j],
			 cache->layout.flags & FLAG_U ? ", Allocated in" : "");
		lines_insert(out, first, text);
	}
	lines_sort(out, first, i - first);
}

static void leak_later(const struct oracle_case *c, struct normal *n,
		       size_t after, const struct leak *leak)
{
	struct case_cache cache;

	if (!cache_read(c, leak->name, &cache))
		return;
	for (size_t i = after + 1; i < c->nr_steps; i++) {
		struct lines *out = &n->steps[i].out;
		char name[64];
		struct words w;

		words_split(&w, c->steps[i].command);
		if (w.nr < 2 ||
		    strcmp(cache_name(c, i,
				      (unsigned long long)words_number(&w, 1),
				      name, sizeof(name)),
			   leak->name))
			continue;
		if (!strcmp(w.at[0], "attr") && w.nr > 2 &&
		    !strcmp(w.at[2], "objects"))
			count_leak(out, leak->nr);
		if (strcmp(w.at[0], "destroy"))
			continue;
		if (out->nr > 1)
			join_remaining(out, &cache, leak);
		else
			add_remaining(out, &cache, leak);
		return;
	}
}

/* What slot s held last before a step, as the kernel's results name it. */
static void slot_object(const struct oracle_case *c, const struct normal *n,
			size_t before, long long s, char *buf, size_t size)
{
	snprintf(buf, size, "Object");
	while (before-- > 0) {
		const struct lines *out = &n->steps[before].out;
		struct words w;

		words_split(&w, c->steps[before].command);
		if (w.nr > 1 && !strcmp(w.at[0], "alloc") &&
		    words_number(&w, 1) == s) {
			if (out->nr && starts_with(out->at[out->nr - 1], "= O"))
				snprintf(buf, size, "Object %s",
					 out->at[out->nr - 1] + 2);
			return;
		}
	}
}

static bool rule_wrong_cache(const struct oracle_case *c, struct normal *n)
{
	static const char prefix[] = "cache_from_obj: Wrong slab cache. ";
	char to[64], from[64], text[256], object[80];
	struct leak leak = { .nr = 1 };
	struct words w;
	size_t step, line;
	const char *at;

	if (!find_line(n, prefix, &step, &line))
		return false;
	at = strstr(n->steps[step].out.at[line], " but object is from ");
	if (!at || !text_between(n->steps[step].out.at[line], prefix, " but ",
				 to, sizeof(to)))
		return false;
	snprintf(from, sizeof(from), "%s", at + strlen(" but object is from "));
	snprintf(text, sizeof(text),
		 "kmem_cache_free(%s, PTR): object belongs to different cache "
		 "%s",
		 to, from);
	lines_replace(&n->steps[step].out, line, text);
	words_split(&w, c->steps[step].command);
	slot_object(c, n, step, words_number(&w, 1), object, sizeof(object));
	lines_add(&leak.objects, object);
	snprintf(leak.name, sizeof(leak.name), "%s", from);
	leak_later(c, n, step, &leak);
	lines_free(&leak.objects);
	return true;
}

/* ---- rules of one line ---- */
static bool rule_not_slab_text(const struct oracle_case *c, struct normal *n)
{
	char name[64], text[160];
	struct words w;
	size_t step, line;

	if (!find_line(n, "virt_to_cache: Object is not a Slab page!", &step,
		       &line))
		return false;
	words_split(&w, c->steps[step].command);
	snprintf(text, sizeof(text),
		 "kmem_cache_free(%s, PTR): object is not in a slab page",
		 cache_name(c, step,
			    (unsigned long long)words_number(&w, w.nr - 1),
			    name, sizeof(name)));
	lines_replace(&n->steps[step].out, line, text);
	return true;
}

static bool rule_kfree_page_text(const struct oracle_case *c, struct normal *n)
{
	size_t step, line;

	(void)c;
	if (!find_line(n, "object pointer: ", &step, &line))
		return false;
	lines_replace(&n->steps[step].out, line,
		      "page dumped because: Not a kmalloc allocation");
	return true;
}

/* attrw C cpu_partial N, N not 0, on a cache without debug flags */
static bool rule_cpu_partial(const struct oracle_case *c, struct normal *n)
{
	bool is_changed = false;

	for (size_t i = 0; i < c->nr_steps; i++) {
		struct lines *out = &n->steps[i].out;
		struct words w;

		words_split(&w, c->steps[i].command);
		if (w.nr < 4 || strcmp(w.at[0], "attrw") ||
		    strcmp(w.at[2], "cpu_partial") || !words_number(&w, 3) ||
		    out->nr != 1 || starts_with(out->at[0], "= -"))
			continue;
		lines_replace(out, 0, "= -22");
		is_changed = true;
	}
	return is_changed;
}

static const struct {
	int rule;
	bool (*apply)(const struct oracle_case *c, struct normal *n);
} text_rules[] = {
	{ RULE_WRONG_CACHE, rule_wrong_cache },
	{ RULE_NOT_SLAB_TEXT, rule_not_slab_text },
	{ RULE_KFREE_PAGE_TEXT, rule_kfree_page_text },
	{ RULE_CPU_PARTIAL, rule_cpu_partial },
};

void rules_apply(const struct oracle_case *c, struct prediction *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(text_rules); i++)
		p->is_applied[text_rules[i].rule] =
			text_rules[i].apply(c, &p->normal);
}
