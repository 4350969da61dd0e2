/* Who somebody is: bootstrap tokens, acting for others, and nobody. */
#include "check.h"

#include "api-web.h"

#define WHO "/apis/authentication.k8s.io/v1/selfsubjectreviews"

static void whoami(struct web *w, const char *token)
{
	w->token = token;
	ask_at(w, ASK("POST", WHO, .body = "{}"), PATHS("status.userInfo.username", "status.userInfo.groups"));
}

#define BOOT(id, more) "{apiVersion: v1, kind: Secret, type: bootstrap.kubernetes.io/token, metadata: {name: bootstrap-token-" id \
	", namespace: kube-system}, stringData: {token-id: " id ", token-secret: 0123456789abcdef, " more "}}"
#define USABLE "usage-bootstrap-authentication: 'true'"

static void boots(struct cluster *c)
{
	struct web w = web_open(c);

	create(c, BOOT("abcdef", USABLE ", auth-extra-groups: 'system:bootstrappers:worker,system:bootstrappers:x'"));
	create(c, BOOT("signin", "usage-bootstrap-signing: 'true'"));
	create(c, BOOT("tooold", USABLE ", expiration: '2020-01-01T00:00:00Z'"));
	create(c, BOOT("infutu", USABLE ", expiration: '2999-01-01T00:00:00Z'"));
	create(c, BOOT("nodate", USABLE ", expiration: 'never'"));
	create(c, BOOT("master", USABLE ", auth-extra-groups: 'system:masters'"));
	create(c, "{apiVersion: v1, kind: Secret, metadata: {name: bootstrap-token-opaque, namespace: kube-system}, stringData: "
		  "{token-id: opaque, token-secret: 0123456789abcdef, " USABLE "}}");
	whoami(&w, "abcdef.0123456789abcdef");
	ask(&w, "GET", "/api/v1/nodes", NULL);
	whoami(&w, "infutu.0123456789abcdef");
	static const char *const bad[] = { "abcdef.0123456789abcdee", "signin.0123456789abcdef", "tooold.0123456789abcdef",
					   "nodate.0123456789abcdef", "master.0123456789abcdef", "opaque.0123456789abcdef",
					   "nobody.0123456789abcdef", "abcdef.", "." };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		w.token = bad[i];
		ask(&w, "GET", "/version", NULL);
	}
	web_close(&w);
}

static void bootstrap_tokens_are_secrets_of_kube_system(void **state)
{
	(void)state;
	cluster_expect(boots, "201 \"system:bootstrap:abcdef\" [\"system:bootstrappers:worker\",\"system:bootstrappers:x\","
			      "\"system:bootstrappers\",\"system:authenticated\"] 403 "
			      "201 \"system:bootstrap:infutu\" [\"system:bootstrappers\",\"system:authenticated\"] "
			      "401 401 401 401 401 401 401 401 401 ");
}

/* ---- acting for somebody ---- */

static void act(struct web *w, const char *const *headers)
{
	struct httpc_response r = { 0 };
	char *url = str_fmt("http://127.0.0.1:%d%s", http_server_port(w->server), WHO),
	     *auth = str_fmt("Authorization: Bearer %s", w->token);
	const char *all[8] = { auth, "Content-Type: application/json" };
	AUTO_DOC d = NULL;
	AUTO(err) e = { 0 };

	for (size_t i = 0; headers[i]; i++)
		all[i + 2] = headers[i];
	struct httpc_request rq = { .method = "POST", .url = url, .headers = all, .body = SV("{}") };
	if (httpc_do(w->client, &rq, &r, &e) < 0 || json_read(str_sv(&r.body), "answer", 0, &d, &e) < 0)
		str_addf(&w->c->trace, "%s\n", err_msg(&e));
	else if (r.status == 201)
		note_at(w->c, doc_root(d), "status.userInfo");
	else
		str_addf(&w->c->trace, "%d %s", r.status, node_str_or(doc_root(d), "message", ""));
	str_add1(&w->c->trace, '\n');
	httpc_response_free(&r);
	free(url);
	free(auth);
}
#define ACT(...) act(&w, (const char *const[]){ __VA_ARGS__, NULL })

