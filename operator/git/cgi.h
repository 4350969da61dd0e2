/* operator/git/cgi.h - git's own http-backend as a child: its answer is streamed, its body comes from the request. */
#pragma once

#include "base/http.h"

struct cgi {
	const char *root;               /* GIT_PROJECT_ROOT */
	const char *path;               /* PATH_INFO: "/web.git/git-receive-pack" */
	const char *user;               /* REMOTE_USER: who is verified to be there */
	bool hold_end;                  /* keep the closing flush packet of the answer back: the caller sends it */
};

struct cgi_end {
	struct http_stream *stream;     /* the open answer, for the caller to end; NULL: it was answered completely */
	bool sideband;                  /* the answer is in side-band packets, its flush packet is held back */
};

/* Runs to the child's end. On error nothing was answered, or the answer was broken off. */
MUST_CHECK int cgi_run(struct http_request *rq, const struct cgi *c, struct cgi_end *end, struct err *err);
