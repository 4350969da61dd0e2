#include "orchestrator/api/account-internal.h"
#include "orchestrator/api/auth-internal.h"

#include "base/encode.h"
#include "base/json.h"

#include <inttypes.h>
#include <stdlib.h>

enum { SECONDS_MIN = 600, SECONDS_DEFAULT = 3600, VERIFIED_MAX = 4096, GONE_LEEWAY_MS = 60000 };

#define SECONDS_MAX ((int64_t)1 << 32)
#define ACCOUNT_NAME_CLAIM "kubernetes.io/serviceaccount/service-account.name"
#define ACCOUNT_UID_CLAIM "kubernetes.io/serviceaccount/service-account.uid"
#define LEGACY_ISSUER "kubernetes/serviceaccount"       /* of tokens in Secrets, since Kubernetes 1.0 */

/* ---- keys ---- */

static int read_keys(struct accounts *s, struct sv pem, struct err *err)
{
	static const char begin[] = "-----BEGIN ";
	const char *at = pem.n ? memmem(pem.p, pem.n, begin, sizeof begin - 1) : NULL;

	while (at) {
		size_t left = (size_t)(pem.p + pem.n - at);
		const char *next = memmem(at + 1, left - 1, begin, sizeof begin - 1);
		struct jwt_key *k = jwt_key_pem((struct sv){ at, next ? (size_t)(next - at) : left }, err);

		if (!k)
			return err_wrap(err, -(int)(err ? err->code : ERR_INVALID), "keys of service accounts");
		vec_push(&s->keys, k);
		at = next;
	}
	return 0;
}

int accounts_open(struct api *a, const struct api_opts *o, struct err *err)
{
	struct accounts *s = &a->accounts;

	s->issuer = sv_dup(sv_c(o->issuer ? o->issuer : "https://kubernetes.default.svc.cluster.local"));
	s->ca = sv_dup(o->ca);
	TRY(read_keys(s, o->account_keys, err));
	if (!s->keys.n)
		vec_push(&s->keys, jwt_key_generate());
	return s->keys.v[0] ? 0 : err_set(err, ERR_IO, "no key for tokens of service accounts can be made");
}

void accounts_close(struct accounts *s)
{
	for (size_t i = 0; i < s->keys.n; i++)
		jwt_key_free(&s->keys.v[i]);
	vec_free(&s->keys);
	map_free(&s->verified);
	free(s->issuer);
	free(s->ca);
}

/* ---- what tokens refer to ---- */

static const struct object *object_named(struct api *a, const char *kind, const char *ns, const char *name)
{
	const struct kind *k = kinds_find(a->kinds, "v1", kind);
	struct item *i = k ? resource_find(cache_resource(&a->cache, k), ns, name) : NULL;

	return i ? item_object(i) : NULL;
}

/* Deleted a minute ago and still there: nobody is to work with its name any more. */
static bool is_gone(const struct object *o)
{
	int64_t ms;

	return time_parse(node_str_or(o->root, "metadata.deletionTimestamp", ""), &ms) && ms + GONE_LEEWAY_MS < clock_ms();
}

static int check_alive(struct api *a, const char *kind, const char *ns, const struct node *claim, struct err *err)
{
	const char *name = node_str_or(claim, "name", ""), *uid = node_str_or(claim, "uid", "");
	const struct object *o = object_named(a, kind, ns, name);

	if (!o || !str_eq(o->uid, uid) || is_gone(o))
		return err_set(err, ERR_UNAUTHORIZED, "the %s \"%s\" that the token is bound to is gone", kind, name);
	return 0;
}

/* ---- who holds one ---- */

/* Signatures that were seen to be right are not computed again: a client shows the same token with every request. */
static bool is_signed(struct accounts *s, const struct jwt *t)
{
	char digest[32];
	struct sv key = { digest, sizeof digest };

	sha256((unsigned char *)digest, t->token);
	if (map_get(&s->verified, key))
		return true;
	for (size_t i = 0; i < s->keys.n; i++) {
		if ((*t->kid && !str_eq(t->kid, jwt_key_id(s->keys.v[i]))) || !jwt_verify(t, s->keys.v[i]))
			continue;
		if (s->verified.n >= VERIFIED_MAX) {
			map_free(&s->verified);
			s->verified = (struct map){ 0 };
		}
		(void)map_put(&s->verified, key, s);
		return true;
	}
	return false;
}

bool account_is_legacy(const struct jwt *t) { return str_eq(node_str_at(doc_root(t->claims), "iss"), LEGACY_ISSUER); }

