/* kube/schema/tables.h - the built-in kinds, made from the .schema files of this folder at build time. */
#pragma once

#include "kube/kind.h"

extern const struct kind builtin_kinds[];       /* core first, then apps, batch ...: the order of kinds.schema */
extern const size_t builtin_kinds_n;
extern const struct type *const builtin_types;
extern const size_t builtin_types_n;
const struct type *builtin_type(const char *name);      /* "core/v1.PodSpec"; NULL: none */
