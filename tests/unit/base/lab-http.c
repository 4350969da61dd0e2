#include "lab-http.h"

#include <stdlib.h>

/* ---- handlers ---- */

static void on_close(void *arg)
{
	struct world *w = arg;

	w->closed++;
	http_stream_end(TAKE(w->watch));
	fiber_signal_all(&w->changed);
}

static void handle_echo(struct http_request *rq, struct world *w)
{
	(void)w;
	http_reply(rq, 200, "text/plain", http_body(rq));
}

static void handle_describe(struct http_request *rq, struct world *w)
{
	const struct tls_peer *p = http_peer(rq);
	AUTO(str) text = { 0 };
	struct sv agent = http_header(rq, "X-TEST");

	(void)w;
	str_addf(&text, "%s %s %s %d " SV_FMT " %s %s", http_method(rq), http_path(rq), http_query(rq), http_version(rq), SV_ARG(agent),
		 p ? p->name : "-", p && p->n_groups ? p->groups[0] : "-");
	http_add_header(rq, "X-Answer", "a\r\nb");
	http_reply(rq, 200, "text/plain", str_sv(&text));
}

static void handle_stream(struct http_request *rq, struct world *w)
{
	struct http_stream *s = http_stream_start(rq, 200, "text/plain");

	(void)w;
	for (int i = 0; i < 3; i++) {
		(void)http_stream_write(s, SV("piece "));
		(void)fiber_yield();
	}
	http_stream_end(s);
}

static void handle_watch(struct http_request *rq, struct world *w)
{
	w->watch = http_stream_start(rq, 200, "application/json");
	http_stream_on_close(w->watch, on_close, w);
	(void)http_stream_write(w->watch, SV("first\n"));
	fiber_signal_all(&w->changed);
}

static void handle_parked(struct http_request *rq, struct world *w)
{
	struct http_stream *s = http_stream_start(rq, 200, "text/plain");

	(void)http_stream_write(s, SV("waiting\n"));
	w->canceled = fiber_sleep(60000) == -ERR_CANCELED;
	http_stream_end(s);
	fiber_signal_all(&w->changed);
}

static void handle_upload(struct http_request *rq, struct world *w)
{
	char buf[5000];
	struct err e = { 0 };
	int n;

	while ((n = http_body_read(rq, buf, sizeof buf, &e)) > 0) {
		w->uploaded += (size_t)n;
		(void)fiber_yield();
	}
	w->upload_result = n;
	http_reply(rq, n < 0 ? err_http(e.code) : 200, "text/plain", SV("got it"));
	err_free(&e);
	fiber_signal_all(&w->changed);
}

static void handle_big(struct http_request *rq, struct world *w)
{
	struct http_stream *s = http_stream_start(rq, 200, "text/plain");
	static const char block[8192] = "block";

	for (int i = 0; i < 1000 && !w->r; i++)
		if (http_stream_write(s, (struct sv){ block, sizeof block }) || http_stream_drain(s))
			break;
	http_stream_end(s);
}

static void handle_early(struct http_request *rq, struct world *w)
{
	(void)w;
	http_reply(rq, 403, "text/plain", SV("no"));
}

/* Says every byte twice. */
static void handle_upgrade(struct http_request *rq, struct world *w)
{
	struct http_stream *s = http_upgrade(rq, "twice");
	char buf[100];
	int n;

	(void)w;
	if (!s) {
		http_reply(rq, 400, "text/plain", SV("cannot"));
		return;
	}
	while ((n = http_body_read(rq, buf, sizeof buf, NULL)) > 0)
		for (int i = 0; i < n; i++)
			(void)http_stream_write(s, (struct sv){ (const char[]){ buf[i], buf[i] }, 2 });
	(void)http_stream_write(s, SV("bye"));
	http_stream_end(s);
}

static void handle_nothing(struct http_request *rq, struct world *w) { (void)rq, (void)w; }

