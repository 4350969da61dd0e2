#include "orchestrator/controllers/rollout/rollout.h"

#include "orchestrator/analysis/analysis.h"

/* The analyses that a Rollout names, before anything is done by them: their templates exist, can be put together, and end
 * where something waits for their end. */

static int check(const struct rollout *r, const struct node *analysis, bool must_end, const char *field, struct err *err)
{
	AUTO_DOC d = doc_new();
	struct node *spec = node_map(d);
	int result;

	if (!analysis)
		return 0;
	result = rollout_analysis_spec(r, analysis, true, d, spec, err);
	if (result >= 0)
		result = analysis_check(spec, must_end, err);
	return err_wrap(err, result, "%s", field);
}

static int check_steps(const struct rollout *r, struct err *err)
{
	const struct node *step;

	for (size_t i = 0; (step = node_item(r->steps, i)); i++) {
		AUTO(str) field = { 0 };

		str_addf(&field, "spec.strategy.canary.steps[%zu].analysis", i);
		TRY(check(r, node_get(step, "analysis"), true, str_c(&field), err));
	}
	return 0;
}

int rollout_validate_analyses(const struct rollout *r, struct err *err)
{
	static const char *const names[] = { "prePromotionAnalysis", "postPromotionAnalysis" };
	const struct node *background = node_get(r->canary, "analysis");
	int64_t first = node_int_at(background, "startingStep", 0);

	TRY(check_steps(r, err));
	TRY(check(r, background, false, "spec.strategy.canary.analysis", err));
	if (first && first >= r->n_steps)
		return err_set(err, ERR_INVALID, "spec.strategy.canary.analysis.startingStep: there is no step %lld", (long long)first);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		AUTO(str) field = { 0 };

		str_addf(&field, "spec.strategy.blueGreen.%s", names[i]);
		TRY(check(r, node_get(r->blue_green, names[i]), true, str_c(&field), err));
	}
	return 0;
}
