/* cli/chart-create.c - `cd chart create`: the files of cli/starter/ under a new name. */
#include "cli/chart.h"

#include "base/fs.h"

static const struct usage usage = {
	"chart create", "[OPTIONS] NAME",
	"Makes a new chart in the directory NAME: a Deployment, a Service and an Ingress, in Lua, or with --helm in Go templates.",
	"  cd chart create web\n  cd chart create --helm charts/web",
};

enum { LUA = 1, HELM = 2 };

#define FILES(X) \
	X(LUA, lua_Chart_yaml, "Chart.yaml") X(LUA, lua_values_yaml, "values.yaml") \
	X(LUA, lua_values_schema_json, "values.schema.json") X(LUA, lua_templates_deployment_lua, "templates/deployment.lua") \
	X(LUA, lua_templates_service_lua, "templates/service.lua") X(LUA, lua_templates_ingress_lua, "templates/ingress.lua") \
	X(HELM, helm_Chart_yaml, "Chart.yaml") X(HELM, helm_values_yaml, "values.yaml") \
	X(HELM, helm_templates__helpers_tpl, "templates/_helpers.tpl") X(HELM, helm_templates_deployment_yaml, "templates/deployment.yaml") \
	X(HELM, helm_templates_service_yaml, "templates/service.yaml") X(HELM, helm_templates_ingress_yaml, "templates/ingress.yaml") \
	X(LUA | HELM, lua_helmignore, ".helmignore")

#define DECLARE(which, symbol, name) extern const char starter_##symbol[], starter_##symbol##_end[];
FILES(DECLARE)
#define ROW(which, symbol, name) { which, name, starter_##symbol, starter_##symbol##_end },
static const struct { unsigned which; const char *name, *text, *end; } files[] = { FILES(ROW) };

/* The text with the chart's name where CHARTNAME stands. */
static void fill_in(struct str *out, struct sv text, const char *name)
{
	static const char mark[] = "CHARTNAME";
	const char *at;

	while ((at = memmem(text.p, text.n, mark, sizeof mark - 1))) {
		str_add(out, (struct sv){ text.p, (size_t)(at - text.p) });
		str_addc(out, name);
		text = sv_drop(text, (size_t)(at - text.p) + sizeof mark - 1);
	}
	str_add(out, text);
}

static bool is_name(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n && !name[n] && n <= 53 && *name != '-' && name[n - 1] != '-';
}

static int write_file(const char *dir, const char *file, const char *name, struct sv text, struct err *err)
{
	AUTO(str) path = { 0 };
	AUTO(str) parent = { 0 };
	AUTO(str) filled = { 0 };
	const char *slash = strrchr(file, '/');

	str_addf(&parent, "%s%s%.*s", dir, slash ? "/" : "", slash ? (int)(slash - file) : 0, file);
	TRY(dir_make(str_c(&parent), 0755, err));
	str_addf(&path, "%s/%s", dir, file);
	fill_in(&filled, text, name);
	return file_write(str_c(&path), str_sv(&filled), 0644, err);
}

static int create(const char *dir, unsigned which, struct err *err)
{
	const char *slash = strrchr(dir, '/'), *name = slash ? slash + 1 : dir;
	AUTO(str) existing = { 0 };

	if (!is_name(name))
		return err_set(err, ERR_BAD_REQUEST, "'%s' is not a name for a chart: lower case letters, digits and '-', at most 53", name);
	str_addf(&existing, "%s/Chart.yaml", dir);
	if (path_exists(str_c(&existing)))
		return err_set(err, ERR_ALREADY_EXISTS, "%s is there already", str_c(&existing));
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		if (files[i].which & which)
			TRY(write_file(dir, files[i].name, name, (struct sv){ files[i].text, (size_t)(files[i].end - files[i].text) }, err));
	printf("Created %s\n", dir);
	return 0;
}

int chart_create(int argc, char **argv)
{
	bool helm = false;
	struct opt_list args = { 0 };
	const struct opt opts[] = { { "helm", 0, OPT_FLAG, &helm, NULL, "with Go templates, as Helm takes them" }, { 0 } };
	AUTO(err) err = { 0 };
	int code = cli_options(&usage, opts, argc, argv, &args);

	if (code < 0 && args.n != 1)
		code = cli_usage_error(&usage, "wants one name");
	if (code < 0)
		code = create(args.v[0], helm ? HELM : LUA, &err) < 0 ? cli_fail("chart create", &err) : EXIT_OK;
	vec_free(&args);
	return code;
}
