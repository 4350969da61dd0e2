#include "render/kustomize/nameref.h"

#include <stdlib.h>

#include "render/kustomize/transform.h"

/* A field of some kind that names an object of another kind. */
struct reference { const char *group, *version, *kind; struct fieldspec field; };
struct references { struct reference *v; size_t n, cap; };

struct fixing {
	struct doc *arena;
	struct set *set;
	struct map by_kind;             /* kind of the referrer -> struct references *; "" for fields of any kind */
	struct map by_name;             /* former name -> struct found * */
	struct map by_ns;               /* namespace that it was in at first -> struct found * */
	struct build *b;
};

/* One reference that is being fixed. */
struct fix { struct fixing *f; struct resource *referrer; const struct reference *ref; struct err *err; };

/* ---- indexes ---- */

static int add_reference(void *arg, const char *group, const char *version, const char *kind, const struct fieldspec *field)
{
	struct fixing *f = arg;
	struct sv key = sv_c(field->kind);
	struct references *all = map_get(&f->by_kind, key);
	struct reference r = { group, version, kind, *field };

	if (!all) {
		all = doc_alloc(f->arena, sizeof(*all));
		map_put(&f->by_kind, key, all);
	}
	r.field.path = doc_text(f->arena, sv_c(field->path));
	vec_push(all, r);
	return 0;
}

static void index_references(struct fixing *f, const struct config *c)
{
	config_each_builtin_name(add_reference, f);
	for (size_t i = 0; i < c->names.n; i++) {
		const struct name_reference *n = &c->names.v[i];

		for (size_t j = 0; j < n->fields.n; j++)
			add_reference(f, n->group, n->version, n->kind, &n->fields.v[j]);
	}
}

static void enter(struct fixing *f, struct map *m, const char *key, size_t at)
{
	struct found *all = map_get(m, sv_c(key));

	if (!all) {
		all = doc_alloc(f->arena, sizeof(*all));
		map_put(m, sv_c(key), all);
	}
	if (!all->n || all->v[all->n - 1] != at)
		vec_push(all, at);
}

static const char *original_ns(struct resource *r)
{
	struct id id = resource_original(r);

	return r->formers.n ? id.ns : id_ns(&id);
}

static void index_names(struct fixing *f)
{
	for (size_t i = 0; i < f->set->n; i++) {
		struct resource *r = f->set->v[i];

		enter(f, &f->by_ns, original_ns(r), i);
		for (size_t j = 0; j < r->formers.n; j++)
			enter(f, &f->by_name, r->formers.v[j].name, i);
	}
}

static void fixing_free(struct fixing *f)
{
	struct map_slot *s;

	map_each(s, &f->by_kind)
		vec_free((struct references *)s->value);
	map_each(s, &f->by_name)
		vec_free((struct found *)s->value);
	map_each(s, &f->by_ns)
		vec_free((struct found *)s->value);
	map_free(&f->by_ns);
	map_free(&f->by_kind);
	map_free(&f->by_name);
}

/* ---- candidates ---- */

struct candidates { struct resource **v; size_t n, cap; };

static bool formerly_selected(struct resource *r, const char *group, const char *version, const char *kind)
{
	for (size_t i = 0; i < r->formers.n; i++) {
		struct id id = resource_id_at(r, i);

		if (gvk_selected(&id, group, version, kind))
			return true;
	}
	return false;
}

/* A roleRef says itself which kind it names. */
static bool role_matches(const struct fix *x, struct resource *r)
{
	const struct node *ref = node_get(x->referrer->root, "roleRef"), *group = node_get(ref, "apiGroup"), *kind = node_get(ref, "kind");

	if (!sv_ends(sv_c(x->ref->field.path), SV("roleRef/name")) || !group || !kind)
		return true;
	return formerly_selected(r, node_sv(group).p, "", node_sv(kind).p);
}

static bool in_reach(const struct fix *x, struct resource *r)
{
	const struct id *from = resource_id(x->referrer), *to = resource_id(r);

	return !strcmp(id_ns(from), id_ns(to)) || !strcmp(to->kind, "ServiceAccount") || id_cluster_scoped(from) ||
	       id_cluster_scoped(to);
}

