/* cli/data-dir.h - the directory that a server keeps everything in, and whose it is. */
#pragma once

#include "base/err.h"
#include "base/str.h"

#define DATA_DIR_DEFAULT ".cd-data"

/* Makes DIR (0700) and gives its absolute path: what runs on (supervisors, mounts) must not depend on our directory. */
MUST_CHECK int data_dir_make(const char *dir, struct str *absolute, struct err *err);
/* Makes DIR (0700) and takes its lock for the life of *fd. ERR_CONFLICT: another process has it. */
MUST_CHECK int data_dir_lock(const char *dir, int *fd, struct err *err);
/* A short name for what is made in the kernel (bridge, tables, cgroups): the same for a directory at every start,
 * different for two directories. */
MUST_CHECK int data_dir_instance(const char *dir, struct str *out, struct err *err);
