/* Certificates on request: who may approve what, and what the CA signs. */
#include "check.h"

#include "api-web.h"

#include "base/encode.h"
#include "base/tls.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define CSRS "/apis/certificates.k8s.io/v1/certificatesigningrequests"
#define RBAC "rbac.authorization.k8s.io/v1"

static struct str ca, ca_key;

static int make_ca(void **state)
{
	(void)state;
	return ca_create("ca", 10, &ca, &ca_key, NULL);
}

static int drop_ca(void **state)
{
	(void)state;
	str_free(&ca);
	str_free(&ca_key);
	return 0;
}

static void expect(void (*scenario)(struct cluster *), const char *want)
{
	struct cluster c = { .scenario = scenario, .ca = str_c(&ca), .ca_key = str_c(&ca_key) };

	cluster_run(&c);
	char *got = str_take(&c.trace);
	assert_string_equal(got, want);
	free(got);
}

/* ---- requests ---- */

/* A PEM request for /O=.../CN=..., with alternative names in OpenSSL's words; break_it: signed by another key. */
static void request_pem(const char *org, const char *name, const char *alt, bool break_it, struct str *out)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");
	X509_REQ *q = X509_REQ_new();
	X509_NAME *subject = X509_REQ_get_subject_name(q);
	BIO *text = BIO_new(BIO_s_mem());
	char *p;

	if (*org)
		X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8, (const unsigned char *)org, -1, -1, 0);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
	if (alt) {
		STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();

		sk_X509_EXTENSION_push(list, X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alt));
		X509_REQ_add_extensions(q, list);
		sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	}
	X509_REQ_set_pubkey(q, key);
	X509_REQ_sign(q, break_it ? other : key, EVP_sha256());
	PEM_write_bio_X509_REQ(text, q);
	long n = BIO_get_mem_data(text, &p);
	str_add(out, (struct sv){ p, (size_t)n });
	BIO_free(text);
	X509_REQ_free(q);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

struct wish { const char *name, *org, *cn, *alt, *signer, *usages; bool broken; int seconds; };

static void post(struct web *w, const struct wish *x, const char *const *paths)
{
	AUTO(str) pem = { 0 }, text = { 0 }, body = { 0 };

	request_pem(x->org, x->cn, x->alt, x->broken, &pem);
	base64_encode(&text, str_sv(&pem));
	str_addf(&body, "{\"metadata\":{\"name\":\"%s\"},\"spec\":{\"signerName\":\"%s\",\"usages\":[%s],\"username\":\"somebody\",\"request\":\"%s\"",
		 x->name, x->signer ? x->signer : "kubernetes.io/kube-apiserver-client", x->usages ? x->usages : "\"client auth\"", str_c(&text));
	if (x->seconds)
		str_addf(&body, ",\"expirationSeconds\":%d", x->seconds);
	str_addc(&body, "},\"status\":{\"conditions\":[{\"type\":\"Approved\",\"status\":\"True\"}],\"certificate\":\"eA==\"}}");
	ask_at(w, ASK("POST", CSRS, .body = str_c(&body)), paths);
}

static void patch_at(struct web *w, const char *name, const char *sub, const char *body, const char *const *paths)
{
	char *path = str_fmt(CSRS "/%s/%s", name, sub);

	ask_at(w, ASK("PATCH", path, .type = "application/merge-patch+json", .body = body), paths);
	free(path);
}

static void approve(struct web *w, const char *name)
{
	patch_at(w, name, "approval", "{\"status\":{\"conditions\":[{\"type\":\"Approved\",\"status\":\"True\",\"reason\":\"r\"}]}}",
		 PATHS("status.conditions.0.type", "status.conditions.1.reason", "message"));
}

