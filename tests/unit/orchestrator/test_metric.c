#include "check.h"

#include "base/json.h"
#include "orchestrator/analysis/analysis.h"
#include "orchestrator/analysis/metric.h"
#include "orchestrator/analysis/provider.h"

#include <string.h>

/* A metric, what its measurements were (s f i e: good, bad, unclear, error), and what it is then. */
static const struct { const char *metric, *measured; enum phase want; const char *why; } cases[] = {
	{ "{}", "", PHASE_PENDING, "" },
	{ "{}", "s", PHASE_SUCCESSFUL, "" },
	{ "{}", "f", PHASE_FAILED, "failed (1) > failureLimit (0)" },
	{ "{}", "i", PHASE_INCONCLUSIVE, "inconclusive (1) > inconclusiveLimit (0)" },
	{ "{}", "e", PHASE_RUNNING, "" },
	{ "{}", "eeee", PHASE_RUNNING, "" },
	{ "{}", "eeeee", PHASE_ERROR, "consecutiveError (5) > consecutiveErrorLimit (4)" },
	{ "{}", "eeees", PHASE_SUCCESSFUL, "" },
	{ "{\"interval\":\"1s\"}", "ssss", PHASE_RUNNING, "" },
	{ "{\"interval\":\"1s\",\"count\":3}", "ss", PHASE_RUNNING, "" },
	{ "{\"interval\":\"1s\",\"count\":\"3\"}", "sss", PHASE_SUCCESSFUL, "" },
	{ "{\"interval\":\"1s\",\"count\":3}", "sse", PHASE_RUNNING, "" },
	{ "{\"interval\":\"1s\",\"count\":3,\"failureLimit\":1}", "fsf", PHASE_FAILED, "failed (2) > failureLimit (1)" },
	{ "{\"interval\":\"1s\",\"count\":3,\"failureLimit\":1}", "fss", PHASE_SUCCESSFUL, "" },
	{ "{\"interval\":\"1s\",\"count\":3,\"failureLimit\":-1}", "fff", PHASE_SUCCESSFUL, "" },
	{ "{\"interval\":\"1s\",\"consecutiveSuccessLimit\":2,\"failureLimit\":5}", "sfss", PHASE_SUCCESSFUL, "" },
	{ "{\"interval\":\"1s\",\"consecutiveSuccessLimit\":2,\"failureLimit\":5}", "sfs", PHASE_RUNNING, "" },
	{ "{\"interval\":\"1s\",\"count\":3,\"consecutiveSuccessLimit\":2,\"failureLimit\":5}", "sfs", PHASE_INCONCLUSIVE, "no 2 consecutive successes" },
	{ "{\"interval\":\"1s\",\"count\":3,\"consecutiveSuccessLimit\":2,\"failureLimit\":-1}", "sfs", PHASE_FAILED, "no 2 consecutive successes" },
};

static enum phase phase_for(char c) { return c == 's' ? PHASE_SUCCESSFUL : c == 'f' ? PHASE_FAILED : c == 'i' ? PHASE_INCONCLUSIVE : PHASE_ERROR; }

static struct doc *parse(const char *json)
{
	AUTO(err) err = { 0 };
	struct doc *d = NULL;

	assert_ok(json_read(sv_c(json), "test", 0, &d, &err), &err);
	return d;
}

static void metric_is_what_its_measurements_and_limits_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO_DOC d = parse(cases[i].metric);
		AUTO(str) why = { 0 };
		struct node *result = node_map(d);

		for (const char *c = cases[i].measured; *c; c++) {
			(void)metric_begin(d, result, 1000);
			metric_end(d, result, phase_for(*c), "1", NULL, 10, 2000);
		}
		enum phase got = metric_assess(doc_root(d), result, false, &why);

		if (got != cases[i].want || strcmp(str_c(&why), cases[i].why) != 0)
			fail_msg("%s after '%s' is %s '%s'", cases[i].metric, cases[i].measured, analysis_phase_name(got), str_c(&why));
	}
}

