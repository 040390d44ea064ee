/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_run.c - `run`: threads, or a virtual machine's CPUs, work on caches
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "names.h"
#include "output.h"
#include "progress.h"
#include "stop.h"
#include "work.h"

#define DEFAULT_OPS	100000U
#define DEFAULT_OBJECTS 1024U

/* ---- the words ---- */

/* The n-th part of a list with commas; false: there is none. */
static bool list_part(const char *list, size_t n, char *buf, size_t size)
{
	while (n--) {
		list = strchr(list, ',');
		if (!list++)
			return false;
	}
	snprintf(buf, size, "%.*s", (int)strcspn(list, ","), list);
	return true;
}

static int parse_caches(const char *list, struct work_plan *plan)
{
	char name[NAME_SIZE];
	size_t i, k;

	for (i = 0; list_part(list, i, name, sizeof(name)); i++) {
		if (i == MAX_WORK_CACHES)
			return fail("usage", NULL,
				    "run: no more than %u caches",
				    MAX_WORK_CACHES);
		if (place_cache(name, &plan->cache[i]))
			return -EINVAL;
		for (k = 0; k < i; k++) {
			if (plan->cache[k].cache == plan->cache[i].cache)
				return fail("usage", NULL,
					    "run: cache=%s names %s twice",
					    list, plan->cache[k].name);
		}
	}
	plan->nr_caches = i;
	return 0;
}

static int fail_word(const char *word)
{
	char list[128] = "";
	size_t used = 0;
	unsigned int i;

	for (i = 0; i < NR_WORK_WORDS; i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used,
					 "%s%s", i ? ", " : "", work_words[i]);
	fail("usage", list, "run: mix= has no \"%.40s\"", word);
	if (nearest(word, work_words, NR_WORK_WORDS))
		hint_nearest(word, work_words, NR_WORK_WORDS);
	return -EINVAL;
}

/* alloc:60 */
static int parse_share(char *part, struct work_plan *plan)
{
	char *number = strchr(part, ':');
	uint64_t share;
	unsigned int i;

	if (number)
		*number++ = '\0';
	for (i = 0; i < NR_WORK_WORDS; i++) {
		if (!strcmp(part, work_words[i]))
			break;
	}
	if (i == NR_WORK_WORDS)
		return fail_word(part);
	if (!number)
		return fail("usage", "mix=alloc:60,free:40",
			    "run: mix=: how often %s?", part);
	if (number_parse("run: mix=", number, 1000000, &share))
		return -EINVAL;
	plan->share[i] += (unsigned int)share;
	return 0;
}

static int parse_mix(const char *list, struct work_plan *plan)
{
	unsigned int sum = 0;
	char part[64];
	size_t i;

	for (i = 0; list_part(list, i, part, sizeof(part)); i++) {
		if (parse_share(part, plan))
			return -EINVAL;
	}
	for (i = 0; i < NR_WORK_WORDS; i++)
		sum += plan->share[i];
	return sum ? 0
		   : fail("value", "mix=alloc:60,free:40",
			  "run: mix=%.40s: nothing is to be done", list);
}

static int parse_seconds(const char *text, struct work_plan *plan)
{
	char *end;

	if (!text)
		return 0;
	if (!session.opt.is_native)
		return fail("value", "ops=N ends it",
			    "run: seconds=: a virtual machine's clock does "
			    "not go by itself");
	plan->seconds = strtod(text, &end);
	if (end == text || *end || !(plan->seconds > 0) || plan->seconds > 1e6)
		return fail("number", "seconds=2.5",
			    "run: seconds=%.40s is no time", text);
	return 0;
}

static unsigned int nr_online(void)
{
	unsigned int nr = 0, cpu;

	for (cpu = 0; cpu < session_nr_cpus(); cpu++)
		nr += slab_machine_cpu_online(session.machine, cpu);
	return nr < MAX_WORKERS ? nr : MAX_WORKERS;
}

static int parse_numbers(const struct invocation *inv, struct work_plan *plan)
{
	uint64_t threads = nr_online(), objects = DEFAULT_OBJECTS;

	plan->ops = arg_given(inv, "seconds") ? 0 : DEFAULT_OPS;
	if (arg_number(inv, "threads", MAX_WORKERS, &threads) ||
	    arg_number(inv, "ops", UINT64_MAX, &plan->ops) ||
	    arg_number(inv, "objects", 1U << 20, &objects))
		return -EINVAL;
	if (!threads || (arg_given(inv, "ops") && !plan->ops) ||
	    objects < WORK_BULK)
		return fail("number", NULL,
			    !threads ? "run: threads=0: nobody works"
			    : objects < WORK_BULK
				    ? "run: objects=: at least 16, which "
				      "a bulk call gets"
				    : "run: ops=0: there is nothing to do");
	plan->nr_workers = (unsigned int)threads;
	plan->objects = (size_t)objects;
	return 0;
}

