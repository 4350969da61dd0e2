#include "base/seal.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

enum { NONCE = 12, TAG = 16 };

static const EVP_CIPHER *cipher_of(struct sv key)
{
	return key.n == 16 ? EVP_aes_128_gcm() : key.n == 24 ? EVP_aes_192_gcm() : key.n == 32 ? EVP_aes_256_gcm() : NULL;
}

bool seal_key_is_good(struct sv key) { return cipher_of(key) != NULL; }

static const unsigned char *bytes(const char *p) { return (const unsigned char *)p; }

static bool encrypt(EVP_CIPHER_CTX *ctx, struct sv key, struct sv about, struct sv text, unsigned char *to)
{
	int n;

	return RAND_bytes(to, NONCE) == 1 && EVP_EncryptInit_ex(ctx, cipher_of(key), NULL, bytes(key.p), to) == 1 &&
	       EVP_EncryptUpdate(ctx, NULL, &n, bytes(about.p), (int)about.n) == 1 &&
	       EVP_EncryptUpdate(ctx, to + NONCE, &n, bytes(text.p), (int)text.n) == 1 &&
	       EVP_EncryptFinal_ex(ctx, to + NONCE + n, &n) == 1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, to + NONCE + text.n) == 1;
}

int seal(struct str *out, struct sv key, struct sv about, struct sv text, struct err *err)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned char *to = (unsigned char *)str_room(out, text.n + NONCE + TAG + 1);
	bool ok = ctx && cipher_of(key) && text.n < INT32_MAX && encrypt(ctx, key, about, text, to);

	EVP_CIPHER_CTX_free(ctx);
	ERR_clear_error();
	if (!ok)
		return err_set(err, ERR_IO, "encrypt: the key has %zu bytes, or there are no random ones", key.n);
	out->n += text.n + NONCE + TAG;
	out->p[out->n] = '\0';
	return 0;
}

static bool decrypt(EVP_CIPHER_CTX *ctx, struct sv key, struct sv about, struct sv sealed, unsigned char *to)
{
	size_t text_n = sealed.n - NONCE - TAG;
	int n;

	return EVP_DecryptInit_ex(ctx, cipher_of(key), NULL, bytes(key.p), bytes(sealed.p)) == 1 &&
	       EVP_DecryptUpdate(ctx, NULL, &n, bytes(about.p), (int)about.n) == 1 &&
	       EVP_DecryptUpdate(ctx, to, &n, bytes(sealed.p) + NONCE, (int)text_n) == 1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG, (char *)(uintptr_t)sealed.p + NONCE + text_n) == 1 &&
	       EVP_DecryptFinal_ex(ctx, to + n, &n) == 1;
}

int seal_open(struct str *out, struct sv key, struct sv about, struct sv sealed, struct err *err)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	char *to = str_room(out, sealed.n + 1);
	bool ok = ctx && cipher_of(key) && sealed.n >= NONCE + TAG && sealed.n < INT32_MAX &&
		  decrypt(ctx, key, about, sealed, (unsigned char *)to);

	EVP_CIPHER_CTX_free(ctx);
	ERR_clear_error();
	if (!ok) {      /* what came out is not to be believed: nobody sees it */
		OPENSSL_cleanse(to, sealed.n + 1);
		return err_set(err, ERR_INVALID, "decrypt: not this key, or the text was changed");
	}
	out->n += sealed.n - NONCE - TAG;
	out->p[out->n] = '\0';
	return 0;
}
