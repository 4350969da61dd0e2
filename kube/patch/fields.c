#include "kube/patch/fields.h"

#include "base/json.h"
#include "base/vec.h"

#include <stdlib.h>
#include <string.h>

/* How a value is taken apart. ITEMS: a list by keys; VALUES: a list as a set; WHOLE: not at all. */
enum split { WHOLE, MEMBERS, ITEMS, VALUES };

/* Without a field (a kind that has no schema) maps are taken apart and lists are not. */
static enum split split_of(const struct node *v, const struct field *f)
{
	if (node_is(v, NODE_SEQ) && f && (f->flags & FIELD_LIST_MAP))
		return ITEMS;
	if (node_is(v, NODE_SEQ) && f && (f->flags & FIELD_LIST_SET))
		return VALUES;
	if (!node_is(v, NODE_MAP) || (f && (f->flags & FIELD_ATOMIC)))
		return WHOLE;
	return MEMBERS;
}

/* The field of a member: of a map with free keys it is the same one, for one value. */
struct below { const struct field *field; const struct type *type; struct field one; };

static struct below at_member(const struct field *f, const struct type *type, struct sv name)
{
	struct below b = { 0 };

	if (f && f->container == FIELD_MAP) {
		b.one = *f;
		b.one.container = FIELD_ONE;
		b.one.flags = 0;
		b.type = f->of;
		return b;
	}
	b.field = type ? type_field(type, name) : NULL;
	b.type = b.field ? b.field->of : NULL;
	return b;
}

static const struct field *field_of(const struct below *b) { return b->one.name ? &b->one : b->field; }

/* ---- keys of list items ---- */

static void add_key(struct str *out, struct sv name, const struct node *item, const struct field *f)
{
	const struct node *v = node_getn(item, name);
	const struct field *of = f->of ? type_field(f->of, name) : NULL;

	if (!v && !(of && of->def))
		return;
	str_addc(out, out->p[out->n - 1] == '{' ? "\"" : ",\"");
	str_add(out, name);
	str_addc(out, "\":");
	if (v)
		json_write(out, v, JSON_SORTED);
	else
		str_addc(out, of->def);
}

static int by_text(const void *a, const void *b) { return sv_cmp(*(const struct sv *)a, *(const struct sv *)b); }

/* k:{"containerPort":80,"protocol":"TCP"}, the names sorted */
static void item_key(struct str *out, const struct node *item, const struct field *f)
{
	struct sv rest = sv_c(f->list_keys ? f->list_keys : "name"), names[8];
	size_t n = 0;

	while (rest.n && n < 8) {
		struct sv all = rest;

		if (!sv_cut(all, ',', &names[n++], &rest))
			rest = SV("");
	}
	qsort(names, n, sizeof *names, by_text);
	str_addc(out, "k:{");
	for (size_t i = 0; i < n; i++)
		add_key(out, names[i], item, f);
	str_add1(out, '}');
}

static void value_key(struct str *out, const struct node *v)
{
	str_addc(out, "v:");
	json_write(out, v, JSON_SORTED);
}

static void list_key(struct str *out, const struct node *item, const struct field *f, enum split split)
{
	if (split == ITEMS)
		item_key(out, item, f);
	else
		value_key(out, item);
}

static struct node *find_item(const struct node *list, struct sv key, const struct field *f, enum split split,
			      size_t *at)
{
	for (size_t i = 0; i < node_n(list); i++) {
		AUTO(str) k = { 0 };

		list_key(&k, list->items[i], f, split);
		if (!sv_eq(str_sv(&k), key))
			continue;
		if (at)
			*at = i;
		return list->items[i];
	}
	return NULL;
}

/* ---- the fields of a value ---- */

static struct node *set_of(struct doc *d, const struct node *v, const struct field *f, const struct type *type);

static void add_members(struct doc *d, struct node *out, const struct node *v, const struct field *f,
			const struct type *type)
{
	struct member *m;

	node_members(m, v) {
		struct sv name = { m->key, m->key_n };
		struct below b = at_member(f, type, name);
		AUTO(str) key = { 0 };

		str_addc(&key, "f:");
		str_add(&key, name);
		node_setn(d, out, str_sv(&key), set_of(d, m->value, field_of(&b), b.type));
	}
}

static void add_items(struct doc *d, struct node *out, const struct node *v, const struct field *f, enum split split)
{
	struct node *it;

	node_each(it, v) {
		AUTO(str) key = { 0 };
		struct node *below = node_map(d);

		list_key(&key, it, f, split);
		if (split == ITEMS) {
			node_set(d, below, ".", node_map(d));
			add_members(d, below, it, NULL, f->of);
		}
		node_setn(d, out, str_sv(&key), below);
	}
}

