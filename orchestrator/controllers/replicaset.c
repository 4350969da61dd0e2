#include "orchestrator/controllers/rows.h"

#include "kube/pod.h"
#include "kube/selector.h"
#include "orchestrator/controllers/claim.h"
#include "orchestrator/controllers/conditions.h"
#include "orchestrator/controllers/pods.h"

#include <stdlib.h>

enum { REPLICASETS, PODS };

#define BURST 500       /* pods made or removed in one go */

/* One pass over one ReplicaSet. */
struct pass {
	struct controller *c;
	struct object *set;
	const struct node *spec;
	struct object_list pods;        /* the active ones */
	struct err failure;             /* of creating or deleting: it goes into the status, and then to the queue */
	const char *failed;             /* "FailedCreate", "FailedDelete"; NULL: nothing failed */
};

static void pass_free(struct pass *p)
{
	object_drop(&p->set);
	object_list_free(&p->pods);
	err_free(&p->failure);
}

static int read_pods(struct pass *p, struct err *err)
{
	size_t n = 0;

	object_list_free(&p->pods);
	TRY(claim_objects(p->c, controller_informer(p->c, PODS), p->set, &p->pods, err));
	for (size_t i = 0; i < p->pods.n; i++) {
		if (pod_active(p->pods.v[i]->root))
			p->pods.v[n++] = p->pods.v[i];
		else
			object_drop(&p->pods.v[i]);
	}
	p->pods.n = n;
	return 0;
}

static void manage(struct pass *p)
{
	struct informer *pods = controller_informer(p->c, PODS);
	int64_t wanted = node_int_at(p->spec, "replicas", 1), more = wanted - (int64_t)p->pods.n;
	int r = 0;

	if (more > 0) {
		r = pods_create(p->c, pods, p->set, node_get(p->spec, "template"),
				(size_t)(more < BURST ? more : BURST), &p->failure);
	} else if (more < 0) {
		pods_rank(p->pods.v, p->pods.n);
		r = pods_delete(p->c, pods, p->set, p->pods.v, (size_t)(-more < BURST ? -more : BURST), &p->failure);
	}
	if (r < 0)
		p->failed = more > 0 ? "FailedCreate" : "FailedDelete";
}

/* ---- status ---- */

struct counts { int64_t replicas, labeled, ready, available, wait_ms; };

static struct counts count(const struct pass *p)
{
	struct selector *template = selector_of_map(node_at(p->spec, "template.metadata.labels"));
	int64_t min_ready = node_int_at(p->spec, "minReadySeconds", 0), now = clock_ms();
	struct counts n = { .replicas = (int64_t)p->pods.n };

	for (size_t i = 0; i < p->pods.n; i++) {
		const struct node *pod = p->pods.v[i]->root;
		int64_t wait_ms;

		n.labeled += selector_matches(template, node_at(pod, "metadata.labels"));
		n.ready += pod_ready(pod);
		n.available += pod_available(pod, min_ready, now, &wait_ms);
		if (wait_ms && (!n.wait_ms || wait_ms < n.wait_ms))
			n.wait_ms = wait_ms;
	}
	selector_free(&template);
	return n;
}

static void put_failure(const struct pass *p, struct doc *d, struct node *status)
{
	if (p->failed)
		(void)condition_set(d, status, "ReplicaFailure", "True", p->failed, err_msg(&p->failure), clock_ms());
	else
		(void)conditions_remove(status, "ReplicaFailure");
}

static int write_status(struct pass *p, struct err *err)
{
	const struct counts n = count(p);
	const struct { const char *field; int64_t value; } rows[] = {
		{ "replicas", n.replicas }, { "fullyLabeledReplicas", n.labeled }, { "readyReplicas", n.ready },
		{ "availableReplicas", n.available }, { "observedGeneration", node_int_at(p->set->root, "metadata.generation", 0) },
	};
	AUTO_DOC d = doc_new();
	struct node *status = controller_status(d, p->set);

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		node_set(d, status, rows[i].field, node_int(d, rows[i].value));
	put_failure(p, d, status);
	if (n.wait_ms)
		controller_queue_after(p->c, p->set->ns, p->set->name, n.wait_ms);
	return controller_put_status(p->c, REPLICASETS, p->set, status, NULL, err);
}

static int reconcile(struct controller *c, const char *ns, const char *name, struct err *err)
{
	struct object *set = informer_get(controller_informer(c, REPLICASETS), ns, name);
	AUTO(pass) p = { .c = c };

	if (!set)
		return 0;
	p.set = object_ref(set);
	p.spec = node_get(set->root, "spec");
	TRY(read_pods(&p, err));
	if (!meta_deleting(set->root)) {
		manage(&p);
		TRY(read_pods(&p, err));
	}
	TRY(write_status(&p, err));
	return p.failed ? err_move(err, &p.failure) : 0;
}

const struct controller_spec replicaset_controller = {
	.name = "replicaset-controller",
	.watches = (const struct controller_watch[]){
		[REPLICASETS] = { "apps/v1", "ReplicaSet", NULL },
		[PODS] = { "v1", "Pod", claim_map },
		{ 0 },
	},
	.reconcile = reconcile,
};
