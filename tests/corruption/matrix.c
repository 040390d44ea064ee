/* SPDX-License-Identifier: MIT */
/*
 * tests/corruption/matrix.c - is every cell of corruptions.def true?
 *
 *	corruption-matrix KIND...	these kinds, else all
 *	corruption-matrix --print	the matrix as it is found, row by row
 *
 * For each set of debug flags, each place, and plain, hardened and shuffled
 * freelists: a fresh machine with one slab (the picture is in corruptions.def),
 * the damage, then that one place, and the same without the damage. Found
 * means: some kind of report comes more often with it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slab/debug.h>
#include <slab/kmalloc.h>
#include <slab/machine.h>

#include "bench.h"

static const char places[] = "afvdy";
static const char *const place_names[] = { "alloc", "free", "validate",
					   "destroy", "verify" };
#define NR_PLACES 5

static void count_report(void *arg, const struct slab_report *r)
{
	struct bench *b = arg;

	if (r->record == SLAB_RECORD_REPORT)
		b->reports[r->kind]++;
}

static void trigger(struct bench *b, char place)
{
	unsigned int i;
	long n;

	switch (place) {
	case 'a':
		for (i = 0; i <= b->nr_free; i++)
			bench_take(b);
		break;
	case 'f':
		bench_give(b, b->target);
		for (i = 0; i < b->nr; i++)
			bench_give(b, i);
		break;
	case 'v':
		validate_slab_cache(b->s);
		break;
	case 'd':
		kmem_cache_destroy(b->s);
		break;
	case 'y':
		n = slab_target_verify(b->t, 0, count_report, b);
		if (n < 0)
			die("verify failed");
		break;
	}
}

/* Is the call itself the place? Then nothing comes after it. */
static bool is_own_place(const struct bench *b, char place)
{
	bool destroys = !strcmp(b->kind->name, "destroy-busy");

	return b->setting->is_call && place == (destroys ? 'd' : 'f');
}

/* Sets reports; false when the damage can not be done. */
static bool run(struct bench *b, slab_flags_t flags, char place, bool damaged,
		struct slab_corrupt_result *ret)
{
	int err = 0;

	slab_machine_reset(b->m);
	bench_set_up(b, flags, place == 'd');
	if (damaged && is_own_place(b, place)) {
		memset(b->reports, 0, sizeof(b->reports));
		err = bench_damage(b, flags, ret);
	} else {
		if (damaged)
			err = bench_damage(b, flags, ret);
		memset(b->reports, 0, sizeof(b->reports));
		/* a cache that is gone has no other places */
		if (!err && !is_own_place(b, place) &&
		    strcmp(b->kind->name, "destroy-busy") != 0)
			trigger(b, place);
	}
	bench_tear_down(b);
	return !err;
}

/* ---- cells ---- */
struct found {
	bool fits;
	const char *by; /* the first title that came more often, or NULL */
	char why[160];
};

static struct found look(struct slab_machine *m,
			 const struct slab_corruption *kind, const char *set,
			 char place)
{
	struct bench control = { .m = m, .kind = kind,
				 .setting = setting_of(kind->name) };
	struct bench b = control;
	struct slab_corrupt_result result = { 0 };
	struct found ret = { 0 };
	slab_flags_t flags = 0;
	char bad;
	int i;

	if (strcmp(set, "-") != 0 && slab_debug_letters(set, &flags, &bad))
		die("a set of the matrix has an unknown letter");
	slab_machine_add_sink(m, count_report, &control);
	run(&control, flags, place, false, &result);
	slab_machine_remove_sink(m, count_report, &control);
	slab_machine_add_sink(m, count_report, &b);
	ret.fits = run(&b, flags, place, true, &result);
	slab_machine_remove_sink(m, count_report, &b);
	memcpy(ret.why, result.why, sizeof(ret.why));
	for (i = 1; i < SLAB_NR_REPORTS && ret.fits && !ret.by; i++)
		if (b.reports[i] > control.reports[i])
			ret.by = slab_report_row(i)->title;
	return ret;
}

