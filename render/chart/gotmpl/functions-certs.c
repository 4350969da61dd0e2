/* render/chart/gotmpl/functions-certs.c - Sprig's keys and certificates, of the engine's stream: the same at each rendering.
 *
 * RSA keys have 2048 bits. As a certificate that depends on nothing but its input cannot be renewed by time, each is valid
 * from 2000 to 9999-12-31, which RFC 5280 4.1.2.5 has for "no end"; the days that templates ask for are not used. */
#include "render/chart/gotmpl/functions.h"

#include "base/encode.h"
#include "render/chart/gotmpl/random.h"
#include "render/chart/gotmpl/values.h"
#include "render/chart/lua/sandbox.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static void free_key(EVP_PKEY **k) { EVP_PKEY_free(*k); }
static void free_cert(X509 **c) { X509_free(*c); }
static void free_bio(BIO **b) { BIO_free(*b); }
#define AUTO_KEY __attribute__((cleanup(free_key))) EVP_PKEY *
#define AUTO_CERT __attribute__((cleanup(free_cert))) X509 *
#define AUTO_BIO __attribute__((cleanup(free_bio))) BIO *

/* ---- keys ---- */

#define EXPONENT 65537

/* The first prime p from a random number of 1024 bits on, with p - 1 no multiple of the exponent. */
static bool find_prime(struct random_stream *random, BN_CTX *ctx, BIGNUM *p)
{
	unsigned char bytes[128];

	random_stream_read(random, bytes, sizeof bytes);
	bytes[0] |= 0xc0;                       /* so that the product of two has 2048 bits */
	bytes[sizeof bytes - 1] |= 1;
	if (!BN_bin2bn(bytes, sizeof bytes, p))
		return false;
	for (;;) {
		int prime = BN_check_prime(p, ctx, NULL);

		if (prime < 0)
			return false;
		if (prime && BN_mod_word(p, EXPONENT) != 1)
			return true;
		if (!BN_add_word(p, 2))
			return false;
	}
}

static EVP_PKEY *key_of(const char *type, OSSL_PARAM_BLD *bld)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM *params = bld ? OSSL_PARAM_BLD_to_param(bld) : NULL;
	EVP_PKEY *key = NULL;

	if (!ctx || !params || EVP_PKEY_fromdata_init(ctx) <= 0 || EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) <= 0)
		key = NULL;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

enum { RSA_N, RSA_E, RSA_D, RSA_P, RSA_Q, RSA_DP, RSA_DQ, RSA_QINV, RSA_P1, RSA_Q1, RSA_PHI, RSA_NUMBERS };

static bool rsa_numbers(struct random_stream *random, BN_CTX *ctx, BIGNUM *n[])
{
	for (int i = 0; i < RSA_NUMBERS; i++)
		if (!(n[i] = BN_CTX_get(ctx)))
			return false;
	return find_prime(random, ctx, n[RSA_P]) && find_prime(random, ctx, n[RSA_Q]) && BN_cmp(n[RSA_P], n[RSA_Q]) &&
	       BN_set_word(n[RSA_E], EXPONENT) && BN_mul(n[RSA_N], n[RSA_P], n[RSA_Q], ctx) &&
	       BN_sub(n[RSA_P1], n[RSA_P], BN_value_one()) && BN_sub(n[RSA_Q1], n[RSA_Q], BN_value_one()) &&
	       BN_mul(n[RSA_PHI], n[RSA_P1], n[RSA_Q1], ctx) && BN_mod_inverse(n[RSA_D], n[RSA_E], n[RSA_PHI], ctx) &&
	       BN_mod(n[RSA_DP], n[RSA_D], n[RSA_P1], ctx) && BN_mod(n[RSA_DQ], n[RSA_D], n[RSA_Q1], ctx) &&
	       BN_mod_inverse(n[RSA_QINV], n[RSA_Q], n[RSA_P], ctx);
}

static EVP_PKEY *rsa_key(struct random_stream *random)
{
	static const char *const names[] = {
		[RSA_N] = OSSL_PKEY_PARAM_RSA_N, [RSA_E] = OSSL_PKEY_PARAM_RSA_E, [RSA_D] = OSSL_PKEY_PARAM_RSA_D,
		[RSA_P] = OSSL_PKEY_PARAM_RSA_FACTOR1, [RSA_Q] = OSSL_PKEY_PARAM_RSA_FACTOR2,
		[RSA_DP] = OSSL_PKEY_PARAM_RSA_EXPONENT1, [RSA_DQ] = OSSL_PKEY_PARAM_RSA_EXPONENT2,
		[RSA_QINV] = OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
	};
	BIGNUM *numbers[RSA_NUMBERS];
	BN_CTX *ctx = BN_CTX_new();
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	bool ok = ctx && bld;

	if (ok) {
		BN_CTX_start(ctx);
		ok = rsa_numbers(random, ctx, numbers);
		for (size_t i = 0; ok && i < sizeof names / sizeof *names; i++)
			ok = OSSL_PARAM_BLD_push_BN(bld, names[i], numbers[i]);
	}
	EVP_PKEY *key = ok ? key_of("RSA", bld) : NULL;
	if (ctx)
		BN_CTX_end(ctx);
	OSSL_PARAM_BLD_free(bld);
	BN_CTX_free(ctx);
	return key;
}

