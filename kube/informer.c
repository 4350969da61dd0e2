#include "kube/informer.h"

#include "base/fiber.h"
#include "base/log.h"
#include "base/map.h"
#include "base/vec.h"

#include <stdlib.h>

#define RETRY_MIN_MS 20
#define RETRY_MAX_MS 10000
#define SEEN_TIMEOUT_MS 30000

struct owned { VEC(struct object *); };
struct handler { informer_fn *fn; void *arg; };

struct informer {
	struct client *client;
	const struct kind *kind;
	VEC(struct object *) all;       /* references, in order of namespace and name */
	struct map by_uid;              /* uid -> object */
	struct map by_owner;            /* owner's uid -> struct owned */
	int64_t revision;               /* everything up to here is in the copy */
	bool synced, stale;             /* stale: list before watching */
	struct fiber_cond changed;
	VEC(struct handler) handlers;
};

struct informers {
	struct loop *loop;
	struct client *client;
	struct fiber_group fibers;
	VEC(struct informer *) all;
};

/* ---- the copy ---- */

static int order(const struct object *o, const char *ns, const char *name)
{
	int r = strcmp(o->ns, ns);

	return r ? r : strcmp(o->name, name);
}

/* The place of ns/name, or the one where it belongs. */
static size_t place(const struct informer *f, const char *ns, const char *name)
{
	size_t low = 0, high = f->all.n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (order(f->all.v[mid], ns, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct object *informer_get(const struct informer *f, const char *ns, const char *name)
{
	const char *n = ns ? ns : "";
	size_t at = place(f, n, name);

	return at < f->all.n && !order(f->all.v[at], n, name) ? f->all.v[at] : NULL;
}

static void index_owners(struct informer *f, struct object *o)
{
	const struct node *owner, *owners = node_at(o->root, "metadata.ownerReferences");

	node_each(owner, owners) {
		struct sv uid = node_sv(node_get(owner, "uid"));
		struct owned *set = map_get(&f->by_owner, uid);

		if (!set) {
			set = calloc(1, sizeof *set);
			if (!set)
				abort();
			(void)map_put(&f->by_owner, uid, set);
		}
		vec_push(set, o);
	}
}

static void unindex_owners(struct informer *f, const struct object *o)
{
	const struct node *owner, *owners = node_at(o->root, "metadata.ownerReferences");

	node_each(owner, owners) {
		struct sv uid = node_sv(node_get(owner, "uid"));
		struct owned *set = map_get(&f->by_owner, uid);

		for (size_t i = 0; set && i < set->n; i++)
			if (set->v[i] == o) {
				set->v[i] = set->v[--set->n];
				break;
			}
		if (set && !set->n) {
			(void)map_del(&f->by_owner, uid);
			vec_free(set);
			free(set);
		}
	}
}

static void tell(struct informer *f, const struct object *before, const struct object *after)
{
	for (size_t i = 0; i < f->handlers.n; i++)
		f->handlers.v[i].fn(f->handlers.v[i].arg, before, after);
}

static void insert(struct informer *f, size_t at, struct object *o)
{
	vec_push(&f->all, NULL);
	memmove(f->all.v + at + 1, f->all.v + at, (f->all.n - 1 - at) * sizeof *f->all.v);
	f->all.v[at] = object_ref(o);
	(void)map_put(&f->by_uid, sv_c(o->uid), o);
	index_owners(f, o);
}

/* Takes the object out of the copy; the reference is the caller's. */
static struct object *withdraw(struct informer *f, size_t at)
{
	struct object *o = f->all.v[at];

	memmove(f->all.v + at, f->all.v + at + 1, (f->all.n - at - 1) * sizeof *f->all.v);
	f->all.n--;
	if (map_get(&f->by_uid, sv_c(o->uid)) == o)
		(void)map_del(&f->by_uid, sv_c(o->uid));
	unindex_owners(f, o);
	return o;
}

static void gone(struct informer *f, size_t at)
{
	AUTO_OBJECT before = withdraw(f, at);

	tell(f, before, NULL);
}

/* A version that is newer than the copy's. Another uid under the same name is another object: the old one is gone first. */
static void put(struct informer *f, struct object *o)
{
	size_t at = place(f, o->ns, o->name);
	AUTO_OBJECT before = NULL;

	if (at < f->all.n && !order(f->all.v[at], o->ns, o->name)) {
		if (!strcmp(f->all.v[at]->uid, o->uid)) {
			if (f->all.v[at]->revision == o->revision)
				return;
			before = withdraw(f, at);
		} else {
			gone(f, at);
		}
	}
	insert(f, at, o);
	tell(f, before, o);
}

static void drop_unlisted(struct informer *f, const struct object_list *list)
{
	struct map listed = { 0 };

	for (size_t i = 0; i < list->n; i++)
		(void)map_put(&listed, sv_c(list->v[i]->uid), list->v[i]);
	for (size_t i = f->all.n; i-- > 0;)
		if (!map_get(&listed, sv_c(f->all.v[i]->uid)))
			gone(f, i);
	map_free(&listed);
}

/* ---- list and watch ---- */

static int relist(struct informer *f, struct err *err)
{
	AUTO(object_list) list = { 0 };

	TRY(client_list(f->client, f->kind, NULL, &list, err));
	drop_unlisted(f, &list);
	for (size_t i = 0; i < list.n; i++)
		put(f, list.v[i]);
	f->revision = list.revision;
	f->synced = true;
	f->stale = false;
	fiber_signal_all(&f->changed);
	return 0;
}

static void take_event(struct informer *f, struct event *e)
{
	AUTO_OBJECT o = TAKE(e->object);
	size_t at = place(f, o->ns, o->name);

	if (e->type == EVENT_ADDED || e->type == EVENT_MODIFIED)
		put(f, o);
	else if (e->type == EVENT_DELETED && at < f->all.n && !strcmp(f->all.v[at]->uid, o->uid))
		gone(f, at);
	if (o->revision > f->revision)
		f->revision = o->revision;
	fiber_signal_all(&f->changed);
}

/* Follows a watch until it breaks; *events counts what came. */
static int follow(struct informer *f, size_t *events, struct err *err)
{
	struct watch *w = NULL;
	int r = client_watch(f->client, f->kind, NULL, f->revision, &w, err);

	while (r >= 0) {
		struct event e = { 0 };

		r = watch_next(w, &e, err);
		if (r < 0)
			break;
		++*events;
		take_event(f, &e);
	}
	watch_close(&w);
	return r;
}

static int once(struct informer *f, size_t *progress, struct err *err)
{
	if (f->stale) {
		TRY(err_wrap(err, relist(f, err), "list %s", f->kind->plural));
		++*progress;
	}
	return follow(f, progress, err);
}

static void run(void *arg)
{
	struct informer *f = arg;
	int64_t wait_ms = 0;

	while (!fiber_canceled()) {
		AUTO(err) err = { 0 };
		size_t progress = 0;
		int r = once(f, &progress, &err);

		if (fiber_canceled())
			return;
		if (r == -ERR_EXPIRED)
			f->stale = true;
		if (progress)
			wait_ms = 0;
		else if (!wait_ms)
			log_event(LOG_WARN, "watch broken, trying again", "kind", f->kind->kind, "error", err_msg(&err),
				  NULL);
		wait_ms = wait_ms ? wait_ms * 2 : RETRY_MIN_MS;
		if (wait_ms > RETRY_MAX_MS)
			wait_ms = RETRY_MAX_MS;
		(void)fiber_sleep(wait_ms);             /* canceled: the loop's condition sees it */
	}
}

/* ---- readers ---- */

int informer_wait(struct informer *f)
{
	while (!f->synced)
		TRY(fiber_wait(&f->changed));
	return 0;
}

bool informer_synced(const struct informer *f) { return f->synced; }
const struct kind *informer_kind(const struct informer *f) { return f->kind; }
size_t informer_n(const struct informer *f) { return f->all.n; }
struct object *informer_by_uid(const struct informer *f, const char *uid) { return map_get(&f->by_uid, sv_c(uid)); }

void informer_each(const struct informer *f, const char *ns, bool (*fn)(struct object *o, void *arg), void *arg)
{
	for (size_t i = ns ? place(f, ns, "") : 0; i < f->all.n; i++)
		if ((ns && strcmp(f->all.v[i]->ns, ns) != 0) || !fn(f->all.v[i], arg))
			return;
}

void informer_owned(const struct informer *f, const char *owner_uid, bool (*fn)(struct object *o, void *arg), void *arg)
{
	const struct owned *set = map_get(&f->by_owner, sv_c(owner_uid));

	for (size_t i = 0; set && i < set->n; i++)
		if (!fn(set->v[i], arg))
			return;
}

void informer_on_change(struct informer *f, informer_fn *fn, void *arg)
{
	vec_push(&f->handlers, ((struct handler){ fn, arg }));
}

void informer_off_change(struct informer *f, informer_fn *fn, void *arg)
{
	for (size_t i = 0; i < f->handlers.n; i++)
		if (f->handlers.v[i].fn == fn && f->handlers.v[i].arg == arg) {
			memmove(f->handlers.v + i, f->handlers.v + i + 1,
				(f->handlers.n - i - 1) * sizeof *f->handlers.v);
			f->handlers.n--;
			return;
		}
}

static bool is_gone(const struct informer *f, const char *uid)
{
	const struct object *o = informer_by_uid(f, uid);

	return !o || meta_deleting(o->root);
}

/* Waits until the revision is in, or, with an uid, until that object is gone. */
static int wait_for(struct informer *f, int64_t revision, const char *uid, struct err *err)
{
	int64_t end = loop_now_ms(f->client->loop) + SEEN_TIMEOUT_MS;

	while (uid ? !is_gone(f, uid) : f->revision < revision) {
		int r = fiber_wait_ms(&f->changed, end - loop_now_ms(f->client->loop));

		if (r < 0)
			return err_set(err, (enum err_code) - r,
				       "the watch of %s does not show a write after %d s: its server is slow or gone",
				       f->kind->plural, SEEN_TIMEOUT_MS / 1000);
	}
	return 0;
}

int informer_wait_seen(struct informer *f, int64_t revision, struct err *err)
{
	return wait_for(f, revision, NULL, err);
}
int informer_wait_gone(struct informer *f, const char *uid, struct err *err) { return wait_for(f, 0, uid, err); }

/* ---- all of them ---- */

struct informers *informers_new(struct loop *l, struct client *c)
{
	struct informers *i = calloc(1, sizeof *i);

	if (!i)
		abort();
	i->loop = l;
	i->client = c;
	fiber_group_init(&i->fibers, l);
	return i;
}

struct informer *informer_of(struct informers *i, const struct kind *k)
{
	struct informer *f;

	for (size_t at = 0; at < i->all.n; at++)
		if (i->all.v[at]->kind == k)
			return i->all.v[at];
	f = calloc(1, sizeof *f);
	if (!f)
		abort();
	f->client = i->client;
	f->kind = k;
	f->stale = true;
	vec_push(&i->all, f);
	fiber_group_start(&i->fibers, "informer", run, f);
	return f;
}

static void informer_free(struct informer *f)
{
	struct map_slot *s;

	for (size_t i = 0; i < f->all.n; i++)
		object_drop(&f->all.v[i]);
	vec_free(&f->all);
	map_free(&f->by_uid);
	map_each(s, &f->by_owner) {
		struct owned *set = s->value;

		vec_free(set);
		free(set);
	}
	map_free(&f->by_owner);
	vec_free(&f->handlers);
	free(f);
}

void informers_free(struct informers **ip)
{
	struct informers *i = TAKE(*ip);

	if (!i)
		return;
	fiber_group_cancel(&i->fibers);
	fiber_group_join(&i->fibers);
	for (size_t at = 0; at < i->all.n; at++)
		informer_free(i->all.v[at]);
	vec_free(&i->all);
	free(i);
}
