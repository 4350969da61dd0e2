/* The HTTP side over a real server on loopback: statuses, bodies, watches. */
#include "check.h"

#include "api-web.h"

static const char maps[] = "/api/v1/namespaces/default/configmaps";
static const char map_a[] = "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\",\"labels\":{"
			    "\"x\":\"1\"}},\"data\":{\"k\":\"v\"}}";

/* ---- who may ---- */

static void knocks(struct cluster *c)
{
	static const char *const paths[] = {
		"/version", "/livez", "/readyz", "/healthz", "/api", "/apis/apps/v1", "/openapi/v2",
		"/api/v1/namespaces", "/api/v1/unknown", "/", "/metrics"
	};
	static const char *const tokens[] = { "", "plain", "secret-token", "wrong" };
	struct web w = web_open(c);

	for (size_t t = 0; t < 4; t++) {
		w.token = tokens[t];
		for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
			ask(&w, "GET", paths[i], NULL);
		str_addc(&c->trace, "\n");
	}
	web_close(&w);
}

static void http_anonymous_reads_nothing_but_health_and_version(void **state)
{
	(void)state;
	cluster_expect(knocks,
		       "200 200 200 403 403 403 403 403 403 403 403 \n"
		       "200 200 200 200 200 200 200 403 404 403 403 \n"
		       "200 200 200 200 200 200 200 200 404 404 200 \n"
		       "401 401 401 401 401 401 401 401 401 401 401 \n");
}

static void refuses(struct cluster *c)
{
	struct web w = web_open(c);

	w.token = "plain";
	ask_at(&w, ASK("GET", "/api/v1/namespaces/default/secrets/s"), PATHS("message", "reason", "details"));
	web_close(&w);
}

static void http_forbidden_says_who_what_and_where(void **state)
{
	(void)state;
	cluster_expect(refuses, "403 \"secrets \\\"s\\\" is forbidden: User \\\"jane\\\" cannot get resource "
				"\\\"secrets\\\" in API group \\\"\\\" in the "
				"namespace \\\"default\\\"\" \"Forbidden\" {\"kind\":\"secrets\",\"name\":\"s\"} ");
}

/* ---- objects ---- */

static void lives(struct cluster *c)
{
	struct web w = web_open(c);
	char *one = str_fmt("%s/a", maps), *dry = str_fmt("%s?dryRun=All", maps),
	     *bad = str_fmt("%s?dryRun=some", maps);

	ask_at(&w, ASK("POST", dry, .body = map_a), PATHS("metadata.name"));
	ask(&w, "POST", bad, map_a);
	ask_at(&w, ASK("POST", maps, .body = map_a), PATHS("metadata.name", "metadata.namespace", "data"));
	ask_at(&w, ASK("POST", maps, .body = map_a), PATHS("reason", "message", "code"));
	ask_at(&w, ASK("GET", one), PATHS("kind", "apiVersion", "data.k"));
	ask_at(&w, ASK("PATCH", one, "application/merge-patch+json", .body = "{\"data\":{\"k\":\"w\"}}"),
	       PATHS("data.k"));
	ask(&w, "PATCH", one, "{}");
	ask(&w, "PUT", maps, map_a);
	ask(&w, "PUT", one, "{\"kind\":\"Secret\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\"}}");
	ask_at(&w, ASK("PUT", one, "text/plain", .body = "x"), PATHS("reason"));
	ask_at(&w, ASK("PUT", one, .body = "{\"kind\":"), PATHS("reason"));
	ask_at(&w, ASK("DELETE", one), PATHS("status", "details.name", "details.kind"));
	ask_at(&w, ASK("GET", one), PATHS("message", "details"));
	ask(&w, "OPTIONS", one, NULL);
	ask(&w, "GET", "/api/v1/namespaces/default/configmaps/a/status", NULL);
	ask(&w, "GET", "/api/v1/namespaces/default/pods/a/eviction", NULL);
	ask(&w, "DELETE", "/apis/apps/v1/namespaces/default/deployments/a/status", NULL);
	ask(&w, "GET", "/api/v1/namespaces/default/pods/a/log", NULL);
	ask(&w, "DELETE", "/api/v1/configmaps", NULL);
	ask(&w, "POST", "/api/v1/configmaps", map_a);
	web_close(&w);
	free(one);
	free(dry);
	free(bad);
}

