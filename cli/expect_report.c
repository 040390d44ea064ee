/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * expect_report.c - which report fits a wish, and what to tell when none does
 *
 * An expectation takes the oldest report that fits. What nobody takes fails the
 * scenario at its end.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "expect.h"
#include "names.h"
#include "output.h"
#include "picture.h"
#include "report_queue.h"

/* ---- what is told beside the message ---- */

void detail_open(struct detail *d)
{
	d->f = open_memstream(&d->text, &d->size);
	if (!d->f)
		die_no_memory();
}

void detail_close(struct detail *d)
{
	fclose(d->f);
	free(session.error.detail);
	session.error.detail = d->text;
}

int fail_expect(const char *format, ...)
{
	char text[768];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	return fail_answer(EXPECTATION, NULL, "expect %s", text);
}

void tell_queue(FILE *f)
{
	struct queued_report *q;
	char name[NAME_SIZE], command[700];
	size_t i, nr = report_queue_nr(session.reports);

	if (!nr)
		fputs("  no report was made\n", f);
	for (i = 0; i < nr && i < 20; i++) {
		q = report_queue_at(session.reports, i);
		fprintf(f, "  report %u%s: %s  %s  at %s\n", q->report.number,
			q->is_taken ? " (taken)" : "", report_title(&q->report),
			report_place(&q->report, name),
			report_command(q, command, sizeof(command)));
	}
	if (nr > i)
		fprintf(f, "  and %zu more\n", nr - i);
}

void tell_map(FILE *f, const char *cache_name)
{
	struct look look = { .width = 80, .max_rows = 12, .is_ascii = true };
	struct slab_cache_info cache;
	struct model *m;

	if (!*cache_name ||
	    slab_target_cache(session.target, cache_name, &cache))
		return;
	m = model_new(&map_returns);
	if (!picture_map(m, &cache, 0))
		render_text(m, f, &look);
	model_put(m);
}

/* ---- expect report ---- */

struct wish {
	const char *key;   /* NULL: the title */
	bool is_asan;	   /* of the title: a sanitizer's report */
	char wanted[160];  /* as it is compared and shown */
	const char *given; /* as it was typed */
};

#define MAX_WISHES 10

/* The key's value in a report, written as the wish is. */
static const char *field_text(const struct queued_report *q, const char *key,
			      char *buf, size_t size)
{
	const struct slab_report *r = &q->report;
	char name[NAME_SIZE];
	const struct queued_fix *f;

	*buf = '\0';
	if (!key) {
		snprintf(buf, size, "%s", report_title(r));
	} else if (!strcmp(key, "cache")) {
		snprintf(buf, size, "%s", r->cache);
	} else if (!strcmp(key, "object")) {
		snprintf(buf, size, "%s", report_place(r, name));
	} else if (!strcmp(key, "at")) {
		uintptr_t at = r->nr_touched ? r->touched : r->first;

		snprintf(buf, size, "%s", at ? address_text(at) : "no byte");
	} else if (!strcmp(key, "found") && r->last) {
		snprintf(buf, size, "0x%02x", r->found);
	} else if (!strcmp(key, "wanted") && r->last) {
		snprintf(buf, size, "0x%02x", r->wanted);
	} else if (!strcmp(key, "fix")) {
		for (f = q->fixes; f; f = f->next)
			snprintf(buf + strlen(buf), size - strlen(buf), "%s%s",
				 *buf ? "; " : "", f->text);
	}
	return *buf ? buf : "none";
}

static bool wish_fits(const struct wish *w, const struct queued_report *q)
{
	char text[1024];

	if (!w->key)
		return report_has_text(&q->report, w->wanted) &&
		       (!w->is_asan || q->report.kind == SLAB_REPORT_ASAN);
	field_text(q, w->key, text, sizeof(text));
	if (!strcmp(w->key, "fix"))
		return strstr(text, w->wanted);
	return !strcmp(text, w->wanted);
}

/* $b.slab by its text alone: damage may have made the slab unrecognisable. */
static bool read_slab_name(const char *given, char *name)
{
	char object[NAME_SIZE], cache[NAME_SIZE];
	size_t n = strlen(given);
	unsigned int nr;
	long index;

	if (n < 5 || n - 5 >= sizeof(object) || strcmp(given + n - 5, ".slab"))
		return false;
	snprintf(object, sizeof(object), "%.*s", (int)(n - 5), given);
	if (!name_split(object, cache, sizeof(cache), &nr, &index))
		return false;
	slot_name(cache, nr, -1, name);
	return true;
}

static int read_wish(const struct invocation *inv, const char *key,
		     struct wish *w)
{
	const char *given = arg_word(inv, key);
	struct slab_address_info info;
	unsigned int nr;
	uintptr_t address;
	char name[NAME_SIZE];
	uint64_t byte;
	long index;

	w->key = key;
	w->given = given;
	if (!strcmp(key, "found") || !strcmp(key, "wanted")) {
		if (number_parse(key, given, 255, &byte))
			return -EINVAL;
		snprintf(w->wanted, sizeof(w->wanted), "0x%02x",
			 (unsigned int)byte);
	} else if (!strcmp(key, "at")) {
		if (place_address(given, &address))
			return -EINVAL;
		snprintf(w->wanted, sizeof(w->wanted), "%s",
			 address_text(address));
	} else if (!strcmp(key, "object") && read_slab_name(given, name)) {
		snprintf(w->wanted, sizeof(w->wanted), "%s", name);
	} else if (!strcmp(key, "object") &&
		   !name_split(given, name, sizeof(name), &nr, &index)) {
		if (place_address(given, &address))
			return -EINVAL;
		if (!slab_target_identify(inv->target, address, &info) &&
		    info.is_slab && address == info.slab.base)
			slot_name(info.cache.name, info.slab.nr, -1, name);
		else
			object_name(address, name);
		snprintf(w->wanted, sizeof(w->wanted), "%s", name);
	} else {
		snprintf(w->wanted, sizeof(w->wanted), "%s", given);
	}
	return 0;
}

