/* SPDX-License-Identifier: MIT */
/*
 * package/unload.c - a library that is in use is not unloaded
 *
 * Who dlopens libslab.so and closes it again goes on with what he got from it:
 * threads may be in its code, and RCU, fork and exit will call it. Nothing here
 * is linked with the library, so that this is the one handle there is.
 */
#include <slab/machine.h>

#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <setjmp.h>

#include <cmocka.h>

#define OBJECTS 1000

static struct {
	void *handle;
	__typeof__(&slab_machine_create_virtual) create_virtual;
	__typeof__(&slab_machine_use) use;
	__typeof__(&__kmem_cache_create_args) cache_create;
	__typeof__(&kmem_cache_alloc) alloc;
	__typeof__(&kmem_cache_free) free;
	__typeof__(&kmem_cache_destroy) destroy;
} lib;

static void *symbol(const char *name)
{
	void *at = dlsym(lib.handle, name);

	if (!at)
		fail_msg("dlsym(%s): %s", name, dlerror());
	return at;
}

static int open_library(void **state)
{
	(void)state;
	lib.handle = dlopen(LIBSLAB, RTLD_NOW | RTLD_LOCAL);
	if (!lib.handle)
		fail_msg("dlopen(%s): %s", LIBSLAB, dlerror());
	lib.create_virtual = symbol("slab_machine_create_virtual");
	lib.use = symbol("slab_machine_use");
	lib.cache_create = symbol("__kmem_cache_create_args");
	lib.alloc = symbol("kmem_cache_alloc");
	lib.free = symbol("kmem_cache_free");
	lib.destroy = symbol("kmem_cache_destroy");
	return 0;
}

/* The line of /proc/self/maps that has the address, or "nothing". */
static const char *mapped_at(const void *address, char *line, size_t size)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long first, last, at = (unsigned long)address;

	assert_non_null(maps);
	while (fgets(line, (int)size, maps))
		if (sscanf(line, "%lx-%lx", &first, &last) == 2 &&
		    at >= first && at < last) {
			fclose(maps);
			return line;
		}
	fclose(maps);
	return "nothing";
}

static void close_library(void)
{
	char line[512];
	const char *found;

	assert_int_equal(dlclose(lib.handle), 0);
	found = mapped_at((const void *)lib.free, line, sizeof(line));
	if (!strstr(found, "r-xp") || !strstr(found, "libslab.so"))
		fail_msg("after dlclose kmem_cache_free lies in %s, wanted "
			 "r-xp ... libslab.so",
			 found);
}

/* The functions whose return addresses are about to be needed, too. */
static void go_on(struct kmem_cache *s, void **objects)
{
	unsigned int i;

	for (i = 0; i < OBJECTS; i++)
		lib.free(s, objects[i]);
	for (i = 0; i < OBJECTS; i++) {
		objects[i] = lib.alloc(s, GFP_KERNEL);
		assert_non_null(objects[i]);
		memset(objects[i], 1, 64);
	}
	for (i = 0; i < OBJECTS; i++)
		lib.free(s, objects[i]);
	assert_int_equal(lib.destroy(s), 0);
}

static struct kmem_cache *fill(void **objects)
{
	struct kmem_cache *s =
		lib.cache_create("kept", 64, NULL, SLAB_NO_MERGE);
	unsigned int i;

	assert_non_null(s);
	for (i = 0; i < OBJECTS; i++)
		objects[i] = lib.alloc(s, GFP_KERNEL);
	return s;
}

static void a_virtual_machine_goes_on_after_dlclose(void **state)
{
	void *objects[OBJECTS];
	struct slab_machine *m;
	struct kmem_cache *s;

	(void)state;
	assert_int_equal(lib.create_virtual(NULL, &m), 0);
	lib.use(m);
	s = fill(objects);
	close_library();
	go_on(s, objects);
	lib.use(NULL);
}

static struct {
	pthread_barrier_t both;
	struct kmem_cache *s;
	bool is_over;
} busy;

/* In the library's code all the time. */
static void *keep_busy(void *unused)
{
	void *p;

	pthread_barrier_wait(&busy.both);
	while (!__atomic_load_n(&busy.is_over, __ATOMIC_RELAXED)) {
		p = lib.alloc(busy.s, GFP_KERNEL);
		if (!p)
			return (void *)"no object";
		lib.free(busy.s, p);
	}
	return unused;
}

static void the_native_machine_goes_on_after_dlclose(void **state)
{
	void *objects[OBJECTS], *said;
	struct kmem_cache *s;
	pthread_t thread;

	(void)state;
	/* no machine is set: the first cache makes the native one */
	busy.s = lib.cache_create("busy", 64, NULL, SLAB_NO_MERGE);
	assert_non_null(busy.s);
	s = fill(objects);
	pthread_barrier_init(&busy.both, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, keep_busy, NULL), 0);
	pthread_barrier_wait(&busy.both);
	close_library();
	go_on(s, objects);
	__atomic_store_n(&busy.is_over, true, __ATOMIC_RELAXED);
	pthread_join(thread, &said);
	if (said)
		fail_msg("the thread found: %s", (char *)said);
	assert_int_equal(lib.destroy(busy.s), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_virtual_machine_goes_on_after_dlclose,
				       open_library),
		cmocka_unit_test_setup(the_native_machine_goes_on_after_dlclose,
				       open_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
