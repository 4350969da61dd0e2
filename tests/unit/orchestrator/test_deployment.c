#include "check.h"

#include "kube/fake-world.h"
#include "kube/pod.h"
#include "orchestrator/controllers/family.h"
#include "orchestrator/controllers/rows.h"

#include <stdio.h>
#include <stdlib.h>

static const struct controller_spec *const rows[] = { &deployment_controller, &replicaset_controller, NULL };

#define DEPLOYMENT(replicas, rest) \
	"{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\",\"namespace\":\"default\",\"annotations\":" \
	"{\"kubernetes.io/change-cause\":\"first\"}},\"spec\":{\"replicas\":" #replicas ",\"selector\":{\"matchLabels\":{\"app\":\"web\"}}," \
	"\"template\":{\"metadata\":{\"labels\":{\"app\":\"web\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"v1\"}]}}" rest "}}"

#define ROLLING(surge, gone) ",\"strategy\":{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"maxSurge\":" #surge ",\"maxUnavailable\":" #gone "}}"

static void set_image(struct world *w, const char *image)
{
	char json[128];

	snprintf(json, sizeof json, "[{\"name\":\"c\",\"image\":\"%s\"}]", image);
	fake_set(w->client, "Deployment", "default", "web", "spec.template.spec.containers", json);
	fake_set(w->client, "Deployment", "default", "web", "metadata.generation", "2");
}

static const char *reason(const struct world *w, const char *type)
{
	const struct object *o = fake_get(w->client, "Deployment", "default", "web");

	return o ? node_str_or(condition_get(node_get(o->root, "status"), type), "reason", "") : "";
}

/* ---- what pods did over the whole history ---- */

struct history {
	struct { const char *uid; bool there, ready; } pods[64];
	size_t n;
	int64_t most, fewest;   /* pods at once; ready pods at once since the count was first reached */
	int64_t reached;
	bool counting;
};

static void replay(enum event_type type, const struct object *o, void *arg)
{
	struct history *h = arg;
	int64_t there = 0, ready = 0;
	size_t at = 0;

	if (!str_eq(o->kind->kind, "Pod"))
		return;
	while (at < h->n && !str_eq(h->pods[at].uid, o->uid))
		at++;
	if (at == 64)
		return;
	if (at == h->n)
		h->pods[h->n++].uid = o->uid;
	h->pods[at].there = type != EVENT_DELETED && pod_active(o->root);
	h->pods[at].ready = h->pods[at].there && pod_ready(o->root);
	for (size_t i = 0; i < h->n; i++) {
		there += h->pods[i].there;
		ready += h->pods[i].ready;
	}
	if (there > h->most)
		h->most = there;
	h->counting |= ready >= h->reached;
	if (h->counting && ready < h->fewest)
		h->fewest = ready;
}

static struct history history_of(const struct world *w, int64_t reached)
{
	struct history h = { .fewest = reached, .reached = reached };

	fake_replay(w->client, replay, &h);
	return h;
}

/* ---- rolling updates ---- */

static void rolls(struct world *w)
{
	struct history h;

	fake_add(w->client, DEPLOYMENT(4, ROLLING(1, 1)));
	world_converge(w);
	EXPECT_INT(w, fake_n(w->client, "ReplicaSet"), 1);
	EXPECT_INT(w, world_int(w, "Deployment", "web", "status.availableReplicas"), 4);
	EXPECT_INT(w, world_int(w, "Deployment", "web", "status.updatedReplicas"), 4);
	EXPECT_STR(w, reason(w, "Progressing"), "NewReplicaSetAvailable");
	EXPECT_STR(w, reason(w, "Available"), "MinimumReplicasAvailable");
	EXPECT_STR(w, meta_annotation(fake_get(w->client, "Deployment", "default", "web")->root, "deployment.kubernetes.io/revision"), "1");
	set_image(w, "v2");
	world_converge(w);
	EXPECT_INT(w, fake_n(w->client, "ReplicaSet"), 2);
	EXPECT_INT(w, fake_n(w->client, "Pod"), 4);
	EXPECT_INT(w, world_int(w, "Deployment", "web", "status.updatedReplicas"), 4);
	EXPECT_INT(w, world_int(w, "Deployment", "web", "status.replicas"), 4);
	EXPECT_INT(w, world_int(w, "Deployment", "web", "status.observedGeneration"), 2);
	EXPECT_STR(w, reason(w, "Progressing"), "NewReplicaSetAvailable");
	h = history_of(w, 4);
	EXPECT(w, h.most <= 5);
	EXPECT(w, h.fewest >= 3);
	EXPECT_INT(w, fake_events(w->client, "Pod", EVENT_ADDED), 8);
}

