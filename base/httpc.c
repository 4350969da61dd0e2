#include "base/httpc.h"
#include "base/fiber.h"

#include "base/httpc-internal.h"

#include <poll.h>
#include <stdlib.h>
#include <strings.h>

#define TIMEOUT_MS 30000
#define CONNECT_MS 10000
#define BODY_MAX ((size_t)16 << 20)
#define HEAD_MAX ((size_t)256 << 10)

struct httpc { struct loop *loop; CURLM *multi; struct timer *timer; size_t running; };

/* One exchange, on the stack of the fiber that waits for it. */
struct exchange {
	const struct httpc_request *rq;
	struct httpc_response *out;
	struct fiber *fiber;
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	size_t max_body;
	char reason[CURL_ERROR_SIZE];
	CURLcode result;
	bool done, head_told, too_large;
	int stopped;                    /* what on_data returned when it wanted no more */
};

/* ---- curl's sockets and timer on the loop ---- */

static void finish_done(struct httpc *c)
{
	int left;

	for (CURLMsg *m; (m = curl_multi_info_read(c->multi, &left));) {
		struct exchange *x;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&x);
		x->result = m->data.result;
		x->done = true;
		fiber_wake(x->fiber);
	}
}

struct watched { struct httpc *client; struct poller *poll; curl_socket_t fd; };

static void on_ready(void *arg, short events)
{
	struct watched *w = arg;
	struct httpc *c = w->client;
	int action = (events & (POLLIN | POLLHUP) ? CURL_CSELECT_IN : 0) | (events & POLLOUT ? CURL_CSELECT_OUT : 0) |
		     (events & POLLERR ? CURL_CSELECT_ERR : 0), running;

	curl_multi_socket_action(c->multi, w->fd, action, &running);    /* may end w */
	finish_done(c);
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct httpc *c = arg;
	struct watched *w = known;
	short events = (short)((what & CURL_POLL_IN ? POLLIN : 0) | (what & CURL_POLL_OUT ? POLLOUT : 0));

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (w)
			poller_stop(&w->poll);
		free(w);
		curl_multi_assign(c->multi, fd, NULL);
		return 0;
	}
	if (w) {
		poller_events(w->poll, events);
		return 0;
	}
	w = calloc(1, sizeof *w);
	if (!w)
		abort();
	*w = (struct watched){ c, NULL, fd };
	w->poll = poller_start(c->loop, fd, events, on_ready, w);
	curl_multi_assign(c->multi, fd, w);
	return 0;
}

static void on_time(void *arg)
{
	struct httpc *c = arg;
	int running;

	timer_stop(&c->timer);
	curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	finish_done(c);
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
	struct httpc *c = arg;

	(void)multi;
	timer_stop(&c->timer);
	if (ms >= 0)
		c->timer = timer_after(c->loop, ms, on_time, c);
	return 0;
}

struct httpc *httpc_new(struct loop *l)
{
	struct httpc *c = calloc(1, sizeof *c);

	if (!c || curl_global_init(CURL_GLOBAL_DEFAULT) || !(c->multi = curl_multi_init()))
		abort();
	c->loop = l;
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	curl_multi_setopt(c->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, 250L);
	return c;
}

void httpc_free(struct httpc **cp)
{
	struct httpc *c = TAKE(*cp);

	if (!c)
		return;
	curl_multi_cleanup(c->multi);
	timer_stop(&c->timer);
	curl_global_cleanup();
	free(c);
}

/* ---- an exchange ---- */

static void tell_head(struct exchange *x)
{
	long status = 0;

	if (x->head_told)
		return;
	x->head_told = true;
	curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	x->out->status = (int)status;
	if (x->rq->on_head)
		x->rq->on_head(x->rq->arg, (int)status);
}

static bool is_final(const struct exchange *x)
{
	long status = 0;
	char *redirect = NULL;

	curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(x->easy, CURLINFO_REDIRECT_URL, &redirect);
	return status >= 200 && !(x->rq->follow && redirect && status / 100 == 3);
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct exchange *x = arg;
	struct sv line = { p, size * n };

	if (sv_starts(line, SV("HTTP/")))       /* of the next answer: a redirect was followed, or 100 came first */
		str_cut(&x->out->headers, 0);
	if (x->out->headers.n + line.n > HEAD_MAX) {
		x->too_large = true;
		return 0;
	}
	str_add(&x->out->headers, line);
	if (line.n <= 2 && is_final(x))
		tell_head(x);
	return line.n;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct exchange *x = arg;
	struct sv data = { p, size * n };

	if (!is_final(x))
		return data.n;
	if (x->rq->on_data) {
		x->stopped = x->rq->on_data(x->rq->arg, data);
		return x->stopped < 0 ? CURL_WRITEFUNC_ERROR : data.n;
	}
	if (x->out->body.n + data.n > x->max_body) {
		x->too_large = true;
		return CURL_WRITEFUNC_ERROR;
	}
	str_add(&x->out->body, data);
	return data.n;
}

