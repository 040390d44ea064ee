/* SPDX-License-Identifier: MIT */
/* pool/empty.c - the one object that empty_alloc() hands out */
#include "program/workload.h"

void pool_start(void)
{
}

pool_t pool_open(const struct pool_request *request)
{
	if (request->nr_live > 1)
		die("there is but one object: W1 alone");
	return harness_memory(request->size);
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
