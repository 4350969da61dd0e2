/* operator/git/credentials.h - repositories' credentials: Secrets labelled argocd.argoproj.io/secret-type in the control plane's
 * namespace. `repository` is for one URL, `repo-creds` for all that begin with its url; the more exact one wins. */
#pragma once

#include "kube/client.h"
#include "operator/git/repo.h"

struct credentials { struct object_list secrets; struct str values[5]; struct repo_access access; };

/* For one URL; parks. NULL: none are known. What is returned lives in c. */
const struct repo_access *credentials_find(struct credentials *c, struct client *client, const char *ns, const char *url);
/* The same in two steps: the Secrets once, then which of them is for a URL; the second asks nobody. */
MUST_CHECK int credentials_list(struct credentials *c, struct client *client, const char *ns, struct err *err);
const struct repo_access *credentials_pick(struct credentials *c, const char *url);
void credentials_free(struct credentials *c);
