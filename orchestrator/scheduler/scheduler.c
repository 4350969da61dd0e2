#include "orchestrator/scheduler/scheduler.h"

#include "kube/pod.h"
#include "orchestrator/scheduler/scheduler-internal.h"

#include <stdlib.h>

enum { PODS, NODES };

#define NAME "default-scheduler"

struct state { struct map assumed; };   /* uid of a pod -> name of the node that it is being bound to */

static bool is_mine(const struct node *pod)
{
	return !node_str_at(pod, "spec.nodeName") && pod_active(pod) &&
	       str_eq(node_str_or(pod, "spec.schedulerName", NAME), NAME) &&
	       !node_n(node_at(pod, "spec.schedulingGates"));
}

/* ---- choosing ---- */

static bool passes(const struct request *rq, const struct candidate *c, struct str *why)
{
	for (const struct filter *f = filters; f->name; f++)
		if (!f->fits(rq, c, why))
			return false;
	return true;
}

static int64_t rate(const struct request *rq, const struct candidate *c)
{
	int64_t sum = 0;

	for (const struct score *s = scores; s->name; s++)
		sum += s->weight * s->rate(rq, c);
	return sum;
}

static void count_reason(struct map *reasons, struct sv why)
{
	uintptr_t n = (uintptr_t)map_get(reasons, why);

	(void)map_put(reasons, why, (void *)(n + 1));
}

/* "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable." */
static void write_reasons(struct str *out, size_t nodes, const struct map *reasons)
{
	const struct map_slot *s;
	const char *sep = ": ";

	str_addf(out, "0/%zu nodes are available", nodes);
	map_each(s, reasons) {
		str_addf(out, "%s%zu %s", sep, (size_t)(uintptr_t)s->value, s->key);
		sep = ", ";
	}
	str_addc(out, ".");
}

/* The best node, its name in *node; empty, and why in *why, when there is none. Does not park: what it sees is one moment. */
static void choose(struct controller *c, const struct object *pod, struct str *node, struct str *why)
{
	const struct state *state = controller_state(c);
	AUTO(candidates) all = { 0 };
	struct request rq = { .pod = pod, .all = &all };
	struct map reasons = { 0 };
	struct candidate *it, *best = NULL;

	candidates_read(&all, controller_informer(c, NODES), controller_informer(c, PODS), &state->assumed);
	amounts_of_pod(&rq.wants, pod->root);
	vec_each(it, &all) {
		AUTO(str) reason = { 0 };

		if (!passes(&rq, it, &reason)) {
			count_reason(&reasons, str_sv(&reason));
			continue;
		}
		it->score = rate(&rq, it);
		if (!best || it->score > best->score)
			best = it;
	}
	if (best)
		str_set(node, best->node->name);
	else
		write_reasons(why, all.n, &reasons);
	map_free(&reasons);
	amounts_free(&rq.wants);
}

/* ---- binding ---- */

static struct node *binding_of(struct doc *d, const struct object *pod, const char *node)
{
	struct node *root = node_map(d);

	node_set(d, root, "apiVersion", node_str(d, "v1"));
	node_set(d, root, "kind", node_str(d, "Binding"));
	node_put(d, root, "metadata.name", node_str(d, pod->name));
	node_put(d, root, "metadata.namespace", node_str(d, pod->ns));
	node_put(d, root, "target.apiVersion", node_str(d, "v1"));
	node_put(d, root, "target.kind", node_str(d, "Node"));
	node_put(d, root, "target.name", node_str(d, node));
	return root;
}

static int bind(struct controller *c, struct object *pod, const char *node, struct err *err)
{
	const struct write_opts o = { .subresource = "binding" };
	AUTO_OBJECT bound = NULL;
	AUTO_DOC d = doc_new();

	TRY(client_create(controller_client(c), pod->kind, binding_of(d, pod, node), &o, NULL, err));
	controller_event(c, pod, "Normal", "Scheduled", "Successfully assigned %s/%s to %s", pod->ns, pod->name, node);
	TRY(client_get(controller_client(c), pod->kind, pod->ns, pod->name, &bound, err));
	return informer_wait_seen(controller_informer(c, PODS), bound->revision, err);
}

