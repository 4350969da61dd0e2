/* cli/chart-package.c - `cd chart package` and `cd chart repo index`: packages, and the index of a repository of them. */
#include "cli/chart.h"

#include <dirent.h>
#include <stdlib.h>

#include "base/encode.h"
#include "base/fs.h"
#include "base/semver.h"
#include "base/yaml.h"
#include "render/chart/load.h"
#include "render/chart/package.h"

#define PACKAGE_MAX ((size_t)32 << 20)
#define INDEX_MAX ((size_t)128 << 20)

/* ---- package ---- */

static const struct usage package_usage = {
	"chart package", "[OPTIONS] DIR...",
	"Makes packages (.tgz) of charts, which Helm takes, too. The same files give the same bytes.",
	"  cd chart package charts/web\n  cd chart package --version 1.2.3 --app-version 7.0 -d dist charts/web",
};

struct package { const char *destination, *output; bool update; struct package_opts o; struct opt_list args; struct doc *doc;
		 struct node *list; };

static void tell_package(struct package *p, const char *path, const char *name, struct sv bytes)
{
	AUTO(str) digest = { 0 };
	struct node *n = node_map(p->doc);

	str_addc(&digest, "sha256:");
	sha256_hex(&digest, bytes);
	node_set(p->doc, n, "name", node_str(p->doc, name));
	node_set(p->doc, n, "path", node_str(p->doc, path));
	node_set(p->doc, n, "digest", node_strn(p->doc, str_sv(&digest)));
	node_add(p->doc, p->list, n);
	if (!str_eq(p->output, "json"))
		printf("Successfully packaged chart and saved it to: %s\n", path);
}

static int package_one(struct package *p, const char *dir, struct err *err)
{
	AUTO(str) bytes = { 0 };
	AUTO(str) name = { 0 };
	AUTO(str) path = { 0 };
	struct semver unused;

	if (p->o.version && !semver_parse(sv_c(p->o.version), &unused))
		return err_set(err, ERR_BAD_REQUEST, "--version '%s' is not a semantic version", p->o.version);
	if (p->update)
		TRY(chart_depend(dir, NULL, DEPEND_UPDATE, err));
	struct vfs *v = vfs_dir(dir, err);
	if (!v)
		return -ERR_IO;
	int r = chart_package(v, "", &p->o, &bytes, &name, err);
	vfs_free(v);
	TRY(err_wrap(err, r, "%s", dir));
	str_addf(&path, "%s/%s.tgz", p->destination, str_c(&name));
	TRY(dir_make(p->destination, 0755, err));
	TRY(file_write(str_c(&path), str_sv(&bytes), 0644, err));
	tell_package(p, str_c(&path), str_c(&name), str_sv(&bytes));
	return 0;
}

int chart_make_package(int argc, char **argv)
{
	struct package p = { .destination = ".", .output = "text" };
	const struct opt opts[] = {
		{ "destination", 'd', OPT_STR, &p.destination, "DIR", "where the package goes to" },
		{ "version", 0, OPT_STR, &p.o.version, "VERSION", "instead of Chart.yaml's" },
		{ "app-version", 0, OPT_STR, &p.o.app_version, "VERSION", "instead of Chart.yaml's" },
		{ "dependency-update", 'u', OPT_FLAG, &p.update, NULL, "first as `cd chart dependency update`" },
		{ "output", 'o', OPT_STR, &p.output, "text|json", "how to print the result" },
		{ 0 }
	};
	AUTO(err) err = { 0 };
	int code = cli_options(&package_usage, opts, argc, argv, &p.args), r = 0;

	if (code < 0 && !p.args.n)
		code = cli_usage_error(&package_usage, "which chart?");
	p.doc = doc_new();
	p.list = node_seq(p.doc);
	for (size_t i = 0; code < 0 && r >= 0 && i < p.args.n; i++)
		r = package_one(&p, p.args.v[i], &err);
	if (code < 0)
		code = r < 0 ? cli_fail("chart package", &err) : EXIT_OK;
	if (code == EXIT_OK && p.list->n && str_eq(p.output, "json"))
		chart_print_json(p.list);
	doc_drop(&p.doc);
	vec_free(&p.args);
	return code;
}

/* ---- repo index ---- */

static const struct usage index_usage = {
	"chart repo index", "[OPTIONS] DIR",
	"Writes DIR/index.yaml, the index of the packages in DIR: with it, a web server that serves DIR is a chart repository.",
	"  cd chart repo index --url https://example.com/charts dist",
};

struct index { const char *dir, *url, *merge; struct doc *doc; struct node *entries; struct str now; };

static void set_list_text(struct doc *d, struct node *n, const char *key, const char *text)
{
	struct node *list = node_seq(d);

	node_add(d, list, node_str(d, text));
	node_set(d, n, key, list);
}

