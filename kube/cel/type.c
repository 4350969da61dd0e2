#include "kube/cel/cel-internal.h"

#include <ctype.h>

#define KIND(k, text) [k] = { .kind = k, .name = text }

const struct cel_type cel_types[CEL_KINDS] = {
	KIND(CEL_ERROR, "error"),
	KIND(CEL_DYN, "dyn"),
	KIND(CEL_NULL, "null_type"),
	KIND(CEL_BOOL, "bool"),
	KIND(CEL_INT, "int"),
	KIND(CEL_UINT, "uint"),
	KIND(CEL_DOUBLE, "double"),
	KIND(CEL_STRING, "string"),
	KIND(CEL_BYTES, "bytes"),
	KIND(CEL_TIMESTAMP, "google.protobuf.Timestamp"),
	KIND(CEL_DURATION, "google.protobuf.Duration"),
	KIND(CEL_LIST, "list"),
	KIND(CEL_MAP, "map"),
	KIND(CEL_TYPE, "type"),
	KIND(CEL_OPTIONAL, "optional_type"),
	KIND(CEL_QUANTITY, "kubernetes.Quantity"),
	KIND(CEL_URL, "kubernetes.URL"),
	KIND(CEL_IP, "net.IP"),
	KIND(CEL_CIDR, "net.CIDR"),
	KIND(CEL_FORMAT, "kubernetes.NamedFormat"),
	KIND(CEL_OBJECT, "object"),
	KIND(CEL_HOST, "host"),
};

/* In messages of the checker. */
void cel_type_write(struct str *out, const struct cel_type *t)
{
	enum cel_kind kind = t ? t->kind : CEL_DYN;

	if (kind == CEL_NULL)
		return str_addc(out, "null");
	if (kind == CEL_TIMESTAMP || kind == CEL_DURATION)
		return str_addc(out, kind == CEL_TIMESTAMP ? "timestamp" : "duration");
	str_addc(out, t && t->name ? t->name : cel_types[kind].name);
	if (kind != CEL_LIST && kind != CEL_MAP && kind != CEL_OPTIONAL && (kind != CEL_TYPE || !t->of))
		return;
	str_add1(out, '(');
	if (kind == CEL_MAP) {
		cel_type_write(out, t->key);
		str_addc(out, ", ");
	}
	cel_type_write(out, t->of);
	str_add1(out, ')');
}

/* ---- from a schema ---- */

bool cel_escape(struct str *out, struct sv name)
{
	static const struct {
		char c;
		const char *text;
	} marks[] = { { '.', "__dot__" }, { '-', "__dash__" }, { '/', "__slash__" } };

	if (!name.n || isdigit((unsigned char)*name.p))
		return false;
	if (cel_is_reserved(name)) {
		str_addf(out, "__" SV_FMT "__", SV_ARG(name));
		return true;
	}
	for (size_t i = 0; i < name.n; i++) {
		size_t was = out->n;

		if (name.p[i] == '_' && i + 1 < name.n && name.p[i + 1] == '_') {
			str_addc(out, "__underscores__");
			i++;
			continue;
		}
		for (size_t k = 0; k < 3; k++)
			if (name.p[i] == marks[k].c)
				str_addc(out, marks[k].text);
		if (out->n != was)
			continue;
		if (!isalnum((unsigned char)name.p[i]) && name.p[i] != '_')
			return false;
		str_add1(out, name.p[i]);
	}
	return true;
}

static struct cel_type *make(struct doc *d, enum cel_kind kind)
{
	struct cel_type *t = doc_alloc(d, sizeof *t);

	t->kind = (uint8_t)kind;
	return t;
}

static void add_field(struct doc *d, struct cel_type *t, struct cel_field *fields, struct sv json,
		      const struct cel_type *type)
{
	AUTO(str) name = { 0 };

	for (size_t i = 0; i < t->n_fields; i++)
		if (sv_eq(fields[i].json, json))
			return;
	if (cel_escape(&name, json))
		fields[t->n_fields++] = (struct cel_field){ { doc_text(d, str_sv(&name)), name.n }, json, type };
}

