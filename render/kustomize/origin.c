#include "render/kustomize/origin.h"

#include "base/yaml.h"

/* The path joined and cleaned; one that leaves the directory of the build starts with "..". */
static const char *joined(struct doc *arena, const char *dir, const char *name)
{
	AUTO(str) out = { 0 };
	AUTO(str) both = { 0 };
	struct sv rest, part, head, last;

	str_addf(&both, "%s/%s", dir ? dir : "", name);
	rest = str_sv(&both);
	while (rest.n) {
		sv_cut(rest, '/', &part, &rest);
		if (!part.n || sv_eq_c(part, "."))
			continue;
		bool up = sv_eq_c(part, ".."), cut = sv_cut_last(str_sv(&out), '/', &head, &last);
		if (up && out.n && !sv_eq_c(last, "..") && !(!cut && sv_eq_c(str_sv(&out), ".."))) {
			str_cut(&out, cut ? head.n : 0);
			continue;
		}
		if (out.n)
			str_add1(&out, '/');
		str_add(&out, part);
	}
	return doc_text(arena, str_sv(&out));
}

const struct origin *origin_below(struct doc *arena, const struct origin *o, const char *path)
{
	struct origin *out = doc_alloc(arena, sizeof(*out));

	*out = *o;
	out->path = joined(arena, o->path, path);
	return out;
}

const struct origin *origin_remote(struct doc *arena, const char *repo, const char *ref, const char *path)
{
	struct origin *out = doc_alloc(arena, sizeof(*out));

	*out = (struct origin){ .path = path, .repo = repo, .ref = ref };
	return out;
}

const struct origin *origin_configured(struct doc *arena, const struct origin *dir, const char *file, const char *api,
				       const char *kind, const char *name, const char *ns)
{
	struct origin *out = doc_alloc(arena, sizeof(*out));

	out->repo = dir->repo;
	out->ref = dir->ref;
	out->configured_in = joined(arena, dir->path, file);
	out->by_api = api;
	out->by_kind = kind;
	out->by_name = name;
	out->by_ns = ns;
	return out;
}

const struct origin *origin_of_plugin(struct doc *arena, const struct origin *file, const char *api, const struct id *id)
{
	struct origin *out = doc_alloc(arena, sizeof(*out));

	*out = (struct origin){
		.repo = file->repo,
		.ref = file->ref,
		.configured_in = file->path,
		.by_api = doc_text(arena, sv_c(api)),
		.by_kind = doc_text(arena, sv_c(id->kind)),
		.by_name = doc_text(arena, sv_c(id->name)),
		.by_ns = doc_text(arena, sv_c(id->ns)),
	};
	return out;
}

static void put(struct doc *d, struct node *map, const char *key, const char *value)
{
	if (value && *value)
		node_set(d, map, key, node_str(d, value));
}

static struct node *origin_node(struct doc *d, const struct origin *o)
{
	struct node *n = node_map(d), *by = node_map(d);

	put(d, n, "path", o->path);
	put(d, n, "repo", o->repo);
	put(d, n, "ref", o->ref);
	put(d, n, "configuredIn", o->configured_in);
	put(d, by, "apiVersion", o->by_api);
	put(d, by, "kind", o->by_kind);
	put(d, by, "name", o->by_name);
	put(d, by, "namespace", o->by_ns);
	if (by->n)
		node_set(d, n, "configuredBy", by);
	return n;
}

static void annotate(struct resource *r, const char *key, const struct node *value)
{
	AUTO(str) text = { 0 };

	yaml_write(&text, value, 0);
	node_set(r->doc, resource_annotate(r), key, node_strn(r->doc, str_sv(&text)));
}

void origins_annotate(struct set *s, bool origin, bool transformations)
{
	AUTO_DOC d = doc_new();

	for (size_t i = 0; i < s->n; i++) {
		struct resource *r = s->v[i];
		struct node *all = node_seq(d);

		if (origin && r->origin)
			annotate(r, "config.kubernetes.io/origin", origin_node(d, r->origin));
		for (size_t j = 0; j < r->changes.n; j++)
			node_add(d, all, origin_node(d, r->changes.v[j]));
		if (transformations && all->n)
			annotate(r, "alpha.config.kubernetes.io/transformations", all);
	}
}