static int add_package(struct index *x, const char *file, struct err *err)
{
	AUTO(str) path = { 0 };
	AUTO(str) bytes = { 0 };
	AUTO(str) url = { 0 };
	AUTO(str) digest = { 0 };
	struct chart *c = NULL;

	str_addf(&path, "%s/%s", x->dir, file);
	TRY(file_read(str_c(&path), PACKAGE_MAX, &bytes, err));
	struct vfs *v = vfs_memory();
	vfs_memory_add(v, file, str_sv(&bytes));
	int r = chart_load(v, file, &c, err);
	if (r >= 0) {
		struct node *n = node_copy(x->doc, doc_root(c->meta));

		sha256_hex(&digest, str_sv(&bytes));
		str_addf(&url, "%s%s%s", x->url ? x->url : "", x->url && !sv_ends(sv_c(x->url), SV("/")) ? "/" : "", file);
		node_set(x->doc, n, "created", node_strn(x->doc, str_sv(&x->now)));
		node_set(x->doc, n, "digest", node_strn(x->doc, str_sv(&digest)));
		set_list_text(x->doc, n, "urls", str_c(&url));
		node_add(x->doc, node_seq_at(x->doc, x->entries, c->name), n);
	}
	chart_free(&c);
	vfs_free(v);
	return r;
}

static bool has_version(const struct node *list, const char *version)
{
	const struct node *it;

	node_each(it, list)
		if (str_eq(node_str_at(it, "version"), version))
			return true;
	return false;
}

/* Versions that another index has and this directory has not. */
static int merge_index(struct index *x, struct err *err)
{
	AUTO(str) text = { 0 };
	AUTO_DOC old = NULL;
	struct member *m;
	const struct node *it;

	if (!x->merge || !path_exists(x->merge))
		return 0;
	TRY(file_read(x->merge, INDEX_MAX, &text, err));
	TRY(yaml_read(str_sv(&text), x->merge, 0, &old, err));
	node_members(m, node_get(doc_root(old), "entries"))
		node_each(it, m->value) {
			struct node *list = node_getn(x->entries, (struct sv){ m->key, m->key_n });

			if (!list)
				node_setn(x->doc, x->entries, (struct sv){ m->key, m->key_n }, list = node_seq(x->doc));
			if (!has_version(list, node_str_or(it, "version", "")))
				node_add(x->doc, list, node_import(x->doc, old, it));
		}
	return 0;
}

static int newest_first(const void *pa, const void *pb)
{
	struct semver a, b;

	(void)semver_parse(node_sv(node_get(*(struct node *const *)pa, "version")), &a);
	(void)semver_parse(node_sv(node_get(*(struct node *const *)pb, "version")), &b);
	return semver_cmp(&b, &a);
}

static int is_package(const struct dirent *e) { return sv_ends(sv_c(e->d_name), SV(".tgz")); }

static int add_packages(struct index *x, struct err *err)
{
	struct dirent **files;
	int n = scandir(x->dir, &files, is_package, alphasort), r = 0;

	if (n < 0)
		return err_errno(err, "open '%s'", x->dir);
	for (int i = 0; i < n; i++) {
		if (r >= 0)
			r = add_package(x, files[i]->d_name, err);
		free(files[i]);
	}
	free(files);
	return r;
}

static int write_index(struct index *x, struct err *err)
{
	struct node *root = node_map(x->doc);
	AUTO(str) text = { 0 };
	AUTO(str) path = { 0 };
	struct member *m;

	TRY(add_packages(x, err));
	TRY(merge_index(x, err));
	node_members(m, x->entries)
		qsort(m->value->items, m->value->n, sizeof *m->value->items, newest_first);
	node_set(x->doc, root, "apiVersion", node_str(x->doc, "v1"));
	node_set(x->doc, root, "entries", x->entries);
	node_set(x->doc, root, "generated", node_strn(x->doc, str_sv(&x->now)));
	yaml_write(&text, root, YAML_SORTED);
	str_addf(&path, "%s/index.yaml", x->dir);
	return file_write(str_c(&path), str_sv(&text), 0644, err);
}

static int make_index(int argc, char **argv)
{
	struct index x = { 0 };
	struct opt_list args = { 0 };
	const struct opt opts[] = {
		{ "url", 0, OPT_STR, &x.url, "URL", "where the packages will be; beside the index by default" },
		{ "merge", 0, OPT_STR, &x.merge, "FILE", "an older index, whose other versions stay" },
		{ 0 }
	};
	AUTO(err) err = { 0 };
	int code = cli_options(&index_usage, opts, argc, argv, &args);

	if (code < 0 && args.n != 1)
		code = cli_usage_error(&index_usage, "wants one directory");
	if (code < 0) {
		x.dir = args.v[0];
		x.doc = doc_new();
		x.entries = node_map(x.doc);
		chart_now(&x.now);
		code = write_index(&x, &err) < 0 ? cli_fail("chart repo index", &err) : EXIT_OK;
		doc_drop(&x.doc);
		str_free(&x.now);
	}
	vec_free(&args);
	return code;
}

static const struct verb repo_commands[] = { { "index", NULL, "write the index.yaml of a directory of packages", make_index }, { 0 } };
static const struct usage repo_usage = { "chart repo", "COMMAND [OPTIONS] ...", "Makes chart repositories.", "  cd chart repo index dist" };

int chart_repo(int argc, char **argv) { return cli_group(&repo_usage, repo_commands, argc, argv); }
