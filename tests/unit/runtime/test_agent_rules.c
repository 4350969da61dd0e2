/* The agent's pure parts: backoff, probes, environment, log lines, signals. */
#include "check.h"

#include <signal.h>
#include <string.h>
#include "base/encode.h"
#include "base/json.h"
#include "runtime/agent/backoff.h"
#include "runtime/agent/env.h"
#include "runtime/agent/log-lines.h"
#include "runtime/agent/probe-rule.h"
#include "runtime/agent/pull-secret.h"
#include "runtime/agent/signal-name.h"

static struct doc *read_json(const char *text)
{
	struct doc *d = NULL;
	AUTO(err) err = { 0 };

	assert_ok(json_read(sv_c(text), "test", 0, &d, &err), &err);
	return d;
}

/* ---- backoff ---- */

static void backoff_doubles_to_five_minutes_and_forgets_after_ten_good_ones(void **state)
{
	static const int64_t want[] = { 0, 10000, 20000, 40000, 80000, 160000, 300000, 300000 };
	struct backoff b = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof want / sizeof *want; i++)
		assert_int_equal(backoff_next(&b, 100), want[i]);
	assert_int_equal(backoff_next(&b, 599999), 300000);
	assert_int_equal(backoff_next(&b, 600000), 0);
	assert_int_equal(backoff_next(&b, 0), 10000);
}

/* ---- probes ---- */

static struct probe_rule rule_of(enum probe_type type, const char *json)
{
	AUTO_DOC d = read_json(json);
	struct probe_rule r;

	probe_rule_read(&r, type, doc_root(d));
	probe_rule_start(&r, 0);
	return r;
}

static void probe_that_is_well_at_once_makes_ready_at_once(void **state)
{
	struct probe_rule r = rule_of(PROBE_READINESS, "{\"periodSeconds\":5}");

	(void)state;
	assert_int_equal(r.due_ms, 0);
	assert_int_equal(probe_rule_result(&r, true, 1), 1);
	assert_true(r.ok);
	assert_int_equal(r.due_ms, 5000);
}

static void readiness_is_tried_quickly_until_the_first_success(void **state)
{
	struct probe_rule r = rule_of(PROBE_READINESS, "{\"periodSeconds\":1}");
	static const int64_t due[] = { 10, 30, 70, 150, 310, 630, 1000, 1640, 2000 };

	(void)state;
	for (size_t i = 0; i < sizeof due / sizeof *due; i++) {
		assert_int_equal(probe_rule_result(&r, false, r.due_ms), 0);
		assert_int_equal(r.due_ms, due[i]);
	}
	assert_int_equal(probe_rule_result(&r, true, 2000), 1);
	assert_int_equal(r.due_ms, 3000);
}

static void quick_tries_do_not_count_as_failures(void **state)
{
	struct probe_rule r = rule_of(PROBE_STARTUP, "{\"periodSeconds\":10,\"failureThreshold\":2}");
	int change = 0;

	(void)state;
	for (int i = 0; i < 50 && !change; i++)
		change = probe_rule_result(&r, false, r.due_ms);
	assert_int_equal(change, -1);
	assert_int_equal(r.failures, 2);
	assert_int_equal(r.next_period_ms, 20000);      /* checked at 0 and at 10 s */
}

static void readiness_is_lost_at_the_threshold_and_comes_back(void **state)
{
	struct probe_rule r = rule_of(PROBE_READINESS, "{\"periodSeconds\":1,\"failureThreshold\":3,\"successThreshold\":2}");

	(void)state;
	assert_int_equal(probe_rule_result(&r, true, 0), 0);
	assert_int_equal(probe_rule_result(&r, true, r.due_ms), 1);
	assert_int_equal(probe_rule_result(&r, false, r.due_ms), 0);
	assert_int_equal(probe_rule_result(&r, false, r.due_ms), 0);
	assert_int_equal(probe_rule_result(&r, false, r.due_ms), -1);
	assert_false(r.ok);
	assert_int_equal(probe_rule_result(&r, true, r.due_ms), 0);
	assert_int_equal(probe_rule_result(&r, true, r.due_ms), 1);
	assert_true(r.ok);
}

