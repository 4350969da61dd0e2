/* The probes of a running container: a fiber each, for as long as this attempt runs. */
#include "runtime/agent/agent-internal.h"

#include <stdlib.h>
#include "kube/object.h"
#include "runtime/agent/probe-rule.h"

static const struct { const char *field, *word, *why; } types[PROBE_TYPES] = {
	[PROBE_STARTUP]   = { "startupProbe", "Startup", "startup probe" },
	[PROBE_READINESS] = { "readinessProbe", "Readiness", NULL },
	[PROBE_LIVENESS]  = { "livenessProbe", "Liveness", "liveness probe" },
};

struct prober {
	struct unit *u;
	int64_t attempt;
	struct object *object;          /* holds node */
	const struct node *node;
	struct probe_rule rule;
};

static bool is_over(const struct prober *p)
{
	return fiber_canceled() || p->u->attempt != p->attempt || p->u->now.run.kind != RUN_RUNNING || p->u->exited;
}

static void start_one(struct unit *u, enum probe_type type);

static void set_started(struct unit *u)
{
	u->started = true;
	if (!node_get(unit_spec(u), "readinessProbe"))
		u->ready = true;
	start_one(u, PROBE_READINESS);
	start_one(u, PROBE_LIVENESS);
}

static void apply(struct prober *p, int change)
{
	struct unit *u = p->u;

	if (p->rule.type == PROBE_READINESS)
		u->ready = p->rule.ok;
	else if (change < 0)
		u->restart_why = types[p->rule.type].why;
	else if (p->rule.type == PROBE_STARTUP)
		set_started(u);
	poke(u->w);
}

static void check(struct prober *p)
{
	AUTO(str) output = { 0 };
	AUTO(err) err = { 0 };
	bool between = p->rule.between;
	int r = action_run(p->u, p->node, p->rule.timeout_ms, &output, &err), change;

	if (is_over(p))
		return;
	if (r < 0 && !between)
		agent_event(p->u->w, "Warning", "Unhealthy", "%s probe failed: %s", types[p->rule.type].word,
			    err_msg(&err));
	change = probe_rule_result(&p->rule, r >= 0, loop_now_ms(p->u->w->a->loop));
	if (change)
		apply(p, change);
}

static void probe(void *arg)
{
	struct prober *p = arg;
	struct loop *l = p->u->w->a->loop;

	probe_rule_start(&p->rule, loop_now_ms(l));
	while (!is_over(p)) {
		int64_t wait = p->rule.due_ms - loop_now_ms(l);

		if (wait > 0)
			(void)fiber_sleep(wait);
		else
			check(p);
		if (p->rule.type == PROBE_STARTUP && p->rule.ok)
			break;
	}
	object_drop(&p->object);
	free(p);
}

static void start_one(struct unit *u, enum probe_type type)
{
	const struct node *node = node_get(unit_spec(u), types[type].field);
	struct prober *p;

	if (!node)
		return;
	if (!(p = calloc(1, sizeof *p)))
		abort();
	p->u = u;
	p->attempt = u->attempt;
	p->object = object_ref(u->w->object);
	p->node = node;
	probe_rule_read(&p->rule, type, node);
	if (type == PROBE_READINESS)    /* taken over after a restart of the daemon: ready until it is not */
		p->rule.ok = p->rule.decided = u->ready;
	fiber_group_start(&u->w->fibers, "probe", probe, p);
}

void probes_start(struct unit *u)
{
	if (!u->started)
		start_one(u, PROBE_STARTUP);
	else
		set_started(u);
}
