/* ReplacementTransformer: the value of one field written into others. */
#include <stdlib.h>

#include "base/json.h"
#include "base/yaml.h"
#include "render/kustomize/path.h"
#include "render/kustomize/transform.h"

#define DEFAULT_PATH "metadata.name"

struct replacements { const struct node *at; MANY(struct replacement_spec) list; };

static const struct shape_field replacements_fields[] = {
	FIELD_IN(replacements, list, "replacements", MANY, replacement_shape),
	{ 0 }
};
static const struct shape replacements_shape = { sizeof(struct replacements), replacements_fields };

/* A value that is copied: its text counts where it lands on a scalar, all of it elsewhere. It lives in doc. */
struct value { struct doc *doc; struct node *node; };

static bool is_scalar(const struct node *n) { return n->type < NODE_SEQ; }

static const char *where_of(const struct transformation *x, const struct replacement_spec *spec, const struct node *at)
{
	char where[256];

	node_where(spec->doc ? spec->doc : x->doc, at ? at : spec->at, where);
	return doc_text(x->t->b->arena, sv_c(*where ? where : x->where));
}

/* ---- the source ---- */

static bool source_selects(const struct replacement_source *s, struct resource *r)
{
	struct id want = { "", "", "", "", s->ns ? s->ns : "" };

	for (size_t i = 0; i < resource_n_ids(r); i++) {
		struct id id = resource_id_at(r, i);
		const char *ns = *id.ns ? id.ns : "default";

		if (s->name && *s->name && strcmp(s->name, id.name) != 0)
			continue;
		if (*want.ns && strcmp(id_ns(&want), ns) != 0)
			continue;
		if (gvk_selected(&id, s->group, s->version, s->kind))
			return true;
	}
	return false;
}

static char *source_text(const struct replacement_source *s)
{
	struct id id = { s->group ? s->group : "", s->version ? s->version : "", s->kind ? s->kind : "", s->name ? s->name : "",
			 s->ns ? s->ns : "" };

	return id_text(&id);
}

static int find_source(const struct transformation *x, const struct replacement_source *s, struct resource **out, struct err *err)
{
	size_t n = 0;
	char *name;
	bool all = !s->name || !*s->name;
	const struct found *some = all ? NULL : set_find_named(x->set, s->name);
	size_t most = all ? x->set->n : some ? some->n : 0;

	TRY(build_work(x->t->b, most, err));
	for (size_t i = 0; i < most; i++) {
		struct resource *r = x->set->v[all ? i : some->v[i]];

		if (!source_selects(s, r))
			continue;
		*out = r;
		n++;
	}
	if (n == 1)
		return 0;
	name = source_text(s);
	err_set(err, n ? ERR_CONFLICT : ERR_NOT_FOUND, n ? "multiple matches for selector %s" : "nothing selected by %s", name);
	free(name);
	return n ? -ERR_CONFLICT : -ERR_NOT_FOUND;
}

/* The part of a text between delimiters. */
static int cut_part(struct value *v, const struct field_options *o, struct err *err)
{
	struct sv rest = node_sv(v->node), part, delimiter = sv_c(o->delimiter);
	int64_t i = 0;

	for (;; i++) {
		const char *end = rest.n ? memmem(rest.p, rest.n, delimiter.p, delimiter.n) : NULL;

		part = end ? (struct sv){ rest.p, (size_t)(end - rest.p) } : rest;
		if (i == o->index || !end)
			break;
		rest = sv_drop(rest, part.n + delimiter.n);
	}
	if (i != o->index)
		return err_set(err, ERR_INVALID, "options.index %lld is out of bounds for value %.*s", (long long)o->index,
			       SV_ARG(node_sv(v->node)));
	v->node = node_strn(v->doc, part);
	return 0;
}

static int read_source(const struct transformation *x, const struct replacement_spec *spec, struct value *v, struct err *err)
{
	const struct replacement_source *s = spec->source;
	const char *path = s->field_path && *s->field_path ? s->field_path : DEFAULT_PATH;
	struct parts parts = { 0 };
	struct resource *r;
	struct node *n;
	char *name;
	int code;

	TRY(find_source(x, s, &r, err));
	path_split(v->doc, path, &parts);
	code = path_find(r->root, &parts, &n, err);
	vec_free(&parts);
	TRY(err_wrap(err, code, "error looking up replacement source"));
	if (node_is_empty(n)) {
		name = source_text(s);
		err_set(err, ERR_NOT_FOUND, "fieldPath `%s` is missing for replacement source %s", path, name);
		free(name);
		return -ERR_NOT_FOUND;
	}
	v->node = node_copy(v->doc, n);
	if (!s->options || !s->options->delimiter || !*s->options->delimiter)
		return 0;
	if (!is_scalar(v->node))
		return err_set(err, ERR_INVALID, "delimiter option can only be used with scalar nodes");
	return cut_part(v, s->options, err);
}

