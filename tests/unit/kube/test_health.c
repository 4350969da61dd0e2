/* tests/unit/kube/test_health.c - a row a rule: object, status, message. */
#include "check.h"

#include "base/json.h"
#include "kube/health.h"

struct row { const char *object; const char *status; const char *why; };       /* status NULL: the kind has no rule */

#define DEPLOYMENT(spec, status) "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\"," \
	"\"generation\":2},\"spec\":{" spec "},\"status\":{\"observedGeneration\":2," status "}}"
#define POD(spec, status) "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\"},\"spec\":{" spec "},\"status\":{" status "}}"
#define ALWAYS "\"restartPolicy\":\"Always\""
#define HPA2(conditions) "{\"apiVersion\":\"autoscaling/v2\",\"kind\":\"HorizontalPodAutoscaler\",\"status\":{\"conditions\":[" \
	conditions "]}}"

static const struct row rows[] = {
	{ DEPLOYMENT("\"replicas\":2,\"paused\":true", "\"replicas\":0"), "Suspended", "Deployment is paused" },
	{ DEPLOYMENT("\"replicas\":2", "\"updatedReplicas\":1"), "Progressing",
	  "Waiting for rollout to finish: 1 out of 2 new replicas have been updated..." },
	{ DEPLOYMENT("\"replicas\":2", "\"updatedReplicas\":2,\"replicas\":3"), "Progressing",
	  "Waiting for rollout to finish: 1 old replicas are pending termination..." },
	{ DEPLOYMENT("\"replicas\":2", "\"updatedReplicas\":2,\"replicas\":2,\"availableReplicas\":1"), "Progressing",
	  "Waiting for rollout to finish: 1 of 2 updated replicas are available..." },
	{ DEPLOYMENT("\"replicas\":2", "\"updatedReplicas\":2,\"replicas\":2,\"availableReplicas\":2"), "Healthy", "" },
	{ DEPLOYMENT("\"replicas\":2", "\"conditions\":[{\"type\":\"Progressing\",\"reason\":\"ProgressDeadlineExceeded\"}]"),
	  "Degraded", "Deployment \"web\" exceeded its progress deadline" },
	{ "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"generation\":2},\"status\":{\"observedGeneration\":1}}",
	  "Progressing", "Waiting for rollout to finish: observed deployment generation less than desired generation" },
	{ "{\"apiVersion\":\"apps/v1beta1\",\"kind\":\"Deployment\"}", "Unknown",
	  "unsupported Deployment GVK: apps/v1beta1, Kind=Deployment" },
	{ "{\"apiVersion\":\"autoscaling/v2beta1\",\"kind\":\"HorizontalPodAutoscaler\"}", "Unknown",
	  "unsupported HPA GVK: autoscaling/v2beta1, Kind=HorizontalPodAutoscaler" },
	{ "{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\",\"spec\":{\"replicas\":3},\"status\":{\"availableReplicas\":1}}",
	  "Progressing", "Waiting for rollout to finish: 1 out of 3 new replicas are available..." },
	{ "{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\",\"status\":{\"conditions\":[{\"type\":\"ReplicaFailure\","
	  "\"status\":\"True\",\"message\":\"quota\"}]}}", "Degraded", "quota" },
	{ POD(ALWAYS, "\"phase\":\"Pending\",\"containerStatuses\":[{\"state\":{\"waiting\":{\"reason\":\"ImagePullBackOff\","
	  "\"message\":\"no a\"}}},{\"state\":{\"waiting\":{\"reason\":\"ErrImagePull\",\"message\":\"no b\"}}}]"), "Degraded", "no a, no b" },
	{ POD(ALWAYS, "\"phase\":\"Pending\",\"containerStatuses\":[{\"state\":{\"waiting\":{\"reason\":\"ContainerCreating\"}}}]"),
	  "Progressing", "" },
	{ POD("\"restartPolicy\":\"Never\"", "\"phase\":\"Failed\",\"containerStatuses\":[{\"name\":\"a\",\"state\":{\"terminated\":"
	  "{\"exitCode\":3}}}]"), "Degraded", "container \"a\" failed with exit code 3" },
	{ POD("\"restartPolicy\":\"Never\"", "\"phase\":\"Failed\",\"initContainerStatuses\":[{\"name\":\"i\",\"state\":{\"terminated\":"
	  "{\"reason\":\"OOMKilled\",\"exitCode\":137}}}]"), "Degraded", "OOMKilled" },
	{ POD("\"restartPolicy\":\"Never\"", "\"phase\":\"Succeeded\""), "Healthy", "" },
	{ POD("\"restartPolicy\":\"Never\"", "\"phase\":\"Running\""), "Progressing", "" },
	{ POD(ALWAYS, "\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]"), "Healthy", "" },
	{ POD(ALWAYS, "\"phase\":\"Running\",\"containerStatuses\":[{\"lastState\":{\"terminated\":{\"exitCode\":1}}}]"), "Degraded", "" },
	{ POD(ALWAYS, "\"phase\":\"Running\",\"containerStatuses\":[{\"lastState\":{}}]"), "Progressing", "" },
	{ POD(ALWAYS, "\"phase\":\"Strange\",\"message\":\"m\""), "Unknown", "m" },
	{ "{\"apiVersion\":\"v1\",\"kind\":\"PersistentVolumeClaim\",\"status\":{\"phase\":\"Bound\"}}", "Healthy", "" },
	{ "{\"apiVersion\":\"v1\",\"kind\":\"PersistentVolumeClaim\",\"status\":{\"phase\":\"Lost\"}}", "Degraded", "" },
	{ HPA2("{\"type\":\"AbleToScale\",\"status\":\"True\",\"message\":\"ok\"},{\"type\":\"ScalingActive\",\"status\":\"False\","
	  "\"reason\":\"FailedGetPodsMetric\",\"message\":\"no metric\"}"), "Degraded", "no metric" },
	{ HPA2("{\"type\":\"ScalingLimited\",\"status\":\"True\",\"message\":\"at most\"}"), "Healthy", "at most" },
	{ HPA2(""), "Progressing", "Waiting to Autoscale" },
	{ "{\"apiVersion\":\"autoscaling/v1\",\"kind\":\"HorizontalPodAutoscaler\",\"metadata\":{\"annotations\":"
	  "{\"autoscaling.alpha.kubernetes.io/conditions\":\"[{\\\"type\\\":\\\"AbleToScale\\\",\\\"status\\\":\\\"True\\\","
	  "\\\"message\\\":\\\"fine\\\"}]\"}}}", "Healthy", "fine" },
	{ "{\"apiVersion\":\"batch/v1\",\"kind\":\"Job\",\"status\":{\"conditions\":[{\"type\":\"Suspended\",\"status\":\"False\"}]}}",
	  "Progressing", "" },
	{ "{\"apiVersion\":\"argoproj.io/v1alpha1\",\"kind\":\"Rollout\",\"metadata\":{\"generation\":3},\"status\":{"
	  "\"observedGeneration\":\"2\",\"phase\":\"Healthy\"}}", "Progressing", "Waiting for rollout spec update to be observed" },
	{ "{\"apiVersion\":\"argoproj.io/v1alpha1\",\"kind\":\"Rollout\",\"metadata\":{\"generation\":3},\"status\":{"
	  "\"observedGeneration\":\"3\",\"phase\":\"Paused\",\"message\":\"CanaryPauseStep\"}}", "Suspended", "CanaryPauseStep" },
	{ "{\"apiVersion\":\"argoproj.io/v1alpha1\",\"kind\":\"Rollout\",\"status\":{\"phase\":\"Degraded\",\"message\":\"m\"}}",
	  "Degraded", "m" },
	{ "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}", NULL, "" },
	{ "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"deletionTimestamp\":\"2024-01-01T00:00:00Z\"}}", "Progressing",
	  "Pending deletion" },
	{ "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"deletionTimestamp\":\"2024-01-01T00:00:00Z\","
	  "\"finalizers\":[\"argocd.argoproj.io/hook-finalizer\"]}}", NULL, "" },
};

