/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lesson.c - which lessons there are; the comments a lesson begins with
 *
 *	# lesson: cache, slab and object
 *	# learn: what a cache keeps ready, and how it finds it
 *	# machine: cpus=2 seed=7
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "command.h"
#include "lesson.h"

/* From the folder of the program: build/cli, or bin of what is installed. */
#ifndef SLAB_LESSONS
#define SLAB_LESSONS "../share/slabctl/lessons"
#endif

#define MAX_LESSONS 1000

static int find_folder(char *buf, size_t size)
{
	const char *own = getenv("SLABCTL_LESSONS");
	ssize_t n;

	if (own && *own) {
		snprintf(buf, size, "%s", own);
		return 0;
	}
	if (*SLAB_LESSONS == '/') {
		snprintf(buf, size, "%s", SLAB_LESSONS);
		return 0;
	}
	n = readlink("/proc/self/exe", buf, size - 1);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	*(strrchr(buf, '/') + 1) = '\0';
	if (strlen(buf) + strlen(SLAB_LESSONS) >= size)
		return -ENAMETOOLONG;
	memcpy(buf + strlen(buf), SLAB_LESSONS, sizeof(SLAB_LESSONS));
	return 0;
}

/* What stands behind "# key:" on a line; NULL: another line. */
static const char *header(const char *line, const char *key)
{
	size_t n = strlen(key);

	if (strncmp(line, "# ", 2) || strncmp(line + 2, key, n) ||
	    line[2 + n] != ':')
		return NULL;
	line += 3 + n;
	return line + strspn(line, " \t");
}

static const char *last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int read_header(const char *path, struct lesson *ret)
{
	const char *name = last_name(path), *text;
	FILE *f = fopen(path, "re");
	char line[512];

	memset(ret, 0, sizeof(*ret));
	if (!f)
		return -errno;
	snprintf(ret->path, sizeof(ret->path), "%s", path);
	snprintf(ret->name, sizeof(ret->name), "%.*s", (int)strcspn(name, "."),
		 name);
	ret->number = (unsigned int)strtoul(name, NULL, 10);
	while (fgets(line, sizeof(line), f) && *line == '#') {
		line[strcspn(line, "\r\n")] = '\0';
		text = header(line, "lesson");
		if (text)
			snprintf(ret->title, sizeof(ret->title), "%s", text);
		text = header(line, "learn");
		if (text)
			snprintf(ret->learn, sizeof(ret->learn), "%s", text);
	}
	fclose(f);
	return *ret->title ? 0 : -EINVAL;
}

bool lesson_is(const char *path)
{
	struct lesson lesson;

	return !read_header(path, &lesson);
}

static int is_slab(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return n > 5 && !strcmp(entry->d_name + n - 5, ".slab");
}

int lessons_list(struct lesson **ret, size_t *nr)
{
	struct dirent **entry;
	char folder[4096], path[4400];
	int err = find_folder(folder, sizeof(folder)), n = -1, i;

	*ret = NULL;
	*nr = 0;
	if (!err)
		n = scandir(folder, &entry, is_slab, alphasort);
	if (n < 0)
		return fail("no_lessons",
			    "$SLABCTL_LESSONS names the folder of lessons",
			    "no lessons: %s: %s", folder, strerror(errno));
	*ret = must_alloc((size_t)n * sizeof(**ret) + 1);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry[i]->d_name);
		if (*nr < MAX_LESSONS && !read_header(path, &(*ret)[*nr]))
			++*nr;
		free(entry[i]);
	}
	free(entry);
	return 0;
}

static int find_file(const char *path, struct lesson *ret)
{
	int err = read_header(path, ret);

	if (err == -EINVAL)
		return fail("no_lesson", "its first line is # lesson: TITLE",
			    "%s is no lesson", path);
	if (err)
		return fail("no_file", NULL, "%s: %s", path, strerror(-err));
	return 0;
}

/* Digits alone are a number. */
static bool is_number(const char *word)
{
	return *word && !word[strspn(word, "0123456789")];
}

static bool fits(const struct lesson *l, const char *word)
{
	if (!isalnum((unsigned char)*word))
		return false;
	if (is_number(word))
		return l->number == strtoul(word, NULL, 10);
	return strcasestr(l->name, word) != NULL;
}

static int fail_unknown(const struct lesson *all, size_t nr, const char *word)
{
	const char **name = must_alloc((nr + 1) * sizeof(*name));
	size_t i;

	for (i = 0; i < nr; i++)
		name[i] = all[i].name + strspn(all[i].name, "0123456789-");
	fail("no_lesson", "lesson lists them", "no lesson is called %.60s",
	     word);
	hint_nearest(word, name, nr);
	free(name);
	return -EINVAL;
}

int lesson_find(const char *word, struct lesson *ret)
{
	struct lesson *all;
	size_t nr, found = 0, i;
	int err;

	if (strchr(word, '/') ||
	    (strlen(word) > 5 && !strcmp(word + strlen(word) - 5, ".slab")))
		return find_file(word, ret);
	err = lessons_list(&all, &nr);
	if (err)
		return err;
	for (i = 0; i < nr; i++) {
		if (fits(&all[i], word) && !found++)
			*ret = all[i];
		if (!strcmp(all[i].name, word)) {
			*ret = all[i];
			found = 1;
			break;
		}
	}
	if (!found)
		err = fail_unknown(all, nr, word);
	else if (found > 1)
		err = fail("no_lesson", "lesson lists them",
			   "%zu lessons have %.60s in their names", found,
			   word);
	free(all);
	return err;
}