/* While the write is under way, and until the copy shows it, the node counts as used by the pod. */
static int assume_and_bind(struct controller *c, struct object *pod, struct str *node, struct err *err)
{
	struct state *state = controller_state(c);
	int r;

	(void)map_put(&state->assumed, sv_c(pod->uid), node->p);
	r = bind(c, pod, node->p, err);
	(void)map_del(&state->assumed, sv_c(pod->uid));
	return r == -ERR_NOT_FOUND || r == -ERR_CONFLICT ? 0 : r;       /* gone, or bound by somebody else */
}

/* ---- pods that fit nowhere ---- */

static int note_unschedulable(struct doc *d, struct node *root, void *arg, struct err *err)
{
	(void)err;
	if (node_str_at(root, "spec.nodeName"))
		return 0;
	return condition_set(d, node_map_at(d, root, "status"), "PodScheduled", "False", "Unschedulable", arg,
			     clock_ms());
}

/* Said once: the pod waits until a node or another pod changes, and then it may fit, or not fit for another reason. */
static int refuse(struct controller *c, struct object *pod, const char *why, struct err *err)
{
	const struct node *now = condition_get(node_get(pod->root, "status"), "PodScheduled");
	AUTO_OBJECT noted = NULL;
	int r;

	if (str_eq(node_str_at(now, "message"), why))
		return 0;
	controller_event(c, pod, "Warning", "FailedScheduling", "%s", why);
	r = client_modify(controller_client(c), pod->kind, pod->ns, pod->name, "status", note_unschedulable,
			  (void *)why, &noted, err);
	if (r < 0)
		return r == -ERR_NOT_FOUND ? 0 : r;
	return informer_wait_seen(controller_informer(c, PODS), noted->revision, err);
}

static int reconcile(struct controller *c, const char *ns, const char *name, struct err *err)
{
	struct object *o = informer_get(controller_informer(c, PODS), ns, name);
	AUTO_OBJECT pod = NULL;
	AUTO(str) node = { 0 }, why = { 0 };

	if (!o || !is_mine(o->root))
		return 0;
	pod = object_ref(o);
	choose(c, pod, &node, &why);
	return node.n ? assume_and_bind(c, pod, &node, err) : refuse(c, pod, str_c(&why), err);
}

/* ---- events ---- */

static bool queue_waiting(struct object *pod, void *arg)
{
	if (is_mine(pod->root))
		controller_queue(arg, pod->ns, pod->name);
	return true;
}

static void queue_all_waiting(struct controller *c)
{
	informer_each(controller_informer(c, PODS), NULL, queue_waiting, c);
}

/* A pod that is gone or has finished leaves room for those that wait. */
static void map_pod(struct controller *c, const struct object *pod)
{
	if (is_mine(pod->root))
		controller_queue(c, pod->ns, pod->name);
	else if (pod_finished(pod->root) || !informer_get(controller_informer(c, PODS), pod->ns, pod->name))
		queue_all_waiting(c);
}

static void map_node(struct controller *c, const struct object *node)
{
	(void)node;
	queue_all_waiting(c);
}

static void *state_new(struct controller *c)
{
	struct state *s = calloc(1, sizeof *s);

	(void)c;
	if (!s)
		abort();
	return s;
}

static void state_free(void *state)
{
	struct state *s = state;

	map_free(&s->assumed);
	free(s);
}

const struct controller_spec scheduler = {
	.name = NAME,
	.watches = (const struct controller_watch[]){
		[PODS] = { "v1", "Pod", map_pod },
		[NODES] = { "v1", "Node", map_node },
		{ 0 },
	},
	.reconcile = reconcile,
	.workers = 16,
	.state_new = state_new,
	.state_free = state_free,
};
