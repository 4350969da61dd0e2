/* render/chart/gotmpl/functions-strings.c - Sprig's functions of strings (strings.go, functions.go there). */
#include "render/chart/gotmpl/functions.h"

#include "base/utf8.h"
#include "render/chart/gotmpl/gofmt.h"
#include "render/chart/gotmpl/goquote.h"
#include "render/chart/gotmpl/values.h"
#include "render/chart/lua/sandbox.h"

#include <utf8proc.h>

#define LENGTH_MAX ((size_t)64 << 20)   /* of what repeat and indent may make */

static struct sv text(lua_State *lua, int index, const char *name) { return gotmpl_check_string(lua, index, name); }

static int give_bool(lua_State *lua, bool b)
{
	lua_pushboolean(lua, b);
	return 1;
}

/* ---- case ---- */

static bool is_letter(uint32_t c)
{
	utf8proc_category_t k = utf8proc_category((utf8proc_int32_t)c);

	return k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO;
}

/* What stands between words for Go's strings.Title. */
static bool is_separator(uint32_t c)
{
	utf8proc_category_t k = utf8proc_category((utf8proc_int32_t)c);

	if (c < 0x80)
		return !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_');
	if (is_letter(c) || k == UTF8PROC_CATEGORY_ND)
		return false;
	return k == UTF8PROC_CATEGORY_ZS || k == UTF8PROC_CATEGORY_ZL || k == UTF8PROC_CATEGORY_ZP || c == 0x85;
}

static uint32_t to_upper(uint32_t c) { return (uint32_t)utf8proc_toupper((utf8proc_int32_t)c); }
static uint32_t to_lower(uint32_t c) { return (uint32_t)utf8proc_tolower((utf8proc_int32_t)c); }
static uint32_t to_title(uint32_t c) { return (uint32_t)utf8proc_totitle((utf8proc_int32_t)c); }

/* Every character through one function; or only the first of each word. */
static int mapped(lua_State *lua, const char *name, uint32_t (*map)(uint32_t), bool first_only)
{
	gotmpl_count(lua, name, 1, 1);
	struct sv s = text(lua, 1, name);
	struct str out = { 0 };
	bool start = true;

	for (const char *p = s.p, *end = s.p + s.n; p < end;) {
		uint32_t c = utf8_next(&p, end);

		utf8_add(&out, !first_only || start ? map(c) : c);
		start = is_separator(c);
	}
	return gotmpl_give_str(lua, &out);
}

static int f_upper(lua_State *lua) { return mapped(lua, "upper", to_upper, false); }
static int f_lower(lua_State *lua) { return mapped(lua, "lower", to_lower, false); }
static int f_title(lua_State *lua) { return mapped(lua, "title", to_title, true); }
static int f_untitle(lua_State *lua) { return mapped(lua, "untitle", to_lower, true); }

/* ---- trimming and cutting ---- */

static bool in_set(uint32_t c, struct sv set)
{
	for (const char *p = set.p, *end = set.p + set.n; p < end;)
		if (utf8_next(&p, end) == c)
			return true;
	return false;
}

static struct sv trim_set(struct sv s, struct sv set)
{
	for (const char *p = s.p; s.n; s = sv_drop(s, (size_t)(p - s.p))) {
		p = s.p;
		if (!in_set(utf8_next(&p, s.p + s.n), set))
			break;
	}
	while (s.n) {
		size_t n = 1;

		while (n < s.n && n < 4 && ((unsigned char)s.p[s.n - n] & 0xc0) == 0x80)
			n++;
		const char *p = s.p + s.n - n;
		if (!in_set(utf8_next(&p, s.p + s.n), set))
			break;
		s.n -= n;
	}
	return s;
}

#define WHITE SV(" \t\n\v\f\r\xc2\x85\xc2\xa0")

static int f_trim(lua_State *lua)
{
	gotmpl_count(lua, "trim", 1, 1);
	return gotmpl_give(lua, trim_set(text(lua, 1, "trim"), WHITE));
}

static int f_trim_all(lua_State *lua)
{
	gotmpl_count(lua, "trimAll", 2, 2);
	return gotmpl_give(lua, trim_set(text(lua, 2, "trimAll"), text(lua, 1, "trimAll")));
}

static int f_trim_suffix(lua_State *lua)
{
	gotmpl_count(lua, "trimSuffix", 2, 2);
	struct sv end = text(lua, 1, "trimSuffix"), s = text(lua, 2, "trimSuffix");

	if (sv_ends(s, end))
		s.n -= end.n;
	return gotmpl_give(lua, s);
}

