/* SPDX-License-Identifier: MIT */
/*
 * normalise.h - what is known of a case while its text is read
 *
 * names.c knows caches, slabs and objects; kernel.c reads report lines;
 * normalise.c reads the harness's own lines and walks the steps.
 */
#ifndef TESTS_ORACLE_NORMALISE_H
#define TESTS_ORACLE_NORMALISE_H

#include "oracle.h"

#define NR_CACHES 4
#define NR_SLOTS  4096
#define PAGE	  4096UL
#define NO_CACHE  (-1)

struct seen_slab {
	uint64_t base;
	size_t cache; /* in caches */
};

struct reader {
	const struct oracle_case *c;
	struct case_cache *caches;
	size_t nr_caches;
	int by_number[NR_CACHES]; /* in caches; NO_CACHE */
	struct seen_slab *slabs;
	size_t nr_slabs;
	uint64_t *objects; /* O<i> */
	size_t nr_objects;
	struct slot {
		int cache;
		unsigned long orig_size;
		uint64_t address; /* 0: not told */
	} slots[NR_SLOTS];

	uint64_t next; /* what the last `next` told */

	/* of the report that is being read */
	uint64_t object;
	int report_cache;
	bool is_remaining;
	struct lines *group; /* objects left, one a line, to be sorted */
};

/* names.c: NO_CACHE when no create and no kmalloc class has this name */
int cache_find(struct reader *r, const char *name);
int cache_of_size(struct reader *r, unsigned long size);
bool is_plain(const struct reader *r, int cache);
bool is_kmalloc(const struct reader *r, int cache);
/* A slab of cache begins at base, or has its descriptor there; its base. */
void slab_see(struct reader *r, uint64_t base, int cache);
uint64_t slab_see_descriptor(struct reader *r, uint64_t descriptor, int cache);
/* address lies in a slab of cache: blocks of pages are aligned to their size. */
void slab_see_around(struct reader *r, uint64_t address, int cache);
const struct seen_slab *slab_find(const struct reader *r, uint64_t address);
/* The object whose slot holds address; 0 when that is not known. */
uint64_t object_of(const struct reader *r, uint64_t address);
/* Its number, given now when it has none. */
size_t object_number(struct reader *r, uint64_t object);
bool object_is_named(const struct reader *r, uint64_t object, size_t *nr);
/* "O3", "O3+8", "tail+4064", "NULL" or "wild"; buf holds 64. */
const char *address_text(struct reader *r, uint64_t address, char *buf);
/* The same, but one that has no name yet stays "object": for pointers that
 * chance may lead anywhere. */
const char *known_text(struct reader *r, uint64_t address, char *buf);

/* kernel.c */
void add_kernel_line(struct reader *r, const struct lines *l, size_t i,
		     struct lines *out);
/* Objects that destroy found, at the end of their list. */
void flush_group(struct reader *r, struct lines *out);
size_t row_bytes(const char *text, uint8_t *bytes);

#endif
