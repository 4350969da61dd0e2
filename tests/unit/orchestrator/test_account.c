/* Service accounts: tokens that are made, believed, and no longer believed; what pods and Secrets get. */
#include "check.h"

#include "api-web.h"

#include "base/encode.h"
#include "base/jwt.h"

#define ISSUER "https://kubernetes.default.svc.cluster.local"
#define REVIEWS "/apis/authentication.k8s.io/v1/tokenreviews"
#define TOKENS "/api/v1/namespaces/default/serviceaccounts/app/token"

static struct jwt_key *key;
static struct str key_pem;

static int make_key(void **state)
{
	(void)state;
	key = jwt_key_generate();
	jwt_key_write(key, &key_pem);
	return !key;
}

static int drop_key(void **state)
{
	(void)state;
	jwt_key_free(&key);
	str_free(&key_pem);
	return 0;
}

static void expect(void (*scenario)(struct cluster *), const char *want)
{
	struct cluster c = { .scenario = scenario, .ca = "the CA\n", .keys = str_c(&key_pem) };

	cluster_run(&c);
	char *got = str_take(&c.trace);
	assert_string_equal(got, want);
	free(got);
}

/* ---- steps ---- */

/* The token of an answer to a TokenRequest (heap, "" when there is none, which is noted). */
static char *token(struct web *w, const char *spec)
{
	struct httpc_response r = { 0 };
	char *body = str_fmt("{\"kind\":\"TokenRequest\",\"spec\":%s}", spec), *out;
	AUTO_DOC d = NULL;

	if (call(w, ASK("POST", TOKENS, .body = body), &r) < 0 || json_read(str_sv(&r.body), "answer", 0, &d, NULL) < 0)
		str_addc(&w->c->trace, "no answer ");
	if (r.status != 201)
		str_addf(&w->c->trace, "%d %s\n", r.status, node_str_or(doc_root(d), "message", ""));
	out = sv_dup(sv_c(node_str_or(doc_root(d), "status.token", "")));
	free(body);
	httpc_response_free(&r);
	return out;
}

/* What a TokenReview says of it. */
static void review(struct web *w, const char *text, const char *audiences, const char *const *paths)
{
	char *body = str_fmt("{\"spec\":{\"token\":\"%s\",\"audiences\":%s}}", text, audiences);

	ask_at(w, ASK("POST", REVIEWS, .body = body), paths);
	free(body);
}

static void authenticated(struct web *w, const char *text)
{
	review(w, text, "[]", PATHS("status.authenticated", "status.error"));
}

static void add_account(struct cluster *c) { create(c, "{apiVersion: v1, kind: ServiceAccount, metadata: {name: app, namespace: default}}"); }

static void add_pod(struct cluster *c)
{
	create(c, "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: default}, spec: {serviceAccountName: app, "
		  "terminationGracePeriodSeconds: 0, containers: [{name: c, image: i}]}}");
}

/* ---- tokens ---- */

static void asks(struct cluster *c)
{
	struct web w = web_open(c);

	add_account(c);
	char *plain = token(&w, "{}"), *vault = token(&w, "{\"audiences\":[\"vault\",\"x\"]}");
	review(&w, plain, "[]", PATHS("status.authenticated", "status.user.username", "status.user.groups", "status.audiences"));
	review(&w, vault, "[]", PATHS("status.authenticated", "status.error"));
	review(&w, vault, "[\"y\",\"vault\"]", PATHS("status.authenticated", "status.audiences"));
	review(&w, plain, "[\"vault\"]", PATHS("status.authenticated"));
	review(&w, "plain", "[\"vault\"]", PATHS("status.authenticated"));
	review(&w, "plain", "[]", PATHS("status.authenticated", "status.user.uid"));
	free(token(&w, "{\"expirationSeconds\":599}"));
	free(token(&w, "{\"expirationSeconds\":4294967297}"));
	w.token = plain;
	ask(&w, "GET", "/api/v1/namespaces/default/pods", NULL);
	w.token = vault;
	ask(&w, "GET", "/api/v1/namespaces/default/pods", NULL);
	free(plain);
	free(vault);
	web_close(&w);
}

