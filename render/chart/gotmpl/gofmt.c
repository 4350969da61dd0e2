#include "render/chart/gotmpl/gofmt-internal.h"

#include "base/utf8.h"
#include "base/vec.h"
#include "render/chart/gotmpl/goquote.h"
#include "render/chart/lua/sandbox.h"

#include <ctype.h>
#include <inttypes.h>
#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>

#define DEPTH_MAX 100

/* ---- types ---- */

const char *go_type_name(lua_State *lua, int index)
{
	if (sandbox_is_null(lua, index))
		return "<nil>";
	switch (lua_type(lua, index)) {
	case LUA_TBOOLEAN: return "bool";
	case LUA_TNUMBER:  return lua_isinteger(lua, index) ? "int" : "float64";
	case LUA_TSTRING:  return "string";
	case LUA_TTABLE:
	case LUA_TUSERDATA:
		if (luaL_getmetafield(lua, index, "__type") != LUA_TNIL) {
			const char *name = lua_tostring(lua, -1);       /* kept by the metatable */

			lua_pop(lua, 1);
			return name;
		}
		return sandbox_is_list(lua, index) ? "[]interface {}" : "map[string]interface {}";
	default:           return "func()";
	}
}

/* ---- padding ---- */

static size_t runes(struct sv s)
{
	size_t n = 0;

	for (const char *p = s.p, *end = s.p + s.n; p < end; n++)
		(void)utf8_next(&p, end);
	return n;
}

static void repeat(struct str *out, char c, size_t n)
{
	memset(str_room(out, n), c, n);
	out->n += n;
	out->p[out->n] = '\0';
}

static void pad_with(struct printer *p, const struct spec *s, struct sv text, bool zeros)
{
	size_t n = runes(text), width = s->has_width ? (size_t)s->width : 0;

	if (width > n && !s->minus)
		repeat(p->out, zeros ? '0' : ' ', width - n);
	str_add(p->out, text);
	if (width > n && s->minus)
		repeat(p->out, ' ', width - n);
}

static void pad(struct printer *p, const struct spec *s, struct sv text) { pad_with(p, s, text, s->zero && !s->minus); }

/* ---- numbers ---- */

static void digits_of(uint64_t v, unsigned base, bool upper, struct str *out)
{
	char buf[64];
	size_t n = sizeof buf;

	do {
		buf[--n] = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[v % base];
		v /= base;
	} while (v);
	str_add(out, (struct sv){ buf + n, sizeof buf - n });
}

static void integer(struct printer *p, const struct spec *s, int64_t i, unsigned base)
{
	uint64_t v = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
	AUTO(str) digits = { 0 };
	AUTO(str) text = { 0 };
	size_t least = 0;
	char sign = i < 0 ? '-' : s->plus ? '+' : s->space ? ' ' : '\0';

	if (s->has_precision) {
		least = (size_t)s->precision;
		if (!least && !v) {
			repeat(p->out, ' ', s->has_width ? (size_t)s->width : 0);
			return;
		}
	} else if (s->zero && s->has_width && !s->minus) {
		least = (size_t)s->width - (sign && s->width ? 1 : 0);
	}
	digits_of(v, base, s->verb == 'X', &digits);
	if (sign)
		str_add1(&text, sign);
	if (s->verb == 'O')
		str_addc(&text, "0o");
	if (s->sharp && base == 2)
		str_addc(&text, "0b");
	if (s->sharp && base == 16)
		str_addc(&text, s->verb == 'X' ? "0X" : "0x");
	if (s->sharp && base == 8 && *str_c(&digits) != '0' && least <= digits.n)
		str_add1(&text, '0');
	if (least > digits.n)
		repeat(&text, '0', least - digits.n);
	str_add(&text, str_sv(&digits));
	pad_with(p, s, str_sv(&text), false);
}

