/* SPDX-License-Identifier: MIT */
/*
 * tests/property/shrink.c - of many ops the few that matter (delta debugging)
 *
 * Chunks are left out, large ones first, while the rest still fails in the
 * same class: the word in front of the first colon.
 */
#include "property.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_RUNS   4000U
#define CHILD_TIME 120U

static bool read_outcome(int fd, struct outcome *ret)
{
	size_t n = 0;

	while (n < sizeof(*ret)) {
		ssize_t got = read(fd, (char *)ret + n, sizeof(*ret) - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		n += (size_t)got;
	}
	return true;
}

void run_apart(const struct settings *settings, const struct op *ops,
	       size_t nr, struct outcome *ret)
{
	int fds[2], status;
	pid_t child;
	bool told;

	fflush(NULL);
	if (pipe(fds))
		abort();
	child = fork();
	if (child < 0)
		abort();
	if (!child) {
		close(fds[0]);
		alarm(CHILD_TIME);
		world_run(settings, ops, nr, NULL, ret);
		_exit(write(fds[1], ret, sizeof(*ret)) != sizeof(*ret));
	}
	close(fds[1]);
	told = read_outcome(fds[0], ret);
	close(fds[0]);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (told)
		return;
	*ret = (struct outcome){ .failed = true, .at = nr };
	if (WIFSIGNALED(status))
		snprintf(ret->text, sizeof(ret->text), "signal %d: the child died of it, wanted an exit",
			 WTERMSIG(status));
	else
		snprintf(ret->text, sizeof(ret->text), "exit %d: the child ended so, wanted 0",
			 WEXITSTATUS(status));
}

static bool is_same_class(const struct outcome *a, const struct outcome *b)
{
	size_t n = strcspn(a->text, ":");

	return a->failed && b->failed && strcspn(b->text, ":") == n &&
	       !strncmp(a->text, b->text, n);
}

unsigned int shrink(const struct settings *settings, struct op *ops,
		    size_t *nr, struct outcome *outcome)
{
	struct op *rest = malloc((*nr + 1) * sizeof(*rest));
	unsigned int runs = 0;
	size_t chunk, from;

	if (!rest)
		return 0;
	for (chunk = *nr / 2; chunk && runs < MAX_RUNS; chunk /= 2) {
		for (from = 0; from < *nr && runs < MAX_RUNS;) {
			size_t n = from + chunk < *nr ? chunk : *nr - from;
			struct outcome now;

			memcpy(rest, ops, from * sizeof(*ops));
			memcpy(rest + from, ops + from + n,
			       (*nr - from - n) * sizeof(*ops));
			run_apart(settings, rest, *nr - n, &now);
			runs++;
			if (!is_same_class(outcome, &now)) {
				from += n;
				continue;
			}
			memcpy(ops, rest, (*nr - n) * sizeof(*ops));
			*nr -= n;
			*outcome = now;
			/* what comes after the failure never mattered */
			if (now.at + 1 < *nr)
				*nr = now.at + 1;
		}
	}
	free(rest);
	return runs;
}

static void print_header(const struct settings *s)
{
	printf("scenario \"property, seed %llu\" cpus=%u nodes=%u seed=%llu",
	       (unsigned long long)s->seed, s->cpus, s->nodes,
	       (unsigned long long)s->seed);
	if (s->pages)
		printf(" pages=%lu", s->pages);
	if (s->slab_debug)
		printf(" {slab-debug=%s}", s->slab_debug);
	printf(" freelist_hardened=%d freelist_random=%d init_on_alloc=%d init_on_free=%d {\n",
	       s->hardened, s->random, s->init_on_alloc, s->init_on_free);
}

void print_script(const struct settings *settings, const struct op *ops,
		  size_t nr)
{
	struct outcome outcome;
	pid_t child;

	print_header(settings);
	fflush(NULL);
	/* a world that crashes must not take us along */
	child = fork();
	if (!child) {
		setvbuf(stdout, NULL, _IOLBF, 0);
		world_run(settings, ops, nr, stdout, &outcome);
		_exit(0);
	}
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	printf("\tvalidate\n\texpect no report\n}\n");
}
