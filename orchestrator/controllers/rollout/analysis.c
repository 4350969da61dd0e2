#include "orchestrator/controllers/rollout/rollout.h"

#include "orchestrator/analysis/analysis.h"

#include <stdlib.h>

/* The AnalysisRuns of a Rollout: which one belongs to what, and what its phase means for the update. The status names the
 * run, so that a restart finds it, and so that a retry, which clears the name, starts another. */

static struct informer *runs_of(const struct rollout *r) { return controller_informer(r->c, ROLLOUT_RUNS); }

static const struct object *run_of(const struct rollout *r, const struct analysis *a)
{
	const struct node *named = node_at(r->status, a->field);
	const char *name = node_str_at(named, "name");

	return name ? informer_get(runs_of(r), r->object->ns, name) : NULL;
}

const char *rollout_analysis_message(const struct rollout *r, const struct analysis *a)
{
	const struct object *run = run_of(r, a);
	const char *message = run ? node_str_at(run->root, "status.message") : NULL;

	return message ? message : "the analysis did not succeed";
}

static void name_run(struct rollout *r, const struct analysis *a, const char *name, const struct node *status)
{
	struct node *row = node_map(r->d);
	const char *message = node_str_at(status, "message");

	node_set(r->d, row, "name", node_str(r->d, name));
	node_set(r->d, row, "status", node_str(r->d, node_str_or(status, "phase", "Pending")));
	if (message)
		node_set(r->d, row, "message", node_str(r->d, message));
	node_put(r->d, r->status, a->field, row);
}

static const char *hash_for(const struct rollout *r, const char *which)
{
	return family_hash_of(&r->family, str_eq(which, "Stable") ? r->stable : r->current);
}

/* Values that come from the Rollout: hashes and fields. What templates default is filled in with them. */
static int resolve_args(const struct rollout *r, struct doc *d, const struct node *args, struct node **out,
			struct err *err)
{
	const struct node *it;

	*out = node_seq(d);
	for (size_t i = 0; (it = node_item(args, i)); i++) {
		struct node *row = node_map(d);
		const char *hash = node_str_at(it, "valueFrom.podTemplateHashValue"),
			   *path = node_str_at(it, "valueFrom.fieldRef.fieldPath");
		struct sv value = node_sv(node_get(it, "value"));

		if (hash)
			value = sv_c(hash_for(r, hash));
		else if (path)
			value = node_sv(node_at(r->object->root, path));
		if ((hash || path) && !value.p)
			return err_set(err, ERR_INVALID, "argument %s: the rollout has no %s",
				       node_str_or(it, "name", ""), hash ? hash : path);
		node_set(d, row, "name", node_copy(d, node_get(it, "name")));
		node_set(d, row, "value", node_strn(d, value));
		node_add(d, *out, row);
	}
	return 0;
}

static int build(const struct rollout *r, const struct analysis *a, const char *name, struct doc *d, struct node **out,
		 struct err *err)
{
	const char *hash = family_hash_of(&r->family, r->current);
	struct node *root = object_start(d, informer_kind(runs_of(r)), r->object->ns, name), *args, *spec;
	static const char *const copied[] = { "dryRun", "measurementRetention" };

	meta_set_label(d, root, "rollout-type", a->type);
	meta_set_label(d, root, ROLLOUT_HASH, hash);
	meta_add_owner(d, root, r->object);
	TRY(resolve_args(r, d, node_get(a->spec, "args"), &args, err));
	spec = node_map_at(d, root, "spec");
	TRY(analysis_merge(controller_client(r->c), r->object->ns, node_get(a->spec, "templates"), args, d, spec, err));
	for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
		if (node_get(a->spec, copied[i]))
			node_set(d, spec, copied[i], node_copy(d, node_get(a->spec, copied[i])));
	*out = root;
	return 0;
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

int rollout_analyse(struct rollout *r, const struct analysis *a, enum verdict *out, struct err *err)
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

/* ---- the end of all ---- */

static int terminate(struct doc *d, struct node *root, void *arg, struct err *err)
{
	(void)arg;
	(void)err;
	if (node_bool_at(root, "spec.terminate", false))
		return 0;
	node_put(d, root, "spec.terminate", node_bool(d, true));
	return 1;
}

int rollout_end_analyses(struct rollout *r, struct err *err)
{
	static const struct { const char *parent, *field; } fields[] = {
		{ "canary", "currentStepAnalysisRunStatus" }, { "canary", "currentBackgroundAnalysisRunStatus" },
		{ "blueGreen", "prePromotionAnalysisRunStatus" }, { "blueGreen", "postPromotionAnalysisRunStatus" },
	};

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		struct node *parent = node_get(r->status, fields[i].parent);
		const char *name = node_str_at(node_get(parent, fields[i].field), "name");
		AUTO_OBJECT run = object_ref(name ? informer_get(runs_of(r), r->object->ns, name) : NULL);

		if (run && verdict_of(node_str_at(run->root, "status.phase")) == VERDICT_RUNNING &&
		    !node_bool_at(run->root, "spec.terminate", false)) {
			int result = client_modify(controller_client(r->c), run->kind, run->ns, run->name, NULL,
						   terminate, NULL, NULL, err);

			if (result < 0 && result != -ERR_NOT_FOUND)
				return result;
		}
		(void)node_del(parent, fields[i].field);
	}
	return 0;
}
