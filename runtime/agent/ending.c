/* A pod that is being deleted: no new connections, the old ones finish, hooks, signals, the grace period, the end. */
#include "runtime/agent/agent-internal.h"

#include "base/log.h"
#include "kube/object.h"

#define DRAIN_MS      1000      /* at most this long for connections that are open, and half of the grace period */
#define DRAIN_LOOK_MS 10
#define GONE_GRACE_MS 1000      /* deleted by force: no object, no grace period */

static int64_t grace_of(const struct worker *w)
{
	const struct node *pod = worker_pod(w);
	int64_t spec = node_int_at(pod, "spec.terminationGracePeriodSeconds", 30);

	return w->gone ? GONE_GRACE_MS : node_int_at(pod, "metadata.deletionGracePeriodSeconds", spec) * 1000;
}

static bool runs(const struct worker *w)
{
	for (size_t i = 0; i < w->n_units; i++)
		if (w->units[i].now.run.kind == RUN_RUNNING)
			return true;
	return false;
}

struct count_job { int fd; unsigned n; int result; };

static void count_inbound(void *arg)
{
	struct count_job *j = arg;

	j->result = network_inbound(j->fd, &j->n, NULL);
}

int worker_inbound(struct worker *w, unsigned *n)
{
	struct count_job j = { .fd = w->sandbox.net };

	if (j.fd < 0)
		return -ERR_NOT_FOUND;
	fiber_job(count_inbound, &j);
	*n = j.n;
	return j.result;
}

/* Requests that are being answered get their answers: the signal waits until the pod's servers have no open
 * connections. Two looks in a row, as a connection that the kernel sent here just before may still be on its way up. */
static void drain(struct worker *w)
{
	int64_t now = loop_now_ms(w->a->loop), most = w->grace_ms / 2 < DRAIN_MS ? w->grace_ms / 2 : DRAIN_MS,
		until = now + most;
	int quiet = 0;

	while (quiet < 2 && loop_now_ms(w->a->loop) < until && !w->gone && runs(w)) {
		unsigned n;
		int r = worker_inbound(w, &n);

		quiet = r < 0 ? 2 : n ? 0 : quiet + 1;
		if (quiet < 2 && fiber_sleep(DRAIN_LOOK_MS) < 0)
			return;
		for (size_t i = 0; i < w->n_units; i++)
			unit_poll_exit(&w->units[i]);
	}
}

static void begin(struct worker *w)
{
	w->grace_ms = grace_of(w);
	w->ending = ENDING_STOP;
	/* Also when the daemon was started in the middle of the pod's end, and so never set it up. */
	if (!worker_open_sandbox(w) || w->sandbox.net < 0 || !w->ip.n)
		return;
	bool served = proxy_serves(w->a->proxy, str_c(&w->ip));

	proxy_exclude(w->a->proxy, str_c(&w->ip));
	if (served)
		drain(w);
}

/* What waits to be started again must not be. */
static void cancel_waiting(struct worker *w)
{
	for (size_t i = 0; i < w->n_units; i++)
		if (w->units[i].now.run.kind == RUN_WAITING && w->units[i].has_last)
			run_move(&w->units[i].now, &w->units[i].last), w->units[i].has_last = false;
}

static int64_t stop_those(struct worker *w, bool sidecars)
{
	int64_t next = -1;

	for (size_t i = 0; i < w->n_units && !fiber_canceled(); i++) {
		int64_t ms = w->units[i].sidecar == sidecars ? unit_stop(&w->units[i], w->grace_ms) : -1;

		if (ms >= 0 && (next < 0 || ms < next))
			next = ms;
	}
	return next;
}

int64_t units_stop(struct worker *w, bool finishing)
{
	int64_t next;

	if (finishing && !w->finishing) {
		w->finishing = true;
		w->grace_ms = grace_of(w);
	}
	next = stop_those(w, false);
	return next >= 0 ? next : stop_those(w, true);
}

static int finish(struct worker *w, struct err *err)
{
	int r;

	TRY(worker_cleanup(w, err));
	if (w->gone)
		return 0;
	r = client_delete(w->a->client, w->a->pod_kind, w->ns, w->name, &(struct delete_opts){ .uid = w->uid }, err);
	/* A name that another pod has by now is none of ours. */
	return r == -ERR_NOT_FOUND || r == -ERR_CONFLICT ? 0 : r;
}

int64_t worker_end(struct worker *w)
{
	AUTO(err) err = { 0 };
	int64_t next, grace = grace_of(w);

	if (!w->ending)
		begin(w);
	w->grace_ms = grace < w->grace_ms ? grace : w->grace_ms;
	if (w->ending == ENDING_STOP) {
		next = units_stop(w, false);
		if (next >= 0 || runs(w))
			return next;
		cancel_waiting(w);
		w->ending = ENDING_CLEAN;
		return 0;               /* tells the API how the containers ended, then goes on */
	}
	if (fiber_canceled())
		return -1;
	if (finish(w, &err) < 0) {
		log_event(LOG_WARN, "pod not cleaned up", "pod", w->name, "namespace", w->ns, "error", err_msg(&err),
			  NULL);
		return 1000;
	}
	w->ending = ENDING_DONE;
	return -1;
}
