/* The whole agent: real pods from bound to gone, in namespaces of the test's own. */
#include "check.h"
#include "lab-agent.h"
#include "lab-net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/fiber.h"
#include "base/fs.h"

#define WEB "\"containers\":[{\"name\":\"web\",\"image\":\"box:1\",\"command\":[\"/bin/busybox\",\"httpd\",\"-f\",\"-p\",\"8080\",\"-h\",\"/bin\"]," \
	"\"ports\":[{\"name\":\"http\",\"containerPort\":8080}]"
#define SHELL(script) "\"image\":\"box:1\",\"command\":[\"/bin/sh\",\"-c\",\"" script "\"]"

static const struct log_opts all_lines = { .tail_lines = -1 };

static int64_t started;

static void runs_body(struct lab_node *l)
{
	started = clock_ms();
	lab_pod(l, "web", WEB ",\"readinessProbe\":{\"httpGet\":{\"port\":\"http\",\"path\":\"/busybox\"},\"periodSeconds\":1}}]");
	CHECK(l, lab_await(l, "web", "Ready", "True"));
	printf("bound to ready with a readiness probe: %lld ms\n", (long long)(clock_ms() - started));
	CHECK(l, lab_await(l, "web", "status.phase", "Running"));
	CHECK(l, str_eq(lab_text(l, "web", "status.containerStatuses.0.restartCount"), "0"));
	CHECK(l, sv_starts(sv_c(lab_text(l, "web", "status.podIP")), SV("10.244.0.")));
	CHECK(l, sv_starts(sv_c(lab_text(l, "web", "status.containerStatuses.0.imageID")), SV("sha256:")));
	CHECK(l, lab_await_event(l, "Started", "Started container web"));
	started = clock_ms();
	lab_pod(l, "plain", WEB "}]");
	CHECK(l, lab_await(l, "plain", "Ready", "True"));
	printf("bound to ready without one: %lld ms\n", (long long)(clock_ms() - started));
}

static void pod_runs_and_is_ready(void **state) { lab_node_run(*state, runs_body); }

static void job_body(struct lab_node *l)
{
	AUTO(str) out = { 0 };

	fake_add(l->client, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"conf\",\"namespace\":\"default\"},\"data\":{\"k\":\"from a file\",\"e\":\"from env\"}}");
	lab_pod(l, "job", "\"restartPolicy\":\"Never\",\"securityContext\":{\"runAsUser\":1000,\"fsGroup\":2000},"
		"\"volumes\":[{\"name\":\"v\",\"configMap\":{\"name\":\"conf\"}},{\"name\":\"tmp\",\"emptyDir\":{}}],"
		"\"containers\":[{\"name\":\"c\"," SHELL("cat /conf/k; echo; echo $E $NAME; /bin/busybox id; echo x >/tmp/x && echo written; echo last words >/dev/termination-log; /bin/busybox hostname; exit 3") ","
		"\"env\":[{\"name\":\"E\",\"valueFrom\":{\"configMapKeyRef\":{\"name\":\"conf\",\"key\":\"e\"}}},"
		"{\"name\":\"NAME\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"metadata.name\"}}}],"
		"\"volumeMounts\":[{\"name\":\"v\",\"mountPath\":\"/conf\"},{\"name\":\"tmp\",\"mountPath\":\"/tmp\"}]}]");
	CHECK(l, lab_await(l, "job", "status.phase", "Failed"));
	CHECK(l, str_eq(lab_text(l, "job", "status.containerStatuses.0.state.terminated.exitCode"), "3"));
	CHECK(l, str_eq(lab_text(l, "job", "status.containerStatuses.0.state.terminated.message"), "last words\n"));
	CHECK(l, str_eq(lab_text(l, "job", "status.containerStatuses.0.state.terminated.reason"), "Error"));
	CHECK(l, lab_logs(l, "job", &all_lines, &out));
	if (!str_eq(str_c(&out), "from a file\nfrom env job\nuid=1000 gid=0 groups=2000\nwritten\njob\n"))
		lab_wrong(l, "log: %s", str_c(&out));
	CHECK(l, lab_logs(l, "job", &(struct log_opts){ .tail_lines = 1, .follow = true }, &out));
	CHECK(l, str_eq(str_c(&out), "job\n"));
}

