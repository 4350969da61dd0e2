#include "orchestrator/api/problems-internal.h"

#include "base/json.h"

#include <string.h>

enum { PROBLEMS_MAX = 50 };

void problems_free(struct problems *p)
{
	str_free(&p->path);
	err_free(&p->found);
}

const char *problems_path(const struct problems *p) { return p->path.n ? str_c(&p->path) : "<nil>"; }

static void add(struct problems *p, const char *reason, const char *fmt, va_list ap)
{
	static const char *const blocking[] = { "FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong",
						"FieldValueTooMany", "FieldValueTypeInvalid" };
	AUTO(str) text = { 0 };

	for (size_t i = 0; i < sizeof blocking / sizeof *blocking; i++)
		p->blocking |= !strcmp(reason, blocking[i]);
	if (p->n++ >= PROBLEMS_MAX)
		return;
	str_addv(&text, fmt, ap);
	err_cause(&p->found, problems_path(p), reason, "%s", str_c(&text));
}

void problem(struct problems *p, const char *reason, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(p, reason, fmt, ap);
	va_end(ap);
}

void problem_below(struct problems *p, const char *below, const char *reason, const char *fmt, ...)
{
	size_t was = p->path.n;
	va_list ap;

	str_addc(&p->path, below + (!was && *below == '.'));
	va_start(ap, fmt);
	add(p, reason, fmt, ap);
	va_end(ap);
	str_cut(&p->path, was);
}

void problem_value(struct problems *p, const struct node *v, const char *fmt, ...)
{
	AUTO(str) json = { 0 }, text = { 0 };
	va_list ap;

	json_write(&json, v, JSON_SORTED);
	va_start(ap, fmt);
	str_addv(&text, fmt, ap);
	va_end(ap);
	problem(p, "FieldValueInvalid", "Invalid value: %s: %s", str_c(&json), str_c(&text));
}

int problems_error(const struct problems *p, const struct kind *k, const char *name, struct err *err)
{
	const struct err_cause *causes = p->found.causes;
	size_t n = p->found.n_causes;
	AUTO(str) all = { 0 };

	if (!p->n)
		return 0;
	for (size_t i = 0; i < n; i++)
		str_addf(&all, "%s%s: %s", i ? ", " : "", causes[i].field, causes[i].msg);
	int r = err_set(err, ERR_INVALID, "%s%s%s \"%s\" is invalid: %s%s%s", k->kind, *k->group ? "." : "", k->group,
			name, n > 1 ? "[" : "", str_c(&all), n > 1 ? "]" : "");
	for (size_t i = 0; i < n; i++)
		err_cause(err, causes[i].field, causes[i].reason, "%s", causes[i].msg);
	return r;
}
