/* base/jwt.h - JSON Web Tokens in their compact form (RFC 7515, RFC 7519), and keys for them (RFC 7517, RFC 7518).
 *
 * Reading a token proves nothing: only jwt_verify() with a key that one trusts says that its content is true. Which
 * algorithms a token may name is decided by the key: RS256, RS384, RS512, PS256, PS384, PS512 for RSA, and the one of
 * its curve for an elliptic curve (ES256, ES384, ES512). There is no "none", and there are no shared secrets, so a
 * public key can never be taken for one. */
#pragma once

#include "base/doc.h"

struct jwt_key;

struct jwt_key *jwt_key_generate(void);                                 /* private, for ES256 */
struct jwt_key *jwt_key_pem(struct sv pem, struct err *err);            /* private or public; NULL: ERR_INVALID */
struct jwt_key *jwt_key_jwk(const struct node *jwk, struct err *err);   /* public; NULL: ERR_INVALID, ERR_UNSUPPORTED */
void jwt_key_free(struct jwt_key **k);
void jwt_key_write(const struct jwt_key *k, struct str *pem);           /* the private key, as PKCS #8 */
const char *jwt_key_id(const struct jwt_key *k);                        /* the JWK's kid, or its thumbprint (RFC 7638) */
struct node *jwt_key_public(const struct jwt_key *k, struct doc *d);    /* as a JWK */

struct jwt {
	struct doc *header, *claims;    /* both are objects */
	const char *alg, *kid;          /* of the header; kid "" when absent */
	struct sv token, text;          /* all of it, and what is signed: borrowed */
	struct str signature;
};
/* ERR_INVALID: not a token, or one with critical extensions (none are known). token must outlive *out. */
MUST_CHECK int jwt_read(struct sv token, struct jwt *out, struct err *err);
void jwt_free(struct jwt *t);
bool jwt_verify(const struct jwt *t, const struct jwt_key *k);
/* Appends a token that k signs. ERR_IO. */
MUST_CHECK int jwt_sign(const struct jwt_key *k, const struct node *claims, struct str *out, struct err *err);

/* exp, which must be there, and nbf and iat where they are. ERR_UNAUTHORIZED says which. */
MUST_CHECK int jwt_check_time(const struct node *claims, int64_t now_ms, int64_t leeway_ms, struct err *err);
bool jwt_is_for(const struct node *claims, const char *audience);       /* aud is it, or has it */
