/* SPDX-License-Identifier: MIT */
/*
 * pool/malloc.c - the malloc that answers, and its word for giving back
 *
 * The library's own functions are weak here: which of them is there says who
 * it is. A row that is linked to a library, and gets glibc's malloc all the
 * same, is wrong: POOL_SYMBOL is the one that must be there.
 */
#define _GNU_SOURCE
#include <malloc.h>

#include "program/workload.h"

int mallctl(const char *name, void *oldp, size_t *oldlenp, void *newp,
	    size_t newlen) __attribute__((weak));
void MallocExtension_ReleaseFreeMemory(void) __attribute__((weak));
void mi_collect(bool force) __attribute__((weak));

void pool_start(void)
{
#ifdef POOL_SYMBOL
	if (!POOL_SYMBOL)
		die("the malloc is not the one this row is for");
#endif
}

pool_t pool_open(const struct pool_request *request)
{
	if (request->debug || request->with)
		die("malloc has neither letters nor settings of libslab");
	if (request->nr_pools > 1)
		die("malloc has no caches");
	return request->size;
}

void pool_enter(void)
{
}

void pool_leave(void)
{
}

void pool_trim(void)
{
	if (mallctl) /* 4096: every arena, in jemalloc 5 */
		mallctl("arena.4096.purge", NULL, NULL, NULL, 0);
	else if (MallocExtension_ReleaseFreeMemory)
		MallocExtension_ReleaseFreeMemory();
	else if (mi_collect)
		mi_collect(true);
	else
		malloc_trim(0);
}
