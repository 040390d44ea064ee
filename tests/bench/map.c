/* SPDX-License-Identifier: MIT */
/*
 * tests/bench/map.c - what it costs to say where each object of a cache is
 *
 * For caches of 1e3 to 1e6 objects, half of them free: every slab and every
 * object's owner, as `slabctl map` asks. The cost per object should be flat.
 * The best of seven rounds; sizes take turns, so that a slow moment of the host
 * hits all alike.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <slab/inspect.h>
#include <slab/machine.h>

#define ROUNDS 7

static const size_t sizes[] = { 1000, 10000, 100000, 1000000 };
#define NR_SIZES (sizeof(sizes) / sizeof(sizes[0]))

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static struct kmem_cache *fill(size_t nr)
{
	struct kmem_cache *s = kmem_cache_create("conn", 64, NULL, 0);
	void **p = calloc(nr, sizeof(*p));
	size_t i;

	if (!s || !p)
		abort();
	for (i = 0; i < nr; i++) {
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
		if (!p[i])
			abort();
	}
	for (i = 0; i < nr; i += 2)
		kmem_cache_free(s, p[i]);
	free(p);
	return s;
}

/* Objects by owner, of all slabs; the sum of all is the answer's check. */
static size_t look(struct slab_target *t, struct kmem_cache *s,
		   size_t owned[SLAB_NR_OWNERS])
{
	struct slab_slab_info *slab;
	struct slab_object_info *object;
	size_t nr_slabs, nr, i, k, total = 0;

	if (slab_target_slabs(t, (uintptr_t)s, &slab, &nr_slabs))
		abort();
	for (i = 0; i < nr_slabs; i++) {
		if (slab_target_objects(t, (uintptr_t)s, slab[i].nr, &object,
					&nr))
			abort();
		for (k = 0; k < nr; k++)
			owned[object[k].owner]++;
		total += nr;
		free(object);
	}
	free(slab);
	return total;
}

static double round_of(size_t nr, size_t *ret_users)
{
	size_t owned[SLAB_NR_OWNERS] = { 0 }, total;
	struct slab_machine *m;
	struct slab_target *t;
	struct kmem_cache *s;
	double start, took;

	if (slab_machine_create_virtual(NULL, &m))
		abort();
	slab_machine_use(m);
	s = fill(nr);
	if (slab_target_open_self(m, &t))
		abort();
	start = now_ns();
	total = look(t, s, owned);
	took = now_ns() - start;
	slab_target_close(t);
	slab_machine_destroy(m);
	*ret_users = owned[SLAB_OWNER_USER];
	return took / (double)total;
}

int main(void)
{
	double best[NR_SIZES] = { 0 };
	size_t users[NR_SIZES], i;
	int r;

	for (r = 0; r < ROUNDS; r++) {
		for (i = 0; i < NR_SIZES; i++) {
			double ns = round_of(sizes[i], &users[i]);

			if (!r || ns < best[i])
				best[i] = ns;
		}
	}
	printf("%10s %10s %14s %8s\n", "objects", "in use", "ns per object",
	       "ratio");
	for (i = 0; i < NR_SIZES; i++)
		printf("%10zu %10zu %14.1f %8.2f\n", sizes[i], users[i],
		       best[i], best[i] / best[0]);
	return 0;
}
