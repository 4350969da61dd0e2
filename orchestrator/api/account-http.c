/* The issuer of service account tokens, as OpenID Connect discovers it: others can check tokens without asking here. */
#include "orchestrator/api/account-internal.h"
#include "orchestrator/api/http-internal.h"

#include "base/json.h"

#include <string.h>

static void add_text(struct doc *d, struct node *root, const char *key, const char *value)
{
	node_add(d, node_seq_at(d, root, key), node_str(d, value));
}

static struct node *configuration(const struct api *a, struct doc *d)
{
	struct node *root = node_map(d);

	node_set(d, root, "issuer", node_str(d, a->accounts.issuer));
	node_set(d, root, "jwks_uri", node_strf(d, "%s/openid/v1/jwks", a->accounts.issuer));
	add_text(d, root, "response_types_supported", "id_token");
	add_text(d, root, "subject_types_supported", "public");
	add_text(d, root, "id_token_signing_alg_values_supported",
		 node_str_or(jwt_key_public(a->accounts.keys.v[0], d), "alg", ""));
	return root;
}

static struct node *key_set(const struct api *a, struct doc *d)
{
	struct node *root = node_map(d), *keys = node_seq_at(d, root, "keys");

	for (size_t i = 0; i < a->accounts.keys.n; i++)
		node_add(d, keys, jwt_key_public(a->accounts.keys.v[i], d));
	return root;
}

static const struct {
	const char *path, *type;
	struct node *(*make)(const struct api *a, struct doc *d);
} paths[] = {
	{ "/.well-known/openid-configuration", "application/json", configuration },
	{ "/openid/v1/jwks", "application/jwk-set+json", key_set },
};

bool serve_issuer(struct api *a, struct http_request *rq, const char *path)
{
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		AUTO_DOC d = NULL;
		AUTO(str) out = { 0 };

		if (strcmp(path, paths[i].path))
			continue;
		d = doc_new();
		json_write(&out, paths[i].make(a, d), 0);
		http_add_header(rq, "Cache-Control", "public, max-age=3600");
		http_reply(rq, 200, paths[i].type, str_sv(&out));
		return true;
	}
	return false;
}
