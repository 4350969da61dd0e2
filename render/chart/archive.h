/* render/chart/archive.h - a packaged chart (.tgz) as a file view. */
#pragma once

#include "base/vfs.h"

/* The files of the archive in memory, below the one directory that a package has. Entries that are no plain files, and
 * names that would leave the directory, are errors. Bounded: 5 MB a file, 64 MB and 10,000 files in all. NULL on error. */
struct vfs *chart_archive(struct sv bytes, const char *name, struct err *err);