static const struct { const char *path; void (*fn)(struct http_request *, struct world *); bool streams; } routes[] = {
	{ "/echo", handle_echo, false }, { "/describe", handle_describe, false }, { "/stream", handle_stream, false },
	{ "/watch", handle_watch, false }, { "/parked", handle_parked, false }, { "/upload", handle_upload, true },
	{ "/early", handle_early, true }, { "/big", handle_big, false }, { "/nothing", handle_nothing, false },
	{ "/upgrade", handle_upgrade, false },
};

static size_t route_of(const struct http_request *rq)
{
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
		if (str_eq(routes[i].path, http_path(rq)))
			return i;
	return 0;
}

static void handle(struct http_request *rq, void *arg)
{
	struct world *w = arg;

	w->handled++;
	routes[route_of(rq)].fn(rq, w);
}

static bool streams_body(struct http_request *rq, void *arg)
{
	(void)arg;
	return routes[route_of(rq)].streams;
}

/* ---- the world ---- */

static int world_start(struct world *w, struct tls **tls)
{
	struct http_server_opts o = { .listen = "127.0.0.1:0", .max_body = 1000000, .head_timeout_ms = w->head_timeout_ms ? w->head_timeout_ms : 60000, .handler = handle,
				      .streams_body = streams_body, .arg = w };
	static const char *const groups[] = { "ops" };
	struct cert_request server = { .common_name = "s", .names = "127.0.0.1", .days = 1 };
	struct cert_request client = { .common_name = "me", .organizations = groups, .n_organizations = 1, .days = 1 };

	if (w->with_tls) {
		TRY(ca_create("ca", 1, &w->ca, &w->key, NULL));
		struct str ca_key = w->key;
		w->key = (struct str){ 0 };
		TRY(ca_sign(str_sv(&w->ca), str_sv(&ca_key), &server, &w->cert, &w->key, NULL));
		TRY(ca_sign(str_sv(&w->ca), str_sv(&ca_key), &client, &w->client, &w->client_key, NULL));
		str_free(&ca_key);
		o.tls = *tls = tls_server(str_sv(&w->cert), str_sv(&w->key), str_sv(&w->ca), NULL);
	}
	w->server = http_server_start(fiber_loop(), &o, &w->err);
	w->http = httpc_new(fiber_loop());
	w->port = w->server ? http_server_port(w->server) : 0;
	return w->server ? 0 : -1;
}

struct call { struct world *w; int (*fn)(struct world *w); };

static int run_call(void *arg)
{
	struct call *c = arg;
	struct tls *tls = NULL;
	int r = world_start(c->w, &tls);

	if (!r)
		r = c->fn(c->w);
	httpc_free(&c->w->http);
	http_server_stop(&c->w->server);
	tls_free(tls);
	return r;
}

int world_run(struct world *w, int (*fn)(struct world *w))
{
	struct call c = { w, fn };

	return fiber_main(run_call, &c);
}

void world_free(struct world *w)
{
	struct str *all[] = { &w->ca, &w->cert, &w->key, &w->client, &w->client_key, &w->seen };

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		str_free(all[i]);
	err_free(&w->err);
}

int world_ask(struct world *w, const char *method, const char *path, struct sv body)
{
	char *url = str_fmt("%s://127.0.0.1:%d%s", w->with_tls ? "https" : "http", w->port, path);
	struct httpc_response a;
	struct httpc_request rq = { .method = method, .url = url, .body = body, .ca_pem = str_sv(&w->ca), .timeout_ms = 10000,
				    .headers = (const char *const[]){ "X-Test: yes", NULL } };

	if (w->with_client_cert) {
		rq.cert_pem = str_sv(&w->client);
		rq.key_pem = str_sv(&w->client_key);
	}
	w->r = httpc_do(w->http, &rq, &a, &w->err);
	free(url);
	if (w->r < 0)
		return w->r;
	w->status = a.status;
	str_move(&w->seen, &a.body);
	httpc_response_free(&a);
	return 0;
}
