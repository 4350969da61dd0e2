#include "render/kustomize/path.h"

#include "base/yaml.h"
#include "base/regex.h"

#define MATCHES_MAX 100000
#define PARTS_MAX 128           /* what a path makes must stay within the depth that documents have */

struct match {
	struct doc *d;
	int create;
	struct nodes *out;
	struct err *err;
};

/* ---- splitting ---- */

static void split_plain(struct doc *arena, const char *path, struct parts *out)
{
	AUTO(str) part = { 0 };

	if (*path == '.' && path[1])
		path++;
	for (;; path++) {
		if (*path == '\\' && path[1] == '.') {
			str_add1(&part, *++path);
		} else if (*path == '.' || !*path) {
			vec_push(out, doc_text(arena, str_sv(&part)));
			str_cut(&part, 0);
			if (!*path)
				return;
		} else {
			str_add1(&part, *path);
		}
	}
}

static const char *without_brackets(struct doc *arena, struct sv s)
{
	while (s.n && (*s.p == '[' || *s.p == ']'))
		s = sv_drop(s, 1);
	while (s.n && (s.p[s.n - 1] == '[' || s.p[s.n - 1] == ']'))
		s.n--;
	return doc_text(arena, s);
}

void path_split(struct doc *arena, const char *path, struct parts *out)
{
	struct parts plain = { 0 };
	AUTO(str) joined = { 0 };

	split_plain(arena, path, &plain);
	for (size_t i = 0; i < plain.n; i++) {
		if (plain.v[i][0] != '[' || sv_ends(sv_c(plain.v[i]), SV("]"))) {
			vec_push(out, plain.v[i]);
			continue;
		}
		str_set(&joined, plain.v[i]);
		while (i + 1 < plain.n && !sv_ends(str_sv(&joined), SV("]")))
			str_addf(&joined, ".%s", plain.v[++i]);
		vec_push(out, strchr(str_c(&joined), '=') ? doc_text(arena, str_sv(&joined)) :
							    without_brackets(arena, str_sv(&joined)));
	}
	vec_free(&plain);
}

/* ---- parts ---- */

static bool is_index(const char *p, int64_t *at) { return sv_to_i64(sv_c(p), at) && *at >= 0; }
static bool is_element(const char *p) { return p[0] == '[' && sv_ends(sv_c(p), SV("]")); }

static int element_parts(const char *p, struct sv *key, struct sv *value, struct err *err)
{
	struct sv inside = { p + 1, strlen(p) - 2 };

	if (!sv_cut(inside, '=', key, value))
		return err_set(err, ERR_INVALID, "'%s': a list is searched with [field=value]", p);
	return 0;
}

static int want(const struct node *n, enum node_type type, const char *part, struct err *err)
{
	if (node_is(n, type))
		return 0;
	return err_set(err, ERR_INVALID, "'%s': wrong node kind: want %s, got %s", part, type == NODE_SEQ ? "a list" : "a mapping",
		       node_type_name(n));
}

/* ---- one node ---- */

static int find_element(const struct node *n, const char *part, struct node **out, struct err *err)
{
	struct sv key, value;
	struct node *item;

	TRY(element_parts(part, &key, &value, err));
	TRY(want(n, NODE_SEQ, part, err));
	node_each(item, n) {
		const struct node *v = key.n ? node_getn(item, key) : item;

		if (v && v->type < NODE_SEQ && sv_eq(node_sv(v), value)) {
			*out = item;
			return 0;
		}
	}
	return 0;
}

static int find_part(const struct node *n, const char *part, struct node **out, struct err *err)
{
	int64_t at;

	*out = NULL;
	if (is_index(part, &at) || !strcmp(part, "-")) {
		TRY(want(n, NODE_SEQ, part, err));
		*out = *part == '-' ? n->n ? n->items[n->n - 1] : NULL : node_item(n, (size_t)at);
		return 0;
	}
	if (!strcmp(part, "*"))
		return err_set(err, ERR_INVALID, "'*' is not supported here: the path must lead to one value");
	if (is_element(part))
		return find_element(n, part, out, err);
	if (node_is(n, NODE_NULL))
		return 0;
	TRY(want(n, NODE_MAP, part, err));
	*out = node_get(n, part);
	return 0;
}

int path_find(const struct node *root, const struct parts *path, struct node **out, struct err *err)
{
	struct node *at = (struct node *)root;

	for (size_t i = 0; at && i < path->n; i++)
		if (*path->v[i])
			TRY(find_part(at, path->v[i], &at, err));
	*out = at;
	return 0;
}

/* ---- every node ---- */

static struct node *made(struct match *m, const char *next)
{
	int64_t at;

