#include "orchestrator/controllers/rows.h"

#include "base/map.h"
#include "base/vec.h"
#include "kube/pod.h"
#include "orchestrator/controllers/batch.h"
#include "orchestrator/controllers/claim.h"
#include "orchestrator/controllers/pods.h"
#include "orchestrator/controllers/revisions.h"
#include "orchestrator/controllers/rolling.h"
#include "orchestrator/scheduler/scheduler-internal.h"

#include <stdlib.h>

enum { SETS, PODS, NODES, REVISIONS };

/* One node, and the pod that it has. */
struct place { struct object *node, *pod; bool wanted; };

struct pass {
	struct controller *c;
	struct object *set;
	const struct node *spec;
	struct template_revisions revisions;
	struct doc *sample;                     /* a pod as it would be made, to ask whether a node takes it */
	struct object_list pods, surplus;       /* surplus: to delete */
	VEC(struct place) places;
	int64_t wait_ms;
};

static void pass_free(struct pass *p)
{
	for (size_t i = 0; i < p->places.n; i++)
		object_drop(&p->places.v[i].node);
	vec_free(&p->places);
	object_list_free(&p->pods);
	object_list_free(&p->surplus);
	template_revisions_free(&p->revisions);
	doc_drop(&p->sample);
	object_drop(&p->set);
}

/* ---- pods of a DaemonSet ---- */

/* What befalls a node does not drive its daemons away. */
static void tolerate(struct doc *d, struct node *root)
{
	static const struct { const char *key, *effect; } rows[] = {
		{ "node.kubernetes.io/not-ready", "NoExecute" }, { "node.kubernetes.io/unreachable", "NoExecute" },
		{ "node.kubernetes.io/disk-pressure", "NoSchedule" }, { "node.kubernetes.io/memory-pressure", "NoSchedule" },
		{ "node.kubernetes.io/pid-pressure", "NoSchedule" }, { "node.kubernetes.io/unschedulable", "NoSchedule" },
	};
	struct node *all = node_seq_at(d, root, "spec.tolerations");

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct node *row = node_map(d);

		node_set(d, row, "key", node_str(d, rows[i].key));
		node_set(d, row, "operator", node_str(d, "Exists"));
		node_set(d, row, "effect", node_str(d, rows[i].effect));
		node_add(d, all, row);
	}
}

static struct doc *build(const struct pass *p)
{
	struct doc *d = pod_of_template(informer_kind(controller_informer(p->c, PODS)), p->set,
					node_get(p->spec, "template"), NULL);

	tolerate(d, doc_root(d));
	meta_set_label(d, doc_root(d), REVISION_HASH, revision_hash(p->revisions.update));
	return d;
}

/* The scheduler places it, on this node and no other. */
static void pin(struct doc *d, struct node *root, const char *node)
{
	struct node *field = node_map(d), *term = node_map(d), *terms = node_seq(d);

	node_set(d, field, "key", node_str(d, "metadata.name"));
	node_set(d, field, "operator", node_str(d, "In"));
	node_add(d, node_seq_at(d, field, "values"), node_str(d, node));
	node_add(d, node_seq_at(d, term, "matchFields"), field);
	node_add(d, terms, term);
	node_put(d, root, "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms",
		 terms);
}

static const char *node_of(const struct node *pod)
{
	const char *bound = node_str_at(pod, "spec.nodeName");

	return bound ? bound
		     : node_str_or(pod,
				   "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
				   "nodeSelectorTerms.0."
				   "matchFields.0.values.0",
				   "");
}

static bool is_new(const struct pass *p, const struct object *pod)
{
	return str_eq(meta_label(pod->root, REVISION_HASH), revision_hash(p->revisions.update));
}

/* ---- which node has which pod ---- */

static bool add_place(struct object *node, void *arg)
{
	struct pass *p = arg;
	const struct node *sample = doc_root(p->sample);
	bool wanted = node_is_selected(sample, node->root) && !untolerated_taint(sample, node->root, "NoSchedule")
		      && !untolerated_taint(sample, node->root, "NoExecute");

	vec_push(&p->places, ((struct place){ object_ref(node), NULL, wanted }));
	return true;
}

static struct place *place_of(struct pass *p, const char *node)
{
	struct place *it;

	vec_each(it, &p->places)
		if (str_eq(it->node->name, node))
			return it;
	return NULL;
}

/* The oldest pod of a node stays; one that ended is made anew, and one that is on its way out is waited for. */
static void put_pods(struct pass *p)
{
	for (size_t i = 0; i < p->pods.n; i++) {
		struct object *pod = p->pods.v[i];
		struct place *at = place_of(p, node_of(pod->root));

		if (at && at->wanted && !at->pod && (meta_deleting(pod->root) || !pod_finished(pod->root)))
			at->pod = pod;
		else if (!meta_deleting(pod->root))
			vec_push(&p->surplus, object_ref(pod));
	}
}

static int read_set(struct pass *p, struct err *err)
{
	p->spec = node_get(p->set->root, "spec");
	TRY(template_revisions_read(&p->revisions, p->c, controller_informer(p->c, REVISIONS), p->set, err));
	p->sample = build(p);
	TRY(claim_objects(p->c, controller_informer(p->c, PODS), p->set, &p->pods, err));
	informer_each(controller_informer(p->c, NODES), NULL, add_place, p);
	put_pods(p);
	return 0;
}