static int f_trim_prefix(lua_State *lua)
{
	gotmpl_count(lua, "trimPrefix", 2, 2);
	struct sv start = text(lua, 1, "trimPrefix"), s = text(lua, 2, "trimPrefix");

	return gotmpl_give(lua, sv_starts(s, start) ? sv_drop(s, start.n) : s);
}

static int f_trunc(lua_State *lua)
{
	gotmpl_count(lua, "trunc", 2, 2);
	int64_t n = value_check_int(lua, 1, "trunc");
	struct sv s = text(lua, 2, "trunc");

	if (n < 0 && (int64_t)s.n + n > 0)
		return gotmpl_give(lua, sv_drop(s, (size_t)((int64_t)s.n + n)));
	if (n >= 0 && s.n > (size_t)n)
		s.n = (size_t)n;
	return gotmpl_give(lua, s);
}

/* substr start end text: bytes; a negative start begins at 0, a negative end goes to the end. */
static int f_substr(lua_State *lua)
{
	gotmpl_count(lua, "substr", 3, 3);
	int64_t start = value_check_int(lua, 1, "substr"), end = value_check_int(lua, 2, "substr");
	struct sv s = text(lua, 3, "substr");

	if (start < 0)
		start = 0;
	else if (end < 0 || end > (int64_t)s.n)
		end = (int64_t)s.n;
	if (start > (int64_t)s.n || end > (int64_t)s.n || end < start)
		return luaL_error(lua, "error calling substr: slice bounds out of range [%I:%I]", (LUAI_UACINT)start, (LUAI_UACINT)end);
	return gotmpl_give(lua, (struct sv){ s.p + start, (size_t)(end - start) });
}

static int f_nospace(lua_State *lua)
{
	gotmpl_count(lua, "nospace", 1, 1);
	struct sv s = text(lua, 1, "nospace");
	struct str out = { 0 };

	for (const char *p = s.p, *end = s.p + s.n; p < end;) {
		uint32_t c = utf8_next(&p, end);

		if (!in_set(c, WHITE))
			utf8_add(&out, c);
	}
	return gotmpl_give_str(lua, &out);
}

/* ---- searching ---- */

static int f_contains(lua_State *lua)
{
	gotmpl_count(lua, "contains", 2, 2);
	struct sv part = text(lua, 1, "contains"), s = text(lua, 2, "contains");

	return give_bool(lua, !part.n || memmem(s.p, s.n, part.p, part.n));
}

static int f_has_prefix(lua_State *lua)
{
	gotmpl_count(lua, "hasPrefix", 2, 2);
	return give_bool(lua, sv_starts(text(lua, 2, "hasPrefix"), text(lua, 1, "hasPrefix")));
}

static int f_has_suffix(lua_State *lua)
{
	gotmpl_count(lua, "hasSuffix", 2, 2);
	return give_bool(lua, sv_ends(text(lua, 2, "hasSuffix"), text(lua, 1, "hasSuffix")));
}

static void replace(struct sv s, struct sv old, struct sv new, struct str *out)
{
	const char *at;

	if (!old.n) {                           /* before each character, and at the end */
		str_add(out, new);
		for (const char *p = s.p, *end = s.p + s.n, *from = p; p < end; from = p) {
			(void)utf8_next(&p, end);
			str_add(out, (struct sv){ from, (size_t)(p - from) });
			str_add(out, new);
		}
		return;
	}
	while ((at = s.n ? memmem(s.p, s.n, old.p, old.n) : NULL)) {
		str_add(out, (struct sv){ s.p, (size_t)(at - s.p) });
		str_add(out, new);
		s = sv_drop(s, (size_t)(at - s.p) + old.n);
	}
	str_add(out, s);
}

static int f_replace(lua_State *lua)
{
	struct str out = { 0 };

	gotmpl_count(lua, "replace", 3, 3);
	struct sv old = text(lua, 1, "replace"), new = text(lua, 2, "replace"), s = text(lua, 3, "replace");
	if ((s.n / (old.n ? old.n : 1) + 1) * new.n > LENGTH_MAX)
		return luaL_error(lua, "error calling replace: the result is too long");
	replace(s, old, new, &out);
	return gotmpl_give_str(lua, &out);
}

/* ---- making ---- */

