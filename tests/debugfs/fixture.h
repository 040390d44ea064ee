/* SPDX-License-Identifier: MIT */
/*
 * fixture.h - a machine of its own for each test, and its tree
 *
 * Mistakes are collected, so that a table's run names every row that is
 * wrong, with what was there and what should have been.
 */
#ifndef TESTS_DEBUGFS_FIXTURE_H
#define TESTS_DEBUGFS_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <slab/debug.h>
#include <slab/inspect.h>
#include <slab/kmalloc.h>
#include <slab/machine.h>

#include "debugfs/attr.h"
#include "debugfs/tree.h"

static struct slab_machine *machine;
static struct slab_target *target;
static unsigned int mistakes;

static inline void machine_open(const struct slab_machine_config *config)
{
	struct slab_machine_config any = *config;

	any.slot = SLAB_ANY_SLOT;
	assert_int_equal(slab_machine_create_virtual(&any, &machine), 0);
	slab_machine_use(machine);
	assert_int_equal(slab_target_open_self(machine, &target), 0);
	mistakes = 0;
}

static inline void machine_close(void)
{
	slab_target_close(target);
	slab_machine_use(NULL);
	slab_machine_destroy(machine);
	assert_int_equal(mistakes, 0);
}

static inline struct kmem_cache *cache_new(const char *name, unsigned int size,
					   const char *letters,
					   slab_flags_t flags)
{
	slab_flags_t debug = 0;
	struct kmem_cache *s;
	char bad;

	assert_int_equal(slab_debug_letters(letters, &debug, &bad), 0);
	s = kmem_cache_create(name, size, NULL, debug | flags);
	assert_non_null(s);
	return s;
}

/* What open() and read() to the end give: text in *ret, or -errno. */
static inline ssize_t read_path(const char *path, char **ret)
{
	struct tree_node node;
	int err = tree_lookup(target, path, true, &node);

	*ret = NULL;
	return err ? err : tree_read(target, &node, ret);
}

static inline ssize_t write_bytes(const char *path, const void *bytes, size_t n)
{
	struct tree_node node;
	int err = tree_lookup(target, path, true, &node);

	return err ? err : tree_write(target, &node, bytes, n);
}

static inline ssize_t write_path(const char *path, const char *text)
{
	return write_bytes(path, text, strlen(text));
}

static inline void check_text(const char *what, const char *found,
			      const char *wanted)
{
	if (found && !strcmp(found, wanted))
		return;
	mistakes++;
	print_error("%s: found \"%s\", wanted \"%s\"\n", what,
		    found ? found : "(nothing)", wanted);
}

static inline void check_number(const char *what, long found, long wanted)
{
	if (found == wanted)
		return;
	mistakes++;
	print_error("%s: found %ld, wanted %ld\n", what, found, wanted);
}

/* The content of directory/file is wanted, to the byte. */
static inline void check_file(const char *directory, const char *file,
			      const char *wanted)
{
	char path[512];
	char *text;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", directory, file);
	n = read_path(path, &text);
	if (n < 0)
		check_text(path, strerror((int)-n), wanted);
	else
		check_text(path, text, wanted);
	if (n >= 0)
		check_number(path, n, (long)strlen(text));
	free(text);
}

struct file_row {
	const char *file, *content;
};

static inline void check_files(const char *directory,
			       const struct file_row *rows, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		check_file(directory, rows[i].file, rows[i].content);
}

#define CHECK_FILES(directory, ...)                                      \
	check_files(directory, (const struct file_row[]){ __VA_ARGS__ }, \
		    sizeof((const struct file_row[]){ __VA_ARGS__ }) /   \
			    sizeof(struct file_row))

#endif
