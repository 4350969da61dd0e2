/* A pod's worker: one fiber that looks at what is wanted and what is, does the next thing, and tells the API. */
#include "runtime/agent/agent-internal.h"

#include <stdlib.h>
#include "base/log.h"
#include "kube/informer.h"
#include "kube/pod.h"

const struct node *unit_spec(const struct unit *u)
{
	const struct node *list = node_at(worker_pod(u->w), u->init ? "spec.initContainers" : "spec.containers"), *it;

	node_each(it, list)
		if (str_eq(node_str_at(it, "name"), u->name))
			return it;
	return NULL;
}

static const struct node *lookup(void *arg, const char *kind, const char *name)
{
	struct worker *w = arg;
	struct object *o = informer_get(str_eq(kind, "Secret") ? w->a->secrets : w->a->config_maps, w->ns, name);

	return o ? o->root : NULL;
}

struct volume_lookup worker_lookup(struct worker *w) { return (struct volume_lookup){ lookup, w, worker_token }; }

struct pod_facts worker_facts(struct worker *w)
{
	return (struct pod_facts){ worker_pod(w), str_c(&w->ip), w->a->host_ip, w->a->node_name, w->a->cpu_milli,
		w->a->memory_bytes };
}

bool worker_retry_config(struct worker *w)
{
	bool any = false;

	for (size_t i = 0; i < w->n_units; i++) {
		if (!w->units[i].config_wait)
			continue;
		w->units[i].retry_ms = 0;
		any = true;
	}
	return any;
}

/* ---- status ---- */

static struct container_facts facts_of(const struct unit *u)
{
	return (struct container_facts){
		.name = u->name,
		.image = node_str_or(unit_spec(u), "image", ""),
		.image_id = u->image_id ? u->image_id : "",
		.container_id = u->container_id ? u->container_id : "",
		.init = u->init,
		.sidecar = u->sidecar,
		.ready = u->ready,
		.started = u->started,
		.restarts = u->attempt > 0 ? u->attempt : 0,
		.now = u->now.run,
		.last = u->last.run,
		.has_last = u->has_last,
	};
}

static struct node *build_status(struct worker *w, struct doc *d, const struct node *pod)
{
	struct container_facts *c = calloc(w->n_units + 1, sizeof *c);
	struct status_facts f = { .pod = pod, .containers = c, .n_containers = w->n_units, .pod_ip = str_c(&w->ip),
				  .host_ip = w->a->host_ip, .start_ms = w->start_ms, .now_ms = clock_ms(),
				  .has_sandbox = w->has_sandbox, .failed = w->failed };
	struct node *status;

	if (!c)
		abort();
	for (size_t i = 0; i < w->n_units; i++)
		c[i] = facts_of(&w->units[i]);
	status = status_build(d, &f);
	free(c);
	return status;
}

static int change_status(struct doc *d, struct node *root, void *arg, struct err *err)
{
	struct worker *w = arg;
	struct node *status;

	if (!str_eq(node_str_at(root, "metadata.uid"), w->uid))
		return err_set(err, ERR_NOT_FOUND, "the pod was replaced");
	status = build_status(w, d, root);
	if (node_eq(status, node_get(root, "status")))
		return 0;
	node_set(d, root, "status", status);
	return 1;
}

/* Tells the API, when there is something new to tell. */
static void publish(struct worker *w)
{
	AUTO_DOC d = doc_new();
	AUTO_OBJECT now = NULL;
	AUTO(err) err = { 0 };
	int r;

	if (w->gone || w->past || node_eq(build_status(w, d, worker_pod(w)), node_get(worker_pod(w), "status")))
		return;
	r = client_modify(w->a->client, w->a->pod_kind, w->ns, w->name, "status", change_status, w, &now, &err);
	if (r >= 0 && now && now->revision > w->object->revision) {
		object_drop(&w->object);
		w->object = TAKE(now);
	}
	if (r == -ERR_NOT_FOUND) {
		w->gone = true;
		poke(w);
	} else if (r < 0 && r != -ERR_CANCELED) {
		log_event(LOG_WARN, "pod status not written", "pod", w->name, "namespace", w->ns, "error",
			  err_msg(&err), NULL);
		w->retry_ms = loop_now_ms(w->a->loop) + 1000;
	}
}

/* ---- a step ---- */

static int64_t sooner(int64_t a, int64_t b) { return a < 0 ? b : b < 0 ? a : a < b ? a : b; }

static void waiting_all(struct worker *w, const char *reason)
{
	for (size_t i = 0; i < w->n_units; i++)
		if (!w->units[i].c && w->units[i].now.run.kind == RUN_WAITING && !w->units[i].has_last)
			run_set(&w->units[i].now, &(struct run){ .kind = RUN_WAITING, .reason = reason });
}

/* Setting up failed: the first time, and whenever the reason changes, it is an event. */
static int64_t setup_failed(struct worker *w, int r, const struct err *err)
{
	static const int64_t first_ms = 500, most_ms = 60000;
	const char *reason = w->has_volumes ? "FailedCreatePodSandBox" : "FailedMount";

	if (r == -ERR_CANCELED)
		return -1;
	if (!str_eq(str_c(&w->problem), err_msg(err))) {
		agent_event(w, "Warning", reason, "%s", err_msg(err));
		str_set(&w->problem, err_msg(err));
		w->backoff.next_ms = first_ms;
	}
	w->retry_ms = loop_now_ms(w->a->loop) + w->backoff.next_ms;
	w->backoff.next_ms = w->backoff.next_ms * 2 < most_ms ? w->backoff.next_ms * 2 : most_ms;
	return w->retry_ms - loop_now_ms(w->a->loop);
}

