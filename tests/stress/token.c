/* SPDX-License-Identifier: MIT */
/* tests/stress/token.c - what is handed out is marked, in it and beside it */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine/machine.h"
#include "stress.h"

/* A bit every eight bytes of the machine's pages; no memory where none is. */
static atomic_ulong *handed_out;
static size_t nr_words;

void tokens_init(void)
{
	size_t bytes = machine->nr_pages << PAGE_SHIFT;

	nr_words = bytes / 8 / 64;
	handed_out = mmap(NULL, nr_words * sizeof(*handed_out),
			  PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (handed_out == MAP_FAILED) {
		perror("stress: mmap");
		exit(2);
	}
}

void fail(const char *what, const void *at, unsigned long found,
	  unsigned long wanted)
{
	char text[400];
	int n = snprintf(text, sizeof(text),
			 "stress: FAILED: %s: %p: found %#lx, wanted %#lx; "
			 "seed %lu, thread %d at operation %lu: %s\n",
			 what, at, found, wanted, (unsigned long)options.seed,
			 me ? (int)me->nr : -1, me ? me->done : 0,
			 me ? me->doing : "-");

	if (write(2, text, (size_t)n) != n)
		_exit(3);
	abort();
}

static void mark(const void *p, bool is_out)
{
	uintptr_t bit = ((uintptr_t)p - machine->base) / 8;
	unsigned long mask = 1UL << bit % 64, before;

	if (bit / 64 >= nr_words)
		fail("an object outside the machine's pages", p, 0, 0);
	/* whoever gets it next is behind who gave it back by the allocator's
	 * own order, not by this word's */
	before = is_out ? atomic_fetch_or_explicit(&handed_out[bit / 64], mask,
						   memory_order_relaxed) :
			  atomic_fetch_and_explicit(&handed_out[bit / 64],
						    ~mask,
						    memory_order_relaxed);
	if (is_out && (before & mask))
		fail("handed out twice", p, 1, 0);
	if (!is_out && !(before & mask))
		fail("freed, but nobody had it", p, 0, 1);
}

static uint64_t word_of(uint64_t serial, const void *at)
{
	return (serial ^ (uintptr_t)at) * 0x9e3779b97f4a7c15U;
}

void token_put(void *p, unsigned int size)
{
	static _Thread_local uint64_t serial;
	uint64_t *word = p;
	unsigned int i, n = size / 8;

	mark(p, true);
	if (!n)
		return;
	word[0] = ++serial << 8 | (me ? me->nr : 0xff);
	for (i = 1; i < n; i++)
		word[i] = word_of(word[0], &word[i]);
}

void token_check(const void *p, unsigned int size)
{
	const uint64_t *word = p;
	unsigned int i, n = size / 8;

	for (i = 1; i < n; i++)
		if (word[i] != word_of(word[0], &word[i]))
			fail("somebody wrote to an object in use", &word[i],
			     word[i], word_of(word[0], &word[i]));
}

void token_take(void *p, unsigned int size)
{
	token_check(p, size);
	/* a second owner's check must not find it good */
	if (size >= 16)
		((uint64_t *)p)[0] = ~0UL;
	mark(p, false);
}

unsigned long tokens_left(void)
{
	size_t opened = machine->pages_opened << PAGE_SHIFT, i;
	unsigned long left = 0;

	for (i = 0; i < opened / 8 / 64; i++)
		left += (unsigned int)__builtin_popcountl(handed_out[i]);
	return left;
}