static void http_object_lives_and_errors_are_statuses(void **state)
{
	(void)state;
	cluster_expect(
		lives,
		"201 \"a\" 400 201 \"a\" \"default\" {\"k\":\"v\"} 409 \"AlreadyExists\" \"configmaps \\\"a\\\" "
		"already exists\" 409 "
		"200 \"ConfigMap\" \"v1\" \"v\" 200 \"w\" 415 405 400 415 \"UnsupportedMediaType\" 400 \"BadRequest\" "
		"200 \"Success\" \"a\" \"configmaps\" 404 \"configmaps \\\"a\\\" not found\" "
		"{\"kind\":\"configmaps\",\"name\":\"a\"} 405 404 405 405 404 405 405 ");
}

static void posts_big(struct cluster *c)
{
	struct web w = web_open(c);
	AUTO(str) big = { 0 };

	str_addc(&big,
		 "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"");
	memset(str_room(&big, 4 << 20), 'x', 4 << 20);
	big.n += 4 << 20;
	str_addc(&big, "\"}}");
	ask(&w, "POST", maps, str_c(&big));
	web_close(&w);
}

static void http_body_over_the_limit_is_413(void **state)
{
	(void)state;
	cluster_expect(posts_big, "413 ");
}

static void lists(struct cluster *c)
{
	struct web w = web_open(c);

	create(c, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: default, labels: {x: '1'}}}");
	create(c, "{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: default}}");
	ask_at(&w, ASK("GET", "/api/v1/namespaces/default/configmaps?labelSelector=x%3D1"),
	       PATHS("kind", "items.0.metadata.name", "items.1"));
	ask_at(&w, ASK("GET", "/api/v1/configmaps?limit=1"),
	       PATHS("items.0.metadata.name", "metadata.remainingItemCount"));
	ask_at(&w, ASK("GET", "/api/v1/configmaps?fieldSelector=metadata.name%3Db"), PATHS("items.0.metadata.name"));
	ask_at(&w, ASK("GET", "/api/v1/configmaps?labelSelector=x%20in"), PATHS("reason"));
	ask_at(&w,
	       ASK("GET", "/api/v1/configmaps",
		   .accept = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"),
	       PATHS("kind", "items.0.kind", "items.0.data"));
	ask_at(&w, ASK("GET", "/api/v1/configmaps", .accept = "application/json;as=Table;v=v1;g=meta.k8s.io"),
	       PATHS("kind", "columnDefinitions.0.name", "columnDefinitions.1.name", "rows.1.cells.0",
		     "rows.1.object.kind"));
	ask_at(&w, ASK("DELETE", "/api/v1/namespaces/default/configmaps"), PATHS("kind", "items.0.metadata.name"));
	ask_at(&w, ASK("GET", "/api/v1/namespaces/default/configmaps"), PATHS("items"));
	web_close(&w);
}

static void http_lists_come_in_every_form(void **state)
{
	(void)state;
	cluster_expect(lists, "200 \"ConfigMapList\" \"a\" - 200 \"a\" 1 200 \"b\" 400 \"BadRequest\" 200 "
			      "\"PartialObjectMetadataList\" "
			      "\"PartialObjectMetadata\" - 200 \"Table\" \"Name\" \"Data\" \"b\" "
			      "\"PartialObjectMetadata\" 200 \"ConfigMapList\" \"a\" 200 [] ");
}

/* ---- discovery ---- */

static void discovers(struct cluster *c)
{
	struct web w = web_open(c);

	ask_at(&w, ASK("GET", "/api"), PATHS("kind", "versions"));
	ask_at(&w, ASK("GET", "/apis"), PATHS("kind", "groups.0.name"));
	ask_at(&w, ASK("GET", "/apis/apps"), PATHS("kind", "preferredVersion.groupVersion"));
	ask_at(&w, ASK("GET", "/apis/apps/v1"),
	       PATHS("kind", "resources.0.name", "resources.1.name", "resources.2.kind"));
	ask_at(&w, ASK("GET", "/apis/apps/v9"), PATHS("kind"));
	ask_at(&w,
	       ASK("GET", "/apis",
		   .accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"),
	       PATHS("kind", "apiVersion"));
	ask_at(&w,
	       ASK("GET", "/api",
		   .accept = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"),
	       PATHS("apiVersion", "items.0.versions.0.resources.0.scope"));
	ask_at(&w, ASK("GET", "/version"), PATHS("major", "minor", "gitVersion"));
	ask_at(&w, ASK("GET", "/openapi/v3"), PATHS("kind"));
	ask_at(&w, ASK("GET", "/openapi/v3/apis/apps/v1"), PATHS("openapi"));
	web_close(&w);
}

static void http_discovery_describes_every_kind(void **state)
{
	(void)state;
	cluster_expect(discovers,
		       "200 \"APIVersions\" [\"v1\"] 200 \"APIGroupList\" \"admissionregistration.k8s.io\" 200 "
		       "\"APIGroup\" \"apps/v1\" "
		       "200 \"APIResourceList\" \"deployments\" \"deployments/status\" \"Scale\" 404 \"Status\" "
		       "200 \"APIGroupDiscoveryList\" \"apidiscovery.k8s.io/v2\" 200 \"apidiscovery.k8s.io/v2beta1\" "
		       "\"Cluster\" "
		       "200 \"1\" \"30\" \"v1.30.0+cd-test\" 200 - 200 \"3.0.0\" ");
}

/* ---- watches ---- */

struct stream { struct str text; size_t lines, want; };

static int on_line(void *arg, struct sv data)
{
	struct stream *s = arg;

	str_add(&s->text, data);
	for (size_t i = 0; i < data.n; i++)
		s->lines += data.p[i] == '\n';
	return s->lines >= s->want ? -1 : 0;
}

static void note_lines(struct cluster *c, const struct stream *s)
{
	struct sv rest = str_sv(&s->text), line;

	while (sv_cut(rest, '\n', &line, &rest)) {
		AUTO_DOC d = NULL;

		if (json_read(line, "line", 0, &d, NULL) < 0)
			str_addc(&c->trace, "not JSON ");
		str_addf(&c->trace, "%s:%s ", node_str_or(doc_root(d), "type", "?"),
			 node_str_or(doc_root(d), "object.metadata.name",
				     node_str_or(doc_root(d), "object.reason",
						 node_str_or(doc_root(d), "object.kind", "-"))));
	}
}

struct watcher { struct web *w; const char *path; struct stream s; };

static void watches(void *arg)
{
	struct watcher *w = arg;
	struct httpc_response r = { 0 };
	char *url = str_fmt("http://127.0.0.1:%d%s", http_server_port(w->w->server), w->path);
	const char *const headers[] = { "Authorization: Bearer secret-token", NULL };
	struct httpc_request rq = { .method = "GET", .url = url, .headers = headers, .on_data = on_line, .arg = &w->s };

	if (httpc_do(w->w->client, &rq, &r, NULL) >= 0 &&
	    r.status != 200) /* an error: ended by us, once the lines are there */
		str_addf(&w->w->c->trace, "status %d ", r.status);
	httpc_response_free(&r);
	free(url);
}

static void follow(struct cluster *c)
{
	struct web web = web_open(c);
	AUTO_OBJECT first = create_as(
		c, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: default, labels: {x: '1'}}}",
		NULL);
	char *since = str_fmt("/api/v1/configmaps?watch=1&resourceVersion=%" PRId64, first ? first->revision : 0);
	struct watcher v[] = {
		{ &web, "/api/v1/configmaps?watch=true", { .want = 3 } },
		{ &web, since, { .want = 3 } },
		{ &web, "/api/v1/namespaces/default/configmaps?watch=1&labelSelector=x%3D1", { .want = 3 } },
		{ &web,
		  "/api/v1/configmaps?watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3Dnone",
		  { .want = 1 } },
		{ &web,
		  "/api/v1/configmaps?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
		  { .want = 2 } },
	};
	struct fiber_group g;

	fiber_group_init(&g, fiber_loop());
	for (size_t i = 0; i < 5; i++)
		fiber_group_start(&g, "watcher", watches, &v[i]);
	while (!v[0].s.lines || !v[2].s.lines || !v[4].s.lines)
		(void)fiber_sleep(1);           /* those have begun: what follows comes as events */
	create(c, "{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: default}}");
	update(c, "cm", "default", "a", "data", "{\"k\":\"v\"}");
	update(c, "cm", "default", "a", "metadata.labels", "{}");
	fiber_group_join(&g);
	for (size_t i = 0; i < 5; i++) {
		note_lines(c, &v[i].s);
		str_addc(&c->trace, "\n");
		str_free(&v[i].s.text);
	}
	web_close(&web);
	free(since);
}

static void http_watch_streams_events(void **state)
{
	(void)state;
	cluster_expect(follow,
		       "ADDED:a ADDED:b MODIFIED:a \nADDED:b MODIFIED:a MODIFIED:a \nADDED:a MODIFIED:a DELETED:a \n\n"
		       "ADDED:a BOOKMARK:ConfigMap \n");
}

static void watch_old(struct cluster *c)
{
	struct web web = web_open(c);
	struct watcher w = { &web, "/api/v1/configmaps?watch=1&resourceVersion=3", { .want = 1 } };

	create(c, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: default}}");
	for (int i = 0; i < 3000; i++) {
		char json[32];

		snprintf(json, sizeof json, "\"%d\"", i);
		update(c, "cm", "default", "a", "data.k", json);
	}
	watches(&w);
	note_lines(c, &w.s);
	str_free(&w.s.text);
	web_close(&web);
}

