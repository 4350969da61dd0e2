/* kube/client-https-internal.h - the client over HTTPS: what its files share. */
#pragma once

#include "base/httpc.h"
#include "base/map.h"
#include "kube/client.h"
#include "kube/kubeconfig.h"

struct https {
	struct client client;           /* first */
	struct httpc *http;
	struct kubeconfig config;
	struct str authorization;       /* "Authorization: Bearer ..."; empty: none */
	struct kinds *registry;         /* client.kinds: built-in rows and discovered ones */
	bool discovered;
	struct { struct kind **v; size_t n, cap; } found;       /* owned rows of discovered kinds */
};

struct call {
	const char *method, *path;              /* path: with the query */
	const char *content_type;               /* NULL: no body */
	struct sv body;
	int64_t timeout_ms;                     /* as in struct httpc_request */
};

/* One exchange; 429 with Retry-After is waited for and tried again. An answer of 400 and more is an error with the
 * Status' reason, message and causes. *out (may be NULL): the parsed body. */
MUST_CHECK int https_call(struct https *h, const struct call *c, struct doc **out, struct err *err);
/* The same for a body that is handed to on_data as it comes. */
MUST_CHECK int https_stream(struct https *h, const char *path, int (*on_data)(void *arg, struct sv data), void *arg, struct err *err);
int https_error(int status, struct sv body, struct err *err);  /* the error of an answer */

/* "/apis/apps/v1/namespaces/shop/deployments/web/status"; ns, name and sub may be NULL. */
void https_path(struct str *out, const struct kind *k, const char *ns, const char *name, const char *sub);
void https_query(struct str *path, const char *key, const char *value);         /* appends; a NULL value appends nothing */

MUST_CHECK int https_watch(struct client *c, const struct kind *k, const struct list_opts *o, int64_t from, struct watch **out,
			   struct err *err);
MUST_CHECK int https_connect(struct client *client, const char *path, const char *protocol, struct client_connection **out,
			     struct err *err);
MUST_CHECK int https_discover(struct client *c, struct err *err);
struct object *https_object(const struct kind *k, struct doc *take);    /* fills in apiVersion and kind, which lists leave out */
