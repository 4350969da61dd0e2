#include "orchestrator/controllers/rows.h"

#include "base/vec.h"
#include "kube/cron.h"
#include "orchestrator/controllers/claim.h"

#include <stdio.h>
#include <stdlib.h>

enum { CRONS, JOBS };

#define JOB_TIME "batch.kubernetes.io/cronjob-scheduled-timestamp"

struct pass {
	struct controller *c;
	struct object *cron;
	const struct node *spec;
	struct object_list jobs;                /* of this CronJob, oldest first */
	int64_t now_ms;
	struct doc *d;
	struct node *status;                    /* the new one */
};

static void pass_free(struct pass *p)
{
	object_drop(&p->cron);
	object_list_free(&p->jobs);
	doc_drop(&p->d);
}

static const char *end_of(const struct object *job)
{
	const struct node *status = node_get(job->root, "status");

	return condition_is(status, "Complete", "True") ? "Complete"
	       : condition_is(status, "Failed", "True") ? "Failed"
							: NULL;
}

static bool take_owned(struct object *job, void *arg)
{
	struct pass *p = arg;

	if (str_eq(node_str_at(meta_owner(job->root), "uid"), p->cron->uid))
		vec_push(&p->jobs, object_ref(job));
	return true;
}

static int delete_job(struct pass *p, const struct object *job, struct err *err)
{
	const struct delete_opts o = { .propagation = "Background", .grace_seconds = -1, .uid = job->uid };
	int r = client_delete(controller_client(p->c), job->kind, job->ns, job->name, &o, err);

	if (r < 0 && r != -ERR_NOT_FOUND)
		return r;
	return informer_wait_gone(controller_informer(p->c, JOBS), job->uid, err);
}

/* ---- history ---- */

static int trim(struct pass *p, const char *end, const char *field, int64_t def, struct err *err)
{
	int64_t keep = node_int_at(p->spec, field, def), n = 0;

	for (size_t i = p->jobs.n; i-- > 0;)
		if (str_eq(end_of(p->jobs.v[i]), end) && !meta_deleting(p->jobs.v[i]->root) && ++n > keep)
			TRY(delete_job(p, p->jobs.v[i], err));
	return 0;
}

/* ---- what is at work ---- */

static size_t active(const struct pass *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->jobs.n; i++)
		n += !end_of(p->jobs.v[i]) && !meta_deleting(p->jobs.v[i]->root);
	return n;
}

static void put_active(struct pass *p)
{
	struct node *all = node_seq(p->d);
	const char *last = node_str_or(p->status, "lastSuccessfulTime", "");

	for (size_t i = 0; i < p->jobs.n; i++) {
		const struct object *job = p->jobs.v[i];
		const char *done = node_str_or(job->root, "status.completionTime", "");
		struct node *row;

		if (str_eq(end_of(job), "Complete") && strcmp(done, last) > 0)
			last = done;
		if (end_of(job) || meta_deleting(job->root))
			continue;
		row = node_map(p->d);
		node_set(p->d, row, "apiVersion", node_str(p->d, "batch/v1"));
		node_set(p->d, row, "kind", node_str(p->d, "Job"));
		node_set(p->d, row, "name", node_str(p->d, job->name));
		node_set(p->d, row, "namespace", node_str(p->d, job->ns));
		node_set(p->d, row, "uid", node_str(p->d, job->uid));
		node_add(p->d, all, row);
	}
	if (*last)
		node_set(p->d, p->status, "lastSuccessfulTime", node_str(p->d, last));
	if (node_n(all))
		node_set(p->d, p->status, "active", all);
	else
		(void)node_del(p->status, "active");
}

/* ---- starting ---- */

static int start(struct pass *p, int64_t scheduled_ms, struct err *err)
{
	const struct kind *k = informer_kind(controller_informer(p->c, JOBS));
	const struct node *template = node_get(p->spec, "jobTemplate"), *meta = node_get(template, "metadata");
	static const char *const copied[] = { "labels", "annotations" };
	AUTO_DOC d = doc_new();
	struct node *root = object_start(d, k, p->cron->ns, NULL);
	AUTO_OBJECT made = NULL;
	char when[32];
	int r;

	time_format(scheduled_ms, when);
	/* The name is the time: a start that is tried twice makes one Job. */
	node_put(d, root, "metadata.name", node_strf(d, "%s-%lld", p->cron->name, (long long)(scheduled_ms / 60000)));
	for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
		if (node_get(meta, copied[i]))
			node_set(d, node_get(root, "metadata"), copied[i], node_copy(d, node_get(meta, copied[i])));
	meta_set_annotation(d, root, JOB_TIME, when);
	meta_add_owner(d, root, p->cron);
	node_set(d, root, "spec", node_copy(d, node_get(template, "spec")));
	r = client_create(controller_client(p->c), k, root, NULL, &made, err);
	if (r < 0 && r != -ERR_ALREADY_EXISTS)
		return r;
	node_set(p->d, p->status, "lastScheduleTime", node_str(p->d, when));
	if (r < 0)
		return 0;
	controller_event(p->c, p->cron, "Normal", "SuccessfulCreate", "Created job %s", made->name);
	TRY(informer_wait_seen(controller_informer(p->c, JOBS), made->revision, err));
	vec_push(&p->jobs, object_ref(made));
	return 0;
}

