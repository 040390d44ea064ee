/* SPDX-License-Identifier: MIT */
/* tests/stress/disturb.c - what comes in between: signals, other CPUs, forks,
 * no memory */
#define _GNU_SOURCE
#include <slab/sheaf.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "machine/machine.h"
#include "stress.h"

atomic_ulong nr_flips, nr_forks, nr_limits, nr_handled;

/* ---- signals ---- */

/* Two, that interrupt each other. */
#define NR_SIGNALS 2
static _Thread_local struct {
	timer_t id;
	struct itimerspec in;
} timers[NR_SIGNALS];

static unsigned int handled_size(unsigned int i)
{
	return 8U << i % 9;
}

static void allocate_or_free(struct worker *w)
{
	unsigned int i;
	void *p, *none = NULL;

	i = (unsigned int)random_below(&w->handler_random, HANDLER_SLOTS);
	atomic_fetch_add(&w->handler_runs, 1);
	p = __atomic_exchange_n(&w->handled[i], NULL, __ATOMIC_ACQ_REL);
	if (p) {
		token_take(p, handled_size(i));
		kfree_nolock(p);
	} else {
		p = kmalloc_nolock(handled_size(i), 0, NUMA_NO_NODE);
		if (p) {
			atomic_fetch_add(&w->handler_got, 1);
			token_put(p, handled_size(i));
			if (!__atomic_compare_exchange_n(
				    &w->handled[i], &none, p, false,
				    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
				token_take(p, handled_size(i));
				kfree_nolock(p);
			}
		}
	}
}

/* Once more when it is done: on a slow host, too, something runs in between. */
static void handle(int signal)
{
	unsigned int i = (unsigned int)(signal - SIGRTMIN);
	int saved = errno;

	if (me) {
		allocate_or_free(me);
		timer_settime(timers[i].id, 0, &timers[i].in, NULL);
	}
	errno = saved;
}

static void start_timers(struct worker *w)
{
	struct sigaction action = { .sa_handler = handle,
				    .sa_flags = SA_RESTART };
	unsigned int i;

	for (i = 0; i < NR_SIGNALS; i++) {
		struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID,
					  .sigev_signo = SIGRTMIN + (int)i };
		long ns = 70000 + (long)random_below(&w->random, 200000);

		timers[i].in = (struct itimerspec){ .it_value.tv_nsec = ns };
		event._sigev_un._tid = (int)syscall(SYS_gettid);
		if (sigaction(event.sigev_signo, &action, NULL) ||
		    timer_create(CLOCK_MONOTONIC, &event, &timers[i].id) ||
		    timer_settime(timers[i].id, 0, &timers[i].in, NULL)) {
			perror("stress: timer");
			exit(2);
		}
	}
}

void disturb_begin(struct worker *w)
{
	if (options.signals)
		start_timers(w);
}

void disturb_end(struct worker *w)
{
	unsigned int i;

	(void)w;
	for (i = 0; options.signals && i < NR_SIGNALS; i++)
		timer_delete(timers[i].id);
}

void handled_end(struct worker *w)
{
	unsigned int i;

	atomic_fetch_add(&nr_handled, w->handler_got);
	w->handler_got = 0;
	for (i = 0; i < HANDLER_SLOTS; i++) {
		if (!w->handled[i])
			continue;
		token_take(w->handled[i], handled_size(i));
		kfree_nolock(w->handled[i]);
		w->handled[i] = NULL;
	}
}

/* ---- other CPUs ---- */
static void go_elsewhere(struct worker *w)
{
	static cpu_set_t all;
	static atomic_bool known;
	cpu_set_t only;
	int cpu;

	if (!known) {
		sched_getaffinity(getpid(), sizeof(all), &all);
		known = true;
	}
	cpu = (int)random_below(&w->random, CPU_SETSIZE);
	while (!CPU_ISSET(cpu, &all))
		cpu = (cpu + 1) % CPU_SETSIZE;
	CPU_ZERO(&only);
	CPU_SET(cpu, &only);
	if (!sched_setaffinity(0, sizeof(only), &only))
		atomic_fetch_add(&nr_flips, 1);
	/* pinned for a while, or free to be moved */
	if (random_next(&w->random) & 1)
		sched_setaffinity(0, sizeof(all), &all);
}

/* ---- forks ---- */
static void have_a_child(struct worker *w)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		return;
	if (!child) {
		options.forks = options.signals = false;
		alarm(options.patience);
		operations_run(w, 300);
		operations_end(w);
		_exit(0);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (status)
		fail("a child did not end well", NULL, (unsigned)status, 0);
	atomic_fetch_add(&nr_forks, 1);
}

void disturb_sometimes(struct worker *w)
{
	uint64_t chance = random_below(&w->random, 20000);

	if (options.flips && chance < 40)
		go_elsewhere(w);
	else if (chance < 60)
		sched_yield();
	else if (options.forks && chance == 60)
		have_a_child(w);
}

/* ---- no memory, no sheaves ---- */
static void rest(long us)
{
	nanosleep(&(struct timespec){ .tv_nsec = us * 1000 }, NULL);
}

void *disturb_machine(void *stop)
{
	atomic_bool *told = stop;

	while (!atomic_load(told)) {
		if (options.drains) {
			struct kind *k = &kinds[nr_limits % nr_kinds];

			slab_cache_flush_all(machine, k->s);
			atomic_fetch_add(&nr_limits, 1);
			continue;
		}
		if (options.limits) {
			slab_machine_set_page_limit(
				machine, slab_machine_pages_used(machine) / 2 +
						 1);
			rest(300);
			slab_machine_set_page_limit(machine, 0);
			atomic_fetch_add(&nr_limits, 1);
		}
		if (options.failslab) {
			slab_machine_sysctl(machine, "failslab", "1,10,0,-1");
			rest(500);
			slab_machine_sysctl(machine, "failslab", "1,0,0,-1");
		}
		rest(2000);
	}
	return NULL;
}
