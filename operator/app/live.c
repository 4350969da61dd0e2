/* operator/app/live.c - the live objects of each application. */
#include "operator/app/live.h"

#include <stdlib.h>
#include "base/fiber.h"
#include "base/map.h"
#include "base/vec.h"
#include "operator/app/tracking.h"

struct watched { struct live *live; const struct kind *kind; struct informer *informer; };

struct live {
	struct informers *informers;
	void (*fn)(void *arg, struct sv instance, const struct object *o);
	void *arg;
	VEC(struct watched *) kinds;
	struct map instances;           /* instance -> struct map of "Kind.group/ns/name" -> struct object, a reference */
};

struct live *live_new(struct informers *informers, void (*fn)(void *arg, struct sv instance, const struct object *o), void *arg)
{
	struct live *l = calloc(1, sizeof *l);

	l->informers = informers;
	l->fn = fn;
	l->arg = arg;
	return l;
}

static void key_of(struct str *out, const struct object *o)
{
	str_addf(out, "%s.%s/%s/%s", o->kind->kind, o->kind->group, o->ns, o->name);
}

static void forget(struct live *l, struct sv instance, const struct object *o)
{
	struct map *objects = map_get(&l->instances, instance);
	AUTO(str) key = { 0 };

	if (!objects)
		return;
	key_of(&key, o);
	struct object *old = map_del(objects, str_sv(&key));
	object_drop(&old);
	if (objects->n)
		return;
	map_del(&l->instances, instance);
	map_free(objects);
	free(objects);
}

static void remember(struct live *l, struct sv instance, struct object *o)
{
	struct map *objects = map_get(&l->instances, instance);
	AUTO(str) key = { 0 };

	if (!objects) {
		objects = calloc(1, sizeof *objects);
		map_put(&l->instances, instance, objects);
	}
	key_of(&key, o);
	struct object *old = map_put(objects, str_sv(&key), object_ref(o));
	object_drop(&old);
}

static void on_change(void *arg, const struct object *before, const struct object *after)
{
	struct watched *w = arg;
	struct sv was = { 0 }, is = { 0 };
	bool had = before && tracking_of(before, &was), has = after && tracking_of(after, &is);

	if (had && !(has && sv_eq(was, is)))
		forget(w->live, was, before);
	if (has)
		remember(w->live, is, (struct object *)after);
	if (had)
		w->live->fn(w->live->arg, was, after ? after : before);
	if (has && !(had && sv_eq(was, is)))
		w->live->fn(w->live->arg, is, after);
}

static bool on_first(struct object *o, void *arg)
{
	struct watched *w = arg;
	struct sv instance;

	if (tracking_of(o, &instance))
		remember(w->live, instance, o);
	return true;
}

static struct watched *find(const struct live *l, const struct kind *k)
{
	for (size_t i = 0; i < l->kinds.n; i++)
		if (l->kinds.v[i]->kind == k)
			return l->kinds.v[i];
	return NULL;
}

int live_watch(struct live *l, const struct kind *k, struct err *err)
{
	struct watched *w = find(l, k);

	if (!w) {
		w = calloc(1, sizeof *w);
		*w = (struct watched){ l, k, informer_of(l->informers, k) };
		vec_push(&l->kinds, w);
		informer_on_change(w->informer, on_change, w);
		informer_each(w->informer, NULL, on_first, w);
	}
	if (informer_wait(w->informer) < 0)
		return err_set(err, ERR_CANCELED, "stopped while the first list of %s was awaited", k->plural);
	return 0;
}

int live_watch_all(struct live *l, const struct kinds *kinds, const struct node *resources, struct err *err)
{
	const struct node *it;

	node_each(it, resources) {
		AUTO(str) api = { 0 };
		const char *group = node_str_or(it, "group", "");

		str_addf(&api, "%s%s%s", group, *group ? "/" : "", node_str_or(it, "version", ""));
		const struct kind *k = kinds_find(kinds, str_c(&api), node_str_or(it, "kind", ""));
		if (k)
			TRY(live_watch(l, k, err));
	}
	return 0;
}

void live_each(const struct live *l, struct sv instance, void (*fn)(void *arg, struct object *o), void *arg)
{
	struct map *objects = map_get(&l->instances, instance);
	struct map_slot *s;

	if (objects)
		map_each(s, objects)
			fn(arg, s->value);
}

struct informer *live_informer(const struct live *l, const struct kind *k)
{
	struct watched *w = find(l, k);

	return w ? w->informer : NULL;
}

struct object *live_get(const struct live *l, const struct kind *k, const char *ns, const char *name)
{
	struct informer *f = live_informer(l, k);

	return f ? informer_get(f, k->namespaced ? ns : "", name) : NULL;
}

void live_free(struct live **lp)
{
	struct live *l = TAKE(*lp);
	struct map_slot *s, *t;

	if (!l)
		return;
	for (size_t i = 0; i < l->kinds.n; i++) {
		informer_off_change(l->kinds.v[i]->informer, on_change, l->kinds.v[i]);
		free(l->kinds.v[i]);
	}
	vec_free(&l->kinds);
	map_each(s, &l->instances) {
		struct map *objects = s->value;
		map_each(t, objects) {
			struct object *o = t->value;
			object_drop(&o);
		}
		map_free(objects);
		free(objects);
	}
	map_free(&l->instances);
	free(l);
}
