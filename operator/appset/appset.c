/* operator/appset/appset.c - the ApplicationSet controller. A generator that fails deletes nothing, ever. */
#include "operator/appset/appset.h"

#include <stdlib.h>

#include "base/fiber.h"
#include "base/log.h"
#include "base/map.h"
#include "base/vec.h"
#include "kube/controller.h"
#include "kube/schema/schema.h"
#include "operator/appset/desired.h"
#include "operator/appset/generator.h"

#define POLL_MS 180000
#define RETRY_MS 180000                 /* after an error: nothing changes until somebody edits the set or its sources */
#define MANAGER "applicationset-controller"

struct appsets {
	struct controller_spec spec;    /* first */
	struct controller *controller;
	struct client *client;
	struct repos *repos;
	const struct kind *application;
	int64_t poll_ms;
	struct map awaited;             /* key of a set that somebody waits for -> which question it was, see asked */
	uintptr_t asked;                /* how many questions there were: a reconcile answers those from before its begin */
	struct fiber_cond settled;
};

/* ---- the difference between what is wanted and what is ---- */

struct set_pass {
	struct appsets *a;
	struct object *set;             /* a reference */
	struct desired desired;
	struct informer *applications;
	struct object_list existing;    /* owned by the set */
	bool asks_git;
	int64_t requeue_s;
};

static void set_pass_free(struct set_pass *p)
{
	desired_free(&p->desired);
	object_list_free(&p->existing);
	object_drop(&p->set);
}

static bool collect_owned(struct object *o, void *arg)
{
	struct object_list *list = arg;

	vec_push(list, object_ref(o));
	return true;
}

static bool is_wanted(const struct set_pass *p, const char *name)
{
	for (size_t i = 0; i < p->desired.n; i++)
		if (str_eq(node_str_at(doc_root(p->desired.v[i]), "metadata.name"), name))
			return true;
	return false;
}

/* Annotations and labels that others have put on an Application and that stay. */
static void preserve(struct doc *d, struct node *root, const struct node *live, const struct node *set, const char *what)
{
	static const char *const always[] = { "argocd.argoproj.io/refresh", "argocd.argoproj.io/deletion-approved",
					      "notified.notifications.argoproj.io" };
	const struct node *old = node_get(node_get(live, "metadata"), what), *names = node_get(node_at(set, "spec.preservedFields"), what);
	const struct node *it, *value;

	for (size_t i = 0; i < sizeof always / sizeof *always; i++)
		if ((value = node_get(old, always[i])))
			node_set(d, node_map_at(d, node_get(root, "metadata"), what), always[i], node_copy(d, value));
	node_each(it, names)
		if (node_text(it) && (value = node_get(old, node_text(it))))
			node_set(d, node_map_at(d, node_get(root, "metadata"), what), node_text(it), node_copy(d, value));
}

static int update(struct set_pass *p, const struct object *live, const struct node *wanted, struct err *err)
{
	static const char *const kept[] = { "labels", "annotations", "finalizers", "ownerReferences" };
	AUTO_DOC d = doc_of(live->root);
	struct node *root = doc_root(d), *meta = node_get(root, "metadata");

	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
		const struct node *n = node_get(node_get(wanted, "metadata"), kept[i]);
		(void)node_del(meta, kept[i]);
		if (node_n(n))
			node_set(d, meta, kept[i], node_copy(d, n));
	}
	preserve(d, root, live->root, p->set->root, "annotations");
	preserve(d, root, live->root, p->set->root, "labels");
	node_set(d, root, "spec", node_copy(d, node_get(wanted, "spec")));
	TRY(schema_prune(root, p->a->application, UNKNOWN_IGNORE, NULL, err));
	if (node_eq(root, live->root))
		return 0;
	const struct write_opts o = { .manager = MANAGER };
	return client_update(p->a->client, p->a->application, root, &o, NULL, err);
}

static const struct object *existing(const struct set_pass *p, const char *name)
{
	for (size_t i = 0; i < p->existing.n; i++)
		if (str_eq(p->existing.v[i]->name, name))
			return p->existing.v[i];
	return NULL;
}

/* Of a name that is taken: by us, a moment ago, or by somebody else? */
static int check_owner(struct set_pass *p, const char *name, struct err *err)
{
	AUTO_OBJECT there = NULL;

	err_free(err);
	TRY(client_get(p->a->client, p->a->application, p->set->ns, name, &there, err));
	if (meta_owned_by(there->root, p->set->uid))
		return 0;
	return err_set(err, ERR_INVALID, "an application '%s' exists and does not belong to this set: names must differ", name);
}

static int apply_one(struct set_pass *p, const struct node *wanted, struct err *err)
{
	const char *name = node_str_at(wanted, "metadata.name");
	const struct object *live = existing(p, name);
	const struct write_opts o = { .manager = MANAGER };

	if (live && meta_deleting(live->root))
		return 0;               /* it comes back when it has gone */
	if (live)
		return sync_policy_of(p->set->root) & POLICY_UPDATE ? update(p, live, wanted, err) : 0;
	AUTO_OBJECT made = NULL;
	int r = client_create(p->a->client, p->a->application, wanted, &o, &made, err);
	if (r == -ERR_ALREADY_EXISTS)
		return check_owner(p, name, err);
	return r < 0 ? r : informer_wait_seen(p->applications, made->revision, err);
}

