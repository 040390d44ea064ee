/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "attr.h"
#include "tree.h"

/* ---- directories: the fixed ones by name, the others one a cache ---- */
enum {
	DIR_ROOT,
	DIR_PROC,
	DIR_PROC_SELF,
	DIR_SYS,
	DIR_KERNEL,
	DIR_DEBUG,
	DIR_FAILSLAB,
	DIR_FAIL_PAGE_ALLOC,
	DIR_TRACED,
	DIR_TRACES,
	DIR_CACHES,
	DIR_CACHE,
	NR_DIRS,
};

#define SYSFS_FILE_SIZE 4096

struct directory {
	const char *name; /* NULL: of a cache */
	unsigned int parent, mode;
	const struct attr *rows[5];
	size_t file_size;
};

static const struct directory directories[NR_DIRS] = {
	[DIR_ROOT] = { .name = "/", .mode = 0755 },
	[DIR_PROC] = { .name = "proc", .parent = DIR_ROOT, .mode = 0555,
		       .rows = { attr_slabinfo_rows } },
	[DIR_PROC_SELF] = { .name = "self", .parent = DIR_PROC, .mode = 0555,
			    .rows = { attr_task_rows } },
	[DIR_SYS] = { .name = "sys", .parent = DIR_ROOT, .mode = 0555 },
	[DIR_KERNEL] = { .name = "kernel", .parent = DIR_SYS, .mode = 0755 },
	[DIR_DEBUG] = { .name = "debug", .parent = DIR_KERNEL, .mode = 0700 },
	[DIR_FAILSLAB] = { .name = "failslab", .parent = DIR_DEBUG,
			   .mode = 0755, .rows = { attr_failslab_rows } },
	[DIR_FAIL_PAGE_ALLOC] = { .name = "fail_page_alloc",
				  .parent = DIR_DEBUG, .mode = 0755,
				  .rows = { attr_fail_page_alloc_rows } },
	[DIR_TRACED] = { .name = "slab", .parent = DIR_DEBUG, .mode = 0755 },
	[DIR_TRACES] = { .parent = DIR_TRACED, .mode = 0755,
			 .rows = { attr_traces_rows } },
	[DIR_CACHES] = { .name = "slab", .parent = DIR_KERNEL, .mode = 0755 },
	[DIR_CACHE] = { .parent = DIR_CACHES, .mode = 0755,
			.rows = { attr_cache_rows, attr_debug_rows,
				  attr_stat_rows, attr_cache_fault_rows },
			.file_size = SYSFS_FILE_SIZE },
};

/* ---- what is in a directory ---- */
struct listing {
	struct tree_node *nodes;
	size_t nr, max;
};

/* Names have no / in them: sysfs makes it a !. */
static void copy_name(char to[256], const char *name)
{
	snprintf(to, 256, "%s", name);
	for (char *c = to; (c = strchr(c, '/')) != NULL;)
		*c = '!';
}

static struct tree_node *listing_find(const struct listing *l, const char *name)
{
	char wanted[256];

	copy_name(wanted, name);
	for (size_t i = 0; i < l->nr; i++) {
		if (!strcmp(l->nodes[i].name, wanted))
			return &l->nodes[i];
	}
	return NULL;
}

/* A new node of that name, or NULL without memory. */
static struct tree_node *listing_add(struct listing *l, enum tree_type type,
				     const char *name)
{
	struct tree_node *node;

	if (l->nr == l->max) {
		size_t max = l->max ? 2 * l->max : 64;

		node = reallocarray(l->nodes, max, sizeof(*node));
		if (!node)
			return NULL;
		l->nodes = node;
		l->max = max;
	}
	node = &l->nodes[l->nr++];
	memset(node, 0, sizeof(*node));
	node->type = type;
	copy_name(node->name, name);
	return node;
}

static int list_directory(struct listing *l, unsigned int directory,
			  const char *name, uintptr_t cache)
{
	struct tree_node *node = listing_add(l, TREE_DIRECTORY, name);

	if (!node)
		return -ENOMEM;
	node->mode = directories[directory].mode;
	node->directory = directory;
	node->cache = cache;
	return 0;
}

