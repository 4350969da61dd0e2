/* operator/chart/http.c - chart repositories: index.yaml and packages over HTTP. */
#include "operator/chart/charts-internal.h"

#include "base/fiber.h"
#include "base/fs.h"
#include "base/loop.h"

#define INDEX_MAX ((size_t)128 << 20)
#define INDEX_MS 120000
#define PACKAGE_MS 600000

/* "host:port" of an address, for comparison. */
static struct sv host_of(const char *url)
{
	const char *at = strstr(url, "://");
	struct sv host, rest;

	(void)sv_cut(sv_c(at ? at + 3 : url), '/', &host, &rest);
	return host;
}

static bool may_login(const struct chart_access *a, const char *repo, const char *url)
{
	return a && a->username && *a->username &&
	       (a->pass_credentials || (sv_eq(host_of(repo), host_of(url)) && (strncmp(repo, "https:", 6) || !strncmp(url, "https:", 6))));
}

struct get { const char *url, *repo, *etag; size_t max; int64_t timeout_ms; const struct chart_access *access; };

static int get(struct charts *c, const struct get *g, struct httpc_response *out, struct err *err)
{
	static const struct chart_access none = { 0 };
	const struct chart_access *a = g->access ? g->access : &none;
	AUTO(str) login = { 0 };
	AUTO(str) known = { 0 };
	const char *headers[2] = { NULL };

	if (may_login(a, g->repo, g->url))
		str_addf(&login, "%s:%s", a->username, a->password ? a->password : "");
	if (g->etag && *g->etag) {
		str_addf(&known, "If-None-Match: %s", g->etag);
		headers[0] = str_c(&known);
	}
	const struct httpc_request rq = {
		.method = "GET", .url = g->url, .headers = headers, .follow = true, .max_body = g->max, .timeout_ms = g->timeout_ms,
		.userpwd = login.n ? str_c(&login) : NULL, .insecure = a->insecure,
		.ca_pem = a->ca_pem, .cert_pem = a->cert_pem, .key_pem = a->key_pem,
	};
	return httpc_do(c->http, &rq, out, err);
}

static int check_status(const struct httpc_response *r, const char *url, const struct chart_access *a, struct err *err)
{
	if (r->status == 200)
		return 0;
	if (r->status == 401 || r->status == 403)
		return err_set(err, ERR_UNAUTHORIZED, "%s: access is denied (HTTP %d)%s", url, r->status,
			       a && a->username && *a->username ? "" : "; no credentials were given");
	if (r->status == 404)
		return err_set(err, ERR_NOT_FOUND, "%s: not found", url);
	return err_set(err, err_from_http(r->status, NULL), "%s: HTTP %d", url, r->status);
}

/* ---- index.yaml ---- */

static void index_path(const struct charts *c, const char *repo, struct str *out)
{
	AUTO(str) key = { 0 };

	chart_key(&key, repo, "", "");
	str_addf(out, "%s/indexes/%s.yaml", c->dir, str_c(&key));
}

/* Writes the index beside the others, unless it is the one that is there. */
static int renew(struct charts *c, const struct chart_want *w, const struct chart_place *p, struct chart_repo *repo, struct err *err)
{
	AUTO(str) url = { 0 };
	AUTO(str) path = { 0 };
	AUTO(str) dir = { 0 };
	AUTO(httpc_response) answer = { 0 };
	int64_t now = clock_ms();

	chart_url_join(&url, str_c(&p->repo), "index.yaml");
	index_path(c, str_c(&p->repo), &path);
	TRY(get(c, &(struct get){ str_c(&url), str_c(&p->repo), path_exists(str_c(&path)) ? str_c(&repo->etag) : NULL, INDEX_MAX, INDEX_MS,
				  w->access }, &answer, err));
	if (answer.status == 304) {
		repo->asked_ms = now;
		return 0;
	}
	TRY(check_status(&answer, str_c(&url), w->access, err));
	str_addf(&dir, "%s/indexes", c->dir);
	TRY(dir_make(str_c(&dir), 0700, err));
	TRY(file_write(str_c(&path), str_sv(&answer.body), 0600, err));
	chart_repo_forget(repo);
	str_cut(&repo->etag, 0);
	str_add(&repo->etag, httpc_header(&answer, "ETag"));
	repo->asked_ms = now;
	return 0;
}

/* Large indexes have tens of megabytes: they are read on a thread of their own, and only one chart's part is kept. */
struct reading { const char *path, *chart; struct chart_versions versions; int result; struct err err; };

static int read_index(struct reading *r)
{
	AUTO(str) text = { 0 };

	TRY(file_read(r->path, INDEX_MAX, &text, &r->err));
	return chart_index_read(str_sv(&text), r->chart, &r->versions, &r->err);
}

static void read_job(void *arg)
{
	struct reading *r = arg;

	r->result = read_index(r);
}

static int list(struct charts *c, const struct chart_want *w, const struct chart_place *p, struct chart_repo *repo, struct err *err)
{
	bool fresh = repo->asked_ms && w->max_age_ms && clock_ms() - repo->asked_ms <= w->max_age_ms;
	AUTO(str) path = { 0 };

	if (!fresh)
		TRY(renew(c, w, p, repo, err));
	if (map_get(&repo->charts, str_sv(&p->chart)))
		return 0;
	index_path(c, str_c(&p->repo), &path);
	struct reading r = { .path = str_c(&path), .chart = str_c(&p->chart) };
	fiber_job_long(read_job, &r);
	if (r.result < 0) {
		chart_versions_free(&r.versions);
		(void)err_move(err, &r.err);
		return err_wrap(err, r.result, "%s", str_c(&p->repo));
	}
	struct chart_versions *keep = calloc(1, sizeof *keep), *old;
	if (!keep)
		abort();
	*keep = r.versions;
	old = map_put(&repo->charts, str_sv(&p->chart), keep);
	if (old)                        /* another fiber was as fast */
		chart_versions_free(old);
	free(old);
	return 0;
}

static int download(struct charts *c, const struct chart_want *w, const struct chart_place *p, const struct chart_version *v,
		    struct str *bytes, struct str *from, struct err *err)
{
	AUTO(httpc_response) answer = { 0 };

	chart_url_join(from, str_c(&p->repo), v->url);
	TRY(get(c, &(struct get){ str_c(from), p->repo.n ? str_c(&p->repo) : str_c(from), NULL, CHART_PACKAGE_MAX, PACKAGE_MS, w->access },
		&answer, err));
	TRY(check_status(&answer, str_c(from), w->access, err));
	str_move(bytes, &answer.body);
	return 0;
}

const struct chart_protocol chart_protocol_http = { list, download };