static EVP_PKEY *ecdsa_key(struct random_stream *random)
{
	unsigned char bytes[32], point[65];
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	EC_POINT *public = group ? EC_POINT_new(group) : NULL;
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;

	random_stream_read(random, bytes, sizeof bytes);
	bytes[0] &= 0x7f;                       /* below the order of the group */
	BIGNUM *n = BN_bin2bn(bytes, sizeof bytes, NULL);
	if (n && public && bld && EC_POINT_mul(group, public, n, NULL, NULL, NULL) &&
	    EC_POINT_point2oct(group, public, POINT_CONVERSION_UNCOMPRESSED, point, sizeof point, NULL) == sizeof point &&
	    OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) &&
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point) &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, n))
		key = key_of("EC", bld);
	OSSL_PARAM_BLD_free(bld);
	BN_free(n);
	EC_POINT_free(public);
	EC_GROUP_free(group);
	return key;
}

static EVP_PKEY *ed25519_key(struct random_stream *random)
{
	unsigned char bytes[32];

	random_stream_read(random, bytes, sizeof bytes);
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, bytes, sizeof bytes);
}

/* ---- PEM ---- */

static void read_out(BIO *from, struct str *out)
{
	char *p;
	long n = BIO_get_mem_data(from, &p);

	str_add(out, (struct sv){ p, n > 0 ? (size_t)n : 0 });
}

/* As Go writes them: RSA and EC keys in the form of their own, others as PKCS #8. */
static bool write_key(EVP_PKEY *key, struct str *out)
{
	AUTO_BIO bio = BIO_new(BIO_s_mem());
	bool own = EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "EC");

	if (!bio || !(own ? PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL)
			  : PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)))
		return false;
	read_out(bio, out);
	return true;
}

static bool write_cert(X509 *cert, struct str *out)
{
	AUTO_BIO bio = BIO_new(BIO_s_mem());

	if (!bio || !PEM_write_bio_X509(bio, cert))
		return false;
	read_out(bio, out);
	return true;
}

/* For encrypted keys: nobody is there to be asked. */
static int no_password(char *buf, int size, int writing, void *arg)
{
	(void)buf; (void)size; (void)writing; (void)arg;
	return -1;
}

static EVP_PKEY *read_key(struct sv pem)
{
	AUTO_BIO bio = BIO_new_mem_buf(pem.p, (int)pem.n);

	return bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
}

static X509 *read_cert(struct sv pem)
{
	AUTO_BIO bio = BIO_new_mem_buf(pem.p, (int)pem.n);

	return bio ? PEM_read_bio_X509(bio, NULL, no_password, NULL) : NULL;
}

/* ---- certificates ---- */

struct cert_wish {
	struct random_stream *random;
	struct sv name, key, ca_cert, ca_key;   /* PEM; key empty: a new one; ca empty: signed by itself */
	GENERAL_NAMES *others;                  /* or NULL */
	bool is_ca;
};

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	bool ok = e && X509_add_ext(cert, e, -1) == 1;
	X509_EXTENSION_free(e);
	return ok;
}

