/* A connection that curl makes (address, proxy, TLS) and that then speaks another protocol. */
#include "base/fiber.h"
#include "base/httpc-internal.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>

#define CONNECT_MS 10000
#define HEAD_MAX ((size_t)64 << 10)
#define BODY_MAX ((size_t)64 << 10)     /* of a refusal */

struct httpc_upgraded {
	struct duplex base;             /* first */
	CURL *easy;
	int fd, fd_out;                 /* of the socket: a copy, as a descriptor can be waited for once only */
	struct str in;                  /* read with the head */
	size_t in_at;
	CURLcode result;
	char reason[CURL_ERROR_SIZE];
};

void httpc_upgraded_free(struct httpc_upgraded **up)
{
	struct httpc_upgraded *u = TAKE(*up);

	if (!u)
		return;
	fd_close(&u->fd_out);
	curl_easy_cleanup(u->easy);
	str_free(&u->in);
	free(u);
}

/* ---- bytes ---- */

static int receive(struct httpc_upgraded *u, char *buf, size_t n, struct err *err)
{
	size_t got = 0;

	for (;;) {
		CURLcode r = curl_easy_recv(u->easy, buf, n, &got);

		if (r == CURLE_OK)
			return (int)got;
		if (r != CURLE_AGAIN)
			return err_set(err, ERR_UNAVAILABLE, "the connection was lost: %s", curl_easy_strerror(r));
		if (fiber_poll(u->fd, POLLIN) < 0)
			return err_set(err, ERR_CANCELED, "reading was canceled");
	}
}

static int upgraded_read(struct duplex *d, char *buf, size_t n, struct err *err)
{
	struct httpc_upgraded *u = (struct httpc_upgraded *)d;
	size_t left = u->in.n - u->in_at, got = left < n ? left : n;

	if (!left)
		return receive(u, buf, n, err);
	memcpy(buf, u->in.p + u->in_at, got);
	u->in_at += got;
	return (int)got;
}

static int upgraded_write(struct duplex *d, struct sv data, struct err *err)
{
	struct httpc_upgraded *u = (struct httpc_upgraded *)d;

	while (data.n) {
		size_t put = 0;
		CURLcode r = curl_easy_send(u->easy, data.p, data.n, &put);

		data = sv_drop(data, put);
		if (r != CURLE_OK && r != CURLE_AGAIN)
			return err_set(err, ERR_UNAVAILABLE, "the connection was lost: %s", curl_easy_strerror(r));
		if (r == CURLE_AGAIN && fiber_poll(u->fd_out, POLLOUT) < 0)
			return err_set(err, ERR_CANCELED, "writing was canceled");
	}
	return 0;
}

static void upgraded_end(struct duplex *d) { (void)d; }        /* both ways end together */

static const struct duplex_ops upgraded_ops = { upgraded_read, upgraded_write, upgraded_end };

struct duplex *httpc_upgraded_duplex(struct httpc_upgraded *u) { return &u->base; }

/* ---- connecting ---- */

static void connect_job(void *arg)
{
	struct httpc_upgraded *u = arg;

	u->result = curl_easy_perform(u->easy);
}

static int connect_to(struct httpc_upgraded *u, const struct httpc_request *rq, struct err *err)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	curl_easy_setopt(u->easy, CURLOPT_URL, rq->url);
	curl_easy_setopt(u->easy, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(u->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(u->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(u->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(u->easy, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(u->easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(u->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(u->easy, CURLOPT_ERRORBUFFER, u->reason);
	httpc_set_tls(u->easy, rq);
	fiber_job_long(connect_job, u);
	if (u->result != CURLE_OK)
		return httpc_failed(u->result, u->reason, rq->url, err);
	curl_easy_getinfo(u->easy, CURLINFO_ACTIVESOCKET, &fd);
	u->fd = (int)fd;
	u->fd_out = fcntl(u->fd, F_DUPFD_CLOEXEC, 3);
	return u->fd_out < 0 ? err_errno(err, "copy a socket") : 0;
}

/* ---- the request and its answer ---- */

static int send_request(struct httpc_upgraded *u, const struct httpc_request *rq, struct err *err)
{
	const char *host = strstr(rq->url, "://") + 3;
	size_t n = strcspn(host, "/?");
	AUTO(str) text = { 0 };

	str_addf(&text, "%s %s%s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: timonier/" CD_VERSION "\r\n", rq->method,
		 host[n] == '/' ? "" : "/", host + n, (int)n, host);
	for (const char *const *h = rq->headers; h && *h; h++)
		str_addf(&text, "%s\r\n", *h);
	if (!str_eq(rq->method, "GET"))
		str_addc(&text, "Content-Length: 0\r\n");
	str_addc(&text, "\r\n");
	return upgraded_write(&u->base, str_sv(&text), err);
}

static int read_more(struct httpc_upgraded *u, struct err *err)
{
	int n = receive(u, str_room(&u->in, 4096), 4096, err);

	if (n > 0)
		u->in.n += (size_t)n;
	return n ? n : err_set(err, ERR_UNAVAILABLE, "the server closed the connection instead of an answer");
}

static int read_head(struct httpc_upgraded *u, struct httpc_response *out, struct err *err)
{
	const char *end;
	int64_t status;

	while (!(end = memmem(str_c(&u->in), u->in.n, "\r\n\r\n", 4))) {
		if (u->in.n > HEAD_MAX)
			return err_set(err, ERR_TOO_LARGE, "the server's answer has no end");
		TRY(read_more(u, err));
	}
	u->in_at = (size_t)(end + 4 - u->in.p);
	str_add(&out->headers, (struct sv){ u->in.p, u->in_at });
	if (u->in_at < 13 || !sv_starts(str_sv(&u->in), SV("HTTP/1.")) ||
	    !sv_to_i64((struct sv){ u->in.p + 9, 3 }, &status))
		return err_set(err, ERR_BAD_REQUEST, "the server's answer is not HTTP/1.1");
	out->status = (int)status;
	return 0;
}

/* The words of a refusal, as far as its length is told. */
static void read_refusal(struct httpc_upgraded *u, struct httpc_response *out)
{
	int64_t length;

	if (!sv_to_i64(httpc_header(out, "Content-Length"), &length) || length < 0 || (uint64_t)length > BODY_MAX)
		return;
	while (u->in.n - u->in_at < (size_t)length && read_more(u, NULL) > 0)
		;
	str_add(&out->body, sv_drop(str_sv(&u->in), u->in_at));
}

int httpc_upgrade(const struct httpc_request *rq, struct httpc_upgraded **out, struct httpc_response *refused,
		  struct err *err)
{
	struct httpc_upgraded *u = calloc(1, sizeof *u);
	int r;

	*refused = (struct httpc_response){ 0 };
	if (!u || !(u->easy = curl_easy_init()))
		abort();
	u->base.ops = &upgraded_ops;
	u->fd = u->fd_out = -1;
	r = connect_to(u, rq, err);
	if (r >= 0)
		r = send_request(u, rq, err);
	if (r >= 0)
		r = read_head(u, refused, err);
	if (r >= 0 && refused->status == 101) {
		*out = u;
		return 0;
	}
	if (r >= 0)
		read_refusal(u, refused);
	else
		httpc_response_free(refused);
	httpc_upgraded_free(&u);
	*out = NULL;
	return r;
}
