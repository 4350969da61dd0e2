/* operator/app/engine-steps.c - what an operation consists of, and what has become of each part. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

#include "operator/app/engine-internal.h"

struct node *op_state(struct op *o) { return node_map_at(o->p->d, o->p->root, "status.operationState"); }
struct node *op_sync(struct op *o) { return node_at(o->p->root, "status.operationState.operation.sync"); }
static struct node *results_of(struct op *o)
{
	return node_seq_at(o->p->d, o->p->root, "status.operationState.syncResult.resources");
}

void op_put(struct op *o, struct node *map, const char *key, const char *value)
{
	node_set(o->p->d, map, key, node_str(o->p->d, value));
}

void op_clear(struct op *o)
{
	comparison_free(&o->c);
	for (size_t i = 0; i < o->names.n; i++)
		free(o->names.v[i]);
	vec_free(&o->names);
	vec_free(&o->steps);
	vec_free(&o->plan);
	o->multi = o->hooks = false;
}

/* ---- tasks ---- */

static bool selected(const struct node *resources, const struct ref *r)
{
	const struct node *it;

	if (!node_n(resources))
		return true;
	node_each(it, resources)
		if (str_eq(node_str_or(it, "group", ""), r->group) && str_eq(node_str_at(it, "kind"), r->kind) &&
		    str_eq(node_str_at(it, "name"), r->name) &&
		    (!*node_str_or(it, "namespace", "") || str_eq(node_str_at(it, "namespace"), r->ns)))
			return true;
	return false;
}

static struct node *find_result(struct op *o, const struct ref *r, const char *name, enum phase phase)
{
	struct node *it;

	node_each(it, results_of(o))
		if (str_eq(node_str_or(it, "group", ""), r->group) && str_eq(node_str_at(it, "kind"), r->kind) &&
		    str_eq(node_str_or(it, "namespace", ""), r->ns) && str_eq(node_str_at(it, "name"), name) &&
		    str_eq(node_str_at(it, "syncPhase"), phase_name(phase)))
			return it;
	return NULL;
}

static enum step_state state_from(const struct node *result)
{
	const char *phase = node_str_or(result, "hookPhase", ""), *status = node_str_or(result, "status", "");

	if (!result)
		return PENDING;
	if (str_eq(status, "SyncFailed") || str_eq(phase, "Failed") || str_eq(phase, "Error"))
		return BAD;
	return str_eq(phase, "Running") ? RUNNING : GOOD;
}

static void add_step(struct op *o, const struct row *row, const char *name, enum phase phase)
{
	const struct node *crd = row->target && str_eq(row->ref.kind, "CustomResourceDefinition") ? row->target->root : NULL;
	struct step s = { .row = row, .name = name, .result = find_result(o, &row->ref, name, phase) };
	struct task t = {
		.phase = phase, .wave = row->target ? row->target->wave : wave_of(row->live->root), .group = row->ref.group,
		.kind = row->ref.kind, .ns = row->ref.ns, .name = name, .prune = !row->target, .row = o->steps.n,
		.defines_group = crd ? node_str_or(crd, "spec.group", "") : NULL,
		.defines_kind = crd ? node_str_or(crd, "spec.names.kind", "") : NULL,
	};

	s.state = state_from(s.result);
	vec_push(&o->steps, s);
	vec_push(&o->plan, t);
}

/* The name of a hook that has only generateName: the same in every pass over one operation. */
static const char *made_up_name(struct op *o, const struct row *row, enum phase phase)
{
	const char *stem = node_str_or(row->target->root, "metadata.generateName", "");
	char phase_text[16] = "";
	int64_t started = 0;

	for (size_t i = 0; phase_name(phase)[i] && i + 1 < sizeof phase_text; i++)
		phase_text[i] = (char)(phase_name(phase)[i] | 0x20);
	(void)time_parse(node_str_or(op_state(o), "startedAt", ""), &started);
	char revision[8] = "";

	for (size_t i = 0; o->c.rendering->sources.n && i + 1 < sizeof revision && o->c.rendering->sources.v[0].sha[i]; i++) {
		char c = o->c.rendering->sources.v[0].sha[i];
		revision[i] = isalnum((unsigned char)c) ? (char)tolower((unsigned char)c) : '-';         /* a version has dots */
	}
	char *name = str_fmt("%s%s-%s-%" PRId64, stem, revision, phase_text, started / 1000);
	vec_push(&o->names, name);
	return name;
}

