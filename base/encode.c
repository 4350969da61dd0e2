#include "base/encode.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sha2.h>
#include <stdlib.h>

void base64_encode(struct str *out, struct sv bytes)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)bytes.p;
	size_t n = (bytes.n + 2) / 3 * 4;
	char *at = str_room(out, n + 1);

	for (size_t i = 0; i < bytes.n; i += 3, at += 4) {
		size_t left = bytes.n - i;
		unsigned three = (unsigned)p[i] << 16 | (left > 1 ? p[i + 1] : 0u) << 8 | (left > 2 ? p[i + 2] : 0u);

		at[0] = digits[three >> 18];
		at[1] = digits[three >> 12 & 63];
		at[2] = left > 1 ? digits[three >> 6 & 63] : '=';
		at[3] = left > 2 ? digits[three & 63] : '=';
	}
	*at = '\0';
	out->n += n;
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

int base64_decode(struct str *out, struct sv text, struct err *err)
{
	uint32_t bits = 0;
	int n = 0;
	bool ended = false;

	for (size_t i = 0; i < text.n; i++) {
		int v = base64_value(text.p[i]);

		if (isspace((unsigned char)text.p[i]))
			continue;
		if (text.p[i] == '=') {
			ended = true;
			continue;
		}
		if (v < 0 || ended)
			return err_set(err, ERR_INVALID, "not base64 at byte %zu", i);
		bits = bits << 6 | (uint32_t)v;
		if (++n == 4) {
			str_add(out, (struct sv){ (char[]){ (char)(bits >> 16), (char)(bits >> 8), (char)bits }, 3 });
			bits = 0;
			n = 0;
		}
	}
	if (n == 1)
		return err_set(err, ERR_INVALID, "base64 text is cut off");
	if (n == 2)
		str_add1(out, (char)(bits >> 4));
	if (n == 3)
		str_add(out, (struct sv){ (char[]){ (char)(bits >> 10), (char)(bits >> 2) }, 2 });
	return 0;
}

void base64url_encode(struct str *out, struct sv bytes)
{
	size_t from = out->n;

	base64_encode(out, bytes);
	while (out->n > from && out->p[out->n - 1] == '=')
		str_cut(out, out->n - 1);
	for (size_t i = from; i < out->n; i++)
		out->p[i] = (char)(out->p[i] == '+' ? '-' : out->p[i] == '/' ? '_' : out->p[i]);
}

int base64url_decode(struct str *out, struct sv text, struct err *err)
{
	static const int left_over[] = { 0, 0, 15, 3 };         /* bits of the last character that carry nothing */

	for (size_t i = 0; i < text.n; i++)
		if (base64_value(text.p[i]) < 0 || text.p[i] == '+' || text.p[i] == '/')
			return err_set(err, ERR_INVALID, "not base64url at byte %zu", i);
	if (text.n && base64_value(text.p[text.n - 1]) & left_over[text.n % 4])
		return err_set(err, ERR_INVALID, "base64url text does not end on a byte");
	return base64_decode(out, text, err);
}

void hex_encode(struct str *out, struct sv bytes)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < bytes.n; i++) {
		unsigned char c = (unsigned char)bytes.p[i];

		str_add1(out, digits[c >> 4]);
		str_add1(out, digits[c & 15]);
	}
}

void sha256(unsigned char out[static 32], struct sv bytes)
{
	SHA2_CTX c;             /* of libmd: a short command need not load OpenSSL for it */

	SHA256Init(&c);
	SHA256Update(&c, (const unsigned char *)bytes.p, bytes.n);
	SHA256Final(out, &c);
}

void sha256_hex(struct str *out, struct sv bytes)
{
	unsigned char digest[32];

	sha256(digest, bytes);
	hex_encode(out, (struct sv){ (const char *)digest, sizeof digest });
}

void hmac_sha256(unsigned char out[static 32], struct sv key, struct sv bytes)
{
	unsigned n = 32;

	if (!HMAC(EVP_sha256(), key.p, (int)key.n, (const unsigned char *)bytes.p, bytes.n, out, &n))
		abort();        /* fails only without memory */
}

bool secure_eq(struct sv a, struct sv b) { return a.n == b.n && !CRYPTO_memcmp(a.p, b.p, a.n); }
