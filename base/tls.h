/* base/tls.h - TLS and certificates over OpenSSL: a CA of our own, server and client certificates, verification. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"

struct tls;                     /* a context, shared by the connections of a server or a client */

struct tls_peer { const char *name; const char *const *groups; size_t n_groups; };     /* CN, and every O, of a verified certificate */

/* PEM texts. ca: whom to trust for the other side's certificate; empty: a server asks for none, a client uses the system's. */
struct tls *tls_server(struct sv cert_pem, struct sv key_pem, struct sv client_ca_pem, struct err *err);        /* ALPN h2, http/1.1 */
struct tls *tls_client(struct sv cert_pem, struct sv key_pem, struct sv ca_pem, struct err *err);
void tls_free(struct tls *t);

/* ECDSA P-256. names: DNS names and IP addresses, comma separated, for a server; NULL for a client certificate. */
MUST_CHECK int ca_create(const char *common_name, int days, struct str *cert_pem, struct str *key_pem, struct err *err);
struct cert_request { const char *common_name; const char *const *organizations; size_t n_organizations; const char *names; int days; };
MUST_CHECK int ca_sign(struct sv ca_cert_pem, struct sv ca_key_pem, const struct cert_request *rq,
		       struct str *cert_pem, struct str *key_pem, struct err *err);

/* A request for a certificate (PKCS #10, PEM): what is asked for. */
struct csr {
	char *common_name;                      /* "" : none */
	VEC(char *) organizations;
	struct str names;                       /* DNS names and addresses, comma separated: as in struct cert_request */
	size_t n_dns, n_addresses;
	bool others;                            /* names of other sorts are asked for: mail addresses, URIs */
};
/* Its signature is checked: who asks holds the key, which is RSA of 2048 bits and more, or on a curve. ERR_INVALID. */
MUST_CHECK int csr_read(struct sv pem, struct csr *out, struct err *err);
void csr_free(struct csr *c);
/* A certificate for the request's key, of what csr_read() gave and nothing else of it. */
MUST_CHECK int ca_sign_csr(struct sv ca_cert_pem, struct sv ca_key_pem, struct sv csr_pem, bool for_server, int64_t seconds,
			   struct str *cert_pem, struct err *err);
int64_t cert_expires_ms(struct sv cert_pem);            /* wall clock; 0: not a certificate */
