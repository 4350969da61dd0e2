#include "check.h"

/* All controllers over the real API on the in-memory store, with a fiber that does what a node would do. */

#include "base/fiber.h"
#include "base/json.h"
#include "base/log.h"
#include "base/vec.h"
#include "kube/pod.h"
#include "orchestrator/api/api.h"
#include "orchestrator/controllers/controllers.h"

#include <stdio.h>
#include <stdlib.h>

#define PATIENCE_MS 20000

struct cluster {
	struct kinds *kinds;
	struct store *store;
	struct api *api;
	struct client *client;          /* of the test; the controllers have their own */
	struct client *inner;
	struct informers *informers;
	struct controllers *controllers;
	struct informer *pods;
	struct fiber_group node;
	struct fiber_cond pods_changed;
	bool stop;
	int64_t started;
	char *failure;
};

/* ---- the node ---- */

static int set_running(struct doc *d, struct node *root, void *arg, struct err *err)
{
	struct cluster *k = arg;
	struct node *status = node_map_at(d, root, "status");

	(void)err;
	if (node_str_at(status, "podIP"))
		return 0;
	k->started++;
	node_set(d, status, "phase", node_str(d, "Running"));
	node_set(d, status, "podIP", node_strf(d, "10.0.%d.%d", (int)(k->started >> 8), (int)(k->started & 255)));
	(void)condition_set(d, status, "Ready", "True", NULL, NULL, clock_ms());
	return 1;
}

static bool needs_care(struct object *pod, void *arg)
{
	struct object **out = arg;

	if (!node_str_at(pod->root, "spec.nodeName") || (node_str_at(pod->root, "status.podIP") && !meta_deleting(pod->root)))
		return true;
	*out = object_ref(pod);
	return false;
}

static void care(struct cluster *k, struct object *pod)
{
	const struct delete_opts now = { .grace_seconds = 0, .uid = pod->uid };
	AUTO(err) err = { 0 };
	AUTO_OBJECT done = NULL;
	int r;

	if (meta_deleting(pod->root)) {
		r = client_delete(k->client, pod->kind, pod->ns, pod->name, &now, &err);
		if (r >= 0)
			r = informer_wait_gone(k->pods, pod->uid, &err);
		while (!fiber_canceled() && informer_by_uid(k->pods, pod->uid))
			(void)fiber_wait(&k->pods_changed);
	} else {
		r = client_modify(k->client, pod->kind, pod->ns, pod->name, "status", set_running, k, &done, &err);
		if (r >= 0)
			r = informer_wait_seen(k->pods, done->revision, &err);
	}
	if (r < 0 && r != -ERR_NOT_FOUND && r != -ERR_CONFLICT && r != -ERR_CANCELED && !k->failure)
		k->failure = str_fmt("the node: %s", err_msg(&err));
}

static void run_node(void *arg)
{
	struct cluster *k = arg;

	if (informer_wait(k->pods) < 0)
		return;
	while (!fiber_canceled()) {
		AUTO_OBJECT pod = NULL;

		informer_each(k->pods, NULL, needs_care, &pod);
		if (pod)
			care(k, pod);
		else
			(void)fiber_wait(&k->pods_changed);
	}
}

static void on_pod(void *arg, const struct object *before, const struct object *after)
{
	struct cluster *k = arg;

	(void)before;
	(void)after;
	fiber_signal_all(&k->pods_changed);
}

/* ---- the cluster ---- */

static int start(struct cluster *k, struct err *err)
{
	struct loop *l = fiber_loop();

	k->kinds = kinds_new();
	k->store = store_memory(l);
	const struct api_opts o = { .store = k->store, .kinds = k->kinds, .version = "test" };

	k->api = api_new(l, &o, err);
	if (!k->api)
		return -(int)err->code;
	k->client = api_client(k->api, "test");
	k->inner = api_client(k->api, "controllers");
	k->informers = informers_new(l, k->inner);
	k->controllers = controllers_start(l, k->inner, k->informers);
	k->pods = informer_of(k->informers, kinds_find(k->kinds, "v1", "Pod"));
	informer_on_change(k->pods, on_pod, k);
	fiber_group_init(&k->node, l);
	fiber_group_start(&k->node, "node", run_node, k);
	return 0;
}

