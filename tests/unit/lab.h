/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/lab.h - a fresh virtual machine for each test, and what it said
 *
 * Every record goes to lab.records; the printed lines to lab.text.
 */
#ifndef TESTS_UNIT_LAB_H
#define TESTS_UNIT_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <slab/debug.h>
#include <slab/event.h>
#include <slab/kmalloc.h>
#include <slab/machine.h>
#include <slab/report.h>

#define LAB_RECORDS 512

/* A plain cache with this flag has no sheaves: what is done to it is done to
 * its slabs. */
#define NO_SHEAVES SLAB_NOLEAKTRACE

struct lab {
	struct slab_machine *m;
	struct slab_report records[LAB_RECORDS];
	unsigned int nr_records; /* of reports and fixes */
	unsigned int nr_notes, nr_traces;
	unsigned int events[SLAB_NR_EVENTS];
};

static struct lab lab;

static inline void lab_sink(void *arg, const struct slab_report *r)
{
	(void)arg;
	if (r->record == SLAB_RECORD_NOTE)
		lab.nr_notes++;
	else if (r->record == SLAB_RECORD_TRACE)
		lab.nr_traces++;
	else if (lab.nr_records < LAB_RECORDS)
		lab.records[lab.nr_records++] = *r;
}

static inline void lab_event(void *arg, const struct slab_event *event)
{
	(void)arg;
	lab.events[event->kind]++;
}

static inline void lab_open(const struct slab_machine_config *config)
{
	struct slab_machine_config c = { 0 };

	if (config)
		c = *config;
	/* tests do on purpose what it would report */
	c.asan_off = true;
	assert_int_equal(slab_machine_create_virtual(&c, &lab.m), 0);
	assert_int_equal(slab_machine_add_sink(lab.m, lab_sink, NULL), 0);
	slab_machine_set_event_hook(lab.m, lab_event, NULL);
	slab_machine_use(lab.m);
}

static inline int lab_setup(void **state)
{
	(void)state;
	memset(&lab, 0, sizeof(lab));
	lab_open(&(struct slab_machine_config){ .seed = 1 });
	return 0;
}

static inline int lab_setup_hardened(void **state)
{
	(void)state;
	memset(&lab, 0, sizeof(lab));
	lab_open(&(struct slab_machine_config){ .seed = 1,
						.freelist_hardened = true,
						.freelist_random = true });
	return 0;
}

static inline int lab_teardown(void **state)
{
	(void)state;
	slab_machine_destroy(lab.m);
	lab.m = NULL;
	return 0;
}

/* The same test gets another machine. */
static inline void lab_reopen(const struct slab_machine_config *config)
{
	slab_machine_destroy(lab.m);
	memset(&lab, 0, sizeof(lab));
	lab_open(config);
}

static inline void lab_forget(void)
{
	lab.nr_records = 0;
	slab_machine_clear_errors(lab.m);
}

/*
 * The records since the last lab_forget(), in order, as "title; FIX text; ..."
 * without addresses: what a test compares.
 */
static inline const char *lab_said(void)
{
	static char text[8192];
	unsigned int i;

	text[0] = '\0';
	for (i = 0; i < lab.nr_records; i++) {
		const struct slab_report *r = &lab.records[i];
		size_t n = strlen(text);
		const char *fix[] = {
#define FIX(id, t, s) #id,
#include <slab/fixes.def>
#undef FIX
		};

		snprintf(text + n, sizeof(text) - n, "%s%s%s", n ? "; " : "",
			 r->record == SLAB_RECORD_FIX ? "FIX " : "",
			 r->record == SLAB_RECORD_FIX ?
				 fix[r->fix - 1] :
				 slab_report_row(r->kind)->title);
	}
	return text;
}

/* SLAB_TEST=name runs that one alone. */
static __attribute__((constructor)) void lab_only(void)
{
	const char *name = getenv("SLAB_TEST");

	if (name)
		cmocka_set_test_filter(name);
}

#define lab_test(name) \
	cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)
#define lab_test_hardened(name) \
	cmocka_unit_test_setup_teardown(name, lab_setup_hardened, lab_teardown)

#endif
