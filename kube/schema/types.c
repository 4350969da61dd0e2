#include "kube/schema/types.h"
#include "kube/object.h"
#include "kube/quantity.h"
#include "kube/schema/walk.h"

#include <stdlib.h>

static const struct { const char *go; } go_names[] = {
	[FIELD_STR] = { "string" }, [FIELD_INT32] = { "int32" }, [FIELD_INT64] = { "int64" }, [FIELD_NUMBER] = { "float64" },
	[FIELD_BOOL] = { "bool" }, [FIELD_INT_OR_STR] = { "intstr.IntOrString" }, [FIELD_QUANTITY] = { "resource.Quantity" },
	[FIELD_TIME] = { "string" }, [FIELD_MICRO_TIME] = { "string" }, [FIELD_DURATION] = { "string" }, [FIELD_BYTES] = { "[]uint8" },
	[FIELD_RAW] = { "interface {}" },
};

/* "core/v1.PodSpec": the part behind the last dot, and "v1" before it. */
static struct sv short_name(const struct type *t)
{
	struct sv head, tail;

	return sv_cut_last(sv_c(t->name), '.', &head, &tail) ? tail : sv_c(t->name);
}

static void go_name(const struct field *f, struct str *out)
{
	struct sv group, version;

	if (f->type != FIELD_OBJECT) {
		str_addc(out, go_names[f->type].go);
		return;
	}
	sv_cut_last(sv_c(f->of->name), '.', &group, &version);
	struct sv tail = sv_cut_last(group, '/', &group, &version) ? version : SV("v1");
	str_addf(out, SV_FMT "." SV_FMT, SV_ARG(tail), SV_ARG(short_name(f->of)));
}

static bool mismatch(struct mismatch *m, const struct node *n, const struct field *f, const struct type *in, bool container)
{
	m->at = n;
	m->in = in;
	str_cut(&m->want, 0);
	if (container)
		str_addc(&m->want, f->container == FIELD_LIST ? "[]" : "map[string]");
	go_name(f, &m->want);
	return false;
}

static bool in_range(const struct node *n, enum field_type type)
{
	int64_t v;

	return node_is(n, NODE_INT) && node_to_i64(n, &v) && (type == FIELD_INT64 || (v >= INT32_MIN && v <= INT32_MAX));
}

static bool number_or_text(const struct node *n) { return n->type == NODE_INT || n->type == NODE_FLOAT || n->type == NODE_STR; }

/* Texts that have a grammar of their own. */
static bool text_ok(struct mismatch *m, const struct node *n, const struct field *f)
{
	int64_t v;

	if (f->type == FIELD_QUANTITY && !quantity_milli(node_sv(n), &v))
		m->quantity = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
	if ((f->type == FIELD_TIME || f->type == FIELD_MICRO_TIME) && n->n && !time_parse(n->text, &v))
		m->quantity = "a time must look like 2006-01-02T15:04:05Z";
	m->at = n;
	return !m->quantity;
}

static bool scalar(struct mismatch *m, const struct node *n, const struct field *f, const struct type *in)
{
	bool good;

	switch (f->type) {
	case FIELD_RAW:
		return true;
	case FIELD_INT32:
	case FIELD_INT64:
		good = in_range(n, f->type);
		break;
	case FIELD_NUMBER:
		good = n->type == NODE_INT || n->type == NODE_FLOAT;
		break;
	case FIELD_BOOL:
		good = n->type == NODE_BOOL;
		break;
	case FIELD_INT_OR_STR:
		good = n->type == NODE_STR || in_range(n, FIELD_INT32);
		break;
	case FIELD_QUANTITY:
		good = number_or_text(n);
		break;
	default:
		good = n->type == NODE_STR;
	}
	return good ? text_ok(m, n, f) : mismatch(m, n, f, in, false);
}

static bool object(struct mismatch *m, const struct node *n, const struct type *t);

static bool one(struct mismatch *m, const struct node *n, const struct field *f, const struct type *in)
{
	if (n->type == NODE_NULL)
		return true;
	if (f->type != FIELD_OBJECT)
		return scalar(m, n, f, in);
	return n->type == NODE_MAP ? object(m, n, f->of) : mismatch(m, n, f, in, false);
}

static bool value(struct mismatch *m, const struct node *n, const struct field *f, const struct type *in)
{
	struct node *it;
	struct member *e;

	if (f->container == FIELD_ONE || n->type == NODE_NULL)
		return one(m, n, f, in);
	if (n->type != (f->container == FIELD_LIST ? NODE_SEQ : NODE_MAP))
		return mismatch(m, n, f, in, true);
	node_each(it, n)
		if (!one(m, it, f, in))
			return false;
	node_members(e, n)
		if (!one(m, e->value, f, in))
			return false;
	return true;
}

static bool object(struct mismatch *m, const struct node *n, const struct type *t)
{
	struct member *e;

	node_members(e, n) {
		const struct field *f = type_field(t, (struct sv){ e->key, e->key_n });
		size_t at = m->path.n;

		if (!f)
			continue;
		path_field(&m->path, e->key);
		if (!value(m, e->value, f, t))
			return false;
		str_cut(&m->path, at);
	}
	return true;
}

bool types_match(const struct node *root, const struct type *t, struct mismatch *m)
{
	return !t || object(m, root, t);
}

void mismatch_free(struct mismatch *m)
{
	str_free(&m->path);
	str_free(&m->want);
}

static void text(const struct mismatch *m, struct str *out)
{
	static const char *const json_types[] = { "null", "bool", "number", "number", "string", "array", "object" };
	bool number = m->at->type == NODE_INT || m->at->type == NODE_FLOAT;

	if (m->quantity) {
		str_addf(out, "%s: %s", str_c(&m->path), m->quantity);
		return;
	}
	str_addf(out, "json: cannot unmarshal %s", json_types[m->at->type]);
	if (number && strncmp(str_c(&m->want), "int", 3) == 0)
		str_addf(out, " " SV_FMT, SV_ARG(node_sv(m->at)));
	str_addf(out, " into Go struct field " SV_FMT ".%s of type %s", SV_ARG(short_name(m->in)), str_c(&m->path), str_c(&m->want));
}

int types_check(const struct node *root, const struct kind *k, struct err *err)
{
	AUTO(mismatch) m = { 0 };
	AUTO(str) s = { 0 };

	if (types_match(root, k->type, &m))
		return 0;
	text(&m, &s);
	return err_set(err, ERR_BAD_REQUEST, "%s in version \"%s\" cannot be handled as a %s: %s", k->kind, k->version, k->kind, str_c(&s));
}
