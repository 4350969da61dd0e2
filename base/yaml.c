#include "base/yaml.h"
#include "base/doc-internal.h"
#include "base/encode.h"
#include "base/yaml-internal.h"

#include <yaml.h>
#include <math.h>
#include <stdlib.h>

#define ALIAS_NODES_MAX 400000          /* how much aliases may add to a document */
#define ALIAS_TEXT_MAX (32u << 20)

struct anchor { struct node *node; bool open; };

struct loader {
	yaml_parser_t parser;
	yaml_event_t event;             /* the current one; owned */
	bool has_event;
	const char *file;
	unsigned flags, depth;
	struct err *err;
	struct doc *d;
	uint16_t source;
	struct doc_stack open;
	struct map anchors;             /* name -> struct anchor, in the arena */
	size_t alias_nodes, alias_text;
};

static int node(struct loader *l, struct node **out);

static int fail_at(struct loader *l, yaml_mark_t at, const char *fmt, ...) PRINTF(3, 4);

static int fail_at(struct loader *l, yaml_mark_t at, const char *fmt, ...)
{
	AUTO(str) s = { 0 };
	va_list ap;

	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	return err_set(l->err, ERR_BAD_REQUEST, "%s:%zu:%zu: %s", l->file, at.line + 1, at.column + 1, str_c(&s));
}

/* ---- events ---- */

static int parser_error(struct loader *l)
{
	yaml_parser_t *p = &l->parser;
	const char *what = p->problem ? p->problem : "cannot be read";

	if (p->error == YAML_READER_ERROR) {
		yaml_mark_t at = { .line = p->mark.line, .column = p->mark.column };

		return fail_at(l, at, "%s (byte %zu)", what, p->problem_offset);
	}
	if (p->context)
		return fail_at(l, p->problem_mark, "%s, %s", what, p->context);
	return fail_at(l, p->problem_mark, "%s", what);
}

static int next(struct loader *l)
{
	if (l->has_event)
		yaml_event_delete(&l->event);
	l->has_event = yaml_parser_parse(&l->parser, &l->event);
	return l->has_event ? 0 : parser_error(l);
}

/* ---- scalars ---- */

static struct node *make(struct loader *l, enum node_type type)
{
	struct node *n = doc_raw(l->d, sizeof *n);

	*n = (struct node){ .type = (uint8_t)type, .source = l->source, .line = (uint32_t)l->event.start_mark.line + 1 };
	return n;
}

static struct node *text(struct loader *l, struct sv s)
{
	struct node *n = make(l, NODE_STR);

	n->text = doc_text(l->d, s);
	n->n = (uint32_t)s.n;
	return n;
}

/* A number as JSON writes it; sizes beyond 64 bits have become floats in scalar_resolve. */
static int number(struct loader *l, const struct scalar *v, struct sv s, struct node **out)
{
	AUTO(str) digits = { 0 };
	struct node *n;

	if (v->tag == TAG_FLOAT && !isfinite(v->f))
		return fail_at(l, l->event.start_mark, "unsupported value: " SV_FMT " is not a number in JSON", SV_ARG(s));
	if (l->flags & (YAML_AS_WRITTEN | YAML_STYLES)) {
		*out = text(l, s);
		(*out)->type = v->tag == TAG_FLOAT ? NODE_FLOAT : NODE_INT;
		return 0;
	}
	if (v->tag == TAG_FLOAT) {
		n = node_float(l->d, v->f);
	} else {
		str_addf(&digits, "%s%llu", v->negative && v->magnitude ? "-" : "", (unsigned long long)v->magnitude);
		n = node_number(l->d, str_sv(&digits));
	}
	*out = make(l, (enum node_type)n->type);
	(*out)->text = n->text;
	(*out)->n = n->n;
	return 0;
}

static int binary(struct loader *l, struct sv s, struct node **out)
{
	AUTO(str) bytes = { 0 };

	if (base64_decode(&bytes, s, NULL) < 0)
		return fail_at(l, l->event.start_mark, "!!binary value contains invalid base64 data");
	*out = text(l, str_sv(&bytes));
	return 0;
}

static const struct { const char *name; enum yaml_tag tag; } tags[] = {
	{ YAML_STR_TAG, TAG_STR }, { YAML_NULL_TAG, TAG_NULL }, { YAML_BOOL_TAG, TAG_BOOL }, { YAML_INT_TAG, TAG_INT },
	{ YAML_FLOAT_TAG, TAG_FLOAT }, { YAML_TIMESTAMP_TAG, TAG_TIMESTAMP }, { "tag:yaml.org,2002:binary", TAG_BINARY },
	{ "tag:yaml.org,2002:merge", TAG_STR },
};

