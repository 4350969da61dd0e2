#include "orchestrator/api/http-internal.h"
#include "orchestrator/api/rbac-internal.h"

#include <string.h>

/* ---- may somebody? ---- */

static struct action action_of(const struct node *spec)
{
	const struct node *r = node_get(spec, "resourceAttributes"), *p = node_get(spec, "nonResourceAttributes");
	const struct node *from = r ? r : p;

	return (struct action){ .verb = node_str_or(from, "verb", ""),
				.group = node_str_or(r, "group", ""),
				.resource = r ? node_str_or(r, "resource", "*") : "",
				.subresource = node_str_or(r, "subresource", ""),
				.name = node_str_or(r, "name", ""),
				.ns = node_str_or(r, "namespace", ""),
				.path = node_str_or(p, "path", "") };
}

static int check_attributes(const struct node *spec, struct err *err)
{
	if (!node_get(spec, "resourceAttributes") == !node_get(spec, "nonResourceAttributes"))
		return err_set(
			err, ERR_BAD_REQUEST,
			"exactly one of spec.nonResourceAttributes or spec.resourceAttributes must be specified");
	return 0;
}

static void put_answer(struct api *a, const struct caller *c, const struct action *what, struct doc *d,
		       struct node *root)
{
	AUTO(str) why = { 0 };
	bool allowed = rbac_allows(a, c, what, &why);

	node_put(d, root, "status.allowed", node_bool(d, allowed));
	if (why.n)
		node_put(d, root, "status.reason", node_strn(d, str_sv(&why)));
}

static int self_access(const struct request *rq, struct doc *d, struct node *root, struct err *err)
{
	const struct node *spec = node_get(root, "spec");

	TRY(check_attributes(spec, err));
	struct action what = action_of(spec);
	put_answer(rq->api, rq->caller, &what, d, root);
	return 0;
}

enum { GROUPS_MAX = 256 };

static int subject_access(const struct request *rq, struct doc *d, struct node *root, struct err *err)
{
	const struct node *spec = node_get(root, "spec"), *it;
	const char *groups[GROUPS_MAX];
	struct caller c = { node_str_or(spec, "user", ""), groups, 0 };

	TRY(check_attributes(spec, err));
	if (node_n(node_get(spec, "groups")) > GROUPS_MAX)
		return err_set(err, ERR_BAD_REQUEST, "spec.groups: more than %d", GROUPS_MAX);
	if (!*c.user && !node_n(node_get(spec, "groups")))
		return err_set(err, ERR_BAD_REQUEST, "at least one of spec.user or spec.groups must be specified");
	node_each(it, node_get(spec, "groups"))
		if (node_text(it))
			groups[c.n_groups++] = node_text(it);
	struct action what = action_of(spec);
	if (*rq->ns)
		what.ns = rq->ns;
	put_answer(rq->api, &c, &what, d, root);
	return 0;
}

/* ---- what may I? ---- */

struct rules_list { struct doc *d; struct node *resources, *paths; };

static void add_rule(void *arg, const struct node *rule)
{
	struct rules_list *l = arg;

	node_add(l->d, node_get(rule, "nonResourceURLs") ? l->paths : l->resources, node_copy(l->d, rule));
}

static int self_rules(const struct request *rq, struct doc *d, struct node *root, struct err *err)
{
	struct rules_list l = { d, node_seq(d), node_seq(d) };
	const char *ns = node_str_or(root, "spec.namespace", "");

	if (!*ns)
		return err_set(err, ERR_BAD_REQUEST, "no namespace on request");
	rbac_each_rule(rq->api, rq->caller, ns, add_rule, &l);
	node_put(d, root, "status.resourceRules", l.resources);
	node_put(d, root, "status.nonResourceRules", l.paths);
	node_put(d, root, "status.incomplete", node_bool(d, false));
	return 0;
}

/* ---- who am I? whose is this? ---- */

static struct node *user_info(struct doc *d, const struct caller *c)
{
	struct node *info = node_map(d), *groups = node_seq(d);

