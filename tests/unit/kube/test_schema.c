#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/yaml.h"
#include "kube/schema/schema.h"

static struct kinds *kinds;

static int start(void **state)
{
	(void)state;
	kinds = kinds_new();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	kinds_free(&kinds);
	return 0;
}

static struct doc *read_yaml(const char *text)
{
	AUTO(err) e = { 0 };
	struct doc *d = NULL;

	assert_ok(yaml_read(sv_c(text), "t.yaml", 0, &d, &e), &e);
	return d;
}

static const struct kind *kind_of(const struct doc *d)
{
	const struct kind *k = kinds_find(kinds, node_str_at(doc_root(d), "apiVersion"), node_str_at(doc_root(d), "kind"));

	assert_non_null(k);
	return k;
}

/* ---- defaults ---- */

static void expect_default(const char *yaml, const char *path, const char *want_json)
{
	AUTO_DOC d = read_yaml(yaml);
	AUTO(str) s = { 0 };

	schema_default(d, doc_root(d), kind_of(d));
	json_write(&s, node_at(doc_root(d), path), JSON_SORTED);
	if (strcmp(str_c(&s), want_json) != 0)
		fail_msg("%s of\n%s  want %s\n  got  %s", path, yaml, want_json, str_c(&s));
}

#define DEPLOYMENT "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n"
#define TEMPLATE "  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers: [{name: a, image: 'b:1'}]\n"

static void defaults_of_a_deployment(void **state)
{
	static const char yaml[] = DEPLOYMENT TEMPLATE;

	(void)state;
	expect_default(yaml, "spec.replicas", "1");
	expect_default(yaml, "spec.revisionHistoryLimit", "10");
	expect_default(yaml, "spec.progressDeadlineSeconds", "600");
	expect_default(yaml, "spec.strategy", "{\"rollingUpdate\":{\"maxSurge\":\"25%\",\"maxUnavailable\":\"25%\"},\"type\":\"RollingUpdate\"}");
	expect_default(DEPLOYMENT "  strategy: {type: Recreate}\n", "spec.strategy", "{\"type\":\"Recreate\"}");
	expect_default(DEPLOYMENT "  replicas: 0\n", "spec.replicas", "0");
	expect_default(yaml, "spec.template.spec",
		       "{\"containers\":[{\"image\":\"b:1\",\"imagePullPolicy\":\"IfNotPresent\",\"name\":\"a\",\"resources\":{},"
		       "\"terminationMessagePath\":\"/dev/termination-log\",\"terminationMessagePolicy\":\"File\"}],\"dnsPolicy\":\"ClusterFirst\","
		       "\"restartPolicy\":\"Always\",\"schedulerName\":\"default-scheduler\",\"securityContext\":{},"
		       "\"terminationGracePeriodSeconds\":30}");
}

static void defaults_of_a_pod(void **state)
{
	static const char yaml[] = "apiVersion: v1\nkind: Pod\nspec:\n  hostNetwork: true\n  volumes: [{name: v}, {name: c, configMap: {name: x}}]\n"
		"  containers:\n  - {name: a, image: b, ports: [{containerPort: 80}], resources: {limits: {cpu: 1}},\n"
		"     livenessProbe: {httpGet: {port: 80}}}\n  - {name: b, image: 'r:5000/b@sha256:0'}\n  - {name: c, image: 'b:latest'}\n";

	(void)state;
	expect_default(yaml, "spec.containers.0.imagePullPolicy", "\"Always\"");
	expect_default(yaml, "spec.containers.1.imagePullPolicy", "\"IfNotPresent\"");
	expect_default(yaml, "spec.containers.2.imagePullPolicy", "\"Always\"");
	expect_default(yaml, "spec.containers.0.ports.0", "{\"containerPort\":80,\"hostPort\":80,\"protocol\":\"TCP\"}");
	expect_default(yaml, "spec.containers.0.resources", "{\"limits\":{\"cpu\":1},\"requests\":{\"cpu\":1}}");
	expect_default(yaml, "spec.containers.0.livenessProbe", "{\"failureThreshold\":3,\"httpGet\":{\"path\":\"/\",\"port\":80,\"scheme\":\"HTTP\"},"
		       "\"periodSeconds\":10,\"successThreshold\":1,\"timeoutSeconds\":1}");
	expect_default(yaml, "spec.volumes", "[{\"emptyDir\":{},\"name\":\"v\"},{\"configMap\":{\"defaultMode\":420,\"name\":\"x\"},\"name\":\"c\"}]");
	expect_default(yaml, "spec.enableServiceLinks", "true");
}

