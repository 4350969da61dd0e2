/* kube/schema/walk.h - paths into objects, as Kubernetes writes them: spec.containers[0].env, metadata.labels[app]. */
#pragma once

#include "base/str.h"

static inline void path_field(struct str *path, const char *name) { str_addf(path, "%s%s", path->n ? "." : "", name); }
static inline void path_index(struct str *path, size_t i) { str_addf(path, "[%zu]", i); }
static inline void path_key(struct str *path, const char *key) { str_addf(path, "[%s]", key); }
