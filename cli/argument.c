/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * argument.c - words to arguments, texts to numbers
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "argument.h"

const char *split_key(const char *word, char *key, size_t size)
{
	const char *p = word;

	if (!isalpha((unsigned char)*p))
		return NULL;
	while (isalnum((unsigned char)*p) || *p == '-' || *p == '_')
		p++;
	if (*p != '=' || (size_t)(p - word) >= size)
		return NULL;
	memcpy(key, word, (size_t)(p - word));
	key[p - word] = '\0';
	return p + 1;
}

static int fail_usage(const struct invocation *inv, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static int fail_usage(const struct invocation *inv, const char *format, ...)
{
	char what[512], usage[768];
	va_list ap;

	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	command_usage(inv->command, usage, sizeof(usage));
	return fail("usage", usage, "%s: %s", command_name(inv->command), what);
}

static const struct arg *find_arg(const struct command *c, enum arg_kind kind,
				  const char *name)
{
	const struct arg *a;

	for (a = c->args; a && a->name; a++) {
		if (a->kind == kind && (!name || !strcmp(a->name, name)))
			return a;
	}
	return NULL;
}

static struct bound *bind_to(struct invocation *inv, const struct arg *arg)
{
	struct bound *b;
	size_t i;

	for (i = 0; i < inv->nr_bound; i++) {
		if (inv->bound[i].arg == arg)
			return &inv->bound[i];
	}
	b = &inv->bound[inv->nr_bound++];
	b->arg = arg;
	return b;
}

static bool is_choice(const char *choices, const char *word)
{
	size_t n = strlen(word);
	const char *p = choices;

	while (n && (p = strstr(p, word))) {
		if ((p == choices || p[-1] == '|') && (p[n] == '|' || !p[n]))
			return true;
		p++;
	}
	return false;
}

static int check_choice(const struct invocation *inv, const struct arg *a,
			const char *word)
{
	if (!a->choices || is_choice(a->choices, word))
		return 0;
	return fail_usage(inv, "%s%s can not be \"%s\"; it is one of %s",
			  a->name, a->kind == ARG_KEY ? "=" : "", word,
			  a->choices);
}

static int fail_key(const struct invocation *inv, const char *key)
{
	const char *names[MAX_ARGS];
	char list[512] = "";
	const struct arg *a;
	size_t nr = 0, used = 0;

	for (a = inv->command->args; a && a->name; a++) {
		if (a->kind != ARG_KEY)
			continue;
		names[nr++] = a->name;
		used += (size_t)snprintf(list + used, sizeof(list) - used,
					 "%s%s=", used ? " " : "", a->name);
	}
	fail("no_key", NULL, "%s has no %s=; it takes %s",
	     command_name(inv->command), key, list);
	hint_nearest(key, names, nr);
	return -EINVAL;
}

static int fail_extra(const struct invocation *inv, const char *word)
{
	if (*word == '#')
		return fail("comment",
			    "a comment behind a command needs a semicolon in "
			    "front: command ;# note",
			    "%s: the words from # on were passed as arguments",
			    command_name(inv->command));
	if (word[0] == '-' && word[1] == '-' && session.is_oneshot)
		return fail("usage",
			    "options stand before the command: slabctl --json "
			    "map ring",
			    "%s: unexpected option %s",
			    command_name(inv->command), word);
	return fail_usage(inv, "there is no place for \"%s\"", word);
}

/* A word that is neither key nor flag: the next place that is free. */
static int bind_word(struct invocation *inv, size_t i)
{
	const struct arg *a;

	for (a = inv->command->args; a && a->name; a++) {
		struct bound *b;

		if (a->kind != ARG_WORD)
			continue;
		b = bind_to(inv, a);
		if (b->nr && !a->takes_rest)
			continue;
		if (a->choices && check_choice(inv, a, inv->words[i]))
			return -EINVAL;
		/* rest words may be parted by a key: they are copied together */
		if (b->nr && b->words + b->nr != inv->words + i)
			return fail_usage(inv,
					  "\"%s\" stands apart from the "
					  "other %s",
					  inv->words[i], a->name);
		if (!b->nr) {
			b->words = inv->words + i;
			b->objects = inv->objects + i;
		}
		b->nr++;
		return 0;
	}
	return fail_extra(inv, inv->words[i]);
}

/* fix="not freed" is two words to Tcl, fix="freed" one with its quotes. */
static int unquote(struct invocation *inv, size_t i, const char **value)
{
	size_t n = strlen(*value);
	char *copy;

	if (n < 2 || **value != '"')
		return 0;
	if ((*value)[n - 1] != '"')
		return fail("quote",
			    "quotes go round all of it: \"fix=not "
			    "freed\"",
			    "%s: the blank in %s... ends the word",
			    command_name(inv->command), inv->words[i]);
	copy = must_strdup(*value + 1);
	copy[n - 2] = '\0';
	inv->copies[inv->nr_copies++] = copy;
	*value = copy;
	return 0;
}

static int bind_key(struct invocation *inv, size_t i, const char *key,
		    const char *value, bool *is_key)
{
	const struct arg *a = find_arg(inv->command, ARG_KEY, key);
	struct bound *b;

	*is_key = true;
	if ((a || find_arg(inv->command, ARG_ANY_KEY, NULL)) &&
	    inv->nr_copies < MAX_ARGS && unquote(inv, i, &value))
		return -EINVAL;
	if (a) {
		b = bind_to(inv, a);
		if (b->nr)
			return fail_usage(inv, "%s= is given twice", key);
		if (check_choice(inv, a, value))
			return -EINVAL;
		b->words = inv->words + i;
		b->objects = NULL;
		b->words[0] = value;
		b->nr = 1;
		return 0;
	}
	if (find_arg(inv->command, ARG_ANY_KEY, NULL)) {
		if (inv->nr_any == MAX_ARGS)
			return fail_usage(inv, "too many keys");
		inv->any[inv->nr_any].key = must_strdup(key);
		inv->any[inv->nr_any++].value = value;
		return 0;
	}
	if (find_arg(inv->command, ARG_KEY, NULL))
		return fail_key(inv, key);
	*is_key = false;
	return 0;
}

static bool is_keyword(const struct command *c, const char *word)
{
	char key[64];
	const char *value = split_key(word, key, sizeof(key));

	return find_arg(c, ARG_FLAG, word) || find_arg(c, ARG_AFTER, word) ||
	       (value && find_arg(c, ARG_KEY, key));
}

static int bind_after(struct invocation *inv, const struct arg *a, size_t *i)
{
	struct bound *b = bind_to(inv, a);
	size_t from = *i + 1, to = from;

	if (b->words)
		return fail_usage(inv, "%s stands there twice", a->name);
	while (to < inv->nr_words && inv->words[to][0] != '#' &&
	       !is_keyword(inv->command, inv->words[to]) &&
	       (a->takes_rest || to == from))
		to++;
	if (to == from)
		return fail_usage(inv, "%s wants %s behind it", a->name,
				  a->value);
	b->words = inv->words + from;
	b->objects = inv->objects + from;
	b->nr = to - from;
	*i = to - 1;
	return 0;
}

int arguments_bind(struct invocation *inv)
{
	const struct command *c = inv->command;
	const struct arg *a;
	size_t i;

	for (i = 0; i < inv->nr_words; i++) {
		const char *word = inv->words[i], *value;
		bool is_key = false;
		char key[64];
		int err;

		if (i && *word == '#' && !strpbrk(word, " \t\n"))
			return fail_extra(inv, word);
		a = find_arg(c, ARG_FLAG, word);
		if (a) {
			bind_to(inv, a)->nr = 1;
			continue;
		}
		a = find_arg(c, ARG_AFTER, word);
		if (a) {
			err = bind_after(inv, a, &i);
			if (err)
				return err;
			continue;
		}
		/* a title may have a = in it */
		a = c->args;
		value = !i && a && a->kind == ARG_WORD && a->is_required
				? NULL
				: split_key(word, key, sizeof(key));
		err = value ? bind_key(inv, i, key, value, &is_key) : 0;
		if (!err && !is_key)
			err = bind_word(inv, i);
		if (err)
			return err;
	}
	for (a = c->args; a && a->name; a++) {
		if (a->is_required && !arg_given(inv, a->name))
			return fail_usage(inv, "%s%s%s is missing", a->name,
					  a->kind == ARG_KEY	 ? "="
					  : a->kind == ARG_AFTER ? " "
								 : "",
					  a->kind == ARG_AFTER ? a->value : "");
	}
	return 0;
}

const struct bound *arg_bound(const struct invocation *inv, const char *name)
{
	size_t i;

	for (i = 0; i < inv->nr_bound; i++) {
		if (!strcmp(inv->bound[i].arg->name, name))
			return inv->bound[i].nr ? &inv->bound[i] : NULL;
	}
	return NULL;
}

bool arg_given(const struct invocation *inv, const char *name)
{
	return arg_bound(inv, name);
}

const char *arg_word(const struct invocation *inv, const char *name)
{
	const struct bound *b = arg_bound(inv, name);

	return b && b->words ? b->words[0] : NULL;
}

Tcl_Obj *arg_object(const struct invocation *inv, const char *name)
{
	const struct bound *b = arg_bound(inv, name);

	return b && b->objects ? b->objects[0] : NULL;
}

static int fail_number(const char *what, const char *text, const char *hint,
		       const char *why)
{
	return fail("number", hint, "%s: \"%.60s%s\" %s", what, text,
		    strlen(text) > 60 ? "..." : "", why);
}

int number_parse(const char *what, const char *text, uint64_t max,
		 uint64_t *ret)
{
	unsigned long long n;
	char most[80], *end;
	unsigned int shift = 0;

	if (*text == '-')
		return fail_number(what, text, NULL, "is negative");
	if (!isdigit((unsigned char)*text))
		return fail_number(what, text, "10, 0x10, 4k or 8M",
				   "is not a number");
	if (text[0] == '0' && isdigit((unsigned char)text[1]))
		return fail_number(what, text,
				   "a leading 0 is octal in C and in expr: "
				   "write 8 or 0x8 for 010, 10 for ten",
				   "begins with 0");
	errno = 0;
	n = strtoull(text, &end, 0);
	if (*end == 'k' || *end == 'K')
		shift = 10;
	else if (*end == 'M')
		shift = 20;
	else if (*end == 'G')
		shift = 30;
	if (shift)
		end++;
	if (*end)
		return fail_number(what, text, "10, 0x10, 4k or 8M",
				   "is not a number");
	if (errno == ERANGE || n > UINT64_MAX >> shift || n << shift > max) {
		snprintf(most, sizeof(most), "is too large: at most %llu fits",
			 (unsigned long long)max);
		return fail_number(what, text, NULL, most);
	}
	*ret = n << shift;
	return 0;
}

int arg_number(const struct invocation *inv, const char *name, uint64_t max,
	       uint64_t *ret)
{
	const char *text = arg_word(inv, name);
	char what[96];

	if (!text)
		return 0;
	snprintf(what, sizeof(what), "%s: %s", command_name(inv->command),
		 name);
	return number_parse(what, text, max, ret);
}

int arg_boolean(const struct invocation *inv, const char *name, bool *ret)
{
	static const char *const yes[] = { "1", "yes", "on", "true", "Y" };
	static const char *const no[] = { "0", "no", "off", "false", "N" };
	const char *text = arg_word(inv, name);
	size_t i;

	if (!text)
		return 0;
	for (i = 0; i < 5; i++) {
		if (!strcmp(text, yes[i]) || !strcmp(text, no[i])) {
			*ret = !strcmp(text, yes[i]);
			return 0;
		}
	}
	return fail_usage(inv, "%s=%s is neither 1 nor 0", name, text);
}
