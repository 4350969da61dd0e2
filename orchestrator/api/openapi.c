#include "orchestrator/api/openapi-internal.h"

#include "base/map.h"
#include "kube/schema/tables.h"

#include <stdlib.h>
#include <string.h>

struct model {
	struct doc *d;
	bool v3;
	struct node *schemas;           /* name -> schema */
	struct map seen;                /* names that are there, or on their way */
	const struct openapi_source *source;
};

static void add_type(struct model *m, const struct type *t);

/* ---- names ---- */

/* "core/v1.PodSpec" is io.k8s.api.core.v1.PodSpec; "argoproj.io/v1alpha1.X" is io.argoproj.v1alpha1.X. */
static void definition_name(struct str *out, const char *type)
{
	struct sv group, rest, domain, host;

	if (!strncmp(type, "meta.", 5)) {
		str_addf(out, "io.k8s.apimachinery.pkg.apis.meta.v1.%s", type + 5);
		return;
	}
	if (!sv_cut(sv_c(type), '/', &group, &rest)) {
		str_addc(out, type);
		return;
	}
	if (!memchr(group.p, '.', group.n)) {
		str_addf(out, "io.k8s.api." SV_FMT "." SV_FMT, SV_ARG(group), SV_ARG(rest));
		return;
	}
	for (domain = group; sv_cut_last(domain, '.', &domain, &host);)
		str_addf(out, SV_FMT ".", SV_ARG(host));
	str_addf(out, SV_FMT "." SV_FMT, SV_ARG(domain), SV_ARG(rest));
}

static struct node *reference(struct model *m, const struct type *t)
{
	struct node *n = node_map(m->d);
	AUTO(str) name = { 0 };

	add_type(m, t);
	definition_name(&name, t->name);
	node_set(m->d, n, "$ref",
		 node_strf(m->d, "#/%s/%s", m->v3 ? "components/schemas" : "definitions", str_c(&name)));
	return n;
}

/* ---- fields ---- */

static const struct { const char *type, *format;
} simple[] = {
	[FIELD_STR] = { "string" },
	[FIELD_INT32] = { "integer", "int32" },
	[FIELD_INT64] = { "integer", "int64" },
	[FIELD_NUMBER] = { "number", "double" },
	[FIELD_BOOL] = { "boolean" },
	[FIELD_INT_OR_STR] = { "string", "int-or-string" },
	[FIELD_QUANTITY] = { "string" },
	[FIELD_TIME] = { "string", "date-time" },
	[FIELD_MICRO_TIME] = { "string", "date-time" },
	[FIELD_DURATION] = { "string" },
	[FIELD_BYTES] = { "string", "byte" },
	[FIELD_RAW] = { NULL },
};

static struct node *typed(struct doc *d, const char *type)
{
	struct node *n = node_map(d);

	node_set(d, n, "type", node_str(d, type));
	return n;
}

static struct node *one(struct model *m, const struct field *f)
{
	struct node *n;

	if (f->type == FIELD_OBJECT && f->of)
		return reference(m, f->of);
	if (f->type == FIELD_OBJECT || !simple[f->type].type) {
		n = f->type == FIELD_OBJECT ? typed(m->d, "object") : node_map(m->d);
		node_set(m->d, n, "x-kubernetes-preserve-unknown-fields", node_bool(m->d, true));
		return n;
	}
	n = typed(m->d, simple[f->type].type);
	if (simple[f->type].format)
		node_set(m->d, n, "format", node_str(m->d, simple[f->type].format));
	return n;
}

struct node *word_list(struct doc *d, const char *list, char by)
{
	struct node *out = node_seq(d);
	struct sv rest = sv_c(list), head;

	while (rest.n) {
		struct sv all = rest;

		if (!sv_cut(all, by, &head, &rest))
			rest = SV("");
		if (head.n)
			node_add(d, out, node_strn(d, head));
	}
	return out;
}

