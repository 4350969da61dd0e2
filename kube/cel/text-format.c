/* "%s is %d".format([a, b]) */
#include "kube/cel/cel-internal.h"

#include "base/encode.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static bool add_value(struct cel_eval *e, struct str *out, const struct cel_value *v, unsigned depth);

static int by_key(const void *a, const void *b)
{
	return sv_cmp(((const struct cel_entry *)a)->key.s, ((const struct cel_entry *)b)->key.s);
}

/* Members in the order of their keys' texts. */
static bool add_map(struct cel_eval *e, struct str *out, const struct cel_value *v, unsigned depth)
{
	size_t n = cel_size(v);
	struct cel_entry *entries = doc_alloc(e->d, (n ? n : 1) * sizeof *entries);

	if (!cel_spend(e, n))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct cel_value key = cel_key(v, i);
		AUTO(str) text = { 0 };

		if (!add_value(e, &text, &key, depth + 1))
			return false;
		entries[i] = (struct cel_entry){ cel_text(e, &text), cel_value_at(e->d, v, i) };
	}
	qsort(entries, n, sizeof *entries, by_key);
	str_add1(out, '{');
	for (size_t i = 0; i < n; i++) {
		str_addf(out, "%s" SV_FMT ": ", i ? ", " : "", SV_ARG(entries[i].key.s));
		if (!add_value(e, out, &entries[i].value, depth + 1))
			return false;
	}
	str_add1(out, '}');
	return true;
}

static bool add_list(struct cel_eval *e, struct str *out, const struct cel_value *v, unsigned depth)
{
	str_add1(out, '[');
	for (size_t i = 0; i < cel_size(v); i++) {
		struct cel_value item = cel_item(e->d, v, i);

		str_addc(out, i ? ", " : "");
		if (!add_value(e, out, &item, depth + 1))
			return false;
	}
	str_add1(out, ']');
	return true;
}

/* %s. False: it has no text. */
static bool add_value(struct cel_eval *e, struct str *out, const struct cel_value *v, unsigned depth)
{
	if (depth > CEL_NESTING || !cel_spend(e, 1))
		return false;
	switch ((enum cel_kind)v->kind) {
	case CEL_NULL:
		str_addc(out, "null");
		break;
	case CEL_BOOL:
		str_addc(out, v->b ? "true" : "false");
		break;
	case CEL_INT:
		str_addf(out, "%" PRId64, v->i);
		break;
	case CEL_UINT:
		str_addf(out, "%" PRIu64, v->u);
		break;
	case CEL_DOUBLE:
		if (isinf(v->d))
			str_addc(out, v->d < 0 ? "-Infinity" : "Infinity");
		else
			cel_write_double(out, v->d);
		break;
	case CEL_TIMESTAMP:
		cel_write_time(out, v->i, v->nanos);
		break;
	case CEL_DURATION:
		cel_write_duration(out, v->i);
		break;
	case CEL_STRING:
	case CEL_BYTES:
		str_add(out, v->s);
		return cel_spend_text(e, v->s.n);
	case CEL_TYPE:
		str_addc(out, v->type->name);
		break;
	case CEL_LIST:
		return add_list(e, out, v, depth);
	case CEL_MAP:
		return v->form != CEL_LAZY && add_map(e, out, v, depth);
	default:
		return false;
	}
	return true;
}

/* ---- the other clauses ---- */

static bool is_whole(const struct cel_value *v) { return v->kind == CEL_INT || v->kind == CEL_UINT; }

static bool add_unlike_number(struct str *out, const struct cel_value *v)
{
	if (v->kind != CEL_DOUBLE || isfinite(v->d))
		return false;
	str_addc(out, isnan(v->d) ? "NaN" : v->d < 0 ? "-Infinity" : "Infinity");
	return true;
}

