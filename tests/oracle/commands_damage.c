/* SPDX-License-Identifier: MIT */
/*
 * commands_damage.c - see commands.h: bytes and words, written and shown
 *
 * Only the words of a slab's descriptor (slabset, slabinc, slabword) and the
 * bounds of a slab come from the library's inside.
 */
#include <stdlib.h>
#include <string.h>

#include <slab/debug.h>
#include <slab/inject.h>

#include "commands.h"

/* ---- bytes ---- */
/* Bytes to an object and around it, but not beyond its slab: the harness
 * reached the neighbouring page then, which nobody looked at. */
static void poke(struct runner *r, const uint8_t *object, long offset,
		 const uint8_t *bytes, size_t n)
{
	const struct slab *head = virt_to_head(r->m, object);
	uintptr_t base, end, at = (uintptr_t)object + (uintptr_t)offset;

	if (!head)
		return;
	base = slab_base(r->m, head);
	end = base + (PAGE_SIZE << head->order);
	if (at < base) {
		size_t cut = base - at;

		if (cut >= n)
			return;
		at += cut;
		bytes += cut;
		n -= cut;
	}
	if (at >= end)
		return;
	if (n > end - at)
		n = end - at;
	slab_poke(r->m, at, bytes, n);
}

static void poke_byte(struct runner *r, const uint8_t *object, long offset,
		      uint8_t byte, size_t n)
{
	uint8_t *bytes;

	if (!object || n > 1 << 20)
		return;
	bytes = must(malloc(n + 1));
	memset(bytes, byte, n);
	poke(r, object, offset, bytes, n);
	free(bytes);
}

static uint64_t word_at(struct runner *r, const uint8_t *object, long offset)
{
	uint64_t word = 0;

	slab_target_read(r->target, (uintptr_t)object + (uintptr_t)offset,
			 &word, sizeof(word));
	return word;
}

static void run_wr(struct runner *r, const struct words *w)
{
	poke_byte(r, *slot_at(r, w, 1), words_number(w, 2),
		  (uint8_t)words_number(w, 4), (size_t)words_number(w, 3));
}

static void run_wrq(struct runner *r, const struct words *w)
{
	uint64_t word = (uint64_t)words_number(w, 3);

	poke(r, *slot_at(r, w, 1), words_number(w, 2), (uint8_t *)&word,
	     sizeof(word));
}

static void run_xorb(struct runner *r, const struct words *w)
{
	uint8_t byte =
		(uint8_t)word_at(r, *slot_at(r, w, 1), words_number(w, 2));

	poke_byte(r, *slot_at(r, w, 1), words_number(w, 2),
		  byte ^ (uint8_t)words_number(w, 3), 1);
}

static void run_fill(struct runner *r, const struct words *w)
{
	if (*cache_at(r, w, 3))
		poke_byte(r, *slot_at(r, w, 1), 0, (uint8_t)words_number(w, 2),
			  kmem_cache_size(*cache_at(r, w, 3)));
}

/* wrtail S C OFF LEN BYTE */
static void run_wrtail(struct runner *r, const struct words *w)
{
	const uint8_t *object = *slot_at(r, w, 1);
	const struct slab *slab = virt_to_slab(r->m, object);
	long offset = words_number(w, 3), length = words_number(w, 4);
	long used, all;
	uintptr_t base;

	if (!slab || !slab->slab_cache)
		return;
	base = slab_base(r->m, slab);
	all = (long)slab_bytes(slab);
	used = (long)(all / slab->slab_cache->size * slab->slab_cache->size);
	fprintf(r->out, "@@ tail %ld..%ld\n", used, all);
	if (all - used < length) {
		fprintf(r->out, "@@ notail\n");
		return;
	}
	offset += offset < 0 ? all : used;
	poke_byte(r, object, (long)(base - (uintptr_t)object) + offset,
		  (uint8_t)words_number(w, 5), (size_t)length);
}

/* ---- links ---- */
static uint64_t coded(const struct runner *r, uint64_t next,
		      const uint8_t *object, long offset)
{
	return next ^ r->key ^
	       __builtin_bswap64((uintptr_t)object + (uintptr_t)offset);
}