static void liveness_waits_its_delay_and_fails_at_the_threshold(void **state)
{
	struct probe_rule r = rule_of(PROBE_LIVENESS, "{\"initialDelaySeconds\":3,\"periodSeconds\":2,\"failureThreshold\":2}");

	(void)state;
	assert_int_equal(r.due_ms, 3000);
	assert_int_equal(probe_rule_result(&r, false, 3000), 0);
	assert_int_equal(r.due_ms, 5000);
	assert_int_equal(probe_rule_result(&r, true, 5000), 0);
	assert_int_equal(probe_rule_result(&r, false, 7000), 0);
	assert_int_equal(probe_rule_result(&r, false, 9000), -1);
}

/* ---- environment ---- */

static struct { struct doc *conf, *sec; } cluster;

static const struct node *lookup(void *arg, const char *kind, const char *name)
{
	(void)arg;
	if (str_eq(kind, "Secret"))
		return str_eq(name, "sec") ? doc_root(cluster.sec) : NULL;
	return str_eq(name, "conf") ? doc_root(cluster.conf) : NULL;
}

static int compose(const char *container, struct env *out, struct err *err)
{
	AUTO_DOC pod = read_json("{\"metadata\":{\"name\":\"p\",\"namespace\":\"ns\",\"uid\":\"u-1\",\"labels\":{\"app\":\"web\"}},"
				 "\"spec\":{\"containers\":[{\"name\":\"c\",\"resources\":{\"limits\":{\"cpu\":\"1500m\"}}}]}}");
	AUTO_DOC c = read_json(container);
	struct pod_facts facts = { doc_root(pod), "10.0.0.2", "10.0.0.1", "n1", 4000, (int64_t)1 << 30 };
	struct volume_lookup l = { lookup, NULL };
	int r;

	cluster.conf = read_json("{\"kind\":\"ConfigMap\",\"data\":{\"A\":\"from conf\",\"b.c\":\"dots\",\"1x\":\"no name\"}}");
	cluster.sec = read_json("{\"kind\":\"Secret\",\"data\":{\"P\":\"cGFzcw==\"}}");
	r = env_of_container(&facts, &l, doc_root(c), out, err);
	doc_drop(&cluster.conf);
	doc_drop(&cluster.sec);
	return r;
}

static void expect_env(const struct env *e, const char *name, const char *want)
{
	const char *got = env_get(e, sv_c(name));

	if (!str_eq(got, want))
		fail_msg("%s is '%s', want '%s'", name, got ? got : "(not set)", want ? want : "(not set)");
}

static void services_are_variables_by_their_upper_case_names(void **state)
{
	AUTO_DOC service = read_json("{\"metadata\":{\"name\":\"my-db\"},\"spec\":{\"clusterIP\":\"10.96.0.7\",\"ports\":["
				     "{\"name\":\"sql\",\"port\":5432},{\"name\":\"dns-udp\",\"port\":53,\"protocol\":\"UDP\"}]}}");
	AUTO_DOC headless = read_json("{\"metadata\":{\"name\":\"h\"},\"spec\":{\"clusterIP\":\"None\",\"ports\":[{\"port\":1}]}}");
	struct env e = { 0 };

	(void)state;
	env_add_service(&e, doc_root(service));
	env_add_service(&e, doc_root(headless));
	expect_env(&e, "MY_DB_SERVICE_HOST", "10.96.0.7");
	expect_env(&e, "MY_DB_SERVICE_PORT", "5432");
	expect_env(&e, "MY_DB_SERVICE_PORT_SQL", "5432");
	expect_env(&e, "MY_DB_SERVICE_PORT_DNS_UDP", "53");
	expect_env(&e, "MY_DB_PORT", "tcp://10.96.0.7:5432");
	expect_env(&e, "MY_DB_PORT_5432_TCP", "tcp://10.96.0.7:5432");
	expect_env(&e, "MY_DB_PORT_53_UDP_PROTO", "udp");
	expect_env(&e, "MY_DB_PORT_53_UDP_PORT", "53");
	expect_env(&e, "MY_DB_PORT_53_UDP_ADDR", "10.96.0.7");
	expect_env(&e, "H_SERVICE_HOST", NULL);
	env_free(&e);
}

