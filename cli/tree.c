#include "cli/print.h"

#include <ctype.h>
#include <stdlib.h>

#define INDENT 2
#define DEPTH_MAX 64

/* "containerStatuses" is "Container Statuses", "clusterIP" is "Cluster IP". Keys with dots or slashes stay. */
void tree_title(struct str *out, const char *key)
{
	bool plain = !key[strcspn(key, "./-_")];

	for (const char *c = key; *c; c++) {
		bool starts = plain && isupper((unsigned char)*c) && c > key &&
			      (!isupper((unsigned char)c[-1]) || (c[1] && islower((unsigned char)c[1]) && c[1] != 's'));

		if (starts)
			str_add1(out, ' ');
		str_add1(out, plain && c == key ? (char)toupper((unsigned char)*c) : *c);
	}
}

static void add_indent(struct str *out, int depth) { str_addf(out, "%*s", depth * INDENT, ""); }

/* A text of several lines keeps them, indented. */
static void add_text(struct str *out, struct sv text, int depth)
{
	struct sv line;

	for (bool more = true; more;) {
		more = sv_cut(text, '\n', &line, &text);
		str_add(out, line);
		str_add1(out, '\n');
		if (more && !text.n)
			break;
		if (more)
			add_indent(out, depth);
	}
}

/* The tables of kinds tell field names, which become titles, from keys that people chose, which stay as they are. */
static void add_members(struct str *out, const struct node *map, const struct type *t, bool free_keys, int depth)
{
	struct member *m;

	node_members(m, map) {
		const struct field *f = t && !free_keys ? type_field(t, (struct sv){ m->key, m->key_n }) : NULL;
		AUTO(str) title = { 0 };

		if (node_is_empty(m->value))
			continue;
		add_indent(out, depth);
		if (free_keys)
			str_addc(&title, m->key);
		else
			tree_title(&title, m->key);
		str_addf(out, "%s:", str_c(&title));
		tree_value(out, m->value, f ? f->of : NULL, f && f->container == FIELD_MAP, depth + 1);
	}
}

/* ---- lists of flat mappings, such as conditions, are tables ---- */

static const char *const noise[] = { "lastUpdateTime", "lastProbeTime", "lastHeartbeatTime", "observedGeneration" };

static bool is_noise(const char *key)
{
	for (size_t i = 0; i < sizeof noise / sizeof *noise; i++)
		if (str_eq(key, noise[i]))
			return true;
	return false;
}

static bool is_flat(const struct node *map)
{
	struct member *m;

	node_members(m, map) {
		struct sv text = node_sv(m->value);

		if (m->value->type == NODE_MAP || m->value->type == NODE_SEQ || (text.n && memchr(text.p, '\n', text.n)))
			return false;
	}
	return node_is(map, NODE_MAP);
}

struct keys { const char **v; size_t n, cap; };

/* The union of the items' keys; false: not a list for a table. */
static bool table_keys(const struct node *seq, struct keys *keys)
{
	const struct node *it;
	struct member *m;

	node_each(it, seq) {
		if (!is_flat(it))
			return false;
		node_members(m, it) {
			bool known = is_noise(m->key);

			for (size_t i = 0; i < keys->n; i++)
				known |= str_eq(keys->v[i], m->key);
			if (!known)
				vec_push(keys, m->key);
		}
	}
	return keys->n > 1 && keys->n <= 6;
}

static void add_upper(struct table *t, int indent, const char *key)
{
	AUTO(str) s = { 0 };

	tree_title(&s, key);
	for (size_t i = 0; i < s.n; i++)
		s.p[i] = (char)(s.p[i] == ' ' ? '-' : toupper((unsigned char)s.p[i]));
	table_addf(t, "%*s%s", indent, "", str_c(&s));
}

static void add_table(struct str *out, const struct node *seq, const struct keys *keys, int depth)
{
	AUTO(table) t = { .columns = keys->n };
	const struct node *it;
	char *text = NULL;
	size_t n = 0;

	for (size_t i = 0; i < keys->n; i++)
		add_upper(&t, i ? 0 : depth * INDENT, keys->v[i]);
	node_each(it, seq)
		for (size_t i = 0; i < keys->n; i++) {
			struct sv v = node_sv(node_get(it, keys->v[i]));

			table_addf(&t, "%*s" SV_FMT, i ? 0 : depth * INDENT, "", SV_ARG(v));
		}
	FILE *f = open_memstream(&text, &n);
	if (!f)
		abort();
	table_print(&t, NULL, f);
	fclose(f);
	str_add(out, (struct sv){ text, n });
	free(text);
}

static void add_items(struct str *out, const struct node *seq, const struct type *t, int depth)
{
	const struct node *it;
	struct keys keys = { 0 };
	bool first = true;

	if (table_keys(seq, &keys)) {
		add_table(out, seq, &keys, depth);
		vec_free(&keys);
		return;
	}
	vec_free(&keys);
	node_each(it, seq) {
		if (!first && it->type == NODE_MAP) {   /* an empty line would look like an end: a dash parts them */
			add_indent(out, depth);
			str_addc(out, "-\n");
		}
		first = false;
		if (it->type == NODE_MAP) {
			add_members(out, it, t, false, depth);
		} else {
			add_indent(out, depth);
			add_text(out, node_sv(it), depth);
		}
	}
}

void tree_value(struct str *out, const struct node *n, const struct type *t, bool free_keys, int depth)
{
	if (depth > DEPTH_MAX) {
		str_addc(out, " ...\n");
	} else if (n->type == NODE_MAP) {
		str_add1(out, '\n');
		add_members(out, n, t, free_keys, depth);
	} else if (n->type == NODE_SEQ) {
		str_add1(out, '\n');
		add_items(out, n, t, depth);
	} else {
		struct sv text = node_sv(n);
		bool lines = text.n && memchr(text.p, '\n', text.n);

		str_add1(out, lines ? '\n' : ' ');
		if (lines)
			add_indent(out, depth);
		add_text(out, text, depth);
	}
}
