/* operator/app/managed.c - what an application would change. */
#include "operator/app/managed.h"

#include <stdlib.h>

#include "base/json.h"
#include "operator/app/app-internal.h"
#include "operator/app/compare.h"

#define MASK_FIRST 8
#define MASK_STEP 4
#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

struct states { struct node *target, *live, *normal, *predicted; };     /* copies in one document; NULL: none */

/* ---- Secrets: who reads a diff sees that a value differs, and not what it is ---- */

/* The mask of a value among those of its key: the first one seen has eight marks, each further one four more. */
static struct node *mask_of(struct doc *d, struct node *seen, const struct node *value)
{
	AUTO(str) mask = { 0 };
	size_t i = 0;

	while (i < seen->n && !node_eq(seen->items[i], value))
		i++;
	if (i == seen->n)
		node_add(d, seen, node_copy(d, value));
	for (size_t n = MASK_FIRST + MASK_STEP * i; n; n--)
		str_add1(&mask, '+');
	return node_strn(d, str_sv(&mask));
}

static void mask_field(struct doc *d, struct node *seen, struct node *root, const char *field)
{
	struct member *m;

	node_members(m, node_get(root, field))
		m->value = mask_of(d, node_seq_at(d, seen, m->key), m->value);
}

static void mask_secret(struct doc *d, struct states *s)
{
	struct node *all[] = { s->target, s->live, s->normal, s->predicted }, *seen = node_map(d);

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		mask_field(d, seen, all[i], "data");
		mask_field(d, seen, all[i], "stringData");
		if (node_get(node_at(all[i], "metadata.annotations"), LAST_APPLIED))
			meta_set_annotation(d, all[i], LAST_APPLIED, "++++++++");
	}
}

/* ---- one object ---- */

static void put_state(struct doc *d, struct node *item, const char *key, const struct node *state)
{
	AUTO(str) text = { 0 };

	if (state)
		json_write(&text, state, 0);
	node_set(d, item, key, node_str(d, state ? str_c(&text) : "null"));
}

static int add_row(struct apps *a, const struct app_spec *spec, const struct row *row, struct doc *d, struct node *items,
		   struct err *err)
{
	const struct compare_opts o = { .kinds = a->client->kinds, .ignore = node_at(spec->root, "spec.ignoreDifferences") };
	struct node *item = node_map(d);
	struct states s = { 0 };
	bool modified = !row->live || !row->target;

	if (row->target)
		s.target = s.predicted = node_copy(d, row->target->root);
	if (row->live)
		s.live = s.normal = node_copy(d, row->live->root);
	if (row->live && row->target) {
		struct compared c;
		TRY(compare(d, row->target->root, row->live->root, row->kind, &o, &c, err));
		s.normal = node_copy(d, c.live);
		s.predicted = node_copy(d, c.predicted);
		modified = c.modified;
	}
	if (str_eq(row->ref.kind, "Secret") && !*row->ref.group)
		mask_secret(d, &s);
	node_set(d, item, "group", node_str(d, row->ref.group));
	node_set(d, item, "kind", node_str(d, row->ref.kind));
	node_set(d, item, "namespace", node_str(d, row->ref.ns));
	node_set(d, item, "name", node_str(d, row->ref.name));
	put_state(d, item, "targetState", s.target);
	put_state(d, item, "liveState", s.live);
	put_state(d, item, "normalizedLiveState", s.normal);
	put_state(d, item, "predictedLiveState", s.predicted);
	node_set(d, item, "hook", node_bool(d, row->hook));
	node_set(d, item, "modified", node_bool(d, modified && row->counted));
	node_add(d, items, item);
	return 0;
}

static int write_rows(struct apps *a, const struct app_spec *spec, const struct comparison *c, struct str *out, struct err *err)
{
	AUTO_DOC d = doc_new();
	struct node *root = node_map(d), *items = node_seq_at(d, root, "items");

	for (size_t i = 0; i < c->rows.n; i++)
		if (!(c->rows.v[i].target && c->rows.v[i].target->hooks.skipped))
			TRY(add_row(a, spec, &c->rows.v[i], d, items, err));
	json_write(out, root, 0);
	return 0;
}

static int look(struct apps *a, const struct object *o, const struct app_spec *spec, struct comparison *c, struct err *err)
{
	AUTO(str) key = { 0 };
	struct compare_cache cache = { 0 };
	struct rendering *r = NULL;

	str_addf(&key, "%s/%s", o->ns, o->name);
	const struct app *app = map_get(&a->apps, str_sv(&key));
	AUTO_REF(rendering) last = app && app->last ? rendering_ref(app->last) : NULL;
	const struct source_want w = { .spec = spec, .last = last, .charts = a->charts, .client = a->client,
				      .secrets_ns = a->control_ns };
	TRY(source_render(a->repos, &w, &r, err));
	int res = r->err.code ? err_set(err, r->err.code, "%s", err_msg(&r->err)) :
		  comparison_make(c, spec, r, a->live, a->client->kinds, node_at(o->root, "status.resources"), &cache, err);
	rendering_drop(&r);
	compare_cache_free(&cache);
	return res;
}

int apps_managed_resources(struct apps *a, const char *ns, const char *name, struct str *out, struct err *err)
{
	struct object *o = informer_get(controller_informer(a->controller, 0), *ns ? ns : a->control_ns, name);
	AUTO(app_spec) spec = { 0 };
	AUTO(comparison) c = { 0 };

	if (!o)
		return err_set(err, ERR_NOT_FOUND, "application '%s' does not exist in namespace '%s'", name, *ns ? ns : a->control_ns);
	AUTO_OBJECT held = object_ref(o);
	TRY(app_spec_read(&spec, held, a->control_ns, err));
	TRY(look(a, held, &spec, &c, err));
	return write_rows(a, &spec, &c, out, err);
}
