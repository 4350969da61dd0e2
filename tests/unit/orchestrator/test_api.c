/* The verbs of the API over the in-process client. */
#include "check.h"

#include "api-cluster.h"

static const char config_a[] =
	"{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: default, labels: {app: x}}, data: {k: v}}";
static const char deployment[] = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: default}, "
				 "status: {replicas: 9}, spec: {replicas: 2,"
				 " selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}},"
				 " spec: {containers: [{name: c, image: 'demo:1'}]}}}}";
static const char pod[] = "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: default}, spec: {containers: "
			  "[{name: c, image: 'demo:1'}]}}";

/* ---- create ---- */

static void creates(struct cluster *c)
{
	AUTO_OBJECT o = create_as(c, deployment, NULL);

	if (!o)
		return;
	note_at(c, o->root, "metadata.generation");
	note_at(c, o->root, "status");
	note_at(c, o->root, "spec.replicas");
	str_addf(&c->trace, "%zu %d %d ", strlen(o->uid), o->revision > 0,
		 node_str_at(o->root, "metadata.creationTimestamp") != NULL);
	create(c, deployment);
	get(c, "pods", "default", "none", "");
	get(c, "deployments", "default", "none", "");
}

static void api_create_sets_what_is_the_servers(void **state)
{
	(void)state;
	cluster_expect(creates, "1 - 2 36 1 1 AlreadyExists: deployments.apps \"web\" already exists\n"
		       "NotFound: pods \"none\" not found\nNotFound: deployments.apps \"none\" not found\n");
}

static void generates(struct cluster *c)
{
	AUTO_OBJECT a = create_as(
		c, "{apiVersion: v1, kind: ConfigMap, metadata: {generateName: x-, namespace: default}}", NULL);
	AUTO_OBJECT b = create_as(
		c, "{apiVersion: v1, kind: ConfigMap, metadata: {generateName: x-, namespace: default}}", NULL);

	if (a && b)
		str_addf(&c->trace, "%zu %d %d", strlen(a->name), !strncmp(a->name, "x-", 2),
			 strcmp(a->name, b->name) != 0);
}

static void api_create_generates_names(void **state)
{
	(void)state;
	cluster_expect(generates, "7 1 1");
}

static void refuses(struct cluster *c)
{
	create(c, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: nowhere}}");
	create(c, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: default, resourceVersion: '5'}}");
	create(c, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: default}, dataa: {}}");
	list(c, "cm", "default", NULL, NULL);
}

static void api_create_refuses_what_cannot_be(void **state)
{
	(void)state;
	cluster_expect(refuses, "NotFound: namespaces \"nowhere\" not found\n"
				"BadRequest: resourceVersion should not be set on objects to be created\n"
				"BadRequest: ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict "
				"decoding error: unknown field \"dataa\"\n");
}

static void dries(struct cluster *c)
{
	const struct write_opts dry = { .dry_run = true };
	const struct delete_opts dry_delete = { .grace_seconds = -1, .dry_run = true };
	AUTO_OBJECT o = create_as(c, config_a, &dry);

	note_at(c, o ? o->root : NULL, "data.k");
	list(c, "cm", "default", NULL, NULL);
	create(c, config_a);
	patch(c, "cm", "default", "a", PATCH_MERGE, "{data: {k: w}}", &dry);
	del_as(c, "cm", "default", "a", &dry_delete);
	get(c, "cm", "default", "a", "data");
}

static void api_dry_run_changes_nothing(void **state)
{
	(void)state;
	cluster_expect(dries, "\"v\" {\"k\":\"v\"} ");
}

/* ---- update ---- */

