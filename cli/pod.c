#include "cli/pod.h"
#include "kube/selector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_better(const struct object *a, const struct object *b)
{
	bool ra = str_eq(node_str_or(a->root, "status.phase", ""), "Running"), rb = str_eq(node_str_or(b->root, "status.phase", ""), "Running");

	return ra != rb ? ra : strcmp(node_str_or(a->root, "metadata.creationTimestamp", ""),
				      node_str_or(b->root, "metadata.creationTimestamp", "")) < 0;
}

static int selector_text(const struct object *o, struct str *out, struct err *err)
{
	const struct node *labels = node_at(o->root, "spec.selector");
	struct selector *s = NULL;

	if (node_get(labels, "matchLabels") || node_get(labels, "matchExpressions"))
		TRY(selector_of(labels, &s, err));
	else
		s = selector_of_map(labels);
	bool nothing = selector_nothing(s);
	selector_write(s, out);
	selector_free(&s);
	return nothing ? err_set(err, ERR_INVALID, "%s '%s' selects no pods", o->kind->kind, o->name) : 0;
}

/* The pod itself, or one of those that an owner or a Service selects: a running one first, then the oldest. */
static int choose(struct cluster *c, const struct resource *r, struct object **out, struct err *err)
{
	const struct kind *pods = client_kind(c->client, "v1", "Pod", err);
	struct object_list found = { 0 };
	AUTO_OBJECT o = NULL;
	AUTO(str) labels = { 0 };

	if (r->kind == pods)
		return client_get(c->client, pods, c->ns, r->name, out, err);
	TRY(client_get(c->client, r->kind, resource_ns(c, r->kind), r->name, &o, err));
	TRY(selector_text(o, &labels, err));
	const struct list_opts opts = { .ns = c->ns, .labels = str_c(&labels) };
	int result = client_list(c->client, pods, &opts, &found, err);
	for (size_t i = 0; i < found.n; i++)
		if (!*out || is_better(found.v[i], *out)) {
			object_drop(out);
			*out = object_ref(found.v[i]);
		}
	if (result >= 0 && !found.n)
		result = err_set(err, ERR_NOT_FOUND, "%s '%s' has no pods", r->kind->kind, r->name);
	else if (result >= 0 && found.n > 1)
		fprintf(stderr, "Found %zu pods, using pod/%s\n", found.n, (*out)->name);
	object_list_free(&found);
	return result;
}

int pod_named(struct cluster *c, const char *const *args, size_t n, struct object **out, struct err *err)
{
	AUTO(resources) wanted = { 0 };
	struct opt_list all = { 0 };
	int r;

	if (n == 1 && !strchr(args[0], '/'))    /* a bare name is a pod's */
		vec_push(&all, "pods");
	for (size_t i = 0; i < n; i++)
		vec_push(&all, args[i]);
	r = resources_one(c->client, &all, &wanted, err);
	vec_free(&all);
	return r < 0 ? r : choose(c, &wanted.v[0], out, err);
}

const char *pod_pick_container(const struct object *pod, const char *asked)
{
	const struct node *containers = node_at(pod->root, "spec.containers");
	const char *name = asked ? asked : meta_annotation(pod->root, "kubectl.kubernetes.io/default-container");

	if (!name && node_n(containers) > 1) {
		name = node_str_or(node_item(containers, 0), "name", "");
		fprintf(stderr, "Pod %s has %zu containers; this is '%s'. Name another one with -c.\n", pod->name,
			node_n(containers), name);
	}
	return name;
}
