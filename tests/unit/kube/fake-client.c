#include "kube/fake-client.h"

#include "base/fiber.h"
#include "base/json.h"
#include "base/map.h"
#include "base/vec.h"
#include "kube/patch/patch.h"
#include "kube/selector.h"

#include <stdio.h>
#include <stdlib.h>

struct entry { enum event_type type; struct object *object; };
struct fault { const char *verb, *kind; enum err_code code; int times; };

struct fake {
	struct client client;           /* first */
	struct map objects;             /* "Kind/ns/name" -> object */
	VEC(struct entry) log;          /* everything that happened; entry i made revision i + 1 */
	size_t compacted;               /* entries before this one are gone for new watches */
	unsigned drops;                 /* counts fake_drop_watches() */
	unsigned seed, most;            /* of delays */
	unsigned names;
	int64_t tokens;                 /* given out */
	VEC(struct fault) faults;
	struct fiber_cond grown;
};

struct fake_watch {
	struct watch watch;
	struct fake *fake;
	const struct kind *kind;
	char *ns;
	size_t at;
	unsigned drops;
};

static struct fake *fake_of(const struct client *c) { return (struct fake *)c; }

/* ---- delays and faults ---- */

static void wait_a_little(struct fake *f)
{
	unsigned turns = f->most ? (unsigned)rand_r(&f->seed) % (f->most + 1) : 0;

	while (turns-- && fiber_self())
		(void)fiber_yield();
}

static int enter(struct fake *f, const char *verb, const struct kind *k, struct err *err)
{
	struct fault *x;

	if (fiber_self()) {
		TRY(fiber_yield());
		wait_a_little(f);
	}
	vec_each(x, &f->faults)
		if (x->times > 0 && str_eq(x->verb, verb) && (!x->kind || str_eq(x->kind, k->kind))) {
			x->times--;
			return err_set(err, x->code, "%s of %s: a fault was asked for", verb, k->plural);
		}
	return 0;
}

void fake_delay(struct client *c, unsigned seed, unsigned most)
{
	fake_of(c)->seed = seed;
	fake_of(c)->most = most;
}

void fake_fail(struct client *c, const char *verb, const char *kind, enum err_code code, int times)
{
	vec_push(&fake_of(c)->faults, ((struct fault){ verb, kind, code, times }));
}

void fake_drop_watches(struct client *c)
{
	fake_of(c)->drops++;
	fiber_signal_all(&fake_of(c)->grown);
}

void fake_compact(struct client *c) { fake_of(c)->compacted = fake_of(c)->log.n; }

/* ---- the objects ---- */

static char *key_of(const struct kind *k, const char *ns, const char *name)
{
	return str_fmt("%s/%s/%s", k->kind, k->namespaced && ns ? ns : "", name);
}

static struct object *find(const struct fake *f, const struct kind *k, const char *ns, const char *name)
{
	char *key = key_of(k, ns, name);
	struct object *o = map_get(&f->objects, sv_c(key));

	free(key);
	return o;
}

static int missing(struct err *err, const struct kind *k, const char *name)
{
	return err_set(err, ERR_NOT_FOUND, "%s%s%s \"%s\" not found", k->plural, *k->group ? "." : "", k->group, name);
}

/* Writes the document as the next revision: the new version, borrowed. */
static struct object *commit(struct fake *f, const struct kind *k, enum event_type type, struct doc *take)
{
	struct node *root = doc_root(take);
	struct object *o, *old;
	char *key;

	node_put(take, root, "metadata.resourceVersion", node_strf(take, "%zu", f->log.n + 1));
	o = object_new(k, take);
	vec_push(&f->log, ((struct entry){ type, o }));
	key = key_of(k, o->ns, o->name);
	old = type == EVENT_DELETED ? map_del(&f->objects, sv_c(key)) : map_put(&f->objects, sv_c(key), object_ref(o));
	object_drop(&old);
	free(key);
	fiber_signal_all(&f->grown);
	return o;
}

static bool held(const struct object *o)
{
	if (node_n(node_at(o->root, "metadata.finalizers")))
		return true;
	if (str_eq(o->kind->kind, "Namespace"))
		return node_n(node_at(o->root, "spec.finalizers")) > 0;
	return str_eq(o->kind->kind, "Pod") && node_int_at(o->root, "metadata.deletionGracePeriodSeconds", 0) > 0;
}

