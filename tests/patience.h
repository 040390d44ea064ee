/* SPDX-License-Identifier: MIT */
/*
 * tests/patience.h - how long is waited for what must come
 *
 * A host may be slow, emulated, or busy with something else. So no test says
 * how soon a thing comes: this limit only tells a hang from a wait. Where it is
 * a test's claim that nothing comes, either something holds it up, or the clock
 * is asked whether its time had come. SLAB_PATIENCE=SECONDS in the environment
 * is for those who expect a test to fail.
 */
#ifndef TESTS_PATIENCE_H
#define TESTS_PATIENCE_H

#include <stdlib.h>

/* Seconds; less than what ctest gives to a test. */
#define PATIENCE 200U

static inline unsigned int patience(void)
{
	const char *text = getenv("SLAB_PATIENCE");
	unsigned long n = text ? strtoul(text, NULL, 10) : 0;

	return n ? (unsigned int)n : PATIENCE;
}

#endif
