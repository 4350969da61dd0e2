#include "orchestrator/api/openapi-internal.h"

#include "base/yaml.h"

#include <string.h>

/* How a member of a JSON object becomes a field: number, and what its value is. A value may lie in messages that hold
 * nothing else (wrap, outermost first, 0 ends). */
enum shape {
	TEXT,           /* a string; of a sequence, one each */
	ANY,            /* YAML text in an Any; of a sequence, one each */
	MESSAGE,        /* an object; of a sequence, one each */
	NAMED,          /* a map: one message {1: key, 2: value} each, all in one message */
};

struct message;
struct member_field {
	const char *key;
	enum shape shape;
	uint8_t number, wrap[4], each;  /* each: number of an entry in a NAMED's message */
	const struct message *of;
};
struct message {
	const struct member_field *fields;
	size_t n;
	uint8_t extension;      /* of x-... members; 0: none */
};

#define MESSAGE_OF(f, x) { f, sizeof f / sizeof *f, x }

static const struct message schema;

static const struct member_field schema_fields[] = {
	{ "$ref", TEXT, 1 },
	{ "format", TEXT, 2 },
	{ "description", TEXT, 4 },
	{ "default", ANY, 5 },
	{ "required", TEXT, 19 },
	{ "enum", ANY, 20 },
	{ "additionalProperties", MESSAGE, 21, { 1 }, .of = &schema },
	{ "type", TEXT, 22, { 1 } },
	{ "items", MESSAGE, 23, { 1 }, .of = &schema },
	{ "properties", NAMED, 25, .each = 1, .of = &schema },
};
static const struct message schema = MESSAGE_OF(schema_fields, 31);

static const struct member_field query_fields[] = {
	{ "in", TEXT, 2 }, { "description", TEXT, 3 }, { "name", TEXT, 4 }, { "type", TEXT, 6 }
};
static const struct message query = MESSAGE_OF(query_fields, 23);

static const struct member_field response_fields[] = { { "description", TEXT, 1, { 1 } } };
static const struct message response = MESSAGE_OF(response_fields, 0);

static const struct member_field operation_fields[] = {
	{ "parameters", MESSAGE, 8, { 1, 2, 3 }, .of = &query }, { "responses", NAMED, 9, .each = 1, .of = &response },
};
static const struct message operation = MESSAGE_OF(operation_fields, 13);

static const struct member_field path_fields[] = {
	{ "get", MESSAGE, 2, .of = &operation },
	{ "put", MESSAGE, 3, .of = &operation },
	{ "post", MESSAGE, 4, .of = &operation },
	{ "patch", MESSAGE, 8, .of = &operation },
};
static const struct message path_item = MESSAGE_OF(path_fields, 10);

static const struct member_field info_fields[] = { { "title", TEXT, 1 }, { "version", TEXT, 2 } };
static const struct message info = MESSAGE_OF(info_fields, 7);

static const struct member_field document_fields[] = {
	{ "swagger", TEXT, 1 }, { "info", MESSAGE, 2, .of = &info }, { "paths", NAMED, 8, .each = 2, .of = &path_item },
	{ "definitions", NAMED, 9, .each = 1, .of = &schema },
};
static const struct message document = MESSAGE_OF(document_fields, 16);

/* ---- the wire ---- */

static void varint(struct str *out, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		str_add1(out, (char)(v | 0x80));
	str_add1(out, (char)v);
}

static void bytes(struct str *out, uint8_t number, struct sv v)
{
	varint(out, (uint64_t)number << 3 | 2);
	varint(out, v.n);
	str_add(out, v);
}

static void wrapped(struct str *out, const struct member_field *f, struct sv v)
{
	AUTO(str) inner = { 0 };

	str_add(&inner, v);
	for (size_t i = 4; i-- > 0;) {
		AUTO(str) outer = { 0 };

		if (!f->wrap[i])
			continue;
		bytes(&outer, f->wrap[i], str_sv(&inner));
		str_move(&inner, &outer);
	}
	bytes(out, f->number, str_sv(&inner));
}

/* ---- the document ---- */

static void encode(struct str *out, const struct message *m, const struct node *map);

static void any(struct str *out, const struct node *value)
{
	AUTO(str) yaml = { 0 };

	yaml_write(&yaml, value, 0);
	bytes(out, 2, str_sv(&yaml));
}

static void put_one(struct str *out, const struct member_field *f, const struct node *value)
{
	AUTO(str) inner = { 0 };

	if (f->shape == TEXT)
		str_add(&inner, node_sv(value));
	else if (f->shape == ANY)
		any(&inner, value);
	else
		encode(&inner, f->of, value);
	wrapped(out, f, str_sv(&inner));
}

static void put_named(struct str *out, const struct member_field *f, const struct node *map)
{
	AUTO(str) all = { 0 };
	const struct member *m;

	node_members(m, map) {
		AUTO(str) entry = { 0 }, value = { 0 };

		encode(&value, f->of, m->value);
		bytes(&entry, 1, (struct sv){ m->key, m->key_n });
		bytes(&entry, 2, str_sv(&value));
		bytes(&all, f->each, str_sv(&entry));
	}
	bytes(out, f->number, str_sv(&all));
}

static void put_extension(struct str *out, uint8_t number, const struct member *m)
{
	AUTO(str) entry = { 0 }, value = { 0 };

	any(&value, m->value);
	bytes(&entry, 1, (struct sv){ m->key, m->key_n });
	bytes(&entry, 2, str_sv(&value));
	bytes(out, number, str_sv(&entry));
}

static void put_member(struct str *out, const struct message *m, const struct member *member)
{
	const struct node *it;

	for (size_t i = 0; i < m->n; i++) {
		const struct member_field *f = &m->fields[i];

		if (strcmp(f->key, member->key))
			continue;
		if (f->shape == NAMED)
			put_named(out, f, member->value);
		else if (node_is(member->value, NODE_SEQ))
			node_each(it, member->value)
				put_one(out, f, it);
		else
			put_one(out, f, member->value);
		return;
	}
	if (m->extension && !strncmp(member->key, "x-", 2))
		put_extension(out, m->extension, member);
}

static void encode(struct str *out, const struct message *m, const struct node *map)
{
	const struct member *member;

	node_members(member, map)
		put_member(out, m, member);
}

void openapi_v2_protobuf(struct str *out, const struct node *doc)
{
	encode(out, &document, doc);
}