static void updates(struct cluster *c)
{
	create(c, config_a);
	AUTO_OBJECT first = get_object(c, "cm", "default", "a");
	int64_t second = update(c, "cm", "default", "a", "data.k", "\"w\""),
		third = update(c, "cm", "default", "a", "data.k", "\"w\"");
	AUTO(err) e = { 0 };

	if (!first)
		return;
	str_addf(&c->trace, "%d %d ", second > first->revision, third == second);
	note_result(c, client_update(c->client, first->kind, first->root, NULL, NULL, &e), &e);
	AUTO_DOC d = doc_of(first->root);
	(void)node_del(node_get(doc_root(d), "metadata"), "resourceVersion");
	note_result(c, client_update(c->client, first->kind, doc_root(d), NULL, NULL, &e), &e);
	get(c, "cm", "default", "a", "data.k");
	AUTO_OBJECT last = get_object(c, "cm", "default", "a");
	str_addf(&c->trace, "%d", last && !strcmp(last->uid, first->uid));
}

static void api_update_checks_the_revision_and_skips_what_is_the_same(void **state)
{
	(void)state;
	cluster_expect(updates, "1 1 Conflict: Operation cannot be fulfilled on configmaps \"a\": the object has been "
				"modified; please apply "
				"your changes to the latest version and try again\n\"v\" 1");
}

static void separates(struct cluster *c)
{
	create(c, deployment);
	update_sub(c, "deploy", "default", "web", "status", "status.replicas", "5");
	update_sub(c, "deploy", "default", "web", "status", "spec.replicas", "7");
	get(c, "deploy", "default", "web", "status.replicas");
	get(c, "deploy", "default", "web", "spec.replicas");
	get(c, "deploy", "default", "web", "metadata.generation");
	update(c, "deploy", "default", "web", "status.replicas", "6");
	update(c, "deploy", "default", "web", "spec.replicas", "3");
	update(c, "deploy", "default", "web", "metadata.labels", "{\"a\":\"b\"}");
	get(c, "deploy", "default", "web", "status.replicas");
	get(c, "deploy", "default", "web", "spec.replicas");
	get(c, "deploy", "default", "web", "metadata.generation");
}

static void api_status_and_spec_are_written_apart(void **state)
{
	(void)state;
	cluster_expect(separates, "5 2 1 5 3 2 ");
}

static void patches(struct cluster *c)
{
	create(c, deployment);
	patch(c, "deploy", "default", "web", PATCH_MERGE, "{metadata: {labels: {a: b}}}", NULL);
	patch(c, "deploy", "default", "web", PATCH_STRATEGIC,
	      "{spec: {template: {spec: {containers: [{name: d, image: e}]}}}}", NULL);
	patch(c, "deploy", "default", "web", PATCH_JSON, "[{op: replace, path: /spec/replicas, value: 4}]", NULL);
	get(c, "deploy", "default", "web", "metadata.labels");
	get(c, "deploy", "default", "web", "spec.replicas");
	get(c, "deploy", "default", "web", "spec.template.spec.containers.0.name");
	get(c, "deploy", "default", "web", "spec.template.spec.containers.1.name");
	patch(c, "deploy", "default", "web", PATCH_MERGE, "{metadata: {resourceVersion: '1'}}", NULL);
}

static void api_patches_are_applied_to_the_live_object(void **state)
{
	(void)state;
	cluster_expect(patches, "{\"a\":\"b\"} 4 \"d\" \"c\" Conflict: Operation cannot be fulfilled on "
				"deployments.apps \"web\": the object has "
				"been modified; please apply your changes to the latest version and try again\n");
}

static void scales(struct cluster *c)
{
	create(c, deployment);
	patch(c, "deploy", "default", "web", PATCH_MERGE, "{spec: {replicas: 7}}",
	      &(struct write_opts){ .subresource = "scale" });
	get(c, "deploy", "default", "web", "spec.replicas");
	get(c, "deploy", "default", "web", "metadata.generation");
	patch(c, "deploy", "default", "web", PATCH_MERGE, "{spec: {replicas: -1}}",
	      &(struct write_opts){ .subresource = "scale" });
}

static void api_scale_writes_replicas(void **state)
{
	(void)state;
	cluster_expect(scales, "7 2 Invalid: Scale.autoscaling \"web\" is invalid: spec.replicas: Invalid value: -1: "
			       "must be greater than or "
			       "equal to 0\n");
}

/* ---- delete ---- */

