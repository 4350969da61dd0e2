#include "render/chart/deps.h"

#include "base/semver.h"
#include "render/chart/values.h"

#include <stdlib.h>

/* Scalars of Chart.yaml as text, whatever YAML takes them for: `name: y` is a boolean there. */
static const char *text(const struct node *entry, const char *key)
{
	struct sv s = node_sv(node_get(entry, key));

	return s.n ? s.p : "";
}

/* ---- which entry of Chart.yaml is about which chart ---- */

bool dep_is_about(const struct node *entry, const struct chart *dep)
{
	struct semver version;
	struct sv range = node_sv(node_get(entry, "version"));

	if (!str_eq(text(entry, "name"), text(doc_root(dep->meta), "name")))
		return false;
	if (!range.n || !semver_parse(node_sv(node_get(doc_root(dep->meta), "version")), &version))
		return true;
	return semver_match(range, &version, NULL) > 0;
}

static const char *name_of(const struct node *entry) { return *text(entry, "alias") ? text(entry, "alias") : text(entry, "name"); }

struct charts { struct chart **v; size_t n, cap; };

/* Each entry takes the chart that it is about; one that was taken already is loaded again, as it has another alias. */
static int take(struct chart *c, const struct node *entry, bool *taken, struct charts *out, struct err *err)
{
	for (size_t i = 0; i < c->n_deps; i++) {
		struct chart *dep = c->deps[i];

		if (!dep_is_about(entry, dep))
			continue;
		if (taken[i])
			TRY(chart_load_again(dep, &dep, err));
		taken[i] = true;
		vec_push(out, dep);
		chart_set_name(dep, name_of(entry));
		return 0;
	}
	return 0;                       /* none of this version: it takes no part */
}

/* Charts that no entry is about stay as they are. */
static int match_entries(struct chart *c, struct err *err)
{
	const struct node *entries = node_get(doc_root(c->meta), "dependencies");
	bool *taken = calloc(c->n_deps + 1, sizeof *taken);
	struct charts all = { 0 };
	struct node *entry;
	int r = 0;

	if (!taken)
		abort();
	node_each(entry, entries)
		if (r >= 0)
			r = take(c, entry, taken, &all, err);
	for (size_t i = c->n_deps; i-- > 0;)
		if (!taken[i]) {
			vec_push(&all, c->deps[i]);
			for (size_t k = all.n - 1; k > 0; k--)          /* before those of the entries, in their order */
				all.v[k] = all.v[k - 1];
			all.v[0] = c->deps[i];
		}
	free(taken);
	free(c->deps);
	c->deps = all.v;
	c->n_deps = all.n;
	c->cap_deps = all.cap;
	chart_set_paths(c);
	return r;
}

/* ---- conditions and tags ---- */

/* A path of names in the values, as "redis.enabled". */
static struct node *value_at(const struct node *values, struct sv path)
{
	struct node *at = NULL;
	struct sv name;

	for (; path.n; values = at) {
		sv_cut(path, '.', &name, &path);
		if (!(at = node_getn(values, name)))
			return NULL;
	}
	return at;
}

static bool by_tags(const struct node *entry, const struct node *values)
{
	const struct node *tags = node_get(values, "tags");
	bool any_true = false, any_false = false;
	struct node *tag;

	node_each(tag, node_get(entry, "tags")) {
		const struct node *v = node_getn(tags, node_sv(tag));

		if (node_is(v, NODE_BOOL))
			*(v->b ? &any_true : &any_false) = true;
	}
	return any_true || !any_false;
}

/* The first path that leads to a boolean decides. White space after a comma is part of the path, as in Helm: it leads nowhere. */
static bool by_condition(const struct node *entry, const struct node *values, const char *path, bool otherwise)
{
	struct sv rest = sv_trim(sv_c(text(entry, "condition"))), one;

	while (rest.n) {
		AUTO(str) whole = { 0 };

		sv_cut(rest, ',', &one, &rest);
		str_addf(&whole, "%s" SV_FMT, path, SV_ARG(one));
		const struct node *v = one.n ? value_at(values, str_sv(&whole)) : NULL;
		if (node_is(v, NODE_BOOL))
			return v->b;
	}
	return otherwise;
}

static void drop_charts(struct chart *c, struct sv name)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->n_deps; i++)
		if (!sv_eq_c(name, c->deps[i]->name))
			c->deps[kept++] = c->deps[i];
		else
			chart_free(&c->deps[i]);
	c->n_deps = kept;
}

