#include "base/jwt-internal.h"

#include "base/encode.h"
#include "base/json.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <stdlib.h>

enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 16384, COORDINATE_MAX = 66 };  /* RFC 7518, section 3.3 */

const struct jwt_alg jwt_algs[] = {
	{ "RS256", EVP_PKEY_RSA, NULL, NULL, EVP_sha256, false, 0 },
	{ "RS384", EVP_PKEY_RSA, NULL, NULL, EVP_sha384, false, 0 },
	{ "RS512", EVP_PKEY_RSA, NULL, NULL, EVP_sha512, false, 0 },
	{ "PS256", EVP_PKEY_RSA, NULL, NULL, EVP_sha256, true, 0 },
	{ "PS384", EVP_PKEY_RSA, NULL, NULL, EVP_sha384, true, 0 },
	{ "PS512", EVP_PKEY_RSA, NULL, NULL, EVP_sha512, true, 0 },
	{ "ES256", EVP_PKEY_EC, "P-256", "prime256v1", EVP_sha256, false, 32 },
	{ "ES384", EVP_PKEY_EC, "P-384", "secp384r1", EVP_sha384, false, 48 },
	{ "ES512", EVP_PKEY_EC, "P-521", "secp521r1", EVP_sha512, false, 66 },
	{ 0 }
};

/* ---- numbers as text ---- */

static void add_number(const EVP_PKEY *key, const char *param, int width, struct doc *d, struct node *out,
		       const char *name)
{
	AUTO(str) bytes = { 0 }, text = { 0 };
	BIGNUM *n = NULL;

	if (EVP_PKEY_get_bn_param(key, param, &n) != 1)
		return;
	int size = width ? width : BN_num_bytes(n);
	if (BN_bn2binpad(n, (unsigned char *)str_room(&bytes, (size_t)size), size) == size)
		bytes.n = (size_t)size;
	BN_free(n);
	base64url_encode(&text, str_sv(&bytes));
	node_set(d, out, name, node_strn(d, str_sv(&text)));
}

/* The members that make the key, in byte order: what a thumbprint is taken of. */
static struct node *essence(const struct jwt_key *k, struct doc *d)
{
	struct node *out = node_map(d);

	if (k->signs->type == EVP_PKEY_EC) {
		node_set(d, out, "crv", node_str(d, k->signs->curve));
		node_set(d, out, "kty", node_str(d, "EC"));
		add_number(k->key, OSSL_PKEY_PARAM_EC_PUB_X, (int)k->signs->half, d, out, "x");
		add_number(k->key, OSSL_PKEY_PARAM_EC_PUB_Y, (int)k->signs->half, d, out, "y");
	} else {
		add_number(k->key, OSSL_PKEY_PARAM_RSA_E, 0, d, out, "e");
		node_set(d, out, "kty", node_str(d, "RSA"));
		add_number(k->key, OSSL_PKEY_PARAM_RSA_N, 0, d, out, "n");
	}
	return out;
}

static char *thumbprint(const struct jwt_key *k)
{
	AUTO_DOC d = doc_new();
	AUTO(str) json = { 0 }, text = { 0 };
	unsigned char digest[32];

	json_write(&json, essence(k, d), 0);
	sha256(digest, str_sv(&json));
	base64url_encode(&text, (struct sv){ (const char *)digest, sizeof digest });
	return str_take(&text);
}

/* ---- keys ---- */

static bool on_curve(const EVP_PKEY *key, const struct jwt_alg *alg)
{
	char group[64] = "";

	return EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1 && str_eq(group, alg->group);
}

/* Takes key; NULL when no algorithm is for it. */
static struct jwt_key *wrap(EVP_PKEY *key, const char *id, struct err *err)
{
	int type = EVP_PKEY_get_base_id(key), bits = EVP_PKEY_get_bits(key);
	const struct jwt_alg *alg = jwt_algs;
	struct jwt_key *k;

	while (alg->name && (alg->type != type || (alg->curve && !on_curve(key, alg))))
		alg++;
	if (!alg->name || (type == EVP_PKEY_RSA && (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX))) {
		EVP_PKEY_free(key);
		(void)err_set(err, ERR_UNSUPPORTED, "want an RSA key of %d to %d bits, or one on P-256, P-384 or P-521",
			      RSA_BITS_MIN, RSA_BITS_MAX);
		return NULL;
	}
	if (!(k = calloc(1, sizeof *k)))
		abort();
	*k = (struct jwt_key){ .key = key, .signs = alg };
	k->id = *id ? sv_dup(sv_c(id)) : thumbprint(k);
	return k;
}

struct jwt_key *jwt_key_generate(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	return key ? wrap(key, "", NULL) : NULL;
}

struct jwt_key *jwt_key_pem(struct sv pem, struct err *err)
{
	BIO *first = BIO_new_mem_buf(pem.p, (int)pem.n), *second = BIO_new_mem_buf(pem.p, (int)pem.n);
	char no_password[] = "";        /* else OpenSSL would ask the terminal for one */
	EVP_PKEY *key = PEM_read_bio_PrivateKey(first, NULL, NULL, no_password);

