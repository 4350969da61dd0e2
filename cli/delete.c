/* cli/delete.c - `cd delete`. */
#include "cli/await.h"
#include "cli/manifests.h"
#include "cli/print.h"
#include "cli/verbs.h"

struct delete {
	struct cluster_opts where;
	struct opt_list args, files;
	const char *labels, *cascade, *dry_run, *output;
	int64_t grace_s, timeout_ms;
	bool all, recursive, ignore_missing, wait, force, now;
	struct { struct target *v; size_t n, cap; } targets;
};

struct target { const struct kind *kind; struct str ns, name, uid; };

static void add(struct delete *d, const struct kind *k, const char *ns, const char *name)
{
	struct target t = { .kind = k };

	str_addc(&t.ns, k->namespaced ? ns : NULL);
	str_addc(&t.name, name);
	vec_push(&d->targets, t);
}

static void targets_free(struct delete *d)
{
	for (size_t i = 0; i < d->targets.n; i++) {
		str_free(&d->targets.v[i].ns);
		str_free(&d->targets.v[i].name);
		str_free(&d->targets.v[i].uid);
	}
	vec_free(&d->targets);
}

/* ---- what to delete ---- */

static int add_selected(struct cluster *c, struct delete *d, const struct kind *k, struct err *err)
{
	const struct list_opts o = { .ns = resource_ns(c, k), .labels = d->labels };
	struct object_list found = { 0 };
	int r = client_list(c->client, k, &o, &found, err);

	for (size_t i = 0; r >= 0 && i < found.n; i++)
		add(d, k, found.v[i]->ns, found.v[i]->name);
	object_list_free(&found);
	return r;
}

static int add_named(struct cluster *c, struct delete *d, struct err *err)
{
	AUTO(resources) wanted = { 0 };

	TRY(resources_parse(c->client, &d->args, &wanted, err));
	for (size_t i = 0; i < wanted.n; i++) {
		const struct resource *r = &wanted.v[i];

		if (r->name)
			add(d, r->kind, c->ns, r->name);
		else if (d->all || d->labels)
			TRY(add_selected(c, d, r->kind, err));
		else
			return err_set(err, ERR_BAD_REQUEST, "name what to delete, or say --all or -l LABELS");
	}
	return 0;
}

/* Last things first: a namespace is often the first object of its file. */
static int add_files(struct cluster *c, struct delete *d, struct err *err)
{
	struct docs docs = { 0 };
	int r = manifests_read(c->client, &d->files, d->recursive, &docs, err);

	for (size_t i = docs.n; r >= 0 && i-- > 0;) {
		const struct node *root = doc_root(docs.v[i]);
		const struct kind *k = client_kind(c->client, node_str_at(root, "apiVersion"), node_str_at(root, "kind"), err);

		if (!k)
			r = -(int)err->code;
		else
			add(d, k, node_str_or(root, "metadata.namespace", c->ns), node_str_or(root, "metadata.name", ""));
	}
	docs_free(&docs);
	return r;
}

/* ---- deleting ---- */

static int is_gone(const struct node *root, void *arg, struct err *err)
{
	const struct target *t = arg;

	(void)err;      /* another object of the same name: ours is gone */
	return !root || (t->uid.n && !str_eq(node_str_or(root, "metadata.uid", ""), str_c(&t->uid)));
}

static int delete_one(struct cluster *c, struct delete *d, struct target *t, struct err *err)
{
	const struct delete_opts o = { .propagation = d->cascade, .grace_seconds = d->now ? 1 : d->force ? 0 : d->grace_s,
				       .dry_run = str_eq(d->dry_run, "server") };
	const char *ns = t->kind->namespaced ? str_c(&t->ns) : NULL;
	AUTO_OBJECT before = NULL;
	AUTO(str) title = { 0 };
	int r = client_get(c->client, t->kind, ns, str_c(&t->name), &before, err);

	if (r >= 0 && !str_eq(d->dry_run, "client"))
		r = client_delete(c->client, t->kind, ns, str_c(&t->name), &o, err);
	if (r == -ERR_NOT_FOUND && d->ignore_missing) {
		err_free(err);
		return 0;
	}
	TRY(r);
	str_addc(&t->uid, before->uid);
	if (output_parse(d->output) == OUTPUT_NAME) {
		print_name(before, stdout);
		return 0;
	}
	resource_title(t->kind, &title);
	printf("%s \"%s\" deleted%s%s%s%s\n", str_c(&title), str_c(&t->name), ns ? " from " : "", ns ? ns : "", ns ? " namespace" : "",
	       str_eq(d->dry_run, "none") ? "" : " (dry run)");
	fflush(stdout);
	return 0;
}