bool account_issued(const struct api *a, const struct jwt *t)
{
	return account_is_legacy(t) || str_eq(node_str_at(doc_root(t->claims), "iss"), a->accounts.issuer);
}

static void add_extra(struct login *l, const char *key, const char *fmt, const char *value)
{
	if (!l->extra) {
		l->extra = doc_new();
		doc_set_root(l->extra, node_map(l->extra));
	}
	struct node *list = node_seq(l->extra);
	node_add(l->extra, list, node_strf(l->extra, fmt, value));
	node_set(l->extra, doc_root(l->extra), key, list);
}

static void note_bound(struct login *l, const struct node *about, const struct node *claims)
{
	static const struct { const char *claim, *key; } notes[] = {
		{ "pod.name", "authentication.kubernetes.io/pod-name" }, { "pod.uid", "authentication.kubernetes.io/pod-uid" },
		{ "node.name", "authentication.kubernetes.io/node-name" },
		{ "node.uid", "authentication.kubernetes.io/node-uid" },
	};
	const char *id = node_str_at(claims, "jti"), *value;

	if (id)
		add_extra(l, "authentication.kubernetes.io/credential-id", "JTI=%s", id);
	for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
		if ((value = node_str_at(about, notes[i].claim)))
			add_extra(l, notes[i].key, "%s", value);
}

static void become_account(struct login *l, const char *ns, const char *name, const char *uid)
{
	str_addf(&l->user, "system:serviceaccount:%s:%s", ns, name);
	str_set(&l->uid, uid);
	login_finish(l);
}

/* A token out of a Secret: it does not expire, and holds for as long as the Secret has it. */
static int legacy_login(struct api *a, const struct jwt *t, struct login *out, struct err *err)
{
	const struct node *claims = doc_root(t->claims);
	const char *ns = node_text(node_get(claims, "kubernetes.io/serviceaccount/namespace")),
		   *secret = node_text(node_get(claims, "kubernetes.io/serviceaccount/secret.name")),
		   *name = node_text(node_get(claims, ACCOUNT_NAME_CLAIM)), *uid = node_text(node_get(claims, ACCOUNT_UID_CLAIM));
	const struct object *account, *holder;
	AUTO(str) token = { 0 };

	if (!ns || !secret || !name || !uid)
		return err_set(err, ERR_UNAUTHORIZED, "the token names no service account");
	account = object_named(a, "ServiceAccount", ns, name);
	if (!account || !str_eq(account->uid, uid) || is_gone(account))
		return err_set(err, ERR_UNAUTHORIZED, "the service account \"%s\" of the token is gone", name);
	holder = object_named(a, "Secret", ns, secret);
	if (!holder || is_gone(holder) || base64_decode(&token, node_sv(node_at(holder->root, "data.token")), NULL) < 0 ||
	    !secure_eq(str_sv(&token), t->token))
		return err_set(err, ERR_UNAUTHORIZED, "the Secret \"%s\" no longer holds the token", secret);
	become_account(out, ns, name, uid);
	return 0;
}

static int bound_login(struct api *a, const struct jwt *t, struct login *out, struct err *err)
{
	static const struct { const char *claim, *kind; } bound[] = { { "pod", "Pod" }, { "secret", "Secret" } };
	const struct node *claims = doc_root(t->claims), *about = node_get(claims, "kubernetes.io"), *claim;
	const char *ns = node_str_or(about, "namespace", "");

	TRY(jwt_check_time(claims, clock_ms(), 0, err));
	TRY(check_alive(a, "ServiceAccount", ns, node_get(about, "serviceaccount"), err));
	for (size_t i = 0; i < sizeof bound / sizeof *bound; i++)
		if ((claim = node_get(about, bound[i].claim)))
			TRY(check_alive(a, bound[i].kind, ns, claim, err));
	become_account(out, ns, node_str_or(about, "serviceaccount.name", ""), node_str_or(about, "serviceaccount.uid", ""));
	note_bound(out, about, claims);
	out->caller.extra = doc_root(out->extra);
	return 0;
}

int account_login(struct api *a, const struct jwt *t, struct login *out, struct err *err)
{
	if (!is_signed(&a->accounts, t))
		return err_set(err, ERR_UNAUTHORIZED, "the token is not signed by this server");
	return account_is_legacy(t) ? legacy_login(a, t, out, err) : bound_login(a, t, out, err);
}

/* ---- TokenRequest ---- */

