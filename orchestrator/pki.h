/* orchestrator/pki.h - the certificates of a server that makes its own: one CA, a server's and an administrator's. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct pki { struct str ca, ca_key, server, server_key, admin, admin_key, account_key, token; };        /* PEM; account_key: signs tokens of service accounts; token: the administrator's, one line */

/* Reads DIR/{ca,server,admin}.{crt,key}, DIR/sa.key and DIR/admin.token (0600), making what is missing and renewing what expires
 * within 30 days or does not name every host of `names` (comma separated DNS names and addresses). */
MUST_CHECK int pki_open(const char *dir, const char *names, struct pki *out, struct err *err);
void pki_free(struct pki *p);

/* A kubeconfig of one cluster, user and context, as YAML: everything inline. */
void pki_kubeconfig(const struct pki *p, const char *server_url, struct str *out);
