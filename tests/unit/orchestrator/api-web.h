/* tests/unit/orchestrator/api-web.h - the API behind a real HTTP server on loopback, and requests to it. */
#pragma once

#include "api-cluster.h"

#include "base/http.h"
#include "base/httpc.h"

struct web { struct cluster *c; struct http_server *server; struct httpc *client; const char *token; };

static inline struct web web_open(struct cluster *c)
{
	struct web w = { .c = c, .token = "secret-token" };
	struct http_server_opts o = {
		.listen = "127.0.0.1:0", .max_body = 3 << 20, .handler = api_handle, .arg = c->api
	};
	AUTO(err) e = { 0 };

	if (!(w.server = http_server_start(fiber_loop(), &o, &e)))
		str_addf(&c->trace, "%s", err_msg(&e));
	w.client = httpc_new(fiber_loop());
	return w;
}

static inline void web_close(struct web *w)
{
	httpc_free(&w->client);
	http_server_stop(&w->server);
}

struct call { const char *method, *path, *type, *accept, *body, *as; };     /* as: Impersonate-User */

static inline int call(struct web *w, const struct call *c, struct httpc_response *out)
{
	char *url = str_fmt("http://127.0.0.1:%d%s", http_server_port(w->server), c->path);
	char *auth = str_fmt("Authorization: Bearer %s", w->token),
	     *type = str_fmt("Content-Type: %s", c->type ? c->type : "application/json");
	char *accept = str_fmt("Accept: %s", c->accept ? c->accept : "application/json");
	char *as = c->as ? str_fmt("Impersonate-User: %s", c->as) : NULL;
	const char *headers[] = { accept, type, *w->token ? auth : as, *w->token ? as : NULL, NULL };
	struct httpc_request rq = { .method = c->method, .url = url, .headers = headers, .body = sv_c(c->body) };
	AUTO(err) e = { 0 };
	int r = httpc_do(w->client, &rq, out, &e);

	if (r < 0)
		str_addf(&w->c->trace, "%s: %s\n", c->path, err_msg(&e));
	free(url);
	free(auth);
	free(type);
	free(accept);
	free(as);
	return r;
}

/* Notes the status. */
static inline void ask(struct web *w, const char *method, const char *path, const char *body)
{
	struct httpc_response r = { 0 };

	if (call(w, &(struct call){ .method = method, .path = path, .body = body }, &r) >= 0)
		str_addf(&w->c->trace, "%d ", r.status);
	httpc_response_free(&r);
}

/* Notes status and the values at the paths (a list ended by NULL) of the JSON answer. */
static inline void ask_at(struct web *w, const struct call *c, const char *const *paths)
{
	struct httpc_response r = { 0 };
	AUTO_DOC d = NULL;

	if (call(w, c, &r) >= 0) {
		str_addf(&w->c->trace, "%d ", r.status);
		if (json_read(str_sv(&r.body), "answer", 0, &d, NULL) < 0)
			str_addf(&w->c->trace, "not JSON: %s\n", str_c(&r.body));
		for (; d && *paths; paths++)
			note_at(w->c, doc_root(d), *paths);
	}
	httpc_response_free(&r);
}
#define PATHS(...) (const char *const[]){ __VA_ARGS__, NULL }
#define ASK(...) &(struct call){ __VA_ARGS__ }