/* The subject of the certificate that a request got. */
static void note_certificate(struct cluster *c, const char *name)
{
	AUTO_OBJECT o = get_object(c, "certificatesigningrequests", "", name);
	AUTO(str) pem = { 0 };
	char line[256] = "";

	if (!o || base64_decode(&pem, node_sv(node_at(o->root, "status.certificate")), NULL) < 0)
		return;
	BIO *b = BIO_new_mem_buf(str_c(&pem), (int)pem.n);
	X509 *x = PEM_read_bio_X509(b, NULL, NULL, NULL);
	if (x) {
		BIO *cb = BIO_new_mem_buf(str_c(&ca), (int)ca.n);
		X509 *issuer = PEM_read_bio_X509(cb, NULL, NULL, NULL);
		EVP_PKEY *key = X509_get0_pubkey(issuer);

		X509_NAME_oneline(X509_get_subject_name(x), line, sizeof line);
		str_addf(&c->trace, "%s%s%s%s ", line, X509_verify(x, key) == 1 ? "" : " not ours", X509_check_ca(x) ? " CA" : "",
			 X509_get_extended_key_usage(x) == XKU_SSL_CLIENT ? " client" : X509_get_extended_key_usage(x) == XKU_SSL_SERVER ? " server" : " ?");
		X509_free(issuer);
		BIO_free(cb);
	}
	X509_free(x);
	BIO_free(b);
}

/* ---- scenarios ---- */

static void signs(struct cluster *c)
{
	struct web w = web_open(c);

	post(&w, &(struct wish){ "jane", "devs", "jane", .seconds = 3600 }, PATHS("spec.username", "status.conditions", "status.certificate"));
	note_certificate(c, "jane");
	approve(&w, "jane");
	note_certificate(c, "jane");
	str_add1(&c->trace, '\n');
	post(&w, &(struct wish){ "server", "system:nodes", "system:node:n1", "DNS:n1,IP:10.0.0.1", "kubernetes.io/kubelet-serving", "\"server auth\"" }, PATHS("status"));
	approve(&w, "server");
	note_certificate(c, "server");
	post(&w, &(struct wish){ "mail", "system:nodes", "system:node:n1", "DNS:n1,email:a@b.c", "kubernetes.io/kubelet-serving", "\"server auth\"" }, PATHS("status"));
	approve(&w, "mail");
	post(&w, &(struct wish){ "usages", "devs", "jane", .usages = "\"client auth\",\"cert sign\"" }, PATHS("status"));
	approve(&w, "usages");
	post(&w, &(struct wish){ "other", "devs", "jane", .signer = "acme.com/signer" }, PATHS("status"));
	approve(&w, "other");
	patch_at(&w, "other", "status", "{\"status\":{\"certificate\":\"eA==\"}}", PATHS("status.certificate"));
	patch_at(&w, "other", "status", "{\"status\":{\"certificate\":\"eQ==\"}}", PATHS("reason"));
	web_close(&w);
}

static void csr_approved_is_signed_by_the_rules_of_its_signer(void **state)
{
	(void)state;
	expect(signs, "201 \"admin\" - - 200 \"Approved\" - - /O=devs/CN=jane client \n"
		      "201 - 200 \"Approved\" - - /O=system:nodes/CN=system:node:n1 server "
		      "201 - 200 \"Approved\" \"SignerValidationFailure\" - 201 - 200 \"Approved\" \"SignerValidationFailure\" - "
		      "201 - 200 \"Approved\" - - 200 \"eA==\" 422 \"Invalid\" ");
}

static void refuses(struct cluster *c)
{
	struct web w = web_open(c);

	post(&w, &(struct wish){ "masters", "system:masters", "eve" }, PATHS("message"));
	str_add1(&c->trace, '\n');
	post(&w, &(struct wish){ "broken", "devs", "eve", .broken = true }, PATHS("reason"));
	post(&w, &(struct wish){ "legacy", "devs", "eve", .signer = "kubernetes.io/legacy-unknown" }, PATHS("reason"));
	post(&w, &(struct wish){ "short", "devs", "eve", .seconds = 599 }, PATHS("reason"));
	post(&w, &(struct wish){ "both", "devs", "eve" }, PATHS("kind"));
	patch_at(&w, "both", "approval", "{\"status\":{\"conditions\":[{\"type\":\"Denied\",\"status\":\"True\"}]}}", PATHS("status.conditions.0.type"));
	patch_at(&w, "both", "approval", "{\"status\":{\"conditions\":[]}}", PATHS("reason"));
	patch_at(&w, "both", "approval", "{\"status\":{\"conditions\":[{\"type\":\"Denied\",\"status\":\"True\"},{\"type\":\"Approved\",\"status\":\"True\"}]}}", PATHS("reason"));
	patch_at(&w, "both", "approval", "{\"spec\":{\"signerName\":\"a/b\"},\"status\":{\"certificate\":\"eA==\"}}", PATHS("spec.signerName", "status.certificate"));
	web_close(&w);
}

