/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * asan.h - is this a build with AddressSanitizer, and what is it about?
 */
#ifndef CLI_ASAN_H
#define CLI_ASAN_H

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#ifndef HAS_ASAN
#define HAS_ASAN 0
#endif

#include <stddef.h>
#include <stdint.h>

/* A native machine's memory: reports on it are answers. */
#if HAS_ASAN
void asan_answers_for(uintptr_t base, size_t bytes);
#else
static inline void asan_answers_for(uintptr_t base, size_t bytes)
{
	(void)base, (void)bytes;
}
#endif

#endif
