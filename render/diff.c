#include "render/diff.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/map.h"
#include "base/vec.h"

#define HASH_CHARS "bcdfghkmt2456789"           /* of a generated name's suffix */
#define HASH_N 10

struct writer { struct str *out; struct str path; bool secret; };

static const char *text_at(const struct node *root, const char *path)
{
	struct sv s = node_sv(node_at(root, path));

	return s.n ? s.p : "";
}

/* How alike two objects must be to be taken for one: each pass asks for less. */
enum likeness { SAME_NAME, SAME_BUT_HASH, SAME_BUT_NAMESPACE, SAME_KIND, LIKENESSES };

static char *key_of(const struct node *root, enum likeness how)
{
	const char *name = text_at(root, "metadata.name"), *dash = strrchr(name, '-');
	size_t n = strlen(name);

	if (how >= SAME_BUT_HASH && dash && strlen(dash + 1) == HASH_N && strspn(dash + 1, HASH_CHARS) == HASH_N)
		n = (size_t)(dash - name);
	return str_fmt("%s\n%s\n%s\n%.*s", text_at(root, "apiVersion"), text_at(root, "kind"),
		       how >= SAME_BUT_NAMESPACE ? "" : text_at(root, "metadata.namespace"), how == SAME_KIND ? 0 : (int)n, name);
}

static void title(struct writer *w, char sign, const struct node *root)
{
	const char *ns = text_at(root, "metadata.namespace");

	str_addf(w->out, "%c %s/%s%s%s\n", sign, text_at(root, "kind"), text_at(root, "metadata.name"), *ns ? " in " : "", ns);
}

/* ---- fields ---- */

static bool is_masked(const struct writer *w)
{
	return w->secret && (sv_starts(str_sv(&w->path), SV("data")) || sv_starts(str_sv(&w->path), SV("stringData")) ||
			     sv_starts(str_sv(&w->path), SV("metadata.annotations")));
}

static void add_value(struct writer *w, const struct node *n)
{
	if (is_masked(w))
		str_addf(w->out, "*** (%zu bytes)", node_sv(n).n);
	else
		json_write(w->out, n, JSON_SORTED);
}

static void line(struct writer *w, const struct node *from, const struct node *to)
{
	str_addf(w->out, "  %c %s: ", from && to ? '~' : to ? '+' : '-', str_c(&w->path));
	if (from)
		add_value(w, from);
	if (from && to)
		str_addc(w->out, " -> ");
	if (to)
		add_value(w, to);
	str_add1(w->out, '\n');
}

static void fields(struct writer *w, const struct node *from, const struct node *to);

static void at_key(struct writer *w, struct sv key, const struct node *from, const struct node *to)
{
	size_t mark = w->path.n;
	bool plain = key.n && !memchr(key.p, '.', key.n) && !memchr(key.p, '/', key.n);

	str_addf(&w->path, plain ? "%s%.*s" : "%s[%.*s]", plain && mark ? "." : "", SV_ARG(key));
	fields(w, from, to);
	str_cut(&w->path, mark);
}

static void maps(struct writer *w, const struct node *from, const struct node *to)
{
	const struct member *m;

	node_members(m, from)
		at_key(w, (struct sv){ m->key, m->key_n }, m->value, node_getn(to, (struct sv){ m->key, m->key_n }));
	node_members(m, to)
		if (!node_getn(from, (struct sv){ m->key, m->key_n }))
			at_key(w, (struct sv){ m->key, m->key_n }, NULL, m->value);
}

static bool all_named(const struct node *list)
{
	const struct node *item;

	node_each(item, list)
		if (!node_text(node_get(item, "name")))
			return false;
	return list->n > 0;
}

static const struct node *named(const struct node *list, const char *name)
{
	const struct node *item;

	node_each(item, list)
		if (str_eq(node_text(node_get(item, "name")), name))
			return item;
	return NULL;
}

static void at_item(struct writer *w, const char *name, size_t at, const struct node *from, const struct node *to)
{
	size_t mark = w->path.n;

	if (name)
		str_addf(&w->path, "[%s]", name);
	else
		str_addf(&w->path, "[%zu]", at);
	fields(w, from, to);
	str_cut(&w->path, mark);
}

