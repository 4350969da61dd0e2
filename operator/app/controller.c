/* operator/app/controller.c - the reconcile of one Application: look at the sources, compare, decide, sync, write the status. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/fiber.h"
#include "base/log.h"
#include "operator/app/app-internal.h"
#include "operator/app/autosync.h"
#include "operator/app/project.h"
#include "operator/app/status.h"
#include "operator/app/tracking.h"

#define POLL_MS 180000
#define POLL_JITTER 3                   /* up to a third more, so that many applications do not ask at once */
#define SHARED_LOOK_MS 5000             /* a poll takes what another application heard from the same remote */
#define REFRESH "argocd.argoproj.io/refresh"
#define SKIP "argocd.argoproj.io/skip-reconcile"

/* ---- applications in memory ---- */

static struct app *app_of(struct apps *a, const char *ns, const char *name)
{
	AUTO(str) key = { 0 };
	AUTO(str) instance = { 0 };
	struct app *app;

	str_addf(&key, "%s/%s", ns, name);
	if ((app = map_get(&a->apps, str_sv(&key))))
		return app;
	instance_name(&instance, a->control_ns, ns, name);
	app = calloc(1, sizeof *app);
	*app = (struct app){ .ns = sv_dup(sv_c(ns)), .name = sv_dup(sv_c(name)), .instance = str_take(&instance), .looked_ms = -1 };
	map_put(&a->apps, str_sv(&key), app);
	map_put(&a->instances, sv_c(app->instance), app);
	return app;
}

static void app_free(struct app *app)
{
	rendering_drop(&app->last);
	rendering_drop(&app->good);
	compare_cache_free(&app->cache);
	free(app->ns);
	free(app->name);
	free(app->instance);
	str_free(&app->said);
	free(app);
}

static void app_forget(struct apps *a, const char *ns, const char *name)
{
	AUTO(str) key = { 0 };

	str_addf(&key, "%s/%s", ns, name);
	struct app *app = map_get(&a->apps, str_sv(&key));
	if (app && app->listeners) {
		app_tell_gone(app);     /* who listens hears of its return, too */
		return;
	}
	if (!app)
		return;
	map_del(&a->apps, str_sv(&key));
	map_del(&a->instances, sv_c(app->instance));
	app_free(app);
}

void apps_listen(struct apps *a, const char *ns, const char *name, struct app_listener *l)
{
	struct app *app = app_of(a, ns, name);

	l->since = app->looks;
	l->next = app->listeners;
	app->listeners = l;
}

void apps_unlisten(struct apps *a, const char *ns, const char *name, struct app_listener *l)
{
	struct app *app = app_of(a, ns, name);

	for (struct app_listener **at = &app->listeners; *at; at = &(*at)->next)
		if (*at == l) {
			*at = l->next;
			return;
		}
}

/* ---- a pass ---- */

static void pass_free(struct pass *p)
{
	comparison_free(&p->now);
	app_spec_free(&p->spec);
	doc_drop(&p->d);
	object_drop(&p->project);
	object_drop(&p->stored);
	object_drop(&p->first);
}

void pass_again(struct pass *p, int64_t ms)
{
	if (!p->again_ms || ms < p->again_ms)
		p->again_ms = ms > 0 ? ms : 1;
}

/* A merge patch of what was edited: changes that others make to the spec meanwhile are theirs. */
int pass_write(struct pass *p, struct err *err)
{
	AUTO_DOC patch_doc = doc_new();
	struct node *patch = patch_merge_diff(patch_doc, p->stored->root, p->root);
	AUTO_OBJECT now = NULL;

	if (!patch)
		return 0;
	const struct write_opts o = { .manager = "argocd-controller" };
	TRY(client_patch(p->apps->client, p->apps->kind, p->app->ns, p->app->name, PATCH_MERGE, patch, &o, &now, err));
	doc_drop(&p->d);
	p->d = doc_of(now->root);
	p->root = doc_root(p->d);
	object_drop(&p->stored);
	p->stored = TAKE(now);
	return 0;
}

/* ---- the sources ---- */

static int64_t poll_left(struct pass *p)
{
	struct apps *a = p->apps;

	return p->app->looked_ms < 0 ? 0 : p->app->looked_ms + a->poll_ms - loop_now_ms(a->loop);
}

