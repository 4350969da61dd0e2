/* cli/app.c - `cd app`: Applications. The table of its commands, and those that show. */
#include "cli/app.h"

#include <stdlib.h>

#include "base/fiber.h"
#include "cli/print.h"
#include "cli/verbs.h"

#define SHORT_SHA 7

int app_kind(struct client *c, const struct kind **out, struct err *err)
{
	*out = kinds_find(c->kinds, "argoproj.io/v1alpha1", "Application");
	return *out ? 0 : kinds_unknown(c->kinds, "argoproj.io/v1alpha1", "Application", err);
}

char *app_namespace(struct cluster *c, const struct app_opts *o)
{
	const struct kind *k = kinds_find(c->client->kinds, "v1", "Namespace");
	AUTO_OBJECT argocd = NULL;

	if (o->where.all)
		return NULL;
	if (o->where.ns)
		return sv_dup(sv_c(o->where.ns));
	return sv_dup(sv_c(k && client_get(c->client, k, NULL, "argocd", &argocd, NULL) >= 0 ? "argocd" : "cd"));
}

int app_fetch(struct cluster *c, const struct app_opts *o, const char *name, struct object **out, struct err *err)
{
	const struct kind *k;
	char *ns = app_namespace(c, o);
	int r = app_kind(c->client, &k, err);

	if (r >= 0)
		r = client_get(c->client, k, ns, name, out, err);
	free(ns);
	return r;
}

/* ---- printing ---- */

static const struct node *first_source(const struct node *root)
{
	const struct node *many = node_at(root, "spec.sources");

	return node_n(many) ? node_item(many, 0) : node_at(root, "spec.source");
}

static const char *revision_of(const struct node *root)
{
	const char *one = node_str_at(root, "status.sync.revision");

	return one ? one : node_str_or(root, "status.sync.revisions.0", "");
}

static void add_field(const char *name, const char *value)
{
	if (value && *value)
		printf("%-14s %s\n", name, value);
}

static void print_rows(const struct node *root)
{
	AUTO(table) t = { 0 };
	const struct node *r;
	static const char *const titles[] = { "GROUP", "KIND", "NAMESPACE", "NAME", "STATUS", "HEALTH", "MESSAGE" };

	t.columns = sizeof titles / sizeof *titles;
	for (size_t i = 0; i < t.columns; i++)
		table_add(&t, titles[i]);
	node_each(r, node_at(root, "status.resources")) {
		table_add(&t, node_str_or(r, "group", ""));
		table_add(&t, node_str_or(r, "kind", ""));
		table_add(&t, node_str_or(r, "namespace", ""));
		table_add(&t, node_str_or(r, "name", ""));
		table_add(&t, node_bool_at(r, "hook", false) ? "hook" : node_str_or(r, "status", ""));
		table_add(&t, node_str_or(r, "health.status", ""));
		table_add(&t, node_bool_at(r, "requiresPruning", false) ? "no longer in git" : node_str_or(r, "health.message", ""));
	}
	if (t.n > t.columns) {
		putchar('\n');
		table_print(&t, NULL, stdout);
	}
}

void app_print_result(const struct node *state)
{
	AUTO(table) t = { 0 };
	const struct node *r;

	add_field("Operation:", node_str_at(state, "phase"));
	add_field("  message:", node_str_at(state, "message"));
	add_field("  started:", node_str_at(state, "startedAt"));
	add_field("  finished:", node_str_at(state, "finishedAt"));
	t.columns = 4;
	node_each(r, node_at(state, "syncResult.resources")) {
		if (!str_eq(node_str_at(r, "status"), "SyncFailed") && !str_eq(node_str_at(r, "hookPhase"), "Failed"))
			continue;
		table_addf(&t, "  %s", node_str_or(r, "kind", ""));
		table_add(&t, node_str_or(r, "name", ""));
		table_add(&t, node_str_or(r, "status", ""));
		table_add(&t, node_str_or(r, "message", ""));
	}
	if (t.n)
		table_print(&t, NULL, stdout);
}

