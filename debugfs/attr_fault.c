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
#include <slab/machine.h>

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

/* ---- the machine; arg: offset in struct slab_faults ---- */
/* The row's field of a copy; NULL: the target has no live machine. */
static void *get(const struct attr_file *f, struct slab_faults *copy)
{
	if (!f->machine)
		return NULL;
	slab_faults_get(f->machine, copy);
	return (char *)copy + f->attr->arg;
}

/* Takes the copy, unless its new value could not be read. */
static int put(const struct attr_file *f, const struct slab_faults *copy,
	       int err)
{
	if (!err)
		slab_faults_set(f->machine, copy);
	return err;
}

static int show_ulong(const struct attr_file *f, FILE *out)
{
	struct slab_faults copy;
	const unsigned long *value = get(f, &copy);

	if (!value)
		return -EOPNOTSUPP;
	fprintf(out, "%lu\n", *value);
	return 0;
}

static int store_ulong(const struct attr_file *f, const char *text)
{
	struct slab_faults copy;

	return put(f, &copy, number_ulong(text, 0, get(f, &copy)));
}

static int show_uint(const struct attr_file *f, FILE *out)
{
	struct slab_faults copy;
	const unsigned int *value = get(f, &copy);

	if (!value)
		return -EOPNOTSUPP;
	fprintf(out, "%u\n", *value);
	return 0;
}

static int store_uint(const struct attr_file *f, const char *text)
{
	struct slab_faults copy;

	return put(f, &copy, number_uint(text, 0, get(f, &copy)));
}

static int show_int(const struct attr_file *f, FILE *out)
{
	struct slab_faults copy;
	const int *value = get(f, &copy);

	if (!value)
		return -EOPNOTSUPP;
	fprintf(out, "%d\n", *value);
	return 0;
}

static int store_int(const struct attr_file *f, const char *text)
{
	struct slab_faults copy;

	return put(f, &copy, number_int(text, 0, get(f, &copy)));
}

static int show_bool(const struct attr_file *f, FILE *out)
{
	struct slab_faults copy;
	const bool *value = get(f, &copy);

	if (!value)
		return -EOPNOTSUPP;
	fputs(*value ? "Y\n" : "N\n", out);
	return 0;
}

static int store_bool(const struct attr_file *f, const char *text)
{
	struct slab_faults copy;

	return put(f, &copy, number_bool(text, get(f, &copy)));
}

/* As the machine prints addresses: call sites are the same in each slot. */
static int show_address(const struct attr_file *f, FILE *out)
{
	struct slab_faults copy;
	const uintptr_t *value = get(f, &copy);

	if (!value)
		return -EOPNOTSUPP;
	fprintf(out, "0x%016lx\n",
		slab_machine_print_address(f->machine, *value));
	return 0;
}

static int store_address(const struct attr_file *f, const char *text)
{
	struct slab_faults copy;
	uintptr_t *value = get(f, &copy);
	unsigned long printed;
	int err = number_ulong(text, 0, &printed);

	if (!err)
		*value = slab_machine_parse_address(f->machine, printed);
	return put(f, &copy, err);
}

#define FIELD(type, field) \
	show_##type, store_##type, offsetof(struct slab_faults, field)

static const char number[] = "a number from 0";
static const char truth[] = "Y or N";
static const char address[] = "an address";

