/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_runner.c - scenario files, a process each, some at a time; what became
 * of them for people, as TAP, as JUnit and as JSON
 *
 *	slabctl test --+-- file --+-- scenario
 *		       |          +-- scenario
 *		       +-- file ...		(results come up through pipes)
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "command.h"
#include "interp.h"
#include "lesson.h"
#include "output.h"
#include "scenario.h"
#include "test_output.h"
#include "test_runner.h"
#include "transcript.h"

#define MAX_JOBS 64

static struct test_file *file;
static size_t nr_files;

static void add_file(const char *path)
{
	file = realloc(file, (nr_files + 1) * sizeof(*file));
	if (!file)
		die_no_memory();
	memset(&file[nr_files], 0, sizeof(*file));
	file[nr_files++].path = must_strdup(path);
}

static bool ends_with(const char *name, const char *suffix)
{
	size_t n = strlen(name), k = strlen(suffix);

	return n > k && !strcmp(name + n - k, suffix);
}

static int add_folder(const char *path)
{
	struct dirent **entry;
	int n = scandir(path, &entry, NULL, alphasort), i, err = 0;

	if (n < 0)
		return fail("no_file", NULL, "%s: %s", path, strerror(errno));
	for (i = 0; i < n; i++) {
		const char *name = entry[i]->d_name;
		char below[4096];
		struct stat st;

		snprintf(below, sizeof(below), "%s/%s", path, name);
		if (err || name[0] == '.' || stat(below, &st))
			;
		else if (S_ISDIR(st.st_mode))
			err = add_folder(below);
		else if (ends_with(name, ".slab") ||
			 ends_with(name, TRANSCRIPT_SUFFIX))
			add_file(below);
		free(entry[i]);
	}
	free(entry);
	return err;
}

static int add_path(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return fail("no_file", NULL, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return add_folder(path);
	add_file(path);
	return 0;
}

/* ---- a file's process ---- */

static int results; /* pipe to the runner */

static void write_all(const void *bytes, size_t n)
{
	while (n) {
		ssize_t done = write(results, bytes, n);

		if (done <= 0)
			_exit(EXIT_DIED);
		bytes = (const char *)bytes + done;
		n -= (size_t)done;
	}
}

/* A result and, behind it, what it wrote. */
static void send_result(const struct scenario_result *r)
{
	size_t n = r->output ? strlen(r->output) : 0;

	write_all(r, sizeof(*r));
	write_all(&n, sizeof(n));
	write_all(r->output, n);
}

static void run_file(const char *path, bool updates)
{
	struct scenario_result r = { .outcome = OUTCOME_MISTAKE };
	enum exit_code code;

	signal(SIGINT, SIG_DFL);
	if (interp_create("slabctl"))
		_exit(EXIT_USAGE);
	child_limit_memory();
	session.has_watchdog = session.opt.limit_time > 0;
	if (ends_with(path, TRANSCRIPT_SUFFIX)) {
		transcript_run(path, updates, &r);
		r.output = "";
		send_result(&r);
		_exit(0);
	}
	if (lesson_is(path)) {
		lesson_test(path, send_result);
		_exit(0);
	}
	scenario_listener = send_result;
	session.is_quiet_about_errors = session.opt.is_quiet = true;
	code = interp_file(path, NULL);
	output_flush();
	if (session.error.code[0] && code != EXIT_FINE) {
		const struct cli_error *e = &session.error;

		if (e->exit == EXIT_BAD_ANSWER)
			r.outcome = OUTCOME_FAILED;
		snprintf(r.title, sizeof(r.title), "outside any scenario");
		snprintf(r.message, sizeof(r.message), "%s", e->message);
		snprintf(r.hint, sizeof(r.hint), "%s", e->hint);
		snprintf(r.file, sizeof(r.file), "%s", e->file);
		r.line = e->line;
		r.output = "";
		send_result(&r);
	}
	_exit(0);
}

/* ---- the runner ---- */

struct job {
	struct test_file *file; /* NULL: free */
	pid_t pid;
	int fd;
	char *bytes; /* as they came */
	size_t nr;
};

static void start(struct job *j, struct test_file *f, bool updates)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC))
		die_no_memory();
	output_flush();
	j->file = f;
	j->pid = fork();
	if (j->pid < 0)
		die_no_memory();
	if (!j->pid) {
		close(fd[0]);
		results = fd[1];
		run_file(f->path, updates);
	}
	close(fd[1]);
	j->fd = fd[0];
}

static void add_result(struct test_file *f, const struct scenario_result *r,
		       const char *output)
{
	f->result = realloc(f->result, (f->nr + 1) * sizeof(struct scenario_result *));
	if (!f->result)
		die_no_memory();
	f->result[f->nr] = must_alloc(sizeof(*r));
	*f->result[f->nr] = *r;
	f->result[f->nr++]->output = must_strdup(output);
}

