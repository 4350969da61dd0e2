/* cli/chart-dependency.c - `cd chart dependency`. */
#include "cli/chart.h"

#include <stdlib.h>
#include <time.h>

#include "base/fiber.h"
#include "cli/print.h"

struct run {
	const char *dir;
	const struct chart_flags *flags;
	enum depend_how how;
	struct chart_login login;
	struct str url;
	struct err *err;
};

/* Options are for every repository that the chart names: they are all that the user has said. */
static int find_repository(void *arg, const char *repository, const char **url, const struct chart_access **access, struct err *err)
{
	struct run *r = arg;

	chart_login_free(&r->login);
	r->login = (struct chart_login){ 0 };
	str_cut(&r->url, 0);
	TRY(chart_login_find(&r->login, r->flags, repository, &r->url, err));
	*url = str_c(&r->url);
	*access = &r->login.access;
	return 0;
}

static void say(void *arg, const char *line)
{
	(void)arg;
	fprintf(stderr, "%s\n", line);
}

void chart_now(struct str *out)
{
	time_t now = time(NULL);
	struct tm tm;
	char text[32];

	gmtime_r(&now, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	str_addc(out, text);
}

static int run(void *arg)
{
	struct run *r = arg;
	AUTO(str) now = { 0 };
	struct charts *charts = user_charts(r->err);

	if (!charts)
		return -ERR_IO;
	chart_now(&now);
	const struct depend d = { .charts = charts, .dir = r->dir, .repository = find_repository, .say = say, .arg = r, .now = str_c(&now) };
	int result = depend_run(&d, r->how, r->err);
	charts_free(&charts);
	return result;
}

int chart_depend(const char *dir, const struct chart_flags *f, enum depend_how how, struct err *err)
{
	struct run r = { .dir = dir, .flags = f, .how = how, .err = err };
	int result = fiber_main(run, &r);

	chart_login_free(&r.login);
	str_free(&r.url);
	return err_wrap(err, result, "%s", dir);
}

/* ---- list ---- */

static void print_table(const struct node *list)
{
	static const char *const fields[] = { "name", "version", "repository", "status" };
	struct table t = { .columns = 4 };
	const struct node *it;

	table_add(&t, "NAME");
	table_add(&t, "VERSION");
	table_add(&t, "REPOSITORY");
	table_add(&t, "STATUS");
	node_each(it, list)
		for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
			table_add(&t, node_str_or(it, fields[i], ""));
	table_print(&t, NULL, stdout);
	table_free(&t);
}

static int list(const char *dir, const char *output, struct err *err)
{
	AUTO_DOC d = doc_new();
	struct node *found;

	TRY(depend_list(dir, d, &found, err));
	if (str_eq(output, "json"))
		chart_print_json(found);
	else if (!found->n)
		fprintf(stderr, "%s has no dependencies\n", dir);
	else
		print_table(found);
	return 0;
}

/* ---- commands ---- */

static int run_command(const struct usage *u, int argc, char **argv, enum depend_how how, bool lists)
{
	struct chart_flags f = { 0 };
	struct opt_list args = { 0 };
	const char *output = "text";
	const struct opt list_opts[] = { { "output", 'o', OPT_STR, &output, "text|json", "how to print the list" }, { 0 } };
	const struct opt run_opts[] = {
		{ "pass-credentials", 0, OPT_FLAG, &f.pass_credentials, NULL, "also to other hosts that an index names" },
		CHART_LOGIN_OPTS(&f), { 0 }
	};
	AUTO(err) err = { 0 };
	int code = cli_options(u, lists ? list_opts : run_opts, argc, argv, &args);

	if (code < 0 && args.n > 1)
		code = cli_usage_error(u, "one chart at a time");
	if (code < 0) {
		const char *dir = args.n ? args.v[0] : ".";
		int r = lists ? list(dir, output, &err) : chart_depend(dir, &f, how, &err);
		code = r < 0 ? cli_fail(u->name, &err) : EXIT_OK;
	}
	vec_free(&args);
	return code;
}

static int cmd_list(int argc, char **argv)
{
	static const struct usage u = { "chart dependency list", "[OPTIONS] [DIR]", "Lists the dependencies of a chart, and whether they are there.",
					"  cd chart dependency list charts/web" };

	return run_command(&u, argc, argv, DEPEND_UPDATE, true);
}

static int cmd_update(int argc, char **argv)
{
	static const struct usage u = {
		"chart dependency update", "[OPTIONS] [DIR]",
		"Fetches the newest versions that Chart.yaml allows into charts/ and writes Chart.lock. Repositories are addresses\n"
		"(https://, oci://, file://) or names of `helm repo add` (@name).",
		"  cd chart dependency update charts/web" };

	return run_command(&u, argc, argv, DEPEND_UPDATE, false);
}

static int cmd_build(int argc, char **argv)
{
	static const struct usage u = { "chart dependency build", "[OPTIONS] [DIR]", "Fetches the versions that Chart.lock names into charts/.",
					"  cd chart dependency build charts/web" };

	return run_command(&u, argc, argv, DEPEND_BUILD, false);
}

static const struct verb commands[] = {
	{ "build", NULL, "fetch what Chart.lock names", cmd_build },
	{ "list", NULL, "list dependencies", cmd_list },
	{ "update", NULL, "fetch the newest that Chart.yaml allows, and write Chart.lock", cmd_update },
	{ 0 }
};
static const struct usage usage = { "chart dependency", "COMMAND [OPTIONS] ...", "Manages the dependencies of a chart.",
				    "  cd chart dependency update charts/web" };

int chart_dependency(int argc, char **argv) { return cli_group(&usage, commands, argc, argv); }
