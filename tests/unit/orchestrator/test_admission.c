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
	create(c, "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: "
		  "{name: b}, spec: "
		  "{policyName: p, validationActions: [Deny, Warn, Pray]}}");
	create(c, "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: "
		  "{name: b}, spec: "
		  "{policyName: p}}");
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
	assert_non_null(strstr(str_c(&c.trace),
			       "[spec.validationActions[2]: Unsupported value: \"Pray\": supported values: \"Audit\", "
			       "\"Deny\", \"Warn\", spec.validationActions: Invalid value: "
			       "[\"Deny\",\"Warn\",\"Pray\"]: must not contain both Deny and Warn"));
	assert_non_null(strstr(str_c(&c.trace),
			       "spec.validationActions: Required value: at least one validation action is required"));
	str_free(&c.trace);
}

/* ---- plugins ---- */

#define POD(name, spec) "{apiVersion: v1, kind: Pod, metadata: {name: " name ", namespace: default}, spec: " spec "}"
#define LIMITS(limit)                                                                                                  \
	"{apiVersion: v1, kind: LimitRange, metadata: {name: l, namespace: default}, spec: {limits: [" limit "]}}"

static void limits(struct cluster *c)
{
	create(c, LIMITS("{type: Container, max: {cpu: '2'}, min: {memory: 10Mi}, default: {cpu: '1'}}, {type: Pod, "
			 "max: {cpu: 1500m}}"));
	get(c, "limitranges", "default", "l", "spec.limits.0.defaultRequest");
	create(c, POD("a", "{containers: [{name: x, image: i}]}"));
	get(c, "pods", "default", "a", "spec.containers.0.resources");
	get(c, "pods", "default", "a", "metadata.annotations");
	get(c, "pods", "default", "a", "status.qosClass");
	create(c, POD("b", "{containers: [{name: x, image: i, resources: {limits: {cpu: '3', memory: 5Mi}}}]}"));
	create(c, POD("c", "{containers: [{name: x, image: i}, {name: z, image: i}]}"));
}

static void limit_ranges_give_defaults_and_bounds(void **state)
{
	(void)state;
	cluster_expect(
		limits,
		"{\"cpu\":\"1\",\"memory\":\"10Mi\"} "
		"{\"limits\":{\"cpu\":\"1\"},\"requests\":{\"cpu\":\"1\",\"memory\":\"10Mi\"}} "
		"{\"kubernetes.io/limit-ranger\":\"LimitRanger plugin set: cpu, memory request for container x; cpu "
		"limit for "
		"container x\"} \"Burstable\" "
		"Forbidden: pods \"b\" is forbidden: [minimum memory usage per Container is 10Mi, but request is 5Mi, "
		"maximum "
		"cpu usage per Container is 2, but limit is 3, maximum cpu usage per Pod is 1500m, but limit is 3]\n"
		"Forbidden: pods \"c\" is forbidden: maximum cpu usage per Pod is 1500m, but limit is 2\n");
}

static void priorities(struct cluster *c)
{
	create(c, POD("plain", "{containers: [{name: x, image: i}]}"));
	get(c, "pods", "default", "plain", "spec.priority");
	create(c, "{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: high}, value: 7, "
		  "globalDefault: true}");
	create(c, "{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: low}, value: 1, "
		  "globalDefault: true}");
	create(c, POD("default", "{containers: [{name: x, image: i}]}"));
	get(c, "pods", "default", "default", "spec.priority");
	get(c, "pods", "default", "default", "spec.priorityClassName");
	create(c, POD("critical", "{priorityClassName: system-node-critical, containers: [{name: x, image: i}]}"));
	get(c, "pods", "default", "critical", "spec.priority");
	create(c, POD("none", "{priorityClassName: none, containers: [{name: x, image: i}]}"));
	create(c, POD("own", "{priority: 3, containers: [{name: x, image: i}]}"));
}

static void priority_of_a_pod_follows_from_its_class(void **state)
{
	(void)state;
	cluster_expect(
		priorities,
		"0 Forbidden: priorityclasses.scheduling.k8s.io \"low\" is forbidden: PriorityClass high is already "
		"marked as "
		"default. Only one default can exist\n7 \"high\" 2000001000 Forbidden: pods \"none\" is forbidden: no "
		"PriorityClass with name none was found\nForbidden: pods \"own\" is forbidden: the integer value of "
		"priority "
		"(3) must not be provided in pod spec; priority admission controller computed 7 from the given "
		"PriorityClass "
		"name\n");
}

static void claims(struct cluster *c)
{
	static const char claim[] =
		"{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a, namespace: default}, spec: "
		"{accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}";

	create(c, "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: fast, annotations: "
		  "{storageclass.kubernetes.io/is-default-class: 'true'}}, provisioner: x}");
	create(c, claim);
	get(c, "pvc", "default", "a", "spec.storageClassName");
	del(c, "pvc", "default", "a");
	create(c, LIMITS("{type: PersistentVolumeClaim, min: {storage: 2Gi}}"));
	create(c, "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: b, namespace: default}, spec: "
		  "{accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}");
}

static void claims_get_the_default_class(void **state)
{
	(void)state;
	cluster_expect(claims,
		       "\"fast\" Forbidden: persistentvolumeclaims \"b\" is forbidden: minimum storage usage per "
		       "PersistentVolumeClaim is 2Gi, but request is 1Gi\n");
}

