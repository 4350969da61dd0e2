/* render/chart/gotmpl/functions-encoding.c - Sprig's encodings, digests, paths and URLs (strings.go, crypto.go, url.go). */
#include "render/chart/gotmpl/functions.h"

#include "base/encode.h"
#include "render/chart/gotmpl/values.h"
#include "render/chart/lua/sandbox.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <zlib.h>

static struct sv text(lua_State *lua, const char *name)
{
	gotmpl_count(lua, name, 1, 1);
	return gotmpl_check_string(lua, 1, name);
}

/* ---- base 64 and base 32 ---- */

static int f_b64enc(lua_State *lua)
{
	struct str out = { 0 };

	base64_encode(&out, text(lua, "b64enc"));
	return gotmpl_give_str(lua, &out);
}

/* The next byte that is no line break; '\0' at the end. */
static char next_byte(struct sv s, size_t *at)
{
	while (*at < s.n && (s.p[*at] == '\n' || s.p[*at] == '\r'))
		++*at;
	return *at < s.n ? s.p[(*at)++] : '\0';
}

static int base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Go's base64.StdEncoding: padded, with line breaks and nothing else between. Returns where it is wrong, or -1. */
static ptrdiff_t decode_base64(struct sv s, struct str *out)
{
	for (size_t at = 0;;) {
		uint32_t bits = 0;
		char bytes[3], c = '\0';
		int n = 0;

		for (; n < 4; n++) {
			c = next_byte(s, &at);
			if (!c && at >= s.n)
				return n ? (ptrdiff_t)at - n : -1;
			if (base64_digit(c) < 0)
				break;
			bits = bits << 6 | (uint32_t)base64_digit(c);
		}
		if (n < 4 && (c != '=' || n < 2))
			return (ptrdiff_t)at - 1;
		if (n == 2 && next_byte(s, &at) != '=')
			return at >= s.n && s.p[s.n - 1] != '=' ? (ptrdiff_t)s.n : (ptrdiff_t)at - 1;
		bits <<= 6 * (4 - n);
		for (int i = 0; i < 3; i++)
			bytes[i] = (char)(bits >> (16 - 8 * i));
		str_add(out, (struct sv){ bytes, (size_t)n - 1 });
		if (n < 4)
			return next_byte(s, &at) ? (ptrdiff_t)at - 1 : -1;
	}
}

/* Text that is no base64 gives the message of the error, as Sprig's does. */
static int f_b64dec(lua_State *lua)
{
	struct str out = { 0 };
	ptrdiff_t wrong = decode_base64(text(lua, "b64dec"), &out);

	if (wrong >= 0) {
		str_cut(&out, 0);
		str_addf(&out, "illegal base64 data at input byte %td", wrong);
	}
	return gotmpl_give_str(lua, &out);
}

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

static int f_b32enc(lua_State *lua)
{
	struct str out = { 0 };
	struct sv s = text(lua, "b32enc");
	uint64_t bits = 0;
	int n = 0;

	for (size_t i = 0; i < s.n; i++) {
		bits = bits << 8 | (unsigned char)s.p[i];
		for (n += 8; n >= 5; n -= 5)
			str_add1(&out, base32[bits >> (n - 5) & 31]);
	}
	if (n)
		str_add1(&out, base32[bits << (5 - n) & 31]);
	while (out.n % 8)
		str_add1(&out, '=');
	return gotmpl_give_str(lua, &out);
}

static int f_b32dec(lua_State *lua)
{
	struct str out = { 0 };
	struct sv s = text(lua, "b32dec");
	uint64_t bits = 0;
	int n = 0;

	for (size_t i = 0; i < s.n && s.p[i] != '='; i++) {
		const char *at = s.p[i] ? strchr(base32, s.p[i]) : NULL;

		if (!at) {
			str_free(&out);
			return gotmpl_give(lua, SV("illegal base32 data"));
		}
		bits = bits << 5 | (uint64_t)(at - base32);
		if ((n += 5) >= 8) {
			n -= 8;
			str_add1(&out, (char)(bits >> n));
		}
	}
	return gotmpl_give_str(lua, &out);
}

/* ---- digests ---- */

static int digest(lua_State *lua, const char *name, const EVP_MD *kind)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	struct str out = { 0 };
	struct sv s = text(lua, name);
	unsigned n = 0;

	if (!EVP_Digest(s.p, s.n, sum, &n, kind, NULL))
		return luaL_error(lua, "error calling %s: no digest", name);
	hex_encode(&out, (struct sv){ (const char *)sum, n });
	return gotmpl_give_str(lua, &out);
}

