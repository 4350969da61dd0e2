#include "orchestrator/controllers/rollout/rollout.h"

#include "base/opt.h"
#include "kube/selector.h"

#include <stdio.h>

/* What the tables cannot say. The first thing that is wrong is the message; nothing is done for such a Rollout. */

int rollout_seconds(const struct node *duration, int64_t *out)
{
	int64_t ms;

	if (node_to_i64(duration, out) || sv_to_i64(node_sv(duration), out))
		return *out < 0 ? -ERR_INVALID : 0;
	if (!node_text(duration) || duration_parse(node_text(duration), &ms, NULL) < 0 || ms < 0)
		return -ERR_INVALID;
	*out = (ms + 999) / 1000;
	return 0;
}

static int invalid(struct err *err, const char *field, const char *why)
{
	return err_set(err, ERR_INVALID, "%s: %s", field, why);
}

static int check_selector(const struct rollout *r, struct err *err)
{
	struct selector *s = NULL;
	bool matches;

	TRY(err_wrap(err, selector_of(node_get(r->spec, "selector"), &s, err), "spec.selector"));
	matches = !selector_nothing(s) && selector_matches(s, node_at(r->spec, "template.metadata.labels"));
	selector_free(&s);
	return matches ? 0
		       : invalid(err, "spec.selector", "must not be empty and must match the labels of spec.template");
}

static int check_service(const struct rollout *r, const char *field, const char *name, struct err *err)
{
	const struct object *s =
		name ? informer_get(controller_informer(r->c, ROLLOUT_SERVICES), r->object->ns, name) : NULL;
	const char *owner = s ? meta_annotation(s->root, ROLLOUT_MANAGED) : NULL;

	if (name && !s)
		return err_set(err, ERR_INVALID, "%s: service \"%s\" not found", field, name);
	if (owner && strcmp(owner, r->object->name) != 0)
		return err_set(err, ERR_INVALID, "%s: service \"%s\" is already managed by rollout \"%s\"", field, name,
			       owner);
	return 0;
}

/* ---- canary ---- */

static int check_pause(const struct node *pause, const char *field, struct err *err)
{
	int64_t seconds;

	if (node_get(pause, "duration") && rollout_seconds(node_get(pause, "duration"), &seconds) < 0)
		return err_set(err, ERR_INVALID,
			       "%s.pause.duration: '" SV_FMT
			       "' is not a duration: seconds, or a text like 30s, 5m, 1h30m",
			       field, SV_ARG(node_sv(node_get(pause, "duration"))));
	return 0;
}

static int check_step(const struct rollout *r, const struct node *step, const char *field, struct err *err)
{
	static const char *const actions[] = { "setWeight", "pause", "analysis", "setCanaryScale", "experiment", "setHeaderRoute",
		"setMirrorRoute", "plugin" };
	int64_t weight, most = node_int_at(r->canary, "trafficRouting.maxTrafficWeight", 100);
	size_t n = 0, known = 0;

	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
		if (node_get(step, actions[i])) {
			n++;
			known += i < 4;
		}
	if (n != 1)
		return invalid(err, field, "must have exactly one action");
	if (!known)
		return invalid(err, field, "experiment, setHeaderRoute, setMirrorRoute and plugin are not supported");
	if (node_get(step, "setWeight") &&
	    (!node_to_i64(node_get(step, "setWeight"), &weight) || weight < 0 || weight > most))
		return err_set(err, ERR_INVALID, "%s.setWeight: must be between 0 and %lld", field, (long long)most);
	if (node_get(step, "setCanaryScale") && !node_get(r->canary, "trafficRouting"))
		return invalid(err, field, "setCanaryScale needs trafficRouting");
	return check_pause(node_get(step, "pause"), field, err);
}

static int check_routing(const struct rollout *r, struct err *err)
{
	const struct node *routing = node_get(r->canary, "trafficRouting");
	const char *service = node_str_at(routing, "native.service");
	const struct member *m;

	if (!routing)
		return 0;
	node_members(m, routing) if (strcmp(m->key, "native") != 0 &&
				     strcmp(m->key, "maxTrafficWeight") !=
					     0) return err_set(err, ERR_INVALID,
							       "spec.strategy.canary.trafficRouting.%s: is not "
							       "supported; weights of a Service's connections "
							       "are set with trafficRouting.native.service",
							       m->key);
	if (!service)
		return invalid(err, "spec.strategy.canary.trafficRouting.native.service", "is required");
	if (str_eq(service, node_str_at(r->canary, "stableService")) ||
	    str_eq(service, node_str_at(r->canary, "canaryService")))
		return invalid(err, "spec.strategy.canary.trafficRouting.native.service",
			       "must select the pods of all versions, so it cannot be stableService or canaryService");
	return check_service(r, "spec.strategy.canary.trafficRouting.native.service", service, err);
}

static int check_canary(const struct rollout *r, struct err *err)
{
	const char *stable = node_str_at(r->canary, "stableService"), *canary = node_str_at(r->canary, "canaryService");
	const struct node *step;

	if (stable && str_eq(stable, canary))
		return invalid(err, "spec.strategy.canary", "stableService and canaryService must be different");
	TRY(check_service(r, "spec.strategy.canary.stableService", stable, err));
	TRY(check_service(r, "spec.strategy.canary.canaryService", canary, err));
	TRY(check_routing(r, err));
	for (size_t i = 0; (step = node_item(r->steps, i)); i++) {
		char field[64];

		snprintf(field, sizeof field, "spec.strategy.canary.steps[%zu]", i);
		TRY(check_step(r, step, field, err));
	}
	return 0;
}

static int check_blue_green(const struct rollout *r, struct err *err)
{
	const char *active = node_str_at(r->blue_green, "activeService"),
		   *preview = node_str_at(r->blue_green, "previewService");

	if (!active)
		return invalid(err, "spec.strategy.blueGreen.activeService", "is required");
	if (str_eq(active, preview))
		return invalid(err, "spec.strategy.blueGreen", "activeService and previewService must be different");
	TRY(check_service(r, "spec.strategy.blueGreen.activeService", active, err));
	return check_service(r, "spec.strategy.blueGreen.previewService", preview, err);
}

int rollout_validate(const struct rollout *r, struct err *err)
{
	int64_t ready = node_int_at(r->spec, "minReadySeconds", 0),
		deadline = node_int_at(r->spec, "progressDeadlineSeconds", 600);

	if (node_get(r->spec, "workloadRef"))
		return invalid(err, "spec.workloadRef", "is not supported: put the pod template into spec.template");
	if (!node_get(r->spec, "template"))
		return invalid(err, "spec.template", "is required");
	TRY(check_selector(r, err));
	if (!r->canary == !r->blue_green)
		return invalid(err, "spec.strategy", "must be one of canary and blueGreen");
	if (ready < 0 || deadline <= ready)
		return invalid(err, "spec.progressDeadlineSeconds", "must be greater than minReadySeconds");
	return r->canary ? check_canary(r, err) : check_blue_green(r, err);
}
