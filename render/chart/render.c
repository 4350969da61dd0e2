/* render/chart/render.c - a chart to objects: values, then every template of every chart, then the order of installation. */
#include "render/chart/chart.h"

#include "base/glob.h"
#include "base/json.h"
#include "render/chart/capabilities.h"
#include "render/chart/deps.h"
#include "render/chart/gotmpl/engine.h"
#include "render/chart/gotmpl/luatext.h"
#include "render/chart/gotmpl/objects.h"
#include "render/chart/load.h"
#include "render/chart/missing.h"
#include "render/chart/lua/template.h"
#include "render/chart/manifest.h"
#include "render/chart/schema.h"
#include "render/chart/values.h"

#include <lauxlib.h>
#include <stdlib.h>

/* One template of one chart; templates run in Helm's order, as `set` in one is seen by the next. */
struct unit { const struct chart *chart; const struct chart_file *file; const struct node *values; char *name; int scope; };

struct job {
	struct sandbox *sandbox;
	struct gotmpl *gotmpl;
	const struct render_opts *opts;
	struct rendered *out;
	struct { struct unit *v; size_t n, cap; } units;
	struct manifests manifests;
	bool has_lua;                   /* a text template with Lua is among them */
};

/* ---- what renders which file ---- */

static int add_lua(struct job *j, const struct unit *u, struct err *err)
{
	(void)j; (void)u; (void)err;
	return 0;
}

static int run_lua(struct job *j, const struct unit *u, struct err *err)
{
	struct docs docs = { 0 };
	int r = lua_scope(j->sandbox, u->chart, u->values, j->opts, err);

	if (r >= 0)
		r = lua_template(j->sandbox, u->chart, u->file, &docs, err);
	for (size_t i = 0; i < docs.n; i++)
		manifests_add_doc(&j->manifests, u->name, docs.v[i]);
	free(docs.v);
	return r;
}

static int add_gotmpl(struct job *j, const struct unit *u, struct err *err)
{
	j->has_lua |= lua_text_is(str_sv(&u->file->text));
	return gotmpl_add(j->gotmpl, u->name, str_sv(&u->file->text), err);
}

struct scope_call { const struct unit *unit; const struct render_opts *opts; };

static int make_scope(lua_State *lua)
{
	const struct scope_call *call = lua_touserdata(lua, 1);

	gotmpl_push_scope(lua, call->unit->chart, call->unit->values, call->opts);
	return 1;
}

static int run_gotmpl(struct job *j, const struct unit *u, struct err *err)
{
	lua_State *lua = sandbox_state(j->sandbox);
	AUTO(str) text = { 0 };
	AUTO(str) base = { 0 };

	if (j->has_lua)                 /* its globals, for what this template includes, too */
		TRY(lua_scope(j->sandbox, u->chart, u->values, j->opts, err));
	str_addf(&base, "%s/templates", u->chart->path);
	lua_rawgeti(lua, LUA_REGISTRYINDEX, u->scope);
	gotmpl_set_template(lua, u->name, str_c(&base));
	TRY(gotmpl_run(j->gotmpl, u->name, &text, err));
	if (!sv_ends(sv_c(u->file->path), SV("NOTES.txt")))
		return manifests_add_text(&j->manifests, u->name, str_sv(&text), err);
	if (!u->chart->parent)
		str_add(&j->out->notes, str_sv(&text));
	return 0;
}

static const struct engine {
	const char *suffix;
	int (*add)(struct job *, const struct unit *, struct err *);    /* before any template runs */
	int (*run)(struct job *, const struct unit *, struct err *);
} engines[] = {
	{ ".lua", add_lua, run_lua },
	{ "", add_gotmpl, run_gotmpl },         /* every other file in templates/ is Helm's */
};

static const struct engine *engine_of(const struct unit *u)
{
	const struct engine *e = engines;

	while (!sv_ends(sv_c(u->file->path), sv_c(e->suffix)))
		e++;
	return e;
}

/* ---- the order of templates ---- */