static void add_extensions(struct model *m, struct node *n, const struct field *f)
{
	struct doc *d = m->d;

	if (f->flags & (FIELD_MERGE | FIELD_RETAIN_KEYS))
		node_set(d, n, "x-kubernetes-patch-strategy", node_str(d, !(f->flags & FIELD_RETAIN_KEYS) ? "merge" :
			 f->flags & FIELD_MERGE ? "merge,retainKeys" : "retainKeys"));
	if (f->merge_key)
		node_set(d, n, "x-kubernetes-patch-merge-key", node_str(d, f->merge_key));
	if (f->container == FIELD_LIST)
		node_set(d, n, "x-kubernetes-list-type",
			 node_str(d, f->flags & FIELD_LIST_MAP	 ? "map"
				     : f->flags & FIELD_LIST_SET ? "set"
								 : "atomic"));
	else if (f->flags & FIELD_ATOMIC)
		node_set(d, n, "x-kubernetes-map-type", node_str(d, "atomic"));
	if (f->flags & FIELD_LIST_MAP)
		node_set(d, n, "x-kubernetes-list-map-keys", word_list(d, f->list_keys ? f->list_keys : "", ','));
}

static struct node *field_schema(struct model *m, const struct field *f)
{
	struct node *n = one(m, f), *outer;
	struct doc *d = m->d;

	if (f->choices)
		node_set(d, n, "enum", word_list(d, f->choices, '|'));
	if (f->container == FIELD_LIST || f->container == FIELD_MAP) {
		outer = typed(d, f->container == FIELD_LIST ? "array" : "object");
		node_set(d, outer, f->container == FIELD_LIST ? "items" : "additionalProperties", n);
		n = outer;
	} else if (m->v3 && node_get(n, "$ref") &&
		   (f->help || f->flags & (FIELD_RETAIN_KEYS | FIELD_MERGE | FIELD_ATOMIC))) {
		outer = node_map(d);            /* in 3.0 nothing may stand beside a reference */
		node_add(d, node_seq_at(d, outer, "allOf"), n);
		n = outer;
	}
	if (f->help)
		node_set(d, n, "description", node_str(d, f->help));
	add_extensions(m, n, f);
	return n;
}

/* ---- types ---- */

static struct node *object_schema(struct model *m, const struct type *t)
{
	struct node *n = typed(m->d, "object"), *properties = node_map(m->d), *required = node_seq(m->d);

	for (size_t i = 0; i < t->n_fields; i++) {
		node_set(m->d, properties, t->fields[i].name, field_schema(m, &t->fields[i]));
		if (t->fields[i].flags & FIELD_REQUIRED)
			node_add(m->d, required, node_str(m->d, t->fields[i].name));
	}
	if (properties->n)
		node_set(m->d, n, "properties", properties);
	if (required->n)
		node_set(m->d, n, "required", required);
	return n;
}

static void add_type(struct model *m, const struct type *t)
{
	AUTO(str) name = { 0 };

	definition_name(&name, t->name);
	if (map_get(&m->seen, str_sv(&name)))
		return;
	(void)map_put(&m->seen, str_sv(&name), m);
	struct node *schema = object_schema(m, t);
	node_set(m->d, m->schemas, str_c(&name), schema);
}

/* ---- kinds ---- */

static struct node *gvk(struct doc *d, const struct kind *k)
{
	struct node *n = node_map(d);

	node_set(d, n, "group", node_str(d, k->group));
	node_set(d, n, "kind", node_str(d, k->kind));
	node_set(d, n, "version", node_str(d, k->version));
	return n;
}

/* The name of a kind's own definition; free form kinds have one too. */
static void kind_definition(struct str *out, const struct kind *k)
{
	if (k->type) {
		definition_name(out, k->type->name);
		return;
	}
	char *type = str_fmt("%s/%s.%s", k->group, k->version, k->kind);

	definition_name(out, type);
	free(type);
}

/* A custom kind: its definition's own schema, with the metadata that it leaves out. */
static struct node *custom_schema(struct model *m, const struct kind *k)
{
	const struct node *own = m->source->custom_schema(m->source->arg, k);
	struct node *schema = own ? node_copy(m->d, own) : typed(m->d, "object");

	if (own)
		node_set(m->d, node_map_at(m->d, schema, "properties"), "metadata",
			 reference(m, builtin_type("meta.ObjectMeta")));
	else
		node_set(m->d, schema, "x-kubernetes-preserve-unknown-fields", node_bool(m->d, true));
	return schema;
}