static int invalid_request(struct err *err, const char *field, const char *why)
{
	int r = err_set(err, ERR_INVALID, "TokenRequest.authentication.k8s.io \"\" is invalid: %s: %s", field, why);

	err_cause(err, field, "FieldValueInvalid", "%s", why);
	return r;
}

static int lifetime_of(const struct node *spec, int64_t *seconds, struct err *err)
{
	*seconds = node_int_at(spec, "expirationSeconds", SECONDS_DEFAULT);
	if (*seconds < SECONDS_MIN)
		return invalid_request(err, "spec.expirationSeconds", "may not specify a duration less than 10 minutes");
	if (*seconds > SECONDS_MAX)
		return invalid_request(err, "spec.expirationSeconds", "may not specify a duration larger than 2^32 seconds");
	return 0;
}

static struct node *reference(struct doc *d, const struct object *o)
{
	struct node *n = node_map(d);

	node_set(d, n, "name", node_str(d, o->name));
	node_set(d, n, "uid", node_str(d, o->uid));
	return n;
}

static void add_node(struct api *a, struct doc *d, struct node *about, const struct object *pod)
{
	const char *name = node_str_or(pod->root, "spec.nodeName", "");
	const struct object *node = *name ? object_named(a, "Node", "", name) : NULL;

	if (node)
		node_set(d, about, "node", reference(d, node));
}

/* What the token dies with. */
static int bind_to(const struct request *rq, const struct node *ref, struct doc *d, struct node *about, struct err *err)
{
	const char *kind = node_str_or(ref, "kind", ""), *version = node_str_or(ref, "apiVersion", ""),
		   *name = node_str_or(ref, "name", ""), *uid = node_str_or(ref, "uid", "");
	bool pod = str_eq(kind, "Pod");

	if (!str_eq(version, "v1") || (!pod && !str_eq(kind, "Secret")))
		return err_set(err, ERR_BAD_REQUEST, "cannot bind token to object of type %s, Kind=%s", version, kind);
	const struct object *o = object_named(rq->api, kind, rq->ns, name);
	if (!o)
		return not_found(kinds_find(rq->api->kinds, "v1", kind), name, err);
	if (*uid && !str_eq(uid, o->uid))
		return err_set(err, ERR_CONFLICT, "the UID in the bound object reference (%s) does not match the UID in record. "
			       "The object might have been deleted and then recreated", uid);
	if (pod && !str_eq(node_str_or(o->root, "spec.serviceAccountName", ""), rq->name))
		return err_set(err, ERR_BAD_REQUEST, "cannot bind token for serviceaccount \"%s\" to pod running with different "
			       "serviceaccount name.", rq->name);
	node_set(d, about, pod ? "pod" : "secret", reference(d, o));
	if (pod)
		add_node(rq->api, d, about, o);
	return 0;
}

static struct node *audiences_of(const struct request *rq, const struct node *spec, struct doc *d)
{
	const struct node *asked = node_get(spec, "audiences");
	struct node *list;

	if (node_n(asked))
		return node_copy(d, asked);
	list = node_seq(d);
	node_add(d, list, node_str(d, rq->api->accounts.issuer));
	return list;
}

static int sign(struct api *a, const struct node *claims, struct str *out, struct err *err)
{
	return jwt_sign(a->accounts.keys.v[0], claims, out, err);
}

static int make_token(const struct request *rq, const struct object *account, const struct node *spec, struct doc *d,
		      int64_t now_s, int64_t seconds, struct str *out, struct err *err)
{
	struct node *claims = node_map(d), *about = node_map(d);
	const struct node *ref = node_get(spec, "boundObjectRef");

	node_set(d, claims, "aud", audiences_of(rq, spec, d));
	node_set(d, claims, "exp", node_int(d, now_s + seconds));
	node_set(d, claims, "iat", node_int(d, now_s));
	node_set(d, claims, "iss", node_str(d, rq->api->accounts.issuer));
	node_set(d, claims, "jti", random_uid(d));
	node_set(d, claims, "kubernetes.io", about);
	node_set(d, about, "namespace", node_str(d, rq->ns));
	if (node_is(ref, NODE_MAP))
		TRY(bind_to(rq, ref, d, about, err));
	node_set(d, about, "serviceaccount", reference(d, account));
	node_set(d, claims, "nbf", node_int(d, now_s));
	node_set(d, claims, "sub", node_strf(d, "system:serviceaccount:%s:%s", rq->ns, rq->name));
	return sign(rq->api, claims, out, err);
}