static int delete_unwanted(struct set_pass *p, struct err *err)
{
	const struct delete_opts o = { .grace_seconds = -1 };

	for (size_t i = 0; i < p->existing.n; i++) {
		const struct object *live = p->existing.v[i];
		if (is_wanted(p, live->name) || meta_deleting(live->root))
			continue;
		int r = client_delete(p->a->client, p->a->application, live->ns, live->name, &o, err);
		if (r < 0 && r != -ERR_NOT_FOUND)
			return r;
	}
	return 0;
}

/* ---- status ---- */

static void set_condition(struct doc *d, struct node *status, const char *type, bool on, const char *reason, const char *message)
{
	(void)condition_set(d, status, type, on ? "True" : "False", reason, message, clock_ms());
}

struct outcome { struct set_pass *p; const struct err *failure; bool generated; };

static int change_status(struct doc *d, struct node *root, void *arg, struct err *err)
{
	const struct outcome *o = arg;
	AUTO_DOC before = doc_of(root);
	struct node *status = node_map_at(d, root, "status"), *list = node_seq(d);
	const char *message = o->failure->code ? err_msg(o->failure) : "All applications have been generated successfully";
	bool bad = o->failure->code != 0;

	(void)err;
	set_condition(d, status, "ErrorOccurred", bad, bad ? "ApplicationGenerationError" : "ApplicationSetUpToDate", message);
	set_condition(d, status, "ParametersGenerated", o->generated, o->generated ? "ParametersGenerated" : "ErrorOccurred",
		      o->generated ? "Successfully generated parameters for all Applications" : message);
	set_condition(d, status, "ResourcesUpToDate", !bad, bad ? "ApplicationGenerationError" : "ApplicationSetUpToDate", message);
	for (size_t i = 0; o->generated && i < o->p->desired.n; i++) {
		struct node *r = node_map(d);
		const char *name = node_str_at(doc_root(o->p->desired.v[i]), "metadata.name");
		node_set(d, r, "group", node_str(d, "argoproj.io"));
		node_set(d, r, "version", node_str(d, "v1alpha1"));
		node_set(d, r, "kind", node_str(d, "Application"));
		node_set(d, r, "namespace", node_str(d, o->p->set->ns));
		node_set(d, r, "name", node_str(d, name));
		node_add(d, list, r);
	}
	if (o->generated) {
		node_set(d, status, "resources", list);
		node_set(d, status, "resourcesCount", node_int(d, (int64_t)list->n));
	}
	return !node_eq(root, doc_root(before));
}

static int write_status(struct set_pass *p, const struct err *failure, bool generated, struct err *err)
{
	struct outcome o = { p, failure, generated };
	const struct object *s = p->set;
	int r = client_modify(p->a->client, s->kind, s->ns, s->name, "status", change_status, &o, NULL, err);

	return r == -ERR_NOT_FOUND ? 0 : r;
}

/* ---- reconcile ---- */

/* What would change the applications in ways that we do not know. */
static int check_set(const struct node *spec, struct err *err)
{
	const char *strategy = node_str_or(spec, "strategy.type", "AllAtOnce");

	if (!str_eq(strategy, "AllAtOnce"))
		return err_set(err, ERR_UNSUPPORTED, "spec.strategy: type %s is not supported, all applications are changed at once", strategy);
	if (node_n(node_get(spec, "ignoreApplicationDifferences")))
		return err_set(err, ERR_UNSUPPORTED, "spec.ignoreApplicationDifferences is not supported; spec.preservedFields keeps labels and "
			       "annotations, and applicationsSync: create-only everything");
	return 0;
}

static int generate_all(struct set_pass *p, struct err *err)
{
	const struct node *spec = node_get(p->set->root, "spec"), *it;
	AUTO_DOC d = doc_new();
	struct node *params = node_seq(d);
	bool go = node_bool_at(spec, "goTemplate", false), strict = false;
	struct filler *f;
	int r = 0;

	node_each(it, node_get(spec, "goTemplateOptions"))
		strict |= str_eq(node_text(it), "missingkey=error");
	TRY(check_set(spec, err));
	f = filler_new(go, strict);
	struct generating g = { .repos = p->a->repos, .client = p->a->client, .ns = p->set->ns, .go_template = go, .filler = f, .d = d };
	for (size_t i = 0; r >= 0 && i < node_n(node_get(spec, "generators")); i++)
		r = generate(&g, node_item(node_get(spec, "generators"), i), params, err);
	if (r >= 0)
		r = desired_make(&p->desired, p->set, params, f, p->a->application, err);
	p->asks_git = g.asks_git;
	p->requeue_s = g.requeue_s;
	filler_free(&f);
	return r;
}

