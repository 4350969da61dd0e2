#include "kube/client-https-internal.h"

#include "base/vec.h"

#include <stdlib.h>

/* Kinds that the program has no rows for, from the server's discovery. They are free form: their schemas stay there. */

static const struct { const char *name; unsigned bit; } subresources[] = {
	{ "status", SUB_STATUS }, { "scale", SUB_SCALE }, { "log", SUB_LOG }, { "exec", SUB_EXEC },
	{ "attach", SUB_ATTACH }, { "portforward", SUB_PORTFORWARD }, { "proxy", SUB_PROXY }, { "eviction", SUB_EVICTION },
	{ "binding", SUB_BINDING }, { "token", SUB_TOKEN }, { "approval", SUB_APPROVAL }, { "finalize", SUB_FINALIZE },
};

static unsigned subresource_bit(const char *name)
{
	for (size_t i = 0; i < sizeof subresources / sizeof *subresources; i++)
		if (str_eq(name, subresources[i].name))
			return subresources[i].bit;
	return 0;
}

static char *join(const struct node *list)
{
	struct str s = { 0 };
	const struct node *it;

	node_each(it, list) {
		str_addc(&s, s.n ? "," : "");
		str_add(&s, node_sv(it));
	}
	return str_take(&s);
}

static char *copy(const char *s) { return sv_dup(sv_c(s)); }

static struct kind *row_of(const struct node *resource, struct sv group, struct sv version)
{
	struct kind *k = calloc(1, sizeof *k);

	if (!k)
		abort();
	*k = (struct kind){
		.group = sv_dup(group),
		.version = sv_dup(version),
		.kind = copy(node_str_or(resource, "kind", "")),
		.plural = copy(node_str_or(resource, "name", "")),
		.singular = copy(node_str_or(resource, "singularName", "")),
		.short_names = join(node_get(resource, "shortNames")),
		.categories = join(node_get(resource, "categories")),
		.namespaced = node_bool_at(resource, "namespaced", false),
	};
	return k;
}

/* "deployments/scale" belongs to a row that came before. */
static void add_subresource(struct https *h, struct sv name, struct sv group, struct sv version)
{
	struct sv plural, sub;

	(void)sv_cut(name, '/', &plural, &sub);
	for (size_t i = 0; i < h->found.n; i++) {
		struct kind *k = h->found.v[i];

		if (sv_eq_c(plural, k->plural) && sv_eq_c(group, k->group) && sv_eq_c(version, k->version)) {
			char *text = sv_dup(sub);

			k->subresources |= subresource_bit(text);
			free(text);
		}
	}
}

static void add_resource(struct https *h, const struct node *resource, const char *group_version)
{
	const char *name = node_str_or(resource, "name", "");
	struct sv group, version;

	if (!sv_cut(sv_c(group_version), '/', &group, &version)) {
		version = group;
		group = SV("");
	}
	if (strchr(name, '/')) {
		add_subresource(h, sv_c(name), group, version);
		return;
	}
	if (!*name || kinds_find(h->registry, group_version, node_str_or(resource, "kind", "")))
		return;
	vec_push(&h->found, row_of(resource, group, version));
	kinds_add(h->registry, h->found.v[h->found.n - 1]);
}

static int read_version(struct https *h, const char *group_version, struct err *err)
{
	AUTO(str) path = { 0 };
	AUTO_DOC d = NULL;
	const struct node *it, *all;

	str_addf(&path, "%s/%s", strchr(group_version, '/') ? "/apis" : "/api", group_version);
	TRY(https_call(h, &(struct call){ .method = "GET", .path = str_c(&path) }, &d, err));
	all = node_get(doc_root(d), "resources");
	for (size_t i = 0; (it = node_item(all, i)); i++)
		add_resource(h, it, group_version);
	return 0;
}

int https_discover(struct client *c, struct err *err)
{
	struct https *h = (struct https *)c;
	AUTO_DOC d = NULL;
	const struct node *group, *groups;

	if (h->discovered)
		return 0;
	TRY(https_call(h, &(struct call){ .method = "GET", .path = "/apis" }, &d, err));
	TRY(read_version(h, "v1", err));
	groups = node_get(doc_root(d), "groups");
	for (size_t g = 0; (group = node_item(groups, g)); g++) {
		const struct node *version, *versions = node_get(group, "versions");

		for (size_t v = 0; (version = node_item(versions, v)); v++)
			TRY(read_version(h, node_str_or(version, "groupVersion", "v1"), err));
	}
	h->discovered = true;
	return 0;
}