static int f_repeat(lua_State *lua)
{
	struct str out = { 0 };

	gotmpl_count(lua, "repeat", 2, 2);
	int64_t n = value_check_int(lua, 1, "repeat");
	struct sv s = text(lua, 2, "repeat");
	if (n < 0)
		return luaL_error(lua, "error calling repeat: strings: negative Repeat count");
	if (s.n && (uint64_t)n > LENGTH_MAX / s.n)
		return luaL_error(lua, "error calling repeat: the result is too long");
	for (int64_t i = 0; s.n && i < n; i++)
		str_add(&out, s);
	return gotmpl_give_str(lua, &out);
}

static void add_indented(int64_t spaces, struct sv s, struct str *out)
{
	AUTO(str) pad = { 0 };
	AUTO(str) line = { 0 };

	for (int64_t i = 0; i < spaces; i++)
		str_add1(&pad, ' ');
	str_add1(&line, '\n');
	str_add(&line, str_sv(&pad));
	str_add(out, str_sv(&pad));
	replace(s, SV("\n"), str_sv(&line), out);
}

static int indented(lua_State *lua, const char *name, bool newline)
{
	struct str out = { 0 };

	gotmpl_count(lua, name, 2, 2);
	int64_t n = value_check_int(lua, 1, name);
	struct sv s = text(lua, 2, name);
	if (n < 0)
		return luaL_error(lua, "error calling %s: strings: negative Repeat count", name);
	if ((uint64_t)n > LENGTH_MAX || ((uint64_t)n + 1) * (s.n + 1) > LENGTH_MAX * 16)
		return luaL_error(lua, "error calling %s: the result is too long", name);
	if (newline)
		str_add1(&out, '\n');
	add_indented(n, s, &out);
	return gotmpl_give_str(lua, &out);
}

static int f_indent(lua_State *lua) { return indented(lua, "indent", false); }
static int f_nindent(lua_State *lua) { return indented(lua, "nindent", true); }

/* quote and squote: every argument that is not nil, separated by spaces. */
static int quoted(lua_State *lua, bool single)
{
	struct str out = { 0 };

	for (int i = 1; i <= lua_gettop(lua); i++) {
		AUTO(str) s = { 0 };

		if (sandbox_is_null(lua, i))
			continue;
		value_to_text(lua, i, &s);
		if (out.n)
			str_add1(&out, ' ');
		if (single)
			str_addf(&out, "'%s'", str_c(&s));
		else
			go_quote(str_sv(&s), '"', false, &out);
	}
	return gotmpl_give_str(lua, &out);
}

static int f_quote(lua_State *lua) { return quoted(lua, false); }
static int f_squote(lua_State *lua) { return quoted(lua, true); }

static int f_cat(lua_State *lua)
{
	struct str out = { 0 };

	for (int i = 1; i <= lua_gettop(lua); i++) {
		if (sandbox_is_null(lua, i))
			continue;
		if (out.n)
			str_add1(&out, ' ');
		go_print(lua, i, &out);
	}
	return gotmpl_give_str(lua, &out);
}

static int f_plural(lua_State *lua)
{
	gotmpl_count(lua, "plural", 3, 3);
	return gotmpl_give(lua, text(lua, value_check_int(lua, 3, "plural") == 1 ? 1 : 2, "plural"));
}

static int f_to_string(lua_State *lua)
{
	struct str out = { 0 };

	gotmpl_count(lua, "toString", 1, 1);
	value_to_text(lua, 1, &out);
	return gotmpl_give_str(lua, &out);
}

static int f_hello(lua_State *lua)
{
	gotmpl_count(lua, "hello", 0, 0);
	return gotmpl_give(lua, SV("Hello!"));
}

static int f_to_strings(lua_State *lua)
{
	gotmpl_count(lua, "toStrings", 1, 1);
	value_push_texts(lua, 1);
	return 1;
}

static int f_initials(lua_State *lua)
{
	gotmpl_count(lua, "initials", 1, 1);
	struct sv s = text(lua, 1, "initials");
	struct str out = { 0 };
	bool start = true;

	for (const char *p = s.p, *end = s.p + s.n; p < end;) {
		uint32_t c = utf8_next(&p, end);

		if (start && !in_set(c, WHITE))
			utf8_add(&out, c);
		start = in_set(c, WHITE);
	}
	return gotmpl_give_str(lua, &out);
}

static int f_swapcase(lua_State *lua)
{
	gotmpl_count(lua, "swapcase", 1, 1);
	struct sv s = text(lua, 1, "swapcase");
	struct str out = { 0 };
	bool start = true;

	for (const char *p = s.p, *end = s.p + s.n; p < end;) {
		uint32_t c = utf8_next(&p, end);
		utf8proc_category_t k = utf8proc_category((utf8proc_int32_t)c);

		if (k == UTF8PROC_CATEGORY_LU || k == UTF8PROC_CATEGORY_LT)
			utf8_add(&out, to_lower(c));
		else
			utf8_add(&out, k != UTF8PROC_CATEGORY_LL ? c : start ? to_title(c) : to_upper(c));
		start = in_set(c, WHITE);
	}
	return gotmpl_give_str(lua, &out);
}

