#include "render/kustomize/hash.h"

#include <stdlib.h>

#include "base/encode.h"
#include "base/json.h"
#include "base/yaml.h"
#include "render/kustomize/transform.h"

/* The fields that count. A text stands for what is absent; maps that may be left out are left out when they are none. */
static void put(struct doc *d, struct node *to, const char *name, const struct node *value, bool optional)
{
	if (optional && !node_is(value, NODE_MAP))
		return;
	if (!value || value->type < NODE_SEQ)
		node_set(d, to, name, node_strn(d, node_sv(value)));
	else
		node_set(d, to, name, node_copy(d, value));
}

static struct node *counted(struct doc *d, const struct resource *r)
{
	const char *kind = node_str_or(r->root, "kind", "");
	struct node *n = node_map(d);

	if (strcmp(kind, "ConfigMap") != 0 && strcmp(kind, "Secret") != 0)
		return node_copy(d, r->root);
	node_set(d, n, "kind", node_str(d, kind));
	node_set(d, n, "name", node_str(d, "")); /* part of the form, and always empty: kustomize looks it up in vain */
	put(d, n, "data", node_get(r->root, "data"), false);
	if (!strcmp(kind, "ConfigMap")) {
		put(d, n, "binaryData", node_get(r->root, "binaryData"), true);
	} else {
		put(d, n, "type", node_get(r->root, "type"), false);
		put(d, n, "stringData", node_get(r->root, "stringData"), true);
	}
	return n;
}

void resource_hash(const struct resource *r, char out[static 11])
{
	AUTO_DOC d = doc_new();
	AUTO(str) json = { 0 };
	AUTO(str) hex = { 0 };
	struct node *n = counted(d, r);

	yaml_settle(d, n);
	json_write(&json, n, JSON_SORTED | JSON_ESCAPE_HTML);
	sha256_hex(&hex, str_sv(&json));
	for (size_t i = 0; i < 10; i++) {
		static const char from[] = "013ae", to[] = "ghkmt";
		const char *at = strchr(from, hex.p[i]);

		out[i] = at ? to[at - from] : hex.p[i];
	}
	out[10] = '\0';
}

static const struct shape_field no_fields[] = { { 0 } };
static const struct shape no_shape = { sizeof(const struct node *), no_fields };

static int run(const struct transformation *x, const void *config, struct err *err)
{
	(void)config, (void)err;
	for (size_t i = 0; i < x->set->n; i++) {
		struct resource *r = x->set->v[i];
		char hash[11], *name;

		if (!r->hashed)
			continue;
		resource_hash(r, hash);
		resource_remember(r);
		name = str_fmt("%s-%s", resource_id(r)->name, hash);
		resource_set_name(r, name);
		free(name);
	}
	return 0;
}

const struct transformer transform_hash = { "HashTransformer", &no_shape, NULL, NULL, run };