static void health_of_each_state_has_argo_cds_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO(health) h = { 0 };
		AUTO(err) err = { 0 };
		AUTO_DOC doc = NULL;

		assert_ok(json_read(sv_c(rows[i].object), "row", 0, &doc, &err), &err);
		assert_ok(health_of(doc_root(doc), &h, &err), &err);
		assert_int_equal(h.known, rows[i].status != NULL);
		if (rows[i].status && (!str_eq(health_name(h.status), rows[i].status) || !str_eq(str_c(&h.why), rows[i].why)))
			fail_msg("%s\nwant %s '%s'\ngot %s '%s'", rows[i].object, rows[i].status, rows[i].why, health_name(h.status),
				 str_c(&h.why));
	}
}

static void health_names_read_back(void **state)
{
	(void)state;
	for (int s = HEALTHY; s <= UNKNOWN; s++)
		assert_int_equal(health_parse(health_name((enum health_status)s)), s);
	assert_int_equal(health_parse("healthy"), -1);
}

static void health_of_a_broken_annotation_is_an_error(void **state)
{
	(void)state;
	AUTO(health) h = { 0 };
	AUTO(err) err = { 0 };
	AUTO_DOC doc = NULL;

	assert_ok(json_read(SV("{\"apiVersion\":\"autoscaling/v1\",\"kind\":\"HorizontalPodAutoscaler\",\"metadata\":{\"annotations\":"
		"{\"autoscaling.alpha.kubernetes.io/conditions\":\"[{\"}}}"), "row", 0, &doc, &err), &err);
	assert_err(health_of(doc_root(doc), &h, &err), &err, ERR_BAD_REQUEST, "conditions:1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(health_of_each_state_has_argo_cds_words),
		TEST(health_names_read_back),
		TEST(health_of_a_broken_annotation_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
