#include "kube/object.h"

#include <stdlib.h>

static const char *text_or_empty(const struct node *n, const char *key)
{
	const char *s = node_text(node_get(n, key));

	return s ? s : "";
}

struct object *object_new(const struct kind *kind, struct doc *take)
{
	const struct node *meta = node_get(doc_root(take), "metadata");
	struct object *o = calloc(1, sizeof *o);

	if (!o)
		abort();
	*o = (struct object){ .refs = 1, .kind = kind, .doc = take, .root = doc_root(take),
			      .ns = text_or_empty(meta, "namespace"), .name = text_or_empty(meta, "name"),
			      .uid = text_or_empty(meta, "uid") };
	if (!sv_to_i64(sv_c(text_or_empty(meta, "resourceVersion")), &o->revision))
		o->revision = 0;
	return o;
}

struct object *object_ref(struct object *o)
{
	if (o)
		o->refs++;
	return o;
}

void object_drop(struct object **op)
{
	struct object *o = TAKE(*op);

	if (!o || --o->refs)
		return;
	doc_drop(&o->doc);
	free(o);
}

void object_list_free(struct object_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		object_drop(&l->v[i]);
	free(l->v);
	free(l->token);
	*l = (struct object_list){ 0 };
}

char *object_key(const char *ns, const char *name)
{
	return ns && *ns ? str_fmt("%s/%s", ns, name) : sv_dup(sv_c(name));
}

void api_version_split(const char *api_version, struct sv *group, struct sv *version)
{
	*group = (struct sv){ "", 0 };
	*version = sv_c(api_version);
	if (api_version && strchr(api_version, '/'))
		(void)sv_cut(sv_c(api_version), '/', group, version);
}

void object_key_split(const char *key, struct str *ns, const char **name)
{
	struct sv head, tail;

	str_cut(ns, 0);
	if (sv_cut(sv_c(key), '/', &head, &tail)) {
		str_add(ns, head);
		*name = tail.p;
	} else {
		*name = key;
	}
}

/* ---- readers of metadata ---- */

static const struct node *meta(const struct node *root, const char *key) { return node_get(node_get(root, "metadata"), key); }

const char *meta_label(const struct node *root, const char *key) { return node_text(node_get(meta(root, "labels"), key)); }

const char *meta_annotation(const struct node *root, const char *key)
{
	return node_text(node_get(meta(root, "annotations"), key));
}

const struct node *meta_owner(const struct node *root)
{
	struct node *ref;

	node_each(ref, meta(root, "ownerReferences"))
		if (node_bool_at(ref, "controller", false))
			return ref;
	return NULL;
}

bool meta_owned_by(const struct node *root, const char *uid)
{
	struct node *ref;

	node_each(ref, meta(root, "ownerReferences"))
		if (str_eq(node_str_at(ref, "uid"), uid))
			return true;
	return false;
}

bool meta_deleting(const struct node *root) { return node_text(meta(root, "deletionTimestamp")) != NULL; }

bool meta_has_finalizer(const struct node *root, const char *finalizer)
{
	struct node *it;

	node_each(it, meta(root, "finalizers"))
		if (str_eq(node_text(it), finalizer))
			return true;
	return false;
}

/* ---- writers ---- */

static struct node *meta_map(struct doc *d, struct node *root, const char *key)
{
	return node_map_at(d, node_map_at(d, root, "metadata"), key);
}

void meta_set_label(struct doc *d, struct node *root, const char *key, const char *value)
{
	node_set(d, meta_map(d, root, "labels"), key, node_str(d, value));
}

void meta_set_annotation(struct doc *d, struct node *root, const char *key, const char *value)
{
	node_set(d, meta_map(d, root, "annotations"), key, node_str(d, value));
}

void meta_add_owner(struct doc *d, struct node *root, const struct object *owner)
{
	struct node *ref = node_map(d);
	char buf[128];

	node_set(d, ref, "apiVersion", node_str(d, kind_api_version(owner->kind, buf)));
	node_set(d, ref, "kind", node_str(d, owner->kind->kind));
	node_set(d, ref, "name", node_str(d, owner->name));
	node_set(d, ref, "uid", node_str(d, owner->uid));
	node_set(d, ref, "controller", node_bool(d, true));
	node_set(d, ref, "blockOwnerDeletion", node_bool(d, true));
	node_add(d, node_seq_at(d, node_map_at(d, root, "metadata"), "ownerReferences"), ref);
}

/* The last finalizer takes the list with it, as Kubernetes leaves no empty one. */
bool meta_remove_finalizer(struct node *root, const char *finalizer)
{
	struct node *m = node_get(root, "metadata"), *list = node_get(m, "finalizers");

	for (size_t i = 0; i < node_n(list); i++) {
		if (!str_eq(node_text(node_item(list, i)), finalizer))
			continue;
		node_remove(list, i);
		if (!node_n(list))
			node_del(m, "finalizers");
		return true;
	}
	return false;
}

struct node *object_start(struct doc *d, const struct kind *kind, const char *ns, const char *name)
{
	struct node *root = node_map(d), *m = node_map(d);
	char buf[128];

	node_set(d, root, "apiVersion", node_str(d, kind_api_version(kind, buf)));
	node_set(d, root, "kind", node_str(d, kind->kind));
	node_set(d, root, "metadata", m);
	node_set(d, m, "name", node_str(d, name));
	if (ns && *ns && kind->namespaced)
		node_set(d, m, "namespace", node_str(d, ns));
	if (!doc_root(d))
		doc_set_root(d, root);
	return root;
}

/* ---- conditions ---- */

const struct node *condition_get(const struct node *status, const char *type)
{
	struct node *it;

	node_each(it, node_get(status, "conditions"))
		if (str_eq(node_str_at(it, "type"), type))
			return it;
	return NULL;
}

bool condition_is(const struct node *status, const char *type, const char *value)
{
	return str_eq(node_str_or(condition_get(status, type), "status", ""), value);
}

static bool set_text(struct doc *d, struct node *map, const char *key, const char *value)
{
	if (str_eq(node_str_at(map, key), value))
		return false;
	if (value)
		node_set(d, map, key, node_str(d, value));
	else
		node_del(map, key);
	return true;
}

bool condition_set(struct doc *d, struct node *status, const char *type, const char *value, const char *reason,
		   const char *message, int64_t now_ms)
{
	struct node *c = (struct node *)condition_get(status, type);
	bool changed = false;
	char now[32];

	if (!c) {
		c = node_map(d);
		node_set(d, c, "type", node_str(d, type));
		node_add(d, node_seq_at(d, status, "conditions"), c);
	}
	if (set_text(d, c, "status", value)) {
		time_format(now_ms, now);
		set_text(d, c, "lastTransitionTime", now);
		changed = true;
	}
	changed |= set_text(d, c, "reason", reason);
	changed |= set_text(d, c, "message", message);
	return changed;
}
