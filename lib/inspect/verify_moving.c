/* SPDX-License-Identifier: MIT */
/*
 * inspect/verify_moving.c - what is found of a machine that goes on meanwhile
 *
 * A cache in which something is found is looked at again, later and later. What
 * every look found is damage, or a place so busy that each of them met it in
 * the middle of something: the last look at the cache looks at that place
 * alone, many times in a row, and what even these find each time is told.
 */
#include "inspect/verify.h"

#include <errno.h>
#include <stdlib.h>

#include "base/futex.h"
#include "base/sort.h"
#include "inspect/scratch.h"

/* At a cache; 21 ms from the first to the last. */
#define NR_LOOKS 4U
/* At one place, and how long between two. */
#define NR_CLOSE_LOOKS 16U
#define CLOSE_NS       50000

static uint64_t mix(uint64_t print, uint64_t word)
{
	print = (print ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return print ^ (print >> 29);
}

/* A number that the same finding has again. */
static uint64_t finding_print(const struct slab_report *r)
{
	uint64_t print = mix(r->kind, r->slab);
	const char *p;

	print = mix(mix(print, r->object), r->first);
	print = mix(mix(print, r->last), (uint64_t)r->index);
	for (p = r->text; *p; p++)
		print = mix(print, (uint8_t)*p);
	return print;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static bool prints_have(const struct prints *p, uint64_t print)
{
	return p->nr && bsearch(&print, p->at, p->nr, sizeof(print), by_value);
}

static void prints_add(struct verifier *vf, struct prints *p, uint64_t print)
{
	if (p->nr == p->room) {
		size_t room = p->room ? 2 * p->room : 16;
		uint64_t *at = scratch_grow(p->at, room * sizeof(*at));

		if (!at) {
			vf->is_out_of_memory = true;
			return;
		}
		p->at = at;
		p->room = room;
	}
	p->at[p->nr++] = print;
}

void verify_found(void *verifier, const struct slab_report *r)
{
	struct verifier *vf = verifier;

	if (vf->t->machine->is_native) {
		uint64_t print = finding_print(r);

		if (vf->is_again && !prints_have(&vf->before, print))
			return;
		if (!vf->tells) {
			prints_add(vf, &vf->now, print);
			return;
		}
	}
	vf->findings++;
	if (vf->fn)
		vf->fn(vf->arg, r);
}

/* What it found is what the next one may find. false: nothing, or no memory. */
static bool again(struct verifier *vf, int err)
{
	struct prints before = vf->before;

	if (err || vf->is_out_of_memory || !vf->now.nr)
		return false;
	sort_in_place(vf->now.at, vf->now.nr, sizeof(*vf->now.at), by_value);
	vf->before = vf->now;
	vf->now = before;
	vf->now.nr = 0;
	vf->is_again = true;
	return true;
}

int verify_closely(struct verifier *vf, verify_look_fn look, const void *arg)
{
	struct prints before = vf->before, now = vf->now;
	unsigned int i = 0;
	int err;

	if (!vf->is_last)
		return look(vf, arg);
	/* each of its looks narrows a copy of what the looks before found */
	vf->now = (struct prints){ 0 };
	vf->is_close = true;
	err = look(vf, arg);
	if (!err && vf->now.nr) {
		vf->before = (struct prints){ 0 };
		while (again(vf, err) && i++ < NR_CLOSE_LOOKS) {
			sleep_ns(CLOSE_NS);
			vf->tells = i == NR_CLOSE_LOOKS;
			err = look(vf, arg);
		}
		scratch_free(vf->before.at);
	}
	scratch_free(vf->now.at);
	vf->is_close = vf->tells = false;
	vf->before = before;
	vf->now = now;
	return !err && vf->is_out_of_memory ? -ENOMEM : err;
}

int verify_moving(struct verifier *vf, int (*look)(struct verifier *vf))
{
	unsigned int i = 0;
	int err;

	vf->is_again = false;
	do {
		vf->is_last = i == NR_LOOKS - 1;
		err = look(vf);
		if (vf->is_last || !again(vf, err))
			break;
		sleep_ns(1000000L << (2 * i));
	} while (++i < NR_LOOKS);
	vf->is_last = false;
	vf->now.nr = 0;
	return !err && vf->is_out_of_memory ? -ENOMEM : err;
}