static bool add_extensions(X509 *cert, X509 *issuer, const struct cert_wish *w)
{
	return add_extension(cert, issuer, NID_key_usage, w->is_ca ? "critical,digitalSignature,keyEncipherment,keyCertSign"
								   : "critical,digitalSignature,keyEncipherment") &&
	       add_extension(cert, issuer, NID_ext_key_usage, "serverAuth,clientAuth") &&
	       add_extension(cert, issuer, NID_basic_constraints, w->is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
	       add_extension(cert, issuer, NID_subject_key_identifier, "hash") &&
	       (issuer == cert || add_extension(cert, issuer, NID_authority_key_identifier, "keyid")) &&
	       (!w->others || X509_add1_ext_i2d(cert, NID_subject_alt_name, w->others, 0, 0) == 1);
}

static bool fill(X509 *cert, X509 *issuer, EVP_PKEY *key, const struct cert_wish *w)
{
	unsigned char serial[16];

	random_stream_read(w->random, serial, sizeof serial);
	serial[0] = (serial[0] & 0x7f) | 0x40;
	BIGNUM *n = BN_bin2bn(serial, sizeof serial, NULL);
	bool ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert));
	BN_free(n);
	return ok && X509_set_version(cert, X509_VERSION_3) && X509_set_pubkey(cert, key) &&
	       ASN1_TIME_set_string_X509(X509_getm_notBefore(cert), "20000101000000Z") &&
	       ASN1_TIME_set_string_X509(X509_getm_notAfter(cert), "99991231235959Z") &&
	       X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8, (const unsigned char *)w->name.p,
					  (int)w->name.n, -1, 0) == 1 &&
	       X509_set_issuer_name(cert, X509_get_subject_name(issuer)) && add_extensions(cert, issuer, w);
}

/* NULL, or what is wrong. */
static const char *make_cert(const struct cert_wish *w, struct str *cert_pem, struct str *key_pem)
{
	AUTO_KEY key = w->key.n ? read_key(w->key) : rsa_key(w->random);
	AUTO_CERT cert = X509_new();
	AUTO_CERT ca_cert = w->ca_cert.n ? read_cert(w->ca_cert) : NULL;
	AUTO_KEY ca_key = w->ca_key.n ? read_key(w->ca_key) : NULL;
	EVP_PKEY *signer = w->ca_key.n ? ca_key : key;

	if (!key)
		return "the private key is no key in PEM";
	if (w->ca_cert.n && (!ca_cert || !ca_key))
		return "the CA's certificate or key is not in PEM";
	if (EVP_PKEY_is_a(signer, "EC") || EVP_PKEY_is_a(signer, "DSA"))
		return "only RSA and Ed25519 keys sign here: others make another signature each time";
	if (!cert || !fill(cert, ca_cert ? ca_cert : cert, key, w) ||
	    !X509_sign(cert, signer, EVP_PKEY_is_a(signer, "ED25519") ? NULL : EVP_sha256()) ||
	    !write_cert(cert, cert_pem) || !write_key(key, key_pem))
		return "the certificate cannot be made of these names";
	return NULL;
}

/* ---- functions ---- */

static void push_pair(lua_State *lua, struct str *cert, struct str *key)
{
	sandbox_new_map(lua);
	gotmpl_push_str(lua, cert);
	lua_setfield(lua, -2, "Cert");
	gotmpl_push_str(lua, key);
	lua_setfield(lua, -2, "Key");
}

static int give_cert(lua_State *lua, const char *function, struct cert_wish *w)
{
	struct str cert = { 0 }, key = { 0 };

	const char *problem = make_cert(w, &cert, &key);
	GENERAL_NAMES_free(w->others);
	push_pair(lua, &cert, &key);
	return problem ? luaL_error(lua, "error calling %s: %s", function, problem) : 1;
}

static bool add_name(GENERAL_NAMES *names, int type, const char *text)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_STRING *value = type == GEN_IPADD ? a2i_IPADDRESS(text) : ASN1_IA5STRING_new();

	if (!name || !value || (type == GEN_DNS && !ASN1_STRING_set(value, text, -1))) {
		GENERAL_NAME_free(name);
		ASN1_STRING_free(value);
		return false;
	}
	GENERAL_NAME_set0_value(name, type, value);
	return sk_GENERAL_NAME_push(names, name) > 0;
}

/* The texts of a list at index, or nothing for nil, as alternative names. */
static bool add_names(lua_State *lua, int index, int type, GENERAL_NAMES *names)
{
	lua_Integer n = lua_istable(lua, index) ? (lua_Integer)lua_rawlen(lua, index) : 0;
	bool ok = true;

	for (lua_Integer i = 1; ok && i <= n; i++) {
		ok = lua_rawgeti(lua, index, i) == LUA_TSTRING && add_name(names, type, lua_tostring(lua, -1));
		lua_pop(lua, 1);
	}
	return ok;
}

static void read_names(lua_State *lua, const char *function, struct cert_wish *w)
{
	w->others = sk_GENERAL_NAME_new_null();
	bool ok = add_names(lua, 2, GEN_IPADD, w->others) && add_names(lua, 3, GEN_DNS, w->others);

	if (!ok || !sk_GENERAL_NAME_num(w->others)) {
		GENERAL_NAMES_free(w->others);
		w->others = NULL;
	}
	if (!ok)
		luaL_error(lua, "error calling %s: want a list of IP addresses and a list of names", function);
}

