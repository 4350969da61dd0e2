/* runtime/image/pack.h - writes a layer: an uncompressed tar in the blob store, entries in the order they are added.
 *
 * The same files in the same order give the same bytes. Modification times are kept, but none is later than `newest`
 * (SOURCE_DATE_EPOCH), so that a build can be repeated to the byte anywhere. */
#pragma once

#include <sys/stat.h>
#include "base/err.h"
#include "base/str.h"

struct pack;

#define PACK_ANY_TIME INT64_MAX
struct pack *pack_new(const char *store, int64_t newest_s, struct err *err);    /* NULL on error */
/* The file, link, device or directory (without what is in it) that name is below dir_fd, as `path`. st may differ from
 * what is there: owner, mode. Files that are the same inode become hard links. */
MUST_CHECK int pack_add(struct pack *p, int dir_fd, const char *name, const char *path, const struct stat *st,
			struct err *err);
/* from where fd is */
MUST_CHECK int pack_fd(struct pack *p, int fd, const char *path, const struct stat *st, struct err *err);
MUST_CHECK int pack_add_dir(struct pack *p, const char *path, const struct stat *st, struct err *err);
/* Everything below dir_fd, sorted by name, with overlayfs' marks of deletion turned into whiteouts. top_skip: names
 * that are left out at the top, NULL-terminated. */
MUST_CHECK int pack_upper(struct pack *p, int dir_fd, const char *const *top_skip, struct err *err);
/* digest is also the diff id */
MUST_CHECK int pack_end(struct pack *p, struct str *digest, int64_t *bytes, struct err *err);
void pack_free(struct pack **p);

/* Names in a directory without . and .., in byte order. */
struct names { char **v; size_t n, cap; };
MUST_CHECK int names_read(int dir_fd, struct names *out, struct err *err);
void names_free(struct names *n);