/* Takes whole records off the front of what came. */
static void parse(struct job *j)
{
	struct scenario_result r;
	size_t at = 0, n;

	while (j->nr - at >= sizeof(r) + sizeof(n)) {
		char *output;

		memcpy(&r, j->bytes + at, sizeof(r));
		memcpy(&n, j->bytes + at + sizeof(r), sizeof(n));
		if (j->nr - at - sizeof(r) - sizeof(n) < n)
			break;
		at += sizeof(r) + sizeof(n);
		output = must_alloc(n + 1);
		memcpy(output, j->bytes + at, n);
		at += n;
		add_result(j->file, &r, output);
		free(output);
	}
	memmove(j->bytes, j->bytes + at, j->nr - at);
	j->nr -= at;
}

static void finish(struct job *j)
{
	struct scenario_result r = { .outcome = OUTCOME_DIED };
	int status = 0;

	close(j->fd);
	waitpid(j->pid, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		snprintf(r.title, sizeof(r.title), "outside any scenario");
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
			snprintf(r.message, sizeof(r.message),
				 "it did not end within %g s",
				 session.opt.limit_time);
		else if (WIFSIGNALED(status))
			snprintf(r.message, sizeof(r.message),
				 "the file's process died: %s",
				 strsignal(WTERMSIG(status)));
		else /* die_no_memory() and Tcl's panic end so */
			snprintf(r.message, sizeof(r.message),
				 "it used more memory than a script may");
		if (WIFEXITED(status) || WTERMSIG(status) == SIGALRM)
			r.outcome = OUTCOME_MISTAKE;
		add_result(j->file, &r, "");
	}
	j->file->is_done = true;
	j->file = NULL;
	j->nr = 0;
}

static void read_job(struct job *j)
{
	char bytes[65536];
	ssize_t n = read(j->fd, bytes, sizeof(bytes));

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		finish(j);
		return;
	}
	j->bytes = realloc(j->bytes, j->nr + (size_t)n);
	if (!j->bytes)
		die_no_memory();
	memcpy(j->bytes + j->nr, bytes, (size_t)n);
	j->nr += (size_t)n;
	parse(j);
}

/* Runs all; tells each file as soon as those in front of it are told. */
static void run_all(struct test_output *to, size_t nr_jobs)
{
	struct job job[MAX_JOBS] = { { 0 } };
	size_t next = 0, told = 0, i;

	while (told < nr_files && !interrupted) {
		struct pollfd p[MAX_JOBS];

		for (i = 0; i < nr_jobs; i++) {
			if (!job[i].file && next < nr_files)
				start(&job[i], &file[next++], to->updates);
			p[i].fd = job[i].file ? job[i].fd : -1;
			p[i].events = POLLIN;
		}
		if (poll(p, nr_jobs, -1) < 0)
			continue;
		for (i = 0; i < nr_jobs; i++) {
			if (job[i].file && p[i].revents)
				read_job(&job[i]);
		}
		for (; told < nr_files && file[told].is_done; told++)
			test_output_file(to, &file[told]);
	}
	for (i = 0; i < nr_jobs; i++) {
		if (job[i].file)
			kill(job[i].pid, SIGTERM);
		free(job[i].bytes);
	}
}

static int parse_jobs(const char *text, size_t *ret)
{
	uint64_t n = 0;

	if (number_parse("--jobs", text, MAX_JOBS, &n))
		return -EINVAL;
	*ret = n ? (size_t)n : 1;
	return 0;
}

static int parse_options(int argc, char **argv, struct test_output *to,
			 size_t *jobs)
{
	static const struct option options[] = {
		{ "tap", no_argument, NULL, 't' },
		{ "junit", required_argument, NULL, 'u' },
		{ "jobs", required_argument, NULL, 'J' },
		{ "filter", required_argument, NULL, 'f' },
		{ "update", no_argument, NULL, 'U' },
		{ 0 },
	};
	int c;

	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		switch (c) {
		case 't':
			to->is_tap = true;
			break;
		case 'u':
			to->junit = optarg;
			break;
		case 'J':
			if (parse_jobs(optarg, jobs))
				return -EINVAL;
			break;
		case 'f':
			scenario_filter = to->filter = optarg;
			break;
		case 'U':
			to->updates = true;
			break;
		case ':':
			return fail("usage", NULL, "test: %s wants a value",
				    argv[optind - 1]);
		default:
			return fail("usage",
				    "--tap, --junit FILE, --jobs N, --filter "
				    "GLOB, --update",
				    "test: no option %s", argv[optind - 1]);
		}
	}
	if (optind == argc)
		return fail("usage", "slabctl test fixtures/scenarios",
			    "test: which files or folders?");
	return 0;
}

static void on_interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

enum exit_code test_main(int argc, char **argv)
{
	struct test_output to = { .first_path = NULL };
	struct sigaction action = { .sa_handler = on_interrupt };
	size_t jobs = 1;
	int i;

	if (parse_options(argc, argv, &to, &jobs)) {
		output_error();
		return EXIT_USAGE;
	}
	for (i = optind; i < argc; i++) {
		if (add_path(argv[i])) {
			output_error();
			return EXIT_USAGE;
		}
	}
	sigaction(SIGINT, &action, NULL);
	test_output_begin(&to);
	run_all(&to, jobs);
	if (interrupted) {
		signal(SIGINT, SIG_DFL);
		raise(SIGINT);
	}
	return test_output_end(&to, file, nr_files);
}
