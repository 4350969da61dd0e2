#include "render/kustomize/openapi.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/map.h"
#include "kube/schema/tables.h"

#define STRATEGY "x-kubernetes-patch-strategy"
#define MERGE_KEY "x-kubernetes-patch-merge-key"
#define LIST_KEYS "x-kubernetes-list-map-keys"
#define KINDS "x-kubernetes-group-version-kind"
#define DEPTH_MAX 64

struct openapi {
	struct kinds *builtin;          /* NULL: only custom ones */
	struct doc *arena;              /* of custom types */
	struct map types;               /* definition -> struct type * */
	struct map kinds;               /* "apps/v1 Deployment" -> struct type * */
	const struct node *definitions;
	struct map comments;            /* "FILE:LINE" -> struct field * */
};

struct openapi *openapi_builtin(void)
{
	struct openapi *o = calloc(1, sizeof(*o));

	if (!o)
		abort();
	o->builtin = kinds_new();
	o->arena = doc_new();
	return o;
}

void openapi_free(struct openapi **op)
{
	struct openapi *o = TAKE(*op);

	if (!o)
		return;
	kinds_free(&o->builtin);
	map_free(&o->types);
	map_free(&o->kinds);
	map_free(&o->comments);
	doc_drop(&o->arena);
	free(o);
}

static void kind_key(struct str *key, const char *api_version, const char *kind)
{
	str_cut(key, 0);
	str_addf(key, "%s %s", api_version, kind);
}

/* kustomize knows the kinds of Kubernetes 1.21, when these old versions were still served: their lists have the keys of
 * the present ones. */
static const struct { const char *old, *kind, *now; } old_versions[] = {
	{ "admissionregistration.k8s.io/v1beta1", NULL, "admissionregistration.k8s.io/v1" },
	{ "apiextensions.k8s.io/v1beta1", NULL, "apiextensions.k8s.io/v1" },
	{ "apiregistration.k8s.io/v1beta1", NULL, "apiregistration.k8s.io/v1" },
	{ "autoscaling/v2beta1", NULL, "autoscaling/v2" },
	{ "autoscaling/v2beta2", NULL, "autoscaling/v2" },
	{ "batch/v1beta1", NULL, "batch/v1" },
	{ "certificates.k8s.io/v1beta1", NULL, "certificates.k8s.io/v1" },
	{ "coordination.k8s.io/v1beta1", NULL, "coordination.k8s.io/v1" },
	{ "discovery.k8s.io/v1beta1", NULL, "discovery.k8s.io/v1" },
	{ "events.k8s.io/v1beta1", NULL, "events.k8s.io/v1" },
	{ "extensions/v1beta1", "Ingress", "networking.k8s.io/v1" },
	{ "networking.k8s.io/v1beta1", NULL, "networking.k8s.io/v1" },
	{ "node.k8s.io/v1beta1", NULL, "node.k8s.io/v1" },
	{ "policy/v1beta1", NULL, "policy/v1" },
	{ "rbac.authorization.k8s.io/v1beta1", NULL, "rbac.authorization.k8s.io/v1" },
	{ "scheduling.k8s.io/v1beta1", NULL, "scheduling.k8s.io/v1" },
	{ "storage.k8s.io/v1beta1", NULL, "storage.k8s.io/v1" },
};

/* Kubernetes' own groups have no dot, or end so; our tables know others besides, and kustomize does not. */
static bool is_kubernetes(const char *api_version)
{
	struct sv group = sv_c(api_version);

	group.n = strcspn(api_version, "/");
	return !memchr(group.p, '.', group.n) || sv_ends(group, SV(".k8s.io")) || !api_version[group.n];
}

static const struct kind *builtin_kind(const struct openapi *o, const char *api_version, const char *kind)
{
	if (!is_kubernetes(api_version))
		return NULL;
	for (size_t i = 0; i < sizeof(old_versions) / sizeof(*old_versions); i++)
		if (str_eq(api_version, old_versions[i].old) && (!old_versions[i].kind || str_eq(kind, old_versions[i].kind)))
			api_version = old_versions[i].now;
	return kinds_find(o->builtin, api_version, kind);
}

const struct type *openapi_type(const struct openapi *o, const char *api_version, const char *kind)
{
	AUTO(str) key = { 0 };
	const struct kind *k = o->builtin ? builtin_kind(o, api_version, kind) : NULL;

	if (k)
		return k->type;
	kind_key(&key, api_version, kind);
	return map_get(&o->kinds, str_sv(&key));
}

/* ---- reading a document: one type for each definition, made when it is first named ---- */

static const struct type *definition(struct openapi *o, const char *name, int depth);
static void read_type(struct openapi *o, struct type *t, const struct node *schema, int depth);

static const char *ref_name(const struct node *schema)
{
	const char *ref = node_text(node_get(schema, "$ref")), *slash = ref ? strrchr(ref, '/') : NULL;

	return slash ? slash + 1 : ref;
}

/* The type of a schema that describes a mapping: a named one, or one that stands right here. */
static const struct type *type_of(struct openapi *o, const struct node *schema, int depth)
{
	const char *ref = ref_name(schema);
	struct type *t;

	if (ref)
		return definition(o, ref, depth);
	if (!node_get(schema, "properties") || depth > DEPTH_MAX)
		return NULL;
	t = doc_alloc(o->arena, sizeof(*t));
	read_type(o, t, schema, depth + 1);
	return t;
}

static const char *joined(struct openapi *o, const struct node *list)
{
	AUTO(str) out = { 0 };
	const struct node *item;

	node_each(item, list)
		str_addf(&out, "%s%.*s", out.n ? "," : "", SV_ARG(node_sv(item)));
	return out.n ? doc_text(o->arena, str_sv(&out)) : NULL;
}

