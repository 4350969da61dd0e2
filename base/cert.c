/* base/cert.c - making certificates: the half of base/tls.h that signs. */
#include "base/loop.h"
#include "base/cert-internal.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <time.h>

#define DAY_S ((int64_t)24 * 3600)
#define SKEW_SECONDS 3600       /* clocks of two machines differ: valid a little before now */

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	bool ok = e && X509_add_ext(cert, e, -1) == 1;
	X509_EXTENSION_free(e);
	return ok;
}

static bool add_name(X509_NAME *n, const char *field, const char *text)
{
	return X509_NAME_add_entry_by_txt(n, field, MBSTRING_UTF8, (const unsigned char *)text, -1, -1, 0) == 1;
}

static bool set_serial(X509 *cert)
{
	BIGNUM *n = BN_new();
	bool ok = n && BN_rand(n, 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert));

	BN_free(n);
	return ok;
}

/* Everything but names and extensions. */
X509 *cert_blank(EVP_PKEY *key, int64_t seconds)
{
	X509 *c = X509_new();

	if (!c || X509_set_version(c, X509_VERSION_3) != 1 || !set_serial(c) || X509_set_pubkey(c, key) != 1 ||
	    !X509_gmtime_adj(X509_getm_notBefore(c), -SKEW_SECONDS) || !X509_time_adj_ex(X509_getm_notAfter(c), (int)(seconds / DAY_S), (long)(seconds % DAY_S), NULL)) {
		X509_free(c);
		return NULL;
	}
	return c;
}

void cert_text(BIO *from, struct str *out)
{
	char *p;
	long n = BIO_get_mem_data(from, &p);

	str_cut(out, 0);
	str_add(out, (struct sv){ p, (size_t)n });
	BIO_free(from);
}

static void write_out(X509 *cert, EVP_PKEY *key, struct str *cert_pem, struct str *key_pem)
{
	BIO *certs = BIO_new(BIO_s_mem()), *keys = BIO_new(BIO_s_mem());

	PEM_write_bio_X509(certs, cert);
	PEM_write_bio_PKCS8PrivateKey(keys, key, NULL, NULL, 0, NULL, NULL);
	cert_text(certs, cert_pem);
	cert_text(keys, key_pem);
}

int ca_create(const char *common_name, int days, struct str *cert_pem, struct str *key_pem, struct err *err)
{
	AUTO_KEY key = EVP_EC_gen("P-256");
	AUTO_CERT c = key ? cert_blank(key, days * DAY_S) : NULL;

	if (!c || !add_name(X509_get_subject_name(c), "CN", common_name) ||
	    X509_set_issuer_name(c, X509_get_subject_name(c)) != 1 ||
	    !add_extension(c, c, NID_basic_constraints, "critical,CA:TRUE") ||
	    !add_extension(c, c, NID_key_usage, "critical,digitalSignature,keyCertSign,cRLSign") ||
	    !add_extension(c, c, NID_subject_key_identifier, "hash") || !X509_sign(c, key, EVP_sha256()))
		return tls_fail(err, ERR_IO, "create a CA");
	write_out(c, key, cert_pem, key_pem);
	return 0;
}

/* "DNS:api,IP:127.0.0.1" of "api,127.0.0.1". */
int cert_alt_names(const char *names, struct str *out, struct err *err)
{
	struct sv rest = sv_c(names), one;
	unsigned char address[16];

	for (bool more = true; more;) {
		more = sv_cut(rest, ',', &one, &rest);
		one = sv_trim(one);
		if (!one.n)
			continue;
		AUTO(str) name = { 0 };
		str_add(&name, one);
		bool ip = inet_pton(AF_INET, name.p, address) == 1 || inet_pton(AF_INET6, name.p, address) == 1;
		if (!ip && strspn(name.p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.*") != name.n)
			return err_set(err, ERR_INVALID, "'%s' is not a name that a certificate can carry", name.p);
		str_addf(out, "%s%s:%s", out->n ? "," : "", ip ? "IP" : "DNS", name.p);
	}
	return 0;
}

bool cert_describe(X509 *c, X509 *ca, const struct cert_request *rq, const char *alt)
{
	X509_NAME *subject = X509_get_subject_name(c);

	for (size_t i = 0; i < rq->n_organizations; i++)
		if (!add_name(subject, "O", rq->organizations[i]))
			return false;
	return add_name(subject, "CN", rq->common_name) && X509_set_issuer_name(c, X509_get_subject_name(ca)) == 1 &&
	       add_extension(c, ca, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(c, ca, NID_key_usage, "critical,digitalSignature") &&
	       add_extension(c, ca, NID_ext_key_usage, rq->names ? "serverAuth" : "clientAuth") &&
	       add_extension(c, ca, NID_authority_key_identifier, "keyid") &&
	       (!*alt || add_extension(c, ca, NID_subject_alt_name, alt));
}

X509 *cert_read(struct sv pem)
{
	BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *c = PEM_read_bio_X509(b, NULL, NULL, NULL);

	BIO_free(b);
	return c;
}

EVP_PKEY *cert_read_key(struct sv pem)
{
	BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *k = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);

	BIO_free(b);
	return k;
}

int ca_sign(struct sv ca_cert_pem, struct sv ca_key_pem, const struct cert_request *rq,
	    struct str *cert_pem, struct str *key_pem, struct err *err)
{
	AUTO(str) alt = { 0 };
	AUTO_CERT ca = cert_read(ca_cert_pem);
	AUTO_KEY ca_key = cert_read_key(ca_key_pem);
	AUTO_KEY key = EVP_EC_gen("P-256");

	if (rq->names)
		TRY(cert_alt_names(rq->names, &alt, err));
	if (!ca || !ca_key || X509_check_private_key(ca, ca_key) != 1)
		return tls_fail(err, ERR_INVALID, "CA certificate and key");
	AUTO_CERT c = key ? cert_blank(key, rq->days * DAY_S) : NULL;
	if (!c || !cert_describe(c, ca, rq, str_c(&alt)) || !X509_sign(c, ca_key, EVP_sha256()))
		return tls_fail(err, ERR_IO, "sign a certificate");
	write_out(c, key, cert_pem, key_pem);
	return 0;
}

int64_t cert_expires_ms(struct sv cert_pem)
{
	AUTO_CERT c = cert_read(cert_pem);
	struct tm tm;

	if (!c || ASN1_TIME_to_tm(X509_get0_notAfter(c), &tm) != 1)
		return 0;
	return (int64_t)timegm(&tm) * 1000;
}
