/* SPDX-License-Identifier: MIT */
/*
 * tests/property/main.c - random operations; what fails is shrunk
 *
 *	property [--seed N] [--seeds N] [--ops N] [--seconds N]
 *	property --campaign	the same, longer by default
 *	property --plant	every write goes one byte too far: must fail
 *	property --script	print what --seed and --ops do, for slabctl
 *
 * Seeds run one after the other until --seeds or --seconds are used up. Exits
 * 1 after the first failure: the seed, the number of ops, and a script.
 */
#include "property.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct choice {
	unsigned long seed, seeds, ops, seconds;
	bool plant, script;
};

static unsigned long number(const char *text)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 0);
	if (errno || *end || end == text || *text == '-') {
		fprintf(stderr, "property: \"%s\" is no number\n", text);
		exit(2);
	}
	return n;
}

static void usage(void)
{
	fprintf(stderr,
		"property [--campaign] [--seed N] [--seeds N] [--ops N] [--seconds N] [--plant | --script]\n");
	exit(2);
}

static struct choice choose(int argc, char **argv)
{
	static const struct option options[] = {
		{ "campaign", no_argument, NULL, 'c' },
		{ "seed", required_argument, NULL, 's' },
		{ "seeds", required_argument, NULL, 'n' },
		{ "ops", required_argument, NULL, 'o' },
		{ "seconds", required_argument, NULL, 't' },
		{ "plant", no_argument, NULL, 'p' },
		{ "script", no_argument, NULL, 'x' },
		{ NULL, 0, NULL, 0 },
	};
	struct choice c = { .seed = 1, .seeds = 40, .ops = 4000 };
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			c.seeds = 20;
			c.ops = 500000;
			break;
		case 's':
			c.seed = number(optarg);
			break;
		case 'n':
			c.seeds = number(optarg);
			break;
		case 'o':
			c.ops = number(optarg);
			break;
		case 't':
			c.seconds = number(optarg);
			break;
		case 'p':
			c.plant = true;
			break;
		case 'x':
			c.script = true;
			break;
		default:
			usage();
		}
	}
	if (optind != argc || !c.ops)
		usage();
	return c;
}

static void report_failure(const struct settings *settings, struct op *ops,
			   size_t nr, struct outcome *outcome)
{
	unsigned int runs;

	if (outcome->at + 1 < nr)
		nr = outcome->at + 1;
	printf("FAILED --seed %llu --ops %zu%s\n%s\n",
	       (unsigned long long)settings->seed, nr,
	       settings->plant ? " --plant" : "", outcome->text);
	runs = shrink(settings, ops, &nr, outcome);
	printf("shrunk to %zu ops in %u runs; then: %s\n\n", nr, runs,
	       outcome->text);
	print_script(settings, ops, nr);
}

static bool run_seed(uint64_t seed, const struct choice *c)
{
	struct settings settings = settings_for(seed);
	struct op *ops = malloc(c->ops * sizeof(*ops));
	struct outcome outcome = { 0 };
	size_t i;

	if (!ops)
		abort();
	settings.plant = c->plant;
	for (i = 0; i < c->ops; i++)
		ops[i] = op_for(seed, i);
	if (c->script)
		print_script(&settings, ops, c->ops);
	else
		run_apart(&settings, ops, c->ops, &outcome);
	if (outcome.failed)
		report_failure(&settings, ops, c->ops, &outcome);
	free(ops);
	return !outcome.failed;
}

int main(int argc, char **argv)
{
	struct choice c = choose(argc, argv);
	time_t start = time(NULL);
	unsigned long i;

	for (i = 0; i < c.seeds; i++) {
		if (c.seconds && time(NULL) - start >= (time_t)c.seconds)
			break;
		if (!run_seed(c.seed + i, &c))
			return 1;
		if (c.script)
			return 0;
		if (c.ops >= 20000) {
			printf("seed %lu: %lu ops, clean\n", c.seed + i, c.ops);
			fflush(stdout);
		}
	}
	printf("%lu seeds of %lu ops from seed %lu: clean, %ld s\n", i, c.ops,
	       c.seed, (long)(time(NULL) - start));
	return 0;
}
