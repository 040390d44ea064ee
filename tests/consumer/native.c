/* SPDX-License-Identifier: MIT */
/*
 * consumer/native.c - a plain program: it makes no machine, it just allocates
 *
 * Threads take objects, mark them, hand them to each other through a ring, and
 * give back what others took: the inline paths of <slab/cache.h> in a program
 * of its own, on the library's data.
 */
#include <slab/kmalloc.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define THREADS 4
#define ROUNDS	50000
#define SLOTS	512

struct connection {
	uintptr_t self; /* who it is while somebody has it */
	unsigned char payload[184];
};

static struct kmem_cache *cache;
static struct connection *slots[SLOTS];

static const char *take_and_give(unsigned int round)
{
	struct connection *c, **slot = &slots[round * 2654435761U % SLOTS];

	c = kmem_cache_alloc(cache, GFP_KERNEL | __GFP_ZERO);
	if (!c)
		return "no object";
	if (c->self ||
	    memcmp(c->payload, c->payload + 1, sizeof(c->payload) - 1) != 0)
		return "an object is not zero";
	c->self = (uintptr_t)c;
	c = __atomic_exchange_n(slot, c, __ATOMIC_ACQ_REL);
	if (!c)
		return NULL;
	if (c->self != (uintptr_t)c)
		return "an object is handed out twice";
	c->self = 0;
	kmem_cache_free(cache, c);
	return NULL;
}

static void *work(void *arg)
{
	unsigned int round, first = (unsigned int)(uintptr_t)arg;
	const char *wrong = NULL;
	unsigned char *p;

	for (round = 0; round < ROUNDS && !wrong; round++) {
		wrong = take_and_give(first + round);
		p = kmalloc(round % 9000, GFP_KERNEL);
		if (!p)
			return (void *)"no memory";
		if (!ZERO_OR_NULL_PTR(p))
			memset(p, 1, round % 9000);
		if (round % 3)
			kfree(p);
		else if (!ZERO_OR_NULL_PTR(p))
			kfree_rcu(p, rcu);
	}
	return (void *)wrong;
}

int main(void)
{
	pthread_t threads[THREADS];
	unsigned int i, bad = 0;
	void *wrong;
	int left;

	cache = kmem_cache_create("connection", sizeof(struct connection), NULL,
				  SLAB_HWCACHE_ALIGN);
	if (!cache) {
		perror("no cache");
		return 1;
	}
	for (i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work,
			       (void *)(uintptr_t)(i * ROUNDS));
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &wrong);
		if (wrong) {
			printf("thread %u: %s\n", i, (char *)wrong);
			bad = 1;
		}
	}
	kvfree_rcu_barrier();
	for (i = 0; i < SLOTS; i++)
		if (slots[i])
			kmem_cache_free(cache, slots[i]);
	left = kmem_cache_destroy(cache);
	if (left) {
		printf("destroy gave %d, wanted 0\n", left);
		bad = 1;
	}
	if (!bad)
		puts("objects came and went between threads");
	return (int)bad;
}
