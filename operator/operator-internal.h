/* operator/operator-internal.h - what the operator's doors (git server, webhook) share. */
#pragma once

#include "operator/app/app.h"
#include "operator/appset/appset.h"
#include "operator/operator.h"

struct operator {
	struct loop *loop;
	struct client *client;
	struct informers *informers;
	struct repos *repos;
	struct charts *charts;
	struct apps *apps;
	struct appsets *appsets;        /* NULL: the server does not know the kind */
	char *root;                     /* of the git server's repositories */
	struct str token;
	struct webhook *webhook;
};

/* The verified client certificate's name, or "admin" for who knows the token. false: nobody. */
bool operator_authenticate(const struct operator *op, struct http_request *rq, struct str *user);

/* push.c: refreshes the applications that follow what has changed in the repository, and tells the pusher how it goes, as
 * side-band packets of the stream, until all have come to an end. stream NULL: nobody listens. In a fiber. */
struct git_refs;
void push_follow(struct operator *op, const char *repository, const struct git_refs *before, const struct git_refs *after,
		 struct http_stream *stream);
