#include "kube/cel/cel-internal.h"

#include "base/encode.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- making ---- */

struct cel_value cel_errorf(struct doc *d, const char *fmt, ...)
{
	AUTO(str) text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	return (struct cel_value){ .kind = CEL_ERROR, .s = { doc_text(d, str_sv(&text)), text.n } };
}

struct cel_value cel_make_list(struct doc *d, size_t n)
{
	struct cel_list *l = doc_alloc(d, sizeof *l);

	l->n = n;
	l->items = doc_alloc(d, (n ? n : 1) * sizeof *l->items);
	return (struct cel_value){ .kind = CEL_LIST, .list = l };
}

struct cel_value cel_none(void) { return (struct cel_value){ .kind = CEL_OPTIONAL }; }

struct cel_value cel_some(struct doc *d, struct cel_value v)
{
	struct cel_value *some = doc_alloc(d, sizeof *some);

	if (v.kind == CEL_ERROR)
		return v;
	*some = v;
	return (struct cel_value){ .kind = CEL_OPTIONAL, .some = some };
}

/* ---- nodes ---- */

static struct cel_value of_number(const struct node *n, enum cel_kind kind)
{
	struct cel_value v = { .kind = CEL_INT };
	char *end;

	if (kind != CEL_DOUBLE && node_to_i64(n, &v.i))
		return v;
	if (kind != CEL_DOUBLE && n->type == NODE_INT && *n->text != '-') {
		v = (struct cel_value){ .kind = CEL_UINT, .u = strtoull(n->text, &end, 10) };
		if (!*end && v.u != UINT64_MAX)
			return v;
	}
	v = (struct cel_value){ .kind = CEL_DOUBLE };
	(void)node_to_double(n, &v.d);
	return v;
}

static bool parse_date(struct sv text, int64_t *s)
{
	char whole[32];
	int32_t nanos;

	if (text.n != 10)
		return false;
	int n = snprintf(whole, sizeof whole, "%.10sT00:00:00Z", text.p);
	return cel_parse_time((struct sv){ whole, (size_t)n }, s, &nanos);
}

static struct cel_value of_text(struct doc *d, const struct node *n, enum cel_kind kind)
{
	struct cel_value v = { .kind = (uint8_t)kind };
	struct sv s = node_sv(n);

	if (kind == CEL_TIMESTAMP && (cel_parse_time(s, &v.i, &v.nanos) || parse_date(s, &v.i)))
		return v;
	if (kind == CEL_DURATION && cel_parse_duration(s, &v.i))
		return v;
	if (kind == CEL_BYTES) {
		AUTO(str) bytes = { 0 };

		if (base64_decode(&bytes, s, NULL) >= 0) {
			v.s = (struct sv){ doc_text(d, str_sv(&bytes)), bytes.n };
			return v;
		}
	}
	if (kind == CEL_TIMESTAMP || kind == CEL_DURATION || kind == CEL_BYTES)
		return cel_errorf(d, "'" SV_FMT "' is not a %s", SV_ARG(s), cel_types[kind].name);
	return cel_string(s);
}

struct cel_value cel_of_node(struct doc *d, const struct node *n, const struct cel_type *t)
{
	enum cel_kind kind = t ? t->kind : CEL_DYN;

	if (!n)
		return cel_null();
	switch ((enum node_type)n->type) {
	case NODE_NULL:
		return cel_null();
	case NODE_BOOL:
		return cel_bool(n->b);
	case NODE_INT:
		return of_number(n, kind);
	case NODE_FLOAT:
		return of_number(n, kind == CEL_INT ? kind : CEL_DOUBLE);
	case NODE_STR:
		return of_text(d, n, kind);
	case NODE_SEQ:
		return (struct cel_value){
			.kind = CEL_LIST, .form = CEL_TREE, .node = n, .shape = kind == CEL_LIST ? t : NULL
		};
	case NODE_MAP:
		break;
	}
	return (struct cel_value){
		.kind = CEL_MAP, .form = CEL_TREE, .node = n, .shape = kind == CEL_MAP || kind == CEL_OBJECT ? t : NULL
	};
}

static void key_text(struct str *out, const struct cel_value *key)
{
	if (key->kind == CEL_STRING)
		str_add(out, key->s);
	else if (key->kind == CEL_BOOL)
		str_addc(out, key->b ? "true" : "false");
	else if (key->kind == CEL_UINT)
		str_addf(out, "%" PRIu64, key->u);
	else
		str_addf(out, "%" PRId64, key->i);
}

static struct node *tree_of(struct doc *d, const struct cel_value *v)
{
	struct node *out = v->kind == CEL_LIST ? node_seq(d) : node_map(d);

	for (size_t i = 0; i < cel_size(v); i++) {
		struct cel_value one = v->kind == CEL_LIST ? cel_item(d, v, i) : cel_value_at(d, v, i);
		struct node *n = cel_to_node(d, &one);

		if (!n)
			return NULL;
		if (v->kind == CEL_LIST) {
			node_add(d, out, n);
		} else {
			struct cel_value key = cel_key(v, i);
			AUTO(str) text = { 0 };

			key_text(&text, &key);
			node_setn(d, out, (struct sv){ doc_text(d, str_sv(&text)), text.n }, n);
		}
	}
	return out;
}

