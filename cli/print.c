#include "cli/print.h"

#include "base/json.h"
#include "base/loop.h"
#include "base/yaml.h"
#include "kube/schema/columns.h"

#include <ctype.h>
#include <string.h>

enum output output_parse(const char *name)
{
	static const char *const names[] = { [OUTPUT_TABLE] = "", [OUTPUT_WIDE] = "wide", [OUTPUT_JSON] = "json",
					     [OUTPUT_YAML] = "yaml", [OUTPUT_NAME] = "name" };

	if (sv_starts(sv_c(name), SV("jsonpath=")))
		return OUTPUT_TEMPLATE;
	if (sv_starts(sv_c(name), SV("custom-columns=")))
		return OUTPUT_COLUMNS;
	for (size_t i = 1; name && i < sizeof names / sizeof *names; i++)
		if (str_eq(name, names[i]))
			return (enum output)i;
	return OUTPUT_TABLE;
}

static bool is_shown(const struct column *col, const struct columns *c)
{
	return col->name && (!col->priority || c->output == OUTPUT_WIDE);
}

static void add_upper(struct table *t, const char *name)
{
	AUTO(str) s = { 0 };

	for (; *name; name++)
		str_add1(&s, (char)toupper((unsigned char)*name));
	table_add(t, str_c(&s));
}

void print_header(struct table *t, const struct kind *k, const struct columns *c)
{
	size_t before = t->n;

	if (c->ns)
		table_add(t, "NAMESPACE");
	table_add(t, "NAME");
	for (const struct column *col = k->columns; col && col->name; col++)
		if (is_shown(col, c))
			add_upper(t, col->name);
	if (!k->columns)
		table_add(t, "AGE");
	if (c->labels)
		table_add(t, "LABELS");
	t->columns = t->n - before;
	if (c->no_headers)
		while (t->n > before)
			free(t->v[--t->n]);
}

static void add_labels(struct table *t, const struct node *labels)
{
	AUTO(str) s = { 0 };
	struct member *m;

	node_members(m, labels)
		str_addf(&s, "%s%s=%s", s.n ? "," : "", m->key, node_text(m->value) ? node_text(m->value) : "");
	table_add(t, s.n ? str_c(&s) : "<none>");
}

void print_row(struct table *t, const struct object *o, const struct columns *c)
{
	const struct kind *k = o->kind;
	int64_t created, now = clock_ms();
	AUTO(str) cell = { 0 };

	if (c->ns)
		table_add(t, *o->ns ? o->ns : "");
	if (c->title)
		resource_title(k, &cell);
	table_addf(t, "%s%s%s", str_c(&cell), c->title ? "/" : "", o->name);
	for (const struct column *col = k->columns; col && col->name; col++) {
		if (!is_shown(col, c))
			continue;
		str_cut(&cell, 0);
		column_text(col, o->root, now, &cell);
		table_add(t, str_c(&cell));
	}
	if (!k->columns) {
		str_cut(&cell, 0);
		if (time_parse(node_str_or(o->root, "metadata.creationTimestamp", ""), &created))
			duration_text(now - created, &cell);
		table_add(t, cell.n ? str_c(&cell) : "<unknown>");
	}
	if (c->labels)
		add_labels(t, node_at(o->root, "metadata.labels"));
}

void resource_title(const struct kind *k, struct str *out)
{
	for (const char *s = k->kind; *s; s++)
		str_add1(out, (char)tolower((unsigned char)*s));
	if (*k->group)
		str_addf(out, ".%s", k->group);
}

void print_document(const struct node *root, enum output as, FILE *to)
{
	AUTO(str) text = { 0 };

	if (as == OUTPUT_YAML) {
		yaml_write(&text, root, YAML_SORTED);
	} else {
		json_write(&text, root, JSON_SORTED | JSON_INDENT4);
		str_add1(&text, '\n');
	}
	fwrite(str_c(&text), 1, text.n, to);
}

void print_name(const struct object *o, FILE *to)
{
	AUTO(str) title = { 0 };

	resource_title(o->kind, &title);
	fprintf(to, "%s/%s\n", str_c(&title), o->name);
}