/* An object that is being deleted and that nothing holds any more goes. */
static void reap(struct fake *f, struct object *o)
{
	if (meta_deleting(o->root) && !held(o))
		(void)commit(f, o->kind, EVENT_DELETED, doc_of(o->root));
}

static void give(struct object *o, struct object **out)
{
	if (out)
		*out = object_ref(o);
}

/* ---- verbs ---- */

static int get(struct client *c, const struct kind *k, const char *ns, const char *name, struct object **out,
	       struct err *err)
{
	struct fake *f = fake_of(c);
	struct object *o;

	TRY(enter(f, "get", k, err));
	o = find(f, k, ns, name);
	if (!o)
		return missing(err, k, name);
	give(o, out);
	return 0;
}

static int list(struct client *c, const struct kind *k, const struct list_opts *o, struct object_list *out,
		struct err *err)
{
	struct fake *f = fake_of(c);
	struct selector *labels = NULL;
	struct field_selector *fields = NULL;
	struct map_slot *s;

	TRY(enter(f, "list", k, err));
	if (o && o->labels)
		TRY(selector_parse(o->labels, &labels, err));
	if (o && o->fields)
		TRY(field_selector_parse(o->fields, &fields, err));
	map_each(s, &f->objects) {
		struct object *x = s->value;

		if (x->kind == k && (!o || !o->ns || str_eq(o->ns, x->ns))
		    && selector_matches(labels, node_at(x->root, "metadata.labels"))
		    && (!fields || field_selector_matches(fields, x->root)))
			vec_push(out, object_ref(x));
	}
	out->revision = (int64_t)f->log.n;
	selector_free(&labels);
	field_selector_free(&fields);
	return 0;
}

static struct node *finalizers_of(struct doc *d, struct node *root)
{
	return node_seq_at(d, root, "metadata.finalizers");
}

static void stamp(struct fake *f, const struct kind *k, struct doc *d, struct node *root)
{
	const char *generate = node_str_at(root, "metadata.generateName");
	char now[32];

	time_format(clock_ms(), now);
	if (generate && !node_str_at(root, "metadata.name"))
		node_put(d, root, "metadata.name", node_strf(d, "%s%05x", generate, ++f->names));
	node_put(d, root, "metadata.uid", node_strf(d, "uid-%zu", f->log.n + 1));
	node_put(d, root, "metadata.creationTimestamp", node_str(d, now));
	node_put(d, root, "metadata.generation", node_int(d, 1));
	if (k->subresources & SUB_STATUS)
		(void)node_del(root, "status");
	if (str_eq(k->kind, "Namespace"))
		node_add(d, node_seq_at(d, root, "spec.finalizers"), node_str(d, "kubernetes"));
}

/* The answer of a dry run: what would have been written. */
static int pretend(const struct kind *k, struct doc *take, struct object **out)
{
	AUTO_OBJECT o = object_new(k, take);

	give(o, out);
	return 0;
}

static int bind_pod(struct fake *f, const struct kind *k, const struct node *binding, struct object **out,
		    struct err *err)
{
	const char *name = node_str_or(binding, "metadata.name", "");
	struct object *pod = find(f, k, node_str_at(binding, "metadata.namespace"), name);
	struct doc *d;

	if (!pod)
		return missing(err, k, name);
	if (node_str_at(pod->root, "spec.nodeName"))
		return err_set(err, ERR_CONFLICT, "pod %s is already assigned to a node", name);
	d = doc_of(pod->root);
	node_put(d, doc_root(d), "spec.nodeName", node_copy(d, node_at(binding, "target.name")));
	give(commit(f, k, EVENT_MODIFIED, d), out);
	return 0;
}

/* Every token is another one. */
static int give_token(struct fake *f, const struct kind *k, const struct node *asked, struct object **out)
{
	struct doc *d = doc_of(asked);
	char expires[32];

	node_put(d, doc_root(d), "status.token", node_strf(d, "token-%lld", (long long)++f->tokens));
	time_format(clock_ms() + node_int_at(asked, "spec.expirationSeconds", 3600) * 1000, expires);
	node_put(d, doc_root(d), "status.expirationTimestamp", node_str(d, expires));
	*out = object_new(k, d);
	return 0;
}

static int create(struct client *c, const struct kind *k, const struct node *obj, const struct write_opts *o,
		  struct object **out, struct err *err)
{
	struct fake *f = fake_of(c);
	struct doc *d;

