/* Removing what no schema row knows. */
#include "kube/schema/schema.h"
#include "kube/schema/types.h"
#include "kube/schema/walk.h"

struct pruner { struct str path; struct str unknown; size_t n; struct str *warnings; enum schema_unknown mode; };

static void object(struct pruner *p, struct node *n, const struct type *t);

static void report(struct pruner *p)
{
	if (p->mode == UNKNOWN_IGNORE)
		return;
	if (p->warnings)
		str_addf(p->warnings, "unknown field \"%s\"\n", str_c(&p->path));
	str_addf(&p->unknown, "%sunknown field \"%s\"", p->n++ ? ", " : "", str_c(&p->path));
}

static void children(struct pruner *p, struct node *n, const struct field *f)
{
	struct node *it;
	struct member *m;
	size_t at = p->path.n;

	if (f->type != FIELD_OBJECT)
		return;
	if (f->container == FIELD_ONE) {
		object(p, n, f->of);
		return;
	}
	node_each(it, f->container == FIELD_LIST ? n : NULL) {
		path_index(&p->path, i_);
		object(p, it, f->of);
		str_cut(&p->path, at);
	}
	node_members(m, f->container == FIELD_MAP ? n : NULL) {
		path_key(&p->path, m->key);
		object(p, m->value, f->of);
		str_cut(&p->path, at);
	}
}

/* Keeps the members that have a row and are not null. */
static void object(struct pruner *p, struct node *n, const struct type *t)
{
	uint32_t kept = 0;

	if (!node_is(n, NODE_MAP))
		return;
	for (uint32_t i = 0; i < n->n; i++) {
		struct member m = n->members[i];
		const struct field *f = type_field(t, (struct sv){ m.key, m.key_n });
		size_t at = p->path.n;

		path_field(&p->path, m.key);
		if (!f)
			report(p);
		else if (m.value->type != NODE_NULL || f->type == FIELD_RAW)
			children(p, (n->members[kept++] = m).value, f);
		str_cut(&p->path, at);
	}
	n->n = kept;
}

int schema_prune(struct node *root, const struct kind *k, enum schema_unknown mode, struct str *warnings, struct err *err)
{
	struct pruner p = { .warnings = warnings, .mode = mode };
	int r = 0;

	TRY(types_check(root, k, err));
	if (k->type)
		object(&p, root, k->type);
	if (mode == UNKNOWN_STRICT && p.n)
		r = err_set(err, ERR_BAD_REQUEST, "%s in version \"%s\" cannot be handled as a %s: strict decoding error: %s", k->kind,
			    k->version, k->kind, str_c(&p.unknown));
	str_free(&p.path);
	str_free(&p.unknown);
	return r;
}
