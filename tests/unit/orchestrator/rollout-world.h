/* What the tests of Rollouts share: one Rollout "web" of five pods in a fake cluster, and questions about it. */
#pragma once

#include "check.h"

#include "kube/fake-world.h"
#include "kube/pod.h"
#include "kube/traffic.h"
#include "orchestrator/controllers/rollout/names.h"
#include "orchestrator/controllers/rows.h"

#include <stdio.h>

static const struct controller_spec *const rollout_rows[] = { &rollout_controller, &replicaset_controller, &endpoints_controller, NULL };

#define ROLLOUT(replicas, strategy) \
	"{\"apiVersion\":\"argoproj.io/v1alpha1\",\"kind\":\"Rollout\",\"metadata\":{\"name\":\"web\",\"namespace\":\"default\"},\"spec\":{\"replicas\":" \
	#replicas ",\"selector\":{\"matchLabels\":{\"app\":\"web\"}},\"template\":{\"metadata\":{\"labels\":{\"app\":\"web\"}}," \
	"\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"v1\"}]}},\"strategy\":{" strategy "}}}"
#define SERVICE(name) \
	"{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"" name "\",\"namespace\":\"default\"},\"spec\":{\"selector\":" \
	"{\"app\":\"web\"},\"ports\":[{\"port\":80}]}}"
#define STEPS "\"steps\":[{\"setWeight\":20},{\"pause\":{}},{\"setWeight\":60},{\"pause\":{\"duration\":\"0s\"}}]"

static inline const char *status(struct world *w, const char *path)
{
	char full[96];

	snprintf(full, sizeof full, "status.%s", path);
	return world_str(w, "Rollout", "web", full);
}

static inline void set_image(struct world *w, const char *image)
{
	char json[128];

	snprintf(json, sizeof json, "[{\"name\":\"c\",\"image\":\"%s\"}]", image);
	fake_set(w->client, "Rollout", "default", "web", "spec.template.spec.containers", json);
}

static inline void set_spec(struct world *w, const char *field, const char *json)
{
	char path[64];

	snprintf(path, sizeof path, "spec.%s", field);
	fake_set(w->client, "Rollout", "default", "web", path, json);
}

static inline void set_status(struct world *w, const char *field, const char *json)
{
	char path[64];

	snprintf(path, sizeof path, "status.%s", field);
	fake_set(w->client, "Rollout", "default", "web", path, json);
}

struct tally { const char *image; int n; };

static inline void tally(const struct object *pod, void *arg)
{
	struct tally *t = arg;

	t->n += pod_active(pod->root) && str_eq(node_str_at(pod->root, "spec.containers.0.image"), t->image);
}

static inline int pods(struct world *w, const char *image)
{
	struct tally t = { image, 0 };

	fake_each(w->client, "Pod", tally, &t);
	return t.n;
}

static inline const char *points_at(struct world *w, const char *service)
{
	const struct object *s = fake_get(w->client, "Service", "default", service);

	return s ? node_text(node_get(node_at(s->root, "spec.selector"), ROLLOUT_HASH)) : "";
}

static inline uint32_t weight_of(struct world *w, const char *image)
{
	const struct object *endpoints = fake_get(w->client, "Endpoints", "default", "web");
	struct traffic *t = endpoints ? traffic_read(endpoints->root) : NULL;
	const struct node *it, *addresses = endpoints ? node_at(endpoints->root, "subsets.0.addresses") : NULL;
	uint32_t sum = 0;

	node_each(it, addresses) {
		const struct object *pod = fake_get(w->client, "Pod", "default", node_str_or(it, "targetRef.name", ""));

		if (pod && str_eq(node_str_at(pod->root, "spec.containers.0.image"), image))
			sum += traffic_weight(t, node_str_or(it, "ip", ""));
	}
	traffic_free(&t);
	return sum;
}

/* Version 1 serves. */
static inline void start(struct world *w, const char *json)
{
	fake_add(w->client, SERVICE("web"));
	fake_add(w->client, SERVICE("stable"));
	fake_add(w->client, SERVICE("canary"));
	fake_add(w->client, json);
	world_converge(w);
	EXPECT_STR(w, status(w, "phase"), "Healthy");
	EXPECT_STR(w, status(w, "stableRS"), status(w, "currentPodHash"));
	EXPECT_INT(w, pods(w, "v1"), 5);
}

/* ... and an update to version 2 is under way. */
static inline void begin(struct world *w, const char *json)
{
	start(w, json);
	set_image(w, "v2");
	world_converge(w);
}
