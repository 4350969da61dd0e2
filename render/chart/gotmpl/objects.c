#include "render/chart/gotmpl/objects.h"

#include "base/encode.h"
#include "base/glob.h"
#include "render/chart/capabilities.h"
#include "render/chart/gotmpl/functions.h"
#include "render/chart/gotmpl/values.h"
#include "render/chart/lua/sandbox.h"

static void set_text(lua_State *lua, const char *field, const char *text)
{
	lua_pushstring(lua, text ? text : "");
	lua_setfield(lua, -2, field);
}

static void set_bool(lua_State *lua, const char *field, bool b)
{
	lua_pushboolean(lua, b);
	lua_setfield(lua, -2, field);
}

/* Gives the value on top methods (NULL: none), closures over `arg`, and the text that it prints as (NULL: as any other). */
static void set_methods(lua_State *lua, const luaL_Reg *methods, const void *arg, const char *prints)
{
	lua_newtable(lua);
	if (methods) {
		lua_newtable(lua);
		lua_pushlightuserdata(lua, (void *)(uintptr_t)arg);
		luaL_setfuncs(lua, methods, 1);
		lua_setfield(lua, -2, "__methods");
	}
	if (prints) {
		lua_pushstring(lua, prints);
		lua_setfield(lua, -2, "__text");
	}
	lua_setmetatable(lua, -2);
}

/* ---- .Release ---- */

static void push_release(lua_State *lua, const struct render_opts *o)
{
	sandbox_new_map(lua);
	set_text(lua, "Name", o->release ? o->release : "release-name");
	set_text(lua, "Namespace", o->ns ? o->ns : "default");
	set_text(lua, "Service", "Helm");
	lua_pushinteger(lua, 1);
	lua_setfield(lua, -2, "Revision");
	set_bool(lua, "IsInstall", !o->is_upgrade);
	set_bool(lua, "IsUpgrade", o->is_upgrade);
}

/* ---- .Chart: Chart.yaml under the names of Helm's struct ---- */

enum field_type { FIELD_TEXT, FIELD_TEXTS, FIELD_TEXT_MAP, FIELD_BOOL, FIELD_ITEMS };

static const struct chart_field { const char *key, *name; enum field_type type; } chart_fields[] = {
	{ "name", "Name", FIELD_TEXT }, { "home", "Home", FIELD_TEXT }, { "sources", "Sources", FIELD_TEXTS },
	{ "version", "Version", FIELD_TEXT }, { "description", "Description", FIELD_TEXT }, { "keywords", "Keywords", FIELD_TEXTS },
	{ "maintainers", "Maintainers", FIELD_ITEMS }, { "icon", "Icon", FIELD_TEXT }, { "apiVersion", "APIVersion", FIELD_TEXT },
	{ "condition", "Condition", FIELD_TEXT }, { "tags", "Tags", FIELD_TEXT }, { "appVersion", "AppVersion", FIELD_TEXT },
	{ "deprecated", "Deprecated", FIELD_BOOL }, { "annotations", "Annotations", FIELD_TEXT_MAP },
	{ "kubeVersion", "KubeVersion", FIELD_TEXT }, { "dependencies", "Dependencies", FIELD_ITEMS }, { "type", "Type", FIELD_TEXT },
	{ 0 }
};

/* Of maintainers and dependencies. */
static const struct chart_field item_fields[] = {
	{ "name", "Name", FIELD_TEXT }, { "email", "Email", FIELD_TEXT }, { "url", "URL", FIELD_TEXT },
	{ "version", "Version", FIELD_TEXT }, { "repository", "Repository", FIELD_TEXT }, { "condition", "Condition", FIELD_TEXT },
	{ "tags", "Tags", FIELD_TEXTS }, { "alias", "Alias", FIELD_TEXT }, { "enabled", "Enabled", FIELD_BOOL }, { 0 }
};

/* A scalar as the text that Go's struct holds, whatever YAML took it for. */
static void push_field_text(lua_State *lua, const struct node *v)
{
	struct sv text = node_sv(v);

	lua_pushlstring(lua, text.n ? text.p : "", text.n);
}

