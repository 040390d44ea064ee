/* SPDX-License-Identifier: MIT */
/* pool/bound_calls.c - the fast paths as functions of a shared library */
#include "pool/bound_cache.h"

void *bound_call_alloc(struct bound_cache *s);
void bound_call_free(struct bound_cache *s, void *p);

void *bound_call_alloc(struct bound_cache *s)
{
	return bound_alloc(s);
}

void bound_call_free(struct bound_cache *s, void *p)
{
	bound_free(s, p);
}