	if (next && (is_element(next) || is_index(next, &at)))
		return node_seq(m->d);
	if (next)
		return node_map(m->d);
	return m->create == NODE_SEQ ? node_seq(m->d) : m->create == NODE_MAP ? node_map(m->d) : node_null(m->d);
}

static int walk(struct match *m, struct node *n, const char *const *path, size_t left);

static int walk_field(struct match *m, struct node *n, const char *const *path, size_t left)
{
	struct node *field = node_get(n, path[0]), *parsed;
	struct doc *inside = NULL;

	if (!node_is(n, NODE_NULL) || m->create != PATH_NO_CREATE)
		TRY(want(n, NODE_MAP, path[0], m->err));
	if (!field && m->create == PATH_NO_CREATE)
		return 0;
	if (!field) {
		field = made(m, left > 1 ? path[1] : NULL);
		node_set(m->d, n, path[0], field);
	}
	if (field->type >= NODE_SEQ || left == 1)
		return walk(m, field, path + 1, left - 1);
	/* The text may hold YAML or JSON; what is found in it is a value to look at, and not a place that can be written. */
	TRY(yaml_read(node_sv(field), path[0], YAML_UNIQUE_KEYS | YAML_1_2, &inside, m->err));
	parsed = doc_root(inside) ? node_copy(m->d, doc_root(inside)) : node_null(m->d);
	doc_drop(&inside);
	return walk(m, parsed, path + 1, left - 1);
}

static int walk_index(struct match *m, struct node *n, const char *const *path, size_t left, int64_t at)
{
	TRY(want(n, NODE_SEQ, path[0], m->err));
	if ((int64_t)n->n == at && m->create != PATH_NO_CREATE)
		node_add(m->d, n, made(m, left > 1 ? path[1] : NULL));
	if ((int64_t)n->n <= at)
		return err_set(m->err, ERR_INVALID, "index %lld specified but only %u elements found", (long long)at, n->n);
	return walk(m, n->items[at], path + 1, left - 1);
}

static int walk_matching(struct match *m, struct node *n, const char *const *path, size_t left, struct sv key, const struct regex *re)
{
	struct node *item;
	size_t before = m->out->n;

	node_each(item, n) {
		const struct node *v = key.n ? node_getn(item, key) : item;
		int hit = v && v->type < NODE_SEQ ? regex_matches(re, sv_trim(node_sv(v)), m->err) : 0;

		TRY(hit);
		if (hit && key.n)
			TRY(walk(m, item, path + 1, left - 1));
		else if (hit)
			vec_push(m->out, item);
	}
	return m->out->n > before;
}

static int walk_elements(struct match *m, struct node *n, const char *const *path, size_t left)
{
	AUTO(regex) re = { 0 };
	AUTO(str) pattern = { 0 };
	struct sv key, value;
	struct node *item;
	int found;

	TRY(element_parts(path[0], &key, &value, m->err));
	TRY(want(n, NODE_SEQ, path[0], m->err));
	str_add(&pattern, value);
	TRY(regex_init(&re, str_c(&pattern), false, m->err));
	found = walk_matching(m, n, path, left, key, &re);
	if (found || m->create == PATH_NO_CREATE)
		return found < 0 ? found : 0;
	item = node_strn(m->d, value);
	if (key.n) {
		struct node *map = node_map(m->d);

		node_setn(m->d, map, key, item);
		item = map;
	}
	node_add(m->d, n, item);
	found = walk_matching(m, n, path, left, key, &re);
	return found < 0 ? found : 0;
}

static int walk(struct match *m, struct node *n, const char *const *path, size_t left)
{
	struct node *item;
	int64_t at;

	if (!left) {
		if (m->out->n >= MATCHES_MAX)
			return err_set(m->err, ERR_TOO_LARGE, "a path matches more than %d fields", MATCHES_MAX);
		vec_push(m->out, n);
		return 0;
	}
	if (is_index(path[0], &at))
		return walk_index(m, n, path, left, at);
	if (is_element(path[0]))
		return walk_elements(m, n, path, left);
	if (strcmp(path[0], "*"))
		return walk_field(m, n, path, left);
	TRY(want(n, NODE_SEQ, path[0], m->err));
	node_each(item, n)
		TRY(walk(m, item, path + 1, left - 1));
	return 0;
}

int path_match(struct doc *d, struct node *root, const char *const *path, size_t n, int create, struct nodes *out, struct err *err)
{
	struct match m = { d, create, out, err };

	if (n > PARTS_MAX)
		return err_set(err, ERR_TOO_LARGE, "a path has more than %d parts", PARTS_MAX);
	return walk(&m, root, path, n);
}
