/* The parser of HTTP/1: what is read, and everything that two parsers could read differently. */
#include "check.h"

#include "base/http/h1-parse.h"

#include <stdlib.h>

static int parse(struct sv in, struct h1_head *h)
{
	size_t scanned = 0;
	const char *why = NULL;
	int n = h1_head_end(in, &scanned, &why);

	*h = (struct h1_head){ .why = why };
	return n <= 0 ? n : h1_head_parse((struct sv){ in.p, (size_t)n }, h);
}

#define H "Host: x\r\n"

static const struct { const char *name, *in; int status; } heads[] = {
	{ "plain", "GET / HTTP/1.1\r\n" H "\r\n", 0 },
	{ "1.0 without host", "GET / HTTP/1.0\r\n\r\n", 0 },
	{ "empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 0 },
	{ "absolute target", "GET http://x/a HTTP/1.1\r\n" H "\r\n", 0 },
	{ "options star", "OPTIONS * HTTP/1.1\r\n" H "\r\n", 0 },
	{ "obs-text in a value", "GET / HTTP/1.1\r\n" H "A: \xc3\xa9\r\n\r\n", 0 },
	{ "empty value", "GET / HTTP/1.1\r\n" H "A:\r\n\r\n", 0 },
	{ "chunked", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n", 0 },
	{ "expectation", "POST / HTTP/1.1\r\n" H "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n", 0 },

	{ "both lengths", "POST / HTTP/1.1\r\n" H "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
	{ "both lengths, other order", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400 },
	{ "length twice, equal", "POST / HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 3\r\n\r\n", 400 },
	{ "length twice", "POST / HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", 400 },
	{ "length list", "POST / HTTP/1.1\r\n" H "Content-Length: 3, 3\r\n\r\n", 400 },
	{ "length with sign", "POST / HTTP/1.1\r\n" H "Content-Length: +3\r\n\r\n", 400 },
	{ "negative length", "POST / HTTP/1.1\r\n" H "Content-Length: -3\r\n\r\n", 400 },
	{ "hexadecimal length", "POST / HTTP/1.1\r\n" H "Content-Length: 0x3\r\n\r\n", 400 },
	{ "empty length", "POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", 400 },
	{ "length above 63 bits", "POST / HTTP/1.1\r\n" H "Content-Length: 9223372036854775808\r\n\r\n", 400 },
	{ "space in length", "POST / HTTP/1.1\r\n" H "Content-Length: 1 0\r\n\r\n", 400 },
	{ "encoding twice", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
	{ "encoding list", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n", 501 },
	{ "encoding identity", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n", 501 },
	{ "encoding with vertical tab", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: \vchunked\r\n\r\n", 400 },
	{ "encoding quoted", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: \"chunked\"\r\n\r\n", 501 },
	{ "encoding xchunked", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n", 501 },
	{ "encoding in 1.0", "POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n", 400 },
	{ "space before colon", "POST / HTTP/1.1\r\n" H "Transfer-Encoding : chunked\r\n\r\n", 400 },
	{ "tab before colon", "POST / HTTP/1.1\r\n" H "Content-Length\t: 3\r\n\r\n", 400 },
	{ "folded line", "GET / HTTP/1.1\r\n" H "A: b\r\n c\r\n\r\n", 400 },
	{ "folded first line", "GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400 },
	{ "line feed alone", "GET / HTTP/1.1\n" H "\r\n", 400 },
	{ "line feed alone in a field", "GET / HTTP/1.1\r\n" H "A: b\nB: c\r\n\r\n", 400 },
	{ "line feed alone at the end", "GET / HTTP/1.1\r\n" H "\n", 400 },
	{ "carriage return in a value", "GET / HTTP/1.1\r\n" H "A: b\rB: c\r\n\r\n", 400 },
	{ "two carriage returns", "GET / HTTP/1.1\r\n" H "A: b\r\r\n\r\n", 400 },
	{ "no host", "GET / HTTP/1.1\r\n\r\n", 400 },
	{ "host twice", "GET / HTTP/1.1\r\n" H H "\r\n", 400 },
	{ "host with a slash", "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n", 400 },
	{ "host with a space", "GET / HTTP/1.1\r\nHost: x y\r\n\r\n", 400 },
	{ "host with a user", "GET / HTTP/1.1\r\nHost: a@x\r\n\r\n", 400 },
	{ "no colon", "GET / HTTP/1.1\r\n" H "Abc\r\n\r\n", 400 },
	{ "empty name", "GET / HTTP/1.1\r\n" H ": a\r\n\r\n", 400 },
	{ "name with a control", "GET / HTTP/1.1\r\n" H "A\x01: a\r\n\r\n", 400 },
	{ "name with obs-text", "GET / HTTP/1.1\r\n" H "A\xc3: a\r\n\r\n", 400 },
	{ "value with delete", "GET / HTTP/1.1\r\n" H "A: \x7f\r\n\r\n", 400 },
	{ "two spaces", "GET  / HTTP/1.1\r\n" H "\r\n", 400 },
	{ "space at the end", "GET / HTTP/1.1 \r\n" H "\r\n", 400 },
	{ "tab as separator", "GET\t/ HTTP/1.1\r\n" H "\r\n", 400 },
	{ "no version", "GET /\r\n" H "\r\n", 400 },
	{ "lower-case protocol", "GET / http/1.1\r\n" H "\r\n", 400 },
	{ "version 2", "GET / HTTP/2.0\r\n" H "\r\n", 505 },
	{ "version 1.2", "GET / HTTP/1.2\r\n" H "\r\n", 505 },
	{ "version 01.1", "GET / HTTP/01.1\r\n" H "\r\n", 400 },
	{ "method with a colon", "GE:T / HTTP/1.1\r\n" H "\r\n", 400 },
	{ "empty method", " / HTTP/1.1\r\n" H "\r\n", 400 },
	{ "target without slash", "GET x HTTP/1.1\r\n" H "\r\n", 400 },
	{ "target with a fragment", "GET /#a HTTP/1.1\r\n" H "\r\n", 400 },
	{ "target with a control", "GET /\x01 HTTP/1.1\r\n" H "\r\n", 400 },
	{ "target with obs-text", "GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n", 400 },
	{ "star for get", "GET * HTTP/1.1\r\n" H "\r\n", 400 },
	{ "absolute without host", "GET http:///a HTTP/1.1\r\n" H "\r\n", 400 },
	{ "connect", "CONNECT x:1 HTTP/1.1\r\n" H "\r\n", 501 },
	{ "other expectation", "GET / HTTP/1.1\r\n" H "Expect: cookies\r\n\r\n", 417 },
};

static void head_parse_is_strict(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		struct h1_head h;
		int r = parse(sv_c(heads[i].in), &h);

		if (r != -heads[i].status)
			fail_msg("%s: want %d, got %d (%s)", heads[i].name, heads[i].status, -r, h.why ? h.why : "");
		if (r < 0)
			assert_non_null(h.why);
		h1_head_free(&h);
	}
}

static void head_parse_nul_in_a_value_is_refused(void **state)
{
	static const char in[] = "GET / HTTP/1.1\r\n" H "A: b\0c\r\n\r\n";
	struct h1_head h;

	(void)state;
	assert_int_equal(parse((struct sv){ in, sizeof in - 1 }, &h), -400);
	h1_head_free(&h);
}

static void head_parse_reads_what_is_there(void **state)
{
	struct h1_head h;

	(void)state;
	assert_int_equal(parse(SV("PUT http://h:1/a/b?c=d%20e HTTP/1.1\r\nHost: other\r\ncontent-LENGTH:\t42 \r\nX-Y:  z z\t\r\n"
				  "Connection: foo, Close\r\n\r\n"), &h), 0);
	assert_true(sv_eq_c(h.method, "PUT"));
	assert_true(sv_eq_c(h.path, "/a/b"));
	assert_true(sv_eq_c(h.query, "c=d%20e"));
	assert_true(sv_eq_c(h.host, "h:1"));
	assert_int_equal(h.content_length, 42);
	assert_false(h.keep_alive);
	assert_int_equal(h.fields.n, 4);
	assert_true(sv_eq_c(h.fields.v[2].value, "z z"));
	h1_head_free(&h);
}

static void head_end_needs_every_byte_and_says_where(void **state)
{
	static const char in[] = "GET / HTTP/1.1\r\n" H "\r\nGET ";
	size_t scanned = 0, whole = sizeof in - 1 - 4;
	const char *why;

	(void)state;
	for (size_t n = 0; n < whole; n++)
		assert_int_equal(h1_head_end((struct sv){ in, n }, &scanned, &why), 0);
	assert_int_equal(h1_head_end((struct sv){ in, whole }, &scanned, &why), (int)whole);
	scanned = 0;
	assert_int_equal(h1_head_end((struct sv){ in, sizeof in - 1 }, &scanned, &why), (int)whole);
}

static void head_too_large_is_431(void **state)
{
	AUTO(str) in = { 0 };
	struct h1_head h;

	(void)state;
	str_addc(&in, "GET / HTTP/1.1\r\n" H "A: ");
	memset(str_room(&in, 40000), 'a', 40000);
	in.n += 40000;
	assert_int_equal(parse(str_sv(&in), &h), -431);
	str_cut(&in, 0);
	str_addc(&in, "GET / HTTP/1.1\r\n" H);
	for (int i = 0; i < 200; i++)
		str_addf(&in, "A%d: b\r\n", i);
	str_addc(&in, "\r\n");
	assert_int_equal(parse(str_sv(&in), &h), -431);
	h1_head_free(&h);
}

/* ---- chunks ---- */

static const struct { const char *name, *in, *body, *rest; int result; } bodies[] = {
	{ "empty", "0\r\n\r\nX", "", "X", H1_CHUNK_END },
	{ "two", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde", "", H1_CHUNK_END },
	{ "hexadecimal", "00A\r\n0123456789\r\n0\r\n\r\n", "0123456789", "", H1_CHUNK_END },
	{ "extension", "1;a=\"b\"\r\nx\r\n0;c\r\n\r\n", "x", "", H1_CHUNK_END },
	{ "trailers", "1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\nrest", "x", "rest", H1_CHUNK_END },
	{ "incomplete", "5\r\nab", "ab", "", H1_CHUNK_MORE },
	{ "data not followed by a line end", "1\r\nxyz\r\n", "x", NULL, -400 },
	{ "data followed by line feed", "1\r\nx\n0\r\n\r\n", "x", NULL, -400 },
	{ "size ended by line feed", "1\nx\r\n0\r\n\r\n", "", NULL, -400 },
	{ "extension ended by line feed", "1;a\nx\r\n0\r\n\r\n", "", NULL, -400 },
	{ "carriage return in an extension", "1;a\rb\r\nx\r\n0\r\n\r\n", "", NULL, -400 },
	{ "empty size", "\r\nx\r\n", "", NULL, -400 },
	{ "only an extension", ";a\r\nx\r\n", "", NULL, -400 },
	{ "signed size", "+1\r\nx\r\n", "", NULL, -400 },
	{ "negative size", "-1\r\nx\r\n", "", NULL, -400 },
	{ "prefixed size", "0x1\r\nx\r\n", "", NULL, -400 },
	{ "space before size", " 1\r\nx\r\n", "", NULL, -400 },
	{ "space behind size", "1 \r\nx\r\n", "", NULL, -400 },
	{ "size of 17 digits", "10000000000000001\r\nx", "", NULL, -400 },
	{ "trailer without colon", "0\r\nabc\r\n\r\n", "", NULL, -400 },
	{ "folded trailer", "0\r\nA: b\r\n c\r\n\r\n", "", NULL, -400 },
	{ "end by line feed", "0\r\n\n", "", NULL, -400 },
};

/* Feeds step bytes at a time. */
static void expect_chunks(size_t row, size_t step)
{
	struct h1_chunks c = { 0 };
	AUTO(str) body = { 0 };
	struct sv in = sv_c(bodies[row].in), rest = { in.p, 0 }, data;
	int r = H1_CHUNK_MORE;

	while (r == H1_CHUNK_MORE && rest.p + rest.n < in.p + in.n) {
		rest.n = (size_t)(in.p + in.n - rest.p) < step ? (size_t)(in.p + in.n - rest.p) : step;
		while ((r = h1_chunks_next(&c, &rest, &data)) == H1_CHUNK_DATA)
			str_add(&body, data);
	}
	if (r != bodies[row].result || !str_eq(str_c(&body), bodies[row].body))
		fail_msg("%s by %zu: got %d, body '%s'", bodies[row].name, step, r, str_c(&body));
	if (r == H1_CHUNK_END)
		assert_string_equal(rest.p, bodies[row].rest);
}

static void chunks_are_strict_in_pieces_of_any_size(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
		for (size_t step = 1; step < 40; step += 3)
			expect_chunks(i, step);
}

static void chunk_extension_is_bounded(void **state)
{
	AUTO(str) in = { 0 };
	struct h1_chunks c = { 0 };
	struct sv data;

	(void)state;
	str_addc(&in, "1;");
	memset(str_room(&in, 1000), 'a', 1000);
	in.n += 1000;
	struct sv rest = str_sv(&in);
	assert_int_equal(h1_chunks_next(&c, &rest, &data), -400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(head_parse_is_strict),
		TEST(head_parse_nul_in_a_value_is_refused),
		TEST(head_parse_reads_what_is_there),
		TEST(head_end_needs_every_byte_and_says_where),
		TEST(head_too_large_is_431),
		TEST(chunks_are_strict_in_pieces_of_any_size),
		TEST(chunk_extension_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
