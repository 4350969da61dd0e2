/* The bodies in testdata/protobuf are what kubectl 1.33 sends. */
#include "check.h"

#include <stdlib.h>
#include "base/fs.h"
#include "base/json.h"
#include "kube/protobuf-internal.h"
#include "kube/protobuf.h"
#include "kube/schema/tables.h"

static void read_as(const char *name, const char *want)
{
	struct protobuf *p = protobuf_new();
	char *path = str_fmt(TESTDATA "/protobuf/%s.bin", name);
	AUTO(str) body = { 0 }, json = { 0 };
	AUTO(err) err = { 0 };
	AUTO_DOC d = NULL;

	assert_ok(file_read(path, 65536, &body, &err), &err);
	assert_ok(protobuf_read(p, str_sv(&body), &d, &err), &err);
	json_write(&json, doc_root(d), 0);
	assert_string_equal(str_c(&json), want);
	protobuf_free(&p);
	free(path);
}

static void bodies_of_kubectl_read_as_the_json_they_stand_for(void **state)
{
	static const struct { const char *name, *json; } cases[] = {
		{ "cronjobs",
		  "{\"apiVersion\":\"batch/v1\",\"kind\":\"CronJob\",\"metadata\":{\"name\":\"c\"},\"spec\":{\"schedule\":\"* * "
		  "* * *\",\"jobTemplate\":{\"metadata\":{\"name\":\"c\"},\"spec\":{\"template\":{\"spec\":{\"containers\":[{\""
		  "name\":\"c\",\"image\":\"box:1\"}],\"restartPolicy\":\"OnFailure\"}}}}}}" },
		{ "deployments",
		  "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\",\"labels\":{\"app\":\"web\""
		  "}},\"spec\":{\"replicas\":3,\"selector\":{\"matchLabels\":{\"app\":\"web\"}},\"template\":{\"metadata\":{\""
		  "labels\":{\"app\":\"web\"}},\"spec\":{\"containers\":[{\"name\":\"web\",\"image\":\"web:1\",\"ports\":[{\"cont"
		  "ainerPort\":80}]}]}}}}" },
		{ "ingresses",
		  "{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"Ingress\",\"metadata\":{\"name\":\"i\"},\"spec\":{\"rul"
		  "es\":[{\"host\":\"a.b\",\"http\":{\"paths\":[{\"path\":\"/x\",\"backend\":{\"service\":{\"name\":\"svc\",\"port\""
		  ":{\"number\":80}}},\"pathType\":\"Prefix\"}]}}]}}" },
		{ "jobs",
		  "{\"apiVersion\":\"batch/v1\",\"kind\":\"Job\",\"metadata\":{\"name\":\"j\"},\"spec\":{\"template\":{\"spec\":{"
		  "\"containers\":[{\"name\":\"j\",\"image\":\"box:1\",\"command\":[\"echo\",\"two words\"]}],\"restartPolicy\""
		  ":\"Never\"}}}}" },
		{ "poddisruptionbudgets",
		  "{\"apiVersion\":\"policy/v1\",\"kind\":\"PodDisruptionBudget\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"mi"
		  "nAvailable\":\"50%\",\"selector\":{\"matchLabels\":{\"app\":\"x\"}}},\"status\":{\"disruptionsAllowed\":0"
		  ",\"currentHealthy\":0,\"desiredHealthy\":0,\"expectedPods\":0}}" },
		{ "priorityclasses",
		  "{\"apiVersion\":\"scheduling.k8s.io/v1\",\"kind\":\"PriorityClass\",\"metadata\":{\"name\":\"p\"},\"value"
		  "\":0,\"preemptionPolicy\":\"PreemptLowerPriority\"}" },
		{ "resourcequotas",
		  "{\"apiVersion\":\"v1\",\"kind\":\"ResourceQuota\",\"metadata\":{\"name\":\"q\"},\"spec\":{\"hard\":{\"cpu\":\"1"
		  "500m\",\"pods\":\"0\"}}}" },
		{ "secrets",
		  "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"s\"},\"data\":{\"a\":\"Yg==\"}}" },
		{ "selfsubjectaccessreviews",
		  "{\"apiVersion\":\"authorization.k8s.io/v1\",\"kind\":\"SelfSubjectAccessReview\",\"spec\":{\"resource"
		  "Attributes\":{\"namespace\":\"default\",\"verb\":\"list\",\"resource\":\"pods\"}},\"status\":{\"allowed\":f"
		  "alse}}" },
		{ "services",
		  "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"web\",\"labels\":{\"app\":\"web\"}},\"spec"
		  "\":{\"ports\":[{\"name\":\"80-http\",\"protocol\":\"TCP\",\"port\":80,\"targetPort\":\"http\",\"nodePort\":30"
		  "080}],\"selector\":{\"app\":\"web\"},\"type\":\"NodePort\"}}" },
		{ "token",
		  "{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"TokenRequest\",\"spec\":{\"expirationSeconds\""
		  ":3600},\"status\":{\"token\":\"\"}}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		read_as(cases[i].name, cases[i].json);
}

static void a_body_that_is_cut_anywhere_is_refused_or_shorter(void **state)
{
	struct protobuf *p = protobuf_new();
	AUTO(str) body = { 0 };
	AUTO(err) err = { 0 };

	(void)state;
	assert_ok(file_read(TESTDATA "/protobuf/deployments.bin", 65536, &body, &err), &err);
	for (size_t n = 0; n < body.n; n++) {
		AUTO_DOC d = NULL;
		AUTO(err) why = { 0 };
		int r = protobuf_read(p, (struct sv){ body.p, n }, &d, &why);

		if (r < 0)
			assert_true(why.code == ERR_BAD_REQUEST || why.code == ERR_UNSUPPORTED);
		else
			assert_non_null(d);
	}
	protobuf_free(&p);
}

static void a_kind_without_numbers_asks_for_json(void **state)
{
	struct protobuf *p = protobuf_new();
	AUTO(err) err = { 0 };
	AUTO_DOC d = NULL;

	(void)state;
	assert_int_equal(protobuf_read(p, SV("k8s\0\n\x0e\n\x04" "a/v1\x12\x06" "Gadget"), &d, &err), -ERR_UNSUPPORTED);
	protobuf_free(&p);
}

/* Every kind that can be created has numbers, and each field one: but for those that have no protobuf at all. */
static void every_built_in_kind_has_the_numbers_of_its_fields(void **state)
{
	static const char *const without[] = { "argoproj.io/", "gateway.networking.k8s.io/", "gateway/", "apiextensions/", "metrics/" };
	struct protobuf *p = protobuf_new();

	(void)state;
	for (size_t i = 0; i < builtin_kinds_n; i++) {
		const struct type *t = builtin_kinds[i].type;
		bool has = true;

		for (size_t j = 0; t && j < sizeof without / sizeof *without; j++)
			has &= !sv_starts(sv_c(t->name), sv_c(without[j]));
		if (t && has && !wires_of(p, t)->n)
			fail_msg("%s has no numbers", t->name);
	}
	protobuf_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bodies_of_kubectl_read_as_the_json_they_stand_for),
		TEST(a_body_that_is_cut_anywhere_is_refused_or_shorter),
		TEST(a_kind_without_numbers_asks_for_json),
		TEST(every_built_in_kind_has_the_numbers_of_its_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