	TRY(enter(f, "create", k, err));
	if (o && str_eq(o->subresource, "binding"))
		return bind_pod(f, k, obj, out, err);
	if (o && str_eq(o->subresource, "token"))
		return give_token(f, k, obj, out);
	d = doc_of(obj);
	stamp(f, k, d, doc_root(d));
	const char *name = node_str_or(doc_root(d), "metadata.name", "");

	if (find(f, k, node_str_at(obj, "metadata.namespace"), name)) {
		int r = err_set(err, ERR_ALREADY_EXISTS, "%s \"%s\" already exists", k->plural, name);

		doc_drop(&d);
		return r;
	}
	if (o && o->dry_run)
		return pretend(k, d, out);
	give(commit(f, k, EVENT_ADDED, d), out);
	return 0;
}

/* What a write may not change comes from the live object. */
static void keep(struct doc *d, struct node *root, const struct object *live, const char *path)
{
	const struct node *value = node_at(live->root, path);

	if (value)
		node_put(d, root, path, node_copy(d, value));
}

static struct doc *merge_write(const struct object *live, const struct node *obj, const struct write_opts *o)
{
	static const char *const kept[] = { "metadata.uid", "metadata.creationTimestamp", "metadata.generation",
		"metadata.deletionTimestamp", "metadata.deletionGracePeriodSeconds", "metadata.resourceVersion" };
	bool status = o && str_eq(o->subresource, "status");
	struct doc *d = doc_of(status ? live->root : obj);
	struct node *root = doc_root(d);

	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		keep(d, root, live, kept[i]);
	if (status || (live->kind->subresources & SUB_STATUS)) {
		const struct node *from = node_get(status ? obj : live->root, "status");

		(void)node_del(root, "status");
		if (from)
			node_set(d, root, "status", node_copy(d, from));
	}
	if (!node_eq(node_get(root, "spec"), node_get(live->root, "spec")))
		node_put(d, root, "metadata.generation",
			 node_int(d, node_int_at(live->root, "metadata.generation", 0) + 1));
	return d;
}

static int replace(struct fake *f, const struct kind *k, const struct node *obj, const struct write_opts *o,
		 struct object **out, struct err *err)
{
	const char *name = node_str_or(obj, "metadata.name", ""),
		   *version = node_str_at(obj, "metadata.resourceVersion");
	const char *uid = node_str_at(obj, "metadata.uid");
	struct object *live = find(f, k, node_str_at(obj, "metadata.namespace"), name);
	struct doc *d;

	if (!live)
		return missing(err, k, name);
	if ((version && *version && strtoll(version, NULL, 10) != live->revision) ||
	    (uid && strcmp(uid, live->uid) != 0))
		return err_set(err, ERR_CONFLICT,
			       "Operation cannot be fulfilled on %s \"%s\": the object has been modified; please "
			       "apply your changes to the latest version and try again",
			       k->plural, name);
	d = merge_write(live, obj, o);
	if (node_eq(doc_root(d), live->root)) {
		doc_drop(&d);
		give(live, out);
		return 0;
	}
	if (o && o->dry_run)
		return pretend(k, d, out);
	live = commit(f, k, EVENT_MODIFIED, d);
	give(live, out);
	reap(f, live);
	return 0;
}

static int update(struct client *c, const struct kind *k, const struct node *obj, const struct write_opts *o,
		  struct object **out, struct err *err)
{
	TRY(enter(fake_of(c), "update", k, err));
	return replace(fake_of(c), k, obj, o, out, err);
}

static int patch(struct client *c, const struct kind *k, const char *ns, const char *name, enum patch_type type,
		 const struct node *change, const struct write_opts *o, struct object **out, struct err *err)
{
	struct fake *f = fake_of(c);
	AUTO_DOC d = doc_new();
	struct node *result = NULL;
	struct object *live;

	TRY(enter(f, "patch", k, err));
	live = find(f, k, ns, name);
	if (!live)
		return missing(err, k, name);
	if (type == PATCH_JSON)
		TRY(patch_json(d, live->root, change, &result, err));
	else if (type == PATCH_MERGE)
		result = patch_merge(d, live->root, change);
	else if (type == PATCH_STRATEGIC)
		TRY(patch_strategic(d, live->root, change, k->type, &result, err));
	else
		return err_set(err, ERR_UNSUPPORTED, "the fake knows no server-side apply");
	return replace(f, k, result, o, out, err);
}

