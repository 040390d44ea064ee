/* SPDX-License-Identifier: MIT */
/* cache/fork.h - what happens around a fork, and what never does during one */
#ifndef SLAB_CACHE_FORK_H
#define SLAB_CACHE_FORK_H

/* The process's machine is made, or goes. This thread is not cancelled in between; gives what the other one takes. */
int fork_making_begin(void);
void fork_making_end(int cancel);

/* The handlers: everything stands still; and goes on. */
void fork_prepare(void);
void fork_parent(void);

#endif
