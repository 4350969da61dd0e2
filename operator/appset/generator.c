/* operator/appset/generator.c - the generators: list, git, branches, clusters, matrix, merge. */
#include "operator/appset/generator.h"

#include <stdlib.h>

#include "base/fiber.h"
#include "base/glob.h"
#include "base/json.h"
#include "base/vec.h"
#include "base/yaml.h"
#include "kube/patch/patch.h"
#include "kube/selector.h"
#include "operator/appset/git-files.h"
#include "operator/appset/slug.h"
#include "operator/git/credentials.h"

#define DEPTH 4                         /* generators inside generators */
#define BRANCHES_MAX 1000

typedef int generator_fn(struct generating *g, const struct node *spec, struct node *out, struct err *err, int depth);

static int generate_at(struct generating *g, const struct node *generator, struct node *out, struct err *err, int depth);

/* `values` of a generator: templates over its own parameters, as values.NAME. */
static int add_values(struct generating *g, const struct node *spec, struct node *params, struct err *err)
{
	struct node *values;
	const struct member *m;

	if (!node_n(node_get(spec, "values")))
		return 0;
	TRY(fill_tree(g->filler, g->d, node_get(spec, "values"), params, &values, err));
	if (g->go_template) {
		node_set(g->d, params, "values", values);
		return 0;
	}
	node_members(m, values) {
		AUTO(str) key = { 0 };
		str_addf(&key, "values.%s", m->key);
		node_setn(g->d, params, str_sv(&key), m->value);
	}
	return 0;
}

static int add(struct generating *g, const struct node *spec, struct node *params, struct node *out, struct err *err)
{
	TRY(add_values(g, spec, params, err));
	node_add(g->d, out, params);
	return 0;
}

static void put(struct generating *g, struct node *params, const char *key, const char *value)
{
	node_set(g->d, params, key, node_str(g->d, value));
}

/* ---- list, clusters ---- */

static int add_element(struct generating *g, const struct node *element, struct node *out, struct err *err)
{
	struct node *params = g->go_template ? node_copy(g->d, element) : node_map(g->d);

	if (!node_is(element, NODE_MAP))
		return err_set(err, ERR_INVALID, "list: an element is not a mapping");
	if (!g->go_template)
		params_flatten(g->d, element, "", params);
	node_add(g->d, out, params);
	return 0;
}

static int from_list(struct generating *g, const struct node *spec, struct node *out, struct err *err, int depth)
{
	const struct node *it;
	const char *text = node_str_or(spec, "elementsYaml", "");
	AUTO_DOC doc = NULL;

	(void)depth;
	node_each(it, node_get(spec, "elements"))
		TRY(add_element(g, it, out, err));
	if (!*text)
		return 0;
	TRY(yaml_read(sv_c(text), "elementsYaml", 0, &doc, err));
	node_each(it, doc_root(doc))
		TRY(add_element(g, it, out, err));
	return 0;
}

static int from_clusters(struct generating *g, const struct node *spec, struct node *out, struct err *err, int depth)
{
	struct node *params = node_map(g->d);

	(void)depth;
	if (node_n(node_get(spec, "selector")))
		return 0;               /* the local cluster has no Secret whose labels a selector could match */
	put(g, params, "name", "in-cluster");
	put(g, params, "nameNormalized", "in-cluster");
	put(g, params, "server", "https://kubernetes.default.svc");
	put(g, params, "project", "");
	return add(g, spec, params, out, err);
}

/* ---- git ---- */

struct asked { struct credentials credentials; struct repo_want want; };

static void asked_free(struct asked *a)
{
	credentials_free(&a->credentials);
}

static int ask(struct generating *g, const struct node *spec, struct asked *a, struct err *err)
{
	const char *url = node_str_or(spec, "repoURL", "");

	g->asks_git = true;
	if (!*url)
		return err_set(err, ERR_INVALID, "repoURL is missing");
	a->want = (struct repo_want){ .url = url, .revision = node_str_or(spec, "revision", ""),
				      .access = credentials_find(&a->credentials, g->client, g->ns, url) };
	return 0;
}

