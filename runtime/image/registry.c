#include "runtime/image/registry.h"
#include "base/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#define MANIFEST_MS 60000
#define BLOB_MS (60 * 60000)
#define ACCEPT "Accept: " TYPE_INDEX ", " TYPE_MANIFEST ", " TYPE_DOCKER_LIST ", " TYPE_DOCKER_MANIFEST

static bool is_loopback(const char *host)
{
	return !strncmp(host, "localhost", 9) || !strncmp(host, "127.", 4) || !strncmp(host, "[::1]", 5);
}

void registry_init(struct registry *r, struct httpc *http, const struct image_name *n, const struct image_pull_opts *o)
{
	const char *registry = n->registry.n ? str_c(&n->registry) : "docker.io";
	bool hub = str_eq(registry, "docker.io");

	*r = (struct registry){ .http = http, .plain = o->plain_http };
	str_addc(&r->host, hub ? "registry-1.docker.io" : registry);
	str_addf(&r->repository, "%s%s", hub && !strchr(str_c(&n->repository), '/') ? "library/" : "",
		 str_c(&n->repository));
	r->may_fall_back = !r->plain && is_loopback(registry);
	if (o->user)
		str_addf(&r->user_password, "%s:%s", o->user, o->password ? o->password : "");
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
	struct httpc_request rq = { .method = "GET", .url = str_c(&url), .timeout_ms = MANIFEST_MS, .follow = true,
				    .userpwd = r->user_password.n ? str_c(&r->user_password) : NULL };
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

static int authorize(struct registry *r, const struct httpc_response *answer, struct err *err)
{
	struct sv challenge = httpc_header(answer, "WWW-Authenticate"), scheme, rest;

	(void)sv_cut(challenge, ' ', &scheme, &rest);
	if (scheme.n == 6 && !strncasecmp(scheme.p, "Bearer", 6) && !r->authorization.n)
		return fetch_token(r, rest, err);
	return err_set(err, ERR_UNAUTHORIZED, "registry %s: access to %s is denied%s", str_c(&r->host),
		       str_c(&r->repository), r->user_password.n ? "" : " (no credentials were given)");
}

/* ---- requests ---- */

static int request(struct registry *r, struct httpc_request *rq, const char *path, struct httpc_response *answer,
		   struct err *err)
{
	const char *headers[] = { ACCEPT, r->authorization.n ? str_c(&r->authorization) : NULL, NULL };
	AUTO(str) url = { 0 };

	str_addf(&url, "%s://%s/v2/%s/%s", r->plain ? "http" : "https", str_c(&r->host), str_c(&r->repository), path);
	rq->method = "GET";
	rq->url = str_c(&url);
	rq->headers = headers;
	rq->follow = true;
	rq->userpwd = !r->authorization.n && r->user_password.n ? str_c(&r->user_password) : NULL;
	return httpc_do(r->http, rq, answer, err);
}

/* With the token that the registry asks for, and by http on this machine when there is no https. */
static int get(struct registry *r, struct httpc_request *rq, const char *path, struct httpc_response *answer,
	       struct err *err)
{
	struct err first = { 0 };
	int result = request(r, rq, path, answer, &first);

	if (result < 0 && result != -ERR_CANCELED && r->may_fall_back) {
		r->plain = true;
		err_free(&first);
		result = request(r, rq, path, answer, &first);
	}
	if (result < 0)
		return err_move(err, &first);
	r->may_fall_back = false;
	if (answer->status != 401)
		return 0;
	TRY(authorize(r, answer, err));
	httpc_response_free(answer);
	*answer = (struct httpc_response){ 0 };
	TRY(request(r, rq, path, answer, err));
	return answer->status == 401 ? authorize(r, answer, err) : 0;
}

static int check_status(const struct registry *r, int status, const char *what, struct err *err)
{
	if (status == 200)
		return 0;
	if (status == 404)
		return err_set(err, ERR_NOT_FOUND, "registry %s has no %s of %s", str_c(&r->host), what,
			       str_c(&r->repository));
	return err_set(err, err_from_http(status, NULL), "registry %s: %s of %s: HTTP %d", str_c(&r->host), what,
		       str_c(&r->repository), status);
}

int registry_manifest(struct registry *r, const char *reference, struct str *body, struct str *media_type,
		      struct err *err)
{
	AUTO(httpc_response) answer = { 0 };
	AUTO(str) path = { 0 };
	struct httpc_request rq = { .timeout_ms = MANIFEST_MS, .max_body = MANIFEST_MAX };

	str_addf(&path, "manifests/%s", reference);
	TRY(get(r, &rq, str_c(&path), &answer, err));
	str_cut(&path, 0);
	str_addf(&path, "manifest \"%s\"", reference);
	TRY(check_status(r, answer.status, str_c(&path), err));
	struct sv type = httpc_header(&answer, "Content-Type"), ignored;
	(void)sv_cut(type, ';', &type, &ignored);
	str_add(media_type, sv_trim(type));
	str_move(body, &answer.body);
	return 0;
}

struct download { struct blob_writer writer; int status; int64_t size; struct err err; };

static void on_head(void *arg, int status)
{
	struct download *d = arg;

	d->status = status;
}

static int on_data(void *arg, struct sv data)
{
	struct download *d = arg;

	if (d->status != 200)
		return 0;
	if (d->writer.hash.bytes + (int64_t)data.n > d->size)
		return err_set(&d->err, ERR_TOO_LARGE, "more than the %" PRId64 " bytes of its descriptor", d->size);
	return blob_write(&d->writer, data, &d->err);
}

static int download(struct registry *r, const char *dir, const char *digest, int64_t size, struct err *err)
{
	struct download d = { .size = size, .writer = { .fd = -1 } };
	AUTO(httpc_response) answer = { 0 };
	AUTO(str) path = { 0 };
	struct httpc_request rq = { .timeout_ms = BLOB_MS, .on_head = on_head, .on_data = on_data, .arg = &d };

	str_addf(&path, "blobs/%s", digest);
	int result = blob_create(&d.writer, dir, err);
	if (result >= 0)
		result = get(r, &rq, str_c(&path), &answer, err);
	if (d.err.code)
		result = err_move(err, &d.err);
	if (result >= 0)
		result = check_status(r, answer.status, digest, err);
	if (result >= 0)
		result = blob_commit(&d.writer, digest, NULL, err);
	blob_writer_free(&d.writer);
	return result;
}

int registry_blob(struct registry *r, const char *dir, const char *digest, int64_t size, struct err *err)
{
	return err_wrap(err, download(r, dir, digest, size, err), "blob %s", digest);
}
