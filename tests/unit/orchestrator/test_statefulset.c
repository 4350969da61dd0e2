#include "check.h"

#include "kube/fake-world.h"
#include "kube/pod.h"
#include "orchestrator/controllers/rows.h"

#include <stdio.h>

static const struct controller_spec *const rows[] = { &statefulset_controller, NULL };

#define SET(replicas, rest) \
	"{\"apiVersion\":\"apps/v1\",\"kind\":\"StatefulSet\",\"metadata\":{\"name\":\"db\",\"namespace\":\"default\"},\"spec\":{\"replicas\":" \
	#replicas ",\"serviceName\":\"db\",\"selector\":{\"matchLabels\":{\"app\":\"db\"}},\"template\":{\"metadata\":{\"labels\":{\"app\":\"db\"}}," \
	"\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"v1\"}]}}" rest "}}"

static const char *image(struct world *w, const char *pod) { return world_str(w, "Pod", pod, "spec.containers.0.image"); }

static void set_image(struct world *w, const char *to)
{
	char json[128];

	snprintf(json, sizeof json, "[{\"name\":\"c\",\"image\":\"%s\"}]", to);
	fake_set(w->client, "StatefulSet", "default", "db", "spec.template.spec.containers", json);
}

/* In order: a pod that is added finds all lower ones ready. */
struct order { bool ready[8]; int there[8]; bool broken; };

static void replay(enum event_type type, const struct object *o, void *arg)
{
	struct order *x = arg;
	int n = str_eq(o->kind->kind, "Pod") ? o->name[3] - '0' : -1;

	if (n < 0 || n > 7)
		return;
	for (int i = 0; type == EVENT_ADDED && i < n; i++)
		x->broken |= !x->ready[i];
	x->ready[n] = type != EVENT_DELETED && pod_ready(o->root) && pod_active(o->root);
}

static void starts(struct world *w)
{
	struct order x = { .broken = false };

	fake_add(w->client, SET(3, ",\"volumeClaimTemplates\":[{\"metadata\":{\"name\":\"data\"},\"spec\":{\"accessModes\":[\"ReadWriteOnce\"]}}]"));
	world_converge(w);
	fake_replay(w->client, replay, &x);
	EXPECT(w, !x.broken);
	EXPECT_INT(w, fake_n(w->client, "Pod"), 3);
	EXPECT_INT(w, fake_n(w->client, "PersistentVolumeClaim"), 3);
	EXPECT_STR(w, world_str(w, "Pod", "db-2", "spec.volumes.0.persistentVolumeClaim.claimName"), "data-db-2");
	EXPECT_STR(w, world_str(w, "Pod", "db-1", "spec.hostname"), "db-1");
	EXPECT_STR(w, world_str(w, "Pod", "db-1", "spec.subdomain"), "db");
	EXPECT_INT(w, world_int(w, "StatefulSet", "db", "status.readyReplicas"), 3);
	EXPECT_STR(w, world_str(w, "StatefulSet", "db", "status.currentRevision"), world_str(w, "StatefulSet", "db", "status.updateRevision"));
	fake_set(w->client, "StatefulSet", "default", "db", "spec.replicas", "1");
	world_converge(w);
	EXPECT_INT(w, fake_n(w->client, "Pod"), 1);
	EXPECT(w, fake_get(w->client, "Pod", "default", "db-0"));
	EXPECT_INT(w, fake_n(w->client, "PersistentVolumeClaim"), 3);
}

static void statefulset_starts_in_order_and_keeps_claims(void **state)
{
	(void)state;
	world_run(rows, 10, starts);
}

static void updates(struct world *w)
{
	fake_add(w->client, SET(3, ""));
	world_converge(w);
	set_image(w, "v2");
	world_settle(w);
	EXPECT_STR(w, image(w, "db-0"), "v1");
	EXPECT_STR(w, image(w, "db-1"), "v1");
	world_converge(w);
	EXPECT_STR(w, image(w, "db-0"), "v2");
	EXPECT_STR(w, image(w, "db-2"), "v2");
	EXPECT_INT(w, world_int(w, "StatefulSet", "db", "status.updatedReplicas"), 3);
	EXPECT_STR(w, world_str(w, "StatefulSet", "db", "status.currentRevision"), world_str(w, "StatefulSet", "db", "status.updateRevision"));
	EXPECT_INT(w, fake_n(w->client, "ControllerRevision"), 2);
	set_image(w, "v1");
	world_converge(w);
	EXPECT_STR(w, image(w, "db-0"), "v1");
	EXPECT_INT(w, fake_n(w->client, "ControllerRevision"), 2);
}

static void statefulset_updates_from_the_highest_and_goes_back(void **state)
{
	(void)state;
	world_run(rows, 10, updates);
}

static void partitions(struct world *w)
{
	const struct delete_opts now = { .grace_seconds = 0 };

	fake_add(w->client, SET(3, ",\"updateStrategy\":{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"partition\":2}}"));
	world_converge(w);
	set_image(w, "v2");
	world_converge(w);
	EXPECT_STR(w, image(w, "db-1"), "v1");
	EXPECT_STR(w, image(w, "db-2"), "v2");
	EXPECT(w, client_delete(w->client, kinds_find(w->client->kinds, "v1", "Pod"), "default", "db-0", &now, NULL) >= 0);
	world_converge(w);
	EXPECT_STR(w, image(w, "db-0"), "v1");          /* below the partition: the version of before */
}

static void statefulset_partition_holds_lower_ordinals(void **state)
{
	(void)state;
	world_run(rows, 10, partitions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(statefulset_starts_in_order_and_keeps_claims),
		TEST(statefulset_updates_from_the_highest_and_goes_back),
		TEST(statefulset_partition_holds_lower_ordinals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