static void secures(struct cluster *c)
{
	create(c, "{apiVersion: v1, kind: Namespace, metadata: {name: strict, labels: "
		  "{pod-security.kubernetes.io/enforce: "
		  "restricted}}}");
	create(c, "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: strict}, spec: {containers: [{name: x, "
		  "image: i}]}}");
	create(c, "{apiVersion: v1, kind: Pod, metadata: {name: b, namespace: strict}, spec: {hostNetwork: true, "
		  "securityContext: "
		  "{runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}, volumes: [{name: h, hostPath: {path: "
		  "/}}], containers: "
		  "[{name: x, image: i, securityContext: {privileged: true, allowPrivilegeEscalation: true, "
		  "capabilities: {add: "
		  "[NET_ADMIN], drop: [ALL]}}}]}}");
	create(c, "{apiVersion: v1, kind: Pod, metadata: {name: c, namespace: strict}, spec: {securityContext: "
		  "{runAsNonRoot: true, "
		  "seccompProfile: {type: RuntimeDefault}}, containers: [{name: x, image: i, securityContext: "
		  "{allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]}}");
	patch(c, "ns", NULL, "strict", PATCH_MERGE,
	      "{metadata: {labels: {pod-security.kubernetes.io/enforce: baseline}}}", NULL);
	create(c, "{apiVersion: v1, kind: Pod, metadata: {name: d, namespace: strict}, spec: {containers: [{name: x, "
		  "image: i, "
		  "ports: [{containerPort: 80, hostPort: 80}]}]}}");
	create(c, "{apiVersion: v1, kind: Namespace, metadata: {name: odd, labels: "
		  "{pod-security.kubernetes.io/enforce: tight}}}");
	list(c, "pods", "strict", NULL, NULL);
}

static void pods_keep_to_the_security_level_of_their_namespace(void **state)
{
	(void)state;
	cluster_expect(
		secures,
		"Forbidden: pods \"a\" is forbidden: violates PodSecurity \"restricted:latest\": "
		"allowPrivilegeEscalation != "
		"false (container \"x\" must set securityContext.allowPrivilegeEscalation=false), unrestricted "
		"capabilities "
		"(container \"x\" must set securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or "
		"container "
		"\"x\" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container \"x\" must set "
		"securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")\n"
		"Forbidden: pods \"b\" is forbidden: violates PodSecurity \"restricted:latest\": host namespaces "
		"(hostNetwork=true), privileged (container \"x\" must not set securityContext.privileged=true), "
		"allowPrivilegeEscalation != false (container \"x\" must set "
		"securityContext.allowPrivilegeEscalation=false), "
		"unrestricted capabilities (container \"x\" must not include \"NET_ADMIN\" in "
		"securityContext.capabilities.add), restricted volume types (volume \"h\" uses restricted volume type "
		"\"hostPath\")\n"
		"Forbidden: pods \"d\" is forbidden: violates PodSecurity \"baseline:latest\": hostPort (container "
		"\"x\" uses "
		"hostPort 80)\n"
		"Invalid: Namespace \"odd\" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid "
		"value: "
		"\"tight\": must be one of privileged, baseline, restricted\nc ");
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
	(void)o;
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

static void configures_wrongly(struct cluster *c)
{
	create(c, "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: "
		  "{name: h}, webhooks: "
		  "[{name: h.example.org, clientConfig: {}, admissionReviewVersions: [v1beta1], sideEffects: Some, "
		  "timeoutSeconds: "
		  "31, matchConditions: [{name: a, expression: 'object.'}, {name: b, expression: '1'}]}]}");
	list(c, "validatingwebhookconfigurations", NULL, NULL, NULL);
}

static void webhook_that_cannot_be_asked_is_refused(void **state)
{
	(void)state;
	cluster_expect(
		configures_wrongly,
		"Invalid: ValidatingWebhookConfiguration.admissionregistration.k8s.io \"h\" is invalid: "
		"[webhooks[0].clientConfig: Required value: exactly one of url or service is required, "
		"webhooks[0].admissionReviewVersions: Invalid value: [\"v1beta1\"]: must include v1, "
		"webhooks[0].matchConditions[0].expression: Invalid value: \"object.\": compilation failed: ERROR: "
		"<input>:1:8: Syntax error: mismatched input '<EOF>' expecting IDENTIFIER\n | object.\n | .......^, "
		"webhooks[0].matchConditions[1].expression: Invalid value: \"1\": must evaluate to bool, "
		"webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds, "
		"webhooks[0].sideEffects: Unsupported value: \"Some\": supported values: \"None\", "
		"\"NoneOnDryRun\"]\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(policy_refuses_what_its_expressions_do_not_allow),
		TEST(policy_takes_its_parameters_from_objects),
		TEST(policy_may_ask_what_the_user_may_do),
		TEST(policy_whose_expressions_do_not_compile_is_refused),
		TEST(limit_ranges_give_defaults_and_bounds),
		TEST(priority_of_a_pod_follows_from_its_class),
		TEST(claims_get_the_default_class),
		TEST(pods_keep_to_the_security_level_of_their_namespace),
		TEST(webhook_changes_what_it_is_asked_about),
		TEST(webhook_refuses_writes_and_deletions),
		TEST(webhook_that_cannot_be_asked_is_refused),
		TEST(webhook_that_does_not_answer_counts_by_its_failure_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