static void unicode(struct printer *p, const struct spec *s, int64_t i)
{
	AUTO(str) text = { 0 };
	int least = s->has_precision && s->precision > 4 ? s->precision : 4;

	str_addf(&text, "U+%0*" PRIX64, least, (uint64_t)i);
	if (s->sharp && i >= 0 && i <= 0x10ffff) {
		str_addc(&text, " '");
		utf8_add(&text, (uint32_t)i);
		str_add1(&text, '\'');
	}
	pad_with(p, s, str_sv(&text), false);
}

static void character(struct printer *p, const struct spec *s, int64_t i, bool quoted)
{
	uint32_t c = i < 0 || i > 0x10ffff ? UTF8_REPLACEMENT : (uint32_t)i;
	AUTO(str) text = { 0 };
	AUTO(str) raw = { 0 };

	utf8_add(&raw, c);
	if (quoted)
		go_quote(str_sv(&raw), '\'', s->plus, &text);
	pad(p, s, str_sv(quoted ? &text : &raw));
}

/* `#` keeps the point, and for %g and %x the zeros up to the precision, as fmt.fmtFloat does; text has no sign. */
static void keep_point(struct str *text, char verb, int precision)
{
	int digits = !strchr("gGx", verb) ? 0 : precision < 0 ? 6 : precision;
	bool point = false, seen = false;
	size_t end = 0;

	for (; end < text->n; end++) {
		char c = text->p[end];

		if (strchr("pP", c) || (strchr("eE", c) && !strchr("xX", verb)))
			break;
		point = point || c == '.';
		seen = seen || (c != '.' && c != '0');
		digits -= seen && c != '.';
	}
	AUTO(str) tail = { 0 };
	str_add(&tail, sv_drop(str_sv(text), end));
	str_cut(text, end);
	if (!point) {
		digits -= end == 1 && *text->p == '0';
		str_add1(text, '.');
	}
	if (digits > 0)
		repeat(text, '0', (size_t)digits);
	str_add(text, str_sv(&tail));
}

static void floating(struct printer *p, const struct spec *s, double v, char verb, int precision)
{
	AUTO(str) text = { 0 };
	char sign = signbit(v) ? '-' : s->plus ? '+' : s->space ? ' ' : '\0';

	if (s->has_precision)
		precision = s->precision;
	if (isfinite(v))
		go_format_float(fabs(v), verb, precision, &text);
	else
		str_addc(&text, isnan(v) ? "NaN" : "Inf");
	if (s->sharp && verb != 'b' && isfinite(v))
		keep_point(&text, verb, precision);
	if (isinf(v) && !sign)
		sign = '+';
	if (isnan(v) && !s->plus && !s->space)
		sign = '\0';
	bool zeros = s->zero && s->has_width && !s->minus && isfinite(v);
	AUTO(str) whole = { 0 };
	if (sign)
		str_add1(&whole, sign);
	if (zeros && (size_t)s->width > text.n + whole.n)
		repeat(&whole, '0', (size_t)s->width - text.n - whole.n);
	str_add(&whole, str_sv(&text));
	pad_with(p, s, str_sv(&whole), false);
}

/* ---- strings ---- */

static struct sv truncated(const struct spec *s, struct sv text)
{
	const char *at = text.p, *end = text.p + text.n;

	if (!s->has_precision)
		return text;
	for (int n = 0; n < s->precision && at < end; n++)
		(void)utf8_next(&at, end);
	return (struct sv){ text.p, (size_t)(at - text.p) };
}

static void hexadecimal(struct printer *p, const struct spec *s, struct sv text)
{
	const char *format = s->verb == 'X' ? "%02X" : "%02x";
	AUTO(str) hex = { 0 };

	if (s->has_precision && (size_t)s->precision < text.n)
		text.n = (size_t)s->precision;
	for (size_t i = 0; i < text.n; i++) {
		if (i && s->space)
			str_add1(&hex, ' ');
		if (s->sharp && (s->space || !i))
			str_addf(&hex, "0%c", (char)s->verb);
		str_addf(&hex, format, (unsigned char)text.p[i]);
	}
	pad(p, s, str_sv(&hex));
}

