#include "kube/fake-world.h"

#include "base/fiber.h"
#include "base/log.h"
#include "base/vec.h"
#include "kube/pod.h"

#include "check.h"

#include <stdio.h>
#include <stdlib.h>

#define QUIET_TURNS 300         /* without a write: then it is over */

struct run {
	const struct controller_spec *const *specs;
	void (*script)(struct world *);
	unsigned seed;
	char *failure;
};

static void start_all(struct world *w)
{
	w->informers = informers_new(w->client->loop, w->client);
	for (const struct controller_spec *const *s = w->specs; *s; s++)
		w->controllers[w->n++] = controller_start(w->client->loop, w->client, w->informers, *s);
}

static void stop_all(struct world *w)
{
	while (w->n)
		controller_stop(&w->controllers[--w->n]);
	informers_free(&w->informers);
}

void world_restart(struct world *w)
{
	stop_all(w);
	start_all(w);
}

static int run(void *arg)
{
	struct run *r = arg;
	struct kinds *kinds = kinds_new();
	struct world w = { .seed = r->seed, .specs = r->specs };

	w.client = fake_client(fiber_loop(), kinds);
	if (r->seed)
		fake_delay(w.client, r->seed, 6);
	start_all(&w);
	r->script(&w);
	stop_all(&w);
	client_free(&w.client);
	kinds_free(&kinds);
	r->failure = w.failure;
	return 0;
}

void world_run(const struct controller_spec *const *specs, unsigned seeds, void (*script)(struct world *w))
{
	log_set_level(LOG_ERROR);
	for (unsigned seed = 0; seed <= seeds; seed++) {
		struct run r = { specs, script, seed, NULL };

		fiber_main(run, &r);
		if (r.failure)
			fail_msg("seed %u: %s", seed, r.failure);
	}
}

void world_fail(struct world *w, const char *file, int line, const char *fmt, ...)
{
	struct str s = { 0 };
	va_list ap;

	if (w->failure)
		return;
	str_addf(&s, "%s:%d: ", file, line);
	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	w->failure = str_take(&s);
}

void world_settle(struct world *w)
{
	int64_t last = -1;

	for (int quiet = 0; quiet < QUIET_TURNS; quiet++) {
		if (fake_revision(w->client) != last)
			quiet = 0;
		last = fake_revision(w->client);
		(void)fiber_yield();
	}
}

/* ---- the node ---- */

struct pods { VEC(struct object *); };

static void collect(const struct object *pod, void *arg)
{
	struct pods *all = arg;

	vec_push(all, object_ref((struct object *)pod));
}

static void start_pod(struct world *w, const struct object *pod)
{
	char status[512], now[32];

	time_format(clock_ms(), now);
	w->pods_started++;
	snprintf(status, sizeof status,
		 "{\"phase\":\"Running\",\"podIP\":\"10.0.%d.%d\",\"conditions\":[{\"type\":\"Ready\",\"status\":"
		 "\"True\",\"lastTransitionTime\":\"%s\"}]}",
		 (int)(w->pods_started >> 8), (int)(w->pods_started & 255), now);
	fake_set(w->client, "Pod", pod->ns, pod->name, "status", status);
}

static bool tend(struct world *w, const struct object *pod)
{
	if (meta_deleting(pod->root)) {
		if (!node_int_at(pod->root, "metadata.deletionGracePeriodSeconds", 0))
			return false;   /* something else holds it */
		fake_set(w->client, "Pod", pod->ns, pod->name, "metadata.deletionGracePeriodSeconds", "0");
		return true;
	}
	if (node_str_at(pod->root, "status.podIP") || pod_finished(pod->root))
		return false;
	start_pod(w, pod);
	return true;
}

size_t world_kubelet(struct world *w)
{
	struct pods all = { 0 };
	size_t changed = 0;

	fake_each(w->client, "Pod", collect, &all);
	for (size_t i = 0; i < all.n; i++) {
		changed += tend(w, all.v[i]);
		object_drop(&all.v[i]);
	}
	vec_free(&all);
	return changed;
}

void world_converge(struct world *w)
{
	do
		world_settle(w);
	while (world_kubelet(w));
}

/* ---- readers ---- */

static const struct node *root_of(const struct world *w, const char *kind, const char *name)
{
	const struct object *o = fake_get(w->client, kind, "default", name);

	return o ? o->root : (o = fake_get(w->client, kind, NULL, name)) ? o->root : NULL;
}

const char *world_str(const struct world *w, const char *kind, const char *name, const char *path)
{
	return node_str_or(root_of(w, kind, name), path, "");
}

int64_t world_int(const struct world *w, const char *kind, const char *name, const char *path)
{
	return node_int_at(root_of(w, kind, name), path, 0);
}
