#include "render/kustomize/config.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_DEPTH 32    /* of references between the types of a crds file */

/* ---- merging ---- */

static bool same_kind(const struct name_reference *a, const struct name_reference *b)
{
	return !strcmp(a->group ? a->group : "", b->group ? b->group : "") && !strcmp(a->kind ? a->kind : "", b->kind ? b->kind : "") &&
	       !strcmp(a->version ? a->version : "", b->version ? b->version : "");
}

static int merge_names(struct doc *arena, struct config *to, const struct name_reference *one, struct err *err)
{
	struct name_reference *grown;

	for (size_t i = 0; i < to->names.n; i++) {
		struct fieldspecs all = { to->names.v[i].fields.v, to->names.v[i].fields.n };

		if (!same_kind(&to->names.v[i], one))
			continue;
		for (size_t j = 0; j < one->fields.n; j++)
			TRY(fieldspecs_merge(arena, &all, &one->fields.v[j], err));
		to->names.v[i].fields.v = (struct fieldspec *)all.v;
		to->names.v[i].fields.n = all.n;
		return 0;
	}
	grown = doc_alloc(arena, (to->names.n + 1) * sizeof(*grown));
	if (to->names.n)
		memcpy(grown, to->names.v, to->names.n * sizeof(*grown));
	grown[to->names.n++] = *one;
	to->names.v = grown;
	return 0;
}

/* As kinds are ordered: well-known ones first, the rest by group, version and kind, where empty parts come last. */
static int by_kind(const void *pa, const void *pb)
{
	const struct fieldspec *const *a = pa, *const *b = pb;
	char keys[2][512];

	for (int i = 0; i < 2; i++) {
		const struct fieldspec *f = i ? *b : *a;
		const char *group = f->group && *f->group ? f->group : "~G", *version = f->version && *f->version ? f->version : "~V";

		snprintf(keys[i], sizeof(keys[i]), "%s_%s_%s", group, version, f->kind && *f->kind ? f->kind : "~K");
	}
	int order = strcmp(keys[0], keys[1]);
	return order ? order : *a < *b ? -1 : *a > *b;
}

/* The order matters to what is merged later: a specification for one kind that is there first hides one for every kind. */
static void sort(struct doc *arena, struct fieldspecs *all)
{
	const struct fieldspec **order = doc_alloc(arena, (all->n + 1) * sizeof(*order));
	struct fieldspec *sorted = doc_alloc(arena, (all->n + 1) * sizeof(*sorted));

	for (size_t i = 0; i < all->n; i++)
		order[i] = &all->v[i];
	qsort(order, all->n, sizeof(*order), by_kind);
	for (size_t i = 0; i < all->n; i++)
		sorted[i] = *order[i];
	all->v = sorted;
}

static bool is_builtin(const struct fieldspecs *all, int list) { return all->v == config_builtin.lists[list].v; }

static int merge_list(struct doc *arena, struct config *to, const struct config *from, int l, struct err *err)
{
	if (!from->lists[l].n || (to->lists[l].v == from->lists[l].v && to->lists[l].n == from->lists[l].n))
		return 0;
	if (!to->lists[l].n && is_builtin(&from->lists[l], l)) {
		to->lists[l] = from->lists[l];
		return 0;
	}
	for (size_t i = 0; i < from->lists[l].n; i++)
		TRY(fieldspecs_merge(arena, &to->lists[l], &from->lists[l].v[i], err));
	sort(arena, &to->lists[l]);
	return 0;
}

int config_merge(struct doc *arena, struct config *to, const struct config *from, struct err *err)
{
	for (int l = 0; l < CONFIG_LISTS; l++)
		TRY(merge_list(arena, to, from, l, err));
	if (to->names.v == from->names.v)
		return 0;
	for (size_t i = 0; i < from->names.n; i++)
		TRY(merge_names(arena, to, &from->names.v[i], err));
	return 0;
}

/* ---- configurations: ---- */

static const struct shape_field name_reference_fields[] = {
	FIELD_OF(name_reference, group, "group", STR),
	FIELD_OF(name_reference, version, "version", STR),
	FIELD_OF(name_reference, kind, "kind", STR),
	FIELD_IN(name_reference, fields, "fieldSpecs", MANY, fieldspec_shape),
	{ 0 }
};
static const struct shape name_reference_shape = { sizeof(struct name_reference), name_reference_fields };

struct file {
	const struct node *at;
	MANY(struct fieldspec) lists[CONFIG_LISTS];
	MANY(struct name_reference) names;
};
#define LIST(index, wire) { wire, SHAPE_MANY, offsetof(struct file, lists) + (index) * sizeof(((struct file *)0)->lists[0]), \
			    &fieldspec_shape }