static size_t depth(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

/* Deepest first, then backwards: a parent's definition comes later and wins. */
static int by_parse_order(const void *pa, const void *pb)
{
	const struct unit *a = pa, *b = pb;
	size_t da = depth(a->name), db = depth(b->name);

	return da != db ? (da > db ? -1 : 1) : -strcmp(a->name, b->name);
}

static bool is_library(const struct chart *c) { return !strcasecmp(node_str_or(doc_root(c->meta), "type", ""), "library"); }

/* Files whose name begins with `_` hold helpers and make nothing themselves. */
static bool is_helper(const char *path)
{
	const char *slash = strrchr(path, '/');

	return *(slash ? slash + 1 : path) == '_';
}

/* The scope of a chart's templates as a registry reference: one for all of them, as they may change it. */
static int scope_of(struct job *j, const struct unit *u, int *out, struct err *err)
{
	struct scope_call call = { u, j->opts };
	lua_State *lua = sandbox_state(j->sandbox);

	lua_pushcfunction(lua, make_scope);
	lua_pushlightuserdata(lua, &call);
	TRY(sandbox_call(j->sandbox, 1, 1, err));
	*out = luaL_ref(lua, LUA_REGISTRYINDEX);
	return 0;
}

static int collect(struct job *j, const struct chart *c, const struct node *values, struct err *err)
{
	const struct chart_file *f;
	int scope = LUA_NOREF;

	for (size_t i = 0; i < c->n_deps; i++)
		TRY(collect(j, c->deps[i], node_get(values, c->deps[i]->name), err));
	vec_each(f, &c->templates) {
		struct unit u = { c, f, values, NULL, LUA_NOREF };

		if (is_library(c) && !is_helper(f->path))
			continue;
		if (scope == LUA_NOREF)
			TRY(scope_of(j, &u, &scope, err));
		u.scope = scope;
		u.name = str_fmt("%s/%s", c->path, f->path);
		vec_push(&j->units, u);
	}
	return 0;
}

static int run_all(struct job *j, struct err *err)
{
	struct unit *u;

	qsort(j->units.v, j->units.n, sizeof *j->units.v, by_parse_order);
	vec_each(u, &j->units)
		TRY(engine_of(u)->add(j, u, err));
	vec_each(u, &j->units)
		if (!is_helper(u->file->path))
			TRY(engine_of(u)->run(j, u, err));
	return 0;
}

/* ---- the result ---- */

static bool is_wanted(const struct render_opts *o, const struct manifest *m)
{
	return !(m->hook && o->no_hooks) && !(m->test && o->skip_tests);
}

static void show(struct rendered *out, const struct manifest *m)
{
	struct rendered_text text = { sv_dup(sv_c(m->source)), sv_dup(str_sv(&m->text)) };

	vec_push(&out->texts, text);
	if (m->doc)
		vec_push(&out->objects, doc_ref(m->doc));
}

static int by_source(const void *pa, const void *pb)
{
	const struct manifest *a = pa, *b = pb;
	int r = strcmp(a->source, b->source);

	return r ? r : a->order < b->order ? -1 : a->order > b->order;
}

/* Only what these templates gave, in their order; a pattern must find something. */
static int show_only(struct job *j, const struct chart *c, struct err *err)
{
	for (size_t i = 0; j->opts->show_only[i]; i++) {
		AUTO(str) pattern = { 0 };
		struct manifest *m;
		bool found = false;

		str_addf(&pattern, "%s/%s", c->path, j->opts->show_only[i]);
		vec_each(m, &j->manifests) {
			if (!is_wanted(j->opts, m) || !glob_match(str_sv(&pattern), sv_c(m->source)))
				continue;
			show(j->out, m);
			found = true;
		}
		if (!found)
			return err_set(err, ERR_NOT_FOUND, "could not find template %s in chart", j->opts->show_only[i]);
	}
	return 0;
}

static int finish(struct job *j, const struct chart *c, struct err *err)
{
	struct manifest *m;

	if (j->manifests.n)
		qsort(j->manifests.v, j->manifests.n, sizeof *j->manifests.v, by_source);
	for (size_t i = 0; i < j->manifests.n; i++)
		j->manifests.v[i].order = i;
	manifests_sort(&j->manifests);
	if (j->opts->show_only && j->opts->show_only[0])
		return show_only(j, c, err);
	vec_each(m, &j->manifests)
		if (is_wanted(j->opts, m))
			show(j->out, m);
	return 0;
}

static int add_crd_file(struct rendered *out, const struct chart *c, const struct chart_file *f, struct err *err)
{
	struct manifests crds = { 0 };
	struct manifest *m;
	AUTO(str) source = { 0 };

	str_addf(&source, "%s/%s", c->path, f->path);
	int r = manifests_add_text(&crds, str_c(&source), str_sv(&f->text), err);
	vec_each(m, &crds)
		show(out, m);
	manifests_free(&crds);
	return r;
}

/* crds/ is not rendered: its documents come first, when asked for. */
static int add_crds(struct rendered *out, const struct chart *c, struct err *err)
{
	const struct chart_file *f;

	vec_each(f, &c->crds)
		TRY(add_crd_file(out, c, f, err));
	for (size_t i = 0; i < c->n_deps; i++)
		TRY(add_crds(out, c->deps[i], err));
	return 0;
}

static void job_free(struct job *j)
{
	struct unit *u;

	vec_each(u, &j->units)
		free(u->name);
	vec_free(&j->units);
	manifests_free(&j->manifests);
	gotmpl_free(&j->gotmpl);
	sandbox_free(&j->sandbox);
}

/* The values of each chart against its own schema: all violations of all charts in one error, as Helm reports them. */
static int check_schemas(const struct chart *c, const struct node *values, struct str *found, struct err *err)
{
	AUTO_DOC schema = NULL;
	AUTO(str) violations = { 0 };

	if (c->schema.n) {
		TRY(json_read(str_sv(&c->schema), "values.schema.json", 0, &schema, err));
		TRY(json_schema_check(doc_root(schema), values, &violations, err));
		if (violations.n)
			str_addf(found, "%s:\n%s", c->name, str_c(&violations));
	}
	for (size_t i = 0; i < c->n_deps; i++)
		TRY(check_schemas(c->deps[i], node_get(values, c->deps[i]->name), found, err));
	return 0;
}

static int check_values(const struct job *j, const struct chart *c, const struct node *values, struct err *err)
{
	AUTO(str) found = { 0 };

	if (j->opts->validate_schema_off)
		return 0;
	TRY(check_schemas(c, values, &found, err));
	if (found.n)
		return err_set(err, ERR_INVALID, "values don't meet the specifications of the schema(s) in the following chart(s):\n%s",
			       str_c(&found));
	return 0;
}

/* The same chart, release and values make the same "random" passwords and keys. */
static void seed(struct job *j, const struct chart *c, const struct node *values)
{
	AUTO(str) text = { 0 };

	str_addf(&text, "%s\n%s\n%s\n", c->name, j->opts->release ? j->opts->release : "", j->opts->ns ? j->opts->ns : "");
	json_write(&text, values, JSON_SORTED);
	str_addc(&text, j->opts->seed);
	gotmpl_seed(j->gotmpl, str_sv(&text));
}

static int render_chart(struct job *j, const struct chart *c, const struct node *values, struct err *err)
{
	const char *type = node_str_or(doc_root(c->meta), "type", "");

	if (*type && !str_eq(type, "application"))
		return err_set(err, ERR_INVALID, "%s charts are not installable: '%s' only helps other charts", type, c->name);
	TRY(check_values(j, c, values, err));
	if (j->opts->include_crds)
		TRY(add_crds(j->out, c, err));
	TRY(collect(j, c, values, err));
	seed(j, c, values);
	if (j->units.n)
		TRY(run_all(j, err));
	return finish(j, c, err);
}

int chart_render(struct vfs *v, const char *path, const struct render_opts *o, struct rendered *out, struct err *err)
{
	struct render_opts own = *o;
	struct job j = { .opts = &own, .out = out };
	AUTO_DOC d = doc_new();
	struct chart *c = NULL;
	struct node *said, *values;
	int r;

	out->type = RENDER_CHART;
	TRY(chart_load(v, path, &c, err));
	j.sandbox = sandbox_new(NULL);
	j.gotmpl = gotmpl_new(j.sandbox);
	if ((r = capabilities_fit(&own, node_sv(node_get(doc_root(c->meta), "kubeVersion")), err)) >= 0 &&
	    (r = missing_fetch(c, o, err)) >= 0 && (r = values_said(d, v, o, &said, err)) >= 0 &&
	    (r = deps_process(c, said, err)) >= 0 &&
	    (r = values_coalesce(d, c, said, &values, err)) >= 0)
		r = render_chart(&j, c, values, err);
	job_free(&j);
	chart_free(&c);
	return r;
}