static void environment_is_composed_in_order_with_references(void **state)
{
	struct env e = { 0 };
	AUTO(err) err = { 0 };

	(void)state;
	assert_ok(compose("{\"name\":\"c\",\"envFrom\":[{\"prefix\":\"X_\",\"configMapRef\":{\"name\":\"conf\"}},"
			  "{\"secretRef\":{\"name\":\"gone\",\"optional\":true}}],\"env\":["
			  "{\"name\":\"ONE\",\"value\":\"1\"},{\"name\":\"TWO\",\"value\":\"$(ONE)$(ONE) $$(ONE) $(LATER) $(\"},"
			  "{\"name\":\"P\",\"valueFrom\":{\"secretKeyRef\":{\"name\":\"sec\",\"key\":\"P\"}}},"
			  "{\"name\":\"IP\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"status.podIP\"}}},"
			  "{\"name\":\"APP\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"metadata.labels['app']\"}}},"
			  "{\"name\":\"CPU\",\"valueFrom\":{\"resourceFieldRef\":{\"resource\":\"limits.cpu\"}}},"
			  "{\"name\":\"OPT\",\"valueFrom\":{\"configMapKeyRef\":{\"name\":\"conf\",\"key\":\"no\",\"optional\":true}}},"
			  "{\"name\":\"X_A\",\"value\":\"own\"}]}", &e, &err), &err);
	expect_env(&e, "X_A", "own");
	expect_env(&e, "X_b.c", "dots");
	expect_env(&e, "X_1x", "no name");
	expect_env(&e, "TWO", "11 $(ONE) $(LATER) $(");
	expect_env(&e, "P", "pass");
	expect_env(&e, "IP", "10.0.0.2");
	expect_env(&e, "APP", "web");
	expect_env(&e, "CPU", "2");
	expect_env(&e, "OPT", NULL);
	env_free(&e);
}

static void missing_sources_are_named(void **state)
{
	static const char *const bad[][2] = {
		{ "{\"env\":[{\"name\":\"A\",\"valueFrom\":{\"configMapKeyRef\":{\"name\":\"x\",\"key\":\"k\"}}}]}", "configmap \"x\" not found" },
		{ "{\"env\":[{\"name\":\"A\",\"valueFrom\":{\"secretKeyRef\":{\"name\":\"sec\",\"key\":\"k\"}}}]}", "couldn't find key k in Secret ns/sec" },
		{ "{\"envFrom\":[{\"secretRef\":{\"name\":\"x\"}}]}", "secret \"x\" not found" },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct env e = { 0 };
		AUTO(err) err = { 0 };

		assert_err(compose(bad[i][0], &e, &err), &err, ERR_NOT_FOUND, bad[i][1]);
		env_free(&e);
	}
}

static void expect_words(const char *container, const char *want)
{
	AUTO_DOC d = read_json(container);
	struct image image = { 0 };
	struct strings argv = { 0 };
	struct env e = { 0 };
	AUTO(err) err = { 0 };
	AUTO(str) got = { 0 };

	strings_add(&image.entrypoint, "/entry");
	strings_add(&image.cmd, "cmd");
	env_put(&e, SV("N"), SV("7"));
	assert_ok(env_command(&e, doc_root(d), &image, &argv, &err), &err);
	for (size_t i = 0; i < argv.n; i++)
		str_addf(&got, "%s[%s]", i ? " " : "", argv.v[i]);
	assert_string_equal(str_c(&got), want);
	strings_free(&argv);
	image_free(&image);
	env_free(&e);
}

static void command_and_args_replace_what_the_image_says(void **state)
{
	(void)state;
	expect_words("{}", "[/entry] [cmd]");
	expect_words("{\"args\":[\"-n\",\"$(N)\"]}", "[/entry] [-n] [7]");
	expect_words("{\"command\":[\"/own\"]}", "[/own]");
	expect_words("{\"command\":[\"/own\"],\"args\":[\"a\"]}", "[/own] [a]");
}

static void words_override_the_image_and_have_a_path(void **state)
{
	struct image image = { 0 };
	struct strings out = { 0 };
	struct env e = { 0 };

	(void)state;
	strings_add(&image.env, "A=image");
	strings_add(&image.env, "B=image");
	env_put(&e, SV("A"), SV("own"));
	env_words(&e, &image, "host", &out);
	assert_int_equal(out.n, 4);
	assert_string_equal(out.v[0], "B=image");
	assert_string_equal(out.v[1], "A=own");
	assert_non_null(strstr(out.v[2], "PATH=/usr/local/sbin:"));
	assert_string_equal(out.v[3], "HOSTNAME=host");
	strings_free(&out);
	image_free(&image);
	env_free(&e);
}