static void http_watch_of_a_revision_that_is_gone_is_an_error(void **state)
{
	(void)state;
	cluster_expect(watch_old, "ERROR:Expired ");
}

static void shows_custom(struct cluster *c)
{
	struct web w = web_open(c);

	create(c, "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: jars.example.org}, spec: "
		  "{group: example.org, scope: Namespaced, names: {plural: jars, kind: Jar}, versions: [{name: v1, served: true, "
		  "storage: true, additionalPrinterColumns: [{name: W, type: integer, jsonPath: .spec.w}, {name: Open, type: "
		  "boolean, jsonPath: .spec.open}, {name: Ready, type: string, jsonPath: '.spec.list[?(@.type==\"Ready\")].status'}, "
		  "{name: None, type: string, jsonPath: .spec.none}, {name: Since, type: date, jsonPath: "
		  "'.spec.list[?(@.type==\"Ready\")].at'}], schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, "
		  "x-kubernetes-preserve-unknown-fields: true}}}}}]}}");
	create(c, "{apiVersion: example.org/v1, kind: Jar, metadata: {name: a, namespace: default}, spec: {w: 3, open: true, list: "
		  "[{type: Ready, status: 'True', at: never}]}}");
	ask_at(&w, ASK("GET", "/apis/example.org/v1/jars", .accept = "application/json;as=Table;v=v1;g=meta.k8s.io"),
	       PATHS("rows.0.cells", "columnDefinitions.1.description"));
	web_close(&w);
}

