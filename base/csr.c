/* base/csr.c - certificates that others ask for. */
#include "base/cert-internal.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>

enum { RSA_BITS_MIN = 2048, NAMES_MAX = 100 };

static X509_REQ *read_request(struct sv pem)
{
	BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509_REQ *q = PEM_read_bio_X509_REQ(b, NULL, NULL, NULL);

	BIO_free(b);
	ERR_clear_error();
	return q;
}

/* Heap; NULL when it holds a NUL, behind which something else could hide. */
static char *text_of(const ASN1_STRING *s)
{
	unsigned char *utf8 = NULL;
	int n = ASN1_STRING_to_UTF8(&utf8, s);
	char *out = n >= 0 && !memchr(utf8, 0, (size_t)n) ? sv_dup((struct sv){ (char *)utf8, (size_t)n }) : NULL;

	OPENSSL_free(utf8);
	return out;
}

static int read_subject(X509_REQ *q, struct csr *out, struct err *err)
{
	X509_NAME *subject = X509_REQ_get_subject_name(q);

	for (int i = 0; i < X509_NAME_entry_count(subject); i++) {
		X509_NAME_ENTRY *e = X509_NAME_get_entry(subject, i);
		int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(e));
		char *text = text_of(X509_NAME_ENTRY_get_data(e));

		if (!text || i == NAMES_MAX || (nid == NID_commonName && out->common_name)) {
			free(text);
			return err_set(err, ERR_INVALID, "the subject of the certificate request is not readable");
		}
		if (nid == NID_commonName)
			out->common_name = text;
		else if (nid == NID_organizationName)
			vec_push(&out->organizations, text);
		else
			free(text);
	}
	if (!out->common_name)
		out->common_name = sv_dup(SV(""));
	return 0;
}

static int add_name(const GENERAL_NAME *n, struct csr *out, struct err *err)
{
	char address[INET6_ADDRSTRLEN], *text;
	const ASN1_OCTET_STRING *ip = n->type == GEN_IPADD ? n->d.iPAddress : NULL;

	if (n->type == GEN_DNS && (text = text_of(n->d.dNSName))) {
		str_addf(&out->names, "%s%s", out->names.n ? "," : "", text);
		out->n_dns++;
		bool separate = !strchr(text, ',');
		free(text);
		return separate ? 0 : err_set(err, ERR_INVALID, "a DNS name of the certificate request is none");
	}
	if (ip && (ip->length == 4 || ip->length == 16)) {
		str_addf(&out->names, "%s%s", out->names.n ? "," : "",
			 inet_ntop(ip->length == 4 ? AF_INET : AF_INET6, ip->data, address, sizeof address));
		out->n_addresses++;
		return 0;
	}
	out->others = true;
	return 0;
}

static int read_names(X509_REQ *q, struct csr *out, struct err *err)
{
	STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(q);
	GENERAL_NAMES *names = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
	int r = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(names) && r >= 0; i++)
		r = i == NAMES_MAX ? err_set(err, ERR_INVALID, "a certificate request with more than %d names", NAMES_MAX) :
			add_name(sk_GENERAL_NAME_value(names, i), out, err);
	GENERAL_NAMES_free(names);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	ERR_clear_error();
	return r;
}

static int check_key(X509_REQ *q, struct err *err)
{
	EVP_PKEY *key = X509_REQ_get0_pubkey(q);
	int type = key ? EVP_PKEY_get_base_id(key) : 0;
	bool good = type == EVP_PKEY_EC || type == EVP_PKEY_ED25519 || (type == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) >= RSA_BITS_MIN);

	if (!good || X509_REQ_verify(q, key) != 1) {
		ERR_clear_error();
		return err_set(err, ERR_INVALID, "the certificate request is not signed by its key, or the key is too weak");
	}
	return 0;
}

int csr_read(struct sv pem, struct csr *out, struct err *err)
{
	X509_REQ *q = read_request(pem);
	int r;

	*out = (struct csr){ 0 };
	if (!q)
		return err_set(err, ERR_INVALID, "PEM block type must be CERTIFICATE REQUEST");
	r = check_key(q, err);
	if (r >= 0)
		r = read_subject(q, out, err);
	if (r >= 0)
		r = read_names(q, out, err);
	X509_REQ_free(q);
	return r;
}

void csr_free(struct csr *c)
{
	for (size_t i = 0; i < c->organizations.n; i++)
		free(c->organizations.v[i]);
	vec_free(&c->organizations);
	str_free(&c->names);
	free(c->common_name);
	*c = (struct csr){ 0 };
}

static int sign(X509 *ca, EVP_PKEY *ca_key, EVP_PKEY *key, const struct csr *q, bool for_server, int64_t seconds, struct str *out,
		struct err *err)
{
	AUTO(str) alt = { 0 };
	struct cert_request rq = { .common_name = q->common_name, .organizations = (const char *const *)q->organizations.v,
				   .n_organizations = q->organizations.n, .names = for_server ? str_c(&q->names) : NULL };
	AUTO_CERT c = key ? cert_blank(key, seconds) : NULL;
	BIO *text;

	TRY(cert_alt_names(str_c(&q->names), &alt, err));
	if (!c || !cert_describe(c, ca, &rq, str_c(&alt)) || !X509_sign(c, ca_key, EVP_sha256()))
		return tls_fail(err, ERR_INVALID, "sign a certificate");
	text = BIO_new(BIO_s_mem());
	PEM_write_bio_X509(text, c);
	cert_text(text, out);
	return 0;
}

int ca_sign_csr(struct sv ca_cert_pem, struct sv ca_key_pem, struct sv csr_pem, bool for_server, int64_t seconds,
		struct str *cert_pem, struct err *err)
{
	AUTO_CERT ca = cert_read(ca_cert_pem);
	AUTO_KEY ca_key = cert_read_key(ca_key_pem);
	AUTO(csr) q = { 0 };

	if (!ca || !ca_key || X509_check_private_key(ca, ca_key) != 1)
		return tls_fail(err, ERR_INVALID, "CA certificate and key");
	TRY(csr_read(csr_pem, &q, err));
	X509_REQ *request = read_request(csr_pem);
	int r = sign(ca, ca_key, X509_REQ_get0_pubkey(request), &q, for_server, seconds, cert_pem, err);
	X509_REQ_free(request);
	return r;
}
