#include "orchestrator/controllers/deployment.h"

#include "orchestrator/controllers/conditions.h"

#include <stdlib.h>

#define DEADLINE_S 600

struct totals { int64_t spec, replicas, updated, ready, available; };

static struct totals total(const struct deployment *p)
{
	struct totals t = { 0 };

	for (size_t i = 0; i < p->family.sets.n; i++) {
		const struct object *set = p->family.sets.v[i];

		t.spec += set_replicas(set);
		t.replicas += set_count(set, "replicas");
		t.ready += set_count(set, "readyReplicas");
		t.available += set_count(set, "availableReplicas");
		if (i == p->current)
			t.updated = set_count(set, "replicas");
	}
	return t;
}

static bool is_complete(const struct deployment *p, const struct totals *t)
{
	return t->updated == p->limits.replicas && t->replicas == p->limits.replicas &&
	       t->available == p->limits.replicas;
}

bool deployment_complete(const struct deployment *p)
{
	const struct totals t = total(p);

	return deployment_current(p) && is_complete(p, &t);
}

static void put_counts(const struct deployment *p, const struct totals *t, struct doc *d, struct node *status)
{
	int64_t unavailable = t->spec > t->available ? t->spec - t->available : 0;
	const struct { const char *field; int64_t value; bool keep_zero; } rows[] = {
		{ "observedGeneration", node_int_at(p->object->root, "metadata.generation", 0), true },
		{ "replicas", t->replicas, false }, { "updatedReplicas", t->updated, false }, { "readyReplicas", t->ready, false },
		{ "availableReplicas", t->available, false }, { "unavailableReplicas", unavailable, false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (rows[i].value || rows[i].keep_zero)
			node_set(d, status, rows[i].field, node_int(d, rows[i].value));
		else
			(void)node_del(status, rows[i].field);
	}
	if (p->collisions >= 0)
		node_set(d, status, "collisionCount", node_int(d, p->collisions));
}

static void put_available(const struct deployment *p, const struct totals *t, struct doc *d, struct node *status)
{
	if (t->available >= p->limits.replicas - p->limits.max_unavailable)
		conditions_put(d, status, "Available", "True", "MinimumReplicasAvailable",
			       "Deployment has minimum availability.", false);
	else
		conditions_put(d, status, "Available", "False", "MinimumReplicasUnavailable",
			       "Deployment does not have minimum availability.", false);
}

/* The failure of a set, the current one's first. */
static void put_failure(const struct deployment *p, struct doc *d, struct node *status)
{
	const struct node *failure = NULL;
	const struct object *current = deployment_current(p);

	if (current)
		failure = condition_get(node_get(current->root, "status"), "ReplicaFailure");
	for (size_t i = 0; i < p->family.sets.n && !failure; i++)
		if (set_replicas(p->family.sets.v[i]))
			failure = condition_get(node_get(p->family.sets.v[i]->root, "status"), "ReplicaFailure");
	if (failure)
		conditions_put(d, status, "ReplicaFailure", node_str_or(failure, "status", "True"),
			       node_str_or(failure, "reason", ""), node_str_or(failure, "message", ""), false);
	else
		(void)conditions_remove(status, "ReplicaFailure");
}

/* ---- Progressing ---- */

static bool has_progressed(const struct deployment *p, const struct totals *t)
{
	const struct node *old = node_get(p->object->root, "status");
	int64_t replicas = node_int_at(old, "replicas", 0), updated = node_int_at(old, "updatedReplicas", 0);

	return t->updated > updated || t->replicas - t->updated < replicas - updated ||
	       t->ready > node_int_at(old, "readyReplicas", 0) ||
	       t->available > node_int_at(old, "availableReplicas", 0);
}

static int64_t deadline_s(const struct deployment *p)
{
	return node_int_at(p->spec, "progressDeadlineSeconds", DEADLINE_S);
}

/* Milliseconds until the deadline of this condition; negative: it has passed. */
static int64_t time_left(const struct deployment *p, const struct node *progressing)
{
	int64_t since;

	if (!time_parse(node_str_or(progressing, "lastUpdateTime", ""), &since))
		since = clock_ms();
	return since + deadline_s(p) * 1000 - clock_ms();
}

static bool reason_is(const struct node *condition, const char *reason)
{
	return str_eq(node_str_at(condition, "reason"), reason);
}

static bool timed_out(const struct deployment *p, const struct node *progressing)
{
	if (!progressing || p->paused || reason_is(progressing, "NewReplicaSetAvailable"))
		return false;
	return reason_is(progressing, "ProgressDeadlineExceeded") || time_left(p, progressing) < 0;
}

/* The set by its name, or the Deployment while there is none. */
static char *subject(const struct deployment *p)
{
	const struct object *set = deployment_current(p);

	return set ? str_fmt("ReplicaSet \"%s\"", set->name) : str_fmt("Deployment \"%s\"", p->object->name);
}

static void put_progress(const struct deployment *p, const struct totals *t, struct doc *d, struct node *status)
{
	const struct node *now = condition_get(status, "Progressing");
	bool settled = reason_is(now, "NewReplicaSetAvailable") && t->replicas == t->updated;
	char *who = subject(p), *text = NULL;

	if (!settled && is_complete(p, t) && deployment_current(p)) {
		text = str_fmt("%s has successfully progressed.", who);
		conditions_put(d, status, "Progressing", "True", "NewReplicaSetAvailable", text, true);
	} else if (!settled && has_progressed(p, t)) {
		text = str_fmt("%s is progressing.", who);
		conditions_put(d, status, "Progressing", "True", "ReplicaSetUpdated", text, true);
	} else if (!settled && timed_out(p, now)) {
		text = str_fmt("%s has timed out progressing.", who);
		conditions_put(d, status, "Progressing", "False", "ProgressDeadlineExceeded", text, false);
	}
	free(who);
	free(text);
}

/* Looks again when the deadline has passed: no event will come of its own. */
static void await_deadline(const struct deployment *p, const struct node *status)
{
	const struct node *now = condition_get(status, "Progressing");

	if (now && !p->paused && !reason_is(now, "NewReplicaSetAvailable") &&
	    !reason_is(now, "ProgressDeadlineExceeded"))
		controller_queue_after(p->c, p->object->ns, p->object->name, time_left(p, now) + 1000);
}

static void put_conditions(const struct deployment *p, const struct totals *t, struct doc *d, struct node *status)
{
	put_available(p, t, d, status);
	put_failure(p, d, status);
	if (deadline_s(p) == INT32_MAX) {
		(void)conditions_remove(status, "Progressing");
		return;
	}
	if (p->reason)
		conditions_put(d, status, "Progressing", p->value, p->reason, p->message, false);
	if (!p->paused && !meta_deleting(p->object->root) && !str_eq(p->reason, "ReplicaSetCreateError"))
		put_progress(p, t, d, status);
	await_deadline(p, status);
}

int deployment_write_status(struct deployment *p, struct err *err)
{
	const struct totals t = total(p);
	AUTO_DOC d = doc_new();
	struct node *status = controller_status(d, p->object);

	put_counts(p, &t, d, status);
	put_conditions(p, &t, d, status);
	return controller_put_status(p->c, DEPLOYMENTS, p->object, status, NULL, err);
}