static int parse(const struct invocation *inv, struct work_plan *plan)
{
	const char *mix = arg_word(inv, "mix");

	plan->keeps = arg_given(inv, "keep");
	plan->seed = session.opt.seed;
	return parse_caches(arg_word(inv, "cache"), plan) ||
			       parse_mix(mix ? mix : "alloc:50,free:50",
					 plan) ||
			       parse_seconds(arg_word(inv, "seconds"), plan) ||
			       parse_numbers(inv, plan)
		       ? -EINVAL
		       : 0;
}

/* ---- figures while it runs ---- */

/* 5.41 M */
static const char *short_number(double n, char buf[24])
{
	static const char units[] = " kMG";
	unsigned int i = 0;

	for (; n >= 1000 && i < 3; i++)
		n /= 1000;
	if (i)
		snprintf(buf, 24, "%.*f %c",
			 n < 10	   ? 2
			 : n < 100 ? 1
				   : 0,
			 n, units[i]);
	else
		snprintf(buf, 24, "%.0f", n);
	return buf;
}

/* Of the objects that were handed out; at most 99.9 when not all. */
static void sheaves_text(const struct work_figures *f, char *buf, size_t size)
{
	uint64_t got = f->sheaf_got, missed = f->slowpath;
	double percent;

	if (!f->has_statistics || !got) {
		snprintf(buf, size, "-");
		return;
	}
	if (missed > got)
		missed = got;
	percent = 100.0 * (double)(got - missed) / (double)got;
	if (missed && percent > 99.99)
		percent = 99.99;
	snprintf(buf, size, "%.2f %%", percent);
}

static struct work_figures shown; /* the line before */

static void show_line(const struct work_figures *f)
{
	double took = f->seconds - shown.seconds;
	char part[6][64], n[24], served[32];
	const char *parts[6];
	size_t i;

	if (!progress_is_shown())
		return;
	snprintf(part[0], 64, "run %.1f s", f->seconds);
	snprintf(part[1], 64, "%s ops/s",
		 short_number((double)(f->all_calls - shown.all_calls) /
				      (took > 0 ? took : 1),
			      n));
	snprintf(part[2], 64, "in use %llu", (unsigned long long)f->held);
	snprintf(part[3], 64, "slabs %lu", f->slabs);
	sheaves_text(f, served, sizeof(served));
	snprintf(part[4], 64, "sheaves %s", served);
	snprintf(part[5], 64, "%s ops", short_number((double)f->all_calls, n));
	for (i = 0; i < 6; i++)
		parts[i] = part[i];
	progress_line(parts, 6);
	shown = *f;
}

/* ---- the answer ---- */

static const struct field cache_fields[] = {
	FIELD("cache", TEXT, "name"),
	FIELD("got", COUNT, "objects that the workers got"),
	FIELD("given", COUNT, "objects that they gave back"),
	FIELD("in_use", COUNT, "objects that they keep", .header = "kept"),
	FIELD("failed", COUNT, "calls that gave NULL"),
	FIELD("slabs", COUNT, "slabs that the cache has now"),
	FIELD("slowpath", COUNT, "requests that no sheaf served",
	      .header = "from slabs"),
	FIELD("sheaf_refill", COUNT, "objects that slabs filled sheaves with",
	      .header = "refilled"),
	{},
};
static const struct field mix_fields[] = {
	FIELD("word", TEXT, "of the mix"),
	FIELD("calls", COUNT, "how often it was done"),
	{},
};
static const struct field run_fields[] = {
	FIELD("workers", COUNT, "threads, or CPUs that took turns"),
	FIELD("ops", COUNT, "operations that were done"),
	FIELD("ms", COUNT, "milliseconds that they took"),
	FIELD("ops_per_second", COUNT, "of all workers"),
	FIELD("sheaves", TEXT, "share of the objects that sheaves handed out"),
	FIELD("ended", TEXT, "done, time, limit or interrupted"),
	FIELD("in_use", COUNT, "objects that the workers keep"),
	FIELD("wrong", COUNT, "objects that bore another worker's mark"),
	FIELD("caches", TABLE, "one row a cache", .of = cache_fields),
	FIELD("mix", TABLE, "what was done how often", .of = mix_fields),
	{},
};
static const struct field run_returns =
	FIELD("run", RECORD, NULL, .of = run_fields);

