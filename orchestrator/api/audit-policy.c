#include "orchestrator/api/audit-internal.h"

#include "base/yaml.h"

#include <stdlib.h>

struct audit_policy { struct doc *d; unsigned omitted; };

static const char *const levels[] = { "None", "Metadata", "Request", "RequestResponse" };
static const struct { const char *name; enum audit_stage stage; } stages[] = {
	{ "RequestReceived", STAGE_RECEIVED }, { "ResponseStarted", STAGE_STARTED }, { "ResponseComplete", STAGE_COMPLETE },
	{ "Panic", 0 },
};

const char *audit_level_name(enum audit_level l) { return levels[l]; }

/* ---- reading ---- */

static int level_of(const char *name)
{
	for (int i = 0; i < 4; i++)
		if (str_eq(name, levels[i]))
			return i;
	return -1;
}

static int read_stages(const struct node *list, unsigned *out, struct err *err)
{
	const struct node *it;

	node_each(it, list) {
		size_t i = 0;

		while (i < 4 && !str_eq(node_text(it), stages[i].name))
			i++;
		if (i == 4)
			return err_set(err, ERR_INVALID, "audit policy, line %u: stage \"%s\": want RequestReceived, ResponseStarted, "
				       "ResponseComplete or Panic", it->line, node_text(it) ? node_text(it) : "");
		*out |= stages[i].stage;
	}
	return 0;
}

static int check_rule(const struct node *rule, struct err *err)
{
	static const char *const known[] = { "level", "users", "userGroups", "verbs", "resources", "namespaces", "nonResourceURLs",
					     "omitStages", "omitManagedFields" };
	const struct member *m;
	unsigned omitted = 0;

	node_members(m, rule) {
		size_t i = 0;

		while (i < sizeof known / sizeof *known && !str_eq(m->key, known[i]))
			i++;
		if (i == sizeof known / sizeof *known)
			return err_set(err, ERR_INVALID, "audit policy, line %u: unknown field \"%s\"", m->line, m->key);
	}
	if (level_of(node_str_at(rule, "level")) < 0)
		return err_set(err, ERR_INVALID, "audit policy, line %u: level \"%s\": want None, Metadata, Request or RequestResponse",
			       rule->line, node_str_or(rule, "level", ""));
	if (node_n(node_get(rule, "nonResourceURLs")) && (node_n(node_get(rule, "resources")) || node_n(node_get(rule, "namespaces"))))
		return err_set(err, ERR_INVALID, "audit policy, line %u: a rule is about resources or about nonResourceURLs", rule->line);
	return read_stages(node_get(rule, "omitStages"), &omitted, err);
}

static int check(const struct node *root, unsigned *omitted, struct err *err)
{
	const struct node *it;

	if (!str_eq(node_str_at(root, "kind"), "Policy") || !str_eq(node_str_at(root, "apiVersion"), "audit.k8s.io/v1"))
		return err_set(err, ERR_INVALID, "audit policy: want kind Policy of audit.k8s.io/v1");
	if (!node_n(node_get(root, "rules")))
		return err_set(err, ERR_INVALID, "audit policy: it has no rules");
	TRY(read_stages(node_get(root, "omitStages"), omitted, err));
	node_each(it, node_get(root, "rules"))
		TRY(check_rule(it, err));
	return 0;
}

struct audit_policy *audit_policy_read(const char *text, struct err *err)
{
	struct audit_policy *p = calloc(1, sizeof *p);

	if (!p)
		abort();
	if (yaml_read(sv_c(text), "audit policy", 0, &p->d, err) < 0 || check(doc_root(p->d), &p->omitted, err) < 0)
		audit_policy_free(&p);
	return p;
}

struct audit_policy *audit_policy_default(void)
{
	return audit_policy_read("{apiVersion: audit.k8s.io/v1, kind: Policy, omitStages: [RequestReceived], rules: [{level: Metadata}]}",
				 NULL);
}

void audit_policy_free(struct audit_policy **pp)
{
	struct audit_policy *p = TAKE(*pp);

	if (p)
		doc_drop(&p->d);
	free(p);
}

/* ---- choosing: the first rule that fits ---- */

static bool has(const struct node *list, const char *want)
{
	const struct node *it;

	node_each(it, list)
		if (str_eq(node_text(it), want))
			return true;
	return false;
}

/* A list that is not there says nothing. */
static bool fits(const struct node *list, const char *want) { return !node_n(list) || has(list, want); }

static bool fits_groups(const struct node *list, const struct caller *c)
{
	for (size_t i = 0; i < c->n_groups; i++)
		if (has(list, c->groups[i]))
			return true;
	return !node_n(list);
}

/* "pods", "pods/log", "pods" and "*" alone for the object itself and all below "*", "*" "/scale". */
static bool is_resource(const char *text, const struct action *what)
{
	struct sv resource, sub;

	if (str_eq(text, "*"))
		return true;
	if (!sv_cut(sv_c(text), '/', &resource, &sub))
		return sv_eq_c(resource, what->resource) && !*what->subresource;
	return (sv_eq_c(resource, "*") || sv_eq_c(resource, what->resource)) && *what->subresource &&
	       (sv_eq_c(sub, "*") || sv_eq_c(sub, what->subresource));
}

static bool fits_resource(const struct node *row, const struct action *what)
{
	const struct node *list = node_get(row, "resources"), *it;

	if (!str_eq(node_str_or(row, "group", ""), what->group) || !fits(node_get(row, "resourceNames"), what->name))
		return false;
	node_each(it, list)
		if (node_text(it) && is_resource(node_text(it), what))
			return true;
	return !node_n(list);
}

static bool fits_object(const struct node *rule, const struct action *what)
{
	const struct node *rows = node_get(rule, "resources"), *it;

	if (node_n(node_get(rule, "nonResourceURLs")) || !fits(node_get(rule, "namespaces"), what->ns))
		return false;
	node_each(it, rows)
		if (fits_resource(it, what))
			return true;
	return !node_n(rows);
}

static bool fits_path(const struct node *rule, const char *path)
{
	const struct node *list = node_get(rule, "nonResourceURLs"), *it;

	node_each(it, list) {
		struct sv want = sv_c(node_text(it));
		bool prefix = sv_ends(want, SV("*"));

		want.n -= prefix;
		if (prefix ? sv_starts(sv_c(path), want) : sv_eq_c(want, path))
			return true;
	}
	return !node_n(list) && !node_n(node_get(rule, "resources")) && !node_n(node_get(rule, "namespaces"));
}

struct audit_choice audit_choose(const struct audit_policy *p, const struct caller *c, const struct action *what)
{
	struct audit_choice out = { AUDIT_NONE, p->omitted };
	const struct node *it;

	node_each(it, node_get(doc_root(p->d), "rules")) {
		if (!fits(node_get(it, "users"), c->user) || !fits_groups(node_get(it, "userGroups"), c) ||
		    !fits(node_get(it, "verbs"), what->verb) ||
		    !(*what->resource ? fits_object(it, what) : fits_path(it, what->path)))
			continue;
		out.level = (enum audit_level)level_of(node_str_at(it, "level"));
		(void)!read_stages(node_get(it, "omitStages"), &out.omitted, NULL);
		return out;
	}
	return out;
}
