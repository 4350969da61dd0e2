/* render/chart/helmignore.h - .helmignore: which files of a directory are not part of the chart (Helm's internal/ignore). */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct helmignore;

/* ERR_INVALID for a pattern with `**`, which Helm refuses. */
MUST_CHECK int helmignore_parse(struct sv text, const char *file, struct helmignore **out, struct err *err);
void helmignore_free(struct helmignore **i);
bool helmignore_matches(const struct helmignore *i, const char *path, bool is_dir);     /* path: relative to the chart */
