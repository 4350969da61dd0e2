#include "render/kustomize/var.h"

#include <stdio.h>

#include "base/yaml.h"
#include "render/kustomize/path.h"
#include "render/kustomize/transform.h"

#define EXPANDED_MAX (16u << 20)        /* bytes that variables may write in one build */

int vars_declare(struct accumulated *a, const struct var_spec *v, const struct doc *doc, struct err *err)
{
	char here[256], there[256];

	for (size_t i = 0; i < a->vars.n; i++)
		if (str_eq(a->vars.v[i].var->name, v->name))
			return err_set(err, ERR_ALREADY_EXISTS, "%s: var '%s' already encountered (the first one is at %s)",
				       node_where(doc, v->at, here), v->name ? v->name : "",
				       node_where(a->vars.v[i].doc, a->vars.v[i].var->at, there));
	vec_push(&a->vars, ((struct declared){ v, doc }));
	return 0;
}

static const char *or_empty(const char *s) { return s ? s : ""; }

/* apiVersion counts before group and version. */
static void referred(const struct var_ref *r, struct doc *arena, struct id *out)
{
	struct sv group, version;

	*out = (struct id){ or_empty(r->group), or_empty(r->version), or_empty(r->kind), or_empty(r->name), or_empty(r->ns) };
	if (!r->api_version || !*r->api_version)
		return;
	if (sv_cut(sv_c(r->api_version), '/', &group, &version))
		out->group = doc_text(arena, group);
	out->version = version.n ? doc_text(arena, version) : doc_text(arena, group);
}

static bool gives(struct resource *r, const struct id *want)
{
	bool any_ns = !*want->ns && !id_cluster_scoped(want);

	for (size_t i = 0; i < resource_n_ids(r); i++) {
		struct id id = resource_id_at(r, i);

		if (!strcmp(id.name, want->name) && !strcmp(id.kind, want->kind) && !strcmp(id.group, want->group) &&
		    !strcmp(id.version, want->version) && (any_ns || !strcmp(id_ns(&id), id_ns(want))))
			return true;
	}
	return false;
}

static int mark_source(struct target *t, const struct var_spec *v, struct err *err)
{
	struct set *s = &t->acc->set;
	struct resource *source = NULL;
	const struct found *named;
	struct id want;
	size_t n = 0;

	if (!v->ref)
		return err_set(err, ERR_INVALID, "%s: var '%s' has no objref", target_where(t, v->at), or_empty(v->name));
	referred(v->ref, t->b->arena, &want);
	named = set_find_named(s, want.name);
	for (size_t i = 0; named && i < named->n; i++) {
		struct resource *r = s->v[named->v[i]];

		if (!gives(r, &want))
			continue;
		source = r;
		n++;
	}
	if (n > 1)
		return err_set(err, ERR_CONFLICT, "%s: found %zu resId matches for var %s (unable to disambiguate): give its objref a "
			       "namespace", target_where(t, v->at), n, or_empty(v->name));
	if (source)
		vec_push(&source->vars, or_empty(v->name));
	return 0;
}

int vars_merge(struct target *t, struct err *err)
{
	for (size_t i = 0; i < t->k.vars.n; i++)
		TRY(mark_source(t, &t->k.vars.v[i], err));
	for (size_t i = 0; i < t->k.vars.n; i++)
		TRY(vars_declare(t->acc, &t->k.vars.v[i], t->k.doc, err));
	return 0;
}

/* ---- values ---- */

struct values {
	struct map by_name;             /* struct node * */
	struct map sources;             /* name -> the first object that gives it: struct resource * */
	struct map used;
	struct doc *d;
	size_t written;
};

/* "spec.ports[0].port" has its index in brackets, unlike the paths of replacements. */
static void split_path(struct doc *arena, const char *path, struct parts *out)
{
	struct parts plain = { 0 };

	path_split(arena, path, &plain);
	for (size_t i = 0; i < plain.n; i++) {
		struct sv rest = sv_c(plain.v[i]), head, index;
		int64_t at;

		while (sv_cut(rest, '[', &head, &rest) && sv_cut(rest, ']', &index, &rest) && sv_to_i64(index, &at)) {
			if (head.n)
				vec_push(out, doc_text(arena, head));
			vec_push(out, doc_text(arena, index));
		}
		if (!strchr(plain.v[i], '[') || plain.v[i][0] == '[')
			vec_push(out, plain.v[i]);
		else if (rest.n)
			vec_push(out, doc_text(arena, rest));
	}
	vec_free(&plain);
}

static void index_sources(struct accumulated *a, struct values *v)
{
	for (size_t i = 0; i < a->set.n; i++)
		for (size_t j = 0; j < a->set.v[i]->vars.n; j++)
			if (!map_get(&v->sources, sv_c(a->set.v[i]->vars.v[j])))
				map_put(&v->sources, sv_c(a->set.v[i]->vars.v[j]), a->set.v[i]);
}