static int by_branch_name(const void *a, const void *b)
{
	return strcmp(((const struct revision *)a)->name, ((const struct revision *)b)->name);
}

static bool any_matches(const struct node *patterns, struct sv name)
{
	const struct node *it;

	node_each(it, patterns)
		if (glob_match(node_sv(it), name))
			return true;
	return false;
}

static bool wanted_branch(const struct node *spec, struct sv name)
{
	const struct node *include = node_get(spec, "include");

	return (!node_n(include) || any_matches(include, name)) && !any_matches(node_get(spec, "exclude"), name);
}

static int add_branch(struct generating *g, const struct node *spec, struct sv name, const char *sha, struct node *out,
		      struct err *err)
{
	struct node *params = node_map(g->d);
	AUTO(str) slug = { 0 };
	AUTO(str) normal = { 0 };

	slug_write(&slug, name);
	name_normalize(&normal, name);
	node_set(g->d, params, "branch", node_strn(g->d, name));
	put(g, params, "branch_slug", str_c(&slug));
	put(g, params, "branchNormalized", str_c(&normal));
	put(g, params, "sha", sha);
	put(g, params, "head_sha", sha);
	node_set(g->d, params, "short_sha", node_strf(g->d, "%.8s", sha));
	node_set(g->d, params, "short_sha_7", node_strf(g->d, "%.7s", sha));
	put(g, params, "repoURL", node_str_or(spec, "repoURL", ""));
	return add(g, spec, params, out, err);
}

/* A pattern that is not read would let every branch in. */
static int check_patterns(const struct node *spec, const char *field, struct err *err)
{
	const struct node *it, *list = node_get(spec, field);

	if (list && !node_is(list, NODE_SEQ) && !node_is(list, NODE_NULL))
		return err_set(err, ERR_INVALID, "%s: want a list of patterns", field);
	node_each(it, list)
		if (!node_is(it, NODE_STR))
			return err_set(err, ERR_INVALID, "%s: want a list of patterns, which are texts", field);
	return 0;
}

static int from_branches(struct generating *g, const struct node *spec, struct node *out, struct err *err, int depth)
{
	__attribute__((cleanup(asked_free))) struct asked a = { 0 };
	AUTO(git_refs) all = { 0 };
	int64_t limit = BRANCHES_MAX, n = 0;

	(void)depth;
	TRY(check_patterns(spec, "include", err));
	TRY(check_patterns(spec, "exclude", err));
	if (node_get(spec, "limit") && (!node_to_i64(node_get(spec, "limit"), &limit) || limit < 1))
		return err_set(err, ERR_INVALID, "limit: want a whole number from 1");
	TRY(ask(g, spec, &a, err));
	TRY(repo_list(g->repos, &a.want, &all, err));
	if (all.n)
		qsort(all.v, all.n, sizeof *all.v, by_branch_name);
	for (size_t i = 0; i < all.n; i++) {
		struct sv name = sv_c(all.v[i].name);
		if (!sv_starts(name, SV("refs/heads/")) || !wanted_branch(spec, sv_drop(name, 11)))
			continue;
		if (n++ >= limit)
			return err_set(err, ERR_TOO_LARGE, "branches: more than %lld branches match; raise limit, or match fewer",
				       (long long)limit);
		TRY(add_branch(g, spec, sv_drop(name, 11), all.v[i].sha, out, err));
	}
	return 0;
}

static int from_git(struct generating *g, const struct node *spec, struct node *out, struct err *err, int depth)
{
	__attribute__((cleanup(asked_free))) struct asked a = { 0 };
	struct git_files_job j = { .spec = spec, .go_template = g->go_template };
	AUTO(str) dir = { 0 };
	struct node *it;
	int r;

	(void)depth;
	TRY(ask(g, spec, &a, err));
	TRY(repo_resolve(g->repos, &a.want, j.sha, err));
	TRY(repo_dir(g->repos, a.want.url, &dir, err));
	j.dir = str_c(&dir);
	fiber_job(git_files_run, &j);
	r = err_move(err, &j.err);
	for (size_t i = 0; r >= 0 && j.found && i < doc_root(j.found)->n; i++) {
		it = node_copy(g->d, doc_root(j.found)->items[i]);
		r = add(g, spec, it, out, err);
	}
	doc_drop(&j.found);
	return r;
}

