/* cli/get.c - `cd get`. */
#include "base/fiber.h"
#include "cli/cluster.h"
#include "cli/print.h"
#include "cli/verbs.h"

#include <stdlib.h>

struct get {
	struct cluster_opts where;
	struct opt_list args;
	const char *output, *labels, *fields;
	bool watch, no_headers, show_labels, ignore_missing;
	struct columns columns;
	struct object_list found;       /* of all kinds, in order */
	bool failed;
};

/* ---- finding ---- */

static int find_named(struct cluster *c, struct get *g, const struct resource *r, struct err *err)
{
	struct object *o = NULL;
	int result = client_get(c->client, r->kind, resource_ns(c, r->kind), r->name, &o, err);

	if (result == -ERR_NOT_FOUND && g->ignore_missing) {
		err_free(err);
		return 0;
	}
	TRY(result);
	vec_push(&g->found, o);
	return 0;
}

static int find_all(struct cluster *c, struct get *g, const struct kind *k, struct err *err)
{
	struct list_opts o = { .ns = resource_ns(c, k), .labels = g->labels, .fields = g->fields };
	struct object_list page = { 0 };
	int r = client_list(c->client, k, &o, &page, err);

	for (size_t i = 0; r >= 0 && i < page.n; i++)
		vec_push(&g->found, object_ref(page.v[i]));
	if (r >= 0)
		g->found.revision = page.revision;
	object_list_free(&page);
	return r;
}

/* One resource that cannot be had is reported, and the others are shown. */
static int find(struct cluster *c, struct get *g, const struct resources *wanted, struct err *err)
{
	for (size_t i = 0; i < wanted->n; i++) {
		const struct resource *r = &wanted->v[i];
		int result = r->name ? find_named(c, g, r, err) : find_all(c, g, r->kind, err);

		if (result < 0 && wanted->n == 1)
			return result;
		if (result < 0) {
			(void)cli_fail("get", err);
			g->failed = true;
		}
	}
	return 0;
}

/* ---- printing ---- */

static struct doc *list_of(const struct object_list *l)
{
	struct doc *d = doc_new();
	struct node *root = node_map(d), *items = node_seq(d);

	for (size_t i = 0; i < l->n; i++)
		node_add(d, items, node_copy(d, l->v[i]->root));
	node_set(d, root, "apiVersion", node_str(d, "v1"));
	node_set(d, root, "items", items);
	node_set(d, root, "kind", node_str(d, "List"));
	node_put(d, root, "metadata.resourceVersion", node_str(d, ""));
	doc_set_root(d, root);
	return d;
}

/* A table a kind; rows of one kind stand together as they were asked for. */
static void print_tables(struct get *g, struct widths *widths)
{
	AUTO(table) t = { 0 };

	for (size_t i = 0; i < g->found.n; i++) {
		const struct kind *k = g->found.v[i]->kind;
		bool first = !i || g->found.v[i - 1]->kind != k;

		if (first && i) {
			table_print(&t, NULL, stdout);
			table_clear(&t);
			putchar('\n');
		}
		if (first)
			print_header(&t, k, &g->columns);
		print_row(&t, g->found.v[i], &g->columns);
	}
	if (t.columns)
		table_print(&t, widths, stdout);
}

static void print_nothing(const struct cluster *c, const struct get *g)
{
	if (g->failed || g->ignore_missing)
		return;
	if (c->ns)
		fprintf(stderr, "No resources found in %s namespace.\n", c->ns);
	else
		fprintf(stderr, "No resources found.\n");
}

static int print_columns(const struct get *g, const struct object *const *v, size_t n, bool header, struct widths *widths,
			 struct err *err)
{
	AUTO(table) t = { 0 };

	if (header && !g->columns.no_headers)
		TRY(template_columns(g->output, NULL, &t, err));
	for (size_t i = 0; i < n; i++)
		TRY(template_columns(g->output, v[i]->root, &t, err));
	if (t.columns)
		table_print(&t, widths, stdout);
	return 0;
}

static int print_whole(const struct get *g, const struct node *root, struct err *err)
{
	AUTO(str) text = { 0 };

	if (g->columns.output != OUTPUT_TEMPLATE) {
		print_document(root, g->columns.output, stdout);
		return 0;
	}
	TRY(template_write(g->output, root, &text, err));
	fwrite(str_c(&text), 1, text.n, stdout);
	return 0;
}

static int print_found(const struct cluster *c, struct get *g, bool single, struct widths *widths, struct err *err)
{
	AUTO_DOC list = NULL;

	switch (g->columns.output) {
	case OUTPUT_JSON:
	case OUTPUT_YAML:
	case OUTPUT_TEMPLATE:
		if (single && !g->found.n)
			return 0;
		if (!single)
			list = list_of(&g->found);
		return print_whole(g, list ? doc_root(list) : g->found.v[0]->root, err);
	case OUTPUT_COLUMNS:
		return print_columns(g, (const struct object *const *)g->found.v, g->found.n, true, widths, err);
	case OUTPUT_NAME:
		for (size_t i = 0; i < g->found.n; i++)
			print_name(g->found.v[i], stdout);
		return 0;
	default:
		if (!g->found.n)
			print_nothing(c, g);
		print_tables(g, widths);
		return 0;
	}
}

