#include "check.h"

#include "pair.h"
#include "base/websocket.h"
#include <stdlib.h>

struct world {
	struct pair pair;
	struct websocket *client, *server;
	struct fiber_group fibers;
	struct str said;                /* what happened, asserted on after the fibers have ended */
	int result, served;
	struct err err;
};

/* Sends every message back, until the client closes. */
static void serve(void *arg)
{
	struct world *w = arg;
	struct websocket_message m;

	while ((w->served = websocket_read(w->server, &m, NULL)) > 0)
		if (websocket_write(w->server, m.text, m.data, NULL) < 0)
			break;
}

static int world_run(struct world *w, int (*fn)(struct world *w))
{
	TRY(pair_open(&w->pair, &w->err));
	w->client = websocket_new(&w->pair.a.base, true);
	w->server = websocket_new(&w->pair.b.base, false);
	fiber_group_init(&w->fibers, fiber_loop());
	fiber_group_start(&w->fibers, "serve", serve, w);
	int r = fn(w);
	duplex_end(&w->pair.a.base);
	fiber_group_join(&w->fibers);
	websocket_free(&w->client);
	websocket_free(&w->server);
	pair_close(&w->pair);
	return r;
}

static void world_free(struct world *w)
{
	str_free(&w->said);
	err_free(&w->err);
}

static void accept_of_the_key_in_the_standard(void **state)
{
	AUTO(str) out = { 0 };

	(void)state;
	websocket_accept(SV("dGhlIHNhbXBsZSBub25jZQ=="), &out);
	assert_string_equal(str_c(&out), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static int talk(struct world *w)
{
	struct websocket_message m;

	TRY(websocket_write(w->client, true, SV("text"), &w->err));
	TRY(websocket_write(w->client, false, SV("by\0tes"), &w->err));
	TRY(websocket_write(w->client, false, SV(""), &w->err));
	for (int i = 0; i < 3; i++) {
		TRY(websocket_read(w->client, &m, &w->err));
		str_addf(&w->said, "%s %zu;", m.text ? "text" : "binary", m.data.n);
	}
	websocket_close(w->client, "done");
	str_addf(&w->said, "%d", websocket_read(w->client, &m, &w->err));
	return 0;
}

static int talk_fiber(void *arg) { return ((struct world *)arg)->result = world_run(arg, talk); }

static void messages_keep_their_bounds_and_a_close_is_answered(void **state)
{
	struct world w = { 0 };

	(void)state;
	(void)fiber_main(talk_fiber, &w);
	assert_ok(w.result, &w.err);
	assert_string_equal(str_c(&w.said), "text 4;binary 6;binary 0;0");
	assert_int_equal(w.served, 0);
	world_free(&w);
}

static int tunnel(struct world *w)
{
	struct websocket_bytes bytes;
	char buf[3];
	int n = 0;

	websocket_bytes_init(&bytes, w->client);
	TRY(duplex_write(&bytes.base, SV("four"), &w->err));
	TRY(duplex_write(&bytes.base, SV("score"), &w->err));
	for (size_t got = 0; got < 9; got += (size_t)n) {
		TRY(n = duplex_read(&bytes.base, buf, sizeof buf, &w->err));
		str_add(&w->said, (struct sv){ buf, (size_t)n });
	}
	duplex_end(&bytes.base);
	return duplex_read(&bytes.base, buf, sizeof buf, &w->err);
}

static int tunnel_fiber(void *arg) { return ((struct world *)arg)->result = world_run(arg, tunnel); }

static void a_tunnel_knows_no_bounds_of_messages(void **state)
{
	struct world w = { 0 };

	(void)state;
	(void)fiber_main(tunnel_fiber, &w);
	assert_ok(w.result, &w.err);
	assert_string_equal(str_c(&w.said), "fourscore");
	world_free(&w);
}

/* Writes frames as they are, and says what the server makes of them: its answer's bytes in hexadecimal. */
static int raw(struct world *w, struct sv frames)
{
	char buf[1000];
	int n;

	TRY(duplex_write(&w->pair.a.base, frames, &w->err));
	TRY(n = duplex_read(&w->pair.a.base, buf, sizeof buf, &w->err));
	for (int i = 0; i < n; i++)
		str_addf(&w->said, "%02x", (unsigned char)buf[i]);
	return 0;
}

static int ping(struct world *w) { return raw(w, SV("\x89\x82\0\0\0\0hi")); }
static int fragments(struct world *w) { return raw(w, SV("\x02\x81\0\0\0\0a\x80\x81\0\0\0\0b")); }
static int reserved_bit(struct world *w) { return raw(w, SV("\xf2\x81\0\0\0\0a")); }
static int too_large(struct world *w) { return raw(w, SV("\x82\xff\0\0\0\0\x7f\0\0\0\0\0\0\0a")); }

static int ping_fiber(void *arg) { return ((struct world *)arg)->result = world_run(arg, ping); }
static int fragments_fiber(void *arg) { return ((struct world *)arg)->result = world_run(arg, fragments); }
static int reserved_fiber(void *arg) { return ((struct world *)arg)->result = world_run(arg, reserved_bit); }
static int large_fiber(void *arg) { return ((struct world *)arg)->result = world_run(arg, too_large); }

static void frames_are_answered_as_the_standard_has_it(void **state)
{
	static const struct { int (*fn)(void *); const char *answer; int served; } cases[] = {
		{ ping_fiber, "8a026869", 0 },
		{ fragments_fiber, "82026162", 0 },
		{ reserved_fiber, "8802", -ERR_BAD_REQUEST },
		{ large_fiber, "8802", -ERR_BAD_REQUEST },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct world w = { 0 };

		(void)fiber_main(cases[i].fn, &w);
		assert_ok(w.result, &w.err);
		if (strncmp(str_c(&w.said), cases[i].answer, strlen(cases[i].answer)))
			fail_msg("case %zu: %s", i, str_c(&w.said));
		assert_int_equal(w.served, cases[i].served);
		world_free(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(accept_of_the_key_in_the_standard),
		TEST(messages_keep_their_bounds_and_a_close_is_answered),
		TEST(a_tunnel_knows_no_bounds_of_messages),
		TEST(frames_are_answered_as_the_standard_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
