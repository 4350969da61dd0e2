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

/* A Service that was made together with the Rollout may not be in our copy yet. */
static int find_service(const struct rollout *r, const char *name, const struct object **out, struct err *err)
{
	struct informer *services = controller_informer(r->c, ROLLOUT_SERVICES);
	AUTO_OBJECT there = NULL;

	*out = informer_get(services, r->object->ns, name);
	if (*out)
		return 0;
	TRY(client_get(controller_client(r->c), informer_kind(services), r->object->ns, name, &there, err));
	TRY(informer_wait_seen(services, there->revision, err));
	*out = informer_get(services, r->object->ns, name);
	return *out ? 0 : -ERR_NOT_FOUND;
}

static int check_service(const struct rollout *r, const char *field, const char *name, struct err *err)
{
	const struct object *s = NULL;
	const char *owner;
	int result = name ? find_service(r, name, &s, err) : 0;

	if (result == -ERR_NOT_FOUND) {
		err_free(err);
		return err_set(err, ERR_INVALID, "%s: service \"%s\" not found", field, name);
	}
	owner = s ? meta_annotation(s->root, ROLLOUT_MANAGED) : NULL;
	if (owner && strcmp(owner, r->object->name) != 0)
		return err_set(err, ERR_INVALID, "%s: service \"%s\" is already managed by rollout \"%s\"", field, name,
			       owner);
	return result;
}

/* Fields of Argo Rollouts that this program does not act on are refused, never ignored. */
struct unsupported { const char *field, *why; };

static int check_unsupported(const struct node *in, const char *path, const struct unsupported *rows, size_t n,
			     struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (node_get(in, rows[i].field))
			return err_set(err, ERR_INVALID, "%s.%s: is not supported%s%s", path, rows[i].field,
				       rows[i].why ? ": " : "", rows[i].why ? rows[i].why : "");
	return 0;
}

static int check_counts(const struct node *in, const char *path, const char *const *fields, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (node_int_at(in, fields[i], 0) < 0)
			return err_set(err, ERR_INVALID, "%s.%s: must not be negative", path, fields[i]);
	return 0;
}