static void deployment_update_keeps_floor_and_ceiling(void **state)
{
	(void)state;
	world_run(rows, 25, rolls);
}

struct sets { const struct object *by_revision[8]; size_t n; };

static void note_set(const struct object *o, void *arg)
{
	struct sets *s = arg;
	const char *text = meta_annotation(o->root, "deployment.kubernetes.io/revision");

	s->n++;
	if (text && atoi(text) < 8)
		s->by_revision[atoi(text)] = o;
}

static void undoes(struct world *w)
{
	struct sets s = { 0 };

	fake_add(w->client, DEPLOYMENT(2, ""));
	world_converge(w);
	set_image(w, "v2");
	world_converge(w);
	set_image(w, "v1");
	world_converge(w);
	fake_each(w->client, "ReplicaSet", note_set, &s);
	EXPECT_INT(w, s.n, 2);
	EXPECT(w, !s.by_revision[1] && s.by_revision[2] && s.by_revision[3]);
	EXPECT_INT(w, set_replicas(s.by_revision[3]), 2);
	EXPECT_INT(w, set_replicas(s.by_revision[2]), 0);
	EXPECT_STR(w, meta_annotation(s.by_revision[3]->root, "deployment.kubernetes.io/revision-history"), "1");
	EXPECT_STR(w, meta_annotation(s.by_revision[3]->root, "kubernetes.io/change-cause"), "first");
	EXPECT_STR(w, meta_annotation(fake_get(w->client, "Deployment", "default", "web")->root, "deployment.kubernetes.io/revision"), "3");
}

static void deployment_undo_takes_the_old_set_with_a_new_revision(void **state)
{
	(void)state;
	world_run(rows, 10, undoes);
}

static void trims(struct world *w)
{
	char image[16];

	fake_add(w->client, DEPLOYMENT(1, ",\"revisionHistoryLimit\":2"));
	for (int i = 1; i <= 5; i++) {
		snprintf(image, sizeof image, "v%d", i);
		set_image(w, image);
		world_converge(w);
	}
	EXPECT_INT(w, fake_n(w->client, "ReplicaSet"), 3);
	EXPECT_INT(w, fake_n(w->client, "Pod"), 1);
}

static void deployment_history_is_trimmed_to_its_limit(void **state)
{
	(void)state;
	world_run(rows, 5, trims);
}

static void deployment_old_and_new(enum event_type type, const struct object *o, void *arg)
{
	struct { int old, new; bool met; } *n = arg;
	int change = type == EVENT_ADDED ? 1 : type == EVENT_DELETED ? -1 : 0;

	if (!str_eq(o->kind->kind, "Pod"))
		return;
	if (str_eq(node_str_at(o->root, "spec.containers.0.image"), "v1"))
		n->old += change;
	else
		n->new += change;
	n->met |= n->old && n->new;
}

static void recreates(struct world *w)
{
	struct { int old, new; bool met; } n = { 0 };

	fake_add(w->client, DEPLOYMENT(3, ",\"strategy\":{\"type\":\"Recreate\"}"));
	world_converge(w);
	set_image(w, "v2");
	world_converge(w);
	fake_replay(w->client, deployment_old_and_new, &n);
	EXPECT(w, !n.met);
	EXPECT_INT(w, n.new, 3);
	EXPECT_INT(w, n.old, 0);
}

static void deployment_recreate_never_runs_both_versions(void **state)
{
	(void)state;
	world_run(rows, 10, recreates);
}

