#include "orchestrator/controllers/rows.h"

#include "base/vec.h"
#include "kube/pod.h"
#include "orchestrator/controllers/claim.h"
#include "orchestrator/controllers/conditions.h"
#include "orchestrator/controllers/pods.h"

#include <stdlib.h>

enum { JOBS, PODS };

#define INDEX "batch.kubernetes.io/job-completion-index"
#define BACKOFF_MS 10000        /* after the first failure; doubles to the most */
#define BACKOFF_MOST_MS 360000
#define MAX_INDEXES 100000      /* completions of an indexed Job */

struct pass {
	struct controller *c;
	struct object *job;
	const struct node *spec, *old;
	struct object_list pods;
	int64_t parallelism, completions;       /* completions -1: one success is enough */
	bool indexed, suspended;
	int64_t active, ready, succeeded, failed, last_failure_ms;
	bool *done, *taken;                     /* of an indexed Job: indexes that have succeeded, that are at work */
	const char *verdict, *reason;           /* "Complete" or "Failed"; NULL: goes on */
	char *message;
};

static void pass_free(struct pass *p)
{
	object_drop(&p->job);
	object_list_free(&p->pods);
	free(p->done);
	free(p->taken);
	free(p->message);
}

/* ---- reading ---- */

static int64_t index_of(const struct pass *p, const struct object *pod)
{
	const char *text = meta_annotation(pod->root, INDEX);
	int64_t i;

	return p->indexed && text && sv_to_i64(sv_c(text), &i) && i >= 0 && i < p->completions ? i : -1;
}

static int64_t finished_ms(const struct node *pod)
{
	int64_t ms = 0;

	if (time_parse(node_str_or(pod, "status.containerStatuses.0.state.terminated.finishedAt", ""), &ms))
		return ms;
	return time_parse(node_str_or(pod, "metadata.creationTimestamp", ""), &ms) ? ms : 0;
}

static void count_failed(struct pass *p, const struct node *pod)
{
	int64_t at = finished_ms(pod);

	p->failed++;
	if (at > p->last_failure_ms)
		p->last_failure_ms = at;
}

static void count(struct pass *p, const struct object *pod)
{
	bool succeeded = str_eq(node_str_at(pod->root, "status.phase"), "Succeeded");
	int64_t i = index_of(p, pod);

	if (pod_active(pod->root)) {
		p->active++;
		p->ready += pod_ready(pod->root);
		if (str_eq(node_str_at(pod->root, "spec.restartPolicy"), "OnFailure"))
			p->failed += pod_restarts(pod->root);
		if (i >= 0)
			p->taken[i] = true;
	} else if (succeeded && p->indexed) {
		if (i >= 0 && !p->done[i]) {
			p->done[i] = true;
			p->succeeded++;
		}
	} else if (succeeded) {
		p->succeeded++;
	} else if (str_eq(node_str_at(pod->root, "status.phase"), "Failed")) {
		count_failed(p, pod->root);
	}
}

static int64_t at_least(int64_t n, const struct node *old, const char *field)
{
	int64_t known = node_int_at(old, field, 0);     /* pods that were counted may have been deleted since */

	return n > known ? n : known;
}

static int read_job(struct pass *p, struct err *err)
{
	p->spec = node_get(p->job->root, "spec");
	p->old = node_get(p->job->root, "status");
	p->parallelism = node_int_at(p->spec, "parallelism", 1);
	p->indexed = str_eq(node_str_at(p->spec, "completionMode"), "Indexed");
	p->completions = node_int_at(p->spec, "completions", node_get(p->spec, "parallelism") && !p->indexed ? -1 : 1);
	p->suspended = node_bool_at(p->spec, "suspend", false);
	if (p->indexed && p->completions > MAX_INDEXES)
		return err_set(err, ERR_INVALID, "spec.completions: an indexed Job has at most %d", MAX_INDEXES);
	p->done = calloc((size_t)(p->indexed ? p->completions : 0) + 1, sizeof *p->done);
	p->taken = calloc((size_t)(p->indexed ? p->completions : 0) + 1, sizeof *p->taken);
	if (!p->done || !p->taken)
		abort();
	TRY(claim_objects(p->c, controller_informer(p->c, PODS), p->job, &p->pods, err));
	for (size_t i = 0; i < p->pods.n; i++)
		count(p, p->pods.v[i]);
	p->failed = at_least(p->failed, p->old, "failed");
	if (!p->indexed)
		p->succeeded = at_least(p->succeeded, p->old, "succeeded");
	return 0;
}

/* ---- how it stands ---- */

