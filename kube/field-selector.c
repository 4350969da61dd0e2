#include "kube/selector.h"
#include "base/vec.h"

#include <stdlib.h>

struct condition { char *path, *value; bool equal; };

struct field_selector { VEC(struct condition) conditions; };

#define AUTO_FIELDS __attribute__((cleanup(field_selector_free))) struct field_selector *

void field_selector_free(struct field_selector **sp)
{
	struct field_selector *s = TAKE(*sp);
	struct condition *c;

	if (!s)
		return;
	vec_each(c, &s->conditions) {
		free(c->path);
		free(c->value);
	}
	vec_free(&s->conditions);
	free(s);
}

/* Up to the next comma that is not escaped; \, \= and \\ stand for themselves. */
static struct sv next_part(struct sv *rest)
{
	struct sv part = { rest->p, 0 };

	while (part.n < rest->n && rest->p[part.n] != ',')
		part.n += rest->p[part.n] == '\\' && part.n + 1 < rest->n ? 2 : 1;
	*rest = sv_drop(*rest, part.n + 1);
	return part;
}

static char *unescape(struct sv s)
{
	AUTO(str) out = { 0 };

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n)
			i++;
		str_add1(&out, s.p[i]);
	}
	return str_take(&out);
}

static int add(struct field_selector *s, struct sv part, const char *text, struct err *err)
{
	struct sv path, value;

	if (!sv_cut(part, '=', &path, &value) || !path.n)
		return err_set(err, ERR_BAD_REQUEST,
			       "invalid selector: \"%s\"; can't understand '" SV_FMT "': PATH=VALUE or PATH!=VALUE expected", text,
			       SV_ARG(part));
	bool equal = path.p[path.n - 1] != '!';

	path.n -= !equal;
	if (equal && value.n && *value.p == '=')
		value = sv_drop(value, 1);
	struct sv clean = sv_trim(path);
	vec_push(&s->conditions, ((struct condition){ sv_dup(clean), unescape(value), equal }));
	return 0;
}

int field_selector_parse(const char *text, struct field_selector **out, struct err *err)
{
	AUTO_FIELDS s = calloc(1, sizeof *s);
	struct sv rest = sv_c(text);

	if (!s)
		abort();
	*out = NULL;
	if (!rest.n)
		return 0;
	while (rest.n) {
		struct sv part = next_part(&rest);

		if (part.n)
			TRY(add(s, part, text, err));
	}
	*out = TAKE(s);
	return 0;
}

/* An absent field has the empty text, as in Kubernetes' field sets. */
bool field_selector_matches(const struct field_selector *s, const struct node *object)
{
	for (size_t i = 0; s && i < s->conditions.n; i++) {
		const struct condition *c = &s->conditions.v[i];

		if (sv_eq_c(node_sv(node_at(object, c->path)), c->value) != c->equal)
			return false;
	}
	return true;
}
