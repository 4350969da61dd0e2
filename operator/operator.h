/* operator/operator.h - continuous delivery: Applications, their sources, the built-in git server and the webhook. */
#pragma once

#include "base/http.h"
#include "kube/client.h"
#include "kube/informer.h"

struct operator;

struct operator_opts {
	const char *dir;                        /* git caches and the git server's repositories */
	struct client *client;                  /* borrowed */
	struct informers *informers;            /* borrowed */
	int64_t poll_ms;                        /* 0: 3 minutes */
	struct sv token;                        /* the administrator's: bearer, or the password of basic authentication */
};

struct operator *operator_start(struct loop *l, const struct operator_opts *o, struct err *err);
void operator_stop(struct operator **o);
/* Where the server answers ("https://127.0.0.1:6443"), once it does: repoURLs there are read in place. */
void operator_set_url(struct operator *o, const char *url);
void operator_webhook(struct http_request *rq, void *op);       /* POST /api/webhook */
void operator_git(struct http_request *rq, void *op);           /* /git/NAME.git/... ; streams its body */
void operator_api(struct http_request *rq, void *op);           /* GET /api/v1/applications/NAME/managed-resources, as Argo CD has it */
