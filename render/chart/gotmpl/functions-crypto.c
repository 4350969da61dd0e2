/* render/chart/gotmpl/functions-crypto.c - Sprig's derived passwords and AES (crypto.go there). */
#include "render/chart/gotmpl/functions.h"

#include "base/encode.h"
#include "render/chart/gotmpl/random.h"
#include "render/chart/gotmpl/values.h"

#include <openssl/evp.h>

/* ---- derivePassword: the Master Password algorithm, version 0 (https://spectre.app/spectre-algorithm.pdf) ---- */

#define SALT "com.lyndir.masterpassword"

static const struct { const char *type; const char *const forms[24]; } password_types[] = {
	{ "maximum", { "anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno" } },
	{ "long", { "CvcvnoCvcvCvcv", "CvcvCvcvnoCvcv", "CvcvCvcvCvcvno", "CvccnoCvcvCvcv", "CvccCvcvnoCvcv", "CvccCvcvCvcvno",
		    "CvcvnoCvccCvcv", "CvcvCvccnoCvcv", "CvcvCvccCvcvno", "CvcvnoCvcvCvcc", "CvcvCvcvnoCvcc", "CvcvCvcvCvccno",
		    "CvccnoCvccCvcv", "CvccCvccnoCvcv", "CvccCvccCvcvno", "CvcvnoCvccCvcc", "CvcvCvccnoCvcc", "CvcvCvccCvccno",
		    "CvccnoCvcvCvcc", "CvccCvcvnoCvcc", "CvccCvcvCvccno" } },
	{ "medium", { "CvcnoCvc", "CvcCvcno" } },
	{ "short", { "Cvcn" } },
	{ "basic", { "aaanaaan", "aannaaan", "aaannaaa" } },
	{ "pin", { "nnnn" } },
};

static const char *letters_of(char class)
{
	switch (class) {
	case 'C': return "BCDFGHJKLMNPQRSTVWXYZ";
	case 'v': return "aeiou";
	case 'c': return "bcdfghjklmnpqrstvwxyz";
	case 'a': return "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
	case 'n': return "0123456789";
	case 'o': return "@&%?,=[]_:-+*$#!'^~;()/.";
	default:  return "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()";
	}
}

static const char *const *find_forms(const char *type)
{
	for (size_t i = 0; i < sizeof password_types / sizeof *password_types; i++)
		if (str_eq(password_types[i].type, type))
			return password_types[i].forms;
	return NULL;
}

static void add_u32(struct str *out, uint32_t n)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		str_add1(out, (char)(n >> shift));
}

/* SALT, then the length of a name and the name. */
static void add_salt(struct str *out, struct sv name)
{
	str_addc(out, SALT);
	add_u32(out, (uint32_t)name.n);
	str_add(out, name);
}

static bool site_seed(unsigned char seed[32], struct sv password, struct sv user, struct sv site, uint32_t counter)
{
	AUTO(str) salt = { 0 };
	AUTO(str) message = { 0 };
	unsigned char key[64];

	add_salt(&salt, user);
	add_salt(&message, site);
	add_u32(&message, counter);
	if (!EVP_PBE_scrypt(password.p, password.n, (const unsigned char *)str_c(&salt), salt.n, 32768, 8, 2, 64 << 20, key, sizeof key))
		return false;
	hmac_sha256(seed, (struct sv){ (const char *)key, sizeof key }, str_sv(&message));
	return true;
}

/* derivePassword counter type password user site */
static int f_derive_password(lua_State *lua)
{
	unsigned char seed[32];
	char out[sizeof seed];
	size_t n = 0;

	gotmpl_count(lua, "derivePassword", 5, 5);
	struct sv type = gotmpl_check_string(lua, 2, "derivePassword");
	struct sv password = gotmpl_check_string(lua, 3, "derivePassword");
	struct sv user = gotmpl_check_string(lua, 4, "derivePassword");
	struct sv site = gotmpl_check_string(lua, 5, "derivePassword");
	const char *const *forms = find_forms(type.p);

	if (!forms) {
		lua_pushfstring(lua, "cannot find password template %s", type.p);
		return 1;
	}
	gotmpl_spend(lua);
	if (!site_seed(seed, password, user, site, (uint32_t)value_to_i64(lua, 1)))
		return luaL_error(lua, "error calling derivePassword: no memory for scrypt");
	while (forms[n])
		n++;
	const char *form = forms[seed[0] % n];
	for (n = 0; form[n]; n++) {
		struct sv letters = sv_c(letters_of(form[n]));

		out[n] = letters.p[seed[n + 1] % letters.n];
	}
	lua_pushlstring(lua, out, n);
	return 1;
}

/* ---- AES: CBC with a key of 32 bytes, which is the password, cut or with zeros after it; the IV comes first ---- */

static bool run_cipher(EVP_CIPHER_CTX *ctx, bool encrypt, struct sv password, const char *iv, struct sv in, struct str *out)
{
	unsigned char key[32] = { 0 };
	int n = 0, last = 0;
	unsigned char *to = (unsigned char *)str_room(out, in.n + 32);

	memcpy(key, password.p, password.n < sizeof key ? password.n : sizeof key);
	if (!ctx || !EVP_CipherInit_ex(ctx, EVP_aes_256_cbc(), NULL, key, (const unsigned char *)iv, encrypt) ||
	    !EVP_CipherUpdate(ctx, to, &n, (const unsigned char *)in.p, (int)in.n) || !EVP_CipherFinal_ex(ctx, to + n, &last))
		return false;
	out->n += (size_t)(n + last);
	return true;
}

static bool cipher(bool encrypt, struct sv password, const char *iv, struct sv in, struct str *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool ok = run_cipher(ctx, encrypt, password, iv, in, out);

	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

static int f_encrypt_aes(lua_State *lua)
{
	struct str out = { 0 }, text = { 0 };
	char iv[16];

	gotmpl_count(lua, "encryptAES", 2, 2);
	struct sv password = gotmpl_check_string(lua, 1, "encryptAES"), plain = gotmpl_check_string(lua, 2, "encryptAES");

	random_stream_read(gotmpl_random(gotmpl_of(lua)), iv, sizeof iv);
	str_add(&out, (struct sv){ iv, sizeof iv });
	bool ok = cipher(true, password, iv, plain, &out);
	base64_encode(&text, str_sv(&out));
	str_free(&out);
	gotmpl_push_str(lua, &text);
	return ok ? 1 : luaL_error(lua, "error calling encryptAES: cannot encrypt");
}

static int f_decrypt_aes(lua_State *lua)
{
	struct str bytes = { 0 }, out = { 0 };
	struct err err = { 0 };

	gotmpl_count(lua, "decryptAES", 2, 2);
	struct sv password = gotmpl_check_string(lua, 1, "decryptAES"), text = gotmpl_check_string(lua, 2, "decryptAES");
	bool ok = base64_decode(&bytes, text, &err) >= 0 && bytes.n >= 16 &&
		  cipher(false, password, bytes.p, sv_drop(str_sv(&bytes), 16), &out);
	str_free(&bytes);
	err_free(&err);
	gotmpl_push_str(lua, &out);
	return ok ? 1 : luaL_error(lua, "error calling decryptAES: no text that was encrypted with this password");
}

const luaL_Reg gotmpl_crypto[] = {
	{ "derivePassword", f_derive_password }, { "encryptAES", f_encrypt_aes }, { "decryptAES", f_decrypt_aes },
	{ NULL, NULL }
};
