#include "render/kustomize/set.h"

#include <stdlib.h>

static void index_clear(struct map *m)
{
	struct map_slot *s;

	map_each(s, m) {
		struct found *f = s->value;

		vec_free(f);
		free(f);
	}
	map_free(m);
}

void set_changed(struct set *s)
{
	index_clear(&s->present);
	index_clear(&s->any);
	index_clear(&s->names);
	s->indexed = 0;
}

void set_free(struct set *s)
{
	set_changed(s);
	for (size_t i = 0; i < s->n; i++)
		resource_drop(&s->v[i]);
	vec_free(s);
}

static void key_of(struct str *key, const struct id *id)
{
	str_cut(key, 0);
	str_addf(key, "%s\n%s\n%s\n%s\n%s", id->kind, id->name, id_ns(id), id->group, id->version);
}

static void put(struct map *m, struct sv key, size_t at)
{
	struct found *f = map_get(m, key);

	if (!f) {
		if (!(f = calloc(1, sizeof(*f))))
			abort();
		map_put(m, key, f);
	}
	if (!f->n || f->v[f->n - 1] != at)
		vec_push(f, at);
}

static void index_to_end(struct set *s)
{
	AUTO(str) key = { 0 };

	for (; s->indexed < s->n; s->indexed++) {
		struct resource *r = s->v[s->indexed];

		if (!r->root)
			continue;
		key_of(&key, resource_id(r));
		put(&s->present, str_sv(&key), s->indexed);
		put(&s->any, str_sv(&key), s->indexed);
		put(&s->names, sv_c(r->id.name), s->indexed);
		for (size_t i = 0; i < r->formers.n; i++) {
			struct id id = resource_id_at(r, i);

			key_of(&key, &id);
			put(&s->any, str_sv(&key), s->indexed);
			put(&s->names, sv_c(id.name), s->indexed);
		}
	}
}

static const struct found *look_up(struct set *s, const struct map *m, const struct id *id)
{
	AUTO(str) key = { 0 };

	index_to_end(s);
	key_of(&key, id);
	return map_get(m, str_sv(&key));
}

const struct found *set_find_any(struct set *s, const struct id *id) { return look_up(s, &s->any, id); }
const struct found *set_find_present(struct set *s, const struct id *id) { return look_up(s, &s->present, id); }

const struct found *set_find_named(struct set *s, const char *name)
{
	index_to_end(s);
	return map_get(&s->names, sv_c(name));
}

void set_push(struct set *s, struct resource *take) { vec_push(s, take); }

static int clash(const struct resource *old, struct resource *r, struct err *err)
{
	char *name = id_text(resource_id(r)), was[256], is[256];

	node_where(old->doc, old->root, was);
	node_where(r->doc, r->root, is);
	err_set(err, ERR_ALREADY_EXISTS, "may not add resource with an already registered id: %s%s%s%s%s%s", name,
		*is ? "\n  this one is from " : "", is, *was ? "\n  the other one is from " : "", was,
		"\n  two objects need different names, namespaces or kinds; is a base listed twice?");
	free(name);
	return -ERR_ALREADY_EXISTS;
}

int set_add(struct set *s, struct resource *take, struct err *err)
{
	const struct found *f = set_find_present(s, resource_id(take));
	int r = 0;

	if (f) {
		r = clash(s->v[f->v[0]], take, err);
		resource_drop(&take);
		return r;
	}
	set_push(s, take);
	return 0;
}

int set_add_all(struct set *s, struct set *from, struct err *err)
{
	for (size_t i = 0; i < from->n; i++)
		TRY(set_add(s, TAKE(from->v[i]), err));
	from->n = 0;
	set_changed(from);
	return 0;
}

int set_check_unique(struct set *s, struct err *err)
{
	const struct map_slot *slot;

	index_to_end(s);
	map_each(slot, &s->present) {
		const struct found *f = slot->value;

		if (f->n > 1)
			return clash(s->v[f->v[0]], s->v[f->v[1]], err);
	}
	return 0;
}

void set_drop_deleted(struct set *s)
{
	size_t n = 0;

	if (!s->deletions)
		return;
	s->deletions = false;
	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i]->root && node_n(s->v[i]->root))
			s->v[n++] = s->v[i];
		else
			resource_drop(&s->v[i]);
	}
	if (n != s->n) {
		s->n = n;
		set_changed(s);
	}
}

