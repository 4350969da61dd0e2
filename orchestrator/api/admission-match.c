#include "orchestrator/api/admission-internal.h"

#include <string.h>

/* ---- rules ---- */

static bool has(const struct node *list, const char *what)
{
	const struct node *it;

	node_each(it, list)
		if (str_eq(node_text(it), "*") || str_eq(node_text(it), what))
			return true;
	return false;
}

/* "pods", "pods/status", "pods/\*", "*", "*\/status", "*\/\*" */
static bool has_resource(const struct node *list, const char *plural, const char *subresource)
{
	const struct node *it;

	node_each(it, list) {
		struct sv resource, sub;
		bool split = sv_cut(node_sv(it), '/', &resource, &sub);

		if (!sv_eq_c(resource, "*") && !sv_eq_c(resource, plural))
			continue;
		if (split ? sv_eq_c(sub, "*") || (*subresource && sv_eq_c(sub, subresource)) : !*subresource)
			return true;
	}
	return false;
}

/* policy Equivalent: another version of the same resource is meant too. */
static bool has_version(const struct admission *a, const struct node *rule, bool equivalent)
{
	const struct node *versions = node_get(rule, "apiVersions"), *it;
	const struct kind *k = a->rq->kind;

	if (has(versions, k->version))
		return true;
	node_each(it, equivalent ? versions : NULL)
		if (kinds_find_plural(a->rq->api->kinds, k->group, node_text(it) ? node_text(it) : "", k->plural))
			return true;
	return false;
}

static bool has_scope(const struct node *rule, bool namespaced)
{
	const char *scope = node_str_or(rule, "scope", "*");

	return !strcmp(scope, "*") || !strcmp(scope, namespaced ? "Namespaced" : "Cluster");
}

static bool has_name(const struct node *rule, const char *name)
{
	const struct node *names = node_get(rule, "resourceNames");

	return !node_n(names) || has(names, name);
}

bool admission_matches_rules(const struct admission *a, const struct node *rules, const char *policy)
{
	const struct kind *k = a->rq->kind;
	const struct node *it;

	node_each(it, rules)
		if (has(node_get(it, "operations"), a->operation) && has(node_get(it, "apiGroups"), k->group) &&
		    has_version(a, it, strcmp(policy, "Exact") != 0) &&
		    has_resource(node_get(it, "resources"), k->plural, a->rq->subresource) &&
		    has_scope(it, k->namespaced) && has_name(it, admission_name(a)))
			return true;
	return false;
}

/* ---- selectors ---- */

static bool selects(const struct node *selector, const struct node *labels)
{
	struct selector *s = NULL;
	bool r = true;

	if (!node_n(selector))
		return true;
	if (selector_of(selector, &s, NULL) >= 0)
		r = selector_matches(s, labels);
	selector_free(&s);
	return r;
}

static const struct node *labels_of(const struct node *root) { return node_at(root, "metadata.labels"); }

/* A Namespace is judged by its own labels; what is in no namespace always matches. */
static bool in_namespace(const struct admission *a, const struct node *selector)
{
	const struct kind *k = a->rq->kind;
	bool is_namespace = !*k->group && !strcmp(k->plural, "namespaces");

	if (is_namespace)
		return selects(selector, labels_of(a->root ? a->root : a->before));
	return !k->namespaced || selects(selector, labels_of(admission_namespace(a)));
}

bool admission_matches(const struct admission *a, const struct node *rules, const struct node *match)
{
	const struct node *objects = node_get(match, "objectSelector");

	if (!admission_matches_rules(a, rules, node_str_or(match, "matchPolicy", "Equivalent")) ||
	    !in_namespace(a, node_get(match, "namespaceSelector")))
		return false;
	return !node_n(objects) || (a->root && selects(objects, labels_of(a->root))) ||
	       (a->before && selects(objects, labels_of(a->before)));
}

/* ---- conditions ---- */

int admission_conditions(struct admission *a, const struct node *conditions, struct err *err)
{
	struct cel_value values[ADMISSION_VALUES], out;
	int64_t cost = CEL_TOTAL_COST;
	const struct node *it;
	AUTO(err) first = { 0 };

	if (!node_n(conditions))
		return 1;
	AUTO_DOC d = doc_new();
	struct cel_env env = admission_env(d, NULL);
	admission_values(a, d, values);
	node_each(it, conditions) {
		struct cel_program *p;
		AUTO(err) own = { 0 };
		int r = cel_compile(d, &env, node_str_or(it, "expression", ""), &p, &own);

		if (r >= 0)
			r = cel_run(p, d, values, &cost, &out, &own);
		if (r >= 0 && out.kind == CEL_BOOL && !out.b)
			return 0;
		if (r >= 0 && out.kind != CEL_BOOL)
			r = err_set(&own, ERR_INVALID, "expression '%s' must evaluate to bool",
				    node_str_or(it, "expression", ""));
		if (r < 0 && !first.code)
			(void)err_move(&first, &own);
	}
	return first.code ? err_move(err, &first) : 1;
}