static void job_has_environment_volumes_user_log_and_last_words(void **state) { lab_node_run(*state, job_body); }

static void crash_body(struct lab_node *l)
{
	AUTO(str) out = { 0 };

	lab_pod(l, "crash", "\"containers\":[{\"name\":\"c\"," SHELL("echo run; exit 1") "}]");
	CHECK(l, lab_await(l, "crash", "status.containerStatuses.0.state.waiting.reason", "CrashLoopBackOff"));
	CHECK(l, str_eq(lab_text(l, "crash", "status.containerStatuses.0.restartCount"), "1"));
	CHECK(l, str_eq(lab_text(l, "crash", "status.containerStatuses.0.lastState.terminated.exitCode"), "1"));
	CHECK(l, str_eq(lab_text(l, "crash", "status.phase"), "Running"));
	CHECK(l, lab_logs(l, "crash", &(struct log_opts){ .tail_lines = -1, .previous = true }, &out) && str_eq(str_c(&out), "run\n"));
	CHECK(l, lab_await_event(l, "BackOff", "Back-off restarting failed container c"));
}

static void crashing_container_backs_off(void **state) { lab_node_run(*state, crash_body); }

static void liveness_body(struct lab_node *l)
{
	lab_pod(l, "sick", "\"terminationGracePeriodSeconds\":1,\"containers\":[{\"name\":\"c\"," SHELL("trap 'exit 0' TERM; while true; do /bin/busybox sleep 0.05; done") ","
		"\"livenessProbe\":{\"exec\":{\"command\":[\"/bin/busybox\",\"false\"]},\"periodSeconds\":1,\"failureThreshold\":1}}]");
	CHECK(l, lab_await(l, "sick", "status.containerStatuses.0.restartCount", "1"));
	CHECK(l, lab_await_event(l, "Unhealthy", "Liveness probe failed"));
	CHECK(l, lab_await_event(l, "Killing", "failed liveness probe, will be restarted"));
}

static void failed_liveness_restarts_the_container(void **state) { lab_node_run(*state, liveness_body); }

static void init_body(struct lab_node *l)
{
	AUTO(str) out = { 0 };

	lab_pod(l, "init", "\"restartPolicy\":\"Never\",\"volumes\":[{\"name\":\"v\",\"emptyDir\":{}}],\"initContainers\":["
		"{\"name\":\"one\"," SHELL("echo 1 >>/v/f") ",\"volumeMounts\":[{\"name\":\"v\",\"mountPath\":\"/v\"}]},"
		"{\"name\":\"two\"," SHELL("echo 2 >>/v/f") ",\"volumeMounts\":[{\"name\":\"v\",\"mountPath\":\"/v\"}]}],"
		"\"containers\":[{\"name\":\"c\"," SHELL("cat /v/f") ",\"volumeMounts\":[{\"name\":\"v\",\"mountPath\":\"/v\"}]}]");
	CHECK(l, lab_await(l, "init", "status.phase", "Succeeded"));
	CHECK(l, lab_logs(l, "init", &all_lines, &out));
	CHECK(l, str_eq(str_c(&out), "1\n2\n"));
}

static void sidecar_body(struct lab_node *l)
{
	lab_pod(l, "side", "\"restartPolicy\":\"Never\",\"initContainers\":[{\"name\":\"s\",\"restartPolicy\":\"Always\"," SHELL("while true; do /bin/busybox sleep 0.05; done") "}],"
		"\"containers\":[{\"name\":\"c\"," SHELL("/bin/busybox sleep 0.3") "}]");
	CHECK(l, lab_await(l, "side", "status.phase", "Running"));
	CHECK(l, lab_await(l, "side", "Ready", "True"));
	CHECK(l, lab_await(l, "side", "status.phase", "Succeeded"));
	CHECK(l, lab_await(l, "side", "status.initContainerStatuses.0.state.terminated.reason", "Error"));
}

