/* The plugin LimitRanger: requests and limits that a namespace gives to those that have none, and what it allows. */
#include "orchestrator/api/admission-internal.h"

#include "kube/quantity.h"

#include <string.h>

typedef __int128 wide;

/* ---- defaults ---- */

static void note(struct str *said, const char *what, const struct str *resources, const char *kind, const char *name)
{
	if (resources->n)
		str_addf(said, "%s%s %s for %s %s", said->n ? "; " : "", str_c(resources), what, kind, name);
}

/* Takes over what the container does not say itself; *names gets which. */
static void take_over(struct doc *d, struct node *container, const char *path, const struct node *from,
		      struct str *names)
{
	const struct member *m;

	node_members(m, from) {
		struct sv key = { m->key, m->key_n };

		if (node_getn(node_at(container, path), key))
			continue;
		node_setn(d, node_map_at(d, container, path), key, node_copy(d, m->value));
		str_addf(names, "%s" SV_FMT, names->n ? ", " : "", SV_ARG(key));
	}
}

static void default_containers(struct doc *d, const struct node *item, struct node *containers, const char *kind,
			       struct str *said)
{
	struct node *it;

	node_each(it, containers) {
		AUTO(str) requests = { 0 }, limits = { 0 };

		take_over(d, it, "resources.requests", node_get(item, "defaultRequest"), &requests);
		take_over(d, it, "resources.limits", node_get(item, "default"), &limits);
		note(said, "request", &requests, kind, node_str_or(it, "name", ""));
		note(said, "limit", &limits, kind, node_str_or(it, "name", ""));
	}
}

static struct resource *ranges(const struct admission *a)
{
	const struct kind *k = kinds_find(a->rq->api->kinds, "v1", "LimitRange");

	return k ? cache_resource(&a->rq->api->cache, k) : NULL;
}

/* The items of a type in the namespace's LimitRanges, one after the other. */
struct limit_walk {
	struct resource *r;
	size_t at, row;
	const char *ns, *type;
};

static const struct node *next_item(struct limit_walk *w)
{
	for (; w->r && w->at < w->r->items.n && !strcmp(w->r->items.v[w->at]->ns, w->ns); w->at++, w->row = 0) {
		struct object *o = item_object(w->r->items.v[w->at]);
		const struct node *rows = o ? node_at(o->root, "spec.limits") : NULL;

		while (w->row < node_n(rows)) {
			const struct node *one = node_item(rows, w->row++);

			if (str_eq(node_str_at(one, "type"), w->type))
				return one;
		}
	}
	return NULL;
}

static struct limit_walk walk(const struct admission *a, const char *type)
{
	struct resource *r = ranges(a);

	return (struct limit_walk){ r, r ? resource_seek(r, a->rq->ns, "") : 0, 0, a->rq->ns, type };
}

int limits_default(struct admission *a, struct err *err)
{
	struct limit_walk w = walk(a, "Container");
	struct node *spec = node_get(a->root, "spec");
	AUTO(str) said = { 0 };

	(void)err;
	if (a->before || !a->root || *a->rq->subresource)
		return 0;
	for (const struct node *item; (item = next_item(&w));) {
		default_containers(a->d, item, node_get(spec, "containers"), "container", &said);
		default_containers(a->d, item, node_get(spec, "initContainers"), "init container", &said);
	}
	if (!said.n)
		return 0;
	AUTO(str) text = { 0 };
	str_addf(&text, "LimitRanger plugin set: %s", str_c(&said));
	meta_set_annotation(a->d, a->root, "kubernetes.io/limit-ranger", str_c(&text));
	return 0;
}

/* ---- bounds ---- */

struct bounds { /* of one thing that is limited: a container, a pod, a claim */
	const char *type;
	struct str *problems;
	size_t n;
};

static bool amount(const struct node *map, struct sv name, wide *out)
{
	const struct node *n = node_getn(map, name);

	return n && quantity_nano(node_sv(n), out);
}

static void problem(struct bounds *b, const char *bound, const struct member *m, const char *what,
		    const struct node *has)
{
	str_addf(b->problems, "%s%s %s usage per %s is " SV_FMT, b->n++ ? ", " : "", bound, m->key, b->type,
		 SV_ARG(node_sv(m->value)));
	if (has)
		str_addf(b->problems, ", but %s is " SV_FMT, what, SV_ARG(node_sv(has)));
	else
		str_addf(b->problems, ".  No %s is specified", what);
}

static void check_min(struct bounds *b, const struct node *item, const struct node *requests, const struct node *limits)
{
	const struct member *m;

	node_members(m, node_get(item, "min")) {
		struct sv name = { m->key, m->key_n };
		wide bound, request, limit;

		if (!quantity_nano(node_sv(m->value), &bound))
			continue;
		if (!amount(requests, name, &request))
			problem(b, "minimum", m, "request", NULL);
		else if (request < bound)
			problem(b, "minimum", m, "request", node_getn(requests, name));
		else if (amount(limits, name, &limit) && limit < bound)
			problem(b, "minimum", m, "limit", node_getn(limits, name));
	}
}

/* by_request: a claim has no limits. */
static void check_max(struct bounds *b, const struct node *item, const struct node *requests, const struct node *limits,
		      bool by_request)
{
	const struct member *m;

	node_members(m, node_get(item, "max")) {
		struct sv name = { m->key, m->key_n };
		wide bound, request, limit;

		if (!quantity_nano(node_sv(m->value), &bound))
			continue;
		if (!by_request && !amount(limits, name, &limit))
			problem(b, "maximum", m, "limit", NULL);
		else if (by_request && !amount(requests, name, &request))
			problem(b, "maximum", m, "request", NULL);
		else if (!by_request && limit > bound)
			problem(b, "maximum", m, "limit", node_getn(limits, name));
		else if (amount(requests, name, &request) && request > bound)
			problem(b, "maximum", m, "request", node_getn(requests, name));
	}
}

