/* render/chart/gotmpl/functions-formats.c - values to and from YAML and JSON (Helm's funcs.go, Sprig's defaults.go). */
#include "render/chart/gotmpl/functions.h"

#include "base/json.h"
#include "base/yaml.h"
#include "render/chart/gotmpl/values.h"
#include "render/chart/lua/sandbox.h"

static int written(lua_State *lua, const char *name, void (*write)(struct str *, const struct node *, unsigned), unsigned flags)
{
	struct str out = { 0 };

	gotmpl_count(lua, name, 1, 1);
	struct doc *d = value_to_doc(lua, 1, name);
	write(&out, doc_root(d), flags);
	doc_drop(&d);
	if (out.n && out.p[out.n - 1] == '\n')         /* one, as Helm: a text that keeps its newlines keeps the others */
		str_cut(&out, out.n - 1);
	gotmpl_push_str(lua, &out);
	return 1;
}

static int f_to_yaml(lua_State *lua) { return written(lua, "toYaml", yaml_write, YAML_SORTED); }
static int f_to_json(lua_State *lua) { return written(lua, "toJson", json_write, JSON_SORTED | JSON_ESCAPE_HTML); }
static int f_to_raw_json(lua_State *lua) { return written(lua, "toRawJson", json_write, JSON_SORTED); }
static int f_to_pretty_json(lua_State *lua) { return written(lua, "toPrettyJson", json_write, JSON_SORTED | JSON_ESCAPE_HTML | JSON_INDENT); }

enum wanted { WANT_ANY, WANT_MAP, WANT_LIST };

/* What Helm gives for text that cannot be read: {"Error": "..."} or ["..."]. */
static void push_error(lua_State *lua, enum wanted want, const char *message)
{
	if (want == WANT_LIST) {
		sandbox_new_list(lua);
		lua_pushstring(lua, message);
		lua_rawseti(lua, -2, 1);
	} else {
		sandbox_new_map(lua);
		lua_pushstring(lua, message);
		lua_setfield(lua, -2, "Error");
	}
}

static void push_parsed(lua_State *lua, const struct node *root, enum wanted want, bool yaml)
{
	if (want == WANT_ANY || (want == WANT_MAP && node_is(root, NODE_MAP)) || (want == WANT_LIST && node_is(root, NODE_SEQ)))
		value_push_node(lua, root);
	else if (!root || node_is(root, NODE_NULL))
		want == WANT_LIST ? sandbox_new_list(lua) : sandbox_new_map(lua);
	else
		push_error(lua, want, lua_pushfstring(lua, "%sjson: cannot unmarshal %s into Go value of type %s",
						       yaml ? "error unmarshaling JSON: while decoding JSON: " : "", node_type_name(root),
						       want == WANT_LIST ? "[]interface {}" : "map[string]interface {}"));
}

static int parsed(lua_State *lua, const char *name, bool yaml, enum wanted want)
{
	struct doc *d = NULL;
	struct err err = { 0 };

	gotmpl_count(lua, name, 1, 1);
	struct sv text = gotmpl_check_string(lua, 1, name);
	int r = yaml ? yaml_read(text, "yaml", 0, &d, &err) : json_read(text, "json", 0, &d, &err);
	if (r >= 0) {
		push_parsed(lua, doc_root(d), want, yaml);
	} else {
		lua_pushstring(lua, err_msg(&err));
		if (want == WANT_ANY)
			gotmpl_push_null(lua);
		else
			push_error(lua, want, lua_tostring(lua, -1));
	}
	doc_drop(&d);
	err_free(&err);
	return 1;
}

static int f_from_yaml(lua_State *lua) { return parsed(lua, "fromYaml", true, WANT_MAP); }
static int f_from_yaml_array(lua_State *lua) { return parsed(lua, "fromYamlArray", true, WANT_LIST); }
static int f_from_json(lua_State *lua) { return parsed(lua, "fromJson", false, WANT_MAP); }
static int f_from_json_array(lua_State *lua) { return parsed(lua, "fromJsonArray", false, WANT_LIST); }

const luaL_Reg gotmpl_formats[] = {
	{ "toYaml", f_to_yaml }, { "mustToYaml", f_to_yaml }, { "toJson", f_to_json }, { "mustToJson", f_to_json },
	{ "toRawJson", f_to_raw_json }, { "mustToRawJson", f_to_raw_json }, { "toPrettyJson", f_to_pretty_json },
	{ "mustToPrettyJson", f_to_pretty_json }, { "fromYaml", f_from_yaml }, { "fromYamlArray", f_from_yaml_array },
	{ "fromJson", f_from_json }, { "fromJsonArray", f_from_json_array },
	{ NULL, NULL }
};
