/* cli/app-sync.c - `cd app sync`, `rollback`, `wait`. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/fiber.h"
#include "cli/app.h"
#include "cli/await.h"
#include "cli/print.h"
#include "cli/verbs.h"

#define TIMEOUT_MS 300000

struct sync {
	struct app_opts app;
	const char *revision;
	struct opt_list resources;
	bool prune, dry_run, force, no_wait, hard;
	int64_t timeout_ms;
	const struct node *entry;       /* of the history: a rollback */
	struct object *held;            /* that entry lives in */
};

/* ---- waiting ---- */

struct waiting { const struct app_wish *wish; const char *name; int code; struct str last; };

static bool has_condition(const struct node *root, const char *type)
{
	const struct node *c;

	node_each(c, node_at(root, "status.conditions"))
		if (str_eq(node_str_at(c, "type"), type))
			return true;
	return false;
}

/* What is not yet as wished, in words; false: all is. */
static bool missing(const struct node *root, const struct app_wish *w, struct str *out)
{
	const char *sync = node_str_or(root, "status.sync.status", "Unknown"), *health = node_str_or(root, "status.health.status", "Unknown");
	const struct node *c;

	if (node_get(root, "operation"))
		str_addf(out, "%s", node_str_or(root, "status.operationState.message", "an operation is running"));
	else if (w->synced && !str_eq(sync, "Synced"))
		str_addf(out, "it is %s", sync);
	else if (w->healthy && !str_eq(health, "Healthy"))
		str_addf(out, "it is %s (%s)", health, node_str_or(root, "status.health.message", ""));
	if (out->n)
		node_each(c, node_at(root, "status.conditions"))
			str_addf(out, "; %s: %s", node_str_or(c, "type", ""), node_str_or(c, "message", ""));
	return out->n > 0;
}

static int is_there(const struct node *root, void *arg, struct err *err)
{
	struct waiting *w = arg;
	AUTO(str) why = { 0 };

	if (!root)
		return err_set(err, ERR_NOT_FOUND, "application '%s' does not exist", w->name);
	bool waits = missing(root, w->wish, &why);
	str_move(&w->last, &why);
	if (!waits)
		return 1;
	if (node_get(root, "operation") || (!has_condition(root, "SyncError") && !has_condition(root, "InvalidSpecError")))
		return 0;
	w->code = EXIT_UNHEALTHY;       /* nothing will come by itself */
	return 1;
}

int app_await(struct cluster *c, const char *ns, const char *name, const struct app_wish *wish, struct err *err)
{
	struct waiting w = { .wish = wish, .name = name };
	const struct kind *k;

	TRY(app_kind(c->client, &k, err));
	int r = await_object(c->client, k, ns, name, wish->timeout_ms, is_there, &w, err);
	if (r == -ERR_TIMEOUT)
		r = err_set(err, ERR_TIMEOUT, "application '%s' did not get there in time: %s", name, str_c(&w.last));
	else if (r >= 0 && w.code)
		fprintf(stderr, "application '%s': %s\n", name, str_c(&w.last));
	str_free(&w.last);
	return r < 0 ? r : w.code;
}

/* ---- the operation ---- */

/* "apps:Deployment:web" as an entry of operation.sync.resources. */
static int add_resource(struct doc *d, struct node *sync, const char *text, struct err *err)
{
	struct sv group, rest, kind, name, ns;
	struct node *it = node_map(d);

	if (!sv_cut(sv_c(text), ':', &group, &rest) || !sv_cut(rest, ':', &kind, &name) || !kind.n || !name.n)
		return err_set(err, ERR_BAD_REQUEST, "--resource '%s': want GROUP:KIND:NAME or GROUP:KIND:NAMESPACE/NAME", text);
	if (sv_cut(name, '/', &ns, &rest)) {
		node_set(d, it, "namespace", node_strn(d, ns));
		name = rest;
	}
	node_set(d, it, "group", node_strn(d, group));
	node_set(d, it, "kind", node_strn(d, kind));
	node_set(d, it, "name", node_strn(d, name));
	node_add(d, node_seq_at(d, sync, "resources"), it);
	return 0;
}

