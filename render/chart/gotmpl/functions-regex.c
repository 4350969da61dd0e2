/* render/chart/gotmpl/functions-regex.c - Sprig's regular expressions (regex.go there) and versions (semver.go). */
#include "render/chart/gotmpl/functions.h"

#include "base/semver.h"
#include "base/utf8.h"
#include "render/chart/gotmpl/values.h"
#include "render/chart/lua/sandbox.h"
#include "base/regex.h"

#include <ctype.h>
#include <stdlib.h>

#define GROUPS_MAX 32

/* ---- regular expressions ---- */

struct search { lua_State *lua; struct regex re; struct sv text; struct sv spans[GROUPS_MAX]; size_t next; bool failed; };

static int raise_error(lua_State *lua, const char *name, struct err *err)
{
	lua_pushfstring(lua, "error calling %s: %s", name, err_msg(err));
	err_free(err);
	return lua_error(lua);
}

/* Raises for a bad expression. The caller frees s->re before it may raise. */
static void open_search(lua_State *lua, struct search *s, const char *name, int pattern, int text)
{
	struct err err = { 0 };

	*s = (struct search){ .lua = lua, .text = gotmpl_check_string(lua, text, name) };
	(void)gotmpl_check_string(lua, pattern, name);
	if (regex_init(&s->re, lua_tostring(lua, pattern), false, &err) < 0)
		raise_error(lua, name, &err);
}

/* The next match, never twice at one place; an empty one right behind the last is none, as in Go. */
static bool next_match(struct search *s)
{
	bool first = !s->spans[0].p;
	size_t last_end = first ? (size_t)-1 : (size_t)(s->spans[0].p + s->spans[0].n - s->text.p);

	while (!s->failed && s->next <= s->text.n) {
		int r = regex_find(&s->re, s->text, s->next, s->spans, GROUPS_MAX, NULL);

		s->failed = r < 0;
		if (r <= 0)
			return false;
		size_t start = (size_t)(s->spans[0].p - s->text.p), end = start + s->spans[0].n;
		if (s->spans[0].n) {
			s->next = end;
			return true;
		}
		const char *p = s->text.p + end;
		if (end < s->text.n)
			(void)utf8_next(&p, s->text.p + s->text.n);
		s->next = end < s->text.n ? (size_t)(p - s->text.p) : s->text.n + 1;
		if (start != last_end)
			return true;
	}
	return false;
}

static void close_search(struct search *s, const char *name)
{
	regex_free(&s->re);
	if (s->failed)
		luaL_error(s->lua, "error calling %s: the expression takes too many steps", name);
}

/* A bad expression matches nothing here, and is an error for mustRegexMatch. */
static int f_match(lua_State *lua)
{
	struct search s = { .lua = lua };

	gotmpl_count(lua, "regexMatch", 2, 2);
	(void)gotmpl_check_string(lua, 1, "regexMatch");
	s.text = gotmpl_check_string(lua, 2, "regexMatch");
	bool found = regex_init(&s.re, lua_tostring(lua, 1), false, NULL) >= 0 && next_match(&s);
	close_search(&s, "regexMatch");
	lua_pushboolean(lua, found);
	return 1;
}

static int f_must_match(lua_State *lua)
{
	struct search s;

	gotmpl_count(lua, "mustRegexMatch", 2, 2);
	open_search(lua, &s, "mustRegexMatch", 1, 2);
	bool found = next_match(&s);
	close_search(&s, "mustRegexMatch");
	lua_pushboolean(lua, found);
	return 1;
}

static int f_find(lua_State *lua)
{
	struct search s;

	gotmpl_count(lua, "regexFind", 2, 2);
	open_search(lua, &s, "regexFind", 1, 2);
	struct sv found = next_match(&s) ? s.spans[0] : (struct sv){ "", 0 };
	close_search(&s, "regexFind");
	lua_pushlstring(lua, found.p, found.n);
	return 1;
}

