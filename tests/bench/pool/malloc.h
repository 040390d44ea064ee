/* SPDX-License-Identifier: MIT */
/* pool/malloc.h - malloc and free of whatever library the program is linked
 * to; compiled with -fno-builtin, or a pair of both would be nothing */
#include <stdlib.h>

typedef size_t pool_t;

static inline void *pool_alloc(pool_t size)
{
	return malloc(size);
}

static inline void pool_free(pool_t size, void *p)
{
	(void)size;
	free(p);
}
