#include "render/trail.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/map.h"

struct change { const char *what, *where, *before; };

struct trail {
	struct doc *d;                  /* texts and the snapshot */
	struct node *first;             /* the object as it was read; NULL: it was made */
	struct node *seen;              /* the object after the last step */
	struct map changes;             /* path -> its last change */
};

struct step { struct trail *t; const char *what, *where; };

struct trail *trail_new(void)
{
	struct trail *t = calloc(1, sizeof(*t));

	if (!t)
		abort();
	t->d = doc_new();
	return t;
}

void trail_drop(struct trail **tp)
{
	struct trail *t = TAKE(*tp);

	if (!t)
		return;
	map_free(&t->changes);
	doc_drop(&t->d);
	free(t);
}

/* ---- paths ---- */

static void add_key(struct str *path, struct sv key)
{
	bool plain = key.n && !memchr(key.p, '.', key.n) && !memchr(key.p, '/', key.n);

	if (plain)
		str_addf(path, "%s%.*s", path->n ? "." : "", SV_ARG(key));
	else
		str_addf(path, "[%.*s]", SV_ARG(key));
}

static struct sv item_name(const struct node *item)
{
	const char *name = node_text(node_get(item, "name"));

	return sv_c(name);
}

static void add_item(struct str *path, const struct node *item, size_t at)
{
	struct sv name = item_name(item);

	if (name.n)
		str_addf(path, "[%.*s]", SV_ARG(name));
	else
		str_addf(path, "[%zu]", at);
}

static const struct node *same_item(const struct node *list, const struct node *item, size_t at)
{
	struct sv name = item_name(item);
	const struct node *other;

	if (!node_is(list, NODE_SEQ))
		return NULL;
	if (!name.n)
		return node_item(list, at);
	node_each(other, list)
		if (sv_eq(item_name(other), name))
			return other;
	return NULL;
}

/* ---- noting ---- */

static void note(struct step *s, const struct str *path, const struct node *before)
{
	struct change *c = doc_alloc(s->t->d, sizeof(*c));
	AUTO(str) text = { 0 };

	if (before)
		json_write(&text, before, 0);
	c->what = s->what;
	c->where = s->where;
	c->before = before ? doc_text(s->t->d, str_sv(&text)) : NULL;
	map_put(&s->t->changes, str_sv(path), c);
}

static void compare(struct step *s, struct str *path, const struct node *old, const struct node *now)
{
	const struct member *m;
	const struct node *item;
	size_t mark = path->n, at = 0;

	if (node_is(now, NODE_MAP) && now->n && (!old || old->type == NODE_MAP)) {
		node_members(m, now) {
			add_key(path, (struct sv){ m->key, m->key_n });
			compare(s, path, node_getn(old, (struct sv){ m->key, m->key_n }), m->value);
			str_cut(path, mark);
		}
	} else if (node_is(now, NODE_SEQ) && now->n && (!old || old->type == NODE_SEQ)) {
		node_each(item, now) {
			add_item(path, item, at);
			compare(s, path, same_item(old, item, at), item);
			str_cut(path, mark);
			at++;
		}
	} else if (!old || !node_eq(old, now)) {
		note(s, path, old);
	}
}

void trail_note(struct trail *t, const struct doc *d, const struct node *root, const char *what, const char *where)
{
	struct step s = { t, what ? doc_text(t->d, sv_c(what)) : NULL, where ? doc_text(t->d, sv_c(where)) : NULL };
	AUTO(str) path = { 0 };

	(void)d;
	if (what && !(t->seen && node_eq(t->seen, root)))
		compare(&s, &path, t->seen, root);
	else if (t->seen)
		return;
	t->seen = node_copy(t->d, root);
	if (!what)
		t->first = t->seen;
}

/* ---- telling ---- */

struct telling { const struct trail *t; const struct doc *d; struct sv field; struct str *out; };

/* "spec.containers" asks for everything that goes on after it at a dot or a bracket. */
static bool asked_for(const struct telling *w, const struct str *path)
{
	return !w->field.n || (sv_starts(str_sv(path), w->field) && (path->n == w->field.n || strchr(".[", path->p[w->field.n])));
}

/* A field that no step changed was set where it was read, even if a patch has said the same again. */
static void tell(const struct telling *w, const struct str *path, const struct node *first, const struct node *n)
{
	const struct change *c = map_get(&w->t->changes, str_sv(path));
	char at[256];

	if (!asked_for(w, path))
		return;
	str_addf(w->out, "%s: ", str_c(path));
	json_write(w->out, n, 0);
	node_where(w->d, !c && first ? first : n, at);
	str_addf(w->out, "\n    set by %s%s%s\n", *at ? at : c && c->where ? c->where : "its source", c && c->what ? ", " : "",
		 c && c->what ? c->what : "");
	if (c && c->what && *at && c->where && strcmp(at, c->where) != 0)
		str_addf(w->out, "    in %s\n", c->where);
	if (c && c->before)
		str_addf(w->out, "    before: %s\n", c->before);
}

static void tell_below(const struct telling *w, struct str *path, const struct node *first, const struct node *n)
{
	const struct member *m;
	const struct node *item;
	size_t mark = path->n, at = 0;

	if (n->type < NODE_SEQ || !n->n) {
		tell(w, path, first, n);
		return;
	}
	node_members(m, n) {
		add_key(path, (struct sv){ m->key, m->key_n });
		tell_below(w, path, node_getn(first, (struct sv){ m->key, m->key_n }), m->value);
		str_cut(path, mark);
	}
	node_each(item, n) {
		add_item(path, item, at);
		tell_below(w, path, same_item(first, item, at), item);
		str_cut(path, mark);
		at++;
	}
}

void trail_explain(const struct trail *t, const struct doc *d, const struct node *root, const char *field, struct str *out)
{
	struct telling w = { t, d, sv_c(field), out };
	AUTO(str) path = { 0 };

	tell_below(&w, &path, t->first, root);
}
