/* SPDX-License-Identifier: MIT */
/*
 * main.c - slab-oracle: a measured kernel judges the library
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

static const char usage[] =
	"usage: slab-oracle COMMAND [OPTION]... PATH\n"
	"\n"
	"  run DIR        replay the cases of DIR's .log files and compare\n"
	"  geometry FILE  caches of geometry.tsv\n"
	"  layout FILE    object bytes of layout.tsv\n"
	"  caches FILE    a running kernel's caches (kernel-6.18-caches.tsv)\n"
	"  print FILE     the cases of a .log file as they were understood\n"
	"  normal PATH    the same, as they are compared\n"
	"  replay PATH    our answers, in the same grammar\n"
	"\n"
	"  -v, --verbose       a line for each case or row that agrees, too\n"
	"      --show CASE     one case, with what differs\n"
	"  -d, --differing     what differs, for every case that differs\n"
	"      --no-sheaves    on caches without sheaves, which 7.0 has, too: "
	"a\n"
	"                      check of the slabs' own paths\n"
	"      --rules         what the rules of a run say\n"
	"      --seed N        first seed of the machine (1)\n"
	"      --seeds N       seeds tried for a case whose answer depends on\n"
	"                      the order of free objects (500)\n"
	"\n"
	"Each ends with: N agree, N explained, N differ. The exit code is 0 "
	"when\n"
	"0 differ, 1 when any does, 2 when the question could not be asked.\n";

int main(int argc, char **argv)
{
	enum { OPT_SHOW = 256, OPT_RULES, OPT_SEED, OPT_SEEDS, OPT_NO_SHEAVES };
	static const struct option options[] = {
		{ "verbose", no_argument, NULL, 'v' },
		{ "show", required_argument, NULL, OPT_SHOW },
		{ "differing", no_argument, NULL, 'd' },
		{ "rules", no_argument, NULL, OPT_RULES },
		{ "no-sheaves", no_argument, NULL, OPT_NO_SHEAVES },
		{ "seed", required_argument, NULL, OPT_SEED },
		{ "seeds", required_argument, NULL, OPT_SEEDS },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct run_options run = { .seed = 1, .nr_seeds = 500 };
	const char *command, *path;
	int opt;

	while ((opt = getopt_long(argc, argv, "vdh", options, NULL)) != -1) {
		switch (opt) {
		case 'v':
			run.is_verbose = true;
			break;
		case 'd':
			run.show_differing = true;
			break;
		case OPT_SHOW:
			run.show = optarg;
			break;
		case OPT_RULES:
			run.list_rules = true;
			break;
		case OPT_NO_SHEAVES:
			run.no_sheaves = true;
			break;
		case OPT_SEED:
			run.seed = strtoull(optarg, NULL, 0);
			break;
		case OPT_SEEDS:
			run.nr_seeds = (unsigned int)strtoul(optarg, NULL, 0);
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (argc - optind != 2) {
		fputs(usage, stderr);
		return 2;
	}
	command = argv[optind];
	path = argv[optind + 1];
	if (!strcmp(command, "run"))
		return command_run(path, &run);
	if (!strcmp(command, "geometry"))
		return command_geometry(path, run.is_verbose);
	if (!strcmp(command, "layout"))
		return command_layout(path, run.is_verbose);
	if (!strcmp(command, "caches"))
		return command_caches(path, run.is_verbose);
	if (!strcmp(command, "print"))
		return command_print(path);
	if (!strcmp(command, "normal"))
		return command_normal(path, run.show);
	if (!strcmp(command, "replay"))
		return command_replay(path, run.show, run.seed);
	fprintf(stderr, "slab-oracle: no command '%s'\n%s", command, usage);
	return 2;
}