/* ---- watching ---- */

static int print_event(struct get *g, const struct object *o, struct widths *widths, struct err *err)
{
	AUTO(table) t = { 0 };
	struct columns bare = g->columns;

	bare.no_headers = true;
	switch (g->columns.output) {
	case OUTPUT_NAME:
		print_name(o, stdout);
		break;
	case OUTPUT_YAML:
		puts("---");
		/* fall through */
	case OUTPUT_JSON:
	case OUTPUT_TEMPLATE:
		TRY(print_whole(g, o->root, err));
		break;
	case OUTPUT_COLUMNS:
		TRY(print_columns(g, &o, 1, false, widths, err));
		break;
	default:
		print_header(&t, o->kind, &bare);
		print_row(&t, o, &g->columns);
		table_print(&t, widths, stdout);
	}
	fflush(stdout);
	return 0;
}

static int watch_on(struct cluster *c, struct get *g, const struct resource *r, struct widths *widths, struct err *err)
{
	AUTO(str) by_name = { 0 };
	struct watch *w = NULL;
	int result = 0;

	if (r->name)
		str_addf(&by_name, "metadata.name=%s", r->name);
	struct list_opts o = { .ns = resource_ns(c, r->kind), .labels = g->labels, .fields = r->name ? str_c(&by_name) : g->fields };
	int64_t from = r->name && g->found.n ? g->found.v[0]->revision : g->found.revision;
	TRY(client_watch(c->client, r->kind, &o, from, &w, err));
	for (struct event e; result >= 0 && (result = watch_next(w, &e, err)) >= 0;) {
		if (e.type != EVENT_BOOKMARK)
			result = print_event(g, e.object, widths, err);
		object_drop(&e.object);
		if (ferror(stdout))
			break;
	}
	watch_close(&w);
	return result;
}

static int run(struct cluster *c, void *arg, struct err *err)
{
	struct get *g = arg;
	AUTO(resources) wanted = { 0 };
	struct widths widths = { 0 };

	TRY(resources_parse(c->client, &g->args, &wanted, err));
	if (g->watch && wanted.n != 1)
		return err_set(err, ERR_BAD_REQUEST, "--watch follows one type or one name");
	g->columns.title = wanted.n > 1 && wanted.v[0].kind != wanted.v[wanted.n - 1].kind;
	g->columns.ns = g->where.all && wanted.v[0].kind->namespaced;
	int r = find(c, g, &wanted, err);
	if (r >= 0)
		r = print_found(c, g, wanted.n == 1 && wanted.v[0].name, &widths, err);
	fflush(stdout);
	if (r >= 0 && g->watch)
		r = watch_on(c, g, &wanted.v[0], &widths, err);
	vec_free(&widths);
	return r < 0 ? r : g->failed ? EXIT_FAILED : EXIT_OK;
}

static const struct usage usage = {
	"get", "TYPE [NAME...] | TYPE/NAME... [OPTIONS]",
	"Shows resources: as a table, or whole with -o. A type may be short (po, deploy, svc), several types are separated by\n"
	"commas, and `all` stands for the usual ones.",
	"  cd get pods -A\n"
	"  cd get deployment web -n demo -o yaml\n"
	"  cd get pods -l app=web -w\n"
	"  cd get pods -o 'jsonpath={range .items[*]}{.metadata.name} {.status.podIP}{\"\\n\"}{end}'\n"
	"  cd get deploy -o custom-columns=NAME:.metadata.name,IMAGE:.spec.template.spec.containers[*].image\n"
	"  cd get all",
};

int cmd_get(int argc, char **argv)
{
	struct get g = { 0 };
	const struct opt opts[] = {
		CLUSTER_OPTIONS(g.where), ALL_NAMESPACES_OPTION(g.where),
		{ "output", 'o', OPT_STR, &g.output, OUTPUT_CHOICES, "how to print" },
		{ "selector", 'l', OPT_STR, &g.labels, "LABELS", "only those with these labels: app=web,tier!=db" },
		{ "field-selector", 0, OPT_STR, &g.fields, "FIELDS", "only those with these fields: metadata.name=web" },
		{ "watch", 'w', OPT_FLAG, &g.watch, NULL, "go on showing what changes" },
		{ "no-headers", 0, OPT_FLAG, &g.columns.no_headers, NULL, "no line of column names" },
		{ "show-labels", 0, OPT_FLAG, &g.columns.labels, NULL, "the labels as the last column" },
		{ "ignore-not-found", 0, OPT_FLAG, &g.ignore_missing, NULL, "a name that does not exist is not an error" },
		{ 0 }
	};
	int r = cli_options(&usage, opts, argc, argv, &g.args);

	g.columns.output = output_parse(g.output);
	if (r < 0 && !g.args.n)
		r = cli_usage_error(&usage, "name a type of resource, such as pods, deployments or applications");
	if (r < 0)
		r = cluster_run("get", &g.where, run, &g);
	object_list_free(&g.found);
	vec_free(&g.args);
	return r;
}