static void defaults_of_the_others(void **state)
{
	static const char service[] = "apiVersion: v1\nkind: Service\nspec: {type: NodePort, sessionAffinity: ClientIP, ports: [{port: 80}]}\n";

	(void)state;
	expect_default(service, "spec", "{\"externalTrafficPolicy\":\"Cluster\",\"internalTrafficPolicy\":\"Cluster\",\"ports\":[{\"port\":80,"
		       "\"protocol\":\"TCP\",\"targetPort\":80}],\"sessionAffinity\":\"ClientIP\",\"sessionAffinityConfig\":{\"clientIP\":"
		       "{\"timeoutSeconds\":10800}},\"type\":\"NodePort\"}");
	expect_default("apiVersion: v1\nkind: Service\nspec: {ports: []}\n", "spec.type", "\"ClusterIP\"");
	expect_default("apiVersion: v1\nkind: Secret\nstringData: {a: hi}\n", "data", "{\"a\":\"aGk=\"}");
	expect_default("apiVersion: v1\nkind: Secret\nstringData: {a: hi}\n", "stringData", "null");
	expect_default("apiVersion: v1\nkind: Secret\n", "type", "\"Opaque\"");
	expect_default("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n", "metadata.labels", "{\"kubernetes.io/metadata.name\":\"a\"}");
	expect_default("apiVersion: batch/v1\nkind: Job\nspec: {template: {metadata: {labels: {a: b}}}}\n", "spec.completions", "1");
	expect_default("apiVersion: batch/v1\nkind: Job\nspec: {parallelism: 3}\n", "spec.completions", "null");
	expect_default("apiVersion: batch/v1\nkind: Job\nspec: {}\n", "spec.backoffLimit", "6");
	expect_default("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nspec: {egress: [{}]}\n", "spec.policyTypes", "[\"Ingress\",\"Egress\"]");
	expect_default("apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nroleRef: {kind: Role, name: r}\nsubjects: [{kind: User, name: u}]\n",
		       "subjects.0.apiGroup", "\"rbac.authorization.k8s.io\"");
	expect_default("apiVersion: apps/v1\nkind: StatefulSet\nspec: {}\n", "spec.updateStrategy",
		       "{\"rollingUpdate\":{\"partition\":0},\"type\":\"RollingUpdate\"}");
	expect_default("apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {names: {kind: Widget, plural: widgets}}\n",
		       "spec.names", "{\"kind\":\"Widget\",\"listKind\":\"WidgetList\",\"plural\":\"widgets\",\"singular\":\"widget\"}");
}

static void defaults_do_not_change_what_has_them(void **state)
{
	AUTO_DOC d = read_yaml(DEPLOYMENT TEMPLATE);

	(void)state;
	schema_default(d, doc_root(d), kind_of(d));
	AUTO_DOC once = doc_copy(d);
	schema_default(d, doc_root(d), kind_of(d));
	assert_true(node_eq(doc_root(d), doc_root(once)));
}

/* ---- pruning ---- */

static void pruning_removes_unknown_and_null_fields(void **state)
{
	AUTO_DOC d = read_yaml(DEPLOYMENT "  replcas: 2\n  paused: null\n  template: {spec: {containers: [{name: a, imagee: b, env: [{nam: x}]}]}}\nfoo: {bar: 1}\n");
	AUTO(str) warnings = { 0 };
	AUTO(str) s = { 0 };
	AUTO(err) e = { 0 };

	(void)state;
	assert_ok(schema_prune(doc_root(d), kind_of(d), UNKNOWN_WARN, &warnings, &e), &e);
	json_write(&s, node_get(doc_root(d), "spec"), 0);
	assert_string_equal(str_c(&s), "{\"template\":{\"spec\":{\"containers\":[{\"name\":\"a\",\"env\":[{}]}]}}}");
	assert_string_equal(str_c(&warnings), "unknown field \"spec.replcas\"\nunknown field \"spec.template.spec.containers[0].imagee\"\n"
			    "unknown field \"spec.template.spec.containers[0].env[0].nam\"\nunknown field \"foo\"\n");
}

static void pruning_strictly_is_an_error(void **state)
{
	AUTO_DOC d = read_yaml(DEPLOYMENT "  replcas: 2\n");
	AUTO(err) e = { 0 };

	(void)state;
	assert_err(schema_prune(doc_root(d), kind_of(d), UNKNOWN_STRICT, NULL, &e), &e, ERR_BAD_REQUEST,
		   "Deployment in version \"v1\" cannot be handled as a Deployment: strict decoding error: unknown field \"spec.replcas\"");
}