/* ---- targets ---- */

/* The text of a target with one of its parts replaced; before the first and after the last one, it is added. */
static void put_part(struct str *out, struct sv old, const struct field_options *o, struct sv value)
{
	struct sv rest = old, part, delimiter = sv_c(o->delimiter);

	if (o->index < 0)
		str_addf(out, "%.*s%.*s", SV_ARG(value), SV_ARG(delimiter));
	for (int64_t i = 0;; i++) {
		const char *end = rest.n ? memmem(rest.p, rest.n, delimiter.p, delimiter.n) : NULL;

		part = end ? (struct sv){ rest.p, (size_t)(end - rest.p) } : rest;
		str_add(out, i == o->index ? value : part);
		if (!end) {
			if (o->index > i)
				str_addf(out, "%.*s%.*s", SV_ARG(delimiter), SV_ARG(value));
			return;
		}
		str_add(out, delimiter);
		rest = sv_drop(rest, part.n + delimiter.n);
	}
}

/* Gives a scalar another text: what it was, it stays. */
static int set_text(struct resource *r, struct node *n, struct sv text, struct err *err)
{
	struct node *plain = yaml_plain(r->doc, text);
	uint8_t was = n->type;

	if (was == NODE_STR) {
		scalar_set_text(r, n, doc_text(r->doc, text));
		return 0;
	}
	if (was != NODE_STR && was != NODE_NULL && plain->type != was && !(was == NODE_FLOAT && plain->type == NODE_INT))
		return err_set(err, ERR_INVALID, "the field holds %s, and `%.*s` is none", was == NODE_BOOL ? "a boolean" : "a number",
			       SV_ARG(text));
	scalar_set(r, n, text);
	return 0;
}

static int set_field(struct resource *r, struct node *n, const struct value *v, const struct field_options *o, struct err *err)
{
	AUTO(str) text = { 0 };

	if (o && o->delimiter && *o->delimiter) {
		if (!is_scalar(n) || !is_scalar(v->node))
			return err_set(err, ERR_INVALID, "delimiter option can only be used with scalar nodes");
		put_part(&text, node_sv(n), o, node_sv(v->node));
		return set_text(r, n, str_sv(&text), err);
	}
	if (is_scalar(n) && is_scalar(v->node))
		return set_text(r, n, node_sv(v->node), err);
	if (is_scalar(n) && n->type != NODE_NULL && node_sv(n).n)
		return set_text(r, n, SV(""), err);     /* a list has no text */
	*n = *node_copy(r->doc, v->node);
	return 0;
}

static int set_all(struct resource *r, struct nodes *fields, const struct value *v, const struct field_options *o, struct err *err)
{
	for (size_t i = 0; i < fields->n; i++)
		TRY(set_field(r, fields->v[i], v, o, err));
	return 0;
}

static int create_type(const struct value *v, const struct field_options *o)
{
	return o && o->create ? v->node->type : PATH_NO_CREATE;
}

/* ---- fields inside a text that holds YAML or JSON ---- */

static void write_back(struct resource *r, struct node *text, struct node *inside)
{
	struct sv old = sv_trim(node_sv(text));
	bool pretty = memchr(old.p, '\n', old.n) && memmem(old.p, old.n, "  ", 2);
	AUTO(str) out = { 0 };
	struct sv trimmed;

	if (*old.p == '{' || *old.p == '[')
		yaml_settle(r->doc, inside);
	if (*old.p == '{' || *old.p == '[')
		json_write(&out, inside, JSON_SORTED | JSON_ESCAPE_HTML | (pretty ? JSON_INDENT : 0));
	else
		yaml_write(&out, inside, YAML_STYLES);
	trimmed = sv_trim(str_sv(&out));
	scalar_set_text(r, text, doc_text(r->doc, trimmed));
}

