/* SPDX-License-Identifier: MIT */
/* inspect/look.c - see look.h */
#include "inspect/look.h"

#include "base/futex.h"
#include "inspect/scratch.h"
#include "machine/fork_gate.h"

bool look_lock(struct slab_lock *lock)
{
	unsigned int i;

	for (i = 0; i < LOOK_WAIT_MS; i++) {
		if (lock_try(lock))
			return true;
		sleep_ns(1000000);
	}
	return false;
}

struct look look_begin(struct slab_machine *m)
{
	struct look look = { .m = m };

	scratch_begin();
	/* a virtual machine is one thread's, and may stand in the middle of
	 * anything when it is looked at */
	if (!m->is_native || fork_pass.looks++)
		return look;
	look.held = lock_suspend();
	look.has_cpus = look_lock(&m->cpus_lock);
	look.has_mutex = look_lock(&m->slab_mutex);
	if (look.has_mutex)
		__atomic_store_n(&m->caches_locked_by, machine_pid(m),
				 __ATOMIC_RELAXED);
	return look;
}

void look_end(struct look *look)
{
	struct slab_machine *m = look->m;

	if (m->is_native && !--fork_pass.looks) {
		if (look->has_mutex) {
			__atomic_store_n(&m->caches_locked_by, 0,
					 __ATOMIC_RELAXED);
			lock_release(&m->slab_mutex);
		}
		if (look->has_cpus)
			lock_release(&m->cpus_lock);
		lock_resume(look->held);
	}
	scratch_end();
}
