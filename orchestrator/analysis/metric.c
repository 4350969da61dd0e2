#include "orchestrator/analysis/metric.h"

#include "base/opt.h"
#include "kube/object.h"

#define ERROR_RETRY_MS 10000

static const char *const names[] = { "Pending", "Running", "Successful", "Inconclusive", "Error", "Failed" };

const char *analysis_phase_name(enum phase p) { return names[p]; }

enum phase phase_of(const char *name)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (str_eq(name, names[i]))
			return (enum phase)i;
	return PHASE_PENDING;
}

/* ---- reading the metric ---- */

/* A whole number that may stand as text, as arguments are text. */
static bool read_number(const struct node *metric, const char *field, int64_t def, int64_t *out)
{
	const struct node *n = node_get(metric, field);

	*out = def;
	return !n || n->type == NODE_NULL || node_to_i64(n, out) || sv_to_i64(node_sv(n), out);
}

static int64_t number(const struct node *metric, const char *field, int64_t def)
{
	int64_t n;

	return read_number(metric, field, def, &n) ? n : def;
}

static int64_t duration(const struct node *metric, const char *field, int64_t def)
{
	const char *text = node_str_at(metric, field);
	int64_t ms;

	return text && *text && duration_parse(text, &ms, NULL) >= 0 ? ms : def;
}

int metric_check(const struct node *metric, struct err *err)
{
	static const char *const numbers[] = { "count", "failureLimit", "inconclusiveLimit", "consecutiveErrorLimit", "consecutiveSuccessLimit" };
	static const char *const durations[] = { "interval", "initialDelay" };
	static const char *const conditions[] = { "successCondition", "failureCondition" };
	const char *name = node_str_or(metric, "name", "");
	int64_t n;

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (!read_number(metric, numbers[i], 0, &n))
			return err_set(err, ERR_INVALID, "metric \"%s\": %s is not a whole number", name, numbers[i]);
	for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
		const char *text = node_str_at(metric, durations[i]);

		if (text && *text)
			TRY(err_wrap(err, duration_parse(text, &n, err), "metric \"%s\": %s", name, durations[i]));
	}
	for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
		const char *text = node_str_at(metric, conditions[i]);

		if (text && *text)
			TRY(err_wrap(err, expr_check(text, err), "metric \"%s\": %s", name, conditions[i]));
	}
	if (number(metric, "count", 0) < 0)
		return err_set(err, ERR_INVALID, "metric \"%s\": count must not be negative", name);
	if (number(metric, "count", 0) > 1 && !duration(metric, "interval", 0))
		return err_set(err, ERR_INVALID, "metric \"%s\": a count of more than 1 needs an interval", name);
	return 0;
}

int metric_judge(const struct node *metric, const struct value *v, enum phase *out, struct err *err)
{
	const char *good = node_str_or(metric, "successCondition", ""),
		   *bad = node_str_or(metric, "failureCondition", "");
	bool success = false, failure = false;

	if (*good)
		TRY(expr_test(good, v, &success, err));
	if (*bad)
		TRY(expr_test(bad, v, &failure, err));
	if (failure)
		*out = PHASE_FAILED;
	else if (success || !*good)
		*out = *good && !success ? PHASE_FAILED : PHASE_SUCCESSFUL;
	else
		*out = *bad ? PHASE_INCONCLUSIVE : PHASE_FAILED;
	return 0;
}

/* ---- measurements ---- */

static struct node *last(const struct node *result)
{
	const struct node *all = node_get(result, "measurements");

	return node_n(all) ? node_item(all, node_n(all) - 1) : NULL;
}

struct node *metric_open(const struct node *result)
{
	struct node *m = last(result);

	return m && !node_get(m, "finishedAt") ? m : NULL;
}

static void put_time(struct doc *d, struct node *row, const char *field, int64_t now_ms)
{
	char text[32];

	time_format(now_ms, text);
	node_set(d, row, field, node_str(d, text));
}

struct node *metric_begin(struct doc *d, struct node *result, int64_t now_ms)
{
	struct node *m = node_map(d);

	node_set(d, m, "phase", node_str(d, analysis_phase_name(PHASE_RUNNING)));
	put_time(d, m, "startedAt", now_ms);
	node_add(d, node_seq_at(d, result, "measurements"), m);
	return m;
}

static void add(struct doc *d, struct node *result, const char *field)
{
	node_set(d, result, field, node_int(d, node_int_at(result, field, 0) + 1));
}