static const struct shape_field file_fields[] = {
	LIST(CONFIG_NAME_PREFIX, "namePrefix"),
	LIST(CONFIG_NAME_SUFFIX, "nameSuffix"),
	LIST(CONFIG_NAMESPACE, "namespace"),
	LIST(CONFIG_COMMON_LABELS, "commonLabels"),
	LIST(CONFIG_LABELS, "labels"),
	LIST(CONFIG_TEMPLATE_LABELS, "templateLabels"),
	LIST(CONFIG_CLAIM_LABELS, "volumeClaimTemplateLabels"),
	LIST(CONFIG_COMMON_ANNOTATIONS, "commonAnnotations"),
	LIST(CONFIG_VAR_REFERENCE, "varReference"),
	LIST(CONFIG_IMAGES, "images"),
	LIST(CONFIG_REPLICAS, "replicas"),
	FIELD_IN(file, names, "nameReference", MANY, name_reference_shape),
	{ 0 }
};
static const struct shape file_shape = { sizeof(struct file), file_fields };

int config_read(struct doc *arena, const struct doc *doc, struct config *out, struct err *err)
{
	struct shape_source from = { arena, doc, SHAPE_LOOSE_TEXT };
	struct file file = { 0 };

	*out = (struct config){ 0 };
	TRY(shape_read(&from, doc_root(doc), "", &file_shape, &file, err));
	for (int l = 0; l < CONFIG_LISTS; l++)
		out->lists[l] = (struct fieldspecs){ file.lists[l].v, file.lists[l].n };
	out->names.v = file.names.v;
	out->names.n = file.names.n;
	return 0;
}

/* ---- crds: ---- */

struct crds {
	struct doc *arena;
	const struct node *types;
	const char *kind;
	struct config *out;
	struct err *err;
};

static struct fieldspec field_at(struct crds *c, const char *path)
{
	return (struct fieldspec){ .kind = c->kind, .path = doc_text(c->arena, sv_c(path)) };
}

static int add_reference(struct crds *c, const struct node *property, const char *path)
{
	const char *version = node_text(node_get(property, "x-kubernetes-object-ref-api-version"));
	const char *kind = node_text(node_get(property, "x-kubernetes-object-ref-kind"));
	const char *key = node_str_or(property, "x-kubernetes-object-ref-name-key", "name");
	struct name_reference one = { .version = version, .kind = kind };
	AUTO(str) full = { 0 };

	if (!version || !kind)
		return 0;
	str_addf(&full, "%s/%s", path, key);
	one.fields.v = doc_alloc(c->arena, sizeof(*one.fields.v));
	one.fields.v[0] = field_at(c, str_c(&full));
	one.fields.n = 1;
	return merge_names(c->arena, c->out, &one, c->err);
}

static int add_property(struct crds *c, const struct node *property, const char *path)
{
	static const struct { const char *extension; enum config_list list; } lists[] = {
		{ "x-kubernetes-annotation", CONFIG_COMMON_ANNOTATIONS },
		{ "x-kubernetes-label-selector", CONFIG_COMMON_LABELS },
		{ "x-kubernetes-identity", CONFIG_NAME_PREFIX },
	};
	struct fieldspec f;

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		if (!node_text(node_get(property, lists[i].extension)))
			continue;
		f = field_at(c, path);
		TRY(fieldspecs_merge(c->arena, &c->out->lists[lists[i].list], &f, c->err));
	}
	return add_reference(c, property, path);
}

static int add_type(struct crds *c, const char *type, const char *path, int depth)
{
	const struct node *properties = node_get(node_get(node_get(c->types, type), "Schema"), "properties");
	const struct member *m;
	AUTO(str) below = { 0 };

	if (depth > MAX_DEPTH)
		return 0;
	node_members(m, properties) {
		const char *ref = node_text(node_get(m->value, "$ref"));

		str_cut(&below, 0);
		str_addf(&below, "%s%s%s", path, *path ? "/" : "", m->key);
		TRY(add_property(c, m->value, str_c(&below)));
		if (ref)
			TRY(add_type(c, ref, str_c(&below), depth + 1));
	}
	return 0;
}

int config_read_crds(struct doc *arena, const struct doc *file, struct config *out, struct err *err)
{
	struct crds c = { arena, doc_root(file), NULL, out, err };
	const struct member *m;

	*out = (struct config){ 0 };
	node_members(m, c.types) {
		const struct node *p = node_get(node_get(m->value, "Schema"), "properties");
		const char *dot = strrchr(m->key, '.');

		if (!node_get(p, "kind") || !node_get(p, "apiVersion") || !node_get(p, "metadata"))
			continue;
		c.kind = dot ? dot + 1 : m->key;
		TRY(add_type(&c, m->key, "", 0));
	}
	return 0;
}
