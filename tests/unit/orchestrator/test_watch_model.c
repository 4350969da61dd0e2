/* Many watchers, random writes, disconnects, watchers that fall behind: nothing is lost and nothing comes twice. */
#include "check.h"

#include "api-cluster.h"

#include "base/map.h"

enum { WATCHERS = 100, WRITES = 10000, NAMES = 40, WRITERS = 4, BEHIND = 2500 };

struct model {
	struct cluster *c;
	const struct kind *kind;
	bool done;
	int written;
	int running, expired, resumed, wrong;
	struct fiber_cond finished;
};

struct watcher { struct model *m; unsigned seed; const char *labels; struct map seen; int64_t at; };

/* ---- a watcher's copy ---- */

static void forget_all(struct watcher *w)
{
	struct map_slot *s;

	map_each(s, &w->seen)
		object_drop((struct object **)&s->value);
	map_free(&w->seen);
}

static void keep(struct watcher *w, struct object *take)
{
	struct object *old = map_put(&w->seen, sv_c(take->name), take);

	object_drop(&old);
}

static void relist(struct watcher *w)
{
	struct list_opts o = { .ns = "default", .labels = w->labels };
	struct object_list l = { 0 };

	forget_all(w);
	if (client_list(w->m->c->client, w->m->kind, &o, &l, NULL) < 0)
		w->m->wrong++;
	for (size_t i = 0; i < l.n; i++)
		keep(w, object_ref(l.v[i]));
	w->at = l.revision;
	object_list_free(&l);
}

/* An event has to fit what was seen before. */
static void take_event(struct watcher *w, struct event *e)
{
	struct object *had = map_get(&w->seen, sv_c(e->object->name));

	if (e->object->revision <= w->at || (e->type == EVENT_ADDED) != !had)
		w->m->wrong++;
	w->at = e->object->revision;
	if (e->type == EVENT_DELETED) {
		had = map_del(&w->seen, sv_c(e->object->name));
		object_drop(&had);
		object_drop(&e->object);
	} else {
		keep(w, TAKE(e->object));
	}
}

/* The last object of all is there. */
static bool complete(const struct watcher *w) { return map_get(&w->seen, SV("marker")); }

/* Until more was written than is remembered. */
static void fall_behind(const struct model *m)
{
	for (int until = m->written + BEHIND; !m->done && m->written < until;)
		(void)fiber_sleep(1);
}

/* Watches for a while; false: the revision is gone, list again. */
static bool follow(struct watcher *w)
{
	struct list_opts o = { .ns = "default", .labels = w->labels };
	struct watch *watch = NULL;
	int r = client_watch(w->m->c->client, w->m->kind, &o, w->at, &watch, NULL);

	for (int left = 1 + (int)(rand_r(&w->seed) % 200); !r && left && !complete(w); left--) {
		struct event e = { 0 };

		if (rand_r(&w->seed) % 997 == 0)
			fall_behind(w->m);
		r = watch_next(watch, &e, NULL);
		if (!r)
			take_event(w, &e);
	}
	watch_close(&watch);
	return r != -ERR_EXPIRED;
}

/* What the watcher saw is what there is. */
static void compare(struct watcher *w)
{
	struct list_opts o = { .ns = "default", .labels = w->labels };
	struct object_list l = { 0 };

	if (client_list(w->m->c->client, w->m->kind, &o, &l, NULL) < 0 || l.n != w->seen.n)
		w->m->wrong++;
	for (size_t i = 0; i < l.n; i++) {
		const struct object *mine = map_get(&w->seen, sv_c(l.v[i]->name));

		if (!mine || mine->revision != l.v[i]->revision)
			w->m->wrong++;
	}
	object_list_free(&l);
}

static void watches(void *arg)
{
	struct watcher *w = arg;

	relist(w);
	while (!w->m->done) {
		if (!follow(w)) {
			w->m->expired++;
			relist(w);
		}
		w->m->resumed++;
		(void)fiber_sleep(rand_r(&w->seed) % 3);
	}
	/* The last writes are in the ring: one more look from where it stands must bring all of them. */
	struct list_opts o = { .ns = "default", .labels = w->labels };
	struct watch *watch = NULL;
	if (client_watch(w->m->c->client, w->m->kind, &o, w->at, &watch, NULL) == -ERR_EXPIRED)
		relist(w);
	while (watch && !complete(w)) {
		struct event e = { 0 };

		if (watch_next(watch, &e, NULL) < 0)
			break;
		take_event(w, &e);
	}
	watch_close(&watch);
	compare(w);
	forget_all(w);
	if (--w->m->running == 0)
		fiber_signal_all(&w->m->finished);
}

/* ---- writers ---- */

struct writer { struct model *m; unsigned seed; int first; };

static void write_one(struct writer *w, int i)
{
	struct model *m = w->m;
	char *name = str_fmt("o%d", w->first + (int)(rand_r(&w->seed) % (NAMES / WRITERS)));
	AUTO_OBJECT live = NULL;
	AUTO_DOC d = doc_new();
	struct node *root;

	if (client_get(m->c->client, m->kind, "default", name, &live, NULL) == 0 && rand_r(&w->seed) % 4 == 0) {
		if (client_delete(m->c->client, m->kind, "default", name, NULL, NULL) < 0)
			m->wrong++;
		free(name);
		return;
	}
	root = object_start(d, m->kind, "default", name);
	meta_set_label(d, root, "half", rand_r(&w->seed) % 2 ? "a" : "b");
	node_put(d, root, "data.n", node_strf(d, "%d", i));
	if (live ? client_update(m->c->client, m->kind, root, NULL, NULL, NULL)
		 : client_create(m->c->client, m->kind, root, NULL, NULL, NULL))
		m->wrong++;
	free(name);
}

static void writes(void *arg)
{
	struct writer *w = arg;

	for (int i = 0; i < WRITES / WRITERS; i++, w->m->written++)
		write_one(w, i);
}

/* Matches both halves' watchers: it tells them that they have seen all. */
static void write_marker(struct model *m)
{
	create(m->c, "{apiVersion: v1, kind: ConfigMap, metadata: {name: marker, namespace: default, labels: {half: a, "
		     "all: x}}}");
}

static void model(struct cluster *c)
{
	static struct watcher w[WATCHERS];
	struct model m = { .c = c, .kind = kind_named(c, "cm"), .running = WATCHERS };
	struct writer writers[WRITERS];
	struct fiber_group group, writing;

	fiber_group_init(&group, fiber_loop());
	fiber_group_init(&writing, fiber_loop());
	for (int i = 0; i < WATCHERS; i++) {
		w[i] = (struct watcher){ .m = &m, .seed = (unsigned)i + 1, .labels = i % 2 ? "half=a" : NULL };
		fiber_group_start(&group, "watcher", watches, &w[i]);
	}
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){ &m, (unsigned)i + 77, i * NAMES / WRITERS };
		fiber_group_start(&writing, "writer", writes, &writers[i]);
	}
	fiber_group_join(&writing);
	m.done = true;
	write_marker(&m);
	while (m.running)
		(void)fiber_wait(&m.finished);
	fiber_group_join(&group);
	str_addf(&c->trace, "wrong %d, resumed %d, expired %d", m.wrong, m.resumed > WATCHERS, m.expired > 0);
}

static void api_watchers_that_come_and_go_lose_nothing(void **state)
{
	(void)state;
	cluster_expect(model, "wrong 0, resumed 1, expired 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(api_watchers_that_come_and_go_lose_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