/* Looks at the sources when it is due. *r is a reference; NULL with an error in e. */
static void look(struct pass *p, struct rendering **r, struct err *e)
{
	struct app *app = p->app;
	const char *asked = meta_annotation(p->root, REFRESH);
	bool forced = asked || app->refresh || !status_compared_to(p->root, &p->spec);
	bool hard = str_eq(asked, "hard") || app->hard;
	bool due = forced || !app->last || poll_left(p) <= 0;
	struct source_want w = {
		.spec = &p->spec, .last = app->last, .look_up = due, .hard = hard, .max_age_ms = forced ? 0 : SHARED_LOOK_MS,
		.charts = p->apps->charts, .client = p->apps->client, .secrets_ns = p->apps->control_ns,
	};

	app->refresh = app->hard = false;
	if (due) {
		app->looked_ms = loop_now_ms(p->apps->loop);
		app->looks++;
	}
	if (source_render(p->apps->repos, &w, r, e) < 0)
		return;
	if (*r != app->last && (*r)->sources.n)
		app_say(app, (*r)->err.code ? "%.7s does not render" : "%.7s rendered: %zu objects", (*r)->sources.v[0].sha, (*r)->objects.n);
	rendering_drop(&app->last);
	app->last = rendering_ref(*r);
	if ((*r)->err.code)
		(void)err_set(e, (*r)->err.code, "%s", err_msg(&(*r)->err));
	if (!(*r)->err.code) {
		rendering_drop(&app->good);
		app->good = rendering_ref(*r);
	}
	if (asked) {
		struct node *annotations = node_at(p->root, "metadata.annotations");
		(void)node_del(annotations, REFRESH);
	}
	if (due)
		time_set(p->d, node_map_at(p->d, p->root, "status"), "reconciledAt", clock_ms());
}

/* ---- comparison and status ---- */

static int compare_now(struct pass *p, struct rendering *r, struct err *err)
{
	comparison_free(&p->now);
	p->compared = false;
	TRY(comparison_make(&p->now, &p->spec, r, p->apps->live, p->apps->client->kinds, node_at(p->root, "status.resources"),
			    &p->app->cache, err));
	p->compared = true;
	return 0;
}

static void write_status(struct pass *p, const struct err *failure, const char *sync_error)
{
	struct conditions all = { 0 };
	int64_t now = clock_ms();

	if (failure->code)
		conditions_add(&all, failure->code == ERR_INVALID && !p->compared ? "InvalidSpecError" : "ComparisonError", "%s",
			       err_msg(failure));
	for (size_t i = 0; p->compared && i < p->now.conditions.n; i++)
		conditions_add(&all, p->now.conditions.v[i].type, "%s", p->now.conditions.v[i].message);
	if (sync_error && *sync_error)
		conditions_add(&all, "SyncError", "%s", sync_error);
	status_comparison(p->d, p->root, &p->spec, p->compared ? &p->now : NULL, failure->code != 0, now);
	status_conditions(p->d, p->root, &all, now);
	node_put(p->d, p->root, "status.controllerNamespace", node_str(p->d, p->apps->control_ns));
	conditions_free(&all);
}

/* ---- automated sync ---- */

/* Was the last operation about these sources at these commits? */
static bool attempted(struct pass *p, const struct node *state)
{
	const struct node *result = node_get(state, "syncResult"), *revisions = node_get(result, "revisions");
	const struct rendering *r = p->now.rendering;

	if (p->spec.multi) {
		if (!node_eq(node_get(result, "sources"), node_at(p->spec.root, "spec.sources")) || node_n(revisions) != r->sources.n)
			return false;
		for (size_t i = 0; i < r->sources.n; i++)
			if (!str_eq(node_text(node_item(revisions, i)), r->sources.v[i].sha))
				return false;
		return true;
	}
	return r->sources.n && node_eq(node_get(result, "source"), p->spec.sources.v[0].node) &&
	       str_eq(node_str_at(result, "revision"), r->sources.v[0].sha);
}

static void set_operation(struct pass *p, bool heal, int64_t heals)
{
	struct doc *d = p->d;
	struct node *op = node_map(d), *sync = node_map_at(d, op, "sync"), *list = node_seq(d);
	const struct node *options = node_at(p->spec.root, "spec.syncPolicy.syncOptions"), *retry = node_at(p->spec.root, "spec.syncPolicy.retry");
	const struct rendering *r = p->now.rendering;

	for (size_t i = 0; i < r->sources.n; i++)
		node_add(d, list, node_str(d, r->sources.v[i].sha));
	if (p->spec.multi)
		node_set(d, sync, "revisions", list);
	else
		node_set(d, sync, "revision", list->items[0]);
	if (p->spec.prune)
		node_set(d, sync, "prune", node_bool(d, true));
	if (node_n(options))
		node_set(d, sync, "syncOptions", node_copy(d, options));
	for (size_t i = 0; heal && i < p->now.rows.n; i++) {
		const struct row *row = &p->now.rows.v[i];
		if (!row->counted || row->sync == ROW_SYNCED)
			continue;
		struct node *it = node_map(d);
		if (*row->ref.group)
			node_set(d, it, "group", node_str(d, row->ref.group));
		node_set(d, it, "kind", node_str(d, row->ref.kind));
		node_set(d, it, "name", node_str(d, row->ref.name));
		if (*row->ref.ns)
			node_set(d, it, "namespace", node_str(d, row->ref.ns));
		node_add(d, node_seq_at(d, sync, "resources"), it);
	}
	if (heal)
		node_set(d, sync, "autoHealAttemptsCount", node_int(d, heals + 1));
	node_set(d, node_map_at(d, op, "initiatedBy"), "automated", node_bool(d, true));
	node_put(d, op, "retry", retry ? node_copy(d, retry) : node_map(d));
	if (!retry)
		node_put(d, op, "retry.limit", node_int(d, 5));
	node_set(d, p->root, "operation", op);
}

