#include "orchestrator/controllers/rollout/rollout.h"

#include "kube/jsonpath.h"
#include "orchestrator/analysis/analysis.h"

#include <stdlib.h>

/* The AnalysisRuns of a Rollout: which one belongs to what, and what its phase means for the update. The status names the
 * run, so that a restart finds it, and so that a retry, which clears the name, starts another. */

#define TYPE "rollout-type"
#define STEP_INDEX "step-index"

static struct informer *runs_of(const struct rollout *r) { return controller_informer(r->c, ROLLOUT_RUNS); }

/* "-3" of the fourth step's runs is its index; NULL: not of a step. */
static const char *step_index(const struct analysis *a) { return str_eq(a->type, "Step") ? a->suffix + 1 : NULL; }

/* The status may still name the run of a step before this one. */
static const struct object *run_of(const struct rollout *r, const struct analysis *a)
{
	const char *name = node_str_at(node_at(r->status, a->field), "name"), *step = step_index(a);
	const struct object *run = name ? informer_get(runs_of(r), r->object->ns, name) : NULL;

	return run && (!step || str_eq(meta_label(run->root, STEP_INDEX), step)) ? run : NULL;
}

static void name_run(struct rollout *r, const struct analysis *a, const char *name, const struct node *status)
{
	struct node *row = node_map(r->d);
	const struct node *before = node_at(r->status, a->field);
	const char *message = node_str_at(status, "message");

	node_set(r->d, row, "name", node_str(r->d, name));
	node_set(r->d, row, "status", node_str(r->d, node_str_or(status, "phase", "Pending")));
	if (message)
		node_set(r->d, row, "message", node_str(r->d, message));
	if (str_eq(node_str_at(before, "name"), name) && node_bool_at(before, "decided", false))
		node_set(r->d, row, "decided", node_bool(r->d, true));
	node_put(r->d, r->status, a->field, row);
}

/* ---- arguments ---- */

static int resolve(const struct rollout *r, struct doc *d, struct node *arg, bool checking, struct err *err)
{
	const char *hash = node_str_at(arg, "valueFrom.podTemplateHashValue"),
		   *path = node_str_at(arg, "valueFrom.fieldRef.fieldPath");
	AUTO(str) value = { 0 }, full = { 0 };

	if (hash) {
		str_addc(&value, family_hash_of(&r->family, str_eq(hash, "Stable") ? r->stable : r->current));
	} else if (path) {
		str_addf(&full, ".%s", path);
		TRY(err_wrap(err, jsonpath_check(str_c(&full), err), "argument \"%s\"", node_str_or(arg, "name", "")));
		(void)jsonpath_text(r->object->root, str_c(&full), &value);
	} else {
		return 0;
	}
	if (!value.n && checking && (hash || sv_starts(sv_c(path), SV("status"))))
		str_addc(&value, "1");          /* not known before the update */
	if (!value.n)
		return err_set(err, ERR_INVALID, "argument \"%s\": the rollout has no %s", node_str_or(arg, "name", ""),
			       hash ? "pods of that version" : path);
	node_set(d, arg, "value", node_strn(d, str_sv(&value)));
	(void)node_del(arg, "valueFrom");
	return 0;
}

int rollout_analysis_spec(const struct rollout *r, const struct node *analysis, bool checking, struct doc *d,
			  struct node *spec, struct err *err)
{
	struct node *it, *args;

	TRY(analysis_merge(controller_client(r->c), r->object->ns, analysis, d, spec, err));
	args = node_get(spec, "args");
	for (size_t i = 0; (it = node_item(args, i)); i++)
		TRY(resolve(r, d, it, checking, err));
	return 0;
}

/* ---- the start of a run ---- */

static void label(struct doc *d, struct node *root, const struct rollout *r, const struct analysis *a)
{
	const struct node *more = node_get(a->spec, "analysisRunMetadata");
	const struct member *m;

	node_members(m, node_at(r->spec, "selector.matchLabels"))
		meta_set_label(d, root, m->key, node_text(m->value));
	node_members(m, node_get(more, "labels"))
		meta_set_label(d, root, m->key, node_text(m->value));
	node_members(m, node_get(more, "annotations"))
		meta_set_annotation(d, root, m->key, node_text(m->value));
	meta_set_label(d, root, TYPE, a->type);
	meta_set_label(d, root, ROLLOUT_HASH, family_hash_of(&r->family, r->current));
	if (step_index(a))
		meta_set_label(d, root, STEP_INDEX, step_index(a));
}

static int build(const struct rollout *r, const struct analysis *a, const char *name, struct doc *d, struct node **out,
		 struct err *err)
{
	*out = object_start(d, informer_kind(runs_of(r)), r->object->ns, name);
	label(d, *out, r, a);
	meta_add_owner(d, *out, r->object);
	return rollout_analysis_spec(r, a->spec, false, d, node_map_at(d, *out, "spec"), err);
}

