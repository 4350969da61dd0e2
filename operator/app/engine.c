/* operator/app/engine.c - a sync operation from its start to its end (operator semantics 12 and 19). Every pass derives its
 * steps anew from what should be, what is, and the results that status.operationState keeps: a pass may be cut off anywhere,
 * the next one goes on. */
#include "operator/app/engine-internal.h"

#include <inttypes.h>
#include "operator/app/status.h"

#define LOOK_AGAIN_MS 30000             /* at the latest, while an operation waits */

static bool is_over(const struct node *state)
{
	const char *phase = node_str_or(state, "phase", "");

	return !str_eq(phase, "Running") && !str_eq(phase, "Terminating");
}

bool engine_has_operation(const struct node *root)
{
	const struct node *state = node_at(root, "status.operationState");

	return node_is(node_get(root, "operation"), NODE_MAP) || (state && !is_over(state));
}

/* ---- start ---- */

static void start(struct op *o)
{
	struct doc *d = o->p->d;
	struct node *state = node_map(d);

	node_set(d, state, "operation", node_copy(d, node_get(o->p->root, "operation")));
	op_put(o, state, "phase", "Running");
	time_set(d, state, "startedAt", clock_ms());
	node_set(d, node_map_at(d, o->p->root, "status"), "operationState", state);
}

/* The commits that the operation is about, once they are known; NULL: they are to be found. */
static size_t pinned(struct op *o, const char **out, size_t max)
{
	const struct node *result = node_get(op_state(o), "syncResult"), *sync = op_sync(o), *it;
	const char *one = node_str_at(result, "revision");
	size_t n = 0;

	node_each(it, node_get(result, "revisions"))
		if (n < max)
			out[n++] = node_text(it);
	if (n || (one && *one))
		return n ? n : (out[0] = one, 1);
	node_each(it, node_get(sync, "revisions"))
		if (n < max)
			out[n++] = node_text(it);
	one = node_str_at(sync, "revision");
	return n ? n : one && *one ? (out[0] = one, 1) : 0;
}

static int find_manifests(struct op *o, struct rendering **out, struct err *err)
{
	const char *pins[16];
	size_t n = pinned(o, pins, sizeof pins / sizeof *pins);
	const struct source_want w = {
		.spec = &o->spec, .last = o->p->app->last, .pinned = n && n == o->spec.sources.n ? pins : NULL, .look_up = true,
		.charts = o->p->apps->charts, .client = o->p->apps->client, .secrets_ns = o->p->apps->control_ns,
	};

	return source_render(o->p->apps->repos, &w, out, err);
}

/* The commits are written down before anything is applied: a restart goes on with the same ones. */
static void pin(struct op *o)
{
	struct doc *d = o->p->d;
	struct node *result = node_map_at(d, op_state(o), "syncResult"), *revisions = node_seq(d);
	const struct rendering *r = o->c.rendering;

	for (size_t i = 0; i < r->sources.n; i++)
		node_add(d, revisions, node_str(d, r->sources.v[i].sha));
	if (o->spec.multi) {
		struct node *sources = node_seq(d);
		for (size_t i = 0; i < o->spec.sources.n; i++)
			node_add(d, sources, node_copy(d, o->spec.sources.v[i].node));
		node_set(d, result, "revisions", revisions);
		node_set(d, result, "sources", sources);
	} else {
		node_set(d, result, "revision", revisions->items[0]);
		node_set(d, result, "source", node_copy(d, o->spec.sources.v[0].node));
	}
}

/* ---- end ---- */

static bool failed(const char *phase)
{
	return str_eq(phase, "Failed") || str_eq(phase, "Error");
}

/* true: it will be tried again. */
static bool retry(struct op *o, const char *message)
{
	struct node *state = op_state(o), *operation = node_get(state, "operation");
	struct app_retry r;
	int64_t count = node_int_at(state, "retryCount", 0) + 1;
	char when[32];
	AUTO(str) text = { 0 };

	app_retry_read(&r, node_get(operation, "retry"), node_bool_at(operation, "initiatedBy.automated", false));
	if (r.limit >= 0 && count > r.limit)
		return false;
	time_format(clock_ms() + app_retry_wait_ms(&r, count), when);
	str_addf(&text, "%s. Retrying attempt #%" PRId64 " at %s.", message, count, when);
	op_put(o, state, "phase", "Running");
	op_put(o, state, "message", str_c(&text));
	node_set(o->p->d, state, "retryCount", node_int(o->p->d, count));
	time_set(o->p->d, state, "finishedAt", clock_ms());
	app_say(o->p->app, "%s", str_c(&text));
	return true;
}

