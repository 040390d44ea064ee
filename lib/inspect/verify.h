/* SPDX-License-Identifier: MIT */
/*
 * inspect/verify.h - what the parts of verify share
 *
 *	verify.c	  slabs, their objects, the lists of a node
 *	verify_sheaves.c  what rests in front of the slabs
 *	verify_moving.c	  what of it is told, where threads go on meanwhile
 */
#ifndef SLAB_INSPECT_VERIFY_H
#define SLAB_INSPECT_VERIFY_H

#include "inspect/target.h"

struct verifier {
	struct slab_target *t;
	struct kmem_cache *s;
	slab_sink_fn fn;
	void *arg;
	long findings;
	/* of a native machine: prints of what the looks before found, sorted,
	 * and of what this one finds again */
	struct prints {
		uint64_t *at;
		size_t nr, room;
	} before, now;
	bool is_again; /* there were looks before */
	bool is_last;  /* at the cache */
	bool is_close; /* at one place */
	bool tells;    /* what this one finds again is told */
	bool is_out_of_memory;
};

/* A sink, its arg the verifier: each finding comes by here. */
void verify_found(void *verifier, const struct slab_report *r);

/* What look finds, it alone and over and over where it is the last look at the
 * cache. arg is look's. 0 or -ENOMEM, as look. */
typedef int (*verify_look_fn)(struct verifier *vf, const void *arg);
int verify_closely(struct verifier *vf, verify_look_fn look, const void *arg);
/* Looks at vf->s as often as it takes. */
int verify_moving(struct verifier *vf, int (*look)(struct verifier *vf));

/* A finding about lists and counters: no slab to show. */
void verify_line(struct verifier *vf, enum slab_report_kind kind,
		 const char *format, ...) __attribute__((format(printf, 3, 4)));

/* P1 to P6 and P8 of the sheaves and barns of vf->s. 0 or -ENOMEM. */
int verify_sheaves(struct verifier *vf, const struct walk *w);

#endif
