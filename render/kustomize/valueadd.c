/* ValueAddTransformer: one value put into fields, or into the path that a field holds. */
#include "render/kustomize/transform.h"

struct place { const struct node *at; struct selector_spec *selector; const char *field_path; int64_t position; };
struct places { const struct node *at; MANY(struct place) targets; };
struct value_add { const struct node *at; const char *value, *file; MANY(struct place) targets; };

static const struct shape_field place_fields[] = {
	FIELD_IN(place, selector, "selector", ONE, selector_shape),
	FIELD_OF(place, field_path, "fieldPath", STR),
	FIELD_OF(place, position, "filePathPosition", INT),
	{ 0 }
};
static const struct shape place_shape = { sizeof(struct place), place_fields };
static const struct shape_field places_fields[] = { FIELD_IN(places, targets, "targets", MANY, place_shape), { 0 } };
static const struct shape places_shape = { sizeof(struct places), places_fields };
static const struct shape_field value_add_fields[] = {
	FIELD_OF(value_add, value, "value", STR),
	FIELD_OF(value_add, file, "targetFilePath", STR),
	FIELD_IN(value_add, targets, "targets", MANY, place_shape),
	{ 0 }
};
static const struct shape value_add_shape = { sizeof(struct value_add), value_add_fields };

/* A part put into a file path: position 0 is its start, one behind its end is its end. */
static void insert_part(struct str *out, struct sv path, int64_t at, const char *part)
{
	bool absolute = path.n && *path.p == '/', put = false;
	struct sv rest = sv_drop(path, absolute), head;
	size_t start;

	if (absolute)
		str_add1(out, '/');
	start = out->n;
	for (int64_t i = 0; rest.n || !put; i++) {
		if (out->n > start)
			str_add1(out, '/');
		if (i == at || (!rest.n && !put)) {
			str_addc(out, part);
			put = true;
			continue;
		}
		sv_cut(rest, '/', &head, &rest);
		str_add(out, head);
	}
}

struct adding { const char *value; int64_t position; };

static int add_value(struct resource *r, struct node *n, void *arg, struct err *err)
{
	const struct adding *a = arg;
	AUTO(str) text = { 0 };

	TRY(scalar_check(n, err));
	if (a->position > 0)
		insert_part(&text, node_sv(n), a->position - 1, a->value);
	else
		str_addc(&text, a->value);
	scalar_set(r, n, str_sv(&text));
	return 0;
}

static int add_to(const struct transformation *x, const struct place *p, const char *value, struct err *err)
{
	struct fieldspec f = { .path = p->field_path, .create = true };
	struct adding a = { value, p->position };
	struct selection *sel = NULL;
	int r = p->selector ? selection_new(p->selector, &sel, err) : 0;

	if (str_eq(p->field_path, "metadata/namespace"))
		a.position = 0;
	for (size_t i = 0; r >= 0 && i < x->set->n; i++) {
		struct resource *one = x->set->v[i];

		r = sel ? selection_has(sel, one, err) : 1;
		if (r > 0 && str_eq(p->field_path, "metadata/namespace") && id_cluster_scoped(resource_id(one)))
			continue;
		if (r > 0)
			r = fieldspec_walk(one, &f, MAKE_SCALAR, add_value, &a, err);
	}
	selection_free(&sel);
	return r;
}

static int check(const struct place *p, struct err *err)
{
	if (!p->field_path || !*p->field_path)
		return err_set(err, ERR_INVALID, "fieldPath cannot be empty");
	if (p->position < 0)
		return err_set(err, ERR_INVALID, "value of FilePathPosition (%lld) cannot be negative", (long long)p->position);
	return 0;
}

static int run(const struct transformation *x, const void *config, struct err *err)
{
	const struct value_add *c = config;
	struct shape_source from = { x->t->b->arena, NULL, SHAPE_LOOSE_TEXT };
	struct places more = { 0 };
	struct sv given = sv_trim(sv_c(c->value));
	const char *slash = strrchr(x->t->dir.path, '/');
	const char *value = given.n ? doc_text(x->t->b->arena, given) : slash ? slash + 1 : x->t->dir.path;
	struct doc *d;

	if (c->file && *c->file) {
		TRY(dir_load_yaml(&x->t->dir, c->file, 0, &d, err));
		from.doc = d;
		TRY(shape_read(&from, doc_root(d), "", &places_shape, &more, err));
	}
	if (!c->targets.n && !more.targets.n)
		return err_set(err, ERR_INVALID, "must specify at least one target");
	for (size_t i = 0; i < c->targets.n + more.targets.n; i++) {
		const struct place *p = i < c->targets.n ? &c->targets.v[i] : &more.targets.v[i - c->targets.n];

		TRY(check(p, err));
		TRY(add_to(x, p, value, err));
	}
	return 0;
}

const struct transformer transform_value_add = { "ValueAddTransformer", &value_add_shape, NULL, NULL, run };