static int f_find_all(lua_State *lua)
{
	struct search s;
	lua_Integer n = 0;

	gotmpl_count(lua, "regexFindAll", 3, 3);
	int64_t most = value_to_i64(lua, 3);
	sandbox_new_typed(lua, "[]string");
	open_search(lua, &s, "regexFindAll", 1, 2);
	while ((most < 0 || n < most) && next_match(&s)) {
		lua_pushlstring(lua, s.spans[0].p, s.spans[0].n);
		lua_rawseti(lua, -2, ++n);
	}
	close_search(&s, "regexFindAll");
	return 1;
}

/* "$1", "${1}", "${name}", "$$": Go takes the longest name of letters, digits and _. */
static void expand(const struct search *s, struct sv template, struct str *out)
{
	while (template.n) {
		struct sv head, name;
		bool dollar = sv_cut(template, '$', &head, &template);

		str_add(out, head);
		if (!dollar)
			return;
		bool braces = sv_starts(template, SV("{"));
		size_t n = braces;
		while (n < template.n && (isalnum((unsigned char)template.p[n]) || template.p[n] == '_'))
			n++;
		name = (struct sv){ template.p + braces, n - braces };
		if (sv_starts(template, SV("$"))) {
			str_add1(out, '$');
			template = sv_drop(template, 1);
			continue;
		}
		if (!name.n || (braces && (n >= template.n || template.p[n] != '}'))) {
			str_add1(out, '$');
			continue;
		}
		template = sv_drop(template, n + braces);
		int64_t group;
		if (!sv_to_i64(name, &group))
			group = regex_group_named(&s->re, name);
		if (group >= 0 && group < GROUPS_MAX && s->spans[group].p)
			str_add(out, s->spans[group]);
	}
}

static int replaced(lua_State *lua, const char *name, bool literal)
{
	struct search s;
	struct str out = { 0 };
	const char *from;

	gotmpl_count(lua, name, 3, 3);
	struct sv with = gotmpl_check_string(lua, 3, name);
	open_search(lua, &s, name, 1, 2);
	from = s.text.p;
	while (next_match(&s)) {
		str_add(&out, (struct sv){ from, (size_t)(s.spans[0].p - from) });
		if (literal)
			str_add(&out, with);
		else
			expand(&s, with, &out);
		from = s.spans[0].p + s.spans[0].n;
	}
	str_add(&out, (struct sv){ from, (size_t)(s.text.p + s.text.n - from) });
	gotmpl_push_str(lua, &out);
	close_search(&s, name);
	return 1;
}

static int f_replace_all(lua_State *lua) { return replaced(lua, "regexReplaceAll", false); }
static int f_replace_all_literal(lua_State *lua) { return replaced(lua, "regexReplaceAllLiteral", true); }

/* Parts between the matches, at most n (less than 0: all); 0 gives nil. */
static int f_split(lua_State *lua)
{
	struct search s;
	lua_Integer n = 0;
	size_t begin = 0;

	gotmpl_count(lua, "regexSplit", 3, 3);
	int64_t most = value_to_i64(lua, 3);
	sandbox_new_typed(lua, "[]string");
	open_search(lua, &s, "regexSplit", 1, 2);
	while (most && (most < 0 || n + 1 < most) && next_match(&s)) {
		size_t start = (size_t)(s.spans[0].p - s.text.p), end = start + s.spans[0].n;

		if (!s.spans[0].n && (start == 0 || start == s.text.n))
			continue;
		lua_pushlstring(lua, s.text.p + begin, start - begin);
		lua_rawseti(lua, -2, ++n);
		begin = end;
	}
	close_search(&s, "regexSplit");
	if (most) {
		lua_pushlstring(lua, s.text.p + begin, s.text.n - begin);
		lua_rawseti(lua, -2, ++n);
	}
	return 1;
}

static int f_quote_meta(lua_State *lua)
{
	struct str out = { 0 };

	gotmpl_count(lua, "regexQuoteMeta", 1, 1);
	struct sv s = gotmpl_check_string(lua, 1, "regexQuoteMeta");
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] && strchr("\\.+*?()|[]{}^$", s.p[i]))
			str_add1(&out, '\\');
		str_add1(&out, s.p[i]);
	}
	gotmpl_push_str(lua, &out);
	return 1;
}

/* ---- versions ---- */

