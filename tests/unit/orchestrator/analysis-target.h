/* tests/unit/orchestrator/analysis-target.h - the HTTP server that analyses measure in tests: it answers by path and remembers. */
#pragma once

#include "base/http.h"
#include "kube/fake-world.h"

struct target { struct http_server *server; int requests; struct str seen; };

static inline void target_answer(struct http_request *rq, void *arg)
{
	struct target *t = arg;

	t->requests++;
	str_addf(&t->seen, "%s %s " SV_FMT " " SV_FMT "\n", http_method(rq), http_path(rq), SV_ARG(http_header(rq, "X-Token")), SV_ARG(http_body(rq)));
	if (str_eq(http_path(rq), "/good"))
		http_reply(rq, 200, "application/json", SV("{\"data\":{\"rate\":0.99,\"echo\":\"s3cret\"}}"));
	else if (str_eq(http_path(rq), "/bad"))
		http_reply(rq, 200, "application/json", SV("{\"data\":{\"rate\":0.5}}"));
	else if (str_eq(http_path(rq), "/api/v1/query"))
		http_reply(rq, 200, "application/json", SV("{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":["
			   "{\"metric\":{},\"value\":[1,\"0.97\"]},{\"metric\":{},\"value\":[1,\"NaN\"]}]}}"));
	else
		http_reply(rq, 500, "text/plain", SV("broken\nlines"));
}

static inline int open_target(struct world *w, struct target *t)
{
	AUTO(err) err = { 0 };

	t->server = http_server_start(w->client->loop, &(struct http_server_opts){ .listen = "127.0.0.1:0", .max_body = 4096,
		.handler = target_answer, .arg = t }, &err);
	if (!t->server)
		world_fail(w, __FILE__, __LINE__, "%s", err_msg(&err));
	return t->server ? http_server_port(t->server) : 0;
}

static inline void close_target(struct target *t)
{
	http_server_stop(&t->server);
	str_free(&t->seen);
}
