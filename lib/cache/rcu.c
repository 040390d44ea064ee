/* SPDX-License-Identifier: MIT */
/* cache/rcu.c - objects that are freed after a grace period */
#include "cache/cache.h"

struct rcu_free {
	struct rcu_head rcu;
	void *object;
};

static void free_now(struct slab_machine *m, struct rcu_head *head)
{
	struct rcu_free *f = container_of(head, struct rcu_free, rcu);
	struct slab_machine *before = slab_machine_use(m);

	kfree(f->object);
	slab_machine_use(before);
	meta_free(m, f, sizeof(*f));
}

void slab_kfree_rcu(void *p)
{
	struct slab_machine *m = slab_machine_current();
	struct rcu_free *f;

	if (ZERO_OR_NULL_PTR(p) || !m)
		return;
	f = meta_alloc(m, sizeof(*f));
	if (!f) {
		/* no memory to remember it by: wait, then free, as the kernel */
		slab_machine_rcu_barrier(m);
		kfree(p);
		return;
	}
	f->object = p;
	machine_call_rcu(m, &f->rcu, free_now);
}