/* 1: the path entered the text of a scalar, and the value was set there. */
static int set_inside(struct resource *r, struct node *text, const struct parts *path, size_t at, const struct value *v,
		      const struct field_options *o)
{
	struct nodes found = { 0 };
	AUTO_DOC d = NULL;
	struct node *root;
	int done = 0;

	if (yaml_read(node_sv(text), "", YAML_UNIQUE_KEYS | YAML_1_2 | YAML_STYLES, &d, NULL) < 0)
		return 0;
	root = node_copy(r->doc, doc_root(d));
	if (path_match(r->doc, root, path->v + at, path->n - at, create_type(v, o), &found, NULL) >= 0 && found.n)
		done = set_all(r, &found, v, o, NULL) >= 0;
	vec_free(&found);
	if (done)
		write_back(r, text, root);
	return done;
}

static int try_inside(struct resource *r, const struct parts *path, const struct value *v, const struct field_options *o)
{
	for (size_t i = 1; i < path->n; i++) {
		struct parts head = { path->v, i, i };
		struct node *n;

		if (path_find(r->root, &head, &n, NULL) < 0 || !n || !is_scalar(n))
			continue;
		return n->type == NODE_STR ? set_inside(r, n, path, i, v, o) : 0;
	}
	return 0;
}

/* ---- */

static int not_found(const char *path, bool create, int code, struct err *err)
{
	const char *what = create ? "unable to find or create field" : "unable to find field";

	if (code < 0)
		return err_wrap(err, code, "%s \"%s\" in replacement target", what, path);
	return err_set(err, ERR_NOT_FOUND, "%s \"%s\" in replacement target", what, path);
}

static int write_field(struct resource *r, const char *path, const struct value *v, const struct field_options *o, struct err *err)
{
	struct nodes found = { 0 };
	struct parts parts = { 0 };
	int code;

	path_split(r->doc, path, &parts);
	code = try_inside(r, &parts, v, o);
	if (!code) {
		code = path_match(r->doc, r->root, parts.v, parts.n, create_type(v, o), &found, err);
		if (code < 0 || !found.n)
			code = not_found(path, o && o->create, code, err);
		else
			code = set_all(r, &found, v, o, err);
	}
	vec_free(&found);
	vec_free(&parts);
	return code;
}

static int write_fields(struct resource *r, const struct replacement_target *t, const struct value *v, struct err *err)
{
	if (!t->field_paths.n)
		return write_field(r, DEFAULT_PATH, v, t->options, err);
	for (size_t i = 0; i < t->field_paths.n; i++)
		TRY(write_field(r, t->field_paths.v[i], v, t->options, err));
	return 0;
}

struct chosen { struct selection *select; VEC(struct selection *) reject; };

static void chosen_free(struct chosen *c)
{
	selection_free(&c->select);
	for (size_t i = 0; i < c->reject.n; i++)
		selection_free(&c->reject.v[i]);
	vec_free(&c->reject);
}

static int choose(const struct replacement_target *t, struct chosen *c, struct err *err)
{
	if (!t->select)
		return err_set(err, ERR_INVALID, "target must specify resources to select");
	TRY(selection_new(t->select, &c->select, err));
	for (size_t i = 0; i < t->reject.n; i++) {
		struct selection *s = NULL;
		int r = selection_new(&t->reject.v[i], &s, err);

		vec_push(&c->reject, s);
		TRY(r);
	}
	return 0;
}

static int rejected(const struct chosen *c, struct resource *r, struct err *err)
{
	for (size_t i = 0; i < c->reject.n; i++) {
		const struct selection *s = c->reject.v[i];
		int hit = selection_names_marks(s) ? selection_has_marks(s, r, err) : 0;

		for (size_t j = 0; !hit && selection_names_ids(s) && j < resource_n_ids(r); j++) {
			struct id id = resource_id_at(r, j);

			hit = selection_has_id(s, &id, err);
		}
		if (hit)
			return hit;
	}
	return 0;
}

static int chosen_has(const struct chosen *c, struct resource *r, struct err *err)
{
	int hit = selection_has_marks(c->select, r, err);

	if (hit > 0) {
		hit = rejected(c, r, err);
		if (hit)
			return hit < 0 ? hit : 0;
		for (size_t j = 0; !hit && j < resource_n_ids(r); j++) {
			struct id id = resource_id_at(r, j);

			hit = selection_has_id(c->select, &id, err);
		}
	}
	return hit;
}

