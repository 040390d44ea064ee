/* SPDX-License-Identifier: MIT */
/* driver/output.h - figures for people, for programs, and as curves */
#ifndef BENCH_OUTPUT_H
#define BENCH_OUTPUT_H

#include <stdio.h>

#include "figures.h"

void table_print(const struct figures *f, FILE *out);

/* 0 or -errno. */
int record_write(const struct figures *f, const char *path);

/* A .dat for each curve that was measured, into the folder, which is made; and
 * an .svg, when there is a gnuplot and its script. 0 or -errno. */
int curves_write(const struct figures *f, const char *folder,
		 const char *script);
/* Does a pair cost the same however much of everything there is? */
void curves_print(const struct figures *f, FILE *out);

#endif
