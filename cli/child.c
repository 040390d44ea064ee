/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * child.c - fork, watch, collect
 *
 * The child holds the write end of a pipe: when the read end sees the end, the
 * child and all it made are gone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "output.h"

#define MEMORY_LIMIT (1UL << 30)

/* Sanitizers map their shadow as data. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SHADOW 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SHADOW 1
#endif
#endif
#ifndef HAS_SHADOW
#define HAS_SHADOW 0
#endif

void child_limit_memory(void)
{
	struct rlimit limit = { MEMORY_LIMIT, MEMORY_LIMIT };

	if (!HAS_SHADOW)
		setrlimit(RLIMIT_DATA, &limit);
}

void *child_shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die_no_memory();
	return p;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* True when the other end was closed within limit seconds. */
static bool wait_for_end(int fd, double limit)
{
	double end = now() + limit;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	for (;;) {
		double left = end - now();
		int n, ms = -1;

		if (limit > 0)
			ms = left <= 0	  ? 0
			     : left > 1e6 ? 1000000000
					  : (int)(left * 1000) + 1;
		n = poll(&p, 1, ms);
		if (n > 0)
			return true;
		if (n == 0 && limit > 0 && now() >= end)
			return false;
	}
}

static char *read_back(int fd, size_t *size)
{
	off_t n = lseek(fd, 0, SEEK_END);
	char *text = must_alloc((size_t)n + 1);
	ssize_t got = pread(fd, text, (size_t)n, 0);

	*size = got > 0 ? (size_t)got : 0;
	return text;
}

static void child_main(int (*work)(void *arg), void *arg, int captured)
{
	int code;

	if (captured >= 0) {
		dup2(captured, STDOUT_FILENO);
		dup2(captured, STDERR_FILENO);
	}
	code = work(arg);
	_exit(output_end(code));
}

int child_run(int (*work)(void *arg), void *arg, double limit, bool captures,
	      struct child_result *ret)
{
	int end[2], captured = -1, status = 0;
	pid_t pid;

	memset(ret, 0, sizeof(*ret));
	if (pipe2(end, O_CLOEXEC))
		return -errno;
	if (captures) {
		captured = memfd_create("output", MFD_CLOEXEC);
		if (captured < 0)
			goto fail;
	}
	output_flush();
	fflush(stderr);
	pid = fork();
	if (pid < 0)
		goto fail;
	if (!pid) {
		close(end[0]);
		child_main(work, arg, captured);
	}
	close(end[1]);
	if (!wait_for_end(end[0], limit)) {
		ret->timed_out = true;
		kill(pid, SIGKILL);
	}
	close(end[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	ret->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	ret->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	if (captures) {
		ret->output = read_back(captured, &ret->size);
		close(captured);
	}
	return 0;
fail:
	status = -errno;
	close(end[0]);
	close(end[1]);
	if (captured >= 0)
		close(captured);
	return status;
}
