#include "render/kustomize/fieldspec.h"

#include <stdlib.h>

static const struct shape_field fieldspec_fields[] = {
	FIELD_OF(fieldspec, group, "group", STR),
	FIELD_OF(fieldspec, version, "version", STR),
	FIELD_OF(fieldspec, kind, "kind", STR),
	FIELD_OF(fieldspec, path, "path", STR),
	FIELD_OF(fieldspec, create, "create", BOOL),
	{ 0 }
};
const struct shape fieldspec_shape = { sizeof(struct fieldspec), fieldspec_fields };

#define PARTS_MAX 128           /* what a path makes must stay within the depth that documents have */

struct walk {
	struct resource *r;
	const struct fieldspec *spec;
	enum fieldspec_make make;
	fieldspec_set *set;
	void *arg;
	struct err *err;
};

bool fieldspec_selects(const struct fieldspec *f, const struct id *id) { return gvk_selected(id, f->group, f->version, f->kind); }

/* The next part of a path: up to a slash that has no backslash before it. */
static struct sv next_part(const char **path)
{
	const char *start = *path, *p = start;

	while (*p && !(*p == '/' && (p == start || p[-1] != '\\')))
		p++;
	*path = *p ? p + 1 : p;
	return (struct sv){ start, (size_t)(p - start) };
}

static void unescape(struct str *out, struct sv part)
{
	for (size_t i = 0; i < part.n; i++)
		if (part.p[i] != '\\' || i + 1 == part.n || part.p[i + 1] != '/')
			str_add1(out, part.p[i]);
}

static struct node *made(struct walk *w, bool last)
{
	if (!last || w->make == MAKE_MAP)
		return node_map(w->r->doc);
	return node_null(w->r->doc);
}

static int step(struct walk *w, struct node *n, const char *path);

/* The member that a part of the path names, made when that was asked for; NULL: absent. */
static struct node *member(struct walk *w, struct node *map, struct sv key, bool list, bool last)
{
	struct node *n = node_getn(map, key);
	bool make = w->spec->create && w->make && !list;

	if (!n && make) {
		n = made(w, last);
		node_setn(w->r->doc, map, key, n);
	} else if (node_is(n, NODE_NULL) && (make || list)) {
		*n = list ? *node_seq(w->r->doc) : *made(w, last);
	}
	return n;
}

static int step_map(struct walk *w, struct node *map, const char *path)
{
	struct sv part = next_part(&path);
	bool list = sv_ends(part, SV("[]"));
	AUTO(str) plain = { 0 };
	struct node *n;

	if (list)
		part.n -= 2;
	if (memchr(part.p, '\\', part.n)) {
		unescape(&plain, part);
		part = str_sv(&plain);
	}
	if (!part.n)
		return err_set(w->err, ERR_INVALID, "cannot set or create an empty field name");
	n = member(w, map, part, list, !*path);
	return n ? step(w, n, path) : 0;
}

static int step(struct walk *w, struct node *n, const char *path)
{
	struct node *item;

	if (!*path)
		return w->set(w->r, n, w->arg, w->err);
	if (node_is(n, NODE_NULL))
		return 0;
	if (node_is(n, NODE_MAP))
		return step_map(w, n, path);
	if (!node_is(n, NODE_SEQ))
		return err_set(w->err, ERR_INVALID, "expected sequence or mapping node, got %s", node_type_name(n));
	node_each(item, n)
		TRY(step(w, item, path));
	return 0;
}

static size_t count_parts(const char *path)
{
	size_t n = 1;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

int fieldspec_walk(struct resource *r, const struct fieldspec *f, enum fieldspec_make make, fieldspec_set *set, void *arg,
		   struct err *err)
{
	struct walk w = { r, f, make, set, arg, err };
	const char *path = f->path ? f->path : "";
	char *name;
	int result;

	if (!fieldspec_selects(f, resource_id(r)))
		return 0;
	if (count_parts(path) > PARTS_MAX)
		return err_set(err, ERR_TOO_LARGE, "a path has more than %d parts", PARTS_MAX);
	result = step(&w, r->root, path[0] == '/' && path[1] ? path + 1 : path);
	if (result >= 0)
		return 0;
	name = id_text(resource_id(r));
	err_wrap(err, result, "considering field '%s' of object %s", path, name);
	free(name);
	return result;
}

int fieldspecs_walk(struct resource *r, struct fieldspecs all, enum fieldspec_make make, fieldspec_set *set, void *arg,
		    struct err *err)
{
	for (size_t i = 0; i < all.n; i++)
		TRY(fieldspec_walk(r, &all.v[i], make, set, arg, err));
	return 0;
}

static bool covers(const struct fieldspec *have, const struct fieldspec *one)
{
	struct id id = { have->group ? have->group : "", have->version ? have->version : "", have->kind ? have->kind : "", "", "" };

	return str_eq(have->path, one->path) && gvk_selected(&id, one->group, one->version, one->kind);
}

int fieldspecs_merge(struct doc *arena, struct fieldspecs *all, const struct fieldspec *one, struct err *err)
{
	struct fieldspec *grown;

	for (size_t i = 0; i < all->n; i++) {
		if (!covers(&all->v[i], one))
			continue;
		if (all->v[i].create == one->create)
			return 0;
		return err_set(err, ERR_INVALID, "conflicting fieldspecs: path '%s' of kind '%s' is given with create true and false",
			       one->path, one->kind ? one->kind : "");
	}
	grown = doc_alloc(arena, (all->n + 1) * sizeof(*grown));
	if (all->n)
		memcpy(grown, all->v, all->n * sizeof(*grown));
	grown[all->n] = *one;
	*all = (struct fieldspecs){ grown, all->n + 1 };
	return 0;
}
