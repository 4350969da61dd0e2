/* cli/chart-pull.c - `cd chart pull`, `push` and `show`: charts of repositories and registries. */
#include "cli/chart.h"

#include <stdlib.h>
#include <strings.h>

#include "base/fiber.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/yaml.h"
#include "render/chart/archive.h"
#include "render/chart/load.h"

#define PACKAGE_MAX ((size_t)32 << 20)
#define FILE_MAX ((size_t)5 << 20)

void chart_opened_free(struct chart_opened *o)
{
	chart_free(&o->chart);
	if (o->view)
		vfs_free(o->view);
	chart_found_free(&o->found);
}

int chart_open(const char *name, const struct chart_flags *f, struct chart_opened *o, struct err *err)
{
	TRY(chart_find_now(name, f, &o->found, err));
	if (!(o->view = chart_view(str_c(&o->found.path), &o->in_view, err)))
		return -ERR_IO;
	return err_wrap(err, chart_load(o->view, o->in_view, &o->chart, err), "%s", name);
}

static const char *meta_text(const struct chart *c, const char *key)
{
	const struct sv s = node_sv(node_get(doc_root(c->meta), key));

	return s.n ? s.p : "";
}

/* ---- pull ---- */

static const struct usage pull_usage = {
	"chart pull", "[OPTIONS] CHART",
	"Fetches a chart: oci://HOST/PATH/CHART, https://.../CHART-1.0.0.tgz, REPOSITORY/CHART of `helm repo add`, or CHART with --repo.\n"
	"Logins are read from options, Helm's repositories.yaml and registry/config.json, and docker's config.json.",
	"  cd chart pull oci://registry.example.com/charts/web --version ^1.2\n"
	"  cd chart pull --repo https://charts.example.com web --untar",
};

struct pull { struct chart_flags f; const char *destination, *untar_dir, *output; bool untar; };

static int write_tree(struct vfs *v, const char *path, const char *to, struct err *err)
{
	struct vfs_entries entries = { 0 };
	int r = dir_make(to, 0755, err);

	if (r >= 0)
		r = vfs_list(v, path, &entries, err);
	for (size_t i = 0; r >= 0 && i < entries.n; i++) {
		AUTO(str) from = { 0 };
		AUTO(str) target = { 0 };
		AUTO(str) text = { 0 };

		str_addf(&from, "%s%s%s", path, *path ? "/" : "", entries.v[i].name);
		str_addf(&target, "%s/%s", to, entries.v[i].name);
		if (entries.v[i].type == VFS_DIR)
			r = write_tree(v, str_c(&from), str_c(&target), err);
		else if ((r = vfs_read(v, str_c(&from), FILE_MAX, &text, err)) >= 0)
			r = file_write(str_c(&target), str_sv(&text), 0644, err);
	}
	vfs_entries_free(&entries);
	return r;
}

static int unpack(const struct pull *p, const struct chart_opened *o, struct sv package, struct str *to, struct err *err)
{
	str_addf(to, "%s/%s", p->untar_dir ? p->untar_dir : p->destination, o->chart->name);
	if (path_exists(str_c(to)))
		return err_set(err, ERR_ALREADY_EXISTS, "'%s' is there already", str_c(to));
	struct vfs *v = chart_archive(package, o->chart->name, err);
	if (!v)
		return -ERR_INVALID;
	int r = write_tree(v, "", str_c(to), err);
	vfs_free(v);
	return r;
}

static int save(const struct pull *p, const struct chart_opened *o, struct str *to, struct err *err)
{
	AUTO(str) bytes = { 0 };

	TRY(file_read(str_c(&o->found.path), PACKAGE_MAX, &bytes, err));
	if (p->untar || p->untar_dir)
		return unpack(p, o, str_sv(&bytes), to, err);
	str_addf(to, "%s/%s-%s.tgz", p->destination, o->chart->name, meta_text(o->chart, "version"));
	TRY(dir_make(p->destination, 0755, err));
	return file_write(str_c(to), str_sv(&bytes), 0644, err);
}

static int pull(const struct pull *p, const char *name, struct err *err)
{
	AUTO(chart_opened) o = { 0 };
	AUTO(str) to = { 0 };
	AUTO_DOC d = doc_new();
	struct node *n = node_map(d);

	TRY(chart_open(name, &p->f, &o, err));
	if (!o.found.fetched)
		return err_set(err, ERR_BAD_REQUEST, "'%s' is on this machine already", name);
	TRY(save(p, &o, &to, err));
	node_set(d, n, "name", node_str(d, o.chart->name));
	node_set(d, n, "version", node_str(d, meta_text(o.chart, "version")));
	node_set(d, n, "from", node_strn(d, str_sv(&o.found.package.from)));
	node_set(d, n, "digest", node_strn(d, str_sv(&o.found.package.digest)));
	node_set(d, n, "path", node_strn(d, str_sv(&to)));
	if (str_eq(p->output, "json"))
		chart_print_json(n);
	else
		printf("Pulled: %s\nDigest: %s\nSaved: %s\n", str_c(&o.found.package.from), str_c(&o.found.package.digest), str_c(&to));
	return 0;
}

