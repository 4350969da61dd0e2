#include "check.h"

#include "kube/fake-world.h"
#include "orchestrator/scheduler/scheduler.h"

#include <stdio.h>

static const struct controller_spec *const rows[] = { &scheduler, NULL };

static void add_node(struct world *w, const char *name, const char *cpu, const char *spec)
{
	char json[1024];

	snprintf(json, sizeof json, "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"%s\",\"labels\":{\"zone\":\"%s\",\"size\":\"%s\"}},"
		 "\"spec\":%s,\"status\":{\"allocatable\":{\"cpu\":\"%s\",\"memory\":\"1Gi\",\"pods\":\"10\"},\"conditions\":[{\"type\":\"Ready\","
		 "\"status\":\"True\"}]}}", name, name, cpu, spec, cpu);
	fake_add(w->client, json);
}

static void add_pod(struct world *w, const char *name, const char *cpu, const char *more)
{
	char json[1536];

	snprintf(json, sizeof json, "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"%s\",\"namespace\":\"default\",\"labels\":"
		 "{\"app\":\"web\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"resources\":{\"requests\":{\"cpu\":\"%s\"}}}]%s}}",
		 name, cpu, more);
	fake_add(w->client, json);
}

static const char *node_of(struct world *w, const char *pod) { return world_str(w, "Pod", pod, "spec.nodeName"); }

static void fills(struct world *w)
{
	char name[16];
	int on_a = 0, bound = 0;

	add_node(w, "a", "2", "{}");
	add_node(w, "b", "1", "{}");
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof name, "p%d", i);
		add_pod(w, name, "500m", "");
	}
	world_settle(w);
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof name, "p%d", i);
		on_a += str_eq(node_of(w, name), "a");
		bound += *node_of(w, name) != '\0';
	}
	EXPECT_INT(w, bound, 6);
	EXPECT_INT(w, on_a, 4);
	EXPECT_INT(w, fake_n(w->client, "Event"), 8);
}

static void scheduler_never_promises_more_than_a_node_has(void **state)
{
	(void)state;
	world_run(rows, 20, fills);
}

static const struct { const char *name, *more, *node; } cases[] = {
	{ "selector", ",\"nodeSelector\":{\"zone\":\"b\"}", "b" },
	{ "nowhere", ",\"nodeSelector\":{\"zone\":\"z\"}", "" },
	{ "affinity", ",\"affinity\":{\"nodeAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":{\"nodeSelectorTerms\":[{\"matchExpressions\":"
	  "[{\"key\":\"size\",\"operator\":\"Gt\",\"values\":[\"3\"]}]}]}}}", "c" },
	{ "tolerant", ",\"nodeSelector\":{\"zone\":\"d\"},\"tolerations\":[{\"key\":\"gpu\",\"operator\":\"Exists\"}]", "d" },
	{ "intolerant", ",\"nodeSelector\":{\"zone\":\"d\"}", "" },
	{ "cordoned", ",\"nodeSelector\":{\"zone\":\"e\"}", "" },
	{ "gated", ",\"schedulingGates\":[{\"name\":\"x\"}]", "" },
	{ "foreign", ",\"schedulerName\":\"mine\"", "" },
	{ "preferred", ",\"affinity\":{\"nodeAffinity\":{\"preferredDuringSchedulingIgnoredDuringExecution\":[{\"weight\":100,\"preference\":"
	  "{\"matchExpressions\":[{\"key\":\"zone\",\"operator\":\"In\",\"values\":[\"b\"]}]}}]}}", "b" },
};

static void chooses(struct world *w)
{
	add_node(w, "a", "2", "{}");
	add_node(w, "b", "2", "{}");
	add_node(w, "c", "4", "{}");
	add_node(w, "d", "2", "{\"taints\":[{\"key\":\"gpu\",\"value\":\"yes\",\"effect\":\"NoSchedule\"}]}");
	add_node(w, "e", "2", "{\"unschedulable\":true}");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		add_pod(w, cases[i].name, "1m", cases[i].more);
	world_settle(w);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (!str_eq(node_of(w, cases[i].name), cases[i].node))
			world_fail(w, __FILE__, __LINE__, "pod %s is on '%s', not on '%s'", cases[i].name, node_of(w, cases[i].name), cases[i].node);
	EXPECT_STR(w, world_str(w, "Pod", "nowhere", "status.conditions.0.reason"), "Unschedulable");
	EXPECT_STR(w, world_str(w, "Pod", "nowhere", "status.conditions.0.message"),
		   "0/5 nodes are available: 3 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint {gpu: yes}, "
		   "1 node(s) were unschedulable.");
	EXPECT_STR(w, world_str(w, "Pod", "gated", "status.conditions.0.reason"), "");
}

static void scheduler_filters_and_scores_decide(void **state)
{
	(void)state;
	world_run(rows, 5, chooses);
}

static void waits(struct world *w)
{
	const struct delete_opts now = { .grace_seconds = 0 };
	const struct kind *pod = kinds_find(w->client->kinds, "v1", "Pod");

	add_pod(w, "early", "1", "");
	world_settle(w);
	EXPECT_STR(w, world_str(w, "Pod", "early", "status.conditions.0.message"), "0/0 nodes are available.");
	add_node(w, "a", "1", "{}");
	world_settle(w);
	EXPECT_STR(w, node_of(w, "early"), "a");
	add_pod(w, "late", "1", "");
	world_settle(w);
	EXPECT_STR(w, world_str(w, "Pod", "late", "status.conditions.0.message"), "0/1 nodes are available: 1 Insufficient cpu.");
	EXPECT(w, client_delete(w->client, pod, "default", "early", &now, NULL) >= 0);
	world_settle(w);
	EXPECT_STR(w, node_of(w, "late"), "a");
}

static void scheduler_waiting_pod_gets_the_room_that_comes(void **state)
{
	(void)state;
	world_run(rows, 10, waits);
}

#define APART ",\"affinity\":{\"podAntiAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":[{\"topologyKey\":\"zone\",\"labelSelector\":" \
	"{\"matchLabels\":{\"app\":\"web\"}}}]}}"

static void keeps_apart(struct world *w)
{
	add_node(w, "a", "2", "{}");
	add_node(w, "b", "2", "{}");
	add_pod(w, "one", "1m", APART);
	add_pod(w, "two", "1m", APART);
	add_pod(w, "three", "1m", "");
	world_settle(w);
	EXPECT(w, *node_of(w, "one") + *node_of(w, "two") + *node_of(w, "three") == 'a' + 'b');
	EXPECT(w, strcmp(node_of(w, "one"), node_of(w, "two")) != 0);
}

static void scheduler_anti_affinity_keeps_pods_apart(void **state)
{
	(void)state;
	world_run(rows, 10, keeps_apart);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(scheduler_never_promises_more_than_a_node_has),
		TEST(scheduler_filters_and_scores_decide),
		TEST(scheduler_waiting_pod_gets_the_room_that_comes),
		TEST(scheduler_anti_affinity_keeps_pods_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
