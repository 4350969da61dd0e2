#include "orchestrator/api/custom-internal.h"

#include <string.h>

static bool flag(const struct node *schema, const char *name) { return node_bool_at(schema, name, false); }
static bool keeps_all(const struct node *schema) { return flag(schema, "x-kubernetes-preserve-unknown-fields"); }
static bool is_object(const struct node *schema) { return flag(schema, "x-kubernetes-embedded-resource"); }

static bool of_every_object(struct sv key)
{
	return sv_eq_c(key, "apiVersion") || sv_eq_c(key, "kind") || sv_eq_c(key, "metadata");
}

/* The schema of a member; *known false: there is none, and nothing allows it. */
static const struct node *below(const struct node *schema, struct sv key, bool whole, bool *known)
{
	const struct node *own = node_getn(node_get(schema, "properties"), key),
			  *more = node_get(schema, "additionalProperties");

	*known = own || (whole && of_every_object(key)) || keeps_all(schema) || node_is(more, NODE_MAP) ||
		 (node_is(more, NODE_BOOL) && more->b);
	if (whole && of_every_object(key))
		return NULL;
	return own ? own : node_is(more, NODE_MAP) ? more : NULL;
}

/* ---- pruning ---- */

struct pruning { struct str path, unknown; size_t n; };

static void prune(struct pruning *p, struct node *v, const struct node *schema, bool whole);

static void prune_member(struct pruning *p, struct node *map, size_t i, const struct node *schema, bool whole)
{
	const struct member *m = &map->members[i];
	struct sv key = { m->key, m->key_n };
	const struct node *next;
	size_t was = p->path.n;
	bool known;

	next = below(schema, key, whole, &known);
	str_addf(&p->path, "%s" SV_FMT, was ? "." : "", SV_ARG(key));
	if (!known) {
		str_addf(&p->unknown, "%sunknown field \"%s\"", p->n++ ? ", " : "", str_c(&p->path));
		(void)node_deln(map, key);
	} else if (next) {
		prune(p, m->value, next, is_object(next));
	}
	str_cut(&p->path, was);
}

static void prune(struct pruning *p, struct node *v, const struct node *schema, bool whole)
{
	size_t was = p->path.n;

	if (node_is(v, NODE_MAP))
		for (size_t i = v->n; i-- > 0;)
			prune_member(p, v, i, schema, whole);
	for (size_t i = 0; node_is(v, NODE_SEQ) && i < v->n; i++) {
		const struct node *items = node_get(schema, "items");

		str_addf(&p->path, "[%zu]", i);
		if (items)
			prune(p, v->items[i], items, is_object(items));
		str_cut(&p->path, was);
	}
}

static void pruning_free(struct pruning *p)
{
	str_free(&p->path);
	str_free(&p->unknown);
}

int custom_prune(struct node *root, const struct custom *c, enum schema_unknown mode, struct str *warnings,
		 struct err *err)
{
	AUTO(pruning) p = { 0 };

	if (!c->schema)
		return 0;
	prune(&p, root, c->schema, true);
	if (p.n && mode == UNKNOWN_STRICT)
		return err_set(err, ERR_BAD_REQUEST,
			       "%s in version \"%s\" cannot be handled as a %s: strict decoding error: %s",
			       c->kind.kind, c->kind.version, c->kind.kind, str_c(&p.unknown));
	if (p.n && mode == UNKNOWN_WARN && warnings)
		str_addf(warnings, "%s\n", str_c(&p.unknown));
	return 0;
}

/* ---- defaults ---- */

static void fill(struct doc *d, struct node *v, const struct node *schema);

static void fill_map(struct doc *d, struct node *v, const struct node *schema)
{
	const struct member *m;

	node_members(m, node_get(schema, "properties")) {
		const struct node *def = node_get(m->value, "default");
		struct sv key = { m->key, m->key_n };
		const struct node *now = node_getn(v, key);

		if (def && (!now || (node_is(now, NODE_NULL) && !flag(m->value, "nullable"))))
			node_setn(d, v, key, node_copy(d, def));
	}
	node_members(m, v) {
		bool known;
		const struct node *next = below(schema, (struct sv){ m->key, m->key_n }, false, &known);

		if (next)
			fill(d, m->value, next);
	}
}

static void fill(struct doc *d, struct node *v, const struct node *schema)
{
	struct node *it;

	if (node_is(v, NODE_MAP))
		fill_map(d, v, schema);
	node_each(it, v)
		fill(d, it, node_get(schema, "items"));
}

void custom_default(struct doc *d, struct node *root, const struct custom *c)
{
	if (c->schema)
		fill(d, root, c->schema);
}