static void finalizes(struct cluster *c)
{
	create(c, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: default, finalizers: "
		  "[example.com/x]}}");
	del(c, "cm", "default", "a");
	get(c, "cm", "default", "a", "metadata.deletionGracePeriodSeconds");
	patch(c, "cm", "default", "a", PATCH_MERGE, "{metadata: {finalizers: null}}", NULL);
	get(c, "cm", "default", "a", "");
	del(c, "cm", "default", "a");
}

static void api_finalizers_hold_an_object(void **state)
{
	(void)state;
	cluster_expect(finalizes, "0 NotFound: configmaps \"a\" not found\nNotFound: configmaps \"a\" not found\n");
}

static void propagates(struct cluster *c)
{
	create(c, config_a);
	del_as(c, "cm", "default", "a", &(struct delete_opts){ .propagation = "Foreground", .grace_seconds = -1 });
	get(c, "cm", "default", "a", "metadata.finalizers");
	del_as(c, "cm", "default", "a", &(struct delete_opts){ .propagation = "Orphan", .grace_seconds = -1 });
	get(c, "cm", "default", "a", "metadata.finalizers");
	del_as(c, "cm", "default", "a", &(struct delete_opts){ .propagation = "Background", .grace_seconds = -1 });
	list(c, "cm", "default", NULL, NULL);
	create(c, config_a);
	del_as(c, "cm", "default", "a", &(struct delete_opts){ .uid = "x", .grace_seconds = -1 });
}

static void api_delete_marks_what_the_collector_is_to_do(void **state)
{
	struct cluster c = { .scenario = propagates };

	(void)state;
	cluster_run(&c);
	assert_non_null(strstr(str_c(&c.trace), "[\"foregroundDeletion\"] [\"orphan\"] Conflict: "));
	assert_non_null(strstr(str_c(&c.trace), "the UID in the precondition (x) does not match the UID in record"));
	str_free(&c.trace);
}

static void graces(struct cluster *c)
{
	create(c, pod);
	get(c, "po", "default", "p", "status");
	del(c, "po", "default", "p");
	list(c, "po", "default", NULL, NULL);
	create(c, pod);
	AUTO_OBJECT bound = NULL;
	AUTO_DOC b = yaml_doc(
		c, "{apiVersion: v1, kind: Binding, metadata: {name: p, namespace: default}, target: {name: n1}}");
	struct write_opts binding = { .subresource = "binding" };
	AUTO(err) e = { 0 };

	note_result(c, client_create(c->client, kind_named(c, "po"), doc_root(b), &binding, &bound, &e), &e);
	get(c, "po", "default", "p", "spec.nodeName");
	get(c, "po", "default", "p", "status.conditions.0.type");
	del(c, "po", "default", "p");
	get(c, "po", "default", "p", "metadata.deletionGracePeriodSeconds");
	del_as(c, "po", "default", "p", &(struct delete_opts){ .grace_seconds = 0 });
	list(c, "po", "default", NULL, NULL);
}

static void api_pods_that_run_are_given_time(void **state)
{
	(void)state;
	cluster_expect(graces, "{\"phase\":\"Pending\",\"qosClass\":\"BestEffort\"} \"n1\" \"PodScheduled\" 30 ");
}

static void ends_namespaces(struct cluster *c)
{
	create(c, "{apiVersion: v1, kind: Namespace, metadata: {name: ns1}}");
	get(c, "ns", NULL, "ns1", "spec.finalizers");
	get(c, "ns", NULL, "ns1", "metadata.labels");
	del(c, "ns", NULL, "ns1");
	get(c, "ns", NULL, "ns1", "status.phase");
	create(c, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: ns1}}");
	update_sub(c, "ns", NULL, "ns1", "finalize", "spec.finalizers", "[]");
	del(c, "ns", NULL, "default");
	list(c, "ns", NULL, NULL, NULL);
}