static int await_each(struct cluster *c, struct delete *d, struct err *err)
{
	for (size_t i = 0; i < d->targets.n; i++) {
		struct target *t = &d->targets.v[i];
		const char *ns = t->kind->namespaced ? str_c(&t->ns) : NULL;

		if (t->uid.n)
			TRY(await_object(c->client, t->kind, ns, str_c(&t->name), d->timeout_ms ? d->timeout_ms : -1, is_gone, t, err));
	}
	return 0;
}

static int run(struct cluster *c, void *arg, struct err *err)
{
	struct delete *d = arg;
	int code = EXIT_OK;

	TRY(d->files.n ? add_files(c, d, err) : add_named(c, d, err));
	if (!d->targets.n)
		fprintf(stderr, "No resources found.\n");
	for (size_t i = 0; i < d->targets.n; i++)
		if (delete_one(c, d, &d->targets.v[i], err) < 0)
			code = cli_fail("delete", err);
	if (d->wait && str_eq(d->dry_run, "none"))
		TRY(await_each(c, d, err));
	return code;
}

static const char *propagation_of(const char *cascade)
{
	return str_eq(cascade, "orphan") ? "Orphan" : str_eq(cascade, "foreground") ? "Foreground" : "Background";
}

static const struct usage usage = {
	"delete", "TYPE NAME... | TYPE/NAME... | TYPE -l LABELS | -f FILE [OPTIONS]",
	"Deletes resources and, unless --wait=false, returns when they are gone.",
	"  cd delete deployment web -n demo\n"
	"  cd delete pods -l app=web\n"
	"  cd delete -f manifests/\n"
	"  cd delete configmaps --all -n scratch",
};

int cmd_delete(int argc, char **argv)
{
	struct delete d = { .grace_s = -1, .cascade = "background", .dry_run = "none", .wait = true };
	const struct opt opts[] = {
		{ "filename", 'f', OPT_LIST, &d.files, "FILE", "what a file, a directory, or stdin (-) names; may be repeated" },
		{ "recursive", 'R', OPT_FLAG, &d.recursive, NULL, "directories below directories, too" },
		CLUSTER_OPTIONS(d.where), ALL_NAMESPACES_OPTION(d.where),
		{ "selector", 'l', OPT_STR, &d.labels, "LABELS", "those with these labels" },
		{ "all", 0, OPT_FLAG, &d.all, NULL, "all of the type" },
		{ "ignore-not-found", 0, OPT_FLAG, &d.ignore_missing, NULL, "what does not exist is not an error" },
		{ "wait", 0, OPT_FLAG, &d.wait, NULL, "return when they are gone; default: true" },
		{ "timeout", 0, OPT_DURATION, &d.timeout_ms, "DURATION", "how long to wait; default: for ever" },
		{ "grace-period", 0, OPT_INT, &d.grace_s, "SECONDS", "time to end in; default: the object's own" },
		{ "now", 0, OPT_FLAG, &d.now, NULL, "the same as --grace-period=1" },
		{ "force", 0, OPT_FLAG, &d.force, NULL, "the same as --grace-period=0" },
		{ "cascade", 0, OPT_STR, &d.cascade, "background|foreground|orphan", "what happens to what they own" },
		{ "dry-run", 0, OPT_STR, &d.dry_run, "none|client|server", "say what would happen" },
		{ "output", 'o', OPT_STR, &d.output, "name", "print names only" },
		{ 0 }
	};
	int r = cli_options(&usage, opts, argc, argv, &d.args);

	d.cascade = propagation_of(d.cascade);
	if (r < 0 && !d.args.n == !d.files.n)
		r = cli_usage_error(&usage, d.files.n ? "either -f or names, not both" : "name what to delete");
	if (r < 0)
		r = cluster_run("delete", &d.where, run, &d);
	targets_free(&d);
	vec_free(&d.files);
	vec_free(&d.args);
	return r;
}
