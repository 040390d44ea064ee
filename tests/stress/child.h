/* SPDX-License-Identifier: MIT */
/*
 * tests/stress/child.h - a machine of its own for each test
 *
 * A process has one native machine, and what a sandbox forbids stays
 * forbidden, so each test's body runs in a child. WANT() there says what was
 * found and what was wanted, and ends the child.
 */
#ifndef TESTS_STRESS_CHILD_H
#define TESTS_STRESS_CHILD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../patience.h"

static inline void want(const char *file, int line, const char *what,
			long found, long wanted)
{
	if (found == wanted)
		return;
	fprintf(stderr, "%s:%d: %s: found %ld, wanted %ld\n", file, line, what,
		found, wanted);
	_exit(1);
}
#define WANT(found, wanted) \
	want(__FILE__, __LINE__, #found, (long)(found), (long)(wanted))

/* What can not be tried here. */
#define CHILD_SKIPS 77

static inline void in_child(void (*body)(void))
{
	pid_t child = fork();
	int status = 0;

	if (!child) {
		alarm(patience());
		body();
		_exit(0);
	}
	assert_true(child > 0);
	while (waitpid(child, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	if (WIFSIGNALED(status))
		fail_msg("the child died of signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status) == CHILD_SKIPS)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

#endif
