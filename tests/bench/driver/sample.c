/* SPDX-License-Identifier: MIT */
/* driver/sample.c - see sample.h */
#define _GNU_SOURCE
#include "sample.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A program that hangs is a failed sample, not a failed run. */
#define TIMEOUT_SECONDS 120

static void program_path(const struct sampler *s, const struct row *row,
			 char ret[PATH_MAX])
{
	snprintf(ret, PATH_MAX, "%s/bench-%s", s->programs, row->program);
}

bool sample_has(const struct sampler *s, const struct row *row)
{
	char path[PATH_MAX];

	program_path(s, row, path);
	return !access(path, X_OK);
}

/* Rounds begin on one CPU and on the other in turn: they need not be equal. */
static _Noreturn void become(const struct sampler *s, const struct row *row,
			     const char *column, unsigned int round, int out)
{
	char path[PATH_MAX], cpus[32], ms[24], reps[24], seed[24];
	char *argv[8];
	unsigned int turn = s->nr_cpus ? round % s->nr_cpus : 0;
	int n = 0;

	program_path(s, row, path);
	snprintf(seed, sizeof(seed), "--seed=%u", round + 1);
	argv[n++] = path;
	argv[n++] = seed;
	if (s->nr_cpus == 2)
		snprintf(cpus, sizeof(cpus), "--cpus=%u,%u", s->cpus[turn],
			 s->cpus[!turn]);
	else
		snprintf(cpus, sizeof(cpus), "--cpus=%u", s->cpus[0]);
	if (s->nr_cpus)
		argv[n++] = cpus;
	snprintf(ms, sizeof(ms), "--ms=%u", s->ms);
	if (s->ms)
		argv[n++] = ms;
	snprintf(reps, sizeof(reps), "--reps=%u", s->reps);
	if (s->reps)
		argv[n++] = reps;
	if (row->argument)
		argv[n++] = (char *)row->argument;
	argv[n++] = (char *)column;
	argv[n] = NULL;
	dup2(out, STDOUT_FILENO);
	alarm(TIMEOUT_SECONDS);
	execv(path, argv);
	_exit(127);
}

static int read_all(int fd, char *text, size_t size)
{
	size_t length = 0;
	ssize_t got;

	while (length < size - 1) {
		got = read(fd, text + length, size - 1 - length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		length += (size_t)got;
	}
	text[length] = 0;
	return 0;
}

static int run(const struct sampler *s, const struct row *row,
	       const char *column, unsigned int round, char *text, size_t size)
{
	int ends[2], status;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (!pid)
		become(s, row, column, round, ends[1]);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return -errno;
	}
	read_all(ends[0], text, size);
	close(ends[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		fprintf(stderr, "bench: %s, %s: %s\n", row->name, column,
			WTERMSIG(status) == SIGALRM
				? "took too long"
				: strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		fprintf(stderr, "bench: %s, %s: exit status %d\n", row->name,
			column, WEXITSTATUS(status));
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EIO;
}

static int figure(const json_object *o, const char *name, double *ret)
{
	json_object *value;

	if (!json_object_object_get_ex(o, name, &value))
		return -EIO;
	*ret = json_object_get_double(value);
	return isfinite(*ret) ? 0 : -EIO;
}

int sample_take(const struct sampler *s, const struct row *row,
		const char *column, unsigned int round, double *ns,
		double memory[NR_MEMORY_ITEMS])
{
	char text[4096], *json;
	json_object *o = NULL;
	int err = run(s, row, column, round, text, sizeof(text));

	/* What a library prints when it starts stands before it. */
	json = strrchr(text, '{');
	if (!err)
		o = json ? json_tokener_parse(json) : NULL;
	if (!err && !column_is_memory(column))
		err = figure(o, "ns", ns);
	else
		for (size_t i = 0; !err && i < NR_MEMORY_ITEMS; i++)
			err = figure(o, memory_names[i], &memory[i]);
	json_object_put(o);
	return err;
}
