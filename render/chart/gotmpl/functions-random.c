/* render/chart/gotmpl/functions-random.c - Sprig's random functions, of the engine's stream (random.h). */
#include "render/chart/gotmpl/functions.h"

#include "base/encode.h"
#include "render/chart/gotmpl/random.h"
#include "render/chart/gotmpl/values.h"

#include <crypt.h>

#define COUNT_MAX (1 << 20)

/* How many bytes or characters are wanted. Sprig gives "" for a count below 0. */
static size_t wanted(lua_State *lua, const char *name)
{
	gotmpl_count(lua, name, 1, 1);
	int64_t n = value_to_i64(lua, 1);

	if (n > COUNT_MAX)
		luaL_error(lua, "error calling %s: %I is more than %d", name, (lua_Integer)n, COUNT_MAX);
	return n > 0 ? (size_t)n : 0;
}

static int chosen(lua_State *lua, const char *name, struct sv alphabet)
{
	struct random_stream *random = gotmpl_random(gotmpl_of(lua));
	size_t n = wanted(lua, name);
	luaL_Buffer out;
	char *at = luaL_buffinitsize(lua, &out, n);

	for (size_t i = 0; i < n; i++)
		at[i] = alphabet.p[random_stream_below(random, alphabet.n)];
	luaL_pushresultsize(&out, n);
	return 1;
}

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static int f_rand_alpha_num(lua_State *lua) { return chosen(lua, "randAlphaNum", SV(LETTERS DIGITS)); }
static int f_rand_alpha(lua_State *lua) { return chosen(lua, "randAlpha", SV(LETTERS)); }
static int f_rand_numeric(lua_State *lua) { return chosen(lua, "randNumeric", SV(DIGITS)); }
static int f_rand_ascii(lua_State *lua)
{
	return chosen(lua, "randAscii", SV(LETTERS DIGITS " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"));
}

/* Base 64 of so many bytes. */
static int f_rand_bytes(lua_State *lua)
{
	size_t n = wanted(lua, "randBytes");
	char *bytes = lua_newuserdatauv(lua, n + 1, 0);
	struct str out = { 0 };

	random_stream_read(gotmpl_random(gotmpl_of(lua)), bytes, n);
	base64_encode(&out, (struct sv){ bytes, n });
	gotmpl_push_str(lua, &out);
	return 1;
}

static int f_rand_int(lua_State *lua)
{
	gotmpl_count(lua, "randInt", 2, 2);
	int64_t least = value_to_i64(lua, 1), limit = value_to_i64(lua, 2);

	if (least >= limit)
		return luaL_error(lua, "error calling randInt: %I is not below %I", (lua_Integer)least, (lua_Integer)limit);
	uint64_t n = random_stream_below(gotmpl_random(gotmpl_of(lua)), (uint64_t)limit - (uint64_t)least);
	lua_pushinteger(lua, (lua_Integer)((uint64_t)least + n));
	return 1;
}

/* The characters of a text in another order. */
static int f_shuffle(lua_State *lua)
{
	gotmpl_count(lua, "shuffle", 1, 1);
	struct random_stream *random = gotmpl_random(gotmpl_of(lua));
	struct sv s = gotmpl_check_string(lua, 1, "shuffle");
	struct sv *chars = lua_newuserdatauv(lua, (s.n + 1) * sizeof *chars, 0);
	struct str out = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (!n || ((unsigned char)s.p[i] & 0xc0) != 0x80)
			chars[n++] = (struct sv){ s.p + i, 0 };
		chars[n - 1].n++;
	}
	for (; n; n--) {
		size_t at = random_stream_below(random, n);

		str_add(&out, chars[at]);
		chars[at] = chars[n - 1];
	}
	gotmpl_push_str(lua, &out);
	return 1;
}

/* RFC 9562: 122 random bits, version 4. */
static int f_uuid(lua_State *lua)
{
	unsigned char bytes[16];
	struct str out = { 0 };

	gotmpl_count(lua, "uuidv4", 0, 0);
	random_stream_read(gotmpl_random(gotmpl_of(lua)), bytes, sizeof bytes);
	bytes[6] = (bytes[6] & 0x0f) | 0x40;
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	for (size_t i = 0; i < sizeof bytes; i++)
		str_addf(&out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", bytes[i]);
	gotmpl_push_str(lua, &out);
	return 1;
}

/* ---- bcrypt ---- */

/* Pushes the bcrypt of a password with cost 10, as Go's DefaultCost. A salt is 16 bytes: 21 characters of 6 bits, one of 2. */
static void push_bcrypt(lua_State *lua, struct sv password)
{
	static const char alphabet[] = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	struct random_stream *random = gotmpl_random(gotmpl_of(lua));
	char setting[] = "$2a$10$......................";
	struct crypt_data *data;

	gotmpl_spend(lua);
	for (size_t i = 7; i < sizeof setting - 2; i++)
		setting[i] = alphabet[random_stream_below(random, 64)];
	setting[sizeof setting - 2] = alphabet[random_stream_below(random, 4) * 16];
	data = lua_newuserdatauv(lua, sizeof *data, 0);
	memset(data, 0, sizeof *data);
	const char *hash = crypt_r(password.p, setting, data);
	if (!hash || *hash != '$')
		luaL_error(lua, "this system's crypt() knows no bcrypt");
	lua_pushstring(lua, hash);
}

static struct sv password_at(lua_State *lua, int index, const char *name)
{
	struct sv s = gotmpl_check_string(lua, index, name);

	if (s.n > 72)                           /* what bcrypt can take in; Go refuses more */
		luaL_error(lua, "failed to encrypt string with bcrypt: password length exceeds 72 bytes");
	return s;
}

static int f_bcrypt(lua_State *lua)
{
	gotmpl_count(lua, "bcrypt", 1, 1);
	push_bcrypt(lua, password_at(lua, 1, "bcrypt"));
	return 1;
}

static int f_htpasswd(lua_State *lua)
{
	gotmpl_count(lua, "htpasswd", 2, 2);
	struct sv user = gotmpl_check_string(lua, 1, "htpasswd");

	if (memchr(user.p, ':', user.n)) {
		lua_pushfstring(lua, "invalid username: %s", user.p);
		return 1;
	}
	lua_pushfstring(lua, "%s:", user.p);
	push_bcrypt(lua, password_at(lua, 2, "htpasswd"));
	lua_remove(lua, -2);                    /* the working memory of crypt_r() */
	lua_concat(lua, 2);
	return 1;
}

const luaL_Reg gotmpl_randoms[] = {
	{ "randAlphaNum", f_rand_alpha_num }, { "randAlpha", f_rand_alpha }, { "randNumeric", f_rand_numeric },
	{ "randAscii", f_rand_ascii }, { "randBytes", f_rand_bytes }, { "randInt", f_rand_int }, { "shuffle", f_shuffle },
	{ "uuidv4", f_uuid }, { "bcrypt", f_bcrypt }, { "htpasswd", f_htpasswd },
	{ NULL, NULL }
};
