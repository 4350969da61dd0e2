/* base/registry.c - one repository of an OCI registry. */
#include "base/registry.h"
#include "base/json.h"

#include <stdlib.h>
#include <strings.h>

#define DOCUMENT_MS 60000
#define BLOB_MS (60 * 60000)
#define TAG_PAGES_MAX 200

static bool is_loopback(const char *host)
{
	return !strncmp(host, "localhost", 9) || !strncmp(host, "127.", 4) || !strncmp(host, "[::1]", 5);
}

void registry_init(struct registry *r, struct httpc *http, const char *host, const char *repository, const char *user,
		   const char *password)
{
	bool hub = !*host || str_eq(host, "docker.io");

	*r = (struct registry){ .http = http, .may_fall_back = is_loopback(host) };
	str_addc(&r->host, hub ? "registry-1.docker.io" : host);
	str_addf(&r->repository, "%s%s", hub && !strchr(repository, '/') ? "library/" : "", repository);
	if (user && *user)
		str_addf(&r->user_password, "%s:%s", user, password ? password : "");
}

void registry_free(struct registry *r)
{
	str_free(&r->host);
	str_free(&r->repository);
	str_free(&r->user_password);
	str_free(&r->authorization);
}

/* ---- authentication ---- */

/* A parameter of a challenge: realm="https://..." */
static bool parameter(struct sv challenge, const char *name, struct str *out)
{
	size_t n = strlen(name);

	for (size_t i = 0; i + n + 2 < challenge.n; i++) {
		struct sv rest = sv_drop(challenge, i), value, after;
		bool start = i == 0 || challenge.p[i - 1] == ' ' || challenge.p[i - 1] == ',';

		if (!start || strncasecmp(rest.p, name, n) || rest.p[n] != '=' || rest.p[n + 1] != '"')
			continue;
		if (!sv_cut(sv_drop(rest, n + 2), '"', &value, &after))
			return false;
		str_add(out, value);
		return true;
	}
	return false;
}

static void add_encoded(struct str *url, const char *name, const struct str *value)
{
	str_addf(url, "%c%s=", strchr(str_c(url), '?') ? '&' : '?', name);
	for (size_t i = 0; i < value->n; i++) {
		unsigned char c = (unsigned char)value->p[i];

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || strchr("-._~/:", c))
			str_add1(url, (char)c);
		else
			str_addf(url, "%%%02X", c);
	}
}

static int fetch_token(struct registry *r, struct sv challenge, struct err *err)
{
	AUTO(str) url = { 0 };
	AUTO(str) service = { 0 };
	AUTO(str) scope = { 0 };
	AUTO(httpc_response) answer = { 0 };
	AUTO_DOC d = NULL;

	if (!parameter(challenge, "realm", &url) ||
	    (strncmp(str_c(&url), "https://", 8) && !(r->plain || r->may_fall_back)))
		return err_set(err, ERR_UNAUTHORIZED,
			       "registry %s: it asks for a token, but not from a trustworthy address", str_c(&r->host));
	if (parameter(challenge, "service", &service))
		add_encoded(&url, "service", &service);
	if (!parameter(challenge, "scope", &scope))
		str_addf(&scope, "repository:%s:pull", str_c(&r->repository));
	add_encoded(&url, "scope", &scope);
	struct httpc_request rq = { .method = "GET", .url = str_c(&url), .timeout_ms = DOCUMENT_MS, .follow = true,
				    .userpwd = r->user_password.n ? str_c(&r->user_password) : NULL,
				    .insecure = r->insecure, .ca_pem = r->ca_pem };
	TRY(httpc_do(r->http, &rq, &answer, err));
	if (answer.status != 200)
		return err_set(err, ERR_UNAUTHORIZED, "registry %s: no token for %s: HTTP %d%s", str_c(&r->host),
			       str_c(&r->repository), answer.status,
			       r->user_password.n ? "" : " (no credentials were given)");
	TRY(json_read(str_sv(&answer.body), "token", 0, &d, err));
	const char *token = node_str_at(doc_root(d), "token");
	if (!token)
		token = node_str_at(doc_root(d), "access_token");
	if (!token || strpbrk(token, "\r\n"))
		return err_set(err, ERR_UNAUTHORIZED, "registry %s: the token service answered without a token",
			       str_c(&r->host));
	str_set(&r->authorization, "Authorization: Bearer ");
	str_addc(&r->authorization, token);
	return 0;
}

static int denied(const struct registry *r, struct err *err)
{
	return err_set(err, ERR_UNAUTHORIZED, "registry %s: access to %s is denied%s", str_c(&r->host), str_c(&r->repository),
		       r->user_password.n ? "" : " (no credentials were given)");
}

static int authorize(struct registry *r, const struct httpc_response *answer, struct err *err)
{
	struct sv challenge = httpc_header(answer, "WWW-Authenticate"), scheme, rest;

	(void)sv_cut(challenge, ' ', &scheme, &rest);
	if (scheme.n == 6 && !strncasecmp(scheme.p, "Bearer", 6))
		return fetch_token(r, rest, err);
	return denied(r, err);
}