static void push_struct(lua_State *lua, const struct node *from, const struct chart_field *fields, const char *type);

static void push_field(lua_State *lua, const struct node *v, enum field_type type)
{
	lua_Integer n = 0;
	struct member *m;
	struct node *it;

	switch (type) {
	case FIELD_TEXT:
		push_field_text(lua, v);
		break;
	case FIELD_BOOL:
		lua_pushboolean(lua, node_is(v, NODE_BOOL) && v->b);
		break;
	case FIELD_TEXTS:
		sandbox_new_typed(lua, "[]string");
		node_each(it, v) {
			push_field_text(lua, it);
			lua_rawseti(lua, -2, ++n);
		}
		break;
	case FIELD_TEXT_MAP:
		sandbox_new_typed(lua, "map[string]string");
		node_members(m, v) {
			lua_pushlstring(lua, m->key, m->key_n);
			push_field_text(lua, m->value);
			lua_rawset(lua, -3);
		}
		break;
	case FIELD_ITEMS:
		sandbox_new_list(lua);
		node_each(it, v) {
			push_struct(lua, it, item_fields, "*chart.Dependency");
			lua_rawseti(lua, -2, ++n);
		}
	}
}

/* A mapping with the fields of Go's struct; written as YAML it is what stands in Chart.yaml, where that is known. */
static void push_struct(lua_State *lua, const struct node *from, const struct chart_field *fields, const char *type)
{
	lua_newtable(lua);
	lua_newtable(lua);
	sandbox_new_map(lua);
	for (; fields->key; fields++) {
		const struct node *v = node_get(from, fields->key);

		push_field(lua, v, fields->type);
		if (v && v->type != NODE_NULL) {
			lua_pushvalue(lua, -1);
			lua_setfield(lua, -3, fields->key);
		}
		lua_setfield(lua, -4, fields->name);
	}
	lua_setfield(lua, -2, "__doc");
	set_bool(lua, "__struct", true);
	lua_pushstring(lua, type);
	lua_setfield(lua, -2, "__type");
	lua_setmetatable(lua, -2);
}

static void push_chart(lua_State *lua, const struct chart *c)
{
	push_struct(lua, doc_root(c->meta), chart_fields, "chart.Metadata");
	set_text(lua, "Name", c->name);
	set_bool(lua, "IsRoot", !c->parent);
	if (luaL_getmetafield(lua, -1, "__doc") != LUA_TNIL) {
		set_text(lua, "name", c->name);
		set_bool(lua, "IsRoot", !c->parent);
	}
	lua_pop(lua, 1);
}

/* ---- .Capabilities ---- */

static int has_version(lua_State *lua)
{
	const struct render_opts *o = lua_touserdata(lua, lua_upvalueindex(1));

	gotmpl_count(lua, "Has", 1, 1);
	lua_pushboolean(lua, capabilities_has(o, gotmpl_check_string(lua, 1, "Has")));
	return 1;
}

/* A version whose fields are texts. It shows as it is written, but is a struct to functions that print it. */
static void push_kube_version(lua_State *lua, const struct render_opts *o)
{
	struct sv major, minor, rest;
	struct str text = { 0 };

	capabilities_kube_version(o, &text);
	gotmpl_push_str(lua, &text);
	const char *version = lua_tostring(lua, -1);
	size_t core = 1 + strspn(version + 1, "0123456789.");

	rest = sv_c(version + 1);
	sv_cut(rest, '.', &major, &rest);
	sv_cut((struct sv){ rest.p, strspn(rest.p, "0123456789.") }, '.', &minor, &rest);
	lua_newtable(lua);
	set_text(lua, "Version", version);
	set_text(lua, "GitVersion", version);
	lua_pushlstring(lua, major.p, major.n);
	lua_setfield(lua, -2, "Major");
	lua_pushlstring(lua, minor.p, minor.n);
	lua_setfield(lua, -2, "Minor");
	str_addf(&text, "{%s %.*s " SV_FMT " " SV_FMT "}", version, (int)core, version, SV_ARG(major), SV_ARG(minor));
	set_methods(lua, NULL, o, str_c(&text));
	str_free(&text);
	lua_getmetatable(lua, -1);
	set_text(lua, "__shown", version);
	set_bool(lua, "__struct", true);
	set_text(lua, "__type", "chartutil.KubeVersion");
	lua_pop(lua, 1);
	lua_remove(lua, -2);
}