static void acts(struct cluster *c)
{
	struct web w = web_open(c);

	ACT("Impersonate-User: bob", "Impersonate-Group: devs", "Impersonate-Uid: 42", "Impersonate-Extra-Scopes: view",
	    "Impersonate-Extra-acme.com%2fproject: p1");
	ACT("Impersonate-User: system:serviceaccount:default:app");
	ACT("Impersonate-User: system:anonymous");
	ACT("Impersonate-Uid: 42");
	ACT("Impersonate-Extra-Scopes: view");
	create(c, "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: act}, rules: ["
		  "{apiGroups: [''], resources: [users], resourceNames: [bob], verbs: [impersonate]}, "
		  "{apiGroups: [authentication.k8s.io], resources: [userextras/scopes], resourceNames: [view], verbs: [impersonate]}]}");
	create(c, "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: act}, roleRef: {apiGroup: "
		  "rbac.authorization.k8s.io, kind: ClusterRole, name: act}, subjects: [{kind: User, name: jane}]}");
	w.token = "plain";
	ACT("Impersonate-User: bob", "Impersonate-Extra-Scopes: view");
	ACT("Impersonate-User: bob", "Impersonate-Extra-Scopes: edit");
	ACT("Impersonate-User: bob", "Impersonate-Group: system:masters");
	ACT("Impersonate-User: bob", "Impersonate-Uid: 1");
	ACT("Impersonate-User: admin");
	web_close(&w);
}

static void impersonation_takes_each_part_as_a_right_of_its_own(void **state)
{
	(void)state;
	cluster_expect(acts, "{\"extra\":{\"acme.com/project\":[\"p1\"],\"scopes\":[\"view\"]},\"groups\":[\"devs\",\"system:authenticated\"],"
			     "\"uid\":\"42\",\"username\":\"bob\"} \n"
			     "{\"groups\":[\"system:serviceaccounts\",\"system:serviceaccounts:default\",\"system:authenticated\"],"
			     "\"username\":\"system:serviceaccount:default:app\"} \n"
			     "403 selfsubjectreviews.authentication.k8s.io is forbidden: User \"system:anonymous\" cannot create "
			     "resource \"selfsubjectreviews\" in API group \"authentication.k8s.io\" at the cluster scope\n"
			     "400 requested groups, a uid or extra without impersonating a user\n"
			     "400 requested groups, a uid or extra without impersonating a user\n"
			     "{\"extra\":{\"scopes\":[\"view\"]},\"groups\":[\"system:authenticated\"],\"username\":\"bob\"} \n"
			     "403 userextras.authentication.k8s.io \"edit\" is forbidden: User \"jane\" cannot impersonate resource "
			     "\"userextras/scopes\" in API group \"authentication.k8s.io\" at the cluster scope\n"
			     "403 groups \"system:masters\" is forbidden: User \"jane\" cannot impersonate resource \"groups\" in API "
			     "group \"\" at the cluster scope\n"
			     "403 uids.authentication.k8s.io \"1\" is forbidden: User \"jane\" cannot impersonate resource \"uids\" in API "
			     "group \"authentication.k8s.io\" at the cluster scope\n"
			     "403 users \"admin\" is forbidden: User \"jane\" cannot impersonate resource \"users\" in API group \"\" at "
			     "the cluster scope\n");
}

/* ---- nobody ---- */

static void nobody(struct cluster *c)
{
	static const char *const open[] = { "/livez", "/readyz", "/version", "/livez/ping" };
	static const char *const closed[] = { "/", "/healthz", "/metrics", "/api", "/apis", "/api/v1", "/apis/apps/v1", "/openapi/v2",
					      "/openapi/v3", "/openid/v1/jwks", "/.well-known/openid-configuration", "/debug/pprof",
					      "/logs", "/api/v1/pods", "/api/v1/pods?watch=1", "/api/v1/namespaces/default/secrets/x",
					      "/api/v1/namespaces/default/configmaps/kube-root-ca.crt", "/apis/no/v1/such",
					      "/version/../metrics", "/livezz", "/versions", "/api/v1/watch/pods" };
	struct web w = web_open(c);

	w.token = "";
	for (size_t i = 0; i < sizeof open / sizeof *open; i++)
		ask(&w, "GET", open[i], NULL);
	str_add1(&c->trace, '\n');
	for (size_t i = 0; i < sizeof closed / sizeof *closed; i++)
		ask(&w, "GET", closed[i], NULL);
	ask(&w, "POST", "/version", "{}");
	ask(&w, "POST", WHO, "{}");
	ask(&w, "POST", "/apis/authentication.k8s.io/v1/tokenreviews", "{\"spec\":{\"token\":\"plain\"}}");
	ask(&w, "DELETE", "/api/v1/namespaces/default", NULL);
	web_close(&w);
}

static void nobody_reads_but_health_and_version(void **state)
{
	(void)state;
	cluster_expect(nobody, "200 200 200 200 \n"
			       "403 403 403 403 403 403 403 403 403 403 403 403 403 403 403 403 403 403 403 403 403 403 "
			       "403 403 403 403 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bootstrap_tokens_are_secrets_of_kube_system),
		TEST(impersonation_takes_each_part_as_a_right_of_its_own),
		TEST(nobody_reads_but_health_and_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
