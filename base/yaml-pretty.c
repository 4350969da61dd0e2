/* YAML as go-yaml v3 writes it with an indentation of 2: lists are indented below their key, which libyaml's emitter cannot. It
 * writes the scalars. */
#include "base/yaml-internal.h"

#include <stdlib.h>

static void indented(struct str *out, size_t depth)
{
	for (size_t i = 0; i < 2 * depth; i++)
		str_add1(out, ' ');
}

/* Without its newline; the lines of a block are indented to `depth`. */
static void scalar(struct str *out, const struct node *n, size_t depth)
{
	AUTO(str) text = { 0 };
	struct sv rest, line;
	bool first = true;

	yaml_write(&text, n, YAML_STYLES);
	rest = str_sv(&text);
	rest.n -= rest.n && rest.p[rest.n - 1] == '\n';
	for (bool more = true; more; first = false) {
		more = sv_cut(rest, '\n', &line, &rest);
		if (!first)
			str_add1(out, '\n');
		if (!first && line.n && depth > 1)
			indented(out, depth - 1);       /* libyaml has indented it once */
		str_add(out, line);
	}
}

static void value(struct str *out, const struct node *n, size_t depth);

static bool is_block(const struct node *n) { return node_n(n) > 0; }

static void list(struct str *out, const struct node *n, size_t depth)
{
	for (uint32_t i = 0; i < n->n; i++) {
		if (i) {
			str_add1(out, '\n');
			indented(out, depth);
		}
		str_addc(out, "- ");
		value(out, n->items[i], depth + 1);
	}
}

static void key(struct str *out, const struct member *m, size_t depth)
{
	struct node n = { .type = NODE_STR, .flags = m->key_n && memchr(m->key, '\n', m->key_n) ? NODE_DOUBLE : 0, .n = m->key_n,
			  .text = m->key };

	scalar(out, &n, depth);
	str_add1(out, ':');
}

static void mapping(struct str *out, const struct node *n, size_t depth)
{
	struct member *sorted = calloc(n->n, sizeof *sorted);

	if (!sorted)
		abort();
	memcpy(sorted, n->members, n->n * sizeof *sorted);
	qsort(sorted, n->n, sizeof *sorted, yaml_key_cmp);
	for (uint32_t i = 0; i < n->n; i++) {
		bool block = is_block(sorted[i].value);

		if (i) {
			str_add1(out, '\n');
			indented(out, depth);
		}
		key(out, &sorted[i], depth);
		str_add1(out, block ? '\n' : ' ');
		if (block)
			indented(out, depth + 1);
		value(out, sorted[i].value, depth + 1);
	}
	free(sorted);
}

/* At the column that `depth` gives. */
static void value(struct str *out, const struct node *n, size_t depth)
{
	if (is_block(n) && n->type == NODE_SEQ)
		list(out, n, depth);
	else if (is_block(n))
		mapping(out, n, depth);
	else
		scalar(out, n, depth);
}

void yaml_write_pretty(struct str *out, const struct node *n)
{
	value(out, n, 0);
	str_add1(out, '\n');
}
