#include "orchestrator/pki.h"

#include "base/doc.h"
#include "base/encode.h"
#include "base/fs.h"
#include "base/jwt.h"
#include "base/tls.h"
#include "base/yaml.h"

#include <openssl/rand.h>
#include <time.h>

#define DAY_MS ((int64_t)24 * 3600 * 1000)
#define CA_DAYS 3650
#define CERT_DAYS 365
#define RENEW_MS (30 * DAY_MS)
#define FILE_MAX ((size_t)1 << 20)

struct place { struct str cert, key; };         /* paths */

static void place_free(struct place *p)
{
	str_free(&p->cert);
	str_free(&p->key);
}

static void place_of(struct place *p, const char *dir, const char *name)
{
	str_addf(&p->cert, "%s/%s.crt", dir, name);
	str_addf(&p->key, "%s/%s.key", dir, name);
}

static int64_t wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000;
}

static int load(const struct place *at, struct str *cert, struct str *key, struct err *err)
{
	TRY(file_read(str_c(&at->cert), FILE_MAX, cert, err));
	return file_read(str_c(&at->key), FILE_MAX, key, err);
}

static int save(const struct place *at, const struct str *cert, const struct str *key, struct err *err)
{
	TRY(file_write(str_c(&at->key), str_sv(key), 0600, err));
	return file_write(str_c(&at->cert), str_sv(cert), 0644, err);
}

static bool usable(const struct str *cert) { return cert->n && cert_expires_ms(str_sv(cert)) > wall_ms() + RENEW_MS; }

static int open_ca(const char *dir, struct pki *p, struct err *err)
{
	AUTO(place) at = { 0 };

	place_of(&at, dir, "ca");
	if (path_exists(str_c(&at.cert)))
		return load(&at, &p->ca, &p->ca_key, err);      /* never replaced by itself: clients trust it */
	TRY(ca_create("timonier-ca", CA_DAYS, &p->ca, &p->ca_key, err));
	return save(&at, &p->ca, &p->ca_key, err);
}

/* The names that a certificate was made for stand beside it, so that a new --listen address makes a new one. */
static int open_cert(const char *dir, const char *name, const struct cert_request *rq, struct pki *p, struct str *cert,
		     struct str *key, struct err *err)
{
	AUTO(place) at = { 0 };
	AUTO(str) names_path = { 0 };
	AUTO(str) names = { 0 };

	place_of(&at, dir, name);
	str_addf(&names_path, "%s/%s.names", dir, name);
	if (path_exists(str_c(&at.cert)) && load(&at, cert, key, NULL) == 0 && usable(cert) &&
	    (!rq->names || (file_read(str_c(&names_path), FILE_MAX, &names, NULL) == 0 && str_eq(str_c(&names), rq->names))))
		return 0;
	str_free(cert);
	str_free(key);
	TRY(ca_sign(str_sv(&p->ca), str_sv(&p->ca_key), rq, cert, key, err));
	TRY(save(&at, cert, key, err));
	return rq->names ? file_write(str_c(&names_path), sv_c(rq->names), 0644, err) : 0;
}

/* Never replaced by itself: tokens that are out would end. A file with several keys signs with the first and believes all. */
static int open_account_key(const char *dir, struct str *key, struct err *err)
{
	AUTO(str) path = { 0 };

	str_addf(&path, "%s/sa.key", dir);
	if (path_exists(str_c(&path)))
		return file_read(str_c(&path), FILE_MAX, key, err);
	struct jwt_key *made = jwt_key_generate();
	if (!made)
		return err_set(err, ERR_IO, "no key can be made for '%s'", str_c(&path));
	jwt_key_write(made, key);
	jwt_key_free(&made);
	return file_write(str_c(&path), str_sv(key), 0600, err);
}

static int open_token(const char *dir, struct str *token, struct err *err)
{
	AUTO(str) path = { 0 };
	unsigned char bytes[32];

	str_addf(&path, "%s/admin.token", dir);
	if (path_exists(str_c(&path)))
		return file_read(str_c(&path), FILE_MAX, token, err);
	if (RAND_bytes(bytes, sizeof bytes) != 1)
		return err_set(err, ERR_IO, "no random bytes for '%s'", str_c(&path));
	hex_encode(token, (struct sv){ (const char *)bytes, sizeof bytes });
	return file_write(str_c(&path), str_sv(token), 0600, err);
}

int pki_open(const char *dir, const char *names, struct pki *out, struct err *err)
{
	static const char *const masters[] = { "system:masters" };
	const struct cert_request server = { .common_name = "timonier", .names = names, .days = CERT_DAYS };
	const struct cert_request admin = { .common_name = "admin", .organizations = masters, .n_organizations = 1,
					    .days = CERT_DAYS };

	TRY(dir_make(dir, 0700, err));
	TRY(open_ca(dir, out, err));
	TRY(open_cert(dir, "server", &server, out, &out->server, &out->server_key, err));
	TRY(open_cert(dir, "admin", &admin, out, &out->admin, &out->admin_key, err));
	TRY(open_account_key(dir, &out->account_key, err));
	return open_token(dir, &out->token, err);
}

void pki_free(struct pki *p)
{
	str_free(&p->ca);
	str_free(&p->ca_key);
	str_free(&p->server);
	str_free(&p->server_key);
	str_free(&p->admin);
	str_free(&p->admin_key);
	str_free(&p->account_key);
	str_free(&p->token);
}

static struct node *base64(struct doc *d, const struct str *s)
{
	AUTO(str) text = { 0 };

	base64_encode(&text, str_sv(s));
	return node_strn(d, str_sv(&text));
}

/* One entry of clusters, users or contexts: { name: ..., KEY: value }. */
static void add_entry(struct doc *d, struct node *root, const char *list, const char *name, const char *key, struct node *value)
{
	struct node *entry = node_map(d);

	node_set(d, entry, "name", node_str(d, name));
	node_set(d, entry, key, value);
	node_add(d, node_seq_at(d, root, list), entry);
}

void pki_kubeconfig(const struct pki *p, const char *server_url, struct str *out)
{
	AUTO_DOC d = doc_new();
	struct node *root = node_map(d), *cluster = node_map(d), *user = node_map(d), *context = node_map(d);

	node_set(d, root, "apiVersion", node_str(d, "v1"));
	node_set(d, root, "kind", node_str(d, "Config"));
	node_set(d, cluster, "server", node_str(d, server_url));
	node_set(d, cluster, "certificate-authority-data", base64(d, &p->ca));
	add_entry(d, root, "clusters", "timonier", "cluster", cluster);
	node_set(d, user, "client-certificate-data", base64(d, &p->admin));
	node_set(d, user, "client-key-data", base64(d, &p->admin_key));
	add_entry(d, root, "users", "admin", "user", user);
	node_set(d, context, "cluster", node_str(d, "timonier"));
	node_set(d, context, "user", node_str(d, "admin"));
	add_entry(d, root, "contexts", "timonier", "context", context);
	node_set(d, root, "current-context", node_str(d, "timonier"));
	yaml_write(out, root, 0);
}