/* Objects of one namespace see each other, and those without one; a RoleBinding also sees those of its subjects. */
static bool is_visible(const struct fix *x, struct resource *r)
{
	const struct id *from = resource_id(x->referrer), *to = resource_id(r);
	const struct node *subject;

	if (!strcmp(id_ns(from), id_ns(to)) || id_cluster_scoped(from) || id_cluster_scoped(to))
		return true;
	if (strcmp(from->kind, "RoleBinding") != 0)
		return false;
	node_each(subject, node_get(x->referrer->root, "subjects"))
		if (sv_eq_c(node_sv(node_get(subject, "kind")), "ServiceAccount") &&
		    sv_eq_c(node_sv(node_get(subject, "namespace")), to->ns))
			return true;
	return false;
}

static bool same_end(const struct texts *a, const struct texts *b)
{
	size_t n = a->n < b->n ? a->n : b->n;

	for (size_t i = 1; i <= n; i++)
		if (!str_eq(a->v[a->n - i], b->v[b->n - i]))
			return false;
	return n || a->n == b->n;
}

static bool affixes_match(const struct texts *a, const struct texts *b, bool empty_matches)
{
	return (empty_matches && (!a->n || !b->n)) || same_end(a, b);
}

static void keep_affixed(const struct fix *x, struct candidates *c, bool empty_matches)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		if (affixes_match(&c->v[i]->prefixes, &x->referrer->prefixes, empty_matches) &&
		    affixes_match(&c->v[i]->suffixes, &x->referrer->suffixes, empty_matches))
			c->v[n++] = c->v[i];
	c->n = n;
}

/* Candidates in a namespace: those that were in it at first, or, when nothing was, those that are now. */
static bool any_originally_in(const struct fix *x, struct sv ns)
{
	const struct found *there = map_get(&x->f->by_ns, ns);

	for (size_t i = 0; there && i < there->n; i++)
		if (is_visible(x, x->f->set->v[there->v[i]]))
			return true;
	return false;
}

static bool is_in(struct resource *r, struct sv ns, bool originally)
{
	return sv_eq_c(ns, originally ? original_ns(r) : id_ns(resource_id(r)));
}

static int collect(const struct fix *x, struct sv name, const struct sv *ns, struct candidates *out, struct err *err)
{
	const struct found *f = map_get(&x->f->by_name, name);
	bool originally = f && ns && any_originally_in(x, *ns);

	for (size_t i = 0; f && i < f->n; i++) {
		struct resource *r = x->f->set->v[f->v[i]];

		if ((!ns || is_in(r, *ns, originally)) && is_visible(x, r) && in_reach(x, r) && role_matches(x, r) &&
		    formerly_selected(r, x->ref->group, x->ref->version, x->ref->kind))
			vec_push(out, r);
	}
	return f ? build_work(x->f->b, 4 * f->n, err) : 0;
}

static bool all_same(struct candidates *c, bool with_ns)
{
	struct id first = *resource_id(c->v[0]);

	for (size_t i = 1; i < c->n; i++) {
		const struct id *id = resource_id(c->v[i]);

		if (strcmp(id->name, first.name) != 0 || (with_ns && strcmp(id->ns, first.ns) != 0))
			return false;
	}
	return true;
}

static int ambiguous(const struct fix *x, struct candidates *c, struct err *err)
{
	AUTO(str) names = { 0 };
	char *referrer = id_text(resource_id(x->referrer));

	for (size_t i = 0; i < c->n; i++) {
		char *name = id_text(resource_id(c->v[i]));

		str_addf(&names, "%s%s", i ? ", " : "", name);
		free(name);
	}
	err_set(err, ERR_CONFLICT, "found multiple possible referrals: %s\n  %s names one of them, and it cannot be told which: give "
		"them different names or namespaces", str_c(&names), referrer);
	free(referrer);
	return -ERR_CONFLICT;
}

/* The object that is meant by a name; NULL: none of the build. ns NULL: any. */
static int choose(const struct fix *x, struct sv name, const struct sv *ns, bool whole, struct resource **out, struct err *err)
{
	struct candidates c = { 0 };
	int r = collect(x, name, ns, &c, err);

	*out = NULL;
	if (c.n != 1)
		keep_affixed(x, &c, true);
	if (c.n > 1)
		keep_affixed(x, &c, false);
	if (r >= 0 && c.n > 1 && !all_same(&c, whole))
		r = ambiguous(x, &c, err);
	else if (c.n)
		*out = c.v[0];
	vec_free(&c);
	return r;
}

