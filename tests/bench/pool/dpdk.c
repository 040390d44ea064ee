/* SPDX-License-Identifier: MIT */
/*
 * pool/dpdk.c - a mempool of as many objects as can be live, cache 512
 *
 * Without hugepages and without devices, as a program that only wants the pool
 * would have it. All of its memory is there from the start: W7 says nothing.
 */
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>

#include "program/workload.h"

#define CACHE_SIZE RTE_MEMPOOL_CACHE_MAX_SIZE /* 512 */

void pool_start(void)
{
	/* It takes an argv, which it may change. */
	static char words[][16] = { "bench",
				    "--no-huge",
				    "-m",
				    "256",
				    "--no-shconf",
				    "--no-pci",
				    "--no-telemetry",
				    "--log-level",
				    "1" };
	enum { NR = sizeof(words) / sizeof(words[0]) };
	char *args[NR + 1] = { NULL };

	for (int i = 0; i < NR; i++)
		args[i] = words[i];
	if (rte_eal_init(NR, args) < 0)
		die("DPDK does not start: %s", rte_strerror(rte_errno));
}

pool_t pool_open(const struct pool_request *request)
{
	/* Caches of other threads may hold so many that nobody can have. */
	unsigned int nr = (unsigned int)request->nr_live + 64 * CACHE_SIZE;
	struct rte_mempool *pool;

	if (request->debug || request->nr_pools > 1)
		die("a mempool has no debugging, and is one here");
	pool = rte_mempool_create("bench", nr, (unsigned int)request->size,
				  CACHE_SIZE, 0, NULL, NULL, NULL, NULL,
				  SOCKET_ID_ANY, 0);
	if (!pool)
		die("no mempool of %u: %s", nr, rte_strerror(rte_errno));
	return pool;
}

/* A thread without an lcore has no cache. */
void pool_enter(void)
{
	if (rte_thread_register())
		die("DPDK takes no more threads: %s", rte_strerror(rte_errno));
}

void pool_leave(void)
{
	rte_thread_unregister();
}

void pool_trim(void)
{
}