static void read_field(struct openapi *o, struct field *f, const char *name, const struct node *schema, int depth)
{
	const struct node *items = node_get(schema, "items"), *values = node_get(schema, "additionalProperties");
	const char *strategy = node_str_or(schema, STRATEGY, "");
	bool list = str_eq(node_text(node_get(schema, "type")), "array");

	f->name = name;
	f->container = list ? FIELD_LIST : node_is(values, NODE_MAP) ? FIELD_MAP : FIELD_ONE;
	f->of = type_of(o, list ? items : f->container == FIELD_MAP ? values : schema, depth);
	f->type = f->of ? FIELD_OBJECT : FIELD_RAW;
	f->flags = strstr(strategy, "merge") ? FIELD_MERGE : 0;
	f->merge_key = node_text(node_get(schema, MERGE_KEY));
	f->list_keys = joined(o, node_get(schema, LIST_KEYS));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct field *)a)->name, ((const struct field *)b)->name);
}

static void read_type(struct openapi *o, struct type *t, const struct node *schema, int depth)
{
	const struct node *properties = node_get(schema, "properties");
	struct field *fields = doc_alloc(o->arena, (node_n(properties) + 1) * sizeof(*fields));
	const struct member *m;

	node_members(m, properties)
		read_field(o, &fields[t->n_fields++], m->key, m->value, depth);
	if (t->n_fields)
		qsort(fields, t->n_fields, sizeof(*fields), by_name);
	t->fields = fields;
}

/* "io.k8s.api.core.v1.PodSpec" is "core/v1.PodSpec" in the tables. */
static const struct type *builtin_definition(const char *name)
{
	static const char api[] = "io.k8s.api.";
	const char *group = name + sizeof(api) - 1, *dot;
	AUTO(str) own = { 0 };

	if (strncmp(name, api, sizeof(api) - 1) != 0 || !(dot = strchr(group, '.')))
		return NULL;
	str_addf(&own, "%.*s/%s", (int)(dot - group), group, dot + 1);
	return builtin_type(str_c(&own));
}

static const struct type *definition(struct openapi *o, const char *name, int depth)
{
	const struct type *builtin = o->builtin ? builtin_definition(name) : NULL;
	struct type *t = map_get(&o->types, sv_c(name));
	const struct node *schema = node_get(o->definitions, name);

	if (builtin)
		return builtin;
	if (t || !schema || depth > DEPTH_MAX)
		return t;
	t = doc_alloc(o->arena, sizeof(*t));
	t->name = name;
	map_put(&o->types, sv_c(name), t);      /* before its fields, which may be of this type */
	read_type(o, t, schema, depth + 1);
	return t;
}

static void add_kinds(struct openapi *o, const char *name, const struct node *schema)
{
	const struct node *one;
	AUTO(str) api = { 0 };
	AUTO(str) key = { 0 };

	node_each(one, node_get(schema, KINDS)) {
		const char *group = node_str_or(one, "group", "");

		str_cut(&api, 0);
		str_addf(&api, "%s%s%s", group, *group ? "/" : "", node_str_or(one, "version", ""));
		kind_key(&key, str_c(&api), node_str_or(one, "kind", ""));
		map_put(&o->kinds, str_sv(&key), (void *)definition(o, name, 0));
	}
}

int openapi_custom(const struct doc *d, bool also_builtin, struct openapi **out, struct err *err)
{
	const struct node *definitions = node_get(doc_root(d), "definitions");
	const struct member *m;
	struct openapi *o;
	char where[256];

	if (!node_is(doc_root(d), NODE_MAP) || (definitions && !node_is(definitions, NODE_MAP)))
		return err_set(err, ERR_INVALID, "%s: not an OpenAPI document: `definitions` with a schema each was expected",
			       node_where(d, doc_root(d), where));
	o = calloc(1, sizeof(*o));
	if (!o)
		abort();
	o->builtin = also_builtin ? kinds_new() : NULL;
	o->arena = doc_new();
	o->definitions = definitions;
	node_members(m, definitions)
		add_kinds(o, m->key, m->value);
	*out = o;
	return 0;
}

/* ---- schemas in comments ---- */

static void comment_key(struct str *key, const char *file, uint32_t line)
{
	str_cut(key, 0);
	str_addf(key, "%s:%u", file, line);
}

static void read_comment(struct openapi *o, struct sv json, const char *file, uint32_t line)
{
	AUTO_DOC d = NULL;
	AUTO(str) key = { 0 };
	struct field *f;

	if (json_read(json, file, 0, &d, NULL) < 0 || !node_get(doc_root(d), STRATEGY))
		return;
	f = doc_alloc(o->arena, sizeof(*f));
	read_field(o, f, "", node_copy(o->arena, doc_root(d)), 0);
	comment_key(&key, file, line);
	map_put(&o->comments, str_sv(&key), f);
}

void openapi_read_comments(struct openapi *o, struct sv text, const char *file)
{
	struct sv line;
	uint32_t n = 0;

	while (text.n) {
		const char *at;

		sv_cut(text, '\n', &line, &text);
		n++;
		at = line.n ? memmem(line.p, line.n, "# {", 3) : NULL;
		if (at)
			read_comment(o, sv_drop(line, (size_t)(at + 2 - line.p)), file, sv_trim(line).p == at ? n + 1 : n);
	}
}

const struct field *openapi_comment(const struct openapi *o, const char *file, uint32_t line)
{
	AUTO(str) key = { 0 };

	if (!o->comments.n)
		return NULL;
	comment_key(&key, file, line);
	return map_get(&o->comments, str_sv(&key));
}
