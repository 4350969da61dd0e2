#include "orchestrator/analysis/analysis.h"

#include "orchestrator/analysis/args.h"
#include "orchestrator/analysis/provider.h"
#include "orchestrator/analysis/rules.h"

/* What is wrong with a run, before anything is measured. */

#define UNKNOWN_VALUE "1"       /* for a Secret that is read later: right where a text and where a number is wanted */

static bool is_named_before(const struct node *metrics, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (str_eq(node_str_at(node_item(metrics, i), "name"), node_str_at(node_item(metrics, at), "name")))
			return true;
	return false;
}

int analysis_check_metrics(const struct node *spec, const struct node *metrics, bool must_end, struct err *err)
{
	const struct node *it;

	if (!node_n(metrics))
		return err_set(err, ERR_INVALID, "the analysis has no metrics");
	for (size_t i = 0; (it = node_item(metrics, i)); i++) {
		if (is_named_before(metrics, i))
			return err_set(err, ERR_INVALID, "two metrics are named \"%s\"", node_str_or(it, "name", ""));
		TRY(metric_check(it, err));
		TRY(provider_check(it, err));
		if (must_end && metric_is_endless(it))
			return err_set(err, ERR_INVALID, "metric \"%s\": has an interval and no count, so it never ends; a step waits "
				       "for its end, only an analysis in the background may go on",
				       node_str_or(it, "name", ""));
	}
	TRY(rules_check(spec, "dryRun", metrics, err));
	return rules_check(spec, "measurementRetention", metrics, err);
}

int analysis_check(const struct node *spec, bool must_end, struct err *err)
{
	AUTO_DOC d = doc_new();
	struct node *values = node_map(d), *metrics = node_copy(d, node_get(spec, "metrics"));
	const struct node *it, *args = node_get(spec, "args");

	for (size_t i = 0; (it = node_item(args, i)); i++) {
		const struct node *value = node_get(it, "value");

		node_set(d, values, node_str_or(it, "name", ""), value ? node_strn(d, node_sv(value)) : node_str(d, UNKNOWN_VALUE));
	}
	TRY(args_fill(d, metrics, values, err));
	return analysis_check_metrics(spec, metrics, must_end, err);
}
