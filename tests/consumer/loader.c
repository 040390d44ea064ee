/* SPDX-License-Identifier: MIT */
/*
 * consumer/loader.c - who opens a plugin and closes it again goes on
 *
 * loader PLUGIN: the kernel remembers the last restartable sequence of a
 * thread, and reads its description when the thread comes back from a signal,
 * or from sleep. That lies in the plugin.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

#define ROUNDS 20

static const char *(*run)(void);
static bool has_run; /* said without a system call, which might sleep */
static sem_t is_closed;

static void on_signal(int number)
{
	(void)number;
}

static void *work(void *arg)
{
	const char *wrong = run();

	(void)arg;
	__atomic_store_n(&has_run, true, __ATOMIC_RELEASE);
	sem_wait(&is_closed);
	return (void *)wrong;
}

static const char *open_run_close(const char *plugin)
{
	void *handle = dlopen(plugin, RTLD_NOW | RTLD_LOCAL);
	const char *wrong, *also;
	pthread_t other;

	if (!handle)
		return dlerror();
	run = (const char *(*)(void))dlsym(handle, "plugin_run");
	if (!run)
		return dlerror();
	has_run = false;
	if (pthread_create(&other, NULL, work, NULL))
		return "no thread";
	while (!__atomic_load_n(&has_run, __ATOMIC_ACQUIRE))
		sched_yield();
	wrong = run();
	if (dlclose(handle))
		return dlerror();
	raise(SIGUSR1);
	sem_post(&is_closed);
	pthread_join(other, (void **)&also);
	return wrong ? wrong : also;
}

int main(int argc, char **argv)
{
	const char *wrong = argc == 2 ? NULL : "usage: loader PLUGIN";
	int round;

	signal(SIGUSR1, on_signal);
	sem_init(&is_closed, 0, 0);
	for (round = 0; round < ROUNDS && !wrong; round++)
		wrong = open_run_close(argv[1]);
	printf("%s\n", wrong ? wrong : "a plugin came and went");
	return !!wrong;
}
