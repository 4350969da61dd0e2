/* schema-gen OUT.c IN.schema... - turns the schema files into constant tables. kube/schema/README.md has the format.
 *
 * Everything is checked here, at build time: unknown types and attributes, types that nobody defines, includes. */
#include <stdio.h>
#include <stdlib.h>

#include "base/fs.h"
#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"

struct row {                            /* a field, or a column of a kind */
	struct sv name, type, help;
	bool list, map;
	VEC(struct sv) attributes;
	const char *file;
	unsigned line;
};

struct type { struct sv name; VEC(struct row) rows; bool is_root, done, rules, defaults; };
struct kind { struct row head; VEC(struct row) columns; };

struct schema {
	VEC(struct type *) types;
	VEC(struct kind *) kinds;
	struct map by_name;             /* type name -> struct type */
	const char *file;
	unsigned line;
};

static _Noreturn void die(const char *file, unsigned line, const char *what, struct sv text)
{
	fprintf(stderr, "%s:%u: %s '" SV_FMT "'\n", file, line, what, SV_ARG(text));
	exit(1);
}

/* ---- reading ---- */

static struct sv word(struct sv *rest)
{
	struct sv w = { 0 };

	*rest = sv_trim(*rest);
	w.p = rest->p;
	while (w.n < rest->n && rest->p[w.n] != ' ' && rest->p[w.n] != '\t')
		w.n++;
	*rest = sv_drop(*rest, w.n);
	return w;
}

/* Up to " # ", which starts the help. */
static struct sv cut_help(struct sv *line)
{
	for (size_t i = 0; i + 2 < line->n; i++) {
		if (line->p[i] != ' ' || line->p[i + 1] != '#' || line->p[i + 2] != ' ')
			continue;
		struct sv help = sv_trim(sv_drop(*line, i + 2));

		line->n = i;
		return help;
	}
	return SV("");
}

static struct row parse_row(const struct schema *s, struct sv line, bool typed)
{
	struct row r = { .file = s->file, .line = s->line };
	struct sv w;

	r.help = cut_help(&line);
	r.name = word(&line);
	r.type = typed ? word(&line) : SV("");
	r.list = r.type.n && *r.type.p == '[';
	r.map = r.type.n && *r.type.p == '{';
	r.type = sv_drop(r.type, r.list || r.map);
	while ((w = word(&line)).n)
		vec_push(&r.attributes, w);
	return r;
}

static struct type *new_type(struct schema *s, struct sv name)
{
	struct type *t = calloc(1, sizeof *t);

	if (!t)
		abort();
	t->name = name;
	vec_push(&s->types, t);
	if (map_put(&s->by_name, name, t))
		die(s->file, s->line, "type is there twice:", name);
	return t;
}

/* "NAME" or "NAME rules" */
static struct type *read_type(struct schema *s, struct sv line)
{
	struct type *t = new_type(s, word(&line));
	struct sv attribute = word(&line);

	t->rules = sv_eq_c(attribute, "rules");
	if (attribute.n && !t->rules)
		die(s->file, s->line, "unknown attribute", attribute);
	return t;
}

static struct kind *new_kind(struct schema *s, struct sv line)
{
	struct kind *k = calloc(1, sizeof *k);

	if (!k)
		abort();
	k->head = parse_row(s, line, false);
	vec_push(&s->kinds, k);
	return k;
}

static void read_file(struct schema *s, const char *path)
{
	struct str text = { 0 };        /* lives as long as the program: everything points into it */
	struct err e = { 0 };
	struct type *type = NULL;
	struct kind *kind = NULL;

	if (file_read(path, 4 << 20, &text, &e) < 0) {
		fprintf(stderr, "%s\n", err_msg(&e));
		exit(1);
	}
	s->file = path;
	s->line = 0;
	for (struct sv rest = str_sv(&text), line; rest.n;) {
		sv_cut(rest, '\n', &line, &rest);
		s->line++;
		if (!sv_trim(line).n || *line.p == '#')
			continue;
		bool row = *line.p == '\t';
		struct sv after = line, first = row ? SV("") : word(&after);
		if (row && type)
			vec_push(&type->rows, parse_row(s, line, true));
		else if (row && kind)
			vec_push(&kind->columns, parse_row(s, line, true));
		else if (sv_eq_c(first, "type"))
			type = read_type(s, after), kind = NULL;
		else if (sv_eq_c(first, "kind"))
			kind = new_kind(s, after), type = NULL;
		else
			die(path, s->line, "'type' or 'kind' expected, found", first);
	}
}

/* ---- meaning ---- */

