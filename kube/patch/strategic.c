/* Strategic merge. */
#include "kube/patch/list.h"
#include "base/node-index.h"

#include <stdlib.h>

#define ORDER "$setElementOrder/"
#define DELETE "$deleteFromPrimitiveList/"
#define RETAIN "$retainKeys"

struct merger { struct doc *d; struct err *err; };

enum directive { DIRECTIVE_NONE, DIRECTIVE_MERGE, DIRECTIVE_REPLACE, DIRECTIVE_DELETE };

static int map(struct merger *m, const struct node *old, const struct node *patch, const struct type *type, struct node **out);
static struct node *fresh(struct merger *m, const struct node *n, const struct type *type);

/* ---- directives ---- */

static int directive_of(struct merger *m, const struct node *patch, enum directive *out)
{
	static const char *const names[] = { "", "merge", "replace", "delete" };
	const struct node *v = node_get(patch, "$patch");

	*out = DIRECTIVE_NONE;
	if (!v)
		return 0;
	for (int i = DIRECTIVE_MERGE; i <= DIRECTIVE_DELETE; i++)
		if (str_eq(node_text(v), names[i]))
			*out = (enum directive)i;
	if (*out == DIRECTIVE_NONE)
		return err_set(m->err, ERR_BAD_REQUEST, "unknown $patch directive \"" SV_FMT "\": merge, replace or delete expected",
			       SV_ARG(node_sv(v)));
	return 0;
}

/* Keys that say how to merge and are no data. */
static bool is_directive(const struct member *p)
{
	struct sv key = { p->key, p->key_n };

	if (!key.n || *key.p != '$')
		return false;
	return sv_eq_c(key, "$patch") || sv_eq_c(key, RETAIN) || sv_starts(key, SV(ORDER)) || sv_starts(key, SV(DELETE));
}

/* The value of PREFIXname in a patch, or NULL. */
static __attribute__((noinline)) const struct node *directive_for(const struct node_index *patch, const char *prefix,
								  struct sv name)
{
	AUTO(str) key = { 0 };

	str_addc(&key, prefix);
	str_add(&key, name);
	return node_index_get(patch, str_sv(&key));
}

static bool in_list(const struct node *list, struct sv text)
{
	struct node *it;

	node_each(it, list)
		if (sv_eq(node_sv(it), text))
			return true;
	return false;
}

/* Old members that are not named in $retainKeys go; the patch may set no other. */
static int check_retain(struct merger *m, const struct node *patch, const struct node *retain)
{
	struct member *p;

	if (retain && !node_is(retain, NODE_SEQ))
		return err_set(m->err, ERR_BAD_REQUEST, "%s must be a list of keys", RETAIN);
	node_members(p, retain ? patch : NULL)
		if (!is_directive(p) && !in_list(retain, (struct sv){ p->key, p->key_n }))
			return err_set(m->err, ERR_BAD_REQUEST, "%s must name every key of the patch: \"%s\" is missing", RETAIN, p->key);
	return 0;
}

/* ---- values that are new ---- */

/* The type of a field's value, or of its items: NULL when that is not an object with known fields. */
static const struct type *type_of(const struct field *f) { return f && f->type == FIELD_OBJECT ? f->of : NULL; }

/* What stands for the values in a map with free keys: the field's own type, once more. */
static const struct type *value_type(const struct field *f) { return f && f->container == FIELD_ONE ? type_of(f) : NULL; }

static struct node *fresh_list(struct merger *m, const struct node *n, const struct field *f)
{
	struct node *out = node_empty(m->d, n), *it;
	enum directive what;

	node_each(it, n)
		if (directive_of(m, it, &what) < 0 || what == DIRECTIVE_NONE || (what == DIRECTIVE_REPLACE && it->n > 1))
			node_add(m->d, out, fresh(m, it, type_of(f)));
	return out;
}

/* A copy without directives and without the nulls of maps, which delete nothing here. */
static struct node *fresh(struct merger *m, const struct node *n, const struct type *type)
{
	struct node *out;
	struct member *p;

	if (!node_is(n, NODE_MAP))
		return node_copy(m->d, n);
	out = node_empty(m->d, n);
	node_members(p, n) {
		struct sv key = { p->key, p->key_n };
		const struct field *f = type_field(type, key);

		if (p->value->type == NODE_NULL || is_directive(p))
			continue;
		node_append(m->d, out, key, list_merge_key(f) && node_is(p->value, NODE_SEQ) ? fresh_list(m, p->value, f)
											    : fresh(m, p->value, value_type(f)));
	}
	return out;
}

