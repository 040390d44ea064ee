/* SPDX-License-Identifier: MIT */
/* inspect/scratch.c - see scratch.h */
#define _GNU_SOURCE
#include "inspect/scratch.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bits.h"

#define SMALLEST_SHIFT 12U
#define NR_KEPT	       9U /* sizes, by doubling: 4 KiB to 1 MiB */

struct block {
	struct block *next; /* of those that are kept */
	size_t bytes;	    /* with this */
} __attribute__((aligned(64)));

static _Thread_local struct {
	unsigned int depth;
	struct block *kept[NR_KEPT];
} mine __attribute__((tls_model("initial-exec")));

static struct block *block_of(void *p)
{
	return (struct block *)p - 1;
}

/* Its number of doublings; NR_KEPT or more: none such is kept. */
static unsigned int size_class(size_t bytes)
{
	return bytes <= 1UL << SMALLEST_SHIFT ? 0 :
						fls(bytes - 1) - SMALLEST_SHIFT;
}

static struct block *map(size_t bytes)
{
	struct block *block = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (block == MAP_FAILED)
		return NULL;
	block->bytes = bytes;
	return block;
}

void *scratch_alloc(size_t bytes)
{
	size_t all = bytes + sizeof(struct block);
	unsigned int class = size_class(all);
	struct block *block;

	if (all < bytes || all > PTRDIFF_MAX)
		return NULL;
	if (class < NR_KEPT && mine.kept[class]) {
		block = mine.kept[class];
		mine.kept[class] = block->next;
		memset(block + 1, 0, bytes);
		return block + 1;
	}
	block = map(1UL << (class + SMALLEST_SHIFT));
	return block ? block + 1 : NULL;
}

void *scratch_grow(void *p, size_t bytes)
{
	struct block *block;
	void *to;

	if (!p)
		return scratch_alloc(bytes);
	block = block_of(p);
	if (bytes <= block->bytes - sizeof(*block))
		return p;
	to = scratch_alloc(bytes);
	if (!to)
		return NULL;
	memcpy(to, p, block->bytes - sizeof(*block));
	scratch_free(p);
	return to;
}

void scratch_free(void *p)
{
	struct block *block;
	unsigned int class;

	if (!p)
		return;
	block = block_of(p);
	class = size_class(block->bytes);
	if (!mine.depth || class >= NR_KEPT) {
		munmap(block, block->bytes);
		return;
	}
	block->next = mine.kept[class];
	mine.kept[class] = block;
}

void scratch_begin(void)
{
	mine.depth++;
}

void scratch_end(void)
{
	unsigned int class;

	if (--mine.depth)
		return;
	for (class = 0; class < NR_KEPT; class++) {
		while (mine.kept[class]) {
			struct block *block = mine.kept[class];

			mine.kept[class] = block->next;
			munmap(block, block->bytes);
		}
	}
}

int scratch_answer(void *p, size_t bytes, void *ret)
{
	void *answer = malloc(MAX(bytes, 1UL));

	if (answer)
		memcpy(answer, p, bytes);
	scratch_free(p);
	if (!answer)
		return -ENOMEM;
	memcpy(ret, &answer, sizeof(answer));
	return 0;
}