/* ---- generators of generators ---- */

static int merge_params(struct generating *g, const struct node *a, const struct node *b, struct node **out, struct err *err)
{
	const struct member *m;

	*out = node_copy(g->d, a);
	node_members(m, b) {
		const struct node *old = node_getn(a, (struct sv){ m->key, m->key_n });
		if (old && !g->go_template && !node_eq(old, m->value))
			return err_set(err, ERR_INVALID, "matrix: both generators give '%s', with different values", m->key);
		if (!old)
			node_setn(g->d, *out, (struct sv){ m->key, m->key_n }, node_copy(g->d, m->value));
	}
	return 0;
}

static int from_matrix(struct generating *g, const struct node *spec, struct node *out, struct err *err, int depth)
{
	const struct node *children = node_get(spec, "generators");
	struct node *first = node_seq(g->d), *filled, *both;

	if (node_n(children) != 2)
		return err_set(err, ERR_INVALID, "matrix: want exactly two generators");
	TRY(generate_at(g, node_item(children, 0), first, err, depth + 1));
	for (size_t i = 0; i < first->n; i++) {
		struct node *second = node_seq(g->d);
		TRY(fill_tree(g->filler, g->d, node_item(children, 1), first->items[i], &filled, err));
		TRY(generate_at(g, filled, second, err, depth + 1));
		for (size_t k = 0; k < second->n; k++) {
			TRY(merge_params(g, first->items[i], second->items[k], &both, err));
			node_add(g->d, out, both);
		}
	}
	return 0;
}

static bool same_keys(const struct node *keys, const struct node *a, const struct node *b)
{
	const struct node *k;

	node_each(k, keys)
		if (!node_eq(node_getn(a, node_sv(k)), node_getn(b, node_sv(k))))
			return false;
	return true;
}

static int from_merge(struct generating *g, const struct node *spec, struct node *out, struct err *err, int depth)
{
	const struct node *children = node_get(spec, "generators"), *keys = node_get(spec, "mergeKeys");
	struct node *base = node_seq(g->d);

	if (node_n(children) < 2 || !node_n(keys))
		return err_set(err, ERR_INVALID, "merge: want at least two generators, and mergeKeys");
	TRY(generate_at(g, node_item(children, 0), base, err, depth + 1));
	for (size_t i = 0; i < base->n; i++)
		for (size_t k = i + 1; k < base->n; k++)
			if (same_keys(keys, base->items[i], base->items[k]))
				return err_set(err, ERR_INVALID, "merge: the first generator gives the same mergeKeys twice");
	for (size_t c = 1; c < node_n(children); c++) {
		struct node *over = node_seq(g->d);
		TRY(generate_at(g, node_item(children, c), over, err, depth + 1));
		for (size_t i = 0; i < base->n; i++)
			for (size_t k = 0; k < over->n; k++)
				if (same_keys(keys, base->items[i], over->items[k]))
					base->items[i] = patch_merge(g->d, base->items[i], over->items[k]);
	}
	for (size_t i = 0; i < base->n; i++)
		node_add(g->d, out, base->items[i]);
	return 0;
}

/* ---- the table ---- */

#define FIELDS(...) (const char *const[]){ __VA_ARGS__, "template", NULL }

static const struct { const char *name; generator_fn *fn; const char *const *fields; } generators[] = {
	{ "list", from_list, FIELDS("elements", "elementsYaml") },
	{ "clusters", from_clusters, FIELDS("selector", "values") },
	{ "git", from_git, FIELDS("repoURL", "revision", "directories", "files", "pathParamPrefix", "values", "requeueAfterSeconds") },
	{ "branches", from_branches, FIELDS("repoURL", "include", "exclude", "limit", "values", "requeueAfterSeconds") },
	{ "matrix", from_matrix, FIELDS("generators") },
	{ "merge", from_merge, FIELDS("generators", "mergeKeys") },
};