static void decide(struct pass *p, const char *verdict, const char *reason, const char *message)
{
	if (p->verdict)
		return;
	p->verdict = verdict;
	p->reason = reason;
	p->message = sv_dup(sv_c(message));
}

static void judge(struct pass *p)
{
	int64_t deadline_s = node_int_at(p->spec, "activeDeadlineSeconds", -1), started, left;

	if (p->failed > node_int_at(p->spec, "backoffLimit", 6))
		decide(p, "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit");
	if (p->completions >= 0 ? p->succeeded >= p->completions : p->succeeded > 0 && !p->active)
		decide(p, "Complete", NULL, "");
	if (deadline_s < 0 || p->suspended || !time_parse(node_str_or(p->old, "startTime", ""), &started))
		return;
	left = started + deadline_s * 1000 - clock_ms();
	if (left <= 0)
		decide(p, "Failed", "DeadlineExceeded", "Job was active longer than specified deadline");
	else
		controller_queue_after(p->c, p->job->ns, p->job->name, left);
}

/* How many pods should be at work. */
static int64_t wanted(const struct pass *p)
{
	if (p->verdict || p->suspended)
		return 0;
	if (p->completions < 0)
		return p->succeeded ? p->active : p->parallelism;
	return p->parallelism < p->completions - p->succeeded ? p->parallelism : p->completions - p->succeeded;
}

/* A Job whose pods fail waits longer and longer before the next one. */
static bool must_wait(struct pass *p)
{
	int64_t wait_ms = BACKOFF_MS, left;

	if (!p->last_failure_ms)
		return false;
	for (int64_t i = 1; i < p->failed && wait_ms < BACKOFF_MOST_MS; i++)
		wait_ms *= 2;
	left = p->last_failure_ms + (wait_ms < BACKOFF_MOST_MS ? wait_ms : BACKOFF_MOST_MS) - clock_ms();
	if (left > 0)
		controller_queue_after(p->c, p->job->ns, p->job->name, left);
	return left > 0;
}

/* ---- pods ---- */

static void add_index(struct doc *d, struct node *root, const char *job, int64_t index)
{
	AUTO(str) text = { 0 };
	struct node *container, *containers = node_at(root, "spec.containers");

	str_addf(&text, "%lld", (long long)index);
	meta_set_annotation(d, root, INDEX, str_c(&text));
	meta_set_label(d, root, INDEX, str_c(&text));
	node_put(d, root, "metadata.generateName", node_strf(d, "%s-%lld-", job, (long long)index));
	node_put(d, root, "spec.hostname", node_strf(d, "%s-%lld", job, (long long)index));
	for (size_t i = 0; (container = node_item(containers, i)); i++) {
		struct node *env = node_map(d);

		node_set(d, env, "name", node_str(d, "JOB_COMPLETION_INDEX"));
		node_set(d, env, "value", node_str(d, str_c(&text)));
		node_add(d, node_seq_at(d, container, "env"), env);
	}
}

static int create_indexed(struct pass *p, int64_t n, struct err *err)
{
	struct informer *pods = controller_informer(p->c, PODS);

	for (int64_t i = 0; i < p->completions && n > 0; i++) {
		AUTO_DOC d = NULL;

		if (p->done[i] || p->taken[i])
			continue;
		d = pod_of_template(informer_kind(pods), p->job, node_get(p->spec, "template"), NULL);
		add_index(d, doc_root(d), p->job->name, i);
		TRY(pods_create_one(p->c, pods, p->job, doc_root(d), err));
		n--;
	}
	return 0;
}

static size_t keep_active(struct pass *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->pods.n; i++) {
		if (pod_active(p->pods.v[i]->root))
			p->pods.v[n++] = p->pods.v[i];
		else
			object_drop(&p->pods.v[i]);
	}
	p->pods.n = n;
	return n;
}

static int manage(struct pass *p, struct err *err)
{
	struct informer *pods = controller_informer(p->c, PODS);
	int64_t more = wanted(p) - p->active;

	if (more > 0 && !must_wait(p)) {
		p->active += more;
		return p->indexed ? create_indexed(p, more, err)
				  : pods_create(p->c, pods, p->job, node_get(p->spec, "template"), (size_t)more, err);
	}
	if (more < 0) {
		p->active += more;
		pods_rank(p->pods.v, keep_active(p));
		return pods_delete(p->c, pods, p->job, p->pods.v, (size_t)-more, err);
	}
	return 0;
}

/* ---- status ---- */

