/* What is wrong with an object in a file that a person wrote: where it is, and what was probably meant. */
#include "kube/schema/schema.h"
#include "kube/schema/types.h"
#include "kube/schema/walk.h"

#include <stdlib.h>

struct reader { const struct doc *d; struct str path, text; size_t n; };

static void object(struct reader *r, const struct node *n, const struct type *t);

/* The known field whose name is nearest, or NULL when none is near. */
static const char *nearest(const struct type *t, const char *name)
{
	size_t best = strlen(name) / 3 + 2;
	const char *found = NULL;

	for (size_t i = 0; i < t->n_fields; i++) {
		size_t d = sv_distance(sv_c(t->fields[i].name), sv_c(name));

		if (d < best) {
			best = d;
			found = t->fields[i].name;
		}
	}
	return found;
}

static void line(struct reader *r, const struct node *n, uint32_t at)
{
	if (r->n++)
		str_add1(&r->text, '\n');
	str_addf(&r->text, "%s:%u: %s: ", doc_source_name(r->d, n->source), at, str_c(&r->path));
}

static void unknown(struct reader *r, const struct member *m, const struct type *t)
{
	const char *near = nearest(t, m->key);

	line(r, m->value, m->line);
	str_addc(&r->text, "unknown field");
	if (near)
		str_addf(&r->text, " (did you mean %s?)", near);
}

static void children(struct reader *r, const struct node *v, const struct field *f)
{
	size_t at = r->path.n;
	struct node *it;
	struct member *m;

	if (f->container == FIELD_ONE) {
		object(r, v, f->of);
		return;
	}
	node_each(it, v) {
		path_index(&r->path, i_);
		object(r, it, f->of);
		str_cut(&r->path, at);
	}
	node_members(m, v) {
		path_key(&r->path, m->key);
		object(r, m->value, f->of);
		str_cut(&r->path, at);
	}
}

static void object(struct reader *r, const struct node *n, const struct type *t)
{
	size_t at = r->path.n;
	struct member *m;

	node_members(m, n) {
		const struct field *f = type_field(t, (struct sv){ m->key, m->key_n });

		path_field(&r->path, m->key);
		if (!f)
			unknown(r, m, t);
		else if (f->of)
			children(r, m->value, f);
		str_cut(&r->path, at);
	}
}

static void wrong_type(struct reader *r, const struct type *t)
{
	AUTO(mismatch) m = { 0 };

	if (types_match(doc_root(r->d), t, &m))
		return;
	str_add(&r->path, str_sv(&m.path));
	line(r, m.at, m.at->line);
	if (m.quantity)
		str_addc(&r->text, m.quantity);
	else
		str_addf(&r->text, "want %s, got %s", str_c(&m.want), node_type_name(m.at));
	str_cut(&r->path, 0);
}

/* Kinds of groups that nobody here knows are left alone. */
static bool is_known_group(const struct kinds *kinds, const char *api_version)
{
	char buf[128];

	for (size_t i = 0; api_version && i < kinds_n(kinds); i++)
		if (str_eq(kind_api_version(kinds_at(kinds, i), buf), api_version))
			return true;
	return false;
}

int schema_check_file(const struct doc *d, const struct kinds *kinds, struct err *err)
{
	const char *version = node_str_at(doc_root(d), "apiVersion"), *name = node_str_at(doc_root(d), "kind");
	const struct kind *k = kinds_find(kinds, version, name);
	struct reader r = { .d = d };
	char where[256];

	if (!k) {
		int known = !version || !name || is_known_group(kinds, version);

		return known ? err_wrap(err, kinds_unknown(kinds, version, name, err), "%s", node_where(d, doc_root(d), where)) : 0;
	}
	if (k->type) {
		object(&r, doc_root(d), k->type);
		wrong_type(&r, k->type);
	}
	int result = r.n ? err_set(err, ERR_BAD_REQUEST, "%s", str_c(&r.text)) : 0;

	str_free(&r.path);
	str_free(&r.text);
	return result;
}
