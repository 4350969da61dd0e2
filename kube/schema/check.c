#include "kube/schema/check.h"
#include "kube/schema/names.h"
#include "base/json.h"
#include "base/map.h"

#include <stdlib.h>

/* The value as a message shows it: text in quotes, all else as JSON. */
static void show(struct str *out, const struct node *value)
{
	json_write(out, value, 0);
}

static void add(struct check *c, const char *field, const char *reason, const char *text)
{
	size_t at = c->path.n;

	if (*field == '[')
		str_addc(&c->path, field);
	else if (*field)
		path_field(&c->path, field);
	err_cause(&c->causes, str_c(&c->path), reason, "%s", text);
	str_cut(&c->path, at);
}

void check_required(struct check *c, const char *field, const char *detail)
{
	AUTO(str) s = { 0 };

	str_addf(&s, "Required value%s%s", *detail ? ": " : "", detail);
	add(c, field, "FieldValueRequired", str_c(&s));
}

void check_invalid(struct check *c, const char *field, const struct node *value, const char *fmt, ...)
{
	AUTO(str) s = { 0 };
	va_list ap;

	str_addc(&s, "Invalid value: ");
	show(&s, value);
	str_addc(&s, ": ");
	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	add(c, field, "FieldValueInvalid", str_c(&s));
}

void check_unsupported(struct check *c, const char *field, const struct node *value, const char *choices)
{
	struct sv rest = sv_c(choices), one;
	AUTO(str) s = { 0 };
	size_t n = 0;
	bool more;

	str_addc(&s, "Unsupported value: ");
	show(&s, value);
	str_addc(&s, ": supported values: ");
	do {
		more = sv_cut(rest, '|', &one, &rest);
		str_addf(&s, "%s\"" SV_FMT "\"", n++ ? ", " : "", SV_ARG(one));
	} while (more);
	add(c, field, "FieldValueNotSupported", str_c(&s));
}

void check_duplicate(struct check *c, const char *field, const struct node *value)
{
	AUTO(str) s = { 0 };

	str_addc(&s, "Duplicate value: ");
	show(&s, value);
	add(c, field, "FieldValueDuplicate", str_c(&s));
}

void check_not_found(struct check *c, const char *field, const struct node *value)
{
	AUTO(str) s = { 0 };

	str_addc(&s, "Not found: ");
	show(&s, value);
	add(c, field, "FieldValueNotFound", str_c(&s));
}

void check_forbidden(struct check *c, const char *field, const char *fmt, ...)
{
	AUTO(str) s = { 0 };
	va_list ap;

	str_addc(&s, "Forbidden: ");
	va_start(ap, fmt);
	str_addv(&s, fmt, ap);
	va_end(ap);
	add(c, field, "FieldValueForbidden", str_c(&s));
}

void check_name(struct check *c, const struct node *n, const char *field, const char *(*rule)(struct sv))
{
	const struct node *v = node_get(n, field);
	const char *wrong = node_is(v, NODE_STR) && v->n ? rule(node_sv(v)) : NULL;

	if (wrong)
		check_invalid(c, field, v, "%s", wrong);
}

void check_at_least(struct check *c, const struct node *n, const char *field, int64_t least)
{
	const struct node *v = node_get(n, field);
	int64_t i;

	if (node_to_i64(v, &i) && i < least)
		check_invalid(c, field, v, "must be greater than or equal to %lld", (long long)least);
}

void check_port_number(struct check *c, const struct node *n, const char *field)
{
	const struct node *v = node_get(n, field);
	int64_t i;

	if (node_to_i64(v, &i) && (i < 1 || i > 65535))
		check_invalid(c, field, v, "must be between 1 and 65535, inclusive");
}

void check_port_number_or_name(struct check *c, const struct node *n, const char *field)
{
	if (node_is(node_get(n, field), NODE_STR))
		check_name(c, n, field, name_port);
	else
		check_port_number(c, n, field);
}

static bool is_percent(struct sv s)
{
	int64_t v;

	return s.n > 1 && s.p[s.n - 1] == '%' && *s.p >= '0' && *s.p <= '9' && sv_to_i64((struct sv){ s.p, s.n - 1 }, &v);
}

void check_percent_or_count(struct check *c, const struct node *n, const char *field)
{
	const struct node *v = node_get(n, field);

	if (node_is(v, NODE_STR) && !is_percent(node_sv(v)))
		check_invalid(c, field, v, "a valid percent string must be a numeric string followed by an ending '%%' (e.g. '1%%',  or '93%%', "
			      "regex used for validation is '[0-9]+%%')");
	else
		check_at_least(c, n, field, 0);
}

void check_unique(struct check *c, const struct node *list, const char *field, const char *key)
{
	__attribute__((cleanup(map_free))) struct map seen = { 0 };

	for (size_t i = 0; i < node_n(list); i++) {
		const struct node *v = node_get(list->items[i], key);
		AUTO(str) where = { 0 };

		if (node_is_empty(v) || !map_put(&seen, node_sv(v), (void *)v))
			continue;
		str_addf(&where, "%s[%zu].%s", field, i, key);
		check_duplicate(c, str_c(&where), v);
	}
}
