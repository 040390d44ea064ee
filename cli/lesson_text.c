/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lesson_text.c - paragraphs, and answers as people write them
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lesson.h"

/* ---- paragraphs ---- */

/* Columns of n bytes of UTF-8. */
static size_t columns(const char *text, size_t n)
{
	size_t wide = 0, i;

	for (i = 0; i < n; i++)
		wide += ((unsigned char)text[i] & 0xc0) != 0x80;
	return wide;
}

/* The next word; *gap tells whether an empty line stands in front of it. */
static const char *next_word(const char *p, size_t *n, bool *gap)
{
	unsigned int newlines = 0;

	for (; isspace((unsigned char)*p); p++)
		newlines += *p == '\n';
	*gap = newlines > 1;
	*n = strcspn(p, " \t\r\n");
	return *n ? p : NULL;
}

char *lesson_wrap(const char *text, unsigned int width)
{
	size_t at = 0, n, used = 0;
	const char *p = text;
	char *out = must_alloc(2 * strlen(text) + 2);
	bool gap;

	while ((p = next_word(p, &n, &gap))) {
		size_t wide = columns(p, n);

		if (used && gap) {
			at += (size_t)sprintf(out + at, "\n\n");
			used = 0;
		} else if (used && width && used + 1 + wide > width) {
			out[at++] = '\n';
			used = 0;
		} else if (used) {
			out[at++] = ' ';
			used++;
		}
		memcpy(out + at, p, n);
		at += n;
		used += wide;
		p += n;
	}
	out[at] = '\0';
	return out;
}

/* ---- answers ---- */

/* Lower case, without what people put around: blanks, quotes, a full stop, an
 * article in front. */
static void tidy(const char *text, char *buf, size_t size)
{
	static const char *const articles[] = { "the ", "a ", "an " };
	size_t n, i;
	char *p;

	text += strspn(text, " \t\"'`{");
	for (i = 0; i < 3; i++) {
		if (!strncasecmp(text, articles[i], strlen(articles[i]))) {
			text += strlen(articles[i]);
			text += strspn(text, " \t");
			break;
		}
	}
	snprintf(buf, size, "%s", text);
	n = strlen(buf);
	while (n && strchr(" \t\r\n\"'`}.!", buf[n - 1]))
		buf[--n] = '\0';
	for (p = buf; *p; p++)
		*p = (char)tolower((unsigned char)*p);
}

static bool is_number(const char *text, size_t n, long long *ret)
{
	char copy[32], *end;

	if (!n || n >= sizeof(copy))
		return false;
	memcpy(copy, text, n);
	copy[n] = '\0';
	errno = 0;
	/* 010 is ten to everybody */
	*ret = strtoll(copy, &end, strstr(copy, "0x") ? 16 : 10);
	return end != copy && !*end && !errno;
}

/* "14", "14 objects", "ring:S1#14": one number, whatever stands around it. */
static bool one_number(const char *text, long long *ret)
{
	unsigned int nr = 0;
	size_t n;

	for (; *text; text += n) {
		long long number;

		text += strspn(text, " \t,;:()=#");
		n = strcspn(text, " \t,;:()=#");
		if (is_number(text, n, &number)) {
			*ret = number;
			nr++;
		}
	}
	return nr == 1;
}

/* yes and no have many names; 1, 0, or -1 for what is neither. */
static int yes_or_no(const char *text)
{
	static const char *const yes[] = { "yes", "y", "true", "yes, it is" };
	static const char *const no[] = { "no", "n", "false", "not" };
	size_t i;

	for (i = 0; i < 4; i++) {
		if (!strcmp(text, yes[i]))
			return 1;
		if (!strcmp(text, no[i]))
			return 0;
	}
	return -1;
}

/* $b means what is in it. */
static const char *value_of(const char *answer)
{
	char name[64];
	const char *value;

	answer += strspn(answer, " \t");
	if (*answer != '$')
		return answer;
	snprintf(name, sizeof(name), "%.*s",
		 (int)strcspn(answer + 1, " \t\r\n"), answer + 1);
	value = Tcl_GetVar(session.interp, name, TCL_GLOBAL_ONLY);
	return value ? value : answer;
}

bool lesson_answer_fits(const char *answer, const char *right)
{
	char a[512], r[512];
	const char *behind;
	long long x, y;

	tidy(value_of(answer), a, sizeof(a));
	tidy(right, r, sizeof(r));
	if (!strcmp(a, r))
		return true;
	if (is_number(r, strlen(r), &y))
		return one_number(a, &x) && x == y;
	if (yes_or_no(r) >= 0)
		return yes_or_no(a) == yes_or_no(r);
	/* S1#3 for ring:S1#3 */
	behind = strchr(r, ':');
	return behind && !strcmp(a, behind + 1);
}
