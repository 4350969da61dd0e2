/* cli/preview.c - `cd preview`: the Applications that ApplicationSets have made, one a branch. */
#include "cli/app.h"

#include "cli/print.h"
#include "cli/verbs.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- which ones ---- */

static const char *set_of(const struct object *app)
{
	const struct node *owner = meta_owner(app->root);

	return str_eq(node_str_at(owner, "kind"), "ApplicationSet") ? node_str_or(owner, "name", "") : NULL;
}

static const char *branch_of(const struct object *app) { return node_str_or(app->root, "spec.source.targetRevision", ""); }

/* ---- addresses: every NodePort of the preview's Services ---- */

static void add_ports(const struct object *service, struct str *out)
{
	struct node *port;

	node_each(port, node_at(service->root, "spec.ports")) {
		int64_t number = node_int_at(port, "nodePort", 0);

		if (number)
			str_addf(out, "%shttp://127.0.0.1:%lld", out->n ? " " : "", (long long)number);
	}
}

static bool has_service(const struct object *app, const struct object *service)
{
	const struct node *it;

	node_each(it, node_at(app->root, "status.resources"))
		if (str_eq(node_str_at(it, "kind"), "Service") && !*node_str_or(it, "group", "") &&
		    str_eq(node_str_at(it, "name"), service->name) && str_eq(node_str_at(it, "namespace"), service->ns))
			return true;
	return false;
}

static int add_addresses(struct client *c, const struct object *app, struct str *out, struct err *err)
{
	const struct kind *k = kinds_find(c->kinds, "v1", "Service");
	const struct list_opts o = { .ns = node_str_or(app->root, "spec.destination.namespace", "") };
	struct object_list found = { 0 };

	if (!k || !*o.ns)
		return 0;
	TRY(client_list(c, k, &o, &found, err));
	for (size_t i = 0; i < found.n; i++)
		if (has_service(app, found.v[i]))
			add_ports(found.v[i], out);
	object_list_free(&found);
	return 0;
}

/* ---- list ---- */

static const char *const titles[] = { "NAME", "SET", "BRANCH", "NAMESPACE", "SYNC", "HEALTH", "ADDRESS" };

static int add_row(struct client *c, const struct object *app, struct table *t, struct err *err)
{
	const char *ns = node_str_or(app->root, "spec.destination.namespace", "");
	AUTO(str) addresses = { 0 };

	TRY(add_addresses(c, app, &addresses, err));
	table_add(t, app->name);
	table_add(t, set_of(app));
	table_add(t, branch_of(app));
	table_add(t, ns);
	table_add(t, node_str_or(app->root, "status.sync.status", "Unknown"));
	table_add(t, node_str_or(app->root, "status.health.status", "Unknown"));
	table_add(t, str_c(&addresses));
	return 0;
}

static int print_table(struct client *c, const struct object_list *apps, struct err *err)
{
	AUTO(table) t = { 0 };
	size_t n = sizeof titles / sizeof *titles;

	t.columns = n;
	for (size_t i = 0; i < n; i++)
		table_add(&t, titles[i]);
	for (size_t i = 0; i < apps->n; i++)
		if (set_of(apps->v[i]))
			TRY(add_row(c, apps->v[i], &t, err));
	if (t.n == n)
		fprintf(stderr, "There are no previews. docs/guide/previews.md shows how to have one for every branch.\n");
	else
		table_print(&t, NULL, stdout);
	return 0;
}

static void print_list(const struct object_list *apps, const char *output)
{
	AUTO_DOC d = doc_new();
	struct node *list = node_seq(d);

	for (size_t i = 0; i < apps->n; i++)
		if (set_of(apps->v[i]))
			node_add(d, list, node_copy(d, apps->v[i]->root));
	print_document(list, output_parse(output), stdout);
}

static int run_list(struct cluster *c, void *arg, struct err *err)
{
	struct app_opts *o = arg;
	struct object_list apps = { 0 };
	const struct kind *k;
	char *ns = app_namespace(c, o);
	const struct list_opts lo = { .ns = ns };
	int r = app_kind(c->client, &k, err);

	if (r >= 0)
		r = client_list(c->client, k, &lo, &apps, err);
	free(ns);
	TRY(r);
	if (o->output)
		print_list(&apps, o->output);
	else
		r = print_table(c->client, &apps, err);
	object_list_free(&apps);
	return r < 0 ? r : EXIT_OK;
}

/* ---- delete ---- */

static int run_delete(struct cluster *c, void *arg, struct err *err)
{
	struct app_opts *o = arg;

	for (size_t i = 0; i < o->args.n; i++) {
		AUTO_OBJECT app = NULL;

		TRY(app_fetch(c, o, o->args.v[i], &app, err));
		if (!set_of(app))
			return err_set(err, ERR_BAD_REQUEST, "'%s' is no preview, but an application of its own; `cd app delete` deletes those",
				       app->name);
		TRY(client_delete(c->client, app->kind, app->ns, app->name, NULL, err));
		printf("preview '%s' is being deleted; its set makes it again as long as branch '%s' exists\n", app->name, branch_of(app));
	}
	return EXIT_OK;
}

/* ---- commands ---- */

static int preview_command(const struct usage *u, const char *command, bool named, int (*run)(struct cluster *, void *, struct err *),
			   int argc, char **argv)
{
	struct app_opts o = { 0 };
	const struct opt opts[] = {
		{ "output", 'o', OPT_STR, &o.output, "json|yaml", "for programs" },
		CLUSTER_OPTIONS(o.where),
		ALL_NAMESPACES_OPTION(o.where),
		{ 0 }
	};
	int r = cli_options(u, opts, argc, argv, &o.args);

	if (r < 0 && named != (o.args.n > 0))
		r = cli_usage_error(u, named ? "name a preview" : "takes no arguments");
	if (r < 0)
		r = cluster_run(command, &o.where, run, &o);
	vec_free(&o.args);
	return r;
}

static const struct usage list_usage = {
	"preview list", "[OPTIONS]", "Lists the previews: their branches, how well they are, and where they answer.", "  cd preview list"
};

static int preview_list(int argc, char **argv) { return preview_command(&list_usage, "preview list", false, run_list, argc, argv); }

static const struct usage delete_usage = {
	"preview delete", "NAME... [OPTIONS]",
	"Deletes previews with everything that they made. A set makes a preview again as long as its branch exists: delete the\n"
	"branch to be rid of it.",
	"  cd preview delete previews-feature-login"
};

static int preview_delete(int argc, char **argv) { return preview_command(&delete_usage, "preview delete", true, run_delete, argc, argv); }

static const struct verb previews[] = {
	{ "list",   "", "list them, with their addresses", preview_list },
	{ "delete", "", "delete some", preview_delete },
	{ 0 }
};

static const struct usage usage = {
	"preview", "COMMAND [ARGUMENTS]", "Previews: what ApplicationSets made, a namespace for every branch.", "  cd preview list"
};

int cmd_preview(int argc, char **argv) { return cli_group(&usage, previews, argc, argv); }
