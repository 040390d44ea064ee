/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cmd_tree.c - ls, cat, echo: the files in which a kernel shows its slabs
 *
 * Paths are absolute, or begin in /sys/kernel/slab.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "debugfs/attr.h"
#include "debugfs/tree.h"

#define HOME "/sys/kernel/slab"

static const char *const type_names[] = {
	[TREE_DIRECTORY] = "directory",
	[TREE_FILE] = "file",
	[TREE_LINK] = "link",
};

/* NULL, with the error set, when it is too long. */
static char *absolute(const char *path, char buf[PATH_MAX])
{
	int n = snprintf(buf, PATH_MAX, "%s%s", *path == '/' ? "" : HOME "/",
			 path);

	if (n < PATH_MAX)
		return buf;
	fail("path", NULL, "a path of %d bytes is too long: at most %d fit", n,
	     PATH_MAX - 1);
	return NULL;
}

/* The name in path that nothing has; the hint is the closest in its place. */
static int fail_no_file(const struct invocation *inv, const char *path)
{
	char parent[PATH_MAX];
	struct tree_node dir, node, *nodes;
	const char **names;
	const char *end = path;
	char name[256];
	size_t nr, i;

	do {
		end += strspn(end, "/");
		end += strcspn(end, "/");
		snprintf(parent, sizeof(parent), "%.*s", (int)(end - path),
			 path);
	} while (*end && !tree_lookup(inv->target, parent, true, &node));
	snprintf(name, sizeof(name), "%s", strrchr(parent, '/') + 1);
	*(strrchr(parent, '/') + 1) = '\0';
	fail("no_file", NULL, "there is no %s in %s", name, parent);
	if (tree_lookup(inv->target, parent, true, &dir) ||
	    tree_readdir(inv->target, &dir, &nodes, &nr))
		return -EINVAL;
	names = must_alloc((nr + 1) * sizeof(*names));
	for (i = 0; i < nr; i++)
		names[i] = nodes[i].name;
	hint_nearest(name, names, nr);
	free(names);
	free(nodes);
	return -EINVAL;
}

/* An error that every command may get; value: what was to be written. */
static int fail_path(const struct invocation *inv, const char *path,
		     const struct tree_node *node, int err, const char *value)
{
	const struct attr *attr = node ? node->attr : NULL;

	switch (-err) {
	case ENOENT:
		return fail_no_file(inv, path);
	case ENOTDIR:
		return fail("not_a_directory", NULL,
			    "%s: something in front of a / is a file", path);
	case EISDIR:
		return fail("is_a_directory", "ls shows what is in it",
			    "%s is a directory", path);
	case EACCES:
		return fail("read_only", NULL,
			    "EACCES: %s can only be read (mode 0%o)", path,
			    node ? node->mode : 0);
	case EINVAL:
	case ERANGE:
		if (!attr || !value)
			break;
		return fail("refused", attr->accepts,
			    "%s: %s does not take \"%.60s%s\"",
			    err == -EINVAL ? "EINVAL" : "ERANGE", attr->name,
			    value, strlen(value) > 60 ? "..." : "");
	default:
		break;
	}
	return fail("file", NULL, "%s: %s", path, strerror(-err));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct tree_node *)a)->name,
		      ((const struct tree_node *)b)->name);
}

static void list_node(struct value *table, const struct tree_node *node)
{
	struct value *row = table_row(table);

	put_text(row, "name", "%s", node->name);
	put_text(row, "type", "%s", type_names[node->type]);
	put_text(row, "mode", "%04o", node->mode);
	if (node->type == TREE_LINK)
		put_text(row, "target", "%s", node->target);
	if (node->attr) {
		put_text(row, "unit", "%s", node->attr->unit);
		put_text(row, "help", "%s", node->attr->help);
	}
	if (node->type == TREE_DIRECTORY)
		put_style(row, "name", STYLE_NAME);
}

static int tree_ls(const struct invocation *inv, struct model *out)
{
	const char *word = arg_word(inv, "PATH");
	char buf[PATH_MAX];
	const char *path = absolute(word ? word : HOME, buf);
	struct value *table = put_table(out->root, "entries");
	struct tree_node node, *nodes;
	size_t nr, i;
	int err;

	if (!path)
		return -EINVAL;
	err = tree_lookup(inv->target, path, true, &node);
	if (err)
		return fail_path(inv, path, NULL, err, NULL);
	if (node.type != TREE_DIRECTORY) {
		list_node(table, &node);
		return 0;
	}
	err = tree_readdir(inv->target, &node, &nodes, &nr);
	if (err)
		return fail_path(inv, path, &node, err, NULL);
	if (nr)
		qsort(nodes, nr, sizeof(*nodes), by_name);
	for (i = 0; i < nr; i++)
		list_node(table, &nodes[i]);
	free(nodes);
	return 0;
}