/* Init containers one after the other, then all others. */
static int64_t step_units(struct worker *w)
{
	int64_t next = -1;
	bool init_done = true;

	for (size_t i = 0; i < w->n_units && !fiber_canceled(); i++) {
		struct unit *u = &w->units[i];

		unit_poll_exit(u);
		if (u->init) {
			if (!init_done)
				continue;
			next = sooner(next, unit_step(u));
			init_done = u->sidecar ? u->started : u->now.run.kind == RUN_ENDED && !u->now.run.exit_code;
		} else if (init_done) {
			next = sooner(next, unit_step(u));
		}
	}
	if (!init_done)
		for (size_t i = 0; i < w->n_units; i++)
			if (!w->units[i].init && w->units[i].attempt < 0)
				run_set(&w->units[i].now, &(struct run){ .kind = RUN_WAITING,
					.reason = "PodInitializing" });
	return next;
}

/* Sidecars go on for as long as there is something to go on beside. */
static bool all_done(const struct worker *w)
{
	for (size_t i = 0; i < w->n_units; i++)
		if (!w->units[i].sidecar && !unit_done(&w->units[i]) &&
		    !(w->units[i].attempt < 0 && !w->units[i].init && w->failed))
			return false;
	return true;
}

static bool init_gave_up(const struct worker *w)
{
	for (size_t i = 0; i < w->n_units; i++)
		if (w->units[i].init && unit_done(&w->units[i]) && w->units[i].now.run.exit_code)
			return true;
	return false;
}

static int64_t step(struct worker *w)
{
	AUTO(err) err = { 0 };
	int64_t next;
	int r;

	if (w->ending || w->gone || meta_deleting(worker_pod(w)))
		return worker_end(w);
	if (w->released || w->past)
		return -1;
	r = worker_setup(w, &err);
	if (r < 0) {
		waiting_all(w, "ContainerCreating");
		return setup_failed(w, r, &err);
	}
	str_cut(&w->problem, 0);
	next = sooner(step_units(w), worker_tokens_due(w));
	w->failed = init_gave_up(w);
	if (!all_done(w) || fiber_canceled())
		return next;
	next = units_stop(w, true);
	if (next < 0)
		worker_release(w);
	return next;
}

static void worker_free(struct worker *w)
{
	for (size_t i = 0; i < w->n_units; i++)
		unit_free(&w->units[i]);
	free(w->units);
	sandbox_close(&w->sandbox);
	worker_tokens_free(w);
	object_drop(&w->object);
	str_free(&w->ip);
	str_free(&w->problem);
	free(w->uid);
	free(w->ns);
	free(w->name);
	free(w->dir);
	free(w);
}

static void work(void *arg)
{
	struct worker *w = arg;

	if (pod_finished(worker_pod(w)) && !meta_deleting(worker_pod(w)))
		w->past = true;         /* nothing runs; what it was stays as the API has it */
	else
		worker_restore(w);
	while (!fiber_canceled() && w->ending != ENDING_DONE) {
		int64_t next;

		w->dirty = false;
		next = step(w);
		if (!fiber_canceled())
			publish(w);
		if (!w->dirty && w->ending != ENDING_DONE)
			(void)fiber_wait_ms(&w->changed, next);         /* woken, or in time: look again either way */
	}
	fiber_group_cancel(&w->fibers);
	fiber_group_join(&w->fibers);
	(void)map_del(&w->a->workers, sv_c(w->uid));
	worker_free(w);
}

/* ---- birth ---- */

static void add_units(struct worker *w, const char *list_path, bool init)
{
	const struct node *list = node_at(worker_pod(w), list_path), *it;

	node_each(it, list)
		w->units[w->n_units++] = (struct unit){
			.w = w, .name = sv_dup(sv_c(node_str_at(it, "name"))), .init = init, .attempt = -1,
			.sidecar = init && str_eq(node_str_at(it, "restartPolicy"), "Always"),
		};
}

void worker_start(struct agent *a, struct object *pod)
{
	struct worker *w = calloc(1, sizeof *w);

	if (!w)
		abort();
	w->a = a;
	w->uid = sv_dup(sv_c(pod->uid));
	w->ns = sv_dup(sv_c(pod->ns));
	w->name = sv_dup(sv_c(pod->name));
	w->dir = str_fmt("%s/pods/%s", a->dir, w->uid);
	w->object = object_ref(pod);
	w->sandbox = (struct sandbox_fds){ -1, -1, -1 };
	w->start_ms = clock_ms();
	w->units = calloc(node_n(node_at(pod->root, "spec.initContainers")) +
				  node_n(node_at(pod->root, "spec.containers")) + 1,
			  sizeof *w->units);
	if (!w->units)
		abort();
	add_units(w, "spec.initContainers", true);
	add_units(w, "spec.containers", false);
	waiting_all(w, "ContainerCreating");
	fiber_group_init(&w->fibers, a->loop);
	map_put(&a->workers, sv_c(w->uid), w);
	fiber_group_start(&a->fibers, "pod", work, w);
}