static int64_t grace_of(const struct object *o, const struct delete_opts *opts)
{
	const char *phase = node_str_or(o->root, "status.phase", "");

	if (!str_eq(o->kind->kind, "Pod") || !node_str_at(o->root, "spec.nodeName") || str_eq(phase, "Succeeded")
	    || str_eq(phase, "Failed"))
		return 0;
	if (opts && opts->grace_seconds >= 0)
		return opts->grace_seconds;
	return node_int_at(o->root, "spec.terminationGracePeriodSeconds", 30);
}

static void mark_deleted(struct object *live, const struct delete_opts *o, struct doc *d)
{
	struct node *root = doc_root(d);
	const char *propagation = o && o->propagation ? o->propagation : "";
	char now[32];

	time_format(clock_ms(), now);
	if (!meta_deleting(root))
		node_put(d, root, "metadata.deletionTimestamp", node_str(d, now));
	if (str_eq(propagation, "Foreground") && !meta_has_finalizer(root, "foregroundDeletion"))
		node_add(d, finalizers_of(d, root), node_str(d, "foregroundDeletion"));
	if (str_eq(propagation, "Orphan") && !meta_has_finalizer(root, "orphan"))
		node_add(d, finalizers_of(d, root), node_str(d, "orphan"));
	if (str_eq(live->kind->kind, "Pod"))
		node_put(d, root, "metadata.deletionGracePeriodSeconds", node_int(d, grace_of(live, o)));
	if (str_eq(live->kind->kind, "Namespace"))
		node_put(d, root, "status.phase", node_str(d, "Terminating"));
}

static int del(struct client *c, const struct kind *k, const char *ns, const char *name, const struct delete_opts *o,
	       struct err *err)
{
	struct fake *f = fake_of(c);
	struct object *live;
	struct doc *d;

	TRY(enter(f, "delete", k, err));
	live = find(f, k, ns, name);
	if (!live)
		return missing(err, k, name);
	if (o && o->uid && strcmp(o->uid, live->uid) != 0)
		return err_set(err, ERR_CONFLICT, "%s \"%s\": the uid is %s and not %s", k->plural, name, live->uid,
			       o->uid);
	d = doc_of(live->root);
	mark_deleted(live, o, d);
	if (node_eq(doc_root(d), live->root))
		doc_drop(&d);
	else
		live = commit(f, k, EVENT_MODIFIED, d);
	reap(f, live);
	return 0;
}

static int stream(struct client *c, const char *path, int (*on_data)(void *, struct sv), void *arg, struct err *err)
{
	(void)c;
	(void)on_data;
	(void)arg;
	return err_set(err, ERR_UNSUPPORTED, "the fake has no streams: %s", path);
}

/* ---- watches ---- */

static int next(struct watch *watch, struct event *out, struct err *err)
{
	struct fake_watch *w = (struct fake_watch *)watch;

	for (;;) {
		if (w->drops != w->fake->drops)
			return err_set(err, ERR_UNAVAILABLE, "the watch was dropped");
		while (w->at < w->fake->log.n) {
			struct entry *e = &w->fake->log.v[w->at++];

			if (e->object->kind != w->kind || (w->ns && !str_eq(w->ns, e->object->ns)))
				continue;
			*out = (struct event){ e->type, object_ref(e->object) };
			wait_a_little(w->fake);
			return 0;
		}
		TRY(fiber_wait(&w->fake->grown));
	}
}

static void close_watch(struct watch *watch)
{
	struct fake_watch *w = (struct fake_watch *)watch;

	free(w->ns);
	free(w);
}

static int watch(struct client *c, const struct kind *k, const struct list_opts *o, int64_t from, struct watch **out,
		 struct err *err)
{
	static const struct watch_ops ops = { next, close_watch };
	struct fake *f = fake_of(c);
	struct fake_watch *w;

	TRY(enter(f, "watch", k, err));
	if ((size_t)from < f->compacted)
		return err_set(err, ERR_EXPIRED, "too old resource version: %lld", (long long)from);
	w = calloc(1, sizeof *w);
	if (!w)
		abort();
	*w = (struct fake_watch){ { &ops }, f, k, o && o->ns ? sv_dup(sv_c(o->ns)) : NULL, (size_t)from, f->drops };
	*out = &w->watch;
	return 0;
}

