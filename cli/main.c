/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * main.c - slabctl: options, and which of shell, script, command or test it is
 *
 * All but the shell run in a child process: a value too large for the Tcl
 * library, a loop that nothing stops or a machine that crashes ends there, and
 * the parent tells so.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "command.h"
#include "help.h"
#include "interp.h"
#include "lesson.h"
#include "output.h"
#include "shell.h"
#include "stop.h"
#include "test_runner.h"

#ifndef SLAB_VERSION
#define SLAB_VERSION "0"
#endif

#define MAX_COMMANDS 256

struct work {
	const char *argv0;
	const char *command[MAX_COMMANDS]; /* -c */
	size_t nr_commands;
	const char *script; /* -f; NULL: none */
	char **words;	    /* what is left of the line */
	size_t nr_words;
};

enum {
	OPT_NDJSON = 256,
	OPT_SEED,
	OPT_CPUS,
	OPT_NODES,
	OPT_SLAB_DEBUG,
	OPT_SYSCTL,
	OPT_COLOR,
	OPT_ASCII,
	OPT_WIDTH,
	OPT_KEEP_GOING,
	OPT_TRUSTED,
	OPT_LIMIT_TIME,
	OPT_RECORD,
	OPT_NATIVE,
	OPT_LATER
};

const struct option slabctl_options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "pretty", no_argument, NULL, 'p' },
	{ "ndjson", no_argument, NULL, OPT_NDJSON },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "cpus", required_argument, NULL, OPT_CPUS },
	{ "nodes", required_argument, NULL, OPT_NODES },
	{ "slab-debug", optional_argument, NULL, OPT_SLAB_DEBUG },
	{ "sysctl", required_argument, NULL, OPT_SYSCTL },
	{ "color", required_argument, NULL, OPT_COLOR },
	{ "ascii", no_argument, NULL, OPT_ASCII },
	{ "width", required_argument, NULL, OPT_WIDTH },
	{ "keep-going", no_argument, NULL, OPT_KEEP_GOING },
	{ "trusted", no_argument, NULL, OPT_TRUSTED },
	{ "limit-time", required_argument, NULL, OPT_LIMIT_TIME },
	{ "record", required_argument, NULL, OPT_RECORD },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ "native", no_argument, NULL, OPT_NATIVE },
	{ "pid", required_argument, NULL, OPT_LATER },
	{ "core", required_argument, NULL, OPT_LATER },
	{ "exe", required_argument, NULL, OPT_LATER },
	{ "snap", required_argument, NULL, OPT_LATER },
	{ "sys", no_argument, NULL, OPT_LATER },
	{ 0 },
};

/* ---- options ---- */

static int option_index; /* of the long option that was found last */

static int set_color(const char *when)
{
	static const char *const words[] = { "auto", "always", "never" };
	int i;

	for (i = 0; i < 3; i++) {
		if (!strcmp(words[i], when)) {
			session.opt.color = (enum color)i;
			return 0;
		}
	}
	return fail("usage", "auto, always or never",
		    "--color can not be \"%s\"", when);
}

static int set_width(const char *text)
{
	uint64_t n;

	if (number_parse("--width", text, 10000, &n))
		return -EINVAL;
	if (n && n < 40)
		return fail("number", "0: no limit",
			    "--width %s: at least 40 columns are needed", text);
	session.opt.width = n ? (unsigned int)n : UINT32_MAX;
	return 0;
}

static int set_limit_time(const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !(seconds > 0) || seconds > 1e6)
		return fail("number", "--limit-time 2.5",
			    "--limit-time: \"%s\" is no number of seconds",
			    text);
	session.opt.limit_time = seconds;
	return 0;
}

static int set_sysctl(const char *text)
{
	const char *value = strchr(text, '=');
	char name[64];

	if (!value || (size_t)(value - text) >= sizeof(name))
		return fail("usage", "--sysctl slab_max_order=0",
			    "--sysctl wants NAME=VALUE");
	snprintf(name, sizeof(name), "%.*s", (int)(value - text), text);
	return session_set_machine_option(&session.opt, name, value + 1);
}

static int add_command(struct work *w, const char *text)
{
	if (w->nr_commands == MAX_COMMANDS)
		return fail("usage", "-f runs a file", "too many -c");
	w->command[w->nr_commands++] = text;
	return 0;
}

