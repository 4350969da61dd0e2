/* kube/kubeconfig.h - how to reach a server: one context of the kubeconfig files, resolved. Reads files, nothing else. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct kubeconfig {
	char *server;                           /* "https://127.0.0.1:6443", without a slash at the end */
	char *ns;                               /* NULL: the context names none */
	char *context;                          /* its name; NULL: none was needed */
	struct str ca_pem, cert_pem, key_pem;   /* empty: none */
	char *token, *userpwd;                  /* NULL: none; userpwd: "user:password" */
	bool insecure;
};

/* path NULL: the files of $KUBECONFIG, then ~/.kube/config, then, inside of a pod, its service account. Of several files
 * the first one that has a name wins, as with kubectl. context NULL: the current one. Errors name file and entry. */
MUST_CHECK int kubeconfig_load(struct kubeconfig *out, const char *path, const char *context, struct err *err);
void kubeconfig_free(struct kubeconfig *c);
