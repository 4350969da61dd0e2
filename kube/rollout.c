#include "kube/rollout.h"

static bool is_promoted(const struct node *root)
{
	return str_eq(node_str_at(root, "status.stableRS"), node_str_or(root, "status.currentPodHash", ""));
}

static bool is_first(const struct node *root) { return !*node_str_or(root, "status.stableRS", ""); }

int64_t rollout_step_done(const struct node *root) { return node_int_at(root, "status.currentStepIndex", 0); }

int64_t rollout_steps_total(const struct node *root)
{
	return (int64_t)node_n(node_at(root, "spec.strategy.canary.steps"));
}

static const struct node *current_step(const struct node *root)
{
	int64_t i = rollout_step_done(root);

	return i >= 0 ? node_item(node_at(root, "spec.strategy.canary.steps"), (size_t)i) : NULL;
}

/* ---- steps ---- */

static void write_pause(const struct node *pause, struct str *out)
{
	const struct node *duration = node_get(pause, "duration");
	int64_t seconds;

	if (duration)
		str_addf(out, " " SV_FMT "%s", SV_ARG(node_sv(duration)), node_to_i64(duration, &seconds) ? "s" : "");
}

static void write_weight(const struct node *weight, struct str *out) { str_addf(out, " " SV_FMT, SV_ARG(node_sv(weight))); }

static void write_scale(const struct node *scale, struct str *out)
{
	const struct member *m;

	node_members(m, scale)
		str_addf(out, " %s " SV_FMT, m->key, SV_ARG(node_sv(m->value)));
}

static void write_templates(const struct node *analysis, struct str *out)
{
	const struct node *it;

	node_each(it, node_get(analysis, "templates"))
		str_addf(out, " %s", node_str_or(it, "templateName", ""));
}

static void write_step(const struct node *root, struct str *out)
{
	static const struct { const char *field; void (*write)(const struct node *, struct str *); } rows[] = {
		{ "setWeight", write_weight }, { "pause", write_pause }, { "setCanaryScale", write_scale }, { "analysis", write_templates },
	};
	const struct node *step = current_step(root);
	int64_t total = rollout_steps_total(root);

	if (!total || is_promoted(root) || is_first(root))
		return;
	if (!step) {
		str_addf(out, "all %lld steps are done", (long long)total);
		return;
	}
	str_addf(out, "step %lld/%lld", (long long)rollout_step_done(root) + 1, (long long)total);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (node_get(step, rows[i].field)) {
			str_addf(out, " %s", rows[i].field);
			rows[i].write(node_get(step, rows[i].field), out);
		}
}

/* ---- analyses ---- */

static const char *separator(const struct str *out, size_t from) { return out->n > from ? ", " : ""; }

static void write_analyses(const struct node *root, size_t from, struct str *out)
{
	static const struct { const char *path, *name; bool of_step; } rows[] = {
		{ "status.canary.currentStepAnalysisRunStatus", "analysis", true },
		{ "status.canary.currentBackgroundAnalysisRunStatus", "background analysis", false },
		{ "status.blueGreen.prePromotionAnalysisRunStatus", "pre-promotion analysis", false },
		{ "status.blueGreen.postPromotionAnalysisRunStatus", "post-promotion analysis", false },
	};
	static const struct { const char *phase, *text; } phases[] = {
		{ "Pending", "running" }, { "Running", "running" }, { "Successful", "successful" }, { "Inconclusive", "inconclusive" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *phase = node_str_at(node_at(root, rows[i].path), "status");

		if (rows[i].of_step && !node_get(current_step(root), "analysis"))
			continue;       /* the run of a step before this one */
		for (size_t k = 0; k < sizeof phases / sizeof *phases; k++)
			if (phase && str_eq(phase, phases[k].phase))
				str_addf(out, "%s%s %s", separator(out, from), rows[i].name, phases[k].text);
	}
}

/* ---- pauses ---- */

static bool ends_by_itself(const struct node *root, const char *reason)
{
	const struct node *blue_green = node_at(root, "spec.strategy.blueGreen");

	if (str_eq(reason, "CanaryPauseStep"))
		return node_at(current_step(root), "pause.duration") != NULL;
	return str_eq(reason, "BlueGreenPause") && node_bool_at(blue_green, "autoPromotionEnabled", true) &&
	       node_int_at(blue_green, "autoPromotionSeconds", 0) > 0;
}

bool rollout_waits_for_person(const struct node *root)
{
	const struct node *it;

	if (node_bool_at(root, "spec.paused", false))
		return true;
	node_each(it, node_at(root, "status.pauseConditions"))
		if (!ends_by_itself(root, node_str_or(it, "reason", "")))
			return true;
	return false;
}

static void write_pauses(const struct node *root, size_t from, struct str *out)
{
	const char *name = node_str_or(root, "metadata.name", ""), *ns = node_str_or(root, "metadata.namespace", "");
	const struct node *pauses = node_at(root, "status.pauseConditions");

	if (rollout_waits_for_person(root))
		str_addf(out, "%s%s: `cd rollout promote %s -n %s` goes on, `cd rollout abort %s -n %s` goes back", separator(out, from),
			 node_bool_at(root, "spec.paused", false) ? "paused by hand" : "paused", name, ns, name, ns);
	else if (node_n(pauses) && str_eq(node_str_at(node_item(pauses, 0), "reason"), "BlueGreenPause"))
		str_addf(out, "%spaused for %lld s before the switch", separator(out, from),
			 (long long)node_int_at(root, "spec.strategy.blueGreen.autoPromotionSeconds", 0));
	else if (node_n(pauses))
		str_addf(out, "%spaused", separator(out, from));
}

/* The status tells about this spec, and not about the one before; observedGeneration is text. */
static bool is_observed(const struct node *root)
{
	int64_t seen = node_int_at(root, "status.observedGeneration", 0);

	(void)sv_to_i64(node_sv(node_at(root, "status.observedGeneration")), &seen);
	return seen >= node_int_at(root, "metadata.generation", 0);
}

/* As long as there is a step to be done, of course not all are, and not all pods are new. */
static bool says_nothing_new(const char *message)
{
	return str_eq(message, "waiting for all steps to complete") || str_eq(message, "more replicas need to be updated");
}

void rollout_progress_write(const struct node *root, struct str *out)
{
	const char *message = node_str_or(root, "status.message", "");
	bool going = str_eq(node_str_at(root, "status.phase"), "Progressing");
	size_t from = out->n;

	if (!is_observed(root))
		return;
	write_step(root, out);
	write_analyses(root, from, out);
	write_pauses(root, from, out);
	if (going && *message && (out->n == from || !current_step(root) || !says_nothing_new(message)))
		str_addf(out, "%s%s", separator(out, from), message);
}
