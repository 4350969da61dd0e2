#include "kube/controller.h"

#include "base/fiber.h"
#include "base/log.h"
#include "base/vec.h"
#include "kube/workqueue.h"

#include <stdarg.h>
#include <stdlib.h>

#define WORKERS 4

/* One watch of the row, and what its informer calls. */
struct binding {
	struct controller *controller;
	const struct controller_watch *watch;
	struct informer *informer;
};

struct controller {
	struct loop *loop;
	struct client *client;
	struct informers *informers;
	const struct controller_spec *spec;
	struct workqueue *queue;
	VEC(struct binding) bindings;           /* complete before the first address is handed out */
	struct fiber_group fibers;              /* the starter and the workers: a worker lives while there are keys */
	struct timer *delay, *resync;
	int workers;
	bool started;                           /* all informers are synced */
	void *state;
};

/* ---- workers ---- */

static void pump(struct controller *c);

/* What somebody else did in the meantime is no news, as long as the next try gets over it; nor is the end of a namespace. */
static bool is_race(const struct controller *c, const char *key, int r, const struct err *err)
{
	for (size_t i = 0; i < err->n_causes; i++)
		if (str_eq(err->causes[i].reason, "NamespaceTerminating"))
			return true;
	return r == -ERR_CONFLICT || (r == -ERR_NOT_FOUND && workqueue_failures(c->queue, key) <= 1);
}

static void finish(struct controller *c, const char *key, int r, struct err *err)
{
	if (r >= 0) {
		workqueue_forget(c->queue, key);
		return;
	}
	if (fiber_canceled())
		return;
	workqueue_add_at(c->queue, key, loop_now_ms(c->loop) + workqueue_backoff_ms(c->queue, key));
	log_event(is_race(c, key, r, err) ? LOG_DEBUG : LOG_WARN, "reconcile failed", "controller", c->spec->name,
		  "key", key, "error", err_msg(err), NULL);
}

static void work(void *arg)
{
	struct controller *c = arg;
	const char *key;

	while (!fiber_canceled() && (key = workqueue_take(c->queue, loop_now_ms(c->loop)))) {
		AUTO(err) err = { 0 };
		AUTO(str) ns = { 0 };
		const char *name;

		object_key_split(key, &ns, &name);
		finish(c, key, c->spec->reconcile(c, str_c(&ns), name, &err), &err);
		workqueue_done(c->queue, key);
	}
	c->workers--;
	if (!fiber_canceled())
		pump(c);
}

static void on_delay(void *arg)
{
	struct controller *c = arg;

	timer_stop(&c->delay);
	pump(c);
}

/* Starts workers for what is due, and the timer for what is not. */
static void pump(struct controller *c)
{
	int64_t now = loop_now_ms(c->loop), next = workqueue_next_ms(c->queue);
	int most = c->spec->workers ? c->spec->workers : WORKERS;
	bool due = next >= 0 && next <= now;

	if (!c->started)
		return;
	for (size_t n = workqueue_n(c->queue) + due; n && c->workers < most; n--) {
		c->workers++;
		fiber_group_start(&c->fibers, c->spec->name, work, c);
	}
	timer_stop(&c->delay);
	if (next >= 0 && !due)
		c->delay = timer_after(c->loop, next - now, on_delay, c);
}

void controller_queue(struct controller *c, const char *ns, const char *name)
{
	char *key = object_key(ns, name);

	workqueue_add(c->queue, key);
	free(key);
	pump(c);
}

void controller_queue_after(struct controller *c, const char *ns, const char *name, int64_t ms)
{
	char *key = object_key(ns, name);

	workqueue_add_at(c->queue, key, loop_now_ms(c->loop) + ms);
	free(key);
	pump(c);
}

/* ---- events to keys ---- */

static void map(struct binding *b, const struct object *o)
{
	if (!o)
		return;
	if (b->watch->map)
		b->watch->map(b->controller, o);
	else
		controller_queue(b->controller, o->ns, o->name);
}

static void on_change(void *arg, const struct object *before, const struct object *after)
{
	struct binding *b = arg;

	if (!b->controller->started)
		return;         /* the starter queues everything there is */
	map(b, before);
	map(b, after);
}

static bool map_each_object(struct object *o, void *arg)
{
	map(arg, o);
	return true;
}

static void queue_all(struct controller *c)
{
	struct binding *b;

	vec_each(b, &c->bindings)
		informer_each(b->informer, NULL, map_each_object, b);
}

static void on_resync(void *arg)
{
	struct controller *c = arg;

	informer_each(c->bindings.v[0].informer, NULL, map_each_object, &c->bindings.v[0]);
}