/* Sets the operation when the policy wants one. why: the message of a SyncError condition. */
static void autosync(struct pass *p, bool failed, struct str *why)
{
	const struct node *state = node_at(p->root, "status.operationState");
	struct autosync_answer answer = { 0 };
	int64_t finished = 0;
	bool ended = time_parse(node_str_or(state, "finishedAt", ""), &finished);
	struct autosync_facts f = {
		.automated = p->spec.automated, .prune = p->spec.prune, .self_heal = p->spec.self_heal, .allow_empty = p->spec.allow_empty,
		.deleting = meta_deleting(p->root), .operation = engine_has_operation(p->root), .out_of_sync = p->now.sync == ROW_OUT_OF_SYNC,
		.rows = p->now.counted, .rows_to_prune = p->now.to_prune, .rows_not_synced = p->now.not_synced,
		.succeeded = str_eq(node_str_at(state, "phase"), "Succeeded"), .last_message = node_str_at(state, "message"),
		.heals = node_int_at(state, "operation.sync.autoHealAttemptsCount", 0),
		.since_finish_ms = ended ? clock_ms() - finished : -1,
	};

	if (failed)
		return;
	f.attempted = state && attempted(p, state);
	autosync_decide(&f, &answer);
	if (answer.what == AUTO_FULL || answer.what == AUTO_HEAL)
		set_operation(p, answer.what == AUTO_HEAL, answer.heals);
	else if (answer.what == AUTO_WAIT)
		pass_again(p, answer.wait_ms);
	str_move(why, &answer.why);
}

/* ---- reconcile ---- */

static int reconcile_sources(struct pass *p, struct err *err)
{
	AUTO(err) failure = { 0 };
	AUTO(str) why = { 0 };
	struct rendering *r = NULL;
	enum engine engine = ENGINE_IDLE;
	int res = 0;

	look(p, &r, &failure);
	struct rendering *shown = failure.code ? p->app->good : r;
	if (shown)
		res = compare_now(p, shown, err);
	rendering_drop(&r);
	if (res < 0)
		return res;
	if (p->compared && !engine_has_operation(p->root))
		autosync(p, failure.code != 0, &why);
	write_status(p, &failure, str_c(&why));
	TRY(engine_run(p, &engine, err));
	if (engine == ENGINE_DONE && shown) {
		str_cut(&why, 0);
		TRY(compare_now(p, p->app->good ? p->app->good : shown, err));
		autosync(p, failure.code != 0, &why);
		write_status(p, &failure, str_c(&why));
		if (engine_has_operation(p->root))
			pass_again(p, 1);
	}
	TRY(pass_write(p, err));
	app_tell(p, &failure, str_c(&why));
	pass_again(p, poll_left(p) + (int64_t)(rand_r(&p->apps->seed) % (unsigned)(p->apps->poll_ms / POLL_JITTER + 1)));
	return 0;
}

/* The project lives with the control plane. "default" need not exist: it allows everything then. */
static int find_project(struct pass *p, struct err *err)
{
	struct informer *projects = controller_informer(p->apps->controller, 1);
	struct object *o = informer_get(projects, p->apps->control_ns, p->spec.project);

	if (!o && !str_eq(p->spec.project, "default"))
		return err_set(err, ERR_INVALID, "Application referencing project %s which does not exist", p->spec.project);
	if (!o)
		return 0;
	p->project = object_ref(o);
	p->spec.rules = node_get(o->root, "spec");
	return project_check(p->spec.rules, &p->spec, err);
}

static int reconcile_pass(struct pass *p, struct err *err)
{
	AUTO(err) invalid = { 0 };
	const char *skip = meta_annotation(p->root, SKIP);

	if (str_eq(skip, "true") || str_eq(skip, "True") || str_eq(skip, "1"))
		return 0;
	int r = app_spec_read(&p->spec, p->first, p->apps->control_ns, &invalid);
	if (meta_deleting(p->root))
		return app_delete(p, err);
	if (r >= 0)
		r = find_project(p, &invalid);
	if (r >= 0)
		return reconcile_sources(p, err);
	write_status(p, &invalid, NULL);
	TRY(pass_write(p, err));
	app_tell(p, &invalid, "");
	return 0;
}

