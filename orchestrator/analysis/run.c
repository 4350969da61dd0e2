#include "orchestrator/analysis/analysis.h"

#include "orchestrator/analysis/args.h"
#include "orchestrator/analysis/provider.h"
#include "orchestrator/analysis/rules.h"
#include "orchestrator/controllers/batch.h"

#include <stdlib.h>

enum { RUNS, JOBS };

#define KEEP 10         /* measurements, without measurementRetention */

struct state { struct httpc *http; };

/* One pass over one run: the status is built in d and written at the end. */
struct pass {
	struct controller *c;
	struct object *run;
	struct doc *d;
	struct node *status;
	bool terminating;
	int64_t started_ms, wait_ms;    /* wait_ms: until the next measurement; -1: none */
};

/* ---- measuring ---- */

static struct node *result_of(struct pass *p, const char *name)
{
	struct node *it, *all = node_seq_at(p->d, p->status, "metricResults");

	node_each(it, all)
		if (str_eq(node_str_at(it, "name"), name))
			return it;
	it = node_map(p->d);
	node_set(p->d, it, "name", node_str(p->d, name));
	node_set(p->d, it, "phase", node_str(p->d, analysis_phase_name(PHASE_PENDING)));
	if (rule_for(node_at(p->run->root, "spec.dryRun"), name))
		node_set(p->d, it, "dryRun", node_bool(p->d, true));
	node_add(p->d, all, it);
	return it;
}

static void end(struct pass *p, struct node *result, enum phase phase, struct str *value, struct str *message,
		const struct secrets *secrets)
{
	const struct node *rules = node_at(p->run->root, "spec.measurementRetention");
	size_t keep = (size_t)node_int_at(rule_for(rules, node_str_or(result, "name", "")), "limit", KEEP);

	secrets_mask(secrets, value);
	secrets_mask(secrets, message);
	metric_end(p->d, result, phase, str_c(value), str_c(message), keep, clock_ms());
}

static int take(struct measuring *m, const struct provider *provider, bool resume, enum phase *phase, struct str *value,
		struct err *err)
{
	enum measured how = MEASURED_VALUE;

	TRY(provider->measure(m, resume, &how, err));
	switch (how) {
	case MEASURED_GOOD:
		*phase = PHASE_SUCCESSFUL;
		return 0;
	case MEASURED_BAD:
		*phase = PHASE_FAILED;
		return 0;
	case MEASURED_UNCLEAR:
		*phase = PHASE_INCONCLUSIVE;
		return 0;
	case MEASURED_LATER:
		*phase = PHASE_RUNNING;
		return 0;
	case MEASURED_VALUE:
		break;
	}
	value_write(&m->value, value);
	return metric_judge(m->metric, &m->value, phase, err);
}

/* Begins a measurement, or goes on with one; what goes wrong is a measurement with phase Error. */
static void measure(struct pass *p, const struct node *metric, struct node *result, const struct secrets *secrets)
{
	const struct state *state = controller_state(p->c);
	struct node *row = metric_open(result);
	bool resume = row != NULL;
	AUTO(err) err = { 0 };
	AUTO(str) value = { 0 }, message = { 0 };
	const struct provider *provider = provider_of(metric, &err);
	enum phase phase = PHASE_ERROR;
	int r = -ERR_INVALID;

	if (!row)
		row = metric_begin(p->d, result, clock_ms());
	struct measuring m = { .c = p->c, .http = state->http, .run = p->run, .metric = metric, .d = p->d, .row = row };

	if (provider) {
		m.provider = node_get(node_get(metric, "provider"), provider->name);
		r = take(&m, provider, resume, &phase, &value, &err);
	}
	if (r >= 0 && !phase_over(phase))
		return;
	if (r < 0)
		str_addc(&message, err_msg(&err));
	end(p, result, r < 0 ? PHASE_ERROR : phase, &value, &message, secrets);
}

static void stop(struct pass *p, const struct node *metric, struct node *result)
{
	struct node *row = metric_open(result);
	const struct provider *provider = provider_of(metric, NULL);
	struct measuring m = { .c = p->c, .run = p->run, .metric = metric, .d = p->d, .row = row };
	const struct secrets none = { 0 };
	AUTO(str) value = { 0 }, message = { 0 };

	if (!row)
		return;
	if (provider && provider->stop && provider->stop(&m, NULL) < 0)
		str_addc(&message, "could not be stopped; ");
	str_addc(&message, "Metric Terminated");
	end(p, result, PHASE_SUCCESSFUL, &value, &message, &none);
}