/* "web-7d8f-2-pre", and with ".1", ".2" when this revision has had one already. */
static int start_run(struct rollout *r, const struct analysis *a, struct err *err)
{
	AUTO_OBJECT made = NULL;
	AUTO_DOC d = doc_new();
	struct node *root;
	int result = -ERR_ALREADY_EXISTS;

	for (int i = 0; result == -ERR_ALREADY_EXISTS && i < 100; i++) {
		AUTO(str) name = { 0 };

		str_addf(&name, "%s-%s-%lld%s", r->object->name, family_hash_of(&r->family, r->current),
			 (long long)family_revision(&r->family, rollout_set(r, r->current)), a->suffix);
		if (i)
			str_addf(&name, ".%d", i);
		TRY(build(r, a, str_c(&name), d, &root, err));
		result = client_create(controller_client(r->c), informer_kind(runs_of(r)), root, NULL, &made, err);
	}
	if (result < 0)
		return result;
	name_run(r, a, made->name, NULL);
	return informer_wait_seen(runs_of(r), made->revision, err);
}

enum verdict { VERDICT_RUNNING, VERDICT_GOOD, VERDICT_BAD, VERDICT_UNCLEAR };

static enum verdict verdict_of(const char *phase)
{
	static const struct { const char *phase; enum verdict verdict; } rows[] = {
		{ "Successful", VERDICT_GOOD }, { "Failed", VERDICT_BAD }, { "Error", VERDICT_BAD }, { "Inconclusive", VERDICT_UNCLEAR },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (str_eq(phase, rows[i].phase))
			return rows[i].verdict;
	return VERDICT_RUNNING;
}

/* How the analysis stands; starts its run when there is none. */
static int look(struct rollout *r, const struct analysis *a, enum verdict *out, struct err *err)
{
	AUTO_OBJECT run = object_ref((struct object *)run_of(r, a));
	int result;

	*out = VERDICT_RUNNING;
	if (!run) {
		AUTO(err) wrong = { 0 };

		result = start_run(r, a, &wrong);
		if (result != -ERR_INVALID && result != -ERR_NOT_FOUND)
			return result < 0 ? err_move(err, &wrong) : 0;
		rollout_abort(r, "%s", err_msg(&wrong));        /* a template that is missing or wrong judges nothing */
		return 0;
	}
	name_run(r, a, run->name, node_get(run->root, "status"));
	*out = verdict_of(node_str_at(run->root, "status.phase"));
	return 0;
}

static void abort_by(struct rollout *r, const struct analysis *a)
{
	static const struct { const char *type, *text; } rows[] = {
		{ "Step", "Step-based" }, { "Background", "Background" }, { "PrePromotion", "Pre-promotion" }, { "PostPromotion", "Post-promotion" },
	};
	const char *which = a->type;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (str_eq(rows[i].type, a->type))
			which = rows[i].text;
	rollout_abort(r, "%s analysis phase error/failed: %s", which,
		      node_str_or(node_at(r->status, a->field), "message", "it did not succeed"));
}

int rollout_judge(struct rollout *r, const struct analysis *a, bool *good, struct err *err)
{
	enum verdict v;

	TRY(look(r, a, &v, err));
	if (v == VERDICT_BAD)
		abort_by(r, a);
	if (v == VERDICT_UNCLEAR && !node_bool_at(node_at(r->status, a->field), "decided", false)) {
		if (!rollout_pause_over(r, INCONCLUSIVE, -1))
			v = VERDICT_RUNNING;
		else
			node_put(r->d, node_at(r->status, a->field), "decided", node_bool(r->d, true));
	}
	*good = v == VERDICT_GOOD || v == VERDICT_UNCLEAR;
	return 0;
}

int rollout_watch(struct rollout *r, const struct analysis *a, struct err *err)
{
	enum verdict v;

	TRY(look(r, a, &v, err));
	if (v == VERDICT_BAD)
		abort_by(r, a);
	else if (v == VERDICT_UNCLEAR && rollout_pause_over(r, INCONCLUSIVE, -1))
		node_put(r->d, r->status, a->field, node_null(r->d));   /* the rest of the update is watched by another run */
	return 0;
}

void rollout_end_undecided(struct rollout *r)
{
	struct node *canary = node_get(r->status, "canary"), *row = node_get(canary, "currentStepAnalysisRunStatus");
	const struct object *run = informer_get(runs_of(r), r->object->ns, node_str_or(row, "name", ""));
	int64_t of = -1;

	if (!run || !str_eq(node_str_at(row, "status"), "Inconclusive") || node_bool_at(row, "decided", false) ||
	    !sv_to_i64(sv_c(meta_label(run->root, STEP_INDEX)), &of) || of >= rollout_step(r) ||
	    node_n(node_get(r->status, "pauseConditions")))
		return;
	rollout_clear_pauses(r);
	(void)node_del(canary, "currentStepAnalysisRunStatus");
}