/* ---- acting ---- */

static bool is_available(struct pass *p, const struct object *pod)
{
	int64_t wait_ms;
	bool yes = pod && !meta_deleting(pod->root)
		   && pod_available(pod->root, node_int_at(p->spec, "minReadySeconds", 0), clock_ms(), &wait_ms);

	if (pod && wait_ms && (!p->wait_ms || wait_ms < p->wait_ms))
		p->wait_ms = wait_ms;
	return yes;
}

/* Old pods go as far as enough others serve; those that do not serve go in any case. */
static int replace_old(struct pass *p, struct err *err)
{
	const struct node *limit = node_at(p->spec, "updateStrategy.rollingUpdate.maxUnavailable");
	int64_t budget = 1, wanted = 0;
	struct place *it;

	if (str_eq(node_str_at(p->spec, "updateStrategy.type"), "OnDelete"))
		return 0;
	vec_each(it, &p->places)
		wanted += it->wanted;
	if (limit)
		TRY(err_wrap(err, rolling_resolve(limit, wanted, true, &budget, err),
			     "spec.updateStrategy.rollingUpdate.maxUnavailable"));
	budget = budget > 0 ? budget : 1;
	vec_each(it, &p->places)
		budget -= it->wanted && !is_available(p, it->pod);
	vec_each(it, &p->places) {
		if (!it->pod || meta_deleting(it->pod->root) || is_new(p, it->pod))
			continue;
		if (is_available(p, it->pod) && budget-- <= 0)
			continue;
		vec_push(&p->surplus, object_ref(it->pod));
	}
	return 0;
}

static int create(void *arg, size_t i, struct err *err)
{
	struct pass *p = arg;
	const struct place *at = &p->places.v[i];
	AUTO_DOC d = NULL;

	if (!at->wanted || at->pod)
		return 0;
	d = build(p);
	pin(d, doc_root(d), at->node->name);
	return pods_create_one(p->c, controller_informer(p->c, PODS), p->set, doc_root(d), err);
}

static int manage(struct pass *p, struct err *err)
{
	TRY(replace_old(p, err));
	TRY(pods_delete(p->c, controller_informer(p->c, PODS), p->set, p->surplus.v, p->surplus.n, err));
	return batch_slowly(p->places.n, create, p, err);
}

/* ---- status ---- */

struct counts { int64_t desired, current, misscheduled, ready, available, updated; };

static struct counts count(struct pass *p)
{
	struct counts n = { 0 };
	struct place *it;

	vec_each(it, &p->places) {
		n.desired += it->wanted;
		if (!it->wanted || !it->pod)
			continue;
		n.current++;
		n.ready += pod_ready(it->pod->root);
		n.available += is_available(p, it->pod);
		n.updated += is_new(p, it->pod);
	}
	for (size_t i = 0; i < p->pods.n; i++) {
		const struct place *at = place_of(p, node_of(p->pods.v[i]->root));

		n.misscheduled += at && !at->wanted;
	}
	return n;
}

static int write_status(struct pass *p, struct err *err)
{
	const struct counts n = count(p);
	const struct { const char *field; int64_t value; } rows[] = {
		{ "desiredNumberScheduled", n.desired }, { "currentNumberScheduled", n.current }, { "numberMisscheduled", n.misscheduled },
		{ "numberReady", n.ready }, { "numberAvailable", n.available }, { "updatedNumberScheduled", n.updated },
		{ "numberUnavailable", n.desired - n.available }, { "observedGeneration", node_int_at(p->set->root, "metadata.generation", 0) },
	};
	AUTO_DOC d = doc_new();
	struct node *status = controller_status(d, p->set);

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		node_set(d, status, rows[i].field, node_int(d, rows[i].value));
	if (p->wait_ms)
		controller_queue_after(p->c, p->set->ns, p->set->name, p->wait_ms);
	return controller_put_status(p->c, SETS, p->set, status, NULL, err);
}

static bool is_used(const struct object *revision, void *arg)
{
	const struct pass *p = arg;

	return revision_has_pods(revision, &p->pods);
}

static int reconcile(struct controller *c, const char *ns, const char *name, struct err *err)
{
	struct object *set = informer_get(controller_informer(c, SETS), ns, name);
	AUTO(pass) p = { .c = c };

	if (!set)
		return 0;
	p.set = object_ref(set);
	TRY(read_set(&p, err));
	if (!meta_deleting(p.set->root))
		TRY(manage(&p, err));
	TRY(write_status(&p, err));
	return template_revisions_trim(&p.revisions, node_int_at(p.spec, "revisionHistoryLimit", 10), is_used, &p,
				       err);
}

static bool queue_set(struct object *set, void *arg)
{
	controller_queue(arg, set->ns, set->name);
	return true;
}

static void map_node(struct controller *c, const struct object *node)
{
	(void)node;
	informer_each(controller_informer(c, SETS), NULL, queue_set, c);
}

const struct controller_spec daemonset_controller = {
	.name = "daemonset-controller",
	.watches = (const struct controller_watch[]){
		[SETS] = { "apps/v1", "DaemonSet", NULL },
		[PODS] = { "v1", "Pod", claim_map },
		[NODES] = { "v1", "Node", map_node },
		[REVISIONS] = { "apps/v1", "ControllerRevision", claim_map },
		{ 0 },
	},
	.reconcile = reconcile,
};