void app_print(const struct node *root)
{
	const struct node *source = first_source(root), *c, *health = node_at(root, "status.health");
	AUTO(str) text = { 0 };

	printf("%-14s %s/%s\n", "Name:", node_str_or(root, "metadata.namespace", ""), node_str_or(root, "metadata.name", ""));
	add_field("Project:", node_str_or(root, "spec.project", "default"));
	add_field("Repository:", node_str_at(source, "repoURL"));
	add_field("Path:", node_str_at(source, "path"));
	add_field("Revision:", node_str_or(source, "targetRevision", "HEAD"));
	add_field("Destination:", node_str_at(root, "spec.destination.namespace"));
	add_field("Automated:", !node_at(root, "spec.syncPolicy.automated") ? "no" :
		  node_bool_at(root, "spec.syncPolicy.automated.selfHeal", false) ? "yes, mends drift" : "yes");
	str_addf(&text, "%s%s%s", node_str_or(root, "status.sync.status", "Unknown"), *revision_of(root) ? " to " : "", revision_of(root));
	add_field("Sync:", str_c(&text));
	str_cut(&text, 0);
	str_addf(&text, "%s%s%s", node_str_or(health, "status", "Unknown"), node_str_at(health, "message") ? ": " : "",
		 node_str_or(health, "message", ""));
	add_field("Health:", str_c(&text));
	node_each(c, node_at(root, "status.conditions"))
		printf("%-14s %s: %s\n", "Condition:", node_str_or(c, "type", ""), node_str_or(c, "message", ""));
	if (node_at(root, "status.operationState"))
		app_print_result(node_at(root, "status.operationState"));
	print_rows(root);
}

/* ---- get, list, history ---- */

#define SHOW_OPTIONS(o) \
	{ "output", 'o', OPT_STR, &(o).output, "json|yaml", "for programs" }, \
	CLUSTER_OPTIONS((o).where)

static int run_get(struct cluster *c, void *arg, struct err *err)
{
	struct app_opts *o = arg;
	AUTO_OBJECT app = NULL;

	TRY(app_fetch(c, o, o->args.v[0], &app, err));
	if (o->output)
		print_document(app->root, output_parse(o->output), stdout);
	else
		app_print(app->root);
	return EXIT_OK;
}

static int run_list(struct cluster *c, void *arg, struct err *err)
{
	struct app_opts *o = arg;
	char *ns = app_namespace(c, o);
	const struct list_opts lo = { .ns = ns };
	const struct kind *k;
	struct object_list found = { 0 };
	int r = app_kind(c->client, &k, err);

	if (r >= 0)
		r = client_list(c->client, k, &lo, &found, err);
	free(ns);
	if (r < 0)
		return r;
	AUTO(table) t = { 0 };
	static const char *const titles[] = { "NAMESPACE", "NAME", "SYNC", "HEALTH", "REVISION", "REPOSITORY", "PATH" };
	t.columns = sizeof titles / sizeof *titles;
	for (size_t i = 0; i < t.columns; i++)
		table_add(&t, titles[i]);
	for (size_t i = 0; i < found.n; i++) {
		const struct node *root = found.v[i]->root, *source = first_source(root);
		table_add(&t, found.v[i]->ns);
		table_add(&t, found.v[i]->name);
		table_add(&t, node_str_or(root, "status.sync.status", "Unknown"));
		table_add(&t, node_str_or(root, "status.health.status", "Unknown"));
		table_addf(&t, "%.*s", SHORT_SHA, revision_of(root));
		table_add(&t, node_str_or(source, "repoURL", ""));
		table_add(&t, node_str_or(source, "path", ""));
	}
	if (!o->output && !found.n)
		fprintf(stderr, "There are no applications. `cd app create --help` shows how to make one.\n");
	else if (!o->output)
		table_print(&t, NULL, stdout);
	if (o->output) {
		AUTO_DOC d = doc_new();
		struct node *list = node_seq(d);
		for (size_t i = 0; i < found.n; i++)
			node_add(d, list, node_copy(d, found.v[i]->root));
		print_document(list, output_parse(o->output), stdout);
	}
	object_list_free(&found);
	return EXIT_OK;
}