/* "0,2-4". */
static void write_indexes(const struct pass *p, struct str *out)
{
	for (int64_t i = 0; i < p->completions; i++) {
		int64_t last = i;

		if (!p->done[i])
			continue;
		while (last + 1 < p->completions && p->done[last + 1])
			last++;
		str_addf(out, "%s%lld", out->n ? "," : "", (long long)i);
		if (last > i)
			str_addf(out, "%c%lld", last == i + 1 ? ',' : '-', (long long)last);
		i = last;
	}
}

static void put_count(struct doc *d, struct node *status, const char *field, int64_t n)
{
	if (n)
		node_set(d, status, field, node_int(d, n));
	else
		(void)node_del(status, field);
}

static void put_times(struct pass *p, struct doc *d, struct node *status)
{
	char now[32];

	time_format(clock_ms(), now);
	if (!p->suspended && !node_get(status, "startTime"))
		node_set(d, status, "startTime", node_str(d, now));
	if (p->suspended)
		(void)node_del(status, "startTime");
	if (str_eq(p->verdict, "Complete") && !node_get(status, "completionTime"))
		node_set(d, status, "completionTime", node_str(d, now));
}

static void put_conditions(struct pass *p, struct doc *d, struct node *status)
{
	if (p->verdict)
		(void)condition_set(d, status, p->verdict, "True", p->reason, *p->message ? p->message : NULL,
				    clock_ms());
	if (p->suspended)
		(void)condition_set(d, status, "Suspended", "True", "JobSuspended", "Job suspended", clock_ms());
	else if (condition_is(status, "Suspended", "True"))
		(void)condition_set(d, status, "Suspended", "False", "JobResumed", "Job resumed", clock_ms());
}

static int write_status(struct pass *p, struct err *err)
{
	AUTO_DOC d = doc_new();
	struct node *status = controller_status(d, p->job);
	AUTO(str) indexes = { 0 };

	put_count(d, status, "active", p->active);
	put_count(d, status, "succeeded", p->succeeded);
	put_count(d, status, "failed", p->failed);
	node_set(d, status, "ready", node_int(d, p->ready));
	if (p->indexed) {
		write_indexes(p, &indexes);
		if (indexes.n)
			node_set(d, status, "completedIndexes", node_str(d, str_c(&indexes)));
	}
	put_times(p, d, status);
	put_conditions(p, d, status);
	if (p->verdict)
		controller_event(p->c, p->job, str_eq(p->verdict, "Failed") ? "Warning" : "Normal",
				 p->reason ? p->reason : "Completed", "%s", *p->message ? p->message : "Job completed");
	return controller_put_status(p->c, JOBS, p->job, status, NULL, err);
}

/* ---- the end ---- */

static bool is_over(const struct node *status)
{
	return condition_is(status, "Complete", "True") || condition_is(status, "Failed", "True");
}

static int expire(struct controller *c, const struct object *job, struct err *err)
{
	const struct delete_opts o = { .propagation = "Background", .grace_seconds = -1, .uid = job->uid };
	const struct node *status = node_get(job->root, "status");
	const struct node *end =
		condition_get(status, condition_is(status, "Complete", "True") ? "Complete" : "Failed");
	int64_t ttl = node_int_at(job->root, "spec.ttlSecondsAfterFinished", -1), at;

	if (ttl < 0 || !time_parse(node_str_or(end, "lastTransitionTime", ""), &at))
		return 0;
	at += ttl * 1000;
	if (at > clock_ms()) {
		controller_queue_after(c, job->ns, job->name, at - clock_ms());
		return 0;
	}
	int r = client_delete(controller_client(c), job->kind, job->ns, job->name, &o, err);
	return r == -ERR_NOT_FOUND ? 0 : r;
}

static int reconcile(struct controller *c, const char *ns, const char *name, struct err *err)
{
	struct object *job = informer_get(controller_informer(c, JOBS), ns, name);
	AUTO(pass) p = { .c = c };
	int r;

	if (!job || meta_deleting(job->root))
		return 0;
	p.job = object_ref(job);
	if (is_over(node_get(job->root, "status")))
		return expire(c, p.job, err);
	TRY(read_job(&p, err));
	judge(&p);
	r = manage(&p, err);
	TRY(write_status(&p, r < 0 ? NULL : err));
	return r;
}

const struct controller_spec job_controller = {
	.name = "job-controller",
	.watches = (const struct controller_watch[]){
		[JOBS] = { "batch/v1", "Job", NULL },
		[PODS] = { "v1", "Pod", claim_map },
		{ 0 },
	},
	.reconcile = reconcile,
};
