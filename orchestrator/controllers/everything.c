#include "orchestrator/controllers/everything.h"

#include "base/vec.h"

#include <stdlib.h>

struct everything {
	struct controller *c;
	informer_fn *fn;
	void *arg;
	VEC(struct informer *) all;
	struct informer
		*definitions; /* of CustomResourceDefinition, which bring further kinds; NULL: there is no such kind */
};

static bool is_watched(const struct everything *e, const struct kind *k)
{
	for (size_t i = 0; i < e->all.n; i++) {
		const struct kind *have = informer_kind(e->all.v[i]);

		if (str_eq(have->group, k->group) && str_eq(have->plural, k->plural))
			return true;    /* maybe in another version: the objects are the same */
	}
	return false;
}

/* Not watched: questions and commands in the form of objects, which are never stored; and Events, which are many,
 * short-lived, and neither own nor are owned. */
static bool is_wanted(const struct kind *k)
{
	static const char *const groups[] = { "authentication.k8s.io", "authorization.k8s.io", "meta.k8s.io", "metrics.k8s.io" };
	static const char *const kinds[] = { "Binding", "ComponentStatus", "Eviction", "Event", "Scale", "Status" };

	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		if (str_eq(k->group, groups[i]))
			return false;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (str_eq(k->kind, kinds[i]))
			return false;
	return true;
}

static void watch_new(struct everything *e)
{
	const struct kinds *kinds = controller_client(e->c)->kinds;

	for (size_t i = 0; i < kinds_n(kinds); i++) {
		const struct kind *k = kinds_at(kinds, i);

		if (!is_wanted(k) || is_watched(e, k))
			continue;
		struct informer *f = informer_of(controller_informers(e->c), k);

		vec_push(&e->all, f);
		informer_on_change(f, e->fn, e->arg);
	}
}

static void on_definition(void *arg, const struct object *before, const struct object *after)
{
	(void)before;
	(void)after;
	watch_new(arg);
}

struct everything *everything_new(struct controller *c, informer_fn *fn, void *arg)
{
	struct everything *e = calloc(1, sizeof *e);
	const struct kind *k =
		kinds_find(controller_client(c)->kinds, "apiextensions.k8s.io/v1", "CustomResourceDefinition");

	if (!e)
		abort();
	*e = (struct everything){ .c = c, .fn = fn, .arg = arg };
	watch_new(e);
	if (k) {
		e->definitions = informer_of(controller_informers(c), k);
		informer_on_change(e->definitions, on_definition, e);
	}
	return e;
}

void everything_free(struct everything **ep)
{
	struct everything *e = TAKE(*ep);

	if (!e)
		return;
	for (size_t i = 0; i < e->all.n; i++)
		informer_off_change(e->all.v[i], e->fn, e->arg);
	if (e->definitions)
		informer_off_change(e->definitions, on_definition, e);
	vec_free(&e->all);
	free(e);
}

size_t everything_n(const struct everything *e) { return e->all.n; }
struct informer *everything_at(const struct everything *e, size_t i) { return e->all.v[i]; }

struct object *everything_by_uid(const struct everything *e, const char *uid)
{
	for (size_t i = 0; i < e->all.n; i++) {
		struct object *o = informer_by_uid(e->all.v[i], uid);

		if (o)
			return o;
	}
	return NULL;
}

bool everything_synced(const struct everything *e)
{
	for (size_t i = 0; i < e->all.n; i++)
		if (!informer_synced(e->all.v[i]))
			return false;
	return true;
}

static bool collect(struct object *o, void *arg)
{
	struct object_list *out = arg;

	vec_push(out, object_ref(o));
	return true;
}

void everything_owned(const struct everything *e, const char *uid, struct object_list *out)
{
	for (size_t i = 0; i < e->all.n; i++)
		informer_owned(e->all.v[i], uid, collect, out);
}