/* Entries that take part stay, under their alias; the others and their charts go. */
static void drop_disabled(struct chart *c, const struct node *values, const char *path)
{
	struct node *entries = node_get(doc_root(c->meta), "dependencies");

	for (size_t i = 0; i < node_n(entries);) {
		struct node *entry = node_item(entries, i);

		if (by_condition(entry, values, path, by_tags(entry, values))) {
			node_set(c->meta, entry, "name", node_str(c->meta, name_of(entry)));
			node_set(c->meta, entry, "enabled", node_bool(c->meta, true));
			i++;
		} else {
			drop_charts(c, sv_c(name_of(entry)));
			node_remove(entries, i);
		}
	}
}

/* above: the values of the charts above this one, in which `path` leads to it, as "web.redis."; it is "" at the top. */
static int enable(struct chart *c, const struct node *above, const char *path, struct err *err)
{
	AUTO_DOC d = doc_new();
	struct node *values;

	if (!node_n(node_get(doc_root(c->meta), "dependencies")))
		return 0;
	TRY(match_entries(c, err));
	TRY(values_coalesce(d, c, above, &values, err));
	drop_disabled(c, values, path);
	for (size_t i = 0; i < c->n_deps; i++) {
		AUTO(str) below = { 0 };

		str_addf(&below, "%s%s.", path, c->deps[i]->name);
		TRY(enable(c->deps[i], values, str_c(&below), err));
	}
	return 0;
}

/* ---- import-values ---- */

/* `value` itself under a path of names: "a.b" gives { a: { b: value } }. */
static struct node *under(struct doc *d, const char *path, struct node *value)
{
	struct node *root = node_map(d), *at = root;
	struct sv rest = sv_c(path), name;

	if (!rest.n || sv_eq_c(rest, "."))
		return value;
	while (sv_cut(rest, '.', &name, &rest)) {
		struct node *next = node_map(d);

		node_setn(d, at, name, next);
		at = next;
	}
	node_setn(d, at, name, value);
	return root;
}

static void import_one(struct doc *d, const struct node *values, const struct node *entry, const struct node *import,
		       struct node *imported)
{
	AUTO(str) path = { 0 };
	const char *parent = ".";

	if (node_is(import, NODE_MAP)) {
		str_addf(&path, "%s.%s", name_of(entry), text(import, "child"));
		parent = text(import, "parent");
	} else {
		str_addf(&path, "%s.exports." SV_FMT, name_of(entry), SV_ARG(node_sv(import)));
	}
	struct node *found = value_at(values, str_sv(&path));
	if (node_is(found, NODE_MAP))
		values_fill(d, imported, under(d, parent, found), true);        /* what was imported first wins */
}

/* Children first, so that what they import can be imported again. The chart's own values win over what it imports. What is
 * imported twice is one mapping in two places until all is imported, as Helm has it: charts rely on what comes of that. */
static int import_values(struct chart *c, struct err *err)
{
	struct node *entries = node_get(doc_root(c->meta), "dependencies"), *entry, *values, *imported;
	AUTO_DOC d = doc_new();

	for (size_t i = 0; i < c->n_deps; i++)
		TRY(import_values(c->deps[i], err));
	if (!node_n(entries))
		return 0;
	imported = node_map(d);
	TRY(values_defaults(d, c, &values, err));
	node_each(entry, entries) {
		const struct node *imports = node_get(entry, "import-values");

		for (size_t i = 0; i < node_n(imports); i++)
			import_one(d, values, entry, node_item(imports, i), imported);
	}
	values = node_copy(d, values);
	values_fill(d, values, imported, true);
	doc_set_root(d, values);
	doc_drop(&c->values);
	c->values = TAKE(d);
	return 0;
}

/* Every entry of the chart that was asked for has a chart of its name. */
static int check_present(const struct chart *c, struct err *err)
{
	struct node *entry;

	node_each(entry, node_get(doc_root(c->meta), "dependencies")) {
		bool found = false;

		for (size_t i = 0; i < c->n_deps; i++)
			found = found || str_eq(c->deps[i]->name, text(entry, "name"));
		if (!found)
			return err_set(err, ERR_NOT_FOUND, "chart '%s': found in Chart.yaml, but missing in charts/ directory: %s", c->path,
				       text(entry, "name"));
	}
	return 0;
}

int deps_process(struct chart *c, const struct node *said, struct err *err)
{
	TRY(check_present(c, err));
	TRY(enable(c, said, "", err));
	return import_values(c, err);
}