static int tree_cat(const struct invocation *inv, struct model *out)
{
	char buf[PATH_MAX];
	const char *path = absolute(arg_word(inv, "PATH"), buf);
	struct tree_node node;
	char *text;
	ssize_t n;
	int err;

	if (!path)
		return -EINVAL;
	err = tree_lookup(inv->target, path, true, &node);
	if (err)
		return fail_path(inv, path, NULL, err, NULL);
	n = tree_read(inv->target, &node, &text);
	if (n < 0)
		return fail_path(inv, path, &node, (int)n, NULL);
	if (n && text[n - 1] == '\n')
		text[n - 1] = '\0';
	root_text(out, "%s", text);
	free(text);
	return 0;
}

/* The words of VALUE with a blank between; malloc'ed. */
static char *joined(const struct bound *words)
{
	size_t nr = words ? words->nr : 0, size = 1, i;
	char *text, *p;

	for (i = 0; i < nr; i++)
		size += strlen(words->words[i]) + 1;
	text = p = must_alloc(size);
	for (i = 0; i < nr; i++)
		p += sprintf(p, "%s%s", i ? " " : "", words->words[i]);
	*p = '\0';
	return text;
}

static int tree_echo(const struct invocation *inv, struct model *out)
{
	char buf[PATH_MAX];
	const char *path = absolute(arg_word(inv, ">"), buf);
	struct tree_node node;
	char *value, *text;
	size_t size;
	ssize_t n;
	int err;

	if (!path)
		return -EINVAL;
	err = tree_lookup(inv->target, path, true, &node);
	if (err)
		return fail_path(inv, path, NULL, err, NULL);
	value = joined(arg_bound(inv, "VALUE"));
	size = strlen(value) + 2;
	text = must_alloc(size);
	snprintf(text, size, "%s%s", value, arg_given(inv, "-n") ? "" : "\n");
	n = tree_write(inv->target, &node, text, strlen(text));
	if (n < 0)
		fail_path(inv, path, &node, (int)n, value);
	free(text);
	free(value);
	if (n < 0)
		return -EINVAL;
	root_number(out, (uint64_t)n);
	view_text(out, "%s took %zd byte%s", path, n, n == 1 ? "" : "s");
	return 0;
}

/* Everything below path, as it would be typed. */
static void complete_below(struct words *to, const char *path,
			   const char *typed)
{
	struct tree_node node, *nodes;
	char below[PATH_MAX], shown[PATH_MAX];
	size_t nr, i;

	if (tree_lookup(session.target, path, true, &node) ||
	    tree_readdir(session.target, &node, &nodes, &nr))
		return;
	for (i = 0; i < nr; i++) {
		bool is_file = nodes[i].type == TREE_FILE;

		snprintf(below, sizeof(below), "%s/%s", path, nodes[i].name);
		snprintf(shown, sizeof(shown), "%s%s%s", typed, nodes[i].name,
			 is_file ? "" : "/");
		words_add(to, "%s", shown);
		if (!is_file)
			complete_below(to, below, shown);
	}
	free(nodes);
}

static void complete_path(struct words *to)
{
	if (!session_machine())
		return;
	complete_below(to, HOME, "");
	complete_below(to, "/", "/");
}

/* ---- rows ---- */

static const struct field entry_fields[] = {
	FIELD("mode", TEXT, "who may read and write"),
	FIELD("type", TEXT, "directory, file or link"),
	FIELD("name", TEXT, "in its directory"),
	FIELD("target", TEXT, "where a link leads"),
	FIELD("unit", TEXT, "of the number in the file", .how = FIELD_EXTRA),
	FIELD("help", TEXT, "what the file says", .how = FIELD_EXTRA),
	{},
};
static const struct field ls_part[] = {
	FIELD("entries", TABLE, "one row a name", .of = entry_fields),
	{},
};
static const struct field ls_returns = FIELD("ls", RECORD, NULL, .of = ls_part);
static const struct field cat_returns = FIELD("content", TEXT, NULL);
static const struct field echo_returns = FIELD("bytes", COUNT, NULL);

static const struct arg ls_args[] = {
	ARG("PATH", WORD, "a directory; " HOME " when not given",
	    .complete = complete_path),
	{},
};
static const struct arg cat_args[] = {
	ARG("PATH", WORD, "a file, absolute or below " HOME,
	    .is_required = true, .complete = complete_path),
	{},
};
static const struct arg echo_args[] = {
	ARG("VALUE", WORD, "what is written, a newline behind it",
	    .takes_rest = true),
	ARG("-n", FLAG, "no newline behind it"),
	ARG(">", AFTER, "a file, absolute or below " HOME, .value = "PATH",
	    .is_required = true, .complete = complete_path),
	{},
};

const struct command tree_commands[] = {
	{
		.name = "ls",
		.brief = "files that the kernel has about its slabs",
		.example = "ls ring",
		.args = ls_args,
		.returns = &ls_returns,
		.run = tree_ls,
	},
	{
		.name = "cat",
		.brief = "what a file of the kernel's tree says",
		.example = "cat ring/slab_size",
		.args = cat_args,
		.returns = &cat_returns,
		.run = tree_cat,
	},
	{
		.name = "echo",
		.brief = "write to a file of the kernel's tree",
		.example = "echo 10 > ring/min_partial",
		.args = echo_args,
		.returns = &echo_returns,
		.run = tree_echo,
		.operates = true,
	},
	{},
};
