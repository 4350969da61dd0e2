/* base/vfs.h - a read-only view of a tree of files: a directory, a commit, an archive, memory.
 *
 * Paths are relative to the view's root, with `/`, without a leading one, "" is the root; `..` never leaves the root.
 * A view is used by one thread at a time (a render runs as a job on the pool). */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"

enum vfs_type { VFS_FILE = 1, VFS_DIR, VFS_LINK };

struct vfs_entry { char *name; enum vfs_type type; };   /* VFS_LINK only for links that do not resolve inside the view */
struct vfs_entries { struct vfs_entry *v; size_t n, cap; };

struct vfs { const struct vfs_ops *ops; };

struct vfs_ops {
	/* The whole file; ERR_TOO_LARGE above max bytes, ERR_NOT_FOUND, ERR_INVALID for a directory. Links are followed. */
	int (*read)(struct vfs *, const char *path, size_t max, struct str *out, struct err *);
	/* Names in byte order; ERR_NOT_FOUND, ERR_INVALID for a file. */
	int (*list)(struct vfs *, const char *path, struct vfs_entries *out, struct err *);
	/* Type of what the path names, links followed. id (may be NULL) gets the content id of a file or a directory (a git
	 * object id, or a sha256 in hex): equal ids mean equal content. */
	int (*stat)(struct vfs *, const char *path, enum vfs_type *type, struct str *id, struct err *);
	/* The path with every link in it followed. NULL: the view has no links. */
	int (*real)(struct vfs *, const char *path, struct str *out, struct err *);
	void (*free)(struct vfs *);
};

MUST_CHECK int vfs_read(struct vfs *v, const char *path, size_t max, struct str *out, struct err *err);
MUST_CHECK int vfs_list(struct vfs *v, const char *path, struct vfs_entries *out, struct err *err);
MUST_CHECK int vfs_stat(struct vfs *v, const char *path, enum vfs_type *type, struct err *err);
bool vfs_exists(struct vfs *v, const char *path, enum vfs_type type);
/* Where the path leads: cleaned, links followed. ERR_NOT_FOUND; ERR_INVALID for one that leaves the view. */
MUST_CHECK int vfs_real(struct vfs *v, const char *path, struct str *out, struct err *err);
void vfs_entries_free(struct vfs_entries *e);
void vfs_free(struct vfs *v);

struct vfs *vfs_dir(const char *root, struct err *err);         /* a directory of this machine; NULL on error */
struct vfs *vfs_memory(void);                                   /* for tests and for files made on the way */
void vfs_memory_add(struct vfs *v, const char *path, struct sv content);
struct vfs *vfs_sub(struct vfs *borrowed, const char *path);    /* the view below a directory; `..` stops there */

/* Wraps a view and records what is asked of it: contents that were read, names that were listed, types that were looked
 * at, and what was absent. An application is rendered again only when vfs_reads_changed() says so against the view of
 * the new commit. */
struct vfs *vfs_trace(struct vfs *borrowed);
struct vfs_reads { char **paths; char **ids; size_t n, cap; };  /* id: opaque; which question it answers, and the answer */
void vfs_trace_take(struct vfs *trace, struct vfs_reads *out);
bool vfs_reads_changed(const struct vfs_reads *r, struct vfs *now);
void vfs_reads_free(struct vfs_reads *r);

/* Joins and cleans: ("a/b", "../c") is "a/c"; leaving the root is ERR_INVALID. *out is replaced. */
MUST_CHECK int vfs_join(struct str *out, const char *dir, const char *rel, struct err *err);
/* The way from one directory to a path, both cleaned: ("a/b", "a/c/d") is "../c/d", (x, x) is ".". *out is replaced. */
void vfs_relative(struct str *out, const char *from_dir, const char *path);
