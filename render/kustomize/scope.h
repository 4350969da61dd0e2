/* render/kustomize/scope.h - the kinds that kustomize knows to have no namespace. */
#pragma once

#include <stdbool.h>

/* Kinds that are in no table are taken to be namespaced: that is also what kustomize does with those that came after its own
 * schema, and an output that differs from its would surprise more than it helps. */
bool scope_is_cluster(const char *group, const char *version, const char *kind);