static void sidecar_runs_beside_the_others_and_ends_after_them(void **state) { lab_node_run(*state, sidecar_body); }

static void init_containers_run_in_order(void **state) { lab_node_run(*state, init_body); }

static void tokens_body(struct lab_node *l)
{
	lab_pod(l, "api", "\"restartPolicy\":\"Never\",\"volumes\":[{\"name\":\"v\",\"projected\":{\"sources\":[{\"serviceAccountToken\":"
		"{\"path\":\"token\",\"expirationSeconds\":1}}]}}],\"containers\":[{\"name\":\"c\","
		SHELL("read a </v/token; b=$a; while [ $a = $b ]; do /bin/busybox sleep 0.05; read b </v/token; done; exit 0") ","
		"\"volumeMounts\":[{\"name\":\"v\",\"mountPath\":\"/v\"}]}]");
	CHECK(l, lab_await(l, "api", "status.phase", "Succeeded"));
}

static void token_in_a_volume_is_renewed_before_it_expires(void **state) { lab_node_run(*state, tokens_body); }

static bool pod_dirs(struct lab_node *l)
{
	AUTO(str) path = { 0 };
	char *list;
	bool any;

	str_addf(&path, "%s/node/pods", l->dir);
	list = lab_output((const char *const[]){ "ls", str_c(&path), NULL });
	any = *list;
	free(list);
	return any;
}

static void delete_body(struct lab_node *l)
{
	lab_pod(l, "web", "\"terminationGracePeriodSeconds\":5,\"containers\":[{\"name\":\"c\"," SHELL("trap 'echo bye; exit 0' TERM; while true; do /bin/busybox sleep 0.05; done") "}]");
	CHECK(l, lab_await(l, "web", "Ready", "True"));
	started = clock_ms();
	lab_delete(l, "Pod", "web", -1);
	CHECK(l, lab_await_gone(l, "web"));
	CHECK(l, clock_ms() - started < 3000);
	CHECK(l, !pod_dirs(l));
	CHECK(l, lab_await_event(l, "Killing", "Stopping container c"));
	lab_pod(l, "deaf", "\"terminationGracePeriodSeconds\":30," WEB "}]");
	CHECK(l, lab_await(l, "deaf", "Ready", "True"));
	lab_delete(l, "Pod", "deaf", -1);
	CHECK(l, lab_await_gone(l, "deaf"));    /* within the 15 s that it waits */
	lab_pod(l, "stubborn", "\"terminationGracePeriodSeconds\":1,\"containers\":[{\"name\":\"c\"," SHELL("trap '' TERM; while true; do /bin/busybox sleep 0.05; done") "}]");
	CHECK(l, lab_await(l, "stubborn", "Ready", "True"));
	lab_delete(l, "Pod", "stubborn", -1);
	CHECK(l, lab_await_gone(l, "stubborn"));
	CHECK(l, !pod_dirs(l));
}

static void deleted_pod_ends_in_its_grace_period_and_leaves_nothing(void **state) { lab_node_run(*state, delete_body); }