/* The newest start time after since and up to now; -1: none. Looked for in ever longer stretches back from now: a schedule
 * that was asleep for years does not have all its minutes counted. */
static int64_t newest(const struct cron *c, int64_t since, int64_t now)
{
	for (int64_t back = 60000;; back *= 2) {
		int64_t from = since > now - back ? since : now - back, last = -1;

		for (int64_t t = cron_next(c, from); t >= 0 && t <= now; t = cron_next(c, t))
			last = t;
		if (last >= 0 || from == since)
			return last;
	}
}

/* The newest start time that has passed since the last one; -1: none. *next: the one to come. */
static int64_t due(const struct pass *p, const struct cron *c, int64_t *next)
{
	int64_t since = 0, deadline_s = node_int_at(p->spec, "startingDeadlineSeconds", -1);

	if (!time_parse(node_str_or(p->status, "lastScheduleTime", ""), &since))
		(void)!time_parse(node_str_or(p->cron->root, "metadata.creationTimestamp", ""), &since);
	if (deadline_s >= 0 && since < p->now_ms - deadline_s * 1000)
		since = p->now_ms - deadline_s * 1000;
	*next = cron_next(c, p->now_ms);
	return newest(c, since, p->now_ms);
}

static int replace_active(struct pass *p, struct err *err)
{
	for (size_t i = 0; i < p->jobs.n; i++)
		if (!end_of(p->jobs.v[i]) && !meta_deleting(p->jobs.v[i]->root))
			TRY(delete_job(p, p->jobs.v[i], err));
	return 0;
}

static int run_schedule(struct pass *p, struct err *err)
{
	const char *policy = node_str_or(p->spec, "concurrencyPolicy", "Allow"),
		   *zone = node_str_or(p->spec, "timeZone", "UTC");
	struct cron c;
	AUTO(err) wrong = { 0 };
	int64_t last, next;

	if (cron_parse(node_str_or(p->spec, "schedule", ""), &c, &wrong) < 0) {
		controller_event(p->c, p->cron, "Warning", "UnparseableSchedule", "%s", err_msg(&wrong));
		return 0;
	}
	if (!str_eq(zone, "UTC") && !str_eq(zone, "Etc/UTC")) {
		controller_event(p->c, p->cron, "Warning", "UnknownTimeZone",
				 "time zone %s is not known: schedules are in UTC", zone);
		return 0;
	}
	last = due(p, &c, &next);
	if (next >= 0)
		controller_queue_after(p->c, p->cron->ns, p->cron->name, next - p->now_ms);
	if (last < 0)
		return 0;
	if (active(p) && str_eq(policy, "Forbid")) {
		controller_event(p->c, p->cron, "Normal", "JobAlreadyActive",
				 "Not starting job because prior execution is running and concurrency "
				 "policy is Forbid");
		return 0;
	}
	if (str_eq(policy, "Replace"))
		TRY(replace_active(p, err));
	return start(p, last, err);
}

static int reconcile(struct controller *c, const char *ns, const char *name, struct err *err)
{
	struct object *cron = informer_get(controller_informer(c, CRONS), ns, name);
	AUTO(pass) p = { .c = c, .now_ms = clock_ms() };

	if (!cron || meta_deleting(cron->root))
		return 0;
	p.cron = object_ref(cron);
	p.spec = node_get(cron->root, "spec");
	p.d = doc_new();
	p.status = controller_status(p.d, cron);
	informer_owned(controller_informer(c, JOBS), cron->uid, take_owned, &p);
	if (p.jobs.n)
		qsort(p.jobs.v, p.jobs.n, sizeof *p.jobs.v, claim_by_creation);
	if (!node_bool_at(p.spec, "suspend", false))
		TRY(run_schedule(&p, err));
	put_active(&p);
	TRY(controller_put_status(c, CRONS, p.cron, p.status, NULL, err));
	TRY(trim(&p, "Complete", "successfulJobsHistoryLimit", 3, err));
	return trim(&p, "Failed", "failedJobsHistoryLimit", 1, err);
}

const struct controller_spec cronjob_controller = {
	.name = "cronjob-controller",
	.watches = (const struct controller_watch[]){
		[CRONS] = { "batch/v1", "CronJob", NULL },
		[JOBS] = { "batch/v1", "Job", controller_map_owner },
		{ 0 },
	},
	.reconcile = reconcile,
};
