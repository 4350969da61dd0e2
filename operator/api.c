/* operator/api.c - who may talk to the operator's own addresses, and what they are told about applications. */
#include "base/encode.h"
#include "operator/app/managed.h"
#include "operator/operator-internal.h"

static bool is_token(const struct operator *op, struct sv text)
{
	return op->token.n && secure_eq(text, str_sv(&op->token));
}

/* "Basic dXNlcjpwYXNz", with the token as the password; or "Bearer TOKEN". */
static bool by_header(const struct operator *op, struct sv header, struct str *user)
{
	AUTO(str) plain = { 0 };
	struct sv scheme, rest, name, password;

	if (!sv_cut(header, ' ', &scheme, &rest))
		return false;
	if (scheme.n == 6 && !strncasecmp(scheme.p, "bearer", 6) && is_token(op, sv_trim(rest))) {
		str_addc(user, "admin");
		return true;
	}
	if (scheme.n != 5 || strncasecmp(scheme.p, "basic", 5) || base64_decode(&plain, sv_trim(rest), NULL) < 0)
		return false;
	if (!sv_cut(str_sv(&plain), ':', &name, &password) || !is_token(op, password))
		return false;
	str_addc(user, "admin");
	return true;
}

bool operator_authenticate(const struct operator *op, struct http_request *rq, struct str *user)
{
	const struct tls_peer *peer = http_peer(rq);

	if (peer && peer->name && *peer->name) {
		str_addc(user, peer->name);
		return true;
	}
	return by_header(op, http_header(rq, "authorization"), user);
}

/* ---- /api/v1/applications/NAME/managed-resources ---- */

static void reply_error(struct http_request *rq, const struct err *err)
{
	AUTO(str) text = { 0 };

	str_addf(&text, "%s\n", err_msg(err));
	http_reply(rq, err_http(err->code), "text/plain; charset=utf-8", str_sv(&text));
}

void operator_api(struct http_request *rq, void *arg)
{
	static const struct sv prefix = SV("/api/v1/applications/"), tail = SV("/managed-resources");
	struct operator *op = arg;
	struct sv path = sv_drop(sv_c(http_path(rq)), prefix.n);
	AUTO(str) user = { 0 };
	AUTO(str) name = { 0 };
	AUTO(str) ns = { 0 };
	AUTO(str) json = { 0 };
	AUTO(err) err = { 0 };

	if (!operator_authenticate(op, rq, &user)) {
		(void)err_set(&err, ERR_UNAUTHORIZED, "a client certificate or the server's token is needed");
	} else if (!str_eq(http_method(rq), "GET") || !sv_ends(path, tail) || path.n == tail.n) {
		(void)err_set(&err, ERR_NOT_FOUND, "there is only GET /api/v1/applications/NAME/managed-resources");
	} else {
		str_add(&name, (struct sv){ path.p, path.n - tail.n });
		(void)http_query_get(http_query(rq), "appNamespace", &ns);
		(void)!apps_managed_resources(op->apps, str_c(&ns), str_c(&name), &json, &err);
	}
	if (err.code)
		reply_error(rq, &err);
	else
		http_reply(rq, 200, "application/json", str_sv(&json));
}