static void stop(struct cluster *k)
{
	fiber_group_cancel(&k->node);
	fiber_group_join(&k->node);
	if (k->pods)
		informer_off_change(k->pods, on_pod, k);
	controllers_stop(&k->controllers);
	informers_free(&k->informers);
	client_free(&k->inner);
	client_free(&k->client);
	api_free(&k->api);
	if (k->store)
		k->store->ops->free(k->store);
	kinds_free(&k->kinds);
}

/* ---- asking ---- */

static int create(struct cluster *k, const char *json, struct err *err)
{
	AUTO_DOC d = NULL;
	const struct kind *kind;

	TRY(json_read(sv_c(json), "fixture", 0, &d, err));
	kind = client_kind(k->client, node_str_or(doc_root(d), "apiVersion", ""), node_str_or(doc_root(d), "kind", ""), err);
	return kind ? client_create(k->client, kind, doc_root(d), NULL, NULL, err) : -ERR_NOT_FOUND;
}

static int merge_sub(struct cluster *k, const char *api_version, const char *kind, const char *name, const char *sub, const char *json,
		     struct err *err)
{
	const struct write_opts o = { .subresource = sub };
	AUTO_DOC d = NULL;

	TRY(json_read(sv_c(json), "patch", 0, &d, err));
	return client_patch(k->client, kinds_find(k->kinds, api_version, kind), "default", name, PATCH_MERGE, doc_root(d), &o, NULL, err);
}

static int merge(struct cluster *k, const char *api_version, const char *kind, const char *name, const char *json, struct err *err)
{
	return merge_sub(k, api_version, kind, name, NULL, json, err);
}

/* The text of a field of the live object; NULL: no object, or no such field. */
static char *field(struct cluster *k, const char *api_version, const char *kind, const char *ns, const char *name, const char *path)
{
	AUTO_OBJECT o = NULL;

	if (client_get(k->client, kinds_find(k->kinds, api_version, kind), ns, name, &o, NULL) < 0)
		return NULL;
	const struct node *n = node_at(o->root, path);
	return n ? sv_dup(node_sv(n)) : NULL;
}

struct wish { const char *api_version, *kind, *ns, *name, *path, *want; };     /* want NULL: must be absent */

/* Waits, without counting time but for a test that hangs, until the field is what it should be. */
static int await(struct cluster *k, const struct wish *w, struct err *err)
{
	int64_t end = clock_ms() + PATIENCE_MS;
	char *got = NULL;

	for (;;) {
		free(got);
		got = field(k, w->api_version, w->kind, w->ns, w->name, w->path);
		if (str_eq(got, w->want)) {
			free(got);
			return 0;
		}
		if (clock_ms() > end || k->failure)
			break;
		TRY(fiber_sleep(1));
	}
	(void)err_set(err, ERR_TIMEOUT, "%s %s: %s is '%s', not '%s'%s%s", w->kind, w->name, w->path, got ? got : "(none)",
		      w->want ? w->want : "(none)", k->failure ? "; " : "", k->failure ? k->failure : "");
	free(got);
	return -ERR_TIMEOUT;
}

#define AWAIT(k, err, ...) TRY(await((k), &(struct wish){ __VA_ARGS__ }, (err)))

static int count(struct cluster *k, const char *api_version, const char *kind, const char *ns)
{
	const struct list_opts o = { .ns = ns };
	AUTO(object_list) all = { 0 };

	return client_list(k->client, kinds_find(k->kinds, api_version, kind), &o, &all, NULL) < 0 ? -1 : (int)all.n;
}

