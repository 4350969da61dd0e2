#include "cli/await.h"

#include "base/fiber.h"

#include <inttypes.h>

#define BREATH_MS 200

struct awaiting {
	struct client *client;
	const struct kind *kind;
	const char *ns, *name;
	int (*done)(const struct node *, void *, struct err *);
	void *arg;
	struct err *err;
	int result;
	bool ended;
	struct fiber_cond end;
};

/* From one state on, until the watch breaks off (0: look again) or the wait is over. */
static int follow(struct awaiting *a, int64_t from)
{
	AUTO(str) by_name = { 0 };
	struct watch *w = NULL;
	struct event e;
	int r = 0;

	str_addf(&by_name, "metadata.name=%s", a->name);
	const struct list_opts o = { .ns = a->ns, .fields = str_c(&by_name) };
	TRY(client_watch(a->client, a->kind, &o, from, &w, a->err));
	while (!r && watch_next(w, &e, NULL) >= 0) {
		bool mine = e.object && str_eq(e.object->name, a->name);

		if (mine && e.type != EVENT_BOOKMARK)
			r = a->done(e.type == EVENT_DELETED ? NULL : e.object->root, a->arg, a->err);
		object_drop(&e.object);
	}
	watch_close(&w);
	return fiber_canceled() ? -ERR_CANCELED : r;
}

/* Only a list tells since when an object does not exist. */
static int look(struct awaiting *a, int64_t *from)
{
	AUTO(str) by_name = { 0 };
	struct object_list now = { 0 };

	str_addf(&by_name, "metadata.name=%s", a->name);
	const struct list_opts o = { .ns = a->ns, .fields = str_c(&by_name) };
	int r = client_list(a->client, a->kind, &o, &now, a->err);
	if (r >= 0)
		r = a->done(now.n ? now.v[0]->root : NULL, a->arg, a->err);
	*from = now.revision;
	object_list_free(&now);
	return r;
}

static void run(void *arg)
{
	struct awaiting *a = arg;
	int64_t from = 0;

	while (!a->result) {
		a->result = look(a, &from);
		if (!a->result)
			a->result = follow(a, from);
		if (!a->result)
			a->result = fiber_sleep(BREATH_MS);     /* a server that ends watches at once is not asked in a rush */
	}
	a->ended = true;
	fiber_signal_all(&a->end);
}

int await_object(struct client *c, const struct kind *k, const char *ns, const char *name, int64_t timeout_ms,
		 int (*done)(const struct node *, void *, struct err *), void *arg, struct err *err)
{
	struct awaiting a = { .client = c, .kind = k, .ns = ns, .name = name, .done = done, .arg = arg, .err = err };
	struct fiber_group g;
	int r = 0;

	fiber_group_init(&g, c->loop);
	fiber_group_start(&g, "await", run, &a);
	while (!a.ended && !r)
		r = fiber_wait_ms(&a.end, timeout_ms);
	fiber_group_cancel(&g);
	fiber_group_join(&g);
	if (r == -ERR_TIMEOUT && a.result <= 0)
		return err_set(err, ERR_TIMEOUT, "%s '%s': still not so after %" PRId64 " s", k->kind, name, timeout_ms / 1000);
	return a.result < 0 ? a.result : 0;
}