static int f_semver_compare(lua_State *lua)
{
	struct semver v;
	struct err err = { 0 };

	gotmpl_count(lua, "semverCompare", 2, 2);
	struct sv range = gotmpl_check_string(lua, 1, "semverCompare"), text = gotmpl_check_string(lua, 2, "semverCompare");
	if (!semver_parse(text, &v))
		return luaL_error(lua, "error calling semverCompare: invalid semantic version");
	int r = semver_match(range, &v, &err);
	if (r < 0)
		return raise_error(lua, "semverCompare", &err);
	lua_pushboolean(lua, r);
	return 1;
}

/* version.Compare other: -1, 0 or 1; the version is the method's upvalue. */
static bool read_back(lua_State *lua, int index, struct semver *v)
{
	struct sv original = { "", 0 };

	if (lua_istable(lua, index) && lua_getfield(lua, index, "Original") == LUA_TSTRING)
		original.p = lua_tolstring(lua, -1, &original.n);
	return semver_parse(original, v);
}

static int semver_compare_method(lua_State *lua)
{
	struct semver a, b;

	gotmpl_count(lua, "Compare", 1, 1);
	if (!read_back(lua, lua_upvalueindex(1), &a) || !read_back(lua, 1, &b))
		return luaL_error(lua, "error calling Compare: wrong type; expected *semver.Version");
	lua_pushinteger(lua, semver_cmp(&a, &b));
	return 1;
}

/* semver text: a version with its parts as fields, which prints as it is written canonically. */
static int f_semver(lua_State *lua)
{
	struct semver v;
	struct str canonical = { 0 };

	gotmpl_count(lua, "semver", 1, 1);
	struct sv text = gotmpl_check_string(lua, 1, "semver");
	if (!semver_parse(text, &v))
		return luaL_error(lua, "error calling semver: invalid semantic version");
	lua_newtable(lua);
	sandbox_push_int(lua, (int64_t)v.major, "uint64"), lua_setfield(lua, -2, "Major");
	sandbox_push_int(lua, (int64_t)v.minor, "uint64"), lua_setfield(lua, -2, "Minor");
	sandbox_push_int(lua, (int64_t)v.patch, "uint64"), lua_setfield(lua, -2, "Patch");
	lua_pushlstring(lua, v.pre.p, v.pre.n), lua_setfield(lua, -2, "Prerelease");
	lua_pushlstring(lua, v.build.p, v.build.n), lua_setfield(lua, -2, "Metadata");
	lua_pushlstring(lua, text.p, text.n), lua_setfield(lua, -2, "Original");
	str_addf(&canonical, "%llu.%llu.%llu", (unsigned long long)v.major, (unsigned long long)v.minor, (unsigned long long)v.patch);
	if (v.pre.n)
		str_addf(&canonical, "-" SV_FMT, SV_ARG(v.pre));
	if (v.build.n)
		str_addf(&canonical, "+" SV_FMT, SV_ARG(v.build));
	lua_newtable(lua);
	gotmpl_push_str(lua, &canonical);
	lua_pushvalue(lua, -1);
	lua_setfield(lua, -3, "__doc");
	lua_setfield(lua, -2, "__text");
	lua_newtable(lua);
	lua_pushvalue(lua, -3);
	lua_pushcclosure(lua, semver_compare_method, 1);
	lua_setfield(lua, -2, "Compare");
	lua_setfield(lua, -2, "__methods");
	lua_pushliteral(lua, "*semver.Version");
	lua_setfield(lua, -2, "__type");
	lua_setmetatable(lua, -2);
	return 1;
}

const luaL_Reg gotmpl_regex[] = {
	{ "regexMatch", f_match }, { "mustRegexMatch", f_must_match }, { "regexFind", f_find }, { "mustRegexFind", f_find },
	{ "regexFindAll", f_find_all }, { "mustRegexFindAll", f_find_all }, { "regexReplaceAll", f_replace_all },
	{ "mustRegexReplaceAll", f_replace_all }, { "regexReplaceAllLiteral", f_replace_all_literal },
	{ "mustRegexReplaceAllLiteral", f_replace_all_literal }, { "regexSplit", f_split }, { "mustRegexSplit", f_split },
	{ "regexQuoteMeta", f_quote_meta }, { "semver", f_semver }, { "semverCompare", f_semver_compare },
	{ NULL, NULL }
};