static void account_token_is_for_its_audiences(void **state)
{
	(void)state;
	expect(asks, "201 true \"system:serviceaccount:default:app\" "
		     "[\"system:serviceaccounts\",\"system:serviceaccounts:default\",\"system:authenticated\"] [\"" ISSUER "\"] "
		     "201 false \"the token is not for this audience\" 201 true [\"vault\"] 201 false 201 false 201 true \"1\" "
		     "422 TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: may not specify a duration "
		     "less than 10 minutes\n"
		     "422 TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: may not specify a duration "
		     "larger than 2^32 seconds\n"
		     "403 401 ");
}

static void binds(struct cluster *c)
{
	struct web w = web_open(c);

	add_account(c);
	add_pod(c);
	create(c, "{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: default}}");
	create(c, "{apiVersion: v1, kind: Pod, metadata: {name: other, namespace: default}, spec: {containers: [{name: c, image: i}]}}");
	char *pod = token(&w, "{\"boundObjectRef\":{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"name\":\"p\"}}");
	char *secret = token(&w, "{\"boundObjectRef\":{\"kind\":\"Secret\",\"apiVersion\":\"v1\",\"name\":\"s\"}}");
	char *account = token(&w, "{}");
	free(token(&w, "{\"boundObjectRef\":{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"name\":\"s\"}}"));
	free(token(&w, "{\"boundObjectRef\":{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"name\":\"none\"}}"));
	free(token(&w, "{\"boundObjectRef\":{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"name\":\"other\"}}"));
	free(token(&w, "{\"boundObjectRef\":{\"kind\":\"Secret\",\"apiVersion\":\"v1\",\"name\":\"s\",\"uid\":\"1\"}}"));
	review(&w, pod, "[]", PATHS("status.authenticated"));
	authenticated(&w, secret);
	del(c, "pods", "default", "p");
	del(c, "secrets", "default", "s");
	add_pod(c);             /* of the same name: not the same pod */
	authenticated(&w, pod);
	authenticated(&w, secret);
	authenticated(&w, account);
	del(c, "serviceaccounts", "default", "app");
	add_account(c);
	authenticated(&w, account);
	free(pod);
	free(secret);
	free(account);
	web_close(&w);
}

static void account_token_dies_with_what_it_is_bound_to(void **state)
{
	(void)state;
	expect(binds, "400 cannot bind token to object of type v1, Kind=ConfigMap\n404 pods \"none\" not found\n"
		      "400 cannot bind token for serviceaccount \"app\" to pod running with different serviceaccount name.\n"
		      "409 the UID in the bound object reference (1) does not match the UID in record. The object might have "
		      "been deleted and then recreated\n"
		      "201 true 201 true - 201 false \"the Pod \\\"p\\\" that the token is bound to is gone\" "
		      "201 false \"the Secret \\\"s\\\" that the token is bound to is gone\" 201 true - "
		      "201 false \"the ServiceAccount \\\"app\\\" that the token is bound to is gone\" ");
}

/* A token with the right key but claims of the test's own: %UID% is the account's. */
static void forge(struct web *w, const struct jwt_key *with, const char *uid, const char *claims)
{
	AUTO(str) text = { 0 }, json = { 0 };
	AUTO_DOC d = NULL;
	const char *at = strstr(claims, "%UID%");

	if (at)
		str_addf(&json, "%.*s%s%s", (int)(at - claims), claims, uid, at + 5);
	else
		str_addc(&json, claims);
	if (json_read(str_sv(&json), "claims", 0, &d, NULL) < 0 || jwt_sign(with, doc_root(d), &text, NULL) < 0)
		str_addc(&w->c->trace, "cannot forge ");
	authenticated(w, str_c(&text));
}

#define ABOUT "\"kubernetes.io\":{\"namespace\":\"default\",\"serviceaccount\":{\"name\":\"app\",\"uid\":\"%UID%\"}}"
#define AUD "\"iss\":\"" ISSUER "\",\"aud\":[\"" ISSUER "\"],"