static void api_namespaces_end_in_order(void **state)
{
	(void)state;
	cluster_expect(ends_namespaces, "[\"kubernetes\"] {\"kubernetes.io/metadata.name\":\"ns1\"} \"Terminating\" "
					"Forbidden: configmaps \"a\" is "
					"forbidden: unable to create new content in namespace ns1 because it is being "
					"terminated\nForbidden: namespaces "
					"\"default\" is forbidden: this namespace may not be deleted\ncd default "
					"kube-node-lease kube-public kube-system ");
}

/* ---- lists ---- */

static void selects(struct cluster *c)
{
	create(c, config_a);
	create(c, "{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: default, labels: {app: z}}}");
	create(c, "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: cd, labels: {app: x}}}");
	list(c, "cm", NULL, "app=x", NULL);
	list(c, "cm", "default", "app!=x", NULL);
	list(c, "cm", "default", NULL, "metadata.name=b");
	list(c, "cm", NULL, NULL, "metadata.name=c");
	list(c, "cm", NULL, NULL, "metadata.namespace!=default");
}

static void api_list_selects(void **state)
{
	(void)state;
	cluster_expect(selects, "c a b b c c ");
}

static void pages(struct cluster *c)
{
	for (int i = 0; i < 5; i++) {
		char *yaml = str_fmt("{apiVersion: v1, kind: ConfigMap, metadata: {name: c%d, namespace: default}}", i);

		create(c, yaml);
		free(yaml);
	}
	struct list_opts o = { .ns = "default", .limit = 2 };
	char *token = list_as(c, "cm", &o);

	del(c, "cm", "default", "c3");          /* after the first page: the list is still the one of then */
	create(c, "{apiVersion: v1, kind: ConfigMap, metadata: {name: c11, namespace: default}}");
	create(c, "{apiVersion: v1, kind: ConfigMap, metadata: {name: c9, namespace: default}}");
	while (token) {
		o.token = token;
		char *next = list_as(c, "cm", &o);

		free(token);
		token = next;
	}
	o.token = "bm9uc2Vuc2U=";
	free(list_as(c, "cm", &o));
}

static void api_list_pages_are_of_one_revision(void **state)
{
	(void)state;
	cluster_expect(pages, "c0 c1 c2 c3 c4 BadRequest: continue key is not valid: \"bm9uc2Vuc2U=\"\n");
}

/* ---- services, secrets ---- */

static void serves(struct cluster *c)
{
	static const char svc[] = "{apiVersion: v1, kind: Service, metadata: {name: %s, namespace: default},"
		" spec: {type: NodePort, selector: {a: b}, ports: [{port: 80%s}]%s}}";
	char *a = str_fmt(svc, "a", ", nodePort: 30080", ""), *b = str_fmt(svc, "b", ", nodePort: 30080", "");
	char *d = str_fmt(svc, "d", "", ", clusterIP: 10.96.0.77");

	create(c, a);
	get(c, "svc", "default", "a", "spec.clusterIP");
	get(c, "svc", "default", "a", "spec.ports.0.targetPort");
	create(c, b);
	create(c, d);
	get(c, "svc", "default", "d", "spec.clusterIPs");
	update(c, "svc", "default", "a", "spec.clusterIP", "\"10.96.0.99\"");
	update(c, "svc", "default", "a", "metadata.labels", "{\"a\":\"b\"}");
	del(c, "svc", "default", "a");
	create(c, b);
	get(c, "svc", "default", "b", "spec.ports.0.nodePort");
	get(c, "svc", "default", "kubernetes", "spec.clusterIP");
	free(a);
	free(b);
	free(d);
}

static void api_services_get_addresses_and_ports(void **state)
{
	(void)state;
	cluster_expect(serves, "\"10.96.1.0\" 80 Invalid: Service \"b\" is invalid: spec.ports[0].nodePort: Invalid "
			       "value: 30080: provided port "
			       "is already allocated\n[\"10.96.0.77\"] Invalid: Service \"a\" is invalid: "
			       "spec.clusterIPs[0]: Invalid value: "
			       "[]string{\"10.96.0.99\"}: may not change once set\n30080 \"10.96.0.1\" ");
}