/* ---- joining and splitting ---- */

static int f_join(lua_State *lua)
{
	struct str out = { 0 };

	gotmpl_count(lua, "join", 2, 2);
	struct sv between = text(lua, 1, "join");
	value_push_texts(lua, 2);
	for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(lua, 3); i++) {
		struct sv s;

		if (i > 1)
			str_add(&out, between);
		lua_rawgeti(lua, 3, i);
		s.p = lua_tolstring(lua, -1, &s.n);
		str_add(&out, s);
		lua_pop(lua, 1);
	}
	return gotmpl_give_str(lua, &out);
}

/* Calls add(lua, part, number) for the parts of s; most 0: no bound. */
static void split(lua_State *lua, struct sv s, struct sv by, int64_t most, void (*add)(lua_State *, struct sv, lua_Integer))
{
	lua_Integer n = 0;
	const char *at;

	if (!by.n) {                            /* into its characters */
		for (const char *p = s.p, *end = s.p + s.n, *from = p; p < end; from = p) {
			if (most > 0 && n + 1 == most)
				p = end;
			else
				(void)utf8_next(&p, end);
			add(lua, (struct sv){ from, (size_t)(p - from) }, n++);
		}
		return;
	}
	while ((most <= 0 || n + 1 < most) && (at = s.n ? memmem(s.p, s.n, by.p, by.n) : NULL)) {
		add(lua, (struct sv){ s.p, (size_t)(at - s.p) }, n++);
		s = sv_drop(s, (size_t)(at - s.p) + by.n);
	}
	add(lua, s, n);
}

static void add_item(lua_State *lua, struct sv part, lua_Integer n)
{
	lua_pushlstring(lua, part.p, part.n);
	lua_rawseti(lua, -2, n + 1);
}

static void add_member(lua_State *lua, struct sv part, lua_Integer n)
{
	lua_pushfstring(lua, "_%I", (LUAI_UACINT)n);
	lua_pushlstring(lua, part.p, part.n);
	lua_rawset(lua, -3);
}

static int f_split_list(lua_State *lua)
{
	gotmpl_count(lua, "splitList", 2, 2);
	struct sv by = text(lua, 1, "splitList"), s = text(lua, 2, "splitList");

	sandbox_new_typed(lua, "[]string");
	split(lua, s, by, 0, add_item);
	return 1;
}

/* A mapping _0, _1, ... */
static int f_split(lua_State *lua)
{
	gotmpl_count(lua, "split", 2, 2);
	struct sv by = text(lua, 1, "split"), s = text(lua, 2, "split");

	sandbox_new_typed(lua, "map[string]string");
	split(lua, s, by, 0, add_member);
	return 1;
}

static int f_splitn(lua_State *lua)
{
	gotmpl_count(lua, "splitn", 3, 3);
	struct sv by = text(lua, 1, "splitn"), s = text(lua, 3, "splitn");
	int64_t n = value_check_int(lua, 2, "splitn");

	sandbox_new_typed(lua, "map[string]string");
	if (n)
		split(lua, s, by, n, add_member);
	return 1;
}

const luaL_Reg gotmpl_strings[] = {
	{ "upper", f_upper }, { "lower", f_lower }, { "title", f_title }, { "untitle", f_untitle }, { "swapcase", f_swapcase },
	{ "trim", f_trim }, { "trimAll", f_trim_all }, { "trimall", f_trim_all }, { "trimSuffix", f_trim_suffix },
	{ "trimPrefix", f_trim_prefix }, { "trunc", f_trunc }, { "substr", f_substr }, { "nospace", f_nospace },
	{ "contains", f_contains }, { "hasPrefix", f_has_prefix }, { "hasSuffix", f_has_suffix }, { "replace", f_replace },
	{ "repeat", f_repeat }, { "indent", f_indent }, { "nindent", f_nindent }, { "quote", f_quote }, { "squote", f_squote },
	{ "cat", f_cat }, { "plural", f_plural }, { "toString", f_to_string }, { "toStrings", f_to_strings },
	{ "initials", f_initials }, { "join", f_join }, { "splitList", f_split_list }, { "split", f_split }, { "splitn", f_splitn },
	{ "hello", f_hello },
	{ NULL, NULL }
};