static const struct { const char *name, *value; } scalars[] = {
	{ "str", "FIELD_STR" }, { "int32", "FIELD_INT32" }, { "int64", "FIELD_INT64" }, { "number", "FIELD_NUMBER" },
	{ "bool", "FIELD_BOOL" }, { "intorstr", "FIELD_INT_OR_STR" }, { "quantity", "FIELD_QUANTITY" }, { "time", "FIELD_TIME" },
	{ "microtime", "FIELD_MICRO_TIME" }, { "duration", "FIELD_DURATION" }, { "bytes", "FIELD_BYTES" }, { "raw", "FIELD_RAW" },
};

static const struct { const char *name, *flag; bool value; } attributes[] = {
	{ "required", "FIELD_REQUIRED", false }, { "immutable", "FIELD_IMMUTABLE", false }, { "merge", "FIELD_MERGE", true },
	{ "retain", "FIELD_RETAIN_KEYS", false }, { "atomic", "FIELD_ATOMIC", false }, { "map", "FIELD_LIST_MAP", true },
	{ "set", "FIELD_LIST_SET", false }, { "default", NULL, true }, { "oneof", NULL, true },
};

/* The value of NAME=value, or of a bare NAME: empty with p set. p NULL: not there. */
static struct sv attribute(const struct row *r, const char *name)
{
	for (size_t i = 0; i < r->attributes.n; i++) {
		struct sv head, value;

		sv_cut(r->attributes.v[i], '=', &head, &value);
		if (sv_eq_c(head, name))
			return value;
	}
	return (struct sv){ 0 };
}

static struct type *find_type(const struct schema *s, const struct type *in, const struct row *r)
{
	struct sv group, rest;
	struct str full = { 0 };

	if (!memchr(r->type.p, '.', r->type.n) && sv_cut_last(in->name, '.', &group, &rest))
		str_addf(&full, SV_FMT "." SV_FMT, SV_ARG(group), SV_ARG(r->type));
	else
		str_add(&full, r->type);
	struct type *t = map_get(&s->by_name, str_sv(&full));
	str_free(&full);
	if (!t)
		die(r->file, r->line, "unknown type", r->type);
	return t;
}

static const char *scalar_of(const struct row *r)
{
	for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++)
		if (sv_eq_c(r->type, scalars[i].name))
			return scalars[i].value;
	return NULL;
}

/* Puts the rows of included types in place of the include. */
static void include_all(struct schema *s, struct type *t)
{
	if (t->done)
		return;
	t->done = true;
	for (size_t i = 0; i < t->rows.n; i++) {
		struct row r = t->rows.v[i];

		if (!sv_eq_c(r.name, "include") || scalar_of(&r))
			continue;
		struct type *from = find_type(s, t, &r);
		include_all(s, from);
		memmove(t->rows.v + i, t->rows.v + i + 1, (--t->rows.n - i) * sizeof r);
		for (size_t j = 0; j < from->rows.n; j++) {
			struct row copy = from->rows.v[j];
			struct str type = { 0 };
			struct sv group, rest;

			sv_cut_last(from->name, '.', &group, &rest);
			if (copy.type.n && *copy.type.p >= 'A' && *copy.type.p <= 'Z') {
				str_addf(&type, SV_FMT "." SV_FMT, SV_ARG(group), SV_ARG(copy.type));
				copy.type = str_sv(&type);      /* kept: names must be full outside of their group */
			}
			vec_push(&t->rows, copy);
		}
		i--;
	}
}

/* Marks the types with something to default in or below them, until nothing changes any more. */
static void mark_defaults(struct schema *s)
{
	for (bool changed = true; changed;) {
		changed = false;
		for (size_t i = 0; i < s->types.n; i++) {
			struct type *t = s->types.v[i];
			bool has = t->rules;

			for (size_t j = 0; j < t->rows.n && !has; j++)
				has = attribute(&t->rows.v[j], "default").p ||
				      (!scalar_of(&t->rows.v[j]) && find_type(s, t, &t->rows.v[j])->defaults);
			changed |= has != t->defaults;
			t->defaults = has;
		}
	}
}

static int by_name(const void *a, const void *b) { return sv_cmp(((const struct row *)a)->name, ((const struct row *)b)->name); }