static int set_sync(struct doc *d, struct node *root, void *arg, struct err *err)
{
	static const char *const pinned[] = { "revision", "revisions", "source", "sources" };
	const struct sync *s = arg;
	struct node *op = node_map(d), *sync = node_map_at(d, op, "sync");
	const struct node *options = node_at(root, "spec.syncPolicy.syncOptions");

	if (node_get(root, "operation"))
		return err_set(err, ERR_CONFLICT, "another operation is already in progress; `cd app wait %s` waits for it", s->app.args.v[0]);
	for (size_t i = 0; s->entry && i < sizeof pinned / sizeof *pinned; i++)
		if (node_get(s->entry, pinned[i]))
			node_set(d, sync, pinned[i], node_copy(d, node_get(s->entry, pinned[i])));
	if (s->revision)
		node_set(d, sync, "revision", node_str(d, s->revision));
	if (s->prune)
		node_set(d, sync, "prune", node_bool(d, true));
	if (s->dry_run)
		node_set(d, sync, "dryRun", node_bool(d, true));
	if (s->force || s->entry)
		node_put(d, sync, s->entry ? "syncStrategy.apply.force" : "syncStrategy.hook.force", node_bool(d, s->force));
	if (node_n(options))
		node_set(d, sync, "syncOptions", node_copy(d, options));
	for (size_t i = 0; i < s->resources.n; i++)
		TRY(add_resource(d, sync, s->resources.v[i], err));
	node_put(d, op, "initiatedBy.username", node_str(d, "admin"));
	node_set(d, root, "operation", op);
	(void)node_del(node_get(root, "status"), "operationState");
	return 1;
}

/* Sets the operation, waits for its end and shows it. */
static int operate(struct cluster *c, struct sync *s, struct err *err)
{
	const char *name = s->app.args.v[0];
	const struct app_wish wish = { .timeout_ms = s->timeout_ms };
	AUTO_OBJECT after = NULL;
	const struct kind *k;

	TRY(app_kind(c->client, &k, err));
	char *ns = app_namespace(c, &s->app);
	int r = client_modify(c->client, k, ns, name, NULL, set_sync, s, NULL, err);
	if (r >= 0 && !s->no_wait)
		r = app_await(c, ns, name, &wish, err);
	free(ns);
	if (r < 0 || s->no_wait)
		return r < 0 ? r : EXIT_OK;
	TRY(app_fetch(c, &s->app, name, &after, err));
	app_print_result(node_at(after->root, "status.operationState"));
	return str_eq(node_str_at(after->root, "status.operationState.phase"), "Succeeded") ? EXIT_OK : EXIT_UNHEALTHY;
}

static int run_sync(struct cluster *c, void *arg, struct err *err)
{
	return operate(c, arg, err);
}

/* The entry of that id; without one the newest that is not deployed now. */
static const struct node *find_entry(const struct node *root, const char *id)
{
	const struct node *history = node_at(root, "status.history"), *h;
	int64_t wanted;

	if (!id)
		return node_n(history) > 1 ? node_item(history, node_n(history) - 2) : NULL;
	node_each(h, history)
		if (sv_to_i64(sv_c(id), &wanted) && node_int_at(h, "id", -1) == wanted)
			return h;
	return NULL;
}

static int run_rollback(struct cluster *c, void *arg, struct err *err)
{
	struct sync *s = arg;
	const char *name = s->app.args.v[0], *id = s->app.args.n > 1 ? s->app.args.v[1] : NULL;

	TRY(app_fetch(c, &s->app, name, &s->held, err));
	if (node_is(node_at(s->held->root, "spec.syncPolicy.automated"), NODE_MAP) &&
	    node_bool_at(s->held->root, "spec.syncPolicy.automated.enabled", true))
		return err_set(err, ERR_CONFLICT, "rollback cannot be initiated when auto-sync is enabled: it would be synced forward at "
			       "once. Revert the commit in git, or set spec.syncPolicy.automated.enabled: false first");
	if (!(s->entry = find_entry(s->held->root, id)))
		return err_set(err, ERR_NOT_FOUND, id ? "application '%s' has no deployment %s; `cd app history %s` lists them" :
			       "application '%s' has no earlier deployment", name, id ? id : "", name);
	return operate(c, s, err);
}

