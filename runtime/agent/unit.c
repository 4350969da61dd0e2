/* One container of a pod: started when it is its turn, started again as the policy says, ended when it must. */
#include "runtime/agent/agent-internal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/fs.h"
#include "kube/object.h"

#define MESSAGE_MAX 4096
#define DEAF_LOOK_MS 50

void run_move(struct kept_run *to, struct kept_run *from)
{
	free(to->message);
	free(to->id);
	*to = *from;
	*from = (struct kept_run){ 0 };
}

void run_set(struct kept_run *r, const struct run *run)
{
	struct kept_run kept = { .run = *run };

	kept.message = run->message ? sv_dup(sv_c(run->message)) : NULL;
	kept.id = run->container_id ? sv_dup(sv_c(run->container_id)) : NULL;
	kept.run.message = kept.message;
	kept.run.container_id = kept.id;
	run_move(r, &kept);
}

void unit_free(struct unit *u)
{
	container_forget(&u->c);
	run_set(&u->now, &(struct run){ 0 });
	run_set(&u->last, &(struct run){ 0 });
	free(u->name);
	free(u->image_id);
	free(u->container_id);
}

void unit_dir(const struct unit *u, int64_t attempt, struct str *out)
{
	str_addf(out, "%s/containers/%s/%lld", u->w->dir, u->name, (long long)attempt);
}

void unit_log(const struct unit *u, int64_t attempt, struct str *out)
{
	str_addf(out, "%s/logs/%s/%lld.log", u->w->dir, u->name, (long long)attempt);
}

/* ---- ended ---- */

static bool wants_restart(const struct unit *u, int exit_code)
{
	const char *policy = node_str_or(worker_pod(u->w), "spec.restartPolicy", "Always");

	if (u->sidecar)
		return !u->w->ending && !u->w->finishing;
	if (u->init || str_eq(policy, "OnFailure"))
		return exit_code && !str_eq(policy, "Never");
	return str_eq(policy, "Always");
}

bool unit_done(const struct unit *u)
{
	return u->now.run.kind == RUN_ENDED && !wants_restart(u, u->now.run.exit_code);
}

/* What the program left at its terminationMessagePath, or the end of its log when it failed and says so. */
static void read_message(const struct unit *u, int exit_code, struct str *out)
{
	AUTO(str) path = { 0 };
	AUTO(str) log = { 0 };
	struct sv line, rest;

	str_addf(&path, "%s/messages/%s", u->w->dir, u->name);
	if (file_read(str_c(&path), (size_t)64 << 10, out, NULL) >= 0 && out->n > MESSAGE_MAX)
		str_cut(out, MESSAGE_MAX);
	if (out->n || !exit_code ||
	    !str_eq(node_str_at(unit_spec(u), "terminationMessagePolicy"), "FallbackToLogsOnError"))
		return;
	str_cut(&path, 0);
	unit_log(u, u->attempt, &path);
	if (file_read(str_c(&path), (size_t)16 << 20, &log, NULL) < 0)
		return;
	rest = str_sv(&log);
	if (rest.n > MESSAGE_MAX)
		rest = sv_drop(rest, rest.n - MESSAGE_MAX);
	for (bool more = true; more;) {         /* without "<time> stdout F " */
		struct sv field;

		more = sv_cut(rest, '\n', &line, &rest);
		for (int i = 0; i < 3; i++)
			if (!sv_cut(line, ' ', &field, &line))
				break;
		if (line.n)
			str_addf(out, SV_FMT "\n", SV_ARG(line));
	}
}

static const char *exit_reason(const struct container_status *s)
{
	return s->oom_killed ? "OOMKilled" : s->exit_code ? "Error" : "Completed";
}

/* The container ended: what comes next, and when. */
static void settle(struct unit *u, const struct run *run)
{
	int64_t wait;

	run_set(&u->now, run);
	u->ready = false;
	u->started = false;
	u->restart_why = NULL;
	u->stop = (__typeof__(u->stop)){ 0 };
	if (u->w->ending || !wants_restart(u, run->exit_code))
		return;
	wait = backoff_next(&u->backoff, run->started_ms ? run->finished_ms - run->started_ms : 0);
	u->retry_ms = loop_now_ms(u->w->a->loop) + wait;
	run_move(&u->last, &u->now);
	u->has_last = true;
	if (!wait) {
		run_set(&u->now, &(struct run){ .kind = RUN_WAITING, .reason = "ContainerCreating" });
		return;
	}
	AUTO(str) message = { 0 };
	str_addf(&message, "back-off %llds restarting failed container=%s pod=%s_%s(%s)", (long long)wait / 1000,
		 u->name, u->w->name, u->w->ns, u->w->uid);
	run_set(&u->now, &(struct run){ .kind = RUN_WAITING, .reason = "CrashLoopBackOff",
		.message = str_c(&message) });
	agent_event(u->w, "Warning", "BackOff", "Back-off restarting failed container %s in pod %s_%s(%s)", u->name,
		    u->w->name, u->w->ns, u->w->uid);
}

