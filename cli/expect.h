/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * expect.h - what a failed expectation tells, and expectations of reports
 */
#ifndef CLI_EXPECT_H
#define CLI_EXPECT_H

#include <stdio.h>

#include "command.h"

/* Error code of a failed expectation: exit 1, a FAIL of its scenario. */
#define EXPECTATION "expectation"

/* Is the error that the interpreter holds a failed expectation? */
bool error_is_expectation(void);

/* "expect ..." is not so. */
int fail_expect(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Lines beside the message, written to f between open and close. */
struct detail {
	FILE *f;
	char *text;
	size_t size;
};

void detail_open(struct detail *d);
void detail_close(struct detail *d);
void tell_queue(FILE *f);
void tell_map(FILE *f, const char *cache_name);

int expect_report(const struct invocation *inv, struct model *out);
int expect_sheaf(const struct invocation *inv, struct model *out);
int expect_asan(const struct invocation *inv, struct model *out);
int expect_no_report(void);
int expect_expression(const struct invocation *inv, struct model *out);
/* Fails when a report is left that no expect took. */
int expect_nothing_left(void);

#endif
