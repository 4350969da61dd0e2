/* operator/app/engine-waves.c - applying what is due: first to try, then in truth. */
#include <stdlib.h>

#include "base/fiber.h"
#include "operator/app/engine-internal.h"
#include "operator/app/project.h"

#define PARALLEL 16                     /* objects of one kind that are applied at once */

/* ---- the first look: could all of it be applied? ---- */

static bool namespace_comes(struct op *o, const char *ns)
{
	const struct kind *k = kinds_find(o->p->apps->client->kinds, "v1", "Namespace");

	return *ns && k && live_informer(o->p->apps->live, k) && !live_get(o->p->apps->live, k, "", ns);
}

static bool kind_comes(struct op *o, const struct ref *r)
{
	for (size_t i = 0; i < o->plan.n; i++)
		if (str_eq(o->plan.v[i].defines_kind, r->kind) && str_eq(o->plan.v[i].defines_group, r->group))
			return true;
	return false;
}

static bool skips_dry_run(struct op *o, const struct step *s)
{
	if (!s->row->target || (s->row->hook && op_live(o, s)))
		return true;
	if (!s->row->kind)
		return kind_comes(o, &s->row->ref) || app_option(&o->spec, "SkipDryRunOnMissingResource=true") ||
		       sync_option(s->row->target->root, "SkipDryRunOnMissingResource=true");
	return namespace_comes(o, s->row->ref.ns);
}

/* What the project forbids is refused before anything is tried; apply_row() says so. */
static bool is_allowed(struct op *o, const struct step *s)
{
	const struct row *row = s->row;

	return !row->target ||
	       project_check_object(o->spec.rules, &o->spec, &row->ref, row->kind && !row->kind->namespaced, NULL) >= 0;
}

/* Returns the number of objects that the cluster would refuse; their results are recorded. */
size_t op_dry_run(struct op *o)
{
	const struct apply_opts opts = { .dry_run = true };
	size_t refused = 0;

	for (size_t i = 0; i < o->plan.n && !fiber_canceled(); i++) {
		struct step *s = &o->steps.v[o->plan.v[i].row];
		AUTO(applied) a = { 0 };

		if (skips_dry_run(o, s) && is_allowed(o, s))
			continue;
		apply_row(o->p->apps, &o->spec, s->row, s->name, &opts, &a);
		if (a.failed) {
			op_result(o, s, o->plan.v[i].phase, &a);
			refused++;
		}
	}
	return refused;
}

/* ---- one wave ---- */

struct apply_job { struct op *op; struct step *step; struct apply_opts opts; struct applied out; };

static void apply_fiber(void *arg)
{
	struct apply_job *j = arg;

	apply_row(j->op->p->apps, &j->op->spec, j->step->row, j->step->name, &j->opts, &j->out);
}

/* What the informers have not seen yet would be taken for what is: waits until they have. */
static int wait_seen(struct op *o, const struct apply_job *j, struct err *err)
{
	struct informer *f = j->step->row->kind ? live_informer(o->p->apps->live, j->step->row->kind) : NULL;

	return f && j->out.revision ? informer_wait_seen(f, j->out.revision, err) : 0;
}

/* Tasks [from, to) are of one kind: they run side by side. */
static int run_group(struct op *o, const size_t *tasks, size_t n, struct err *err)
{
	const struct node *sync = op_sync(o);
	struct apply_job *jobs = calloc(n, sizeof *jobs);
	struct fiber_group g;
	int r = 0;

	fiber_group_init(&g, o->p->apps->loop);
	for (size_t i = 0; i < n; i++) {
		jobs[i] = (struct apply_job){ .op = o, .step = &o->steps.v[o->plan.v[tasks[i]].row], .opts = {
			.force = node_bool_at(sync, "syncStrategy.apply.force", false) || node_bool_at(sync, "syncStrategy.hook.force", false),
			.prune = node_bool_at(sync, "prune", false),
		} };
		fiber_group_start(&g, "apply", apply_fiber, &jobs[i]);
	}
	fiber_group_join(&g);
	for (size_t i = 0; i < n; i++) {
		op_result(o, jobs[i].step, o->plan.v[tasks[i]].phase, &jobs[i].out);
		if (r >= 0)
			r = wait_seen(o, &jobs[i], err);
		applied_free(&jobs[i].out);
	}
	free(jobs);
	return fiber_canceled() ? err_set(err, ERR_CANCELED, "stopped in the middle of a sync") : r;
}

/* Leftovers of earlier runs of hooks go first. Returns how many are not gone yet. */
size_t op_delete_leftovers(struct op *o, size_t from, size_t to)
{
	size_t left = 0;

	for (size_t i = from; i < to; i++) {
		struct step *s = &o->steps.v[o->plan.v[i].row];
		struct object *live = op_live(o, s);
		AUTO(err) err = { 0 };

		if (s->state != PENDING || !s->row->hook || !live || !(s->row->target->hooks.policies & DELETE_BEFORE_CREATION))
			continue;
		left++;
		AUTO_OBJECT held = object_ref(live);
		if (!meta_deleting(held->root) && apply_delete(o->p->apps, held, "Background", &err) < 0)
			app_say(o->p->app, "%s/%s of an earlier run cannot be deleted: %s", s->row->ref.kind, s->name, err_msg(&err));
	}
	return left;
}

static bool same_group(const struct task *a, const struct task *b)
{
	return a->prune == b->prune && str_eq(a->kind, b->kind) && str_eq(a->group, b->group);
}

/* Prunes first, then the rest in order, kinds side by side. */
int op_run_wave(struct op *o, size_t from, size_t to, struct err *err)
{
	size_t chunk[PARALLEL], n = 0;

	for (int pruning = 1; pruning >= 0; pruning--) {
		for (size_t i = from; i < to; i++) {
			const struct task *t = &o->plan.v[i];
			if (t->prune != (bool)pruning || o->steps.v[t->row].state != PENDING)
				continue;
			if (n == PARALLEL || (n && !same_group(&o->plan.v[chunk[n - 1]], t))) {
				TRY(run_group(o, chunk, n, err));
				n = 0;
			}
			chunk[n++] = i;
		}
		if (n)
			TRY(run_group(o, chunk, n, err));
		n = 0;
	}
	return 0;
}