static void forges(struct cluster *c)
{
	struct web w = web_open(c);
	struct jwt_key *strange = jwt_key_generate();

	add_account(c);
	AUTO_OBJECT account = get_object(c, "serviceaccounts", "default", "app");
	forge(&w, key, account->uid, "{" AUD "\"exp\":99999999999," ABOUT "}");
	str_add1(&c->trace, '\n');
	forge(&w, strange, account->uid, "{" AUD "\"exp\":99999999999," ABOUT "}");
	forge(&w, key, account->uid, "{" AUD "\"exp\":1," ABOUT "}");
	forge(&w, key, account->uid, "{" AUD "\"exp\":99999999999,\"nbf\":99999999998," ABOUT "}");
	forge(&w, key, account->uid, "{" AUD ABOUT "}");
	forge(&w, key, "1", "{" AUD "\"exp\":99999999999," ABOUT "}");
	forge(&w, key, "1", "{" AUD "\"exp\":99999999999}");
	forge(&w, key, account->uid, "{\"iss\":\"https://elsewhere\",\"aud\":[\"" ISSUER "\"],\"exp\":99999999999," ABOUT "}");
	forge(&w, key, account->uid, "{\"iss\":\"" ISSUER "\",\"aud\":[],\"exp\":99999999999," ABOUT "}");
	forge(&w, key, account->uid, "{\"iss\":\"kubernetes/serviceaccount\"," ABOUT "}");
	jwt_key_free(&strange);
	web_close(&w);
}

static void account_claims_are_checked_one_by_one(void **state)
{
	(void)state;
	expect(forges, "201 true - \n"
		       "201 false \"the token is not signed by this server\" 201 false \"the token has expired\" "
		       "201 false \"the token is not valid yet (nbf)\" 201 false \"the token does not say when it expires\" "
		       "201 false \"the ServiceAccount \\\"app\\\" that the token is bound to is gone\" "
		       "201 false \"the ServiceAccount \\\"\\\" that the token is bound to is gone\" "
		       "201 false \"the token is nobody's\" 201 false \"the token is not for this audience\" "
		       "201 false \"the token names no service account\" ");
}

/* An issuer without audiences must not count as a token from before there were any. */
static void no_audience(struct cluster *c)
{
	struct web w = web_open(c);

	add_account(c);
	AUTO_OBJECT account = get_object(c, "serviceaccounts", "default", "app");
	forge(&w, key, account->uid, "{\"iss\":\"" ISSUER "\",\"exp\":99999999999," ABOUT "}");
	web_close(&w);
}

static void account_token_without_audience_is_for_nobody(void **state)
{
	(void)state;
	expect(no_audience, "201 false \"the token is not for this audience\" ");
}

/* ---- Secrets ---- */

static char *secret_token(struct cluster *c)
{
	AUTO_OBJECT o = get_object(c, "secrets", "default", "s");
	AUTO(str) text = { 0 };

	if (o && base64_decode(&text, node_sv(node_at(o->root, "data.token")), NULL) < 0)
		str_addc(&c->trace, "not base64 ");
	return str_take(&text);
}

static void legacy(struct cluster *c)
{
	struct web w = web_open(c);

	add_account(c);
	create(c, "{apiVersion: v1, kind: Secret, metadata: {name: bare, namespace: default}, type: kubernetes.io/service-account-token}");
	create(c, "{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: default, annotations: "
		  "{kubernetes.io/service-account.name: app}}, type: kubernetes.io/service-account-token}");
	get(c, "secrets", "default", "s", "data.namespace");
	char *text = secret_token(c);
	authenticated(&w, text);
	review(&w, text, "[\"vault\"]", PATHS("status.authenticated"));
	update(c, "secrets", "default", "s", "data.token", "\"eA==\"");
	authenticated(&w, text);
	update(c, "secrets", "default", "s", "data.token", "\"\"");
	free(text);
	text = secret_token(c);
	authenticated(&w, text);
	del(c, "serviceaccounts", "default", "app");
	authenticated(&w, text);
	free(text);
	web_close(&w);
}

static void account_secret_holds_a_token_for_as_long_as_it_is_there(void **state)
{
	(void)state;
	expect(legacy, "Invalid: Secret \"bare\" is invalid: metadata.annotations[kubernetes.io/service-account.name]: Required value\n"
		       "\"ZGVmYXVsdA==\" 201 true - 201 false 201 false \"the Secret \\\"s\\\" no longer holds the token\" "
		       "201 true - 201 false \"the service account \\\"app\\\" of the token is gone\" ");
}

/* ---- pods ---- */

