#include "orchestrator/controllers/rows.h"

#include "base/log.h"
#include "base/map.h"

#include <stdlib.h>

enum { PODS, NODES };

#define QUARANTINE_MS 40000     /* a node that is registered again within this time keeps its pods */

/* When a pod was first seen without its node, by uid. */
struct orphans { struct map since; };

static int64_t *since_of(struct orphans *o, const char *uid, int64_t now)
{
	int64_t *since = map_get(&o->since, sv_c(uid));

	if (since)
		return since;
	since = malloc(sizeof *since);
	if (!since)
		abort();
	*since = now;
	(void)map_put(&o->since, sv_c(uid), since);
	return since;
}

static int remove_pod(struct controller *c, const struct object *pod, struct err *err)
{
	const struct delete_opts opts = { .grace_seconds = 0, .uid = pod->uid };
	int r = client_delete(controller_client(c), pod->kind, pod->ns, pod->name, &opts, err);

	if (r >= 0)
		log_event(LOG_INFO, "removed a pod whose node is gone", "namespace", pod->ns, "name", pod->name, NULL);
	return r == -ERR_NOT_FOUND || r == -ERR_CONFLICT ? 0 : r;
}

static int reconcile(struct controller *c, const char *ns, const char *name, struct err *err)
{
	AUTO_OBJECT pod = object_ref(informer_get(controller_informer(c, PODS), ns, name));
	const char *node = pod ? node_str_at(pod->root, "spec.nodeName") : NULL;
	struct orphans *orphans = controller_state(c);
	int64_t now = loop_now_ms(controller_loop(c)), left;

	if (!node)
		return 0;
	if (informer_get(controller_informer(c, NODES), NULL, node)) {
		free(map_del(&orphans->since, sv_c(pod->uid)));
		return 0;
	}
	left = *since_of(orphans, pod->uid, now) + QUARANTINE_MS - now;
	if (left > 0) {
		controller_queue_after(c, ns, name, left);
		return 0;
	}
	free(map_del(&orphans->since, sv_c(pod->uid)));
	return remove_pod(c, pod, err);
}

struct search { struct controller *c; const char *node; };

static bool queue_if_on(struct object *pod, void *arg)
{
	const struct search *s = arg;

	if (str_eq(node_str_at(pod->root, "spec.nodeName"), s->node))
		controller_queue(s->c, pod->ns, pod->name);
	return true;
}

/* Only a node that is gone matters, not its heartbeat; one that comes back is seen when the quarantine ends. */
static void map_node(struct controller *c, const struct object *node)
{
	struct search s = { c, node->name };

	if (!informer_get(controller_informer(c, NODES), NULL, node->name))
		informer_each(controller_informer(c, PODS), NULL, queue_if_on, &s);
}

static void map_pod(struct controller *c, const struct object *pod)
{
	const char *node = node_str_at(pod->root, "spec.nodeName");

	if (node && !informer_get(controller_informer(c, NODES), NULL, node))
		controller_queue(c, pod->ns, pod->name);
}

static void *state_new(struct controller *c)
{
	struct orphans *o = calloc(1, sizeof *o);

	(void)c;
	if (!o)
		abort();
	return o;
}

static void state_free(void *state)
{
	struct orphans *o = state;
	struct map_slot *s;

	map_each(s, &o->since)
		free(s->value);
	map_free(&o->since);
	free(o);
}

const struct controller_spec podgc_controller = {
	.name = "pod-garbage-collector",
	.watches = (const struct controller_watch[]){
		[PODS] = { "v1", "Pod", map_pod },
		[NODES] = { "v1", "Node", map_node },
		{ 0 },
	},
	.reconcile = reconcile,
	.state_new = state_new,
	.state_free = state_free,
};
