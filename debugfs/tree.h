/* SPDX-License-Identifier: MIT */
/*
 * tree.h - the files in which a kernel shows its slabs: path -> node
 *
 *	/proc/slabinfo
 *	/proc/self/                             fail-nth make-it-fail
 *	/sys/kernel/debug/failslab/             probability interval ...
 *	/sys/kernel/debug/fail_page_alloc/      probability interval ...
 *	/sys/kernel/debug/slab/<cache>/         alloc_traces free_traces (U)
 *	/sys/kernel/slab/<cache, or :id>/       objects slabs validate ...
 *	/sys/kernel/slab/<name> -> <:id>        names of caches that may merge
 *
 * Directories and files come from the rows of attr.h over a target; nothing
 * here knows a file system. Everything is looked up anew: a node is a name
 * for something, and says -ENODEV when that is gone.
 *
 * Errors: -errno, as root gets it from the kernel for the same path
 */
#ifndef SLAB_DEBUGFS_TREE_H
#define SLAB_DEBUGFS_TREE_H

#include <sys/types.h>

#include <slab/inspect.h>

#ifdef __cplusplus
extern "C" {
#endif

enum tree_type { TREE_DIRECTORY, TREE_FILE, TREE_LINK };

struct attr;

struct tree_node {
	char name[256];
	enum tree_type type;
	unsigned int mode;	 /* 0755, 0400, 0600, 0777 */
	size_t size;		 /* as stat() has it: 4096 for files of sysfs */
	char target[256];	 /* of a link: a name in its directory */
	const struct attr *attr; /* of a file: unit, help, accepts; else NULL */

	/* tree.c's */
	unsigned int directory;
	uintptr_t cache;
};

/*
 * What an absolute path names; links on the way are followed, the last one
 * only with follow. -ENOENT, -ENOTDIR, -ENAMETOOLONG, -ENOMEM.
 */
int tree_lookup(struct slab_target *t, const char *path, bool follow,
		struct tree_node *ret);

/* What is in a directory, in no order that means anything; free(*ret).
 * -ENOTDIR, -ENODEV, -ENOMEM. */
int tree_readdir(struct slab_target *t, const struct tree_node *directory,
		 struct tree_node **ret, size_t *nr);

/* The whole content, NUL behind it; free(*ret). Its length, -EISDIR, -ENODEV,
 * -EOPNOTSUPP (only a live machine has it), -ENOMEM. */
ssize_t tree_read(struct slab_target *t, const struct tree_node *file,
		  char **ret);

/*
 * One write() of n bytes. How many were taken, or -EACCES (can not be opened
 * for writing), -EISDIR, -ENODEV, -EROFS (the target is no live machine),
 * -ENOMEM, and what the file says to a bad value: -EINVAL, -ERANGE.
 */
ssize_t tree_write(struct slab_target *t, const struct tree_node *file,
		   const void *bytes, size_t n);

#ifdef __cplusplus
}
#endif
#endif
