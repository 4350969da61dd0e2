#include "base/jwt-internal.h"

#include "base/encode.h"
#include "base/json.h"

#include <math.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdlib.h>

enum { TOKEN_MAX = 64 << 10 };

/* ---- reading ---- */

static int read_part(struct sv text, const char *what, struct doc **out, struct err *err)
{
	AUTO(str) json = { 0 };

	if (base64url_decode(&json, text, NULL) < 0 || json_read(str_sv(&json), what, JSON_UNIQUE_KEYS, out, NULL) < 0 ||
	    !node_is(doc_root(*out), NODE_MAP))
		return err_set(err, ERR_INVALID, "the %s of the token is no JSON object in base64url", what);
	return 0;
}

int jwt_read(struct sv token, struct jwt *out, struct err *err)
{
	struct sv head, claims, signature, rest;

	*out = (struct jwt){ 0 };
	if (token.n > TOKEN_MAX || !sv_cut(token, '.', &head, &rest) || !sv_cut(rest, '.', &claims, &signature))
		return err_set(err, ERR_INVALID, "not a token: want three parts in base64url, with dots between them");
	TRY(read_part(head, "header", &out->header, err));
	TRY(read_part(claims, "payload", &out->claims, err));
	if (base64url_decode(&out->signature, signature, NULL) < 0 || !out->signature.n)
		return err_set(err, ERR_INVALID, "the token has no signature");
	if (node_get(doc_root(out->header), "crit"))
		return err_set(err, ERR_INVALID, "the token has critical extensions, of which none are known");
	out->alg = node_str_or(doc_root(out->header), "alg", "");
	out->kid = node_str_or(doc_root(out->header), "kid", "");
	out->token = token;
	out->text = (struct sv){ token.p, head.n + 1 + claims.n };
	return 0;
}

void jwt_free(struct jwt *t)
{
	doc_drop(&t->header);
	doc_drop(&t->claims);
	str_free(&t->signature);
}

/* ---- signatures ---- */

static const struct jwt_alg *alg_named(const char *name)
{
	const struct jwt_alg *alg = jwt_algs;

	while (alg->name && !str_eq(alg->name, name))
		alg++;
	return alg->name ? alg : NULL;
}

static bool start(EVP_MD_CTX *ctx, const struct jwt_alg *alg, EVP_PKEY *key, bool sign)
{
	EVP_PKEY_CTX *options;
	int r = sign ? EVP_DigestSignInit(ctx, &options, alg->digest(), NULL, key)
		     : EVP_DigestVerifyInit(ctx, &options, alg->digest(), NULL, key);

	return r == 1 && (!alg->pss || (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
					EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1));
}

/* The two numbers side by side, as OpenSSL wants them: in DER. */
static bool to_der(const struct str *raw, size_t half, struct str *out)
{
	const unsigned char *p = (const unsigned char *)raw->p;
	ECDSA_SIG *s = ECDSA_SIG_new();
	unsigned char *der = NULL;
	int n = 0;

	if (raw->n == 2 * half && s &&
	    ECDSA_SIG_set0(s, BN_bin2bn(p, (int)half, NULL), BN_bin2bn(p + half, (int)half, NULL)) == 1)
		n = i2d_ECDSA_SIG(s, &der);
	if (n > 0)
		str_add(out, (struct sv){ (char *)der, (size_t)n });
	OPENSSL_free(der);
	ECDSA_SIG_free(s);
	return n > 0;
}

static bool from_der(const struct str *der, size_t half, struct str *out)
{
	const unsigned char *p = (const unsigned char *)der->p;
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &p, (long)der->n);
	unsigned char *to = (unsigned char *)str_room(out, 2 * half);
	bool ok = s && BN_bn2binpad(ECDSA_SIG_get0_r(s), to, (int)half) >= 0 &&
		  BN_bn2binpad(ECDSA_SIG_get0_s(s), to + half, (int)half) >= 0;

	out->n += ok ? 2 * half : 0;
	ECDSA_SIG_free(s);
	return ok;
}