static void quoted(struct printer *p, const struct spec *s, struct sv text)
{
	AUTO(str) q = { 0 };

	text = truncated(s, text);
	if (s->sharp && go_can_backquote(text))
		str_addf(&q, "`" SV_FMT "`", SV_ARG(text));
	else
		go_quote(text, '"', s->plus, &q);
	pad(p, s, str_sv(&q));
}

/* ---- values ---- */

/* "%!d(string=x)". */
static void bad_verb(struct printer *p, int index, const struct spec *s)
{
	struct spec plain = *s;

	plain.verb = 'v';
	str_addc(p->out, "%!");
	utf8_add(p->out, s->verb);
	str_add1(p->out, '(');
	if (sandbox_is_null(p->lua, index)) {
		str_addc(p->out, "<nil>");
	} else {
		str_addf(p->out, "%s=", go_type_name(p->lua, index));
		gofmt_value(p, index, &plain);
	}
	str_add1(p->out, ')');
}

static void number_value(struct printer *p, int index, const struct spec *s)
{
	static const struct { char verb; unsigned base; } bases[] = { { 'v', 10 }, { 'd', 10 }, { 'b', 2 }, { 'o', 8 }, { 'O', 8 },
								      { 'x', 16 }, { 'X', 16 } };
	int64_t i = 0;

	(void)sandbox_int_at(p->lua, index, &i);
	for (size_t k = 0; k < sizeof bases / sizeof *bases; k++)
		if (s->verb == (unsigned char)bases[k].verb) {
			integer(p, s, i, bases[k].base);
			return;
		}
	if (s->verb == 'c' || s->verb == 'q')
		character(p, s, i, s->verb == 'q');
	else if (s->verb == 'U')
		unicode(p, s, i);
	else
		bad_verb(p, index, s);
}

static void float_value(struct printer *p, int index, const struct spec *s)
{
	double v = lua_tonumber(p->lua, index);

	switch (s->verb) {
	case 'v': case 'g': floating(p, s, v, 'g', -1); break;
	case 'G':           floating(p, s, v, 'G', -1); break;
	case 'e': case 'E': floating(p, s, v, (char)s->verb, 6); break;
	case 'f': case 'F': floating(p, s, v, 'f', 6); break;
	case 'b': case 'x': case 'X': floating(p, s, v, (char)s->verb, -1); break;
	default:            bad_verb(p, index, s);
	}
}

static void string_value(struct printer *p, int index, const struct spec *s)
{
	struct sv text;

	text.p = lua_tolstring(p->lua, index, &text.n);
	switch (s->verb) {
	case 'v':
		if (s->sharp_v)
			quoted(p, s, text);
		else
			pad(p, s, truncated(s, text));
		break;
	case 's': pad(p, s, truncated(s, text)); break;
	case 'q': quoted(p, s, text); break;
	case 'x': case 'X': hexadecimal(p, s, text); break;
	default: bad_verb(p, index, s);
	}
}

static void nested(struct printer *p, int index, const struct spec *s)
{
	if (sandbox_is_null(p->lua, index))
		str_addc(p->out, s->sharp_v ? "interface {}(nil)" : "<nil>");
	else
		gofmt_value(p, index, s);
}

static void list_value(struct printer *p, int index, const struct spec *s)
{
	lua_Integer n = (lua_Integer)lua_rawlen(p->lua, index);

	str_addf(p->out, "%s%s", s->sharp_v ? go_type_name(p->lua, index) : "", s->sharp_v ? "{" : "[");
	for (lua_Integer i = 1; i <= n; i++) {
		if (i > 1)
			str_addc(p->out, s->sharp_v ? ", " : " ");
		lua_rawgeti(p->lua, index, i);
		nested(p, lua_gettop(p->lua), s);
		lua_pop(p->lua, 1);
	}
	str_addc(p->out, s->sharp_v ? "}" : "]");
}

