/* operator/git/credentials.c - repositories' credentials from Secrets. */
#include "operator/git/credentials.h"

#include "base/encode.h"
#include "operator/git/url.h"

#define LABEL "argocd.argoproj.io/secret-type"

static bool read_value(const struct object *secret, const char *key, struct str *out)
{
	const char *text = node_text(node_get(node_get(secret->root, "data"), key));

	str_cut(out, 0);
	return text && base64_decode(out, sv_c(text), NULL) >= 0;
}

/* Registries are written with and without their scheme. */
static struct sv bare(struct sv url) { return sv_starts(url, SV("oci://")) ? sv_drop(url, 6) : url; }

/* How well the Secret fits: 0 not at all; an exact URL beats every prefix, a longer prefix a shorter one. */
static size_t fit(const struct object *secret, const char *url)
{
	const char *type = meta_label(secret->root, LABEL);
	AUTO(str) own = { 0 };

	if (!read_value(secret, "url", &own) || !own.n)
		return 0;
	if (str_eq(type, "repository"))
		return repo_url_same(str_c(&own), url) ? SIZE_MAX : 0;
	return sv_starts(bare(sv_c(url)), bare(str_sv(&own))) ? own.n : 0;
}

const struct repo_access *credentials_find(struct credentials *c, struct client *client, const char *ns, const char *url)
{
	if (url[0] == '/' || credentials_list(c, client, ns, NULL) < 0)
		return NULL;
	return credentials_pick(c, url);
}

int credentials_list(struct credentials *c, struct client *client, const char *ns, struct err *err)
{
	const struct kind *k = kinds_find(client->kinds, "v1", "Secret");
	const struct list_opts o = { .ns = ns, .labels = LABEL " in (repository,repo-creds)" };

	credentials_free(c);
	return k ? client_list(client, k, &o, &c->secrets, err) : 0;
}

static bool is_true(const struct object *secret, const char *key)
{
	AUTO(str) text = { 0 };

	return read_value(secret, key, &text) && sv_eq_c(str_sv(&text), "true");
}

const struct repo_access *credentials_pick(struct credentials *c, const char *url)
{
	const struct object *best = NULL;
	size_t best_fit = 0;

	for (size_t i = 0; i < c->secrets.n; i++) {
		size_t n = fit(c->secrets.v[i], url);
		if (n > best_fit) {
			best = c->secrets.v[i];
			best_fit = n;
		}
	}
	if (!best)
		return NULL;
	static const char *const keys[] = { "username", "password", "sshPrivateKey", "tlsClientCertData", "tlsClientCertKey" };
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		(void)read_value(best, keys[i], &c->values[i]);
	c->access = (struct repo_access){
		.username = str_c(&c->values[0]), .password = str_c(&c->values[1]), .ssh_key = str_c(&c->values[2]),
		.tls_cert = str_sv(&c->values[3]), .tls_key = str_sv(&c->values[4]),
		.insecure = is_true(best, "insecure"), .plain_http = is_true(best, "insecureOCIForceHttp"),
	};
	return &c->access;
}

void credentials_free(struct credentials *c)
{
	object_list_free(&c->secrets);
	for (size_t i = 0; i < sizeof c->values / sizeof *c->values; i++)
		str_free(&c->values[i]);
	c->access = (struct repo_access){ 0 };
}
