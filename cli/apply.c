/* cli/apply.c - `cd apply`. */
#include "cli/cluster.h"
#include "cli/manifests.h"
#include "cli/print.h"
#include "cli/verbs.h"

struct apply {
	struct cluster_opts where;
	struct opt_list args, files;
	const char *dry_run, *output, *manager;
	bool recursive, server_side, force;
	struct object_list done;
};

struct outcome { const char *word; struct object *object; };

static const char *name_of(const struct node *root) { return node_str_or(root, "metadata.name", ""); }

static int apply_on_server(struct cluster *c, const struct apply *a, const struct kind *k, const char *ns, const struct node *root,
			   struct outcome *out, struct err *err)
{
	const struct write_opts o = { .manager = a->manager, .force = a->force, .dry_run = str_eq(a->dry_run, "server") };

	out->word = "serverside-applied";
	return client_patch(c->client, k, ns, name_of(root), PATCH_APPLY, root, &o, &out->object, err);
}

static int apply_three_way(struct cluster *c, const struct apply *a, const struct kind *k, const char *ns, const struct node *root,
			   struct outcome *out, struct err *err)
{
	const struct write_opts o = { .manager = a->manager, .dry_run = str_eq(a->dry_run, "server") };
	AUTO_OBJECT before = NULL;
	bool changed = false;
	int r = client_get(c->client, k, ns, name_of(root), &before, err);

	if (r < 0 && r != -ERR_NOT_FOUND)
		return r;
	err_free(err);
	if (str_eq(a->dry_run, "client")) {
		out->word = before ? "configured" : "created";
		out->object = object_new(k, doc_of(root));
		return 0;
	}
	TRY(client_apply(c->client, k, root, &o, &out->object, &changed, err));
	out->word = !before ? "created" : changed ? "configured" : "unchanged";
	return 0;
}

/* The namespace of the file, of -n (which must not contradict it), or of the context. */
static int set_namespace(struct cluster *c, const struct apply *a, const struct kind *k, struct doc *d, const char **ns, struct err *err)
{
	const char *own = node_str_at(doc_root(d), "metadata.namespace");

	*ns = NULL;
	if (!k->namespaced)
		return 0;
	if (own && a->where.ns && !str_eq(own, a->where.ns))
		return err_set(err, ERR_BAD_REQUEST, "%s '%s' is in namespace '%s', not in '%s' as -n says", k->kind, name_of(doc_root(d)),
			       own, a->where.ns);
	*ns = own ? own : c->ns;
	if (!own)
		node_put(d, doc_root(d), "metadata.namespace", node_str(d, c->ns));
	return 0;
}

static int apply_one(struct cluster *c, struct apply *a, struct doc *d, struct err *err)
{
	const struct node *root = doc_root(d);
	const struct kind *k = client_kind(c->client, node_str_at(root, "apiVersion"), node_str_at(root, "kind"), err);
	struct outcome out = { 0 };
	AUTO(str) title = { 0 };
	const char *ns, *suffix = str_eq(a->dry_run, "server") ? " (server dry run)" : str_eq(a->dry_run, "client") ? " (dry run)" : "";
	char where[256];

	if (!k)
		return -(int)err->code;
	TRY(set_namespace(c, a, k, d, &ns, err));
	int r = a->server_side ? apply_on_server(c, a, k, ns, root, &out, err) : apply_three_way(c, a, k, ns, root, &out, err);
	if (r < 0)
		return err_wrap(err, r, "%s", node_where(d, root, where));
	resource_title(k, &title);
	if (output_parse(a->output) == OUTPUT_TABLE)
		printf("%s/%s %s%s\n", str_c(&title), out.object->name, out.word, suffix);
	vec_push(&a->done, out.object);
	return 0;
}

static void print_done(const struct apply *a)
{
	enum output as = output_parse(a->output);

	for (size_t i = 0; i < a->done.n; i++) {
		if (as == OUTPUT_NAME)
			print_name(a->done.v[i], stdout);
		if (as == OUTPUT_YAML)
			puts("---");
		if (as == OUTPUT_YAML || as == OUTPUT_JSON)
			print_document(a->done.v[i]->root, as, stdout);
	}
}

static int run(struct cluster *c, void *arg, struct err *err)
{
	struct apply *a = arg;
	struct docs docs = { 0 };
	int code = EXIT_OK, r = manifests_read(c->client, &a->files, a->recursive, &docs, err);

	for (size_t i = 0; r >= 0 && i < docs.n; i++)
		if (apply_one(c, a, docs.v[i], err) < 0)        /* the others may still work; all errors are shown */
			code = cli_fail("apply", err);
	print_done(a);
	docs_free(&docs);
	return r < 0 ? r : code;
}

static const struct usage usage = {
	"apply", "-f FILE [OPTIONS]",
	"Makes the cluster have what the files say: creates what is missing, changes what differs, and leaves alone what others\n"
	"set. All files are read and checked first; one that is wrong changes nothing.",
	"  cd apply -f deployment.yaml\n"
	"  cd apply -f manifests/ -R -n demo\n"
	"  cd render overlays/prod | cd apply -f -\n"
	"  cd apply -f app.yaml --dry-run server -o yaml",
};

int cmd_apply(int argc, char **argv)
{
	struct apply a = { .dry_run = "none", .manager = "cd" };
	const struct opt opts[] = {
		{ "filename", 'f', OPT_LIST, &a.files, "FILE", "a file, a directory, or - for stdin; may be repeated" },
		{ "recursive", 'R', OPT_FLAG, &a.recursive, NULL, "directories below directories, too" },
		CLUSTER_OPTIONS(a.where),
		{ "dry-run", 0, OPT_STR, &a.dry_run, "none|client|server", "say what would happen; server: let the server check it" },
		{ "server-side", 0, OPT_FLAG, &a.server_side, NULL, "the server merges, and remembers who owns which field" },
		{ "force-conflicts", 0, OPT_FLAG, &a.force, NULL, "with --server-side: take fields that others own" },
		{ "field-manager", 0, OPT_STR, &a.manager, "NAME", "who the changes are attributed to" },
		{ "output", 'o', OPT_STR, &a.output, "json|yaml|name", "print the resulting objects" },
		{ 0 }
	};
	int r = cli_options(&usage, opts, argc, argv, &a.args);

	if (r < 0 && a.args.n)
		r = cli_usage_error(&usage, "'%s': files are given with -f", a.args.v[0]);
	if (r < 0 && !a.files.n)
		r = cli_usage_error(&usage, "name what to apply with -f");
	if (r < 0)
		r = cluster_run("apply", &a.where, run, &a);
	object_list_free(&a.done);
	vec_free(&a.files);
	vec_free(&a.args);
	return r;
}