static void check_ratio(struct bounds *b, const struct node *item, const struct node *requests,
			const struct node *limits)
{
	const struct member *m;

	node_members(m, node_get(item, "maxLimitRequestRatio")) {
		struct sv name = { m->key, m->key_n };
		wide most, request = 0, limit = 0;
		const char *missing = !amount(requests, name, &request) || !request ? "request"
				      : !amount(limits, name, &limit) || !limit	    ? "limit"
										    : NULL;

		if (!quantity_nano(node_sv(m->value), &most))
			continue;
		double ratio = missing ? 0 : (double)limit / (double)request;
		if (!missing && ratio <= (double)most / 1e9)
			continue;
		str_addf(b->problems, "%s%s max limit to request ratio per %s is " SV_FMT ", but ", b->n++ ? ", " : "",
			 m->key, b->type, SV_ARG(node_sv(m->value)));
		if (missing)
			str_addf(b->problems, "no %s is specified or %s is 0", missing, missing);
		else
			str_addf(b->problems, "provided ratio is %f", ratio);
	}
}

static void check_one(struct bounds *b, const struct node *item, const struct node *requests, const struct node *limits)
{
	check_min(b, item, requests, limits);
	check_max(b, item, requests, limits, false);
	check_ratio(b, item, requests, limits);
}

/* ---- pods ---- */

static void check_containers(const struct admission *a, struct bounds *b, const char *list)
{
	const struct node *it;

	node_each(it, node_get(node_get(a->root, "spec"), list)) {
		struct limit_walk w = walk(a, "Container");

		for (const struct node *item; (item = next_item(&w));)
			check_one(b, item, node_at(it, "resources.requests"), node_at(it, "resources.limits"));
	}
}

/* Of all containers together; an init container counts when it alone has more. In thousandths: "1500m". */
static struct node *total(struct doc *d, const struct node *pod, const char *path)
{
	static const char *const lists[] = { "containers", "initContainers" };
	struct node *sum = node_map(d);
	const struct node *it;
	const struct member *m;

	for (size_t i = 0; i < 2; i++)
		node_each(it, node_get(node_get(pod, "spec"), lists[i]))
			node_members(m, node_at(it, path)) {
				struct sv name = { m->key, m->key_n };
				int64_t one = 0, so_far = 0;

				if (!quantity_milli(node_sv(m->value), &one))
					continue;
				(void)quantity_milli(node_sv(node_getn(sum, name)), &so_far);
				one = i ? (one > so_far ? one : so_far) : one + so_far;
				node_setn(d, sum, name,
					  one % 1000 ? node_strf(d, "%lldm", (long long)one)
						     : node_strf(d, "%lld", (long long)(one / 1000)));
			}
	return sum;
}

static int refuse(const struct admission *a, const struct bounds *b, struct err *err)
{
	if (!b->n)
		return 0;
	return admission_forbidden(a, err, b->n > 1 ? "[%s]" : "%s", str_c(b->problems));
}

int limits_of_pod(struct admission *a, struct err *err)
{
	AUTO(str) text = { 0 };
	struct bounds b = { "Container", &text, 0 };
	struct limit_walk w = walk(a, "Pod");

	if (a->before || !a->root || *a->rq->subresource)
		return 0;
	check_containers(a, &b, "containers");
	check_containers(a, &b, "initContainers");
	b.type = "Pod";
	for (const struct node *item; (item = next_item(&w));)
		check_one(&b, item, total(a->d, a->root, "resources.requests"),
			  total(a->d, a->root, "resources.limits"));
	return refuse(a, &b, err);
}

int limits_of_claim(struct admission *a, struct err *err)
{
	AUTO(str) text = { 0 };
	struct bounds b = { "PersistentVolumeClaim", &text, 0 };
	struct limit_walk w = walk(a, "PersistentVolumeClaim");
	const struct node *requests = node_at(a->root, "spec.resources.requests");

	if (!a->root || *a->rq->subresource)
		return 0;
	for (const struct node *item; (item = next_item(&w));) {
		check_min(&b, item, requests, NULL);
		check_max(&b, item, requests, NULL, true);
	}
	return refuse(a, &b, err);
}

/* ---- the LimitRange itself ---- */

/* For containers what is missing follows from what is there: default of max, defaultRequest of default or of min. */
int limit_range_prepare(const struct request *rq, struct doc *d, struct node *root, const struct node *before,
			struct err *err)
{
	static const char *const steps[][2] = { { "max", "default" },
						{ "default", "defaultRequest" },
						{ "min", "defaultRequest" } };
	struct node *it;
	const struct member *m;

	(void)rq;
	(void)before;
	(void)err;
	node_each(it, node_at(root, "spec.limits"))
		for (size_t i = 0; str_eq(node_str_at(it, "type"), "Container") && i < 3; i++)
			node_members(m, node_get(it, steps[i][0])) {
				struct sv name = { m->key, m->key_n };

				if (!node_getn(node_get(it, steps[i][1]), name))
					node_setn(d, node_map_at(d, it, steps[i][1]), name, node_copy(d, m->value));
			}
	return 0;
}
