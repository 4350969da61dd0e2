#include "orchestrator/api/cache-internal.h"
#include "orchestrator/api/ring-internal.h"

#include "base/log.h"

#include <inttypes.h>
#include <stdlib.h>

enum { HISTORY = 1000 };        /* revisions read back at the start, so that watches go on over a restart */
#define ROOT "/registry/"

/* ---- resources ---- */

/* "/registry/apps/deployments/default/web": prefix, namespace ("" when the scope is the cluster), name. */
static bool key_split(const char *key, struct sv *prefix, struct sv *ns, const char **name)
{
	const char *group = key + sizeof ROOT - 1, *plural, *rest, *slash;

	if (!sv_starts(sv_c(key), SV(ROOT)) || !(plural = strchr(group, '/')) || !(rest = strchr(plural + 1, '/')))
		return false;
	rest++;
	*prefix = (struct sv){ key, (size_t)(rest - key) };
	slash = strchr(rest, '/');
	*ns = slash ? (struct sv){ rest, (size_t)(slash - rest) } : SV("");
	*name = slash ? slash + 1 : rest;
	return true;
}

static void prefix_of(const struct kind *k, struct str *out)
{
	str_addf(out, ROOT "%s/%s/", *k->group ? k->group : "core", k->plural);
}

static const struct kind *kind_of_prefix(const struct kinds *kinds, struct sv prefix)
{
	for (size_t i = 0; i < kinds_n(kinds); i++) {
		AUTO(str) p = { 0 };

		prefix_of(kinds_at(kinds, i), &p);
		if (sv_eq(str_sv(&p), prefix))
			return kinds_at(kinds, i);
	}
	return NULL;
}

static struct resource *resource_of_prefix(struct cache *c, struct sv prefix)
{
	struct resource *r = map_get(&c->resources, prefix);

	if (r)
		return r;
	if (!(r = calloc(1, sizeof *r)))
		abort();
	r->cache = c;
	r->prefix = sv_dup(prefix);
	r->kind = kind_of_prefix(c->kinds, prefix);
	r->ring.since = c->start;       /* nothing happened to it since, or it would be here */
	(void)map_put(&c->resources, prefix, r);
	return r;
}

struct resource *cache_resource(struct cache *c, const struct kind *k)
{
	struct sv pointer = { (const char *)&k, sizeof k };
	struct resource *r = map_get(&c->by_kind, pointer);
	AUTO(str) prefix = { 0 };

	if (r)
		return r;
	prefix_of(k, &prefix);
	r = resource_of_prefix(c, str_sv(&prefix));
	if (!r->kind)
		r->kind = k;
	(void)map_put(&c->by_kind, pointer, r);
	return r;
}

char *resource_key(const struct resource *r, const char *ns, const char *name)
{
	return ns && *ns ? str_fmt("%s%s/%s", r->prefix, ns, name) : str_fmt("%s%s", r->prefix, name);
}

