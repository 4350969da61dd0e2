#include "check.h"

#include "kube/fake-world.h"
#include "kube/pod.h"
#include "orchestrator/controllers/rows.h"
#include "orchestrator/scheduler/scheduler.h"

#include <stdio.h>

static const struct controller_spec *const rows[] = { &daemonset_controller, &scheduler, NULL };

#define SET \
	"{\"apiVersion\":\"apps/v1\",\"kind\":\"DaemonSet\",\"metadata\":{\"name\":\"agent\",\"namespace\":\"default\"},\"spec\":{\"selector\":" \
	"{\"matchLabels\":{\"app\":\"agent\"}},\"template\":{\"metadata\":{\"labels\":{\"app\":\"agent\"}},\"spec\":{\"nodeSelector\":{\"run\":\"yes\"}," \
	"\"containers\":[{\"name\":\"c\",\"image\":\"v1\"}]}},\"updateStrategy\":{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"maxUnavailable\":1}}}}"

static void add_node(struct world *w, const char *name, const char *run, const char *spec)
{
	char json[512];

	snprintf(json, sizeof json, "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"%s\",\"labels\":{\"run\":\"%s\"}},\"spec\":%s,"
		 "\"status\":{\"allocatable\":{\"cpu\":\"1\",\"memory\":\"1Gi\",\"pods\":\"10\"}}}", name, run, spec);
	fake_add(w->client, json);
}

struct where { char nodes[64]; int n, new; };

static void note(const struct object *pod, void *arg)
{
	struct where *x = arg;
	const char *node = node_str_or(pod->root, "spec.nodeName", "-");

	x->n += pod_active(pod->root);
	x->new += pod_active(pod->root) && str_eq(node_str_at(pod->root, "spec.containers.0.image"), "v2");
	if (!strstr(x->nodes, node))
		snprintf(x->nodes + strlen(x->nodes), sizeof x->nodes - strlen(x->nodes), "%s", node);
}

static int64_t status(struct world *w, const char *field)
{
	char path[64];

	snprintf(path, sizeof path, "status.%s", field);
	return world_int(w, "DaemonSet", "agent", path);
}

static void runs(struct world *w)
{
	struct where x = { .n = 0 };

	add_node(w, "a", "yes", "{}");
	add_node(w, "b", "no", "{}");
	add_node(w, "c", "yes", "{\"unschedulable\":true}");
	add_node(w, "d", "yes", "{\"taints\":[{\"key\":\"gpu\",\"effect\":\"NoSchedule\"}]}");
	fake_add(w->client, SET);
	world_converge(w);
	fake_each(w->client, "Pod", note, &x);
	EXPECT_INT(w, x.n, 2);
	EXPECT(w, strchr(x.nodes, 'a') && strchr(x.nodes, 'c'));
	EXPECT_INT(w, status(w, "desiredNumberScheduled"), 2);
	EXPECT_INT(w, status(w, "numberReady"), 2);
	EXPECT_INT(w, fake_events(w->client, "Pod", EVENT_ADDED), 2);
	fake_set(w->client, "Node", "", "b", "metadata.labels.run", "\"yes\"");
	world_converge(w);
	EXPECT_INT(w, status(w, "numberReady"), 3);
	fake_set(w->client, "Node", "", "a", "metadata.labels.run", "\"no\"");
	world_converge(w);
	EXPECT_INT(w, status(w, "desiredNumberScheduled"), 2);
	EXPECT_INT(w, fake_n(w->client, "Pod"), 2);
}

static void daemonset_has_a_pod_on_every_node_that_takes_it(void **state)
{
	(void)state;
	world_run(rows, 10, runs);
}

struct floor { struct { const char *uid; bool ready; } pods[16]; int n, fewest; bool counting; };

static void replay(enum event_type type, const struct object *o, void *arg)
{
	struct floor *f = arg;
	int at = 0, ready = 0;

	if (!str_eq(o->kind->kind, "Pod"))
		return;
	while (at < f->n && !str_eq(f->pods[at].uid, o->uid))
		at++;
	if (at == 16)
		return;
	f->n += at == f->n;
	f->pods[at].uid = o->uid;
	f->pods[at].ready = type != EVENT_DELETED && pod_active(o->root) && pod_ready(o->root);
	for (int i = 0; i < f->n; i++)
		ready += f->pods[i].ready;
	f->counting |= ready == 3;
	if (f->counting && ready < f->fewest)
		f->fewest = ready;
}

static void updates(struct world *w)
{
	struct where x = { .n = 0 };
	struct floor f = { .fewest = 3 };

	add_node(w, "a", "yes", "{}");
	add_node(w, "b", "yes", "{}");
	add_node(w, "c", "yes", "{}");
	fake_add(w->client, SET);
	world_converge(w);
	fake_set(w->client, "DaemonSet", "default", "agent", "spec.template.spec.containers", "[{\"name\":\"c\",\"image\":\"v2\"}]");
	world_converge(w);
	fake_each(w->client, "Pod", note, &x);
	EXPECT_INT(w, x.n, 3);
	EXPECT_INT(w, x.new, 3);
	EXPECT_INT(w, status(w, "updatedNumberScheduled"), 3);
	fake_replay(w->client, replay, &f);
	EXPECT(w, f.fewest >= 2);
}

static void daemonset_update_takes_one_node_at_a_time(void **state)
{
	(void)state;
	world_run(rows, 10, updates);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(daemonset_has_a_pod_on_every_node_that_takes_it),
		TEST(daemonset_update_takes_one_node_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