static void adopt_body(struct lab_node *l)
{
	char id[128], ip[64];
	lab_pod(l, "web", WEB ",\"readinessProbe\":{\"tcpSocket\":{\"port\":8080},\"periodSeconds\":1}}]");
	lab_pod(l, "orphan", WEB "}]");
	CHECK(l, lab_await(l, "web", "Ready", "True") && lab_await(l, "orphan", "Ready", "True"));
	snprintf(id, sizeof id, "%s", lab_text(l, "web", "status.containerStatuses.0.containerID"));
	snprintf(ip, sizeof ip, "%s", lab_text(l, "web", "status.podIP"));
	lab_stop_agent(l);
	CHECK(l, lab_ask(-1, ip, 8080) == -EAGAIN);        /* it still listens */
	lab_delete(l, "Pod", "orphan", 0);
	fake_set(l->client, "Pod", "default", "web", "status", "{}");   /* as if it had died before it told */
	lab_start_agent(l);
	CHECK(l, l->agent);
	CHECK(l, !fake_get(l->client, "Pod", "default", "orphan"));
	CHECK(l, lab_await(l, "web", "Ready", "True"));
	CHECK(l, str_eq(lab_text(l, "web", "status.containerStatuses.0.containerID"), id));
	CHECK(l, sv_starts(sv_c(lab_text(l, "web", "status.containerStatuses.0.imageID")), SV("sha256:")));
	CHECK(l, str_eq(lab_text(l, "web", "status.containerStatuses.0.restartCount"), "0"));
	CHECK(l, str_eq(lab_text(l, "web", "status.podIP"), ip));
	lab_delete(l, "Pod", "web", 0);
	CHECK(l, lab_await_gone(l, "web"));
}

static void restarted_agent_adopts_what_runs_and_ends_what_is_gone(void **state) { lab_node_run(*state, adopt_body); }

/* What a reboot leaves: files, and nothing of what they stood for. */
static void reboot(struct lab_node *l)
{
	char *out = lab_output((const char *const[]){ "sh", "-c",
		"for s in $0/node/pods/*/containers/*/*/state; do kill -9 $(sed -n 's/^supervisor \\([0-9]*\\) .*/\\1/p' $s); done;"
		"umount $0/node/pods/*/sandbox/*", l->dir, NULL });

	if (*out)
		lab_wrong(l, "%s", out);
	free(out);
}

static void reboot_body(struct lab_node *l)
{
	char ip[64];

	lab_pod(l, "web", WEB ",\"readinessProbe\":{\"tcpSocket\":{\"port\":8080},\"periodSeconds\":1}}]");
	CHECK(l, lab_await(l, "web", "Ready", "True"));
	snprintf(ip, sizeof ip, "%s", lab_text(l, "web", "status.podIP"));
	lab_stop_agent(l);
	reboot(l);
	lab_start_agent(l);
	CHECK(l, l->agent);
	CHECK(l, lab_await(l, "web", "status.containerStatuses.0.restartCount", "1"));
	CHECK(l, lab_await(l, "web", "Ready", "True"));
	CHECK(l, str_eq(lab_text(l, "web", "status.podIP"), ip));
	CHECK(l, lab_ask(-1, ip, 8080) == -EAGAIN);
}

static void after_a_reboot_pods_start_again(void **state) { lab_node_run(*state, reboot_body); }

