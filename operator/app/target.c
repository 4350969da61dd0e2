/* operator/app/target.c - what an application wants to exist. */
#include "operator/app/target.h"

#include <stdlib.h>
#include "operator/app/tracking.h"

void ref_write(struct str *out, const struct ref *r)
{
	str_addf(out, "%s%s%s:%s%s%s", r->group, *r->group ? "/" : "", r->kind, r->ns, *r->ns ? "/" : "", r->name);
}

void conditions_add(struct conditions *c, const char *type, const char *fmt, ...)
{
	struct str message = { 0 };
	va_list ap;

	va_start(ap, fmt);
	str_addv(&message, fmt, ap);
	va_end(ap);
	struct condition it = { type, str_take(&message) };
	vec_push(c, it);
}

void conditions_free(struct conditions *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->v[i].message);
	vec_free(c);
}

void targets_free(struct targets *t)
{
	for (size_t i = 0; i < t->n; i++)
		doc_drop(&t->v[i].doc);
	vec_free(t);
	map_free(&t->index);
}

static bool is_crd(const struct target *t)
{
	return str_eq(t->ref.kind, "CustomResourceDefinition") && str_eq(t->ref.group, "apiextensions.k8s.io");
}

static void place(struct target *t, struct node *root, const struct app_spec *spec)
{
	struct node *meta = node_map_at(t->doc, root, "metadata");
	bool namespaced = !t->kind || t->kind->namespaced;

	if (!namespaced)
		(void)node_del(meta, "namespace");
	else if (!*node_str_or(meta, "namespace", "") && *spec->dest_ns)
		node_set(t->doc, meta, "namespace", node_str(t->doc, spec->dest_ns));
	t->ref.ns = namespaced ? node_str_or(meta, "namespace", "") : "";
}

static void track(struct target *t, struct node *root, const struct app_spec *spec)
{
	AUTO(str) id = { 0 };

	if (is_crd(t))
		return;
	tracking_write(&id, str_c(&spec->instance), t->ref.group, t->ref.kind, *t->ref.ns ? t->ref.ns : spec->dest_ns, t->ref.name);
	meta_set_annotation(t->doc, root, TRACKING_ID, str_c(&id));
}

/* false: not an object that could be applied; a condition says why. */
static bool make(struct target *t, const struct node *from, const struct app_spec *spec, const struct kinds *kinds,
		 struct conditions *conditions)
{
	struct sv group, version;
	const char *kind = node_str_or(from, "kind", ""), *name = node_str_or(from, "metadata.name", "");

	api_version_split(node_str_at(from, "apiVersion"), &group, &version);
	if (!version.n || !*kind || (!*name && !node_str_at(from, "metadata.generateName"))) {
		conditions_add(conditions, "ComparisonError", "an object without %s was rendered%s%s%s%s",
			       !version.n ? "apiVersion" : !*kind ? "kind" : "metadata.name", *kind ? ": kind " : "", kind,
			       *name ? ", name " : "", name);
		return false;
	}
	*t = (struct target){ .doc = doc_of(from) };
	struct node *root = doc_root(t->doc);
	t->root = root;
	t->kind = kinds_find(kinds, node_str_at(from, "apiVersion"), kind);
	t->ref = (struct ref){ doc_text(t->doc, group), doc_text(t->doc, version), node_str_at(root, "kind"), "",
			       node_str_or(root, "metadata.name", "") };
	place(t, root, spec);
	track(t, root, spec);
	hooks_read(root, &t->hooks);
	t->wave = wave_of(root);
	return true;
}

static bool is_excluded(const struct target *t)
{
	return str_eq(t->ref.group, "events.k8s.io") || str_eq(t->ref.group, "metrics.k8s.io") ||
	       (!*t->ref.group && str_eq(t->ref.kind, "Event")) || str_eq(t->ref.kind, "Lease");
}

struct target *targets_find(const struct targets *t, const struct ref *r)
{
	AUTO(str) name = { 0 };

	ref_write(&name, r);
	uintptr_t at = (uintptr_t)map_get(&t->index, str_sv(&name));    /* place + 1 */
	return at ? &t->v[at - 1] : NULL;
}

static void add(struct targets *out, struct target *t, struct conditions *conditions)
{
	AUTO(str) name = { 0 };
	struct target *old = *t->ref.name ? targets_find(out, &t->ref) : NULL;

	ref_write(&name, &t->ref);
	if (is_excluded(t)) {
		conditions_add(conditions, "ExcludedResourceWarning", "Resource %s is excluded in the settings", str_c(&name));
		doc_drop(&t->doc);
	} else if (old) {
		conditions_add(conditions, "RepeatedResourceWarning", "Resource %s appeared 2 times among application resources.",
			       str_c(&name));
		doc_drop(&old->doc);
		*old = *t;
	} else {
		vec_push(out, *t);
		if (*t->ref.name)
			map_put(&out->index, str_sv(&name), (void *)(uintptr_t)out->n);
	}
}

void targets_make(struct targets *out, const struct docs *objects, const struct app_spec *spec, const struct kinds *kinds,
		  struct conditions *conditions)
{
	for (size_t i = 0; i < objects->n; i++) {
		struct target t;

		if (!make(&t, doc_root(objects->v[i]), spec, kinds, conditions))
			continue;
		if (t.kind && t.kind->namespaced && !*t.ref.ns)
			conditions_add(conditions, "InvalidSpecError", "Namespace for %s %s is missing.", t.ref.name, t.ref.kind);
		add(out, &t, conditions);
	}
}