static void count_phase(struct doc *d, struct node *result, enum phase p)
{
	static const char *const fields[] = { [PHASE_SUCCESSFUL] = "successful", [PHASE_INCONCLUSIVE] = "inconclusive", [PHASE_ERROR] = "error",
		[PHASE_FAILED] = "failed" };

	add(d, result, fields[p]);
	if (p == PHASE_ERROR) {
		add(d, result, "consecutiveError");
	} else {
		add(d, result, "count");        /* an error is tried again, so it is not one of `count` */
		(void)node_del(result, "consecutiveError");
	}
	if (p == PHASE_SUCCESSFUL)
		add(d, result, "consecutiveSuccess");
	else
		(void)node_del(result, "consecutiveSuccess");
}

void metric_end(struct doc *d, struct node *result, enum phase p, const char *value, const char *message, size_t keep,
		int64_t now_ms)
{
	struct node *m = metric_open(result), *all = node_get(result, "measurements");

	if (!m)
		return;
	node_set(d, m, "phase", node_str(d, analysis_phase_name(p)));
	put_time(d, m, "finishedAt", now_ms);
	if (value && *value)
		node_set(d, m, "value", node_str(d, value));
	if (message && *message)
		node_set(d, m, "message", node_str(d, message));
	count_phase(d, result, p);
	while (node_n(all) > (keep ? keep : 1))
		node_remove(all, 0);
}

/* ---- when next ---- */

static int64_t wanted_count(const struct node *metric)
{
	int64_t count = number(metric, "count", 0);

	return count > 0 ? count : duration(metric, "interval", 0) ? 0 : 1;     /* 0: without end */
}

bool metric_is_endless(const struct node *metric)
{
	return !wanted_count(metric) && number(metric, "consecutiveSuccessLimit", 0) <= 0;
}

int64_t metric_due(const struct node *metric, const struct node *result, int64_t started_ms, int64_t now_ms)
{
	const struct node *m = last(result);
	int64_t at = started_ms + duration(metric, "initialDelay", 0), count = wanted_count(metric);

	if (metric_open(result) || phase_over(phase_of(node_str_at(result, "phase"))))
		return -1;
	if (m) {
		bool error = str_eq(node_str_at(m, "phase"), analysis_phase_name(PHASE_ERROR));

		if (count && node_int_at(result, "count", 0) >= count && !error)
			return -1;
		if (!time_parse(node_str_or(m, "finishedAt", ""), &at))
			at = now_ms;
		at += error ? ERROR_RETRY_MS : duration(metric, "interval", ERROR_RETRY_MS);
	}
	return at > now_ms ? at - now_ms : 0;
}

/* ---- what it is ---- */

struct limit { const char *counted, *field; int64_t def; enum phase phase; };

static bool exceeds(const struct node *metric, const struct node *result, const struct limit *l, struct str *why)
{
	int64_t n = node_int_at(result, l->counted, 0), most = number(metric, l->field, l->def);

	if (most < 0 || n <= most)
		return false;
	str_addf(why, "%s (%lld) > %s (%lld)", l->counted, (long long)n, l->field, (long long)most);
	if (l->phase == PHASE_ERROR && node_get(last(result), "message"))
		str_addf(why, ": \"Error Message: %s\"", node_str_at(last(result), "message"));
	return true;
}

/* All measurements are there, and no limit was passed. Not enough good ones in a row: where failures do not count either, this
 * decides; where they do, the two disagree. */
static enum phase at_count(const struct node *metric, bool wants_row, struct str *why)
{
	if (!wants_row)
		return PHASE_SUCCESSFUL;
	str_addf(why, "no %lld consecutive successes", (long long)number(metric, "consecutiveSuccessLimit", 0));
	return number(metric, "failureLimit", 0) < 0 ? PHASE_FAILED : PHASE_INCONCLUSIVE;
}

enum phase metric_assess(const struct node *metric, const struct node *result, bool terminating, struct str *why)
{
	static const struct limit limits[] = {
		{ "consecutiveError", "consecutiveErrorLimit", 4, PHASE_ERROR },
		{ "inconclusive", "inconclusiveLimit", 0, PHASE_INCONCLUSIVE },
		{ "failed", "failureLimit", 0, PHASE_FAILED },
	};
	int64_t count = wanted_count(metric), enough = number(metric, "consecutiveSuccessLimit", 0);
	enum phase now = phase_of(node_str_at(result, "phase"));

	if (phase_over(now))
		return now;
	if (!last(result))
		return terminating ? PHASE_SUCCESSFUL : PHASE_PENDING;
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
		if (exceeds(metric, result, &limits[i], why))
			return limits[i].phase;
	if (enough > 0 && node_int_at(result, "consecutiveSuccess", 0) >= enough)
		return PHASE_SUCCESSFUL;
	if (metric_open(result))
		return PHASE_RUNNING;
	if (count && node_int_at(result, "count", 0) >= count)
		return at_count(metric, enough > 0, why);
	return terminating ? PHASE_SUCCESSFUL : PHASE_RUNNING;
}
