/* The server over real sockets, asked by the client of base/httpc.h and by hand-written bytes. */
#include "check.h"

#include "base/fiber.h"
#include "base/http.h"
#include "base/httpc.h"
#include "base/vec.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>

struct world {
	bool with_tls, with_client_cert;
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
	struct http_server_opts o = { .listen = "127.0.0.1:0", .max_body = 1000000, .head_timeout_ms = 300, .handler = handle,
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

static int run(struct world *w, int (*fn)(struct world *w))
{
	struct call c = { w, fn };

	return fiber_main(run_call, &c);
}

static void world_free(struct world *w)
{
	struct str *all[] = { &w->ca, &w->cert, &w->key, &w->client, &w->client_key, &w->seen };

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		str_free(all[i]);
	err_free(&w->err);
}

static int ask(struct world *w, const char *method, const char *path, struct sv body)
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

/* ---- bytes by hand: a job, as it blocks ---- */

struct raw { int port; struct sv send; bool half_close; struct str got; };

static void raw_run(void *arg)
{
	struct raw *x = arg;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)x->port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval limit = { 10, 0 };
	AUTO_FD fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) ||
	    send(fd, x->send.p, x->send.n, MSG_NOSIGNAL) != (ssize_t)x->send.n)
		return;
	if (x->half_close)
		shutdown(fd, SHUT_WR);
	while ((n = recv(fd, str_room(&x->got, 65536), 65536, 0)) > 0) {
		x->got.n += (size_t)n;
		x->got.p[x->got.n] = '\0';
	}
	str_addc(&x->got, n < 0 ? "<no end>" : "");
}

static void raw(struct world *w, struct sv send, bool half_close)
{
	struct raw x = { .port = w->port, .send = send, .half_close = half_close };

	fiber_job_long(raw_run, &x);
	str_move(&w->seen, &x.got);
}

static size_t count(const char *in, const char *what)
{
	size_t n = 0;

	for (; (in = strstr(in, what)); in++)
		n++;
	return n;
}

/* ---- with the client, over every protocol ---- */

static const struct { bool tls; int version; } protocols[] = { { false, 1 }, { true, 2 } };

static int asks_describe(struct world *w) { return ask(w, "DELETE", "/describe?a=b", SV("")); }

static void server_passes_the_request_and_the_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		AUTO(world) w = { .with_tls = protocols[i].tls };
		char want[100];

		assert_ok(run(&w, asks_describe), &w.err);
		snprintf(want, sizeof want, "DELETE /describe a=b %d yes - -", protocols[i].version);
		assert_int_equal(w.status, 200);
		assert_string_equal(str_c(&w.seen), want);
	}
}

static void server_knows_the_client_certificate(void **state)
{
	AUTO(world) w = { .with_tls = true, .with_client_cert = true };

	(void)state;
	assert_ok(run(&w, asks_describe), &w.err);
	assert_string_equal(str_c(&w.seen), "DELETE /describe a=b 2 yes me ops");
}

static int asks_many(struct world *w)
{
	AUTO(str) big = { 0 };

	memset(str_room(&big, 900000), 'x', 900000);
	big.n = 900000;
	for (int i = 0; i < 20; i++) {
		TRY(ask(w, "POST", "/echo", (struct sv){ big.p, (size_t)i * 45000 }));
		w->n += w->status == 200 && w->seen.n == (size_t)i * 45000;
	}
	return 0;
}

static void bodies_of_any_size_come_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		AUTO(world) w = { .with_tls = protocols[i].tls };

		assert_ok(run(&w, asks_many), &w.err);
		assert_int_equal(w.n, 20);
	}
}

static int asks_too_much(struct world *w)
{
	AUTO(str) big = { 0 };

	memset(str_room(&big, 3000000), 'x', 3000000);
	big.n = 3000000;
	return ask(w, "POST", "/echo", str_sv(&big));
}

