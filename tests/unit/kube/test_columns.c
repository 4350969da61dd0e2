#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "kube/jsonpath.h"
#include "kube/object.h"
#include "kube/schema/columns.h"
#include "kube/schema/tables.h"

static struct doc *read_json(const char *text)
{
	AUTO(err) e = { 0 };
	struct doc *d = NULL;

	assert_ok(json_read(sv_c(text), text, 0, &d, &e), &e);
	return d;
}

static void expect_column(const char *path, const char *json, const char *want)
{
	struct column c = { .name = "X", .type = "string", .path = path };
	AUTO_DOC d = read_json(json);
	AUTO(str) s = { 0 };
	int64_t now = 0;

	assert_true(time_parse("2024-01-02T00:00:00Z", &now));
	column_text(&c, doc_root(d), now, &s);
	if (strcmp(str_c(&s), want) != 0)
		fail_msg("%s of %s\n  want '%s'\n  got  '%s'", path, json, want, str_c(&s));
}

static void every_column_of_every_kind_is_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < builtin_kinds_n; i++)
		for (const struct column *c = builtin_kinds[i].columns; c && c->name; c++)
			if (!column_known(c))
				fail_msg("%s: column %s: unknown path %s", builtin_kinds[i].kind, c->name, c->path);
}

static void durations_are_short(void **state)
{
	static const struct { int64_t s; const char *want; } rows[] = {
		{ -5, "<invalid>" }, { 0, "0s" }, { 119, "119s" }, { 120, "2m" }, { 130, "2m10s" }, { 599, "9m59s" }, { 600, "10m" },
		{ 10799, "179m" }, { 10800, "3h" }, { 11100, "3h5m" }, { 28800, "8h" }, { 172799, "47h" }, { 172800, "2d" },
		{ 180000, "2d2h" }, { 691200, "8d" }, { 63071999, "729d" }, { 63072000, "2y" }, { 63072000 + 86400, "2y1d" },
		{ 8LL * 365 * 86400, "8y" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO(str) s = { 0 };

		duration_text(rows[i].s * 1000, &s);
		assert_string_equal(str_c(&s), rows[i].want);
	}
}

static void pod_status_says_what_keeps_it_from_running(void **state)
{
	static const struct { const char *pod, *want; } rows[] = {
		{ "{\"status\":{\"phase\":\"Pending\"}}", "Pending" },
		{ "{\"status\":{\"phase\":\"Running\",\"containerStatuses\":[{\"ready\":true,\"state\":{\"running\":{}}}]}}", "Running" },
		{ "{\"status\":{\"phase\":\"Running\",\"containerStatuses\":[{\"state\":{\"waiting\":{\"reason\":\"CrashLoopBackOff\"}}}]}}", "CrashLoopBackOff" },
		{ "{\"status\":{\"phase\":\"Succeeded\",\"containerStatuses\":[{\"state\":{\"terminated\":{\"exitCode\":0,\"reason\":\"Completed\"}}}]}}", "Completed" },
		{ "{\"status\":{\"phase\":\"Failed\",\"containerStatuses\":[{\"state\":{\"terminated\":{\"exitCode\":3}}}]}}", "ExitCode:3" },
		{ "{\"status\":{\"phase\":\"Failed\",\"containerStatuses\":[{\"state\":{\"terminated\":{\"exitCode\":137,\"signal\":9}}}]}}", "Signal:9" },
		{ "{\"status\":{\"phase\":\"Running\",\"containerStatuses\":[{\"state\":{\"terminated\":{\"exitCode\":0,\"reason\":\"Completed\"}}},"
		  "{\"ready\":true,\"state\":{\"running\":{}}}]}}", "NotReady" },
		{ "{\"spec\":{\"initContainers\":[{},{}]},\"status\":{\"phase\":\"Pending\",\"initContainerStatuses\":["
		  "{\"state\":{\"terminated\":{\"exitCode\":0}}},{\"state\":{\"running\":{}}}]}}", "Init:1/2" },
		{ "{\"status\":{\"phase\":\"Pending\",\"initContainerStatuses\":[{\"state\":{\"waiting\":{\"reason\":\"ErrImagePull\"}}}]}}", "Init:ErrImagePull" },
		{ "{\"metadata\":{\"deletionTimestamp\":\"2024-01-01T00:00:00Z\"},\"status\":{\"phase\":\"Running\"}}", "Terminating" },
		{ "{\"status\":{\"phase\":\"Failed\",\"reason\":\"Evicted\"}}", "Evicted" }, { "{}", "Unknown" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		expect_column("=pod_status", rows[i].pod, rows[i].want);
}

static void columns_show_as_kubectl_does(void **state)
{
	static const struct { const char *path, *object, *want; } rows[] = {
		{ "=age", "{\"metadata\":{\"creationTimestamp\":\"2024-01-01T00:00:00Z\"}}", "24h" }, { "=age", "{}", "<unknown>" },
		{ "=pod_ready", "{\"spec\":{\"containers\":[{},{}]},\"status\":{\"containerStatuses\":[{\"ready\":true,\"state\":{\"running\":{}}}]}}", "1/2" },
		{ "=pod_restarts", "{\"status\":{\"containerStatuses\":[{\"restartCount\":3,\"lastState\":{\"terminated\":"
		  "{\"finishedAt\":\"2024-01-01T23:55:00Z\"}}}]}}", "3 (5m ago)" },
		{ "=pod_restarts", "{}", "0" }, { "=pod_gates", "{}", "<none>" },
		{ "=ready_of:.status.readyReplicas", "{\"spec\":{\"replicas\":3},\"status\":{\"readyReplicas\":2}}", "2/3" },
		{ "=ready_of:.status.readyReplicas", "{\"spec\":{\"replicas\":3}}", "0/3" }, { "=number:.status.x", "{}", "0" },
		{ "=service_ports", "{\"spec\":{\"ports\":[{\"port\":80,\"protocol\":\"TCP\"},{\"port\":53,\"nodePort\":30053,\"protocol\":\"UDP\"}]}}",
		  "80/TCP,53:30053/UDP" },
		{ "=service_external_ip", "{\"spec\":{\"type\":\"ClusterIP\"}}", "<none>" },
		{ "=service_external_ip", "{\"spec\":{\"type\":\"LoadBalancer\"}}", "<pending>" },
		{ "=service_external_ip", "{\"spec\":{\"type\":\"ExternalName\",\"externalName\":\"a.b\"}}", "a.b" },
		{ "=endpoints", "{\"subsets\":[{\"addresses\":[{\"ip\":\"1.1.1.1\"},{\"ip\":\"1.1.1.2\"}],\"ports\":[{\"port\":80},{\"port\":81}]}]}",
		  "1.1.1.1:80,1.1.1.1:81,1.1.1.2:80 + 1 more..." },
		{ "=endpoints", "{}", "<none>" }, { "=data_count", "{\"data\":{\"a\":\"\"},\"binaryData\":{\"b\":\"\"}}", "2" },
		{ "=node_status", "{\"spec\":{\"unschedulable\":true},\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}",
		  "Ready,SchedulingDisabled" },
		{ "=node_roles", "{\"metadata\":{\"labels\":{\"node-role.kubernetes.io/control-plane\":\"\"}}}", "control-plane" },
		{ "=label_selector:.spec.selector", "{\"spec\":{\"selector\":{\"matchLabels\":{\"a\":\"b\"},\"matchExpressions\":["
		  "{\"key\":\"t\",\"operator\":\"In\",\"values\":[\"x\",\"y\"]},{\"key\":\"n\",\"operator\":\"DoesNotExist\"}]}}}", "a=b,t in (x,y),!n" },
		{ "=event_object", "{\"involvedObject\":{\"kind\":\"Pod\",\"name\":\"web\"}}", "pod/web" },
		{ "=job_completions", "{\"spec\":{\"completions\":4},\"status\":{\"succeeded\":2}}", "2/4" },
		{ "=hpa_targets", "{\"spec\":{\"metrics\":[{\"type\":\"Resource\",\"resource\":{\"name\":\"cpu\",\"target\":{\"averageUtilization\":80}}}]},"
		  "\"status\":{\"currentMetrics\":[{\"resource\":{\"name\":\"cpu\",\"current\":{\"averageUtilization\":12}}}]}}", "cpu: 12%/80%" },
		{ "=access_modes:.spec.accessModes", "{\"spec\":{\"accessModes\":[\"ReadWriteOnce\",\"ReadOnlyMany\"]}}", "RWO,ROX" },
		{ "=subjects:User", "{\"subjects\":[{\"kind\":\"User\",\"name\":\"a\"},{\"kind\":\"Group\",\"name\":\"b\"}]}", "a" },
		{ "=containers", "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}}}}", "a,b" },
		{ ".status.conditions[?(@.type==\"Available\")].status", "{\"status\":{\"conditions\":[{\"type\":\"X\",\"status\":\"no\"},"
		  "{\"type\":\"Available\",\"status\":\"True\"}]}}", "True" },
		{ ".a['b.c'][1]", "{\"a\":{\"b.c\":[1,2]}}", "2" }, { ".a[*].b", "{\"a\":[{\"b\":1},{\"b\":2}]}", "1,2" },
		{ ".a[-1]", "{\"a\":[1,2]}", "2" }, { ".a", "{\"a\":{\"b\":[true]}}", "{\"b\":[true]}" }, { ".none.x", "{\"a\":1}", "" },
		{ ".a[?(@.b!='x')].c", "{\"a\":[{\"b\":\"x\",\"c\":1},{\"b\":\"y\",\"c\":2}]}", "2" }, { ".a.*", "{\"a\":{\"b\":1,\"c\":2}}", "1,2" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		expect_column(rows[i].path, rows[i].object, rows[i].want);
}

static void json_paths_that_make_no_sense_are_errors(void **state)
{
	static const char *const bad[] = { "a", ".a[", ".a[x]", ".a[?(b)]", ".a[?(@.b=1)]", "..", ".a['b" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		AUTO(err) e = { 0 };

		assert_err(jsonpath_check(bad[i], &e), &e, ERR_INVALID, "not understood from character");
	}
	assert_ok(jsonpath_check(".a[?(@.b == \"c\")].d[0]", NULL), &(struct err){ 0 });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_column_of_every_kind_is_known),
		TEST(durations_are_short),
		TEST(pod_status_says_what_keeps_it_from_running),
		TEST(columns_show_as_kubectl_does),
		TEST(json_paths_that_make_no_sense_are_errors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
