#include "orchestrator/api/oidc-internal.h"

#include "base/httpc.h"
#include "base/json.h"
#include "base/log.h"
#include "orchestrator/api/auth-internal.h"

#include <stdlib.h>

enum { REFRESH_MS = 10000, FETCH_MS = 10000, DOCUMENT_MAX = 1 << 20, KEYS_MAX = 256 };

struct oidc {
	struct loop *loop;
	struct httpc *http;
	char *issuer, *client_id, *username_claim, *username_prefix, *groups_claim, *groups_prefix, *algs;
	struct str ca;
	VEC(char *) required;           /* "claim=value" */
	VEC(struct jwt_key *) keys;
	int64_t fetched_ms;             /* loop time of the last try; 0: none */
	bool fetching;
	struct fiber_cond fetched;
};

/* ---- options ---- */

static char *or_default(const char *text, const char *def) { return sv_dup(sv_c(text ? text : def)); }

/* Names of one provider are not to be taken for those of another, or of certificates: the issuer stands before them. Only
 * mail addresses are unique by themselves. */
static char *username_prefix(const struct oidc_opts *o, const char *claim)
{
	if (o->username_prefix)
		return sv_dup(sv_c(str_eq(o->username_prefix, "-") ? "" : o->username_prefix));
	return str_eq(claim, "email") ? sv_dup(SV("")) : str_fmt("%s#", o->issuer);
}

static int check_options(const struct oidc_opts *o, struct err *err)
{
	if (!sv_starts(sv_c(o->issuer), SV("https://")))
		return err_set(err, ERR_BAD_REQUEST, "--oidc-issuer-url '%s': want a URL that begins with https://", o->issuer);
	if (!o->client_id || !*o->client_id)
		return err_set(err, ERR_BAD_REQUEST, "--oidc-issuer-url needs --oidc-client-id: whom its tokens are for");
	for (size_t i = 0; i < o->n_required; i++)
		if (!strchr(o->required[i], '='))
			return err_set(err, ERR_BAD_REQUEST, "--oidc-required-claim '%s': want CLAIM=VALUE", o->required[i]);
	return 0;
}

struct oidc *oidc_new(struct loop *l, const struct oidc_opts *o, struct err *err)
{
	struct oidc *x;

	if (check_options(o, err) < 0)
		return NULL;
	if (!(x = calloc(1, sizeof *x)))
		abort();
	x->loop = l;
	x->http = httpc_new(l);
	x->issuer = sv_dup(sv_c(o->issuer));
	x->client_id = sv_dup(sv_c(o->client_id));
	x->username_claim = or_default(o->username_claim, "sub");
	x->username_prefix = username_prefix(o, x->username_claim);
	x->groups_claim = or_default(o->groups_claim, "");
	x->groups_prefix = or_default(o->groups_prefix, "");
	x->algs = or_default(o->signing_algs, "RS256");
	str_add(&x->ca, o->ca);
	for (size_t i = 0; i < o->n_required; i++)
		vec_push(&x->required, sv_dup(sv_c(o->required[i])));
	return x;
}

static void drop_keys(struct oidc *o)
{
	for (size_t i = 0; i < o->keys.n; i++)
		jwt_key_free(&o->keys.v[i]);
	vec_free(&o->keys);
}

void oidc_free(struct oidc **op)
{
	struct oidc *o = TAKE(*op);

	if (!o)
		return;
	httpc_free(&o->http);
	drop_keys(o);
	for (size_t i = 0; i < o->required.n; i++)
		free(o->required.v[i]);
	vec_free(&o->required);
	str_free(&o->ca);
	free(o->issuer);
	free(o->client_id);
	free(o->username_claim);
	free(o->username_prefix);
	free(o->groups_claim);
	free(o->groups_prefix);
	free(o->algs);
	free(o);
}

/* ---- keys ---- */

static int fetch_document(struct oidc *o, const char *url, struct doc **out, struct err *err)
{
	AUTO(httpc_response) answer = { 0 };
	struct httpc_request rq = { .method = "GET", .url = url, .ca_pem = str_sv(&o->ca), .timeout_ms = FETCH_MS,
				    .max_body = DOCUMENT_MAX };

	TRY(httpc_do(o->http, &rq, &answer, err));
	if (answer.status != 200)
		return err_set(err, ERR_UNAVAILABLE, "%s answered %d", url, answer.status);
	return err_wrap(err, json_read(str_sv(&answer.body), "answer", 0, out, err), "%s", url);
}

/* Where the keys are, says the issuer's own document, which must be the issuer's. */
static int find_keys(struct oidc *o, struct str *url, struct err *err)
{
	struct sv issuer = sv_c(o->issuer);
	AUTO(str) at = { 0 };
	AUTO_DOC d = NULL;

	issuer.n -= sv_ends(issuer, SV("/"));
	str_addf(&at, SV_FMT "/.well-known/openid-configuration", SV_ARG(issuer));
	TRY(fetch_document(o, str_c(&at), &d, err));
	if (!str_eq(node_str_at(doc_root(d), "issuer"), o->issuer))
		return err_set(err, ERR_UNAVAILABLE, "%s is of issuer '%s'", str_c(&at), node_str_or(doc_root(d), "issuer", ""));
	str_addc(url, node_str_or(doc_root(d), "jwks_uri", ""));
	return sv_starts(str_sv(url), SV("https://")) ? 0 :
		err_set(err, ERR_UNAVAILABLE, "%s: jwks_uri '%s' is no https:// URL", str_c(&at), str_c(url));
}