static const char *const end_words[] = {
	[WORK_DONE] = "done",
	[WORK_TIME] = "time",
	[WORK_LIMIT] = "limit",
	[WORK_INTERRUPTED] = "interrupted",
};

static int put_cache(struct value *table, const struct slab_cache_info *before,
		     const struct work_cache_figures *f)
{
	struct value *row = table_row(table);
	struct slab_cache_info c;

	if (place_cache(before->name, &c))
		return -EINVAL;
	put_text(row, "cache", "%s", c.name);
	put_count(row, "got", f->got);
	put_count(row, "given", f->given);
	put_count(row, "in_use", f->held);
	put_count(row, "failed", f->failed);
	put_count(row, "slabs", c.total.nr_slabs);
	if (!c.has_statistics)
		return 0;
	put_count(row, "slowpath",
		  c.stat[SLAB_STAT_ALLOC_SLOWPATH] -
			  before->stat[SLAB_STAT_ALLOC_SLOWPATH]);
	put_count(row, "sheaf_refill",
		  c.stat[SLAB_STAT_SHEAF_REFILL] -
			  before->stat[SLAB_STAT_SHEAF_REFILL]);
	return 0;
}

static void put_time(struct model *out, const struct work_figures *f)
{
	struct value *r = out->root;

	if (!session.opt.is_native) {
		put_unknown(r, "ms", "a virtual machine has no time");
		put_unknown(r, "ops_per_second",
			    "a virtual machine has no time");
		return;
	}
	put_count(r, "ms", (uint64_t)(1000 * f->seconds));
	put_count(r, "ops_per_second",
		  f->seconds > 0 ? (uint64_t)((double)f->all_calls / f->seconds)
				 : 0);
}

/* 5.2 ms, 0.52 s, 12.5 s */
static const char *short_time(double seconds, char buf[24])
{
	if (seconds < 0.1)
		snprintf(buf, 24, "%.1f ms", 1000 * seconds);
	else
		snprintf(buf, 24, seconds < 10 ? "%.2f s" : "%.1f s", seconds);
	return buf;
}

/* 4 threads, 1.00 M operations in 0.52 s: 1.92 M a second */
static bool all_have_sheaves(const struct work_plan *plan)
{
	size_t i = 0;

	while (i < plan->nr_caches && plan->cache[i].sheaf_capacity)
		i++;
	return i == plan->nr_caches;
}

static void view_head(struct model *out, const struct work_plan *plan,
		      const struct work_figures *f)
{
	struct block *line = view_line(out);
	char all[24], rate[24], took[24], served[32];
	const char *s = plan->nr_workers == 1 ? "" : "s";

	if (session.opt.is_native)
		line_add(line, STYLE_STRONG,
			 "%u thread%s, %s operations in %s: %s a second",
			 plan->nr_workers, s,
			 short_number((double)f->all_calls, all),
			 short_time(f->seconds, took),
			 short_number(f->seconds > 0 ? (double)f->all_calls /
							       f->seconds
						     : 0,
				      rate));
	else
		line_add(line, STYLE_STRONG,
			 "%u worker%s on %u CPU%s in turn, %llu operations",
			 plan->nr_workers, s, nr_online(),
			 nr_online() == 1 ? "" : "s",
			 (unsigned long long)f->all_calls);
	sheaves_text(f, served, sizeof(served));
	if (*served != '-')
		line_add(line, STYLE_PLAIN,
			 all_have_sheaves(plan)
				 ? "; %s from sheaves"
				 : "; sheaves serve %s of theirs",
			 served);
}

static void view_mix(struct model *out, const struct work_figures *f)
{
	struct block *line = view_line(out);
	bool is_first = true;
	unsigned int i;

	line->breaks_wide = true;
	for (i = 0; i < NR_WORK_WORDS; i++) {
		if (!f->calls[i])
			continue;
		line_add(line, STYLE_PLAIN, "%s%s %llu", is_first ? "" : "  ",
			 work_words[i], (unsigned long long)f->calls[i]);
		is_first = false;
	}
}