/* The tag that was asked for; TAG_NONE: none, or one that means nothing here. */
static enum yaml_tag explicit_tag(const char *name)
{
	for (size_t i = 0; name && i < sizeof tags / sizeof *tags; i++)
		if (!strcmp(name, tags[i].name))
			return tags[i].tag;
	return TAG_NONE;
}

/* What an explicit tag makes of a value that reads as something else. */
static int apply_tag(struct loader *l, enum yaml_tag want, struct scalar *v, struct sv s)
{
	if (want == TAG_NONE || want == v->tag)
		return 0;
	if (want == TAG_FLOAT && v->tag == TAG_INT) {
		v->tag = TAG_FLOAT;
		v->f = v->negative ? -(double)v->magnitude : (double)v->magnitude;
		return 0;
	}
	if (want == TAG_TIMESTAMP || v->tag == TAG_NULL)
		return 0;
	return fail_at(l, l->event.start_mark, "cannot read `" SV_FMT "` as a !!%s", SV_ARG(s),
		       strrchr((const char *)l->event.data.scalar.tag, ':') + 1);
}

static int timestamp(struct loader *l, struct sv s, struct node **out)
{
	AUTO(str) norm = { 0 };

	if ((l->flags & (YAML_1_2 | YAML_AS_WRITTEN)) == YAML_1_2 && scalar_timestamp(s, &norm))
		s = str_sv(&norm);
	*out = text(l, s);
	(*out)->flags = l->flags & YAML_AS_WRITTEN ? NODE_TIME : 0;
	return 0;
}

static int plain(struct loader *l, struct sv s, enum yaml_tag want, struct node **out)
{
	struct scalar v = scalar_resolve(s, l->flags & YAML_1_2);

	TRY(apply_tag(l, want, &v, s));
	switch (v.tag) {
	case TAG_NULL:
		*out = make(l, NODE_NULL);
		(*out)->flags = s.n ? 0 : NODE_BLANK;
		(*out)->n = l->flags & YAML_AS_WRITTEN ? (uint32_t)s.n : 0;     /* ~ or null */
		return 0;
	case TAG_BOOL:
		*out = make(l, NODE_BOOL);
		(*out)->b = v.b;
		return 0;
	case TAG_INT:
	case TAG_FLOAT:
		return number(l, &v, s, out);
	case TAG_TIMESTAMP:
		return timestamp(l, s, out);
	default:
		*out = text(l, s);
		return 0;
	}
}

static uint8_t style_flag(const struct loader *l, yaml_scalar_style_t style)
{
	if (!(l->flags & YAML_STYLES))
		return 0;
	return style == YAML_DOUBLE_QUOTED_SCALAR_STYLE ? NODE_DOUBLE : style == YAML_SINGLE_QUOTED_SCALAR_STYLE ? NODE_SINGLE :
	       style == YAML_LITERAL_SCALAR_STYLE ? NODE_LITERAL : 0;
}

static int scalar(struct loader *l, struct node **out)
{
	struct sv s = { (const char *)l->event.data.scalar.value, l->event.data.scalar.length };
	const char *tag = (const char *)l->event.data.scalar.tag;
	enum yaml_tag want = explicit_tag(tag);
	bool quoted = l->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	uint8_t style = style_flag(l, l->event.data.scalar.style);

	if (want == TAG_BINARY)
		return binary(l, s, out);
	if (want == TAG_STR || (want == TAG_NONE && (quoted || tag))) {
		*out = text(l, s);
		(*out)->flags = (quoted ? NODE_QUOTED : 0) | style;
		return 0;
	}
	return plain(l, s, want, out);
}

/* ---- anchors and aliases ---- */

static struct anchor *anchor_open(struct loader *l, const yaml_char_t *name)
{
	struct anchor *a;

	if (!name)
		return NULL;
	a = doc_alloc(l->d, sizeof *a);
	a->open = true;
	map_put(&l->anchors, sv_c((const char *)name), a);
	return a;
}

static void anchor_close(struct anchor *a, struct node *n)
{
	if (a)
		*a = (struct anchor){ .node = n };
}

/* Copies share their texts, which never change; what they add is counted as if they were written out. */
static struct node *expand(struct loader *l, const struct node *from, unsigned depth)
{
	bool has_text = from->type == NODE_STR || from->type == NODE_INT || from->type == NODE_FLOAT;
	struct node *n;