/* Keys that are of no use here (for encryption, of other kinds) are passed over. */
static int fetch_keys(struct oidc *o, struct err *err)
{
	AUTO(str) url = { 0 };
	AUTO_DOC d = NULL;
	const struct node *list, *it;

	TRY(find_keys(o, &url, err));
	TRY(fetch_document(o, str_c(&url), &d, err));
	list = node_get(doc_root(d), "keys");
	if (node_n(list) > KEYS_MAX)
		return err_set(err, ERR_UNAVAILABLE, "%s holds more than %d keys", str_c(&url), KEYS_MAX);
	drop_keys(o);
	node_each(it, list) {
		struct jwt_key *k = jwt_key_jwk(it, NULL);

		if (k)
			vec_push(&o->keys, k);
	}
	return 0;
}

/* One fetches, the others wait for it. */
static int refresh(struct oidc *o, struct err *err)
{
	int r = 0;

	if (o->fetching) {
		while (o->fetching && r >= 0)
			r = fiber_wait(&o->fetched);
		return r < 0 ? err_set(err, ERR_CANCELED, "canceled while the provider's keys were fetched") : 0;
	}
	if (o->fetched_ms && loop_now_ms(o->loop) - o->fetched_ms < REFRESH_MS)
		return 0;
	o->fetching = true;
	r = fetch_keys(o, err);
	o->fetched_ms = loop_now_ms(o->loop);
	o->fetching = false;
	fiber_signal_all(&o->fetched);
	if (r < 0 && err)
		log_event(LOG_WARN, "keys of the OpenID Connect provider not read", "issuer", o->issuer, "err", err_msg(err), NULL);
	return r;
}

static bool verified(const struct oidc *o, const struct jwt *t)
{
	for (size_t i = 0; i < o->keys.n; i++)
		if ((!*t->kid || str_eq(t->kid, jwt_key_id(o->keys.v[i]))) && jwt_verify(t, o->keys.v[i]))
			return true;
	return false;
}

static bool alg_allowed(const struct oidc *o, const char *alg)
{
	struct sv rest = sv_c(o->algs), one;

	for (bool more = *alg; more;) {
		more = sv_cut(rest, ',', &one, &rest);
		if (sv_eq_c(sv_trim(one), alg))
			return true;
	}
	return false;
}

static int check_signature(struct oidc *o, const struct jwt *t, struct err *err)
{
	if (!alg_allowed(o, t->alg))
		return err_set(err, ERR_UNAUTHORIZED, "the token is signed by '%s', and only %s is allowed", t->alg, o->algs);
	if (verified(o, t))
		return 0;
	TRY(refresh(o, err));
	return verified(o, t) ? 0 : err_set(err, ERR_UNAUTHORIZED, "the token is not signed by a key of its issuer");
}

/* ---- claims ---- */

static int check_required(const struct oidc *o, const struct node *claims, struct err *err)
{
	for (size_t i = 0; i < o->required.n; i++) {
		struct sv name, value;

		(void)sv_cut(sv_c(o->required.v[i]), '=', &name, &value);
		const struct node *is = node_getn(claims, name);
		if (!node_text(is) || !sv_eq(value, node_sv(is)))
			return err_set(err, ERR_UNAUTHORIZED, "claim \"" SV_FMT "\" is not \"" SV_FMT "\"", SV_ARG(name), SV_ARG(value));
	}
	return 0;
}

/* Names that begin with "system:" are the cluster's own: no provider gives them away. */
static bool is_reserved(struct sv name) { return sv_starts(name, SV("system:")); }

static int read_user(const struct oidc *o, const struct node *claims, struct login *out, struct err *err)
{
	const char *name = node_text(node_get(claims, o->username_claim));
	const struct node *known = node_get(claims, "email_verified");

	if (!name || !*name)
		return err_set(err, ERR_UNAUTHORIZED, "the token has no claim \"%s\"", o->username_claim);
	if (str_eq(o->username_claim, "email") && known && !node_bool_at(claims, "email_verified", false))
		return err_set(err, ERR_UNAUTHORIZED, "the address \"%s\" is not verified", name);
	str_addf(&out->user, "%s%s", o->username_prefix, name);
	if (is_reserved(str_sv(&out->user)))
		return err_set(err, ERR_UNAUTHORIZED, "the name \"%s\" is reserved", str_c(&out->user));
	return 0;
}

static void add_group(const struct oidc *o, const struct node *n, struct login *out)
{
	AUTO(str) name = { 0 };

	if (!node_text(n))
		return;
	str_addf(&name, "%s%s", o->groups_prefix, node_text(n));
	if (!is_reserved(str_sv(&name)))
		login_add_group(out, str_sv(&name));
}

static void read_groups(const struct oidc *o, const struct node *claims, struct login *out)
{
	const struct node *list = *o->groups_claim ? node_get(claims, o->groups_claim) : NULL, *it;

	add_group(o, list, out);        /* one alone may stand for a list */
	node_each(it, list)
		add_group(o, it, out);
}

bool oidc_issued(const struct oidc *o, const struct jwt *t)
{
	return o && str_eq(node_str_at(doc_root(t->claims), "iss"), o->issuer);
}

int oidc_login(struct oidc *o, const struct jwt *t, struct login *out, struct err *err)
{
	const struct node *claims = doc_root(t->claims);

	TRY(jwt_check_time(claims, clock_ms(), 0, err));
	if (!jwt_is_for(claims, o->client_id))
		return err_set(err, ERR_UNAUTHORIZED, "the token is not for \"%s\"", o->client_id);
	TRY(check_signature(o, t, err));
	TRY(check_required(o, claims, err));
	TRY(read_user(o, claims, out, err));
	read_groups(o, claims, out);
	login_finish(out);
	return 0;
}