static void http_table_of_a_custom_kind_has_the_types_of_its_columns(void **state)
{
	(void)state;
	cluster_expect(shows_custom, "200 [\"a\",3,true,\"True\",null,\"<invalid>\"] \"Custom resource definition column (in JSONPath "
				     "format): .spec.w\" ");
}

static void continues_old(struct cluster *c)
{
	static const char old[] = "/api/v1/namespaces/default/configmaps?limit=1&continue=MS9kZWZhdWx0L2E%3D";   /* 1/default/a */
	static const char next[] = "/api/v1/namespaces/default/configmaps?limit=1&continue=LTEvZGVmYXVsdC9h";     /* -1/default/a */
	struct web w = web_open(c);

	create(c, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: default}}");
	create(c, "{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: default}}");
	for (int i = 0; i < 3000; i++) {
		char json[32];

		snprintf(json, sizeof json, "\"%d\"", i);
		update(c, "cm", "default", "a", "data.k", json);
	}
	ask_at(&w, ASK("GET", old), PATHS("reason", "metadata.continue"));
	ask_at(&w, ASK("GET", next), PATHS("items.0.metadata.name", "items.1"));
	web_close(&w);
}

static void http_list_that_has_become_old_can_go_on_with_what_is_there_now(void **state)
{
	(void)state;
	cluster_expect(continues_old, "410 \"Expired\" \"LTEvZGVmYXVsdC9h\" 200 \"b\" - ");
}