static int run_wait(struct cluster *c, void *arg, struct err *err)
{
	struct sync *s = arg;
	const struct app_wish wish = { .synced = true, .healthy = true, .timeout_ms = s->timeout_ms };
	char *ns = app_namespace(c, &s->app);
	int r = app_await(c, ns, s->app.args.v[0], &wish, err);

	free(ns);
	if (r == EXIT_OK)
		printf("application '%s' is synced and healthy\n", s->app.args.v[0]);
	return r;
}

static int parse_and_run(const struct usage *u, const struct opt *opts, int argc, char **argv, struct sync *s, size_t most,
			 int (*fn)(struct cluster *c, void *arg, struct err *err))
{
	int r = cli_options(u, opts, argc, argv, &s->app.args);

	if (r < 0 && (s->app.args.n < 1 || s->app.args.n > most))
		r = cli_usage_error(u, "want one application");
	if (r < 0)
		r = cluster_run(u->name, &s->app.where, fn, s);
	vec_free(&s->app.args);
	vec_free(&s->resources);
	object_drop(&s->held);
	return r;
}

int app_sync(int argc, char **argv)
{
	static const struct usage u = { "app sync", "NAME [OPTIONS]",
		"Brings the cluster to what git says, now, and waits for the end of the sync. Exit code 5: the sync failed.",
		"  cd app sync demo --prune\n  cd app sync demo --resource apps:Deployment:web" };
	struct sync s = { .timeout_ms = TIMEOUT_MS };
	const struct opt opts[] = {
		{ "revision", 'r', OPT_STR, &s.revision, "REVISION", "another one than the application names" },
		{ "prune", 0, OPT_FLAG, &s.prune, NULL, "remove what is no longer in git" },
		{ "dry-run", 0, OPT_FLAG, &s.dry_run, NULL, "only ask the cluster whether it would take everything" },
		{ "force", 0, OPT_FLAG, &s.force, NULL, "make objects anew whose change is not allowed" },
		{ "resource", 0, OPT_LIST, &s.resources, "GROUP:KIND:NAME", "only this one (repeatable); hooks do not run" },
		{ "no-wait", 0, OPT_FLAG, &s.no_wait, NULL, "return once the sync is asked for" },
		{ "timeout", 0, OPT_DURATION, &s.timeout_ms, "DURATION", "how long to wait" },
		CLUSTER_OPTIONS(s.app.where),
		{ 0 }
	};

	return parse_and_run(&u, opts, argc, argv, &s, 1, run_sync);
}

int app_rollback(int argc, char **argv)
{
	static const struct usage u = { "app rollback", "NAME [ID] [OPTIONS]",
		"Goes back to an earlier deployment (`cd app history` lists them; default: the one before). Hooks do not run, and the\n"
		"application shows OutOfSync afterwards, as git still says something else.", "  cd app rollback demo 3 --prune" };
	struct sync s = { .timeout_ms = TIMEOUT_MS };
	const struct opt opts[] = {
		{ "prune", 0, OPT_FLAG, &s.prune, NULL, "remove what was not there then" },
		{ "no-wait", 0, OPT_FLAG, &s.no_wait, NULL, "return once it is asked for" },
		{ "timeout", 0, OPT_DURATION, &s.timeout_ms, "DURATION", "how long to wait" },
		CLUSTER_OPTIONS(s.app.where),
		{ 0 }
	};

	return parse_and_run(&u, opts, argc, argv, &s, 2, run_rollback);
}

int app_wait(int argc, char **argv)
{
	static const struct usage u = { "app wait", "NAME [OPTIONS]",
		"Returns when the application is synced and healthy and nothing is going on. Exit code 4: not in time; 5: it failed and\n"
		"will not get there by itself.", "  cd app wait demo --timeout 60s" };
	struct sync s = { .timeout_ms = TIMEOUT_MS };
	const struct opt opts[] = {
		{ "timeout", 0, OPT_DURATION, &s.timeout_ms, "DURATION", "how long" },
		CLUSTER_OPTIONS(s.app.where),
		{ 0 }
	};

	return parse_and_run(&u, opts, argc, argv, &s, 1, run_wait);
}