static void csr_that_cannot_be_is_refused(void **state)
{
	(void)state;
	expect(refuses, "403 \"certificatesigningrequests.certificates.k8s.io \\\"masters\\\" is forbidden: use of "
			"kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed\" \n"
			"422 \"Invalid\" 422 \"Invalid\" 422 \"Invalid\" 201 \"CertificateSigningRequest\" 200 \"Denied\" "
			"422 \"Invalid\" 422 \"Invalid\" 200 \"kubernetes.io/kube-apiserver-client\" - ");
}

#define GRANT(name, rules) do { \
	create(c, "{apiVersion: " RBAC ", kind: ClusterRole, metadata: {name: " name "}, rules: [" rules "]}"); \
	create(c, "{apiVersion: " RBAC ", kind: ClusterRoleBinding, metadata: {name: " name "}, roleRef: {apiGroup: rbac.authorization.k8s.io, " \
		  "kind: ClusterRole, name: " name "}, subjects: [{kind: User, name: jane}]}"); \
} while (0)

static void rights(struct cluster *c)
{
	struct web w = web_open(c);

	GRANT("csr", "{apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests, certificatesigningrequests/approval, "
		     "certificatesigningrequests/status], verbs: [create, patch, update, get]}");
	w.token = "plain";
	post(&w, &(struct wish){ "mine", "devs", "jane" }, PATHS("spec.username", "spec.groups"));
	approve(&w, "mine");
	patch_at(&w, "mine", "status", "{\"status\":{\"certificate\":\"eA==\"}}", PATHS("reason"));
	str_add1(&c->trace, '\n');
	GRANT("approve", "{apiGroups: [certificates.k8s.io], resources: [signers], resourceNames: ['kubernetes.io/*'], verbs: [approve]}");
	approve(&w, "mine");
	note_certificate(c, "mine");
	post(&w, &(struct wish){ "node", "system:nodes", "system:node:n1", .signer = "kubernetes.io/kube-apiserver-client-kubelet" }, PATHS("status"));
	GRANT("node", "{apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests/nodeclient], verbs: [create]}");
	post(&w, &(struct wish){ "node2", "system:nodes", "system:node:n2", .signer = "kubernetes.io/kube-apiserver-client-kubelet" }, PATHS("status.conditions.0.reason"));
	note_certificate(c, "node2");
	post(&w, &(struct wish){ "node3", "system:masters", "system:node:n2", .signer = "kubernetes.io/kube-apiserver-client-kubelet" }, PATHS("status"));
	web_close(&w);
}

static void csr_approval_is_a_right_by_signer(void **state)
{
	(void)state;
	expect(rights, "201 \"jane\" [\"people\",\"system:authenticated\"] 403 - - \"certificatesigningrequests.certificates.k8s.io \\\"mine\\\" is "
		       "forbidden: user not permitted to approve requests with signerName \\\"kubernetes.io/kube-apiserver-client\\\"\" "
		       "403 \"Forbidden\" \n200 \"Approved\" - - /O=devs/CN=jane client 201 - 201 \"AutoApproved\" "
		       "/O=system:nodes/CN=system:node:n2 client 201 - ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(csr_approved_is_signed_by_the_rules_of_its_signer),
		TEST(csr_that_cannot_be_is_refused),
		TEST(csr_approval_is_a_right_by_signer),
	};

	return cmocka_run_group_tests(tests, make_ca, drop_ca);
}