/* ---- generated objects ---- */

/* Members of from that to has not. */
static void fill_up(struct doc *d, struct node *to, const struct node *from)
{
	const struct member *m;

	node_members(m, from)
		if (!node_getn(to, (struct sv){ m->key, m->key_n }))
			node_setn(d, to, (struct sv){ m->key, m->key_n }, node_strn(d, node_sv(m->value)));
}

static void fill_up_member(struct resource *r, struct node *map, const char *name, const struct node *from)
{
	struct node *to = node_get(map, name);

	if (!node_n(from))
		return;
	if (!to) {
		to = node_map(r->doc);
		node_set(r->doc, map, name, to);
	}
	fill_up(r->doc, to, from);
}

/* A generated object takes the place of an older one: it keeps that one's name, namespace, labels and history. */
static void inherit(struct resource *r, const struct resource *old)
{
	const struct node *was = node_get(old->root, "metadata");
	struct node *metadata = resource_metadata(r);
	struct sv ns = node_sv(node_get(was, "namespace"));

	fill_up_member(r, metadata, "labels", node_get(was, "labels"));
	fill_up_member(r, metadata, "annotations", node_get(was, "annotations"));
	node_set(r->doc, metadata, "name", node_strn(r->doc, node_sv(node_get(was, "name"))));
	resource_set_ns(r, ns.n ? ns.p : "");
	vec_free(&r->formers);
	for (size_t i = 0; i < old->formers.n; i++) {
		struct former f = old->formers.v[i];

		f = (struct former){ doc_text(r->doc, sv_c(f.ns)), doc_text(r->doc, sv_c(f.name)), doc_text(r->doc, sv_c(f.kind)) };
		vec_push(&r->formers, f);
	}
	for (size_t i = 0; i < old->prefixes.n; i++)
		vec_push(&r->prefixes, doc_text(r->doc, sv_c(old->prefixes.v[i])));
	for (size_t i = 0; i < old->suffixes.n; i++)
		vec_push(&r->suffixes, doc_text(r->doc, sv_c(old->suffixes.v[i])));
	for (size_t i = 0; i < old->vars.n; i++)
		vec_push(&r->vars, doc_text(r->doc, sv_c(old->vars.v[i])));
	r->from_chart |= old->from_chart;
	r->hashed = r->hashed && old->hashed;
	r->behavior = old->behavior;
}

static void merge_data(struct resource *r, const struct resource *old, const char *field)
{
	fill_up_member(r, r->root, field, node_get(old->root, field));
	if (!node_n(node_get(r->root, field)))
		node_del(r->root, field);
}

static int replace(struct set *s, size_t at, struct resource *take, struct err *err)
{
	static const char *const names[] = { "unspecified", "create", "replace", "merge" };
	struct resource *old = s->v[at];
	enum behavior behavior = take->behavior;
	char *name;

	if (behavior != BEHAVIOR_MERGE && behavior != BEHAVIOR_REPLACE) {
		name = id_text(resource_id(take));
		resource_drop(&take);
		err_set(err, ERR_ALREADY_EXISTS, "id %s exists; can not use behavior: '%s', behavior must be merge or replace", name,
			names[behavior]);
		free(name);
		return -ERR_ALREADY_EXISTS;
	}
	inherit(take, old);
	if (behavior == BEHAVIOR_MERGE) {
		merge_data(take, old, "data");
		merge_data(take, old, "binaryData");
		if (old->origin)
			take->origin = old->origin;
	}
	take->trail = TAKE(old->trail);
	s->v[at] = take;
	resource_drop(&old);
	set_changed(s);
	return 0;
}

int set_absorb(struct set *s, struct resource *take, struct err *err)
{
	const struct found *f = set_find_any(s, resource_id(take));
	char *name;
	int r;

	if (f && f->n == 1)
		return replace(s, f->v[0], take, err);
	if (!f && take->behavior != BEHAVIOR_MERGE && take->behavior != BEHAVIOR_REPLACE)
		return set_add(s, take, err);
	name = id_text(resource_id(take));
	if (f)
		r = err_set(err, ERR_CONFLICT, "found multiple objects that could accept merge of %s", name);
	else
		r = err_set(err, ERR_NOT_FOUND, "id %s does not exist; cannot merge or replace", name);
	free(name);
	resource_drop(&take);
	return r;
}
