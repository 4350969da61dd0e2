#include "check.h"

#include "pair.h"
#include "base/spdy.h"
#include <stdlib.h>
#include <zlib.h>

/* ---- frames ---- */

/* What came out of text that was parsed in pieces of that many bytes: "type/flags/stream=payload". */
static void frames_of(struct sv in, size_t step, struct str *out, struct err *err)
{
	struct spdy_parser p = { 0 };
	struct spdy_frame f;
	int r = 0;

	while (in.n && r >= 0) {
		struct sv piece = { in.p, in.n < step ? in.n : step };

		in = sv_drop(in, piece.n);
		while ((r = spdy_parse(&p, &piece, &f, err)) > 0)
			if (f.type == SPDY_DATA)
				str_addf(out, SV_FMT "%s", SV_ARG(f.payload), f.flags ? "!" : "");
			else
				str_addf(out, "[%u/%u:%zu]", f.type, f.flags, f.payload.n);
	}
	spdy_parser_free(&p);
}

static void frames_in_any_pieces_are_the_same(void **state)
{
	AUTO(str) wire = { 0 };

	(void)state;
	spdy_add_control(&wire, SPDY_PING, 0, SV("\0\0\0\1"));
	spdy_add_data(&wire, 3, 0, SV("some "));
	spdy_add_data(&wire, 3, SPDY_FLAG_FIN, SV("bytes"));
	spdy_add_data(&wire, 3, SPDY_FLAG_FIN, SV(""));
	spdy_add_control(&wire, SPDY_GOAWAY, 7, SV("12345678"));
	for (size_t step = 1; step <= wire.n; step++) {
		AUTO(str) out = { 0 };
		AUTO(err) err = { 0 };

		frames_of(str_sv(&wire), step, &out, &err);
		assert_string_equal(str_c(&out), "[6/0:4]some bytes!![7/7:8]");
	}
}

static void a_frame_of_another_version_or_too_large_is_refused(void **state)
{
	AUTO(str) out = { 0 };
	AUTO(err) err = { 0 };

	(void)state;
	frames_of(SV("\x80\x02\0\1\0\0\0\4abcd"), 100, &out, &err);
	assert_int_equal(err.code, ERR_BAD_REQUEST);
	err_free(&err);
	frames_of(SV("\x80\x03\0\1\0\1\0\1"), 100, &out, &err);
	assert_int_equal(err.code, ERR_TOO_LARGE);
	assert_string_equal(str_c(&out), "");
}

/* ---- header blocks ---- */

static void headers_come_back_through_one_stream_of_blocks(void **state)
{
	struct spdy_zip *in = spdy_zip_new(true), *out = spdy_zip_new(false);

	(void)state;
	for (int i = 0; i < 20; i++) {
		AUTO(spdy_headers) sent = { 0 }, got = { 0 };
		AUTO(str) block = { 0 };
		AUTO(err) err = { 0 };
		char *number = str_fmt("%d", i);

		spdy_headers_add(&sent, SV("StreamType"), SV("data"));
		spdy_headers_add(&sent, SV("requestID"), sv_c(number));
		spdy_pack(out, &sent, &block);
		assert_ok(spdy_unpack(in, str_sv(&block), &got, &err), &err);
		assert_int_equal(got.n, 2);
		assert_string_equal(spdy_headers_get(&got, "streamtype"), "data");
		assert_string_equal(spdy_headers_get(&got, "requestid"), number);
		assert_null(spdy_headers_get(&got, "port"));
		free(number);
	}
	spdy_zip_free(&in);
	spdy_zip_free(&out);
}

/* The number by which zlib knows the protocol's dictionary is in the first bytes of a stream. */
static void headers_use_the_dictionary_of_the_protocol(void **state)
{
	struct spdy_zip *out = spdy_zip_new(false);
	struct spdy_headers none = { 0 };
	AUTO(str) block = { 0 };

	(void)state;
	spdy_pack(out, &none, &block);
	assert_int_equal(spdy_u32(str_sv(&block), 2), 0xe3c6a7c2u);
	spdy_zip_free(&out);
}

