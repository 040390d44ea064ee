/* SPDX-License-Identifier: MIT */
/*
 * debug/asan.h - tell AddressSanitizer which bytes users may touch
 *
 *	slab made: nothing   object out: its bytes   object back: nothing
 *
 * Our own accesses go through base/bytes.h, which it does not watch. Its
 * reports on a machine's bytes are followed by one of ours, and when the
 * program was built and told so (-fsanitize-recover=address, halt_on_error=0)
 * the machine goes on. Builds without it, and machines with asan_off: nothing.
 */
#ifndef SLAB_DEBUG_ASAN_H
#define SLAB_DEBUG_ASAN_H

#include "debug/check.h"

#if defined(__SANITIZE_ADDRESS__)
#define SLAB_HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLAB_HAS_ASAN 1
#endif
#endif

#ifdef SLAB_HAS_ASAN
void asan_slab_new(struct kmem_cache *s, uintptr_t base, size_t bytes);
void asan_pages_free(struct slab_machine *m, uintptr_t base, size_t bytes);
/* n bytes from object on are the user's; the rest of the slot is nobody's. */
void asan_object_alloc(struct kmem_cache *s, void *object, size_t n);
/* False when it was nobody's already: freed twice. */
bool asan_object_free(struct kmem_cache *s, void *object);
/* False, and reported, when its first byte is nobody's: freed before. */
bool asan_may_touch(const void *object);
/* Catches its reports from now on; harmless when done twice. */
void asan_watch(void);
/* Does it watch this machine's objects? */
static inline bool asan_watches(const struct slab_machine *m)
{
	return !m->config.asan_off;
}
#else
static inline void asan_slab_new(struct kmem_cache *s, uintptr_t base,
				 size_t bytes)
{
	(void)s, (void)base, (void)bytes;
}
static inline void asan_pages_free(struct slab_machine *m, uintptr_t base,
				   size_t bytes)
{
	(void)m, (void)base, (void)bytes;
}
static inline void asan_object_alloc(struct kmem_cache *s, void *object,
				     size_t n)
{
	(void)s, (void)object, (void)n;
}
static inline bool asan_object_free(struct kmem_cache *s, void *object)
{
	(void)s, (void)object;
	return true;
}
static inline bool asan_may_touch(const void *object)
{
	(void)object;
	return true;
}
static inline void asan_watch(void)
{
}
static inline bool asan_watches(const struct slab_machine *m)
{
	(void)m;
	return false;
}
#endif

#endif