static void run_learn(struct runner *r, const struct words *w)
{
	const uint8_t *y = *slot_at(r, w, 1);
	long offset = words_number(w, 3);

	r->key = 0;
	r->key = word_at(r, y, offset) ^
		 coded(r, (uintptr_t)*slot_at(r, w, 2), y, offset);
	fprintf(r->out, "@@ = key %016lx\n", r->key);
}

static void run_forge(struct runner *r, const struct words *w)
{
	const uint8_t *object = *slot_at(r, w, 1);
	long offset = words_number(w, 2);
	uint64_t next = words_number(w, 3) < 0
				? 0
				: (uintptr_t)*slot_at(r, w, 3) +
					  (uint64_t)words_number(w, 4);
	uint64_t word = coded(r, next, object, offset);

	poke(r, object, offset, (uint8_t *)&word, sizeof(word));
}

static void run_next(struct runner *r, const struct words *w)
{
	const uint8_t *object = *slot_at(r, w, 1);
	long offset = words_number(w, 2);
	uint64_t next = coded(r, word_at(r, object, offset), object, offset);

	fprintf(r->out, "@@ = next %016lx\n", printed(r, (void *)next));
}

/* ---- the slab's descriptor ---- */
/* The words of a descriptor; checks must bear whatever is written there. */
static uint64_t *descriptor_word(struct runner *r, const struct words *w,
				 size_t i)
{
	struct slab *slab = virt_to_slab(r->m, *slot_at(r, w, 1));

	return slab ? (uint64_t *)slab + i % 6 : NULL;
}

static void run_slabset(struct runner *r, const struct words *w)
{
	uint64_t *word = descriptor_word(r, w, number(w, 2, 6));

	if (word)
		*word = (uint64_t)words_number(w, 3);
}

static void run_slabinc(struct runner *r, const struct words *w)
{
	uint64_t *word = descriptor_word(r, w, 5);

	if (word)
		*word += (uint64_t)words_number(w, 2);
	fprintf(r->out, "@@ counters %016lx\n", word ? *word : 0);
}

static void run_slabword(struct runner *r, const struct words *w)
{
	uint64_t *word = descriptor_word(r, w, 0);

	if (!word)
		return;
	word[number(w, 2, 6)] ^= (uint64_t)words_number(w, 3);
	for (int i = 0; i < 6; i++)
		fprintf(r->out, "@@ word %d = %016lx\n", i, word[i]);
}

/* ---- dumps ---- */
static void run_hex(struct runner *r, const uint8_t *from, long offset,
		    size_t n, const char *what)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t byte = 0;

		slab_target_read(r->target,
				 (uintptr_t)from + (uintptr_t)offset + i, &byte,
				 1);
		if (i % 16 == 0)
			fprintf(r->out, "%s@@ hd %s %5ld:", i ? "\n" : "", what,
				offset + (long)i);
		fprintf(r->out, " %02x", byte);
	}
	fprintf(r->out, "\n");
}

static void run_hd(struct runner *r, const struct words *w)
{
	run_hex(r, *slot_at(r, w, 1), words_number(w, 2), number(w, 3, 1 << 16),
		"obj");
}

static void run_hdslab(struct runner *r, const struct words *w)
{
	const struct slab *slab = virt_to_slab(r->m, *slot_at(r, w, 1));

	if (slab)
		run_hex(r, (uint8_t *)slab_base(r->m, slab), 0,
			slab_bytes(slab), "slab");
}

static void print_line(void *arg, const char *line)
{
	fprintf(arg, "%s\n", line);
}

static void run_dumpobj(struct runner *r, const struct words *w)
{
	kmem_dump_obj(r->m, *slot_at(r, w, 1), print_line, r->out);
}

const struct command damage_commands[] = {
	{ "wr", 2, run_wr },
	{ "wrq", 2, run_wrq },
	{ "xorb", 2, run_xorb },
	{ "fill", 2, run_fill },
	{ "wrtail", 2, run_wrtail },
	{ "learn", 2, run_learn },
	{ "forge", 2, run_forge },
	{ "next", 2, run_next },
	{ "slabset", 2, run_slabset },
	{ "slabinc", 2, run_slabinc },
	{ "slabword", 2, run_slabword },
	{ "hd", 2, run_hd },
	{ "hdslab", 2, run_hdslab },
	{ "dumpobj", 2, run_dumpobj },
	{ 0 },
};