void unit_poll_exit(struct unit *u)
{
	struct container_status s;
	AUTO(str) message = { 0 };

	if (!u->exited)
		return;
	u->exited = false;
	if (!u->c)
		return;
	container_get(u->c, &s);
	if (s.state != CONTAINER_EXITED)
		return;
	read_message(u, s.exit_code, &message);
	settle(u, &(struct run){ .kind = RUN_ENDED, .reason = exit_reason(&s),
		.message = message.n ? str_c(&message) : NULL,
				 .started_ms = s.started_ms, .finished_ms = s.finished_ms, .exit_code = s.exit_code,
				 .container_id = u->container_id });
}

static void on_end(void *arg)
{
	struct unit *u = arg;

	u->exited = true;
	poke(u->w);
}

void unit_watch(struct unit *u)
{
	container_on_exit(u->c, on_end, u);
	if (!u->exited)
		probes_start(u);
}

/* ---- starting ---- */

static void set_waiting(struct unit *u, const char *reason, const char *message)
{
	const struct run *now = &u->now.run;

	if (now->kind == RUN_WAITING && str_eq(now->reason, reason) &&
	    str_eq(now->message ? now->message : "", message ? message : ""))
		return;
	run_set(&u->now, &(struct run){ .kind = RUN_WAITING, .reason = reason, .message = message });
}

static int64_t until(const struct unit *u)
{
	int64_t left = u->retry_ms - loop_now_ms(u->w->a->loop);

	return left > 0 ? left : 0;
}

static int64_t launch_failed(struct unit *u, const struct launch_failure *why, const struct err *err)
{
	static const int64_t look_again_ms = 10000;

	if (fiber_canceled())
		return -1;
	agent_event(u->w, "Warning", "Failed", "Error: %s", err_msg(err));
	if (why->config) {              /* a ConfigMap is missing: not the program's fault, and its arrival wakes us */
		set_waiting(u, why->reason, err_msg(err));
		u->config_wait = true;
		u->retry_ms = loop_now_ms(u->w->a->loop) + look_again_ms;
		return look_again_ms;
	}
	u->attempt++;
	settle(u, &(struct run){ .kind = RUN_ENDED, .reason = why->reason, .message = err_msg(err), .exit_code = 128,
				 .started_ms = clock_ms(), .finished_ms = clock_ms() });
	return u->now.run.kind == RUN_WAITING ? until(u) : -1;
}

/* The attempt before this one leaves its log, and nothing else; the one before that nothing. */
static int clear_attempt(struct unit *u, struct err *err)
{
	AUTO(str) log = { 0 };

	if (u->c)
		TRY(container_remove(&u->c, err));
	if (u->attempt < 1)
		return 0;
	unit_log(u, u->attempt - 1, &log);
	(void)unlink(str_c(&log));
	str_addc(&log, ".1");
	(void)unlink(str_c(&log));
	return 0;
}

static int64_t start(struct unit *u)
{
	AUTO(image) image = { 0 };
	AUTO(err) err = { 0 };
	const char *reason, *message;
	struct launch_failure why = { "CreateContainerError", false };

	u->config_wait = false;
	switch (pulls_need(u->w->a->pulls, u, &image, &reason, &message, &u->retry_ms)) {
	case PULL_BUSY:
		set_waiting(u, "ContainerCreating", NULL);
		return -1;
	case PULL_FAILED:
		set_waiting(u, reason, message);
		return until(u);
	case PULL_READY:
		break;
	}
	if (clear_attempt(u, &err) < 0 || unit_launch(u, &image, &why, &err) < 0)
		return launch_failed(u, &why, &err);
	run_set(&u->now, &(struct run){ .kind = RUN_RUNNING, .started_ms = clock_ms(),
		.container_id = u->container_id });
	unit_watch(u);
	return u->exited ? 0 : -1;
}