struct node *cel_to_node(struct doc *d, const struct cel_value *v)
{
	AUTO(str) text = { 0 };

	switch ((enum cel_kind)v->kind) {
	case CEL_NULL:
		return node_null(d);
	case CEL_BOOL:
		return node_bool(d, v->b);
	case CEL_INT:
		return node_int(d, v->i);
	case CEL_UINT:
		str_addf(&text, "%" PRIu64, v->u);
		return node_number(d, str_sv(&text));
	case CEL_DOUBLE:
		return isfinite(v->d) ? node_float(d, v->d) : NULL;
	case CEL_STRING:
		return node_strn(d, v->s);
	case CEL_BYTES:
		base64_encode(&text, v->s);
		return node_strn(d, str_sv(&text));
	case CEL_TIMESTAMP:
		cel_write_time(&text, v->i, v->nanos);
		return node_strn(d, str_sv(&text));
	case CEL_DURATION:
		cel_write_duration(&text, v->i);
		return node_strn(d, str_sv(&text));
	case CEL_LIST:
	case CEL_MAP:
		return v->form == CEL_TREE ? node_copy(d, v->node) : v->form == CEL_LAZY ? NULL : tree_of(d, v);
	case CEL_OPTIONAL:
		return v->some ? cel_to_node(d, v->some) : node_null(d);
	default:
		return NULL;
	}
}

/* ---- lists and maps ---- */

size_t cel_size(const struct cel_value *v)
{
	if (v->form == CEL_TREE)
		return v->node->n;
	return v->form == CEL_LAZY ? 0 : v->kind == CEL_LIST ? v->list->n : v->map->n;
}

struct cel_value cel_item(struct doc *d, const struct cel_value *list, size_t i)
{
	if (list->form == CEL_NATIVE)
		return list->list->items[i];
	return cel_of_node(d, list->node->items[i], list->shape ? list->shape->of : NULL);
}

static const struct cel_field *field_of(const struct cel_type *t, struct sv name, bool json)
{
	for (size_t i = 0; t && i < t->n_fields; i++)
		if (sv_eq(json ? t->fields[i].json : t->fields[i].name, name))
			return &t->fields[i];
	return NULL;
}

struct cel_value cel_key(const struct cel_value *map, size_t i)
{
	const struct cel_field *f;

	if (map->form == CEL_NATIVE)
		return map->map->entries[i].key;
	struct sv key = { map->node->members[i].key, map->node->members[i].key_n };
	f = map->shape && map->shape->kind == CEL_OBJECT ? field_of(map->shape, key, true) : NULL;
	return cel_string(f ? f->name : key);
}

struct cel_value cel_value_at(struct doc *d, const struct cel_value *map, size_t i)
{
	const struct cel_type *t = map->form == CEL_TREE ? map->shape : NULL;
	const struct cel_field *f;

	if (map->form == CEL_NATIVE)
		return map->map->entries[i].value;
	struct sv key = { map->node->members[i].key, map->node->members[i].key_n };
	f = t && t->kind == CEL_OBJECT ? field_of(t, key, true) : NULL;
	return cel_of_node(d, map->node->members[i].value, f ? f->type : t && t->kind == CEL_MAP ? t->of : NULL);
}

bool cel_member(struct doc *d, const struct cel_value *map, struct sv name, struct cel_value *out)
{
	struct cel_value key = cel_string(name);
	const struct cel_type *t = map->shape;
	const struct cel_field *f = NULL;
	const struct node *n;

	if (map->form == CEL_LAZY) {
		*out = (struct cel_value){ .kind = CEL_ERROR };
		map->lazy->get(map->lazy, d, name, out);
		return out->kind != CEL_ERROR || out->s.n;
	}
	if (map->form == CEL_NATIVE)
		return cel_find(d, map, &key, out);
	if (t && t->kind == CEL_OBJECT && (f = field_of(t, name, false)))
		name = f->json;
	if (!(n = node_getn(map->node, name)))
		return false;
	*out = cel_of_node(d, n, f ? f->type : t && t->kind == CEL_MAP ? t->of : NULL);
	return true;
}

bool cel_find(struct doc *d, const struct cel_value *map, const struct cel_value *key, struct cel_value *out)
{
	if (map->form != CEL_NATIVE)
		return key->kind == CEL_STRING && cel_member(d, map, key->s, out);
	for (size_t i = 0; i < map->map->n; i++)
		if (cel_equal(&map->map->entries[i].key, key)) {
			*out = map->map->entries[i].value;
			return true;
		}
	return false;
}

/* ---- numbers ---- */

static bool is_number(const struct cel_value *v) { return v->kind >= CEL_INT && v->kind <= CEL_DOUBLE; }
static int sign(int64_t a, int64_t b) { return a < b ? -1 : a > b; }

/* Whole numbers are rounded to be compared with others, as in Go's implementation. */
static int compare_double_int(double d, int64_t i)
{
	double other = (double)i;

	return d < other ? -1 : d > other;
}