static int reconcile(struct controller *c, const char *ns, const char *name, struct err *err)
{
	struct apps *a = (struct apps *)controller_spec_of(c);
	struct object *o = informer_get(controller_informer(c, 0), ns, name);
	__attribute__((cleanup(pass_free))) struct pass p = { .apps = a };

	if (!o) {
		app_forget(a, ns, name);
		return 0;
	}
	p.app = app_of(a, ns, name);
	p.first = object_ref(o);
	p.stored = object_ref(o);
	p.d = doc_of(o->root);
	p.root = doc_root(p.d);
	int r = reconcile_pass(&p, err);
	if (r == -ERR_NOT_FOUND)
		return 0;               /* deleted meanwhile: its event comes */
	if (r >= 0 && p.stored != p.first && !meta_deleting(p.stored->root))
		r = informer_wait_seen(controller_informer(c, 0), p.stored->revision, err);
	if (r >= 0 && p.again_ms)
		controller_queue_after(c, ns, name, p.again_ms);
	return r;
}

/* ---- start and stop ---- */

static void on_live_change(void *arg, struct sv instance, const struct object *o)
{
	struct apps *a = arg;
	struct app *app = map_get(&a->instances, instance);

	(void)o;
	if (app && a->controller)
		controller_queue(a->controller, app->ns, app->name);
}

struct of_project { struct controller *controller; const char *name; };

static bool queue_if_of(struct object *o, void *arg)
{
	const struct of_project *p = arg;
	const char *project = node_str_or(o->root, "spec.project", "");

	if (str_eq(*project ? project : "default", p->name))
		controller_queue(p->controller, o->ns, o->name);
	return true;
}

static void map_project(struct controller *c, const struct object *o)
{
	struct of_project p = { c, o->name };

	informer_each(controller_informer(c, 0), NULL, queue_if_of, &p);
}

static const struct controller_watch watches[] = {
	{ "argoproj.io/v1alpha1", "Application", NULL }, { "argoproj.io/v1alpha1", "AppProject", map_project }, { 0 }
};

struct apps *apps_start(struct loop *l, const struct apps_opts *o)
{
	const struct kind *k = kinds_find(o->client->kinds, "argoproj.io/v1alpha1", "Application");
	const struct kind *namespaces = kinds_find(o->client->kinds, "v1", "Namespace");
	AUTO_OBJECT argocd = NULL;
	AUTO(err) err = { 0 };

	if (!k || !namespaces)
		return NULL;
	struct apps *a = calloc(1, sizeof *a);
	*a = (struct apps){
		.spec = { .name = "application-controller", .watches = watches, .reconcile = reconcile, .workers = 8 },
		.loop = l, .client = o->client, .informers = o->informers, .repos = o->repos, .charts = o->charts, .kind = k,
		.poll_ms = o->poll_ms ? o->poll_ms : POLL_MS, .control_ns = "cd", .seed = (unsigned)clock_ms(),
	};
	a->live = live_new(o->informers, on_live_change, a);
	if (client_get(o->client, namespaces, NULL, "argocd", &argocd, NULL) >= 0)
		a->control_ns = "argocd";
	if (live_watch(a->live, namespaces, &err) < 0)
		log_event(LOG_WARN, "namespaces cannot be watched", "error", err_msg(&err), NULL);
	a->controller = controller_start(l, o->client, o->informers, &a->spec);
	return a;
}

void apps_stop(struct apps **ap)
{
	struct apps *a = TAKE(*ap);
	struct map_slot *s;

	if (!a)
		return;
	controller_stop(&a->controller);
	live_free(&a->live);
	map_each(s, &a->apps)
		app_free(s->value);
	map_free(&a->apps);
	map_free(&a->instances);
	free(a);
}

/* ---- from outside ---- */

struct refresh { struct apps *apps; bool (*fn)(void *arg, const struct object *application); void *arg; size_t n; };

static bool refresh_one(struct object *o, void *arg)
{
	struct refresh *r = arg;

	if (!r->fn(r->arg, o))
		return true;
	app_of(r->apps, o->ns, o->name)->refresh = true;
	controller_queue(r->apps->controller, o->ns, o->name);
	r->n++;
	return true;
}

size_t apps_refresh(struct apps *a, bool (*fn)(void *arg, const struct object *application), void *arg)
{
	struct refresh r = { a, fn, arg, 0 };

	informer_each(controller_informer(a->controller, 0), NULL, refresh_one, &r);
	return r.n;
}