static void lists(struct writer *w, const struct node *from, const struct node *to)
{
	const struct node *item;

	if (all_named(from) && all_named(to)) {
		node_each(item, from)
			at_item(w, node_text(node_get(item, "name")), 0, item, named(to, node_text(node_get(item, "name"))));
		node_each(item, to)
			if (!named(from, node_text(node_get(item, "name"))))
				at_item(w, node_text(node_get(item, "name")), 0, NULL, item);
		return;
	}
	for (size_t i = 0; i < from->n || i < to->n; i++)
		at_item(w, NULL, i, node_item(from, i), node_item(to, i));
}

static void fields(struct writer *w, const struct node *from, const struct node *to)
{
	if (from && to && node_eq(from, to))
		return;
	if (node_is(from, NODE_MAP) && node_is(to, NODE_MAP))
		maps(w, from, to);
	else if (node_is(from, NODE_SEQ) && node_is(to, NODE_SEQ))
		lists(w, from, to);
	else if ((node_n(from) && !to && from->type == NODE_MAP) || (node_n(to) && !from && to->type == NODE_MAP))
		maps(w, from, to);
	else
		line(w, from, to);
}

/* ---- objects ---- */

/* An old object that could be this one, by its key; several of the same key are nobody's. */
struct pairing { const struct docs *from, *to; const struct node **match; bool *used; };

static void enter(struct map *m, const struct node *root, enum likeness how, size_t at)
{
	char *key = key_of(root, how);

	if (map_put(m, sv_c(key), (void *)(uintptr_t)at))
		map_put(m, sv_c(key), (void *)(uintptr_t)SIZE_MAX);
	free(key);
}

static size_t found(const struct map *m, const struct node *root, enum likeness how)
{
	char *key = key_of(root, how);
	size_t at = (size_t)(uintptr_t)map_get(m, sv_c(key));

	free(key);
	return at == SIZE_MAX ? 0 : at;
}

static void pair(struct pairing *p, enum likeness how)
{
	struct map old = { 0 }, new = { 0 };

	for (size_t i = 0; i < p->from->n; i++)
		if (!p->used[i])
			enter(&old, doc_root(p->from->v[i]), how, i + 1);
	for (size_t i = 0; i < p->to->n; i++)
		if (!p->match[i])
			enter(&new, doc_root(p->to->v[i]), how, i + 1);
	for (size_t i = 0; i < p->to->n; i++) {
		const struct node *root = doc_root(p->to->v[i]);
		size_t at = p->match[i] || found(&new, root, how) != i + 1 ? 0 : found(&old, root, how);

		if (!at)
			continue;
		p->match[i] = doc_root(p->from->v[at - 1]);
		p->used[at - 1] = true;
	}
	map_free(&old);
	map_free(&new);
}

static size_t changed(struct writer *w, const struct node *from, const struct node *to)
{
	if (node_eq(from, to))
		return 0;
	title(w, '~', to);
	w->secret = !strcmp(text_at(to, "kind"), "Secret");
	str_cut(&w->path, 0);
	fields(w, from, to);
	return 1;
}

size_t objects_diff(const struct docs *from, const struct docs *to, struct str *out)
{
	struct pairing p = {
		.from = from, .to = to,
		.match = calloc(to->n + 1, sizeof(*p.match)), .used = calloc(from->n + 1, sizeof(*p.used)),
	};
	struct writer w = { .out = out };
	size_t n = 0;

	if (!p.used || !p.match)
		abort();
	for (int how = 0; how < LIKENESSES; how++)
		pair(&p, (enum likeness)how);
	for (size_t i = 0; i < to->n; i++) {
		const struct node *root = doc_root(to->v[i]);

		if (!p.match[i])
			title(&w, '+', root);
		n += p.match[i] ? changed(&w, p.match[i], root) : 1;
	}
	for (size_t i = 0; i < from->n; i++) {
		if (p.used[i])
			continue;
		title(&w, '-', doc_root(from->v[i]));
		n++;
	}
	str_free(&w.path);
	free(p.match);
	free(p.used);
	return n;
}
