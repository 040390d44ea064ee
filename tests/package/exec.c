/* SPDX-License-Identifier: MIT */
/*
 * package/exec.c - a program that becomes another one, with threads at work
 *
 * Nothing of the allocator outlives exec: not its memory, not a descriptor, not
 * a setting of the process or its signals; and the program behind it begins
 * anew. A child of vfork shares all of it until then, and may do nothing but
 * exec: its parent goes on with every object as it was.
 *
 *	exec			the tests
 *	exec --begin STAGE	what they run: works with threads, then becomes
 *	exec --end FDS		which wants to find a fresh process
 */
#define _GNU_SOURCE
#include <slab/kmalloc.h>
#include <slab/machine.h>

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define THREADS 3
#define OBJECTS 500
#define SIZE	192

/* What the programs between the tests' say by their exit status. */
enum {
	FINE = 0,
	NO_OBJECT = 11,
	WRONG_BYTES,
	MORE_FDS,
	BLOCKED_SIGNALS,
	NO_THREAD,
	NO_EXEC
};
static const char *const status_text[] = {
	[FINE] = "fine",
	[NO_OBJECT] = "no object",
	[WRONG_BYTES] = "an object's bytes changed",
	[MORE_FDS] = "more descriptors are open",
	[BLOCKED_SIGNALS] = "signals are blocked",
	[NO_THREAD] = "no thread",
	[NO_EXEC] = "exec failed",
};

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int nr = 0;

	if (!dir)
		return -1;
	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr;
}

static void *work(void *arg)
{
	struct kmem_cache *s = arg;
	void *p[64];
	unsigned int i;

	for (;;) {
		for (i = 0; i < 64; i++)
			p[i] = i % 2 ? kmem_cache_alloc(s, GFP_KERNEL)
				     : kmalloc(i * 40, GFP_KERNEL);
		for (i = 0; i < 64; i++)
			if (i % 2)
				kmem_cache_free(s, p[i]);
			else
				kfree(p[i]);
	}
	return NULL;
}

static struct kmem_cache *start_threads(void)
{
	struct kmem_cache *s = kmem_cache_create("work", SIZE, NULL, 0);
	pthread_t thread;
	unsigned int i;

	if (!s)
		_exit(NO_OBJECT);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&thread, NULL, work, s))
			_exit(NO_THREAD);
	usleep(20000);
	return s;
}

static int check_signals(void)
{
	sigset_t set;
	int i;

	pthread_sigmask(SIG_SETMASK, NULL, &set);
	for (i = 1; i < SIGRTMIN; i++)
		if (sigismember(&set, i) == 1)
			return BLOCKED_SIGNALS;
	return FINE;
}

static void become(const char *stage, const char *arg)
{
	execl("/proc/self/exe", "exec", stage, arg, (char *)NULL);
	_exit(NO_EXEC);
}

/* Threads at work in every path, and one that becomes another program. */
static int begin(int stages, int fds)
{
	char text[16];

	start_threads();
	free(malloc(100));
	if (stages > 1) {
		snprintf(text, sizeof(text), "%d:%d", stages - 1, fds);
		become("--begin", text);
	}
	snprintf(text, sizeof(text), "%d", fds);
	become("--end", text);
	return NO_EXEC;
}

static int end(int fds)
{
	struct kmem_cache *s = kmem_cache_create("fresh", SIZE, NULL, 0);
	unsigned char *p[OBJECTS];
	unsigned int i;

	for (i = 0; i < OBJECTS; i++) {
		p[i] = s ? kmem_cache_alloc(s, GFP_KERNEL | __GFP_ZERO) : NULL;
		if (!p[i])
			return NO_OBJECT;
		if (p[i][0] || memcmp(p[i], p[i] + 1, SIZE - 1) != 0)
			return WRONG_BYTES;
		memset(p[i], (int)i, SIZE);
	}
	for (i = 0; i < OBJECTS; i++) {
		if (p[i][0] != (i & 0xff) || p[i][SIZE - 1] != (i & 0xff))
			return WRONG_BYTES;
		kmem_cache_free(s, p[i]);
	}
	if (count_fds() > fds)
		return MORE_FDS;
	return check_signals();
}

static void wants_fine(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFEXITED(status))
		fail_msg("killed by signal %d, wanted to end fine",
			 WTERMSIG(status));
	if (WEXITSTATUS(status) != FINE)
		fail_msg("status %d (%s), wanted 0 (fine)", WEXITSTATUS(status),
			 WEXITSTATUS(status) <= NO_EXEC &&
					 status_text[WEXITSTATUS(status)]
				 ? status_text[WEXITSTATUS(status)]
				 : "?");
}

/* Three times over: nothing piles up either. */
static void a_program_with_threads_at_work_becomes_another(void **state)
{
	char text[32];
	pid_t child;

	(void)state;
	snprintf(text, sizeof(text), "3:%d", count_fds());
	child = fork();
	assert_true(child >= 0);
	if (!child)
		become("--begin", text);
	wants_fine(child);
}

static void a_child_of_vfork_leaves_the_parent_as_it_was(void **state)
{
	struct kmem_cache *s = start_threads();
	unsigned char *p[OBJECTS];
	unsigned int i, round;
	char text[16];
	pid_t child;

	(void)state;
	snprintf(text, sizeof(text), "%d", count_fds());
	for (i = 0; i < OBJECTS; i++) {
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
		assert_non_null(p[i]);
		memset(p[i], (int)i, SIZE);
	}
	for (round = 0; round < 20; round++) {
		child = vfork(); /* NOLINT: that it is vfork is the point */
		assert_true(child >= 0);
		if (!child) {
			execl("/proc/self/exe", "exec", "--end", text,
			      (char *)NULL);
			_exit(NO_EXEC);
		}
		wants_fine(child);
		kmem_cache_free(s, p[round]);
		p[round] = kmem_cache_alloc(s, GFP_KERNEL);
		assert_non_null(p[round]);
		memset(p[round], (int)round, SIZE);
	}
	for (i = 0; i < OBJECTS; i++) {
		if (p[i][0] != (i & 0xff) || p[i][SIZE - 1] != (i & 0xff))
			fail_msg("object %u: first %u, last %u, wanted %u", i,
				 p[i][0], p[i][SIZE - 1], i & 0xff);
		kmem_cache_free(s, p[i]);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_program_with_threads_at_work_becomes_another),
		cmocka_unit_test(a_child_of_vfork_leaves_the_parent_as_it_was),
	};
	int stages, fds;

	if (argc == 3 && !strcmp(argv[1], "--begin") &&
	    sscanf(argv[2], "%d:%d", &stages, &fds) == 2) /* NOLINT */
		return begin(stages, fds);
	if (argc == 3 && !strcmp(argv[1], "--end"))
		return end(atoi(argv[2])); /* NOLINT */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