static void headers_that_are_broken_are_refused(void **state)
{
	static const char *const blocks[] = { "", "not zlib at all" };
	AUTO(str) bomb = { 0 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct spdy_zip *in = spdy_zip_new(true);
		AUTO(spdy_headers) got = { 0 };

		assert_int_equal(spdy_unpack(in, sv_c(blocks[i]), &got, NULL), -ERR_BAD_REQUEST);
		spdy_zip_free(&in);
	}
	uLongf n = compressBound(1 << 20);
	char *zeros = calloc(1, 1 << 20);
	assert_int_equal(compress((Bytef *)str_room(&bomb, n), &n, (const Bytef *)zeros, 1 << 20), Z_OK);
	struct spdy_zip *in = spdy_zip_new(true);
	AUTO(spdy_headers) got = { 0 };
	bomb.n = n;
	assert_int_equal(spdy_unpack(in, str_sv(&bomb), &got, NULL), -ERR_TOO_LARGE);
	spdy_zip_free(&in);
	free(zeros);
}

/* ---- connections ---- */

struct world {
	struct pair pair;
	struct spdy *client, *server;
	struct fiber_group readers, echoes;
	struct str said;                /* what happened, asserted on after the fibers have ended */
	int result, ran[2];
	struct err err;
};

static void run_client(void *arg) { ((struct world *)arg)->ran[0] = spdy_run(((struct world *)arg)->client, NULL); }
static void run_server(void *arg) { ((struct world *)arg)->ran[1] = spdy_run(((struct world *)arg)->server, NULL); }

static void echo(void *arg)
{
	struct spdy_stream *st = arg;

	(void)duplex_write(spdy_duplex(st), sv_c(spdy_header(st, "name")), NULL);
	(void)duplex_copy(spdy_duplex(st), spdy_duplex(st), NULL);
	spdy_close(&st);
}

static void serve(void *arg)
{
	struct world *w = arg;
	struct spdy_stream *st;

	while (spdy_accept(w->server, -1, &st, NULL) >= 0)
		fiber_group_start(&w->echoes, "echo", echo, st);
}

static int world_run(struct world *w, int (*fn)(struct world *w))
{
	TRY(pair_open(&w->pair, &w->err));
	w->client = spdy_new(&w->pair.a.base, true);
	w->server = spdy_new(&w->pair.b.base, false);
	fiber_group_init(&w->readers, fiber_loop());
	fiber_group_init(&w->echoes, fiber_loop());
	fiber_group_start(&w->readers, "client", run_client, w);
	fiber_group_start(&w->readers, "server", run_server, w);
	fiber_group_start(&w->readers, "serve", serve, w);
	int r = fn(w);
	duplex_end(&w->pair.a.base);    /* the server's reader ends, and with it everything; the client's when that has closed */
	fiber_group_cancel(&w->readers);
	fiber_group_join(&w->readers);
	fiber_group_cancel(&w->echoes);
	fiber_group_join(&w->echoes);
	spdy_free(&w->client);
	spdy_free(&w->server);
	pair_close(&w->pair);
	return r;
}

static int open_named(struct world *w, const char *name, struct spdy_stream **out)
{
	AUTO(spdy_headers) h = { 0 };

	spdy_headers_add(&h, SV("Name"), sv_c(name));
	return spdy_open(w->client, &h, out, &w->err);
}

/* All that comes until its end. */
static int read_all(struct duplex *d, struct str *out)
{
	char buf[1000];
	int n;

	while ((n = duplex_read(d, buf, sizeof buf, NULL)) > 0)
		str_add(out, (struct sv){ buf, (size_t)n });
	return n;
}