static void pruning_keeps_free_form_fields(void **state)
{
	AUTO_DOC d = read_yaml("apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nspec: {generators: [{list: {elements: [{a: null}]}}], template: {x: 1}}\n");
	AUTO(err) e = { 0 };
	AUTO(str) s = { 0 };

	(void)state;
	assert_ok(schema_prune(doc_root(d), kind_of(d), UNKNOWN_STRICT, NULL, &e), &e);
	json_write(&s, node_get(doc_root(d), "spec"), 0);
	assert_string_equal(str_c(&s), "{\"generators\":[{\"list\":{\"elements\":[{\"a\":null}]}}],\"template\":{\"x\":1}}");
}

/* ---- validation ---- */

static int validate(const char *yaml, const char *before_yaml, struct err *e)
{
	AUTO_DOC d = read_yaml(yaml);
	AUTO_DOC before = before_yaml ? read_yaml(before_yaml) : NULL;

	schema_default(d, doc_root(d), kind_of(d));
	if (before)
		schema_default(before, doc_root(before), kind_of(before));
	return schema_validate(doc_root(d), doc_root(before), kind_of(d), e);
}

static void expect_valid(const char *yaml, const char *before)
{
	AUTO(err) e = { 0 };

	assert_ok(validate(yaml, before, &e), &e);
}

static void expect_invalid(const char *yaml, const char *before, const char *want)
{
	AUTO(err) e = { 0 };
	int r = validate(yaml, before, &e);

	if (r >= 0)
		fail_msg("valid, but wanted '%s':\n%s", want, yaml);
	if (!strstr(err_msg(&e), want))
		fail_msg("want '%s'\n  in '%s'", want, err_msg(&e));
	assert_true(e.code == ERR_BAD_REQUEST || e.n_causes > 0);
}

static void valid_objects_pass(void **state)
{
	(void)state;
	expect_valid(DEPLOYMENT TEMPLATE, NULL);
	expect_valid(DEPLOYMENT TEMPLATE, DEPLOYMENT "  replicas: 5\n" TEMPLATE);
	expect_valid("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80, targetPort: http}]}\n", NULL);
	expect_valid("apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}\nspec: {containers: [{name: a, image: b, volumeMounts: [{name: v, mountPath: /x}]}], volumes: [{name: v}]}\n", NULL);
	expect_valid("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: 'system:x'}\nrules: [{apiGroups: [''], resources: [pods], verbs: [get]}]\n", NULL);
	expect_valid("apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: a}\nspec: {schedule: '*/5 * * * 1-5', jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}}}\n", NULL);
	expect_valid("apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec: {project: default, source: {repoURL: x, path: .}, destination: {server: s, namespace: shop}}\n", NULL);
	expect_valid("apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a}\nspec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: s, port: {number: 80}}}}]}}]}\n", NULL);
}

static void wrong_types_are_bad_requests_in_gos_words(void **state)
{
	(void)state;
	expect_invalid(DEPLOYMENT "  replicas: 'three'\n", NULL, "Deployment in version \"v1\" cannot be handled as a Deployment: json: cannot unmarshal "
		       "string into Go struct field DeploymentSpec.spec.replicas of type int32");
	expect_invalid(DEPLOYMENT "  replicas: 1.5\n", NULL, "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32");
	expect_invalid(DEPLOYMENT "  template: {spec: {containers: {a: b}}}\n", NULL,
		       "json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container");
	expect_invalid(DEPLOYMENT "  template: [1]\n", NULL, "cannot unmarshal array into Go struct field DeploymentSpec.spec.template of type v1.PodTemplateSpec");
	expect_invalid("apiVersion: v1\nkind: Pod\nmetadata: {labels: {a: 1}}\n", NULL, "cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string");
	expect_invalid("apiVersion: v1\nkind: Pod\nspec: {containers: [{resources: {limits: {cpu: lots}}}]}\n", NULL, "quantities must match the regular expression");
}

static void metadata_is_checked(void **state)
{
	(void)state;
	expect_invalid("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Bad_Name}\n", NULL,
		       "ConfigMap \"Bad_Name\" is invalid: metadata.name: Invalid value: \"Bad_Name\": a lowercase RFC 1123 subdomain must consist of");
	expect_invalid("apiVersion: v1\nkind: ConfigMap\n", NULL, "metadata.name: Required value: name or generateName is required");
	expect_invalid("apiVersion: v1\nkind: Service\nmetadata: {name: 1a}\nspec: {ports: [{port: 1}]}\n", NULL, "a DNS-1035 label must consist of");
	expect_invalid("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {'b c': 'd', e: 'f g'}}\n", NULL,
		       "[metadata.labels: Invalid value: \"b c\": name part must consist of alphanumeric characters");
	expect_invalid("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {'/x': z}}\n", NULL, "prefix part must be non-empty");
}

