#include "kube/jsonpath.h"
#include "base/json.h"

#include <ctype.h>

enum step_type { STEP_KEY, STEP_INDEX, STEP_ALL, STEP_FILTER };

struct step { enum step_type type; struct sv key; int64_t index; struct sv path, value; bool equal; };

struct finder { void (*fn)(void *arg, const struct node *n); void *arg; };

/* ---- parsing one step ---- */

static bool eat(struct sv *p, const char *text)
{
	if (!sv_starts(*p, sv_c(text)))
		return false;
	*p = sv_drop(*p, strlen(text));
	return true;
}

/* Up to the first of the characters in `stops`, or the end. */
static struct sv until(struct sv *p, const char *stops)
{
	struct sv s = { p->p, 0 };

	while (s.n < p->n && !strchr(stops, p->p[s.n]))
		s.n++;
	*p = sv_drop(*p, s.n);
	return s;
}

/* A key as it is written: a dot that belongs to it has a backslash before it. */
static struct sv plain_key(struct sv *p)
{
	struct sv s = { p->p, 0 };

	while (s.n < p->n && p->p[s.n] != '.' && p->p[s.n] != '[')
		s.n += p->p[s.n] == '\\' && s.n + 1 < p->n ? 2 : 1;
	*p = sv_drop(*p, s.n);
	return s;
}

/* The member of a key that may hold backslashes. */
static const struct node *member_of(const struct node *n, struct sv key)
{
	AUTO(str) text = { 0 };

	if (!key.n || !memchr(key.p, '\\', key.n))
		return node_getn(n, key);
	for (size_t i = 0; i < key.n; i++) {
		i += key.p[i] == '\\' && i + 1 < key.n;
		str_add1(&text, key.p[i]);
	}
	return node_getn(n, str_sv(&text));
}

static bool quoted(struct sv *p, struct sv *out)
{
	char quote[2] = { p->n ? *p->p : '\0', '\0' };

	if (*quote != '\'' && *quote != '"')
		return false;
	*p = sv_drop(*p, 1);
	*out = until(p, quote);
	return eat(p, quote);
}

/* After "?(": @.a.b == "text", and the closing bracket. */
static bool filter(struct sv *p, struct step *s)
{
	s->type = STEP_FILTER;
	*p = sv_trim(*p);
	if (!eat(p, "@."))
		return false;
	s->path = sv_trim(until(p, "=!)"));
	s->equal = !eat(p, "!=");
	if (s->equal && !eat(p, "=="))
		return false;
	*p = sv_trim(*p);
	if (!quoted(p, &s->value))
		s->value = sv_trim(until(p, ")"));
	*p = sv_trim(*p);
	return s->path.n && eat(p, ")") && eat(p, "]");
}

static bool bracket(struct sv *p, struct step *s)
{
	if (eat(p, "*]")) {
		s->type = STEP_ALL;
		return true;
	}
	if (eat(p, "?("))
		return filter(p, s);
	if (quoted(p, &s->key)) {
		s->type = STEP_KEY;
		return eat(p, "]");
	}
	s->type = STEP_INDEX;
	return sv_to_i64(until(p, "]"), &s->index) && eat(p, "]");
}

static bool next_step(struct sv *p, struct step *s)
{
	*s = (struct step){ 0 };
	if (eat(p, "["))
		return bracket(p, s);
	if (!eat(p, "."))
		return false;
	if (p->n && *p->p == '[') {             /* ".[0]" is written too */
		*p = sv_drop(*p, 1);
		return bracket(p, s);
	}
	if (eat(p, "*")) {
		s->type = STEP_ALL;
		return true;
	}
	s->key = plain_key(p);
	return s->key.n > 0;
}

/* ---- walking ---- */

static bool passes(const struct node *n, const struct step *s)
{
	char path[128];

	if (s->path.n >= sizeof path)
		return false;
	memcpy(path, s->path.p, s->path.n);
	path[s->path.n] = '\0';
	return sv_eq(node_sv(node_at(n, path)), s->value) == s->equal;
}

static void walk(struct finder *f, const struct node *n, struct sv rest)
{
	struct node *it;
	struct member *m;
	struct step s;

	if (!n)
		return;
	if (!rest.n || sv_eq_c(rest, ".")) {
		f->fn(f->arg, n);
		return;
	}
	if (!next_step(&rest, &s))
		return;
	if (s.type == STEP_KEY) {
		walk(f, member_of(n, s.key), rest);
	} else if (s.type == STEP_INDEX) {
		walk(f, node_item(n, (size_t)(s.index < 0 ? s.index + (int64_t)node_n(n) : s.index)), rest);
	} else {
		node_each(it, n)
			if (s.type == STEP_ALL || passes(it, &s))
				walk(f, it, rest);
		node_members(m, s.type == STEP_ALL ? n : NULL)
			walk(f, m->value, rest);
	}
}

void jsonpath_each(const struct node *root, struct sv path, void (*fn)(void *arg, const struct node *n), void *arg)
{
	struct finder f = { fn, arg };

	walk(&f, root, path);
}

struct texts { struct str *out; size_t n; };

static void add_text(void *arg, const struct node *n)
{
	struct texts *t = arg;

	if (t->n++)
		str_add1(t->out, ',');
	if (n->type == NODE_SEQ || n->type == NODE_MAP)
		json_write(t->out, n, 0);
	else
		str_add(t->out, node_sv(n));
}

size_t jsonpath_text(const struct node *root, const char *path, struct str *out)
{
	struct texts t = { .out = out };

	jsonpath_each(root, sv_c(path), add_text, &t);
	return t.n;
}

int jsonpath_check(const char *path, struct err *err)
{
	struct sv rest = sv_c(path);
	struct step s;

	while (rest.n && !sv_eq_c(rest, ".")) {
		size_t at = (size_t)(rest.p - path);

		if (!next_step(&rest, &s))
			return err_set(err, ERR_INVALID, "JSON path %s: not understood from character %zu on", path, at + 1);
	}
	return 0;
}