static void pauses(struct world *w)
{
	fake_add(w->client, DEPLOYMENT(2, ""));
	world_converge(w);
	fake_set(w->client, "Deployment", "default", "web", "spec.paused", "true");
	set_image(w, "v2");
	fake_set(w->client, "Deployment", "default", "web", "spec.replicas", "3");
	world_converge(w);
	EXPECT_INT(w, fake_n(w->client, "ReplicaSet"), 1);
	EXPECT_INT(w, fake_n(w->client, "Pod"), 3);
	EXPECT_STR(w, reason(w, "Progressing"), "DeploymentPaused");
	fake_set(w->client, "Deployment", "default", "web", "spec.paused", "false");
	world_converge(w);
	EXPECT_INT(w, fake_n(w->client, "ReplicaSet"), 2);
	EXPECT_INT(w, world_int(w, "Deployment", "web", "status.updatedReplicas"), 3);
	EXPECT_STR(w, reason(w, "Progressing"), "NewReplicaSetAvailable");
}

static void deployment_paused_scales_and_does_not_roll(void **state)
{
	(void)state;
	world_run(rows, 5, pauses);
}

/* ---- stuck ---- */

static void exceeds(struct world *w)
{
	fake_add(w->client, DEPLOYMENT(2, ",\"progressDeadlineSeconds\":0"));
	for (int i = 0; i < 5000 && !str_eq(reason(w, "Progressing"), "ProgressDeadlineExceeded"); i++)
		world_settle(w);
	EXPECT_STR(w, reason(w, "Progressing"), "ProgressDeadlineExceeded");
	world_converge(w);
	EXPECT_STR(w, reason(w, "Progressing"), "NewReplicaSetAvailable");
}

static void deployment_without_progress_says_so_after_its_deadline(void **state)
{
	(void)state;
	world_run(rows, 0, exceeds);
}

static void collides(struct world *w)
{
	char hash[16], json[512];
	const struct object *d = fake_add(w->client, DEPLOYMENT(2, ",\"paused\":true"));

	family_hash(node_at(d->root, "spec.template"), NULL, hash);
	snprintf(json, sizeof json, "{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\",\"metadata\":{\"name\":\"web-%s\",\"namespace\":\"default\"},"
		 "\"spec\":{\"replicas\":0,\"selector\":{\"matchLabels\":{\"x\":\"y\"}},\"template\":{\"metadata\":{\"labels\":{\"x\":\"y\"}}}}}", hash);
	fake_add(w->client, json);
	fake_set(w->client, "Deployment", "default", "web", "spec.paused", "false");
	world_converge(w);
	EXPECT_INT(w, world_int(w, "Deployment", "web", "status.collisionCount"), 0);
	EXPECT_INT(w, fake_n(w->client, "ReplicaSet"), 2);
	EXPECT_INT(w, world_int(w, "Deployment", "web", "status.availableReplicas"), 2);
}

static void deployment_taken_name_is_avoided_by_another_hash(void **state)
{
	(void)state;
	world_run(rows, 5, collides);
}

static void scales_in_the_middle(struct world *w)
{
	fake_add(w->client, DEPLOYMENT(4, ROLLING(1, 0)));
	world_converge(w);
	set_image(w, "v2");
	world_settle(w);        /* one new pod, not ready */
	EXPECT_INT(w, fake_n(w->client, "Pod"), 5);
	fake_set(w->client, "Deployment", "default", "web", "spec.replicas", "8");
	world_settle(w);
	EXPECT_INT(w, fake_n(w->client, "Pod"), 9);
	world_converge(w);
	EXPECT_INT(w, fake_n(w->client, "Pod"), 8);
	EXPECT_INT(w, world_int(w, "Deployment", "web", "status.updatedReplicas"), 8);
}

static void deployment_scaled_in_the_middle_of_an_update_goes_on(void **state)
{
	(void)state;
	world_run(rows, 5, scales_in_the_middle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(deployment_update_keeps_floor_and_ceiling),
		TEST(deployment_undo_takes_the_old_set_with_a_new_revision),
		TEST(deployment_history_is_trimmed_to_its_limit),
		TEST(deployment_recreate_never_runs_both_versions),
		TEST(deployment_paused_scales_and_does_not_roll),
		TEST(deployment_without_progress_says_so_after_its_deadline),
		TEST(deployment_taken_name_is_avoided_by_another_hash),
		TEST(deployment_scaled_in_the_middle_of_an_update_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