static void workloads_are_checked(void **state)
{
	(void)state;
	expect_invalid(DEPLOYMENT "  replicas: -1\n" TEMPLATE, NULL,
		       "Deployment.apps \"web\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0");
	expect_invalid(DEPLOYMENT "  replicas: 1\n", NULL, "[spec.selector: Required value, spec.template.spec.containers: Required value]");
	expect_invalid(DEPLOYMENT "  selector: {matchLabels: {app: web}}\n  template: {metadata: {labels: {app: x}}, spec: {containers: [{name: a, image: b}]}}\n",
		       NULL, "spec.template.metadata.labels: Invalid value: {\"app\":\"x\"}: `selector` does not match template `labels`");
	expect_invalid(DEPLOYMENT "  selector: {matchLabels: {app: web}}\n  template: {metadata: {labels: {app: web}}, spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}\n",
		       NULL, "spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"");
	expect_invalid(DEPLOYMENT "  strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}\n" TEMPLATE, NULL,
		       "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0");
	expect_invalid(DEPLOYMENT "  strategy: {type: Slow}\n" TEMPLATE, NULL,
		       "spec.strategy.type: Unsupported value: \"Slow\": supported values: \"Recreate\", \"RollingUpdate\"");
	expect_invalid("apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec: {template: {spec: {containers: [{name: a, image: b}]}}}\n", NULL,
		       "spec.template.spec.restartPolicy: Unsupported value: \"Always\": supported values: \"OnFailure\", \"Never\"");
	expect_invalid("apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: a}\nspec: {schedule: soon, jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}}}\n",
		       NULL, "spec.schedule: Invalid value: \"soon\": expected exactly 5 fields");
}

#define POD(spec) "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {" spec "}\n"

static void pods_are_checked(void **state)
{
	(void)state;
	expect_invalid(POD("containers: []"), NULL, "Pod \"a\" is invalid: spec.containers: Required value");
	expect_invalid(POD("containers: [{name: a}]"), NULL, "spec.containers[0].image: Required value");
	expect_invalid(POD("containers: [{name: A_b, image: b}]"), NULL, "spec.containers[0].name: Invalid value: \"A_b\": a lowercase RFC 1123 label");
	expect_invalid(POD("containers: [{name: a, image: b}, {name: a, image: b}]"), NULL, "spec.containers[1].name: Duplicate value: \"a\"");
	expect_invalid(POD("containers: [{name: a, image: b, ports: [{containerPort: 70000}]}]"), NULL,
		       "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive");
	expect_invalid(POD("containers: [{name: a, image: b, volumeMounts: [{name: x, mountPath: /x}]}]"), NULL,
		       "spec.containers[0].volumeMounts[0].name: Not found: \"x\"");
	expect_invalid(POD("containers: [{name: a, image: b, env: [{name: 1x, value: z}]}]"), NULL, "a valid environment variable name must consist of");
	expect_invalid(POD("containers: [{name: a, image: b, livenessProbe: {periodSeconds: 5}}]"), NULL,
		       "spec.containers[0].livenessProbe: Required value: must specify a handler type");
	expect_invalid(POD("containers: [{name: a, image: b, imagePullPolicy: Maybe}]"), NULL,
		       "spec.containers[0].imagePullPolicy: Unsupported value: \"Maybe\": supported values: \"Always\", \"IfNotPresent\", \"Never\"");
	expect_invalid(POD("containers: [{name: a, image: b, resources: {limits: {cpu: 1}, requests: {cpu: 2}}}]"), NULL,
		       "must be less than or equal to cpu limit of 1");
	expect_invalid(POD("containers: [{name: a, image: b}], volumes: [{name: v, emptyDir: {}, hostPath: {path: /}}]"), NULL,
		       "may not specify more than 1 volume type");
}

static void updates_keep_what_is_immutable(void **state)
{
	(void)state;
	expect_invalid(DEPLOYMENT "  selector: {matchLabels: {app: x}}\n  template: {metadata: {labels: {app: x}}, spec: {containers: [{name: a, image: b}]}}\n",
		       DEPLOYMENT TEMPLATE, "spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"x\"}}: field is immutable");
	expect_invalid(POD("containers: [{name: a, image: b, command: [x]}]"), POD("containers: [{name: a, image: b}]"),
		       "spec: Forbidden: pod updates may not change fields other than");
	expect_valid(POD("containers: [{name: a, image: 'c:1', imagePullPolicy: Always}]"), POD("containers: [{name: a, image: b}]"));
	expect_invalid("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nimmutable: true\ndata: {a: c}\n",
		       "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nimmutable: true\ndata: {a: b}\n", "data: Forbidden: field is immutable when `immutable` is set");
	expect_invalid("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ntype: x\n", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n",
		       "type: Invalid value: \"x\": field is immutable");
}

static void the_other_kinds_are_checked(void **state)
{
	(void)state;
	expect_invalid("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {}\n", NULL, "spec.ports: Required value");
	expect_invalid("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 1}, {port: 2}]}\n", NULL, "spec.ports[0].name: Required value");
	expect_invalid("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 0}]}\n", NULL, "spec.ports[0].port: Invalid value: 0: must be between");
	expect_invalid("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {type: Odd, ports: [{port: 1}]}\n", NULL,
		       "spec.type: Unsupported value: \"Odd\": supported values: \"ClusterIP\", \"NodePort\", \"LoadBalancer\", \"ExternalName\"");
	expect_invalid("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {'a b': c}\n", NULL, "data[a b]: Invalid value: \"a b\": a valid config key");
	expect_invalid("apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a}\nspec: {rules: [{http: {paths: [{path: x, pathType: Prefix, backend: {service: {name: s}}}]}}]}\n",
		       NULL, "must be an absolute path");
	expect_invalid("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: a}\nrules: [{resources: [pods]}]\n", NULL,
		       "[rules[0].verbs: Required value, rules[0].apiGroups: Required value: resource rules must supply at least one api group]");
	expect_invalid("apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\nspec: {minReplicas: 3, maxReplicas: 2, scaleTargetRef: {kind: Deployment, name: d}}\n",
		       NULL, "must be greater than or equal to `minReplicas`");
	expect_invalid("apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec: {project: default, destination: {}}\n", NULL,
		       "spec.source: Required value");
}

/* ---- files of people ---- */

static void files_name_the_line_and_the_near_miss(void **state)
{
	AUTO_DOC d = read_yaml(DEPLOYMENT "  replcas: 2\n  template:\n    spec:\n      containers:\n      - name: a\n        imgae: b\n");
	AUTO_DOC typed = read_yaml(DEPLOYMENT "  replicas: many\n");
	AUTO_DOC kind = read_yaml("apiVersion: apps/v1\nkind: Deploymnet\n");
	AUTO_DOC foreign = read_yaml("apiVersion: example.com/v1\nkind: Widget\nspec: {x: 1}\n");
	AUTO_DOC good = read_yaml(DEPLOYMENT TEMPLATE);
	AUTO(err) e = { 0 };

	(void)state;
	assert_err(schema_check_file(d, kinds, &e), &e, ERR_BAD_REQUEST, "t.yaml:5: spec.replcas: unknown field (did you mean replicas?)\n"
		   "t.yaml:10: spec.template.spec.containers[0].imgae: unknown field (did you mean image?)");
	assert_err(schema_check_file(typed, kinds, &e), &e, ERR_BAD_REQUEST, "t.yaml:5: spec.replicas: want int32, got string");
	assert_err(schema_check_file(kind, kinds, &e), &e, ERR_NOT_FOUND, "t.yaml:1: no matches for kind \"Deploymnet\" in version \"apps/v1\" (did you mean");
	assert_ok(schema_check_file(foreign, kinds, &e), &e);
	assert_ok(schema_check_file(good, kinds, &e), &e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(defaults_of_a_deployment),
		TEST(defaults_of_a_pod),
		TEST(defaults_of_the_others),
		TEST(defaults_do_not_change_what_has_them),
		TEST(pruning_removes_unknown_and_null_fields),
		TEST(pruning_strictly_is_an_error),
		TEST(pruning_keeps_free_form_fields),
		TEST(valid_objects_pass),
		TEST(wrong_types_are_bad_requests_in_gos_words),
		TEST(metadata_is_checked),
		TEST(workloads_are_checked),
		TEST(pods_are_checked),
		TEST(updates_keep_what_is_immutable),
		TEST(the_other_kinds_are_checked),
		TEST(files_name_the_line_and_the_near_miss),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