static void admits(struct cluster *c)
{
	create(c, "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: default}, spec: {containers: [{name: c, image: i}, "
		  "{name: d, image: i, volumeMounts: [{name: own, mountPath: /var/run/secrets/kubernetes.io/serviceaccount}]}], "
		  "volumes: [{name: own, emptyDir: {}}]}}");
	get(c, "pods", "default", "a", "spec.serviceAccountName");
	get(c, "pods", "default", "a", "spec.containers.0.volumeMounts.0.mountPath");
	get(c, "pods", "default", "a", "spec.containers.1.volumeMounts.1");
	get(c, "pods", "default", "a", "spec.volumes.1.projected");
	get(c, "serviceaccounts", "default", "default", "metadata.name");
	get(c, "configmaps", "default", "kube-root-ca.crt", "data");
	str_add1(&c->trace, '\n');
	create(c, "{apiVersion: v1, kind: Pod, metadata: {name: b, namespace: default}, spec: {automountServiceAccountToken: false, "
		  "containers: [{name: c, image: i}]}}");
	get(c, "pods", "default", "b", "spec.volumes");
	create(c, "{apiVersion: v1, kind: ServiceAccount, metadata: {name: app, namespace: default}, automountServiceAccountToken: "
		  "false, imagePullSecrets: [{name: registry}]}");
	create(c, "{apiVersion: v1, kind: Pod, metadata: {name: d, namespace: default}, spec: {serviceAccountName: app, containers: "
		  "[{name: c, image: i}]}}");
	get(c, "pods", "default", "d", "spec.volumes");
	get(c, "pods", "default", "d", "spec.imagePullSecrets");
	create(c, "{apiVersion: v1, kind: Pod, metadata: {name: e, namespace: default}, spec: {serviceAccountName: none, containers: "
		  "[{name: c, image: i}]}}");
}

static void account_gives_pods_its_token_and_pull_secrets(void **state)
{
	(void)state;
	expect(admits, "\"default\" \"/var/run/secrets/kubernetes.io/serviceaccount\" - {\"defaultMode\":420,\"sources\":"
		       "[{\"serviceAccountToken\":{\"expirationSeconds\":3607,\"path\":\"token\"}},{\"configMap\":{\"items\":[{\"key\":"
		       "\"ca.crt\",\"path\":\"ca.crt\"}],\"name\":\"kube-root-ca.crt\"}},{\"downwardAPI\":{\"items\":[{\"fieldRef\":"
		       "{\"apiVersion\":\"v1\",\"fieldPath\":\"metadata.namespace\"},\"path\":\"namespace\"}]}}]} \"default\" "
		       "{\"ca.crt\":\"the CA\\n\"} \n"
		       "- - [{\"name\":\"registry\"}] Forbidden: pods \"e\" is forbidden: error looking up service account "
		       "default/none: serviceaccount \"none\" not found\n");
}

static void discovers(struct cluster *c)
{
	struct web w = web_open(c);

	add_account(c);
	ask_at(&w, ASK("GET", "/.well-known/openid-configuration"), PATHS("issuer", "jwks_uri", "id_token_signing_alg_values_supported"));
	ask_at(&w, ASK("GET", "/openid/v1/jwks"), PATHS("keys.0.kty", "keys.0.alg", "keys.0.d"));
	char *mine = token(&w, "{}");
	w.token = mine;
	ask(&w, "GET", "/openid/v1/jwks", NULL);
	w.token = "plain";
	ask(&w, "GET", "/openid/v1/jwks", NULL);
	w.token = "";
	ask(&w, "GET", "/openid/v1/jwks", NULL);
	free(mine);
	web_close(&w);
}

static void account_issuer_is_discovered_by_accounts(void **state)
{
	(void)state;
	expect(discovers, "200 \"" ISSUER "\" \"" ISSUER "/openid/v1/jwks\" [\"ES256\"] 200 \"EC\" \"ES256\" - 200 403 403 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(account_token_is_for_its_audiences),
		TEST(account_token_dies_with_what_it_is_bound_to),
		TEST(account_claims_are_checked_one_by_one),
		TEST(account_token_without_audience_is_for_nobody),
		TEST(account_secret_holds_a_token_for_as_long_as_it_is_there),
		TEST(account_gives_pods_its_token_and_pull_secrets),
		TEST(account_issuer_is_discovered_by_accounts),
	};

	return cmocka_run_group_tests(tests, make_key, drop_key);
}
