/* cli/app-diff.c - `cd app diff`: what a sync would change. */
#include <stdlib.h>

#include "base/fiber.h"
#include "base/json.h"
#include "base/yaml.h"
#include "cli/app.h"
#include "cli/print.h"
#include "cli/unified.h"
#include "cli/verbs.h"

static int collect(void *arg, struct sv data)
{
	str_add(arg, data);
	return 0;
}

/* A state is JSON in a string; "null" is none. As YAML. */
static int state(const struct node *item, const char *key, struct str *yaml, struct err *err)
{
	const char *text = node_str_or(item, key, "null");
	AUTO_DOC d = NULL;

	if (str_eq(text, "null"))
		return 0;
	TRY(json_read(sv_c(text), key, 0, &d, err));
	yaml_write(yaml, doc_root(d), YAML_SORTED);
	return 0;
}

static int print_item(const struct node *item, struct err *err)
{
	AUTO(str) before = { 0 };
	AUTO(str) after = { 0 };
	AUTO(str) text = { 0 };
	const char *group = node_str_or(item, "group", ""), *ns = node_str_or(item, "namespace", "");

	TRY(state(item, "normalizedLiveState", &before, err));
	TRY(state(item, "predictedLiveState", &after, err));
	printf("===== %s%s%s %s%s%s ======\n", group, *group ? "/" : "", node_str_or(item, "kind", ""), ns, *ns ? "/" : "",
	       node_str_or(item, "name", ""));
	unified_diff(&text, "live", str_sv(&before), "after a sync", str_sv(&after));
	fputs(str_c(&text), stdout);
	return 0;
}

static int run(struct cluster *c, void *arg, struct err *err)
{
	struct app_opts *o = arg;
	AUTO(str) path = { 0 };
	AUTO(str) body = { 0 };
	AUTO_DOC d = NULL;
	const struct node *item;
	bool any = false;
	char *ns = app_namespace(c, o);

	str_addf(&path, "/api/v1/applications/%s/managed-resources?appNamespace=%s", o->args.v[0], ns);
	free(ns);
	TRY(client_stream(c->client, str_c(&path), collect, &body, err));
	TRY(json_read(str_sv(&body), "answer", 0, &d, err));
	if (o->output) {
		print_document(node_get(doc_root(d), "items"), output_parse(o->output), stdout);
		return EXIT_OK;
	}
	node_each(item, node_get(doc_root(d), "items"))
		if (node_bool_at(item, "modified", false)) {
			any = true;
			TRY(print_item(item, err));
		}
	return any ? EXIT_FAILED : EXIT_OK;
}

int app_diff(int argc, char **argv)
{
	static const struct usage u = { "app diff", "NAME [OPTIONS]",
		"Shows what a sync would change: the live objects beside what git says, as it was last looked at. Values of Secrets are\n"
		"masked. Exit code 0: nothing; 1: something, and it is shown.", "  cd app diff demo" };
	struct app_opts o = { 0 };
	const struct opt opts[] = {
		{ "output", 'o', OPT_STR, &o.output, "json|yaml", "all objects with their states, for programs" },
		CLUSTER_OPTIONS(o.where),
		{ 0 }
	};
	int r = cli_options(&u, opts, argc, argv, &o.args);

	if (r < 0 && o.args.n != 1)
		r = cli_usage_error(&u, "want one application");
	if (r < 0)
		r = cluster_run(u.name, &o.where, run, &o);
	vec_free(&o.args);
	return r;
}
