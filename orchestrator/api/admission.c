#include "orchestrator/api/admission-internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is asked ---- */

const char *admission_name(const struct admission *a)
{
	return node_str_or(a->root ? a->root : a->before, "metadata.name", a->rq->name);
}

const struct node *admission_namespace(const struct admission *a)
{
	const struct kind *k = kinds_find(a->rq->api->kinds, "v1", "Namespace");
	struct item *i = k && *a->rq->ns ? resource_find(cache_resource(&a->rq->api->cache, k), "", a->rq->ns) : NULL;
	struct object *o = i ? item_object(i) : NULL;

	return o ? o->root : NULL;
}

int admission_forbidden(const struct admission *a, struct err *err, const char *fmt, ...)
{
	AUTO(str) text = { 0 };
	char resource[192];
	va_list ap;

	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	return err_set(err, ERR_FORBIDDEN, "%s \"%s\" is forbidden: %s", kind_resource(a->rq->kind, resource),
		       admission_name(a), str_c(&text));
}

static struct node *group_version(struct doc *d, const struct kind *k, const char *what, const char *value)
{
	struct node *n = node_map(d);

	node_set(d, n, "group", node_str(d, k->group));
	node_set(d, n, "version", node_str(d, k->version));
	node_set(d, n, what, node_str(d, value));
	return n;
}

static struct node *user_info(struct doc *d, const struct caller *c)
{
	struct node *n = node_map(d), *groups = node_seq(d);

	node_set(d, n, "username", node_str(d, c ? c->user : "system:apiserver"));
	if (c && c->uid)
		node_set(d, n, "uid", node_str(d, c->uid));
	for (size_t i = 0; c && i < c->n_groups; i++)
		node_add(d, groups, node_str(d, c->groups[i]));
	node_set(d, n, "groups", groups);
	if (c && c->extra)
		node_set(d, n, "extra", node_copy(d, c->extra));
	return n;
}

static struct node *options(const struct admission *a, struct doc *d)
{
	struct node *n = node_map(d);

	node_set(d, n, "kind",
		 node_strf(d, "%c%s%s", *a->operation,
			   !strcmp(a->operation, "CREATE")   ? "reate"
			   : !strcmp(a->operation, "UPDATE") ? "pdate"
							     : "elete",
			   "Options"));
	node_set(d, n, "apiVersion", node_str(d, "meta.k8s.io/v1"));
	if (*a->rq->manager)
		node_set(d, n, "fieldManager", node_str(d, a->rq->manager));
	return n;
}

static struct node *make_request(const struct admission *a, struct doc *d)
{
	const struct request *rq = a->rq;
	struct node *n = node_map(d);

	node_set(d, n, "uid", random_uid(d));
	for (int asked = 0; asked < 2; asked++) {
		node_set(d, n, asked ? "requestKind" : "kind", group_version(d, rq->kind, "kind", rq->kind->kind));
		node_set(d, n, asked ? "requestResource" : "resource",
			 group_version(d, rq->kind, "resource", rq->kind->plural));
		if (*rq->subresource)
			node_set(d, n, asked ? "requestSubResource" : "subResource", node_str(d, rq->subresource));
	}
	node_set(d, n, "name", node_str(d, admission_name(a)));
	if (*rq->ns)
		node_set(d, n, "namespace", node_str(d, rq->ns));
	node_set(d, n, "operation", node_str(d, a->operation));
	node_set(d, n, "userInfo", user_info(d, rq->caller));
	node_set(d, n, "dryRun", node_bool(d, rq->dry_run));
	node_set(d, n, "options", options(a, d));
	return n;
}

const struct node *admission_request(struct admission *a)
{
	if (!a->request)
		a->request = make_request(a, a->d);
	return a->request;
}

/* ---- the phases ---- */

/* What decides on others is decided on by nobody, or it could never be taken back. */
static bool is_beyond(const struct admission *a) { return !strcmp(a->rq->kind->group, "admissionregistration.k8s.io"); }

/* Plugins that are always there. mutate runs before webhooks, validate before policies. */
static const struct plugin {
	const char *group, *plural;
	admission_fn *mutate, *validate;
} plugins[] = {
	{ "", "pods", limits_default, limits_of_pod },
	{ "", "pods", priority_of_pod, security_of_pod },
	{ "", "persistentvolumeclaims", storage_class_of_claim, limits_of_claim },
	{ "scheduling.k8s.io", "priorityclasses", NULL, priority_of_class },
	{ "", "namespaces", NULL, security_of_namespace },
	{ "", "podtemplates", NULL, security_of_template },
	{ "", "replicationcontrollers", NULL, security_of_template },
	{ "apps", "deployments", NULL, security_of_template },
	{ "apps", "replicasets", NULL, security_of_template },
	{ "apps", "statefulsets", NULL, security_of_template },
	{ "apps", "daemonsets", NULL, security_of_template },
	{ "batch", "jobs", NULL, security_of_template },
	{ "batch", "cronjobs", NULL, security_of_template },
	{ "argoproj.io", "rollouts", NULL, security_of_template },
};

static int run_plugins(struct admission *a, bool mutate, struct err *err)
{
	const struct kind *k = a->rq->kind;

	for (size_t i = 0; a->root && i < sizeof plugins / sizeof *plugins; i++) {
		admission_fn *fn = mutate ? plugins[i].mutate : plugins[i].validate;

		if (fn && !strcmp(plugins[i].group, k->group) && !strcmp(plugins[i].plural, k->plural))
			TRY(fn(a, err));
	}
	return 0;
}

int admission_mutate(struct admission *a, bool *changed, struct err *err)
{
	*changed = false;
	if (is_beyond(a))
		return 0;
	TRY(run_plugins(a, true, err));
	return webhooks_mutate(a, changed, err);
}

int admission_validate(struct admission *a, struct err *err)
{
	if (is_beyond(a))
		return 0;
	TRY(run_plugins(a, false, err));
	TRY(policies_validate(a, err));
	return webhooks_validate(a, err);
}

int admission_delete(const struct request *rq, const struct node *live, struct err *err)
{
	AUTO_DOC d = doc_new();
	struct admission a = { .rq = rq, .d = d, .before = live, .operation = "DELETE" };
	bool changed;

	TRY(admission_mutate(&a, &changed, err));
	return admission_validate(&a, err);
}
