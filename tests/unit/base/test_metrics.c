#include "check.h"

#include "base/metrics.h"

#include <stdlib.h>

static const double bounds[] = { 0.1, 1, 0 };
static const struct metric_family requests = { "requests_total", "How many.", METRIC_COUNTER, { "verb", "code" }, NULL };
static const struct metric_family seconds = { "a_seconds", "How long.", METRIC_HISTOGRAM, { "verb" }, bounds };
static const struct metric_family plain = { "now", "A number.", METRIC_GAUGE, { NULL }, NULL };

static void metrics_are_written_as_prometheus_reads_them(void **state)
{
	struct metrics m = { 0 };
	AUTO(str) out = { 0 };

	(void)state;
	metric_add(&m, &requests, METRIC_VALUES("GET", "200"), 1);
	metric_add(&m, &requests, METRIC_VALUES("GET", "200"), 1);
	metric_add(&m, &requests, METRIC_VALUES("a\"b\\c\nd", "500"), 1);
	metric_add(&m, &seconds, METRIC_VALUES("GET"), 0.05);
	metric_add(&m, &seconds, METRIC_VALUES("GET"), 1);
	metric_add(&m, &seconds, METRIC_VALUES("GET"), 7.5);
	metric_set(&m, &plain, METRIC_VALUES(NULL), 3);
	metric_add(&m, &plain, METRIC_VALUES(NULL), -0.5);
	metrics_write(&m, &out);
	assert_string_equal(str_c(&out),
		"# HELP a_seconds How long.\n# TYPE a_seconds histogram\n"
		"a_seconds_bucket{verb=\"GET\",le=\"0.1\"} 1\na_seconds_bucket{verb=\"GET\",le=\"1\"} 2\n"
		"a_seconds_bucket{verb=\"GET\",le=\"+Inf\"} 3\na_seconds_sum{verb=\"GET\"} 8.5500000000000007\na_seconds_count{verb=\"GET\"} 3\n"
		"# HELP now A number.\n# TYPE now gauge\nnow 2.5\n"
		"# HELP requests_total How many.\n# TYPE requests_total counter\n"
		"requests_total{verb=\"GET\",code=\"200\"} 2\nrequests_total{verb=\"a\\\"b\\\\c\\nd\",code=\"500\"} 1\n");
	assert_true(metric_get(&m, &requests, METRIC_VALUES("GET", "200")) == 2 && metric_get(&m, &requests, METRIC_VALUES("GET", "201")) == 0);
	metrics_free(&m);
}

static void metrics_that_are_empty_are_no_text(void **state)
{
	struct metrics m = { 0 };
	AUTO(str) out = { 0 };

	(void)state;
	metrics_write(&m, &out);
	assert_int_equal(out.n, 0);
	metrics_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(metrics_are_written_as_prometheus_reads_them),
		TEST(metrics_that_are_empty_are_no_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
