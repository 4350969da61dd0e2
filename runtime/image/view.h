/* runtime/image/view.h - the merged tree of some layers, read-only, without a mount point. Blocks: in a job. */
#pragma once

#include <sys/stat.h>
#include "base/err.h"
#include "base/str.h"
#include "runtime/image/image.h"

/* A descriptor of the root; layers topmost first, at least one. Closing it is all there is to clean up. On kernels
 * before 6.8 the calling thread gets a mount namespace of its own, so it must end after this: a long job's. */
MUST_CHECK int view_open(const struct strings *layers, struct err *err);
/* What is at path inside, links followed and never out of the root. *real: the path without links, "" is the root; what
 * does not exist is appended as it is. st (may be NULL) is filled when it exists. Returns whether it does, or -code. */
MUST_CHECK int view_find(int root, const char *path, struct str *real, struct stat *st, struct err *err);
/* ERR_NOT_FOUND */
MUST_CHECK int view_read(int root, const char *path, size_t max, struct str *out, struct err *err);
/* the path of what is open below root, without links; -1: unknown */
int view_name(int root, int fd, struct str *out);
void path_clean(struct sv path, struct str *out);        /* "/a//./b/../c" is "a/c": .. stops at the root; sets *out */