static struct item *answer_item(const struct request *rq, const struct node *answer)
{
	AUTO(str) json = { 0 };

	json_write(&json, answer, 0);
	return item_new(request_resource(rq), rq->ns, rq->name, 0, str_sv(&json));
}

int account_token(const struct request *rq, const struct node *obj, struct item **out, struct err *err)
{
	const struct object *account = object_named(rq->api, "ServiceAccount", rq->ns, rq->name);
	const struct node *asked = node_get(obj, "spec"), *ref = node_get(asked, "boundObjectRef");
	AUTO_DOC d = doc_new();
	AUTO(str) token = { 0 };
	int64_t seconds, now_s = clock_ms() / 1000;
	char text[32];

	if (!account)
		return not_found(rq->kind, rq->name, err);
	TRY(lifetime_of(asked, &seconds, err));
	TRY(make_token(rq, account, asked, d, now_s, seconds, &token, err));
	struct node *root = node_map(d), *meta = node_map(d), *spec = node_map(d);
	node_set(d, root, "kind", node_str(d, "TokenRequest"));
	node_set(d, root, "apiVersion", node_str(d, "authentication.k8s.io/v1"));
	node_set(d, root, "metadata", meta);
	node_set(d, meta, "name", node_str(d, rq->name));
	node_set(d, meta, "namespace", node_str(d, rq->ns));
	time_format(now_s * 1000, text);
	node_set(d, meta, "creationTimestamp", node_str(d, text));
	node_set(d, root, "spec", spec);
	node_set(d, spec, "audiences", audiences_of(rq, asked, d));
	node_set(d, spec, "expirationSeconds", node_int(d, seconds));
	node_set(d, spec, "boundObjectRef", ref ? node_copy(d, ref) : node_null(d));
	node_put(d, root, "status.token", node_strn(d, str_sv(&token)));
	time_format((now_s + seconds) * 1000, text);
	node_put(d, root, "status.expirationTimestamp", node_str(d, text));
	if (out)
		*out = answer_item(rq, root);
	return 0;
}

/* ---- tokens in Secrets ---- */

static int legacy_token(const struct request *rq, const struct object *account, const struct node *secret, struct str *out,
			struct err *err)
{
	AUTO_DOC d = doc_new();
	struct node *claims = node_map(d);

	node_set(d, claims, "iss", node_str(d, LEGACY_ISSUER));
	node_set(d, claims, "kubernetes.io/serviceaccount/namespace", node_str(d, rq->ns));
	node_set(d, claims, "kubernetes.io/serviceaccount/secret.name", node_str(d, node_str_at(secret, "metadata.name")));
	node_set(d, claims, ACCOUNT_NAME_CLAIM, node_str(d, account->name));
	node_set(d, claims, ACCOUNT_UID_CLAIM, node_str(d, account->uid));
	node_set(d, claims, "sub", node_strf(d, "system:serviceaccount:%s:%s", rq->ns, account->name));
	return sign(rq->api, claims, out, err);
}

static void set_data(struct doc *d, struct node *root, const char *key, struct sv value)
{
	AUTO(str) text = { 0 };

	base64_encode(&text, value);
	node_set(d, node_map_at(d, root, "data"), key, node_strn(d, str_sv(&text)));
}

int account_secret(const struct request *rq, struct doc *d, struct node *root, struct err *err)
{
	const char *name = meta_annotation(root, ACCOUNT_NAME);
	const struct object *account;
	AUTO(str) token = { 0 };

	if (!name || !*name)
		return invalid_field(rq, node_str_or(root, "metadata.name", ""), "metadata.annotations[" ACCOUNT_NAME "]", err,
				     "Required value");
	account = object_named(rq->api, "ServiceAccount", rq->ns, name);
	const char *uid = meta_annotation(root, ACCOUNT_UID);
	if (!account || (uid && !str_eq(uid, account->uid)))
		return 0;       /* a controller removes it, or has it written again once the account is there */
	meta_set_annotation(d, root, ACCOUNT_UID, account->uid);
	if (!node_sv(node_at(root, "data.token")).n) {
		TRY(legacy_token(rq, account, root, &token, err));
		set_data(d, root, "token", str_sv(&token));
	}
	if (*rq->api->accounts.ca)
		set_data(d, root, "ca.crt", sv_c(rq->api->accounts.ca));
	set_data(d, root, "namespace", sv_c(rq->ns));
	return 0;
}
