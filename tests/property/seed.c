/* SPDX-License-Identifier: MIT */
/* tests/property/seed.c - what a seed chooses: the machine, and each op */
#include "property.h"

#include "base/random.h"

struct settings settings_for(uint64_t seed)
{
	static const char *const debug[] = {
		/* half of them with sheaves in most caches */
		NULL, NULL, NULL, NULL, NULL, NULL, "-", "F", "Z", "P", "U", "FZPU",
		"FZPU,kmalloc-*", "ZU,kmalloc-*;P,c1", "O", "FZPUO",
	};
	struct random r = { seed };
	struct settings s = { .seed = seed };

	s.cpus = 1 + (unsigned int)random_below(&r, 4);
	/* slabctl wants a CPU for each node */
	s.nodes = 1 + (unsigned int)random_below(&r, s.cpus < 3 ? s.cpus : 3);
	s.pages = random_below(&r, 4) ? 0 : 150 + random_below(&r, 400);
	s.reserve = s.pages && random_below(&r, 2) ? 32 : 0;
	s.slab_debug = debug[random_below(&r, sizeof(debug) / sizeof(*debug))];
	s.hardened = random_below(&r, 2);
	s.random = random_below(&r, 2);
	s.init_on_alloc = !random_below(&r, 4);
	s.init_on_free = !random_below(&r, 4);
	return s;
}

/* How often, while a world fills and while it empties. */
static const unsigned char weights[NR_OPS][2] = {
	[OP_CREATE] = { 12, 6 },    [OP_DESTROY] = { 2, 12 },
	[OP_SHRINK] = { 2, 4 },	    [OP_VALIDATE] = { 2, 2 },
	[OP_VERIFY] = { 1, 1 },	    [OP_MIN_PARTIAL] = { 1, 1 },
	[OP_ALLOC] = { 60, 20 },    [OP_FREE] = { 25, 70 },
	[OP_BULK_ALLOC] = { 6, 2 }, [OP_BULK_FREE] = { 2, 8 },
	[OP_DRAIN] = { 1, 5 },	    [OP_WRITE] = { 10, 10 },
	[OP_KMALLOC] = { 30, 10 },
	[OP_KREALLOC] = { 10, 10 },
	[OP_KSIZE] = { 3, 3 },	    [OP_KFREE_RCU] = { 5, 10 },
	[OP_RCU_TICK] = { 2, 3 },   [OP_CPU] = { 3, 3 },
	[OP_FAIL_NTH] = { 1, 1 },
	[OP_PREFILL] = { 3, 2 },    [OP_LENT_ALLOC] = { 20, 8 },
	[OP_LENT_REFILL] = { 2, 1 }, [OP_LENT_RETURN] = { 2, 5 },
	[OP_CPU_ONLINE] = { 1, 1 }, [OP_NODE_MEMORY] = { 1, 1 },
	[OP_POLICY] = { 1, 1 },	    [OP_MEMALLOC] = { 1, 1 },
	[OP_FLUSH] = { 1, 2 },	    [OP_BARRIER] = { 1, 1 },
	[OP_FAIL_RATE] = { 1, 1 },  [OP_NOLOCK_ALLOC] = { 8, 3 },
	[OP_NOLOCK_FREE] = { 4, 12 }, [OP_INTERRUPT] = { 8, 8 },
};

#define TIDE 1100 /* ops until filling turns to emptying, and back */

struct op op_for(uint64_t seed, size_t i)
{
	struct random r = { seed * 0x9e3779b97f4a7c15U + i };
	unsigned int tide = i / TIDE % 2, sum = 0, n, k;
	struct op op = { 0 };

	for (k = 0; k < NR_OPS; k++)
		sum += weights[k][tide];
	n = (unsigned int)random_below(&r, sum);
	while (n >= weights[op.kind][tide])
		n -= weights[op.kind++][tide];
	op.cache = (uint8_t)random_below(&r, NR_CACHES);
	op.object = (uint16_t)random_below(&r, NR_OBJECTS);
	op.a = (uint32_t)random_next(&r);
	op.b = (uint32_t)random_next(&r);
	return op;
}
