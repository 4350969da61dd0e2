/* Who else has a say in a write: policies and webhooks. */
#include "check.h"

#include "api-cluster.h"
#include "base/encode.h"
#include "base/http.h"

#define MAP(name, data)                                                                                                \
	"{apiVersion: v1, kind: ConfigMap, metadata: {name: " name ", namespace: default}, data: " data "}"

/* ---- policies ---- */

static void make_policy(struct cluster *c, const char *spec)
{
	char *text = str_fmt(
		"{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: p}, "
		"spec: {matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE, "
		"UPDATE, DELETE], resources: [configmaps]}]}, %s}}",
		spec);

	create(c, text);
	free(text);
}

static void bind_policy(struct cluster *c, const char *spec)
{
	char *text = str_fmt(
		"{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: "
		"{name: b}, spec: {policyName: p, validationActions: [Deny], %s}}",
		spec);

	create(c, text);
	free(text);
}

static void keeps_policies(struct cluster *c)
{
	make_policy(
		c,
		"variables: [{name: size, expression: 'object != null && has(object.data) ? size(object.data) : 0'}], "
		"validations: [{expression: 'variables.size < 2', messageExpression: '\"has \" + "
		"string(variables.size)'}, "
		"{expression: '!has(object.data.secret)', message: no secrets, reason: Forbidden}, "
		"{expression: 'request.operation != \"DELETE\" || oldObject.metadata.name != \"kept\"'}]");
	create(c, MAP("free", "{a: x, b: x}"));
	bind_policy(c, "matchResources: {objectSelector: {matchExpressions: [{key: free, operator: DoesNotExist}]}}");
	create(c, MAP("many", "{a: x, b: x}"));
	create(c, MAP("secret", "{secret: x}"));
	create(c, MAP("kept", "{a: x}"));
	patch(c, "configmaps", "default", "kept", PATCH_MERGE, "{data: {b: x}}", NULL);
	del(c, "configmaps", "default", "kept");
	create(c, "{apiVersion: v1, kind: ConfigMap, metadata: {name: exempt, namespace: default, labels: {free: x}}, "
		  "data: {a: x, b: x}}");
	list(c, "configmaps", "default", NULL, "metadata.name!=kube-root-ca.crt");
}

#define DENIED(name, why)                                                                                              \
	"configmaps \"" name "\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: " why "\n"

static void policy_refuses_what_its_expressions_do_not_allow(void **state)
{
	(void)state;
	cluster_expect(
		keeps_policies,
		"Invalid: " DENIED("many", "has 2") "Forbidden: " DENIED("secret", "no secrets") "Invalid: " DENIED(
			"kept", "has 2") "Invalid: " DENIED("kept", "expression '!has(object.data.secret)' resulted in "
								    "error: no such overload") "exempt free kept ");
}

static void has_params(struct cluster *c)
{
	make_policy(c, "paramKind: {apiVersion: v1, kind: ConfigMap}, matchConditions: [{name: no-params, expression: "
		       "'object.metadata.name != \"limits\"'}], validations: [{expression: "
		       "'size(object.data) <= int(params.data.most)'}]");
	bind_policy(c, "paramRef: {name: limits, namespace: default, parameterNotFoundAction: Deny}");
	create(c, MAP("early", "{a: x}"));
	create(c, MAP("limits", "{most: '1'}"));
	create(c, MAP("one", "{a: x}"));
	create(c, MAP("two", "{a: x, b: x}"));
	list(c, "configmaps", "default", NULL, "metadata.name!=kube-root-ca.crt");
}

static void policy_takes_its_parameters_from_objects(void **state)
{
	(void)state;
	cluster_expect(has_params,
		       "Invalid: " DENIED(
			       "early",
			       "failed to configure binding: no params found for policy binding with `Deny` "
			       "parameterNotFoundAction") "Invalid: " DENIED("two",
									     "failed expression: size(object.data) <= "
									     "int(params.data.most)") "limits one ");
}

static void asks_authorizer(struct cluster *c)
{
	make_policy(c, "validations: [{expression: 'authorizer.group(\"\").resource(\"secrets\").namespace(\"default\")"
		       ".check(\"get\").allowed() || authorizer.requestResource.check(\"get\").allowed() || "
		       "request.userInfo.username "
		       "== \"nobody\"'}]");
	bind_policy(c, "paramRef: null");
	create(c, MAP("a", "{a: x}"));
	get(c, "configmaps", "default", "a", "data");
}

