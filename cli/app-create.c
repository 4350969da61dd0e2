/* cli/app-create.c - `cd app create`, `delete`. */
#include <stdlib.h>

#include "base/fiber.h"
#include "cli/app.h"
#include "cli/await.h"
#include "cli/print.h"
#include "cli/verbs.h"

#define FINALIZER "resources-finalizer.argocd.argoproj.io"

struct create {
	struct app_opts app;
	const char *repo, *path, *revision, *dest_ns, *project;
	struct opt_list options;
	bool automated, prune, self_heal, keep, print;
};

static void build(struct doc *d, struct node *root, const struct create *n)
{
	struct node *source = node_map_at(d, root, "spec.source"), *dest = node_map_at(d, root, "spec.destination");

	node_put(d, root, "spec.project", node_str(d, n->project));
	node_set(d, source, "repoURL", node_str(d, n->repo));
	node_set(d, source, "path", node_str(d, n->path));
	if (n->revision)
		node_set(d, source, "targetRevision", node_str(d, n->revision));
	node_set(d, dest, "server", node_str(d, "https://kubernetes.default.svc"));
	if (n->dest_ns)
		node_set(d, dest, "namespace", node_str(d, n->dest_ns));
	if (n->automated || n->prune || n->self_heal) {
		struct node *automated = node_map_at(d, root, "spec.syncPolicy.automated");
		if (n->prune)
			node_set(d, automated, "prune", node_bool(d, true));
		if (n->self_heal)
			node_set(d, automated, "selfHeal", node_bool(d, true));
	}
	for (size_t i = 0; i < n->options.n; i++)
		node_add(d, node_seq_at(d, root, "spec.syncPolicy.syncOptions"), node_str(d, n->options.v[i]));
	if (!n->keep)
		node_add(d, node_seq_at(d, root, "metadata.finalizers"), node_str(d, FINALIZER));
}

static int ensure_namespace(struct client *c, const char *ns, struct err *err)
{
	const struct kind *k = kinds_find(c->kinds, "v1", "Namespace");
	AUTO_DOC d = doc_new();
	AUTO_OBJECT there = NULL;

	if (client_get(c, k, NULL, ns, &there, NULL) >= 0)
		return 0;
	int r = client_create(c, k, object_start(d, k, NULL, ns), NULL, NULL, err);
	return r == -ERR_ALREADY_EXISTS ? 0 : r;
}

static int run_create(struct cluster *c, void *arg, struct err *err)
{
	struct create *n = arg;
	const struct kind *k;
	AUTO_DOC d = doc_new();
	AUTO_OBJECT made = NULL;

	TRY(app_kind(c->client, &k, err));
	char *ns = app_namespace(c, &n->app);
	struct node *root = object_start(d, k, ns, n->app.args.v[0]);
	build(d, root, n);
	int r = 0;
	if (n->print)
		print_document(root, OUTPUT_YAML, stdout);
	else if ((r = ensure_namespace(c->client, ns, err)) >= 0)
		r = client_create(c->client, k, root, NULL, &made, err);
	free(ns);
	if (r < 0)
		return r;
	if (made)
		printf("application '%s' created; `cd app get %s` shows how it is\n", made->name, made->name);
	return EXIT_OK;
}