static size_t nr_fitting(const struct wish *w, size_t nr,
			 const struct queued_report *q)
{
	size_t i, fits = 0;

	for (i = 0; i < nr; i++)
		fits += wish_fits(&w[i], q);
	return fits;
}

/* The report that fits most, field by field, what differs marked with >. */
static void tell_nearest(FILE *f, const struct wish *w, size_t nr)
{
	struct queued_report *q, *best = NULL;
	size_t i, most = 0;
	char text[1024];

	for (i = 0; (q = report_queue_at(session.reports, i)); i++) {
		size_t fits = 2 * nr_fitting(w, nr, q) + !q->is_taken;

		if (!best || fits > most) {
			best = q;
			most = fits;
		}
	}
	if (!best)
		return;
	fprintf(f, "  nearest: report %u%s\n", best->report.number,
		best->is_taken ? ", which an expect took already" : "");
	for (i = 0; i < nr; i++) {
		bool fits = wish_fits(&w[i], best);

		fprintf(f, "  %s %-7s %s", fits ? " " : ">",
			w[i].key ? w[i].key : "title",
			field_text(best, w[i].key, text, sizeof(text)));
		if (!fits)
			fprintf(f, "   expected %s", w[i].wanted);
		fputc('\n', f);
	}
}

static void wish_text(const struct wish *w, size_t nr, char *buf, size_t size)
{
	size_t i, used;

	used = (size_t)snprintf(buf, size, "%s \"%.120s\"",
				w[0].is_asan ? "asan" : "report", w[0].wanted);
	for (i = 1; i < nr && used < size; i++)
		used += (size_t)snprintf(buf + used, size - used, " %s=%s",
					 w[i].key, w[i].given);
}

static int fail_report(const struct wish *w, size_t nr, size_t fitting,
		       uint64_t times)
{
	struct queued_report *q;
	const char *cache = "";
	struct detail d;
	char text[600];
	size_t i;

	wish_text(w, nr, text, sizeof(text));
	if (times)
		fail_expect("%s times=%llu: %zu reports fit", text,
			    (unsigned long long)times, fitting);
	else
		fail_expect("%s: no report fits", text);
	detail_open(&d);
	tell_queue(d.f);
	tell_nearest(d.f, w, nr);
	for (i = 0; i < nr; i++) {
		if (w[i].key && !strcmp(w[i].key, "cache"))
			cache = w[i].wanted;
	}
	q = report_queue_at(session.reports,
			    report_queue_nr(session.reports) - 1);
	if (!*cache && q)
		cache = q->report.cache;
	tell_map(d.f, cache);
	detail_close(&d);
	return -EINVAL;
}

static int expect_one(const struct invocation *inv, bool is_asan)
{
	static const char *const keys[] = { "cache", "object", "at",
					    "found", "wanted", "fix" };
	struct wish w[MAX_WISHES] = { { .given = arg_word(inv, "TEXT"),
					.is_asan = is_asan } };
	struct queued_report *q;
	size_t nr = 1, i, fitting = 0;
	uint64_t times = 0;

	snprintf(w[0].wanted, sizeof(w[0].wanted), "%s", w[0].given);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (arg_given(inv, keys[i]) &&
		    read_wish(inv, keys[i], &w[nr++]))
			return -EINVAL;
	}
	if (arg_number(inv, "times", UINT32_MAX, &times))
		return -EINVAL;
	if (arg_given(inv, "times") && !times)
		return fail("value", "expect no report",
			    "expect report: times=0 is not to expect it");
	for (i = 0; (q = report_queue_at(session.reports, i)); i++) {
		if (q->is_taken || nr_fitting(w, nr, q) != nr)
			continue;
		fitting++;
		if (!times) {
			q->is_taken = true;
			return 0;
		}
	}
	if (!times || fitting != times)
		return fail_report(w, nr, fitting, times);
	for (i = 0; (q = report_queue_at(session.reports, i)); i++) {
		if (!q->is_taken && nr_fitting(w, nr, q) == nr)
			q->is_taken = true;
	}
	return 0;
}

int expect_report(const struct invocation *inv, struct model *out)
{
	(void)out;
	return expect_one(inv, false);
}

int expect_asan(const struct invocation *inv, struct model *out)
{
	(void)out;
	return expect_one(inv, true);
}

int expect_nothing_left(void)
{
	size_t nr = report_queue_leftover(session.reports);
	struct queued_report *q;
	struct detail d;

	if (!nr)
		return 0;
	fail_answer(EXPECTATION,
		    "expect report \"...\" takes one; allow report \"...\" "
		    "does not mind it",
		    "%zu report%s that nothing expected", nr,
		    nr == 1 ? "" : "s");
	detail_open(&d);
	tell_queue(d.f);
	q = report_queue_at(session.reports,
			    report_queue_nr(session.reports) - 1);
	if (q)
		tell_map(d.f, q->report.cache);
	detail_close(&d);
	return -EINVAL;
}

int expect_no_report(void)
{
	struct detail d;
	size_t nr = report_queue_leftover(session.reports);

	if (!nr)
		return 0;
	fail_expect("no report: there %s %zu", nr == 1 ? "is" : "are", nr);
	detail_open(&d);
	tell_queue(d.f);
	detail_close(&d);
	return -EINVAL;
}
