#include "orchestrator/controllers/rollout/rollout.h"

#include "base/vec.h"

/* The AnalysisRuns that are at work: those that the status names. All others that still go on are ended, whatever it was that
 * made them superfluous: a version that was overtaken, an abort, a server that was killed between two writes. */

static const struct { const char *parent, *field; } places[] = {
	{ "canary", "currentStepAnalysisRunStatus" }, { "canary", "currentBackgroundAnalysisRunStatus" },
	{ "blueGreen", "prePromotionAnalysisRunStatus" }, { "blueGreen", "postPromotionAnalysisRunStatus" },
};

void rollout_end_analyses(struct rollout *r)
{
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		(void)node_del(node_get(r->status, places[i].parent), places[i].field);
}

bool rollout_uses_run(const struct rollout *r, const char *name)
{
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (str_eq(node_str_at(node_get(node_get(r->status, places[i].parent), places[i].field), "name"), name))
			return true;
	return false;
}

static bool collect(struct object *run, void *arg)
{
	struct object_list *all = arg;

	if (!node_at(run->root, "status.completedAt") && !node_bool_at(run->root, "spec.terminate", false) && !meta_deleting(run->root))
		vec_push(all, object_ref(run));
	return true;
}

static int set_terminate(struct doc *d, struct node *root, void *arg, struct err *err)
{
	(void)arg;
	(void)err;
	if (node_bool_at(root, "spec.terminate", false))
		return 0;
	node_put(d, root, "spec.terminate", node_bool(d, true));
	return 1;
}

int rollout_end_runs(struct rollout *r, struct err *err)
{
	AUTO(object_list) all = { 0 };

	informer_owned(controller_informer(r->c, ROLLOUT_RUNS), r->object->uid, collect, &all);
	for (size_t i = 0; i < all.n; i++) {
		const struct object *run = all.v[i];
		int result;

		if (rollout_uses_run(r, run->name))
			continue;
		result = client_modify(controller_client(r->c), run->kind, run->ns, run->name, NULL, set_terminate, NULL, NULL, err);
		if (result < 0 && result != -ERR_NOT_FOUND)
			return result;
	}
	return 0;
}