static void add_kind(struct model *m, const struct kind *k)
{
	static const char *const own[] = { "kind", "apiVersion" };
	struct doc *d = m->d;
	struct node *all = node_seq(d), *schema;
	AUTO(str) name = { 0 };

	kind_definition(&name, k);
	if (k->type)
		add_type(m, k->type);
	if (!(schema = node_get(m->schemas, str_c(&name)))) {
		schema = custom_schema(m, k);
		node_set(d, m->schemas, str_c(&name), schema);
	}
	for (size_t i = 0; i < 2; i++)
		node_set(d, node_map_at(d, schema, "properties"), own[i], typed(d, "string"));
	node_add(d, all, gvk(d, k));
	node_set(d, schema, "x-kubernetes-group-version-kind", all);
}

/* ---- paths: what clients look for is the parameters of PATCH, and which kind a path is of ---- */

static struct node *parameter(struct model *m, const char *name, const char *type)
{
	struct doc *d = m->d;
	struct node *p = node_map(d);

	node_set(d, p, "name", node_str(d, name));
	node_set(d, p, "in", node_str(d, "query"));
	if (m->v3)
		node_set(d, p, "schema", typed(d, type));
	else
		node_set(d, p, "type", node_str(d, type));
	return p;
}

static struct node *operation(struct model *m, const struct kind *k, const char *action, bool writes)
{
	struct doc *d = m->d;
	struct node *o = node_map(d), *list = node_seq(d);

	if (writes) {
		node_add(d, list, parameter(m, "dryRun", "string"));
		node_add(d, list, parameter(m, "fieldManager", "string"));
		node_add(d, list, parameter(m, "fieldValidation", "string"));
		node_add(d, list, parameter(m, "force", "boolean"));
		node_set(d, o, "parameters", list);
	}
	node_put(d, o, "responses.200.description", node_str(d, "OK"));
	node_set(d, o, "x-kubernetes-action", node_str(d, action));
	node_set(d, o, "x-kubernetes-group-version-kind", gvk(d, k));
	return o;
}

static void add_paths(struct model *m, struct node *paths, const struct kind *k)
{
	struct doc *d = m->d;
	struct node *list = node_map(d), *object = node_map(d);
	AUTO(str) path = { 0 };

	str_addf(&path, "/%s%s/%s/%s%s", *k->group ? "apis/" : "api", k->group, k->version,
		 k->namespaced ? "namespaces/{namespace}/" : "", k->plural);
	node_set(d, list, "get", operation(m, k, "list", false));
	node_set(d, list, "post", operation(m, k, "post", true));
	node_set(d, object, "get", operation(m, k, "get", false));
	node_set(d, object, "put", operation(m, k, "put", true));
	node_set(d, object, "patch", operation(m, k, "patch", true));
	node_set(d, paths, str_c(&path), list);
	str_addc(&path, "/{name}");
	node_set(d, paths, str_c(&path), object);
}

static size_t fill(struct model *m, const char *group, const char *version, struct node *paths)
{
	const struct kinds *kinds = m->source->kinds;
	size_t n = 0;

	for (size_t i = 0; i < kinds_n(kinds); i++) {
		const struct kind *k = kinds_at(kinds, i);

		if (group && (strcmp(k->group, group) || strcmp(k->version, version)))
			continue;
		add_kind(m, k);
		add_paths(m, paths, k);
		n++;
	}
	map_free(&m->seen);
	return n;
}

static struct node *document(struct doc *d, const char *key, const char *of, const char *program_version)
{
	struct node *root = node_map(d);

	node_set(d, root, key, node_str(d, of));
	node_put(d, root, "info.title", node_str(d, "Kubernetes"));
	node_put(d, root, "info.version", node_strf(d, "v1.30.0+cd-%s", program_version));
	return root;
}

struct node *openapi_v2(struct doc *d, const struct openapi_source *s)
{
	struct node *root = document(d, "swagger", "2.0", s->program_version), *paths = node_map(d);
	struct model m = { .d = d, .schemas = node_map(d), .source = s };

	(void)fill(&m, NULL, NULL, paths);
	node_set(d, root, "paths", paths);
	node_set(d, root, "definitions", m.schemas);
	return root;
}

struct node *openapi_v3(struct doc *d, const struct openapi_source *s, const char *group, const char *version)
{
	struct node *root = document(d, "openapi", "3.0.0", s->program_version), *paths = node_map(d);
	struct model m = { .d = d, .v3 = true, .schemas = node_map(d), .source = s };

	if (!fill(&m, group, version, paths))
		return NULL;
	node_set(d, root, "paths", paths);
	node_set(d, node_map_at(d, root, "components"), "schemas", m.schemas);
	return root;
}