/* Before anything is changed: no name is somebody else's. */
static int check_names(struct set_pass *p, struct err *err)
{
	for (size_t i = 0; i < p->desired.n; i++) {
		const char *name = node_str_at(doc_root(p->desired.v[i]), "metadata.name");

		if (!existing(p, name) && informer_get(p->applications, p->set->ns, name))
			TRY(check_owner(p, name, err));
	}
	return 0;
}

static int bring_about(struct set_pass *p, struct err *failure)
{
	int r;

	/* read after generating, which may take a while */
	informer_owned(p->applications, p->set->uid, collect_owned, &p->existing);
	r = check_names(p, failure);
	for (size_t i = 0; r >= 0 && i < p->desired.n; i++)
		r = apply_one(p, doc_root(p->desired.v[i]), failure);
	if (r >= 0 && (sync_policy_of(p->set->root) & POLICY_DELETE))
		r = delete_unwanted(p, failure);
	return r;
}

static void settle(struct appsets *a, const char *ns, const char *name, uintptr_t began)
{
	char *key = object_key(ns, name);
	uintptr_t question = (uintptr_t)map_get(&a->awaited, sv_c(key));

	if (question && question <= began && map_del(&a->awaited, sv_c(key)))
		fiber_signal_all(&a->settled);
	free(key);
}

static int reconcile(struct controller *c, const char *ns, const char *name, struct err *err)
{
	struct appsets *a = (struct appsets *)controller_spec_of(c);
	struct object *o = informer_get(controller_informer(c, 0), ns, name);
	uintptr_t began = a->asked;
	AUTO(err) failure = { 0 };

	if (!o || meta_deleting(o->root)) {
		settle(a, ns, name, began);
		return 0;
	}
	__attribute__((cleanup(set_pass_free))) struct set_pass p = {
		.a = a, .set = object_ref(o), .applications = controller_informer(c, 1),
	};
	bool generated = generate_all(&p, &failure) >= 0;
	int r = generated ? bring_about(&p, &failure) : 0;
	settle(a, ns, name, began);
	if (fiber_canceled())
		return err_set(err, ERR_CANCELED, "stopped");
	if (r == -ERR_CONFLICT)
		return err_move(err, &failure);         /* somebody else wrote first: again, at once */
	TRY(write_status(&p, &failure, generated, err));
	if (failure.code)
		controller_queue_after(c, ns, name, RETRY_MS);
	else if (p.asks_git)
		controller_queue_after(c, ns, name, p.requeue_s ? p.requeue_s * 1000 : a->poll_ms);
	return 0;
}

/* ---- start and stop ---- */

static const struct controller_watch watches[] = {
	{ "argoproj.io/v1alpha1", "ApplicationSet", NULL }, { "argoproj.io/v1alpha1", "Application", controller_map_owner }, { 0 }
};

struct appsets *appsets_start(struct loop *l, const struct appsets_opts *o)
{
	const struct kind *k = kinds_find(o->client->kinds, "argoproj.io/v1alpha1", "Application");

	if (!k || !kinds_find(o->client->kinds, "argoproj.io/v1alpha1", "ApplicationSet"))
		return NULL;
	struct appsets *a = calloc(1, sizeof *a);
	*a = (struct appsets){
		.spec = { .name = MANAGER, .watches = watches, .reconcile = reconcile, .workers = 2 },
		.client = o->client, .repos = o->repos, .application = k, .poll_ms = o->poll_ms ? o->poll_ms : POLL_MS,
	};
	a->controller = controller_start(l, o->client, o->informers, &a->spec);
	return a;
}

void appsets_stop(struct appsets **ap)
{
	struct appsets *a = TAKE(*ap);

	if (!a)
		return;
	controller_stop(&a->controller);
	map_free(&a->awaited);
	free(a);
}

/* ---- from outside ---- */

struct refresh { struct appsets *a; bool (*fn)(void *arg, const char *url); void *arg; bool hit; size_t n; };

static bool is_hit(void *arg, const char *url)
{
	struct refresh *r = arg;

	r->hit |= r->fn(r->arg, url);
	return !r->hit;
}

static bool refresh_one(struct object *o, void *arg)
{
	struct refresh *r = arg;

	r->hit = false;
	generator_repositories(node_at(o->root, "spec.generators"), is_hit, r);
	if (r->hit) {
		char *key = object_key(o->ns, o->name);
		map_put(&r->a->awaited, sv_c(key), (void *)r->a->asked);
		free(key);
		controller_queue(r->a->controller, o->ns, o->name);
		r->n++;
	}
	return true;
}

size_t appsets_refresh(struct appsets *a, bool (*fn)(void *arg, const char *url), void *arg)
{
	struct refresh r = { .a = a, .fn = fn, .arg = arg };

	a->asked++;
	informer_each(controller_informer(a->controller, 0), NULL, refresh_one, &r);
	return r.n;
}

void appsets_settle(struct appsets *a, int64_t ms)
{
	int64_t until = loop_now_ms(fiber_loop()) + ms;

	while (a->awaited.n) {
		int64_t left = until - loop_now_ms(fiber_loop());
		if (left <= 0 || fiber_wait_ms(&a->settled, left) < 0)
			return;
	}
}