int chart_pull(int argc, char **argv)
{
	struct pull p = { .destination = ".", .output = "text" };
	struct opt_list args = { 0 };
	const struct opt opts[] = {
		{ "destination", 'd', OPT_STR, &p.destination, "DIR", "where it goes to" },
		{ "untar", 0, OPT_FLAG, &p.untar, NULL, "as a directory of the chart's name" },
		{ "untardir", 0, OPT_STR, &p.untar_dir, "DIR", "the same, below DIR" },
		{ "output", 'o', OPT_STR, &p.output, "text|json", "how to print the result" },
		CHART_REMOTE_OPTS(&p.f), { 0 }
	};
	AUTO(err) err = { 0 };
	int code = cli_options(&pull_usage, opts, argc, argv, &args);

	if (code < 0 && args.n != 1)
		code = cli_usage_error(&pull_usage, "wants one chart");
	if (code < 0)
		code = pull(&p, args.v[0], &err) < 0 ? cli_fail("chart pull", &err) : EXIT_OK;
	vec_free(&args);
	return code;
}

/* ---- push ---- */

static const struct usage push_usage = {
	"chart push", "[OPTIONS] PACKAGE oci://HOST/PATH",
	"Sends a package to a registry, as PATH/NAME:VERSION. Logins are found as by `cd chart pull`.",
	"  cd chart push web-1.2.3.tgz oci://registry.example.com/charts",
};

struct push { struct chart_flags f; const char *package, *to, *output; struct err *err; };

static int push(const struct push *p, const struct chart_opened *o)
{
	AUTO(chart_login) login = { 0 };
	AUTO(str) url = { 0 };
	AUTO(str) bytes = { 0 };
	AUTO(str) meta = { 0 };
	AUTO(str) name = { 0 };
	AUTO(str) digest = { 0 };
	AUTO_DOC d = doc_new();
	struct node *n = node_map(d);
	struct charts *charts = user_charts(p->err);

	if (!charts)
		return -ERR_IO;
	int r = chart_login_find(&login, &p->f, p->to, &url, p->err);
	if (r >= 0)
		r = file_read(p->package, PACKAGE_MAX, &bytes, p->err);
	json_write(&meta, doc_root(o->chart->meta), 0);
	const struct chart_push what = { .to = str_c(&url), .package = str_sv(&bytes), .meta_json = str_sv(&meta), .name = o->chart->name,
					 .version = meta_text(o->chart, "version"), .access = &login.access };
	if (r >= 0)
		r = charts_push(charts, &what, &name, &digest, p->err);
	charts_free(&charts);
	TRY(r);
	node_set(d, n, "name", node_strn(d, str_sv(&name)));
	node_set(d, n, "digest", node_strn(d, str_sv(&digest)));
	if (str_eq(p->output, "json"))
		chart_print_json(n);
	else
		printf("Pushed: %s\nDigest: %s\n", str_c(&name), str_c(&digest));
	return 0;
}

struct push_call { const struct push *push; const struct chart_opened *opened; };

static int push_fiber(void *arg)
{
	struct push_call *c = arg;

	return push(c->push, c->opened);
}

static int run_push(const struct push *p)
{
	AUTO(chart_opened) o = { 0 };

	TRY(chart_open(p->package, &p->f, &o, p->err));
	if (!sv_ends(sv_c(p->package), SV(".tgz")))
		return err_set(p->err, ERR_BAD_REQUEST, "'%s' is no package: `cd chart package` makes one", p->package);
	return fiber_main(push_fiber, &(struct push_call){ p, &o });
}

int chart_push(int argc, char **argv)
{
	AUTO(err) err = { 0 };
	struct push p = { .output = "text", .err = &err };
	struct opt_list args = { 0 };
	const struct opt opts[] = {
		{ "output", 'o', OPT_STR, &p.output, "text|json", "how to print the result" }, CHART_LOGIN_OPTS(&p.f), { 0 }
	};
	int code = cli_options(&push_usage, opts, argc, argv, &args);

	if (code < 0 && args.n != 2)
		code = cli_usage_error(&push_usage, "wants a package and where it goes to");
	if (code < 0) {
		p.package = args.v[0];
		p.to = args.v[1];
		code = run_push(&p) < 0 ? cli_fail("chart push", &err) : EXIT_OK;
	}
	vec_free(&args);
	return code;
}

