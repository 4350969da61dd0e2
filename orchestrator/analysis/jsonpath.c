#include "orchestrator/analysis/provider.h"

#include <ctype.h>

/* The part of JSONPath that leads to values: names, indexes and `*`. Each step maps a list of nodes to the next one. */

static int fail(const char *path, const char *at, struct err *err)
{
	return err_set(err, ERR_BAD_REQUEST, "jsonPath '%s': not understood at character %zu", path,
		       (size_t)(at - path) + 1);
}

static void take_all(struct doc *d, const struct node *n, struct node *out)
{
	struct node *it;
	struct member *m;

	node_each(it, n)
		node_add(d, out, it);
	node_members(m, n)
		node_add(d, out, m->value);
}

static void take_index(struct doc *d, const struct node *n, int64_t at, struct node *out)
{
	if (at < 0)
		at += (int64_t)node_n(n);
	if (node_is(n, NODE_SEQ) && at >= 0 && at < (int64_t)node_n(n))
		node_add(d, out, node_item(n, (size_t)at));
}

struct step { bool all, index; int64_t at; struct sv name; };

static struct node *apply(struct doc *d, const struct node *from, const struct step *s)
{
	struct node *to = node_seq(d), *n, *value;

	node_each(n, from) {
		if (s->all)
			take_all(d, n, to);
		else if (s->index)
			take_index(d, n, s->at, to);
		else if ((value = node_getn(n, s->name)))
			node_add(d, to, value);
	}
	return to;
}

/* Reads ".name", ".*", "[0]", "[*]", "['name']"; *p goes behind it. */
static bool read_step(const char **p, struct step *s)
{
	const char *start = *p + 1, *end;

	*s = (struct step){ 0 };
	if (**p == '.') {
		for (end = start; isalnum((unsigned char)*end) || *end == '_' || *end == '-' || *end == '*'; end++)
			;
		s->name = (struct sv){ start, (size_t)(end - start) };
		s->all = sv_eq_c(s->name, "*");
		*p = end;
		return s->name.n > 0;
	}
	if (**p != '[')
		return false;
	if (*start == '\'' || *start == '"') {
		end = strchr(start + 1, *start);
		if (!end || end[1] != ']')
			return false;
		s->name = (struct sv){ start + 1, (size_t)(end - start - 1) };
		*p = end + 2;
		return true;
	}
	end = strchr(start, ']');
	if (!end)
		return false;
	struct sv inside = { start, (size_t)(end - start) };

	s->all = sv_eq_c(inside, "*");
	s->index = true;
	*p = end + 1;
	return s->all || sv_to_i64(inside, &s->at);
}

int jsonpath_find(const char *path, const struct node *root, struct doc *d, struct node *out, struct err *err)
{
	const char *p = path;
	struct node *found = node_seq(d);
	bool braces = *p == '{';

	node_add(d, found, node_copy(d, root));
	p += braces;
	p += *p == '$';
	while (*p && !(braces && *p == '}')) {
		struct step s;

		if (!read_step(&p, &s))
			return fail(path, p, err);
		found = apply(d, found, &s);
	}
	if (braces && (p[0] != '}' || p[1]))
		return fail(path, p, err);
	take_all(d, found, out);
	return 0;
}
