#include "orchestrator/analysis/analysis.h"

#define MAX_DEPTH 8     /* of templates that name templates */

struct merge {
	struct client *client;
	const char *ns;
	struct doc *d;
	struct node *spec;
	struct node *seen;      /* "name" of a template, or "/name" of the cluster: one that is named twice counts once */
};

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

static bool is_set(const struct node *arg) { return node_get(arg, "value") || node_get(arg, "valueFrom"); }

static void set_value(struct merge *m, struct node *arg, const struct node *from)
{
	const char *field = node_get(from, "value") ? "value" : "valueFrom";

	(void)node_del(arg, "value");
	(void)node_del(arg, "valueFrom");
	node_set(m->d, arg, field, node_copy(m->d, node_get(from, field)));
}

/* A value may be set once: two templates that set different ones contradict each other. */
static int add_args(struct merge *m, const struct node *args, struct err *err)
{
	struct node *all = node_seq_at(m->d, m->spec, "args");
	const struct node *it;

	for (size_t i = 0; (it = node_item(args, i)); i++) {
		const char *name = node_str_or(it, "name", "");
		struct node *have = named(all, name);

		if (!have)
			node_add(m->d, all, node_copy(m->d, it));
		else if (is_set(it) && !is_set(have))
			set_value(m, have, it);
		else if (is_set(it) && (!node_eq(node_get(it, "value"), node_get(have, "value")) ||
					!node_eq(node_get(it, "valueFrom"), node_get(have, "valueFrom"))))
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

static bool is_new(struct merge *m, bool cluster, const char *name)
{
	AUTO(str) key = { 0 };

	str_addf(&key, "%s%s", cluster ? "/" : "", name);
	if (node_get(m->seen, str_c(&key)))
		return false;
	node_set(m->d, m->seen, str_c(&key), node_bool(m->d, true));
	return true;
}

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
	if (!is_new(m, cluster, name))
		return 0;
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
		const struct node *arg = named(given, name);

		if (arg && is_set(arg))
			set_value(m, it, arg);
		if (!is_set(it))
			return err_set(err, ERR_INVALID, "argument \"%s\" has no value", name);
	}
	return 0;
}

int analysis_merge(struct client *c, const char *ns, const struct node *analysis, struct doc *d, struct node *spec,
		   struct err *err)
{
	struct merge m = { c, ns, d, spec, node_map(d) };

	add_all(&m, "dryRun", node_get(analysis, "dryRun"));    /* before those of the templates: the first rule counts */
	add_all(&m, "measurementRetention", node_get(analysis, "measurementRetention"));
	TRY(add_templates(&m, node_get(analysis, "templates"), 0, err));
	if (!node_n(node_get(spec, "metrics")))
		return err_set(err, ERR_INVALID, "the analysis has no metrics");
	return fill_args(&m, node_get(analysis, "args"), err);
}
