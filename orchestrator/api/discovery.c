#include "orchestrator/api/http-internal.h"
#include "orchestrator/api/openapi-internal.h"

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

static const char all_verbs[] = "create,delete,deletecollection,get,list,patch,update,watch";

static struct node *words(struct doc *d, const char *list) { return word_list(d, list, ','); }

static struct node *start(struct doc *d, const char *kind, const char *version)
{
	struct node *n = node_map(d);

	node_set(d, n, "kind", node_str(d, kind));
	node_set(d, n, "apiVersion", node_str(d, version));
	return n;
}

/* The stored kinds, then the reviews. */
static size_t all_n(const struct kinds *kinds) { return kinds_n(kinds) + reviews_n(); }

static const struct kind *nth(const struct kinds *kinds, size_t i)
{
	return i < kinds_n(kinds) ? kinds_at(kinds, i) : reviews_at(i - kinds_n(kinds));
}

static const char *verbs_of(const struct kind *k)
{
	return review_find(k->group, k->version, k->plural) ? "create" : all_verbs;
}

static bool is_of(const struct kind *k, const char *group, const char *version)
{
	return !strcmp(k->group, group) && !strcmp(k->version, version);
}

/* ---- groups and versions, in the order of the registry ---- */

struct version { const char *group, *version; };
struct versions { struct version *v; size_t n, cap; };

static void versions_free(struct versions *v) { vec_free(v); }

static bool has_version(const struct versions *v, const struct kind *k)
{
	for (size_t i = 0; i < v->n; i++)
		if (is_of(k, v->v[i].group, v->v[i].version))
			return true;
	return false;
}

/* "v2" before "v1" before "v1beta1": what clients take when they have the choice. */
static int version_order(const char *v)
{
	const char *beta = strstr(v, "beta"), *alpha = strstr(v, "alpha");

	int major = atoi(v + (*v == 'v')) * 100;

	return beta ? major + 50 + atoi(beta + 4) : alpha ? major + atoi(alpha + 5) : major + 10000;
}

static int by_version(const void *a, const void *b)
{
	const struct version *x = a, *y = b;
	int order = strcmp(x->group, y->group);

	return order ? order : version_order(y->version) - version_order(x->version);
}

static struct versions all_versions(const struct kinds *kinds)
{
	struct versions out = { 0 };

	for (size_t i = 0; i < all_n(kinds); i++)
		if (!has_version(&out, nth(kinds, i)))
			vec_push(&out, ((struct version){ nth(kinds, i)->group, nth(kinds, i)->version }));
	if (out.n)
		qsort(out.v, out.n, sizeof *out.v, by_version);
	return out;
}

static struct node *group_version(struct doc *d, const struct version *v)
{
	struct node *n = node_map(d);

	node_set(d, n, "groupVersion", node_strf(d, "%s/%s", v->group, v->version));
	node_set(d, n, "version", node_str(d, v->version));
	return n;
}

/* An APIGroup of v[0..], as many as have v[0]'s group; returns how many that were. */
static size_t group_node(struct doc *d, const struct version *v, size_t n, struct node *out)
{
	struct node *versions = node_seq(d);
	size_t i = 0;

	for (; i < n && !strcmp(v[i].group, v->group); i++)
		node_add(d, versions, group_version(d, &v[i]));
	node_set(d, out, "name", node_str(d, v->group));
	node_set(d, out, "versions", versions);
	node_set(d, out, "preferredVersion", group_version(d, v));
	return i;
}

static void reply_node(struct http_request *rq, const char *type, const struct node *n)
{
	AUTO(str) out = { 0 };

	json_write(&out, n, 0);
	str_add1(&out, '\n');
	reply_bytes(rq, 200, type, str_sv(&out));
}

/* ---- the classic documents ---- */

static void serve_api(struct http_request *rq)
{
	reply_bytes(rq, 200, "application/json",
		   SV("{\"kind\":\"APIVersions\",\"versions\":[\"v1\"],\"serverAddressByClientCIDRs\":[]}\n"));
}