static int fail_option(char **argv, int c)
{
	const char *names[64];
	const char *option = argv[optind - 1];
	char word[64];
	size_t i, n;

	if (c == ':')
		return fail("usage", "slabctl -h", "%s wants a value", option);
	if (optopt && optopt < 256 && option[0] == '-' && option[1] != '-')
		return fail("usage", "slabctl -h", "no option -%c", optopt);
	snprintf(word, sizeof(word), "%s", option + 2);
	n = strcspn(word, "=");
	for (i = 0; slabctl_options[i].name; i++)
		names[i] = slabctl_options[i].name;
	fail("usage", "slabctl -h", "no option %.*s", (int)n + 2, option);
	word[n] = '\0';
	if (nearest(word, names, i))
		snprintf(session.error.hint, sizeof(session.error.hint), "--%s",
			 nearest(word, names, i));
	return -EINVAL;
}

static int show_help(int argc, char **argv)
{
	struct model *m;
	int err;

	if (optind == argc) {
		help_usage(stdout);
		exit(output_end(EXIT_FINE));
	}
	m = model_new(&help_returns);
	err = help_about(m, (const char *const *)argv + optind,
			 (size_t)(argc - optind));
	if (!err)
		output_model("help", m);
	model_put(m);
	if (err)
		return err;
	exit(output_end(EXIT_FINE));
}

static int take_option(int c, int argc, char **argv, struct work *w)
{
	struct options *o = &session.opt;

	switch (c) {
	case 'c':
		return add_command(w, optarg);
	case 'f':
		if (w->script)
			return fail("usage", NULL, "there can be one -f");
		w->script = optarg;
		return 0;
	case 'j':
		o->format = FORMAT_JSON;
		return 0;
	case 'p':
		o->format = FORMAT_PRETTY;
		return 0;
	case OPT_NDJSON:
		o->format = FORMAT_NDJSON;
		return 0;
	case 'q':
		o->is_quiet = true;
		return 0;
	case 'h':
		return show_help(argc, argv);
	case 'V':
		puts("slabctl " SLAB_VERSION);
		exit(output_end(EXIT_FINE));
	case OPT_SEED:
		return session_set_machine_option(o, "seed", optarg);
	case OPT_CPUS:
		return session_set_machine_option(o, "cpus", optarg);
	case OPT_NODES:
		return session_set_machine_option(o, "nodes", optarg);
	case OPT_SLAB_DEBUG:
		return session_set_machine_option(o, "slab-debug",
						  optarg ? optarg : "");
	case OPT_SYSCTL:
		return set_sysctl(optarg);
	case OPT_COLOR:
		return set_color(optarg);
	case OPT_ASCII:
		o->is_ascii = true;
		return 0;
	case OPT_WIDTH:
		return set_width(optarg);
	case OPT_KEEP_GOING:
		o->keeps_going = true;
		return 0;
	case OPT_TRUSTED:
		o->is_trusted = true;
		return 0;
	case OPT_LIMIT_TIME:
		return set_limit_time(optarg);
	case OPT_RECORD:
		o->record = optarg;
		return 0;
	case OPT_NATIVE:
		o->is_native = true;
		return 0;
	case OPT_LATER:
		return fail("usage", "without it: a virtual machine",
			    "this version has no --%s yet",
			    slabctl_options[option_index].name);
	default:
		return fail_option(argv, c);
	}
}

static int parse_options(int argc, char **argv, struct work *w)
{
	int c, i;

	/* a usage error behind --json is JSON too */
	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--json") || !strcmp(argv[i], "-j"))
			session.opt.format = FORMAT_JSON;
	}
	opterr = 0;
	session.opt.limit_time = -1;
	while ((c = getopt_long(argc, argv, "+:c:f:jpqhV", slabctl_options,
				&option_index)) != -1) {
		if (take_option(c, argc, argv, w))
			return -EINVAL;
	}
	if (session_check_options(&session.opt))
		return -EINVAL;
	if (session.opt.limit_time < 0)
		session.opt.limit_time = session.opt.is_trusted ? 0 : 60;
	w->words = argv + optind;
	w->nr_words = (size_t)(argc - optind);
	return 0;
}

/* ---- work ---- */