static int await_count(struct cluster *k, const char *api_version, const char *kind, const char *ns, int want, struct err *err)
{
	int64_t end = clock_ms() + PATIENCE_MS;
	int got;

	while ((got = count(k, api_version, kind, ns)) != want) {
		if (clock_ms() > end)
			return err_set(err, ERR_TIMEOUT, "%d objects of kind %s, not %d", got, kind, want);
		TRY(fiber_sleep(1));
	}
	return 0;
}

#define NODE "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"n1\"}}"
#define NODE_STATUS "{\"status\":{\"allocatable\":{\"cpu\":\"4\",\"memory\":\"4Gi\",\"pods\":\"100\"},\"conditions\":[{\"type\":\"Ready\"," \
	"\"status\":\"True\",\"lastTransitionTime\":\"2024-01-01T00:00:00Z\",\"lastHeartbeatTime\":\"2024-01-01T00:00:00Z\"}]}}"
#define WEB(ns) "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\",\"namespace\":\"" ns "\"},\"spec\":{" \
	"\"replicas\":3,\"selector\":{\"matchLabels\":{\"app\":\"web\"}},\"template\":{\"metadata\":{\"labels\":{\"app\":\"web\"}}," \
	"\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"v1\",\"ports\":[{\"containerPort\":80}]}]}}}}"
#define SERVICE(ns) "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"web\",\"namespace\":\"" ns "\"},\"spec\":{\"selector\":" \
	"{\"app\":\"web\"},\"ports\":[{\"port\":80}]}}"

static int add_node(struct cluster *k, struct err *err)
{
	const struct write_opts status = { .subresource = "status" };
	AUTO_DOC d = NULL;

	TRY(create(k, NODE, err));
	TRY(json_read(SV(NODE_STATUS), "patch", 0, &d, err));
	return client_patch(k->client, kinds_find(k->kinds, "v1", "Node"), NULL, "n1", PATCH_MERGE, doc_root(d), &status, NULL, err);
}

static int add_namespace(struct cluster *k, const char *name, struct err *err)
{
	char json[128];
	int r;

	snprintf(json, sizeof json, "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"%s\"}}", name);
	r = create(k, json, err);
	return r == -ERR_ALREADY_EXISTS ? 0 : r;
}

/* ---- scripts ---- */

static int deploys(struct cluster *k, struct err *err)
{
	TRY(create(k, WEB("default"), err));
	TRY(create(k, SERVICE("default"), err));
	AWAIT(k, err, "apps/v1", "Deployment", "default", "web", "status.availableReplicas", "3");
	AWAIT(k, err, "apps/v1", "Deployment", "default", "web", "status.conditions.1.reason", "NewReplicaSetAvailable");
	AWAIT(k, err, "v1", "Endpoints", "default", "web", "subsets.0.ports.0.port", "80");
	TRY(merge(k, "apps/v1", "Deployment", "web", "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"v2\"}]}}}}", err));
	TRY(await_count(k, "apps/v1", "ReplicaSet", "default", 2, err));
	AWAIT(k, err, "apps/v1", "Deployment", "default", "web", "status.observedGeneration", "2");
	AWAIT(k, err, "apps/v1", "Deployment", "default", "web", "status.updatedReplicas", "3");
	AWAIT(k, err, "apps/v1", "Deployment", "default", "web", "status.replicas", "3");
	AWAIT(k, err, "apps/v1", "Deployment", "default", "web", "status.availableReplicas", "3");
	TRY(await_count(k, "v1", "Pod", "default", 3, err));
	TRY(merge(k, "apps/v1", "Deployment", "web", "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"v1\","
		  "\"ports\":[{\"containerPort\":80}]}]}}}}", err));
	AWAIT(k, err, "apps/v1", "Deployment", "default", "web", "status.observedGeneration", "3");
	AWAIT(k, err, "apps/v1", "Deployment", "default", "web", "status.updatedReplicas", "3");
	TRY(await_count(k, "v1", "Pod", "default", 3, err));
	return count(k, "apps/v1", "ReplicaSet", "default") == 2 ? 0 : err_set(err, ERR_IO, "the rollback made a third ReplicaSet");
}