static bool add_decimal(struct str *out, const struct cel_value *v)
{
	if (v->kind == CEL_UINT)
		str_addf(out, "%" PRIu64, v->u);
	else if (v->kind == CEL_INT)
		str_addf(out, "%" PRId64, v->i);
	else if (v->kind == CEL_DOUBLE && !add_unlike_number(out, v))
		cel_write_double(out, v->d);
	return is_whole(v) || v->kind == CEL_DOUBLE;
}

static bool add_real(struct str *out, const struct cel_value *v, int precision, bool scientific)
{
	double d = v->kind == CEL_INT ? (double)v->i : v->kind == CEL_UINT ? (double)v->u : v->d;

	if (v->kind == CEL_DOUBLE && add_unlike_number(out, v))
		return true;
	if (v->kind != CEL_DOUBLE && !is_whole(v))
		return false;
	str_addf(out, scientific ? "%.*e" : "%.*f", precision < 0 ? 6 : precision, d);
	return true;
}

static bool add_based(struct str *out, const struct cel_value *v, unsigned shift)
{
	uint64_t u = v->kind == CEL_BOOL ? v->b : v->kind == CEL_INT && v->i < 0 ? 0 - v->u : v->u;
	char text[72], *p = text + sizeof text;

	if (!is_whole(v) && !(v->kind == CEL_BOOL && shift == 1))
		return false;
	do
		*--p = "0123456789abcdef"[u & ((1u << shift) - 1)];
	while (u >>= shift);
	if (v->kind == CEL_INT && v->i < 0)
		*--p = '-';
	str_add(out, (struct sv){ p, (size_t)(text + sizeof text - p) });
	return true;
}

static bool add_hex(struct str *out, const struct cel_value *v, bool capital)
{
	size_t was = out->n;

	if (v->kind == CEL_STRING || v->kind == CEL_BYTES)
		hex_encode(out, v->s);
	else if (!add_based(out, v, 4))
		return false;
	for (size_t i = was; capital && i < out->n; i++)
		out->p[i] = (char)toupper((unsigned char)out->p[i]);
	return true;
}

static bool add_clause(struct cel_eval *e, struct str *out, char clause, int precision, const struct cel_value *v)
{
	switch (clause) {
	case 's':
		return add_value(e, out, v, 0);
	case 'd':
		return add_decimal(out, v);
	case 'f':
	case 'e':
		return add_real(out, v, precision, clause == 'e');
	case 'b':
		return add_based(out, v, 1);
	case 'o':
		return add_based(out, v, 3);
	case 'x':
	case 'X':
		return add_hex(out, v, clause == 'X');
	default:
		return false;
	}
}

struct cel_value cel_text_format(struct cel_eval *e, const struct cel_value *a, size_t n)
{
	const char *p = a[0].s.p, *end = p + a[0].s.n;
	AUTO(str) out = { 0 };
	size_t next = 0;

	(void)n;
	while (p < end && cel_spend_text(e, 1)) {
		int precision = -1;

		if (*p != '%') {
			str_add1(&out, *p++);
			continue;
		}
		if (++p < end && *p == '%') {
			str_add1(&out, *p++);
			continue;
		}
		if (p < end && *p == '.')
			for (p++, precision = 0; p < end && isdigit((unsigned char)*p) && precision < 1000; p++)
				precision = precision * 10 + *p - '0';
		if (p == end)
			return cel_fail(e, "unexpected end of format string");
		if (next >= cel_size(&a[1]))
			return cel_fail(e, "index %zu out of range", next);
		if (!strchr("sdfebxXo", *p) || !*p)
			return cel_fail(e, "could not parse formatting clause: unrecognized formatting clause \"%c\"",
					*p);
		struct cel_value v = cel_item(e->d, &a[1], next++);
		if (!add_clause(e, &out, *p, precision, &v))
			return cel_fail(e, "error during formatting: clause %%%c can not be used on %s", *p,
					cel_types[v.kind].name);
		p++;
	}
	return cel_text(e, &out);
}
