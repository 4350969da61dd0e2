/* Who may what: bindings, aggregation, impersonation, and that nobody grants more than they have. */
#include "check.h"

#include "api-web.h"

#define RBAC "rbac.authorization.k8s.io/v1"

static const char pods[] = "/api/v1/namespaces/default/pods", secrets[] = "/api/v1/namespaces/default/secrets";

static void binds(struct cluster *c)
{
	struct web w = web_open(c);

	w.token = "plain";
	ask(&w, "GET", pods, NULL);
	create(c,
	       "{apiVersion: " RBAC ", kind: RoleBinding, metadata: {name: v, namespace: default}, roleRef: {apiGroup: "
	       "rbac.authorization.k8s.io, kind: ClusterRole, name: view}, subjects: [{kind: Group, name: people}]}");
	ask(&w, "GET", pods, NULL);
	ask(&w, "GET", secrets, NULL);
	ask(&w, "GET", "/api/v1/namespaces/cd/pods", NULL);
	ask(&w, "GET", "/api/v1/pods", NULL);
	ask(&w, "GET", "/api/v1/namespaces/default", NULL);
	ask(&w, "DELETE", "/api/v1/namespaces/default/pods/x", NULL);
	create(c, "{apiVersion: " RBAC
		  ", kind: ClusterRole, metadata: {name: more, labels: {rbac.authorization.k8s.io/aggregate-to-view: "
		  "'true'}}, rules: [{apiGroups: [''], resources: [secrets], verbs: [list]}]}");
	ask(&w, "GET", secrets, NULL);
	create(c,
	       "{apiVersion: " RBAC
	       ", kind: ClusterRoleBinding, metadata: {name: a}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: "
	       "ClusterRole, name: cluster-admin}, subjects: [{kind: User, name: jane}]}");
	ask(&w, "GET", "/api/v1/pods", NULL);
	ask(&w, "DELETE", "/api/v1/namespaces/default/pods/x", NULL);
	web_close(&w);
}

static void rbac_bindings_decide(void **state)
{
	(void)state;
	cluster_expect(binds, "403 200 403 403 403 200 403 200 200 404 ");
}

static void reviews(struct cluster *c)
{
	static const char list[] = "{\"spec\":{\"resourceAttributes\":{\"verb\":\"list\",\"resource\":\"pods\","
				   "\"namespace\":\"default\"}}}";
	static const char of[] =
		"{\"spec\":{\"user\":\"system:serviceaccount:default:sa\",\"resourceAttributes\":{\"verb\":\"list\","
		"\"resource\":\"pods\",\"namespace\":\"default\"}}}";
	static const char self[] = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
	struct web w = web_open(c);

	create(c,
	       "{apiVersion: " RBAC ", kind: RoleBinding, metadata: {name: v, namespace: default}, roleRef: {apiGroup: "
	       "rbac.authorization.k8s.io, kind: ClusterRole, name: view}, subjects: [{kind: ServiceAccount, name: sa, "
	       "namespace: default}]}");
	ask_at(&w, ASK("POST", self, .body = list), PATHS("status.allowed"));
	ask_at(&w, ASK("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", .body = of),
	       PATHS("status.allowed"));
	ask_at(&w, ASK("POST", self, .body = list, .as = "system:serviceaccount:default:sa"), PATHS("status.allowed"));
	ask_at(&w, ASK("GET", secrets, .as = "system:serviceaccount:default:sa"), PATHS("reason"));
	ask_at(&w, ASK("GET", self), PATHS("reason"));
	w.token = "plain";
	ask_at(&w, ASK("POST", self, .body = list), PATHS("status.allowed"));
	ask_at(&w, ASK("GET", pods, .as = "admin"), PATHS("message"));
	ask_at(&w, ASK("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", .body = "{}"),
	       PATHS("status.userInfo"));
	web_close(&w);
}

static void rbac_reviews_answer_and_impersonation_is_a_right(void **state)
{
	(void)state;
	cluster_expect(reviews, "201 true 201 true 201 true 403 \"Forbidden\" 405 \"MethodNotAllowed\" 201 false 403 "
				"\"users \\\"admin\\\" is "
				"forbidden: User \\\"jane\\\" cannot impersonate resource \\\"users\\\" in API group "
				"\\\"\\\" at the cluster scope\" "
				"201 {\"groups\":[\"people\",\"system:authenticated\"],\"uid\":\"1\",\"username\":\"jane\"} ");
}

static void escalates(struct cluster *c)
{
	static const char roles[] = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles";
	static const char bindings[] = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings";
	struct web w = web_open(c);

	create(c, "{apiVersion: " RBAC ", kind: Role, metadata: {name: r, namespace: default}, rules: [{apiGroups: "
				       "[rbac.authorization.k8s.io], "
		  "resources: [roles, rolebindings], verbs: [create]}, {apiGroups: [''], resources: [pods], verbs: "
		  "[get, list]}]}");
	create(c,
	       "{apiVersion: " RBAC ", kind: RoleBinding, metadata: {name: r, namespace: default}, roleRef: {apiGroup: "
	       "rbac.authorization.k8s.io, kind: Role, name: r}, subjects: [{kind: User, name: jane}]}");
	w.token = "plain";
	ask_at(&w,
	       ASK("POST", roles,
		   .body = "{\"metadata\":{\"name\":\"mine\"},\"rules\":[{\"apiGroups\":[\"\"],\"resources\":[\"pods\"]"
			   ","
			   "\"verbs\":[\"list\"]}]}"),
	       PATHS("metadata.name"));
	ask_at(&w,
	       ASK("POST", roles,
		   .body = "{\"metadata\":{\"name\":\"more\"},\"rules\":[{\"apiGroups\":[\"\"],\"resources\":[\"*\"],"
			   "\"verbs\":[\"list\"]}]}"),
	       PATHS("reason"));
	ask_at(&w,
	       ASK("POST", bindings,
		   .body = "{\"metadata\":{\"name\":\"up\"},\"roleRef\":{\"apiGroup\":\"rbac.authorization.k8s.io\","
			   "\"kind\":\"ClusterRole\",\"name\":\"cluster-admin\"},\"subjects\":[{\"kind\":\"User\","
			   "\"name\":\"jane\"}]}"),
	       PATHS("message"));
	web_close(&w);
}

static void rbac_nobody_grants_more_than_they_have(void **state)
{
	(void)state;
	cluster_expect(escalates, "201 \"mine\" 403 \"Forbidden\" 403 \"rolebindings.rbac.authorization.k8s.io "
				  "\\\"up\\\" is forbidden: user "
				  "\\\"jane\\\" is attempting to grant RBAC permissions not currently held\" ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rbac_bindings_decide),
		TEST(rbac_reviews_answer_and_impersonation_is_a_right),
		TEST(rbac_nobody_grants_more_than_they_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