int64_t unit_step(struct unit *u)
{
	unit_poll_exit(u);
	if (u->now.run.kind == RUN_RUNNING)
		return u->restart_why ? unit_stop(u, u->w->grace_ms) : -1;
	if (unit_done(u))
		return -1;
	if (until(u))
		return until(u);
	return start(u);
}

/* ---- ending ---- */

struct hook { struct unit *u; };

static void run_hook(void *arg)
{
	struct hook *h = arg;
	struct unit *u = h->u;
	const struct node *hook = node_at(unit_spec(u), "lifecycle.preStop");
	int64_t left = u->stop.deadline_ms - loop_now_ms(u->w->a->loop);
	AUTO(str) output = { 0 };
	AUTO(err) err = { 0 };

	free(h);
	if (hook && left > 0 && action_run(u, hook, left, &output, &err) < 0 && !fiber_canceled())
		agent_event(u->w, "Warning", "FailedPreStopHook", "PreStopHook failed: %s", err_msg(&err));
	u->stop.hook = false;
	poke(u->w);
}

static void begin_stop(struct unit *u, int64_t grace_ms)
{
	struct hook *h;

	u->stop.begun = true;
	u->stop.deadline_ms = loop_now_ms(u->w->a->loop) + grace_ms;
	if (u->restart_why)
		agent_event(u->w, "Normal", "Killing", "Container %s failed %s, will be restarted", u->name,
			    u->restart_why);
	else
		agent_event(u->w, "Normal", "Killing", "Stopping container %s", u->name);
	if (!grace_ms || !node_at(unit_spec(u), "lifecycle.preStop"))
		return;
	if (!(h = malloc(sizeof *h)))
		abort();
	h->u = u;
	u->stop.hook = true;
	fiber_group_start(&u->w->fibers, "preStop", run_hook, h);
}

/* The container's first process does nothing about the signal. Anywhere else it would end by it; as process 1 of its
 * namespace it does not even notice, and its whole grace period would be waited for in vain. */
static bool is_deaf(const struct unit *u, int signo)
{
	struct container_status s;
	AUTO(str) text = { 0 };
	uint64_t handled = 0;
	char path[32];

	container_get(u->c, &s);
	snprintf(path, sizeof path, "/proc/%d/status", (int)s.pid);
	if (s.pid <= 0 || file_read(path, 16 << 10, &text, NULL) < 0)
		return false;
	for (size_t i = 0; i < 2; i++) {
		const char *line = strstr(str_c(&text), i ? "SigIgn:\t" : "SigCgt:\t");

		if (!line)
			return false;
		handled |= strtoull(line + 8, NULL, 16);
	}
	return !(handled >> (signo - 1) & 1);
}

static void signal_end(struct unit *u)
{
	int signo = u->stop_signal ? u->stop_signal : SIGTERM;

	u->stop.signaled = true;
	/* What runs to its end may reach it within its grace period; what serves has nothing to wait for but its
	 * clients. */
	u->stop.deaf =
		(u->sidecar || str_eq(node_str_or(worker_pod(u->w), "spec.restartPolicy", "Always"), "Always")) &&
		is_deaf(u, signo);
	(void)container_kill(u->c, signo, NULL);
}

static int64_t kill_now(struct unit *u)
{
	(void)!container_stop(u->c, u->stop_signal, 0, NULL);
	unit_poll_exit(u);
	return u->now.run.kind == RUN_RUNNING ? 1000 : -1;
}

int64_t unit_stop(struct unit *u, int64_t grace_ms)
{
	int64_t now = loop_now_ms(u->w->a->loop);
	unsigned n;

	unit_poll_exit(u);
	if (!u->c || u->now.run.kind != RUN_RUNNING)
		return -1;
	if (!u->stop.begun)
		begin_stop(u, grace_ms);
	if (now + grace_ms < u->stop.deadline_ms)       /* a shorter grace came later: delete --now */
		u->stop.deadline_ms = now + grace_ms;
	if (now >= u->stop.deadline_ms)
		return kill_now(u);
	if (!u->stop.hook && !u->stop.signaled)
		signal_end(u);
	if (!u->stop.deaf || worker_inbound(u->w, &n) < 0)
		return u->stop.deadline_ms - now;
	if (!n)
		return kill_now(u);
	return u->stop.deadline_ms - now < DEAF_LOOK_MS ? u->stop.deadline_ms - now : DEAF_LOOK_MS;
}