static bool says(const char *cell, char place, bool hardened)
{
	if ((hardened && strchr(cell, 'h')) || (HAS_ASAN && strchr(cell, 's')))
		return place == 'f';
	return strchr(cell, place) != NULL;
}

struct variant {
	bool hardened, random;
	const char *words;
};

static unsigned int check_cell(struct slab_machine *m,
			       const struct slab_corruption *kind, int set,
			       int place, const struct variant *v)
{
	const char *cell = kind->found_by[set];
	const char *text = slab_matrix_set_text(set);
	struct found f = look(m, kind, text, places[place]);
	bool wanted = *cell && says(cell, places[place], v->hardened);

	if (f.fits != !!*cell) {
		printf("%s with flags %s, %s: found %s%s; the cell is \"%s\"\n",
		       kind->name, text, v->words,
		       f.fits ? "that it can be done" : "that it can not: ",
		       f.why, cell);
		return 1;
	}
	if (!f.fits && !*f.why) {
		printf("%s with flags %s is refused without saying why\n",
		       kind->name, text);
		return 1;
	}
	if ((f.by != NULL) == wanted)
		return 0;
	printf("%s with flags %s, %s, at %s: found %s, wanted %s (cell \"%s\")\n",
	       kind->name, text, v->words, place_names[place],
	       f.by ? f.by : "nothing", wanted ? "a report" : "nothing", cell);
	return 1;
}

static unsigned int check_kind(struct slab_machine *m,
			       const struct slab_corruption *kind,
			       const struct variant *v)
{
	unsigned int bad = 0;
	int set, place;

	for (set = 0; set < SLAB_NR_SETS; set++)
		for (place = 0; place < NR_PLACES; place++)
			bad += check_cell(m, kind, set, place, v);
	return bad;
}

static void print_kind(struct slab_machine *m,
		       const struct slab_corruption *kind)
{
	int set, place;

	printf("%-18s", kind->name);
	for (set = 0; set < SLAB_NR_SETS; set++) {
		char cell[NR_PLACES + 1], *p = cell;
		bool fits = true;

		for (place = 0; place < NR_PLACES; place++) {
			struct found f = look(m, kind,
					      slab_matrix_set_text(set),
					      places[place]);

			fits = f.fits;
			if (f.by)
				*p++ = places[place];
		}
		*p = '\0';
		printf(" %6s", !fits ? "n/a" : *cell ? cell : "-");
	}
	printf("\n");
}

static const struct variant variants[] = {
	{ false, false, "plain freelists" },
	{ true, false, "hardened freelists" },
	{ false, true, "shuffled freelists" },
	{ true, true, "hardened, shuffled freelists" },
};

static bool is_named(const char *name, char **names)
{
	bool any = false;

	for (; *names; names++) {
		if (**names == '-')
			continue;
		any = true;
		if (!strcmp(*names, name))
			return true;
	}
	return !any;
}

int main(int argc, char **argv)
{
	bool print = argc > 1 && !strcmp(argv[1], "--print");
	unsigned int bad = 0, kinds = 0, v;
	size_t i;

	/* hundreds of reports that are wanted */
	if (HAS_ASAN && !freopen("/dev/null", "w", stderr))
		die("no /dev/null");
	for (v = 0; v < 4; v++) {
		struct slab_machine_config config = {
			.seed = 7,
			.freelist_hardened = variants[v].hardened,
			.freelist_random = variants[v].random,
			.stack_depot_disable = true,
		};
		struct slab_machine *m;

		if (slab_machine_create_virtual(&config, &m))
			die("no machine");
		slab_machine_use(m);
		if (print)
			printf("%s\n", variants[v].words);
		for (i = 0; i < slab_nr_corruptions(); i++) {
			const struct slab_corruption *kind = slab_corruption(i);

			if (!is_named(kind->name, argv + 1))
				continue;
			kinds++;
			if (print)
				print_kind(m, kind);
			else
				bad += check_kind(m, kind, &variants[v]);
		}
		slab_machine_destroy(m);
	}
	if (!kinds)
		die("no kind of that name");
	if (!print)
		printf("%u cells, %u wrong\n", kinds * SLAB_NR_SETS * NR_PLACES,
		       bad);
	return bad != 0;
}