static struct node *set_of(struct doc *d, const struct node *v, const struct field *f, const struct type *type)
{
	enum split split = split_of(v, f);
	struct node *out = node_map(d);

	if (split == MEMBERS)
		add_members(d, out, v, f, type);
	else if (split != WHOLE)
		add_items(d, out, v, f, split);
	return out;
}

struct node *fields_of(struct doc *d, const struct node *root, const struct type *type)
{
	static const char *const servers[] = { "f:name",
					       "f:namespace",
					       "f:uid",
					       "f:creationTimestamp",
					       "f:generation",
					       "f:selfLink",
					       "f:resourceVersion",
					       "f:managedFields",
					       "f:deletionTimestamp",
					       "f:deletionGracePeriodSeconds" };
	struct node *out = set_of(d, root, NULL, type), *meta = node_get(out, "f:metadata");

	(void)node_del(out, "f:apiVersion");
	(void)node_del(out, "f:kind");
	for (size_t i = 0; meta && i < sizeof servers / sizeof *servers; i++)
		(void)node_del(meta, servers[i]);
	if (meta && !meta->n)
		(void)node_del(out, "f:metadata");
	return out;
}

/* ---- trees ---- */

static bool is_leaf(const struct node *tree) { return !node_n(tree); }

struct node *fields_union(struct doc *d, const struct node *a, const struct node *b)
{
	struct node *out = node_copy(d, a);
	struct member *m;

	node_members(m, b) {
		struct sv key = { m->key, m->key_n };
		const struct node *mine = node_getn(out, key);

		node_setn(d, out, key, mine ? fields_union(d, mine, m->value) : node_copy(d, m->value));
	}
	return out;
}

/* keep: of leaves that are in both. NULL: nothing is left. */
static struct node *compare(struct doc *d, const struct node *a, const struct node *b, bool keep)
{
	struct node *out = node_map(d);
	struct member *m;

	node_members(m, a) {
		struct sv key = { m->key, m->key_n };
		const struct node *other = node_getn(b, key);
		struct node *rest = NULL;

		if (!other)
			rest = keep ? NULL : node_copy(d, m->value);
		else if (is_leaf(m->value))
			rest = keep == is_leaf(other) ? node_map(d) : NULL;
		else
			rest = compare(d, m->value, other, keep);
		if (rest)
			node_setn(d, out, key, rest);
	}
	return out->n ? out : NULL;
}

struct node *fields_minus(struct doc *d, const struct node *a, const struct node *b)
{
	struct node *out = compare(d, a, b, false);

	return out ? out : node_map(d);
}

struct node *fields_both(struct doc *d, const struct node *a, const struct node *b)
{
	struct node *out = compare(d, a, b, true);

	return out ? out : node_map(d);
}

/* ---- values that a tree names ---- */

/* What a member of a tree stands for in a value: the value below, and its field. */
struct named { const struct node *value; struct below below; };

static struct named at(const struct node *v, const struct member *m, const struct field *f, const struct type *type)
{
	struct named n = { 0 };

	if (!strncmp(m->key, "f:", 2)) {
		struct sv name = { m->key + 2, m->key_n - 2 };

		n.value = node_getn(v, name);
		n.below = at_member(f, type, name);
	} else if (f && m->key_n > 1) {
		bool item = *m->key == 'k';

		n.value = find_item(v, (struct sv){ m->key, m->key_n }, f, item ? ITEMS : VALUES, NULL);
		n.below.type = item ? f->of : NULL;
	}
	return n;
}

static struct node *changed(struct doc *d, const struct node *tree, const struct node *a, const struct node *b,
			    const struct field *f, const struct type *type)
{
	struct node *out = node_map(d);
	struct member *m;

	node_members(m, tree) {
		struct named x = at(a, m, f, type), y = at(b, m, f, type);
		bool self = sv_eq(SV("."), (struct sv){ m->key, m->key_n });
		struct node *below = NULL;

		if (self)
			below = !a ? node_map(d) : NULL;
		else if (is_leaf(m->value))
			below = !node_eq(x.value, y.value) || !x.value ? node_map(d) : NULL;
		else
			below = changed(d, m->value, x.value, y.value, field_of(&y.below), y.below.type);
		if (below)
			node_setn(d, out, (struct sv){ m->key, m->key_n }, below);
	}
	return out->n ? out : NULL;
}

struct node *fields_changed(struct doc *d, const struct node *fields, const struct node *a, const struct node *b,
			    const struct type *type)
{
	struct node *out = changed(d, fields, a, b, NULL, type);

	return out ? out : node_map(d);
}

