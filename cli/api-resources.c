/* cli/api-resources.c - `cd api-resources`: which types there are, those of the server's own included. */
#include "cli/cluster.h"
#include "cli/print.h"
#include "cli/verbs.h"

struct listing { struct cluster_opts where; bool no_headers; const char *output; };

static int run(struct cluster *c, void *arg, struct err *err)
{
	static const char *const titles[] = { "NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND" };
	const struct listing *l = arg;
	AUTO(table) t = { .columns = 5 };
	char version[128];

	if (c->client->ops->discover)
		TRY(c->client->ops->discover(c->client, err));
	for (size_t i = 0; !l->no_headers && i < 5; i++)
		table_add(&t, titles[i]);
	for (size_t i = 0; i < kinds_n(c->client->kinds); i++) {
		const struct kind *k = kinds_at(c->client->kinds, i);

		if (str_eq(l->output, "name")) {
			printf("%s%s%s\n", k->plural, *k->group ? "." : "", k->group);
			continue;
		}
		table_add(&t, k->plural);
		table_add(&t, k->short_names);
		table_add(&t, kind_api_version(k, version));
		table_add(&t, k->namespaced ? "true" : "false");
		table_add(&t, k->kind);
	}
	if (!str_eq(l->output, "name"))
		table_print(&t, NULL, stdout);
	return EXIT_OK;
}

static const struct usage usage = {
	"api-resources", "[OPTIONS]", "Lists the types of resources that the server knows.",
	"  cd api-resources\n"
	"  cd api-resources -o name",
};

int cmd_api_resources(int argc, char **argv)
{
	struct listing l = { 0 };
	struct opt_list args = { 0 };
	const struct opt opts[] = {
		CLUSTER_OPTIONS(l.where),
		{ "output", 'o', OPT_STR, &l.output, "name|wide", "how to print" },
		{ "no-headers", 0, OPT_FLAG, &l.no_headers, NULL, "no line of column names" },
		{ 0 }
	};
	int r = cli_options(&usage, opts, argc, argv, &args);

	if (r < 0 && args.n)
		r = cli_usage_error(&usage, "takes no arguments");
	if (r < 0)
		r = cluster_run("api-resources", &l.where, run, &l);
	vec_free(&args);
	return r;
}
