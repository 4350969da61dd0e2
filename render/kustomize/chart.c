#include "render/kustomize/chart.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/yaml.h"
#include "render/chart/chart.h"

#define PACKAGE "chart.tgz"

struct sets { struct render_set *v; size_t n, cap; };

static const char *chart_home(const struct target *t, const struct chart_spec *c)
{
	if (c->home && *c->home)
		return c->home;
	return t->k.chart_globals && t->k.chart_globals->chart_home && *t->k.chart_globals->chart_home ?
		t->k.chart_globals->chart_home : "charts";
}

/* A chart with repository and version lies in a directory NAME-VERSION/NAME, as a pull puts it there. 1: it is not there,
 * but its repository is known. */
static int chart_path(struct target *t, const struct chart_spec *c, struct str *out, struct err *err)
{
	AUTO(str) rel = { 0 };
	bool pulled = c->version && *c->version && c->repo && *c->repo;

	str_addf(&rel, "%s/", chart_home(t, c));
	if (pulled)
		str_addf(&rel, "%s-%s/", c->name, c->version);
	str_addc(&rel, c->name);
	TRY(vfs_join(out, t->dir.path, str_c(&rel), err));
	if (vfs_exists(t->dir.vfs, str_c(out), VFS_DIR))
		return 0;
	if (c->repo && *c->repo && t->b->o->chart)
		return 1;
	return err_set(err, ERR_NOT_FOUND, "no chart found at '%s'%s", build_show(t->b, &t->dir, str_c(out)),
		       c->repo && *c->repo ? ": a render pulls nothing; put the chart there (helm pull --untar)" : "");
}

static int add_values_file(struct target *t, struct sets *sets, const char *file, struct err *err)
{
	AUTO(str) text = { 0 };

	TRY(dir_load(&t->dir, file, &text, NULL, err));
	vec_push(sets, ((struct render_set){ SET_VALUES_TEXT, doc_text(t->b->arena, str_sv(&text)) }));
	return 0;
}

static void add_inline(struct target *t, struct sets *sets, const struct node *values)
{
	AUTO(str) text = { 0 };

	if (!node_n(values))
		return;
	json_write(&text, values, 0);
	vec_push(sets, ((struct render_set){ SET_VALUES_TEXT, doc_text(t->b->arena, str_sv(&text)) }));
}

/* override: inline values win over the file; merge: the file wins; replace: the file does not count. Later sets win. */
static int collect_values(struct target *t, const struct chart_spec *c, struct sets *sets, struct err *err)
{
	const char *how = c->values_merge && *c->values_merge ? c->values_merge : "override";
	bool merge = !strcmp(how, "merge"), has_file = c->values_file && *c->values_file;

	if (!merge && strcmp(how, "override") != 0 && strcmp(how, "replace") != 0)
		return err_set(err, ERR_INVALID, "valuesMerge must be one of [merge override replace], and is '%s'", how);
	if (merge)
		add_inline(t, sets, c->values);
	if (has_file && !(node_n(c->values) && !strcmp(how, "replace")))
		TRY(add_values_file(t, sets, c->values_file, err));
	if (!merge)
		add_inline(t, sets, c->values);
	for (size_t i = 0; i < c->more_values_files.n; i++)
		TRY(add_values_file(t, sets, c->more_values_files.v[i], err));
	return 0;
}

static int take_objects(struct target *t, struct rendered *r, struct set *out, struct err *err)
{
	AUTO(str) text = { 0 };
	size_t before = out->n;

	rendered_write(r, &text);
	TRY(build_read_objects(t->b, str_sv(&text), t->k.file, out, err));
	for (size_t i = before; i < out->n; i++)
		out->v[i]->from_chart = true;
	return 0;
}

/* The package of a chart that lies elsewhere, as a view with one file. NULL on error. */
static struct vfs *fetch(struct target *t, const struct chart_spec *c, struct err *err)
{
	const struct render_chart want = { c->repo, c->name, c->version ? c->version : "" };
	AUTO(str) package = { 0 };

	if (t->b->o->chart(t->b->o->chart_arg, &want, &package, err) < 0)
		return NULL;
	struct vfs *v = vfs_memory();
	vfs_memory_add(v, PACKAGE, str_sv(&package));
	return v;
}

static int inflate(struct target *t, const struct chart_spec *c, struct vfs *v, const char *path, const struct sets *sets,
		   struct set *out, struct err *err)
{
	const char **apis = doc_alloc(t->b->arena, (c->api_versions.n + 1) * sizeof(*apis));
	struct render_opts o = {
		.type = RENDER_CHART,
		.release = c->release && *c->release ? c->release : NULL,
		.ns = c->ns && *c->ns ? c->ns : t->k.ns && *t->k.ns ? t->k.ns : t->chart_ns,
		.sets = sets->v,
		.n_sets = sets->n,
		.include_crds = c->include_crds,
		.skip_tests = c->skip_tests,
		.no_hooks = c->skip_hooks,
		.chart = t->b->o->chart,
		.chart_arg = t->b->o->chart_arg,
		.in_cluster = t->b->o->in_cluster,
		.kube_version = c->kube_version && *c->kube_version ? c->kube_version : t->b->o->kube_version,
		.api_versions = c->api_versions.n ? apis : t->b->o->api_versions,
	};
	struct rendered r = { 0 };
	int code;

	for (size_t i = 0; i < c->api_versions.n; i++)
		apis[i] = c->api_versions.v[i];
	code = chart_render(v, path, &o, &r, err);
	if (code >= 0)
		code = take_objects(t, &r, out, err);
	rendered_free(&r);
	return code;
}

int chart_inflate(struct target *t, const struct chart_spec *c, struct set *out, struct err *err)
{
	struct sets sets = { 0 };
	AUTO(str) path = { 0 };
	struct vfs *fetched = NULL;
	int r;

	if (!t->b->o->enable_helm)
		return err_set(err, ERR_FORBIDDEN, "must specify --enable-helm to render helmCharts");
	if (!c->name || !*c->name)
		return err_set(err, ERR_INVALID, "chart name cannot be empty");
	int elsewhere = chart_path(t, c, &path, err);
	TRY(elsewhere);
	if (elsewhere && !(fetched = fetch(t, c, err)))
		return err_wrap(err, err && err->code ? -(int)err->code : -ERR_IO, "chart %s", c->name);
	r = collect_values(t, c, &sets, err);
	if (r >= 0)
		r = inflate(t, c, fetched ? fetched : t->dir.vfs, fetched ? PACKAGE : str_c(&path), &sets, out, err);
	vec_free(&sets);
	if (fetched)
		vfs_free(fetched);
	return err_wrap(err, r, "chart %s", c->name);
}