	if (!key)
		key = PEM_read_bio_PUBKEY(second, NULL, NULL, no_password);
	BIO_free(first);
	BIO_free(second);
	ERR_clear_error();
	if (!key) {
		(void)err_set(err, ERR_INVALID, "neither a private nor a public key in PEM");
		return NULL;
	}
	return wrap(key, "", err);
}

void jwt_key_free(struct jwt_key **kp)
{
	struct jwt_key *k = TAKE(*kp);

	if (!k)
		return;
	EVP_PKEY_free(k->key);
	free(k->id);
	free(k);
}

const char *jwt_key_id(const struct jwt_key *k) { return k->id; }

void jwt_key_write(const struct jwt_key *k, struct str *pem)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *p;

	PEM_write_bio_PKCS8PrivateKey(out, k->key, NULL, NULL, 0, NULL, NULL);
	long n = BIO_get_mem_data(out, &p);
	str_add(pem, (struct sv){ p, (size_t)n });
	BIO_free(out);
}

struct node *jwt_key_public(const struct jwt_key *k, struct doc *d)
{
	struct node *out = node_map(d), *parts = essence(k, d);
	struct member *m;

	node_set(d, out, "use", node_str(d, "sig"));
	node_set(d, out, "alg", node_str(d, k->signs->name));
	node_set(d, out, "kid", node_str(d, k->id));
	node_members(m, parts)
		node_set(d, out, m->key, m->value);
	return out;
}

/* ---- from a JWK ---- */

static int read_number(const struct node *jwk, const char *name, struct str *out, struct err *err)
{
	const char *text = node_str_or(jwk, name, "");

	if (!*text || base64url_decode(out, sv_c(text), NULL) < 0 || !out->n)
		return err_set(err, ERR_INVALID, "member \"%s\" of a key is no number in base64url", name);
	return 0;
}

/* Takes the builder's parameters into a public key. */
static EVP_PKEY *build(const char *type, OSSL_PARAM_BLD *b)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (params && ctx && EVP_PKEY_fromdata_init(ctx) == 1)
		(void)EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	ERR_clear_error();
	return key;
}

static int rsa_of(const struct node *jwk, EVP_PKEY **out, struct err *err)
{
	AUTO(str) n = { 0 }, e = { 0 };

	TRY(read_number(jwk, "n", &n, err));
	TRY(read_number(jwk, "e", &e, err));
	if (n.n > RSA_BITS_MAX / 8 + 1 || e.n > 8)
		return err_set(err, ERR_UNSUPPORTED, "an RSA key of more than %d bits", RSA_BITS_MAX);
	BIGNUM *bn = BN_bin2bn((unsigned char *)n.p, (int)n.n, NULL), *be = BN_bin2bn((unsigned char *)e.p, (int)e.n, NULL);
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	if (OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, bn) == 1 &&
	    OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, be) == 1)
		*out = build("RSA", b);
	OSSL_PARAM_BLD_free(b);
	BN_free(bn);
	BN_free(be);
	return *out ? 0 : err_set(err, ERR_INVALID, "not an RSA key");
}

static int ec_of(const struct node *jwk, EVP_PKEY **out, struct err *err)
{
	const char *curve = node_str_or(jwk, "crv", "");
	const struct jwt_alg *alg = jwt_algs;
	AUTO(str) x = { 0 }, y = { 0 }, point = { 0 };

	while (alg->name && !str_eq(alg->curve, curve))
		alg++;
	if (!alg->name)
		return err_set(err, ERR_UNSUPPORTED, "curve \"%s\": want P-256, P-384 or P-521", curve);
	TRY(read_number(jwk, "x", &x, err));
	TRY(read_number(jwk, "y", &y, err));
	if (x.n != alg->half || y.n != alg->half)
		return err_set(err, ERR_INVALID, "a point on %s has coordinates of %zu bytes", curve, alg->half);
	str_add1(&point, 4);            /* uncompressed */
	str_add(&point, str_sv(&x));
	str_add(&point, str_sv(&y));
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	if (OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, alg->group, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point.p, point.n) == 1)
		*out = build("EC", b);
	OSSL_PARAM_BLD_free(b);
	return *out ? 0 : err_set(err, ERR_INVALID, "not a point on %s", curve);
}

struct jwt_key *jwt_key_jwk(const struct node *jwk, struct err *err)
{
	const char *type = node_str_or(jwk, "kty", ""), *use = node_str_or(jwk, "use", "sig"),
		   *name = node_str_or(jwk, "alg", "");
	const struct jwt_alg *alg = jwt_algs;
	EVP_PKEY *key = NULL;
	struct jwt_key *k;
	int r = str_eq(type, "RSA") ? rsa_of(jwk, &key, err) : str_eq(type, "EC") ? ec_of(jwk, &key, err) :
		err_set(err, ERR_UNSUPPORTED, "kty \"%s\": want RSA or EC", type);

	while (alg->name && !str_eq(alg->name, name))
		alg++;
	if (r >= 0 && (!str_eq(use, "sig") || (*name && !alg->name))) {
		EVP_PKEY_free(key);
		r = err_set(err, ERR_UNSUPPORTED, "a key for use \"%s\" and alg \"%s\"", use, name);
	}
	if (r < 0 || !(k = wrap(key, node_str_or(jwk, "kid", ""), err)))
		return NULL;
	k->only = alg->name ? alg : NULL;
	return k;
}
