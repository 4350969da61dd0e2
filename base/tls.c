#include "base/tls-internal.h"
#include "base/vec.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>

struct tls { SSL_CTX *ctx; };

int tls_fail(struct err *err, enum err_code code, const char *what)
{
	unsigned long e = ERR_peek_last_error();
	const char *why = e ? ERR_reason_error_string(e) : NULL;

	ERR_clear_error();
	return err_set(err, code, "%s: %s", what, why ? why : "unknown TLS error");
}

/* ---- contexts ---- */

static X509 *next_cert(BIO *from) { return PEM_read_bio_X509(from, NULL, NULL, NULL); }

/* The first certificate is ours, the others are its chain. */
static int use_cert(SSL_CTX *ctx, struct sv cert_pem, struct sv key_pem, struct err *err)
{
	BIO *certs = BIO_new_mem_buf(cert_pem.p, (int)cert_pem.n), *keys = BIO_new_mem_buf(key_pem.p, (int)key_pem.n);
	X509 *cert = next_cert(certs);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(keys, NULL, NULL, NULL);
	bool ok = cert && key && SSL_CTX_use_certificate(ctx, cert) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1;

	for (X509 *more; ok && (more = next_cert(certs));)
		ok = SSL_CTX_add0_chain_cert(ctx, more) == 1;
	X509_free(cert);
	EVP_PKEY_free(key);
	BIO_free(certs);
	BIO_free(keys);
	if (!ok)
		return tls_fail(err, ERR_INVALID, "certificate and key");
	ERR_clear_error();              /* the end of the list of certificates counts as one */
	return 0;
}

static int trust(SSL_CTX *ctx, struct sv ca_pem, bool server, struct err *err)
{
	BIO *certs = BIO_new_mem_buf(ca_pem.p, (int)ca_pem.n);
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	size_t n = 0;

	for (X509 *ca; (ca = next_cert(certs)); n++) {
		X509_STORE_add_cert(store, ca);
		if (server)
			SSL_CTX_add_client_CA(ctx, ca);
		X509_free(ca);
	}
	BIO_free(certs);
	if (!n)
		return tls_fail(err, ERR_INVALID, "CA certificate");
	ERR_clear_error();
	return 0;
}

static struct tls *fresh(const SSL_METHOD *method)
{
	struct tls *t = calloc(1, sizeof *t);

	if (!t || !(t->ctx = SSL_CTX_new(method)))
		abort();
	SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION);
	SSL_CTX_set_mode(t->ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_options(t->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF);     /* a handshake is cheap, a session per client is not */
	SSL_CTX_set_num_tickets(t->ctx, 0);
	return t;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *n, const unsigned char *in, unsigned in_n, void *arg)
{
	static const unsigned char ours[] = "\2h2\10http/1.1";

	(void)ssl, (void)arg;
	if (SSL_select_next_proto((unsigned char **)out, n, ours, sizeof ours - 1, in, in_n) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	return SSL_TLSEXT_ERR_OK;
}

struct tls *tls_server(struct sv cert_pem, struct sv key_pem, struct sv client_ca_pem, struct err *err)
{
	struct tls *t = fresh(TLS_server_method());

	SSL_CTX_set_alpn_select_cb(t->ctx, choose_protocol, NULL);
	if (use_cert(t->ctx, cert_pem, key_pem, err) < 0 || (client_ca_pem.n && trust(t->ctx, client_ca_pem, true, err) < 0)) {
		tls_free(t);
		return NULL;
	}
	if (client_ca_pem.n)            /* asks; one without a certificate may have a token */
		SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
	return t;
}

struct tls *tls_client(struct sv cert_pem, struct sv key_pem, struct sv ca_pem, struct err *err)
{
	struct tls *t = fresh(TLS_client_method());

	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
	if ((cert_pem.n && use_cert(t->ctx, cert_pem, key_pem, err) < 0) || (ca_pem.n && trust(t->ctx, ca_pem, false, err) < 0)) {
		tls_free(t);
		return NULL;
	}
	if (!ca_pem.n)
		SSL_CTX_set_default_verify_paths(t->ctx);
	return t;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	SSL_CTX_free(t->ctx);
	free(t);
}

SSL_CTX *tls_context(const struct tls *t) { return t->ctx; }

/* ---- who is on the other side ---- */

static char *entry_text(const X509_NAME *name, int at)
{
	const ASN1_STRING *s = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
	unsigned char *utf8 = NULL;
	int n = ASN1_STRING_to_UTF8(&utf8, s);
	char *text = n < 0 || memchr(utf8, 0, (size_t)n) ? NULL : sv_dup((struct sv){ (char *)utf8, (size_t)n });

	OPENSSL_free(utf8);
	return text;            /* a name with a NUL in it is nobody's */
}

struct tls_peer *tls_peer_of(SSL *ssl)
{
	X509 *cert = SSL_get0_peer_certificate(ssl);
	struct { const char **v; size_t n, cap; } groups = { 0 };

	if (!cert || SSL_get_verify_result(ssl) != X509_V_OK)
		return NULL;
	const X509_NAME *subject = X509_get_subject_name(cert);
	struct tls_peer *p = calloc(1, sizeof *p);
	if (!p)
		abort();
	int cn = X509_NAME_get_index_by_NID((X509_NAME *)subject, NID_commonName, -1);
	p->name = cn >= 0 ? entry_text(subject, cn) : NULL;
	for (int at = -1; (at = X509_NAME_get_index_by_NID((X509_NAME *)subject, NID_organizationName, at)) >= 0;) {
		char *group = entry_text(subject, at);
		if (group)
			vec_push(&groups, group);
	}
	p->groups = groups.v;
	p->n_groups = groups.n;
	if (!p->name)
		tls_peer_free(&p);
	return p;
}

void tls_peer_free(struct tls_peer **pp)
{
	struct tls_peer *p = TAKE(*pp);

	if (!p)
		return;
	for (size_t i = 0; i < p->n_groups; i++)
		free((char *)p->groups[i]);
	free((void *)p->groups);
	free((char *)p->name);
	free(p);
}
