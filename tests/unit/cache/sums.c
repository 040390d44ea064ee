/* SPDX-License-Identifier: MIT */
/* tests/unit/cache/sums.c - after whatever was done the statistics agree with
 * what is there (invariants.md 7.4) */
#include "../sheaves.h"

struct sums {
	unsigned long allocs, frees;	/* of users */
	unsigned long popped, oversize; /* of lent sheaves */
	unsigned long thrown;		/* slabs, T3 T10 T16 */
};

static unsigned long nr_containers, in_sheaves;

static void count_sheaf(const struct slab_sheaf *sheaf)
{
	if (!sheaf)
		return;
	nr_containers++;
	in_sheaves += sheaf->size;
}

static void count_all(struct kmem_cache *s)
{
	const struct slab_sheaf *sheaf;
	unsigned int i;

	nr_containers = in_sheaves = 0;
	for (i = 0; i < 4; i++) {
		count_sheaf(pcs_of(s, i)->main);
		count_sheaf(pcs_of(s, i)->spare);
		count_sheaf(pcs_of(s, i)->rcu_free);
	}
	for (i = 0; i < 2; i++) {
		list_for_each_entry(sheaf, &s->node[i]->barn->sheaves_full,
				    list)
			count_sheaf(sheaf);
		list_for_each_entry(sheaf, &s->node[i]->barn->sheaves_empty,
				    list)
			count_sheaf(sheaf);
	}
}

static void equal(const char *what, unsigned long found, unsigned long wanted)
{
	if (found != wanted)
		fail_msg("%s: %lu, wanted %lu", what, found, wanted);
}

#define SUM(item) stat_sum(s, SLAB_STAT_##item)

static void sums_agree(struct kmem_cache *s, const struct sums *sums)
{
	count_all(s);
	equal("containers", SUM(SHEAF_ALLOC) - SUM(SHEAF_FREE), nr_containers);
	equal("objects in sheaves",
	      SUM(SHEAF_REFILL) + SUM(FREE_FASTPATH) + SUM(FREE_RCU_SHEAF) +
		      sums->oversize - SUM(ALLOC_FASTPATH) - sums->popped -
		      SUM(SHEAF_FLUSH),
	      in_sheaves);
	equal("allocations",
	      SUM(ALLOC_FASTPATH) + SUM(ALLOC_SLOWPATH) + sums->popped -
		      sums->oversize,
	      sums->allocs);
	equal("frees",
	      SUM(FREE_FASTPATH) + SUM(FREE_SLOWPATH) + SUM(FREE_RCU_SHEAF),
	      sums->frees);
	equal("slabs", SUM(ALLOC_SLAB) - SUM(FREE_SLAB) - sums->thrown,
	      s->node[0]->nr_slabs + s->node[1]->nr_slabs);
}

static void borrow_some(struct kmem_cache *s, struct random *r,
			struct sums *sums, void **p, unsigned int *nr)
{
	unsigned int n = 1 + (unsigned int)random_below(r, 2 * FEW), i;
	struct slab_sheaf *lent = kmem_cache_prefill_sheaf(s, GFP_KERNEL, n);

	if (n > FEW)
		sums->oversize += n;
	for (i = 0; i < n / 2; i++)
		p[(*nr)++] = kmem_cache_alloc_from_sheaf(s, 0, lent);
	sums->popped += n / 2;
	sums->allocs += n / 2;
	kmem_cache_return_sheaf(s, GFP_KERNEL, lent);
}

/* One operation, on a CPU by chance. */
static void step(struct kmem_cache *s, struct random *r, struct sums *sums,
		 void **p, unsigned int *nr)
{
	unsigned int n = 1 + (unsigned int)random_below(r, 12), i;

	slab_machine_set_cpu(lab.m, (unsigned int)random_below(r, 4));
	switch (random_below(r, 9)) {
	case 0:
	case 1:
		p[(*nr)++] = kmem_cache_alloc_node(s, GFP_KERNEL,
						   (int)random_below(r, 3) - 1);
		sums->allocs++;
		break;
	case 2:
		kmem_cache_alloc_bulk(s, GFP_KERNEL, n, p + *nr);
		*nr += n;
		sums->allocs += n;
		break;
	case 3:
	case 4:
		for (i = 0; i < n && *nr; i++, sums->frees++)
			kmem_cache_free(s, p[--*nr]);
		break;
	case 5:
		n = MIN(n, *nr);
		*nr -= n;
		kmem_cache_free_bulk(s, n, p + *nr);
		sums->frees += n;
		break;
	case 6:
		for (i = 0; i < n && *nr; i++, sums->frees++)
			slab_kfree_rcu(p[--*nr]);
		break;
	case 7:
		if (n < 3)
			kmem_cache_shrink(s);
		kvfree_rcu_barrier();
		break;
	default:
		borrow_some(s, r, sums, p, nr);
	}
}

static void note_discards(void *arg, const struct slab_event *event)
{
	unsigned long *discards = arg;

	*discards += event->kind == SLAB_EVENT_SLAB_DISCARD;
}

static void sums_agree_after_anything(void **state)
{
	static void *p[4096];
	unsigned int seed, i;

	(void)state;
	for (seed = 0; seed < 30; seed++) {
		struct random r = { seed };
		struct sums sums = { 0 };
		unsigned long discards = 0;
		struct kmem_cache *s;
		unsigned int nr = 0;

		numa();
		s = few();
		slab_machine_set_event_hook(lab.m, note_discards, &discards);
		for (i = 0; i < 400; i++) {
			step(s, &r, &sums, p, &nr);
			if (nr > 3000)
				break;
			if (i % 20)
				continue;
			kvfree_rcu_barrier();
			assert_null(cache_check_users(s, nr));
			sums.thrown = discards - SUM(FREE_SLAB);
			sums_agree(s, &sums);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		lab_test(sums_agree_after_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