/* Roots have apiVersion and kind too; all rows are sorted, for the binary search. */
static void finish(struct schema *s)
{
	for (size_t i = 0; i < s->kinds.n; i++) {
		struct type *t = map_get(&s->by_name, s->kinds.v[i]->head.name);

		if (t)
			t->is_root = true;
		else if (!attribute(&s->kinds.v[i]->head, "freeform").p)
			die(s->kinds.v[i]->head.file, s->kinds.v[i]->head.line, "no such type:", s->kinds.v[i]->head.name);
	}
	for (size_t i = 0; i < s->types.n; i++) {
		struct type *t = s->types.v[i];

		include_all(s, t);
		if (!t->is_root)
			continue;
		vec_push(&t->rows, ((struct row){ .name = SV("apiVersion"), .type = SV("str"), .help = SV("Group and version.") }));
		vec_push(&t->rows, ((struct row){ .name = SV("kind"), .type = SV("str"), .help = SV("What this object is.") }));
	}
	for (size_t i = 0; i < s->types.n; i++) {
		struct type *t = s->types.v[i];

		if (t->rows.n)
			qsort(t->rows.v, t->rows.n, sizeof *t->rows.v, by_name);
		for (size_t j = 1; j < t->rows.n; j++)
			if (sv_eq(t->rows.v[j].name, t->rows.v[j - 1].name))
				die(t->rows.v[j].file, t->rows.v[j].line, "field is there twice:", t->rows.v[j].name);
	}
	mark_defaults(s);
}

/* ---- writing ---- */

/* A C string literal, or NULL. */
static void literal(FILE *o, const char *field, struct sv text)
{
	fprintf(o, ", .%s = \"", field);
	for (size_t i = 0; i < text.n; i++)
		fprintf(o, text.p[i] == '"' || text.p[i] == '\\' ? "\\%c" : "%c", text.p[i]);
	fputc('"', o);
}

static void optional(FILE *o, const char *field, struct sv text)
{
	if (text.p)
		literal(o, field, text);
}

static void check_attributes(const struct row *r)
{
	for (size_t i = 0; i < r->attributes.n; i++) {
		struct sv head, value;
		bool known = false;

		sv_cut(r->attributes.v[i], '=', &head, &value);
		for (size_t j = 0; j < sizeof attributes / sizeof *attributes; j++)
			known |= sv_eq_c(head, attributes[j].name);
		if (!known)
			die(r->file, r->line, "unknown attribute", r->attributes.v[i]);
	}
}

static size_t index_of(const struct schema *s, const struct type *t)
{
	for (size_t i = 0; i < s->types.n; i++)
		if (s->types.v[i] == t)
			return i;
	abort();
}

static void write_field(FILE *o, const struct schema *s, const struct type *t, const struct row *r)
{
	const char *scalar = scalar_of(r);
	struct sv merge = attribute(r, "merge");

	check_attributes(r);
	fprintf(o, "\t{ .name = \"" SV_FMT "\", .type = %s, .container = %s, .flags = 0", SV_ARG(r->name),
		scalar ? scalar : "FIELD_OBJECT", r->list ? "FIELD_LIST" : r->map ? "FIELD_MAP" : "FIELD_ONE");
	for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
		if (attributes[i].flag && attribute(r, attributes[i].name).p)
			fprintf(o, " | %s", attributes[i].flag);
	if (!scalar)
		fprintf(o, ", .of = &types[%zu]", index_of(s, find_type(s, t, r)));
	if (merge.n)
		literal(o, "merge_key", merge);
	optional(o, "list_keys", attribute(r, "map"));
	optional(o, "def", attribute(r, "default"));
	optional(o, "choices", attribute(r, "oneof"));
	if (r->help.n)
		literal(o, "help", r->help);
	fputs(" },\n", o);
}

static void write_types(FILE *o, const struct schema *s)
{
	fprintf(o, "static const struct type types[%zu];\n\n", s->types.n);
	for (size_t i = 0; i < s->types.n; i++) {
		const struct type *t = s->types.v[i];

		if (!t->rows.n)
			continue;
		fprintf(o, "static const struct field fields_%zu[] = {\n", i);
		for (size_t j = 0; j < t->rows.n; j++)
			write_field(o, s, t, &t->rows.v[j]);
		fputs("};\n\n", o);
	}
	fprintf(o, "static const struct type types[%zu] = {\n", s->types.n);
	for (size_t i = 0; i < s->types.n; i++) {
		const struct type *t = s->types.v[i];

		fprintf(o, "\t{ \"" SV_FMT "\", ", SV_ARG(t->name));
		if (t->rows.n)
			fprintf(o, "fields_%zu, %zu", i, t->rows.n);
		else
			fputs("NULL, 0", o);
		fprintf(o, ", 0%s%s },\n", t->rules ? " | TYPE_RULES" : "", t->defaults ? " | TYPE_DEFAULTS" : "");
	}
	fputs("};\n\n", o);
}

