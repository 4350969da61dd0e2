/* base/fs.h - files of this machine: bounded reads, atomic writes, trees. */
#pragma once

#include <sys/types.h>
#include "base/err.h"
#include "base/str.h"

MUST_CHECK int file_read(const char *path, size_t max, struct str *out, struct err *err);       /* ERR_TOO_LARGE above max */
/* Writes beside the path, syncs, renames: readers see the old file or the new one, also after a crash. */
MUST_CHECK int file_write(const char *path, struct sv data, mode_t mode, struct err *err);
/* A descriptor of the file, made when absent, whose lock this process alone has until it closes it or ends: ERR_BUSY when
 * another has it. Unlike flock(2), a child that was just forked does not hold it on after the process was killed. */
MUST_CHECK int file_lock(const char *path, int *fd, struct err *err);
MUST_CHECK int dir_make(const char *path, mode_t mode, struct err *err);        /* with parents; an existing directory is fine */
MUST_CHECK int tree_remove(const char *path, struct err *err);  /* everything below too, never through links, never over a mount; absent is fine */
bool path_exists(const char *path);
