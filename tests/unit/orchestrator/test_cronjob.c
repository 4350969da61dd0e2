#include "check.h"

#include "kube/fake-world.h"
#include "orchestrator/controllers/rows.h"

#include <stdio.h>

static const struct controller_spec *const rows[] = { &cronjob_controller, NULL };

#define CRON(rest) \
	"{\"apiVersion\":\"batch/v1\",\"kind\":\"CronJob\",\"metadata\":{\"name\":\"tick\",\"namespace\":\"default\"},\"spec\":{\"schedule\":" \
	"\"* * * * *\"" rest ",\"jobTemplate\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{\"template\":{}}}},\"status\":{\"lastScheduleTime\":" \
	"\"2024-01-01T00:00:00Z\"}}"

struct names { char v[8][64]; size_t n; };

static void collect(const struct object *job, void *arg)
{
	struct names *x = arg;

	if (x->n < 8)
		snprintf(x->v[x->n++], sizeof x->v[0], "%s", job->name);
}

static void starts(struct world *w)
{
	struct names x = { .n = 0 };

	fake_add(w->client, CRON(""));
	world_settle(w);
	fake_each(w->client, "Job", collect, &x);
	EXPECT_INT(w, x.n, 1);                          /* years were missed: one Job, for the newest time */
	EXPECT_STR(w, meta_label(fake_get(w->client, "Job", "default", x.v[0])->root, "a"), "b");
	EXPECT_STR(w, world_str(w, "CronJob", "tick", "status.active.0.name"), x.v[0]);
	EXPECT(w, strcmp(world_str(w, "CronJob", "tick", "status.lastScheduleTime"), "2024-01-01T00:00:00Z") > 0);
}

static void cronjob_missed_times_give_one_job(void **state)
{
	(void)state;
	world_run(rows, 10, starts);
}

static void add_job(struct world *w, const char *name, const struct object *owner, const char *status, const char *created)
{
	char json[1024];

	snprintf(json, sizeof json, "{\"apiVersion\":\"batch/v1\",\"kind\":\"Job\",\"metadata\":{\"name\":\"%s\",\"namespace\":\"default\",\"ownerReferences\":"
		 "[{\"apiVersion\":\"batch/v1\",\"kind\":\"CronJob\",\"name\":\"tick\",\"uid\":\"%s\",\"controller\":true}]},\"spec\":{},\"status\":%s}",
		 name, owner->uid, status);
	fake_add(w->client, json);
	fake_set(w->client, "Job", "default", name, "metadata.creationTimestamp", created);
}

#define DONE "{\"conditions\":[{\"type\":\"Complete\",\"status\":\"True\"}]}"

static void forbids(struct world *w)
{
	const struct object *cron = fake_add(w->client, CRON(",\"concurrencyPolicy\":\"Forbid\",\"suspend\":true"));

	add_job(w, "running", cron, "{}", "\"2024-01-01T00:00:00Z\"");
	world_settle(w);
	fake_set(w->client, "CronJob", "default", "tick", "spec.suspend", "false");
	world_settle(w);
	EXPECT_INT(w, fake_n(w->client, "Job"), 1);
	fake_set(w->client, "CronJob", "default", "tick", "spec.concurrencyPolicy", "\"Replace\"");
	world_settle(w);
	EXPECT_INT(w, fake_n(w->client, "Job"), 1);
	EXPECT(w, !fake_get(w->client, "Job", "default", "running"));
}

static void cronjob_concurrency_forbids_or_replaces(void **state)
{
	(void)state;
	world_run(rows, 10, forbids);
}

static void trims(struct world *w)
{
	const struct object *cron = fake_add(w->client, CRON(",\"suspend\":true,\"successfulJobsHistoryLimit\":1"));

	add_job(w, "one", cron, DONE, "\"2024-01-01T00:00:00Z\"");
	add_job(w, "two", cron, DONE, "\"2024-01-02T00:00:00Z\"");
	add_job(w, "three", cron, "{}", "\"2024-01-01T00:00:00Z\"");
	world_settle(w);
	EXPECT(w, !fake_get(w->client, "Job", "default", "one"));
	EXPECT(w, fake_get(w->client, "Job", "default", "two"));
	EXPECT(w, fake_get(w->client, "Job", "default", "three"));
}

static void cronjob_keeps_the_newest_of_its_history(void **state)
{
	(void)state;
	world_run(rows, 10, trims);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cronjob_missed_times_give_one_job),
		TEST(cronjob_concurrency_forbids_or_replaces),
		TEST(cronjob_keeps_the_newest_of_its_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
