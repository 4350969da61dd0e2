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

enum absent { ABSENT_TEXT, ABSENT_LIST, ABSENT_FALSE };         /* what Go's struct has where Chart.yaml has nothing */

static const struct { const char *key, *name; enum absent absent; } chart_fields[] = {
	{ "name", "Name", ABSENT_TEXT }, { "home", "Home", ABSENT_TEXT }, { "sources", "Sources", ABSENT_LIST },
	{ "version", "Version", ABSENT_TEXT }, { "description", "Description", ABSENT_TEXT }, { "keywords", "Keywords", ABSENT_LIST },
	{ "maintainers", "Maintainers", ABSENT_LIST }, { "icon", "Icon", ABSENT_TEXT }, { "apiVersion", "APIVersion", ABSENT_TEXT },
	{ "condition", "Condition", ABSENT_TEXT }, { "tags", "Tags", ABSENT_TEXT }, { "appVersion", "AppVersion", ABSENT_TEXT },
	{ "deprecated", "Deprecated", ABSENT_FALSE }, { "annotations", "Annotations", ABSENT_LIST },
	{ "kubeVersion", "KubeVersion", ABSENT_TEXT }, { "dependencies", "Dependencies", ABSENT_LIST }, { "type", "Type", ABSENT_TEXT },
};

static const struct { const char *key, *name; } item_fields[] = {
	{ "name", "Name" }, { "email", "Email" }, { "url", "URL" }, { "version", "Version" }, { "repository", "Repository" },
	{ "condition", "Condition" }, { "tags", "Tags" }, { "alias", "Alias" }, { "enabled", "Enabled" },
};

/* Maintainers and dependencies: their items are structs, too. */
static void push_items(lua_State *lua, const struct node *list)
{
	struct node *item;
	lua_Integer n = 0;

	sandbox_new_list(lua);
	node_each(item, list) {
		sandbox_new_map(lua);
		for (size_t i = 0; i < sizeof item_fields / sizeof *item_fields; i++) {
			const struct node *v = node_get(item, item_fields[i].key);

			if (v)
				value_push_node(lua, v);
			else
				lua_pushliteral(lua, "");
			lua_setfield(lua, -2, item_fields[i].name);
		}
		lua_rawseti(lua, -2, ++n);
	}
}

static void push_absent(lua_State *lua, enum absent how)
{
	switch (how) {
	case ABSENT_TEXT:  lua_pushliteral(lua, ""); break;
	case ABSENT_LIST:  sandbox_new_list(lua); break;
	case ABSENT_FALSE: lua_pushboolean(lua, false); break;
	}
}

static void push_chart(lua_State *lua, const struct chart *c)
{
	const struct node *meta = doc_root(c->meta);

	sandbox_new_map(lua);
	for (size_t i = 0; i < sizeof chart_fields / sizeof *chart_fields; i++) {
		const struct node *v = node_get(meta, chart_fields[i].key);

		if (node_is(v, NODE_SEQ) && node_is(node_item(v, 0), NODE_MAP))
			push_items(lua, v);
		else if (v && v->type != NODE_NULL)
			value_push_node(lua, v);
		else
			push_absent(lua, chart_fields[i].absent);
		lua_setfield(lua, -2, chart_fields[i].name);
	}
	set_text(lua, "Name", c->name);
	set_bool(lua, "IsRoot", !c->parent);
}

/* ---- .Capabilities ---- */

static int has_version(lua_State *lua)
{
	const struct render_opts *o = lua_touserdata(lua, lua_upvalueindex(1));

	gotmpl_count(lua, "Has", 1, 1);
	lua_pushboolean(lua, capabilities_has(o, gotmpl_check_string(lua, 1, "Has")));
	return 1;
}

/* A version whose fields are texts, and which prints as it is written. */
static void push_kube_version(lua_State *lua, const struct render_opts *o)
{
	struct sv major, minor, rest;
	struct str text = { 0 };

	capabilities_kube_version(o, &text);
	gotmpl_push_str(lua, &text);
	const char *version = lua_tostring(lua, -1);
	rest = sv_c(version + 1);
	sv_cut(rest, '.', &major, &rest);
	sv_cut(rest, '.', &minor, &rest);
	lua_newtable(lua);
	set_text(lua, "Version", version);
	set_text(lua, "GitVersion", version);
	lua_pushlstring(lua, major.p, major.n);
	lua_setfield(lua, -2, "Major");
	lua_pushlstring(lua, minor.p, minor.n);
	lua_setfield(lua, -2, "Minor");
	set_methods(lua, NULL, o, version);
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
}

static void push_capabilities(lua_State *lua, const struct render_opts *o)
{
	sandbox_new_map(lua);
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
	sandbox_new_list(lua);
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