/* Subdirectories and files that a directory has whatever the caches. */
/* info: of the directory's cache; NULL: it is of none. */
static int list_fixed(struct listing *l, const struct tree_node *parent,
		      const struct slab_cache_info *info)
{
	const struct directory *d = &directories[parent->directory];

	for (unsigned int i = DIR_ROOT + 1; i < NR_DIRS; i++) {
		if (directories[i].parent == parent->directory &&
		    directories[i].name &&
		    list_directory(l, i, directories[i].name, 0))
			return -ENOMEM;
	}
	for (const struct attr *const *rows = d->rows; *rows; rows++) {
		/* a kernel without SLUB_STATS has none of these */
		if (*rows == attr_stat_rows && info && !info->has_statistics)
			continue;
		for (const struct attr *attr = *rows; attr->name; attr++) {
			struct tree_node *node =
				listing_add(l, TREE_FILE, attr->name);

			if (!node)
				return -ENOMEM;
			node->mode = attr->mode;
			node->size = d->file_size;
			node->attr = attr;
			node->directory = parent->directory;
			node->cache = parent->cache;
		}
	}
	return 0;
}

/* In sysfs the name goes to whoever comes last. */
static void listing_drop(struct listing *l, const char *name)
{
	struct tree_node *old = listing_find(l, name);

	if (old)
		*old = l->nodes[--l->nr];
}

/* A cache's directory and, when that is not its name, a link a name. */
static int list_cache(struct listing *l, struct slab_target *t,
		      const struct slab_cache_info *s)
{
	char *names;
	int err;

	listing_drop(l, s->id);
	err = list_directory(l, DIR_CACHE, s->id, s->cache);
	if (err || !strcmp(s->id, s->name))
		return err;
	err = slab_target_names(t, s->cache, &names);
	if (err)
		return err;
	for (const char *name = names; *name; name += strlen(name) + 1) {
		struct tree_node *link;

		listing_drop(l, name);
		link = listing_add(l, TREE_LINK, name);
		if (!link) {
			err = -ENOMEM;
			break;
		}
		link->mode = 0777;
		copy_name(link->target, s->id);
	}
	free(names);
	return err;
}

/* debugfs leaves a name with its first owner, and takes none with a /. */
static int list_traced(struct listing *l, const struct slab_cache_info *s)
{
	if (!(s->flags & SLAB_STORE_USER) || strchr(s->name, '/') ||
	    listing_find(l, s->name))
		return 0;
	return list_directory(l, DIR_TRACES, s->name, s->cache);
}

static int list_caches(struct listing *l, struct slab_target *t,
		       unsigned int directory)
{
	struct slab_cache_info *caches;
	size_t nr;
	int err = slab_target_caches(t, &caches, &nr);

	if (err)
		return err;
	/* oldest first, as they were added */
	for (size_t i = nr; i-- && !err;) {
		if (directory == DIR_CACHES)
			err = list_cache(l, t, &caches[i]);
		else
			err = list_traced(l, &caches[i]);
	}
	free(caches);
	return err;
}

/* The cache of a node as it is now. */
static int cache_info(struct slab_target *t, uintptr_t cache,
		      struct slab_cache_info *ret)
{
	struct slab_cache_info *caches;
	size_t nr;
	int err = slab_target_caches(t, &caches, &nr);

	if (err)
		return err;
	err = -ENODEV;
	for (size_t i = 0; i < nr && err; i++) {
		if (caches[i].cache == cache) {
			*ret = caches[i];
			err = 0;
		}
	}
	free(caches);
	return err;
}

int tree_readdir(struct slab_target *t, const struct tree_node *directory,
		 struct tree_node **ret, size_t *nr)
{
	struct listing l = { 0 };
	struct slab_cache_info info;
	int err = 0;

	if (directory->type != TREE_DIRECTORY)
		return -ENOTDIR;
	if (directory->cache)
		err = cache_info(t, directory->cache, &info);
	if (!err)
		err = list_fixed(&l, directory,
				 directory->cache ? &info : NULL);
	if (!err && (directory->directory == DIR_CACHES ||
		     directory->directory == DIR_TRACED))
		err = list_caches(&l, t, directory->directory);
	if (err) {
		free(l.nodes);
		return err;
	}
	*ret = l.nodes;
	*nr = l.nr;
	return 0;
}

/* ---- paths ---- */
static void root_node(struct tree_node *ret)
{
	memset(ret, 0, sizeof(*ret));
	snprintf(ret->name, sizeof(ret->name), "/");
	ret->type = TREE_DIRECTORY;
	ret->directory = DIR_ROOT;
	ret->mode = directories[DIR_ROOT].mode;
}

