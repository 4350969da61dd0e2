/* cli/wait.c - `cd wait`. */
#include "cli/await.h"
#include "cli/print.h"
#include "cli/verbs.h"

struct wait { struct cluster_opts where; struct opt_list args; const char *what, *labels; int64_t timeout_ms; };
struct wish { struct sv name, value; bool gone, path; const char *of; };

static int parse_wish(const char *text, struct wish *w, struct err *err)
{
	struct sv kind, rest;

	if (str_eq(text, "delete")) {
		w->gone = true;
		return 0;
	}
	bool has = sv_cut(sv_c(text), '=', &kind, &rest);
	w->path = sv_eq_c(kind, "jsonpath");
	if (!has || (!w->path && !sv_eq_c(kind, "condition")))
		return err_set(err, ERR_BAD_REQUEST, "--for '%s': want delete, condition=NAME[=STATUS] or jsonpath={.PATH}=VALUE", text);
	if (!sv_cut_last(rest, '=', &w->name, &w->value)) {
		w->name = rest;
		w->value = SV("True");
		if (w->path)
			return err_set(err, ERR_BAD_REQUEST, "--for '%s': which value is awaited?", text);
	}
	if (w->path && w->name.n > 3 && sv_starts(w->name, SV("{.")))
		w->name = (struct sv){ w->name.p + 2, w->name.n - 3 };
	return 0;
}

static bool same(struct sv a, struct sv b)
{
	return a.n == b.n && !strncasecmp(a.p, b.p, a.n);
}

static int has_come_true(const struct node *root, void *arg, struct err *err)
{
	const struct wish *w = arg;
	char *name;

	if (w->gone)
		return !root;
	if (!root)
		return err_set(err, ERR_NOT_FOUND, "'%s' does not exist", w->of);
	name = sv_dup(w->name);
	const struct node *n = w->path ? node_at(root, name) : node_get(condition_get(node_get(root, "status"), name), "status");
	free(name);
	return same(node_sv(n), w->value);
}

static int await_named(struct cluster *c, const struct wait *w, struct wish *wish, const struct kind *k, const char *name, struct err *err)
{
	AUTO(str) title = { 0 };

	wish->of = name;
	TRY(await_object(c->client, k, resource_ns(c, k), name, w->timeout_ms, has_come_true, wish, err));
	resource_title(k, &title);
	printf("%s/%s %s\n", str_c(&title), name, wish->gone ? "deleted" : "condition met");
	return 0;
}

static int await_selected(struct cluster *c, const struct wait *w, struct wish *wish, const struct kind *k, struct err *err)
{
	const struct list_opts o = { .ns = resource_ns(c, k), .labels = w->labels };
	struct object_list found = { 0 };
	int r = client_list(c->client, k, &o, &found, err);

	for (size_t i = 0; r >= 0 && i < found.n; i++)
		r = await_named(c, w, wish, k, found.v[i]->name, err);
	if (r >= 0 && !found.n && !wish->gone)
		r = err_set(err, ERR_NOT_FOUND, "no %s found", k->plural);
	object_list_free(&found);
	return r;
}

static int run(struct cluster *c, void *arg, struct err *err)
{
	struct wait *w = arg;
	AUTO(resources) wanted = { 0 };
	struct wish wish = { 0 };

	TRY(parse_wish(w->what, &wish, err));
	TRY(resources_parse(c->client, &w->args, &wanted, err));
	for (size_t i = 0; i < wanted.n; i++) {
		const struct resource *r = &wanted.v[i];

		TRY(r->name ? await_named(c, w, &wish, r->kind, r->name, err) : await_selected(c, w, &wish, r->kind, err));
	}
	return EXIT_OK;
}

static const struct usage usage = {
	"wait", "TYPE NAME... | TYPE/NAME... | TYPE [-l LABELS] --for WISH [OPTIONS]",
	"Returns when something has come true: condition=Available, condition=Ready=false, jsonpath={.status.phase}=Running, delete.",
	"  cd wait deployment/web --for condition=Available --timeout 60s\n"
	"  cd wait pods -l app=web --for delete",
};

int cmd_wait(int argc, char **argv)
{
	struct wait w = { .timeout_ms = 30000 };
	const struct opt opts[] = {
		{ "for", 0, OPT_STR, &w.what, "WISH", "what to wait for" },
		{ "timeout", 0, OPT_DURATION, &w.timeout_ms, "DURATION", "give up after so long; negative: never" },
		{ "selector", 'l', OPT_STR, &w.labels, "LABELS", "those with these labels" },
		CLUSTER_OPTIONS(w.where),
		{ 0 }
	};
	int r = cli_options(&usage, opts, argc, argv, &w.args);

	if (r < 0 && !w.args.n)
		r = cli_usage_error(&usage, "name what to wait for");
	if (r < 0 && !w.what)
		r = cli_usage_error(&usage, "say with --for what to wait for: condition=Available, delete");
	if (r < 0)
		r = cluster_run("wait", &w.where, run, &w);
	vec_free(&w.args);
	return r;
}
