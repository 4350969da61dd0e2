/* base/cert-internal.h - the parts of making certificates. */
#pragma once

#include <openssl/x509v3.h>
#include "base/tls-internal.h"

static inline void free_key(EVP_PKEY **k) { EVP_PKEY_free(*k); }
static inline void free_cert(X509 **c) { X509_free(*c); }
#define AUTO_KEY __attribute__((cleanup(free_key))) EVP_PKEY *
#define AUTO_CERT __attribute__((cleanup(free_cert))) X509 *

X509 *cert_read(struct sv pem);                         /* NULL: not one */
EVP_PKEY *cert_read_key(struct sv pem);
X509 *cert_blank(EVP_PKEY *key, int64_t seconds);       /* everything but names and extensions */
bool cert_describe(X509 *c, X509 *ca, const struct cert_request *rq, const char *alt);
MUST_CHECK int cert_alt_names(const char *names, struct str *out, struct err *err);     /* "DNS:api,IP:127.0.0.1" of "api,127.0.0.1" */
void cert_text(BIO *take, struct str *out);
