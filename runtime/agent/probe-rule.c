#include "runtime/agent/probe-rule.h"

#define QUICK_FIRST_MS 10

void probe_rule_read(struct probe_rule *r, enum probe_type type, const struct node *probe)
{
	*r = (struct probe_rule){
		.type = type,
		.initial_ms = node_int_at(probe, "initialDelaySeconds", 0) * 1000,
		.period_ms = node_int_at(probe, "periodSeconds", 10) * 1000,
		.timeout_ms = node_int_at(probe, "timeoutSeconds", 1) * 1000,
		.success = node_int_at(probe, "successThreshold", 1),
		.failure = node_int_at(probe, "failureThreshold", 3),
		.ok = type == PROBE_LIVENESS,   /* alive until it is proved otherwise */
	};
	if (r->period_ms <= 0)
		r->period_ms = 10000;
	if (r->timeout_ms <= 0)
		r->timeout_ms = 1000;
}

void probe_rule_start(struct probe_rule *r, int64_t now_ms)
{
	r->due_ms = now_ms + r->initial_ms;
	r->next_period_ms = r->due_ms + r->period_ms;
	r->quick_ms = QUICK_FIRST_MS;
}

/* The next check: at the next period, or sooner as long as nothing was ever well. */
static void plan(struct probe_rule *r, bool well, int64_t now_ms)
{
	bool quick =
		!r->decided && r->type != PROBE_LIVENESS && r->quick_ms < r->period_ms && (!well || r->success > 1);

	while (r->next_period_ms <= now_ms)     /* the check took longer than its period */
		r->next_period_ms += r->period_ms;
	r->between = quick && now_ms + r->quick_ms < r->next_period_ms;
	if (r->between) {
		r->due_ms = now_ms + r->quick_ms;
		r->quick_ms *= 2;
		return;
	}
	r->due_ms = r->next_period_ms;
	r->next_period_ms += r->period_ms;
}

int probe_rule_result(struct probe_rule *r, bool well, int64_t now_ms)
{
	bool counts = well || !r->between;
	int change = 0;

	if (well) {
		r->failures = 0;
		r->successes++;
	} else if (counts) {
		r->successes = 0;
		r->failures++;
	}
	if (well && r->successes >= r->success && (!r->ok || !r->decided)) {
		change = r->ok ? 0 : 1;
		r->ok = r->decided = true;
	} else if (counts && !well && r->failures >= r->failure) {
		change = r->ok || r->type != PROBE_READINESS ? -1 : 0;
		r->ok = false;
	}
	plan(r, well, now_ms);
	return change;
}