static int run_history(struct cluster *c, void *arg, struct err *err)
{
	struct app_opts *o = arg;
	AUTO_OBJECT app = NULL;
	AUTO(table) t = { 0 };
	const struct node *h;

	TRY(app_fetch(c, o, o->args.v[0], &app, err));
	if (o->output) {
		AUTO_DOC d = doc_new();
		const struct node *list = node_at(app->root, "status.history");
		print_document(list ? list : node_seq(d), output_parse(o->output), stdout);
		return EXIT_OK;
	}
	static const char *const titles[] = { "ID", "DEPLOYED", "REVISION", "BY" };
	t.columns = sizeof titles / sizeof *titles;
	for (size_t i = 0; i < t.columns; i++)
		table_add(&t, titles[i]);
	node_each(h, node_at(app->root, "status.history")) {
		const char *one = node_str_at(h, "revision");
		table_addf(&t, "%lld", (long long)node_int_at(h, "id", 0));
		table_add(&t, node_str_or(h, "deployedAt", ""));
		table_add(&t, one ? one : node_str_or(h, "revisions.0", ""));
		table_add(&t, node_bool_at(h, "initiatedBy.automated", false) ? "automated sync" :
			  node_str_or(h, "initiatedBy.username", ""));
	}
	table_print(&t, NULL, stdout);
	return EXIT_OK;
}

static int show(const struct usage *u, int argc, char **argv, bool named, bool all,
		int (*fn)(struct cluster *c, void *arg, struct err *err))
{
	struct app_opts o = { 0 };
	const struct opt one[] = { SHOW_OPTIONS(o), { 0 } };
	const struct opt many[] = { ALL_NAMESPACES_OPTION(o.where), SHOW_OPTIONS(o), { 0 } };
	int r = cli_options(u, all ? many : one, argc, argv, &o.args);

	if (r < 0 && o.args.n != (named ? 1 : 0))
		r = cli_usage_error(u, named ? "want one application" : "want no argument");
	if (r < 0)
		r = cluster_run(u->name, &o.where, fn, &o);
	vec_free(&o.args);
	return r;
}

int app_get(int argc, char **argv)
{
	static const struct usage u = { "app get", "NAME [OPTIONS]", "Shows an application: where it comes from, how it is, what belongs to it.",
					"  cd app get demo\n  cd app get demo -o yaml" };

	return show(&u, argc, argv, true, false, run_get);
}

int app_list(int argc, char **argv)
{
	static const struct usage u = { "app list", "[OPTIONS]", "Lists applications with their sync and health status.",
					"  cd app list\n  cd app list -A -o json" };

	return show(&u, argc, argv, false, true, run_list);
}

int app_history(int argc, char **argv)
{
	static const struct usage u = { "app history", "NAME [OPTIONS]", "Lists what was deployed, oldest first. `cd app rollback` takes an ID.",
					"  cd app history demo" };

	return show(&u, argc, argv, true, false, run_history);
}

/* ---- the group ---- */

static const struct verb table[] = {
	{ "create", NULL, "make an application out of a repository", app_create },
	{ "list", NULL, "list applications", app_list },
	{ "get", NULL, "show one", app_get },
	{ "diff", NULL, "show what a sync would change", app_diff },
	{ "sync", NULL, "bring the cluster to what git says, now", app_sync },
	{ "wait", NULL, "return when it is synced and healthy", app_wait },
	{ "history", NULL, "list what was deployed", app_history },
	{ "rollback", NULL, "go back to an earlier deployment", app_rollback },
	{ "delete", NULL, "remove it, with what it made or without", app_delete_command },
	{ 0 }
};

int cmd_app(int argc, char **argv)
{
	static const struct usage u = { "app", "COMMAND NAME [OPTIONS]",
		"Applications: what git says shall run, and what does. They live in the control plane's namespace (\"argocd\" when the\n"
		"cluster has one, else \"cd\") unless -n names another.", "  cd app list\n  cd app sync demo" };

	return cli_group(&u, table, argc, argv);
}