size_t resource_seek(const struct resource *r, const char *ns, const char *name)
{
	size_t lo = 0, hi = r->items.n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		const struct item *i = r->items.v[mid];
		int order = strcmp(i->ns, ns);

		if (order < 0 || (!order && strcmp(i->name, name) < 0))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool is_at(const struct resource *r, size_t i, const char *ns, const char *name)
{
	return i < r->items.n && !strcmp(r->items.v[i]->name, name) && !strcmp(r->items.v[i]->ns, ns);
}

struct item *resource_find(const struct resource *r, const char *ns, const char *name)
{
	size_t i = resource_seek(r, ns ? ns : "", name);

	return is_at(r, i, ns ? ns : "", name) ? r->items.v[i] : NULL;
}

void resource_listen(struct resource *r, struct cache_listener *l)
{
	l->next = r->listeners;
	r->listeners = l;
}

void resource_unlisten(struct resource *r, struct cache_listener *l)
{
	for (struct cache_listener **at = &r->listeners; *at; at = &(*at)->next)
		if (*at == l) {
			*at = l->next;
			return;
		}
}

/* ---- changes ---- */

static void insert(struct resource *r, size_t i, struct item *take)
{
	vec_push(&r->items, take);
	memmove(&r->items.v[i + 1], &r->items.v[i], (r->items.n - 1 - i) * sizeof *r->items.v);
	r->items.v[i] = take;
}

static void remove_at(struct resource *r, size_t i)
{
	r->items.n--;
	memmove(&r->items.v[i], &r->items.v[i + 1], (r->items.n - i) * sizeof *r->items.v);
}

static void tell(struct resource *r, struct change change)
{
	const struct change copy = change;      /* a listener may add to the ring, and move what is in it */
	struct cache_listener *l, *next;

	(void)ring_add(&r->ring, change);
	for (l = r->listeners; l; l = next) {
		next = l->next;
		l->fn(l, &copy);
	}
	fiber_signal_all(&r->changed);
}

static void on_put(struct resource *r, struct sv ns, const char *name, const struct store_event *e)
{
	char *namespace = sv_dup(ns);
	struct item *after = item_new(r, namespace, name, e->revision, e->value), *before = NULL;
	size_t i = resource_seek(r, namespace, name);

	after->written_ms = clock_ms();
	if (is_at(r, i, namespace, name)) {
		before = r->items.v[i];         /* the reference moves to the ring */
		r->items.v[i] = item_ref(after);
		r->bytes -= before->n;
	} else {
		insert(r, i, item_ref(after));
	}
	r->bytes += after->n;
	free(namespace);
	tell(r, (struct change){ e->revision, before, after, false });
}

static void on_delete(struct resource *r, struct sv ns, const char *name, int64_t revision)
{
	char *namespace = sv_dup(ns);
	size_t i = resource_seek(r, namespace, name);

	if (is_at(r, i, namespace, name)) {
		struct item *before = r->items.v[i];

		remove_at(r, i);
		r->bytes -= before->n;
		tell(r, (struct change){ revision, before, item_at_revision(before, revision), true });
	}
	free(namespace);
}

static void on_event(void *arg, const struct store_event *e)
{
	struct cache *c = arg;
	struct sv prefix, ns;
	const char *name;

	c->revision = e->revision;
	if (!key_split(e->key, &prefix, &ns, &name))
		return;
	struct resource *r = resource_of_prefix(c, prefix);
	if (e->type == STORE_PUT)
		on_put(r, ns, name, e);
	else
		on_delete(r, ns, name, e->revision);
}

/* ---- the past ---- */

/* What (ns, name) of each change after the revision was before the first of them: key -> item, NULL for absent. */
static void undo(const struct resource *r, int64_t revision, struct map *was)
{
	for (uint64_t n = r->ring.first_number + r->ring.n; n-- > r->ring.first_number;) {
		const struct change *c = ring_at(&r->ring, n);

		if (c->revision <= revision)
			break;
		char *key = resource_key(r, c->after->ns, c->after->name);
		(void)map_put(was, sv_c(key), c->before ? (void *)c->before : (void *)was); /* the map itself: absent */
		free(key);
	}
}

static int by_name(const void *a, const void *b)
{
	const struct item *x = *(struct item *const *)a, *y = *(struct item *const *)b;
	int order = strcmp(x->ns, y->ns);

	return order ? order : strcmp(x->name, y->name);
}

static bool in_namespace(const struct item *i, const char *ns) { return !ns || !strcmp(i->ns, ns); }

static void list_past(struct resource *r, int64_t revision, const char *ns, struct items *out)
{
	AUTO(map) was = { 0 };
	struct map_slot *s;

	undo(r, revision, &was);
	for (size_t i = 0; i < r->items.n; i++) {
		char *key = resource_key(r, r->items.v[i]->ns, r->items.v[i]->name);

		if (!map_get(&was, sv_c(key)) && in_namespace(r->items.v[i], ns))
			vec_push(out, item_ref(r->items.v[i]));
		free(key);
	}
	map_each(s, &was)
		if (s->value != &was && in_namespace(s->value, ns))
			vec_push(out, item_ref(s->value));
	if (out->n)
		qsort(out->v, out->n, sizeof *out->v, by_name);
}

int resource_at(struct resource *r, int64_t revision, const char *ns, struct items *out, struct err *err)
{
	if (revision && revision < r->ring.since)
		return err_set(err, ERR_EXPIRED,
			       "The resource version %" PRId64
			       " is too old to display a consistent list result. You must "
			       "start a new list without the continue parameter.",
			       revision);
	if (revision && r->ring.n && ring_at(&r->ring, r->ring.first_number + r->ring.n - 1)->revision > revision) {
		list_past(r, revision, ns, out);
		return 0;
	}
	for (size_t i = ns ? resource_seek(r, ns, "") : 0; i < r->items.n && in_namespace(r->items.v[i], ns); i++)
		vec_push(out, item_ref(r->items.v[i]));
	return 0;
}

/* ---- open and close ---- */

static int load(void *arg, const struct kv *kv)
{
	struct cache *c = arg;
	struct sv prefix, ns;
	const char *name;

	if (!key_split(kv->key, &prefix, &ns, &name))
		return 0;
	struct resource *r = resource_of_prefix(c, prefix);
	char *namespace = sv_dup(ns);
	struct item *i = item_new(r, namespace, name, kv->modified, (struct sv){ kv->value, kv->value_n });
	insert(r, resource_seek(r, namespace, name), i);
	r->bytes += i->n;
	free(namespace);
	return 0;
}

int cache_open(struct cache *c, struct store *st, struct kinds *kinds, struct err *err)
{
	int64_t from = st->ops->revision(st) - HISTORY, compacted = st->ops->compacted(st);

	*c = (struct cache){ .store = st, .kinds = kinds };
	c->start = c->revision = from > compacted ? from : compacted;
	if (c->revision)
		TRY(st->ops->range(st, ROOT, c->revision, load, c, NULL, err));
	return st->ops->subscribe(st, c->revision, on_event, c, err);
}

static void resource_free(struct resource *r)
{
	for (size_t i = 0; i < r->items.n; i++)
		item_drop(&r->items.v[i]);
	vec_free(&r->items);
	ring_free(&r->ring);
	free(r->prefix);
	free(r);
}

void cache_close(struct cache *c)
{
	struct map_slot *s;

	if (c->store)
		c->store->ops->unsubscribe(c->store, on_event, c);
	map_each(s, &c->resources)
		resource_free(s->value);
	map_free(&c->resources);
	map_free(&c->by_kind);
	*c = (struct cache){ 0 };
}

static void trim(struct item *i)
{
	if (i && i->object && i->object->refs == 1)
		object_drop(&i->object);
}

void cache_trim(struct cache *c)
{
	struct map_slot *s;

	map_each(s, &c->resources) {
		struct resource *r = s->value;
		const struct change *change;

		for (size_t i = 0; i < r->items.n; i++)
			trim(r->items.v[i]);
		for (uint64_t n = r->ring.first_number; (change = ring_at(&r->ring, n)); n++) {
			trim(change->before);
			trim(change->after);
		}
	}
}