static void missing_body(struct lab_node *l)
{
	lab_pod(l, "wait", "\"volumes\":[{\"name\":\"v\",\"configMap\":{\"name\":\"late\"}}]," WEB ",\"volumeMounts\":[{\"name\":\"v\",\"mountPath\":\"/v\"}]}]");
	CHECK(l, lab_await(l, "wait", "status.containerStatuses.0.state.waiting.reason", "ContainerCreating"));
	CHECK(l, lab_await_event(l, "FailedMount", "configmap \"late\" not found"));
	fake_add(l->client, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"late\",\"namespace\":\"default\"},\"data\":{\"k\":\"v\"}}");
	CHECK(l, lab_await(l, "wait", "Ready", "True"));
	lab_pod(l, "env", "\"containers\":[{\"name\":\"c\"," SHELL("true") ",\"env\":[{\"name\":\"A\",\"valueFrom\":{\"secretKeyRef\":{\"name\":\"no\",\"key\":\"k\"}}}]}]");
	CHECK(l, lab_await(l, "env", "status.containerStatuses.0.state.waiting.reason", "CreateContainerConfigError"));
	fake_add(l->client, "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"no\",\"namespace\":\"default\"},\"data\":{\"k\":\"eA==\"}}");
	started = clock_ms();
	CHECK(l, lab_await(l, "env", "status.containerStatuses.0.restartCount", "1"));
	CHECK(l, clock_ms() - started < 5000);          /* its arrival woke the pod, not the next look */
	lab_pod(l, "image", "\"containers\":[{\"name\":\"c\",\"image\":\"127.0.0.1:1/nope:1\"}]");
	CHECK(l, lab_await(l, "image", "status.containerStatuses.0.state.waiting.reason", "ErrImagePull"));
	CHECK(l, lab_await(l, "image", "status.containerStatuses.0.state.waiting.reason", "ImagePullBackOff"));
	lab_pod(l, "always", "\"containers\":[{\"name\":\"c\",\"imagePullPolicy\":\"Always\"," SHELL("while true; do /bin/busybox sleep 1; done") "}]");
	CHECK(l, lab_await(l, "always", "Ready", "True"));              /* no registry named, none to be had: the one made here */
	lab_pod(l, "never", "\"containers\":[{\"name\":\"c\",\"image\":\"nope:1\",\"imagePullPolicy\":\"Never\"}]");
	CHECK(l, lab_await(l, "never", "status.containerStatuses.0.state.waiting.reason", "ErrImageNeverPull"));
	lab_pod(l, "exec", "\"restartPolicy\":\"Never\",\"containers\":[{\"name\":\"c\",\"image\":\"box:1\",\"command\":[\"/bin/nothing\"]}]");
	CHECK(l, lab_await(l, "exec", "status.containerStatuses.0.state.terminated.reason", "StartError"));
	CHECK(l, str_eq(lab_text(l, "exec", "status.phase"), "Failed"));
}

static void what_is_missing_is_named_and_waited_for(void **state) { lab_node_run(*state, missing_body); }

static bool rules_show(const char *want)
{
	char *rules = lab_output((const char *const[]){ "nft", "list", "ruleset", NULL });
	bool found = strstr(rules, want) != NULL;

	free(rules);
	return found;
}

static bool await_rules(const char *want)
{
	int64_t until = clock_ms() + 5000;

	while (!rules_show(want) && clock_ms() < until)
		(void)fiber_sleep(2);
	return rules_show(want);
}

static void add_endpoints(struct lab_node *l, const char *a, const char *b)
{
	AUTO(str) json = { 0 };

	str_addf(&json, "{\"apiVersion\":\"v1\",\"kind\":\"Endpoints\",\"metadata\":{\"name\":\"web\",\"namespace\":\"default\"},\"subsets\":["
		 "{\"addresses\":[{\"ip\":\"%s\"},{\"ip\":\"%s\"}],\"ports\":[{\"name\":\"http\",\"port\":8080}]}]}", a, b);
	fake_add(l->client, str_c(&json));
}

#define SERVICE "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"web\",\"namespace\":\"default\"}," \
	"\"spec\":{\"clusterIP\":\"10.96.0.7\",\"type\":\"NodePort\",\"ports\":[{\"name\":\"http\",\"port\":80,\"nodePort\":30007}]}}"

static void service_body(struct lab_node *l)
{
	char ip[64];

	lab_pod(l, "web", "\"terminationGracePeriodSeconds\":3," WEB "}]");
	CHECK(l, lab_await(l, "web", "Ready", "True"));
	snprintf(ip, sizeof ip, "%s", lab_text(l, "web", "status.podIP"));
	fake_add(l->client, SERVICE);
	add_endpoints(l, ip, "10.244.0.99");
	CHECK(l, await_rules(ip));
	lab_delete(l, "Pod", "web", -1);
	CHECK(l, lab_await_gone(l, "web"));     /* with the Endpoints still there: the node does not wait for a controller */
	CHECK(l, !rules_show(ip) && rules_show("10.244.0.99"));
}