static int two_streams(struct world *w)
{
	struct spdy_stream *one, *two;

	TRY(open_named(w, "one:", &one));
	TRY(open_named(w, "two:", &two));
	TRY(duplex_write(spdy_duplex(two), SV("second"), &w->err));
	TRY(duplex_write(spdy_duplex(one), SV("first"), &w->err));
	duplex_end(spdy_duplex(one));
	duplex_end(spdy_duplex(two));
	TRY(read_all(spdy_duplex(two), &w->said));
	TRY(read_all(spdy_duplex(one), &w->said));
	spdy_close(&one);
	spdy_close(&two);
	return 0;
}

static int two_streams_fiber(void *arg) { return ((struct world *)arg)->result = world_run(arg, two_streams); }

static void streams_are_apart_and_end_one_side_at_a_time(void **state)
{
	struct world w = { 0 };

	(void)state;
	(void)fiber_main(two_streams_fiber, &w);
	assert_ok(w.result, &w.err);
	assert_string_equal(str_c(&w.said), "two:secondone:first");
	str_free(&w.said);
	err_free(&w.err);
}

/* More than what is buffered, through one stream, while another is not read at all. */
static int big_stream(struct world *w)
{
	struct spdy_stream *st;
	size_t total = 0, want = 3 * SPDY_BUFFERED;
	char *block = calloc(1, 200000), buf[16384];
	int n = 0;

	TRY(open_named(w, "", &st));
	for (size_t sent = 0; sent < want && n >= 0; sent += 200000) {
		size_t until = sent + 200000;

		n = duplex_write(spdy_duplex(st), (struct sv){ block, 200000 }, &w->err);
		while (n >= 0 && total < until && (n = duplex_read(spdy_duplex(st), buf, sizeof buf, &w->err)) > 0)
			total += (size_t)n;
	}
	duplex_end(spdy_duplex(st));
	str_addf(&w->said, "%zu more", total - (want + 199999) / 200000 * 200000);
	free(block);
	return n < 0 ? n : read_all(spdy_duplex(st), &w->said);
}

static int big_stream_fiber(void *arg) { return ((struct world *)arg)->result = world_run(arg, big_stream); }

static void a_stream_carries_more_than_is_buffered(void **state)
{
	struct world w = { 0 };

	(void)state;
	(void)fiber_main(big_stream_fiber, &w);
	assert_ok(w.result, &w.err);
	assert_string_equal(str_c(&w.said), "0 more");
	str_free(&w.said);
	err_free(&w.err);
}

static int lost_connection(struct world *w)
{
	struct spdy_stream *st, *none;

	TRY(open_named(w, "", &st));
	fiber_group_cancel(&w->readers);
	fiber_group_join(&w->readers);
	str_addf(&w->said, "read %d, ", read_all(spdy_duplex(st), &w->said));
	str_addf(&w->said, "write %d, ", duplex_write(spdy_duplex(st), SV("x"), NULL));
	str_addf(&w->said, "open %d", open_named(w, "", &none));
	return 0;
}

static int lost_connection_fiber(void *arg) { return ((struct world *)arg)->result = world_run(arg, lost_connection); }

static void a_connection_that_is_lost_ends_its_streams(void **state)
{
	struct world w = { 0 };
	char *want = str_fmt("read 0, write %d, open %d", -ERR_UNAVAILABLE, -ERR_UNAVAILABLE);

	(void)state;
	(void)fiber_main(lost_connection_fiber, &w);
	assert_int_equal(w.result, 0);
	assert_string_equal(str_c(&w.said), want);
	free(want);
	str_free(&w.said);
	err_free(&w.err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(frames_in_any_pieces_are_the_same),
		TEST(a_frame_of_another_version_or_too_large_is_refused),
		TEST(headers_come_back_through_one_stream_of_blocks),
		TEST(headers_use_the_dictionary_of_the_protocol),
		TEST(headers_that_are_broken_are_refused),
		TEST(streams_are_apart_and_end_one_side_at_a_time),
		TEST(a_stream_carries_more_than_is_buffered),
		TEST(a_connection_that_is_lost_ends_its_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