/* ---- lists ---- */

struct lists {
	const struct node *old, *patch, *order, *gone;  /* gone: values that $deleteFromPrimitiveList takes out */
	const struct field *field;
	const char *keys;
	struct list_index in_old, in_patch, in_order, in_gone;
	struct list_entries entries;
};

/* What tells the items apart: NULL for lists that are replaced, and for values where objects should be. */
static const char *keys_of(const struct field *f, const struct node *patch)
{
	const char *key = list_merge_key(f);

	if (key && !*key && node_is(node_item(patch, 0), NODE_MAP))
		return NULL;
	return key;
}

static int check_item(struct merger *m, const struct lists *l, const struct node *it)
{
	if (!*l->keys)
		return 0;
	if (!node_is(it, NODE_MAP))
		return err_set(m->err, ERR_BAD_REQUEST, "items of %s must be objects, not %s", l->field->name, node_type_name(it));
	if (!node_get(it, l->keys))
		return err_set(m->err, ERR_BAD_REQUEST, "an item of %s does not contain its merge key \"%s\"", l->field->name, l->keys);
	return 0;
}

/* Does the patch say that its list stands alone? */
static int find_replace(struct merger *m, const struct node *patch, bool *replace)
{
	enum directive what;
	struct node *it;

	*replace = false;
	node_each(it, patch) {
		TRY(directive_of(m, it, &what));
		*replace |= what == DIRECTIVE_REPLACE;
	}
	return 0;
}

/* Where a value stands in the list that gives the order. */
static ptrdiff_t place(const struct lists *l, const struct node *value)
{
	return list_index_find(l->order ? &l->in_order : &l->in_patch, value);
}

static int keep_old(struct merger *m, struct lists *l, size_t at)
{
	const struct node *old = l->old->items[at], *p = list_index_get(&l->in_patch, old);
	enum directive what = DIRECTIVE_NONE;
	struct node *value;

	if (!*l->keys && list_index_get(&l->in_gone, old))
		return 0;
	TRY(directive_of(m, p, &what));
	if (what == DIRECTIVE_DELETE)
		return 0;
	if (p && *l->keys)
		TRY(map(m, old, p, l->field->of, &value));
	else
		value = node_copy(m->d, old);
	if (value)
		vec_push(&l->entries, ((struct list_entry){ value, (ptrdiff_t)at, place(l, old) }));
	return 0;
}

static int add_new(struct merger *m, struct lists *l, size_t at)
{
	const struct node *p = l->patch->items[at];
	enum directive what;

	TRY(check_item(m, l, p));
	TRY(directive_of(m, p, &what));
	if (what == DIRECTIVE_DELETE || list_index_get(&l->in_old, p))
		return 0;
	if (list_index_find(&l->in_patch, p) != (ptrdiff_t)at)   /* the first of several is the one */
		return 0;
	vec_push(&l->entries, ((struct list_entry){ fresh(m, p, type_of(l->field)), -1, place(l, p) }));
	return 0;
}

static void index_lists(struct lists *l)
{
	l->in_old = list_index_of(l->old, l->keys);
	l->in_patch = list_index_of(l->patch, l->keys);
	l->in_order = list_index_of(l->order, l->keys);
	l->in_gone = list_index_of(l->gone, "");
}

static void lists_free(struct lists *l)
{
	list_index_free(&l->in_old);
	list_index_free(&l->in_patch);
	list_index_free(&l->in_order);
	list_index_free(&l->in_gone);
	vec_free(&l->entries);
}

static int merge_list(struct merger *m, struct lists *l, struct node **out)
{
	for (size_t i = 0; i < node_n(l->old); i++)
		TRY(keep_old(m, l, i));
	size_t deleted = node_n(l->old) - l->entries.n;
	for (size_t i = 0; i < node_n(l->patch); i++)
		TRY(add_new(m, l, i));
	if (l->order && *l->keys)
		list_fill_places(&l->entries, node_n(l->old), deleted);
	*out = list_in_order(m->d, &l->entries);
	return 0;
}

static int list(struct merger *m, struct lists *l, struct node **out)
{
	bool replace;

	l->keys = keys_of(l->field, l->patch ? l->patch : l->old);
	if (!l->keys) {
		*out = node_copy(m->d, l->patch ? l->patch : l->old);
		return 0;
	}
	TRY(find_replace(m, l->patch, &replace));
	if (replace) {
		*out = fresh_list(m, l->patch, l->field);
		return 0;
	}
	index_lists(l);
	int r = merge_list(m, l, out);

	if (r >= 0 && l->old) {
		(*out)->source = l->old->source;
		(*out)->line = l->old->line;
	}
	return r;
}