static void assess(struct pass *p, const struct node *metric, struct node *result)
{
	AUTO(str) why = { 0 };
	enum phase phase = metric_assess(metric, result, p->terminating, &why);

	node_set(p->d, result, "phase", node_str(p->d, analysis_phase_name(phase)));
	if (why.n)
		node_set(p->d, result, "message", node_str(p->d, str_c(&why)));
}

static void note_wait(struct pass *p, int64_t ms)
{
	if (ms >= 0 && (p->wait_ms < 0 || ms < p->wait_ms))
		p->wait_ms = ms;
}

struct round { struct pass *p; struct node *metrics; const struct secrets *secrets; };

static int one_metric(void *arg, size_t i, struct err *err)
{
	const struct round *r = arg;
	const struct node *metric = node_item(r->metrics, i);
	struct node *result = result_of(r->p, node_str_or(metric, "name", ""));

	(void)err;
	if (phase_over(phase_of(node_str_at(result, "phase"))))
		return 0;
	if (r->p->terminating)
		stop(r->p, metric, result);
	else if (metric_open(result) || !metric_due(metric, result, r->p->started_ms, clock_ms()))
		measure(r->p, metric, result, r->secrets);
	assess(r->p, metric, result);
	note_wait(r->p, metric_due(metric, result, r->p->started_ms, clock_ms()));
	return 0;
}

/* ---- the run ---- */

/* The worst of all metrics that count; a metric that is over and not good ends the others. */
static enum phase run_phase(const struct pass *p, struct str *message)
{
	const struct node *it, *all = node_get(p->status, "metricResults");
	enum phase worst = PHASE_SUCCESSFUL;
	bool going = false;

	for (size_t i = 0; (it = node_item(all, i)); i++) {
		enum phase phase = phase_of(node_str_at(it, "phase"));

		going |= !phase_over(phase);
		if (node_bool_at(it, "dryRun", false) || !phase_over(phase) || phase <= worst)
			continue;
		worst = phase;
		str_cut(message, 0);
		str_addf(message, "Metric \"%s\" assessed %s due to %s", node_str_or(it, "name", ""),
			 analysis_phase_name(phase), node_str_or(it, "message", "its measurements"));
	}
	return worst > PHASE_SUCCESSFUL ? worst : going ? PHASE_RUNNING : worst;
}

static int prepare(struct pass *p, struct doc *d, struct node **metrics, struct secrets *secrets, struct err *err)
{
	const struct node *spec = node_get(p->run->root, "spec");
	struct node *values = node_map(d);

	TRY(args_read(controller_client(p->c), p->run->ns, node_get(spec, "args"), d, values, secrets, err));
	*metrics = node_copy(d, node_get(spec, "metrics"));
	TRY(args_fill(d, *metrics, values, err));
	return analysis_check_metrics(spec, *metrics, false, err);
}

/* How many metrics are how, of those that count and of those that are tried dry. */
static void put_summary(struct pass *p, const char *field, bool dry)
{
	static const struct { enum phase phase; const char *field; } rows[] = {
		{ PHASE_SUCCESSFUL, "successful" }, { PHASE_FAILED, "failed" }, { PHASE_INCONCLUSIVE, "inconclusive" }, { PHASE_ERROR, "error" },
	};
	const struct node *it, *all = node_get(p->status, "metricResults");
	struct node *summary = node_map(p->d);
	int64_t n = 0;

	node_each(it, all)
		n += node_bool_at(it, "dryRun", false) == dry;
	if (!n)
		return;
	node_set(p->d, summary, "count", node_int(p->d, n));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		n = 0;
		node_each(it, all)
			n += node_bool_at(it, "dryRun", false) == dry && phase_of(node_str_at(it, "phase")) == rows[i].phase;
		if (n)
			node_set(p->d, summary, rows[i].field, node_int(p->d, n));
	}
	node_set(p->d, p->status, field, summary);
}

static void put_end(struct pass *p, enum phase phase, const char *message)
{
	char now[32];

	time_format(clock_ms(), now);
	node_set(p->d, p->status, "phase", node_str(p->d, analysis_phase_name(phase)));
	if (message && *message)
		node_set(p->d, p->status, "message", node_str(p->d, message));
	if (phase_over(phase))
		node_set(p->d, p->status, "completedAt", node_str(p->d, now));
}

