/* SPDX-License-Identifier: MIT */
/*
 * package/probed.c - does what `probes` asks gdb about
 *
 * One object of a cache "probed" of 200 bytes, which comes from a slab and goes
 * back to it (checks: no sheaf), on a machine whose addresses are always the
 * same.
 */
#include <slab/machine.h>

#include <stddef.h>

int main(void)
{
	struct slab_machine *m;
	struct kmem_cache *s;
	void *p;

	if (slab_machine_create_virtual(NULL, &m))
		return 1;
	slab_machine_use(m);
	s = kmem_cache_create("probed", 200, NULL,
			      SLAB_CONSISTENCY_CHECKS | SLAB_NO_MERGE);
	if (!s)
		return 1;
	p = kmem_cache_alloc(s, GFP_KERNEL);
	if (!p)
		return 1;
	kmem_cache_free(s, p);
	return kmem_cache_destroy(s) ? 1 : 0;
}
