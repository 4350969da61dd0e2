/* Rules of metadata and of label selectors. */
#include "kube/schema/check.h"
#include "kube/schema/names.h"

#include <stdio.h>

#define ANNOTATIONS_MAX (256 * 1024)

/* Kinds whose names follow another rule than a DNS subdomain. */
static const struct { const char *group, *kind; const char *(*rule)(struct sv); } name_rules[] = {
	{ "", "Namespace", name_dns_label }, { "", "Service", name_dns_1035 },
	{ "rbac.authorization.k8s.io", "Role", name_path_segment }, { "rbac.authorization.k8s.io", "ClusterRole", name_path_segment },
	{ "rbac.authorization.k8s.io", "RoleBinding", name_path_segment },
	{ "rbac.authorization.k8s.io", "ClusterRoleBinding", name_path_segment },
};

static const char *rule_of(const struct kind *k, struct sv name)
{
	for (size_t i = 0; i < sizeof name_rules / sizeof *name_rules; i++)
		if (str_eq(k->group, name_rules[i].group) && str_eq(k->kind, name_rules[i].kind))
			return name_rules[i].rule(name);
	return name_dns_subdomain(name);
}

static void object_name(struct check *c, const struct node *meta)
{
	const struct node *name = node_get(meta, "name"), *start = node_get(meta, "generateName");
	const char *wrong = node_is_empty(name) ? NULL : rule_of(c->kind, node_sv(name));

	if (node_is_empty(name) && node_is_empty(start))
		check_required(c, "name", "name or generateName is required");
	else if (wrong)
		check_invalid(c, "name", name, "%s", wrong);
}

static void key(struct check *c, const char *field, const struct member *m, const char *(*rule)(struct sv))
{
	struct node k = { .type = NODE_STR, .text = m->key, .n = m->key_n };
	const char *wrong = rule(node_sv(&k));

	if (wrong)
		check_invalid(c, field, &k, "%s", wrong);
}

static void labels(struct check *c, const struct node *map, const char *field)
{
	struct member *m;

	node_members(m, map) {
		const char *wrong = name_label_value(node_sv(m->value));

		key(c, field, m, name_qualified);
		if (wrong)
			check_invalid(c, field, m->value, "%s", wrong);
	}
}

static const char *qualified_lower(struct sv s)
{
	char lower[512];

	if (s.n >= sizeof lower)
		return "must be no more than 253 characters";
	for (size_t i = 0; i < s.n; i++)
		lower[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] | 0x20) : s.p[i];
	return name_qualified((struct sv){ lower, s.n });
}

static void annotations(struct check *c, const struct node *map)
{
	struct member *m;
	size_t size = 0;

	node_members(m, map) {
		key(c, "annotations", m, qualified_lower);
		size += m->key_n + node_sv(m->value).n;
	}
	if (size > ANNOTATIONS_MAX)
		err_cause(&c->causes, "metadata.annotations", "FieldValueTooLong", "Too long: must have at most %d bytes", ANNOTATIONS_MAX);
}

/* Only the object itself has a name that counts; templates have labels and annotations. */
static void object_meta(struct check *c, const struct node *meta, const struct node *before)
{
	(void)before;
	if (str_eq(str_c(&c->path), "metadata"))
		object_name(c, meta);
	labels(c, node_get(meta, "labels"), "labels");
	annotations(c, node_get(meta, "annotations"));
}

static void selector(struct check *c, const struct node *s, const struct node *before)
{
	const struct node *list = node_get(s, "matchExpressions");

	(void)before;
	labels(c, node_get(s, "matchLabels"), "matchLabels");
	for (size_t i = 0; i < node_n(list); i++) {
		const struct node *e = list->items[i], *op = node_get(e, "operator"), *k = node_get(e, "key");
		bool with = sv_eq_c(node_sv(op), "In") || sv_eq_c(node_sv(op), "NotIn");
		char at[64];

		snprintf(at, sizeof at, "matchExpressions[%zu].values", i);
		if (with && !node_n(node_get(e, "values")))
			check_required(c, at, "must be specified when `operator` is 'In' or 'NotIn'");
		else if (!with && node_n(node_get(e, "values")))
			check_forbidden(c, at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
		snprintf(at, sizeof at, "matchExpressions[%zu].key", i);
		if (node_is(k, NODE_STR) && name_qualified(node_sv(k)))
			check_invalid(c, at, k, "%s", name_qualified(node_sv(k)));
	}
}

const struct check_rule check_meta_rules[] = {
	{ "meta.ObjectMeta", object_meta }, { "meta.LabelSelector", selector }, { 0 },
};
