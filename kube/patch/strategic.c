/* Strategic merge: the walk over two objects, by the types of the tables. */
#include "kube/patch/strategic.h"
#include "base/node-index.h"
#include "base/vec.h"

#define ORDER "$setElementOrder/"
#define DELETE "$deleteFromPrimitiveList/"
#define RETAIN "$retainKeys"

bool merge_missing(const struct node *n) { return !n || n->type == NODE_NULL; }

int merge_failed(struct merger *m, int r, const char *fmt, struct sv part)
{
	AUTO(str) at = { 0 };

	if (r >= 0)
		return r;
	str_addf(&at, fmt, SV_ARG(part));
	if (m->path.n && m->path.p[0] != '[')
		str_add1(&at, '.');
	str_add(&at, str_sv(&m->path));
	str_move(&m->path, &at);
	return r;
}

/* ---- schemas ---- */

static const struct type *map_type(struct place s)
{
	if (s.type)
		return s.type;
	return s.field && s.field->type == FIELD_OBJECT && (s.inside || s.field->container == FIELD_ONE) ? s.field->of : NULL;
}

static struct place below(struct place s, struct sv key)
{
	const struct type *t = map_type(s);

	if (t)
		return (struct place){ .field = type_field(t, key) };
	if (s.field && !s.inside && s.field->container == FIELD_MAP)
		return (struct place){ .field = s.field, .inside = true };
	return (struct place){ 0 };
}

/* Where the tables end, an object that says its own kind starts anew. */
static struct place place_of(const struct merger *m, struct place s, const struct node *old, const struct node *patch)
{
	const struct node *both[] = { old, patch };

	for (size_t i = 0; m->schemas && !s.field && !s.type && i < 2; i++) {
		const char *api = node_text(node_get(both[i], "apiVersion")), *kind = node_text(node_get(both[i], "kind"));

		if (api && kind)
			s.type = m->schemas->type_of(m->schemas->arg, api, kind);
	}
	return s;
}

/* A schema that stands beside a list goes before what the tables say. */
static struct place commented(const struct merger *m, const struct node *old, const struct node *patch, struct place s)
{
	const struct node *both[] = { old, patch };

	for (size_t i = 0; m->schemas && i < 2; i++) {
		const struct field *f = node_is(both[i], NODE_SEQ) ? m->schemas->field_at(m->schemas->arg, m->d, both[i]) : NULL;

		if (f)
			return (struct place){ .field = f };
	}
	return s;
}

/* ---- directives ---- */

int merge_directive_of(struct merger *m, const struct node *patch, enum directive *out)
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
		return err_set(m->err, m->rules->code, "unknown patch strategy '" SV_FMT "' ($patch is merge, replace or delete)",
			       SV_ARG(node_sv(v)));
	return 0;
}

static int take_directive(struct merger *m, struct node *patch, enum directive *out)
{
	TRY(merge_directive_of(m, patch, out));
	if (*out != DIRECTIVE_NONE)
		node_del(patch, "$patch");
	return 0;
}

static struct sv key_of(const struct member *m) { return (struct sv){ m->key, m->key_n }; }

/* Keys that say how to merge and are no data. */
static bool is_directive(const struct merger *m, struct sv key)
{
	if (!m->rules->list_directives || !key.n || *key.p != '$')
		return false;
	return sv_eq_c(key, RETAIN) || sv_starts(key, SV(ORDER)) || sv_starts(key, SV(DELETE));
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
		return err_set(m->err, m->rules->code, "%s must be a list of keys", RETAIN);
	node_members(p, retain ? patch : NULL)
		if (!is_directive(m, key_of(p)) && !in_list(retain, key_of(p)))
			return err_set(m->err, m->rules->code, "%s must name every key of the patch: \"%s\" is missing", RETAIN, p->key);
	return 0;
}

/* ---- mappings ---- */

/* The members of a patch, and what tells how to merge with them. */
struct patch_members {
	const struct node *node, *retain;       /* node: the object itself when it is new, and meets nothing */
	struct node_index index;
	bool directed;                          /* it has directives beside $patch; nearly none has */
};

static void patch_members_free(struct patch_members *p) { node_index_free(&p->index); }

