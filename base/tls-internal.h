/* base/tls-internal.h - for the server, which feeds TLS from memory. */
#pragma once

#include <openssl/ssl.h>
#include "base/tls.h"

SSL_CTX *tls_context(const struct tls *t);
struct tls_peer *tls_peer_of(SSL *ssl);         /* NULL: no certificate was shown; tls_peer_free() it */
void tls_peer_free(struct tls_peer **p);

/* The newest OpenSSL error as text, appended to "what: "; empties the queue. */
int tls_fail(struct err *err, enum err_code code, const char *what);