static int by_bytes(const void *a, const void *b) { return sv_cmp(*(const struct sv *)a, *(const struct sv *)b); }

static void map_value(struct printer *p, int index, const struct spec *s)
{
	struct { struct sv *v; size_t n, cap; } keys = { 0 };
	struct sv *key;

	for (lua_pushnil(p->lua); lua_next(p->lua, index); lua_pop(p->lua, 1)) {
		struct sv k = { "", 0 };

		if (lua_type(p->lua, -2) == LUA_TSTRING)
			k.p = lua_tolstring(p->lua, -2, &k.n);
		vec_push(&keys, k);
	}
	if (keys.n)
		qsort(keys.v, keys.n, sizeof *keys.v, by_bytes);
	str_addf(p->out, "%s%s", s->sharp_v ? go_type_name(p->lua, index) : "map", s->sharp_v ? "{" : "[");
	vec_each(key, &keys) {
		if (key != keys.v)
			str_addc(p->out, s->sharp_v ? ", " : " ");
		lua_pushlstring(p->lua, key->p, key->n);
		string_value(p, lua_gettop(p->lua), s);
		str_add1(p->out, ':');
		lua_rawget(p->lua, index);
		nested(p, lua_gettop(p->lua), s);
		lua_pop(p->lua, 1);
	}
	str_addc(p->out, s->sharp_v ? "}" : "]");
	vec_free(&keys);
}

static void table_value(struct printer *p, int index, const struct spec *s)
{
	if (p->depth >= DEPTH_MAX || !lua_checkstack(p->lua, 8)) {
		str_addc(p->out, "...");
		return;
	}
	if (luaL_getmetafield(p->lua, index, "__text") != LUA_TNIL) {   /* Go's Stringer */
		pad(p, s, sv_c(lua_tostring(p->lua, -1)));
		lua_pop(p->lua, 1);
		return;
	}
	p->depth++;
	if (sandbox_is_list(p->lua, index))
		list_value(p, index, s);
	else
		map_value(p, index, s);
	p->depth--;
}

void gofmt_value(struct printer *p, int index, const struct spec *s)
{
	if (s->verb == 'T') {
		pad(p, s, sv_c(go_type_name(p->lua, index)));
		return;
	}
	if (sandbox_is_null(p->lua, index)) {
		if (s->verb == 'v')
			pad(p, s, SV("<nil>"));
		else
			bad_verb(p, index, s);
		return;
	}
	switch (lua_type(p->lua, index)) {
	case LUA_TBOOLEAN:
		if (s->verb == 't' || s->verb == 'v')
			pad(p, s, sv_c(lua_toboolean(p->lua, index) ? "true" : "false"));
		else
			bad_verb(p, index, s);
		break;
	case LUA_TNUMBER:
		if (lua_isinteger(p->lua, index))
			number_value(p, index, s);
		else
			float_value(p, index, s);
		break;
	case LUA_TSTRING: string_value(p, index, s); break;
	case LUA_TTABLE:  table_value(p, index, s); break;
	case LUA_TUSERDATA: number_value(p, index, s); break;
	default:          str_addc(p->out, "func()");
	}
}

void go_print(lua_State *lua, int index, struct str *out)
{
	const struct spec plain = { .verb = 'v' };
	struct printer p = { lua, out, 0 };

	gofmt_value(&p, lua_absindex(lua, index), &plain);
}

void go_print_all(lua_State *lua, int first, int last, bool line, struct str *out)
{
	for (int i = first; i <= last; i++) {
		bool strings = i > first && (lua_type(lua, i) == LUA_TSTRING || lua_type(lua, i - 1) == LUA_TSTRING);

		if (i > first && (line || !strings))
			str_add1(out, ' ');
		go_print(lua, i, out);
	}
	if (line)
		str_add1(out, '\n');
}