/* ---- maps ---- */

struct change { const struct node *value, *order, *gone; };     /* what a patch says of one field */

/* Apart from field(), so that its frame is not there at every level of a deep map: a fiber's stack is small. */
static __attribute__((noinline)) int list_field(struct merger *m, const struct node *old, const struct change *c, const struct field *f,
						struct node **out)
{
	AUTO(lists) l = { .old = node_is(old, NODE_SEQ) ? old : NULL, .patch = c->value, .order = c->order, .gone = c->gone, .field = f };

	return list(m, &l, out);
}

/* One field; *out NULL: it is not there afterwards. */
static int field(struct merger *m, const struct node *old, const struct change *c, const struct field *f, struct node **out)
{
	const struct node *p = c->value;

	*out = NULL;
	if (node_is(p, NODE_NULL))
		return 0;
	if (node_is(p, NODE_MAP) && node_is(old, NODE_MAP))
		return map(m, old, p, value_type(f), out);
	if (node_is(p, NODE_SEQ) || (!p && node_is(old, NODE_SEQ) && (c->order || c->gone)))
		return list_field(m, old, c, f, out);
	if (node_is(p, NODE_MAP)) {
		enum directive what;

		TRY(directive_of(m, p, &what));
		if (what == DIRECTIVE_DELETE || what == DIRECTIVE_REPLACE)
			return 0;               /* there is nothing to delete, and for Kubernetes nothing to replace */
	}
	*out = p ? fresh(m, p, value_type(f)) : node_copy(m->d, old);
	return 0;
}

/* directed: the patch has keys that are directives; nearly none has. */
static struct change change_of(const struct node_index *patch, bool directed, struct sv key)
{
	if (!directed)
		return (struct change){ .value = node_index_get(patch, key) };
	return (struct change){ node_index_get(patch, key), directive_for(patch, ORDER, key), directive_for(patch, DELETE, key) };
}

static int set_field(struct merger *m, struct node *out, const struct node *old, const struct change *c, struct sv key,
		     const struct type *type)
{
	struct node *v;

	TRY(field(m, old, c, type_field(type, key), &v));
	if (v)
		node_append(m->d, out, key, v);
	return 0;
}

static int members(struct merger *m, const struct node *old, const struct node *patch, const struct type *type, struct node *out)
{
	const struct node *retain = node_get(patch, RETAIN);
	AUTO(node_index) in_old = node_index_of(old);
	AUTO(node_index) in_patch = node_index_of(patch);
	struct change c;
	struct member *p;
	bool directed = false;

	TRY(check_retain(m, patch, retain));
	node_members(p, patch)
		directed |= is_directive(p);
	node_members(p, old) {
		struct sv key = { p->key, p->key_n };

		if (retain && !in_list(retain, key))
			continue;
		c = change_of(&in_patch, directed, key);
		TRY(set_field(m, out, p->value, &c, key, type));
	}
	node_members(p, patch) {
		struct sv key = { p->key, p->key_n };

		if (is_directive(p) || node_index_get(&in_old, key))
			continue;
		c = change_of(&in_patch, directed, key);
		TRY(set_field(m, out, NULL, &c, key, type));
	}
	return 0;
}

/* Both are maps. */
static int map(struct merger *m, const struct node *old, const struct node *patch, const struct type *type, struct node **out)
{
	enum directive what;

	TRY(directive_of(m, patch, &what));
	if (what == DIRECTIVE_REPLACE) {
		*out = fresh(m, patch, type);
		return 0;
	}
	*out = node_empty(m->d, old);
	return what == DIRECTIVE_DELETE ? 0 : members(m, old, patch, type, *out);
}

static int start(struct merger *m, const struct node *target, const struct node *patch, const struct type *type, struct node **out)
{
	if (!node_is(patch, NODE_MAP))
		return err_set(m->err, ERR_BAD_REQUEST, "a strategic merge patch is an object, not %s", node_type_name(patch));
	if (!node_is(target, NODE_MAP)) {
		*out = fresh(m, patch, type);
		return 0;
	}
	return map(m, target, patch, type, out);
}

int patch_strategic(struct doc *d, const struct node *target, const struct node *patch, const struct type *type,
		    struct node **out, struct err *err)
{
	return start(&(struct merger){ .d = d, .err = err }, target, patch, type, out);
}