/* What a person has to know of the end. */
static void view_end(struct model *out, const struct work_plan *plan,
		     const struct work_figures *f)
{
	char names[256] = "";
	size_t used = 0, i;

	if (f->wrong)
		line_add(view_line(out), STYLE_BAD,
			 "%llu objects bore another worker's mark: they were "
			 "handed out twice, or overwritten",
			 (unsigned long long)f->wrong);
	if (!f->has_statistics)
		view_text(out, "what sheaves did is unknown: statistics were "
			       "off when a cache was made");
	if (!f->held)
		return;
	for (i = 0; i < plan->nr_caches && used < sizeof(names); i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used,
					 "%sfree all %s", i ? ", " : "",
					 plan->cache[i].name);
	view_text(out, "%llu objects are kept; %s give%s them back",
		  (unsigned long long)f->held, names,
		  plan->nr_caches == 1 ? "s" : "");
}

static int put_answer(struct model *out, const struct work_plan *plan,
		      const struct work_figures *f, enum work_end end)
{
	struct value *r = out->root, *table, *row;
	char served[32];
	size_t i;

	put_count(r, "workers", plan->nr_workers);
	put_count(r, "ops", f->all_calls);
	put_time(out, f);
	sheaves_text(f, served, sizeof(served));
	if (*served == '-')
		put_unknown(r, "sheaves",
			    f->has_statistics ? "no sheaf was asked"
					      : "statistics are off");
	else
		put_text(r, "sheaves", "%s", served);
	put_text(r, "ended", "%s", end_words[end]);
	put_count(r, "in_use", f->held);
	put_count(r, "wrong", f->wrong);
	view_head(out, plan, f);
	table = put_table(r, "caches");
	for (i = 0; i < plan->nr_caches; i++) {
		if (put_cache(table, &plan->cache[i], &f->cache[i]))
			return -EINVAL;
	}
	view_value(out, table, 0);
	table = put_table(r, "mix");
	for (i = 0; i < NR_WORK_WORDS; i++) {
		if (!f->calls[i])
			continue;
		row = table_row(table);
		put_text(row, "word", "%s", work_words[i]);
		put_count(row, "calls", f->calls[i]);
	}
	view_mix(out, f);
	view_end(out, plan, f);
	return 0;
}

static int run(const struct invocation *inv, struct model *out)
{
	struct work_plan *plan = must_alloc(sizeof(*plan));
	struct work_figures f;
	enum work_end end = WORK_DONE;
	int err = parse(inv, plan);

	if (!err)
		err = stop_refuse_barrier("run");
	memset(&shown, 0, sizeof(shown));
	if (!err)
		err = work_run(plan, show_line, &end, &f);
	progress_end();
	if (!err)
		err = put_answer(out, plan, &f, end);
	free(plan);
	if (err)
		return err;
	if (f.wrong)
		session.has_bad_answer = true;
	if (end != WORK_INTERRUPTED && end != WORK_LIMIT)
		return 0;
	/* the command ends as any that Ctrl-C ends; its figures are known */
	output_model("run", out);
	if (end == WORK_LIMIT)
		return fail("time_limit", "--limit-time S gives more",
			    "the script ran longer than %g s",
			    session.opt.limit_time);
	return fail("interrupted", NULL, "interrupted");
}

/* ---- rows ---- */

static const char mix_brief[] = "how often of what:"
#define WORK(id, word, brief) " " word
#include "work_words.def"
#undef WORK
	;

static const struct arg run_args[] = {
	ARG("cache", KEY, "the caches to work on", .value = "NAME,...",
	    .is_required = true, .complete = complete_cache),
	ARG("threads", KEY, "how many; as many as there are CPUs",
	    .value = "N"),
	ARG("ops", KEY, "operations of all of them; 100000", .value = "N"),
	ARG("seconds", KEY, "until then, on a native machine", .value = "S"),
	ARG("mix", KEY, mix_brief, .value = "WORD:N,..."),
	ARG("objects", KEY, "that each holds of a cache at most; 1024",
	    .value = "N"),
	ARG("keep", FLAG, "what they hold at the end stays in use"),
	{},
};

const struct command run_commands[] = {
	{
		.name = "run",
		.brief = "many operations: threads at once, or CPUs in turn",
		.example = "run cache=plain ops=10000 mix=alloc:60,free:40",
		.args = run_args,
		.returns = &run_returns,
		.run = run,
	},
	{},
};