static bool is_dry(struct op *o)
{
	return node_bool_at(op_sync(o), "dryRun", false);
}

static enum engine finish(struct op *o, const char *phase, const char *message)
{
	struct doc *d = o->p->d;
	struct node *state = op_state(o);

	if (failed(phase) && !str_eq(node_str_at(state, "phase"), "Terminating") && retry(o, message))
		return ENGINE_WAITS;
	op_put(o, state, "phase", phase);
	op_put(o, state, "message", message);
	time_set(d, state, "finishedAt", clock_ms());
	(void)node_del(o->p->root, "operation");
	if (!failed(phase) && !is_dry(o) && !node_n(node_get(op_sync(o), "resources")))
		status_history(d, o->p->root, o->spec.history_limit, clock_ms());
	app_say(o->p->app, "sync %s: %s", failed(phase) ? "failed" : "succeeded", message);
	return ENGINE_DONE;
}

static void delete_hooks(struct op *o, unsigned policy)
{
	for (size_t i = 0; i < o->plan.n; i++) {
		const struct step *s = &o->steps.v[o->plan.v[i].row];
		struct object *live = s->row->hook && s->result ? op_live(o, s) : NULL;
		AUTO(err) err = { 0 };

		if (!live || !(s->row->target->hooks.policies & policy))
			continue;
		AUTO_OBJECT held = object_ref(live);
		if (!meta_deleting(held->root) && apply_delete(o->p->apps, held, "Background", &err) < 0)
			app_say(o->p->app, "hook %s/%s cannot be deleted: %s", s->row->ref.kind, s->name, err_msg(&err));
	}
}

/* Reasons of the failed steps in one line. */
static void add_failures(struct op *o, struct str *out)
{
	for (size_t i = 0; i < o->plan.n; i++) {
		const struct step *s = &o->steps.v[o->plan.v[i].row];
		if (s->state == BAD)
			str_addf(out, "%s%s/%s: %s", out->n ? "; " : "", s->row->ref.kind, s->name, node_str_or(s->result, "message", ""));
	}
}

/* SyncFail hooks run and end, then the operation fails. */
static int fail(struct op *o, enum engine *out, const char *message, struct err *err)
{
	AUTO(str) why = { 0 };
	size_t waiting = 0;

	for (size_t i = 0; i < o->plan.n; i++) {
		struct step *s = &o->steps.v[o->plan.v[i].row];
		if (o->plan.v[i].phase != SYNC_FAIL)
			continue;
		if (s->state == PENDING)
			TRY(op_run_wave(o, i, i + 1, err));
		waiting += s->state == RUNNING;
	}
	if (waiting) {
		op_put(o, op_state(o), "message", "waiting for completion of SyncFail hooks");
		*out = ENGINE_WAITS;
		return 0;
	}
	delete_hooks(o, DELETE_ON_FAILURE);
	add_failures(o, &why);
	AUTO(str) text = { 0 };
	str_addf(&text, "%s%s%s", message, why.n ? ", reason: " : "", str_c(&why));
	*out = finish(o, "Failed", str_c(&text));
	return 0;
}

/* ---- in between ---- */

/* Of one wave without hooks, nothing comes after what was applied: how it is does not make the sync fail, it is the
 * application's health. */
static bool is_awaited(const struct op *o, const struct step *s) { return o->multi || o->hooks || !s->row->target; }

static void name_waiting(struct op *o, struct str *out)
{
	size_t n = 0;

	for (size_t i = 0; i < o->plan.n; i++) {
		const struct step *s = &o->steps.v[o->plan.v[i].row];
		if (s->state != RUNNING || o->plan.v[i].phase == SYNC_FAIL || !is_awaited(o, s))
			continue;
		if (!n++)
			str_addf(out, "waiting for %s %s%s%s/%s", s->row->hook ? "completion of hook" : s->row->target ?
				 "healthy state of" : "deletion of", s->row->ref.group, *s->row->ref.group ? "/" : "", s->row->ref.kind, s->name);
	}
	if (n > 1)
		str_addf(out, " and %zu more %s", n - 1, n == 2 ? "resource" : "resources");
}

