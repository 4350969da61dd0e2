#include "orchestrator/scheduler/scheduler-internal.h"

#include "kube/selector.h"

/* Required affinity and anti-affinity between pods: "in the same zone as", "never on the node of". */

#define REQUIRED "requiredDuringSchedulingIgnoredDuringExecution"

static bool namespace_listed(const struct node *term, const char *own_ns, const char *ns)
{
	const struct node *it, *all = node_get(term, "namespaces");

	if (!node_n(all))
		return str_eq(own_ns, ns);
	node_each(it, all)
		if (str_eq(node_text(it), ns))
			return true;
	return false;
}

/* Does the term of a pod in namespace own_ns speak of this other pod? */
static bool term_means(const struct node *term, const char *own_ns, const struct object *pod)
{
	struct selector *selector = NULL;
	bool means;

	if (!namespace_listed(term, own_ns, pod->ns))
		return false;
	means = selector_of(node_get(term, "labelSelector"), &selector, NULL) >= 0
		&& selector_matches(selector, node_at(pod->root, "metadata.labels"));
	selector_free(&selector);
	return means;
}

static const char *domain_of(const struct node *term, const struct candidate *c)
{
	return meta_label(c->node->root, node_str_or(term, "topologyKey", ""));
}

/* Does any pod that the term means run in the domain of c? */
static bool met_in_domain(const struct request *rq, const struct node *term, const struct candidate *c)
{
	const char *domain = domain_of(term, c);
	const struct candidate *other;

	for (size_t i = 0; domain && i < rq->all->n; i++) {
		other = &rq->all->v[i];
		if (!str_eq(domain_of(term, other), domain))
			continue;
		for (size_t p = 0; p < other->pods.n; p++)
			if (term_means(term, rq->pod->ns, other->pods.v[p]))
				return true;
	}
	return false;
}

static bool met_anywhere(const struct request *rq, const struct node *term)
{
	for (size_t i = 0; i < rq->all->n; i++)
		for (size_t p = 0; p < rq->all->v[i].pods.n; p++)
			if (term_means(term, rq->pod->ns, rq->all->v[i].pods.v[p]))
				return true;
	return false;
}

/* The first pod of a group that wants to be together with its own kind may start anywhere. */
static bool affinity_met(const struct request *rq, const struct candidate *c)
{
	const struct node *term, *terms = node_at(rq->pod->root, "spec.affinity.podAffinity." REQUIRED);

	node_each(term, terms) {
		bool first = domain_of(term, c) && term_means(term, rq->pod->ns, rq->pod) && !met_anywhere(rq, term);

		if (!first && !met_in_domain(rq, term, c))
			return false;
	}
	return true;
}

static bool keeps_away(const struct request *rq, const struct candidate *c)
{
	const struct node *term, *terms = node_at(rq->pod->root, "spec.affinity.podAntiAffinity." REQUIRED);

	node_each(term, terms)
		if (met_in_domain(rq, term, c))
			return false;
	return true;
}

/* Pods that run already keep others away just as well. */
static bool is_let_in(const struct request *rq, const struct candidate *c)
{
	for (size_t i = 0; i < rq->all->n; i++) {
		const struct candidate *other = &rq->all->v[i];

		for (size_t p = 0; p < other->pods.n; p++) {
			const struct object *pod = other->pods.v[p];
			const struct node *term, *terms = node_at(pod->root, "spec.affinity.podAntiAffinity." REQUIRED);

			node_each(term, terms) {
				const char *domain = domain_of(term, other);

				if (domain && str_eq(domain, domain_of(term, c)) && term_means(term, pod->ns, rq->pod))
					return false;
			}
		}
	}
	return true;
}

bool affinity_fits(const struct request *rq, const struct candidate *c, struct str *why)
{
	if (!affinity_met(rq, c))
		str_set(why, "node(s) didn't match pod affinity rules");
	else if (!keeps_away(rq, c))
		str_set(why, "node(s) didn't match pod anti-affinity rules");
	else if (!is_let_in(rq, c))
		str_set(why, "node(s) didn't satisfy existing pods anti-affinity rules");
	else
		return true;
	return false;
}
