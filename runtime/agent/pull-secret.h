/* runtime/agent/pull-secret.h - who to be at a registry: secrets of type kubernetes.io/dockerconfigjson and
 * dockercfg. Pure. */
#pragma once

#include "base/registry-login.h"

/* Looks for the registry ("" is docker.io) in one Secret. true: found. Entries may carry a scheme and a path. */
bool pull_secret_find(const struct node *secret, const char *registry, struct registry_login *out);
