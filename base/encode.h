/* base/encode.h - bytes as text: base64 and hexadecimal; digests. */
#pragma once

#include "base/err.h"
#include "base/str.h"

void base64_encode(struct str *out, struct sv bytes);                   /* RFC 4648 with padding; appends */
/* Appends; white space is skipped; the URL alphabet and missing padding are accepted. ERR_INVALID names the position. */
MUST_CHECK int base64_decode(struct str *out, struct sv text, struct err *err);
void base64url_encode(struct str *out, struct sv bytes);                /* RFC 4648 section 5, without padding; appends */
/* Appends. Strict: no white space, no padding, no bits left over. ERR_INVALID. */
MUST_CHECK int base64url_decode(struct str *out, struct sv text, struct err *err);
void hex_encode(struct str *out, struct sv bytes);                      /* lower case; appends */
void sha256_hex(struct str *out, struct sv bytes);                      /* 64 characters; appends */
void sha256(unsigned char out[static 32], struct sv bytes);
void hmac_sha256(unsigned char out[static 32], struct sv key, struct sv bytes);
bool secure_eq(struct sv a, struct sv b);                               /* in time that does not depend on the content */
