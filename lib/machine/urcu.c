/* SPDX-License-Identifier: MIT */
/* machine/urcu.c - see urcu.h */
#include "machine/urcu.h"

#ifdef SLAB_HAS_URCU

#include <errno.h>
#include <pthread.h>
#include <urcu/urcu-memb.h>

bool urcu_is_built(void)
{
	return true;
}

void urcu_wait(void)
{
	int saved = errno, state;

	/* it may poll(): who is cancelled there would keep its locks */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	urcu_memb_synchronize_rcu();
	pthread_setcancelstate(state, NULL);
	errno = saved;
}

bool urcu_is_reading(void)
{
	return urcu_memb_read_ongoing();
}

#else

bool urcu_is_built(void)
{
	return false;
}

void urcu_wait(void)
{
}

bool urcu_is_reading(void)
{
	return false;
}

#endif