static int deletes(struct cluster *k, struct err *err)
{
	const struct delete_opts background = { .propagation = "Background", .grace_seconds = -1 };

	TRY(create(k, WEB("default"), err));
	TRY(create(k, SERVICE("default"), err));
	TRY(await_count(k, "v1", "Pod", "default", 3, err));
	AWAIT(k, err, "apps/v1", "Deployment", "default", "web", "status.availableReplicas", "3");
	TRY(client_delete(k->client, kinds_find(k->kinds, "apps/v1", "Deployment"), "default", "web", &background, err));
	TRY(await_count(k, "apps/v1", "ReplicaSet", "default", 0, err));
	TRY(await_count(k, "v1", "Pod", "default", 0, err));
	AWAIT(k, err, "v1", "Endpoints", "default", "web", "subsets", NULL);
	TRY(client_delete(k->client, kinds_find(k->kinds, "v1", "Service"), "default", "web", NULL, err));
	return await_count(k, "v1", "Endpoints", "default", 0, err);
}

#define POD_OF(app) "\"template\":{\"metadata\":{\"labels\":{\"app\":\"" app "\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}"
#define OTHER(kind, name, spec) \
	"{\"apiVersion\":\"apps/v1\",\"kind\":\"" kind "\",\"metadata\":{\"name\":\"" name "\",\"namespace\":\"default\"},\"spec\":{" spec \
	"\"selector\":{\"matchLabels\":{\"app\":\"" name "\"}}," POD_OF(name) "}}"
#define JOB \
	"{\"apiVersion\":\"batch/v1\",\"kind\":\"Job\",\"metadata\":{\"name\":\"work\",\"namespace\":\"default\"},\"spec\":{\"backoffLimit\":0," \
	"\"template\":{\"spec\":{\"restartPolicy\":\"Never\",\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}}}"

static int other_workloads(struct cluster *k, struct err *err)
{
	TRY(create(k, OTHER("DaemonSet", "agent", ""), err));
	TRY(create(k, OTHER("StatefulSet", "db", "\"replicas\":2,\"serviceName\":\"db\","), err));
	TRY(create(k, JOB, err));
	AWAIT(k, err, "apps/v1", "DaemonSet", "default", "agent", "status.numberReady", "1");
	AWAIT(k, err, "apps/v1", "StatefulSet", "default", "db", "status.readyReplicas", "2");
	AWAIT(k, err, "v1", "Pod", "default", "db-1", "status.phase", "Running");
	AWAIT(k, err, "batch/v1", "Job", "default", "work", "status.ready", "1");
	TRY(merge(k, "apps/v1", "StatefulSet", "db", "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"j\"}]}}}}", err));
	AWAIT(k, err, "v1", "Pod", "default", "db-0", "spec.containers.0.image", "j");
	AWAIT(k, err, "apps/v1", "StatefulSet", "default", "db", "status.updatedReplicas", "2");
	TRY(await_count(k, "apps/v1", "ControllerRevision", "default", 3, err));
	TRY(client_delete(k->client, kinds_find(k->kinds, "batch/v1", "Job"), "default", "work",
			  &(struct delete_opts){ .propagation = "Background", .grace_seconds = -1 }, err));
	return await_count(k, "v1", "Pod", "default", 3, err);
}

#define ROLLOUTS "argoproj.io/v1alpha1", "Rollout"
#define CANARY \
	"{\"apiVersion\":\"argoproj.io/v1alpha1\",\"kind\":\"Rollout\",\"metadata\":{\"name\":\"web\",\"namespace\":\"default\"},\"spec\":{" \
	"\"replicas\":3,\"selector\":{\"matchLabels\":{\"app\":\"web\"}},\"template\":{\"metadata\":{\"labels\":{\"app\":\"web\"}}," \
	"\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"v1\"}]}},\"strategy\":{\"canary\":{\"trafficRouting\":{\"native\":{\"service\":" \
	"\"web\"}},\"scaleDownDelaySeconds\":0,\"steps\":[{\"setWeight\":10},{\"pause\":{}}]}}}}"