static const struct cel_type *metadata_type(struct doc *d)
{
	struct cel_type *t = make(d, CEL_OBJECT);
	struct cel_field *fields = doc_alloc(d, 2 * sizeof *fields);

	t->name = "metadata";
	t->fields = fields;
	add_field(d, t, fields, SV("name"), &cel_types[CEL_STRING]);
	add_field(d, t, fields, SV("generateName"), &cel_types[CEL_STRING]);
	return t;
}

/* whole: an object of the API, with kind, apiVersion and metadata. */
static const struct cel_type *object_type(struct doc *d, const struct node *schema, bool whole)
{
	const struct node *properties = node_get(schema, "properties");
	struct cel_type *t = make(d, CEL_OBJECT);
	struct cel_field *fields = doc_alloc(d, (node_n(properties) + 3) * sizeof *fields);
	struct member *m;

	t->fields = fields;
	if (whole) {
		add_field(d, t, fields, SV("kind"), &cel_types[CEL_STRING]);
		add_field(d, t, fields, SV("apiVersion"), &cel_types[CEL_STRING]);
		add_field(d, t, fields, SV("metadata"), metadata_type(d));
	}
	node_members(m, properties) {
		const struct cel_type *type = cel_type_of_schema(d, m->value, false);

		if (type)
			add_field(d, t, fields, (struct sv){ m->key, m->key_n }, type);
	}
	return t;
}

static const struct cel_type *list_type(struct doc *d, const struct node *schema)
{
	const char *kind = node_str_or(schema, "x-kubernetes-list-type", "");
	struct cel_type *t = make(d, CEL_LIST);

	t->of = cel_type_of_schema(d, node_get(schema, "items"), false);
	t->list_type = !strcmp(kind, "set") ? CEL_SET : !strcmp(kind, "map") ? CEL_KEYED : CEL_ATOMIC;
	t->keys = node_get(schema, "x-kubernetes-list-map-keys");
	return t;
}

static const struct cel_type *text_type(const struct node *schema)
{
	static const struct {
		const char *format;
		enum cel_kind kind;
	} formats[] = {
		{ "byte", CEL_BYTES },
		{ "date", CEL_TIMESTAMP },
		{ "date-time", CEL_TIMESTAMP },
		{ "duration", CEL_DURATION },
	};

	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
		if (str_eq(node_str_at(schema, "format"), formats[i].format))
			return &cel_types[formats[i].kind];
	return &cel_types[CEL_STRING];
}

const struct cel_type *cel_type_of_schema(struct doc *d, const struct node *schema, bool whole)
{
	static const struct {
		const char *name;
		enum cel_kind kind;
	} plain[] = {
		{ "boolean", CEL_BOOL },
		{ "integer", CEL_INT },
		{ "number", CEL_DOUBLE },
	};
	const char *type = node_str_or(schema, "type", "");
	const struct node *more = node_get(schema, "additionalProperties");

	if (node_bool_at(schema, "x-kubernetes-int-or-string", false))
		return &cel_types[CEL_DYN];
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (!strcmp(type, plain[i].name))
			return &cel_types[plain[i].kind];
	if (!strcmp(type, "string"))
		return text_type(schema);
	if (!strcmp(type, "array"))
		return list_type(d, schema);
	if (strcmp(type, "object") != 0)
		return NULL;
	whole |= node_bool_at(schema, "x-kubernetes-embedded-resource", false);
	if (node_is(more, NODE_MAP)) {
		struct cel_type *t = make(d, CEL_MAP);

		t->key = &cel_types[CEL_STRING];
		t->of = cel_type_of_schema(d, more, false);
		return t;
	}
	if (!whole && !node_get(schema, "properties"))
		return node_bool_at(schema, "x-kubernetes-preserve-unknown-fields", false)
			       ? NULL
			       : object_type(d, schema, false);
	return object_type(d, schema, whole);
}
