#include "check.h"

#include "kube/fake-world.h"
#include "orchestrator/controllers/rows.h"

#include <stdio.h>

static const struct controller_spec *const rows[] = { &endpoints_controller, NULL };

#define SERVICE(spec) \
	"{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"web\",\"namespace\":\"default\",\"labels\":{\"team\":\"a\"}},\"spec\":{" \
	spec "}}"
#define SELECT "\"selector\":{\"app\":\"web\"},"
#define HTTP "\"ports\":[{\"name\":\"http\",\"port\":80,\"targetPort\":\"web\",\"protocol\":\"TCP\"}]"

static void add_pod(struct world *w, const char *name, const char *labels, int port, const char *status)
{
	char json[1024];

	snprintf(json, sizeof json, "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"%s\",\"namespace\":\"default\",\"labels\":%s},"
		 "\"spec\":{\"nodeName\":\"n1\",\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"ports\":[{\"name\":\"web\",\"containerPort\":%d}]}]},"
		 "\"status\":%s}", name, labels, port, status);
	fake_add(w->client, json);
}

#define READY(ip) "{\"phase\":\"Running\",\"podIP\":\"" ip "\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}"
#define UNREADY(ip) "{\"phase\":\"Running\",\"podIP\":\"" ip "\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\"}]}"

static void groups(struct world *w)
{
	fake_add(w->client, SERVICE(SELECT HTTP));
	add_pod(w, "a", "{\"app\":\"web\"}", 8080, READY("10.0.0.1"));
	add_pod(w, "b", "{\"app\":\"web\"}", 8080, UNREADY("10.0.0.2"));
	add_pod(w, "c", "{\"app\":\"db\"}", 8080, READY("10.0.0.3"));
	add_pod(w, "d", "{\"app\":\"web\"}", 9090, READY("10.0.0.4"));
	add_pod(w, "e", "{\"app\":\"web\"}", 8080, "{\"phase\":\"Pending\"}");
	world_settle(w);
	EXPECT_STR(w, world_str(w, "Endpoints", "web", "subsets.0.addresses.0.ip"), "10.0.0.1");
	EXPECT_STR(w, world_str(w, "Endpoints", "web", "subsets.0.addresses.0.targetRef.name"), "a");
	EXPECT_STR(w, world_str(w, "Endpoints", "web", "subsets.0.notReadyAddresses.0.ip"), "10.0.0.2");
	EXPECT_INT(w, world_int(w, "Endpoints", "web", "subsets.0.ports.0.port"), 8080);
	EXPECT_STR(w, world_str(w, "Endpoints", "web", "subsets.1.addresses.0.ip"), "10.0.0.4");
	EXPECT_INT(w, world_int(w, "Endpoints", "web", "subsets.1.ports.0.port"), 9090);
	EXPECT_STR(w, world_str(w, "Endpoints", "web", "subsets.0.addresses.1.ip"), "");
	EXPECT_STR(w, world_str(w, "Endpoints", "web", "metadata.labels.team"), "a");
}

static void endpoints_group_pods_by_their_ports_and_readiness(void **state)
{
	(void)state;
	world_run(rows, 10, groups);
}

static void leaves(struct world *w)
{
	const struct delete_opts o = { .grace_seconds = 30 };

	fake_add(w->client, SERVICE(SELECT HTTP));
	add_pod(w, "a", "{\"app\":\"web\"}", 80, READY("10.0.0.1"));
	add_pod(w, "b", "{\"app\":\"web\"}", 80, READY("10.0.0.2"));
	world_settle(w);
	EXPECT_STR(w, world_str(w, "Endpoints", "web", "subsets.0.addresses.1.ip"), "10.0.0.2");
	EXPECT(w, client_delete(w->client, kinds_find(w->client->kinds, "v1", "Pod"), "default", "a", &o, NULL) >= 0);
	world_settle(w);
	EXPECT(w, fake_get(w->client, "Pod", "default", "a"));
	EXPECT_STR(w, world_str(w, "Endpoints", "web", "subsets.0.addresses.0.ip"), "10.0.0.2");
	EXPECT_STR(w, world_str(w, "Endpoints", "web", "subsets.0.notReadyAddresses.0.ip"), "");
	fake_set(w->client, "Pod", "default", "b", "metadata.labels.app", "\"other\"");
	world_settle(w);
	EXPECT_STR(w, world_str(w, "Endpoints", "web", "subsets.0.addresses.0.ip"), "");
}

static void endpoints_terminating_pod_leaves_at_once(void **state)
{
	(void)state;
	world_run(rows, 10, leaves);
}

static void publishes(struct world *w)
{
	fake_add(w->client, SERVICE(SELECT "\"clusterIP\":\"None\",\"publishNotReadyAddresses\":true"));
	add_pod(w, "a", "{\"app\":\"web\"}", 80, UNREADY("10.0.0.1"));
	world_settle(w);
	EXPECT_STR(w, world_str(w, "Endpoints", "web", "subsets.0.addresses.0.ip"), "10.0.0.1");
	EXPECT(w, meta_label(fake_get(w->client, "Endpoints", "default", "web")->root, "service.kubernetes.io/headless"));
}

static void endpoints_headless_without_ports_may_publish_unready_pods(void **state)
{
	(void)state;
	world_run(rows, 3, publishes);
}

static void by_hand(struct world *w)
{
	const struct delete_opts o = { .grace_seconds = -1 };

	fake_add(w->client, "{\"apiVersion\":\"v1\",\"kind\":\"Endpoints\",\"metadata\":{\"name\":\"own\",\"namespace\":\"default\"},\"subsets\":"
		 "[{\"addresses\":[{\"ip\":\"1.2.3.4\"}]}]}");
	fake_add(w->client, SERVICE(SELECT HTTP));
	world_settle(w);
	EXPECT_STR(w, world_str(w, "Endpoints", "own", "subsets.0.addresses.0.ip"), "1.2.3.4");
	EXPECT(w, fake_get(w->client, "Endpoints", "default", "web"));
	EXPECT(w, client_delete(w->client, kinds_find(w->client->kinds, "v1", "Service"), "default", "web", &o, NULL) >= 0);
	world_settle(w);
	EXPECT(w, !fake_get(w->client, "Endpoints", "default", "web"));
	EXPECT(w, fake_get(w->client, "Endpoints", "default", "own"));
}

static void endpoints_go_with_their_service_but_not_those_made_by_hand(void **state)
{
	(void)state;
	world_run(rows, 5, by_hand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(endpoints_group_pods_by_their_ports_and_readiness),
		TEST(endpoints_terminating_pod_leaves_at_once),
		TEST(endpoints_headless_without_ports_may_publish_unready_pods),
		TEST(endpoints_go_with_their_service_but_not_those_made_by_hand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