/* The node of that name in directory. */
static int child_node(struct slab_target *t, const struct tree_node *directory,
		      const char *name, struct tree_node *ret)
{
	struct listing l = { 0 };
	const struct tree_node *found;
	int err = tree_readdir(t, directory, &l.nodes, &l.nr);

	if (err)
		return err;
	found = listing_find(&l, name);
	if (found)
		*ret = *found;
	free(l.nodes);
	return found ? 0 : -ENOENT;
}

/* No path in the tree is deeper than this; .. goes back up. */
#define MAX_DEPTH 8

int tree_lookup(struct slab_target *t, const char *path, bool follow,
		struct tree_node *ret)
{
	struct tree_node *way; /* from the root to where we are */
	unsigned int depth = 0;
	int err = 0;

	if (*path != '/')
		return -ENOENT;
	if (strlen(path) >= PATH_MAX)
		return -ENAMETOOLONG;
	way = calloc(MAX_DEPTH, sizeof(*way));
	if (!way)
		return -ENOMEM;
	root_node(&way[0]);
	while (!err) {
		size_t n;
		char name[NAME_MAX + 1];

		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (!n)
			break;
		/* what a name or a slash comes behind is a directory */
		if (way[depth].type != TREE_DIRECTORY) {
			err = -ENOTDIR;
			break;
		}
		if (n > NAME_MAX) {
			err = -ENAMETOOLONG;
			break;
		}
		memcpy(name, path, n);
		name[n] = '\0';
		path += n;
		if (!strcmp(name, "."))
			continue;
		if (!strcmp(name, "..")) {
			depth -= depth > 0;
			continue;
		}
		err = child_node(t, &way[depth], name, &way[depth + 1]);
		if (err)
			break;
		/* a link leads to a directory beside it, never to a link */
		if (way[depth + 1].type == TREE_LINK && (*path || follow)) {
			struct tree_node to;

			err = child_node(t, &way[depth], way[depth + 1].target,
					 &to);
			if (err)
				break;
			way[depth + 1] = to;
		}
		depth++;
	}
	/* "file/" */
	if (!err && path[-1] == '/' && way[depth].type != TREE_DIRECTORY)
		err = -ENOTDIR;
	if (!err)
		*ret = way[depth];
	free(way);
	return err;
}

/* ---- files ---- */
/* Opens what file names; its cache, where it has one, is copied to info. */
static int open_file(struct slab_target *t, const struct tree_node *file,
		     struct slab_cache_info *info, struct attr_file *ret)
{
	if (file->type == TREE_DIRECTORY)
		return -EISDIR;
	if (file->type == TREE_LINK)
		return -ELOOP;
	*ret = (struct attr_file){
		.attr = file->attr,
		.target = t,
		.machine = slab_target_machine(t),
	};
	if (!file->cache)
		return 0;
	ret->info = info;
	return cache_info(t, file->cache, info);
}

ssize_t tree_read(struct slab_target *t, const struct tree_node *file,
		  char **ret)
{
	struct slab_cache_info info;
	struct attr_file f;
	char *text = NULL;
	size_t n = 0;
	FILE *out;
	int err = open_file(t, file, &info, &f);

	if (err)
		return err;
	out = open_memstream(&text, &n);
	if (!out)
		return -ENOMEM;
	err = f.attr->show(&f, out);
	if (ferror(out) && !err)
		err = -ENOMEM;
	if (fclose(out) && !err)
		err = -ENOMEM;
	if (err) {
		free(text);
		return err;
	}
	*ret = text;
	return (ssize_t)n;
}

ssize_t tree_write(struct slab_target *t, const struct tree_node *file,
		   const void *bytes, size_t n)
{
	struct slab_cache_info info;
	struct attr_file f;
	char *text;
	int err = open_file(t, file, &info, &f);

	if (err)
		return err;
	if (!f.attr->store)
		return -EACCES;
	if (!f.machine)
		return -EROFS;
	/* sysfs takes nothing for granted and a page at most */
	if (file->size == SYSFS_FILE_SIZE) {
		if (!n)
			return 0;
		if (n > SYSFS_FILE_SIZE)
			n = SYSFS_FILE_SIZE;
	}
	text = strndup(bytes, n);
	if (!text)
		return -ENOMEM;
	err = f.attr->store(&f, text);
	free(text);
	return err ? err : (ssize_t)n;
}