static void hides(struct cluster *c)
{
	create(c, "{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: default}, stringData: {k: v}, data: "
		  "{b: eA==}}");
	get(c, "secrets", "default", "s", "data");
	get(c, "secrets", "default", "s", "stringData");
	get(c, "secrets", "default", "s", "type");
}

static void api_secret_text_becomes_data(void **state)
{
	(void)state;
	cluster_expect(hides, "{\"b\":\"eA==\",\"k\":\"dg==\"} - \"Opaque\" ");
}

/* ---- watches ---- */

static void note_event(struct cluster *c, struct watch *w)
{
	static const char *const names[] = { "+", "~", "-", "b" };
	struct event ev = { 0 };
	AUTO(err) e = { 0 };
	int r = watch_next(w, &ev, &e);

	note_result(c, r, &e);
	if (r >= 0)
		str_addf(&c->trace, "%s%s ", names[ev.type], ev.object->name);
	object_drop(&ev.object);
}

static void watches(struct cluster *c)
{
	struct object_list l = { 0 };
	struct watch *w = NULL;
	AUTO(err) e = { 0 };

	create(c, config_a);
	note_result(c, client_list(c->client, kind_named(c, "cm"), NULL, &l, &e), &e);
	struct list_opts o = { .ns = "default", .labels = "app=x" };
	note_result(c, client_watch(c->client, kind_named(c, "cm"), &o, l.revision, &w, &e), &e);
	create(c, "{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: default}}");
	create(c, "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: cd, labels: {app: x}}}");
	update(c, "cm", "default", "a", "data.k", "\"w\"");
	update(c, "cm", "default", "b", "metadata.labels", "{\"app\":\"x\"}");
	update(c, "cm", "default", "a", "metadata.labels", "{\"app\":\"z\"}");
	del(c, "cm", "default", "a");
	del(c, "cm", "default", "b");
	for (int i = 0; w && i < 4; i++)
		note_event(c, w);
	watch_close(&w);
	object_list_free(&l);
}

static void api_watch_tells_what_comes_into_and_goes_out_of_sight(void **state)
{
	(void)state;
	cluster_expect(watches, "~a +b -a -b ");
}

static void expires(struct cluster *c)
{
	struct watch *w = NULL, *behind = NULL;
	AUTO(err) e = { 0 };

	create(c, config_a);
	note_result(c, client_watch(c->client, kind_named(c, "cm"), NULL, 0, &behind, &e), &e);
	for (int i = 0; i < 3000; i++) {
		char json[32];

		snprintf(json, sizeof json, "\"%d\"", i);
		update(c, "cm", "default", "a", "data.k", json);
	}
	str_addf(&c->trace, "%d ", -client_watch(c->client, kind_named(c, "cm"), NULL, 2, &w, &e) == ERR_EXPIRED);
	struct event ev = { 0 };
	str_addf(&c->trace, "%d", -watch_next(behind, &ev, &e) == ERR_EXPIRED);
	watch_close(&behind);
}

static void api_watch_that_is_too_old_is_told_so(void **state)
{
	(void)state;
	cluster_expect(expires, "1 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(api_create_sets_what_is_the_servers),
		TEST(api_create_generates_names),
		TEST(api_create_refuses_what_cannot_be),
		TEST(api_dry_run_changes_nothing),
		TEST(api_update_checks_the_revision_and_skips_what_is_the_same),
		TEST(api_status_and_spec_are_written_apart),
		TEST(api_patches_are_applied_to_the_live_object),
		TEST(api_scale_writes_replicas),
		TEST(api_finalizers_hold_an_object),
		TEST(api_delete_marks_what_the_collector_is_to_do),
		TEST(api_pods_that_run_are_given_time),
		TEST(api_namespaces_end_in_order),
		TEST(api_list_selects),
		TEST(api_list_pages_are_of_one_revision),
		TEST(api_services_get_addresses_and_ports),
		TEST(api_secret_text_becomes_data),
		TEST(api_watch_tells_what_comes_into_and_goes_out_of_sight),
		TEST(api_watch_that_is_too_old_is_told_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