static void add_hook(struct op *o, const struct row *row)
{
	for (enum phase phase = PRE_SYNC; phase <= SYNC_FAIL; phase++) {
		if (!(row->target->hooks.phases & (1u << phase)))
			continue;
		add_step(o, row, *row->ref.name ? row->ref.name : made_up_name(o, row, phase), phase);
		o->hooks |= phase != SYNC_FAIL;
	}
}

struct object *op_live(struct op *o, const struct step *s)
{
	return s->row->kind ? live_get(o->p->apps->live, s->row->kind, s->row->ref.ns, s->name) : NULL;
}

void op_make_steps(struct op *o)
{
	const struct node *sync = op_sync(o), *resources = node_get(sync, "resources");
	bool with_hooks = !node_n(resources) && !node_at(sync, "syncStrategy.apply");
	bool only_different = app_option(&o->spec, "ApplyOutOfSyncOnly=true");

	for (size_t i = 0; i < o->c.rows.n; i++) {
		const struct row *row = &o->c.rows.v[i];

		if (row->hook) {
			if (with_hooks && row->target && !row->target->hooks.skipped)
				add_hook(o, row);
		} else if (selected(resources, &row->ref) &&
			   (!only_different || row->sync != ROW_SYNCED || find_result(o, &row->ref, row->ref.name, SYNC))) {
			add_step(o, row, row->ref.name, SYNC);
		}
	}
	plan_sort(&o->plan, app_option(&o->spec, "PruneLast=true"));
	for (size_t i = 1; i < o->plan.n; i++)
		o->multi |= o->plan.v[i].phase != SYNC_FAIL && (o->plan.v[i].phase != o->plan.v[0].phase ||
								o->plan.v[i].wave != o->plan.v[0].wave);
}

/* ---- results ---- */

void op_result(struct op *o, struct step *s, enum phase phase, const struct applied *a)
{
	struct doc *d = o->p->d;
	struct node *r = s->result ? s->result : node_map(d);
	bool hook = s->row->hook;

	if (!s->result)
		node_add(d, results_of(o), r);
	s->result = r;
	op_put(o, r, "group", s->row->ref.group);
	op_put(o, r, "version", s->row->ref.version);
	op_put(o, r, "kind", s->row->ref.kind);
	op_put(o, r, "namespace", s->row->ref.ns);
	op_put(o, r, "name", s->name);
	op_put(o, r, "status", a->status);
	op_put(o, r, "message", str_c(&a->message));
	op_put(o, r, "syncPhase", phase_name(phase));
	op_put(o, r, "hookPhase", a->failed ? "Failed" : str_eq(a->status, "PruneSkipped") ? "Succeeded" : "Running");
	if (hook)
		op_put(o, r, "hookType", phase_name(phase));
	s->state = state_from(r);
	if (a->failed)
		app_say(o->p->app, "%s/%s failed: %s", s->row->ref.kind, s->name, str_c(&a->message));
	else if (s->row->target && !sv_ends(str_sv(&a->message), SV(" unchanged")))
		app_say(o->p->app, "%s", str_c(&a->message));
	else if (!s->row->target)
		app_say(o->p->app, "%s/%s %s", s->row->ref.kind, s->name, str_c(&a->message));
}

static void settle(struct op *o, struct step *s, bool well, const char *message)
{
	op_put(o, s->result, "hookPhase", well ? "Succeeded" : "Failed");
	if (message && *message)
		op_put(o, s->result, "message", message);
	s->state = well ? GOOD : BAD;
}

/* What has become of an object that was applied. */
void op_look_at(struct op *o, struct step *s)
{
	struct object *live = op_live(o, s);
	AUTO(health) h = { 0 };
	AUTO(err) err = { 0 };

	if (!s->row->target) {
		if (!live)
			settle(o, s, true, NULL);
		return;
	}
	if (!live) {
		settle(o, s, false, "missing");
		op_put(o, s->result, "status", "SyncFailed");
		return;
	}
	if (health_of(live->root, &h, &err) < 0)
		(void)health_set(&h, UNKNOWN, "%s", err_msg(&err));
	if (!h.known || h.status == HEALTHY)
		settle(o, s, true, s->row->hook ? str_c(&h.why) : NULL);
	else if (h.status == DEGRADED || (s->row->hook && h.status == UNKNOWN))
		settle(o, s, false, str_c(&h.why));
}