static void metric_conditions_decide_a_measurement(void **state)
{
	static const struct { const char *metric; double value; enum phase want; } rows[] = {
		{ "{}", 1, PHASE_SUCCESSFUL },
		{ "{\"successCondition\":\"result > 1\"}", 2, PHASE_SUCCESSFUL },
		{ "{\"successCondition\":\"result > 1\"}", 1, PHASE_FAILED },
		{ "{\"failureCondition\":\"result > 1\"}", 2, PHASE_FAILED },
		{ "{\"failureCondition\":\"result > 1\"}", 1, PHASE_SUCCESSFUL },
		{ "{\"successCondition\":\"result > 3\",\"failureCondition\":\"result < 1\"}", 2, PHASE_INCONCLUSIVE },
		{ "{\"successCondition\":\"result > 1\",\"failureCondition\":\"result > 1\"}", 2, PHASE_FAILED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_DOC d = parse(rows[i].metric);
		AUTO(err) err = { 0 };
		struct value v = value_number(rows[i].value);
		enum phase got = PHASE_PENDING;

		assert_ok(metric_judge(doc_root(d), &v, &got, &err), &err);
		if (got != rows[i].want)
			fail_msg("%s of %g is %s", rows[i].metric, rows[i].value, analysis_phase_name(got));
	}
}

static void metric_next_measurement_is_after_its_interval(void **state)
{
	AUTO_DOC d = parse("{\"interval\":\"1m\",\"initialDelay\":\"10s\",\"count\":2}");
	struct node *result = node_map(d);

	(void)state;
	assert_int_equal(metric_due(doc_root(d), result, 0, 4000), 6000);
	assert_int_equal(metric_due(doc_root(d), result, 0, 10000), 0);
	(void)metric_begin(d, result, 10000);
	assert_int_equal(metric_due(doc_root(d), result, 0, 11000), -1);
	metric_end(d, result, PHASE_SUCCESSFUL, NULL, NULL, 10, 12000);
	assert_int_equal(metric_due(doc_root(d), result, 0, 13000), 59000);
	(void)metric_begin(d, result, 72000);
	metric_end(d, result, PHASE_ERROR, NULL, "x", 10, 72000);
	assert_int_equal(metric_due(doc_root(d), result, 0, 72000), 10000);     /* an error is tried again sooner */
	(void)metric_begin(d, result, 82000);
	metric_end(d, result, PHASE_SUCCESSFUL, NULL, NULL, 10, 82000);
	assert_int_equal(metric_due(doc_root(d), result, 0, 200000), -1);
}

static void metric_keeps_the_last_measurements(void **state)
{
	AUTO_DOC d = parse("{}");
	struct node *result = node_map(d);

	(void)state;
	for (int i = 0; i < 20; i++) {
		(void)metric_begin(d, result, i * 1000);
		metric_end(d, result, PHASE_SUCCESSFUL, i == 19 ? "last" : "x", NULL, 3, i * 1000);
	}
	assert_int_equal(node_n(node_get(result, "measurements")), 3);
	assert_string_equal(node_str_at(result, "measurements.2.value"), "last");
	assert_int_equal(node_int_at(result, "successful", 0), 20);
}

static void metric_wrong_ones_are_named(void **state)
{
	static const struct { const char *metric, *why; } rows[] = {
		{ "{\"name\":\"a\",\"count\":\"many\"}", "metric \"a\": count is not a whole number" },
		{ "{\"name\":\"a\",\"interval\":\"often\"}", "metric \"a\": interval" },
		{ "{\"name\":\"a\",\"successCondition\":\"result >\"}", "metric \"a\": successCondition: condition 'result >'" },
		{ "{\"name\":\"a\",\"count\":3}", "needs an interval" },
		{ "{\"name\":\"a\",\"count\":-1}", "count must not be negative" },
		{ "{\"name\":\"a\",\"successCondition\":\"nothing(result)\"}", "nothing" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_DOC d = parse(rows[i].metric);
		AUTO(err) err = { 0 };

		assert_true(metric_check(doc_root(d), &err) < 0);
		if (!strstr(err_msg(&err), rows[i].why))
			fail_msg("want '%s' in '%s'", rows[i].why, err_msg(&err));
	}
}

/* What is wrong with a provider, and a part of the message. */
static void provider_wrong_ones_are_named(void **state)
{
	static const struct { const char *provider, *why; } rows[] = {
		{ "{}", "wants one provider" },
		{ "{\"web\":{\"url\":\"u\"},\"job\":{\"spec\":{}}}", "wants one provider" },
		{ "{\"datadog\":{\"query\":\"q\"}}", "provider datadog is not supported" },
		{ "{\"web\":{}}", "provider.web: url is required" },
		{ "{\"web\":{\"url\":\"u\",\"authentication\":{}}}", "provider.web.authentication is not supported" },
		{ "{\"web\":{\"url\":\"u\",\"method\":\"BREW\"}}", "method 'BREW'" },
		{ "{\"web\":{\"url\":\"u\",\"body\":\"b\"}}", "needs method POST or PUT" },
		{ "{\"web\":{\"url\":\"u\",\"method\":\"PUT\",\"body\":\"b\",\"jsonBody\":{}}}", "exclude each other" },
		{ "{\"web\":{\"url\":\"u\",\"jsonPath\":\"{$.a\"}}", "jsonPath '{$.a'" },
		{ "{\"web\":{\"url\":\"u\",\"timeoutSeconds\":\"soon\"}}", "timeout" },
		{ "{\"prometheus\":{\"query\":\"up\"}}", "address is required" },
		{ "{\"prometheus\":{\"address\":\"a\"}}", "query is required" },
		{ "{\"prometheus\":{\"address\":\"a\",\"query\":\"up\",\"rangeQuery\":{}}}", "provider.prometheus.rangeQuery is not supported" },
		{ "{\"job\":{}}", "spec is required" },
		{ "{\"job\":{\"spec\":{},\"metadata\":{\"name\":\"x\"}}}", "metadata.name" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_DOC d = doc_new();
		AUTO_DOC provider = parse(rows[i].provider);
		AUTO(err) err = { 0 };
		struct node *metric = node_map(d);

		node_set(d, metric, "name", node_str(d, "a"));
		node_set(d, metric, "provider", node_copy(d, doc_root(provider)));
		assert_true(provider_check(metric, &err) < 0);
		if (!strstr(err_msg(&err), rows[i].why) || !strstr(err_msg(&err), "metric \"a\""))
			fail_msg("want '%s' in '%s'", rows[i].why, err_msg(&err));
	}
}

static void analysis_that_cannot_be_right_is_refused(void **state)
{
#define METRIC(name, more) "{\"name\":\"" name "\"," more "\"provider\":{\"web\":{\"url\":\"{{args.u}}\"}}}"
	static const struct { const char *spec; bool must_end; const char *why; } rows[] = {
		{ "{}", false, "no metrics" },
		{ "{\"metrics\":[" METRIC("a", "") "]}", false, "'{{args.u}}' is not an argument" },
		{ "{\"args\":[{\"name\":\"u\",\"value\":\"x\"}],\"metrics\":[" METRIC("a", "") "," METRIC("a", "") "]}", false,
		  "two metrics are named \"a\"" },
		{ "{\"args\":[{\"name\":\"u\",\"value\":\"x\"}],\"metrics\":[" METRIC("a", "\"interval\":\"5s\",") "]}", true, "it never ends" },
		{ "{\"args\":[{\"name\":\"u\",\"value\":\"x\"}],\"metrics\":[" METRIC("a", "\"interval\":\"5s\",") "]}", false, NULL },
		{ "{\"args\":[{\"name\":\"u\",\"value\":\"x\"}],\"metrics\":[" METRIC("a", "") "]}", true, NULL },
		{ "{\"args\":[{\"name\":\"u\",\"valueFrom\":{\"secretKeyRef\":{\"name\":\"s\",\"key\":\"k\"}}}],\"metrics\":["
		  METRIC("a", "\"count\":\"{{args.u}}\",") "]}", true, NULL },
		{ "{\"args\":[{\"name\":\"u\",\"value\":\"x\"}],\"metrics\":[" METRIC("a", "") "],\"dryRun\":[{\"metricName\":\"b.*\"}]}", false,
		  "dryRun[0]: no metric is named like 'b.*'" },
		{ "{\"args\":[{\"name\":\"u\",\"value\":\"x\"}],\"metrics\":[" METRIC("a", "") "],\"measurementRetention\":[{\"metricName\":\"c\"}]}",
		  false, "measurementRetention[0]" },
	};
#undef METRIC

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_DOC d = parse(rows[i].spec);
		AUTO(err) err = { 0 };
		int r = analysis_check(doc_root(d), rows[i].must_end, &err);

		if (rows[i].why ? r >= 0 || !strstr(err_msg(&err), rows[i].why) : r < 0)
			fail_msg("%s: want '%s', got %d '%s'", rows[i].spec, rows[i].why ? rows[i].why : "", r, err_msg(&err));
	}
}

static void jsonpath_leads_to_values(void **state)
{
	static const struct { const char *path, *want; } rows[] = {
		{ "{$.a.b[1].c}", "[3]" }, { "$['a']['b'][0]", "[{\"c\":2}]" }, { "{$.a.b[*].c}", "[2,3]" }, { "{.x-y}", "[true]" },
		{ "{$}", "[{\"a\":{\"b\":[{\"c\":2},{\"c\":3}]},\"x-y\":true}]" }, { "{$.a.b[-1].c}", "[3]" }, { "{$.none.b}", "[]" },
		{ "{$.a.b[5]}", "[]" },
	};
	AUTO_DOC root = parse("{\"a\":{\"b\":[{\"c\":2},{\"c\":3}]},\"x-y\":true}");

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_DOC d = doc_new();
		AUTO(err) err = { 0 };
		AUTO(str) got = { 0 };
		struct node *out = node_seq(d);

		assert_ok(jsonpath_find(rows[i].path, doc_root(root), d, out, &err), &err);
		json_write(&got, out, 0);
		assert_string_equal(str_c(&got), rows[i].want);
	}
}

static void jsonpath_that_is_none_is_refused(void **state)
{
	static const char *const rows[] = { "{$.a", "$..a", "{$.a[}", "a", "{$.a}x", "{$['a'}", "[x]" };
	AUTO_DOC root = parse("{}");

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_DOC d = doc_new();

		assert_int_equal(jsonpath_find(rows[i], doc_root(root), d, node_seq(d), NULL), -ERR_BAD_REQUEST);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(metric_is_what_its_measurements_and_limits_say),
		TEST(metric_conditions_decide_a_measurement),
		TEST(metric_next_measurement_is_after_its_interval),
		TEST(metric_keeps_the_last_measurements),
		TEST(metric_wrong_ones_are_named),
		TEST(provider_wrong_ones_are_named),
		TEST(analysis_that_cannot_be_right_is_refused),
		TEST(jsonpath_leads_to_values),
		TEST(jsonpath_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