static void serve_groups(struct api *a, struct http_request *rq)
{
	__attribute__((cleanup(versions_free))) struct versions all = all_versions(a->kinds);
	AUTO_DOC d = doc_new();
	struct node *root = start(d, "APIGroupList", "v1"), *groups = node_seq(d);

	for (size_t i = 0; i < all.n;) {
		struct node *g = node_map(d);

		i += group_node(d, &all.v[i], all.n - i, g);
		if (*node_str_or(g, "name", ""))
			node_add(d, groups, g);
	}
	node_set(d, root, "groups", groups);
	reply_node(rq, "application/json", root);
}

static bool serve_group(struct api *a, struct http_request *rq, const char *group)
{
	__attribute__((cleanup(versions_free))) struct versions all = all_versions(a->kinds);
	AUTO_DOC d = doc_new();
	struct node *root = start(d, "APIGroup", "v1");

	for (size_t i = 0; i < all.n; i++)
		if (*group && !strcmp(all.v[i].group, group)) {
			(void)group_node(d, &all.v[i], all.n - i, root);
			reply_node(rq, "application/json", root);
			return true;
		}
	return false;
}

static void add_resource(struct doc *d, struct node *list, const struct kind *k)
{
	struct node *r = node_map(d);

	node_set(d, r, "name", node_str(d, k->plural));
	node_set(d, r, "singularName", node_str(d, k->singular));
	node_set(d, r, "namespaced", node_bool(d, k->namespaced));
	node_set(d, r, "kind", node_str(d, k->kind));
	node_set(d, r, "verbs", words(d, verbs_of(k)));
	if (*k->short_names)
		node_set(d, r, "shortNames", words(d, k->short_names));
	if (*k->categories)
		node_set(d, r, "categories", words(d, k->categories));
	node_add(d, list, r);
	for (size_t i = 0; i < sub_rows_n; i++) {
		if (!(k->subresources & sub_rows[i].bit))
			continue;
		r = node_map(d);
		node_set(d, r, "name", node_strf(d, "%s/%s", k->plural, sub_rows[i].name));
		node_set(d, r, "singularName", node_str(d, ""));
		node_set(d, r, "namespaced", node_bool(d, k->namespaced));
		if (sub_rows[i].group) {
			node_set(d, r, "group", node_str(d, sub_rows[i].group));
			node_set(d, r, "version", node_str(d, sub_rows[i].version));
		}
		node_set(d, r, "kind", node_str(d, sub_rows[i].kind ? sub_rows[i].kind : k->kind));
		node_set(d, r, "verbs", words(d, sub_rows[i].verbs));
		node_add(d, list, r);
	}
}

static bool serve_resources(struct api *a, struct http_request *rq, const char *group, const char *version)
{
	AUTO_DOC d = doc_new();
	struct node *root = start(d, "APIResourceList", "v1"), *list = node_seq(d);

	for (size_t i = 0; i < all_n(a->kinds); i++)
		if (is_of(nth(a->kinds, i), group, version))
			add_resource(d, list, nth(a->kinds, i));
	if (!list->n)
		return false;
	node_set(d, root, "groupVersion", node_strf(d, "%s%s%s", group, *group ? "/" : "", version));
	node_set(d, root, "resources", list);
	reply_node(rq, "application/json", root);
	return true;
}

/* ---- the aggregated one: everything in one document ---- */

static struct node *response_kind(struct doc *d, const char *group, const char *version, const char *kind)
{
	struct node *n = node_map(d);

	node_set(d, n, "group", node_str(d, group));
	node_set(d, n, "version", node_str(d, version));
	node_set(d, n, "kind", node_str(d, kind));
	return n;
}

static struct node *aggregated_subs(struct doc *d, const struct kind *k)
{
	struct node *out = node_seq(d);

	for (size_t i = 0; i < sub_rows_n; i++) {
		struct node *s = node_map(d);

		if (!(k->subresources & sub_rows[i].bit))
			continue;
		const struct sub_row *row = &sub_rows[i];

		node_set(d, s, "subresource", node_str(d, row->name));
		node_set(d, s, "responseKind", response_kind(d, row->group ? row->group : k->group,
			 row->version ? row->version : k->version, row->kind ? row->kind : k->kind));
		node_set(d, s, "verbs", words(d, row->verbs));
		node_add(d, out, s);
	}
	return out;
}

static struct node *aggregated_resource(struct doc *d, const struct kind *k)
{
	struct node *r = node_map(d), *below = aggregated_subs(d, k);