static int f_sha1sum(lua_State *lua) { return digest(lua, "sha1sum", EVP_sha1()); }
static int f_sha256sum(lua_State *lua) { return digest(lua, "sha256sum", EVP_sha256()); }
static int f_sha512sum(lua_State *lua) { return digest(lua, "sha512sum", EVP_sha512()); }

static int f_adler32sum(lua_State *lua)
{
	struct sv s = text(lua, "adler32sum");
	struct str out = { 0 };

	str_addf(&out, "%lu", adler32(adler32(0, NULL, 0), (const unsigned char *)s.p, (unsigned)s.n));
	return gotmpl_give_str(lua, &out);
}

/* ---- paths ---- */

/* path.Clean: no empty and no `.` elements, `..` resolved as far as it goes. */
static void clean(struct sv s, struct str *out)
{
	bool rooted = sv_starts(s, SV("/"));
	struct sv part;

	if (rooted)
		str_add1(out, '/');
	while (s.n) {
		sv_cut(s, '/', &part, &s);
		if (!part.n || sv_eq_c(part, "."))
			continue;
		struct sv head, last;
		if (!sv_cut_last(str_sv(out), '/', &head, &last))
			last = str_sv(out);
		if (sv_eq_c(part, "..") && rooted && out->n == 1)
			continue;
		if (sv_eq_c(part, "..") && last.n && !sv_eq_c(last, "..")) {
			str_cut(out, out->n - last.n);
			if (out->n > (size_t)rooted)
				str_cut(out, out->n - 1);
			continue;
		}
		if (out->n && out->p[out->n - 1] != '/')
			str_add1(out, '/');
		str_add(out, part);
	}
	if (!out->n)
		str_add1(out, '.');
}

static int f_clean(lua_State *lua)
{
	struct str out = { 0 };

	clean(text(lua, "clean"), &out);
	return gotmpl_give_str(lua, &out);
}

static int f_base(lua_State *lua)
{
	struct sv s = text(lua, "base"), dir, name;

	if (!s.n)
		return gotmpl_give(lua, SV("."));
	while (s.n && s.p[s.n - 1] == '/')
		s.n--;
	if (!s.n)
		return gotmpl_give(lua, SV("/"));
	return gotmpl_give(lua, sv_cut_last(s, '/', &dir, &name) ? name : s);
}

static int f_dir(lua_State *lua)
{
	struct sv s = text(lua, "dir"), dir, name;
	struct str out = { 0 };

	if (sv_cut_last(s, '/', &dir, &name))
		clean((struct sv){ s.p, dir.n + 1 }, &out);
	else
		str_add1(&out, '.');
	return gotmpl_give_str(lua, &out);
}

static int f_ext(lua_State *lua)
{
	struct sv s = text(lua, "ext"), dir, name, stem, ext;

	if (!sv_cut_last(s, '/', &dir, &name))
		name = s;
	return gotmpl_give(lua, sv_cut_last(name, '.', &stem, &ext) ? (struct sv){ ext.p - 1, ext.n + 1 } : SV(""));
}

static int f_is_abs(lua_State *lua)
{
	lua_pushboolean(lua, sv_starts(text(lua, "isAbs"), SV("/")));
	return 1;
}

/* ---- URLs ---- */

static const char *const url_parts[] = { "scheme", "host", "hostname", "path", "query", "opaque", "fragment", "userinfo" };

static void set_part(lua_State *lua, const char *name, struct sv value)
{
	lua_pushlstring(lua, value.p, value.n);
	lua_setfield(lua, -2, name);
}

static bool is_scheme(struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isalpha((unsigned char)s.p[i]) && !(i && (isdigit((unsigned char)s.p[i]) || strchr("+-.", s.p[i]))))
			return false;
	return s.n > 0;
}

/* A host without its port; an IPv6 address without its brackets. */
static struct sv hostname(struct sv host)
{
	struct sv head, port;

	if (sv_starts(host, SV("[")) && sv_cut(sv_drop(host, 1), ']', &head, &port))
		return head;
	return sv_cut(host, ':', &head, &port) ? head : host;
}