static void push_api_versions(lua_State *lua, const struct render_opts *o)
{
	static const luaL_Reg methods[] = { { "Has", has_version }, { NULL, NULL } };
	const char *version;

	lua_newtable(lua);
	for (size_t i = 0; (version = capabilities_at(o, i)); i++) {
		lua_pushstring(lua, version);
		lua_rawseti(lua, -2, (lua_Integer)i + 1);
	}
	set_methods(lua, methods, o, NULL);
	lua_getmetatable(lua, -1);
	set_text(lua, "__type", "chartutil.VersionSet");
	set_bool(lua, "__list", true);
	lua_pop(lua, 1);
}

static void push_capabilities(lua_State *lua, const struct render_opts *o)
{
	lua_newtable(lua);
	push_kube_version(lua, o);
	lua_setfield(lua, -2, "KubeVersion");
	push_api_versions(lua, o);
	lua_setfield(lua, -2, "APIVersions");
	sandbox_new_map(lua);
	set_text(lua, "Version", "v3.17.0");
	set_text(lua, "GitCommit", "");
	set_text(lua, "GitTreeState", "clean");
	set_text(lua, "GoVersion", "go1.23.0");
	lua_setfield(lua, -2, "HelmVersion");
	lua_newtable(lua);
	set_bool(lua, "__struct", true);
	set_text(lua, "__type", "*chartutil.Capabilities");
	lua_setmetatable(lua, -2);
}

/* ---- .Files ---- */

static const struct chart *files_chart(lua_State *lua) { return lua_touserdata(lua, lua_upvalueindex(1)); }

static int files_get(lua_State *lua)
{
	const struct chart_file *f;

	gotmpl_count(lua, "Get", 1, 1);
	struct sv name = gotmpl_check_string(lua, 1, "Get");
	vec_each(f, &files_chart(lua)->files)
		if (sv_eq_c(name, f->path)) {
			lua_pushlstring(lua, str_c(&f->text), f->text.n);
			return 1;
		}
	lua_pushliteral(lua, "");
	return 1;
}

static int files_lines(lua_State *lua)
{
	lua_Integer n = 0;

	(void)files_get(lua);
	struct sv rest, line;
	rest.p = lua_tolstring(lua, -1, &rest.n);
	sandbox_new_typed(lua, "[]string");
	if (sv_ends(rest, SV("\n")))
		rest.n--;
	while (rest.n) {
		sv_cut(rest, '\n', &line, &rest);
		lua_pushlstring(lua, line.p, line.n);
		lua_rawseti(lua, -2, ++n);
	}
	return 1;
}

static void push_files(lua_State *lua, const struct chart *c, struct sv glob);

static int files_glob(lua_State *lua)
{
	gotmpl_count(lua, "Glob", 1, 1);
	push_files(lua, files_chart(lua), gotmpl_check_string(lua, 1, "Glob"));
	return 1;
}

/* glob_match() with {a,b}, whose alternatives are tried one after the other; *left bounds how many. */
static bool match_alternatives(struct sv glob, struct sv path, int *left)
{
	struct sv before, rest, inner, after, one;

	if (--*left < 0)
		return false;
	if (!sv_cut(glob, '{', &before, &rest) || !sv_cut(rest, '}', &inner, &after))
		return glob_match(glob, path);
	for (bool more = true; more;) {
		AUTO(str) pattern = { 0 };

		more = sv_cut(inner, ',', &one, &inner);
		str_addf(&pattern, SV_FMT SV_FMT SV_FMT, SV_ARG(before), SV_ARG(one), SV_ARG(after));
		if (match_alternatives(str_sv(&pattern), path, left))
			return true;
	}
	return false;
}

