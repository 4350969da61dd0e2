#include "orchestrator/api/rbac-internal.h"
#include "orchestrator/api/auth-internal.h"

#include <stdlib.h>
#include <string.h>

static const char rbac[] = "rbac.authorization.k8s.io/v1";

static struct resource *resource_named(struct api *a, const char *kind)
{
	const struct kind *k = kinds_find(a->kinds, rbac, kind);

	return k ? cache_resource(&a->cache, k) : NULL;
}

/* ---- rules ---- */

static bool has(const struct node *list, const char *want)
{
	const struct node *it;

	node_each(it, list)
		if (str_eq(node_text(it), want) || str_eq(node_text(it), "*"))
			return true;
	return false;
}

/* "pods", "pods/log", "*", and "*" "/scale". */
static bool has_resource(const struct node *list, const struct action *what)
{
	AUTO(str) both = { 0 }, any = { 0 };
	const struct node *it;

	str_addf(&both, "%s%s%s", what->resource, *what->subresource ? "/" : "", what->subresource);
	str_addf(&any, "*/%s", what->subresource);
	node_each(it, list) {
		const char *text = node_text(it);

		if (str_eq(text, "*") || str_eq(text, str_c(&both)) ||
		    (*what->subresource && str_eq(text, str_c(&any))))
			return true;
	}
	return false;
}

static bool has_path(const struct node *list, const char *path)
{
	const struct node *it;

	node_each(it, list) {
		const char *text = node_text(it);
		size_t n = text ? strlen(text) : 0;

		if (n && text[n - 1] == '*' ? !strncmp(text, path, n - 1) : str_eq(text, path))
			return true;
	}
	return false;
}

static bool rule_allows(const struct node *rule, const struct action *what)
{
	const struct node *names = node_get(rule, "resourceNames");

	if (!has(node_get(rule, "verbs"), what->verb))
		return false;
	if (!*what->resource)
		return has_path(node_get(rule, "nonResourceURLs"), what->path);
	if (!has(node_get(rule, "apiGroups"), what->group) || !has_resource(node_get(rule, "resources"), what))
		return false;
	return !node_n(names) || (*what->name && has(names, what->name));
}

/* ---- roles ---- */

typedef bool rule_fn(void *arg, const struct node *rule);       /* false: enough */

static bool each_of_role(struct api *a, struct item *role, rule_fn *fn, void *arg, int depth);

/* The rules of every ClusterRole that one of the selectors takes in. */
static bool each_aggregated(struct api *a, const struct node *selectors, rule_fn *fn, void *arg, int depth)
{
	struct resource *roles = resource_named(a, "ClusterRole");
	const struct node *it;
	bool more = true;

	node_each(it, selectors) {
		struct selector *s = NULL;

		if (selector_of(it, &s, NULL) < 0)
			continue;
		for (size_t i = 0; roles && i < roles->items.n && more; i++) {
			struct object *o = item_object(roles->items.v[i]);

			if (o && selector_matches(s, node_at(o->root, "metadata.labels")))
				more = each_of_role(a, roles->items.v[i], fn, arg, depth + 1);
		}
		selector_free(&s);
	}
	return more;
}

static bool each_of_role(struct api *a, struct item *role, rule_fn *fn, void *arg, int depth)
{
	struct object *o = role ? item_object(role) : NULL;
	const struct node *it;

	if (!o || depth > 4)            /* roles that take in one another */
		return true;
	node_each(it, node_get(o->root, "rules"))
		if (!fn(arg, it))
			return false;
	return each_aggregated(a, node_at(o->root, "aggregationRule.clusterRoleSelectors"), fn, arg, depth);
}

/* ---- bindings ---- */

