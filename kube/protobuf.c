#include "kube/protobuf.h"
#include "kube/protobuf-internal.h"

#include <stdlib.h>

#include "base/encode.h"
#include "base/json.h"
#include "base/utf8.h"
#include "kube/object.h"
#include "kube/schema/tables.h"

#define DEPTH_MAX 64

struct reading { const struct protobuf *p; struct doc *doc; int depth; struct err *err; };

static int broken(const struct reading *r)
{
	return err_set(r->err, ERR_BAD_REQUEST, "the protobuf body of the request cannot be decoded");
}

/* ---- the wire: tags, varints, lengths ---- */

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

struct value { uint32_t number; unsigned wire; uint64_t n; struct sv bytes; };

static bool varint(struct sv *in, uint64_t *out)
{
	*out = 0;
	for (unsigned shift = 0; in->n && shift < 64; shift += 7) {
		unsigned char byte = (unsigned char)*in->p;

		*in = sv_drop(*in, 1);
		*out |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

static bool fixed(struct sv *in, size_t n, uint64_t *out)
{
	if (in->n < n)
		return false;
	*out = 0;
	for (size_t i = n; i > 0; i--)
		*out = *out << 8 | (unsigned char)in->p[i - 1];
	*in = sv_drop(*in, n);
	return true;
}

/* 1: *v is a field; 0: the end; less than 0: it is broken. */
static int next(const struct reading *r, struct sv *in, struct value *v)
{
	uint64_t tag;

	if (!in->n)
		return 0;
	if (!varint(in, &tag) || tag >> 3 > UINT32_MAX)
		return broken(r);
	*v = (struct value){ .number = (uint32_t)(tag >> 3), .wire = tag & 7 };
	switch (v->wire) {
	case VARINT:  return varint(in, &v->n) ? 1 : broken(r);
	case FIXED64: return fixed(in, 8, &v->n) ? 1 : broken(r);
	case FIXED32: return fixed(in, 4, &v->n) ? 1 : broken(r);
	case BYTES:
		if (!varint(in, &v->n) || v->n > in->n)
			return broken(r);
		v->bytes = (struct sv){ in->p, (size_t)v->n };
		*in = sv_drop(*in, v->bytes.n);
		return 1;
	default:
		return broken(r);
	}
}

/* The fields 1 to 3 of a small message. */
struct small { struct value of[4]; };

static int read_small(const struct reading *r, struct sv in, struct small *out)
{
	struct value v;
	int got;

	*out = (struct small){ 0 };
	while ((got = next(r, &in, &v)) > 0)
		if (v.number < 4)
			out->of[v.number] = v;
	return got;
}

/* ---- values: each gives NULL for its zero ---- */

static int read_message(struct reading *r, const struct type *t, struct sv in, struct node *map);

static int text_node(const struct reading *r, struct sv s, struct node **out)
{
	if (!utf8_valid(s))
		return broken(r);
	*out = node_strn(r->doc, s);
	return 0;
}

/* Seconds and nanoseconds since 1970. */
static int time_node(const struct reading *r, const struct value *v, bool micro, struct node **out)
{
	struct small s;
	char text[32];

	TRY(read_small(r, v->bytes, &s));
	if (!v->bytes.n)
		return 0;
	int64_t seconds = (int64_t)s.of[1].n;
	if (seconds > INT64_C(253402300799) || seconds < INT64_C(-62135596800))
		return broken(r);
	time_format(seconds * 1000, text);
	if (!micro)
		*out = node_str(r->doc, text);
	else
		*out = node_strf(r->doc, "%.19s.%06uZ", text, (unsigned)(s.of[2].n / 1000 % 1000000));
	return 0;
}

static int int_or_str_node(const struct reading *r, const struct value *v, struct node **out)
{
	struct small s;

	TRY(read_small(r, v->bytes, &s));
	if (s.of[1].n)
		return text_node(r, s.of[3].bytes, out);
	*out = node_int(r->doc, (int32_t)s.of[2].n);
	return 0;
}

static int bytes_node(const struct reading *r, struct sv bytes, struct node **out)
{
	AUTO(str) text = { 0 };

	base64_encode(&text, bytes);
	*out = node_strn(r->doc, str_sv(&text));
	return 0;
}

/* JSON, within a message. */
static int raw_node(const struct reading *r, const struct value *v, struct node **out)
{
	struct small s;
	AUTO_DOC d = NULL;

	TRY(read_small(r, v->bytes, &s));
	if (!s.of[1].bytes.n)
		return 0;
	TRY(json_read(s.of[1].bytes, "body", 0, &d, r->err));
	*out = node_copy(r->doc, doc_root(d));
	return 0;
}

static double to_double(uint64_t bits)
{
	double d;

	memcpy(&d, &bits, sizeof d);
	return d;
}

static int object_node(struct reading *r, const struct type *t, struct sv bytes, struct node **out)
{
	*out = node_map(r->doc);
	return read_message(r, t, bytes, *out);
}

static int value_node(struct reading *r, const struct field *f, const struct value *v, struct node **out)
{
	struct small s;

	switch (f->type) {
	case FIELD_STR:        return text_node(r, v->bytes, out);
	case FIELD_INT32:
	case FIELD_INT64:      return *out = node_int(r->doc, (int64_t)v->n), 0;
	case FIELD_NUMBER:     return *out = node_float(r->doc, to_double(v->n)), 0;
	case FIELD_BOOL:       return *out = node_bool(r->doc, v->n), 0;
	case FIELD_OBJECT:     return object_node(r, f->of, v->bytes, out);
	case FIELD_TIME:       return time_node(r, v, false, out);
	case FIELD_MICRO_TIME: return time_node(r, v, true, out);
	case FIELD_INT_OR_STR: return int_or_str_node(r, v, out);
	case FIELD_BYTES:      return bytes_node(r, v->bytes, out);
	case FIELD_RAW:        return raw_node(r, v, out);
	case FIELD_QUANTITY:
		TRY(read_small(r, v->bytes, &s));
		return text_node(r, s.of[1].bytes, out);
	default:
		return err_set(r->err, ERR_UNSUPPORTED, "the field %s cannot be read from protobuf: send JSON", f->name);
	}
}

/* ---- lists and maps ---- */

static struct node *container(struct reading *r, struct node *map, const struct field *f)
{
	struct node *have = node_get(map, f->name);

	if (!have) {
		have = f->container == FIELD_LIST ? node_seq(r->doc) : node_map(r->doc);
		node_set(r->doc, map, f->name, have);
	}
	return have;
}

/* Numbers may come packed: many in one field. */
static int read_packed(struct reading *r, const struct field *f, struct sv in, struct node *list)
{
	while (in.n) {
		struct value v = { .wire = VARINT };
		struct node *one = NULL;

		if (!varint(&in, &v.n))
			return broken(r);
		TRY(value_node(r, f, &v, &one));
		node_add(r->doc, list, one);
	}
	return 0;
}

static int read_item(struct reading *r, const struct field *f, const struct value *v, struct node *list)
{
	struct node *one = NULL;

	if (v->wire == BYTES && (f->type == FIELD_INT32 || f->type == FIELD_INT64))
		return read_packed(r, f, v->bytes, list);
	TRY(value_node(r, f, v, &one));
	node_add(r->doc, list, one ? one : node_null(r->doc));
	return 0;
}

/* A map whose values are lists of texts: a message with one list. */
static int texts_node(struct reading *r, struct sv in, struct node **out)
{
	struct value v;
	int got;

	*out = node_seq(r->doc);
	while ((got = next(r, &in, &v)) > 0) {
		struct node *one = NULL;

		TRY(text_node(r, v.bytes, &one));
		node_add(r->doc, *out, one);
	}
	return got;
}

static int read_entry(struct reading *r, const struct field *f, const struct value *v, struct node *map)
{
	struct small s;
	struct node *one = NULL;

	TRY(read_small(r, v->bytes, &s));
	if (!utf8_valid(s.of[1].bytes))
		return broken(r);
	TRY(f->type == FIELD_RAW ? texts_node(r, s.of[2].bytes, &one) : value_node(r, f, &s.of[2], &one));
	node_setn(r->doc, map, s.of[1].bytes, one ? one : node_null(r->doc));
	return 0;
}

/* ---- messages ---- */

static bool is_zero(const struct node *n)
{
	int64_t i;

	if (!n || node_is_empty(n))
		return true;
	return n->type == NODE_BOOL ? !n->b : n->type == NODE_INT && node_to_i64(n, &i) && !i;
}

static int read_one(struct reading *r, const struct wire *w, const struct value *v, struct node *map)
{
	struct node *one = NULL;

	TRY(value_node(r, w->field, v, &one));
	if (one && (w->keep || !is_zero(one)))
		node_set(r->doc, map, w->field->name, one);
	return 0;
}

static int read_field(struct reading *r, const struct wire *w, const struct value *v, struct node *map)
{
	if (w->merged)
		return read_message(r, w->merged, v->bytes, map);
	if (w->field->container == FIELD_LIST)
		return read_item(r, w->field, v, container(r, map, w->field));
	if (w->field->container == FIELD_MAP)
		return read_entry(r, w->field, v, container(r, map, w->field));
	return read_one(r, w, v, map);
}

static int read_message(struct reading *r, const struct type *t, struct sv in, struct node *map)
{
	const struct wires *known = wires_of(r->p, t);
	struct value v;
	int got = 0;

	if (!known || !known->n)
		return err_set(r->err, ERR_UNSUPPORTED, "%s cannot be read from protobuf: send JSON", t->name);
	if (++r->depth > DEPTH_MAX)
		return broken(r);
	while (got >= 0 && (got = next(r, &in, &v)) > 0)
		for (size_t i = 0; i < known->n && got > 0; i++)
			if (known->v[i].number == v.number) {
				int read = read_field(r, &known->v[i], &v, map);

				got = read < 0 ? read : got;
			}
	r->depth--;
	return got;
}

/* ---- the whole ---- */

/* "rbac.authorization.k8s.io/v1", "Role": the type rbac/v1.Role; what every group has is in meta. */
static const struct type *type_of(struct sv api_version, struct sv kind)
{
	struct sv group, version, first, rest;
	AUTO(str) name = { 0 };
	const struct type *t;

	if (!sv_cut(api_version, '/', &group, &version)) {
		version = api_version;
		group = SV("core");
	}
	(void)sv_cut(group, '.', &first, &rest);
	str_addf(&name, SV_FMT "/" SV_FMT "." SV_FMT, SV_ARG(first), SV_ARG(version), SV_ARG(kind));
	if ((t = builtin_type(str_c(&name))))
		return t;
	str_cut(&name, 0);
	str_addf(&name, "meta." SV_FMT, SV_ARG(kind));
	return builtin_type(str_c(&name));
}

/* Four bytes of magic, then runtime.Unknown: 1 type (1 apiVersion, 2 kind), 2 the object. */
int protobuf_read(const struct protobuf *p, struct sv body, struct doc **out, struct err *err)
{
	AUTO_DOC d = doc_new();
	struct reading r = { p, d, 0, err };
	struct node *root = node_map(d);
	struct small whole, type;

	if (!sv_starts(body, SV("k8s\0")))
		return broken(&r);
	TRY(read_small(&r, sv_drop(body, 4), &whole));
	TRY(read_small(&r, whole.of[1].bytes, &type));
	if (!utf8_valid(type.of[1].bytes) || !utf8_valid(type.of[2].bytes))
		return broken(&r);
	const struct type *t = type_of(type.of[1].bytes, type.of[2].bytes);
	if (!t)
		return err_set(err, ERR_UNSUPPORTED, SV_FMT " " SV_FMT " cannot be read from protobuf: send JSON",
			       SV_ARG(type.of[1].bytes), SV_ARG(type.of[2].bytes));
	node_set(d, root, "apiVersion", node_strn(d, type.of[1].bytes));
	node_set(d, root, "kind", node_strn(d, type.of[2].bytes));
	TRY(read_message(&r, t, whole.of[2].bytes, root));
	doc_set_root(d, root);
	*out = TAKE(d);
	return 0;
}
