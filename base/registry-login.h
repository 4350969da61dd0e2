/* base/registry-login.h - who to be at a registry: the `auths` of docker's config.json, which Helm's and podman's files
 * and Kubernetes' pull secrets have too. Pure. Credential helpers (credsStore) are programs, and not asked. */
#pragma once

#include "base/doc.h"

struct registry_login { struct str user, password; };  /* { 0 }: none */
void registry_login_free(struct registry_login *l);

/* auths: a mapping of registries. registry: "" is docker.io. true: found. Keys may carry a scheme and a path. */
bool registry_login_find(const struct node *auths, const char *registry, struct registry_login *out);