	if (has_text)
		l->alias_text += from->n;
	if (++l->alias_nodes > ALIAS_NODES_MAX || l->alias_text > ALIAS_TEXT_MAX || depth > DOC_DEPTH_MAX)
		return NULL;
	n = doc_raw(l->d, sizeof *n);
	*n = *from;
	n->cap = n->n;
	if (from->type == NODE_SEQ) {
		n->items = doc_raw(l->d, n->n * sizeof *n->items);
		for (uint32_t i = 0; i < n->n; i++)
			if (!(n->items[i] = expand(l, from->items[i], depth + 1)))
				return NULL;
	} else if (from->type == NODE_MAP) {
		n->members = doc_raw(l->d, n->n * sizeof *n->members);
		for (uint32_t i = 0; i < n->n; i++) {
			n->members[i] = from->members[i];
			if (!(n->members[i].value = expand(l, from->members[i].value, depth + 1)))
				return NULL;
		}
	}
	return n;
}

static int alias(struct loader *l, struct node **out)
{
	const char *name = (const char *)l->event.data.alias.anchor;
	struct anchor *a = map_get(&l->anchors, sv_c(name));

	if (!a)
		return fail_at(l, l->event.start_mark, "unknown anchor '%s' referenced", name);
	if (a->open)
		return fail_at(l, l->event.start_mark, "anchor '%s' value contains itself", name);
	if (!(*out = expand(l, a->node, l->depth)))
		return fail_at(l, l->event.start_mark, "aliases make the document too large");
	return 0;
}

/* ---- collections ---- */

static int nested(struct loader *l)
{
	if (++l->depth > DOC_DEPTH_MAX)
		return fail_at(l, l->event.start_mark, "nested deeper than 256 levels");
	return 0;
}

static int sequence(struct loader *l, struct node **out)
{
	struct anchor *a = anchor_open(l, l->event.data.sequence_start.anchor);
	size_t from = l->open.items.n;
	struct node *it, *n = make(l, NODE_SEQ);

	if ((l->flags & YAML_STYLES) && l->event.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE)
		n->flags |= NODE_FLOW;
	TRY(nested(l));
	for (;;) {
		TRY(next(l));
		if (l->event.type == YAML_SEQUENCE_END_EVENT)
			break;
		TRY(node(l, &it));
		vec_push(&l->open.items, it);
	}
	stack_close_seq(&l->open, l->d, n, from);
	l->depth--;
	anchor_close(a, n);
	*out = n;
	return 0;
}

/* Merges one map, or each of a list of maps, into the open one: what it already has wins. */
static int merge(struct loader *l, size_t from, const struct node *v, yaml_mark_t at, struct map *seen)
{
	struct member *m;
	struct node *it;

	if (node_is(v, NODE_SEQ)) {
		node_each(it, v) {
			if (!node_is(it, NODE_MAP))
				return fail_at(l, at, "map merge requires map or sequence of maps as the value");
			TRY(merge(l, from, it, at, seen));
		}
		return 0;
	}
	if (!node_is(v, NODE_MAP))
		return fail_at(l, at, "map merge requires map or sequence of maps as the value");
	node_members(m, v)
		if (!stack_find(&l->open, from, (struct sv){ m->key, m->key_n }, seen))
			vec_push(&l->open.members, *m);
	return 0;
}

/* A key as text: numbers and booleans by their value, as JSON has only strings. */
static int key_text(struct loader *l, const struct node *k, yaml_mark_t at, struct sv *out)
{
	if (k->type == NODE_NULL || k->type == NODE_MAP || k->type == NODE_SEQ)
		return fail_at(l, at, "unsupported map key: %s", node_type_name(k));
	*out = node_sv(k);
	return 0;
}

static bool is_merge_key(const struct loader *l)
{
	const yaml_event_t *e = &l->event;

	return e->type == YAML_SCALAR_EVENT && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !e->data.scalar.tag &&
	       e->data.scalar.length == 2 && !memcmp(e->data.scalar.value, "<<", 2);
}

