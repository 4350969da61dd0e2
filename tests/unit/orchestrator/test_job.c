#include "check.h"

#include "kube/fake-world.h"
#include "kube/pod.h"
#include "orchestrator/controllers/rows.h"

#include <stdio.h>

static const struct controller_spec *const rows[] = { &job_controller, NULL };

#define JOB(spec) \
	"{\"apiVersion\":\"batch/v1\",\"kind\":\"Job\",\"metadata\":{\"name\":\"work\",\"namespace\":\"default\"},\"spec\":{" spec \
	"\"selector\":{\"matchLabels\":{\"job\":\"work\"}},\"template\":{\"metadata\":{\"labels\":{\"job\":\"work\"}},\"spec\":{\"restartPolicy\":" \
	"\"Never\",\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}}}"

struct pick { char names[8][64]; size_t n; };

static void pick_active(const struct object *pod, void *arg)
{
	struct pick *p = arg;

	if (pod_active(pod->root) && p->n < 8)
		snprintf(p->names[p->n++], sizeof p->names[0], "%s", pod->name);
}

/* Every pod that is at work ends so. */
static size_t end_all(struct world *w, const char *phase)
{
	struct pick p = { .n = 0 };
	char status[64];

	snprintf(status, sizeof status, "{\"phase\":\"%s\"}", phase);
	fake_each(w->client, "Pod", pick_active, &p);
	for (size_t i = 0; i < p.n; i++)
		fake_set(w->client, "Pod", "default", p.names[i], "status", status);
	world_settle(w);
	return p.n;
}

static int64_t status_int(struct world *w, const char *field)
{
	char path[64];

	snprintf(path, sizeof path, "status.%s", field);
	return world_int(w, "Job", "work", path);
}

static const char *condition(struct world *w, const char *field)
{
	char path[64];

	snprintf(path, sizeof path, "status.conditions.0.%s", field);
	return world_str(w, "Job", "work", path);
}

static void completes(struct world *w)
{
	fake_add(w->client, JOB("\"parallelism\":2,\"completions\":5,"));
	world_settle(w);
	EXPECT_INT(w, status_int(w, "active"), 2);
	EXPECT_INT(w, end_all(w, "Succeeded"), 2);
	EXPECT_INT(w, end_all(w, "Succeeded"), 2);
	EXPECT_INT(w, end_all(w, "Succeeded"), 1);      /* never more than are missing */
	EXPECT_STR(w, condition(w, "type"), "Complete");
	EXPECT_INT(w, status_int(w, "succeeded"), 5);
	EXPECT_INT(w, status_int(w, "active"), 0);
	EXPECT_INT(w, fake_events(w->client, "Pod", EVENT_ADDED), 5);
	EXPECT(w, *world_str(w, "Job", "work", "status.completionTime"));
}

static void job_runs_as_many_pods_as_it_needs(void **state)
{
	(void)state;
	world_run(rows, 15, completes);
}

static void gives_up(struct world *w)
{
	fake_add(w->client, JOB("\"backoffLimit\":0,\"parallelism\":2,\"completions\":2,"));
	world_settle(w);
	EXPECT_INT(w, end_all(w, "Failed"), 2);
	EXPECT_STR(w, condition(w, "type"), "Failed");
	EXPECT_STR(w, condition(w, "reason"), "BackoffLimitExceeded");
	EXPECT_INT(w, fake_events(w->client, "Pod", EVENT_ADDED), 2);
}

static void job_gives_up_after_its_backoff_limit(void **state)
{
	(void)state;
	world_run(rows, 5, gives_up);
}

static void waits(struct world *w)
{
	fake_add(w->client, JOB(""));
	world_settle(w);
	EXPECT_INT(w, end_all(w, "Failed"), 1);
	EXPECT_STR(w, condition(w, "type"), "");
	EXPECT_INT(w, status_int(w, "failed"), 1);
	EXPECT_INT(w, fake_n(w->client, "Pod"), 1);     /* the next one comes after ten seconds */
}

static void job_failed_pod_is_not_replaced_at_once(void **state)
{
	(void)state;
	world_run(rows, 3, waits);
}

static void indexes(struct world *w)
{
	fake_add(w->client, JOB("\"completionMode\":\"Indexed\",\"parallelism\":3,\"completions\":4,"));
	world_settle(w);
	EXPECT_INT(w, end_all(w, "Succeeded"), 3);
	EXPECT_STR(w, world_str(w, "Job", "work", "status.completedIndexes"), "0-2");
	EXPECT_INT(w, end_all(w, "Succeeded"), 1);
	EXPECT_STR(w, world_str(w, "Job", "work", "status.completedIndexes"), "0-3");
	EXPECT_STR(w, condition(w, "type"), "Complete");
}

static void job_indexed_gives_every_index_a_pod(void **state)
{
	(void)state;
	world_run(rows, 10, indexes);
}

static void suspends(struct world *w)
{
	fake_add(w->client, JOB("\"suspend\":true,"));
	world_settle(w);
	EXPECT_INT(w, fake_n(w->client, "Pod"), 0);
	EXPECT_STR(w, condition(w, "type"), "Suspended");
	fake_set(w->client, "Job", "default", "work", "spec.suspend", "false");
	world_settle(w);
	EXPECT_INT(w, fake_n(w->client, "Pod"), 1);
	fake_set(w->client, "Job", "default", "work", "spec.suspend", "true");
	world_settle(w);
	EXPECT_INT(w, fake_n(w->client, "Pod"), 0);
}

static void job_suspended_has_no_pods(void **state)
{
	(void)state;
	world_run(rows, 5, suspends);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(job_runs_as_many_pods_as_it_needs),
		TEST(job_gives_up_after_its_backoff_limit),
		TEST(job_failed_pod_is_not_replaced_at_once),
		TEST(job_indexed_gives_every_index_a_pod),
		TEST(job_suspended_has_no_pods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