struct counts { size_t bad, running, pruning; };

static struct counts look_at_all(struct op *o)
{
	struct counts c = { 0 };

	for (size_t i = 0; i < o->plan.n; i++) {
		struct step *s = &o->steps.v[o->plan.v[i].row];
		bool aside = o->plan.v[i].phase == SYNC_FAIL;

		if (s->state == RUNNING && is_awaited(o, s))
			op_look_at(o, s);
		c.bad += s->state == BAD && !aside;
		c.running += s->state == RUNNING && !aside;
		c.pruning += s->state == RUNNING && !aside && !s->row->target;
	}
	return c;
}

static size_t first_todo(struct op *o)
{
	for (size_t i = 0; i < o->plan.n; i++)
		if (o->steps.v[o->plan.v[i].row].state == PENDING && o->plan.v[i].phase != SYNC_FAIL)
			return i;
	return o->plan.n;
}

static enum engine wait(struct op *o)
{
	AUTO(str) text = { 0 };

	name_waiting(o, &text);
	if (!str_eq(node_str_at(op_state(o), "message"), str_c(&text)))
		app_say(o->p->app, "%s", str_c(&text));
	op_put(o, op_state(o), "message", str_c(&text));
	return ENGINE_WAITS;
}

/* Before anything is changed: the namespace, and the cluster's opinion of every object. */
static int prepare(struct op *o, enum engine *out, struct err *err)
{
	AUTO(err) e = { 0 };

	*out = ENGINE_IDLE;
	if (app_option(&o->spec, "CreateNamespace=true") && *o->spec.dest_ns && !is_dry(o) &&
	    apply_namespace(o->p->apps, &o->spec, &e) < 0) {
		AUTO(str) text = { 0 };
		str_addf(&text, "namespace %s cannot be created: %s", o->spec.dest_ns, err_msg(&e));
		*out = finish(o, "Failed", str_c(&text));
		return 0;
	}
	if (op_dry_run(o))
		return fail(o, out, "one or more objects failed to apply (dry run)", err);
	if (is_dry(o))
		*out = finish(o, "Succeeded", "successfully synced (dry run)");
	return 0;
}

/* *out ENGINE_IDLE: a wave was run, look again. */
static int go_on(struct op *o, enum engine *out, struct err *err)
{
	struct counts c = look_at_all(o);
	size_t next = first_todo(o);

	*out = ENGINE_IDLE;
	if (c.bad)
		return fail(o, out, "one or more synchronization tasks completed unsuccessfully", err);
	if (((o->multi || o->hooks) && c.running) || c.pruning) {
		*out = wait(o);
		return 0;
	}
	if (next == o->plan.n) {
		delete_hooks(o, DELETE_ON_SUCCESS);
		*out = finish(o, "Succeeded", "successfully synced (all tasks run)");
		return 0;
	}
	size_t end = plan_wave_end(&o->plan, next);
	if (op_delete_leftovers(o, next, end)) {
		op_put(o, op_state(o), "message", "waiting for deletion of hooks of an earlier run");
		*out = ENGINE_WAITS;
		return 0;
	}
	return op_run_wave(o, next, end, err);
}

static enum engine terminate(struct op *o)
{
	for (size_t i = 0; i < o->plan.n; i++) {
		struct step *s = &o->steps.v[o->plan.v[i].row];
		struct object *live = s->row->hook && s->state == RUNNING ? op_live(o, s) : NULL;
		AUTO_OBJECT held = live ? object_ref(live) : NULL;
		if (held)
			(void)!apply_delete(o->p->apps, held, "Background", NULL);
	}
	return finish(o, "Failed", "Operation terminated");
}

