/* SPDX-License-Identifier: MIT */
/*
 * replay.c - a case's commands on a fresh machine, in a child of its own
 *
 * A crash or a loop is that case's answer. The child writes a .log file to a
 * pipe, so that one parser and one normaliser read the kernel's answers and
 * ours.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../patience.h"
#include "replay.h"

static void print_line(void *arg, const char *line)
{
	fprintf(arg, "%s\n", line);
}

static void sink(void *arg, const struct slab_report *report)
{
	slab_report_print(report, print_line, arg);
}

static int machine_start(const struct oracle_case *c, uint64_t seed,
			 struct runner *r)
{
	struct slab_machine_config config = {
		.seed = seed,
		.freelist_hardened = true,
		.freelist_random = true,
		.asan_off = true, /* that kernel had no KASAN */
	};
	struct words w;
	int err;

	words_split(&w, c->boot && strcmp(c->boot, "-") ? c->boot : "");
	for (size_t i = 0; i < w.nr; i++) {
		if (starts_with(w.at[i], "slab_debug=") ||
		    starts_with(w.at[i], "slub_debug="))
			config.slab_debug = w.at[i] + strlen("slab_debug=");
	}
	err = slab_machine_create_virtual(&config, &r->m);
	if (err)
		return err;
	slab_machine_use(r->m);
	err = slab_machine_sysctl(r->m, "slab_nomerge", "1");
	if (!err)
		err = slab_machine_add_sink(r->m, sink, r->out);
	if (!err)
		err = slab_target_open_self(r->m, &r->target);
	return err;
}

int replay_print(const struct oracle_case *c, uint64_t seed, FILE *out)
{
	struct runner *r = must(calloc(1, sizeof(*r)));
	int err;

	r->out = out;
	r->no_sheaves = c->no_sheaves;
	err = machine_start(c, seed, r);
	if (err) {
		fprintf(stderr, "%s: no machine: %s\n", c->name,
			strerror(-err));
		free(r);
		return err;
	}
	fprintf(out, "@@ BEGIN %s\n@@ boot %s\n", c->name,
		c->boot ? c->boot : "-");
	for (size_t i = 0; i < c->nr_steps; i++) {
		const struct step *step = &c->steps[i];
		const char *command = step->command;

		if (step->is_phase) {
			if (starts_with(command, "phase "))
				command += strlen("phase ");
			fprintf(out, "@@ PHASE %s\n", command);
			continue;
		}
		fprintf(out, "@@ > %s\n", command);
		/* what a crash leaves must say where it was */
		fflush(out);
		run_command(r, command);
	}
	fprintf(out, "@@ END %s\n", c->name);
	slab_target_close(r->target);
	slab_machine_destroy(r->m);
	free(r);
	return 0;
}

/* ---- the child ---- */
static char *read_all(int fd, size_t *ret)
{
	size_t room = 1 << 16, nr = 0;
	char *text = must(malloc(room));
	ssize_t n;

	while ((n = read(fd, text + nr, room - nr - 1)) > 0 ||
	       (n < 0 && errno == EINTR)) {
		nr += n > 0 ? (size_t)n : 0;
		if (room - nr < 4096)
			text = must(realloc(text, room *= 2));
	}
	text[nr] = 0;
	*ret = nr;
	return text;
}

static void parse_answer(const struct oracle_case *c, char *text, size_t n,
			 struct replay *ret)
{
	struct cases cases = { 0 };
	char *whole = NULL;
	FILE *in;

	/* what a dead child left is a case that stopped */
	if (asprintf(&whole, "%s%s@@ STOP killed\n@@ END %s\n", text,
		     n && text[n - 1] != '\n' ? "\n" : "", c->name) < 0)
		must(NULL);
	in = must(fmemopen(ret->failure[0] ? whole : text,
			   ret->failure[0] ? strlen(whole) : n, "r"));
	if (!n || parse_stream(in, "our answer", &cases) || cases.nr != 1) {
		if (!ret->failure[0])
			snprintf(ret->failure, sizeof(ret->failure),
				 "no answer");
		cases_free(&cases);
	} else {
		ret->answer = cases.at[0];
		free(cases.at);
	}
	fclose(in);
	free(whole);
}

void replay_case(const struct oracle_case *c, uint64_t seed, struct replay *ret)
{
	int fds[2], status;
	char *text;
	size_t n;
	pid_t pid;

	*ret = (struct replay){ 0 };
	fflush(NULL);
	if (pipe(fds) || (pid = fork()) < 0) {
		perror("slab-oracle");
		exit(2);
	}
	if (!pid) {
		FILE *out = must(fdopen(fds[1], "w"));
		int err;

		close(fds[0]);
		alarm(patience());
		err = replay_print(c, seed, out);
		fclose(out);
		_exit(err ? 3 : 0);
	}
	close(fds[1]);
	text = read_all(fds[0], &n);
	close(fds[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		snprintf(ret->failure, sizeof(ret->failure),
			 "our library hung for %u seconds", patience());
	else if (WIFSIGNALED(status))
		snprintf(ret->failure, sizeof(ret->failure),
			 "our library died: %s", strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		snprintf(ret->failure, sizeof(ret->failure),
			 "our library ended with exit code %d",
			 WEXITSTATUS(status));
	parse_answer(c, text, n, ret);
	free(text);
}

void replay_free(struct replay *r)
{
	struct cases one = { .at = &r->answer, .nr = 1 };

	if (r->answer.name) {
		one.at = must(malloc(sizeof(r->answer)));
		one.at[0] = r->answer;
		cases_free(&one);
	}
	*r = (struct replay){ 0 };
}
