/* SPDX-License-Identifier: MIT */
/*
 * attr_fault.c - fault injection: which requests shall fail
 *
 * debugfs and /proc read numbers as C writes them (0x10, 010), sysfs does
 * not. A word that is no truth value and a number that does not fit are
 * refused here; the kernel's debugfs ignores the one and cuts the other.
 */
#include <errno.h>
#include <stddef.h>

#include <slab/debug.h>

#include "attr.h"
#include "number.h"

/* ---- one cache ---- */
static int show_failslab(const struct attr_file *f, FILE *out)
{
	fprintf(out, "%d\n", (f->info->flags & SLAB_FAILSLAB) != 0);
	return 0;
}

static int store_failslab(const struct attr_file *f, const char *text)
{
	/* refused where other names, which did not ask for it, would fail */
	return slab_cache_set_failslab(attr_cache(f), text[0] == '1');
}

const struct attr attr_cache_fault_rows[] = {
	{ "failslab", 0600, "",
	  "1: A, failslab's cache-filter lets its requests fail",
	  "1 or 0, for a cache without aliases", show_failslab, store_failslab,
	  0 },
	{},
};

/* ---- the machine; arg: offset in struct slab_failslab ---- */
/* The row's field of a copy; NULL: the target has no live machine. */
static void *get(const struct attr_file *f, struct slab_failslab *copy)
{
	if (!f->machine)
		return NULL;
	slab_failslab_get(f->machine, copy);
	return (char *)copy + f->attr->arg;
}

/* Takes the copy, unless its new value could not be read. */
static int put(const struct attr_file *f, const struct slab_failslab *copy,
	       int err)
{
	if (!err)
		slab_failslab_set(f->machine, copy);
	return err;
}

static int show_ulong(const struct attr_file *f, FILE *out)
{
	struct slab_failslab copy;
	const unsigned long *value = get(f, &copy);

	if (!value)
		return -EOPNOTSUPP;
	fprintf(out, "%lu\n", *value);
	return 0;
}

static int store_ulong(const struct attr_file *f, const char *text)
{
	struct slab_failslab copy;

	return put(f, &copy, number_ulong(text, 0, get(f, &copy)));
}

static int show_uint(const struct attr_file *f, FILE *out)
{
	struct slab_failslab copy;
	const unsigned int *value = get(f, &copy);

	if (!value)
		return -EOPNOTSUPP;
	fprintf(out, "%u\n", *value);
	return 0;
}

static int store_uint(const struct attr_file *f, const char *text)
{
	struct slab_failslab copy;

	return put(f, &copy, number_uint(text, 0, get(f, &copy)));
}

static int show_int(const struct attr_file *f, FILE *out)
{
	struct slab_failslab copy;
	const int *value = get(f, &copy);

	if (!value)
		return -EOPNOTSUPP;
	fprintf(out, "%d\n", *value);
	return 0;
}

static int store_int(const struct attr_file *f, const char *text)
{
	struct slab_failslab copy;

	return put(f, &copy, number_int(text, 0, get(f, &copy)));
}

static int show_bool(const struct attr_file *f, FILE *out)
{
	struct slab_failslab copy;
	const bool *value = get(f, &copy);

	if (!value)
		return -EOPNOTSUPP;
	fputs(*value ? "Y\n" : "N\n", out);
	return 0;
}

static int store_bool(const struct attr_file *f, const char *text)
{
	struct slab_failslab copy;

	return put(f, &copy, number_bool(text, get(f, &copy)));
}

#define FIELD(type, field) \
	show_##type, store_##type, offsetof(struct slab_failslab, field)

static const char number[] = "a number from 0";
static const char truth[] = "Y or N";

const struct attr attr_failslab_rows[] = {
	{ "probability", 0600, "percent",
	  "of the requests that fail; 0: none, 100: all", number,
	  FIELD(ulong, probability) },
	{ "interval", 0600, "requests", "only every so many may fail", number,
	  FIELD(ulong, interval) },
	{ "times", 0600, "failures", "how many there may still be; -1: no end",
	  "a number, -1 for no end", FIELD(int, times) },
	{ "space", 0600, "bytes", "that are handed out before anything fails",
	  "a number", FIELD(int, space) },
	{ "verbose", 0600, "",
	  "0 says nothing, 1 a message a failure, 2 with a stack", number,
	  FIELD(ulong, verbose) },
	{ "verbose_ratelimit_interval_ms", 0600, "ms",
	  "in which verbose_ratelimit_burst messages are said; 0: all", number,
	  FIELD(uint, verbose_ratelimit_interval_ms) },
	{ "verbose_ratelimit_burst", 0600, "messages",
	  "said in each verbose_ratelimit_interval_ms", number,
	  FIELD(uint, verbose_ratelimit_burst) },
	{ "task-filter", 0600, "", "Y: only tasks marked make-it-fail", truth,
	  FIELD(bool, task_filter) },
	{ "ignore-gfp-wait", 0600, "", "Y: requests that may sleep never fail",
	  truth, FIELD(bool, ignore_gfp_wait) },
	{ "cache-filter", 0600, "", "Y: only caches whose failslab file says 1",
	  truth, FIELD(bool, cache_filter) },
	{},
};

/* ---- the task ---- */
static int show_make_it_fail(const struct attr_file *f, FILE *out)
{
	struct slab_failslab copy;
	const bool *value = get(f, &copy);

	if (!value)
		return -EOPNOTSUPP;
	fprintf(out, "%d\n", *value);
	return 0;
}

static int store_make_it_fail(const struct attr_file *f, const char *text)
{
	struct slab_failslab copy;
	bool *value = get(f, &copy);
	int number, err = number_int(text, 0, &number);

	if (!err && number != 0 && number != 1)
		err = -EINVAL;
	if (!err)
		*value = number;
	return put(f, &copy, err);
}

static int store_fail_nth(const struct attr_file *f, const char *text)
{
	struct slab_failslab copy;
	unsigned long *value = get(f, &copy);
	unsigned int requests;
	int err = number_uint(text, 0, &requests);

	if (!err)
		*value = requests;
	return put(f, &copy, err);
}

const struct attr attr_task_rows[] = {
	{ "fail-nth", 0644, "requests",
	  "until one fails, whatever the other settings; 0: off or done",
	  number, show_ulong, store_fail_nth,
	  offsetof(struct slab_failslab, fail_nth) },
	{ "make-it-fail", 0644, "", "1: marked for failslab's task-filter",
	  "0 or 1", show_make_it_fail, store_make_it_fail,
	  offsetof(struct slab_failslab, task_make_it_fail) },
	{},
};
