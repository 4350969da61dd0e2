/* runtime/volume/files.h - the files of a ConfigMap, Secret or the like in a directory, swapped as a whole.
 *
 * DIR/..2026_01_02_15_04_05.123/a/b   the files    DIR/..data -> that directory    DIR/a -> ..data/a
 * A program that reads through DIR/a sees the old directory or the new one; it can watch ..data. Blocks. */
#pragma once

#include "runtime/volume/volume.h"

/* Nothing is written when the files are as wanted. owner.set: the group owns and reads them. */
MUST_CHECK int volume_files_write(const char *dir, const struct volume_plan *p, struct volume_owner owner,
	struct err *err);
