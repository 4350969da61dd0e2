/* runtime/agent/probe-rule.h - when a probe is due, and what its results mean. Pure: times come in.
 *
 * Kubernetes waits a whole period between any two checks. Here the first success is found soon: until there is one,
 * a probe for readiness or startup is also tried in between, after 10, 20, 40 ... ms, and what fails in between does
 * not count. */
#pragma once

#include "base/doc.h"

enum probe_type { PROBE_STARTUP, PROBE_READINESS, PROBE_LIVENESS, PROBE_TYPES };

struct probe_rule {
	enum probe_type type;
	int64_t initial_ms, period_ms, timeout_ms, success, failure;    /* thresholds in results */
	/* state */
	int64_t due_ms, next_period_ms, quick_ms;
	int64_t successes, failures;            /* in a row */
	bool ok, decided, between;              /* between: this check is an extra one */
};

void probe_rule_read(struct probe_rule *r, enum probe_type type, const struct node *probe);
/* the container started (or its startup probe was well) */
void probe_rule_start(struct probe_rule *r, int64_t now_ms);
/* A check's result. Returns 1: now it is well (first time, or again), -1: now it failed for good, 0: no change. */
int probe_rule_result(struct probe_rule *r, bool well, int64_t now_ms);
