/* render/chart/gotmpl/functions-words.c - Sprig's functions of words: cases, wrapping, abbreviating (strings.go there). */
#include "render/chart/gotmpl/functions.h"

#include "render/chart/gotmpl/values.h"

#include <ctype.h>

static struct sv text(lua_State *lua, int index, const char *name) { return gotmpl_check_string(lua, index, name); }

/* ---- snake_case, kebab-case, CamelCase ---- */

static bool is_upper(char c) { return isupper((unsigned char)c); }
static bool is_gap(char c) { return c == ' ' || c == '-' || c == '_'; }

/* A word begins at i: an upper case letter behind another kind, or the last one of several before a lower case letter. */
static bool begins_word(struct sv s, size_t i)
{
	if (!i || !is_upper(s.p[i]) || is_gap(s.p[i - 1]))
		return false;
	return !is_upper(s.p[i - 1]) || (i + 1 < s.n && islower((unsigned char)s.p[i + 1]));
}

static int joined_words(lua_State *lua, const char *name, char between)
{
	struct str out = { 0 };

	gotmpl_count(lua, name, 1, 1);
	struct sv s = text(lua, 1, name);
	for (size_t i = 0; i < s.n; i++) {
		if (begins_word(s, i))
			str_add1(&out, between);
		str_add1(&out, is_gap(s.p[i]) ? between : (char)tolower((unsigned char)s.p[i]));
	}
	return gotmpl_give_str(lua, &out);
}

static int f_snakecase(lua_State *lua) { return joined_words(lua, "snakecase", '_'); }
static int f_kebabcase(lua_State *lua) { return joined_words(lua, "kebabcase", '-'); }

/* Gaps at both ends stay; those between words make the next letter a capital. */
static int f_camelcase(lua_State *lua)
{
	struct str out = { 0 };
	bool start = true;

	gotmpl_count(lua, "camelcase", 1, 1);
	struct sv s = text(lua, 1, "camelcase");
	size_t first = 0, last = s.n;
	while (first < s.n && is_gap(s.p[first]))
		first++;
	while (last > first && is_gap(s.p[last - 1]))
		last--;
	str_add(&out, (struct sv){ s.p, first });
	for (size_t i = first; i < last; i++) {
		char c = s.p[i];

		if (!is_gap(c))
			str_add1(&out, start ? (char)toupper((unsigned char)c) : c);
		start = is_gap(c);
	}
	str_add(&out, sv_drop(s, last));
	return gotmpl_give_str(lua, &out);
}

/* ---- wrapping ---- */

static const char *last_space(struct sv s) { return s.n ? memrchr(s.p, ' ', s.n) : NULL; }

/* Lines of at most `width` bytes, broken at spaces; longer words stay whole. */
static void wrap(struct sv s, size_t width, struct sv newline, struct str *out)
{
	while (s.n > width) {
		if (*s.p == ' ') {
			s = sv_drop(s, 1);
			continue;
		}
		const char *at = last_space((struct sv){ s.p, width + 1 });
		if (!at)
			at = memchr(s.p + width, ' ', s.n - width);
		if (!at)
			break;
		str_add(out, (struct sv){ s.p, (size_t)(at - s.p) });
		str_add(out, newline);
		s = sv_drop(s, (size_t)(at - s.p) + 1);
	}
	str_add(out, s);
}

static int wrapped(lua_State *lua, const char *name, bool with)
{
	struct str out = { 0 };

	gotmpl_count(lua, name, with ? 3 : 2, with ? 3 : 2);
	int64_t width = value_check_int(lua, 1, name);
	struct sv newline = with ? text(lua, 2, name) : SV("\n");
	wrap(text(lua, with ? 3 : 2, name), width < 1 ? 1 : (size_t)width, newline.n ? newline : SV("\n"), &out);
	return gotmpl_give_str(lua, &out);
}

static int f_wrap(lua_State *lua) { return wrapped(lua, "wrap", false); }
static int f_wrap_with(lua_State *lua) { return wrapped(lua, "wrapWith", true); }

/* ---- abbreviating ---- */

/* At most `width` bytes with dots for what is left out, at the end and, from an offset above 4, at the start. */
static void abbreviate(struct sv s, size_t offset, size_t width, struct str *out)
{
	if (s.n <= width || width < 4) {
		if (s.n <= width)
			str_add(out, s);
		return;
	}
	if (offset > s.n)
		offset = s.n;
	if (s.n - offset < width - 3)
		offset = s.n - (width - 3);
	if (offset <= 4) {
		str_add(out, (struct sv){ s.p, width - 3 });
		str_addc(out, "...");
	} else if (width >= 7) {
		str_addc(out, "...");
		if (offset + width - 3 < s.n)
			abbreviate(sv_drop(s, offset), 0, width - 3, out);
		else
			str_add(out, sv_drop(s, s.n - (width - 3)));
	}
}

static int f_abbrev(lua_State *lua)
{
	struct str out = { 0 };

	gotmpl_count(lua, "abbrev", 2, 2);
	int64_t width = value_check_int(lua, 1, "abbrev");
	struct sv s = text(lua, 2, "abbrev");
	if (width < 4)
		str_add(&out, s);
	else
		abbreviate(s, 0, (size_t)width, &out);
	return gotmpl_give_str(lua, &out);
}

static int f_abbrevboth(lua_State *lua)
{
	struct str out = { 0 };

	gotmpl_count(lua, "abbrevboth", 3, 3);
	int64_t left = value_check_int(lua, 1, "abbrevboth"), width = value_check_int(lua, 2, "abbrevboth");
	struct sv s = text(lua, 3, "abbrevboth");
	if (width < 4 || (left > 0 && width < 7))
		str_add(&out, s);
	else
		abbreviate(s, left > 0 ? (size_t)left : 0, (size_t)width, &out);
	return gotmpl_give_str(lua, &out);
}

const luaL_Reg gotmpl_words[] = {
	{ "snakecase", f_snakecase }, { "kebabcase", f_kebabcase }, { "camelcase", f_camelcase }, { "wrap", f_wrap },
	{ "wrapWith", f_wrap_with }, { "abbrev", f_abbrev }, { "abbrevboth", f_abbrevboth },
	{ NULL, NULL }
};