static bool subject_is(const struct node *subject, const struct caller *c, const char *ns)
{
	const char *kind = node_str_or(subject, "kind", ""), *name = node_str_or(subject, "name", "");

	if (!strcmp(kind, "User"))
		return !strcmp(name, c->user);
	if (!strcmp(kind, "Group"))
		return caller_in(c, name);
	if (strcmp(kind, "ServiceAccount"))
		return false;
	char *user = str_fmt("system:serviceaccount:%s:%s", node_str_or(subject, "namespace", ns), name);
	bool is = !strcmp(user, c->user);
	free(user);
	return is;
}

static bool binds(const struct object *binding, const struct caller *c)
{
	const struct node *it;

	node_each(it, node_get(binding->root, "subjects"))
		if (subject_is(it, c, binding->ns))
			return true;
	return false;
}

static struct item *role_of(struct api *a, const struct node *ref, const char *ns)
{
	const char *kind = node_str_or(ref, "kind", "ClusterRole");
	struct resource *roles = resource_named(a, strcmp(kind, "Role") ? "ClusterRole" : "Role");

	return roles ? resource_find(roles, strcmp(kind, "Role") ? "" : ns, node_str_or(ref, "name", "")) : NULL;
}

struct search { const struct action *what; bool found; };

static bool look(void *arg, const struct node *rule)
{
	struct search *s = arg;

	s->found = rule_allows(rule, s->what);
	return !s->found;
}

/* Every rule of the bindings of one kind that name the caller; ns NULL: cluster wide ones. */
static bool each_bound(struct api *a, const struct caller *c, const char *ns, rule_fn *fn, void *arg, struct str *why)
{
	struct resource *bindings = resource_named(a, ns ? "RoleBinding" : "ClusterRoleBinding");

	for (size_t i = bindings ? resource_seek(bindings, ns ? ns : "", "") : 0; bindings && i < bindings->items.n;
	     i++) {
		struct object *o = item_object(bindings->items.v[i]);

		if (ns && strcmp(bindings->items.v[i]->ns, ns))
			break;
		if (!o || !binds(o, c) || each_of_role(a, role_of(a, node_get(o->root, "roleRef"), o->ns), fn, arg, 0))
			continue;
		if (why)
			str_addf(why, "RBAC: allowed by %s \"%s%s%s\" of %s \"%s\" to the caller", o->kind->kind,
				 o->name, *o->ns ? "/" : "", o->ns, node_str_or(o->root, "roleRef.kind", ""),
				 node_str_or(o->root, "roleRef.name", ""));
		return false;
	}
	return true;
}

bool rbac_allows(struct api *a, const struct caller *c, const struct action *what, struct str *why)
{
	struct search s = { what, false };

	if (caller_in(c, "system:masters"))
		return true;
	if (each_bound(a, c, NULL, look, &s, why) && *what->ns)
		(void)each_bound(a, c, what->ns, look, &s, why);
	return s.found;
}

struct all_rules { void (*fn)(void *, const struct node *); void *arg; };

static bool hand_on(void *arg, const struct node *rule)
{
	struct all_rules *all = arg;

	all->fn(all->arg, rule);
	return true;
}

void rbac_each_rule(struct api *a, const struct caller *c, const char *ns, void (*fn)(void *, const struct node *),
		    void *arg)
{
	struct all_rules all = { fn, arg };

	(void)each_bound(a, c, NULL, hand_on, &all, NULL);
	if (*ns)
		(void)each_bound(a, c, ns, hand_on, &all, NULL);
}

/* ---- nobody grants more than they have ---- */



static bool holds_names(struct api *a, const struct caller *c, const struct node *names, struct action what)
{
	const struct node *it;

	if (!node_n(names))
		return rbac_allows(a, c, &what, NULL);
	node_each(it, names) {
		what.name = node_text(it) ? node_text(it) : "";
		if (!rbac_allows(a, c, &what, NULL))
			return false;
	}
	return true;
}

static bool holds_resources(struct api *a, const struct caller *c, const struct node *rule, struct action what)
{
	const struct node *it;

	node_each(it, node_get(rule, "resources")) {
		struct sv resource, sub;

		if (!sv_cut(sv_c(node_text(it)), '/', &resource, &sub))
			sub = SV("");
		char *r = sv_dup(resource), *s = sv_dup(sub);
		what.resource = r;
		what.subresource = s;
		bool held = holds_names(a, c, node_get(rule, "resourceNames"), what);
		free(r);
		free(s);
		if (!held)
			return false;
	}
	return true;
}