static int member(struct loader *l, size_t from, struct map *seen)
{
	yaml_mark_t at = l->event.start_mark;
	struct member m = { .line = (uint32_t)at.line + 1 }, *old;
	struct node *k;
	struct sv key;

	TRY(node(l, &k));
	TRY(key_text(l, k, at, &key));
	old = stack_find(&l->open, from, key, seen);
	if (old && (l->flags & YAML_UNIQUE_KEYS))
		return fail_at(l, at, "duplicate key \"%s\", already set in line %u", old->key, old->line);
	m.key = key.n && k->type == NODE_BOOL ? doc_text(l->d, key) : key.p;
	m.key_n = (uint32_t)key.n;
	size_t slot = old ? (size_t)(old - l->open.members.v) : l->open.members.n;
	if (!old)
		vec_push(&l->open.members, m);
	TRY(next(l));
	TRY(node(l, &m.value));
	l->open.members.v[slot] = m;
	return 0;
}

static int merge_later(struct loader *l, struct node *merges)
{
	struct node *v;

	TRY(next(l));
	TRY(node(l, &v));
	node_add(l->d, merges, v);
	return 0;
}

static int mapping(struct loader *l, struct node **out)
{
	__attribute__((cleanup(map_free))) struct map seen = { 0 };
	struct anchor *a = anchor_open(l, l->event.data.mapping_start.anchor);
	size_t from = l->open.members.n;
	yaml_mark_t at = l->event.start_mark;
	struct node *n = make(l, NODE_MAP), *merges = NULL, *it;

	if ((l->flags & YAML_STYLES) && l->event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE)
		n->flags |= NODE_FLOW;
	TRY(nested(l));
	for (;;) {
		TRY(next(l));
		if (l->event.type == YAML_MAPPING_END_EVENT)
			break;
		if (is_merge_key(l))
			TRY(merge_later(l, merges ? merges : (merges = node_seq(l->d))));
		else
			TRY(member(l, from, &seen));
	}
	node_each(it, merges)
		TRY(merge(l, from, it, at, &seen));
	stack_close_map(&l->open, l->d, n, from);
	l->depth--;
	anchor_close(a, n);
	*out = n;
	return 0;
}

static int node(struct loader *l, struct node **out)
{
	switch (l->event.type) {
	case YAML_ALIAS_EVENT:
		return alias(l, out);
	case YAML_SEQUENCE_START_EVENT:
		return sequence(l, out);
	case YAML_MAPPING_START_EVENT:
		return mapping(l, out);
	default: {
		struct anchor *a = anchor_open(l, l->event.data.scalar.anchor);

		TRY(scalar(l, out));
		anchor_close(a, *out);
		return 0;
	}
	}
}

/* ---- documents ---- */

static int document(struct loader *l, struct docs *out)
{
	struct node *root;

	l->d = doc_new();
	l->source = doc_source(l->d, l->file);
	l->depth = 0;
	map_free(&l->anchors);
	TRY(next(l));
	TRY(node(l, &root));
	doc_set_root(l->d, root);
	if (root->type != NODE_NULL)
		vec_push(out, TAKE(l->d));
	doc_drop(&l->d);
	return next(l);                         /* the document's end */
}

static int stream(struct loader *l, struct docs *out)
{
	for (;;) {
		TRY(next(l));
		if (l->event.type == YAML_STREAM_END_EVENT)
			return 0;
		if (l->event.type != YAML_DOCUMENT_START_EVENT)
			continue;
		TRY(document(l, out));
		if (l->flags & YAML_FIRST)
			return 0;
	}
}

int yaml_read_all(struct sv in, const char *file, unsigned flags, struct docs *out, struct err *err)
{
	struct loader l = { .file = file ? file : "", .flags = flags, .err = err };

	if (!yaml_parser_initialize(&l.parser))
		abort();
	yaml_parser_set_input_string(&l.parser, (const unsigned char *)in.p, in.n);
	int rc = stream(&l, out);

	if (l.has_event)
		yaml_event_delete(&l.event);
	yaml_parser_delete(&l.parser);
	doc_drop(&l.d);
	stack_free(&l.open);
	map_free(&l.anchors);
	return rc;
}

int yaml_read(struct sv in, const char *file, unsigned flags, struct doc **out, struct err *err)
{
	__attribute__((cleanup(docs_free))) struct docs docs = { 0 };

	TRY(yaml_read_all(in, file, flags, &docs, err));
	if (docs.n > 1)
		return err_set(err, ERR_BAD_REQUEST, "%s:%u: one document expected, and a second one starts", file ? file : "",
			       doc_root(docs.v[1])->line);
	*out = docs.n ? doc_ref(docs.v[0]) : doc_new();
	if (!docs.n)
		doc_set_root(*out, node_null(*out));
	return 0;
}

void docs_free(struct docs *d)
{
	for (size_t i = 0; i < d->n; i++)
		doc_drop(&d->v[i]);
	vec_free(d);
}
