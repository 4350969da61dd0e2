/* A pod's status from what the node knows: a row a situation. */
#include "check.h"

#include <stdio.h>
#include <string.h>
#include "base/json.h"
#include "kube/object.h"
#include "runtime/agent/status.h"

#define NOW 1767323045000       /* 2026-01-02T03:04:05Z */

static struct doc *read_json(const char *text)
{
	struct doc *d = NULL;
	AUTO(err) err = { 0 };

	assert_ok(json_read(sv_c(text), "test", 0, &d, &err), &err);
	return d;
}

/* Containers by letters: w waiting, c waiting after a crash, r running, R running and ready, s ended well, f ended badly;
 * a capital I before a letter makes it an init container. */
static size_t parse(const char *text, struct container_facts *out)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	size_t n = 0;
	bool init = false;

	for (; *text; text++) {
		if (*text == 'I') {
			init = true;
			continue;
		}
		struct container_facts c = { .name = names[n], .image = "demo", .image_id = "", .container_id = "", .init = init };

		c.now.kind = strchr("rR", *text) ? RUN_RUNNING : strchr("sf", *text) ? RUN_ENDED : RUN_WAITING;
		c.now.exit_code = *text == 'f';
		c.now.reason = *text == 'w' ? "ContainerCreating" : *text == 'c' ? "CrashLoopBackOff" : NULL;
		c.ready = c.started = *text == 'R';
		c.has_last = *text == 'c';
		c.last.kind = RUN_ENDED;
		c.last.exit_code = c.has_last;
		out[n++] = c;
		init = false;
	}
	return n;
}

static void expect_phase(const char *containers, const char *policy, const char *want)
{
	char json[64];
	struct container_facts c[4];

	snprintf(json, sizeof json, "{\"spec\":{\"restartPolicy\":\"%s\"}}", policy);
	AUTO_DOC pod = read_json(json);
	struct status_facts f = { .pod = doc_root(pod), .containers = c, .n_containers = parse(containers, c) };

	if (!str_eq(status_phase(&f), want))
		fail_msg("'%s' with %s: %s, want %s", containers, policy, status_phase(&f), want);
}

static void phases_are_kubernetes_phases(void **state)
{
	(void)state;
	expect_phase("w", "Always", "Pending");
	expect_phase("wR", "Always", "Pending");
	expect_phase("r", "Always", "Running");
	expect_phase("c", "Always", "Running");
	expect_phase("cR", "Always", "Running");
	expect_phase("s", "Always", "Running");
	expect_phase("s", "Never", "Succeeded");
	expect_phase("s", "OnFailure", "Succeeded");
	expect_phase("f", "Never", "Failed");
	expect_phase("sf", "Never", "Failed");
	expect_phase("c", "OnFailure", "Running");
	expect_phase("sR", "Never", "Running");
	expect_phase("Irw", "Always", "Pending");
	expect_phase("Isw", "Always", "Pending");
	expect_phase("IsR", "Always", "Running");
	expect_phase("Ifw", "Never", "Failed");
	expect_phase("Icw", "Always", "Pending");
}

static struct doc *status_of(const char *pod_json, const char *containers)
{
	AUTO_DOC pod = read_json(pod_json);
	struct container_facts c[4];
	struct status_facts f = { .pod = doc_root(pod), .containers = c, .n_containers = parse(containers, c), .pod_ip = "10.244.0.2",
				  .host_ip = "192.0.2.2", .start_ms = NOW, .now_ms = NOW, .has_sandbox = true };
	struct doc *d = doc_new();

	doc_set_root(d, status_build(d, &f));
	return d;
}

static void expect_condition(const struct node *status, const char *type, const char *value, const char *reason)
{
	const struct node *c = condition_get(status, type);

	assert_non_null(c);
	if (!str_eq(node_str_at(c, "status"), value) || !str_eq(node_str_or(c, "reason", ""), reason))
		fail_msg("%s is %s (%s), want %s (%s)", type, node_str_at(c, "status"), node_str_or(c, "reason", ""), value, reason);
}