static void measure_all(struct pass *p)
{
	AUTO_DOC d = doc_new();
	AUTO(secrets) secrets = { 0 };
	AUTO(str) message = { 0 };
	AUTO(err) err = { 0 };
	struct node *metrics;
	enum phase phase;

	if (prepare(p, d, &metrics, &secrets, &err) < 0) {
		str_addc(&message, err_msg(&err));
		secrets_mask(&secrets, &message);
		put_end(p, PHASE_ERROR, str_c(&message));
		return;
	}
	struct round r = { p, metrics, &secrets };

	for (size_t i = 0; i < node_n(metrics); i++)
		(void)result_of(p, node_str_or(node_item(metrics, i), "name", ""));
	if (batch_all(node_n(metrics), one_metric, &r, NULL) < 0)
		return;
	phase = run_phase(p, &message);
	if (phase > PHASE_SUCCESSFUL && !p->terminating) {
		p->terminating = true;          /* one has failed: the others need not go on */
		if (batch_all(node_n(metrics), one_metric, &r, NULL) < 0)
			return;
	}
	put_summary(p, "runSummary", false);
	put_summary(p, "dryRunSummary", true);
	put_end(p, phase, str_c(&message));
}

static int expire(struct controller *c, const struct object *run, struct err *err)
{
	const struct node *ttl = node_at(run->root, "spec.ttlStrategy");
	bool good = str_eq(node_str_at(run->root, "status.phase"), analysis_phase_name(PHASE_SUCCESSFUL));
	int64_t s = node_int_at(ttl, good ? "secondsAfterSuccess" : "secondsAfterFailure",
				node_int_at(ttl, "secondsAfterCompletion", -1)),
		at;
	const struct delete_opts o = { .grace_seconds = -1, .uid = run->uid };

	if (s < 0 || !time_parse(node_str_or(run->root, "status.completedAt", ""), &at))
		return 0;
	at += s * 1000;
	if (at > clock_ms()) {
		controller_queue_after(c, run->ns, run->name, at - clock_ms());
		return 0;
	}
	int r = client_delete(controller_client(c), run->kind, run->ns, run->name, &o, err);
	return r == -ERR_NOT_FOUND ? 0 : r;
}

static int work_on(struct pass *p, struct err *err)
{
	char now[32];

	p->d = doc_new();
	p->status = controller_status(p->d, p->run);
	p->terminating = node_bool_at(p->run->root, "spec.terminate", false);
	p->wait_ms = -1;
	if (!time_parse(node_str_or(p->status, "startedAt", ""), &p->started_ms)) {
		p->started_ms = clock_ms();
		time_format(p->started_ms, now);
		node_set(p->d, p->status, "startedAt", node_str(p->d, now));
	}
	measure_all(p);
	TRY(controller_put_status(p->c, RUNS, p->run, p->status, NULL, err));
	if (p->wait_ms >= 0 && !phase_over(phase_of(node_str_at(p->status, "phase"))))
		controller_queue_after(p->c, p->run->ns, p->run->name, p->wait_ms);
	return 0;
}

static int reconcile(struct controller *c, const char *ns, const char *name, struct err *err)
{
	AUTO_OBJECT run = object_ref(informer_get(controller_informer(c, RUNS), ns, name));
	struct pass p = { .c = c, .run = run };
	int r;

	if (!run || meta_deleting(run->root))
		return 0;
	if (phase_over(phase_of(node_str_at(run->root, "status.phase"))))
		return expire(c, run, err);
	r = work_on(&p, err);
	doc_drop(&p.d);
	return r;
}

static void *state_new(struct controller *c)
{
	struct state *s = calloc(1, sizeof *s);

	if (!s)
		abort();
	s->http = httpc_new(controller_loop(c));
	return s;
}

static void state_free(void *state)
{
	struct state *s = state;

	httpc_free(&s->http);
	free(s);
}

const struct controller_spec analysis_controller = {
	.name = "analysis-controller",
	.watches = (const struct controller_watch[]){
		[RUNS] = { "argoproj.io/v1alpha1", "AnalysisRun", NULL },
		[JOBS] = { "batch/v1", "Job", controller_map_owner },
		{ 0 },
	},
	.reconcile = reconcile,
	.workers = 16,
	.state_new = state_new,
	.state_free = state_free,
};