/* ---- show ---- */

static void print_text(struct sv text)
{
	printf(SV_FMT "%s", SV_ARG(text), text.n && text.p[text.n - 1] != '\n' ? "\n" : "");
}

static int show_meta(const struct chart_opened *o, struct err *err)
{
	AUTO(str) text = { 0 };

	(void)err;
	yaml_write(&text, doc_root(o->chart->meta), YAML_SORTED);
	print_text(str_sv(&text));
	return 0;
}

/* As it was written: its comments are what people want to see. */
static int show_values(const struct chart_opened *o, struct err *err)
{
	AUTO(str) path = { 0 };
	AUTO(str) text = { 0 };

	TRY(vfs_join(&path, o->chart->dir, "values.yaml", err));
	if (vfs_exists(o->chart->view, str_c(&path), VFS_FILE))
		TRY(vfs_read(o->chart->view, str_c(&path), FILE_MAX, &text, err));
	print_text(str_sv(&text));
	return 0;
}

static int show_readme(const struct chart_opened *o, struct err *err)
{
	const struct chart_file *f;

	(void)err;
	vec_each(f, &o->chart->files)
		if (!strncasecmp(f->path, "readme.md", 9) || !strcasecmp(f->path, "readme") || !strcasecmp(f->path, "readme.txt"))
			print_text(str_sv(&f->text));
	return 0;
}

static int show_crds(const struct chart_opened *o, struct err *err)
{
	const struct chart_file *f;

	(void)err;
	vec_each(f, &o->chart->crds) {
		if (!sv_starts(sv_trim(str_sv(&f->text)), SV("---")))
			printf("---\n");
		print_text(str_sv(&f->text));
	}
	return 0;
}

static int show_all(const struct chart_opened *o, struct err *err)
{
	TRY(show_meta(o, err));
	printf("\n---\n");
	TRY(show_values(o, err));
	printf("\n---\n");
	TRY(show_readme(o, err));
	return show_crds(o, err);
}

static const struct show { const char *name; int (*run)(const struct chart_opened *o, struct err *err); struct usage usage; } shows[] = {
	{ "all", show_all, { "chart show all", "[OPTIONS] CHART", "Prints Chart.yaml, values, README and CRDs of a chart.", "  cd chart show all ./web" } },
	{ "chart", show_meta, { "chart show chart", "[OPTIONS] CHART", "Prints the Chart.yaml of a chart.",
				"  cd chart show chart oci://registry.example.com/charts/web" } },
	{ "crds", show_crds, { "chart show crds", "[OPTIONS] CHART", "Prints the CustomResourceDefinitions of a chart.", "  cd chart show crds ./web" } },
	{ "readme", show_readme, { "chart show readme", "[OPTIONS] CHART", "Prints the README of a chart.", "  cd chart show readme ./web" } },
	{ "values", show_values, { "chart show values", "[OPTIONS] CHART", "Prints the values.yaml of a chart, with its comments.",
				   "  cd chart show values --repo https://charts.example.com web > values.yaml" } },
};

static int run_show(const struct show *s, int argc, char **argv)
{
	struct chart_flags f = { 0 };
	struct opt_list args = { 0 };
	const struct opt opts[] = { CHART_REMOTE_OPTS(&f), { 0 } };
	AUTO(err) err = { 0 };
	int code = cli_options(&s->usage, opts, argc, argv, &args);

	if (code < 0 && args.n != 1)
		code = cli_usage_error(&s->usage, "wants one chart");
	if (code < 0) {
		AUTO(chart_opened) o = { 0 };
		int r = chart_open(args.v[0], &f, &o, &err);

		if (r >= 0)
			r = s->run(&o, &err);
		code = r < 0 ? cli_fail(s->usage.name, &err) : EXIT_OK;
	}
	vec_free(&args);
	return code;
}

/* argv[0] names it: it came from the table below. */
static int show_named(int argc, char **argv)
{
	size_t i = 0;

	while (!str_eq(shows[i].name, argv[0]))
		i++;
	return run_show(&shows[i], argc, argv);
}

static const struct verb show_commands[] = {
	{ "all", NULL, "everything below", show_named }, { "chart", NULL, "Chart.yaml", show_named }, { "crds", NULL, "crds/", show_named },
	{ "readme", NULL, "README", show_named }, { "values", NULL, "values.yaml", show_named }, { 0 }
};
static const struct usage show_usage = { "chart show", "COMMAND [OPTIONS] CHART", "Prints what a chart says of itself.",
					 "  cd chart show values ./web" };

int chart_show(int argc, char **argv) { return cli_group(&show_usage, show_commands, argc, argv); }