/* Names of columns have _ for spaces. */
static void write_columns(FILE *o, const struct kind *k, size_t number)
{
	fprintf(o, "static const struct column columns_%zu[] = {\n", number);
	for (size_t i = 0; i < k->columns.n; i++) {
		const struct row *r = &k->columns.v[i];
		struct sv priority = attribute(r, "priority"), format = attribute(r, "format"), path = attribute(r, "path");

		if (!path.n)
			die(r->file, r->line, "column without path=", r->name);
		fputs("\t{ .name = \"", o);
		for (size_t j = 0; j < r->name.n; j++)
			fputc(r->name.p[j] == '_' ? ' ' : r->name.p[j], o);
		fprintf(o, "\", .type = \"" SV_FMT "\", .priority = " SV_FMT, SV_ARG(r->type), SV_ARG(priority.n ? priority : SV("0")));
		literal(o, "format", format.p ? format : SV(""));
		literal(o, "path", path);
		literal(o, "help", r->help);
		fputs(" },\n", o);
	}
	fputs("\t{ .name = NULL }\n};\n\n", o);
}

static const struct { const char *name, *flag; } subresources[] = {
	{ "status", "SUB_STATUS" }, { "scale", "SUB_SCALE" }, { "log", "SUB_LOG" }, { "exec", "SUB_EXEC" }, { "attach", "SUB_ATTACH" },
	{ "portforward", "SUB_PORTFORWARD" }, { "proxy", "SUB_PROXY" }, { "eviction", "SUB_EVICTION" }, { "binding", "SUB_BINDING" },
	{ "token", "SUB_TOKEN" }, { "approval", "SUB_APPROVAL" }, { "finalize", "SUB_FINALIZE" },
};

static void write_subresources(FILE *o, const struct row *r)
{
	struct sv rest = attribute(r, "sub"), one;

	fputs(", .subresources = 0", o);
	while (rest.n) {
		const char *flag = NULL;

		sv_cut(rest, ',', &one, &rest);
		for (size_t i = 0; i < sizeof subresources / sizeof *subresources; i++)
			if (sv_eq_c(one, subresources[i].name))
				flag = subresources[i].flag;
		if (!flag)
			die(r->file, r->line, "unknown subresource", one);
		fprintf(o, " | %s", flag);
	}
}

static void write_kind(FILE *o, const struct schema *s, const struct kind *k, size_t number)
{
	const struct row *r = &k->head;
	struct sv place, kind, group, version, lower = attribute(r, "singular"), given = attribute(r, "group");
	struct type *t = map_get(&s->by_name, r->name);
	struct str name = { 0 };

	sv_cut_last(r->name, '.', &place, &kind);
	sv_cut(place, '/', &group, &version);
	for (size_t i = 0; i < kind.n; i++)
		str_add1(&name, kind.p[i] >= 'A' && kind.p[i] <= 'Z' ? (char)(kind.p[i] | 0x20) : kind.p[i]);
	fputs("\t{ .version = \"", o);
	fprintf(o, SV_FMT "\"", SV_ARG(version));
	literal(o, "group", given.n ? given : sv_eq_c(group, "core") ? SV("") : group);
	literal(o, "kind", kind);
	literal(o, "plural", attribute(r, "plural"));
	literal(o, "singular", lower.n ? lower : str_sv(&name));
	literal(o, "short_names", attribute(r, "short"));
	literal(o, "categories", attribute(r, "categories"));
	fprintf(o, ", .namespaced = %s", attribute(r, "namespaced").p ? "true" : "false");
	write_subresources(o, r);
	if (t)
		fprintf(o, ", .type = &types[%zu]", index_of(s, t));
	if (k->columns.n)
		fprintf(o, ", .columns = columns_%zu", number);
	fputs(" },\n", o);
	str_free(&name);
}

static void write_all(FILE *o, const struct schema *s)
{
	fputs("/* Made by tools/schema-gen from the .schema files. */\n#include \"kube/schema/tables.h\"\n\n", o);
	write_types(o, s);
	for (size_t i = 0; i < s->kinds.n; i++)
		if (s->kinds.v[i]->columns.n)
			write_columns(o, s->kinds.v[i], i);
	fputs("const struct kind builtin_kinds[] = {\n", o);
	for (size_t i = 0; i < s->kinds.n; i++)
		write_kind(o, s, s->kinds.v[i], i);
	fprintf(o, "};\n\nconst size_t builtin_kinds_n = %zu;\n", s->kinds.n);
	fprintf(o, "const struct type *const builtin_types = types;\nconst size_t builtin_types_n = %zu;\n", s->types.n);
}

int main(int argc, char **argv)
{
	static struct schema s;         /* never freed: everything points into it until the end */

	if (argc < 3) {
		fprintf(stderr, "usage: schema-gen OUT.c IN.schema...\n");
		return 2;
	}
	for (int i = 2; i < argc; i++)
		read_file(&s, argv[i]);
	finish(&s);
	FILE *o = fopen(argv[1], "w");
	if (!o)
		return perror(argv[1]), 1;
	write_all(o, &s);
	return fclose(o) ? 1 : 0;
}