/* ---- requests ---- */

/* at: a path below the repository, or the whole address of one that the registry named. */
struct call { const char *method, *at, *header; struct sv body; struct httpc_request *rq; };

/* Writes the address of a call; false: it is another host's, which gets no credentials. */
static bool address(const struct registry *r, const char *at, struct str *url)
{
	AUTO(str) own = { 0 };

	str_addf(&own, "%s://%s/", r->plain ? "http" : "https", str_c(&r->host));
	if (strstr(at, "://"))
		str_addc(url, at);
	else if (*at == '/')
		str_addf(url, "%s%s", str_c(&own), at + 1);
	else
		str_addf(url, "%sv2/%s/%s", str_c(&own), str_c(&r->repository), at);
	return sv_starts(str_sv(url), str_sv(&own));
}

static int send_call(struct registry *r, const struct call *c, struct httpc_response *answer, struct err *err)
{
	const char *headers[3] = { NULL };
	size_t n = 0;
	AUTO(str) url = { 0 };
	bool ours = address(r, c->at, &url);

	if (c->header)
		headers[n++] = c->header;
	if (ours && r->authorization.n)
		headers[n++] = str_c(&r->authorization);
	struct httpc_request *rq = c->rq;
	rq->method = c->method;
	rq->url = str_c(&url);
	rq->headers = headers;
	rq->body = c->body;
	rq->follow = str_eq(c->method, "GET") || str_eq(c->method, "HEAD");
	rq->userpwd = ours && !r->authorization.n && r->user_password.n ? str_c(&r->user_password) : NULL;
	rq->insecure = r->insecure;
	rq->ca_pem = r->ca_pem;
	rq->cert_pem = r->cert_pem;
	rq->key_pem = r->key_pem;
	int result = httpc_do(r->http, rq, answer, err);
	rq->url = NULL;
	rq->headers = NULL;
	return result;
}

/* With the token that the registry asks for, and by http on this machine when there is no https. */
static int request(struct registry *r, const struct call *c, struct httpc_response *answer, struct err *err)
{
	struct err first = { 0 };
	int result = send_call(r, c, answer, &first);

	if (result < 0 && result != -ERR_CANCELED && r->may_fall_back && !r->plain) {
		r->plain = true;
		err_free(&first);
		result = send_call(r, c, answer, &first);
	}
	if (result < 0 && !first.code)
		return result;          /* who gets the data stopped it, and has said why */
	if (result < 0)
		return err_move(err, &first);
	r->may_fall_back = false;
	if (answer->status != 401)
		return 0;
	TRY(authorize(r, answer, err));
	httpc_response_free(answer);
	TRY(send_call(r, c, answer, err));
	return answer->status == 401 ? denied(r, err) : 0;
}

/* What the registry says is wrong, when it says so. */
static void add_reason(const struct httpc_response *answer, struct str *out)
{
	AUTO_DOC d = NULL;

	if (json_read(str_sv(&answer->body), "answer", 0, &d, NULL) < 0)
		return;
	const char *message = node_str_at(doc_root(d), "errors.0.message");
	if (message)
		str_addf(out, ": %s", message);
}

static int check_status(const struct registry *r, const struct httpc_response *answer, const char *what, struct err *err)
{
	AUTO(str) reason = { 0 };

	if (answer->status / 100 == 2)
		return 0;
	if (answer->status == 404)
		return err_set(err, ERR_NOT_FOUND, "registry %s has no %s of %s", str_c(&r->host), what, str_c(&r->repository));
	add_reason(answer, &reason);
	return err_set(err, err_from_http(answer->status, NULL), "registry %s: %s of %s: HTTP %d%s", str_c(&r->host), what,
		       str_c(&r->repository), answer->status, str_c(&reason));
}

/* ---- reading ---- */

int registry_manifest(struct registry *r, const char *reference, const char *accept, struct str *body, struct str *media_type,
		      struct err *err)
{
	AUTO(httpc_response) answer = { 0 };
	AUTO(str) path = { 0 };
	AUTO(str) header = { 0 };
	struct httpc_request rq = { .timeout_ms = DOCUMENT_MS, .max_body = REGISTRY_DOCUMENT_MAX };

	str_addf(&path, "manifests/%s", reference);
	str_addf(&header, "Accept: %s", accept);
	TRY(request(r, &(struct call){ .method = "GET", .at = str_c(&path), .header = str_c(&header), .rq = &rq }, &answer, err));
	str_cut(&path, 0);
	str_addf(&path, "manifest \"%s\"", reference);
	TRY(check_status(r, &answer, str_c(&path), err));
	struct sv type = httpc_header(&answer, "Content-Type"), ignored;
	(void)sv_cut(type, ';', &type, &ignored);
	str_add(media_type, sv_trim(type));
	str_move(body, &answer.body);
	return 0;
}

struct download { int status; int (*fn)(void *arg, struct sv data); void *arg; };

static void on_head(void *arg, int status)
{
	struct download *d = arg;

	d->status = status;
}

