/* The server over real sockets, asked by the client of base/httpc.h. */
#include "check.h"
#include "lab-http.h"

#include <stdio.h>

/* ---- with the client, over every protocol ---- */

static const struct { bool tls; int version; } protocols[] = { { false, 1 }, { true, 2 } };

static int asks_describe(struct world *w) { return world_ask(w, "DELETE", "/describe?a=b", SV("")); }

static void server_passes_the_request_and_the_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		AUTO(world) w = { .with_tls = protocols[i].tls };
		char want[100];

		assert_ok(world_run(&w, asks_describe), &w.err);
		snprintf(want, sizeof want, "DELETE /describe a=b %d yes - -", protocols[i].version);
		assert_int_equal(w.status, 200);
		assert_string_equal(str_c(&w.seen), want);
	}
}

static void server_knows_the_client_certificate(void **state)
{
	AUTO(world) w = { .with_tls = true, .with_client_cert = true };

	(void)state;
	assert_ok(world_run(&w, asks_describe), &w.err);
	assert_string_equal(str_c(&w.seen), "DELETE /describe a=b 2 yes me ops");
}

static int asks_many(struct world *w)
{
	AUTO(str) big = { 0 };

	memset(str_room(&big, 900000), 'x', 900000);
	big.n = 900000;
	for (int i = 0; i < 20; i++) {
		TRY(world_ask(w, "POST", "/echo", (struct sv){ big.p, (size_t)i * 45000 }));
		w->n += w->status == 200 && w->seen.n == (size_t)i * 45000;
	}
	return 0;
}

static void bodies_of_any_size_come_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		AUTO(world) w = { .with_tls = protocols[i].tls };

		assert_ok(world_run(&w, asks_many), &w.err);
		assert_int_equal(w.n, 20);
	}
}

static int asks_too_much(struct world *w)
{
	AUTO(str) big = { 0 };

	memset(str_room(&big, 3000000), 'x', 3000000);
	big.n = 3000000;
	return world_ask(w, "POST", "/echo", str_sv(&big));
}

static void body_above_the_bound_is_413_and_no_handler_sees_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		AUTO(world) w = { .with_tls = protocols[i].tls };

		assert_ok(world_run(&w, asks_too_much), &w.err);
		assert_int_equal(w.status, 413);
		assert_int_equal(w.handled, 0);
	}
}

static int asks_upload(struct world *w)
{
	AUTO(str) big = { 0 };

	memset(str_room(&big, 5000000), 'x', 5000000);
	big.n = 5000000;
	return world_ask(w, "POST", "/upload", str_sv(&big));
}

static void streamed_body_is_read_piece_by_piece(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		AUTO(world) w = { .with_tls = protocols[i].tls };

		assert_ok(world_run(&w, asks_upload), &w.err);
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
	return world_ask(w, "POST", "/early", str_sv(&big));
}

static void answer_before_the_end_of_the_body_arrives(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		AUTO(world) w = { .with_tls = protocols[i].tls };

		assert_ok(world_run(&w, asks_early), &w.err);
		assert_int_equal(w.status, 403);
		assert_string_equal(str_c(&w.seen), "no");
	}
}

static int asks_streams(struct world *w)
{
	TRY(world_ask(w, "GET", "/stream", SV("")));
	if (!str_eq(str_c(&w->seen), "piece piece piece "))
		return -ERR_IO;
	TRY(world_ask(w, "HEAD", "/stream", SV("")));
	if (w->seen.n)
		return -ERR_IO;
	TRY(world_ask(w, "HEAD", "/describe", SV("")));
	return world_ask(w, "GET", "/big", SV(""));
}

static void streams_arrive_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		AUTO(world) w = { .with_tls = protocols[i].tls };

		assert_ok(world_run(&w, asks_streams), &w.err);
		assert_int_equal(w.seen.n, 8192000);
	}
}

static int asks_upgrade(struct world *w) { return world_ask(w, "GET", "/upgrade", SV("")); }

static void upgrade_is_not_for_http2(void **state)
{
	AUTO(world) w = { .with_tls = true };

	(void)state;
	assert_ok(world_run(&w, asks_upgrade), &w.err);
	assert_int_equal(w.status, 400);
}

static int asks_nothing(struct world *w) { return world_ask(w, "GET", "/nothing", SV("")); }

static void handler_without_an_answer_is_500(void **state)
{
	AUTO(world) w = { 0 };

	(void)state;
	assert_ok(world_run(&w, asks_nothing), &w.err);
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

		if (world_run(&w, watch_then_leave))
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

		assert_int_equal(world_run(&w, watch_then_stop), 0);
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

		if (world_run(&w, parked_then_leave))
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
	return world_ask(w, "GET", "/echo", SV(""));
}

static void client_of_a_closed_port_is_unavailable_and_names_it(void **state)
{
	AUTO(world) w = { 0 };
	int r = world_run(&w, asks_nobody);
	char host[40];

	(void)state;
	snprintf(host, sizeof host, "http://127.0.0.1:%d", w.port);
	assert_err(r, &w.err, ERR_UNAVAILABLE, host);
}

static int asks_a_stranger(struct world *w)
{
	str_set(&w->ca, "");
	return world_ask(w, "GET", "/echo", SV(""));
}

static void client_refuses_a_certificate_of_an_unknown_ca(void **state)
{
	AUTO(world) w = { .with_tls = true };
	int r = world_run(&w, asks_a_stranger);

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
	int r = world_run(&w, asks_with_little_patience);

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
	int r = world_run(&w, asks_for_less);

	(void)state;
	assert_err(r, &w.err, ERR_TOO_LARGE, "larger than 10000 bytes");
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

static void answers_nothing(struct http_request *rq, void *arg) { (void)rq, (void)arg; }

static int listens_twice(struct world *w)
{
	char *at = str_fmt("127.0.0.1:%d", w->port);
	struct http_server_opts o = { .listen = at, .handler = answers_nothing };
	struct http_server *second = http_server_start(fiber_loop(), &o, &w->err);

	free(at);
	return second ? 0 : -(int)w->err.code;
}

static void listening_on_a_taken_port_fails_and_says_where(void **state)
{
	AUTO(world) w = { 0 };
	int r = world_run(&w, listens_twice);

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
		TEST(upgrade_is_not_for_http2),
		TEST(handler_without_an_answer_is_500),
		TEST(watch_is_told_when_the_peer_leaves),
		TEST(stopping_ends_watches_cleanly),
		TEST(handler_whose_peer_left_is_canceled),
		TEST(client_of_a_closed_port_is_unavailable_and_names_it),
		TEST(client_refuses_a_certificate_of_an_unknown_ca),
		TEST(client_times_out),
		TEST(client_bounds_the_answer),
		TEST(query_get_decodes),
		TEST(listening_on_a_taken_port_fails_and_says_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
