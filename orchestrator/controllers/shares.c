#include "orchestrator/controllers/shares.h"

#include "base/json.h"
#include "kube/traffic.h"

/* The value of the split's label that the pod of an address has; "" when it has none. */
static const char *share_of(const struct informer *pods, const char *ns, const struct node *address, const char *label)
{
	const struct object *pod = informer_get(pods, ns, node_str_or(address, "targetRef.name", ""));
	const char *value = pod ? meta_label(pod->root, label) : NULL;

	return value ? value : "";
}

struct sharing {
	const struct informer *pods;
	const char *ns, *label;
	const struct node *weights;     /* label value -> weight */
	const struct node *list;        /* of subsets */
};

/* Calls fn for every ready address with the share of its group. */
static void each_address(const struct sharing *s, void (*fn)(void *arg, const struct node *address, const char *share),
			 void *arg)
{
	const struct node *subset;

	for (size_t i = 0; (subset = node_item(s->list, i)); i++) {
		const struct node *it, *all = node_get(subset, "addresses");

		node_each(it, all)
			fn(arg, it, share_of(s->pods, s->ns, it, s->label));
	}
}

struct group { const char *value; uint64_t n; };

static void count_group(void *arg, const struct node *address, const char *share)
{
	struct group *g = arg;

	(void)address;
	g->n += str_eq(g->value, share);
}

static uint64_t members(const struct sharing *s, const char *value)
{
	struct group g = { value, 0 };

	each_address(s, count_group, &g);
	return g.n;
}

static uint64_t gcd(uint64_t a, uint64_t b) { return b ? gcd(b, a % b) : a; }

struct weighing { const struct sharing *s; struct doc *d; struct node *out; uint64_t unit; };

/* Each address gets its part of the group's weight, in units that make all parts whole numbers. */
static void weigh(void *arg, const struct node *address, const char *share)
{
	struct weighing *w = arg;
	int64_t weight;

	if (!node_to_i64(node_get(w->s->weights, share), &weight) || weight < 0)
		weight = 0;
	node_set(w->d, w->out, node_str_or(address, "ip", ""),
		 node_int(w->d, (int64_t)((uint64_t)weight * w->unit / members(w->s, share))));
}

/* False: no version with a share has a ready pod. */
static bool weigh_all(const struct sharing *s, struct str *out)
{
	AUTO_DOC d = doc_new();
	struct weighing w = { s, d, node_map(d), 1 };
	const struct member *m;
	bool any = false;

	node_members(m, s->weights) {
		uint64_t n = members(s, m->key);
		int64_t weight;

		if (!n || !node_to_i64(m->value, &weight) || weight <= 0)
			continue;
		any = true;
		w.unit = w.unit / gcd(w.unit, n) * n;
	}
	if (!any)
		return false;
	each_address(s, weigh, &w);
	json_write(out, w.out, 0);
	return true;
}

bool shares_write(const struct object *service, const struct node *subsets, const struct informer *pods,
		  struct str *out)
{
	const char *text = meta_annotation(service->root, TRAFFIC_SPLIT);
	AUTO_DOC split = NULL;

	if (!text || json_read(sv_c(text), TRAFFIC_SPLIT, 0, &split, NULL) < 0)
		return false;
	const struct sharing s = {pods, service->ns, node_str_or(doc_root(split), "label", ""),
				  node_get(doc_root(split), "weights"), subsets};

	return weigh_all(&s, out);
}