static int compare_double_uint(double d, uint64_t u)
{
	double other = (double)u;

	return d < other ? -1 : d > other;
}

/* 2: one of them is not a number */
static int compare_numbers(const struct cel_value *a, const struct cel_value *b)
{
	if ((a->kind == CEL_DOUBLE && isnan(a->d)) || (b->kind == CEL_DOUBLE && isnan(b->d)))
		return 2;
	if (b->kind == CEL_DOUBLE && a->kind != CEL_DOUBLE)
		return -compare_numbers(b, a);
	if (a->kind == CEL_DOUBLE)
		return b->kind == CEL_DOUBLE ? (a->d < b->d ? -1 : a->d > b->d)
		       : b->kind == CEL_INT  ? compare_double_int(a->d, b->i)
					     : compare_double_uint(a->d, b->u);
	if (a->kind == b->kind)
		return a->kind == CEL_INT ? sign(a->i, b->i) : a->u < b->u ? -1 : a->u > b->u;
	if (a->kind == CEL_UINT)
		return -compare_numbers(b, a);
	return a->i < 0 || (uint64_t)a->i < b->u ? -1 : (uint64_t)a->i > b->u;
}

int cel_compare(const struct cel_value *a, const struct cel_value *b, bool *ok)
{
	*ok = true;
	if (is_number(a) && is_number(b))
		return compare_numbers(a, b);
	*ok = a->kind == b->kind;
	switch (*ok ? (enum cel_kind)a->kind : CEL_ERROR) {
	case CEL_BOOL:
		return (int)a->b - (int)b->b;
	case CEL_STRING:
	case CEL_BYTES:
		return sign(sv_cmp(a->s, b->s), 0);
	case CEL_DURATION:
		return sign(a->i, b->i);
	case CEL_TIMESTAMP:
		return a->i != b->i ? sign(a->i, b->i) : sign(a->nanos, b->nanos);
	default:
		*ok = false;
		return 0;
	}
}

/* ---- equality ---- */

/* Items of lists of sets and of keyed lists stand in any order: their nodes are compared, as their types are one. */
static bool same_items(const struct cel_value *a, const struct cel_value *b)
{
	for (size_t i = 0; i < a->node->n; i++) {
		bool found = false;

		for (size_t k = 0; k < b->node->n && !found; k++)
			found = node_eq(a->node->items[i], b->node->items[k]);
		if (!found)
			return false;
	}
	return true;
}

static bool equal_lists(const struct cel_value *a, const struct cel_value *b)
{
	bool equal = cel_size(a) == cel_size(b);

	if (equal && a->form == CEL_TREE && b->form == CEL_TREE && a->shape && a->shape->list_type != CEL_ATOMIC)
		return same_items(a, b);
	if (!equal || !cel_size(a))
		return equal;
	AUTO_DOC d = doc_new();
	for (size_t i = 0; i < cel_size(a) && equal; i++) {
		struct cel_value x = cel_item(d, a, i), y = cel_item(d, b, i);

		equal = cel_equal(&x, &y);
	}
	return equal;
}

static bool equal_maps(const struct cel_value *a, const struct cel_value *b)
{
	bool equal = cel_size(a) == cel_size(b) && a->form != CEL_LAZY && b->form != CEL_LAZY;

	if (!equal || !cel_size(a))
		return equal;
	AUTO_DOC d = doc_new();
	for (size_t i = 0; i < cel_size(a) && equal; i++) {
		struct cel_value key = cel_key(a, i), x = cel_value_at(d, a, i), y;

		equal = cel_find(d, b, &key, &y) && cel_equal(&x, &y);
	}
	return equal;
}

static bool equal_types(const struct cel_type *a, const struct cel_type *b)
{
	return a->kind == b->kind &&
	       str_eq(a->name ? a->name : cel_types[a->kind].name, b->name ? b->name : cel_types[b->kind].name);
}

bool cel_equal(const struct cel_value *a, const struct cel_value *b)
{
	bool ok;

	if (is_number(a) && is_number(b))
		return compare_numbers(a, b) == 0;
	if (a->kind != b->kind)
		return false;
	switch ((enum cel_kind)a->kind) {
	case CEL_NULL:
		return true;
	case CEL_LIST:
		return equal_lists(a, b);
	case CEL_MAP:
		return equal_maps(a, b);
	case CEL_TYPE:
		return equal_types(a->type, b->type);
	case CEL_OPTIONAL:
		return a->some && b->some ? cel_equal(a->some, b->some) : a->some == b->some;
	case CEL_QUANTITY:
		return *(const cel_wide *)a->opaque == *(const cel_wide *)b->opaque;
	case CEL_URL:
	case CEL_IP:
	case CEL_CIDR:
	case CEL_FORMAT:
		return sv_eq(a->s, b->s);
	default:
		return cel_compare(a, b, &ok) == 0 && ok;
	}
}

void cel_type_of(struct str *out, const struct cel_value *v)
{
	str_addc(out, v->kind == CEL_HOST ? v->host_name : cel_types[v->kind].name);
}
