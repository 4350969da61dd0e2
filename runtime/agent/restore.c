/* After a start of the daemon: what runs is taken over as it is, what was half made is made anew, what nobody wants
 * ends. */
#include "runtime/agent/agent-internal.h"

#include <signal.h>
#include <stdlib.h>
#include "base/fs.h"
#include "kube/informer.h"
#include "runtime/agent/leftover.h"
#include "runtime/agent/signal-name.h"

/* ---- a pod that is still wanted ---- */

static const struct node *status_of(const struct unit *u)
{
	const struct node *list = node_at(worker_pod(u->w),
					  u->init ? "status.initContainerStatuses" : "status.containerStatuses"),
			  *it;

	node_each(it, list)
		if (str_eq(node_str_at(it, "name"), u->name))
			return it;
	return NULL;
}

static int64_t time_at(const struct node *n, const char *key)
{
	int64_t ms = 0;

	(void)time_parse(node_str_or(n, key, ""), &ms);
	return ms;
}

/* What the API remembers and the disk does not: the run before, images, whether it was ready. */
static void read_status(struct unit *u)
{
	static const char *const known[] = { "Completed", "Error", "OOMKilled", "StartError", "CreateContainerError" };
	const struct node *s = status_of(u), *last = node_at(s, "lastState.terminated");
	const char *reason = node_str_or(last, "reason", "Error");

	free(u->image_id);
	u->image_id = sv_dup(sv_c(node_str_at(s, "imageID")));
	/* The daemon may have died between the start and the word of it. */
	u->started = node_bool_at(s, "started", false) || !node_get(unit_spec(u), "startupProbe");
	u->ready = node_bool_at(s, "ready", false);
	for (size_t i = 0; last && i < sizeof known / sizeof *known; i++) {
		if (!str_eq(known[i], reason))
			continue;
		run_set(&u->last, &(struct run){
			.kind = RUN_ENDED, .reason = known[i], .message = node_str_at(last, "message"),
			.started_ms = time_at(last, "startedAt"), .finished_ms = time_at(last, "finishedAt"),
			.exit_code = (int)node_int_at(last, "exitCode", 0), .signal = (int)node_int_at(last, "signal", 0),
			.container_id = node_str_at(last, "containerID"),
		});
		u->has_last = true;
	}
}

/* What the image says is not written down anywhere else. A name that means another image by now is better than nothing. */
static void read_image(struct unit *u)
{
	AUTO(image) image = { 0 };

	if (image_find(u->w->a->images, node_str_or(unit_spec(u), "image", ""), &image, NULL) < 0)
		return;
	u->stop_signal = signal_number(str_c(&image.stop_signal));
	if (*u->image_id)
		return;
	free(u->image_id);
	u->image_id = sv_dup(str_sv(&image.digest));
}

static void take_over(struct unit *u, int64_t attempt)
{
	struct container_status s;

	u->attempt = attempt;
	free(u->container_id);
	u->container_id = str_fmt("cd://%s_%s_%lld", u->w->uid, u->name, (long long)attempt);
	read_status(u);
	read_image(u);
	container_get(u->c, &s);
	run_set(&u->now, &(struct run){ .kind = RUN_RUNNING, .started_ms = s.started_ms,
		.container_id = u->container_id });
	if (s.state == CONTAINER_EXITED)
		u->exited = true;
	else
		u->w->has_sandbox = false;      /* opened, not made, by the first step */
}

static void restore_unit(struct unit *u)
{
	struct leftover_attempts all = { 0 };
	AUTO(str) dir = { 0 };
	int64_t told = node_int_at(status_of(u), "restartCount", -1);

	str_addf(&dir, "%s/containers/%s", u->w->dir, u->name);
	leftover_list(str_c(&dir), &all);
	for (size_t i = 0; i < all.n && !fiber_canceled(); i++) {
		AUTO(str) path = { 0 };
		bool newest = i + 1 == all.n;

		unit_dir(u, all.v[i], &path);
		if (newest && container_adopt(u->w->a->containers, str_c(&path), &u->c, NULL) >= 0)
			take_over(u, all.v[i]);
		else
			(void)!leftover_clear(u->w->a->containers, str_c(&path), 0, NULL);
	}
	if (!u->c && all.n)             /* half made: this attempt is made again, under its number */
		u->attempt = all.v[all.n - 1] - 1;
	else if (!u->c && told > 0)
		u->attempt = told;
	vec_free(&all);
}

static bool runs_something(const struct worker *w)
{
	for (size_t i = 0; i < w->n_units; i++)
		if (w->units[i].c && !w->units[i].exited)
			return true;
	return false;
}

void worker_restore(struct worker *w)
{
	if (!path_exists(w->dir))
		return;
	for (size_t i = 0; i < w->n_units && !fiber_canceled(); i++)
		restore_unit(&w->units[i]);
	if (node_str_at(worker_pod(w), "status.startTime")) {
		w->start_ms = time_at(node_get(worker_pod(w), "status"), "startTime");
		str_set(&w->ip, node_str_or(worker_pod(w), "status.podIP", ""));
	}
	/* The daemon may have died before the word of the address, and probes ask there. */
	if (runs_something(w) && !w->ip.n)
		(void)!worker_setup_sandbox(w, NULL);
	for (size_t i = 0; i < w->n_units && !fiber_canceled(); i++)
		if (w->units[i].c)
			unit_watch(&w->units[i]);
}

/* ---- a pod that nobody wants any more ---- */

static bool is_known(void *arg, const char *uid)
{
	struct agent *a = arg;

	return map_get(&a->workers, sv_c(uid)) != NULL;
}

int restore_orphans(struct agent *a, struct err *err)
{
	AUTO(str) pods = { 0 };

	str_addf(&pods, "%s/pods", a->dir);
	TRY(leftover_pods(a->containers, str_c(&pods), is_known, a, err));
	return network_detach_others(a->network, is_known, a, err);
}