static bool is_in_glob(struct sv glob, const struct chart_file *f)
{
	int left = 1000;

	return match_alternatives(glob, sv_c(f->path), &left);
}

/* The files of a Glob as YAML of base names and contents; for Secrets in base64. The glob is kept in the method. */
static int files_as(lua_State *lua, bool base64)
{
	struct doc *d = doc_new();
	struct node *root = node_map(d);
	const struct chart_file *f;
	struct str out = { 0 };
	struct sv glob;

	glob.p = lua_tolstring(lua, lua_upvalueindex(2), &glob.n);
	vec_each(f, &files_chart(lua)->files) {
		struct sv dir, name;
		AUTO(str) text = { 0 };

		if (!is_in_glob(glob, f))
			continue;
		if (!sv_cut_last(sv_c(f->path), '/', &dir, &name))
			name = sv_c(f->path);
		if (base64)
			base64_encode(&text, str_sv(&f->text));
		else
			str_add(&text, str_sv(&f->text));
		node_setn(d, root, name, node_strn(d, str_sv(&text)));
	}
	if (root->n)
		yaml_write(&out, root, YAML_SORTED);
	doc_drop(&d);
	if (out.n)
		str_cut(&out, out.n - 1);
	gotmpl_push_str(lua, &out);
	return 1;
}

static int files_as_config(lua_State *lua) { return files_as(lua, false); }
static int files_as_secrets(lua_State *lua) { return files_as(lua, true); }

/* A mapping of paths and contents, with methods; glob: which files, "**" all. */
static void push_files(lua_State *lua, const struct chart *c, struct sv glob)
{
	static const luaL_Reg methods[] = { { "Get", files_get }, { "GetBytes", files_get }, { "Lines", files_lines },
					    { "Glob", files_glob }, { "AsConfig", files_as_config }, { "AsSecrets", files_as_secrets },
					    { NULL, NULL } };
	const struct chart_file *f;

	lua_newtable(lua);
	vec_each(f, &c->files) {
		if (!is_in_glob(glob, f))
			continue;
		lua_pushlstring(lua, str_c(&f->text), f->text.n);
		lua_setfield(lua, -2, f->path);
	}
	lua_newtable(lua);
	lua_newtable(lua);
	lua_pushlightuserdata(lua, (void *)(uintptr_t)c);
	lua_pushlstring(lua, glob.p, glob.n);
	luaL_setfuncs(lua, methods, 2);
	lua_setfield(lua, -2, "__methods");
	set_text(lua, "__type", "engine.files");
	set_bool(lua, "__map", true);
	lua_setmetatable(lua, -2);
}

/* ---- scope ---- */

void gotmpl_push_scope(lua_State *lua, const struct chart *c, const struct node *values, const struct render_opts *o)
{
	luaL_checkstack(lua, 12, "charts are nested too deeply");
	sandbox_new_map(lua);
	value_push_node(lua, values);
	lua_setfield(lua, -2, "Values");
	push_chart(lua, c);
	lua_setfield(lua, -2, "Chart");
	push_release(lua, o);
	lua_setfield(lua, -2, "Release");
	push_capabilities(lua, o);
	lua_setfield(lua, -2, "Capabilities");
	push_files(lua, c, SV("**"));
	lua_setfield(lua, -2, "Files");
	sandbox_new_map(lua);
	for (size_t i = 0; i < c->n_deps; i++) {
		gotmpl_push_scope(lua, c->deps[i], node_get(values, c->deps[i]->name), o);
		lua_setfield(lua, -2, c->deps[i]->name);
	}
	lua_setfield(lua, -2, "Subcharts");
}

void gotmpl_set_template(lua_State *lua, const char *name, const char *base_path)
{
	sandbox_new_map(lua);
	set_text(lua, "Name", name);
	set_text(lua, "BasePath", base_path);
	lua_setfield(lua, -2, "Template");
}
