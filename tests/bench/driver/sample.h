/* SPDX-License-Identifier: MIT */
/* driver/sample.h - one process, one figure */
#ifndef BENCH_SAMPLE_H
#define BENCH_SAMPLE_H

#include "figures.h"

struct sampler {
	const char *programs; /* the folder they are in */
	unsigned int cpus[2]; /* that threads are kept on */
	unsigned int nr_cpus;
	unsigned int ms, reps; /* 0: as the program has it */
};

/* Can the row's program be started at all? */
bool sample_has(const struct sampler *s, const struct row *row);

/* Runs the program, which says itself what went wrong. 0, -EIO, or another
 * -errno. Fills *ns, or memory[] when the column is of that kind. */
int sample_take(const struct sampler *s, const struct row *row,
		const char *column, unsigned int round, double *ns,
		double memory[NR_MEMORY_ITEMS]);

#endif
