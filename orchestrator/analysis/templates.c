#include "orchestrator/analysis/analysis.h"

#define MAX_DEPTH 8     /* of templates that name templates */

struct merge { struct client *client; const char *ns; struct doc *d; struct node *spec; };

static struct node *named(const struct node *list, const char *name)
{
	struct node *it;

	node_each(it, list)
		if (str_eq(node_str_at(it, "name"), name))
			return it;
	return NULL;
}

static int add_metrics(struct merge *m, const struct node *metrics, struct err *err)
{
	struct node *all = node_seq_at(m->d, m->spec, "metrics");
	const struct node *it;

	for (size_t i = 0; (it = node_item(metrics, i)); i++) {
		const char *name = node_str_or(it, "name", "");

		if (named(all, name))
			return err_set(err, ERR_INVALID, "two metrics are named \"%s\"", name);
		node_add(m->d, all, node_copy(m->d, it));
	}
	return 0;
}

/* A value may be set once: two templates that set different ones contradict each other. */
static int add_args(struct merge *m, const struct node *args, struct err *err)
{
	struct node *all = node_seq_at(m->d, m->spec, "args");
	const struct node *it;

	for (size_t i = 0; (it = node_item(args, i)); i++) {
		const char *name = node_str_or(it, "name", "");
		struct node *have = named(all, name);
		const struct node *value = node_get(it, "value");

		if (!have)
			node_add(m->d, all, node_copy(m->d, it));
		else if (value && !node_get(have, "value"))
			node_set(m->d, have, "value", node_copy(m->d, value));
		else if (value && !node_eq(value, node_get(have, "value")))
			return err_set(err, ERR_INVALID, "argument \"%s\" has different values in two templates", name);
	}
	return 0;
}

static void add_all(struct merge *m, const char *field, const struct node *list)
{
	const struct node *it;

	for (size_t i = 0; (it = node_item(list, i)); i++)
		node_add(m->d, node_seq_at(m->d, m->spec, field), node_copy(m->d, it));
}

static int add_templates(struct merge *m, const struct node *refs, int depth, struct err *err);

static int add_template(struct merge *m, const struct node *ref, int depth, struct err *err)
{
	const char *name = node_str_or(ref, "templateName", "");
	bool cluster = node_bool_at(ref, "clusterScope", false);
	const struct kind *k = kinds_find(m->client->kinds, "argoproj.io/v1alpha1",
					  cluster ? "ClusterAnalysisTemplate" : "AnalysisTemplate");
	AUTO_OBJECT template = NULL;
	const struct node *spec;

	if (depth > MAX_DEPTH)
		return err_set(err, ERR_INVALID,
			       "analysis template \"%s\": templates name each other more than %d deep", name,
			       MAX_DEPTH);
	if (!k)
		return err_set(err, ERR_INVALID, "the server has no analysis templates");
	TRY(client_get(m->client, k, cluster ? NULL : m->ns, name, &template, err));
	spec = node_get(template->root, "spec");
	TRY(err_wrap(err, add_metrics(m, node_get(spec, "metrics"), err), "analysis template \"%s\"", name));
	TRY(err_wrap(err, add_args(m, node_get(spec, "args"), err), "analysis template \"%s\"", name));
	add_all(m, "dryRun", node_get(spec, "dryRun"));
	add_all(m, "measurementRetention", node_get(spec, "measurementRetention"));
	return add_templates(m, node_get(spec, "templates"), depth + 1, err);
}

static int add_templates(struct merge *m, const struct node *refs, int depth, struct err *err)
{
	const struct node *it;

	for (size_t i = 0; (it = node_item(refs, i)); i++)
		TRY(add_template(m, it, depth, err));
	return 0;
}

static int fill_args(struct merge *m, const struct node *given, struct err *err)
{
	struct node *it, *all = node_get(m->spec, "args");

	for (size_t i = 0; (it = node_item(all, i)); i++) {
		const char *name = node_str_or(it, "name", "");
		const struct node *value = node_get(named(given, name), "value");

		if (value) {
			node_set(m->d, it, "value", node_copy(m->d, value));
			(void)node_del(it, "valueFrom");
		}
		if (!node_get(it, "value") && !node_get(it, "valueFrom"))
			return err_set(err, ERR_INVALID, "argument \"%s\" has no value", name);
	}
	return 0;
}

int analysis_merge(struct client *c, const char *ns, const struct node *refs, const struct node *args, struct doc *d,
		   struct node *spec, struct err *err)
{
	struct merge m = { c, ns, d, spec };

	TRY(add_templates(&m, refs, 0, err));
	if (!node_n(node_get(spec, "metrics")))
		return err_set(err, ERR_INVALID, "the analysis has no metrics");
	return fill_args(&m, args, err);
}