static int read_patch_members(struct merger *m, const struct node *patch, struct patch_members *out)
{
	struct member *it;

	*out = (struct patch_members){ .node = patch, .index = node_index_of(patch) };
	node_members(it, patch)
		out->directed |= is_directive(m, key_of(it));
	if (!out->directed)
		return 0;
	out->retain = node_get(patch, RETAIN);
	return check_retain(m, patch, out->retain);
}

/* The value of PREFIXname in a patch, or NULL. */
static __attribute__((noinline)) const struct node *directive_for(const struct patch_members *p, const char *prefix, struct sv name)
{
	AUTO(str) key = { 0 };

	str_addc(&key, prefix);
	str_add(&key, name);
	return node_index_get(&p->index, str_sv(&key));
}

/* Apart from its caller, so that its frame is not there at every level of a deep map: a fiber's stack is small. */
static __attribute__((noinline)) int directed_list(struct merger *m, const struct patch_members *p, struct sv key, struct node *old,
						   struct node *patch, struct place s, bool *done, struct node **out)
{
	struct list_change c = { node_is(old, NODE_SEQ) ? old : NULL, patch, directive_for(p, ORDER, key), directive_for(p, DELETE, key) };

	*done = (c.order || c.gone) && (node_is(patch, NODE_SEQ) || (!patch && c.old));
	return *done ? m->rules->list(m, &c, s, out) : 0;
}

/* What becomes of one member; *out NULL: it goes. */
static int member(struct merger *m, const struct patch_members *p, struct node *old, struct node *patch, struct sv key, struct place s,
		  struct node **out)
{
	struct node *value = NULL;
	bool done = false;
	int r = 0;

	*out = NULL;
	s = commented(m, old, patch, below(s, key));
	if (p->directed)
		r = directed_list(m, p, key, old, patch, s, &done, &value);
	if (r >= 0 && !done)
		r = merge_walk(m, old, patch, s, &value);
	TRY(merge_failed(m, r, SV_FMT, key));
	*out = value && (value->type != NODE_NULL || value == old) ? value : NULL;
	return 0;
}

/* The members that are there, in place; those that go leave no gap. */
static int old_members(struct merger *m, struct node *old, const struct patch_members *p, struct place s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < old->n; i++) {
		struct member it = old->members[i];
		struct sv key = key_of(&it);
		struct node *new = p->node == old ? it.value : node_index_get(&p->index, key), *value;

		if ((p->retain && !in_list(p->retain, key)) || (p->node == old && is_directive(m, key)))
			continue;
		TRY(member(m, p, it.value, new, key, s, &value));
		if (!value)
			continue;
		if (value != it.value && value->type < NODE_SEQ && it.value->type < NODE_SEQ)
			*it.value = *value;     /* it may stand in other places, too: kustomize's labels do */
		else
			it.value = value;
		old->members[n++] = it;
	}
	old->n = n;
	return 0;
}

/* Members that only the patch has: which they are is to be known before old ones go. */
struct additions { struct member **v; size_t n, cap; };

static void additions_free(struct additions *a) { vec_free(a); }

static void find_additions(const struct merger *m, const struct node *old, const struct node *patch, struct additions *out)
{
	AUTO(node_index) names = node_index_of(old);
	struct member *it;

	node_members(it, patch)
		if (!node_index_get(&names, key_of(it)) && !is_directive(m, key_of(it)))
			vec_push(out, it);
}

static int add_members(struct merger *m, struct node *old, const struct patch_members *p, const struct additions *new, struct place s)
{
	struct node *value;

	for (size_t i = 0; i < new->n; i++) {
		TRY(member(m, p, NULL, new->v[i]->value, key_of(new->v[i]), s, &value));
		if (value)
			node_append(m->d, old, key_of(new->v[i]), value);
	}
	return 0;
}

/* patch: NULL, or old itself when it is new. */
static int members(struct merger *m, struct node *old, struct node *patch, struct place s)
{
	AUTO(patch_members) p = { .node = patch };
	AUTO(additions) new = { 0 };

	if (patch == old || !node_n(patch))
		return old_members(m, old, &p, s);
	TRY(read_patch_members(m, patch, &p));
	find_additions(m, old, patch, &new);
	TRY(old_members(m, old, &p, s));
	return add_members(m, old, &p, &new, s);
}