/* What git says and what is, for the operation's own sources. *out ENGINE_IDLE: there they are. */
static int look(struct op *o, enum engine *out, struct err *err)
{
	struct rendering *r = NULL;
	AUTO(err) e = { 0 };

	*out = ENGINE_IDLE;
	op_clear(o);
	if (find_manifests(o, &r, &e) < 0 || r->err.code) {
		AUTO(str) text = { 0 };
		str_addf(&text, "ComparisonError: %s", r ? err_msg(&r->err) : err_msg(&e));
		rendering_drop(&r);
		*out = finish(o, "Error", str_c(&text));
		return 0;
	}
	int res = comparison_make(&o->c, &o->spec, r, o->p->apps->live, o->p->apps->client->kinds,
				  node_at(o->p->root, "status.resources"), &o->p->app->cache, err);
	rendering_drop(&r);
	if (res < 0)
		return res;
	for (size_t i = 0; i < o->c.conditions.n; i++) {
		const struct condition *c = &o->c.conditions.v[i];
		bool shared = str_eq(c->type, "SharedResourceWarning") && app_option(&o->spec, "FailOnSharedResource=true");
		if (!shared && !str_eq(c->type, "ComparisonError") && !str_eq(c->type, "InvalidSpecError"))
			continue;
		*out = finish(o, shared ? "Failed" : "Error", c->message);
		return 0;
	}
	op_make_steps(o);
	return 0;
}

/* Is a failed attempt waiting for its next one? Clears it when its time has come. */
static bool waits_for_retry(struct op *o)
{
	struct node *state = op_state(o);
	struct app_retry r;
	int64_t finished, left;

	if (!node_get(state, "finishedAt") || !time_parse(node_str_or(state, "finishedAt", ""), &finished))
		return false;
	app_retry_read(&r, node_at(state, "operation.retry"), node_bool_at(state, "operation.initiatedBy.automated", false));
	left = finished + app_retry_wait_ms(&r, node_int_at(state, "retryCount", 1)) - clock_ms();
	if (left > 0) {
		pass_again(o->p, left);
		return true;
	}
	(void)node_del(state, "finishedAt");
	(void)node_del(state, "message");
	if (node_bool_at(state, "operation.retry.refresh", false)) {
		(void)node_del(state, "syncResult");
		(void)node_del(op_sync(o), "revision");
		(void)node_del(op_sync(o), "revisions");
	} else {
		(void)node_del(node_get(state, "syncResult"), "resources");
	}
	return false;
}

static int run(struct op *o, enum engine *out, struct err *err)
{
	bool fresh = !node_n(node_at(op_state(o), "syncResult.resources"));

	TRY(look(o, out, err));
	if (*out != ENGINE_IDLE)
		return 0;
	if (str_eq(node_str_at(op_state(o), "phase"), "Terminating")) {
		*out = terminate(o);
		return 0;
	}
	if (fresh) {
		pin(o);
		TRY(prepare(o, out, err));
		if (*out != ENGINE_IDLE)
			return 0;
		TRY(pass_write(o->p, err));
		TRY(look(o, out, err));
	}
	while (*out == ENGINE_IDLE) {
		TRY(go_on(o, out, err));
		if (*out != ENGINE_IDLE)
			break;
		if (o->multi || o->hooks)
			TRY(pass_write(o->p, err));
		TRY(look(o, out, err));
	}
	return 0;
}

static void op_free(struct op *o)
{
	op_clear(o);
	app_spec_free(&o->spec);
}

int engine_run(struct pass *p, enum engine *out, struct err *err)
{
	__attribute__((cleanup(op_free))) struct op o = { .p = p };
	const struct node *state = node_at(p->root, "status.operationState");

	*out = ENGINE_IDLE;
	if (!engine_has_operation(p->root))
		return 0;
	if (!state || is_over(state))
		start(&o);
	TRY(app_spec_read(&o.spec, p->first, p->apps->control_ns, err));
	o.spec.rules = p->spec.rules;
	/* a rollback's sources live in the stored object, which stays for the pass */
	app_spec_use_sources(&o.spec, node_at(p->first->root, "operation.sync.source"), node_at(p->first->root, "operation.sync.sources"));
	if (!node_is(op_sync(&o), NODE_MAP)) {
		*out = finish(&o, "Error", "Invalid operation request: no operation specified");
	} else if (waits_for_retry(&o)) {
		*out = ENGINE_WAITS;
		return 0;
	} else {
		TRY(run(&o, out, err));
	}
	if (*out == ENGINE_WAITS)
		pass_again(p, LOOK_AGAIN_MS);
	return 0;
}