static void policy_may_ask_what_the_user_may_do(void **state)
{
	(void)state;
	cluster_expect(asks_authorizer, "{\"a\":\"x\"} ");
}

static void writes_bad_policies(struct cluster *c)
{
	make_policy(c, "validations: [{expression: 'object.metadata.name == '}]");
	make_policy(c, "validations: [{expression: '1 + 1'}]");
	make_policy(c, "variables: [{name: a, expression: '1'}], validations: [{expression: 'variables.b == 1'}]");
}

static void policy_whose_expressions_do_not_compile_is_refused(void **state)
{
	struct cluster c = { .scenario = writes_bad_policies };

	(void)state;
	cluster_run(&c);
	assert_non_null(strstr(str_c(&c.trace),
			       "spec.validations[0].expression: Invalid value: \"object.metadata.name == \": "
			       "compilation failed: ERROR: <input>:1:25: Syntax error"));
	assert_non_null(strstr(str_c(&c.trace),
			       "spec.validations[0].expression: Invalid value: \"1 + 1\": must evaluate to bool"));
	assert_non_null(strstr(str_c(&c.trace), "undefined field 'b'"));
	str_free(&c.trace);
}

/* ---- webhooks ---- */

struct hook_server {
	struct http_server *http;
	const char *answer; /* members of the response besides uid */
	struct str asked;   /* operation and name of each request */
	unsigned calls;
};

static void on_review(struct http_request *rq, void *arg)
{
	struct hook_server *s = arg;
	AUTO_DOC d = NULL;
	AUTO(str) out = { 0 };

	s->calls++;
	if (json_read(http_body(rq), "review", 0, &d, NULL) < 0)
		return http_reply(rq, 400, "text/plain", SV("not JSON"));
	str_addf(&s->asked, "%s %s%s ", node_str_or(doc_root(d), "request.operation", ""),
		 node_str_or(doc_root(d), "request.name", ""),
		 node_bool_at(doc_root(d), "request.dryRun", false) ? " dry" : "");
	str_addf(&out,
		 "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/"
		 "v1\",\"response\":{\"uid\":\"%s\",%s}}",
		 node_str_or(doc_root(d), "request.uid", ""), s->answer);
	http_reply(rq, 200, "application/json", str_sv(&out));
}

static void start_server(struct hook_server *s)
{
	s->http = http_server_start(
		fiber_loop(),
		&(struct http_server_opts){
			.listen = "127.0.0.1:0", .max_body = 1 << 20, .handler = on_review, .arg = s },
		NULL);
}

static void stop_server(struct cluster *c, struct hook_server *s)
{
	str_addf(&c->trace, "[%s]", str_c(&s->asked));
	str_free(&s->asked);
	http_server_stop(&s->http);
}

static void register_hook(struct cluster *c, const char *kind, int port, const char *more)
{
	char *text = str_fmt(
		"{apiVersion: admissionregistration.k8s.io/v1, kind: %sWebhookConfiguration, metadata: {name: h}, "
		"webhooks: [{name: h.example.org, clientConfig: {url: 'http://127.0.0.1:%d/'}, "
		"admissionReviewVersions: "
		"[v1], sideEffects: None, rules: [{apiGroups: ['*'], apiVersions: ['*'], operations: [CREATE, UPDATE, "
		"DELETE], resources: [configmaps]}], namespaceSelector: {matchExpressions: [{key: "
		"kubernetes.io/metadata.name, operator: In, values: [default]}]}%s}]}",
		kind, port, more);

	create(c, text);
	free(text);
}

static void mutates(struct cluster *c)
{
	struct hook_server s = { 0 };
	AUTO(str) answer = { 0 };
	const char ops[] = "[{\"op\":\"add\",\"path\":\"/metadata/labels\",\"value\":{\"hooked\":\"yes\"}},"
			   "{\"op\":\"add\",\"path\":\"/data/added\",\"value\":\"x\"}]";

	start_server(&s);
	str_addc(&answer, "\"allowed\":true,\"patchType\":\"JSONPatch\",\"patch\":\"");
	base64_encode(&answer, sv_c(ops));
	str_addc(&answer, "\"");
	s.answer = str_c(&answer);
	register_hook(c, "Mutating", http_server_port(s.http), "");
	create(c, MAP("a", "{a: x}"));
	get(c, "configmaps", "default", "a", "metadata.labels");
	get(c, "configmaps", "default", "a", "data");
	create(c, "{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: kube-system}, data: {}}");
	get(c, "configmaps", "kube-system", "b", "metadata.labels");
	stop_server(c, &s);
}