static struct cert_wish start(lua_State *lua, const char *function, int n_args)
{
	gotmpl_count(lua, function, n_args, n_args);
	gotmpl_spend(lua);
	return (struct cert_wish){ .random = gotmpl_random(gotmpl_of(lua)), .name = gotmpl_check_string(lua, 1, function) };
}

static int ca(lua_State *lua, const char *function, bool with_key)
{
	struct cert_wish w = start(lua, function, with_key ? 3 : 2);

	w.is_ca = true;
	if (with_key)
		w.key = gotmpl_check_string(lua, 3, function);
	return give_cert(lua, function, &w);
}

static int self_signed(lua_State *lua, const char *function, bool with_key)
{
	struct cert_wish w = start(lua, function, with_key ? 5 : 4);

	if (with_key)
		w.key = gotmpl_check_string(lua, 5, function);
	read_names(lua, function, &w);
	return give_cert(lua, function, &w);
}

static int ca_signed(lua_State *lua, const char *function, bool with_key)
{
	struct cert_wish w = start(lua, function, with_key ? 6 : 5);

	value_check_map(lua, 5, function);
	lua_getfield(lua, 5, "Cert");
	w.ca_cert = gotmpl_check_string(lua, lua_gettop(lua), function);
	lua_getfield(lua, 5, "Key");
	w.ca_key = gotmpl_check_string(lua, lua_gettop(lua), function);
	if (with_key)
		w.key = gotmpl_check_string(lua, 6, function);
	read_names(lua, function, &w);
	return give_cert(lua, function, &w);
}

static int f_ca(lua_State *lua) { return ca(lua, "genCA", false); }
static int f_ca_with_key(lua_State *lua) { return ca(lua, "genCAWithKey", true); }
static int f_self_signed(lua_State *lua) { return self_signed(lua, "genSelfSignedCert", false); }
static int f_self_signed_with_key(lua_State *lua) { return self_signed(lua, "genSelfSignedCertWithKey", true); }
static int f_signed(lua_State *lua) { return ca_signed(lua, "genSignedCert", false); }
static int f_signed_with_key(lua_State *lua) { return ca_signed(lua, "genSignedCertWithKey", true); }

/* buildCustomCert certificate key: both base 64 of PEM. */
static int f_build_custom(lua_State *lua)
{
	struct str cert = { 0 }, key = { 0 };
	struct err err = { 0 };

	gotmpl_count(lua, "buildCustomCert", 2, 2);
	struct sv c = gotmpl_check_string(lua, 1, "buildCustomCert"), k = gotmpl_check_string(lua, 2, "buildCustomCert");
	bool ok = base64_decode(&cert, c, &err) >= 0 && base64_decode(&key, k, &err) >= 0;

	if (ok) {
		AUTO_CERT x = read_cert(str_sv(&cert));
		AUTO_KEY y = read_key(str_sv(&key));

		ok = x && y;
	}
	err_free(&err);
	push_pair(lua, &cert, &key);
	return ok ? 1 : luaL_error(lua, "error calling buildCustomCert: want base 64 of a certificate and of a key in PEM");
}

static const struct { const char *type; EVP_PKEY *(*make)(struct random_stream *); } key_types[] = {
	{ "", rsa_key }, { "rsa", rsa_key }, { "ecdsa", ecdsa_key }, { "ed25519", ed25519_key },
};

static int f_private_key(lua_State *lua)
{
	struct str out = { 0 };

	gotmpl_count(lua, "genPrivateKey", 1, 1);
	struct sv type = gotmpl_check_string(lua, 1, "genPrivateKey");

	gotmpl_spend(lua);
	for (size_t i = 0; i < sizeof key_types / sizeof *key_types; i++) {
		if (!sv_eq_c(type, key_types[i].type))
			continue;
		AUTO_KEY key = key_types[i].make(gotmpl_random(gotmpl_of(lua)));

		if (key && !write_key(key, &out))
			str_free(&out);
	}
	if (!out.n)
		str_addf(&out, "Unknown type " SV_FMT, SV_ARG(type));
	gotmpl_push_str(lua, &out);
	return 1;
}

const luaL_Reg gotmpl_certs[] = {
	{ "genPrivateKey", f_private_key }, { "genCA", f_ca }, { "genCAWithKey", f_ca_with_key },
	{ "genSelfSignedCert", f_self_signed }, { "genSelfSignedCertWithKey", f_self_signed_with_key },
	{ "genSignedCert", f_signed }, { "genSignedCertWithKey", f_signed_with_key }, { "buildCustomCert", f_build_custom },
	{ NULL, NULL }
};
