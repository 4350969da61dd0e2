/* The server over real sockets, asked with bytes written by hand: what no client would send. */
#include "check.h"
#include "lab-http.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>

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

/* ---- the talks ---- */

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
		AUTO(world) w = { .n = i, .head_timeout_ms = talks[i].answers ? 0 : 300 };    /* none: the server's patience ends it */

		assert_int_equal(world_run(&w, talk), 0);
		const char *seen = str_c(&w.seen);
		if (count(seen, "HTTP/1.1 ") != talks[i].answers || !strstr(seen, talks[i].want) || strstr(seen, talks[i].not))
			fail_msg("%s: got <<%s>>", talks[i].name, seen);
	}
}

static int talks_junk(struct world *w)
{
	raw(w, SV("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nthis is not a frame, and too short"), true);
	raw(w, SV("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), false);
	return world_ask(w, "GET", "/echo", SV(""));
}

static void junk_after_a_preface_closes_and_the_server_lives(void **state)
{
	AUTO(world) w = { 0 };

	(void)state;
	assert_ok(world_run(&w, talks_junk), &w.err);
	assert_int_equal(w.status, 200);
}

static int talks_plain_to_tls(struct world *w)
{
	raw(w, SV(GET("/echo")), false);
	w->n = w->seen.n;
	return world_ask(w, "GET", "/describe", SV(""));
}

static void plain_bytes_to_tls_are_turned_away(void **state)
{
	AUTO(world) w = { .with_tls = true };

	(void)state;
	assert_ok(world_run(&w, talks_plain_to_tls), &w.err);
	assert_int_equal(w.status, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_by_hand_are_answered_right),
		TEST(junk_after_a_preface_closes_and_the_server_lives),
		TEST(plain_bytes_to_tls_are_turned_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