static void webhook_changes_what_it_is_asked_about(void **state)
{
	(void)state;
	cluster_expect(mutates, "{\"hooked\":\"yes\"} {\"a\":\"x\",\"added\":\"x\"} - [CREATE a ]");
}

static void refuses(struct cluster *c)
{
	struct hook_server s = { .answer = "\"allowed\":false,\"status\":{\"message\":\"not "
					   "today\",\"code\":409,\"reason\":\"Conflict\"}" };
	struct write_opts dry = { .dry_run = true };

	start_server(&s);
	create(c, MAP("before", "{a: x}"));
	register_hook(c, "Validating", http_server_port(s.http),
		      ", matchConditions: [{name: not-free, expression: "
		      "'request.name != \"free\"'}]");
	create(c, MAP("a", "{a: x}"));
	s.answer = "\"allowed\":false";
	patch(c, "configmaps", "default", "before", PATCH_MERGE, "{data: {a: z}}", NULL);
	del(c, "configmaps", "default", "before");
	create(c, MAP("free", "{a: x}"));
	AUTO_OBJECT o = create_as(c, MAP("a", "{a: x}"), &dry);
	list(c, "configmaps", "default", NULL, "metadata.name!=kube-root-ca.crt");
	stop_server(c, &s);
}

#define NO_REASON "Forbidden: admission webhook \"h.example.org\" denied the request without explanation\n"

static void webhook_refuses_writes_and_deletions(void **state)
{
	(void)state;
	cluster_expect(
		refuses,
		"Conflict: admission webhook \"h.example.org\" denied the request: not today\n" NO_REASON NO_REASON
			NO_REASON "before free [CREATE a UPDATE before DELETE before CREATE a dry ]");
}

static void does_not_answer(struct cluster *c)
{
	struct hook_server s = { .answer = "\"allowed\":true,\"uid\":\"another\"" };

	start_server(&s);
	register_hook(c, "Validating", http_server_port(s.http), ", failurePolicy: Ignore");
	create(c, MAP("ignored", "{a: x}"));
	patch(c, "validatingwebhookconfigurations", NULL, "h", PATCH_JSON,
	      "[{op: replace, path: /webhooks/0/failurePolicy, value: Fail}]", NULL);
	create(c, MAP("failed", "{a: x}"));
	patch(c, "validatingwebhookconfigurations", NULL, "h", PATCH_JSON,
	      "[{op: replace, path: /webhooks/0/clientConfig, value: {service: {name: none, namespace: default}}}]",
	      NULL);
	create(c, MAP("unserved", "{a: x}"));
	list(c, "configmaps", "default", NULL, "metadata.name!=kube-root-ca.crt");
	stop_server(c, &s);
}

static void webhook_that_does_not_answer_counts_by_its_failure_policy(void **state)
{
	struct cluster c = { .scenario = does_not_answer };

	(void)state;
	cluster_run(&c);
	assert_non_null(strstr(str_c(&c.trace),
			       "InternalError: Internal error occurred: failed calling webhook \"h.example.org\": "
			       "failed to call webhook: received invalid webhook response: expected response.uid="));
	assert_non_null(strstr(str_c(&c.trace), "service \"none\" not found"));
	assert_non_null(strstr(str_c(&c.trace), "ignored [CREATE ignored CREATE failed ]"));
	str_free(&c.trace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(policy_refuses_what_its_expressions_do_not_allow),
		TEST(policy_takes_its_parameters_from_objects),
		TEST(policy_may_ask_what_the_user_may_do),
		TEST(policy_whose_expressions_do_not_compile_is_refused),
		TEST(webhook_changes_what_it_is_asked_about),
		TEST(webhook_refuses_writes_and_deletions),
		TEST(webhook_that_does_not_answer_counts_by_its_failure_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