static void body_above_the_bound_is_413_and_no_handler_sees_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		AUTO(world) w = { .with_tls = protocols[i].tls };

		assert_ok(run(&w, asks_too_much), &w.err);
		assert_int_equal(w.status, 413);
		assert_int_equal(w.handled, 0);
	}
}

static int asks_upload(struct world *w)
{
	AUTO(str) big = { 0 };

	memset(str_room(&big, 5000000), 'x', 5000000);
	big.n = 5000000;
	return ask(w, "POST", "/upload", str_sv(&big));
}

static void streamed_body_is_read_piece_by_piece(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		AUTO(world) w = { .with_tls = protocols[i].tls };

		assert_ok(run(&w, asks_upload), &w.err);
		assert_int_equal(w.status, 200);
		assert_int_equal(w.uploaded, 5000000);
		assert_int_equal(w.upload_result, 0);
	}
}

static int asks_early(struct world *w)
{
	AUTO(str) big = { 0 };

	memset(str_room(&big, 5000000), 'x', 5000000);
	big.n = 5000000;
	return ask(w, "POST", "/early", str_sv(&big));
}

static void answer_before_the_end_of_the_body_arrives(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		AUTO(world) w = { .with_tls = protocols[i].tls };

		assert_ok(run(&w, asks_early), &w.err);
		assert_int_equal(w.status, 403);
		assert_string_equal(str_c(&w.seen), "no");
	}
}

static int asks_streams(struct world *w)
{
	TRY(ask(w, "GET", "/stream", SV("")));
	if (!str_eq(str_c(&w->seen), "piece piece piece "))
		return -ERR_IO;
	TRY(ask(w, "HEAD", "/stream", SV("")));
	if (w->seen.n)
		return -ERR_IO;
	TRY(ask(w, "HEAD", "/describe", SV("")));
	return ask(w, "GET", "/big", SV(""));
}

static void streams_arrive_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		AUTO(world) w = { .with_tls = protocols[i].tls };

		assert_ok(run(&w, asks_streams), &w.err);
		assert_int_equal(w.seen.n, 8192000);
	}
}

static int asks_upgrade(struct world *w) { return ask(w, "GET", "/upgrade", SV("")); }

static void upgrade_is_not_for_http2(void **state)
{
	AUTO(world) w = { .with_tls = true };

	(void)state;
	assert_ok(run(&w, asks_upgrade), &w.err);
	assert_int_equal(w.status, 400);
}

static int asks_nothing(struct world *w) { return ask(w, "GET", "/nothing", SV("")); }

static void handler_without_an_answer_is_500(void **state)
{
	AUTO(world) w = { 0 };

	(void)state;
	assert_ok(run(&w, asks_nothing), &w.err);
	assert_int_equal(w.status, 500);
}

/* ---- watches ---- */

struct watcher { struct world *w; const char *path; struct str got; int r; bool ended; };

static int take(void *arg, struct sv data)
{
	struct watcher *x = arg;

	str_add(&x->got, data);
	fiber_signal_all(&x->w->changed);
	return 0;
}

static void watches(void *arg)
{
	struct watcher *x = arg;
	struct world *w = x->w;
	char *url = str_fmt("%s://127.0.0.1:%d%s", w->with_tls ? "https" : "http", w->port, x->path);
	struct httpc_request rq = { .method = "GET", .url = url, .ca_pem = str_sv(&w->ca), .timeout_ms = -1, .on_data = take, .arg = x };
	struct httpc_response a;

	x->r = httpc_do(w->http, &rq, &a, NULL);
	httpc_response_free(&a);
	free(url);
	x->ended = true;
	fiber_signal_all(&w->changed);
}

/* Parks until the text has come, or fails after ten seconds. */
static int await_text(struct watcher *x, const char *text)
{
	while (!strstr(str_c(&x->got), text))
		TRY(fiber_wait_ms(&x->w->changed, 10000));
	return 0;
}

