#include "orchestrator/controllers/rollout/rollout.h"

#include "base/vec.h"
#include "orchestrator/controllers/claim.h"

#include <stdlib.h>

/* AnalysisRuns that have ended, and that the status does not name, are history: the newest few of the good and of the other
 * ones stay. */

#define RUNS 5          /* successfulRunHistoryLimit, unsuccessfulRunHistoryLimit */

struct ended { struct object_list good, other; };

static void ended_free(struct ended *e)
{
	object_list_free(&e->good);
	object_list_free(&e->other);
}

static bool sort_out(struct object *run, void *arg)
{
	static const char *const bad[] = { "Failed", "Error", "Inconclusive" };
	const char *phase = node_str_or(run->root, "status.phase", "");
	struct ended *e = arg;

	if (meta_deleting(run->root))
		return true;
	if (!strcmp(phase, "Successful"))
		vec_push(&e->good, object_ref(run));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (!strcmp(phase, bad[i]))
			vec_push(&e->other, object_ref(run));
	return true;
}

static int trim(struct rollout *r, struct object_list *runs, int64_t limit, struct err *err)
{
	int64_t kept = 0;

	if (runs->n)
		qsort(runs->v, runs->n, sizeof *runs->v, claim_by_creation);
	for (size_t i = runs->n; i-- > 0;) {
		const struct object *run = runs->v[i];
		const struct delete_opts o = { .grace_seconds = -1, .uid = run->uid };
		int result;

		if (rollout_uses_run(r, run->name) || kept++ < limit)
			continue;
		result = client_delete(controller_client(r->c), run->kind, run->ns, run->name, &o, err);
		if (result < 0 && result != -ERR_NOT_FOUND && result != -ERR_CONFLICT)
			return result;
	}
	return 0;
}

int rollout_trim_runs(struct rollout *r, struct err *err)
{
	AUTO(ended) e = { 0 };

	informer_owned(controller_informer(r->c, ROLLOUT_RUNS), r->object->uid, sort_out, &e);
	TRY(trim(r, &e.good, node_int_at(r->spec, "analysis.successfulRunHistoryLimit", RUNS), err));
	return trim(r, &e.other, node_int_at(r->spec, "analysis.unsuccessfulRunHistoryLimit", RUNS), err);
}
