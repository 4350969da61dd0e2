/* base/jwt-internal.h - what tokens and keys share. */
#pragma once

#include <openssl/evp.h>
#include "base/jwt.h"

struct jwt_alg {
	const char *name;
	int type;                       /* EVP_PKEY_RSA, EVP_PKEY_EC */
	const char *curve, *group;      /* names in a JWK and in OpenSSL; NULL for RSA */
	const EVP_MD *(*digest)(void);
	bool pss;
	size_t half;                    /* bytes of each half of an elliptic curve's signature */
};
extern const struct jwt_alg jwt_algs[];         /* ended by a NULL name */

struct jwt_key {
	EVP_PKEY *key;
	const struct jwt_alg *only;     /* the only algorithm it is for; NULL: any of its type */
	const struct jwt_alg *signs;    /* what it signs with */
	char *id;
};