static void set_blob(CURL *e, CURLoption option, struct sv pem)
{
	struct curl_blob b = { (void *)pem.p, pem.n, CURL_BLOB_COPY };

	if (pem.n)
		curl_easy_setopt(e, option, &b);
}

void httpc_set_tls(CURL *e, const struct httpc_request *rq)
{
	const char *system = getenv("SSL_CERT_FILE");   /* as OpenSSL's and Go's programs have it */

	if (rq->ca_pem.n || system)     /* this CA and no other */
		curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	if (system && *system)
		curl_easy_setopt(e, CURLOPT_CAINFO, system);
	set_blob(e, CURLOPT_CAINFO_BLOB, rq->ca_pem);
	set_blob(e, CURLOPT_SSLCERT_BLOB, rq->cert_pem);
	set_blob(e, CURLOPT_SSLKEY_BLOB, rq->key_pem);
	curl_easy_setopt(e, CURLOPT_SSLCERTTYPE, "PEM");
	curl_easy_setopt(e, CURLOPT_SSLKEYTYPE, "PEM");
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, rq->insecure ? 0L : 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, rq->insecure ? 0L : 2L);
}

static void set_body(CURL *e, const struct httpc_request *rq)
{
	const char *method = rq->method ? rq->method : "GET";

	if (str_eq(method, "HEAD")) {
		curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
		return;
	}
	if (rq->body.n || str_eq(method, "POST") || str_eq(method, "PUT") || str_eq(method, "PATCH")) {
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)rq->body.n);
		curl_easy_setopt(e, CURLOPT_POSTFIELDS, rq->body.n ? rq->body.p : "");
	}
	curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, method);
}

/* A followed redirect stays on https when it began there. */
static void set_limits(CURL *e, const struct httpc_request *rq)
{
	bool secure = !strncasecmp(rq->url, "https:", 6);

	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, rq->follow ? 1L : 0L);
	curl_easy_setopt(e, CURLOPT_MAXREDIRS, 5L);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	/* Rather a stream than another connection: TLS says whether there can be one. Without it curl would wait for the end
	 * of the first answer, which for a watch is never. */
	curl_easy_setopt(e, CURLOPT_PIPEWAIT, secure ? 1L : 0L);
	if (rq->timeout_ms >= 0)
		curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(rq->timeout_ms ? rq->timeout_ms : TIMEOUT_MS));
}

static void prepare(struct exchange *x)
{
	CURL *e = x->easy;

	for (const char *const *h = x->rq->headers; h && *h; h++)
		x->headers = curl_slist_append(x->headers, *h);
	x->headers = curl_slist_append(x->headers, "Expect:");          /* a second round trip for nothing */
	if (!x->rq->body.n)
		x->headers = curl_slist_append(x->headers, "Content-Type:");
	curl_easy_setopt(e, CURLOPT_URL, x->rq->url);
	curl_easy_setopt(e, CURLOPT_PRIVATE, x);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, x->reason);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, x->headers);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "timonier/" CD_VERSION);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, x);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, x);
	if (x->rq->userpwd) {
		curl_easy_setopt(e, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(e, CURLOPT_USERPWD, x->rq->userpwd);
	}
	if (x->rq->connect_to) {
		x->connect_to = curl_slist_append(NULL, x->rq->connect_to);
		curl_easy_setopt(e, CURLOPT_CONNECT_TO, x->connect_to);
	}
	curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, x->rq->once ? 1L : 0L);
	curl_easy_setopt(e, CURLOPT_FORBID_REUSE, x->rq->once ? 1L : 0L);
	set_body(e, x->rq);
	httpc_set_tls(e, x->rq);
	set_limits(e, x->rq);
}