static int rolls_out(struct cluster *k, struct err *err)
{
	TRY(create(k, SERVICE("default"), err));
	TRY(create(k, CANARY, err));
	AWAIT(k, err, ROLLOUTS, "default", "web", "status.phase", "Healthy");
	TRY(merge(k, ROLLOUTS, "web", "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"v2\"}]}}}}", err));
	AWAIT(k, err, ROLLOUTS, "default", "web", "status.message", "CanaryPauseStep");
	AWAIT(k, err, ROLLOUTS, "default", "web", "status.canary.weights.canary.weight", "10");
	TRY(await_count(k, "v1", "Pod", "default", 4, err));
	TRY(merge_sub(k, ROLLOUTS, "web", "status", "{\"status\":{\"abort\":true}}", err));
	AWAIT(k, err, ROLLOUTS, "default", "web", "status.canary.weights.canary.weight", "0");
	AWAIT(k, err, ROLLOUTS, "default", "web", "status.phase", "Degraded");
	TRY(merge_sub(k, ROLLOUTS, "web", "status", "{\"status\":{\"abort\":false}}", err));
	AWAIT(k, err, ROLLOUTS, "default", "web", "status.message", "CanaryPauseStep");
	TRY(merge_sub(k, ROLLOUTS, "web", "status", "{\"status\":{\"pauseConditions\":null}}", err));
	AWAIT(k, err, ROLLOUTS, "default", "web", "status.phase", "Healthy");
	return await_count(k, "v1", "Pod", "default", 3, err);
}

static int ends(struct cluster *k, struct err *err)
{
	TRY(add_namespace(k, "shop", err));
	AWAIT(k, err, "v1", "ServiceAccount", "shop", "default", "metadata.name", "default");
	TRY(create(k, WEB("shop"), err));
	TRY(create(k, SERVICE("shop"), err));
	TRY(await_count(k, "v1", "Pod", "shop", 3, err));
	TRY(client_delete(k->client, kinds_find(k->kinds, "v1", "Namespace"), NULL, "shop", NULL, err));
	AWAIT(k, err, "v1", "Namespace", NULL, "shop", "metadata.name", NULL);
	TRY(await_count(k, "v1", "Pod", "shop", 0, err));
	return await_count(k, "v1", "Event", "shop", 0, err);
}

struct test { int (*script)(struct cluster *, struct err *); char *failure; };

static int run(void *arg)
{
	struct test *t = arg;
	struct cluster k = { 0 };
	AUTO(err) err = { 0 };
	int r = start(&k, &err);

	if (r >= 0)
		r = add_namespace(&k, "default", &err);
	if (r >= 0)
		r = add_node(&k, &err);
	if (r >= 0)
		r = t->script(&k, &err);
	t->failure = r < 0 ? sv_dup(sv_c(err_msg(&err))) : NULL;
	stop(&k);
	free(k.failure);
	return r;
}

static void run_script(int (*script)(struct cluster *, struct err *))
{
	struct test t = { script, NULL };

	log_set_level(getenv("CD_TEST_LOG") ? LOG_DEBUG : LOG_ERROR);
	if (fiber_main(run, &t) < 0)
		fail_msg("%s", t.failure);
}

static void controllers_deploy_update_and_roll_back(void **state)
{
	(void)state;
	run_script(deploys);
}

static void controllers_delete_what_a_deployment_made(void **state)
{
	(void)state;
	run_script(deletes);
}

static void controllers_end_a_namespace_with_all_its_content(void **state)
{
	(void)state;
	run_script(ends);
}

static void controllers_roll_out_a_canary_by_weight(void **state)
{
	(void)state;
	run_script(rolls_out);
}

static void controllers_run_the_other_workloads(void **state)
{
	(void)state;
	run_script(other_workloads);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(controllers_deploy_update_and_roll_back),
		TEST(controllers_delete_what_a_deployment_made),
		TEST(controllers_end_a_namespace_with_all_its_content),
		TEST(controllers_roll_out_a_canary_by_weight),
		TEST(controllers_run_the_other_workloads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