void controller_map_owner(struct controller *c, const struct object *o)
{
	const struct controller_watch *first = &c->spec->watches[0];
	const struct node *owner = meta_owner(o->root);
	const char *name = node_str_at(owner, "name");

	if (name && str_eq(node_str_at(owner, "kind"), first->kind) &&
	    str_eq(node_str_at(owner, "apiVersion"), first->api_version))
		controller_queue(c, o->ns, name);
}

/* ---- events ---- */

struct record { struct controller *controller; struct object *about; const char *type, *reason; char *msg; };

static void record(void *arg)
{
	struct record *e = arg;

	client_event(e->controller->client, e->about, e->controller->spec->name, e->type, e->reason, "%s", e->msg);
	object_drop(&e->about);
	free(e->msg);
	free(e);
}

void controller_event(struct controller *c, struct object *about, const char *type, const char *reason, const char *fmt,
		      ...)
{
	struct record *e = calloc(1, sizeof *e);
	struct str msg = { 0 };
	va_list ap;

	if (!e)
		abort();
	va_start(ap, fmt);
	str_addv(&msg, fmt, ap);
	va_end(ap);
	*e = (struct record){ c, object_ref(about), type, reason, str_take(&msg) };
	fiber_group_start(&c->fibers, "event", record, e);
}

/* ---- status ---- */

struct node *controller_status(struct doc *d, const struct object *o)
{
	const struct node *status = node_get(o->root, "status");

	return node_is(status, NODE_MAP) ? node_copy(d, status) : node_map(d);
}

int controller_put_status(struct controller *c, size_t watch, const struct object *o, const struct node *status,
			  struct object **out, struct err *err)
{
	const struct write_opts opts = { .subresource = "status" };
	AUTO_OBJECT now = NULL;
	AUTO_DOC d = NULL;

	if (node_eq(status, node_get(o->root, "status")))
		return 0;
	d = doc_of(o->root);
	node_set(d, doc_root(d), "status", node_copy(d, status));
	TRY(client_update(c->client, o->kind, doc_root(d), &opts, &now, err));
	if (out)
		*out = object_ref(now);
	return informer_wait_seen(c->bindings.v[watch].informer, now->revision, err);
}

/* ---- start and stop ---- */

static void start(void *arg)
{
	struct controller *c = arg;
	struct binding *b;

	vec_each(b, &c->bindings)
		if (informer_wait(b->informer) < 0)
			return;
	if (c->spec->state_new)
		c->state = c->spec->state_new(c);
	c->started = true;
	queue_all(c);
	if (c->spec->resync_ms)
		c->resync = timer_every(c->loop, c->spec->resync_ms, on_resync, c);
}

static bool kinds_known(struct client *client, const struct controller_spec *spec)
{
	for (const struct controller_watch *w = spec->watches; w->kind; w++)
		if (!kinds_find(client->kinds, w->api_version, w->kind)) {
			log_event(LOG_ERROR, "not started: its server does not know a kind", "controller", spec->name,
				  "kind", w->kind, NULL);
			return false;
		}
	return true;
}

struct controller *controller_start(struct loop *l, struct client *client, struct informers *informers,
				    const struct controller_spec *spec)
{
	struct controller *c;
	struct binding *b;

	if (!kinds_known(client, spec))
		return NULL;
	c = calloc(1, sizeof *c);
	if (!c)
		abort();
	*c = (struct controller){ .loop = l, .client = client, .informers = informers, .spec = spec, .queue = workqueue_new() };
	fiber_group_init(&c->fibers, l);
	for (const struct controller_watch *w = spec->watches; w->kind; w++)
		vec_push(&c->bindings,
			 ((struct binding){
				 c, w, informer_of(informers, kinds_find(client->kinds, w->api_version, w->kind))}));
	vec_each(b, &c->bindings)
		informer_on_change(b->informer, on_change, b);
	fiber_group_start(&c->fibers, spec->name, start, c);
	return c;
}

void controller_stop(struct controller **cp)
{
	struct controller *c = TAKE(*cp);
	struct binding *b;

	if (!c)
		return;
	fiber_group_cancel(&c->fibers);
	fiber_group_join(&c->fibers);
	c->started = false;
	timer_stop(&c->delay);
	timer_stop(&c->resync);
	vec_each(b, &c->bindings)
		informer_off_change(b->informer, on_change, b);
	if (c->state && c->spec->state_free)
		c->spec->state_free(c->state);
	workqueue_free(&c->queue);
	vec_free(&c->bindings);
	free(c);
}

struct client *controller_client(const struct controller *c) { return c->client; }
struct informer *controller_informer(const struct controller *c, size_t watch) { return c->bindings.v[watch].informer; }
struct informers *controller_informers(const struct controller *c) { return c->informers; }
struct loop *controller_loop(const struct controller *c) { return c->loop; }
void *controller_state(const struct controller *c) { return c->state; }
const struct controller_spec *controller_spec_of(const struct controller *c) { return c->spec; }
const char *controller_name(const struct controller *c) { return c->spec->name; }