static const struct { CURLcode result; enum err_code code; } causes[] = {
	{ CURLE_OPERATION_TIMEDOUT, ERR_TIMEOUT }, { CURLE_COULDNT_CONNECT, ERR_UNAVAILABLE },
	{ CURLE_COULDNT_RESOLVE_HOST, ERR_UNAVAILABLE }, { CURLE_URL_MALFORMAT, ERR_BAD_REQUEST },
	{ CURLE_UNSUPPORTED_PROTOCOL, ERR_BAD_REQUEST }, { CURLE_TOO_MANY_REDIRECTS, ERR_UNAVAILABLE },
	{ CURLE_SSL_CERTPROBLEM, ERR_INVALID }, { CURLE_GOT_NOTHING, ERR_UNAVAILABLE }, { CURLE_RECV_ERROR, ERR_UNAVAILABLE },
	{ CURLE_SEND_ERROR, ERR_UNAVAILABLE }, { CURLE_PEER_FAILED_VERIFICATION, ERR_UNAUTHORIZED },
	{ CURLE_SSL_CACERT_BADFILE, ERR_INVALID },
};

/* "https://host:port": no path, which may hold secrets. */
static struct sv origin(const char *url)
{
	const char *from = strstr(url, "://"), *at;
	size_t n = from ? (size_t)(from + 3 - url) : 0;

	n += strcspn(url + n, "/?#");
	at = memrchr(url, '@', n);
	return at ? (struct sv){ at + 1, (size_t)(url + n - at - 1) } : (struct sv){ url, n };
}

struct sv httpc_origin(const char *url)
{
	struct sv o = origin(url);
	const char *from = memmem(o.p, o.n, "://", 3);

	return from ? sv_drop(o, (size_t)(from + 3 - o.p)) : o;
}

int httpc_failed(CURLcode result, const char *reason, const char *url, struct err *err)
{
	enum err_code code = ERR_IO;

	for (size_t i = 0; i < sizeof causes / sizeof *causes; i++)
		if (causes[i].result == result)
			code = causes[i].code;
	return err_set(err, code, SV_FMT ": %s", SV_ARG(origin(url)), *reason ? reason : curl_easy_strerror(result));
}

static int fail(const struct exchange *x, struct err *err)
{
	if (x->too_large)
		return err_set(err, ERR_TOO_LARGE, SV_FMT ": the answer is larger than %zu bytes",
			       SV_ARG(origin(x->rq->url)), x->max_body);
	return httpc_failed(x->result, x->reason, x->rq->url, err);
}

int httpc_do(struct httpc *c, const struct httpc_request *rq, struct httpc_response *out, struct err *err)
{
	struct exchange x = { .rq = rq, .out = out, .fiber = fiber_self(), .max_body = rq->max_body ? rq->max_body : BODY_MAX };
	int r = 0;

	*out = (struct httpc_response){ 0 };
	if (!(x.easy = curl_easy_init()))
		abort();
	prepare(&x);
	curl_multi_add_handle(c->multi, x.easy);
	while (!x.done && !r)
		r = fiber_park();
	if (!x.done)                    /* else curl keeps the connection and does not tell the peer that nobody listens */
		curl_easy_setopt(x.easy, CURLOPT_FORBID_REUSE, 1L);
	curl_multi_remove_handle(c->multi, x.easy);
	if (r)
		r = err_set(err, ERR_CANCELED, SV_FMT ": the request was canceled", SV_ARG(origin(rq->url)));
	else if (x.stopped < 0)
		r = x.stopped;
	else if (x.result != CURLE_OK)
		r = fail(&x, err);
	else
		tell_head(&x);
	curl_easy_cleanup(x.easy);
	curl_slist_free_all(x.headers);
	curl_slist_free_all(x.connect_to);
	if (r < 0)
		httpc_response_free(out);
	return r;
}

struct sv httpc_header(const struct httpc_response *r, const char *name)
{
	struct sv rest = str_sv(&r->headers), line;
	size_t n = strlen(name);

	for (bool more = rest.n > 0; more;) {
		more = sv_cut(rest, '\n', &line, &rest);
		if (line.n > n && line.p[n] == ':' && !strncasecmp(line.p, name, n))
			return sv_trim(sv_drop(line, n + 1));
	}
	return SV("");
}

void httpc_response_free(struct httpc_response *r)
{
	str_free(&r->headers);
	str_free(&r->body);
	*r = (struct httpc_response){ 0 };
}