static int write_object(const struct transformation *x, struct resource *r, const struct replacement_target *t, const struct value *v,
			struct err *err)
{
	struct id before = *resource_id(r);
	int code = write_fields(r, t, v, err);

	if (!id_eq(&before, resource_id(r)))
		set_changed(x->set);
	if (code < 0) {
		char *name = id_text(&before);

		err_wrap(err, code, "%s", name);
		free(name);
	}
	return code;
}

static int find_targets(const struct transformation *x, const struct chosen *c, struct found *out, struct err *err)
{
	bool all;
	const struct found *some = selection_candidates(c->select, x->set, &all);
	size_t n = all ? x->set->n : some ? some->n : 0;

	TRY(build_work(x->t->b, all ? 4 * n : n, err));
	for (size_t i = 0; i < n; i++) {
		size_t at = all ? i : some->v[i];
		int hit = chosen_has(c, x->set->v[at], err);

		TRY(hit);
		if (hit)
			vec_push(out, at);
	}
	return 0;
}

static int write_target(const struct transformation *x, const struct replacement_target *t, const struct value *v, struct err *err)
{
	struct chosen c = { 0 };
	struct found at = { 0 };
	int r = choose(t, &c, err);

	if (r >= 0)
		r = find_targets(x, &c, &at, err);
	for (size_t i = 0; r >= 0 && i < at.n; i++)
		r = write_object(x, x->set->v[at.v[i]], t, v, err);
	chosen_free(&c);
	vec_free(&at);
	return r;
}

static int replace_one(const struct transformation *x, const struct replacement_spec *spec, struct err *err)
{
	AUTO_DOC d = doc_new();
	struct value v = { d, NULL };

	if ((!spec->source && !spec->source_value) || !spec->targets.n)
		return err_set(err, ERR_INVALID, "replacements must specify a source and at least one target");
	if (spec->source && spec->source_value)
		return err_set(err, ERR_INVALID, "value and resource selectors are mutually exclusive");
	if (spec->source_value)
		v.node = node_str(d, spec->source_value);
	else
		TRY(read_source(x, spec, &v, err));
	for (size_t i = 0; i < spec->targets.n; i++)
		TRY(err_wrap(err, write_target(x, &spec->targets.v[i], &v, err), "%s", where_of(x, spec, spec->targets.v[i].at)));
	return 0;
}

/* A file holds one replacement or a list of them. */
static int run_file(const struct transformation *x, const struct replacement_spec *spec, struct err *err)
{
	struct shape_source from = { x->t->b->arena, NULL, SHAPE_LOOSE_TEXT };
	struct doc *d;
	const struct node *root, *item;

	if (spec->source || spec->targets.n)
		return err_set(err, ERR_INVALID, "cannot specify both path and inline replacement");
	TRY(dir_load_yaml(&x->t->dir, spec->path, 0, &d, err));
	from.doc = d;
	root = doc_root(d);
	if (node_is(root, NODE_MAP)) {
		struct replacement_spec one = { 0 };

		TRY(shape_read(&from, root, "", &replacement_shape, &one, err));
		one.doc = d;
		return replace_one(x, &one, err);
	}
	if (!node_is(root, NODE_SEQ))
		return err_set(err, ERR_INVALID, "%s: unsupported replacement type: %s", spec->path, node_type_name(root));
	node_each(item, root) {
		struct replacement_spec one = { 0 };

		TRY(shape_read(&from, item, "", &replacement_shape, &one, err));
		one.doc = d;
		TRY(replace_one(x, &one, err));
	}
	return 0;
}

static int run(const struct transformation *x, const void *config, struct err *err)
{
	const struct replacements *c = config;

	for (size_t i = 0; i < c->list.n; i++) {
		const struct replacement_spec *spec = &c->list.v[i];
		int r = spec->path && *spec->path ? run_file(x, spec, err) : replace_one(x, spec, err);

		TRY(err_wrap(err, r, "replacement %zu", i + 1));
	}
	return 0;
}

static size_t count(const struct target *t) { return t->k.replacements.n ? 1 : 0; }

static int configure(struct target *t, size_t i, void *config, struct err *err)
{
	struct replacements *c = config;

	(void)i, (void)err;
	c->at = node_get(t->k.at, "replacements");
	c->list.v = t->k.replacements.v;
	c->list.n = t->k.replacements.n;
	return 0;
}

const struct transformer transform_replacements = { "ReplacementTransformer", &replacements_shape, count, configure, run, true };
