#include "orchestrator/scheduler/scheduler-internal.h"

#include "kube/pod.h"
#include "kube/quantity.h"

void amounts_add(struct amounts *a, struct sv name, int64_t milli)
{
	struct amount *it;

	vec_each(it, a)
		if (sv_eq(it->name, name)) {
			if (__builtin_add_overflow(it->milli, milli, &it->milli))
				it->milli = INT64_MAX;
			return;
		}
	vec_push(a, ((struct amount){ name, milli }));
}

int64_t amounts_get(const struct amounts *a, struct sv name)
{
	const struct amount *it;

	vec_each(it, a)
		if (sv_eq(it->name, name))
			return it->milli;
	return 0;
}

void amounts_free(struct amounts *a) { vec_free(a); }

static void add_list(struct amounts *out, const struct node *list)
{
	const struct member *m;

	node_members(m, list) {
		int64_t milli;

		if (quantity_milli(node_sv(m->value), &milli))
			amounts_add(out, (struct sv){ m->key, m->key_n }, milli);
	}
}

/* Init containers run one after the other, before the others: of each resource the larger need counts. */
static void raise_to_init(struct amounts *out, const struct node *container)
{
	AUTO(amounts) needs = { 0 };
	const struct amount *it;

	add_list(&needs, node_at(container, "resources.requests"));
	vec_each(it, &needs) {
		int64_t have = amounts_get(out, it->name);

		if (it->milli > have)
			amounts_add(out, it->name, it->milli - have);
	}
}

void amounts_of_pod(struct amounts *out, const struct node *pod)
{
	const struct node *it, *spec = node_get(pod, "spec"), *containers = node_get(spec, "containers"),
		*init = node_get(spec, "initContainers");
	AUTO(amounts) sum = { 0 };
	const struct amount *a;

	node_each(it, containers)
		add_list(&sum, node_at(it, "resources.requests"));
	node_each(it, init)
		raise_to_init(&sum, it);
	add_list(&sum, node_get(spec, "overhead"));
	vec_each(a, &sum)
		amounts_add(out, a->name, a->milli);
	amounts_add(out, SV("pods"), 1000);
}

/* ---- nodes with their pods ---- */

static bool add_node(struct object *node, void *arg)
{
	struct candidates *out = arg;
	struct candidate c = { .node = node };
	const struct node *allocatable = node_at(node->root, "status.allocatable");

	add_list(&c.allocatable, allocatable ? allocatable : node_at(node->root, "status.capacity"));
	vec_push(out, c);
	return true;
}

struct placing { struct candidates *out; const struct map *assumed; struct map by_name; };

static bool add_pod(struct object *pod, void *arg)
{
	struct placing *p = arg;
	const char *node = node_str_at(pod->root, "spec.nodeName");
	struct candidate *c;

	if (!node)
		node = map_get(p->assumed, sv_c(pod->uid));
	c = node && !pod_finished(pod->root) ? map_get(&p->by_name, sv_c(node)) : NULL;
	if (!c)
		return true;
	amounts_of_pod(&c->used, pod->root);
	vec_push(&c->pods, pod);
	return true;
}

void candidates_read(struct candidates *out, const struct informer *nodes, const struct informer *pods,
		     const struct map *assumed)
{
	struct placing p = { .out = out, .assumed = assumed };
	struct candidate *c;

	informer_each(nodes, NULL, add_node, out);
	vec_each(c, out)
		(void)map_put(&p.by_name, sv_c(c->node->name), c);
	informer_each(pods, NULL, add_pod, &p);
	map_free(&p.by_name);
}

void candidates_free(struct candidates *all)
{
	struct candidate *c;

	vec_each(c, all) {
		amounts_free(&c->allocatable);
		amounts_free(&c->used);
		vec_free(&c->pods);
	}
	vec_free(all);
}
