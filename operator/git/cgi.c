/* operator/git/cgi.c - git's own http-backend as a child. */
#include "operator/git/cgi.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include "base/fiber.h"
#include "base/proc.h"
#include "base/vec.h"

#define HEAD_MAX 16384
#define CHUNK 16384
#define FLUSH 4                         /* bytes of a flush packet, "0000" */

struct run {
	struct http_request *rq;
	const struct cgi *c;
	int to, from;                   /* pipes to the child's stdin, from its stdout */
	struct str head;
	struct str held;
	struct http_stream *stream;
	bool first;                     /* the next byte is the first of the body */
	bool sideband;
};

/* ---- the child's environment ---- */

struct env { VEC(char *) all; };

static void env_free(struct env *e)
{
	for (size_t i = 0; i < e->all.n; i++)
		free(e->all.v[i]);
	vec_free(&e->all);
}

static void env_add(struct env *e, const char *name, struct sv value)
{
	if (value.n)
		vec_push(&e->all, str_fmt("%s=" SV_FMT, name, SV_ARG(value)));
}

static void make_env(struct env *e, struct http_request *rq, const struct cgi *c)
{
	static const struct { const char *name, *value; } fixed[] = {
		{ "GIT_HTTP_EXPORT_ALL", "1" }, { "GIT_CONFIG_NOSYSTEM", "1" }, { "GIT_CONFIG_GLOBAL", "/dev/null" },
		{ "GIT_CONFIG_COUNT", "3" },
		{ "GIT_CONFIG_KEY_0", "safe.directory" }, { "GIT_CONFIG_VALUE_0", "*" },
		{ "GIT_CONFIG_KEY_1", "gc.autoDetach" }, { "GIT_CONFIG_VALUE_1", "false" },     /* nothing outlives a request */
		{ "GIT_CONFIG_KEY_2", "http.receivepack" }, { "GIT_CONFIG_VALUE_2", "true" },
	};
	const char *path = getenv("PATH");

	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
		env_add(e, fixed[i].name, sv_c(fixed[i].value));
	env_add(e, "PATH", sv_c(path ? path : "/usr/local/bin:/usr/bin:/bin"));
	env_add(e, "GIT_PROJECT_ROOT", sv_c(c->root));
	env_add(e, "HOME", sv_c(c->root));
	env_add(e, "PATH_INFO", sv_c(c->path));
	env_add(e, "REMOTE_USER", sv_c(c->user));
	env_add(e, "REMOTE_ADDR", sv_c(http_remote(rq)));
	env_add(e, "REQUEST_METHOD", sv_c(http_method(rq)));
	env_add(e, "QUERY_STRING", sv_c(http_query(rq)));
	env_add(e, "CONTENT_TYPE", http_header(rq, "content-type"));
	env_add(e, "CONTENT_LENGTH", http_header(rq, "content-length"));
	env_add(e, "HTTP_CONTENT_ENCODING", http_header(rq, "content-encoding"));
	env_add(e, "GIT_PROTOCOL", http_header(rq, "git-protocol"));
	vec_push(&e->all, NULL);
}

/* ---- the request's body to the child ---- */

static int write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t r = write(fd, p, n);
		if (r < 0 && errno == EAGAIN) {
			TRY(fiber_poll(fd, POLLOUT));
			continue;
		}
		if (r < 0 && errno != EINTR)
			return -1;              /* the child has ended: its answer says why */
		if (r > 0) {
			p += r;
			n -= (size_t)r;
		}
	}
	return 0;
}

static void send_body(void *arg)
{
	struct run *r = arg;
	char *buf = malloc(CHUNK);
	int n;

	while ((n = http_body_read(r->rq, buf, CHUNK, NULL)) > 0)
		if (write_all(r->to, buf, (size_t)n) < 0)
			break;
	free(buf);
	fd_close(&r->to);
}

/* ---- the child's answer ---- */

static size_t head_end(struct sv s)
{
	for (size_t i = 0; i + 1 < s.n; i++) {
		if (s.p[i] == '\n' && s.p[i + 1] == '\n')
			return i + 2;
		if (i + 3 < s.n && !memcmp(s.p + i, "\r\n\r\n", 4))
			return i + 4;
	}
	return 0;
}

/* Its header lines: Status, Content-Type, and others that are passed on. */
static void start_answer(struct run *r, struct sv head)
{
	struct sv line, rest = head, name, value;
	AUTO(str) type = { 0 };
	int64_t status = 200;

	while (rest.n) {
		struct sv tail = { "", 0 };
		AUTO(str) n = { 0 };
		AUTO(str) v = { 0 };
		(void)sv_cut(rest, '\n', &line, &tail);
		rest = tail;
		if (!sv_cut(sv_trim(line), ':', &name, &value))
			continue;
		str_add(&n, name);
		str_add(&v, sv_trim(value));
		if (!strcasecmp(str_c(&n), "status"))
			status = strtol(str_c(&v), NULL, 10);
		else if (!strcasecmp(str_c(&n), "content-type"))
			str_move(&type, &v);
		else if (strcasecmp(str_c(&n), "content-length"))
			http_add_header(r->rq, str_c(&n), str_c(&v));
	}
	r->stream = http_stream_start(r->rq, status >= 100 && status < 600 ? (int)status : 500, type.n ? str_c(&type) : "text/plain");
	r->first = true;
}

