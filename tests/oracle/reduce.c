/* SPDX-License-Identifier: MIT */
/*
 * reduce.c - less of a step's text: what was found, repaired and returned, or
 * only the form of a result
 */
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

static bool is_dump_row(const char *line)
{
	return (starts_with(line, "Object ") || starts_with(line, "Redzone ") ||
		starts_with(line, "Padding ")) &&
	       strchr(line, ':');
}

static bool is_decoration(const char *line)
{
	return !*line || starts_with(line, "====") ||
	       starts_with(line, "----") || starts_with(line, "WARNING") ||
	       starts_with(line, "geo ") || starts_with(line, "Allocated in") ||
	       starts_with(line, "Freed in") || is_dump_row(line);
}

/* Objects left at destroy come in the order of their text. */
static void lines_sort_objects(struct lines *l)
{
	size_t first = 0;

	for (size_t i = 0; i <= l->nr; i++) {
		if (i < l->nr && starts_with(l->at[i], "Object"))
			continue;
		if (i > first)
			lines_sort(l, first, i - first);
		first = i + 1;
	}
}

void lines_reduce(const struct lines *full, struct lines *ret)
{
	*ret = (struct lines){ 0 };
	for (size_t i = 0; i < full->nr; i++) {
		const char *line = full->at[i];

		if (is_decoration(line))
			continue;
		if (starts_with(line, "Object"))
			lines_addf(ret, "%.*s", (int)strcspn(line, ","), line);
		else
			lines_add(ret, line);
	}
	lines_sort_objects(ret);
}

/* "O12" at *at: its number, and *at behind it; -1: no name stands there. */
static long name_number(const char **at, const char *start)
{
	char *end;
	long nr;

	if (**at != 'O' || (*at > start && (*at)[-1] != ' ') ||
	    (*at)[1] < '0' || (*at)[1] > '9')
		return -1;
	nr = strtol(*at + 1, &end, 10);
	*at = end;
	return nr;
}

/* How many other objects results have named before this one. */
static size_t result_rank(const struct normal *n, size_t step, long nr)
{
	long seen[256];
	size_t nr_seen = 0;

	for (size_t i = 0; i <= step; i++) {
		const struct lines *out = &n->steps[i].out;

		for (size_t j = 0; j < out->nr; j++) {
			const char *at = out->at[j] + 2;
			long other;
			size_t k;

			if (!starts_with(out->at[j], "= O"))
				continue;
			other = name_number(&at, out->at[j]);
			if (other == nr)
				return nr_seen;
			for (k = 0; k < nr_seen && seen[k] != other; k++)
				;
			if (k == nr_seen && nr_seen < ARRAY_SIZE(seen))
				seen[nr_seen++] = other;
		}
	}
	return nr_seen;
}

void lines_unname(struct lines *l, const struct normal *n, size_t i)
{
	for (size_t j = 0; j < l->nr; j++) {
		bool is_result = starts_with(l->at[j], "= O");
		const char *at = l->at[j], *start = at;
		char text[512];
		size_t to = 0;

		while (*at && to < sizeof(text) - 32) {
			long nr = name_number(&at, start);

			if (nr < 0)
				text[to++] = *at++;
			else if (is_result)
				to += (size_t)sprintf(text + to, "R%zu",
						      result_rank(n, i, nr));
			else
				to += (size_t)sprintf(text + to, "object");
		}
		text[to] = 0;
		lines_replace(l, j, text);
	}
	/* names were what told them apart */
	lines_sort_objects(l);
}

void lines_form(const struct lines *full, struct lines *ret)
{
	*ret = (struct lines){ 0 };
	for (size_t i = 0; i < full->nr; i++) {
		const char *line = full->at[i];

		if (!starts_with(line, "= "))
			continue;
		if (strchr("ONwtsdlc-0123456789", line[2]))
			lines_add(ret, "= something");
		else
			lines_add(ret, line);
	}
}
