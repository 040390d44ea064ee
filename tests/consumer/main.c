/* SPDX-License-Identifier: MIT */
/*
 * consumer/main.c - a program of somebody else, built from what is installed
 */
#include <slab/cache.h>
#include <slab/machine.h>
#include <slab/report.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RING_SIZE 192

int main(void)
{
	struct slab_machine_config config = { .nr_cpus = 2 };
	struct slab_machine *m;
	struct kmem_cache *ring;
	char symbol[128];
	void *object;
	int err;

	err = slab_machine_create_virtual(&config, &m);
	if (err) {
		printf("no machine: %s\n", strerror(-err));
		return 1;
	}
	slab_machine_use(m);

	ring = kmem_cache_create("ring", RING_SIZE, NULL, SLAB_POISON);
	if (!ring) {
		printf("no cache: %s\n", strerror(errno));
		return 1;
	}
	if (kmem_cache_size(ring) != RING_SIZE) {
		printf("size is %u, wanted %d\n", kmem_cache_size(ring),
		       RING_SIZE);
		return 1;
	}

	object = kmem_cache_alloc(ring, GFP_KERNEL);
	if (!object) {
		printf("no object: %s\n", strerror(errno));
		return 1;
	}
	memset(object, 0, RING_SIZE);
	kmem_cache_free(ring, object);

	/* The one part that stands on elfutils: it wants linking too. */
	slab_symbol(m, (uintptr_t)main, symbol, sizeof(symbol));
	if (strncmp(symbol, "main+0x0/", 9) != 0) {
		printf("main is called %s, wanted main+0x0/...\n", symbol);
		return 1;
	}

	err = kmem_cache_destroy(ring);
	slab_machine_destroy(m);
	if (err) {
		printf("destroy gave %d, wanted 0\n", err);
		return 1;
	}
	puts("an object came and went");
	return 0;
}
