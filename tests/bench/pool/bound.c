/* SPDX-License-Identifier: MIT */
/* pool/bound.c - the bound as a row */
#include "program/workload.h"
#include "pool/bound_cache.h"

void pool_start(void)
{
}

pool_t pool_open(const struct pool_request *request)
{
	if (request->debug || request->with)
		die("the bound checks nothing and has no settings");
	return bound_create(request->size);
}

void pool_enter(void)
{
}

void pool_leave(void)
{
}

void pool_trim(void)
{
}