bool jwt_verify(const struct jwt *t, const struct jwt_key *k)
{
	const struct jwt_alg *alg = alg_named(t->alg);
	AUTO(str) der = { 0 };
	struct sv s = str_sv(&t->signature);

	if (!alg || alg->type != k->signs->type || (k->only && alg != k->only) || (alg->curve && alg != k->signs))
		return false;
	if (alg->curve) {
		if (!to_der(&t->signature, alg->half, &der))
			return false;
		s = str_sv(&der);
	}
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && start(ctx, alg, k->key, false) &&
		  EVP_DigestVerify(ctx, (const unsigned char *)s.p, s.n, (const unsigned char *)t->text.p, t->text.n) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

static bool sign_text(const struct jwt_key *k, struct sv text, struct str *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	AUTO(str) made = { 0 };
	size_t n = 0;
	bool ok = ctx && start(ctx, k->signs, k->key, true) &&
		  EVP_DigestSign(ctx, NULL, &n, (const unsigned char *)text.p, text.n) == 1 &&
		  EVP_DigestSign(ctx, (unsigned char *)str_room(&made, n), &n, (const unsigned char *)text.p, text.n) == 1;

	EVP_MD_CTX_free(ctx);
	made.n = ok ? n : 0;
	if (ok && k->signs->curve)
		return from_der(&made, k->signs->half, out);
	str_add(out, str_sv(&made));
	return ok;
}

static void add_part(struct str *out, const struct node *n)
{
	AUTO(str) json = { 0 };

	json_write(&json, n, 0);
	base64url_encode(out, str_sv(&json));
}

int jwt_sign(const struct jwt_key *k, const struct node *claims, struct str *out, struct err *err)
{
	AUTO_DOC d = doc_new();
	struct node *head = node_map(d);
	AUTO(str) signature = { 0 };
	size_t from = out->n;

	node_set(d, head, "alg", node_str(d, k->signs->name));
	node_set(d, head, "kid", node_str(d, k->id));
	node_set(d, head, "typ", node_str(d, "JWT"));
	add_part(out, head);
	str_add1(out, '.');
	add_part(out, claims);
	if (!sign_text(k, (struct sv){ out->p + from, out->n - from }, &signature)) {
		str_cut(out, from);
		ERR_clear_error();
		return err_set(err, ERR_IO, "sign a token: the key cannot");
	}
	str_add1(out, '.');
	base64url_encode(out, str_sv(&signature));
	return 0;
}

/* ---- claims ---- */

/* Seconds, possibly with a fraction. False: not a time that a clock can show. */
static bool time_of(const struct node *n, int64_t *ms)
{
	double s;

	if (!node_to_double(n, &s) || !isfinite(s) || fabs(s) > 1e12)
		return false;
	*ms = (int64_t)(s * 1000);
	return true;
}

int jwt_check_time(const struct node *claims, int64_t now_ms, int64_t leeway_ms, struct err *err)
{
	static const char *const starts[] = { "nbf", "iat" };
	int64_t at;

	if (!time_of(node_get(claims, "exp"), &at))
		return err_set(err, ERR_UNAUTHORIZED, "the token does not say when it expires");
	if (now_ms >= at + leeway_ms)
		return err_set(err, ERR_UNAUTHORIZED, "the token has expired");
	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
		const struct node *n = node_get(claims, starts[i]);

		if (n && (!time_of(n, &at) || now_ms < at - leeway_ms))
			return err_set(err, ERR_UNAUTHORIZED, "the token is not valid yet (%s)", starts[i]);
	}
	return 0;
}

bool jwt_is_for(const struct node *claims, const char *audience)
{
	const struct node *aud = node_get(claims, "aud"), *it;

	node_each(it, aud)
		if (str_eq(node_text(it), audience))
			return true;
	return node_is(aud, NODE_STR) && str_eq(node_text(aud), audience);
}