/* Ephemeral metadata comes and goes; what the template has of its own stays. */
static int check_metadata(const struct rollout *r, const struct node *strategy, const char *field, struct err *err)
{
	static const char *const groups[] = { "labels", "annotations" };
	struct member *m;

	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		node_members(m, node_get(node_get(strategy, field), groups[i])) {
			const struct node *own = node_get(node_at(r->spec, "template.metadata"), groups[i]);

			if (node_get(own, m->key) || !strcmp(m->key, ROLLOUT_HASH) || !strcmp(m->key, ROLLOUT_EPHEMERAL))
				return err_set(err, ERR_INVALID,
					       "spec.strategy.%s.%s.%s: '%s' is in the pod template already",
					       r->canary ? "canary" : "blueGreen", field, groups[i], m->key);
		}
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

static int check_scale(const struct rollout *r, const struct node *scale, const char *field, struct err *err)
{
	int64_t replicas = node_int_at(scale, "replicas", 0), weight = node_int_at(scale, "weight", 0);
	bool match = node_bool_at(scale, "matchTrafficWeight", false);

	if (!scale)
		return 0;
	if (!node_get(r->canary, "trafficRouting"))
		return invalid(err, field, "setCanaryScale needs trafficRouting");
	if (!!node_get(scale, "replicas") + !!node_get(scale, "weight") + match != 1)
		return invalid(err, field, "setCanaryScale must have exactly one of replicas, weight and matchTrafficWeight");
	if (replicas < 0 || weight < 0 || weight > 100)
		return invalid(err, field, "setCanaryScale must have replicas from 0, or a weight from 0 to 100");
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
	if (node_get(step, "replicaProgressThreshold"))
		return invalid(err, field, "replicaProgressThreshold is a field of spec.strategy.canary");
	TRY(check_scale(r, node_get(step, "setCanaryScale"), field, err));
	return check_pause(node_get(step, "pause"), field, err);
}

static bool weight_in(const struct node *in, const char *field, int64_t least, int64_t most)
{
	int64_t weight;

	return !node_get(in, field) || (node_to_i64(node_get(in, field), &weight) && weight >= least && weight <= most);
}

static int check_threshold(const struct rollout *r, struct err *err)
{
	const struct node *threshold = node_get(r->canary, "replicaProgressThreshold");
	const char *type = node_str_or(threshold, "type", "");
	bool percent = !strcmp(type, "Percent");

	if (!threshold)
		return 0;
	if (!percent && strcmp(type, "Pod") != 0)
		return invalid(err, "spec.strategy.canary.replicaProgressThreshold.type", "must be Percent or Pod");
	if (!node_get(threshold, "value") || !weight_in(threshold, "value", 1, percent ? 100 : INT32_MAX))
		return invalid(err, "spec.strategy.canary.replicaProgressThreshold.value",
			       percent ? "must be between 1 and 100" : "must be 1 or more");
	return 0;
}

/* What belongs to weights, and what belongs to pods that are the weight. */
static int check_scaling(const struct rollout *r, struct err *err)
{
	static const char *const routed[] = { "dynamicStableScale", "scaleDownDelaySeconds", "scaleDownDelayRevisionLimit",
		"abortScaleDownDelaySeconds", "minPodsPerReplicaSet" };

	for (size_t i = 0; i < sizeof routed / sizeof *routed && !node_get(r->canary, "trafficRouting"); i++)
		if (node_get(r->canary, routed[i]))
			return err_set(err, ERR_INVALID, "spec.strategy.canary.%s: needs trafficRouting", routed[i]);
	if (node_bool_at(r->canary, "dynamicStableScale", false) && node_get(r->canary, "scaleDownDelaySeconds"))
		return invalid(err, "spec.strategy.canary.dynamicStableScale",
			       "scales the stable version with its traffic, so scaleDownDelaySeconds cannot be set");
	return 0;
}

static int check_routing(const struct rollout *r, struct err *err)
{
	const struct node *routing = node_get(r->canary, "trafficRouting");
	const char *service = node_str_at(routing, "native.service");
	const struct member *m;

	if (!routing)
		return 0;
	node_members(m, routing) {
		if (strcmp(m->key, "native") != 0 && strcmp(m->key, "maxTrafficWeight") != 0)
			return err_set(err, ERR_INVALID,
				       "spec.strategy.canary.trafficRouting.%s: is not supported; weights of a "
				       "Service's connections are set with trafficRouting.native.service", m->key);
	}
	node_members(m, node_get(routing, "native")) {
		if (strcmp(m->key, "service") != 0)
			return err_set(err, ERR_INVALID,
				       "spec.strategy.canary.trafficRouting.native.%s: is not known", m->key);
	}
	if (!weight_in(routing, "maxTrafficWeight", 1, INT32_MAX))
		return invalid(err, "spec.strategy.canary.trafficRouting.maxTrafficWeight", "must be a whole number from 1");
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
	static const struct unsupported unsupported[] = {
		{ "antiAffinity", "put podAntiAffinity into the pod template" },
		{ "pingPong", "stableService and canaryService are pointed at the versions" },
	};
	static const char *const counts[] = { "scaleDownDelaySeconds", "scaleDownDelayRevisionLimit", "abortScaleDownDelaySeconds",
		"minPodsPerReplicaSet", "analysis.startingStep" };
	const char *stable = node_str_at(r->canary, "stableService"), *canary = node_str_at(r->canary, "canaryService");
	const struct node *step;

	TRY(check_unsupported(r->canary, "spec.strategy.canary", unsupported, sizeof unsupported / sizeof *unsupported, err));
	TRY(check_counts(r->canary, "spec.strategy.canary", counts, sizeof counts / sizeof *counts, err));
	TRY(check_metadata(r, r->canary, "canaryMetadata", err));
	TRY(check_metadata(r, r->canary, "stableMetadata", err));
	TRY(check_scaling(r, err));
	TRY(check_threshold(r, err));
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
	static const struct unsupported unsupported[] = { { "antiAffinity", "put podAntiAffinity into the pod template" } };
	static const char *const counts[] = { "previewReplicaCount", "autoPromotionSeconds", "scaleDownDelaySeconds",
		"scaleDownDelayRevisionLimit", "abortScaleDownDelaySeconds" };
	const char *active = node_str_at(r->blue_green, "activeService"),
		   *preview = node_str_at(r->blue_green, "previewService");

	TRY(check_unsupported(r->blue_green, "spec.strategy.blueGreen", unsupported, 1, err));
	TRY(check_counts(r->blue_green, "spec.strategy.blueGreen", counts, sizeof counts / sizeof *counts, err));
	TRY(check_metadata(r, r->blue_green, "previewMetadata", err));
	TRY(check_metadata(r, r->blue_green, "activeMetadata", err));
	if (!active)
		return invalid(err, "spec.strategy.blueGreen.activeService", "is required");
	if (str_eq(active, preview))
		return invalid(err, "spec.strategy.blueGreen", "activeService and previewService must be different");
	TRY(check_service(r, "spec.strategy.blueGreen.activeService", active, err));
	return check_service(r, "spec.strategy.blueGreen.previewService", preview, err);
}

int rollout_validate(const struct rollout *r, struct err *err)
{
	static const char *const counts[] = { "replicas", "revisionHistoryLimit", "rollbackWindow.revisions",
		"analysis.successfulRunHistoryLimit", "analysis.unsuccessfulRunHistoryLimit" };
	int64_t ready = node_int_at(r->spec, "minReadySeconds", 0),
		deadline = node_int_at(r->spec, "progressDeadlineSeconds", 600);

	if (!node_get(r->spec, "template"))
		return invalid(err, "spec.template", "is required");
	TRY(check_selector(r, err));
	TRY(check_counts(r->spec, "spec", counts, sizeof counts / sizeof *counts, err));
	if (!r->canary == !r->blue_green)
		return invalid(err, "spec.strategy", "must be one of canary and blueGreen");
	if (ready < 0 || deadline <= ready)
		return invalid(err, "spec.progressDeadlineSeconds", "must be greater than minReadySeconds");
	TRY(r->canary ? check_canary(r, err) : check_blue_green(r, err));
	return rollout_validate_analyses(r, err);
}