/* ---- writing ---- */

static int fix_scalar(const struct fix *x, struct node *n, struct err *err)
{
	struct resource *to;

	TRY(choose(x, node_sv(n), NULL, false, &to, err));
	if (to && !sv_eq_c(node_sv(n), resource_id(to)->name))
		scalar_set(x->referrer, n, sv_c(resource_id(to)->name));
	return 0;
}

/* A mapping with a name, and maybe a namespace: both are written. */
static int fix_mapping(const struct fix *x, struct node *n, struct err *err)
{
	struct node *name = node_get(n, "name"), *ns = node_get(n, "namespace");
	struct sv ns_text = node_sv(ns);
	struct resource *to;
	struct doc *d = x->referrer->doc;
	struct id id;

	if (!name)
		return err_set(err, ERR_INVALID, "path config error; no 'name' field in node");
	TRY(choose(x, node_sv(name), ns ? &ns_text : NULL, true, &to, err));
	if (!to)
		return 0;
	id = *resource_id(to);
	if (!*id.ns && sv_eq_c(node_sv(name), id.name))
		return 0;
	node_set(d, n, "name", node_str(d, doc_text(d, sv_c(id.name))));
	if (*id.ns)
		node_set(d, n, "namespace", node_str(d, doc_text(d, sv_c(id.ns))));
	return 0;
}

static int fix_field(struct resource *r, struct node *n, void *arg, struct err *err)
{
	const struct fix *x = arg;
	struct node *item;

	(void)r;
	if (node_is(n, NODE_NULL))
		return 0;
	if (node_is(n, NODE_MAP))
		return fix_mapping(x, n, err);
	if (!node_is(n, NODE_SEQ))
		return fix_scalar(x, n, err);
	node_each(item, n) {
		if (node_is(item, NODE_SEQ))
			return err_set(err, ERR_INVALID, "a list of names or of mappings was expected");
		if (!node_is(item, NODE_NULL))
			TRY(node_is(item, NODE_MAP) ? fix_mapping(x, item, err) : fix_scalar(x, item, err));
	}
	return 0;
}

static int fix_references(struct fixing *f, struct resource *r, const struct references *all, struct err *err)
{
	struct id oldest = resource_original(r);

	for (size_t i = 0; all && i < all->n; i++) {
		struct fix x = { f, r, &all->v[i], err };
		struct fieldspec here = all->v[i].field;
		int code;

		if (!fieldspec_selects(&here, &oldest))
			continue;
		here.group = here.version = here.kind = NULL;
		code = fieldspec_walk(r, &here, MAKE_NOTHING, fix_field, &x, err);
		TRY(err_wrap(err, code, "updating name reference in '%s' field", here.path));
	}
	return 0;
}

/* A namespace that is there must be a text. */
static int check_subjects(struct resource *r, struct err *err)
{
	const struct node *subject;
	char *name;

	if (strcmp(resource_id(r)->kind, "RoleBinding") != 0)
		return 0;
	node_each(subject, node_get(r->root, "subjects")) {
		const struct node *ns = node_get(subject, "namespace");

		if (!ns || ns->type == NODE_STR || !sv_eq_c(node_sv(node_get(subject, "kind")), "ServiceAccount"))
			continue;
		name = id_text(resource_id(r));
		err_set(err, ERR_INVALID, "Invalid Input: namespace is blank for resource \"%s\"", name);
		free(name);
		return -ERR_INVALID;
	}
	return 0;
}

static int fix_all(struct fixing *f, struct err *err)
{
	for (size_t i = 0; i < f->set->n; i++) {
		struct resource *r = f->set->v[i];
		struct id oldest = resource_original(r);

		TRY(fix_references(f, r, map_get(&f->by_kind, sv_c(oldest.kind)), err));
		TRY(fix_references(f, r, map_get(&f->by_kind, SV("")), err));
	}
	return 0;
}

int namerefs_fix(struct build *b, struct set *s, const struct config *config, struct err *err)
{
	struct fixing f = { .arena = b->arena, .set = s, .b = b };
	int r;

	for (size_t i = 0; i < s->n; i++)
		TRY(check_subjects(s->v[i], err));
	index_names(&f);
	if (f.by_name.n)
		index_references(&f, config);
	r = f.by_name.n ? fix_all(&f, err) : 0;
	fixing_free(&f);
	return r;
}