static size_t find_row(const char *name)
{
	size_t i = 0;

	while (i < sizeof generators / sizeof *generators && !str_eq(generators[i].name, name))
		i++;
	return i;
}

/* An entry has one generator, and perhaps a selector of what it gives. */
static int find_generator(const struct node *entry, size_t *row, struct err *err)
{
	const size_t none = sizeof generators / sizeof *generators;
	const struct member *m;

	*row = none;
	node_members(m, entry) {
		if (str_eq(m->key, "selector"))
			continue;
		if (*row != none)
			return err_set(err, ERR_INVALID, "generators %s and %s are in one entry; each is an entry of the list", generators[*row].name,
				       m->key);
		*row = find_row(m->key);
		if (*row == none)
			return err_set(err, ERR_UNSUPPORTED, "generator '%s' is not known; there are list, git, branches, clusters, matrix and "
				       "merge", m->key);
	}
	return *row == none ? err_set(err, ERR_INVALID, "an entry of generators is empty") : 0;
}

static int check_fields(const struct node *spec, const char *const *fields, struct err *err)
{
	const struct member *m;

	node_members(m, spec) {
		const char *const *f = fields;

		while (*f && !str_eq(*f, m->key))
			f++;
		if (!*f)
			return err_set(err, ERR_INVALID, "field '%s' is not known", m->key);
	}
	return 0;
}

/* What the selector of an entry does not match goes again; parameters are its labels, those in mappings under flat keys. */
static int select_params(struct generating *g, const struct node *entry, struct node *out, size_t from, struct err *err)
{
	struct selector *s = NULL;
	size_t kept = from;

	if (!node_get(entry, "selector"))
		return 0;
	TRY(err_wrap(err, selector_of(node_get(entry, "selector"), &s, err), "selector"));
	for (size_t i = from; i < out->n; i++) {
		struct node *labels = node_map(g->d);

		params_flatten(g->d, out->items[i], "", labels);
		if (selector_matches(s, labels))
			out->items[kept++] = out->items[i];
	}
	out->n = (uint32_t)kept;
	selector_free(&s);
	return 0;
}

static void note_requeue(struct generating *g, const struct node *spec)
{
	int64_t s = node_int_at(spec, "requeueAfterSeconds", 0);

	if (s > 0 && (!g->requeue_s || s < g->requeue_s))
		g->requeue_s = s;
}

static int generate_at(struct generating *g, const struct node *generator, struct node *out, struct err *err, int depth)
{
	size_t before = out->n, row;

	if (depth > DEPTH)
		return err_set(err, ERR_INVALID, "generators are nested too deeply");
	TRY(find_generator(generator, &row, err));
	const struct node *spec = node_get(generator, generators[row].name), *own = node_get(spec, "template");
	int r = check_fields(spec, generators[row].fields, err);
	if (r >= 0)
		r = generators[row].fn(g, spec, out, err, depth);
	if (r >= 0)
		r = select_params(g, generator, out, before, err);
	if (r < 0)
		return err_wrap(err, r, "generator %s", generators[row].name);
	note_requeue(g, spec);
	for (size_t k = before; own && k < out->n; k++)         /* a template of the generator's own goes over that of the set */
		node_set(g->d, out->items[k], GENERATOR_TEMPLATE, node_copy(g->d, own));
	return 0;
}

int generate(struct generating *g, const struct node *generator, struct node *out, struct err *err)
{
	return generate_at(g, generator, out, err, 0);
}

void generator_repositories(const struct node *list, bool (*fn)(void *arg, const char *url), void *arg)
{
	const struct node *it;

	node_each(it, list) {
		const char *git = node_str_at(it, "git.repoURL"), *branches = node_str_at(it, "branches.repoURL");
		if ((git && !fn(arg, git)) || (branches && !fn(arg, branches)))
			return;
		generator_repositories(node_at(it, "matrix.generators"), fn, arg);
		generator_repositories(node_at(it, "merge.generators"), fn, arg);
	}
}