static bool holds_groups(struct api *a, const struct caller *c, const struct node *rule, struct action what)
{
	const struct node *it;

	node_each(it, node_get(rule, "apiGroups")) {
		what.group = node_text(it) ? node_text(it) : "";
		if (!holds_resources(a, c, rule, what))
			return false;
	}
	return true;
}

static bool holds_paths(struct api *a, const struct caller *c, const struct node *rule, struct action what)
{
	const struct node *it;

	node_each(it, node_get(rule, "nonResourceURLs")) {
		what.path = node_text(it) ? node_text(it) : "";
		if (!rbac_allows(a, c, &what, NULL))
			return false;
	}
	return true;
}

bool rbac_holds(struct api *a, const struct caller *c, const struct node *rule, const char *ns)
{
	const struct node *it;

	node_each(it, node_get(rule, "verbs")) {
		struct action what = { node_text(it) ? node_text(it) : "", "", "", "", "", ns, "" };

		if (!holds_paths(a, c, rule, what) || !holds_groups(a, c, rule, what))
			return false;
	}
	return true;
}

static int check_rule(const struct request *rq, const struct node *rule, const char *name, struct err *err)
{
	char resource[192];

	if (rbac_holds(rq->api, rq->caller, rule, rq->ns))
		return 0;
	return err_set(err, ERR_FORBIDDEN,
		       "%s \"%s\" is forbidden: user \"%s\" is attempting to grant RBAC permissions not currently held",
		       kind_resource(rq->kind, resource), name, rq->caller->user);
}

static bool may(const struct request *rq, const char *verb, const char *resource, const char *name)
{
	struct action what = { verb, "rbac.authorization.k8s.io", resource, "", name, rq->ns, "" };

	return rbac_allows(rq->api, rq->caller, &what, NULL);
}

int role_prepare(const struct request *rq, struct doc *d, struct node *root, const struct node *before, struct err *err)
{
	const char *name = node_str_or(root, "metadata.name", "");
	const struct node *it;

	(void)d;
	if (node_eq(node_get(root, "rules"), node_get(before, "rules")) || may(rq, "escalate", rq->kind->plural, name))
		return 0;
	node_each(it, node_get(root, "rules"))
		TRY(check_rule(rq, it, name, err));
	return 0;
}

struct grant { const struct request *rq; const char *name; struct err *err; int result; };

static bool check_granted(void *arg, const struct node *rule)
{
	struct grant *g = arg;

	g->result = check_rule(g->rq, rule, g->name, g->err);
	return g->result >= 0;
}

int binding_prepare(const struct request *rq, struct doc *d, struct node *root, const struct node *before,
		    struct err *err)
{
	struct grant g = { rq, node_str_or(root, "metadata.name", ""), err, 0 };
	const struct node *ref = node_get(root, "roleRef");
	struct node *it;

	node_each(it, node_get(root, "subjects")) if (node_is(it, NODE_MAP) && !node_get(it, "apiGroup") &&
						      !str_eq(node_str_at(it, "kind"), "ServiceAccount"))
		node_set(d, it, "apiGroup", node_str(d, "rbac.authorization.k8s.io"));
	if (before && !node_eq(ref, node_get(before, "roleRef")))
		return invalid_field(rq, g.name, "roleRef", err, "Invalid value: \"%s\": cannot change roleRef",
				     node_str_or(ref, "name", ""));
	if (may(rq, "bind", strcmp(node_str_or(ref, "kind", ""), "Role") ? "clusterroles" : "roles",
		node_str_or(ref, "name", "")))
		return 0;
	(void)each_of_role(rq->api, role_of(rq->api, ref, rq->ns), check_granted, &g, 0);
	return g.result;
}