static unsigned int count_lines(const char *text)
{
	unsigned int n = 1;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* The worse of two codes; true when the script ends here. */
static bool worse(int *code, int now)
{
	bool is_error = session.error.code[0];

	if (now > *code)
		*code = now;
	return session.wants_quit || output_failed() ||
	       (is_error && !session.opt.keeps_going) || interrupted;
}

static char *join_words(const struct work *w)
{
	Tcl_Obj *list = Tcl_NewListObj(0, NULL);
	char *text;
	size_t i;

	for (i = 0; i < w->nr_words; i++)
		Tcl_ListObjAppendElement(NULL, list,
					 Tcl_NewStringObj(w->words[i], -1));
	text = must_strdup(Tcl_GetString(list));
	Tcl_DecrRefCount(list);
	return text;
}

static int run_parts(const struct work *w)
{
	unsigned int line = 1;
	int code = EXIT_FINE;
	char *text;
	size_t i;

	for (i = 0; i < w->nr_commands; i++) {
		session.shows_results = true;
		if (worse(&code, interp_text(w->command[i], "command", line)))
			return code;
		session.shows_results = false;
		record_line(w->command[i]);
		line += count_lines(w->command[i]);
	}
	if (w->script) {
		worse(&code, interp_file(w->script, w->words));
	} else if (w->nr_words) {
		if (worse(&code, interp_words(w->words, w->nr_words)))
			return code;
		text = join_words(w);
		record_line(text);
		free(text);
	} else if (!w->nr_commands) {
		worse(&code, interp_file("-", NULL));
	}
	return code;
}

/* A script that leaves a CPU in the middle of something is told so. */
static void finish_stopped(int *code)
{
	struct cli_error before = session.error;
	bool was_error = before.code[0];

	memset(&session.error, 0, sizeof(session.error));
	if (stop_finish_all() && !was_error) {
		output_error();
		*code = *code ? *code : EXIT_BAD_ANSWER;
	} else {
		session.error = before;
	}
}

static int run_work(void *arg)
{
	struct work *w = arg;
	int code;

	signal(SIGINT, SIG_DFL); /* until a script runs */
	if (!session.opt.is_trusted)
		child_limit_memory();
	session_init();
	if (session.opt.record)
		record_open(session.opt.record);
	if (interp_create(w->argv0)) {
		output_error();
		return EXIT_USAGE;
	}
	code = run_parts(w);
	finish_stopped(&code);
	record_close();
	if (!strcmp(session.error.code, "interrupted"))
		return CODE_INTERRUPTED;
	return code;
}

static int tell_end(const struct child_result *r)
{
	if (r->signal == SIGINT || r->code == CODE_INTERRUPTED) {
		signal(SIGINT, SIG_DFL);
		raise(SIGINT); /* a shell wants to see it */
	}
	if (r->timed_out) {
		fail("time_limit", "--limit-time S gives more",
		     "the script ran longer than %g s and was killed",
		     session.opt.limit_time);
		output_error();
		return output_end(EXIT_USAGE);
	}
	if (r->signal) {
		fail("died", NULL, "the machine died: %s",
		     strsignal(r->signal));
		session.error.exit = EXIT_DIED;
		output_error();
		return output_end(EXIT_DIED);
	}
	return r->code;
}

static int run_in_child(struct work *w)
{
	double limit = session.opt.limit_time;
	struct child_result r;
	int err;

	signal(SIGINT, SIG_IGN); /* the child's affair */
	/* the script's own limit ends it first, wherever Tcl can */
	err = child_run(run_work, w, limit > 0 ? 1.2 * limit + 3 : 0, false,
			&r);
	if (err) {
		fail("process", NULL, "no process for the script: %s",
		     strerror(-err));
		output_error();
		return EXIT_USAGE;
	}
	return tell_end(&r);
}

/* The shell; or a lesson, which is played in a process of its own. */
static int run_with_prompt(const struct work *w)
{
	int code;

	session_init();
	if (session.opt.record)
		record_open(session.opt.record);
	if (interp_create(w->argv0)) {
		output_error();
		return EXIT_USAGE;
	}
	if (w->nr_words) {
		lesson_can_play = true;
		code = interp_words(w->words, w->nr_words);
		if (lesson_is_asked_for())
			code = lesson_play();
	} else {
		code = shell_run();
		finish_stopped(&code);
	}
	record_close();
	code = output_end(code); /* reports that are left are the session's */
	interp_destroy();
	session_fini();
	return code;
}

/* Descriptors 0 to 2 that are closed would be given to other files. */
static void open_standard_files(void)
{
	int fd;

	for (fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			open("/dev/null", fd ? O_RDONLY : O_WRONLY);
	}
}

int main(int argc, char **argv)
{
	struct work w = { .argv0 = argv[0] };

	open_standard_files();
	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);
	if (parse_options(argc, argv, &w)) {
		output_error();
		return output_end(EXIT_USAGE);
	}
	if (w.nr_words && !w.script && !strcmp(w.words[0], "test")) {
		session_init();
		return output_end(test_main((int)w.nr_words, w.words));
	}
	if (w.nr_words && !w.script && !strcmp(w.words[0], "lesson"))
		return run_with_prompt(&w);
	if (!w.nr_words && !w.script && !w.nr_commands &&
	    isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return run_with_prompt(&w);
	return run_in_child(&w);
}