static void free_fake(struct client *c)
{
	struct fake *f = fake_of(c);
	struct map_slot *s;

	map_each(s, &f->objects) {
		struct object *o = s->value;

		object_drop(&o);
	}
	map_free(&f->objects);
	for (size_t i = 0; i < f->log.n; i++)
		object_drop(&f->log.v[i].object);
	vec_free(&f->log);
	vec_free(&f->faults);
	free(f);
}

struct client *fake_client(struct loop *l, const struct kinds *kinds)
{
	static const struct client_ops ops = { .get = get, .list = list, .watch = watch, .create = create, .update = update,
		.patch = patch, .del = del, .stream = stream, .free = free_fake };
	struct fake *f = calloc(1, sizeof *f);

	if (!f)
		abort();
	f->client = (struct client){ .ops = &ops, .loop = l, .kinds = kinds };
	return &f->client;
}

/* ---- what tests ask ---- */

int64_t fake_revision(const struct client *c) { return (int64_t)fake_of(c)->log.n; }

void fake_each(const struct client *c, const char *kind, void (*fn)(const struct object *o, void *arg), void *arg)
{
	struct map_slot *s;

	map_each(s, &fake_of(c)->objects)
		if (str_eq(((struct object *)s->value)->kind->kind, kind))
			fn(s->value, arg);
}

static void count(const struct object *o, void *arg)
{
	(void)o;
	++*(size_t *)arg;
}

size_t fake_n(const struct client *c, const char *kind)
{
	size_t n = 0;

	fake_each(c, kind, count, &n);
	return n;
}

const struct object *fake_get(const struct client *c, const char *kind, const char *ns, const char *name)
{
	char *key = str_fmt("%s/%s/%s", kind, ns ? ns : "", name);
	const struct object *o = map_get(&fake_of(c)->objects, sv_c(key));

	free(key);
	return o;
}

void fake_replay(const struct client *c, void (*fn)(enum event_type type, const struct object *o, void *arg), void *arg)
{
	const struct fake *f = fake_of(c);

	for (size_t i = 0; i < f->log.n; i++)
		fn(f->log.v[i].type, f->log.v[i].object, arg);
}

size_t fake_events(const struct client *c, const char *kind, enum event_type type)
{
	const struct fake *f = fake_of(c);
	size_t n = 0;

	for (size_t i = 0; i < f->log.n; i++)
		n += f->log.v[i].type == type && str_eq(f->log.v[i].object->kind->kind, kind);
	return n;
}

static void must(int r, const struct err *err)
{
	if (r >= 0)
		return;
	fprintf(stderr, "a fixture is wrong: %s\n", err_msg(err));
	abort();
}

const struct object *fake_add(struct client *c, const char *json)
{
	AUTO_DOC d = NULL;
	AUTO(err) err = { 0 };
	struct object *o = NULL;
	const struct kind *k;

	must(json_read(sv_c(json), "fixture", 0, &d, &err), &err);
	k = kinds_find(c->kinds, node_str_or(doc_root(d), "apiVersion", ""), node_str_or(doc_root(d), "kind", ""));
	if (!k)
		must(err_set(&err, ERR_NOT_FOUND, "unknown kind in %s", json), &err);
	struct doc *copy = doc_of(doc_root(d));
	const struct node *status = node_get(doc_root(d), "status");

	stamp(fake_of(c), k, copy, doc_root(copy));
	if (status)
		node_set(copy, doc_root(copy), "status", node_copy(copy, status));
	o = commit(fake_of(c), k, EVENT_ADDED, copy);
	return o;
}

void fake_set(struct client *c, const char *kind, const char *ns, const char *name, const char *path, const char *json)
{
	const struct object *live = fake_get(c, kind, ns, name);
	AUTO_DOC value = NULL;
	AUTO(err) err = { 0 };
	struct doc *d;

	if (!live)
		must(err_set(&err, ERR_NOT_FOUND, "no %s %s/%s", kind, ns, name), &err);
	must(json_read(sv_c(json), "value", 0, &value, &err), &err);
	d = doc_of(live->root);
	node_put(d, doc_root(d), path, node_copy(d, doc_root(value)));
	reap(fake_of(c), commit(fake_of(c), live->kind, EVENT_MODIFIED, d));
}
