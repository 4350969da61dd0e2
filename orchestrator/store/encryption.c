#include "orchestrator/store/encryption.h"

#include "base/encode.h"
#include "base/seal.h"
#include "base/vec.h"
#include "base/yaml.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#define MARK "k8s:enc:"                 /* what is encrypted begins so, here as in Kubernetes */
#define AESGCM MARK "aesgcm:v1:"

struct key { char *name; struct str secret; };

struct row {                            /* of the configuration's list "resources" */
	VEC(char *) resources;          /* as written */
	VEC(struct key) keys;           /* in the order of their providers */
	bool identity, plain_first;     /* what is not encrypted may be read; is what is written */
};

struct encryption { VEC(struct row) rows; };

/* ---- reading the configuration ---- */

void encryption_free(struct encryption **ep)
{
	struct encryption *e = TAKE(*ep);

	for (size_t i = 0; e && i < e->rows.n; i++) {
		struct row *r = &e->rows.v[i];

		for (size_t k = 0; k < r->keys.n; k++) {
			OPENSSL_cleanse(r->keys.v[k].secret.p, r->keys.v[k].secret.n);
			str_free(&r->keys.v[k].secret);
			free(r->keys.v[k].name);
		}
		for (size_t k = 0; k < r->resources.n; k++)
			free(r->resources.v[k]);
		vec_free(&r->keys);
		vec_free(&r->resources);
	}
	if (e)
		vec_free(&e->rows);
	free(e);
}

static int read_key(struct row *r, const struct node *n, struct err *err)
{
	const char *name = node_str_or(n, "name", "");
	struct key k = { 0 };

	if (!*name || strchr(name, ':'))
		return err_set(err, ERR_INVALID, "encryption configuration, line %u: a key needs a name without ':'", n->line);
	for (size_t i = 0; i < r->keys.n; i++)
		if (str_eq(r->keys.v[i].name, name))
			return err_set(err, ERR_INVALID, "encryption configuration, line %u: two keys are called \"%s\"", n->line, name);
	if (base64_decode(&k.secret, node_sv(node_get(n, "secret")), NULL) < 0 || !seal_key_is_good(str_sv(&k.secret))) {
		str_free(&k.secret);
		return err_set(err, ERR_INVALID, "encryption configuration, line %u: the secret of key \"%s\" must be 16, 24 or 32 "
			       "bytes in base64", n->line, name);
	}
	k.name = sv_dup(sv_c(name));
	vec_push(&r->keys, k);
	return 0;
}

static int read_provider(struct row *r, const struct node *n, struct err *err)
{
	const struct node *keys = node_at(n, "aesgcm.keys"), *it;

	if (node_get(n, "identity")) {
		r->plain_first |= !r->keys.n;
		r->identity = true;
		return 0;
	}
	if (!node_n(keys))
		return err_set(err, ERR_INVALID, "encryption configuration, line %u: provider \"%s\": want aesgcm with keys, or identity",
			       n->line, n->n && node_is(n, NODE_MAP) ? n->members[0].key : "");
	node_each(it, keys)
		TRY(read_key(r, it, err));
	return 0;
}

static int read_row(struct encryption *e, const struct node *n, struct err *err)
{
	const struct node *it;

	vec_push(&e->rows, ((struct row){ 0 }));
	struct row *r = &e->rows.v[e->rows.n - 1];
	node_each(it, node_get(n, "resources"))
		if (node_text(it))
			vec_push(&r->resources, sv_dup(node_sv(it)));
	node_each(it, node_get(n, "providers"))
		TRY(read_provider(r, it, err));
	if (!r->resources.n || (!r->keys.n && !r->identity))
		return err_set(err, ERR_INVALID, "encryption configuration, line %u: want resources and providers", n->line);
	return 0;
}

