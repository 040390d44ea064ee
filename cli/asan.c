/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * asan.c - in builds with AddressSanitizer: a report on a machine's bytes is
 * an answer, not the end
 *
 * The library's report says it with cache, object and tracks. The runtime's 40
 * lines would add this program's own stack: they are for who set ASAN_OPTIONS,
 * and for bugs of slabctl itself, which end it as ever. Leaks are the
 * sanitizer's least concern here: a machine that ends takes its memory along.
 */
#include "asan.h"

#if HAS_ASAN

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <sanitizer/asan_interface.h>
#include <slab/machine.h>

#define HOOK __attribute__((visibility("default")))

/* Read before main; what ASAN_OPTIONS says comes after it. */
HOOK const char *__asan_default_options(void)
{
	return "halt_on_error=0:suppress_equal_pcs=0:detect_leaks=0:"
	       "print_summary=0:print_legend=0";
}

static int nowhere = -1;

static void be_quiet(void)
{
	__sanitizer_set_report_fd((void *)(intptr_t)nowhere);
}

/* The runtime closes a file that its parent process opened. */
__attribute__((constructor)) static void be_quiet_from_now_on(void)
{
	if (getenv("ASAN_OPTIONS"))
		return;
	nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (nowhere < 0)
		return;
	be_quiet();
	pthread_atfork(NULL, NULL, be_quiet);
}

static void die(const char *text)
{
	(void)text;
	abort();
}

static uintptr_t native_base;
static size_t native_bytes;

void asan_answers_for(uintptr_t base, size_t bytes)
{
	native_base = base;
	native_bytes = bytes;
}

HOOK void __asan_on_error(void)
{
	uintptr_t address = (uintptr_t)__asan_get_report_address();

	if (address - SLAB_SLOT_BASE < SLAB_NR_SLOTS * SLAB_SLOT_SIZE ||
	    address - native_base < native_bytes)
		return;
	if (nowhere >= 0)
		__sanitizer_set_report_fd((void *)(intptr_t)STDERR_FILENO);
	__asan_set_error_report_callback(die);
}

#else
typedef int nothing_here; /* a unit must not be empty */
#endif