static int read_value(struct values *v, const struct declared *d, struct err *err)
{
	const char *path = d->var->field && d->var->field->path && *d->var->field->path ? d->var->field->path : "metadata.name";
	struct parts parts = { 0 };
	struct node *n = NULL;
	char where[256];
	struct resource *source = map_get(&v->sources, sv_c(d->var->name));
	int r;

	node_where(d->doc, d->var->at, where);
	split_path(v->d, path, &parts);
	r = source ? path_find(source->root, &parts, &n, err) : 0;
	vec_free(&parts);
	TRY(r);
	if (!source)
		return err_set(err, ERR_NOT_FOUND, "%s: var '%s' cannot be mapped to a field in the set of known resources", where,
			       d->var->name);
	if (!n)
		return err_set(err, ERR_NOT_FOUND, "%s: field specified in var '%s' (%s) not found in corresponding resource", where,
			       d->var->name, path);
	n = node_copy(v->d, n);
	yaml_settle(v->d, n);           /* numbers come out in decimal: 1e3 is 1000 there */
	map_put(&v->by_name, sv_c(d->var->name), n);
	return 0;
}

/* ---- places ---- */

static const struct node *value_of(struct values *v, struct sv name)
{
	const struct node *n = map_get(&v->by_name, name);

	if (!n || n->type == NODE_NULL || n->type >= NODE_SEQ)
		return NULL;
	map_put(&v->used, name, v);
	return n;
}

/* The text with its variables replaced, up to the limit; *whole: all of it was one variable, which may give its type, too. */
static void expand(struct values *v, struct sv text, struct str *out, const struct node **whole)
{
	*whole = NULL;
	for (size_t i = 0; i < text.n && v->written + out->n <= EXPANDED_MAX; i++) {
		struct sv rest = sv_drop(text, i + 1);
		const char *close = rest.n && *rest.p == '(' ? memchr(rest.p, ')', rest.n) : NULL;

		if (text.p[i] != '$' || !rest.n) {
			str_add1(out, text.p[i]);
		} else if (close) {
			struct sv name = { rest.p + 1, (size_t)(close - rest.p - 1) };
			const struct node *n = value_of(v, name);

			if (n && name.n + 3 == text.n) {
				*whole = n;
				return;
			}
			if (n)
				str_add(out, node_sv(n));
			else
				str_addf(out, "$(%.*s)", SV_ARG(name));
			i += name.n + 2;
		} else if (*rest.p == '$') {
			str_add1(out, '$');
			i++;
		} else {
			str_add(out, (struct sv){ text.p + i, 2 });
			i++;
		}
	}
}

static int expand_scalar(struct resource *r, struct node *n, struct values *v, struct err *err)
{
	const struct node *whole;
	AUTO(str) text = { 0 };

	if (n->type != NODE_STR || !memchr(n->text, '$', n->n))
		return 0;
	expand(v, node_sv(n), &text, &whole);
	v->written += text.n;
	if (v->written > EXPANDED_MAX)
		return err_set(err, ERR_TOO_LARGE, "variables expand to more than %u MB", EXPANDED_MAX >> 20);
	if (whole) {
		*n = *node_copy(r->doc, whole);
		n->flags |= n->type == NODE_STR ? NODE_QUOTED : 0;
		yaml_settle(r->doc, n);
	} else {
		scalar_set_text(r, n, str_c(&text));
	}
	return 0;
}

static int expand_field(struct resource *r, struct node *n, void *arg, struct err *err)
{
	struct member *m;
	struct node *item;

	if (node_is(n, NODE_MAP)) {
		node_members(m, n)
			TRY(expand_scalar(r, m->value, arg, err));
		return 0;
	}
	if (!node_is(n, NODE_SEQ))
		return expand_scalar(r, n, arg, err);
	node_each(item, n) {
		if (item->type != NODE_STR)
			return err_set(err, ERR_INVALID, "invalid value type expect a string");
		TRY(expand_scalar(r, item, arg, err));
	}
	return 0;
}

static void warn_unused(struct build *b, struct accumulated *a, struct values *v)
{
	char where[256];

	for (size_t i = 0; i < a->vars.n; i++)
		if (!map_get(&v->used, sv_c(a->vars.v[i].var->name)))
			str_addf(b->warnings, "%s: var '%s' is never used\n", node_where(a->vars.v[i].doc, a->vars.v[i].var->at, where),
				 a->vars.v[i].var->name);
}

static int resolve(struct build *b, struct accumulated *a, struct values *v, struct err *err)
{
	struct fieldspecs places = a->config.lists[CONFIG_VAR_REFERENCE];

	index_sources(a, v);
	for (size_t i = 0; i < a->vars.n; i++)
		TRY(read_value(v, &a->vars.v[i], err));
	for (size_t i = 0; i < a->set.n; i++)
		TRY(fieldspecs_walk(a->set.v[i], places, MAKE_NOTHING, expand_field, v, err));
	warn_unused(b, a, v);
	return 0;
}

int vars_resolve(struct build *b, struct accumulated *a, struct err *err)
{
	struct values v = { .d = b->arena };
	int r = a->vars.n ? resolve(b, a, &v, err) : 0;

	map_free(&v.by_name);
	map_free(&v.used);
	map_free(&v.sources);
	return r;
}
