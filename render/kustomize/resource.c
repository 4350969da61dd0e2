#include "render/kustomize/resource.h"

#include <stdlib.h>

#include "render/kustomize/scope.h"
#include "render/trail.h"

static void *zeroed(size_t n)
{
	void *p = calloc(1, n);

	if (!p)
		abort();
	return p;
}

struct resource *resource_new(struct doc *take)
{
	struct resource *r = zeroed(sizeof(*r));

	r->doc = take;
	r->root = doc_root(take);
	return r;
}

struct resource *resource_copy(const struct resource *r)
{
	struct resource *c = resource_new(doc_copy(r->doc));

	c->behavior = r->behavior;
	c->hashed = r->hashed;
	c->allow_name = r->allow_name;
	c->allow_kind = r->allow_kind;
	c->origin = r->origin;
	return c;
}

void resource_drop(struct resource **rp)
{
	struct resource *r = TAKE(*rp);

	if (!r)
		return;
	vec_free(&r->formers);
	vec_free(&r->prefixes);
	vec_free(&r->suffixes);
	vec_free(&r->vars);
	vec_free(&r->changes);
	trail_drop(&r->trail);
	doc_drop(&r->doc);
	free(r);
}

/* ---- identities ---- */

static const char *text_at(const struct node *map, const char *key)
{
	struct sv s = node_sv(node_get(map, key));

	return s.n ? s.p : "";
}

static void split_api(struct doc *d, const char *api, struct id *id)
{
	struct sv group, version;

	if (sv_cut(sv_c(api), '/', &group, &version)) {
		id->group = doc_text(d, group);
		id->version = version.p;
	} else {
		id->group = "";
		id->version = api;
	}
}

struct id id_of(struct doc *arena, const struct node *root)
{
	const struct node *metadata = node_get(root, "metadata");
	struct id id = { .kind = text_at(root, "kind"), .name = text_at(metadata, "name"), .ns = text_at(metadata, "namespace") };

	split_api(arena, text_at(root, "apiVersion"), &id);
	return id;
}

const struct id *resource_id(struct resource *r)
{
	const char *api = text_at(r->root, "apiVersion");
	const struct node *metadata = node_get(r->root, "metadata");

	if (api != r->id_api) {
		split_api(r->doc, api, &r->id);
		r->id_api = api;
	}
	r->id.kind = text_at(r->root, "kind");
	r->id.name = text_at(metadata, "name");
	r->id.ns = text_at(metadata, "namespace");
	return &r->id;
}

size_t resource_n_ids(struct resource *r) { return r->formers.n + 1; }

struct id resource_id_at(struct resource *r, size_t i)
{
	struct id id = *resource_id(r);

	if (i >= r->formers.n)
		return id;
	id.kind = r->formers.v[i].kind;
	id.name = r->formers.v[i].name;
	id.ns = r->formers.v[i].ns;
	return id;
}

struct id resource_original(struct resource *r) { return resource_id_at(r, 0); }

void resource_remember(struct resource *r)
{
	const struct id *id = resource_id(r);
	struct former f = {
		doc_text(r->doc, sv_c(id_ns(id))), doc_text(r->doc, sv_c(id->name)), doc_text(r->doc, sv_c(id->kind)),
	};

	vec_push(&r->formers, f);
	resource_annotate(r);
}

bool id_cluster_scoped(const struct id *id) { return scope_is_cluster(id->group, id->version, id->kind); }

const char *id_ns(const struct id *id)
{
	if (id_cluster_scoped(id))
		return NS_NONE;
	return *id->ns ? id->ns : "default";
}

bool id_eq(const struct id *a, const struct id *b)
{
	return !strcmp(a->name, b->name) && !strcmp(a->kind, b->kind) && !strcmp(a->group, b->group) &&
	       !strcmp(a->version, b->version) && !strcmp(id_ns(a), id_ns(b));
}

char *id_text(const struct id *id)
{
	return str_fmt("%s.%s.%s/%s.%s", *id->kind ? id->kind : "[noKind]", *id->version ? id->version : "[noVer]",
		       *id->group ? id->group : "[noGrp]", *id->name ? id->name : "[noName]", *id->ns ? id->ns : "[noNs]");
}

static bool part_selected(const char *part, const char *want) { return !want || !*want || !strcmp(part, want); }

bool gvk_selected(const struct id *id, const char *group, const char *version, const char *kind)
{
	return part_selected(id->kind, kind) && part_selected(id->group, group) && part_selected(id->version, version);
}

/* ---- metadata ---- */

struct node *resource_metadata(struct resource *r)
{
	struct node *m = node_get(r->root, "metadata");

	if (!node_is(m, NODE_MAP)) {
		m = node_map(r->doc);
		node_set(r->doc, r->root, "metadata", m);
	}
	return m;
}

void resource_set_name(struct resource *r, const char *name)
{
	node_set(r->doc, resource_metadata(r), "name", node_str(r->doc, name));
}

void resource_set_ns(struct resource *r, const char *ns)
{
	if (*ns)
		node_set(r->doc, resource_metadata(r), "namespace", node_str(r->doc, ns));
	else
		node_del(node_get(r->root, "metadata"), "namespace");
}

void resource_set_kind(struct resource *r, const char *kind)
{
	node_set(r->doc, r->root, "kind", node_str(r->doc, kind));
}

const struct node *resource_labels(const struct resource *r) { return node_get(node_get(r->root, "metadata"), "labels"); }
const struct node *resource_annotations(const struct resource *r)
{
	return node_get(node_get(r->root, "metadata"), "annotations");
}

/* Its text as it was written; of a null, too. */
static struct sv written(const struct node *n)
{
	if (n->type == NODE_NULL)
		return n->n == 1 ? SV("~") : n->n ? SV("null") : SV("");
	return node_sv(n);
}

static void as_texts(struct resource *r, struct node *marks)
{
	struct member *m;

	node_members(m, marks)
		if (!node_is(m->value, NODE_STR) || (m->value->flags & NODE_TIME))
			m->value = node_strn(r->doc, written(m->value));
}

struct node *resource_annotate(struct resource *r)
{
	struct node *metadata = resource_metadata(r), *all = node_get(metadata, "annotations");

	if (!node_is(all, NODE_MAP)) {
		all = node_map(r->doc);
		node_set(r->doc, metadata, "annotations", all);
	}
	as_texts(r, all);
	return all;
}

void resource_settle_marks(struct resource *r)
{
	static const char *const fields[] = { "labels", "annotations" };
	struct node *metadata = node_get(r->root, "metadata");

	for (size_t i = 0; i < 2; i++) {
		struct node *marks = node_get(metadata, fields[i]);

		as_texts(r, marks);
		if (marks && !node_n(marks))
			node_del(metadata, fields[i]);
	}
}
