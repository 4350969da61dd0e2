/* orchestrator/api/api.h - the API server: Kubernetes' REST over a store, driven by the kind tables. */
#pragma once

#include "base/http.h"
#include "kube/client.h"
#include "kube/nodelink.h"
#include "orchestrator/store/store.h"

struct api;

/* People by OpenID Connect: kube-apiserver's options of the same names. NULL: its defaults. */
struct oidc_opts {
	const char *issuer, *client_id;         /* issuer NULL: none of it */
	const char *username_claim, *username_prefix, *groups_claim, *groups_prefix;    /* "sub", "ISSUER#", none, "" */
	const char *signing_algs;               /* comma separated: "RS256" */
	const char *const *required;            /* "CLAIM=VALUE" */
	size_t n_required;
	struct sv ca;                           /* PEM; empty: the system's */
};

struct api_opts {
	struct store *store;            /* borrowed */
	struct kinds *kinds;            /* borrowed; grows with CustomResourceDefinitions */
	const char *version;            /* the program's */
	const char *service_cidr;       /* where Services get their addresses; NULL: "10.96.0.0/16" */
	struct sv token;                /* bearer token of the administrator; empty: none. Borrowed */
	/* Of service accounts: PEM texts of the keys of their tokens, of which the first one signs (empty: one for this
	 * run), and of the CA that pods trust (empty: pods get no token by themselves); what iss says (NULL:
	 * "https://kubernetes.default.svc.cluster.local"). Copied */
	struct sv account_keys, ca;
	struct sv ca_key;               /* signs certificates that are asked for; empty: none are */
	const char *issuer;
	struct oidc_opts oidc;          /* copied */
	int seats;                      /* requests that run at once; 0: 600, less than 0: no limit */
	int watches_max;                /* watches that are open at once; 0: 20,000 */
	int64_t request_timeout_ms;     /* of one that is no watch and no stream; 0: a minute */
	/* Where audit events go (NULL: nowhere; "-": standard output), the text of their Policy (NULL: Metadata of everything),
	 * and how large the file grows before a new one is begun, of which so many are kept. */
	const char *audit_path, *audit_policy;
	int64_t audit_max_bytes;
	int audit_backups;
	const char *tokens;             /* text of a token file: lines "TOKEN,USER[,UID[,GROUP...]]"; NULL: none */
};

struct api *api_new(struct loop *l, const struct api_opts *o,
		    struct err *err);	/* in a fiber: reads the store into the watch cache */
void api_free(struct api **a);          /* in a fiber, when the HTTP server has stopped and no client's watch is left */
/* Where pods reach the API: the Endpoints of the Service "kubernetes". Parks. */
MUST_CHECK int api_set_address(struct api *a, const char *ip, int port, struct err *err);
void api_set_node(struct api *a, const char *node, struct nodelink *borrowed);  /* where pods/log goes; NULL: gone */

void api_handle(struct http_request *rq, void *api);    /* the HTTP side: routes, authenticates, answers */
/* The in-process side: the same checks without encoding. user: who it counts as ("system:kube-scheduler"). */
struct client *api_client(struct api *a, const char *user);
