/* cli/patch.c - `cd patch`. */
#include "base/fs.h"
#include "base/yaml.h"
#include "cli/cluster.h"
#include "cli/print.h"
#include "cli/verbs.h"

struct patch { struct cluster_opts where; struct opt_list args; const char *type, *text, *file, *sub, *dry_run, *output; };

static const struct { const char *name; enum patch_type type; } types[] = {
	{ "strategic", PATCH_STRATEGIC }, { "merge", PATCH_MERGE }, { "json", PATCH_JSON },
};

static enum patch_type type_of(const char *name)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (str_eq(types[i].name, name))
			return types[i].type;
	return PATCH_STRATEGIC;
}

static int read_patch(const struct patch *p, struct doc **out, struct err *err)
{
	AUTO(str) text = { 0 };

	if (p->file)
		TRY(file_read(p->file, (size_t)4 << 20, &text, err));
	else
		str_addc(&text, p->text);
	return yaml_read(str_sv(&text), p->file ? p->file : "patch", YAML_UNIQUE_KEYS, out, err);
}

static int run(struct cluster *c, void *arg, struct err *err)
{
	struct patch *p = arg;
	AUTO(resources) wanted = { 0 };
	AUTO_OBJECT before = NULL;
	AUTO_OBJECT after = NULL;
	AUTO(str) title = { 0 };
	AUTO_DOC d = NULL;

	TRY(read_patch(p, &d, err));
	TRY(resources_one(c->client, &p->args, &wanted, err));
	const struct kind *k = wanted.v[0].kind;
	const char *ns = resource_ns(c, k), *name = wanted.v[0].name;
	const struct write_opts o = { .subresource = p->sub, .manager = "cd", .dry_run = str_eq(p->dry_run, "server") };
	TRY(client_get(c->client, k, ns, name, &before, err));
	TRY(client_patch(c->client, k, ns, name, type_of(p->type), doc_root(d), &o, &after, err));
	if (output_parse(p->output) == OUTPUT_NAME) {
		print_name(after, stdout);
	} else if (p->output) {
		print_document(after->root, output_parse(p->output), stdout);
	} else {
		resource_title(k, &title);
		printf("%s/%s patched%s\n", str_c(&title), name, before->revision == after->revision ? " (no change)" : "");
	}
	return EXIT_OK;
}

static const struct usage usage = {
	"patch", "TYPE NAME -p PATCH [OPTIONS]",
	"Changes fields of one resource. The patch is YAML or JSON.",
	"  cd patch deployment web -p '{\"spec\":{\"replicas\":3}}'\n"
	"  cd patch configmap settings --type json -p '[{\"op\":\"remove\",\"path\":\"/data/old\"}]'",
};

int cmd_patch(int argc, char **argv)
{
	struct patch p = { .type = "strategic", .dry_run = "none" };
	const struct opt opts[] = {
		{ "patch", 'p', OPT_STR, &p.text, "PATCH", "the patch" },
		{ "patch-file", 0, OPT_STR, &p.file, "FILE", "a file that holds it" },
		{ "type", 0, OPT_STR, &p.type, "strategic|merge|json", "how it is meant" },
		{ "subresource", 0, OPT_STR, &p.sub, "status|scale", "patch this part" },
		CLUSTER_OPTIONS(p.where),
		{ "dry-run", 0, OPT_STR, &p.dry_run, "none|server", "let the server check it, change nothing" },
		{ "output", 'o', OPT_STR, &p.output, "json|yaml|name", "print the resulting object" },
		{ 0 }
	};
	int r = cli_options(&usage, opts, argc, argv, &p.args);

	if (r < 0 && !p.text == !p.file)
		r = cli_usage_error(&usage, "give the patch with -p or --patch-file");
	if (r < 0)
		r = cluster_run("patch", &p.where, run, &p);
	vec_free(&p.args);
	return r;
}
