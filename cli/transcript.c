/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * transcript.c - types the lines behind the prompts, looks at what comes
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "command.h"
#include "interp.h"
#include "output.h"
#include "shell.h"
#include "transcript.h"

struct text {
	FILE *f;
	char *bytes;
	size_t size;
};

static void text_open(struct text *t)
{
	t->f = open_memstream(&t->bytes, &t->size);
	if (!t->f)
		die_no_memory();
}

static bool begins(const char *line, const char *with)
{
	return !strncmp(line, with, strlen(with));
}

static const char *next_line(const char *p)
{
	p += strcspn(p, "\n");
	return *p ? p + 1 : p;
}

/* Runs command with stdout and stderr going to `to`. */
static void run_captured(const char *command, unsigned int line, FILE *to)
{
	int fd = memfd_create("answer", MFD_CLOEXEC);
	int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
	char bytes[4096];
	off_t at = 0;
	ssize_t n;

	if (fd < 0 || out < 0 || err < 0)
		die_no_memory();
	output_flush();
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	session.is_typing = true;
	interp_text(command, "shell", line);
	session.is_typing = false;
	output_flush();
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	close(out);
	close(err);
	while ((n = pread(fd, bytes, sizeof(bytes), at)) > 0) {
		fwrite(bytes, 1, (size_t)n, to);
		at += n;
	}
	close(fd);
}

int transcript_machine(const char *line)
{
	char copy[512], *word;
	int err = 0;

	snprintf(copy, sizeof(copy), "%.*s", (int)strcspn(line, "\n"), line);
	for (word = strtok(copy, " \t"); word && !err;
	     word = strtok(NULL, " \t")) {
		char *value = strchr(word, '=');

		if (!value)
			return fail("usage", "# machine: cpus=2 seed=7",
				    "\"%s\" is no key=value", word);
		*value++ = '\0';
		err = session_set_machine_option(&session.opt, word, value);
	}
	return err;
}

/* Plays text into `to`, as it would stand on a screen now. */
static int play(const char *text, FILE *to)
{
	unsigned int line = 1;
	const char *p = text;

	for (; *p && !begins(p, PROMPT); p = next_line(p)) {
		fprintf(to, "%.*s", (int)(next_line(p) - p), p);
		if (begins(p, "# machine:") &&
		    transcript_machine(p + strlen("# machine:")))
			return -EINVAL;
	}
	while (*p && !session.wants_quit) {
		struct text command;

		text_open(&command);
		do {
			const char *end = next_line(p);

			fprintf(to, "%.*s", (int)(end - p), p);
			fprintf(command.f, "%.*s",
				(int)(end - p - (ptrdiff_t)strlen(PROMPT)),
				p + strlen(PROMPT));
			p = end;
		} while (begins(p, CONTINUE));
		fclose(command.f);
		run_captured(command.bytes, line, to);
		for (text = command.bytes; *text; text++)
			line += *text == '\n';
		free(command.bytes);
		while (*p && !begins(p, PROMPT))
			p = next_line(p);
	}
	return 0;
}

static void tell_difference(const char *want, const char *got,
			    struct scenario_result *r)
{
	unsigned int line = 1;

	while (*want && *got) {
		size_t n = (size_t)(next_line(want) - want);

		if (n != (size_t)(next_line(got) - got) || memcmp(want, got, n))
			break;
		want += n;
		got += n;
		line++;
	}
	r->outcome = OUTCOME_FAILED;
	r->line = line;
	snprintf(r->message, sizeof(r->message),
		 "the answer differs from here on");
	snprintf(r->hint, sizeof(r->hint), "--update writes what came");
	snprintf(r->detail, sizeof(r->detail), "- %.*s\n+ %.*s\n",
		 (int)strcspn(want, "\n"), want, (int)strcspn(got, "\n"), got);
}

static int write_file(const char *path, const struct text *t)
{
	FILE *f = fopen(path, "we");

	if (!f)
		return -errno;
	fwrite(t->bytes, 1, t->size, f);
	errno = 0;
	return ferror(f) | fclose(f) ? -(errno ? errno : EIO) : 0;
}

static void take_error(struct scenario_result *r)
{
	r->outcome = OUTCOME_MISTAKE;
	snprintf(r->message, sizeof(r->message), "%s", session.error.message);
	snprintf(r->hint, sizeof(r->hint), "%s", session.error.hint);
}

void transcript_run(const char *path, bool updates, struct scenario_result *ret)
{
	const char *name = strrchr(path, '/');
	struct text now;
	size_t size = 0;
	char *text;
	int err;

	snprintf(ret->title, sizeof(ret->title), "transcript");
	snprintf(ret->file, sizeof(ret->file), "%.120s",
		 name ? name + 1 : path);
	session.opt.width = 80;
	session.opt.is_ascii = true;
	session.opt.color = COLOR_NEVER;
	session.is_shell = session.shows_results = true;
	ret->outcome = OUTCOME_OK;
	text = interp_read_file(path, &size);
	if (!text) {
		take_error(ret);
		return;
	}
	text_open(&now);
	err = play(text, now.f);
	fclose(now.f);
	if (err) {
		take_error(ret);
	} else if (strcmp(text, now.bytes)) {
		if (!updates)
			tell_difference(text, now.bytes, ret);
		else if ((err = write_file(path, &now)))
			snprintf(ret->message, sizeof(ret->message),
				 "it can not be written: %s", strerror(-err));
		if (err)
			ret->outcome = OUTCOME_MISTAKE;
	}
	free(now.bytes);
	free(text);
}
