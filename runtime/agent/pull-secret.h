/* runtime/agent/pull-secret.h - who to be at a registry: secrets of type kubernetes.io/dockerconfigjson and
 * dockercfg. Pure. */
#pragma once

#include "base/doc.h"

struct pull_login { struct str user, password; };       /* { 0 }: none */
void pull_login_free(struct pull_login *l);

/* Looks for the registry ("" is docker.io) in one Secret. true: found. Entries may carry a scheme and a path. */
bool pull_secret_find(const struct node *secret, const char *registry, struct pull_login *out);