	node_set(d, info, "username", node_str(d, c->user));
	if (c->uid)
		node_set(d, info, "uid", node_str(d, c->uid));
	for (size_t i = 0; i < c->n_groups; i++)
		node_add(d, groups, node_str(d, c->groups[i]));
	node_set(d, info, "groups", groups);
	if (c->extra)
		node_set(d, info, "extra", node_copy(d, c->extra));
	return info;
}

static int self_subject(const struct request *rq, struct doc *d, struct node *root, struct err *err)
{
	(void)err;
	node_put(d, root, "status.userInfo", user_info(d, rq->caller));
	return 0;
}

static int token_owner(const struct request *rq, struct doc *d, struct node *root, struct err *err)
{
	AUTO(login) who = { 0 };
	AUTO(err) why = { 0 };
	const struct node *audiences = node_at(root, "spec.audiences");
	struct token_for what = { node_n(audiences) ? audiences : NULL, d, NULL };
	const char *token = node_str_or(root, "spec.token", "");

	if (!*token)
		return err_set(err, ERR_BAD_REQUEST, "token is required for TokenReview in authentication");
	(void)node_del(root, "status");
	if (token_login(rq->api, sv_c(token), &what, &who, &why) < 0) {
		node_put(d, root, "status.authenticated", node_bool(d, false));
		node_put(d, root, "status.user", node_map(d));
		node_put(d, root, "status.error", node_str(d, err_msg(&why)));
		return 0;
	}
	node_put(d, root, "status.authenticated", node_bool(d, true));
	node_put(d, root, "status.user", user_info(d, &who.caller));
	if (!what.matched)
		node_add(d, what.matched = node_seq(d), node_str(d, rq->api->accounts.issuer));
	node_put(d, root, "status.audiences", what.matched);
	return 0;
}

/* ---- the table ---- */

#define AUTHORIZATION "authorization.k8s.io", "v1"
#define AUTHENTICATION "authentication.k8s.io", "v1"

static const struct review {
	struct kind kind;
	int (*run)(const struct request *, struct doc *, struct node *, struct err *);
} reviews[] = {
	{ { AUTHENTICATION, "SelfSubjectReview", "selfsubjectreviews", "selfsubjectreview", "", "" }, self_subject },
	{ { AUTHENTICATION, "TokenReview", "tokenreviews", "tokenreview", "", "" }, token_owner },
	{ { AUTHORIZATION, "LocalSubjectAccessReview", "localsubjectaccessreviews", "localsubjectaccessreview", "", "",
	    .namespaced = true },
	  subject_access },
	{ { AUTHORIZATION, "SelfSubjectAccessReview", "selfsubjectaccessreviews", "selfsubjectaccessreview", "", "" },
	  self_access },
	{ { AUTHORIZATION, "SelfSubjectRulesReview", "selfsubjectrulesreviews", "selfsubjectrulesreview", "", "" },
	  self_rules },
	{ { AUTHORIZATION, "SubjectAccessReview", "subjectaccessreviews", "subjectaccessreview", "", "" },
	  subject_access },
};

size_t reviews_n(void) { return sizeof reviews / sizeof *reviews; }
const struct kind *reviews_at(size_t i) { return &reviews[i].kind; }

const struct kind *review_find(const char *group, const char *version, const char *plural)
{
	for (size_t i = 0; i < reviews_n(); i++)
		if (!strcmp(reviews[i].kind.plural, plural) && !strcmp(reviews[i].kind.group, group) &&
		    !strcmp(reviews[i].kind.version, version))
			return &reviews[i].kind;
	return NULL;
}

int review_answer(const struct request *rq, struct doc *d, struct node *root, struct node **out, struct err *err)
{
	const struct review *r = (const struct review *)rq->kind;       /* the row that review_find() gave */

	TRY(canonical_object(rq, d, root, out, err));
	return r->run(rq, d, *out, err);
}
