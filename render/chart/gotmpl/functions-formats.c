/* render/chart/gotmpl/functions-formats.c - values to and from YAML and JSON (Helm's funcs.go, Sprig's defaults.go). */
#include "render/chart/gotmpl/functions.h"

#include "base/json.h"
#include "base/utf8.h"
#include "base/yaml.h"
#include "render/chart/gotmpl/values.h"
#include "render/chart/lua/sandbox.h"

/* ---- out ---- */

/* What json.Marshal leaves as it is, but no YAML may hold: sigs.k8s.io/yaml, which goes through JSON, fails on it. */
static bool is_yaml_text(struct sv s)
{
	for (const char *p = s.p, *end = s.p + s.n; p < end;) {
		uint32_t c = utf8_next(&p, end);

		if ((c >= 0x7f && c < 0xa0 && c != 0x85) || c == 0xfffe || c == 0xffff)
			return false;
	}
	return true;
}

static bool is_yaml(const struct node *n)
{
	struct member *m;
	struct node *it;

	if (node_is(n, NODE_STR) && !is_yaml_text(node_sv(n)))
		return false;
	node_each(it, n)
		if (!is_yaml(it))
			return false;
	node_members(m, n)
		if (!is_yaml_text((struct sv){ m->key, m->key_n }) || !is_yaml(m->value))
			return false;
	return true;
}

static bool to_yaml(struct str *out, const struct node *n)
{
	if (!is_yaml(n))
		return false;
	yaml_write(out, n, YAML_SORTED);
	return true;
}

static bool to_yaml_pretty(struct str *out, const struct node *n) { return yaml_write_pretty(out, n), true; }
static bool to_json(struct str *out, const struct node *n) { return json_write(out, n, JSON_SORTED | JSON_ESCAPE_HTML), true; }
static bool to_raw_json(struct str *out, const struct node *n) { return json_write(out, n, JSON_SORTED), true; }

static bool to_pretty_json(struct str *out, const struct node *n)
{
	json_write(out, n, JSON_SORTED | JSON_ESCAPE_HTML | JSON_INDENT);
	return true;
}

typedef int to_node_fn(lua_State *lua, int index, struct doc *d, struct node **out, struct err *err);

/* A value that cannot be written gives "", as Helm's functions do; it raises when it must be written. */
static int written(lua_State *lua, const char *name, bool must, to_node_fn *to_node, bool (*write)(struct str *, const struct node *))
{
	struct str out = { 0 };
	struct err err = { 0 };
	struct node *root;

	gotmpl_count(lua, name, 1, 1);
	struct doc *d = doc_new();
	if (to_node(lua, 1, d, &root, &err) >= 0 && !write(&out, root))
		(void)err_set(&err, ERR_INVALID, "yaml: control characters are not allowed");
	doc_drop(&d);
	if (err.code && must) {
		lua_pushfstring(lua, "error calling %s: %s", name, err_msg(&err));
		err_free(&err);
		return lua_error(lua);
	}
	if (err.code)
		str_cut(&out, 0);
	err_free(&err);
	if (out.n && out.p[out.n - 1] == '\n')         /* one, as Helm: a text that keeps its newlines keeps the others */
		str_cut(&out, out.n - 1);
	return gotmpl_give_str(lua, &out);
}

#define WRITER(fn, name, must, to_node, write) \
	static int fn(lua_State *lua) { return written(lua, name, must, to_node, write); }

WRITER(f_to_yaml, "toYaml", false, sandbox_to_node, to_yaml)
WRITER(f_must_to_yaml, "mustToYaml", true, sandbox_to_node, to_yaml)
WRITER(f_to_yaml_pretty, "toYamlPretty", false, sandbox_to_node_go, to_yaml_pretty)
WRITER(f_to_json, "toJson", false, sandbox_to_node, to_json)
WRITER(f_must_to_json, "mustToJson", true, sandbox_to_node, to_json)
WRITER(f_to_raw_json, "toRawJson", false, sandbox_to_node, to_raw_json)
WRITER(f_must_to_raw_json, "mustToRawJson", true, sandbox_to_node, to_raw_json)
WRITER(f_to_pretty_json, "toPrettyJson", false, sandbox_to_node, to_pretty_json)
WRITER(f_must_to_pretty_json, "mustToPrettyJson", true, sandbox_to_node, to_pretty_json)

/* ---- in ---- */

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
	int r = yaml ? yaml_read(text, "yaml", YAML_FIRST, &d, &err) : json_read(text, "json", 0, &d, &err);
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
	{ "toYaml", f_to_yaml }, { "mustToYaml", f_must_to_yaml }, { "toYamlPretty", f_to_yaml_pretty },
	{ "toJson", f_to_json }, { "mustToJson", f_must_to_json }, { "toRawJson", f_to_raw_json },
	{ "mustToRawJson", f_must_to_raw_json }, { "toPrettyJson", f_to_pretty_json }, { "mustToPrettyJson", f_must_to_pretty_json },
	{ "fromYaml", f_from_yaml }, { "fromYamlArray", f_from_yaml_array }, { "fromJson", f_from_json },
	{ "fromJsonArray", f_from_json_array },
	{ NULL, NULL }
};