static int send_piece(struct run *r, struct sv data)
{
	if (!data.n)
		return 0;
	if (http_stream_write(r->stream, data) < 0 || http_stream_drain(r->stream) < 0)
		return -ERR_CANCELED;
	return 0;
}

/* All but the last bytes, which may be the flush packet. */
static int send_holding(struct run *r, struct sv data)
{
	AUTO(str) all = { 0 };

	if (r->first && data.n > 4)
		r->sideband = data.p[4] >= 1 && data.p[4] <= 3;
	if (data.n)
		r->first = false;
	if (!r->c->hold_end)
		return send_piece(r, data);
	str_move(&all, &r->held);
	str_add(&all, data);
	size_t keep = all.n < FLUSH ? all.n : FLUSH;
	str_add(&r->held, (struct sv){ str_c(&all) + all.n - keep, keep });
	return send_piece(r, (struct sv){ str_c(&all), all.n - keep });
}

static int take_output(struct run *r, struct sv data, struct err *err)
{
	size_t end;

	if (r->stream)
		return send_holding(r, data);
	str_add(&r->head, data);
	if (!(end = head_end(str_sv(&r->head))))
		return r->head.n <= HEAD_MAX ? 0 : err_set(err, ERR_IO, "git http-backend answered without a header");
	start_answer(r, (struct sv){ str_c(&r->head), end });
	return send_holding(r, sv_drop(str_sv(&r->head), end));
}

static int read_output(struct run *r, struct err *err)
{
	char *buf = malloc(CHUNK);
	int res = 0;

	while (res >= 0) {
		ssize_t n = read(r->from, buf, CHUNK);
		if (n < 0 && errno == EAGAIN)
			res = fiber_poll(r->from, POLLIN);
		else if (n > 0)
			res = take_output(r, (struct sv){ buf, (size_t)n }, err);
		else if (n == 0 || errno != EINTR)
			break;
	}
	free(buf);
	if (res == -ERR_CANCELED)
		return err_set(err, ERR_CANCELED, "the client went away");
	return res;
}

static int start_child(struct run *r, struct proc **out, struct err *err)
{
	static const char *const argv[] = { "git", "http-backend", NULL };
	__attribute__((cleanup(env_free))) struct env e = { 0 };
	int in[2], from[2];

	if (pipe2(in, O_CLOEXEC) < 0)
		return err_errno(err, "make a pipe for git");
	if (pipe2(from, O_CLOEXEC) < 0) {
		close(in[0]);
		close(in[1]);
		return err_errno(err, "make a pipe for git");
	}
	make_env(&e, r->rq, r->c);
	const struct proc_opts o = { .argv = argv, .env = (const char *const *)e.all.v, .dir = r->c->root, .in = in[0],
				     .out = from[1], .err = -1 };
	*out = proc_start(&o, err);
	close(in[0]);
	close(from[1]);
	r->to = in[1];
	r->from = from[0];
	(void)fcntl(r->to, F_SETFL, O_NONBLOCK);
	(void)fcntl(r->from, F_SETFL, O_NONBLOCK);
	return *out ? 0 : -(int)(err->code ? err->code : ERR_IO);
}

static void run_free(struct run *r)
{
	fd_close(&r->to);
	fd_close(&r->from);
	str_free(&r->head);
	str_free(&r->held);
}

int cgi_run(struct http_request *rq, const struct cgi *c, struct cgi_end *end, struct err *err)
{
	__attribute__((cleanup(run_free))) struct run r = { .rq = rq, .c = c, .to = -1, .from = -1 };
	struct proc *child = NULL;
	struct fiber_group body;

	*end = (struct cgi_end){ 0 };
	int res = start_child(&r, &child, err);
	if (res >= 0) {
		fiber_group_init(&body, fiber_loop());
		fiber_group_start(&body, "git body", send_body, &r);
		res = read_output(&r, err);
		fiber_group_cancel(&body);
		fiber_group_join(&body);
		if (res >= 0)
			(void)proc_wait(child);
	}
	proc_free(&child);
	if (res >= 0 && !r.stream)
		return err_set(err, ERR_IO, "git http-backend ended without an answer");
	if (res < 0) {
		if (r.stream)
			http_stream_end(r.stream);
		return res;
	}
	end->stream = r.stream;
	end->sideband = r.sideband && sv_eq_c(str_sv(&r.held), "0000");
	if (!end->sideband && r.held.n)
		(void)http_stream_write(r.stream, str_sv(&r.held));
	return 0;
}