/* What the directory of each has that asks the engine. */
/* clang-format off */
#define ATTR_ROWS(point, unit)                                                \
	{ "probability", 0600, "percent",                                     \
	  "of the requests that fail; 0: none, 100: all", number,             \
	  FIELD(ulong, point.attr.probability) },                             \
	{ "interval", 0600, "requests", "only every so many may fail",        \
	  number, FIELD(ulong, point.attr.interval) },                        \
	{ "times", 0600, "failures",                                          \
	  "how many there may still be; -1: no end",                          \
	  "a number, -1 for no end", FIELD(int, point.attr.times) },          \
	{ "space", 0600, unit, "that are handed out before anything fails",   \
	  "a number", FIELD(int, point.attr.space) },                         \
	{ "verbose", 0600, "",                                                \
	  "0 says nothing, 1 a message a failure, 2 with a stack", number,    \
	  FIELD(ulong, point.attr.verbose) },                                 \
	{ "verbose_ratelimit_interval_ms", 0600, "ms",                        \
	  "in which verbose_ratelimit_burst messages are said; 0: all",       \
	  number, FIELD(uint, point.attr.verbose_ratelimit_interval_ms) },    \
	{ "verbose_ratelimit_burst", 0600, "messages",                        \
	  "said in each verbose_ratelimit_interval_ms", number,               \
	  FIELD(uint, point.attr.verbose_ratelimit_burst) },                  \
	{ "task-filter", 0600, "", "Y: only tasks marked make-it-fail",       \
	  truth, FIELD(bool, point.attr.task_filter) },                       \
	{ "stacktrace-depth", 0600, "callers",                                \
	  "that the four below look at, innermost first",                     \
	  "a number; 32 is the most",                                         \
	  FIELD(ulong, point.attr.stacktrace_depth) },                        \
	{ "require-start", 0600, "",                                          \
	  "some caller is from here on, or the request does not fail",        \
	  address, FIELD(address, point.attr.require_start) },                \
	{ "require-end", 0600, "", "and below this", address,                 \
	  FIELD(address, point.attr.require_end) },                           \
	{ "reject-start", 0600, "",                                           \
	  "if a caller is from here on, the request does not fail", address,  \
	  FIELD(address, point.attr.reject_start) },                          \
	{ "reject-end", 0600, "", "and below this", address,                  \
	  FIELD(address, point.attr.reject_end) },                            \
	{ "ignore-gfp-wait", 0600, "",                                        \
	  "Y: requests that may sleep never fail", truth,                     \
	  FIELD(bool, point.ignore_gfp_wait) }
/* clang-format on */

const struct attr attr_failslab_rows[] = {
	ATTR_ROWS(failslab, "bytes"),
	{ "cache-filter", 0600, "", "Y: only caches whose failslab file says 1",
	  truth, FIELD(bool, failslab.cache_filter) },
	{},
};

const struct attr attr_fail_page_alloc_rows[] = {
	ATTR_ROWS(fail_page_alloc, "pages"),
	{ "ignore-gfp-highmem", 0600, "",
	  "Y: requests that high memory may serve never fail", truth,
	  FIELD(bool, fail_page_alloc.ignore_gfp_highmem) },
	{ "min-order", 0600, "order", "requests of a smaller one never fail",
	  number, FIELD(uint, fail_page_alloc.min_order) },
	{},
};

/* ---- the task ---- */
static int show_make_it_fail(const struct attr_file *f, FILE *out)
{
	struct slab_faults copy;
	const bool *value = get(f, &copy);

	if (!value)
		return -EOPNOTSUPP;
	fprintf(out, "%d\n", *value);
	return 0;
}

static int store_make_it_fail(const struct attr_file *f, const char *text)
{
	struct slab_faults copy;
	bool *value = get(f, &copy);
	int number, err = number_int(text, 0, &number);

	if (!err && number != 0 && number != 1)
		err = -EINVAL;
	if (!err)
		*value = number;
	return put(f, &copy, err);
}

const struct attr attr_task_rows[] = {
	{ "fail-nth", 0644, "requests",
	  "of objects or pages until one fails, whatever the other settings; "
	  "0: off or done",
	  number, FIELD(uint, task.fail_nth) },
	{ "make-it-fail", 0644, "", "1: marked for the task-filter files",
	  "0 or 1", show_make_it_fail, store_make_it_fail,
	  offsetof(struct slab_faults, task.make_it_fail) },
	{},
};
