/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * work.h - many operations on caches, from many hands
 *
 *	native   each worker is a thread, and they run at once
 *	virtual  each worker is a CPU, and they take turns, an operation each
 *
 * A worker picks a word of the mix and a cache, both at random, does it, and
 * remembers what it holds. What a worker holds bears its mark, so that an
 * object which two workers were given is found.
 *
 * Threads: a worker's figures are its own; others read them while they grow.
 */
#ifndef CLI_WORK_H
#define CLI_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <slab/inspect.h>

#define MAX_WORKERS	256U
#define MAX_WORK_CACHES 16U
#define WORK_BULK	16U /* objects of one bulk call */

/* The words of a mix. */
enum work_word {
#define WORK(id, word, brief) WORK_##id,
#include "work_words.def"
#undef WORK
	NR_WORK_WORDS,
};
extern const char *const work_words[NR_WORK_WORDS];

enum work_end { WORK_DONE, WORK_TIME, WORK_LIMIT, WORK_INTERRUPTED };

struct work_plan {
	unsigned int nr_workers;
	uint64_t ops;	/* of all workers; 0: until the time is up */
	double seconds; /* 0: until the operations are done */
	unsigned int share[NR_WORK_WORDS]; /* of the mix; not all are 0 */
	size_t objects; /* that a worker holds of a cache at most */
	uint64_t seed;
	bool keeps; /* what it holds at the end */
	struct slab_cache_info cache[MAX_WORK_CACHES];
	size_t nr_caches;
};

/* Figures of all workers. */
struct work_figures {
	uint64_t calls[NR_WORK_WORDS], all_calls;
	struct work_cache_figures {
		uint64_t got, given; /* objects */
		uint64_t failed;     /* calls that gave NULL */
		uint64_t held;
	} cache[MAX_WORK_CACHES];
	uint64_t held;
	uint64_t wrong; /* objects that bore another mark */
	/* of caches that have sheaves: objects got, and of them straight from
	 * slabs */
	uint64_t sheaf_got, slowpath;
	unsigned long slabs;
	bool has_statistics; /* else slowpath is 0 */
	double seconds;
};

/* Does it. show is called from time to time. 0 with *ret and *end; or -EINVAL
 * with the error set. */
int work_run(const struct work_plan *plan,
	     void (*show)(const struct work_figures *now), enum work_end *end,
	     struct work_figures *ret);

#endif
