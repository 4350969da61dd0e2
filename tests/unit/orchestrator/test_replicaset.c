#include "check.h"

#include "base/json.h"
#include "kube/fake-world.h"
#include "orchestrator/controllers/pods.h"
#include "orchestrator/controllers/rows.h"

#include <stdio.h>
#include <stdlib.h>

static const struct controller_spec *const rows[] = { &replicaset_controller, NULL };

#define SET(replicas, rest) \
	"{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\",\"metadata\":{\"name\":\"web\",\"namespace\":\"default\"},\"spec\":{\"replicas\":" \
	#replicas ",\"selector\":{\"matchLabels\":{\"app\":\"web\"}},\"template\":{\"metadata\":{\"labels\":{\"app\":\"web\"}}," \
	"\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}" rest "}}"
#define POD(name, labels) \
	"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"" name "\",\"namespace\":\"default\",\"labels\":" labels "}," \
	"\"spec\":{\"nodeName\":\"n1\",\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}"

static void scales(struct world *w)
{
	fake_add(w->client, SET(3, ""));
	world_converge(w);
	EXPECT_INT(w, fake_n(w->client, "Pod"), 3);
	EXPECT_INT(w, fake_events(w->client, "Pod", EVENT_ADDED), 3);
	EXPECT_INT(w, world_int(w, "ReplicaSet", "web", "status.availableReplicas"), 3);
	EXPECT_INT(w, world_int(w, "ReplicaSet", "web", "status.fullyLabeledReplicas"), 3);
	EXPECT_INT(w, world_int(w, "ReplicaSet", "web", "status.observedGeneration"), 1);
	fake_set(w->client, "ReplicaSet", "default", "web", "spec.replicas", "1");
	world_converge(w);
	EXPECT_INT(w, fake_n(w->client, "Pod"), 1);
	EXPECT_INT(w, world_int(w, "ReplicaSet", "web", "status.replicas"), 1);
	EXPECT_INT(w, fake_events(w->client, "Pod", EVENT_ADDED), 3);
}

static void replicaset_stale_copies_never_make_or_remove_a_pod_too_many(void **state)
{
	(void)state;
	world_run(rows, 25, scales);
}

static void note_name(const struct object *pod, void *arg) { snprintf(arg, 64, "%s", pod->name); }

static void replaces(struct world *w)
{
	const struct delete_opts o = { .grace_seconds = -1 };
	char name[64] = "";

	fake_add(w->client, SET(2, ""));
	world_converge(w);
	fake_each(w->client, "Pod", note_name, name);
	EXPECT(w, *name);
	EXPECT(w, client_delete(w->client, kinds_find(w->client->kinds, "v1", "Pod"), "default", name, &o, NULL) >= 0);
	world_converge(w);
	EXPECT_INT(w, fake_n(w->client, "Pod"), 2);
	EXPECT(w, !fake_get(w->client, "Pod", "default", name));
}

static void replicaset_deleted_pod_is_replaced(void **state)
{
	(void)state;
	world_run(rows, 10, replaces);
}

static void adopts(struct world *w)
{
	const struct object *set;

	fake_add(w->client, POD("stray", "{\"app\":\"web\"}"));
	fake_add(w->client, POD("other", "{\"app\":\"db\"}"));
	set = fake_add(w->client, SET(2, ""));
	world_converge(w);
	EXPECT_STR(w, world_str(w, "Pod", "stray", "metadata.ownerReferences.0.uid"), set->uid);
	EXPECT_STR(w, world_str(w, "Pod", "other", "metadata.ownerReferences.0.uid"), "");
	EXPECT_INT(w, fake_n(w->client, "Pod"), 3);
	fake_set(w->client, "Pod", "default", "stray", "metadata.labels.app", "\"db\"");
	world_converge(w);
	EXPECT_STR(w, world_str(w, "Pod", "stray", "metadata.ownerReferences.0.uid"), "");
	EXPECT_INT(w, fake_n(w->client, "Pod"), 4);
	EXPECT_INT(w, world_int(w, "ReplicaSet", "web", "status.replicas"), 2);
}

static void replicaset_adopts_and_lets_go_by_selector(void **state)
{
	(void)state;
	world_run(rows, 10, adopts);
}

static void find_failure(enum event_type type, const struct object *o, void *arg)
{
	const struct node *c = condition_get(node_get(o->root, "status"), "ReplicaFailure");

	(void)type;
	if (str_eq(o->kind->kind, "ReplicaSet") && c)
		snprintf(arg, 64, "%s", node_str_or(c, "reason", ""));
}

static void fails(struct world *w)
{
	char reason[64] = "";

	fake_fail(w->client, "create", "Pod", ERR_FORBIDDEN, 1);
	fake_add(w->client, SET(4, ""));
	for (int i = 0; i < 1000 && fake_n(w->client, "Pod") < 4; i++)
		world_settle(w);
	world_converge(w);
	fake_replay(w->client, find_failure, reason);
	EXPECT_STR(w, reason, "FailedCreate");
	EXPECT_INT(w, fake_n(w->client, "Pod"), 4);
	EXPECT_STR(w, world_str(w, "ReplicaSet", "web", "status.conditions.0.type"), "");
}

static void replicaset_refused_pod_shows_in_the_status_until_it_is_made(void **state)
{
	(void)state;
	world_run(rows, 0, fails);
}

/* ---- which pods go first ---- */

static struct object *pod(const char *status, const char *more)
{
	static unsigned n;
	AUTO(str) text = { 0 };
	AUTO(err) err = { 0 };
	struct doc *d = NULL;

	str_addf(&text, "{\"metadata\":{\"name\":\"p%u\"%s},\"spec\":{\"nodeName\":\"n\"},\"status\":%s}", n++, more, status);
	assert_ok(json_read(str_sv(&text), "pod", 0, &d, &err), &err);
	return object_new(NULL, d);
}

static void replicaset_rank_takes_the_least_missed_first(void **state)
{
	struct object *v[6], *want[6];

	(void)state;
	want[0] = v[4] = pod("{\"phase\":\"Pending\"}", "");
	want[1] = v[2] = pod("{\"phase\":\"Running\"}", "");
	want[2] = v[3] = pod("{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}",
			     ",\"annotations\":{\"controller.kubernetes.io/pod-deletion-cost\":\"-5\"}");
	want[3] = v[0] = pod("{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"lastTransitionTime\":"
			     "\"2024-01-01T00:00:09Z\"}]}", "");
	want[4] = v[5] = pod("{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"lastTransitionTime\":"
			     "\"2024-01-01T00:00:01Z\"}]}", ",\"creationTimestamp\":\"2024-01-01T00:00:02Z\"");
	want[5] = v[1] = pod("{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"lastTransitionTime\":"
			     "\"2024-01-01T00:00:01Z\"}]}", ",\"creationTimestamp\":\"2024-01-01T00:00:01Z\"");
	pods_rank(v, 6);
	for (int i = 0; i < 6; i++)
		assert_ptr_equal(v[i], want[i]);
	for (int i = 0; i < 6; i++)
		object_drop(&v[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(replicaset_stale_copies_never_make_or_remove_a_pod_too_many),
		TEST(replicaset_deleted_pod_is_replaced),
		TEST(replicaset_adopts_and_lets_go_by_selector),
		TEST(replicaset_refused_pod_shows_in_the_status_until_it_is_made),
		TEST(replicaset_rank_takes_the_least_missed_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