static int watch_then_leave(struct world *w)
{
	struct watcher x = { .w = w, .path = "/watch" };
	struct fiber_group g;

	fiber_group_init(&g, fiber_loop());
	fiber_group_start(&g, "watcher", watches, &x);
	TRY(await_text(&x, "first\n"));
	(void)http_stream_write(w->watch, SV("second\n"));
	TRY(await_text(&x, "second\n"));
	fiber_group_cancel(&g);
	fiber_group_join(&g);
	w->r = x.r;
	while (!w->closed)
		TRY(fiber_wait_ms(&w->changed, 10000));
	str_free(&x.got);
	return 0;
}

static void watch_is_told_when_the_peer_leaves(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		AUTO(world) w = { .with_tls = protocols[i].tls };

		if (run(&w, watch_then_leave))
			fail_msg("HTTP/%d: the watch was not told", protocols[i].version);
		assert_int_equal(w.r, -ERR_CANCELED);
		assert_int_equal(w.closed, 1);
		assert_null(w.watch);
	}
}

static int watch_then_stop(struct world *w)
{
	struct watcher x = { .w = w, .path = "/watch" };
	struct fiber_group g;

	fiber_group_init(&g, fiber_loop());
	fiber_group_start(&g, "watcher", watches, &x);
	TRY(await_text(&x, "first\n"));
	http_server_stop(&w->server);
	fiber_group_join(&g);
	w->r = x.r;
	str_free(&x.got);
	return 0;
}

static void stopping_ends_watches_cleanly(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		AUTO(world) w = { .with_tls = protocols[i].tls };

		assert_int_equal(run(&w, watch_then_stop), 0);
		assert_int_equal(w.r, 0);
		assert_int_equal(w.closed, 1);
	}
}

static int parked_then_leave(struct world *w)
{
	struct watcher x = { .w = w, .path = "/parked" };
	struct fiber_group g;

	fiber_group_init(&g, fiber_loop());
	fiber_group_start(&g, "watcher", watches, &x);
	TRY(await_text(&x, "waiting\n"));
	fiber_group_cancel(&g);
	fiber_group_join(&g);
	while (!w->canceled)
		TRY(fiber_wait_ms(&w->changed, 10000));
	str_free(&x.got);
	return 0;
}

static void handler_whose_peer_left_is_canceled(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		AUTO(world) w = { .with_tls = protocols[i].tls };

		if (run(&w, parked_then_leave))
			fail_msg("HTTP/%d: the handler was not canceled", protocols[i].version);
		assert_true(w.canceled);
	}
}

/* ---- the client ---- */

static int asks_nobody(struct world *w)
{
	int port = w->port;

	http_server_stop(&w->server);
	w->port = port;
	return ask(w, "GET", "/echo", SV(""));
}

static void client_of_a_closed_port_is_unavailable_and_names_it(void **state)
{
	AUTO(world) w = { 0 };
	int r = run(&w, asks_nobody);
	char host[40];

	(void)state;
	snprintf(host, sizeof host, "http://127.0.0.1:%d", w.port);
	assert_err(r, &w.err, ERR_UNAVAILABLE, host);
}

static int asks_a_stranger(struct world *w)
{
	str_set(&w->ca, "");
	return ask(w, "GET", "/echo", SV(""));
}

static void client_refuses_a_certificate_of_an_unknown_ca(void **state)
{
	AUTO(world) w = { .with_tls = true };
	int r = run(&w, asks_a_stranger);

	(void)state;
	assert_err(r, &w.err, ERR_UNAUTHORIZED, "certificate");
}

static int asks_with_little_patience(struct world *w)
{
	char *url = str_fmt("http://127.0.0.1:%d/parked", w->port);
	struct httpc_request rq = { .url = url, .timeout_ms = 100 };
	struct httpc_response a;
	int r = httpc_do(w->http, &rq, &a, &w->err);

	free(url);
	return r;
}

static void client_times_out(void **state)
{
	AUTO(world) w = { 0 };
	int r = run(&w, asks_with_little_patience);

	(void)state;
	assert_err(r, &w.err, ERR_TIMEOUT, "127.0.0.1");
}