int app_create(int argc, char **argv)
{
	static const struct usage u = { "app create", "NAME --repo URL [OPTIONS]",
		"Makes an application: the manifests, kustomization or chart in a directory of a git repository. The repositories of the\n"
		"built-in git server are named /git/NAME.git.",
		"  cd app create demo --repo /git/demo.git --dest-namespace demo --automated --prune --self-heal \\\n"
		"      --sync-option CreateNamespace=true\n"
		"  cd app create shop --repo https://example.org/shop.git --path overlays/prod --revision main" };
	struct create n = { .path = ".", .project = "default" };
	const struct opt opts[] = {
		{ "repo", 0, OPT_STR, &n.repo, "URL", "the repository: https, ssh, a path of the server's machine, or /git/NAME.git" },
		{ "path", 0, OPT_STR, &n.path, "DIR", "the directory in it" },
		{ "revision", 'r', OPT_STR, &n.revision, "REVISION", "branch, tag, commit or range of versions; default: the default branch" },
		{ "dest-namespace", 0, OPT_STR, &n.dest_ns, "NAMESPACE", "for objects that name none" },
		{ "project", 0, OPT_STR, &n.project, "NAME", "the AppProject" },
		{ "automated", 0, OPT_FLAG, &n.automated, NULL, "sync every new commit by itself" },
		{ "prune", 0, OPT_FLAG, &n.prune, NULL, "automated: remove what is no longer in git" },
		{ "self-heal", 0, OPT_FLAG, &n.self_heal, NULL, "automated: mend what is changed by hand" },
		{ "sync-option", 0, OPT_LIST, &n.options, "KEY=VALUE", "repeatable" },
		{ "keep", 0, OPT_FLAG, &n.keep, NULL, "when the application is deleted, what it made stays" },
		{ "print", 0, OPT_FLAG, &n.print, NULL, "only print the manifest" },
		CLUSTER_OPTIONS(n.app.where),
		{ 0 }
	};
	int r = cli_options(&u, opts, argc, argv, &n.app.args);

	if (r < 0 && n.app.args.n != 1)
		r = cli_usage_error(&u, "want one name");
	if (r < 0 && !n.repo)
		r = cli_usage_error(&u, "--repo is missing");
	if (r < 0)
		r = cluster_run(u.name, &n.app.where, run_create, &n);
	vec_free(&n.app.args);
	vec_free(&n.options);
	return r;
}

/* ---- delete ---- */

struct removal { struct app_opts app; bool orphan, no_wait; int64_t timeout_ms; };

/* The finalizer decides whether what it made goes along. */
static int set_cascade(struct doc *d, struct node *root, void *arg, struct err *err)
{
	const struct removal *m = arg;
	bool there = meta_has_finalizer(root, FINALIZER) || meta_has_finalizer(root, FINALIZER "/foreground") ||
		     meta_has_finalizer(root, FINALIZER "/background");

	(void)err;
	if (m->orphan) {
		bool changed = meta_remove_finalizer(root, FINALIZER);
		changed |= meta_remove_finalizer(root, FINALIZER "/foreground");
		return meta_remove_finalizer(root, FINALIZER "/background") || changed;
	}
	if (there)
		return 0;
	node_add(d, node_seq_at(d, root, "metadata.finalizers"), node_str(d, FINALIZER));
	return 1;
}

static int is_gone(const struct node *root, void *arg, struct err *err)
{
	(void)arg;
	(void)err;
	return !root;
}

static int run_delete(struct cluster *c, void *arg, struct err *err)
{
	struct removal *m = arg;
	const char *name = m->app.args.v[0];
	const struct delete_opts o = { .grace_seconds = -1 };
	const struct kind *k;

	TRY(app_kind(c->client, &k, err));
	char *ns = app_namespace(c, &m->app);
	int r = client_modify(c->client, k, ns, name, NULL, set_cascade, m, NULL, err);
	if (r >= 0)
		r = client_delete(c->client, k, ns, name, &o, err);
	if (r >= 0 && !m->no_wait)
		r = await_object(c->client, k, ns, name, m->timeout_ms, is_gone, NULL, err);
	free(ns);
	if (r < 0)
		return r;
	printf("application '%s' deleted%s\n", name, m->orphan ? "; what it made stays" : "");
	return EXIT_OK;
}

int app_delete_command(int argc, char **argv)
{
	static const struct usage u = { "app delete", "NAME [OPTIONS]", "Removes an application and what it made, and waits until all is gone.",
					"  cd app delete demo\n  cd app delete demo --orphan" };
	struct removal m = { .timeout_ms = 300000 };
	const struct opt opts[] = {
		{ "orphan", 0, OPT_FLAG, &m.orphan, NULL, "what it made stays" },
		{ "no-wait", 0, OPT_FLAG, &m.no_wait, NULL, "return at once" },
		{ "timeout", 0, OPT_DURATION, &m.timeout_ms, "DURATION", "how long to wait" },
		CLUSTER_OPTIONS(m.app.where),
		{ 0 }
	};
	int r = cli_options(&u, opts, argc, argv, &m.app.args);

	if (r < 0 && m.app.args.n != 1)
		r = cli_usage_error(&u, "want one application");
	if (r < 0)
		r = cluster_run(u.name, &m.app.where, run_delete, &m);
	vec_free(&m.app.args);
	return r;
}