/* ---- logs ---- */

#define LINE(second, tag, text) "2026-01-02T03:04:0" second ".123456789Z stdout " tag " " text "\n"

static void expect_log(struct log_opts o, const char *want)
{
	static const char text[] = LINE("1", "F", "one") LINE("2", "P", "two ") LINE("3", "F", "halves") LINE("4", "F", "") "cut sho";
	struct log_lines l = { .opts = &o };
	AUTO(str) out = { 0 };
	size_t taken = log_lines_take(&l, sv_c(text), &out);

	assert_string_equal(str_c(&out), want);
	if (!l.full)
		assert_int_equal(taken, strlen(text) - strlen("cut sho"));
}

static void log_lines_are_shown_as_asked(void **state)
{
	(void)state;
	expect_log((struct log_opts){ .tail_lines = -1 }, "one\ntwo halves\n\n");
	expect_log((struct log_opts){ .limit_bytes = 6 }, "one\ntw");
	expect_log((struct log_opts){ .since_ms = 1767323043000 }, "halves\n\n");
	expect_log((struct log_opts){ .timestamps = true, .since_ms = 1767323044000 }, "2026-01-02T03:04:04.123456789Z \n");
}

static void tail_finds_the_last_lines(void **state)
{
	struct sv text = SV("a\nbb\nccc\n");
	int64_t missing;

	(void)state;
	assert_int_equal(log_lines_tail(text, 1, &missing), 5);
	assert_int_equal(log_lines_tail(text, 3, &missing), 0);
	assert_int_equal(missing, 0);
	assert_int_equal(log_lines_tail(text, 5, &missing), 0);
	assert_int_equal(missing, 2);
	assert_int_equal(log_lines_tail(text, 0, &missing), 9);
}

/* ---- pull secrets ---- */

static void expect_login(const char *config, const char *registry, const char *want)
{
	AUTO(str) json = { 0 };
	AUTO(str) got = { 0 };
	struct registry_login l = { 0 };

	str_addc(&json, "{\"data\":{\".dockerconfigjson\":\"");
	base64_encode(&json, sv_c(config));
	str_addc(&json, "\"}}");
	AUTO_DOC d = read_json(str_c(&json));
	if (pull_secret_find(doc_root(d), registry, &l))
		str_addf(&got, "%s/%s", str_c(&l.user), str_c(&l.password));
	assert_string_equal(str_c(&got), want);
	registry_login_free(&l);
}

static void pull_secrets_are_found_by_registry(void **state)
{
	static const char config[] = "{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"aHViOnBhc3M=\"},"
		"\"registry.example:5000\":{\"username\":\"u\",\"password\":\"p:w\"},\"broken\":{\"auth\":\"!!\"}}}";

	(void)state;
	expect_login(config, "registry.example:5000", "u/p:w");
	expect_login(config, "docker.io", "hub/pass");
	expect_login(config, "", "hub/pass");
	expect_login(config, "other", "");
	expect_login(config, "broken", "");
	expect_login("not json", "docker.io", "");
}

static void signals_have_names_and_numbers(void **state)
{
	(void)state;
	assert_int_equal(signal_number("SIGQUIT"), SIGQUIT);
	assert_int_equal(signal_number("USR1"), SIGUSR1);
	assert_int_equal(signal_number("9"), SIGKILL);
	assert_int_equal(signal_number(""), 0);
	assert_int_equal(signal_number("SIGNOPE"), 0);
	assert_int_equal(signal_number("-3"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(backoff_doubles_to_five_minutes_and_forgets_after_ten_good_ones),
		TEST(probe_that_is_well_at_once_makes_ready_at_once),
		TEST(readiness_is_tried_quickly_until_the_first_success),
		TEST(quick_tries_do_not_count_as_failures),
		TEST(readiness_is_lost_at_the_threshold_and_comes_back),
		TEST(liveness_waits_its_delay_and_fails_at_the_threshold),
		TEST(services_are_variables_by_their_upper_case_names),
		TEST(environment_is_composed_in_order_with_references),
		TEST(missing_sources_are_named),
		TEST(command_and_args_replace_what_the_image_says),
		TEST(words_override_the_image_and_have_a_path),
		TEST(log_lines_are_shown_as_asked),
		TEST(tail_finds_the_last_lines),
		TEST(pull_secrets_are_found_by_registry),
		TEST(signals_have_names_and_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