static int f_url_parse(lua_State *lua)
{
	struct sv s = text(lua, "urlParse"), head, rest, authority, user;

	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return luaL_error(lua, "error calling urlParse: unable to parse url: \"%s\"", s.p);
	sandbox_new_map(lua);
	for (size_t i = 0; i < sizeof url_parts / sizeof *url_parts; i++)
		set_part(lua, url_parts[i], SV(""));
	if (sv_cut(s, '#', &head, &rest))
		set_part(lua, "fragment", rest);
	s = head;
	if (sv_cut(s, ':', &head, &rest) && is_scheme(head)) {
		struct str lower = { 0 };

		for (size_t i = 0; i < head.n; i++)
			str_add1(&lower, (char)tolower((unsigned char)head.p[i]));
		gotmpl_push_str(lua, &lower);
		lua_setfield(lua, -2, "scheme");
		s = rest;
		if (s.n && *s.p != '/') {
			set_part(lua, "opaque", s);
			return 1;
		}
	} else if (sv_starts(s, SV(":"))) {
		return luaL_error(lua, "error calling urlParse: unable to parse url: missing protocol scheme");
	}
	if (sv_cut(s, '?', &head, &rest))
		set_part(lua, "query", rest);
	s = head;
	if (sv_starts(s, SV("//"))) {
		s = sv_drop(s, 2);
		size_t n = 0;
		while (n < s.n && s.p[n] != '/')
			n++;
		authority = (struct sv){ s.p, n };
		s = sv_drop(s, n);
		if (sv_cut_last(authority, '@', &user, &rest)) {
			set_part(lua, "userinfo", user);
			authority = rest;
		}
		set_part(lua, "host", authority);
		set_part(lua, "hostname", hostname(authority));
	}
	set_part(lua, "path", s);
	return 1;
}

static void add_part(lua_State *lua, const char *name, const char *before, const char *after, struct str *out)
{
	struct sv s;

	lua_getfield(lua, 1, name);
	s.p = lua_tolstring(lua, -1, &s.n);
	if (s.p && s.n) {
		str_addc(out, before);
		str_add(out, s);
		str_addc(out, after);
	}
	lua_pop(lua, 1);
}

/* The path, escaped as net/url does, and separated from the host. */
static void add_path(lua_State *lua, bool host, struct str *out)
{
	struct sv s;

	lua_getfield(lua, 1, "path");
	s.p = lua_tolstring(lua, -1, &s.n);
	if (host && s.n && *s.p != '/')
		str_add1(out, '/');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (isalnum(c) || (c && strchr("-_.~$&+,/:;=@", c)) || (s.n == 1 && c == '*'))
			str_add1(out, (char)c);
		else
			str_addf(out, "%%%02X", c);
	}
	lua_pop(lua, 1);
}

static int f_url_join(lua_State *lua)
{
	struct str out = { 0 };

	gotmpl_count(lua, "urlJoin", 1, 1);
	value_check_map(lua, 1, "urlJoin");
	add_part(lua, "scheme", "", ":", &out);
	lua_getfield(lua, 1, "opaque");
	bool opaque = lua_rawlen(lua, -1) > 0;
	lua_pop(lua, 1);
	lua_getfield(lua, 1, "host");
	bool host = lua_rawlen(lua, -1) > 0;
	if (!opaque && host)
		str_addc(&out, "//");
	lua_pop(lua, 1);
	if (opaque) {
		add_part(lua, "opaque", "", "", &out);
	} else {
		add_part(lua, "userinfo", "", "@", &out);
		add_part(lua, "host", "", "", &out);
		add_path(lua, host, &out);
	}
	add_part(lua, "query", "?", "", &out);
	add_part(lua, "fragment", "#", "", &out);
	return gotmpl_give_str(lua, &out);
}

/* Rendering is pure: no name is looked up, as `helm template` does without --enable-dns. */
static int f_no_host(lua_State *lua)
{
	(void)text(lua, "getHostByName");
	return gotmpl_give(lua, SV(""));
}

const luaL_Reg gotmpl_encoding[] = {
	{ "b64enc", f_b64enc }, { "b64dec", f_b64dec }, { "b32enc", f_b32enc }, { "b32dec", f_b32dec },
	{ "sha1sum", f_sha1sum }, { "sha256sum", f_sha256sum }, { "sha512sum", f_sha512sum }, { "adler32sum", f_adler32sum },
	{ "base", f_base }, { "dir", f_dir }, { "clean", f_clean }, { "ext", f_ext }, { "isAbs", f_is_abs },
	{ "osBase", f_base }, { "osDir", f_dir }, { "osClean", f_clean }, { "osExt", f_ext }, { "osIsAbs", f_is_abs },
	{ "urlParse", f_url_parse }, { "urlJoin", f_url_join }, { "getHostByName", f_no_host },
	{ NULL, NULL }
};