/* ---- paths ---- */

static void add_step(struct str *path, const struct member *m)
{
	AUTO_DOC d = NULL;
	struct member *key;

	if (!strncmp(m->key, "f:", 2)) {
		str_add1(path, '.');
		str_add(path, (struct sv){ m->key + 2, m->key_n - 2 });
	} else if (!strncmp(m->key, "k:", 2) &&
		   !json_read((struct sv){ m->key + 2, m->key_n - 2 }, NULL, 0, &d, NULL)) {
		str_add1(path, '[');
		node_members(key, doc_root(d)) {
			str_addf(path, "%s%s=", key == doc_root(d)->members ? "" : ",", key->key);
			json_write(path, key->value, 0);
		}
		str_add1(path, ']');
	} else if (!strncmp(m->key, "v:", 2)) {
		str_addf(path, "[=%.*s]", (int)m->key_n - 2, m->key + 2);
	}
}

static void each_path(const struct node *tree, struct str *path, void (*fn)(void *, const char *), void *arg)
{
	size_t was = path->n;
	struct member *m;

	node_members(m, tree) {
		add_step(path, m);
		if (is_leaf(m->value))
			fn(arg, str_c(path));
		else
			each_path(m->value, path, fn, arg);
		str_cut(path, was);
	}
}

void fields_each_path(const struct node *fields, void (*fn)(void *, const char *), void *arg)
{
	AUTO(str) path = { 0 };

	each_path(fields, &path, fn, arg);
}

/* ---- removing ---- */

static void take_out(struct node *v, const struct node *tree, const struct field *f, const struct type *type);

static void take_member(struct node *v, const struct member *m, const struct field *f, const struct type *type)
{
	struct sv name = { m->key + 2, m->key_n - 2 };
	struct node *value = node_getn(v, name);
	struct below b = at_member(f, type, name);

	if (!value)
		return;
	if (!is_leaf(m->value))
		take_out(value, m->value, field_of(&b), b.type);
	if (is_leaf(m->value) || !node_n(value))
		(void)node_deln(v, name);
}

static void take_item(struct node *list, const struct member *m, const struct field *f)
{
	enum split split = *m->key == 'k' ? ITEMS : VALUES;
	size_t i = 0;
	struct node *item = find_item(list, (struct sv){ m->key, m->key_n }, f, split, &i);

	if (!item)
		return;
	if (split == VALUES || node_get(m->value, ".") || is_leaf(m->value))
		node_remove(list, i);
	else
		take_out(item, m->value, NULL, f->of);
}

static void take_out(struct node *v, const struct node *tree, const struct field *f, const struct type *type)
{
	struct member *m;

	node_members(m, tree) {
		if (!strncmp(m->key, "f:", 2))
			take_member(v, m, f, type);
		else if (f && m->key_n > 1)
			take_item(v, m, f);
	}
}

void fields_remove(struct node *root, const struct node *fields, const struct type *type)
{
	take_out(root, fields, NULL, type);
}

/* ---- merging ---- */

static struct node *merge(struct doc *d, const struct node *live, const struct node *config, const struct field *f,
			  const struct type *type);

static struct node *merge_members(struct doc *d, const struct node *live, const struct node *config,
				  const struct field *f, const struct type *type)
{
	struct node *out = node_copy(d, live);
	struct member *m;

	node_members(m, config) {
		struct sv name = { m->key, m->key_n };
		struct below b = at_member(f, type, name);

		node_setn(d, out, name, merge(d, node_getn(live, name), m->value, field_of(&b), b.type));
	}
	return out;
}

static struct node *merge_list(struct doc *d, const struct node *live, const struct node *config, const struct field *f,
			       enum split split)
{
	struct node *out = node_copy(d, live), *it;

	node_each(it, config) {
		AUTO(str) key = { 0 };
		size_t place = 0;

		list_key(&key, it, f, split);
		if (!find_item(out, str_sv(&key), f, split, &place))
			node_add(d, out, node_copy(d, it));
		else if (split == ITEMS)
			out->items[place] = merge_members(d, out->items[place], it, NULL, f->of);
	}
	return out;
}

static struct node *merge(struct doc *d, const struct node *live, const struct node *config, const struct field *f,
			  const struct type *type)
{
	enum split split = split_of(config, f);

	if (!live || split == WHOLE || split_of(live, f) != split)
		return node_copy(d, config);
	return split == MEMBERS ? merge_members(d, live, config, f, type) : merge_list(d, live, config, f, split);
}

struct node *fields_merge(struct doc *d, const struct node *live, const struct node *config, const struct type *type)
{
	return merge(d, live, config, NULL, type);
}