/* Nothing is said about a mapping or a null: blank ones go when everything is settled. */
static int settle(struct merger *m, struct node *old, struct place s, struct node **out)
{
	*out = old;
	if (!merge_missing(old))
		return members(m, old, NULL, s);
	if (old && old->flags & NODE_BLANK)
		*out = NULL;
	return 0;
}

static int new_map(struct merger *m, struct node *patch, enum directive what, struct place s, struct node **out)
{
	bool none = what == DIRECTIVE_DELETE || (what == DIRECTIVE_REPLACE && m->rules->delete_empties);

	*out = none ? NULL : patch;
	return none ? 0 : members(m, patch, patch, s);
}

static int map(struct merger *m, struct node *old, struct node *patch, struct place s, struct node **out)
{
	enum directive what;

	if (!patch)
		return settle(m, old, s, out);
	*out = NULL;
	if (patch->type == NODE_NULL)
		return 0;
	TRY(take_directive(m, patch, &what));
	if (merge_missing(old))
		return new_map(m, patch, what, s, out);
	if (what == DIRECTIVE_DELETE && m->rules->delete_empties)
		old->n = 0;
	if (what == DIRECTIVE_DELETE) {
		*out = m->rules->delete_empties ? old : NULL;
		return 0;
	}
	*out = what == DIRECTIVE_REPLACE ? patch : old;
	return members(m, *out, patch, s);
}

/* ---- any value ---- */

static const char *shape_name(const struct node *n)
{
	return n->type == NODE_MAP ? "a mapping" : n->type == NODE_SEQ ? "a list" : "a single value";
}

static int shape_of(const struct node *n) { return n->type < NODE_SEQ ? 0 : n->type; }

int merge_walk(struct merger *m, struct node *old, struct node *patch, struct place s, struct node **out)
{
	const struct node *first;

	*out = old;
	if (!patch && !m->rules->settles)
		return 0;
	if (!merge_missing(old) && !merge_missing(patch) && shape_of(old) != shape_of(patch)) {
		if (m->rules->strict_shapes)
			return err_set(m->err, m->rules->code, "the patch has %s, the object has %s", shape_name(patch), shape_name(old));
		old = NULL;
	}
	s = place_of(m, s, old, patch);
	first = merge_missing(old) ? patch : old;
	if (merge_missing(first) || first->type == NODE_MAP)
		return map(m, old, patch, s, out);
	if (first->type == NODE_SEQ)
		return m->rules->list(m, &(struct list_change){ .old = old, .patch = patch }, s, out);
	*out = patch ? patch : old;
	return 0;
}

static const struct merge_rules kubernetes = {
	.list = merge_list_kubernetes, .code = ERR_BAD_REQUEST, .list_directives = true, .delete_empties = true,
};
static const struct merge_rules kustomize = {
	.list = merge_list_kustomize, .code = ERR_INVALID, .settles = true, .strict_shapes = true,
};

static int merge(struct merger *m, struct node *target, struct node *patch, struct place s, struct node **out)
{
	int r = merge_walk(m, target, patch, s, out);

	if (r < 0 && m->path.n)
		err_wrap(m->err, r, "%s", str_c(&m->path));
	str_free(&m->path);
	return r;
}

int patch_strategic(struct doc *d, const struct node *target, const struct node *patch, const struct type *type,
		    struct node **out, struct err *err)
{
	struct merger m = { .d = d, .rules = &kubernetes, .err = err };
	struct node *old = node_is(target, NODE_MAP) ? node_copy(d, target) : NULL;

	if (!node_is(patch, NODE_MAP))
		return err_set(err, ERR_BAD_REQUEST, "a strategic merge patch is an object, not %s", node_type_name(patch));
	TRY(merge(&m, old, node_copy(d, patch), (struct place){ .type = type }, out));
	if (!*out)
		*out = node_map(d);
	return 0;
}

int patch_strategic_kustomize(struct doc *d, struct node *target, struct node *patch, const struct patch_schemas *schemas,
			      struct node **out, struct err *err)
{
	struct merger m = { .d = d, .rules = &kustomize, .schemas = schemas, .err = err };

	return merge(&m, target, patch, (struct place){ 0 }, out);
}