static int read_all(struct encryption *e, const struct node *root, struct err *err)
{
	const struct node *it;

	if (!str_eq(node_str_at(root, "kind"), "EncryptionConfiguration") ||
	    !str_eq(node_str_at(root, "apiVersion"), "apiserver.config.k8s.io/v1"))
		return err_set(err, ERR_INVALID, "want kind EncryptionConfiguration of apiserver.config.k8s.io/v1");
	node_each(it, node_get(root, "resources"))
		TRY(read_row(e, it, err));
	return e->rows.n ? 0 : err_set(err, ERR_INVALID, "encryption configuration: it names no resources");
}

struct encryption *encryption_read(const char *text, struct err *err)
{
	struct encryption *e = calloc(1, sizeof *e);
	AUTO_DOC d = NULL;

	if (!e)
		abort();
	if (yaml_read(sv_c(text), "encryption configuration", 0, &d, err) < 0 || read_all(e, doc_root(d), err) < 0)
		encryption_free(&e);
	return e;
}

/* ---- which ---- */

/* "secrets", "deployments.apps", "*.apps", "*." for all of the core group, "*.*" for everything. */
static bool names(const char *resource, struct sv group, struct sv plural)
{
	struct sv want, of;

	if (str_eq(resource, "*.*"))
		return true;
	if (!sv_cut(sv_c(resource), '.', &want, &of) || !of.n)
		of = SV("core");
	return sv_eq(of, group) && (sv_eq_c(want, "*") || sv_eq(want, plural));
}

static const struct row *row_of(const struct encryption *e, const char *key)
{
	struct sv rest = sv_c(key), group, plural;

	if (!sv_starts(rest, SV("/registry/")))
		return NULL;
	(void)sv_cut(sv_drop(rest, 10), '/', &group, &rest);
	(void)sv_cut(rest, '/', &plural, &rest);
	for (size_t i = 0; i < e->rows.n; i++)
		for (size_t k = 0; k < e->rows.v[i].resources.n; k++)
			if (names(e->rows.v[i].resources.v[k], group, plural))
				return &e->rows.v[i];
	return NULL;
}

bool encryption_covers(const struct encryption *e, const char *key) { return row_of(e, key) != NULL; }

/* ---- values ---- */

int encryption_seal(const struct encryption *e, const char *key, struct sv value, struct str *out, struct err *err)
{
	const struct row *r = row_of(e, key);

	if (!r || r->plain_first) {
		str_add(out, value);
		return 0;
	}
	str_addf(out, AESGCM "%s:", r->keys.v[0].name);
	return seal(out, str_sv(&r->keys.v[0].secret), sv_c(key), value, err);
}

static int open_with(const struct row *r, const char *key, struct sv stored, struct str *out, bool *stale, struct err *err)
{
	struct sv name, sealed;

	(void)sv_cut(sv_drop(stored, sizeof AESGCM - 1), ':', &name, &sealed);
	for (size_t i = 0; i < r->keys.n; i++)
		if (sv_eq_c(name, r->keys.v[i].name)) {
			*stale = i || r->plain_first;
			return err_wrap(err, seal_open(out, str_sv(&r->keys.v[i].secret), sv_c(key), sealed, err), "'%s'", key);
		}
	return err_set(err, ERR_INVALID, "'%s' is encrypted with key \"" SV_FMT "\", which the encryption configuration does not have",
		       key, SV_ARG(name));
}

int encryption_open(const struct encryption *e, const char *key, struct sv stored, struct str *out, bool *stale, struct err *err)
{
	static const struct row none = { .identity = true, .plain_first = true };
	const struct row *r = row_of(e, key);

	r = r ? r : &none;
	*stale = false;
	if (sv_starts(stored, SV(AESGCM)))
		return open_with(r, key, stored, out, stale, err);
	if (sv_starts(stored, SV(MARK)))
		return err_set(err, ERR_INVALID, "'%s' is encrypted in a way that is not known here", key);
	*stale = !r->plain_first;
	if (!r->identity && r != &none)
		return err_set(err, ERR_INVALID, "'%s' is not encrypted, and the encryption configuration has no provider identity", key);
	str_add(out, stored);
	return 0;
}
