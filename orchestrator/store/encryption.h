/* orchestrator/store/encryption.h - which values are encrypted in the store, and with which keys: Kubernetes'
 * EncryptionConfiguration, of whose providers aesgcm and identity are known.
 *
 * The first provider of a resource writes; all of them are tried for reading. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct encryption;

struct encryption *encryption_read(const char *text, struct err *err);  /* YAML; NULL with err filled */
void encryption_free(struct encryption **e);
bool encryption_covers(const struct encryption *e, const char *key);    /* a store's key */
/* A value as it is stored. */
MUST_CHECK int encryption_seal(const struct encryption *e, const char *key, struct sv value, struct str *out, struct err *err);
/* A value as it was written. *stale: the first provider would have stored it in another way. ERR_INVALID: no key opens it. */
MUST_CHECK int encryption_open(const struct encryption *e, const char *key, struct sv stored, struct str *out, bool *stale,
			       struct err *err);