static int asks_for_less(struct world *w)
{
	char *url = str_fmt("http://127.0.0.1:%d/big", w->port);
	struct httpc_request rq = { .url = url, .max_body = 10000 };
	struct httpc_response a;
	int r = httpc_do(w->http, &rq, &a, &w->err);

	free(url);
	return r;
}

static void client_bounds_the_answer(void **state)
{
	AUTO(world) w = { 0 };
	int r = run(&w, asks_for_less);

	(void)state;
	assert_err(r, &w.err, ERR_TOO_LARGE, "larger than 10000 bytes");
}

/* ---- bytes by hand ---- */

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"
#define LAST(path) "GET " path " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

static const struct { const char *name, *send, *want, *not; size_t answers; bool half_close; } talks[] = {
	{ "one", LAST("/echo"), "HTTP/1.1 200 OK\r\n", "<no end>", 1, false },
	{ "pipelined", GET("/stream") GET("/describe") LAST("/echo"), "0\r\n\r\nHTTP/1.1 200 OK", "<no end>", 3, false },
	{ "empty line first", "\r\n" LAST("/echo"), "200 OK", "<no end>", 1, false },
	{ "half closed", GET("/describe") GET("/echo"), "GET /describe", "<no end>", 2, true },
	{ "body with length", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello" LAST("/echo"), "\r\n\r\nhelloHTTP/1.1 ",
	  "<no end>", 2, false },
	{ "chunked body", "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n" LAST("/echo"),
	  "\r\n\r\nhelloHTTP/1.1 ", "<no end>", 2, false },
	{ "100-continue", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\nhi",
	  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200", "<no end>", 2, false },
	{ "HEAD", "HEAD /describe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "Content-Length: 2", "HEAD /describe", 1, false },
	{ "header value is one line", LAST("/describe"), "X-Answer: a  b\r\n", "<no end>", 1, false },
	{ "1.0", "GET /echo HTTP/1.0\r\n\r\n", "Connection: close\r\n", "chunked", 1, false },
	{ "1.0 stream", "GET /stream HTTP/1.0\r\n\r\n", "\r\n\r\npiece piece piece ", "chunked", 1, false },
	{ "1.0 keep-alive", "GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" "GET /echo HTTP/1.0\r\n\r\n",
	  "Connection: keep-alive\r\n", "<no end>", 2, false },
	{ "upgrade", "GET /upgrade HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: twice\r\n\r\nabc\r\n\r\nGET ",
	  "Upgrade: twice\r\n\r\naabbcc\r\r\n\n\r\r\n\nGGEETT  bye", "<no end>", 1, true },
	/* smuggling: exactly one answer, a refusal, and the connection closed */
	{ "both lengths", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG" GET("/echo"),
	  "HTTP/1.1 400 Bad Request", "200 OK", 1, false },
	{ "space before colon", "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" GET("/echo"),
	  "400", "200 OK", 1, false },
	{ "two lengths", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 30\r\n\r\n" GET("/echo"), "400", "200 OK", 1, false },
	{ "line feeds", "GET /echo HTTP/1.1\nHost: x\n\n" GET("/echo"), "400", "200 OK", 1, false },
	{ "folding", "POST /echo HTTP/1.1\r\nHost: x\r\nX: y\r\n Content-Length: 30\r\n\r\n" GET("/echo"), "400", "200 OK", 1, false },
	{ "two hosts", "GET /echo HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" GET("/echo"), "400", "200 OK", 1, false },
	{ "bad chunk", "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n" GET("/echo"),
	  "400", "200 OK", 1, false },
	{ "bad chunk, streamed", "POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n" GET("/echo"),
	  "400", "200 OK", 1, false },
	{ "unknown coding", "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n" GET("/echo"), "501", "200 OK", 1, false },
	{ "length too large", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n" GET("/echo"), "413", "200 OK", 1, false },
	{ "other version", "GET /echo HTTP/3.0\r\nHost: x\r\n\r\n", "505", "200 OK", 1, false },
	{ "answered before the body", "POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n" GET("/echo"), "403", "200 OK", 1, false },
	{ "head that does not end", "GET /echo HTTP/1.1\r\nHost: x\r\n", "", "HTTP", 0, false },
	{ "body that does not come", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc", "", "HTTP", 0, true },
};

static int talk(struct world *w)
{
	raw(w, sv_c(talks[w->n].send), talks[w->n].half_close);
	return 0;
}

static void bytes_by_hand_are_answered_right(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof talks / sizeof *talks; i++) {
		AUTO(world) w = { .n = i };

		assert_int_equal(run(&w, talk), 0);
		const char *seen = str_c(&w.seen);
		if (count(seen, "HTTP/1.1 ") != talks[i].answers || !strstr(seen, talks[i].want) || strstr(seen, talks[i].not))
			fail_msg("%s: got <<%s>>", talks[i].name, seen);
	}
}

static int talks_junk(struct world *w)
{
	raw(w, SV("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nthis is not a frame, and too short"), true);
	raw(w, SV("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), false);
	return ask(w, "GET", "/echo", SV(""));
}

static void junk_after_a_preface_closes_and_the_server_lives(void **state)
{
	AUTO(world) w = { 0 };

	(void)state;
	assert_ok(run(&w, talks_junk), &w.err);
	assert_int_equal(w.status, 200);
}

static int talks_plain_to_tls(struct world *w)
{
	raw(w, SV(GET("/echo")), false);
	w->n = w->seen.n;
	return ask(w, "GET", "/describe", SV(""));
}

static void plain_bytes_to_tls_are_turned_away(void **state)
{
	AUTO(world) w = { .with_tls = true };

	(void)state;
	assert_ok(run(&w, talks_plain_to_tls), &w.err);
	assert_int_equal(w.status, 200);
}

static void query_get_decodes(void **state)
{
	AUTO(str) v = { 0 };

	(void)state;
	assert_true(http_query_get("a=1&label%53elector=x%3Dy+z%2&b", "labelSelector", &v));
	assert_string_equal(v.p, "x=y z%2");
	str_cut(&v, 0);
	assert_true(http_query_get("a=1&b", "b", &v));
	assert_string_equal(str_c(&v), "");
	assert_false(http_query_get("a=1&b", "c", &v));
	assert_false(http_query_get("", "", &v));
}

static int listens_twice(struct world *w)
{
	char *at = str_fmt("127.0.0.1:%d", w->port);
	struct http_server_opts o = { .listen = at, .handler = handle };
	struct http_server *second = http_server_start(fiber_loop(), &o, &w->err);

	free(at);
	return second ? 0 : -(int)w->err.code;
}

static void listening_on_a_taken_port_fails_and_says_where(void **state)
{
	AUTO(world) w = { 0 };
	int r = run(&w, listens_twice);

	(void)state;
	assert_err(r, &w.err, ERR_IO, "listen on '127.0.0.1:");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(server_passes_the_request_and_the_answer),
		TEST(server_knows_the_client_certificate),
		TEST(bodies_of_any_size_come_back),
		TEST(body_above_the_bound_is_413_and_no_handler_sees_it),
		TEST(streamed_body_is_read_piece_by_piece),
		TEST(answer_before_the_end_of_the_body_arrives),
		TEST(streams_arrive_whole),
		TEST(handler_without_an_answer_is_500),
		TEST(upgrade_is_not_for_http2),
		TEST(watch_is_told_when_the_peer_leaves),
		TEST(stopping_ends_watches_cleanly),
		TEST(handler_whose_peer_left_is_canceled),
		TEST(client_of_a_closed_port_is_unavailable_and_names_it),
		TEST(client_refuses_a_certificate_of_an_unknown_ca),
		TEST(client_times_out),
		TEST(client_bounds_the_answer),
		TEST(bytes_by_hand_are_answered_right),
		TEST(junk_after_a_preface_closes_and_the_server_lives),
		TEST(plain_bytes_to_tls_are_turned_away),
		TEST(query_get_decodes),
		TEST(listening_on_a_taken_port_fails_and_says_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