static void asks_wrongly(struct cluster *c)
{
	static const char *const queries[] = {
		"resourceVersion=x",
		"resourceVersionMatch=Exact",
		"resourceVersionMatch=Exact&resourceVersion=0",
		"resourceVersionMatch=Near&resourceVersion=1",
		"sendInitialEvents=true",
		"continue=MS9kZWZhdWx0L2E%3D&resourceVersion=5",
		"watch=1&resourceVersionMatch=NotOlderThan",
		"watch=1&sendInitialEvents=true",
		"resourceVersionMatch=NotOlderThan&resourceVersion=1",
	};
	struct web w = web_open(c);

	for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
		char *url = str_fmt("/api/v1/configmaps?%s", queries[i]);

		ask_at(&w, ASK("GET", url), PATHS("message"));
		str_addc(&c->trace, "\n");
		free(url);
	}
	web_close(&w);
}

#define WRONG(field, what) "422 \"ListOptions.meta.k8s.io \\\"\\\" is invalid: " field ": " what "\" \n"

static void http_list_options_that_do_not_go_together_are_refused(void **state)
{
	(void)state;
	cluster_expect(asks_wrongly,
		       WRONG("resourceVersion", "Invalid value: \\\"x\\\": strconv.ParseUint: parsing \\\"x\\\": invalid syntax")
		       WRONG("resourceVersionMatch", "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided")
		       WRONG("resourceVersionMatch", "Forbidden: resourceVersionMatch \\\"exact\\\" is forbidden for resourceVersion "
						     "\\\"0\\\"")
		       WRONG("resourceVersionMatch", "Unsupported value: \\\"Near\\\": supported values: \\\"Exact\\\", "
						     "\\\"NotOlderThan\\\"")
		       WRONG("sendInitialEvents", "Forbidden: sendInitialEvents is forbidden for list")
		       "400 \"specifying resource version is not allowed when using continue\" \n"
		       WRONG("resourceVersionMatch", "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents "
						     "is provided")
		       WRONG("resourceVersionMatch", "Forbidden: sendInitialEvents requires setting resourceVersionMatch to "
						     "NotOlderThan")
		       "200 - \n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(http_anonymous_reads_nothing_but_health_and_version),
		TEST(http_forbidden_says_who_what_and_where),
		TEST(http_object_lives_and_errors_are_statuses),
		TEST(http_body_over_the_limit_is_413),
		TEST(http_lists_come_in_every_form),
		TEST(http_discovery_describes_every_kind),
		TEST(http_watch_streams_events),
		TEST(http_watch_of_a_revision_that_is_gone_is_an_error),
		TEST(http_table_of_a_custom_kind_has_the_types_of_its_columns),
		TEST(http_list_that_has_become_old_can_go_on_with_what_is_there_now),
		TEST(http_list_options_that_do_not_go_together_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
