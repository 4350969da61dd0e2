/* base/seal.h - bytes that nobody reads or changes without the key: AES-GCM with a random nonce before and a tag behind.
 *
 * A key of 16, 24 or 32 bytes may seal 2^32 texts. about is bound to the text without being in it: a sealed text that is
 * put somewhere else does not open. */
#pragma once

#include "base/err.h"
#include "base/str.h"

bool seal_key_is_good(struct sv key);
MUST_CHECK int seal(struct str *out, struct sv key, struct sv about, struct sv text, struct err *err);          /* appends. ERR_IO */
/* Appends. ERR_INVALID: not this key, not this place, or changed; then nothing is appended. */
MUST_CHECK int seal_open(struct str *out, struct sv key, struct sv about, struct sv sealed, struct err *err);