	node_set(d, r, "resource", node_str(d, k->plural));
	node_set(d, r, "responseKind", response_kind(d, k->group, k->version, k->kind));
	node_set(d, r, "scope", node_str(d, k->namespaced ? "Namespaced" : "Cluster"));
	node_set(d, r, "singularResource", node_str(d, k->singular));
	node_set(d, r, "verbs", words(d, verbs_of(k)));
	if (*k->short_names)
		node_set(d, r, "shortNames", words(d, k->short_names));
	if (*k->categories)
		node_set(d, r, "categories", words(d, k->categories));
	if (below->n)
		node_set(d, r, "subresources", below);
	return r;
}

static struct node *aggregated_version(struct doc *d, const struct kinds *kinds, const struct version *v)
{
	struct node *out = node_map(d), *list = node_seq(d);

	for (size_t i = 0; i < all_n(kinds); i++)
		if (is_of(nth(kinds, i), v->group, v->version))
			node_add(d, list, aggregated_resource(d, nth(kinds, i)));
	node_set(d, out, "version", node_str(d, v->version));
	node_set(d, out, "resources", list);
	node_set(d, out, "freshness", node_str(d, "Current"));
	return out;
}

static void serve_aggregated(struct api *a, struct http_request *rq, bool core, const char *version)
{
	__attribute__((cleanup(versions_free))) struct versions all = all_versions(a->kinds);
	char *api_version = str_fmt("apidiscovery.k8s.io/%s", version);
	char *type = str_fmt("application/json;g=apidiscovery.k8s.io;v=%s;as=APIGroupDiscoveryList", version);
	AUTO_DOC d = doc_new();
	struct node *root = start(d, "APIGroupDiscoveryList", api_version), *items = node_seq(d), *group = NULL;

	for (size_t i = 0; i < all.n; i++) {
		const struct version *v = &all.v[i];

		if (!*v->group != core)
			continue;
		if (!group || strcmp(node_str_or(group, "metadata.name", ""), v->group)) {
			group = node_map(d);
			node_put(d, group, "metadata.name", node_str(d, v->group));
			node_add(d, items, group);
		}
		node_add(d, node_seq_at(d, group, "versions"), aggregated_version(d, a->kinds, v));
	}
	node_set(d, root, "metadata", node_map(d));
	node_set(d, root, "items", items);
	http_add_header(rq, "Vary", "Accept");
	reply_node(rq, type, root);
	free(api_version);
	free(type);
}

/* The newest version that the client takes; NULL: the classic documents. The order of Accept is that of preference. */
static const char *aggregated_accepted(struct http_request *rq)
{
	struct sv rest = http_header(rq, "accept"), range;

	while (rest.n) {
		struct sv all = rest;

		if (!sv_cut(all, ',', &range, &rest))
			rest = SV("");
		if (!memmem(range.p, range.n, "as=APIGroupDiscoveryList", 24))
			continue;
		if (memmem(range.p, range.n, "v=v2beta1", 9))
			return "v2beta1";
		if (memmem(range.p, range.n, "v=v2", 4))
			return "v2";
	}
	return NULL;
}

bool serve_discovery(struct api *a, struct http_request *rq, const char *path)
{
	struct sv rest = sv_c(path), group, version;
	bool core = sv_starts(rest, SV("/api/")) || sv_eq_c(rest, "/api");

	if (!core && !sv_starts(rest, SV("/apis/")) && !sv_eq_c(rest, "/apis"))
		return false;
	rest = sv_drop(rest, core ? 4 : 5);
	if (rest.n && rest.p[rest.n - 1] == '/')
		rest.n--;
	if (!rest.n) {
		const char *aggregated = aggregated_accepted(rq);

		if (aggregated)
			serve_aggregated(a, rq, core, aggregated);
		else if (core)
			serve_api(rq);
		else
			serve_groups(a, rq);
		return true;
	}
	rest = sv_drop(rest, 1);
	if (!sv_cut(rest, '/', &group, &version))
		version = SV("");
	char *first = sv_dup(group), *second = sv_dup(version);
	bool found = core ? !version.n && serve_resources(a, rq, "", first) :
		     version.n ? serve_resources(a, rq, first, second) : serve_group(a, rq, first);
	free(first);
	free(second);
	return found;
}