static void weights_body(struct lab_node *l)
{
	fake_add(l->client, SERVICE);
	add_endpoints(l, "10.244.0.98", "10.244.0.99");
	CHECK(l, await_rules("500000-999999 : 10.244.0.99 . 8080"));
	fake_set(l->client, "Endpoints", "default", "web", "metadata.annotations",
		 "{\"timonier.dev/weights\":\"{\\\"10.244.0.98\\\":999,\\\"10.244.0.99\\\":1}\"}");
	CHECK(l, await_rules("999000-999999 : 10.244.0.99 . 8080"));
	fake_set(l->client, "Endpoints", "default", "web", "metadata.annotations", "{\"timonier.dev/weights\":\"{\\\"10.244.0.98\\\":1}\"}");
	CHECK(l, await_rules("0-999999 : 10.244.0.98 . 8080"));
	CHECK(l, !rules_show("10.244.0.99"));
}

static void weights_of_endpoints_reach_the_kernel(void **state) { lab_node_run(*state, weights_body); }

static void service_leads_to_pods_and_away_from_those_that_end(void **state) { lab_node_run(*state, service_body); }

static void config_body(struct lab_node *l)
{
	AUTO(str) out = { 0 };

	fake_add(l->client, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"conf\",\"namespace\":\"default\"},\"data\":{\"k\":\"old\"}}");
	lab_pod(l, "c", "\"restartPolicy\":\"Never\",\"volumes\":[{\"name\":\"v\",\"configMap\":{\"name\":\"conf\"}}],\"containers\":[{\"name\":\"c\","
		SHELL("until /bin/busybox grep -q new /v/k; do /bin/busybox sleep 0.05; done; cat /v/k; echo") ",\"volumeMounts\":[{\"name\":\"v\",\"mountPath\":\"/v\"}]}]");
	CHECK(l, lab_await(l, "c", "Ready", "True"));
	fake_set(l->client, "ConfigMap", "default", "conf", "data.k", "\"new\"");
	CHECK(l, lab_await(l, "c", "status.phase", "Succeeded"));
	CHECK(l, lab_logs(l, "c", &all_lines, &out) && str_eq(str_c(&out), "new\n"));
}

static void changed_config_map_arrives_in_the_container(void **state) { lab_node_run(*state, config_body); }

static void names_body(struct lab_node *l)
{
	AUTO(str) out = { 0 };

	fake_add(l->client, SERVICE);
	lab_pod(l, "ask", "\"restartPolicy\":\"Never\",\"containers\":[{\"name\":\"c\"," SHELL("cat /etc/resolv.conf; /bin/busybox nslookup -type=a web.default.svc.cluster.local") "}]");
	CHECK(l, lab_await(l, "ask", "status.phase", "Succeeded"));
	CHECK(l, lab_logs(l, "ask", &all_lines, &out));
	if (!strstr(str_c(&out), "search default.svc.cluster.local") || !strstr(str_c(&out), "10.96.0.7"))
		lab_wrong(l, "log: %s", str_c(&out));
}

static void pods_find_services_by_name(void **state) { lab_node_run(*state, names_body); }

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pod_runs_and_is_ready),
		TEST(job_has_environment_volumes_user_log_and_last_words),
		TEST(token_in_a_volume_is_renewed_before_it_expires),
		TEST(crashing_container_backs_off),
		TEST(failed_liveness_restarts_the_container),
		TEST(init_containers_run_in_order),
		TEST(sidecar_runs_beside_the_others_and_ends_after_them),
		TEST(deleted_pod_ends_in_its_grace_period_and_leaves_nothing),
		TEST(restarted_agent_adopts_what_runs_and_ends_what_is_gone),
		TEST(after_a_reboot_pods_start_again),
		TEST(what_is_missing_is_named_and_waited_for),
		TEST(service_leads_to_pods_and_away_from_those_that_end),
		TEST(weights_of_endpoints_reach_the_kernel),
		TEST(pods_find_services_by_name),
		TEST(changed_config_map_arrives_in_the_container),
	};

	return cmocka_run_group_tests(tests, lab_node_open, lab_node_close);
}