static int on_data(void *arg, struct sv data)
{
	struct download *d = arg;

	return d->status == 200 ? d->fn(d->arg, data) : 0;
}

int registry_blob(struct registry *r, const char *digest, int (*fn)(void *arg, struct sv data), void *arg, struct err *err)
{
	struct download d = { .fn = fn, .arg = arg };
	AUTO(httpc_response) answer = { 0 };
	AUTO(str) path = { 0 };
	struct httpc_request rq = { .timeout_ms = BLOB_MS, .on_head = on_head, .on_data = on_data, .arg = &d };

	str_addf(&path, "blobs/%s", digest);
	TRY(request(r, &(struct call){ .method = "GET", .at = str_c(&path), .rq = &rq }, &answer, err));
	return check_status(r, &answer, digest, err);
}

/* ---- tags ---- */

void registry_tags_free(struct registry_tags *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->v[i]);
	vec_free(t);
}

/* `Link: </v2/team/app/tags/list?last=b&n=2>; rel="next"` */
static bool next_page(const struct httpc_response *answer, struct str *at)
{
	struct sv link = httpc_header(answer, "Link"), rest;

	if (!sv_starts(link, SV("<")) || !sv_cut(sv_drop(link, 1), '>', &link, &rest) || !sv_starts(link, SV("/")) ||
	    !memmem(rest.p, rest.n, "next", 4))
		return false;
	str_cut(at, 0);
	str_add(at, link);
	return true;
}

static int read_page(struct registry *r, struct str *at, bool *more, struct registry_tags *out, struct err *err)
{
	struct httpc_request rq = { .timeout_ms = DOCUMENT_MS, .max_body = REGISTRY_DOCUMENT_MAX };
	AUTO(httpc_response) answer = { 0 };
	AUTO_DOC d = NULL;
	const struct node *tag;

	TRY(request(r, &(struct call){ .method = "GET", .at = str_c(at), .rq = &rq }, &answer, err));
	TRY(check_status(r, &answer, "list of tags", err));
	TRY(json_read(str_sv(&answer.body), "list of tags", 0, &d, err));
	node_each(tag, node_get(doc_root(d), "tags"))
		if (node_text(tag))
			vec_push(out, sv_dup(node_sv(tag)));
	*more = next_page(&answer, at);
	return 0;
}

int registry_tags(struct registry *r, struct registry_tags *out, struct err *err)
{
	AUTO(str) at = { 0 };
	bool more = true;

	str_addc(&at, "tags/list?n=1000");
	for (int pages = 0; more && pages < TAG_PAGES_MAX; pages++)
		TRY(read_page(r, &at, &more, out, err));
	return 0;
}

/* ---- pushing ---- */

static int has_blob(struct registry *r, const char *digest, struct err *err)
{
	struct httpc_request rq = { .timeout_ms = DOCUMENT_MS };
	AUTO(httpc_response) answer = { 0 };
	AUTO(str) path = { 0 };

	str_addf(&path, "blobs/%s", digest);
	TRY(request(r, &(struct call){ .method = "HEAD", .at = str_c(&path), .rq = &rq }, &answer, err));
	return answer.status == 200;
}

/* Where the upload goes to: a path of this registry, or an address. */
static int begin_upload(struct registry *r, struct str *location, struct err *err)
{
	struct httpc_request rq = { .timeout_ms = DOCUMENT_MS };
	AUTO(httpc_response) answer = { 0 };

	TRY(request(r, &(struct call){ .method = "POST", .at = "blobs/uploads/", .rq = &rq }, &answer, err));
	TRY(check_status(r, &answer, "upload", err));
	str_add(location, httpc_header(&answer, "Location"));
	if (!location->n)
		return err_set(err, ERR_INVALID, "registry %s: it does not say where an upload goes to", str_c(&r->host));
	return 0;
}

int registry_push_blob(struct registry *r, const char *digest, struct sv bytes, struct err *err)
{
	struct httpc_request rq = { .timeout_ms = BLOB_MS };
	AUTO(httpc_response) answer = { 0 };
	AUTO(str) at = { 0 };
	AUTO(str) value = { 0 };
	int here = has_blob(r, digest, err);

	if (here)
		return here < 0 ? here : 0;
	TRY(begin_upload(r, &at, err));
	str_addc(&value, digest);
	add_encoded(&at, "digest", &value);
	TRY(request(r, &(struct call){ "PUT", str_c(&at), "Content-Type: application/octet-stream", bytes, &rq }, &answer, err));
	return check_status(r, &answer, digest, err);
}

int registry_push_manifest(struct registry *r, const char *reference, const char *media_type, struct sv body, struct err *err)
{
	struct httpc_request rq = { .timeout_ms = DOCUMENT_MS };
	AUTO(httpc_response) answer = { 0 };
	AUTO(str) at = { 0 };
	AUTO(str) header = { 0 };

	str_addf(&at, "manifests/%s", reference);
	str_addf(&header, "Content-Type: %s", media_type);
	TRY(request(r, &(struct call){ "PUT", str_c(&at), str_c(&header), body, &rq }, &answer, err));
	return check_status(r, &answer, reference, err);
}