static void ready_pod_has_addresses_conditions_and_containers(void **state)
{
	AUTO_DOC d = status_of("{\"spec\":{}}", "IsR");
	const struct node *s = doc_root(d);

	(void)state;
	assert_string_equal(node_str_at(s, "phase"), "Running");
	assert_string_equal(node_str_at(s, "podIP"), "10.244.0.2");
	assert_string_equal(node_str_at(s, "podIPs.0.ip"), "10.244.0.2");
	assert_string_equal(node_str_at(s, "hostIP"), "192.0.2.2");
	assert_string_equal(node_str_at(s, "startTime"), "2026-01-02T03:04:05Z");
	assert_string_equal(node_str_at(s, "qosClass"), "BestEffort");
	assert_int_equal(node_n(node_at(s, "containerStatuses")), 1);
	assert_int_equal(node_n(node_at(s, "initContainerStatuses")), 1);
	assert_true(node_bool_at(s, "containerStatuses.0.ready", false));
	assert_non_null(node_at(s, "containerStatuses.0.state.running"));
	assert_int_equal(node_int_at(s, "initContainerStatuses.0.state.terminated.exitCode", -1), 0);
	expect_condition(s, "Ready", "True", "");
	expect_condition(s, "Initialized", "True", "");
	expect_condition(s, "PodScheduled", "True", "");
}

static void unready_containers_are_named(void **state)
{
	AUTO_DOC d = status_of("{\"spec\":{}}", "Rrw");
	const struct node *s = doc_root(d);

	(void)state;
	expect_condition(s, "ContainersReady", "False", "ContainersNotReady");
	assert_string_equal(node_str_at(condition_get(s, "Ready"), "message"), "containers with unready status: [b c]");
	assert_string_equal(node_str_at(s, "containerStatuses.2.state.waiting.reason"), "ContainerCreating");
}

static void finished_pods_say_so(void **state)
{
	AUTO_DOC good = status_of("{\"spec\":{\"restartPolicy\":\"Never\"}}", "s");
	AUTO_DOC bad = status_of("{\"spec\":{\"restartPolicy\":\"Never\"}}", "f");

	(void)state;
	expect_condition(doc_root(good), "Ready", "False", "PodCompleted");
	expect_condition(doc_root(bad), "Ready", "False", "PodFailed");
}

static void same_facts_give_the_same_status(void **state)
{
	AUTO_DOC first = status_of("{\"spec\":{}}", "R");
	AUTO_DOC pod = doc_new();
	struct container_facts c[4];
	struct node *root = node_map(pod);

	(void)state;
	node_set(pod, root, "status", node_copy(pod, doc_root(first)));
	struct status_facts f = { .pod = root, .containers = c, .n_containers = parse("R", c), .pod_ip = "10.244.0.2",
				  .host_ip = "192.0.2.2", .start_ms = NOW + 5000, .now_ms = NOW + 9000, .has_sandbox = true };
	assert_true(node_eq(status_build(pod, &f), doc_root(first)));
}

static void foreign_conditions_and_gates_are_kept(void **state)
{
	AUTO_DOC d = status_of("{\"spec\":{\"readinessGates\":[{\"conditionType\":\"x/gate\"}]},\"status\":{\"conditions\":["
			       "{\"type\":\"PodScheduled\",\"status\":\"True\",\"lastTransitionTime\":\"2020-01-01T00:00:00Z\"},"
			       "{\"type\":\"x/gate\",\"status\":\"False\"}]}}", "R");
	const struct node *s = doc_root(d);

	(void)state;
	expect_condition(s, "x/gate", "False", "");
	expect_condition(s, "ContainersReady", "True", "");
	expect_condition(s, "Ready", "False", "ReadinessGatesNotReady");
	assert_string_equal(node_str_at(condition_get(s, "PodScheduled"), "lastTransitionTime"), "2020-01-01T00:00:00Z");
}

static void quality_of_service_follows_limits(void **state)
{
	AUTO_DOC all = status_of("{\"spec\":{\"containers\":[{\"resources\":{\"limits\":{\"cpu\":\"1\",\"memory\":\"1Mi\"}}}]}}", "R");
	AUTO_DOC some = status_of("{\"spec\":{\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"1\"}}}]}}", "R");

	(void)state;
	assert_string_equal(node_str_at(doc_root(all), "qosClass"), "Guaranteed");
	assert_string_equal(node_str_at(doc_root(some), "qosClass"), "Burstable");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(phases_are_kubernetes_phases),
		TEST(ready_pod_has_addresses_conditions_and_containers),
		TEST(unready_containers_are_named),
		TEST(finished_pods_say_so),
		TEST(same_facts_give_the_same_status),
		TEST(foreign_conditions_and_gates_are_kept),
		TEST(quality_of_service_follows_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
