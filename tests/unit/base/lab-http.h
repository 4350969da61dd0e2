/* tests/unit/base/lab-http.h - an HTTP server with a handler of every sort on a real socket, and a client that asks it. */
#pragma once

#include "base/fiber.h"
#include "base/http.h"
#include "base/httpc.h"
#include "base/vec.h"

struct world {
	bool with_tls, with_client_cert;
	int head_timeout_ms;            /* 0: longer than any test waits */
	struct str ca, cert, key, client, client_key;
	struct http_server *server;
	struct httpc *http;
	int port;
	/* what the handlers saw */
	size_t uploaded, handled;
	int upload_result, closed;
	struct http_stream *watch;
	bool canceled;
	struct fiber_cond changed;
	/* what the test saw */
	struct str seen;
	int status, r;
	struct err err;
	size_t n;
};
void world_free(struct world *w);

/* Runs fn in a fiber beside the server; its result. The server answers under the paths of the table in lab-http.c. */
int world_run(struct world *w, int (*fn)(struct world *w));

/* One request whose answer is in status and seen; the client's result, which is also in r. */
int world_ask(struct world *w, const char *method, const char *path, struct sv body);
